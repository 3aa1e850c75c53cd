/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Commit endpoints: what makes writes persistent at their target.
 */

#ifndef KFV_COMMIT_H
#define KFV_COMMIT_H

#include <linux/bitmap.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "commit_wire.h"
#include "ep.h"

/* Ranges that are made persistent in one go */
#define KFV_COMMIT_SPANS	64
/* Mark of a completion's prov_errno: a status that the target sent */
#define KFV_ERR_COMMIT		BIT(16)

struct kfv_post;

struct kfv_commit_buf {
	u8	request[KFV_WIRE_MAX];
	u8	payload[KFV_WIRE_MAX];
};

/**
 * struct kfv_commit_slot - a commit that was posted and is not complete
 * @op: the operation
 * @buf: its request, and the payload if that was injected
 * @sge: the request's memory, mapped for DMA
 * @posted: when, in jiffies
 * @start: when, in nanoseconds; 0 unless it is one that makes persistent
 * @asks: it has a request, and the target answers; otherwise it is done when its
 *	work requests are
 * @sent: the work requests are done
 * @replied: the answer is in, or none will come
 * @status: of the answer
 */
struct kfv_commit_slot {
	struct kfv_op		op;
	struct kfv_commit_buf	*buf;
	struct ib_sge		sge;
	unsigned long		posted;
	u64			start;
	bool			asks;
	bool			sent;
	bool			replied;
	u8			status;
};

/**
 * struct kfv_commit_rx - a receive of the provider's
 * @cqe: its completion
 * @wr: the work request
 * @node: in a list of the commit endpoint
 * @buf: KFV_WIRE_MAX bytes
 * @sge: @buf, mapped for DMA
 * @len: of the message, or of the write that an immediate came with
 * @data: the immediate
 * @status: of the request: enum kfv_wire_status
 * @detail: of @status
 */
struct kfv_commit_rx {
	struct ib_cqe		cqe;
	struct ib_recv_wr	wr;
	struct list_head	node;
	void			*buf;
	struct ib_sge		sge;
	u32			len;
	u32			data;
	u8			status;
	u32			detail;
};

/**
 * struct kfv_commit_reply - a reply on its way
 * @cqe: its completion
 * @wire: the reply
 * @sge: @wire, mapped for DMA
 */
struct kfv_commit_reply {
	struct ib_cqe		cqe;
	struct kfv_wire_reply	wire;
	struct ib_sge		sge;
};

/**
 * struct kfv_batch - requests that are carried out in one go
 * @spans: what they make persistent
 * @mrs: regions of @spans, with references
 * @nr: spans
 */
struct kfv_batch {
	struct kfi_pmem_span	spans[KFV_COMMIT_SPANS];
	struct kfv_mr		*mrs[KFV_COMMIT_SPANS];
	unsigned int		nr;
};

/**
 * struct kfv_commit - what makes an endpoint a commit endpoint
 * @ep: the endpoint
 * @peer: what the peer declared
 * @method: how commits to it are done
 * @told: methods that the peer was told it may use, and can; set under the domain's
 *	lock
 * @cq: completion queue of what the provider receives
 * @slots: ring of commits
 * @bufs: memory of @slots
 * @lock: protects @slots' members that say what is in, @completing and @time
 * @time: statistics: from the post of a commit to its completion
 * @completing: somebody completes commits, and will see what is in
 * @timer: finds a target that does not answer
 * @timing: @timer is going to run; under the endpoint's post lock
 * @late: the oldest commit was not answered in time
 * @rxs: receives
 * @rx_bufs: memory of @rxs
 * @credit: slots of the consumer's completion queue, for immediates; under the lock
 *	of the endpoint's receives
 * @room: of @credit
 * @imm_lock: one at a time passes immediates on
 * @rx_lock: protects what follows
 * @requests: requests that were received
 * @done: requests that were carried out and not answered
 * @imms: immediates without room in the completion queue
 * @used: receives that are done with, until there are KFV_COMMIT_REPOST
 * @nr_used: how many
 * @served: statistics: commits that were carried out
 * @refused: statistics: those that failed
 * @persist: statistics: of the memory device
 * @work: carries out requests
 * @stopped: no more requests are carried out, nor messages sent
 * @replies: replies
 * @idle: those of @replies that are not on their way
 * @batch: what @work carries out
 * @failed: a request failed, as far as @work knows the last one @last_failed
 * @last_failed: its generation
 */
struct kfv_commit {
	struct kfv_ep		*ep;
	struct kfv_peer		peer;
	enum kfi_commit_method	method;
	u8			told;
	struct ib_cq		*cq;

	struct kfv_commit_slot	*slots;
	struct kfv_commit_buf	*bufs;
	/* protects what is in, in @slots, @completing, @time; inside of a poll lock */
	spinlock_t		lock;
	struct kfi_stat_hist	time;
	bool			completing;
	struct delayed_work	timer;
	bool			timing;
	bool			late;

