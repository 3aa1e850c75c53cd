// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Statistics: what is counted is what was done.
 */

#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include <kfi_atomic.h>
#include <kfi_stats.h>

#include "store.h"

#define STATS_LEN	SZ_64K

/**
 * struct stats - two endpoints, memory, and what should have been counted
 * @t: the test
 * @net: the net
 * @pair: the pair
 * @mem: the target's memory; its second half is the initiator's
 * @a: of the first endpoint
 * @b: of the second
 */
struct stats {
	struct suite		*t;
	struct suite_net	net;
	struct suite_pair	pair;
	struct suite_mem	mem;
	struct kfi_ep_stats	a;
	struct kfi_ep_stats	b;
};

static struct stats *stats_open(struct suite *t, const struct suite_opts *opts)
{
	struct stats *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!EXPECT(t, s))
		return NULL;
	s->t = t;
	if (suite_open(t, &s->net, &s->pair, opts)) {
		if (suite_mem_open(&s->net, &s->mem, STATS_LEN, SUITE_ACCESS))
			return s;
		suite_close(&s->net, &s->pair);
	}
	kfree(s);
	return NULL;
}

static void stats_close(struct stats *s)
{
	suite_pair_close(&s->pair);
	suite_mem_close(s->t, &s->mem);
	suite_net_close(&s->net);
	kfree(s);
}

static void expect_count(struct suite *t, const char *name,
			 const struct kfi_stat_count *is,
			 const struct kfi_stat_count *expected)
{
	if (is->ops != expected->ops || is->bytes != expected->bytes)
		COMPLAIN(t, "%s: %llu of %llu bytes, not %llu of %llu", name,
			 is->ops, is->bytes, expected->ops, expected->bytes);
}

static void expect_number(struct suite *t, const char *name, u64 is,
			  u64 expected)
{
	if (is != expected)
		COMPLAIN(t, "%s: %llu, not %llu", name, is, expected);
}

/* All numbers but those of times are as expected. */
static void expect_stats(struct suite *t, struct kfid_ep *ep,
			 const struct kfi_ep_stats *expected)
{
	struct kfi_ep_stats *is = kzalloc(sizeof(*is), GFP_KERNEL);
	unsigned int i;

	if (!EXPECT(t, is))
		return;
	EXPECT_OK(t, kfi_ep_read_stats(ep, is));
	for (i = 0; i < KFI_STAT_OPS; i++)
		expect_count(t, kfi_stat_op_name(i), &is->op[i],
			     &expected->op[i]);
	for (i = 0; i < KFI_STAT_FULLS; i++)
		expect_number(t, kfi_stat_full_name(i), is->full[i],
			      expected->full[i]);
	for (i = 0; i < KFI_STAT_ERRORS; i++)
		expect_number(t, kfi_stat_error_name(i), is->error[i],
			      expected->error[i]);
	expect_number(t, "done", is->done, expected->done);
	expect_number(t, "served", is->served, expected->served);
	expect_number(t, "failed", is->failed, expected->failed);
	kfree(is);
}

static void expect_both(struct stats *s)
{
	expect_stats(s->t, s->pair.a.ep, &s->a);
	expect_stats(s->t, s->pair.b.ep, &s->b);
}

static void count(struct kfi_ep_stats *stats, enum kfi_stat_op op, size_t len)
{
	stats->op[op].ops++;
	stats->op[op].bytes += len;
}

static ssize_t stats_rma(struct stats *s, size_t len, bool read, u64 flags)
{
	struct kvec iov = {
		.iov_base = s->mem.buf + STATS_LEN / 2, .iov_len = len,
	};
	struct kfi_rma_iov rma = {
		.addr = s->mem.addr, .len = len, .key = s->mem.key,
	};
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &rma, .rma_iov_count = 1, .context = s,
	};

	if (read)
		return kfi_readmsg(s->pair.a.ep, &msg, flags);
	return kfi_writemsg(s->pair.a.ep, &msg, flags);
}

