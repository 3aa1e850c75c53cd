// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The simulator's memory, and the media behind it.
 */

#include <linux/align.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "pmemsim.h"

static void pmemsim_pages_free(struct pmemsim_pages *pages)
{
	unsigned long i;

	vunmap(pages->addr);
	for (i = 0; i < pages->nr; i++)
		__free_page(pages->pages[i]);
	kvfree(pages->pages);
}

/*
 * In large pieces where that is easy: an RDMA device describes memory by its
 * largest aligned pieces, and cannot take many.
 */
static int pmemsim_pages_fill(struct pmemsim_pages *pages, unsigned long nr)
{
	unsigned int order = get_order(SZ_2M);
	struct page *page;
	unsigned long i;
	gfp_t gfp;

	while (pages->nr < nr) {
		order = min_t(unsigned int, order, ilog2(nr - pages->nr));
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
			pages->pages[pages->nr++] = page + i;
	}
	return 0;
}

static int pmemsim_pages_alloc(struct pmemsim_pages *pages, unsigned long nr)
{
	pages->pages = kvzalloc_objs(*pages->pages, nr);
	if (!pages->pages)
		return -ENOMEM;
	if (!pmemsim_pages_fill(pages, nr))
		pages->addr = vmap(pages->pages, nr, VM_MAP, PAGE_KERNEL);
	if (!pages->addr) {
		pmemsim_pages_free(pages);
		return -ENOMEM;
	}
	return 0;
}

int pmemsim_mem_init(struct pmemsim_mem *mem,
		     const struct kfi_pmemsim_attr *attr)
{
	unsigned long nr = attr->len >> PAGE_SHIFT;

	/* not one allocation after the other until the machine has nothing left */
	if (nr > totalram_pages() / 2)
		return -ENOMEM;
	mutex_init(&mem->lock);
	mem->len = attr->len;
	mem->caches_survive = attr->domain == KFI_PMEMSIM_EADR;
	if (pmemsim_pages_alloc(&mem->memory, nr))
		return -ENOMEM;
	if (!mem->caches_survive && pmemsim_pages_alloc(&mem->media, nr))
		goto err_memory;
	mem->trace = kvzalloc_objs(*mem->trace, PMEMSIM_TRACE_SIZE);
	if (!mem->trace)
		goto err_media;
	return 0;

err_media:
	pmemsim_pages_free(&mem->media);
err_memory:
	pmemsim_pages_free(&mem->memory);
	return -ENOMEM;
}

void pmemsim_mem_destroy(struct pmemsim_mem *mem)
{
	kvfree(mem->trace);
	pmemsim_pages_free(&mem->media);
	pmemsim_pages_free(&mem->memory);
}

static unsigned int pmemsim_pages_extents(const struct pmemsim_pages *pages,
					  struct kfi_mem_extent *extents)
{
	unsigned int nr = 0;
	unsigned long i;

	for (i = 0; i < pages->nr; i++) {
		unsigned long pfn = page_to_pfn(pages->pages[i]);

		if (i && pfn == page_to_pfn(pages->pages[i - 1]) + 1) {
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

	*nr = pmemsim_pages_extents(&mem->memory, NULL);
	extents = kvzalloc_objs(*extents, *nr);
	if (extents)
		pmemsim_pages_extents(&mem->memory, extents);
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
		if (!mem->caches_survive)
			memcpy(mem->media.addr + start, mem->memory.addr + start,
			       end - start);
		pmemsim_mem_trace(mem, start, end - start);
	}
	mem->persists++;
	mutex_unlock(&mem->lock);
}

/* Which words of a line a cut spares, one bit each */
static u8 pmemsim_spare(struct rnd_state *rnd)
{
	u32 random = prandom_u32_state(rnd);

	switch (random >> 30) {
	case 0:
		return 0;
	case 1:
		return U8_MAX;
	default:
		return random;
	}
}

static void pmemsim_line_lose(u64 *memory, u64 *media, struct rnd_state *rnd)
{
	unsigned int i;
	u8 spared = 0;

	if (!memcmp(memory, media, KFI_PMEMSIM_LINE))
		return;
	if (rnd)
		spared = pmemsim_spare(rnd);
	for (i = 0; i < KFI_PMEMSIM_LINE / KFI_PMEMSIM_WORD; i++) {
		if (spared & BIT(i))
			media[i] = memory[i];
		else
			memory[i] = media[i];
	}
}

static void pmemsim_page_lose(void *memory, void *media, struct rnd_state *rnd)
{
	unsigned int i;

	if (!memcmp(memory, media, PAGE_SIZE))
		return;
	for (i = 0; i < PAGE_SIZE; i += KFI_PMEMSIM_LINE)
		pmemsim_line_lose(memory + i, media + i, rnd);
}

/* Nothing is spared without random numbers. */
void pmemsim_mem_lose(struct pmemsim_mem *mem, struct rnd_state *rnd)
{
	size_t i;

	if (mem->caches_survive)
		return;
	mutex_lock(&mem->lock);
	for (i = 0; i < mem->len; i += PAGE_SIZE) {
		pmemsim_page_lose(mem->memory.addr + i, mem->media.addr + i,
				  rnd);
		cond_resched();
	}
	mutex_unlock(&mem->lock);
}

bool pmemsim_mem_dirty(struct pmemsim_mem *mem, u64 offset, u64 len)
{
	bool dirty;

	if (offset > mem->len || len > mem->len - offset)
		return true;
	if (mem->caches_survive)
		return false;
	mutex_lock(&mem->lock);
	dirty = memcmp(mem->memory.addr + offset, mem->media.addr + offset, len);
	mutex_unlock(&mem->lock);
	return dirty;
}

/* Without the lock, for any context: what races with a persist is either way. */
bool pmemsim_mem_survives(const struct pmemsim_mem *mem, u64 offset,
			  const void *data, u64 len)
{
	const struct pmemsim_pages *left;

	if (offset > mem->len || len > mem->len - offset)
		return false;
	left = mem->caches_survive ? &mem->memory : &mem->media;
	return !memcmp(left->addr + offset, data, len);
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
