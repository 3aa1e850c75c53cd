// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The memory of a region as a scatterlist, and which pages of it the device needs.
 */

#include <linux/align.h>
#include <linux/io.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>

#include "verbs.h"

/**
 * struct kfv_mr_list - a scatterlist that is made
 * @sg: its last entry, or NULL when entries are counted only
 * @nents: entries
 * @max: what an entry ends at a multiple of, a power of two
 * @end: where the memory of the last one ends
 */
struct kfv_mr_list {
	struct scatterlist	*sg;
	unsigned int		nents;
	size_t			max;
	phys_addr_t		end;
};

/*
 * Memory that lies side by side shares an entry. One that is too long ends where it
 * is aligned best, because no page of the region may be larger than that.
 */
static void kfv_mr_list_add(struct kfv_mr_list *list, phys_addr_t start,
			    size_t len)
{
	bool more = list->nents && start == list->end &&
		    !IS_ALIGNED(start, list->max);

	list->end = start + len;
	if (!more && list->nents++ && list->sg)
		list->sg = sg_next(list->sg);
	if (!list->sg)
		return;
	if (more)
		list->sg->length += len;
	else
		sg_set_page(list->sg, pfn_to_page(PHYS_PFN(start)), len,
			    offset_in_page(start));
}

static int kfv_mr_list_fill(struct kfv_mr_list *list,
			    const struct kfi_mr_attr *attr)
{
	struct kfi_seg_iter iter;
	struct kfi_seg seg;
	phys_addr_t start;
	size_t len;

	kfi_seg_iter_init(&iter, attr->type, attr->mr_iov, attr->iov_count);
	while (kfi_seg_next(&iter, list->max, &seg)) {
		if (!seg.page)
			return -EINVAL;
		start = page_to_phys(seg.page) + seg.offset;
		len = min_t(size_t, seg.len,
			    list->max - (start & (list->max - 1)));
		kfv_mr_list_add(list, start, len);
		if (len < seg.len)
			kfv_mr_list_add(list, start + len, seg.len - len);
	}
	return 0;
}

/*
 * Makes @sgt of @attr, with entries of at most @max bytes, at least a page. Returns 0,
 * -EINVAL for memory without pages, or -ENOMEM.
 */
int kfv_mr_sgl_alloc(struct sg_table *sgt, const struct kfi_mr_attr *attr,
		     size_t max)
{
	struct kfv_mr_list list = {
		.max = rounddown_pow_of_two(min_t(size_t, max, SZ_1G)),
	};
	int ret;

	ret = kfv_mr_list_fill(&list, attr);
	if (ret)
		return ret;
	ret = sg_alloc_table(sgt, list.nents, GFP_KERNEL);
	if (ret)
		return ret;
	list.nents = 0;
	list.sg = sgt->sgl;
	return kfv_mr_list_fill(&list, attr);
}

/* What every page size has to divide: where one segment ends and one begins. */
static u64 kfv_mr_boundaries(const struct sg_table *sgt)
{
	struct scatterlist *sg;
	u64 bits = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (i)
			bits |= sg_dma_address(sg);
		if (i + 1 < sgt->nents)
			bits |= sg_dma_address(sg) + sg_dma_len(sg);
	}
	return bits;
}

static u64 kfv_mr_entries(const struct sg_table *sgt, u64 page_size)
{
	struct scatterlist *sg;
	u64 start, end, n = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		start = round_down((u64)sg_dma_address(sg), page_size);
		end = round_up((u64)sg_dma_address(sg) + sg_dma_len(sg),
			       page_size);
		n += (end - start) >> ilog2(page_size);
	}
	return n;
}

/*
 * The smallest page size that makes the region, mapped for DMA, fit the device's page
 * list, so that as little as possible besides it is in the list: 0 and -E2BIG when
 * even the largest that the alignment allows does not, -EINVAL when none is allowed.
 */
int kfv_mr_page_size(const struct sg_table *sgt,
		     const struct ib_device_attr *attrs, u64 *page_size,
		     u64 *entries)
{
	u64 bits = kfv_mr_boundaries(sgt);
	u64 size, best = bits ? bits & -bits : SZ_2G;
	int ret = -EINVAL;

	for (size = SZ_4K; size <= min_t(u64, best, SZ_2G); size *= 2) {
		if (!(attrs->page_size_cap & size))
			continue;
		*page_size = size;
		*entries = kfv_mr_entries(sgt, size);
		if (*entries <= attrs->max_fast_reg_page_list_len)
			return 0;
		ret = -E2BIG;
	}
	return ret;
}
