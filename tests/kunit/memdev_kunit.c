// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Memory devices and persistent regions, on devices that only take notes.
 */

#include <kunit/test.h>
#include <linux/bvec.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include <kfi_memdev.h>

#define NR_FAKES	2
#define FAKE_PAGES	8
#define FAKE_LEN	(FAKE_PAGES * PAGE_SIZE)
#define MAX_SEEN	64

/* A memory device. Its pages are given to the core in no particular order. */
struct fake {
	struct kfi_memdev	mdev;
	struct kfi_mem_extent	extents[FAKE_PAGES];
	struct kfi_mem_range	seen[MAX_SEEN];
	unsigned int		nr_seen;
	unsigned int		calls;
	int			err;
	bool			block;
	struct completion	entered;
	struct completion	leave;
	bool			closed;
	bool			released;
};

struct region {
	struct kfi_pmem_region	pmem;
	unsigned int		revoked;
};

struct ctx {
	struct fake		fake[NR_FAKES];
	struct kfi_pmem		*pmem[NR_FAKES];
	void			*plain;
};

/* The driver's open() has no other way to the test that runs. */
static struct ctx *current_ctx;

static struct fake *to_fake(struct kfi_memdev *mdev)
{
	return container_of(mdev, struct fake, mdev);
}

static int fake_persist(struct kfi_memdev *mdev,
			const struct kfi_mem_range *ranges, unsigned int nr)
{
	struct fake *fake = to_fake(mdev);
	unsigned int i;

	if (fake->block) {
		complete(&fake->entered);
		wait_for_completion(&fake->leave);
	}
	fake->calls++;
	if (fake->err)
		return fake->err;
	for (i = 0; i < nr && fake->nr_seen < MAX_SEEN; i++)
		fake->seen[fake->nr_seen++] = ranges[i];
	return 0;
}

static void fake_release(struct kfi_memdev *mdev)
{
	to_fake(mdev)->released = true;
}

static const struct kfi_memdev_ops fake_ops = {
	.persist	= fake_persist,
	.release	= fake_release,
};

static struct kfi_memdev *fake_open(const char *path, void *holder)
{
	unsigned int nr = path[0] - '0';
	struct fake *fake;
	unsigned int i;

	if (nr >= NR_FAKES)
		return ERR_PTR(-ENODEV);
	fake = &current_ctx->fake[nr];
	kfi_memdev_init(&fake->mdev, &fake_ops);
	for (i = 0; i < FAKE_PAGES; i++) {
		u64 offset = ((i * 3) % FAKE_PAGES) * PAGE_SIZE;

		fake->extents[i].offset = offset;
		fake->extents[i].pfn = vmalloc_to_pfn(fake->mdev.addr + offset);
		fake->extents[i].nr_pages = 1;
	}
	fake->mdev.extents = fake->extents;
	fake->mdev.nr_extents = FAKE_PAGES;
	return &fake->mdev;
}

static void fake_close(struct kfi_memdev *mdev)
{
	to_fake(mdev)->closed = true;
}

static struct kfi_memdev_driver fake_driver = {
	.scheme	= "kunit",
	.owner	= THIS_MODULE,
	.open	= fake_open,
	.close	= fake_close,
};

static void region_revoke(struct kfi_pmem_region *pmem)
{
	container_of(pmem, struct region, pmem)->revoked++;
}

static int region_init(struct region *region, void *addr, size_t len)
{
	const struct kvec iov = { .iov_base = addr, .iov_len = len };

	region->revoked = 0;
	return kfi_pmem_region_init(&region->pmem, KFI_KVEC, &iov, 1,
				    region_revoke);
}

static int region_persist(struct region *region, u64 offset, u64 len)
{
	const struct kfi_pmem_span span = {
		.region = &region->pmem, .offset = offset, .len = len,
	};

	return kfi_pmem_persist(&span, 1);
}

static void expect_seen(struct kunit *test, const struct fake *fake,
			unsigned int i, u64 offset, u64 len)
{
	KUNIT_ASSERT_GT(test, fake->nr_seen, i);
	KUNIT_EXPECT_EQ(test, fake->seen[i].offset, offset);
	KUNIT_EXPECT_EQ(test, fake->seen[i].len, len);
}

