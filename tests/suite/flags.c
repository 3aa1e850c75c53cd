// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Flags of operations: what each of them promises.
 */

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "suite.h"

#define FLAGS_TX_SIZE	16
#define FLAGS_INJECT	64

/**
 * struct target - a pair, the target's memory, and memory to write from
 * @t: the test
 * @net: the net
 * @pair: the pair
 * @mem: the target's memory
 * @buf: the initiator's, as much
 */
struct target {
	struct suite		*t;
	struct suite_net	net;
	struct suite_pair	pair;
	struct suite_mem	mem;
	u8			*buf;
};

static void target_close(struct target *target)
{
	suite_pair_close(&target->pair);
	suite_mem_close(target->t, &target->mem);
	suite_net_close(&target->net);
	kvfree(target->buf);
}

static bool target_open(struct suite *t, struct target *target, size_t len,
			const struct suite_opts *opts)
{
	memset(target, 0, sizeof(*target));
	target->t = t;
	if (!suite_open(t, &target->net, &target->pair, opts))
		return false;
	target->buf = kvzalloc(len, GFP_KERNEL);
	if (EXPECT(t, target->buf) &&
	    suite_mem_open(&target->net, &target->mem, len, SUITE_ACCESS))
		return true;
	target_close(target);
	return false;
}

/* Writes @len bytes of the initiator's memory to the same place at the target. */
static ssize_t target_write(struct target *target, size_t offset, size_t len,
			    void *context, u64 data, u64 flags)
{
	struct kvec iov = {
		.iov_base = target->buf + offset, .iov_len = len,
	};
	struct kfi_rma_iov rma = {
		.addr = target->mem.addr + offset, .len = len,
		.key = target->mem.key,
	};
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &rma, .rma_iov_count = 1, .context = context,
		.data = data,
	};

	return kfi_writemsg(target->pair.a.ep, &msg, flags);
}

/* Posts again until there is room. */
static ssize_t target_write_wait(struct target *target, void *context,
				 u64 flags)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(SUITE_TIMEOUT_MS);
	ssize_t ret;

	do {
		ret = target_write(target, 0, 8, context, 0, flags);
		if (ret == -EAGAIN)
			cond_resched();
	} while (ret == -EAGAIN && time_before(jiffies, deadline));
	return ret;
}

/* Around the queue many times; every so often one that asks for its entry */
static void test_selective(struct suite *t)
{
	const struct suite_opts opts = {
		.tx_size = FLAGS_TX_SIZE, .tx_bind = KFI_SELECTIVE_COMPLETION,
	};
	unsigned int rounds = suite_scaled(1000, 20), every = 7 * FLAGS_TX_SIZE;
	struct target target;
	uintptr_t op;

	if (!target_open(t, &target, PAGE_SIZE, &opts))
		return;
	for (op = 1; op <= rounds * FLAGS_TX_SIZE; op++) {
		if (!EXPECT_OK(t, target_write_wait(&target, (void *)op,
						    op % every ? 0 :
						    KFI_COMPLETION)))
			break;
		if (!(op % every) &&
		    !EXPECT_COMP(t, &target.pair.a.tx, (void *)op, NULL))
			break;
	}
	EXPECT_OK(t, target_write_wait(&target, &target, KFI_COMPLETION));
	EXPECT_COMP(t, &target.pair.a.tx, &target, NULL);
	EXPECT_NO_COMP(t, &target.pair.a.tx);
	target_close(&target);
}

static void test_selective_receive(struct suite *t)
{
	const struct suite_opts opts = { .rx_bind = KFI_SELECTIVE_COMPLETION };
	struct kfi_msg msg = { .type = KFI_KVEC };
	struct target target;

	if (!target_open(t, &target, PAGE_SIZE, &opts))
		return;
	msg.context = &msg;
	EXPECT_OK(t, kfi_recvmsg(target.pair.b.ep, &msg, 0));
	msg.context = &target;
	EXPECT_OK(t, kfi_recvmsg(target.pair.b.ep, &msg, KFI_COMPLETION));
	EXPECT_OK(t, kfi_inject(target.pair.a.ep, &msg, 0, 0));
	EXPECT_OK(t, kfi_inject(target.pair.a.ep, &msg, 0, 0));
	EXPECT_COMP(t, &target.pair.b.rx, &target, NULL);
	EXPECT_NO_COMP(t, &target.pair.b.rx);
	target_close(&target);
}

