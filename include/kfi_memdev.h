/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The registry of memory devices: what a driver of one gives to the core, and
 * what providers ask the core. Not for consumers, who have kfi_pmem.h.
 */

#ifndef KFI_MEMDEV_H
#define KFI_MEMDEV_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/types.h>

#include <kfi_domain.h>
#include <kfi_pmem.h>

struct kfi_memdev;

/**
 * struct kfi_mem_range - bytes of a memory device
 * @offset: from its start
 * @len: bytes
 */
struct kfi_mem_range {
	u64	offset;
	u64	len;
};

/**
 * struct kfi_mem_extent - pages of a memory device that lie side by side
 * @pfn: the first
 * @nr_pages: how many
 */
struct kfi_mem_extent {
	unsigned long	pfn;
	unsigned long	nr_pages;
};

/**
 * struct kfi_memdev_ops - operations of a memory device
 * @persist: make ranges persistent: when it returns 0 they survive a power
 *	failure. Process context, may sleep. Not called after the device was
 *	revoked
 * @release: the last user is gone: free the device
 */
struct kfi_memdev_ops {
	int	(*persist)(struct kfi_memdev *dev,
			   const struct kfi_mem_range *ranges, unsigned int nr);
	void	(*release)(struct kfi_memdev *dev);
};

/**
 * struct kfi_memdev - an open memory device
 * @ops: operations; set by the driver before kfi_memdev_driver.open() returns,
 *	as are all members up to @extents
 * @addr: where the kernel has it mapped, contiguous
 * @len: bytes, a multiple of PAGE_SIZE
 * @domain: persistence domain
 * @sync: persist is not a request to someone else that has to be waited for
 * @incarnation: changes whenever what was not persistent may be lost
 * @extents: its pages, in the order of their offsets
 * @nr_extents: how many
 * @driver: the core's, as is all that follows
 * @kref: one for the opener, one for each region
 * @node: in the list of open devices
 * @lock: protects @regions and the start and end of a region's life
 * @regions: the persistent regions in it
 * @alive: held for reading while persisting, for writing to revoke; protects
 *	&kfi_pmem_region.revoked
 */
struct kfi_memdev {
	const struct kfi_memdev_ops	*ops;
	void				*addr;
	size_t				len;
	enum kfi_pmem_domain		domain;
	bool				sync;
	u64				incarnation;
	const struct kfi_mem_extent	*extents;
	unsigned int			nr_extents;

	struct kfi_memdev_driver	*driver;
	struct kref			kref;
	struct list_head		node;
	/* protects @regions, and the start and end of a region's life */
	struct mutex			lock;
	struct list_head		regions;
	struct rw_semaphore		alive;
};

/**
 * struct kfi_memdev_driver - a kind of memory device
 * @scheme: what a path to it starts with, before the colon; "dax" for paths that
 *	start with a slash. Its module has the alias "kfi-mem-SCHEME"
 * @owner: its module
 * @open: open the device; @path is what follows the colon, or all of it
 * @close: the opener closed it: no region is alive any more, but
 *	&kfi_memdev_ops.release comes later
 * @node: the core's
 */
struct kfi_memdev_driver {
	const char		*scheme;
	struct module		*owner;
	struct kfi_memdev	*(*open)(const char *path, void *holder);
	void			(*close)(struct kfi_memdev *dev);
	struct list_head	node;
};

int kfi_memdev_driver_register(struct kfi_memdev_driver *driver);
void kfi_memdev_driver_unregister(struct kfi_memdev_driver *driver);
void kfi_memdev_revoke(struct kfi_memdev *dev);

/**
 * struct kfi_pmem_region - the persistent side of a memory region
 * @dev: the memory device
 * @revoke: told that the device is going away or has lost its contents: end
 *	remote access, fail the connections that could commit to the region.
 *	Process context; the region itself stays until it is closed
 * @revoked: nothing can be made persistent any more; under @dev's alive
 * @ranges: where the region's bytes are in @dev, in the region's order
 * @nr_ranges: how many
 * @len: bytes of all of them
 * @node: in @dev's list
 */
struct kfi_pmem_region {
	struct kfi_memdev	*dev;
	void			(*revoke)(struct kfi_pmem_region *region);
	bool			revoked;
	struct kfi_mem_range	*ranges;
	unsigned int		nr_ranges;
	u64			len;
	struct list_head	node;
};

/**
 * struct kfi_pmem_span - bytes of a region that are to become persistent
 * @region: the region
 * @offset: from the region's start
 * @len: bytes
 */
struct kfi_pmem_span {
	struct kfi_pmem_region	*region;
	u64			offset;
	u64			len;
};

int kfi_pmem_region_init(struct kfi_pmem_region *region,
			 enum kfi_iov_type type, const void *iov, size_t count,
			 void (*revoke)(struct kfi_pmem_region *region));
void kfi_pmem_region_destroy(struct kfi_pmem_region *region);
int kfi_pmem_persist(const struct kfi_pmem_span *spans, unsigned int nr);

#endif /* KFI_MEMDEV_H */
