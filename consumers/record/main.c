// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kfi_record: keeps records in remote persistent memory, and can tell later
 * whether all that were acknowledged are there.
 *
 *	insmod kfi_record_target.ko provider=verbs addr=10.9.0.1 pmem=/dev/pmem0
 *
 *	insmod kfi_record.ko provider=verbs addr=10.9.0.1 mode=write run=1
 *	insmod kfi_record.ko provider=verbs addr=10.9.0.1 mode=verify run=1 \
 *		sent=4000 acknowledged=4000
 *
 * Both run while the module is being loaded. The outcome is in the kernel log,
 * behind "kfi_record: result: "; loading fails when records could not be
 * written, or acknowledged ones are not found.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/string.h>

#include "record.h"

#define RECORD_MAX_WINDOW	64

static char *mode = "write";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "write or verify");

char *record_provider = "loopback";
module_param_named(provider, record_provider, charp, 0444);
MODULE_PARM_DESC(provider, "provider to use");

char *record_addr = "127.0.0.1";
module_param_named(addr, record_addr, charp, 0444);
MODULE_PARM_DESC(addr, "the target's address, IPv4 or IPv6");

ushort record_port = 7472;
module_param_named(port, record_port, ushort, 0444);
MODULE_PARM_DESC(port, "the target's port");

char *record_method = "server";
module_param_named(method, record_method, charp, 0444);
MODULE_PARM_DESC(method, "how to commit: server, read, flush or any");

ulong record_run;
module_param_named(run, record_run, ulong, 0444);
MODULE_PARM_DESC(run, "number that tells this run's records from earlier ones, not 0");

unsigned int record_count = 4000;
module_param_named(records, record_count, uint, 0444);
MODULE_PARM_DESC(records, "write: how many");

unsigned int record_window = 8;
module_param_named(window, record_window, uint, 0444);
MODULE_PARM_DESC(window, "write: records outstanding, 1 to 64");

bool record_plain;
module_param_named(plain, record_plain, bool, 0444);
MODULE_PARM_DESC(plain, "every other record, the first included, is written without commit");

unsigned int record_timeout_ms = 30000;
module_param_named(timeout_ms, record_timeout_ms, uint, 0444);
MODULE_PARM_DESC(timeout_ms, "a target that has not committed for so long is dead");

unsigned int record_sent;
module_param_named(sent, record_sent, uint, 0444);
MODULE_PARM_DESC(sent, "verify: records that were sent");

unsigned int record_acknowledged;
module_param_named(acknowledged, record_acknowledged, uint, 0444);
MODULE_PARM_DESC(acknowledged, "verify: the last record that was acknowledged");

static int __init record_init(void)
{
	int err;

	if (!record_run || !record_count || !record_window ||
	    record_window > RECORD_MAX_WINDOW ||
	    record_acknowledged > record_sent)
		return -EINVAL;
	if (!strcmp(mode, "write"))
		err = record_write();
	else if (!strcmp(mode, "verify"))
		err = record_verify();
	else
		err = -EINVAL;
	if (err)
		pr_err("%s failed: %s\n", mode, kfi_strerror(-err));
	return err;
}
module_init(record_init);

static void __exit record_exit(void)
{
}
module_exit(record_exit);

MODULE_DESCRIPTION("kfabric consumer that keeps records in remote persistent memory");
MODULE_LICENSE("Dual BSD/GPL");
