/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One-sided access to a peer's memory.
 */

#ifndef KFI_RMA_H
#define KFI_RMA_H

#include <kfi_endpoint.h>

/**
 * DOC: persistence
 *
 * A write completes at one of three levels, each with exactly one completion:
 *
 * 1. By default (KFI_TRANSMIT_COMPLETE): the peer's device has the data. The
 *    buffer can be reused; what a reader at the target sees is undefined.
 * 2. KFI_DELIVERY_COMPLETE: the data is visible at the target, to its CPUs and to
 *    any reader of the region.
 * 3. KFI_COMMIT: the data is visible and persistent: it survives a power failure
 *    of the target. Only for regions registered with KFI_PMEM there.
 *
 * A commit covers its own data and every earlier write of the same endpoint to
 * the same remote ranges. It does not cover writes of other endpoints, nor of
 * other devices. Commits of one endpoint persist and complete in the order in
 * which they were posted; the data of a later write may reach the media before
 * an earlier commit is complete.
 *
 * Nothing is atomic. Of a commit that is not complete when the power fails any part
 * may be there, and the rest not: no sector, and no smaller unit either, is promised
 * to be old or new as a whole. The same is true of one that completes in error.
 *
 * The payload of a commit with KFI_INJECT is not written ahead: the target stores
 * it after all earlier commits of the endpoint are persistent, and not at all if
 * one fails that was outstanding when it was posted. So a marker cannot get ahead
 * of the data that it marks.
 *
 * Commits that cannot be are refused by the call, with nothing posted:
 *
 * ===============  ===========================================================
 * -EOPNOTSUPP      an endpoint without KFI_RMA_PMEM; a message; a write without
 *                  a completion, see "DOC: default levels"
 * -EINVAL          a second level; a flag that writes do not have; a read; a
 *                  receive; an atomic operation; a range in a region that is not
 *                  KFI_PMEM, or that wraps around; no range at all; payload of
 *                  another length than its ranges; data of more bytes than
 *                  cq_data_size
 * -EACCES          with KFI_COMMIT_READ, a range in a region that peers may not
 *                  both read and write
 * -EMSGSIZE        a range of more than max_msg_size bytes; more payload than
 *                  inject_size with KFI_INJECT
 * -E2BIG           more ranges than rma_iov_limit or &kfi_commit_info.max_ranges;
 *                  more segments than KFI_OPT_RMA_SEG_LIMIT; more payload with
 *                  KFI_INJECT than the peer takes
 * -EAGAIN          all of &kfi_commit_info.slots are taken, of which deliveries on
 *                  a commit endpoint may take one each too; or no room, as for
 *                  any operation
 * ===============  ===========================================================
 *
 * On an endpoint without messages or atomic operations those are -EOPNOTSUPP with any
 * flags.
 *
 * Payload and ranges of a write: the payload fills the ranges one after the other, in
 * their order, and has as many bytes as all of them together; anything else is
 * -EINVAL. A range may be empty.
 *
 * A commit or delivery without payload - no element in the vector, or none that has
 * bytes - writes nothing, and its ranges may have any length: it completes when what
 * this endpoint wrote to them before is persistent, or visible. So many writes can
 * share one commit, which names up to &kfi_commit_info.max_ranges ranges. A commit of
 * nothing but empty ranges makes nothing persistent, but completes in its place
 * behind all earlier commits. Every range of a commit has to lie in a KFI_PMEM region
 * that may be written to; whether a delivery's do may go unnoticed. With
 * KFI_REMOTE_CQ_DATA the target is told the bytes of all ranges on a commit endpoint,
 * and 0 on a raw one. KFI_INJECT has nothing to be about.
 *
 * A commit that fails makes an error completion, and the connection goes on. One
 * that names a bad range fails alone; commits that were made persistent together
 * fail together. What then is on the media is undefined.
 *
 * How commits are done is settled when the connection is made, see
 * KFI_OPT_COMMIT_METHOD. The above holds for every method, but for this: with
 * KFI_COMMIT_READ and KFI_COMMIT_FLUSH nobody but a device looks at a commit.
 *
 * - One that fails ends the connection, as any read or write does, and all that is
 *   outstanding fails with it.
 * - A range that nothing is written to, and is outside of its region, may go
 *   unnoticed with KFI_COMMIT_READ; one that is empty does with either.
 * - With KFI_REMOTE_CQ_DATA the target is told of 0 bytes; with KFI_COMMIT_READ, if
 *   there is payload, of those of its last piece. The commit does not wait for the
 *   target's consumer to read that.
 */

