// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Discovery: what kfi_getinfo() offers, and what it does with hints.
 */

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "suite.h"

static int getinfo_with(struct kfi_info *hints, struct kfi_info **info)
{
	return kfi_getinfo(SUITE_API_VERSION, NULL, NULL, 0, hints, info);
}

static void check_offer(struct suite *t, const struct kfi_info *info)
{
	EXPECT(t, !strcmp(info->fabric_attr->prov_name, suite_provider()));
	EXPECT(t, info->fabric_attr->name && *info->fabric_attr->name);
	EXPECT(t, info->domain_attr->name && *info->domain_attr->name);
	EXPECT(t, info->fabric_attr->prov_version);
	EXPECT_EQ(t, info->fabric_attr->api_version, SUITE_API_VERSION);
	EXPECT_EQ(t, info->ep_attr->type, KFI_EP_MSG);
	EXPECT_EQ(t, info->domain_attr->mr_mode,
		  KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY);
	EXPECT_EQ(t, info->domain_attr->cq_data_size, 4);
	EXPECT_EQ(t, info->domain_attr->mr_key_size, 8);
	EXPECT(t, info->tx_attr->size && info->rx_attr->size);
	EXPECT(t, info->tx_attr->inject_size >= 64);
	EXPECT(t, info->ep_attr->max_msg_size >= 8 << 20);
	EXPECT(t, !info->handle);
	EXPECT(t, kfi_tostr(info, KFI_TYPE_INFO));
}

static void test_offer(struct suite *t)
{
	struct kfi_info *hints = suite_hints(SUITE_RAW), *list, *info;

	if (!EXPECT(t, hints) || !EXPECT_OK(t, getinfo_with(hints, &list)))
		goto out;
	for (info = list; info; info = info->next) {
		check_offer(t, info);
		EXPECT_EQ(t, info->caps & SUITE_RAW, SUITE_RAW);
		EXPECT_EQ(t, info->caps & KFI_RMA_PMEM, 0);
		EXPECT_EQ(t, info->mode, KFI_RX_CQ_DATA);
	}
	kfi_freeinfo(list);

	hints->caps = SUITE_COMMIT;
	hints->mode = 0;
	if (!EXPECT_OK(t, getinfo_with(hints, &list)))
		goto out;
	for (info = list; info; info = info->next) {
		check_offer(t, info);
		EXPECT_EQ(t, info->caps & SUITE_COMMIT, SUITE_COMMIT);
		EXPECT_EQ(t, info->mode, 0);
	}
	kfi_freeinfo(list);
out:
	kfi_freeinfo(hints);
}

/**
 * struct limit - a number in an info
 * @name: what it is called
 * @attr: where the info has the attribute
 * @offset: where the attribute has the number
 * @asked: who does not ask is offered less
 */
struct limit {
	const char	*name;
	size_t		attr;
	size_t		offset;
	bool		asked;
};

#define LIMIT(member, type, field, ...) {			\
	.name = #member "." #field,				\
	.attr = offsetof(struct kfi_info, member),		\
	.offset = offsetof(struct type, field),			\
	__VA_ARGS__						\
}

static const struct limit limits[] = {
	LIMIT(tx_attr, kfi_tx_attr, inject_size),
	LIMIT(tx_attr, kfi_tx_attr, size, .asked = true),
	LIMIT(tx_attr, kfi_tx_attr, iov_limit),
	LIMIT(tx_attr, kfi_tx_attr, rma_iov_limit),
	LIMIT(rx_attr, kfi_rx_attr, size, .asked = true),
	LIMIT(rx_attr, kfi_rx_attr, iov_limit),
	LIMIT(rx_attr, kfi_rx_attr, total_buffered_recv),
	LIMIT(ep_attr, kfi_ep_attr, max_msg_size),
	LIMIT(ep_attr, kfi_ep_attr, max_order_raw_size),
	LIMIT(ep_attr, kfi_ep_attr, max_order_war_size),
	LIMIT(ep_attr, kfi_ep_attr, max_order_waw_size),
	LIMIT(ep_attr, kfi_ep_attr, tx_ctx_cnt),
	LIMIT(ep_attr, kfi_ep_attr, rx_ctx_cnt),
	LIMIT(domain_attr, kfi_domain_attr, mr_key_size),
	LIMIT(domain_attr, kfi_domain_attr, cq_data_size),
	LIMIT(domain_attr, kfi_domain_attr, cq_cnt),
	LIMIT(domain_attr, kfi_domain_attr, ep_cnt),
	LIMIT(domain_attr, kfi_domain_attr, cntr_cnt),
	LIMIT(domain_attr, kfi_domain_attr, mr_iov_limit),
	LIMIT(domain_attr, kfi_domain_attr, mr_cnt),
	LIMIT(domain_attr, kfi_domain_attr, max_ep_stx_ctx),
	LIMIT(domain_attr, kfi_domain_attr, max_ep_srx_ctx),
	LIMIT(domain_attr, kfi_domain_attr, max_err_data),
};

