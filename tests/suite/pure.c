// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Operations without payload: commits and deliveries of what was written before,
 * and those that are about nothing at all.
 */

#include <linux/array_size.h>
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "store.h"

#define PURE_RANGES	16
#define PURE_DELAY_MS	200

/* Bytes of the store, as a peer sees them */
static struct kfi_rma_iov range(const struct store *store, size_t offset,
				size_t len)
{
	return (struct kfi_rma_iov) {
		.addr = store->addr + offset, .len = len, .key = store->key,
	};
}

static ssize_t pure(struct kfid_ep *ep, const struct kfi_rma_iov *rma,
		    size_t nr, u64 data, void *context, u64 flags)
{
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .rma_iov = rma, .rma_iov_count = nr,
		.context = context, .data = data,
	};

	return kfi_writemsg(ep, &msg, flags);
}

/* One range, and a vector that has an element, of no bytes */
static ssize_t pure_one(struct store *store, size_t offset, size_t len,
			void *context, u64 flags)
{
	const struct kfi_rma_iov rma = range(store, offset, len);
	const struct kvec iov = { .iov_base = store->buf };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &rma, .rma_iov_count = 1, .context = context,
		.data = store->data,
	};

	return kfi_writemsg(store->pair.a.ep, &msg, flags);
}

/* Writes to many places, and commits every other one of them at once. */
static void check_ranges(struct store *store, unsigned long *lines,
			 size_t nr)
{
	struct kfi_rma_iov rma[PURE_RANGES];
	struct suite *t = store->t;
	size_t part = STORE_LEN / (2 * nr), len, at, i;

	for (i = 0; i < 2 * nr; i++) {
		len = suite_random(t, 1, min_t(size_t, part, SZ_16K));
		suite_fill(t, store->buf + i * part, len);
		EXPECT_OK(t, store_write(store, i * part, len, NULL, 0));
		if (i % 2)
			continue;
		rma[nr - 1 - i / 2] = range(store, i * part, len);
		store_expect_lines(lines, i * part, len);
	}
	EXPECT_OK(t, pure(store->pair.a.ep, rma, nr, 0, store, KFI_COMMIT));
	for (i = 0; i < 2 * nr; i++)
		EXPECT_COMP(t, &store->pair.a.tx, NULL, NULL);
	if (!EXPECT_COMP(t, &store->pair.a.tx, store, NULL))
		return;
	store_take_lines(store, lines);
	EXPECT(t, bitmap_empty(lines, STORE_LINES));
	bitmap_zero(lines, STORE_LINES);
	for (i = 0; i < nr; i++) {
		at = rma[i].addr - store->addr;
		EXPECT_SAME(t, store->mem + at, store->buf + at, rma[i].len);
		EXPECT(t, !kfi_pmemsim_dirty(store->sim, at, rma[i].len));
	}
}

static void test_ranges(struct suite *t)
{
	unsigned int rounds = suite_scaled(500, 10);
	unsigned long *lines = bitmap_zalloc(STORE_LINES, GFP_KERNEL);
	struct store store;

	if (!EXPECT(t, lines) || !store_open(t, &store, NULL))
		goto out;
	check_ranges(&store, lines, PURE_RANGES);
	for (; rounds && !suite_failed(t); rounds--)
		check_ranges(&store, lines, suite_random(t, 1, PURE_RANGES));
	store_close(&store);
out:
	bitmap_free(lines);
}

