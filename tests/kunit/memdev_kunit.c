// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Memory devices: opening them, and every way in which one ends.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/trace_events.h>
#include <linux/workqueue.h>

#include "memdev_fake.h"
#include "users.h"

static void open_refuses(struct kunit *test)
{
	static const struct {
		const char *path;
		int err;
	} cases[] = {
		{ NULL, -EINVAL },
		{ "", -EINVAL },
		{ "kunit", -EINVAL },
		{ ":0", -EINVAL },
		{ "kunit:9", -ENODEV },
		{ "kunit-nobody:0", -ENODEV },
	};
	struct kfi_memdev_driver twin = { .scheme = "kunit" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, cases[i].err,
				    PTR_ERR(kfi_pmem_open(cases[i].path, test)),
				    "%s", cases[i].path ?: "no path");
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(kfi_pmem_open("kunit:0", NULL)));
	KUNIT_EXPECT_EQ(test, -EEXIST, kfi_memdev_driver_register(&twin));
}

/* The driver's module stays until the last region is destroyed, not just for the opener. */
static void open_pins(struct kunit *test)
{
	int users = module_users();
	struct ctx *ctx = test->priv;
	struct region region;

	KUNIT_EXPECT_EQ(test, -ENODEV, PTR_ERR(kfi_pmem_open("kunit:9", ctx)));
	KUNIT_EXPECT_EQ(test, module_users(), users);
	KUNIT_ASSERT_EQ(test, 0,
			region_init(&region, ctx->fake[0].mdev.addr, 64));
	memdev_close(ctx, 1);
	KUNIT_EXPECT_EQ(test, module_users(), users - counted(1));
	memdev_close(ctx, 0);
	KUNIT_EXPECT_EQ(test, module_users(), users - counted(1));
	kfi_pmem_region_destroy(&region.pmem);
	KUNIT_EXPECT_EQ(test, module_users(), users - counted(2));
}

/* A driver that is no more opens nothing; what is open stays. */
static void driver_goes(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct region region;

	memdev_close(ctx, 1);
	memdev_suite_exit(NULL);
	KUNIT_EXPECT_EQ(test, -ENODEV, PTR_ERR(kfi_pmem_open("kunit:1", ctx)));
	KUNIT_EXPECT_EQ(test, 0,
			region_init(&region, ctx->fake[0].mdev.addr, 64));
	KUNIT_EXPECT_EQ(test, 0, region_persist(&region, 0, 64));
	kfi_pmem_region_destroy(&region.pmem);
	KUNIT_ASSERT_EQ(test, 0, memdev_suite_init(NULL));
	ctx->pmem[1] = kfi_pmem_open("kunit:1", ctx);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, ctx->pmem[1]);
}

static void open_tells(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct kfi_pmem *pmem = ctx->pmem[1];

	KUNIT_EXPECT_PTR_EQ(test, kfi_pmem_addr(pmem), ctx->fake[1].mdev.addr);
	KUNIT_EXPECT_EQ(test, kfi_pmem_len(pmem), FAKE_LEN);
	KUNIT_EXPECT_EQ(test, kfi_pmem_domain(pmem), KFI_PMEM_DOMAIN_MEMORY);
	KUNIT_EXPECT_TRUE(test, kfi_pmem_sync(pmem));
	KUNIT_EXPECT_EQ(test, kfi_pmem_incarnation(pmem), 8);
}

static void trace_revoke(int on)
{
	if (IS_ENABLED(CONFIG_EVENT_TRACING))
		trace_set_clr_event("kfi", "kfi_memdev_revoke", on);
}

/* Whoever watches is told without what the core does not know yet. */
static void revoke_while_opening(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct fake *fake = &ctx->fake[0];
	struct region region;

	memdev_close(ctx, 0);
	fake->hasty = true;
	trace_revoke(1);
	ctx->pmem[0] = kfi_pmem_open("kunit:0", ctx);
	trace_revoke(0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->pmem[0]);
	KUNIT_EXPECT_EQ(test, -ENODEV,
			region_init(&region, fake->mdev.addr, PAGE_SIZE));
}

