// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the patches for the kernel, run when the module is loaded. They print
 * KTAP.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "patches.h"

static bool pmem;
module_param(pmem, bool, 0444);
MODULE_PARM_DESC(pmem, "there is an NVDIMM, for the tests that need one");

static bool failed;

bool expect(bool holds, const char *text, const char *file, int line)
{
	if (!holds) {
		failed = true;
		pr_info("# %s:%d: not so: %s\n", file, line, text);
	}
	return holds;
}

bool expect_status(enum ib_wc_status is, enum ib_wc_status expected,
		   const char *file, int line)
{
	if (is == expected)
		return true;
	failed = true;
	pr_info("# %s:%d: status is \"%s\", expected \"%s\"\n", file, line,
		ib_wc_status_msg(is), ib_wc_status_msg(expected));
	return false;
}

static const struct test *const tables[] = {
	post_tests,
	lost_tests,
	region_tests,
#ifdef CONFIG_KPROBES
	held_tests,
	woken_tests,
	large_tests,
#endif
};

static bool has_place(const struct test *test)
{
	return pmem || !test->pmem;
}

static int __init patches_init(void)
{
	const struct test *test;
	unsigned int i, nr = 0;

	pr_info("KTAP version 1\n");
	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (test = tables[i]; test->name; test++)
			nr += has_place(test);
	pr_info("1..%u\n", nr);
	nr = 0;
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		for (test = tables[i]; test->name; test++) {
			if (!has_place(test))
				continue;
			failed = false;
			test->fn();
			pr_info("%s %u %s\n", failed ? "not ok" : "ok", ++nr,
				test->name);
		}
	}
	return 0;
}
module_init(patches_init);

static void __exit patches_exit(void)
{
}
module_exit(patches_exit);

MODULE_DESCRIPTION("tests of the patches for the kernel");
MODULE_LICENSE("Dual BSD/GPL");
