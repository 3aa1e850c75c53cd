// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Local memory that is registered, and operations that say so.
 */

#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/numa.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

#include "suite.h"

#define LOCAL_PAGES	8
#define LOCAL_LEN	(LOCAL_PAGES * PAGE_SIZE)
#define LOCAL_PIECES	3

/**
 * struct local - a pair, the target's memory, and the initiator's
 * @t: the test
 * @net: the net
 * @pair: the pair
 * @remote: the target's
 * @buf: the initiator's, pages that do not lie side by side for a device
 * @mr: region of all of @buf
 */
struct local {
	struct suite		*t;
	struct suite_net	net;
	struct suite_pair	pair;
	struct suite_mem	remote;
	u8			*buf;
	struct kfid_mr		*mr;
};

static void local_close(struct local *local)
{
	if (local->mr)
		EXPECT_OK(local->t, kfi_close(&local->mr->fid));
	suite_pair_close(&local->pair);
	suite_mem_close(local->t, &local->remote);
	suite_net_close(&local->net);
	vfree(local->buf);
}

static bool local_open(struct suite *t, struct local *local, u64 access)
{
	memset(local, 0, sizeof(*local));
	local->t = t;
	if (!suite_open(t, &local->net, &local->pair, NULL))
		return false;
	local->buf = vzalloc(LOCAL_LEN);
	if (EXPECT(t, local->buf) &&
	    suite_mem_open(&local->net, &local->remote, LOCAL_LEN,
			   SUITE_ACCESS) &&
	    EXPECT_OK(t, kfi_mr_reg(local->net.domain, local->buf, LOCAL_LEN,
				    access, 0, 0, 0, &local->mr, NULL)))
		return true;
	local_close(local);
	return false;
}

/* There and back again: written, read and sent from @buf, as @desc says. */
static void check_trip(struct local *local, size_t offset, size_t len,
		       void *desc)
{
	struct kfid_ep *a = local->pair.a.ep, *b = local->pair.b.ep;
	struct suite_mem *remote = &local->remote;
	u8 *buf = local->buf + offset;
	struct suite *t = local->t;

	memset(local->buf, 0x11, LOCAL_LEN);
	suite_fill(t, buf, len);
	EXPECT_OK(t, kfi_write(a, buf, len, desc, 0, remote->addr, remote->key,
			       local));
	EXPECT_COMP(t, &local->pair.a.tx, local, NULL);
	suite_settle(t, &local->pair.a, remote->addr, remote->key);
	EXPECT_SAME(t, remote->buf, buf, len);

	memset(buf, 0, len);
	EXPECT_OK(t, kfi_read(a, buf, len, desc, 0, remote->addr, remote->key,
			      local));
	EXPECT_COMP(t, &local->pair.a.tx, local, NULL);
	EXPECT_SAME(t, buf, remote->buf, len);
	EXPECT_ALL(t, local->buf, 0x11, offset);
	EXPECT_ALL(t, buf + len, 0x11, LOCAL_LEN - offset - len);

	memset(remote->buf, 0, len);
	EXPECT_OK(t, kfi_recv(b, remote->buf, len, NULL, 0, remote));
	EXPECT_OK(t, kfi_send(a, buf, len, desc, 0, local));
	EXPECT_COMP(t, &local->pair.b.rx, remote, NULL);
	EXPECT_COMP(t, &local->pair.a.tx, local, NULL);
	EXPECT_SAME(t, remote->buf, buf, len);

	memset(buf, 0, len);
	EXPECT_OK(t, kfi_recv(a, buf, len, desc, 0, local));
	EXPECT_OK(t, kfi_send(b, remote->buf, len, NULL, 0, remote));
	EXPECT_COMP(t, &local->pair.a.rx, local, NULL);
	EXPECT_COMP(t, &local->pair.b.tx, remote, NULL);
	EXPECT_SAME(t, buf, remote->buf, len);
	EXPECT_ALL(t, local->buf, 0x11, offset);
	EXPECT_ALL(t, buf + len, 0x11, LOCAL_LEN - offset - len);
}

