// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A completion queue of the device fails: by name only, with kfi_bad_cq loaded.
 */

#include <linux/completion.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#include "bad_cq.h"
#include "suite.h"

#define FAILURE_OPS	16

/**
 * struct failure - what it takes to make queues fail
 * @mute: kfi_bad_cq_mute()
 * @fail: kfi_bad_cq_fail()
 * @heal: kfi_bad_cq_heal()
 */
struct failure {
	void	(*mute)(void);
	void	(*fail)(void);
	void	(*heal)(void);
};

/* Each endpoint ends, and one at least says why. */
static void expect_failure(struct suite *t, struct suite_pair *pair)
{
	unsigned int errors = 0, ends = 0;
	struct suite_event ev;

	while (ends < 2) {
		if (!EXPECT(t, suite_read_event(t, pair->net->eq, &ev,
						SUITE_TIMEOUT_MS)))
			return;
		EXPECT(t, ev.fid == &pair->a.ep->fid ||
		       ev.fid == &pair->b.ep->fid);
		if (ev.err) {
			EXPECT_EQ(t, ev.err, EIO);
			errors++;
		} else {
			EXPECT_EQ(t, ev.event, KFI_SHUTDOWN);
			ends++;
		}
	}
	EXPECT(t, errors);
}

/* Completions are lost with the queue; the operations are not. */
static void check_failure(struct suite *t, const struct failure *failure,
			  u64 caps, bool polled)
{
	const struct suite_opts opts = { .caps = caps, .polled = polled };
	struct suite_mem mem = { };
	struct suite_net net;
	struct suite_pair pair;
	uintptr_t op;

	if (!suite_open(t, &net, &pair, &opts))
		return;
	if (!suite_mem_open(&net, &mem, PAGE_SIZE, SUITE_ACCESS))
		goto out;
	failure->mute();
	for (op = 1; op <= FAILURE_OPS; op++)
		EXPECT_OK(t, kfi_write(pair.a.ep, mem.buf, 8, NULL, 0,
				       mem.addr + 8, mem.key, (void *)op));
	EXPECT_NO_COMP(t, &pair.a.tx);
	EXPECT_NO_COMP(t, &pair.b.tx);
	failure->fail();
	expect_failure(t, &pair);
	for (op = 1; op <= FAILURE_OPS; op++)
		if (!EXPECT_COMP_ERR(t, &pair.a.tx, (void *)op, ECANCELED,
				     KFI_RMA | KFI_WRITE))
			break;
	EXPECT_NO_COMP(t, &pair.a.tx);
	EXPECT_EQ(t, kfi_write(pair.a.ep, mem.buf, 8, NULL, 0, mem.addr + 8,
			       mem.key, NULL), -ESHUTDOWN);
out:
	suite_mem_close(t, &mem);
	suite_close(&net, &pair);
	failure->heal();
}

/**
 * struct ending - a shutdown that waits for what the queues do not tell
 * @work: calls kfi_shutdown()
 * @pair: of its first endpoint
 * @done: that has returned
 */
struct ending {
	struct work_struct	work;
	struct suite_pair	*pair;
	struct completion	done;
};

static void ending_work(struct work_struct *work)
{
	struct ending *ending = container_of(work, struct ending, work);

	EXPECT_OK(ending->pair->net->t, kfi_shutdown(ending->pair->a.ep, 0));
	complete(&ending->done);
}

/* The queues fail when somebody waits for them. */
static void check_failure_late(struct suite *t, const struct failure *failure,
			       u64 caps, bool polled)
{
	const struct suite_opts opts = { .caps = caps, .polled = polled };
	struct suite_pair pair;
	struct ending ending = { .pair = &pair };
	struct suite_net net;

	if (!suite_open(t, &net, &pair, &opts))
		return;
	INIT_WORK_ONSTACK(&ending.work, ending_work);
	init_completion(&ending.done);
	failure->mute();
	queue_work(suite_wq, &ending.work);
	EXPECT(t, !wait_for_completion_timeout(&ending.done, HZ / 5));
	failure->fail();
	EXPECT(t, wait_for_completion_timeout(&ending.done,
					      msecs_to_jiffies(SUITE_TIMEOUT_MS)));
	flush_work(&ending.work);
	destroy_work_on_stack(&ending.work);
	suite_close(&net, &pair);
	failure->heal();
}

static void test_failure(struct suite *t)
{
	struct failure failure = {
		.mute = symbol_get(kfi_bad_cq_mute),
		.fail = symbol_get(kfi_bad_cq_fail),
		.heal = symbol_get(kfi_bad_cq_heal),
	};

	if (EXPECT(t, failure.mute && failure.fail && failure.heal)) {
		check_failure(t, &failure, SUITE_RAW, false);
		check_failure(t, &failure, SUITE_RAW, true);
		check_failure(t, &failure, SUITE_COMMIT, false);
		check_failure(t, &failure, SUITE_COMMIT, true);
		check_failure(t, &failure, SUITE_BOTH, false);
		check_failure(t, &failure, SUITE_BOTH, true);
		check_failure_late(t, &failure, SUITE_RAW, false);
		check_failure_late(t, &failure, SUITE_RAW, true);
		check_failure_late(t, &failure, SUITE_COMMIT, false);
		check_failure_late(t, &failure, SUITE_COMMIT, true);
		check_failure_late(t, &failure, SUITE_BOTH, false);
		check_failure_late(t, &failure, SUITE_BOTH, true);
	}
	if (failure.heal)
		symbol_put(kfi_bad_cq_heal);
	if (failure.fail)
		symbol_put(kfi_bad_cq_fail);
	if (failure.mute)
		symbol_put(kfi_bad_cq_mute);
}

const struct suite_test suite_failure_tests[] = {
	{ "failure", test_failure },
	{ }
};
