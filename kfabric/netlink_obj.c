// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The netlink family: endpoints, completion queues, memory regions and memory devices
 * that are open.
 */

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/sock.h>

#include "memdev.h"
#include "netlink.h"
#include "track.h"

static_assert((int)KFABRIC_EP_KIND_BOTH == KFI_KIND_BOTH);
static_assert((int)KFABRIC_EP_STATE_REMOVED == KFI_STATE_REMOVED);
static_assert((int)KFABRIC_PMEM_DOMAIN_CPU_CACHE == KFI_PMEM_DOMAIN_CPU_CACHE);
static_assert(KFABRIC_ACCESS_READ == KFI_READ);
static_assert(KFABRIC_ACCESS_WRITE == KFI_WRITE);
static_assert(KFABRIC_ACCESS_RECV == KFI_RECV);
static_assert(KFABRIC_ACCESS_SEND == KFI_SEND);
static_assert(KFABRIC_ACCESS_REMOTE_READ == KFI_REMOTE_READ);
static_assert(KFABRIC_ACCESS_REMOTE_WRITE == KFI_REMOTE_WRITE);
static_assert(KFABRIC_MR_FLAGS_PMEM == KFI_PMEM);
static_assert(KFABRIC_MR_FLAGS_UNCACHED == KFI_UNCACHED);

/* All kinds of objects begin with the same attributes. */
static_assert(KFABRIC_A_ENDPOINT_ID == (int)KFABRIC_A_REGION_ID);
static_assert(KFABRIC_A_ENDPOINT_PROVIDER == (int)KFABRIC_A_REGION_PROVIDER);
static_assert(KFABRIC_A_ENDPOINT_DOMAIN == (int)KFABRIC_A_REGION_DOMAIN);
static_assert(KFABRIC_A_ENDPOINT_OWNER == (int)KFABRIC_A_REGION_OWNER);
static_assert(KFABRIC_A_ENDPOINT_PAD == (int)KFABRIC_A_REGION_PAD);
static_assert(KFABRIC_A_ENDPOINT_ID == (int)KFABRIC_A_QUEUE_ID);
static_assert(KFABRIC_A_ENDPOINT_PROVIDER == (int)KFABRIC_A_QUEUE_PROVIDER);
static_assert(KFABRIC_A_ENDPOINT_DOMAIN == (int)KFABRIC_A_QUEUE_DOMAIN);
static_assert(KFABRIC_A_ENDPOINT_OWNER == (int)KFABRIC_A_QUEUE_OWNER);
static_assert(KFABRIC_A_ENDPOINT_PAD == (int)KFABRIC_A_QUEUE_PAD);

/*
 * As for RDMA: what the kernel has opened belongs to nobody in another PID
 * namespace than the initial one.
 */
static bool in_init_pid_ns(void)
{
	return task_active_pid_ns(current) == &init_pid_ns;
}

static int check_pid_ns(struct netlink_callback *cb)
{
	if (in_init_pid_ns())
		return 0;
	NL_SET_ERR_MSG(cb->extack,
		       "objects of the kernel are shown in the initial PID namespace only");
	return -EPERM;
}

/* Whether whoever begins a dump may see what belongs to no namespace, or to all. */
bool kfi_nl_sees_all(const struct netlink_callback *cb)
{
	return in_init_pid_ns() && net_eq(sock_net(cb->skb->sk), &init_net);
}

static bool is_visible(const struct kfi_track *track, const struct sock *sk)
{
	return net_eq(track->scope->net, sock_net(sk));
}

/*
 * Endpoints, completion queues and memory regions
 */

struct object_ctx {
	u64	id;
};

