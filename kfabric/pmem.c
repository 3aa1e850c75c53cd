// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Persistent regions: where in a memory device the bytes of a memory region are,
 * making them persistent, and the end of it all.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_prov.h>
#include <trace/events/kfi.h>

#include "memdev.h"
#include "track.h"

/* Ranges for one call of a device's persist: half a KiB of stack. */
#define KFI_PMEM_BATCH	32

struct kfi_pmem_batch {
	struct kfi_memdev	*dev;
	unsigned int		nr;
	struct kfi_mem_range	ranges[KFI_PMEM_BATCH];
};

/*
 * Regions
 */

/* Appends bytes to a region; without an array of pieces only counts. */
static void region_add(struct kfi_pmem_region *region, u64 *end,
		       u64 offset, u64 len)
{
	if (!region->nr_pieces || *end != offset) {
		if (region->pieces) {
			region->pieces[region->nr_pieces].start = region->len;
			region->pieces[region->nr_pieces].offset = offset;
			region->pieces[region->nr_pieces].len = 0;
		}
		region->nr_pieces++;
	}
	if (region->pieces)
		region->pieces[region->nr_pieces - 1].len += len;
	region->len += len;
	*end = offset + len;
}

static int region_add_seg(struct kfi_pmem_region *region, u64 *end,
			  const struct kfi_seg *seg)
{
	const struct kfi_mem_extent *extent;
	u64 in_extent, len, done;
	unsigned long pfn;

	if (!seg->page)
		return -EINVAL;
	for (done = 0; done < seg->len; done += len) {
		pfn = page_to_pfn(seg->page) +
		      ((seg->offset + done) >> PAGE_SHIFT);
		extent = kfi_memdev_extent(region->dev, pfn);
		if (!extent)
			return -EINVAL;
		in_extent = ((u64)(pfn - extent->pfn) << PAGE_SHIFT) +
			    offset_in_page(seg->offset + done);
		len = min(seg->len - done,
			  ((u64)extent->nr_pages << PAGE_SHIFT) - in_extent);
		region_add(region, end, extent->offset + in_extent, len);
	}
	return 0;
}

static int region_walk(struct kfi_pmem_region *region,
		       enum kfi_iov_type type, const void *iov,
		       size_t count)
{
	struct kfi_seg_iter iter;
	struct kfi_seg seg;
	u64 end = 0;
	int ret;

	region->nr_pieces = 0;
	region->len = 0;
	kfi_seg_iter_init(&iter, type, iov, count);
	while (kfi_seg_next(&iter, SIZE_MAX, &seg)) {
		ret = region_add_seg(region, &end, &seg);
		if (ret)
			return ret;
	}
	return 0;
}

/* Twice: to count the pieces, and to write them down. */
static int region_map(struct kfi_pmem_region *region,
		      enum kfi_iov_type type, const void *iov,
		      size_t count)
{
	int ret;

	region->pieces = NULL;
	ret = region_walk(region, type, iov, count);
	if (ret)
		return ret;
	region->pieces = kvzalloc_objs(*region->pieces, region->nr_pieces);
	if (!region->pieces)
		return -ENOMEM;
	return region_walk(region, type, iov, count);
}

static int region_enter(struct kfi_pmem_region *region)
{
	struct kfi_memdev *dev = region->dev;
	int ret = 0;

	mutex_lock(&dev->lock);
	if (dev->revoked)
		ret = -ENODEV;
	else
		list_add_tail(&region->node, &dev->regions);
	mutex_unlock(&dev->lock);
	return ret;
}

/**
 * kfi_pmem_region_init() - make a region persistent
 * @region: the region
 * @type: what @iov consists of
 * @iov: the region's memory
 * @count: elements of @iov
 * @revoke: see &struct kfi_pmem_region
 *
 * @revoke may be called before this returns.
 *
 * Context: Process context, may sleep. Not from &kfi_pmem_region.revoke, nor
 * with a lock held that it takes.
 * Return: 0; -EINVAL when not all of the memory is in one open memory device,
 * -ENODEV when that was revoked, -ENOMEM.
 */
int kfi_pmem_region_init(struct kfi_pmem_region *region,
			 enum kfi_iov_type type, const void *iov, size_t count,
			 void (*revoke)(struct kfi_pmem_region *region))
{
	struct kfi_seg_iter iter;
	struct kfi_seg seg;
	int ret;

	might_sleep();
	kfi_seg_iter_init(&iter, type, iov, count);
	if (!kfi_seg_next(&iter, SIZE_MAX, &seg) || !seg.page)
		return -EINVAL;
	region->dev = kfi_memdev_get(page_to_pfn(seg.page));
	if (!region->dev)
		return -EINVAL;
	region->revoke = revoke;
	region->revoked = false;
	ret = region_map(region, type, iov, count);
	if (!ret)
		ret = region_enter(region);
	if (ret) {
		kvfree(region->pieces);
		kfi_memdev_put(region->dev);
	}
	return ret;
}
EXPORT_SYMBOL_GPL(kfi_pmem_region_init);

