// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The client: keeps a number of operations outstanding, each completion posts
 * the next one, and notes how long each took. One outstanding is the latency,
 * more are the rate.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/completion.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <kfi_rma.h>

#include "perf.h"

/* A test that makes no progress for so long has failed. */
#define PERF_STALL_MS	10000

/**
 * struct perf_slot - an operation under way
 * @start: when it was posted
 */
struct perf_slot {
	u64	start;
};

/**
 * struct perf_run - one test at one size; the client's, reused for all
 * @fabric: the fabric
 * @eq: events of @conn
 * @conn: endpoint and buffer
 * @addr: the server's memory
 * @key: its key
 * @len: its bytes
 * @result: what is measured
 * @echo: messages come back, and that is what is timed
 * @to_post: operations not posted yet
 * @done: operations complete
 * @err: why it failed
 * @finished: all operations are complete, or one has failed
 * @slots: operations under way
 */
struct perf_run {
	struct kfid_fabric	*fabric;
	struct kfid_eq		*eq;
	struct perf_conn	conn;
	u64			addr;
	u64			key;
	u32			len;
	struct perf_result	result;
	bool			echo;
	atomic_t		to_post;
	atomic_t		done;
	int			err;
	struct completion	finished;
	struct perf_slot	slots[PERF_MAX_WINDOW];
};

/* The completion that counts has the slot as its context, others have none. */
static ssize_t perf_send(struct perf_run *run, struct perf_slot *slot)
{
	struct kfid_ep *ep = run->conn.ep;
	void *buf = run->conn.buf;
	size_t size = run->result.size;
	ssize_t ret;

	if (!run->echo)
		return kfi_send(ep, buf, size, NULL, KFI_ADDR_UNSPEC, slot);

	ret = kfi_recv(ep, buf, size, NULL, KFI_ADDR_UNSPEC, slot);
	if (ret)
		return ret;
	return kfi_senddata(ep, buf, size, NULL, 0, KFI_ADDR_UNSPEC, NULL);
}

static ssize_t perf_commit(struct perf_run *run, struct perf_slot *slot)
{
	struct kvec iov = {
		.iov_base = run->conn.buf, .iov_len = run->result.size,
	};
	struct kfi_rma_iov range = {
		.addr = run->addr, .len = run->result.size, .key = run->key,
	};
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &range, .rma_iov_count = 1, .context = slot,
	};

	return kfi_writemsg(run->conn.ep, &msg, KFI_COMMIT);
}

static ssize_t perf_post(struct perf_run *run, struct perf_slot *slot)
{
	struct kfid_ep *ep = run->conn.ep;
	void *buf = run->conn.buf;
	size_t size = run->result.size;

	switch (run->result.test) {
	case PERF_SEND:
		return perf_send(run, slot);
	case PERF_WRITE:
		return kfi_write(ep, buf, size, NULL, KFI_ADDR_UNSPEC,
				 run->addr, run->key, slot);
	case PERF_READ:
		return kfi_read(ep, buf, size, NULL, KFI_ADDR_UNSPEC,
				run->addr, run->key, slot);
	case PERF_COMMIT:
		return perf_commit(run, slot);
	default:
		return -EINVAL;
	}
}

static void perf_fail(struct perf_run *run, int err)
{
	cmpxchg(&run->err, 0, err);
	complete(&run->finished);
}

static void perf_next(struct perf_run *run, struct perf_slot *slot)
{
	ssize_t ret;

	if (atomic_dec_if_positive(&run->to_post) < 0)
		return;
	slot->start = ktime_get_ns();
	ret = perf_post(run, slot);
	if (ret)
		perf_fail(run, ret);
}

static void perf_done(struct perf_run *run, struct perf_slot *slot)
{
	struct perf_result *result = &run->result;
	unsigned int nr = atomic_inc_return(&run->done);

	result->latency[nr - 1] = ktime_get_ns() - slot->start;
	if (nr == result->count)
		complete(&run->finished);
	else
		perf_next(run, slot);
}

/* Softirq. An error completion comes for the end of the connection, too. */
static void perf_complete(struct kfid_cq *cq, void *context)
{
	struct kfi_cq_data_entry comp[8];
	struct perf_run *run = context;
	struct kfi_cq_err_entry failure;
	ssize_t nr, i;

	while ((nr = kfi_cq_read(cq, comp, ARRAY_SIZE(comp))) != -EAGAIN) {
		if (nr == -KFI_EAVAIL) {
			kfi_cq_readerr(cq, &failure, 0);
			perf_fail(run, -failure.err);
			continue;
		}
		for (i = 0; i < nr; i++)
			if (comp[i].op_context)
				perf_done(run, comp[i].op_context);
	}
}

