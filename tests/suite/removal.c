// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The device goes away under an endpoint with operations in flight; the provider's
 * module does not, under an open fabric. A script removes them, or tries to, when it
 * reads "waiting for" in the kernel log.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/printk.h>
#include <linux/slab.h>

#include "suite.h"

#define REMOVAL_OPS	32
#define REMOVAL_WAIT_MS	60000

/* Receives, and sends that wait for a receive of the peer. */
static void post_waiting(struct suite *t, struct suite_end *end, u8 *buf)
{
	uintptr_t op;

	for (op = 1; op <= REMOVAL_OPS; op++) {
		EXPECT_OK(t, kfi_recv(end->ep, buf, 64, NULL, 0, (void *)op));
		EXPECT_OK(t, kfi_send(end->ep, buf, 64, NULL, 0, (void *)op));
	}
}

static void check_flushed(struct suite *t, struct suite_cq *scq)
{
	uintptr_t op;

	for (op = 1; op <= REMOVAL_OPS; op++)
		if (!EXPECT_COMP_ERR(t, scq, (void *)op, ECANCELED, KFI_MSG))
			return;
	EXPECT_NO_COMP(t, scq);
}

/* Each of the three objects is told, in whatever order. */
static void check_events(struct suite *t, struct suite_net *net,
			 struct suite_pair *pair)
{
	struct kfid *fids[] = {
		&net->pep->fid, &pair->a.ep->fid, &pair->b.ep->fid,
	};
	unsigned int told = 0, i;
	struct suite_event ev;

	while (told != BIT(ARRAY_SIZE(fids)) - 1) {
		if (!EXPECT(t, suite_read_event(t, net->eq, &ev,
						told ? SUITE_TIMEOUT_MS :
						REMOVAL_WAIT_MS)))
			return;
		EXPECT(t, ev.event == KFI_SHUTDOWN || ev.err);
		for (i = 0; i < ARRAY_SIZE(fids); i++)
			if (ev.fid == fids[i])
				told |= BIT(i);
	}
}

/* Whatever state an endpoint was in, nothing can be done with it. */
static void check_ep_gone(struct suite *t, struct suite_net *net,
			  struct kfid_ep *ep, struct kfid_cq *cq)
{
	struct sockaddr_storage addr;
	size_t len = sizeof(addr);
	unsigned int ms = 1;

	EXPECT_EQ(t, kfi_ep_bind(ep, &net->eq->fid, 0), -ENODEV);
	EXPECT_EQ(t, kfi_ep_bind(ep, &cq->fid, KFI_TRANSMIT), -ENODEV);
	EXPECT_EQ(t, kfi_enable(ep), -ENODEV);
	EXPECT_EQ(t, kfi_connect(ep, NULL, NULL, 0), -ENODEV);
	EXPECT_EQ(t, kfi_accept(ep, NULL, 0), -ENODEV);
	EXPECT_EQ(t, kfi_shutdown(ep, 0), -ENODEV);
	EXPECT_EQ(t, kfi_getname(&ep->fid, &addr, &len), -ENODEV);
	EXPECT_EQ(t, kfi_getpeer(ep, &addr, &len), -ENODEV);
	len = sizeof(ms);
	EXPECT_EQ(t, kfi_getopt(&ep->fid, KFI_OPT_ENDPOINT,
				KFI_OPT_CONNECT_TIMEOUT, &ms, &len), -ENODEV);
	EXPECT_EQ(t, kfi_setopt(&ep->fid, KFI_OPT_ENDPOINT,
				KFI_OPT_CONNECT_TIMEOUT, &ms, len), -ENODEV);
}

static void check_pep_gone(struct suite *t, struct suite_net *net)
{
	struct sockaddr_storage addr;
	size_t len = sizeof(addr);
	int backlog = 1;

	EXPECT_EQ(t, kfi_pep_bind(net->pep, &net->eq->fid, 0), -ENODEV);
	EXPECT_EQ(t, kfi_control(&net->pep->fid, KFI_BACKLOG, &backlog),
		  -ENODEV);
	EXPECT_EQ(t, kfi_listen(net->pep), -ENODEV);
	EXPECT_EQ(t, kfi_getname(&net->pep->fid, &addr, &len), -ENODEV);
}

/* What is left of the objects can be closed, and nothing else. */
static void check_gone(struct suite *t, struct suite_net *net,
		       struct suite_pair *pair, u8 *buf)
{
	struct kfi_cq_attr attr = { };
	struct kfid_cq *cq;
	struct kfid_ep *ep;
	struct kfid_mr *mr;

	EXPECT_EQ(t, kfi_send(pair->a.ep, buf, 64, NULL, 0, NULL), -ENODEV);
	EXPECT_EQ(t, kfi_recv(pair->b.ep, buf, 64, NULL, 0, NULL), -ENODEV);
	EXPECT_EQ(t, kfi_cq_open(net->domain, &attr, &cq, NULL, NULL),
		  -ENODEV);
	EXPECT_EQ(t, kfi_mr_reg(net->domain, buf, 64, SUITE_ACCESS, 0, 0, 0,
				&mr, NULL), -ENODEV);
	EXPECT_EQ(t, kfi_endpoint(net->domain, pair->info, &ep, NULL),
		  -ENODEV);
	check_ep_gone(t, net, pair->a.ep, pair->a.tx.cq);
	check_ep_gone(t, net, pair->b.ep, pair->b.tx.cq);
	check_pep_gone(t, net);
}

static void test_removal(struct suite *t)
{
	struct suite_mem mem = { };
	struct suite_net net;
	struct suite_pair pair;
	struct kfid_ep *fresh;
	u8 *buf = kzalloc(64, GFP_KERNEL);

	if (!EXPECT(t, buf) || !suite_open(t, &net, &pair, NULL))
		goto out;
	if (!suite_mem_open(&net, &mem, PAGE_SIZE, SUITE_ACCESS))
		goto out_pair;
	if (!EXPECT_OK(t, kfi_endpoint(net.domain, pair.info, &fresh, NULL)))
		goto out_pair;
	post_waiting(t, &pair.a, buf);
	EXPECT_NO_COMP(t, &pair.a.tx);

	pr_info("# waiting for removal\n");
	check_events(t, &net, &pair);
	check_flushed(t, &pair.a.tx);
	check_flushed(t, &pair.a.rx);
	check_gone(t, &net, &pair, buf);
	check_ep_gone(t, &net, fresh, pair.a.tx.cq);
	EXPECT_OK(t, kfi_close(&fresh->fid));
out_pair:
	suite_mem_close(t, &mem);
	suite_close(&net, &pair);
out:
	kfree(buf);
}

/* The fabric that pins the module works as before when that was not removed. */
static void test_module(struct suite *t)
{
	struct suite_net net;
	struct suite_pair pair;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	suite_wait_go(t, "rmmod");
	if (suite_pair_open(&net, &pair, NULL)) {
		suite_ping(t, &pair.a, &pair.b);
		suite_pair_close(&pair);
	}
	suite_net_close(&net);
}

const struct suite_test suite_removal_tests[] = {
	{ "removal", test_removal },
	{ "module", test_module },
	{ }
};
