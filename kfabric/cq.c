// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Completion queues: the ring of entries, and the credits that keep it from being
 * overrun.
 */

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_prov.h>

#define KFI_CQ_DEFAULT_SIZE	1024
#define KFI_CQ_MAX_SIZE		BIT(20)

/* Entries read under one hold of the lock, which completions wait for. */
#define KFI_CQ_READ_BATCH	64

#ifdef CONFIG_LOCKDEP
/*
 * Held, for lockdep, by a handler that runs in process context, and by whoever
 * waits for handlers. One for all queues: two handlers that each wait for the
 * other's queue are as bad as one that waits for its own.
 */
static struct lockdep_map handler_map =
	STATIC_LOCKDEP_MAP_INIT("kfi_comp_handler", &handler_map);
#endif

static struct kfi_prov_cq *to_prov_cq(struct kfid_cq *cq)
{
	return container_of(cq, struct kfi_prov_cq, cq);
}

static size_t format_entry(enum kfi_cq_format format,
			   const struct kfi_comp *comp, void *buf)
{
	struct kfi_cq_data_entry *entry = buf;

	/* The formats are prefixes of one another. */
	entry->op_context = comp->op_context;
	if (format == KFI_CQ_FORMAT_CONTEXT)
		return sizeof(struct kfi_cq_entry);
	entry->flags = comp->flags;
	entry->len = comp->len;
	if (format == KFI_CQ_FORMAT_MSG)
		return sizeof(struct kfi_cq_msg_entry);
	entry->buf = NULL;
	entry->data = comp->data;
	return sizeof(struct kfi_cq_data_entry);
}

static void return_slot(struct kfi_cq_credit *credit)
{
	lockdep_assert_held(&credit->cq->lock);
	WRITE_ONCE(credit->returned, credit->returned + 1);
	if (credit->want) {
		credit->want = false;
		queue_work(credit->wq, credit->work);
	}
}

/* The entry at the head has been read. */
static void consume_entry(struct kfi_prov_cq *pcq)
{
	struct kfi_cq_credit *credit =
		pcq->ring[pcq->head & (pcq->size - 1)].credit;

	pcq->head++;
	credit->unread--;
	if (!credit->dead) {
		return_slot(credit);
		return;
	}
	pcq->reserved--;
	if (!credit->unread) {
		list_del(&credit->node);
		kfree(credit);
	}
}

/* An empty ring arms the handler: from now on the next entry is news. */
static ssize_t read_ring(struct kfi_prov_cq *pcq, void *buf, ssize_t count)
{
	const struct kfi_comp *comp;
	unsigned long irq;
	ssize_t done = 0;

	spin_lock_irqsave(&pcq->lock, irq);
	if (pcq->head == pcq->tail) {
		pcq->armed = true;
		done = -EAGAIN;
	}
	while (done < min(count, KFI_CQ_READ_BATCH) && pcq->head != pcq->tail) {
		comp = &pcq->ring[pcq->head & (pcq->size - 1)];
		if (comp->err) {
			done = done ? done : -KFI_EAVAIL;
			break;
		}
		buf += format_entry(pcq->format, comp, buf);
		consume_entry(pcq);
		done++;
	}
	spin_unlock_irqrestore(&pcq->lock, irq);
	return done;
}

static ssize_t cq_read(struct kfid_cq *cq, void *buf, size_t count)
{
	struct kfi_prov_cq *pcq = to_prov_cq(cq);
	ssize_t ret;

	if (!buf || !count || count > SSIZE_MAX)
		return -EINVAL;
	ret = read_ring(pcq, buf, count);
	if (ret == -EAGAIN && pcq->poll) {
		pcq->poll(pcq, min_t(size_t, count, pcq->size));
		ret = read_ring(pcq, buf, count);
	}
	return ret;
}

static ssize_t cq_readerr(struct kfid_cq *cq, struct kfi_cq_err_entry *buf,
			  u64 flags)
{
	struct kfi_prov_cq *pcq = to_prov_cq(cq);
	const struct kfi_comp *comp;
	unsigned long irq;
	ssize_t ret = -EAGAIN;

	if (!buf || flags)
		return -EINVAL;

	spin_lock_irqsave(&pcq->lock, irq);
	comp = &pcq->ring[pcq->head & (pcq->size - 1)];
	if (pcq->head != pcq->tail && comp->err) {
		*buf = (struct kfi_cq_err_entry) {
			.op_context = comp->op_context,
			.flags = comp->flags,
			.olen = comp->olen,
			.err = comp->err,
			.prov_errno = comp->prov_errno,
		};
		consume_entry(pcq);
		ret = 1;
	}
	spin_unlock_irqrestore(&pcq->lock, irq);
	return ret;
}

