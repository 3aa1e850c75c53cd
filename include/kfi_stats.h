/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is counted. Not for consumers: user space sees it by the core.
 */

#ifndef KFI_STATS_H
#define KFI_STATS_H

#include <linux/bitops.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/types.h>

struct kfi_provider;
struct kfid_cq;
struct kfid_ep;

/**
 * DOC: statistics
 *
 * Nothing is counted twice, and nothing that is shared is counted on the way of an
 * operation: what an endpoint posts is counted in the endpoint, under the lock that
 * the post holds anyway; what it receives, where that completes; errors, refusals
 * and times on paths that are slow anyway. Connections are counted in the provider, and
 * each processor counts what it asks of a memory device. A completion queue's numbers
 * are those of its ring. A provider's totals are those of its open endpoints, which whoever asks
 * adds up, and of those that were closed, which were added when they were.
 *
 * Whoever reads an endpoint's numbers takes its locks for as long as it takes to copy
 * them, one after the other: what was posted is a state at one moment, and so is what
 * was received, and so are the times, but not all of them together. Numbers only grow
 * while the endpoint is open.
 */

/**
 * enum kfi_stat_op - what is counted of an endpoint's operations
 * @KFI_STAT_SEND: messages posted
 * @KFI_STAT_READ: reads posted
 * @KFI_STAT_WRITE: writes posted that are not commits
 * @KFI_STAT_ATOMIC: atomic operations posted, of 8 bytes each
 * @KFI_STAT_COMMIT: commits posted; their bytes are those written with them, not
 *	those of the ranges
 * @KFI_STAT_RECV: messages received, errors not among them
 * @KFI_STAT_DATA: data of a peer's write (KFI_REMOTE_CQ_DATA) that was received, with
 *	the bytes that its entry says
 * @KFI_STAT_OPS: how many there are
 */
enum kfi_stat_op {
	KFI_STAT_SEND,
	KFI_STAT_READ,
	KFI_STAT_WRITE,
	KFI_STAT_ATOMIC,
	KFI_STAT_COMMIT,
	KFI_STAT_RECV,
	KFI_STAT_DATA,
	KFI_STAT_OPS,
};

/* Of &enum kfi_stat_op, those before it are posted. */
#define KFI_STAT_POSTS	KFI_STAT_RECV

/**
 * enum kfi_stat_full - why a post was refused with -EAGAIN
 * @KFI_STAT_TX_FULL: the transmit queue, or its share of the completion queue
 * @KFI_STAT_SLOTS_FULL: all commits that the target takes at a time are under way
 * @KFI_STAT_RX_FULL: the receive queue, or its share of the completion queue
 * @KFI_STAT_FULLS: how many there are
 *
 * The consumer tries again: these are its retries.
 */
enum kfi_stat_full {
	KFI_STAT_TX_FULL,
	KFI_STAT_SLOTS_FULL,
	KFI_STAT_RX_FULL,
	KFI_STAT_FULLS,
};

/**
 * enum kfi_stat_error - kinds of errors that operations complete with
 * @KFI_STAT_CANCELED: ECANCELED: the connection ended first, or an earlier commit
 *	failed
 * @KFI_STAT_ACCESS: EACCES: a key or a range was wrong
 * @KFI_STAT_REMOTE: EREMOTEIO: the peer could not do it
 * @KFI_STAT_IO: EIO: a device failed; of a commit, the target's memory device
 * @KFI_STAT_TIMEDOUT: ETIMEDOUT: the peer did not answer
 * @KFI_STAT_NOBUFS: ENOBUFS: the peer had no receive posted
 * @KFI_STAT_TRUNC: KFI_ETRUNC: a message was longer than its receive
 * @KFI_STAT_OTHER: any other
 * @KFI_STAT_ERRORS: how many there are
 */
enum kfi_stat_error {
	KFI_STAT_CANCELED,
	KFI_STAT_ACCESS,
	KFI_STAT_REMOTE,
	KFI_STAT_IO,
	KFI_STAT_TIMEDOUT,
	KFI_STAT_NOBUFS,
	KFI_STAT_TRUNC,
	KFI_STAT_OTHER,
	KFI_STAT_ERRORS,
};

/**
 * enum kfi_stat_conn - what became of connections
 * @KFI_STAT_CONN_MADE: connections that were made from here
 * @KFI_STAT_CONN_ACCEPTED: connections that were made because a peer had asked for them
 * @KFI_STAT_CONN_REFUSED: attempts that ended with ECONNREFUSED
 * @KFI_STAT_CONN_TIMEDOUT: attempts that ended with ETIMEDOUT
 * @KFI_STAT_CONN_FAILED: attempts that ended with any other error
 * @KFI_STAT_CONN_REJECTED: requests of peers that were rejected here, by a consumer or by
 *	the provider, or because nobody took them
 * @KFI_STAT_CONN_SHUTDOWN: connections that ended without an error event, whoever ended them
 * @KFI_STAT_CONN_BROKEN: connections that ended with one
 * @KFI_STAT_CONNS: how many there are
 *
 * An attempt is a kfi_connect() or a kfi_accept() of which an event told what became; one
 * that the consumer gave up by closing the endpoint is not counted. A connection has two
 * ends, each of which counts it where it is.
 */
