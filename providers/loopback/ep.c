// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Endpoints: open, bind, enable, close.
 */

#include <linux/module.h>
#include <linux/slab.h>

#include <kfi_errno.h>

#include "commit.h"
#include "conn.h"
#include "ep.h"
#include "loopback.h"

/* Milliseconds */
#define LO_CONNECT_TIMEOUT_MS	5000
#define LO_COMMIT_TIMEOUT_MS	30000

/* Of struct kfi_conn_param */
#define LO_DEPTH		16
#define LO_RNR_TIMER		12

struct lo_ep *lo_ep_of(struct kfid *fid)
{
	return container_of(fid, struct lo_ep, ep.fid);
}

static void lo_ep_release(struct kref *kref)
{
	struct lo_ep *ep = container_of(kref, struct lo_ep, kref);

	if (ep->conn)
		lo_conn_put(ep->conn);
	lo_commits_free(ep->commits);
	lo_rx_free(&ep->rx);
	lo_tx_free(&ep->tx);
	mutex_destroy(&ep->lock);
	kfree(ep);
}

void lo_ep_put(struct lo_ep *ep)
{
	kref_put(&ep->kref, lo_ep_release);
}

/* Each credit of an endpoint is a use of the queue. */
static int lo_bind_credit(struct lo_ep *ep, struct lo_cq *cq,
			  struct kfi_cq_credit **credit, unsigned int size,
			  struct work_struct *room)
{
	struct kfi_cq_credit *reserved;

	if (!kfi_obj_get(&cq->pcq.cq.fid))
		return -EINVAL;
	reserved = kfi_cq_reserve(&cq->pcq, &ep->ep, size, lo_wq, room);
	if (IS_ERR(reserved)) {
		kfi_obj_put(&cq->pcq.cq.fid);
		return PTR_ERR(reserved);
	}
	*credit = reserved;
	return 0;
}

static void lo_unbind_credit(struct lo_cq *cq, struct kfi_cq_credit **credit)
{
	if (!*credit)
		return;
	kfi_cq_release(*credit);
	kfi_obj_put(&cq->pcq.cq.fid);
	*credit = NULL;
}

static int lo_bind_tx(struct lo_ep *ep, struct lo_cq *cq, bool selective)
{
	struct lo_tx *tx = &ep->tx;
	int ret;

	ret = lo_bind_credit(ep, cq, &tx->credit, tx->size, &tx->room);
	if (ret)
		return ret;
	tx->cq = cq;
	tx->selective = selective;
	return 0;
}

/* As many entries for receives, and for data that comes without. */
static int lo_bind_rx(struct lo_ep *ep, struct lo_cq *cq, bool selective)
{
	struct lo_rx *rx = &ep->rx;
	int ret = 0;

	if (ep->kind != KFI_KIND_COMMIT)
		ret = lo_bind_credit(ep, cq, &rx->credit, rx->size,
				     &rx->room);
	if (!ret && ep->limits.commit)
		ret = lo_bind_credit(ep, cq, &rx->data_credit, rx->size,
				     &rx->room);
	if (ret) {
		lo_unbind_credit(cq, &rx->credit);
		return ret;
	}
	rx->cq = cq;
	rx->selective = selective;
	return 0;
}

static void lo_unbind_tx(struct lo_ep *ep)
{
	lo_unbind_credit(ep->tx.cq, &ep->tx.credit);
	ep->tx.cq = NULL;
}

static void lo_ep_unbind(struct lo_ep *ep)
{
	lo_unbind_tx(ep);
	lo_unbind_credit(ep->rx.cq, &ep->rx.credit);
	lo_unbind_credit(ep->rx.cq, &ep->rx.data_credit);
	if (ep->eq) {
		kfi_eq_flush(ep->eq, &ep->ep.fid);
		kfi_obj_put(&ep->eq->fid);
	}
}

static void lo_ep_drop_name(struct lo_ep *ep)
{
	unsigned int noio;

	if (!ep->name)
		return;
	lo_names_lock(&noio);
	lo_name_drop(ep->name);
	lo_names_unlock(noio);
}

/* All that was posted is complete, which the engine sees to. */
void lo_ep_wait_drained(struct lo_ep *ep)
{
	kfi_cq_might_wait();
	wait_for_completion(&ep->drained);
}

static int lo_ep_close(struct kfid *fid)
{
	struct lo_ep *ep = lo_ep_of(fid);

	if (!kfi_obj_close(fid))
		return -EBUSY;
	lo_conn_end(ep);
	lo_ep_wait_drained(ep);
	kfi_ep_track_del(&ep->track);
	if (ep->conn)
		lo_conn_detach(ep);
	/* Nobody is left who could queue these once more. */
	cancel_delayed_work_sync(&ep->rnr_timer);
	cancel_work_sync(&ep->work);
	lo_commits_stop(ep->commits);
	kfi_stat_ep_close(&ep->stat);
	lo_ep_unbind(ep);
	cancel_work_sync(&ep->tx.room);
	cancel_work_sync(&ep->rx.room);
	lo_ep_drop_name(ep);
	kfi_obj_put(&ep->domain->domain.fid);
	lo_ep_put(ep);
	return 0;
}

