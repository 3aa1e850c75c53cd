/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel fabric interface: discovery, fabrics, and what every object has.
 *
 * Names, argument order, structure members and flag values are those of
 * libfabric 1.7 as its living kernel descendant carries them; what differs is
 * marked "kfabric extension".
 */

#ifndef KFABRIC_H
#define KFABRIC_H

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include <kfi_errno.h>

struct net;

/**
 * KFI_MAJOR_VERSION - first part of the version of these headers
 *
 * That of the libfabric whose names and values they have.
 */
#define KFI_MAJOR_VERSION	1

/**
 * KFI_MINOR_VERSION - second part of the version of these headers
 */
#define KFI_MINOR_VERSION	7

/**
 * KFI_VERSION() - a version of the interface, or of a provider
 * @major: its first part, at most 0xffff
 * @minor: its second part, at most 0xffff
 *
 * What a consumer gives to kfi_getinfo(): the version that it was written for.
 */
#define KFI_VERSION(major, minor)	(((major) << 16) | (minor))

/**
 * KFI_MAJOR() - first part of a version
 * @version: as KFI_VERSION() makes it
 */
#define KFI_MAJOR(version)		((version) >> 16)

/**
 * KFI_MINOR() - second part of a version
 * @version: as KFI_VERSION() makes it
 */
#define KFI_MINOR(version)		((version) & 0xffff)

/**
 * KFI_VERSION_GE() - whether a version is another one or newer
 * @v1: the version
 * @v2: the other one
 */
#define KFI_VERSION_GE(v1, v2)		((v1) >= (v2))

/**
 * KFI_VERSION_LT() - whether a version is older than another one
 * @v1: the version
 * @v2: the other one
 */
#define KFI_VERSION_LT(v1, v2)		((v1) < (v2))

/**
 * KFI_NAME_MAX - bytes of the longest name, its terminating 0 included
 *
 * Of a fabric, and of what stands in front of the colon in a path of
 * kfi_pmem_open() or behind it for the simulator.
 */
#define KFI_NAME_MAX		64

u32 kfi_version(void);

struct kfid;
struct kfid_cq;
struct kfid_domain;
struct kfid_ep;
struct kfid_eq;
struct kfid_fabric;
struct kfid_mr;
struct kfid_pep;

/**
 * KFI_PROV_SPECIFIC - mark of a provider's own values in 32-bit enumerations
 *
 * Their high-order bit. It is never a flag of 64 bits.
 */
#define KFI_PROV_SPECIFIC	BIT(31)

/**
 * DOC: flags
 *
 * Flags are 64 bits wide: common ones grow up from bit 1, those of one call
 * grow down from bit 59. Bits 60 to 63 are a provider's own. The same bit can
 * mean different things to different calls, so each call has its own mask of
 * valid bits, and a bit outside it is refused with -EINVAL. An unknown capability
 * is one that nobody offers: -ENODATA of kfi_getinfo(), -EOPNOTSUPP of
 * kfi_endpoint(). So is an unknown mode bit.
 *
 * Capabilities (&kfi_info.caps and the caps of its attributes):
 *
 * KFI_MSG, KFI_RMA, KFI_ATOMIC (= KFI_ATOMICS)
 *	messages, one-sided access, atomic operations
 * KFI_SEND (= KFI_TRANSMIT), KFI_RECV, KFI_READ, KFI_WRITE, KFI_REMOTE_READ, KFI_REMOTE_WRITE
 *	narrow the above to a direction; none given means all. They are the
 *	access bits of kfi_mr_reg() too
 * KFI_RMA_PMEM (= KFI_PMEM)
 *	writes can be made persistent at the target, see "DOC: kinds of endpoints";
 *	as a flag of kfi_mr_reg() the memory lies in an open memory device
 * KFI_UNCACHED
 *	flag of kfi_mr_reg() only: what peers write is not going to be read here
 *	soon, see "DOC: uncached regions". kfabric extension
 * KFI_LOCAL_COMM, KFI_REMOTE_COMM
 *	the peer may be in the same kernel, or in another one
 *
 * Operation flags:
 *
 * KFI_COMPLETION (= KFI_EVENT)
 *	generate a completion, on a queue bound with KFI_SELECTIVE_COMPLETION
 * KFI_INJECT
 *	the buffer can be reused when the call returns
 * KFI_MORE
 *	another operation follows at once; the doorbell may wait for it, or for
 *	kfi_ep_ring()
 * KFI_FENCE
 *	this operation and later ones start when all earlier ones of the
 *	endpoint have completed, commits included
 * KFI_REMOTE_CQ_DATA
 *	carry the message's data to the target's completion queue
 * KFI_INJECT_COMPLETE
 *	complete when the buffer can be reused
 * KFI_TRANSMIT_COMPLETE
 *	complete when the peer's device has received the data
 * KFI_DELIVERY_COMPLETE
 *	complete when the data is visible at the target
 * KFI_COMMIT_COMPLETE (= KFI_COMMIT)
 *	complete when the data is visible and persistent at the target; see
 *	"DOC: persistence"
 *
 * Flags of kfi_getinfo(): KFI_SOURCE (node and service name the local end),
 * KFI_NUMERICHOST (node is numeric; it has to be, names are not resolved),
 * KFI_PROV_ATTR_ONLY (list the providers, look at no device).
 *
 * Flags of kfi_ep_bind() for a completion queue: KFI_TRANSMIT and KFI_RECV, the
 * directions whose operations complete there, and KFI_SELECTIVE_COMPLETION: an
 * operation that succeeds makes an entry only if it has KFI_COMPLETION.
 *
 * Flags of kfi_cq_open(), in &kfi_cq_attr.flags: KFI_AFFINITY, which makes the
 * signaling_vector count, and KFI_CQ_PROCESS_CONTEXT. Flag of reads of an event
 * queue: KFI_PEEK, which leaves the event in the queue.
 */
