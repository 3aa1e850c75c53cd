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
#include <kfi_stats.h>

struct kfi_memdev;
struct kfi_memdev_counts;

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
 * @offset: of the first page in the device, bytes
 * @pfn: the first page
 * @nr_pages: how many
 */
struct kfi_mem_extent {
	u64		offset;
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
 * @ops: operations; set with kfi_memdev_init()
 * @addr: where the kernel has it mapped, contiguous
 * @len: bytes, a multiple of PAGE_SIZE
 * @domain: persistence domain
 * @sync: persist is not a request to someone else that has to be waited for
 * @write_back: lines that anybody has written back from the caches are as
 *	persistent as persist makes them
 * @incarnation: changes whenever what was not persistent may be lost
 * @extents: its pages, each one once; the core sorts them
 * @nr_extents: how many
 * @driver: the core's, as is all that follows
 * @name: the path that it was opened by, as much as there is room for
 * @id: its number among those that were opened
 * @counts: what was asked of it
 * @kref: one for the opener, one for each region
 * @node: in the list of open devices
 * @lock: protects @regions and the start and end of a region's life
 * @regions: the persistent regions in it that were not revoked
 * @alive: held for reading while persisting, for writing to revoke; protects
 *	@revoked and &kfi_pmem_region.revoked
 * @revoked: no region can be made
 * @closed: nor ever again; under @lock
 * @handler_lock: held while @handler runs; protects it, @pmem and @context. Outside
 *	of @lock
 * @handler: tells the opener that the device is revoked, or NULL
 * @pmem: argument of @handler, as is @context
 * @context: see @pmem
 *
 * The driver sets the members from @addr to @nr_extents before
 * kfi_memdev_driver.open() returns; of those only @incarnation changes later.
 */
struct kfi_memdev {
	const struct kfi_memdev_ops	*ops;
	void				*addr;
	size_t				len;
	enum kfi_pmem_domain		domain;
	bool				sync;
	bool				write_back;
	u64				incarnation;
	struct kfi_mem_extent		*extents;
	unsigned int			nr_extents;

	struct kfi_memdev_driver	*driver;
	const char			*name;
	u64				id;
	struct kfi_memdev_counts __percpu *counts;
	struct kref			kref;
	struct list_head		node;
	/* protects @regions, and the start and end of a region's life */
	struct mutex			lock;
	struct list_head		regions;
	/* held for reading by whoever needs @revoked to stay false */
	struct rw_semaphore		alive;
	bool				revoked;
	bool				closed;
	/* protects @handler and its arguments while it runs; outside of @lock */
	struct mutex			handler_lock;
	kfi_pmem_handler		handler;
	struct kfi_pmem			*pmem;
	void				*context;
};

/**
 * struct kfi_memdev_driver - a kind of memory device
 * @scheme: what a path to it starts with, before the colon; "dax" for paths that
 *	start with a slash. Its module has the alias "kfi-mem-SCHEME"
 * @owner: its module
 * @open: open the device; @path is what follows the colon, or all of it; -EBUSY
 *	when it is open already
 * @close: the opener closed it and all regions are revoked: persist is not
 *	called any more, &kfi_memdev_ops.release comes later
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
void kfi_memdev_init(struct kfi_memdev *dev, const struct kfi_memdev_ops *ops);
void kfi_memdev_revoke(struct kfi_memdev *dev, const char *why);
void kfi_memdev_restore(struct kfi_memdev *dev);

/**
 * struct kfi_pmem_piece - bytes of a region that lie side by side in the device
 * @start: from the region's start
 * @offset: from the device's start
 * @len: bytes
 */
struct kfi_pmem_piece {
	u64	start;
	u64	offset;
	u64	len;
};

/**
 * struct kfi_pmem_region - the persistent side of a memory region
 * @dev: the memory device
 * @revoke: told that the device is going away or has lost its contents: end
 *	remote access, fail the connections that could commit to the region.
 *	Process context; the region itself stays until it is closed. Called with
 *	@dev's lock held, which kfi_pmem_region_init() and _destroy() take
 * @revoked: nothing can be made persistent any more; under @dev's alive
 * @pieces: where the region's bytes are in @dev, in the region's order
 * @nr_pieces: how many
 * @len: bytes of all of them
 * @node: in @dev's list
 */
struct kfi_pmem_region {
	struct kfi_memdev	*dev;
	void			(*revoke)(struct kfi_pmem_region *region);
	bool			revoked;
	struct kfi_pmem_piece	*pieces;
	size_t			nr_pieces;
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
int kfi_pmem_store(struct kfi_pmem_region *region, u64 offset, const void *src,
		   size_t len);
int kfi_pmem_persist(const struct kfi_pmem_span *spans, unsigned int nr);
void kfi_memdev_read_stats(const struct kfi_memdev *dev,
			   struct kfi_memdev_stats *stats);

#endif /* KFI_MEMDEV_H */
