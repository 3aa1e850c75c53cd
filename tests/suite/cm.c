// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Connections: each way in which one can fail or come about.
 */

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "suite.h"

#define CM_REQ_SIZE	56
#define CM_REP_SIZE	196
#define CM_REJ_SIZE	148

/* A refusal is an answer: it does not wait for a timeout. */
#define CM_PROMPT_MS	1000

/* KFI_OPT_CONNECT_TIMEOUT of who does not set it */
#define CM_DEFAULT_MS	5000

/**
 * struct dial - an endpoint that connects to the net's listener, or does not
 * @net: the net
 * @info: with the listener's address
 * @end: the endpoint
 * @ev: the last event
 * @start: when it began to connect
 */
struct dial {
	struct suite_net	*net;
	struct kfi_info		*info;
	struct suite_end	end;
	struct suite_event	ev;
	ktime_t			start;
};

static bool dial_getinfo(struct suite_net *net, struct dial *dial)
{
	memset(dial, 0, sizeof(*dial));
	dial->net = net;
	return EXPECT_OK(net->t, suite_getinfo(net->caps, net->port, 0,
					       &dial->info));
}

static bool dial_open(struct suite_net *net, struct dial *dial,
		      struct kfid_eq *eq)
{
	const struct suite_opts opts = { .eq = eq };

	return dial_getinfo(net, dial) &&
	       suite_end_open(net, &dial->end, dial->info, &opts);
}

static void dial_close(struct dial *dial)
{
	kfi_freeinfo(dial->ev.info);
	suite_end_close(dial->net->t, &dial->end);
	kfi_freeinfo(dial->info);
}

static bool dial_connect(struct dial *dial, const void *param, size_t len)
{
	dial->start = ktime_get();
	return EXPECT_OK(dial->net->t, kfi_connect(dial->end.ep, NULL, param,
						   len));
}

static bool dial_timeout(struct dial *dial, unsigned int ms)
{
	return EXPECT_OK(dial->net->t,
			 kfi_setopt(&dial->end.ep->fid, KFI_OPT_ENDPOINT,
				    KFI_OPT_CONNECT_TIMEOUT, &ms, sizeof(ms)));
}

/* The listener's side of it: the request is in dial->ev */
static bool dial_request(struct dial *dial)
{
	struct suite_net *net = dial->net;

	return EXPECT_EVENT(net->t, net->eq, KFI_CONNREQ, &net->pep->fid,
			    &dial->ev);
}

/* It fails with @err, between @from and @to ms after it began. */
static void dial_fails(struct dial *dial, int err, int from, int to)
{
	struct suite_net *net = dial->net;
	s64 ms;

	kfi_freeinfo(dial->ev.info);
	dial->ev.info = NULL;
	if (!EXPECT_ERROR(net->t, net->eq, err, &dial->end.ep->fid, &dial->ev))
		return;
	ms = ktime_ms_delta(ktime_get(), dial->start);
	if (ms < from || ms > to)
		COMPLAIN(net->t, "failed after %lld ms, expected %d to %d", ms,
			 from, to);
}

/* Nobody listens any more. Returns the provider's error. */
static int check_refused(struct suite_net *net)
{
	int prov_errno = 0;
	struct dial dial;

	EXPECT_OK(net->t, kfi_close(&net->pep->fid));
	net->pep = NULL;
	if (dial_open(net, &dial, NULL) && dial_connect(&dial, NULL, 0)) {
		dial_fails(&dial, ECONNREFUSED, 0, CM_PROMPT_MS);
		prov_errno = dial.ev.prov_errno;
	}
	dial_close(&dial);
	return prov_errno;
}

static void test_refused(struct suite *t)
{
	struct suite_net net;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	check_refused(&net);
	suite_net_close(&net);
}

/* Another address of the same network, which is not this host's. */
static void wrong_host(struct sockaddr_storage *addr)
{
	u8 *last;

	if (addr->ss_family == AF_INET6)
		last = &((struct sockaddr_in6 *)addr)->sin6_addr.s6_addr[15];
	else
		last = (u8 *)&((struct sockaddr_in *)addr)->sin_addr + 3;
	*last ^= 0x76;
}

