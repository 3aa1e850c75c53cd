// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What an endpoint sends: operations become work requests in a ring, the device is
 * given them in one list, and they come back in the same order.
 */

#include <linux/bottom_half.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "commit.h"
#include "ep.h"
#include "pair.h"
#include "post.h"
#include "verbs.h"

/*
 * Posting. All of it under the endpoint's post lock, in any context.
 */

int kfv_tx_state_error(const struct kfv_ep *ep)
{
	switch (ep->state) {
	case KFV_GONE:
		return -ENODEV;
	case KFV_DOWN:
		return -ESHUTDOWN;
	default:
		return ep->enabled ? -ENOTCONN : -KFI_EOPBADSTATE;
	}
}

/* What was waiting for another operation to follow waits no more. */
void kfv_ep_ring(struct kfid_ep *kfid_ep)
{
	struct kfv_ep *ep = to_kfv_ep(kfid_ep);
	struct kfv_txq *tx = &ep->tx;
	unsigned long irq;

	if (READ_ONCE(tx->held)) {
		spin_lock_irqsave(&tx->lock, irq);
		kfv_tx_ring(ep);
		spin_unlock_irqrestore(&tx->lock, irq);
	}
}

/* The error of an operation that was refused before it came to a queue. */
ssize_t kfv_tx_refuse(struct kfv_ep *ep, ssize_t error)
{
	kfv_ep_ring(&ep->ep);
	return error;
}

/* Out of the way of posts that nobody traces. */
void kfv_tx_trace(const struct kfv_ep *ep, enum kfi_stat_op op, size_t len,
		  u64 flags)
{
	trace_kfi_post(&ep->ep, op, len, flags);
}

/* There is no room: the consumer has to try again. */
int kfv_tx_full(struct kfv_ep *ep, enum kfi_stat_full full)
{
	lockdep_assert_held(&ep->tx.lock);
	ep->tx.full[full]++;
	trace_kfi_tx_full(&ep->ep, full);
	return -EAGAIN;
}

/* As for fences: either a completion sees that somebody waits, or there is room. */
static int kfv_tx_no_room(struct kfv_post *post)
{
	struct kfv_txq *tx = &post->ep->tx;

	if (!tx->handler.handler)
		return kfv_tx_full(post->ep, KFI_STAT_TX_FULL);
	WRITE_ONCE(tx->room, post->nr_wrs ? tx->sq.rma_wrs : 1);
	smp_mb__before_atomic(); /* pairs with the one in kfv_tx_wake_room() */
	kfv_tx_wait(tx, KFV_WAIT_ROOM);
	if (kfv_tx_room(&tx->sq) >= tx->room &&
	    test_and_clear_bit(ilog2(KFV_WAIT_ROOM), &tx->waiters))
		queue_work(kfv_wq, &tx->work);
	return kfv_tx_full(post->ep, KFI_STAT_TX_FULL);
}

/* Takes a slot that has come back, or asks to be told of one. */
bool kfv_tx_want_slot(struct kfv_txq *tx)
{
	return tx->handler.handler && kfi_cq_want(tx->credit) &&
	       kfi_cq_take(tx->credit);
}

/* Why the operation cannot have one more work request. */
int kfv_tx_next_error(struct kfv_post *post)
{
	if (post->nr_wrs == post->sq->rma_wrs)
		return -E2BIG;
	return kfv_tx_no_room(post);
}

static enum dma_data_direction kfv_wr_dir(const struct kfv_wr *wr)
{
	switch (wr->send.opcode) {
	case IB_WR_RDMA_READ:
	case IB_WR_ATOMIC_CMP_AND_SWP:
	case IB_WR_ATOMIC_FETCH_AND_ADD:
		return DMA_FROM_DEVICE;
	default:
		return DMA_TO_DEVICE;
	}
}

/* Unmaps what the operation's work requests, from number @first on, have mapped. */
static void kfv_op_unmap(struct kfv_ep *ep, struct kfv_sq *sq,
			 struct kfv_op *op, u32 first, unsigned int nr_wrs)
{
	unsigned int i;

	for (i = 0; i < nr_wrs; i++) {
		struct kfv_wr *wr = kfv_wr_at(sq, first + i);

		if (!wr->mapped)
			continue;
		wr->mapped = false;
		kfv_sge_unmap(ep->domain, wr->sge, wr->send.num_sge,
			      kfv_wr_dir(wr));
	}
	op->mapped = false;
}

/* Undoes an operation that cannot be posted. */
int kfv_tx_abort(struct kfv_post *post, int error)
{
	if (post->op->mapped)
		kfv_op_unmap(post->ep, post->sq, post->op, post->sq->wr_head,
			     post->nr_wrs);
	kfi_cq_untake(post->ep->tx.credit);
	return error;
}

/*
 * Completing. In the context of the completion queue, one at a time; without a
 * lock until something is found to wait.
 */

