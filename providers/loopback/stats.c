// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What was counted of an endpoint.
 */

#include <linux/spinlock.h>

#include "ep.h"

static void lo_add_count(struct kfi_stat_count *to,
			 const struct kfi_stat_count *from)
{
	to->ops += from->ops;
	to->bytes += from->bytes;
}

static void lo_add_tx(struct lo_tx *tx, struct kfi_ep_stats *stats)
{
	unsigned long irq;

	spin_lock_irqsave(&tx->lock, irq);
	kfi_stat_add_posts(stats, tx->posted);
	stats->full[KFI_STAT_TX_FULL] += tx->full[KFI_STAT_TX_FULL];
	stats->full[KFI_STAT_SLOTS_FULL] += tx->full[KFI_STAT_SLOTS_FULL];
	stats->done += kfi_cq_done(tx->credit);
	kfi_stat_add_hist(&stats->commit, &tx->time);
	spin_unlock_irqrestore(&tx->lock, irq);
	kfi_stat_add_errors(stats, tx->credit);
}

static void lo_add_rx(struct lo_rx *rx, struct kfi_ep_stats *stats)
{
	unsigned long irq;

	spin_lock_irqsave(&rx->lock, irq);
	stats->full[KFI_STAT_RX_FULL] += rx->full;
	lo_add_count(&stats->op[KFI_STAT_RECV], &rx->received);
	lo_add_count(&stats->op[KFI_STAT_DATA], &rx->data);
	stats->served += rx->served;
	stats->failed += rx->refused;
	kfi_stat_add_hist(&stats->persist, &rx->persist);
	spin_unlock_irqrestore(&rx->lock, irq);
	kfi_stat_add_errors(stats, rx->credit);
	kfi_stat_add_errors(stats, rx->data_credit);
}

/* What is bound stays so once the endpoint is enabled; before it has no numbers. */
void lo_ep_add_stats(struct kfid_ep *kfid_ep, struct kfi_ep_stats *stats)
{
	struct lo_ep *ep = lo_ep_of(&kfid_ep->fid);

	/* pairs with lo_ep_enable() */
	if (!smp_load_acquire(&ep->enabled))
		return;
	lo_add_tx(&ep->tx, stats);
	lo_add_rx(&ep->rx, stats);
}