static size_t *limit_of(const struct kfi_info *info, const struct limit *limit)
{
	void *attr = *(void **)((void *)info + limit->attr);

	return attr + limit->offset;
}

/* Whether a hint of @value is met; an answer has to give at least that much. */
static bool limit_met(struct suite *t, struct kfi_info *hints,
		      const struct limit *limit, size_t value)
{
	struct kfi_info *list = (void *)1, *info;
	int ret;

	*limit_of(hints, limit) = value;
	ret = getinfo_with(hints, &list);
	*limit_of(hints, limit) = 0;
	if (ret) {
		EXPECT_EQ(t, ret, -ENODATA);
		EXPECT(t, !list);
		return false;
	}
	for (info = list; info; info = info->next)
		EXPECT(t, *limit_of(info, limit) >= value);
	kfi_freeinfo(list);
	return true;
}

/* The greatest value that is met, found by halving. */
static size_t find_limit(struct suite *t, struct kfi_info *hints,
			 const struct limit *limit)
{
	size_t met = 0, unmet = SIZE_MAX, middle;

	while (unmet - met > 1) {
		middle = met + (unmet - met) / 2;
		if (limit_met(t, hints, limit, middle))
			met = middle;
		else
			unmet = middle;
	}
	return met;
}

/* The greatest value that is offered to who does not ask */
static size_t find_offer(struct suite *t, struct kfi_info *hints,
			 const struct limit *limit)
{
	struct kfi_info *list, *info;
	size_t most = 0;

	if (!EXPECT_OK(t, getinfo_with(hints, &list)))
		return 0;
	for (info = list; info; info = info->next)
		most = max(most, *limit_of(info, limit));
	kfi_freeinfo(list);
	return most;
}

static void test_limits(struct suite *t)
{
	struct kfi_info *hints = suite_hints(SUITE_RAW);
	const struct limit *limit;
	size_t max, offer;

	if (!EXPECT(t, hints))
		return;
	for (limit = limits; limit < limits + ARRAY_SIZE(limits); limit++) {
		if (limit_met(t, hints, limit, SIZE_MAX)) {
			COMPLAIN(t, "%s has no limit", limit->name);
			continue;
		}
		max = find_limit(t, hints, limit);
		offer = find_offer(t, hints, limit);
		if (limit->asked ? offer > max : offer != max)
			COMPLAIN(t, "%s: %zu is offered, %zu met", limit->name,
				 offer, max);
		if (!limit_met(t, hints, limit, max) ||
		    (max && !limit_met(t, hints, limit, 1)) ||
		    limit_met(t, hints, limit, max + 1) ||
		    limit_met(t, hints, limit, 2 * max + 1))
			COMPLAIN(t, "%s: %zu is no limit", limit->name, max);
	}
	kfi_freeinfo(hints);
}

/* One thing that nobody has, asked for at a time. */
static void ask_ep_type(struct kfi_info *hints)
{
	hints->ep_attr->type = KFI_EP_RDM;
}

static void ask_ep_type_unknown(struct kfi_info *hints)
{
	hints->ep_attr->type = 1000;
}

static void ask_protocol(struct kfi_info *hints)
{
	hints->ep_attr->protocol = 1000;
}

static void ask_prefix(struct kfi_info *hints)
{
	hints->ep_attr->msg_prefix_size = 16;
}

static void ask_format(struct kfi_info *hints)
{
	hints->addr_format = 1000;
}

static void ask_caps(struct kfi_info *hints)
{
	hints->caps |= BIT_ULL(3);
}

static void ask_tx_caps(struct kfi_info *hints)
{
	hints->tx_attr->caps = BIT_ULL(3);
}

