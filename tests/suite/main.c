// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Runs the behaviour suite when the module is loaded, and prints KTAP.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/glob.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/stringhash.h>
#include <net/net_namespace.h>

#include "suite.h"

/* A test that has gone wrong can do so a million times. */
#define SUITE_MAX_COMPLAINTS	20

static char *provider = "loopback";
module_param(provider, charp, 0444);
MODULE_PARM_DESC(provider, "provider to test");

static char *addr = "10.9.0.1";
module_param(addr, charp, 0444);
MODULE_PARM_DESC(addr, "address to listen on and to connect to, IPv4 or IPv6");

static unsigned int seed;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "of random numbers, 0 for any");

static unsigned int scale = 1;
module_param(scale, uint, 0444);
MODULE_PARM_DESC(scale, "percentage of the full number of rounds");

static unsigned int mutations;
module_param(mutations, uint, 0444);
MODULE_PARM_DESC(mutations, "percentage of the full number of mutated messages, 0 for scale");

static unsigned int cuts;
module_param(cuts, uint, 0444);
MODULE_PARM_DESC(cuts, "percentage of the full number of power cuts, 0 for scale");

static unsigned int stress;
module_param(stress, uint, 0444);
MODULE_PARM_DESC(stress, "percentage of the full minute of mixed operations, 0 for scale");

static bool leak;
module_param(leak, bool, 0444);
MODULE_PARM_DESC(leak, "leak memory at the end, for who looks for leaks to find");

static char *filters[16] = { "*" };
static unsigned int nr_filters = 1;
module_param_array_named(filter, filters, charp, &nr_filters, 0444);
MODULE_PARM_DESC(filter, "names of tests to run, globs");

static bool twice = true;
module_param(twice, bool, 0444);
MODULE_PARM_DESC(twice, "run those of messages and of commits again on endpoints that have both");

static char *only;
module_param_named(test, only, charp, 0444);
MODULE_PARM_DESC(test, "names of tests that need help from outside, a glob");

static bool flush;
module_param(flush, bool, 0444);
MODULE_PARM_DESC(flush, "run those of commits by FLUSH as well, in the memory of pmem");

static char *pmem = "/dev/pmem0";
module_param(pmem, charp, 0444);
MODULE_PARM_DESC(pmem, "block device with DAX, for tests named dax.*, and for flush");

static int netns;
module_param(netns, int, 0444);
MODULE_PARM_DESC(netns, "process whose network namespace to use, 0 for the initial one");

static bool go;
module_param(go, bool, 0644);
MODULE_PARM_DESC(go, "set by who helps a test, when it is to go on");

static const struct suite_test *const suite_tables[] = {
	suite_info_tests,
	suite_lifetime_tests,
	suite_cm_tests,
	suite_peer_tests,
	suite_eq_tests,
	suite_state_tests,
	suite_agree_tests,
	suite_refuse_tests,
	suite_mr_tests,
	suite_local_tests,
	suite_msg_tests,
	suite_rma_tests,
	suite_cq_tests,
	suite_context_tests,
	suite_flow_tests,
	suite_flags_tests,
	suite_atomic_tests,
	suite_commit_tests,
	suite_pure_tests,
	suite_level_tests,
	suite_method_tests,
	suite_read_tests,
	suite_read_late_tests,
	suite_form_tests,
	suite_forbid_tests,
	suite_region_tests,
	suite_answer_tests,
	suite_store_tests,
	suite_oracle_tests,
	suite_wal_tests,
	suite_both_tests,
	suite_both_flow_tests,
	suite_both_end_tests,
	suite_wire_tests,
	suite_wire_request_tests,
	suite_wire_reply_tests,
	suite_wire_both_tests,
	suite_wire_fuzz_tests,
	suite_wire_fuzz_request_tests,
	suite_wire_fuzz_reply_tests,
	suite_stats_tests,
	suite_stats_conn_tests,
	suite_stress_tests,
#ifdef CONFIG_FAILSLAB
	suite_fault_tests,
	suite_fault_cm_tests,
#endif
};

/*
 * Run once more, as "both.area.what", with endpoints that have messages and commits
 * instead of either.
 */
