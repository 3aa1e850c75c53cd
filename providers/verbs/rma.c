// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * One-sided access: an operation becomes as many work requests as its segments
 * and remote ranges ask for.
 */

#include <linux/overflow.h>
#include <linux/uio.h>

#include "commit.h"
#include "ep.h"
#include "post.h"
#include "verbs.h"

/* The work requests of one remote range. */
static int kfv_rma_range(struct kfv_post *post, struct kfi_seg_iter *iter,
			 void **desc, const struct kfi_rma_iov *rma,
			 enum ib_wr_opcode opcode, bool inject)
{
	enum dma_data_direction dir = opcode == IB_WR_RDMA_READ ?
				      DMA_FROM_DEVICE : DMA_TO_DEVICE;
	size_t done = 0;
	ssize_t ret;

	do {
		ret = kfv_rma_next(post, opcode, rma->addr + done, rma->key);
		if (ret)
			return ret;
		if (inject) {
			const struct kvec *kv = iter->iov;

			ret = kfv_wr_fill_buf(post, kv->iov_base + iter->done,
					      rma->len);
			iter->done += rma->len;
			return ret;
		}
		ret = kfv_wr_fill(post, iter, desc, rma->len - done, dir);
		if (ret < 0)
			return ret;
		if (!ret)
			return -EINVAL;
		post->nr_segs += post->wr->send.num_sge;
		if (post->nr_segs > KFV_RMA_SEGS)
			return -E2BIG;
		done += ret;
	} while (done < rma->len);
	return 0;
}

static noinline int kfv_rma_pieces(struct kfv_post *post,
				   const struct kfi_msg_rma *msg,
				   enum ib_wr_opcode opcode, u64 flags,
				   size_t len)
{
	struct kvec buf = { .iov_base = post->op->buf, .iov_len = len };
	bool inject = flags & KFI_INJECT;
	struct kfi_seg_iter iter;
	size_t i;
	int ret;

	/* Nothing to carry: the ranges are empty, or were written before. */
	if (!len)
		return kfv_rma_next(post, opcode, msg->rma_iov->addr,
				    msg->rma_iov->key);
	kfi_seg_iter_init(&iter, msg->type, msg->msg_iov, msg->iov_count);
	if (inject) {
		ret = kfv_copy_from(post->op->buf, msg->type, msg->msg_iov,
				    msg->iov_count);
		if (ret)
			return ret;
		kfi_seg_iter_init(&iter, KFI_KVEC, &buf, 1);
	}
	for (i = 0; i < msg->rma_iov_count; i++) {
		if (!msg->rma_iov[i].len)
			continue;
		ret = kfv_rma_range(post, &iter, msg->desc, &msg->rma_iov[i],
				    opcode, inject);
		if (ret)
			return ret;
	}
	return 0;
}

/* One range and one piece of kernel memory, as most have, are made in place. */
static __always_inline int kfv_rma_make(struct kfv_post *post,
					const struct kfi_msg_rma *msg,
					enum ib_wr_opcode opcode,
					enum dma_data_direction dir, u64 flags,
					size_t len)
{
	int ret;

	if (msg->iov_count != 1 || msg->type != KFI_KVEC ||
	    msg->rma_iov_count != 1)
		return kfv_rma_pieces(post, msg, opcode, flags, len);
	ret = kfv_rma_next(post, opcode, msg->rma_iov->addr, msg->rma_iov->key);
	if (unlikely(ret))
		return ret;
	ret = kfv_wr_fill_kvec(post->ep, post->sq, post->wr, msg->msg_iov,
			       msg->desc, flags & KFI_INJECT, post->now, dir);
	post->op->mapped = post->wr->mapped;
	if (likely(ret <= 0))
		return ret;
	post->nr_wrs = 0;
	return kfv_rma_pieces(post, msg, opcode, flags, len);
}

/* The writes before a request for a commit. */
int kfv_rma_build(struct kfv_post *post, const struct kfi_msg_rma *msg,
		  u64 flags, size_t len)
{
	return kfv_rma_make(post, msg, IB_WR_RDMA_WRITE, DMA_TO_DEVICE, flags,
			    len);
}

