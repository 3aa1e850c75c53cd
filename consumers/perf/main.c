// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kfi_perf: latency and rate of messages, writes, reads and commits.
 *
 * The server is there as long as the module; the client runs while it is being
 * loaded, and how loading ends is how the tests ended:
 *
 *	insmod kfi_perf.ko role=server provider=verbs addr=10.9.0.1 pmem=/dev/pmem0
 *	insmod kfi_perf.ko role=client provider=verbs addr=10.9.0.1
 *	cat /sys/kernel/debug/kfi_perf/results
 *
 * It is also a complete small consumer: connect.c opens what a connection needs,
 * server.c accepts, tests.c moves data.
 */

#include <linux/bits.h>
#include <linux/module.h>
#include <linux/string.h>

#include "perf.h"

static char *role = "both";
module_param(role, charp, 0444);
MODULE_PARM_DESC(role, "server, client or both");

char *perf_provider = "loopback";
module_param_named(provider, perf_provider, charp, 0444);
MODULE_PARM_DESC(provider, "provider to use");

char *perf_addr = "127.0.0.1";
module_param_named(addr, perf_addr, charp, 0444);
MODULE_PARM_DESC(addr, "the server's address, IPv4 or IPv6");

ushort perf_port = 7471;
module_param_named(port, perf_port, ushort, 0444);
MODULE_PARM_DESC(port, "the server's port");

char *perf_pmem;
module_param_named(pmem, perf_pmem, charp, 0444);
MODULE_PARM_DESC(pmem,
		 "server: memory device for commits, whose contents are lost: pmemsim:0, /dev/pmem0");

static const char *const test_names[PERF_NR_TESTS] = {
	[PERF_SEND]	= "send",
	[PERF_WRITE]	= "write",
	[PERF_READ]	= "read",
	[PERF_COMMIT]	= "commit",
};

static char *tests[PERF_NR_TESTS] = { "send", "write", "read" };
static unsigned int nr_tests = 3;
module_param_array(tests, charp, &nr_tests, 0444);
MODULE_PARM_DESC(tests, "client: send, write, read, commit");

unsigned int perf_sizes[PERF_MAX_SIZES] = { 64, 4096, 65536 };
unsigned int perf_nr_sizes = 3;
module_param_array_named(sizes, perf_sizes, uint, &perf_nr_sizes, 0444);
MODULE_PARM_DESC(sizes, "client: bytes of an operation, up to 16 sizes of up to 1 MiB");

unsigned int perf_count = 1000;
module_param_named(count, perf_count, uint, 0444);
MODULE_PARM_DESC(count, "client: operations of each test");

unsigned int perf_window = 16;
module_param_named(window, perf_window, uint, 0444);
MODULE_PARM_DESC(window, "client: operations outstanding when the rate is measured, 1 to 64; 1: latency only");

const char *perf_test_name(enum perf_test test)
{
	return test_names[test];
}

static int parse_tests(unsigned long *mask)
{
	unsigned int i;
	int test;

	*mask = 0;
	for (i = 0; i < nr_tests; i++) {
		test = match_string(test_names, PERF_NR_TESTS, tests[i]);
		if (test < 0)
			return -EINVAL;
		*mask |= BIT(test);
	}
	return 0;
}

static int check_parameters(void)
{
	unsigned int i;

	for (i = 0; i < perf_nr_sizes; i++)
		if (!perf_sizes[i] || perf_sizes[i] > PERF_MAX_SIZE)
			return -EINVAL;
	if (!perf_count || perf_count > PERF_MAX_COUNT)
		return -EINVAL;
	if (!perf_window || perf_window > PERF_MAX_WINDOW)
		return -EINVAL;
	return 0;
}

static int __init perf_init(void)
{
	bool is_server = !strcmp(role, "server") || !strcmp(role, "both");
	bool is_client = !strcmp(role, "client") || !strcmp(role, "both");
	unsigned long mask;
	int err;

	if (!is_server && !is_client)
		return -EINVAL;
	err = parse_tests(&mask);
	if (!err)
		err = check_parameters();
	if (!err)
		err = perf_report_init();
	if (err)
		return err;

	if (is_server)
		err = perf_server_start();
	if (err)
		goto report_exit;
	if (is_client)
		err = perf_client_run(mask);
	if (err)
		goto server_stop;
	return 0;

server_stop:
	perf_server_stop();
report_exit:
	perf_report_exit();
	return err;
}
module_init(perf_init);

static void __exit perf_exit(void)
{
	perf_server_stop();
	perf_report_exit();
}
module_exit(perf_exit);

MODULE_DESCRIPTION("kfabric performance test");
MODULE_LICENSE("Dual BSD/GPL");