/**
 * struct kfi_rma_iov - a range of a peer's memory
 * @addr: its address: the region's &kfid_mr.iova, plus an offset
 * @len: bytes
 * @key: the region's key
 */
struct kfi_rma_iov {
	u64	addr;
	size_t	len;
	u64	key;
};

/**
 * struct kfi_msg_rma - an RMA operation
 * @type: which member of the union
 * @msg_iov: KFI_KVEC: local memory
 * @msg_biov: KFI_BVEC: local memory
 * @msg_sgl: KFI_SGL: local memory
 * @desc: local descriptors, one for each element, or NULL; each may be NULL
 * @iov_count: elements of the vector; 0 for no payload
 * @addr: ignored, endpoints are connected
 * @rma_iov: the peer's memory: as many bytes as the local memory, unless there is
 *	none and the operation is about earlier ones, see "DOC: persistence"
 * @rma_iov_count: elements of @rma_iov, at most tx_attr.rma_iov_limit
 * @context: returned as op_context of the completion
 * @data: for the peer's completion, with KFI_REMOTE_CQ_DATA; must fit
 *	cq_data_size bytes
 */
struct kfi_msg_rma {
	enum kfi_iov_type	type;
	union {
		const struct kvec		*msg_iov;
		const struct bio_vec		*msg_biov;
		const struct scatterlist	*msg_sgl;
	};
	void				**desc;
	size_t				iov_count;
	kfi_addr_t			addr;
	const struct kfi_rma_iov	*rma_iov;
	size_t				rma_iov_count;
	void				*context;
	u64				data;
};

/**
 * enum kfi_commit_method - how a commit is done
 * @KFI_COMMIT_NONE: the connection cannot commit
 * @KFI_COMMIT_SERVER: the target's provider makes the range persistent
 * @KFI_COMMIT_READ: what is visible at the target is persistent there, and a read
 *	behind the write finds out that it is visible
 * @KFI_COMMIT_FLUSH: the target's device makes the range persistent, asked by an
 *	RDMA FLUSH behind the write
 */
enum kfi_commit_method {
	KFI_COMMIT_NONE,
	KFI_COMMIT_SERVER,
	KFI_COMMIT_READ,
	KFI_COMMIT_FLUSH,
};

/**
 * enum kfi_pmem_domain - what of the target survives a power failure
 * @KFI_PMEM_DOMAIN_UNKNOWN: not known; treated as memory
 * @KFI_PMEM_DOMAIN_MEMORY: what has reached the memory controller (ADR)
 * @KFI_PMEM_DOMAIN_CPU_CACHE: CPU caches too (eADR)
 */
enum kfi_pmem_domain {
	KFI_PMEM_DOMAIN_UNKNOWN,
	KFI_PMEM_DOMAIN_MEMORY,
	KFI_PMEM_DOMAIN_CPU_CACHE,
};

/**
 * struct kfi_commit_info - how a connection commits
 * @method: how
 * @domain: the target's persistence domain
 * @sync: false when persisting there is a request that sleeps
 * @max_ranges: remote ranges of one commit
 * @slots: commits that can be outstanding
 *
 * Value of KFI_OPT_COMMIT_INFO. All of it is 0, KFI_COMMIT_NONE, before the
 * endpoint is connected and on one without KFI_RMA_PMEM.
 */
struct kfi_commit_info {
	enum kfi_commit_method	method;
	enum kfi_pmem_domain	domain;
	bool			sync;
	unsigned int		max_ranges;
	unsigned int		slots;
};

/**
 * struct kfi_ops_rma - one-sided access of an endpoint
 * @read: see kfi_readmsg()
 * @write: see kfi_writemsg()
 * @inject: as @write with KFI_INJECT, but a success makes no completion ever
 */