static const struct suite_test *const suite_twice_tables[] = {
	suite_lifetime_tests,
	suite_msg_tests,
	suite_context_tests,
	suite_flow_tests,
	suite_commit_tests,
	suite_pure_tests,
	suite_level_tests,
	suite_form_tests,
	suite_forbid_tests,
	suite_answer_tests,
	suite_store_tests,
};

/* Run by name only: they need a device, or a script that does its part. */
static const struct suite_test *const suite_driven_tables[] = {
	suite_removal_tests,
	suite_both_removal_tests,
	suite_devices_tests,
	suite_netns_tests,
	suite_show_tests,
#if defined(CONFIG_KRETPROBES) && defined(CONFIG_ARCH_HAS_PMEM_API)
	suite_dax_tests,
	suite_dax_device_tests,
	suite_dax_kind_tests,
	suite_dax_attach_tests,
#endif
	suite_failure_tests,
	suite_blk_hello_tests,
	suite_blk_session_tests,
	suite_blk_queue_tests,
	suite_blk_end_tests,
	suite_blk_serve_tests,
};

struct workqueue_struct *suite_wq;

static struct net *suite_net_ns;

const char *suite_provider(void)
{
	return provider;
}

const char *suite_address(void)
{
	return addr;
}

const char *suite_pmem(void)
{
	return pmem;
}

/* NULL is the initial one. */
struct net *suite_netns(void)
{
	return suite_net_ns;
}

/* For who has a reference elsewhere. */
void suite_put_netns(void)
{
	if (netns)
		put_net(suite_net_ns);
	netns = 0;
}

/* Tells the script that it is its turn, and waits for it to say that it is done. */
bool suite_wait_go_for(struct suite *t, const char *what, unsigned int left_ms)
{
	bool gone;

	pr_info("# waiting for %s\n", what);
	while (!READ_ONCE(go) && left_ms >= 20) {
		msleep(20);
		left_ms -= 20;
	}
	gone = EXPECT(t, READ_ONCE(go));
	/* the next test waits again */
	WRITE_ONCE(go, false);
	return gone;
}

bool suite_wait_go(struct suite *t, const char *what)
{
	return suite_wait_go_for(t, what, SUITE_TIMEOUT_MS);
}

static unsigned int scaled(unsigned int percent, unsigned int full,
			   unsigned int least)
{
	return max_t(u64, (u64)full * percent / 100, least);
}

/* @scale percent of @full, but not less than @least */
unsigned int suite_scaled(unsigned int full, unsigned int least)
{
	return scaled(scale, full, least);
}

/* The same of what costs a connection each, or more: mutated messages, power cuts */
unsigned int suite_mutations(unsigned int full, unsigned int least)
{
	return scaled(mutations ?: scale, full, least);
}

unsigned int suite_cuts(unsigned int full, unsigned int least)
{
	return scaled(cuts ?: scale, full, least);
}

unsigned int suite_seconds(unsigned int full, unsigned int least)
{
	return scaled(stress ?: scale, full, least);
}

u32 suite_random(struct suite *t, u32 from, u32 to)
{
	return from + prandom_u32_state(&t->rnd) % (to - from + 1);
}

void suite_complain(struct suite *t, const char *file, int line,
		    const char *fmt, ...)
{
	int nr = atomic_inc_return(&t->complaints);
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	if (nr > SUITE_MAX_COMPLAINTS)
		return;
	va_start(args, fmt);
	vaf.va = &args;
	pr_info("# %s:%d: %pV\n", kbasename(file), line, &vaf);
	va_end(args);
	if (nr == SUITE_MAX_COMPLAINTS)
		pr_info("# and more\n");
}

bool suite_true(struct suite *t, const char *file, int line, const char *text,
		bool holds)
{
	if (!holds)
		suite_complain(t, file, line, "not so: %s", text);
	return holds;
}

bool suite_equal(struct suite *t, const char *file, int line, const char *text,
		 long long is, long long expected)
{
	if (is == expected)
		return true;
	if (is < 0 && is > -MAX_ERRNO)
		suite_complain(t, file, line, "%s is %lld (%s), expected %lld",
			       text, is, kfi_strerror(-is), expected);
	else
		suite_complain(t, file, line, "%s is %lld, expected %lld", text,
			       is, expected);
	return false;
}