static void test_registered(struct suite *t)
{
	struct local local;
	unsigned int i;
	size_t offset;

	if (!local_open(t, &local, KFI_SEND | KFI_RECV | KFI_READ | KFI_WRITE))
		return;
	check_trip(&local, 0, LOCAL_LEN, kfi_mr_desc(local.mr));
	check_trip(&local, LOCAL_LEN - 1, 1, kfi_mr_desc(local.mr));
	for (i = 0; i < 4 && !suite_failed(t); i++) {
		offset = suite_random(t, 0, LOCAL_LEN - 1);
		check_trip(&local, offset,
			   suite_random(t, 1, LOCAL_LEN - offset),
			   kfi_mr_desc(local.mr));
	}
	local_close(&local);
}

/* A region that does not help is no reason to fail: memory needs none. */
static void test_other(struct suite *t)
{
	struct suite_net other = { };
	struct local local;
	struct kfid_mr *mr;

	/* what may not be written to locally */
	if (!local_open(t, &local, KFI_SEND | KFI_REMOTE_READ))
		return;
	check_trip(&local, 100, 5000, kfi_mr_desc(local.mr));

	/* other memory, and this memory in another domain */
	check_trip(&local, 100, 5000, kfi_mr_desc(local.remote.mr));
	if (suite_net_open(t, &other, SUITE_RAW, NULL) &&
	    EXPECT_OK(t, kfi_mr_reg(other.domain, local.buf, LOCAL_LEN,
				    SUITE_ACCESS, 0, 0, 0, &mr, NULL))) {
		check_trip(&local, 100, 5000, kfi_mr_desc(mr));
		EXPECT_OK(t, kfi_close(&mr->fid));
	}
	suite_net_close(&other);
	local_close(&local);
}

/* Elements that are registered beside elements that are not */
static void test_mixed(struct suite *t)
{
	struct kvec iov[LOCAL_PIECES];
	void *desc[LOCAL_PIECES] = { };
	struct local local;
	size_t at = 0, i;
	u8 *more;

	if (!local_open(t, &local, SUITE_ACCESS))
		return;
	more = kzalloc(1000, GFP_KERNEL);
	if (!EXPECT(t, more))
		goto out;
	suite_fill(t, local.buf, LOCAL_LEN);
	suite_fill(t, more, 1000);
	iov[0].iov_base = local.buf + 10;
	iov[0].iov_len = 2 * PAGE_SIZE;
	iov[1].iov_base = more + 1;
	iov[1].iov_len = 999;
	iov[2].iov_base = local.buf + 4 * PAGE_SIZE - 7;
	iov[2].iov_len = PAGE_SIZE;
	desc[0] = kfi_mr_desc(local.mr);
	desc[2] = desc[0];
	EXPECT_OK(t, kfi_writev(local.pair.a.ep, iov, desc, LOCAL_PIECES, 0,
				local.remote.addr, local.remote.key, &local));
	EXPECT_COMP(t, &local.pair.a.tx, &local, NULL);
	suite_settle(t, &local.pair.a, local.remote.addr, local.remote.key);
	for (i = 0; i < LOCAL_PIECES; i++) {
		EXPECT_SAME(t, local.remote.buf + at, iov[i].iov_base,
			    iov[i].iov_len);
		at += iov[i].iov_len;
	}
	EXPECT_ALL(t, local.remote.buf + at, 0, LOCAL_LEN - at);
	kfree(more);
out:
	local_close(&local);
}

/* Who does DMA, and where it is */
static void test_device(struct suite *t)
{
	struct suite_net net;
	int node;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	/* devices in software have none */
	if (!strcmp(suite_provider(), "loopback"))
		EXPECT(t, !kfi_domain_device(net.domain));
	node = kfi_domain_numa_node(net.domain);
	EXPECT(t, node == NUMA_NO_NODE || node_online(node));
	suite_net_close(&net);
}

const struct suite_test suite_local_tests[] = {
	{ "local.registered", test_registered },
	{ "local.other", test_other },
	{ "local.mixed", test_mixed },
	{ "local.device", test_device },
	{ }
};
