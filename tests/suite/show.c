// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What user space is shown: objects, and events, for a script that looks at them and
 * says when it has seen enough.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/mm.h>
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
 * @name: of a memory device
 * @net: where
 * @stop: enough
 * @rounds: how often it was done
 */
struct churner {
	struct work_struct	work;
	struct suite		*t;
	char			name[16];
	struct suite_net	net;
	bool			stop;
	unsigned int		rounds;
};

static void churn_regions(struct churner *churner, u8 *buf)
{
	struct suite *t = churner->t;
	struct kfid_mr *mrs[4] = { };
	int i;

	for (i = 0; i < ARRAY_SIZE(mrs); i++)
		EXPECT_OK(t, kfi_mr_reg(churner->net.domain, buf, SHOW_CHURNS,
					SUITE_ACCESS, 0, 0, 0, &mrs[i], NULL));
	for (i = 0; i < ARRAY_SIZE(mrs); i++)
		if (mrs[i])
			EXPECT_OK(t, kfi_close(&mrs[i]->fid));
}

static void churn_post(struct suite_pair *pair, u8 *buf)
{
	struct suite *t = pair->net->t;

	EXPECT_OK(t, kfi_recv(pair->b.ep, buf, SHOW_CHURNS / 2, NULL,
			      KFI_ADDR_UNSPEC, buf));
	EXPECT_OK(t, kfi_send(pair->a.ep, buf + SHOW_CHURNS / 2,
			      SHOW_CHURNS / 2, NULL, KFI_ADDR_UNSPEC, buf));
}

/* Has sent something, and is closed with more of that under way. */
static void churn_pair(struct churner *churner, u8 *buf)
{
	static const struct suite_opts opts = { .tx_size = 4, .rx_size = 4 };
	struct suite_pair pair;

	if (!suite_pair_open(&churner->net, &pair, &opts))
		return;
	churn_post(&pair, buf);
	/* for whoever looks */
	usleep_range(5000, 10000);
	churn_post(&pair, buf);
	suite_pair_close(&pair);
}

/* A memory device that is there as long as the pair. */
static void churn_memdev(struct churner *churner, u8 *buf)
{
	struct suite *t = churner->t;
	char path[32];
	struct kfi_pmemsim *sim;
	struct kfi_pmem *pmem;

	sim = kfi_pmemsim_create(churner->name, PAGE_SIZE);
	if (!EXPECT(t, !IS_ERR(sim)))
		return;
	snprintf(path, sizeof(path), "pmemsim:%s", churner->name);
	pmem = kfi_pmem_open(path, churner);
	if (EXPECT(t, !IS_ERR(pmem))) {
		churn_pair(churner, buf);
		kfi_pmem_close(pmem);
	}
	kfi_pmemsim_destroy(sim);
}

static void churn(struct work_struct *work)
{
	struct churner *churner = container_of(work, struct churner, work);
	u8 *buf = kzalloc(SHOW_CHURNS, GFP_KERNEL);
	struct suite *t = churner->t;

	if (EXPECT(t, buf) &&
	    suite_net_open(t, &churner->net, SUITE_RAW, NULL)) {
		while (!READ_ONCE(churner->stop) && !suite_failed(t)) {
			churn_regions(churner, buf);
			churn_memdev(churner, buf);
			churner->rounds++;
			cond_resched();
		}
		suite_net_close(&churner->net);
	}
	kfree(buf);
}

/* Some come and go until the script has seen the others often enough. */
static void churn_until(struct suite *t)
{
	struct churner *churners;
	unsigned int rounds = 0;
	int i;

	churners = kcalloc(SHOW_CHURNERS, sizeof(*churners), GFP_KERNEL);
	if (!EXPECT(t, churners))
		return;
	for (i = 0; i < SHOW_CHURNERS; i++) {
		churners[i].t = t;
		snprintf(churners[i].name, sizeof(churners[i].name), "churn%d", i);
		INIT_WORK(&churners[i].work, churn);
		queue_work(suite_wq, &churners[i].work);
	}
	suite_wait_go_for(t, "whoever has counted", SHOW_WAIT_MS);
	for (i = 0; i < SHOW_CHURNERS; i++) {
		WRITE_ONCE(churners[i].stop, true);
		flush_work(&churners[i].work);
		rounds += churners[i].rounds;
	}
	EXPECT(t, rounds);
	pr_info("# %u times they came and went\n", rounds);
	kfree(churners);
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
	/* what comes from here on are events as well */
	if (suite_wait_go_for(t, "whoever counts", SHOW_WAIT_MS))
		churn_until(t);
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
