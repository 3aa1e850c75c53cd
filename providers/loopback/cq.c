// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Completion queues: the core's, and the context that handlers are called in.
 */

#include <linux/bottom_half.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "loopback.h"

static int lo_cq_close(struct kfid *fid)
{
	struct lo_cq *cq = container_of(fid, struct lo_cq, pcq.cq.fid);

	if (!kfi_obj_close(fid))
		return -EBUSY;
	kfi_cq_track_del(&cq->track);
	kfi_prov_cq_destroy(&cq->pcq);
	kfree(cq);
	return 0;
}

static const struct kfi_ops lo_cq_fid_ops = {
	.owner	= THIS_MODULE,
	.close	= lo_cq_close,
};

/* Engines fill the ring of a polled queue too, so there is nothing to poll. */
int lo_cq_open(struct kfid_domain *domain, struct kfi_cq_attr *attr,
	       struct kfid_cq **cq, kfi_comp_handler handler, void *context,
	       const char *owner)
{
	struct lo_cq *lo;
	int ret;

	if (!attr || !cq)
		return -EINVAL;
	lo = kzalloc_obj(*lo);
	if (!lo)
		return -ENOMEM;
	lo->process = attr->flags & KFI_CQ_PROCESS_CONTEXT;
	lo->pcq.strerror = lo_strerror;
	ret = kfi_prov_cq_init(&lo->pcq, domain, attr, handler, context,
			       &lo_cq_fid_ops);
	if (ret) {
		kfree(lo);
		return ret;
	}
	kfi_cq_track_add(&lo->track, &lo->pcq.cq,
			 &container_of(domain, struct lo_domain, domain)->scope,
			 owner);
	*cq = &lo->pcq.cq;
	return 0;
}

/* The queue of a fid from a caller, NULL if it is none of ours. */
struct lo_cq *lo_cq_of(struct kfid *fid)
{
	if (fid->ops != &lo_cq_fid_ops)
		return NULL;
	return container_of(fid, struct lo_cq, pcq.cq.fid);
}

/*
 * Consumers are promised softirq unless they asked for process context. Called
 * with bottom halves off, a handler that sleeps is caught here and not only on
 * the first real device.
 */
void lo_complete(struct lo_cq *cq, struct kfi_cq_credit *credit,
		 const struct kfi_comp *comp)
{
	might_sleep();
	if (cq->process) {
		kfi_cq_complete(credit, comp);
		return;
	}
	local_bh_disable();
	kfi_cq_complete(credit, comp);
	local_bh_enable();
}
