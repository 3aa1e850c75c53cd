// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The loopback provider: endpoints within one kernel, without a device.
 */

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/net_namespace.h>

#include "conn.h"
#include "loopback.h"

#define LO_RAW_CAPS	(KFI_MSG | KFI_RMA | KFI_ATOMIC | KFI_SEND | KFI_RECV | \
			 KFI_READ | KFI_WRITE | KFI_REMOTE_READ | \
			 KFI_REMOTE_WRITE | KFI_LOCAL_COMM)
#define LO_COMMIT_CAPS	(KFI_RMA | KFI_RMA_PMEM | KFI_READ | KFI_WRITE | \
			 KFI_REMOTE_READ | KFI_REMOTE_WRITE | KFI_LOCAL_COMM)
#define LO_BOTH_CAPS	(LO_COMMIT_CAPS | KFI_MSG | KFI_SEND | KFI_RECV)

/* Messages and one-sided access go separate ways. */
#define LO_BOTH_ORDER	(KFI_ORDER_RAR | KFI_ORDER_RAW | KFI_ORDER_WAR | \
			 KFI_ORDER_WAW | KFI_ORDER_SAS)

/* There is no device that runs out of objects: what a domain can count. */
#define LO_MAX_OBJECTS	BIT(20)

struct workqueue_struct *lo_wq;

static struct kfi_fabric_attr lo_fabric_attr = {
	.name		= LO_NAME,
	.prov_name	= LO_NAME,
	.prov_version	= LO_VERSION,
	.api_version	= KFI_VERSION(KFI_MAJOR_VERSION, KFI_MINOR_VERSION),
};

static struct kfi_domain_attr lo_domain_attr = {
	.name			= LO_DOMAIN_NAME,
	.threading		= KFI_THREAD_SAFE,
	.control_progress	= KFI_PROGRESS_AUTO,
	.data_progress		= KFI_PROGRESS_AUTO,
	.resource_mgmt		= KFI_RM_ENABLED,
	.mr_mode		= KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY,
	.mr_key_size		= sizeof(u64),
	.cq_data_size		= sizeof(u32),
	.cq_cnt			= LO_MAX_OBJECTS,
	.ep_cnt			= LO_MAX_OBJECTS,
	.tx_ctx_cnt		= LO_MAX_OBJECTS,
	.rx_ctx_cnt		= LO_MAX_OBJECTS,
	.max_ep_tx_ctx		= 1,
	.max_ep_rx_ctx		= 1,
	.mr_iov_limit		= LO_MR_SEG_LIMIT,
	.mr_cnt			= LO_MAX_OBJECTS,
	.caps			= KFI_LOCAL_COMM,
};

#define LO_RAW_OP_FLAGS	(KFI_COMPLETION | KFI_INJECT_COMPLETE | \
			 KFI_TRANSMIT_COMPLETE | KFI_DELIVERY_COMPLETE)
#define LO_COMMIT_OP_FLAGS (LO_RAW_OP_FLAGS | KFI_COMMIT_COMPLETE)

#define LO_TX_ATTR(_caps, _mode, _op_flags, _order, _comp_order) { \
	.caps		= _caps,				\
	.mode		= _mode,				\
	.op_flags	= _op_flags,				\
	.msg_order	= _order,				\
	.comp_order	= _comp_order,				\
	.inject_size	= LO_INJECT_SIZE,			\
	.size		= LO_MAX_SLOTS,				\
	.iov_limit	= LO_IOV_LIMIT,				\
	.rma_iov_limit	= LO_RMA_IOV_LIMIT,			\
}

#define LO_RX_ATTR(_caps, _mode, _order, _comp_order) {		\
	.caps		= _caps,				\
	.mode		= _mode,				\
	.op_flags	= KFI_COMPLETION,			\
	.msg_order	= _order,				\
	.comp_order	= _comp_order,				\
	.size		= LO_MAX_SLOTS,				\
	.iov_limit	= LO_IOV_LIMIT,				\
}

static struct kfi_ep_attr lo_ep_attr = {
	.type			= KFI_EP_MSG,
	.protocol		= KFI_PROTO_LOOPBACK,
	.protocol_version	= 1,
	.max_msg_size		= LO_MAX_MSG_SIZE,
	.max_order_raw_size	= LO_MAX_MSG_SIZE,
	.max_order_war_size	= LO_MAX_MSG_SIZE,
	.max_order_waw_size	= LO_MAX_MSG_SIZE,
	.tx_ctx_cnt		= 1,
	.rx_ctx_cnt		= 1,
};

static struct kfi_tx_attr lo_raw_tx_attr =
	LO_TX_ATTR(LO_RAW_CAPS, KFI_RX_CQ_DATA, LO_RAW_OP_FLAGS,
		   KFI_ORDER_STRICT, KFI_ORDER_STRICT);
static struct kfi_rx_attr lo_raw_rx_attr =
	LO_RX_ATTR(LO_RAW_CAPS, KFI_RX_CQ_DATA, KFI_ORDER_STRICT,
		   KFI_ORDER_STRICT);

/* A commit completes after writes that were posted later: no order. */
static struct kfi_tx_attr lo_commit_tx_attr =
	LO_TX_ATTR(LO_COMMIT_CAPS, 0, LO_COMMIT_OP_FLAGS, KFI_ORDER_STRICT,
		   KFI_ORDER_NONE);
