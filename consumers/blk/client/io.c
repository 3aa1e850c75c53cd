// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Requests: each is one operation on its queue's endpoint.
 *
 * A request that fails because the connection does is issued again, on the next
 * connection; only what is the error of the request itself is told to whoever made
 * it. A write gets into the log before anybody learns that it is complete.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>

#include "blk.h"

/* Failures of its own after which a request is given up, and what is between them */
#define KFB_TRIES	5
#define KFB_RETRY_MS	100

/* A run of zeroes can reach across the border of a region, other requests do not. */
#define KFB_IO_RANGES	2

/* The target's memory from @pos on; returns the bytes that are in one region. */
u64 kfb_io_range(const struct kfb_dev *dev, u64 pos, u64 len,
		 struct kfi_rma_iov *range)
{
	const struct kfb_region *region = &dev->regions[pos >> dev->region_shift];
	u64 size = BIT_ULL(dev->region_shift);
	u64 offset = pos & (size - 1);

	len = min(len, size - offset);
	*range = (struct kfi_rma_iov) {
		.addr = region->addr + offset, .len = len, .key = region->key,
	};
	return len;
}

static int kfb_io_map_zeroes(struct kfb_request *req, unsigned int len)
{
	unsigned int nr = DIV_ROUND_UP(len, PAGE_SIZE), i;
	struct scatterlist *sg;

	sg_init_table(req->sgl, nr);
	for_each_sg(req->sgl, sg, nr, i) {
		sg_set_page(sg, ZERO_PAGE(0), min_t(size_t, len, PAGE_SIZE), 0);
		len -= sg->length;
	}
	return nr;
}

static int kfb_io_map(struct kfb_request *req, struct request *rq)
{
	if (req_op(rq) == REQ_OP_WRITE_ZEROES)
		return kfb_io_map_zeroes(req, blk_rq_bytes(rq));
	sg_init_table(req->sgl, blk_rq_nr_phys_segments(rq));
	return blk_rq_map_sg(rq, req->sgl);
}

static int kfb_io_post(struct kfb_hwq *queue, struct request *rq, bool last)
{
	struct kfb_request *req = blk_mq_rq_to_pdu(rq);
	struct kfi_rma_iov ranges[KFB_IO_RANGES];
	struct kfi_msg_rma msg = {
		.type = KFI_SGL, .msg_sgl = req->sgl, .rma_iov = ranges,
		.context = req,
	};
	u64 pos = blk_rq_pos(rq) << SECTOR_SHIFT;
	u64 end = pos + blk_rq_bytes(rq);
	u64 flags = last ? 0 : KFI_MORE;

	while (pos < end && msg.rma_iov_count < KFB_IO_RANGES)
		pos += kfb_io_range(queue->dev, pos, end - pos,
				    &ranges[msg.rma_iov_count++]);
	msg.iov_count = kfb_io_map(req, rq);
	if (!op_is_write(req_op(rq)))
		return kfi_readmsg(queue->ep, &msg, flags);
	req->commit = queue->dev->config->writethrough ||
		      rq->cmd_flags & REQ_FUA;
	if (req->commit)
		flags |= KFI_COMMIT;
	return kfi_writemsg(queue->ep, &msg, flags);
}

/* The device may be smaller than it was when the request was made. */
static bool kfb_io_valid(const struct kfb_dev *dev, struct request *rq)
{
	u64 pos = blk_rq_pos(rq) << SECTOR_SHIFT;

	switch (req_op(rq)) {
	case REQ_OP_WRITE:
	case REQ_OP_WRITE_ZEROES:
		if (dev->read_only)
			return false;
		fallthrough;
	case REQ_OP_READ:
		return pos <= dev->size && blk_rq_bytes(rq) <= dev->size - pos;
	case REQ_OP_FLUSH:
		return true;
	default:
		return false;
	}
}

static void kfb_io_flushed(struct kfb_flusher *flusher)
{
	kfb_io_complete(container_of(flusher, struct kfb_request, flusher),
			flusher->err);
}

