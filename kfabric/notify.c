// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The netlink family: what happens, for those who listen.
 */

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netlink.h>

#include "netlink.h"
#include "track.h"

/**
 * DOC: notifications
 *
 * An endpoint's connection begins and ends under locks and in any context, so a work
 * item tells of it, and only if there is somebody to tell. What happens again before
 * listeners were told is told once, with a count where that matters; so a peer cannot
 * make more messages than the work item makes. The work items run one after the other,
 * in the order in which the events happened.
 */

static struct workqueue_struct *notify_wq;

/* Held over one message to all listeners: each gets all of them in the same order. */
static DEFINE_MUTEX(notify_lock);

static bool has_listeners(struct net *net)
{
	return genl_has_listeners(&kfabric_nl_family, net,
				  KFABRIC_NLGRP_MONITOR);
}

/* Closing an endpoint waits for this, and may be done to reclaim memory. */
static struct sk_buff *begin(u8 cmd, void **hdr)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_NOIO);

	if (!skb)
		return NULL;
	*hdr = genlmsg_put(skb, 0, 0, &kfabric_nl_family, 0, cmd);
	return skb;
}

static void finish(struct net *net, struct sk_buff *skb, void *hdr, int ret)
{
	if (WARN_ON_ONCE(ret)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	mutex_lock(&notify_lock);
	genlmsg_multicast_netns(&kfabric_nl_family, net, skb, 0,
				KFABRIC_NLGRP_MONITOR, GFP_NOIO);
	mutex_unlock(&notify_lock);
}

static bool is_about_commits(enum kfi_ep_event event)
{
	return event == KFI_EP_EVENT_COMMIT || event == KFI_EP_EVENT_SERVE;
}

static void tell(const struct kfi_track *track, const struct kfi_ep_desc *desc,
		 enum kfi_ep_event event, int err, u32 failures)
{
	static const u8 cmds[KFI_EP_EVENTS] = {
		[KFI_EP_EVENT_CONNECT]		= KFABRIC_CMD_CONNECT_NTF,
		[KFI_EP_EVENT_DISCONNECT]	= KFABRIC_CMD_DISCONNECT_NTF,
		[KFI_EP_EVENT_COMMIT]		= KFABRIC_CMD_COMMIT_NTF,
		[KFI_EP_EVENT_SERVE]		= KFABRIC_CMD_SERVE_NTF,
	};
	struct sk_buff *skb;
	void *hdr;
	int ret;

	skb = begin(cmds[event], &hdr);
	if (!skb)
		return;
	ret = kfi_nl_put_ep(skb, track, desc);
	if (!ret && err)
		ret = nla_put_u32(skb, KFABRIC_A_ENDPOINT_ERROR, err);
	if (!ret && is_about_commits(event))
		ret = nla_put_u32(skb, KFABRIC_A_ENDPOINT_FAILURES, failures);
	finish(track->scope->net, skb, hdr, ret);
}

/* Commits that have failed did so before the end of the connection. */
void kfi_ep_notify(struct work_struct *work)
{
	static const enum kfi_ep_event order[] = {
		KFI_EP_EVENT_CONNECT, KFI_EP_EVENT_COMMIT, KFI_EP_EVENT_SERVE,
		KFI_EP_EVENT_DISCONNECT,
	};
	struct kfi_ep_track *ep = container_of(work, struct kfi_ep_track, work);
	struct kfi_ep_desc desc = { };
	u32 failures[KFI_EP_EVENTS];
	int errors[KFI_EP_EVENTS];
	unsigned long events;
	int i;

	spin_lock_irq(&ep->lock);
	events = ep->events;
	memcpy(failures, ep->failures, sizeof(failures));
	memcpy(errors, ep->errors, sizeof(errors));
	ep->events = 0;
	memset(ep->failures, 0, sizeof(ep->failures));
	spin_unlock_irq(&ep->lock);

	ep->ops->describe(ep, &desc);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		if (events & BIT(order[i]))
			tell(&ep->track, &desc, order[i], errors[order[i]],
			     failures[order[i]]);
}

/* What a connection's event is counted as, KFI_STAT_CONNS if it is none. */
static enum kfi_stat_conn conn_of(const struct kfi_ep_track *ep,
				  enum kfi_ep_event event, int err)
{
	if (is_about_commits(event))
		return KFI_STAT_CONNS;
	if (event == KFI_EP_EVENT_DISCONNECT)
		return err ? KFI_STAT_CONN_BROKEN : KFI_STAT_CONN_SHUTDOWN;
	switch (err) {
	case 0:
		return ep->passive ? KFI_STAT_CONN_ACCEPTED :
				     KFI_STAT_CONN_MADE;
	case ECONNREFUSED:
		return KFI_STAT_CONN_REFUSED;
	case ETIMEDOUT:
		return KFI_STAT_CONN_TIMEDOUT;
	default:
		return KFI_STAT_CONN_FAILED;
	}
}

static void count_event(const struct kfi_ep_track *ep, enum kfi_ep_event event,
			int err)
{
	enum kfi_stat_conn conn = conn_of(ep, event, err);

	if (conn != KFI_STAT_CONNS)
		kfi_stat_count_conn(ep->track.scope->provider, conn);
}

static void ep_event(struct kfi_ep_track *ep, enum kfi_ep_event event, int err)
{
	unsigned long irq;

	spin_lock_irqsave(&ep->lock, irq);
	if (ep->open)
		count_event(ep, event, err);
	if (ep->open && has_listeners(ep->track.scope->net)) {
		ep->events |= BIT(event);
		ep->errors[event] = err;
		ep->failures[event]++;
		queue_work(notify_wq, &ep->work);
	}
	spin_unlock_irqrestore(&ep->lock, irq);
}

/**
 * kfi_ep_connected() - an endpoint is connected, or could not be
 * @track: the endpoint's
 * @err: positive errno of a failure, or 0
 *
 * Context: Any context.
 */
void kfi_ep_connected(struct kfi_ep_track *track, int err)
{
	ep_event(track, KFI_EP_EVENT_CONNECT, err);
}
EXPORT_SYMBOL_GPL(kfi_ep_connected);

/**
 * kfi_ep_disconnected() - an endpoint's connection has ended
 * @track: the endpoint's
 * @err: positive errno if there was an error, or 0
 *
 * Context: Any context.
 */
void kfi_ep_disconnected(struct kfi_ep_track *track, int err)
{
	ep_event(track, KFI_EP_EVENT_DISCONNECT, err);
}
EXPORT_SYMBOL_GPL(kfi_ep_disconnected);

/**
 * kfi_ep_commit_failed() - a commit of an endpoint has failed
 * @track: the endpoint's
 * @err: positive errno
 *
 * Not for one that was flushed because the connection has ended.
 *
 * Context: Any context.
 */
void kfi_ep_commit_failed(struct kfi_ep_track *track, int err)
{
	ep_event(track, KFI_EP_EVENT_COMMIT, err);
}
EXPORT_SYMBOL_GPL(kfi_ep_commit_failed);

/**
 * kfi_ep_serve_failed() - a commit that an endpoint's peer has asked for has failed
 * @track: the endpoint's
 * @err: positive errno
 *
 * For each that &kfi_ep_stats.failed counts.
 *
 * Context: Any context.
 */
void kfi_ep_serve_failed(struct kfi_ep_track *track, int err)
{
	ep_event(track, KFI_EP_EVENT_SERVE, err);
}
EXPORT_SYMBOL_GPL(kfi_ep_serve_failed);

/**
 * kfi_domain_removed() - the device of an open domain was removed
 * @scope: the domain's
 *
 * Context: Process context, may sleep.
 */
void kfi_domain_removed(const struct kfi_scope *scope)
{
	struct sk_buff *skb;
	void *hdr;

	if (!has_listeners(scope->net))
		return;
	skb = begin(KFABRIC_CMD_REMOVE_NTF, &hdr);
	if (skb)
		finish(scope->net, skb, hdr,
		       kfi_nl_put_scope(skb, scope, scope->owner));
}
EXPORT_SYMBOL_GPL(kfi_domain_removed);

/* Of an open memory device, where memory devices are shown; may sleep. */
void kfi_notify_revoke(const struct kfi_memdev *dev, unsigned int regions)
{
	struct sk_buff *skb;
	void *hdr;

	if (!has_listeners(&init_net))
		return;
	skb = begin(KFABRIC_CMD_REVOKE_NTF, &hdr);
	if (skb)
		finish(&init_net, skb, hdr,
		       kfi_nl_put_memdev(skb, dev) ?:
		       nla_put_u32(skb, KFABRIC_A_MEMDEV_REGIONS, regions));
}

int __init kfi_notify_init(void)
{
	notify_wq = alloc_ordered_workqueue("kfi_notify", WQ_MEM_RECLAIM);
	return notify_wq ? 0 : -ENOMEM;
}

void kfi_notify_exit(void)
{
	destroy_workqueue(notify_wq);
}