static const char *cq_strerror(struct kfid_cq *cq, int prov_errno,
			       const void *err_data, char *buf, size_t len)
{
	const char *text = to_prov_cq(cq)->strerror(prov_errno);

	if (buf && len)
		strscpy(buf, text, len);
	return text;
}

static const struct kfi_ops_cq cq_ops = {
	.read		= cq_read,
	.readerr	= cq_readerr,
	.strerror	= cq_strerror,
};

static int check_attr(const struct kfi_cq_attr *attr,
		      const struct kfid_domain *domain, bool handler)
{
	if (attr->size > KFI_CQ_MAX_SIZE ||
	    attr->flags & ~(KFI_AFFINITY | KFI_CQ_PROCESS_CONTEXT) ||
	    attr->wait_obj > KFI_WAIT_UNSPEC ||
	    attr->wait_cond != KFI_CQ_COND_NONE || attr->wait_set)
		return -EINVAL;
	if (attr->flags & KFI_CQ_PROCESS_CONTEXT && !handler)
		return -EINVAL;
	if (attr->flags & KFI_AFFINITY &&
	    (attr->signaling_vector < 0 ||
	     attr->signaling_vector >= domain->num_vectors))
		return -EINVAL;
	if (attr->format == KFI_CQ_FORMAT_TAGGED)
		return -EOPNOTSUPP;
	return attr->format > KFI_CQ_FORMAT_TAGGED ? -EINVAL : 0;
}

/**
 * kfi_prov_cq_init() - make the common part of a completion queue
 * @pcq: the queue, cleared; poll and strerror are set, strerror not to NULL
 * @domain: its domain, which it becomes a child of
 * @attr: see kfi_cq_open(); size and format are filled in
 * @handler: see kfi_cq_open()
 * @context: see kfi_cq_open()
 * @ops: operations of its fid
 *
 * Context: Process context, may sleep.
 * Return: 0, -EINVAL, -EOPNOTSUPP, -ENOMEM.
 */
int kfi_prov_cq_init(struct kfi_prov_cq *pcq, struct kfid_domain *domain,
		     struct kfi_cq_attr *attr, kfi_comp_handler handler,
		     void *context, const struct kfi_ops *ops)
{
	int ret;

	if (!attr || !pcq->strerror)
		return -EINVAL;
	ret = check_attr(attr, domain, handler);
	if (ret)
		return ret;
	if (!attr->size)
		attr->size = KFI_CQ_DEFAULT_SIZE;
	if (!attr->format)
		attr->format = KFI_CQ_FORMAT_DATA;

	pcq->size = roundup_pow_of_two(attr->size);
	pcq->ring = kvzalloc_objs(*pcq->ring, pcq->size);
	if (!pcq->ring)
		return -ENOMEM;
	if (!kfi_obj_get(&domain->fid)) {
		kvfree(pcq->ring);
		return -EINVAL;
	}
	pcq->domain = domain;
	pcq->limit = attr->size;
	pcq->format = attr->format;
	pcq->handler = handler;
	pcq->process = attr->flags & KFI_CQ_PROCESS_CONTEXT;
	pcq->armed = true;
	spin_lock_init(&pcq->lock);
	INIT_LIST_HEAD(&pcq->credits);
	pcq->cq.ops = &cq_ops;
	kfi_obj_init(&pcq->cq.fid, KFI_CLASS_CQ, ops, context);
	return 0;
}
EXPORT_SYMBOL_GPL(kfi_prov_cq_init);

/**
 * kfi_cq_might_wait() - tell lockdep of a wait for completion handlers
 *
 * To be called before waiting for completions, which may be behind a handler: by
 * each call that drains an endpoint. A handler in process context that gets here,
 * itself or by a lock, is then reported even if it does not hang; one in softirq is
 * found by might_sleep().
 *
 * Context: Process context.
 */
void kfi_cq_might_wait(void)
{
	might_sleep();
	lock_map_acquire(&handler_map);
	lock_map_release(&handler_map);
}
EXPORT_SYMBOL_GPL(kfi_cq_might_wait);

static void wait_for_handler(struct kfi_prov_cq *pcq)
{
	DECLARE_COMPLETION_ONSTACK(idle);

	kfi_cq_might_wait();
	spin_lock_irq(&pcq->lock);
	if (pcq->handling)
		pcq->idle = &idle;
	spin_unlock_irq(&pcq->lock);
	if (!pcq->idle)
		return;
	wait_for_completion(&idle);
	/* who completed it is past its unlock */
	spin_lock_irq(&pcq->lock);
	spin_unlock_irq(&pcq->lock);
}

