// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kfi_blk_target: exports memory devices to clients who make block devices of them.
 * Documentation/blk-target.rst describes its folders in configfs.
 */

#include <linux/module.h>

#include "target.h"

/* whatever a user does in configfs; outside of all others */
DEFINE_MUTEX(kfbt_config_lock);
/* who is there and who has what; inside of all others */
DEFINE_SPINLOCK(kfbt_lock);
DECLARE_WAIT_QUEUE_HEAD(kfbt_gone);
struct workqueue_struct *kfbt_wq;
struct workqueue_struct *kfbt_config_wq;

static struct config_group kfbt_exports_group;
static struct config_group kfbt_ports_group;

static const struct config_item_type kfbt_root_type = {
	.ct_owner	= THIS_MODULE,
};

static struct configfs_subsystem kfbt_subsys = {
	.su_group = {
		.cg_item = {
			.ci_namebuf	= "kfi_blk_target",
			.ci_type	= &kfbt_root_type,
		},
	},
};

static int __init kfbt_register(void)
{
	config_group_init(&kfbt_subsys.su_group);
	mutex_init(&kfbt_subsys.su_mutex);
	config_group_init_type_name(&kfbt_exports_group, "exports",
				    &kfbt_exports_type);
	configfs_add_default_group(&kfbt_exports_group, &kfbt_subsys.su_group);
	config_group_init_type_name(&kfbt_ports_group, "ports",
				    &kfbt_ports_type);
	configfs_add_default_group(&kfbt_ports_group, &kfbt_subsys.su_group);
	return configfs_register_subsystem(&kfbt_subsys);
}

static int __init kfbt_init(void)
{
	int err = -ENOMEM;

	kfbt_wq = alloc_workqueue("kfi_blk_target",
				  WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!kfbt_wq)
		return -ENOMEM;
	/* what waits for sessions must not be in the way of them */
	kfbt_config_wq = alloc_workqueue("kfi_blk_config", WQ_UNBOUND, 0);
	if (!kfbt_config_wq)
		goto err_wq;
	err = kfbt_register();
	if (!err)
		return 0;
	destroy_workqueue(kfbt_config_wq);
err_wq:
	destroy_workqueue(kfbt_wq);
	return err;
}
module_init(kfbt_init);

/* Folders hold the module, so there are none, and no sessions. */
static void __exit kfbt_exit(void)
{
	configfs_unregister_subsystem(&kfbt_subsys);
	destroy_workqueue(kfbt_config_wq);
	destroy_workqueue(kfbt_wq);
}
module_exit(kfbt_exit);

MODULE_DESCRIPTION("Target of remote persistent block devices");
MODULE_LICENSE("Dual BSD/GPL");