static int lo_bind_cq(struct lo_ep *ep, struct kfid *bfid, u64 flags)
{
	struct lo_cq *cq = lo_cq_of(bfid);
	bool selective = flags & KFI_SELECTIVE_COMPLETION;
	int ret = 0;

	if (flags & ~(KFI_TRANSMIT | KFI_RECV | KFI_SELECTIVE_COMPLETION) ||
	    !(flags & (KFI_TRANSMIT | KFI_RECV)) ||
	    !cq || cq->pcq.domain != &ep->domain->domain)
		return -EINVAL;
	if ((flags & KFI_TRANSMIT && ep->tx.cq) ||
	    (flags & KFI_RECV && ep->rx.cq))
		return -EALREADY;
	if (flags & KFI_TRANSMIT)
		ret = lo_bind_tx(ep, cq, selective);
	if (!ret && flags & KFI_RECV) {
		ret = lo_bind_rx(ep, cq, selective);
		if (ret && flags & KFI_TRANSMIT)
			lo_unbind_tx(ep);
	}
	return ret;
}

static int lo_ep_bind(struct kfid *fid, struct kfid *bfid, u64 flags)
{
	struct lo_ep *ep = lo_ep_of(fid);
	int ret;

	if (!bfid)
		return -EINVAL;
	mutex_lock(&ep->lock);
	if (ep->enabled)
		ret = -KFI_EOPBADSTATE;
	else if (bfid->fclass == KFI_CLASS_CQ)
		ret = lo_bind_cq(ep, bfid, flags);
	else
		ret = kfi_prov_bind_eq(&ep->eq, &ep->domain->fabric->fabric,
				       bfid, flags);
	mutex_unlock(&ep->lock);
	return ret;
}

/* Under the endpoint's lock. */
int lo_ep_enable(struct lo_ep *ep)
{
	lockdep_assert_held(&ep->lock);
	if (ep->enabled)
		return -KFI_EOPBADSTATE;
	if (!ep->eq)
		return -KFI_ENOEQ;
	if (!ep->tx.cq || !ep->rx.cq)
		return -KFI_ENOCQ;
	/* pairs with lo_ep_add_stats() */
	smp_store_release(&ep->enabled, true);
	spin_lock_irq(&ep->tx.lock);
	ep->tx.status = -ENOTCONN;
	spin_unlock_irq(&ep->tx.lock);
	spin_lock_irq(&ep->rx.lock);
	ep->rx.status = 0;
	spin_unlock_irq(&ep->rx.lock);
	return 0;
}

static int lo_ep_control(struct kfid *fid, int command, void *arg)
{
	struct lo_ep *ep = lo_ep_of(fid);
	int ret;

	if (command != KFI_ENABLE)
		return -EOPNOTSUPP;
	mutex_lock(&ep->lock);
	ret = lo_ep_enable(ep);
	mutex_unlock(&ep->lock);
	return ret;
}

static void lo_ep_describe(struct kfi_ep_track *track, struct kfi_ep_desc *desc)
{
	struct lo_ep *ep = container_of(track, struct lo_ep, track);

	desc->kind = ep->kind;
	desc->tx_size = ep->tx.size;
	desc->rx_size = ep->rx.size;
	mutex_lock(&ep->lock);
	if (ep->conn)
		lo_conn_describe(ep, desc);
	mutex_unlock(&ep->lock);
}

static const struct kfi_ep_track_ops lo_ep_track_ops = {
	.describe	= lo_ep_describe,
};

static const struct kfi_ops lo_ep_fid_ops = {
	.owner		= THIS_MODULE,
	.close		= lo_ep_close,
	.bind		= lo_ep_bind,
	.control	= lo_ep_control,
};

static void lo_ep_set_ops(struct lo_ep *ep, u64 caps)
{
	bool atomic = caps & KFI_ATOMIC;

	ep->ep.ops = &lo_ep_ops;
	ep->ep.cm = &lo_cm_ops;
	ep->ep.msg = ep->kind == KFI_KIND_COMMIT ? &lo_no_msg_ops :
						   &lo_msg_ops;
	ep->ep.rma = &lo_rma_ops;
	ep->ep.atomic = atomic ? &lo_atomic_ops : &lo_no_atomic_ops;
}

static struct lo_ep *lo_ep_alloc(const struct kfi_info *info)
{
	const struct kfi_tx_attr *tx = info->tx_attr;
	const struct kfi_rx_attr *rx = info->rx_attr;
	struct lo_ep *ep = kzalloc_obj(*ep);

