// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Commits at the initiator: the writes and a request in one list, and then the wait
 * for two things, the request's completion and the target's answer, in any order. Or
 * what commit_read.c or commit_flush.c makes, which only has to complete.
 */

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "commit.h"
#include "ep.h"
#include "flush.h"
#include "post.h"
#include "verbs.h"

/* The slot of the commit with the generation @nr: they are counted. */
static struct kfv_commit_slot *kfv_slot_at(struct kfv_commit *commit, u32 nr)
{
	return &commit->slots[nr % KFV_COMMIT_SLOTS];
}

/* Whether a commit can be posted; the peer may have fewer slots. */
bool kfv_commit_room(struct kfv_ep *ep)
{
	struct kfv_txq *tx = &ep->tx;
	u32 max = min_t(u32, ep->commit->peer.slots, KFV_COMMIT_SLOTS);

	return READ_ONCE(tx->commit_head) -
	       kfv_tail(&tx->commit_tail) < max;
}

/* The request in @slot's buffer; returns its length. */
static size_t kfv_commit_request(struct kfv_ep *ep,
				 struct kfv_commit_slot *slot,
				 const struct kfi_msg_rma *msg, u64 flags,
				 size_t inline_len)
{
	struct kfv_wire_request *req = (void *)slot->buf->request;
	size_t i, len;

	*req = (struct kfv_wire_request) {
		.op = flags & KFI_COMMIT_COMPLETE ? KFV_WIRE_COMMIT :
						    KFV_WIRE_DELIVER,
		.nr_ranges = msg->rma_iov_count,
		.slot = cpu_to_be16(slot - ep->commit->slots),
		.generation = cpu_to_be32(ep->tx.commit_head),
		.inline_len = cpu_to_be16(inline_len),
		.since = cpu_to_be32(kfv_tail(&ep->tx.commit_tail)),
	};
	if (flags & KFI_REMOTE_CQ_DATA) {
		req->flags = KFV_WIRE_HAS_DATA;
		req->data = cpu_to_be32(msg->data);
	}
	for (i = 0; i < msg->rma_iov_count; i++) {
		req->ranges[i].addr = cpu_to_be64(msg->rma_iov[i].addr);
		req->ranges[i].len = cpu_to_be64(msg->rma_iov[i].len);
		req->ranges[i].key = cpu_to_be64(msg->rma_iov[i].key);
	}
	len = struct_size(req, ranges, msg->rma_iov_count);
	memcpy(slot->buf->request + len, slot->op.buf, inline_len);
	return len + inline_len;
}

/* The request goes with the work request if it fits, else from the slot. */
static int kfv_commit_fill(struct kfv_post *post, struct kfv_commit_slot *slot,
			   size_t len)
{
	struct kfv_wr *wr = post->wr;

	if (len <= post->sq->inline_size)
		return kfv_wr_fill_buf(post, slot->buf->request, len);
	ib_dma_sync_single_for_device(post->ep->domain->ib, slot->sge.addr, len,
				      DMA_TO_DEVICE);
	wr->sge[0] = slot->sge;
	wr->sge[0].length = len;
	wr->send.num_sge = 1;
	return 0;
}

/* Payload that was injected into a commit travels inside of the request. */
static int kfv_commit_build(struct kfv_post *post, struct kfv_commit_slot *slot,
			    const struct kfi_msg_rma *msg, u64 flags,
			    size_t len)
{
	bool inside = flags & KFI_COMMIT_COMPLETE && flags & KFI_INJECT;
	int ret = 0;

	if (inside)
		ret = kfv_copy_from(slot->op.buf, msg->type, msg->msg_iov,
				    msg->iov_count);
	else if (len)
		ret = kfv_rma_build(post, msg, flags, len);
	if (ret)
		return ret;
	ret = kfv_tx_next(post, IB_WR_SEND);
	if (ret)
		return ret;
	len = kfv_commit_request(post->ep, slot, msg, flags, inside ? len : 0);
	return kfv_commit_fill(post, slot, len);
}

