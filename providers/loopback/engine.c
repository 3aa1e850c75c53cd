// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The engine of an endpoint: executes what was posted, in order, and when the
 * connection has ended completes what is left.
 */

#include <linux/sched.h>

#include "commit.h"
#include "conn.h"
#include "ep.h"
#include "loopback.h"

/* Local memory of an operation. */
void lo_op_cursor(struct lo_ep *ep, struct lo_op *op, struct lo_cursor *cursor)
{
	if (op->desc.flags & KFI_INJECT)
		lo_cursor_linear(cursor, op->inject);
	else
		lo_cursor_segs(cursor,
			       &lo_tx_lane(&ep->tx, op->desc.type)->segs,
			       op->seg);
}

/*
 * Returns an enum lo_error; -EAGAIN when the peer is not ready, and will call
 * the engine; -EINPROGRESS when the operation went on to be committed, and so
 * did the peer's reference.
 */
static int lo_execute(struct lo_ep *ep, struct lo_op *op)
{
	struct lo_ep *peer = lo_peer_get(ep);
	int ret;

	if (!peer)
		return LO_FLUSHED;
	switch (op->desc.type) {
	case LO_SEND:
		ret = lo_exec_send(ep, peer, op);
		break;
	case LO_WRITE:
		ret = lo_exec_write(ep, peer, op);
		break;
	case LO_READ:
		ret = lo_exec_read(ep, peer, op);
		break;
	default:
		ret = lo_exec_atomic(peer, op);
		break;
	}
	if (ret != -EAGAIN)
		lo_rnr_end(ep, op);
	else if (lo_rnr_expired(ep, peer, op))
		ret = LO_RNR;
	if (ret != -EINPROGRESS)
		lo_peer_put(peer);
	return ret;
}

/* As on a wire, an error is the end of the connection. */
static void lo_finish(struct lo_ep *ep, struct lo_op *op, enum lo_error error)
{
	const struct lo_desc desc = op->desc;

	lo_tx_done(ep, op);
	if (error > LO_FLUSHED)
		lo_conn_complain(ep, error);
	if (error)
		lo_conn_fail(ep->conn);
	if (lo_commits_by_read(ep, desc.flags))
		lo_commit_free_slot(ep, error);
	lo_tx_complete(ep, &desc, error);
}

/* Whether something that was posted before the last fence is not complete. */
static bool lo_is_held(struct lo_ep *ep, const struct lo_op *op)
{
	u64 after = op->desc.after;

	return after && (lo_tx_pending(&ep->tx, after) ||
			 lo_commits_pending(ep->commits, after));
}

/*
 * False when there is nothing to do, or not yet. What fails, or finds the connection
 * ended meanwhile, waits for the next run, which completes commits before it.
 */
static bool lo_step(struct lo_ep *ep, struct lo_lane *lane, bool dead)
{
	struct lo_op *op = lo_tx_first(&ep->tx, lane);
	int ret;

	if (!op || lo_is_held(ep, op))
		return false;
	ret = op->error ? op->error : lo_execute(ep, op);
	if (ret == -EAGAIN || (ret == LO_FLUSHED && !dead))
		return false;
	if (ret > LO_OK && lo_commits_pending(ep->commits, op->desc.nr)) {
		op->error = ret;
		lo_conn_fail(ep->conn);
		return false;
	}
	if (ret == -EINPROGRESS)
		lo_tx_done(ep, op);
	else
		lo_finish(ep, op, ret);
	return true;
}

/* One operation of each lane: one that waits does not hold up the others. */
static bool lo_steps(struct lo_ep *ep, bool dead)
{
	bool done = false;
	unsigned int i;

	for (i = 0; i < ep->tx.nr_lanes; i++)
		done |= lo_step(ep, &ep->tx.lanes[i], dead);
	return done;
}

/* Its connection has ended, or did not come about. */
bool lo_ep_is_dead(struct lo_ep *ep)
{
	bool dead;

	spin_lock_irq(&ep->tx.lock);
	dead = ep->tx.status == -ESHUTDOWN;
	spin_unlock_irq(&ep->tx.lock);
	return dead;
}

/*
 * Runs again whenever what it had to leave changes: a fence and the end of the
 * connection are told of commits, a receive of its peer, the end of the
 * connection of the peer's engine too.
 */
void lo_engine(struct work_struct *work)
{
	struct lo_ep *ep = container_of(work, struct lo_ep, work);
	bool dead = lo_ep_is_dead(ep);

	if (dead && !lo_commits_abandon(ep->commits))
		return;
	while (lo_steps(ep, dead))
		cond_resched();
	if (!dead || lo_ep_serving(ep))
		return;
	lo_rx_flush(ep);
	complete_all(&ep->drained);
}
