// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The dirty log of remote block devices: it never loses a byte, and has no more of
 * them than it must.
 */

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sizes.h>

/* both can be built into one kernel */
#define kfb_log_init kunit_log_init
#define kfb_log_free kunit_log_free
#define kfb_log_add kunit_log_add
#define kfb_log_merge kunit_log_merge
#define kfb_log_clear kunit_log_clear
#define kfb_log_next kunit_log_next
#include "../../consumers/blk/client/log.c"

#define GRANULE		BIT_ULL(KFB_LOG_GRANULE_SHIFT)
/* The model: one bit for each block of a small device */
#define BLOCK		SZ_4K
#define BLOCKS		(SZ_64M / BLOCK)
#define WRITES		2000
#define ROUNDS		20

/**
 * struct fixture - two logs, and what they must have
 * @log: the log
 * @other: another one
 * @model: what was added
 * @found: what the log has
 */
struct fixture {
	struct kfb_log	log;
	struct kfb_log	other;
	unsigned long	model[BITS_TO_LONGS(BLOCKS)];
	unsigned long	found[BITS_TO_LONGS(BLOCKS)];
};

static int log_test_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	KUNIT_ASSERT_EQ(test, 0, kfb_log_init(&f->log));
	KUNIT_ASSERT_EQ(test, 0, kfb_log_init(&f->other));
	return 0;
}

static void log_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	kfb_log_free(&f->log);
	kfb_log_free(&f->other);
}

/* The ranges are those of @want, from and to, one after the other. */
static void expect_ranges(struct kunit *test, const struct kfb_log *log,
			  const u64 *want, unsigned int nr)
{
	struct kfb_log_cursor cursor = { };
	struct kfb_range range;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		KUNIT_ASSERT_TRUE(test, kfb_log_next(log, &cursor, KFB_MAX_SIZE,
						     KFB_MAX_SIZE, &range));
		KUNIT_EXPECT_EQ(test, want[2 * i], range.start);
		KUNIT_EXPECT_EQ(test, want[2 * i + 1], range.end);
	}
	KUNIT_EXPECT_FALSE(test, kfb_log_next(log, &cursor, KFB_MAX_SIZE,
					      KFB_MAX_SIZE, &range));
}

static void empty_at_first(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_TRUE(test, kfb_log_empty(&f->log));
	expect_ranges(test, &f->log, NULL, 0);
}

static void neighbours_become_one(struct kunit *test)
{
	static const u64 two[] = { 4096, 8192, 12288, 16384 };
	static const u64 one[] = { 4096, 16384 };
	struct fixture *f = test->priv;

	kfb_log_add(&f->log, 12288, 16384);
	kfb_log_add(&f->log, 4096, 8192);
	expect_ranges(test, &f->log, two, 2);
	kfb_log_add(&f->log, 4608, 5120);
	expect_ranges(test, &f->log, two, 2);
	kfb_log_add(&f->log, 8192, 12288);
	expect_ranges(test, &f->log, one, 1);
}

static void one_swallows_many(struct kunit *test)
{
	static const u64 want[] = { 0, 512, 8192, 74240, 81920, 82432 };
	struct fixture *f = test->priv;
	u64 i;

	for (i = 0; i <= 10; i++)
		kfb_log_add(&f->log, i * 8192, i * 8192 + 512);
	KUNIT_EXPECT_EQ(test, 11, f->log.nr);
	/* from where one begins to where another one does */
	kfb_log_add(&f->log, 8192, 73728);
	expect_ranges(test, &f->log, want, 3);
}

/* As many ranges as there is room for, every other block of 8 MiB. */
static void fill(struct kfb_log *log)
{
	u64 i;

	for (i = 0; i < KFB_LOG_RANGES; i++)
		kfb_log_add(log, i * SZ_8M, i * SZ_8M + 512);
}

static void what_has_no_room_is_a_granule(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct kfb_log_cursor cursor = { };
	struct kfb_range range;

	fill(&f->log);
	KUNIT_EXPECT_FALSE(test, f->log.coarse);
	/* the last byte of one granule and the first of another one */
	kfb_log_add(&f->log, SZ_4M - 1, SZ_4M + 1);
	KUNIT_EXPECT_TRUE(test, f->log.coarse);
	KUNIT_EXPECT_EQ(test, KFB_LOG_RANGES, f->log.nr);
	KUNIT_EXPECT_EQ(test, 2, bitmap_weight(f->log.granules,
					       KFB_LOG_GRANULES));
	cursor.index = KFB_LOG_RANGES;
	KUNIT_ASSERT_TRUE(test, kfb_log_next(&f->log, &cursor, KFB_MAX_SIZE,
					     KFB_MAX_SIZE, &range));
	KUNIT_EXPECT_EQ(test, SZ_4M - GRANULE, range.start);
	KUNIT_EXPECT_EQ(test, SZ_4M + GRANULE, range.end);
	/* what touches a range that is there still goes to it */
	kfb_log_add(&f->log, 512, 1024);
	KUNIT_EXPECT_EQ(test, 2, bitmap_weight(f->log.granules,
					       KFB_LOG_GRANULES));
	/* and what granules have costs nothing */
	kfb_log_clear(&f->other);
	kfb_log_merge(&f->other, &f->log);
	f->other.nr = 0;
	kfb_log_add(&f->other, SZ_4M - 512, SZ_4M + 512);
	KUNIT_EXPECT_EQ(test, 0, f->other.nr);
	kfb_log_clear(&f->log);
	KUNIT_EXPECT_TRUE(test, kfb_log_empty(&f->log));
	KUNIT_EXPECT_TRUE(test, bitmap_empty(f->log.granules,
					     KFB_LOG_GRANULES));
}

