// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The receive side of an endpoint: posted receives, and how a peer's engine uses
 * them.
 */

#include <linux/log2.h>
#include <linux/slab.h>

#include <kfi_errno.h>

#include "ep.h"
#include "loopback.h"

/* The peer's engine is called again to look for what it waits for. */
static void lo_rx_wake(struct lo_rx *rx)
{
	lockdep_assert_held(&rx->lock);
	if (!rx->waiter)
		return;
	queue_work(lo_wq, &rx->waiter->work);
	rx->waiter = NULL;
}

static void lo_rx_room(struct work_struct *work)
{
	struct lo_rx *rx = container_of(work, struct lo_rx, room);

	spin_lock_irq(&rx->lock);
	lo_rx_wake(rx);
	spin_unlock_irq(&rx->lock);
}

int lo_rx_init(struct lo_ep *ep)
{
	struct lo_rx *rx = &ep->rx;
	u32 slots = roundup_pow_of_two(rx->size);

	spin_lock_init(&rx->lock);
	INIT_WORK(&rx->room, lo_rx_room);
	rx->status = -KFI_EOPBADSTATE;
	rx->mask = slots - 1;
	rx->recvs = kvcalloc(slots, sizeof(*rx->recvs), GFP_KERNEL);
	if (!rx->recvs)
		return -ENOMEM;
	return lo_segs_alloc(&rx->segs, rx->size * LO_IOV_LIMIT);
}

void lo_rx_free(struct lo_rx *rx)
{
	kvfree(rx->segs.ring);
	kvfree(rx->recvs);
}

static int lo_rx_enqueue(struct lo_rx *rx, const struct kfi_msg *msg,
			 u64 flags, size_t len)
{
	struct lo_recv *recv = &rx->recvs[rx->tail & rx->mask];
	int nr;

	lockdep_assert_held(&rx->lock);
	if (rx->status)
		return rx->status;
	if (!kfi_cq_take(rx->credit)) {
		rx->full++;
		return -EAGAIN;
	}
	nr = lo_segs_fill(&rx->segs, msg->type, msg->msg_iov, msg->iov_count,
			  LO_IOV_LIMIT);
	if (nr < 0) {
		rx->full += nr == -EAGAIN;
		kfi_cq_untake(rx->credit);
		return nr;
	}
	*recv = (struct lo_recv) {
		.context = msg->context,
		.quiet = rx->selective && !(flags & KFI_COMPLETION),
		.len = len,
		.seg = rx->segs.tail,
		.nr_segs = nr,
	};
	rx->segs.tail += nr;
	rx->tail++;
	lo_rx_wake(rx);
	return 0;
}

ssize_t lo_rx_post(struct lo_ep *ep, const struct kfi_msg *msg, u64 flags,
		   size_t len)
{
	struct lo_rx *rx = &ep->rx;
	unsigned long irq;
	int ret;

	spin_lock_irqsave(&rx->lock, irq);
	ret = lo_rx_enqueue(rx, msg, flags, len);
	spin_unlock_irqrestore(&rx->lock, irq);
	return ret;
}

/*
 * What the engine of @ep finds at its peer, between lo_peer_get() and
 * lo_peer_put(): the first receive, which stays posted until lo_rx_complete().
 * -EAGAIN when there is none, and the engine is called again when there is.
 */
int lo_rx_peek(struct lo_ep *peer, struct lo_ep *ep, struct lo_recv *recv)
{
	struct lo_rx *rx = &peer->rx;
	int ret = 0;

	spin_lock_irq(&rx->lock);
	if (rx->status) {
		ret = LO_FLUSHED;
	} else if (rx->head == rx->tail) {
		rx->waiter = ep;
		ret = -EAGAIN;
	} else {
		*recv = rx->recvs[rx->head & rx->mask];
	}
	spin_unlock_irq(&rx->lock);
	return ret;
}

static void lo_rx_count(struct lo_rx *rx, const struct kfi_comp *comp)
{
	struct kfi_stat_count *count = comp->flags & KFI_REMOTE_WRITE ?
				       &rx->data : &rx->received;

	lockdep_assert_held(&rx->lock);
	if (comp->err)
		return;
	count->ops++;
	count->bytes += comp->len;
}

