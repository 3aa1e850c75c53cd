// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Objects: who can be closed when, and what close and shutdown leave behind.
 */

#include <linux/slab.h>

#include "suite.h"

#define LIFETIME_OPS	16

static void test_busy(struct suite *t)
{
	struct suite_net net;
	struct suite_pair pair;
	struct suite_mem mem = { };

	if (!suite_open(t, &net, &pair, NULL))
		return;
	EXPECT_EQ(t, kfi_close(&net.fabric->fid), -EBUSY);
	EXPECT_EQ(t, kfi_close(&net.domain->fid), -EBUSY);
	EXPECT_EQ(t, kfi_close(&net.eq->fid), -EBUSY);
	EXPECT_EQ(t, kfi_close(&pair.a.tx.cq->fid), -EBUSY);
	EXPECT_EQ(t, kfi_close(&pair.b.rx.cq->fid), -EBUSY);
	suite_ping(t, &pair.a, &pair.b);
	suite_ping(t, &pair.b, &pair.a);
	suite_pair_close(&pair);

	/* one binding and one child each, and then none */
	EXPECT_EQ(t, kfi_close(&net.eq->fid), -EBUSY);
	if (suite_mem_open(&net, &mem, PAGE_SIZE, SUITE_ACCESS)) {
		EXPECT_EQ(t, kfi_close(&net.domain->fid), -EBUSY);
		suite_mem_close(t, &mem);
	}
	if (suite_pair_open(&net, &pair, NULL)) {
		suite_ping(t, &pair.a, &pair.b);
		suite_pair_close(&pair);
	}
	suite_net_close(&net);
}

static void test_fabric(struct suite *t)
{
	struct kfid_fabric *fabric = NULL;
	struct kfi_info *info;
	char *name;

	if (!EXPECT_OK(t, suite_getinfo(SUITE_RAW, NULL, KFI_SOURCE, &info)))
		return;
	EXPECT_EQ(t, kfi_fabric(NULL, &fabric, NULL), -EINVAL);
	name = info->fabric_attr->prov_name;
	info->fabric_attr->prov_name = "nonesuch";
	EXPECT_EQ(t, kfi_fabric(info->fabric_attr, &fabric, NULL), -ENODEV);
	info->fabric_attr->prov_name = NULL;
	EXPECT_EQ(t, kfi_fabric(info->fabric_attr, &fabric, NULL), -EINVAL);
	info->fabric_attr->prov_name = name;

	if (EXPECT_OK(t, kfi_fabric(info->fabric_attr, &fabric, t))) {
		EXPECT(t, fabric->fid.context == t);
		EXPECT_EQ(t, fabric->fid.fclass, KFI_CLASS_FABRIC);
		EXPECT_OK(t, kfi_close(&fabric->fid));
	}
	kfi_freeinfo(info);
}

/* A script compares the resources of the device before and after. */
static void test_rounds(struct suite *t)
{
	unsigned int rounds = suite_scaled(1000, 5);
	struct suite_net net;
	struct suite_pair pair;

	for (; rounds && !suite_failed(t); rounds--) {
		if (!suite_open(t, &net, &pair, NULL))
			return;
		suite_ping(t, &pair.a, &pair.b);
		suite_close(&net, &pair);
	}
}

/*
 * Sends that wait for the peer to post a receive, and receives that wait for
 * the peer to send.
 */
static void post_waiting(struct suite *t, struct suite_end *end, u8 *buf)
{
	uintptr_t i;

	for (i = 1; i <= LIFETIME_OPS; i++) {
		EXPECT_OK(t, kfi_recv(end->ep, buf, 64, NULL, KFI_ADDR_UNSPEC,
				      (void *)i));
		EXPECT_OK(t, kfi_send(end->ep, buf, 64, NULL, KFI_ADDR_UNSPEC,
				      (void *)i));
	}
}

/* Each one has completed by now, once, in order, in error. */
static void check_drained(struct suite *t, struct suite_cq *scq)
{
	struct suite_comp comp;
	uintptr_t i;

	for (i = 1; i <= LIFETIME_OPS; i++) {
		if (!suite_read_comp(t, scq, &comp, 0)) {
			COMPLAIN(t, "%lu of %u were not complete",
				 LIFETIME_OPS - i + 1, LIFETIME_OPS);
			return;
		}
		EXPECT_EQ(t, (uintptr_t)comp.entry.op_context, i);
		EXPECT_EQ(t, comp.err, ECANCELED);
	}
	EXPECT_NO_COMP(t, scq);
}

static void test_close_drains(struct suite *t)
{
	struct suite_net net;
	struct suite_pair pair;
	u8 *buf = kzalloc(64, GFP_KERNEL);

	if (!EXPECT(t, buf) || !suite_open(t, &net, &pair, NULL))
		goto out;
	post_waiting(t, &pair.a, buf);
	EXPECT_OK(t, kfi_close(&pair.a.ep->fid));
	pair.a.ep = NULL;
	check_drained(t, &pair.a.tx);
	check_drained(t, &pair.a.rx);
	suite_close(&net, &pair);
out:
	kfree(buf);
}