/* What is posted for it need not be on this queue. */
static int kfb_io_flush(struct kfb_hwq *queue, struct kfb_request *req,
			bool last)
{
	if (last)
		kfi_ep_ring(queue->ep);
	req->flusher.done = kfb_io_flushed;
	req->flusher.user = true;
	return kfb_flush_add(queue->dev, &req->flusher) ? 0 : -ESHUTDOWN;
}

/* What the request has of ours stays from one try to the next. */
static void kfb_io_begin(struct kfb_hwq *queue, struct request *rq)
{
	struct kfb_request *req = blk_mq_rq_to_pdu(rq);

	req->queue = queue;
	req->commit = false;
	if (rq->rq_flags & RQF_DONTPREP)
		return;
	rq->rq_flags |= RQF_DONTPREP;
	req->start = ktime_get_ns();
	req->tries = 0;
}

static blk_status_t kfb_io_issue(struct kfb_hwq *queue, struct request *rq,
				 bool last)
{
	struct kfb_dev *dev = queue->dev;
	int err;

	if (!kfb_io_valid(dev, rq))
		return BLK_STS_IOERR;
	kfb_io_begin(queue, rq);
	blk_mq_start_request(rq);
	if (req_op(rq) == REQ_OP_FLUSH)
		err = kfb_io_flush(queue, blk_mq_rq_to_pdu(rq), last);
	else
		err = kfb_io_post(queue, rq, last);
	if (!err)
		return BLK_STS_OK;
	if (kfb_conn_error(err))
		kfb_dev_fail(dev, err, KFB_OK);
	else if (err != -EAGAIN && err != -ENOMEM)
		return BLK_STS_IOERR;
	/* kfb_queue_room() looks again, and the block layer after a while */
	return BLK_STS_RESOURCE;
}

/*
 * RCU is for kfb_session_close(): who has seen the device live posts to endpoints
 * that are there.
 */
static blk_status_t kfb_queue_rq(struct blk_mq_hw_ctx *hctx,
				 const struct blk_mq_queue_data *bd)
{
	struct kfb_hwq *queue = hctx->driver_data;
	blk_status_t status;

	rcu_read_lock();
	/* pairs with kfb_dev_live() */
	switch (smp_load_acquire(&queue->dev->state)) {
	case KFB_STATE_LIVE:
		status = kfb_io_issue(queue, bd->rq, bd->last);
		break;
	case KFB_STATE_RECONNECTING:
		status = BLK_STS_RESOURCE;
		break;
	case KFB_STATE_FAILING:
		status = BLK_STS_TRANSPORT;
		break;
	default:
		status = BLK_STS_IOERR;
		break;
	}
	rcu_read_unlock();
	return status;
}

/* The last request that was to come has not. */
static void kfb_commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	struct kfb_hwq *queue = hctx->driver_data;

	rcu_read_lock();
	/* pairs with kfb_dev_live() */
	if (smp_load_acquire(&queue->dev->state) == KFB_STATE_LIVE)
		kfi_ep_ring(queue->ep);
	rcu_read_unlock();
}

static void kfb_io_written(struct kfb_hwq *queue, struct request *rq)
{
	u64 pos = blk_rq_pos(rq) << SECTOR_SHIFT;

	spin_lock_bh(&queue->log_lock);
	kfb_log_add(queue->log, pos, pos + blk_rq_bytes(rq));
	spin_unlock_bh(&queue->log_lock);
}

/* A write with FUA is not taken for more than it is while a loss is told, see loss.c. */
static void kfb_io_succeeded(struct kfb_request *req, struct request *rq)
{
	bool telling = req->commit && READ_ONCE(req->queue->dev->flush.telling);

	if (req->commit)
		kfb_stats_commit(req->queue);
	else if (op_is_write(req_op(rq)))
		kfb_io_written(req->queue, rq);
	req->retry = false;
	req->status = telling ? BLK_STS_IOERR : BLK_STS_OK;
	kfb_stats_request(req);
}

