// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A packet that is held up when the target has found its region and is about to
 * copy, while the region is invalidated.
 */

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "patches.h"

#define HELD_MS		2000
#define HELD_ROUNDS	100

static const struct options plain = { .depth = 4, .resources = 4 };

static unsigned long held_key;
/* where the test waits: its timers would be held up there as well */
static unsigned int held_not_on;

/**
 * struct held_post - a write that another CPU posts, because it is handled there then
 * @bed: the pair
 * @op: the operation
 * @wr: its work request
 */
struct held_post {
	struct bed		*bed;
	struct op		*op;
	struct ib_rdma_wr	wr;
};

static bool held_armed, held, held_go, held_expired;

static int held_copy(struct kprobe *probe, struct pt_regs *regs)
{
	ktime_t end = ktime_add_ms(ktime_get(), HELD_MS);

	if (regs_get_kernel_argument(regs, 1) != held_key ||
	    smp_processor_id() == held_not_on || !xchg(&held_armed, false))
		return 0;
	WRITE_ONCE(held, true);
	while (!READ_ONCE(held_go)) {
		if (ktime_after(ktime_get(), end)) {
			WRITE_ONCE(held_expired, true);
			break;
		}
		cpu_relax();
	}
	return 0;
}

static struct kprobe held_probe = {
	.symbol_name = "rxe_mr_copy",
	.pre_handler = held_copy,
};

/* Until the write is held, or done because it came by the wrong CPU. */
static bool held_wait(struct bed *bed, struct op *op)
{
	unsigned int left = HELD_MS;

	while (!READ_ONCE(held) && !op->done && left--) {
		ib_process_cq_direct(bed->cq, -1);
		usleep_range(1000, 1500);
	}
	WRITE_ONCE(held_armed, false);
	return READ_ONCE(held);
}

static long held_post(void *data)
{
	struct held_post *post = data;

	return bed_post(post->bed->from, post->op, &post->wr.wr);
}

/* Whether the region was invalidated while the write was held. */
static bool held_through(struct bed *bed, struct region *region, struct op *op)
{
	struct held_post post = { .bed = bed, .op = op };
	struct ib_sge sge;

	memset(bed->buf, 0x55, PAGE_SIZE);
	bed_write(bed, &post.wr, &sge, region, PAGE_SIZE);
	held_key = region->mr->rkey;
	held = false;
	held_go = false;
	held_expired = false;
	WRITE_ONCE(held_armed, true);
	if (!work_on_cpu(cpumask_any_but(cpu_online_mask, held_not_on),
			 held_post, &post) ||
	    !held_wait(bed, op))
		return false;
	EXPECT_STATUS(region_invalidate(bed, region), IB_WC_SUCCESS);
	WRITE_ONCE(held_go, true);
	return EXPECT(bed_wait(bed, op)) && !READ_ONCE(held_expired);
}

static bool held_round(void)
{
	struct region region;
	bool through = false;
	struct bed bed;
	struct op op;

	if (!bed_open(&bed, &plain))
		return false;
	if (region_open(&bed, &region, REGION_ACCESS)) {
		through = held_through(&bed, &region, &op);
		if (through) {
			EXPECT_STATUS(op.wc.status, IB_WC_REM_ACCESS_ERR);
			EXPECT(!memchr_inv(region.mem, 0, PAGE_SIZE));
		}
		region_close(&bed, &region);
	}
	bed_close(&bed);
	return through;
}

static void held_write(void)
{
	unsigned int rounds = 0;
	bool through;

	if (!EXPECT(num_online_cpus() > 1) ||
	    !EXPECT(!register_kprobe(&held_probe)))
		return;
	migrate_disable();
	held_not_on = smp_processor_id();
	do {
		through = held_round();
	} while (!through && ++rounds < HELD_ROUNDS);
	migrate_enable();
	EXPECT(through);
	unregister_kprobe(&held_probe);
}

const struct test held_tests[] = {
	{ "held.write", held_write },
	{}
};