/**
 * kfi_pmem_region_destroy() - the region is going to be closed
 * @region: the region
 *
 * No kfi_pmem_persist() or kfi_pmem_store() of it may be running. When this
 * returns, &kfi_pmem_region.revoke is not running either, and never will.
 *
 * Context: Process context, may sleep. Not from &kfi_pmem_region.revoke, nor
 * with a lock held that it takes.
 */
void kfi_pmem_region_destroy(struct kfi_pmem_region *region)
{
	struct kfi_memdev *dev = region->dev;

	might_sleep();
	mutex_lock(&dev->lock);
	list_del_init(&region->node);
	mutex_unlock(&dev->lock);
	kvfree(region->pieces);
	kfi_memdev_put(dev);
}
EXPORT_SYMBOL_GPL(kfi_pmem_region_destroy);

/* the piece that has the byte at @offset, which is inside the region */
static const struct kfi_pmem_piece *
piece_at(const struct kfi_pmem_region *region, u64 offset)
{
	size_t low = 0, high = region->nr_pieces;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (region->pieces[mid].start <= offset)
			low = mid;
		else
			high = mid;
	}
	return &region->pieces[low];
}

static bool inside(const struct kfi_pmem_region *region, u64 offset, u64 len)
{
	return offset <= region->len && len <= region->len - offset;
}

/**
 * kfi_pmem_store() - store into a persistent region
 * @region: the region
 * @offset: from its start
 * @src: what to store
 * @len: bytes
 *
 * Does not make the bytes persistent.
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL when the bytes are not all inside the region, -ENODEV when
 * it was revoked: nothing is stored then.
 */
int kfi_pmem_store(struct kfi_pmem_region *region, u64 offset, const void *src,
		   size_t len)
{
	struct kfi_memdev *dev = region->dev;
	const struct kfi_pmem_piece *piece;
	u64 skip, n;
	int ret = 0;

	might_sleep();
	if (!inside(region, offset, len))
		return -EINVAL;
	down_read(&dev->alive);
	if (region->revoked)
		ret = -ENODEV;
	while (!ret && len) {
		piece = piece_at(region, offset);
		skip = offset - piece->start;
		n = min_t(u64, len, piece->len - skip);
		memcpy(dev->addr + piece->offset + skip, src, n);
		src += n;
		offset += n;
		len -= n;
	}
	up_read(&dev->alive);
	return ret;
}
EXPORT_SYMBOL_GPL(kfi_pmem_store);

/*
 * Persisting
 */

static int batch_flush(struct kfi_pmem_batch *batch)
{
	struct kfi_memdev *dev = batch->dev;
	unsigned int nr = batch->nr;
	u64 start;
	int ret;

	batch->nr = 0;
	if (!nr)
		return 0;
	start = ktime_get_ns();
	ret = dev->ops->persist(dev, batch->ranges, nr);
	kfi_memdev_count_persist(dev, ktime_get_ns() - start, ret);
	return ret;
}

static int batch_add(struct kfi_pmem_batch *batch, u64 offset, u64 len)
{
	struct kfi_mem_range *last;
	int ret;

	if (batch->nr) {
		last = &batch->ranges[batch->nr - 1];
		if (last->offset + last->len == offset) {
			last->len += len;
			return 0;
		}
	}
	if (batch->nr == KFI_PMEM_BATCH) {
		ret = batch_flush(batch);
		if (ret)
			return ret;
	}
	batch->ranges[batch->nr].offset = offset;
	batch->ranges[batch->nr].len = len;
	batch->nr++;
	return 0;
}

static int batch_add_span(struct kfi_pmem_batch *batch,
			  const struct kfi_pmem_span *span)
{
	const struct kfi_pmem_piece *piece;
	u64 skip, n, done;
	int ret;

	if (span->region->revoked)
		return -ENODEV;
	for (done = 0; done < span->len; done += n) {
		piece = piece_at(span->region, span->offset + done);
		skip = span->offset + done - piece->start;
		n = min(span->len - done, piece->len - skip);
		ret = batch_add(batch, piece->offset + skip, n);
		if (ret)
			return ret;
	}
	return 0;
}

static int memdev_persist(struct kfi_memdev *dev,
			  const struct kfi_pmem_span *spans,
			  unsigned int nr)
{
	struct kfi_pmem_batch batch;
	unsigned int i;
	int ret = 0;

	batch.dev = dev;
	batch.nr = 0;
	down_read(&dev->alive);
	for (i = 0; i < nr && !ret; i++)
		if (spans[i].region->dev == dev)
			ret = batch_add_span(&batch, &spans[i]);
	if (!ret)
		ret = batch_flush(&batch);
	up_read(&dev->alive);
	return ret;
}

