// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the connection manager and the queue pair tell an endpoint.
 */

#include <linux/sched/mm.h>
#include <linux/string.h>
#include <rdma/ib_cm.h>

#include "commit.h"
#include "ep.h"
#include "pair.h"
#include "verbs.h"

/*
 * Handlers of one id run one at a time, under its handler lock. An endpoint's own
 * lock is outside of that, so they do without; the state says whether they are
 * still wanted.
 */
int kfv_cm_handler(struct rdma_cm_id *id, struct rdma_cm_event *ev)
{
	struct kfv_cm *cm = id->context;

	return cm->event(cm, id, ev);
}

/* Routing says ENOBUFS when it has no memory. */
int kfv_cm_errno(int status)
{
	switch (status) {
	case -ETIMEDOUT:
		return -ETIMEDOUT;
	case -ENOMEM:
	case -ENOBUFS:
		return -ENOMEM;
	default:
		return -EHOSTUNREACH;
	}
}

/* Where there is none of our devices, this is not one of our addresses. */
int kfv_cm_bind(struct rdma_cm_id *id, struct sockaddr *addr)
{
	int ret = rdma_bind_addr(id, addr);

	return ret == -ENODEV ? -EADDRNOTAVAIL : ret;
}

static bool kfv_ep_connecting(struct kfv_ep *ep)
{
	return kfv_ep_state(ep) == KFV_CONNECTING;
}

/* The address is there; but a domain is one device, and the way may be another. */
static void kfv_ep_addr_resolved(struct kfv_ep *ep, struct rdma_cm_id *id)
{
	int ret;

	if (!kfv_ep_connecting(ep))
		return;
	if (id->device != ep->domain->ib) {
		kfv_ep_fail(ep, EHOSTUNREACH, 0, NULL, 0);
		return;
	}
	ret = rdma_resolve_route(id, ep->connect_ms);
	if (ret)
		kfv_ep_fail(ep, -kfv_cm_errno(ret), 0, NULL, 0);
}

static void kfv_link_route_resolved(struct kfv_link *link,
				    struct rdma_cm_id *id)
{
	struct kfv_ep *ep = link->ep;
	struct rdma_conn_param param = {
		.private_data		= ep->private_data,
		.private_data_len	= ep->private_len,
		.responder_resources	= ep->param.responder_resources,
		.initiator_depth	= ep->param.initiator_depth,
		.flow_control		= 1,
		.retry_count		= ep->param.retry_count,
		.rnr_retry_count	= ep->param.rnr_retry_count,
	};
	struct kfv_wire_record rec;
	unsigned int noio;
	int ret;

	if (!kfv_ep_connecting(ep))
		return;
	if (kfv_link_is_second(link)) {
		kfv_cm_second(ep, ep->commit->peer.cookie, &rec);
		param.private_data = &rec;
		param.private_data_len = sizeof(rec);
		param.responder_resources = 1;
		param.initiator_depth = 0;
	}
	/* Whoever reclaims memory may be waiting for this connection. */
	noio = memalloc_noio_save();
	ret = kfv_link_create_qp(link, id);
	if (!ret)
		ret = rdma_connect_locked(id, &param);
	memalloc_noio_restore(noio);
	if (ret)
		kfv_ep_fail(ep, -ret, 0, NULL, 0);
}

/* Who rejects the second connection has accepted the first, and changed its mind. */
static void kfv_link_rejected(struct kfv_link *link, struct rdma_cm_id *id,
			      struct rdma_cm_event *ev)
{
	bool second = kfv_link_is_second(link);
	struct kfv_ep *ep = link->ep;
	const void *body = NULL;
	u8 len = 0;

	if (ev->status == IB_CM_REJ_INVALID_CLASS_VERSION) {
		kfv_ep_fail(ep, EPROTONOSUPPORT, ev->status, NULL, 0);
		return;
	}
	if (!second)
		body = rdma_consumer_reject_data(id, ev, &len);
	kfv_ep_fail(ep, ev->status == IB_CM_REJ_TIMEOUT ? ETIMEDOUT :
			second ? ECONNRESET : ECONNREFUSED,
		    ev->status, body, body ? len : 0);
}

/* What the peer's answer to the first request says. */
static void kfv_ep_answered(struct kfv_ep *ep, struct rdma_cm_id *id, u8 depth,
			    const void *data, size_t len)
{
	ep->depth = depth;
	kfv_ep_set_addrs(ep, id);
	ep->connected.data_len = min(len, sizeof(ep->connected.data));
	if (data)
		memcpy(ep->connected.data, data, ep->connected.data_len);
}

/* All queue pairs are connected. */
static void kfv_ep_connected(struct kfv_ep *ep)
{
	lockdep_assert_held(&ep->tx.lock);
	cancel_delayed_work(&ep->timer);
	ep->connected.event = KFI_CONNECTED;
	/* pairs with kfv_ep_was_connected() */
	smp_store_release(&ep->was_connected, true);
	kfv_ep_set_state(ep, KFV_CONNECTED);
	kfi_eq_post(ep->eq, &ep->connected);
	kfi_ep_connected(&ep->track, 0);
	if (ep->lost)
		kfv_ep_lost_locked(ep);
}

