/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What older kernels lack for drivers of block devices, included in front of the
 * file that uses it.
 */

#ifndef KFI_COMPAT_DISK_H
#define KFI_COMPAT_DISK_H

/* Too late for the file itself, which says the same. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/err.h>

#ifndef KFI_HAS_DISK_LIMITS
#define BLK_FEAT_WRITE_CACHE	BIT(0)
#define BLK_FEAT_FUA		BIT(1)

/* Of the limits that a disk is now made with, those that are used. */
struct kfi_disk_limits {
	unsigned int	logical_block_size;
	unsigned int	physical_block_size;
	unsigned int	max_hw_sectors;
	unsigned int	chunk_sectors;
	unsigned int	max_segment_size;
	unsigned int	max_write_zeroes_sectors;
	unsigned short	max_segments;
	unsigned int	features;
};

static inline struct gendisk *
kfi_disk_set_limits(struct gendisk *disk, const struct kfi_disk_limits *lim)
{
	if (!disk)
		return ERR_PTR(-ENOMEM);
	if (IS_ERR(disk))
		return disk;
	blk_queue_logical_block_size(disk->queue, lim->logical_block_size);
	blk_queue_physical_block_size(disk->queue, lim->physical_block_size);
	blk_queue_write_cache(disk->queue,
			      lim->features & BLK_FEAT_WRITE_CACHE,
			      lim->features & BLK_FEAT_FUA);
	if (lim->max_hw_sectors)
		blk_queue_max_hw_sectors(disk->queue, lim->max_hw_sectors);
	if (lim->chunk_sectors)
		blk_queue_chunk_sectors(disk->queue, lim->chunk_sectors);
	if (lim->max_segments)
		blk_queue_max_segments(disk->queue, lim->max_segments);
	if (lim->max_segment_size)
		blk_queue_max_segment_size(disk->queue, lim->max_segment_size);
	blk_queue_max_write_zeroes_sectors(disk->queue,
					   lim->max_write_zeroes_sectors);
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
#undef blk_mq_alloc_disk
#define blk_mq_alloc_disk(set, lim, queuedata)				\
({									\
	static struct lock_class_key __key;				\
									\
	kfi_disk_set_limits(__blk_mq_alloc_disk(set, queuedata, &__key), \
			    lim);					\
})
#endif

#ifndef KFI_HAS_ALWAYS_MERGE
/* Requests were merged for those who said so. */
static inline int kfi_alloc_tag_set(struct blk_mq_tag_set *set)
{
	set->flags |= BLK_MQ_F_SHOULD_MERGE;
	return blk_mq_alloc_tag_set(set);
}

#define blk_mq_alloc_tag_set	kfi_alloc_tag_set
#endif

#ifndef KFI_HAS_MAP_SG_RQ
static inline int kfi_rq_map_sg(struct request *rq, struct scatterlist *sgl)
{
	return blk_rq_map_sg(rq->q, rq, sgl);
}

#define blk_rq_map_sg		kfi_rq_map_sg
#endif

#ifndef KFI_HAS_HOLDER_OPS
/* Who has a device for himself could not be told of its end. */
#define bd_holder_ops	bd_holder

static inline void bdev_mark_dead(struct block_device *bdev, bool surprise)
{
}

/* Those who had opened a disk had a mode. */
#define kfb_disk_release(disk)	kfb_disk_release(disk, fmode_t mode)
#endif

#ifndef KFI_HAS_FREEZE_NON_OWNER
#define blk_freeze_queue_start_non_owner	blk_freeze_queue_start
#define blk_mq_unfreeze_queue_non_owner		blk_mq_unfreeze_queue
#endif

#endif /* KFI_COMPAT_DISK_H */
