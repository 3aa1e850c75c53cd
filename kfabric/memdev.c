// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Memory devices: their drivers, and which ones are open.
 */

#include <linux/bsearch.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kmod.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "memdev.h"

struct kfi_pmem {
	struct kfi_memdev *dev;
};

/* protects the list of drivers */
static DEFINE_MUTEX(drivers_lock);
static LIST_HEAD(drivers);

/*
 * protects the list of open devices. The last one opened is in front: a device
 * that has gone stays in the list until it is closed, and may meanwhile be back.
 */
static DEFINE_MUTEX(memdevs_lock);
static LIST_HEAD(memdevs);
static u64 last_memdev;

/* Bytes of a path that are kept to be shown */
#define KFI_MEMDEV_NAME_LEN	255

static struct kfi_memdev_driver *find_driver(const char *scheme)
{
	struct kfi_memdev_driver *driver;

	list_for_each_entry(driver, &drivers, node)
		if (!strcmp(driver->scheme, scheme))
			return driver;
	return NULL;
}

/**
 * kfi_memdev_driver_register() - add a kind of memory device
 * @driver: the driver
 *
 * Context: Process context, may sleep.
 * Return: 0, or -EEXIST when there is one for this scheme.
 */
int kfi_memdev_driver_register(struct kfi_memdev_driver *driver)
{
	int ret = 0;

	mutex_lock(&drivers_lock);
	if (find_driver(driver->scheme))
		ret = -EEXIST;
	else
		list_add_tail(&driver->node, &drivers);
	mutex_unlock(&drivers_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(kfi_memdev_driver_register);

/**
 * kfi_memdev_driver_unregister() - remove a kind of memory device
 * @driver: the driver
 *
 * To be called as its module is unloaded: no device of it exists then, because
 * each one holds a reference to the module.
 *
 * Context: Process context, may sleep.
 */
void kfi_memdev_driver_unregister(struct kfi_memdev_driver *driver)
{
	mutex_lock(&drivers_lock);
	list_del(&driver->node);
	mutex_unlock(&drivers_lock);
}
EXPORT_SYMBOL_GPL(kfi_memdev_driver_unregister);

static struct kfi_memdev_driver *take_driver(const char *scheme)
{
	struct kfi_memdev_driver *driver;

	mutex_lock(&drivers_lock);
	driver = find_driver(scheme);
	if (driver && !try_module_get(driver->owner))
		driver = NULL;
	mutex_unlock(&drivers_lock);
	return driver;
}

/**
 * kfi_memdev_init() - prepare a memory device
 * @dev: the device
 * @ops: its operations
 *
 * To be called by &kfi_memdev_driver.open before anything can revoke the device.
 *
 * Context: Any context.
 */
void kfi_memdev_init(struct kfi_memdev *dev, const struct kfi_memdev_ops *ops)
{
	dev->ops = ops;
	kref_init(&dev->kref);
	INIT_LIST_HEAD(&dev->node);
	mutex_init(&dev->lock);
	INIT_LIST_HEAD(&dev->regions);
	init_rwsem(&dev->alive);
	dev->revoked = false;
	dev->closed = false;
	dev->driver = NULL;
	dev->name = NULL;
	mutex_init(&dev->handler_lock);
	dev->handler = NULL;
}
EXPORT_SYMBOL_GPL(kfi_memdev_init);

static void release_memdev(struct kref *kref)
{
	struct kfi_memdev *dev = container_of(kref, struct kfi_memdev, kref);
	struct module *owner = dev->driver->owner;

	free_percpu(dev->counts);
	kfree(dev->name);
	dev->ops->release(dev);
	module_put(owner);
}

void kfi_memdev_put(struct kfi_memdev *dev)
{
	kref_put(&dev->kref, release_memdev);
}

static int compare_extents(const void *a, const void *b)
{
	const struct kfi_mem_extent *ea = a, *eb = b;

	if (ea->pfn == eb->pfn)
		return 0;
	return ea->pfn < eb->pfn ? -1 : 1;
}

static int compare_pfn(const void *key, const void *elem)
{
	const struct kfi_mem_extent *extent = elem;
	unsigned long pfn = *(const unsigned long *)key;

	if (pfn < extent->pfn)
		return -1;
	return pfn - extent->pfn < extent->nr_pages ? 0 : 1;
}

/* the extent of an open device that has a page, or NULL */
const struct kfi_mem_extent *kfi_memdev_extent(const struct kfi_memdev *dev,
					       unsigned long pfn)
{
	return bsearch(&pfn, dev->extents, dev->nr_extents,
		       sizeof(*dev->extents), compare_pfn);
}

/* the open device that has a page, with a reference, or NULL */
struct kfi_memdev *kfi_memdev_get(unsigned long pfn)
{
	struct kfi_memdev *dev, *found = NULL;

	mutex_lock(&memdevs_lock);
	list_for_each_entry(dev, &memdevs, node) {
		if (kfi_memdev_extent(dev, pfn)) {
			kref_get(&dev->kref);
			found = dev;
			break;
		}
	}
	mutex_unlock(&memdevs_lock);
	return found;
}

/* The first device opened after @id, with a reference, or NULL. */
struct kfi_memdev *kfi_memdev_next(u64 id)
{
	struct kfi_memdev *dev, *found = NULL;

	mutex_lock(&memdevs_lock);
	list_for_each_entry_reverse(dev, &memdevs, node) {
		if (dev->id > id) {
			kref_get(&dev->kref);
			found = dev;
			break;
		}
	}
	mutex_unlock(&memdevs_lock);
	return found;
}

/* How many regions there are in a device, and whether it has gone. */
unsigned int kfi_memdev_count(struct kfi_memdev *dev, bool *dead)
{
	struct list_head *node;
	unsigned int count = 0;

	mutex_lock(&dev->lock);
	list_for_each(node, &dev->regions)
		count++;
	*dead = dev->revoked;
	mutex_unlock(&dev->lock);
	return count;
}

/* What a path says: the scheme, and what the driver is given. */
static const char *split_path(const char *path, char *scheme, size_t size)
{
	const char *colon;

	if (path[0] == '/') {
		strscpy(scheme, "dax", size);
		return path;
	}
	colon = strchr(path, ':');
	if (!colon || colon == path || colon - path >= size)
		return NULL;
	strscpy(scheme, path, colon - path + 1);
	return colon + 1;
}

/**
 * kfi_pmem_open() - open a memory device
 * @path: which one, see "DOC: memory devices"
 * @holder: whatever identifies the caller to the device, not NULL
 *
 * Loads the module of the device's driver if it has to. The device is the
 * caller's alone until kfi_pmem_close().
 *
 * Context: Process context, may sleep.
 * Return: the device; -EINVAL for a bad argument, -ENODEV when there is no
 * driver for such a path or no such simulator, -ENOENT when there is no such
 * file, -ENOTBLK when it is not a block device, -EACCES when it is read-only,
 * -EBUSY when somebody has it open already, -EOPNOTSUPP when it cannot do what is
 * needed, -ENOMEM, or an error of the device.
 */
struct kfi_pmem *kfi_pmem_open(const char *path, void *holder)
{
	struct kfi_memdev_driver *driver;
	char scheme[KFI_NAME_MAX];
	struct kfi_memdev_counts __percpu *counts;
	const char *rest, *name;
	struct kfi_memdev *dev;
	struct kfi_pmem *pmem;
	int ret = -ENOMEM;

	might_sleep();
	rest = path ? split_path(path, scheme, sizeof(scheme)) : NULL;
	if (!rest || !holder)
		return ERR_PTR(-EINVAL);
	driver = take_driver(scheme);
	if (!driver) {
		request_module("kfi-mem-%s", scheme);
		driver = take_driver(scheme);
	}
	if (!driver)
		return ERR_PTR(-ENODEV);

	name = kstrndup(path, KFI_MEMDEV_NAME_LEN, GFP_KERNEL);
	if (!name)
		goto err_module;
	counts = kfi_memdev_counts_alloc();
	if (!counts)
		goto err_name;
	pmem = kmalloc_obj(*pmem);
	if (!pmem)
		goto err_counts;
	dev = driver->open(rest, holder);
	if (IS_ERR(dev)) {
		ret = PTR_ERR(dev);
		goto err_free;
	}
	/* it may be revoked by now */
	mutex_lock(&dev->lock);
	dev->driver = driver;
	dev->name = name;
	mutex_unlock(&dev->lock);
	dev->counts = counts;
	sort(dev->extents, dev->nr_extents, sizeof(*dev->extents),
	     compare_extents, NULL);
	pmem->dev = dev;

	mutex_lock(&memdevs_lock);
	dev->id = ++last_memdev;
	list_add(&dev->node, &memdevs);
	mutex_unlock(&memdevs_lock);
	return pmem;

err_free:
	kfree(pmem);
err_counts:
	free_percpu(counts);
err_name:
	kfree(name);
err_module:
	module_put(driver->owner);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(kfi_pmem_open);

static void set_handler(struct kfi_memdev *dev, struct kfi_pmem *pmem,
			kfi_pmem_handler handler, void *context)
{
	lockdep_assert_held(&dev->handler_lock);
	dev->handler = handler;
	dev->pmem = pmem;
	dev->context = context;
}

/**
 * kfi_pmem_set_handler() - be told when a memory device is revoked
 * @pmem: the device
 * @handler: who is told, or NULL for nobody
 * @context: argument of @handler
 *
 * When this returns 0, the handler that there was before is not running, and will not
 * be called. After an error everything is as it was.
 *
 * Context: Process context, may sleep. Not from a handler.
 * Return: 0, or -ENODEV for a @handler when the device has been revoked already and is
 * not back.
 */
int kfi_pmem_set_handler(struct kfi_pmem *pmem, kfi_pmem_handler handler,
			 void *context)
{
	struct kfi_memdev *dev = pmem->dev;
	int ret = 0;

	might_sleep();
	mutex_lock(&dev->handler_lock);
	mutex_lock(&dev->lock);
	if (handler && dev->revoked)
		ret = -ENODEV;
	mutex_unlock(&dev->lock);
	/* A device that is revoked from here on waits for the lock to tell. */
	if (!ret)
		set_handler(dev, pmem, handler, context);
	mutex_unlock(&dev->handler_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(kfi_pmem_set_handler);

/**
 * kfi_pmem_close() - close a memory device
 * @pmem: the device
 *
 * Regions that still exist in it are revoked, and have to be closed like any
 * others. The memory must not be used any more. A handler is not called for this;
 * one that is running is waited for.
 *
 * Context: Process context, may sleep.
 */
void kfi_pmem_close(struct kfi_pmem *pmem)
{
	struct kfi_memdev *dev = pmem->dev;

	might_sleep();
	mutex_lock(&memdevs_lock);
	list_del(&dev->node);
	mutex_unlock(&memdevs_lock);

	mutex_lock(&dev->handler_lock);
	set_handler(dev, NULL, NULL, NULL);
	mutex_unlock(&dev->handler_lock);
	mutex_lock(&dev->lock);
	dev->closed = true;
	mutex_unlock(&dev->lock);
	kfi_memdev_revoke(dev, "closed by its consumer");
	dev->driver->close(dev);
	kfi_memdev_put(dev);
	kfree(pmem);
}
EXPORT_SYMBOL_GPL(kfi_pmem_close);

/**
 * kfi_pmem_addr() - where a memory device is mapped
 * @pmem: the device
 *
 * Context: Any context.
 * Return: kernel address of its first byte; all of it is contiguous there.
 */
void *kfi_pmem_addr(const struct kfi_pmem *pmem)
{
	return pmem->dev->addr;
}
EXPORT_SYMBOL_GPL(kfi_pmem_addr);

/**
 * kfi_pmem_len() - size of a memory device
 * @pmem: the device
 *
 * Context: Any context.
 * Return: bytes.
 */
size_t kfi_pmem_len(const struct kfi_pmem *pmem)
{
	return pmem->dev->len;
}
EXPORT_SYMBOL_GPL(kfi_pmem_len);

/**
 * kfi_pmem_domain() - what of a memory device survives a power failure
 * @pmem: the device
 *
 * Context: Any context.
 * Return: the persistence domain.
 */
enum kfi_pmem_domain kfi_pmem_domain(const struct kfi_pmem *pmem)
{
	return pmem->dev->domain;
}
EXPORT_SYMBOL_GPL(kfi_pmem_domain);

/**
 * kfi_pmem_sync() - whether this host's CPU alone makes memory persistent
 * @pmem: the device
 *
 * Context: Any context.
 * Return: false when persisting is a request to someone else that sleeps.
 */
bool kfi_pmem_sync(const struct kfi_pmem *pmem)
{
	return pmem->dev->sync;
}
EXPORT_SYMBOL_GPL(kfi_pmem_sync);

/**
 * kfi_pmem_incarnation() - tell one life of a memory device from the next
 * @pmem: the device
 *
 * Context: Any context.
 * Return: a number that is another one whenever writes that were not made
 * persistent may have been lost, and often when they were not.
 */
u64 kfi_pmem_incarnation(const struct kfi_pmem *pmem)
{
	return READ_ONCE(pmem->dev->incarnation);
}
EXPORT_SYMBOL_GPL(kfi_pmem_incarnation);
