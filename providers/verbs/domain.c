// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Domains: a protection domain of a device.
 */

#include <linux/device.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/net_namespace.h>

#include "ep.h"
#include "flush.h"
#include "verbs.h"

void kfv_domain_put(struct kfv_domain *domain)
{
	if (refcount_dec_and_test(&domain->active))
		complete(&domain->inactive);
}

/*
 * Destroys what was made of the device. Endpoints and regions that are closed at
 * the same time either are done with it before, or wait for @gone.
 */
void kfv_domain_remove(struct kfv_domain *domain)
{
	struct kfv_ep *ep;
	struct kfv_mr *mr;

	kfv_domain_put(domain);
	wait_for_completion(&domain->inactive);

	/*
	 * Nobody closes now, and what is in the lists stays there; they grow no
	 * more either.
	 */
	list_for_each_entry(ep, &domain->eps, node)
		kfv_ep_remove(ep);
	list_for_each_entry(mr, &domain->mrs, node)
		kfv_mr_kill(mr);
	kfv_registrar_destroy(&domain->registrar);
	ib_dealloc_pd(domain->pd);
	WRITE_ONCE(domain->domain.dma_device, NULL);
	complete_all(&domain->gone);
}

static int kfv_domain_close(struct kfid *fid)
{
	struct kfv_domain *domain = container_of(fid, struct kfv_domain,
						 domain.fid);
	struct kfv_device *dev = domain->dev;
	bool ours;

	if (!kfi_obj_close(fid))
		return -EBUSY;
	mutex_lock(&dev->lock);
	ours = !list_empty(&domain->node);
	list_del_init(&domain->node);
	mutex_unlock(&dev->lock);
	if (ours)
		kfv_domain_remove(domain);
	else
		wait_for_completion(&domain->gone);
	kfi_obj_put(&domain->fabric->fabric.fid);
	kfv_device_put(dev);
	xa_destroy(&domain->pmem);
	put_device(domain->dma_device);
	kfree(domain);
	return 0;
}

static const struct kfi_ops kfv_domain_fid_ops = {
	.owner	= THIS_MODULE,
	.close	= kfv_domain_close,
};

static const struct kfi_ops_domain kfv_domain_ops = {
	.cq_open	= kfv_cq_open,
	.endpoint	= kfv_ep_open,
};

static const struct kfi_ops_mr kfv_domain_mr_ops = {
	.regattr	= kfv_mr_regattr,
};

/* The port of @dev that is part of @fabric. */
static int kfv_find_port(struct kfv_device *dev, struct kfv_fabric *fabric,
			 struct ib_port_attr *attr, u32 *found)
{
	struct kfv_offer *offer;
	int ret = -ENODEV;
	u32 port;

	offer = kmalloc_obj(*offer);
	if (!offer)
		return -ENOMEM;
	rdma_for_each_port(dev->ib, port) {
		if (kfv_query_port(dev->ib, port, attr))
			continue;
		if (kfv_offer_init(offer, dev->ib, port, attr,
				   KFI_KIND_RAW))
			continue;
		if (!strcmp(offer->fabric_name, fabric->name)) {
			*found = port;
			ret = 0;
			break;
		}
	}
	kfree(offer);
	return ret;
}

static struct kfv_device *kfv_find_device(const char *name, struct net *net)
{
	struct kfv_device *dev = NULL;
	bool found = false;

	while (!found && (dev = kfv_device_next(dev))) {
		mutex_lock(&dev->lock);
		found = !dev->gone && !strcmp(dev_name(&dev->ib->dev), name) &&
			rdma_dev_access_netns(dev->ib, net);
		mutex_unlock(&dev->lock);
	}
	return dev;
}

static void kfv_domain_init(struct kfv_domain *domain,
			    struct kfv_fabric *fabric, struct kfv_device *dev,
			    const char *name, const char *owner, void *context)
{
	domain->fabric = fabric;
	domain->dev = dev;
	domain->ib = dev->ib;
	domain->owner = owner;
	strscpy(domain->name, name, sizeof(domain->name));
	domain->scope = (struct kfi_scope) {
		.provider = &kfv_provider,
		.domain = domain->name,
		.owner = owner,
		.net = fabric->net,
	};
	refcount_set(&domain->active, 1);
	init_completion(&domain->inactive);
	init_completion(&domain->gone);
	mutex_init(&domain->lock);
	INIT_LIST_HEAD(&domain->eps);
	INIT_LIST_HEAD(&domain->mrs);
	xa_init(&domain->pmem);
	kfv_registrar_init(&domain->registrar);

	domain->domain.ops = &kfv_domain_ops;
	domain->domain.mr = &kfv_domain_mr_ops;
	kfi_obj_init(&domain->domain.fid, KFI_CLASS_DOMAIN, &kfv_domain_fid_ops,
		     context);
}

/* Under the device's lock, which keeps it there. */
static int kfv_domain_attach(struct kfv_domain *domain)
{
	struct kfv_device *dev = domain->dev;
	struct ib_pd *pd;
	int ret;

	if (dev->gone)
		return -ENODEV;
	ret = kfv_find_port(dev, domain->fabric, &domain->attr, &domain->port);
	if (ret)
		return ret;
	pd = __ib_alloc_pd(dev->ib, 0, domain->owner);
	if (IS_ERR(pd))
		return PTR_ERR(pd);
	domain->pd = pd;
	domain->dma_device = get_device(dev->ib->dma_device);
	domain->domain.dma_device = domain->dma_device;
	domain->domain.numa_node = ibdev_to_node(dev->ib);
	domain->domain.num_vectors = max(dev->ib->num_comp_vectors, 1);
	list_add_tail(&domain->node, &dev->domains);
	return 0;
}

int kfv_domain_open(struct kfid_fabric *kfid_fabric, struct kfi_info *info,
		    struct kfid_domain **pdomain, void *context,
		    const char *owner)
{
	struct kfv_fabric *fabric = to_kfv_fabric(kfid_fabric);
	struct kfv_domain *domain;
	struct kfv_device *dev;
	int ret;

	if (!info || !pdomain || !info->domain_attr || !info->domain_attr->name)
		return -EINVAL;
	dev = kfv_find_device(info->domain_attr->name, fabric->net);
	if (!dev)
		return -ENODEV;
	ret = -ENOMEM;
	domain = kzalloc_obj(*domain);
	if (!domain)
		goto err_dev;
	kfv_domain_init(domain, fabric, dev, info->domain_attr->name, owner,
			context);
	ret = -EINVAL;
	if (!kfi_obj_get(&kfid_fabric->fid))
		goto err_free;

	mutex_lock(&dev->lock);
	ret = kfv_domain_attach(domain);
	mutex_unlock(&dev->lock);
	if (ret)
		goto err_fabric;
	kfv_flush_test(domain);
	*pdomain = &domain->domain;
	return 0;

err_fabric:
	kfi_obj_put(&kfid_fabric->fid);
err_free:
	kfree(domain);
err_dev:
	kfv_device_put(dev);
	return ret;
}
