// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Event queues.
 */

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <trace/events/kfi.h>

#include "core.h"

#define KFI_EQ_DEFAULT_SIZE	64
#define KFI_EQ_MAX_SIZE		65536

/**
 * struct kfi_eq - an event queue
 * @eq: what the consumer has
 * @fabric: its fabric
 * @strerror: the provider's text of a prov_errno
 * @handler: event handler, or NULL
 * @work: calls @handler
 * @wait: sleepers in kfi_eq_sread()
 * @lock: protects what follows
 * @events: unread events, oldest first
 * @free: events for connection requests
 * @pool: memory of all events for connection requests
 * @pool_size: how many
 * @armed: @handler is to be called at the next event
 */
struct kfi_eq {
	struct kfid_eq		eq;
	struct kfid_fabric	*fabric;
	const char		*(*strerror)(int prov_errno);
	kfi_event_handler	handler;
	struct work_struct	work;
	wait_queue_head_t	wait;

	/* protects all that follows; any context */
	spinlock_t		lock;
	struct list_head	events;
	struct list_head	free;
	struct kfi_eq_event	*pool;
	size_t			pool_size;
	bool			armed;
};

static struct workqueue_struct *kfi_eq_wq;

/* Of all queues; an operator sees that one is too small. */
static atomic_t kfi_eq_rejected;

static struct kfi_eq *to_kfi_eq(struct kfid_eq *eq)
{
	return container_of(eq, struct kfi_eq, eq);
}

static struct kfi_eq_event *first_event(struct kfi_eq *keq)
{
	return list_first_entry_or_null(&keq->events, struct kfi_eq_event,
					node);
}

static void consume_event(struct kfi_eq *keq, struct kfi_eq_event *ev)
{
	list_del_init(&ev->node);
	if (ev >= keq->pool && ev < keq->pool + keq->pool_size)
		list_add(&ev->node, &keq->free);
}

static ssize_t copy_event(struct kfi_eq_event *ev, u32 *event, void *buf,
			  size_t len)
{
	struct kfi_eq_cm_entry *entry = buf;
	size_t data_len;

	if (len < sizeof(*entry))
		return -KFI_ETOOSMALL;
	data_len = min_t(size_t, ev->data_len, len - sizeof(*entry));
	*event = ev->event;
	entry->fid = ev->fid;
	entry->info = ev->info;
	memcpy(entry->data, ev->data, data_len);
	return sizeof(*entry) + data_len;
}

static ssize_t eq_read(struct kfid_eq *eq, u32 *event, void *buf, size_t len,
		       u64 flags)
{
	struct kfi_eq *keq = to_kfi_eq(eq);
	struct kfi_eq_event *ev;
	unsigned long irq;
	ssize_t ret;

	if (!event || !buf || flags & ~KFI_PEEK)
		return -EINVAL;

	spin_lock_irqsave(&keq->lock, irq);
	ev = first_event(keq);
	if (!ev) {
		/* from now on the next event is news */
		keq->armed = true;
		ret = -EAGAIN;
	} else if (ev->err) {
		ret = -KFI_EAVAIL;
	} else {
		ret = copy_event(ev, event, buf, len);
		if (ret > 0 && !(flags & KFI_PEEK))
			consume_event(keq, ev);
	}
	spin_unlock_irqrestore(&keq->lock, irq);
	return ret;
}

static void copy_error(const struct kfi_eq_event *ev,
		       struct kfi_eq_err_entry *buf)
{
	size_t len = buf->err_data ? buf->err_data_size : 0;

	buf->fid = ev->fid;
	buf->context = ev->fid->context;
	buf->data = 0;
	buf->err = ev->err;
	buf->prov_errno = ev->prov_errno;
	buf->err_data_size = min_t(size_t, ev->data_len, len);
	memcpy(buf->err_data, ev->data, buf->err_data_size);
}

static ssize_t eq_readerr(struct kfid_eq *eq, struct kfi_eq_err_entry *buf,
			  u64 flags)
{
	struct kfi_eq *keq = to_kfi_eq(eq);
	struct kfi_eq_event *ev;
	unsigned long irq;
	ssize_t ret = -EAGAIN;

	if (!buf || flags & ~KFI_PEEK)
		return -EINVAL;

	spin_lock_irqsave(&keq->lock, irq);
	ev = first_event(keq);
	if (ev && ev->err) {
		copy_error(ev, buf);
		if (!(flags & KFI_PEEK))
			consume_event(keq, ev);
		ret = sizeof(*buf);
	}
	spin_unlock_irqrestore(&keq->lock, irq);
	return ret;
}

static bool has_event(struct kfi_eq *keq)
{
	unsigned long irq;
	bool has;

	spin_lock_irqsave(&keq->lock, irq);
	has = !list_empty(&keq->events);
	spin_unlock_irqrestore(&keq->lock, irq);
	return has;
}

