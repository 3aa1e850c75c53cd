// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Commit endpoints and raw ones, who may not know of each other: what becomes of
 * a connection between them, and of the private data beside the commit protocol's.
 */

#include <linux/delay.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "suite.h"

/* What is left of a connection message beside our record of 24 bytes */
#define PEER_REQ_SIZE	32
#define PEER_REP_SIZE	172
#define PEER_REJ_SIZE	148

#define PEER_RAW_SIZE	56

/* Within which a connection is half made: when one end is connected, and the other not */
#define PEER_HASTE_US	2000

/**
 * struct peers - a listener and an endpoint that connects to it
 * @net: the net
 * @info: what @a was opened with
 * @a: connects
 * @b: accepts
 * @request: that of @a, as the listener sees it
 */
struct peers {
	struct suite_net	net;
	struct kfi_info		*info;
	struct suite_end	a;
	struct suite_end	b;
	struct suite_event	request;
};

static void peers_close(struct suite *t, struct peers *peers)
{
	kfi_freeinfo(peers->request.info);
	suite_end_close(t, &peers->a);
	suite_end_close(t, &peers->b);
	kfi_freeinfo(peers->info);
	suite_net_close(&peers->net);
}

/* A listener with @listener's capabilities, and an endpoint with @caller's */
static bool peers_open(struct suite *t, struct peers *peers, u64 listener,
		       u64 caller)
{
	const struct suite_opts opts = { };

	memset(peers, 0, sizeof(*peers));
	if (!suite_net_open(t, &peers->net, listener, NULL))
		return false;
	if (EXPECT_OK(t, suite_getinfo(caller, peers->net.port, 0,
				       &peers->info)) &&
	    suite_end_open(&peers->net, &peers->a, peers->info, &opts) &&
	    suite_patient(t, &peers->a))
		return true;
	peers_close(t, peers);
	return false;
}

/* What makes an endpoint of one kind or another */
#define PEER_KIND	(KFI_MSG | KFI_RMA_PMEM)

/* The request arrives, and is of an endpoint with @caps. */
static bool peers_call(struct suite *t, struct peers *peers, const void *data,
		       size_t len, u64 caps)
{
	const struct kfi_info *info;

	if (!EXPECT_OK(t, kfi_connect(peers->a.ep, NULL, data, len)) ||
	    !EXPECT_EVENT(t, peers->net.eq, KFI_CONNREQ, &peers->net.pep->fid,
			  &peers->request))
		return false;
	info = peers->request.info;
	EXPECT_EQ(t, info->caps & PEER_KIND, caps & PEER_KIND);
	EXPECT_EQ(t, !!(info->mode & KFI_RX_CQ_DATA), !(caps & KFI_RMA_PMEM));
	return true;
}

static bool peers_accept(struct suite *t, struct peers *peers,
			 const void *data, size_t len)
{
	const struct suite_opts opts = { };

	return suite_end_open(&peers->net, &peers->b, peers->request.info,
			      &opts) &&
	       EXPECT_OK(t, kfi_accept(peers->b.ep, data, len));
}

/* Nobody becomes an endpoint with @caps of a request that is not one's. */
static void check_not(struct suite *t, struct peers *peers, u64 caps)
{
	struct kfi_info *info = peers->request.info;
	struct kfi_info *offer;
	struct kfid_ep *ep;

	if (!EXPECT_OK(t, suite_getinfo(caps, NULL, KFI_SOURCE, &offer)))
		return;
	offer->handle = info->handle;
	EXPECT_EQ(t, kfi_endpoint(peers->net.domain, offer, &ep, NULL),
		  -EOPNOTSUPP);
	offer->handle = NULL;
	kfi_freeinfo(offer);
}

/* An endpoint with @caps does not do with less than it was asked for. */
static void check_to_raw(struct suite *t, u64 caps)
{
	struct suite_event ev;
	struct peers peers;
	bool failed = false;

	if (!peers_open(t, &peers, SUITE_RAW, caps))
		return;
	if (!peers_call(t, &peers, NULL, 0, SUITE_RAW))
		goto out;
	check_not(t, &peers, SUITE_COMMIT);
	check_not(t, &peers, SUITE_BOTH);
	if (!peers_accept(t, &peers, NULL, 0))
		goto out;
	/* the accepting side may have been connected for a moment */
	while (suite_read_event(t, peers.net.eq, &ev,
				failed ? SUITE_QUIET_MS : SUITE_TIMEOUT_MS)) {
		if (ev.fid == &peers.b.ep->fid)
			continue;
		EXPECT(t, !failed);
		EXPECT_EQ(t, ev.event, 0);
		EXPECT_EQ(t, ev.err, EPROTONOSUPPORT);
		failed = true;
	}
	EXPECT(t, failed);
	EXPECT_EQ(t, kfi_write(peers.a.ep, &ev, 1, NULL, 0, 0, 0, NULL),
		  -ESHUTDOWN);
out:
	peers_close(t, &peers);
}

