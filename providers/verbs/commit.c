// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Commit endpoints: their memory, and what they receive.
 */

#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "commit.h"
#include "ep.h"
#include "verbs.h"

const char *kfv_commit_strerror(int status)
{
	switch (status) {
	case KFV_WIRE_ACCESS:
		return "not in a persistent region of the target";
	case KFV_WIRE_IO:
		return "memory device of the target failed";
	case KFV_WIRE_BROKEN:
		return "not stored, because an earlier commit failed";
	default:
		return "unknown status";
	}
}

static void kfv_commit_room_work(struct work_struct *work);

/* Makes the endpoint a commit endpoint, if it is to be one. */
int kfv_commit_create(struct kfv_ep *ep)
{
	struct kfv_commit *commit;

	if (!ep->limits.commit)
		return 0;
	commit = kzalloc_obj(*commit);
	if (!commit)
		return -ENOMEM;
	spin_lock_init(&commit->lock);
	mutex_init(&commit->imm_lock);
	spin_lock_init(&commit->rx_lock);
	INIT_LIST_HEAD(&commit->requests);
	INIT_LIST_HEAD(&commit->done);
	INIT_LIST_HEAD(&commit->imms);
	INIT_DELAYED_WORK(&commit->work, kfv_target_work);
	INIT_DELAYED_WORK(&commit->timer, kfv_commit_timer);
	INIT_WORK(&commit->room, kfv_commit_room_work);
	commit->ep = ep;
	ep->commit = commit;
	return 0;
}

/* Of an endpoint that is not connected any more. */
void kfv_commit_stop_timer(struct kfv_ep *ep)
{
	if (ep->commit)
		cancel_delayed_work_sync(&ep->commit->timer);
}

void kfv_commit_destroy(struct kfv_ep *ep)
{
	if (!ep->commit)
		return;
	cancel_work_sync(&ep->commit->room);
	cancel_delayed_work_sync(&ep->commit->work);
	kfree(ep->commit);
	ep->commit = NULL;
}

struct ib_cq *kfv_commit_recv_cq(struct kfv_ep *ep)
{
	return ep->commit->cq;
}

/* Memory that does not reach across pages, nor move. */
static int kfv_commit_map(struct kfv_ep *ep, void *buf, size_t len,
			  enum dma_data_direction dir, struct ib_sge *sge)
{
	const struct kvec kv = { .iov_base = buf, .iov_len = len };
	struct kfi_seg_iter iter;
	unsigned int nr;

	kfi_seg_iter_init(&iter, KFI_KVEC, &kv, 1);
	return kfv_sge_fill(ep->domain, sge, 1, &iter, NULL, len, dir, &nr);
}

static void kfv_commit_rx_done(struct ib_cq *cq, struct ib_wc *wc);

static int kfv_commit_alloc_rxs(struct kfv_ep *ep)
{
	struct kfv_commit *commit = ep->commit;
	unsigned int nr = kfv_commit_receives(ep);
	unsigned int i;
	int ret;

	commit->rxs = kvzalloc_objs(*commit->rxs, nr);
	commit->rx_bufs = kvzalloc(PAGE_ALIGN(nr * KFV_WIRE_MAX), GFP_KERNEL);
	if (!commit->rxs || !commit->rx_bufs)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		struct kfv_commit_rx *rx = &commit->rxs[i];

		rx->cqe.done = kfv_commit_rx_done;
		rx->buf = commit->rx_bufs + i * KFV_WIRE_MAX;
		ret = kfv_commit_map(ep, rx->buf, KFV_WIRE_MAX,
				     DMA_FROM_DEVICE, &rx->sge);
		if (ret)
			return ret;
		rx->wr.wr_cqe = &rx->cqe;
		rx->wr.sg_list = &rx->sge;
		rx->wr.num_sge = 1;
	}
	return 0;
}

static int kfv_commit_init_slot(struct kfv_ep *ep, unsigned int nr)
{
	struct kfv_commit_slot *slot = &ep->commit->slots[nr];
	struct kfv_commit_reply *reply = &ep->commit->replies[nr];
	int ret;

	slot->buf = &ep->commit->bufs[nr];
	slot->op.buf = slot->buf->payload;
	slot->op.commit = true;
	/* requests go out of it, and what is read to prove something into it */
	ret = kfv_commit_map(ep, slot->buf->request, KFV_WIRE_MAX,
			     DMA_BIDIRECTIONAL, &slot->sge);
	if (ret)
		return ret;
	reply->cqe.done = kfv_reply_done;
	return kfv_commit_map(ep, &reply->wire, sizeof(reply->wire),
			      DMA_TO_DEVICE, &reply->sge);
}

