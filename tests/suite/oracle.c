// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * At each completion of a commit, at the target and at the initiator, the media of
 * the simulator have its bytes. It is looked up right there, in the completion
 * handler, and no other commit is about the same bytes until then.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/array_size.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "oracle.h"

/* How often persisting may become slow, and how slow: what comes early shows then. */
#define ORACLE_SPELL	16
#define ORACLE_DELAY_MS	1

static bool oracle_over(const struct oracle *o)
{
	return verdict_is_violated(&o->verdict) || suite_failed(o->t);
}

/* A completion says that all of a commit is persistent. */
static void oracle_look(struct oracle_end *end, struct oracle_op *op,
			const char *where)
{
	struct store *store = &end->o->store;
	const u8 *from = store->buf + op->from;
	const struct kfi_rma_iov *rma = op->rma;
	unsigned int i;

	for (i = 0; i < op->nr_rma; i++, rma++) {
		if (!kfi_pmemsim_survives(store->sim, rma->addr - store->addr,
					  from, rma->len))
			verdict_violated(&end->o->verdict,
					 "not on the media when complete at the %s: commit %u, range %u of %u, %zu bytes at %#llx",
					 where, op->nr, i, op->nr_rma, rma->len,
					 rma->addr - store->addr);
		from += rma->len;
	}
	/* its bytes may be written over when all have looked */
	atomic_dec_return_release(&op->waits);
}

static void oracle_initiator(struct oracle_end *end,
			     const struct kfi_cq_data_entry *entry)
{
	struct oracle_op *op = entry->op_context;

	/* a plain write of what is committed later */
	if (!op)
		return;
	if (end->o->proof->level == KFI_COMMIT)
		EXPECT_EQ(end->o->t, op->nr, end->done);
	end->done++;
	oracle_look(end, op, "initiator");
}

static void oracle_target(struct oracle_end *end,
			  const struct kfi_cq_data_entry *entry)
{
	struct oracle_op *op = &end->ops[entry->data % ORACLE_OPS];

	if (!EXPECT_EQ(end->o->t, entry->data, op->nr) ||
	    !EXPECT(end->o->t, op->data))
		return;
	end->told++;
	oracle_look(end, op, "target");
}

static void oracle_error(struct oracle_end *end, struct kfid_cq *cq)
{
	struct kfi_cq_err_entry err = { };

	/* what is not complete when the test is over fails */
	if (kfi_cq_readerr(cq, &err, 0) == 1 && !oracle_over(end->o))
		COMPLAIN(end->o->t, "completed with error %d (%s)", err.err,
			 kfi_strerror(err.err));
}

/* All that there is, as soon as it is. Returns how much that was. */
static unsigned int oracle_read(struct oracle_end *end, struct kfid_cq *cq)
{
	struct kfi_cq_data_entry entry;
	unsigned int nr = 0;
	ssize_t ret;

	for (;; nr++) {
		ret = kfi_cq_read(cq, &entry, 1);
		if (ret == -KFI_EAVAIL)
			oracle_error(end, cq);
		else if (ret != 1)
			break;
		else if (cq == end->pair->a.tx.cq)
			oracle_initiator(end, &entry);
		else
			oracle_target(end, &entry);
	}
	EXPECT_EQ(end->o->t, ret, -EAGAIN);
	return nr;
}

static void oracle_handler(struct kfid_cq *cq, void *context)
{
	struct oracle_end *end = context;

	oracle_read(end, cq);
	complete(&end->progress);
}

static bool oracle_poll(struct oracle_end *end)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(SUITE_TIMEOUT_MS);

	while (time_before(jiffies, deadline)) {
		if (oracle_read(end, end->pair->a.tx.cq) +
		    oracle_read(end, end->pair->b.rx.cq))
			return true;
		usleep_range(20, 60);
	}
	return false;
}

/* For completions. False when the test is over, for one reason or another. */
bool oracle_wait(struct oracle_end *end)
{
	unsigned long timeout = msecs_to_jiffies(SUITE_TIMEOUT_MS);
	bool progress;

	if (oracle_over(end->o) || !oracle_ring(end))
		return false;
	if (end->polled)
		progress = oracle_poll(end);
	else
		progress = wait_for_completion_timeout(&end->progress, timeout);
	if (!progress)
		COMPLAIN(end->o->t, "no completion, commit %u is next of %u",
			 end->done, end->head);
	return progress && !oracle_over(end->o);
}

static void oracle_run(struct work_struct *work)
{
	struct oracle_end *end = container_of(work, struct oracle_end, work);
	struct kfi_pmemsim *sim = end->o->store.sim;

	for (; end->rest && !oracle_over(end->o); end->rest--) {
		if (end->moody && end->head % ORACLE_SPELL == 0)
			kfi_pmemsim_set_delay(sim, oracle_pick(end, 0, 1) *
					      ORACLE_DELAY_MS);
		if (!oracle_commit(end))
			break;
		cond_resched();
	}
	while (!oracle_idle(end) && oracle_wait(end))
		;
	if (end->moody)
		kfi_pmemsim_set_delay(sim, 0);
}

