// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Connection management of endpoints.
 */

#include <linux/err.h>
#include <linux/in.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include <kfi_errno.h>
#include <trace/events/kfi.h>

#include "conn.h"
#include "ep.h"
#include "loopback.h"

int lo_get_addr(const struct sockaddr_storage *from, void *addr, size_t *len)
{
	size_t size = kfi_sockaddr_len(from);
	size_t room;

	if (!len)
		return -EINVAL;
	room = *len;
	*len = size;
	if (!addr || room < size)
		return -KFI_ETOOSMALL;
	memcpy(addr, from, size);
	return 0;
}

static int lo_getname(struct kfid *fid, void *addr, size_t *addrlen)
{
	struct lo_ep *ep = lo_ep_of(fid);
	struct lo_conn *conn = ep->conn;

	if (!conn || (ep->side == LO_ACTIVE && !lo_conn_was_up(conn)))
		return -KFI_EOPBADSTATE;
	return lo_get_addr(&conn->addrs[ep->side], addr, addrlen);
}

static int lo_getpeer(struct kfid_ep *ep, void *addr, size_t *addrlen)
{
	struct lo_ep *lo = lo_ep_of(&ep->fid);

	if (!lo->conn || !lo_conn_was_up(lo->conn))
		return -ENOTCONN;
	return lo_get_addr(&lo->conn->addrs[!lo->side], addr, addrlen);
}

/* The endpoint's own address: asked for, or any port of the peer's. */
static int lo_take_name(struct lo_ep *ep, const struct sockaddr_storage *dest)
{
	struct sockaddr_storage addr = ep->src;
	struct lo_name *name;

	if (!kfi_sockaddr_len(&addr)) {
		addr = *dest;
		/* the port is in the same place for both families */
		((struct sockaddr_in *)&addr)->sin_port = 0;
	}
	name = lo_name_take(ep->domain->fabric->net, &addr);
	if (IS_ERR(name))
		return PTR_ERR(name);
	ep->name = name;
	return 0;
}

static int lo_call(struct lo_ep *ep, struct lo_conn *conn,
		   struct sockaddr_storage *dest, const void *param,
		   size_t paramlen)
{
	struct kfi_eq_event *ev = NULL;
	struct lo_pep *pep;
	bool wanted;
	int ret = 0;

	if (!ep->name)
		ret = lo_take_name(ep, dest);
	if (ret)
		return ret;
	conn->param = ep->conn_param;
	conn->addrs[LO_ACTIVE] = ep->name->addr;
	conn->addrs[LO_PASSIVE] = *dest;
	pep = lo_name_find(ep->domain->fabric->net, dest);
	wanted = pep && lo_request_wanted(conn, pep);
	if (wanted)
		ret = lo_request_prepare(conn, pep, &ev);
	if (ret)
		return ret;

	trace_kfi_connect(ep->ep.fid.id, dest);
	lo_conn_attach(conn, ep, LO_ACTIVE);
	lo_mr_declare(ep->domain, &conn->memory[LO_ACTIVE]);
	if (ev) {
		lo_conn_wait(conn, ep->connect_timeout);
		lo_request_post(conn, pep, ev, param, paramlen);
	} else {
		if (pep)
			lo_request_refuse(conn, pep, wanted);
		lo_conn_refuse(conn, wanted ? LO_REJECTED :
				     pep ? LO_OTHER_KIND : LO_NOBODY, NULL, 0);
	}
	return 0;
}

static int lo_begin(struct lo_ep *ep, struct sockaddr_storage *dest,
		    const void *param, size_t paramlen)
{
	struct lo_conn *conn;
	unsigned int noio;
	int ret;

	conn = lo_conn_alloc(ep->kind);
	if (!conn)
		return -ENOMEM;
	lo_names_lock(&noio);
	ret = lo_call(ep, conn, dest, param, paramlen);
	lo_names_unlock(noio);
	lo_conn_put(conn);
	return ret;
}