	struct kfv_commit_rx	*rxs;
	void			*rx_bufs;
	struct kfi_cq_credit	*credit;
	struct work_struct	room;
	/* serialises passing on of @imms */
	struct mutex		imm_lock;
	/* protects all that follows; any context */
	spinlock_t		rx_lock;
	struct list_head	requests;
	struct list_head	done;
	struct list_head	imms;
	struct ib_recv_wr	*used;
	unsigned int		nr_used;
	u64			served;
	u64			refused;
	struct kfi_stat_hist	persist;
	struct delayed_work	work;
	bool			stopped;
	struct kfv_commit_reply	*replies;
	DECLARE_BITMAP(idle, KFV_COMMIT_SLOTS);
	struct kfv_batch	batch;
	bool			failed;
	u32			last_failed;
};

/* Whether a write is a request to the peer's provider. */
static inline bool kfv_is_commit(const struct kfv_ep *ep, u64 flags)
{
	return ep->commit &&
	       flags & (KFI_COMMIT_COMPLETE | KFI_DELIVERY_COMPLETE);
}

/* Private data that the consumer has, on a request and on the answer. */
static inline size_t kfv_cm_req_room(const struct kfv_ep *ep)
{
	return KFI_CM_REQ_SIZE -
	       (ep->commit ? sizeof(struct kfv_wire_record) : 0);
}

static inline size_t kfv_cm_rep_room(const struct kfv_ep *ep)
{
	return KFI_CM_REP_SIZE -
	       (ep->commit ? sizeof(struct kfv_wire_record) : 0);
}

static inline unsigned int kfv_commit_receives(const struct kfv_ep *ep)
{
	return KFV_COMMIT_RECEIVES + ep->rx_size;
}

/* commit.c */
int kfv_commit_create(struct kfv_ep *ep);
void kfv_commit_stop_timer(struct kfv_ep *ep);
void kfv_commit_destroy(struct kfv_ep *ep);
int kfv_commit_alloc(struct kfv_ep *ep, unsigned int cq_size);
void kfv_commit_close_queue(struct kfv_commit *commit);
void kfv_commit_free(struct kfv_ep *ep);
struct ib_cq *kfv_commit_recv_cq(struct kfv_ep *ep);
int kfv_commit_start(struct kfv_ep *ep);
void kfv_commit_repost(struct kfv_ep *ep, struct kfv_commit_rx *rx);
bool kfv_commit_imm(struct kfv_ep *ep, size_t len, u32 data);
const char *kfv_commit_strerror(int status);

/* commit_cm.c */
u8 kfv_cm_fill(struct kfv_ep *ep, const void *param, size_t len);
void kfv_cm_second(struct kfv_ep *ep, u64 cookie, struct kfv_wire_record *rec);
int kfv_commit_choose(struct kfv_ep *ep, u8 depth);
int kfv_commit_connected(struct kfv_ep *ep, u8 depth, const void **data,
			 size_t *len);
int kfv_commit_joined(struct kfv_ep *ep, const void *data, size_t len);
void kfv_commit_info(struct kfv_ep *ep, struct kfi_commit_info *info);

/* commit_init.c */
int kfv_commit_post(struct kfv_ep *ep, const struct kfi_msg_rma *msg, u64 flags,
		    size_t len, bool report);
bool kfv_commit_room(struct kfv_ep *ep);
int kfv_wire_errno(u8 status);
void kfv_commit_sent(struct kfv_ep *ep, struct kfv_op *op);
bool kfv_commit_replied(struct kfv_ep *ep, const struct kfv_wire_reply *reply);
void kfv_commit_flush(struct kfv_ep *ep);
void kfv_commit_timer(struct work_struct *work);

/* commit_read.c */
int kfv_read_build(struct kfv_post *post, struct kfv_commit_slot *slot,
		   const struct kfi_msg_rma *msg, u64 flags, size_t len);

/* commit_target.c */
void kfv_target_work(struct work_struct *work);
void kfv_target_request(struct kfv_ep *ep, struct kfv_commit_rx *rx);
void kfv_reply_done(struct ib_cq *cq, struct ib_wc *wc);
void kfv_commit_stop(struct kfv_ep *ep);

/* pmem.c */
int kfv_pmem_publish(struct kfv_mr *mr, const struct kfi_mr_attr *attr);
void kfv_pmem_unpublish(struct kfv_mr *mr);
struct kfv_mr *kfv_pmem_get(struct kfv_domain *domain, u64 addr, u64 len,
			    u64 key);
void kfv_pmem_put(struct kfv_mr *mr);
void kfv_pmem_declare(struct kfv_ep *ep, struct kfv_peer *self);

#endif /* KFV_COMMIT_H */
