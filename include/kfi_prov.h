/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a provider and the core owe each other. Not for consumers.
 */

#ifndef KFI_PROV_H
#define KFI_PROV_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/uio.h>
#include <linux/workqueue.h>

#include <kfabric.h>
#include <kfi_domain.h>
#include <kfi_endpoint.h>
#include <kfi_eq.h>
#include <kfi_rma.h>
#include <kfi_stats.h>

struct completion;
struct kfi_ioc;
struct kfi_msg_atomic;
struct kfi_pmem_span;
struct dentry;
struct page;

/* The core's folder in debugfs, /sys/kernel/debug/kfabric. */
extern struct dentry *kfi_debugfs_root;

/**
 * KFI_KEY_PMEM - mark of a KFI_PMEM region's key
 *
 * Above the 32 bits that go to the device. A commit to a key without it is refused
 * before anything is posted; the target's provider checks the region itself.
 */
#define KFI_KEY_PMEM		BIT_ULL(32)

/**
 * KFI_KEY_READ - mark of the key of a KFI_PMEM region that peers may read and write
 *
 * A commit by KFI_COMMIT_READ to a key without it is refused before anything is
 * posted; the target's device checks the rights itself.
 */
#define KFI_KEY_READ		BIT_ULL(33)

/**
 * KFI_KEY_MASK - bits that a key can have
 */
#define KFI_KEY_MASK		(KFI_KEY_READ | KFI_KEY_PMEM | U32_MAX)

/**
 * KFI_DEFAULT_TX_SIZE - &kfi_tx_attr.size when the hints ask for none
 */
#define KFI_DEFAULT_TX_SIZE	128

/**
 * KFI_DEFAULT_RX_SIZE - &kfi_rx_attr.size when the hints ask for none
 */
#define KFI_DEFAULT_RX_SIZE	128

/**
 * enum kfi_ep_kind - kinds of endpoints
 * @KFI_KIND_RAW: messages and one-sided access, without commits
 * @KFI_KIND_COMMIT: one-sided access with commits
 * @KFI_KIND_BOTH: messages, and one-sided access with commits
 * @KFI_KINDS: how many there are
 *
 * Each is an offer of its own, and they are offered in this order. Both ends of a
 * connection are of the same kind.
 */
enum kfi_ep_kind {
	KFI_KIND_RAW,
	KFI_KIND_COMMIT,
	KFI_KIND_BOTH,
	KFI_KINDS,
};

/**
 * kfi_kind_of() - the kind of endpoint that has capabilities
 * @caps: capabilities of an offer, or of an info that an endpoint is opened with
 *
 * Context: Any context.
 * Return: the kind.
 */
static inline enum kfi_ep_kind kfi_kind_of(u64 caps)
{
	if (!(caps & KFI_RMA_PMEM))
		return KFI_KIND_RAW;
	return caps & KFI_MSG ? KFI_KIND_BOTH : KFI_KIND_COMMIT;
}

/**
 * KFI_CM_REQ_SIZE - bytes of private data that a listener gets, padded
 */
#define KFI_CM_REQ_SIZE		56

/**
 * KFI_CM_REP_SIZE - bytes of private data that an accept brings, padded
 */
#define KFI_CM_REP_SIZE		196

/**
 * KFI_CM_REJ_SIZE - bytes of private data that a reject brings, padded
 */
#define KFI_CM_REJ_SIZE		148

/*
 * Registration and discovery
 */

/**
 * struct kfi_getinfo_req - a kfi_getinfo() call, checked and parsed
 * @version: version of the interface that the consumer was written for
 * @flags: flags of the call
 * @hints: the hints, or NULL
 * @net: network namespace
 * @addr_format: KFI_FORMAT_UNSPEC, KFI_SOCKADDR_IN or KFI_SOCKADDR_IN6
 * @src: local address; family AF_UNSPEC when there is none
 * @dest: peer's address; family AF_UNSPEC when there is none
 */
