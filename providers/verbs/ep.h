/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Endpoints of the verbs provider.
 */

#ifndef KFV_EP_H
#define KFV_EP_H

#include <linux/compiler.h>
#include <linux/completion.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>

#include <kfi_atomic.h>
#include <kfi_cm.h>
#include <kfi_endpoint.h>
#include <kfi_rma.h>
#include <kfi_track.h>

#include "cm.h"
#include "verbs.h"

/* Of KFI_OPT_CONNECT_TIMEOUT */
#define KFV_CONNECT_TIMEOUT_MS	5000
/* Of KFI_OPT_COMMIT_TIMEOUT */
#define KFV_COMMIT_TIMEOUT_MS	30000

/* Completions that the device is asked for at a time */
#define KFV_POLL_BATCH		8

struct kfv_commit;
struct kfv_pair;

/**
 * struct kfv_cq - an open completion queue
 * @pcq: the common part
 * @track: what user space sees of it
 * @domain: its domain
 * @poll_ctx: where its completions are processed
 * @vector: completion vector, or -1 for any
 * @owner: name of the consumer's module
 * @poll_lock: protects @queues and @wcs, and their processing; taken outside of the
 *	endpoints' post locks
 * @queues: device queues that are polled
 * @wcs: what the device has completed
 */
struct kfv_cq {
	struct kfi_prov_cq	pcq;
	struct kfi_track	track;
	struct kfv_domain	*domain;
	enum ib_poll_context	poll_ctx;
	int			vector;
	const char		*owner;
	/* protects what follows, and its processing; outside of the post locks */
	spinlock_t		poll_lock;
	struct list_head	queues;
	struct ib_wc		wcs[KFV_POLL_BATCH];
};

/**
 * struct kfv_queue - the device's completion queue of one direction of an endpoint
 * @cq: where completions go
 * @ib: the device's queue
 * @node: in @cq's list when it is polled
 *
 * Each endpoint has its own, so that its size is exact: the device must have room
 * for every work request, also for those that complete in error only.
 */
struct kfv_queue {
	struct kfv_cq		*cq;
	struct ib_cq		*ib;
	struct list_head	node;
};

/**
 * struct kfv_op - an operation that was posted and is not complete
 * @context: of the completion
 * @flags: of the completion
 * @plain: when it is complete it makes an entry, and that is all there is to do;
 *	false once a work request of it has failed
 * @single: the same, but for the only segment of its only work request, which is to
 *	be unmapped
 * @report: whether a success makes an entry
 * @commit: it is a commit, see struct kfv_commit_slot; never changes
 * @mapped: a work request of it is
 * @nr_wrs: work requests
 * @status: of the first work request that failed; a success between operations
 * @other: of one that waits: work requests of the endpoint's other queue pair that
 *	it waits for
 * @buf: memory of KFV_INJECT_SIZE bytes
 * @result: where the 8 bytes in @buf go that an atomic operation read; NULL
 *	between operations
 */
struct kfv_op {
	void			*context;
	u64			flags;
	bool			plain;
	bool			single;
	bool			report;
	bool			commit;
	bool			mapped;
	unsigned int		nr_wrs;
	enum ib_wc_status	status;
	u32			other;
	void			*buf;
	u64			*result;
};

/**
 * struct kfv_wr - a work request
 * @cqe: its completion
 * @op: the operation that it is part of
 * @send: the request, as are @rdma, @atomic and @flush
 * @rdma: see @send
 * @atomic: see @send
 * @flush: see @send
 * @mapped: its segments were mapped for DMA; false between operations, as is
 *	@fence
 * @fence: it waits for everything before it
 * @commits: with @fence: commits posted before it
 * @sge: its segments
 */
struct kfv_wr {
	struct ib_cqe		cqe;
	struct kfv_op		*op;
	union {
		struct ib_send_wr	send;
		struct ib_rdma_wr	rdma;
		struct ib_atomic_wr	atomic;
#ifdef KFI_HAS_FLUSH
		struct ib_flush_wr	flush;
#endif
	};
	bool			mapped;
	bool			fence;
	u32			commits;
	struct ib_sge		sge[];
};

/* What waits for completions, in &kfv_txq.waiters */
#define KFV_WAIT_ROOM		BIT(0)	/* the TX handler, for work requests */
#define KFV_WAIT_FENCE		BIT(1)	/* a fenced operation, for all earlier */
#define KFV_WAIT_SLOT		BIT(2)	/* the TX handler, for a commit slot */

