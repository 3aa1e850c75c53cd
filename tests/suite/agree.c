// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Where each provider could have had rules of its own, and must not.
 */

#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/string.h>

#include "suite.h"

/**
 * struct call - an endpoint that connects to the net's listener
 * @net: the net
 * @info: with the listener's address
 * @a: the endpoint that connects
 * @b: the one that is for the request
 * @ev: the last event
 */
struct call {
	struct suite_net	net;
	struct kfi_info		*info;
	struct suite_end	a;
	struct suite_end	b;
	struct suite_event	ev;
};

static void call_close(struct suite *t, struct call *call)
{
	suite_end_close(t, &call->a);
	suite_end_close(t, &call->b);
	kfi_freeinfo(call->ev.info);
	kfi_freeinfo(call->info);
	suite_net_close(&call->net);
	kfree(call);
}

/* An endpoint that can connect, and has not. */
static struct call *call_open(struct suite *t)
{
	const struct suite_opts opts = { };
	struct call *call = kzalloc_obj(*call);

	if (!EXPECT(t, call))
		return NULL;
	if (suite_net_open(t, &call->net, SUITE_RAW, NULL) &&
	    EXPECT_OK(t, suite_getinfo(SUITE_RAW, call->net.port, 0,
				       &call->info)) &&
	    suite_end_open(&call->net, &call->a, call->info, &opts) &&
	    suite_patient(t, &call->a))
		return call;
	call_close(t, call);
	return NULL;
}

/* The request has arrived, and there is an endpoint for it. */
static bool call_request(struct suite *t, struct call *call)
{
	const struct suite_opts opts = { };
	struct suite_net *net = &call->net;

	return EXPECT_OK(t, kfi_connect(call->a.ep, NULL, NULL, 0)) &&
	       EXPECT_EVENT(t, net->eq, KFI_CONNREQ, &net->pep->fid,
			    &call->ev) &&
	       suite_end_open(net, &call->b, call->ev.info, &opts);
}

static int refuse_to_close(struct kfid *fid)
{
	return -EBUSY;
}

/* Objects that other providers have made, as far as anybody can see */
static void test_foreign(struct suite *t)
{
	static const struct kfi_ops ops = { .close = refuse_to_close };
	struct kfid request = { .fclass = KFI_CLASS_CONNREQ, .ops = &ops };
	struct call *call = call_open(t);
	struct kfid_cq *cq;
	struct kfid_ep *ep;

	if (!call)
		return;
	EXPECT_EQ(t, kfi_reject(call->net.pep, &request, NULL, 0), -EINVAL);
	EXPECT_EQ(t, kfi_reject(call->net.pep, &call->a.ep->fid, NULL, 0),
		  -EINVAL);
	call->info->handle = &request;
	EXPECT_EQ(t, kfi_endpoint(call->net.domain, call->info, &ep, NULL),
		  -EINVAL);
	call->info->handle = &call->net.pep->fid;
	EXPECT_EQ(t, kfi_endpoint(call->net.domain, call->info, &ep, NULL),
		  -EINVAL);
	call->info->handle = NULL;

	/* whatever provider it is, its queues are not larger than a page */
	cq = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (EXPECT(t, cq) &&
	    EXPECT_OK(t, kfi_endpoint(call->net.domain, call->info, &ep,
				      NULL))) {
		cq->fid.fclass = KFI_CLASS_CQ;
		cq->fid.ops = &ops;
		EXPECT_EQ(t, kfi_ep_bind(ep, &cq->fid, KFI_TRANSMIT), -EINVAL);
		EXPECT_OK(t, kfi_close(&ep->fid));
	}
	kfree(cq);
	call_close(t, call);
}

/* What it asks for, and what it then has */
static void check_param(struct suite *t, struct kfid_ep *ep, u8 depth,
			u8 resources, u8 has_depth, u8 has_resources)
{
	struct kfi_conn_param param = {
		.initiator_depth = depth, .responder_resources = resources,
		.retry_count = min(depth, 7), .rnr_retry_count = 7,
		.min_rnr_timer = 12,
	};
	size_t len = sizeof(param);

	if (depth || resources)
		EXPECT_OK(t, kfi_setopt(&ep->fid, KFI_OPT_ENDPOINT,
					KFI_OPT_CONN_PARAM, &param, len));
	EXPECT_OK(t, kfi_getopt(&ep->fid, KFI_OPT_ENDPOINT, KFI_OPT_CONN_PARAM,
				&param, &len));
	EXPECT_EQ(t, param.initiator_depth, has_depth);
	EXPECT_EQ(t, param.responder_resources, has_resources);
	EXPECT_EQ(t, param.retry_count, 2);
}

/*
 * Who answers can have less than was offered, and not more; the retransmissions are
 * the caller's.
 */
