// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Connection requests, between a passive endpoint and whoever consumes them.
 */

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "cm.h"
#include "commit.h"
#include "ep.h"
#include "verbs.h"

/*
 * Whoever gets the id is the one to destroy it, or to give it to an endpoint.
 * -KFI_EOPBADSTATE when somebody has, -ENODEV when it went with its device.
 */
struct rdma_cm_id *kfv_connreq_take(struct kfv_connreq *cr)
{
	struct rdma_cm_id *id;

	mutex_lock(&cr->dev->lock);
	id = cr->id;
	if (!id)
		id = ERR_PTR(cr->removing ? -ENODEV : -KFI_EOPBADSTATE);
	cr->id = NULL;
	list_del_init(&cr->node);
	mutex_unlock(&cr->dev->lock);
	return id;
}

/*
 * An info is freed. With the last one goes a peer that nobody wanted. Never from a
 * handler of the request's own id, which the end of the device may wait for.
 */
static int kfv_connreq_close(struct kfid *fid)
{
	struct kfv_connreq *cr = container_of(fid, struct kfv_connreq, fid);
	struct rdma_cm_id *id;

	if (!refcount_dec_and_test(&fid->users))
		return 0;
	id = kfv_connreq_take(cr);
	if (!IS_ERR(id)) {
		kfi_prov_rejected(&kfv_provider, cr->pep,
				  &id->route.addr.dst_addr);
		rdma_destroy_id(id);
	} else if (cr->removing) {
		wait_for_completion(&cr->removed);
	}
	kfv_device_put(cr->dev);
	kfi_obj_put(&cr->fabric->fabric.fid);
	kfree(cr);
	return 0;
}

static const struct kfi_ops kfv_connreq_ops = {
	.owner	= THIS_MODULE,
	.close	= kfv_connreq_close,
};

/* The request of a handle from a caller, NULL if it is none of ours. */
struct kfv_connreq *kfv_connreq_of(struct kfid *handle)
{
	if (!handle || handle->ops != &kfv_connreq_ops)
		return NULL;
	return container_of(handle, struct kfv_connreq, fid);
}

/* What becomes of the peer shows when the request is accepted. */
static int kfv_connreq_event(struct kfv_cm *cm, struct rdma_cm_id *id,
			     struct rdma_cm_event *ev)
{
	return 0;
}

/* The device that the request came in by may have less than was asked for. */
static void kfv_connreq_set_attrs(struct kfi_info *info,
				  const struct kfv_offer *offer,
				  const struct kfv_ep_attrs *attrs)
{
	if (attrs->tx_size)
		info->tx_attr->size = min(attrs->tx_size, offer->tx.size);
	if (attrs->rx_size)
		info->rx_attr->size = min(attrs->rx_size, offer->rx.size);
	info->tx_attr->op_flags = attrs->tx_op_flags;
	info->rx_attr->op_flags = attrs->rx_op_flags;
}

static int kfv_connreq_info(struct kfv_connreq *cr, struct rdma_cm_id *id,
			    const struct kfv_ep_attrs *attrs,
			    struct kfi_info **info)
{
	struct kfi_getinfo_req req = {
		.version = cr->fabric->fabric.api_version,
		.net = cr->fabric->net,
	};
	struct ib_port_attr attr;
	struct kfv_offer *offer;
	int ret;

	ret = kfv_device_port(cr->dev, id->port_num, &attr);
	if (ret)
		return ret;
	memcpy(&req.src, &id->route.addr.src_addr, sizeof(req.src));
	memcpy(&req.dest, &id->route.addr.dst_addr, sizeof(req.dest));
	req.addr_format = kfi_sockaddr_format(&req.src);
	offer = kmalloc_obj(*offer);
	if (!offer)
		return -ENOMEM;
	ret = kfv_offer_init(offer, id->device, id->port_num, &attr,
			     cr->kind);
	if (!ret)
		ret = kfi_info_offer(&req, &offer->info, info);
	if (!ret)
		kfv_connreq_set_attrs(*info, offer, attrs);
	kfree(offer);
	return ret;
}

static int kfv_connreq_attach(struct kfv_connreq *cr, struct rdma_cm_id *id)
{
	int ret = 0;

	mutex_lock(&cr->dev->lock);
	if (cr->dev->gone) {
		ret = -ENODEV;
	} else {
		cr->id = id;
		list_add_tail(&cr->node, &cr->dev->connreqs);
	}
	mutex_unlock(&cr->dev->lock);
	return ret;
}

/*
 * Makes a request and the info that has it. From the handler of its id, which
 * destroys the id after an error.
 */
int kfv_connreq_new(struct kfv_fabric *fabric, struct rdma_cm_id *id,
		    struct rdma_cm_event *ev, enum kfi_ep_kind kind,
		    const struct kfv_peer *peer,
		    const struct kfv_ep_attrs *attrs, struct kfi_info **info)
{
	struct kfv_connreq *cr;
	int ret;

	cr = kzalloc_obj(*cr);
	if (!cr)
		return -ENOMEM;
	cr->cm.event = kfv_connreq_event;
	cr->fabric = fabric;
	cr->param = ev->param.conn;
	cr->param.private_data = NULL;
	cr->kind = kind;
	if (peer)
		cr->peer = *peer;
	init_completion(&cr->removed);
	INIT_LIST_HEAD(&cr->node);
	kfi_obj_init(&cr->fid, KFI_CLASS_CONNREQ, &kfv_connreq_ops, NULL);
	ret = -ENODEV;
	cr->dev = kfv_device_get(id->device);
	if (!cr->dev)
		goto err_free;
	ret = -EINVAL;
	if (!kfi_obj_get(&fabric->fabric.fid))
		goto err_dev;
	*info = NULL;
	ret = kfv_connreq_info(cr, id, attrs, info);
	if (ret)
		goto err_fabric;
	ret = kfv_connreq_attach(cr, id);
	if (ret)
		goto err_info;
	(*info)->handle = &cr->fid;
	id->context = &cr->cm;
	return 0;

err_info:
	kfi_freeinfo(*info);
err_fabric:
	kfi_obj_put(&fabric->fabric.fid);
err_dev:
	kfv_device_put(cr->dev);
err_free:
	kfree(cr);
	return ret;
}

static struct kfv_connreq *kfv_connreqs_pop(struct kfv_device *dev,
					    struct rdma_cm_id **id)
{
	struct kfv_connreq *cr;

	mutex_lock(&dev->lock);
	cr = list_first_entry_or_null(&dev->connreqs, struct kfv_connreq, node);
	if (cr) {
		*id = cr->id;
		cr->id = NULL;
		cr->removing = true;
		list_del_init(&cr->node);
	}
	mutex_unlock(&dev->lock);
	return cr;
}

/* The device goes: its requests are nothing but handles any more. */
void kfv_connreqs_remove(struct kfv_device *dev)
{
	struct kfv_connreq *cr;
	struct rdma_cm_id *id;

	while ((cr = kfv_connreqs_pop(dev, &id))) {
		rdma_destroy_id(id);
		complete(&cr->removed);
	}
}
