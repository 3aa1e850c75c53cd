// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A simulator over the memory of a block device with DAX: what was written back is
 * on its media, and a cut takes the rest from the real memory.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/libnvdimm.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "store.h"

#define ATTACH_NAME	"attached"
#define ATTACH_LEN	SZ_1M
#define ATTACH_MAX	20000

static bool attach_open(struct suite *t, struct store *store,
			enum kfi_pmemsim_domain domain)
{
	const struct kfi_pmemsim_attr attr = {
		.domain = domain, .attach = suite_pmem(),
	};
	struct kfi_pmemsim *sim = kfi_pmemsim_create_attr(ATTACH_NAME, &attr);

	if (!EXPECT_OK(t, PTR_ERR_OR_ZERO(sim)))
		return false;
	if (!store_open_at(t, store, "pmemsim:" ATTACH_NAME, ATTACH_LEN,
			   NULL)) {
		kfi_pmemsim_destroy(sim);
		return false;
	}
	store->sim = sim;
	return true;
}

/* A commit is on the media when it is complete, another write is not. */
static void attach_round(struct store *store)
{
	struct suite *t = store->t;
	size_t at, len, half = ATTACH_LEN / 2;

	len = suite_random(t, 1, ATTACH_MAX);
	at = suite_random(t, 0, half - len);
	suite_fill(t, store->buf + at, len);
	EXPECT_OK(t, store_write(store, at, len, store, KFI_COMMIT));
	EXPECT_COMP(t, &store->pair.a.tx, store, NULL);
	EXPECT(t, !kfi_pmemsim_dirty(store->sim, at, len));

	len = suite_random(t, 8, ATTACH_MAX);
	at = half + suite_random(t, 0, half - len);
	suite_fill(t, store->buf + at, len);
	EXPECT_OK(t, store_write(store, at, len, store, KFI_DELIVERY_COMPLETE));
	EXPECT_COMP(t, &store->pair.a.tx, store, NULL);
	EXPECT(t, kfi_pmemsim_dirty(store->sim, at, len));
}

static void test_commit(struct suite *t)
{
	unsigned int rounds = suite_scaled(2000, 30), i;
	struct store store;
	u8 *before;

	if (!attach_open(t, &store, KFI_PMEMSIM_ADR))
		return;
	before = kvmalloc(ATTACH_LEN, GFP_KERNEL);
	if (!EXPECT(t, before))
		goto out;
	memcpy(before, store.mem, ATTACH_LEN);
	EXPECT_OK(t, store_write(&store, 0, ATTACH_LEN / 2, &store,
				 KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	for (i = 0; i < rounds && !suite_failed(t); i++)
		attach_round(&store);

	EXPECT_OK(t, kfi_pmemsim_cut(store.sim));
	EXPECT_SAME(t, store.mem, store.buf, ATTACH_LEN / 2);
	EXPECT_SAME(t, store.mem + ATTACH_LEN / 2, before + ATTACH_LEN / 2,
		    ATTACH_LEN / 2);
	kvfree(before);
out:
	store_close(&store);
}

/* This host's own stores: around the caches, and not. */
static void test_local(struct suite *t)
{
	struct store store;
	u8 *mem;

	if (!attach_open(t, &store, KFI_PMEMSIM_ADR))
		return;
	mem = store.mem;
	memset(mem, 1, SZ_4K);
	EXPECT(t, kfi_pmemsim_dirty(store.sim, 0, SZ_4K));
	arch_wb_cache_pmem(mem, 1);
	EXPECT(t, !kfi_pmemsim_dirty(store.sim, 0, KFI_PMEMSIM_LINE));
	EXPECT(t, kfi_pmemsim_dirty(store.sim, KFI_PMEMSIM_LINE,
				    KFI_PMEMSIM_LINE));
	arch_wb_cache_pmem(mem, SZ_4K);
	EXPECT(t, !kfi_pmemsim_dirty(store.sim, 0, SZ_4K));

	memcpy_flushcache(mem + SZ_8K, store.buf, SZ_8K);
	EXPECT(t, !kfi_pmemsim_dirty(store.sim, SZ_8K, SZ_8K));
	memcpy(mem + SZ_8K, store.buf + SZ_8K, SZ_8K);
	EXPECT(t, kfi_pmemsim_dirty(store.sim, SZ_8K, SZ_8K));

	EXPECT_OK(t, kfi_pmemsim_cut(store.sim));
	EXPECT_SAME(t, mem + SZ_8K, store.buf, SZ_8K);
	store_close(&store);
}

/* What cannot be attached to, and who else has it then. */
static void test_refused(struct suite *t)
{
	struct kfi_pmemsim_attr attr = { .attach = "/dev/nosuchdevice" };
	struct kfi_pmemsim *sim, *other;

	EXPECT_EQ(t, PTR_ERR(kfi_pmemsim_create_attr(ATTACH_NAME, &attr)),
		  -ENOENT);
	attr.attach = suite_pmem();
	sim = kfi_pmemsim_create_attr(ATTACH_NAME, &attr);
	if (!EXPECT_OK(t, PTR_ERR_OR_ZERO(sim)))
		return;
	other = kfi_pmemsim_create_attr(ATTACH_NAME "2", &attr);
	EXPECT_EQ(t, PTR_ERR(other), -EBUSY);
	kfi_pmemsim_destroy(sim);
	sim = kfi_pmemsim_create_attr(ATTACH_NAME, &attr);
	if (EXPECT_OK(t, PTR_ERR_OR_ZERO(sim)))
		kfi_pmemsim_destroy(sim);
}

/* Memory that a write-back does not make persistent */
static void test_unfit(struct suite *t)
{
	const struct kfi_pmemsim_attr attr = { .attach = suite_pmem() };

	EXPECT_EQ(t, PTR_ERR(kfi_pmemsim_create_attr(ATTACH_NAME, &attr)),
		  -EOPNOTSUPP);
}

/* The device is removed under a simulator that is in use. */
static void test_unbind(struct suite *t)
{
	struct store store;

	if (!attach_open(t, &store, KFI_PMEMSIM_ADR))
		return;
	EXPECT_OK(t, store_write(&store, 0, SZ_4K, &store, KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	pr_info("# waiting for unbind\n");
	store_wait_broken(&store);
	/* the connections break first */
	msleep(1000);
	EXPECT(t, kfi_pmemsim_dirty(store.sim, 0, SZ_4K));
	EXPECT(t, kfi_pmemsim_cut(store.sim) < 0);
	store_close(&store);
	pr_info("# waiting for bind\n");
}

const struct suite_test suite_dax_attach_tests[] = {
	{ "dax-attach.commit", test_commit },
	{ "dax-attach.local", test_local },
	{ "dax-attach.refused", test_refused },
	{ "dax-kind.attach", test_unfit },
	{ "dax-attach-end.unbind", test_unbind },
	{ }
};