static ssize_t eq_sread(struct kfid_eq *eq, u32 *event, void *buf, size_t len,
			int timeout, u64 flags)
{
	struct kfi_eq *keq = to_kfi_eq(eq);
	long left = timeout < 0 ? MAX_SCHEDULE_TIMEOUT :
				  msecs_to_jiffies(timeout);
	ssize_t ret;

	for (;;) {
		ret = eq_read(eq, event, buf, len, flags);
		if (ret != -EAGAIN || !left)
			return ret;
		left = wait_event_interruptible_timeout(keq->wait,
							has_event(keq), left);
		if (left < 0)
			return left;
	}
}

static const char *eq_strerror(struct kfid_eq *eq, int prov_errno,
			       const void *err_data, char *buf, size_t len)
{
	struct kfi_eq *keq = to_kfi_eq(eq);
	const char *text = keq->strerror(prov_errno);

	if (buf && len)
		strscpy(buf, text, len);
	return text;
}

static const struct kfi_ops_eq eq_ops = {
	.read		= eq_read,
	.readerr	= eq_readerr,
	.sread		= eq_sread,
	.strerror	= eq_strerror,
};

static void eq_work(struct work_struct *work)
{
	struct kfi_eq *keq = container_of(work, struct kfi_eq, work);

	keq->handler(&keq->eq, keq->eq.fid.context);
}

/*
 * Every object that can post is a user of the queue, so nothing posts any more
 * when the count allows to close.
 */
static int eq_close(struct kfid *fid)
{
	struct kfi_eq *keq = container_of(fid, struct kfi_eq, eq.fid);

	if (!kfi_obj_close(fid))
		return -EBUSY;
	cancel_work_sync(&keq->work);
	WARN_ON_ONCE(!list_empty(&keq->events));
	kfi_obj_put(&keq->fabric->fid);
	kvfree(keq->pool);
	kfree(keq);
	return 0;
}

static const struct kfi_ops eq_fid_ops = {
	.close	= eq_close,
};

static bool attr_valid(const struct kfi_eq_attr *attr)
{
	return attr->size <= KFI_EQ_MAX_SIZE && !attr->flags &&
	       attr->wait_obj != KFI_WAIT_SET &&
	       attr->wait_obj <= KFI_WAIT_QUEUE &&
	       !attr->signaling_vector && !attr->wait_set;
}

static int alloc_pool(struct kfi_eq *keq, size_t size)
{
	size_t i;

	keq->pool = kvzalloc_objs(*keq->pool, size);
	if (!keq->pool)
		return -ENOMEM;
	keq->pool_size = size;
	for (i = 0; i < size; i++)
		list_add_tail(&keq->pool[i].node, &keq->free);
	return 0;
}

/**
 * kfi_prov_eq_open() - open an event queue on a provider's behalf
 * @fabric: the fabric
 * @attr: see kfi_eq_open()
 * @strerror: text of the provider's prov_errno; never NULL
 * @eq: see kfi_eq_open()
 * @event_handler: see kfi_eq_open()
 * @context: see kfi_eq_open()
 *
 * Context: Process context, may sleep.
 * Return: see kfi_eq_open().
 */
int kfi_prov_eq_open(struct kfid_fabric *fabric, struct kfi_eq_attr *attr,
		     const char *(*strerror)(int prov_errno),
		     struct kfid_eq **eq, kfi_event_handler event_handler,
		     void *context)
{
	size_t size = attr && attr->size ? attr->size : KFI_EQ_DEFAULT_SIZE;
	struct kfi_eq *keq;
	int ret;

	if (!eq || !strerror || (attr && !attr_valid(attr)))
		return -EINVAL;
	keq = kzalloc_obj(*keq);
	if (!keq)
		return -ENOMEM;
	spin_lock_init(&keq->lock);
	init_waitqueue_head(&keq->wait);
	INIT_LIST_HEAD(&keq->events);
	INIT_LIST_HEAD(&keq->free);
	INIT_WORK(&keq->work, eq_work);
	ret = alloc_pool(keq, size);
	if (ret)
		goto err_free;
	ret = -EINVAL;
	if (!kfi_obj_get(&fabric->fid))
		goto err_pool;
	keq->fabric = fabric;
	keq->strerror = strerror;
	keq->handler = event_handler;
	keq->armed = true;
	keq->eq.ops = &eq_ops;
	kfi_obj_init(&keq->eq.fid, KFI_CLASS_EQ, &eq_fid_ops, context);
	*eq = &keq->eq;
	return 0;

err_pool:
	kvfree(keq->pool);
err_free:
	kfree(keq);
	return ret;
}
EXPORT_SYMBOL_GPL(kfi_prov_eq_open);

/**
 * kfi_eq_fabric() - the fabric of an event queue
 * @eq: the queue
 *
 * Context: Any context.
 * Return: the fabric.
 */
struct kfid_fabric *kfi_eq_fabric(struct kfid_eq *eq)
{
	return to_kfi_eq(eq)->fabric;
}
EXPORT_SYMBOL_GPL(kfi_eq_fabric);

