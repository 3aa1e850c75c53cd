// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Calls at the wrong time or on the wrong object, options, and attributes of
 * queues.
 */

#include <linux/slab.h>
#include <linux/string.h>

#include "suite.h"

/**
 * struct bare - an endpoint to which nothing is bound, and queues for it
 * @net: where it is
 * @info: what it was opened with
 * @ep: the endpoint
 * @tx: a queue
 * @rx: a queue
 */
struct bare {
	struct suite_net	net;
	struct kfi_info		*info;
	struct kfid_ep		*ep;
	struct suite_cq		tx;
	struct suite_cq		rx;
};

static void bare_close(struct suite *t, struct bare *bare)
{
	if (bare->ep)
		EXPECT_OK(t, kfi_close(&bare->ep->fid));
	suite_cq_close(t, &bare->tx);
	suite_cq_close(t, &bare->rx);
	kfi_freeinfo(bare->info);
	suite_net_close(&bare->net);
}

static bool bare_open(struct suite *t, struct bare *bare)
{
	const struct kfi_cq_attr attr = { };
	struct suite_net *net = &bare->net;

	memset(bare, 0, sizeof(*bare));
	if (!suite_net_open(t, net, SUITE_RAW, NULL))
		return false;
	if (EXPECT_OK(t, suite_cq_open(&bare->tx, net->domain, &attr, false)) &&
	    EXPECT_OK(t, suite_cq_open(&bare->rx, net->domain, &attr, false)) &&
	    EXPECT_OK(t, suite_getinfo(net->caps, net->port, 0, &bare->info)) &&
	    EXPECT_OK(t, kfi_endpoint(net->domain, bare->info, &bare->ep, t)))
		return true;
	bare_close(t, bare);
	return false;
}

static void test_enable(struct suite *t)
{
	struct bare bare;
	struct kfid_ep *ep;

	if (!bare_open(t, &bare))
		return;
	ep = bare.ep;
	EXPECT_EQ(t, ep->fid.fclass, KFI_CLASS_EP);
	EXPECT(t, ep->fid.context == t);
	EXPECT_OK(t, kfi_ep_bind(ep, &bare.net.eq->fid, 0));
	EXPECT_EQ(t, kfi_enable(ep), -KFI_ENOCQ);
	EXPECT_OK(t, kfi_ep_bind(ep, &bare.tx.cq->fid, KFI_TRANSMIT));
	EXPECT_EQ(t, kfi_enable(ep), -KFI_ENOCQ);
	EXPECT_EQ(t, kfi_connect(ep, NULL, NULL, 0), -KFI_ENOCQ);
	EXPECT_OK(t, kfi_ep_bind(ep, &bare.rx.cq->fid, KFI_RECV));
	EXPECT_OK(t, kfi_enable(ep));
	EXPECT_EQ(t, kfi_enable(ep), -KFI_EOPBADSTATE);
	EXPECT_EQ(t, kfi_control(&ep->fid, 1000, NULL), -EOPNOTSUPP);
	bare_close(t, &bare);

	if (!bare_open(t, &bare))
		return;
	EXPECT_OK(t, kfi_ep_bind(bare.ep, &bare.tx.cq->fid,
				 KFI_TRANSMIT | KFI_RECV));
	EXPECT_EQ(t, kfi_enable(bare.ep), -KFI_ENOEQ);
	EXPECT_EQ(t, kfi_connect(bare.ep, NULL, NULL, 0), -KFI_ENOEQ);
	bare_close(t, &bare);
}

static void check_bind_flags(struct suite *t, struct bare *bare)
{
	struct kfid *cq = &bare->tx.cq->fid;

	EXPECT_EQ(t, kfi_ep_bind(bare->ep, &bare->net.eq->fid, BIT_ULL(40)),
		  -EINVAL);
	EXPECT_EQ(t, kfi_ep_bind(bare->ep, &bare->net.eq->fid, KFI_TRANSMIT),
		  -EINVAL);
	EXPECT_EQ(t, kfi_ep_bind(bare->ep, cq, 0), -EINVAL);
	EXPECT_EQ(t, kfi_ep_bind(bare->ep, cq, KFI_SELECTIVE_COMPLETION),
		  -EINVAL);
	EXPECT_EQ(t, kfi_ep_bind(bare->ep, cq, KFI_TRANSMIT | BIT_ULL(40)),
		  -EINVAL);
	EXPECT_EQ(t, kfi_ep_bind(bare->ep, &bare->net.domain->fid, 0), -EINVAL);
	EXPECT_EQ(t, kfi_ep_bind(bare->ep, &bare->net.pep->fid, 0), -EINVAL);
}