static void kfv_commit_start_timer(struct kfv_ep *ep)
{
	struct kfv_commit *commit = ep->commit;

	if (commit->timing)
		return;
	commit->timing = true;
	queue_delayed_work(kfv_wq, &commit->timer,
			   msecs_to_jiffies(READ_ONCE(ep->commit_ms)));
}

/*
 * Whether the target's provider is asked. A delivery is a request with any method: it
 * may be about regions that cannot be read.
 */
static bool kfv_commit_asks(const struct kfv_commit *commit, u64 flags)
{
	return commit->method == KFI_COMMIT_SERVER || !(flags & KFI_COMMIT);
}

/* The work requests of a commit with @len bytes of payload */
static int kfv_commit_make(struct kfv_post *post, struct kfv_commit_slot *slot,
			   const struct kfi_msg_rma *msg, u64 flags, size_t len)
{
	if (slot->asks)
		return kfv_commit_build(post, slot, msg, flags, len);
	if (post->ep->commit->method == KFI_COMMIT_FLUSH)
		return kfv_flush_build(post, msg, flags, len);
	return kfv_read_build(post, slot, msg, flags, len);
}

static void kfv_commit_count(struct kfv_post *post, u64 flags, size_t ranges,
			     size_t len)
{
	struct kfv_ep *ep = post->ep;

	if (!(flags & KFI_COMMIT)) {
		kfv_tx_count(ep, KFI_STAT_WRITE, len, flags);
		return;
	}
	kfv_tx_count(ep, KFI_STAT_COMMIT, len, flags);
	trace_kfi_commit_request(&ep->ep, ep->tx.commit_head, ranges, len);
}

/* Posts a commit, or a write that the target's provider has to answer. */
int kfv_commit_post(struct kfv_ep *ep, const struct kfi_msg_rma *msg, u64 flags,
		    size_t len, bool report)
{
	struct kfv_commit *commit = ep->commit;
	bool asks = kfv_commit_asks(commit, flags);
	struct kfv_commit_slot *slot;
	struct kfv_post post;
	int ret;

	ret = kfv_tx_begin(&post, ep, &ep->tx.sq, flags);
	if (ret)
		return ret;
	if (msg->rma_iov_count > commit->peer.max_ranges ||
	    (asks && flags & KFI_INJECT && len > commit->peer.max_inline))
		return kfv_tx_abort(&post, -E2BIG);
	if (!kfv_commit_room(ep))
		return kfv_tx_abort(&post, kfv_tx_no_slot(ep));
	slot = kfv_slot_at(commit, ep->tx.commit_head);
	slot->posted = jiffies;
	slot->start = flags & KFI_COMMIT ? ktime_get_ns() : 0;
	slot->asks = asks;
	slot->sent = false;
	slot->replied = false;
	slot->status = KFV_WIRE_OK;
	slot->op.status = IB_WC_SUCCESS;
	post.op = &slot->op;
	ret = kfv_commit_make(&post, slot, msg, flags, len);
	if (ret)
		return kfv_tx_abort(&post, ret);
	kfv_commit_start_timer(ep);
	kfv_commit_count(&post, flags, msg->rma_iov_count, len);
	kfv_tx_end(&post, msg->context, KFI_RMA | KFI_WRITE, flags, report);
	return 0;
}

/*
 * Completing, in the order of posting
 */

int kfv_wire_errno(u8 status)
{
	switch (status) {
	case KFV_WIRE_OK:
		return 0;
	case KFV_WIRE_ACCESS:
		return -EACCES;
	case KFV_WIRE_BROKEN:
		return -ECANCELED;
	default:
		return -EIO;
	}
}

static struct kfi_comp kfv_commit_comp(const struct kfv_commit_slot *slot)
{
	const struct kfv_op *op = &slot->op;
	struct kfi_comp comp = {
		.op_context = op->context,
		.flags = op->flags,
	};

	if (op->status != IB_WC_SUCCESS) {
		kfv_comp_error(&comp, op->status);
	} else if (slot->status != KFV_WIRE_OK) {
		comp.err = -kfv_wire_errno(slot->status);
		comp.prov_errno = KFV_ERR_COMMIT | slot->status;
		comp.flags |= KFI_COMMIT;
	}
	return comp;
}