struct kfi_getinfo_req {
	u32				version;
	u64				flags;
	const struct kfi_info		*hints;
	struct net			*net;
	u32				addr_format;
	struct sockaddr_storage		src;
	struct sockaddr_storage		dest;
};

/**
 * struct kfi_provider - a provider
 * @name: its name, unique. Its module has the alias "kfi-prov-NAME"
 * @version: its version, KFI_VERSION()
 * @owner: its module; every open fabric holds a reference
 * @getinfo: offer what it has with kfi_info_offer(); called without a lock, may
 *	sleep, but never for the network
 * @fabric: see kfi_fabric(); attr->prov_name is this provider's
 * @id: the core's, as is all that follows
 * @node: in the list of providers
 * @eps: open endpoints
 * @stats: of closed endpoints, and how many were opened
 * @conn: connections, by &enum kfi_stat_conn
 */
struct kfi_provider {
	const char	*name;
	u32		version;
	struct module	*owner;
	int		(*getinfo)(const struct kfi_getinfo_req *req,
				   struct kfi_info **info);
	int		(*fabric)(struct kfi_fabric_attr *attr,
				  struct kfid_fabric **fabric, void *context);
	u64		id;
	struct list_head node;
	struct list_head eps;
	struct kfi_prov_stats stats;
	atomic64_t	conn[KFI_STAT_CONNS];
};

int kfi_provider_register(struct kfi_provider *provider);
void kfi_provider_deregister(struct kfi_provider *provider);
struct kfi_provider *kfi_provider_get(const char *name);
void kfi_provider_put(struct kfi_provider *provider);

const char *kfi_info_mismatch(const struct kfi_info *offer,
			      const struct kfi_info *hints);
int kfi_info_offer(const struct kfi_getinfo_req *req,
		   const struct kfi_info *offer, struct kfi_info **list);

/*
 * Object lifetime
 */

void kfi_obj_init(struct kfid *fid, size_t fclass, const struct kfi_ops *ops,
		  void *context);
bool kfi_obj_get(struct kfid *fid);
void kfi_obj_put(struct kfid *fid);
bool kfi_obj_close(struct kfid *fid);

/*
 * Event queues: wholly the core's. A provider owns the events of its endpoints
 * and passive endpoints, and posts them.
 */

/**
 * struct kfi_eq_event - an event, reserved by the object that it is about
 * @node: in the queue; the core's
 * @fid: the object
 * @info: KFI_CONNREQ: the request
 * @event: KFI_CONNREQ, KFI_CONNECTED, KFI_SHUTDOWN; ignored for an error
 * @err: positive errno: this is an error event
 * @prov_errno: the provider's number for it
 * @data_len: bytes of @data
 * @data: private data of the peer
 */
struct kfi_eq_event {
	struct list_head	node;
	struct kfid		*fid;
	struct kfi_info		*info;
	u32			event;
	int			err;
	int			prov_errno;
	u8			data_len;
	u8			data[KFI_CM_REP_SIZE];
};

void kfi_eq_event_init(struct kfi_eq_event *ev, struct kfid *fid);
int kfi_prov_eq_open(struct kfid_fabric *fabric, struct kfi_eq_attr *attr,
		     const char *(*strerror)(int prov_errno),
		     struct kfid_eq **eq, kfi_event_handler event_handler,
		     void *context);
struct kfid_fabric *kfi_eq_fabric(struct kfid_eq *eq);
void kfi_eq_post(struct kfid_eq *eq, struct kfi_eq_event *ev);
struct kfi_eq_event *kfi_eq_get_connreq(struct kfid_eq *eq);
void kfi_eq_put_connreq(struct kfid_eq *eq, struct kfi_eq_event *ev);
void kfi_eq_flush(struct kfid_eq *eq, struct kfid *fid);

/*
 * Endpoints: what is the same for all
 */

int kfi_prov_bind_eq(struct kfid_eq **eq, const struct kfid_fabric *fabric,
		     struct kfid *bfid, u64 flags);
int kfi_prov_getopt(void *optval, size_t *optlen, const void *value,
		    size_t len);
