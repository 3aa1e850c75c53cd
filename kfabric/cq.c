// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Completion queues: the ring of entries, and the handler that is told of them.
 */

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_prov.h>
#include <trace/events/kfi.h>

#include "core.h"

#define KFI_CQ_DEFAULT_SIZE	1024
#define KFI_CQ_MAX_SIZE		BIT(20)

/*
 * Of &kfi_prov_cq.state: whether the handler is to be called at the next entry, and
 * above that how many calls are due, with the one that runs: two at most.
 */
#define CQ_ARMED	1
#define CQ_CALL		2

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

static struct kfi_cq_slot *slot_at(const struct kfi_prov_cq *pcq,
				   unsigned long nr)
{
	return &pcq->ring[nr & pcq->mask];
}

static inline size_t format_entry(enum kfi_cq_format format,
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

/*
 * The ring has no lock. Entries are made and read in the order of their numbers:
 * who makes one takes the number from @tail, and says so in the slot when it is
 * whole; who reads one copies it and takes it by moving @head, or starts again if
 * somebody else has. Nothing of a slot is used that a writer may have overtaken,
 * and no writer comes to a slot before it was read: that is what credits are for.
 */

/* Finds the entry at the head, if there is one yet. */
static inline bool first_slot(struct kfi_prov_cq *pcq, unsigned long *head,
			      struct kfi_cq_slot **slot)
{
	for (;;) {
		*head = atomic_long_read(&pcq->head);
		*slot = slot_at(pcq, *head);
		/* pairs with publish_slot() */
		if (smp_load_acquire(&(*slot)->nr) == *head + 1)
			return true;
		if (atomic_long_read(&pcq->head) == *head)
			return false;
	}
}

/* Takes the entry at @head, unless somebody else has. */
static inline bool take_slot(struct kfi_prov_cq *pcq, unsigned long head,
			     struct kfi_cq_credit *credit)
{
	if (!atomic_long_try_cmpxchg(&pcq->head, &head, head + 1))
		return false;
	kfi_cq_return(credit);
	return true;
}

/* Returns the bytes of the entry, -EAGAIN, or -KFI_EAVAIL. */
static inline ssize_t read_entry(struct kfi_prov_cq *pcq, void *buf)
{
	struct kfi_cq_credit *credit;
	struct kfi_cq_slot *slot;
	unsigned long head;
	ssize_t len;

	for (;;) {
		if (!first_slot(pcq, &head, &slot))
			return -EAGAIN;
		if (unlikely(READ_ONCE(slot->comp.err))) {
			smp_rmb(); /* it is this entry's if it is still there */
			if (atomic_long_read(&pcq->head) == head)
				return -KFI_EAVAIL;
			continue;
		}
		len = format_entry(pcq->format, &slot->comp, buf);
		credit = slot->credit;
		if (likely(take_slot(pcq, head, credit)))
			return len;
	}
}

static inline ssize_t read_ring(struct kfi_prov_cq *pcq, void *buf, size_t count)
{
	size_t done = 0;
	ssize_t ret;

	do {
		ret = read_entry(pcq, buf);
		if (ret < 0)
			return done ? done : ret;
		buf += ret;
	} while (++done < count);
	return done;
}

/*
 * From now on the next entry is news. False when there is one already, of which
 * nobody may have been told. A queue without a handler is armed for good.
 */
static __always_inline bool arm_handler(struct kfi_prov_cq *pcq)
{
	struct kfi_cq_slot *slot;
	unsigned long head;

	if (atomic_read(&pcq->state) & CQ_ARMED)
		return true;
	atomic_or(CQ_ARMED, &pcq->state);
	smp_mb__after_atomic(); /* pairs with the one in publish_slot() */
	return !first_slot(pcq, &head, &slot);
}

static noinline ssize_t read_many(struct kfi_prov_cq *pcq, void *buf,
				  size_t count)
{
	struct kfi_cq_slot *slot;
	unsigned long head;
	ssize_t ret;

	if (!count || count > SSIZE_MAX)
		return -EINVAL;
	if (pcq->poll && !first_slot(pcq, &head, &slot))
		pcq->poll(pcq, min_t(size_t, count, pcq->mask + 1));
	do {
		ret = read_ring(pcq, buf, count);
	} while (ret == -EAGAIN && !arm_handler(pcq));
	return ret;
}

/* Handlers read one at a time, mostly, for which no loop is to be set up. */
static ssize_t cq_read(struct kfid_cq *cq, void *buf, size_t count)
{
	struct kfi_prov_cq *pcq = to_prov_cq(cq);
	ssize_t ret;

	if (!buf)
		return -EINVAL;
	if (count != 1 || pcq->poll)
		return read_many(pcq, buf, count);
	do {
		ret = read_entry(pcq, buf);
	} while (ret == -EAGAIN && !arm_handler(pcq));
	return ret < 0 ? ret : 1;
}

static ssize_t cq_readerr(struct kfid_cq *cq, struct kfi_cq_err_entry *buf,
			  u64 flags)
{
	struct kfi_prov_cq *pcq = to_prov_cq(cq);
	struct kfi_cq_credit *credit;
	struct kfi_cq_slot *slot;
	struct kfi_comp comp;
	unsigned long head;

	if (!buf || flags)
		return -EINVAL;

	do {
		if (!first_slot(pcq, &head, &slot))
			return -EAGAIN;
		comp = slot->comp;
		credit = slot->credit;
		smp_rmb(); /* it is this entry's if it is still there */
		if (!comp.err && atomic_long_read(&pcq->head) == head)
			return -EAGAIN;
	} while (!comp.err || !take_slot(pcq, head, credit));

	*buf = (struct kfi_cq_err_entry) {
		.op_context = comp.op_context,
		.flags = comp.flags,
		.olen = comp.olen,
		.err = comp.err,
		.prov_errno = comp.prov_errno,
	};
	return 1;
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

	pcq->mask = roundup_pow_of_two(attr->size) - 1;
	pcq->ring = kvzalloc_objs(*pcq->ring, pcq->mask + 1);
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
	atomic_set(&pcq->state, CQ_ARMED);
	spin_lock_init(&pcq->lock);
	INIT_LIST_HEAD(&pcq->credits);
	pcq->cq.ops = &cq_ops;
	kfi_obj_init(&pcq->cq.fid, KFI_CLASS_CQ, ops, context);
	kfi_stat_cq_open(pcq);
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

/**
 * kfi_prov_cq_destroy() - undo kfi_prov_cq_init()
 * @pcq: the queue, after kfi_obj_close(), so that no endpoint is bound; unread
 *	entries are forgotten
 *
 * Context: Process context, may sleep.
 */
void kfi_prov_cq_destroy(struct kfi_prov_cq *pcq)
{
	struct kfi_cq_credit *credit, *next;

	might_sleep();
	kfi_stat_cq_close(pcq);
	WARN_ON_ONCE(atomic_read(&pcq->state) >= CQ_CALL);
	list_for_each_entry_safe(credit, next, &pcq->credits, node) {
		WARN_ON_ONCE(!(atomic64_read(&credit->returned) &
			       KFI_CREDIT_DEAD));
		kfree(credit);
	}
	kvfree(pcq->ring);
	kfi_obj_put(&pcq->domain->fid);
}
EXPORT_SYMBOL_GPL(kfi_prov_cq_destroy);

static void call_handler(struct kfi_prov_cq *pcq)
{
	if (pcq->process)
		lock_map_acquire(&handler_map);
	pcq->handler(&pcq->cq, pcq->cq.fid.context);
	if (pcq->process)
		lock_map_release(&handler_map);
}

/*
 * There is news, and the handler was armed. One call of it at a time: who finds it
 * running leaves the call to whoever runs it.
 */
static noinline void run_handler(struct kfi_prov_cq *pcq, int old)
{
	while (!atomic_try_cmpxchg(&pcq->state, &old,
				   min(old - CQ_ARMED + CQ_CALL, 2 * CQ_CALL)))
		if (!(old & CQ_ARMED))
			return;
	if (old >= CQ_CALL)
		return;

	do {
		call_handler(pcq);
	} while (atomic_sub_return(CQ_CALL, &pcq->state) >= CQ_CALL);
}

/* A number that was taken keeps readers from all that follow: be quick. */
static struct kfi_cq_slot *claim_slot(struct kfi_prov_cq *pcq,
				      unsigned long *nr)
{
	preempt_disable();
	*nr = atomic_long_inc_return(&pcq->tail);
	return slot_at(pcq, *nr - 1);
}

static inline void publish_slot(struct kfi_prov_cq *pcq,
				struct kfi_cq_slot *slot, unsigned long nr)
{
	int state;

	/* pairs with first_slot() */
	smp_store_release(&slot->nr, nr);
	preempt_enable();
	if (!pcq->handler)
		return;
	smp_mb(); /* pairs with arm_handler(): it sees the entry, or this is told */
	state = atomic_read(&pcq->state);
	if (state & CQ_ARMED)
		run_handler(pcq, state);
}

static noinline void trace_complete(const struct kfi_cq_credit *credit,
				    const struct kfi_comp *comp)
{
	trace_kfi_complete(credit, comp);
}

/* Before anybody can read the entry: the credit may be gone then. */
static noinline void count_error(struct kfi_cq_credit *credit, int err)
{
	enum kfi_stat_error error = kfi_stat_error_of(err);

	atomic64_inc(&credit->error[error]);
	atomic64_inc(&credit->cq->error[error]);
}

/**
 * kfi_cq_complete() - put a completion into the queue
 * @credit: the credit of the operation's endpoint and direction
 * @comp: the completion
 *
 * Calls the completion handler when it is armed, so the caller's context must be
 * what the consumer was promised: softirq, or process context. kfi_cq_release() of
 * the credit has to wait until this has returned.
 *
 * Context: Any context but hard interrupt; no lock held that a post takes.
 */
void kfi_cq_complete(struct kfi_cq_credit *credit, const struct kfi_comp *comp)
{
	struct kfi_prov_cq *pcq = credit->cq;
	struct kfi_cq_slot *slot;
	unsigned long nr;

	if (unlikely(comp->err))
		count_error(credit, comp->err);
	if (trace_kfi_complete_enabled())
		trace_complete(credit, comp);
	slot = claim_slot(pcq, &nr);
	slot->credit = credit;
	slot->comp = *comp;
	publish_slot(pcq, slot, nr);
}
EXPORT_SYMBOL_GPL(kfi_cq_complete);

/* Apart, so that while nobody traces it costs a no-op and not a register. */
static noinline void complete_op_traced(struct kfi_cq_credit *credit,
					void *op_context, u64 flags)
{
	const struct kfi_comp comp = {
		.op_context = op_context, .flags = flags,
	};

	kfi_cq_complete(credit, &comp);
}

/**
 * kfi_cq_complete_op() - kfi_cq_complete() of an operation that has succeeded and
 *	brings neither length nor data
 * @credit: the credit of the operation's endpoint and direction
 * @op_context: context of the operation
 * @flags: see &struct kfi_cq_msg_entry
 *
 * Context: As kfi_cq_complete().
 */
void kfi_cq_complete_op(struct kfi_cq_credit *credit, void *op_context,
			u64 flags)
{
	struct kfi_prov_cq *pcq = credit->cq;
	struct kfi_cq_slot *slot;
	unsigned long nr;

	if (trace_kfi_complete_enabled()) {
		complete_op_traced(credit, op_context, flags);
		return;
	}
	slot = claim_slot(pcq, &nr);
	slot->credit = credit;
	slot->comp.op_context = op_context;
	slot->comp.flags = flags;
	slot->comp.len = 0;
	slot->comp.data = 0;
	slot->comp.err = 0;
	publish_slot(pcq, slot, nr);
}
EXPORT_SYMBOL_GPL(kfi_cq_complete_op);