static bool lo_param_valid(const struct lo_ep *ep, size_t size,
			   const void *param, size_t paramlen)
{
	if (ep->limits.commit)
		size -= LO_COMMIT_RECORD;
	return paramlen <= size && (param || !paramlen);
}

/* What became of an earlier kfi_connect() or kfi_accept(); 0 without one. */
static int lo_begun(struct lo_ep *ep)
{
	if (!ep->conn)
		return 0;
	if (lo_ep_is_dead(ep))
		return -ESHUTDOWN;
	if (lo_conn_was_up(ep->conn))
		return -EISCONN;
	return ep->side == LO_ACTIVE ? -EALREADY : 0;
}

static int lo_connectable(struct lo_ep *ep, const struct sockaddr_storage *dest)
{
	int ret;

	if (ep->conn && ep->side == LO_PASSIVE)
		return -KFI_EOPBADSTATE;
	ret = lo_begun(ep);
	if (ret)
		return ret;
	if (!dest->ss_family)
		return -EDESTADDRREQ;
	if (ep->src.ss_family && ep->src.ss_family != dest->ss_family)
		return -EINVAL;
	return 0;
}

static int lo_connect(struct kfid_ep *ep, const void *addr, const void *param,
		      size_t paramlen)
{
	struct lo_ep *lo = lo_ep_of(&ep->fid);
	struct sockaddr_storage dest = lo->dest;
	int ret = 0;

	if (!lo_param_valid(lo, KFI_CM_REQ_SIZE, param, paramlen))
		return -EINVAL;
	if (addr)
		ret = lo_addr_copy(&dest, addr, sizeof(dest));
	if (ret)
		return ret;

	mutex_lock(&lo->lock);
	ret = lo_connectable(lo, &dest);
	if (!ret && !lo->enabled)
		ret = lo_ep_enable(lo);
	if (!ret)
		ret = lo_begin(lo, &dest, param, paramlen);
	mutex_unlock(&lo->lock);
	return ret;
}

static int lo_accept(struct kfid_ep *ep, const void *param, size_t paramlen)
{
	struct lo_ep *lo = lo_ep_of(&ep->fid);
	int ret = 0;

	if (!lo_param_valid(lo, KFI_CM_REP_SIZE, param, paramlen))
		return -EINVAL;
	mutex_lock(&lo->lock);
	if (!lo->conn || lo->side != LO_PASSIVE)
		ret = -KFI_EOPBADSTATE;
	else
		ret = lo_begun(lo);
	if (!ret && !lo->enabled)
		ret = lo_ep_enable(lo);
	if (!ret && lo->limits.commit &&
	    lo_conn_method(lo, lo->conn_param.initiator_depth) ==
	    KFI_COMMIT_NONE)
		ret = -EOPNOTSUPP;
	if (!ret) {
		trace_kfi_accept(ep->fid.id, &lo->conn->addrs[LO_ACTIVE]);
		lo_mr_declare(lo->domain, &lo->conn->memory[LO_PASSIVE]);
		if (!lo_conn_up(lo->conn, param, paramlen))
			ret = -ECONNRESET;
	}
	mutex_unlock(&lo->lock);
	return ret;
}

static int lo_shutdown(struct kfid_ep *ep, u64 flags)
{
	struct lo_ep *lo = lo_ep_of(&ep->fid);

	if (flags)
		return -EINVAL;
	if (!lo->conn || !lo_conn_was_up(lo->conn))
		return -ENOTCONN;
	trace_kfi_shutdown(ep);
	lo_conn_shutdown(lo);
	lo_ep_wait_drained(lo);
	return 0;
}

const struct kfi_ops_cm lo_cm_ops = {
	.getname	= lo_getname,
	.getpeer	= lo_getpeer,
	.connect	= lo_connect,
	.accept		= lo_accept,
	.shutdown	= lo_shutdown,
};