	if (!ep)
		return NULL;
	kref_init(&ep->kref);
	kfi_ep_track_init(&ep->track, &lo_ep_track_ops);
	mutex_init(&ep->lock);
	INIT_LIST_HEAD(&ep->node);
	INIT_WORK(&ep->work, lo_engine);
	init_completion(&ep->drained);
	ep->kind = kfi_kind_of(info->caps);
	ep->limits = (struct kfi_ep_limits) {
		.max_msg_size = LO_MAX_MSG_SIZE,
		.inject_size = LO_INJECT_SIZE,
		.cq_data_size = sizeof(u32),
		.rma_iov_limit = LO_RMA_IOV_LIMIT,
		.commit = ep->kind != KFI_KIND_RAW,
	};
	ep->conn_param = (struct kfi_conn_param) {
		.initiator_depth = LO_DEPTH,
		.responder_resources = LO_DEPTH,
		.retry_count = LO_FOR_EVER,
		.rnr_retry_count = LO_FOR_EVER,
		.min_rnr_timer = LO_RNR_TIMER,
	};
	lo_rnr_init(ep);
	ep->connect_timeout = LO_CONNECT_TIMEOUT_MS;
	ep->commit_timeout = LO_COMMIT_TIMEOUT_MS;
	ep->commit_method = KFI_COMMIT_SERVER;
	ep->tx.size = tx && tx->size ? tx->size : KFI_DEFAULT_TX_SIZE;
	ep->rx.size = rx && rx->size ? rx->size : KFI_DEFAULT_RX_SIZE;
	ep->ep.tx_op_flags = tx ? tx->op_flags : 0;
	ep->ep.rx_op_flags = rx ? rx->op_flags : 0;
	lo_ep_set_ops(ep, info->caps);
	return ep;
}

static int lo_ep_setup(struct lo_ep *ep, const struct kfi_info *info)
{
	int ret;

	ret = lo_addr_copy(&ep->src, info->src_addr, info->src_addrlen);
	if (!ret)
		ret = lo_addr_copy(&ep->dest, info->dest_addr,
				   info->dest_addrlen);
	if (!ret)
		ret = lo_tx_init(ep);
	if (!ret)
		ret = lo_rx_init(ep);
	if (!ret && ep->limits.commit)
		ret = lo_commits_init(ep);
	return ret;
}

/* The endpoint answers for a connection request, if it is for one. */
static int lo_ep_consume(struct lo_ep *ep, const struct kfi_info *info)
{
	struct lo_conn *conn;

	if (!info->handle)
		return 0;
	conn = lo_request_of(info->handle);
	if (!conn)
		return -EINVAL;
	if (ep->kind != KFI_KIND_RAW && ep->kind != conn->offered)
		return -EOPNOTSUPP;
	if (!lo_request_consume(conn))
		return -KFI_EOPBADSTATE;
	lo_conn_attach(conn, ep, LO_PASSIVE);
	lo_ep_set_param(ep, &ep->conn_param);
	return 0;
}

int lo_ep_open(struct kfid_domain *domain, struct kfi_info *info,
	       struct kfid_ep **ep, void *context, const char *owner)
{
	struct lo_ep *lo;
	int ret;

	if (!info || !ep)
		return -EINVAL;
	if (info->tx_attr) {
		ret = kfi_check_tx_op_flags(info->tx_attr->op_flags);
		if (ret)
			return ret;
	}
	if (kfi_info_mismatch(lo_offer(kfi_kind_of(info->caps)), info))
		return -EOPNOTSUPP;
	lo = lo_ep_alloc(info);
	if (!lo)
		return -ENOMEM;
	lo->domain = container_of(domain, struct lo_domain, domain);
	kfi_obj_init(&lo->ep.fid, KFI_CLASS_EP, &lo_ep_fid_ops, context);
	kfi_eq_event_init(&lo->connected, &lo->ep.fid);
	kfi_eq_event_init(&lo->shutdown, &lo->ep.fid);
	kfi_eq_event_init(&lo->error, &lo->ep.fid);
	ret = lo_ep_setup(lo, info);
	if (ret)
		goto err_free;
	ret = -EINVAL;
	if (!kfi_obj_get(&domain->fid))
		goto err_free;
	ret = lo_ep_consume(lo, info);
	if (ret)
		goto err_domain;
	kfi_stat_ep_open(&lo->stat, &lo->ep, &lo_provider);
	lo->track.passive = info->handle;
	kfi_ep_track_add(&lo->track, &lo->ep, &lo->domain->scope, owner);
	*ep = &lo->ep;
	return 0;

err_domain:
	kfi_obj_put(&domain->fid);
err_free:
	lo_ep_put(lo);
	return ret;
}
