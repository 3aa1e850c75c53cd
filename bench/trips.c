// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kfi_trips: how long durable writes of all forms take, for two hosts with a delay
 * between them that dwarfs all else.
 *
 *	insmod kfi_trips.ko role=target addr=10.9.0.2 pmem=/dev/pmem0 clients=1
 *	insmod kfi_trips.ko addr=10.9.0.2
 *
 * The target returns when its clients have gone. The client's results, medians in
 * nanoseconds, are in the kernel log, behind "kfi_trips: result: ".
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include <kfi_cm.h>
#include <kfi_rma.h>

#include "trips.h"

#define TRIPS_WRITE		4096
#define TRIPS_INJECT		64
#define TRIPS_MAX_RANGES	16
#define TRIPS_MAX_ROUNDS	101
#define TRIPS_STALL_MS		30000

char *trips_provider = "verbs";
module_param_named(provider, trips_provider, charp, 0444);
MODULE_PARM_DESC(provider, "provider to use");

char *trips_addr = "10.9.0.1";
module_param_named(addr, trips_addr, charp, 0444);
MODULE_PARM_DESC(addr, "the target's address, IPv4 or IPv6");

ushort trips_port = 7473;
module_param_named(port, trips_port, ushort, 0444);
MODULE_PARM_DESC(port, "the target's port");

static char *role = "client";
module_param(role, charp, 0444);
MODULE_PARM_DESC(role, "client or target");

static char *pmem = "/dev/pmem0";
module_param(pmem, charp, 0444);
MODULE_PARM_DESC(pmem, "target: memory device, whose contents are lost");

static const char *const method_names[] = {
	[KFI_COMMIT_NONE]	= "any",
	[KFI_COMMIT_SERVER]	= "server",
	[KFI_COMMIT_READ]	= "read",
	[KFI_COMMIT_FLUSH]	= "flush",
};

static char *method = "any";
module_param(method, charp, 0444);
MODULE_PARM_DESC(method, "client: how to commit: server, read, flush or any");

static unsigned int clients = 1;
module_param(clients, uint, 0444);
MODULE_PARM_DESC(clients, "target: how many to serve");

static unsigned int rounds = 11;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "client: of each test, 1 to 101");

/**
 * struct trips_test - what is timed
 * @name: its name
 * @nr: operations, posted back to back; all of them are waited for
 * @flags: of each
 * @ranges: remote ranges of each
 * @marker: the last one is injected, into its request
 * @remote: timed is the target's completion, which it answers
 */
struct trips_test {
	const char	*name;
	unsigned int	nr;
	u64		flags;
	unsigned int	ranges;
	bool		marker;
	bool		remote;
};

static const struct trips_test trips_tests[] = {
	{ "write", 1, 0, 1 },
	{ "delivery-complete", 1, KFI_DELIVERY_COMPLETE, 1 },
	{ "commit", 1, KFI_COMMIT, 1 },
	{ "commit-2-ranges", 1, KFI_COMMIT, 2 },
	{ "commit-16-ranges", 1, KFI_COMMIT, 16 },
	{ "commit-immediate", 1, KFI_COMMIT | KFI_REMOTE_CQ_DATA, 1 },
	{ "commit-immediate-target", 1, KFI_COMMIT | KFI_REMOTE_CQ_DATA, 1,
	  .remote = true },
	{ "record-and-marker", 2, KFI_COMMIT, 1, .marker = true },
	{ "64-commits", 64, KFI_COMMIT, 1 },
	{ "64-commits-inject", 64, KFI_COMMIT | KFI_INJECT, 1 },
};

/**
 * struct trips - the client
 * @conn: the connection
 * @buf: what is written, and where the target answers
 * @left: operations that are not complete
 * @done: none is left
 * @answered: the target has its completion
 * @end: when @done
 * @remote_end: when @answered
 * @err: why it failed
 */
static struct trips {
	struct trips_conn	conn;
	void			*buf;
	unsigned int		left;
	struct completion	done;
	struct completion	answered;
	u64			end;
	u64			remote_end;
	int			err;
} trips;

/* Softirq, one call at a time; who waits sees all that was set before. */
static void client_complete(struct kfid_cq *cq, void *context)
{
	struct kfi_cq_err_entry failure;
	struct kfi_cq_data_entry comp;
	u64 now = ktime_get_ns();
	ssize_t nr;

	while ((nr = kfi_cq_read(cq, &comp, 1)) != -EAGAIN) {
		if (nr == -KFI_EAVAIL) {
			kfi_cq_readerr(cq, &failure, 0);
			trips.err = -failure.err;
			complete(&trips.done);
		} else if (comp.flags & KFI_REMOTE_CQ_DATA) {
			trips.remote_end = now;
			complete(&trips.answered);
		} else if (!--trips.left) {
			trips.end = now;
			complete(&trips.done);
		}
	}
}