int kfi_prov_setopt_ms(unsigned int *ms, bool late, const void *optval,
		       size_t optlen);
int kfi_prov_setopt_tx_handler(struct kfi_tx_handler_attr *handler, bool late,
			       const void *optval, size_t optlen);
int kfi_prov_setopt_method(enum kfi_commit_method *method, bool late,
			   const void *optval, size_t optlen);
enum kfi_commit_method kfi_prov_method(enum kfi_commit_method wanted,
				       unsigned long allowed);
bool kfi_prov_readable(const struct kfi_rma_iov *rma, size_t count);

/*
 * Completion queues: the ring and the credits are the core's, what fills it is
 * the provider's.
 */

/**
 * struct kfi_comp - a completion
 * @op_context: context of the operation
 * @flags: see &struct kfi_cq_msg_entry
 * @len: see &struct kfi_cq_msg_entry
 * @data: with KFI_REMOTE_CQ_DATA in @flags
 * @olen: of an error: bytes too many
 * @err: positive errno: this is an error
 * @prov_errno: the provider's number for it
 */
struct kfi_comp {
	void			*op_context;
	u64			flags;
	size_t			len;
	u64			data;
	size_t			olen;
	int			err;
	int			prov_errno;
};

/**
 * DOC: credits
 *
 * &kfi_cq_credit.returned has flags below the number of slots:
 *
 * KFI_CREDIT_WANT
 *	the provider waits for a slot
 * KFI_CREDIT_DEAD
 *	the endpoint is closed
 * KFI_CREDIT_SHIFT, KFI_CREDIT_SLOT
 *	where the number begins, and one of it
 */
#define KFI_CREDIT_WANT		BIT(0)
#define KFI_CREDIT_DEAD		BIT(1)
#define KFI_CREDIT_SHIFT	2
#define KFI_CREDIT_SLOT		BIT(KFI_CREDIT_SHIFT)

/**
 * struct kfi_cq_credit - one endpoint's share, in one direction, of a queue
 * @cq: the queue
 * @limit: entries reserved
 * @work: queued on @wq when a slot came back while KFI_CREDIT_WANT was set
 * @wq: workqueue of @work
 * @node: in @cq's list of credits; under @cq's lock
 * @ep: number of the endpoint
 * @error: error completions, by &enum kfi_stat_error
 * @taken: operations posted; written by the provider under its post lock, and on a
 *	cache line that nobody else writes
 * @returned: operations whose slot came back, and KFI_CREDIT_* flags, which are
 *	set and cleared under @cq's lock. Who finds one set must take the lock
 */
struct kfi_cq_credit {
	struct kfi_prov_cq	*cq;
	unsigned int		limit;
	struct work_struct	*work;
	struct workqueue_struct	*wq;
	struct list_head	node;
	u64			ep;
	atomic64_t		error[KFI_STAT_ERRORS];

	u64			taken ____cacheline_aligned_in_smp;

	atomic64_t		returned ____cacheline_aligned_in_smp;
};

/**
 * struct kfi_cq_slot - a place in the ring of a completion queue
 * @nr: number of the entry in it, counted from 1; written last
 * @credit: the credit of the entry's operation
 * @comp: the entry
 */
struct kfi_cq_slot {
	unsigned long		nr;
	struct kfi_cq_credit	*credit;
	struct kfi_comp		comp;
};

/**
 * struct kfi_prov_cq - the common part of every provider's completion queue
 * @cq: what the consumer has
 * @domain: its domain
 * @poll: for a queue without a handler: reap what the device has, at least
 *	@budget entries if there are; called in any context, with no lock held, by
 *	several readers at once. NULL when the device drives the queue
 * @strerror: text of a prov_errno
 * @format: format of the entries
 * @limit: entries that may be reserved
 * @handler: completion handler, or NULL
 * @process: it runs in process context
 * @ring: slots
 * @mask: their number, a power of two, - 1
 * @lock: protects @reserved, @credits and the credits' flags; not taken for an
 *	entry. Innermost but for workqueue locks
 * @reserved: entries promised to endpoints, dead ones' unread entries included
 * @credits: all credits
 * @node: in the list of queues
 * @error: error entries made, by &enum kfi_stat_error
 * @tail: entries that were made, or are being made
 * @head: entries that were read
 * @state: CQ_*, see cq.c
 */
