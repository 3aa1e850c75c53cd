// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The persistent-memory simulator, as a memory device and by its own calls.
 */

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include <kfi_memdev.h>
#include <kfi_pmemsim.h>

/* Neither a power of two nor one piece of what the page allocator has. */
#define SIM_LEN		(SZ_2M + 3 * PAGE_SIZE)
#define SIM_NAME	"kunit"
#define SIM_PATH	"pmemsim:" SIM_NAME

struct region {
	struct kfi_pmem_region	pmem;
	unsigned int		revoked;
};

struct ctx {
	struct kfi_pmemsim	*sim;
	struct kfi_pmem		*pmem;
	u8			*mem;
	struct region		region;
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

static int persist(struct region *region, u64 offset, u64 len)
{
	const struct kfi_pmem_span span = {
		.region = &region->pmem, .offset = offset, .len = len,
	};

	return kfi_pmem_persist(&span, 1);
}

static int pmemsim_test_init(struct kunit *test)
{
	struct ctx *ctx;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	test->priv = ctx;
	ctx->sim = kfi_pmemsim_create(SIM_NAME, SIM_LEN);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->sim);
	ctx->pmem = kfi_pmem_open(SIM_PATH, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->pmem);
	ctx->mem = kfi_pmem_addr(ctx->pmem);
	KUNIT_ASSERT_EQ(test, 0, region_init(&ctx->region, ctx->mem, SIM_LEN));
	return 0;
}

static void pmemsim_test_exit(struct kunit *test)
{
	struct ctx *ctx = test->priv;

	if (ctx->region.pmem.dev)
		kfi_pmem_region_destroy(&ctx->region.pmem);
	if (!IS_ERR_OR_NULL(ctx->pmem))
		kfi_pmem_close(ctx->pmem);
	if (!IS_ERR_OR_NULL(ctx->sim))
		kfi_pmemsim_destroy(ctx->sim);
}

static void create_refuses(struct kunit *test)
{
	static const char * const names[] = { "", "a/b", ".", ".." };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    PTR_ERR(kfi_pmemsim_create(names[i],
							       PAGE_SIZE)),
				    "%s", names[i]);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(kfi_pmemsim_create("x", 0)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(kfi_pmemsim_create("x", PAGE_SIZE + 64)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(kfi_pmemsim_create("x", PAGE_SIZE - 1)));
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			PTR_ERR(kfi_pmemsim_create("x", SIZE_MAX & PAGE_MASK)));
	KUNIT_EXPECT_EQ(test, -EEXIST,
			PTR_ERR(kfi_pmemsim_create(SIM_NAME, PAGE_SIZE)));
}

static void create_refuses_attr(struct kunit *test)
{
	struct kfi_pmemsim_attr attr = { .len = PAGE_SIZE };

	attr.domain = KFI_PMEMSIM_LIE + 1;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(kfi_pmemsim_create_attr("x", &attr)));
}

/* From one page to a good part of the machine, whole to the last byte. */
static void create_any_size(struct kunit *test)
{
	const size_t sizes[] = {
		PAGE_SIZE, 7 * PAGE_SIZE, SZ_4M - PAGE_SIZE,
		rounddown(totalram_pages() / 8, 2) * PAGE_SIZE + PAGE_SIZE,
	};
	struct kfi_pmemsim *sim;
	struct kfi_pmem *pmem;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u8 *mem;

		sim = kfi_pmemsim_create("x", sizes[i]);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sim);
		pmem = kfi_pmem_open("pmemsim:x", test);
		if (!IS_ERR(pmem)) {
			mem = kfi_pmem_addr(pmem);
			KUNIT_EXPECT_EQ(test, kfi_pmem_len(pmem), sizes[i]);
			mem[sizes[i] - 1] = 1;
			KUNIT_EXPECT_TRUE(test,
					  kfi_pmemsim_dirty(sim, 0, sizes[i]));
			KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut(sim));
			KUNIT_EXPECT_EQ(test, mem[sizes[i] - 1], 0);
			kfi_pmem_close(pmem);
		}
		kfi_pmemsim_destroy(sim);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pmem);
	}
}

static void open_once(struct kunit *test)
{
	struct ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, kfi_pmem_len(ctx->pmem), SIM_LEN);
	KUNIT_EXPECT_EQ(test, kfi_pmem_domain(ctx->pmem),
			KFI_PMEM_DOMAIN_MEMORY);
	KUNIT_EXPECT_TRUE(test, kfi_pmem_sync(ctx->pmem));
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(ctx->mem, 0, SIM_LEN), NULL);
	KUNIT_EXPECT_EQ(test, -EBUSY, PTR_ERR(kfi_pmem_open(SIM_PATH, ctx)));
	KUNIT_EXPECT_EQ(test, -ENODEV,
			PTR_ERR(kfi_pmem_open("pmemsim:nobody", ctx)));
}

