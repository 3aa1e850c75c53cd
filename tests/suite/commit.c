// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Commits: a completion that means "it survives a power failure", and proof that
 * it does, by a simulator that forgets whatever was not made persistent.
 */

#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "store.h"

#define COMMIT_DELAY_MS	200

/* There is nothing to be said of an endpoint that cannot commit, or not yet. */
static void check_no_info(struct suite *t, struct suite_net *net, u64 caps)
{
	struct kfi_commit_info none;
	struct kfi_info *info;
	struct kfid_ep *ep;

	if (!EXPECT_OK(t, suite_getinfo(caps, net->port, 0, &info)))
		return;
	if (EXPECT_OK(t, kfi_endpoint(net->domain, info, &ep, NULL))) {
		store_get_info(t, ep, &none);
		EXPECT_EQ(t, none.method, KFI_COMMIT_NONE);
		EXPECT_EQ(t, none.domain, KFI_PMEM_DOMAIN_UNKNOWN);
		EXPECT(t, !none.sync);
		EXPECT_EQ(t, none.slots, 0);
		EXPECT_EQ(t, none.max_ranges, 0);
		EXPECT_OK(t, kfi_close(&ep->fid));
	}
	kfi_freeinfo(info);
}

static void test_info(struct suite *t)
{
	struct kfi_commit_info info;
	struct store store;

	if (!store_open(t, &store, NULL))
		return;
	check_no_info(t, &store.net, store.net.caps);
	check_no_info(t, &store.net, SUITE_RAW);
	/* both ends are ends of the same memory */
	store_get_info(t, store.pair.b.ep, &info);
	EXPECT_EQ(t, info.domain, KFI_PMEM_DOMAIN_MEMORY);
	store_get_info(t, store.pair.a.ep, &info);
	EXPECT_EQ(t, info.method, KFI_COMMIT_SERVER);
	EXPECT_EQ(t, info.domain, KFI_PMEM_DOMAIN_MEMORY);
	EXPECT_EQ(t, info.sync, 1);
	EXPECT_EQ(t, info.slots, 64);
	EXPECT_EQ(t, info.max_ranges, 16);
	if (!(store.net.caps & KFI_MSG)) {
		EXPECT_EQ(t, kfi_send(store.pair.a.ep, store.buf, 8, NULL, 0,
				      NULL), -EOPNOTSUPP);
		EXPECT_EQ(t, kfi_recv(store.pair.b.ep, store.buf, 8, NULL, 0,
				      NULL), -EOPNOTSUPP);
	}
	store_close(&store);
}

/* The completion waits for the media; a plain write behind it does not. */
static void test_delay(struct suite *t)
{
	struct suite_comp comp;
	struct store store;
	ktime_t start;

	if (!store_open(t, &store, NULL))
		return;
	kfi_pmemsim_set_delay(store.sim, COMMIT_DELAY_MS);
	start = ktime_get();
	EXPECT_OK(t, store_write(&store, 0, 4096, (void *)1, KFI_COMMIT));
	EXPECT_OK(t, store_write(&store, SZ_64K, 8, (void *)2, 0));
	EXPECT_COMP(t, &store.pair.a.tx, (void *)2, NULL);
	EXPECT(t, ktime_ms_delta(ktime_get(), start) < COMMIT_DELAY_MS);
	if (EXPECT_COMP(t, &store.pair.a.tx, (void *)1, &comp)) {
		EXPECT(t, comp.entry.flags & KFI_WRITE);
		EXPECT(t, ktime_ms_delta(ktime_get(), start) >=
			  COMMIT_DELAY_MS);
	}
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	EXPECT_SAME(t, store.mem, store.buf, 4096);
	store_close(&store);
}

