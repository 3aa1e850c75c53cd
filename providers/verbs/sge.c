// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Local memory as the device sees it: segments, mapped for DMA.
 */

#include <linux/highmem.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "ep.h"
#include "post.h"
#include "verbs.h"

/* The rest of the current element, up to @max bytes, if it is in its region. */
static bool kfv_sge_rest(struct kfv_domain *domain, struct ib_sge *sge,
			 struct kfi_seg_iter *iter, void **desc, size_t max,
			 enum dma_data_direction dir)
{
	const struct kvec *kv = iter->iov;
	size_t len = min(kv->iov_len - iter->done, max);

	if (!len || !kfv_sge_region(domain, sge, kv->iov_base + iter->done, len,
				    desc[iter->index], dir))
		return false;
	iter->done += len;
	return true;
}

static int kfv_sge_map(struct kfv_domain *domain, struct ib_sge *sge,
		       const struct kfi_seg *seg, enum dma_data_direction dir)
{
	if (!seg->page)
		return -EINVAL;
	sge->addr = ib_dma_map_page(domain->ib, seg->page, seg->offset,
				    seg->len, dir);
	if (ib_dma_mapping_error(domain->ib, sge->addr))
		return -ENOMEM;
	sge->length = seg->len;
	sge->lkey = domain->pd->local_dma_lkey;
	return 0;
}

/*
 * Makes segments of up to @len bytes of what @iter walks. Returns 0 and their
 * number, less than all bytes when @max_sge do not suffice; or an error, with
 * nothing mapped.
 */
int kfv_sge_fill(struct kfv_domain *domain, struct ib_sge *sge,
		 unsigned int max_sge, struct kfi_seg_iter *iter, void **desc,
		 size_t len, enum dma_data_direction dir, unsigned int *nr)
{
	struct kfi_seg seg;
	unsigned int n = 0;
	int ret;

	if (iter->type != KFI_KVEC)
		desc = NULL;
	for (; len && n < max_sge; len -= sge[n++].length) {
		if (desc && iter->index < iter->count &&
		    kfv_sge_rest(domain, &sge[n], iter, desc, len, dir))
			continue;
		if (!kfi_seg_next(iter, len, &seg))
			break;
		ret = kfv_sge_map(domain, &sge[n], &seg, dir);
		if (ret) {
			kfv_sge_unmap(domain, sge, n, dir);
			return ret;
		}
	}
	*nr = n;
	return 0;
}

void kfv_sge_unmap(struct kfv_domain *domain, const struct ib_sge *sge,
		   unsigned int nr, enum dma_data_direction dir)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (sge[i].lkey == domain->pd->local_dma_lkey)
			ib_dma_unmap_page(domain->ib, sge[i].addr,
					  sge[i].length, dir);
}

static void kfv_copy_from_kvec(void *to, const struct kvec *kv, size_t count)
{
	for (; count; count--, kv++) {
		memcpy(to, kv->iov_base, kv->iov_len);
		to += kv->iov_len;
	}
}

/* Copies all of a vector, which fits. */
int kfv_copy_from(void *to, enum kfi_iov_type type, const void *iov,
		  size_t count)
{
	struct kfi_seg_iter iter;
	struct kfi_seg seg;

	if (type == KFI_KVEC) {
		kfv_copy_from_kvec(to, iov, count);
		return 0;
	}
	kfi_seg_iter_init(&iter, type, iov, count);
	while (kfi_seg_next(&iter, PAGE_SIZE, &seg)) {
		size_t n = min_t(size_t, seg.len, PAGE_SIZE - seg.offset);

		if (!seg.page)
			return -EINVAL;
		memcpy_from_page(to, seg.page, seg.offset, n);
		if (n < seg.len)
			memcpy_from_page(to + n, seg.page + 1, 0, seg.len - n);
		to += seg.len;
	}
	return 0;
}

/* Fills the work request; returns the bytes that it got, or an error. */
ssize_t kfv_wr_fill(struct kfv_post *post, struct kfi_seg_iter *iter,
		    void **desc, size_t len, enum dma_data_direction dir)
{
	unsigned int max = dir == DMA_FROM_DEVICE ? post->sq->max_sge_rd :
						    post->sq->max_sge;
	struct kfv_wr *wr = post->wr;
	unsigned int i, nr;
	size_t done = 0;
	int ret;

	ret = kfv_sge_fill(post->ep->domain, wr->sge, max, iter, desc, len,
			   dir, &nr);
	if (ret)
		return ret;
	wr->send.num_sge = nr;
	wr->mapped = true;
	post->op->mapped = true;
	for (i = 0; i < nr; i++)
		done += wr->sge[i].length;
	return done;
}

/* Makes part of the slot's buffer the work request's data. */
int kfv_wr_map_buf(struct kfv_post *post, void *buf, size_t len,
		   enum dma_data_direction dir)
{
	const struct kvec kv = { .iov_base = buf, .iov_len = len };
	struct kfi_seg_iter iter;
	ssize_t ret;

	kfi_seg_iter_init(&iter, KFI_KVEC, &kv, 1);
	ret = kfv_wr_fill(post, &iter, NULL, len, dir);
	return min_t(ssize_t, ret, 0);
}

/* As kfv_wr_map_buf(), to be sent; inside of the work request if it fits. */
int kfv_wr_fill_buf(struct kfv_post *post, void *buf, size_t len)
{
	struct kfv_wr *wr = post->wr;

	if (len > post->sq->inline_size)
		return kfv_wr_map_buf(post, buf, len, DMA_TO_DEVICE);
	wr->sge[0].addr = (uintptr_t)buf;
	wr->sge[0].length = len;
	wr->sge[0].lkey = 0;
	wr->send.num_sge = len ? 1 : 0;
	wr->send.send_flags |= IB_SEND_INLINE;
	return 0;
}
