// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Event queues: many objects on one, full ones, peeking, handlers.
 */

#include <linux/in.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "suite.h"

#define EQ_ENDS	8

/**
 * struct crowd - several pairs whose events go to one queue
 * @net: what they share
 * @info: what the connecting ends were opened with
 * @a: connecting ends
 * @b: accepting ends, each in the order of its request
 * @nr: how many
 */
struct crowd {
	struct suite_net	net;
	struct kfi_info		*info;
	struct suite_end	a[EQ_ENDS];
	struct suite_end	b[EQ_ENDS];
	unsigned int		nr;
};

/* The endpoint that an event is about, 0 to nr - 1, or -1 */
static int crowd_find(struct suite_end *ends, unsigned int nr,
		      struct kfid *fid)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (ends[i].ep && &ends[i].ep->fid == fid)
			return i;
	return -1;
}

/* Opens ends @from to @to - 1 on @eq and connects them all at once. */
static bool crowd_connect(struct crowd *crowd, unsigned int from,
			  unsigned int to, struct kfid_eq *eq)
{
	const struct suite_opts opts = { .eq = eq };
	struct suite_net *net = &crowd->net;
	struct suite *t = net->t;
	unsigned int i;

	for (i = from; i < to; i++)
		if (!suite_end_open(net, &crowd->a[i], crowd->info, &opts) ||
		    !suite_patient(t, &crowd->a[i]))
			return false;
	for (i = from; i < to; i++)
		if (!EXPECT_OK(t, kfi_connect(crowd->a[i].ep, NULL, NULL, 0)))
			return false;
	return true;
}

static bool crowd_accept(struct crowd *crowd, struct kfi_info *info)
{
	const struct suite_opts opts = { };
	struct suite *t = crowd->net.t;
	struct suite_end *end;

	if (!EXPECT(t, crowd->nr < EQ_ENDS))
		return false;
	end = &crowd->b[crowd->nr++];
	return suite_end_open(&crowd->net, end, info, &opts) &&
	       EXPECT_OK(t, kfi_accept(end->ep, NULL, 0));
}

static void crowd_close(struct crowd *crowd)
{
	unsigned int i;

	for (i = 0; i < EQ_ENDS; i++) {
		suite_end_close(crowd->net.t, &crowd->a[i]);
		suite_end_close(crowd->net.t, &crowd->b[i]);
	}
	kfi_freeinfo(crowd->info);
	suite_net_close(&crowd->net);
	kfree(crowd);
}

static struct crowd *crowd_open(struct suite *t, struct kfi_eq_attr *attr)
{
	struct crowd *crowd = kzalloc_obj(*crowd);

	if (!EXPECT(t, crowd))
		return NULL;
	if (!suite_net_open(t, &crowd->net, SUITE_RAW, attr)) {
		kfree(crowd);
		return NULL;
	}
	if (!EXPECT_OK(t, suite_getinfo(SUITE_RAW, crowd->net.port, 0,
					&crowd->info))) {
		crowd_close(crowd);
		return NULL;
	}
	return crowd;
}

/* Reads until these ends of both sides are connected, each one told once. */
static bool crowd_run(struct crowd *crowd, unsigned int from, unsigned int to)
{
	unsigned long connected_a = 0, connected_b = 0;
	unsigned long all = GENMASK(to - 1, from);
	struct suite_net *net = &crowd->net;
	struct suite *t = net->t;
	struct suite_event ev;
	bool ok = true;
	int a, b;

	while (ok && (connected_a != all || connected_b != all)) {
		if (!EXPECT(t, suite_read_event(t, net->eq, &ev,
						SUITE_TIMEOUT_MS)))
			return false;
		if (ev.event == KFI_CONNREQ) {
			ok = EXPECT(t, ev.fid == &net->pep->fid) &&
			     crowd_accept(crowd, ev.info);
			kfi_freeinfo(ev.info);
			continue;
		}
		a = crowd_find(crowd->a, to, ev.fid);
		b = crowd_find(crowd->b, crowd->nr, ev.fid);
		ok = EXPECT_EQ(t, ev.event, KFI_CONNECTED) &&
		     EXPECT(t, a >= 0 || b >= 0) &&
		     EXPECT(t, !(a >= 0 ? connected_a & BIT(a) :
					  connected_b & BIT(b)));
		if (!ok)
			return false;
		if (a >= 0)
			connected_a |= BIT(a);
		else
			connected_b |= BIT(b);
	}
	return ok;
}

