// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Endpoints: opening, binding, enabling, closing.
 */

#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "commit.h"
#include "ep.h"
#include "pair.h"
#include "verbs.h"

/* Each credit of an endpoint is a use of the queue. */
static int kfv_bind_credit(struct kfv_ep *ep, struct kfv_cq *cq,
			   struct kfi_cq_credit **credit, unsigned int size,
			   struct work_struct *work)
{
	struct kfi_cq_credit *reserved;

	if (!kfi_obj_get(&cq->pcq.cq.fid))
		return -EINVAL;
	reserved = kfi_cq_reserve(&cq->pcq, &ep->ep, size, kfv_wq, work);
	if (IS_ERR(reserved)) {
		kfi_obj_put(&cq->pcq.cq.fid);
		return PTR_ERR(reserved);
	}
	*credit = reserved;
	return 0;
}

static void kfv_unbind_credit(struct kfv_cq *cq, struct kfi_cq_credit **credit)
{
	if (!*credit)
		return;
	kfi_cq_release(*credit);
	kfi_obj_put(&cq->pcq.cq.fid);
	*credit = NULL;
}

static int kfv_bind_tx(struct kfv_ep *ep, struct kfv_cq *cq, bool selective)
{
	int ret;

	ret = kfv_bind_credit(ep, cq, &ep->tx.credit, ep->tx_size,
			      &ep->tx.work);
	if (ret)
		return ret;
	ep->tx_cq = cq;
	ep->tx.selective = selective;
	return 0;
}

/* As many entries for receives, and for immediates that come without. */
static int kfv_bind_rx(struct kfv_ep *ep, struct kfv_cq *cq, bool selective)
{
	int ret = 0;

	if (ep->kind != KFI_KIND_COMMIT)
		ret = kfv_bind_credit(ep, cq, &ep->rx.credit, ep->rx_size,
				      NULL);
	if (!ret && ep->commit)
		ret = kfv_bind_credit(ep, cq, &ep->commit->credit, ep->rx_size,
				      &ep->commit->room);
	if (ret) {
		kfv_unbind_credit(cq, &ep->rx.credit);
		return ret;
	}
	ep->rx_cq = cq;
	ep->rx.selective = selective;
	return 0;
}

static void kfv_unbind_tx(struct kfv_ep *ep)
{
	kfv_unbind_credit(ep->tx_cq, &ep->tx.credit);
	ep->tx_cq = NULL;
}

static void kfv_ep_unbind(struct kfv_ep *ep)
{
	kfv_unbind_tx(ep);
	kfv_unbind_credit(ep->rx_cq, &ep->rx.credit);
	if (ep->commit)
		kfv_unbind_credit(ep->rx_cq, &ep->commit->credit);
	cancel_work_sync(&ep->tx.work);
	if (ep->eq) {
		kfi_eq_flush(ep->eq, &ep->ep.fid);
		kfi_obj_put(&ep->eq->fid);
	}
}

static int kfv_ep_close(struct kfid *fid)
{
	struct kfv_ep *ep = fid_to_kfv_ep(fid);
	struct kfv_domain *domain = ep->domain;

	if (!kfi_obj_close(fid))
		return -EBUSY;
	if (kfv_domain_get(domain)) {
		mutex_lock(&ep->lock);
		kfv_ep_teardown(ep, false);
		mutex_unlock(&ep->lock);
		kfv_ep_free_queues(ep);
		mutex_lock(&domain->lock);
		list_del(&ep->node);
		mutex_unlock(&domain->lock);
		kfv_domain_put(domain);
	} else {
		wait_for_completion(&domain->gone);
	}
	cancel_delayed_work_sync(&ep->timer);
	cancel_delayed_work_sync(&ep->down);
	/* it looks at completion queues, which can be closed when they are unbound */
	kfv_commit_stop_timer(ep);
	kfi_ep_track_del(&ep->track);
	kfi_stat_ep_close(&ep->stat);
	kfv_ep_unbind(ep);
	kfv_pair_destroy(ep);
	kfv_commit_destroy(ep);
	kfi_obj_put(&domain->domain.fid);
	kfree(ep);
	return 0;
}

/* The device goes; the endpoint stays, and can do nothing but be closed. */
void kfv_ep_remove(struct kfv_ep *ep)
{
	kfv_ep_teardown(ep, true);
	kfv_ep_free_queues(ep);
}

