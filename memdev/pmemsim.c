// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A persistent-memory simulator: ordinary memory that a power cut sets back to
 * what was made persistent. As a memory device its path is "pmemsim:NAME".
 */

#include <linux/err.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

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

static struct lock_class_key pmemsim_lock_class, pmemsim_handler_class;

static struct pmemsim_dev *to_dev(struct kfi_memdev *mdev)
{
	return container_of(mdev, struct pmemsim_dev, mdev);
}

static int pmemsim_dev_persist(struct kfi_memdev *mdev,
			       const struct kfi_mem_range *ranges,
			       unsigned int nr)
{
	return pmemsim_persist(to_dev(mdev)->sim, ranges, nr);
}

static void pmemsim_dev_release(struct kfi_memdev *mdev)
{
	struct pmemsim_dev *dev = to_dev(mdev);

	kref_put(&dev->sim->kref, pmemsim_release);
	kvfree(mdev->extents);
	kfree(dev);
}

static const struct kfi_memdev_ops pmemsim_dev_ops = {
	.persist	= pmemsim_dev_persist,
	.release	= pmemsim_dev_release,
};

static struct pmemsim_dev *pmemsim_dev_create(struct kfi_pmemsim *sim)
{
	struct pmemsim_dev *dev;

	dev = kzalloc_obj(*dev);
	if (!dev)
		return NULL;
	kfi_memdev_init(&dev->mdev, &pmemsim_dev_ops);
	/* those of a device that the simulator is attached to may be held */
	lockdep_set_class(&dev->mdev.lock, &pmemsim_lock_class);
	lockdep_set_class(&dev->mdev.handler_lock, &pmemsim_handler_class);
	dev->mdev.extents = pmemsim_mem_extents(&sim->mem,
						&dev->mdev.nr_extents);
	if (!dev->mdev.extents) {
		kfree(dev);
		return NULL;
	}
	dev->mdev.addr = sim->mem.memory.addr;
	dev->mdev.len = sim->mem.len;
	dev->mdev.domain = sim->domain;
	dev->mdev.sync = sim->sync;
	dev->mdev.write_back = sim->sync && sim->mem.attached;
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

static bool pmemsim_attr_valid(const char *name,
			       const struct kfi_pmemsim_attr *attr)
{
	return (attr->attach || (attr->len && PAGE_ALIGNED(attr->len))) &&
	       attr->domain <= KFI_PMEMSIM_LIE &&
	       (!attr->disk || pmemsim_disk_name_valid(name));
}

static struct kfi_pmemsim *pmemsim_alloc(const char *name,
					 const struct kfi_pmemsim_attr *attr)
{
	struct kfi_pmemsim *sim;
	int err;

	sim = kzalloc_obj(*sim);
	if (!sim)
		return ERR_PTR(-ENOMEM);
	strscpy(sim->name, name, sizeof(sim->name));
	kref_init(&sim->kref);
	mutex_init(&sim->lock);
	pmemsim_faults_init(sim);
	sim->domain = attr->domain == KFI_PMEMSIM_ADR ?
		KFI_PMEM_DOMAIN_MEMORY : KFI_PMEM_DOMAIN_CPU_CACHE;
	sim->sync = !attr->async;
	sim->incarnation = get_random_u64();
	err = pmemsim_mem_init(&sim->mem, attr);
	if (err) {
		kfree(sim);
		return ERR_PTR(err);
	}
	return sim;
}

static bool pmemsim_publish(struct kfi_pmemsim *sim)
{
	bool unique;

	mutex_lock(&pmemsim_list_lock);
	unique = !pmemsim_find(sim->name);
	if (unique) {
		list_add_tail(&sim->node, &pmemsim_list);
		pmemsim_debugfs_add(sim);
	}
	mutex_unlock(&pmemsim_list_lock);
	return unique;
}

/**
 * kfi_pmemsim_create_attr() - make a simulator
 * @name: its name: its path is "pmemsim:NAME"
 * @attr: what it is to be like
 *
 * Memory and media are zero, unless it is attached.
 *
 * Context: Process context, may sleep.
 * Return: the simulator; -EINVAL for a bad argument, or a name that is too long for
 * a disk, -EEXIST when there is one of this name, -ENOMEM when the machine does
 * not have twice as much memory, or an error of the block layer. When it is to be
 * attached also an error of kfi_pmem_open(), and -EOPNOTSUPP when the memory is not
 * such that writing back lines makes them persistent, or when this kernel cannot
 * see that: it needs kprobes, and x86.
 */
struct kfi_pmemsim *kfi_pmemsim_create_attr(const char *name,
					    const struct kfi_pmemsim_attr *attr)
{
	struct kfi_pmemsim *sim;
	int err = 0;

	might_sleep();
	if (!pmemsim_name_valid(name) || !pmemsim_attr_valid(name, attr))
		return ERR_PTR(-EINVAL);
	sim = pmemsim_alloc(name, attr);
	if (IS_ERR(sim))
		return sim;
	if (!pmemsim_publish(sim)) {
		kref_put(&sim->kref, pmemsim_release);
		return ERR_PTR(-EEXIST);
	}
	if (attr->disk) {
		mutex_lock(&sim->lock);
		err = pmemsim_disk_add(sim);
		mutex_unlock(&sim->lock);
	}
	if (err) {
		kfi_pmemsim_destroy(sim);
		return ERR_PTR(err);
	}
	return sim;
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_create_attr);

/**
 * kfi_pmemsim_create() - make a simulator that loses what was not made persistent
 * @name: its name: its path is "pmemsim:NAME"
 * @len: bytes, a multiple of PAGE_SIZE; it takes twice as much memory
 *
 * Context: Process context, may sleep.
 * Return: as kfi_pmemsim_create_attr().
 */
struct kfi_pmemsim *kfi_pmemsim_create(const char *name, size_t len)
{
	const struct kfi_pmemsim_attr attr = { .len = len };