/* As many ranges as the connection takes, and not one more */
static void test_limit(struct suite *t)
{
	struct kfi_rma_iov rma[PURE_RANGES + 1];
	struct kfi_commit_info info = { };
	size_t size = sizeof(info), i;
	struct store store;

	if (!store_open(t, &store, NULL))
		return;
	EXPECT_OK(t, kfi_getopt(&store.pair.a.ep->fid, KFI_OPT_ENDPOINT,
				KFI_OPT_COMMIT_INFO, &info, &size));
	if (!EXPECT_EQ(t, info.max_ranges, PURE_RANGES))
		goto out;
	for (i = 0; i <= PURE_RANGES; i++)
		rma[i] = range(&store, i * 64, 64);
	EXPECT_EQ(t, pure(store.pair.a.ep, rma, PURE_RANGES + 1, 0, NULL,
			  KFI_COMMIT), -E2BIG);
	EXPECT_OK(t, pure(store.pair.a.ep, rma, PURE_RANGES, 0, &store,
			  KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	EXPECT_NO_COMP(t, &store.pair.a.tx);
out:
	store_close(&store);
}

/* A commit of nothing is in its place among the others all the same. */
static void test_nothing(struct suite *t)
{
	struct kfi_rma_iov rma[3];
	struct store store;
	ktime_t start;
	size_t i;

	if (!store_open(t, &store, NULL))
		return;
	for (i = 0; i < ARRAY_SIZE(rma); i++)
		rma[i] = range(&store, i * STORE_LEN / 2, 0);
	kfi_pmemsim_set_delay(store.sim, PURE_DELAY_MS);
	start = ktime_get();
	EXPECT_OK(t, store_write(&store, 0, 64, (void *)1, KFI_COMMIT));
	EXPECT_OK(t, pure(store.pair.a.ep, rma, 3, 0, (void *)2, KFI_COMMIT));
	EXPECT_OK(t, pure_one(&store, 64, 0, (void *)3, KFI_COMMIT));
	EXPECT_OK(t, pure(store.pair.a.ep, rma, 1, 0, (void *)4,
			  KFI_COMMIT | KFI_INJECT));
	for (i = 1; i <= 4; i++)
		EXPECT_COMP(t, &store.pair.a.tx, (void *)i, NULL);
	/* the device was not asked for anything besides the 64 bytes */
	if (!store_asks(&store)) {
		EXPECT_EQ(t, kfi_pmemsim_persists(store.sim), 0);
	} else {
		EXPECT_EQ(t, kfi_pmemsim_persists(store.sim), 1);
		EXPECT(t, ktime_ms_delta(ktime_get(), start) >= PURE_DELAY_MS);
	}
	store_close(&store);
}

/* Empty ranges among others are looked at, and do not take any payload. */
static void test_empty_ranges(struct suite *t)
{
	struct kfi_rma_iov rma[4];
	struct kvec iov = { .iov_len = 300 };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = rma, .rma_iov_count = 4,
	};
	struct store store;

	if (!store_open(t, &store, NULL))
		return;
	rma[0] = range(&store, 0, 0);
	rma[1] = range(&store, 4096, 100);
	rma[2] = range(&store, STORE_LEN, 0);
	rma[3] = range(&store, 8192, 200);
	iov.iov_base = store.buf;
	EXPECT_OK(t, kfi_writemsg(store.pair.a.ep, &msg, KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, NULL, NULL);
	EXPECT_SAME(t, store.mem + 4096, store.buf, 100);
	EXPECT_SAME(t, store.mem + 8192, store.buf + 100, 200);
	EXPECT(t, !kfi_pmemsim_dirty(store.sim, 0, STORE_LEN));
	rma[2].addr++;
	EXPECT_OK(t, kfi_writemsg(store.pair.a.ep, &msg, KFI_COMMIT));
	if (!store_asks(&store))
		EXPECT_COMP(t, &store.pair.a.tx, NULL, NULL);
	else
		EXPECT_COMP_ERR(t, &store.pair.a.tx, NULL, EACCES,
				KFI_RMA | KFI_WRITE | KFI_COMMIT);
	store_close(&store);
}

/* The target is told of all ranges, once they are persistent. */
static void test_data(struct suite *t)
{
	struct suite_comp comp;
	struct kfi_rma_iov rma[2];
	struct store store;

	if (!store_open(t, &store, NULL))
		return;
	EXPECT_OK(t, store_write(&store, 0, 1000, NULL, 0));
	EXPECT_OK(t, store_write(&store, SZ_64K, 500, NULL, 0));
	rma[0] = range(&store, 0, 1000);
	rma[1] = range(&store, SZ_64K, 500);
	kfi_pmemsim_set_delay(store.sim, PURE_DELAY_MS);
	EXPECT_OK(t, pure(store.pair.a.ep, rma, 2, 0xfedcba98, &store,
			  KFI_COMMIT | KFI_REMOTE_CQ_DATA));
	if (EXPECT(t, suite_read_comp(t, &store.pair.b.rx, &comp,
				      SUITE_TIMEOUT_MS)) &&
	    EXPECT_EQ(t, comp.err, 0)) {
		EXPECT(t, !kfi_pmemsim_dirty(store.sim, 0, 1000));
		EXPECT(t, !kfi_pmemsim_dirty(store.sim, SZ_64K, 500));
		EXPECT(t, comp.entry.flags & KFI_REMOTE_CQ_DATA);
		EXPECT_EQ(t, comp.entry.data, 0xfedcba98);
		if (store_asks(&store))
			EXPECT_EQ(t, comp.entry.len, 1500);
	}
	EXPECT_COMP(t, &store.pair.a.tx, NULL, NULL);
	EXPECT_COMP(t, &store.pair.a.tx, NULL, NULL);
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	store_close(&store);
}

/*
 * There is no payload that KFI_INJECT could be about: neither its size counts, nor
 * a commit that failed.
 */
static void test_inject(struct suite *t)
{
	struct store store;

	if (!store_open(t, &store, NULL))
		return;
	kfi_pmemsim_set_delay(store.sim, PURE_DELAY_MS);
	kfi_pmemsim_fail_next(store.sim, 1);
	EXPECT_OK(t, store_write(&store, 0, 4096, (void *)1, KFI_COMMIT));
	/* not in one batch with it, which would fail as a whole */
	msleep(PURE_DELAY_MS / 2);
	EXPECT_OK(t, pure_one(&store, 0, STORE_LEN, (void *)2,
			      KFI_COMMIT | KFI_INJECT));
	EXPECT_COMP_ERR(t, &store.pair.a.tx, (void *)1, EIO,
			KFI_RMA | KFI_WRITE | KFI_COMMIT);
	EXPECT_COMP(t, &store.pair.a.tx, (void *)2, NULL);
	EXPECT_SAME(t, store.mem, store.buf, 4096);
	EXPECT(t, !kfi_pmemsim_dirty(store.sim, 0, STORE_LEN));
	store_close(&store);
}

static void test_lengths(struct suite *t)
{
	static const size_t lens[] = { 1, 63, 65, 128, 4096 };
	struct store store;
	struct kvec iov;
	struct kfi_rma_iov rma;
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &rma, .rma_iov_count = 1,
	};
	unsigned int i;

	if (!store_open(t, &store, NULL))
		return;
	iov = (struct kvec) { .iov_base = store.buf, .iov_len = 64 };
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		rma = range(&store, 0, lens[i]);
		EXPECT_EQ(t, kfi_writemsg(store.pair.a.ep, &msg, KFI_COMMIT),
			  -EINVAL);
		EXPECT_EQ(t, kfi_writemsg(store.pair.a.ep, &msg,
					  KFI_COMMIT | KFI_INJECT), -EINVAL);
		EXPECT_EQ(t, kfi_writemsg(store.pair.a.ep, &msg,
					  KFI_DELIVERY_COMPLETE), -EINVAL);
	}
	/* no payload, and nothing that it would be about */
	iov.iov_len = 0;
	EXPECT_EQ(t, kfi_writemsg(store.pair.a.ep, &msg, 0), -EINVAL);
	EXPECT_EQ(t, kfi_writemsg(store.pair.a.ep, &msg, KFI_INJECT), -EINVAL);
	EXPECT_EQ(t, kfi_writemsg(store.pair.a.ep, &msg,
				  KFI_TRANSMIT_COMPLETE), -EINVAL);
	EXPECT_EQ(t, kfi_readmsg(store.pair.a.ep, &msg, KFI_DELIVERY_COMPLETE),
		  -EINVAL);
	msg.rma_iov_count = 0;
	EXPECT_EQ(t, kfi_writemsg(store.pair.a.ep, &msg, KFI_COMMIT), -EINVAL);
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	EXPECT_ALL(t, store.mem, 0, STORE_LEN);
	EXPECT_EQ(t, kfi_pmemsim_persists(store.sim), 0);
	store_close(&store);
}

