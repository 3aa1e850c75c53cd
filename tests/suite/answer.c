// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Commits and their answers: a consumer that does not look, a target that does
 * not answer.
 */

#include <linux/delay.h>
#include <linux/jiffies.h>

#include "store.h"

#define ANSWER_TIMEOUT_MS	300
#define ANSWER_DEATH_MS		1000
/* For tests in which the target does not answer before the timeout. */
#define ANSWER_NEVER_MS		3000

static int set_timeout(struct kfid_ep *ep, unsigned int ms)
{
	return kfi_setopt(&ep->fid, KFI_OPT_ENDPOINT, KFI_OPT_COMMIT_TIMEOUT,
			  &ms, sizeof(ms));
}

/* The next completion is that of @op, with @err or without an error. */
static bool expect_op(struct store *store, uintptr_t op, int err)
{
	struct suite *t = store->t;
	struct suite_comp comp;

	return EXPECT(t, suite_read_comp(t, &store->pair.a.tx, &comp,
					 SUITE_TIMEOUT_MS)) &&
	       EXPECT_EQ(t, (uintptr_t)comp.entry.op_context, op) &&
	       EXPECT_EQ(t, comp.err, err);
}

/* A target never looks at its transmit queue, for it transmits nothing. */
static void test_unread(struct suite *t)
{
	const struct suite_opts opts = { .polled = true };
	unsigned int rounds = suite_scaled(5000, 500);
	struct store store;
	uintptr_t posted = 0, done = 0;

	if (!store_open(t, &store, &opts))
		return;
	while (done < rounds) {
		while (posted < rounds &&
		       !store_write(&store, posted % 1024 * 64, 64,
				    (void *)(posted + 1), KFI_COMMIT))
			posted++;
		if (!expect_op(&store, ++done, 0))
			break;
	}
	EXPECT_SAME(t, store.mem, store.buf, min(rounds, 1024U) * 64);
	store_close(&store);
}

/* An answer that is in is not missing because nobody looks. */
static void test_patience(struct suite *t)
{
	const struct suite_opts opts = { .polled = true };
	struct suite_event ev;
	struct store store;

	if (!store_open(t, &store, &opts))
		return;
	EXPECT_OK(t, set_timeout(store.pair.a.ep, ANSWER_TIMEOUT_MS));
	EXPECT_OK(t, store_write(&store, 0, 64, (void *)1, KFI_COMMIT));
	EXPECT_OK(t, store_write(&store, 64, 64, (void *)2, KFI_COMMIT));
	EXPECT(t, !suite_read_event(t, store.net.eq, &ev,
				    3 * ANSWER_TIMEOUT_MS));
	expect_op(&store, 1, 0);
	expect_op(&store, 2, 0);
	store_close(&store);
}

/*
 * The oldest commit is not answered in time. Its endpoint is told so, and the
 * other one that it is over.
 */
static void expect_timeout(struct store *store, unsigned long start)
{
	struct kfid *a = &store->pair.a.ep->fid;
	struct suite *t = store->t;
	struct suite_event ev;
	bool error = false;
	unsigned int i;

	expect_op(store, 1, ETIMEDOUT);
	/* By ticks, which can lag behind the clock; the first was a partial one. */
	EXPECT(t, time_after(jiffies,
			     start + msecs_to_jiffies(ANSWER_TIMEOUT_MS)));
	EXPECT(t, time_before(jiffies,
			      start + msecs_to_jiffies(ANSWER_NEVER_MS)));
	expect_op(store, 2, ECANCELED);
	for (i = 0; i < 3; i++) {
		if (!EXPECT(t, suite_read_event(t, store->net.eq, &ev,
						SUITE_TIMEOUT_MS)))
			return;
		if (ev.err) {
			EXPECT_EQ(t, ev.err, ETIMEDOUT);
			EXPECT(t, ev.fid == a);
			error = true;
		} else {
			EXPECT_EQ(t, ev.event, KFI_SHUTDOWN);
			EXPECT(t, ev.fid != a || error);
		}
	}
	EXPECT(t, error);
	EXPECT(t, !suite_read_event(t, store->net.eq, &ev, SUITE_QUIET_MS));
	EXPECT_EQ(t, store_write(store, 0, 8, NULL, 0), -ESHUTDOWN);
}

static void check_timeout(struct suite *t, bool late)
{
	struct store store;
	unsigned long start;

	if (!store_open(t, &store, NULL))
		return;
	kfi_pmemsim_set_delay(store.sim, ANSWER_NEVER_MS);
	if (!late)
		EXPECT_OK(t, set_timeout(store.pair.a.ep, ANSWER_TIMEOUT_MS));
	start = jiffies;
	EXPECT_OK(t, store_write(&store, 0, 64, (void *)1, KFI_COMMIT));
	EXPECT_OK(t, store_write(&store, 64, 64, (void *)2, KFI_COMMIT));
	if (late) {
		msleep(SUITE_QUIET_MS);
		EXPECT_OK(t, set_timeout(store.pair.a.ep, ANSWER_TIMEOUT_MS));
	}
	expect_timeout(&store, start);
	store_close(&store);
}

static void test_timeout(struct suite *t)
{
	check_timeout(t, false);
}

/* It counts for what was posted before it was set. */
static void test_late_timeout(struct suite *t)
{
	check_timeout(t, true);
}

