/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Endpoints and messages.
 */

#ifndef KFI_ENDPOINT_H
#define KFI_ENDPOINT_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/uio.h>

#include <kfabric.h>
#include <kfi_domain.h>

struct kfi_ep_stats;

/**
 * DOC: calling contexts
 *
 * Calls that move data - those of messages, RMA and atomics, and kfi_cq_read(),
 * kfi_cq_readerr(), kfi_eq_read(), kfi_eq_readerr() - may be made from any
 * context but NMI: softirq, hard interrupt, with spinlocks held and interrupts
 * off. They do not sleep, do not allocate, and take these spinlocks of the interface: a
 * post that of its endpoint, and inside of it for a moment that of a completion queue
 * that has no room for the operation; a read of an event queue its own; a read of a
 * completion queue that is polled, or for whose entries somebody waits, one of the queue
 * and then, when commits or fenced operations can go on, that of their endpoint. Any
 * number of threads may make them on one object at once.
 *
 * All others are control calls, except those that only look something up and
 * say so. Control calls need process context and may sleep. Allocation honours
 * memalloc_noio_save(), so they can be made on the way of memory reclaim. No
 * call on an object may race with its kfi_close().
 *
 * Arrays of a call - vectors, descriptors, remote ranges, the message itself -
 * are the caller's again when the call returns. The memory that they describe is
 * the provider's until the operation completes; with KFI_INJECT it is the
 * caller's again at once.
 */

/**
 * DOC: kinds of endpoints
 *
 * There are three, and both ends of a connection are of the same. What kfi_getinfo()
 * is asked for chooses among them; who names no capabilities is offered all that the
 * device has, in this order:
 *
 * ==================  ========================================================
 * raw                 KFI_MSG, KFI_RMA, KFI_ATOMIC, or any of them without
 *                     KFI_RMA_PMEM: what a device does by itself, in the order
 *                     of posting. A write with data takes a receive at the
 *                     target (KFI_RX_CQ_DATA)
 * commit              KFI_RMA_PMEM, or KFI_RMA of a consumer who does not mind:
 *                     one-sided access with commits, without messages
 * both                KFI_MSG and KFI_RMA_PMEM: messages beside one-sided access
 *                     with commits
 * ==================  ========================================================
 *
 * The last is one endpoint to its consumer: one connection, one event each for its
 * beginning and its end, one tx_attr.size for all that it transmits, one KFI_FENCE
 * and KFI_MORE across all of it. To the provider it is two queue pairs, so it costs
 * a second one with its queues, and the time of a second connection before
 * KFI_CONNECTED. Messages and one-sided access do not keep an order between them,
 * nor hold each other up: a message that finds no receive delays no commit. A write
 * with data takes no receive. Its entry has slots of its own: binding a completion
 * queue with KFI_RECV takes rx_attr.size entries for receives and as many for data.
 * A listener has to stay open until the endpoint that it accepted with is connected.
 */

/**
 * DOC: memory of slots
 *
 * What posts need is allocated before the first of them, as much as the attributes
 * ask for. In bytes, on a 64-bit machine with pages of 4 KiB, where tx and rx are
 * tx_attr.size and rx_attr.size, iov is the iov_limit of that direction, and up()
 * rounds up to a power of two:
 *
 * ==================  ========================================================
 * verbs, transmit     up(tx + w) * (112 + 16 * iov) + up(tx) * 176. w are the
 *                     work requests of the largest RMA operation: 2112 divided by
 *                     the segments of a read (max_sge_rd of the device, at most
 *                     iov), plus 18, and plus 16 with commits
 * verbs, receive      up(rx) * (56 + 16 * iov)
 * verbs, commits      3064 + 64 * 1160 for the slots; (144 + rx) * 608 for the
 *                     provider's receives, instead of "receive"
 * verbs, both         transmit, commits and receive, and for messages
 *                     up(tx + 1) * (112 + 16 * iov) + up(tx) * 176
 * loopback, transmit  up(tx) * 632 + up(32 * tx + 4096) * 16
 * loopback, receive   up(rx) * 32 + up(32 * rx) * 16
 * loopback, commits   73376: 64 slots of 1144, and their administration
 * loopback, both      all of these, and for messages up(tx) * 632 +
 *                     up(32 * tx) * 16
 * completion queue    up(size) * 64, with either provider
 * ==================  ========================================================
 *
 * With 128 of each, which is the default, and 32 segments as soft-RoCE has them, that
 * is 178 KiB and 71 KiB for a raw endpoint of verbs, 207 KiB and 68 KiB for one of
 * loopback; a commit endpoint of verbs has 237 KiB besides the 178. The device's own
 * queues come on top: a send queue of up(tx + w) + 4 work requests, 64 more with
 * commits, a receive queue of up(rx) + 4, with commits of rx + 148, and a completion
 * queue for each; for both kinds of operations a second pair of each.
 */

