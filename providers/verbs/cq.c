// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Completion queues, and the device's queues behind them.
 */

#include <linux/bottom_half.h>
#include <linux/err.h>
#include <linux/irq_poll.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "cm.h"
#include "commit.h"
#include "ep.h"
#include "verbs.h"

/* Completions that the provider processes at a time on its own behalf */
#define KFV_POLL_BUDGET		64

/* What went wrong, in the words of the consumer. */
static int kfv_status_errno(enum ib_wc_status status)
{
	switch (status) {
	case IB_WC_WR_FLUSH_ERR:
		return -ECANCELED;
	case IB_WC_LOC_LEN_ERR:
		return -KFI_ETRUNC;
	case IB_WC_LOC_PROT_ERR:
	case IB_WC_REM_ACCESS_ERR:
	case IB_WC_LOC_ACCESS_ERR:
		return -EACCES;
	case IB_WC_RETRY_EXC_ERR:
	case IB_WC_RESP_TIMEOUT_ERR:
		return -ETIMEDOUT;
	case IB_WC_RNR_RETRY_EXC_ERR:
		return -ENOBUFS;
	case IB_WC_REM_INV_REQ_ERR:
	case IB_WC_REM_OP_ERR:
		return -EREMOTEIO;
	default:
		return -EIO;
	}
}

void kfv_comp_error(struct kfi_comp *comp, enum ib_wc_status status)
{
	comp->err = -kfv_status_errno(status);
	comp->prov_errno = status;
}

const char *kfv_cq_strerror(int prov_errno)
{
	if (prov_errno & KFV_ERR_COMMIT)
		return kfv_commit_strerror(prov_errno & ~KFV_ERR_COMMIT);
	return ib_wc_status_msg(prov_errno);
}

/*
 * A completion that does not come from the queue's own context: the handler still
 * runs where the consumer was promised.
 */
void kfv_complete(struct kfv_cq *cq, struct kfi_cq_credit *credit,
		  const struct kfi_comp *comp)
{
	if (cq->poll_ctx == IB_POLL_SOFTIRQ)
		local_bh_disable();
	kfi_cq_complete(credit, comp);
	if (cq->poll_ctx == IB_POLL_SOFTIRQ)
		local_bh_enable();
}

/*
 * As ib_process_cq_direct(), which has room for completions on its stack, and clears
 * that each time.
 */
static void kfv_queue_process(struct kfv_cq *cq, struct ib_cq *ib, int budget)
{
	int i, nr;

	do {
		nr = ib_poll_cq(ib, min_t(int, budget, KFV_POLL_BATCH),
				cq->wcs);
		for (i = 0; i < nr; i++)
			cq->wcs[i].wr_cqe->done(ib, &cq->wcs[i]);
		budget -= nr;
	} while (nr == KFV_POLL_BATCH && budget);
}

/* Whoever comes second finds nothing; the first one is getting it. */
static void kfv_cq_poll(struct kfi_prov_cq *pcq, int budget)
{
	struct kfv_cq *cq = to_kfv_cq(pcq);
	struct kfv_queue *queue;
	unsigned long irq;

	if (!spin_trylock_irqsave(&cq->poll_lock, irq))
		return;
	list_for_each_entry(queue, &cq->queues, node)
		kfv_queue_process(cq, queue->ib, budget);
	spin_unlock_irqrestore(&cq->poll_lock, irq);
}

int kfv_queue_open(struct kfv_queue *queue, struct kfv_cq *cq, void *context,
		   unsigned int size)
{
	struct ib_device *dev = cq->domain->ib;
	struct ib_cq *ib;

	queue->cq = cq;
	if (cq->vector < 0)
		ib = __ib_alloc_cq_any(dev, context, size, cq->poll_ctx,
				       cq->owner);
	else
		ib = __ib_alloc_cq(dev, context, size, cq->vector,
				   cq->poll_ctx, cq->owner);
	if (IS_ERR(ib))
		return PTR_ERR(ib);
	/* No work request is there yet, and so no event can have been missed. */
	ib->event_handler = kfv_cq_event;
	spin_lock_irq(&cq->poll_lock);
	queue->ib = ib;
	if (cq->poll_ctx == IB_POLL_DIRECT)
		list_add_tail(&queue->node, &cq->queues);
	spin_unlock_irq(&cq->poll_lock);
	return 0;
}

