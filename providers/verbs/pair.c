// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Endpoints with messages and commits have a queue pair for each, so that the
 * provider's receives and the consumer's do not meet. The second connection is made
 * when the first one is there, to the same listener. That knows it by a cookie, a
 * random number that it has sent with its answer to the first.
 */

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/in6.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "cm.h"
#include "commit.h"
#include "ep.h"
#include "pair.h"
#include "verbs.h"

/*
 * Endpoints whose peer is going to connect the second time: not more than consumers
 * have accepted, and none for longer than its KFI_OPT_CONNECT_TIMEOUT. The lock is
 * inside of those of endpoints and of the CM ids' handlers.
 */
static DEFINE_MUTEX(kfv_pairs_lock);
static LIST_HEAD(kfv_pairs);

/* Second connections that nobody waits for */
static atomic_t kfv_pair_strays;

/* From here on the peer may come: before it can know the cookie. */
void kfv_pair_await(struct kfv_pair *pair)
{
	mutex_lock(&kfv_pairs_lock);
	list_add_tail(&pair->node, &kfv_pairs);
	mutex_unlock(&kfv_pairs_lock);
}

/* From here on it does not. */
void kfv_pair_withdraw(struct kfv_pair *pair)
{
	mutex_lock(&kfv_pairs_lock);
	list_del_init(&pair->node);
	mutex_unlock(&kfv_pairs_lock);
}

static bool kfv_same_host(const struct sockaddr_storage *a,
			  const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return ((struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((struct sockaddr_in *)b)->sin_addr.s_addr;
	return ipv6_addr_equal(&((struct sockaddr_in6 *)a)->sin6_addr,
			       &((struct sockaddr_in6 *)b)->sin6_addr);
}

/* A cookie is good once, for who was given it, by the way that the first one took. */
static bool kfv_pair_expects(const struct kfv_pair *pair,
			     const struct kfv_fabric *fabric,
			     const struct rdma_cm_id *id, u64 cookie)
{
	const struct kfv_ep *ep = pair->link.ep;

	return pair->cookie == cookie && ep->domain->fabric == fabric &&
	       ep->domain->ib == id->device &&
	       kfv_same_host(&ep->peer, &id->route.addr.dst_addr) &&
	       kfv_ep_state(ep) == KFV_CONNECTING;
}

/* Gives the id to who waits for it: from then on it is the endpoint's to destroy. */
static struct kfv_pair *kfv_pair_take(struct kfv_fabric *fabric,
				      struct rdma_cm_id *id, u64 cookie)
{
	struct kfv_pair *pair;

	mutex_lock(&kfv_pairs_lock);
	list_for_each_entry(pair, &kfv_pairs, node) {
		if (kfv_pair_expects(pair, fabric, id, cookie)) {
			list_del_init(&pair->node);
			pair->link.id = id;
			id->context = &pair->link.cm;
			goto out;
		}
	}
	pair = NULL;
out:
	mutex_unlock(&kfv_pairs_lock);
	return pair;
}

static int kfv_pair_accept(struct kfv_pair *pair, struct rdma_cm_id *id)
{
	struct kfv_ep *ep = pair->link.ep;
	struct kfv_wire_record rec;
	struct rdma_conn_param param = {
		.private_data		= &rec,
		.private_data_len	= sizeof(rec),
		.responder_resources	= 1,
		.flow_control		= 1,
		.rnr_retry_count	= ep->param.rnr_retry_count,
	};
	int ret;

	kfv_cm_second(ep, pair->cookie, &rec);
	ret = rdma_set_min_rnr_timer(id, ep->param.min_rnr_timer);
	if (!ret)
		ret = kfv_link_create_qp(&pair->link, id);
	if (ret)
		return ret;
	ret = rdma_accept(id, &param);
	if (ret)
		pair->link.stalled = true;
	return ret;
}

/*
 * A peer connects the second time. Under the handler lock of the id, which the end of
 * the endpoint waits for; not 0 when nobody has it, and it is to be destroyed.
 */
int kfv_pair_join(struct kfv_fabric *fabric, struct rdma_cm_id *id,
		  const struct kfv_peer *peer)
{
	struct kfv_pair *pair = kfv_pair_take(fabric, id, peer->cookie);
	unsigned int noio;
	int ret;

	if (!pair) {
		atomic_inc(&kfv_pair_strays);
		return -ENOENT;
	}
	/* Whoever reclaims memory may be waiting for this connection. */
	noio = memalloc_noio_save();
	ret = kfv_pair_accept(pair, id);
	memalloc_noio_restore(noio);
	if (ret)
		kfv_ep_fail(pair->link.ep, ret == -ENOMEM ? ENOMEM : ECONNRESET,
			    0, NULL, 0);
	return 0;
}

/* By the way that the first connection has taken, but from any port. */
static int kfv_pair_start(struct kfv_pair *pair)
{
	struct kfv_ep *ep = pair->link.ep;
	struct sockaddr_storage src = ep->src;
	int ret;

	/* the port is in the same place for both families */
	((struct sockaddr_in *)&src)->sin_port = 0;
	ret = kfv_link_open(&pair->link);
	if (ret)
		return ret;
	ret = rdma_resolve_addr(pair->link.id, (struct sockaddr *)&src,
				(struct sockaddr *)&ep->dest, ep->connect_ms);
	return ret ? kfv_cm_errno(ret) : 0;
}

static void kfv_pair_work(struct work_struct *work)
{
	struct kfv_pair *pair = container_of(work, struct kfv_pair, work);
	struct kfv_ep *ep = pair->link.ep;
	int ret = 0;

	if (!kfv_domain_get(ep->domain))
		return;
	mutex_lock(&ep->lock);
	if (kfv_ep_state(ep) == KFV_CONNECTING)
		ret = kfv_pair_start(pair);
	if (ret)
		kfv_ep_fail(ep, -ret, 0, NULL, 0);
	mutex_unlock(&ep->lock);
	kfv_domain_put(ep->domain);
}

/* The first connection is there: make the second, not in the handler of the first. */
void kfv_pair_connect(struct kfv_pair *pair)
{
	queue_work(kfv_wq, &pair->work);
}

/* Gives the endpoint a second queue pair, if it is to have one. */
int kfv_pair_create(struct kfv_ep *ep)
{
	struct kfv_pair *pair;

	if (ep->kind != KFI_KIND_BOTH)
		return 0;
	pair = kzalloc_obj(*pair);
	if (!pair)
		return -ENOMEM;
	kfv_link_init(&pair->link, ep, &pair->sq);
	INIT_WORK(&pair->work, kfv_pair_work);
	INIT_LIST_HEAD(&pair->node);
	pair->cookie = get_random_u64();
	pair->sq.max_sge = ep->tx.sq.max_sge;
	/* a message is one */
	pair->sq.rma_wrs = 1;
	ep->pair = pair;
	return 0;
}

void kfv_pair_destroy(struct kfv_ep *ep)
{
	if (!ep->pair)
		return;
	cancel_work_sync(&ep->pair->work);
	kfree(ep->pair);
	ep->pair = NULL;
}

void kfv_pair_init(void)
{
	debugfs_create_atomic_t("stray_connections", 0444, kfi_debugfs_root,
				&kfv_pair_strays);
}

void kfv_pair_exit(void)
{
	debugfs_lookup_and_remove("stray_connections", kfi_debugfs_root);
}