#define KFI_MSG			BIT_ULL(1)
#define KFI_RMA			BIT_ULL(2)
#define KFI_ATOMIC		BIT_ULL(4)
#define KFI_ATOMICS		KFI_ATOMIC

#define KFI_READ		BIT_ULL(8)
#define KFI_WRITE		BIT_ULL(9)
#define KFI_RECV		BIT_ULL(10)
#define KFI_SEND		BIT_ULL(11)
#define KFI_TRANSMIT		KFI_SEND
#define KFI_REMOTE_READ		BIT_ULL(12)
#define KFI_REMOTE_WRITE	BIT_ULL(13)

#define KFI_REMOTE_CQ_DATA	BIT_ULL(17)
#define KFI_MORE		BIT_ULL(18)
#define KFI_PEEK		BIT_ULL(19)
#define KFI_FENCE		BIT_ULL(21)

#define KFI_COMPLETION		BIT_ULL(24)
#define KFI_EVENT		KFI_COMPLETION
#define KFI_INJECT		BIT_ULL(25)
#define KFI_INJECT_COMPLETE	BIT_ULL(26)
#define KFI_TRANSMIT_COMPLETE	BIT_ULL(27)
#define KFI_DELIVERY_COMPLETE	BIT_ULL(28)
#define KFI_AFFINITY		BIT_ULL(29)
#define KFI_COMMIT_COMPLETE	BIT_ULL(30)
#define KFI_COMMIT		KFI_COMMIT_COMPLETE

#define KFI_UNCACHED		BIT_ULL(33)

#define KFI_RMA_PMEM		BIT_ULL(49)
#define KFI_PMEM		KFI_RMA_PMEM
#define KFI_LOCAL_COMM		BIT_ULL(51)
#define KFI_REMOTE_COMM		BIT_ULL(52)
#define KFI_PROV_ATTR_ONLY	BIT_ULL(54)
#define KFI_NUMERICHOST		BIT_ULL(55)
#define KFI_SOURCE		BIT_ULL(57)

#define KFI_SELECTIVE_COMPLETION BIT_ULL(59)

/**
 * DOC: mode bits
 *
 * What a provider asks of the consumer (&kfi_info.mode). A consumer that does
 * not set a bit which the provider needs is not offered that provider, nor is one
 * that sets a bit which is not in KFI_MODE_BITS.
 *
 * KFI_RX_CQ_DATA
 *	a KFI_REMOTE_CQ_DATA write consumes a posted receive at the target
 * KFI_MODE_BITS
 *	all of them
 */
#define KFI_RX_CQ_DATA		BIT_ULL(56)
#define KFI_MODE_BITS		KFI_RX_CQ_DATA

