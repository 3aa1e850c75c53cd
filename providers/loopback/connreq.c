// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Connection requests, as the listener sees them: a handle that someone answers
 * for, or whose last info rejects the peer.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_errno.h>

#include "conn.h"
#include "loopback.h"

/* An info that has the request is gone. */
static int lo_request_close(struct kfid *fid)
{
	struct lo_conn *conn = container_of(fid, struct lo_conn, req);
	struct lo_fabric *fabric = conn->fabric;

	if (!refcount_dec_and_test(&fid->users))
		return 0;
	if (lo_request_consume(conn)) {
		kfi_prov_rejected(&lo_provider, conn->pep,
				  &conn->addrs[LO_ACTIVE]);
		lo_conn_refuse(conn, LO_REJECTED, NULL, 0);
	}
	lo_conn_put(conn);
	kfi_obj_put(&fabric->fabric.fid);
	return 0;
}

static const struct kfi_ops lo_request_ops = {
	.owner	= THIS_MODULE,
	.close	= lo_request_close,
};

/* The connection of a handle from a caller, NULL if it is none of ours. */
struct lo_conn *lo_request_of(struct kfid *handle)
{
	if (!handle || handle->ops != &lo_request_ops)
		return NULL;
	return container_of(handle, struct lo_conn, req);
}

/* Whoever gets true has to answer. */
bool lo_request_consume(struct lo_conn *conn)
{
	bool first;

	spin_lock(&conn->lock);
	first = !conn->consumed;
	conn->consumed = true;
	spin_unlock(&conn->lock);
	return first;
}

static struct kfi_info *lo_request_info(struct lo_conn *conn,
					const struct lo_pep *pep)
{
	const struct kfi_info *offer = lo_offer(conn->offered);
	struct sockaddr_storage *addrs = conn->addrs;
	struct kfi_fabric_attr fabric = *offer->fabric_attr;
	struct kfi_tx_attr tx = *offer->tx_attr;
	struct kfi_rx_attr rx = *offer->rx_attr;
	struct kfi_info info = *offer;

	tx.size = pep->tx_size;
	tx.op_flags = pep->tx_op_flags;
	rx.size = pep->rx_size;
	rx.op_flags = pep->rx_op_flags;
	fabric.api_version = pep->fabric->fabric.api_version;
	fabric.net = pep->fabric->net;
	info.tx_attr = &tx;
	info.rx_attr = &rx;
	info.fabric_attr = &fabric;
	info.addr_format = kfi_sockaddr_format(&addrs[LO_PASSIVE]);
	info.src_addr = &addrs[LO_PASSIVE];
	info.src_addrlen = kfi_sockaddr_len(&addrs[LO_PASSIVE]);
	info.dest_addr = &addrs[LO_ACTIVE];
	info.dest_addrlen = kfi_sockaddr_len(&addrs[LO_ACTIVE]);
	info.handle = &conn->req;
	return kfi_dupinfo(&info);
}

/*
 * A listener for raw endpoints knows no other kinds and takes what comes for one;
 * others are shown raw ones as such.
 */
bool lo_request_wanted(const struct lo_conn *conn, const struct lo_pep *pep)
{
	return pep->kind == KFI_KIND_RAW || conn->kind == KFI_KIND_RAW ||
	       conn->kind == pep->kind;
}

/* The listener does not get to see a request: it does not want it, or has no room. */
void lo_request_refuse(struct lo_conn *conn, const struct lo_pep *pep,
		       bool wanted)
{
	kfi_prov_rejected(&lo_provider, pep->pep.fid.id,
			  &conn->addrs[LO_ACTIVE]);
	pr_warn_ratelimited("request of %pISpc refused: %s\n",
			    &conn->addrs[LO_ACTIVE],
			    wanted ? "the listener's event queue is full" :
				     "it is of another kind");
}

/* The request's life as a child of the listener's fabric starts. */
static struct kfi_info *lo_request_open(struct lo_conn *conn,
					struct lo_pep *pep)
{
	struct kfi_info *info;

	conn->fabric = pep->fabric;
	conn->pep = pep->pep.fid.id;
	conn->offered = pep->kind == KFI_KIND_RAW ? KFI_KIND_RAW : conn->kind;
	kfi_obj_init(&conn->req, KFI_CLASS_CONNREQ, &lo_request_ops, NULL);
	info = lo_request_info(conn, pep);
	if (!info)
		return NULL;
	/* The passive endpoint has one too, so the fabric is open. */
	kfi_obj_get(&pep->fabric->fabric.fid);
	kref_get(&conn->kref);
	kfi_obj_put(&conn->req);
	return info;
}

/*
 * What can fail of telling the listener, who cannot be closed meanwhile. There is
 * no event when its queue is full.
 */
int lo_request_prepare(struct lo_conn *conn, struct lo_pep *pep,
		       struct kfi_eq_event **ev)
{
	*ev = kfi_eq_get_connreq(pep->eq);
	if (!*ev)
		return 0;
	(*ev)->info = lo_request_open(conn, pep);
	if ((*ev)->info)
		return 0;
	kfi_eq_put_connreq(pep->eq, *ev);
	return -ENOMEM;
}

void lo_request_post(struct lo_conn *conn, struct lo_pep *pep,
		     struct kfi_eq_event *ev, const void *param, size_t len)
{
	ev->fid = &pep->pep.fid;
	ev->data_len = lo_cm_room(conn, KFI_CM_REQ_SIZE);
	memset(ev->data, 0, ev->data_len);
	if (len)
		memcpy(ev->data, param, len);
	kfi_eq_post(pep->eq, ev);
}

int lo_reject(struct kfid_pep *pep, struct kfid *handle, const void *param,
	      size_t paramlen)
{
	struct lo_conn *conn = lo_request_of(handle);

	if (!conn || paramlen > KFI_CM_REJ_SIZE || (paramlen && !param))
		return -EINVAL;
	if (!lo_request_consume(conn))
		return -KFI_EOPBADSTATE;
	kfi_prov_rejected(&lo_provider, pep->fid.id, &conn->addrs[LO_ACTIVE]);
	lo_conn_refuse(conn, LO_REJECTED, param, paramlen);
	return 0;
}