static int memdev_test_init(struct kunit *test)
{
	static const char * const paths[] = { "kunit:0", "kunit:1" };
	struct fake *fake;
	struct ctx *ctx;
	int i;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	test->priv = ctx;
	current_ctx = ctx;
	ctx->plain = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx->plain);
	for (i = 0; i < NR_FAKES; i++) {
		fake = &ctx->fake[i];
		init_completion(&fake->entered);
		init_completion(&fake->leave);
		fake->mdev.len = FAKE_LEN;
		fake->mdev.domain = KFI_PMEM_DOMAIN_MEMORY;
		fake->mdev.sync = true;
		fake->mdev.incarnation = 7 + i;
		fake->mdev.addr = vzalloc(FAKE_LEN);
		KUNIT_ASSERT_NOT_NULL(test, fake->mdev.addr);
		ctx->pmem[i] = kfi_pmem_open(paths[i], ctx);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->pmem[i]);
	}
	return 0;
}

static void memdev_close(struct ctx *ctx, unsigned int i)
{
	struct kfi_pmem *pmem = ctx->pmem[i];

	ctx->pmem[i] = NULL;
	if (!IS_ERR_OR_NULL(pmem))
		kfi_pmem_close(pmem);
}

static void memdev_test_exit(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	int i;

	for (i = 0; i < NR_FAKES; i++) {
		memdev_close(ctx, i);
		vfree(ctx->fake[i].mdev.addr);
	}
}

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

