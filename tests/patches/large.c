// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A flush of all of a region of more than 4 GiB. There is none where pages are of
 * 4 KiB: soft-RoCE keeps a list of the pages, and kmalloc() has room for those of
 * 1 GiB. So a region says that it is larger than it is, until more of it is seen to be
 * flushed than what its length is modulo 4 GiB.
 */

#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "patches.h"

#define LARGE_PAGES	16
#define LARGE_LEN	(SZ_4G + 2 * PAGE_SIZE)

static const struct options plain = { .depth = 4, .resources = 4 };

static struct region large_region;
static u64 large_flushed;

/* Then the region is shorter than what is to be flushed, which is an error. */
static int large_flush_page(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long addr = regs_get_kernel_argument(regs, 0);

	if (addr - (unsigned long)large_region.mem >= large_region.len)
		return 0;
	large_flushed += regs_get_kernel_argument(regs, 1);
	if (large_flushed > LARGE_LEN - SZ_4G)
		WRITE_ONCE(large_region.mr->length, 0);
	return 0;
}

static int large_found(struct resource *res, void *arg)
{
	*(resource_size_t *)arg = res->end + 1;
	return 1;
}

/* The end of an NVDIMM, of which nothing is changed. */
static void *large_mem(size_t len)
{
	resource_size_t end = 0;

	walk_iomem_res_desc(IORES_DESC_PERSISTENT_MEMORY, IORESOURCE_MEM, 0,
			    -1, &end, large_found);
	return EXPECT(end) ? __va(end - len) : NULL;
}

static void large_flush_region(struct bed *bed)
{
	struct kprobe probe = {
		.symbol_name = "arch_wb_cache_pmem",
		.pre_handler = large_flush_page,
	};
	struct ib_flush_wr wr;
	struct op op;

	if (!EXPECT_STATUS(region_register(bed, &large_region, REGION_ACCESS |
					   IB_ACCESS_FLUSH_PERSISTENT),
			   IB_WC_SUCCESS) ||
	    !EXPECT(!register_kprobe(&probe)))
		return;
	large_flushed = 0;
	WRITE_ONCE(large_region.mr->length, LARGE_LEN);
	bed_flush(&wr, &large_region, IB_FLUSH_PERSISTENT);
	wr.level = IB_FLUSH_MR;
	if (bed_post(bed->from, &op, &wr.wr))
		EXPECT_STATUS(bed_status(bed, &op), IB_WC_REM_ACCESS_ERR);
	EXPECT(large_flushed > LARGE_LEN - SZ_4G);
	unregister_kprobe(&probe);
}

static void large_flush(void)
{
	size_t len = LARGE_PAGES * PAGE_SIZE;
	void *mem = large_mem(len);
	struct bed bed;

	if (!mem || !bed_open(&bed, &plain))
		return;
	large_region.mr = ib_alloc_mr(bed.pd, IB_MR_TYPE_MEM_REG, LARGE_PAGES);
	if (!EXPECT(!IS_ERR(large_region.mr)))
		goto out;
	if (region_map(&bed, &large_region, mem, len))
		large_flush_region(&bed);
	ib_dereg_mr(large_region.mr);
	region_unmap(&bed, &large_region);
out:
	bed_close(&bed);
}

const struct test large_tests[] = {
	{ "large.flush", large_flush, .pmem = true },
	{}
};
