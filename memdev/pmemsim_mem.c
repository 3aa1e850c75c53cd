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

/* not one allocation after the other until the machine has nothing left */
static bool pmemsim_too_large(size_t len)
{
	return len >> PAGE_SHIFT > totalram_pages() / 2;
}

static int pmemsim_memory_alloc(struct pmemsim_mem *mem, size_t len)
{
	if (pmemsim_too_large(len))
		return -ENOMEM;
	mem->len = len;
	return pmemsim_pages_alloc(&mem->memory, len >> PAGE_SHIFT);
}

static void pmemsim_memory_free(struct pmemsim_mem *mem)
{
	if (mem->attached)
		pmemsim_mem_detach(mem);
	else
		pmemsim_pages_free(&mem->memory);
}

/* What is in the memory, if that is not new, counts as persistent. */
static int pmemsim_media_alloc(struct pmemsim_mem *mem)
{
	if (mem->caches_survive)
		return 0;
	if (pmemsim_too_large(mem->len) ||
	    pmemsim_pages_alloc(&mem->media, mem->memory.nr))
		return -ENOMEM;
	if (mem->attached)
		memcpy(mem->media.addr, mem->memory.addr, mem->len);
	return 0;
}

int pmemsim_mem_init(struct pmemsim_mem *mem,
		     const struct kfi_pmemsim_attr *attr)
{
	int err;

	raw_spin_lock_init(&mem->lock);
	mem->caches_survive = attr->domain == KFI_PMEMSIM_EADR;
	err = attr->attach ? pmemsim_mem_attach(mem, attr->attach) :
			     pmemsim_memory_alloc(mem, attr->len);
	if (err)
		return err;
	err = pmemsim_media_alloc(mem);
	if (err)
		goto err_memory;
	mem->trace = kvzalloc_objs(*mem->trace, PMEMSIM_TRACE_SIZE);
	if (!mem->trace) {
		err = -ENOMEM;
		goto err_media;
	}
	if (mem->attached)
		err = pmemsim_mem_watch(mem);
	if (err)
		goto err_trace;
	return 0;

err_trace:
	kvfree(mem->trace);
err_media:
	pmemsim_pages_free(&mem->media);
err_memory:
	pmemsim_memory_free(mem);
	return err;
}

void pmemsim_mem_destroy(struct pmemsim_mem *mem)
{
	if (mem->attached)
		pmemsim_mem_unwatch(mem);
	kvfree(mem->trace);
	pmemsim_pages_free(&mem->media);
	pmemsim_memory_free(mem);
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

/* For @len bytes the lock is held a page at a time. */
static u64 pmemsim_next_page(u64 offset, u64 end)
{
	return min_t(u64, end, ALIGN_DOWN(offset, PAGE_SIZE) + PAGE_SIZE);
}

/* The lines reach the media. */
static void pmemsim_mem_copy(struct pmemsim_mem *mem, u64 start, u64 end)
{
	unsigned long flags;
	u64 i, next;

	for (i = start; i < end && !mem->caches_survive; i = next) {
		next = pmemsim_next_page(i, end);
		raw_spin_lock_irqsave(&mem->lock, flags);
		if (next <= mem->len)
			memcpy(mem->media.addr + i, mem->memory.addr + i,
			       next - i);
		raw_spin_unlock_irqrestore(&mem->lock, flags);
	}
}

static void pmemsim_mem_copied(struct pmemsim_mem *mem, u64 start, u64 end)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&mem->lock, flags);
	pmemsim_mem_trace(mem, start, end - start);
	raw_spin_unlock_irqrestore(&mem->lock, flags);
}

/*
 * The lines of the range become persistent. Any context: for memory that was
 * attached, whoever writes it back calls this.
 */
void pmemsim_mem_write_back(struct pmemsim_mem *mem, u64 offset, u64 len)
{
	u64 start = ALIGN_DOWN(offset, KFI_PMEMSIM_LINE);
	u64 end = ALIGN(offset + len, KFI_PMEMSIM_LINE);

	pmemsim_mem_copy(mem, start, end);
	pmemsim_mem_copied(mem, start, end);
}

/* The same, of so much that others may want to run in between */
static void pmemsim_mem_write_back_long(struct pmemsim_mem *mem, u64 offset,
					u64 len)
{
	u64 start = ALIGN_DOWN(offset, KFI_PMEMSIM_LINE);
	u64 end = ALIGN(offset + len, KFI_PMEMSIM_LINE);
	u64 i, next;

	for (i = start; i < end; i = next) {
		next = min_t(u64, end, i + SZ_1M);
		pmemsim_mem_copy(mem, i, next);
		cond_resched();
	}
	pmemsim_mem_copied(mem, start, end);
}

/* Bytes that go around the caches to the media, and to the memory a little later. */
void pmemsim_mem_store(struct pmemsim_mem *mem, u64 offset, const void *src,
		       u64 len)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&mem->lock, flags);
	if (!mem->caches_survive && offset + len <= mem->len)
		memcpy(mem->media.addr + offset, src, len);
	raw_spin_unlock_irqrestore(&mem->lock, flags);
}

