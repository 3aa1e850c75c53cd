// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Segments of memory: written down at the time of the post, copied by an engine.
 */

#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/barrier.h>

#include "loopback.h"
#include "mem.h"

int lo_segs_alloc(struct lo_segs *segs, u32 count)
{
	u32 size = roundup_pow_of_two(count);

	segs->ring = kvcalloc(size, sizeof(*segs->ring), GFP_KERNEL);
	if (!segs->ring)
		return -ENOMEM;
	segs->mask = size - 1;
	return 0;
}

/*
 * Writes a vector behind the tail, which stays where it is. Returns the number
 * of segments; -EAGAIN when the ring has too few that are free.
 */
int lo_segs_fill(struct lo_segs *segs, enum kfi_iov_type type, const void *iov,
		 size_t count, u32 limit)
{
	u32 room = segs->mask + 1 - (segs->tail - segs->head);
	struct kfi_seg_iter iter;
	struct kfi_seg seg;
	struct lo_seg *to;
	u32 nr = 0;

	kfi_seg_iter_init(&iter, type, iov, count);
	for (; kfi_seg_next(&iter, SZ_1G, &seg); nr++) {
		if (!seg.page)
			return -EINVAL;
		if (nr == limit)
			return -E2BIG;
		if (nr >= room)
			continue;
		to = &segs->ring[(segs->tail + nr) & segs->mask];
		to->page = seg.page;
		to->offset = seg.offset;
		to->len = seg.len;
	}
	return nr > room ? -EAGAIN : nr;
}

void lo_cursor_linear(struct lo_cursor *cursor, void *buf)
{
	*cursor = (struct lo_cursor) { .linear = buf };
}

void lo_cursor_segs(struct lo_cursor *cursor, const struct lo_segs *segs,
		    u32 index)
{
	*cursor = (struct lo_cursor) {
		.segs = segs->ring, .mask = segs->mask, .index = index,
	};
}

static const struct lo_seg *lo_cursor_seg(const struct lo_cursor *cursor)
{
	return &cursor->segs[cursor->index & cursor->mask];
}

/* Bytes that one mapping of the position reaches. */
size_t lo_cursor_room(const struct lo_cursor *cursor)
{
	const struct lo_seg *seg;

	if (cursor->linear)
		return SIZE_MAX;
	seg = lo_cursor_seg(cursor);
	return min_t(size_t, seg->len - cursor->done,
		     PAGE_SIZE - offset_in_page(seg->offset + cursor->done));
}

void *lo_cursor_map(const struct lo_cursor *cursor)
{
	const struct lo_seg *seg;
	size_t offset;
	struct page *page;

	if (cursor->linear)
		return cursor->linear + cursor->done;
	seg = lo_cursor_seg(cursor);
	offset = seg->offset + cursor->done;
	page = pfn_to_page(page_to_pfn(seg->page) + (offset >> PAGE_SHIFT));
	return kmap_local_page(page) + offset_in_page(offset);
}

void lo_cursor_unmap(const struct lo_cursor *cursor, void *addr)
{
	if (!cursor->linear)
		kunmap_local(addr);
}

static void lo_cursor_advance(struct lo_cursor *cursor, size_t len)
{
	cursor->done += len;
	if (cursor->linear || cursor->done < lo_cursor_seg(cursor)->len)
		return;
	cursor->done = 0;
	cursor->index++;
}

/* Both ends may be the same memory: there is only one kernel. */
static void lo_copy_bytes(void *dst, const void *src, size_t len, bool uncached)
{
	bool overlap = dst < src + len && src < dst + len;

	if (uncached && !overlap)
		memcpy_flushcache(dst, src, len);
	else
		memmove(dst, src, len);
}

/* As much as one mapping of each side reaches; returns the bytes copied. */
static size_t lo_copy_piece(struct lo_cursor *to, struct lo_cursor *from,
			    size_t len)
{
	void *dst, *src;

	len = min3(len, lo_cursor_room(to), lo_cursor_room(from));
	src = lo_cursor_map(from);
	dst = lo_cursor_map(to);
	lo_copy_bytes(dst, src, len, to->uncached);
	lo_cursor_unmap(to, dst);
	lo_cursor_unmap(from, src);
	lo_cursor_advance(to, len);
	lo_cursor_advance(from, len);
	return len;
}

/* Both cursors move on. */
void lo_copy(struct lo_cursor *to, struct lo_cursor *from, size_t len)
{
	for (; len; cond_resched())
		len -= lo_copy_piece(to, from, len);
	if (to->uncached)
		wmb(); /* no lock orders such stores before the completion */
}

/* Copies a whole vector, in any context. */
int lo_gather(u8 *to, enum kfi_iov_type type, const void *iov, size_t count)
{
	struct lo_cursor src, dst;
	struct kfi_seg_iter iter;
	struct lo_seg piece;
	struct kfi_seg seg;
	size_t left;

	lo_cursor_linear(&dst, to);
	kfi_seg_iter_init(&iter, type, iov, count);
	while (kfi_seg_next(&iter, SZ_1G, &seg)) {
		if (!seg.page)
			return -EINVAL;
		piece = (struct lo_seg) {
			.page = seg.page, .offset = seg.offset, .len = seg.len,
		};
		src = (struct lo_cursor) { .segs = &piece };
		for (left = seg.len; left;)
			left -= lo_copy_piece(&dst, &src, left);
	}
	return 0;
}