/*
 * A write that could not be committed is written once more: its memory device may be
 * gone, which the connection's end will tell a moment later. A flush is not: what
 * it was about may be lost, and trying again would not bring it back.
 */
static void kfb_io_failed(struct kfb_request *req, struct request *rq, int err)
{
	struct kfb_dev *dev = req->queue->dev;
	bool flush = req_op(rq) == REQ_OP_FLUSH;

	req->retry = kfb_conn_error(err) ||
		     (!flush && ++req->tries < KFB_TRIES);
	req->delay = kfb_conn_error(err) ? 0 : KFB_RETRY_MS;
	req->status = BLK_STS_IOERR;
	if (kfb_conn_error(err) || (!flush && !req->commit))
		kfb_dev_fail(dev, err, KFB_OK);
	if (!req->retry)
		pr_err_ratelimited("%s: %s failed: %s\n", dev->name,
				   flush ? "flush" :
				   op_is_write(req_op(rq)) ? "write" : "read",
				   kfi_strerror(-err));
}

/* A request is complete, or its try has failed. */
void kfb_io_complete(struct kfb_request *req, int err)
{
	struct request *rq = blk_mq_rq_from_pdu(req);

	if (err)
		kfb_io_failed(req, rq, err);
	else
		kfb_io_succeeded(req, rq);
	blk_mq_complete_request(rq);
}

static void kfb_complete_rq(struct request *rq)
{
	struct kfb_request *req = blk_mq_rq_to_pdu(rq);
	struct request_queue *q = rq->q;
	unsigned int delay = req->delay;

	if (!req->retry) {
		blk_mq_end_request(rq, req->status);
		return;
	}
	blk_mq_requeue_request(rq, false);
	blk_mq_delay_kick_requeue_list(q, delay);
}

/*
 * The connection is at fault, unless nobody has looked at a polled queue. What was
 * posted is complete when its end has been seen to.
 */
static enum blk_eh_timer_return kfb_timeout(struct request *rq)
{
	struct kfb_request *req = blk_mq_rq_to_pdu(rq);

	if (req->queue->polled) {
		kfb_queue_poll(req->queue);
		if (blk_mq_rq_state(rq) != MQ_RQ_IN_FLIGHT)
			return BLK_EH_DONE;
	}
	kfb_dev_fail(req->queue->dev, -ETIMEDOUT, KFB_OK);
	return BLK_EH_RESET_TIMER;
}

static int kfb_poll(struct blk_mq_hw_ctx *hctx, struct io_comp_batch *iob)
{
	return kfb_queue_poll(hctx->driver_data);
}

static int kfb_init_hctx(struct blk_mq_hw_ctx *hctx, void *data,
			 unsigned int index)
{
	struct kfb_dev *dev = data;

	hctx->driver_data = &dev->queues[index];
	return 0;
}

static void kfb_map_queues(struct blk_mq_tag_set *set)
{
	struct kfb_dev *dev = set->driver_data;
	struct blk_mq_queue_map *map = set->map;
	unsigned int nr = dev->nr_queues - dev->nr_poll;

	map[HCTX_TYPE_DEFAULT].nr_queues = nr;
	blk_mq_map_queues(&map[HCTX_TYPE_DEFAULT]);
	if (set->nr_maps <= HCTX_TYPE_POLL)
		return;
	map[HCTX_TYPE_READ].nr_queues = nr;
	blk_mq_map_queues(&map[HCTX_TYPE_READ]);
	map[HCTX_TYPE_POLL].nr_queues = dev->nr_poll;
	map[HCTX_TYPE_POLL].queue_offset = nr;
	blk_mq_map_queues(&map[HCTX_TYPE_POLL]);
}

const struct blk_mq_ops kfb_mq_ops = {
	.queue_rq	= kfb_queue_rq,
	.commit_rqs	= kfb_commit_rqs,
	.complete	= kfb_complete_rq,
	.timeout	= kfb_timeout,
	.poll		= kfb_poll,
	.init_hctx	= kfb_init_hctx,
	.map_queues	= kfb_map_queues,
};
