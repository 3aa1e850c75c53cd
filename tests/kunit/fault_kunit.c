// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Every allocation of a call fails once. Built for kernels with CONFIG_FAILSLAB;
 * tests/vm/kunit makes it count allocations that may reclaim.
 */

#include <linux/in.h>
#include <linux/sched.h>

#include "core.h"

/* No call under test allocates as often as this. */
#define FAULT_LIMIT	200

/* Where it can be on, kmemleak may allocate for each allocation, and be who fails. */
static const bool kmemleak = IS_ENABLED(CONFIG_DEBUG_KMEMLEAK);

/* Lets the @nth slab allocation of this task from now on fail; 0 for none. */
static void fail_allocation(unsigned int nth)
{
	WRITE_ONCE(current->fail_nth, nth);
}

/* Whether the allocation that was to fail has been made. */
static bool failed_allocation(void)
{
	return !READ_ONCE(current->fail_nth);
}

/* A copy has everything, or there is none. */
static void expect_same(struct kunit *test, const struct kfi_info *dup,
			const struct kfi_info *info)
{
	KUNIT_EXPECT_STREQ(test, kfi_tostr(dup, KFI_TYPE_INFO),
			   kfi_tostr(info, KFI_TYPE_INFO));
}

static void dupinfo_out_of_memory(struct kunit *test)
{
	struct kfi_info *offer = fake_offer(test, "fake");
	struct sockaddr_in *addr;
	struct kfi_info *dup;
	unsigned int nth;

	addr = kzalloc_obj(*addr);
	KUNIT_ASSERT_NOT_NULL(test, addr);
	addr->sin_family = AF_INET;
	offer->src_addr = addr;
	offer->src_addrlen = sizeof(*addr);
	for (nth = 1; nth < FAULT_LIMIT; nth++) {
		fail_allocation(nth);
		dup = kfi_dupinfo(offer);
		if (!failed_allocation())
			break;
		if (!kmemleak)
			KUNIT_EXPECT_NULL_MSG(test, dup, "allocation %u", nth);
		if (dup)
			expect_same(test, dup, offer);
		kfi_freeinfo(dup);
	}
	fail_allocation(0);
	KUNIT_ASSERT_NOT_NULL(test, dup);
	expect_same(test, dup, offer);
	/* six structures, three strings, one address */
	KUNIT_EXPECT_GE(test, nth, 11);
	KUNIT_EXPECT_LE(test, nth, kmemleak ? 21 : 11);
	kfi_freeinfo(dup);
	kfi_freeinfo(offer);
}

static void eq_open_out_of_memory(struct kunit *test)
{
	struct kfid_fabric fabric;
	struct kfid_eq *eq = NULL;
	unsigned int nth;
	int ret = -EIO;

	fake_fabric_init(&fabric);
	for (nth = 1; nth < FAULT_LIMIT; nth++) {
		fail_allocation(nth);
		ret = kfi_prov_eq_open(&fabric, NULL, fake_strerror, &eq, NULL,
				       NULL);
		if (!failed_allocation())
			break;
		/* the pool may come from vmalloc instead */
		if (!ret)
			kfi_close(&eq->fid);
		else
			KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	}
	fail_allocation(0);
	KUNIT_EXPECT_GT(test, nth, 1);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, kfi_close(&eq->fid), 0);
	KUNIT_EXPECT_TRUE(test, kfi_obj_close(&fabric.fid));
}

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(dupinfo_out_of_memory),
	KUNIT_CASE(eq_open_out_of_memory),
	{ }
};

static struct kunit_suite fault_suite = {
	.name = "kfi_fault",
	.test_cases = fault_cases,
};

kunit_test_suite(fault_suite);
