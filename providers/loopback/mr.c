// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Memory regions and the table of their keys.
 */

#include <linux/atomic.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <trace/events/kfi.h>

#include "loopback.h"
#include "mem.h"

#define LO_REMOTE_RIGHTS	(KFI_REMOTE_READ | KFI_REMOTE_WRITE)

/* A key's low word is an index in the table and 8 bits that change. */
#define LO_KEY_SHIFT	8
#define LO_MAX_ID	(U32_MAX >> LO_KEY_SHIFT)

/*
 * Regions never share an address, in no domain and at no time: a key that is
 * used with another region's address does not work. Above 32 bits, so that a
 * consumer who cuts addresses off finds out here.
 */
static atomic64_t lo_next_iova = ATOMIC64_INIT(BIT_ULL(32));

static struct lo_mr *lo_mr_get(struct lo_domain *domain, u64 key)
{
	struct lo_mr *mr;

	xa_lock(&domain->mrs);
	mr = xa_load(&domain->mrs, (u32)key >> LO_KEY_SHIFT);
	if (mr && (u32)mr->mr.key == (u32)key)
		refcount_inc(&mr->refs);
	else
		mr = NULL;
	xa_unlock(&domain->mrs);
	return mr;
}

void lo_mr_put(struct lo_mr *mr)
{
	if (refcount_dec_and_test(&mr->refs))
		complete(&mr->idle);
}

static bool lo_mr_allows(const struct lo_mr *mr,
			 const struct kfi_rma_iov *range, u64 rights)
{
	u64 offset = range->addr - mr->mr.iova;

	return !mr->dead && !(rights & ~mr->rights) && offset <= mr->len &&
	       range->len <= mr->len - offset;
}

/*
 * A peer's access to a range starts; NULL when it must not. Until lo_mr_end() it
 * can neither be closed nor revoked.
 */
struct lo_mr *lo_mr_begin(struct lo_domain *domain,
			  const struct kfi_rma_iov *range, u64 rights)
{
	struct lo_mr *mr = lo_mr_get(domain, range->key);

	if (!mr)
		return NULL;
	down_read(&mr->access);
	if (lo_mr_allows(mr, range, rights))
		return mr;
	lo_mr_end(mr);
	return NULL;
}

void lo_mr_end(struct lo_mr *mr)
{
	up_read(&mr->access);
	lo_mr_put(mr);
}

/* The region of a range that is to be committed, until lo_mr_put(), or NULL. */
struct lo_mr *lo_mr_hold(struct lo_domain *domain,
			 const struct kfi_rma_iov *range)
{
	struct lo_mr *mr = lo_mr_begin(domain, range, KFI_REMOTE_WRITE);

	if (!mr)
		return NULL;
	up_read(&mr->access);
	if (mr->pmem)
		return mr;
	lo_mr_put(mr);
	return NULL;
}

/* @addr is inside the region. */
void lo_mr_cursor(const struct lo_mr *mr, u64 addr, struct lo_cursor *cursor)
{
	u64 offset = addr - mr->mr.iova;
	u32 low = 0, high = mr->nr_segs;

	while (high - low > 1) {
		u32 mid = low + (high - low) / 2;

		if (mr->starts[mid] <= offset)
			low = mid;
		else
			high = mid;
	}
	*cursor = (struct lo_cursor) {
		.segs = mr->segs, .mask = U32_MAX, .index = low,
		.done = offset - mr->starts[low],
		.uncached = mr->mr.flags & KFI_UNCACHED,
	};
}

/* Whether what is stored is persistent at once: there is no device on the way. */
static bool lo_read_proves(enum kfi_pmem_domain domain, bool sync)
{
	return domain == KFI_PMEM_DOMAIN_CPU_CACHE && sync;
}

/*
 * What a peer has to know of the memory here, as it is now, and may do with it until
 * the connection ends.
 */
