// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Results: one line each in the kernel log, behind "kfi_perf: result: ", and all
 * of them in debugfs as kfi_perf/results.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "perf.h"

#define PERF_LINE	128

/* Each test at each size: latency, and rate. */
#define PERF_MAX_LINES	(2 * PERF_NR_TESTS * PERF_MAX_SIZES)

static const char columns[] =
	"test bytes window count min_ns avg_ns p50_ns p99_ns max_ns ops_per_s mb_per_s";

static struct dentry *dir;
static char (*lines)[PERF_LINE];
/* written by the one client, read by whoever opens the file */
static unsigned int nr_lines;

static u64 perf_percentile(const struct perf_result *result,
			   unsigned int percent)
{
	return result->latency[(result->count - 1) * percent / 100];
}

static u64 perf_average(const struct perf_result *result)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < result->count; i++)
		sum += result->latency[i];
	return div_u64(sum, result->count);
}

/* Take down a result; its latencies are sorted. */
void perf_report(const struct perf_result *result)
{
	u64 elapsed = max(result->elapsed, 1ULL);
	u64 count = result->count;
	char *line = lines[nr_lines];

	snprintf(line, PERF_LINE, "%s %u %u %u %llu %llu %llu %llu %llu %llu %llu",
		 perf_test_name(result->test), result->size, result->window,
		 result->count, result->latency[0], perf_average(result),
		 perf_percentile(result, 50), perf_percentile(result, 99),
		 result->latency[count - 1],
		 div64_u64(count * NSEC_PER_SEC, elapsed),
		 div64_u64(count * result->size * 1000, elapsed));
	pr_info("result: %s\n", line);
	/* a reader that sees the number sees the line */
	smp_store_release(&nr_lines, nr_lines + 1);
}

static int results_show(struct seq_file *m, void *unused)
{
	unsigned int i, nr;

	/* pairs with perf_report() */
	nr = smp_load_acquire(&nr_lines);
	seq_printf(m, "# %s\n", columns);
	for (i = 0; i < nr; i++)
		seq_printf(m, "%s\n", lines[i]);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(results);

int perf_report_init(void)
{
	lines = kvcalloc(PERF_MAX_LINES, PERF_LINE, GFP_KERNEL);
	if (!lines)
		return -ENOMEM;
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("results", 0444, dir, NULL, &results_fops);
	return 0;
}

void perf_report_exit(void)
{
	debugfs_remove_recursive(dir);
	kvfree(lines);
}
