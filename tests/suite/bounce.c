// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * DMA that has to be mapped. Soft-RoCE uses the addresses that the processor uses, so
 * that nothing would be noticed if memory were never unmapped, or in the wrong
 * direction, or looked at without being synced. With this module its devices get what
 * the provider maps in other memory, as behind swiotlb, which is the device's until it
 * is unmapped. Scatterlists, which are those of regions, stay where they are.
 *
 * To be loaded after kfi_verbs and before it opens a domain, and unloaded after the
 * device was deleted: the log says then what was done, and what was done wrong.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/dma-map-ops.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/xarray.h>
#include <rdma/ib_verbs.h>

#define BOUNCE_FRAMES	16

/**
 * struct bounce - memory that is mapped
 * @memory: what was mapped; NULL for a scatterlist
 * @len: its bytes; of a scatterlist its entries
 * @dir: for whom
 * @copy: what the device sees of it; a scatterlist has none
 */
struct bounce {
	void			*memory;
	size_t			len;
	enum dma_data_direction	dir;
	u8			copy[] __aligned(L1_CACHE_BYTES);
};

/* By the address that the device has, or that of the scatterlist */
static DEFINE_XARRAY_FLAGS(bounces, XA_FLAGS_LOCK_IRQ);
static atomic_t nr_mapped, nr_synced, nr_wrong;

static struct platform_device *bounce_dev;
static struct kobject *provider;

/* Others, the connection manager among them, are let alone. */
static bool by_provider(void)
{
	const struct module *mod =
		container_of(provider, struct module_kobject, kobj)->mod;
	unsigned long frames[BOUNCE_FRAMES];
	unsigned int i, nr;

	nr = stack_trace_save(frames, ARRAY_SIZE(frames), 2);
	for (i = 0; i < nr; i++)
		if (within_module(frames[i], mod))
			return true;
	return false;
}

static void wrong(const char *what, const void *key)
{
	atomic_inc(&nr_wrong);
	pr_err("%s of %p\n", what, key);
	dump_stack();
}

/* Makes a mapping that the device sees at @key, or in the @copy bytes of its own. */
static struct bounce *remember(const void *key, void *memory, size_t len,
			       enum dma_data_direction dir, size_t copy)
{
	struct bounce *bounce, *old;
	unsigned long irq;

	bounce = kmalloc(struct_size(bounce, copy, copy),
			 GFP_ATOMIC | __GFP_NOWARN);
	if (!bounce)
		return NULL;
	bounce->memory = memory;
	bounce->len = len;
	bounce->dir = dir;
	memcpy(bounce->copy, memory, copy);

	xa_lock_irqsave(&bounces, irq);
	old = __xa_store(&bounces, (unsigned long)(key ?: bounce->copy), bounce,
			 GFP_ATOMIC);
	xa_unlock_irqrestore(&bounces, irq);
	if (xa_is_err(old)) {
		kfree(bounce);
		return NULL;
	}
	if (old)
		wrong("second mapping", key);
	atomic_inc(&nr_mapped);
	return bounce;
}

/* Ends a mapping; NULL if it was none, or not this one. The caller frees it. */
static struct bounce *forget(const void *key, bool sgl, size_t len,
			     enum dma_data_direction dir)
{
	struct bounce *bounce;
	unsigned long irq;

	xa_lock_irqsave(&bounces, irq);
	bounce = __xa_erase(&bounces, (unsigned long)key);
	xa_unlock_irqrestore(&bounces, irq);
	if (!bounce) {
		if (by_provider())
			wrong("unmapping without mapping", key);
		return NULL;
	}
	if (sgl == !bounce->memory && len == bounce->len && dir == bounce->dir)
		return bounce;
	wrong("unmapping otherwise than mapping", key);
	kfree(bounce);
	return NULL;
}

static dma_addr_t bounce_map(struct device *dev, phys_addr_t phys, size_t len,
			     enum dma_data_direction dir, unsigned long attrs)
{
	void *memory = phys_to_virt(phys);
	struct bounce *bounce;

	if (!by_provider())
		return (uintptr_t)memory;
	bounce = remember(NULL, memory, len, dir, len);
	return bounce ? (uintptr_t)bounce->copy : DMA_MAPPING_ERROR;
}

static void bounce_unmap(struct device *dev, dma_addr_t addr, size_t len,
			 enum dma_data_direction dir, unsigned long attrs)
{
	struct bounce *bounce = forget((void *)(uintptr_t)addr, false, len,
				       dir);