/* An error makes an entry, whether it was asked for or not. */
static void test_selective_error(struct suite *t)
{
	const struct suite_opts opts = { .tx_bind = KFI_SELECTIVE_COMPLETION };
	struct target target;

	if (!target_open(t, &target, PAGE_SIZE, &opts))
		return;
	target.mem.key ^= 1;
	EXPECT_OK(t, target_write(&target, 0, 8, &target, 0, 0));
	EXPECT_COMP_ERR(t, &target.pair.a.tx, &target, EACCES,
			KFI_RMA | KFI_WRITE);
	target.mem.key ^= 1;
	target_close(&target);

	if (!target_open(t, &target, PAGE_SIZE, NULL))
		return;
	EXPECT_OK(t, kfi_inject_write(target.pair.a.ep, target.buf, 8, 0,
				      target.mem.addr, target.mem.key ^ 1));
	EXPECT_COMP_ERR(t, &target.pair.a.tx, NULL, EACCES,
			KFI_RMA | KFI_WRITE);
	target_close(&target);
}

/* The endpoint's default asks for what the queue does not give by itself. */
static void test_default_flags(struct suite *t)
{
	const struct suite_opts opts = { .tx_bind = KFI_SELECTIVE_COMPLETION };
	struct target target;

	if (!target_open(t, &target, PAGE_SIZE, &opts))
		return;
	target.pair.a.ep->tx_op_flags = KFI_COMPLETION;
	EXPECT_OK(t, kfi_write(target.pair.a.ep, target.buf, 8, NULL, 0,
			       target.mem.addr, target.mem.key, target.buf));
	EXPECT_COMP(t, &target.pair.a.tx, target.buf, NULL);
	target_close(&target);
}

/* Writes from the stack, which is something else as soon as they return. */
static void test_inject(struct suite *t)
{
	u8 bytes[FLAGS_INJECT];
	struct kvec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct kfi_rma_iov rma = { .len = sizeof(bytes) };
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &rma, .rma_iov_count = 1,
	};
	struct target target;
	struct kfid_ep *ep;
	uintptr_t i;

	if (!target_open(t, &target, FLAGS_TX_SIZE * FLAGS_INJECT, NULL))
		return;
	ep = target.pair.a.ep;
	for (i = 0; i < FLAGS_TX_SIZE; i++) {
		memset(bytes, i + 1, sizeof(bytes));
		rma.addr = target.mem.addr + i * FLAGS_INJECT;
		rma.key = target.mem.key;
		msg.context = (void *)i;
		if (i % 2)
			EXPECT_OK(t, kfi_writemsg(ep, &msg, KFI_INJECT));
		else
			EXPECT_OK(t, kfi_inject_write(ep, bytes, sizeof(bytes),
						      0, rma.addr, rma.key));
		memset(bytes, 0xff, sizeof(bytes));
	}
	/* KFI_INJECT alone does not take the completion away */
	for (i = 1; i < FLAGS_TX_SIZE; i += 2)
		EXPECT_COMP(t, &target.pair.a.tx, (void *)i, NULL);
	suite_settle(t, &target.pair.a, target.mem.addr, target.mem.key);
	EXPECT_NO_COMP(t, &target.pair.a.tx);
	for (i = 0; i < FLAGS_TX_SIZE; i++)
		EXPECT_ALL(t, target.mem.buf + i * FLAGS_INJECT, i + 1,
			   FLAGS_INJECT);
	target_close(&target);
}

/* A write with data: the target is told how much came, and the number. */
static void check_data(struct target *target, u64 data, size_t len, bool inject)
{
	struct suite_pair *pair = &target->pair;
	struct suite *t = target->t;
	struct suite_comp comp;

	suite_fill(t, target->buf, len);
	/* on a raw endpoint the data takes a receive, but not its memory */
	EXPECT_OK(t, kfi_recv(pair->b.ep, target->buf + len, 1, NULL, 0, &comp));
	if (inject)
		EXPECT_OK(t, kfi_inject_writedata(pair->a.ep, target->buf, len,
						  data, 0, target->mem.addr,
						  target->mem.key));
	else
		EXPECT_OK(t, target_write(target, 0, len, target, data,
					  KFI_REMOTE_CQ_DATA));
	if (EXPECT_COMP(t, &pair->b.rx, &comp, &comp)) {
		EXPECT(t, comp.entry.flags & KFI_REMOTE_CQ_DATA);
		EXPECT(t, comp.entry.flags & KFI_REMOTE_WRITE);
		EXPECT_EQ(t, comp.entry.data, data);
		EXPECT_EQ(t, comp.entry.len, len);
		EXPECT_SAME(t, target->mem.buf, target->buf, len);
	}
	if (inject)
		EXPECT_NO_COMP(t, &pair->a.tx);
	else
		EXPECT_COMP(t, &pair->a.tx, target, NULL);
	EXPECT_EQ(t, target->buf[len], 0);
}

