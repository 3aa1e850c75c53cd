// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Statistics as developers look at them: /sys/kernel/debug/kfabric. What is 0 is left
 * out.
 */

#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <kfi_prov.h>

#include "core.h"
#include "memdev.h"

/* Lines are ready for awk: a name and numbers. */

static void show_count(struct seq_file *m, const char *name, u64 count)
{
	if (count)
		seq_printf(m, "  %s %llu\n", name, count);
}

static void show_hist(struct seq_file *m, const char *name,
		      const struct kfi_stat_hist *hist)
{
	unsigned int i;

	if (!kfi_stat_times(hist))
		return;
	seq_printf(m, "  %s_ns sum %llu\n", name, hist->sum);
	for (i = 0; i < KFI_STAT_BUCKETS; i++)
		if (hist->count[i])
			seq_printf(m, "  %s_ns %llu %llu\n", name,
				   kfi_stat_floor(i), hist->count[i]);
}

static void show_ep_stats(struct seq_file *m, const struct kfi_ep_stats *stats)
{
	unsigned int i;

	for (i = 0; i < KFI_STAT_OPS; i++)
		if (stats->op[i].ops)
			seq_printf(m, "  %s %llu %llu\n", kfi_stat_op_name(i),
				   stats->op[i].ops, stats->op[i].bytes);
	show_count(m, "done", stats->done);
	for (i = 0; i < KFI_STAT_FULLS; i++)
		show_count(m, kfi_stat_full_name(i), stats->full[i]);
	for (i = 0; i < KFI_STAT_ERRORS; i++)
		if (stats->error[i])
			seq_printf(m, "  error %s %llu\n",
				   kfi_stat_error_name(i), stats->error[i]);
	show_hist(m, "commit", &stats->commit);
	show_count(m, "served", stats->served);
	show_count(m, "failed", stats->failed);
	show_hist(m, "persist", &stats->persist);
}

static void show_provider(struct kfi_provider *provider, void *arg)
{
	struct seq_file *m = arg;
	struct kfi_prov_stats *stats = m->private;
	unsigned int i;

	kfi_prov_read_stats(provider, stats);
	seq_printf(m, "provider %s endpoints %llu opened %llu\n",
		   provider->name, stats->open, stats->opened);
	for (i = 0; i < KFI_STAT_CONNS; i++)
		if (stats->conn[i])
			seq_printf(m, "  connection %s %llu\n",
				   kfi_stat_conn_name(i), stats->conn[i]);
	show_ep_stats(m, &stats->total);
}

static int stats_show(struct seq_file *m, void *unused)
{
	struct kfi_prov_stats *stats = kzalloc_obj(*stats);

	if (!stats)
		return -ENOMEM;
	m->private = stats;
	kfi_provider_each(show_provider, m);
	kfree(stats);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static void show_ep(struct kfid_ep *ep, void *arg)
{
	struct seq_file *m = arg;
	struct kfi_ep_stats *stats = m->private;

	seq_printf(m, "endpoint %llu\n", ep->fid.id);
	kfi_ep_read_stats(ep, stats);
	show_ep_stats(m, stats);
}

static void show_provider_eps(struct kfi_provider *provider, void *arg)
{
	struct seq_file *m = arg;

	seq_printf(m, "provider %s\n", provider->name);
	kfi_stat_each_ep(provider, show_ep, m);
}

static int endpoints_show(struct seq_file *m, void *unused)
{
	struct kfi_ep_stats *stats = kzalloc_obj(*stats);

	if (!stats)
		return -ENOMEM;
	m->private = stats;
	kfi_provider_each(show_provider_eps, m);
	kfree(stats);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(endpoints);

static void show_cq(struct kfi_prov_cq *pcq, void *arg)
{
	struct seq_file *m = arg;
	struct kfi_cq_stats stats;
	unsigned int i;

	kfi_cq_read_stats(&pcq->cq, &stats);
	seq_printf(m, "queue %llu domain %llu size %u reserved %u made %llu read %llu\n",
		   pcq->cq.fid.id, pcq->domain->fid.id, stats.size,
		   stats.reserved, stats.made, stats.read);
	for (i = 0; i < KFI_STAT_ERRORS; i++)
		if (stats.error[i])
			seq_printf(m, "  error %s %llu\n",
				   kfi_stat_error_name(i), stats.error[i]);
}

static void show_memdev(struct seq_file *m, struct kfi_memdev *dev)
{
	struct kfi_memdev_stats stats;

	kfi_memdev_read_stats(dev, &stats);
	seq_printf(m, "memdev %s\n", dev->name);
	show_hist(m, "persist", &stats.persist);
	show_count(m, "failed", stats.failed);
}

static int memdevs_show(struct seq_file *m, void *unused)
{
	struct kfi_memdev *dev;
	u64 id = 0;

	while ((dev = kfi_memdev_next(id))) {
		id = dev->id;
		show_memdev(m, dev);
		kfi_memdev_put(dev);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(memdevs);

static int queues_show(struct seq_file *m, void *unused)
{
	kfi_stat_each_cq(show_cq, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(queues);

void __init kfi_stats_debugfs_init(void)
{
	debugfs_create_file("stats", 0400, kfi_debugfs_root, NULL,
			    &stats_fops);
	debugfs_create_file("endpoints", 0400, kfi_debugfs_root, NULL,
			    &endpoints_fops);
	debugfs_create_file("queues", 0400, kfi_debugfs_root, NULL,
			    &queues_fops);
	debugfs_create_file("memdevs", 0400, kfi_debugfs_root, NULL,
			    &memdevs_fops);
}