static void revoke_ends_regions(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct fake *fake = &ctx->fake[0];
	struct region gone, old, late, other;

	KUNIT_ASSERT_EQ(test, 0, region_init(&gone, fake->mdev.addr, 64));
	KUNIT_ASSERT_EQ(test, 0, region_init(&old, fake->mdev.addr, 64));
	KUNIT_ASSERT_EQ(test, 0,
			region_init(&other, ctx->fake[1].mdev.addr, 64));
	kfi_pmem_region_destroy(&gone.pmem);

	kfi_memdev_revoke(&fake->mdev, "test");
	kfi_memdev_revoke(&fake->mdev, "test");
	KUNIT_EXPECT_EQ(test, gone.revoked, 0);
	KUNIT_EXPECT_EQ(test, old.revoked, 1);
	KUNIT_EXPECT_EQ(test, other.revoked, 0);
	KUNIT_EXPECT_EQ(test, -ENODEV, region_persist(&old, 0, 64));
	KUNIT_EXPECT_EQ(test, fake->calls, 0);
	KUNIT_EXPECT_EQ(test, -ENODEV,
			kfi_pmem_store(&old.pmem, 0, "x", 1));
	KUNIT_EXPECT_EQ(test, 0, *(char *)fake->mdev.addr);
	KUNIT_EXPECT_EQ(test, -ENODEV,
			region_init(&late, fake->mdev.addr, 64));
	KUNIT_EXPECT_EQ(test, 0, region_persist(&other, 0, 64));

	kfi_memdev_restore(&fake->mdev);
	KUNIT_EXPECT_EQ(test, -ENODEV, region_persist(&old, 0, 64));
	KUNIT_ASSERT_EQ(test, 0, region_init(&late, fake->mdev.addr, 64));
	KUNIT_EXPECT_EQ(test, 0, region_persist(&late, 0, 64));
	kfi_pmem_region_destroy(&late.pmem);
	kfi_pmem_region_destroy(&old.pmem);
	kfi_pmem_region_destroy(&other.pmem);
}

struct told {
	struct region		region;
	struct kfi_pmem		*pmem;
	unsigned int		times;
	unsigned int		revoked;
};

static void opener_told(struct kfi_pmem *pmem, void *context)
{
	struct told *told = context;

	told->pmem = pmem;
	told->times++;
	told->revoked = told->region.revoked;
	/* as a consumer closes what cannot be reached any more */
	kfi_pmem_region_destroy(&told->region.pmem);
}

/* What was refused is not called later either. */
static void refused_told(struct kfi_pmem *pmem, void *context)
{
	struct kunit *test = context;

	KUNIT_FAIL(test, "called");
}

/* Once for each time, when the regions are revoked already; not at the end. */
static void revoke_tells_opener(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct kfi_pmem *pmem = ctx->pmem[0];
	struct fake *fake = &ctx->fake[0];
	struct told told = { };

	KUNIT_EXPECT_EQ(test, 0, kfi_pmem_set_handler(pmem, opener_told, &told));
	KUNIT_ASSERT_EQ(test, 0, region_init(&told.region, fake->mdev.addr, 64));
	kfi_memdev_revoke(&fake->mdev, "test");
	kfi_memdev_revoke(&fake->mdev, "test");
	KUNIT_EXPECT_EQ(test, told.times, 1);
	KUNIT_EXPECT_EQ(test, told.revoked, 1);
	KUNIT_EXPECT_PTR_EQ(test, told.pmem, pmem);
	KUNIT_EXPECT_EQ(test, -ENODEV,
			kfi_pmem_set_handler(pmem, refused_told, test));

	kfi_memdev_restore(&fake->mdev);
	KUNIT_ASSERT_EQ(test, 0, region_init(&told.region, fake->mdev.addr, 64));
	kfi_memdev_revoke(&fake->mdev, "test");
	KUNIT_EXPECT_EQ(test, told.times, 2);

	kfi_memdev_restore(&fake->mdev);
	KUNIT_EXPECT_EQ(test, 0, kfi_pmem_set_handler(pmem, NULL, NULL));
	kfi_memdev_revoke(&fake->mdev, "test");
	KUNIT_EXPECT_EQ(test, told.times, 2);

	kfi_memdev_restore(&fake->mdev);
	KUNIT_EXPECT_EQ(test, 0, kfi_pmem_set_handler(pmem, opener_told, &told));
	memdev_close(ctx, 0);
	KUNIT_EXPECT_EQ(test, told.times, 2);
}

struct race {
	struct work_struct	persist;
	struct work_struct	revoke;
	struct completion	revoked;
	struct region		region;
	struct fake		*fake;
	int			err;
};

static void race_persist(struct work_struct *work)
{
	struct race *race = container_of(work, struct race, persist);

	race->err = region_persist(&race->region, 0, 64);
}

