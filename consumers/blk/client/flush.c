// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Flushes. A commit is about what its own endpoint wrote, so a flush takes the log
 * of every queue and commits it on that queue's endpoint, on all of them at once.
 *
 * There is one such round at a time. Who comes while it is under way waits for the
 * next one: what he wants to be persistent may have been written after the logs
 * were taken. What a round could not commit goes back into the logs.
 */

#include <linux/minmax.h>
#include <linux/wait.h>

#include "blk.h"

void kfb_flush_init(struct kfb_flush *flush)
{
	spin_lock_init(&flush->lock);
	flush->stopped = true;
	INIT_LIST_HEAD(&flush->waiting);
	INIT_LIST_HEAD(&flush->round);
	INIT_LIST_HEAD(&flush->ended);
}

/* What is wrong with a commit is worse than that its connection has ended. */
static void kfb_round_fail(struct kfb_flush *flush, int err)
{
	if (!flush->err || kfb_conn_error(flush->err))
		flush->err = err;
}

/* Takes what is dirty; false when nothing is. */
static bool kfb_queue_take(struct kfb_hwq *queue)
{
	bool dirty;

	spin_lock(&queue->log_lock);
	dirty = !kfb_log_empty(queue->log);
	if (dirty)
		swap(queue->log, queue->taken);
	spin_unlock(&queue->log_lock);
	return dirty;
}

static void kfb_queue_settle(struct kfb_hwq *queue, int err)
{
	if (kfb_log_empty(queue->taken))
		return;
	if (err) {
		spin_lock(&queue->log_lock);
		kfb_log_merge(queue->log, queue->taken);
		spin_unlock(&queue->log_lock);
	}
	kfb_log_clear(queue->taken);
}

static void kfb_round_end(struct kfb_dev *dev)
{
	struct kfb_flush *flush = &dev->flush;
	bool lost = flush->lost || flush->telling, told = false;
	struct kfb_flusher *flusher;
	unsigned int i;

	for (i = 0; i < dev->nr_queues; i++)
		kfb_queue_settle(&dev->queues[i], flush->err);
	list_for_each_entry(flusher, &flush->round, node) {
		flusher->err = flush->err;
		if (!flusher->err && flusher->user && lost) {
			flusher->err = -EIO;
			told = true;
		}
	}
	if (told)
		flush->lost = false;
	list_splice_tail_init(&flush->round, &flush->ended);
	flush->running = false;
}

/* A part of the round is through; the last one ends it. */
static void kfb_round_put(struct kfb_dev *dev)
{
	if (!--dev->flush.busy)
		kfb_round_end(dev);
}

/* Ranges of the next commit; 0 when all have been committed. */
static unsigned int kfb_commit_fill(const struct kfb_hwq *queue,
				    struct kfb_log_cursor *cursor,
				    struct kfi_rma_iov *ranges)
{
	const struct kfb_dev *dev = queue->dev;
	struct kfb_range range;
	unsigned int nr = 0;

	while (nr < dev->max_ranges &&
	       kfb_log_next(queue->taken, cursor, dev->piece, dev->size,
			    &range))
		kfb_io_range(dev, range.start, range.end - range.start,
			     &ranges[nr++]);
	return nr;
}

static int kfb_commit_post(struct kfb_hwq *queue,
			   const struct kfi_rma_iov *ranges, unsigned int nr)
{
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .rma_iov = ranges, .rma_iov_count = nr,
		.context = queue,
	};

	if (queue->dev->flush.stopped)
		return -ESHUTDOWN;
	return kfi_writemsg(queue->ep, &msg, KFI_COMMIT);
}

/*
 * Commits as much of the log as may be under way at once. Without room it goes on
 * when an earlier commit completes, or when the endpoint says that there is room.
 */
static void kfb_queue_commit(struct kfb_hwq *queue)
{
	struct kfi_rma_iov ranges[KFB_FLUSH_RANGES];
	struct kfb_log_cursor cursor;
	unsigned int nr;
	int err = 0;

	while (queue->posting && queue->commits < KFB_FLUSH_WINDOW && !err) {
		cursor = queue->cursor;
		nr = kfb_commit_fill(queue, &cursor, ranges);
		if (nr)
			err = kfb_commit_post(queue, ranges, nr);
		if (!nr || (err && err != -EAGAIN)) {
			queue->posting = false;
		} else if (!err) {
			queue->cursor = cursor;
			queue->commits++;
		}
	}
	if (err && err != -EAGAIN) {
		kfb_round_fail(&queue->dev->flush, err);
		if (kfb_conn_error(err))
			kfb_dev_fail(queue->dev, err, KFB_OK);
	}
	if (queue->commits && queue->polled)
		queue_work(kfb_wq, &queue->poll_work);
	if (!queue->posting && !queue->commits) {
		queue->busy = false;
		kfb_round_put(queue->dev);
	}
}

/* Begins a round, which may be over when this returns. */
static void kfb_round_begin(struct kfb_dev *dev)
{
	struct kfb_flush *flush = &dev->flush;
	struct kfb_hwq *queue;
	unsigned int i;

	flush->running = true;
	flush->err = 0;
	flush->busy = 1;
	list_splice_init(&flush->waiting, &flush->round);
	for (i = 0; i < dev->nr_queues; i++) {
		queue = &dev->queues[i];
		if (!kfb_queue_take(queue))
			continue;
		flush->busy++;
		queue->cursor = (struct kfb_log_cursor) { };
		queue->posting = true;
		queue->busy = true;
		kfb_queue_commit(queue);
	}
	kfb_round_put(dev);
}

