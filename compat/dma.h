/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Operations of a device's DMA where what is mapped is not a physical address but part
 * of a page, included in front of the file that has them. For one device at a time.
 */

#ifndef KFI_COMPAT_DMA_H
#define KFI_COMPAT_DMA_H

/* Too late for the file itself, which says the same. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-map-ops.h>
#include <linux/io.h>
#include <linux/mm.h>

#ifndef KFI_HAS_MAP_PHYS
struct kfi_dma_map_ops {
	dma_addr_t (*map_phys)(struct device *dev, phys_addr_t phys, size_t size,
			       enum dma_data_direction dir, unsigned long attrs);
	void (*unmap_phys)(struct device *dev, dma_addr_t dma_handle,
			   size_t size, enum dma_data_direction dir,
			   unsigned long attrs);
	int (*map_sg)(struct device *dev, struct scatterlist *sg, int nents,
		      enum dma_data_direction dir, unsigned long attrs);
	void (*unmap_sg)(struct device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir, unsigned long attrs);
	void (*sync_single_for_cpu)(struct device *dev, dma_addr_t dma_handle,
				    size_t size, enum dma_data_direction dir);
	void (*sync_single_for_device)(struct device *dev,
				       dma_addr_t dma_handle, size_t size,
				       enum dma_data_direction dir);
};

static const struct kfi_dma_map_ops *kfi_dma_ops;

static dma_addr_t kfi_map_page(struct device *dev, struct page *page,
			       unsigned long offset, size_t size,
			       enum dma_data_direction dir, unsigned long attrs)
{
	return kfi_dma_ops->map_phys(dev, page_to_phys(page) + offset, size,
				     dir, attrs);
}

static void kfi_unmap_page(struct device *dev, dma_addr_t addr, size_t size,
			   enum dma_data_direction dir, unsigned long attrs)
{
	kfi_dma_ops->unmap_phys(dev, addr, size, dir, attrs);
}

static int kfi_map_sg(struct device *dev, struct scatterlist *sg, int nents,
		      enum dma_data_direction dir, unsigned long attrs)
{
	return kfi_dma_ops->map_sg(dev, sg, nents, dir, attrs);
}

static void kfi_unmap_sg(struct device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir, unsigned long attrs)
{
	kfi_dma_ops->unmap_sg(dev, sg, nents, dir, attrs);
}

static void kfi_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir)
{
	kfi_dma_ops->sync_single_for_cpu(dev, addr, size, dir);
}

static void kfi_sync_for_device(struct device *dev, dma_addr_t addr,
				size_t size, enum dma_data_direction dir)
{
	kfi_dma_ops->sync_single_for_device(dev, addr, size, dir);
}

static const struct dma_map_ops kfi_page_ops = {
	.map_page		= kfi_map_page,
	.unmap_page		= kfi_unmap_page,
	.map_sg			= kfi_map_sg,
	.unmap_sg		= kfi_unmap_sg,
	.sync_single_for_cpu	= kfi_sync_for_cpu,
	.sync_single_for_device	= kfi_sync_for_device,
};

static inline void kfi_set_dma_ops(struct device *dev,
				   const struct kfi_dma_map_ops *ops)
{
	kfi_dma_ops = ops;
	set_dma_ops(dev, &kfi_page_ops);
}

#define dma_map_ops	kfi_dma_map_ops
#define set_dma_ops	kfi_set_dma_ops
#endif

#endif /* KFI_COMPAT_DMA_H */
