// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Statistics: times, kinds of errors, and what a provider's endpoints add up to.
 */

#include <linux/errno.h>
#include <linux/module.h>
#include <net/net_namespace.h>

#include <kfi_errno.h>
#include <kfi_track.h>

#include "core.h"

static void expect_bucket(struct kunit *test, u64 ns, unsigned int bucket)
{
	struct kfi_stat_hist hist = { };

	kfi_stat_time(&hist, ns);
	KUNIT_EXPECT_EQ(test, hist.sum, ns);
	KUNIT_EXPECT_EQ(test, hist.count[bucket], 1);
	KUNIT_EXPECT_EQ(test, kfi_stat_times(&hist), 1);
}

/* Each bucket has its first time and the last one before the next bucket. */
static void stats_buckets(struct kunit *test)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, kfi_stat_floor(0), 0);
	KUNIT_EXPECT_EQ(test, kfi_stat_floor(1), 128);
	for (i = 0; i < KFI_STAT_BUCKETS; i++) {
		expect_bucket(test, kfi_stat_floor(i), i);
		if (i)
			expect_bucket(test, kfi_stat_floor(i) - 1, i - 1);
	}
	expect_bucket(test, S64_MAX, KFI_STAT_BUCKETS - 1);
}

static void stats_errors(struct kunit *test)
{
	static const struct {
		int			err;
		enum kfi_stat_error	kind;
	} errors[] = {
		{ ECANCELED, KFI_STAT_CANCELED },
		{ EACCES, KFI_STAT_ACCESS },
		{ EREMOTEIO, KFI_STAT_REMOTE },
		{ EIO, KFI_STAT_IO },
		{ ETIMEDOUT, KFI_STAT_TIMEDOUT },
		{ ENOBUFS, KFI_STAT_NOBUFS },
		{ KFI_ETRUNC, KFI_STAT_TRUNC },
		{ ENOMEM, KFI_STAT_OTHER },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		KUNIT_EXPECT_EQ(test, kfi_stat_error_of(errors[i].err),
				errors[i].kind);
}

/* Its number is what it adds, as if that were so many messages. */
struct counted {
	struct kfid_ep		ep;
	struct kfi_stat_ep	stat;
	u64			nr;
};

static void add_stats(struct kfid_ep *ep, struct kfi_ep_stats *stats)
{
	const struct counted *counted = container_of(ep, struct counted, ep);

	stats->op[KFI_STAT_SEND].ops += counted->nr;
	kfi_stat_time(&stats->commit, counted->nr);
}

static const struct kfi_ops_ep counting = {
	.add_stats	= add_stats,
};

static const struct kfi_ops_ep not_counting;

static int no_getinfo(const struct kfi_getinfo_req *req, struct kfi_info **info)
{
	return -ENODATA;
}

static int no_fabric(struct kfi_fabric_attr *attr, struct kfid_fabric **fabric,
		     void *context)
{
	return -ENXIO;
}

static struct kfi_provider provider = {
	.name = "stats", .owner = THIS_MODULE, .getinfo = no_getinfo,
	.fabric = no_fabric,
};

static void expect_total(struct kunit *test, u64 opened, u64 open, u64 ops,
			 u64 sum)
{
	struct kfi_prov_stats *stats = kunit_kzalloc(test, sizeof(*stats),
						     GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, stats);
	kfi_prov_read_stats(&provider, stats);
	KUNIT_EXPECT_EQ(test, stats->opened, opened);
	KUNIT_EXPECT_EQ(test, stats->open, open);
	KUNIT_EXPECT_EQ(test, stats->total.op[KFI_STAT_SEND].ops, ops);
	KUNIT_EXPECT_EQ(test, stats->total.commit.sum, sum);
}

/* What was counted of an endpoint stays the provider's when it is closed. */
static void stats_provider(struct kunit *test)
{
	struct counted *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);
	struct counted *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	a->ep.ops = &counting;
	b->ep.ops = &counting;
	KUNIT_ASSERT_EQ(test, kfi_provider_register(&provider), 0);
	expect_total(test, 0, 0, 0, 0);
	kfi_stat_ep_open(&a->stat, &a->ep, &provider);
	kfi_stat_ep_open(&b->stat, &b->ep, &provider);
	a->nr = 5;
	b->nr = 300;
	expect_total(test, 2, 2, 305, 305);
	a->nr = 6;
	kfi_stat_ep_close(&a->stat);
	expect_total(test, 2, 1, 306, 306);
	/* it has gone: what happens to it is nobody's */
	a->nr = 1000;
	b->nr = 400;
	expect_total(test, 2, 1, 406, 406);
	kfi_stat_ep_close(&b->stat);
	expect_total(test, 2, 0, 406, 406);
	kfi_provider_deregister(&provider);
}

static void describe(struct kfi_ep_track *track, struct kfi_ep_desc *desc)
{
}

static const struct kfi_ep_track_ops track_ops = {
	.describe	= describe,
};