/* Begins what can begin, gives the lock back, and tells who waits. */
static void kfb_flush_unlock(struct kfb_dev *dev)
	__releases(&dev->flush.lock)
{
	struct kfb_flush *flush = &dev->flush;
	struct kfb_flusher *flusher, *next;
	LIST_HEAD(ended);

	while (!flush->running && !flush->stopped &&
	       !list_empty(&flush->waiting))
		kfb_round_begin(dev);
	list_splice_init(&flush->ended, &ended);
	spin_unlock_bh(&flush->lock);
	list_for_each_entry_safe(flusher, next, &ended, node)
		flusher->done(flusher);
}

/* Makes persistent what was written so far. False when there is no connection. */
bool kfb_flush_add(struct kfb_dev *dev, struct kfb_flusher *flusher)
{
	bool stopped;

	spin_lock_bh(&dev->flush.lock);
	stopped = dev->flush.stopped;
	if (!stopped)
		list_add_tail(&flusher->node, &dev->flush.waiting);
	kfb_flush_unlock(dev);
	return !stopped;
}

/* A commit of a flush is complete. */
void kfb_flush_committed(struct kfb_hwq *queue, int err)
{
	struct kfb_dev *dev = queue->dev;

	if (!err)
		kfb_stats_commit(queue);
	else if (kfb_conn_error(err))
		kfb_dev_fail(dev, err, KFB_OK);
	spin_lock_bh(&dev->flush.lock);
	queue->commits--;
	if (err) {
		kfb_round_fail(&dev->flush, err);
		queue->posting = false;
	}
	kfb_queue_commit(queue);
	kfb_flush_unlock(dev);
}

/* There is room for what had none. */
void kfb_flush_room(struct kfb_hwq *queue)
{
	struct kfb_dev *dev = queue->dev;

	spin_lock_bh(&dev->flush.lock);
	if (queue->busy)
		kfb_queue_commit(queue);
	kfb_flush_unlock(dev);
}

/* The queues are connected. */
void kfb_flush_start(struct kfb_dev *dev)
{
	spin_lock_bh(&dev->flush.lock);
	dev->flush.stopped = false;
	kfb_flush_unlock(dev);
}

/*
 * When this returns nothing is posted any more. The present round ends when the
 * commits that are under way have ended, and who waits for the next one is told now.
 */
void kfb_flush_stop(struct kfb_dev *dev)
{
	struct kfb_flush *flush = &dev->flush;
	struct kfb_flusher *flusher;
	unsigned int i;

	spin_lock_bh(&flush->lock);
	flush->stopped = true;
	list_for_each_entry(flusher, &flush->waiting, node)
		flusher->err = -ESHUTDOWN;
	list_splice_tail_init(&flush->waiting, &flush->ended);
	for (i = 0; i < dev->nr_queues; i++)
		if (dev->queues[i].busy && !dev->queues[i].commits)
			kfb_queue_commit(&dev->queues[i]);
	kfb_flush_unlock(dev);
}

/* Whether something is not persistent; for when nobody writes any more. */
bool kfb_flush_wanted(struct kfb_dev *dev)
{
	unsigned int i;

	for (i = 0; i < dev->nr_queues; i++)
		if (!kfb_log_empty(dev->queues[i].log))
			return true;
	return false;
}

/**
 * struct kfb_flush_waiter - somebody who sleeps
 * @flusher: what is waited for
 * @dev: the device
 * @over: it has been
 */
struct kfb_flush_waiter {
	struct kfb_flusher	flusher;
	struct kfb_dev		*dev;
	bool			over;
};

static void kfb_flush_wake(struct kfb_flusher *flusher)
{
	struct kfb_flush_waiter *waiter =
		container_of(flusher, struct kfb_flush_waiter, flusher);
	wait_queue_head_t *wait = &waiter->dev->wait;

	/* the waiter may be gone as soon as it sees this, the device is not */
	smp_store_release(&waiter->over, true);
	wake_up(wait);
}

static bool kfb_flush_over(struct kfb_flush_waiter *waiter)
{
	/* pairs with kfb_flush_wake() */
	return smp_load_acquire(&waiter->over);
}

/*
 * Makes persistent what is in the logs. It ends when the session does: @recovering
 * says that the caller is who has to see to that.
 */
int kfb_flush_wait(struct kfb_dev *dev, bool recovering)
{
	struct kfb_flush_waiter waiter = {
		.flusher.done = kfb_flush_wake, .dev = dev,
	};

	if (!kfb_flush_add(dev, &waiter.flusher))
		return -ESHUTDOWN;
	if (recovering) {
		wait_event(dev->wait, kfb_flush_over(&waiter) ||
			   READ_ONCE(dev->session.err) ||
			   READ_ONCE(dev->removing));
		if (!kfb_flush_over(&waiter))
			kfb_session_close(dev);
	}
	wait_event(dev->wait, kfb_flush_over(&waiter));
	return waiter.flusher.err;
}