static void race_revoke(struct work_struct *work)
{
	struct race *race = container_of(work, struct race, revoke);

	kfi_memdev_revoke(&race->fake->mdev, "test");
	complete(&race->revoked);
}

static void revoke_waits_for_persist(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct fake *fake = &ctx->fake[0];
	struct race race = { .fake = fake, .err = -EINPROGRESS };

	KUNIT_ASSERT_EQ(test, 0,
			region_init(&race.region, fake->mdev.addr, 64));
	init_completion(&race.revoked);
	INIT_WORK_ONSTACK(&race.persist, race_persist);
	INIT_WORK_ONSTACK(&race.revoke, race_revoke);
	fake->block = true;
	schedule_work(&race.persist);
	wait_for_completion(&fake->entered);
	schedule_work(&race.revoke);
	msleep(50);
	KUNIT_EXPECT_FALSE(test, completion_done(&race.revoked));
	KUNIT_EXPECT_EQ(test, race.region.revoked, 0);

	complete(&fake->leave);
	wait_for_completion(&race.revoked);
	flush_work(&race.persist);
	flush_work(&race.revoke);
	KUNIT_EXPECT_EQ(test, race.err, 0);
	KUNIT_EXPECT_EQ(test, race.region.revoked, 1);
	fake->block = false;
	KUNIT_EXPECT_EQ(test, -ENODEV, region_persist(&race.region, 0, 64));
	kfi_pmem_region_destroy(&race.region.pmem);
	destroy_work_on_stack(&race.persist);
	destroy_work_on_stack(&race.revoke);
}

static void close_with_regions(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct fake *fake = &ctx->fake[0];
	struct region region, late;

	KUNIT_ASSERT_EQ(test, 0, region_init(&region, fake->mdev.addr, 64));
	memdev_close(ctx, 0);
	KUNIT_EXPECT_EQ(test, region.revoked, 1);
	KUNIT_EXPECT_TRUE(test, fake->closed);
	KUNIT_EXPECT_FALSE(test, fake->released);
	KUNIT_EXPECT_EQ(test, -ENODEV, region_persist(&region, 0, 64));
	KUNIT_EXPECT_EQ(test, -EINVAL, region_init(&late, fake->mdev.addr, 64));

	/* A power cut that is under way as the device is closed. */
	kfi_memdev_restore(&fake->mdev);
	KUNIT_EXPECT_TRUE(test, fake->mdev.revoked);

	kfi_pmem_region_destroy(&region.pmem);
	KUNIT_EXPECT_TRUE(test, fake->released);
}

/* Unplugged and plugged in again: who had it before has not closed it yet. */
static void comes_back(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct fake *old = &ctx->fake[0], *new = &ctx->fake[1];
	void *addr = new->mdev.addr;
	struct region region;

	kfi_memdev_revoke(&old->mdev, "test");
	memdev_close(ctx, 1);
	new->mdev.addr = old->mdev.addr;
	ctx->pmem[1] = kfi_pmem_open("kunit:1", ctx);
	new->mdev.addr = addr;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->pmem[1]);
	KUNIT_ASSERT_EQ(test, 0, region_init(&region, old->mdev.addr, 64));
	KUNIT_EXPECT_PTR_EQ(test, region.pmem.dev, &new->mdev);
	kfi_pmem_region_destroy(&region.pmem);
}

static struct kunit_case memdev_cases[] = {
	KUNIT_CASE(open_refuses),
	KUNIT_CASE(open_pins),
	KUNIT_CASE(driver_goes),
	KUNIT_CASE(open_tells),
	KUNIT_CASE(revoke_while_opening),
	KUNIT_CASE(revoke_ends_regions),
	KUNIT_CASE(revoke_tells_opener),
	KUNIT_CASE(revoke_waits_for_persist),
	KUNIT_CASE(close_with_regions),
	KUNIT_CASE(comes_back),
	{}
};

static struct kunit_suite memdev_suite = {
	.name		= "kfi_memdev",
	.suite_init	= memdev_suite_init,
	.suite_exit	= memdev_suite_exit,
	.init		= memdev_test_init,
	.exit		= memdev_test_exit,
	.test_cases	= memdev_cases,
};

kunit_test_suite(memdev_suite);

MODULE_DESCRIPTION("KUnit tests of kfabric's memory devices");
MODULE_LICENSE("Dual BSD/GPL");
