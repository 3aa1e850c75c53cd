// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The device goes away under an endpoint with operations in flight; the provider's
 * module does not, under an open fabric. A script removes them, or tries to, when it
 * reads "waiting for" in the kernel log.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "suite.h"

#define REMOVAL_OPS	32
#define REMOVAL_WAIT_MS	60000

/* of a read or write that is under way, more than a packet */
#define REMOVAL_LEN	SZ_64K

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

/*
 * Reads and writes without a pause, until they are refused: some have failed then, and
 * each that was accepted has completed.
 */
static void move_until_gone(struct suite *t, struct suite_end *end,
			    const struct suite_mem *mem, u8 *buf)
{
	unsigned long end_at = jiffies + msecs_to_jiffies(REMOVAL_WAIT_MS);
	unsigned int posted = 0, done = 0, failed = 0;
	struct suite_comp comp;
	ssize_t ret;

	do {
		ret = posted & 1 ?
		      kfi_read(end->ep, buf, REMOVAL_LEN, NULL, 0, mem->addr,
			       mem->key, end) :
		      kfi_write(end->ep, buf, REMOVAL_LEN, NULL, 0, mem->addr,
				mem->key, end);
		if (!ret) {
			posted++;
		} else if (suite_read_comp(t, &end->tx, &comp, 10)) {
			done++;
			failed += comp.err > 0;
		}
	} while ((!ret || ret == -EAGAIN) && time_before(jiffies, end_at));
	EXPECT(t, ret == -ENODEV || ret == -ESHUTDOWN);
	while (done < posted &&
	       EXPECT(t, suite_read_comp(t, &end->tx, &comp,
					 SUITE_TIMEOUT_MS))) {
		done++;
		failed += comp.err > 0;
	}
	EXPECT_NO_COMP(t, &end->tx);
	EXPECT(t, failed);
}

/* Each of the objects is told, in whatever order. */
static void check_events(struct suite *t, struct suite_net *net,
			 struct suite_pair *pair, struct suite_pair *moving)
{
	struct kfid *fids[] = {
		&net->pep->fid, &pair->a.ep->fid, &pair->b.ep->fid,
		&moving->a.ep->fid, &moving->b.ep->fid,
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
	struct suite_pair pair, moving = { };
	u8 *buf = kzalloc(REMOVAL_LEN, GFP_KERNEL);
	struct suite_mem mem = { };
	struct suite_net net;
	struct kfid_ep *fresh;

	if (!EXPECT(t, buf) || !suite_open(t, &net, &pair, NULL))
		goto out;
	if (!suite_mem_open(&net, &mem, REMOVAL_LEN, SUITE_ACCESS) ||
	    !suite_pair_open(&net, &moving, NULL))
		goto out_pair;
	if (!EXPECT_OK(t, kfi_endpoint(net.domain, pair.info, &fresh, NULL)))
		goto out_moving;
	post_waiting(t, &pair.a, buf);
	EXPECT_NO_COMP(t, &pair.a.tx);

	pr_info("# waiting for removal\n");
	move_until_gone(t, &moving.a, &mem, buf);
	check_events(t, &net, &pair, &moving);
	check_flushed(t, &pair.a.tx);
	check_flushed(t, &pair.a.rx);
	check_gone(t, &net, &pair, buf);
	check_ep_gone(t, &net, fresh, pair.a.tx.cq);
	EXPECT_OK(t, kfi_close(&fresh->fid));
out_moving:
	suite_pair_close(&moving);
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
