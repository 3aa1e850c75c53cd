// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Flow control: how much is accepted, who is told that there is room again, and
 * chains of operations.
 */

#include <linux/delay.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "suite.h"

#define FLOW_CHAIN	16

/**
 * struct flow - a pair, memory to write to, and who is told of room
 * @t: the test
 * @net: the net
 * @pair: the pair
 * @mem: the target's memory; its second half is written to its first
 * @half: bytes of either
 * @calls: of the transmit handler
 * @room: the transmit handler was called
 */
struct flow {
	struct suite		*t;
	struct suite_net	net;
	struct suite_pair	pair;
	struct suite_mem	mem;
	size_t			half;
	atomic_t		calls;
	struct completion	room;
};

static void flow_room(struct kfid_ep *ep, void *context)
{
	struct flow *flow = context;

	atomic_inc(&flow->calls);
	complete(&flow->room);
}

static void flow_close(struct flow *flow)
{
	suite_pair_close(&flow->pair);
	suite_mem_close(flow->t, &flow->mem);
	suite_net_close(&flow->net);
}

static bool flow_open(struct suite *t, struct flow *flow, size_t size)
{
	const struct suite_opts opts = {
		.tx_size = size, .rx_size = size,
		.tx_handler = { .handler = flow_room, .context = flow },
	};

	memset(flow, 0, sizeof(*flow));
	flow->t = t;
	init_completion(&flow->room);
	if (!suite_open(t, &flow->net, &flow->pair, &opts))
		return false;
	flow->half = PAGE_SIZE;
	if (suite_mem_open(&flow->net, &flow->mem, 2 * flow->half,
			   SUITE_ACCESS))
		return true;
	suite_close(&flow->net, &flow->pair);
	return false;
}

static ssize_t flow_write(struct flow *flow, uintptr_t op, u64 flags)
{
	struct kvec iov = {
		.iov_base = flow->mem.buf + flow->half, .iov_len = 8,
	};
	struct kfi_rma_iov rma = {
		.addr = flow->mem.addr, .len = 8, .key = flow->mem.key,
	};
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &rma, .rma_iov_count = 1, .context = (void *)op,
	};

	return kfi_writemsg(flow->pair.a.ep, &msg, flags);
}

/* Posts writes until there is no room; returns how many. */
static size_t flow_fill(struct flow *flow, u64 flags)
{
	struct suite *t = flow->t;
	size_t most = 2 * flow->pair.info->tx_attr->size + 1, nr;
	ssize_t ret = 0;

	for (nr = 0; nr < most; nr++) {
		ret = flow_write(flow, nr + 1, flags);
		if (ret)
			break;
	}
	EXPECT_EQ(t, ret, -EAGAIN);
	return nr;
}

static void flow_drain(struct flow *flow, size_t nr)
{
	uintptr_t op;

	for (op = 1; op <= nr; op++)
		if (!EXPECT_COMP(flow->t, &flow->pair.a.tx, (void *)op, NULL))
			break;
}

static void flow_wait_room(struct flow *flow, int calls)
{
	unsigned long timeout = msecs_to_jiffies(SUITE_TIMEOUT_MS);
	struct suite *t = flow->t;

	EXPECT(t, wait_for_completion_timeout(&flow->room, timeout));
	msleep(SUITE_QUIET_MS);
	EXPECT_EQ(t, atomic_read(&flow->calls), calls);
}

/* What is not read takes room, also when it is complete long since. */
static void check_size(struct suite *t, size_t size)
{
	struct flow flow;
	uintptr_t op;

	if (!flow_open(t, &flow, size))
		return;
	EXPECT_EQ(t, flow_fill(&flow, 0), size);
	msleep(SUITE_QUIET_MS);
	EXPECT_EQ(t, flow_write(&flow, 1, 0), -EAGAIN);
	EXPECT_EQ(t, atomic_read(&flow.calls), 0);

	/* one is read: there is room for one, and whoever waited is told */
	EXPECT_COMP(t, &flow.pair.a.tx, (void *)1, NULL);
	flow_wait_room(&flow, 1);
	EXPECT_OK(t, flow_write(&flow, size + 1, 0));
	EXPECT_EQ(t, flow_write(&flow, 1, 0), -EAGAIN);
	for (op = 2; op <= size + 1; op++)
		EXPECT_COMP(t, &flow.pair.a.tx, (void *)op, NULL);
	flow_wait_room(&flow, 2);
	EXPECT_NO_COMP(t, &flow.pair.a.tx);

	EXPECT_EQ(t, flow_fill(&flow, 0), size);
	flow_drain(&flow, size);
	flow_close(&flow);
}