static void region_of_kvec(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct fake *fake = &ctx->fake[0];
	u64 start = PAGE_SIZE - 10;
	struct region region;

	KUNIT_ASSERT_EQ(test, 0, region_init(&region, fake->mdev.addr + start,
					     2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, region.pmem.len, 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, region.pmem.nr_pieces, 1);

	KUNIT_EXPECT_EQ(test, 0, region_persist(&region, 0, 2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, region_persist(&region, 5, 1));
	KUNIT_EXPECT_EQ(test, 0, region_persist(&region, 7, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, fake->calls, 3);
	expect_seen(test, fake, 0, start, 2 * PAGE_SIZE);
	expect_seen(test, fake, 1, start + 5, 1);
	expect_seen(test, fake, 2, start + 7, PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, 0, region_persist(&region, 9, 0));
	KUNIT_EXPECT_EQ(test, fake->calls, 3);
	kfi_pmem_region_destroy(&region.pmem);
}

static void region_of_whole_device(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct fake *fake = &ctx->fake[1];
	struct region region;

	KUNIT_ASSERT_EQ(test, 0,
			region_init(&region, fake->mdev.addr, FAKE_LEN));
	KUNIT_EXPECT_EQ(test, 0,
			region_persist(&region, FAKE_LEN - 1, 1));
	expect_seen(test, fake, 0, FAKE_LEN - 1, 1);
	KUNIT_EXPECT_EQ(test, ctx->fake[0].calls, 0);
	kfi_pmem_region_destroy(&region.pmem);
}

/* Page 5, then a part of page 2, then page 3: the last two touch. */
static void expect_5_2_3(struct kunit *test, enum kfi_iov_type type,
			 const void *iov)
{
	struct ctx *ctx = test->priv;
	struct fake *fake = &ctx->fake[0];
	struct region region = {};

	KUNIT_ASSERT_EQ(test, 0, kfi_pmem_region_init(&region.pmem, type, iov,
						      3, region_revoke));
	KUNIT_EXPECT_EQ(test, region.pmem.nr_pieces, 2);
	KUNIT_EXPECT_EQ(test, region.pmem.len, 2 * PAGE_SIZE + 96);
	KUNIT_EXPECT_EQ(test, 0,
			region_persist(&region, 0, region.pmem.len));
	expect_seen(test, fake, 0, 5 * PAGE_SIZE, PAGE_SIZE);
	expect_seen(test, fake, 1, 3 * PAGE_SIZE - 96, PAGE_SIZE + 96);
	KUNIT_EXPECT_EQ(test, 0, region_persist(&region, PAGE_SIZE + 95, 2));
	expect_seen(test, fake, 2, 3 * PAGE_SIZE - 1, 2);
	KUNIT_EXPECT_EQ(test, 0, region_persist(&region, PAGE_SIZE - 1, 2));
	expect_seen(test, fake, 3, 6 * PAGE_SIZE - 1, 1);
	expect_seen(test, fake, 4, 3 * PAGE_SIZE - 96, 1);
	KUNIT_EXPECT_EQ(test, fake->nr_seen, 5);
	KUNIT_EXPECT_EQ(test, fake->calls, 3);
	kfi_pmem_region_destroy(&region.pmem);
}

static struct page *fake_page(const struct fake *fake, unsigned int i)
{
	return vmalloc_to_page(fake->mdev.addr + i * PAGE_SIZE);
}

static void region_of_bvec(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct fake *fake = &ctx->fake[0];
	const struct bio_vec bv[] = {
		{ .bv_page = fake_page(fake, 5), .bv_len = PAGE_SIZE },
		{ .bv_page = fake_page(fake, 2), .bv_len = 96,
		  .bv_offset = PAGE_SIZE - 96 },
		{ .bv_page = fake_page(fake, 3), .bv_len = PAGE_SIZE },
	};

	expect_5_2_3(test, KFI_BVEC, bv);
}

static void region_of_sgl(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct fake *fake = &ctx->fake[0];
	struct scatterlist first[2], second[2];

	sg_init_table(first, ARRAY_SIZE(first));
	sg_init_table(second, ARRAY_SIZE(second));
	sg_set_page(&first[0], fake_page(fake, 5), PAGE_SIZE, 0);
	sg_chain(first, ARRAY_SIZE(first), second);
	sg_set_page(&second[0], fake_page(fake, 2), 96, PAGE_SIZE - 96);
	sg_set_page(&second[1], fake_page(fake, 3), PAGE_SIZE, 0);

	expect_5_2_3(test, KFI_SGL, first);
}

static void region_elsewhere(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	void *addr = ctx->fake[0].mdev.addr;
	const struct kvec vecs[][2] = {
		{ { addr, 64 }, { ctx->plain, 64 } },
		{ { ctx->plain, 64 }, { addr, 64 } },
		{ { addr, 64 }, { ctx->fake[1].mdev.addr, 64 } },
	};
	struct region region;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, -EINVAL, region_init(&region, ctx->plain, 64));
	KUNIT_EXPECT_EQ(test, -EINVAL, region_init(&region, addr, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			region_init(&region, addr, FAKE_LEN + 1));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			region_init(&region, addr + FAKE_LEN, 1));
	for (i = 0; i < ARRAY_SIZE(vecs); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    kfi_pmem_region_init(&region.pmem, KFI_KVEC,
							 vecs[i], 2,
							 region_revoke),
				    "vector %u", i);
}

static void persist_stays_inside(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct fake *fake = &ctx->fake[0];
	static const struct {
		u64 offset;
		u64 len;
	} cases[] = {
		{ 0, 101 }, { 100, 1 }, { 101, 0 }, { 50, 51 },
		{ 1, U64_MAX }, { U64_MAX, 1 }, { U64_MAX, U64_MAX },
	};
	struct kfi_pmem_span spans[2];
	struct region region;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, region_init(&region, fake->mdev.addr, 100));
	spans[0] = (struct kfi_pmem_span) { &region.pmem, 0, 100 };
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		spans[1] = (struct kfi_pmem_span) {
			&region.pmem, cases[i].offset, cases[i].len,
		};
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, kfi_pmem_persist(spans, 2),
				    "case %u", i);
		KUNIT_EXPECT_EQ(test, -EINVAL,
				kfi_pmem_store(&region.pmem, cases[i].offset,
					       spans, cases[i].len));
	}
	KUNIT_EXPECT_EQ(test, fake->calls, 0);
	kfi_pmem_region_destroy(&region.pmem);
}

static void persist_batches(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct kfi_pmem_span spans[4];
	struct region region[2];
	int i;

	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, 0,
				region_init(&region[i], ctx->fake[i].mdev.addr,
					    FAKE_LEN));
	spans[0] = (struct kfi_pmem_span) { &region[0].pmem, 0, 64 };
	spans[1] = (struct kfi_pmem_span) { &region[1].pmem, 128, 64 };
	spans[2] = (struct kfi_pmem_span) { &region[0].pmem, 64, 64 };
	spans[3] = (struct kfi_pmem_span) { &region[1].pmem, 0, 64 };
	KUNIT_EXPECT_EQ(test, 0, kfi_pmem_persist(spans, 4));
	KUNIT_EXPECT_EQ(test, ctx->fake[0].calls, 1);
	KUNIT_EXPECT_EQ(test, ctx->fake[0].nr_seen, 1);
	expect_seen(test, &ctx->fake[0], 0, 0, 128);
	KUNIT_EXPECT_EQ(test, ctx->fake[1].calls, 1);
	expect_seen(test, &ctx->fake[1], 0, 128, 64);
	expect_seen(test, &ctx->fake[1], 1, 0, 64);
	for (i = 0; i < 2; i++)
		kfi_pmem_region_destroy(&region[i].pmem);
}