/**
 * DOC: memory registration mode
 *
 * &kfi_domain_attr.mr_mode, bits.
 *
 * KFI_MR_LOCAL
 *	local buffers must be registered; no provider here needs it
 * KFI_MR_VIRT_ADDR
 *	remote addresses start at &kfid_mr.iova, not at 0
 * KFI_MR_PROV_KEY
 *	the provider chooses the key
 * KFI_MR_MODE_BITS
 *	all of them; no provider is offered to who sets another one
 */
#define KFI_MR_LOCAL		BIT(1)
#define KFI_MR_VIRT_ADDR	BIT(3)
#define KFI_MR_PROV_KEY		BIT(4)
#define KFI_MR_MODE_BITS	(KFI_MR_LOCAL | KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY)

/**
 * enum kfi_addr_format - format of addresses, &kfi_info.addr_format
 * @KFI_FORMAT_UNSPEC: no preference
 * @KFI_SOCKADDR: one of those that follow, as its sa_family says
 * @KFI_SOCKADDR_IN: struct sockaddr_in
 * @KFI_SOCKADDR_IN6: struct sockaddr_in6
 */
enum kfi_addr_format {
	KFI_FORMAT_UNSPEC,
	KFI_SOCKADDR,
	KFI_SOCKADDR_IN,
	KFI_SOCKADDR_IN6,
};

/**
 * KFI_ADDR_UNSPEC - a kfi_addr_t for calls that ignore it
 */
#define KFI_ADDR_UNSPEC		U64_MAX

/**
 * typedef kfi_addr_t - which peer
 *
 * An index in an address vector. Connected endpoints, which are all that there
 * are, have one peer and ignore it.
 */
typedef u64 kfi_addr_t;

/**
 * enum kfi_progress - who makes progress
 * @KFI_PROGRESS_UNSPEC: no preference
 * @KFI_PROGRESS_AUTO: the provider, without help of the consumer
 * @KFI_PROGRESS_MANUAL: calls of the consumer
 */
enum kfi_progress {
	KFI_PROGRESS_UNSPEC,
	KFI_PROGRESS_AUTO,
	KFI_PROGRESS_MANUAL
};

/**
 * enum kfi_threading - which calls the consumer serialises
 * @KFI_THREAD_UNSPEC: no preference
 * @KFI_THREAD_SAFE: none; what every provider here offers
 * @KFI_THREAD_FID: those on one object
 * @KFI_THREAD_DOMAIN: those on one domain
 * @KFI_THREAD_COMPLETION: those on one completion queue
 * @KFI_THREAD_ENDPOINT: those on one endpoint
 */
enum kfi_threading {
	KFI_THREAD_UNSPEC,
	KFI_THREAD_SAFE,
	KFI_THREAD_FID,
	KFI_THREAD_DOMAIN,
	KFI_THREAD_COMPLETION,
	KFI_THREAD_ENDPOINT,
};

/**
 * enum kfi_resource_mgmt - who protects queues against overrun
 * @KFI_RM_UNSPEC: no preference
 * @KFI_RM_DISABLED: the consumer
 * @KFI_RM_ENABLED: the provider; what every provider here offers
 */
enum kfi_resource_mgmt {
	KFI_RM_UNSPEC,
	KFI_RM_DISABLED,
	KFI_RM_ENABLED
};

/**
 * enum kfi_av_type - type of address vector
 * @KFI_AV_UNSPEC: no preference; the only value matched, there are none yet
 * @KFI_AV_MAP: opaque addresses
 * @KFI_AV_TABLE: indexed addresses
 */
enum kfi_av_type {
	KFI_AV_UNSPEC,
	KFI_AV_MAP,
	KFI_AV_TABLE
};

