// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Several threads that use several endpoints in any way they like, while others
 * come and go.
 */

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include <kfi_pmem.h>
#include <kfi_pmemsim.h>

#include "suite.h"

#define STRESS_PAIRS	8
#define STRESS_THREADS	4
#define STRESS_SLOTS	16
#define STRESS_RECVS	32
#define STRESS_BYTES	16384
#define STRESS_MSG	256
#define STRESS_MEM	(STRESS_THREADS * STRESS_SLOTS * STRESS_BYTES)

/**
 * enum stress_state - what an operation of a thread is at
 * @STRESS_FREE: nothing
 * @STRESS_POSTED: somebody will read its completion
 * @STRESS_DONE: somebody has
 */
enum stress_state {
	STRESS_FREE,
	STRESS_POSTED,
	STRESS_DONE,
};

/**
 * struct stress_slot - one operation at a time
 * @state: &enum stress_state; from POSTED to DONE by any thread, else its own
 * @reading: the operation is a read, of what was written before
 * @unread: what was written is to be read back next
 * @pair: to be read by the same endpoint, which has written it, or -1 for any
 * @len: bytes written
 * @addr: the slot's own bytes at the target
 * @buf: what is written
 * @back: what is read
 */
struct stress_slot {
	int	state;
	bool	reading;
	bool	unread;
	int	pair;
	size_t	len;
	u64	addr;
	u8	*buf;
	u8	*back;
};

struct stress;

/**
 * struct stress_thread - a thread
 * @work: runs it
 * @s: what it works on
 * @rnd: its random numbers
 * @slots: its operations
 * @ops: how many it has posted
 */
struct stress_thread {
	struct work_struct	work;
	struct stress		*s;
	struct rnd_state	rnd;
	struct stress_slot	slots[STRESS_SLOTS];
	unsigned int		ops;
};

/**
 * struct stress - what the threads share
 * @t: the test
 * @net: the net
 * @pairs: the pairs
 * @nr_pairs: those that are open
 * @mem: the target's memory
 * @sim: where that is, if it is persistent; and what follows up to @mr
 * @pmem: opened
 * @mr: registered
 * @messages: where all messages come from and go to
 * @sent: messages sent
 * @received: messages received
 * @deadline: when to stop
 * @threads: the threads
 */
struct stress {
	struct suite		*t;
	struct suite_net	net;
	struct suite_pair	pairs[STRESS_PAIRS];
	unsigned int		nr_pairs;
	struct suite_mem	mem;
	struct kfi_pmemsim	*sim;
	struct kfi_pmem		*pmem;
	struct kfid_mr		*mr;
	u8			messages[2 * STRESS_MSG];
	atomic_t		sent;
	atomic_t		received;
	unsigned long		deadline;
	struct stress_thread	threads[STRESS_THREADS];
};

static u32 pick(struct stress_thread *thread, u32 nr)
{
	return prandom_u32_state(&thread->rnd) % nr;
}

static ssize_t post_receive(struct stress *s, struct suite_pair *pair)
{
	return kfi_recv(pair->b.ep, s->messages + STRESS_MSG, STRESS_MSG, NULL,
			0, pair);
}

static ssize_t post_write(struct stress_thread *thread,
			  struct stress_slot *slot, u32 nr)
{
	static const u64 flags[] = {
		0, KFI_DELIVERY_COMPLETE, KFI_FENCE, KFI_MORE,
		KFI_FENCE | KFI_DELIVERY_COMPLETE,
		/* where the memory is persistent */
		KFI_COMMIT, KFI_COMMIT | KFI_MORE, KFI_COMMIT | KFI_FENCE,
	};
	u32 kinds = ARRAY_SIZE(flags) - (thread->s->mr ? 0 : 3);
	struct kvec iov[2];
	struct kfi_rma_iov rma = {
		.addr = slot->addr, .key = thread->s->mem.key,
	};
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = iov, .iov_count = 2,
		.rma_iov = &rma, .rma_iov_count = 1, .context = slot,
	};
	u64 flag = flags[pick(thread, kinds)];
	size_t cut;
	ssize_t ret;

	slot->len = 2 + pick(thread, STRESS_BYTES - 1);
	cut = 1 + pick(thread, slot->len - 1);
	prandom_bytes_state(&thread->rnd, slot->buf, min(slot->len, 64UL));
	slot->buf[slot->len - 1] = thread->ops;
	iov[0].iov_base = slot->buf;
	iov[0].iov_len = cut;
	iov[1].iov_base = slot->buf + cut;
	iov[1].iov_len = slot->len - cut;
	rma.len = slot->len;
	slot->reading = false;
	slot->pair = flag & (KFI_DELIVERY_COMPLETE | KFI_COMMIT) ? -1 : nr;
	WRITE_ONCE(slot->state, STRESS_POSTED);
	ret = kfi_writemsg(thread->s->pairs[nr].a.ep, &msg, flag);
	/* a chain that nobody goes on with may wait for ever */
	if (!ret && flag & KFI_MORE &&
	    !kfi_inject(thread->s->pairs[nr].a.ep, slot->buf, 1, 0))
		atomic_inc(&thread->s->sent);
	return ret;
}