static void reopen_keeps_all(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	u64 incarnation = kfi_pmem_incarnation(ctx->pmem);
	struct region region;

	ctx->mem[0] = 1;
	ctx->mem[64] = 2;
	KUNIT_EXPECT_EQ(test, 0, persist(&ctx->region, 0, 1));
	kfi_pmem_close(ctx->pmem);
	KUNIT_EXPECT_EQ(test, ctx->region.revoked, 1);

	ctx->pmem = kfi_pmem_open(SIM_PATH, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->pmem);
	KUNIT_EXPECT_PTR_EQ(test, kfi_pmem_addr(ctx->pmem), (void *)ctx->mem);
	KUNIT_EXPECT_EQ(test, kfi_pmem_incarnation(ctx->pmem), incarnation);
	KUNIT_EXPECT_EQ(test, ctx->mem[0], 1);
	KUNIT_EXPECT_EQ(test, ctx->mem[64], 2);
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_dirty(ctx->sim, 0, 64));
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_dirty(ctx->sim, 64, 64));
	KUNIT_EXPECT_EQ(test, -ENODEV, persist(&ctx->region, 64, 1));
	KUNIT_ASSERT_EQ(test, 0, region_init(&region, ctx->mem, 128));
	KUNIT_EXPECT_EQ(test, 0, persist(&region, 64, 1));
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_dirty(ctx->sim, 0, SIM_LEN));
	kfi_pmem_region_destroy(&region.pmem);
}

static void persist_takes_whole_lines(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct kfi_pmemsim_trace trace[4];

	memset(ctx->mem, 0x5a, 512);
	KUNIT_EXPECT_EQ(test, 0, persist(&ctx->region, 100, 1));
	KUNIT_EXPECT_EQ(test, 0, persist(&ctx->region, 255, 2));
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_persists(ctx->sim), 2);

	KUNIT_EXPECT_EQ(test, 1, kfi_pmemsim_trace_read(ctx->sim, trace, 1));
	KUNIT_EXPECT_EQ(test, 1, kfi_pmemsim_trace_read(ctx->sim, trace + 1, 3));
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_trace_read(ctx->sim, trace + 2, 2));
	KUNIT_EXPECT_EQ(test, trace[0].offset, 64);
	KUNIT_EXPECT_EQ(test, trace[0].len, 64);
	KUNIT_EXPECT_EQ(test, trace[1].offset, 192);
	KUNIT_EXPECT_EQ(test, trace[1].len, 128);

	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_dirty(ctx->sim, 0, 64));
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_dirty(ctx->sim, 64, 64));
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_dirty(ctx->sim, 128, 64));
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_dirty(ctx->sim, 192, 128));
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_dirty(ctx->sim, 319, 2));
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_dirty(ctx->sim, 512, 64));
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_dirty(ctx->sim, SIM_LEN, 1));
}

/* What is on the media, whatever is in the memory */
static void survives_what_is_on_the_media(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	u8 old[200], new[200];

	memset(old, 0x11, sizeof(old));
	memset(new, 0x22, sizeof(new));
	memcpy(ctx->mem + 100, old, sizeof(old));
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_survives(ctx->sim, 100, old, 200));
	KUNIT_EXPECT_EQ(test, 0, persist(&ctx->region, 100, 200));
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_survives(ctx->sim, 100, old, 200));
	memcpy(ctx->mem + 100, new, sizeof(new));
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_survives(ctx->sim, 100, old, 200));
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_survives(ctx->sim, 100, new, 200));

	/* up to the end of the second line: 28 bytes */
	KUNIT_EXPECT_EQ(test, 0, persist(&ctx->region, 100, 1));
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_survives(ctx->sim, 100, new, 28));
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_survives(ctx->sim, 100, new, 29));
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_survives(ctx->sim, 128, old, 172));

	new[0] = 0;
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_survives(ctx->sim, SIM_LEN - 1,
						     new, 1));
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_survives(ctx->sim, SIM_LEN, new,
						      1));
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_survives(ctx->sim, U64_MAX, new,
						      2));
}

static void trace_keeps_the_newest(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct kfi_pmemsim_trace trace;
	unsigned int nr, total = 10000;
	unsigned int i;

	for (i = 0; i < total; i++)
		KUNIT_ASSERT_EQ(test, 0, persist(&ctx->region, i * 64, 1));
	for (nr = 0; kfi_pmemsim_trace_read(ctx->sim, &trace, 1); nr++)
		;
	KUNIT_EXPECT_EQ(test, trace.offset, (total - 1) * 64);
	KUNIT_EXPECT_GT(test, nr, 1000);
	KUNIT_EXPECT_LT(test, nr, total);
}

