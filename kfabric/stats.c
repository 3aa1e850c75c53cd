// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Statistics: where the numbers of endpoints, queues and providers come together.
 */

#include <linux/array_size.h>
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include <kfi_errno.h>
#include <kfi_prov.h>
#include <trace/events/kfi.h>

#include "core.h"
#include "track.h"

/*
 * Protects the lists, and the numbers of closed endpoints. An endpoint that is in a
 * list has its numbers; the locks of endpoints that they need are inside.
 */
static DEFINE_MUTEX(stats_lock);
static LIST_HEAD(queues);

static const char *const op_names[] = {
	[KFI_STAT_SEND]		= "send",
	[KFI_STAT_READ]		= "read",
	[KFI_STAT_WRITE]	= "write",
	[KFI_STAT_ATOMIC]	= "atomic",
	[KFI_STAT_COMMIT]	= "commit",
	[KFI_STAT_RECV]		= "recv",
	[KFI_STAT_DATA]		= "data",
};

static const char *const full_names[] = {
	[KFI_STAT_TX_FULL]	= "tx_full",
	[KFI_STAT_SLOTS_FULL]	= "slots_full",
	[KFI_STAT_RX_FULL]	= "rx_full",
};

static const char *const error_names[] = {
	[KFI_STAT_CANCELED]	= "canceled",
	[KFI_STAT_ACCESS]	= "access",
	[KFI_STAT_REMOTE]	= "remote",
	[KFI_STAT_IO]		= "io",
	[KFI_STAT_TIMEDOUT]	= "timedout",
	[KFI_STAT_NOBUFS]	= "nobufs",
	[KFI_STAT_TRUNC]	= "trunc",
	[KFI_STAT_OTHER]	= "other",
};

static const char *const conn_names[] = {
	[KFI_STAT_CONN_MADE]		= "made",
	[KFI_STAT_CONN_ACCEPTED]	= "accepted",
	[KFI_STAT_CONN_REFUSED]		= "refused",
	[KFI_STAT_CONN_TIMEDOUT]	= "timedout",
	[KFI_STAT_CONN_FAILED]		= "failed",
	[KFI_STAT_CONN_REJECTED]	= "rejected",
	[KFI_STAT_CONN_SHUTDOWN]	= "shutdown",
	[KFI_STAT_CONN_BROKEN]		= "broken",
};

/**
 * kfi_stat_op_name() - name of a kind of operation
 * @op: the kind, less than KFI_STAT_OPS
 *
 * Context: Any context.
 * Return: one word.
 */
const char *kfi_stat_op_name(enum kfi_stat_op op)
{
	return op_names[op];
}
EXPORT_SYMBOL_GPL(kfi_stat_op_name);

/**
 * kfi_stat_full_name() - name of a reason for -EAGAIN
 * @full: the reason, less than KFI_STAT_FULLS
 *
 * Context: Any context.
 * Return: one word.
 */
const char *kfi_stat_full_name(enum kfi_stat_full full)
{
	return full_names[full];
}
EXPORT_SYMBOL_GPL(kfi_stat_full_name);

/**
 * kfi_stat_error_name() - name of a kind of error
 * @error: the kind, less than KFI_STAT_ERRORS
 *
 * Context: Any context.
 * Return: one word.
 */
const char *kfi_stat_error_name(enum kfi_stat_error error)
{
	return error_names[error];
}
EXPORT_SYMBOL_GPL(kfi_stat_error_name);

/**
 * kfi_stat_conn_name() - name of what became of a connection
 * @conn: what, less than KFI_STAT_CONNS
 *
 * Context: Any context.
 * Return: one word.
 */
const char *kfi_stat_conn_name(enum kfi_stat_conn conn)
{
	return conn_names[conn];
}
EXPORT_SYMBOL_GPL(kfi_stat_conn_name);

/**
 * kfi_stat_error_of() - the kind of an error
 * @err: positive errno of a completion
 *
 * Context: Any context.
 * Return: the kind.
 */