/**
 * struct kfi_msg - a message
 * @type: which member of the union
 * @msg_iov: KFI_KVEC
 * @msg_biov: KFI_BVEC
 * @msg_sgl: KFI_SGL
 * @desc: local descriptors, one for each element, or NULL; each may be NULL
 * @iov_count: elements of the vector; 0 for an empty message
 * @addr: ignored, endpoints are connected
 * @context: returned as op_context of the completion
 * @data: for the peer's completion, with KFI_REMOTE_CQ_DATA; must fit
 *	cq_data_size bytes
 */
struct kfi_msg {
	enum kfi_iov_type	type;
	union {
		const struct kvec		*msg_iov;
		const struct bio_vec		*msg_biov;
		const struct scatterlist	*msg_sgl;
	};
	void			**desc;
	size_t			iov_count;
	kfi_addr_t		addr;
	void			*context;
	u64			data;
};

/**
 * enum kfi_opt_level - level of kfi_getopt() and kfi_setopt()
 * @KFI_OPT_ENDPOINT: options of endpoints, &enum kfi_opt; there are no others
 */
enum kfi_opt_level {
	KFI_OPT_ENDPOINT
};

/**
 * enum kfi_opt - options of an endpoint
 * @KFI_OPT_CM_DATA_SIZE: size_t, get only: bytes of private data that kfi_connect()
 *	takes, 56, less on a commit endpoint
 * @KFI_OPT_CONNECT_TIMEOUT: unsigned int, get and set before kfi_connect() or
 *	kfi_accept(): milliseconds after which an attempt to connect fails with
 *	ETIMEDOUT; 1 to INT_MAX, default 5000. kfabric extension
 * @KFI_OPT_COMMIT_TIMEOUT: unsigned int, get and set at any time, for outstanding
 *	commits too: milliseconds after which a commit that was not answered ends the
 *	connection; 1 to INT_MAX, default 30000. kfabric extension
 * @KFI_OPT_RMA_SEG_LIMIT: size_t, get only: most DMA segments of an RMA operation,
 *	after splitting into pages. kfabric extension
 * @KFI_OPT_TX_HANDLER: struct kfi_tx_handler_attr, set only, before the endpoint is
 *	enabled; default nobody. kfabric extension
 * @KFI_OPT_CONN_PARAM: struct kfi_conn_param, get and set before kfi_connect() or
 *	kfi_accept(). kfabric extension
 * @KFI_OPT_COMMIT_INFO: struct kfi_commit_info, get only. kfabric extension
 * @KFI_OPT_COMMIT_METHOD: enum kfi_commit_method, get and set before kfi_connect() or
 *	kfi_accept(), on endpoints with KFI_RMA_PMEM: how this end is to commit. A
 *	method that the peer does not declare or this end does not have, or one but
 *	KFI_COMMIT_SERVER on a connection without reads, makes the connection fail
 *	with EOPNOTSUPP: an error event for who connects, the return value of
 *	kfi_accept(), which may be called again, for who accepts. KFI_COMMIT_NONE
 *	leaves it to the provider: what is the least work for the target of what can
 *	be had, KFI_COMMIT_READ, KFI_COMMIT_FLUSH, KFI_COMMIT_SERVER. Default
 *	KFI_COMMIT_SERVER: it needs no more than that the target keeps its own word,
 *	every region can be committed to, and a commit that fails is the error of
 *	that commit alone. kfabric extension
 */
