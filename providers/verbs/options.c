// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Options of endpoints.
 */

#include <linux/string.h>
#include <linux/workqueue.h>

#include "commit.h"
#include "ep.h"
#include "verbs.h"

#define kfv_opt_value(optval, optlen, value) \
	kfi_prov_getopt(optval, optlen, &(value), sizeof(value))

static int kfv_ep_get(struct kfv_ep *ep, int optname, void *optval,
		      size_t *optlen)
{
	struct kfi_commit_info info;
	size_t size;

	switch (optname) {
	case KFI_OPT_CM_DATA_SIZE:
		size = kfv_cm_req_room(ep);
		return kfv_opt_value(optval, optlen, size);
	case KFI_OPT_CONNECT_TIMEOUT:
		return kfv_opt_value(optval, optlen, ep->connect_ms);
	case KFI_OPT_COMMIT_TIMEOUT:
		return kfv_opt_value(optval, optlen, ep->commit_ms);
	case KFI_OPT_RMA_SEG_LIMIT:
		size = KFV_RMA_SEGS;
		return kfv_opt_value(optval, optlen, size);
	case KFI_OPT_CONN_PARAM:
		return kfv_opt_value(optval, optlen, ep->param);
	case KFI_OPT_COMMIT_INFO:
		kfv_commit_info(ep, &info);
		return kfv_opt_value(optval, optlen, info);
	case KFI_OPT_COMMIT_METHOD:
		if (!ep->commit)
			return -ENOPROTOOPT;
		return kfv_opt_value(optval, optlen, ep->commit_method);
	default:
		return -ENOPROTOOPT;
	}
}

static int kfv_ep_getopt(struct kfid *fid, int level, int optname,
			 void *optval, size_t *optlen)
{
	struct kfv_ep *ep = fid_to_kfv_ep(fid);
	int ret;

	if (level != KFI_OPT_ENDPOINT)
		return -ENOPROTOOPT;
	if (!optlen)
		return -EINVAL;
	if (!kfv_domain_get(ep->domain))
		return -ENODEV;
	mutex_lock(&ep->lock);
	ret = kfv_ep_get(ep, optname, optval, optlen);
	mutex_unlock(&ep->lock);
	kfv_domain_put(ep->domain);
	return ret;
}

/* Commits that are outstanding are looked at again with it. */
static int kfv_set_commit_ms(struct kfv_ep *ep, const void *optval,
			     size_t optlen)
{
	int ret;

	ret = kfi_prov_setopt_ms(&ep->commit_ms, false, optval, optlen);
	if (!ret && ep->commit)
		mod_delayed_work(kfv_wq, &ep->commit->timer, 0);
	return ret;
}

static int kfv_set_conn_param(struct kfv_ep *ep, bool late, const void *optval,
			      size_t optlen)
{
	const struct ib_device_attr *attrs = &ep->domain->ib->attrs;
	struct kfi_conn_param param;

	if (optlen != sizeof(param))
		return -EINVAL;
	memcpy(&param, optval, sizeof(param));
	if (param.initiator_depth > attrs->max_qp_init_rd_atom ||
	    param.responder_resources > attrs->max_qp_rd_atom ||
	    !param.responder_resources || param.retry_count > 7 ||
	    param.rnr_retry_count > 7 || param.min_rnr_timer > 31)
		return -EINVAL;
	if (late)
		return -KFI_EOPBADSTATE;
	kfv_ep_set_param(ep, &param);
	return 0;
}

static int kfv_ep_set(struct kfv_ep *ep, int optname, const void *optval,
		      size_t optlen)
{
	bool begun = kfv_ep_state(ep) != KFV_IDLE;

	switch (optname) {
	case KFI_OPT_CONNECT_TIMEOUT:
		return kfi_prov_setopt_ms(&ep->connect_ms, begun, optval,
					  optlen);
	case KFI_OPT_COMMIT_TIMEOUT:
		return kfv_set_commit_ms(ep, optval, optlen);
	case KFI_OPT_TX_HANDLER:
		return kfi_prov_setopt_tx_handler(&ep->tx.handler, ep->enabled,
						  optval, optlen);
	case KFI_OPT_CONN_PARAM:
		return kfv_set_conn_param(ep, begun, optval, optlen);
	case KFI_OPT_COMMIT_METHOD:
		if (!ep->commit)
			return -ENOPROTOOPT;
		return kfi_prov_setopt_method(&ep->commit_method, begun, optval,
					      optlen);
	default:
		return -ENOPROTOOPT;
	}
}

static int kfv_ep_setopt(struct kfid *fid, int level, int optname,
			 const void *optval, size_t optlen)
{
	struct kfv_ep *ep = fid_to_kfv_ep(fid);
	int ret;

	if (level != KFI_OPT_ENDPOINT)
		return -ENOPROTOOPT;
	if (!optval)
		return -EINVAL;
	if (!kfv_domain_get(ep->domain))
		return -ENODEV;
	mutex_lock(&ep->lock);
	ret = kfv_ep_set(ep, optname, optval, optlen);
	mutex_unlock(&ep->lock);
	kfv_domain_put(ep->domain);
	return ret;
}

const struct kfi_ops_ep kfv_ep_ops = {
	.getopt	= kfv_ep_getopt,
	.setopt	= kfv_ep_setopt,
	.ring	= kfv_ep_ring,
	.add_stats = kfv_ep_add_stats,
};