static void persist_many_ranges(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct fake *fake = &ctx->fake[0];
	struct kfi_pmem_span *spans;
	const unsigned int nr = 50;
	struct region region;
	unsigned int i;

	spans = kunit_kzalloc(test, nr * sizeof(*spans), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, spans);
	KUNIT_ASSERT_EQ(test, 0,
			region_init(&region, fake->mdev.addr, FAKE_LEN));
	for (i = 0; i < nr; i++)
		spans[i] = (struct kfi_pmem_span) { &region.pmem, i * 200, 9 };
	KUNIT_EXPECT_EQ(test, 0, kfi_pmem_persist(spans, nr));
	KUNIT_EXPECT_EQ(test, fake->nr_seen, nr);
	for (i = 0; i < nr; i++)
		expect_seen(test, fake, i, i * 200, 9);
	kfi_pmem_region_destroy(&region.pmem);
}

static void persist_fails(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct fake *fake = &ctx->fake[0];
	struct region region;

	KUNIT_ASSERT_EQ(test, 0, region_init(&region, fake->mdev.addr, 64));
	fake->err = -EIO;
	KUNIT_EXPECT_EQ(test, -EIO, region_persist(&region, 0, 64));
	fake->err = 0;
	KUNIT_EXPECT_EQ(test, 0, region_persist(&region, 0, 64));
	kfi_pmem_region_destroy(&region.pmem);
}

static void store_follows_pieces(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	char *addr = ctx->fake[0].mdev.addr;
	const struct kvec iov[] = {
		{ addr + PAGE_SIZE, 3 }, { addr + 10, 2 }, { addr + 20, 3 },
	};
	struct region region = {};

	KUNIT_ASSERT_EQ(test, 0, kfi_pmem_region_init(&region.pmem, KFI_KVEC,
						      iov, 3, region_revoke));
	KUNIT_EXPECT_EQ(test, 0, kfi_pmem_store(&region.pmem, 1, "abcdef", 6));
	KUNIT_EXPECT_EQ(test, 0, memcmp(addr + PAGE_SIZE, "\0ab\0", 4));
	KUNIT_EXPECT_EQ(test, 0, memcmp(addr + 9, "\0cd\0", 4));
	KUNIT_EXPECT_EQ(test, 0, memcmp(addr + 19, "\0ef\0", 4));
	kfi_pmem_region_destroy(&region.pmem);
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

	kfi_memdev_revoke(&fake->mdev);
	kfi_memdev_revoke(&fake->mdev);
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

	kfi_memdev_revoke(&race->fake->mdev);
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

static struct kunit_case memdev_cases[] = {
	KUNIT_CASE(open_refuses),
	KUNIT_CASE(open_tells),
	KUNIT_CASE(region_of_kvec),
	KUNIT_CASE(region_of_whole_device),
	KUNIT_CASE(region_of_bvec),
	KUNIT_CASE(region_of_sgl),
	KUNIT_CASE(region_elsewhere),
	KUNIT_CASE(persist_stays_inside),
	KUNIT_CASE(persist_batches),
	KUNIT_CASE(persist_many_ranges),
	KUNIT_CASE(persist_fails),
	KUNIT_CASE(store_follows_pieces),
	KUNIT_CASE(revoke_ends_regions),
	KUNIT_CASE(revoke_waits_for_persist),
	KUNIT_CASE(close_with_regions),
	{}
};

static int memdev_suite_init(struct kunit_suite *suite)
{
	return kfi_memdev_driver_register(&fake_driver);
}

static void memdev_suite_exit(struct kunit_suite *suite)
{
	kfi_memdev_driver_unregister(&fake_driver);
}

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