static int check_id(struct netlink_callback *cb, struct kfi_registry *reg)
{
	struct nlattr *attr = genl_info_dump(cb)->attrs[KFABRIC_A_ENDPOINT_ID];
	struct kfi_track *track;
	bool found;

	if (!attr)
		return 0;
	track = kfi_track_get(reg, nla_get_u64(attr));
	found = track && is_visible(track, cb->skb->sk);
	if (track)
		kfi_track_put(track);
	if (found)
		return 0;
	NL_SET_ERR_MSG_ATTR(cb->extack, attr, "no such object in this network namespace");
	return -ENOENT;
}

int kfabric_nl_endpoint_start(struct netlink_callback *cb)
{
	return check_pid_ns(cb) ?: check_id(cb, &kfi_ep_registry);
}

int kfabric_nl_queue_start(struct netlink_callback *cb)
{
	return check_pid_ns(cb) ?: check_id(cb, &kfi_cq_registry);
}

int kfabric_nl_region_start(struct netlink_callback *cb)
{
	return check_pid_ns(cb) ?: check_id(cb, &kfi_mr_registry);
}

static bool is_wanted(struct netlink_callback *cb, const struct kfi_track *track)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;
	struct nlattr *provider = attrs[KFABRIC_A_ENDPOINT_PROVIDER];
	struct nlattr *domain = attrs[KFABRIC_A_ENDPOINT_DOMAIN];

	return is_visible(track, cb->skb->sk) &&
	       (!provider || !nla_strcmp(provider, track->scope->provider->name)) &&
	       (!domain || !nla_strcmp(domain, track->scope->domain));
}

/* The next object after those that were looked at already, with a reference. */
static struct kfi_track *next_object(struct netlink_callback *cb,
				     struct kfi_registry *reg)
{
	struct nlattr *attr = genl_info_dump(cb)->attrs[KFABRIC_A_ENDPOINT_ID];
	struct object_ctx *ctx = (void *)cb->ctx;

	if (!attr)
		return kfi_track_next(reg, ctx->id);
	return ctx->id ? NULL : kfi_track_get(reg, nla_get_u64(attr));
}

static int dump_objects(struct sk_buff *skb, struct netlink_callback *cb,
			struct kfi_registry *reg,
			int (*put)(struct sk_buff *skb,
				   struct netlink_callback *cb,
				   struct kfi_track *track))
{
	struct object_ctx *ctx = (void *)cb->ctx;
	struct kfi_track *track;
	int ret = 0;

	while (!ret && (track = next_object(cb, reg))) {
		if (is_wanted(cb, track))
			ret = put(skb, cb, track);
		if (!ret)
			ctx->id = track->fid->id;
		kfi_track_put(track);
		cond_resched();
	}
	return skb->len ?: ret;
}

int kfi_nl_put_scope(struct sk_buff *skb, const struct kfi_scope *scope,
		     const char *owner)
{
	return nla_put_string(skb, KFABRIC_A_ENDPOINT_PROVIDER,
			      scope->provider->name) ?:
	       nla_put_string(skb, KFABRIC_A_ENDPOINT_DOMAIN, scope->domain) ?:
	       nla_put_string(skb, KFABRIC_A_ENDPOINT_OWNER, owner);
}

static int put_track(struct sk_buff *skb, const struct kfi_track *track)
{
	return nla_put_u64_64bit(skb, KFABRIC_A_ENDPOINT_ID, track->fid->id,
				 KFABRIC_A_ENDPOINT_PAD) ?:
	       kfi_nl_put_scope(skb, track->scope, track->owner);
}

static int put_ip(struct sk_buff *skb, const struct sockaddr_storage *addr)
{
	const struct sockaddr_in6 *sin6 = (const void *)addr;
	const struct sockaddr_in *sin = (const void *)addr;

	if (addr->ss_family == AF_INET)
		return nla_put_in_addr(skb, KFABRIC_A_ADDRESS_IPV4,
				       sin->sin_addr.s_addr) ?:
		       nla_put_be16(skb, KFABRIC_A_ADDRESS_PORT,
				    sin->sin_port);
	return nla_put_in6_addr(skb, KFABRIC_A_ADDRESS_IPV6,
				&sin6->sin6_addr) ?:
	       nla_put_be16(skb, KFABRIC_A_ADDRESS_PORT, sin6->sin6_port) ?:
	       (sin6->sin6_scope_id ?
		nla_put_u32(skb, KFABRIC_A_ADDRESS_SCOPE_ID,
			    sin6->sin6_scope_id) : 0);
}