/* A write's data makes an entry in any case: its receive did not ask for it. */
void lo_rx_complete(struct lo_ep *peer, const struct lo_recv *recv,
		    const struct kfi_comp *comp)
{
	struct lo_rx *rx = &peer->rx;
	bool quiet = recv->quiet && !comp->err &&
		     !(comp->flags & KFI_REMOTE_WRITE);

	spin_lock_irq(&rx->lock);
	rx->segs.head += recv->nr_segs;
	rx->head++;
	lo_rx_count(rx, comp);
	spin_unlock_irq(&rx->lock);
	if (quiet)
		kfi_cq_complete_silent(rx->credit);
	else
		lo_complete(rx->cq, rx->credit, comp);
}

/*
 * Where there are commits, data uses up no receive: it goes straight to the queue, if
 * that has room. -EAGAIN as with lo_rx_peek().
 */
int lo_rx_take(struct lo_ep *peer, struct lo_ep *ep)
{
	struct lo_rx *rx = &peer->rx;
	int ret = 0;

	spin_lock_irq(&rx->lock);
	if (rx->status) {
		ret = LO_FLUSHED;
	} else if (!kfi_cq_take(rx->data_credit) &&
		   !(kfi_cq_want(rx->data_credit) &&
		     kfi_cq_take(rx->data_credit))) {
		rx->waiter = ep;
		ret = -EAGAIN;
	}
	spin_unlock_irq(&rx->lock);
	return ret;
}

/* Nothing comes of lo_rx_take(). */
void lo_rx_untake(struct lo_ep *peer)
{
	kfi_cq_complete_silent(peer->rx.data_credit);
}

/*
 * The entry of a write's data: of the receive that it uses up, or of what
 * lo_rx_take() took.
 */
void lo_rx_data(struct lo_ep *peer, u64 data, size_t len,
		const struct lo_recv *recv)
{
	const struct kfi_comp comp = {
		.op_context = recv ? recv->context : NULL,
		.flags = KFI_RMA | KFI_REMOTE_WRITE | KFI_REMOTE_CQ_DATA,
		.len = len,
		.data = data,
	};

	if (recv) {
		lo_rx_complete(peer, recv, &comp);
		return;
	}
	spin_lock_irq(&peer->rx.lock);
	lo_rx_count(&peer->rx, &comp);
	spin_unlock_irq(&peer->rx.lock);
	lo_complete(peer->rx.cq, peer->rx.data_credit, &comp);
}

/* Statistics of the target: its memory device took so long. */
void lo_rx_persisted(struct lo_ep *peer, u64 ns)
{
	spin_lock_irq(&peer->rx.lock);
	kfi_stat_time(&peer->rx.persist, ns);
	spin_unlock_irq(&peer->rx.lock);
}

/* Statistics of the target: a commit was carried out. */
void lo_rx_served(struct lo_ep *peer, bool failed)
{
	spin_lock_irq(&peer->rx.lock);
	peer->rx.served++;
	peer->rx.refused += failed;
	spin_unlock_irq(&peer->rx.lock);
}

/* The connection has ended: nobody waits for this side any more. */
void lo_rx_kill(struct lo_ep *ep)
{
	struct lo_rx *rx = &ep->rx;

	spin_lock_irq(&rx->lock);
	rx->status = -ESHUTDOWN;
	rx->waiter = NULL;
	spin_unlock_irq(&rx->lock);
}

/* Completes what no peer will use any more. For the endpoint's own engine. */
void lo_rx_flush(struct lo_ep *ep)
{
	struct lo_rx *rx = &ep->rx;
	struct kfi_comp comp = {
		.flags = KFI_MSG | KFI_RECV,
		.err = lo_errno(LO_FLUSHED),
		.prov_errno = LO_FLUSHED,
	};
	struct lo_recv recv;

	while (rx->head != rx->tail) {
		recv = rx->recvs[rx->head & rx->mask];
		comp.op_context = recv.context;
		lo_rx_complete(ep, &recv, &comp);
	}
}
