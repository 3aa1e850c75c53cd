// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Hint matching: whether what a provider offers is what a consumer asked for,
 * and the answer made of both. One function, for every provider.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/array_size.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include <kfi_prov.h>

#define KFI_PRIMARY_CAPS	(KFI_MSG | KFI_RMA | KFI_ATOMIC)

/* A number, of type size_t, asks for at least as much; so 0 asks for nothing. */
struct kfi_limit {
	const char	*name;
	size_t		offset;
};

#define KFI_LIMIT(attr, member) \
	{ #attr "->" #member, offsetof(struct kfi_##attr, member) }

static const struct kfi_limit tx_limits[] = {
	KFI_LIMIT(tx_attr, inject_size),
	KFI_LIMIT(tx_attr, size),
	KFI_LIMIT(tx_attr, iov_limit),
	KFI_LIMIT(tx_attr, rma_iov_limit),
};

static const struct kfi_limit rx_limits[] = {
	KFI_LIMIT(rx_attr, total_buffered_recv),
	KFI_LIMIT(rx_attr, size),
	KFI_LIMIT(rx_attr, iov_limit),
};

static const struct kfi_limit ep_limits[] = {
	KFI_LIMIT(ep_attr, max_msg_size),
	KFI_LIMIT(ep_attr, max_order_raw_size),
	KFI_LIMIT(ep_attr, max_order_war_size),
	KFI_LIMIT(ep_attr, max_order_waw_size),
	KFI_LIMIT(ep_attr, tx_ctx_cnt),
	KFI_LIMIT(ep_attr, rx_ctx_cnt),
};

static const struct kfi_limit domain_limits[] = {
	KFI_LIMIT(domain_attr, mr_key_size),
	KFI_LIMIT(domain_attr, cq_data_size),
	KFI_LIMIT(domain_attr, cq_cnt),
	KFI_LIMIT(domain_attr, ep_cnt),
	KFI_LIMIT(domain_attr, tx_ctx_cnt),
	KFI_LIMIT(domain_attr, rx_ctx_cnt),
	KFI_LIMIT(domain_attr, max_ep_tx_ctx),
	KFI_LIMIT(domain_attr, max_ep_rx_ctx),
	KFI_LIMIT(domain_attr, max_ep_stx_ctx),
	KFI_LIMIT(domain_attr, max_ep_srx_ctx),
	KFI_LIMIT(domain_attr, cntr_cnt),
	KFI_LIMIT(domain_attr, mr_iov_limit),
	KFI_LIMIT(domain_attr, max_err_data),
	KFI_LIMIT(domain_attr, mr_cnt),
};

static const char *mismatch_limit(const struct kfi_limit *limits, size_t nr,
				  const void *offer, const void *hint)
{
	for (; nr; nr--, limits++) {
		const size_t *asked = hint + limits->offset;
		const size_t *offered = offer + limits->offset;

		if (*asked > *offered)
			return limits->name;
	}
	return NULL;
}

/* What an offer leaves open the core fills in, and has looked at already. */
static bool match_name(const char *offer, const char *hint)
{
	return !hint || !offer || !strcmp(hint, offer);
}

/*
 * A consumer may be prepared for more than an offer asks of it, but not for what
 * nobody knows yet.
 */
static bool match_mode(u64 mode)
{
	return !(mode & ~KFI_MODE_BITS);
}

static const char *mismatch_tx(const struct kfi_tx_attr *offer,
			       const struct kfi_tx_attr *hint)
{
	if (!hint)
		return NULL;
	if (hint->caps & ~offer->caps)
		return "tx_attr->caps";
	if (!match_mode(hint->mode))
		return "tx_attr->mode";
	if (hint->op_flags & ~offer->op_flags ||
	    kfi_check_tx_op_flags(hint->op_flags))
		return "tx_attr->op_flags";
	if (hint->msg_order & ~offer->msg_order)
		return "tx_attr->msg_order";
	if (hint->comp_order & ~offer->comp_order)
		return "tx_attr->comp_order";
	if (hint->tclass)
		return "tx_attr->tclass";
	return mismatch_limit(tx_limits, ARRAY_SIZE(tx_limits), offer, hint);
}

static const char *mismatch_rx(const struct kfi_rx_attr *offer,
			       const struct kfi_rx_attr *hint)
{
	if (!hint)
		return NULL;
	if (hint->caps & ~offer->caps)
		return "rx_attr->caps";
	if (!match_mode(hint->mode))
		return "rx_attr->mode";
	if (hint->op_flags & ~offer->op_flags)
		return "rx_attr->op_flags";
	if (hint->msg_order & ~offer->msg_order)
		return "rx_attr->msg_order";
	if (hint->comp_order & ~offer->comp_order)
		return "rx_attr->comp_order";
	return mismatch_limit(rx_limits, ARRAY_SIZE(rx_limits), offer, hint);
}

static const char *mismatch_ep(const struct kfi_ep_attr *offer,
			       const struct kfi_ep_attr *hint)
{
	if (!hint)
		return NULL;
	if (hint->type && hint->type != offer->type)
		return "ep_attr->type";
	if (hint->protocol && hint->protocol != offer->protocol)
		return "ep_attr->protocol";
	if (hint->protocol_version > offer->protocol_version)
		return "ep_attr->protocol_version";
	if (hint->msg_prefix_size)
		return "ep_attr->msg_prefix_size";
	if (hint->mem_tag_format)
		return "ep_attr->mem_tag_format";
	if (hint->auth_key || hint->auth_key_size)
		return "ep_attr->auth_key";
	return mismatch_limit(ep_limits, ARRAY_SIZE(ep_limits), offer, hint);
}

/* How the domain works, which is not a matter of size. */
static const char *mismatch_model(const struct kfi_domain_attr *offer,
				  const struct kfi_domain_attr *hint)
{
	if (hint->data_progress && hint->data_progress != offer->data_progress)
		return "domain_attr->data_progress";
	if (hint->control_progress &&
	    hint->control_progress != offer->control_progress)
		return "domain_attr->control_progress";
	if (hint->resource_mgmt && hint->resource_mgmt != offer->resource_mgmt)
		return "domain_attr->resource_mgmt";
	if (hint->av_type && hint->av_type != offer->av_type)
		return "domain_attr->av_type";
	if (hint->threading > KFI_THREAD_ENDPOINT)
		return "domain_attr->threading";
	return NULL;
}

static const char *mismatch_domain(const struct kfi_domain_attr *offer,
				   const struct kfi_domain_attr *hint)
{
	if (!hint)
		return NULL;
	if (!match_name(offer->name, hint->name))
		return "domain_attr->name";
	if (hint->domain)
		return "domain_attr->domain";
	if (hint->caps & ~offer->caps)
		return "domain_attr->caps";
	if (!match_mode(hint->mode))
		return "domain_attr->mode";
	if (hint->mr_mode & ~KFI_MR_MODE_BITS ||
	    (hint->mr_mode && offer->mr_mode & ~hint->mr_mode))
		return "domain_attr->mr_mode";
	if (hint->tclass)
		return "domain_attr->tclass";
	if (hint->auth_key || hint->auth_key_size)
		return "domain_attr->auth_key";
	return mismatch_model(offer, hint) ?:
	       mismatch_limit(domain_limits, ARRAY_SIZE(domain_limits), offer,
			      hint);
}

static const char *mismatch_fabric(const struct kfi_fabric_attr *offer,
				   const struct kfi_fabric_attr *hint)
{
	if (!hint)
		return NULL;
	if (!match_name(offer->name, hint->name))
		return "fabric_attr->name";
	if (!match_name(offer->prov_name, hint->prov_name))
		return "fabric_attr->prov_name";
	if (hint->prov_version && offer->prov_version &&
	    hint->prov_version != offer->prov_version)
		return "fabric_attr->prov_version";
	if (hint->fabric)
		return "fabric_attr->fabric";
	if (!KFI_VERSION_GE(offer->api_version, hint->api_version))
		return "fabric_attr->api_version";
	return NULL;
}

static bool match_format(u32 offer, u32 hint)
{
	if (hint == KFI_FORMAT_UNSPEC || hint == offer)
		return true;
	if (offer == KFI_FORMAT_UNSPEC || offer == KFI_SOCKADDR)
		return hint == KFI_SOCKADDR || hint == KFI_SOCKADDR_IN ||
		       hint == KFI_SOCKADDR_IN6;
	return hint == KFI_SOCKADDR &&
	       (offer == KFI_SOCKADDR_IN || offer == KFI_SOCKADDR_IN6);
}

/**
 * kfi_info_mismatch() - what of an offer does not satisfy hints
 * @offer: everything that a provider can do, limits at their maximum
 * @hints: what the consumer asks for; NULL, and NULL attributes, ask for nothing
 *
 * Capabilities, orders and default flags must be a subset of the offer's, numbers
 * at most as large, names and types equal. Hints must allow every mode bit that
 * the offer needs, and if they name a registration mode, every bit of its; a bit
 * that has no meaning is a mismatch.
 *
 * Context: Any context.
 * Return: the name of a member of &struct kfi_info or of its attributes, a constant
 * string; NULL when the offer is what was asked for.
 */
const char *kfi_info_mismatch(const struct kfi_info *offer,
			      const struct kfi_info *hints)
{
	if (!hints)
		return NULL;
	if (hints->caps & ~offer->caps)
		return "caps";
	/* mode bits that the provider needs and the consumer did not set */
	if (offer->mode & ~hints->mode || !match_mode(hints->mode))
		return "mode";
	if (!match_format(offer->addr_format, hints->addr_format))
		return "addr_format";
	return mismatch_tx(offer->tx_attr, hints->tx_attr) ?:
	       mismatch_rx(offer->rx_attr, hints->rx_attr) ?:
	       mismatch_ep(offer->ep_attr, hints->ep_attr) ?:
	       mismatch_domain(offer->domain_attr, hints->domain_attr) ?:
	       mismatch_fabric(offer->fabric_attr, hints->fabric_attr);
}
EXPORT_SYMBOL_GPL(kfi_info_mismatch);

/* The directions that a primary capability has. */
static u64 directions(u64 primary)
{
	u64 bits = 0;

	if (primary & KFI_MSG)
		bits |= KFI_SEND | KFI_RECV;
	if (primary & (KFI_RMA | KFI_ATOMIC))
		bits |= KFI_READ | KFI_WRITE | KFI_REMOTE_READ |
			KFI_REMOTE_WRITE;
	return bits;
}

/*
 * Messages and commits on one endpoint cost more than either: who names capabilities
 * that one of the other kinds has gets that one.
 */
static bool match_kind(const struct kfi_info *offer,
		       const struct kfi_info *hints)
{
	u64 caps = hints ? hints->caps : 0;

	if (!caps || kfi_kind_of(offer->caps) != KFI_KIND_BOTH)
		return true;
	return caps & KFI_RMA_PMEM && caps & (KFI_MSG | directions(KFI_MSG));
}

static size_t choose_size(size_t offer, size_t hint, size_t fallback)
{
	return hint ? hint : min(offer, fallback);
}

/*
 * The answer has the capabilities that were asked for and no more. Without a
 * primary one among them that is all primaries, without a direction of a primary
 * all of its directions; where peers are is not a choice, nor is commits: an
 * endpoint that has them is another kind of endpoint.
 */
static u64 choose_caps(u64 offer, u64 hint)
{
	u64 caps = (hint & KFI_PRIMARY_CAPS) | (offer & KFI_RMA_PMEM);
	u64 primary;

	if (!hint)
		return offer;
	/* Commits are writes. */
	if (hint & KFI_RMA_PMEM)
		caps |= offer & KFI_RMA;
	if (!(hint & KFI_PRIMARY_CAPS))
		caps |= offer & KFI_PRIMARY_CAPS;
	for (primary = KFI_MSG; primary <= KFI_ATOMIC; primary <<= 1) {
		u64 bits = directions(caps & primary);

		caps |= hint & bits ? hint & bits : offer & bits;
	}
	return caps | (offer & (KFI_LOCAL_COMM | KFI_REMOTE_COMM));
}

static void tailor(struct kfi_info *info, const struct kfi_info *hints)
{
	struct kfi_tx_attr *tx = info->tx_attr;
	struct kfi_rx_attr *rx = info->rx_attr;
	const struct kfi_tx_attr *htx = hints ? hints->tx_attr : NULL;
	const struct kfi_rx_attr *hrx = hints ? hints->rx_attr : NULL;

	tx->size = choose_size(tx->size, htx ? htx->size : 0,
			       KFI_DEFAULT_TX_SIZE);
	rx->size = choose_size(rx->size, hrx ? hrx->size : 0,
			       KFI_DEFAULT_RX_SIZE);
	tx->op_flags = htx ? htx->op_flags : 0;
	rx->op_flags = hrx ? hrx->op_flags : 0;
	if (!hints)
		return;
	info->caps = choose_caps(info->caps, hints->caps);
	tx->caps &= info->caps;
	rx->caps &= info->caps;
	if (hints->domain_attr && hints->domain_attr->threading)
		info->domain_attr->threading = hints->domain_attr->threading;
}

static int set_addr(void **to, size_t *tolen,
		    const struct sockaddr_storage *from)
{
	*tolen = kfi_sockaddr_len(from);
	if (!*tolen)
		return 0;
	*to = kmemdup(from, *tolen, GFP_KERNEL);
	return *to ? 0 : -ENOMEM;
}

static int set_addrs(struct kfi_info *info, const struct kfi_getinfo_req *req)
{
	int ret;

	ret = set_addr(&info->src_addr, &info->src_addrlen, &req->src);
	if (ret)
		return ret;
	if (req->addr_format)
		info->addr_format = req->addr_format;
	return set_addr(&info->dest_addr, &info->dest_addrlen, &req->dest);
}

/**
 * kfi_info_offer() - answer a kfi_getinfo() call with an offer, if it matches
 * @req: the call
 * @offer: everything that the provider can do; stays the provider's. Without
 *	addresses; limits at their maximum
 * @list: the answers so far, to whose end this one goes
 *
 * Context: Process context, may sleep.
 * Return: 0, -ENODATA when the offer is not what was asked for, -ENOMEM.
 */
int kfi_info_offer(const struct kfi_getinfo_req *req,
		   const struct kfi_info *offer, struct kfi_info **list)
{
	const char *wrong = kfi_info_mismatch(offer, req->hints);
	struct kfi_info *info;
	int ret;

	if (!wrong && !match_format(offer->addr_format, req->addr_format))
		wrong = "family of the addresses";
	if (wrong) {
		pr_debug("%s does not offer what hints ask for: %s\n",
			 offer->domain_attr->name, wrong);
		return -ENODATA;
	}
	if (!match_kind(offer, req->hints))
		return -ENODATA;

	info = kfi_dupinfo(offer);
	if (!info)
		return -ENOMEM;
	ret = set_addrs(info, req);
	if (ret) {
		kfi_freeinfo(info);
		return ret;
	}
	info->fabric_attr->api_version = req->version;
	info->fabric_attr->net = req->net;
	tailor(info, req->hints);

	while (*list)
		list = &(*list)->next;
	*list = info;
	return 0;
}
EXPORT_SYMBOL_GPL(kfi_info_offer);
