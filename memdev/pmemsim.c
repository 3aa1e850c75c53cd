// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A persistent-memory simulator: ordinary memory that a power cut sets back to
 * what was made persistent. As a memory device its path is "pmemsim:NAME".
 */

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "pmemsim.h"

/**
 * struct pmemsim_dev - a simulator while it is open, or has regions
 * @mdev: what the core knows
 * @sim: the simulator
 */
struct pmemsim_dev {
	struct kfi_memdev	mdev;
	struct kfi_pmemsim	*sim;
};

static unsigned int size_mb[16];
static unsigned int nr_sizes;
module_param_array(size_mb, uint, &nr_sizes, 0444);
MODULE_PARM_DESC(size_mb,
		 "MiB of pmemsim:0, pmemsim:1..., which exist from the start");

/* protects the list of simulators */
static DEFINE_MUTEX(pmemsim_list_lock);
static LIST_HEAD(pmemsim_list);

static void pmemsim_release(struct kref *kref)
{
	struct kfi_pmemsim *sim = container_of(kref, struct kfi_pmemsim, kref);

	pmemsim_mem_destroy(&sim->mem);
	kfree(sim);
}

static struct kfi_pmemsim *pmemsim_find(const char *name)
{
	struct kfi_pmemsim *sim;

	list_for_each_entry(sim, &pmemsim_list, node)
		if (!strcmp(sim->name, name))
			return sim;
	return NULL;
}

/*
 * The memory device
 */

static struct pmemsim_dev *to_dev(struct kfi_memdev *mdev)
{
	return container_of(mdev, struct pmemsim_dev, mdev);
}

static int pmemsim_persist(struct kfi_memdev *mdev,
			   const struct kfi_mem_range *ranges, unsigned int nr)
{
	struct kfi_pmemsim *sim = to_dev(mdev)->sim;
	unsigned int delay = READ_ONCE(sim->delay_ms);

	/* jiffies are behind on a busy virtual machine: not a moment too early */
	if (delay)
		wait_event_hrtimeout(sim->cut_wait,
				     test_bit(PMEMSIM_OFF, &sim->flags),
				     ms_to_ktime(delay));
	if (test_bit(PMEMSIM_OFF, &sim->flags))
		return -ENODEV;
	if (atomic_dec_if_positive(&sim->fail) >= 0)
		return -EIO;
	pmemsim_mem_persist(&sim->mem, ranges, nr);
	return 0;
}

static void pmemsim_dev_release(struct kfi_memdev *mdev)
{
	struct pmemsim_dev *dev = to_dev(mdev);

	kref_put(&dev->sim->kref, pmemsim_release);
	kvfree(mdev->extents);
	kfree(dev);
}

static const struct kfi_memdev_ops pmemsim_dev_ops = {
	.persist	= pmemsim_persist,
	.release	= pmemsim_dev_release,
};

static struct pmemsim_dev *pmemsim_dev_create(struct kfi_pmemsim *sim)
{
	struct pmemsim_dev *dev;

	dev = kzalloc_obj(*dev);
	if (!dev)
		return NULL;
	kfi_memdev_init(&dev->mdev, &pmemsim_dev_ops);
	dev->mdev.extents = pmemsim_mem_extents(&sim->mem,
						&dev->mdev.nr_extents);
	if (!dev->mdev.extents) {
		kfree(dev);
		return NULL;
	}
	dev->mdev.addr = sim->mem.addr;
	dev->mdev.len = sim->mem.len;
	dev->mdev.domain = KFI_PMEM_DOMAIN_MEMORY;
	dev->mdev.sync = true;
	dev->sim = sim;
	return dev;
}

static struct kfi_memdev *pmemsim_attach(struct kfi_pmemsim *sim)
{
	struct pmemsim_dev *dev = NULL;
	int err = 0;

	mutex_lock(&sim->lock);
	if (sim->gone)
		err = -ENODEV;
	else if (sim->dev)
		err = -EBUSY;
	else
		dev = pmemsim_dev_create(sim);
	if (dev) {
		kref_get(&sim->kref);
		dev->mdev.incarnation = sim->incarnation;
		sim->dev = dev;
	} else if (!err) {
		err = -ENOMEM;
	}
	mutex_unlock(&sim->lock);
	return err ? ERR_PTR(err) : &dev->mdev;
}

static struct kfi_memdev *pmemsim_open(const char *path, void *holder)
{
	struct kfi_memdev *mdev;
	struct kfi_pmemsim *sim;

