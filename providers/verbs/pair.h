/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The second queue pair of endpoints with messages and commits.
 */

#ifndef KFV_PAIR_H
#define KFV_PAIR_H

#include <linux/list.h>
#include <linux/workqueue.h>

#include "ep.h"

/**
 * struct kfv_pair - a queue pair for messages beside one for all else
 * @sq: what it sends
 * @link: its connection
 * @work: begins to connect
 * @node: in the list of those whose peer is going to connect
 * @cookie: what that one has to show
 */
struct kfv_pair {
	struct kfv_sq		sq;
	struct kfv_link		link;
	struct work_struct	work;
	struct list_head	node;
	u64			cookie;
};

static inline bool kfv_link_is_second(const struct kfv_link *link)
{
	return link != &link->ep->link;
}

static inline enum kfv_wire_role kfv_link_role(const struct kfv_link *link)
{
	if (kfv_link_is_second(link))
		return KFV_WIRE_MSG;
	return link->ep->pair ? KFV_WIRE_RMA : KFV_WIRE_ONLY;
}

/* The send queue that is not @sq, of an endpoint with two. */
static inline struct kfv_sq *kfv_sq_other(struct kfv_ep *ep,
					  const struct kfv_sq *sq)
{
	return sq == &ep->tx.sq ? &ep->pair->sq : &ep->tx.sq;
}

/* pair.c */
void kfv_pair_init(void);
void kfv_pair_exit(void);
int kfv_pair_create(struct kfv_ep *ep);
void kfv_pair_destroy(struct kfv_ep *ep);
void kfv_pair_connect(struct kfv_pair *pair);
void kfv_pair_await(struct kfv_pair *pair);
void kfv_pair_withdraw(struct kfv_pair *pair);
int kfv_pair_join(struct kfv_fabric *fabric, struct rdma_cm_id *id,
		  const struct kfv_peer *peer);

#endif /* KFV_PAIR_H */