static int kfv_commit_alloc_slots(struct kfv_ep *ep)
{
	struct kfv_commit *commit = ep->commit;
	unsigned int i;
	int ret;

	commit->slots = kvzalloc_objs(*commit->slots, KFV_COMMIT_SLOTS);
	commit->bufs = kvzalloc_objs(*commit->bufs, KFV_COMMIT_SLOTS);
	commit->replies = kcalloc(KFV_COMMIT_SLOTS, sizeof(*commit->replies),
				  GFP_KERNEL);
	if (!commit->slots || !commit->bufs || !commit->replies)
		return -ENOMEM;
	for (i = 0; i < KFV_COMMIT_SLOTS; i++) {
		ret = kfv_commit_init_slot(ep, i);
		if (ret)
			return ret;
	}
	bitmap_fill(commit->idle, KFV_COMMIT_SLOTS);
	return 0;
}

/* Allocates what an enabled endpoint needs; kfv_commit_free() also after errors. */
int kfv_commit_alloc(struct kfv_ep *ep, unsigned int cq_size)
{
	struct kfv_commit *commit = ep->commit;
	int ret;

	ret = kfv_commit_alloc_rxs(ep);
	if (ret)
		return ret;
	ret = kfv_commit_alloc_slots(ep);
	if (ret)
		return ret;
	commit->cq = __ib_alloc_cq_any(ep->domain->ib, ep, cq_size,
				       IB_POLL_UNBOUND_WORKQUEUE, ep->owner);
	if (IS_ERR(commit->cq)) {
		ret = PTR_ERR(commit->cq);
		commit->cq = NULL;
	} else {
		commit->cq->event_handler = kfv_cq_event;
	}
	return ret;
}

static void kfv_commit_unmap_one(struct kfv_ep *ep, const struct ib_sge *sge,
				 enum dma_data_direction dir)
{
	if (sge->length)
		kfv_sge_unmap(ep->domain, sge, 1, dir);
}

static void kfv_commit_unmap(struct kfv_ep *ep)
{
	struct kfv_commit *commit = ep->commit;
	unsigned int i;

	for (i = 0; commit->rxs && i < kfv_commit_receives(ep); i++)
		kfv_commit_unmap_one(ep, &commit->rxs[i].sge, DMA_FROM_DEVICE);
	for (i = 0; commit->slots && i < KFV_COMMIT_SLOTS; i++)
		kfv_commit_unmap_one(ep, &commit->slots[i].sge,
				     DMA_BIDIRECTIONAL);
	for (i = 0; commit->replies && i < KFV_COMMIT_SLOTS; i++)
		kfv_commit_unmap_one(ep, &commit->replies[i].sge,
				     DMA_TO_DEVICE);
}

void kfv_commit_close_queue(struct kfv_commit *commit)
{
	if (commit->cq)
		ib_free_cq(commit->cq);
	commit->cq = NULL;
}

void kfv_commit_free(struct kfv_ep *ep)
{
	struct kfv_commit *commit = ep->commit;

	kfv_commit_close_queue(commit);
	/* What nobody read until now is not read any more. */
	mutex_lock(&commit->imm_lock);
	INIT_LIST_HEAD(&commit->imms);
	mutex_unlock(&commit->imm_lock);
	kfv_commit_unmap(ep);
	kfree(commit->replies);
	kvfree(commit->bufs);
	kvfree(commit->slots);
	kvfree(commit->rx_bufs);
	kvfree(commit->rxs);
	commit->replies = NULL;
	commit->bufs = NULL;
	commit->slots = NULL;
	commit->rx_bufs = NULL;
	commit->rxs = NULL;
}

/* A receive is ready for the device. */
static void kfv_commit_add(struct kfv_ep *ep, struct kfv_commit_rx *rx)
{
	struct kfv_commit *commit = ep->commit;

	lockdep_assert_held(&commit->rx_lock);
	ib_dma_sync_single_for_device(ep->domain->ib, rx->sge.addr,
				      KFV_WIRE_MAX, DMA_FROM_DEVICE);
	rx->wr.next = commit->used;
	commit->used = &rx->wr;
	commit->nr_used++;
}

/* Gives the device all receives that are ready. */
static int kfv_commit_give(struct kfv_ep *ep)
{
	struct kfv_commit *commit = ep->commit;
	struct ib_recv_wr *first = commit->used;

	lockdep_assert_held(&commit->rx_lock);
	commit->used = NULL;
	commit->nr_used = 0;
	return ib_post_recv(ep->tx.sq.qp, first, NULL);
}

/* There is a queue pair: post all receives, before anything can arrive. */
int kfv_commit_start(struct kfv_ep *ep)
{
	struct kfv_commit *commit = ep->commit;
	unsigned int i;
	int ret;

	spin_lock_irq(&commit->rx_lock);
	for (i = 0; i < kfv_commit_receives(ep); i++)
		kfv_commit_add(ep, &commit->rxs[i]);
	ret = kfv_commit_give(ep);
	spin_unlock_irq(&commit->rx_lock);
	return ret;
}

/*
 * A receive is done with. Devices are slow to notice that there are new ones, so
 * they get many at a time; there are as many more as can be waiting here. Once
 * messages have stopped, none is posted again.
 */
