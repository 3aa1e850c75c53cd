// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Hint matching, and copies of infos.
 */

#include <linux/in.h>
#include <linux/in6.h>

#include "core.h"

static struct kfi_info *permissive_hints(struct kunit *test)
{
	struct kfi_info *hints = kfi_allocinfo();

	KUNIT_ASSERT_NOT_NULL(test, hints);
	hints->mode = KFI_MODE_BITS;
	return hints;
}

static int match_init(struct kunit *test)
{
	test->priv = fake_offer(test, "fake");
	return 0;
}

static void match_exit(struct kunit *test)
{
	kfi_freeinfo(test->priv);
}

/* Everything that the hints ask for is offered. */
static void expect_match(struct kunit *test, const struct kfi_info *hints)
{
	KUNIT_EXPECT_STREQ(test, kfi_info_mismatch(test->priv, hints) ?: "",
			   "");
}

/* The member @name, and nothing before it, is not offered. */
static void expect_mismatch(struct kunit *test, const struct kfi_info *hints,
			    const char *name)
{
	KUNIT_EXPECT_STREQ(test, kfi_info_mismatch(test->priv, hints) ?: "",
			   name);
}

/*
 * One numeric hint: at the limit it matches, at one more it does not, and 0 asks
 * for nothing.
 */
static void expect_limit(struct kunit *test, const struct kfi_info *hints,
			 size_t *hint, size_t limit, const char *name)
{
	*hint = limit;
	expect_match(test, hints);
	*hint = limit + 1;
	expect_mismatch(test, hints, name);
	*hint = 0;
	expect_match(test, hints);
}

static void expect_version(struct kunit *test, const struct kfi_info *hints,
			   u32 *hint, u32 limit, const char *name)
{
	*hint = limit;
	expect_match(test, hints);
	*hint = limit + 1;
	expect_mismatch(test, hints, name);
	*hint = 0;
}

static void match_limits_endpoint(struct kunit *test)
{
	struct kfi_info *offer = test->priv;
	struct kfi_info *hints = permissive_hints(test);

	expect_limit(test, hints, &hints->tx_attr->inject_size,
		     offer->tx_attr->inject_size, "tx_attr->inject_size");
	expect_limit(test, hints, &hints->tx_attr->size,
		     offer->tx_attr->size, "tx_attr->size");
	expect_limit(test, hints, &hints->tx_attr->iov_limit,
		     offer->tx_attr->iov_limit, "tx_attr->iov_limit");
	expect_limit(test, hints, &hints->tx_attr->rma_iov_limit,
		     offer->tx_attr->rma_iov_limit, "tx_attr->rma_iov_limit");
	expect_limit(test, hints, &hints->rx_attr->total_buffered_recv,
		     offer->rx_attr->total_buffered_recv,
		     "rx_attr->total_buffered_recv");
	expect_limit(test, hints, &hints->rx_attr->size,
		     offer->rx_attr->size, "rx_attr->size");
	expect_limit(test, hints, &hints->rx_attr->iov_limit,
		     offer->rx_attr->iov_limit, "rx_attr->iov_limit");
	expect_version(test, hints, &hints->ep_attr->protocol_version,
		       offer->ep_attr->protocol_version,
		       "ep_attr->protocol_version");
	expect_limit(test, hints, &hints->ep_attr->max_msg_size,
		     offer->ep_attr->max_msg_size, "ep_attr->max_msg_size");
	expect_limit(test, hints, &hints->ep_attr->max_order_raw_size,
		     offer->ep_attr->max_order_raw_size,
		     "ep_attr->max_order_raw_size");
	expect_limit(test, hints, &hints->ep_attr->max_order_war_size,
		     offer->ep_attr->max_order_war_size,
		     "ep_attr->max_order_war_size");
	expect_limit(test, hints, &hints->ep_attr->max_order_waw_size,
		     offer->ep_attr->max_order_waw_size,
		     "ep_attr->max_order_waw_size");
	expect_limit(test, hints, &hints->ep_attr->tx_ctx_cnt,
		     offer->ep_attr->tx_ctx_cnt, "ep_attr->tx_ctx_cnt");
	expect_limit(test, hints, &hints->ep_attr->rx_ctx_cnt,
		     offer->ep_attr->rx_ctx_cnt, "ep_attr->rx_ctx_cnt");
	kfi_freeinfo(hints);
}