static struct kfi_rx_attr lo_commit_rx_attr =
	LO_RX_ATTR(LO_COMMIT_CAPS, 0, KFI_ORDER_STRICT, KFI_ORDER_STRICT);

static struct kfi_tx_attr lo_both_tx_attr =
	LO_TX_ATTR(LO_BOTH_CAPS, 0, LO_COMMIT_OP_FLAGS, LO_BOTH_ORDER,
		   KFI_ORDER_NONE);
static struct kfi_rx_attr lo_both_rx_attr =
	LO_RX_ATTR(LO_BOTH_CAPS, 0, LO_BOTH_ORDER, KFI_ORDER_NONE);

#define LO_OFFER(_caps, _mode, _tx_attr, _rx_attr) {		\
	.caps		= _caps,				\
	.mode		= _mode,				\
	.addr_format	= KFI_SOCKADDR,				\
	.tx_attr	= _tx_attr,				\
	.rx_attr	= _rx_attr,				\
	.ep_attr	= &lo_ep_attr,				\
	.domain_attr	= &lo_domain_attr,			\
	.fabric_attr	= &lo_fabric_attr,			\
}

static const struct kfi_info lo_offers[KFI_KINDS] = {
	[KFI_KIND_RAW] = LO_OFFER(LO_RAW_CAPS, KFI_RX_CQ_DATA, &lo_raw_tx_attr,
				  &lo_raw_rx_attr),
	[KFI_KIND_COMMIT] = LO_OFFER(LO_COMMIT_CAPS, 0, &lo_commit_tx_attr,
				     &lo_commit_rx_attr),
	[KFI_KIND_BOTH] = LO_OFFER(LO_BOTH_CAPS, 0, &lo_both_tx_attr,
				   &lo_both_rx_attr),
};

/* What an endpoint of a kind can be. */
const struct kfi_info *lo_offer(enum kfi_ep_kind kind)
{
	return &lo_offers[kind];
}

static int lo_getinfo(const struct kfi_getinfo_req *req, struct kfi_info **info)
{
	enum kfi_ep_kind kind;
	int ret;

	for (kind = 0; kind < KFI_KINDS; kind++) {
		ret = kfi_info_offer(req, &lo_offers[kind], info);
		if (ret && ret != -ENODATA)
			return ret;
	}
	return *info ? 0 : -ENODATA;
}

static int lo_fabric_open(struct kfi_fabric_attr *attr,
			  struct kfid_fabric **fabric, void *context);

struct kfi_provider lo_provider = {
	.name		= LO_NAME,
	.version	= LO_VERSION,
	.owner		= THIS_MODULE,
	.getinfo	= lo_getinfo,
	.fabric		= lo_fabric_open,
};

static int lo_eq_open(struct kfid_fabric *fabric, struct kfi_eq_attr *attr,
		      struct kfid_eq **eq, kfi_event_handler handler,
		      void *context)
{
	return kfi_prov_eq_open(fabric, attr, lo_strerror, eq, handler,
				context);
}

static const struct kfi_ops_fabric lo_fabric_ops = {
	.domain		= lo_domain_open,
	.passive_ep	= lo_pep_open,
	.eq_open	= lo_eq_open,
};

static int lo_fabric_close(struct kfid *fid)
{
	struct lo_fabric *fabric =
		container_of(fid, struct lo_fabric, fabric.fid);

	if (!kfi_obj_close(fid))
		return -EBUSY;
	put_net(fabric->net);
	kfree(fabric);
	kfi_provider_put(&lo_provider);
	return 0;
}

static const struct kfi_ops lo_fabric_fid_ops = {
	.owner	= THIS_MODULE,
	.close	= lo_fabric_close,
};

static int lo_fabric_open(struct kfi_fabric_attr *attr,
			  struct kfid_fabric **fabric, void *context)
{
	struct lo_fabric *lo;

	if (strcmp(attr->name, LO_NAME))
		return -EINVAL;
	lo = kzalloc_obj(*lo);
	if (!lo)
		return -ENOMEM;
	lo->net = get_net(attr->net ? attr->net : &init_net);
	lo->fabric.ops = &lo_fabric_ops;
	lo->fabric.api_version = attr->api_version;
	kfi_obj_init(&lo->fabric.fid, KFI_CLASS_FABRIC, &lo_fabric_fid_ops,
		     context);
	*fabric = &lo->fabric;
	return 0;
}

static int __init lo_init(void)
{
	int ret;

	/* Unbound: copies are long, and nobody's CPU is better than another. */
	lo_wq = alloc_workqueue("kfi_loopback", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!lo_wq)
		return -ENOMEM;
	ret = kfi_provider_register(&lo_provider);
	if (ret)
		destroy_workqueue(lo_wq);
	return ret;
}

static void __exit lo_exit(void)
{
	kfi_provider_deregister(&lo_provider);
	destroy_workqueue(lo_wq);
}

module_init(lo_init);
module_exit(lo_exit);

MODULE_DESCRIPTION("Kernel fabric interface: loopback provider");
MODULE_LICENSE("Dual BSD/GPL");
MODULE_ALIAS("kfi-prov-" LO_NAME);