static void check_bind_twice(struct suite *t, struct bare *bare)
{
	struct kfid *tx = &bare->tx.cq->fid, *rx = &bare->rx.cq->fid;
	struct kfid *eq = &bare->net.eq->fid;

	EXPECT_OK(t, kfi_ep_bind(bare->ep, eq, 0));
	EXPECT_EQ(t, kfi_ep_bind(bare->ep, eq, 0), -EALREADY);
	EXPECT_OK(t, kfi_ep_bind(bare->ep, tx, KFI_TRANSMIT));
	EXPECT_EQ(t, kfi_ep_bind(bare->ep, tx, KFI_TRANSMIT), -EALREADY);
	EXPECT_EQ(t, kfi_ep_bind(bare->ep, rx, KFI_TRANSMIT | KFI_RECV),
		  -EALREADY);
	EXPECT_OK(t, kfi_ep_bind(bare->ep, rx, KFI_RECV));
	EXPECT_EQ(t, kfi_ep_bind(bare->ep, rx, KFI_RECV), -EALREADY);
	EXPECT_OK(t, kfi_enable(bare->ep));
	EXPECT_EQ(t, kfi_ep_bind(bare->ep, rx, KFI_RECV), -KFI_EOPBADSTATE);
}

/* A queue of another domain of the same fabric */
static void check_bind_domain(struct suite *t, struct bare *bare)
{
	const struct kfi_cq_attr attr = { };
	struct kfid_domain *domain;
	struct suite_cq cq = { };

	if (!EXPECT_OK(t, kfi_domain(bare->net.fabric, bare->info, &domain,
				     NULL)))
		return;
	if (EXPECT_OK(t, suite_cq_open(&cq, domain, &attr, false)))
		EXPECT_EQ(t, kfi_ep_bind(bare->ep, &cq.cq->fid, KFI_TRANSMIT),
			  -EINVAL);
	suite_cq_close(t, &cq);
	EXPECT_OK(t, kfi_close(&domain->fid));
}

/* Queues of another domain, and of another fabric */
static void check_bind_foreign(struct suite *t, struct bare *bare)
{
	struct bare other;

	if (!bare_open(t, &other))
		return;
	EXPECT_EQ(t, kfi_ep_bind(bare->ep, &other.tx.cq->fid, KFI_TRANSMIT),
		  -EINVAL);
	EXPECT_EQ(t, kfi_ep_bind(bare->ep, &other.net.eq->fid, 0), -EINVAL);
	bare_close(t, &other);
}

static void test_bind(struct suite *t)
{
	struct bare *bare = kzalloc_obj(*bare);

	if (EXPECT(t, bare) && bare_open(t, bare)) {
		check_bind_flags(t, bare);
		check_bind_domain(t, bare);
		check_bind_foreign(t, bare);
		check_bind_twice(t, bare);
		bare_close(t, bare);
	}
	kfree(bare);
}

/* A queue takes as many endpoints as it has room for. */
static void test_bind_room(struct suite *t)
{
	struct kfi_cq_attr attr = { .size = 256, .format = KFI_CQ_FORMAT_DATA };
	struct kfid_ep *ep;
	struct kfid_cq *cq;
	struct bare bare;

	if (!bare_open(t, &bare))
		return;
	if (!EXPECT_OK(t, kfi_cq_open(bare.net.domain, &attr, &cq, NULL, NULL)))
		goto out;
	bare.info->tx_attr->size = 128;
	bare.info->rx_attr->size = 128;
	if (!EXPECT_OK(t, kfi_endpoint(bare.net.domain, bare.info, &ep, NULL)))
		goto out_cq;
	EXPECT_OK(t, kfi_ep_bind(ep, &cq->fid, KFI_TRANSMIT | KFI_RECV));
	EXPECT_EQ(t, kfi_ep_bind(bare.ep, &cq->fid, KFI_TRANSMIT), -ENOSPC);
	EXPECT_OK(t, kfi_close(&ep->fid));
	EXPECT_OK(t, kfi_ep_bind(bare.ep, &cq->fid, KFI_TRANSMIT));
	EXPECT_OK(t, kfi_close(&bare.ep->fid));
	bare.ep = NULL;
out_cq:
	EXPECT_OK(t, kfi_close(&cq->fid));
out:
	bare_close(t, &bare);
}