static bool dev_seen(const struct kfi_pmem_span *spans, unsigned int i)
{
	unsigned int j;

	for (j = 0; j < i; j++)
		if (spans[j].region->dev == spans[i].region->dev)
			return true;
	return false;
}

/**
 * kfi_pmem_persist() - make parts of regions persistent
 * @spans: the parts
 * @nr: how many
 *
 * As one batch: each memory device is asked once, unless the parts lie in very
 * many places. The caller keeps the regions from being destroyed.
 *
 * Context: Process context, may sleep; does not allocate.
 * Return: 0 when all parts are persistent; -EINVAL when one is not inside its
 * region, and nothing was done; otherwise it is not known which parts are
 * persistent: -ENODEV when a region was revoked, or an error of a device.
 */
int kfi_pmem_persist(const struct kfi_pmem_span *spans, unsigned int nr)
{
	unsigned int i;
	int ret = 0;

	might_sleep();
	for (i = 0; i < nr; i++)
		if (!inside(spans[i].region, spans[i].offset, spans[i].len))
			return -EINVAL;
	for (i = 0; i < nr && !ret; i++)
		if (!dev_seen(spans, i))
			ret = memdev_persist(spans[i].region->dev, spans, nr);
	return ret;
}
EXPORT_SYMBOL_GPL(kfi_pmem_persist);

static u64 spans_len(const struct kfi_pmem_span *spans, unsigned int nr)
{
	u64 len = 0;

	while (nr--)
		len += spans[nr].len;
	return len;
}

/**
 * kfi_prov_persist() - kfi_pmem_persist() of what a peer has asked an endpoint for
 * @ep: the endpoint
 * @spans: see kfi_pmem_persist()
 * @nr: see kfi_pmem_persist()
 * @ns: where the time is returned that it took
 *
 * Context: Process context, may sleep; does not allocate.
 * Return: see kfi_pmem_persist().
 */
int kfi_prov_persist(const struct kfid_ep *ep, const struct kfi_pmem_span *spans,
		     unsigned int nr, u64 *ns)
{
	u64 start;
	int ret;

	if (trace_kfi_persist_begin_enabled())
		trace_kfi_persist_begin(ep, nr, spans_len(spans, nr));
	start = ktime_get_ns();
	ret = kfi_pmem_persist(spans, nr);
	*ns = ktime_get_ns() - start;
	trace_kfi_persist_end(ep, -ret, *ns);
	return ret;
}
EXPORT_SYMBOL_GPL(kfi_prov_persist);

/*
 * The end
 */

static void tell_opener(struct kfi_memdev *dev)
{
	mutex_lock(&dev->handler_lock);
	if (dev->handler)
		dev->handler(dev->pmem, dev->context);
	mutex_unlock(&dev->handler_lock);
}

/**
 * kfi_memdev_revoke() - end all use of a memory device
 * @dev: the device
 * @why: the reason, for the log
 *
 * For a driver whose device is going away or has lost its contents. When this
 * returns, no persist is running, &kfi_pmem_region.revoke of every region has
 * returned, no region can be made, and whoever has the device open has been told,
 * the first time.
 *
 * Context: Process context, may sleep.
 */
void kfi_memdev_revoke(struct kfi_memdev *dev, const char *why)
{
	struct kfi_pmem_region *region;
	bool first, told;
	unsigned int nr = 0;

	might_sleep();
	trace_kfi_memdev_revoke(dev);
	mutex_lock(&dev->lock);
	down_write(&dev->alive);
	first = !dev->revoked;
	dev->revoked = true;
	told = first && dev->name && !dev->closed;
	list_for_each_entry(region, &dev->regions, node)
		region->revoked = true;
	up_write(&dev->alive);

	/* Outside of @alive: a callback may wait for a persist to end. */
	while (!list_empty(&dev->regions)) {
		region = list_first_entry(&dev->regions, struct kfi_pmem_region,
					  node);
		list_del_init(&region->node);
		region->revoke(region);
		nr++;
	}
	mutex_unlock(&dev->lock);
	if (nr)
		pr_warn_ratelimited("memory device %s revoked, with %u regions: %s\n",
				    dev->name, nr, why);
	if (told)
		kfi_notify_revoke(dev, nr);
	if (first)
		tell_opener(dev);
}
EXPORT_SYMBOL_GPL(kfi_memdev_revoke);

/**
 * kfi_memdev_restore() - a revoked memory device can be used again
 * @dev: the device
 *
 * By new regions; those that were revoked stay so.
 *
 * Context: Process context, may sleep.
 */
void kfi_memdev_restore(struct kfi_memdev *dev)
{
	mutex_lock(&dev->lock);
	down_write(&dev->alive);
	dev->revoked = dev->closed;
	up_write(&dev->alive);
	mutex_unlock(&dev->lock);
}
EXPORT_SYMBOL_GPL(kfi_memdev_restore);
