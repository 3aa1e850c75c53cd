// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Messages.
 */

#include <linux/uio.h>

#include "ep.h"
#include "pair.h"
#include "post.h"
#include "verbs.h"

static int kfv_send_inject(struct kfv_post *post, const struct kfi_msg *msg,
			   size_t len)
{
	int ret;

	ret = kfv_copy_from(post->op->buf, msg->type, msg->msg_iov,
			    msg->iov_count);
	if (ret)
		return ret;
	return kfv_wr_fill_buf(post, post->op->buf, len);
}

static int kfv_send_pieces(struct kfv_post *post, const struct kfi_msg *msg,
			   size_t len)
{
	struct kfi_seg_iter iter;
	ssize_t ret;

	kfi_seg_iter_init(&iter, msg->type, msg->msg_iov, msg->iov_count);
	ret = kfv_wr_fill(post, &iter, msg->desc, len, DMA_TO_DEVICE);
	if (ret < 0)
		return ret;
	return ret == len ? 0 : -E2BIG;
}

static int kfv_send_fill(struct kfv_post *post, const struct kfi_msg *msg,
			 u64 flags, size_t len)
{
	if (flags & KFI_INJECT)
		return kfv_send_inject(post, msg, len);
	return kfv_send_pieces(post, msg, len);
}

static noinline int kfv_send_post(struct kfv_ep *ep, struct kfv_sq *sq,
				  const struct kfi_msg *msg, u64 flags,
				  size_t len, bool report)
{
	bool imm = flags & KFI_REMOTE_CQ_DATA;
	struct kfv_post post;
	int ret;

	ret = kfv_tx_begin(&post, ep, sq, flags);
	if (ret)
		return ret;
	ret = kfv_tx_next(&post, imm ? IB_WR_SEND_WITH_IMM : IB_WR_SEND);
	if (ret)
		return kfv_tx_abort(&post, ret);
	post.wr->send.ex.imm_data = cpu_to_be32(msg->data);
	ret = kfv_send_fill(&post, msg, flags, len);
	if (ret)
		return kfv_tx_abort(&post, ret);
	kfv_tx_count(ep, KFI_STAT_SEND, len, flags);
	kfv_tx_end(&post, msg->context, KFI_MSG | KFI_SEND, flags, report);
	return 0;
}

/* Returns 1 if it is not that simple, and nothing has happened. */
static __always_inline int kfv_send_one(struct kfv_ep *ep, struct kfv_sq *sq,
					const struct kfi_msg *msg, u64 flags,
					bool report)
{
	struct kfv_wr *wr = kfv_tx_take_one(ep, sq);
	int ret;

	if (unlikely(!wr))
		return 1;
	wr->send.opcode = IB_WR_SEND;
	ret = kfv_wr_fill_kvec(ep, sq, wr, msg->msg_iov, msg->desc,
			       flags & KFI_INJECT, kfv_tx_now(&ep->tx, flags),
			       DMA_TO_DEVICE);
	if (unlikely(ret)) {
		kfv_tx_abort_one(ep);
		return ret;
	}
	kfv_tx_count(ep, KFI_STAT_SEND, msg->msg_iov->iov_len, flags);
	kfv_tx_end_one(ep, sq, wr, msg->context, KFI_MSG | KFI_SEND, flags,
		       report);
	return 0;
}

static noinline ssize_t kfv_send_any(struct kfv_ep *ep, struct kfv_sq *sq,
				     const struct kfi_msg *msg, u64 flags,
				     bool report)
{
	unsigned long irq;
	size_t len;
	int ret;

	ret = kfi_check_send(&ep->limits, msg, flags, &len);
	if (!ret) {
		spin_lock_irqsave(&ep->tx.lock, irq);
		ret = kfv_send_post(ep, sq, msg, flags, len, report);
		spin_unlock_irqrestore(&ep->tx.lock, irq);
	}
	return ret ? kfv_tx_refuse(ep, ret) : 0;
}

static __always_inline ssize_t kfv_send(struct kfv_ep *ep, struct kfv_sq *sq,
					const struct kfi_msg *msg, u64 flags,
					bool report)
{
	unsigned long irq;
	int ret;

	if (!kfi_plain_send(&ep->limits, msg, flags))
		return kfv_send_any(ep, sq, msg, flags, report);
	spin_lock_irqsave(&ep->tx.lock, irq);
	ret = kfv_send_one(ep, sq, msg, flags, report);
	if (unlikely(ret > 0))
		ret = kfv_send_post(ep, sq, msg, flags, msg->msg_iov->iov_len,
				    report);
	spin_unlock_irqrestore(&ep->tx.lock, irq);
	return unlikely(ret) ? kfv_tx_refuse(ep, ret) : 0;
}

static ssize_t kfv_sendmsg(struct kfid_ep *kfid_ep, const struct kfi_msg *msg,
			   u64 flags)
{
	struct kfv_ep *ep = to_kfv_ep(kfid_ep);

	return kfv_send(ep, &ep->tx.sq, msg, flags, true);
}

static ssize_t kfv_injectmsg(struct kfid_ep *kfid_ep, const struct kfi_msg *msg,
			     u64 flags)
{
	struct kfv_ep *ep = to_kfv_ep(kfid_ep);

	return kfv_send(ep, &ep->tx.sq, msg, flags, false);
}

const struct kfi_ops_msg kfv_msg_ops = {
	.recv	= kfv_recvmsg,
	.send	= kfv_sendmsg,
	.inject	= kfv_injectmsg,
};

static ssize_t kfv_pair_sendmsg(struct kfid_ep *kfid_ep,
				const struct kfi_msg *msg, u64 flags)
{
	struct kfv_ep *ep = to_kfv_ep(kfid_ep);

	return kfv_send(ep, &ep->pair->sq, msg, flags, true);
}

static ssize_t kfv_pair_injectmsg(struct kfid_ep *kfid_ep,
				  const struct kfi_msg *msg, u64 flags)
{
	struct kfv_ep *ep = to_kfv_ep(kfid_ep);

	return kfv_send(ep, &ep->pair->sq, msg, flags, false);
}

/* Of an endpoint that has a queue pair for messages. */
const struct kfi_ops_msg kfv_pair_msg_ops = {
	.recv	= kfv_recvmsg,
	.send	= kfv_pair_sendmsg,
	.inject	= kfv_pair_injectmsg,
};

/* What was posted with KFI_MORE does not wait for what cannot follow. */
static ssize_t kfv_no_send(struct kfid_ep *ep, const struct kfi_msg *msg,
			   u64 flags)
{
	return kfv_tx_refuse(to_kfv_ep(ep), -EOPNOTSUPP);
}

/* Of a commit endpoint, whose queue pair's receives are the provider's. */
const struct kfi_ops_msg kfv_no_msg_ops = {
	.send	= kfv_no_send,
	.inject	= kfv_no_send,
};
