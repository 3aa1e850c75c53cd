// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The choice of how to commit, and the option that asks for it.
 */

#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/bits.h>

#include <kfi_errno.h>
#include <kfi_prov.h>

#define BY_SERVER	BIT(KFI_COMMIT_SERVER)
#define BY_READ	BIT(KFI_COMMIT_READ)
#define BY_FLUSH	BIT(KFI_COMMIT_FLUSH)

static void method_choice(struct kunit *test)
{
	static const struct {
		enum kfi_commit_method	wanted;
		unsigned long		allowed;
		enum kfi_commit_method	got;
	} cases[] = {
		{ KFI_COMMIT_NONE, 0, KFI_COMMIT_NONE },
		{ KFI_COMMIT_NONE, BY_SERVER, KFI_COMMIT_SERVER },
		{ KFI_COMMIT_NONE, BY_SERVER | BY_READ, KFI_COMMIT_READ },
		{ KFI_COMMIT_NONE, BY_READ, KFI_COMMIT_READ },
		{ KFI_COMMIT_NONE, BY_FLUSH, KFI_COMMIT_FLUSH },
		{ KFI_COMMIT_NONE, BY_SERVER | BY_FLUSH, KFI_COMMIT_FLUSH },
		{ KFI_COMMIT_NONE, BY_READ | BY_FLUSH, KFI_COMMIT_READ },
		{ KFI_COMMIT_NONE, ~(BY_SERVER | BY_READ | BY_FLUSH),
		  KFI_COMMIT_NONE },
		{ KFI_COMMIT_SERVER, BY_SERVER | BY_READ, KFI_COMMIT_SERVER },
		{ KFI_COMMIT_SERVER, BY_READ, KFI_COMMIT_NONE },
		{ KFI_COMMIT_READ, BY_SERVER | BY_READ, KFI_COMMIT_READ },
		{ KFI_COMMIT_READ, BY_SERVER, KFI_COMMIT_NONE },
		{ KFI_COMMIT_READ, ~BY_READ, KFI_COMMIT_NONE },
		{ KFI_COMMIT_FLUSH, BY_SERVER | BY_FLUSH, KFI_COMMIT_FLUSH },
		{ KFI_COMMIT_FLUSH, BY_SERVER | BY_READ, KFI_COMMIT_NONE },
		{ KFI_COMMIT_FLUSH, ~BY_FLUSH, KFI_COMMIT_NONE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, kfi_prov_method(cases[i].wanted,
							  cases[i].allowed),
				    cases[i].got, "case %u", i);
}

static void method_option(struct kunit *test)
{
	enum kfi_commit_method method = KFI_COMMIT_SERVER, value;

	value = KFI_COMMIT_READ;
	KUNIT_EXPECT_EQ(test, kfi_prov_setopt_method(&method, false, &value,
						     sizeof(value) - 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, kfi_prov_setopt_method(&method, true, &value,
						     sizeof(value)),
			-KFI_EOPBADSTATE);
	value = KFI_COMMIT_FLUSH + 1;
	KUNIT_EXPECT_EQ(test, kfi_prov_setopt_method(&method, false, &value,
						     sizeof(value)), -EINVAL);
	value = (enum kfi_commit_method)-1;
	KUNIT_EXPECT_EQ(test, kfi_prov_setopt_method(&method, false, &value,
						     sizeof(value)), -EINVAL);
	KUNIT_EXPECT_EQ(test, method, KFI_COMMIT_SERVER);
	value = KFI_COMMIT_READ;
	KUNIT_EXPECT_EQ(test, kfi_prov_setopt_method(&method, false, &value,
						     sizeof(value)), 0);
	KUNIT_EXPECT_EQ(test, method, KFI_COMMIT_READ);
	value = KFI_COMMIT_FLUSH;
	KUNIT_EXPECT_EQ(test, kfi_prov_setopt_method(&method, false, &value,
						     sizeof(value)), 0);
	KUNIT_EXPECT_EQ(test, method, KFI_COMMIT_FLUSH);
}

static void method_readable(struct kunit *test)
{
	struct kfi_rma_iov rma[2] = {
		{ .key = KFI_KEY_READ | KFI_KEY_PMEM | 1 },
		{ .key = KFI_KEY_PMEM | 2 },
	};

	KUNIT_EXPECT_TRUE(test, kfi_prov_readable(rma, 1));
	KUNIT_EXPECT_FALSE(test, kfi_prov_readable(rma, 2));
	KUNIT_EXPECT_FALSE(test, kfi_prov_readable(rma + 1, 1));
	rma[1].key |= KFI_KEY_READ;
	KUNIT_EXPECT_TRUE(test, kfi_prov_readable(rma, 2));
}

static struct kunit_case method_cases[] = {
	KUNIT_CASE(method_choice),
	KUNIT_CASE(method_option),
	KUNIT_CASE(method_readable),
	{ }
};

static struct kunit_suite method_suite = {
	.name = "kfi_method",
	.test_cases = method_cases,
};

kunit_test_suite(method_suite);