	mutex_lock(&pmemsim_list_lock);
	sim = pmemsim_find(path);
	if (sim)
		kref_get(&sim->kref);
	mutex_unlock(&pmemsim_list_lock);
	if (!sim)
		return ERR_PTR(-ENODEV);
	mdev = pmemsim_attach(sim);
	kref_put(&sim->kref, pmemsim_release);
	return mdev;
}

static void pmemsim_close(struct kfi_memdev *mdev)
{
	struct kfi_pmemsim *sim = to_dev(mdev)->sim;

	mutex_lock(&sim->lock);
	sim->dev = NULL;
	mutex_unlock(&sim->lock);
}

static struct kfi_memdev_driver pmemsim_driver = {
	.scheme	= "pmemsim",
	.owner	= THIS_MODULE,
	.open	= pmemsim_open,
	.close	= pmemsim_close,
};

/*
 * What developers and tests call
 */

static bool pmemsim_name_valid(const char *name)
{
	return *name && strlen(name) < KFI_NAME_MAX && !strchr(name, '/') &&
	       strcmp(name, ".") && strcmp(name, "..");
}

/**
 * kfi_pmemsim_create() - make a simulator
 * @name: its name: its path is "pmemsim:NAME"
 * @len: bytes, a multiple of PAGE_SIZE; it takes twice as much memory
 *
 * Memory and media are zero.
 *
 * Context: Process context, may sleep.
 * Return: the simulator; -EINVAL for a bad argument, -EEXIST when there is one of
 * this name, -ENOMEM.
 */
struct kfi_pmemsim *kfi_pmemsim_create(const char *name, size_t len)
{
	struct kfi_pmemsim *sim;
	int err;

	might_sleep();
	if (!pmemsim_name_valid(name) || !len || !PAGE_ALIGNED(len))
		return ERR_PTR(-EINVAL);
	sim = kzalloc_obj(*sim);
	if (!sim)
		return ERR_PTR(-ENOMEM);
	strscpy(sim->name, name, sizeof(sim->name));
	kref_init(&sim->kref);
	init_waitqueue_head(&sim->cut_wait);
	mutex_init(&sim->lock);
	sim->incarnation = get_random_u64();
	err = pmemsim_mem_init(&sim->mem, len);
	if (err) {
		kfree(sim);
		return ERR_PTR(err);
	}

	mutex_lock(&pmemsim_list_lock);
	if (pmemsim_find(name)) {
		err = -EEXIST;
	} else {
		list_add_tail(&sim->node, &pmemsim_list);
		pmemsim_debugfs_add(sim);
	}
	mutex_unlock(&pmemsim_list_lock);
	if (err) {
		kref_put(&sim->kref, pmemsim_release);
		return ERR_PTR(err);
	}
	return sim;
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_create);

/**
 * kfi_pmemsim_destroy() - remove a simulator
 * @sim: the simulator
 *
 * Also while it is open, as when a device is pulled out: its regions are revoked,
 * and nothing can be made persistent any more. The memory goes when it has been
 * closed and no region is left.
 *
 * Context: Process context, may sleep.
 */
void kfi_pmemsim_destroy(struct kfi_pmemsim *sim)
{
	might_sleep();
	mutex_lock(&pmemsim_list_lock);
	list_del(&sim->node);
	pmemsim_debugfs_remove(sim);
	mutex_unlock(&pmemsim_list_lock);

	mutex_lock(&sim->lock);
	sim->gone = true;
	set_bit(PMEMSIM_OFF, &sim->flags);
	wake_up_all(&sim->cut_wait);
	if (sim->dev)
		kfi_memdev_revoke(&sim->dev->mdev);
	mutex_unlock(&sim->lock);
	kref_put(&sim->kref, pmemsim_release);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_destroy);

/**
 * kfi_pmemsim_cut() - cut the power
 * @sim: the simulator
 *
 * Every region in it is revoked, which fails their connections; a persist that
 * is being delayed fails and leaves the media as it is. Then the memory is set to
 * what is on the media, and new regions can be made.
 *
 * Context: Process context, may sleep. Not from &kfi_pmem_region.revoke.
 * Return: 0, or -EBUSY when a cut is under way.
 */