static void match_limits_domain(struct kunit *test)
{
	struct kfi_info *offer = test->priv;
	struct kfi_info *hints = permissive_hints(test);

	expect_limit(test, hints, &hints->domain_attr->mr_key_size,
		     offer->domain_attr->mr_key_size,
		     "domain_attr->mr_key_size");
	expect_limit(test, hints, &hints->domain_attr->cq_data_size,
		     offer->domain_attr->cq_data_size,
		     "domain_attr->cq_data_size");
	expect_limit(test, hints, &hints->domain_attr->cq_cnt,
		     offer->domain_attr->cq_cnt, "domain_attr->cq_cnt");
	expect_limit(test, hints, &hints->domain_attr->ep_cnt,
		     offer->domain_attr->ep_cnt, "domain_attr->ep_cnt");
	expect_limit(test, hints, &hints->domain_attr->tx_ctx_cnt,
		     offer->domain_attr->tx_ctx_cnt, "domain_attr->tx_ctx_cnt");
	expect_limit(test, hints, &hints->domain_attr->rx_ctx_cnt,
		     offer->domain_attr->rx_ctx_cnt, "domain_attr->rx_ctx_cnt");
	expect_limit(test, hints, &hints->domain_attr->max_ep_tx_ctx,
		     offer->domain_attr->max_ep_tx_ctx,
		     "domain_attr->max_ep_tx_ctx");
	expect_limit(test, hints, &hints->domain_attr->max_ep_rx_ctx,
		     offer->domain_attr->max_ep_rx_ctx,
		     "domain_attr->max_ep_rx_ctx");
	expect_limit(test, hints, &hints->domain_attr->max_ep_stx_ctx,
		     offer->domain_attr->max_ep_stx_ctx,
		     "domain_attr->max_ep_stx_ctx");
	expect_limit(test, hints, &hints->domain_attr->max_ep_srx_ctx,
		     offer->domain_attr->max_ep_srx_ctx,
		     "domain_attr->max_ep_srx_ctx");
	expect_limit(test, hints, &hints->domain_attr->cntr_cnt,
		     offer->domain_attr->cntr_cnt, "domain_attr->cntr_cnt");
	expect_limit(test, hints, &hints->domain_attr->mr_iov_limit,
		     offer->domain_attr->mr_iov_limit,
		     "domain_attr->mr_iov_limit");
	expect_limit(test, hints, &hints->domain_attr->max_err_data,
		     offer->domain_attr->max_err_data,
		     "domain_attr->max_err_data");
	expect_limit(test, hints, &hints->domain_attr->mr_cnt,
		     offer->domain_attr->mr_cnt, "domain_attr->mr_cnt");
	expect_version(test, hints, &hints->fabric_attr->api_version,
		       offer->fabric_attr->api_version,
		       "fabric_attr->api_version");
	kfi_freeinfo(hints);
}

/* One hint that must match, one that must not, and 0. */
static void expect_flags(struct kunit *test, const struct kfi_info *hints,
			 u64 *hint, u64 good, u64 bad, const char *name)
{
	*hint = good;
	expect_match(test, hints);
	*hint = bad;
	expect_mismatch(test, hints, name);
	*hint = 0;
}

static void expect_enum(struct kunit *test, const struct kfi_info *hints,
			void *hint, u32 good, u32 bad, const char *name)
{
	u32 *value = hint;

	*value = good;
	expect_match(test, hints);
	*value = bad;
	expect_mismatch(test, hints, name);
	*value = 0;
}

static void match_flags(struct kunit *test)
{
	struct kfi_info *hints = permissive_hints(test);

	expect_flags(test, hints, &hints->caps, KFI_MSG | KFI_SEND,
		     KFI_MSG | KFI_ATOMIC, "caps");
	expect_flags(test, hints, &hints->tx_attr->caps, KFI_RMA, KFI_RMA_PMEM,
		     "tx_attr->caps");
	expect_flags(test, hints, &hints->rx_attr->caps, KFI_RMA, KFI_ATOMIC,
		     "rx_attr->caps");
	expect_flags(test, hints, &hints->domain_attr->caps, KFI_LOCAL_COMM,
		     KFI_REMOTE_COMM, "domain_attr->caps");
	expect_flags(test, hints, &hints->tx_attr->op_flags, KFI_COMPLETION,
		     KFI_FENCE, "tx_attr->op_flags");
	expect_flags(test, hints, &hints->tx_attr->msg_order, KFI_ORDER_SAS,
		     KFI_ORDER_RAW, "tx_attr->msg_order");
	expect_flags(test, hints, &hints->rx_attr->msg_order, KFI_ORDER_SAS,
		     KFI_ORDER_WAW, "rx_attr->msg_order");
	expect_flags(test, hints, &hints->tx_attr->mode, KFI_RX_CQ_DATA,
		     BIT_ULL(52), "tx_attr->mode");
	expect_flags(test, hints, &hints->rx_attr->mode, KFI_RX_CQ_DATA,
		     BIT_ULL(52), "rx_attr->mode");
	expect_flags(test, hints, &hints->domain_attr->mode, KFI_RX_CQ_DATA,
		     BIT_ULL(52), "domain_attr->mode");
	expect_flags(test, hints, &hints->mode, KFI_RX_CQ_DATA, 0, "mode");
	expect_flags(test, hints, &hints->mode, KFI_RX_CQ_DATA,
		     KFI_RX_CQ_DATA | BIT_ULL(52), "mode");
	kfi_freeinfo(hints);
}

