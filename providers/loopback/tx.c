// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The transmit side of an endpoint: slots, and how operations get into and out
 * of them.
 */

#include <linux/array_size.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_errno.h>
#include <trace/events/kfi.h>

#include "ep.h"
#include "loopback.h"

static void lo_tx_room(struct work_struct *work)
{
	struct lo_ep *ep = container_of(work, struct lo_ep, tx.room);

	trace_kfi_tx_room(&ep->ep);
	ep->tx.handler.handler(&ep->ep, ep->tx.handler.context);
}

/* A slot is 0.6 KiB, and room for 32 segments of 16 bytes. */
static int lo_lane_init(struct lo_lane *lane, u32 size, u32 more_segs)
{
	u32 slots = roundup_pow_of_two(size);

	lane->mask = slots - 1;
	lane->ops = kvcalloc(slots, sizeof(*lane->ops), GFP_KERNEL);
	if (!lane->ops)
		return -ENOMEM;
	return lo_segs_alloc(&lane->segs, size * LO_IOV_LIMIT + more_segs);
}

/* 64 KiB more are for what RMA takes beyond that. Any operation has any slot. */
int lo_tx_init(struct lo_ep *ep)
{
	struct lo_tx *tx = &ep->tx;
	int ret;

	spin_lock_init(&tx->lock);
	INIT_WORK(&tx->room, lo_tx_room);
	tx->status = -KFI_EOPBADSTATE;
	tx->nr_lanes = ep->kind == KFI_KIND_BOTH ? 2 : 1;
	ret = lo_lane_init(&tx->lanes[LO_LANE_MAIN], tx->size,
			   LO_RMA_SEG_LIMIT);
	if (!ret && tx->nr_lanes > 1)
		ret = lo_lane_init(&tx->lanes[LO_LANE_MSG], tx->size, 0);
	return ret;
}

void lo_tx_free(struct lo_tx *tx)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tx->lanes); i++) {
		kvfree(tx->lanes[i].segs.ring);
		kvfree(tx->lanes[i].ops);
	}
}

/* Whether an operation that succeeds makes no entry. */
bool lo_tx_quiet(const struct lo_ep *ep, u64 flags)
{
	return ep->tx.selective && !(flags & KFI_COMPLETION);
}

/* There is no room: the consumer has to try again. */
static int lo_tx_full(struct lo_tx *tx, enum kfi_stat_full full)
{
	const struct lo_ep *ep = container_of(tx, struct lo_ep, tx);

	lockdep_assert_held(&tx->lock);
	tx->full[full]++;
	trace_kfi_tx_full(&ep->ep, full);
	return -EAGAIN;
}

static void lo_tx_count(struct lo_tx *tx, const struct lo_desc *desc)
{
	static const enum kfi_stat_op ops[] = {
		[LO_SEND]	= KFI_STAT_SEND,
		[LO_WRITE]	= KFI_STAT_WRITE,
		[LO_READ]	= KFI_STAT_READ,
		[LO_ATOMIC]	= KFI_STAT_ATOMIC,
	};
	enum kfi_stat_op op = desc->flags & KFI_COMMIT ? KFI_STAT_COMMIT :
							 ops[desc->type];
	const struct lo_ep *ep = container_of(tx, struct lo_ep, tx);

	tx->posted[op].ops++;
	tx->posted[op].bytes += desc->len;
	trace_kfi_post(&ep->ep, op, desc->len, desc->flags);
	if (op == KFI_STAT_COMMIT)
		trace_kfi_commit_request(&ep->ep, desc->nr, desc->nr_ranges,
					 desc->len);
}

static int lo_tx_take(struct lo_tx *tx)
{
	if (kfi_cq_take(tx->credit))
		return 0;
	if (tx->handler.handler && kfi_cq_want(tx->credit) &&
	    kfi_cq_take(tx->credit))
		return 0;
	return lo_tx_full(tx, KFI_STAT_TX_FULL);
}

static int lo_tx_fill(struct lo_tx *tx, struct lo_lane *lane,
		      struct lo_op *op, const struct lo_post *post)
{
	int nr;

	op->seg = lane->segs.tail;
	op->nr_segs = 0;
	if (post->desc.flags & KFI_INJECT)
		return lo_gather(op->inject, post->type, post->iov,
				 post->count);
	nr = lo_segs_fill(&lane->segs, post->type, post->iov, post->count,
			  post->seg_limit);
	if (nr == -EAGAIN && tx->handler.handler)
		lane->want_segs = post->seg_limit;
	if (nr == -EAGAIN)
		return lo_tx_full(tx, KFI_STAT_TX_FULL);
	if (nr < 0)
		return nr;
	op->nr_segs = nr;
	return 0;
}

