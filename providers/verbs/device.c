// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * RDMA devices: which there are, and what happens when one goes.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cc_platform.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <rdma/ib_cache.h>

#include <trace/events/kfi.h>

#include "verbs.h"

/* protects the list of devices */
static DEFINE_MUTEX(kfv_devices_lock);
static LIST_HEAD(kfv_devices);

static void kfv_device_free(struct kref *kref)
{
	kfree(container_of(kref, struct kfv_device, kref));
}

void kfv_device_put(struct kfv_device *dev)
{
	kref_put(&dev->kref, kfv_device_free);
}

/*
 * The device after @dev, whose reference is dropped, or the first one. A device
 * that was removed meanwhile ends the walk.
 */
struct kfv_device *kfv_device_next(struct kfv_device *dev)
{
	struct kfv_device *next = NULL;

	mutex_lock(&kfv_devices_lock);
	if (!dev)
		next = list_first_entry_or_null(&kfv_devices, struct kfv_device,
						node);
	else if (!list_empty(&dev->node) &&
		 !list_is_last(&dev->node, &kfv_devices))
		next = list_next_entry(dev, node);
	if (next)
		kref_get(&next->kref);
	mutex_unlock(&kfv_devices_lock);
	if (dev)
		kfv_device_put(dev);
	return next;
}

/* The device that stands for @ib, with a reference, or NULL. */
struct kfv_device *kfv_device_get(struct ib_device *ib)
{
	struct kfv_device *dev;

	mutex_lock(&kfv_devices_lock);
	list_for_each_entry(dev, &kfv_devices, node) {
		if (dev->ib == ib) {
			kref_get(&dev->kref);
			goto out;
		}
	}
	dev = NULL;
out:
	mutex_unlock(&kfv_devices_lock);
	return dev;
}

/*
 * What an offer needs to know of an active port, for the handlers of the connection
 * manager: some drivers take the RTNL lock to answer ib_query_port(), and who has
 * it may be waiting for a handler.
 */
int kfv_device_port(const struct kfv_device *dev, u32 port,
		    struct ib_port_attr *attr)
{
	union ib_gid gid = { };
	int ret = 0;

	if (!rdma_ib_or_roce(dev->ib, port))
		return -ENODATA;
	if (!rdma_protocol_roce(dev->ib, port))
		ret = rdma_query_gid(dev->ib, port, 0, &gid);
	memset(attr, 0, sizeof(*attr));
	attr->max_msg_sz = dev->max_msg_sz[port];
	attr->subnet_prefix = be64_to_cpu(gid.global.subnet_prefix);
	return ret;
}

static int kfv_device_query(struct kfv_device *dev)
{
	struct ib_port_attr attr;
	int ret;
	u32 port;

	rdma_for_each_port(dev->ib, port) {
		ret = ib_query_port(dev->ib, port, &attr);
		if (ret)
			return ret;
		dev->max_msg_sz[port] = attr.max_msg_sz;
	}
	return 0;
}

static bool kfv_device_usable(struct ib_device *ib)
{
	u32 port;

	if (!(ib->attrs.device_cap_flags & IB_DEVICE_MEM_MGT_EXTENSIONS)) {
		pr_debug("%s: not used: it does not register memory by a work request\n",
			 dev_name(&ib->dev));
		return false;
	}
	/*
	 * Regions and the buffers of commits are mapped as long as they live, and
	 * nobody copies to and from a bounce buffer (__ib_umem_get_va() refuses it too).
	 */
	if (!ib_uses_virt_dma(ib) &&
	    cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT)) {
		pr_info("%s: not used: the DMA of a confidential guest is bounced\n",
			dev_name(&ib->dev));
		return false;
	}
	rdma_for_each_port(ib, port)
		if (rdma_ib_or_roce(ib, port))
			return true;
	pr_debug("%s: not used: neither InfiniBand nor RoCE\n",
		 dev_name(&ib->dev));
	return false;
}

static int kfv_device_add(struct ib_device *ib)
{
	struct kfv_device *dev;
	int ret;

	if (!kfv_device_usable(ib))
		return -EOPNOTSUPP;
	dev = kzalloc_flex(*dev, max_msg_sz, rdma_end_port(ib) + 1);
	if (!dev)
		return -ENOMEM;
	dev->ib = ib;
	ret = kfv_device_query(dev);
	if (ret) {
		kfree(dev);
		return ret;
	}
	kref_init(&dev->kref);
	mutex_init(&dev->lock);
	mutex_init(&dev->listen_lock);
	INIT_LIST_HEAD(&dev->domains);
	INIT_LIST_HEAD(&dev->peps);
	INIT_LIST_HEAD(&dev->connreqs);
	ib_set_client_data(ib, &kfv_client, dev);

	mutex_lock(&kfv_devices_lock);
	list_add_tail(&dev->node, &kfv_devices);
	mutex_unlock(&kfv_devices_lock);
	return 0;
}

static struct kfv_domain *kfv_device_pop_domain(struct kfv_device *dev)
{
	struct kfv_domain *domain;

	mutex_lock(&dev->lock);
	domain = list_first_entry_or_null(&dev->domains, struct kfv_domain,
					  node);
	if (domain)
		list_del_init(&domain->node);
	mutex_unlock(&dev->lock);
	return domain;
}

/*
 * Whatever was made of the device is destroyed when this returns. Consumers keep
 * their objects, which can do nothing any more but be closed.
 */
static void kfv_device_remove(struct ib_device *ib, void *client_data)
{
	struct kfv_device *dev = client_data;
	struct kfv_domain *domain;
	unsigned int nr = 0;

	if (!dev)
		return;
	trace_kfi_device_remove(dev_name(&ib->dev));
	mutex_lock(&kfv_devices_lock);
	list_del_init(&dev->node);
	mutex_unlock(&kfv_devices_lock);

	mutex_lock(&dev->lock);
	dev->gone = true;
	mutex_unlock(&dev->lock);

	kfv_peps_remove(dev);
	while ((domain = kfv_device_pop_domain(dev))) {
		kfi_domain_removed(&domain->scope);
		kfv_domain_remove(domain);
		nr++;
	}
	if (nr)
		pr_warn("%s: removed under %u open domains\n",
			dev_name(&ib->dev), nr);
	kfv_device_put(dev);
}

struct ib_client kfv_client = {
	.name	= "kfi_verbs",
	.add	= kfv_device_add,
	.remove	= kfv_device_remove,
};
