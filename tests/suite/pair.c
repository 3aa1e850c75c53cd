// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * From a provider's name to two connected endpoints.
 */

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "suite.h"

/* What to ask kfi_getinfo() for; kfi_freeinfo() ends it. */
struct kfi_info *suite_hints(u64 caps)
{
	struct kfi_info *hints = kfi_allocinfo();

	if (!hints)
		return NULL;
	hints->caps = caps;
	hints->mode = KFI_RX_CQ_DATA;
	hints->ep_attr->type = KFI_EP_MSG;
	hints->fabric_attr->net = suite_netns();
	hints->domain_attr->mr_mode = KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY;
	hints->fabric_attr->prov_name = kstrdup(suite_provider(), GFP_KERNEL);
	if (!hints->fabric_attr->prov_name) {
		kfi_freeinfo(hints);
		return NULL;
	}
	return hints;
}

int suite_getinfo(u64 caps, const char *service, u64 flags,
		  struct kfi_info **info)
{
	struct kfi_info *hints = suite_hints(caps);
	int ret;

	*info = NULL;
	if (!hints)
		return -ENOMEM;
	ret = kfi_getinfo(SUITE_API_VERSION, suite_address(), service, flags,
			  hints, info);
	kfi_freeinfo(hints);
	return ret;
}

static bool suite_listen(struct suite_net *net, struct kfi_info *info,
			 struct kfi_eq_attr *eq_attr)
{
	size_t len = sizeof(net->addr);
	struct suite *t = net->t;
	u16 port;

	if (!EXPECT_OK(t, kfi_eq_open(net->fabric, eq_attr, &net->eq, NULL,
				      NULL)) ||
	    !EXPECT_OK(t, kfi_passive_ep(net->fabric, info, &net->pep, net)) ||
	    !EXPECT_OK(t, kfi_pep_bind(net->pep, &net->eq->fid, 0)) ||
	    !EXPECT_OK(t, kfi_listen(net->pep)) ||
	    !EXPECT_OK(t, kfi_getname(&net->pep->fid, &net->addr, &len)))
		return false;

	if (net->addr.ss_family == AF_INET6)
		port = ntohs(((struct sockaddr_in6 *)&net->addr)->sin6_port);
	else
		port = ntohs(((struct sockaddr_in *)&net->addr)->sin_port);
	snprintf(net->port, sizeof(net->port), "%u", port);
	return EXPECT(t, port);
}

/* Fabric, domain, event queue, and a passive endpoint that listens. */
bool suite_net_open(struct suite *t, struct suite_net *net, u64 caps,
		    struct kfi_eq_attr *eq_attr)
{
	struct kfi_info *info;
	bool ok;

	memset(net, 0, sizeof(*net));
	net->t = t;
	net->caps = caps;
	if (!EXPECT_OK(t, suite_getinfo(caps, NULL, KFI_SOURCE, &info)))
		return false;
	ok = EXPECT_OK(t, kfi_fabric(info->fabric_attr, &net->fabric, NULL)) &&
	     EXPECT_OK(t, kfi_domain(net->fabric, info, &net->domain, NULL)) &&
	     suite_listen(net, info, eq_attr);
	kfi_freeinfo(info);
	if (!ok)
		suite_net_close(net);
	return ok;
}

void suite_net_close(struct suite_net *net)
{
	struct suite *t = net->t;

	if (net->pep)
		EXPECT_OK(t, kfi_close(&net->pep->fid));
	if (net->eq)
		EXPECT_OK(t, kfi_close(&net->eq->fid));
	if (net->domain)
		EXPECT_OK(t, kfi_close(&net->domain->fid));
	if (net->fabric)
		EXPECT_OK(t, kfi_close(&net->fabric->fid));
	memset(net, 0, sizeof(*net));
}

/* An endpoint with its queues, bound and not yet enabled. */
bool suite_end_open(struct suite_net *net, struct suite_end *end,
		    struct kfi_info *info, const struct suite_opts *opts)
{
	struct kfi_cq_attr attr = {
		.size = opts->cq_size, .flags = opts->cq_flags,
		.format = opts->cq_format,
	};
	struct kfid_eq *eq = opts->eq ?: net->eq;
	struct suite *t = net->t;