static void test_passive(struct suite *t)
{
	struct kfi_info *info;
	struct kfid_pep *pep;
	struct bare bare;
	int ret;

	if (!bare_open(t, &bare))
		return;
	if (!EXPECT_OK(t, suite_getinfo(SUITE_RAW, bare.net.port, KFI_SOURCE,
					&info)))
		goto out;

	/* the address of the net's listener */
	ret = kfi_passive_ep(bare.net.fabric, info, &pep, NULL);
	if (!ret) {
		EXPECT_EQ(t, kfi_listen(pep), -KFI_ENOEQ);
		EXPECT_EQ(t, kfi_pep_bind(pep, &bare.net.eq->fid, BIT_ULL(40)),
			  -EINVAL);
		EXPECT_EQ(t, kfi_pep_bind(pep, &bare.tx.cq->fid, 0), -EINVAL);
		EXPECT_OK(t, kfi_pep_bind(pep, &bare.net.eq->fid, 0));
		EXPECT_EQ(t, kfi_pep_bind(pep, &bare.net.eq->fid, 0),
			  -EALREADY);
		ret = kfi_listen(pep);
		EXPECT_OK(t, kfi_close(&pep->fid));
	}
	EXPECT_EQ(t, ret, -EADDRINUSE);
	EXPECT_EQ(t, kfi_listen(bare.net.pep), -KFI_EOPBADSTATE);
	EXPECT_EQ(t, kfi_pep_bind(bare.net.pep, &bare.net.eq->fid, 0),
		  -KFI_EOPBADSTATE);
	kfi_freeinfo(info);
out:
	bare_close(t, &bare);
}

static void test_post(struct suite *t)
{
	u8 *buf = kzalloc(64, GFP_KERNEL);
	struct bare bare;

	if (!EXPECT(t, buf) || !bare_open(t, &bare))
		goto out;
	EXPECT_EQ(t, kfi_recv(bare.ep, buf, 64, NULL, 0, NULL),
		  -KFI_EOPBADSTATE);
	EXPECT_EQ(t, kfi_send(bare.ep, buf, 64, NULL, 0, NULL),
		  -KFI_EOPBADSTATE);
	EXPECT_EQ(t, kfi_inject(bare.ep, buf, 64, 0), -KFI_EOPBADSTATE);
	EXPECT_EQ(t, kfi_write(bare.ep, buf, 64, NULL, 0, 0, 0, NULL),
		  -KFI_EOPBADSTATE);
	EXPECT_OK(t, kfi_ep_bind(bare.ep, &bare.net.eq->fid, 0));
	EXPECT_OK(t, kfi_ep_bind(bare.ep, &bare.tx.cq->fid, KFI_TRANSMIT));
	EXPECT_OK(t, kfi_ep_bind(bare.ep, &bare.rx.cq->fid, KFI_RECV));
	EXPECT_OK(t, kfi_enable(bare.ep));

	EXPECT_EQ(t, kfi_send(bare.ep, buf, 64, NULL, 0, NULL), -ENOTCONN);
	EXPECT_EQ(t, kfi_inject(bare.ep, buf, 64, 0), -ENOTCONN);
	EXPECT_EQ(t, kfi_read(bare.ep, buf, 64, NULL, 0, 0, 0, NULL),
		  -ENOTCONN);
	EXPECT_EQ(t, kfi_inject_write(bare.ep, buf, 64, 0, 0, 0), -ENOTCONN);
	EXPECT_NO_COMP(t, &bare.tx);

	/* a receive may wait for a connection that never comes */
	EXPECT_OK(t, kfi_recv(bare.ep, buf, 64, NULL, 0, buf));
	EXPECT_NO_COMP(t, &bare.rx);
	EXPECT_OK(t, kfi_close(&bare.ep->fid));
	bare.ep = NULL;
	EXPECT_COMP_ERR(t, &bare.rx, buf, ECANCELED, KFI_MSG | KFI_RECV);
	bare_close(t, &bare);
out:
	kfree(buf);
}