	if (bounce && dir != DMA_TO_DEVICE)
		memcpy(bounce->memory, bounce->copy, len);
	kfree(bounce);
}

static int bounce_map_sg(struct device *dev, struct scatterlist *sgl, int nents,
			 enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i) {
		sg_dma_address(sg) = (uintptr_t)sg_virt(sg);
		sg_dma_len(sg) = sg->length;
	}
	if (by_provider() && !remember(sgl, NULL, nents, dir, 0))
		return -ENOMEM;
	return nents;
}

static void bounce_unmap_sg(struct device *dev, struct scatterlist *sgl,
			    int nents, enum dma_data_direction dir,
			    unsigned long attrs)
{
	kfree(forget(sgl, true, nents, dir));
}

/* Whoever mapped it cannot unmap it meanwhile. */
static struct bounce *bounce_of(dma_addr_t addr, size_t len)
{
	struct bounce *bounce = xa_load(&bounces, addr);

	if (!bounce) {
		if (by_provider())
			wrong("sync without mapping", (void *)(uintptr_t)addr);
		return NULL;
	}
	if (!bounce->memory || len > bounce->len) {
		wrong("sync otherwise than mapping", (void *)(uintptr_t)addr);
		return NULL;
	}
	atomic_inc(&nr_synced);
	return bounce;
}

static void bounce_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t len,
				enum dma_data_direction dir)
{
	struct bounce *bounce = bounce_of(addr, len);

	if (bounce && bounce->dir != DMA_TO_DEVICE)
		memcpy(bounce->memory, bounce->copy, len);
}

static void bounce_sync_for_device(struct device *dev, dma_addr_t addr,
				   size_t len, enum dma_data_direction dir)
{
	struct bounce *bounce = bounce_of(addr, len);

	if (bounce && bounce->dir != DMA_FROM_DEVICE)
		memcpy(bounce->copy, bounce->memory, len);
}

static const struct dma_map_ops bounce_ops = {
	.map_phys		= bounce_map,
	.unmap_phys		= bounce_unmap,
	.map_sg			= bounce_map_sg,
	.unmap_sg		= bounce_unmap_sg,
	.sync_single_for_cpu	= bounce_sync_for_cpu,
	.sync_single_for_device	= bounce_sync_for_device,
};

/* A device keeps what it was given until it is deleted, and so this module. */
static int bounce_add(struct ib_device *ib)
{
	if (!ib_uses_virt_dma(ib))
		return -EOPNOTSUPP;
	__module_get(THIS_MODULE);
	ib->dma_device = &bounce_dev->dev;
	return 0;
}

static void bounce_remove(struct ib_device *ib, void *client_data)
{
	module_put(THIS_MODULE);
}

static struct ib_client bounce_client = {
	.name	= KBUILD_MODNAME,
	.add	= bounce_add,
	.remove	= bounce_remove,
};

static int __init bounce_init(void)
{
	int ret;

	provider = kset_find_obj(THIS_MODULE->mkobj.kobj.kset, "kfi_verbs");
	if (!provider)
		return -ENOENT;
	bounce_dev = platform_device_register_simple(KBUILD_MODNAME, -1, NULL,
						     0);
	ret = PTR_ERR_OR_ZERO(bounce_dev);
	if (ret)
		goto put_provider;
	/* before the mask: whether to sync is decided with that */
	set_dma_ops(&bounce_dev->dev, &bounce_ops);
	ret = dma_coerce_mask_and_coherent(&bounce_dev->dev, DMA_BIT_MASK(64));
	if (ret)
		goto unregister_dev;
	ret = ib_register_client(&bounce_client);
	if (!ret)
		return 0;

unregister_dev:
	platform_device_unregister(bounce_dev);
put_provider:
	kobject_put(provider);
	return ret;
}
module_init(bounce_init);

static void __exit bounce_exit(void)
{
	struct bounce *bounce;
	unsigned long key, left = 0;

	ib_unregister_client(&bounce_client);
	xa_for_each(&bounces, key, bounce) {
		left++;
		kfree(bounce);
	}
	xa_destroy(&bounces);
	pr_info("result: %d mapped, %d synced, %d wrong, %lu left\n",
		atomic_read(&nr_mapped), atomic_read(&nr_synced),
		atomic_read(&nr_wrong), left);
	platform_device_unregister(bounce_dev);
	kobject_put(provider);
}
module_exit(bounce_exit);

MODULE_DESCRIPTION("Kernel fabric interface: DMA that has to be mapped, for tests");
MODULE_LICENSE("Dual BSD/GPL");