struct kfi_prov_cq {
	struct kfid_cq		cq;
	struct kfid_domain	*domain;
	void			(*poll)(struct kfi_prov_cq *pcq, int budget);
	const char		*(*strerror)(int prov_errno);
	enum kfi_cq_format	format;
	unsigned int		limit;
	kfi_comp_handler	handler;
	bool			process;
	struct kfi_cq_slot	*ring;
	unsigned long		mask;

	/* protects @reserved, @credits and the credits' flags */
	spinlock_t		lock;
	unsigned int		reserved;
	struct list_head	credits;
	struct list_head	node;
	atomic64_t		error[KFI_STAT_ERRORS];

	atomic_long_t		tail ____cacheline_aligned_in_smp;
	atomic_long_t		head ____cacheline_aligned_in_smp;
	atomic_t		state ____cacheline_aligned_in_smp;
};

int kfi_prov_cq_init(struct kfi_prov_cq *pcq, struct kfid_domain *domain,
		     struct kfi_cq_attr *attr, kfi_comp_handler handler,
		     void *context, const struct kfi_ops *ops);
void kfi_prov_cq_destroy(struct kfi_prov_cq *pcq);
void kfi_cq_might_wait(void);

struct kfi_cq_credit *kfi_cq_reserve(struct kfi_prov_cq *pcq,
				     const struct kfid_ep *ep,
				     unsigned int limit,
				     struct workqueue_struct *wq,
				     struct work_struct *work);
void kfi_cq_release(struct kfi_cq_credit *credit);
bool kfi_cq_want(struct kfi_cq_credit *credit);
void kfi_cq_complete(struct kfi_cq_credit *credit, const struct kfi_comp *comp);
void kfi_cq_complete_op(struct kfi_cq_credit *credit, void *op_context,
			u64 flags);
void kfi_cq_complete_silent(struct kfi_cq_credit *credit);

/**
 * kfi_cq_take() - take a slot for an operation that is about to be posted
 * @credit: the endpoint's credit in that direction
 *
 * Each slot taken is given back by one kfi_cq_complete() or
 * kfi_cq_complete_silent(), or at once by kfi_cq_untake() when the post fails.
 *
 * Context: Any context, under the endpoint's post lock of that direction.
 * Return: false when there is none; kfi_cq_want() then asks to be told.
 */
static inline bool kfi_cq_take(struct kfi_cq_credit *credit)
{
	u64 returned = atomic64_read(&credit->returned) >> KFI_CREDIT_SHIFT;

	if (credit->taken - returned >= credit->limit)
		return false;
	credit->taken++;
	return true;
}

/**
 * kfi_cq_untake() - give back a slot whose operation was not posted
 * @credit: the endpoint's credit in that direction
 *
 * Context: Any context, under the endpoint's post lock of that direction.
 */
static inline void kfi_cq_untake(struct kfi_cq_credit *credit)
{
	credit->taken--;
}

/*
 * Statistics: what &kfi_ops_ep.add_stats is made of, and connections that were rejected.
 */

void kfi_prov_rejected(struct kfi_provider *provider, u64 id,
		       const struct sockaddr_storage *peer);
void kfi_stat_add_posts(struct kfi_ep_stats *stats,
			const struct kfi_stat_count *posts);
void kfi_stat_add_errors(struct kfi_ep_stats *stats,
			 const struct kfi_cq_credit *credit);
void kfi_stat_add_hist(struct kfi_stat_hist *to, const struct kfi_stat_hist *from);
int kfi_prov_persist(const struct kfid_ep *ep, const struct kfi_pmem_span *spans,
		     unsigned int nr, u64 *ns);

/**
 * kfi_cq_done() - operations that are done with their slot
 * @credit: the endpoint's credit in one direction
 *
 * Context: Any context.
 * Return: how many have completed and were read, if they made an entry.
 */
