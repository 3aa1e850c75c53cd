// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The module.
 */

#include <linux/debugfs.h>
#include <linux/module.h>

#include "core.h"

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
	if (ret) {
		debugfs_remove(kfi_debugfs_root);
		return ret;
	}
	kfi_stats_debugfs_init();
	return 0;
}
module_init(kfabric_init);

static void __exit kfabric_exit(void)
{
	debugfs_remove(kfi_debugfs_root);
	kfi_eq_exit();
}
module_exit(kfabric_exit);

MODULE_DESCRIPTION("Kernel fabric interface");
MODULE_LICENSE("Dual BSD/GPL");