static int put_address(struct sk_buff *skb, int attr,
		       const struct sockaddr_storage *addr)
{
	struct nlattr *nest;
	int ret;

	if (!kfi_sockaddr_len(addr))
		return 0;
	nest = nla_nest_start(skb, attr);
	if (!nest)
		return -EMSGSIZE;
	ret = put_ip(skb, addr);
	if (!ret)
		nla_nest_end(skb, nest);
	return ret;
}

/* What events tell of an endpoint as well. */
int kfi_nl_put_ep(struct sk_buff *skb, const struct kfi_track *track,
		  const struct kfi_ep_desc *desc)
{
	return put_track(skb, track) ?:
	       nla_put_u32(skb, KFABRIC_A_ENDPOINT_KIND, desc->kind) ?:
	       put_address(skb, KFABRIC_A_ENDPOINT_LOCAL, &desc->local) ?:
	       put_address(skb, KFABRIC_A_ENDPOINT_PEER, &desc->peer) ?:
	       nla_put_u32(skb, KFABRIC_A_ENDPOINT_METHOD, desc->method);
}

static int put_endpoint(struct sk_buff *skb, struct netlink_callback *cb,
			struct kfi_track *track)
{
	struct kfi_ep_track *ep = container_of(track, struct kfi_ep_track,
					       track);
	struct kfi_ep_desc desc = { };
	void *hdr;
	int ret;

	hdr = kfi_nl_begin(skb, cb, KFABRIC_CMD_ENDPOINT_GET);
	if (!hdr)
		return -EMSGSIZE;
	ep->ops->describe(ep, &desc);
	ret = kfi_nl_put_ep(skb, track, &desc) ?:
	      nla_put_u32(skb, KFABRIC_A_ENDPOINT_STATE, desc.state) ?:
	      nla_put_u32(skb, KFABRIC_A_ENDPOINT_TX_SIZE, desc.tx_size) ?:
	      nla_put_u32(skb, KFABRIC_A_ENDPOINT_RX_SIZE, desc.rx_size) ?:
	      kfi_nl_put_stats(skb, container_of(track->fid, struct kfid_ep,
						 fid));
	return kfi_nl_end(skb, hdr, ret);
}

int kfabric_nl_endpoint_get_dumpit(struct sk_buff *skb,
				   struct netlink_callback *cb)
{
	return dump_objects(skb, cb, &kfi_ep_registry, put_endpoint);
}

static int put_queue(struct sk_buff *skb, struct netlink_callback *cb,
		     struct kfi_track *track)
{
	struct kfid_cq *cq = container_of(track->fid, struct kfid_cq, fid);
	void *hdr;

	hdr = kfi_nl_begin(skb, cb, KFABRIC_CMD_QUEUE_GET);
	if (!hdr)
		return -EMSGSIZE;
	return kfi_nl_end(skb, hdr, put_track(skb, track) ?:
				    kfi_nl_put_cq_stats(skb, cq));
}

int kfabric_nl_queue_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	return dump_objects(skb, cb, &kfi_cq_registry, put_queue);
}

/* Memory devices belong to no network namespace. */
static bool sees_memdevs(const struct sock *sk)
{
	return net_eq(sock_net(sk), &init_net);
}

static int put_place(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct kfi_mr_track *mr)
{
	int ret = 0;

	if (mr->memdev && sees_memdevs(cb->skb->sk))
		ret = nla_put_string(skb, KFABRIC_A_REGION_MEMDEV,
				     mr->memdev->name);
	if (!ret && READ_ONCE(mr->dead))
		ret = nla_put_flag(skb, KFABRIC_A_REGION_DEAD);
	return ret;
}

