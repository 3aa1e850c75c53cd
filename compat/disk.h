/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What older kernels lack for drivers of block devices, included in front of the
 * file that uses it.
 */

#ifndef KFI_COMPAT_DISK_H
#define KFI_COMPAT_DISK_H

#include <linux/blkdev.h>
#include <linux/err.h>

#ifndef KFI_HAS_DISK_LIMITS
#define BLK_FEAT_WRITE_CACHE	BIT(0)
#define BLK_FEAT_FUA		BIT(1)

/* Of the limits that a disk is now made with, those that are used. */
struct kfi_disk_limits {
	unsigned int	logical_block_size;
	unsigned int	physical_block_size;
	unsigned int	features;
};

static inline struct gendisk *
kfi_disk_set_limits(struct gendisk *disk, const struct kfi_disk_limits *lim)
{
	if (!disk)
		return ERR_PTR(-ENOMEM);
	blk_queue_logical_block_size(disk->queue, lim->logical_block_size);
	blk_queue_physical_block_size(disk->queue, lim->physical_block_size);
	blk_queue_write_cache(disk->queue,
			      lim->features & BLK_FEAT_WRITE_CACHE,
			      lim->features & BLK_FEAT_FUA);
	blk_queue_flag_set(QUEUE_FLAG_NONROT, disk->queue);
	return disk;
}

static inline struct gendisk *
kfi_disk_alloc(const struct kfi_disk_limits *lim, int node)
{
	return kfi_disk_set_limits(blk_alloc_disk(node), lim);
}

#define queue_limits		kfi_disk_limits
#undef blk_alloc_disk
#define blk_alloc_disk		kfi_disk_alloc
#endif

#endif /* KFI_COMPAT_DISK_H */
