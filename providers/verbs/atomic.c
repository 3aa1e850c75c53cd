// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Atomic operations: 64 bits, as RDMA devices have them.
 */

#include <linux/string.h>

#include "ep.h"
#include "post.h"
#include "verbs.h"

static int kfv_atomic_valid(enum kfi_datatype datatype, enum kfi_op op,
			    enum kfi_op one, enum kfi_op other)
{
	if (datatype != KFI_INT64 && datatype != KFI_UINT64)
		return -EOPNOTSUPP;
	return op == one || op == other ? 0 : -EOPNOTSUPP;
}

/* Reading is adding nothing. The value before is in the slot's buffer first. */
static int kfv_atomic_build(struct kfv_post *post,
			    const struct kfi_msg_atomic *msg,
			    const u64 *compare, u64 *result)
{
	bool swap = msg->op == KFI_CSWAP;
	u64 operand = 0, compare_add;
	int ret;

	if (msg->op != KFI_ATOMIC_READ)
		memcpy(&operand, msg->msg_iov->addr, sizeof(operand));
	memcpy(&compare_add, swap ? compare : &operand, sizeof(compare_add));
	ret = kfv_tx_next(post, swap ? IB_WR_ATOMIC_CMP_AND_SWP :
				       IB_WR_ATOMIC_FETCH_AND_ADD);
	if (ret)
		return ret;
	post->wr->atomic.remote_addr = msg->rma_iov->addr;
	post->wr->atomic.rkey = lower_32_bits(msg->rma_iov->key);
	post->wr->atomic.compare_add = compare_add;
	post->wr->atomic.swap = operand;
	ret = kfv_wr_map_buf(post, post->op->buf, sizeof(u64), DMA_FROM_DEVICE);
	if (!ret)
		post->op->result = result;
	return ret;
}

static int kfv_atomic_post(struct kfv_ep *ep, const struct kfi_msg_atomic *msg,
			   const u64 *compare, u64 *result, u64 flags,
			   bool report)
{
	u64 comp_flags = KFI_ATOMIC | (result ? KFI_READ : KFI_WRITE);
	struct kfv_post post;
	int ret;

	ret = kfv_tx_begin(&post, ep, &ep->tx.sq, flags);
	if (ret)
		return ret;
	ret = -EOPNOTSUPP;
	if (ep->depth)
		ret = kfv_atomic_build(&post, msg, compare, result);
	if (ret)
		return kfv_tx_abort(&post, ret);
	kfv_tx_count(ep, KFI_STAT_ATOMIC, sizeof(u64), flags);
	kfv_tx_end(&post, msg->context, comp_flags, flags, report);
	return 0;
}

/* An operation that @check, the outcome of looking at it, says is good. */
static ssize_t kfv_atomic(struct kfid_ep *kfid_ep, int check,
			  const struct kfi_msg_atomic *msg,
			  const struct kfi_ioc *compare,
			  const struct kfi_ioc *result, u64 flags, bool report)
{
	struct kfv_ep *ep = to_kfv_ep(kfid_ep);
	unsigned long irq;
	int ret = check;

	if (!ret) {
		spin_lock_irqsave(&ep->tx.lock, irq);
		ret = kfv_atomic_post(ep, msg, compare ? compare->addr : NULL,
				      result ? result->addr : NULL, flags,
				      report);
		spin_unlock_irqrestore(&ep->tx.lock, irq);
	}
	return unlikely(ret) ? kfv_tx_refuse(ep, ret) : 0;
}

static int kfv_writevalid(struct kfid_ep *ep, enum kfi_datatype datatype,
			  enum kfi_op op, size_t *count)
{
	if (count)
		*count = 1;
	return kfv_atomic_valid(datatype, op, KFI_SUM, KFI_SUM);
}

static int kfv_readwritevalid(struct kfid_ep *ep, enum kfi_datatype datatype,
			      enum kfi_op op, size_t *count)
{
	if (count)
		*count = 1;
	return kfv_atomic_valid(datatype, op, KFI_SUM, KFI_ATOMIC_READ);
}