/**
 * struct kfv_sq - what goes to a queue pair's send queue
 * @qp: the queue pair
 * @wrs: ring of work requests
 * @wr_stride: bytes of each
 * @wr_mask: their number - 1
 * @ops: ring of operations, but for commits
 * @op_mask: their number - 1
 * @bufs: of the operations
 * @max_sge: segments of a work request
 * @max_sge_rd: segments of one that reads
 * @rma_wrs: work requests of the largest RMA operation
 * @inline_size: bytes that the device takes with the work request
 * @wr_head: work requests that were made
 * @wr_posted: work requests that the device was given
 * @op_head: operations that were made
 * @behind: what is made next is behind a fence of the endpoint's other queue pair
 * @behind_wrs: work requests there that it waits for
 * @queue: the device's completion queue
 * @wr_tail: work requests that completed; written by completions only
 *
 * Under the endpoint's post lock.
 */
struct kfv_sq {
	struct ib_qp		*qp;
	void			*wrs;
	size_t			wr_stride;
	u32			wr_mask;
	struct kfv_op		*ops;
	u32			op_mask;
	void			*bufs;
	unsigned int		max_sge;
	unsigned int		max_sge_rd;
	unsigned int		rma_wrs;
	unsigned int		inline_size;
	u32			wr_head;
	u32			wr_posted;
	u32			op_head;
	bool			behind;
	u32			behind_wrs;
	struct kfv_queue	queue;

	u32			wr_tail ____cacheline_aligned_in_smp;
};

/**
 * struct kfv_txq - what an endpoint sends, writes, reads
 * @lock: serialises posts; protects the endpoint's state and all members up to
 *	@credit. Taken inside of a completion queue's poll lock
 * @sq: where it goes
 * @commit_head: commits that were made
 * @held: of what was made the device was not given all
 * @fences: fenced work requests that the device was not given
 * @fence_commits: commits that the last of them waits for
 * @waiters: KFV_WAIT_* bits
 * @room: work requests that KFV_WAIT_ROOM waits for
 * @credit: slots of the completion queue
 * @work: calls @handler
 * @handler: told when there is room again
 * @selective: only operations that ask for it are reported
 * @posted: statistics, as is @full
 * @full: posts that were refused for lack of room, up to KFI_STAT_SLOTS_FULL
 * @commit_tail: commits that completed; written by completions only
 */
struct kfv_txq {
	/* serialises posts; protects what follows up to @credit; any context */
	spinlock_t			lock;
	struct kfv_sq			sq;
	u32				commit_head;
	bool				held;
	unsigned int			fences;
	u32				fence_commits;
	unsigned long			waiters;
	u32				room;
	struct kfi_cq_credit		*credit;
	struct work_struct		work;
	struct kfi_tx_handler_attr	handler;
	bool				selective;
	struct kfi_stat_count		posted[KFI_STAT_POSTS];
	u64				full[KFI_STAT_SLOTS_FULL + 1];

	u32				commit_tail ____cacheline_aligned_in_smp;
};

/**
 * struct kfv_rx - a receive
 * @cqe: its completion
 * @wr: the work request
 * @context: of the completion
 * @report: whether a success makes an entry
 * @sge: its segments
 */
struct kfv_rx {
	struct ib_cqe		cqe;
	struct ib_recv_wr	wr;
	void			*context;
	bool			report;
	struct ib_sge		sge[];
};

/**
 * struct kfv_rx_stats - what was received, by who completes receives
 * @sync: of all that follows
 * @ops: statistics: KFI_STAT_RECV and, behind it, KFI_STAT_DATA
 * @bytes: as @ops
 */
struct kfv_rx_stats {
	struct u64_stats_sync	sync;
	u64_stats_t		ops[2];
	u64_stats_t		bytes[2];
};

/**
 * struct kfv_rxq - what an endpoint receives
 * @lock: serialises posts; protects all members up to @credit. Taken inside of a
 *	completion queue's poll lock
 * @qp: the queue pair, when there is one
 * @rxs: ring of receives
 * @stride: bytes of each
 * @mask: their number - 1
 * @max_sge: segments of a receive
 * @head: receives that were made
 * @posted: receives that the device was given
 * @error: what a post returns, when not 0
 * @credit: slots of the completion queue
 * @queue: the device's completion queue
 * @selective: only receives that ask for it are reported
 * @full: statistics: posts that were refused for lack of room
 * @data: statistics: data that came without a receive
 * @tail: receives that completed; written by completions only, as is @received
 * @received: statistics
 */
struct kfv_rxq {
	/* serialises posts; protects what follows up to @credit; any context */
	spinlock_t		lock;
	struct ib_qp		*qp;
	void			*rxs;
	size_t			stride;
	u32			mask;
	unsigned int		max_sge;
	u32			head;
	u32			posted;
	int			error;
	struct kfi_cq_credit	*credit;
	struct kfv_queue	queue;
	bool			selective;
	u64			full;
	struct kfi_stat_count	data;

	u32			tail ____cacheline_aligned_in_smp;
	struct kfv_rx_stats	received;
};