static void the_last_byte_counts(struct kunit *test)
{
	static const u64 want[] = { KFB_MAX_SIZE - GRANULE, KFB_MAX_SIZE };
	struct fixture *f = test->priv;

	fill(&f->log);
	kfb_log_add(&f->log, KFB_MAX_SIZE - 1, KFB_MAX_SIZE);
	f->log.nr = 0;
	expect_ranges(test, &f->log, want, 1);
}

static void pieces_stay_in_their_region(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct kfb_log_cursor cursor = { };
	u64 next = SZ_64K - 512, size = SZ_256K + 512;
	struct kfb_range range;

	/* more than the device has, as of a granule at its end */
	kfb_log_add(&f->log, next, SZ_1M);
	while (kfb_log_next(&f->log, &cursor, SZ_64K, size, &range)) {
		KUNIT_EXPECT_EQ(test, next, range.start);
		KUNIT_EXPECT_GT(test, range.end, range.start);
		KUNIT_EXPECT_EQ(test, range.start / SZ_64K,
				(range.end - 1) / SZ_64K);
		next = range.end;
	}
	KUNIT_EXPECT_EQ(test, size, next);
}

static void merge_has_both(struct kunit *test)
{
	static const u64 want[] = { 0, 8192, 16384, 20480 };
	struct fixture *f = test->priv;

	kfb_log_add(&f->log, 0, 4096);
	kfb_log_add(&f->other, 4096, 8192);
	kfb_log_add(&f->other, 16384, 20480);
	kfb_log_merge(&f->log, &f->other);
	expect_ranges(test, &f->log, want, 2);
	kfb_log_clear(&f->other);
	KUNIT_EXPECT_TRUE(test, kfb_log_empty(&f->other));
	kfb_log_merge(&f->log, &f->other);
	expect_ranges(test, &f->log, want, 2);
}

static void add_to_model(struct fixture *f, struct kfb_log *log, u64 block,
			 u64 nr)
{
	nr = min(nr, BLOCKS - block);
	kfb_log_add(log, block * BLOCK, (block + nr) * BLOCK);
	bitmap_set(f->model, block, nr);
}

/* All of the model is there; nothing else is, if the log is exact. */
static void check_model(struct kunit *test, const struct kfb_log *log)
{
	struct fixture *f = test->priv;
	struct kfb_log_cursor cursor = { };
	struct kfb_range range;
	unsigned int i;

	bitmap_zero(f->found, BLOCKS);
	while (kfb_log_next(log, &cursor, SZ_1M, SZ_64M, &range))
		bitmap_set(f->found, range.start / BLOCK,
			   (range.end - range.start) / BLOCK);
	KUNIT_EXPECT_TRUE(test, bitmap_subset(f->model, f->found, BLOCKS));
	if (!log->coarse)
		KUNIT_EXPECT_TRUE(test, bitmap_equal(f->model, f->found,
						     BLOCKS));
	KUNIT_EXPECT_LE(test, log->nr, KFB_LOG_RANGES);
	for (i = 1; i < log->nr; i++)
		KUNIT_EXPECT_LT(test, log->ranges[i - 1].end,
				log->ranges[i].start);
}

/* Writes go to one log or the other; then one gets what the other has. */
static void like_a_bitmap(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 seed = get_random_u32();
	unsigned int round, i, most;
	struct rnd_state rnd;

	kunit_info(test, "seed %u", seed);
	prandom_seed_state(&rnd, seed);
	for (round = 0; round < ROUNDS; round++) {
		bitmap_zero(f->model, BLOCKS);
		kfb_log_clear(&f->log);
		kfb_log_clear(&f->other);
		/* from what fits to what does not */
		most = WRITES >> (prandom_u32_state(&rnd) % 8);
		for (i = 0; i < most; i++)
			add_to_model(f, prandom_u32_state(&rnd) % 2 ? &f->log :
				     &f->other,
				     prandom_u32_state(&rnd) % BLOCKS,
				     1 + prandom_u32_state(&rnd) % 64);
		kfb_log_merge(&f->log, &f->other);
		check_model(test, &f->log);
	}
}

/* A few blocks over and over: neighbours of all kinds */
static void like_a_bitmap_exactly(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 seed = get_random_u32();
	struct rnd_state rnd;
	unsigned int i;

	kunit_info(test, "seed %u", seed);
	prandom_seed_state(&rnd, seed);
	for (i = 0; i < ROUNDS * WRITES; i++) {
		if (prandom_u32_state(&rnd) % 64 == 0) {
			bitmap_zero(f->model, BLOCKS);
			kfb_log_clear(&f->log);
		}
		add_to_model(f, &f->log, prandom_u32_state(&rnd) % 128,
			     1 + prandom_u32_state(&rnd) % 4);
		KUNIT_ASSERT_FALSE(test, f->log.coarse);
		if (i % 16 == 0)
			check_model(test, &f->log);
	}
}

static struct kunit_case log_cases[] = {
	KUNIT_CASE(empty_at_first),
	KUNIT_CASE(neighbours_become_one),
	KUNIT_CASE(one_swallows_many),
	KUNIT_CASE(what_has_no_room_is_a_granule),
	KUNIT_CASE(the_last_byte_counts),
	KUNIT_CASE(pieces_stay_in_their_region),
	KUNIT_CASE(merge_has_both),
	KUNIT_CASE(like_a_bitmap),
	KUNIT_CASE(like_a_bitmap_exactly),
	{}
};

static struct kunit_suite log_suite = {
	.name		= "kfi_blk_log",
	.init		= log_test_init,
	.exit		= log_test_exit,
	.test_cases	= log_cases,
};

kunit_test_suite(log_suite);

MODULE_DESCRIPTION("KUnit tests of the dirty log of kfabric's block device");
MODULE_LICENSE("Dual BSD/GPL");
