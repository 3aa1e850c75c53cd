// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Work requests that wait before the device is given them: for more to come, or for
 * those before a fence. All of it under the endpoint's post lock, in any context.
 */

#include <linux/log2.h>

#include "commit.h"
#include "ep.h"
#include "post.h"
#include "verbs.h"

/* Whether everything that was posted before the work request @wr is complete. */
static bool kfv_tx_fence_open(const struct kfv_txq *tx,
			      const struct kfv_sq *sq, const struct kfv_wr *wr)
{
	return kfv_tail(&sq->wr_tail) == sq->wr_posted &&
	       kfv_tail(&tx->commit_tail) == wr->commits;
}

/*
 * Tells completions that a fence waits for them. Either they see that, or the
 * fence is found open here.
 */
static bool kfv_tx_fence_wait(struct kfv_txq *tx, const struct kfv_sq *sq,
			      const struct kfv_wr *wr)
{
	kfv_tx_wait(tx, KFV_WAIT_FENCE);
	if (!kfv_tx_fence_open(tx, sq, wr))
		return true;
	clear_bit(ilog2(KFV_WAIT_FENCE), &tx->waiters);
	return false;
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

/*
 * Gives the device all that it may have by now. What it does not take, because the
 * queue pair is in error, is completed when the endpoint goes down.
 */
void kfv_tx_ring(struct kfv_ep *ep)
{
	struct kfv_txq *tx = &ep->tx;
	struct kfv_sq *sq = &tx->sq;
	struct kfv_wr *wr;
	u32 end;

	lockdep_assert_held(&tx->lock);
	while (sq->wr_posted != sq->wr_head && ep->state == KFV_CONNECTED) {
		wr = kfv_wr_at(sq, sq->wr_posted);
		if (wr->fence) {
			if (!kfv_tx_fence_open(tx, sq, wr) &&
			    kfv_tx_fence_wait(tx, sq, wr))
				return;
			wr->fence = false;
			tx->fences--;
		}
		end = kfv_tx_batch_end(tx, sq, sq->wr_posted);
		kfv_wr_at(sq, end - 1)->send.next = NULL;
		sq->wr_posted = end;
		if (ib_post_send(sq->qp, &wr->send, NULL))
			kfv_ep_lost_locked(ep);
	}
	if (sq->wr_posted == sq->wr_head)
		WRITE_ONCE(tx->held, false);
}

/*
 * The operation has to wait, or others wait for it: it goes behind them, and all
 * that may go to the device by now goes there.
 */
void kfv_tx_chain(struct kfv_ep *ep, struct kfv_sq *sq, struct kfv_wr *first,
		  unsigned int nr, u64 flags)
{
	struct kfv_txq *tx = &ep->tx;

	if (flags & KFI_FENCE) {
		first->fence = true;
		first->commits = tx->commit_head - first->op->commit;
		tx->fences++;
	}
	if (sq->wr_posted != sq->wr_head)
		kfv_wr_at(sq, sq->wr_head - 1)->send.next = &first->send;
	sq->wr_head += nr;
	WRITE_ONCE(tx->held, true);
	if (!(flags & KFI_MORE))
		kfv_tx_ring(ep);
}