/**
 * enum kfv_state - of an endpoint
 * @KFV_IDLE: not connected yet
 * @KFV_CONNECTING: kfi_connect() or kfi_accept() has begun
 * @KFV_CONNECTED: it can post
 * @KFV_DOWN: shut down, or in error, or could not be connected
 * @KFV_GONE: the device was removed
 */
enum kfv_state {
	KFV_IDLE,
	KFV_CONNECTING,
	KFV_CONNECTED,
	KFV_DOWN,
	KFV_GONE,
};

/**
 * struct kfv_ep - an open endpoint
 * @ep: what the consumer has
 * @track: what user space sees of it
 * @domain: its domain
 * @node: in the domain's list
 * @owner: name of the consumer's module
 * @eq: event queue
 * @tx_cq: completion queue of @tx
 * @rx_cq: completion queue of @rx
 * @kind: what it can do
 * @limits: of operations
 * @tx_size: operations of @tx
 * @rx_size: receives of @rx
 * @dest: where kfi_connect() goes if it is not told
 * @src: local address, once known
 * @peer: peer's address, once known
 * @param: of the connection
 * @peer_depth: reads and atomics that the peer can serve at a time
 * @peer_resources: reads and atomics that the peer sends at a time
 * @peer_retry_count: of the peer's connection request; the device's here too
 * @connect_ms: of kfi_connect() and kfi_accept()
 * @commit_ms: of commits
 * @commit_method: KFI_OPT_COMMIT_METHOD
 * @lock: serialises control calls and what ends the connection; outside of the CM
 *	id's handler lock
 * @link: its connection, or the first one
 * @passive: made of a connection request
 * @enabled: kfi_enable() was called
 * @cut_off: a queue of the device has failed
 * @was_connected: there was something to shut down; @src and @peer are what they
 *	will be. See kfv_ep_was_connected()
 * @state: under @tx's lock, as is @lost; to be read without by kfv_ep_state()
 * @lost: it was lost before it was connected
 * @depth: reads and atomics that the connection has
 * @private_data: what is sent with the first request or the answer to it
 * @private_len: bytes of @private_data
 * @timer: ends an attempt to connect
 * @down: ends the connection
 * @connected: event
 * @shutdown: event
 * @error: event
 * @tx: what it sends, writes, reads
 * @rx: what it receives
 * @commit: of an endpoint that commits, else NULL
 * @pair: of one that has messages as well: its other queue pair, else NULL
 * @stat: its place among the provider's endpoints
 */
struct kfv_ep {
	struct kfid_ep		ep;
	struct kfi_ep_track	track;
	struct kfv_domain	*domain;
	struct list_head	node;
	const char		*owner;
	struct kfid_eq		*eq;
	struct kfv_cq		*tx_cq;
	struct kfv_cq		*rx_cq;
	enum kfi_ep_kind	kind;
	struct kfi_ep_limits	limits;
	unsigned int		tx_size;
	unsigned int		rx_size;
	struct sockaddr_storage	dest;
	struct sockaddr_storage	src;
	struct sockaddr_storage	peer;
	struct kfi_conn_param	param;
	u8			peer_depth;
	u8			peer_resources;
	u8			peer_retry_count;
	unsigned int		connect_ms;
	unsigned int		commit_ms;
	enum kfi_commit_method	commit_method;

	/* serialises control calls and what ends the connection */
	struct mutex		lock;
	struct kfv_link		link;
	bool			passive;
	bool			enabled;
	bool			cut_off;
	bool			was_connected;
	enum kfv_state		state;
	bool			lost;
	u8			depth;
	u8			private_data[KFI_CM_REP_SIZE];
	u8			private_len;
	struct delayed_work	timer;
	struct delayed_work	down;
	struct kfi_eq_event	connected;
	struct kfi_eq_event	shutdown;
	struct kfi_eq_event	error;

	struct kfv_txq		tx;
	struct kfv_rxq		rx;
	struct kfv_commit	*commit;
	struct kfv_pair		*pair;
	struct kfi_stat_ep	stat;
};

static inline struct kfv_ep *to_kfv_ep(struct kfid_ep *ep)
{
	return container_of(ep, struct kfv_ep, ep);
}

static inline struct kfv_ep *fid_to_kfv_ep(struct kfid *fid)
{
	return container_of(fid, struct kfv_ep, ep.fid);
}

/* The state at some moment, which may be over; under the post lock it is not. */
static inline enum kfv_state kfv_ep_state(const struct kfv_ep *ep)
{
	return READ_ONCE(ep->state);
}

static inline void kfv_ep_set_state(struct kfv_ep *ep, enum kfv_state state)
{
	lockdep_assert_held(&ep->tx.lock);
	WRITE_ONCE(ep->state, state);
}

static inline bool kfv_ep_was_connected(const struct kfv_ep *ep)
{
	/* pairs with kfv_ep_established() */
	return smp_load_acquire(&ep->was_connected);
}

