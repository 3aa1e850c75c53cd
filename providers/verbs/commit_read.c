// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Commits by reading: the writes, and a read of each region behind them, in one list.
 * The last work request's completion is that of the commit.
 *
 * The target has said that what is visible in its memory is persistent, and that it
 * becomes visible in the order in which it arrives. A device does not answer a read
 * before the writes that came before it on the queue pair are visible. So
 *
 * - when the reads are back, what was written before them is persistent;
 * - nothing has to be awaited before a later write is posted: if that is persistent
 *   then all before it is, a marker's record for example (KFI_INJECT);
 * - data that comes with a write is told to the consumer there by an entry that is
 *   visible after what was written before, when that is persistent.
 *
 * What fails ends the connection, in its place: the target's device executes nothing
 * that came behind it.
 */

#include "commit.h"
#include "ep.h"
#include "post.h"
#include "verbs.h"

static void kfv_read_set_data(struct kfv_wr *wr, u64 data)
{
	wr->send.opcode = IB_WR_RDMA_WRITE_WITH_IMM;
	wr->send.ex.imm_data = cpu_to_be32(data);
}

/* Each region once, in the last of its ranges that has something to read. */
static bool kfv_read_wanted(const struct kfi_rma_iov *rma,
			    const struct kfi_rma_iov *end)
{
	const struct kfi_rma_iov *later;

	if (!rma->len)
		return false;
	for (later = rma + 1; later < end; later++)
		if (later->len && later->key == rma->key)
			return false;
	return true;
}

/* The last byte of a range, into the slot, where nobody looks at it. */
static int kfv_read_range(struct kfv_post *post, struct kfv_commit_slot *slot,
			  const struct kfi_rma_iov *rma)
{
	int ret;

	ret = kfv_rma_next(post, IB_WR_RDMA_READ, rma->addr + rma->len - 1,
			   rma->key);
	if (ret)
		return ret;
	post->wr->sge[0] = slot->sge;
	post->wr->sge[0].length = 1;
	post->wr->send.num_sge = 1;
	return 0;
}

static int kfv_read_ranges(struct kfv_post *post, struct kfv_commit_slot *slot,
			   const struct kfi_msg_rma *msg)
{
	const struct kfi_rma_iov *end = msg->rma_iov + msg->rma_iov_count;
	const struct kfi_rma_iov *rma;
	int ret = 0;

	for (rma = msg->rma_iov; rma < end && !ret; rma++)
		if (kfv_read_wanted(rma, end))
			ret = kfv_read_range(post, slot, rma);
	return ret;
}

/* Without payload something else carries the data, or takes the commit's place. */
static int kfv_read_bare(struct kfv_post *post, const struct kfi_msg_rma *msg,
			 bool data)
{
	int ret;

	if (post->nr_wrs && !data)
		return 0;
	ret = kfv_rma_next(post, IB_WR_RDMA_WRITE, msg->rma_iov->addr,
			   msg->rma_iov->key);
	if (!ret && data)
		kfv_read_set_data(post->wr, msg->data);
	return ret;
}

/* The work requests of a commit with @len bytes of payload */
int kfv_read_build(struct kfv_post *post, struct kfv_commit_slot *slot,
		   const struct kfi_msg_rma *msg, u64 flags, size_t len)
{
	bool data = flags & KFI_REMOTE_CQ_DATA;
	int ret;

	if (!kfi_prov_readable(msg->rma_iov, msg->rma_iov_count))
		return -EACCES;
	if (len) {
		ret = kfv_rma_build(post, msg, flags, len);
		if (ret)
			return ret;
		if (data)
			kfv_read_set_data(post->wr, msg->data);
	}
	ret = kfv_read_ranges(post, slot, msg);
	if (ret || len)
		return ret;
	return kfv_read_bare(post, msg, data);
}
