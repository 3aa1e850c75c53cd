/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the files of the loopback provider know of each other.
 */

#ifndef KFI_LOOPBACK_H
#define KFI_LOOPBACK_H

#include <linux/list.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include <kfabric.h>
#include <kfi_domain.h>
#include <kfi_prov.h>
#include <kfi_track.h>

struct net;
struct workqueue_struct;

/**
 * DOC: the loopback provider
 *
 * Each endpoint has one work item, its engine, which executes what the endpoint
 * posted, in order, directly on the peer: copies into its posted receives and
 * its memory regions. Whatever an engine completes, it completes without a lock
 * held, so that completion handlers may post.
 *
 * Two endpoints are joined by a &struct lo_conn that both hold a reference to.
 * An engine may touch its peer only between lo_peer_get() and lo_peer_put(); an
 * endpoint that is being closed waits for that. When the connection ends, each
 * endpoint's own engine completes what is left of it.
 *
 * Locks, outermost first:
 *
 *	lo_ep.lock, lo_pep.lock (mutex)
 *	lo_names_lock() (mutex)
 *	memory device's lock (the core's)
 *	  lo_mr.access (rwsem)
 *	  lo_domain.mrs (its own lock)
 *	  lo_domain.lock
 *	    lo_conn.lock
 *	      lo_tx.lock, lo_rx.lock, lo_commits.lock
 *	        the core's locks of queues
 */

#define LO_NAME			"loopback"
#define LO_DOMAIN_NAME		"lo"
#define LO_VERSION		KFI_VERSION(1, 0)

#define LO_MAX_SLOTS		4096
#define LO_INJECT_SIZE		128
#define LO_IOV_LIMIT		32
#define LO_RMA_IOV_LIMIT	16
#define LO_RMA_SEG_LIMIT	4096
#define LO_MAX_MSG_SIZE		SZ_8M
#define LO_MR_SEG_LIMIT		32768
#define LO_COMMIT_SLOTS		64

/* A retry count of the InfiniBand specification, and its greatest value */
#define LO_FOR_EVER		7

/* What a provider with a wire needs for itself of a commit endpoint's data. */
#define LO_COMMIT_RECORD	24

/**
 * enum lo_error - the provider's error numbers, of completions and of events
 * @LO_OK: none
 * @LO_FLUSHED: the connection ended before the operation was executed
 * @LO_REM_ACCESS: no such region, outside of it, or no right
 * @LO_REM_INVALID: the peer could not execute the operation
 * @LO_TRUNCATED: a message was longer than the receive
 * @LO_RNR: the peer had no receive for too long
 * @LO_COMMIT_RANGE: a range of a commit is not in a persistent region
 * @LO_PERSIST: the target could not make the data persistent
 * @LO_COMMIT_BROKEN: a commit with payload, but an earlier one failed
 * @LO_COMMIT_TIMEOUT: the target did not answer a commit in time
 * @LO_NOBODY: nobody listens at the address
 * @LO_REJECTED: the listener rejected
 * @LO_CONNECT_TIMEOUT: the listener did not answer in time
 * @LO_OTHER_KIND: the listener's endpoint is of another kind
 * @LO_NO_METHOD: the peer does not commit by the method that was asked for
 * @LO_RESET: the other side went away
 * @LO_ERROR_LAST: one more than the last
 */
enum lo_error {
	LO_OK,
	LO_FLUSHED,
	LO_REM_ACCESS,
	LO_REM_INVALID,
	LO_TRUNCATED,
	LO_RNR,
	LO_COMMIT_RANGE,
	LO_PERSIST,
	LO_COMMIT_BROKEN,
	LO_COMMIT_TIMEOUT,
	LO_NOBODY,
	LO_REJECTED,
	LO_CONNECT_TIMEOUT,
	LO_OTHER_KIND,
	LO_NO_METHOD,
	LO_RESET,
	LO_ERROR_LAST
};

/**
 * struct lo_fabric - an open fabric
 * @fabric: what the consumer has
 * @net: namespace of its addresses
 */
struct lo_fabric {
	struct kfid_fabric	fabric;
	struct net		*net;
};

/**
 * struct lo_domain - an open domain
 * @domain: what the consumer has
 * @fabric: its fabric
 * @scope: what user space sees of it
 * @mrs: regions, by the upper bits of the key's low word; its lock covers the
 *	way from an entry to a reference, and what peers are told of all of them
 * @last_id: last index used in @mrs
 * @lock: protects @eps
 * @eps: connected commit endpoints: who fails when a region is revoked
 */
struct lo_domain {
	struct kfid_domain	domain;
	struct lo_fabric	*fabric;
	struct kfi_scope	scope;
	struct xarray		mrs;
	u32			last_id;
	/* protects @eps */
	spinlock_t		lock;
	struct list_head	eps;
};

/**
 * struct lo_cq - an open completion queue
 * @pcq: the core's part
 * @track: what user space sees of it
 * @process: its handler wants process context
 */
struct lo_cq {
	struct kfi_prov_cq	pcq;
	struct kfi_track	track;
	bool			process;
};

/* main.c */
extern struct kfi_provider lo_provider;
extern struct workqueue_struct *lo_wq;
const struct kfi_info *lo_offer(enum kfi_ep_kind kind);

/* error.c */
int lo_errno(enum lo_error error);
bool lo_error_of_commit(enum lo_error error);
const char *lo_strerror(int prov_errno);

/* domain.c */
int lo_domain_open(struct kfid_fabric *fabric, struct kfi_info *info,
		   struct kfid_domain **domain, void *context,
		   const char *owner);
void lo_domain_fail(struct lo_domain *domain);
bool lo_domain_told(struct lo_domain *domain, enum kfi_commit_method method);

/* cq.c */
int lo_cq_open(struct kfid_domain *domain, struct kfi_cq_attr *attr,
	       struct kfid_cq **cq, kfi_comp_handler handler, void *context,
	       const char *owner);
struct lo_cq *lo_cq_of(struct kfid *fid);
void lo_complete(struct lo_cq *cq, struct kfi_cq_credit *credit,
		 const struct kfi_comp *comp);

#endif /* KFI_LOOPBACK_H */