static inline struct kfv_cq *to_kfv_cq(struct kfi_prov_cq *pcq)
{
	return container_of(pcq, struct kfv_cq, pcq);
}

/* The tail of a ring: what is before it is not looked at by completions. */
static inline u32 kfv_tail(const u32 *tail)
{
	/* pairs with kfv_advance() */
	return smp_load_acquire(tail);
}

static inline void kfv_advance(u32 *tail, u32 nr)
{
	/* pairs with kfv_tail() */
	smp_store_release(tail, *tail + nr);
}

static inline struct kfv_wr *kfv_wr_at(const struct kfv_sq *sq, u32 nr)
{
	return sq->wrs + (nr & sq->wr_mask) * sq->wr_stride;
}

static inline struct kfv_rx *kfv_rx_at(const struct kfv_rxq *rx, u32 nr)
{
	return rx->rxs + (nr & rx->mask) * rx->stride;
}

/* cq.c */
int kfv_queue_open(struct kfv_queue *queue, struct kfv_cq *cq, void *context,
		   unsigned int size);
void kfv_queue_close(struct kfv_queue *queue);
void kfv_queue_poll(struct kfv_queue *queue);
void kfv_complete(struct kfv_cq *cq, struct kfi_cq_credit *credit,
		  const struct kfi_comp *comp);
void kfv_comp_error(struct kfi_comp *comp, enum ib_wc_status status);
const char *kfv_cq_strerror(int prov_errno);

/* ep.c */
int kfv_ep_enable(struct kfv_ep *ep);

/* msg.c, rma.c, atomic.c */
extern const struct kfi_ops_msg kfv_msg_ops;
extern const struct kfi_ops_msg kfv_pair_msg_ops;
extern const struct kfi_ops_msg kfv_no_msg_ops;
extern const struct kfi_ops_rma kfv_rma_ops;
extern const struct kfi_ops_atomic kfv_atomic_ops;
extern const struct kfi_ops_atomic kfv_no_atomic_ops;

/* options.c */
extern const struct kfi_ops_ep kfv_ep_ops;

/* queues.c */
void kfv_ep_cut_off(struct kfv_ep *ep);
int kfv_ep_alloc_queues(struct kfv_ep *ep);
void kfv_ep_free_queues(struct kfv_ep *ep);

/* connect.c */
extern const struct kfi_ops_cm kfv_ep_cm_ops;
int kfv_ep_take_connreq(struct kfv_ep *ep, struct kfid *handle);
void kfv_ep_set_addrs(struct kfv_ep *ep, const struct rdma_cm_id *id);
void kfv_ep_set_param(struct kfv_ep *ep, const struct kfi_conn_param *param);
int kfv_copy_addr(const struct sockaddr_storage *from, void *addr,
		  size_t *addrlen);

/* txq.c */
int kfv_sq_init(struct kfv_sq *sq, unsigned int size,
		void (*done)(struct ib_cq *cq, struct ib_wc *wc));
void kfv_sq_destroy(struct kfv_sq *sq);
void kfv_tx_done(struct ib_cq *cq, struct ib_wc *wc);
void kfv_pair_tx_done(struct ib_cq *cq, struct ib_wc *wc);
void kfv_tx_flush(struct kfv_ep *ep);
void kfv_ep_ring(struct kfid_ep *ep);
ssize_t kfv_tx_refuse(struct kfv_ep *ep, ssize_t error);
void kfv_tx_wake(struct kfv_ep *ep);
int kfv_tx_no_slot(struct kfv_ep *ep);
void kfv_tx_work(struct work_struct *work);

/* fence.c */
void kfv_tx_ring(struct kfv_ep *ep);

/* sge.c */
int kfv_sge_fill(struct kfv_domain *domain, struct ib_sge *sge,
		 unsigned int max_sge, struct kfi_seg_iter *iter, void **desc,
		 size_t len, enum dma_data_direction dir, unsigned int *nr);
void kfv_sge_unmap(struct kfv_domain *domain, const struct ib_sge *sge,
		   unsigned int nr, enum dma_data_direction dir);
int kfv_copy_from(void *to, enum kfi_iov_type type, const void *iov,
		  size_t count);

/* rxq.c */
int kfv_rxq_init(struct kfv_ep *ep);
void kfv_rxq_destroy(struct kfv_rxq *rx);
void kfv_rx_start(struct kfv_ep *ep, struct ib_qp *qp);
void kfv_rx_stop(struct kfv_ep *ep, int error);
void kfv_rx_flush(struct kfv_ep *ep);
ssize_t kfv_recvmsg(struct kfid_ep *ep, const struct kfi_msg *msg, u64 flags);

/* stats.c */
void kfv_ep_add_stats(struct kfid_ep *ep, struct kfi_ep_stats *stats);

#endif /* KFV_EP_H */
