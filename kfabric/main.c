// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The module.
 */

#include <linux/debugfs.h>
#include <linux/module.h>

#include "core.h"
#include "track.h"

/**
 * kfi_version() - version of the interface
 *
 * Context: Any context.
 * Return: KFI_VERSION() of the loaded core, which is the newest version that a
 * consumer can ask for.
 */
u32 kfi_version(void)
{
	return KFI_VERSION(KFI_MAJOR_VERSION, KFI_MINOR_VERSION);
}
EXPORT_SYMBOL_GPL(kfi_version);

struct dentry *kfi_debugfs_root;
EXPORT_SYMBOL_GPL(kfi_debugfs_root);

static int __init kfabric_init(void)
{
	int ret;

	kfi_debugfs_root = debugfs_create_dir("kfabric", NULL);
	ret = kfi_eq_init();
	if (ret)
		goto err_debugfs;
	ret = kfi_notify_init();
	if (ret)
		goto err_eq;
	ret = kfi_netlink_init();
	if (ret)
		goto err_notify;
	kfi_stats_debugfs_init();
	return 0;

err_notify:
	kfi_notify_exit();
err_eq:
	kfi_eq_exit();
err_debugfs:
	debugfs_remove(kfi_debugfs_root);
	return ret;
}
module_init(kfabric_init);

static void __exit kfabric_exit(void)
{
	kfi_netlink_exit();
	kfi_notify_exit();
	debugfs_remove(kfi_debugfs_root);
	kfi_eq_exit();
}
module_exit(kfabric_exit);

MODULE_DESCRIPTION("Kernel fabric interface");
MODULE_LICENSE("Dual BSD/GPL");
