// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Passive endpoints.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <rdma/ib_cm.h>

#include "cm.h"
#include "commit.h"
#include "ep.h"
#include "pair.h"
#include "verbs.h"

#define KFV_DEFAULT_BACKLOG	128

/**
 * struct kfv_pep - a passive endpoint
 * @pep: what the consumer has
 * @cm: gets events of @id
 * @fabric: its fabric
 * @dev: its device, if it is bound to the address of one
 * @node: in the device's list
 * @lock: serialises control calls
 * @id: CM id; NULL when the device is gone. With @dev under that one's lock
 * @eq: event queue
 * @backlog: requests that the connection manager keeps for us
 * @kind: of the endpoints that it listens for
 * @attrs: of endpoints for its requests
 * @listening: kfi_listen() was called
 * @removing: the device's removal has taken @id; under @dev's lock
 * @removed: and no handler of it runs any more
 * @shutdown: event
 */
struct kfv_pep {
	struct kfid_pep		pep;
	struct kfv_cm		cm;
	struct kfv_fabric	*fabric;
	struct kfv_device	*dev;
	struct list_head	node;
	/* serialises control calls */
	struct mutex		lock;
	struct rdma_cm_id	*id;
	struct kfid_eq		*eq;
	int			backlog;
	enum kfi_ep_kind	kind;
	struct kfv_ep_attrs	attrs;
	bool			listening;
	bool			removing;
	struct completion	removed;
	struct kfi_eq_event	shutdown;
};

static struct kfv_pep *fid_to_kfv_pep(struct kfid *fid)
{
	return container_of(fid, struct kfv_pep, pep.fid);
}

static int kfv_pep_post(struct kfv_pep *pep, struct rdma_cm_id *id,
			struct rdma_cm_event *ev, enum kfi_ep_kind kind,
			const struct kfv_peer *peer, const void *data,
			size_t len)
{
	struct kfi_eq_event *event;
	int ret;

	event = kfi_eq_get_connreq(pep->eq);
	if (!event)
		return -ENOSPC;
	ret = kfv_connreq_new(pep->fabric, id, ev, kind, peer, &pep->attrs,
			      &event->info);
	if (ret) {
		kfi_eq_put_connreq(pep->eq, event);
		return ret;
	}
	kfv_connreq_of(event->info->handle)->pep = pep->pep.fid.id;
	event->fid = &pep->pep.fid;
	event->data_len = min_t(size_t, len, KFI_CM_REQ_SIZE);
	if (event->data_len)
		memcpy(event->data, data, event->data_len);
	kfi_eq_post(pep->eq, event);
	return 0;
}

/* With and without messages are two protocols. */
static int kfv_pep_parse(struct kfv_pep *pep, const void *data, size_t len,
			 struct kfv_peer *peer)
{
	int ret;

	if (pep->kind == KFI_KIND_RAW)
		return -ENOMSG;
	ret = kfv_wire_parse_record(data, len, peer);
	if (ret)
		return ret;
	return (pep->kind == KFI_KIND_BOTH) == (peer->role != KFV_WIRE_ONLY) ?
	       0 : -EPROTONOSUPPORT;
}

/* A peer that is not wanted is rejected when its id is destroyed. */
static int kfv_pep_request(struct kfv_pep *pep, struct rdma_cm_id *id,
			   struct rdma_cm_event *ev)
{
	const void *data = ev->param.conn.private_data;
	size_t len = data ? ev->param.conn.private_data_len : 0;
	struct kfv_peer peer;
	int ret;

	ret = kfv_pep_parse(pep, data, len, &peer);
	if (ret == -ENOMSG)
		return kfv_pep_post(pep, id, ev, KFI_KIND_RAW, NULL, data, len);
	if (ret) {
		rdma_reject(id, NULL, 0, IB_CM_REJ_INVALID_CLASS_VERSION);
		return ret;
	}
	if (peer.role == KFV_WIRE_MSG)
		return kfv_pair_join(pep->fabric, id, &peer);
	data += sizeof(struct kfv_wire_record);
	len -= sizeof(struct kfv_wire_record);
	return kfv_pep_post(pep, id, ev, pep->kind, &peer, data, len);
}

