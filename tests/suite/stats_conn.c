// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Statistics: what becomes of connections. Both ends are of one provider, which counts
 * what either of them sees.
 */

#include <linux/delay.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_prov.h>

#include "suite.h"

#define CONNS_TIMEOUT_MS	300
#define CONNS_TRIES		50

static const struct suite_opts plain;

/**
 * struct conns - a listener, and what its provider has counted
 * @t: the test
 * @net: the listener
 * @provider: its provider
 * @stats: of that
 * @expected: connections that it should have counted
 * @info: what @end was opened with
 * @end: an endpoint that asks for a connection
 * @request: what the listener has got of that
 */
struct conns {
	struct suite		*t;
	struct suite_net	net;
	struct kfi_provider	*provider;
	struct kfi_prov_stats	stats;
	u64			expected[KFI_STAT_CONNS];
	struct kfi_info		*info;
	struct suite_end	end;
	struct suite_event	request;
};

static struct conns *conns_open(struct suite *t, u64 caps)
{
	struct conns *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!EXPECT(t, c))
		return NULL;
	c->t = t;
	c->provider = kfi_provider_get(suite_provider());
	if (EXPECT(t, c->provider)) {
		kfi_prov_read_stats(c->provider, &c->stats);
		memcpy(c->expected, c->stats.conn, sizeof(c->expected));
		if (suite_net_open(t, &c->net, caps, NULL))
			return c;
		kfi_provider_put(c->provider);
	}
	kfree(c);
	return NULL;
}

static void conns_close(struct conns *c)
{
	suite_net_close(&c->net);
	kfi_provider_put(c->provider);
	kfree(c);
}

static bool as_expected(struct conns *c)
{
	kfi_prov_read_stats(c->provider, &c->stats);
	return !memcmp(c->stats.conn, c->expected, sizeof(c->expected));
}

/* An event can be read before the provider has counted what it tells of. */
static void expect_conns(struct conns *c)
{
	unsigned int tries, i;

	for (tries = CONNS_TRIES; tries && !as_expected(c); tries--)
		msleep(20);
	for (i = 0; i < KFI_STAT_CONNS; i++)
		if (c->stats.conn[i] != c->expected[i])
			COMPLAIN(c->t, "%s: %llu, not %llu",
				 kfi_stat_conn_name(i), c->stats.conn[i],
				 c->expected[i]);
}

/* An endpoint asks the listener, or who listens at @service, for a connection. */
static bool conns_dial(struct conns *c, u64 caps, const char *service,
		       unsigned int ms)
{
	struct suite *t = c->t;

	if (!EXPECT_OK(t, suite_getinfo(caps, service, 0, &c->info)) ||
	    !suite_end_open(&c->net, &c->end, c->info, &plain))
		return false;
	return EXPECT_OK(t, kfi_setopt(&c->end.ep->fid, KFI_OPT_ENDPOINT,
				       KFI_OPT_CONNECT_TIMEOUT, &ms,
				       sizeof(ms))) &&
	       EXPECT_OK(t, kfi_connect(c->end.ep, NULL, NULL, 0));
}

static bool conns_request(struct conns *c, unsigned int ms)
{
	return conns_dial(c, c->net.caps, c->net.port, ms) &&
	       EXPECT_EVENT(c->t, c->net.eq, KFI_CONNREQ, &c->net.pep->fid,
			    &c->request);
}

/* The listener forgets the request, if there is one. */
static void conns_forget(struct conns *c)
{
	kfi_freeinfo(c->request.info);
	c->request.info = NULL;
}

/* It ends with an error event, or by being given up if that is 0. */
static void conns_end(struct conns *c, int err)
{
	struct suite_event ev;

	if (err)
		EXPECT_ERROR(c->t, c->net.eq, err, &c->end.ep->fid, &ev);
	conns_forget(c);
	suite_end_close(c->t, &c->end);
	kfi_freeinfo(c->info);
	c->info = NULL;
}