static void one_send(struct stats *s, size_t len)
{
	struct suite *t = s->t;

	EXPECT_OK(t, kfi_recv(s->pair.b.ep, s->mem.buf, STATS_LEN / 2, NULL, 0,
			      s));
	EXPECT_OK(t, kfi_send(s->pair.a.ep, s->mem.buf + STATS_LEN / 2, len,
			      NULL, 0, s));
	EXPECT_COMP(t, &s->pair.a.tx, s, NULL);
	EXPECT_COMP(t, &s->pair.b.rx, s, NULL);
	count(&s->a, KFI_STAT_SEND, len);
	count(&s->b, KFI_STAT_RECV, len);
}

static void one_rma(struct stats *s, size_t len, bool read, bool plain)
{
	/* what is not plain goes another way inside of a provider */
	u64 flags = KFI_COMPLETION | (plain ? 0 : KFI_TRANSMIT_COMPLETE);
	struct suite *t = s->t;

	EXPECT_OK(t, stats_rma(s, len, read, flags));
	EXPECT_COMP(t, &s->pair.a.tx, s, NULL);
	count(&s->a, read ? KFI_STAT_READ : KFI_STAT_WRITE, len);
}

/* Operations of random sizes, in any order: each is counted once, with its bytes. */
static void test_operations(struct suite *t)
{
	unsigned int rounds = suite_scaled(5000, 100);
	struct stats *s = stats_open(t, NULL);
	size_t len;

	if (!s)
		return;
	expect_both(s);
	for (; rounds && !suite_failed(t); rounds--) {
		len = suite_random(t, 1, STATS_LEN / 2);
		switch (suite_random(t, 0, 2)) {
		case 0:
			one_send(s, len);
			break;
		case 1:
			one_rma(s, len, true, suite_random(t, 0, 1));
			break;
		default:
			one_rma(s, len, false, suite_random(t, 0, 1));
			break;
		}
		s->a.done++;
		if (rounds % 16 == 1)
			expect_both(s);
	}
	stats_close(s);
}

/* Data of a write is counted where it arrives, and the receive that it took is not. */
static void test_data(struct suite *t)
{
	struct suite_comp comp;
	struct stats *s = stats_open(t, NULL);

	if (!s)
		return;
	EXPECT_OK(t, kfi_recv(s->pair.b.ep, s->mem.buf, 64, NULL, 0, s));
	EXPECT_OK(t, stats_rma(s, 100, false,
			       KFI_COMPLETION | KFI_REMOTE_CQ_DATA));
	EXPECT_COMP(t, &s->pair.a.tx, s, NULL);
	if (EXPECT_COMP(t, &s->pair.b.rx, s, &comp))
		EXPECT(t, comp.entry.flags & KFI_REMOTE_CQ_DATA);
	count(&s->a, KFI_STAT_WRITE, 100);
	count(&s->b, KFI_STAT_DATA, 100);
	s->a.done = 1;
	expect_both(s);
	stats_close(s);
}

/* What was not posted is not counted, but as a refusal for want of room. */
static void test_full(struct suite *t)
{
	const struct suite_opts opts = { .tx_size = 4, .rx_size = 4 };
	struct stats *s = stats_open(t, &opts);
	unsigned int i, posted = 0;
	ssize_t ret;

	if (!s)
		return;
	for (i = 0; i < 12; i++) {
		ret = stats_rma(s, 8, false, KFI_COMPLETION);
		if (ret == -EAGAIN) {
			s->a.full[KFI_STAT_TX_FULL]++;
		} else if (EXPECT_OK(t, ret)) {
			count(&s->a, KFI_STAT_WRITE, 8);
			posted++;
		}
	}
	EXPECT(t, s->a.full[KFI_STAT_TX_FULL]);
	EXPECT_EQ(t, stats_rma(s, 8, false, BIT_ULL(60)), -EINVAL);
	for (; posted; posted--) {
		EXPECT_COMP(t, &s->pair.a.tx, s, NULL);
		s->a.done++;
	}
	do {
		ret = kfi_recv(s->pair.b.ep, s->mem.buf, 8, NULL, 0, s);
	} while (!ret);
	EXPECT_EQ(t, ret, -EAGAIN);
	s->b.full[KFI_STAT_RX_FULL] = 1;
	expect_both(s);
	stats_close(s);
}