static void match_choices(struct kunit *test)
{
	struct kfi_info *hints = permissive_hints(test);
	struct kfi_domain_attr *domain = hints->domain_attr;

	expect_enum(test, hints, &hints->addr_format, KFI_SOCKADDR_IN6, 4,
		    "addr_format");
	expect_enum(test, hints, &hints->ep_attr->type, KFI_EP_MSG, KFI_EP_RDM,
		    "ep_attr->type");
	expect_enum(test, hints, &hints->ep_attr->protocol,
		    KFI_PROTO_RDMA_CM_IB_RC, KFI_PROTO_LOOPBACK,
		    "ep_attr->protocol");
	expect_enum(test, hints, &domain->mr_mode,
		    KFI_MR_LOCAL | KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY,
		    KFI_MR_PROV_KEY, "domain_attr->mr_mode");
	expect_enum(test, hints, &domain->mr_mode, KFI_MR_MODE_BITS,
		    KFI_MR_MODE_BITS | BIT(2), "domain_attr->mr_mode");
	expect_enum(test, hints, &domain->data_progress, KFI_PROGRESS_AUTO,
		    KFI_PROGRESS_MANUAL, "domain_attr->data_progress");
	expect_enum(test, hints, &domain->resource_mgmt, KFI_RM_ENABLED,
		    KFI_RM_DISABLED, "domain_attr->resource_mgmt");
	expect_enum(test, hints, &domain->av_type, KFI_AV_UNSPEC, KFI_AV_MAP,
		    "domain_attr->av_type");
	expect_enum(test, hints, &hints->tx_attr->tclass, 0, 1,
		    "tx_attr->tclass");
	kfi_freeinfo(hints);
}

static void expect_name(struct kunit *test, struct kfi_info *hints,
			char **member, const char *good, const char *name)
{
	*member = kstrdup(good, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, *member);
	expect_match(test, hints);
	(*member)[0] = 'x';
	expect_mismatch(test, hints, name);
	kfree(*member);
	*member = NULL;
}

static void match_names(struct kunit *test)
{
	struct kfi_info *hints = permissive_hints(test);

	expect_name(test, hints, &hints->domain_attr->name, "fake0",
		    "domain_attr->name");
	expect_name(test, hints, &hints->fabric_attr->name, "fake",
		    "fabric_attr->name");
	expect_name(test, hints, &hints->fabric_attr->prov_name, "fake",
		    "fabric_attr->prov_name");
	kfi_freeinfo(hints);
}

static struct kfi_getinfo_req request(const struct kfi_info *hints)
{
	return (struct kfi_getinfo_req) {
		.version = KFI_VERSION(1, 7), .hints = hints,
	};
}

static void offer_tailored(struct kunit *test)
{
	struct kfi_info *hints = permissive_hints(test);
	struct kfi_getinfo_req req = request(hints);
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&req.dest;
	struct kfi_info *list = NULL;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(4711);
	req.addr_format = KFI_SOCKADDR_IN6;
	hints->caps = KFI_RMA | KFI_WRITE;
	hints->tx_attr->size = 7;
	KUNIT_ASSERT_EQ(test, kfi_info_offer(&req, test->priv, &list), 0);
	KUNIT_EXPECT_EQ(test, list->caps, KFI_RMA | KFI_WRITE);
	KUNIT_EXPECT_EQ(test, list->tx_attr->size, 7);
	KUNIT_EXPECT_EQ(test, list->rx_attr->size, KFI_DEFAULT_RX_SIZE);
	KUNIT_EXPECT_EQ(test, list->addr_format, KFI_SOCKADDR_IN6);
	KUNIT_ASSERT_EQ(test, list->dest_addrlen, sizeof(*in6));
	KUNIT_EXPECT_EQ(test, memcmp(list->dest_addr, in6, sizeof(*in6)), 0);
	KUNIT_EXPECT_NULL(test, list->src_addr);
	KUNIT_ASSERT_EQ(test, kfi_info_offer(&req, test->priv, &list), 0);
	KUNIT_EXPECT_NOT_NULL(test, list->next);
	kfi_freeinfo(list);
	kfi_freeinfo(hints);
}

