// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Regions that are larger than any that a test bed has memory for. Nobody looks at the
 * memory itself.
 */

#include <kunit/test.h>
#include <linux/bvec.h>
#include <linux/module.h>

/* both can be built into one kernel */
#define kfv_mr_sgl_alloc kunit_mr_sgl_alloc
#define kfv_mr_page_size kunit_mr_page_size
#include "../../providers/verbs/mr_sgl.c"

/* soft-RoCE's, and the smallest page list of all in the kernel */
static const struct ib_device_attr device = {
	.page_size_cap = (u32)~(SZ_4K - 1),
	.max_fast_reg_page_list_len = 512,
};

/**
 * struct piece - memory that has a struct page for each of its pages
 * @start: where it begins
 * @len: bytes
 */
struct piece {
	u64	start;
	u64	len;
};

static int map(struct sg_table *sgt, const struct piece *pieces,
	       unsigned int nr, size_t max)
{
	struct kfi_mr_attr attr = { .type = KFI_BVEC, .iov_count = nr };
	struct scatterlist *sg;
	struct bio_vec bv[4];
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++)
		bv[i] = (struct bio_vec) {
			.bv_page = pfn_to_page(PHYS_PFN(pieces[i].start)),
			.bv_offset = offset_in_page(pieces[i].start),
			.bv_len = pieces[i].len,
		};
	attr.mr_biov = bv;
	ret = kfv_mr_sgl_alloc(sgt, &attr, max);
	if (ret)
		return ret;
	for_each_sgtable_sg(sgt, sg, i) {
		sg_dma_address(sg) = sg_phys(sg);
		sg_dma_len(sg) = sg->length;
	}
	return 0;
}

static void check(struct kunit *test, const struct piece *pieces,
		  unsigned int nr, u64 expected)
{
	u64 page_size = 0, entries = 0, len = 0, sum = 0;
	struct scatterlist *sg;
	struct sg_table sgt;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, map(&sgt, pieces, nr, UINT_MAX), 0);
	for (i = 0; i < nr; i++)
		len += pieces[i].len;
	for_each_sgtable_sg(&sgt, sg, i)
		sum += sg->length;
	KUNIT_EXPECT_EQ(test, sum, len);
	KUNIT_EXPECT_EQ(test, kfv_mr_page_size(&sgt, &device, &page_size,
					       &entries), 0);
	KUNIT_EXPECT_EQ(test, page_size, expected);
	KUNIT_EXPECT_LE(test, entries, 512);
	sg_free_table(&sgt);
}

/* Beyond the largest entry, wherever it starts */
static void sgl_large(struct kunit *test)
{
	static const struct piece aligned = { SZ_1G, SZ_2G };
	static const struct piece page = { SZ_1G + SZ_4K, SZ_2G };
	static const struct piece odd = { SZ_1G + 64, SZ_2G + 1 };
	static const struct piece huge = { SZ_64K + 3, U32_MAX };

	check(test, &aligned, 1, SZ_4M);
	check(test, &page, 1, SZ_8M);
	check(test, &odd, 1, SZ_8M);
	check(test, &huge, 1, SZ_16M);
}

/* As little besides the region as fits the list */
static void sgl_small(struct kunit *test)
{
	static const struct piece byte = { SZ_1M - 1, 1 };
	static const struct piece beside[] = {
		{ SZ_1M + 5, SZ_64K }, { SZ_1M + 5 + SZ_64K, SZ_64K },
	};
	static const struct piece apart[] = {
		{ SZ_4M + 5, SZ_64K - 5 }, { SZ_2M, SZ_64K }, { 0, 3 },
	};

	check(test, &byte, 1, SZ_4K);
	check(test, beside, ARRAY_SIZE(beside), SZ_4K);
	check(test, apart, ARRAY_SIZE(apart), SZ_4K);
}

static void check_error(struct kunit *test, const struct piece *pieces,
			unsigned int nr, int err)
{
	u64 page_size, entries;
	struct sg_table sgt;

	KUNIT_ASSERT_EQ(test, map(&sgt, pieces, nr, UINT_MAX), 0);
	KUNIT_EXPECT_EQ(test, kfv_mr_page_size(&sgt, &device, &page_size,
					       &entries), err);
	sg_free_table(&sgt);
}

static void sgl_refused(struct kunit *test)
{
	static const struct piece odd[] = {
		{ SZ_4M, 100 }, { SZ_2M, 100 },
	};
	static const struct piece long_odd[] = {
		{ SZ_1G, SZ_2M + SZ_4K }, { SZ_1M, SZ_4K },
	};

	check_error(test, odd, ARRAY_SIZE(odd), -EINVAL);
	check_error(test, long_odd, ARRAY_SIZE(long_odd), -E2BIG);
}

/* Entries as long as the device takes them, which need not be a power of two */
static void sgl_entries(struct kunit *test)
{
	static const struct piece piece = { SZ_1M + 7, SZ_1M };
	struct scatterlist *sg;
	struct sg_table sgt;
	u64 end = piece.start;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, map(&sgt, &piece, 1, 3 * SZ_64K), 0);
	KUNIT_EXPECT_EQ(test, sgt.nents, 9);
	for_each_sgtable_sg(&sgt, sg, i) {
		KUNIT_EXPECT_EQ(test, sg_phys(sg), end);
		KUNIT_EXPECT_LE(test, sg->length, SZ_128K);
		end += sg->length;
	}
	KUNIT_EXPECT_EQ(test, end, piece.start + piece.len);
	sg_free_table(&sgt);
}

static struct kunit_case sgl_cases[] = {
	KUNIT_CASE(sgl_large),
	KUNIT_CASE(sgl_small),
	KUNIT_CASE(sgl_refused),
	KUNIT_CASE(sgl_entries),
	{ }
};

static struct kunit_suite sgl_suite = {
	.name = "kfi_verbs_mr_sgl",
	.test_cases = sgl_cases,
};

kunit_test_suite(sgl_suite);

MODULE_DESCRIPTION("KUnit tests of kfi_verbs: scatterlists of regions");
MODULE_LICENSE("Dual BSD/GPL");