static int lo_tx_enqueue(struct lo_tx *tx, const struct lo_post *post)
{
	struct lo_lane *lane = lo_tx_lane(tx, post->desc.type);
	struct lo_op *op = &lane->ops[lane->tail & lane->mask];
	bool commit = post->desc.flags & KFI_COMMIT;
	int ret;

	lockdep_assert_held(&tx->lock);
	if (tx->status)
		return tx->status;
	if (post->reads && !tx->depth)
		return -EOPNOTSUPP;
	if (commit && tx->method == KFI_COMMIT_READ &&
	    !kfi_prov_readable(post->ranges, post->desc.nr_ranges))
		return -EACCES;
	if (commit && tx->commits == LO_COMMIT_SLOTS) {
		tx->want_commit = tx->handler.handler;
		return lo_tx_full(tx, KFI_STAT_SLOTS_FULL);
	}
	/* Who has a credit has a slot: slots are free before credits are. */
	ret = lo_tx_take(tx);
	if (ret)
		return ret;
	ret = lo_tx_fill(tx, lane, op, post);
	if (ret) {
		kfi_cq_untake(tx->credit);
		return ret;
	}
	op->desc = post->desc;
	op->error = LO_OK;
	op->desc.nr = ++tx->nr;
	if (commit)
		op->desc.start = ktime_get_ns();
	lo_tx_count(tx, &op->desc);
	if (post->desc.flags & KFI_FENCE)
		tx->fence_nr = tx->nr;
	op->desc.after = tx->fence_nr;
	memcpy(op->ranges, post->ranges,
	       post->desc.nr_ranges * sizeof(*post->ranges));
	lane->segs.tail += op->nr_segs;
	if (commit)
		tx->commits++;
	lane->tail++;
	return 0;
}

/* What was posted with KFI_MORE must not wait for an operation that is refused. */
static void lo_tx_ring(struct lo_ep *ep)
{
	lockdep_assert_held(&ep->tx.lock);
	if (ep->tx.rung == ep->tx.nr)
		return;
	ep->tx.rung = ep->tx.nr;
	queue_work(lo_wq, &ep->work);
}

void lo_ep_ring(struct kfid_ep *kfid_ep)
{
	struct lo_ep *ep = lo_ep_of(&kfid_ep->fid);
	unsigned long irq;

	spin_lock_irqsave(&ep->tx.lock, irq);
	lo_tx_ring(ep);
	spin_unlock_irqrestore(&ep->tx.lock, irq);
}

/* The error of an operation that was refused before it came to lo_tx_post(). */
ssize_t lo_tx_refuse(struct lo_ep *ep, ssize_t ret)
{
	lo_ep_ring(&ep->ep);
	return ret;
}

ssize_t lo_tx_post(struct lo_ep *ep, const struct lo_post *post)
{
	struct lo_tx *tx = &ep->tx;
	unsigned long irq;
	int ret;

	spin_lock_irqsave(&tx->lock, irq);
	ret = lo_tx_enqueue(tx, post);
	if (ret || !(post->desc.flags & KFI_MORE))
		lo_tx_ring(ep);
	spin_unlock_irqrestore(&tx->lock, irq);
	return ret;
}

/* A device does not see what it was not rung for, even if it is busy with the rest. */
static struct lo_op *lo_lane_first(struct lo_tx *tx, struct lo_lane *lane)
{
	struct lo_op *op = &lane->ops[lane->head & lane->mask];

	lockdep_assert_held(&tx->lock);
	if (lane->head == lane->tail || op->desc.nr > tx->rung)
		return NULL;
	return op;
}

/* The operation that is next, which stays where it is. For the engine. */
struct lo_op *lo_tx_first(struct lo_tx *tx, struct lo_lane *lane)
{
	struct lo_op *op;

	spin_lock_irq(&tx->lock);
	op = lo_lane_first(tx, lane);
	spin_unlock_irq(&tx->lock);
	return op;
}

/* Whether one that was posted before the operation @before was not executed. */
bool lo_tx_pending(struct lo_tx *tx, u64 before)
{
	bool pending = false;
	struct lo_op *op;
	unsigned int i;

	spin_lock_irq(&tx->lock);
	for (i = 0; i < tx->nr_lanes; i++) {
		op = lo_lane_first(tx, &tx->lanes[i]);
		pending |= op && op->desc.nr < before;
	}
	spin_unlock_irq(&tx->lock);
	return pending;
}

/*
 * The first operation needs its slot no more. To be called before its entry is
 * made: who reads that may post at once.
 */
void lo_tx_done(struct lo_ep *ep, struct lo_op *op)
{
	struct lo_tx *tx = &ep->tx;
	struct lo_lane *lane = lo_tx_lane(tx, op->desc.type);
	u32 room;

	spin_lock_irq(&tx->lock);
	lane->segs.head += op->nr_segs;
	lane->head++;
	room = lane->segs.mask + 1 - (lane->segs.tail - lane->segs.head);
	if (lane->want_segs && lane->want_segs <= room) {
		lane->want_segs = 0;
		queue_work(lo_wq, &tx->room);
	}
	spin_unlock_irq(&tx->lock);
}

static void lo_tx_time(struct lo_ep *ep, const struct lo_desc *desc, int err)
{
	u64 ns = ktime_get_ns() - desc->start;

	trace_kfi_commit_done(&ep->ep, desc->nr, err, ns);
	spin_lock_irq(&ep->tx.lock);
	kfi_stat_time(&ep->tx.time, ns);
	spin_unlock_irq(&ep->tx.lock);
}

/* Makes the entry, or gives the slot back without one. */
void lo_tx_complete(struct lo_ep *ep, const struct lo_desc *desc,
		    enum lo_error error)
{
	const struct kfi_comp comp = {
		.op_context = desc->context,
		.flags = desc->comp_flags |
			 (lo_error_of_commit(error) ? KFI_COMMIT : 0),
		.err = lo_errno(error),
		.prov_errno = error,
	};

	if (desc->flags & KFI_COMMIT)
		lo_tx_time(ep, desc, comp.err);
	if (error && error != LO_FLUSHED && desc->flags & KFI_COMMIT)
		kfi_ep_commit_failed(&ep->track, comp.err);
	if (desc->quiet && !error)
		kfi_cq_complete_silent(ep->tx.credit);
	else
		lo_complete(ep->tx.cq, ep->tx.credit, &comp);
}
