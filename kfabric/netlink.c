// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The netlink family: providers, and what they offer. Objects that are open are in
 * netlink_obj.c, and what happens to them in notify.c.
 */

#include <linux/string.h>
#include <net/netlink.h>
#include <net/sock.h>

#include "core.h"
#include "netlink.h"
#include "track.h"

/**
 * DOC: netlink
 *
 * The family is described by Documentation/netlink/specs/kfabric.yaml, of which the
 * uapi header, the policies and the table of operations are generated. Everything is
 * a dump, and can only be looked at. Who may see what is the same as for the objects
 * that "rdma resource show" shows.
 *
 * No answer has an address of this kernel's memory, nor a memory region's key or the
 * address that goes with it.
 */

#define KFI_NL_CAPS	(KFABRIC_CAPS_MSG | KFABRIC_CAPS_RMA | \
			 KFABRIC_CAPS_ATOMIC | KFABRIC_CAPS_READ | \
			 KFABRIC_CAPS_WRITE | KFABRIC_CAPS_RECV | \
			 KFABRIC_CAPS_SEND | KFABRIC_CAPS_REMOTE_READ | \
			 KFABRIC_CAPS_REMOTE_WRITE | KFABRIC_CAPS_RMA_PMEM | \
			 KFABRIC_CAPS_LOCAL_COMM | KFABRIC_CAPS_REMOTE_COMM)

static_assert(KFABRIC_CAPS_MSG == KFI_MSG);
static_assert(KFABRIC_CAPS_RMA == KFI_RMA);
static_assert(KFABRIC_CAPS_ATOMIC == KFI_ATOMIC);
static_assert(KFABRIC_CAPS_READ == KFI_READ);
static_assert(KFABRIC_CAPS_WRITE == KFI_WRITE);
static_assert(KFABRIC_CAPS_RECV == KFI_RECV);
static_assert(KFABRIC_CAPS_SEND == KFI_SEND);
static_assert(KFABRIC_CAPS_REMOTE_READ == KFI_REMOTE_READ);
static_assert(KFABRIC_CAPS_REMOTE_WRITE == KFI_REMOTE_WRITE);
static_assert(KFABRIC_CAPS_RMA_PMEM == KFI_RMA_PMEM);
static_assert(KFABRIC_CAPS_LOCAL_COMM == KFI_LOCAL_COMM);
static_assert(KFABRIC_CAPS_REMOTE_COMM == KFI_REMOTE_COMM);
static_assert((int)KFABRIC_EP_TYPE_MSG == KFI_EP_MSG);
static_assert((int)KFABRIC_EP_TYPE_RDM == KFI_EP_RDM);
static_assert((int)KFABRIC_COMMIT_METHOD_SERVER == KFI_COMMIT_SERVER);
static_assert((int)KFABRIC_COMMIT_METHOD_READ == KFI_COMMIT_READ);
static_assert((int)KFABRIC_COMMIT_METHOD_FLUSH == KFI_COMMIT_FLUSH);
static_assert(KFI_NAME_MAX - KFABRIC_NAME_LEN == 1);

/* A message of a dump's answer. */
void *kfi_nl_begin(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &kfabric_nl_family, NLM_F_MULTI, cmd);
}

/* The message is complete, or after an error there is none. */
int kfi_nl_end(struct sk_buff *skb, void *hdr, int ret)
{
	if (ret)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return ret;
}

/*
 * Providers
 */

/**
 * struct provider_ctx - a dump of providers
 * @id: the last one that was told
 * @stats: what they have counted is told as well
 */
struct provider_ctx {
	u64	id;
	bool	stats;
};

/* They have counted it in all network namespaces. */
int kfabric_nl_provider_start(struct netlink_callback *cb)
{
	struct provider_ctx *ctx = (void *)cb->ctx;

	ctx->stats = kfi_nl_sees_all(cb);
	return 0;
}

static int put_provider(struct sk_buff *skb, struct netlink_callback *cb,
			struct kfi_provider *provider)
{
	const struct provider_ctx *ctx = (void *)cb->ctx;
	void *hdr = kfi_nl_begin(skb, cb, KFABRIC_CMD_PROVIDER_GET);
	int ret;

	if (!hdr)
		return -EMSGSIZE;
	ret = nla_put_string(skb, KFABRIC_A_PROVIDER_NAME, provider->name) ?:
	      nla_put_u32(skb, KFABRIC_A_PROVIDER_VERSION, provider->version) ?:
	      (ctx->stats ? kfi_nl_put_prov_stats(skb, provider) : 0);
	if (ret == -ENOMEM)
		NL_SET_ERR_MSG(cb->extack, "no memory for what a provider has counted");
	return kfi_nl_end(skb, hdr, ret);
}

int kfabric_nl_provider_get_dumpit(struct sk_buff *skb,
				   struct netlink_callback *cb)
{
	struct provider_ctx *ctx = (void *)cb->ctx;
	struct kfi_provider *provider;
	int ret = 0;

	while (!ret && (provider = kfi_provider_next(ctx->id))) {
		ret = put_provider(skb, cb, provider);
		if (!ret)
			ctx->id = provider->id;
		kfi_provider_put(provider);
	}
	return skb->len ?: ret;
}

/*
 * What they offer
 */

/**
 * struct info_ctx - a dump of infos
 * @list: all there are, from the moment when the dump began
 * @next: the next one to be told
 */
struct info_ctx {
	struct kfi_info		*list;
	struct kfi_info		*next;
};

static_assert(sizeof(struct info_ctx) <=
	      sizeof_field(struct netlink_callback, ctx));

/*
 * No provider is named, for that would load it: who may do that is not for us to
 * decide.
 */
