// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Persistent regions: where they are found, what is asked of devices for them.
 */

#include <kunit/test.h>
#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

#include "memdev_fake.h"

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

/* An element of a vector can reach from the device into other memory. */
static void region_half_elsewhere(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct bio_vec bv = { .bv_len = 2 * PAGE_SIZE };
	struct kfi_pmem_region region;
	unsigned int i;

	for (i = 0; i < FAKE_PAGES; i++) {
		struct page *page = fake_page(&ctx->fake[0], i);

		if (!i || page_to_pfn(page) > page_to_pfn(bv.bv_page))
			bv.bv_page = page;
	}
	KUNIT_EXPECT_EQ(test, -EINVAL,
			kfi_pmem_region_init(&region, KFI_BVEC, &bv, 1,
					     region_revoke));
	bv.bv_len = PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, 0,
			kfi_pmem_region_init(&region, KFI_BVEC, &bv, 1,
					     region_revoke));
	kfi_pmem_region_destroy(&region);
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

/* Each call of a device is counted there, and what it never came to is not. */
static void persist_counts(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct fake *fake = &ctx->fake[0];
	struct kfi_memdev_stats stats;
	struct region region;

	KUNIT_ASSERT_EQ(test, 0, region_init(&region, fake->mdev.addr, 64));
	kfi_memdev_read_stats(&fake->mdev, &stats);
	KUNIT_EXPECT_EQ(test, kfi_stat_times(&stats.persist), 0);
	fake->delay_us = 100;
	fake->err = -EIO;
	KUNIT_EXPECT_EQ(test, -EIO, region_persist(&region, 0, 64));
	fake->err = 0;
	KUNIT_EXPECT_EQ(test, 0, region_persist(&region, 0, 64));
	KUNIT_EXPECT_EQ(test, 0, region_persist(&region, 0, 64));
	KUNIT_EXPECT_EQ(test, -EINVAL, region_persist(&region, 0, 65));
	kfi_memdev_revoke(&fake->mdev, "test");
	KUNIT_EXPECT_EQ(test, -ENODEV, region_persist(&region, 0, 64));
	kfi_memdev_read_stats(&fake->mdev, &stats);
	KUNIT_EXPECT_EQ(test, kfi_stat_times(&stats.persist), 3);
	KUNIT_EXPECT_GE(test, stats.persist.sum,
			3 * fake->delay_us * NSEC_PER_USEC);
	KUNIT_EXPECT_EQ(test, stats.failed, 1);
	kfi_memdev_read_stats(&ctx->fake[1].mdev, &stats);
	KUNIT_EXPECT_EQ(test, kfi_stat_times(&stats.persist), 0);
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

static struct kunit_case region_cases[] = {
	KUNIT_CASE(region_of_kvec),
	KUNIT_CASE(region_of_whole_device),
	KUNIT_CASE(region_of_bvec),
	KUNIT_CASE(region_of_sgl),
	KUNIT_CASE(region_elsewhere),
	KUNIT_CASE(region_half_elsewhere),
	KUNIT_CASE(persist_stays_inside),
	KUNIT_CASE(persist_batches),
	KUNIT_CASE(persist_many_ranges),
	KUNIT_CASE(persist_fails),
	KUNIT_CASE(persist_counts),
	KUNIT_CASE(store_follows_pieces),
	{}
};

static struct kunit_suite region_suite = {
	.name		= "kfi_pmem_region",
	.suite_init	= memdev_suite_init,
	.suite_exit	= memdev_suite_exit,
	.init		= memdev_test_init,
	.exit		= memdev_test_exit,
	.test_cases	= region_cases,
};

kunit_test_suite(region_suite);