/**
 * DOC: order bits
 *
 * &kfi_tx_attr.msg_order and &kfi_rx_attr.msg_order: which operations of one
 * endpoint keep their order at the target. In KFI_ORDER_xAy an x that is posted
 * later stays after a y that was posted earlier: R is a read, W a write, S a
 * message; atomic operations count as both R and W. A missing bit is not kept: ask
 * for it in the hints, or use KFI_FENCE.
 *
 * =======================================================  =======================
 * KFI_ORDER_NONE                                           no order, the value 0
 * KFI_ORDER_RAR, KFI_ORDER_RAW, KFI_ORDER_RAS              a read after a read, a
 *                                                          write, a message
 * KFI_ORDER_WAR, KFI_ORDER_WAW, KFI_ORDER_WAS              a write after them
 * KFI_ORDER_SAR, KFI_ORDER_SAW, KFI_ORDER_SAS              a message after them
 * KFI_ORDER_STRICT                                         all nine
 * KFI_ORDER_DATA                                           the bytes of an
 *                                                          operation in order; no
 *                                                          provider here has it
 * =======================================================  =======================
 *
 * &kfi_tx_attr.comp_order and &kfi_rx_attr.comp_order, of completions:
 * KFI_ORDER_STRICT, the order of posting, or KFI_ORDER_NONE, where commits
 * complete independently of what is not a commit.
 */
#define KFI_ORDER_NONE		0
#define KFI_ORDER_RAR		BIT(0)
#define KFI_ORDER_RAW		BIT(1)
#define KFI_ORDER_RAS		BIT(2)
#define KFI_ORDER_WAR		BIT(3)
#define KFI_ORDER_WAW		BIT(4)
#define KFI_ORDER_WAS		BIT(5)
#define KFI_ORDER_SAR		BIT(6)
#define KFI_ORDER_SAW		BIT(7)
#define KFI_ORDER_SAS		BIT(8)
#define KFI_ORDER_STRICT	0x1ff
#define KFI_ORDER_DATA		BIT(16)

/**
 * enum kfi_ep_type - type of endpoint
 * @KFI_EP_UNSPEC: no preference
 * @KFI_EP_MSG: connected and reliable
 * @KFI_EP_DGRAM: unconnected and unreliable; no provider yet
 * @KFI_EP_RDM: unconnected and reliable; no provider yet
 */
enum kfi_ep_type {
	KFI_EP_UNSPEC,
	KFI_EP_MSG,
	KFI_EP_DGRAM,
	KFI_EP_RDM,
};

/**
 * enum kfi_proto - protocol of an endpoint, &kfi_ep_attr.protocol
 * @KFI_PROTO_UNSPEC: no preference
 * @KFI_PROTO_RDMA_CM_IB_RC: reliable connections of InfiniBand or RoCE, by the RDMA
 *	connection manager: the verbs provider's
 */
enum kfi_proto {
	KFI_PROTO_UNSPEC,
	KFI_PROTO_RDMA_CM_IB_RC,
};

/**
 * KFI_PROTO_LOOPBACK - protocol of the loopback provider's endpoints
 *
 * A kfabric extension of &enum kfi_proto.
 */
#define KFI_PROTO_LOOPBACK	(KFI_PROV_SPECIFIC | 1)

/**
 * enum kfi_iov_type - what a vector of local memory consists of
 * @KFI_KVEC: struct kvec; kernel addresses, vmalloc included
 * @KFI_BVEC: struct bio_vec; pages, compound ones included
 * @KFI_SGL: struct scatterlist; chained or not, not mapped for DMA
 */
enum kfi_iov_type {
	KFI_KVEC = 1,
	KFI_BVEC,
	KFI_SGL,
};

/**
 * DOC: default levels
 *
 * &kfi_tx_attr.op_flags can name the level of completions of the calls that take no
 * flags. kfi_write(), kfi_writev(), kfi_writebv(), kfi_writesgl() and kfi_writedata()
 * have any of them: with KFI_COMMIT each is a commit, on an endpoint with
 * KFI_RMA_PMEM. What cannot have the default level is refused rather than done at a
 * lesser one:
 *
 * - kfi_inject_write() and kfi_inject_writedata() with KFI_DELIVERY_COMPLETE or
 *   KFI_COMMIT: -EOPNOTSUPP, for they have no completion that could tell;
 * - kfi_send() and all others that send with KFI_DELIVERY_COMPLETE or KFI_COMMIT:
 *   -EOPNOTSUPP, for messages have neither. kfi_inject() has no completion, and no
 *   level.
 *
 * Reads and atomic operations complete when their data has come, which is
 * KFI_DELIVERY_COMPLETE whatever was asked for; there is nothing to commit.
 */

