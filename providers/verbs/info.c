// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What each port of each device offers.
 */

#include <linux/in6.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include <rdma/ib_addr.h>
#include <rdma/ib_cache.h>

#include "commit.h"
#include "ep.h"
#include "verbs.h"

#define KFV_CAPS	(KFI_RMA | KFI_READ | KFI_WRITE | KFI_REMOTE_READ | \
			 KFI_REMOTE_WRITE | KFI_LOCAL_COMM | KFI_REMOTE_COMM)
#define KFV_RAW_CAPS	(KFV_CAPS | KFI_MSG | KFI_SEND | KFI_RECV)
#define KFV_COMMIT_CAPS	(KFV_CAPS | KFI_RMA_PMEM)
#define KFV_BOTH_CAPS	(KFV_COMMIT_CAPS | KFI_MSG | KFI_SEND | KFI_RECV)
#define KFV_ORDER	(KFI_ORDER_RAR | KFI_ORDER_RAW | KFI_ORDER_WAW)
#define KFV_RAW_ORDER	(KFV_ORDER | KFI_ORDER_RAS | KFI_ORDER_WAS | \
			 KFI_ORDER_SAW | KFI_ORDER_SAS)
#define KFV_BOTH_ORDER	(KFV_ORDER | KFI_ORDER_SAS)

static const u64 kfv_caps[KFI_KINDS] = {
	[KFI_KIND_RAW]		= KFV_RAW_CAPS,
	[KFI_KIND_COMMIT]	= KFV_COMMIT_CAPS,
	[KFI_KIND_BOTH]		= KFV_BOTH_CAPS,
};

/* Messages have a queue pair of their own where there are commits. */
static const u64 kfv_order[KFI_KINDS] = {
	[KFI_KIND_RAW]		= KFV_RAW_ORDER,
	[KFI_KIND_COMMIT]	= KFV_ORDER,
	[KFI_KIND_BOTH]		= KFV_BOTH_ORDER,
};

static u64 kfv_offer_op_flags(const struct ib_device_attr *attrs,
			      enum kfi_ep_kind kind)
{
	u64 flags = KFI_COMPLETION | KFI_INJECT_COMPLETE |
		    KFI_TRANSMIT_COMPLETE;

	if (kind != KFI_KIND_RAW)
		flags |= KFI_DELIVERY_COMPLETE | KFI_COMMIT_COMPLETE;
	else if (attrs->max_qp_init_rd_atom > 0)
		flags |= KFI_DELIVERY_COMPLETE;
	return flags;
}

static void kfv_offer_tx(struct kfi_tx_attr *tx,
			 const struct kfv_limits *limits,
			 enum kfi_ep_kind kind)
{
	tx->msg_order = kfv_order[kind];
	tx->comp_order = kind == KFI_KIND_RAW ? KFI_ORDER_STRICT :
						KFI_ORDER_NONE;
	tx->inject_size = KFV_INJECT_SIZE;
	tx->iov_limit = limits->max_sge;
	tx->size = limits->tx_size;
	tx->rma_iov_limit = KFV_RMA_IOV_LIMIT;
}

static void kfv_offer_rx(struct kfi_rx_attr *rx,
			 const struct kfv_limits *limits,
			 enum kfi_ep_kind kind)
{
	rx->op_flags = KFI_COMPLETION;
	rx->msg_order = kfv_order[kind];
	rx->comp_order = kind == KFI_KIND_RAW ? KFI_ORDER_STRICT :
						KFI_ORDER_NONE;
	rx->size = limits->rx_size;
	rx->iov_limit = limits->max_sge_recv;
}

static void kfv_offer_ep(struct kfi_ep_attr *ep,
			 const struct ib_port_attr *port)
{
	ep->type = KFI_EP_MSG;
	ep->protocol = KFI_PROTO_RDMA_CM_IB_RC;
	ep->protocol_version = 1;
	ep->max_msg_size = min_t(u32, port->max_msg_sz, SZ_2G);
	ep->max_order_raw_size = ep->max_msg_size;
	ep->max_order_waw_size = ep->max_msg_size;
	ep->tx_ctx_cnt = 1;
	ep->rx_ctx_cnt = 1;
}

static void kfv_offer_domain(struct kfi_domain_attr *domain,
			     const struct ib_device_attr *attrs,
			     enum kfi_ep_kind kind)
{
	size_t eps = attrs->max_qp / (kind == KFI_KIND_BOTH ? 2 : 1);