static int put_flags(struct sk_buff *skb, int attr, u64 flags)
{
	return nla_put_u64_64bit(skb, attr, flags, KFABRIC_A_REGION_PAD);
}

static int put_region(struct sk_buff *skb, struct netlink_callback *cb,
		      struct kfi_track *track)
{
	const struct kfi_mr_track *mr = container_of(track, struct kfi_mr_track,
						     track);
	const struct kfid_mr *fid = container_of(track->fid,
						 struct kfid_mr, fid);
	void *hdr;
	int ret;

	hdr = kfi_nl_begin(skb, cb, KFABRIC_CMD_REGION_GET);
	if (!hdr)
		return -EMSGSIZE;
	ret = put_track(skb, track) ?:
	      nla_put_uint(skb, KFABRIC_A_REGION_LENGTH, mr->len) ?:
	      put_flags(skb, KFABRIC_A_REGION_ACCESS, mr->access) ?:
	      put_flags(skb, KFABRIC_A_REGION_FLAGS, mr->flags) ?:
	      put_flags(skb, KFABRIC_A_REGION_HONOURED, fid->flags) ?:
	      put_place(skb, cb, mr);
	return kfi_nl_end(skb, hdr, ret);
}

int kfabric_nl_region_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	return dump_objects(skb, cb, &kfi_mr_registry, put_region);
}

/*
 * Memory devices
 */

struct memdev_ctx {
	u64	id;
};

int kfabric_nl_memdev_start(struct netlink_callback *cb)
{
	if (sees_memdevs(cb->skb->sk))
		return check_pid_ns(cb);
	NL_SET_ERR_MSG(cb->extack,
		       "memory devices are shown in the initial network namespace only");
	return -EPERM;
}

/* What events tell of a memory device as well. */
int kfi_nl_put_memdev(struct sk_buff *skb, const struct kfi_memdev *dev)
{
	return nla_put_string(skb, KFABRIC_A_MEMDEV_NAME, dev->name) ?:
	       nla_put_string(skb, KFABRIC_A_MEMDEV_DRIVER,
			      dev->driver->scheme) ?:
	       nla_put_uint(skb, KFABRIC_A_MEMDEV_LENGTH, dev->len);
}

static int put_memdev(struct sk_buff *skb, struct netlink_callback *cb,
		      struct kfi_memdev *dev)
{
	unsigned int regions;
	bool dead;
	void *hdr;
	int ret;

	hdr = kfi_nl_begin(skb, cb, KFABRIC_CMD_MEMDEV_GET);
	if (!hdr)
		return -EMSGSIZE;
	regions = kfi_memdev_count(dev, &dead);
	ret = kfi_nl_put_memdev(skb, dev) ?:
	      nla_put_u32(skb, KFABRIC_A_MEMDEV_DOMAIN, dev->domain) ?:
	      nla_put_u8(skb, KFABRIC_A_MEMDEV_SYNC, dev->sync) ?:
	      nla_put_uint(skb, KFABRIC_A_MEMDEV_INCARNATION,
			   READ_ONCE(dev->incarnation)) ?:
	      nla_put_u32(skb, KFABRIC_A_MEMDEV_REGIONS, regions) ?:
	      (dead ? nla_put_flag(skb, KFABRIC_A_MEMDEV_DEAD) : 0) ?:
	      kfi_nl_put_memdev_stats(skb, dev);
	return kfi_nl_end(skb, hdr, ret);
}

int kfabric_nl_memdev_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct memdev_ctx *ctx = (void *)cb->ctx;
	struct kfi_memdev *dev;
	int ret = 0;

	while (!ret && (dev = kfi_memdev_next(ctx->id))) {
		ret = put_memdev(skb, cb, dev);
		if (!ret)
			ctx->id = dev->id;
		kfi_memdev_put(dev);
	}
	return skb->len ?: ret;
}