struct kfi_ops_rma {
	ssize_t	(*read)(struct kfid_ep *ep, const struct kfi_msg_rma *msg,
			u64 flags);
	ssize_t	(*write)(struct kfid_ep *ep, const struct kfi_msg_rma *msg,
			 u64 flags);
	ssize_t	(*inject)(struct kfid_ep *ep, const struct kfi_msg_rma *msg,
			  u64 flags);
};

/**
 * kfi_readmsg() - read from a peer's memory
 * @ep: a connected endpoint
 * @msg: what to read, and where to
 * @flags: KFI_COMPLETION, KFI_MORE, KFI_FENCE, KFI_INJECT_COMPLETE,
 *	KFI_TRANSMIT_COMPLETE, KFI_DELIVERY_COMPLETE; the completion of a read
 *	has always the last one's meaning. Calls without flags do not take a
 *	default of KFI_COMMIT from the endpoint
 *
 * Context: Any context.
 * Return: 0; -EAGAIN; -E2BIG; -EMSGSIZE; -EINVAL, also when the lengths of local
 * and remote memory differ; -ENOMEM as kfi_sendmsg(); -KFI_EOPBADSTATE before
 * kfi_enable(); -ENOTCONN before the connected event; -ESHUTDOWN; -ENODEV.
 */
static inline ssize_t
kfi_readmsg(struct kfid_ep *ep, const struct kfi_msg_rma *msg, u64 flags)
{
	if (!ep->rma->read)
		return -EOPNOTSUPP;
	return ep->rma->read(ep, msg, flags);
}

/**
 * kfi_writemsg() - write to a peer's memory
 * @ep: a connected endpoint
 * @msg: what to write, and where to
 * @flags: KFI_COMPLETION, KFI_INJECT, KFI_MORE, KFI_FENCE, KFI_REMOTE_CQ_DATA,
 *	and at most one of KFI_INJECT_COMPLETE, KFI_TRANSMIT_COMPLETE,
 *	KFI_DELIVERY_COMPLETE and KFI_COMMIT; see "DOC: persistence"
 *
 * Context: Any context.
 * Return: as kfi_readmsg(); -EINVAL with KFI_COMMIT when a range lies in a region
 * that is not KFI_PMEM, or together with a weaker level; -EOPNOTSUPP when the
 * endpoint was not opened with KFI_RMA_PMEM; -EACCES for a commit that would have
 * to read from a region that may not be read. -EAGAIN also when all commit slots
 * are taken.
 */
static inline ssize_t
kfi_writemsg(struct kfid_ep *ep, const struct kfi_msg_rma *msg, u64 flags)
{
	if (!ep->rma->write)
		return -EOPNOTSUPP;
	return ep->rma->write(ep, msg, flags);
}

size_t kfi_iov_len(enum kfi_iov_type type, const void *iov, size_t count);

/**
 * kfi_readv() - read from a peer's memory into kernel memory in pieces
 * @ep: a connected endpoint
 * @iov: the pieces
 * @desc: their local descriptors, or NULL
 * @count: number of pieces
 * @src_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_readmsg().
 */
static inline ssize_t
kfi_readv(struct kfid_ep *ep, const struct kvec *iov, void **desc,
	  size_t count, kfi_addr_t src_addr, u64 addr, u64 key,
	  void *context)
{
	struct kfi_rma_iov rma_iov = { .addr = addr, .key = key };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = iov, .desc = desc,
		.iov_count = count, .addr = src_addr, .rma_iov = &rma_iov,
		.rma_iov_count = 1, .context = context,
	};

	rma_iov.len = kfi_iov_len(KFI_KVEC, iov, count);
	return kfi_readmsg(ep, &msg, ep->tx_op_flags & ~KFI_COMMIT);
}

/**
 * kfi_readbv() - read from a peer's memory into pages
 * @ep: a connected endpoint
 * @biov: the pages
 * @desc: their local descriptors, or NULL
 * @count: number of elements
 * @src_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_readmsg().
 */
