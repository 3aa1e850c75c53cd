// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Commits to a block device with DAX, whose memory the CPU makes persistent: a
 * witness sees it write back what was committed.
 */

#include <linux/ktime.h>
#include <linux/libnvdimm.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "store.h"
#include "writeback.h"

#define DAX_LEN		SZ_16M
#define DAX_MAX_RANGES	4
#define DAX_HOLD_MS	200
#define DAX_OUTSTANDING	32

/**
 * struct dax_write - a write, and what of it has to be written back
 * @what: in words
 * @flags: of the write
 * @nr: number of @ranges
 * @ranges: where in the region
 */
struct dax_write {
	const char		*what;
	u64			flags;
	unsigned int		nr;
	struct writeback	ranges[DAX_MAX_RANGES];
};

static const struct dax_write dax_writes[] = {
	{ "a page", KFI_COMMIT, 1, { { 0, SZ_4K } } },
	{ "a byte", KFI_COMMIT, 1, { { 12345, 1 } } },
	{ "a byte on either side of a line", KFI_COMMIT, 1, { { 8191, 2 } } },
	{ "odd offset and length", KFI_COMMIT, 1, { { 20029, 10007 } } },
	{ "several ranges", KFI_COMMIT, 4,
	  { { SZ_2M + 7, 1 }, { SZ_1M - 1, 4097 }, { 64, 64 }, { SZ_4M, 333 } } },
	{ "two ranges side by side", KFI_COMMIT, 2,
	  { { 4000, 100 }, { 4100, 200 } } },
	{ "payload in the request", KFI_COMMIT | KFI_INJECT, 1,
	  { { 33333, 64 } } },
	{ "payload for several ranges", KFI_COMMIT | KFI_INJECT, 3,
	  { { 77777, 1 }, { 65, 31 }, { SZ_8M - 5, 32 } } },
	{ "data for the target", KFI_COMMIT | KFI_REMOTE_CQ_DATA, 1,
	  { { 99, 1000 } } },
	{ "8 MiB", KFI_COMMIT, 1, { { SZ_4M + 1, SZ_8M } } },
	{ "no commit", 0, 1, { { 50000, SZ_64K } } },
	{ "no commit, payload copied", KFI_INJECT, 1, { { 50000, 64 } } },
	{ "no commit, but visible", KFI_DELIVERY_COMPLETE, 1,
	  { { 60001, SZ_64K } } },
};

static bool dax_open(struct suite *t, struct store *store)
{
	if (!store_open_at(t, store, suite_pmem(), DAX_LEN, NULL))
		return false;
	if (writeback_watch(t, store->mem, kfi_pmem_len(store->pmem)))
		return true;
	store_close(store);
	return false;
}

static void dax_close(struct store *store)
{
	writeback_unwatch(store->t);
	store_close(store);
}

/* Writes bytes of the buffer to the same places in the region. */
static ssize_t dax_post(struct store *store, const struct dax_write *w)
{
	struct kfi_rma_iov rma[DAX_MAX_RANGES];
	struct kvec iov[DAX_MAX_RANGES];
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = iov, .iov_count = w->nr,
		.rma_iov = rma, .rma_iov_count = w->nr, .context = (void *)w,
	};
	unsigned int i;

	for (i = 0; i < w->nr; i++) {
		iov[i].iov_base = store->buf + w->ranges[i].offset;
		iov[i].iov_len = w->ranges[i].len;
		rma[i].addr = store->addr + w->ranges[i].offset;
		rma[i].len = w->ranges[i].len;
		rma[i].key = store->key;
	}
	return kfi_writemsg(store->pair.a.ep, &msg, w->flags);
}

static void expect_writeback(struct store *store,
			     const struct writeback *expected, unsigned int nr)
{
	if (!writeback_is(expected, nr) || !writeback_by("kfi_dax"))
		writeback_tell(store->t);
}