void kfv_commit_repost(struct kfv_ep *ep, struct kfv_commit_rx *rx)
{
	struct kfv_commit *commit = ep->commit;
	unsigned long irq;
	int ret = 0;

	spin_lock_irqsave(&commit->rx_lock, irq);
	if (!commit->stopped) {
		kfv_commit_add(ep, rx);
		if (commit->nr_used == KFV_COMMIT_REPOST)
			ret = kfv_commit_give(ep);
	}
	spin_unlock_irqrestore(&commit->rx_lock, irq);
	if (ret)
		kfv_ep_lost(ep);
}

/*
 * Immediates
 */

static bool kfv_imm_take(struct kfv_ep *ep, size_t len)
{
	struct kfi_cq_credit *credit = ep->commit->credit;
	unsigned long irq;
	bool taken;

	spin_lock_irqsave(&ep->rx.lock, irq);
	taken = kfi_cq_take(credit) ||
		(kfi_cq_want(credit) && kfi_cq_take(credit));
	if (taken) {
		ep->rx.data.ops++;
		ep->rx.data.bytes += len;
	}
	spin_unlock_irqrestore(&ep->rx.lock, irq);
	return taken;
}

/* Tells the consumer of a peer's data; false when its queue has no room. */
bool kfv_commit_imm(struct kfv_ep *ep, size_t len, u32 data)
{
	struct kfi_comp comp = {
		.flags = KFI_RMA | KFI_REMOTE_WRITE | KFI_REMOTE_CQ_DATA,
		.len = len,
		.data = data,
	};

	if (!kfv_imm_take(ep, len))
		return false;
	kfv_complete(ep->rx_cq, ep->commit->credit, &comp);
	return true;
}

/*
 * Passes on immediates, in the order in which they came, as far as there is room.
 * Two come here: the context that receives them, and the work that is told of room.
 */
static void kfv_commit_imms(struct kfv_ep *ep)
{
	struct kfv_commit *commit = ep->commit;
	struct kfv_commit_rx *rx;

	mutex_lock(&commit->imm_lock);
	for (;;) {
		spin_lock_irq(&commit->rx_lock);
		rx = list_first_entry_or_null(&commit->imms,
					      struct kfv_commit_rx, node);
		spin_unlock_irq(&commit->rx_lock);
		if (!rx || !kfv_commit_imm(ep, rx->len, rx->data))
			break;
		spin_lock_irq(&commit->rx_lock);
		list_del(&rx->node);
		spin_unlock_irq(&commit->rx_lock);
		kfv_commit_repost(ep, rx);
	}
	mutex_unlock(&commit->imm_lock);
}

/* The consumer has read an entry: who waits for room gets it. */
static void kfv_commit_room_work(struct work_struct *work)
{
	struct kfv_commit *commit = container_of(work, struct kfv_commit, room);
	struct kfv_ep *ep = commit->ep;

	if (!kfv_domain_get(ep->domain))
		return;
	kfv_commit_imms(ep);
	mod_delayed_work(kfv_wq, &commit->work, 0);
	kfv_domain_put(ep->domain);
}

/*
 * Messages
 */

static void kfv_commit_message(struct kfv_ep *ep, struct kfv_commit_rx *rx)
{
	const u8 *op = rx->buf;

	if (rx->len && *op == KFV_WIRE_REPLY) {
		if (kfv_wire_reply_valid(rx->buf, rx->len) &&
		    kfv_commit_replied(ep, rx->buf)) {
			kfv_commit_repost(ep, rx);
			return;
		}
	} else if (rx->len &&
		   (*op == KFV_WIRE_COMMIT || *op == KFV_WIRE_DELIVER)) {
		if (kfv_wire_request_valid(rx->buf, rx->len)) {
			kfv_target_request(ep, rx);
			return;
		}
	}
	kfv_ep_complain(ep, "a message that makes no sense");
	kfv_ep_lost(ep);
}

static void kfv_commit_rx_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct kfv_commit_rx *rx = container_of(wc->wr_cqe,
						struct kfv_commit_rx, cqe);
	struct kfv_ep *ep = cq->cq_context;

	if (wc->status != IB_WC_SUCCESS) {
		if (wc->status != IB_WC_WR_FLUSH_ERR) {
			kfv_ep_complain(ep, ib_wc_status_msg(wc->status));
			kfv_ep_refused(ep);
		}
		return;
	}
	rx->len = wc->byte_len;
	if (wc->opcode == IB_WC_RECV_RDMA_WITH_IMM) {
		rx->data = be32_to_cpu(wc->ex.imm_data);
		spin_lock_irq(&ep->commit->rx_lock);
		list_add_tail(&rx->node, &ep->commit->imms);
		spin_unlock_irq(&ep->commit->rx_lock);
		kfv_commit_imms(ep);
		return;
	}
	ib_dma_sync_single_for_cpu(ep->domain->ib, rx->sge.addr, KFV_WIRE_MAX,
				   DMA_FROM_DEVICE);
	kfv_commit_message(ep, rx);
}
