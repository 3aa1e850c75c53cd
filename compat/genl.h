/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Generic netlink of older kernels. No command here has both a request for one object
 * and a dump, so that one entry for each of the two is one for each command.
 */

#ifndef KFI_COMPAT_GENL_H
#define KFI_COMPAT_GENL_H

#include <net/genetlink.h>
#include <net/netlink.h>

#ifndef KFI_HAS_SPLIT_OPS
#define genl_split_ops		genl_ops
#define split_ops		ops
#define n_split_ops		n_ops
#endif

#ifndef KFI_HAS_INFO_DUMP
#define genl_info_dump		genl_dumpit_info
#endif

#ifndef KFI_HAS_NLA_UINT
static inline int nla_put_uint(struct sk_buff *skb, int attrtype, u64 value)
{
	u32 value32 = value;

	if (value == value32)
		return nla_put_u32(skb, attrtype, value32);
	return nla_put(skb, attrtype, sizeof(value), &value);
}
#endif

#endif /* KFI_COMPAT_GENL_H */