/*
 * ib_free_cq() waits for irq_poll_complete(), after which ib_poll_handler() goes on
 * to arm the queue. It does so in softirq, which RCU knows the end of. An interrupt
 * that comes in later still, for what the drain has already processed, would find
 * the same window in ib_free_cq(), as with all of its users.
 */
static void kfv_queue_settle(struct ib_cq *ib)
{
	irq_poll_disable(&ib->iop);
	synchronize_rcu_expedited();
	irq_poll_enable(&ib->iop);
}

void kfv_queue_close(struct kfv_queue *queue)
{
	struct kfv_cq *cq = queue->cq;
	struct ib_cq *ib = queue->ib;

	if (!ib)
		return;
	spin_lock_irq(&cq->poll_lock);
	queue->ib = NULL;
	if (cq->poll_ctx == IB_POLL_DIRECT)
		list_del(&queue->node);
	spin_unlock_irq(&cq->poll_lock);
	if (cq->poll_ctx == IB_POLL_SOFTIRQ)
		kfv_queue_settle(ib);
	ib_free_cq(ib);
}

/* Does the consumer's work, when the provider depends on it; if there is a queue. */
void kfv_queue_poll(struct kfv_queue *queue)
{
	struct kfv_cq *cq = queue->cq;

	if (!cq || cq->poll_ctx != IB_POLL_DIRECT)
		return;
	spin_lock_irq(&cq->poll_lock);
	if (queue->ib)
		kfv_queue_process(cq, queue->ib, KFV_POLL_BUDGET);
	spin_unlock_irq(&cq->poll_lock);
}

static int kfv_cq_close(struct kfid *fid)
{
	struct kfv_cq *cq = container_of(fid, struct kfv_cq, pcq.cq.fid);

	if (!kfi_obj_close(fid))
		return -EBUSY;
	kfi_cq_track_del(&cq->track);
	kfi_prov_cq_destroy(&cq->pcq);
	kfree(cq);
	return 0;
}

static const struct kfi_ops kfv_cq_fid_ops = {
	.owner	= THIS_MODULE,
	.close	= kfv_cq_close,
};

static enum ib_poll_context kfv_poll_context(const struct kfi_cq_attr *attr,
					     kfi_comp_handler handler)
{
	if (!handler)
		return IB_POLL_DIRECT;
	if (!(attr->flags & KFI_CQ_PROCESS_CONTEXT))
		return IB_POLL_SOFTIRQ;
	return attr->flags & KFI_AFFINITY ? IB_POLL_WORKQUEUE :
					    IB_POLL_UNBOUND_WORKQUEUE;
}

int kfv_cq_open(struct kfid_domain *kfid_domain, struct kfi_cq_attr *attr,
		struct kfid_cq **pcq, kfi_comp_handler handler, void *context,
		const char *owner)
{
	struct kfv_domain *domain = to_kfv_domain(kfid_domain);
	struct kfv_cq *cq;
	int ret;

	if (!attr || !pcq)
		return -EINVAL;
	if (!kfv_domain_get(domain))
		return -ENODEV;
	ret = -ENOMEM;
	cq = kzalloc_obj(*cq);
	if (!cq)
		goto out;
	cq->domain = domain;
	cq->owner = owner;
	cq->vector = attr->flags & KFI_AFFINITY ? attr->signaling_vector : -1;
	cq->poll_ctx = kfv_poll_context(attr, handler);
	spin_lock_init(&cq->poll_lock);
	INIT_LIST_HEAD(&cq->queues);
	cq->pcq.strerror = kfv_cq_strerror;
	if (!handler)
		cq->pcq.poll = kfv_cq_poll;
	ret = kfi_prov_cq_init(&cq->pcq, kfid_domain, attr, handler, context,
			       &kfv_cq_fid_ops);
	if (ret) {
		kfree(cq);
		goto out;
	}
	kfi_cq_track_add(&cq->track, &cq->pcq.cq, &domain->scope, owner);
	*pcq = &cq->pcq.cq;
out:
	kfv_domain_put(domain);
	return ret;
}