static int get_size(struct kfid_ep *ep, int name, size_t *value)
{
	size_t len = sizeof(*value);

	return kfi_getopt(&ep->fid, KFI_OPT_ENDPOINT, name, value, &len);
}

static int get_uint(struct kfid_ep *ep, int name, unsigned int *value)
{
	size_t len = sizeof(*value);

	return kfi_getopt(&ep->fid, KFI_OPT_ENDPOINT, name, value, &len);
}

static int set_option(struct kfid_ep *ep, int name, const void *value,
		      size_t len)
{
	return kfi_setopt(&ep->fid, KFI_OPT_ENDPOINT, name, value, len);
}

static void test_options(struct suite *t)
{
	struct kfi_conn_param param = { .responder_resources = 1 };
	size_t size = 0, len = sizeof(size) - 1;
	unsigned int ms = 0;
	struct kfid_ep *ep;
	struct bare bare;

	if (!bare_open(t, &bare))
		return;
	ep = bare.ep;
	EXPECT_OK(t, get_size(ep, KFI_OPT_RMA_SEG_LIMIT, &size));
	EXPECT(t, size >= 512);
	EXPECT_OK(t, get_uint(ep, KFI_OPT_COMMIT_TIMEOUT, &ms));
	EXPECT_EQ(t, ms, 30000);
	EXPECT_EQ(t, get_size(ep, 1000, &size), -ENOPROTOOPT);
	EXPECT_EQ(t, kfi_getopt(&ep->fid, KFI_OPT_ENDPOINT,
				KFI_OPT_RMA_SEG_LIMIT, &size, &len),
		  -KFI_ETOOSMALL);

	EXPECT_EQ(t, set_option(ep, 1000, &size, sizeof(size)), -ENOPROTOOPT);
	EXPECT_EQ(t, set_option(ep, KFI_OPT_RMA_SEG_LIMIT, &size, sizeof(size)),
		  -ENOPROTOOPT);
	EXPECT_EQ(t, set_option(ep, KFI_OPT_CONNECT_TIMEOUT, &ms, 1), -EINVAL);
	ms = 1234;
	EXPECT_OK(t, set_option(ep, KFI_OPT_CONNECT_TIMEOUT, &ms, sizeof(ms)));
	ms = 0;
	EXPECT_OK(t, get_uint(ep, KFI_OPT_CONNECT_TIMEOUT, &ms));
	EXPECT_EQ(t, ms, 1234);
	EXPECT_OK(t, set_option(ep, KFI_OPT_CONN_PARAM, &param, sizeof(param)));
	param.retry_count = 8;
	EXPECT_EQ(t, set_option(ep, KFI_OPT_CONN_PARAM, &param, sizeof(param)),
		  -EINVAL);
	param.retry_count = 7;
	param.responder_resources = 0;
	EXPECT_EQ(t, set_option(ep, KFI_OPT_CONN_PARAM, &param, sizeof(param)),
		  -EINVAL);
	bare_close(t, &bare);
}

/* Too late is an error of its own. */
static void test_late_options(struct suite *t)
{
	struct kfi_conn_param param = { .responder_resources = 1 };
	struct kfi_tx_handler_attr handler = { };
	struct suite_net net;
	struct suite_pair pair;

	if (!suite_open(t, &net, &pair, NULL))
		return;
	EXPECT_EQ(t, set_option(pair.a.ep, KFI_OPT_TX_HANDLER, &handler,
				sizeof(handler)), -KFI_EOPBADSTATE);
	EXPECT_EQ(t, set_option(pair.a.ep, KFI_OPT_CONN_PARAM, &param,
				sizeof(param)), -KFI_EOPBADSTATE);
	suite_ping(t, &pair.a, &pair.b);
	suite_close(&net, &pair);
}

