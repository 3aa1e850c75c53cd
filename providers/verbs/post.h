/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Making an operation out of work requests: kfv_tx_begin(), kfv_tx_next() for each
 * work request, then kfv_tx_end() or kfv_tx_abort(). All of it under the endpoint's
 * post lock, in any context. What every operation needs is inline.
 */

#ifndef KFV_POST_H
#define KFV_POST_H

#include <linux/bitops.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/uio.h>

#include <trace/events/kfi.h>

#include "ep.h"
#include "verbs.h"

/**
 * struct kfv_post - an operation in the making
 * @ep: its endpoint
 * @sq: where it goes
 * @op: the operation
 * @first: its first work request
 * @wr: the work request that was made last
 * @nr_wrs: work requests that were made
 * @nr_segs: segments that they have
 * @room: work requests that can be made
 * @now: the device gets it before the caller has its memory back
 */
struct kfv_post {
	struct kfv_ep	*ep;
	struct kfv_sq	*sq;
	struct kfv_op	*op;
	struct kfv_wr	*first;
	struct kfv_wr	*wr;
	unsigned int	nr_wrs;
	unsigned int	nr_segs;
	unsigned int	room;
	bool		now;
};

/* txq.c */
int kfv_tx_state_error(const struct kfv_ep *ep);
void kfv_tx_trace(const struct kfv_ep *ep, enum kfi_stat_op op, size_t len,
		  u64 flags);
int kfv_tx_full(struct kfv_ep *ep, enum kfi_stat_full full);
bool kfv_tx_want_slot(struct kfv_txq *tx);
int kfv_tx_next_error(struct kfv_post *post);
int kfv_tx_abort(struct kfv_post *post, int error);

/* fence.c */
void kfv_tx_chain(struct kfv_ep *ep, struct kfv_sq *sq, struct kfv_wr *first,
		  unsigned int nr, u64 flags);

/* sge.c */
ssize_t kfv_wr_fill(struct kfv_post *post, struct kfi_seg_iter *iter,
		    void **desc, size_t len, enum dma_data_direction dir);
int kfv_wr_map_buf(struct kfv_post *post, void *buf, size_t len,
		   enum dma_data_direction dir);
int kfv_wr_fill_buf(struct kfv_post *post, void *buf, size_t len);

/* rma.c */
int kfv_rma_build(struct kfv_post *post, const struct kfi_msg_rma *msg,
		  u64 flags, size_t len);

static inline u32 kfv_tx_room(const struct kfv_sq *sq)
{
	return sq->wr_mask + 1 - (sq->wr_head - kfv_tail(&sq->wr_tail));
}

/* Whoever says that it waits must look again: a completion may not have seen it. */
static inline void kfv_tx_wait(struct kfv_txq *tx, unsigned long bit)
{
	set_bit(ilog2(bit), &tx->waiters);
	/* pairs with kfv_tx_wake() */
	smp_mb__after_atomic();
}

/* Whether the device gets the next operation before the post returns. */
static inline bool kfv_tx_now(const struct kfv_txq *tx, u64 flags)
{
	return !tx->held && !(flags & (KFI_MORE | KFI_FENCE));
}

/*
 * Starts an operation: takes its slot. Without one nothing has happened. Who has
 * one has a place in the ring of operations, which is as large: an operation is done
 * with its place before its slot comes back.
 */
static inline int kfv_tx_begin(struct kfv_post *post, struct kfv_ep *ep,
			       struct kfv_sq *sq, u64 flags)
{
	struct kfv_txq *tx = &ep->tx;

	if (unlikely(ep->state != KFV_CONNECTED))
		return kfv_tx_state_error(ep);
	if (unlikely(!kfi_cq_take(tx->credit)) && !kfv_tx_want_slot(tx))
		return kfv_tx_full(ep, KFI_STAT_TX_FULL);
	post->ep = ep;
	post->sq = sq;
	post->op = &sq->ops[sq->op_head & sq->op_mask];
	post->nr_wrs = 0;
	post->nr_segs = 0;
	post->room = min(kfv_tx_room(sq), sq->rma_wrs);
	post->now = kfv_tx_now(tx, flags);
	return 0;
}

/* The operation's next work request. */
static inline int kfv_tx_next(struct kfv_post *post, enum ib_wr_opcode opcode)
{
	struct kfv_sq *sq = post->sq;
	struct kfv_wr *wr;

	if (unlikely(post->nr_wrs == post->room))
		return kfv_tx_next_error(post);
	wr = kfv_wr_at(sq, sq->wr_head + post->nr_wrs);
	wr->op = post->op;
	wr->send.next = NULL;
	wr->send.opcode = opcode;
	wr->send.send_flags = 0;
	wr->send.num_sge = 0;
	if (post->nr_wrs++)
		post->wr->send.next = &wr->send;
	else
		post->first = wr;
	post->wr = wr;
	return 0;
}

/* As kfv_tx_next(), to memory of the peer */
static inline int kfv_rma_next(struct kfv_post *post, enum ib_wr_opcode opcode,
			       u64 addr, u64 key)
{
	int ret;

	ret = kfv_tx_next(post, opcode);
	if (ret)
		return ret;
	post->wr->rdma.remote_addr = addr;
	post->wr->rdma.rkey = lower_32_bits(key);
	return 0;
}

/* Work requests that are whole go to the device, or wait with others before them. */
static inline void kfv_tx_give(struct kfv_ep *ep, struct kfv_sq *sq,
			       struct kfv_wr *first, unsigned int nr, u64 flags)
{
	if (unlikely(!kfv_tx_now(&ep->tx, flags))) {
		kfv_tx_chain(ep, sq, first, nr, flags);
		return;
	}
	sq->wr_head += nr;
	sq->wr_posted = sq->wr_head;
	if (unlikely(ib_post_send(sq->qp, &first->send, NULL)))
		kfv_ep_lost_locked(ep);
}