static void kfv_tx_wake_room(struct kfv_txq *tx)
{
	if (!(READ_ONCE(tx->waiters) & KFV_WAIT_ROOM))
		return;
	smp_rmb(); /* the room that is waited for is of this waiter */
	if (kfv_tx_room(&tx->sq) < READ_ONCE(tx->room))
		return;
	if (test_and_clear_bit(ilog2(KFV_WAIT_ROOM), &tx->waiters))
		queue_work(kfv_wq, &tx->work);
}

/* Only commit endpoints have commits to wait for. */
static void kfv_tx_wake_slot(struct kfv_ep *ep)
{
	struct kfv_txq *tx = &ep->tx;

	if (READ_ONCE(tx->waiters) & KFV_WAIT_SLOT && kfv_commit_room(ep) &&
	    test_and_clear_bit(ilog2(KFV_WAIT_SLOT), &tx->waiters))
		queue_work(kfv_wq, &tx->work);
}

/* As kfv_tx_no_room(), for commits */
int kfv_tx_no_slot(struct kfv_ep *ep)
{
	struct kfv_txq *tx = &ep->tx;

	if (tx->handler.handler) {
		kfv_tx_wait(tx, KFV_WAIT_SLOT);
		kfv_tx_wake_slot(ep);
	}
	return kfv_tx_full(ep, KFI_STAT_SLOTS_FULL);
}

static noinline void kfv_tx_wake_waiters(struct kfv_ep *ep)
{
	struct kfv_txq *tx = &ep->tx;
	unsigned long irq;

	kfv_tx_wake_room(tx);
	kfv_tx_wake_slot(ep);
	if (test_and_clear_bit(ilog2(KFV_WAIT_FENCE), &tx->waiters)) {
		spin_lock_irqsave(&tx->lock, irq);
		kfv_tx_ring(ep);
		spin_unlock_irqrestore(&tx->lock, irq);
	}
}

/* A tail has moved: does somebody wait for that? */
static inline bool kfv_tx_awaited(const struct kfv_txq *tx)
{
	/* pairs with kfv_tx_wait() */
	smp_mb();
	return unlikely(READ_ONCE(tx->waiters));
}

void kfv_tx_wake(struct kfv_ep *ep)
{
	if (kfv_tx_awaited(&ep->tx))
		kfv_tx_wake_waiters(ep);
}

static noinline void kfv_tx_report_error(struct kfv_ep *ep, struct kfv_op *op)
{
	struct kfi_comp comp = {
		.op_context = op->context,
		.flags = op->flags,
	};

	kfv_comp_error(&comp, op->status);
	op->status = IB_WC_SUCCESS;
	kfi_cq_complete(ep->tx.credit, &comp);
}

/* The queue may be told only when nothing of the operation is needed any more. */
static void kfv_tx_report(struct kfv_ep *ep, struct kfv_op *op)
{
	if (unlikely(op->status != IB_WC_SUCCESS))
		kfv_tx_report_error(ep, op);
	else if (op->report)
		kfi_cq_complete_op(ep->tx.credit, op->context, op->flags);
	else
		kfi_cq_complete_silent(ep->tx.credit);
}

static void kfv_op_result(struct kfv_op *op)
{
	if (op->status == IB_WC_SUCCESS)
		memcpy(op->result, op->buf, sizeof(*op->result));
	op->result = NULL;
}

/*
 * The last work request of an operation is back, and so are those before. What waits
 * for the work requests does not wait for the report, which may take long.
 */
static noinline void kfv_tx_op_done(struct kfv_ep *ep, struct kfv_sq *sq,
				    struct kfv_op *op)
{
	if (op->mapped)
		kfv_op_unmap(ep, sq, op, sq->wr_tail, op->nr_wrs);
	if (unlikely(op->result))
		kfv_op_result(op);
	kfv_advance(&sq->wr_tail, op->nr_wrs);
	kfv_tx_wake(ep);
	if (op->commit)
		kfv_commit_sent(ep, op);
	else
		kfv_tx_report(ep, op);
}

static noinline void kfv_tx_wake_and_report(struct kfv_ep *ep,
					    struct kfv_op *op)
{
	kfv_tx_wake_waiters(ep);
	kfv_tx_report(ep, op);
}

/* As kfv_tx_op_done(), of one that has succeeded and is plain. */
static inline void kfv_tx_plain_done(struct kfv_ep *ep, struct kfv_sq *sq,
				     struct kfv_op *op)
{
	struct kfv_txq *tx = &ep->tx;

	kfv_advance(&sq->wr_tail, op->nr_wrs);
	if (kfv_tx_awaited(tx))
		kfv_tx_wake_and_report(ep, op);
	else
		kfi_cq_complete_op(tx->credit, op->context, op->flags);
}

/* As kfv_tx_plain_done(), of one whose only segment was mapped */
static noinline void kfv_tx_single_done(struct kfv_ep *ep, struct kfv_sq *sq,
					struct kfv_op *op, struct kfv_wr *wr)
{
	ib_dma_unmap_page(ep->domain->ib, wr->sge[0].addr, wr->sge[0].length,
			  kfv_wr_dir(wr));
	wr->mapped = false;
	op->mapped = false;
	kfv_tx_plain_done(ep, sq, op);
}