/* Each end of a connection counts it, and its end. */
static void test_pair(struct suite *t)
{
	struct conns *c = conns_open(t, SUITE_RAW);
	struct suite_pair pair;

	if (!c)
		return;
	if (suite_pair_open(&c->net, &pair, &plain)) {
		c->expected[KFI_STAT_CONN_MADE]++;
		c->expected[KFI_STAT_CONN_ACCEPTED]++;
		expect_conns(c);
		suite_pair_close(&pair);
		c->expected[KFI_STAT_CONN_SHUTDOWN] += 2;
	}
	expect_conns(c);
	conns_close(c);
}

static void test_nobody(struct suite *t)
{
	struct conns *c = conns_open(t, SUITE_RAW);

	if (!c)
		return;
	conns_dial(c, SUITE_RAW, "9", SUITE_TIMEOUT_MS);
	conns_end(c, ECONNREFUSED);
	c->expected[KFI_STAT_CONN_REFUSED]++;
	expect_conns(c);
	conns_close(c);
}

static void reject(struct conns *c)
{
	if (conns_request(c, SUITE_TIMEOUT_MS))
		EXPECT_OK(c->t, kfi_reject(c->net.pep, c->request.info->handle,
					   NULL, 0));
	conns_end(c, ECONNREFUSED);
}

static void forget(struct conns *c)
{
	conns_request(c, SUITE_TIMEOUT_MS);
	conns_forget(c);
	conns_end(c, ECONNREFUSED);
}

/* It is taken, and then not accepted. */
static void leave(struct conns *c)
{
	struct suite_end end = { };

	if (conns_request(c, SUITE_TIMEOUT_MS))
		suite_end_open(&c->net, &end, c->request.info, &plain);
	suite_end_close(c->t, &end);
	conns_end(c, ECONNREFUSED);
}

/* What the peer knows as refused, the listener has rejected, however it did. */
static void test_rejected(struct suite *t)
{
	static void (*const ways[])(struct conns *c) = {
		reject, forget, leave,
	};
	struct conns *c = conns_open(t, SUITE_RAW);
	unsigned int i;

	if (!c)
		return;
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		ways[i](c);
		c->expected[KFI_STAT_CONN_REFUSED]++;
		c->expected[KFI_STAT_CONN_REJECTED]++;
		expect_conns(c);
	}
	conns_close(c);
}

/* The provider rejects who is of another kind; that is no refusal, but a failure. */
static void test_other_kind(struct suite *t)
{
	struct conns *c = conns_open(t, SUITE_BOTH);

	if (!c)
		return;
	conns_dial(c, SUITE_COMMIT, c->net.port, SUITE_TIMEOUT_MS);
	conns_end(c, EPROTONOSUPPORT);
	c->expected[KFI_STAT_CONN_FAILED]++;
	c->expected[KFI_STAT_CONN_REJECTED]++;
	expect_conns(c);
	conns_close(c);
}

/* Nobody answers; and that the request is forgotten is not the same. */
static void test_timeout(struct suite *t)
{
	struct conns *c = conns_open(t, SUITE_RAW);
	struct suite_event ev;

	if (!c)
		return;
	if (conns_request(c, CONNS_TIMEOUT_MS))
		EXPECT_ERROR(t, c->net.eq, ETIMEDOUT, &c->end.ep->fid, &ev);
	c->expected[KFI_STAT_CONN_TIMEDOUT]++;
	expect_conns(c);
	conns_forget(c);
	c->expected[KFI_STAT_CONN_REJECTED]++;
	expect_conns(c);
	conns_end(c, 0);
	conns_close(c);
}

/* An attempt that is given up is the consumer's affair. */
static void test_given_up(struct suite *t)
{
	struct conns *c = conns_open(t, SUITE_RAW);

	if (!c)
		return;
	conns_request(c, SUITE_TIMEOUT_MS);
	suite_end_close(t, &c->end);
	expect_conns(c);
	conns_end(c, 0);
	c->expected[KFI_STAT_CONN_REJECTED]++;
	expect_conns(c);
	conns_close(c);
}

const struct suite_test suite_stats_conn_tests[] = {
	{ "stats.conn_pair", test_pair },
	{ "stats.conn_nobody", test_nobody },
	{ "stats.conn_rejected", test_rejected },
	{ "stats.conn_other_kind", test_other_kind },
	{ "stats.conn_timeout", test_timeout },
	{ "stats.conn_given_up", test_given_up },
	{ }
};