static void kfv_commit_report(struct kfv_ep *ep, const struct kfv_op *op,
			      const struct kfi_comp *comp)
{
	if (comp->err && op->status != IB_WC_WR_FLUSH_ERR)
		kfi_ep_commit_failed(&ep->track, comp->err);
	if (op->report || comp->err)
		kfv_complete(ep->tx_cq, ep->tx.credit, comp);
	else
		kfi_cq_complete_silent(ep->tx.credit);
}

/* The oldest commit, if all of it is in. */
static struct kfv_commit_slot *kfv_commit_next(struct kfv_ep *ep)
{
	struct kfv_commit_slot *slot;

	if (ep->tx.commit_tail == READ_ONCE(ep->tx.commit_head))
		return NULL;
	slot = kfv_slot_at(ep->commit, ep->tx.commit_tail);
	return slot->sent && slot->replied ? slot : NULL;
}

/* Statistics of the oldest commit, which is complete. */
static void kfv_commit_time(struct kfv_ep *ep,
			    const struct kfv_commit_slot *slot, int err)
{
	u64 ns = ktime_get_ns() - slot->start;

	lockdep_assert_held(&ep->commit->lock);
	kfi_stat_time(&ep->commit->time, ns);
	trace_kfi_commit_done(&ep->ep, ep->tx.commit_tail, err, ns);
}

/*
 * Two contexts learn that something is in. One of them completes, and looks again
 * for what the other has found meanwhile; without the lock, for the completion
 * handler may post.
 */
static void kfv_commit_advance(struct kfv_ep *ep)
{
	struct kfv_commit *commit = ep->commit;
	struct kfv_commit_slot *slot;
	unsigned long irq;
	struct kfi_comp comp;
	struct kfv_op op;

	spin_lock_irqsave(&commit->lock, irq);
	if (commit->completing)
		goto out;
	commit->completing = true;
	while ((slot = kfv_commit_next(ep))) {
		op = slot->op;
		comp = kfv_commit_comp(slot);
		slot->sent = false;
		if (slot->start)
			kfv_commit_time(ep, slot, comp.err);
		kfv_advance(&ep->tx.commit_tail, 1);
		spin_unlock_irqrestore(&commit->lock, irq);
		kfv_commit_report(ep, &op, &comp);
		kfv_tx_wake(ep);
		spin_lock_irqsave(&commit->lock, irq);
	}
	commit->completing = false;
out:
	spin_unlock_irqrestore(&commit->lock, irq);
}

/* Of what a late target left undone, the oldest one is what it was late for. */
static void kfv_commit_set_late(struct kfv_commit *commit, struct kfv_op *op)
{
	lockdep_assert_held(&commit->lock);
	if (!commit->late)
		return;
	op->status = IB_WC_RESP_TIMEOUT_ERR;
	commit->late = false;
}

/*
 * The work requests are done, with the request among them. If it could not be sent,
 * or if there is none, then there is no answer to wait for.
 */
void kfv_commit_sent(struct kfv_ep *ep, struct kfv_op *op)
{
	struct kfv_commit_slot *slot = container_of(op, struct kfv_commit_slot,
						    op);
	struct kfv_commit *commit = ep->commit;
	unsigned long irq;

	spin_lock_irqsave(&commit->lock, irq);
	if (op->status == IB_WC_WR_FLUSH_ERR &&
	    slot == kfv_slot_at(commit, ep->tx.commit_tail))
		kfv_commit_set_late(commit, op);
	slot->sent = true;
	if (!slot->asks || op->status != IB_WC_SUCCESS)
		WRITE_ONCE(slot->replied, true);
	spin_unlock_irqrestore(&commit->lock, irq);
	kfv_commit_advance(ep);
}

/* The commit that an answer is for, or NULL when nobody asked. */
static struct kfv_commit_slot *
kfv_commit_find(struct kfv_ep *ep, const struct kfv_wire_reply *reply)
{
	u32 generation = be32_to_cpu(reply->generation);
	u32 tail = ep->tx.commit_tail;
	struct kfv_commit_slot *slot = kfv_slot_at(ep->commit, generation);

	lockdep_assert_held(&ep->commit->lock);
	if (generation - tail >= READ_ONCE(ep->tx.commit_head) - tail ||
	    slot - ep->commit->slots != be16_to_cpu(reply->slot) ||
	    slot->replied || !slot->asks)
		return NULL;
	return slot;
}