/* One commit makes exactly its lines persistent, and has before it completes. */
static void check_trace(struct store *store, unsigned long *lines,
			size_t offset, size_t len)
{
	struct suite *t = store->t;

	/* written and visible is not persistent */
	EXPECT_OK(t, store_write(store, offset, len, store,
				 KFI_DELIVERY_COMPLETE));
	if (!EXPECT_COMP(t, &store->pair.a.tx, store, NULL))
		return;
	EXPECT_SAME(t, store->mem + offset, store->buf + offset, len);
	store_expect_dirty(store, offset, len, true);
	store_take_lines(store, lines);

	suite_fill(t, store->buf + offset, len);
	EXPECT_OK(t, store_write(store, offset, len, store, KFI_COMMIT));
	store_expect_lines(lines, offset, len);
	if (!EXPECT_COMP(t, &store->pair.a.tx, store, NULL))
		return;
	store_take_lines(store, lines);
	EXPECT(t, bitmap_empty(lines, STORE_LINES));
	bitmap_zero(lines, STORE_LINES);
	EXPECT(t, !kfi_pmemsim_dirty(store->sim, offset, len));
	EXPECT_SAME(t, store->mem + offset, store->buf + offset, len);
}

static void test_trace(struct suite *t)
{
	unsigned int rounds = suite_scaled(2000, 30);
	unsigned long *lines = bitmap_zalloc(STORE_LINES, GFP_KERNEL);
	struct store store;
	size_t offset, len;

	if (!EXPECT(t, lines) || !store_open(t, &store, NULL))
		goto out;
	for (; rounds && !suite_failed(t); rounds--) {
		offset = suite_random(t, 0, STORE_LEN - 1);
		len = suite_random(t, 1, min_t(size_t, STORE_LEN - offset,
					       1 << suite_random(t, 0, 17)));
		store.buf[offset] = ~store.mem[offset];
		check_trace(&store, lines, offset, len);
	}
	store_close(&store);
out:
	bitmap_free(lines);
}

/* Several ranges at once, each with its part of the payload */
static void test_ranges(struct suite *t)
{
	unsigned long *lines = bitmap_zalloc(STORE_LINES, GFP_KERNEL);
	struct kfi_rma_iov rma[4];
	struct kvec iov = { .iov_len = 0 };
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = rma,
	};
	struct store store;
	size_t i, nr;

	if (!EXPECT(t, lines) || !store_open(t, &store, NULL))
		goto out;
	nr = min_t(size_t, store.pair.info->tx_attr->rma_iov_limit,
		   ARRAY_SIZE(rma));
	for (i = 0; i < nr; i++) {
		rma[i].addr = store.mr->iova + (nr - i) * SZ_64K;
		rma[i].len = 100;
		rma[i].key = store.mr->key;
		store_expect_lines(lines, (nr - i) * SZ_64K, 100);
	}
	msg.rma_iov_count = nr;
	iov.iov_base = store.buf;
	iov.iov_len = nr * 100;
	EXPECT_OK(t, kfi_writemsg(store.pair.a.ep, &msg, KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, NULL, NULL);
	store_take_lines(&store, lines);
	EXPECT(t, bitmap_empty(lines, STORE_LINES));
	for (i = 0; i < nr; i++)
		EXPECT_SAME(t, store.mem + (nr - i) * SZ_64K,
			    store.buf + i * 100, 100);
	store_close(&store);
out:
	bitmap_free(lines);
}

