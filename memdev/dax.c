// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Memory devices that are block devices with DAX: NVDIMMs, CXL memory, files of a
 * virtual machine's host.
 *
 * Persistent is what has left the CPU's caches for the memory controller, or what
 * is in the caches if they survive, or what the host has flushed. What the platform
 * does beyond that when the power fails is not asked.
 */

#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/libnvdimm.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pfn.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/barrier.h>

#include <kfi_memdev.h>

#include "write_back.h"

/**
 * struct kfi_dax - an open device
 * @mdev: what the core knows
 * @node: in the list of open devices
 * @file: the block device
 * @dax: its memory
 * @extent: all its pages
 */
struct kfi_dax {
	struct kfi_memdev	mdev;
	struct list_head	node;
	struct file		*file;
	struct dax_device	*dax;
	struct kfi_mem_extent	extent;
};

/*
 * protects the list of open devices. Held while one is revoked, because a holder
 * is not told when a notification that has begun is over.
 */
static DEFINE_MUTEX(kfi_dax_lock);
static LIST_HEAD(kfi_dax_list);

static struct kfi_dax *to_dax(struct kfi_memdev *mdev)
{
	return container_of(mdev, struct kfi_dax, mdev);
}

/* A page has failed, or the device is being removed. */
static int kfi_dax_notify_failure(struct dax_device *dax, u64 offset, u64 len,
				  int mf_flags)
{
	struct kfi_dax *kdax;
	struct gendisk *disk;

	mutex_lock(&kfi_dax_lock);
	list_for_each_entry(kdax, &kfi_dax_list, node) {
		if (kdax->dax != dax)
			continue;
		disk = file_bdev(kdax->file)->bd_disk;
		dev_warn(disk_to_dev(disk),
			 KBUILD_MODNAME ": memory failure or removal, %llu bytes at %llu\n",
			 len, offset);
		kfi_memdev_revoke(&kdax->mdev, "memory failure or removal");
	}
	mutex_unlock(&kfi_dax_lock);
	return 0;
}

static const struct dax_holder_operations kfi_dax_holder_ops = {
	.notify_failure	= kfi_dax_notify_failure,
};

/* What was said when the device was opened may have been taken back. */
static bool kfi_dax_has_write_cache(const struct kfi_dax *kdax)
{
	return kdax->mdev.domain != KFI_PMEM_DOMAIN_CPU_CACHE ||
	       dax_write_cache_enabled(kdax->dax);
}

/* Memory for the request must not be got by writing to this device. */
static int kfi_dax_flush_host(struct kfi_dax *kdax)
{
	struct block_device *bdev = file_bdev(kdax->file);
	unsigned int noio;
	int err;

	/* The block layer would leave out the flush, and report success. */
	if (!bdev_write_cache(bdev))
		return -EIO;
	noio = memalloc_noio_save();
	err = blkdev_issue_flush(bdev);
	memalloc_noio_restore(noio);
	return err;
}

static int kfi_dax_persist(struct kfi_memdev *mdev,
			   const struct kfi_mem_range *ranges, unsigned int nr)
{
	struct kfi_dax *kdax = to_dax(mdev);
	unsigned int i;

	for (i = 0; i < nr && kfi_dax_has_write_cache(kdax); i++)
		memdev_write_back(mdev->addr + ranges[i].offset, ranges[i].len);
	pmem_wmb();
	return mdev->sync ? 0 : kfi_dax_flush_host(kdax);
}

static void kfi_dax_release(struct kfi_memdev *mdev)
{
	kfree(to_dax(mdev));
}

static const struct kfi_memdev_ops kfi_dax_ops = {
	.persist	= kfi_dax_persist,
	.release	= kfi_dax_release,
};

/*
 * Providers need struct pages, and find them by the kernel address: it has to be
 * that of the linear map.
 */
static bool kfi_dax_has_pages(void *addr, unsigned long pfn, unsigned long nr)
{
	return pfn_valid(pfn) && pfn_valid(pfn + nr - 1) &&
	       page_address(pfn_to_page(pfn)) == addr;
}

static int kfi_dax_map_pages(struct kfi_dax *kdax, pgoff_t start,
			     unsigned long nr_pages)
{
	struct kfi_mem_extent *extent = &kdax->extent;
	unsigned long pfn;
	void *addr;
	long nr;

	while (extent->nr_pages < nr_pages) {
		nr = dax_direct_access(kdax->dax, start + extent->nr_pages,
				       nr_pages - extent->nr_pages, DAX_ACCESS,
				       &addr, &pfn);
		if (nr < 0)
			return nr;
		if (!kfi_dax_has_pages(addr, pfn, nr))
			return -EOPNOTSUPP;
		if (!extent->nr_pages) {
			kdax->mdev.addr = addr;
			extent->pfn = pfn;
		} else if (pfn != extent->pfn + extent->nr_pages) {
			return -EOPNOTSUPP;
		}
		extent->nr_pages += nr;
	}
	return 0;
}

/*
 * Whether a write-back is all that persisting takes. Only the region that a disk
 * lies on knows: dax_synchronous() is also true on a device whose structure was
 * another one's before, which dax_alloc_inode() in drivers/dax/super.c does not
 * clear. Who has no region is asked to flush; where that is not needed it costs
 * time only.
 */