static ssize_t post_read(struct stress_thread *thread, struct stress_slot *slot,
			 u32 nr)
{
	if (slot->pair >= 0)
		nr = slot->pair;
	slot->reading = true;
	memset(slot->back, 0, slot->len);
	WRITE_ONCE(slot->state, STRESS_POSTED);
	return kfi_read(thread->s->pairs[nr].a.ep, slot->back, slot->len, NULL,
			0, slot->addr, thread->s->mem.key, slot);
}

static ssize_t post_send(struct stress_thread *thread, struct stress_slot *slot,
			 u32 nr)
{
	struct stress *s = thread->s;
	ssize_t ret;

	slot->len = 0;
	slot->reading = false;
	WRITE_ONCE(slot->state, STRESS_POSTED);
	ret = kfi_senddata(s->pairs[nr].a.ep, s->messages,
			   1 + pick(thread, STRESS_MSG), NULL, 1, 0, slot);
	if (!ret)
		atomic_inc(&s->sent);
	return ret;
}

/* What a completion means to the thread that posted the operation */
static void finish(struct suite *t, struct stress_slot *slot)
{
	if (slot->reading)
		EXPECT_SAME(t, slot->back, slot->buf, slot->len);
	slot->unread = slot->len && !slot->reading;
	slot->state = STRESS_FREE;
}

/* Whoever posts marks the slot first: the completion may be there at once. */
static void step(struct stress_thread *thread)
{
	struct stress_slot *slot = &thread->slots[pick(thread, STRESS_SLOTS)];
	u32 nr = pick(thread, STRESS_PAIRS);
	struct suite *t = thread->s->t;
	ssize_t ret;

	/* what was read is there before the state says so */
	switch (smp_load_acquire(&slot->state)) {
	case STRESS_POSTED:
		return;
	case STRESS_DONE:
		finish(t, slot);
		break;
	}
	if (slot->unread)
		ret = post_read(thread, slot, nr);
	else if (pick(thread, 4))
		ret = post_write(thread, slot, nr);
	else
		ret = post_send(thread, slot, nr);
	if (!ret)
		thread->ops++;
	else
		slot->state = STRESS_FREE;
	EXPECT(t, !ret || ret == -EAGAIN);
}

/* Reads what there is of one pair, for whichever thread it was posted by. */
static void reap(struct stress *s, struct suite_pair *pair)
{
	struct kfi_cq_data_entry entry;
	struct suite *t = s->t;
	struct stress_slot *slot;
	ssize_t ret;

	while ((ret = kfi_cq_read(pair->a.tx.cq, &entry, 1)) == 1) {
		slot = entry.op_context;
		EXPECT_EQ(t, cmpxchg_release(&slot->state, STRESS_POSTED,
					     STRESS_DONE), STRESS_POSTED);
	}
	EXPECT_EQ(t, ret, -EAGAIN);
	while ((ret = kfi_cq_read(pair->b.rx.cq, &entry, 1)) == 1) {
		EXPECT(t, entry.op_context == pair);
		atomic_inc(&s->received);
		EXPECT_OK(t, post_receive(s, pair));
	}
	EXPECT_EQ(t, ret, -EAGAIN);
}

static void run_thread(struct work_struct *work)
{
	struct stress_thread *thread =
		container_of(work, struct stress_thread, work);
	struct stress *s = thread->s;

	while (time_before(jiffies, s->deadline) && !suite_failed(s->t)) {
		step(thread);
		if (!pick(thread, 4))
			reap(s, &s->pairs[pick(thread, STRESS_PAIRS)]);
		cond_resched();
	}
}

static bool all_done(struct stress *s)
{
	unsigned int i, k;

	for (i = 0; i < STRESS_THREADS; i++)
		for (k = 0; k < STRESS_SLOTS; k++)
			if (READ_ONCE(s->threads[i].slots[k].state) ==
			    STRESS_POSTED)
				return false;
	return atomic_read(&s->sent) == atomic_read(&s->received);
}

/* Everything that was posted completes, and every message arrives. */
static void settle(struct stress *s)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(SUITE_TIMEOUT_MS);
	unsigned int i;

	while (!all_done(s) && !suite_failed(s->t)) {
		for (i = 0; i < STRESS_PAIRS; i++)
			reap(s, &s->pairs[i]);
		if (!EXPECT(s->t, time_before(jiffies, deadline)))
			break;
		usleep_range(100, 200);
	}
	EXPECT_EQ(s->t, atomic_read(&s->sent), atomic_read(&s->received));
}

