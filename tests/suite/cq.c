// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Completion queues: several readers, handlers that post, formats, vectors.
 */

#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "suite.h"

#define CQ_READERS	2
#define CQ_BATCH	8

/**
 * struct bench - a pair and memory to write to
 * @t: the test
 * @net: the net
 * @pair: the pair
 * @mem: the memory; its second half is written to its first
 * @half: bytes of either
 */
struct bench {
	struct suite		*t;
	struct suite_net	net;
	struct suite_pair	pair;
	struct suite_mem	mem;
	size_t			half;
};

static void bench_close(struct bench *bench)
{
	suite_pair_close(&bench->pair);
	suite_mem_close(bench->t, &bench->mem);
	suite_net_close(&bench->net);
}

static bool bench_open(struct suite *t, struct bench *bench,
		       const struct suite_opts *opts)
{
	memset(bench, 0, sizeof(*bench));
	bench->t = t;
	if (!suite_open(t, &bench->net, &bench->pair, opts))
		return false;
	bench->half = PAGE_SIZE;
	if (suite_mem_open(&bench->net, &bench->mem, 2 * bench->half,
			   SUITE_ACCESS))
		return true;
	suite_close(&bench->net, &bench->pair);
	return false;
}

/* Eight bytes, the smallest of writes */
static ssize_t bench_write(struct bench *bench, void *context)
{
	return kfi_write(bench->pair.a.ep, bench->mem.buf + bench->half, 8,
			 NULL, 0, bench->mem.addr, bench->mem.key, context);
}

/**
 * struct crew - readers of one queue
 * @bench: what they read of
 * @seen: operations whose completion was read
 * @nr: operations in all
 * @left: not yet read
 * @calls: of the completion handler
 * @wq: who waits for one
 */
struct crew {
	struct bench		bench;
	unsigned long		*seen;
	unsigned int		nr;
	atomic_t		left;
	atomic_t		calls;
	wait_queue_head_t	wq;
};

struct reader {
	struct work_struct	work;
	struct crew		*crew;
};

static void crew_called(struct kfid_cq *cq, void *context)
{
	struct crew *crew = context;

	atomic_inc(&crew->calls);
	wake_up_all(&crew->wq);
}

static void crew_seen(struct crew *crew, uintptr_t op)
{
	struct suite *t = crew->bench.t;

	if (EXPECT(t, op < crew->nr) &&
	    EXPECT(t, !test_and_set_bit(op, crew->seen)) &&
	    atomic_dec_and_test(&crew->left))
		wake_up_all(&crew->wq);
}

static void crew_read(struct work_struct *work)
{
	struct crew *crew = container_of(work, struct reader, work)->crew;
	struct kfid_cq *cq = crew->bench.pair.a.tx.cq;
	struct kfi_cq_data_entry entries[CQ_BATCH];
	struct suite *t = crew->bench.t;
	ssize_t ret, i;
	int calls;

	while (atomic_read(&crew->left) && !suite_failed(t)) {
		calls = atomic_read(&crew->calls);
		ret = kfi_cq_read(cq, entries, CQ_BATCH);
		for (i = 0; i < ret; i++)
			crew_seen(crew, (uintptr_t)entries[i].op_context);
		if (ret > 0)
			continue;
		if (!EXPECT_EQ(t, ret, -EAGAIN))
			break;
		if (!wait_event_timeout(crew->wq,
					atomic_read(&crew->calls) != calls ||
					!atomic_read(&crew->left),
					msecs_to_jiffies(SUITE_TIMEOUT_MS)))
			COMPLAIN(t, "%d of %u completions are missing",
				 atomic_read(&crew->left), crew->nr);
	}
}

/* Posts all, as fast as there is room. */
static void crew_post(struct crew *crew)
{
	struct suite *t = crew->bench.t;
	uintptr_t op = 0;
	ssize_t ret;

	while (op < crew->nr && !suite_failed(t)) {
		ret = bench_write(&crew->bench, (void *)op);
		if (!ret)
			op++;
		else if (EXPECT_EQ(t, ret, -EAGAIN))
			cond_resched();
	}
}

static void test_readers(struct suite *t)
{
	struct crew *crew = kzalloc_obj(*crew);
	struct reader readers[CQ_READERS];
	unsigned int i;

	if (!EXPECT(t, crew))
		return;
	crew->nr = suite_scaled(1000000, 5000);
	crew->seen = bitmap_zalloc(crew->nr, GFP_KERNEL);
	if (!EXPECT(t, crew->seen) || !bench_open(t, &crew->bench, NULL))
		goto out;
	atomic_set(&crew->left, crew->nr);
	init_waitqueue_head(&crew->wq);
	crew->bench.pair.a.tx.context = crew;
	WRITE_ONCE(crew->bench.pair.a.tx.also, crew_called);

	for (i = 0; i < CQ_READERS; i++) {
		readers[i].crew = crew;
		INIT_WORK_ONSTACK(&readers[i].work, crew_read);
		queue_work(suite_wq, &readers[i].work);
	}
	crew_post(crew);
	for (i = 0; i < CQ_READERS; i++) {
		flush_work(&readers[i].work);
		destroy_work_on_stack(&readers[i].work);
	}
	EXPECT_EQ(t, atomic_read(&crew->left), 0);
	EXPECT_NO_COMP(t, &crew->bench.pair.a.tx);
	bench_close(&crew->bench);
out:
	bitmap_free(crew->seen);
	kfree(crew);
}