static void test_nobody(struct suite *t)
{
	struct sockaddr_storage addr;
	struct suite_net net;
	struct dial dial;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	addr = net.addr;
	wrong_host(&addr);
	if (!dial_open(&net, &dial, NULL) || !dial_timeout(&dial, 1000))
		goto out;
	dial.start = ktime_get();
	if (!EXPECT_OK(t, kfi_connect(dial.end.ep, &addr, NULL, 0)) ||
	    !EXPECT(t, suite_read_event(t, net.eq, &dial.ev,
					SUITE_TIMEOUT_MS)))
		goto out;
	/* which of these it is depends on what is between here and there */
	EXPECT(t, dial.ev.err == ETIMEDOUT || dial.ev.err == EHOSTUNREACH ||
	       dial.ev.err == ECONNREFUSED);
	EXPECT(t, ktime_ms_delta(ktime_get(), dial.start) <= 2000);
out:
	dial_close(&dial);
	suite_net_close(&net);
}

/* An endpoint that connects from @addr. */
static bool dial_open_from(struct suite_net *net, struct dial *dial,
			   const struct sockaddr_storage *addr)
{
	const struct suite_opts opts = { };

	if (!dial_getinfo(net, dial))
		return false;
	kfree(dial->info->src_addr);
	dial->info->src_addr = kmemdup(addr, sizeof(*addr), GFP_KERNEL);
	dial->info->src_addrlen = sizeof(*addr);
	return EXPECT(net->t, dial->info->src_addr) &&
	       suite_end_open(net, &dial->end, dial->info, &opts);
}

/* From an address that somebody has, until he does not; and from another host's. */
static void test_source(struct suite *t)
{
	struct sockaddr_storage addr;
	struct suite_net net;
	struct dial dial;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	addr = net.addr;
	if (dial_open_from(&net, &dial, &addr)) {
		EXPECT_EQ(t, kfi_connect(dial.end.ep, NULL, NULL, 0),
			  -EADDRINUSE);
		EXPECT_EQ(t, kfi_connect(dial.end.ep, NULL, NULL, 0),
			  -EADDRINUSE);
		EXPECT_OK(t, kfi_close(&net.pep->fid));
		net.pep = NULL;
		if (dial_connect(&dial, NULL, 0))
			dial_fails(&dial, ECONNREFUSED, 0, CM_PROMPT_MS);
	}
	dial_close(&dial);
	/* every address is loopback's own */
	if (strcmp(suite_provider(), "loopback")) {
		wrong_host(&addr);
		if (dial_open_from(&net, &dial, &addr))
			EXPECT_EQ(t, kfi_connect(dial.end.ep, NULL, NULL, 0),
				  -EADDRNOTAVAIL);
		dial_close(&dial);
	}
	suite_net_close(&net);
}

/* A listener that does not answer. */
static void check_timeout(struct suite *t, int ms)
{
	size_t len = sizeof(unsigned int);
	struct kfi_info *request;
	struct suite_net net;
	unsigned int is = 0;
	struct dial dial;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	if (!dial_open(&net, &dial, NULL))
		goto out;
	if (ms != CM_DEFAULT_MS && !dial_timeout(&dial, ms))
		goto out;
	EXPECT_OK(t, kfi_getopt(&dial.end.ep->fid, KFI_OPT_ENDPOINT,
				KFI_OPT_CONNECT_TIMEOUT, &is, &len));
	EXPECT_EQ(t, is, ms);
	EXPECT_EQ(t, len, sizeof(is));
	if (!dial_connect(&dial, NULL, 0) || !dial_request(&dial))
		goto out;
	request = dial.ev.info;
	dial.ev.info = NULL;
	dial_fails(&dial, ETIMEDOUT, ms - 50, ms + 1000);
	kfi_freeinfo(request);
out:
	dial_close(&dial);
	suite_net_close(&net);
}

