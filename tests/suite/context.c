// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Every call that moves data, in each of its forms, with a spinlock held and
 * interrupts off. A debug kernel says what it thinks of a provider that minds. Where
 * allocations can be made to fail, there is none to fail.
 */

#include <linux/bvec.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uio.h>

#include <kfi_atomic.h>

#include "fault.h"
#include "store.h"

#define CONTEXT_ATOMIC	(KFI_MSG | KFI_RMA | KFI_ATOMIC)
#define CONTEXT_LEN	8

/* Protects nothing: calls are made under it that must not mind. */
static DEFINE_SPINLOCK(any_lock);

/* Between these two nothing may sleep or allocate. */
static unsigned long calls_begin(void)
	__acquires(&any_lock)
{
	unsigned long flags;

	spin_lock_irqsave(&any_lock, flags);
	fault_arm(1);
	return flags;
}

static void calls_end(struct suite *t, unsigned long flags)
	__releases(&any_lock)
{
	EXPECT(t, !fault_disarm());
	spin_unlock_irqrestore(&any_lock, flags);
}

/**
 * struct calls - what the calls are made on
 * @t: the test
 * @net: the net
 * @pair: the pair
 * @mem: the target's memory, and the initiator's
 * @iov: a few bytes of it
 * @bv: the same
 * @sg: the same
 * @rma: the same at the target
 * @sent: completions to be expected of what was transmitted
 * @received: and of what was received
 */
struct calls {
	struct suite		*t;
	struct suite_net	net;
	struct suite_pair	pair;
	struct suite_mem	mem;
	struct kvec		iov;
	struct bio_vec		bv;
	struct scatterlist	sg;
	struct kfi_rma_iov	rma;
	unsigned int		sent;
	unsigned int		received;
};

static void calls_close(struct calls *calls)
{
	suite_pair_close(&calls->pair);
	suite_mem_close(calls->t, &calls->mem);
	suite_net_close(&calls->net);
}

static bool calls_open(struct suite *t, struct calls *calls,
		       const struct suite_opts *opts)
{
	u8 *buf;

	memset(calls, 0, sizeof(*calls));
	calls->t = t;
	if (!suite_open(t, &calls->net, &calls->pair, opts))
		return false;
	if (!suite_mem_open(&calls->net, &calls->mem, PAGE_SIZE,
			    SUITE_ACCESS)) {
		suite_close(&calls->net, &calls->pair);
		return false;
	}
	buf = calls->mem.buf + 64;
	calls->iov.iov_base = buf;
	calls->iov.iov_len = CONTEXT_LEN;
	bvec_set_page(&calls->bv, virt_to_page(buf), CONTEXT_LEN,
		      offset_in_page(buf));
	sg_init_one(&calls->sg, buf, CONTEXT_LEN);
	calls->rma.addr = calls->mem.addr;
	calls->rma.len = CONTEXT_LEN;
	calls->rma.key = calls->mem.key;
	return true;
}

/* One more call that is accepted and makes an entry, or will */
static void sent(struct calls *calls, int line, const char *text, ssize_t ret)
{
	if (suite_equal(calls->t, __FILE__, line, text, ret, 0))
		calls->sent++;
}

static void received(struct calls *calls, int line, const char *text,
		     ssize_t ret)
{
	if (suite_equal(calls->t, __FILE__, line, text, ret, 0))
		calls->received++;
}

#define SENT(calls, call)	sent(calls, __LINE__, #call, call)
#define RECEIVED(calls, call)	received(calls, __LINE__, #call, call)

static void post_receives(struct calls *calls, unsigned int rounds)
{
	const struct kfi_msg msg = {
		.type = KFI_KVEC, .msg_iov = &calls->iov, .iov_count = 1,
	};
	struct kfid_ep *ep = calls->pair.b.ep;
	u8 *buf = calls->iov.iov_base;

	for (; rounds; rounds--) {
		RECEIVED(calls, kfi_recv(ep, buf, 8, NULL, 0, NULL));
		RECEIVED(calls, kfi_recvv(ep, &calls->iov, NULL, 1, 0, NULL));
		RECEIVED(calls, kfi_recvbv(ep, &calls->bv, NULL, 1, 0, NULL));
		RECEIVED(calls, kfi_recvsgl(ep, &calls->sg, NULL, 1, 0, NULL));
		RECEIVED(calls, kfi_recvmsg(ep, &msg, KFI_MORE));
		RECEIVED(calls, kfi_recvmsg(ep, &msg, 0));
	}
}

