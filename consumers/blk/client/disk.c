// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The disk: its limits, and its files in sysfs.
 */

#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/xarray.h>

#include "blk.h"

/*
 * With the lock under which a disk is marked dead, before its device goes. It may be
 * open for longer.
 */
static void kfb_disk_release(struct gendisk *disk)
{
	if (!disk_openers(disk) && !test_bit(GD_DEAD, &disk->state))
		kfb_loss_closed(disk->private_data);
}

static const struct block_device_operations kfb_disk_ops = {
	.owner		= THIS_MODULE,
	.release	= kfb_disk_release,
};

/* A request has at most two pages more than it fills for each of its segments. */
static unsigned int kfb_disk_segments(const struct kfb_dev *dev,
				      unsigned int max_io)
{
	size_t pages = max_io / PAGE_SIZE;
	size_t room = dev->seg_limit > pages ? (dev->seg_limit - pages) / 2 : 0;

	return clamp_t(size_t, room, 1, KFB_MAX_SEGMENTS);
}

static void kfb_disk_limits(const struct kfb_dev *dev, struct queue_limits *lim)
{
	unsigned int max_io = min3((u32)KFB_MAX_IO, dev->chunk, dev->piece);

	lim->logical_block_size = dev->block_size;
	lim->physical_block_size = PAGE_SIZE;
	lim->max_hw_sectors = max_io >> SECTOR_SHIFT;
	lim->chunk_sectors = dev->chunk >> SECTOR_SHIFT;
	lim->max_segments = kfb_disk_segments(dev, max_io);
	lim->max_segment_size = max_io;
	if (dev->read_only)
		return;
	lim->max_write_zeroes_sectors =
		min_t(size_t, lim->max_segments * PAGE_SIZE, max_io) >>
		SECTOR_SHIFT;
	if (!dev->config->writethrough)
		lim->features = BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA;
}

static int kfb_disk_alloc_tags(struct kfb_dev *dev, unsigned int segments)
{
	struct blk_mq_tag_set *set = &dev->tag_set;

	set->ops = &kfb_mq_ops;
	set->nr_hw_queues = dev->nr_queues;
	set->nr_maps = dev->nr_poll ? HCTX_MAX_TYPES : 1;
	set->queue_depth = dev->config->queue_depth;
	set->numa_node = kfi_domain_numa_node(dev->session.domain);
	set->cmd_size = struct_size_t(struct kfb_request, sgl, segments);
	set->driver_data = dev;
	return blk_mq_alloc_tag_set(set);
}

/* A disk that nobody sees yet, as what the session says of the target's device. */
int kfb_disk_alloc(struct kfb_dev *dev)
{
	struct queue_limits lim = { };
	struct gendisk *disk;
	int err;

	kfb_disk_limits(dev, &lim);
	err = kfb_disk_alloc_tags(dev, lim.max_segments);
	if (err)
		return err;
	disk = blk_mq_alloc_disk(&dev->tag_set, &lim, dev);
	if (IS_ERR(disk))
		return PTR_ERR(disk);
	strscpy(disk->disk_name, dev->name, DISK_NAME_LEN);
	disk->fops = &kfb_disk_ops;
	disk->private_data = dev;
	set_capacity(disk, dev->size >> SECTOR_SHIFT);
	set_disk_ro(disk, dev->read_only);
	dev->disk = disk;
	return 0;
}

/*
 * /sys/block/DISK/kfi
 */

static struct kfb_dev *kfb_kobj_dev(struct kobject *kobj)
{
	return dev_to_disk(kobj_to_dev(kobj->parent))->private_data;
}

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n", kfb_state_str(kfb_kobj_dev(kobj)));
}

static ssize_t peer_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	const struct kfb_config *config = kfb_kobj_dev(kobj)->config;

	return sysfs_emit(buf, "%s %s %s\n", config->provider, config->addr,
			  config->service);
}

static ssize_t export_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%s\n", kfb_kobj_dev(kobj)->config->export);
}

static ssize_t incarnation_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  READ_ONCE(kfb_kobj_dev(kobj)->incarnation));
}

static ssize_t cache_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  kfb_kobj_dev(kobj)->config->writethrough ?
			  "writethrough" : "writeback");
}

static ssize_t method_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	static const char * const methods[] = {
		[KFI_COMMIT_NONE]	= "none",
		[KFI_COMMIT_SERVER]	= "server",
		[KFI_COMMIT_READ]	= "read",
		[KFI_COMMIT_FLUSH]	= "flush",
	};

	return sysfs_emit(buf, "%s\n",
			  methods[READ_ONCE(kfb_kobj_dev(kobj)->method)]);
}

static ssize_t reconnects_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  READ_ONCE(kfb_kobj_dev(kobj)->reconnects));
}

static ssize_t lost_ranges_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  READ_ONCE(kfb_kobj_dev(kobj)->lost_ranges));
}

static ssize_t lost_bytes_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  READ_ONCE(kfb_kobj_dev(kobj)->lost_bytes));
}

