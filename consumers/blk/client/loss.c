// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Data that was written, and not flushed, and that the target has lost: it comes back
 * with another incarnation while there is something in the logs.
 *
 * Whoever wrote it must not believe that it is there, and nobody knows who did. So
 * every flush fails until those who were there at the time have been told:
 *
 * - Requests that were made before the loss was known. Which these are only the block
 *   layer knows: flushes wait in its own lists, one behind the other, and writes for
 *   tags. It is told to let nothing new in before they are back, by freezing the
 *   queue. Whoever is told by a flush, and flushes again, is not told again.
 *
 * - File systems. The flush of which one of their files is told says nothing to their
 *   journals, and a journal's own may come late: what is in it was written, and is
 *   lost, but somebody else's flush has told of it. jbd2 moves its tail whether the
 *   flush in front of that has failed or not. They are told by what the kernel has for
 *   media that went away, and stop: what they need then is what they need after any
 *   power failure, to be mounted again. They may wait for requests, so the queue goes
 *   on while they are told; writes with FUA, as that of jbd2's tail, fail until then.
 *
 * When no flush has failed by then, the next one does, once: of somebody who has written
 * and closed the disk, or of a file system that cannot stop. Where all that was lost
 * was a file system's, and that is gone, there is nobody to be told.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blk-mq.h>
#include <linux/workqueue.h>

#include "blk.h"

/**
 * struct kfb_loss - what was lost
 * @ranges: how many
 * @bytes: of them
 * @mounted: of these, what file systems have
 * @partitions: where these are
 */
struct kfb_loss {
	u64	ranges;
	u64	bytes;
	u64	mounted;
	DECLARE_BITMAP(partitions, DISK_MAX_PARTS);
};

static void kfb_loss_count(struct kfb_hwq *queue, struct kfb_loss *loss)
{
	const struct kfb_dev *dev = queue->dev;
	u64 size = (u64)get_capacity(dev->disk) << SECTOR_SHIFT;
	struct kfb_log_cursor cursor = { };
	struct kfb_range range;
	u64 bytes;

	while (kfb_log_next(queue->log, &cursor, KFB_MAX_SIZE, size, &range)) {
		bytes = range.end - range.start;
		loss->ranges++;
		loss->bytes += bytes;
		loss->mounted += kfb_disk_mounted(dev, range.start, range.end,
						  loss->partitions);
		kfb_stats_lost(queue, bytes);
	}
}

/* No request gets in, until who is there has been told. */
static void kfb_loss_freeze(struct kfb_dev *dev)
{
	struct kfb_flush *flush = &dev->flush;

	spin_lock_bh(&flush->lock);
	flush->covered = flush->losses;
	spin_unlock_bh(&flush->lock);
	kfb_disk_freeze(dev);
}

static void kfb_loss_begin(struct kfb_dev *dev, const struct kfb_loss *loss)
{
	struct kfb_flush *flush = &dev->flush;
	bool held = loss->mounted == loss->bytes, telling;

	spin_lock_bh(&flush->lock);
	telling = flush->telling;
	WRITE_ONCE(flush->telling, true);
	bitmap_or(flush->mounted, flush->mounted, loss->partitions,
		  DISK_MAX_PARTS);
	flush->held = held && (flush->held || !flush->lost);
	flush->lost = true;
	flush->losses++;
	spin_unlock_bh(&flush->lock);
	if (telling)
		return;
	kfb_loss_freeze(dev);
	queue_work(kfb_tell_wq, &dev->tell_work);
}

/*
 * A session is there, and the target could not keep what was not committed. Nothing
 * has been issued yet.
 */
void kfb_loss_found(struct kfb_dev *dev)
{
	struct kfb_loss loss = { };
	unsigned int i;

	for (i = 0; i < dev->nr_queues; i++) {
		kfb_loss_count(&dev->queues[i], &loss);
		kfb_log_clear(dev->queues[i].log);
	}
	dev->incarnation = dev->session.welcome.incarnation;
	if (!loss.ranges)
		return;
	kfb_loss_begin(dev, &loss);
	pr_err("%s: %s at %s:%s has lost what was not flushed: %llu bytes in %llu ranges\n",
	       dev->name, dev->config->export, dev->config->addr,
	       dev->config->service, loss.bytes, loss.ranges);
}

/* Nobody has the disk open any more: who comes now reads what there is. */
void kfb_loss_closed(struct kfb_dev *dev)
{
	struct kfb_flush *flush = &dev->flush;

	spin_lock_bh(&flush->lock);
	if (flush->held)
		flush->lost = false;
	spin_unlock_bh(&flush->lock);
}

/* Everybody has been told, unless it is not over. */
static bool kfb_loss_end(struct kfb_flush *flush)
{
	bool told;

	spin_lock_bh(&flush->lock);
	told = bitmap_empty(flush->mounted, DISK_MAX_PARTS) &&
	       flush->losses == flush->covered;
	if (told)
		WRITE_ONCE(flush->telling, false);
	spin_unlock_bh(&flush->lock);
	return told;
}

static void kfb_loss_tell_mounted(struct kfb_dev *dev)
{
	struct kfb_flush *flush = &dev->flush;
	DECLARE_BITMAP(mounted, DISK_MAX_PARTS);

	spin_lock_bh(&flush->lock);
	bitmap_copy(mounted, flush->mounted, DISK_MAX_PARTS);
	bitmap_zero(flush->mounted, DISK_MAX_PARTS);
	spin_unlock_bh(&flush->lock);
	kfb_disk_mark_dead(dev, mounted);
}

/*
 * The queue is being frozen. That ends when the disk is live, or when requests fail;
 * who removes the disk sees to it.
 */
void kfb_loss_tell(struct work_struct *work)
{
	struct kfb_dev *dev = container_of(work, struct kfb_dev, tell_work);
	bool told;

	for (;;) {
		blk_mq_freeze_queue_wait(dev->disk->queue);
		told = kfb_loss_end(&dev->flush);
		kfb_disk_unfreeze(dev);
		if (told)
			return;
		kfb_loss_tell_mounted(dev);
		if (kfb_loss_end(&dev->flush))
			return;
		kfb_loss_freeze(dev);
	}
}