/*
 * A read of the last byte comes back when all of the write before it is visible at
 * the target.
 */
static int kfv_rma_deliver(struct kfv_post *post, const struct kfi_msg_rma *msg)
{
	const struct kfi_rma_iov *last = &msg->rma_iov[msg->rma_iov_count - 1];
	int ret;

	while (!last->len && last > msg->rma_iov)
		last--;
	if (!last->len)
		return 0;
	ret = kfv_rma_next(post, IB_WR_RDMA_READ, last->addr + last->len - 1,
			   last->key);
	if (ret)
		return ret;
	return kfv_wr_map_buf(post, post->op->buf, 1, DMA_FROM_DEVICE);
}

static noinline int kfv_write_post(struct kfv_ep *ep,
				   const struct kfi_msg_rma *msg, u64 flags,
				   size_t len, bool report)
{
	bool deliver = flags & KFI_DELIVERY_COMPLETE;
	struct kfv_post post;
	int ret;

	ret = kfv_tx_begin(&post, ep, &ep->tx.sq, flags);
	if (ret)
		return ret;
	ret = -EOPNOTSUPP;
	if (deliver && !ep->depth)
		return kfv_tx_abort(&post, ret);
	ret = kfv_rma_make(&post, msg, IB_WR_RDMA_WRITE, DMA_TO_DEVICE, flags,
			   len);
	if (ret)
		return kfv_tx_abort(&post, ret);
	if (flags & KFI_REMOTE_CQ_DATA) {
		post.wr->send.opcode = IB_WR_RDMA_WRITE_WITH_IMM;
		post.wr->send.ex.imm_data = cpu_to_be32(msg->data);
	}
	if (deliver)
		ret = kfv_rma_deliver(&post, msg);
	if (ret)
		return kfv_tx_abort(&post, ret);
	kfv_tx_count(ep, KFI_STAT_WRITE, len, flags);
	kfv_tx_end(&post, msg->context, KFI_RMA | KFI_WRITE, flags, report);
	return 0;
}

static noinline int kfv_read_post(struct kfv_ep *ep,
				  const struct kfi_msg_rma *msg, u64 flags,
				  size_t len)
{
	struct kfv_post post;
	int ret;

	ret = kfv_tx_begin(&post, ep, &ep->tx.sq, flags);
	if (ret)
		return ret;
	ret = -EOPNOTSUPP;
	if (ep->depth)
		ret = kfv_rma_make(&post, msg, IB_WR_RDMA_READ,
				   DMA_FROM_DEVICE, flags, len);
	if (ret)
		return kfv_tx_abort(&post, ret);
	kfv_tx_count(ep, KFI_STAT_READ, len, flags);
	kfv_tx_end(&post, msg->context, KFI_RMA | KFI_READ, flags, true);
	return 0;
}

/* Returns 1 if it is not that simple, and nothing has happened. */
static __always_inline int kfv_rma_one(struct kfv_ep *ep,
				       const struct kfi_msg_rma *msg,
				       enum ib_wr_opcode opcode,
				       enum dma_data_direction dir,
				       u64 comp_flags, u64 flags, bool report)
{
	const struct kfi_rma_iov *rma = msg->rma_iov;
	struct kfv_sq *sq = &ep->tx.sq;
	struct kfv_wr *wr = kfv_tx_take_one(ep, sq);
	int ret;

	if (unlikely(!wr))
		return 1;
	wr->send.opcode = opcode;
	wr->rdma.remote_addr = rma->addr;
	wr->rdma.rkey = lower_32_bits(rma->key);
	ret = kfv_wr_fill_kvec(ep, sq, wr, msg->msg_iov, msg->desc,
			       flags & KFI_INJECT, kfv_tx_now(&ep->tx, flags),
			       dir);
	if (unlikely(ret)) {
		kfv_tx_abort_one(ep);
		return ret;
	}
	kfv_tx_count(ep, opcode == IB_WR_RDMA_READ ? KFI_STAT_READ :
						     KFI_STAT_WRITE,
		     rma->len, flags);
	kfv_tx_end_one(ep, sq, wr, msg->context, comp_flags, flags, report);
	return 0;
}

