/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Domains and memory regions.
 */

#ifndef KFI_DOMAIN_H
#define KFI_DOMAIN_H

#include <kfabric.h>
#include <kfi_eq.h>

struct bio_vec;
struct device;
struct kvec;
struct scatterlist;

/**
 * DOC: memory registration
 *
 * A memory region gives peers access to exactly the bytes that it was made of:
 * not to the rest of their pages, and to nothing else. Its key works when
 * kfi_mr_reg() returns, before any endpoint is connected, and is dead when
 * kfi_close() returns: a peer's access that was under way has ended by then.
 *
 * The memory has to stay where it is while the region exists. Local buffers of
 * operations need no registration: desc may be NULL for any of them.
 *
 * Peers address a region from &kfid_mr.iova on, whatever the kernel address of
 * the memory is. A vector is one contiguous range there, as devices with page lists
 * can have it: but for its beginning and its end, pieces that do not lie side by side
 * in memory begin and end at multiples of 4096 bytes.
 */

/**
 * DOC: uncached regions
 *
 * KFI_UNCACHED says that the CPUs here are not going to read soon what peers write to
 * a region, so that it need not take other data's place in their caches. It is a
 * hint: it changes neither what a completion means nor what may be done with the
 * region, and a region without access for peers cannot have it. kfi_mr_flags() tells
 * whether it is honoured:
 *
 * ==================  ========================================================
 * loopback            writes of peers go around the caches, where the
 *                     architecture has memcpy_flushcache(); elsewhere no. What
 *                     comes inside of a commit request (KFI_INJECT) does not
 * verbs               no: devices take hints of this kind with a registration,
 *                     but the kernel's interface to them, struct ib_dmah, serves
 *                     regions of user space only
 * ==================  ========================================================
 */

/**
 * struct kfid_mr - a memory region
 * @fid: the object
 * @mem_desc: local descriptor, see kfi_mr_desc()
 * @key: what a peer needs to reach the region, see kfi_mr_key(). Above its low
 *	32 bits a provider may keep marks; it goes over the wire as 64 bits
 * @iova: the region's first address, as peers see it
 * @flags: see kfi_mr_flags(). kfabric extension
 */
struct kfid_mr {
	struct kfid	fid;
	void		*mem_desc;
	u64		key;
	u64		iova;
	u64		flags;
};

/**
 * struct kfi_mr_attr - what kfi_mr_regattr() registers
 * @type: which member of the union
 * @mr_iov: KFI_KVEC: kernel memory, vmalloc included
 * @mr_biov: KFI_BVEC: pages
 * @mr_sgl: KFI_SGL: a scatterlist, not mapped for DMA
 * @iov_count: elements of the vector
 * @access: KFI_SEND, KFI_RECV, KFI_READ, KFI_WRITE for local use,
 *	KFI_REMOTE_READ, KFI_REMOTE_WRITE for peers
 * @offset: must be 0
 * @requested_key: ignored, the provider chooses (KFI_MR_PROV_KEY)
 * @context: &kfid.context of the region
 * @auth_key_size: must be 0
 * @auth_key: must be NULL
 */
struct kfi_mr_attr {
	enum kfi_iov_type	type;
	union {
		const struct kvec		*mr_iov;
		const struct bio_vec		*mr_biov;
		const struct scatterlist	*mr_sgl;
	};
	size_t			iov_count;
	u64			access;
	u64			offset;
	u64			requested_key;
	void			*context;
	size_t			auth_key_size;
	u8			*auth_key;
};

/**
 * enum kfi_datatype - type of an atomic operation's operands
 * @KFI_INT8: s8
 * @KFI_UINT8: u8
 * @KFI_INT16: s16
 * @KFI_UINT16: u16
 * @KFI_INT32: s32
 * @KFI_UINT32: u32
 * @KFI_INT64: s64; with KFI_UINT64 what providers here have
 * @KFI_UINT64: u64
 * @KFI_DATATYPE_LAST: one more than the last
 */
enum kfi_datatype {
	KFI_INT8,
	KFI_UINT8,
	KFI_INT16,
	KFI_UINT16,
	KFI_INT32,
	KFI_UINT32,
	KFI_INT64,
	KFI_UINT64,
	KFI_DATATYPE_LAST
};

