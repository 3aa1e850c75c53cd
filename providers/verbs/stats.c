// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What was counted of an endpoint.
 */

#include <linux/spinlock.h>

#include "commit.h"
#include "ep.h"

static void kfv_add_tx(struct kfv_txq *tx, struct kfi_ep_stats *stats)
{
	unsigned long irq;

	spin_lock_irqsave(&tx->lock, irq);
	kfi_stat_add_posts(stats, tx->posted);
	stats->full[KFI_STAT_TX_FULL] += tx->full[KFI_STAT_TX_FULL];
	stats->full[KFI_STAT_SLOTS_FULL] += tx->full[KFI_STAT_SLOTS_FULL];
	stats->done += kfi_cq_done(tx->credit);
	spin_unlock_irqrestore(&tx->lock, irq);
	kfi_stat_add_errors(stats, tx->credit);
}

/* What came by receives is counted without a lock. */
static void kfv_add_received(const struct kfv_rx_stats *received, bool data,
			     struct kfi_stat_count *count)
{
	unsigned int start;
	u64 ops, bytes;

	do {
		start = u64_stats_fetch_begin(&received->sync);
		ops = u64_stats_read(&received->ops[data]);
		bytes = u64_stats_read(&received->bytes[data]);
	} while (u64_stats_fetch_retry(&received->sync, start));
	count->ops += ops;
	count->bytes += bytes;
}

static void kfv_add_rx(struct kfv_rxq *rx, struct kfi_ep_stats *stats)
{
	struct kfi_stat_count *data = &stats->op[KFI_STAT_DATA];
	unsigned long irq;

	spin_lock_irqsave(&rx->lock, irq);
	stats->full[KFI_STAT_RX_FULL] += rx->full;
	data->ops += rx->data.ops;
	data->bytes += rx->data.bytes;
	spin_unlock_irqrestore(&rx->lock, irq);
	kfv_add_received(&rx->received, false, &stats->op[KFI_STAT_RECV]);
	kfv_add_received(&rx->received, true, data);
	kfi_stat_add_errors(stats, rx->credit);
}

static void kfv_add_commit(struct kfv_commit *commit,
			   struct kfi_ep_stats *stats)
{
	unsigned long irq;

	spin_lock_irqsave(&commit->lock, irq);
	kfi_stat_add_hist(&stats->commit, &commit->time);
	spin_unlock_irqrestore(&commit->lock, irq);
	spin_lock_irqsave(&commit->rx_lock, irq);
	stats->served += commit->served;
	stats->failed += commit->refused;
	kfi_stat_add_hist(&stats->persist, &commit->persist);
	spin_unlock_irqrestore(&commit->rx_lock, irq);
	kfi_stat_add_errors(stats, commit->credit);
}

/* What is bound stays so once the endpoint is enabled; before it has no numbers. */
void kfv_ep_add_stats(struct kfid_ep *kfid_ep, struct kfi_ep_stats *stats)
{
	struct kfv_ep *ep = to_kfv_ep(kfid_ep);

	/* pairs with kfv_ep_enable() */
	if (!smp_load_acquire(&ep->enabled))
		return;
	kfv_add_tx(&ep->tx, stats);
	kfv_add_rx(&ep->rx, stats);
	if (ep->commit)
		kfv_add_commit(ep->commit, stats);
}
