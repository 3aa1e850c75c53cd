// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Registered memory, what to put into it and how to look at it.
 */

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "suite.h"

bool suite_mem_open(struct suite_net *net, struct suite_mem *mem, size_t len,
		    u64 access)
{
	struct suite *t = net->t;
	int ret;

	mem->mr = NULL;
	mem->len = len;
	mem->buf = kvzalloc(len, GFP_KERNEL);
	if (!EXPECT(t, mem->buf))
		return false;
	ret = kfi_mr_reg(net->domain, mem->buf, len, access, 0, 0, 0, &mem->mr,
			 mem);
	if (!EXPECT_OK(t, ret)) {
		kvfree(mem->buf);
		mem->mr = NULL;
		mem->buf = NULL;
		return false;
	}
	mem->addr = mem->mr->iova;
	mem->key = kfi_mr_key(mem->mr);
	return true;
}

void suite_mem_close(struct suite *t, struct suite_mem *mem)
{
	if (mem->mr && !EXPECT_OK(t, kfi_close(&mem->mr->fid)))
		return;
	kvfree(mem->buf);
	mem->mr = NULL;
	mem->buf = NULL;
}

void suite_fill(struct suite *t, void *buf, size_t len)
{
	prandom_bytes_state(&t->rnd, buf, len);
}

bool suite_same(struct suite *t, const char *file, int line, const void *is,
		const void *expected, size_t len)
{
	const u8 *a = is, *b = expected;
	size_t i;

	if (!memcmp(a, b, len))
		return true;
	for (i = 0; a[i] == b[i]; i++)
		;
	suite_complain(t, file, line, "byte %zu of %zu is %#x, expected %#x", i,
		       len, a[i], b[i]);
	return false;
}

bool suite_all(struct suite *t, const char *file, int line, const void *is,
	       u8 expected, size_t len)
{
	const u8 *bad = memchr_inv(is, expected, len);

	if (!bad)
		return true;
	suite_complain(t, file, line, "byte %zu of %zu is %#x, expected %#x",
		       bad - (const u8 *)is, len, *bad, expected);
	return false;
}
