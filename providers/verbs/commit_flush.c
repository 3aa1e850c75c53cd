// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Commits by RDMA FLUSH: the writes, and a flush of each range behind them, in one
 * list. The last work request's completion is that of the commit.
 *
 * A flush covers what came before it on the queue pair, and is answered when that is
 * visible and persistent; flushes are carried out in their order. What comes behind one
 * may overtake it, unless it waits for the answer (IB_SEND_FENCE). So
 *
 * - a commit does not wait for the one before it;
 * - but payload that must not be persistent before the commits before it are
 *   (KFI_INJECT) waits;
 * - and so does what tells the target's consumer of a commit.
 *
 * What fails ends the connection, in its place: the target's device executes nothing
 * that came behind it.
 */

#include <linux/minmax.h>
#include <linux/sizes.h>

#include "ep.h"
#include "flush.h"
#include "post.h"
#include "verbs.h"

/* One flush is about less than 2 GiB, a range can have that much. */
#define KFV_FLUSH_MAX	SZ_1G

static int kfv_flush_range(struct kfv_post *post, const struct kfi_rma_iov *rma)
{
	u64 done, len;
	int ret;

	for (done = 0; done < rma->len; done += len) {
		len = min_t(u64, rma->len - done, KFV_FLUSH_MAX);
		ret = kfv_tx_next(post, IB_WR_FLUSH);
		if (ret)
			return ret;
		post->wr->flush.remote_addr = rma->addr + done;
		post->wr->flush.length = len;
		post->wr->flush.rkey = lower_32_bits(rma->key);
		post->wr->flush.type = IB_FLUSH_GLOBAL | IB_FLUSH_PERSISTENT;
		post->wr->flush.level = IB_FLUSH_RANGE;
	}
	return 0;
}

static int kfv_flush_ranges(struct kfv_post *post,
			    const struct kfi_msg_rma *msg)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < msg->rma_iov_count && !ret; i++)
		ret = kfv_flush_range(post, &msg->rma_iov[i]);
	return ret;
}

/* Carries the data, or takes the place of a commit that has nothing to do. */
static int kfv_flush_end(struct kfv_post *post, const struct kfi_msg_rma *msg,
			 bool data)
{
	int ret;

	ret = kfv_rma_next(post, data ? IB_WR_RDMA_WRITE_WITH_IMM :
					IB_WR_RDMA_WRITE,
			   msg->rma_iov->addr, msg->rma_iov->key);
	if (ret || !data)
		return ret;
	post->wr->send.ex.imm_data = cpu_to_be32(msg->data);
	post->wr->send.send_flags |= IB_SEND_FENCE;
	return 0;
}

/* The work requests of a commit with @len bytes of payload */
int kfv_flush_build(struct kfv_post *post, const struct kfi_msg_rma *msg,
		    u64 flags, size_t len)
{
	bool data = flags & KFI_REMOTE_CQ_DATA;
	int ret;

	if (len) {
		ret = kfv_rma_build(post, msg, flags, len);
		if (ret)
			return ret;
		if (flags & KFI_INJECT)
			post->first->send.send_flags |= IB_SEND_FENCE;
	}
	ret = kfv_flush_ranges(post, msg);
	if (ret || (post->nr_wrs && !data))
		return ret;
	return kfv_flush_end(post, msg, data);
}