/* What a commit covers was written back, and nothing else, when it completes. */
static void check_write(struct store *store, const struct dax_write *w)
{
	unsigned int nr = w->flags & KFI_COMMIT ? w->nr : 0, i;
	struct suite *t = store->t;

	for (i = 0; i < w->nr; i++)
		suite_fill(t, store->buf + w->ranges[i].offset,
			   w->ranges[i].len);
	writeback_forget();
	if (!EXPECT_OK(t, dax_post(store, w)) ||
	    !EXPECT_COMP(t, &store->pair.a.tx, (void *)w, NULL))
		return;
	expect_writeback(store, w->ranges, nr);
	if (!nr)
		suite_settle(t, &store->pair.a, store->addr, store->key);
	for (i = 0; i < w->nr; i++)
		EXPECT_SAME(t, store->mem + w->ranges[i].offset,
			    store->buf + w->ranges[i].offset,
			    w->ranges[i].len);
	/* nor a little later */
	EXPECT_NO_COMP(t, &store->pair.a.tx);
	expect_writeback(store, w->ranges, nr);
}

static void test_writeback(struct suite *t)
{
	struct store store;
	unsigned int i;

	if (!dax_open(t, &store))
		return;
	EXPECT_EQ(t, kfi_pmem_domain(store.pmem), KFI_PMEM_DOMAIN_MEMORY);
	EXPECT(t, kfi_pmem_sync(store.pmem));
	for (i = 0; i < ARRAY_SIZE(dax_writes); i++) {
		check_write(&store, &dax_writes[i]);
		if (suite_failed(t)) {
			COMPLAIN(t, "the above was: %s", dax_writes[i].what);
			break;
		}
	}
	dax_close(&store);
}

/* Ranges in places of their own, so that none is written back twice. */
static void random_commit(struct store *store, struct dax_write *w,
			  unsigned int slot)
{
	const u64 room = DAX_LEN / DAX_OUTSTANDING / DAX_MAX_RANGES;
	struct suite *t = store->t;
	u64 start, offset;
	unsigned int i;

	w->flags = KFI_COMMIT;
	w->nr = suite_random(t, 1, DAX_MAX_RANGES);
	for (i = 0; i < w->nr; i++) {
		start = (slot * DAX_MAX_RANGES + i) * room;
		offset = suite_random(t, 0, room - 1);
		w->ranges[i].offset = start + offset;
		w->ranges[i].len = suite_random(t, 1,
						min_t(u64, room - offset, 9000));
		suite_fill(t, store->buf + w->ranges[i].offset,
			   w->ranges[i].len);
	}
}

/* Commits that wait together are made persistent together, each of them whole. */
static void check_many(struct store *store)
{
	static struct dax_write writes[DAX_OUTSTANDING];
	static struct writeback all[DAX_OUTSTANDING * DAX_MAX_RANGES];
	struct suite *t = store->t;
	unsigned int nr = 0, i, j;

	writeback_forget();
	for (i = 0; i < DAX_OUTSTANDING; i++) {
		random_commit(store, &writes[i], i);
		EXPECT_OK(t, dax_post(store, &writes[i]));
	}
	for (i = 0; i < DAX_OUTSTANDING; i++) {
		if (!EXPECT_COMP(t, &store->pair.a.tx, &writes[i], NULL))
			return;
		for (j = 0; j < writes[i].nr; j++) {
			all[nr++] = writes[i].ranges[j];
			EXPECT_SAME(t, store->mem + all[nr - 1].offset,
				    store->buf + all[nr - 1].offset,
				    all[nr - 1].len);
		}
	}
	expect_writeback(store, all, nr);
}

static void test_many(struct suite *t)
{
	unsigned int rounds = suite_scaled(300, 5);
	struct store store;

	if (!dax_open(t, &store))
		return;
	for (; rounds && !suite_failed(t); rounds--)
		check_many(&store);
	dax_close(&store);
}

/* A write-back that takes its time: no commit completes before its end. */
static void check_hold(struct store *store, const struct dax_write *w)
{
	struct suite *t = store->t;
	ktime_t start;

	writeback_forget();
	writeback_hold(DAX_HOLD_MS);
	start = ktime_get();
	if (EXPECT_OK(t, dax_post(store, w)) &&
	    EXPECT_COMP(t, &store->pair.a.tx, (void *)w, NULL)) {
		EXPECT(t, ktime_ms_delta(ktime_get(), start) >= DAX_HOLD_MS);
		expect_writeback(store, w->ranges, w->nr);
	}
	writeback_hold(0);
}