static void test_size(struct suite *t)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 64, 128, 200 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes) && !suite_failed(t); i++)
		check_size(t, sizes[i]);
}

/* Nobody who did not find the queue full is told of room. */
static void test_no_call(struct suite *t)
{
	struct flow flow;
	uintptr_t op;

	if (!flow_open(t, &flow, 4))
		return;
	for (op = 1; op <= 4; op++)
		EXPECT_OK(t, flow_write(&flow, op, 0));
	flow_drain(&flow, 4);
	msleep(SUITE_QUIET_MS);
	EXPECT_EQ(t, atomic_read(&flow.calls), 0);
	flow_close(&flow);
}

static void test_receives(struct suite *t)
{
	struct flow flow;
	uintptr_t op;
	size_t nr;

	if (!flow_open(t, &flow, 37))
		return;
	for (nr = 0; nr < 100; nr++)
		if (kfi_recv(flow.pair.b.ep, flow.mem.buf, 8, NULL, 0,
			     (void *)(nr + 1)))
			break;
	EXPECT_EQ(t, nr, 37);
	EXPECT_EQ(t, kfi_recv(flow.pair.b.ep, flow.mem.buf, 8, NULL, 0, NULL),
		  -EAGAIN);
	for (op = 1; op <= 37; op++)
		EXPECT_OK(t, kfi_send(flow.pair.a.ep, flow.mem.buf + flow.half,
				      8, NULL, 0, (void *)op));
	flow_drain(&flow, 37);

	/* complete, but not read */
	msleep(SUITE_QUIET_MS);
	EXPECT_EQ(t, kfi_recv(flow.pair.b.ep, flow.mem.buf, 8, NULL, 0, NULL),
		  -EAGAIN);
	EXPECT_COMP(t, &flow.pair.b.rx, (void *)1, NULL);
	EXPECT_OK(t, kfi_recv(flow.pair.b.ep, flow.mem.buf, 8, NULL, 0, NULL));
	flow_close(&flow);
}

/* A poster that waits for the transmit handler and a reader that frees room */
struct drain {
	struct work_struct	work;
	struct flow		*flow;
	unsigned int		nr;
};

static void drain_read(struct work_struct *work)
{
	struct drain *drain = container_of(work, struct drain, work);

	flow_drain(drain->flow, drain->nr);
}

static void test_handler(struct suite *t)
{
	unsigned long timeout = msecs_to_jiffies(SUITE_TIMEOUT_MS);
	struct drain drain;
	struct flow flow;
	uintptr_t op = 1;
	ssize_t ret;

	if (!flow_open(t, &flow, 5))
		return;
	drain.flow = &flow;
	drain.nr = suite_scaled(50000, 500);
	INIT_WORK_ONSTACK(&drain.work, drain_read);
	queue_work(suite_wq, &drain.work);
	while (op <= drain.nr && !suite_failed(t)) {
		ret = flow_write(&flow, op, 0);
		if (!ret)
			op++;
		else if (EXPECT_EQ(t, ret, -EAGAIN))
			EXPECT(t, wait_for_completion_timeout(&flow.room,
							      timeout));
	}
	flush_work(&drain.work);
	destroy_work_on_stack(&drain.work);
	flow_close(&flow);
}