/**
 * enum kfi_op - an atomic operation; values of libfabric
 * @KFI_SUM: add
 * @KFI_ATOMIC_READ: read
 * @KFI_ATOMIC_WRITE: write; -EOPNOTSUPP where the device has none
 * @KFI_CSWAP: compare and swap if equal
 * @KFI_ATOMIC_OP_LAST: one more than the last
 */
enum kfi_op {
	KFI_SUM			= 2,
	KFI_ATOMIC_READ		= 10,
	KFI_ATOMIC_WRITE	= 11,
	KFI_CSWAP		= 12,
	KFI_ATOMIC_OP_LAST	= 19
};

/**
 * struct kfi_ops_domain - operations of a domain
 * @cq_open: see kfi_cq_open()
 * @endpoint: see kfi_endpoint()
 *
 * @owner is the name of the consumer's module, for resource tracking.
 */
struct kfi_ops_domain {
	int	(*cq_open)(struct kfid_domain *domain, struct kfi_cq_attr *attr,
			   struct kfid_cq **cq, kfi_comp_handler comp_handler,
			   void *context, const char *owner);
	int	(*endpoint)(struct kfid_domain *domain, struct kfi_info *info,
			    struct kfid_ep **ep, void *context,
			    const char *owner);
};

/**
 * struct kfi_ops_mr - memory registration of a domain
 * @regattr: see kfi_mr_regattr(); the other calls end there too
 */
struct kfi_ops_mr {
	int	(*regattr)(struct kfid_domain *domain,
			   const struct kfi_mr_attr *attr, u64 flags,
			   struct kfid_mr **mr);
};

/**
 * struct kfid_domain - an open domain
 * @fid: the object
 * @ops: operations
 * @mr: memory registration
 * @dma_device: the device that does DMA, or NULL. kfabric extension
 * @numa_node: NUMA node of the device, or NUMA_NO_NODE. kfabric extension
 * @num_vectors: completion vectors, 1 or more. kfabric extension
 */
struct kfid_domain {
	struct kfid			fid;
	const struct kfi_ops_domain	*ops;
	const struct kfi_ops_mr		*mr;
	struct device			*dma_device;
	int				numa_node;
	unsigned int			num_vectors;
};

/**
 * kfi_domain() - open a domain
 * @fabric: the fabric, which the domain is a child of
 * @info: what kfi_getinfo() or a connection request gave
 * @domain: where the domain is returned
 * @context: &kfid.context of the domain
 *
 * Context: Process context, may sleep.
 * Return: 0, -EINVAL, -ENODEV when the device is gone, -ENOMEM, or an error of
 * the device.
 */
static inline int
kfi_domain(struct kfid_fabric *fabric, struct kfi_info *info,
	   struct kfid_domain **domain, void *context)
{
	might_sleep();
	if (!fabric->ops->domain)
		return -EOPNOTSUPP;
	return fabric->ops->domain(fabric, info, domain, context,
				   KBUILD_MODNAME);
}

/**
 * kfi_domain_device() - the device that does a domain's DMA
 * @domain: the domain
 *
 * kfabric extension.
 *
 * Context: Any context.
 * Return: the device, or NULL when there is none, as with loopback, or when it has
 * been removed. What was returned stays valid until the domain is closed.
 */
static inline struct device *kfi_domain_device(struct kfid_domain *domain)
{
	return READ_ONCE(domain->dma_device);
}

/**
 * kfi_domain_numa_node() - the NUMA node of a domain's device
 * @domain: the domain
 *
 * kfabric extension.
 *
 * Context: Any context.
 * Return: the node, or NUMA_NO_NODE.
 */
static inline int kfi_domain_numa_node(struct kfid_domain *domain)
{
	return domain->numa_node;
}

/**
 * kfi_domain_num_vectors() - the number of a domain's completion vectors
 * @domain: the domain
 *
 * kfabric extension.
 *
 * Context: Any context.
 * Return: 1 or more.
 */
static inline unsigned int kfi_domain_num_vectors(struct kfid_domain *domain)
{
	return domain->num_vectors;
}

