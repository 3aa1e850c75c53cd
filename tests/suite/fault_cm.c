// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Allocations that fail while endpoints connect: those of the calls, and those of
 * the work behind them. Either way each end hears how it went.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/printk.h>

#include <kfi_errno.h>

#include "fault.h"

#define FAULT_CONNECTS		200

/* Where work fails, a message may be lost: its sender need not wait for long. */
#define FAULT_LOST_MS		300

/**
 * struct fault_meet - one attempt to connect
 * @net: what all attempts share
 * @connect: which allocation of kfi_connect() fails, 0 for none
 * @accept: which allocation of the accepting end fails, 0 for none
 * @workers: any of the work behind them may fail
 * @reached: the allocation that was to fail has been made
 * @a: connects
 * @b: accepts
 * @a_told: @a has had an event
 * @b_told: so has @b, or it has nothing to wait for
 * @err: positive errno that @a was told, 0 when it is connected
 */
struct fault_meet {
	struct suite_net	*net;
	unsigned int		connect;
	unsigned int		accept;
	bool			workers;
	bool			reached;
	struct suite_end	a;
	struct suite_end	b;
	bool			a_told;
	bool			b_told;
	int			err;
};

static bool meet_open(struct fault_meet *meet)
{
	const unsigned int ms = meet->workers ? FAULT_LOST_MS :
						SUITE_TIMEOUT_MS;
	static const struct suite_opts opts;
	struct suite_net *net = meet->net;
	struct suite *t = net->t;
	struct kfi_info *info;
	bool ok;

	if (!EXPECT_OK(t, suite_getinfo(net->caps, net->port, 0, &info)))
		return false;
	ok = suite_end_open(net, &meet->a, info, &opts) &&
	     EXPECT_OK(t, kfi_setopt(&meet->a.ep->fid, KFI_OPT_ENDPOINT,
				     KFI_OPT_CONNECT_TIMEOUT, &ms,
				     sizeof(ms))) &&
	     EXPECT_OK(t, kfi_enable(meet->a.ep));
	kfi_freeinfo(info);
	return ok;
}

/* After an error nothing has begun, and the same call works. */
static bool meet_connect(struct fault_meet *meet)
{
	struct suite *t = meet->net->t;
	int ret;

	fault_arm(meet->connect);
	ret = kfi_connect(meet->a.ep, NULL, NULL, 0);
	if (meet->connect)
		meet->reached = fault_disarm();
	if (!ret)
		return true;
	fault_check(t, ret);
	return EXPECT_OK(t, kfi_connect(meet->a.ep, NULL, NULL, 0));
}

static int meet_answer(struct fault_meet *meet, struct kfi_info *info)
{
	const unsigned int ms = FAULT_LOST_MS;
	struct suite_net *net = meet->net;
	struct suite_end *b = &meet->b;

	return kfi_endpoint(net->domain, info, &b->ep, NULL) ?:
	       kfi_setopt(&b->ep->fid, KFI_OPT_ENDPOINT,
			  KFI_OPT_CONNECT_TIMEOUT, &ms, sizeof(ms)) ?:
	       kfi_ep_bind(b->ep, &net->eq->fid, 0) ?:
	       kfi_ep_bind(b->ep, &b->tx.cq->fid, KFI_TRANSMIT) ?:
	       kfi_ep_bind(b->ep, &b->rx.cq->fid, KFI_RECV) ?:
	       kfi_enable(b->ep) ?:
	       kfi_accept(b->ep, NULL, 0);
}

/*
 * A request that is not accepted is rejected by its end. There can be one from an
 * attempt that @a's predecessor has given up.
 */
static bool meet_accept(struct fault_meet *meet, struct kfi_info *info)
{
	struct kfi_cq_attr attr = { };
	struct suite *t = meet->net->t;
	bool ok = true;
	int ret;

	if (!meet->b.tx.cq) {
		ok = EXPECT_OK(t, suite_cq_open(&meet->b.tx, meet->net->domain,
						&attr, false)) &&
		     EXPECT_OK(t, suite_cq_open(&meet->b.rx, meet->net->domain,
						&attr, false));
	}
	if (ok && !meet->b.ep) {
		fault_arm(meet->accept);
		ret = meet_answer(meet, info);
		if (meet->accept)
			meet->reached = fault_disarm();
		meet->b_told = ret;
		if (ret && meet->b.ep) {
			EXPECT_OK(t, kfi_close(&meet->b.ep->fid));
			meet->b.ep = NULL;
		}
		if (ret && !(meet->workers && ret == -ECONNRESET))
			fault_check(t, ret);
	}
	kfi_freeinfo(info);
	return ok;
}