static void test_commit_to_raw(struct suite *t)
{
	check_to_raw(t, SUITE_COMMIT);
}

static void test_both_to_raw(struct suite *t)
{
	check_to_raw(t, SUITE_BOTH);
}

/* A passive endpoint that speaks the commit protocol has raw peers as well. */
static void check_from_raw(struct suite *t, u64 caps)
{
	u8 data[PEER_RAW_SIZE];
	struct suite_event ev;
	struct peers peers;
	unsigned int i;

	if (!peers_open(t, &peers, caps, SUITE_RAW))
		return;
	suite_fill(t, data, sizeof(data));
	if (!peers_call(t, &peers, data, sizeof(data), SUITE_RAW))
		goto out;
	if (EXPECT_EQ(t, peers.request.len, sizeof(data)))
		EXPECT_SAME(t, peers.request.data, data, sizeof(data));
	check_not(t, &peers, SUITE_COMMIT);
	check_not(t, &peers, SUITE_BOTH);
	if (!peers_accept(t, &peers, NULL, 0))
		goto out;
	for (i = 0; i < 2; i++)
		if (!EXPECT_EVENT(t, peers.net.eq, KFI_CONNECTED, NULL, &ev))
			goto out;
	suite_ping(t, &peers.a, &peers.b);
	suite_ping(t, &peers.b, &peers.a);
out:
	peers_close(t, &peers);
}

static void test_raw_to_commit(struct suite *t)
{
	check_from_raw(t, SUITE_COMMIT);
}

static void test_raw_to_both(struct suite *t)
{
	check_from_raw(t, SUITE_BOTH);
}

/* With and without messages are two protocols: the listener is not even told. */
static void check_other(struct suite *t, u64 listener, u64 caller)
{
	struct suite_event ev;
	struct peers peers;

	if (!peers_open(t, &peers, listener, caller))
		return;
	if (EXPECT_OK(t, kfi_connect(peers.a.ep, NULL, NULL, 0)) &&
	    EXPECT_ERROR(t, peers.net.eq, EPROTONOSUPPORT, &peers.a.ep->fid,
			 &ev))
		EXPECT(t, !suite_read_event(t, peers.net.eq, &ev,
					    SUITE_QUIET_MS));
	peers_close(t, &peers);
}

static void test_both_to_commit(struct suite *t)
{
	check_other(t, SUITE_COMMIT, SUITE_BOTH);
}

static void test_commit_to_both(struct suite *t)
{
	check_other(t, SUITE_BOTH, SUITE_COMMIT);
}

/*
 * The request of an endpoint with messages and commits is not one of less, but who
 * answers it with a raw endpoint all the same is refused by the other end.
 */
static void test_both_answer(struct suite *t)
{
	const struct suite_opts opts = { };
	struct kfi_info *raw = NULL;
	struct suite_event ev;
	struct peers peers;
	bool failed = false;

	if (!peers_open(t, &peers, SUITE_BOTH, SUITE_BOTH))
		return;
	if (!peers_call(t, &peers, NULL, 0, SUITE_BOTH))
		goto out;
	check_not(t, &peers, SUITE_COMMIT);
	if (!EXPECT_OK(t, suite_getinfo(SUITE_RAW, NULL, KFI_SOURCE, &raw)))
		goto out;
	swap(raw->handle, peers.request.info->handle);
	if (!suite_end_open(&peers.net, &peers.b, raw, &opts) ||
	    !EXPECT_OK(t, kfi_accept(peers.b.ep, NULL, 0)))
		goto out;
	while (!failed && suite_read_event(t, peers.net.eq, &ev,
					   SUITE_TIMEOUT_MS)) {
		if (ev.fid == &peers.b.ep->fid)
			continue;
		EXPECT_EQ(t, ev.err, EPROTONOSUPPORT);
		failed = true;
	}
	EXPECT(t, failed);
out:
	kfi_freeinfo(raw);
	peers_close(t, &peers);
}