/**
 * kfi_prov_cq_destroy() - undo kfi_prov_cq_init()
 * @pcq: the queue, after kfi_obj_close(), so that no endpoint is bound; unread
 *	entries are forgotten. Waits for a handler that is running
 *
 * Context: Process context, may sleep.
 */
void kfi_prov_cq_destroy(struct kfi_prov_cq *pcq)
{
	struct kfi_cq_credit *credit, *next;

	might_sleep();
	wait_for_handler(pcq);
	list_for_each_entry_safe(credit, next, &pcq->credits, node) {
		WARN_ON_ONCE(!credit->dead);
		kfree(credit);
	}
	kvfree(pcq->ring);
	kfi_obj_put(&pcq->domain->fid);
}
EXPORT_SYMBOL_GPL(kfi_prov_cq_destroy);

/**
 * kfi_cq_reserve() - reserve entries for one direction of an endpoint
 * @pcq: the queue
 * @limit: operations that can be outstanding or unread
 * @wq: workqueue of @work
 * @work: queued when there is a slot again, see kfi_cq_want()
 *
 * Context: Process context, may sleep.
 * Return: the credit, for kfi_cq_release(); ERR_PTR(-ENOSPC) when the queue is
 * too small, ERR_PTR(-ENOMEM).
 */
struct kfi_cq_credit *kfi_cq_reserve(struct kfi_prov_cq *pcq,
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
	bool unread;

	spin_lock_irq(&pcq->lock);
	unread = credit->unread;
	pcq->reserved -= credit->limit - credit->unread;
	credit->dead = true;
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
	bool room;

	spin_lock_irqsave(&credit->cq->lock, irq);
	room = credit->taken - credit->returned < credit->limit;
	credit->want = !room;
	spin_unlock_irqrestore(&credit->cq->lock, irq);
	return room;
}
EXPORT_SYMBOL_GPL(kfi_cq_want);

/*
 * One call of the handler at a time: who finds it running leaves the call to
 * whoever runs it.
 */
static void run_handler(struct kfi_prov_cq *pcq)
{
	unsigned long irq;
	bool again;

	do {
		if (pcq->process)
			lock_map_acquire(&handler_map);
		pcq->handler(&pcq->cq, pcq->cq.fid.context);
		if (pcq->process)
			lock_map_release(&handler_map);
		spin_lock_irqsave(&pcq->lock, irq);
		again = pcq->again;
		pcq->again = false;
		pcq->handling = again;
		if (!again && pcq->idle)
			complete(pcq->idle);
		spin_unlock_irqrestore(&pcq->lock, irq);
	} while (again);
}

/* The handler is due: whether the caller is to run it. */
static bool claim_handler(struct kfi_prov_cq *pcq)
{
	lockdep_assert_held(&pcq->lock);
	pcq->armed = false;
	if (pcq->handling) {
		pcq->again = true;
		return false;
	}
	pcq->handling = true;
	return true;
}

/**
 * kfi_cq_complete() - put a completion into the queue
 * @credit: the credit of the operation's endpoint and direction
 * @comp: the completion
 *
 * Calls the completion handler when it is armed, so the caller's context must be
 * what the consumer was promised: softirq, or process context. kfi_cq_release() of
 * the credit has to wait until this has put the entry into the queue, but not for
 * the handler.
 *
 * Context: Any context but hard interrupt; no lock held that a post takes.
 */
void kfi_cq_complete(struct kfi_cq_credit *credit, const struct kfi_comp *comp)
{
	struct kfi_prov_cq *pcq = credit->cq;
	struct kfi_comp *entry;
	unsigned long irq;
	bool run = false;

	spin_lock_irqsave(&pcq->lock, irq);
	WARN_ON_ONCE(pcq->tail - pcq->head >= pcq->size);
	entry = &pcq->ring[pcq->tail++ & (pcq->size - 1)];
	*entry = *comp;
	entry->credit = credit;
	credit->unread++;
	if (pcq->armed && pcq->handler)
		run = claim_handler(pcq);
	spin_unlock_irqrestore(&pcq->lock, irq);
	if (run)
		run_handler(pcq);
}
EXPORT_SYMBOL_GPL(kfi_cq_complete);

/**
 * kfi_cq_complete_silent() - an operation without an entry is complete
 * @credit: the credit of the operation's endpoint and direction
 *
 * Context: Any context.
 */
void kfi_cq_complete_silent(struct kfi_cq_credit *credit)
{
	unsigned long irq;

	spin_lock_irqsave(&credit->cq->lock, irq);
	return_slot(credit);
	spin_unlock_irqrestore(&credit->cq->lock, irq);
}
EXPORT_SYMBOL_GPL(kfi_cq_complete_silent);
