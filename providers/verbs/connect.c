// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a consumer does with connections.
 */

#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include <trace/events/kfi.h>

#include "commit.h"
#include "ep.h"
#include "pair.h"
#include "verbs.h"

static int kfv_ep_state_error(const struct kfv_ep *ep)
{
	switch (kfv_ep_state(ep)) {
	case KFV_IDLE:
		return 0;
	case KFV_CONNECTING:
		return -EALREADY;
	case KFV_CONNECTED:
		return -EISCONN;
	case KFV_GONE:
		return -ENODEV;
	default:
		return -ESHUTDOWN;
	}
}

static void kfv_ep_set_connecting(struct kfv_ep *ep)
{
	spin_lock_irq(&ep->tx.lock);
	kfv_ep_set_state(ep, KFV_CONNECTING);
	spin_unlock_irq(&ep->tx.lock);
	queue_delayed_work(kfv_wq, &ep->timer,
			   msecs_to_jiffies(ep->connect_ms));
}

/* Makes the link's CM id. */
int kfv_link_open(struct kfv_link *link)
{
	struct kfv_ep *ep = link->ep;
	struct rdma_cm_id *id;
	int ret;

	id = __rdma_create_kernel_id(ep->domain->fabric->net, kfv_cm_handler,
				     &link->cm, RDMA_PS_TCP, IB_QPT_RC,
				     ep->owner);
	if (IS_ERR(id))
		return PTR_ERR(id);
	ret = rdma_set_min_rnr_timer(id, ep->param.min_rnr_timer);
	if (ret) {
		rdma_destroy_id(id);
		return ret;
	}
	link->id = id;
	return 0;
}

/* The endpoint's CM id, at its own address if it has one. */
static int kfv_ep_open_link(struct kfv_ep *ep)
{
	int ret;

	ret = kfv_link_open(&ep->link);
	if (ret || !ep->src.ss_family)
		return ret;
	ret = kfv_cm_bind(ep->link.id, (struct sockaddr *)&ep->src);
	if (ret) {
		rdma_destroy_id(ep->link.id);
		ep->link.id = NULL;
	}
	return ret;
}

static int kfv_ep_start(struct kfv_ep *ep)
{
	int ret;

	ret = kfv_ep_open_link(ep);
	if (ret)
		return ret;
	trace_kfi_connect(ep->ep.fid.id, &ep->dest);
	kfv_ep_set_connecting(ep);
	ret = rdma_resolve_addr(ep->link.id, NULL, (struct sockaddr *)&ep->dest,
				ep->connect_ms);
	/* The endpoint is connecting already: an event has to end that. */
	if (ret)
		kfv_ep_fail(ep, -kfv_cm_errno(ret), 0, NULL, 0);
	return 0;
}

/* The caller's address has all the bytes that its family asks for. */
static int kfv_ep_set_dest(struct kfv_ep *ep, const struct sockaddr *addr)
{
	struct sockaddr_storage dest = ep->dest;

	if (addr)
		memcpy(&dest, addr, addr->sa_family == AF_INET6 ?
				    sizeof(struct sockaddr_in6) :
				    sizeof(struct sockaddr_in));
	if (!dest.ss_family)
		return -EDESTADDRREQ;
	if (ep->src.ss_family && ep->src.ss_family != dest.ss_family)
		return -EINVAL;
	ep->dest = dest;
	return 0;
}

static int kfv_ep_connect_locked(struct kfv_ep *ep, const void *addr,
				 const void *param, size_t len)
{
	int ret;

	if (len > kfv_cm_req_room(ep) || (len && !param) ||
	    (addr && !kfi_sockaddr_valid(addr, sizeof(ep->dest))))
		return -EINVAL;
	if (ep->passive)
		return -KFI_EOPBADSTATE;
	ret = kfv_ep_state_error(ep);
	if (ret)
		return ret;
	ret = kfv_ep_set_dest(ep, addr);
	if (ret)
		return ret;
	if (!ep->enabled) {
		ret = kfv_ep_enable(ep);
		if (ret)
			return ret;
	}
	ep->private_len = kfv_cm_fill(ep, param, len);
	return kfv_ep_start(ep);
}

