// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Registered memory, what to put into it and how to look at it.
 */

#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

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

static bool suite_arena_map(struct suite_arena *arena)
{
	unsigned int per_block = 1 << arena->order, i, nr;
	struct page **pages;

	nr = arena->nr * per_block;
	pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return false;
	for (i = 0; i < nr; i++)
		pages[i] = arena->blocks[i / per_block] + i % per_block;
	arena->buf = vmap(pages, nr, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	return arena->buf;
}

bool suite_arena_open(struct suite *t, struct suite_arena *arena,
		      unsigned int order, unsigned int nr)
{
	unsigned int i;

	memset(arena, 0, sizeof(*arena));
	arena->order = order;
	arena->nr = nr;
	arena->len = (size_t)nr << (PAGE_SHIFT + order);
	arena->blocks = kvzalloc_objs(*arena->blocks, nr);
	if (!EXPECT(t, arena->blocks))
		return false;
	for (i = 0; i < nr; i++) {
		arena->blocks[i] = alloc_pages(GFP_KERNEL | __GFP_ZERO |
					       __GFP_COMP, order);
		if (!arena->blocks[i])
			break;
	}
	if (EXPECT_EQ(t, i, nr) && EXPECT(t, suite_arena_map(arena)))
		return true;
	suite_arena_close(arena);
	return false;
}

void suite_arena_close(struct suite_arena *arena)
{
	unsigned int i;

	vunmap(arena->buf);
	for (i = 0; arena->blocks && i < arena->nr; i++)
		if (arena->blocks[i])
			__free_pages(arena->blocks[i], arena->order);
	kvfree(arena->blocks);
	memset(arena, 0, sizeof(*arena));
}

bool suite_arena_register(struct suite_net *net, struct suite_arena *arena,
			  struct kfid_mr **mr)
{
	size_t block = PAGE_SIZE << arena->order;
	struct bio_vec *bv;
	unsigned int i;
	bool ok;

	*mr = NULL;
	bv = kvzalloc_objs(*bv, arena->nr);
	if (!EXPECT(net->t, bv))
		return false;
	for (i = 0; i < arena->nr; i++)
		bvec_set_page(&bv[i], arena->blocks[i], block, 0);
	ok = EXPECT_OK(net->t, kfi_mr_regbv(net->domain, bv, arena->nr,
					    SUITE_ACCESS, 0, 0, 0, mr, NULL));
	kvfree(bv);
	return ok;
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
