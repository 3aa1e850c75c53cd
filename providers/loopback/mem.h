/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Memory: segments of it, regions that peers can reach, and copying.
 */

#ifndef KFI_LOOPBACK_MEM_H
#define KFI_LOOPBACK_MEM_H

#include <linux/completion.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/types.h>

#include <kfi_domain.h>
#include <kfi_memdev.h>
#include <kfi_rma.h>

struct lo_domain;
struct page;

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
 * @track: what user space sees of it
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
	struct kfi_mr_track	track;
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
 * struct lo_memory - what one end says of its persistent memory
 * @domain: the weakest persistence domain of its regions
 * @sync: persisting any of them is no request that sleeps
 * @methods: BIT() of each &enum kfi_commit_method by which it can be committed to;
 *	under the lock of the domain's regions
 */
struct lo_memory {
	enum kfi_pmem_domain	domain;
	bool			sync;
	unsigned long		methods;
};

/**
 * struct lo_cursor - a position in memory that is copied from or to
 * @linear: kernel memory, or NULL for segments
 * @segs: segments
 * @mask: of indices into @segs
 * @index: current segment
 * @done: bytes of it, or of @linear, that lie behind
 * @uncached: what is copied to it goes around the CPU's caches
 */
struct lo_cursor {
	void			*linear;
	const struct lo_seg	*segs;
	u32			mask;
	u32			index;
	size_t			done;
	bool			uncached;
};

/* mr.c */
extern const struct kfi_ops_mr lo_mr_ops;
struct lo_mr *lo_mr_begin(struct lo_domain *domain,
			  const struct kfi_rma_iov *range, u64 rights);
void lo_mr_end(struct lo_mr *mr);
struct lo_mr *lo_mr_hold(struct lo_domain *domain,
			 const struct kfi_rma_iov *range);
void lo_mr_put(struct lo_mr *mr);
void lo_mr_declare(struct lo_domain *domain, struct lo_memory *memory);
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

#endif /* KFI_LOOPBACK_MEM_H */
