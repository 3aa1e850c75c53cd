// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What each queue has done: /sys/block/DISK/kfi/queueN. Counted by whoever completes
 * something, on its own processor, and added up when somebody asks.
 */

#include <linux/array_size.h>
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/sysfs.h>

#include "blk.h"

void kfb_stats_request(struct kfb_request *req)
{
	struct request *rq = blk_mq_rq_from_pdu(req);
	struct kfb_stats __percpu *stats = req->queue->stats;
	u64 us = (ktime_get_ns() - req->start) / NSEC_PER_USEC;

	if (req_op(rq) == REQ_OP_FLUSH) {
		this_cpu_inc(stats->flushes);
	} else if (op_is_write(req_op(rq))) {
		this_cpu_inc(stats->writes);
		this_cpu_add(stats->write_bytes, blk_rq_bytes(rq));
	} else {
		this_cpu_inc(stats->reads);
		this_cpu_add(stats->read_bytes, blk_rq_bytes(rq));
	}
	this_cpu_inc(stats->latency[min(fls64(us), KFB_LATENCIES - 1)]);
}

void kfb_stats_commit(struct kfb_hwq *queue)
{
	this_cpu_inc(queue->stats->commits);
}

void kfb_stats_reconnect(struct kfb_dev *dev)
{
	unsigned int i;

	dev->reconnects++;
	for (i = 0; i < dev->nr_queues; i++)
		this_cpu_inc(dev->queues[i].stats->reconnects);
}

void kfb_stats_lost(struct kfb_hwq *queue, u64 bytes)
{
	queue->dev->lost_ranges++;
	queue->dev->lost_bytes += bytes;
	this_cpu_inc(queue->stats->lost_ranges);
	this_cpu_add(queue->stats->lost_bytes, bytes);
}

/**
 * struct kfb_stat_attr - a file
 * @attr: for sysfs
 * @queue: of which queue
 * @offset: of its first number in &struct kfb_stats
 * @count: how many numbers it has
 */
struct kfb_stat_attr {
	struct kobj_attribute	attr;
	struct kfb_hwq		*queue;
	size_t			offset;
	unsigned int		count;
};

static u64 kfb_stats_sum(const struct kfb_hwq *queue, size_t offset)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*(u64 *)((void *)per_cpu_ptr(queue->stats,
							      cpu) + offset));
	return sum;
}

static ssize_t kfb_stat_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	struct kfb_stat_attr *stat = container_of(attr, struct kfb_stat_attr,
						  attr);
	ssize_t len = 0;
	unsigned int i;

	for (i = 0; i < stat->count; i++)
		len += sysfs_emit_at(buf, len, "%llu%c",
				     kfb_stats_sum(stat->queue, stat->offset +
						   i * sizeof(u64)),
				     i + 1 < stat->count ? ' ' : '\n');
	return len;
}

static const struct {
	const char	*name;
	size_t		offset;
	unsigned int	count;
} kfb_stat_files[] = {
	{ "reads", offsetof(struct kfb_stats, reads), 1 },
	{ "writes", offsetof(struct kfb_stats, writes), 1 },
	{ "read_bytes", offsetof(struct kfb_stats, read_bytes), 1 },
	{ "write_bytes", offsetof(struct kfb_stats, write_bytes), 1 },
	{ "commits", offsetof(struct kfb_stats, commits), 1 },
	{ "flushes", offsetof(struct kfb_stats, flushes), 1 },
	{ "reconnects", offsetof(struct kfb_stats, reconnects), 1 },
	{ "lost_ranges", offsetof(struct kfb_stats, lost_ranges), 1 },
	{ "lost_bytes", offsetof(struct kfb_stats, lost_bytes), 1 },
	{ "latency", offsetof(struct kfb_stats, latency), KFB_LATENCIES },
};

/**
 * struct kfb_stat_group - the files of a queue
 * @group: for sysfs
 * @name: queueN
 * @list: what is in the group
 * @attrs: the files
 */
struct kfb_stat_group {
	struct attribute_group	group;
	char			name[16];
	struct attribute	*list[ARRAY_SIZE(kfb_stat_files) + 1];
	struct kfb_stat_attr	attrs[ARRAY_SIZE(kfb_stat_files)];
};

/* The folder goes with the one that it is in. */
int kfb_stats_show(struct kfb_hwq *queue, struct kobject *kobj)
{
	struct kfb_stat_group *group = kzalloc_obj(*group);
	struct kfb_stat_attr *stat;
	unsigned int i;

	if (!group)
		return -ENOMEM;
	queue->files = group;
	for (i = 0; i < ARRAY_SIZE(kfb_stat_files); i++) {
		stat = &group->attrs[i];
		sysfs_attr_init(&stat->attr.attr);
		stat->attr.attr.name = kfb_stat_files[i].name;
		stat->attr.attr.mode = 0444;
		stat->attr.show = kfb_stat_show;
		stat->queue = queue;
		stat->offset = kfb_stat_files[i].offset;
		stat->count = kfb_stat_files[i].count;
		group->list[i] = &stat->attr.attr;
	}
	snprintf(group->name, sizeof(group->name), "queue%u", queue->index);
	group->group.name = group->name;
	group->group.attrs = group->list;
	return sysfs_create_group(kobj, &group->group);
}
