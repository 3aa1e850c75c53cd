// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Fabrics.
 */

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include <rdma/ib_cm.h>

#include "cm.h"
#include "verbs.h"

const char *kfv_eq_strerror(int prov_errno)
{
	if (prov_errno & KFV_ERR_EVENT)
		return ib_event_msg(prov_errno & ~KFV_ERR_EVENT);
	return prov_errno ? ibcm_reject_msg(prov_errno) : "no detail";
}

static int kfv_eq_open(struct kfid_fabric *fabric, struct kfi_eq_attr *attr,
		       struct kfid_eq **eq, kfi_event_handler handler,
		       void *context)
{
	return kfi_prov_eq_open(fabric, attr, kfv_eq_strerror, eq, handler,
				context);
}

static const struct kfi_ops_fabric kfv_fabric_ops = {
	.domain		= kfv_domain_open,
	.passive_ep	= kfv_pep_open,
	.eq_open	= kfv_eq_open,
};

static int kfv_fabric_close(struct kfid *fid)
{
	struct kfv_fabric *fabric = container_of(fid, struct kfv_fabric,
						 fabric.fid);

	if (!kfi_obj_close(fid))
		return -EBUSY;
	put_net(fabric->net);
	kfree(fabric);
	kfi_provider_put(&kfv_provider);
	return 0;
}

static const struct kfi_ops kfv_fabric_fid_ops = {
	.owner	= THIS_MODULE,
	.close	= kfv_fabric_close,
};

int kfv_fabric_open(struct kfi_fabric_attr *attr, struct kfid_fabric **pfabric,
		    void *context)
{
	struct kfv_fabric *fabric;

	if (strlen(attr->name) >= sizeof(fabric->name))
		return -EINVAL;
	fabric = kzalloc_obj(*fabric);
	if (!fabric)
		return -ENOMEM;
	strscpy(fabric->name, attr->name, sizeof(fabric->name));
	fabric->net = get_net(attr->net ? attr->net : &init_net);
	fabric->fabric.ops = &kfv_fabric_ops;
	fabric->fabric.api_version = attr->api_version;
	kfi_obj_init(&fabric->fabric.fid, KFI_CLASS_FABRIC, &kfv_fabric_fid_ops,
		     context);
	*pfabric = &fabric->fabric;
	return 0;
}
