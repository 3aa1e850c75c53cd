// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Memory regions: fast registration, exact to the byte.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include <trace/events/kfi.h>

#include "commit.h"
#include "flush.h"
#include "verbs.h"

static int kfv_mr_map(struct kfv_mr *mr, const struct kfi_mr_attr *attr)
{
	struct ib_device *ib = mr->domain->ib;
	int ret;

	ret = kfv_mr_sgl_alloc(&mr->sgt, attr, ib_dma_max_seg_size(ib));
	if (ret)
		return ret;
	ret = ib_dma_map_sgtable_attrs(ib, &mr->sgt, DMA_BIDIRECTIONAL, 0);
	if (ret)
		sg_free_table(&mr->sgt);
	return ret;
}

static void kfv_mr_unmap(struct kfv_mr *mr)
{
	ib_dma_unmap_sgtable_attrs(mr->domain->ib, &mr->sgt, DMA_BIDIRECTIONAL,
				   0);
	sg_free_table(&mr->sgt);
}

static int kfv_mr_access(const struct kfv_domain *domain, u64 access)
{
	u64 both = KFI_REMOTE_READ | KFI_REMOTE_WRITE;
	int ret = 0;

	if (access & (KFI_RECV | KFI_READ | KFI_REMOTE_WRITE))
		ret |= IB_ACCESS_LOCAL_WRITE;
	if (access & KFI_REMOTE_READ)
		ret |= IB_ACCESS_REMOTE_READ;
	if (access & KFI_REMOTE_WRITE)
		ret |= IB_ACCESS_REMOTE_WRITE;
	if ((access & both) == both &&
	    domain->ib->attrs.atomic_cap != IB_ATOMIC_NONE)
		ret |= IB_ACCESS_REMOTE_ATOMIC;
	return ret;
}

/*
 * Peers see the region at an address that tells nothing about this kernel, but
 * for the offset in its page, which the device needs.
 */
static int kfv_mr_validate(struct kfv_mr *mr, u64 access, bool pmem,
			   u64 page_size)
{
	struct ib_mr *ib = mr->ib;
	int flags, n, ret;

	n = ib_map_mr_sg(ib, mr->sgt.sgl, mr->sgt.nents, NULL, page_size);
	if (n != mr->sgt.nents || ib->length != mr->len)
		return n < 0 ? n : -EINVAL;
	ib->iova = page_size + (ib->iova & (page_size - 1));
	ib_update_fast_reg_key(ib, mr->domain->next_key++);

	flags = kfv_mr_access(mr->domain, access);
	if (pmem)
		flags |= kfv_flush_mr_access(mr, flags);
	mr->mr.iova = ib->iova;
	mr->key = ib->rkey;
	mr->lkey = ib->lkey;
	mr->local_write = flags & IB_ACCESS_LOCAL_WRITE;
	mr->remote_write = flags & IB_ACCESS_REMOTE_WRITE;
	ret = kfv_registrar_register(mr->domain, ib, flags);
	if (!ret && pmem)
		mr->flushable = kfv_flush_mr_works(mr, flags);
	return ret;
}

static int kfv_mr_make(struct kfv_mr *mr, const struct kfi_mr_attr *attr,
		       bool pmem)
{
	u64 page_size, entries;
	int ret;

	ret = kfv_mr_map(mr, attr);
	if (ret)
		return ret;
	ret = kfv_mr_page_size(&mr->sgt, &mr->domain->ib->attrs, &page_size,
			       &entries);
	if (ret) {
		pr_debug("%s: %zu bytes in %u pieces do not fit %u entries\n",
			 dev_name(&mr->domain->ib->dev), mr->len,
			 mr->sgt.nents,
			 mr->domain->ib->attrs.max_fast_reg_page_list_len);
		goto err_map;
	}
	mr->ib = ib_alloc_mr(mr->domain->pd, IB_MR_TYPE_MEM_REG, entries);
	if (IS_ERR(mr->ib)) {
		ret = PTR_ERR(mr->ib);
		goto err_map;
	}
	ret = kfv_mr_validate(mr, attr->access, pmem, page_size);
	if (ret)
		goto err_mr;
	return 0;

err_mr:
	ib_dereg_mr(mr->ib);
err_map:
	mr->ib = NULL;
	kfv_mr_unmap(mr);
	return ret;
}

/*
 * Ends all access to a region, once. rxe checks a region's state before it copies
 * a packet and not after, so only freeing the region waits for the last one.
 */