void lo_mr_declare(struct lo_domain *domain, struct lo_memory *memory)
{
	const struct kfi_memdev *weakest = NULL;
	unsigned long id;
	struct lo_mr *mr;

	memory->sync = true;
	xa_lock(&domain->mrs);
	xa_for_each(&domain->mrs, id, mr) {
		const struct kfi_memdev *dev = mr->region.dev;

		if (!mr->pmem)
			continue;
		if (!weakest || dev->domain < weakest->domain)
			weakest = dev;
		memory->sync &= dev->sync;
	}
	memory->domain = weakest ? weakest->domain : KFI_PMEM_DOMAIN_UNKNOWN;
	memory->methods = BIT(KFI_COMMIT_SERVER);
	if (lo_read_proves(memory->domain, memory->sync))
		memory->methods |= BIT(KFI_COMMIT_READ);
	xa_unlock(&domain->mrs);
}

/* When this returns, not a byte is read or written by a peer any more. */
static void lo_mr_kill(struct lo_mr *mr)
{
	down_write(&mr->access);
	mr->dead = true;
	up_write(&mr->access);
}

static void lo_mr_revoke(struct kfi_pmem_region *region)
{
	struct lo_mr *mr = container_of(region, struct lo_mr, region);

	lo_mr_kill(mr);
	WRITE_ONCE(mr->track.dead, true);
	lo_domain_fail(mr->domain);
}

static void lo_mr_free(struct lo_mr *mr)
{
	kvfree(mr->starts);
	kvfree(mr->segs);
	kfree(mr);
}

static int lo_mr_close(struct kfid *fid)
{
	struct lo_mr *mr = container_of(fid, struct lo_mr, mr.fid);

	if (!kfi_obj_close(fid))
		return -EBUSY;
	trace_kfi_mr_close(&mr->mr, mr->len);
	kfi_mr_track_del(&mr->track);
	xa_erase(&mr->domain->mrs, (u32)mr->mr.key >> LO_KEY_SHIFT);
	lo_mr_kill(mr);
	lo_mr_put(mr);
	wait_for_completion(&mr->idle);
	if (mr->pmem)
		kfi_pmem_region_destroy(&mr->region);
	kfi_obj_put(&mr->domain->domain.fid);
	lo_mr_free(mr);
	return 0;
}

static const struct kfi_ops lo_mr_fid_ops = {
	.owner	= THIS_MODULE,
	.close	= lo_mr_close,
};

/*
 * Writes the segments down if there is room for them, and counts them. Where they do
 * not lie side by side they have to meet as devices with page lists want it.
 */
static int lo_mr_walk(struct lo_mr *mr, const struct kfi_mr_attr *attr)
{
	phys_addr_t phys, end = 0;
	struct kfi_seg_iter iter;
	struct kfi_seg seg;
	u64 start = 0;
	u32 nr = 0;

	kfi_seg_iter_init(&iter, attr->type, attr->mr_iov, attr->iov_count);
	for (; kfi_seg_next(&iter, SZ_1G, &seg); nr++) {
		if (!seg.page)
			return -EINVAL;
		phys = page_to_phys(seg.page) + seg.offset;
		if (nr && phys != end && !IS_ALIGNED(phys | end, SZ_4K))
			return -EINVAL;
		end = phys + seg.len;
		if (nr == LO_MR_SEG_LIMIT)
			return -E2BIG;
		if (!mr->segs)
			continue;
		mr->segs[nr] = (struct lo_seg) {
			.page = seg.page, .offset = seg.offset, .len = seg.len,
		};
		mr->starts[nr] = start;
		start += seg.len;
	}
	mr->nr_segs = nr;
	return 0;
}

static int lo_mr_map(struct lo_mr *mr, const struct kfi_mr_attr *attr)
{
	int ret;

	ret = lo_mr_walk(mr, attr);
	if (ret)
		return ret;
	mr->segs = kvmalloc_array(mr->nr_segs, sizeof(*mr->segs), GFP_KERNEL);
	mr->starts = kvmalloc_array(mr->nr_segs, sizeof(*mr->starts),
				    GFP_KERNEL);
	if (!mr->segs || !mr->starts)
		return -ENOMEM;
	return lo_mr_walk(mr, attr);
}

/* The page offset stays: who aligned the memory finds the address aligned. */
static u64 lo_mr_iova(const struct lo_mr *mr)
{
	u64 offset = mr->segs[0].offset;
	u64 span = PAGE_ALIGN(offset + mr->len) + PAGE_SIZE;

	return (u64)atomic64_fetch_add(span, &lo_next_iova) + offset;
}