static inline ssize_t
kfi_readbv(struct kfid_ep *ep, const struct bio_vec *biov, void **desc,
	   size_t count, kfi_addr_t src_addr, u64 addr, u64 key,
	   void *context)
{
	struct kfi_rma_iov rma_iov = { .addr = addr, .key = key };
	const struct kfi_msg_rma msg = {
		.type = KFI_BVEC, .msg_biov = biov, .desc = desc,
		.iov_count = count, .addr = src_addr, .rma_iov = &rma_iov,
		.rma_iov_count = 1, .context = context,
	};

	rma_iov.len = kfi_iov_len(KFI_BVEC, biov, count);
	return kfi_readmsg(ep, &msg, ep->tx_op_flags & ~KFI_COMMIT);
}

/**
 * kfi_readsgl() - read from a peer's memory into a scatterlist
 * @ep: a connected endpoint
 * @sgl: the scatterlist
 * @desc: their local descriptors, or NULL
 * @count: number of elements
 * @src_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_readmsg().
 */
static inline ssize_t
kfi_readsgl(struct kfid_ep *ep, const struct scatterlist *sgl, void **desc,
	    size_t count, kfi_addr_t src_addr, u64 addr, u64 key,
	    void *context)
{
	struct kfi_rma_iov rma_iov = { .addr = addr, .key = key };
	const struct kfi_msg_rma msg = {
		.type = KFI_SGL, .msg_sgl = sgl, .desc = desc,
		.iov_count = count, .addr = src_addr, .rma_iov = &rma_iov,
		.rma_iov_count = 1, .context = context,
	};

	rma_iov.len = kfi_iov_len(KFI_SGL, sgl, count);
	return kfi_readmsg(ep, &msg, ep->tx_op_flags & ~KFI_COMMIT);
}

/**
 * kfi_writev() - write kernel memory in pieces to a peer's memory
 * @ep: a connected endpoint
 * @iov: the pieces
 * @desc: their local descriptors, or NULL
 * @count: number of pieces
 * @dest_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_writemsg().
 */
static inline ssize_t
kfi_writev(struct kfid_ep *ep, const struct kvec *iov, void **desc,
	   size_t count, kfi_addr_t dest_addr, u64 addr, u64 key,
	   void *context)
{
	struct kfi_rma_iov rma_iov = { .addr = addr, .key = key };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = iov, .desc = desc,
		.iov_count = count, .addr = dest_addr, .rma_iov = &rma_iov,
		.rma_iov_count = 1, .context = context,
	};

	rma_iov.len = kfi_iov_len(KFI_KVEC, iov, count);
	return kfi_writemsg(ep, &msg, ep->tx_op_flags);
}

/**
 * kfi_writebv() - write pages to a peer's memory
 * @ep: a connected endpoint
 * @biov: the pages
 * @desc: their local descriptors, or NULL
 * @count: number of elements
 * @dest_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_writemsg().
 */
static inline ssize_t
kfi_writebv(struct kfid_ep *ep, const struct bio_vec *biov, void **desc,
	    size_t count, kfi_addr_t dest_addr, u64 addr, u64 key,
	    void *context)
{
	struct kfi_rma_iov rma_iov = { .addr = addr, .key = key };
	const struct kfi_msg_rma msg = {
		.type = KFI_BVEC, .msg_biov = biov, .desc = desc,
		.iov_count = count, .addr = dest_addr, .rma_iov = &rma_iov,
		.rma_iov_count = 1, .context = context,
	};

	rma_iov.len = kfi_iov_len(KFI_BVEC, biov, count);
	return kfi_writemsg(ep, &msg, ep->tx_op_flags);
}

/**
 * kfi_writesgl() - write a scatterlist to a peer's memory
 * @ep: a connected endpoint
 * @sgl: the scatterlist
 * @desc: their local descriptors, or NULL
 * @count: number of elements
 * @dest_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_writemsg().
 */