	return kfi_pmemsim_create_attr(name, &attr);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_create);

/* For good. With the lock held. */
static void pmemsim_end(struct kfi_pmemsim *sim)
{
	sim->gone = true;
	pmemsim_power_off(sim);
	if (sim->dev)
		kfi_memdev_revoke(&sim->dev->mdev, "removed");
	pmemsim_disk_remove(sim);
}

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
	pmemsim_end(sim);
	mutex_unlock(&sim->lock);
	kref_put(&sim->kref, pmemsim_release);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_destroy);

/* The device that the simulator is attached to is being removed, with the memory. */
void pmemsim_unplugged(struct kfi_pmemsim *sim)
{
	mutex_lock(&sim->lock);
	pmemsim_end(sim);
	pmemsim_mem_gone(&sim->mem);
	mutex_unlock(&sim->lock);
}

/*
 * What is spared is so while there is power: a peer that was told of a commit that a
 * cut makes fail may still write, and none of that is to be left.
 */
static int pmemsim_cut(struct kfi_pmemsim *sim, struct rnd_state *rnd, u64 seed)
{
	struct kfi_memdev *mdev;
	bool disk;
	int err = 0;

	if (rnd && !pmemsim_is_off(sim))
		pmemsim_mem_spare(&sim->mem, rnd);
	if (!pmemsim_power_off(sim))
		return -EBUSY;
	mutex_lock(&sim->lock);
	if (sim->gone) {
		mutex_unlock(&sim->lock);
		return -ENODEV;
	}
	mdev = sim->dev ? &sim->dev->mdev : NULL;
	disk = sim->disk;
	if (mdev)
		kfi_memdev_revoke(mdev, "power cut");
	pmemsim_disk_remove(sim);
	pmemsim_mem_lose(&sim->mem);
	if (rnd)
		WRITE_ONCE(sim->seed, seed);
	sim->incarnation++;
	clear_bit(PMEMSIM_OFF, &sim->flags);
	if (mdev) {
		WRITE_ONCE(mdev->incarnation, sim->incarnation);
		kfi_memdev_restore(mdev);
	}
	if (disk)
		err = pmemsim_disk_add(sim);
	mutex_unlock(&sim->lock);
	return err;
}