/**
 * struct kfi_tx_attr - transmit side of an endpoint
 * @caps: capabilities
 * @mode: mode bits
 * @op_flags: default flags of the calls that take none: KFI_COMPLETION, and at most
 *	one level; see "DOC: default levels"
 * @msg_order: KFI_ORDER_* kept between operations
 * @comp_order: KFI_ORDER_* kept between completions
 * @inject_size: most bytes that KFI_INJECT takes
 * @size: operations of one request that can be outstanding or unread. A slot for
 *	each is allocated at the latest by kfi_enable(): 0.8 KiB with verbs, 1.1 KiB
 *	with loopback, and some for all of them; see "DOC: memory of slots"
 * @iov_limit: most DMA segments of a send, after splitting into pages
 * @rma_iov_limit: most remote ranges of an RMA operation
 * @tclass: traffic class; must be 0
 */
struct kfi_tx_attr {
	u64		caps;
	u64		mode;
	u64		op_flags;
	u64		msg_order;
	u64		comp_order;
	size_t		inject_size;
	size_t		size;
	size_t		iov_limit;
	size_t		rma_iov_limit;
	u32		tclass;
};

/**
 * struct kfi_rx_attr - receive side of an endpoint
 * @caps: capabilities
 * @mode: mode bits
 * @op_flags: default flags of the calls that take none
 * @msg_order: KFI_ORDER_* kept between operations
 * @comp_order: KFI_ORDER_* kept between completions
 * @total_buffered_recv: bytes buffered for messages without a receive; 0
 * @size: receives that can be outstanding or unread; where there are commits, entries
 *	of writes with data that can be unread. A slot for each is allocated
 *	at the latest by kfi_enable(): 0.6 KiB; see "DOC: memory of slots"
 * @iov_limit: most DMA segments of a receive, after splitting into pages
 */
struct kfi_rx_attr {
	u64		caps;
	u64		mode;
	u64		op_flags;
	u64		msg_order;
	u64		comp_order;
	size_t		total_buffered_recv;
	size_t		size;
	size_t		iov_limit;
};

/**
 * struct kfi_ep_attr - an endpoint
 * @type: type of the endpoint
 * @protocol: KFI_PROTO_*
 * @protocol_version: version of @protocol
 * @max_msg_size: most bytes of one operation
 * @msg_prefix_size: bytes in front of each message; 0
 * @max_order_raw_size: bytes up to which KFI_ORDER_RAW orders data
 * @max_order_war_size: bytes up to which KFI_ORDER_WAR orders data
 * @max_order_waw_size: bytes up to which KFI_ORDER_WAW orders data
 * @mem_tag_format: tag layout; 0, there are no tags
 * @tx_ctx_cnt: transmit contexts; 1
 * @rx_ctx_cnt: receive contexts; 1
 * @auth_key_size: must be 0
 * @auth_key: must be NULL
 */
struct kfi_ep_attr {
	enum kfi_ep_type type;
	u32		protocol;
	u32		protocol_version;
	size_t		max_msg_size;
	size_t		msg_prefix_size;
	size_t		max_order_raw_size;
	size_t		max_order_war_size;
	size_t		max_order_waw_size;
	u64		mem_tag_format;
	size_t		tx_ctx_cnt;
	size_t		rx_ctx_cnt;
	size_t		auth_key_size;
	u8		*auth_key;
};

/**
 * struct kfi_domain_attr - a domain: one device, one protection domain
 * @domain: must be NULL
 * @name: name of the device
 * @threading: see &enum kfi_threading
 * @control_progress: see &enum kfi_progress
 * @data_progress: see &enum kfi_progress
 * @resource_mgmt: see &enum kfi_resource_mgmt
 * @av_type: see &enum kfi_av_type
 * @mr_mode: KFI_MR_* bits
 * @mr_key_size: bytes of a memory key
 * @cq_data_size: bytes of KFI_REMOTE_CQ_DATA
 * @cq_cnt: completion queues
 * @ep_cnt: endpoints
 * @tx_ctx_cnt: transmit contexts
 * @rx_ctx_cnt: receive contexts
 * @max_ep_tx_ctx: transmit contexts of an endpoint
 * @max_ep_rx_ctx: receive contexts of an endpoint
 * @max_ep_stx_ctx: shared transmit contexts; 0
 * @max_ep_srx_ctx: shared receive contexts; 0
 * @cntr_cnt: counters; 0
 * @mr_iov_limit: page-list entries of a memory region: what registration takes
 *	after the memory was cut into the largest pages that its alignment allows
 * @caps: capabilities
 * @mode: mode bits
 * @auth_key: must be NULL
 * @auth_key_size: must be 0
 * @max_err_data: bytes of error data of a completion; 0
 * @mr_cnt: memory regions
 * @tclass: traffic class; must be 0
 */