/* Every accepting end is told once that its peer has gone. */
static void crowd_wait_shutdown(struct crowd *crowd, unsigned int nr)
{
	struct suite *t = crowd->net.t;
	unsigned long told = 0;
	struct suite_event ev;
	int b;

	while (told != GENMASK(nr - 1, 0)) {
		if (!EXPECT_EVENT(t, crowd->net.eq, KFI_SHUTDOWN, NULL, &ev))
			return;
		b = crowd_find(crowd->b, crowd->nr, ev.fid);
		if (!EXPECT(t, b >= 0) || !EXPECT(t, !(told & BIT(b))))
			return;
		told |= BIT(b);
	}
	EXPECT(t, !suite_read_event(t, crowd->net.eq, &ev, SUITE_QUIET_MS));
}

static void test_many(struct suite *t)
{
	struct crowd *crowd = crowd_open(t, NULL);
	unsigned int i;

	if (!crowd)
		return;
	if (crowd_connect(crowd, 0, EQ_ENDS, NULL) &&
	    crowd_run(crowd, 0, EQ_ENDS)) {
		for (i = 0; i < EQ_ENDS; i++) {
			EXPECT_OK(t, kfi_close(&crowd->a[i].ep->fid));
			crowd->a[i].ep = NULL;
		}
		crowd_wait_shutdown(crowd, EQ_ENDS);
	}
	crowd_close(crowd);
}

/* Room for one request, and yet no shutdown of many endpoints is lost. */
static void test_full_shutdown(struct suite *t)
{
	struct kfi_eq_attr attr = { .size = 1 };
	struct crowd *crowd = crowd_open(t, &attr);
	unsigned int i;

	if (!crowd)
		return;
	for (i = 0; i < EQ_ENDS; i++)
		if (!crowd_connect(crowd, i, i + 1, NULL) ||
		    !crowd_run(crowd, i, i + 1))
			goto out;
	for (i = 0; i < EQ_ENDS; i++) {
		EXPECT_OK(t, kfi_close(&crowd->a[i].ep->fid));
		crowd->a[i].ep = NULL;
	}
	crowd_wait_shutdown(crowd, EQ_ENDS);
out:
	crowd_close(crowd);
}

/* Requests beyond the room for them are refused, the others are kept. */
static void test_full_connreq(struct suite *t)
{
	struct kfi_eq_attr attr = { .size = 2 };
	struct crowd *crowd = crowd_open(t, &attr);
	struct suite_event ev;
	struct kfid_eq *eq;
	unsigned int i;

	if (!crowd)
		return;
	if (!EXPECT_OK(t, kfi_eq_open(crowd->net.fabric, NULL, &eq, NULL,
				      NULL)))
		goto out;
	if (crowd_connect(crowd, 0, 4, eq)) {
		for (i = 0; i < 2; i++)
			EXPECT_ERROR(t, eq, ECONNREFUSED, NULL, &ev);
		for (i = 0; i < 2; i++) {
			if (EXPECT_EVENT(t, crowd->net.eq, KFI_CONNREQ,
					 &crowd->net.pep->fid, &ev)) {
				crowd_accept(crowd, ev.info);
				kfi_freeinfo(ev.info);
			}
		}
		for (i = 0; i < 2; i++)
			EXPECT_EVENT(t, eq, KFI_CONNECTED, NULL, &ev);
	}
	for (i = 0; i < EQ_ENDS; i++)
		suite_end_close(t, &crowd->a[i]);
	EXPECT_OK(t, kfi_close(&eq->fid));
out:
	crowd_close(crowd);
}

