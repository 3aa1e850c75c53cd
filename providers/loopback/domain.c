// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Domains.
 */

#include <linux/bits.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/numa.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "conn.h"
#include "ep.h"
#include "loopback.h"
#include "mem.h"

static int lo_domain_close(struct kfid *fid)
{
	struct lo_domain *domain =
		container_of(fid, struct lo_domain, domain.fid);

	if (!kfi_obj_close(fid))
		return -EBUSY;
	xa_destroy(&domain->mrs);
	kfi_obj_put(&domain->fabric->fabric.fid);
	kfree(domain);
	return 0;
}

static const struct kfi_ops lo_domain_fid_ops = {
	.owner	= THIS_MODULE,
	.close	= lo_domain_close,
};

static const struct kfi_ops_domain lo_domain_ops = {
	.cq_open	= lo_cq_open,
	.endpoint	= lo_ep_open,
};

int lo_domain_open(struct kfid_fabric *fabric, struct kfi_info *info,
		   struct kfid_domain **domain, void *context,
		   const char *owner)
{
	const struct kfi_domain_attr *attr;
	struct lo_domain *lo;

	if (!info || !domain)
		return -EINVAL;
	attr = info->domain_attr;
	if (attr && attr->name && strcmp(attr->name, LO_DOMAIN_NAME))
		return -ENODEV;

	lo = kzalloc_obj(*lo);
	if (!lo)
		return -ENOMEM;
	if (!kfi_obj_get(&fabric->fid)) {
		kfree(lo);
		return -EINVAL;
	}
	lo->fabric = container_of(fabric, struct lo_fabric, fabric);
	lo->scope = (struct kfi_scope) {
		.provider = &lo_provider,
		.domain = LO_DOMAIN_NAME,
		.owner = owner,
		.net = lo->fabric->net,
	};
	xa_init_flags(&lo->mrs, XA_FLAGS_ALLOC1);
	spin_lock_init(&lo->lock);
	INIT_LIST_HEAD(&lo->eps);
	lo->domain.ops = &lo_domain_ops;
	lo->domain.mr = &lo_mr_ops;
	lo->domain.numa_node = NUMA_NO_NODE;
	lo->domain.num_vectors = 1;
	kfi_obj_init(&lo->domain.fid, KFI_CLASS_DOMAIN, &lo_domain_fid_ops,
		     context);
	*domain = &lo->domain;
	return 0;
}

/* A persistent region is gone: no commit may succeed that could have named it. */
void lo_domain_fail(struct lo_domain *domain)
{
	struct lo_ep *ep;

	spin_lock(&domain->lock);
	list_for_each_entry(ep, &domain->eps, node)
		lo_conn_fail(ep->conn);
	spin_unlock(&domain->lock);
}

/* Whether the peer of a connection was told so, and may act on it. */
bool lo_domain_told(struct lo_domain *domain, enum kfi_commit_method method)
{
	bool told = false;
	struct lo_ep *ep;

	lockdep_assert_held(&domain->mrs.xa_lock);
	spin_lock(&domain->lock);
	list_for_each_entry(ep, &domain->eps, node) {
		if (ep->conn->memory[ep->side].methods & BIT(method) &&
		    !lo_conn_is_down(ep->conn))
			told = true;
	}
	spin_unlock(&domain->lock);
	return told;
}