static void test_param(struct suite *t)
{
	struct call *call = call_open(t);

	if (!call)
		return;
	check_param(t, call->a.ep, 2, 3, 2, 3);
	if (call_request(t, call)) {
		check_param(t, call->b.ep, 0, 0, 3, 2);
		check_param(t, call->b.ep, 8, 8, 3, 2);
		check_param(t, call->b.ep, 1, 1, 1, 1);
		check_param(t, call->b.ep, 8, 8, 3, 2);
	}
	call_close(t, call);
}

static int call_name(struct kfid_ep *ep)
{
	struct sockaddr_storage addr;
	size_t len = sizeof(addr);

	return kfi_getname(&ep->fid, &addr, &len);
}

/* Both calls again, at each stage of a connection's life */
static void expect_stage(struct suite *t, struct call *call, int a, int b)
{
	EXPECT_EQ(t, kfi_connect(call->a.ep, NULL, NULL, 0), a);
	EXPECT_EQ(t, kfi_accept(call->a.ep, NULL, 0), -KFI_EOPBADSTATE);
	EXPECT_EQ(t, kfi_connect(call->b.ep, NULL, NULL, 0), -KFI_EOPBADSTATE);
	if (b)
		EXPECT_EQ(t, kfi_accept(call->b.ep, NULL, 0), b);
	/* bad arguments come first */
	EXPECT_EQ(t, kfi_connect(call->a.ep, NULL, NULL, 1), -EINVAL);
	EXPECT_EQ(t, kfi_accept(call->b.ep, NULL, 1), -EINVAL);
}

static void test_again(struct suite *t)
{
	struct call *call = call_open(t);
	struct suite_event ev;
	unsigned int i;

	if (!call)
		return;
	EXPECT_EQ(t, call_name(call->a.ep), -KFI_EOPBADSTATE);
	if (!call_request(t, call))
		goto out;
	EXPECT_EQ(t, call_name(call->a.ep), -KFI_EOPBADSTATE);
	EXPECT_OK(t, call_name(call->b.ep));
	expect_stage(t, call, -EALREADY, 0);
	if (!EXPECT_OK(t, kfi_accept(call->b.ep, NULL, 0)))
		goto out;
	for (i = 0; i < 2; i++)
		EXPECT_EVENT(t, call->net.eq, KFI_CONNECTED, NULL, &ev);
	EXPECT_OK(t, call_name(call->a.ep));
	expect_stage(t, call, -EISCONN, -EISCONN);
	suite_ping(t, &call->a, &call->b);

	EXPECT_OK(t, kfi_shutdown(call->a.ep, 0));
	EXPECT_EVENT(t, call->net.eq, KFI_SHUTDOWN, &call->b.ep->fid, &ev);
	expect_stage(t, call, -ESHUTDOWN, -ESHUTDOWN);
	EXPECT_OK(t, call_name(call->a.ep));
out:
	call_close(t, call);
}

/* An attempt that has failed is over, for either end. */
static void test_failed(struct suite *t)
{
	struct call *call = call_open(t);
	struct suite_event ev;
	u8 byte;

	if (!call)
		return;
	if (!call_request(t, call))
		goto out;
	EXPECT_OK(t, kfi_close(&call->a.ep->fid));
	call->a.ep = NULL;
	EXPECT(t, !suite_read_event(t, call->net.eq, &ev, 500));
	EXPECT_EQ(t, kfi_accept(call->b.ep, NULL, 0), -ECONNRESET);
	EXPECT_EQ(t, kfi_accept(call->b.ep, NULL, 0), -ESHUTDOWN);
	EXPECT_EQ(t, kfi_connect(call->b.ep, NULL, NULL, 0), -KFI_EOPBADSTATE);
	EXPECT_EQ(t, kfi_inject(call->b.ep, &byte, 1, 0), -ESHUTDOWN);
	EXPECT_EQ(t, kfi_recv(call->b.ep, &byte, 1, NULL, 0, NULL),
		  -ESHUTDOWN);
	EXPECT_EQ(t, kfi_shutdown(call->b.ep, 0), -ENOTCONN);
out:
	call_close(t, call);
}