static void ask_no_mode(struct kfi_info *hints)
{
	hints->mode = 0;
}

static void ask_mr_mode(struct kfi_info *hints)
{
	hints->domain_attr->mr_mode = KFI_MR_VIRT_ADDR;
}

static void ask_atomic_and_commit(struct kfi_info *hints)
{
	hints->caps = KFI_ATOMIC | KFI_RMA_PMEM;
}

static void ask_op_flags(struct kfi_info *hints)
{
	hints->tx_attr->op_flags = BIT_ULL(40);
}

static void ask_order(struct kfi_info *hints)
{
	hints->tx_attr->msg_order = BIT_ULL(40);
}

static void ask_progress(struct kfi_info *hints)
{
	hints->domain_attr->data_progress = 1000;
}

static void ask_tclass(struct kfi_info *hints)
{
	hints->tx_attr->tclass = 1;
}

static void rename_to(char **name, const char *to)
{
	kfree(*name);
	*name = kstrdup(to, GFP_KERNEL);
}

static void ask_domain(struct kfi_info *hints)
{
	rename_to(&hints->domain_attr->name, "nonesuch");
}

static void ask_fabric(struct kfi_info *hints)
{
	rename_to(&hints->fabric_attr->name, "nonesuch");
}

static void ask_provider(struct kfi_info *hints)
{
	rename_to(&hints->fabric_attr->prov_name, "nonesuch");
}

static const struct {
	const char *what;
	void (*ask)(struct kfi_info *hints);
} unmet[] = {
	{ "an endpoint type that there is none of", ask_ep_type },
	{ "an unknown endpoint type", ask_ep_type_unknown },
	{ "an unknown protocol", ask_protocol },
	{ "a message prefix", ask_prefix },
	{ "an unknown address format", ask_format },
	{ "tagged messages", ask_caps },
	{ "tagged messages of the transmit side", ask_tx_caps },
	{ "no mode bits", ask_no_mode },
	{ "keys of the consumer's choice", ask_mr_mode },
	{ "atomic operations and commits", ask_atomic_and_commit },
	{ "an unknown default flag", ask_op_flags },
	{ "an unknown order", ask_order },
	{ "an unknown progress", ask_progress },
	{ "a traffic class", ask_tclass },
	{ "an unknown domain", ask_domain },
	{ "an unknown fabric", ask_fabric },
	{ "an unknown provider", ask_provider },
};

static void test_unmet(struct suite *t)
{
	struct kfi_info *hints, *info;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(unmet); i++) {
		hints = suite_hints(SUITE_RAW);
		if (!EXPECT(t, hints))
			return;
		unmet[i].ask(hints);
		info = (void *)1;
		ret = getinfo_with(hints, &info);
		if (ret != -ENODATA || info)
			COMPLAIN(t, "%s: %d", unmet[i].what, ret);
		if (!ret)
			kfi_freeinfo(info);
		kfi_freeinfo(hints);
	}
}

/* Kinds of endpoints, in the order in which they are offered */
#define KIND_RAW	BIT(0)
#define KIND_COMMIT	BIT(1)
#define KIND_BOTH	BIT(2)

static unsigned int info_kind(const struct kfi_info *info)
{
	if (!(info->caps & KFI_RMA_PMEM))
		return KIND_RAW;
	return info->caps & KFI_MSG ? KIND_BOTH : KIND_COMMIT;
}

/* An order between messages and what goes on another queue pair */
#define ORDER_ACROSS	(KFI_ORDER_RAS | KFI_ORDER_WAS | KFI_ORDER_SAR | \
			 KFI_ORDER_SAW)

static void check_both(struct suite *t, const struct kfi_info *info)
{
	EXPECT_EQ(t, info->caps & SUITE_BOTH, SUITE_BOTH);
	EXPECT_EQ(t, info->caps & KFI_ATOMIC, 0);
	EXPECT_EQ(t, info->tx_attr->msg_order & ORDER_ACROSS, 0);
	EXPECT_EQ(t, info->rx_attr->msg_order & ORDER_ACROSS, 0);
	EXPECT(t, info->tx_attr->msg_order & KFI_ORDER_SAS);
	EXPECT(t, info->tx_attr->msg_order & KFI_ORDER_WAW);
	EXPECT_EQ(t, info->tx_attr->comp_order, KFI_ORDER_NONE);
	EXPECT_EQ(t, info->rx_attr->comp_order, KFI_ORDER_NONE);
}