	domain->threading = KFI_THREAD_SAFE;
	domain->control_progress = KFI_PROGRESS_AUTO;
	domain->data_progress = KFI_PROGRESS_AUTO;
	domain->resource_mgmt = KFI_RM_ENABLED;
	domain->mr_mode = KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY;
	domain->mr_key_size = sizeof(u64);
	domain->cq_data_size = sizeof(u32);
	domain->cq_cnt = attrs->max_cq;
	domain->ep_cnt = eps;
	domain->tx_ctx_cnt = eps;
	domain->rx_ctx_cnt = eps;
	domain->max_ep_tx_ctx = 1;
	domain->max_ep_rx_ctx = 1;
	domain->mr_iov_limit = attrs->max_fast_reg_page_list_len;
	domain->mr_cnt = attrs->max_mr;
}

static void kfv_offer_names(struct kfv_offer *offer, struct ib_device *ib,
			    u32 port, const struct ib_port_attr *attr)
{
	strscpy(offer->domain_name, dev_name(&ib->dev),
		sizeof(offer->domain_name));
	if (rdma_protocol_roce(ib, port))
		strscpy(offer->fabric_name, "RoCE", sizeof(offer->fabric_name));
	else
		snprintf(offer->fabric_name, sizeof(offer->fabric_name),
			 "IB-0x%016llx", attr->subnet_prefix);
}

/* -ENODATA when the port is neither InfiniBand nor RoCE, or is down. */
int kfv_query_port(struct ib_device *ib, u32 port, struct ib_port_attr *attr)
{
	if (!rdma_ib_or_roce(ib, port) || ib_query_port(ib, port, attr) ||
	    attr->state != IB_PORT_ACTIVE)
		return -ENODATA;
	return 0;
}

/*
 * The offer of a port for endpoints of a kind. -ENODATA when the device is too small
 * for them.
 */
int kfv_offer_init(struct kfv_offer *offer, struct ib_device *ib, u32 port,
		   const struct ib_port_attr *attr, enum kfi_ep_kind kind)
{
	const struct ib_device_attr *attrs = &ib->attrs;
	struct kfi_info *info = &offer->info;

	memset(offer, 0, sizeof(*offer));
	if (kfv_limits_init(&offer->limits, attrs, kind != KFI_KIND_RAW))
		return -ENODATA;
	info->caps = kfv_caps[kind];
	if (kind == KFI_KIND_RAW && attrs->atomic_cap != IB_ATOMIC_NONE)
		info->caps |= KFI_ATOMIC;
	info->mode = kind == KFI_KIND_RAW ? KFI_RX_CQ_DATA : 0;
	info->addr_format = KFI_SOCKADDR;
	info->tx_attr = &offer->tx;
	info->rx_attr = &offer->rx;
	info->ep_attr = &offer->ep;
	info->domain_attr = &offer->domain;
	info->fabric_attr = &offer->fabric;

	kfv_offer_tx(&offer->tx, &offer->limits, kind);
	offer->tx.op_flags = kfv_offer_op_flags(attrs, kind);
	kfv_offer_rx(&offer->rx, &offer->limits, kind);
	kfv_offer_ep(&offer->ep, attr);
	kfv_offer_domain(&offer->domain, attrs, kind);
	kfv_offer_names(offer, ib, port, attr);
	offer->tx.caps = info->caps;
	offer->tx.mode = info->mode;
	offer->rx.caps = info->caps;
	offer->rx.mode = info->mode;
	offer->domain.name = offer->domain_name;
	offer->domain.caps = KFI_LOCAL_COMM | KFI_REMOTE_COMM;
	offer->fabric.name = offer->fabric_name;
	offer->fabric.prov_name = (char *)KFV_NAME;
	offer->fabric.prov_version = KFI_VERSION(KFI_MAJOR_VERSION,
						 KFI_MINOR_VERSION);
	offer->fabric.api_version = kfi_version();
	return 0;
}

static bool kfv_addr_is_any(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET)
		return !((struct sockaddr_in *)addr)->sin_addr.s_addr;
	return ipv6_addr_any(&((struct sockaddr_in6 *)addr)->sin6_addr);
}

static bool kfv_gid_in_net(const struct ib_gid_attr *attr, struct net *net)
{
	struct net_device *ndev;
	bool same;

	rcu_read_lock();
	ndev = rdma_read_gid_attr_ndev_rcu(attr);
	same = !IS_ERR(ndev) && net_eq(dev_net(ndev), net);
	rcu_read_unlock();
	return same;
}

/*
 * Where RDMA devices are shared by all network namespaces, they are seen in those
 * that have no address of theirs either.
 */