/* A range that is bad fails its commit, and nothing else. */
static void test_bad_range(struct suite *t)
{
	struct kfi_rma_iov rma[2];
	struct store store;

	if (!store_open(t, &store, NULL))
		return;
	rma[0] = range(&store, 0, 64);
	rma[1] = range(&store, STORE_LEN - 63, 64);
	EXPECT_OK(t, store_write(&store, 0, 64, NULL, 0));
	EXPECT_COMP(t, &store.pair.a.tx, NULL, NULL);
	EXPECT_OK(t, pure(store.pair.a.ep, rma, 2, 0, &store,
			  KFI_COMMIT | KFI_REMOTE_CQ_DATA));
	EXPECT_COMP_ERR(t, &store.pair.a.tx, &store, EACCES,
			KFI_RMA | KFI_WRITE | KFI_COMMIT);
	EXPECT_NO_COMP(t, &store.pair.b.rx);
	EXPECT_EQ(t, kfi_pmemsim_persists(store.sim), 0);
	rma[1].addr--;
	EXPECT_OK(t, pure(store.pair.a.ep, rma, 2, 0, &store, KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	EXPECT(t, !kfi_pmemsim_dirty(store.sim, 0, 64));
	store_close(&store);
}

/* Everything before it is visible. */
static void check_delivery(struct suite *t, struct suite_pair *pair, u8 *buf,
			   const struct suite_mem *mem)
{
	unsigned int rounds = suite_scaled(1000, 10);
	struct kfi_rma_iov rma[2] = {
		{ .addr = mem->addr, .len = mem->len, .key = mem->key },
		{ .addr = mem->addr, .key = mem->key },
	};

	for (; rounds && !suite_failed(t); rounds--) {
		suite_fill(t, buf, 64);
		buf[mem->len - 1]++;
		EXPECT_OK(t, kfi_write(pair->a.ep, buf, mem->len, NULL, 0,
				       mem->addr, mem->key, buf));
		EXPECT_OK(t, pure(pair->a.ep, rma, rounds % 2 + 1, 0, pair,
				  KFI_DELIVERY_COMPLETE));
		EXPECT_COMP(t, &pair->a.tx, buf, NULL);
		EXPECT_COMP(t, &pair->a.tx, pair, NULL);
		EXPECT_SAME(t, mem->buf, buf, mem->len);
	}
}

static void test_delivery(struct suite *t)
{
	static const u64 caps[] = { SUITE_RAW, SUITE_COMMIT };
	struct suite_opts opts = { };
	struct suite_pair pair;
	struct suite_mem mem;
	struct suite_net net;
	unsigned int i;
	u8 *buf;

	for (i = 0; i < ARRAY_SIZE(caps); i++) {
		opts.caps = caps[i];
		if (!suite_open(t, &net, &pair, &opts))
			return;
		buf = kvzalloc(SZ_256K, GFP_KERNEL);
		if (EXPECT(t, buf) &&
		    suite_mem_open(&net, &mem, SZ_256K, SUITE_ACCESS)) {
			check_delivery(t, &pair, buf, &mem);
			suite_mem_close(t, &mem);
		}
		suite_close(&net, &pair);
		kvfree(buf);
	}
}

/* On a raw endpoint data takes a receive, and brings no bytes. */
static void check_raw_data(struct suite *t, struct suite_pair *pair,
			   const struct kfi_rma_iov *rma)
{
	struct suite_comp comp;
	u8 byte;

	EXPECT_OK(t, kfi_recv(pair->b.ep, &byte, 0, NULL, 0, &comp));
	EXPECT_OK(t, pure(pair->a.ep, rma, 1, 4711, pair,
			  KFI_DELIVERY_COMPLETE | KFI_REMOTE_CQ_DATA));
	EXPECT_COMP(t, &pair->a.tx, pair, NULL);
	if (EXPECT_COMP(t, &pair->b.rx, &comp, &comp)) {
		EXPECT_EQ(t, comp.entry.data, 4711);
		EXPECT_EQ(t, comp.entry.len, 0);
	}
}

static void test_raw(struct suite *t)
{
	const struct suite_opts opts = { .caps = SUITE_RAW };
	struct kfi_rma_iov rma[2] = { };
	struct suite_pair pair;
	struct suite_mem mem;
	struct suite_net net;
	unsigned int i;

	if (!suite_open(t, &net, &pair, &opts))
		return;
	if (!suite_mem_open(&net, &mem, PAGE_SIZE, SUITE_ACCESS))
		goto out;
	/* operations that are about nothing are operations all the same */
	for (i = 0; i < 2; i++)
		rma[i] = (struct kfi_rma_iov) {
			.addr = mem.addr, .key = mem.key,
		};
	EXPECT_OK(t, pure(pair.a.ep, rma, 2, 0, (void *)1, 0));
	EXPECT_OK(t, pure(pair.a.ep, rma, 2, 0, (void *)2, KFI_INJECT));
	EXPECT_OK(t, pure(pair.a.ep, rma, 2, 0, (void *)3,
			  KFI_DELIVERY_COMPLETE));
	EXPECT_OK(t, kfi_readmsg(pair.a.ep, &(struct kfi_msg_rma) {
			.type = KFI_KVEC, .rma_iov = rma, .rma_iov_count = 2,
			.context = (void *)4,
		}, 0));
	for (i = 1; i <= 4; i++)
		EXPECT_COMP(t, &pair.a.tx, (void *)(uintptr_t)i, NULL);

	rma[0].len = PAGE_SIZE;
	EXPECT_EQ(t, pure(pair.a.ep, rma, 1, 0, NULL, KFI_COMMIT),
		  -EOPNOTSUPP);
	EXPECT_EQ(t, pure(pair.a.ep, rma, 1, 0, NULL, 0), -EINVAL);
	check_raw_data(t, &pair, rma);
	rma[0].len++;
	EXPECT_OK(t, pure(pair.a.ep, rma, 1, 0, &pair, KFI_DELIVERY_COMPLETE));
	EXPECT_COMP_ERR(t, &pair.a.tx, &pair, EACCES, KFI_RMA | KFI_WRITE);
	suite_mem_close(t, &mem);
out:
	suite_close(&net, &pair);
}

const struct suite_test suite_pure_tests[] = {
	{ "pure.ranges", test_ranges },
	{ "pure.limit", test_limit },
	{ "pure.nothing", test_nothing },
	{ "pure.empty_ranges", test_empty_ranges },
	{ "pure.data", test_data },
	{ "pure.inject", test_inject },
	{ "pure.lengths", test_lengths },
	{ "pure.bad_range", test_bad_range },
	{ "pure.delivery", test_delivery },
	{ "pure.raw", test_raw },
	{ "pure.ranges_read", test_ranges, KFI_COMMIT_READ },
	{ "pure.limit_read", test_limit, KFI_COMMIT_READ },
	{ "pure.nothing_read", test_nothing, KFI_COMMIT_READ },
	{ "pure.empty_ranges_read", test_empty_ranges, KFI_COMMIT_READ },
	{ "pure.data_read", test_data, KFI_COMMIT_READ },
	{ "pure.lengths_read", test_lengths, KFI_COMMIT_READ },
	{ "pure.ranges_flush", test_ranges, KFI_COMMIT_FLUSH },
	{ "pure.limit_flush", test_limit, KFI_COMMIT_FLUSH },
	{ "pure.nothing_flush", test_nothing, KFI_COMMIT_FLUSH },
	{ "pure.empty_ranges_flush", test_empty_ranges, KFI_COMMIT_FLUSH },
	{ "pure.data_flush", test_data, KFI_COMMIT_FLUSH },
	{ "pure.lengths_flush", test_lengths, KFI_COMMIT_FLUSH },
	{ }
};