static const char *kfv_pep_why(int err)
{
	switch (err) {
	case -EPROTONOSUPPORT:
		return "it is of another kind or version";
	case -ENOENT:
		return "nobody expects its second connection";
	case -ENOSPC:
		return "the listener's event queue is full";
	default:
		return kfi_strerror(err);
	}
}

static int kfv_pep_event(struct kfv_cm *cm, struct rdma_cm_id *id,
			 struct rdma_cm_event *ev)
{
	struct kfv_pep *pep = container_of(cm, struct kfv_pep, cm);
	const struct sockaddr_storage *peer = &id->route.addr.dst_addr;
	int ret;

	if (ev->event != RDMA_CM_EVENT_CONNECT_REQUEST)
		return 0;
	ret = kfv_pep_request(pep, id, ev);
	if (ret) {
		kfi_prov_rejected(&kfv_provider, pep->pep.fid.id, peer);
		pr_warn_ratelimited("%s: request of %pISpc refused: %s\n",
				    dev_name(&id->device->dev), peer,
				    kfv_pep_why(ret));
	}
	return ret;
}

/* Ends handlers that may still use the endpoint, or waits until they have. */
static void kfv_pep_end(struct kfv_pep *pep)
{
	struct rdma_cm_id *id;
	bool removing;

	if (pep->dev)
		mutex_lock(&pep->dev->lock);
	id = pep->id;
	pep->id = NULL;
	removing = pep->removing;
	list_del_init(&pep->node);
	if (pep->dev)
		mutex_unlock(&pep->dev->lock);
	if (id)
		rdma_destroy_id(id);
	if (removing)
		wait_for_completion(&pep->removed);
}

static int kfv_pep_close(struct kfid *fid)
{
	struct kfv_pep *pep = fid_to_kfv_pep(fid);

	if (!kfi_obj_close(fid))
		return -EBUSY;
	kfv_pep_end(pep);
	if (pep->dev)
		kfv_device_put(pep->dev);
	if (pep->eq) {
		kfi_eq_flush(pep->eq, fid);
		kfi_obj_put(&pep->eq->fid);
	}
	kfi_obj_put(&pep->fabric->fabric.fid);
	kfree(pep);
	return 0;
}

/* Why it is too late to prepare for requests, or 0. */
static int kfv_pep_too_late(struct kfv_pep *pep)
{
	bool gone;

	lockdep_assert_held(&pep->lock);
	if (pep->dev)
		mutex_lock(&pep->dev->lock);
	gone = !pep->id;
	if (pep->dev)
		mutex_unlock(&pep->dev->lock);
	if (gone)
		return -ENODEV;
	return pep->listening ? -KFI_EOPBADSTATE : 0;
}

static int kfv_pep_bind(struct kfid *fid, struct kfid *bfid, u64 flags)
{
	struct kfv_pep *pep = fid_to_kfv_pep(fid);
	int ret;

	if (!bfid)
		return -EINVAL;
	mutex_lock(&pep->lock);
	ret = kfv_pep_too_late(pep);
	if (!ret)
		ret = kfi_prov_bind_eq(&pep->eq, &pep->fabric->fabric, bfid,
				       flags);
	mutex_unlock(&pep->lock);
	return ret;
}

static int kfv_pep_control(struct kfid *fid, int command, void *arg)
{
	struct kfv_pep *pep = fid_to_kfv_pep(fid);
	const int *backlog = arg;
	int ret;

	if (command != KFI_BACKLOG)
		return -EOPNOTSUPP;
	if (!backlog || *backlog < 1)
		return -EINVAL;
	mutex_lock(&pep->lock);
	ret = kfv_pep_too_late(pep);
	if (!ret)
		pep->backlog = *backlog;
	mutex_unlock(&pep->lock);
	return ret;
}

static const struct kfi_ops kfv_pep_fid_ops = {
	.owner		= THIS_MODULE,
	.close		= kfv_pep_close,
	.bind		= kfv_pep_bind,
	.control	= kfv_pep_control,
};