/* An answer is in; false when nobody asked. */
bool kfv_commit_replied(struct kfv_ep *ep, const struct kfv_wire_reply *reply)
{
	struct kfv_commit_slot *slot;
	unsigned long irq;

	spin_lock_irqsave(&ep->commit->lock, irq);
	slot = kfv_commit_find(ep, reply);
	if (slot) {
		WRITE_ONCE(slot->replied, true);
		slot->status = reply->status;
	}
	spin_unlock_irqrestore(&ep->commit->lock, irq);
	if (slot)
		kfv_commit_advance(ep);
	return slot;
}

/* The connection is gone: commits that were sent get no answer any more. */
void kfv_commit_flush(struct kfv_ep *ep)
{
	struct kfv_commit *commit = ep->commit;
	struct kfv_commit_slot *slot;
	u32 nr;

	spin_lock_irq(&commit->lock);
	for (nr = ep->tx.commit_tail; nr != ep->tx.commit_head; nr++) {
		slot = kfv_slot_at(commit, nr);
		if (!slot->replied && slot->op.status == IB_WC_SUCCESS) {
			slot->op.status = IB_WC_WR_FLUSH_ERR;
			kfv_commit_set_late(commit, &slot->op);
		}
		slot->replied = true;
	}
	spin_unlock_irq(&commit->lock);
	kfv_commit_advance(ep);
}

/*
 * The oldest commit without an answer, or NULL. One that was answered is waiting
 * for the consumer of a polled queue, and says nothing about the target.
 */
static struct kfv_commit_slot *kfv_commit_oldest(struct kfv_ep *ep)
{
	struct kfv_commit_slot *slot;
	u32 nr;

	lockdep_assert_held(&ep->tx.lock);
	for (nr = kfv_tail(&ep->tx.commit_tail); nr != ep->tx.commit_head;
	     nr++) {
		slot = kfv_slot_at(ep->commit, nr);
		if (!READ_ONCE(slot->replied))
			return slot;
	}
	return NULL;
}

/*
 * What nobody is asked about may be done already, and in a polled queue that nobody
 * looks at.
 */
static void kfv_commit_look(struct kfv_ep *ep)
{
	struct kfv_sq *sq = &ep->tx.sq;
	u32 tail;

	if (kfv_ep_state(ep) != KFV_CONNECTED ||
	    ep->commit->method == KFI_COMMIT_SERVER)
		return;
	do {
		tail = kfv_tail(&sq->wr_tail);
		kfv_queue_poll(&sq->queue);
	} while (kfv_tail(&sq->wr_tail) != tail);
}

/* When the oldest commit is too old, its target is dead. */
void kfv_commit_timer(struct work_struct *work)
{
	struct kfv_commit *commit = container_of(work, struct kfv_commit,
						 timer.work);
	struct kfv_ep *ep = commit->ep;
	struct kfv_commit_slot *slot = NULL;
	unsigned long now = jiffies;
	unsigned long end;
	bool late = false;

	kfv_commit_look(ep);
	spin_lock_irq(&ep->tx.lock);
	commit->timing = false;
	if (ep->state == KFV_CONNECTED)
		slot = kfv_commit_oldest(ep);
	if (slot) {
		/* it was posted somewhere within a tick */
		end = slot->posted + 1 +
		      msecs_to_jiffies(READ_ONCE(ep->commit_ms));
		late = time_after_eq(now, end);
		commit->late = late;
		if (late) {
			kfv_ep_complain(ep,
					"the target does not answer a commit");
		} else {
			commit->timing = true;
			queue_delayed_work(kfv_wq, &commit->timer, end - now);
		}
	}
	spin_unlock_irq(&ep->tx.lock);
	if (late)
		kfv_ep_fatal(ep, ETIMEDOUT, 0);
}
