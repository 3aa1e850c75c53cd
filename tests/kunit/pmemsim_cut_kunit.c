// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a simulator's power cut leaves: by chance, and with caches that survive or
 * are said to.
 */

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

#include <kfi_memdev.h>
#include <kfi_pmemsim.h>

#define SIM_LEN		SZ_256K
#define SIM_LINES	(SIM_LEN / KFI_PMEMSIM_LINE)
#define LINE_WORDS	(KFI_PMEMSIM_LINE / KFI_PMEMSIM_WORD)

/**
 * struct cut - a simulator, and what is written to it
 * @sim: the simulator
 * @pmem: its memory device
 * @mem: its memory
 * @old: what is made persistent first
 * @new: what is written then
 * @image: for what a cut has left
 * @late: a region, for tests that write when it is revoked
 */
struct cut {
	struct kfi_pmemsim	*sim;
	struct kfi_pmem		*pmem;
	u8			*mem;
	u8			*old;
	u8			*new;
	u8			*image;
	struct kfi_pmem_region	late;
};

/**
 * struct tally - what has become of the lines
 * @lost: as they were before
 * @kept: as they were written
 * @torn: some words of this and some of that
 * @wrong: a word that is neither
 */
struct tally {
	unsigned int	lost;
	unsigned int	kept;
	unsigned int	torn;
	unsigned int	wrong;
};

static void count_line(struct tally *tally, const u64 *image, const u64 *old,
		       const u64 *new)
{
	unsigned int nr_old = 0, nr_new = 0, i;

	for (i = 0; i < LINE_WORDS; i++) {
		nr_old += image[i] == old[i];
		nr_new += image[i] == new[i];
	}
	if (nr_old == LINE_WORDS)
		tally->lost++;
	else if (nr_new == LINE_WORDS)
		tally->kept++;
	else if (nr_old + nr_new == LINE_WORDS)
		tally->torn++;
	else
		tally->wrong++;
}

static struct tally count_lines(const struct cut *cut, const u8 *image)
{
	struct tally tally = { };
	size_t i;

	for (i = 0; i < SIM_LEN; i += KFI_PMEMSIM_LINE)
		count_line(&tally, (u64 *)(image + i), (u64 *)(cut->old + i),
			   (u64 *)(cut->new + i));
	return tally;
}

static void close_sim(struct cut *cut)
{
	if (!IS_ERR_OR_NULL(cut->pmem))
		kfi_pmem_close(cut->pmem);
	if (!IS_ERR_OR_NULL(cut->sim))
		kfi_pmemsim_destroy(cut->sim);
	cut->pmem = NULL;
	cut->sim = NULL;
}

static void open_sim(struct kunit *test, enum kfi_pmemsim_domain domain,
		     bool async)
{
	const struct kfi_pmemsim_attr attr = {
		.len = SIM_LEN, .domain = domain, .async = async,
	};
	struct cut *cut = test->priv;

	cut->sim = kfi_pmemsim_create_attr("cut", &attr);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cut->sim);
	cut->pmem = kfi_pmem_open("pmemsim:cut", cut);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cut->pmem);
	cut->mem = kfi_pmem_addr(cut->pmem);
}

static int cut_test_init(struct kunit *test)
{
	u32 seed = get_random_u32();
	struct rnd_state rnd;
	struct cut *cut;

	cut = kunit_kzalloc(test, sizeof(*cut), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cut);
	test->priv = cut;
	cut->old = vmalloc(SIM_LEN);
	cut->new = vmalloc(SIM_LEN);
	cut->image = vmalloc(SIM_LEN);
	KUNIT_ASSERT_NOT_NULL(test, cut->old);
	KUNIT_ASSERT_NOT_NULL(test, cut->new);
	KUNIT_ASSERT_NOT_NULL(test, cut->image);
	kunit_info(test, "seed %u", seed);
	prandom_seed_state(&rnd, seed);
	prandom_bytes_state(&rnd, cut->old, SIM_LEN);
	prandom_bytes_state(&rnd, cut->new, SIM_LEN);
	return 0;
}

static void cut_test_exit(struct kunit *test)
{
	struct cut *cut = test->priv;

	if (!cut)
		return;
	close_sim(cut);
	vfree(cut->image);
	vfree(cut->new);
	vfree(cut->old);
}

static void region_revoke(struct kfi_pmem_region *region)
{
}

static void persist(struct kunit *test, size_t offset, size_t len)
{
	struct cut *cut = test->priv;
	const struct kvec iov = { .iov_base = cut->mem, .iov_len = SIM_LEN };
	struct kfi_pmem_region region;
	const struct kfi_pmem_span span = {
		.region = &region, .offset = offset, .len = len,
	};

	KUNIT_ASSERT_EQ(test, 0, kfi_pmem_region_init(&region, KFI_KVEC, &iov,
						      1, region_revoke));
	KUNIT_EXPECT_EQ(test, 0, kfi_pmem_persist(&span, 1));
	kfi_pmem_region_destroy(&region);
}