static void check_after_shutdown(struct suite *t, struct suite_end *end,
				 u8 *buf)
{
	EXPECT_EQ(t, kfi_send(end->ep, buf, 64, NULL, KFI_ADDR_UNSPEC, NULL),
		  -ESHUTDOWN);
	EXPECT_EQ(t, kfi_recv(end->ep, buf, 64, NULL, KFI_ADDR_UNSPEC, NULL),
		  -ESHUTDOWN);
	EXPECT_EQ(t, kfi_read(end->ep, buf, 64, NULL, KFI_ADDR_UNSPEC, 0, 0,
			      NULL), -ESHUTDOWN);
	EXPECT_NO_COMP(t, &end->tx);
	EXPECT_NO_COMP(t, &end->rx);
}

static void test_shutdown_drains(struct suite *t)
{
	struct suite_net net;
	struct suite_pair pair;
	struct suite_event ev;
	u8 *buf = kzalloc(64, GFP_KERNEL);

	if (!EXPECT(t, buf) || !suite_open(t, &net, &pair, NULL))
		goto out;
	post_waiting(t, &pair.a, buf);
	EXPECT_EQ(t, kfi_shutdown(pair.a.ep, BIT_ULL(40)), -EINVAL);
	EXPECT_OK(t, kfi_shutdown(pair.a.ep, 0));
	check_drained(t, &pair.a.tx);
	check_drained(t, &pair.a.rx);
	check_after_shutdown(t, &pair.a, buf);

	/* whether the side that shuts down is told is not promised */
	if (suite_read_event(t, net.eq, &ev, SUITE_TIMEOUT_MS) &&
	    ev.fid == &pair.a.ep->fid)
		EXPECT_EVENT(t, net.eq, KFI_SHUTDOWN, &pair.b.ep->fid, &ev);
	else
		EXPECT(t, ev.event == KFI_SHUTDOWN &&
		       ev.fid == &pair.b.ep->fid);
	suite_close(&net, &pair);
out:
	kfree(buf);
}

/* The receives of an endpoint whose peer goes away do not wait for ever. */
static void test_peer_closes(struct suite *t)
{
	struct suite_net net;
	struct suite_pair pair;
	struct suite_event ev;
	u8 *buf = kzalloc(64, GFP_KERNEL);
	uintptr_t i;

	if (!EXPECT(t, buf) || !suite_open(t, &net, &pair, NULL))
		goto out;
	for (i = 1; i <= LIFETIME_OPS; i++)
		EXPECT_OK(t, kfi_recv(pair.b.ep, buf, 64, NULL,
				      KFI_ADDR_UNSPEC, (void *)i));
	EXPECT_OK(t, kfi_close(&pair.a.ep->fid));
	pair.a.ep = NULL;
	EXPECT_EVENT(t, net.eq, KFI_SHUTDOWN, &pair.b.ep->fid, &ev);
	for (i = 1; i <= LIFETIME_OPS; i++)
		if (!EXPECT_COMP_ERR(t, &pair.b.rx, (void *)i, ECANCELED,
				     KFI_MSG | KFI_RECV))
			break;
	check_after_shutdown(t, &pair.b, buf);
	suite_close(&net, &pair);
out:
	kfree(buf);
}

/* Completions stay when their endpoint goes. */
static void test_unread(struct suite *t)
{
	struct suite_net net;
	struct suite_pair pair;
	struct suite_mem mem = { };
	uintptr_t i;

	if (!suite_open(t, &net, &pair, NULL))
		return;
	if (!suite_mem_open(&net, &mem, PAGE_SIZE, SUITE_ACCESS))
		goto out;
	for (i = 1; i <= LIFETIME_OPS; i++)
		EXPECT_OK(t, kfi_write(pair.a.ep, mem.buf + 1024, 64, NULL,
				       KFI_ADDR_UNSPEC, mem.addr, mem.key,
				       (void *)i));
	EXPECT_OK(t, kfi_close(&pair.a.ep->fid));
	pair.a.ep = NULL;
	for (i = 1; i <= LIFETIME_OPS; i++) {
		struct suite_comp comp;

		if (!EXPECT(t, suite_read_comp(t, &pair.a.tx, &comp, 0)))
			break;
		EXPECT_EQ(t, (uintptr_t)comp.entry.op_context, i);
	}
	EXPECT_NO_COMP(t, &pair.a.tx);
	suite_mem_close(t, &mem);
out:
	suite_close(&net, &pair);
}

const struct suite_test suite_lifetime_tests[] = {
	{ "lifetime.fabric", test_fabric },
	{ "lifetime.busy", test_busy },
	{ "lifetime.close_drains", test_close_drains },
	{ "lifetime.shutdown_drains", test_shutdown_drains },
	{ "lifetime.peer_closes", test_peer_closes },
	{ "lifetime.unread", test_unread },
	{ "lifetime.rounds", test_rounds },
	{ }
};
