/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the files of the netlink family share.
 */

#ifndef KFI_NETLINK_H
#define KFI_NETLINK_H

#include <net/genetlink.h>

#include <kfi_track.h>

#include "netlink_gen.h"

/* netlink.c */
void *kfi_nl_begin(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd);
int kfi_nl_end(struct sk_buff *skb, void *hdr, int ret);

/* netlink_obj.c */
bool kfi_nl_sees_all(const struct netlink_callback *cb);
int kfi_nl_put_scope(struct sk_buff *skb, const struct kfi_scope *scope,
		     const char *owner);
int kfi_nl_put_ep(struct sk_buff *skb, const struct kfi_track *track,
		  const struct kfi_ep_desc *desc);

int kfi_nl_put_memdev(struct sk_buff *skb, const struct kfi_memdev *dev);

/* netlink_stats.c */
int kfi_nl_put_stats(struct sk_buff *skb, struct kfid_ep *ep);
int kfi_nl_put_cq_stats(struct sk_buff *skb, struct kfid_cq *cq);
int kfi_nl_put_prov_stats(struct sk_buff *skb, struct kfi_provider *provider);
int kfi_nl_put_memdev_stats(struct sk_buff *skb, const struct kfi_memdev *dev);

#endif /* KFI_NETLINK_H */
