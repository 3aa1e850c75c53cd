// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The netlink family: what is counted of endpoints, completion queues, providers and
 * memory devices.
 */

#include <linux/slab.h>
#include <net/netlink.h>

#include <kfi_memdev.h>
#include <kfi_prov.h>

#include "netlink.h"

static_assert(KFABRIC_A_STATS_DATA - KFABRIC_A_STATS_SEND ==
	      (int)KFI_STAT_DATA);
static_assert(KFABRIC_A_STATS_RX_FULL - KFABRIC_A_STATS_TX_FULL ==
	      (int)KFI_STAT_RX_FULL);
static_assert(KFABRIC_A_ERRORS_OTHER - KFABRIC_A_ERRORS_CANCELED ==
	      (int)KFI_STAT_OTHER);
static_assert(KFABRIC_A_CONNECTIONS_BROKEN - KFABRIC_A_CONNECTIONS_MADE ==
	      (int)KFI_STAT_CONN_BROKEN);

static int put_count(struct sk_buff *skb, int attr,
		     const struct kfi_stat_count *count)
{
	struct nlattr *nest = nla_nest_start(skb, attr);
	int ret;

	if (!nest)
		return -EMSGSIZE;
	ret = nla_put_uint(skb, KFABRIC_A_COUNT_OPS, count->ops) ?:
	      nla_put_uint(skb, KFABRIC_A_COUNT_BYTES, count->bytes);
	nla_nest_end(skb, nest);
	return ret;
}

static int put_numbers(struct sk_buff *skb, int attr, const u64 *numbers,
		       unsigned int count)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < count && !ret; i++)
		ret = nla_put_uint(skb, attr + i, numbers[i]);
	return ret;
}

/* A nest of numbers, which are attributes from @first on */
static int put_kinds(struct sk_buff *skb, int attr, int first,
		     const u64 *numbers, unsigned int count)
{
	struct nlattr *nest = nla_nest_start(skb, attr);
	int ret;

	if (!nest)
		return -EMSGSIZE;
	ret = put_numbers(skb, first, numbers, count);
	nla_nest_end(skb, nest);
	return ret;
}

static int put_bucket(struct sk_buff *skb, unsigned int bucket, u64 count)
{
	struct nlattr *nest = nla_nest_start(skb, KFABRIC_A_TIMES_BUCKET);
	int ret;

	if (!nest)
		return -EMSGSIZE;
	ret = nla_put_uint(skb, KFABRIC_A_BUCKET_FLOOR,
			   kfi_stat_floor(bucket)) ?:
	      nla_put_uint(skb, KFABRIC_A_BUCKET_COUNT, count);
	nla_nest_end(skb, nest);
	return ret;
}

static int put_times(struct sk_buff *skb, int attr,
		     const struct kfi_stat_hist *hist)
{
	struct nlattr *nest = nla_nest_start(skb, attr);
	unsigned int i;
	int ret;

	if (!nest)
		return -EMSGSIZE;
	ret = nla_put_uint(skb, KFABRIC_A_TIMES_SUM, hist->sum);
	for (i = 0; i < KFI_STAT_BUCKETS && !ret; i++)
		if (hist->count[i])
			ret = put_bucket(skb, i, hist->count[i]);
	nla_nest_end(skb, nest);
	return ret;
}

static int put_all(struct sk_buff *skb, const struct kfi_ep_stats *stats)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < KFI_STAT_OPS && !ret; i++)
		ret = put_count(skb, KFABRIC_A_STATS_SEND + i, &stats->op[i]);
	return ret ?: put_numbers(skb, KFABRIC_A_STATS_TX_FULL, stats->full,
				  KFI_STAT_FULLS) ?:
	       nla_put_uint(skb, KFABRIC_A_STATS_DONE, stats->done) ?:
	       put_kinds(skb, KFABRIC_A_STATS_ERRORS,
			 KFABRIC_A_ERRORS_CANCELED, stats->error,
			 KFI_STAT_ERRORS) ?:
	       put_times(skb, KFABRIC_A_STATS_COMMIT_TIME, &stats->commit) ?:
	       nla_put_uint(skb, KFABRIC_A_STATS_SERVED, stats->served) ?:
	       nla_put_uint(skb, KFABRIC_A_STATS_SERVED_FAILED,
			    stats->failed) ?:
	       put_times(skb, KFABRIC_A_STATS_PERSIST_TIME, &stats->persist);
}

static int put_stats(struct sk_buff *skb, int attr,
		     const struct kfi_ep_stats *stats)
{
	struct nlattr *nest = nla_nest_start(skb, attr);
	int ret;

	if (!nest)
		return -EMSGSIZE;
	ret = put_all(skb, stats);
	nla_nest_end(skb, nest);
	return ret;
}

/* What was counted, if the provider counts. */
int kfi_nl_put_stats(struct sk_buff *skb, struct kfid_ep *ep)
{
	struct kfi_ep_stats stats;

	if (kfi_ep_read_stats(ep, &stats))
		return 0;
	return put_stats(skb, KFABRIC_A_ENDPOINT_STATS, &stats);
}

int kfi_nl_put_cq_stats(struct sk_buff *skb, struct kfid_cq *cq)
{
	struct kfi_cq_stats stats;

	kfi_cq_read_stats(cq, &stats);
	return nla_put_u32(skb, KFABRIC_A_QUEUE_SIZE, stats.size) ?:
	       nla_put_u32(skb, KFABRIC_A_QUEUE_RESERVED, stats.reserved) ?:
	       nla_put_uint(skb, KFABRIC_A_QUEUE_MADE, stats.made) ?:
	       nla_put_uint(skb, KFABRIC_A_QUEUE_READ, stats.read) ?:
	       put_kinds(skb, KFABRIC_A_QUEUE_ERRORS,
			 KFABRIC_A_ERRORS_CANCELED, stats.error,
			 KFI_STAT_ERRORS);
}

int kfi_nl_put_prov_stats(struct sk_buff *skb, struct kfi_provider *provider)
{
	struct kfi_prov_stats *stats = kmalloc_obj(*stats);
	int ret;

	if (!stats)
		return -ENOMEM;
	kfi_prov_read_stats(provider, stats);
	ret = nla_put_uint(skb, KFABRIC_A_PROVIDER_OPEN, stats->open) ?:
	      nla_put_uint(skb, KFABRIC_A_PROVIDER_OPENED, stats->opened) ?:
	      put_kinds(skb, KFABRIC_A_PROVIDER_CONNECTIONS,
			KFABRIC_A_CONNECTIONS_MADE, stats->conn,
			KFI_STAT_CONNS) ?:
	      put_stats(skb, KFABRIC_A_PROVIDER_STATS, &stats->total);
	kfree(stats);
	return ret;
}

int kfi_nl_put_memdev_stats(struct sk_buff *skb, const struct kfi_memdev *dev)
{
	struct kfi_memdev_stats stats;

	kfi_memdev_read_stats(dev, &stats);
	return nla_put_uint(skb, KFABRIC_A_MEMDEV_PERSIST_FAILED,
			    stats.failed) ?:
	       put_times(skb, KFABRIC_A_MEMDEV_PERSIST_TIME, &stats.persist);
}