/**
 * struct chain - operations each of which is posted by the completion of the
 *	one before
 * @bench: where
 * @left: operations not yet complete
 * @sleeps: the handler may sleep
 * @wrong_context: it was called where it could not
 * @done: the last one is complete
 */
struct chain {
	struct bench		bench;
	unsigned int		left;
	bool			sleeps;
	bool			wrong_context;
	struct completion	done;
};

static void chain_next(struct kfid_cq *cq, void *context)
{
	struct chain *chain = context;
	struct suite *t = chain->bench.t;
	struct kfi_cq_data_entry entry;
	ssize_t ret;

	if (chain->sleeps) {
		chain->wrong_context |= !in_task();
		usleep_range(1, 2);
	}
	while ((ret = kfi_cq_read(cq, &entry, 1)) == 1) {
		EXPECT(t, entry.op_context == chain);
		if (!--chain->left)
			complete(&chain->done);
		else
			EXPECT_OK(t, bench_write(&chain->bench, chain));
	}
	EXPECT_EQ(t, ret, -EAGAIN);
}

static void run_chain(struct suite *t, unsigned int nr, u64 cq_flags)
{
	const struct suite_opts opts = { .cq_flags = cq_flags };
	unsigned long timeout = msecs_to_jiffies(SUITE_TIMEOUT_MS);
	struct chain *chain = kzalloc_obj(*chain);
	unsigned int before = nr;

	if (!EXPECT(t, chain) || !bench_open(t, &chain->bench, &opts))
		goto out;
	chain->left = nr;
	chain->sleeps = cq_flags & KFI_CQ_PROCESS_CONTEXT;
	init_completion(&chain->done);
	chain->bench.pair.a.tx.context = chain;
	WRITE_ONCE(chain->bench.pair.a.tx.also, chain_next);
	EXPECT_OK(t, bench_write(&chain->bench, chain));
	while (!wait_for_completion_timeout(&chain->done, timeout)) {
		/* slow is not lost */
		if (READ_ONCE(chain->left) == before) {
			COMPLAIN(t, "stopped with %u of %u left", before, nr);
			break;
		}
		before = READ_ONCE(chain->left);
	}
	EXPECT(t, !chain->wrong_context);
	bench_close(&chain->bench);
out:
	kfree(chain);
}

static void test_handler(struct suite *t)
{
	run_chain(t, suite_scaled(200000, 1000), 0);
}

static void test_handler_sleeps(struct suite *t)
{
	run_chain(t, suite_scaled(20000, 100), KFI_CQ_PROCESS_CONTEXT);
}

static const size_t entry_sizes[] = {
	[KFI_CQ_FORMAT_CONTEXT] = sizeof(struct kfi_cq_entry),
	[KFI_CQ_FORMAT_MSG] = sizeof(struct kfi_cq_msg_entry),
	[KFI_CQ_FORMAT_DATA] = sizeof(struct kfi_cq_data_entry),
};

static void check_format(struct suite *t, enum kfi_cq_format format)
{
	const struct suite_opts opts = { .cq_format = format, .polled = true };
	u8 entries[CQ_BATCH * sizeof(struct kfi_cq_data_entry)] __aligned(8);
	unsigned long deadline = jiffies + msecs_to_jiffies(SUITE_TIMEOUT_MS);
	size_t size = entry_sizes[format];
	struct bench bench;
	uintptr_t i, got;
	ssize_t ret;

	if (!bench_open(t, &bench, &opts))
		return;
	for (i = 0; i < CQ_BATCH; i++)
		EXPECT_OK(t, bench_write(&bench, (void *)(i + 1)));
	memset(entries, 0xff, sizeof(entries));
	for (got = 0; got < CQ_BATCH;) {
		ret = kfi_cq_read(bench.pair.a.tx.cq, entries + got * size,
				  CQ_BATCH - got);
		if (ret > 0)
			got += ret;
		else if (!EXPECT_EQ(t, ret, -EAGAIN) ||
			 !EXPECT(t, time_before(jiffies, deadline)))
			break;
		cond_resched();
	}
	for (i = 0; i < got; i++) {
		struct kfi_cq_msg_entry *entry = (void *)(entries + i * size);

		EXPECT_EQ(t, (uintptr_t)entry->op_context, i + 1);
		if (format != KFI_CQ_FORMAT_CONTEXT)
			EXPECT(t, entry->flags & KFI_WRITE);
	}
	EXPECT_ALL(t, entries + got * size, 0xff,
		   sizeof(entries) - got * size);
	bench_close(&bench);
}

static void test_formats(struct suite *t)
{
	check_format(t, KFI_CQ_FORMAT_CONTEXT);
	check_format(t, KFI_CQ_FORMAT_MSG);
	check_format(t, KFI_CQ_FORMAT_DATA);
}

/* A queue on each completion vector */
static void test_vectors(struct suite *t)
{
	struct kfi_cq_attr attr = { .flags = KFI_AFFINITY };
	struct suite_net net;
	struct suite_cq scq;
	int vector, nr;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	nr = kfi_domain_num_vectors(net.domain);
	for (vector = 0; vector < nr; vector++) {
		attr.signaling_vector = vector;
		if (EXPECT_OK(t, suite_cq_open(&scq, net.domain, &attr, false)))
			suite_cq_close(t, &scq);
	}
	suite_net_close(&net);
}

const struct suite_test suite_cq_tests[] = {
	{ "cq.formats", test_formats },
	{ "cq.vectors", test_vectors },
	{ "cq.readers", test_readers },
	{ "cq.handler", test_handler },
	{ "cq.handler_sleeps", test_handler_sleeps },
	{ }
};