static int kfv_pep_listen_id(struct kfv_pep *pep)
{
	int ret = -ENODEV;

	if (pep->dev)
		mutex_lock(&pep->dev->listen_lock);
	if (pep->id)
		ret = rdma_listen(pep->id, pep->backlog);
	if (pep->dev)
		mutex_unlock(&pep->dev->listen_lock);
	return ret;
}

static int kfv_pep_listen(struct kfid_pep *kfid_pep)
{
	struct kfv_pep *pep = container_of(kfid_pep, struct kfv_pep, pep);
	int ret;

	mutex_lock(&pep->lock);
	ret = kfv_pep_too_late(pep);
	if (!ret)
		ret = pep->eq ? kfv_pep_listen_id(pep) : -KFI_ENOEQ;
	if (!ret)
		pep->listening = true;
	mutex_unlock(&pep->lock);
	return ret;
}

static int kfv_pep_reject(struct kfid_pep *kfid_pep, struct kfid *handle,
			  const void *param, size_t paramlen)
{
	struct kfv_connreq *cr = kfv_connreq_of(handle);
	struct rdma_cm_id *id;

	if (!cr || paramlen > KFI_CM_REJ_SIZE || (paramlen && !param))
		return -EINVAL;
	id = kfv_connreq_take(cr);
	if (IS_ERR(id))
		return PTR_ERR(id);
	kfi_prov_rejected(&kfv_provider, kfid_pep->fid.id,
			  &id->route.addr.dst_addr);
	rdma_reject(id, param, paramlen, IB_CM_REJ_CONSUMER_DEFINED);
	rdma_destroy_id(id);
	return 0;
}

static int kfv_pep_getname(struct kfid *fid, void *addr, size_t *addrlen)
{
	struct kfv_pep *pep = fid_to_kfv_pep(fid);
	struct sockaddr_storage name = { };

	if (pep->dev)
		mutex_lock(&pep->dev->lock);
	if (pep->id)
		memcpy(&name, &pep->id->route.addr.src_addr, sizeof(name));
	if (pep->dev)
		mutex_unlock(&pep->dev->lock);
	if (!name.ss_family)
		return -ENODEV;
	return kfv_copy_addr(&name, addr, addrlen);
}

static const struct kfi_ops_cm kfv_pep_cm_ops = {
	.getname	= kfv_pep_getname,
	.listen		= kfv_pep_listen,
	.reject		= kfv_pep_reject,
};

static const struct kfi_ops_ep kfv_pep_ops;

/* Listeners on one device's address end with the device. */
static int kfv_pep_attach(struct kfv_pep *pep)
{
	int ret = 0;

	if (!pep->id->device)
		return 0;
	pep->dev = kfv_device_get(pep->id->device);
	if (!pep->dev)
		return -EADDRNOTAVAIL;
	mutex_lock(&pep->dev->lock);
	if (pep->dev->gone)
		ret = -EADDRNOTAVAIL;
	else
		list_add_tail(&pep->node, &pep->dev->peps);
	mutex_unlock(&pep->dev->lock);
	if (ret)
		kfv_device_put(pep->dev);
	return ret;
}

static int kfv_pep_bind_addr(struct kfv_pep *pep, const struct kfi_info *info)
{
	struct sockaddr_storage any = { .ss_family = AF_INET };
	struct sockaddr *addr = info->src_addr;
	int ret;

	if (!addr)
		addr = (struct sockaddr *)&any;
	if (addr->sa_family == AF_INET6) {
		ret = rdma_set_afonly(pep->id, 1);
		if (ret)
			return ret;
	}
	return kfv_cm_bind(pep->id, addr);
}

/* What the consumer asked for is what its requests are offered with. */
static void kfv_pep_set_attrs(struct kfv_ep_attrs *attrs,
			      const struct kfi_info *info)
{
	if (info->tx_attr) {
		attrs->tx_size = info->tx_attr->size;
		attrs->tx_op_flags = info->tx_attr->op_flags;
	}
	if (info->rx_attr) {
		attrs->rx_size = info->rx_attr->size;
		attrs->rx_op_flags = info->rx_attr->op_flags;
	}
}

