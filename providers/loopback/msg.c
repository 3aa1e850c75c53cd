// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Messages.
 */

#include "ep.h"
#include "loopback.h"

static ssize_t lo_post_send(struct lo_ep *ep, const struct kfi_msg *msg,
			    u64 flags, bool quiet)
{
	struct lo_post post;
	size_t len;
	int ret;

	ret = kfi_check_send(&ep->limits, msg, flags, &len);
	if (ret)
		return lo_tx_refuse(ep, ret);
	post = (struct lo_post) {
		.desc = {
			.type = LO_SEND,
			.quiet = quiet,
			.flags = flags,
			.comp_flags = KFI_MSG | KFI_SEND,
			.context = msg->context,
			.len = len,
			.data = msg->data,
		},
		.type = msg->type,
		.iov = msg->msg_iov,
		.count = msg->iov_count,
		.seg_limit = LO_IOV_LIMIT,
	};
	return lo_tx_post(ep, &post);
}

static ssize_t lo_sendmsg(struct kfid_ep *ep, const struct kfi_msg *msg,
			  u64 flags)
{
	struct lo_ep *lo = lo_ep_of(&ep->fid);

	return lo_post_send(lo, msg, flags, lo_tx_quiet(lo, flags));
}

static ssize_t lo_inject(struct kfid_ep *ep, const struct kfi_msg *msg,
			 u64 flags)
{
	return lo_post_send(lo_ep_of(&ep->fid), msg, flags, true);
}

static ssize_t lo_recvmsg(struct kfid_ep *ep, const struct kfi_msg *msg,
			  u64 flags)
{
	struct lo_ep *lo = lo_ep_of(&ep->fid);
	size_t len;
	int ret;

	ret = kfi_check_recv(&lo->limits, msg, flags, &len);
	return ret ? ret : lo_rx_post(lo, msg, flags, len);
}

const struct kfi_ops_msg lo_msg_ops = {
	.recv	= lo_recvmsg,
	.send	= lo_sendmsg,
	.inject	= lo_inject,
};

/* What was posted with KFI_MORE does not wait for what cannot follow. */
static ssize_t lo_no_send(struct kfid_ep *ep, const struct kfi_msg *msg,
			  u64 flags)
{
	return lo_tx_refuse(lo_ep_of(&ep->fid), -EOPNOTSUPP);
}

/* Of a commit endpoint. */
const struct kfi_ops_msg lo_no_msg_ops = {
	.send	= lo_no_send,
	.inject	= lo_no_send,
};

/* The first receive at the peer gets the message, when there is one. */
int lo_exec_send(struct lo_ep *ep, struct lo_ep *peer, struct lo_op *op)
{
	const struct lo_desc *desc = &op->desc;
	struct kfi_comp comp = { .flags = KFI_MSG | KFI_RECV };
	struct lo_cursor from, to;
	struct lo_recv recv;
	int ret;

	ret = lo_rx_peek(peer, ep, &recv);
	if (ret)
		return ret;
	comp.op_context = recv.context;
	if (desc->len > recv.len) {
		comp.olen = desc->len - recv.len;
		comp.err = lo_errno(LO_TRUNCATED);
		comp.prov_errno = LO_TRUNCATED;
		lo_rx_complete(peer, &recv, &comp);
		return LO_REM_INVALID;
	}
	lo_op_cursor(ep, op, &from);
	lo_cursor_segs(&to, &peer->rx.segs, recv.seg);
	lo_copy(&to, &from, desc->len);
	comp.len = desc->len;
	if (desc->flags & KFI_REMOTE_CQ_DATA) {
		comp.flags |= KFI_REMOTE_CQ_DATA;
		comp.data = desc->data;
	}
	lo_rx_complete(peer, &recv, &comp);
	return LO_OK;
}