static int kfv_ep_bind_cq(struct kfv_ep *ep, struct kfid *bfid, u64 flags)
{
	struct kfv_cq *cq = container_of(bfid, struct kfv_cq, pcq.cq.fid);
	bool selective = flags & KFI_SELECTIVE_COMPLETION;
	int ret = 0;

	if (flags & ~(KFI_TRANSMIT | KFI_RECV | KFI_SELECTIVE_COMPLETION) ||
	    !(flags & (KFI_TRANSMIT | KFI_RECV)) ||
	    cq->pcq.domain != &ep->domain->domain)
		return -EINVAL;
	if ((flags & KFI_TRANSMIT && ep->tx_cq) ||
	    (flags & KFI_RECV && ep->rx_cq))
		return -EALREADY;
	if (flags & KFI_TRANSMIT)
		ret = kfv_bind_tx(ep, cq, selective);
	if (!ret && flags & KFI_RECV) {
		ret = kfv_bind_rx(ep, cq, selective);
		if (ret && flags & KFI_TRANSMIT)
			kfv_unbind_tx(ep);
	}
	return ret;
}

static int kfv_ep_bind(struct kfid *fid, struct kfid *bfid, u64 flags)
{
	struct kfv_ep *ep = fid_to_kfv_ep(fid);
	int ret;

	if (!bfid)
		return -EINVAL;
	if (!kfv_domain_get(ep->domain))
		return -ENODEV;
	mutex_lock(&ep->lock);
	if (ep->enabled)
		ret = -KFI_EOPBADSTATE;
	else if (bfid->fclass == KFI_CLASS_CQ)
		ret = kfv_ep_bind_cq(ep, bfid, flags);
	else
		ret = kfi_prov_bind_eq(&ep->eq, &ep->domain->fabric->fabric,
				       bfid, flags);
	mutex_unlock(&ep->lock);
	kfv_domain_put(ep->domain);
	return ret;
}

static int kfv_ep_enable_passive(struct kfv_ep *ep)
{
	int ret;

	rdma_lock_handler(ep->link.id);
	ret = kfv_link_create_qp(&ep->link, ep->link.id);
	rdma_unlock_handler(ep->link.id);
	/* The connection manager knows nothing of a connection to make it for. */
	return ret == -EINVAL ? -ECONNRESET : ret;
}

/* Under the endpoint's lock, with a reference to the domain. */
int kfv_ep_enable(struct kfv_ep *ep)
{
	int ret;

	if (ep->enabled)
		return -KFI_EOPBADSTATE;
	if (kfv_ep_state(ep) != KFV_IDLE)
		return -ESHUTDOWN;
	if (!ep->eq)
		return -KFI_ENOEQ;
	if (!ep->tx_cq || !ep->rx_cq)
		return -KFI_ENOCQ;
	ret = kfv_ep_alloc_queues(ep);
	if (ret)
		return ret;
	if (ep->link.id) {
		ret = kfv_ep_enable_passive(ep);
		if (ret) {
			kfv_ep_teardown(ep, false);
			kfv_ep_free_queues(ep);
			return ret;
		}
	}
	/* pairs with kfv_ep_add_stats() */
	smp_store_release(&ep->enabled, true);
	kfv_rx_stop(ep, 0);
	return 0;
}

static int kfv_ep_control(struct kfid *fid, int command, void *arg)
{
	struct kfv_ep *ep = fid_to_kfv_ep(fid);
	int ret;

	if (command != KFI_ENABLE)
		return -EOPNOTSUPP;
	if (!kfv_domain_get(ep->domain))
		return -ENODEV;
	mutex_lock(&ep->lock);
	ret = kfv_ep_enable(ep);
	mutex_unlock(&ep->lock);
	kfv_domain_put(ep->domain);
	return ret;
}

static void kfv_ep_describe(struct kfi_ep_track *track,
			    struct kfi_ep_desc *desc)
{
	static const enum kfi_ep_state states[] = {
		[KFV_IDLE]		= KFI_STATE_IDLE,
		[KFV_CONNECTING]	= KFI_STATE_CONNECTING,
		[KFV_CONNECTED]		= KFI_STATE_CONNECTED,
		[KFV_DOWN]		= KFI_STATE_DOWN,
		[KFV_GONE]		= KFI_STATE_REMOVED,
	};
	struct kfv_ep *ep = container_of(track, struct kfv_ep, track);
	bool was_connected;

