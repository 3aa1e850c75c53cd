// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What can be flushed: by which device, and of which regions. Devices claim it of
 * themselves that do not do it for kernel consumers, so nothing is believed that was
 * not tried.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "flush.h"
#include "verbs.h"

/* What a queue pair or a region needs to be flushed, of a device that says it can. */
int kfv_flush_access(const struct ib_device *ib)
{
	const u64 both = IB_DEVICE_FLUSH_GLOBAL | IB_DEVICE_FLUSH_PERSISTENT;

	if ((ib->attrs.device_cap_flags & both) != both)
		return 0;
	return IB_ACCESS_FLUSH_GLOBAL | IB_ACCESS_FLUSH_PERSISTENT;
}

/* Flushes the first byte of a region of our own. Return: as kfv_registrar_execute() */
static int kfv_flush_try(struct kfv_domain *domain, const struct ib_mr *mr,
			 u32 key, u8 type)
{
	struct ib_flush_wr wr = {
		.wr.opcode = IB_WR_FLUSH,
		.remote_addr = mr->iova,
		.length = 1,
		.rkey = key,
		.type = type,
		.level = IB_FLUSH_RANGE,
	};

	return kfv_registrar_execute(domain, &wr.wr);
}

/*
 * A device that flushes refuses to with the key of another region: so it has sent, and
 * looked at, what it was given.
 */
static int kfv_flush_try_both(struct kfv_domain *domain, const struct ib_mr *mr)
{
	int ret;

	ret = kfv_flush_try(domain, mr, ~mr->rkey, IB_FLUSH_GLOBAL);
	if (ret != -EIO)
		return ret ?: -EIO;
	return kfv_flush_try(domain, mr, mr->rkey, IB_FLUSH_GLOBAL);
}

static int kfv_flush_try_mr(struct kfv_domain *domain, struct ib_mr *mr,
			    struct scatterlist *sg)
{
	int ret;

	ret = ib_map_mr_sg(mr, sg, 1, NULL, PAGE_SIZE);
	if (ret != 1)
		return ret < 0 ? ret : -EINVAL;
	/* nobody says of ordinary memory that it is persistent */
	ret = kfv_registrar_register(domain, mr, IB_ACCESS_LOCAL_WRITE |
				     IB_ACCESS_REMOTE_WRITE |
				     IB_ACCESS_FLUSH_GLOBAL);
	if (ret)
		return ret;
	ret = kfv_flush_try_both(domain, mr);
	kfv_registrar_invalidate(domain, mr->rkey);
	return ret;
}

/* Return: 0 when the device flushes, -EIO when not; else it could not be tried. */
static int kfv_flush_try_device(struct kfv_domain *domain)
{
	struct scatterlist sg;
	struct ib_mr *mr;
	void *mem;
	int ret = -ENOMEM;

	mem = (void *)get_zeroed_page(GFP_KERNEL);
	if (!mem)
		return ret;
	sg_init_one(&sg, mem, PAGE_SIZE);
	if (ib_dma_map_sg(domain->ib, &sg, 1, DMA_BIDIRECTIONAL) != 1)
		goto out_mem;
	mr = ib_alloc_mr(domain->pd, IB_MR_TYPE_MEM_REG, 1);
	if (IS_ERR(mr)) {
		ret = PTR_ERR(mr);
		goto out_map;
	}
	ret = kfv_flush_try_mr(domain, mr, &sg);
	ib_dereg_mr(mr);
out_map:
	ib_dma_unmap_sg(domain->ib, &sg, 1, DMA_BIDIRECTIONAL);
out_mem:
	free_page((unsigned long)mem);
	return ret;
}

static void kfv_flush_test_device(struct kfv_domain *domain)
{
	struct kfv_device *dev = domain->dev;
	int ret;

	ret = kfv_flush_try_device(domain);
	if (!ret)
		WRITE_ONCE(dev->flush, KFV_FLUSH_YES);
	else if (ret == -EIO)
		WRITE_ONCE(dev->flush, KFV_FLUSH_NO);
	pr_debug("%s flushes: %d\n", dev_name(&domain->ib->dev), ret);
}

/*
 * Whether the domain's device makes memory visible when it is asked to, which is found
 * out once. What this cannot tell, because it takes persistent memory, is whether
 * the device also makes that persistent: kfv_flush_mr_works() does.
 */
void kfv_flush_test(struct kfv_domain *domain)
{
	struct kfv_device *dev = domain->dev;

	if (!kfv_domain_get(domain))
		return;
	if (READ_ONCE(dev->flush) == KFV_FLUSH_UNKNOWN &&
	    kfv_flush_access(domain->ib))
		kfv_flush_test_device(domain);
	domain->flushes = READ_ONCE(dev->flush) == KFV_FLUSH_YES;
	kfv_domain_put(domain);
}

/* What the kernel does not know as persistent memory a device may refuse to register. */
static bool kfv_flush_pages(const struct kfv_mr *mr)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(&mr->sgt, sg, i)
		if (region_intersects(sg_phys(sg), sg->length, IORESOURCE_MEM,
				      IORES_DESC_PERSISTENT_MEMORY) !=
		    REGION_INTERSECTS)
			return false;
	return true;
}

/* Access that a persistent region needs besides @access to be flushed, if it can be. */
int kfv_flush_mr_access(const struct kfv_mr *mr, int access)
{
	const struct kfv_domain *domain = mr->domain;

	if (!domain->flushes || !(access & IB_ACCESS_REMOTE_WRITE) ||
	    !kfv_flush_pages(mr))
		return 0;
	return kfv_flush_access(domain->ib);
}

/*
 * Whether the region, registered with @access, is no obstacle to flushing: one that
 * peers may not write to has nothing that could be committed. The device is asked; what
 * it then does is what it is going to do.
 */
bool kfv_flush_mr_works(struct kfv_mr *mr, int access)
{
	if (!mr->domain->flushes || !(access & IB_ACCESS_REMOTE_WRITE))
		return mr->domain->flushes;
	if (!(access & IB_ACCESS_FLUSH_PERSISTENT))
		return false;
	return !kfv_flush_try(mr->domain, mr->ib, mr->key,
			      IB_FLUSH_GLOBAL | IB_FLUSH_PERSISTENT);
}