/* Commits of all forms, and a write in front of every fourth */
static bool post_forms(struct store *store, uintptr_t op)
{
	static const u64 flags[] = {
		KFI_COMMIT, KFI_COMMIT | KFI_REMOTE_CQ_DATA,
		KFI_COMMIT | KFI_INJECT,
	};
	struct suite *t = store->t;

	store->data = op;
	if (op % 4 == 0 &&
	    !EXPECT_OK(t, store_write(store, op * 64, 8, (void *)(op + 1000),
				      0)))
		return false;
	return EXPECT_OK(t, store_write(store, op * 64, 64, (void *)op,
					flags[op % ARRAY_SIZE(flags)]));
}

/* All that was posted has completed, once; of commits the first is the late one. */
static void expect_dead(struct store *store, unsigned int nr)
{
	unsigned int commits = 0, writes = 0;
	struct suite *t = store->t;
	struct suite_comp comp;
	uintptr_t op;

	while (commits < nr || writes < nr / 4) {
		if (!EXPECT(t, suite_read_comp(t, &store->pair.a.tx, &comp,
					       SUITE_TIMEOUT_MS)))
			return;
		op = (uintptr_t)comp.entry.op_context;
		if (op >= 1000) {
			/* one that was under way may have ended with the rest */
			EXPECT(t, !comp.err || comp.err == ECANCELED);
			writes++;
			continue;
		}
		EXPECT_EQ(t, op, commits);
		EXPECT_EQ(t, comp.err, commits ? ECANCELED : ETIMEDOUT);
		commits++;
	}
}

/*
 * The target has the data and dies before it can say so: no commit succeeds, not
 * even when it turns out that it was not quite dead.
 */
static void test_death(struct suite *t)
{
	unsigned long start, timeout = msecs_to_jiffies(ANSWER_DEATH_MS);
	unsigned int nr = 64;
	struct store store;
	uintptr_t op;

	if (!store_open(t, &store, NULL))
		return;
	EXPECT_OK(t, set_timeout(store.pair.a.ep, ANSWER_DEATH_MS));
	kfi_pmemsim_hold(store.sim, true);
	start = jiffies;
	for (op = 0; op < nr && post_forms(&store, op); op++)
		;
	expect_dead(&store, nr);
	EXPECT(t, time_after_eq(jiffies, start + timeout));
	EXPECT(t, time_before(jiffies, start + 3 * timeout));
	EXPECT_EQ(t, kfi_pmemsim_held(store.sim), 1);
	EXPECT_EQ(t, kfi_pmemsim_persists(store.sim), 0);
	EXPECT_EQ(t, store_write(&store, 0, 8, NULL, KFI_COMMIT), -ESHUTDOWN);

	/* what it does now that nobody waits is its own affair */
	kfi_pmemsim_hold(store.sim, false);
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	store_disconnect(&store);
	if (store_connect(&store, NULL)) {
		EXPECT_OK(t, store_write(&store, 0, 64, &store, KFI_COMMIT));
		EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	}
	store_close(&store);
}

/*
 * A target that does not read its data holds up the commits that have some, and
 * those behind them; reading lets them go on.
 */
static void test_unread_data(struct suite *t)
{
	const struct suite_opts opts = { .rx_size = 8 };
	struct suite_comp comp;
	struct store store;
	uintptr_t op;

	if (!store_open(t, &store, &opts))
		return;
	for (op = 1; op <= 10; op++) {
		store.data = op;
		EXPECT_OK(t, store_write(&store, op * 64, 64, (void *)op,
					 KFI_COMMIT | KFI_REMOTE_CQ_DATA));
	}
	EXPECT_OK(t, store_write(&store, op * 64, 64, (void *)op, KFI_COMMIT));
	for (op = 1; op <= 8; op++)
		if (!expect_op(&store, op, 0))
			goto out;
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	for (op = 1; op <= 10; op++) {
		if (!EXPECT(t, suite_read_comp(t, &store.pair.b.rx, &comp,
					       SUITE_TIMEOUT_MS)))
			goto out;
		EXPECT_EQ(t, comp.entry.data, op);
	}
	for (op = 9; op <= 11; op++)
		expect_op(&store, op, 0);
	EXPECT_NO_COMP(t, &store.pair.b.rx);
out:
	store_close(&store);
}

static int get_info(struct kfid_ep *ep, struct kfi_commit_info *info)
{
	size_t len = sizeof(*info);

	return kfi_getopt(&ep->fid, KFI_OPT_ENDPOINT, KFI_OPT_COMMIT_INFO,
			  info, &len);
}

/* An endpoint without commits says so. */
static void test_raw(struct suite *t)
{
	struct kfi_commit_info info = { .method = KFI_COMMIT_SERVER };
	const struct suite_opts opts = { .caps = SUITE_RAW };
	struct suite_net net;
	struct suite_pair pair;

	if (!suite_open(t, &net, &pair, &opts))
		return;
	EXPECT_OK(t, get_info(pair.a.ep, &info));
	EXPECT_EQ(t, info.method, KFI_COMMIT_NONE);
	EXPECT_EQ(t, info.slots, 0);
	EXPECT_OK(t, set_timeout(pair.a.ep, 1000));
	suite_close(&net, &pair);
}

const struct suite_test suite_answer_tests[] = {
	{ "answer.unread", test_unread },
	{ "answer.patience", test_patience },
	{ "answer.timeout", test_timeout },
	{ "answer.late_timeout", test_late_timeout },
	{ "answer.death", test_death },
	{ "answer.unread_data", test_unread_data },
	{ "answer.raw", test_raw },
	{ "answer.unread_read", test_unread, KFI_COMMIT_READ },
	{ "answer.patience_read", test_patience, KFI_COMMIT_READ },
	{ }
};
