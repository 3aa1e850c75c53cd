// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Vectors of kernel memory, pages and scatterlists, walked as one thing: segments
 * of pages.
 */

#include <linux/bvec.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

#include <kfi_prov.h>

/**
 * kfi_iov_len() - bytes that a vector describes
 * @type: what it consists of
 * @iov: the vector
 * @count: its elements
 *
 * Context: Any context.
 * Return: bytes; SIZE_MAX, which no operation takes, for an unknown type, for an
 * element that has a length and no memory, or when the sum does not fit.
 */
size_t kfi_iov_len(enum kfi_iov_type type, const void *iov, size_t count)
{
	const struct scatterlist *sg = iov;
	const struct bio_vec *bv = iov;
	const struct kvec *kv = iov;
	size_t len = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		switch (type) {
		case KFI_KVEC:
			if (kv[i].iov_len && kfi_nowhere(kv[i].iov_base))
				return SIZE_MAX;
			len = size_add(len, kv[i].iov_len);
			break;
		case KFI_BVEC:
			if (bv[i].bv_len && !bv[i].bv_page)
				return SIZE_MAX;
			len = size_add(len, bv[i].bv_len);
			break;
		case KFI_SGL:
			if (!sg || (sg->length &&
				    !sg_page((struct scatterlist *)sg)))
				return SIZE_MAX;
			len = size_add(len, sg->length);
			sg = sg_next((struct scatterlist *)sg);
			break;
		default:
			return SIZE_MAX;
		}
	}
	return len;
}
EXPORT_SYMBOL_GPL(kfi_iov_len);

/**
 * kfi_seg_iter_init() - start to walk a vector
 * @iter: the walk
 * @type: what the vector consists of
 * @iov: the vector
 * @count: its elements
 *
 * Context: Any context.
 */
void kfi_seg_iter_init(struct kfi_seg_iter *iter, enum kfi_iov_type type,
		       const void *iov, size_t count)
{
	*iter = (struct kfi_seg_iter) {
		.type = type, .iov = iov, .count = count,
	};
}
EXPORT_SYMBOL_GPL(kfi_seg_iter_init);

/* Kernel memory outside the linear map is contiguous within a page only. */
static void kvec_seg(const struct kvec *kv, size_t done, struct kfi_seg *seg)
{
	const void *addr = kv->iov_base + done;

	seg->offset = offset_in_page(addr);
	seg->len = kv->iov_len - done;
	if (virt_addr_valid(addr)) {
		seg->page = virt_to_page(addr);
	} else {
		seg->page = vmalloc_to_page(addr);
		seg->len = min_t(size_t, seg->len, PAGE_SIZE - seg->offset);
	}
}

static void page_seg(struct page *page, size_t offset, size_t len, size_t done,
		     struct kfi_seg *seg)
{
	offset += done;
	seg->page = page + (offset >> PAGE_SHIFT);
	seg->offset = offset_in_page(offset);
	seg->len = len - done;
}

/* The rest of the current element; false when it has none. */
static bool current_seg(const struct kfi_seg_iter *iter, struct kfi_seg *seg)
{
	const struct scatterlist *sg = iter->iov;
	const struct bio_vec *bv = iter->iov;
	const struct kvec *kv = iter->iov;

	switch (iter->type) {
	case KFI_KVEC:
		if (iter->done == kv->iov_len)
			return false;
		kvec_seg(kv, iter->done, seg);
		return true;
	case KFI_BVEC:
		if (iter->done == bv->bv_len)
			return false;
		page_seg(bv->bv_page, bv->bv_offset, bv->bv_len, iter->done,
			 seg);
		return true;
	default:
		if (iter->done == sg->length)
			return false;
		page_seg(sg_page((struct scatterlist *)sg), sg->offset,
			 sg->length, iter->done, seg);
		return true;
	}
}

static void next_element(struct kfi_seg_iter *iter)
{
	iter->done = 0;
	iter->index++;
	switch (iter->type) {
	case KFI_KVEC:
		iter->iov += sizeof(struct kvec);
		break;
	case KFI_BVEC:
		iter->iov += sizeof(struct bio_vec);
		break;
	default:
		iter->iov = sg_next((struct scatterlist *)iter->iov);
		break;
	}
}

/**
 * kfi_seg_next() - the next segment of a vector
 * @iter: the walk
 * @max: most bytes of the segment, not 0
 * @seg: where the segment is returned
 *
 * A segment does not reach across elements; elements of no length are passed
 * over. Its page is NULL when the vector has an address that is not mapped.
 *
 * Context: Any context.
 * Return: false when the vector has been walked.
 */
bool kfi_seg_next(struct kfi_seg_iter *iter, size_t max, struct kfi_seg *seg)
{
	for (; iter->index < iter->count; next_element(iter)) {
		if (!current_seg(iter, seg))
			continue;
		seg->len = min(seg->len, max);
		seg->index = iter->index;
		iter->done += seg->len;
		return true;
	}
	return false;
}
EXPORT_SYMBOL_GPL(kfi_seg_next);
