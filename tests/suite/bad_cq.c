// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Completion queues that fail. No device does so on demand, so this one stands
 * between a device and its users: queues whose user can be told of an error go
 * silent, and then it is told.
 */

#include <linux/export.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <rdma/ib_verbs.h>

#include "bad_cq.h"

#define BAD_CQS	64

/* protects @cqs: queues that were used, of which nobody knows whose they are */
static DEFINE_SPINLOCK(bad_lock);
static struct ib_cq *cqs[BAD_CQS];
static bool mute;

static struct ib_device *bad_device;
static int (*good_req_notify_cq)(struct ib_cq *cq,
				 enum ib_cq_notify_flags flags);
static int (*good_poll_cq)(struct ib_cq *cq, int num_entries,
			   struct ib_wc *wc);
static int (*good_destroy_cq)(struct ib_cq *cq, struct ib_udata *udata);

static void remember(struct ib_cq *cq)
{
	unsigned int i, free = 0;
	unsigned long irq;

	spin_lock_irqsave(&bad_lock, irq);
	for (i = 0; i < BAD_CQS && cqs[i] != cq; i++)
		if (!cqs[i])
			free = i;
	if (i == BAD_CQS)
		cqs[free] = cq;
	spin_unlock_irqrestore(&bad_lock, irq);
}

static void forget(struct ib_cq *cq)
{
	unsigned long irq;
	unsigned int i;

	spin_lock_irqsave(&bad_lock, irq);
	for (i = 0; i < BAD_CQS; i++)
		if (cqs[i] == cq)
			cqs[i] = NULL;
	spin_unlock_irqrestore(&bad_lock, irq);
}

static bool is_mute(const struct ib_cq *cq)
{
	return READ_ONCE(mute) && cq->event_handler;
}

/* Whoever is told that there is more looks again, for ever. */
static int bad_req_notify_cq(struct ib_cq *cq, enum ib_cq_notify_flags flags)
{
	int ret;

	remember(cq);
	ret = good_req_notify_cq(cq, flags);
	return is_mute(cq) ? 0 : ret;
}

static int bad_poll_cq(struct ib_cq *cq, int num_entries, struct ib_wc *wc)
{
	remember(cq);
	if (is_mute(cq))
		return 0;
	return good_poll_cq(cq, num_entries, wc);
}

static int bad_destroy_cq(struct ib_cq *cq, struct ib_udata *udata)
{
	forget(cq);
	return good_destroy_cq(cq, udata);
}

/**
 * kfi_bad_cq_mute() - queues have no completions any more
 */
void kfi_bad_cq_mute(void)
{
	WRITE_ONCE(mute, true);
}
EXPORT_SYMBOL_GPL(kfi_bad_cq_mute);

/**
 * kfi_bad_cq_fail() - tell the users of all queues, who do not close them yet
 */
void kfi_bad_cq_fail(void)
{
	struct ib_event event = {
		.device = bad_device, .event = IB_EVENT_CQ_ERR,
	};
	unsigned int i;

	for (i = 0; i < BAD_CQS; i++) {
		spin_lock_irq(&bad_lock);
		event.element.cq = cqs[i];
		if (cqs[i] && cqs[i]->event_handler)
			cqs[i]->event_handler(&event, cqs[i]->cq_context);
		spin_unlock_irq(&bad_lock);
	}
}
EXPORT_SYMBOL_GPL(kfi_bad_cq_fail);

/**
 * kfi_bad_cq_heal() - queues that are made from now on work
 */
void kfi_bad_cq_heal(void)
{
	WRITE_ONCE(mute, false);
}
EXPORT_SYMBOL_GPL(kfi_bad_cq_heal);

static int bad_add(struct ib_device *ib)
{
	if (bad_device)
		return -EBUSY;
	bad_device = ib;
	good_req_notify_cq = ib->ops.req_notify_cq;
	good_poll_cq = ib->ops.poll_cq;
	good_destroy_cq = ib->ops.destroy_cq;
	ib->ops.req_notify_cq = bad_req_notify_cq;
	ib->ops.poll_cq = bad_poll_cq;
	ib->ops.destroy_cq = bad_destroy_cq;
	return 0;
}

static void bad_remove(struct ib_device *ib, void *client_data)
{
	ib->ops.req_notify_cq = good_req_notify_cq;
	ib->ops.poll_cq = good_poll_cq;
	ib->ops.destroy_cq = good_destroy_cq;
	bad_device = NULL;
}

static struct ib_client bad_client = {
	.name	= "kfi_bad_cq",
	.add	= bad_add,
	.remove	= bad_remove,
};

static int __init bad_init(void)
{
	return ib_register_client(&bad_client);
}
module_init(bad_init);

static void __exit bad_exit(void)
{
	ib_unregister_client(&bad_client);
}
module_exit(bad_exit);

MODULE_DESCRIPTION("Kernel fabric interface: completion queues that fail, for tests");
MODULE_LICENSE("Dual BSD/GPL");
