/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/kfabric.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: tools/net/ynl/ynl-regen.sh */

#ifndef _LINUX_KFABRIC_GEN_H
#define _LINUX_KFABRIC_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/kfabric.h>

int kfabric_nl_provider_start(struct netlink_callback *cb);
int kfabric_nl_info_start(struct netlink_callback *cb);
int kfabric_nl_endpoint_start(struct netlink_callback *cb);
int kfabric_nl_region_start(struct netlink_callback *cb);
int kfabric_nl_memdev_start(struct netlink_callback *cb);
int kfabric_nl_queue_start(struct netlink_callback *cb);
int kfabric_nl_info_done(struct netlink_callback *cb);

int kfabric_nl_provider_get_dumpit(struct sk_buff *skb,
				   struct netlink_callback *cb);
int kfabric_nl_info_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int kfabric_nl_endpoint_get_dumpit(struct sk_buff *skb,
				   struct netlink_callback *cb);
int kfabric_nl_region_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int kfabric_nl_memdev_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int kfabric_nl_queue_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);

enum {
	KFABRIC_NLGRP_MONITOR,
};

extern struct genl_family kfabric_nl_family;

#endif /* _LINUX_KFABRIC_GEN_H */