static bool meet_event(struct fault_meet *meet)
{
	struct suite_net *net = meet->net;
	struct suite *t = net->t;
	struct suite_event ev;

	if (!EXPECT(t, suite_read_event(t, net->eq, &ev, SUITE_TIMEOUT_MS)))
		return false;
	if (ev.event == KFI_CONNREQ) {
		meet->b_told = false;
		return meet_accept(meet, ev.info);
	}
	if (ev.fid == &meet->a.ep->fid) {
		if (!meet->a_told)
			meet->err = ev.err;
		meet->a_told = true;
	} else if (EXPECT(t, meet->b.ep && ev.fid == &meet->b.ep->fid)) {
		meet->b_told = true;
	}
	return true;
}

static void meet_close(struct fault_meet *meet)
{
	struct suite *t = meet->net->t;
	struct suite_event ev;

	suite_end_close(t, &meet->a);
	suite_end_close(t, &meet->b);
	while (suite_read_event(t, meet->net->eq, &ev, 0))
		if (ev.event == KFI_CONNREQ)
			kfi_freeinfo(ev.info);
}

/* Nothing to wait for at the other end, until there is a request. */
static bool meet(struct fault_meet *meet)
{
	bool ok;

	meet->b_told = true;
	ok = meet_open(meet);
	fault_workers(meet->workers);
	ok = ok && meet_connect(meet);
	while (ok && !(meet->a_told && meet->b_told))
		ok = meet_event(meet);
	fault_workers(false);
	meet_close(meet);
	return ok;
}

static void fault_connect(struct suite *t, u64 caps)
{
	struct suite_net net;
	unsigned int nth;

	if (!suite_net_open(t, &net, caps, NULL))
		return;
	if (fault_begin(t)) {
		for (nth = 1; nth < FAULT_LIMIT; nth++) {
			struct fault_meet m = { .net = &net, .connect = nth };

			if (!meet(&m))
				break;
			EXPECT(t, !m.err || m.err == ENOMEM);
			if (!m.reached)
				break;
		}
		EXPECT(t, nth > 1 && nth < FAULT_LIMIT);
		fault_end();
	}
	suite_net_close(&net);
}

static void test_connect(struct suite *t)
{
	fault_connect(t, SUITE_RAW);
}

static void test_connect_both(struct suite *t)
{
	fault_connect(t, SUITE_BOTH);
}

static void fault_accept(struct suite *t, u64 caps)
{
	struct suite_net net;
	unsigned int nth;

	if (!suite_net_open(t, &net, caps, NULL))
		return;
	if (fault_begin(t)) {
		for (nth = 1; nth < FAULT_LIMIT; nth++) {
			struct fault_meet m = { .net = &net, .accept = nth };

			if (!meet(&m))
				break;
			EXPECT(t, !m.err || m.err == ECONNREFUSED ||
			       m.err == ECONNRESET);
			if (!m.reached)
				break;
		}
		EXPECT(t, nth > 1 && nth < FAULT_LIMIT);
		fault_end();
	}
	suite_net_close(&net);
}

static void test_accept(struct suite *t)
{
	fault_accept(t, SUITE_RAW);
}

static void test_accept_commit(struct suite *t)
{
	fault_accept(t, SUITE_COMMIT);
}

static void test_accept_both(struct suite *t)
{
	fault_accept(t, SUITE_BOTH);
}

/*
 * The outcome is anyone's guess, but there is one, and when memory is there again
 * two ends connect and talk.
 */
static void fault_workers_some(struct suite *t, u64 caps)
{
	const struct suite_opts opts = { .caps = caps };
	struct suite_pair pair;
	struct suite_net net;
	unsigned int nr = suite_scaled(FAULT_CONNECTS, 20);
	unsigned int i, up = 0;

	if (!suite_net_open(t, &net, caps, NULL))
		return;
	if (fault_begin(t)) {
		for (i = 0; i < nr; i++) {
			struct fault_meet m = { .net = &net, .workers = true };

			if (!meet(&m))
				break;
			up += !m.err;
		}
		fault_end();
		pr_info("# %u of %u connected\n", up, i);
	}
	suite_net_close(&net);
	if (suite_open(t, &net, &pair, &opts)) {
		suite_ping(t, &pair.a, &pair.b);
		suite_close(&net, &pair);
	}
}

static void test_workers(struct suite *t)
{
	fault_workers_some(t, SUITE_RAW);
}

static void test_workers_both(struct suite *t)
{
	fault_workers_some(t, SUITE_BOTH);
}

const struct suite_test suite_fault_cm_tests[] = {
	{ "fault.connect", test_connect },
	{ "fault.accept", test_accept },
	{ "fault.accept_commit", test_accept_commit },
	{ "fault.workers", test_workers },
	{ "fault.connect_both", test_connect_both },
	{ "fault.accept_both", test_accept_both },
	{ "fault.workers_both", test_workers_both },
	{ }
};