/* Random writes and random persists, with a model of what the media has. */
static void cut_loses_the_rest(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	u32 seed = get_random_u32();
	struct rnd_state rnd;
	u32 offset, len;
	u8 *model;
	int i;

	kunit_info(test, "seed %u", seed);
	prandom_seed_state(&rnd, seed);
	model = vzalloc(SIM_LEN);
	KUNIT_ASSERT_NOT_NULL(test, model);
	for (i = 0; i < 2000; i++) {
		offset = prandom_u32_state(&rnd) % (SIM_LEN - 5000);
		len = 1 + prandom_u32_state(&rnd) % 5000;
		if (i % 3) {
			prandom_bytes_state(&rnd, ctx->mem + offset, len);
			continue;
		}
		KUNIT_EXPECT_EQ(test, 0, persist(&ctx->region, offset, len));
		len = round_up(offset + len, 64) - round_down(offset, 64);
		offset = round_down(offset, 64);
		memcpy(model + offset, ctx->mem + offset, len);
	}
	KUNIT_EXPECT_NE(test, 0, memcmp(model, ctx->mem, SIM_LEN));
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut(ctx->sim));
	KUNIT_EXPECT_EQ(test, 0, memcmp(model, ctx->mem, SIM_LEN));
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_dirty(ctx->sim, 0, SIM_LEN));
	vfree(model);
}

static void cut_revokes(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	u64 incarnation = kfi_pmem_incarnation(ctx->pmem);
	struct region region;

	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut(ctx->sim));
	KUNIT_EXPECT_EQ(test, ctx->region.revoked, 1);
	KUNIT_EXPECT_NE(test, kfi_pmem_incarnation(ctx->pmem), incarnation);
	KUNIT_EXPECT_EQ(test, -ENODEV, persist(&ctx->region, 0, 64));

	KUNIT_ASSERT_EQ(test, 0, region_init(&region, ctx->mem, 64));
	ctx->mem[5] = 5;
	KUNIT_EXPECT_EQ(test, 0, persist(&region, 5, 1));
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut(ctx->sim));
	KUNIT_EXPECT_EQ(test, ctx->mem[5], 5);
	KUNIT_EXPECT_EQ(test, region.revoked, 1);
	KUNIT_EXPECT_EQ(test, ctx->region.revoked, 1);
	kfi_pmem_region_destroy(&region.pmem);
}

static void persist_fails_on_demand(struct kunit *test)
{
	struct ctx *ctx = test->priv;

	ctx->mem[0] = 1;
	kfi_pmemsim_fail_next(ctx->sim, 2);
	KUNIT_EXPECT_EQ(test, -EIO, persist(&ctx->region, 0, 1));
	KUNIT_EXPECT_EQ(test, -EIO, persist(&ctx->region, 0, 1));
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_dirty(ctx->sim, 0, 64));
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_persists(ctx->sim), 0);
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_failures(ctx->sim), 2);
	KUNIT_EXPECT_EQ(test, 0, persist(&ctx->region, 0, 1));
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_dirty(ctx->sim, 0, 64));
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_persists(ctx->sim), 1);
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_failures(ctx->sim), 2);
}

/* The fourth and the fifth, with an error of the caller's choice */
static void persist_fails_later(struct kunit *test)
{
	static const int expected[] = { 0, 0, 0, -ENOSPC, -ENOSPC, 0 };
	struct ctx *ctx = test->priv;
	unsigned int i;

	kfi_pmemsim_fail(ctx->sim, 3, 2, -ENOSPC);
	for (i = 0; i < ARRAY_SIZE(expected); i++)
		KUNIT_EXPECT_EQ(test, expected[i], persist(&ctx->region, 0, 1));
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_persists(ctx->sim), 4);

	/* what was asked for last is what counts */
	kfi_pmemsim_fail(ctx->sim, 0, 9, -ENOSPC);
	kfi_pmemsim_fail(ctx->sim, 1, 0, -ENOSPC);
	KUNIT_EXPECT_EQ(test, 0, persist(&ctx->region, 0, 1));
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_failures(ctx->sim), 2);
}

static void persist_is_slow_on_demand(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	ktime_t start = ktime_get();

	kfi_pmemsim_set_delay(ctx->sim, 100);
	KUNIT_EXPECT_EQ(test, 0, persist(&ctx->region, 0, 1));
	KUNIT_EXPECT_GE(test, ktime_ms_delta(ktime_get(), start), 100);
	kfi_pmemsim_set_delay(ctx->sim, 0);
	KUNIT_EXPECT_EQ(test, 0, persist(&ctx->region, 0, 1));
}

struct race {
	struct work_struct	work;
	struct region		*region;
	int			err;
};

static void race_persist(struct work_struct *work)
{
	struct race *race = container_of(work, struct race, work);

	race->err = persist(race->region, 0, 64);
}

