/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Connection management of the verbs provider.
 */

#ifndef KFV_CM_H
#define KFV_CM_H

#include <linux/completion.h>
#include <rdma/ib_verbs.h>
#include <rdma/rdma_cm.h>

#include <kfi_prov.h>

#include "commit_wire.h"

struct kfv_device;
struct kfv_ep;
struct kfv_fabric;
struct kfv_sq;

/* Mark of an event queue's prov_errno: an event of the device. */
#define KFV_ERR_EVENT		BIT(16)

/**
 * struct kfv_cm - who gets the events of a CM id: its context
 * @event: called under the id's handler lock, may sleep; not 0 destroys the id
 */
struct kfv_cm {
	int	(*event)(struct kfv_cm *cm, struct rdma_cm_id *id,
			 struct rdma_cm_event *ev);
};

/**
 * struct kfv_link - the connection of a queue pair
 * @cm: gets events of @id
 * @ep: its endpoint
 * @sq: what the queue pair sends
 * @id: CM id
 * @has_qp: there is a queue pair; under the CM id's handler lock, as is @stalled
 * @stalled: it could not be connected, see kfv_link_unstall()
 * @up: it is connected; under the endpoint's post lock
 * @accepted_at: when the peer's request was, in jiffies; 0 if it was not. Under the
 *	endpoint's lock
 * @heard: an event has come: behind an accept, what became of that
 * @last: of the last work request of either queue
 * @drained: completed by each of them; for good once the endpoint is cut off
 */
struct kfv_link {
	struct kfv_cm		cm;
	struct kfv_ep		*ep;
	struct kfv_sq		*sq;
	struct rdma_cm_id	*id;
	bool			has_qp;
	bool			stalled;
	bool			up;
	u64			accepted_at;
	struct completion	heard;
	struct ib_cqe		last;
	struct completion	drained;
};

/**
 * struct kfv_ep_attrs - what a passive endpoint asks for in its requests' infos
 * @tx_size: of &struct kfi_tx_attr, 0 for the default
 * @rx_size: of &struct kfi_rx_attr, 0 for the default
 * @tx_op_flags: of &struct kfi_tx_attr
 * @rx_op_flags: of &struct kfi_rx_attr
 */
struct kfv_ep_attrs {
	size_t	tx_size;
	size_t	rx_size;
	u64	tx_op_flags;
	u64	rx_op_flags;
};

/**
 * struct kfv_connreq - a connection request: &kfi_info.handle
 * @fid: counts the infos that have it
 * @cm: gets events of @id until an endpoint does
 * @fabric: its fabric
 * @pep: number of the passive endpoint that it came in by
 * @dev: the device that it came in by
 * @node: in the device's list
 * @id: CM id; NULL when somebody took it. Under @dev's lock
 * @removing: the device's removal has taken @id; under @dev's lock
 * @removed: and no handler of it runs any more
 * @param: what the peer asked for
 * @kind: of the peer's endpoint
 * @peer: what it declared, unless that is a raw one
 */
struct kfv_connreq {
	struct kfid		fid;
	struct kfv_cm		cm;
	struct kfv_fabric	*fabric;
	u64			pep;
	struct kfv_device	*dev;
	struct list_head	node;
	struct rdma_cm_id	*id;
	bool			removing;
	struct completion	removed;
	struct rdma_conn_param	param;
	enum kfi_ep_kind	kind;
	struct kfv_peer		peer;
};

/* fabric.c */
const char *kfv_eq_strerror(int prov_errno);

/* cm.c */
int kfv_cm_errno(int status);
int kfv_cm_bind(struct rdma_cm_id *id, struct sockaddr *addr);
int kfv_cm_handler(struct rdma_cm_id *id, struct rdma_cm_event *ev);
int kfv_link_event(struct kfv_cm *cm, struct rdma_cm_id *id,
		   struct rdma_cm_event *ev);
void kfv_qp_event(struct ib_event *event, void *context);
void kfv_cq_event(struct ib_event *event, void *context);

/* connect.c */
int kfv_link_open(struct kfv_link *link);

/* queues.c */
void kfv_link_init(struct kfv_link *link, struct kfv_ep *ep, struct kfv_sq *sq);
int kfv_link_create_qp(struct kfv_link *link, struct rdma_cm_id *id);
void kfv_link_quiesce(struct kfv_link *link);

/* down.c */
void kfv_ep_complain(const struct kfv_ep *ep, const char *why);
void kfv_ep_fail(struct kfv_ep *ep, int err, int prov_errno, const void *data,
		 size_t len);
void kfv_ep_lost(struct kfv_ep *ep);
void kfv_ep_lost_locked(struct kfv_ep *ep);
void kfv_ep_refused(struct kfv_ep *ep);
void kfv_ep_fatal(struct kfv_ep *ep, int err, int prov_errno);
void kfv_ep_teardown(struct kfv_ep *ep, bool gone);
void kfv_ep_timer(struct work_struct *work);
void kfv_ep_down(struct work_struct *work);

/* connreq.c */
int kfv_connreq_new(struct kfv_fabric *fabric, struct rdma_cm_id *id,
		    struct rdma_cm_event *ev, enum kfi_ep_kind kind,
		    const struct kfv_peer *peer,
		    const struct kfv_ep_attrs *attrs, struct kfi_info **info);
struct kfv_connreq *kfv_connreq_of(struct kfid *handle);
struct rdma_cm_id *kfv_connreq_take(struct kfv_connreq *cr);
void kfv_connreqs_remove(struct kfv_device *dev);

#endif /* KFV_CM_H */