static int perf_wait(struct perf_run *run)
{
	unsigned long timeout = msecs_to_jiffies(PERF_STALL_MS);
	int before;

	do {
		before = atomic_read(&run->done);
		if (wait_for_completion_timeout(&run->finished, timeout))
			return run->err;
	} while (atomic_read(&run->done) != before);
	return -ETIMEDOUT;
}

static int perf_cmp(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static int perf_run_size(struct perf_run *run, unsigned int size,
			 unsigned int window)
{
	struct perf_result *result = &run->result;
	u64 start = ktime_get_ns();
	unsigned int i;
	int err;

	result->size = size;
	result->window = window;
	run->echo = result->test == PERF_SEND && window == 1;
	run->err = 0;
	atomic_set(&run->done, 0);
	atomic_set(&run->to_post, result->count);
	reinit_completion(&run->finished);

	for (i = 0; i < window; i++)
		perf_next(run, &run->slots[i]);
	err = perf_wait(run);
	if (err)
		return err;

	result->elapsed = ktime_get_ns() - start;
	sort(result->latency, result->count, sizeof(u64), perf_cmp, NULL);
	perf_report(result);
	return 0;
}

/* Commits have slots of their own, fewer than other operations. */
static int perf_window_limit(struct perf_run *run, struct kfi_info *info,
			     unsigned int *window)
{
	struct kfi_commit_info commit;
	size_t len = sizeof(commit);
	int err;

	*window = min_t(size_t, perf_window, info->tx_attr->size);
	if (run->result.test != PERF_COMMIT)
		return 0;
	err = kfi_getopt(&run->conn.ep->fid, KFI_OPT_ENDPOINT,
			 KFI_OPT_COMMIT_INFO, &commit, &len);
	if (!err)
		*window = min(*window, commit.slots);
	return err;
}

static int perf_run_sizes(struct perf_run *run, unsigned int window)
{
	unsigned int i;
	int err;

	for (i = 0; i < perf_nr_sizes; i++) {
		if (run->result.test != PERF_SEND && perf_sizes[i] > run->len)
			return -EMSGSIZE;
		err = perf_run_size(run, perf_sizes[i], 1);
		if (!err && window > 1)
			err = perf_run_size(run, perf_sizes[i], window);
		if (err)
			return err;
	}
	return 0;
}

/* Each test has a connection of its own: some are of endpoints that commit. */
static int perf_test(struct perf_run *run, struct kfi_info *info)
{
	struct perf_hello hello;
	unsigned int window;
	int err;

	err = perf_conn_open(&run->conn, run->fabric, run->eq, info,
			     perf_complete, run);
	if (err)
		return err;
	err = perf_connect(&run->conn, run->eq, &hello);
	if (!err)
		err = perf_window_limit(run, info, &window);
	if (!err) {
		run->addr = be64_to_cpu(hello.addr);
		run->key = be64_to_cpu(hello.key);
		run->len = be32_to_cpu(hello.len);
		err = perf_run_sizes(run, window);
	}
	perf_conn_close(&run->conn);
	return err;
}

static int perf_test_open(struct perf_run *run)
{
	bool commit = run->result.test == PERF_COMMIT;
	struct kfi_info *info;
	int err;

	err = perf_getinfo(commit ? PERF_PMEM : PERF_RAW, 0, &info);
	if (err)
		return err;
	err = kfi_fabric(info->fabric_attr, &run->fabric, NULL);
	if (err)
		goto free_info;
	err = kfi_eq_open(run->fabric, NULL, &run->eq, NULL, NULL);
	if (err)
		goto close_fabric;

	err = perf_test(run, info);

	kfi_close(&run->eq->fid);
close_fabric:
	kfi_close(&run->fabric->fid);
free_info:
	kfi_freeinfo(info);
	return err;
}

/* Run the tests whose bits are set; ends at the first that fails. */
int perf_client_run(unsigned long tests)
{
	struct perf_run *run;
	unsigned int test;
	int err = -ENOMEM;

	run = kzalloc_obj(*run);
	if (!run)
		return -ENOMEM;
	init_completion(&run->finished);
	run->result.count = perf_count;
	run->result.latency = kvcalloc(perf_count, sizeof(u64), GFP_KERNEL);
	if (!run->result.latency)
		goto out;

	for_each_set_bit(test, &tests, PERF_NR_TESTS) {
		run->result.test = test;
		err = perf_test_open(run);
		if (err) {
			pr_err("%s failed: %s\n", perf_test_name(test),
			       kfi_strerror(-err));
			break;
		}
	}
out:
	kvfree(run->result.latency);
	kfree(run);
	return err;
}
