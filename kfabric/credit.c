// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Credits: what keeps a completion queue from being overrun. Each endpoint has
 * entries of the queue of its own; an operation takes one when it is posted and
 * gives it back when its entry was read.
 */

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <kfi_prov.h>

#include "core.h"

/**
 * kfi_cq_reserve() - reserve entries for one direction of an endpoint
 * @pcq: the queue
 * @ep: the endpoint
 * @limit: operations that can be outstanding or unread
 * @wq: workqueue of @work
 * @work: queued when there is a slot again, see kfi_cq_want()
 *
 * Context: Process context, may sleep.
 * Return: the credit, for kfi_cq_release(); ERR_PTR(-ENOSPC) when the queue is
 * too small, ERR_PTR(-ENOMEM).
 */
struct kfi_cq_credit *kfi_cq_reserve(struct kfi_prov_cq *pcq,
				     const struct kfid_ep *ep,
				     unsigned int limit,
				     struct workqueue_struct *wq,
				     struct work_struct *work)
{
	struct kfi_cq_credit *credit;
	bool fits;

	credit = kzalloc_obj(*credit);
	if (!credit)
		return ERR_PTR(-ENOMEM);
	credit->cq = pcq;
	credit->ep = ep->fid.id;
	credit->limit = limit;
	credit->wq = wq;
	credit->work = work;

	spin_lock_irq(&pcq->lock);
	fits = limit <= pcq->limit - min(pcq->limit, pcq->reserved);
	if (fits) {
		pcq->reserved += limit;
		list_add_tail(&credit->node, &pcq->credits);
	}
	spin_unlock_irq(&pcq->lock);
	if (fits)
		return credit;
	kfree(credit);
	return ERR_PTR(-ENOSPC);
}
EXPORT_SYMBOL_GPL(kfi_cq_reserve);

/**
 * kfi_cq_release() - undo kfi_cq_reserve()
 * @credit: the credit of an endpoint that has no operation outstanding. Unread
 *	entries stay in the queue; the work is not queued any more when the call
 *	returns, but may be running
 *
 * Context: Process context.
 */
void kfi_cq_release(struct kfi_cq_credit *credit)
{
	struct kfi_prov_cq *pcq = credit->cq;
	u64 unread;

	spin_lock_irq(&pcq->lock);
	unread = credit->taken -
		 (atomic64_fetch_or(KFI_CREDIT_DEAD, &credit->returned) >>
		  KFI_CREDIT_SHIFT);
	pcq->reserved -= credit->limit - unread;
	if (!unread)
		list_del(&credit->node);
	spin_unlock_irq(&pcq->lock);
	if (!unread)
		kfree(credit);
}
EXPORT_SYMBOL_GPL(kfi_cq_release);

/**
 * kfi_cq_want() - ask to be told when there is a slot again
 * @credit: the endpoint's credit, of which kfi_cq_take() found nothing left
 *
 * The work is queued once for each call that returned false.
 *
 * Context: Any context, under the endpoint's post lock of that direction.
 * Return: true when there is a slot by now: take it, no work will be queued.
 */
bool kfi_cq_want(struct kfi_cq_credit *credit)
{
	unsigned long irq;
	u64 returned;
	bool room;

	spin_lock_irqsave(&credit->cq->lock, irq);
	returned = atomic64_fetch_or(KFI_CREDIT_WANT, &credit->returned);
	room = credit->taken - (returned >> KFI_CREDIT_SHIFT) < credit->limit;
	if (room)
		atomic64_andnot(KFI_CREDIT_WANT, &credit->returned);
	spin_unlock_irqrestore(&credit->cq->lock, irq);
	return room;
}
EXPORT_SYMBOL_GPL(kfi_cq_want);

/* An entry of a closed endpoint was read. */
static void return_dead(struct kfi_cq_credit *credit, u64 returned)
{
	lockdep_assert_held(&credit->cq->lock);
	credit->cq->reserved--;
	if (returned >> KFI_CREDIT_SHIFT != credit->taken)
		return;
	list_del(&credit->node);
	kfree(credit);
}

/*
 * As kfi_cq_return(), of a credit that has a flag: under the lock, which
 * kfi_cq_release() takes too, so that the work is there to be queued.
 */
void kfi_cq_return_flagged(struct kfi_cq_credit *credit)
{
	struct kfi_prov_cq *pcq = credit->cq;
	unsigned long irq;
	u64 returned;

	spin_lock_irqsave(&pcq->lock, irq);
	returned = atomic64_add_return(KFI_CREDIT_SLOT, &credit->returned);
	if (returned & KFI_CREDIT_DEAD) {
		return_dead(credit, returned);
	} else if (returned & KFI_CREDIT_WANT) {
		atomic64_andnot(KFI_CREDIT_WANT, &credit->returned);
		queue_work(credit->wq, credit->work);
	}
	spin_unlock_irqrestore(&pcq->lock, irq);
}

/**
 * kfi_cq_complete_silent() - an operation without an entry is complete
 * @credit: the credit of the operation's endpoint and direction
 *
 * Context: Any context.
 */
void kfi_cq_complete_silent(struct kfi_cq_credit *credit)
{
	kfi_cq_return(credit);
}
EXPORT_SYMBOL_GPL(kfi_cq_complete_silent);
