/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Endpoints, and their operations from the post to the completion.
 */

#ifndef KFI_LOOPBACK_EP_H
#define KFI_LOOPBACK_EP_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <kfi_atomic.h>
#include <kfi_cm.h>
#include <kfi_endpoint.h>
#include <kfi_prov.h>
#include <kfi_rma.h>
#include <kfi_track.h>

#include "loopback.h"
#include "mem.h"

struct lo_commits;
struct lo_conn;
struct lo_name;

enum lo_op_type {
	LO_SEND,
	LO_WRITE,
	LO_READ,
	LO_ATOMIC,
};

/**
 * struct lo_desc - what an operation is
 * @type: its type
 * @atomic: KFI_SUM, KFI_ATOMIC_READ, KFI_CSWAP
 * @nr_ranges: remote ranges
 * @quiet: no entry unless it fails
 * @flags: flags of the call
 * @comp_flags: flags of its entry
 * @context: the consumer's
 * @len: bytes
 * @data: for the peer's completion
 * @nr: how many were posted up to it
 * @start: of a commit: when it was posted, in nanoseconds
 * @after: of the last fence up to it, whose predecessors it waits for; 0 for none
 * @operand: of an atomic
 * @compare: of KFI_CSWAP
 * @result: where an atomic puts the value before, or NULL
 */
struct lo_desc {
	enum lo_op_type	type;
	enum kfi_op	atomic;
	u32		nr_ranges;
	bool		quiet;
	u64		flags;
	u64		comp_flags;
	void		*context;
	size_t		len;
	u64		data;
	u64		nr;
	u64		start;
	u64		after;
	u64		operand;
	u64		compare;
	void		*result;
};

/**
 * struct lo_post - an operation on its way from the caller to a slot
 * @desc: what it is
 * @ranges: remote memory
 * @type: of @iov
 * @iov: local memory
 * @count: elements of @iov
 * @seg_limit: most segments of it
 * @reads: it needs a read on the wire, if there were one
 */
struct lo_post {
	struct lo_desc			desc;
	const struct kfi_rma_iov	*ranges;
	enum kfi_iov_type		type;
	const void			*iov;
	size_t				count;
	u32				seg_limit;
	bool				reads;
};

/**
 * struct lo_op - a slot for a transmit operation
 * @desc: what it is
 * @error: it has failed, and waits for commits before it to complete
 * @seg: its first segment
 * @nr_segs: how many
 * @ranges: remote memory
 * @inject: local memory of KFI_INJECT
 */
struct lo_op {
	struct lo_desc		desc;
	enum lo_error		error;
	u32			seg;
	u32			nr_segs;
	struct kfi_rma_iov	ranges[LO_RMA_IOV_LIMIT];
	u8			inject[LO_INJECT_SIZE];
};

/**
 * struct lo_recv - a posted receive
 * @context: the consumer's
 * @quiet: no entry unless it fails
 * @len: bytes of it
 * @seg: its first segment
 * @nr_segs: how many
 */
struct lo_recv {
	void	*context;
	bool	quiet;
	size_t	len;
	u32	seg;
	u32	nr_segs;
};

/**
 * struct lo_lane - operations that are executed one after the other
 * @ops: slots, a ring; the engine alone advances @head
 * @mask: size of @ops, less 1
 * @head: next to execute
 * @tail: next to fill
 * @segs: their segments
 * @want_segs: segments that a refused post would have needed
 *
 * What is a queue pair of a device.
 */
struct lo_lane {
	struct lo_op	*ops;
	u32		mask;
	u32		head;
	u32		tail;
	struct lo_segs	segs;
	u32		want_segs;
};

/* Of all operations, or of all but messages; and of messages that go their own way */
#define LO_LANE_MAIN	0
#define LO_LANE_MSG	1

/**
 * struct lo_tx - the transmit side of an endpoint
 * @lock: protects all of it; any context
 * @status: why nothing can be posted, or 0
 * @selective: bound with KFI_SELECTIVE_COMPLETION
 * @size: operations that can be outstanding or unread
 * @depth: reads and atomics that the connection has
 * @method: how it commits
 * @cq: completion queue
 * @credit: slots in @cq
 * @lanes: what was posted
 * @nr_lanes: how many the endpoint has
 * @nr: operations posted
 * @rung: @nr of the last one that the engine may execute
 * @fence_nr: @nr of the last fence
 * @commits: commits posted and not complete
 * @broken_nr: @nr when a commit last failed
 * @want_commit: a post was refused for lack of a commit slot
 * @room: calls @handler
 * @handler: the consumer's, told when there is room again
 * @posted: statistics, as is all that follows
 * @full: posts that were refused for lack of room, up to KFI_STAT_SLOTS_FULL
 * @time: of commits, from the post to the completion
 */