static bool kfv_roce_in_net(struct ib_device *ib, u32 port,
			    const struct ib_port_attr *port_attr,
			    struct net *net)
{
	const struct ib_gid_attr *attr;
	bool in_net = false;
	int i;

	for (i = 0; i < port_attr->gid_tbl_len && !in_net; i++) {
		attr = rdma_get_gid_attr(ib, port, i);
		if (IS_ERR(attr))
			continue;
		in_net = kfv_gid_in_net(attr, net);
		rdma_put_gid_attr(attr);
	}
	return in_net;
}

/* RoCE makes a GID of every address; each type of GID is in the table. */
static bool kfv_roce_has_addr(struct ib_device *ib, u32 port, struct net *net,
			      struct sockaddr *addr)
{
	static const enum ib_gid_type types[] = {
		IB_GID_TYPE_ROCE_UDP_ENCAP, IB_GID_TYPE_ROCE,
	};
	const struct ib_gid_attr *attr;
	union ib_gid gid;
	bool has = false;
	unsigned int i;

	rdma_ip2gid(addr, &gid);
	for (i = 0; i < ARRAY_SIZE(types) && !has; i++) {
		attr = rdma_find_gid_by_port(ib, &gid, types[i], port, NULL);
		if (IS_ERR(attr))
			continue;
		has = kfv_gid_in_net(attr, net);
		rdma_put_gid_attr(attr);
	}
	return has;
}

/* The hardware address of IP over InfiniBand has the GID in it. */
static bool kfv_ib_has_addr(struct ib_device *ib, u32 port, struct net *net,
			    struct sockaddr *addr)
{
	struct rdma_dev_addr dev_addr = { .net = net };
	const struct ib_gid_attr *attr;
	union ib_gid gid;

	if (rdma_translate_ip(addr, &dev_addr))
		return false;
	rdma_addr_get_sgid(&dev_addr, &gid);
	attr = rdma_find_gid_by_port(ib, &gid, IB_GID_TYPE_IB, port, NULL);
	if (IS_ERR(attr))
		return false;
	rdma_put_gid_attr(attr);
	return true;
}

static bool kfv_port_has_addr(struct ib_device *ib, u32 port,
			      const struct ib_port_attr *attr, struct net *net,
			      const struct sockaddr_storage *addr)
{
	bool any = !addr->ss_family || kfv_addr_is_any(addr);
	struct sockaddr *sa = (struct sockaddr *)addr;

	if (!rdma_protocol_roce(ib, port))
		return any || kfv_ib_has_addr(ib, port, net, sa);
	return any ? kfv_roce_in_net(ib, port, attr, net) :
		     kfv_roce_has_addr(ib, port, net, sa);
}

static int kfv_getinfo_port(const struct kfi_getinfo_req *req,
			    struct kfv_offer *offer, struct ib_device *ib,
			    u32 port, struct kfi_info **info)
{
	struct ib_port_attr attr;
	enum kfi_ep_kind kind;
	int ret;

	if (kfv_query_port(ib, port, &attr) ||
	    !kfv_port_has_addr(ib, port, &attr, req->net, &req->src))
		return 0;
	for (kind = 0; kind < KFI_KINDS; kind++) {
		ret = kfv_offer_init(offer, ib, port, &attr, kind);
		if (!ret)
			ret = kfi_info_offer(req, &offer->info, info);
		if (ret && ret != -ENODATA)
			return ret;
	}
	return 0;
}

static int kfv_getinfo_device(const struct kfi_getinfo_req *req,
			      struct kfv_offer *offer, struct kfv_device *dev,
			      struct kfi_info **info)
{
	struct ib_device *ib = dev->ib;
	int ret = 0;
	u32 port;

	mutex_lock(&dev->lock);
	if (dev->gone || !rdma_dev_access_netns(ib, req->net))
		goto out;
	rdma_for_each_port(ib, port) {
		ret = kfv_getinfo_port(req, offer, ib, port, info);
		if (ret)
			break;
	}
out:
	mutex_unlock(&dev->lock);
	return ret;
}

int kfv_getinfo(const struct kfi_getinfo_req *req, struct kfi_info **info)
{
	struct kfv_device *dev = NULL;
	struct kfv_offer *offer;
	int ret = 0;

	offer = kmalloc_obj(*offer);
	if (!offer)
		return -ENOMEM;
	while (!ret && (dev = kfv_device_next(dev)))
		ret = kfv_getinfo_device(req, offer, dev, info);
	if (dev)
		kfv_device_put(dev);
	kfree(offer);
	return ret ? ret : *info ? 0 : -ENODATA;
}
