// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kfi_bench: what kfabric costs on top of verbs, in instructions.
 *
 * Meant for an emulated processor whose clock counts instructions, a nanosecond
 * for each (scripts/qemu --icount), with a kfi_perf server in the same kernel.
 * Each figure is the median of many, less what measuring itself takes. Results
 * are in the kernel log, behind "kfi_bench: result: ".
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/sort.h>

#include <kfabric.h>

#include "bench.h"

#define BENCH_SAMPLES	101

char *bench_netdev = "d0";
module_param_named(netdev, bench_netdev, charp, 0444);
MODULE_PARM_DESC(netdev, "network device of the RDMA device");

char *bench_addr = "10.9.0.1";
module_param_named(addr, bench_addr, charp, 0444);
MODULE_PARM_DESC(addr, "address of the kfi_perf server");

ushort bench_port = 7471;
module_param_named(port, bench_port, ushort, 0444);
MODULE_PARM_DESC(port, "port of the kfi_perf server");

static u64 samples[BENCH_SAMPLES];

static int bench_cmp(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static u64 bench_median(unsigned int nr)
{
	sort(samples, nr, sizeof(u64), bench_cmp, NULL);
	return samples[nr / 2];
}

static u64 bench_clock_overhead(void)
{
	unsigned int i;
	u64 start;

	for (i = 0; i < BENCH_SAMPLES; i++) {
		start = ktime_get_ns();
		samples[i] = ktime_get_ns() - start;
	}
	return bench_median(BENCH_SAMPLES);
}

static int bench_timed_post(const struct bench_side *side,
			    enum bench_post what, u64 *took)
{
	unsigned long irq;
	u64 start;
	int err;

	local_irq_save(irq);
	start = ktime_get_ns();
	err = side->post(what);
	*took = ktime_get_ns() - start;
	local_irq_restore(irq);
	return err;
}

/*
 * The second of two: the first one wakes up soft-RoCE's worker, for which the
 * scheduler does not always take the same. The worker cannot run between them.
 */
static int bench_timed_second(const struct bench_side *side,
			      enum bench_post what, u64 *took)
{
	unsigned long irq;
	int err;

	local_irq_save(irq);
	err = side->post(what);
	if (!err)
		err = bench_timed_post(side, what, took);
	local_irq_restore(irq);
	return err;
}

/* The device is idle again before the next two. */
static int bench_post(const struct bench_side *side, int what, u64 *result)
{
	unsigned int i;
	int err;

	for (i = 0; i < BENCH_SAMPLES; i++) {
		err = bench_timed_second(side, what, &samples[i]);
		if (!err)
			err = side->wait();
		if (!err)
			err = side->wait();
		if (err)
			return err;
		usleep_range(200, 300);
	}
	*result = bench_median(BENCH_SAMPLES);
	return 0;
}

static int bench_handler(const struct bench_side *side, int what, u64 *result)
{
	u64 took, overhead;
	unsigned int i;
	int err;

	err = bench_probe_overhead(samples, BENCH_SAMPLES);
	if (err)
		return err;
	overhead = bench_median(BENCH_SAMPLES);
	err = bench_probe_start();
	if (err)
		return err;
	for (i = 0; i < BENCH_SAMPLES && !err; i++) {
		err = bench_timed_post(side, what, &took);
		/* by then nobody waits: no wakeup is part of the figure */
		usleep_range(500, 600);
		samples[i] = bench_probe_read(overhead);
		if (!err)
			err = side->wait();
	}
	bench_probe_stop();
	*result = bench_median(BENCH_SAMPLES);
	return err;
}

static int bench_read(const struct bench_side *side, int what, u64 *result)
{
	u64 start, took;
	unsigned int i;
	int nr;

	for (i = 0; i < BENCH_SAMPLES; i++) {
		nr = bench_timed_post(side, what, &took);
		while (!nr) {
			usleep_range(500, 600);
			start = ktime_get_ns();
			nr = side->reap();
			samples[i] = ktime_get_ns() - start;
		}
		if (nr < 0)
			return nr;
	}
	*result = bench_median(BENCH_SAMPLES);
	return 0;
}

static int bench_reg(const struct bench_side *side, int what, u64 *result)
{
	unsigned int i;
	u64 start;
	int err;

	for (i = 0; i < BENCH_SAMPLES; i++) {
		start = ktime_get_ns();
		err = side->reg();
		samples[i] = ktime_get_ns() - start;
		if (err)
			return err;
	}
	*result = bench_median(BENCH_SAMPLES);
	return 0;
}

static int bench_trace(const struct bench_side *side, int what, u64 *result)
{
	unsigned long irq;
	unsigned int i;
	u64 start;

	for (i = 0; i < BENCH_SAMPLES; i++) {
		local_irq_save(irq);
		start = ktime_get_ns();
		side->trace();
		samples[i] = ktime_get_ns() - start;
		local_irq_restore(irq);
	}
	*result = bench_median(BENCH_SAMPLES);
	return 0;
}

static const struct bench {
	const char	*name;
	int		(*run)(const struct bench_side *side, int what,
			       u64 *result);
	int		what;
	bool		polled;
	bool		timed;
} benches[] = {
	{ "post-send-64-inline", bench_post, BENCH_SEND_INLINE, false, true },
	{ "post-write-4096", bench_post, BENCH_WRITE_UNREGISTERED, false, true },
	{ "post-write-4096-registered", bench_post, BENCH_WRITE_REGISTERED,
	  false, true },
	{ "completion-handler", bench_handler, BENCH_WRITE_REGISTERED, false,
	  false },
	{ "completion-handler-unmap", bench_handler, BENCH_WRITE_UNREGISTERED,
	  false, false },
	{ "completion-read", bench_read, BENCH_WRITE_REGISTERED, true, true },
	{ "completion-read-unmap", bench_read, BENCH_WRITE_UNREGISTERED, true,
	  true },
	{ "mr-reg-close-4096", bench_reg, 0, false, true },
	{ "tracepoint-disabled", bench_trace, 0, false, true },
};

static int bench_side(const struct bench *bench, const struct bench_side *side,
		      u64 clock, u64 *result)
{
	int err = side->open(bench->polled);

	if (err)
		return err;
	err = bench->run(side, bench->what, result);
	side->close();
	if (!err && bench->timed)
		*result -= clock;
	return err;
}

static int __init bench_init(void)
{
	u64 clock = bench_clock_overhead();
	const struct bench *bench;
	u64 raw, fabric, ratio;
	int err;

	for (bench = benches; bench < benches + ARRAY_SIZE(benches); bench++) {
		err = bench_side(bench, &bench_raw, clock, &raw);
		if (!err)
			err = bench_side(bench, &bench_fabric, clock, &fabric);
		if (err) {
			pr_err("%s: %s\n", bench->name, kfi_strerror(-err));
			return err;
		}
		ratio = div64_u64(fabric * 100, max(raw, 1ULL));
		pr_info("result: %s %llu %llu %llu.%02llu\n", bench->name, raw,
			fabric, div_u64(ratio, 100),
			ratio - div_u64(ratio, 100) * 100);
	}
	return 0;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
}
module_exit(bench_exit);

MODULE_DESCRIPTION("what kfabric costs on top of verbs");
MODULE_LICENSE("Dual BSD/GPL");