/**
 * kfi_pmemsim_cut() - cut the power
 * @sim: the simulator
 *
 * Every region in it is revoked, which fails their connections; a persist that
 * is being delayed or held fails and leaves the media as it is. Then the memory
 * is set to what is on the media, and new regions can be made. If there is a disk
 * it is dead for who has it open, and another one takes its place.
 *
 * Context: Process context, may sleep. Not from &kfi_pmem_region.revoke.
 * Return: 0; -EBUSY when a cut is under way and this one was none; -ENODEV or
 * -EBUSY when the memory that it was attached to has gone; an error of the block
 * layer when there is no disk after the cut.
 */
int kfi_pmemsim_cut(struct kfi_pmemsim *sim)
{
	might_sleep();
	return pmemsim_cut(sim, NULL, 0);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_cut);

/**
 * kfi_pmemsim_cut_random() - cut the power, and spare something by chance
 * @sim: the simulator
 * @seed: of the random numbers, 0 for any, which kfi_pmemsim_seed() then tells
 *
 * As kfi_pmemsim_cut(), but of the lines that were not made persistent some reach
 * the media nevertheless, as from caches that were written back before: a
 * quarter of them is lost, a quarter is kept, and of the others each aligned word
 * of KFI_PMEMSIM_WORD bytes is kept or lost. The same seed spares the same words, if
 * memory and media have the same contents.
 *
 * Context: Process context, may sleep. Not from &kfi_pmem_region.revoke.
 * Return: as kfi_pmemsim_cut().
 */
int kfi_pmemsim_cut_random(struct kfi_pmemsim *sim, u64 seed)
{
	struct rnd_state rnd;

	might_sleep();
	while (!seed)
		seed = get_random_u64();
	prandom_seed_state(&rnd, seed);
	return pmemsim_cut(sim, &rnd, seed);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_cut_random);

/**
 * kfi_pmemsim_seed() - what to replay a cut with
 * @sim: the simulator
 *
 * Context: Any context.
 * Return: the seed of the last kfi_pmemsim_cut_random(), or 0.
 */
u64 kfi_pmemsim_seed(const struct kfi_pmemsim *sim)
{
	return READ_ONCE(sim->seed);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_seed);

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

/**
 * kfi_pmemsim_survives() - whether bytes would be there after a cut
 * @sim: the simulator
 * @offset: from the start of its memory
 * @data: the bytes
 * @len: how many
 *
 * Whatever the memory holds: it looks at the media. For a completion handler, which
 * is where a commit has to have been done. Of bytes that are being made persistent
 * it cannot say more than that they were not before, or are now.
 *
 * Context: Any context.
 * Return: true when a cut would leave @data at @offset; false when it would not, or
 * they are not all inside.
 */
bool kfi_pmemsim_survives(const struct kfi_pmemsim *sim, u64 offset,
			  const void *data, u64 len)
{
	return pmemsim_mem_survives(&sim->mem, offset, data, len);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_survives);

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
	if (err)
		goto err_destroy;
	err = kfi_memdev_driver_register(&pmemsim_driver);
	if (err)
		goto err_destroy;
	err = pmemsim_configfs_init();
	if (err)
		goto err_driver;
	return 0;

err_driver:
	kfi_memdev_driver_unregister(&pmemsim_driver);
err_destroy:
	pmemsim_destroy_all();
	pmemsim_debugfs_exit();
	return err;
}
module_init(pmemsim_init);

static void __exit pmemsim_exit(void)
{
	pmemsim_configfs_exit();
	kfi_memdev_driver_unregister(&pmemsim_driver);
	pmemsim_destroy_all();
	pmemsim_debugfs_exit();
}
module_exit(pmemsim_exit);

MODULE_DESCRIPTION("Persistent-memory simulator for kfabric");
MODULE_LICENSE("Dual BSD/GPL");
MODULE_ALIAS("kfi-mem-pmemsim");
