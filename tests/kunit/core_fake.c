// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A provider's offer and objects with nothing behind them.
 */

#include <linux/module.h>

#include "core.h"

static void set_attrs(struct kfi_info *info)
{
	*info->tx_attr = (struct kfi_tx_attr) {
		.caps = info->caps, .op_flags = KFI_COMPLETION,
		.msg_order = KFI_ORDER_SAS, .inject_size = 64,
		.size = FAKE_TX_SIZE, .iov_limit = 8, .rma_iov_limit = 2,
	};
	*info->rx_attr = (struct kfi_rx_attr) {
		.caps = info->caps, .msg_order = KFI_ORDER_SAS,
		.size = FAKE_RX_SIZE, .iov_limit = 4,
	};
	*info->ep_attr = (struct kfi_ep_attr) {
		.type = KFI_EP_MSG, .protocol = KFI_PROTO_RDMA_CM_IB_RC,
		.protocol_version = 1, .max_msg_size = 1 << 20,
		.max_order_waw_size = 4096, .tx_ctx_cnt = 1, .rx_ctx_cnt = 1,
	};
	*info->domain_attr = (struct kfi_domain_attr) {
		.name = info->domain_attr->name,
		.threading = KFI_THREAD_SAFE,
		.control_progress = KFI_PROGRESS_AUTO,
		.data_progress = KFI_PROGRESS_AUTO,
		.resource_mgmt = KFI_RM_ENABLED,
		.mr_mode = KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY,
		.mr_key_size = 8, .cq_data_size = 4, .cq_cnt = 16,
		.ep_cnt = 32, .tx_ctx_cnt = 32, .rx_ctx_cnt = 32,
		.max_ep_tx_ctx = 1, .max_ep_rx_ctx = 1, .mr_iov_limit = 128,
		.caps = KFI_LOCAL_COMM, .mr_cnt = 64,
	};
}

/* The offer of a provider called @name; the caller frees it. */
struct kfi_info *fake_offer(struct kunit *test, const char *name)
{
	struct kfi_info *info = kfi_allocinfo();

	KUNIT_ASSERT_NOT_NULL(test, info);
	info->caps = KFI_MSG | KFI_RMA | KFI_SEND | KFI_RECV | KFI_READ |
		     KFI_WRITE | KFI_REMOTE_READ | KFI_REMOTE_WRITE;
	info->mode = KFI_RX_CQ_DATA;
	info->addr_format = KFI_SOCKADDR;
	set_attrs(info);
	info->domain_attr->name = kstrdup("fake0", GFP_KERNEL);
	info->fabric_attr->name = kstrdup("fake", GFP_KERNEL);
	info->fabric_attr->prov_name = kstrdup(name, GFP_KERNEL);
	info->fabric_attr->api_version = KFI_VERSION(1, 7);
	KUNIT_ASSERT_NOT_NULL(test, info->domain_attr->name);
	KUNIT_ASSERT_NOT_NULL(test, info->fabric_attr->name);
	KUNIT_ASSERT_NOT_NULL(test, info->fabric_attr->prov_name);
	return info;
}

static const struct kfi_ops no_ops;

void fake_fabric_init(struct kfid_fabric *fabric)
{
	kfi_obj_init(&fabric->fid, KFI_CLASS_FABRIC, &no_ops, NULL);
}

void fake_domain_init(struct kfid_domain *domain)
{
	kfi_obj_init(&domain->fid, KFI_CLASS_DOMAIN, &no_ops, NULL);
	domain->num_vectors = 2;
}

const char *fake_strerror(int prov_errno)
{
	return prov_errno == 7 ? "seven" : "other";
}

MODULE_DESCRIPTION("KUnit suites of the kernel fabric interface's core");
MODULE_LICENSE("Dual BSD/GPL");