	memset(end, 0, sizeof(*end));
	if (opts->tx_size)
		info->tx_attr->size = opts->tx_size;
	if (opts->rx_size)
		info->rx_attr->size = opts->rx_size;
	if (opts->op_flags)
		info->tx_attr->op_flags = opts->op_flags;
	if (!EXPECT_OK(t, suite_cq_open(&end->tx, net->domain, &attr,
					opts->polled)) ||
	    !EXPECT_OK(t, suite_cq_open(&end->rx, net->domain, &attr,
					opts->polled)) ||
	    !EXPECT_OK(t, kfi_endpoint(net->domain, info, &end->ep, end)))
		return false;
	return EXPECT_OK(t, kfi_ep_bind(end->ep, &eq->fid, 0)) &&
	       EXPECT_OK(t, kfi_ep_bind(end->ep, &end->tx.cq->fid,
					KFI_TRANSMIT | opts->tx_bind)) &&
	       EXPECT_OK(t, kfi_ep_bind(end->ep, &end->rx.cq->fid,
					KFI_RECV | opts->rx_bind));
}

void suite_end_close(struct suite *t, struct suite_end *end)
{
	if (end->ep)
		EXPECT_OK(t, kfi_close(&end->ep->fid));
	end->ep = NULL;
	suite_cq_close(t, &end->tx);
	suite_cq_close(t, &end->rx);
}

/* Both ends say that they are connected, in either order. */
static bool suite_wait_connected(struct suite_pair *pair)
{
	struct kfid *a = &pair->a.ep->fid, *b = &pair->b.ep->fid;
	struct suite *t = pair->net->t;
	struct suite_event ev;

	if (!EXPECT_EVENT(t, pair->net->eq, KFI_CONNECTED, NULL, &ev))
		return false;
	if (!EXPECT(t, ev.fid == a || ev.fid == b))
		return false;
	return EXPECT_EVENT(t, pair->net->eq, KFI_CONNECTED,
			    ev.fid == a ? b : a, &ev);
}

static bool suite_set(struct suite *t, struct suite_end *end, int name,
		      const void *value, size_t len)
{
	return EXPECT_OK(t, kfi_setopt(&end->ep->fid, KFI_OPT_ENDPOINT, name,
				       value, len));
}

static bool suite_pair_accept(struct suite_pair *pair,
			      const struct suite_opts *opts)
{
	struct suite_net *net = pair->net;
	struct suite_event ev;
	bool ok;

	if (!EXPECT_EVENT(net->t, net->eq, KFI_CONNREQ, &net->pep->fid, &ev))
		return false;
	ok = suite_end_open(net, &pair->b, ev.info, opts);
	if (ok && opts->param)
		ok = suite_set(net->t, &pair->b, KFI_OPT_CONN_PARAM,
			       opts->param, sizeof(*opts->param));
	ok = ok && EXPECT_OK(net->t, kfi_enable(pair->b.ep)) &&
	     EXPECT_OK(net->t, kfi_accept(pair->b.ep, NULL, 0));
	kfi_freeinfo(ev.info);
	return ok && suite_wait_connected(pair);
}

/* A slow machine with much to do is no reason to give up. */
bool suite_patient(struct suite *t, struct suite_end *end)
{
	const unsigned int ms = SUITE_TIMEOUT_MS;

	return suite_set(t, end, KFI_OPT_CONNECT_TIMEOUT, &ms, sizeof(ms));
}

int suite_set_method(struct kfid_ep *ep, enum kfi_commit_method method)
{
	return kfi_setopt(&ep->fid, KFI_OPT_ENDPOINT, KFI_OPT_COMMIT_METHOD,
			  &method, sizeof(method));
}

static bool suite_pair_set_method(struct suite_pair *pair,
				  const struct suite_opts *opts)
{
	struct suite *t = pair->net->t;

	if (!(pair->net->caps & KFI_RMA_PMEM) || (!opts->method && !t->method))
		return true;
	return EXPECT_OK(t, suite_set_method(pair->a.ep, opts->method ?
					     *opts->method : t->method));
}

