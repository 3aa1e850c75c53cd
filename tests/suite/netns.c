// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Network namespaces: the suite's, in which the same address is there as in the
 * initial one, and another one that the initial one has not.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/string.h>

#include <kfi_errno.h>

#include "suite.h"

#define NETNS_ADDR	"10.9.1.1"

/**
 * struct outside - what a test has in the initial namespace
 * @t: the test
 * @info: what kfi_getinfo() said there
 * @fabric: a fabric
 * @domain: a domain
 * @eq: an event queue
 * @pep: a passive endpoint
 * @end: an endpoint
 */
struct outside {
	struct suite		*t;
	struct kfi_info		*info;
	struct kfid_fabric	*fabric;
	struct kfid_domain	*domain;
	struct kfid_eq		*eq;
	struct kfid_pep		*pep;
	struct suite_end	end;
};

static int outside_getinfo(const char *node, const char *service, u64 flags,
			   struct kfi_info **info)
{
	struct kfi_info *hints = suite_hints(SUITE_RAW);
	int ret;

	*info = NULL;
	if (!hints)
		return -ENOMEM;
	hints->fabric_attr->net = NULL;
	ret = kfi_getinfo(SUITE_API_VERSION, node, service, flags, hints, info);
	kfi_freeinfo(hints);
	return ret;
}

static bool outside_open(struct suite *t, struct outside *out, const char *port)
{
	struct kfi_info *info;

	memset(out, 0, sizeof(*out));
	out->t = t;
	if (!EXPECT_OK(t, outside_getinfo(suite_address(), port, 0,
					  &out->info)))
		return false;
	info = out->info;
	return EXPECT_OK(t, kfi_fabric(info->fabric_attr, &out->fabric,
				       NULL)) &&
	       EXPECT_OK(t, kfi_domain(out->fabric, info, &out->domain,
				       NULL)) &&
	       EXPECT_OK(t, kfi_eq_open(out->fabric, NULL, &out->eq, NULL,
					NULL));
}

static void outside_close(struct outside *out)
{
	struct suite *t = out->t;

	suite_end_close(t, &out->end);
	if (out->pep)
		EXPECT_OK(t, kfi_close(&out->pep->fid));
	if (out->eq)
		EXPECT_OK(t, kfi_close(&out->eq->fid));
	if (out->domain)
		EXPECT_OK(t, kfi_close(&out->domain->fid));
	if (out->fabric)
		EXPECT_OK(t, kfi_close(&out->fabric->fid));
	kfi_freeinfo(out->info);
}

/* Nobody hears of it in the suite's namespace. */
static void outside_connect(struct outside *out, struct suite_net *net,
			    const void *addr, int err)
{
	struct kfi_cq_attr attr = { };
	struct suite *t = out->t;
	struct suite_event ev;

	if (EXPECT_OK(t, suite_cq_open(&out->end.tx, out->domain, &attr,
				       false)) &&
	    EXPECT_OK(t, suite_cq_open(&out->end.rx, out->domain, &attr,
				       false)) &&
	    EXPECT_OK(t, kfi_endpoint(out->domain, out->info, &out->end.ep,
				      &out->end)) &&
	    EXPECT_OK(t, kfi_ep_bind(out->end.ep, &out->eq->fid, 0)) &&
	    EXPECT_OK(t, kfi_ep_bind(out->end.ep, &out->end.tx.cq->fid,
				     KFI_TRANSMIT)) &&
	    EXPECT_OK(t, kfi_ep_bind(out->end.ep, &out->end.rx.cq->fid,
				     KFI_RECV)) &&
	    EXPECT_OK(t, kfi_connect(out->end.ep, addr, NULL, 0)))
		EXPECT_ERROR(t, out->eq, err, &out->end.ep->fid, &ev);
	EXPECT(t, !suite_read_event(t, net->eq, &ev, SUITE_QUIET_MS));
	suite_end_close(t, &out->end);
}

/* An address and port that are taken in one namespace are free in the other. */
static void outside_listen(struct outside *out, const char *port)
{
	struct suite *t = out->t;
	struct kfi_info *info;

	if (!EXPECT_OK(t, outside_getinfo(suite_address(), port, KFI_SOURCE,
					  &info)))
		return;
	if (EXPECT_OK(t, kfi_passive_ep(out->fabric, info, &out->pep, NULL)) &&
	    EXPECT_OK(t, kfi_pep_bind(out->pep, &out->eq->fid, 0)))
		EXPECT_OK(t, kfi_listen(out->pep));
	kfi_freeinfo(info);
}

static void test_apart(struct suite *t)
{
	struct suite_pair pair;
	struct suite_event ev;
	struct outside out;
	struct suite_net net;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	if (outside_open(t, &out, net.port)) {
		outside_connect(&out, &net, NULL, ECONNREFUSED);
		outside_listen(&out, net.port);
		if (suite_pair_open(&net, &pair, NULL)) {
			suite_ping(t, &pair.a, &pair.b);
			suite_pair_close(&pair);
		}
		EXPECT(t, !suite_read_event(t, out.eq, &ev, SUITE_QUIET_MS));
	}
	outside_close(&out);
	suite_net_close(&net);
}

/* Where addresses are those of a device: one that is not there is not found. */
static void check_unknown(struct suite *t, struct suite_net *net,
			  struct outside *out, struct kfi_info *info)
{
	struct kfid_pep *pep;
	struct kfi_info *none;

	EXPECT_EQ(t, outside_getinfo(NETNS_ADDR, NULL, KFI_SOURCE, &none),
		  -ENODATA);
	EXPECT_EQ(t, kfi_passive_ep(out->fabric, info, &pep, NULL),
		  -EADDRNOTAVAIL);
	outside_connect(out, net, info->src_addr, EHOSTUNREACH);
}

static void test_address(struct suite *t)
{
	struct kfi_info *hints = suite_hints(SUITE_RAW), *info = NULL;
	struct outside out;
	struct suite_net net;

	if (!EXPECT(t, hints) || !suite_net_open(t, &net, SUITE_RAW, NULL))
		goto out;
	if (EXPECT_OK(t, kfi_getinfo(SUITE_API_VERSION, NETNS_ADDR, net.port,
				     KFI_SOURCE, hints, &info)) &&
	    outside_open(t, &out, net.port)) {
		check_unknown(t, &net, &out, info);
		outside_close(&out);
	}
	kfi_freeinfo(info);
	suite_net_close(&net);
out:
	kfi_freeinfo(hints);
}

/* A fabric keeps the namespace alive when everybody else has let go of it. */
static void test_held(struct suite *t)
{
	struct suite_net net;
	struct suite_pair pair;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	suite_put_netns();
	suite_wait_go(t, "netns del");
	if (suite_pair_open(&net, &pair, NULL)) {
		suite_ping(t, &pair.a, &pair.b);
		suite_pair_close(&pair);
	}
	suite_net_close(&net);
}

const struct suite_test suite_netns_tests[] = {
	{ "netns.apart", test_apart },
	{ "netns.address", test_address },
	{ "netns.held", test_held },
	{ }
};