static u64 lo_mr_marks(const struct lo_mr *mr)
{
	if (!mr->pmem)
		return 0;
	return mr->rights == LO_REMOTE_RIGHTS ? KFI_KEY_PMEM | KFI_KEY_READ :
						KFI_KEY_PMEM;
}

/* Whether it would make what a peer was told a lie, without anybody noticing. */
static bool lo_mr_breaks(const struct lo_mr *mr)
{
	const struct kfi_memdev *dev = mr->region.dev;

	return mr->pmem && !lo_read_proves(dev->domain, dev->sync) &&
	       lo_domain_told(mr->domain, KFI_COMMIT_READ);
}

/* The region is complete but for its key; from here on peers can find it. */
static int lo_mr_enter(struct lo_mr *mr)
{
	struct lo_domain *domain = mr->domain;
	bool breaks;
	u32 id;
	int ret;

	ret = xa_alloc_cyclic(&domain->mrs, &id, NULL, XA_LIMIT(1, LO_MAX_ID),
			      &domain->last_id, GFP_KERNEL);
	if (ret < 0)
		return ret;
	mr->mr.key = lo_mr_marks(mr) | (u64)id << LO_KEY_SHIFT | get_random_u8();
	xa_lock(&domain->mrs);
	breaks = lo_mr_breaks(mr);
	if (breaks)
		__xa_erase(&domain->mrs, id);
	else
		__xa_store(&domain->mrs, id, mr, 0);
	xa_unlock(&domain->mrs);
	return breaks ? -EBUSY : 0;
}

static int lo_mr_setup(struct lo_mr *mr, const struct kfi_mr_attr *attr)
{
	int ret;

	ret = lo_mr_map(mr, attr);
	if (ret)
		return ret;
	mr->mr.iova = lo_mr_iova(mr);
	if (mr->pmem) {
		ret = kfi_pmem_region_init(&mr->region, attr->type,
					   attr->mr_iov, attr->iov_count,
					   lo_mr_revoke);
		if (ret)
			return ret;
	}
	ret = lo_mr_enter(mr);
	if (ret && mr->pmem)
		kfi_pmem_region_destroy(&mr->region);
	return ret;
}

static void lo_mr_show(struct lo_mr *mr, u64 access, u64 flags)
{
	mr->track.len = mr->len;
	mr->track.access = access;
	mr->track.flags = flags;
	if (mr->pmem)
		mr->track.memdev = mr->region.dev;
	kfi_mr_track_add(&mr->track, &mr->mr, &mr->domain->scope);
}

static int lo_mr_regattr(struct kfid_domain *domain,
			 const struct kfi_mr_attr *attr, u64 flags,
			 struct kfid_mr **mr)
{
	struct lo_mr *lo;
	size_t len;
	int ret;

	if (!mr)
		return -EINVAL;
	ret = kfi_check_mr(attr, flags, &len);
	if (ret)
		return ret;
	lo = kzalloc_obj(*lo);
	if (!lo)
		return -ENOMEM;
	lo->domain = container_of(domain, struct lo_domain, domain);
	refcount_set(&lo->refs, 1);
	init_completion(&lo->idle);
	init_rwsem(&lo->access);
	lo->pmem = flags & KFI_PMEM;
	lo->rights = attr->access & LO_REMOTE_RIGHTS;
	lo->mr.flags = flags;
	if (!IS_ENABLED(CONFIG_ARCH_HAS_UACCESS_FLUSHCACHE))
		lo->mr.flags &= ~KFI_UNCACHED;
	lo->len = len;

	ret = -EINVAL;
	if (!kfi_obj_get(&domain->fid))
		goto err_free;
	kfi_obj_init(&lo->mr.fid, KFI_CLASS_MR, &lo_mr_fid_ops, attr->context);
	ret = lo_mr_setup(lo, attr);
	if (ret)
		goto err_domain;
	trace_kfi_mr_reg(&lo->mr, len);
	lo_mr_show(lo, attr->access, flags);
	*mr = &lo->mr;
	return 0;

err_domain:
	kfi_obj_put(&domain->fid);
err_free:
	lo_mr_free(lo);
	return ret;
}

const struct kfi_ops_mr lo_mr_ops = {
	.regattr	= lo_mr_regattr,
};