/* Reads all entries of a queue; each has to be an error, and counts as its kind. */
static void take_errors(struct stats *s, struct suite_cq *scq,
			struct kfi_ep_stats *stats, unsigned int nr)
{
	struct suite *t = s->t;
	struct suite_comp comp;

	for (; nr; nr--) {
		if (!EXPECT(t, suite_read_comp(t, scq, &comp,
					       SUITE_TIMEOUT_MS)))
			return;
		if (EXPECT(t, comp.err))
			stats->error[kfi_stat_error_of(comp.err)]++;
	}
}

static void expect_cq(struct suite *t, struct suite_cq *scq,
		      const struct kfi_ep_stats *ep, u64 entries)
{
	struct kfi_cq_stats stats;
	unsigned int i;

	kfi_cq_read_stats(scq->cq, &stats);
	EXPECT_EQ(t, stats.made, entries);
	EXPECT_EQ(t, stats.read, entries);
	EXPECT(t, stats.reserved && stats.reserved <= stats.size);
	for (i = 0; i < KFI_STAT_ERRORS; i++)
		expect_number(t, kfi_stat_error_name(i), stats.error[i],
			      ep->error[i]);
}

/* A wrong key ends the connection: one error of that kind, the others canceled. */
static void test_errors(struct suite *t)
{
	struct stats *s = stats_open(t, NULL);
	unsigned int i;

	if (!s)
		return;
	EXPECT_OK(t, kfi_recv(s->pair.b.ep, s->mem.buf, 64, NULL, 0, s));
	s->mem.key ^= 0x5500;
	for (i = 0; i < 3; i++) {
		EXPECT_OK(t, stats_rma(s, 64, false,
				       KFI_COMPLETION | (i < 2 ? KFI_MORE :
								 0)));
		count(&s->a, KFI_STAT_WRITE, 64);
	}
	s->mem.key ^= 0x5500;
	take_errors(s, &s->pair.a.tx, &s->a, 3);
	take_errors(s, &s->pair.b.rx, &s->b, 1);
	EXPECT_EQ(t, s->a.error[KFI_STAT_ACCESS], 1);
	EXPECT_EQ(t, s->a.error[KFI_STAT_CANCELED], 2);
	EXPECT_EQ(t, s->b.error[KFI_STAT_CANCELED], 1);
	s->a.done = 3;
	expect_both(s);
	expect_cq(t, &s->pair.a.tx, &s->a, 3);
	expect_cq(t, &s->pair.b.rx, &s->b, 1);
	stats_close(s);
}

/*
 * A message that is too long is an error at either end, of another kind. Which one it
 * is where it arrives, devices do not agree on.
 */
static void test_truncated(struct suite *t)
{
	struct stats *s = stats_open(t, NULL);

	if (!s)
		return;
	EXPECT_OK(t, kfi_recv(s->pair.b.ep, s->mem.buf, 16, NULL, 0, s));
	EXPECT_OK(t, kfi_send(s->pair.a.ep, s->mem.buf + STATS_LEN / 2, 64,
			      NULL, 0, s));
	count(&s->a, KFI_STAT_SEND, 64);
	take_errors(s, &s->pair.a.tx, &s->a, 1);
	take_errors(s, &s->pair.b.rx, &s->b, 1);
	EXPECT_EQ(t, s->a.error[KFI_STAT_REMOTE], 1);
	s->a.done = 1;
	expect_both(s);
	stats_close(s);
}