	desc->kind = ep->kind;
	desc->tx_size = ep->tx_size;
	desc->rx_size = ep->rx_size;
	spin_lock_irq(&ep->tx.lock);
	was_connected = kfv_ep_was_connected(ep);
	desc->state = states[ep->state];
	/* before kfi_connect() they are what the consumer wishes */
	if (ep->passive || ep->state != KFV_IDLE) {
		desc->local = ep->src;
		desc->peer = ep->passive || was_connected ? ep->peer : ep->dest;
	}
	if (ep->commit && was_connected)
		desc->method = ep->commit->method;
	spin_unlock_irq(&ep->tx.lock);
}

static const struct kfi_ep_track_ops kfv_ep_track_ops = {
	.describe	= kfv_ep_describe,
};

static const struct kfi_ops kfv_ep_fid_ops = {
	.owner		= THIS_MODULE,
	.close		= kfv_ep_close,
	.bind		= kfv_ep_bind,
	.control	= kfv_ep_control,
};

static void kfv_ep_set_limits(struct kfv_ep *ep, const struct kfv_offer *offer,
			      const struct kfi_info *info)
{
	const struct kfi_tx_attr *tx = info->tx_attr;
	const struct kfi_rx_attr *rx = info->rx_attr;

	ep->limits = (struct kfi_ep_limits) {
		.max_msg_size	= offer->ep.max_msg_size,
		.inject_size	= offer->tx.inject_size,
		.cq_data_size	= offer->domain.cq_data_size,
		.rma_iov_limit	= offer->tx.rma_iov_limit,
		.commit		= ep->kind != KFI_KIND_RAW,
	};
	ep->tx_size = tx && tx->size ? tx->size :
		      min_t(size_t, offer->tx.size, KFI_DEFAULT_TX_SIZE);
	ep->rx_size = rx && rx->size ? rx->size :
		      min_t(size_t, offer->rx.size, KFI_DEFAULT_RX_SIZE);
	ep->tx.sq.max_sge = offer->limits.max_sge;
	ep->tx.sq.max_sge_rd = offer->limits.max_sge_rd;
	ep->tx.sq.rma_wrs = offer->limits.rma_wrs;
	ep->rx.max_sge = offer->limits.max_sge_recv;
	ep->ep.tx_op_flags = tx ? tx->op_flags : 0;
	ep->ep.rx_op_flags = rx ? rx->op_flags : 0;
	if (info->src_addr)
		memcpy(&ep->src, info->src_addr,
		       min(info->src_addrlen, sizeof(ep->src)));
	if (info->dest_addr)
		memcpy(&ep->dest, info->dest_addr,
		       min(info->dest_addrlen, sizeof(ep->dest)));
}

static int kfv_ep_check_info(struct kfv_domain *domain,
			     const struct kfi_info *info,
			     struct kfv_offer *offer)
{
	if ((info->src_addr &&
	     !kfi_sockaddr_valid(info->src_addr, info->src_addrlen)) ||
	    (info->dest_addr &&
	     !kfi_sockaddr_valid(info->dest_addr, info->dest_addrlen)))
		return -EINVAL;
	if (info->tx_attr && kfi_check_tx_op_flags(info->tx_attr->op_flags))
		return -EINVAL;
	if (kfv_offer_init(offer, domain->ib, domain->port, &domain->attr,
			   kfi_kind_of(info->caps)))
		return -EOPNOTSUPP;
	return kfi_info_mismatch(&offer->info, info) ? -EOPNOTSUPP : 0;
}

