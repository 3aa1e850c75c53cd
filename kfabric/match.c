// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Hint matching: whether what a provider offers is what a consumer asked for,
 * and the answer made of both. One function, for every provider.
 */

#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_prov.h>

#define KFI_PRIMARY_CAPS	(KFI_MSG | KFI_RMA | KFI_ATOMIC)

/* What an offer leaves open the core fills in, and has looked at already. */
static bool match_name(const char *offer, const char *hint)
{
	return !hint || !offer || !strcmp(hint, offer);
}

/* A number asks for at least as much, so 0 asks for nothing. */
static bool match_tx(const struct kfi_tx_attr *offer,
		     const struct kfi_tx_attr *hint)
{
	if (!hint)
		return true;
	return !(hint->caps & ~offer->caps) &&
	       !(hint->op_flags & ~offer->op_flags) &&
	       !kfi_check_tx_op_flags(hint->op_flags) &&
	       !(hint->msg_order & ~offer->msg_order) &&
	       !(hint->comp_order & ~offer->comp_order) &&
	       hint->inject_size <= offer->inject_size &&
	       hint->size <= offer->size &&
	       hint->iov_limit <= offer->iov_limit &&
	       hint->rma_iov_limit <= offer->rma_iov_limit &&
	       !hint->tclass;
}

static bool match_rx(const struct kfi_rx_attr *offer,
		     const struct kfi_rx_attr *hint)
{
	if (!hint)
		return true;
	return !(hint->caps & ~offer->caps) &&
	       !(hint->op_flags & ~offer->op_flags) &&
	       !(hint->msg_order & ~offer->msg_order) &&
	       !(hint->comp_order & ~offer->comp_order) &&
	       hint->total_buffered_recv <= offer->total_buffered_recv &&
	       hint->size <= offer->size &&
	       hint->iov_limit <= offer->iov_limit;
}

static bool match_ep(const struct kfi_ep_attr *offer,
		     const struct kfi_ep_attr *hint)
{
	if (!hint)
		return true;
	return (!hint->type || hint->type == offer->type) &&
	       (!hint->protocol || hint->protocol == offer->protocol) &&
	       hint->protocol_version <= offer->protocol_version &&
	       hint->max_msg_size <= offer->max_msg_size &&
	       hint->max_order_raw_size <= offer->max_order_raw_size &&
	       hint->max_order_war_size <= offer->max_order_war_size &&
	       hint->max_order_waw_size <= offer->max_order_waw_size &&
	       hint->tx_ctx_cnt <= offer->tx_ctx_cnt &&
	       hint->rx_ctx_cnt <= offer->rx_ctx_cnt &&
	       !hint->msg_prefix_size && !hint->mem_tag_format &&
	       !hint->auth_key && !hint->auth_key_size;
}

static bool match_domain_counts(const struct kfi_domain_attr *offer,
				const struct kfi_domain_attr *hint)
{
	return hint->mr_key_size <= offer->mr_key_size &&
	       hint->cq_data_size <= offer->cq_data_size &&
	       hint->cq_cnt <= offer->cq_cnt &&
	       hint->ep_cnt <= offer->ep_cnt &&
	       hint->tx_ctx_cnt <= offer->tx_ctx_cnt &&
	       hint->rx_ctx_cnt <= offer->rx_ctx_cnt &&
	       hint->max_ep_tx_ctx <= offer->max_ep_tx_ctx &&
	       hint->max_ep_rx_ctx <= offer->max_ep_rx_ctx &&
	       hint->max_ep_stx_ctx <= offer->max_ep_stx_ctx &&
	       hint->max_ep_srx_ctx <= offer->max_ep_srx_ctx &&
	       hint->cntr_cnt <= offer->cntr_cnt &&
	       hint->mr_iov_limit <= offer->mr_iov_limit &&
	       hint->max_err_data <= offer->max_err_data &&
	       hint->mr_cnt <= offer->mr_cnt;
}

static bool match_domain(const struct kfi_domain_attr *offer,
			 const struct kfi_domain_attr *hint)
{
	if (!hint)
		return true;
	return match_name(offer->name, hint->name) && !hint->domain &&
	       !(hint->caps & ~offer->caps) &&
	       (!hint->mr_mode || !(offer->mr_mode & ~hint->mr_mode)) &&
	       (!hint->data_progress ||
		hint->data_progress == offer->data_progress) &&
	       (!hint->control_progress ||
		hint->control_progress == offer->control_progress) &&
	       (!hint->resource_mgmt ||
		hint->resource_mgmt == offer->resource_mgmt) &&
	       (!hint->av_type || hint->av_type == offer->av_type) &&
	       hint->threading <= KFI_THREAD_ENDPOINT &&
	       !hint->tclass && !hint->auth_key && !hint->auth_key_size &&
	       match_domain_counts(offer, hint);
}

static bool match_fabric(const struct kfi_fabric_attr *offer,
			 const struct kfi_fabric_attr *hint)
{
	if (!hint)
		return true;
	return match_name(offer->name, hint->name) &&
	       match_name(offer->prov_name, hint->prov_name) &&
	       (!hint->prov_version || !offer->prov_version ||
		hint->prov_version == offer->prov_version) &&
	       !hint->fabric &&
	       KFI_VERSION_GE(offer->api_version, hint->api_version);
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

/* Mode bits that the provider needs and the consumer did not set. */
static bool match_mode(const struct kfi_info *offer,
		       const struct kfi_info *hints)
{
	return !(offer->mode & ~hints->mode);
}

/**
 * kfi_info_match() - whether an offer satisfies hints
 * @offer: everything that a provider can do, limits at their maximum
 * @hints: what the consumer asks for; NULL, and NULL attributes, ask for nothing
 *
 * Capabilities, orders and default flags must be a subset of the offer's, numbers
 * at most as large, names and types equal. Hints must allow every mode bit that
 * the offer needs, and if they name a registration mode, every bit of its.
 *
 * Context: Any context.
 * Return: true if it does.
 */
bool kfi_info_match(const struct kfi_info *offer, const struct kfi_info *hints)
{
	if (!hints)
		return true;
	return !(hints->caps & ~offer->caps) &&
	       match_mode(offer, hints) &&
	       match_format(offer->addr_format, hints->addr_format) &&
	       match_tx(offer->tx_attr, hints->tx_attr) &&
	       match_rx(offer->rx_attr, hints->rx_attr) &&
	       match_ep(offer->ep_attr, hints->ep_attr) &&
	       match_domain(offer->domain_attr, hints->domain_attr) &&
	       match_fabric(offer->fabric_attr, hints->fabric_attr);
}
EXPORT_SYMBOL_GPL(kfi_info_match);

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
	struct kfi_info *info;
	int ret;

	if (!kfi_info_match(offer, req->hints) ||
	    !match_kind(offer, req->hints) ||
	    !match_format(offer->addr_format, req->addr_format))
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
