/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the files of the loopback provider know of each other.
 */

#ifndef KFI_LOOPBACK_H
#define KFI_LOOPBACK_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/sizes.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <kfi_atomic.h>
#include <kfi_cm.h>
#include <kfi_memdev.h>
#include <kfi_prov.h>

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
 * @LO_NO_COMMIT: the listener's endpoint is none that commits
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
	LO_NO_COMMIT,
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
 * @mrs: regions, by the upper bits of the key's low word; its lock covers the
 *	way from an entry to a reference
 * @last_id: last index used in @mrs
 * @lock: protects @eps
 * @eps: connected commit endpoints: who fails when a region is revoked
 */
struct lo_domain {
	struct kfid_domain	domain;
	struct lo_fabric	*fabric;
	struct xarray		mrs;
	u32			last_id;
	/* protects @eps */
	spinlock_t		lock;
	struct list_head	eps;
};

/**
 * struct lo_cq - an open completion queue
 * @pcq: the core's part
 * @process: its handler wants process context
 */
struct lo_cq {
	struct kfi_prov_cq	pcq;
	bool			process;
};

/**
 * struct lo_seg - a piece of memory
 * @page: the page in which it starts
 * @offset: in @page
 * @len: bytes; may reach into the pages that follow @page
 */
struct lo_seg {
	struct page	*page;
	u32		offset;
	u32		len;
};

/**
 * struct lo_segs - segments of outstanding operations, a ring
 * @ring: the segments
 * @mask: size of @ring, less 1
 * @head: oldest in use
 * @tail: next to use
 *
 * Under the lock of the direction that it belongs to.
 */
struct lo_segs {
	struct lo_seg	*ring;
	u32		mask;
	u32		head;
	u32		tail;
};

/**
 * struct lo_mr - a memory region
 * @mr: what the consumer has
 * @domain: its domain
 * @refs: one for being open, one for each user of it
 * @idle: @refs is 0
 * @access: held for reading by a peer's access, for writing to end them all
 * @dead: no access any more; under @access
 * @pmem: it is persistent
 * @rights: KFI_REMOTE_READ, KFI_REMOTE_WRITE
 * @len: bytes
 * @region: the persistent side of it
 * @nr_segs: elements of @segs and @starts
 * @segs: the memory
 * @starts: where in the region each segment starts
 */
struct lo_mr {
	struct kfid_mr		mr;
	struct lo_domain	*domain;
	refcount_t		refs;
	struct completion	idle;
	/* protects @dead */
	struct rw_semaphore	access;
	bool			dead;
	bool			pmem;
	u64			rights;
	u64			len;
	struct kfi_pmem_region	region;
	u32			nr_segs;
	struct lo_seg		*segs;
	u64			*starts;
};

/**
 * struct lo_cursor - a position in memory that is copied from or to
 * @linear: kernel memory, or NULL for segments
 * @segs: segments
 * @mask: of indices into @segs
 * @index: current segment
 * @done: bytes of it, or of @linear, that lie behind
 */
struct lo_cursor {
	void			*linear;
	const struct lo_seg	*segs;
	u32			mask;
	u32			index;
	size_t			done;
};

enum lo_op_type {
	LO_SEND,
	LO_WRITE,
	LO_READ,
	LO_ATOMIC,
};

/**
 * struct lo_desc - what an operation is
 * @type: its type
 * @quiet: no entry unless it fails
 * @flags: flags of the call
 * @comp_flags: flags of its entry
 * @context: the consumer's
 * @len: bytes
 * @data: for the peer's completion
 * @nr_ranges: remote ranges
 * @commit_nr: of a commit: how many were posted up to it
 * @atomic: KFI_SUM, KFI_ATOMIC_READ, KFI_CSWAP
 * @operand: of an atomic
 * @compare: of KFI_CSWAP
 * @result: where an atomic puts the value before, or NULL
 */