enum kfi_stat_error kfi_stat_error_of(int err)
{
	switch (err) {
	case ECANCELED:
		return KFI_STAT_CANCELED;
	case EACCES:
		return KFI_STAT_ACCESS;
	case EREMOTEIO:
		return KFI_STAT_REMOTE;
	case EIO:
		return KFI_STAT_IO;
	case ETIMEDOUT:
		return KFI_STAT_TIMEDOUT;
	case ENOBUFS:
		return KFI_STAT_NOBUFS;
	case KFI_ETRUNC:
		return KFI_STAT_TRUNC;
	default:
		return KFI_STAT_OTHER;
	}
}
EXPORT_SYMBOL_GPL(kfi_stat_error_of);

/**
 * kfi_stat_times() - how many times were counted
 * @hist: where
 *
 * Context: Any context.
 * Return: the number.
 */
u64 kfi_stat_times(const struct kfi_stat_hist *hist)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < KFI_STAT_BUCKETS; i++)
		sum += hist->count[i];
	return sum;
}
EXPORT_SYMBOL_GPL(kfi_stat_times);

/**
 * kfi_stat_add_hist() - add up times
 * @to: where
 * @from: what is added
 *
 * Context: Any context, under the lock that protects @from.
 */
void kfi_stat_add_hist(struct kfi_stat_hist *to, const struct kfi_stat_hist *from)
{
	unsigned int i;

	to->sum += from->sum;
	for (i = 0; i < KFI_STAT_BUCKETS; i++)
		to->count[i] += from->count[i];
}
EXPORT_SYMBOL_GPL(kfi_stat_add_hist);

/**
 * kfi_stat_add_posts() - add up what was posted
 * @stats: where
 * @posts: by &enum kfi_stat_op, up to KFI_STAT_POSTS
 *
 * Context: Any context, under the lock that protects @posts.
 */
void kfi_stat_add_posts(struct kfi_ep_stats *stats,
			const struct kfi_stat_count *posts)
{
	unsigned int i;

	for (i = 0; i < KFI_STAT_POSTS; i++) {
		stats->op[i].ops += posts[i].ops;
		stats->op[i].bytes += posts[i].bytes;
	}
}
EXPORT_SYMBOL_GPL(kfi_stat_add_posts);

/**
 * kfi_stat_add_errors() - add up errors of one direction
 * @stats: where
 * @credit: the endpoint's credit in that direction, or NULL
 *
 * Context: Any context.
 */
void kfi_stat_add_errors(struct kfi_ep_stats *stats,
			 const struct kfi_cq_credit *credit)
{
	unsigned int i;

	for (i = 0; credit && i < KFI_STAT_ERRORS; i++)
		stats->error[i] += atomic64_read(&credit->error[i]);
}
EXPORT_SYMBOL_GPL(kfi_stat_add_errors);

/**
 * kfi_ep_read_stats() - what was counted of an endpoint
 * @ep: the endpoint, which must not be closed meanwhile
 * @stats: where it is returned
 *
 * Context: Any context but hard interrupt.
 * Return: 0, -EOPNOTSUPP when its provider does not count.
 */
int kfi_ep_read_stats(struct kfid_ep *ep, struct kfi_ep_stats *stats)
{
	if (!ep->ops->add_stats)
		return -EOPNOTSUPP;
	memset(stats, 0, sizeof(*stats));
	ep->ops->add_stats(ep, stats);
	return 0;
}
EXPORT_SYMBOL_GPL(kfi_ep_read_stats);

/**
 * kfi_cq_read_stats() - what was counted of a completion queue
 * @cq: the queue, which must not be closed meanwhile
 * @stats: where it is returned
 *
 * Context: Any context.
 */
void kfi_cq_read_stats(struct kfid_cq *cq, struct kfi_cq_stats *stats)
{
	struct kfi_prov_cq *pcq = container_of(cq, struct kfi_prov_cq, cq);
	unsigned int i;

	stats->size = pcq->limit;
	stats->reserved = READ_ONCE(pcq->reserved);
	/* in this order: nothing is read before it is made */
	stats->read = (unsigned long)atomic_long_read(&pcq->head);
	smp_rmb(); /* pairs with the atomics in take_slot() and claim_slot() */
	stats->made = (unsigned long)atomic_long_read(&pcq->tail);
	for (i = 0; i < KFI_STAT_ERRORS; i++)
		stats->error[i] = atomic64_read(&pcq->error[i]);
}
EXPORT_SYMBOL_GPL(kfi_cq_read_stats);

