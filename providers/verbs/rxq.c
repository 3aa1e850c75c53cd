// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What an endpoint receives. Receives that are posted before there is a queue pair
 * are kept, and given to the device when there is.
 */

#include <linux/bottom_half.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "ep.h"
#include "verbs.h"

static int kfv_rx_build(struct kfv_ep *ep, struct kfv_rx *rx,
			const struct kfi_msg *msg, size_t len)
{
	struct kfi_seg_iter iter;
	struct kfi_seg seg;
	unsigned int nr;
	int ret;

	kfi_seg_iter_init(&iter, msg->type, msg->msg_iov, msg->iov_count);
	ret = kfv_sge_fill(ep->domain, rx->sge, ep->rx.max_sge, &iter,
			   msg->desc, len, DMA_FROM_DEVICE, &nr);
	if (ret)
		return ret;
	if (nr == ep->rx.max_sge && kfi_seg_next(&iter, SIZE_MAX, &seg)) {
		kfv_sge_unmap(ep->domain, rx->sge, nr, DMA_FROM_DEVICE);
		return -E2BIG;
	}
	rx->wr.num_sge = nr;
	rx->wr.next = NULL;
	return 0;
}

/* A device that does not take it is in error; the endpoint goes down then. */
static void kfv_rx_give(struct kfv_ep *ep, struct kfv_rx *rx)
{
	ep->rx.posted++;
	if (ib_post_recv(ep->rx.qp, &rx->wr, NULL))
		kfv_ep_lost(ep);
}

static int kfv_rx_post(struct kfv_ep *ep, const struct kfi_msg *msg, u64 flags,
		       size_t len)
{
	struct kfv_rxq *rxq = &ep->rx;
	struct kfv_rx *rx = kfv_rx_at(rxq, rxq->head);
	int ret;

	if (unlikely(rxq->error))
		return rxq->error;
	if (!kfi_cq_take(rxq->credit)) {
		rxq->full++;
		return -EAGAIN;
	}
	ret = -EAGAIN;
	if (rxq->head - kfv_tail(&rxq->tail) > rxq->mask) {
		rxq->full++;
		goto err_untake;
	}
	ret = kfv_rx_build(ep, rx, msg, len);
	if (ret)
		goto err_untake;
	rx->context = msg->context;
	rx->report = !rxq->selective || flags & KFI_COMPLETION;
	rxq->head++;
	if (likely(rxq->qp))
		kfv_rx_give(ep, rx);
	return 0;

err_untake:
	kfi_cq_untake(rxq->credit);
	return ret;
}

/* Each receive goes to the device at once, so KFI_MORE changes nothing. */
ssize_t kfv_recvmsg(struct kfid_ep *kfid_ep, const struct kfi_msg *msg,
		    u64 flags)
{
	struct kfv_ep *ep = to_kfv_ep(kfid_ep);
	unsigned long irq;
	size_t len;
	int ret;

	ret = kfi_check_recv(&ep->limits, msg, flags, &len);
	if (ret)
		return ret;
	spin_lock_irqsave(&ep->rx.lock, irq);
	ret = kfv_rx_post(ep, msg, flags, len);
	spin_unlock_irqrestore(&ep->rx.lock, irq);
	return ret;
}

static void kfv_rx_count(struct kfv_rx_stats *stats, bool data, size_t len)
{
	u64_stats_update_begin(&stats->sync);
	u64_stats_inc(&stats->ops[data]);
	u64_stats_add(&stats->bytes[data], len);
	u64_stats_update_end(&stats->sync);
}

static void kfv_rx_finish(struct kfv_ep *ep, struct kfv_rx *rx,
			  struct kfi_comp *comp)
{
	struct kfv_rxq *rxq = &ep->rx;
	bool report = rx->report;

	if (!comp->err)
		kfv_rx_count(&rxq->received, comp->flags & KFI_REMOTE_WRITE,
			     comp->len);
	comp->op_context = rx->context;
	kfv_sge_unmap(ep->domain, rx->sge, rx->wr.num_sge, DMA_FROM_DEVICE);
	kfv_advance(&rxq->tail, 1);
	if (report || comp->err || comp->flags & KFI_REMOTE_WRITE)
		kfi_cq_complete(rxq->credit, comp);
	else
		kfi_cq_complete_silent(rxq->credit);
}