static void suite_run(const struct suite_test *test, const char *name, u64 caps,
		      unsigned int nr)
{
	struct suite t = {
		.name = name, .caps = caps, .method = test->method,
	};
	ktime_t start = ktime_get();

	prandom_seed_state(&t.rnd, seed ^ full_name_hash(NULL, name,
							 strlen(name)));
	test->fn(&t);

	pr_info("# %s took %lld ms\n", name,
		ktime_ms_delta(ktime_get(), start));
	if (suite_failed(&t)) {
		pr_info("# again: filter=%s seed=%u scale=%u\n", name, seed,
			scale);
		pr_info("not ok %u %s\n", nr, name);
	} else if (t.skip) {
		pr_info("ok %u %s # SKIP %s\n", nr, name, t.skip);
	} else {
		pr_info("ok %u %s\n", nr, name);
	}
}

/* Loopback has no wire, on which a stranger could write or something be late. */
static bool suite_left_out(const struct suite_test *table)
{
	if (strcmp(provider, "loopback"))
		return false;
	return table == suite_read_late_tests ||
	       table == suite_wire_tests ||
	       table == suite_wire_request_tests ||
	       table == suite_wire_reply_tests ||
	       table == suite_wire_both_tests ||
	       table == suite_wire_fuzz_tests ||
	       table == suite_wire_fuzz_request_tests ||
	       table == suite_wire_fuzz_reply_tests;
}

static bool suite_wanted(const struct suite_test *test, const char *name)
{
	unsigned int i;

	if (test->method == KFI_COMMIT_FLUSH && !flush)
		return false;
	if (only)
		return glob_match(only, name);
	for (i = 0; i < nr_filters; i++)
		if (glob_match(filters[i], name))
			return true;
	return false;
}

/* Runs the tests that are wanted, or counts them; @nr of them were before. */
static unsigned int suite_each(const struct suite_test *const tables[],
			       unsigned int nr_tables, u64 caps,
			       unsigned int nr, bool run)
{
	const struct suite_test *test;
	char name[48];
	unsigned int i;

	for (i = 0; i < nr_tables; i++) {
		if (suite_left_out(tables[i]))
			continue;
		for (test = tables[i]; test->name; test++) {
			snprintf(name, sizeof(name), "%s%s",
				 caps ? "both." : "", test->name);
			if (!suite_wanted(test, name))
				continue;
			nr++;
			if (run)
				suite_run(test, name, caps, nr);
		}
	}
	return nr;
}

static unsigned int suite_run_all(bool run)
{
	unsigned int nr;

	if (only)
		return suite_each(suite_driven_tables,
				  ARRAY_SIZE(suite_driven_tables), 0, 0, run);
	nr = suite_each(suite_tables, ARRAY_SIZE(suite_tables), 0, 0, run);
	if (!twice)
		return nr;
	return suite_each(suite_twice_tables, ARRAY_SIZE(suite_twice_tables),
			  SUITE_BOTH, nr, run);
}

/*
 * Several, because the stack may still have the address of one; and zeroed, because
 * one has the address of the next from when both were free.
 */
static noinline void suite_leak(void)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		pr_info("# leaked: %p\n", kzalloc(64, GFP_KERNEL));
}

static int __init suite_init(void)
{
	int ret = 0;

	if (netns) {
		suite_net_ns = get_net_ns_by_pid(netns);
		if (IS_ERR(suite_net_ns))
			return PTR_ERR(suite_net_ns);
	}
	while (!seed)
		seed = get_random_u32();
	suite_wq = alloc_workqueue("kfi_suite", WQ_UNBOUND, 0);
	if (!suite_wq) {
		ret = -ENOMEM;
		goto out;
	}

	pr_info("KTAP version 1\n");
	pr_info("1..%u\n", suite_run_all(false));
	pr_info("# provider=%s addr=%s seed=%u scale=%u\n", provider, addr,
		seed, scale);
	suite_run_all(true);
	if (leak)
		suite_leak();
	destroy_workqueue(suite_wq);
out:
	suite_put_netns();
	return ret;
}
module_init(suite_init);

static void __exit suite_exit(void)
{
}
module_exit(suite_exit);

MODULE_DESCRIPTION("kfabric behaviour suite");
MODULE_LICENSE("Dual BSD/GPL");
