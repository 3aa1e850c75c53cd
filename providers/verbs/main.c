// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The verbs provider: InfiniBand and RoCE devices.
 */

#include <linux/module.h>
#include <linux/workqueue.h>

#include "pair.h"
#include "verbs.h"

struct workqueue_struct *kfv_wq;

struct kfi_provider kfv_provider = {
	.name		= KFV_NAME,
	.version	= KFI_VERSION(KFI_MAJOR_VERSION, KFI_MINOR_VERSION),
	.owner		= THIS_MODULE,
	.getinfo	= kfv_getinfo,
	.fabric		= kfv_fabric_open,
};

static int __init kfv_init(void)
{
	int ret;

	kfv_wq = alloc_workqueue("kfi_verbs", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!kfv_wq)
		return -ENOMEM;
	ret = ib_register_client(&kfv_client);
	if (ret)
		goto err_wq;
	ret = kfi_provider_register(&kfv_provider);
	if (ret)
		goto err_client;
	kfv_pair_init();
	return 0;

err_client:
	ib_unregister_client(&kfv_client);
err_wq:
	destroy_workqueue(kfv_wq);
	return ret;
}
module_init(kfv_init);

static void __exit kfv_exit(void)
{
	kfi_provider_deregister(&kfv_provider);
	kfv_pair_exit();
	ib_unregister_client(&kfv_client);
	destroy_workqueue(kfv_wq);
}
module_exit(kfv_exit);

MODULE_ALIAS("kfi-prov-" KFV_NAME);
MODULE_DESCRIPTION("kfabric provider for RDMA verbs");
MODULE_LICENSE("Dual BSD/GPL");