/* Commits are not a choice: an offer that has them says so. */
static void offer_says_pmem(struct kunit *test)
{
	struct kfi_info *hints = permissive_hints(test);
	struct kfi_getinfo_req req = request(hints);
	struct kfi_info *offer = test->priv;
	struct kfi_info *list = NULL;

	offer->caps &= ~(KFI_MSG | KFI_SEND | KFI_RECV);
	offer->caps |= KFI_RMA_PMEM;
	offer->tx_attr->op_flags |= KFI_DELIVERY_COMPLETE | KFI_COMMIT;
	hints->caps = KFI_RMA;
	hints->tx_attr->op_flags = KFI_COMMIT;
	KUNIT_ASSERT_EQ(test, kfi_info_offer(&req, offer, &list), 0);
	KUNIT_EXPECT_NE(test, list->caps & KFI_RMA_PMEM, 0);
	KUNIT_EXPECT_EQ(test, list->tx_attr->op_flags, KFI_COMMIT);
	kfi_freeinfo(list);
	hints->tx_attr->op_flags |= KFI_DELIVERY_COMPLETE;
	expect_mismatch(test, hints, "tx_attr->op_flags");
	kfi_freeinfo(hints);
}

/* Messages and commits together are for who asks for both, or for nothing. */
static void offer_both(struct kunit *test)
{
	static const struct {
		u64 caps;
		int ret;
	} asks[] = {
		{ 0, 0 },
		{ KFI_MSG, -ENODATA },
		{ KFI_RMA, -ENODATA },
		{ KFI_MSG | KFI_RMA, -ENODATA },
		{ KFI_RMA_PMEM, -ENODATA },
		{ KFI_RMA | KFI_RMA_PMEM, -ENODATA },
		{ KFI_WRITE | KFI_RMA_PMEM, -ENODATA },
		{ KFI_MSG | KFI_RMA_PMEM, 0 },
		{ KFI_SEND | KFI_RMA_PMEM, 0 },
		{ KFI_MSG | KFI_RMA | KFI_RMA_PMEM, 0 },
	};
	struct kfi_info *hints = permissive_hints(test);
	struct kfi_getinfo_req req = request(hints);
	const u64 both = KFI_MSG | KFI_RMA | KFI_RMA_PMEM;
	struct kfi_info *offer = test->priv;
	struct kfi_info *list;
	unsigned int i;

	offer->caps |= KFI_RMA_PMEM;
	for (i = 0; i < ARRAY_SIZE(asks); i++) {
		list = NULL;
		hints->caps = asks[i].caps;
		KUNIT_EXPECT_EQ_MSG(test, kfi_info_offer(&req, offer, &list),
				    asks[i].ret, "ask %u", i);
		if (list)
			KUNIT_EXPECT_EQ(test, list->caps & both, both);
		kfi_freeinfo(list);
	}
	kfi_freeinfo(hints);
}

static void offer_without_hints(struct kunit *test)
{
	struct kfi_getinfo_req req = request(NULL);
	struct kfi_info *offer = test->priv;
	struct kfi_info *list = NULL;

	KUNIT_ASSERT_EQ(test, kfi_info_offer(&req, offer, &list), 0);
	KUNIT_EXPECT_EQ(test, list->caps, offer->caps);
	KUNIT_EXPECT_EQ(test, list->tx_attr->size, KFI_DEFAULT_TX_SIZE);
	KUNIT_EXPECT_EQ(test, list->tx_attr->op_flags, 0);
	kfi_freeinfo(list);
}

static void dup_copies_all(struct kunit *test)
{
	struct kfi_info *offer = test->priv;
	struct kfi_info *dup;

	offer->next = offer;
	dup = kfi_dupinfo(offer);
	offer->next = NULL;
	KUNIT_ASSERT_NOT_NULL(test, dup);
	KUNIT_EXPECT_NULL(test, dup->next);
	KUNIT_EXPECT_PTR_NE(test, dup->fabric_attr->prov_name,
			    offer->fabric_attr->prov_name);
	KUNIT_EXPECT_STREQ(test, dup->fabric_attr->prov_name, "fake");
	KUNIT_EXPECT_STREQ(test, dup->domain_attr->name, "fake0");
	KUNIT_EXPECT_EQ(test, memcmp(dup->tx_attr, offer->tx_attr,
				     sizeof(*dup->tx_attr)), 0);
	expect_match(test, dup);
	kfi_freeinfo(dup);
}

static struct kunit_case info_cases[] = {
	KUNIT_CASE(match_limits_endpoint),
	KUNIT_CASE(match_limits_domain),
	KUNIT_CASE(match_flags),
	KUNIT_CASE(match_choices),
	KUNIT_CASE(match_names),
	KUNIT_CASE(offer_tailored),
	KUNIT_CASE(offer_says_pmem),
	KUNIT_CASE(offer_both),
	KUNIT_CASE(offer_without_hints),
	KUNIT_CASE(dup_copies_all),
	{ }
};

static struct kunit_suite info_suite = {
	.name = "kfi_info",
	.init = match_init,
	.exit = match_exit,
	.test_cases = info_cases,
};

kunit_test_suite(info_suite);
