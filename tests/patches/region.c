// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Regions: which memory may be flushed to persistence, and the end of access.
 */

#include <linux/gfp.h>

#include "patches.h"

#define REGION_ROUNDS	200

static const struct options plain = { .depth = 4, .resources = 4 };

/* Ordinary memory cannot be persistent, also not in a region that is new. */
static void region_ordinary(void)
{
	struct region region;
	struct bed bed;

	if (!bed_open(&bed, &plain))
		return;
	if (!region_open(&bed, &region, REGION_ACCESS))
		goto out;
	EXPECT_STATUS(region_invalidate(&bed, &region), IB_WC_SUCCESS);
	EXPECT(region_register(&bed, &region, REGION_ACCESS |
			       IB_ACCESS_FLUSH_PERSISTENT) != IB_WC_SUCCESS);
	region_close(&bed, &region);
out:
	bed_close(&bed);
}

/* Fills the queue with writes, and invalidates the region under them. */
static void region_round(struct bed *bed, struct region *region, u8 value)
{
	struct ib_rdma_wr wr[16];
	struct ib_sge sge[16];
	enum ib_wc_status status;
	struct op op;
	int i;

	memset(bed->buf, value, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(wr); i++) {
		bed_write(bed, &wr[i], &sge[i], region, PAGE_SIZE);
		if (i)
			wr[i - 1].wr.next = &wr[i].wr;
	}
	if (!bed_post(bed->from, &op, &wr[0].wr))
		return;
	/* the next write can end the QP before it says that it has done it */
	status = region_invalidate(bed, region);
	EXPECT(status == IB_WC_SUCCESS || status == IB_WC_WR_FLUSH_ERR);
	memset(region->mem, 0, PAGE_SIZE);
	EXPECT(bed_wait(bed, &op));
	EXPECT(op.wc.status == IB_WC_SUCCESS ||
	       op.wc.status == IB_WC_REM_ACCESS_ERR ||
	       op.wc.status == IB_WC_WR_FLUSH_ERR);
	EXPECT(!memchr_inv(region->mem, 0, PAGE_SIZE));
}

static void region_invalidated(void)
{
	struct region region;
	struct bed bed;
	int i;

	for (i = 0; i < REGION_ROUNDS; i++) {
		if (!bed_open(&bed, &plain))
			return;
		if (region_open(&bed, &region, REGION_ACCESS)) {
			region_round(&bed, &region, i | 1);
			region_close(&bed, &region);
		}
		bed_close(&bed);
	}
}

const struct test region_tests[] = {
	{ "region.ordinary", region_ordinary },
	{ "region.invalidated", region_invalidated },
	{}
};