static ssize_t client_post(const struct trips_test *test, unsigned int nr)
{
	bool marker = test->marker && nr == test->nr - 1;
	u64 flags = test->flags | (marker ? KFI_INJECT : 0);
	struct kfi_rma_iov ranges[TRIPS_MAX_RANGES];
	struct kvec iov = {
		.iov_base = trips.buf,
		.iov_len = flags & KFI_INJECT ? TRIPS_INJECT : TRIPS_WRITE,
	};
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = ranges, .rma_iov_count = test->ranges,
		.context = &trips, .data = nr,
	};
	unsigned int i;

	for (i = 0; i < test->ranges; i++) {
		ranges[i].addr = trips.conn.addr +
				 2 * TRIPS_WRITE * (nr * test->ranges + i);
		ranges[i].len = iov.iov_len / test->ranges;
		ranges[i].key = trips.conn.key;
	}
	return kfi_writemsg(trips.conn.ep, &msg, flags);
}

static int client_round(const struct trips_test *test, u64 *took)
{
	unsigned long patience = msecs_to_jiffies(TRIPS_STALL_MS);
	u64 start = ktime_get_ns();
	unsigned int i;
	int err;

	trips.left = test->nr;
	for (i = 0; i < test->nr; i++) {
		err = client_post(test, i);
		if (err)
			return err;
	}
	if (!wait_for_completion_timeout(&trips.done, patience))
		return -ETIMEDOUT;
	if (trips.err)
		return trips.err;
	if (test->flags & KFI_REMOTE_CQ_DATA &&
	    !wait_for_completion_timeout(&trips.answered, patience))
		return -ETIMEDOUT;
	*took = (test->remote ? trips.remote_end : trips.end) - start;
	return 0;
}

static int trips_cmp(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static int client_test(const struct trips_test *test)
{
	u64 took[TRIPS_MAX_ROUNDS];
	unsigned int i;
	int err;

	for (i = 0; i < rounds; i++) {
		err = client_round(test, &took[i]);
		if (err) {
			pr_err("%s: %s\n", test->name, kfi_strerror(-err));
			return err;
		}
	}
	sort(took, rounds, sizeof(u64), trips_cmp, NULL);
	pr_info("result: %s %llu\n", test->name, took[rounds / 2]);
	return 0;
}

static int client_set_method(void)
{
	enum kfi_commit_method value;
	int index;

	index = match_string(method_names, ARRAY_SIZE(method_names), method);
	if (index < 0)
		return index;
	value = index;
	return kfi_setopt(&trips.conn.ep->fid, KFI_OPT_ENDPOINT,
			  KFI_OPT_COMMIT_METHOD, &value, sizeof(value));
}

static int client_connect(void)
{
	u8 buf[sizeof(struct kfi_eq_cm_entry) + sizeof(struct trips_hello)]
		__aligned(8);
	struct kfi_eq_cm_entry *entry = (void *)buf;
	struct trips_hello hello;
	ssize_t ret;

	trips_hello(&trips.conn, &hello);
	ret = kfi_connect(trips.conn.ep, NULL, &hello, sizeof(hello));
	if (ret)
		return ret;
	ret = trips_event(&trips.conn, KFI_CONNECTED, buf, sizeof(buf),
			  TRIPS_STALL_MS);
	return ret < 0 ? ret : trips_learn(&trips.conn, entry->data, ret);
}

static int client_run(void)
{
	unsigned int i;
	int err;

	err = trips_open(&trips.conn, 0);
	if (!err)
		err = trips_register(&trips.conn, trips.buf, 0);
	if (!err)
		err = trips_endpoint(&trips.conn, trips.conn.info,
				     client_complete);
	if (!err)
		err = client_set_method();
	if (!err)
		err = client_connect();
	for (i = 0; i < ARRAY_SIZE(trips_tests) && !err; i++)
		err = client_test(&trips_tests[i]);
	trips_close(&trips.conn);
	return err;
}

static int client(void)
{
	int err;

	if (!rounds || rounds > TRIPS_MAX_ROUNDS)
		return -EINVAL;
	init_completion(&trips.done);
	init_completion(&trips.answered);
	trips.buf = kvzalloc(TRIPS_LEN, GFP_KERNEL);
	if (!trips.buf)
		return -ENOMEM;
	err = client_run();
	kvfree(trips.buf);
	return err;
}

static int __init trips_init(void)
{
	int err = -EINVAL;

	if (!strcmp(role, "target"))
		err = trips_target(pmem, clients);
	else if (!strcmp(role, "client"))
		err = client();
	if (err)
		pr_err("%s: %s\n", role, kfi_strerror(-err));
	return err;
}
module_init(trips_init);

static void __exit trips_exit(void)
{
}
module_exit(trips_exit);

MODULE_DESCRIPTION("round trips of durable writes through kfabric");
MODULE_LICENSE("Dual BSD/GPL");