/* An endpoint that has a source does not go to another family's destination. */
static void test_family(struct suite *t)
{
	struct sockaddr_storage other = { };
	struct call *call = call_open(t);
	struct kfi_info *info = NULL;
	struct suite_end end = { };
	const struct suite_opts opts = { };

	if (!call)
		return;
	other.ss_family = call->net.addr.ss_family == AF_INET ? AF_INET6 :
								AF_INET;
	if (!EXPECT_OK(t, suite_getinfo(SUITE_RAW, NULL, KFI_SOURCE, &info)))
		goto out;
	if (suite_end_open(&call->net, &end, info, &opts)) {
		EXPECT_EQ(t, kfi_connect(end.ep, NULL, NULL, 0),
			  -EDESTADDRREQ);
		EXPECT_EQ(t, kfi_connect(end.ep, &other, NULL, 0), -EINVAL);
		/* nothing has begun */
		EXPECT_EQ(t, kfi_connect(end.ep, NULL, NULL, 0),
			  -EDESTADDRREQ);
		other.ss_family = AF_UNIX;
		EXPECT_EQ(t, kfi_connect(end.ep, &other, NULL, 0), -EINVAL);
	}
	suite_end_close(t, &end);
out:
	kfi_freeinfo(info);
	call_close(t, call);
}

static int set_backlog(struct kfid_pep *pep, int backlog)
{
	return kfi_control(&pep->fid, KFI_BACKLOG, &backlog);
}

/* A passive endpoint that nobody can have offered */
static void check_impossible(struct suite *t, struct call *call,
			     struct kfi_info *info)
{
	struct kfid_fabric *fabric = call->net.fabric;
	struct kfid_pep *pep;

	info->tx_attr->op_flags = KFI_FENCE;
	EXPECT_EQ(t, kfi_passive_ep(fabric, info, &pep, NULL), -EINVAL);
	info->tx_attr->op_flags = 0;
	info->tx_attr->size = U32_MAX;
	EXPECT_EQ(t, kfi_passive_ep(fabric, info, &pep, NULL), -EOPNOTSUPP);
	info->tx_attr->size = 3;
	info->ep_attr->type = KFI_EP_RDM;
	EXPECT_EQ(t, kfi_passive_ep(fabric, info, &pep, NULL), -EOPNOTSUPP);
	info->ep_attr->type = KFI_EP_MSG;
	info->caps |= BIT_ULL(40);
	EXPECT_EQ(t, kfi_passive_ep(fabric, info, &pep, NULL), -EOPNOTSUPP);
	info->caps &= ~BIT_ULL(40);
}

/* What was asked for is what a request offers. */
static void check_request(struct suite *t, struct call *call,
			  struct kfid_pep *pep)
{
	struct sockaddr_storage addr;
	size_t len = sizeof(addr);

	if (!EXPECT_OK(t, kfi_getname(&pep->fid, &addr, &len)) ||
	    !EXPECT_OK(t, kfi_connect(call->a.ep, &addr, NULL, 0)) ||
	    !EXPECT_EVENT(t, call->net.eq, KFI_CONNREQ, &pep->fid, &call->ev))
		return;
	EXPECT_EQ(t, call->ev.info->tx_attr->size, 3);
	EXPECT_EQ(t, call->ev.info->tx_attr->op_flags, KFI_COMPLETION);
	EXPECT_EQ(t, call->ev.info->rx_attr->size, 5);
	EXPECT_EQ(t, call->ev.info->rx_attr->op_flags, KFI_COMPLETION);
}

static void test_passive(struct suite *t)
{
	struct call *call = call_open(t);
	struct kfi_info *info = NULL;
	struct kfid_pep *pep;

	if (!call)
		return;
	if (!EXPECT_OK(t, suite_getinfo(SUITE_RAW, NULL, KFI_SOURCE, &info)))
		goto out;
	check_impossible(t, call, info);
	info->tx_attr->op_flags = KFI_COMPLETION;
	info->rx_attr->op_flags = KFI_COMPLETION;
	info->rx_attr->size = 5;
	if (!EXPECT_OK(t, kfi_passive_ep(call->net.fabric, info, &pep, NULL)))
		goto out;
	EXPECT_EQ(t, kfi_control(&pep->fid, KFI_ENABLE, NULL), -EOPNOTSUPP);
	EXPECT_EQ(t, kfi_control(&pep->fid, KFI_BACKLOG, NULL), -EINVAL);
	EXPECT_EQ(t, set_backlog(pep, 0), -EINVAL);
	EXPECT_OK(t, set_backlog(pep, 1));
	EXPECT_OK(t, kfi_pep_bind(pep, &call->net.eq->fid, 0));
	if (EXPECT_OK(t, kfi_listen(pep))) {
		EXPECT_EQ(t, set_backlog(pep, 0), -EINVAL);
		EXPECT_EQ(t, set_backlog(pep, 1), -KFI_EOPBADSTATE);
		check_request(t, call, pep);
	}
	EXPECT_OK(t, kfi_close(&pep->fid));
out:
	kfi_freeinfo(info);
	call_close(t, call);
}

const struct suite_test suite_agree_tests[] = {
	{ "agree.foreign", test_foreign },
	{ "agree.param", test_param },
	{ "agree.again", test_again },
	{ "agree.failed", test_failed },
	{ "agree.family", test_family },
	{ "agree.passive", test_passive },
	{ }
};