void kfv_mr_kill(struct kfv_mr *mr)
{
	mutex_lock(&mr->lock);
	if (mr->ib) {
		kfv_registrar_invalidate(mr->domain, mr->key);
		ib_dereg_mr(mr->ib);
		mr->ib = NULL;
		WRITE_ONCE(mr->track.dead, true);
		kfv_mr_unmap(mr);
	}
	mutex_unlock(&mr->lock);
}

static int kfv_mr_close(struct kfid *fid)
{
	struct kfv_mr *mr = container_of(fid, struct kfv_mr, mr.fid);
	struct kfv_domain *domain = mr->domain;

	if (!kfi_obj_close(fid))
		return -EBUSY;
	trace_kfi_mr_close(&mr->mr, mr->len);
	kfi_mr_track_del(&mr->track);
	if (mr->mr.key & KFI_KEY_PMEM)
		kfv_pmem_unpublish(mr);
	if (kfv_domain_get(domain)) {
		kfv_mr_kill(mr);
		mutex_lock(&domain->lock);
		list_del(&mr->node);
		mutex_unlock(&domain->lock);
		kfv_domain_put(domain);
	} else {
		wait_for_completion(&domain->gone);
	}
	if (mr->mr.key & KFI_KEY_PMEM)
		kfi_pmem_region_destroy(&mr->region);
	kfi_obj_put(&domain->domain.fid);
	kfree(mr);
	return 0;
}

static const struct kfi_ops kfv_mr_fid_ops = {
	.owner	= THIS_MODULE,
	.close	= kfv_mr_close,
};

static void kfv_mr_init(struct kfv_mr *mr, struct kfv_domain *domain,
			const struct kfi_mr_attr *attr, size_t len)
{
	mr->domain = domain;
	mr->len = len;
	mutex_init(&mr->lock);
	if (attr->type == KFI_KVEC && attr->iov_count == 1)
		mr->vaddr = attr->mr_iov->iov_base;
	mr->mr.mem_desc = mr;
	kfi_obj_init(&mr->mr.fid, KFI_CLASS_MR, &kfv_mr_fid_ops, attr->context);
}

static void kfv_mr_show(struct kfv_mr *mr, u64 access, u64 flags)
{
	mr->track.len = mr->len;
	mr->track.access = access;
	mr->track.flags = flags;
	if (flags & KFI_PMEM)
		mr->track.memdev = mr->region.dev;
	kfi_mr_track_add(&mr->track, &mr->mr, &mr->domain->scope);
}

static int kfv_mr_register(struct kfv_mr *mr, const struct kfi_mr_attr *attr,
			   u64 flags)
{
	struct kfv_domain *domain = mr->domain;
	int ret;

	ret = kfv_mr_make(mr, attr, flags & KFI_PMEM);
	if (ret)
		return ret;
	mr->mr.key = mr->key;
	/* there is no way to give a device a hint of KFI_UNCACHED */
	mr->mr.flags = flags & KFI_PMEM;
	if (flags & KFI_PMEM) {
		ret = kfv_pmem_publish(mr, attr);
		if (ret) {
			kfv_mr_kill(mr);
			return ret;
		}
	}
	mutex_lock(&domain->lock);
	list_add_tail(&mr->node, &domain->mrs);
	mutex_unlock(&domain->lock);
	kfv_mr_show(mr, attr->access, flags);
	return 0;
}

int kfv_mr_regattr(struct kfid_domain *kfid_domain,
		   const struct kfi_mr_attr *attr, u64 flags,
		   struct kfid_mr **pmr)
{
	struct kfv_domain *domain = to_kfv_domain(kfid_domain);
	struct kfv_mr *mr;
	size_t len;
	int ret;

	if (!pmr)
		return -EINVAL;
	ret = kfi_check_mr(attr, flags, &len);
	if (ret)
		return ret;
	mr = kzalloc_obj(*mr);
	if (!mr)
		return -ENOMEM;
	kfv_mr_init(mr, domain, attr, len);
	ret = -ENODEV;
	if (!kfv_domain_get(domain))
		goto err_free;
	ret = -EINVAL;
	if (kfi_obj_get(&kfid_domain->fid)) {
		ret = kfv_mr_register(mr, attr, flags);
		if (ret)
			kfi_obj_put(&kfid_domain->fid);
	}
	kfv_domain_put(domain);
	if (ret)
		goto err_free;
	trace_kfi_mr_reg(&mr->mr, mr->len);
	*pmr = &mr->mr;
	return 0;

err_free:
	kfree(mr);
	return ret;
}