/* The operation is done with its last one: the others report failures only. */
static noinline void kfv_tx_failed(struct kfv_ep *ep, struct kfv_sq *sq,
				   struct kfv_wr *wr, enum ib_wc_status status)
{
	struct kfv_op *op = wr->op;

	op->plain = false;
	if (op->status == IB_WC_SUCCESS)
		op->status = status;
	if (status != IB_WC_WR_FLUSH_ERR) {
		kfv_ep_complain(ep, ib_wc_status_msg(status));
		kfv_ep_lost(ep);
	}
	if (wr == kfv_wr_at(sq, sq->wr_tail + op->nr_wrs - 1))
		kfv_tx_op_done(ep, sq, op);
}

static __always_inline void kfv_sq_done(struct kfv_ep *ep, struct kfv_sq *sq,
					struct ib_wc *wc)
{
	struct kfv_wr *wr = container_of(wc->wr_cqe, struct kfv_wr, cqe);
	struct kfv_op *op = wr->op;

	if (unlikely(wc->status != IB_WC_SUCCESS))
		kfv_tx_failed(ep, sq, wr, wc->status);
	else if (op->plain)
		kfv_tx_plain_done(ep, sq, op);
	else if (op->single)
		kfv_tx_single_done(ep, sq, op, wr);
	else
		kfv_tx_op_done(ep, sq, op);
}

void kfv_tx_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct kfv_ep *ep = cq->cq_context;

	kfv_sq_done(ep, &ep->tx.sq, wc);
}

/* As kfv_tx_done(), of a second queue pair */
void kfv_pair_tx_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct kfv_ep *ep = cq->cq_context;

	kfv_sq_done(ep, &ep->pair->sq, wc);
}

static void kfv_sq_flush(struct kfv_ep *ep, struct kfv_sq *sq)
{
	struct kfv_op *op;

	while (sq->wr_tail != sq->wr_head) {
		op = kfv_wr_at(sq, sq->wr_tail)->op;
		if (op->status == IB_WC_SUCCESS)
			op->status = IB_WC_WR_FLUSH_ERR;
		kfv_tx_op_done(ep, sq, op);
	}
}

/* Completes what the device was never given, after everything that it was. */
void kfv_tx_flush(struct kfv_ep *ep)
{
	if (ep->tx_cq && ep->tx_cq->poll_ctx == IB_POLL_SOFTIRQ)
		local_bh_disable();
	kfv_sq_flush(ep, &ep->tx.sq);
	if (ep->pair)
		kfv_sq_flush(ep, &ep->pair->sq);
	if (ep->tx_cq && ep->tx_cq->poll_ctx == IB_POLL_SOFTIRQ)
		local_bh_enable();
}

/*
 * The TX handler, and the queue's life
 */

void kfv_tx_work(struct work_struct *work)
{
	struct kfv_ep *ep = container_of(work, struct kfv_ep, tx.work);
	const struct kfi_tx_handler_attr *handler = &ep->tx.handler;

	trace_kfi_tx_room(&ep->ep);
	if (handler->handler)
		handler->handler(&ep->ep, handler->context);
}

void kfv_sq_destroy(struct kfv_sq *sq)
{
	kvfree(sq->bufs);
	kvfree(sq->ops);
	kvfree(sq->wrs);
	sq->bufs = NULL;
	sq->ops = NULL;
	sq->wrs = NULL;
}

/* A buffer does not reach across pages, so that the device can have it. */
static int kfv_sq_alloc_bufs(struct kfv_sq *sq)
{
	size_t stride = roundup_pow_of_two(KFV_INJECT_SIZE);
	u32 i;

	sq->bufs = kvzalloc(PAGE_ALIGN((sq->op_mask + 1) * stride), GFP_KERNEL);
	if (!sq->bufs)
		return -ENOMEM;
	for (i = 0; i <= sq->op_mask; i++)
		sq->ops[i].buf = sq->bufs + i * stride;
	return 0;
}

/*
 * Allocates the rings, for @size operations that complete by @done; kfv_sq_destroy()
 * frees them, also after a failure.
 */
int kfv_sq_init(struct kfv_sq *sq, unsigned int size,
		void (*done)(struct ib_cq *cq, struct ib_wc *wc))
{
	u32 i;

	sq->wr_stride = struct_size_t(struct kfv_wr, sge, sq->max_sge);
	sq->wr_mask = roundup_pow_of_two(size + sq->rma_wrs) - 1;
	sq->op_mask = roundup_pow_of_two(size) - 1;
	sq->wrs = kvcalloc(sq->wr_mask + 1, sq->wr_stride, GFP_KERNEL);
	sq->ops = kvzalloc_objs(*sq->ops, sq->op_mask + 1);
	if (!sq->wrs || !sq->ops)
		return -ENOMEM;
	for (i = 0; i <= sq->wr_mask; i++) {
		struct kfv_wr *wr = kfv_wr_at(sq, i);

		wr->cqe.done = done;
		wr->send.wr_cqe = &wr->cqe;
		wr->send.sg_list = wr->sge;
	}
	return kfv_sq_alloc_bufs(sq);
}
