// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Options of an endpoint.
 */

#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include <kfi_errno.h>

#include "commit.h"
#include "conn.h"
#include "ep.h"
#include "loopback.h"

#define LO_MAX_RNR	31

#define lo_opt_value(optval, optlen, value) \
	kfi_prov_getopt(optval, optlen, &(value), sizeof(value))

static int lo_getopt(struct kfid *fid, int level, int optname, void *optval,
		     size_t *optlen)
{
	struct lo_ep *ep = lo_ep_of(fid);
	struct kfi_commit_info info;
	size_t size;

	if (level != KFI_OPT_ENDPOINT)
		return -ENOPROTOOPT;
	if (!optlen)
		return -EINVAL;
	switch (optname) {
	case KFI_OPT_CM_DATA_SIZE:
		size = KFI_CM_REQ_SIZE;
		if (ep->limits.commit)
			size -= LO_COMMIT_RECORD;
		return lo_opt_value(optval, optlen, size);
	case KFI_OPT_CONNECT_TIMEOUT:
		return lo_opt_value(optval, optlen, ep->connect_timeout);
	case KFI_OPT_COMMIT_TIMEOUT:
		return lo_opt_value(optval, optlen, ep->commit_timeout);
	case KFI_OPT_RMA_SEG_LIMIT:
		size = LO_RMA_SEG_LIMIT;
		return lo_opt_value(optval, optlen, size);
	case KFI_OPT_CONN_PARAM:
		return lo_opt_value(optval, optlen, ep->conn_param);
	case KFI_OPT_COMMIT_INFO:
		lo_commit_info(ep, &info);
		return lo_opt_value(optval, optlen, info);
	case KFI_OPT_COMMIT_METHOD:
		if (!ep->limits.commit)
			return -ENOPROTOOPT;
		return lo_opt_value(optval, optlen, ep->commit_method);
	default:
		return -ENOPROTOOPT;
	}
}

/* Too late for what the connection was made with. */
static bool lo_has_begun(const struct lo_ep *ep)
{
	return ep->conn && (ep->side == LO_ACTIVE || lo_conn_was_up(ep->conn));
}

static int lo_set_commit_timeout(struct lo_ep *ep, const void *optval,
				 size_t optlen)
{
	int ret;

	ret = kfi_prov_setopt_ms(&ep->commit_timeout, false, optval, optlen);
	if (!ret)
		lo_commits_look(ep->commits);
	return ret;
}

/* An end that answers cannot have more than the other one has offered. */
void lo_ep_set_param(struct lo_ep *ep, const struct kfi_conn_param *param)
{
	const struct kfi_conn_param *peer;

	ep->conn_param = *param;
	if (!ep->conn || ep->side != LO_PASSIVE)
		return;
	peer = &ep->conn->param;
	ep->conn_param.initiator_depth = min(param->initiator_depth,
					     peer->responder_resources);
	ep->conn_param.responder_resources =
		min_t(u8, param->responder_resources,
		      max_t(u8, peer->initiator_depth, 1));
	ep->conn_param.retry_count = peer->retry_count;
}

static int lo_set_conn_param(struct lo_ep *ep, const void *optval,
			     size_t optlen)
{
	struct kfi_conn_param param;

	if (optlen != sizeof(param))
		return -EINVAL;
	memcpy(&param, optval, sizeof(param));
	if (!param.responder_resources || param.retry_count > LO_FOR_EVER ||
	    param.rnr_retry_count > LO_FOR_EVER ||
	    param.min_rnr_timer > LO_MAX_RNR)
		return -EINVAL;
	if (lo_has_begun(ep))
		return -KFI_EOPBADSTATE;
	lo_ep_set_param(ep, &param);
	return 0;
}

static int lo_setopt(struct kfid *fid, int level, int optname,
		     const void *optval, size_t optlen)
{
	struct lo_ep *ep = lo_ep_of(fid);
	int ret;

	if (level != KFI_OPT_ENDPOINT)
		return -ENOPROTOOPT;
	if (!optval)
		return -EINVAL;
	mutex_lock(&ep->lock);
	switch (optname) {
	case KFI_OPT_CONNECT_TIMEOUT:
		ret = kfi_prov_setopt_ms(&ep->connect_timeout,
					 lo_has_begun(ep), optval, optlen);
		break;
	case KFI_OPT_COMMIT_TIMEOUT:
		ret = lo_set_commit_timeout(ep, optval, optlen);
		break;
	case KFI_OPT_TX_HANDLER:
		ret = kfi_prov_setopt_tx_handler(&ep->tx.handler, ep->enabled,
						 optval, optlen);
		break;
	case KFI_OPT_CONN_PARAM:
		ret = lo_set_conn_param(ep, optval, optlen);
		break;
	case KFI_OPT_COMMIT_METHOD:
		ret = -ENOPROTOOPT;
		if (ep->limits.commit)
			ret = kfi_prov_setopt_method(&ep->commit_method,
						     lo_has_begun(ep), optval,
						     optlen);
		break;
	default:
		ret = -ENOPROTOOPT;
	}
	mutex_unlock(&ep->lock);
	return ret;
}

const struct kfi_ops_ep lo_ep_ops = {
	.getopt	= lo_getopt,
	.setopt	= lo_setopt,
	.ring	= lo_ep_ring,
	.add_stats = lo_ep_add_stats,
};