/*
 * The test
 */

static void oracle_start(struct oracle_end *end, unsigned int index,
			 unsigned int ops, bool polled)
{
	struct oracle *o = end->o;

	end->pair = index ? &o->pairs[index - 1] : &o->store.pair;
	end->area = index * ORACLE_AREA;
	end->rest = ops;
	end->polled = polled;
	end->moody = !index;
	prandom_seed_state(&end->rnd, suite_random(o->t, 1, U32_MAX));
	init_completion(&end->progress);
	INIT_WORK(&end->work, oracle_run);
	if (polled)
		return;
	end->pair->a.tx.context = end;
	end->pair->a.tx.also = oracle_handler;
	end->pair->b.rx.context = end;
	end->pair->b.rx.also = oracle_handler;
}

/* Endpoints of different kinds, all to the same memory. */
static bool oracle_open(struct oracle *o, unsigned int ops)
{
	const struct suite_opts opts[ORACLE_ENDS] = {
		{ },
		{ .cq_flags = KFI_CQ_PROCESS_CONTEXT },
		{ .op_flags = o->proof->level, .tx_size = 128 },
		{ .polled = true },
	};
	unsigned int i;

	if (!proof_open(o->t, &o->store, o->proof, ORACLE_ENDS * ORACLE_AREA,
			&opts[0]))
		return false;
	for (i = 1; i < ORACLE_ENDS; i++)
		if (!suite_pair_open(&o->store.net, &o->pairs[i - 1],
				     &opts[i]) ||
		    !proof_method(o->t, &o->pairs[i - 1]))
			return false;
	for (i = 0; i < ORACLE_ENDS; i++) {
		o->ends[i].o = o;
		oracle_start(&o->ends[i], i, DIV_ROUND_UP(ops, ORACLE_ENDS),
			     opts[i].polled);
	}
	return true;
}

static void oracle_close(struct oracle *o)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(o->pairs); i++)
		if (o->pairs[i].net)
			suite_pair_close(&o->pairs[i]);
	if (o->store.t)
		store_close(&o->store);
	kvfree(o);
}

static void oracle_report(const struct oracle *o)
{
	u32 commits = 0, told = 0;
	unsigned int i;
	u64 bytes = 0;

	for (i = 0; i < ORACLE_ENDS; i++) {
		commits += o->ends[i].done;
		told += o->ends[i].told;
		bytes += o->ends[i].bytes;
	}
	pr_info("# %u commits, %llu KiB, looked up when complete; the target was told of %u\n",
		commits, bytes >> 10, told);
}

static void oracle_test(struct suite *t, const struct proof *proof,
			unsigned int ops, bool violated)
{
	struct oracle *o = kvzalloc(sizeof(*o), GFP_KERNEL);
	unsigned int i;

	if (!EXPECT(t, o))
		return;
	o->t = t;
	o->proof = proof;
	o->full = suite_scaled(1, 0);
	if (oracle_open(o, ops)) {
		for (i = 0; i < ORACLE_ENDS; i++)
			queue_work(suite_wq, &o->ends[i].work);
		for (i = 0; i < ORACLE_ENDS; i++)
			flush_work(&o->ends[i].work);
		oracle_report(o);
		verdict_expect(t, &o->verdict, violated);
	}
	oracle_close(o);
}

static void test_commits(struct suite *t)
{
	const struct proof proof = {
		.domain = proof_domain(t), .level = KFI_COMMIT,
	};

	oracle_test(t, &proof, suite_scaled(100000, 400), false);
}

/* What is visible at the target is not persistent, and neither is what was sent. */
static void test_lesser(struct suite *t)
{
	static const u64 levels[] = {
		KFI_DELIVERY_COMPLETE, KFI_TRANSMIT_COMPLETE,
	};
	struct proof proof = { .domain = KFI_PMEMSIM_ADR };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		proof.level = levels[i];
		oracle_test(t, &proof, 400, true);
	}
}

/* Memory that says that its caches survive */
static void test_lie(struct suite *t)
{
	const struct proof proof = {
		.domain = KFI_PMEMSIM_LIE, .level = KFI_COMMIT,
	};

	oracle_test(t, &proof, 400, true);
}

const struct suite_test suite_oracle_tests[] = {
	{ "oracle.server", test_commits, KFI_COMMIT_SERVER },
	{ "oracle.read", test_commits, KFI_COMMIT_READ },
	{ "oracle.flush", test_commits, KFI_COMMIT_FLUSH },
	{ "oracle.lesser", test_lesser, KFI_COMMIT_SERVER },
	{ "oracle.lie", test_lie, KFI_COMMIT_READ },
	{ "oracle.lesser_flush", test_lesser, KFI_COMMIT_FLUSH },
	{ }
};