enum kfi_opt {
	KFI_OPT_CM_DATA_SIZE	= 1,
	KFI_OPT_CONNECT_TIMEOUT	= 64,
	KFI_OPT_COMMIT_TIMEOUT,
	KFI_OPT_RMA_SEG_LIMIT,
	KFI_OPT_TX_HANDLER,
	KFI_OPT_CONN_PARAM,
	KFI_OPT_COMMIT_INFO,
	KFI_OPT_COMMIT_METHOD,
};

/**
 * typedef kfi_tx_handler - there is room again for what got -EAGAIN
 * @ep: the endpoint
 * @context: of &struct kfi_tx_handler_attr
 *
 * Called once for posts that were refused, and not for those that were not. It may
 * post; it must not close the endpoint.
 *
 * Context: Process context, on a workqueue that memory reclaim can rely on; may
 * sleep.
 */
typedef void (*kfi_tx_handler)(struct kfid_ep *ep, void *context);

/**
 * struct kfi_tx_handler_attr - who is told that there is room again
 * @handler: called once when a post that got -EAGAIN would find room again, or
 *	NULL for nobody. Process context, on a workqueue that memory reclaim can
 *	rely on; may post, may not close the endpoint
 * @context: argument of @handler
 *
 * Value of KFI_OPT_TX_HANDLER, set before the endpoint is enabled.
 */
struct kfi_tx_handler_attr {
	kfi_tx_handler	handler;
	void		*context;
};

/**
 * struct kfi_conn_param - how a connection behaves
 * @initiator_depth: reads and atomics outstanding to the peer
 * @responder_resources: reads and atomics of the peer outstanding here, 1 or
 *	more
 * @retry_count: retransmissions before the connection fails, 0 to 7; to
 *	soft-RoCE 7, the default, is no limit (rxe_comp.c)
 * @rnr_retry_count: how often the peer tries when this end has no receive posted,
 *	0 to 7, 7 for ever
 * @min_rnr_timer: time after which the peer tries again; code of the InfiniBand
 *	specification, table 46 (1 is 10 microseconds, 0 is 655 milliseconds)
 *
 * Value of KFI_OPT_CONN_PARAM, set before kfi_connect() or kfi_accept(). The two
 * ends settle on the smaller depth: on an endpoint that is for a connection
 * request the first two are reduced to what the peer has offered, and
 * @retry_count is the peer's, for a connection request says it for both ends
 * (InfiniBand specification, 12.7.38). That is what kfi_getopt() then returns.
 */
struct kfi_conn_param {
	u8	initiator_depth;
	u8	responder_resources;
	u8	retry_count;
	u8	rnr_retry_count;
	u8	min_rnr_timer;
};

/**
 * struct kfi_ops_ep - operations of an endpoint or passive endpoint
 * @getopt: see kfi_getopt()
 * @setopt: see kfi_setopt()
 * @ring: see kfi_ep_ring(); of a passive endpoint NULL
 * @add_stats: add what was counted of an endpoint; the core's, and NULL for a passive
 *	endpoint
 */
struct kfi_ops_ep {
	int	(*getopt)(struct kfid *fid, int level, int optname,
			  void *optval, size_t *optlen);
	int	(*setopt)(struct kfid *fid, int level, int optname,
			  const void *optval, size_t optlen);
	void	(*ring)(struct kfid_ep *ep);
	void	(*add_stats)(struct kfid_ep *ep, struct kfi_ep_stats *stats);
};