/* The old contents are persistent, the new ones are written over them. */
static void write_new(struct kunit *test)
{
	struct cut *cut = test->priv;

	memcpy(cut->mem, cut->old, SIM_LEN);
	persist(test, 0, SIM_LEN);
	memcpy(cut->mem, cut->new, SIM_LEN);
}

/* Each fate is met by a good part of the lines, and no line has a fourth one. */
static void random_cut_tears(struct kunit *test)
{
	struct cut *cut = test->priv;
	struct tally tally;

	open_sim(test, KFI_PMEMSIM_ADR, false);
	write_new(test);
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut_random(cut->sim, 0));
	kunit_info(test, "cut seed %llu", kfi_pmemsim_seed(cut->sim));
	tally = count_lines(cut, cut->mem);
	KUNIT_EXPECT_EQ(test, tally.wrong, 0);
	KUNIT_EXPECT_GT(test, tally.lost, SIM_LINES / 5);
	KUNIT_EXPECT_GT(test, tally.kept, SIM_LINES / 5);
	KUNIT_EXPECT_GT(test, tally.torn, SIM_LINES / 3);
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_dirty(cut->sim, 0, SIM_LEN));

	/* and it stays so */
	memcpy(cut->image, cut->mem, SIM_LEN);
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut(cut->sim));
	KUNIT_EXPECT_EQ(test, 0, memcmp(cut->image, cut->mem, SIM_LEN));
}

/* Half a word, and a word of neither, are seen. */
static void tally_sees_wrong_words(struct kunit *test)
{
	struct cut *cut = test->priv;
	struct tally tally;

	memcpy(cut->image, cut->old, SIM_LEN);
	memcpy(cut->image + 64, cut->new + 64, 4);
	cut->image[SIM_LEN - 1] ^= 1;
	tally = count_lines(cut, cut->image);
	KUNIT_EXPECT_EQ(test, tally.wrong, 2);
	KUNIT_EXPECT_EQ(test, tally.lost, SIM_LINES - 2);
}

/* What was made persistent is not left to chance. */
static void random_cut_keeps_the_persistent(struct kunit *test)
{
	struct cut *cut = test->priv;
	unsigned int i;

	open_sim(test, KFI_PMEMSIM_ADR, false);
	for (i = 1; i <= 20; i++) {
		write_new(test);
		persist(test, 64 * i, SZ_64K);
		KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut_random(cut->sim, i));
		KUNIT_EXPECT_EQ(test, 0, memcmp(cut->mem + 64 * i,
						cut->new + 64 * i, SZ_64K));
		KUNIT_EXPECT_NE(test, 0, memcmp(cut->mem, cut->new, SIM_LEN));
	}
}

static void write_late(struct kfi_pmem_region *region)
{
	struct cut *cut = container_of(region, struct cut, late);

	memcpy(cut->mem, cut->new, SIM_LEN);
}

/*
 * Peers write until the region is revoked. By then commits have failed, so what they
 * write may be what was not to be there without them.
 */
static void random_cut_spares_nothing_late(struct kunit *test)
{
	struct cut *cut = test->priv;
	struct kvec iov;

	open_sim(test, KFI_PMEMSIM_ADR, false);
	memcpy(cut->mem, cut->old, SIM_LEN);
	persist(test, 0, SIM_LEN);
	iov = (struct kvec) { .iov_base = cut->mem, .iov_len = SIM_LEN };
	KUNIT_ASSERT_EQ(test, 0, kfi_pmem_region_init(&cut->late, KFI_KVEC,
						      &iov, 1, write_late));
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut_random(cut->sim, 0));
	KUNIT_EXPECT_EQ(test, 0, memcmp(cut->mem, cut->old, SIM_LEN));
	kfi_pmem_region_destroy(&cut->late);
}

static void same_seed_same_cut(struct kunit *test)
{
	struct cut *cut = test->priv;
	u64 seed;

	open_sim(test, KFI_PMEMSIM_ADR, false);
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_seed(cut->sim), 0);
	write_new(test);
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut_random(cut->sim, 0));
	memcpy(cut->image, cut->mem, SIM_LEN);
	seed = kfi_pmemsim_seed(cut->sim);
	write_new(test);
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut_random(cut->sim, seed));
	KUNIT_EXPECT_EQ(test, 0, memcmp(cut->image, cut->mem, SIM_LEN));

	write_new(test);
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut_random(cut->sim, 4711));
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_seed(cut->sim), 4711);
	KUNIT_EXPECT_NE(test, 0, memcmp(cut->image, cut->mem, SIM_LEN));

	/* one without has none */
	write_new(test);
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut(cut->sim));
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_seed(cut->sim), 4711);
	KUNIT_EXPECT_EQ(test, 0, memcmp(cut->old, cut->mem, SIM_LEN));
}