/**
 * kfi_stat_ep_open() - an endpoint is opened
 * @stat: its place among its provider's endpoints
 * @ep: the endpoint, with &kfi_ops_ep.add_stats
 * @provider: its provider
 *
 * Context: Process context, may sleep.
 */
void kfi_stat_ep_open(struct kfi_stat_ep *stat, struct kfid_ep *ep,
		      struct kfi_provider *provider)
{
	stat->ep = ep;
	stat->provider = provider;
	guard(mutex)(&stats_lock);
	provider->stats.opened++;
	list_add_tail(&stat->node, &provider->eps);
}
EXPORT_SYMBOL_GPL(kfi_stat_ep_open);

/**
 * kfi_stat_ep_close() - an endpoint is being closed
 * @stat: see kfi_stat_ep_open()
 *
 * To be called when nothing is counted any more, and while the endpoint still has its
 * numbers: before kfi_cq_release().
 *
 * Context: Process context, may sleep; no lock held that a provider's open takes.
 */
void kfi_stat_ep_close(struct kfi_stat_ep *stat)
{
	guard(mutex)(&stats_lock);
	list_del(&stat->node);
	stat->ep->ops->add_stats(stat->ep, &stat->provider->stats.total);
}
EXPORT_SYMBOL_GPL(kfi_stat_ep_close);

/* What became of a connection. Any context. */
void kfi_stat_count_conn(struct kfi_provider *provider, enum kfi_stat_conn conn)
{
	atomic64_inc(&provider->conn[conn]);
}

/**
 * kfi_prov_rejected() - a peer's request to connect is rejected
 * @provider: whose it is
 * @id: number of the passive endpoint that it came in by; of the endpoint that took it,
 *	if that is closed and has not accepted
 * @peer: address of the peer
 *
 * By whomever, and for whatever reason: it is counted, and can be seen. Of what else
 * becomes of connections kfi_ep_connected() and kfi_ep_disconnected() tell.
 *
 * Context: Any context.
 */
void kfi_prov_rejected(struct kfi_provider *provider, u64 id,
		       const struct sockaddr_storage *peer)
{
	trace_kfi_reject(id, peer);
	kfi_stat_count_conn(provider, KFI_STAT_CONN_REJECTED);
}
EXPORT_SYMBOL_GPL(kfi_prov_rejected);

/**
 * kfi_prov_read_stats() - what was counted of a provider
 * @provider: the provider, whose module must not be removed meanwhile
 * @stats: where it is returned
 *
 * Context: Process context, may sleep.
 */
void kfi_prov_read_stats(struct kfi_provider *provider,
			 struct kfi_prov_stats *stats)
{
	struct kfi_stat_ep *stat;
	unsigned int i;

	guard(mutex)(&stats_lock);
	*stats = provider->stats;
	for (i = 0; i < KFI_STAT_CONNS; i++)
		stats->conn[i] = atomic64_read(&provider->conn[i]);
	list_for_each_entry(stat, &provider->eps, node) {
		stats->open++;
		stat->ep->ops->add_stats(stat->ep, &stats->total);
	}
}
EXPORT_SYMBOL_GPL(kfi_prov_read_stats);

void kfi_stat_each_ep(struct kfi_provider *provider,
		      void (*fn)(struct kfid_ep *ep, void *arg), void *arg)
{
	struct kfi_stat_ep *stat;

	guard(mutex)(&stats_lock);
	list_for_each_entry(stat, &provider->eps, node)
		fn(stat->ep, arg);
}

void kfi_stat_cq_open(struct kfi_prov_cq *pcq)
{
	guard(mutex)(&stats_lock);
	list_add_tail(&pcq->node, &queues);
}

void kfi_stat_cq_close(struct kfi_prov_cq *pcq)
{
	guard(mutex)(&stats_lock);
	list_del(&pcq->node);
}

void kfi_stat_each_cq(void (*fn)(struct kfi_prov_cq *pcq, void *arg), void *arg)
{
	struct kfi_prov_cq *pcq;

	guard(mutex)(&stats_lock);
	list_for_each_entry(pcq, &queues, node)
		fn(pcq, arg);
}
