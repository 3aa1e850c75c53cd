// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How long the device's completion queue works on what has arrived: from the
 * entry of its softirq poll function to its end, whoever's handlers run inside.
 */

#include <linux/compiler.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>

#include "bench.h"

static struct {
	u64		total;
	unsigned int	calls;
} probe;

static int probe_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	*(u64 *)ri->data = ktime_get_ns();
	return 0;
}

static int probe_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	probe.total += ktime_get_ns() - *(u64 *)ri->data;
	probe.calls++;
	return 0;
}

static struct kretprobe bench_kretprobe;

static int probe_register(const char *symbol)
{
	bench_probe_read(0);
	bench_kretprobe = (struct kretprobe) {
		.kp.symbol_name = symbol,
		.entry_handler = probe_entry,
		.handler = probe_return,
		.data_size = sizeof(u64),
	};
	return register_kretprobe(&bench_kretprobe);
}

int bench_probe_start(void)
{
	return probe_register("ib_poll_handler");
}

void bench_probe_stop(void)
{
	unregister_kretprobe(&bench_kretprobe);
}

/*
 * What all calls since the last read took, less @overhead for each. The processor
 * is one and the device idle, so nothing changes meanwhile.
 */
u64 bench_probe_read(u64 overhead)
{
	u64 total = probe.total - probe.calls * overhead;

	probe.total = 0;
	probe.calls = 0;
	return total;
}

static noinline void bench_probed_nothing(void)
{
	barrier();
}

/* What the probe itself adds: samples of a function that does nothing. */
int bench_probe_overhead(u64 *samples, unsigned int nr)
{
	unsigned int i;
	int err;

	err = probe_register("bench_probed_nothing");
	if (err)
		return err;
	for (i = 0; i < nr; i++) {
		bench_probed_nothing();
		samples[i] = bench_probe_read(0);
	}
	bench_probe_stop();
	return 0;
}