/* What endpoints tell of connections, and what it counts as. */
static const struct {
	bool			passive;
	bool			end;
	int			err;
	enum kfi_stat_conn	conn;
} conns[] = {
	{ false, false, 0, KFI_STAT_CONN_MADE },
	{ true, false, 0, KFI_STAT_CONN_ACCEPTED },
	{ false, false, ECONNREFUSED, KFI_STAT_CONN_REFUSED },
	{ true, false, ETIMEDOUT, KFI_STAT_CONN_TIMEDOUT },
	{ false, false, EHOSTUNREACH, KFI_STAT_CONN_FAILED },
	{ true, true, 0, KFI_STAT_CONN_SHUTDOWN },
	{ false, true, ETIMEDOUT, KFI_STAT_CONN_BROKEN },
};

static void tell(struct kfi_ep_track *track, unsigned int i)
{
	track->passive = conns[i].passive;
	if (conns[i].end)
		kfi_ep_disconnected(track, conns[i].err);
	else
		kfi_ep_connected(track, conns[i].err);
}

static void expect_conns(struct kunit *test, const u64 *expected)
{
	struct kfi_prov_stats *stats = kunit_kzalloc(test, sizeof(*stats),
						     GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, stats);
	kfi_prov_read_stats(&provider, stats);
	for (i = 0; i < KFI_STAT_CONNS; i++)
		KUNIT_EXPECT_EQ_MSG(test, stats->conn[i], expected[i], "%s",
				    kfi_stat_conn_name(i));
}

/* Connections are counted while their endpoint is open, and commits are not among them. */
static void stats_connections(struct kunit *test)
{
	struct kfi_ep_track *track = kunit_kzalloc(test, sizeof(*track),
						   GFP_KERNEL);
	struct kfid_ep *ep = kunit_kzalloc(test, sizeof(*ep), GFP_KERNEL);
	const struct kfi_scope scope = {
		.provider = &provider, .domain = "fake", .net = &init_net,
	};
	const struct sockaddr_storage peer = { };
	u64 expected[KFI_STAT_CONNS] = { };
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, track);
	KUNIT_ASSERT_NOT_NULL(test, ep);
	KUNIT_ASSERT_EQ(test, kfi_provider_register(&provider), 0);
	kfi_obj_init(&ep->fid, KFI_CLASS_EP, NULL, NULL);
	kfi_ep_track_init(track, &track_ops);
	tell(track, 0);
	expect_conns(test, expected);
	kfi_ep_track_add(track, ep, &scope, "fake");
	for (i = 0; i < ARRAY_SIZE(conns); i++) {
		tell(track, i);
		expected[conns[i].conn]++;
		expect_conns(test, expected);
	}
	kfi_ep_commit_failed(track, EIO);
	kfi_prov_rejected(&provider, 1, &peer);
	expected[KFI_STAT_CONN_REJECTED]++;
	kfi_ep_track_del(track);
	tell(track, 0);
	expect_conns(test, expected);
	kfi_provider_deregister(&provider);
}

/* Reading sets, and does not add to what was there. */
static void stats_read(struct kunit *test)
{
	struct kfi_ep_stats *stats = kunit_kzalloc(test, sizeof(*stats),
						   GFP_KERNEL);
	struct counted *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, stats);
	KUNIT_ASSERT_NOT_NULL(test, a);
	a->ep.ops = &counting;
	a->nr = 7;
	KUNIT_EXPECT_EQ(test, kfi_ep_read_stats(&a->ep, stats), 0);
	KUNIT_EXPECT_EQ(test, kfi_ep_read_stats(&a->ep, stats), 0);
	KUNIT_EXPECT_EQ(test, stats->op[KFI_STAT_SEND].ops, 7);
	KUNIT_EXPECT_EQ(test, stats->commit.sum, 7);
	a->ep.ops = &not_counting;
	KUNIT_EXPECT_EQ(test, kfi_ep_read_stats(&a->ep, stats), -EOPNOTSUPP);
}

/* Objects have numbers of their own. */
static void stats_ids(struct kunit *test)
{
	struct kfid_domain *domains = kunit_kcalloc(test, 2, sizeof(*domains),
						    GFP_KERNEL);
	u64 id;

	KUNIT_ASSERT_NOT_NULL(test, domains);
	fake_domain_init(&domains[0]);
	fake_domain_init(&domains[1]);
	id = domains[0].fid.id;
	KUNIT_EXPECT_NE(test, id, 0);
	KUNIT_EXPECT_GT(test, domains[1].fid.id, id);
	fake_domain_init(&domains[0]);
	KUNIT_EXPECT_GT(test, domains[0].fid.id, domains[1].fid.id);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(stats_buckets),
	KUNIT_CASE(stats_errors),
	KUNIT_CASE(stats_provider),
	KUNIT_CASE(stats_connections),
	KUNIT_CASE(stats_read),
	KUNIT_CASE(stats_ids),
	{ }
};

static struct kunit_suite suite = {
	.name		= "kfi_stats",
	.test_cases	= cases,
};

kunit_test_suite(suite);
