// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What user space is shown: objects, and events, for a script that looks at them and
 * says when it has seen enough.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_errno.h>

#include "store.h"
#include "suite.h"

/* A script in an emulated machine takes its time. */
#define SHOW_WAIT_MS	600000

static const struct suite_opts plain;

/* Bytes by which the script knows regions */
#define SHOW_UNCACHED	192
#define SHOW_STAYS	64
#define SHOW_CHURNS	128

#define SHOW_CHURNERS	2

/**
 * struct show - a pair without commits, and what is not connected
 * @net: what they share
 * @pair: the pair
 * @idle: an endpoint that does nothing
 * @mr: a region that should not be cached
 * @buf: its memory
 */
struct show {
	struct suite_net	net;
	struct suite_pair	pair;
	struct suite_end	idle;
	struct kfid_mr		*mr;
	u8			*buf;
};

static bool show_open(struct suite *t, struct show *show)
{
	memset(show, 0, sizeof(*show));
	if (!suite_open(t, &show->net, &show->pair, NULL)) {
		show->net.t = NULL;
		return false;
	}
	show->buf = kzalloc(SHOW_UNCACHED, GFP_KERNEL);
	return EXPECT(t, show->buf) &&
	       suite_end_open(&show->net, &show->idle, show->pair.info,
			      &plain) &&
	       EXPECT_OK(t, kfi_mr_reg(show->net.domain, show->buf,
				       SHOW_UNCACHED, KFI_REMOTE_WRITE, 0, 0,
				       KFI_UNCACHED, &show->mr, NULL));
}

static void show_close(struct suite *t, struct show *show)
{
	if (show->mr)
		EXPECT_OK(t, kfi_close(&show->mr->fid));
	suite_end_close(t, &show->idle);
	if (show->net.t)
		suite_close(&show->net, &show->pair);
	kfree(show->buf);
}

static void fail_commit(struct suite *t, struct store *store)
{
	kfi_pmemsim_fail_next(store->sim, 1);
	EXPECT_OK(t, store_write(store, 0, 4096, (void *)1, KFI_COMMIT));
	EXPECT_COMP_ERR(t, &store->pair.a.tx, (void *)1, EIO,
			KFI_RMA | KFI_WRITE | KFI_COMMIT);
}

/*
 * Five endpoints that have sent one message and made two commits, of which one has
 * failed, their queues, two regions and a memory device: a script knows what they are.
 */
static void test_objects(struct suite *t)
{
	struct store store;
	struct show show;

	if (!store_open(t, &store, NULL))
		return;
	if (show_open(t, &show)) {
		suite_ping(t, &show.pair.a, &show.pair.b);
		fail_commit(t, &store);
		EXPECT_OK(t, store_write(&store, 0, 4096, (void *)1,
					 KFI_COMMIT));
		EXPECT_COMP(t, &store.pair.a.tx, (void *)1, NULL);
		suite_wait_go_for(t, "whoever looks", SHOW_WAIT_MS);
	}
	show_close(t, &show);
	store_close(&store);
}

static void connect_in_vain(struct suite *t, struct suite_net *net)
{
	struct suite_end end = { };
	struct suite_event ev;
	struct kfi_info *info;

	/* nobody listens there */
	if (!EXPECT_OK(t, suite_getinfo(net->caps, "9", 0, &info)))
		return;
	if (suite_end_open(net, &end, info, &plain) &&
	    EXPECT_OK(t, kfi_connect(end.ep, info->dest_addr, NULL, 0)))
		EXPECT_ERROR(t, net->eq, ECONNREFUSED, &end.ep->fid, &ev);
	suite_end_close(t, &end);
	kfi_freeinfo(info);
}

/*
 * A pair comes, a commit fails, a connection fails, the pair goes, and its memory device
 * has lost its contents.
 */
static void test_events(struct suite *t)
{
	struct store store;

	if (!suite_wait_go_for(t, "whoever listens", SHOW_WAIT_MS) ||
	    !store_open(t, &store, NULL))
		return;
	fail_commit(t, &store);
	connect_in_vain(t, &store.net);
	suite_pair_close(&store.pair);
	EXPECT_OK(t, kfi_pmemsim_cut(store.sim));
	store_close(&store);
}

