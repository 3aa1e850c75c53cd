// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A packet whose queue pair is destroyed while it wakes the task that is going to look
 * at it. Nobody needs that task any more then: another one has dropped the packet,
 * and with it the reference to the queue pair that came with it.
 */

#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/sched.h>

#include "patches.h"

#define WOKEN_MS	2000
/* in which who wakes the task of what is gone does so, and the kernel says it */
#define WOKEN_GONE_MS	200
/* What happens to need an answer of the processor that is held takes too long. */
#define WOKEN_ROUNDS	10

/* In soft-RoCE's short cut, packets hold the sender as well, until they are dropped. */
static const struct options wired = { .depth = 4, .resources = 4, .wire = true };

static const struct ib_qp *woken_qp;
static struct task_struct *woken_by;
static bool woken_held, woken_released, woken_gone;
static ktime_t woken_since;

/* Soft-RoCE's queue pair begins with that of the core. */
static int woken_queue(struct kprobe *probe, struct pt_regs *regs)
{
	if (regs_get_kernel_argument(regs, 0) == (unsigned long)woken_qp &&
	    xchg(&woken_qp, NULL))
		WRITE_ONCE(woken_by, current);
	return 0;
}

/* The packet is in the queue. */
static int woken_sched(struct kprobe *probe, struct pt_regs *regs)
{
	ktime_t end = ktime_add_ms(ktime_get(), WOKEN_MS);

	if (READ_ONCE(woken_by) != current)
		return 0;
	WRITE_ONCE(woken_by, NULL);
	woken_since = ktime_get();
	/* pairs with woken_wait() */
	smp_store_release(&woken_held, true);
	while (!READ_ONCE(woken_gone) && ktime_before(ktime_get(), end))
		cpu_relax();
	WRITE_ONCE(woken_released, true);
	return 0;
}

/* Nobody has a reference any more. */
static int woken_cleanup(struct kprobe *probe, struct pt_regs *regs)
{
	ktime_t end = ktime_add_ms(ktime_get(), WOKEN_GONE_MS);

	if (!READ_ONCE(woken_held) || READ_ONCE(woken_released))
		return 0;
	WRITE_ONCE(woken_gone, true);
	while (ktime_before(ktime_get(), end))
		cpu_relax();
	return 0;
}

/* Without giving this CPU to who holds its own. */
static bool woken_wait(void)
{
	ktime_t end = ktime_add_ms(ktime_get(), WOKEN_MS);

	while (!READ_ONCE(woken_held) && ktime_before(ktime_get(), end))
		cpu_relax();
	/* pairs with woken_sched() */
	return smp_load_acquire(&woken_held);
}

/* Whether the queue pair was destroyed while the packet was held. */
static bool woken_destroy(struct bed *bed, struct ib_qp **qp, struct op *op,
			  struct ib_send_wr *wr)
{
	struct ib_qp_attr error = { .qp_state = IB_QPS_ERR };

	woken_held = false;
	woken_released = false;
	woken_gone = false;
	woken_by = NULL;
	WRITE_ONCE(woken_qp, *qp);
	if (!bed_post(bed->from, op, wr) || !woken_wait())
		return false;
	/* wakes the task too, which finds the packet and drops it */
	EXPECT(!ib_modify_qp(*qp, &error, IB_QP_STATE));
	/* with time left for the destruction to get to the end, if it does not wait */
	if (ktime_ms_delta(ktime_get(), woken_since) > WOKEN_MS / 2)
		return false;
	ib_destroy_qp(*qp);
	*qp = NULL;
	EXPECT(!woken_gone);
	return true;
}

static bool woken_round(struct bed *bed, struct ib_qp **qp)
{
	struct ib_rdma_wr wr;
	struct region region;
	struct ib_sge sge;
	bool destroyed;
	struct op op;

	if (!region_open(bed, &region, REGION_ACCESS))
		return false;
	bed_write(bed, &wr, &sge, &region, 8);
	destroyed = woken_destroy(bed, qp, &op, &wr.wr);
	region_close(bed, &region);
	return destroyed;
}

/* @symbol: what queues a packet for the queue pair, which is that of the target or not */
static void woken_test(const char *symbol, bool target)
{
	struct kprobe queue = { .symbol_name = symbol, .pre_handler = woken_queue };
	struct kprobe sched = {
		.symbol_name = "rxe_sched_task", .pre_handler = woken_sched,
	};
	struct kprobe cleanup = {
		.symbol_name = "rxe_qp_cleanup", .pre_handler = woken_cleanup,
	};
	struct kprobe *probes[] = { &queue, &sched, &cleanup };
	unsigned int rounds = WOKEN_ROUNDS;
	bool destroyed = false;
	struct bed bed;

	if (!EXPECT(!register_kprobes(probes, ARRAY_SIZE(probes))))
		return;
	while (!destroyed && rounds-- && bed_open(&bed, &wired)) {
		destroyed = woken_round(&bed, target ? &bed.to : &bed.from);
		bed_close(&bed);
	}
	EXPECT(destroyed);
	unregister_kprobes(probes, ARRAY_SIZE(probes));
}

static void woken_responder(void)
{
	woken_test("rxe_resp_queue_pkt", true);
}

static void woken_requester(void)
{
	woken_test("rxe_comp_queue_pkt", false);
}

const struct test woken_tests[] = {
	{ "woken.responder", woken_responder },
	{ "woken.requester", woken_requester },
	{}
};