/* What the consumers say goes with what the providers do. */
static void check_private_data(struct suite *t, u64 caps)
{
	u8 data[PEER_REP_SIZE + 1];
	size_t size = 0, len = sizeof(size);
	struct suite_event ev;
	struct peers peers;
	unsigned int i;

	if (!peers_open(t, &peers, caps, caps))
		return;
	suite_fill(t, data, sizeof(data));
	EXPECT_OK(t, kfi_getopt(&peers.a.ep->fid, KFI_OPT_ENDPOINT,
				KFI_OPT_CM_DATA_SIZE, &size, &len));
	EXPECT_EQ(t, size, PEER_REQ_SIZE);
	EXPECT_EQ(t, kfi_connect(peers.a.ep, NULL, data, size + 1), -EINVAL);
	if (!peers_call(t, &peers, data, PEER_REQ_SIZE, caps))
		goto out;
	if (EXPECT_EQ(t, peers.request.len, PEER_REQ_SIZE))
		EXPECT_SAME(t, peers.request.data, data, PEER_REQ_SIZE);
	if (!suite_end_open(&peers.net, &peers.b, peers.request.info,
			    &(struct suite_opts){ }))
		goto out;
	EXPECT_EQ(t, kfi_accept(peers.b.ep, data, PEER_REP_SIZE + 1), -EINVAL);
	if (!EXPECT_OK(t, kfi_accept(peers.b.ep, data, PEER_REP_SIZE)))
		goto out;
	for (i = 0; i < 2; i++) {
		if (!EXPECT_EVENT(t, peers.net.eq, KFI_CONNECTED, NULL, &ev))
			goto out;
		if (ev.fid == &peers.a.ep->fid &&
		    EXPECT_EQ(t, ev.len, PEER_REP_SIZE))
			EXPECT_SAME(t, ev.data, data, PEER_REP_SIZE);
	}
out:
	peers_close(t, &peers);
}

static void test_private_data(struct suite *t)
{
	check_private_data(t, SUITE_COMMIT);
}

static void test_both_private_data(struct suite *t)
{
	check_private_data(t, SUITE_BOTH);
}

/* A reject has no record, so all of its bytes are the consumer's. */
static void check_reject(struct suite *t, u64 caps)
{
	u8 data[PEER_REJ_SIZE];
	struct suite_event ev;
	struct peers peers;

	if (!peers_open(t, &peers, caps, caps))
		return;
	suite_fill(t, data, sizeof(data));
	if (peers_call(t, &peers, NULL, 0, caps) &&
	    EXPECT_OK(t, kfi_reject(peers.net.pep, peers.request.info->handle,
				    data, sizeof(data))) &&
	    EXPECT_ERROR(t, peers.net.eq, ECONNREFUSED, &peers.a.ep->fid,
			 &ev) &&
	    EXPECT_EQ(t, ev.len, sizeof(data)))
		EXPECT_SAME(t, ev.data, data, sizeof(data));
	peers_close(t, &peers);
}

static void test_reject(struct suite *t)
{
	check_reject(t, SUITE_COMMIT);
}

static void test_both_reject(struct suite *t)
{
	check_reject(t, SUITE_BOTH);
}

/* It was not connected, and hears of that, or it was, and hears of the end. */
static void expect_end(struct suite *t, struct peers *peers)
{
	struct suite_event ev;

	if (!EXPECT(t, suite_read_event(t, peers->net.eq, &ev,
					SUITE_TIMEOUT_MS)))
		return;
	EXPECT(t, ev.fid == &peers->a.ep->fid);
	if (ev.event)
		EXPECT_EQ(t, ev.event, KFI_CONNECTED);
	if (ev.event == KFI_CONNECTED)
		EXPECT_EVENT(t, peers->net.eq, KFI_SHUTDOWN, &peers->a.ep->fid,
			     &ev);
}

/* Who accepts, and closes before it can know that it is connected */
static void check_hasty(struct suite *t, u64 caps)
{
	struct peers peers;

	if (!peers_open(t, &peers, caps, caps))
		return;
	if (peers_call(t, &peers, NULL, 0, caps) &&
	    peers_accept(t, &peers, NULL, 0)) {
		udelay(suite_random(t, 0, PEER_HASTE_US));
		suite_end_close(t, &peers.b);
		expect_end(t, &peers);
	}
	peers_close(t, &peers);
}

static void test_hasty(struct suite *t)
{
	unsigned int rounds = suite_scaled(1000, 20);

	for (; rounds && !suite_failed(t); rounds--) {
		check_hasty(t, SUITE_RAW);
		check_hasty(t, SUITE_COMMIT);
	}
}

const struct suite_test suite_peer_tests[] = {
	{ "peer.commit_to_raw", test_commit_to_raw },
	{ "peer.raw_to_commit", test_raw_to_commit },
	{ "peer.private_data", test_private_data },
	{ "peer.reject", test_reject },
	{ "peer.hasty", test_hasty },
	{ "peer.both_to_raw", test_both_to_raw },
	{ "peer.raw_to_both", test_raw_to_both },
	{ "peer.both_to_commit", test_both_to_commit },
	{ "peer.commit_to_both", test_commit_to_both },
	{ "peer.both_answer", test_both_answer },
	{ "peer.both_private_data", test_both_private_data },
	{ "peer.both_reject", test_both_reject },
	{ }
};