struct lo_tx {
	/* protects all that follows */
	spinlock_t			lock;
	int				status;
	bool				selective;
	u32				size;
	u8				depth;
	enum kfi_commit_method		method;
	struct lo_cq			*cq;
	struct kfi_cq_credit		*credit;
	struct lo_lane			lanes[2];
	unsigned int			nr_lanes;
	u64				nr;
	u64				rung;
	u64				fence_nr;
	u32				commits;
	u64				broken_nr;
	bool				want_commit;
	struct work_struct		room;
	struct kfi_tx_handler_attr	handler;
	struct kfi_stat_count		posted[KFI_STAT_POSTS];
	u64				full[KFI_STAT_SLOTS_FULL + 1];
	struct kfi_stat_hist		time;
};

/**
 * struct lo_rx - the receive side of an endpoint
 * @lock: protects all of it; any context
 * @status: why nothing can be posted, or 0
 * @selective: bound with KFI_SELECTIVE_COMPLETION
 * @size: receives that can be outstanding or unread
 * @cq: completion queue
 * @credit: slots in @cq of receives
 * @data_credit: slots in @cq of data that comes without one, where there are commits
 * @recvs: posted receives, a ring
 * @mask: size of @recvs, less 1
 * @head: next to be used
 * @tail: next to fill
 * @segs: their segments
 * @waiter: peer whose engine waits for a receive, or for room in @cq
 * @room: there is room in @cq
 * @full: statistics, as is all that follows: posts that were refused for lack of room
 * @received: messages
 * @data: of writes
 * @served: commits of the peer that were carried out
 * @refused: those that failed
 * @persist: of the memory device
 */
struct lo_rx {
	/* protects all that follows */
	spinlock_t		lock;
	int			status;
	bool			selective;
	u32			size;
	struct lo_cq		*cq;
	struct kfi_cq_credit	*credit;
	struct kfi_cq_credit	*data_credit;
	struct lo_recv		*recvs;
	u32			mask;
	u32			head;
	u32			tail;
	struct lo_segs		segs;
	struct lo_ep		*waiter;
	struct work_struct	room;
	u64			full;
	struct kfi_stat_count	received;
	struct kfi_stat_count	data;
	u64			served;
	u64			refused;
	struct kfi_stat_hist	persist;
};

/**
 * struct lo_ep - an open endpoint
 * @ep: what the consumer has
 * @track: what user space sees of it
 * @kref: one for being open, one for a commit under way
 * @domain: its domain
 * @eq: event queue
 * @connected: reserved event
 * @shutdown: reserved event
 * @error: reserved event
 * @enabled: kfi_enable() was called
 * @kind: what it can do
 * @limits: of its operations
 * @src: local address asked for
 * @dest: peer's address asked for
 * @name: the local address that it took
 * @conn_param: KFI_OPT_CONN_PARAM
 * @connect_timeout: KFI_OPT_CONNECT_TIMEOUT, ms
 * @commit_timeout: KFI_OPT_COMMIT_TIMEOUT, ms
 * @commit_method: KFI_OPT_COMMIT_METHOD
 * @conn: its connection, from kfi_connect() on, or from its opening for a request
 * @side: its index in the connection
 * @serving: operations of the peer under way here; under @conn's lock
 * @node: in the domain's list of commit endpoints
 * @tx: transmit side
 * @rx: receive side
 * @commits: commits under way, NULL for an endpoint without
 * @work: the engine
 * @rnr_timer: calls the engine when it has waited for a receive for too long
 * @rnr_deadline: jiffies when that is, if @rnr_waiting; the engine's
 * @rnr_waiting: the engine waits for a receive, but not for ever; the engine's
 * @drained: all that was posted is complete, after the end of the connection
 * @lock: serialises control calls
 * @stat: its place among the provider's endpoints
 */
struct lo_ep {
	struct kfid_ep		ep;
	struct kfi_ep_track	track;
	struct kref		kref;
	struct lo_domain	*domain;
	struct kfid_eq		*eq;
	struct kfi_eq_event	connected;
	struct kfi_eq_event	shutdown;
	struct kfi_eq_event	error;
	bool			enabled;
	enum kfi_ep_kind	kind;
	struct kfi_ep_limits	limits;
	struct sockaddr_storage	src;
	struct sockaddr_storage	dest;
	struct lo_name		*name;
	struct kfi_conn_param	conn_param;
	unsigned int		connect_timeout;
	unsigned int		commit_timeout;
	enum kfi_commit_method	commit_method;
	struct lo_conn		*conn;
	unsigned int		side;
	unsigned int		serving;
	struct list_head	node;
	struct lo_tx		tx;
	struct lo_rx		rx;
	struct lo_commits	*commits;
	struct work_struct	work;
	struct delayed_work	rnr_timer;
	unsigned long		rnr_deadline;
	bool			rnr_waiting;
	struct completion	drained;
	/* serialises control calls, but for close */
	struct mutex		lock;
	struct kfi_stat_ep	stat;
};