/**
 * struct kfi_ops_msg - messages of an endpoint
 * @recv: see kfi_recvmsg()
 * @send: see kfi_sendmsg()
 * @inject: as @send with KFI_INJECT, but a success makes no completion ever
 */
struct kfi_ops_msg {
	ssize_t	(*recv)(struct kfid_ep *ep, const struct kfi_msg *msg,
			u64 flags);
	ssize_t	(*send)(struct kfid_ep *ep, const struct kfi_msg *msg,
			u64 flags);
	ssize_t	(*inject)(struct kfid_ep *ep, const struct kfi_msg *msg,
			  u64 flags);
};

struct kfi_ops_atomic;
struct kfi_ops_cm;
struct kfi_ops_rma;

/**
 * struct kfid_ep - an open endpoint
 * @fid: the object
 * @ops: options
 * @cm: connection management
 * @msg: messages
 * @rma: one-sided access
 * @atomic: atomic operations
 * @tx_op_flags: flags of transmit calls that take none
 * @rx_op_flags: flags of receive calls that take none
 *
 * No table is NULL; what an endpoint cannot do is NULL inside its table, or refuses
 * with -EOPNOTSUPP: transmit operations do, so that none leaves behind what was posted
 * with KFI_MORE before it.
 */
struct kfid_ep {
	struct kfid			fid;
	const struct kfi_ops_ep		*ops;
	const struct kfi_ops_cm		*cm;
	const struct kfi_ops_msg	*msg;
	const struct kfi_ops_rma	*rma;
	const struct kfi_ops_atomic	*atomic;
	u64				tx_op_flags;
	u64				rx_op_flags;
};

/**
 * struct kfid_pep - an open passive endpoint
 * @fid: the object
 * @ops: options
 * @cm: connection management
 */
struct kfid_pep {
	struct kfid			fid;
	const struct kfi_ops_ep		*ops;
	const struct kfi_ops_cm		*cm;
};

/* Options and connection management are reached alike through both. */
static_assert(offsetof(struct kfid_ep, ops) == offsetof(struct kfid_pep, ops));
static_assert(offsetof(struct kfid_ep, cm) == offsetof(struct kfid_pep, cm));

/**
 * kfi_is_endpoint() - whether an object has options and an address
 * @fid: the object
 *
 * kfabric extension.
 *
 * Context: Any context.
 * Return: true for an endpoint or a passive endpoint.
 */
static inline bool kfi_is_endpoint(const struct kfid *fid)
{
	return fid->fclass == KFI_CLASS_EP || fid->fclass == KFI_CLASS_PEP;
}

/**
 * kfi_passive_ep() - open a passive endpoint
 * @fabric: the fabric, which the endpoint is a child of
 * @info: src_addr is where it will listen; without one it gets a free port. What
 *	tx_attr and rx_attr say of size and op_flags is in the infos of its requests,
 *	sizes as far as the device has them that a request came in by
 * @pep: where the endpoint is returned
 * @context: &kfid.context of the endpoint
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL; -EOPNOTSUPP for attributes beyond what kfi_getinfo() offers;
 * -EADDRINUSE; -EADDRNOTAVAIL; -ENOMEM.
 */
static inline int
kfi_passive_ep(struct kfid_fabric *fabric, struct kfi_info *info,
	       struct kfid_pep **pep, void *context)
{
	might_sleep();
	if (!fabric->ops->passive_ep)
		return -EOPNOTSUPP;
	return fabric->ops->passive_ep(fabric, info, pep, context,
				       KBUILD_MODNAME);
}

/**
 * kfi_endpoint() - open an endpoint
 * @domain: the domain, which the endpoint is a child of
 * @info: what kfi_getinfo() or a connection request gave. A connection request
 *	is consumed: the endpoint is then for kfi_accept()
 * @ep: where the endpoint is returned
 * @context: &kfid.context of the endpoint
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL, also for a handle that is not a connection request of this
 * provider; -ENODEV; -ENOMEM; -EOPNOTSUPP for attributes beyond what kfi_getinfo()
 * offers; -KFI_EOPBADSTATE when the request was consumed before. On an error a
 * connection request is not consumed.
 */