static noinline ssize_t kfv_read_any(struct kfv_ep *ep,
				     const struct kfi_msg_rma *msg, u64 flags)
{
	unsigned long irq;
	size_t len;
	int ret;

	ret = kfi_check_rma(&ep->limits, msg, flags, KFI_READ_FLAGS, &len);
	if (!ret) {
		spin_lock_irqsave(&ep->tx.lock, irq);
		ret = kfv_read_post(ep, msg, flags, len);
		spin_unlock_irqrestore(&ep->tx.lock, irq);
	}
	return ret ? kfv_tx_refuse(ep, ret) : 0;
}

static ssize_t kfv_readmsg(struct kfid_ep *kfid_ep,
			   const struct kfi_msg_rma *msg, u64 flags)
{
	struct kfv_ep *ep = to_kfv_ep(kfid_ep);
	unsigned long irq;
	int ret = 1;

	if (!kfi_plain_rma(&ep->limits, msg, flags, KFI_READ_FLAGS))
		return kfv_read_any(ep, msg, flags);
	spin_lock_irqsave(&ep->tx.lock, irq);
	if (likely(ep->depth))
		ret = kfv_rma_one(ep, msg, IB_WR_RDMA_READ, DMA_FROM_DEVICE,
				  KFI_RMA | KFI_READ, flags, true);
	if (unlikely(ret > 0))
		ret = kfv_read_post(ep, msg, flags, msg->rma_iov->len);
	spin_unlock_irqrestore(&ep->tx.lock, irq);
	return unlikely(ret) ? kfv_tx_refuse(ep, ret) : 0;
}

static noinline ssize_t kfv_write_any(struct kfv_ep *ep,
				      const struct kfi_msg_rma *msg, u64 flags,
				      bool report)
{
	unsigned long irq;
	size_t len;
	int ret;

	ret = kfi_check_rma(&ep->limits, msg, flags, KFI_WRITE_FLAGS, &len);
	if (!ret) {
		spin_lock_irqsave(&ep->tx.lock, irq);
		if (kfv_is_commit(ep, flags))
			ret = kfv_commit_post(ep, msg, flags, len, report);
		else
			ret = kfv_write_post(ep, msg, flags, len, report);
		spin_unlock_irqrestore(&ep->tx.lock, irq);
	}
	return ret ? kfv_tx_refuse(ep, ret) : 0;
}

static __always_inline ssize_t kfv_write(struct kfid_ep *kfid_ep,
					 const struct kfi_msg_rma *msg,
					 u64 flags, bool report)
{
	struct kfv_ep *ep = to_kfv_ep(kfid_ep);
	unsigned long irq;
	int ret;

	if (!kfi_plain_rma(&ep->limits, msg, flags, KFI_WRITE_FLAGS))
		return kfv_write_any(ep, msg, flags, report);
	spin_lock_irqsave(&ep->tx.lock, irq);
	ret = kfv_rma_one(ep, msg, IB_WR_RDMA_WRITE, DMA_TO_DEVICE,
			  KFI_RMA | KFI_WRITE, flags, report);
	if (unlikely(ret > 0))
		ret = kfv_write_post(ep, msg, flags, msg->rma_iov->len, report);
	spin_unlock_irqrestore(&ep->tx.lock, irq);
	return unlikely(ret) ? kfv_tx_refuse(ep, ret) : 0;
}

static ssize_t kfv_writemsg(struct kfid_ep *ep, const struct kfi_msg_rma *msg,
			    u64 flags)
{
	return kfv_write(ep, msg, flags, true);
}

/* Without a completion there is nobody to say that it has come so far. */
static ssize_t kfv_inject_writemsg(struct kfid_ep *ep,
				   const struct kfi_msg_rma *msg, u64 flags)
{
	if (flags & (KFI_DELIVERY_COMPLETE | KFI_COMMIT_COMPLETE))
		return kfv_tx_refuse(to_kfv_ep(ep), -EOPNOTSUPP);
	return kfv_write(ep, msg, flags, false);
}

const struct kfi_ops_rma kfv_rma_ops = {
	.read	= kfv_readmsg,
	.write	= kfv_writemsg,
	.inject	= kfv_inject_writemsg,
};