static inline struct lo_lane *lo_tx_lane(struct lo_tx *tx,
					 enum lo_op_type type)
{
	bool apart = type == LO_SEND && tx->nr_lanes > 1;

	return &tx->lanes[apart ? LO_LANE_MSG : LO_LANE_MAIN];
}

/* ep.c */
int lo_ep_open(struct kfid_domain *domain, struct kfi_info *info,
	       struct kfid_ep **ep, void *context, const char *owner);
int lo_ep_enable(struct lo_ep *ep);
void lo_ep_put(struct lo_ep *ep);
void lo_ep_wait_drained(struct lo_ep *ep);
struct lo_ep *lo_ep_of(struct kfid *fid);

/* option.c */
extern const struct kfi_ops_ep lo_ep_ops;
void lo_ep_set_param(struct lo_ep *ep, const struct kfi_conn_param *param);

/* tx.c */
int lo_tx_init(struct lo_ep *ep);
void lo_tx_free(struct lo_tx *tx);
ssize_t lo_tx_post(struct lo_ep *ep, const struct lo_post *post);
void lo_ep_ring(struct kfid_ep *ep);
ssize_t lo_tx_refuse(struct lo_ep *ep, ssize_t ret);
bool lo_tx_quiet(const struct lo_ep *ep, u64 flags);
struct lo_op *lo_tx_first(struct lo_tx *tx, struct lo_lane *lane);
bool lo_tx_pending(struct lo_tx *tx, u64 before);
void lo_tx_done(struct lo_ep *ep, struct lo_op *op);
void lo_tx_complete(struct lo_ep *ep, const struct lo_desc *desc,
		    enum lo_error error);

/* rx.c */
int lo_rx_init(struct lo_ep *ep);
void lo_rx_free(struct lo_rx *rx);
ssize_t lo_rx_post(struct lo_ep *ep, const struct kfi_msg *msg, u64 flags,
		   size_t len);
int lo_rx_peek(struct lo_ep *peer, struct lo_ep *ep, struct lo_recv *recv);
void lo_rx_complete(struct lo_ep *peer, const struct lo_recv *recv,
		    const struct kfi_comp *comp);
int lo_rx_take(struct lo_ep *peer, struct lo_ep *ep);
void lo_rx_untake(struct lo_ep *peer);
void lo_rx_data(struct lo_ep *peer, u64 data, size_t len,
		const struct lo_recv *recv);
void lo_rx_persisted(struct lo_ep *peer, u64 ns);
void lo_rx_served(struct lo_ep *peer, bool failed);
void lo_rx_kill(struct lo_ep *ep);
void lo_rx_flush(struct lo_ep *ep);

/* rnr.c */
void lo_rnr_init(struct lo_ep *ep);
bool lo_rnr_expired(struct lo_ep *ep, const struct lo_ep *peer,
		    const struct lo_op *op);
void lo_rnr_end(struct lo_ep *ep, const struct lo_op *op);

/* stats.c */
void lo_ep_add_stats(struct kfid_ep *ep, struct kfi_ep_stats *stats);

/* engine.c */
void lo_engine(struct work_struct *work);
bool lo_ep_is_dead(struct lo_ep *ep);
void lo_op_cursor(struct lo_ep *ep, struct lo_op *op, struct lo_cursor *cursor);

/* msg.c, rma.c, atomic.c */
extern const struct kfi_ops_msg lo_msg_ops;
extern const struct kfi_ops_msg lo_no_msg_ops;
extern const struct kfi_ops_rma lo_rma_ops;
extern const struct kfi_ops_atomic lo_atomic_ops;
extern const struct kfi_ops_atomic lo_no_atomic_ops;
/* Whether an operation is a commit that is not the target's provider's business. */
static inline bool lo_commits_by_read(const struct lo_ep *ep, u64 flags)
{
	return flags & KFI_COMMIT && ep->tx.method == KFI_COMMIT_READ;
}

int lo_exec_send(struct lo_ep *ep, struct lo_ep *peer, struct lo_op *op);
int lo_exec_read(struct lo_ep *ep, struct lo_ep *peer, struct lo_op *op);
int lo_exec_write(struct lo_ep *ep, struct lo_ep *peer, struct lo_op *op);
int lo_exec_atomic(struct lo_ep *peer, struct lo_op *op);

#endif /* KFI_LOOPBACK_EP_H */