static void race_start(struct race *race, struct region *region)
{
	race->region = region;
	INIT_WORK_ONSTACK(&race->work, race_persist);
	queue_work(system_unbound_wq, &race->work);
}

static int race_end(struct race *race)
{
	flush_work(&race->work);
	destroy_work_on_stack(&race->work);
	return race->err;
}

static bool wait_for_held(struct kfi_pmemsim *sim, unsigned int nr)
{
	unsigned int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (kfi_pmemsim_held(sim) == nr)
			return true;
		msleep(20);
	}
	return false;
}

static void persist_is_held(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct race one, two;

	ctx->mem[0] = 1;
	kfi_pmemsim_hold(ctx->sim, true);
	race_start(&one, &ctx->region);
	race_start(&two, &ctx->region);
	KUNIT_EXPECT_TRUE(test, wait_for_held(ctx->sim, 2));
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_persists(ctx->sim), 0);
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_dirty(ctx->sim, 0, 64));
	kfi_pmemsim_hold(ctx->sim, false);
	KUNIT_EXPECT_EQ(test, 0, race_end(&one));
	KUNIT_EXPECT_EQ(test, 0, race_end(&two));
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_held(ctx->sim), 0);
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_persists(ctx->sim), 2);
	KUNIT_EXPECT_EQ(test, 0, persist(&ctx->region, 0, 1));
}

static void cut_during_hold(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	struct race race;

	ctx->mem[0] = 1;
	kfi_pmemsim_hold(ctx->sim, true);
	race_start(&race, &ctx->region);
	KUNIT_EXPECT_TRUE(test, wait_for_held(ctx->sim, 1));
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut(ctx->sim));
	KUNIT_EXPECT_EQ(test, -ENODEV, race_end(&race));
	KUNIT_EXPECT_EQ(test, ctx->mem[0], 0);
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_persists(ctx->sim), 0);
}

static void cut_during_delay(struct kunit *test)
{
	struct ctx *ctx = test->priv;
	unsigned long start = jiffies;
	struct race race;

	ctx->mem[0] = 1;
	kfi_pmemsim_set_delay(ctx->sim, 60 * MSEC_PER_SEC);
	race_start(&race, &ctx->region);
	msleep(50);
	KUNIT_EXPECT_TRUE(test, work_busy(&race.work));
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut(ctx->sim));
	KUNIT_EXPECT_EQ(test, -ENODEV, race_end(&race));
	KUNIT_EXPECT_LT(test, jiffies - start, 30 * HZ);
	KUNIT_EXPECT_EQ(test, ctx->region.revoked, 1);
	KUNIT_EXPECT_EQ(test, ctx->mem[0], 0);
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_persists(ctx->sim), 0);
}

static void destroy_while_open(struct kunit *test)
{
	struct ctx *ctx = test->priv;

	ctx->mem[0] = 1;
	kfi_pmemsim_destroy(ctx->sim);
	ctx->sim = NULL;
	KUNIT_EXPECT_EQ(test, ctx->region.revoked, 1);
	KUNIT_EXPECT_EQ(test, -ENODEV, persist(&ctx->region, 0, 64));
	KUNIT_EXPECT_EQ(test, -ENODEV, PTR_ERR(kfi_pmem_open(SIM_PATH, ctx)));
	KUNIT_EXPECT_EQ(test, ctx->mem[0], 1);

	ctx->sim = kfi_pmemsim_create(SIM_NAME, PAGE_SIZE);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, ctx->sim);
}

static struct kunit_case pmemsim_cases[] = {
	KUNIT_CASE(create_refuses),
	KUNIT_CASE(create_refuses_attr),
	KUNIT_CASE(create_any_size),
	KUNIT_CASE(open_once),
	KUNIT_CASE(reopen_keeps_all),
	KUNIT_CASE(persist_takes_whole_lines),
	KUNIT_CASE(survives_what_is_on_the_media),
	KUNIT_CASE(trace_keeps_the_newest),
	KUNIT_CASE(cut_loses_the_rest),
	KUNIT_CASE(cut_revokes),
	KUNIT_CASE(persist_fails_on_demand),
	KUNIT_CASE(persist_fails_later),
	KUNIT_CASE(persist_is_slow_on_demand),
	KUNIT_CASE(persist_is_held),
	KUNIT_CASE(cut_during_hold),
	KUNIT_CASE(cut_during_delay),
	KUNIT_CASE(destroy_while_open),
	{}
};

static struct kunit_suite pmemsim_suite = {
	.name		= "kfi_pmemsim",
	.init		= pmemsim_test_init,
	.exit		= pmemsim_test_exit,
	.test_cases	= pmemsim_cases,
};

kunit_test_suite(pmemsim_suite);

MODULE_DESCRIPTION("KUnit tests of kfabric's persistent-memory simulator");
MODULE_LICENSE("Dual BSD/GPL");
