/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Connections, and the addresses that they are made by.
 */

#ifndef KFI_LOOPBACK_CONN_H
#define KFI_LOOPBACK_CONN_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <kfi_cm.h>
#include <kfi_endpoint.h>

#include "loopback.h"
#include "mem.h"

struct kfi_ep_desc;
struct lo_ep;
struct net;

/**
 * enum lo_conn_state - state of a connection
 * @LO_CONN_REQUESTED: the listener has not answered
 * @LO_CONN_UP: both ends can transmit
 * @LO_CONN_DOWN: it has ended
 */
enum lo_conn_state {
	LO_CONN_REQUESTED,
	LO_CONN_UP,
	LO_CONN_DOWN,
};

/* Sides of a connection */
#define LO_ACTIVE	0
#define LO_PASSIVE	1

/**
 * struct lo_conn - a connection, from the request on
 * @kref: one for each endpoint, for the request and for the pending timer
 * @lock: protects what follows up to @consumed, and serving of both ends
 * @state: its state
 * @was_up: it has been LO_CONN_UP
 * @ends: the endpoints; NULL when not there yet, or closed
 * @consumed: somebody answers for the request
 * @kind: of the endpoint that asks for it
 * @offered: what the listener is told that it is
 * @pep: number of the listener
 * @req: the handle of the request
 * @fabric: the listener's, whose child the request is
 * @param: what the active end asks for
 * @addrs: the ends' addresses
 * @memory: what the ends say of their memory
 * @timer: the listener takes too long
 */
struct lo_conn {
	struct kref		kref;
	/* protects what follows up to @consumed, and serving; process context */
	spinlock_t		lock;
	enum lo_conn_state	state;
	bool			was_up;
	struct lo_ep		*ends[2];
	bool			consumed;
	enum kfi_ep_kind	kind;
	enum kfi_ep_kind	offered;
	u64			pep;
	struct kfid		req;
	struct lo_fabric	*fabric;
	struct kfi_conn_param	param;
	struct sockaddr_storage	addrs[2];
	struct lo_memory	memory[2];
	struct delayed_work	timer;
};

/**
 * struct lo_name - an address that is taken
 * @node: in the list of all names
 * @net: its namespace
 * @addr: the address
 * @pep: who listens there, or NULL
 */
struct lo_name {
	struct list_head	node;
	struct net		*net;
	struct sockaddr_storage	addr;
	struct lo_pep		*pep;
};

/**
 * struct lo_pep - an open passive endpoint
 * @pep: what the consumer has
 * @fabric: its fabric
 * @eq: event queue
 * @name: its address
 * @kind: of the endpoints that it listens for
 * @listening: requests are taken
 * @tx_size: tx_attr.size of its requests
 * @rx_size: rx_attr.size of its requests
 * @tx_op_flags: tx_attr.op_flags of its requests
 * @rx_op_flags: rx_attr.op_flags of its requests
 * @lock: serialises control calls
 */
struct lo_pep {
	struct kfid_pep		pep;
	struct lo_fabric	*fabric;
	struct kfid_eq		*eq;
	struct lo_name		*name;
	enum kfi_ep_kind	kind;
	bool			listening;
	size_t			tx_size;
	size_t			rx_size;
	u64			tx_op_flags;
	u64			rx_op_flags;
	/* serialises control calls, but for close */
	struct mutex		lock;
};

/* name.c */
void lo_names_lock(unsigned int *noio);
void lo_names_unlock(unsigned int noio);
struct lo_name *lo_name_take(struct net *net,
			     const struct sockaddr_storage *addr);
void lo_name_drop(struct lo_name *name);
struct lo_pep *lo_name_find(struct net *net, struct sockaddr_storage *addr);
int lo_addr_copy(struct sockaddr_storage *to, const void *from, size_t len);

/* conn.c */
struct lo_conn *lo_conn_alloc(enum kfi_ep_kind kind);
void lo_conn_put(struct lo_conn *conn);
void lo_conn_attach(struct lo_conn *conn, struct lo_ep *ep, unsigned int side);
void lo_conn_detach(struct lo_ep *ep);
bool lo_conn_was_up(struct lo_conn *conn);
bool lo_conn_is_down(struct lo_conn *conn);
void lo_conn_wait(struct lo_conn *conn, unsigned int timeout);
bool lo_conn_up(struct lo_conn *conn, const void *data, size_t len);
void lo_conn_complain(const struct lo_ep *ep, enum lo_error error);
void lo_conn_fail(struct lo_conn *conn);
void lo_conn_time_out(struct lo_ep *ep);
void lo_conn_refuse(struct lo_conn *conn, enum lo_error error,
		    const void *data, size_t len);
void lo_conn_shutdown(struct lo_ep *ep);
void lo_conn_end(struct lo_ep *ep);
struct lo_ep *lo_peer_get(struct lo_ep *ep);
void lo_peer_put(struct lo_ep *peer);
bool lo_ep_serving(struct lo_ep *ep);
size_t lo_cm_room(const struct lo_conn *conn, size_t size);
enum kfi_commit_method lo_conn_method(const struct lo_ep *ep, u8 depth);
void lo_conn_describe(struct lo_ep *ep, struct kfi_ep_desc *desc);

/* connreq.c */
bool lo_request_wanted(const struct lo_conn *conn, const struct lo_pep *pep);
void lo_request_refuse(struct lo_conn *conn, const struct lo_pep *pep,
		       bool wanted);
int lo_request_prepare(struct lo_conn *conn, struct lo_pep *pep,
		       struct kfi_eq_event **ev);
void lo_request_post(struct lo_conn *conn, struct lo_pep *pep,
		     struct kfi_eq_event *ev, const void *param, size_t len);
struct lo_conn *lo_request_of(struct kfid *handle);
bool lo_request_consume(struct lo_conn *conn);
int lo_reject(struct kfid_pep *pep, struct kfid *handle, const void *param,
	      size_t paramlen);

/* cm.c */
extern const struct kfi_ops_cm lo_cm_ops;
int lo_get_addr(const struct sockaddr_storage *from, void *addr, size_t *len);

/* pep.c */
int lo_pep_open(struct kfid_fabric *fabric, struct kfi_info *info,
		struct kfid_pep **pep, void *context, const char *owner);

#endif /* KFI_LOOPBACK_CONN_H */