struct kfi_domain_attr {
	struct kfid_domain	*domain;
	char			*name;
	enum kfi_threading	threading;
	enum kfi_progress	control_progress;
	enum kfi_progress	data_progress;
	enum kfi_resource_mgmt	resource_mgmt;
	enum kfi_av_type	av_type;
	int			mr_mode;
	size_t			mr_key_size;
	size_t			cq_data_size;
	size_t			cq_cnt;
	size_t			ep_cnt;
	size_t			tx_ctx_cnt;
	size_t			rx_ctx_cnt;
	size_t			max_ep_tx_ctx;
	size_t			max_ep_rx_ctx;
	size_t			max_ep_stx_ctx;
	size_t			max_ep_srx_ctx;
	size_t			cntr_cnt;
	size_t			mr_iov_limit;
	u64			caps;
	u64			mode;
	u8			*auth_key;
	size_t			auth_key_size;
	size_t			max_err_data;
	size_t			mr_cnt;
	u32			tclass;
};

/**
 * struct kfi_fabric_attr - a fabric: what devices of one provider can reach
 * @fabric: must be NULL
 * @name: name of the fabric
 * @prov_name: name of the provider
 * @prov_version: version of the provider, KFI_VERSION()
 * @api_version: version of the interface that the consumer was written for
 * @net: network namespace of addresses and devices, NULL for the initial one.
 *	What is in one is not there in another: an address of a device is
 *	-ENODATA, -EADDRNOTAVAIL or EHOSTUNREACH, a listener ECONNREFUSED. An
 *	open fabric holds a reference; an info does not. kfabric extension
 */
struct kfi_fabric_attr {
	struct kfid_fabric	*fabric;
	char			*name;
	char			*prov_name;
	u32			prov_version;
	u32			api_version;
	struct net		*net;
};

/**
 * struct kfi_info - one thing that a provider offers, or hints for it
 * @next: next in the list
 * @caps: capabilities
 * @mode: mode bits
 * @addr_format: format of the addresses
 * @src_addrlen: bytes of @src_addr
 * @dest_addrlen: bytes of @dest_addr
 * @src_addr: local address, or NULL
 * @dest_addr: peer's address, or NULL
 * @handle: a connection request, or NULL. kfi_endpoint() and kfi_reject()
 *	consume it; kfi_freeinfo() of the last info that has it rejects the peer
 *	if nobody did
 * @tx_attr: transmit side
 * @rx_attr: receive side
 * @ep_attr: endpoint
 * @domain_attr: domain
 * @fabric_attr: fabric
 */
struct kfi_info {
	struct kfi_info		*next;
	u64			caps;
	u64			mode;
	u32			addr_format;
	size_t			src_addrlen;
	size_t			dest_addrlen;
	void			*src_addr;
	void			*dest_addr;
	struct kfid		*handle;
	struct kfi_tx_attr	*tx_attr;
	struct kfi_rx_attr	*rx_attr;
	struct kfi_ep_attr	*ep_attr;
	struct kfi_domain_attr	*domain_attr;
	struct kfi_fabric_attr	*fabric_attr;
};

/**
 * enum kfi_class - what an object is, &kfid.fclass; values of libfabric
 * @KFI_CLASS_UNSPEC: none
 * @KFI_CLASS_FABRIC: struct kfid_fabric
 * @KFI_CLASS_DOMAIN: struct kfid_domain
 * @KFI_CLASS_EP: struct kfid_ep
 * @KFI_CLASS_PEP: struct kfid_pep
 * @KFI_CLASS_MR: struct kfid_mr
 * @KFI_CLASS_EQ: struct kfid_eq
 * @KFI_CLASS_CQ: struct kfid_cq
 * @KFI_CLASS_CONNREQ: a connection request, &kfi_info.handle
 */