/* Of an operation that is going to be posted: statistics, and who wants to see it. */
static inline void kfv_tx_count(struct kfv_ep *ep, enum kfi_stat_op op,
				size_t len, u64 flags)
{
	ep->tx.posted[op].ops++;
	ep->tx.posted[op].bytes += len;
	if (trace_kfi_post_enabled())
		kfv_tx_trace(ep, op, len, flags);
}

/* The operation is whole: from here on it is going to complete. */
static inline void kfv_tx_end(struct kfv_post *post, void *context,
			      u64 comp_flags, u64 flags, bool report)
{
	struct kfv_txq *tx = &post->ep->tx;
	struct kfv_op *op = post->op;

	op->context = context;
	op->flags = comp_flags;
	op->report = report && (!tx->selective || flags & KFI_COMPLETION);
	op->plain = op->report && !op->commit && !op->mapped;
	op->single = false;
	op->nr_wrs = post->nr_wrs;
	post->wr->send.send_flags |= IB_SEND_SIGNALED;
	if (op->commit)
		tx->commit_head++;
	else
		post->sq->op_head++;
	kfv_tx_give(post->ep, post->sq, post->first, post->nr_wrs, flags);
}

/*
 * Memory inside the registered region that the caller says: then there is nothing
 * to map.
 */
static inline bool kfv_sge_region(struct kfv_domain *domain, struct ib_sge *sge,
				  const void *addr, size_t len,
				  const struct kfv_mr *mr,
				  enum dma_data_direction dir)
{
	size_t offset;

	if (!mr || mr->domain != domain || !mr->vaddr ||
	    (dir == DMA_FROM_DEVICE && !mr->local_write))
		return false;
	offset = addr - mr->vaddr;
	if (offset > mr->len || len > mr->len - offset)
		return false;
	sge->addr = mr->mr.iova + offset;
	sge->length = len;
	sge->lkey = mr->lkey;
	return true;
}

/* Of the linear map: as contiguous for the device as it is for us. */
static inline bool kfv_is_linear(const void *addr, size_t len)
{
	return (unsigned long)addr >= PAGE_OFFSET && addr + len <= high_memory;
}

/*
 * The common case: fills the work request with one piece of memory that is one
 * segment. With @now the device gets it before the caller has its memory back.
 * Returns 0, an error, or 1 if it is not that simple, and nothing has happened.
 */
static __always_inline int kfv_wr_fill_kvec(struct kfv_ep *ep,
					    const struct kfv_sq *sq,
					    struct kfv_wr *wr,
					    const struct kvec *kv, void **desc,
					    bool inject, bool now,
					    enum dma_data_direction dir)
{
	struct ib_sge *sge = wr->sge;

	if (!kv->iov_len)
		return 1;
	if (inject) {
		/* The device copies when it is given the work request. */
		if (!now || kv->iov_len > sq->inline_size)
			return 1;
		sge->addr = (uintptr_t)kv->iov_base;
		sge->length = kv->iov_len;
		sge->lkey = 0;
		wr->send.send_flags = IB_SEND_INLINE;
	} else if (!kfv_sge_region(ep->domain, sge, kv->iov_base, kv->iov_len,
				   desc ? desc[0] : NULL, dir)) {
		if (!kfv_is_linear(kv->iov_base, kv->iov_len))
			return 1;
		sge->addr = ib_dma_map_single(ep->domain->ib, kv->iov_base,
					      kv->iov_len, dir);
		if (unlikely(ib_dma_mapping_error(ep->domain->ib, sge->addr)))
			return -ENOMEM;
		sge->length = kv->iov_len;
		sge->lkey = ep->domain->pd->local_dma_lkey;
		wr->mapped = true;
	}
	wr->send.num_sge = 1;
	return 0;
}

/*
 * Most operations are one work request with one piece of kernel memory, and do
 * without a struct kfv_post: kfv_tx_take_one(), filling the work request, and then
 * kfv_tx_end_one() or kfv_tx_abort_one().
 */

/* NULL if it cannot be: why not, kfv_tx_begin() knows. */
static inline struct kfv_wr *kfv_tx_take_one(struct kfv_ep *ep,
					     struct kfv_sq *sq)
{
	struct kfv_wr *wr;

	if (unlikely(ep->state != KFV_CONNECTED || !kfv_tx_room(sq) ||
		     !kfi_cq_take(ep->tx.credit)))
		return NULL;
	wr = kfv_wr_at(sq, sq->wr_head);
	wr->send.next = NULL;
	wr->send.send_flags = 0;
	return wr;
}

static inline void kfv_tx_abort_one(struct kfv_ep *ep)
{
	kfi_cq_untake(ep->tx.credit);
}

static inline void kfv_tx_end_one(struct kfv_ep *ep, struct kfv_sq *sq,
				  struct kfv_wr *wr, void *context,
				  u64 comp_flags, u64 flags, bool report)
{
	struct kfv_txq *tx = &ep->tx;
	struct kfv_op *op = &sq->ops[sq->op_head++ & sq->op_mask];

	op->context = context;
	op->flags = comp_flags;
	op->report = report && (!tx->selective || flags & KFI_COMPLETION);
	op->mapped = wr->mapped;
	op->plain = op->report && !op->mapped;
	op->single = op->report && op->mapped;
	op->nr_wrs = 1;
	wr->op = op;
	wr->send.send_flags |= IB_SEND_SIGNALED;
	kfv_tx_give(ep, sq, wr, 1, flags);
}

#endif /* KFV_POST_H */