static int kfv_ep_connect(struct kfid_ep *kfid_ep, const void *addr,
			  const void *param, size_t paramlen)
{
	struct kfv_ep *ep = to_kfv_ep(kfid_ep);
	int ret;

	if (!kfv_domain_get(ep->domain))
		return -ENODEV;
	mutex_lock(&ep->lock);
	ret = kfv_ep_connect_locked(ep, addr, param, paramlen);
	mutex_unlock(&ep->lock);
	kfv_domain_put(ep->domain);
	return ret;
}

/* Whether the peer is still there is the connection manager's to know. */
static int kfv_ep_answer(struct kfv_ep *ep)
{
	struct rdma_conn_param param = {
		.private_data		= ep->private_data,
		.private_data_len	= ep->private_len,
		.responder_resources	= ep->param.responder_resources,
		.initiator_depth	= ep->param.initiator_depth,
		.flow_control		= 1,
		.rnr_retry_count	= ep->param.rnr_retry_count,
	};
	struct rdma_cm_id *id = ep->link.id;
	int ret;

	ret = rdma_set_min_rnr_timer(id, ep->param.min_rnr_timer);
	if (ret)
		return ret;
	ep->depth = ep->param.initiator_depth;
	trace_kfi_accept(ep->ep.fid.id, &ep->peer);
	kfv_ep_set_connecting(ep);
	if (ep->pair)
		kfv_pair_await(ep->pair);
	rdma_lock_handler(id);
	ret = rdma_accept(id, &param);
	rdma_unlock_handler(id);
	if (ret) {
		ep->link.stalled = true;
		kfv_ep_teardown(ep, false);
	} else {
		ep->link.accepted_at = get_jiffies_64();
	}
	return ret == -ENOMEM ? ret : ret ? -ECONNRESET : 0;
}

static int kfv_ep_accept_locked(struct kfv_ep *ep, const void *param,
				size_t len)
{
	int ret;

	if (len > kfv_cm_rep_room(ep) || (len && !param))
		return -EINVAL;
	if (!ep->passive)
		return -KFI_EOPBADSTATE;
	ret = kfv_ep_state_error(ep);
	if (ret)
		return ret;
	if (!ep->enabled) {
		ret = kfv_ep_enable(ep);
		if (ret)
			return ret;
	}
	if (ep->commit) {
		ret = kfv_commit_choose(ep, ep->param.initiator_depth);
		if (ret)
			return ret;
	}
	ep->private_len = kfv_cm_fill(ep, param, len);
	return kfv_ep_answer(ep);
}

static int kfv_ep_accept(struct kfid_ep *kfid_ep, const void *param,
			 size_t paramlen)
{
	struct kfv_ep *ep = to_kfv_ep(kfid_ep);
	int ret;

	if (!kfv_domain_get(ep->domain))
		return -ENODEV;
	mutex_lock(&ep->lock);
	ret = kfv_ep_accept_locked(ep, param, paramlen);
	mutex_unlock(&ep->lock);
	kfv_domain_put(ep->domain);
	return ret;
}

static int kfv_ep_shutdown(struct kfid_ep *kfid_ep, u64 flags)
{
	struct kfv_ep *ep = to_kfv_ep(kfid_ep);
	int ret = 0;

	if (flags)
		return -EINVAL;
	if (!kfv_domain_get(ep->domain))
		return -ENODEV;
	trace_kfi_shutdown(kfid_ep);
	mutex_lock(&ep->lock);
	if (kfv_ep_was_connected(ep))
		kfv_ep_teardown(ep, false);
	else
		ret = -ENOTCONN;
	mutex_unlock(&ep->lock);
	kfv_domain_put(ep->domain);
	return ret;
}