static inline int
kfi_endpoint(struct kfid_domain *domain, struct kfi_info *info,
	     struct kfid_ep **ep, void *context)
{
	might_sleep();
	if (!domain->ops->endpoint)
		return -EOPNOTSUPP;
	return domain->ops->endpoint(domain, info, ep, context,
				     KBUILD_MODNAME);
}

/**
 * kfi_ep_bind() - bind a queue to an endpoint
 * @ep: the endpoint, not yet enabled
 * @bfid: an event queue, or a completion queue
 * @flags: event queue: 0. Completion queue: KFI_TRANSMIT, KFI_RECV, or both, and
 *	KFI_SELECTIVE_COMPLETION: operations complete only if they ask for it
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL for bad flags, another class of object, or a queue of
 * another domain or fabric; -EALREADY when such a queue is bound already;
 * -ENOSPC when the completion queue has no room for this endpoint's operations;
 * -KFI_EOPBADSTATE after kfi_enable(); -ENODEV; -ENOMEM.
 */
static inline int
kfi_ep_bind(struct kfid_ep *ep, struct kfid *bfid, u64 flags)
{
	might_sleep();
	if (!ep->fid.ops->bind)
		return -EOPNOTSUPP;
	return ep->fid.ops->bind(&ep->fid, bfid, flags);
}

/**
 * kfi_pep_bind() - bind an event queue to a passive endpoint
 * @pep: the passive endpoint, not yet listening
 * @bfid: an event queue of the same fabric
 * @flags: 0
 *
 * Context: Process context, may sleep.
 * Return: as kfi_ep_bind(), -KFI_EOPBADSTATE after kfi_listen().
 */
static inline int
kfi_pep_bind(struct kfid_pep *pep, struct kfid *bfid, u64 flags)
{
	might_sleep();
	if (!pep->fid.ops->bind)
		return -EOPNOTSUPP;
	return pep->fid.ops->bind(&pep->fid, bfid, flags);
}

/**
 * kfi_enable() - make an endpoint ready for receives
 * @ep: the endpoint
 *
 * Receives may be posted from here on, transmit operations from the connected
 * event on. kfi_connect() and kfi_accept() enable an endpoint that is not.
 *
 * Context: Process context, may sleep.
 * Return: 0; -KFI_ENOCQ or -KFI_ENOEQ when a queue is missing;
 * -KFI_EOPBADSTATE when enabled before; -ESHUTDOWN after the end of its connection;
 * -ECONNRESET when the peer whose request it is for has gone; -ENODEV; -ENOMEM.
 */
static inline int kfi_enable(struct kfid_ep *ep)
{
	return kfi_control(&ep->fid, KFI_ENABLE, NULL);
}

/**
 * kfi_setopt() - set an option of an endpoint
 * @fid: an endpoint's fid. Passive endpoints have no options
 * @level: KFI_OPT_ENDPOINT
 * @optname: KFI_OPT_*
 * @optval: its value
 * @optlen: bytes of @optval
 *
 * Context: Process context.
 * Return: 0, -ENOPROTOOPT for an unknown option or one that cannot be set,
 * -EINVAL for a wrong length or value or another class of object, -EOPNOTSUPP for a
 * passive endpoint, -KFI_EOPBADSTATE when it is too late, -ENODEV.
 */
static inline int
kfi_setopt(struct kfid *fid, int level, int optname, const void *optval,
	   size_t optlen)
{
	struct kfid_ep *ep = container_of(fid, struct kfid_ep, fid);

	might_sleep();
	if (!kfi_is_endpoint(fid))
		return -EINVAL;
	if (!ep->ops->setopt)
		return -EOPNOTSUPP;
	return ep->ops->setopt(fid, level, optname, optval, optlen);
}

