// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A domain's persistent regions, as commits find them.
 */

#include <linux/minmax.h>

#include "commit.h"
#include "ep.h"
#include "path.h"
#include "verbs.h"

/* A range of a region that a commit names, with a reference; NULL if it is bad. */
struct kfv_mr *kfv_pmem_get(struct kfv_domain *domain, u64 addr, u64 len,
			    u64 key)
{
	struct kfv_mr *mr;
	u64 offset;

	xa_lock(&domain->pmem);
	mr = xa_load(&domain->pmem, lower_32_bits(key));
	/* payload is stored here, where the device does not look at rights */
	if (mr && (mr->mr.key != key || !mr->remote_write ||
		   !refcount_inc_not_zero(&mr->commits)))
		mr = NULL;
	xa_unlock(&domain->pmem);
	if (!mr)
		return NULL;
	offset = addr - mr->mr.iova;
	if (addr >= mr->mr.iova && offset <= mr->len && len <= mr->len - offset)
		return mr;
	kfv_pmem_put(mr);
	return NULL;
}

void kfv_pmem_put(struct kfv_mr *mr)
{
	if (refcount_dec_and_test(&mr->commits))
		complete(&mr->committed);
}

static void kfv_pmem_fail_connections(struct kfv_domain *domain)
{
	struct kfv_ep *ep;

	mutex_lock(&domain->lock);
	list_for_each_entry(ep, &domain->eps, node)
		if (ep->commit)
			kfv_ep_lost(ep);
	mutex_unlock(&domain->lock);
}

/* A dead region's key may be another one's by now. */
static void kfv_pmem_erase(struct kfv_mr *mr)
{
	xa_cmpxchg(&mr->domain->pmem, mr->key, mr, NULL, GFP_KERNEL);
}

/* The memory device is going: nobody reaches the region any more. */
static void kfv_pmem_revoke(struct kfi_pmem_region *region)
{
	struct kfv_mr *mr = container_of(region, struct kfv_mr, region);
	struct kfv_domain *domain = mr->domain;

	kfv_pmem_erase(mr);
	if (!kfv_domain_get(domain)) {
		wait_for_completion(&domain->gone);
		return;
	}
	kfv_pmem_fail_connections(domain);
	kfv_mr_kill(mr);
	kfv_domain_put(domain);
}

/* How a region can be committed to, by devices that write like that. */
static u8 kfv_pmem_methods(const struct kfv_mr *mr, const struct kfv_path *path)
{
	const struct kfi_memdev *dev = mr->region.dev;
	u8 methods = KFV_WIRE_SERVER;

	if (kfv_read_proves(path, dev->domain, dev->sync))
		methods |= KFV_WIRE_READ;
	if (mr->flushable && dev->write_back)
		methods |= KFV_WIRE_FLUSH;
	return methods;
}

/* How peers may commit, and nobody here would notice. */
static u8 kfv_pmem_told(struct kfv_domain *domain)
{
	struct kfv_ep *ep;
	u8 told = 0;

	lockdep_assert_held(&domain->lock);
	list_for_each_entry(ep, &domain->eps, node)
		if (ep->commit)
			told |= READ_ONCE(ep->commit->told);
	return told;
}

/* What peers were told of the memory here has to stay true. */
static int kfv_pmem_enter(struct kfv_mr *mr)
{
	struct kfv_domain *domain = mr->domain;
	struct kfv_path path;
	int ret = -EBUSY;

	kfv_path_init(&path, domain->ib);
	mutex_lock(&domain->lock);
	if (!(kfv_pmem_told(domain) & ~kfv_pmem_methods(mr, &path)))
		ret = xa_err(xa_store(&domain->pmem, mr->key, mr, GFP_KERNEL));
	mutex_unlock(&domain->lock);
	return ret;
}

static u64 kfv_pmem_marks(const struct kfi_mr_attr *attr)
{
	const u64 both = KFI_REMOTE_READ | KFI_REMOTE_WRITE;

	return (attr->access & both) == both ? KFI_KEY_PMEM | KFI_KEY_READ :
					       KFI_KEY_PMEM;
}

/* Makes a region one that can be committed to. */
int kfv_pmem_publish(struct kfv_mr *mr, const struct kfi_mr_attr *attr)
{
	int ret;

	refcount_set(&mr->commits, 1);
	init_completion(&mr->committed);
	ret = kfi_pmem_region_init(&mr->region, attr->type, attr->mr_iov,
				   attr->iov_count, kfv_pmem_revoke);
	if (ret)
		return ret;
	mr->mr.key |= kfv_pmem_marks(attr);
	ret = kfv_pmem_enter(mr);
	if (ret)
		kfi_pmem_region_destroy(&mr->region);
	return ret;
}

/* No commit finds the region any more, and none uses it. */
void kfv_pmem_unpublish(struct kfv_mr *mr)
{
	kfv_pmem_erase(mr);
	kfv_pmem_put(mr);
	wait_for_completion(&mr->committed);
}

/* The memory of a domain: the weakest of all regions. */
static void kfv_pmem_weakest(struct kfv_domain *domain, struct kfv_peer *self)
{
	const struct kfi_memdev *weakest = NULL;
	struct kfv_path path;
	unsigned long index;
	struct kfv_mr *mr;

	kfv_path_init(&path, domain->ib);
	self->sync = true;
	self->methods = KFV_WIRE_SERVER | KFV_WIRE_READ | KFV_WIRE_FLUSH;
	xa_lock(&domain->pmem);
	xa_for_each(&domain->pmem, index, mr) {
		const struct kfi_memdev *dev = mr->region.dev;

		if (!weakest || dev->domain < weakest->domain)
			weakest = dev;
		self->sync &= dev->sync;
		self->methods &= kfv_pmem_methods(mr, &path);
	}
	if (weakest) {
		self->domain = weakest->domain;
	} else {
		self->domain = KFI_PMEM_DOMAIN_UNKNOWN;
		self->methods = KFV_WIRE_SERVER;
	}
	xa_unlock(&domain->pmem);
}

/* What the endpoint's peer has to know of the memory here, and may do with it. */
void kfv_pmem_declare(struct kfv_ep *ep, struct kfv_peer *self)
{
	struct kfv_domain *domain = ep->domain;

	mutex_lock(&domain->lock);
	kfv_pmem_weakest(domain, self);
	WRITE_ONCE(ep->commit->told, self->methods);
	mutex_unlock(&domain->lock);
}