static void test_timeout(struct suite *t)
{
	check_timeout(t, 1000);
}

static void test_default_timeout(struct suite *t)
{
	check_timeout(t, CM_DEFAULT_MS);
}

/* Returns the provider's error. */
static int check_reject(struct suite_net *net, const u8 *body, size_t len)
{
	struct suite *t = net->t;
	int prov_errno = 0;
	struct dial dial;

	if (!dial_open(net, &dial, NULL) || !dial_connect(&dial, NULL, 0) ||
	    !dial_request(&dial))
		goto out;
	EXPECT_EQ(t, kfi_reject(net->pep, dial.ev.info->handle, body,
				CM_REJ_SIZE + 1), -EINVAL);
	EXPECT_OK(t, kfi_reject(net->pep, dial.ev.info->handle, body, len));
	EXPECT_EQ(t, kfi_reject(net->pep, dial.ev.info->handle, body, len),
		  -KFI_EOPBADSTATE);
	dial_fails(&dial, ECONNREFUSED, 0, CM_PROMPT_MS);
	prov_errno = dial.ev.prov_errno;
	if (EXPECT_EQ(t, dial.ev.len, CM_REJ_SIZE)) {
		EXPECT_SAME(t, dial.ev.data, body, len);
		EXPECT_ALL(t, dial.ev.data + len, 0, CM_REJ_SIZE - len);
	}
out:
	dial_close(&dial);
	return prov_errno;
}

static void test_reject(struct suite *t)
{
	u8 body[CM_REJ_SIZE + 1];
	struct suite_net net;
	int prov_errno;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	suite_fill(t, body, sizeof(body));
	check_reject(&net, body, 0);
	check_reject(&net, body, 1);
	prov_errno = check_reject(&net, body, CM_REJ_SIZE);
	/* the same errno, so the provider says which it was */
	EXPECT(t, check_refused(&net) != prov_errno);
	suite_net_close(&net);
}

static void test_unread(struct suite *t)
{
	struct kfi_info *dup;
	struct suite_net net;
	struct dial dial;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	/* the last info that stands for the request rejects it */
	if (dial_open(&net, &dial, NULL) && dial_connect(&dial, NULL, 0) &&
	    dial_request(&dial)) {
		dup = kfi_dupinfo(dial.ev.info);
		kfi_freeinfo(dial.ev.info);
		dial.ev.info = NULL;
		EXPECT(t, !suite_read_event(t, net.eq, &dial.ev,
					    SUITE_QUIET_MS));
		kfi_freeinfo(dup);
		dial_fails(&dial, ECONNREFUSED, 0, CM_PROMPT_MS);
	}
	dial_close(&dial);

	/* and so does the end of a listener whose request nobody has read */
	if (dial_open(&net, &dial, NULL) && dial_connect(&dial, NULL, 0)) {
		u8 entry[sizeof(struct kfi_eq_cm_entry)] __aligned(8);
		u32 event;

		EXPECT_EQ(t, kfi_eq_sread(net.eq, &event, entry, sizeof(entry),
					  SUITE_TIMEOUT_MS, KFI_PEEK),
			  sizeof(entry));
		EXPECT_OK(t, kfi_close(&net.pep->fid));
		net.pep = NULL;
		dial_fails(&dial, ECONNREFUSED, 0, CM_PROMPT_MS);
	}
	dial_close(&dial);
	suite_net_close(&net);
}

static void check_padded(struct suite *t, const struct suite_event *ev,
			 size_t padded, const u8 *body, size_t len)
{
	if (!EXPECT_EQ(t, ev->len, padded))
		return;
	EXPECT_SAME(t, ev->data, body, len);
	EXPECT_ALL(t, ev->data + len, 0, padded - len);
}

