// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The simulator's memory, and the media behind it.
 */

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "pmemsim.h"

static void pmemsim_mem_free_pages(struct pmemsim_mem *mem)
{
	unsigned long i;

	for (i = 0; i < mem->nr_pages; i++)
		__free_page(mem->pages[i]);
}

/*
 * In large pieces where that is easy: an RDMA device describes memory by its
 * largest aligned pieces, and cannot take many.
 */
static int pmemsim_mem_alloc_pages(struct pmemsim_mem *mem, unsigned long nr)
{
	unsigned int order = get_order(SZ_2M);
	struct page *page;
	unsigned long i;
	gfp_t gfp;

	while (mem->nr_pages < nr) {
		order = min_t(unsigned int, order, ilog2(nr - mem->nr_pages));
		gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN;
		gfp |= order ? __GFP_NORETRY : __GFP_RETRY_MAYFAIL;
		page = alloc_pages(gfp, order);
		if (!page) {
			if (!order)
				return -ENOMEM;
			order--;
			continue;
		}
		split_page(page, order);
		for (i = 0; i < 1UL << order; i++)
			mem->pages[mem->nr_pages++] = page + i;
	}
	return 0;
}

int pmemsim_mem_init(struct pmemsim_mem *mem, size_t len)
{
	unsigned long nr = len >> PAGE_SHIFT;

	mutex_init(&mem->lock);
	mem->len = len;
	mem->pages = kvzalloc_objs(*mem->pages, nr);
	if (!mem->pages)
		return -ENOMEM;
	if (pmemsim_mem_alloc_pages(mem, nr))
		goto err_pages;
	mem->addr = vmap(mem->pages, nr, VM_MAP, PAGE_KERNEL);
	if (!mem->addr)
		goto err_pages;
	mem->media = vzalloc(len);
	if (!mem->media)
		goto err_vmap;
	mem->trace = kvzalloc_objs(*mem->trace, PMEMSIM_TRACE_SIZE);
	if (!mem->trace)
		goto err_media;
	return 0;

err_media:
	vfree(mem->media);
err_vmap:
	vunmap(mem->addr);
err_pages:
	pmemsim_mem_free_pages(mem);
	kvfree(mem->pages);
	return -ENOMEM;
}

void pmemsim_mem_destroy(struct pmemsim_mem *mem)
{
	kvfree(mem->trace);
	vfree(mem->media);
	vunmap(mem->addr);
	pmemsim_mem_free_pages(mem);
	kvfree(mem->pages);
}

static unsigned int pmemsim_mem_fill_extents(const struct pmemsim_mem *mem,
					     struct kfi_mem_extent *extents)
{
	unsigned int nr = 0;
	unsigned long i;

	for (i = 0; i < mem->nr_pages; i++) {
		unsigned long pfn = page_to_pfn(mem->pages[i]);

		if (i && pfn == page_to_pfn(mem->pages[i - 1]) + 1) {
			if (extents)
				extents[nr - 1].nr_pages++;
			continue;
		}
		if (extents) {
			extents[nr].offset = (u64)i << PAGE_SHIFT;
			extents[nr].pfn = pfn;
			extents[nr].nr_pages = 1;
		}
		nr++;
	}
	return nr;
}

/* An array for kvfree(), or NULL. */
struct kfi_mem_extent *pmemsim_mem_extents(const struct pmemsim_mem *mem,
					   unsigned int *nr)
{
	struct kfi_mem_extent *extents;

	*nr = pmemsim_mem_fill_extents(mem, NULL);
	extents = kvzalloc_objs(*extents, *nr);
	if (extents)
		pmemsim_mem_fill_extents(mem, extents);
	return extents;
}

static void pmemsim_mem_trace(struct pmemsim_mem *mem, u64 offset, u64 len)
{
	unsigned int slot = mem->trace_head++ % PMEMSIM_TRACE_SIZE;

	mem->trace[slot].offset = offset;
	mem->trace[slot].len = len;
	if (mem->trace_head - mem->trace_tail > PMEMSIM_TRACE_SIZE)
		mem->trace_tail++;
}

void pmemsim_mem_persist(struct pmemsim_mem *mem,
			 const struct kfi_mem_range *ranges, unsigned int nr)
{
	unsigned int i;
	u64 start, end;

	mutex_lock(&mem->lock);
	for (i = 0; i < nr; i++) {
		start = ALIGN_DOWN(ranges[i].offset, KFI_PMEMSIM_LINE);
		end = ALIGN(ranges[i].offset + ranges[i].len, KFI_PMEMSIM_LINE);
		memcpy(mem->media + start, mem->addr + start, end - start);
		pmemsim_mem_trace(mem, start, end - start);
	}
	mem->persists++;
	mutex_unlock(&mem->lock);
}

void pmemsim_mem_lose(struct pmemsim_mem *mem)
{
	mutex_lock(&mem->lock);
	memcpy(mem->addr, mem->media, mem->len);
	mutex_unlock(&mem->lock);
}

bool pmemsim_mem_dirty(struct pmemsim_mem *mem, u64 offset, u64 len)
{
	bool dirty;

	if (offset > mem->len || len > mem->len - offset)
		return true;
	mutex_lock(&mem->lock);
	dirty = memcmp(mem->addr + offset, mem->media + offset, len);
	mutex_unlock(&mem->lock);
	return dirty;
}

unsigned int pmemsim_mem_trace_read(struct pmemsim_mem *mem,
				    struct kfi_pmemsim_trace *trace,
				    unsigned int max)
{
	unsigned int nr;

	mutex_lock(&mem->lock);
	for (nr = 0; nr < max && mem->trace_tail != mem->trace_head; nr++)
		trace[nr] = mem->trace[mem->trace_tail++ % PMEMSIM_TRACE_SIZE];
	mutex_unlock(&mem->lock);
	return nr;
}

void pmemsim_mem_trace_forget(struct pmemsim_mem *mem)
{
	mutex_lock(&mem->lock);
	mem->trace_tail = mem->trace_head;
	mutex_unlock(&mem->lock);
}

void pmemsim_mem_trace_show(struct pmemsim_mem *mem, struct seq_file *m)
{
	const struct kfi_pmemsim_trace *entry;
	unsigned int i;

	mutex_lock(&mem->lock);
	for (i = mem->trace_tail; i != mem->trace_head; i++) {
		entry = &mem->trace[i % PMEMSIM_TRACE_SIZE];
		seq_printf(m, "%llu %llu\n", entry->offset, entry->len);
	}
	mutex_unlock(&mem->lock);
}