/* Reading and peeking one connection request in every way */
static void check_read(struct suite *t, struct suite_net *net)
{
	u8 buf[sizeof(struct kfi_eq_cm_entry) + 4] __aligned(8);
	struct kfi_eq_cm_entry *entry = (void *)buf;
	struct kfi_eq_err_entry err = { };
	u32 event = 0;

	EXPECT_EQ(t, kfi_eq_sread(net->eq, &event, buf, sizeof(buf),
				  SUITE_TIMEOUT_MS, KFI_PEEK), sizeof(buf));
	EXPECT_EQ(t, event, KFI_CONNREQ);
	EXPECT(t, entry->fid == &net->pep->fid);
	EXPECT_EQ(t, kfi_eq_read(net->eq, &event, buf, sizeof(buf),
				 BIT_ULL(40)), -EINVAL);
	EXPECT_EQ(t, kfi_eq_read(net->eq, &event, buf, sizeof(*entry) - 1, 0),
		  -KFI_ETOOSMALL);
	EXPECT_EQ(t, kfi_eq_readerr(net->eq, &err, 0), -EAGAIN);
	EXPECT_EQ(t, kfi_eq_readerr(net->eq, &err, BIT_ULL(40)), -EINVAL);
	EXPECT_EQ(t, kfi_eq_read(net->eq, &event, buf, sizeof(*entry),
				 KFI_PEEK), sizeof(*entry));

	/* as much private data as fits */
	memset(entry->data, 0, 4);
	if (!EXPECT_EQ(t, kfi_eq_read(net->eq, &event, buf, sizeof(buf), 0),
		       sizeof(buf)))
		return;
	EXPECT_SAME(t, entry->data, "data", 4);
	EXPECT_EQ(t, kfi_eq_read(net->eq, &event, buf, sizeof(buf), 0),
		  -EAGAIN);
	EXPECT_OK(t, kfi_reject(net->pep, entry->info->handle, "no", 2));
	kfi_freeinfo(entry->info);
}

/* The same with the error that the other side gets */
static void check_readerr(struct suite *t, struct suite_net *net,
			  struct kfid_ep *ep)
{
	u8 buf[sizeof(struct kfi_eq_cm_entry)] __aligned(8);
	u8 body[2] = { };
	struct kfi_eq_err_entry err = {
		.err_data = body, .err_data_size = sizeof(body),
	};
	u32 event;

	EXPECT_EQ(t, kfi_eq_sread(net->eq, &event, buf, sizeof(buf),
				  SUITE_TIMEOUT_MS, 0), -KFI_EAVAIL);
	EXPECT_EQ(t, kfi_eq_readerr(net->eq, &err, KFI_PEEK), sizeof(err));
	EXPECT(t, err.fid == &ep->fid);
	EXPECT_EQ(t, err.err, ECONNREFUSED);
	EXPECT_EQ(t, err.err_data_size, sizeof(body));
	EXPECT_SAME(t, body, "no", 2);

	err.err_data = NULL;
	err.err_data_size = 0;
	EXPECT_EQ(t, kfi_eq_readerr(net->eq, &err, 0), sizeof(err));
	EXPECT_EQ(t, err.err, ECONNREFUSED);
	EXPECT_EQ(t, kfi_eq_readerr(net->eq, &err, 0), -EAGAIN);
	EXPECT_EQ(t, kfi_eq_read(net->eq, &event, buf, sizeof(buf), 0),
		  -EAGAIN);
}

static void test_read(struct suite *t)
{
	const struct suite_opts opts = { };
	struct kfi_info *info = NULL;
	struct suite_end end = { };
	struct suite_net net;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	if (EXPECT_OK(t, suite_getinfo(net.caps, net.port, 0, &info)) &&
	    suite_end_open(&net, &end, info, &opts) &&
	    EXPECT_OK(t, kfi_connect(end.ep, NULL, "data", 4))) {
		check_read(t, &net);
		check_readerr(t, &net, end.ep);
	}
	suite_end_close(t, &end);
	kfi_freeinfo(info);
	suite_net_close(&net);
}

static void test_timeout(struct suite *t)
{
	struct suite_event ev;
	struct suite_net net;
	ktime_t start;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	start = ktime_get();
	EXPECT(t, !suite_read_event(t, net.eq, &ev, 100));
	EXPECT(t, ktime_ms_delta(ktime_get(), start) >= 90);
	start = ktime_get();
	EXPECT(t, !suite_read_event(t, net.eq, &ev, 0));
	suite_net_close(&net);
}