/*
 * Kinds of endpoints have different needs. Whether it was asked for or not, an offer
 * says which it is. Those of each device come in their order.
 */
static void check_kinds(struct suite *t, u64 caps, u64 mode,
			unsigned int expected)
{
	struct kfi_info *hints = suite_hints(caps), *list, *info;
	unsigned int kind, last = 0, seen = 0;

	if (!EXPECT(t, hints))
		return;
	hints->mode = mode;
	if (!EXPECT_OK(t, getinfo_with(hints, &list)))
		goto out;
	for (info = list; info; info = info->next) {
		kind = info_kind(info);
		EXPECT(t, info->caps & KFI_RMA);
		EXPECT_EQ(t, info->mode, kind == KIND_RAW ? KFI_RX_CQ_DATA : 0);
		EXPECT(t, kind > last || kind == (expected & -expected));
		if (kind == KIND_BOTH)
			check_both(t, info);
		last = kind;
		seen |= kind;
	}
	EXPECT_EQ(t, seen, expected);
	kfi_freeinfo(list);
out:
	kfi_freeinfo(hints);
}

static void test_kinds(struct suite *t)
{
	const u64 mode = KFI_RX_CQ_DATA;

	check_kinds(t, 0, mode, KIND_RAW | KIND_COMMIT | KIND_BOTH);
	check_kinds(t, 0, 0, KIND_COMMIT | KIND_BOTH);
	check_kinds(t, KFI_RMA, mode, KIND_RAW | KIND_COMMIT);
	check_kinds(t, KFI_RMA | KFI_WRITE, mode, KIND_RAW | KIND_COMMIT);
	check_kinds(t, KFI_RMA, 0, KIND_COMMIT);
	check_kinds(t, KFI_MSG | KFI_RMA, mode, KIND_RAW);
	check_kinds(t, KFI_RMA_PMEM, mode, KIND_COMMIT);
	check_kinds(t, KFI_RMA_PMEM | KFI_RMA, mode, KIND_COMMIT);
	check_kinds(t, KFI_RMA_PMEM | KFI_MSG, 0, KIND_BOTH);
	check_kinds(t, KFI_RMA_PMEM | KFI_SEND, mode, KIND_BOTH);
	check_kinds(t, KFI_RMA_PMEM | KFI_RMA | KFI_MSG, mode, KIND_BOTH);
}

/* A level that is a default is had by the calls without flags, or not offered. */
static void test_levels(struct suite *t)
{
	static const struct {
		u64 caps, op_flags;
		int ret;
	} asks[] = {
		{ SUITE_RAW, KFI_DELIVERY_COMPLETE, 0 },
		{ SUITE_RAW, KFI_COMMIT, -ENODATA },
		{ SUITE_COMMIT, KFI_DELIVERY_COMPLETE, 0 },
		{ SUITE_COMMIT, KFI_COMMIT | KFI_COMPLETION, 0 },
		{ SUITE_COMMIT, KFI_COMMIT | KFI_DELIVERY_COMPLETE, -ENODATA },
		{ SUITE_COMMIT, KFI_COMMIT | KFI_INJECT, -ENODATA },
		{ SUITE_BOTH, KFI_DELIVERY_COMPLETE, 0 },
		{ SUITE_BOTH, KFI_COMMIT | KFI_COMPLETION, 0 },
	};
	struct kfi_info *hints, *info;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(asks); i++) {
		hints = suite_hints(asks[i].caps);
		if (!EXPECT(t, hints))
			return;
		hints->tx_attr->op_flags = asks[i].op_flags;
		if (EXPECT_EQ(t, getinfo_with(hints, &info), asks[i].ret) &&
		    info) {
			EXPECT_EQ(t, info->tx_attr->op_flags,
				  asks[i].op_flags);
			kfi_freeinfo(info);
		}
		kfi_freeinfo(hints);
	}
}

