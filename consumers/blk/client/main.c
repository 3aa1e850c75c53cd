// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kfi_blk: block devices in a peer's persistent memory. They are made in configfs:
 *
 *	mkdir /sys/kernel/config/kfi_blk/disk
 *	cd /sys/kernel/config/kfi_blk/disk
 *	echo 10.9.0.1 >addr
 *	echo fast >export
 *	echo 1 >enable
 *	cat disk
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "blk.h"

/*
 * Whatever is done here may have to be done before memory can be reclaimed. Without
 * memory a queue has one worker only, so what waits has a queue for itself, and what
 * that waits for is in another one: the first waits for nothing, a new connection for
 * what the first does, and what tells of a loss for requests.
 */
struct workqueue_struct *kfb_wq;
struct workqueue_struct *kfb_recover_wq;
struct workqueue_struct *kfb_tell_wq;

static DEFINE_IDA(kfb_ida);

static void kfb_dev_count_queues(struct kfb_dev *dev)
{
	const struct kfb_config *config = dev->config;
	unsigned int nr = config->queues ?: num_online_cpus();

	nr = min3(nr, nr_cpu_ids, (unsigned int)KFB_MAX_QUEUES / 2);
	dev->nr_poll = min3(config->poll_queues, nr_cpu_ids,
			    (unsigned int)KFB_MAX_QUEUES / 2);
	dev->max_queues = nr + dev->nr_poll;
	dev->nr_queues = dev->max_queues;
}

static void kfb_dev_free(struct kfb_dev *dev)
{
	unsigned int i;

	for (i = 0; dev->queues && i < dev->max_queues; i++)
		kfb_queue_free(&dev->queues[i]);
	kvfree(dev->queues);
	kvfree(dev->regions);
	kvfree(dev->messages);
	ida_free(&kfb_ida, dev->id);
	kfree(dev);
}

static int kfb_dev_init(struct kfb_dev *dev)
{
	unsigned int i;
	int err = 0;

	dev->messages = kvmalloc_array(KFB_RECEIVES, KFB_WIRE_MAX, GFP_KERNEL);
	dev->regions = kvmalloc_array(KFB_MAX_REGIONS, sizeof(*dev->regions),
				      GFP_KERNEL);
	dev->queues = kvzalloc_objs(*dev->queues, dev->max_queues);
	if (!dev->messages || !dev->regions || !dev->queues)
		return -ENOMEM;
	for (i = 0; i < dev->max_queues && !err; i++)
		err = kfb_queue_init(dev, &dev->queues[i]);
	return err;
}

static struct kfb_dev *kfb_dev_alloc(const struct kfb_config *config)
{
	struct kfb_dev *dev = kzalloc_obj(*dev);
	int err;

	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev->id = ida_alloc(&kfb_ida, GFP_KERNEL);
	if (dev->id < 0) {
		err = dev->id;
		kfree(dev);
		return ERR_PTR(err);
	}
	dev->config = config;
	snprintf(dev->name, sizeof(dev->name), "kfiblk%d", dev->id);
	uuid_gen(&dev->instance);
	spin_lock_init(&dev->lock);
	init_waitqueue_head(&dev->wait);
	INIT_DELAYED_WORK(&dev->recover_work, kfb_recover);
	INIT_DELAYED_WORK(&dev->fail_work, kfb_fail_requests);
	INIT_DELAYED_WORK(&dev->alive_work, kfb_control_alive);
	INIT_WORK(&dev->tell_work, kfb_loss_tell);
	kfb_flush_init(&dev->flush);
	kfb_dev_count_queues(dev);
	err = kfb_dev_init(dev);
	if (err) {
		kfb_dev_free(dev);
		return ERR_PTR(err);
	}
	return dev;
}

static int kfb_dev_connect(struct kfb_dev *dev)
{
	const struct kfb_config *config = dev->config;
	int err;

	err = kfb_session_open(dev);
	if (err) {
		pr_err("cannot connect to %s at %s:%s: %s\n", config->export,
		       config->addr, config->service,
		       kfb_session_error(dev, err));
		return err;
	}
	err = kfb_disk_alloc(dev);
	if (!err)
		err = kfb_dev_live(dev);
	if (!err)
		err = kfb_disk_add(dev);
	if (err)
		pr_err("no disk for %s at %s:%s: %s\n", config->export,
		       config->addr, config->service,
		       kfb_session_error(dev, err));
	return err;
}

/* Connects, and makes a disk. The configuration has to outlive it. */
struct kfb_dev *kfb_dev_create(const struct kfb_config *config)
{
	struct kfb_dev *dev = kfb_dev_alloc(config);
	int err;

	if (IS_ERR(dev))
		return dev;
	err = kfb_dev_connect(dev);
	if (err) {
		kfb_dev_destroy(dev);
		/* users do not know the interface's own numbers */
		return ERR_PTR(err <= -KFI_EOTHER ? -EIO : err);
	}
	pr_info("%s: %s at %s:%s, %llu bytes\n", dev->name, config->export,
		config->addr, config->service, dev->size);
	return dev;
}

/*
 * While there is a connection what others have written to the disk, and believe to be
 * on its way, is carried out and made persistent.
 */
void kfb_dev_destroy(struct kfb_dev *dev)
{
	kfb_dev_stop(dev);
	kfb_disk_remove(dev);
	if (!dev->read_only)
		kfb_flush_wait(dev, false);
	kfb_dev_stop(dev);
	flush_work(&dev->tell_work);
	if (kfb_flush_wanted(dev))
		pr_warn("%s: removed with data that may not be persistent\n",
			dev->name);
	kfb_disk_free(dev);
	kfb_dev_free(dev);
}

static int __init kfb_init(void)
{
	const unsigned int flags = WQ_MEM_RECLAIM | WQ_UNBOUND;
	int err = -ENOMEM;

	kfb_wq = alloc_workqueue("kfi_blk", flags, 0);
	if (!kfb_wq)
		return err;
	kfb_recover_wq = alloc_workqueue("kfi_blk_recover", flags, 0);
	if (!kfb_recover_wq)
		goto destroy_wq;
	kfb_tell_wq = alloc_workqueue("kfi_blk_tell", flags, 0);
	if (!kfb_tell_wq)
		goto destroy_recover_wq;
	err = kfb_configfs_init();
	if (!err)
		return 0;
	destroy_workqueue(kfb_tell_wq);
destroy_recover_wq:
	destroy_workqueue(kfb_recover_wq);
destroy_wq:
	destroy_workqueue(kfb_wq);
	return err;
}
module_init(kfb_init);

static void __exit kfb_exit(void)
{
	kfb_configfs_exit();
	destroy_workqueue(kfb_tell_wq);
	destroy_workqueue(kfb_recover_wq);
	destroy_workqueue(kfb_wq);
	ida_destroy(&kfb_ida);
}
module_exit(kfb_exit);

MODULE_DESCRIPTION("Block devices in a peer's persistent memory");
MODULE_LICENSE("Dual BSD/GPL");