static void test_attributes(struct suite *t)
{
	struct kfi_eq_attr flags = { .flags = BIT_ULL(40) };
	struct kfi_eq_attr set = { .wait_obj = KFI_WAIT_SET };
	struct kfi_eq_attr vector = { .signaling_vector = 1 };
	struct suite_net net;
	struct kfid_eq *eq;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	EXPECT_EQ(t, kfi_eq_open(net.fabric, &flags, &eq, NULL, NULL), -EINVAL);
	EXPECT_EQ(t, kfi_eq_open(net.fabric, &set, &eq, NULL, NULL), -EINVAL);
	EXPECT_EQ(t, kfi_eq_open(net.fabric, &vector, &eq, NULL, NULL),
		  -EINVAL);
	suite_net_close(&net);
}

/* What is unread of an endpoint goes with it. */
static void test_vanish(struct suite *t)
{
	u8 buf[sizeof(struct kfi_eq_cm_entry)] __aligned(8);
	struct suite_pair pair;
	struct suite_net net;
	u32 event;

	if (!suite_open(t, &net, &pair, NULL))
		return;
	EXPECT_OK(t, kfi_close(&pair.a.ep->fid));
	pair.a.ep = NULL;
	EXPECT_EQ(t, kfi_eq_sread(net.eq, &event, buf, sizeof(buf),
				  SUITE_TIMEOUT_MS, KFI_PEEK), sizeof(buf));
	EXPECT_EQ(t, event, KFI_SHUTDOWN);
	suite_pair_close(&pair);
	EXPECT_EQ(t, kfi_eq_read(net.eq, &event, buf, sizeof(buf), 0),
		  -EAGAIN);
	suite_net_close(&net);
}

/**
 * struct closer - an event handler that closes an endpoint
 * @end: the endpoint
 * @calls: how often the handler was called
 * @ret: what kfi_close() returned
 * @done: it has
 */
struct closer {
	struct suite_end	end;
	unsigned int		calls;
	int			ret;
	struct completion	done;
};

static void close_on_error(struct kfid_eq *eq, void *context)
{
	u8 buf[sizeof(struct kfi_eq_cm_entry)] __aligned(8);
	struct kfi_eq_err_entry err = { };
	struct closer *closer = context;
	ssize_t ret;
	u32 event;

	closer->calls++;
	do {
		ret = kfi_eq_read(eq, &event, buf, sizeof(buf), 0);
		if (ret != -KFI_EAVAIL)
			continue;
		kfi_eq_readerr(eq, &err, 0);
		closer->ret = kfi_close(err.fid);
		closer->end.ep = NULL;
	} while (ret != -EAGAIN);
	complete(&closer->done);
}

/* A handler is called once, and may close any object but its queue. */
static void test_handler(struct suite *t)
{
	unsigned long timeout = msecs_to_jiffies(SUITE_TIMEOUT_MS);
	struct suite_opts opts = { };
	struct kfi_info *info = NULL;
	struct closer closer = { };
	struct suite_net net;
	struct kfid_eq *eq;

	init_completion(&closer.done);
	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	if (!EXPECT_OK(t, kfi_eq_open(net.fabric, NULL, &eq, close_on_error,
				      &closer)))
		goto out;
	opts.eq = eq;
	EXPECT_OK(t, kfi_close(&net.pep->fid));
	net.pep = NULL;
	if (EXPECT_OK(t, suite_getinfo(net.caps, net.port, 0, &info)) &&
	    suite_end_open(&net, &closer.end, info, &opts) &&
	    EXPECT_OK(t, kfi_connect(closer.end.ep, NULL, NULL, 0)) &&
	    EXPECT(t, wait_for_completion_timeout(&closer.done, timeout))) {
		EXPECT_EQ(t, closer.calls, 1);
		EXPECT_OK(t, closer.ret);
	}
	suite_end_close(t, &closer.end);
	EXPECT_OK(t, kfi_close(&eq->fid));
	kfi_freeinfo(info);
out:
	suite_net_close(&net);
}

const struct suite_test suite_eq_tests[] = {
	{ "eq.many", test_many },
	{ "eq.full_shutdown", test_full_shutdown },
	{ "eq.full_connreq", test_full_connreq },
	{ "eq.read", test_read },
	{ "eq.timeout", test_timeout },
	{ "eq.attributes", test_attributes },
	{ "eq.vanish", test_vanish },
	{ "eq.handler", test_handler },
	{ }
};