/* Whoever reads while others post never sees an operation without its bytes. */
static void test_snapshot(struct suite *t)
{
	unsigned int rounds = suite_scaled(20000, 500);
	struct kfi_ep_stats *stats = kzalloc(sizeof(*stats), GFP_KERNEL);
	struct stats *s = stats_open(t, NULL);
	u64 posted = 0;

	if (!EXPECT(t, stats) || !s)
		goto out;
	while (posted < rounds && !suite_failed(t)) {
		EXPECT_OK(t, stats_rma(s, 48, false, KFI_COMPLETION));
		posted++;
		EXPECT_OK(t, kfi_ep_read_stats(s->pair.a.ep, stats));
		EXPECT_EQ(t, stats->op[KFI_STAT_WRITE].ops, posted);
		EXPECT_EQ(t, stats->op[KFI_STAT_WRITE].bytes, 48 * posted);
		EXPECT(t, stats->done >= posted - 1 && stats->done <= posted);
		EXPECT_COMP(t, &s->pair.a.tx, s, NULL);
	}
out:
	if (s)
		stats_close(s);
	kfree(stats);
}

static u64 read_commits(struct store *store, struct kfi_ep_stats *a,
			struct kfi_ep_stats *b)
{
	struct suite *t = store->t;

	EXPECT_OK(t, kfi_ep_read_stats(store->pair.a.ep, a));
	EXPECT_OK(t, kfi_ep_read_stats(store->pair.b.ep, b));
	return kfi_stat_times(&a->commit);
}

/*
 * Each commit is in the histogram of its initiator, and one after the other each is in
 * that of its target, which takes part of the time. Nobody persists where all is
 * persistent anyway.
 */
static void check_times(struct store *store, struct kfi_ep_stats *a,
			struct kfi_ep_stats *b, u64 nr)
{
	u64 served = store_reads(store) ? 0 : nr;
	struct suite *t = store->t;

	EXPECT_EQ(t, read_commits(store, a, b), nr);
	EXPECT_EQ(t, a->op[KFI_STAT_COMMIT].ops, nr);
	EXPECT_EQ(t, a->op[KFI_STAT_COMMIT].bytes, nr * 256);
	EXPECT_EQ(t, b->served, served);
	EXPECT_EQ(t, b->failed, 0);
	EXPECT_EQ(t, kfi_stat_times(&b->persist), served);
	EXPECT(t, a->commit.sum > b->persist.sum);
	EXPECT_EQ(t, a->served, 0);
	EXPECT_EQ(t, kfi_stat_times(&b->commit), 0);
}

static void test_commits(struct suite *t)
{
	unsigned int nr = suite_scaled(1000, 20), i;
	struct kfi_ep_stats *stats = kcalloc(2, sizeof(*stats), GFP_KERNEL);
	struct store store;

	if (!EXPECT(t, stats) || !store_open(t, &store, NULL))
		goto out;
	for (i = 0; i < nr && !suite_failed(t); i++) {
		EXPECT_OK(t, store_write(&store, 0, 256, &store, KFI_COMMIT));
		EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	}
	check_times(&store, &stats[0], &stats[1], nr);
	/* what is not a commit is not among them, even if the target answers */
	EXPECT_OK(t, store_write(&store, 0, 100, &store,
				 KFI_DELIVERY_COMPLETE));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	check_times(&store, &stats[0], &stats[1], nr);
	EXPECT_EQ(t, stats[0].op[KFI_STAT_WRITE].ops, 1);
	EXPECT_EQ(t, stats[0].op[KFI_STAT_WRITE].bytes, 100);
	store_close(&store);
out:
	kfree(stats);
}