/**
 * struct churner - somebody who opens and closes objects all the time
 * @work: does it
 * @t: the test
 * @net: where
 * @info: of endpoints
 * @stop: enough
 * @rounds: how often it was done
 */
struct churner {
	struct work_struct	work;
	struct suite		*t;
	struct suite_net	*net;
	struct kfi_info		*info;
	bool			stop;
	unsigned int		rounds;
};

static void churn_once(struct churner *churner, u8 *buf)
{
	struct suite *t = churner->t;
	struct kfid_mr *mrs[4] = { };
	struct kfid_ep *ep;
	int i;

	for (i = 0; i < ARRAY_SIZE(mrs); i++)
		EXPECT_OK(t, kfi_mr_reg(churner->net->domain, buf, SHOW_CHURNS,
					SUITE_ACCESS, 0, 0, 0, &mrs[i], NULL));
	if (EXPECT_OK(t, kfi_endpoint(churner->net->domain, churner->info, &ep,
				      NULL)))
		EXPECT_OK(t, kfi_close(&ep->fid));
	for (i = 0; i < ARRAY_SIZE(mrs); i++)
		if (mrs[i])
			EXPECT_OK(t, kfi_close(&mrs[i]->fid));
}

static void churn(struct work_struct *work)
{
	struct churner *churner = container_of(work, struct churner, work);
	u8 *buf = kzalloc(SHOW_CHURNS, GFP_KERNEL);

	if (EXPECT(churner->t, buf)) {
		while (!READ_ONCE(churner->stop) &&
		       !suite_failed(churner->t)) {
			churn_once(churner, buf);
			churner->rounds++;
			cond_resched();
		}
	}
	kfree(buf);
}

/* Some come and go until the script has seen the others often enough. */
static void churn_until(struct suite *t, struct suite_net *net)
{
	struct churner churners[SHOW_CHURNERS] = { };
	unsigned int rounds = 0;
	struct kfi_info *info;
	int i;

	if (!EXPECT_OK(t, suite_getinfo(net->caps, NULL, 0, &info)))
		return;
	info->tx_attr->size = 1;
	info->rx_attr->size = 1;
	for (i = 0; i < SHOW_CHURNERS; i++) {
		churners[i].t = t;
		churners[i].net = net;
		churners[i].info = info;
		INIT_WORK_ONSTACK(&churners[i].work, churn);
		queue_work(suite_wq, &churners[i].work);
	}
	suite_wait_go_for(t, "whoever counts", SHOW_WAIT_MS);
	for (i = 0; i < SHOW_CHURNERS; i++) {
		WRITE_ONCE(churners[i].stop, true);
		flush_work(&churners[i].work);
		destroy_work_on_stack(&churners[i].work);
		rounds += churners[i].rounds;
	}
	EXPECT(t, rounds);
	pr_info("# %u times they came and went\n", rounds);
	kfi_freeinfo(info);
}

/* Many regions that stay while others do not. */
static void test_churn(struct suite *t)
{
	unsigned int count = suite_scaled(10000, 300), nr;
	u8 *buf = kzalloc(SHOW_STAYS, GFP_KERNEL);
	struct suite_net net;
	struct kfid_mr **mrs;

	mrs = kvcalloc(count, sizeof(*mrs), GFP_KERNEL);
	if (!EXPECT(t, buf && mrs) ||
	    !suite_net_open(t, &net, SUITE_RAW, NULL))
		goto out;
	for (nr = 0; nr < count; nr++)
		if (!EXPECT_OK(t, kfi_mr_reg(net.domain, buf, SHOW_STAYS,
					     SUITE_ACCESS, 0, 0, 0, &mrs[nr],
					     NULL)))
			break;
	pr_info("# %u regions stay\n", nr);
	churn_until(t, &net);
	while (nr--)
		EXPECT_OK(t, kfi_close(&mrs[nr]->fid));
	suite_net_close(&net);
out:
	kvfree(mrs);
	kfree(buf);
}

const struct suite_test suite_show_tests[] = {
	{ "show.objects", test_objects },
	{ "show.events", test_events },
	{ "show.churn", test_churn },
	{ }
};