/* Writes have a queue pair of their own where there are two: no peer of ours does so. */
static void kfv_rx_written(struct kfv_ep *ep, struct kfi_comp *comp)
{
	if (ep->pair) {
		kfv_comp_error(comp, IB_WC_BAD_RESP_ERR);
		kfv_ep_complain(ep, "a write among messages");
		kfv_ep_lost(ep);
	} else {
		comp->flags = KFI_RMA | KFI_REMOTE_WRITE;
	}
}

static void kfv_rx_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct kfv_rx *rx = container_of(wc->wr_cqe, struct kfv_rx, cqe);
	struct kfv_ep *ep = cq->cq_context;
	struct kfi_comp comp = { .flags = KFI_MSG | KFI_RECV };

	if (unlikely(wc->status != IB_WC_SUCCESS)) {
		kfv_comp_error(&comp, wc->status);
		if (wc->status != IB_WC_WR_FLUSH_ERR) {
			kfv_ep_complain(ep, ib_wc_status_msg(wc->status));
			kfv_ep_refused(ep);
		}
	} else {
		comp.len = wc->byte_len;
		if (wc->opcode == IB_WC_RECV_RDMA_WITH_IMM)
			kfv_rx_written(ep, &comp);
		if (wc->wc_flags & IB_WC_WITH_IMM) {
			comp.flags |= KFI_REMOTE_CQ_DATA;
			comp.data = be32_to_cpu(wc->ex.imm_data);
		}
	}
	kfv_rx_finish(ep, rx, &comp);
}

/* There is a queue pair: give it what was posted so far. */
void kfv_rx_start(struct kfv_ep *ep, struct ib_qp *qp)
{
	struct kfv_rxq *rxq = &ep->rx;
	unsigned long irq;

	spin_lock_irqsave(&rxq->lock, irq);
	rxq->qp = qp;
	while (rxq->posted != rxq->head)
		kfv_rx_give(ep, kfv_rx_at(rxq, rxq->posted));
	spin_unlock_irqrestore(&rxq->lock, irq);
}

/* From here on nothing is posted, and @error returned. */
void kfv_rx_stop(struct kfv_ep *ep, int error)
{
	unsigned long irq;

	spin_lock_irqsave(&ep->rx.lock, irq);
	ep->rx.error = error;
	spin_unlock_irqrestore(&ep->rx.lock, irq);
}

/* Completes what the device was never given, after everything that it was. */
void kfv_rx_flush(struct kfv_ep *ep)
{
	struct kfv_rxq *rxq = &ep->rx;

	while (rxq->tail != rxq->head) {
		struct kfi_comp comp = { .flags = KFI_MSG | KFI_RECV };

		kfv_comp_error(&comp, IB_WC_WR_FLUSH_ERR);
		if (ep->rx_cq->poll_ctx == IB_POLL_SOFTIRQ)
			local_bh_disable();
		kfv_rx_finish(ep, kfv_rx_at(rxq, rxq->tail), &comp);
		if (ep->rx_cq->poll_ctx == IB_POLL_SOFTIRQ)
			local_bh_enable();
	}
}

void kfv_rxq_destroy(struct kfv_rxq *rxq)
{
	kvfree(rxq->rxs);
	rxq->rxs = NULL;
}

int kfv_rxq_init(struct kfv_ep *ep)
{
	struct kfv_rxq *rxq = &ep->rx;
	u32 i;

	rxq->stride = struct_size_t(struct kfv_rx, sge, rxq->max_sge);
	rxq->mask = roundup_pow_of_two(ep->rx_size) - 1;
	rxq->rxs = kvcalloc(rxq->mask + 1, rxq->stride, GFP_KERNEL);
	if (!rxq->rxs)
		return -ENOMEM;
	for (i = 0; i <= rxq->mask; i++) {
		struct kfv_rx *rx = kfv_rx_at(rxq, i);

		rx->cqe.done = kfv_rx_done;
		rx->wr.wr_cqe = &rx->cqe;
		rx->wr.sg_list = rx->sge;
	}
	return 0;
}