static inline u64 kfi_cq_done(const struct kfi_cq_credit *credit)
{
	return (u64)atomic64_read(&credit->returned) >> KFI_CREDIT_SHIFT;
}

/*
 * Arguments of operations: every provider checks them here, so that the same
 * mistake is the same error everywhere.
 */

/**
 * DOC: valid operation flags
 *
 * What the calls take; everything else is -EINVAL. KFI_RECV_FLAGS, KFI_SEND_FLAGS,
 * KFI_READ_FLAGS, KFI_WRITE_FLAGS and KFI_ATOMIC_FLAGS are those of kfi_recvmsg(),
 * kfi_sendmsg(), kfi_readmsg(), kfi_writemsg() and the three atomic calls. Of
 * KFI_LEVEL_FLAGS, what a completion means, an operation can have one.
 */
#define KFI_LEVEL_FLAGS	(KFI_INJECT_COMPLETE | KFI_TRANSMIT_COMPLETE | \
			 KFI_DELIVERY_COMPLETE | KFI_COMMIT_COMPLETE)
#define KFI_RECV_FLAGS	(KFI_COMPLETION | KFI_MORE)
#define KFI_SEND_FLAGS	(KFI_COMPLETION | KFI_INJECT | KFI_MORE | KFI_FENCE | \
			 KFI_REMOTE_CQ_DATA | KFI_LEVEL_FLAGS)
#define KFI_READ_FLAGS	(KFI_COMPLETION | KFI_MORE | KFI_FENCE | \
			 KFI_INJECT_COMPLETE | KFI_TRANSMIT_COMPLETE | \
			 KFI_DELIVERY_COMPLETE)
#define KFI_WRITE_FLAGS	KFI_SEND_FLAGS
#define KFI_ATOMIC_FLAGS (KFI_COMPLETION | KFI_INJECT | KFI_MORE | KFI_FENCE | \
			  KFI_INJECT_COMPLETE | KFI_TRANSMIT_COMPLETE | \
			  KFI_DELIVERY_COMPLETE)

/**
 * struct kfi_ep_limits - what kfi_check_send() and its like check against
 * @max_msg_size: see &struct kfi_ep_attr
 * @inject_size: see &struct kfi_tx_attr
 * @cq_data_size: see &struct kfi_domain_attr
 * @rma_iov_limit: see &struct kfi_tx_attr
 * @commit: the endpoint has KFI_RMA_PMEM
 */
struct kfi_ep_limits {
	size_t	max_msg_size;
	size_t	inject_size;
	size_t	cq_data_size;
	size_t	rma_iov_limit;
	bool	commit;
};

/**
 * kfi_nowhere() - recognise NULL, and a member of a structure at NULL
 * @addr: an address that a consumer gave
 *
 * Context: Any context.
 * Return: true when there can be nothing.
 */
static inline bool kfi_nowhere(const void *addr)
{
	return (unsigned long)addr < PAGE_SIZE;
}

int kfi_check_send(const struct kfi_ep_limits *limits,
		   const struct kfi_msg *msg, u64 flags, size_t *len);
int kfi_check_recv(const struct kfi_ep_limits *limits,
		   const struct kfi_msg *msg, u64 flags, size_t *len);
int kfi_check_rma(const struct kfi_ep_limits *limits,
		  const struct kfi_msg_rma *msg, u64 flags, u64 valid,
		  size_t *len);

/**
 * DOC: plain operations
 *
 * Most operations are one piece of kernel memory with flags that ask for nothing
 * to be looked at, KFI_PLAIN_FLAGS at most. A provider can recognise them in place
 * by kfi_plain_send() and kfi_plain_rma(), and need not check them then; the others,
 * and what is wrong, are for kfi_check_send() and kfi_check_rma().
 */
#define KFI_PLAIN_FLAGS	(KFI_COMPLETION | KFI_INJECT | KFI_MORE | KFI_FENCE)