/**
 * kfi_cq_open() - open a completion queue
 * @domain: the domain, which the queue is a child of
 * @attr: attributes; an unspecified format is filled in
 * @cq: where the queue is returned
 * @comp_handler: see "DOC: completions", or NULL for a polled queue
 * @context: argument of @comp_handler
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL for bad attributes, an unknown format among them; -EOPNOTSUPP
 * for KFI_CQ_FORMAT_TAGGED; -ENOMEM; -ENODEV; or an error of the device.
 */
static inline int
kfi_cq_open(struct kfid_domain *domain, struct kfi_cq_attr *attr,
	    struct kfid_cq **cq, kfi_comp_handler comp_handler, void *context)
{
	might_sleep();
	if (!domain->ops->cq_open)
		return -EOPNOTSUPP;
	return domain->ops->cq_open(domain, attr, cq, comp_handler, context,
				    KBUILD_MODNAME);
}

/**
 * kfi_mr_regattr() - register memory
 * @domain: the domain, which the region is a child of
 * @attr: what to register
 * @flags: KFI_PMEM: the memory lies in one open memory device, and writes to it can
 *	be committed. KFI_UNCACHED: see "DOC: uncached regions"
 * @mr: where the region is returned
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL for bad arguments, unknown flags and access bits among them,
 * with KFI_PMEM for memory of which a page is not in the device that the first one is
 * in, with KFI_UNCACHED for a region that peers have no access to, and for pieces that
 * do not make one range, see "DOC: memory registration"; -E2BIG when the device needs
 * more than domain_attr.mr_iov_limit page-list entries; -EBUSY with
 * KFI_PMEM while a connection of the domain is there whose peer was told that it may
 * commit by KFI_COMMIT_READ or KFI_COMMIT_FLUSH, which would not be enough for this
 * memory; -EIO when the device has refused it; -ENETUNREACH for a RoCE port without an
 * address; -ENODEV; -ENOMEM.
 */
static inline int
kfi_mr_regattr(struct kfid_domain *domain, const struct kfi_mr_attr *attr,
	       u64 flags, struct kfid_mr **mr)
{
	might_sleep();
	if (!domain->mr->regattr)
		return -EOPNOTSUPP;
	return domain->mr->regattr(domain, attr, flags, mr);
}

int kfi_mr_reg(struct kfid_domain *domain, const void *buf, size_t len,
	       u64 access, u64 offset, u64 requested_key, u64 flags,
	       struct kfid_mr **mr, void *context);
int kfi_mr_regv(struct kfid_domain *domain, const struct kvec *iov,
		size_t count, u64 access, u64 offset, u64 requested_key,
		u64 flags, struct kfid_mr **mr, void *context);
int kfi_mr_regbv(struct kfid_domain *domain, const struct bio_vec *biov,
		 size_t count, u64 access, u64 offset, u64 requested_key,
		 u64 flags, struct kfid_mr **mr, void *context);
int kfi_mr_regsgl(struct kfid_domain *domain, const struct scatterlist *sgl,
		  size_t count, u64 access, u64 offset, u64 requested_key,
		  u64 flags, struct kfid_mr **mr, void *context);

/**
 * kfi_mr_desc() - local descriptor of a region
 * @mr: the region
 *
 * Context: Any context.
 * Return: what operations take as desc for buffers inside the region.
 */
static inline void *kfi_mr_desc(struct kfid_mr *mr)
{
	return mr->mem_desc;
}

/**
 * kfi_mr_key() - a region's key
 * @mr: the region
 *
 * Context: Any context.
 * Return: the key, to be sent to peers as 64 bits.
 */
static inline u64 kfi_mr_key(struct kfid_mr *mr)
{
	return mr->key;
}

/**
 * kfi_mr_flags() - what a region is
 * @mr: the region
 *
 * kfabric extension.
 *
 * Context: Any context.
 * Return: the flags that it was registered with, as far as they are honoured: with
 * KFI_PMEM a region is always persistent, KFI_UNCACHED is a hint.
 */
static inline u64 kfi_mr_flags(const struct kfid_mr *mr)
{
	return mr->flags;
}

#endif /* KFI_DOMAIN_H */
