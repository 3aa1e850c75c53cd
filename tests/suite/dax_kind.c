// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Block devices with DAX that need less or more than a write-back: caches that
 * survive a power failure, and memory that another machine has to flush. A script
 * makes the device.
 */

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/kprobes.h>
#include <linux/sizes.h>

#include "store.h"
#include "writeback.h"

#define KIND_LEN	SZ_1M

static void expect_kind(struct store *store, enum kfi_pmem_domain domain,
			bool sync)
{
	struct kfi_commit_info info = { };
	size_t size = sizeof(info);
	struct suite *t = store->t;

	EXPECT_EQ(t, kfi_pmem_domain(store->pmem), domain);
	EXPECT_EQ(t, kfi_pmem_sync(store->pmem), sync);
	EXPECT_OK(t, kfi_getopt(&store->pair.a.ep->fid, KFI_OPT_ENDPOINT,
				KFI_OPT_COMMIT_INFO, &info, &size));
	EXPECT_EQ(t, info.domain, domain);
	EXPECT_EQ(t, info.sync, sync);
}

/* Nothing has to be written back. */
static void test_caches(struct suite *t)
{
	struct store store;

	if (!store_open_at(t, &store, suite_pmem(), KIND_LEN, NULL))
		return;
	if (writeback_watch(t, store.mem, KIND_LEN)) {
		expect_kind(&store, KFI_PMEM_DOMAIN_CPU_CACHE, true);
		EXPECT_OK(t, store_write(&store, 0, KIND_LEN, &store,
					 KFI_COMMIT));
		EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
		EXPECT_SAME(t, store.mem, store.buf, KIND_LEN);
		EXPECT_EQ(t, writeback_count(), 0);
		writeback_unwatch(t);
	}
	store_close(&store);
}

/* What the host has answered */
static atomic_t acks;

static int ack_arrives(struct kprobe *probe, struct pt_regs *regs)
{
	atomic_inc(&acks);
	return 0;
}

static struct kprobe ack_probe = {
	.symbol_name	= "virtio_pmem_host_ack",
	.pre_handler	= ack_arrives,
};

static void check_host(struct store *store)
{
	unsigned int rounds = suite_scaled(1000, 20), i;
	struct suite *t = store->t;
	size_t at;

	expect_kind(store, KFI_PMEM_DOMAIN_MEMORY, false);
	for (i = 0; i < rounds && !suite_failed(t); i++) {
		at = suite_random(t, 0, KIND_LEN - 5000);
		suite_fill(t, store->buf + at, 5000);

		atomic_set(&acks, 0);
		EXPECT_OK(t, store_write(store, at, 5000, store, KFI_COMMIT));
		EXPECT_COMP(t, &store->pair.a.tx, store, NULL);
		EXPECT_EQ(t, atomic_read(&acks), 1);
		EXPECT_SAME(t, store->mem + at, store->buf + at, 5000);

		EXPECT_OK(t, store_write(store, at, 5000, store,
					 KFI_DELIVERY_COMPLETE));
		EXPECT_COMP(t, &store->pair.a.tx, store, NULL);
		EXPECT_EQ(t, atomic_read(&acks), 1);
	}
}

/* No commit completes before the host has answered that it has flushed. */
static void test_host(struct suite *t)
{
	struct store store;

	if (!store_open_at(t, &store, suite_pmem(), KIND_LEN, NULL))
		return;
	if (EXPECT_OK(t, register_kprobe(&ack_probe))) {
		check_host(&store);
		unregister_kprobe(&ack_probe);
	}
	store_close(&store);
}

/* A host that is not asked: that is no persistent memory. */
static void test_host_off(struct suite *t)
{
	struct kfi_pmem *pmem = kfi_pmem_open(suite_pmem(), t);

	EXPECT_EQ(t, PTR_ERR_OR_ZERO(pmem), -EOPNOTSUPP);
	if (!IS_ERR(pmem))
		kfi_pmem_close(pmem);
}

const struct suite_test suite_dax_kind_tests[] = {
	{ "dax-kind.caches", test_caches },
	{ "dax-kind.host", test_host },
	{ "dax-kind.host_off", test_host_off },
	{ }
};