/**
 * kfi_getopt() - get an option of an endpoint
 * @fid: an endpoint's fid. Passive endpoints have no options
 * @level: KFI_OPT_ENDPOINT
 * @optname: KFI_OPT_*
 * @optval: where its value is returned
 * @optlen: in: bytes of @optval; out: bytes of the value
 *
 * Context: Process context.
 * Return: 0, -ENOPROTOOPT for an unknown option, -EINVAL for another class of object,
 * -EOPNOTSUPP for a passive endpoint, -KFI_ETOOSMALL, -ENODEV.
 */
static inline int
kfi_getopt(struct kfid *fid, int level, int optname, void *optval,
	   size_t *optlen)
{
	struct kfid_ep *ep = container_of(fid, struct kfid_ep, fid);

	might_sleep();
	if (!kfi_is_endpoint(fid))
		return -EINVAL;
	if (!ep->ops->getopt)
		return -EOPNOTSUPP;
	return ep->ops->getopt(fid, level, optname, optval, optlen);
}

/**
 * kfi_ep_ring() - what was announced with KFI_MORE does not follow
 * @ep: an endpoint, in whatever state
 *
 * The device is given what was posted with KFI_MORE and has waited for more, as far
 * as no fence is before it. Nothing happens when nothing has waited. A post without
 * KFI_MORE, and one that is refused, do the same. For consumers who learn too late
 * which of their operations is the last, as block drivers do in their commit_rqs().
 * kfabric extension.
 *
 * Context: Any context.
 */
static inline void kfi_ep_ring(struct kfid_ep *ep)
{
	if (ep->ops->ring)
		ep->ops->ring(ep);
}

/**
 * kfi_recvmsg() - post a receive
 * @ep: an enabled endpoint
 * @msg: where the message goes
 * @flags: KFI_COMPLETION, KFI_MORE
 *
 * Context: Any context.
 * Return: 0; -EAGAIN; -E2BIG; -EMSGSIZE; -EINVAL; -ENOMEM as kfi_sendmsg();
 * -KFI_EOPBADSTATE before kfi_enable(); -ESHUTDOWN; -ENODEV.
 */
static inline ssize_t
kfi_recvmsg(struct kfid_ep *ep, const struct kfi_msg *msg, u64 flags)
{
	if (!ep->msg->recv)
		return -EOPNOTSUPP;
	return ep->msg->recv(ep, msg, flags);
}

/**
 * kfi_sendmsg() - send a message
 * @ep: a connected endpoint
 * @msg: the message
 * @flags: KFI_COMPLETION, KFI_INJECT, KFI_MORE, KFI_FENCE, KFI_REMOTE_CQ_DATA,
 *	KFI_INJECT_COMPLETE, KFI_TRANSMIT_COMPLETE
 *
 * Context: Any context.
 * Return: 0; -EAGAIN; -E2BIG; -EMSGSIZE; -EINVAL; -ENOMEM when memory cannot be
 * mapped for the device, whose IOMMU is full: nothing was posted, and a TX handler
 * is not called for that, so try again after a completion; -EOPNOTSUPP for a
 * completion level that messages do not have; -KFI_EOPBADSTATE before kfi_enable();
 * -ENOTCONN before the connected event; -ESHUTDOWN; -ENODEV.
 */
static inline ssize_t
kfi_sendmsg(struct kfid_ep *ep, const struct kfi_msg *msg, u64 flags)
{
	if (!ep->msg->send)
		return -EOPNOTSUPP;
	return ep->msg->send(ep, msg, flags);
}

/**
 * kfi_recvv() - post a receive into kernel memory in pieces
 * @ep: an enabled endpoint
 * @iov: the pieces
 * @desc: their local descriptors, or NULL
 * @count: number of pieces
 * @src_addr: ignored
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_recvmsg().
 */
