// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reads and writes.
 */

#include <linux/overflow.h>

#include "commit.h"
#include "ep.h"
#include "loopback.h"

/* On a wire, a raw endpoint finds out by reading whether data has arrived. */
static bool lo_delivers(const struct lo_ep *ep, u64 flags)
{
	return flags & KFI_DELIVERY_COMPLETE && !ep->limits.commit;
}

static ssize_t lo_post_rma(struct lo_ep *ep, const struct kfi_msg_rma *msg,
			   u64 flags, enum lo_op_type type, bool quiet)
{
	bool write = type == LO_WRITE;
	struct lo_post post;
	size_t len;
	int ret;

	ret = kfi_check_rma(&ep->limits, msg, flags,
			    write ? KFI_WRITE_FLAGS : KFI_READ_FLAGS, &len);
	if (ret)
		return lo_tx_refuse(ep, ret);
	post = (struct lo_post) {
		.desc = {
			.type = type,
			.quiet = quiet,
			.flags = flags,
			.comp_flags = KFI_RMA | (write ? KFI_WRITE : KFI_READ),
			.context = msg->context,
			.len = len,
			.data = msg->data,
			.nr_ranges = msg->rma_iov_count,
		},
		.ranges = msg->rma_iov,
		.type = msg->type,
		.iov = msg->msg_iov,
		.count = msg->iov_count,
		.seg_limit = LO_RMA_SEG_LIMIT,
		.reads = !write || lo_delivers(ep, flags),
	};
	return lo_tx_post(ep, &post);
}

static ssize_t lo_readmsg(struct kfid_ep *ep, const struct kfi_msg_rma *msg,
			  u64 flags)
{
	struct lo_ep *lo = lo_ep_of(&ep->fid);

	return lo_post_rma(lo, msg, flags, LO_READ, lo_tx_quiet(lo, flags));
}

static ssize_t lo_writemsg(struct kfid_ep *ep, const struct kfi_msg_rma *msg,
			   u64 flags)
{
	struct lo_ep *lo = lo_ep_of(&ep->fid);

	return lo_post_rma(lo, msg, flags, LO_WRITE, lo_tx_quiet(lo, flags));
}

/* Without a completion there is nobody to say that it has come so far. */
static ssize_t lo_inject_write(struct kfid_ep *ep,
			       const struct kfi_msg_rma *msg, u64 flags)
{
	if (flags & (KFI_DELIVERY_COMPLETE | KFI_COMMIT_COMPLETE))
		return lo_tx_refuse(lo_ep_of(&ep->fid), -EOPNOTSUPP);
	return lo_post_rma(lo_ep_of(&ep->fid), msg, flags, LO_WRITE, true);
}

const struct kfi_ops_rma lo_rma_ops = {
	.read	= lo_readmsg,
	.write	= lo_writemsg,
	.inject	= lo_inject_write,
};

/* One remote range, whole or not at all. */
static int lo_copy_range(struct lo_domain *domain,
			 const struct kfi_rma_iov *range, u64 rights,
			 struct lo_cursor *local, bool write)
{
	struct lo_cursor remote;
	struct lo_mr *mr;

	/* Nothing is reached, so nothing is asked: as on a wire. */
	if (!range->len)
		return LO_OK;
	mr = lo_mr_begin(domain, range, rights);
	if (!mr)
		return LO_REM_ACCESS;
	lo_mr_cursor(mr, range->addr, &remote);
	if (write)
		lo_copy(&remote, local, range->len);
	else
		lo_copy(local, &remote, range->len);
	lo_mr_end(mr);
	return LO_OK;
}

static int lo_copy_ranges(struct lo_ep *ep, struct lo_ep *peer,
			  struct lo_op *op, u64 rights)
{
	struct lo_cursor local;
	int ret = LO_OK;
	u32 i;

	/* Without payload it is about what was written before. */
	if (!op->desc.len)
		return LO_OK;
	lo_op_cursor(ep, op, &local);
	for (i = 0; i < op->desc.nr_ranges && !ret; i++)
		ret = lo_copy_range(peer->domain, &op->ranges[i], rights,
				    &local, op->desc.type == LO_WRITE);
	return ret;
}

int lo_exec_read(struct lo_ep *ep, struct lo_ep *peer, struct lo_op *op)
{
	return lo_copy_ranges(ep, peer, op, KFI_REMOTE_READ);
}

static int lo_exec_commit(struct lo_ep *ep, struct lo_ep *peer,
			  struct lo_op *op)
{
	int ret = LO_OK;

	/* What is injected travels in the request, and is stored in its turn. */
	if (!(op->desc.flags & KFI_INJECT))
		ret = lo_copy_ranges(ep, peer, op, KFI_REMOTE_WRITE);
	return ret ? ret : lo_commit_add(ep, peer, op);
}

/* Whether the last byte of a range could be read. */
static int lo_read_byte(struct lo_ep *peer, const struct kfi_rma_iov *range)
{
	struct kfi_rma_iov last = *range;
	struct lo_mr *mr;

	if (!last.len)
		return LO_OK;
	last.addr += last.len - 1;
	last.len = 1;
	mr = lo_mr_begin(peer->domain, &last, KFI_REMOTE_READ);
	if (!mr)
		return LO_REM_ACCESS;
	lo_mr_end(mr);
	return LO_OK;
}

/* On a wire, a read of the last byte that there is. */
static int lo_read_back(struct lo_ep *peer, const struct lo_op *op)
{
	u32 i, last = 0;

	for (i = 0; i < op->desc.nr_ranges; i++)
		if (op->ranges[i].len)
			last = i;
	return lo_read_byte(peer, &op->ranges[last]);
}

/* What is visible is persistent; on a wire, each region is read from. */
static int lo_read_commit(struct lo_ep *peer, const struct lo_op *op)
{
	int ret = LO_OK;
	u32 i;

	for (i = 0; i < op->desc.nr_ranges && !ret; i++)
		ret = lo_read_byte(peer, &op->ranges[i]);
	return ret;
}

/* What the target is told: bytes of all ranges, written now or before. */
static size_t lo_op_reach(const struct lo_op *op)
{
	size_t len = 0;
	u32 i;

	for (i = 0; i < op->desc.nr_ranges; i++)
		len = size_add(len, op->ranges[i].len);
	return len;
}

/* Data for the peer's queue needs room there before anything is written. */
int lo_exec_write(struct lo_ep *ep, struct lo_ep *peer, struct lo_op *op)
{
	const struct lo_desc *desc = &op->desc;
	bool data = desc->flags & KFI_REMOTE_CQ_DATA;
	bool commit = ep->limits.commit;
	struct lo_recv recv;
	int ret = LO_OK;

	if (data)
		ret = commit ? lo_rx_take(peer, ep) :
			       lo_rx_peek(peer, ep, &recv);
	if (ret)
		return ret;
	if (desc->flags & KFI_COMMIT && !lo_commits_by_read(ep, desc->flags))
		ret = lo_exec_commit(ep, peer, op);
	else
		ret = lo_copy_ranges(ep, peer, op, KFI_REMOTE_WRITE);
	if (!ret && lo_delivers(ep, desc->flags))
		ret = lo_read_back(peer, op);
	if (!ret && lo_commits_by_read(ep, desc->flags))
		ret = lo_read_commit(peer, op);
	if (!data || ret == -EINPROGRESS)
		return ret;
	if (!ret && commit)
		lo_rx_data(peer, desc->data, lo_op_reach(op), NULL);
	else if (!ret)
		lo_rx_data(peer, desc->data, desc->len, &recv);
	else if (commit)
		lo_rx_untake(peer);
	return ret;
}
