// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the verbs provider offers of devices that nobody here has.
 */

#include <kunit/test.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/module.h>

/* both can be built into one kernel */
#define kfv_limits_init kunit_limits_init
#include "../../providers/verbs/limits.c"
#include "../../providers/verbs/path.h"

static struct ib_device_attr device(int wrs, int sge, int sge_rd)
{
	return (struct ib_device_attr) {
		.max_qp_wr = wrs, .max_cqe = 1 << 20, .max_send_sge = sge,
		.max_recv_sge = sge, .max_sge_rd = sge_rd,
	};
}

/* Everything that may be asked for fits the device, or nothing is offered. */
static void check_device(struct kunit *test, const struct ib_device_attr *attrs,
			 bool commit)
{
	unsigned int own = KFV_SPARE_WRS + (commit ? KFV_COMMIT_SLOTS : 0);
	int most = min(attrs->max_qp_wr, attrs->max_cqe);
	struct kfv_limits limits;
	int ret;

	ret = kfv_limits_init(&limits, attrs, commit);
	if (ret) {
		KUNIT_EXPECT_EQ(test, ret, -ENODATA);
		return;
	}
	KUNIT_EXPECT_GE(test, limits.tx_size, 1);
	KUNIT_EXPECT_LE(test, limits.tx_size, KFV_MAX_QUEUE);
	KUNIT_EXPECT_LE(test, own + roundup_pow_of_two(limits.tx_size +
						       limits.rma_wrs), most);
	KUNIT_EXPECT_GE(test, limits.max_sge_rd, 1);
	KUNIT_EXPECT_LE(test, limits.max_sge_rd, limits.max_sge);
	KUNIT_EXPECT_GE(test, limits.rma_wrs * limits.max_sge_rd, KFV_RMA_SEGS);
	own = KFV_SPARE_WRS + (commit ? KFV_COMMIT_RECEIVES : 0);
	KUNIT_EXPECT_GE(test, limits.rx_size, 1);
	KUNIT_EXPECT_LE(test, own + roundup_pow_of_two(limits.rx_size), most);
}

static void limits_fit(struct kunit *test)
{
	static const int sges[] = { 1, 2, 3, 6, 16, 30, 32, 1000 };
	struct ib_device_attr attrs;
	unsigned int i, j;
	int wrs;

	for (wrs = 0; wrs < 20000; wrs += wrs < 300 ? 1 : wrs / 16) {
		for (i = 0; i < ARRAY_SIZE(sges); i++) {
			for (j = 0; j <= i; j++) {
				attrs = device(wrs, sges[i], sges[j]);
				check_device(test, &attrs, false);
				check_device(test, &attrs, true);
				attrs.max_cqe = wrs;
				attrs.max_qp_wr = 1 << 20;
				check_device(test, &attrs, true);
			}
		}
	}
}

/* One segment for reads, as some devices have it */
static void limits_few_read_segments(struct kunit *test)
{
	struct ib_device_attr attrs = device(4096 + 256, 32, 1);
	struct kfv_limits limits;

	KUNIT_ASSERT_EQ(test, 0, kfv_limits_init(&limits, &attrs, true));
	KUNIT_EXPECT_EQ(test, limits.max_sge, 32);
	KUNIT_EXPECT_EQ(test, limits.max_sge_rd, 1);
	KUNIT_EXPECT_GT(test, limits.rma_wrs, KFV_RMA_SEGS);
	KUNIT_EXPECT_EQ(test, limits.tx_size, 4096 - limits.rma_wrs);
	/* a device that says nothing has one too */
	attrs.max_sge_rd = 0;
	KUNIT_ASSERT_EQ(test, 0, kfv_limits_init(&limits, &attrs, true));
	KUNIT_EXPECT_EQ(test, limits.max_sge_rd, 1);
}

static void limits_too_small(struct kunit *test)
{
	struct ib_device_attr attrs = device(16, 32, 32);
	struct kfv_limits limits;

	KUNIT_EXPECT_EQ(test, -ENODATA, kfv_limits_init(&limits, &attrs, false));
	KUNIT_EXPECT_EQ(test, -ENODATA, kfv_limits_init(&limits, &attrs, true));
	/* enough for plain endpoints only */
	attrs = device(200, 32, 32);
	KUNIT_EXPECT_EQ(test, 0, kfv_limits_init(&limits, &attrs, false));
	KUNIT_EXPECT_EQ(test, -ENODATA, kfv_limits_init(&limits, &attrs, true));
	attrs = device(4096, 0, 0);
	KUNIT_EXPECT_EQ(test, -ENODATA, kfv_limits_init(&limits, &attrs, false));
}

/* Reads prove that something is persistent only where all of it is known. */
static void path_proves(struct kunit *test)
{
	enum kfi_pmem_domain domain;
	struct kfv_path path;
	unsigned int bits;
	bool proves;

	for (bits = 0; bits < 16; bits++) {
		path.soft = bits & 1;
		path.strict = bits & 2;
		path.ddio_off = bits & 4;
		for (domain = KFI_PMEM_DOMAIN_UNKNOWN;
		     domain <= KFI_PMEM_DOMAIN_CPU_CACHE; domain++) {
			proves = kfv_read_proves(&path, domain, bits & 8);
			if (!(bits & 8) || domain == KFI_PMEM_DOMAIN_UNKNOWN)
				KUNIT_EXPECT_FALSE(test, proves);
			else if (domain == KFI_PMEM_DOMAIN_CPU_CACHE)
				KUNIT_EXPECT_EQ(test, proves, !!(bits & 3));
			else
				KUNIT_EXPECT_EQ(test, proves, bits == 14);
		}
	}
}

static struct kunit_case limits_cases[] = {
	KUNIT_CASE(limits_fit),
	KUNIT_CASE(limits_few_read_segments),
	KUNIT_CASE(limits_too_small),
	{ }
};

static struct kunit_suite limits_suite = {
	.name = "kfi_verbs_limits",
	.test_cases = limits_cases,
};

static struct kunit_case path_cases[] = {
	KUNIT_CASE(path_proves),
	{ }
};

static struct kunit_suite path_suite = {
	.name = "kfi_verbs_path",
	.test_cases = path_cases,
};

kunit_test_suites(&limits_suite, &path_suite);

MODULE_DESCRIPTION("KUnit tests of kfabric's verbs provider");
MODULE_LICENSE("Dual BSD/GPL");
