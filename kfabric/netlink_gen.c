// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/kfabric.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: tools/net/ynl/ynl-regen.sh */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/kfabric.h>

/* KFABRIC_CMD_INFO_GET - dump */
static const struct nla_policy kfabric_info_get_nl_policy[KFABRIC_A_INFO_DOMAIN + 1] = {
	[KFABRIC_A_INFO_PROVIDER] = { .type = NLA_NUL_STRING, .len = KFABRIC_NAME_LEN, },
	[KFABRIC_A_INFO_DOMAIN] = { .type = NLA_NUL_STRING, .len = KFABRIC_NAME_LEN, },
};

/* KFABRIC_CMD_ENDPOINT_GET - dump */
static const struct nla_policy kfabric_endpoint_get_nl_policy[KFABRIC_A_ENDPOINT_DOMAIN + 1] = {
	[KFABRIC_A_ENDPOINT_ID] = NLA_POLICY_MIN(NLA_U64, 1),
	[KFABRIC_A_ENDPOINT_PROVIDER] = { .type = NLA_NUL_STRING, .len = KFABRIC_NAME_LEN, },
	[KFABRIC_A_ENDPOINT_DOMAIN] = { .type = NLA_NUL_STRING, .len = KFABRIC_NAME_LEN, },
};

/* KFABRIC_CMD_REGION_GET - dump */
static const struct nla_policy kfabric_region_get_nl_policy[KFABRIC_A_REGION_DOMAIN + 1] = {
	[KFABRIC_A_REGION_ID] = NLA_POLICY_MIN(NLA_U64, 1),
	[KFABRIC_A_REGION_PROVIDER] = { .type = NLA_NUL_STRING, .len = KFABRIC_NAME_LEN, },
	[KFABRIC_A_REGION_DOMAIN] = { .type = NLA_NUL_STRING, .len = KFABRIC_NAME_LEN, },
};

/* KFABRIC_CMD_QUEUE_GET - dump */
static const struct nla_policy kfabric_queue_get_nl_policy[KFABRIC_A_QUEUE_DOMAIN + 1] = {
	[KFABRIC_A_QUEUE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
	[KFABRIC_A_QUEUE_PROVIDER] = { .type = NLA_NUL_STRING, .len = KFABRIC_NAME_LEN, },
	[KFABRIC_A_QUEUE_DOMAIN] = { .type = NLA_NUL_STRING, .len = KFABRIC_NAME_LEN, },
};

/* Ops table for kfabric */
static const struct genl_split_ops kfabric_nl_ops[] = {
	{
		.cmd	= KFABRIC_CMD_PROVIDER_GET,
		.start	= kfabric_nl_provider_start,
		.dumpit	= kfabric_nl_provider_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= KFABRIC_CMD_INFO_GET,
		.start		= kfabric_nl_info_start,
		.dumpit		= kfabric_nl_info_get_dumpit,
		.done		= kfabric_nl_info_done,
		.policy		= kfabric_info_get_nl_policy,
		.maxattr	= KFABRIC_A_INFO_DOMAIN,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= KFABRIC_CMD_ENDPOINT_GET,
		.start		= kfabric_nl_endpoint_start,
		.dumpit		= kfabric_nl_endpoint_get_dumpit,
		.policy		= kfabric_endpoint_get_nl_policy,
		.maxattr	= KFABRIC_A_ENDPOINT_DOMAIN,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= KFABRIC_CMD_REGION_GET,
		.start		= kfabric_nl_region_start,
		.dumpit		= kfabric_nl_region_get_dumpit,
		.policy		= kfabric_region_get_nl_policy,
		.maxattr	= KFABRIC_A_REGION_DOMAIN,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= KFABRIC_CMD_MEMDEV_GET,
		.start	= kfabric_nl_memdev_start,
		.dumpit	= kfabric_nl_memdev_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= KFABRIC_CMD_QUEUE_GET,
		.start		= kfabric_nl_queue_start,
		.dumpit		= kfabric_nl_queue_get_dumpit,
		.policy		= kfabric_queue_get_nl_policy,
		.maxattr	= KFABRIC_A_QUEUE_DOMAIN,
		.flags		= GENL_CMD_CAP_DUMP,
	},
};

static const struct genl_multicast_group kfabric_nl_mcgrps[] = {
	[KFABRIC_NLGRP_MONITOR] = { "monitor", },
};

struct genl_family kfabric_nl_family __ro_after_init = {
	.name		= KFABRIC_FAMILY_NAME,
	.version	= KFABRIC_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= kfabric_nl_ops,
	.n_split_ops	= ARRAY_SIZE(kfabric_nl_ops),
	.mcgrps		= kfabric_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(kfabric_nl_mcgrps),
};