/*
 * More than the peer has offered is of no use, and not for us to answer. How often
 * either end sends again is what the request says.
 */
void kfv_ep_set_param(struct kfv_ep *ep, const struct kfi_conn_param *param)
{
	ep->param = *param;
	ep->param.initiator_depth = min(param->initiator_depth,
					ep->peer_depth);
	ep->param.responder_resources = min(param->responder_resources,
					    ep->peer_resources);
	if (ep->passive)
		ep->param.retry_count = ep->peer_retry_count;
}

/* Once, before anybody looks: see kfv_ep_was_connected() */
void kfv_ep_set_addrs(struct kfv_ep *ep, const struct rdma_cm_id *id)
{
	memcpy(&ep->src, &id->route.addr.src_addr, sizeof(ep->src));
	memcpy(&ep->peer, &id->route.addr.dst_addr, sizeof(ep->peer));
}

/* Gives an endpoint the connection request that it was opened with. */
int kfv_ep_take_connreq(struct kfv_ep *ep, struct kfid *handle)
{
	struct kfv_connreq *cr = kfv_connreq_of(handle);
	struct rdma_cm_id *id;

	if (!cr)
		return -EINVAL;
	if (ep->kind != KFI_KIND_RAW && ep->kind != cr->kind)
		return -EOPNOTSUPP;
	if (cr->dev != ep->domain->dev)
		return -EINVAL;
	id = kfv_connreq_take(cr);
	if (IS_ERR(id))
		return PTR_ERR(id);
	ep->passive = true;
	ep->link.id = id;
	ep->peer_depth = cr->param.initiator_depth;
	ep->peer_resources = max_t(u8, cr->param.responder_resources, 1);
	ep->peer_retry_count = cr->param.retry_count;
	kfv_ep_set_param(ep, &ep->param);
	if (ep->commit)
		ep->commit->peer = cr->peer;
	kfv_ep_set_addrs(ep, id);
	rdma_lock_handler(id);
	id->context = &ep->link.cm;
	rdma_unlock_handler(id);
	return 0;
}

int kfv_copy_addr(const struct sockaddr_storage *from, void *addr,
		  size_t *addrlen)
{
	size_t len = kfi_sockaddr_len(from);
	size_t room;

	if (!addrlen)
		return -EINVAL;
	room = *addrlen;
	*addrlen = len;
	if (!addr || room < len)
		return -KFI_ETOOSMALL;
	memcpy(addr, from, len);
	return 0;
}

static int kfv_ep_getname(struct kfid *fid, void *addr, size_t *addrlen)
{
	struct kfv_ep *ep = fid_to_kfv_ep(fid);
	int ret = -KFI_EOPBADSTATE;

	if (!kfv_domain_get(ep->domain))
		return -ENODEV;
	if (ep->passive || kfv_ep_was_connected(ep))
		ret = kfv_copy_addr(&ep->src, addr, addrlen);
	kfv_domain_put(ep->domain);
	return ret;
}

static int kfv_ep_getpeer(struct kfid_ep *kfid_ep, void *addr, size_t *addrlen)
{
	struct kfv_ep *ep = to_kfv_ep(kfid_ep);
	int ret = -ENOTCONN;

	if (!kfv_domain_get(ep->domain))
		return -ENODEV;
	if (kfv_ep_was_connected(ep))
		ret = kfv_copy_addr(&ep->peer, addr, addrlen);
	kfv_domain_put(ep->domain);
	return ret;
}

const struct kfi_ops_cm kfv_ep_cm_ops = {
	.getname	= kfv_ep_getname,
	.getpeer	= kfv_ep_getpeer,
	.connect	= kfv_ep_connect,
	.accept		= kfv_ep_accept,
	.shutdown	= kfv_ep_shutdown,
};