static inline ssize_t
kfi_writesgl(struct kfid_ep *ep, const struct scatterlist *sgl, void **desc,
	     size_t count, kfi_addr_t dest_addr, u64 addr, u64 key,
	     void *context)
{
	struct kfi_rma_iov rma_iov = { .addr = addr, .key = key };
	const struct kfi_msg_rma msg = {
		.type = KFI_SGL, .msg_sgl = sgl, .desc = desc,
		.iov_count = count, .addr = dest_addr, .rma_iov = &rma_iov,
		.rma_iov_count = 1, .context = context,
	};

	rma_iov.len = kfi_iov_len(KFI_SGL, sgl, count);
	return kfi_writemsg(ep, &msg, ep->tx_op_flags);
}

/**
 * kfi_read() - read from a peer's memory into kernel memory
 * @ep: a connected endpoint
 * @buf: where the data goes
 * @len: bytes
 * @desc: local descriptor of @buf, or NULL
 * @src_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_readmsg().
 */
static inline ssize_t
kfi_read(struct kfid_ep *ep, void *buf, size_t len, void *desc,
	 kfi_addr_t src_addr, u64 addr, u64 key, void *context)
{
	const struct kfi_rma_iov rma_iov = {
		.addr = addr, .len = len, .key = key,
	};
	const struct kvec iov = { .iov_base = buf, .iov_len = len };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .desc = &desc,
		.iov_count = 1, .addr = src_addr, .rma_iov = &rma_iov,
		.rma_iov_count = 1, .context = context,
	};

	return kfi_readmsg(ep, &msg, ep->tx_op_flags & ~KFI_COMMIT);
}

/**
 * kfi_write() - write kernel memory to a peer's memory
 * @ep: a connected endpoint
 * @buf: the data
 * @len: bytes
 * @desc: local descriptor of @buf, or NULL
 * @dest_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_writemsg().
 */
static inline ssize_t
kfi_write(struct kfid_ep *ep, const void *buf, size_t len, void *desc,
	  kfi_addr_t dest_addr, u64 addr, u64 key, void *context)
{
	const struct kfi_rma_iov rma_iov = {
		.addr = addr, .len = len, .key = key,
	};
	const struct kvec iov = { .iov_base = (void *)buf, .iov_len = len };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .desc = &desc,
		.iov_count = 1, .addr = dest_addr, .rma_iov = &rma_iov,
		.rma_iov_count = 1, .context = context, .data = 0,
	};

	return kfi_writemsg(ep, &msg, ep->tx_op_flags);
}

/**
 * kfi_writedata() - kfi_write() with data for the peer's completion
 * @ep: a connected endpoint
 * @buf: the data
 * @len: bytes
 * @desc: local descriptor of @buf, or NULL
 * @data: for the peer's completion
 * @dest_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_writemsg().
 */
static inline ssize_t
kfi_writedata(struct kfid_ep *ep, const void *buf, size_t len, void *desc,
	      u64 data, kfi_addr_t dest_addr, u64 addr, u64 key, void *context)
{
	const struct kfi_rma_iov rma_iov = {
		.addr = addr, .len = len, .key = key,
	};
	const struct kvec iov = { .iov_base = (void *)buf, .iov_len = len };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .desc = &desc,
		.iov_count = 1, .addr = dest_addr, .rma_iov = &rma_iov,
		.rma_iov_count = 1, .context = context, .data = data,
	};

	return kfi_writemsg(ep, &msg, ep->tx_op_flags | KFI_REMOTE_CQ_DATA);
}

/**
 * kfi_write_commit() - kfi_write() that completes when the data is persistent
 * @ep: a connected endpoint with KFI_RMA_PMEM
 * @buf: the data
 * @len: bytes
 * @desc: local descriptor of @buf, or NULL
 * @dest_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region, which is KFI_PMEM
 * @context: of the completion
 *
 * kfi_writemsg() with KFI_COMMIT, whatever the endpoint's default level is. The
 * write-commit of the proposal of 2016. kfabric extension.
 *
 * Context: Any context.
 * Return: see kfi_writemsg().
 */
static inline ssize_t
kfi_write_commit(struct kfid_ep *ep, const void *buf, size_t len, void *desc,
		 kfi_addr_t dest_addr, u64 addr, u64 key, void *context)
{
	const struct kfi_rma_iov rma_iov = {
		.addr = addr, .len = len, .key = key,
	};
	const struct kvec iov = { .iov_base = (void *)buf, .iov_len = len };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .desc = &desc,
		.iov_count = 1, .addr = dest_addr, .rma_iov = &rma_iov,
		.rma_iov_count = 1, .context = context,
	};

	return kfi_writemsg(ep, &msg, KFI_COMMIT |
			    (ep->tx_op_flags & KFI_COMPLETION));
}

