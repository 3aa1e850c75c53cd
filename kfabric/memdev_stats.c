// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Statistics of memory devices. Several endpoints may ask one at the same time, so each
 * processor counts for itself.
 */

#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/string.h>
#include <linux/u64_stats_sync.h>

#include <kfi_prov.h>

#include "memdev.h"

/**
 * struct kfi_memdev_counts - what one processor has counted of a memory device
 * @sync: for processors that write 64 bits in two pieces
 * @stats: the numbers
 */
struct kfi_memdev_counts {
	struct u64_stats_sync	sync;
	struct kfi_memdev_stats	stats;
};

/* For free_percpu(); NULL without memory. */
struct kfi_memdev_counts __percpu *kfi_memdev_counts_alloc(void)
{
	struct kfi_memdev_counts __percpu *counts;
	unsigned int cpu;

	counts = alloc_percpu(struct kfi_memdev_counts);
	if (!counts)
		return NULL;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(counts, cpu)->sync);
	return counts;
}

/* The device was asked to make something persistent. Process context. */
void kfi_memdev_count_persist(struct kfi_memdev *dev, u64 ns, int ret)
{
	struct kfi_memdev_counts *counts = get_cpu_ptr(dev->counts);

	u64_stats_update_begin(&counts->sync);
	kfi_stat_time(&counts->stats.persist, ns);
	if (ret)
		counts->stats.failed++;
	u64_stats_update_end(&counts->sync);
	put_cpu_ptr(dev->counts);
}

static void read_counts(const struct kfi_memdev_counts *counts,
			struct kfi_memdev_stats *stats)
{
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&counts->sync);
		*stats = counts->stats;
	} while (u64_stats_fetch_retry(&counts->sync, start));
}

/**
 * kfi_memdev_read_stats() - what was counted of a memory device
 * @dev: the device, which must not go away meanwhile
 * @stats: where it is returned
 *
 * Whoever reads while the device is being asked may find a time and not yet its failure.
 *
 * Context: Process context.
 */
void kfi_memdev_read_stats(const struct kfi_memdev *dev,
			   struct kfi_memdev_stats *stats)
{
	struct kfi_memdev_stats part;
	unsigned int cpu;

	memset(stats, 0, sizeof(*stats));
	for_each_possible_cpu(cpu) {
		read_counts(per_cpu_ptr(dev->counts, cpu), &part);
		kfi_stat_add_hist(&stats->persist, &part.persist);
		stats->failed += part.failed;
	}
}
EXPORT_SYMBOL_GPL(kfi_memdev_read_stats);