/**
 * kfi_plain_kvec() - recognise memory that is there, and not too long
 * @limits: of the endpoint
 * @iov: the only piece of an operation
 * @flags: its flags
 *
 * Context: Any context.
 * Return: true if it is that.
 */
static inline bool kfi_plain_kvec(const struct kfi_ep_limits *limits,
				  const struct kvec *iov, u64 flags)
{
	size_t max = flags & KFI_INJECT ? limits->inject_size :
					  limits->max_msg_size;

	return iov && !kfi_nowhere(iov->iov_base) && iov->iov_len <= max;
}

/**
 * kfi_plain_send() - recognise a send of one piece of kernel memory
 * @limits: of the endpoint
 * @msg: the send
 * @flags: its flags
 *
 * Context: Any context.
 * Return: true if it is one, and kfi_check_send() would find nothing wrong.
 */
static inline bool kfi_plain_send(const struct kfi_ep_limits *limits,
				  const struct kfi_msg *msg, u64 flags)
{
	return likely(msg && !(flags & ~KFI_PLAIN_FLAGS) &&
		      msg->type == KFI_KVEC && msg->iov_count == 1 &&
		      kfi_plain_kvec(limits, msg->msg_iov, flags));
}

/**
 * kfi_plain_rma() - recognise one piece of kernel memory and one remote range
 * @limits: of the endpoint
 * @msg: the operation
 * @flags: its flags
 * @valid: flags that it may have: KFI_READ_FLAGS or KFI_WRITE_FLAGS
 *
 * Context: Any context.
 * Return: true if it is that, and kfi_check_rma() would find nothing wrong.
 */
static inline bool kfi_plain_rma(const struct kfi_ep_limits *limits,
				 const struct kfi_msg_rma *msg, u64 flags,
				 u64 valid)
{
	const struct kfi_rma_iov *rma;

	if (unlikely(!msg || flags & ~(valid & KFI_PLAIN_FLAGS) ||
		     msg->type != KFI_KVEC || msg->iov_count != 1 ||
		     msg->rma_iov_count != 1 || !msg->rma_iov ||
		     !kfi_plain_kvec(limits, msg->msg_iov, flags)))
		return false;
	rma = msg->rma_iov;
	return likely(rma->len == msg->msg_iov->iov_len &&
		      rma->addr + rma->len >= rma->addr &&
		      !(rma->key & ~KFI_KEY_MASK));
}

int kfi_check_atomic(const struct kfi_msg_atomic *msg, u64 flags);
int kfi_check_operand(const struct kfi_ioc *iov, size_t count);
int kfi_check_mr(const struct kfi_mr_attr *attr, u64 flags, size_t *len);
int kfi_check_tx_op_flags(u64 op_flags);

/**
 * struct kfi_seg - a piece of memory that is contiguous for the device
 * @page: the page in which it starts
 * @offset: in @page, less than PAGE_SIZE
 * @len: bytes; may reach into the pages that follow @page
 * @index: element of the vector that it belongs to
 */
struct kfi_seg {
	struct page	*page;
	unsigned int	offset;
	size_t		len;
	size_t		index;
};

/**
 * struct kfi_seg_iter - walks a vector, segment by segment
 * @type: what the vector consists of
 * @iov: the vector; of a scatterlist the current element
 * @count: its elements
 * @index: current element
 * @done: bytes of the current element that were walked
 */
struct kfi_seg_iter {
	enum kfi_iov_type	type;
	const void		*iov;
	size_t			count;
	size_t			index;
	size_t			done;
};

void kfi_seg_iter_init(struct kfi_seg_iter *iter, enum kfi_iov_type type,
		       const void *iov, size_t count);
bool kfi_seg_next(struct kfi_seg_iter *iter, size_t max, struct kfi_seg *seg);

/*
 * Addresses
 */

bool kfi_sockaddr_valid(const void *addr, size_t len);
size_t kfi_sockaddr_len(const struct sockaddr_storage *addr);
u32 kfi_sockaddr_format(const struct sockaddr_storage *addr);

#endif /* KFI_PROV_H */