int kfi_pmemsim_cut(struct kfi_pmemsim *sim)
{
	struct kfi_memdev *mdev;

	might_sleep();
	if (test_and_set_bit(PMEMSIM_OFF, &sim->flags))
		return -EBUSY;
	wake_up_all(&sim->cut_wait);

	mutex_lock(&sim->lock);
	mdev = sim->dev ? &sim->dev->mdev : NULL;
	if (mdev)
		kfi_memdev_revoke(mdev);
	pmemsim_mem_lose(&sim->mem);
	sim->incarnation++;
	clear_bit(PMEMSIM_OFF, &sim->flags);
	if (mdev) {
		WRITE_ONCE(mdev->incarnation, sim->incarnation);
		kfi_memdev_restore(mdev);
	}
	mutex_unlock(&sim->lock);
	return 0;
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_cut);

/**
 * kfi_pmemsim_set_delay() - make persisting slow
 * @sim: the simulator
 * @ms: milliseconds that every request takes from now on, at least
 *
 * Requests do not wait for each other.
 *
 * Context: Any context.
 */
void kfi_pmemsim_set_delay(struct kfi_pmemsim *sim, unsigned int ms)
{
	WRITE_ONCE(sim->delay_ms, ms);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_set_delay);

/**
 * kfi_pmemsim_fail_next() - make persisting fail
 * @sim: the simulator
 * @count: requests that fail from now on with -EIO and leave the media as it is;
 *	0 ends it
 *
 * Context: Any context.
 */
void kfi_pmemsim_fail_next(struct kfi_pmemsim *sim, unsigned int count)
{
	atomic_set(&sim->fail, min_t(unsigned int, count, INT_MAX));
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_fail_next);

/**
 * kfi_pmemsim_trace_read() - what became persistent
 * @sim: the simulator
 * @trace: where the ranges are returned, oldest first
 * @max: elements of @trace
 *
 * Each range is returned once. The simulator remembers a few thousand; older
 * ones are lost.
 *
 * Context: Process context, may sleep.
 * Return: elements written to @trace.
 */
unsigned int kfi_pmemsim_trace_read(struct kfi_pmemsim *sim,
				    struct kfi_pmemsim_trace *trace,
				    unsigned int max)
{
	return pmemsim_mem_trace_read(&sim->mem, trace, max);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_trace_read);

/**
 * kfi_pmemsim_persists() - how often something was made persistent
 * @sim: the simulator
 *
 * Context: Any context.
 * Return: requests that were done, without those that failed.
 */
u64 kfi_pmemsim_persists(const struct kfi_pmemsim *sim)
{
	return READ_ONCE(sim->mem.persists);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_persists);

/**
 * kfi_pmemsim_dirty() - whether a cut would change memory
 * @sim: the simulator
 * @offset: from the start of its memory
 * @len: bytes
 *
 * Context: Process context, may sleep.
 * Return: true when the bytes differ from the media, or are not all inside.
 */
bool kfi_pmemsim_dirty(struct kfi_pmemsim *sim, u64 offset, u64 len)
{
	return pmemsim_mem_dirty(&sim->mem, offset, len);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_dirty);

/*
 * The module
 */

static void pmemsim_destroy_all(void)
{
	struct kfi_pmemsim *sim, *next;

	list_for_each_entry_safe(sim, next, &pmemsim_list, node)
		kfi_pmemsim_destroy(sim);
}

static int pmemsim_create_all(void)
{
	struct kfi_pmemsim *sim;
	unsigned int i;
	char name[12];

	for (i = 0; i < nr_sizes; i++) {
		snprintf(name, sizeof(name), "%u", i);
		sim = kfi_pmemsim_create(name, (size_t)size_mb[i] * SZ_1M);
		if (IS_ERR(sim))
			return PTR_ERR(sim);
	}
	return 0;
}

static int __init pmemsim_init(void)
{
	int err;

	pmemsim_debugfs_init();
	err = pmemsim_create_all();
	if (!err)
		err = kfi_memdev_driver_register(&pmemsim_driver);
	if (err) {
		pmemsim_destroy_all();
		pmemsim_debugfs_exit();
	}
	return err;
}
module_init(pmemsim_init);

static void __exit pmemsim_exit(void)
{
	kfi_memdev_driver_unregister(&pmemsim_driver);
	pmemsim_destroy_all();
	pmemsim_debugfs_exit();
}
module_exit(pmemsim_exit);

MODULE_DESCRIPTION("Persistent-memory simulator for kfabric");
MODULE_LICENSE("Dual BSD/GPL");
MODULE_ALIAS("kfi-mem-pmemsim");