int kfabric_nl_info_start(struct netlink_callback *cb)
{
	struct info_ctx *ctx = (void *)cb->ctx;
	struct kfi_fabric_attr attr = { .net = sock_net(cb->skb->sk) };
	const struct kfi_info hints = {
		.mode = KFI_MODE_BITS, .fabric_attr = &attr,
	};
	int ret;

	ret = kfi_getinfo(kfi_version(), NULL, NULL, 0, &hints, &ctx->list);
	ctx->next = ctx->list;
	if (!ret || ret == -ENODATA)
		return 0;
	NL_SET_ERR_MSG(cb->extack, "cannot find out what providers offer");
	return ret;
}

int kfabric_nl_info_done(struct netlink_callback *cb)
{
	struct info_ctx *ctx = (void *)cb->ctx;

	kfi_freeinfo(ctx->list);
	return 0;
}

static bool is_wanted(const struct nlattr *attr, const char *name)
{
	return !attr || (name && !nla_strcmp(attr, name));
}

static u32 commit_methods(u64 caps)
{
	if (!(caps & KFI_RMA_PMEM))
		return 0;
	return BIT(KFABRIC_COMMIT_METHOD_SERVER) |
	       BIT(KFABRIC_COMMIT_METHOD_READ);
}

static int put_name(struct sk_buff *skb, int attr, const char *name)
{
	return name ? nla_put_string(skb, attr, name) : 0;
}

static int put_what(struct sk_buff *skb, const struct kfi_info *info)
{
	const struct kfi_fabric_attr *fabric = info->fabric_attr;
	u64 caps = info->caps & KFI_NL_CAPS;

	return put_name(skb, KFABRIC_A_INFO_PROVIDER, fabric->prov_name) ?:
	       put_name(skb, KFABRIC_A_INFO_DOMAIN, info->domain_attr->name) ?:
	       put_name(skb, KFABRIC_A_INFO_FABRIC, fabric->name) ?:
	       nla_put_u32(skb, KFABRIC_A_INFO_PROVIDER_VERSION,
			   fabric->prov_version) ?:
	       nla_put_u32(skb, KFABRIC_A_INFO_EP_TYPE, info->ep_attr->type) ?:
	       nla_put_u32(skb, KFABRIC_A_INFO_EP_KIND,
			   kfi_kind_of(info->caps)) ?:
	       nla_put_u32(skb, KFABRIC_A_INFO_PROTOCOL,
			   info->ep_attr->protocol) ?:
	       nla_put_u64_64bit(skb, KFABRIC_A_INFO_CAPS, caps,
				 KFABRIC_A_INFO_PAD) ?:
	       nla_put_u32(skb, KFABRIC_A_INFO_COMMIT_METHODS,
			   commit_methods(info->caps));
}

static int put_limits(struct sk_buff *skb, const struct kfi_info *info)
{
	const struct kfi_domain_attr *domain = info->domain_attr;
	const struct {
		int	attr;
		u64	value;
	} limits[] = {
		{ KFABRIC_A_INFO_MAX_MSG_SIZE, info->ep_attr->max_msg_size },
		{ KFABRIC_A_INFO_INJECT_SIZE, info->tx_attr->inject_size },
		{ KFABRIC_A_INFO_TX_SIZE, info->tx_attr->size },
		{ KFABRIC_A_INFO_RX_SIZE, info->rx_attr->size },
		{ KFABRIC_A_INFO_TX_IOV_LIMIT, info->tx_attr->iov_limit },
		{ KFABRIC_A_INFO_RX_IOV_LIMIT, info->rx_attr->iov_limit },
		{ KFABRIC_A_INFO_RMA_IOV_LIMIT, info->tx_attr->rma_iov_limit },
		{ KFABRIC_A_INFO_MR_IOV_LIMIT, domain->mr_iov_limit },
		{ KFABRIC_A_INFO_MR_KEY_SIZE, domain->mr_key_size },
		{ KFABRIC_A_INFO_CQ_DATA_SIZE, domain->cq_data_size },
		{ KFABRIC_A_INFO_CQ_CNT, domain->cq_cnt },
		{ KFABRIC_A_INFO_EP_CNT, domain->ep_cnt },
		{ KFABRIC_A_INFO_MR_CNT, domain->mr_cnt },
	};
	int i, ret = 0;

	for (i = 0; i < ARRAY_SIZE(limits) && !ret; i++)
		ret = nla_put_uint(skb, limits[i].attr, limits[i].value);
	return ret;
}

static int put_info(struct sk_buff *skb, struct netlink_callback *cb,
		    const struct kfi_info *info)
{
	void *hdr = kfi_nl_begin(skb, cb, KFABRIC_CMD_INFO_GET);

	if (!hdr)
		return -EMSGSIZE;
	return kfi_nl_end(skb, hdr, put_what(skb, info) ?:
				    put_limits(skb, info));
}

int kfabric_nl_info_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;
	struct info_ctx *ctx = (void *)cb->ctx;
	const struct kfi_info *info;
	int ret = 0;

	for (; (info = ctx->next); ctx->next = info->next) {
		if (!is_wanted(attrs[KFABRIC_A_INFO_PROVIDER],
			       info->fabric_attr->prov_name) ||
		    !is_wanted(attrs[KFABRIC_A_INFO_DOMAIN],
			       info->domain_attr->name))
			continue;
		ret = put_info(skb, cb, info);
		if (ret)
			break;
	}
	return skb->len ?: ret;
}

int __init kfi_netlink_init(void)
{
	return genl_register_family(&kfabric_nl_family);
}

void kfi_netlink_exit(void)
{
	genl_unregister_family(&kfabric_nl_family);
}