void pmemsim_mem_persist(struct pmemsim_mem *mem,
			 const struct kfi_mem_range *ranges, unsigned int nr)
{
	unsigned int i;

	if (mem->attached)
		pmemsim_mem_flush(mem, ranges, nr);
	else
		for (i = 0; i < nr; i++)
			pmemsim_mem_write_back_long(mem, ranges[i].offset,
						    ranges[i].len);
	raw_spin_lock_irq(&mem->lock);
	mem->persists++;
	raw_spin_unlock_irq(&mem->lock);
}

/* The memory is not there any more. */
void pmemsim_mem_gone(struct pmemsim_mem *mem)
{
	raw_spin_lock_irq(&mem->lock);
	mem->len = 0;
	raw_spin_unlock_irq(&mem->lock);
}

/* Which words of a line are spared, one bit each */
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

static void pmemsim_line_spare(u64 *media, const u64 *memory,
			       struct rnd_state *rnd)
{
	unsigned int i;
	u8 spared;

	if (!memcmp(memory, media, KFI_PMEMSIM_LINE))
		return;
	spared = pmemsim_spare(rnd);
	for (i = 0; i < KFI_PMEMSIM_LINE / KFI_PMEMSIM_WORD; i++)
		if (spared & BIT(i))
			media[i] = memory[i];
}

static void pmemsim_page_spare(void *media, const void *memory,
			       struct rnd_state *rnd)
{
	unsigned int i;

	if (!memcmp(memory, media, PAGE_SIZE))
		return;
	for (i = 0; i < PAGE_SIZE; i += KFI_PMEMSIM_LINE)
		pmemsim_line_spare(media + i, memory + i, rnd);
}

static bool pmemsim_mem_spare_page(struct pmemsim_mem *mem, size_t offset,
				   struct rnd_state *rnd)
{
	bool there;

	raw_spin_lock_irq(&mem->lock);
	there = offset < mem->len;
	if (there)
		pmemsim_page_spare(mem->media.addr + offset,
				   mem->memory.addr + offset, rnd);
	raw_spin_unlock_irq(&mem->lock);
	return there;
}

/* As caches do, which write lines back when they like. */
void pmemsim_mem_spare(struct pmemsim_mem *mem, struct rnd_state *rnd)
{
	size_t i;

	if (mem->caches_survive)
		return;
	for (i = 0; pmemsim_mem_spare_page(mem, i, rnd); i += PAGE_SIZE)
		cond_resched();
}

void pmemsim_mem_lose(struct pmemsim_mem *mem)
{
	void *memory = mem->memory.addr, *media = mem->media.addr;
	size_t i;

	if (mem->caches_survive)
		return;
	for (i = 0; i < mem->len; i += PAGE_SIZE) {
		raw_spin_lock_irq(&mem->lock);
		if (memcmp(memory + i, media + i, PAGE_SIZE))
			memcpy(memory + i, media + i, PAGE_SIZE);
		raw_spin_unlock_irq(&mem->lock);
		cond_resched();
	}
}

bool pmemsim_mem_dirty(struct pmemsim_mem *mem, u64 offset, u64 len)
{
	u64 end = offset + len, next;
	bool dirty = false;

	if (offset > mem->len || len > mem->len - offset)
		return true;
	if (mem->caches_survive)
		return false;
	for (; offset < end && !dirty; offset = next) {
		next = pmemsim_next_page(offset, end);
		raw_spin_lock_irq(&mem->lock);
		dirty = next > mem->len ||
			memcmp(mem->memory.addr + offset,
			       mem->media.addr + offset, next - offset);
		raw_spin_unlock_irq(&mem->lock);
	}
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

	raw_spin_lock_irq(&mem->lock);
	for (nr = 0; nr < max && mem->trace_tail != mem->trace_head; nr++)
		trace[nr] = mem->trace[mem->trace_tail++ % PMEMSIM_TRACE_SIZE];
	raw_spin_unlock_irq(&mem->lock);
	return nr;
}

void pmemsim_mem_trace_forget(struct pmemsim_mem *mem)
{
	raw_spin_lock_irq(&mem->lock);
	mem->trace_tail = mem->trace_head;
	raw_spin_unlock_irq(&mem->lock);
}

void pmemsim_mem_trace_show(struct pmemsim_mem *mem, struct seq_file *m)
{
	const struct kfi_pmemsim_trace *entry;
	unsigned int i;

	raw_spin_lock_irq(&mem->lock);
	for (i = mem->trace_tail; i != mem->trace_head; i++) {
		entry = &mem->trace[i % PMEMSIM_TRACE_SIZE];
		seq_printf(m, "%llu %llu\n", entry->offset, entry->len);
	}
	raw_spin_unlock_irq(&mem->lock);
}