/* Ten messages */
static void post_messages(struct calls *calls)
{
	const struct kfi_msg msg = {
		.type = KFI_KVEC, .msg_iov = &calls->iov, .iov_count = 1,
		.data = 7,
	};
	struct kfid_ep *ep = calls->pair.a.ep;
	u8 *buf = calls->iov.iov_base;
	struct suite *t = calls->t;

	SENT(calls, kfi_send(ep, buf, 8, NULL, 0, NULL));
	SENT(calls, kfi_sendv(ep, &calls->iov, NULL, 1, 0, NULL));
	SENT(calls, kfi_sendbv(ep, &calls->bv, NULL, 1, 0, NULL));
	SENT(calls, kfi_sendsgl(ep, &calls->sg, NULL, 1, 0, NULL));
	SENT(calls, kfi_senddata(ep, buf, 8, NULL, 7, 0, NULL));
	SENT(calls, kfi_sendmsg(ep, &msg, KFI_MORE));
	kfi_ep_ring(ep);
	SENT(calls, kfi_sendmsg(ep, &msg, KFI_INJECT | KFI_REMOTE_CQ_DATA));
	SENT(calls, kfi_sendmsg(ep, &msg, KFI_FENCE));
	EXPECT_OK(t, kfi_inject(ep, buf, 8, 0));
	EXPECT_OK(t, kfi_injectdata(ep, buf, 8, 7, 0));
	EXPECT_EQ(t, kfi_sendmsg(ep, &msg, BIT_ULL(40)), -EINVAL);
}

/* Two of the writes have data. */
static void post_writes(struct calls *calls)
{
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &calls->iov, .iov_count = 1,
		.rma_iov = &calls->rma, .rma_iov_count = 1,
	};
	u64 addr = calls->rma.addr, key = calls->rma.key;
	struct kfid_ep *ep = calls->pair.a.ep;
	u8 *buf = calls->iov.iov_base;
	struct suite *t = calls->t;

	SENT(calls, kfi_write(ep, buf, 8, NULL, 0, addr, key, NULL));
	SENT(calls, kfi_writev(ep, &calls->iov, NULL, 1, 0, addr, key, NULL));
	SENT(calls, kfi_writebv(ep, &calls->bv, NULL, 1, 0, addr, key, NULL));
	SENT(calls, kfi_writesgl(ep, &calls->sg, NULL, 1, 0, addr, key, NULL));
	SENT(calls, kfi_writedata(ep, buf, 8, NULL, 7, 0, addr, key, NULL));
	SENT(calls, kfi_writemsg(ep, &msg, KFI_MORE));
	SENT(calls, kfi_writemsg(ep, &msg, KFI_INJECT));
	SENT(calls, kfi_writemsg(ep, &msg, KFI_DELIVERY_COMPLETE));
	SENT(calls, kfi_writemsg(ep, &msg, KFI_FENCE));
	EXPECT_OK(t, kfi_inject_write(ep, buf, 8, 0, addr, key));
	EXPECT_OK(t, kfi_inject_writedata(ep, buf, 8, 7, 0, addr, key));
	EXPECT_EQ(t, kfi_writemsg(ep, &msg, BIT_ULL(40)), -EINVAL);
}

static void post_reads(struct calls *calls)
{
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &calls->iov, .iov_count = 1,
		.rma_iov = &calls->rma, .rma_iov_count = 1,
	};
	u64 addr = calls->rma.addr, key = calls->rma.key;
	struct kfid_ep *ep = calls->pair.a.ep;
	u8 *buf = calls->iov.iov_base;

	SENT(calls, kfi_read(ep, buf, 8, NULL, 0, addr, key, NULL));
	SENT(calls, kfi_readv(ep, &calls->iov, NULL, 1, 0, addr, key, NULL));
	SENT(calls, kfi_readbv(ep, &calls->bv, NULL, 1, 0, addr, key, NULL));
	SENT(calls, kfi_readsgl(ep, &calls->sg, NULL, 1, 0, addr, key, NULL));
	SENT(calls, kfi_readmsg(ep, &msg, KFI_MORE));
	SENT(calls, kfi_readmsg(ep, &msg, KFI_FENCE));
}