/* A chain, and how it ends without its last operation */
static void test_more(struct suite *t)
{
	struct flow flow;
	uintptr_t op;

	if (!flow_open(t, &flow, FLOW_CHAIN))
		return;
	for (op = 1; op < FLOW_CHAIN; op++)
		EXPECT_OK(t, flow_write(&flow, op, KFI_MORE));
	EXPECT_OK(t, flow_write(&flow, op, 0));
	flow_drain(&flow, FLOW_CHAIN);

	/* refused for what it is */
	EXPECT_OK(t, flow_write(&flow, 1, KFI_MORE));
	EXPECT_OK(t, flow_write(&flow, 2, KFI_MORE));
	EXPECT_EQ(t, flow_write(&flow, 3, BIT_ULL(40)), -EINVAL);
	flow_drain(&flow, 2);

	/* refused for want of room */
	EXPECT_EQ(t, flow_fill(&flow, KFI_MORE), FLOW_CHAIN);
	flow_drain(&flow, FLOW_CHAIN);

	/* refused by another call */
	EXPECT_OK(t, flow_write(&flow, 1, KFI_MORE));
	EXPECT_EQ(t, kfi_inject(flow.pair.a.ep, flow.mem.buf,
				flow.pair.info->tx_attr->inject_size + 1, 0),
		  -EMSGSIZE);
	flow_drain(&flow, 1);

	/* nothing follows */
	EXPECT_OK(t, flow_write(&flow, 1, KFI_MORE));
	EXPECT_OK(t, flow_write(&flow, 2, KFI_MORE));
	kfi_ep_ring(flow.pair.a.ep);
	flow_drain(&flow, 2);
	kfi_ep_ring(flow.pair.a.ep);
	flow_close(&flow);
}

/* Receives may be chained as well. */
static void test_more_receives(struct suite *t)
{
	struct kfi_msg msg = { .type = KFI_KVEC };
	struct flow flow;
	uintptr_t op;

	if (!flow_open(t, &flow, FLOW_CHAIN))
		return;
	for (op = 1; op <= FLOW_CHAIN; op++) {
		msg.context = (void *)op;
		EXPECT_OK(t, kfi_recvmsg(flow.pair.b.ep, &msg, KFI_MORE));
	}
	EXPECT_EQ(t, kfi_recvmsg(flow.pair.b.ep, &msg, KFI_MORE), -EAGAIN);
	for (op = 1; op <= FLOW_CHAIN; op++) {
		EXPECT_OK(t, kfi_inject(flow.pair.a.ep, &op, 0, 0));
		if (!EXPECT_COMP(t, &flow.pair.b.rx, (void *)op, NULL))
			break;
	}
	flow_close(&flow);
}

/* The end of the endpoint is the end of the chain: each completes once. */
static void test_more_at_end(struct suite *t)
{
	struct suite_comp comp;
	struct flow flow;
	uintptr_t op;
	int shutdown;

	for (shutdown = 0; shutdown < 2; shutdown++) {
		if (!flow_open(t, &flow, FLOW_CHAIN))
			return;
		for (op = 1; op <= FLOW_CHAIN / 2; op++)
			EXPECT_OK(t, flow_write(&flow, op, KFI_MORE));
		if (shutdown) {
			EXPECT_OK(t, kfi_shutdown(flow.pair.a.ep, 0));
		} else {
			EXPECT_OK(t, kfi_close(&flow.pair.a.ep->fid));
			flow.pair.a.ep = NULL;
		}
		for (op = 1; op <= FLOW_CHAIN / 2; op++) {
			if (!EXPECT(t, suite_read_comp(t, &flow.pair.a.tx,
						       &comp, 0)))
				break;
			EXPECT_EQ(t, (uintptr_t)comp.entry.op_context, op);
		}
		EXPECT_NO_COMP(t, &flow.pair.a.tx);
		flow_close(&flow);
	}
}

const struct suite_test suite_flow_tests[] = {
	{ "flow.size", test_size },
	{ "flow.no_call", test_no_call },
	{ "flow.receives", test_receives },
	{ "flow.handler", test_handler },
	{ "flow.more", test_more },
	{ "flow.more_receives", test_more_receives },
	{ "flow.more_at_end", test_more_at_end },
	{ }
};