/* A commit that waits for the media is in the bucket of that time, or a later one. */
static void test_slow(struct suite *t)
{
	struct kfi_ep_stats *stats = kcalloc(2, sizeof(*stats), GFP_KERNEL);
	const u64 ns = 20 * NSEC_PER_MSEC;
	struct store store;
	unsigned int i;

	if (!EXPECT(t, stats) || !store_open(t, &store, NULL))
		goto out;
	kfi_pmemsim_set_delay(store.sim, 20);
	EXPECT_OK(t, store_write(&store, 0, 256, &store, KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	EXPECT_EQ(t, read_commits(&store, &stats[0], &stats[1]), 1);
	EXPECT(t, stats[1].persist.sum >= ns);
	EXPECT(t, stats[0].commit.sum >= stats[1].persist.sum);
	for (i = 0; kfi_stat_floor(i + 1) <= ns; i++) {
		EXPECT_EQ(t, stats[0].commit.count[i], 0);
		EXPECT_EQ(t, stats[1].persist.count[i], 0);
	}
	store_close(&store);
out:
	kfree(stats);
}

/* A commit that fails is counted at either end, as what it is. */
static void test_failed(struct suite *t)
{
	struct kfi_ep_stats *stats = kcalloc(2, sizeof(*stats), GFP_KERNEL);
	struct store store;

	if (!EXPECT(t, stats) || !store_open(t, &store, NULL))
		goto out;
	kfi_pmemsim_fail_next(store.sim, 1);
	EXPECT_OK(t, store_write(&store, 0, 256, &store, KFI_COMMIT));
	EXPECT_COMP_ERR(t, &store.pair.a.tx, &store, EIO,
			KFI_RMA | KFI_WRITE | KFI_COMMIT);
	EXPECT_OK(t, store_write(&store, 0, 256, &store, KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	EXPECT_EQ(t, read_commits(&store, &stats[0], &stats[1]), 2);
	EXPECT_EQ(t, stats[0].error[KFI_STAT_IO], 1);
	EXPECT_EQ(t, stats[1].served, 2);
	EXPECT_EQ(t, stats[1].failed, 1);
	EXPECT_EQ(t, kfi_stat_times(&stats[1].persist), 2);
	EXPECT_EQ(t, stats[1].error[KFI_STAT_IO], 0);
	store_close(&store);
out:
	kfree(stats);
}

/* As many commits as can be under way, and one more */
static void test_slots(struct suite *t)
{
	struct kfi_ep_stats *stats = kcalloc(2, sizeof(*stats), GFP_KERNEL);
	const struct suite_opts opts = { .tx_size = 128, .cq_size = 512 };
	struct store store;
	unsigned int nr = 0;
	ssize_t ret;

	if (!EXPECT(t, stats) || !store_open(t, &store, &opts))
		goto out;
	kfi_pmemsim_hold(store.sim, true);
	do {
		ret = store_write(&store, 64 * nr, 64, &store, KFI_COMMIT);
	} while (!ret && nr++ < 128);
	EXPECT_EQ(t, ret, -EAGAIN);
	EXPECT_EQ(t, read_commits(&store, &stats[0], &stats[1]), 0);
	EXPECT_EQ(t, stats[0].full[KFI_STAT_SLOTS_FULL], 1);
	EXPECT_EQ(t, stats[0].op[KFI_STAT_COMMIT].ops, nr);
	kfi_pmemsim_hold(store.sim, false);
	for (; nr; nr--)
		EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	EXPECT_EQ(t, read_commits(&store, &stats[0], &stats[1]),
		  stats[0].op[KFI_STAT_COMMIT].ops);
	EXPECT_EQ(t, stats[1].served, stats[0].op[KFI_STAT_COMMIT].ops);
	EXPECT(t, kfi_stat_times(&stats[1].persist) <= stats[1].served);
	store_close(&store);
out:
	kfree(stats);
}

const struct suite_test suite_stats_tests[] = {
	{ "stats.operations", test_operations },
	{ "stats.data", test_data },
	{ "stats.full", test_full },
	{ "stats.errors", test_errors },
	{ "stats.truncated", test_truncated },
	{ "stats.snapshot", test_snapshot },
	{ "stats.commits", test_commits },
	{ "stats.commits_by_read", test_commits, KFI_COMMIT_READ },
	{ "stats.slow", test_slow },
	{ "stats.failed", test_failed },
	{ "stats.slots", test_slots },
	{ }
};