/* Until there is no room; then it is the work of the reader to make some. */
static void post_full(struct calls *calls)
{
	u64 addr = calls->rma.addr, key = calls->rma.key;
	struct kfid_ep *ep = calls->pair.a.ep;
	unsigned int most = calls->pair.info->tx_attr->size;
	ssize_t ret = 0;

	while (calls->sent <= most) {
		ret = kfi_write(ep, calls->iov.iov_base, 8, NULL, 0, addr, key,
				NULL);
		if (ret)
			break;
		calls->sent++;
	}
	EXPECT_EQ(calls->t, ret, -EAGAIN);
}

/* Reads @nr completions, each of them with interrupts off. */
static void read_locked(struct suite *t, struct suite_cq *scq, unsigned int nr)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(SUITE_TIMEOUT_MS);
	struct kfi_cq_data_entry entry;
	struct kfi_cq_err_entry err = { };
	unsigned long flags;
	ssize_t ret;

	while (nr && !suite_failed(t)) {
		flags = calls_begin();
		ret = kfi_cq_read(scq->cq, &entry, 1);
		EXPECT_EQ(t, kfi_cq_readerr(scq->cq, &err, 0), -EAGAIN);
		calls_end(t, flags);
		if (ret == 1)
			nr--;
		else if (EXPECT_EQ(t, ret, -EAGAIN))
			usleep_range(20, 60);
		EXPECT(t, time_before(jiffies, deadline));
	}
	EXPECT_NO_COMP(t, scq);
}

static void read_events(struct suite *t, struct kfid_eq *eq)
{
	u8 buf[sizeof(struct kfi_eq_cm_entry)] __aligned(8);
	struct kfi_eq_err_entry err = { };
	u32 event;

	EXPECT_EQ(t, kfi_eq_read(eq, &event, buf, sizeof(buf), 0), -EAGAIN);
	EXPECT_EQ(t, kfi_eq_readerr(eq, &err, 0), -EAGAIN);
}

static void check_calls(struct suite *t, const struct suite_opts *opts)
{
	struct calls calls;
	unsigned long flags;

	if (!calls_open(t, &calls, opts))
		return;
	flags = calls_begin();
	/* ten messages and two writes with data */
	post_receives(&calls, 2);
	post_messages(&calls);
	post_writes(&calls);
	post_reads(&calls);
	read_events(t, calls.net.eq);
	calls_end(t, flags);
	/* a polled queue goes on behind a fence only when it is read */
	read_locked(t, &calls.pair.a.tx, calls.sent);
	read_locked(t, &calls.pair.b.rx, calls.received);

	calls.sent = 0;
	flags = calls_begin();
	post_full(&calls);
	calls_end(t, flags);
	read_locked(t, &calls.pair.a.tx, calls.sent);
	calls_close(&calls);
}

static void test_calls(struct suite *t)
{
	struct suite_opts opts = { };

	check_calls(t, &opts);
	opts.polled = true;
	check_calls(t, &opts);
	opts.polled = false;
	opts.cq_flags = KFI_CQ_PROCESS_CONTEXT;
	check_calls(t, &opts);
}