static int kfi_dax_look_at_region(struct kfi_dax *kdax, struct device *region)
{
	/* memory that the platform says is volatile makes a pmem disk, too */
	if (strcmp(region->type->name, "nd_pmem"))
		return -EOPNOTSUPP;
	kdax->mdev.sync = is_nvdimm_sync(to_nd_region(region));
	return 0;
}

/* A disk that is live keeps its parent. */
static int kfi_dax_look_at_parent(struct kfi_dax *kdax)
{
	struct gendisk *disk = file_bdev(kdax->file)->bd_disk;
	struct device *parent = disk_to_dev(disk)->parent;
	int err = 0;

	mutex_lock(&disk->open_mutex);
	if (!disk_live(disk))
		err = -ENODEV;
	else if (parent && parent->bus && !strcmp(parent->bus->name, "nd"))
		err = kfi_dax_look_at_region(kdax, parent->parent);
	mutex_unlock(&disk->open_mutex);
	return err;
}

static int kfi_dax_map(struct kfi_dax *kdax, u64 start, u64 len)
{
	struct kfi_memdev *mdev = &kdax->mdev;
	int id, err;

	err = kfi_dax_look_at_parent(kdax);
	if (err)
		return err;
	if (!mdev->sync && !bdev_write_cache(file_bdev(kdax->file)))
		return -EOPNOTSUPP;
	id = dax_read_lock();
	err = kfi_dax_map_pages(kdax, PHYS_PFN(start), PHYS_PFN(len));
	dax_read_unlock(id);
	if (err)
		return err;
	mdev->len = len;
	mdev->domain = dax_write_cache_enabled(kdax->dax) ?
		KFI_PMEM_DOMAIN_MEMORY : KFI_PMEM_DOMAIN_CPU_CACHE;
	mdev->write_back = mdev->sync;
	mdev->incarnation = get_random_u64();
	mdev->extents = &kdax->extent;
	mdev->nr_extents = 1;
	return 0;
}

static bool kfi_dax_capable(struct block_device *bdev)
{
	return blk_queue_dax(bdev_get_queue(bdev)) &&
	       IS_ALIGNED(get_start_sect(bdev), PAGE_SECTORS) &&
	       IS_ALIGNED(bdev_nr_sectors(bdev), PAGE_SECTORS);
}

/* Under the lock, so that the first notification finds the device. */
static int kfi_dax_hold(struct kfi_dax *kdax, u64 *start)
{
	struct block_device *bdev = file_bdev(kdax->file);

	if (!kfi_dax_capable(bdev))
		return -EOPNOTSUPP;
	mutex_lock(&kfi_dax_lock);
	kdax->dax = fs_dax_get_by_bdev(bdev, start, kdax, &kfi_dax_holder_ops);
	if (kdax->dax)
		list_add_tail(&kdax->node, &kfi_dax_list);
	mutex_unlock(&kfi_dax_lock);
	return kdax->dax ? 0 : -EBUSY;
}

static void kfi_dax_unhold(struct kfi_dax *kdax)
{
	mutex_lock(&kfi_dax_lock);
	list_del(&kdax->node);
	mutex_unlock(&kfi_dax_lock);
	fs_put_dax(kdax->dax, kdax);
}

static struct kfi_memdev *kfi_dax_open(const char *path, void *holder)
{
	struct kfi_dax *kdax;
	u64 start;
	int err;

	kdax = kzalloc_obj(*kdax);
	if (!kdax)
		return ERR_PTR(-ENOMEM);
	kfi_memdev_init(&kdax->mdev, &kfi_dax_ops);
	kdax->file = bdev_file_open_by_path(path,
					    BLK_OPEN_READ | BLK_OPEN_WRITE,
					    holder, NULL);
	if (IS_ERR(kdax->file)) {
		err = PTR_ERR(kdax->file);
		goto err_free;
	}
	err = kfi_dax_hold(kdax, &start);
	if (err)
		goto err_file;
	err = kfi_dax_map(kdax, start, bdev_nr_bytes(file_bdev(kdax->file)));
	if (err)
		goto err_hold;
	return &kdax->mdev;

err_hold:
	kfi_dax_unhold(kdax);
err_file:
	bdev_fput(kdax->file);
err_free:
	kfree(kdax);
	return ERR_PTR(err);
}

static void kfi_dax_close(struct kfi_memdev *mdev)
{
	struct kfi_dax *kdax = to_dax(mdev);

	kfi_dax_unhold(kdax);
	bdev_fput(kdax->file);
}

static struct kfi_memdev_driver kfi_dax_driver = {
	.scheme	= "dax",
	.owner	= THIS_MODULE,
	.open	= kfi_dax_open,
	.close	= kfi_dax_close,
};

static int __init kfi_dax_init(void)
{
	return kfi_memdev_driver_register(&kfi_dax_driver);
}
module_init(kfi_dax_init);

static void __exit kfi_dax_exit(void)
{
	kfi_memdev_driver_unregister(&kfi_dax_driver);
}
module_exit(kfi_dax_exit);

MODULE_DESCRIPTION("DAX block devices as persistent memory for kfabric");
MODULE_LICENSE("Dual BSD/GPL");
MODULE_ALIAS("kfi-mem-dax");
