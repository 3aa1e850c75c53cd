// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Work requests that wait before the device is given them: for more to come, or for
 * those before a fence. All of it under the endpoint's post lock, in any context.
 */

#include "commit.h"
#include "ep.h"
#include "pair.h"
#include "post.h"
#include "verbs.h"

/* Whether everything that was posted before the work request @wr is complete. */
static bool kfv_tx_fence_open(struct kfv_ep *ep, const struct kfv_sq *sq,
			      const struct kfv_wr *wr)
{
	if (kfv_tail(&sq->wr_tail) != sq->wr_posted ||
	    (s32)(kfv_tail(&ep->tx.commit_tail) - wr->commits) < 0)
		return false;
	return !ep->pair || (s32)(kfv_tail(&kfv_sq_other(ep, sq)->wr_tail) -
				  wr->op->other) >= 0;
}

/*
 * Tells completions that a fence waits for them. Either they see that, or the
 * fence is found open here; then they look in vain, unless another one waits.
 */
static bool kfv_tx_fence_wait(struct kfv_ep *ep, const struct kfv_sq *sq,
			      const struct kfv_wr *wr)
{
	kfv_tx_wait(&ep->tx, KFV_WAIT_FENCE);
	return !kfv_tx_fence_open(ep, sq, wr);
}

/* One past the last work request that may be posted with the one at @first. */
static u32 kfv_tx_batch_end(const struct kfv_txq *tx, const struct kfv_sq *sq,
			    u32 first)
{
	u32 end = first + 1;

	if (!tx->fences)
		return sq->wr_head;
	while (end != sq->wr_head && !kfv_wr_at(sq, end)->fence)
		end++;
	return end;
}

/* False when something has to wait. */
static bool kfv_sq_ring(struct kfv_ep *ep, struct kfv_sq *sq)
{
	struct kfv_txq *tx = &ep->tx;
	struct kfv_wr *wr;
	u32 end;

	lockdep_assert_held(&tx->lock);
	while (sq->wr_posted != sq->wr_head && ep->state == KFV_CONNECTED) {
		wr = kfv_wr_at(sq, sq->wr_posted);
		if (wr->fence) {
			if (!kfv_tx_fence_open(ep, sq, wr) &&
			    kfv_tx_fence_wait(ep, sq, wr))
				return false;
			wr->fence = false;
			tx->fences--;
		}
		end = kfv_tx_batch_end(tx, sq, sq->wr_posted);
		kfv_wr_at(sq, end - 1)->send.next = NULL;
		sq->wr_posted = end;
		if (ib_post_send(sq->qp, &wr->send, NULL))
			kfv_ep_lost_locked(ep);
	}
	return sq->wr_posted == sq->wr_head;
}

/*
 * Gives the device all that it may have by now. What it does not take, because the
 * queue pair is in error, is completed when the endpoint goes down.
 */
void kfv_tx_ring(struct kfv_ep *ep)
{
	struct kfv_txq *tx = &ep->tx;
	bool rung;

	rung = kfv_sq_ring(ep, &tx->sq);
	if (ep->pair)
		rung &= kfv_sq_ring(ep, &ep->pair->sq);
	if (!rung)
		return;
	WRITE_ONCE(tx->held, false);
	tx->sq.behind = false;
	if (ep->pair)
		ep->pair->sq.behind = false;
}

/*
 * The operation waits for all before it. Those behind it do too: on the same queue
 * pair because they are behind it, on another one it is said of the next one there.
 */
static void kfv_tx_fence(struct kfv_ep *ep, struct kfv_sq *sq,
			 struct kfv_wr *first)
{
	struct kfv_txq *tx = &ep->tx;
	struct kfv_sq *other;

	first->commits = tx->commit_head - first->op->commit;
	if (!ep->pair)
		return;
	other = kfv_sq_other(ep, sq);
	first->op->other = other->wr_head;
	tx->fence_commits = first->commits;
	sq->behind = false;
	other->behind = true;
	other->behind_wrs = sq->wr_head;
}

/* The operation is the first one here behind a fence of the other queue pair. */
static void kfv_tx_behind(struct kfv_ep *ep, struct kfv_sq *sq,
			  struct kfv_wr *first)
{
	first->commits = ep->tx.fence_commits;
	first->op->other = sq->behind_wrs;
	sq->behind = false;
}

/*
 * The operation has to wait, or others wait for it: it goes behind them, and all
 * that may go to the device by now goes there.
 */
void kfv_tx_chain(struct kfv_ep *ep, struct kfv_sq *sq, struct kfv_wr *first,
		  unsigned int nr, u64 flags)
{
	struct kfv_txq *tx = &ep->tx;

	if (flags & KFI_FENCE || sq->behind) {
		if (flags & KFI_FENCE)
			kfv_tx_fence(ep, sq, first);
		else
			kfv_tx_behind(ep, sq, first);
		first->fence = true;
		tx->fences++;
	}
	if (sq->wr_posted != sq->wr_head)
		kfv_wr_at(sq, sq->wr_head - 1)->send.next = &first->send;
	sq->wr_head += nr;
	WRITE_ONCE(tx->held, true);
	if (!(flags & KFI_MORE))
		kfv_tx_ring(ep);
}