/* Operands are copied, results are not. */
static void post_atomics(struct calls *calls)
{
	u64 *result = (void *)calls->mem.buf + 128;
	u64 operand = 1, compare = 1;
	struct kfi_ioc iov = { .addr = &operand, .count = 1 };
	struct kfi_ioc cmp = { .addr = &compare, .count = 1 };
	struct kfi_ioc res = { .addr = result, .count = 1 };
	struct kfi_rma_ioc rma = {
		.addr = calls->rma.addr, .count = 1, .key = calls->rma.key,
	};
	struct kfi_msg_atomic msg = {
		.msg_iov = &iov, .iov_count = 1, .rma_iov = &rma,
		.rma_iov_count = 1, .datatype = KFI_UINT64, .op = KFI_SUM,
	};
	u64 addr = calls->rma.addr, key = calls->rma.key;
	struct kfid_ep *ep = calls->pair.a.ep;

	SENT(calls, kfi_atomic(ep, &operand, 1, NULL, 0, addr, key, KFI_UINT64,
			       KFI_SUM, NULL));
	SENT(calls, kfi_atomicmsg(ep, &msg, KFI_MORE));
	SENT(calls, kfi_fetch_atomic(ep, &operand, 1, NULL, result, NULL, 0,
				     addr, key, KFI_UINT64, KFI_SUM, NULL));
	SENT(calls, kfi_fetch_atomicmsg(ep, &msg, &res, NULL, 1, KFI_FENCE));
	EXPECT_OK(calls->t, kfi_inject_atomic(ep, &operand, 1, 0, addr, key,
					      KFI_UINT64, KFI_SUM));
	/* it is 5 by now, and 3 after the first of these */
	operand = 3;
	compare = 5;
	SENT(calls, kfi_compare_atomic(ep, &operand, 1, NULL, &compare, NULL,
				       result, NULL, 0, addr, key, KFI_UINT64,
				       KFI_CSWAP, NULL));
	compare = 3;
	operand = 9;
	msg.op = KFI_CSWAP;
	SENT(calls, kfi_compare_atomicmsg(ep, &msg, &cmp, NULL, 1, &res, NULL,
					  1, 0));
	operand = 0;
	compare = 0;
}

static void test_atomics(struct suite *t)
{
	const struct suite_opts opts = { .caps = CONTEXT_ATOMIC };
	struct kfi_info *info;
	struct calls calls;
	unsigned long flags;

	if (suite_getinfo(CONTEXT_ATOMIC, NULL, KFI_SOURCE, &info)) {
		t->skip = "the device has no atomic operations";
		return;
	}
	kfi_freeinfo(info);
	if (!calls_open(t, &calls, &opts))
		return;
	flags = calls_begin();
	post_atomics(&calls);
	calls_end(t, flags);
	read_locked(t, &calls.pair.a.tx, calls.sent);
	EXPECT_EQ(t, *(u64 *)calls.mem.buf, 9);
	EXPECT_EQ(t, *(u64 *)(calls.mem.buf + 128), 3);
	calls_close(&calls);
}

/* What a commit endpoint does; all but the inject make an entry. */
static unsigned int post_commits(struct store *store)
{
	static const u64 flags[] = {
		0, KFI_COMMIT, KFI_COMMIT | KFI_MORE, KFI_COMMIT | KFI_INJECT,
		KFI_COMMIT | KFI_FENCE, KFI_COMMIT | KFI_REMOTE_CQ_DATA,
		KFI_DELIVERY_COMPLETE, KFI_REMOTE_CQ_DATA,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_OK(store->t, store_write(store, i * 64, 64, NULL,
						flags[i]));
	EXPECT_OK(store->t, kfi_inject_write(store->pair.a.ep, store->buf, 8,
					     0, store->addr, store->key));
	return i;
}

static void test_commits(struct suite *t)
{
	struct suite_opts opts = { };
	unsigned long flags;
	struct store store;
	unsigned int nr;

	for (; !suite_failed(t); opts.polled = true) {
		if (!store_open(t, &store, &opts))
			return;
		flags = calls_begin();
		nr = post_commits(&store);
		calls_end(t, flags);
		read_locked(t, &store.pair.a.tx, nr);
		read_locked(t, &store.pair.b.rx, 2);
		EXPECT(t, !kfi_pmemsim_dirty(store.sim, 64, 5 * 64));
		store_close(&store);
		if (opts.polled)
			break;
	}
}

const struct suite_test suite_context_tests[] = {
	{ "context.calls", test_calls },
	{ "context.atomics", test_atomics },
	{ "context.commits", test_commits },
	{ "context.commits_read", test_commits, KFI_COMMIT_READ },
	{ }
};