/* @req bytes on the way there, @rep on the way back, both in @body */
static void check_private_data(struct suite_net *net, const u8 *body,
			       size_t req, size_t rep)
{
	const struct suite_opts opts = { };
	struct suite *t = net->t;
	struct suite_end end = { };
	struct suite_event ev;
	struct dial dial;
	unsigned int i;

	if (!dial_open(net, &dial, NULL) || !dial_connect(&dial, body, req) ||
	    !dial_request(&dial))
		goto out;
	check_padded(t, &dial.ev, CM_REQ_SIZE, body, req);
	if (!suite_end_open(net, &end, dial.ev.info, &opts))
		goto out;
	EXPECT_EQ(t, kfi_accept(end.ep, body, CM_REP_SIZE + 1), -EINVAL);
	if (!EXPECT_OK(t, kfi_accept(end.ep, body, rep)))
		goto out;
	for (i = 0; i < 2; i++) {
		if (!EXPECT_EVENT(t, net->eq, KFI_CONNECTED, NULL, &ev))
			goto out;
		if (ev.fid == &dial.end.ep->fid)
			check_padded(t, &ev, CM_REP_SIZE, body, rep);
	}
out:
	suite_end_close(t, &end);
	dial_close(&dial);
}

static void test_private_data(struct suite *t)
{
	u8 body[CM_REP_SIZE + 1];
	struct suite_net net;
	struct dial dial;
	size_t size = 0, len = sizeof(size);

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	suite_fill(t, body, sizeof(body));
	if (dial_open(&net, &dial, NULL)) {
		EXPECT_OK(t, kfi_getopt(&dial.end.ep->fid, KFI_OPT_ENDPOINT,
					KFI_OPT_CM_DATA_SIZE, &size, &len));
		EXPECT_EQ(t, size, CM_REQ_SIZE);
		EXPECT_EQ(t, kfi_connect(dial.end.ep, NULL, body, size + 1),
			  -EINVAL);
	}
	dial_close(&dial);
	check_private_data(&net, body, 0, 0);
	check_private_data(&net, body, 1, 1);
	check_private_data(&net, body, CM_REQ_SIZE, CM_REP_SIZE);
	suite_net_close(&net);
}

/* The passive side reads its connected event after what the active one has sent. */
static void early_at_passive(struct suite_end *b, struct dial *dial,
			     struct kfid_eq *eq)
{
	struct suite_net *net = dial->net;
	u8 *buf = kzalloc(2, GFP_KERNEL);
	struct suite *t = net->t;
	struct suite_event ev;

	if (!EXPECT(t, buf))
		return;
	if (EXPECT_OK(t, kfi_enable(b->ep)) &&
	    EXPECT_OK(t, kfi_recv(b->ep, buf, 1, NULL, 0, buf)) &&
	    EXPECT_OK(t, kfi_accept(b->ep, NULL, 0)) &&
	    EXPECT_EVENT(t, eq, KFI_CONNECTED, &dial->end.ep->fid, &ev) &&
	    EXPECT_OK(t, kfi_send(dial->end.ep, buf + 1, 1, NULL, 0, dial))) {
		EXPECT_COMP(t, &b->rx, buf, NULL);
		EXPECT_COMP(t, &dial->end.tx, dial, NULL);
		EXPECT_EVENT(t, net->eq, KFI_CONNECTED, &b->ep->fid, &ev);
		suite_ping(t, b, &dial->end);
	}
	suite_end_close(t, b);
	kfree(buf);
}

static void early_at_active(struct suite_end *b, struct dial *dial,
			    struct kfid_eq *eq)
{
	struct suite_net *net = dial->net;
	struct suite *t = net->t;
	struct suite_event ev;

	if (!EXPECT_OK(t, kfi_accept(b->ep, NULL, 0)))
		return;
	if (EXPECT_EVENT(t, net->eq, KFI_CONNECTED, &b->ep->fid, &ev))
		suite_ping(t, b, &dial->end);
	if (EXPECT_EVENT(t, eq, KFI_CONNECTED, &dial->end.ep->fid, &ev))
		suite_ping(t, &dial->end, b);
}

