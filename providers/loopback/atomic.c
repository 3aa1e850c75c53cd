// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Atomic operations: 64 bits, atomic for the CPUs too.
 */

#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/string.h>

#include "ep.h"
#include "loopback.h"

static bool lo_type_valid(enum kfi_datatype datatype)
{
	return datatype == KFI_INT64 || datatype == KFI_UINT64;
}

static int lo_valid(bool valid, enum kfi_datatype datatype, size_t *count)
{
	if (!valid || !lo_type_valid(datatype))
		return -EOPNOTSUPP;
	if (count)
		*count = 1;
	return 0;
}

static int lo_writevalid(struct kfid_ep *ep, enum kfi_datatype datatype,
			 enum kfi_op op, size_t *count)
{
	return lo_valid(op == KFI_SUM, datatype, count);
}

static int lo_readwritevalid(struct kfid_ep *ep, enum kfi_datatype datatype,
			     enum kfi_op op, size_t *count)
{
	return lo_valid(op == KFI_SUM || op == KFI_ATOMIC_READ, datatype,
			count);
}

static int lo_compwritevalid(struct kfid_ep *ep, enum kfi_datatype datatype,
			     enum kfi_op op, size_t *count)
{
	return lo_valid(op == KFI_CSWAP, datatype, count);
}

/* An operation whose form was checked. */
static ssize_t lo_post_atomic(struct lo_ep *ep,
			      const struct kfi_msg_atomic *msg,
			      const struct kfi_ioc *compare,
			      const struct kfi_ioc *result, u64 flags,
			      bool quiet)
{
	const struct kfi_rma_iov range = {
		.addr = msg->rma_iov->addr, .len = sizeof(u64),
		.key = msg->rma_iov->key,
	};
	struct lo_post post = {
		.desc = {
			.type = LO_ATOMIC,
			.quiet = quiet,
			.flags = flags & ~KFI_INJECT,
			.comp_flags = KFI_ATOMIC |
				      (result ? KFI_READ : KFI_WRITE),
			.context = msg->context,
			.nr_ranges = 1,
			.atomic = msg->op,
			.result = result ? result->addr : NULL,
		},
		.ranges = &range,
		.type = KFI_KVEC,
		.reads = true,
	};

	if (msg->op != KFI_ATOMIC_READ)
		memcpy(&post.desc.operand, msg->msg_iov->addr, sizeof(u64));
	if (compare)
		memcpy(&post.desc.compare, compare->addr, sizeof(u64));
	return lo_tx_post(ep, &post);
}

static ssize_t lo_write(struct lo_ep *ep, const struct kfi_msg_atomic *msg,
			u64 flags, bool quiet)
{
	int ret;

	ret = kfi_check_atomic(msg, flags);
	if (!ret)
		ret = lo_writevalid(&ep->ep, msg->datatype, msg->op, NULL);
	if (ret)
		return lo_tx_refuse(ep, ret);
	return lo_post_atomic(ep, msg, NULL, NULL, flags, quiet);
}

static ssize_t lo_atomic_write(struct kfid_ep *ep,
			       const struct kfi_msg_atomic *msg, u64 flags)
{
	struct lo_ep *lo = lo_ep_of(&ep->fid);

	return lo_write(lo, msg, flags, lo_tx_quiet(lo, flags));
}

static ssize_t lo_atomic_inject(struct kfid_ep *ep,
				const struct kfi_msg_atomic *msg, u64 flags)
{
	return lo_write(lo_ep_of(&ep->fid), msg, flags, true);
}

static ssize_t lo_atomic_readwrite(struct kfid_ep *ep,
				   const struct kfi_msg_atomic *msg,
				   struct kfi_ioc *resultv, void **result_desc,
				   size_t result_count, u64 flags)
{
	struct lo_ep *lo = lo_ep_of(&ep->fid);
	int ret;

	ret = kfi_check_atomic(msg, flags);
	if (!ret)
		ret = kfi_check_operand(resultv, result_count);
	if (!ret)
		ret = lo_readwritevalid(ep, msg->datatype, msg->op, NULL);
	if (ret)
		return lo_tx_refuse(lo, ret);
	return lo_post_atomic(lo, msg, NULL, resultv, flags,
			      lo_tx_quiet(lo, flags));
}

