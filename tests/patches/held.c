// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A packet that is held up when the target has found its region and is about to
 * copy, while the region is invalidated.
 */

#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>

#include "patches.h"

#define HELD_MS		2000

static const struct options plain = { .depth = 4, .resources = 4 };

static unsigned long held_key;
static bool held_armed, held, held_go;

/* On another CPU than who waits: it does not let go of this one. */
static int held_copy(struct kprobe *probe, struct pt_regs *regs)
{
	ktime_t end = ktime_add_ms(ktime_get(), HELD_MS);

	if (regs_get_kernel_argument(regs, 1) != held_key ||
	    !xchg(&held_armed, false))
		return 0;
	WRITE_ONCE(held, true);
	while (!READ_ONCE(held_go) && ktime_before(ktime_get(), end))
		cpu_relax();
	return 0;
}

static struct kprobe held_probe = {
	.symbol_name = "rxe_mr_copy",
	.pre_handler = held_copy,
};

static bool held_wait(void)
{
	unsigned int left = HELD_MS;

	while (!READ_ONCE(held) && left--)
		usleep_range(1000, 1500);
	return READ_ONCE(held);
}

static void held_write(void)
{
	struct ib_rdma_wr wr;
	struct region region;
	struct ib_sge sge;
	struct bed bed;
	struct op op;

	if (!bed_open(&bed, &plain))
		return;
	if (!region_open(&bed, &region, REGION_ACCESS))
		goto out;
	memset(bed.buf, 0x55, PAGE_SIZE);
	bed_write(&bed, &wr, &sge, &region, PAGE_SIZE);
	if (!EXPECT(!register_kprobe(&held_probe)))
		goto out_region;
	held_key = region.mr->rkey;
	held = false;
	held_go = false;
	held_armed = true;
	if (bed_post(bed.from, &op, &wr.wr) && EXPECT(held_wait())) {
		EXPECT_STATUS(region_invalidate(&bed, &region), IB_WC_SUCCESS);
		WRITE_ONCE(held_go, true);
		EXPECT_STATUS(bed_status(&bed, &op), IB_WC_REM_ACCESS_ERR);
		EXPECT(!memchr_inv(region.mem, 0, PAGE_SIZE));
	}
	unregister_kprobe(&held_probe);
out_region:
	region_close(&bed, &region);
out:
	bed_close(&bed);
}

const struct test held_tests[] = {
	{ "held.write", held_write },
	{}
};