enum kfi_class {
	KFI_CLASS_UNSPEC,
	KFI_CLASS_FABRIC	= 1,
	KFI_CLASS_DOMAIN	= 2,
	KFI_CLASS_EP		= 3,
	KFI_CLASS_PEP		= 9,
	KFI_CLASS_MR		= 12,
	KFI_CLASS_EQ		= 13,
	KFI_CLASS_CQ		= 14,
	KFI_CLASS_CONNREQ	= 18,
};

/**
 * enum kfi_command - commands of kfi_control(); values of libfabric
 * @KFI_ENABLE: of an endpoint: what kfi_enable() does; the argument is NULL
 * @KFI_BACKLOG: of a passive endpoint, before kfi_listen(): connection requests that
 *	the provider keeps while they are not answered; the argument points to an
 *	int, 1 or more. The default of verbs is 128; loopback has no limit besides
 *	the event queue's. -KFI_EOPBADSTATE when it listens already
 */
enum kfi_command {
	KFI_ENABLE	= 6,
	KFI_BACKLOG	= 7,
};

/**
 * typedef kfi_comp_handler - there is something to read in a completion queue
 * @cq: the queue
 * @context: what kfi_cq_open() was given
 *
 * Called once, and again only after kfi_cq_read() has returned -EAGAIN; one call at
 * a time for a queue. It may post and read, and must not make control calls: see
 * "DOC: completions".
 *
 * Context: Softirq, or anything with bottom halves off; must not sleep. With
 * KFI_CQ_PROCESS_CONTEXT process context, and it may sleep.
 */
typedef void (*kfi_comp_handler)(struct kfid_cq *cq, void *context);

/**
 * typedef kfi_event_handler - there is something to read in an event queue
 * @eq: the queue
 * @context: what kfi_eq_open() was given
 *
 * Called once, and again only after kfi_eq_read() has returned -EAGAIN; one call at
 * a time for a queue. It may make any call, but for kfi_close() of @eq.
 *
 * Context: Process context, on a workqueue that memory reclaim can rely on; may
 * sleep.
 */
typedef void (*kfi_event_handler)(struct kfid_eq *eq, void *context);

/**
 * struct kfi_ops - what every object can do
 * @owner: the module that the operations are in; it stays until a close has returned
 * @close: see kfi_close()
 * @bind: see kfi_ep_bind(), kfi_pep_bind()
 * @control: see kfi_control()
 *
 * In this table as in all others an operation that is NULL is not supported,
 * and its call returns -EOPNOTSUPP. The tables of queues are the core's and have
 * all their operations.
 */
struct kfi_ops {
	struct module *owner;
	int	(*close)(struct kfid *fid);
	int	(*bind)(struct kfid *fid, struct kfid *bfid, u64 flags);
	int	(*control)(struct kfid *fid, int command, void *arg);
};

/**
 * struct kfid - what every object starts with
 * @fclass: KFI_CLASS_*
 * @context: the consumer's, given when the object was opened
 * @ops: operations
 * @users: one for the object itself, one for each child and each binding; the
 *	core's, see kfi_obj_get()
 * @id: number of the object, which no other one has had; what traces and statistics
 *	call it. kfabric extension
 */
struct kfid {
	size_t			fclass;
	void			*context;
	const struct kfi_ops	*ops;
	refcount_t		users;
	u64			id;
};

struct kfi_eq_attr;

/**
 * struct kfi_ops_fabric - operations of a fabric
 * @domain: see kfi_domain()
 * @passive_ep: see kfi_passive_ep()
 * @eq_open: see kfi_eq_open()
 *
 * @owner is the name of the consumer's module, for resource tracking.
 */
struct kfi_ops_fabric {
	int	(*domain)(struct kfid_fabric *fabric, struct kfi_info *info,
			  struct kfid_domain **domain, void *context,
			  const char *owner);
	int	(*passive_ep)(struct kfid_fabric *fabric, struct kfi_info *info,
			      struct kfid_pep **pep, void *context,
			      const char *owner);
	int	(*eq_open)(struct kfid_fabric *fabric, struct kfi_eq_attr *attr,
			   struct kfid_eq **eq, kfi_event_handler event_handler,
			   void *context);
};

/**
 * struct kfid_fabric - an open fabric
 * @fid: the object
 * @ops: operations
 * @api_version: version of the interface that the consumer asked for
 */
struct kfid_fabric {
	struct kfid			fid;
	const struct kfi_ops_fabric	*ops;
	u32				api_version;
};