enum kfi_stat_conn {
	KFI_STAT_CONN_MADE,
	KFI_STAT_CONN_ACCEPTED,
	KFI_STAT_CONN_REFUSED,
	KFI_STAT_CONN_TIMEDOUT,
	KFI_STAT_CONN_FAILED,
	KFI_STAT_CONN_REJECTED,
	KFI_STAT_CONN_SHUTDOWN,
	KFI_STAT_CONN_BROKEN,
	KFI_STAT_CONNS,
};

/**
 * struct kfi_stat_count - operations of one kind
 * @ops: how many
 * @bytes: of all of them
 */
struct kfi_stat_count {
	u64	ops;
	u64	bytes;
};

/**
 * KFI_STAT_BUCKETS - buckets of a &struct kfi_stat_hist
 */
#define KFI_STAT_BUCKETS	32

/* The first bucket is for less than so many nanoseconds, as a power of two. */
#define KFI_STAT_SHIFT		7

/**
 * struct kfi_stat_hist - times, in nanoseconds
 * @sum: of all of them
 * @count: how many there are from kfi_stat_floor() of a bucket on and below that of
 *	the next; the last bucket has no upper end
 */
struct kfi_stat_hist {
	u64	sum;
	u64	count[KFI_STAT_BUCKETS];
};

/**
 * kfi_stat_floor() - where a bucket begins
 * @bucket: less than KFI_STAT_BUCKETS
 *
 * Context: Any context.
 * Return: 0, 128, 256, ... nanoseconds.
 */
static inline u64 kfi_stat_floor(unsigned int bucket)
{
	return bucket ? BIT_ULL(KFI_STAT_SHIFT - 1 + bucket) : 0;
}

/**
 * kfi_stat_time() - count a time
 * @hist: where, which nobody else writes to at the same time
 * @ns: the time
 *
 * Context: Any context.
 */
static inline void kfi_stat_time(struct kfi_stat_hist *hist, u64 ns)
{
	hist->sum += ns;
	hist->count[min_t(unsigned int, fls64(ns >> KFI_STAT_SHIFT),
			  KFI_STAT_BUCKETS - 1)]++;
}

u64 kfi_stat_times(const struct kfi_stat_hist *hist);

/**
 * struct kfi_ep_stats - what is counted of an endpoint, at some moment
 * @op: operations, by &enum kfi_stat_op
 * @full: posts refused with -EAGAIN, by &enum kfi_stat_full
 * @done: of the operations posted, those whose entry was read or that completed
 *	without one
 * @error: error completions in both directions, by &enum kfi_stat_error
 * @commit: of completed commits, failed ones too, from the post on
 * @served: commits of the peer that its request asked this side for and that were
 *	carried out, failed ones too
 * @failed: those of @served that failed
 * @persist: of what was asked of the memory device for @served; requests that wait
 *	together are persisted in one go, so there can be fewer
 */
struct kfi_ep_stats {
	struct kfi_stat_count	op[KFI_STAT_OPS];
	u64			full[KFI_STAT_FULLS];
	u64			done;
	u64			error[KFI_STAT_ERRORS];
	struct kfi_stat_hist	commit;
	u64			served;
	u64			failed;
	struct kfi_stat_hist	persist;
};

/**
 * struct kfi_prov_stats - what is counted of a provider
 * @opened: endpoints that were opened since it was loaded
 * @open: those that are open
 * @conn: connections, by &enum kfi_stat_conn
 * @total: of all that were opened
 */
struct kfi_prov_stats {
	u64			opened;
	u64			open;
	u64			conn[KFI_STAT_CONNS];
	struct kfi_ep_stats	total;
};

/**
 * struct kfi_memdev_stats - what is counted of a memory device
 * @persist: what it was asked to make persistent, failed attempts too
 * @failed: those that failed
 */
struct kfi_memdev_stats {
	struct kfi_stat_hist	persist;
	u64			failed;
};

/**
 * struct kfi_cq_stats - what is counted of a completion queue
 * @size: entries that it was opened with
 * @reserved: entries promised to endpoints
 * @made: entries made
 * @read: entries read
 * @error: error entries made, by &enum kfi_stat_error
 */
struct kfi_cq_stats {
	unsigned int	size;
	unsigned int	reserved;
	u64		made;
	u64		read;
	u64		error[KFI_STAT_ERRORS];
};

/**
 * struct kfi_stat_ep - an endpoint among those whose numbers make a provider's
 * @ep: the endpoint
 * @provider: its provider
 * @node: in the provider's list
 *
 * Embedded in the provider's endpoint; the core's.
 */
struct kfi_stat_ep {
	struct kfid_ep		*ep;
	struct kfi_provider	*provider;
	struct list_head	node;
};

void kfi_stat_ep_open(struct kfi_stat_ep *stat, struct kfid_ep *ep,
		      struct kfi_provider *provider);
void kfi_stat_ep_close(struct kfi_stat_ep *stat);

int kfi_ep_read_stats(struct kfid_ep *ep, struct kfi_ep_stats *stats);
void kfi_cq_read_stats(struct kfid_cq *cq, struct kfi_cq_stats *stats);
void kfi_prov_read_stats(struct kfi_provider *provider,
			 struct kfi_prov_stats *stats);

const char *kfi_stat_op_name(enum kfi_stat_op op);
const char *kfi_stat_full_name(enum kfi_stat_full full);
const char *kfi_stat_error_name(enum kfi_stat_error error);
const char *kfi_stat_conn_name(enum kfi_stat_conn conn);
enum kfi_stat_error kfi_stat_error_of(int err);

#endif /* KFI_STATS_H */