static void test_hold(struct suite *t)
{
	static const struct dax_write plain = {
		.flags = KFI_COMMIT, .nr = 1, .ranges = { { 4000, 200 } },
	};
	static const struct dax_write inject = {
		.flags = KFI_COMMIT | KFI_INJECT, .nr = 1,
		.ranges = { { 5000, 20 } },
	};
	struct store store;

	if (!dax_open(t, &store))
		return;
	check_hold(&store, &plain);
	check_hold(&store, &inject);
	dax_close(&store);
}

/* The witness tells the truth: each of these differs from what was expected. */
static void test_witness(struct suite *t)
{
	static const struct writeback expected[] = {
		{ 640, 128 }, { SZ_64K, 1 },
	};
	static const struct writeback wrong[][3] = {
		{ },
		{ { 640, 128 } },
		{ { 640, 127 }, { SZ_64K, 1 } },
		{ { 641, 127 }, { SZ_64K, 1 } },
		{ { 640, 128 }, { SZ_64K, 1 }, { SZ_1M, 1 } },
		{ { 640, 128 }, { SZ_64K, 1 }, { SZ_64K, 1 } },
		{ { 640, 128 }, { SZ_64K + 64, 1 } },
		{ { 640, 64 }, { 672, 96 }, { SZ_64K, 1 } },
	};
	static const struct writeback right[3] = {
		{ SZ_64K, 1 }, { 672, 96 }, { 640, 32 },
	};
	struct store store;
	unsigned int i, j;

	if (!dax_open(t, &store))
		return;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		writeback_forget();
		for (j = 0; j < ARRAY_SIZE(wrong[i]) && wrong[i][j].len; j++)
			arch_wb_cache_pmem(store.mem + wrong[i][j].offset,
					   wrong[i][j].len);
		EXPECT_EQ(t, writeback_count(), j);
		if (writeback_is(expected, ARRAY_SIZE(expected)))
			COMPLAIN(t, "number %u is taken for right", i);
	}
	writeback_forget();
	for (j = 0; j < ARRAY_SIZE(right); j++)
		arch_wb_cache_pmem(store.mem + right[j].offset, right[j].len);
	EXPECT(t, writeback_is(expected, ARRAY_SIZE(expected)));
	EXPECT(t, writeback_by("kfi_suite"));
	EXPECT(t, !writeback_by("kfi_dax"));
	dax_close(&store);
}

/* One byte outside of a region in the middle of the device, at either end */
static void check_outside(struct store *store, size_t offset, u64 flags)
{
	/* the device refuses a write, and the provider what is in a request */
	const u64 alone = flags & KFI_INJECT ? KFI_COMMIT : 0;
	const size_t at = SZ_1M + 1, len = 1000;
	struct suite *t = store->t;
	struct kfid_mr *mr;

	memset(store->mem + SZ_1M - 1, 0xee, len + 4);
	if (!EXPECT_OK(t, kfi_mr_reg(store->net.domain, store->mem + at, len,
				     SUITE_ACCESS, 0, 0, KFI_PMEM, &mr, NULL)))
		return;
	store->addr = mr->iova - at;
	store->key = kfi_mr_key(mr);
	writeback_forget();
	if (EXPECT_OK(t, store_write(store, at + offset, 2, store, flags)))
		EXPECT_COMP_ERR(t, &store->pair.a.tx, store, EACCES,
				KFI_RMA | KFI_WRITE | alone);
	EXPECT_NO_COMP(t, &store->pair.a.tx);
	expect_writeback(store, NULL, 0);
	EXPECT_ALL(t, store->mem + SZ_1M - 1, 0xee, len + 4);
	EXPECT_OK(t, kfi_close(&mr->fid));
	store_disconnect(store);
	store_connect(store, NULL);
}

static void test_outside(struct suite *t)
{
	static const u64 flags[] = { 0, KFI_COMMIT, KFI_COMMIT | KFI_INJECT };
	struct store store;
	unsigned int i;

	if (!dax_open(t, &store))
		return;
	for (i = 0; i < ARRAY_SIZE(flags) && !suite_failed(t); i++) {
		check_outside(&store, -1, flags[i]);
		check_outside(&store, 999, flags[i]);
	}
	dax_close(&store);
}

const struct suite_test suite_dax_tests[] = {
	{ "dax.witness", test_witness },
	{ "dax.writeback", test_writeback },
	{ "dax.many", test_many },
	{ "dax.hold", test_hold },
	{ "dax.outside", test_outside },
	{ }
};