/* The peer's data is in the answer to our request; the other end has had it. */
static void kfv_link_established(struct kfv_link *link, struct rdma_cm_id *id,
				 struct rdma_cm_event *ev)
{
	const struct rdma_conn_param *conn = &ev->param.conn;
	bool first = !kfv_link_is_second(link);
	struct kfv_ep *ep = link->ep;
	const void *data = ep->passive ? NULL : conn->private_data;
	u8 depth = min(ep->param.initiator_depth, conn->initiator_depth);
	size_t len = data ? conn->private_data_len : 0;
	int ret;

	if (ep->commit && !ep->passive) {
		if (first)
			ret = kfv_commit_connected(ep, depth, &data, &len);
		else
			ret = kfv_commit_joined(ep, data, len);
		if (ret) {
			kfv_ep_fail(ep, -ret, 0, NULL, 0);
			return;
		}
	}
	spin_lock_irq(&ep->tx.lock);
	if (ep->state == KFV_CONNECTING) {
		link->up = true;
		if (first && !ep->passive)
			kfv_ep_answered(ep, id, depth, data, len);
		if (ep->link.up && (!ep->pair || ep->pair->link.up))
			kfv_ep_connected(ep);
		else if (!ep->passive)
			kfv_pair_connect(ep->pair);
	}
	spin_unlock_irq(&ep->tx.lock);
}

int kfv_link_event(struct kfv_cm *cm, struct rdma_cm_id *id,
		   struct rdma_cm_event *ev)
{
	struct kfv_link *link = container_of(cm, struct kfv_link, cm);
	struct kfv_ep *ep = link->ep;

	switch (ev->event) {
	case RDMA_CM_EVENT_ADDR_RESOLVED:
		kfv_ep_addr_resolved(ep, id);
		break;
	case RDMA_CM_EVENT_ROUTE_RESOLVED:
		kfv_link_route_resolved(link, id);
		break;
	case RDMA_CM_EVENT_ADDR_ERROR:
	case RDMA_CM_EVENT_ROUTE_ERROR:
	case RDMA_CM_EVENT_UNREACHABLE:
		kfv_ep_fail(ep, -kfv_cm_errno(ev->status), 0, NULL, 0);
		break;
	case RDMA_CM_EVENT_CONNECT_ERROR:
		link->stalled = true;
		kfv_ep_fail(ep, ECONNRESET, 0, NULL, 0);
		break;
	case RDMA_CM_EVENT_REJECTED:
		kfv_link_rejected(link, id, ev);
		/* so ends a connection that only this end has seen made */
		kfv_ep_lost(ep);
		break;
	case RDMA_CM_EVENT_ESTABLISHED:
		kfv_link_established(link, id, ev);
		break;
	case RDMA_CM_EVENT_DISCONNECTED:
		kfv_ep_fail(ep, ECONNRESET, 0, NULL, 0);
		kfv_ep_lost(ep);
		break;
	case RDMA_CM_EVENT_ADDR_CHANGE:
		kfv_ep_complain(ep, rdma_event_msg(ev->event));
		kfv_ep_fatal(ep, EADDRNOTAVAIL, 0);
		break;
	case RDMA_CM_EVENT_DEVICE_REMOVAL:
		kfv_ep_fail(ep, ENODEV, 0, NULL, 0);
		kfv_ep_lost(ep);
		break;
	default:
		break;
	}
	complete_all(&link->heard);
	return 0;
}

/* Events of the queue pair, in any context */
void kfv_qp_event(struct ib_event *event, void *context)
{
	struct kfv_link *link = context;
	struct kfv_ep *ep = link->ep;

	switch (event->event) {
	case IB_EVENT_COMM_EST:
		rdma_notify(link->id, event->event);
		break;
	case IB_EVENT_QP_FATAL:
		kfv_ep_complain(ep, ib_event_msg(event->event));
		kfv_ep_fatal(ep, EIO, KFV_ERR_EVENT | event->event);
		break;
	case IB_EVENT_QP_REQ_ERR:
	case IB_EVENT_QP_ACCESS_ERR:
		kfv_ep_complain(ep, ib_event_msg(event->event));
		kfv_ep_refused(ep);
		break;
	default:
		break;
	}
}

/* A completion queue has failed, in any context: what it has not told it never will. */
void kfv_cq_event(struct ib_event *event, void *context)
{
	struct kfv_ep *ep = context;

	if (event->event != IB_EVENT_CQ_ERR)
		return;
	kfv_ep_complain(ep, ib_event_msg(event->event));
	kfv_ep_cut_off(ep);
	kfv_ep_fatal(ep, EIO, KFV_ERR_EVENT | event->event);
}