/* What an offer says of itself is found again when it is asked for. */
static void test_again(struct suite *t)
{
	struct kfi_info *hints = suite_hints(SUITE_RAW), *info, *again;

	if (!EXPECT(t, hints) || !EXPECT_OK(t, getinfo_with(hints, &info)))
		goto out;
	if (EXPECT_OK(t, getinfo_with(info, &again))) {
		EXPECT(t, !strcmp(again->domain_attr->name,
				  info->domain_attr->name));
		EXPECT_EQ(t, again->tx_attr->size, info->tx_attr->size);
		EXPECT_EQ(t, again->caps, info->caps);
		kfi_freeinfo(again);
	}
	kfi_freeinfo(info);
out:
	kfi_freeinfo(hints);
}

static void test_arguments(struct suite *t)
{
	struct kfi_info *hints = suite_hints(SUITE_RAW), *info;

	if (!EXPECT(t, hints))
		return;
	EXPECT_EQ(t, kfi_getinfo(SUITE_API_VERSION, NULL, NULL, BIT_ULL(40),
				 hints, &info), -EINVAL);
	EXPECT_EQ(t, kfi_getinfo(SUITE_API_VERSION, "fabric.example", NULL, 0,
				 hints, &info), -EINVAL);
	EXPECT_EQ(t, kfi_getinfo(SUITE_API_VERSION, suite_address(), "http", 0,
				 hints, &info), -EINVAL);
	EXPECT_EQ(t, kfi_getinfo(SUITE_API_VERSION, suite_address(), "65536", 0,
				 hints, &info), -EINVAL);
	EXPECT_EQ(t, kfi_getinfo(KFI_VERSION(1000, 0), NULL, NULL, 0, hints,
				 &info), -EOPNOTSUPP);
	EXPECT(t, !info);
	if (EXPECT_OK(t, kfi_getinfo(SUITE_API_VERSION, NULL, NULL,
				     KFI_PROV_ATTR_ONLY, hints, &info)))
		EXPECT(t, !strcmp(info->fabric_attr->prov_name,
				  suite_provider()));
	kfi_freeinfo(info);
	kfi_freeinfo(hints);
}

static void test_addresses(struct suite *t)
{
	const struct sockaddr *sa;
	struct kfi_info *info;
	__be16 port;

	if (!EXPECT_OK(t, suite_getinfo(SUITE_RAW, "4711", 0, &info)))
		return;
	sa = info->dest_addr;
	if (EXPECT(t, sa)) {
		/* the port is in the same place for both families */
		port = ((const struct sockaddr_in *)sa)->sin_port;
		EXPECT_EQ(t, ntohs(port), 4711);
		EXPECT_EQ(t, info->dest_addrlen, sa->sa_family == AF_INET ?
			  sizeof(struct sockaddr_in) :
			  sizeof(struct sockaddr_in6));
		EXPECT_EQ(t, info->addr_format, sa->sa_family == AF_INET ?
			  KFI_SOCKADDR_IN : KFI_SOCKADDR_IN6);
	}
	kfi_freeinfo(info);

	if (!EXPECT_OK(t, suite_getinfo(SUITE_RAW, NULL, KFI_SOURCE, &info)))
		return;
	EXPECT(t, info->src_addr && !info->dest_addr);
	kfi_freeinfo(info);
}

static void test_dup(struct suite *t)
{
	struct kfi_info *info, *dup;

	if (!EXPECT_OK(t, suite_getinfo(SUITE_RAW, "4711", 0, &info)))
		return;
	dup = kfi_dupinfo(info);
	if (EXPECT(t, dup)) {
		EXPECT(t, !dup->next);
		EXPECT(t, dup->dest_addr != info->dest_addr);
		EXPECT_SAME(t, dup->dest_addr, info->dest_addr,
			    info->dest_addrlen);
		EXPECT(t, dup->domain_attr->name != info->domain_attr->name);
		EXPECT_EQ(t, dup->caps, info->caps);
		EXPECT_EQ(t, dup->tx_attr->size, info->tx_attr->size);
	}
	kfi_freeinfo(info);
	/* the copy has nothing of the original */
	if (dup)
		check_offer(t, dup);
	kfi_freeinfo(dup);
}

const struct suite_test suite_info_tests[] = {
	{ "info.offer", test_offer },
	{ "info.limits", test_limits },
	{ "info.unmet", test_unmet },
	{ "info.kinds", test_kinds },
	{ "info.levels", test_levels },
	{ "info.again", test_again },
	{ "info.arguments", test_arguments },
	{ "info.addresses", test_addresses },
	{ "info.dup", test_dup },
	{ }
};