static void kfv_ep_init(struct kfv_ep *ep, struct kfv_domain *domain,
			const struct kfi_info *info,
			const struct kfv_offer *offer, const char *owner,
			void *context)
{
	static const struct kfi_ops_msg *const msg_ops[KFI_KINDS] = {
		[KFI_KIND_RAW]		= &kfv_msg_ops,
		[KFI_KIND_COMMIT]	= &kfv_no_msg_ops,
		[KFI_KIND_BOTH]		= &kfv_pair_msg_ops,
	};
	const struct ib_device_attr *attrs = &domain->ib->attrs;
	bool atomic = info->caps & KFI_ATOMIC;

	ep->domain = domain;
	ep->kind = kfi_kind_of(info->caps);
	ep->owner = owner;
	ep->connect_ms = KFV_CONNECT_TIMEOUT_MS;
	ep->commit_ms = KFV_COMMIT_TIMEOUT_MS;
	ep->commit_method = KFI_COMMIT_SERVER;
	ep->param = (struct kfi_conn_param) {
		.initiator_depth = clamp(attrs->max_qp_init_rd_atom, 0, 16),
		.responder_resources = clamp(attrs->max_qp_rd_atom, 1, 16),
		.retry_count = 7,
		.rnr_retry_count = 7,
		.min_rnr_timer = 12,
	};
	ep->peer_depth = U8_MAX;
	ep->peer_resources = U8_MAX;
	mutex_init(&ep->lock);
	kfv_link_init(&ep->link, ep, &ep->tx.sq);
	spin_lock_init(&ep->tx.lock);
	spin_lock_init(&ep->rx.lock);
	ep->rx.error = -KFI_EOPBADSTATE;
	u64_stats_init(&ep->rx.received.sync);
	INIT_DELAYED_WORK(&ep->timer, kfv_ep_timer);
	INIT_DELAYED_WORK(&ep->down, kfv_ep_down);
	INIT_WORK(&ep->tx.work, kfv_tx_work);
	ep->ep.ops = &kfv_ep_ops;
	ep->ep.cm = &kfv_ep_cm_ops;
	ep->ep.msg = msg_ops[ep->kind];
	ep->ep.rma = &kfv_rma_ops;
	ep->ep.atomic = atomic ? &kfv_atomic_ops : &kfv_no_atomic_ops;
	kfi_obj_init(&ep->ep.fid, KFI_CLASS_EP, &kfv_ep_fid_ops, context);
	kfi_ep_track_init(&ep->track, &kfv_ep_track_ops);
	kfi_eq_event_init(&ep->connected, &ep->ep.fid);
	kfi_eq_event_init(&ep->shutdown, &ep->ep.fid);
	kfi_eq_event_init(&ep->error, &ep->ep.fid);
	ep->shutdown.event = KFI_SHUTDOWN;
	kfv_ep_set_limits(ep, offer, info);
}

static int kfv_ep_make(struct kfv_domain *domain, struct kfi_info *info,
		       struct kfv_offer *offer, const char *owner,
		       void *context, struct kfv_ep **made)
{
	struct kfv_ep *ep;
	int ret;

	ret = kfv_ep_check_info(domain, info, offer);
	if (ret)
		return ret;
	ep = kzalloc_obj(*ep);
	if (!ep)
		return -ENOMEM;
	kfv_ep_init(ep, domain, info, offer, owner, context);
	ret = kfv_commit_create(ep);
	if (ret)
		goto err_free;
	ret = kfv_pair_create(ep);
	if (ret)
		goto err_commit;
	ret = -EINVAL;
	if (!kfi_obj_get(&domain->domain.fid))
		goto err_pair;
	/* Last of all: after an error the request is still the caller's. */
	if (info->handle) {
		ret = kfv_ep_take_connreq(ep, info->handle);
		if (ret)
			goto err_domain;
	}
	mutex_lock(&domain->lock);
	list_add_tail(&ep->node, &domain->eps);
	mutex_unlock(&domain->lock);
	ep->track.passive = ep->passive;
	kfi_ep_track_add(&ep->track, &ep->ep, &domain->scope, owner);
	kfi_stat_ep_open(&ep->stat, &ep->ep, &kfv_provider);
	*made = ep;
	return 0;

err_domain:
	kfi_obj_put(&domain->domain.fid);
err_pair:
	kfv_pair_destroy(ep);
err_commit:
	kfv_commit_destroy(ep);
err_free:
	kfree(ep);
	return ret;
}

int kfv_ep_open(struct kfid_domain *kfid_domain, struct kfi_info *info,
		struct kfid_ep **kfid_ep, void *context, const char *owner)
{
	struct kfv_domain *domain = to_kfv_domain(kfid_domain);
	struct kfv_offer *offer;
	struct kfv_ep *ep;
	int ret = -ENOMEM;

	if (!info || !kfid_ep)
		return -EINVAL;
	if (!kfv_domain_get(domain))
		return -ENODEV;
	offer = kmalloc_obj(*offer);
	if (offer)
		ret = kfv_ep_make(domain, info, offer, owner, context, &ep);
	kfree(offer);
	kfv_domain_put(domain);
	if (!ret)
		*kfid_ep = &ep->ep;
	return ret;
}