static bool open_slots(struct stress *s, struct stress_thread *thread,
		       unsigned int nr)
{
	struct stress_slot *slot;
	unsigned int k;

	thread->s = s;
	prandom_seed_state(&thread->rnd, suite_random(s->t, 1, U32_MAX));
	for (k = 0; k < STRESS_SLOTS; k++) {
		slot = &thread->slots[k];
		slot->addr = s->mem.addr +
			     (nr * STRESS_SLOTS + k) * STRESS_BYTES;
		slot->buf = kzalloc(STRESS_BYTES, GFP_KERNEL);
		slot->back = kzalloc(STRESS_BYTES, GFP_KERNEL);
		if (!EXPECT(s->t, slot->buf && slot->back))
			return false;
	}
	return true;
}

static void stress_close(struct stress *s)
{
	unsigned int i, k;

	for (i = 0; i < s->nr_pairs; i++)
		suite_pair_close(&s->pairs[i]);
	if (s->mr)
		EXPECT_OK(s->t, kfi_close(&s->mr->fid));
	else
		suite_mem_close(s->t, &s->mem);
	if (s->pmem)
		kfi_pmem_close(s->pmem);
	if (s->sim)
		kfi_pmemsim_destroy(s->sim);
	suite_net_close(&s->net);
	for (i = 0; i < STRESS_THREADS; i++) {
		for (k = 0; k < STRESS_SLOTS; k++) {
			kfree(s->threads[i].slots[k].buf);
			kfree(s->threads[i].slots[k].back);
		}
	}
	kvfree(s);
}

static bool stress_open_pmem(struct stress *s)
{
	struct kfi_pmemsim *sim = kfi_pmemsim_create("stress", STRESS_MEM);
	struct suite *t = s->t;
	struct kfi_pmem *pmem;

	if (!EXPECT_OK(t, PTR_ERR_OR_ZERO(sim)))
		return false;
	s->sim = sim;
	pmem = kfi_pmem_open("pmemsim:stress", s);
	if (!EXPECT_OK(t, PTR_ERR_OR_ZERO(pmem)))
		return false;
	s->pmem = pmem;
	if (!EXPECT_OK(t, kfi_mr_reg(s->net.domain, kfi_pmem_addr(pmem),
				     STRESS_MEM, SUITE_ACCESS, 0, 0, KFI_PMEM,
				     &s->mr, NULL)))
		return false;
	s->mem.addr = s->mr->iova;
	s->mem.key = kfi_mr_key(s->mr);
	return true;
}

static bool stress_open_memory(struct stress *s, u64 caps)
{
	if (caps & KFI_RMA_PMEM)
		return stress_open_pmem(s);
	return suite_mem_open(&s->net, &s->mem, STRESS_MEM, SUITE_ACCESS);
}

static bool stress_open(struct stress *s, u64 caps)
{
	struct suite_pair *pair;
	struct suite *t = s->t;
	unsigned int i;

	if (!suite_net_open(t, &s->net, caps, NULL) ||
	    !stress_open_memory(s, caps))
		return false;
	for (; s->nr_pairs < STRESS_PAIRS; s->nr_pairs++) {
		pair = &s->pairs[s->nr_pairs];
		if (!suite_pair_open(&s->net, pair, NULL))
			return false;
		for (i = 0; i < STRESS_RECVS; i++)
			EXPECT_OK(t, post_receive(s, pair));
	}
	for (i = 0; i < STRESS_THREADS; i++)
		if (!open_slots(s, &s->threads[i], i))
			return false;
	return true;
}

static void run_stress(struct suite *t, u64 caps)
{
	struct stress *s = kvzalloc(sizeof(*s), GFP_KERNEL);
	struct suite_pair pair;
	unsigned int i;

	if (!EXPECT(t, s))
		return;
	s->t = t;
	if (!stress_open(s, caps))
		goto out;
	s->deadline = jiffies + suite_seconds(60, 2) * HZ;
	for (i = 0; i < STRESS_THREADS; i++) {
		INIT_WORK(&s->threads[i].work, run_thread);
		queue_work(suite_wq, &s->threads[i].work);
	}
	while (time_before(jiffies, s->deadline) && !suite_failed(t)) {
		if (!suite_pair_open(&s->net, &pair, NULL))
			break;
		suite_ping(t, &pair.a, &pair.b);
		suite_pair_close(&pair);
	}
	for (i = 0; i < STRESS_THREADS; i++)
		flush_work(&s->threads[i].work);
	settle(s);
	for (i = 0; i < STRESS_THREADS; i++)
		EXPECT(t, s->threads[i].ops);
out:
	stress_close(s);
}

static void test_mixed(struct suite *t)
{
	run_stress(t, SUITE_RAW);
}

/* The same with commits among them */
static void test_commits(struct suite *t)
{
	run_stress(t, SUITE_BOTH);
}

const struct suite_test suite_stress_tests[] = {
	{ "stress.mixed", test_mixed },
	{ "stress.commits", test_commits },
	{ }
};