static void test_data(struct suite *t)
{
	struct target target;

	if (!target_open(t, &target, PAGE_SIZE, NULL))
		return;
	check_data(&target, 0x01020304, 8, false);
	check_data(&target, 0xfffefdfc, 8, true);
	check_data(&target, 0, 3000, false);
	target_close(&target);
}

/* Complete is visible, without any further ado. */
static void test_delivery(struct suite *t)
{
	unsigned int rounds = suite_scaled(10000, 50);
	struct target target;
	size_t offset, len;

	if (!target_open(t, &target, SZ_64K, NULL))
		return;
	for (; rounds && !suite_failed(t); rounds--) {
		offset = suite_random(t, 0, SZ_64K - 1);
		len = suite_random(t, 1, SZ_64K - offset);
		suite_fill(t, target.buf + offset, min_t(size_t, len, 64));
		target.buf[offset + len - 1] = rounds;
		if (!EXPECT_OK(t, target_write(&target, offset, len, &target, 0,
					       KFI_DELIVERY_COMPLETE)) ||
		    !EXPECT_COMP(t, &target.pair.a.tx, &target, NULL))
			break;
		EXPECT_SAME(t, target.mem.buf + offset, target.buf + offset,
			    len);
	}
	EXPECT_NO_COMP(t, &target.pair.a.tx);
	target_close(&target);
}

/* Exactly one completion at each level */
static void test_levels(struct suite *t)
{
	static const u64 levels[] = {
		0, KFI_INJECT_COMPLETE, KFI_TRANSMIT_COMPLETE,
		KFI_DELIVERY_COMPLETE,
		KFI_INJECT | KFI_DELIVERY_COMPLETE,
		KFI_FENCE | KFI_DELIVERY_COMPLETE,
	};
	struct target target;
	uintptr_t i;

	if (!target_open(t, &target, PAGE_SIZE, NULL))
		return;
	for (i = 0; i < ARRAY_SIZE(levels); i++)
		EXPECT_OK(t, target_write(&target, 0, 8, (void *)i, 0,
					  levels[i]));
	for (i = 0; i < ARRAY_SIZE(levels); i++)
		EXPECT_COMP(t, &target.pair.a.tx, (void *)i, NULL);
	EXPECT_NO_COMP(t, &target.pair.a.tx);
	target_close(&target);
}

/*
 * A long read, and behind a fence a write to where it ends. Without the fence
 * a device may let the write overtake what is still being read; neither soft-RoCE
 * nor loopback does, so what waits is shown by kfi_fence_kunit, and for commits by
 * wal.fence.
 */
static void test_fence(struct suite *t)
{
	unsigned int rounds = suite_scaled(500, 10);
	size_t len = SZ_256K, last = len - 8;
	struct target target;
	u8 *read;

	if (!target_open(t, &target, len, NULL))
		return;
	read = kvzalloc(len, GFP_KERNEL);
	if (!EXPECT(t, read))
		goto out;
	memset(target.buf, 0x77, len);
	for (; rounds && !suite_failed(t); rounds--) {
		memset(target.mem.buf, 0x22, len);
		EXPECT_OK(t, kfi_read(target.pair.a.ep, read, len, NULL, 0,
				      target.mem.addr, target.mem.key, read));
		EXPECT_OK(t, target_write(&target, last, 8, &target, 0,
					  KFI_FENCE | KFI_DELIVERY_COMPLETE));
		EXPECT_COMP(t, &target.pair.a.tx, read, NULL);
		EXPECT_COMP(t, &target.pair.a.tx, &target, NULL);
		EXPECT_ALL(t, read, 0x22, len);
		EXPECT_ALL(t, target.mem.buf + last, 0x77, 8);
	}
	kvfree(read);
out:
	target_close(&target);
}

const struct suite_test suite_flags_tests[] = {
	{ "flags.selective", test_selective },
	{ "flags.selective_receive", test_selective_receive },
	{ "flags.selective_error", test_selective_error },
	{ "flags.default_flags", test_default_flags },
	{ "flags.inject", test_inject },
	{ "flags.data", test_data },
	{ "flags.delivery", test_delivery },
	{ "flags.levels", test_levels },
	{ "flags.fence", test_fence },
	{ }
};
