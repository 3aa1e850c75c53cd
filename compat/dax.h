/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What older kernels lack of DAX and block devices, included in front of the
 * file that uses them.
 */

#ifndef KFI_COMPAT_DAX_H
#define KFI_COMPAT_DAX_H

#include <linux/blkdev.h>
#include <linux/dax.h>

#ifndef KFI_HAS_DAX_PFN
#include <linux/pfn_t.h>

static inline long
kfi_dax_direct_access(struct dax_device *dax_dev, pgoff_t pgoff, long nr_pages,
		      enum dax_access_mode mode, void **kaddr,
		      unsigned long *pfn)
{
	pfn_t tagged = { 0 };
	long nr;

	nr = dax_direct_access(dax_dev, pgoff, nr_pages, mode, kaddr, &tagged);
	*pfn = pfn_t_to_pfn(tagged);
	return nr;
}

#define dax_direct_access	kfi_dax_direct_access
#endif

#ifndef KFI_HAS_BDEV_FILE
#define BLK_OPEN_READ	FMODE_READ
#define BLK_OPEN_WRITE	FMODE_WRITE

/* Without files of block devices the device itself stands for the file. */
static inline struct file *
bdev_file_open_by_path(const char *path, fmode_t mode, void *holder,
		       const void *hops)
{
	return (struct file *)blkdev_get_by_path(path, mode | FMODE_EXCL,
						 holder);
}

static inline struct block_device *file_bdev(struct file *file)
{
	return (struct block_device *)file;
}

static inline void bdev_fput(struct file *file)
{
	blkdev_put(file_bdev(file), FMODE_READ | FMODE_WRITE | FMODE_EXCL);
}
#endif

#endif /* KFI_COMPAT_DAX_H */