static struct kobj_attribute kfb_attr_state = __ATTR_RO(state);
static struct kobj_attribute kfb_attr_peer = __ATTR_RO(peer);
static struct kobj_attribute kfb_attr_export = __ATTR_RO(export);
static struct kobj_attribute kfb_attr_incarnation = __ATTR_RO(incarnation);
static struct kobj_attribute kfb_attr_cache = __ATTR_RO(cache);
static struct kobj_attribute kfb_attr_method = __ATTR_RO(method);
static struct kobj_attribute kfb_attr_reconnects = __ATTR_RO(reconnects);
static struct kobj_attribute kfb_attr_lost_ranges = __ATTR_RO(lost_ranges);
static struct kobj_attribute kfb_attr_lost_bytes = __ATTR_RO(lost_bytes);

static struct attribute *kfb_attrs[] = {
	&kfb_attr_state.attr,
	&kfb_attr_peer.attr,
	&kfb_attr_export.attr,
	&kfb_attr_incarnation.attr,
	&kfb_attr_cache.attr,
	&kfb_attr_method.attr,
	&kfb_attr_reconnects.attr,
	&kfb_attr_lost_ranges.attr,
	&kfb_attr_lost_bytes.attr,
	NULL,
};

static const struct attribute_group kfb_attr_group = {
	.attrs	= kfb_attrs,
};

static int kfb_disk_show(struct kfb_dev *dev)
{
	unsigned int i;
	int err;

	dev->kobj = kobject_create_and_add("kfi", &disk_to_dev(dev->disk)->kobj);
	if (!dev->kobj)
		return -ENOMEM;
	err = sysfs_create_group(dev->kobj, &kfb_attr_group);
	for (i = 0; i < dev->nr_queues && !err; i++)
		err = kfb_stats_show(&dev->queues[i], dev->kobj);
	return err;
}

/* Partitions are looked for, so it has to be live. */
int kfb_disk_add(struct kfb_dev *dev)
{
	int err = add_disk(dev->disk);

	if (err)
		return err;
	dev->added = true;
	return kfb_disk_show(dev);
}

/* The target's device may be another one than it was. */
void kfb_disk_update(struct kfb_dev *dev)
{
	set_capacity_and_notify(dev->disk, dev->size >> SECTOR_SHIFT);
}

/* No request gets in, until anybody calls kfb_disk_unfreeze(). */
void kfb_disk_freeze(struct kfb_dev *dev)
{
	blk_freeze_queue_start_non_owner(dev->disk->queue);
}

void kfb_disk_unfreeze(struct kfb_dev *dev)
{
	blk_mq_unfreeze_queue_non_owner(dev->disk->queue);
}

/*
 * Bytes of a range that file systems have, or others that can be told of its end, and
 * the @partitions that these are on. The whole disk is partition 0, and either it or
 * some of the others are somebody's; Linux 6.1 has a mark at the disk for the others.
 */
u64 kfb_disk_mounted(const struct kfb_dev *dev, u64 start, u64 end,
		     unsigned long *partitions)
{
	u64 whole = 0, parts = 0, first, behind;
	struct block_device *bdev;
	bool divided = false;
	unsigned long index;

	rcu_read_lock();
	xa_for_each(&dev->disk->part_tbl, index, bdev) {
		if (!READ_ONCE(bdev->bd_holder_ops))
			continue;
		divided |= index > 0;
		first = bdev->bd_start_sect << SECTOR_SHIFT;
		behind = min(end, first + bdev_nr_bytes(bdev));
		first = max(start, first);
		if (first >= behind)
			continue;
		__set_bit(index, partitions);
		if (index)
			parts += behind - first;
		else
			whole = behind - first;
	}
	rcu_read_unlock();
	return divided ? parts : whole;
}

/* Tells them; they may have to wait for requests. The disk itself goes on. */
void kfb_disk_mark_dead(struct kfb_dev *dev, const unsigned long *partitions)
{
	struct block_device *bdev;
	unsigned int index;

	for_each_set_bit(index, partitions, DISK_MAX_PARTS) {
		rcu_read_lock();
		bdev = xa_load(&dev->disk->part_tbl, index);
		if (bdev && !kobject_get_unless_zero(bdev_kobj(bdev)))
			bdev = NULL;
		rcu_read_unlock();
		if (!bdev)
			continue;
		bdev_mark_dead(bdev, true);
		kobject_put(bdev_kobj(bdev));
	}
}

/* When this returns nobody reads or writes, and nobody will. */
void kfb_disk_remove(struct kfb_dev *dev)
{
	if (dev->kobj) {
		kobject_del(dev->kobj);
		kobject_put(dev->kobj);
	}
	if (dev->added)
		del_gendisk(dev->disk);
}

void kfb_disk_free(struct kfb_dev *dev)
{
	if (dev->disk)
		put_disk(dev->disk);
	if (dev->tag_set.tags)
		blk_mq_free_tag_set(&dev->tag_set);
}