static int kfv_compwritevalid(struct kfid_ep *ep, enum kfi_datatype datatype,
			      enum kfi_op op, size_t *count)
{
	if (count)
		*count = 1;
	return kfv_atomic_valid(datatype, op, KFI_CSWAP, KFI_CSWAP);
}

static ssize_t kfv_atomic_base(struct kfid_ep *ep,
			       const struct kfi_msg_atomic *msg, u64 flags,
			       bool report)
{
	int ret;

	ret = kfi_check_atomic(msg, flags);
	if (!ret)
		ret = kfv_writevalid(ep, msg->datatype, msg->op, NULL);
	return kfv_atomic(ep, ret, msg, NULL, NULL, flags, report);
}

static ssize_t kfv_atomic_write(struct kfid_ep *ep,
				const struct kfi_msg_atomic *msg, u64 flags)
{
	return kfv_atomic_base(ep, msg, flags, true);
}

static ssize_t kfv_atomic_inject(struct kfid_ep *ep,
				 const struct kfi_msg_atomic *msg, u64 flags)
{
	return kfv_atomic_base(ep, msg, flags, false);
}

static ssize_t kfv_atomic_readwrite(struct kfid_ep *ep,
				    const struct kfi_msg_atomic *msg,
				    struct kfi_ioc *resultv, void **result_desc,
				    size_t result_count, u64 flags)
{
	int ret;

	ret = kfi_check_atomic(msg, flags);
	if (!ret)
		ret = kfi_check_operand(resultv, result_count);
	if (!ret)
		ret = kfv_readwritevalid(ep, msg->datatype, msg->op, NULL);
	return kfv_atomic(ep, ret, msg, NULL, resultv, flags, true);
}

static ssize_t kfv_atomic_compwrite(struct kfid_ep *ep,
				    const struct kfi_msg_atomic *msg,
				    const struct kfi_ioc *comparev,
				    void **compare_desc, size_t compare_count,
				    struct kfi_ioc *resultv, void **result_desc,
				    size_t result_count, u64 flags)
{
	int ret;

	ret = kfi_check_atomic(msg, flags);
	if (!ret)
		ret = kfi_check_operand(comparev, compare_count);
	if (!ret)
		ret = kfi_check_operand(resultv, result_count);
	if (!ret)
		ret = kfv_compwritevalid(ep, msg->datatype, msg->op, NULL);
	return kfv_atomic(ep, ret, msg, comparev, resultv, flags, true);
}

const struct kfi_ops_atomic kfv_atomic_ops = {
	.write		= kfv_atomic_write,
	.inject		= kfv_atomic_inject,
	.readwrite	= kfv_atomic_readwrite,
	.compwrite	= kfv_atomic_compwrite,
	.writevalid	= kfv_writevalid,
	.readwritevalid	= kfv_readwritevalid,
	.compwritevalid	= kfv_compwritevalid,
};

/* What was posted with KFI_MORE does not wait for what cannot follow. */
static ssize_t kfv_no_write(struct kfid_ep *ep,
			    const struct kfi_msg_atomic *msg, u64 flags)
{
	return kfv_tx_refuse(to_kfv_ep(ep), -EOPNOTSUPP);
}

static ssize_t kfv_no_readwrite(struct kfid_ep *ep,
				const struct kfi_msg_atomic *msg,
				struct kfi_ioc *resultv, void **result_desc,
				size_t result_count, u64 flags)
{
	return kfv_tx_refuse(to_kfv_ep(ep), -EOPNOTSUPP);
}

static ssize_t kfv_no_compwrite(struct kfid_ep *ep,
				const struct kfi_msg_atomic *msg,
				const struct kfi_ioc *comparev,
				void **compare_desc, size_t compare_count,
				struct kfi_ioc *resultv, void **result_desc,
				size_t result_count, u64 flags)
{
	return kfv_tx_refuse(to_kfv_ep(ep), -EOPNOTSUPP);
}

/* Of an endpoint that was not opened for them. */
const struct kfi_ops_atomic kfv_no_atomic_ops = {
	.write		= kfv_no_write,
	.inject		= kfv_no_write,
	.readwrite	= kfv_no_readwrite,
	.compwrite	= kfv_no_compwrite,
};