static inline ssize_t
kfi_recvv(struct kfid_ep *ep, const struct kvec *iov, void **desc, size_t count,
	  kfi_addr_t src_addr, void *context)
{
	const struct kfi_msg msg = {
		.type = KFI_KVEC, .msg_iov = iov, .desc = desc,
		.iov_count = count, .addr = src_addr, .context = context,
	};

	return kfi_recvmsg(ep, &msg, ep->rx_op_flags);
}

/**
 * kfi_recvbv() - post a receive into pages
 * @ep: an enabled endpoint
 * @biov: the pages
 * @desc: their local descriptors, or NULL
 * @count: number of elements
 * @src_addr: ignored
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_recvmsg().
 */
static inline ssize_t
kfi_recvbv(struct kfid_ep *ep, const struct bio_vec *biov, void **desc,
	   size_t count, kfi_addr_t src_addr, void *context)
{
	const struct kfi_msg msg = {
		.type = KFI_BVEC, .msg_biov = biov, .desc = desc,
		.iov_count = count, .addr = src_addr, .context = context,
	};

	return kfi_recvmsg(ep, &msg, ep->rx_op_flags);
}

/**
 * kfi_recvsgl() - post a receive into a scatterlist
 * @ep: an enabled endpoint
 * @sgl: the scatterlist
 * @desc: its local descriptors, or NULL
 * @count: number of elements
 * @src_addr: ignored
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_recvmsg().
 */
static inline ssize_t
kfi_recvsgl(struct kfid_ep *ep, const struct scatterlist *sgl, void **desc,
	    size_t count, kfi_addr_t src_addr, void *context)
{
	const struct kfi_msg msg = {
		.type = KFI_SGL, .msg_sgl = sgl, .desc = desc,
		.iov_count = count, .addr = src_addr, .context = context,
	};

	return kfi_recvmsg(ep, &msg, ep->rx_op_flags);
}

/**
 * kfi_recv() - post a receive into kernel memory
 * @ep: an enabled endpoint
 * @buf: where the message goes
 * @len: bytes of @buf
 * @desc: local descriptor of @buf, or NULL
 * @src_addr: ignored
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_recvmsg().
 */
static inline ssize_t
kfi_recv(struct kfid_ep *ep, void *buf, size_t len, void *desc,
	 kfi_addr_t src_addr, void *context)
{
	const struct kvec iov = { .iov_base = buf, .iov_len = len };

	return kfi_recvv(ep, &iov, &desc, 1, src_addr, context);
}

/**
 * kfi_sendv() - send kernel memory in pieces
 * @ep: a connected endpoint
 * @iov: the pieces
 * @desc: their local descriptors, or NULL
 * @count: number of pieces
 * @dest_addr: ignored
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_sendmsg().
 */
static inline ssize_t
kfi_sendv(struct kfid_ep *ep, const struct kvec *iov, void **desc, size_t count,
	  kfi_addr_t dest_addr, void *context)
{
	const struct kfi_msg msg = {
		.type = KFI_KVEC, .msg_iov = iov, .desc = desc,
		.iov_count = count, .addr = dest_addr, .context = context,
	};

	return kfi_sendmsg(ep, &msg, ep->tx_op_flags);
}

/**
 * kfi_sendbv() - send pages
 * @ep: a connected endpoint
 * @biov: the pages
 * @desc: their local descriptors, or NULL
 * @count: number of elements
 * @dest_addr: ignored
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_sendmsg().
 */
static inline ssize_t
kfi_sendbv(struct kfid_ep *ep, const struct bio_vec *biov, void **desc,
	   size_t count, kfi_addr_t dest_addr, void *context)
{
	const struct kfi_msg msg = {
		.type = KFI_BVEC, .msg_biov = biov, .desc = desc,
		.iov_count = count, .addr = dest_addr, .context = context,
	};

	return kfi_sendmsg(ep, &msg, ep->tx_op_flags);
}