static ssize_t lo_atomic_compwrite(struct kfid_ep *ep,
				   const struct kfi_msg_atomic *msg,
				   const struct kfi_ioc *comparev,
				   void **compare_desc, size_t compare_count,
				   struct kfi_ioc *resultv, void **result_desc,
				   size_t result_count, u64 flags)
{
	struct lo_ep *lo = lo_ep_of(&ep->fid);
	int ret;

	ret = kfi_check_atomic(msg, flags);
	if (!ret)
		ret = kfi_check_operand(comparev, compare_count);
	if (!ret)
		ret = kfi_check_operand(resultv, result_count);
	if (!ret)
		ret = lo_compwritevalid(ep, msg->datatype, msg->op, NULL);
	if (ret)
		return lo_tx_refuse(lo, ret);
	return lo_post_atomic(lo, msg, comparev, resultv, flags,
			      lo_tx_quiet(lo, flags));
}

const struct kfi_ops_atomic lo_atomic_ops = {
	.write		= lo_atomic_write,
	.inject		= lo_atomic_inject,
	.readwrite	= lo_atomic_readwrite,
	.compwrite	= lo_atomic_compwrite,
	.writevalid	= lo_writevalid,
	.readwritevalid	= lo_readwritevalid,
	.compwritevalid	= lo_compwritevalid,
};

/* What was posted with KFI_MORE does not wait for what cannot follow. */
static ssize_t lo_no_write(struct kfid_ep *ep, const struct kfi_msg_atomic *msg,
			   u64 flags)
{
	return lo_tx_refuse(lo_ep_of(&ep->fid), -EOPNOTSUPP);
}

static ssize_t lo_no_readwrite(struct kfid_ep *ep,
			       const struct kfi_msg_atomic *msg,
			       struct kfi_ioc *resultv, void **result_desc,
			       size_t result_count, u64 flags)
{
	return lo_tx_refuse(lo_ep_of(&ep->fid), -EOPNOTSUPP);
}

static ssize_t lo_no_compwrite(struct kfid_ep *ep,
			       const struct kfi_msg_atomic *msg,
			       const struct kfi_ioc *comparev,
			       void **compare_desc, size_t compare_count,
			       struct kfi_ioc *resultv, void **result_desc,
			       size_t result_count, u64 flags)
{
	return lo_tx_refuse(lo_ep_of(&ep->fid), -EOPNOTSUPP);
}

/* Of an endpoint that was not opened for them. */
const struct kfi_ops_atomic lo_no_atomic_ops = {
	.write		= lo_no_write,
	.inject		= lo_no_write,
	.readwrite	= lo_no_readwrite,
	.compwrite	= lo_no_compwrite,
};

static u64 lo_atomic_do(const struct lo_desc *desc, atomic64_t *target)
{
	switch (desc->atomic) {
	case KFI_SUM:
		return atomic64_fetch_add(desc->operand, target);
	case KFI_CSWAP:
		return atomic64_cmpxchg(target, desc->compare, desc->operand);
	default:
		return atomic64_read(target);
	}
}

int lo_exec_atomic(struct lo_ep *peer, struct lo_op *op)
{
	const struct lo_desc *desc = &op->desc;
	struct lo_cursor remote;
	int ret = LO_REM_INVALID;
	struct lo_mr *mr;
	void *target;
	u64 before;

	mr = lo_mr_begin(peer->domain, op->ranges,
			 KFI_REMOTE_READ | KFI_REMOTE_WRITE);
	if (!mr)
		return LO_REM_ACCESS;
	lo_mr_cursor(mr, op->ranges->addr, &remote);
	target = lo_cursor_map(&remote);
	/* A region of odd pieces has no eight bytes in a row everywhere. */
	if (lo_cursor_room(&remote) >= sizeof(u64) &&
	    IS_ALIGNED((unsigned long)target, sizeof(u64))) {
		before = lo_atomic_do(desc, target);
		if (desc->result)
			memcpy(desc->result, &before, sizeof(before));
		ret = LO_OK;
	}
	lo_cursor_unmap(&remote, target);
	lo_mr_end(mr);
	return ret;
}