/* A commit that fails is an error of its own, and of nothing else. */
static void test_fail(struct suite *t)
{
	struct store store;

	if (!store_open(t, &store, NULL))
		return;
	kfi_pmemsim_fail_next(store.sim, 1);
	EXPECT_OK(t, store_write(&store, 0, 4096, (void *)1, KFI_COMMIT));
	EXPECT_COMP_ERR(t, &store.pair.a.tx, (void *)1, EIO,
			KFI_RMA | KFI_WRITE | KFI_COMMIT);
	EXPECT(t, kfi_pmemsim_dirty(store.sim, 0, 4096));
	EXPECT_EQ(t, kfi_pmemsim_persists(store.sim), 0);
	EXPECT_OK(t, store_write(&store, 0, 4096, (void *)2, KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, (void *)2, NULL);
	EXPECT(t, !kfi_pmemsim_dirty(store.sim, 0, 4096));
	EXPECT_OK(t, store_write(&store, 0, 8, (void *)3, 0));
	EXPECT_COMP(t, &store.pair.a.tx, (void *)3, NULL);
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	store_close(&store);
}

/* As many as there are slots, completed in the order of posting */
static void test_order(struct suite *t)
{
	const struct suite_opts opts = { .tx_size = 256 };
	struct kfi_commit_info info = { };
	size_t size = sizeof(info);
	struct store store;
	uintptr_t op, nr;
	ssize_t ret = 0;

	if (!store_open(t, &store, &opts))
		return;
	kfi_pmemsim_set_delay(store.sim, COMMIT_DELAY_MS);
	EXPECT_OK(t, kfi_getopt(&store.pair.a.ep->fid, KFI_OPT_ENDPOINT,
				KFI_OPT_COMMIT_INFO, &info, &size));
	for (nr = 0; nr < 256; nr++) {
		ret = store_write(&store, nr * 64, 64, (void *)(nr + 1),
				  KFI_COMMIT);
		if (ret)
			break;
	}
	EXPECT_EQ(t, ret, -EAGAIN);
	EXPECT_EQ(t, nr, info.slots);
	/* all other operations still have room */
	EXPECT_OK(t, store_write(&store, SZ_64K, 8, (void *)1000, 0));
	EXPECT_COMP(t, &store.pair.a.tx, (void *)1000, NULL);

	kfi_pmemsim_set_delay(store.sim, 0);
	for (op = 1; op <= nr; op++)
		if (!EXPECT_COMP(t, &store.pair.a.tx, (void *)op, NULL))
			break;
	EXPECT(t, !kfi_pmemsim_dirty(store.sim, 0, nr * 64));
	EXPECT_SAME(t, store.mem, store.buf, nr * 64);
	EXPECT_OK(t, store_write(&store, 0, 64, &store, KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	store_close(&store);
}

/* One whose data the target refuses does not overtake one that is under way. */
static void test_fails_in_order(struct suite *t)
{
	unsigned int left = SUITE_TIMEOUT_MS;
	struct store store;

	if (!store_open(t, &store, NULL))
		return;
	kfi_pmemsim_hold(store.sim, true);
	EXPECT_OK(t, store_write(&store, 0, 64, (void *)1, KFI_COMMIT));
	for (; !kfi_pmemsim_held(store.sim) && left; left -= 20)
		msleep(20);
	EXPECT(t, left);
	store.addr += STORE_LEN;
	EXPECT_OK(t, store_write(&store, 0, 64, (void *)2, KFI_COMMIT));
	EXPECT_COMP_ERR(t, &store.pair.a.tx, (void *)1, 0, KFI_RMA | KFI_WRITE);
	EXPECT_COMP_ERR(t, &store.pair.a.tx, (void *)2, EACCES,
			KFI_RMA | KFI_WRITE);
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	kfi_pmemsim_hold(store.sim, false);
	store_close(&store);
}

/* The target is told when it is persistent, and not before. */
static void test_data(struct suite *t)
{
	struct suite_comp comp;
	struct store store;
	unsigned int delay;
	ktime_t start;

	if (!store_open(t, &store, NULL))
		return;
	EXPECT_EQ(t, store.pair.info->mode, 0);
	delay = store_asks(&store) ? COMMIT_DELAY_MS : 0;
	kfi_pmemsim_set_delay(store.sim, delay);
	store.data = 0xfffefdfc;
	start = ktime_get();
	EXPECT_OK(t, store_write(&store, 0, 1000, &store,
				 KFI_COMMIT | KFI_REMOTE_CQ_DATA));
	if (EXPECT(t, suite_read_comp(t, &store.pair.b.rx, &comp,
				      SUITE_TIMEOUT_MS)) &&
	    EXPECT_EQ(t, comp.err, 0)) {
		EXPECT(t, ktime_ms_delta(ktime_get(), start) >= delay);
		EXPECT(t, !kfi_pmemsim_dirty(store.sim, 0, 1000));
		EXPECT(t, comp.entry.flags & KFI_REMOTE_CQ_DATA);
		EXPECT_EQ(t, comp.entry.data, 0xfffefdfc);
		EXPECT_SAME(t, store.mem, store.buf, 1000);
	}
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);

	/* the same without a commit; no receive is needed for either */
	store.data = 5;
	EXPECT_OK(t, store_write(&store, SZ_64K, 1000, &store,
				 KFI_REMOTE_CQ_DATA));
	if (EXPECT(t, suite_read_comp(t, &store.pair.b.rx, &comp,
				      SUITE_TIMEOUT_MS))) {
		EXPECT_EQ(t, comp.entry.data, 5);
		EXPECT_EQ(t, comp.entry.len, 1000);
		store_expect_dirty(&store, SZ_64K, 1000, true);
	}
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	store_close(&store);
}

/*
 * What must not be stored before an earlier commit is persistent: a marker that
 * is injected, and a write behind a fence.
 */
static void check_after(struct suite *t, size_t len, u64 flags)
{
	struct store store;
	ktime_t start;

	if (!store_open(t, &store, NULL))
		return;
	kfi_pmemsim_set_delay(store.sim, COMMIT_DELAY_MS);
	memset(store.buf + SZ_64K, 0x77, len);
	start = ktime_get();
	EXPECT_OK(t, store_write(&store, 0, 4096, (void *)1, KFI_COMMIT));
	EXPECT_OK(t, store_write(&store, SZ_64K, len, (void *)2, flags));
	msleep(COMMIT_DELAY_MS / 4);
	if (ktime_ms_delta(ktime_get(), start) < COMMIT_DELAY_MS)
		EXPECT_ALL(t, store.mem + SZ_64K, 0, len);
	EXPECT_COMP(t, &store.pair.a.tx, (void *)1, NULL);
	EXPECT_COMP(t, &store.pair.a.tx, (void *)2, NULL);
	EXPECT(t, ktime_ms_delta(ktime_get(), start) >= COMMIT_DELAY_MS);
	EXPECT_ALL(t, store.mem + SZ_64K, 0x77, len);
	EXPECT_EQ(t, kfi_pmemsim_dirty(store.sim, SZ_64K, len),
		  !(flags & KFI_COMMIT));
	store_close(&store);
}

static void test_marker(struct suite *t)
{
	check_after(t, 64, KFI_COMMIT | KFI_INJECT);
}

/* A marker of something that did not become persistent is not stored at all. */
static void test_marker_broken(struct suite *t)
{
	struct store store;

	if (!store_open(t, &store, NULL))
		return;
	memset(store.buf + SZ_64K, 0x77, 64);
	kfi_pmemsim_set_delay(store.sim, COMMIT_DELAY_MS);
	kfi_pmemsim_fail_next(store.sim, 1);
	EXPECT_OK(t, store_write(&store, 0, 4096, (void *)1, KFI_COMMIT));
	EXPECT_OK(t, store_write(&store, SZ_64K, 64, (void *)2,
				 KFI_COMMIT | KFI_INJECT));
	EXPECT_COMP_ERR(t, &store.pair.a.tx, (void *)1, EIO,
			KFI_RMA | KFI_WRITE | KFI_COMMIT);
	EXPECT_COMP_ERR(t, &store.pair.a.tx, (void *)2, ECANCELED,
			KFI_RMA | KFI_WRITE | KFI_COMMIT);
	EXPECT_ALL(t, store.mem + SZ_64K, 0, 64);

	/* one that was posted with the failure known is */
	kfi_pmemsim_set_delay(store.sim, 0);
	EXPECT_OK(t, store_write(&store, SZ_64K, 64, (void *)3,
				 KFI_COMMIT | KFI_INJECT));
	EXPECT_COMP(t, &store.pair.a.tx, (void *)3, NULL);
	EXPECT_ALL(t, store.mem + SZ_64K, 0x77, 64);
	store_close(&store);
}

/* Payload in a request is stored by the target's CPU: rights count all the same. */
static void test_read_only(struct suite *t)
{
	struct store store;
	struct kfid_mr *mr;

	if (!store_open(t, &store, NULL))
		return;
	if (EXPECT_OK(t, kfi_mr_reg(store.net.domain, store.mem, SZ_4K,
				    KFI_REMOTE_READ, 0, 0, KFI_PMEM, &mr,
				    NULL))) {
		store.addr = mr->iova;
		store.key = kfi_mr_key(mr);
		EXPECT_OK(t, store_write(&store, 0, 64, &store,
					 KFI_COMMIT | KFI_INJECT));
		EXPECT_COMP_ERR(t, &store.pair.a.tx, &store, EACCES,
				KFI_RMA | KFI_WRITE | KFI_COMMIT);
		EXPECT_ALL(t, store.mem, 0, 64);
		EXPECT_OK(t, kfi_close(&mr->fid));
	}
	store_close(&store);
}

static void test_fence(struct suite *t)
{
	check_after(t, 4096, KFI_FENCE | KFI_DELIVERY_COMPLETE);
}

/* One that waits for an earlier commit is not even written before. */
static void test_fenced_commit(struct suite *t)
{
	check_after(t, 4096, KFI_FENCE | KFI_COMMIT);
}

static void test_refused(struct suite *t)
{
	struct suite_mem plain = { };
	struct store store;
	struct kfid_mr *mr;
	u64 key;

	if (!store_open(t, &store, NULL))
		return;
	key = store.mr->key;
	EXPECT_EQ(t, store_write(&store, 0, 8, NULL,
				 KFI_COMMIT | KFI_TRANSMIT_COMPLETE), -EINVAL);
	EXPECT_EQ(t, kfi_mr_reg(store.net.domain, store.mem + STORE_LEN - 1, 2,
				SUITE_ACCESS, 0, 0, KFI_PMEM, &mr, NULL),
		  -EINVAL);
	if (!suite_mem_open(&store.net, &plain, 4096, SUITE_ACCESS))
		goto out;
	store.addr = plain.addr;
	store.key = plain.key;
	EXPECT_EQ(t, store_write(&store, 0, 8, NULL, KFI_COMMIT), -EINVAL);
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	EXPECT_ALL(t, plain.buf, 0, 8);

	/* the marks of a persistent region on the key of another one */
	store.key = (key & ~(u64)U32_MAX) | (plain.key & U32_MAX);
	EXPECT_OK(t, store_write(&store, 0, 8, &store, KFI_COMMIT));
	EXPECT_COMP_ERR(t, &store.pair.a.tx, &store, EACCES,
			KFI_RMA | KFI_WRITE | KFI_COMMIT);
	store.addr = store.mr->iova;
	store.key = key;
	EXPECT_OK(t, store_write(&store, 0, 8, &store, KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	suite_mem_close(t, &plain);
out:
	store_close(&store);
}

const struct suite_test suite_commit_tests[] = {
	{ "commit.info", test_info },
	{ "commit.delay", test_delay },
	{ "commit.trace", test_trace },
	{ "commit.ranges", test_ranges },
	{ "commit.fail", test_fail },
	{ "commit.order", test_order },
	{ "commit.fails_in_order", test_fails_in_order },
	{ "commit.data", test_data },
	{ "commit.trace_read", test_trace, KFI_COMMIT_READ },
	{ "commit.ranges_read", test_ranges, KFI_COMMIT_READ },
	{ "commit.data_read", test_data, KFI_COMMIT_READ },
	{ "commit.trace_flush", test_trace, KFI_COMMIT_FLUSH },
	{ "commit.ranges_flush", test_ranges, KFI_COMMIT_FLUSH },
	{ "commit.data_flush", test_data, KFI_COMMIT_FLUSH },
	{ "commit.marker", test_marker },
	{ "commit.marker_broken", test_marker_broken },
	{ "commit.read_only", test_read_only },
	{ "commit.fence", test_fence },
	{ "commit.fenced_commit", test_fenced_commit },
	{ "commit.refused", test_refused },
	{ }
};
