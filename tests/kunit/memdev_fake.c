// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Memory devices that only take notes, and regions in them.
 */

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

#include "memdev_fake.h"

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
	fsleep(fake->delay_us);
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
	if (fake->hasty)
		kfi_memdev_revoke(&fake->mdev, "for a test");
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

void region_revoke(struct kfi_pmem_region *pmem)
{
	container_of(pmem, struct region, pmem)->revoked++;
}

int region_init(struct region *region, void *addr, size_t len)
{
	const struct kvec iov = { .iov_base = addr, .iov_len = len };

	region->revoked = 0;
	return kfi_pmem_region_init(&region->pmem, KFI_KVEC, &iov, 1,
				    region_revoke);
}

int region_persist(struct region *region, u64 offset, u64 len)
{
	const struct kfi_pmem_span span = {
		.region = &region->pmem, .offset = offset, .len = len,
	};

	return kfi_pmem_persist(&span, 1);
}

void expect_seen(struct kunit *test, const struct fake *fake,
		 unsigned int i, u64 offset, u64 len)
{
	KUNIT_ASSERT_GT(test, fake->nr_seen, i);
	KUNIT_EXPECT_EQ(test, fake->seen[i].offset, offset);
	KUNIT_EXPECT_EQ(test, fake->seen[i].len, len);
}

int memdev_test_init(struct kunit *test)
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

void memdev_close(struct ctx *ctx, unsigned int i)
{
	struct kfi_pmem *pmem = ctx->pmem[i];

	ctx->pmem[i] = NULL;
	if (!IS_ERR_OR_NULL(pmem))
		kfi_pmem_close(pmem);
}

void memdev_test_exit(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	int i;

	for (i = 0; i < NR_FAKES; i++) {
		memdev_close(ctx, i);
		vfree(ctx->fake[i].mdev.addr);
	}
}

int memdev_suite_init(struct kunit_suite *suite)
{
	return kfi_memdev_driver_register(&fake_driver);
}

void memdev_suite_exit(struct kunit_suite *suite)
{
	kfi_memdev_driver_unregister(&fake_driver);
}