static void test_names(struct suite *t)
{
	struct sockaddr_storage a = { }, b = { };
	struct suite_net net;
	struct suite_pair pair;
	size_t len = 1;

	if (!suite_open(t, &net, &pair, NULL))
		return;
	EXPECT_EQ(t, kfi_getname(&net.pep->fid, &a, &len), -KFI_ETOOSMALL);
	EXPECT(t, len > 1 && len <= sizeof(a));
	EXPECT_OK(t, kfi_getname(&net.pep->fid, &a, &len));
	EXPECT_SAME(t, &a, &net.addr, len);
	EXPECT_OK(t, kfi_getpeer(pair.a.ep, &a, &len));
	EXPECT_SAME(t, &a, &net.addr, len);
	EXPECT_OK(t, kfi_getname(&pair.a.ep->fid, &a, &len));
	EXPECT_OK(t, kfi_getpeer(pair.b.ep, &b, &len));
	EXPECT_SAME(t, &a, &b, len);
	EXPECT_EQ(t, kfi_listen(net.pep), -KFI_EOPBADSTATE);
	suite_close(&net, &pair);
}

static void test_cq_attributes(struct suite *t)
{
	struct kfi_cq_attr flags = { .flags = BIT_ULL(40) };
	struct kfi_cq_attr tagged = { .format = KFI_CQ_FORMAT_TAGGED };
	struct kfi_cq_attr unknown = { .format = 1000 };
	struct kfi_cq_attr threshold = { .wait_cond = KFI_CQ_COND_THRESHOLD };
	struct kfi_cq_attr set = { .wait_obj = KFI_WAIT_SET };
	struct kfi_cq_attr vector = { .flags = KFI_AFFINITY };
	struct kfi_cq_attr any = { };
	struct kfi_cq_err_entry err = { };
	struct kfi_cq_data_entry entry;
	struct kfid_domain *domain;
	struct suite_net net;
	struct kfid_cq *cq;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	domain = net.domain;
	EXPECT(t, kfi_domain_num_vectors(domain) >= 1);
	vector.signaling_vector = kfi_domain_num_vectors(domain);
	EXPECT_EQ(t, kfi_cq_open(domain, &flags, &cq, NULL, NULL), -EINVAL);
	EXPECT_EQ(t, kfi_cq_open(domain, &tagged, &cq, NULL, NULL),
		  -EOPNOTSUPP);
	EXPECT_EQ(t, kfi_cq_open(domain, &unknown, &cq, NULL, NULL), -EINVAL);
	EXPECT_EQ(t, kfi_cq_open(domain, &threshold, &cq, NULL, NULL), -EINVAL);
	EXPECT_EQ(t, kfi_cq_open(domain, &set, &cq, NULL, NULL), -EINVAL);
	EXPECT_EQ(t, kfi_cq_open(domain, &vector, &cq, NULL, NULL), -EINVAL);
	if (EXPECT_OK(t, kfi_cq_open(domain, &any, &cq, NULL, t))) {
		EXPECT(t, any.format != KFI_CQ_FORMAT_UNSPEC);
		EXPECT_EQ(t, cq->fid.fclass, KFI_CLASS_CQ);
		EXPECT_EQ(t, kfi_cq_read(cq, &entry, 0), -EINVAL);
		EXPECT_EQ(t, kfi_cq_read(cq, &entry, 1), -EAGAIN);
		EXPECT_EQ(t, kfi_cq_readerr(cq, &err, 0), -EAGAIN);
		EXPECT_EQ(t, kfi_cq_readerr(cq, &err, BIT_ULL(40)), -EINVAL);
		EXPECT_OK(t, kfi_close(&cq->fid));
	}
	suite_net_close(&net);
}

const struct suite_test suite_state_tests[] = {
	{ "state.enable", test_enable },
	{ "state.bind", test_bind },
	{ "state.bind_room", test_bind_room },
	{ "state.passive", test_passive },
	{ "state.post", test_post },
	{ "state.options", test_options },
	{ "state.late_options", test_late_options },
	{ "state.names", test_names },
	{ "state.cq_attributes", test_cq_attributes },
	{ }
};