/**
 * kfi_sendsgl() - send a scatterlist
 * @ep: a connected endpoint
 * @sgl: the scatterlist
 * @desc: its local descriptors, or NULL
 * @count: number of elements
 * @dest_addr: ignored
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_sendmsg().
 */
static inline ssize_t
kfi_sendsgl(struct kfid_ep *ep, const struct scatterlist *sgl, void **desc,
	    size_t count, kfi_addr_t dest_addr, void *context)
{
	const struct kfi_msg msg = {
		.type = KFI_SGL, .msg_sgl = sgl, .desc = desc,
		.iov_count = count, .addr = dest_addr, .context = context,
	};

	return kfi_sendmsg(ep, &msg, ep->tx_op_flags);
}

/**
 * kfi_send() - send kernel memory
 * @ep: a connected endpoint
 * @buf: the message
 * @len: bytes of @buf
 * @desc: local descriptor of @buf, or NULL
 * @dest_addr: ignored
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_sendmsg().
 */
static inline ssize_t
kfi_send(struct kfid_ep *ep, const void *buf, size_t len, void *desc,
	 kfi_addr_t dest_addr, void *context)
{
	const struct kvec iov = { .iov_base = (void *)buf, .iov_len = len };

	return kfi_sendv(ep, &iov, &desc, 1, dest_addr, context);
}

/**
 * kfi_senddata() - send kernel memory, with data for the peer's completion
 * @ep: a connected endpoint
 * @buf: the message
 * @len: bytes of @buf
 * @desc: local descriptor of @buf, or NULL
 * @data: for the peer's completion
 * @dest_addr: ignored
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_sendmsg().
 */
static inline ssize_t
kfi_senddata(struct kfid_ep *ep, const void *buf, size_t len, void *desc,
	     u64 data, kfi_addr_t dest_addr, void *context)
{
	const struct kvec iov = { .iov_base = (void *)buf, .iov_len = len };
	const struct kfi_msg msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .desc = &desc,
		.iov_count = 1, .addr = dest_addr, .context = context,
		.data = data,
	};

	return kfi_sendmsg(ep, &msg, ep->tx_op_flags | KFI_REMOTE_CQ_DATA);
}

/**
 * kfi_inject() - send a copy of kernel memory, without a completion
 * @ep: a connected endpoint
 * @buf: the message, the caller's again when the call returns
 * @len: bytes of @buf, at most tx_attr.inject_size
 * @dest_addr: ignored
 *
 * An error still makes an entry in the completion queue, with op_context NULL.
 *
 * Context: Any context.
 * Return: see kfi_sendmsg().
 */
static inline ssize_t
kfi_inject(struct kfid_ep *ep, const void *buf, size_t len,
	   kfi_addr_t dest_addr)
{
	const struct kvec iov = { .iov_base = (void *)buf, .iov_len = len };
	const struct kfi_msg msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.addr = dest_addr,
	};

	if (!ep->msg->inject)
		return -EOPNOTSUPP;
	return ep->msg->inject(ep, &msg, KFI_INJECT);
}

/**
 * kfi_injectdata() - kfi_inject() with data for the peer's completion
 * @ep: a connected endpoint
 * @buf: the message, the caller's again when the call returns
 * @len: bytes of @buf, at most tx_attr.inject_size
 * @data: for the peer's completion
 * @dest_addr: ignored
 *
 * Context: Any context.
 * Return: see kfi_sendmsg().
 */
static inline ssize_t
kfi_injectdata(struct kfid_ep *ep, const void *buf, size_t len, u64 data,
	       kfi_addr_t dest_addr)
{
	const struct kvec iov = { .iov_base = (void *)buf, .iov_len = len };
	const struct kfi_msg msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.addr = dest_addr, .data = data,
	};

	if (!ep->msg->inject)
		return -EOPNOTSUPP;
	return ep->msg->inject(ep, &msg, KFI_INJECT | KFI_REMOTE_CQ_DATA);
}

#endif /* KFI_ENDPOINT_H */