/**
 * kfi_writedata_commit() - kfi_write_commit() with data for the peer's completion
 * @ep: a connected endpoint with KFI_RMA_PMEM
 * @buf: the data
 * @len: bytes
 * @desc: local descriptor of @buf, or NULL
 * @data: for the peer's completion, which it gets when all is persistent
 * @dest_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region, which is KFI_PMEM
 * @context: of the completion
 *
 * The write-commit-immediate of the proposal of 2016. kfabric extension.
 *
 * Context: Any context.
 * Return: see kfi_writemsg().
 */
static inline ssize_t
kfi_writedata_commit(struct kfid_ep *ep, const void *buf, size_t len,
		     void *desc, u64 data, kfi_addr_t dest_addr, u64 addr,
		     u64 key, void *context)
{
	const struct kfi_rma_iov rma_iov = {
		.addr = addr, .len = len, .key = key,
	};
	const struct kvec iov = { .iov_base = (void *)buf, .iov_len = len };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .desc = &desc,
		.iov_count = 1, .addr = dest_addr, .rma_iov = &rma_iov,
		.rma_iov_count = 1, .context = context, .data = data,
	};

	return kfi_writemsg(ep, &msg, KFI_COMMIT | KFI_REMOTE_CQ_DATA |
			    (ep->tx_op_flags & KFI_COMPLETION));
}

/**
 * kfi_inject_write() - write a copy of kernel memory, without a completion
 * @ep: a connected endpoint
 * @buf: the data, the caller's again when the call returns
 * @len: bytes, at most tx_attr.inject_size
 * @dest_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 *
 * An error still makes an entry in the completion queue, with op_context NULL.
 *
 * Context: Any context.
 * Return: see kfi_writemsg(); -EOPNOTSUPP also when the endpoint's default is
 * KFI_DELIVERY_COMPLETE or KFI_COMMIT, which nothing would tell of.
 */
static inline ssize_t
kfi_inject_write(struct kfid_ep *ep, const void *buf, size_t len,
		 kfi_addr_t dest_addr, u64 addr, u64 key)
{
	const struct kfi_rma_iov rma_iov = {
		.addr = addr, .len = len, .key = key,
	};
	const struct kvec iov = { .iov_base = (void *)buf, .iov_len = len };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.addr = dest_addr, .rma_iov = &rma_iov, .rma_iov_count = 1,
	};

	if (!ep->rma->inject)
		return -EOPNOTSUPP;
	return ep->rma->inject(ep, &msg, KFI_INJECT |
			       (ep->tx_op_flags &
				(KFI_DELIVERY_COMPLETE | KFI_COMMIT)));
}

/**
 * kfi_inject_writedata() - kfi_inject_write() with data for the peer's completion
 * @ep: a connected endpoint
 * @buf: the data, the caller's again when the call returns
 * @len: bytes, at most tx_attr.inject_size
 * @data: for the peer's completion
 * @dest_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 *
 * Context: Any context.
 * Return: see kfi_inject_write().
 */
static inline ssize_t
kfi_inject_writedata(struct kfid_ep *ep, const void *buf, size_t len, u64 data,
		     kfi_addr_t dest_addr, u64 addr, u64 key)
{
	const struct kfi_rma_iov rma_iov = {
		.addr = addr, .len = len, .key = key,
	};
	const struct kvec iov = { .iov_base = (void *)buf, .iov_len = len };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.addr = dest_addr, .rma_iov = &rma_iov, .rma_iov_count = 1,
		.data = data,
	};

	if (!ep->rma->inject)
		return -EOPNOTSUPP;
	return ep->rma->inject(ep, &msg, KFI_INJECT | KFI_REMOTE_CQ_DATA |
			       (ep->tx_op_flags &
				(KFI_DELIVERY_COMPLETE | KFI_COMMIT)));
}

#endif /* KFI_RMA_H */