bool suite_pair_open(struct suite_net *net, struct suite_pair *pair,
		     const struct suite_opts *opts)
{
	static const struct suite_opts plain;
	struct suite *t = net->t;
	bool ok;

	if (!opts)
		opts = &plain;
	memset(pair, 0, sizeof(*pair));
	pair->net = net;
	if (!EXPECT_OK(t, suite_getinfo(net->caps, net->port, 0, &pair->info)))
		return false;

	ok = suite_end_open(net, &pair->a, pair->info, opts) &&
	     suite_patient(t, &pair->a) && suite_pair_set_method(pair, opts);
	if (ok && opts->tx_handler.handler)
		ok = suite_set(t, &pair->a, KFI_OPT_TX_HANDLER,
			       &opts->tx_handler, sizeof(opts->tx_handler));
	ok = ok && EXPECT_OK(t, kfi_enable(pair->a.ep)) &&
	     EXPECT_OK(t, kfi_connect(pair->a.ep, NULL, NULL, 0)) &&
	     suite_pair_accept(pair, opts);
	if (!ok)
		suite_pair_close(pair);
	return ok;
}

/* Events that nobody has read vanish with the endpoints. */
void suite_pair_close(struct suite_pair *pair)
{
	suite_end_close(pair->net->t, &pair->a);
	suite_end_close(pair->net->t, &pair->b);
	kfi_freeinfo(pair->info);
	pair->info = NULL;
}

/* For a test with one pair: all that it needs */
bool suite_open(struct suite *t, struct suite_net *net, struct suite_pair *pair,
		const struct suite_opts *opts)
{
	u64 caps = opts && opts->caps ? opts->caps : t->caps ?: SUITE_RAW;

	if (!suite_net_open(t, net, caps, NULL))
		return false;
	if (suite_pair_open(net, pair, opts))
		return true;
	suite_net_close(net);
	return false;
}

void suite_close(struct suite_net *net, struct suite_pair *pair)
{
	suite_pair_close(pair);
	suite_net_close(net);
}

#define SUITE_PING_LEN	256

static bool ping(struct suite *t, struct suite_end *from, struct suite_end *to,
		 u8 *sent, u8 *received)
{
	struct suite_comp comp;

	suite_fill(t, sent, SUITE_PING_LEN);
	if (!EXPECT_OK(t, kfi_recv(to->ep, received, SUITE_PING_LEN, NULL,
				   KFI_ADDR_UNSPEC, received)) ||
	    !EXPECT_OK(t, kfi_send(from->ep, sent, SUITE_PING_LEN, NULL,
				   KFI_ADDR_UNSPEC, sent)) ||
	    !EXPECT_COMP(t, &to->rx, received, &comp) ||
	    !EXPECT_COMP(t, &from->tx, sent, NULL))
		return false;
	return EXPECT_EQ(t, comp.entry.len, SUITE_PING_LEN) &&
	       EXPECT_SAME(t, received, sent, SUITE_PING_LEN);
}

/* One message from @from to @to arrives, and nothing else does. */
bool suite_ping(struct suite *t, struct suite_end *from, struct suite_end *to)
{
	u8 *buf = kzalloc(2 * SUITE_PING_LEN, GFP_KERNEL);
	bool ok;

	ok = EXPECT(t, buf) && ping(t, from, to, buf, buf + SUITE_PING_LEN);
	/* after a failure the provider may still have the buffer */
	if (ok)
		kfree(buf);
	return ok;
}

/*
 * A write that is complete may not be visible yet. It is when a read that was
 * posted after it is complete.
 */
bool suite_settle(struct suite *t, struct suite_end *from, u64 addr, u64 key)
{
	u8 *byte = kmalloc(1, GFP_KERNEL);
	bool ok;

	ok = EXPECT(t, byte) &&
	     EXPECT_OK(t, kfi_read(from->ep, byte, 1, NULL, KFI_ADDR_UNSPEC,
				   addr, key, byte)) &&
	     EXPECT_COMP(t, &from->tx, byte, NULL);
	if (ok)
		kfree(byte);
	return ok;
}