static void every_cut_is_a_new_life(struct kunit *test)
{
	struct cut *cut = test->priv;
	u64 lives[4];

	open_sim(test, KFI_PMEMSIM_EADR, false);
	lives[0] = kfi_pmem_incarnation(cut->pmem);
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut(cut->sim));
	lives[1] = kfi_pmem_incarnation(cut->pmem);
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut_random(cut->sim, 1));
	lives[2] = kfi_pmem_incarnation(cut->pmem);
	close_sim(cut);
	open_sim(test, KFI_PMEMSIM_EADR, false);
	lives[3] = kfi_pmem_incarnation(cut->pmem);
	KUNIT_EXPECT_NE(test, lives[0], lives[1]);
	KUNIT_EXPECT_NE(test, lives[1], lives[2]);
	KUNIT_EXPECT_NE(test, lives[0], lives[2]);
	KUNIT_EXPECT_NE(test, lives[2], lives[3]);
}

/* Caches that survive lose nothing; persisting is counted all the same. */
static void eadr_loses_nothing(struct kunit *test)
{
	struct kfi_pmemsim_trace trace[2];
	struct cut *cut = test->priv;

	open_sim(test, KFI_PMEMSIM_EADR, false);
	KUNIT_EXPECT_EQ(test, kfi_pmem_domain(cut->pmem),
			KFI_PMEM_DOMAIN_CPU_CACHE);
	memcpy(cut->mem, cut->new, SIM_LEN);
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_dirty(cut->sim, 0, SIM_LEN));
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_dirty(cut->sim, SIM_LEN, 1));
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_survives(cut->sim, 0, cut->new,
						     SIM_LEN));
	KUNIT_EXPECT_FALSE(test, kfi_pmemsim_survives(cut->sim, 0, cut->old,
						      SIM_LEN));
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut(cut->sim));
	KUNIT_EXPECT_EQ(test, 0, memcmp(cut->new, cut->mem, SIM_LEN));
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut_random(cut->sim, 1));
	KUNIT_EXPECT_EQ(test, 0, memcmp(cut->new, cut->mem, SIM_LEN));

	persist(test, 100, 1);
	KUNIT_EXPECT_EQ(test, kfi_pmemsim_persists(cut->sim), 1);
	KUNIT_EXPECT_EQ(test, 1, kfi_pmemsim_trace_read(cut->sim, trace, 2));
	KUNIT_EXPECT_EQ(test, trace[0].offset, 64);
	KUNIT_EXPECT_EQ(test, trace[0].len, 64);
}

/* It says the same, and loses what was not made persistent. */
static void lie_loses_the_rest(struct kunit *test)
{
	struct cut *cut = test->priv;

	open_sim(test, KFI_PMEMSIM_LIE, false);
	KUNIT_EXPECT_EQ(test, kfi_pmem_domain(cut->pmem),
			KFI_PMEM_DOMAIN_CPU_CACHE);
	write_new(test);
	persist(test, SZ_4K, SZ_4K);
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_dirty(cut->sim, 0, SIM_LEN));
	KUNIT_EXPECT_EQ(test, 0, kfi_pmemsim_cut(cut->sim));
	memcpy(cut->old + SZ_4K, cut->new + SZ_4K, SZ_4K);
	KUNIT_EXPECT_EQ(test, 0, memcmp(cut->old, cut->mem, SIM_LEN));
}

static void async_is_told(struct kunit *test)
{
	struct cut *cut = test->priv;

	open_sim(test, KFI_PMEMSIM_ADR, true);
	KUNIT_EXPECT_FALSE(test, kfi_pmem_sync(cut->pmem));
	KUNIT_EXPECT_EQ(test, kfi_pmem_domain(cut->pmem),
			KFI_PMEM_DOMAIN_MEMORY);
	close_sim(cut);
	open_sim(test, KFI_PMEMSIM_ADR, false);
	KUNIT_EXPECT_TRUE(test, kfi_pmem_sync(cut->pmem));
}

static struct kunit_case cut_cases[] = {
	KUNIT_CASE(random_cut_tears),
	KUNIT_CASE(tally_sees_wrong_words),
	KUNIT_CASE(random_cut_keeps_the_persistent),
	KUNIT_CASE(random_cut_spares_nothing_late),
	KUNIT_CASE(same_seed_same_cut),
	KUNIT_CASE(every_cut_is_a_new_life),
	KUNIT_CASE(eadr_loses_nothing),
	KUNIT_CASE(lie_loses_the_rest),
	KUNIT_CASE(async_is_told),
	{}
};

static struct kunit_suite cut_suite = {
	.name		= "kfi_pmemsim_cut",
	.init		= cut_test_init,
	.exit		= cut_test_exit,
	.test_cases	= cut_cases,
};

kunit_test_suite(cut_suite);

MODULE_DESCRIPTION("KUnit tests of the power cuts of kfabric's simulator");
MODULE_LICENSE("Dual BSD/GPL");