struct lo_desc {
	enum lo_op_type	type;
	bool		quiet;
	u64		flags;
	u64		comp_flags;
	void		*context;
	size_t		len;
	u64		data;
	u32		nr_ranges;
	u64		commit_nr;
	enum kfi_op	atomic;
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
 * @seg: its first segment
 * @nr_segs: how many
 * @ranges: remote memory
 * @inject: local memory of KFI_INJECT
 */
struct lo_op {
	struct lo_desc		desc;
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
 * struct lo_tx - the transmit side of an endpoint
 * @lock: protects all of it; any context
 * @status: why nothing can be posted, or 0
 * @selective: bound with KFI_SELECTIVE_COMPLETION
 * @size: operations that can be outstanding or unread
 * @depth: reads and atomics that the connection has
 * @cq: completion queue
 * @credit: slots in @cq
 * @ops: slots, a ring; the engine alone advances @head
 * @mask: size of @ops, less 1
 * @head: next to execute
 * @tail: next to fill
 * @segs: their segments
 * @commits: commits posted and not complete
 * @commit_nr: commits posted
 * @broken_nr: @commit_nr when a commit last failed
 * @want_segs: segments that a refused post would have needed
 * @want_commit: a post was refused for lack of a commit slot
 * @room: calls @handler
 * @handler: the consumer's, told when there is room again
 */
struct lo_tx {
	/* protects all that follows */
	spinlock_t			lock;
	int				status;
	bool				selective;
	u32				size;
	u8				depth;
	struct lo_cq			*cq;
	struct kfi_cq_credit		*credit;
	struct lo_op			*ops;
	u32				mask;
	u32				head;
	u32				tail;
	struct lo_segs			segs;
	u32				commits;
	u64				commit_nr;
	u64				broken_nr;
	u32				want_segs;
	bool				want_commit;
	struct work_struct		room;
	struct kfi_tx_handler_attr	handler;
};

/**
 * struct lo_rx - the receive side of an endpoint
 * @lock: protects all of it; any context
 * @status: why nothing can be posted, or 0
 * @selective: bound with KFI_SELECTIVE_COMPLETION
 * @size: receives that can be outstanding or unread
 * @cq: completion queue
 * @credit: slots in @cq
 * @recvs: posted receives, a ring
 * @mask: size of @recvs, less 1
 * @head: next to be used
 * @tail: next to fill
 * @segs: their segments
 * @waiter: peer whose engine waits for a receive, or for room in @cq
 * @room: there is room in @cq
 */
struct lo_rx {
	/* protects all that follows */
	spinlock_t		lock;
	int			status;
	bool			selective;
	u32			size;
	struct lo_cq		*cq;
	struct kfi_cq_credit	*credit;
	struct lo_recv		*recvs;
	u32			mask;
	u32			head;
	u32			tail;
	struct lo_segs		segs;
	struct lo_ep		*waiter;
	struct work_struct	room;
};

struct lo_commits;
struct lo_conn;

/**
 * struct lo_ep - an open endpoint
 * @ep: what the consumer has
 * @kref: one for being open, one for a commit under way
 * @domain: its domain
 * @eq: event queue
 * @connected: reserved event
 * @shutdown: reserved event
 * @error: reserved event
 * @enabled: kfi_enable() was called
 * @limits: of its operations
 * @src: local address asked for
 * @dest: peer's address asked for
 * @name: the local address that it took
 * @conn_param: KFI_OPT_CONN_PARAM
 * @connect_timeout: KFI_OPT_CONNECT_TIMEOUT, ms
 * @commit_timeout: KFI_OPT_COMMIT_TIMEOUT, ms
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
 */
struct lo_ep {
	struct kfid_ep		ep;
	struct kref		kref;
	struct lo_domain	*domain;
	struct kfid_eq		*eq;
	struct kfi_eq_event	connected;
	struct kfi_eq_event	shutdown;
	struct kfi_eq_event	error;
	bool			enabled;
	struct kfi_ep_limits	limits;
	struct sockaddr_storage	src;
	struct sockaddr_storage	dest;
	struct lo_name		*name;
	struct kfi_conn_param	conn_param;
	unsigned int		connect_timeout;
	unsigned int		commit_timeout;
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
};

/**
 * enum lo_conn_state - state of a connection
 * @LO_CONN_REQUESTED: the listener has not answered
 * @LO_CONN_UP: both ends can transmit
 * @LO_CONN_DOWN: it has ended
 */
enum lo_conn_state {
	LO_CONN_REQUESTED,
	LO_CONN_UP,
	LO_CONN_DOWN,
};

/* Sides of a connection */
#define LO_ACTIVE	0
#define LO_PASSIVE	1

/**
 * struct lo_conn - a connection, from the request on
 * @kref: one for each endpoint, for the request and for the pending timer
 * @lock: protects what follows up to @consumed, and serving of both ends
 * @state: its state
 * @was_up: it has been LO_CONN_UP
 * @ends: the endpoints; NULL when not there yet, or closed
 * @consumed: somebody answers for the request
 * @commit: between commit endpoints
 * @req: the handle of the request
 * @fabric: the listener's, whose child the request is
 * @addrs: the ends' addresses
 * @timer: the listener takes too long
 */
struct lo_conn {
	struct kref		kref;
	/* see above; process context */
	spinlock_t		lock;
	enum lo_conn_state	state;
	bool			was_up;
	struct lo_ep		*ends[2];
	bool			consumed;
	bool			commit;
	struct kfid		req;
	struct lo_fabric	*fabric;
	struct sockaddr_storage	addrs[2];
	struct delayed_work	timer;
};

/**
 * struct lo_name - an address that is taken
 * @node: in the list of all names
 * @net: its namespace
 * @addr: the address
 * @pep: who listens there, or NULL
 */
struct lo_name {
	struct list_head	node;
	struct net		*net;
	struct sockaddr_storage	addr;
	struct lo_pep		*pep;
};

/**
 * struct lo_pep - an open passive endpoint
 * @pep: what the consumer has
 * @fabric: its fabric
 * @eq: event queue
 * @name: its address
 * @listening: requests are taken
 * @tx_size: tx_attr.size of its requests
 * @rx_size: rx_attr.size of its requests
 * @tx_op_flags: tx_attr.op_flags of its requests
 * @rx_op_flags: rx_attr.op_flags of its requests
 * @lock: serialises control calls
 */
struct lo_pep {
	struct kfid_pep		pep;
	struct lo_fabric	*fabric;
	struct kfid_eq		*eq;
	struct lo_name		*name;
	bool			listening;
	size_t			tx_size;
	size_t			rx_size;
	u64			tx_op_flags;
	u64			rx_op_flags;
	/* serialises control calls, but for close */
	struct mutex		lock;
};

/* main.c */
extern struct workqueue_struct *lo_wq;
const struct kfi_info *lo_offer(bool commit);

/* error.c */
int lo_errno(enum lo_error error);
const char *lo_strerror(int prov_errno);

/* domain.c */
int lo_domain_open(struct kfid_fabric *fabric, struct kfi_info *info,
		   struct kfid_domain **domain, void *context,
		   const char *owner);
void lo_domain_fail(struct lo_domain *domain);

/* cq.c */
int lo_cq_open(struct kfid_domain *domain, struct kfi_cq_attr *attr,
	       struct kfid_cq **cq, kfi_comp_handler handler, void *context,
	       const char *owner);
struct lo_cq *lo_cq_of(struct kfid *fid);
void lo_complete(struct lo_cq *cq, struct kfi_cq_credit *credit,
		 const struct kfi_comp *comp);

/* mr.c */
extern const struct kfi_ops_mr lo_mr_ops;
struct lo_mr *lo_mr_begin(struct lo_domain *domain,
			  const struct kfi_rma_iov *range, u64 rights);
void lo_mr_end(struct lo_mr *mr);
struct lo_mr *lo_mr_hold(struct lo_domain *domain,
			 const struct kfi_rma_iov *range);
void lo_mr_put(struct lo_mr *mr);
void lo_mr_cursor(const struct lo_mr *mr, u64 addr, struct lo_cursor *cursor);

/* seg.c */
int lo_segs_alloc(struct lo_segs *segs, u32 count);
int lo_segs_fill(struct lo_segs *segs, enum kfi_iov_type type, const void *iov,
		 size_t count, u32 limit);
int lo_gather(u8 *to, enum kfi_iov_type type, const void *iov, size_t count);
void lo_cursor_linear(struct lo_cursor *cursor, void *buf);
void lo_cursor_segs(struct lo_cursor *cursor, const struct lo_segs *segs,
		    u32 index);
size_t lo_cursor_room(const struct lo_cursor *cursor);
void *lo_cursor_map(const struct lo_cursor *cursor);
void lo_cursor_unmap(const struct lo_cursor *cursor, void *addr);
void lo_copy(struct lo_cursor *to, struct lo_cursor *from, size_t len);

/* ep.c */
int lo_ep_open(struct kfid_domain *domain, struct kfi_info *info,
	       struct kfid_ep **ep, void *context, const char *owner);
int lo_ep_enable(struct lo_ep *ep);
void lo_ep_put(struct lo_ep *ep);
struct lo_ep *lo_ep_of(struct kfid *fid);

/* option.c */
extern const struct kfi_ops_ep lo_ep_ops;

/* name.c */
void lo_names_lock(unsigned int *noio);
void lo_names_unlock(unsigned int noio);
struct lo_name *lo_name_take(struct net *net,
			     const struct sockaddr_storage *addr);
void lo_name_drop(struct lo_name *name);
struct lo_pep *lo_name_find(struct net *net, struct sockaddr_storage *addr);
int lo_addr_copy(struct sockaddr_storage *to, const void *from, size_t len);

/* conn.c */
struct lo_conn *lo_conn_alloc(bool commit);
void lo_conn_put(struct lo_conn *conn);
void lo_conn_attach(struct lo_conn *conn, struct lo_ep *ep, unsigned int side);
void lo_conn_detach(struct lo_ep *ep);
void lo_conn_withdraw(struct lo_ep *ep);
bool lo_conn_asked(struct lo_conn *conn);
bool lo_conn_was_up(struct lo_conn *conn);
void lo_conn_wait(struct lo_conn *conn, unsigned int timeout);
bool lo_conn_up(struct lo_conn *conn, const void *data, size_t len);
void lo_conn_fail(struct lo_conn *conn);
void lo_conn_refuse(struct lo_conn *conn, enum lo_error error,
		    const void *data, size_t len);
void lo_conn_shutdown(struct lo_ep *ep);
void lo_conn_end(struct lo_ep *ep);
struct lo_ep *lo_peer_get(struct lo_ep *ep);
void lo_peer_put(struct lo_ep *peer);
bool lo_ep_serving(struct lo_ep *ep);
size_t lo_cm_room(const struct lo_conn *conn, size_t size);

/* connreq.c */
int lo_request(struct lo_conn *conn, struct lo_pep *pep, const void *param,
	       size_t paramlen);
struct lo_conn *lo_request_of(struct kfid *handle);
bool lo_request_consume(struct lo_conn *conn);
int lo_reject(struct kfid_pep *pep, struct kfid *handle, const void *param,
	      size_t paramlen);

/* cm.c */
extern const struct kfi_ops_cm lo_cm_ops;
int lo_get_addr(const struct sockaddr_storage *from, void *addr, size_t *len);

/* pep.c */
int lo_pep_open(struct kfid_fabric *fabric, struct kfi_info *info,
		struct kfid_pep **pep, void *context, const char *owner);

/* tx.c */
int lo_tx_init(struct lo_ep *ep);
void lo_tx_free(struct lo_tx *tx);
ssize_t lo_tx_post(struct lo_ep *ep, const struct lo_post *post);
ssize_t lo_tx_refuse(struct lo_ep *ep, ssize_t ret);
bool lo_tx_quiet(const struct lo_ep *ep, u64 flags);
struct lo_op *lo_tx_first(struct lo_tx *tx);
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
void lo_rx_data(struct lo_ep *peer, const struct lo_desc *desc,
		const struct lo_recv *recv);
void lo_rx_kill(struct lo_ep *ep);
void lo_rx_flush(struct lo_ep *ep);

/* rnr.c */
void lo_rnr_init(struct lo_ep *ep);
bool lo_rnr_expired(struct lo_ep *ep, const struct lo_ep *peer);

/* engine.c */
void lo_engine(struct work_struct *work);
void lo_op_cursor(struct lo_ep *ep, struct lo_op *op, struct lo_cursor *cursor);

/* msg.c, rma.c, atomic.c */
extern const struct kfi_ops_msg lo_msg_ops;
extern const struct kfi_ops_msg lo_no_msg_ops;
extern const struct kfi_ops_rma lo_rma_ops;
extern const struct kfi_ops_atomic lo_atomic_ops;
extern const struct kfi_ops_atomic lo_no_atomic_ops;
int lo_exec_send(struct lo_ep *ep, struct lo_ep *peer, struct lo_op *op);
int lo_exec_read(struct lo_ep *ep, struct lo_ep *peer, struct lo_op *op);
int lo_exec_write(struct lo_ep *ep, struct lo_ep *peer, struct lo_op *op);
int lo_exec_atomic(struct lo_ep *peer, struct lo_op *op);

#endif /* KFI_LOOPBACK_H */