static void kfv_pep_init(struct kfv_pep *pep, struct kfv_fabric *fabric,
			 const struct kfi_info *info, void *context)
{
	pep->cm.event = kfv_pep_event;
	pep->fabric = fabric;
	pep->backlog = KFV_DEFAULT_BACKLOG;
	pep->kind = kfi_kind_of(info->caps);
	kfv_pep_set_attrs(&pep->attrs, info);
	mutex_init(&pep->lock);
	init_completion(&pep->removed);
	INIT_LIST_HEAD(&pep->node);
	pep->pep.ops = &kfv_pep_ops;
	pep->pep.cm = &kfv_pep_cm_ops;
	kfi_obj_init(&pep->pep.fid, KFI_CLASS_PEP, &kfv_pep_fid_ops, context);
	kfi_eq_event_init(&pep->shutdown, &pep->pep.fid);
	pep->shutdown.event = KFI_SHUTDOWN;
}

static bool kfv_pep_info_valid(const struct kfi_info *info)
{
	if (info->src_addr &&
	    !kfi_sockaddr_valid(info->src_addr, info->src_addrlen))
		return false;
	return !info->tx_attr ||
	       !kfi_check_tx_op_flags(info->tx_attr->op_flags);
}

/* Nobody listens for what kfi_getinfo() would not offer, of whatever device. */
static int kfv_pep_check_offers(struct kfv_fabric *fabric,
				const struct kfi_info *info)
{
	const struct kfi_getinfo_req req = {
		.version = fabric->fabric.api_version,
		.hints = info,
		.net = fabric->net,
	};
	struct kfi_info *offers = NULL;
	int ret;

	ret = kfv_getinfo(&req, &offers);
	kfi_freeinfo(offers);
	return ret == -ENODATA ? -EOPNOTSUPP : ret;
}

int kfv_pep_open(struct kfid_fabric *kfid_fabric, struct kfi_info *info,
		 struct kfid_pep **ppep, void *context, const char *owner)
{
	struct kfv_fabric *fabric = to_kfv_fabric(kfid_fabric);
	struct kfv_pep *pep;
	int ret;

	if (!info || !ppep || !kfv_pep_info_valid(info))
		return -EINVAL;
	pep = kzalloc_obj(*pep);
	if (!pep)
		return -ENOMEM;
	kfv_pep_init(pep, fabric, info, context);
	pep->id = __rdma_create_kernel_id(fabric->net, kfv_cm_handler, &pep->cm,
					  RDMA_PS_TCP, IB_QPT_RC, owner);
	if (IS_ERR(pep->id)) {
		ret = PTR_ERR(pep->id);
		goto err_free;
	}
	ret = kfv_pep_bind_addr(pep, info);
	if (!ret)
		ret = kfv_pep_check_offers(fabric, info);
	if (ret)
		goto err_id;
	ret = -EINVAL;
	if (!kfi_obj_get(&kfid_fabric->fid))
		goto err_id;
	ret = kfv_pep_attach(pep);
	if (ret)
		goto err_fabric;
	*ppep = &pep->pep;
	return 0;

err_fabric:
	kfi_obj_put(&kfid_fabric->fid);
err_id:
	rdma_destroy_id(pep->id);
err_free:
	kfree(pep);
	return ret;
}

static struct kfv_pep *kfv_peps_pop(struct kfv_device *dev,
				    struct rdma_cm_id **id)
{
	struct kfv_pep *pep;

	mutex_lock(&dev->listen_lock);
	mutex_lock(&dev->lock);
	pep = list_first_entry_or_null(&dev->peps, struct kfv_pep, node);
	if (pep) {
		*id = pep->id;
		pep->id = NULL;
		pep->removing = true;
		list_del_init(&pep->node);
		if (pep->eq)
			kfi_eq_post(pep->eq, &pep->shutdown);
	}
	mutex_unlock(&dev->lock);
	mutex_unlock(&dev->listen_lock);
	return pep;
}

/* The device goes: nobody listens there any more, and requests are void. */
void kfv_peps_remove(struct kfv_device *dev)
{
	struct rdma_cm_id *id;
	struct kfv_pep *pep;

	while ((pep = kfv_peps_pop(dev, &id))) {
		rdma_destroy_id(id);
		complete(&pep->removed);
	}
	kfv_connreqs_remove(dev);
}