int kfi_getinfo(u32 version, const char *node, const char *service, u64 flags,
		const struct kfi_info *hints, struct kfi_info **info);
void kfi_freeinfo(struct kfi_info *info);
struct kfi_info *kfi_allocinfo(void);
struct kfi_info *kfi_dupinfo(const struct kfi_info *info);

int kfi_fabric(struct kfi_fabric_attr *attr, struct kfid_fabric **fabric,
	       void *context);

int kfi_close(struct kfid *fid);

/**
 * kfi_control() - control an object
 * @fid: the object
 * @command: KFI_ENABLE for endpoints, KFI_BACKLOG for passive endpoints
 * @arg: as the command says
 *
 * Context: Process context, may sleep.
 * Return: 0, -EOPNOTSUPP for a command that the object does not know, or the
 * command's error.
 */
static inline int kfi_control(struct kfid *fid, int command, void *arg)
{
	might_sleep();
	if (!fid->ops->control)
		return -EOPNOTSUPP;
	return fid->ops->control(fid, command, arg);
}

/**
 * enum kfi_type - what kfi_tostr() is given
 * @KFI_TYPE_INFO: struct kfi_info, this entry only
 * @KFI_TYPE_EP_TYPE: enum kfi_ep_type
 * @KFI_TYPE_CAPS: u64, capabilities
 * @KFI_TYPE_OP_FLAGS: u64, operation flags
 * @KFI_TYPE_ADDR_FORMAT: u32, format of addresses
 * @KFI_TYPE_TX_ATTR: struct kfi_tx_attr
 * @KFI_TYPE_RX_ATTR: struct kfi_rx_attr
 * @KFI_TYPE_EP_ATTR: struct kfi_ep_attr
 * @KFI_TYPE_DOMAIN_ATTR: struct kfi_domain_attr
 * @KFI_TYPE_FABRIC_ATTR: struct kfi_fabric_attr
 * @KFI_TYPE_THREADING: enum kfi_threading
 * @KFI_TYPE_PROGRESS: enum kfi_progress
 * @KFI_TYPE_PROTOCOL: u32, protocol of an endpoint
 * @KFI_TYPE_MSG_ORDER: u64, KFI_ORDER_*
 * @KFI_TYPE_MODE: u64, mode bits
 * @KFI_TYPE_AV_TYPE: enum kfi_av_type
 * @KFI_TYPE_ATOMIC_TYPE: enum kfi_datatype
 * @KFI_TYPE_ATOMIC_OP: enum kfi_op
 * @KFI_TYPE_VERSION: ignored, the version of the core
 * @KFI_TYPE_EQ_EVENT: u32, an event
 * @KFI_TYPE_CQ_EVENT_FLAGS: u64, flags of a completion
 * @KFI_TYPE_MR_MODE: int, KFI_MR_*
 * @KFI_TYPE_MR_FLAGS: u64, flags of a memory region. kfabric extension
 * @KFI_TYPE_COMMIT_INFO: struct kfi_commit_info. kfabric extension
 */
enum kfi_type {
	KFI_TYPE_INFO,
	KFI_TYPE_EP_TYPE,
	KFI_TYPE_CAPS,
	KFI_TYPE_OP_FLAGS,
	KFI_TYPE_ADDR_FORMAT,
	KFI_TYPE_TX_ATTR,
	KFI_TYPE_RX_ATTR,
	KFI_TYPE_EP_ATTR,
	KFI_TYPE_DOMAIN_ATTR,
	KFI_TYPE_FABRIC_ATTR,
	KFI_TYPE_THREADING,
	KFI_TYPE_PROGRESS,
	KFI_TYPE_PROTOCOL,
	KFI_TYPE_MSG_ORDER,
	KFI_TYPE_MODE,
	KFI_TYPE_AV_TYPE,
	KFI_TYPE_ATOMIC_TYPE,
	KFI_TYPE_ATOMIC_OP,
	KFI_TYPE_VERSION,
	KFI_TYPE_EQ_EVENT,
	KFI_TYPE_CQ_EVENT_FLAGS,
	KFI_TYPE_MR_MODE,
	KFI_TYPE_MR_FLAGS	= 64,
	KFI_TYPE_COMMIT_INFO,
};

char *kfi_tostr(const void *data, enum kfi_type datatype);

#endif /* KFABRIC_H */