static void check_early(struct suite *t,
			void (*check)(struct suite_end *b, struct dial *dial,
				      struct kfid_eq *eq))
{
	const struct suite_opts opts = { };
	struct suite_end b = { };
	struct kfid_eq *eq;
	struct suite_net net;
	struct dial dial;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	if (!EXPECT_OK(t, kfi_eq_open(net.fabric, NULL, &eq, NULL, NULL)))
		goto out_net;
	if (dial_open(&net, &dial, eq) && dial_connect(&dial, NULL, 0) &&
	    dial_request(&dial) &&
	    suite_end_open(&net, &b, dial.ev.info, &opts))
		check(&b, &dial, eq);
	suite_end_close(t, &b);
	dial_close(&dial);
	EXPECT_OK(t, kfi_close(&eq->fid));
out_net:
	suite_net_close(&net);
}

/* What arrives before a side has read its connected event is not lost. */
static void test_early_receive(struct suite *t)
{
	check_early(t, early_at_active);
	check_early(t, early_at_passive);
}

/* The other side has gone before it is accepted. */
static void test_gone(struct suite *t)
{
	const struct suite_opts opts = { };
	struct suite_end end = { };
	struct suite_net net;
	struct suite_event ev;
	struct dial dial;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	if (!dial_open(&net, &dial, NULL) || !dial_connect(&dial, NULL, 0) ||
	    !dial_request(&dial))
		goto out;
	suite_end_close(t, &dial.end);
	EXPECT(t, !suite_read_event(t, net.eq, &ev, CM_PROMPT_MS / 2));
	if (suite_end_open(&net, &end, dial.ev.info, &opts))
		EXPECT_EQ(t, kfi_accept(end.ep, NULL, 0), -ECONNRESET);
out:
	suite_end_close(t, &end);
	dial_close(&dial);
	suite_net_close(&net);
}

static void test_states(struct suite *t)
{
	struct suite_net net;
	struct suite_pair pair;
	struct kfi_info *info;
	struct dial dial;
	struct suite_end end;
	const struct suite_opts opts = { };

	if (!suite_open(t, &net, &pair, NULL))
		return;
	EXPECT_EQ(t, kfi_connect(pair.a.ep, NULL, NULL, 0), -EISCONN);
	EXPECT_EQ(t, kfi_accept(pair.a.ep, NULL, 0), -KFI_EOPBADSTATE);

	/* one that is under way: nobody answers */
	if (dial_open(&net, &dial, NULL)) {
		EXPECT_EQ(t, kfi_shutdown(dial.end.ep, 0), -ENOTCONN);
		EXPECT_EQ(t, kfi_accept(dial.end.ep, NULL, 0),
			  -KFI_EOPBADSTATE);
		dial_connect(&dial, NULL, 0);
		EXPECT_EQ(t, kfi_connect(dial.end.ep, NULL, NULL, 0),
			  -EALREADY);
		dial_request(&dial);
	}
	dial_close(&dial);

	if (EXPECT_OK(t, suite_getinfo(SUITE_RAW, NULL, KFI_SOURCE, &info))) {
		if (suite_end_open(&net, &end, info, &opts))
			EXPECT_EQ(t, kfi_connect(end.ep, NULL, NULL, 0),
				  -EDESTADDRREQ);
		suite_end_close(t, &end);
		kfi_freeinfo(info);
	}
	suite_ping(t, &pair.a, &pair.b);
	suite_close(&net, &pair);
}

const struct suite_test suite_cm_tests[] = {
	{ "cm.refused", test_refused },
	{ "cm.nobody", test_nobody },
	{ "cm.source", test_source },
	{ "cm.timeout", test_timeout },
	{ "cm.default_timeout", test_default_timeout },
	{ "cm.reject", test_reject },
	{ "cm.unread", test_unread },
	{ "cm.private_data", test_private_data },
	{ "cm.early_receive", test_early_receive },
	{ "cm.gone", test_gone },
	{ "cm.states", test_states },
	{ }
};