/**
 * kfi_eq_event_init() - prepare an event that an object reserves
 * @ev: the event, cleared
 * @fid: the object
 *
 * Context: Any context.
 */
void kfi_eq_event_init(struct kfi_eq_event *ev, struct kfid *fid)
{
	INIT_LIST_HEAD(&ev->node);
	ev->fid = fid;
}
EXPORT_SYMBOL_GPL(kfi_eq_event_init);

/**
 * kfi_eq_post() - put an event at the end of a queue
 * @eq: the queue
 * @ev: the event, not to be changed until kfi_eq_flush(); posting it again while
 *	it is unread has no effect
 *
 * Context: Any context.
 */
void kfi_eq_post(struct kfid_eq *eq, struct kfi_eq_event *ev)
{
	struct kfi_eq *keq = to_kfi_eq(eq);
	unsigned long irq;

	spin_lock_irqsave(&keq->lock, irq);
	if (list_empty(&ev->node)) {
		trace_kfi_event(ev);
		list_add_tail(&ev->node, &keq->events);
		if (keq->armed && keq->handler)
			queue_work(kfi_eq_wq, &keq->work);
		keq->armed = false;
		/* under the lock: a reader may close the queue */
		wake_up_all(&keq->wait);
	}
	spin_unlock_irqrestore(&keq->lock, irq);
}
EXPORT_SYMBOL_GPL(kfi_eq_post);

/**
 * kfi_eq_get_connreq() - an event for a connection request
 * @eq: the queue
 *
 * Context: Any context.
 * Return: an event to fill in and post, or to give back with
 * kfi_eq_put_connreq(); NULL, which is counted in debugfs, when the queue is full:
 * reject the peer.
 */
struct kfi_eq_event *kfi_eq_get_connreq(struct kfid_eq *eq)
{
	struct kfi_eq *keq = to_kfi_eq(eq);
	struct kfi_eq_event *ev;
	unsigned long irq;

	spin_lock_irqsave(&keq->lock, irq);
	ev = list_first_entry_or_null(&keq->free, struct kfi_eq_event, node);
	if (ev)
		list_del_init(&ev->node);
	else
		atomic_inc(&kfi_eq_rejected);
	spin_unlock_irqrestore(&keq->lock, irq);
	if (!ev)
		return NULL;
	ev->event = KFI_CONNREQ;
	ev->info = NULL;
	ev->err = 0;
	ev->prov_errno = 0;
	ev->data_len = 0;
	return ev;
}
EXPORT_SYMBOL_GPL(kfi_eq_get_connreq);

/**
 * kfi_eq_put_connreq() - give back an event that was not posted
 * @eq: the queue
 * @ev: from kfi_eq_get_connreq()
 *
 * Context: Any context.
 */
void kfi_eq_put_connreq(struct kfid_eq *eq, struct kfi_eq_event *ev)
{
	struct kfi_eq *keq = to_kfi_eq(eq);
	unsigned long irq;

	spin_lock_irqsave(&keq->lock, irq);
	list_add(&ev->node, &keq->free);
	spin_unlock_irqrestore(&keq->lock, irq);
}
EXPORT_SYMBOL_GPL(kfi_eq_put_connreq);

/* The first unread event of @fid, out of the queue, and its info. */
static bool take_event(struct kfi_eq *keq, struct kfid *fid,
		       struct kfi_info **info)
{
	struct kfi_eq_event *ev;
	unsigned long irq;
	bool found = false;

	spin_lock_irqsave(&keq->lock, irq);
	list_for_each_entry(ev, &keq->events, node) {
		if (ev->fid != fid)
			continue;
		*info = ev->info;
		consume_event(keq, ev);
		found = true;
		break;
	}
	spin_unlock_irqrestore(&keq->lock, irq);
	return found;
}

/**
 * kfi_eq_flush() - forget an object's unread events
 * @eq: the queue
 * @fid: the object, which is being closed and posts no more
 *
 * Unread connection requests are rejected.
 *
 * Context: Process context, may sleep.
 */
void kfi_eq_flush(struct kfid_eq *eq, struct kfid *fid)
{
	struct kfi_eq *keq = to_kfi_eq(eq);
	struct kfi_info *info;

	might_sleep();
	while (take_event(keq, fid, &info))
		kfi_freeinfo(info);
}
EXPORT_SYMBOL_GPL(kfi_eq_flush);

int __init kfi_eq_init(void)
{
	kfi_eq_wq = alloc_workqueue("kfabric_eq", WQ_MEM_RECLAIM | WQ_UNBOUND,
				    0);
	if (!kfi_eq_wq)
		return -ENOMEM;
	debugfs_create_atomic_t("rejected_requests", 0444, kfi_debugfs_root,
				&kfi_eq_rejected);
	return 0;
}

void kfi_eq_exit(void)
{
	destroy_workqueue(kfi_eq_wq);
}
