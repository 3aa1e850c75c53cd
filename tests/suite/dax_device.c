// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A block device with DAX is opened, or is not, and goes away while it is used. A
 * script brings the device into the state that a test is about; it acts when it
 * reads "waiting for" something in the kernel log.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "store.h"

#define DAX_LEN		SZ_1M
#define DAX_RECORD	SZ_4K
/* Commits that are complete before the script is called */
#define DAX_WARM	64

/*
 * Opening
 */

static void expect_refused(struct suite *t, const char *path, void *holder,
			   int err)
{
	struct kfi_pmem *pmem = kfi_pmem_open(path, holder);

	if (!EXPECT_EQ(t, PTR_ERR_OR_ZERO(pmem), err) && !IS_ERR(pmem))
		kfi_pmem_close(pmem);
}

/* There is no DAX, or it does not consist of pages. */
static void test_unsupported(struct suite *t)
{
	expect_refused(t, suite_pmem(), t, -EOPNOTSUPP);
}

/* Somebody else has it. */
static void test_taken(struct suite *t)
{
	expect_refused(t, suite_pmem(), t, -EBUSY);
}

static void test_read_only(struct suite *t)
{
	expect_refused(t, suite_pmem(), t, -EACCES);
}

static void test_absent(struct suite *t)
{
	expect_refused(t, "/dev/null", t, -ENOTBLK);
	expect_refused(t, "/dev/no/such/device", t, -ENOENT);
}

/* One at a time, whoever asks, and the one who has it does not notice. */
static void test_twice(struct suite *t)
{
	struct store store;

	if (!store_open_at(t, &store, suite_pmem(), DAX_LEN, NULL))
		return;
	expect_refused(t, suite_pmem(), t, -EBUSY);
	expect_refused(t, suite_pmem(), &store, -EBUSY);
	EXPECT_OK(t, store_write(&store, 0, 64, &store, KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	store_close(&store);
}

/*
 * The end
 */

static ssize_t post_commit(struct store *store, uintptr_t op)
{
	return store_write(store, op * DAX_RECORD % DAX_LEN, DAX_RECORD,
			   (void *)op, KFI_COMMIT);
}

/* Commits without a pause, until none is possible; every one completes, in order. */
static void commit_until_gone(struct store *store, const char *what)
{
	ktime_t limit = ktime_add_ms(ktime_get(), 2 * SUITE_TIMEOUT_MS);
	struct suite_cq *tx = &store->pair.a.tx;
	uintptr_t posted = 0, done = 0;
	struct suite *t = store->t;
	struct suite_comp comp = { };
	ssize_t ret = 0;

	while (!comp.err && !suite_failed(t)) {
		while (!ret) {
			ret = post_commit(store, posted + 1);
			posted += !ret;
		}
		EXPECT(t, ret == -EAGAIN || ret == -ESHUTDOWN);
		/* it may have gone when the device was done with all of them */
		if (ret == -ESHUTDOWN && done == posted)
			break;
		if (!EXPECT(t, suite_read_comp(t, tx, &comp,
					       SUITE_TIMEOUT_MS)))
			return;
		EXPECT_EQ(t, (uintptr_t)comp.entry.op_context, ++done);
		if (done == DAX_WARM)
			pr_info("# waiting for %s\n", what);
		EXPECT(t, ktime_before(ktime_get(), limit));
		ret = 0;
	}
	while (done < posted) {
		done++;
		if (!EXPECT_COMP_ERR(t, tx, (void *)done, 0,
				     KFI_RMA | KFI_WRITE))
			return;
	}
	EXPECT(t, done > DAX_WARM);
	EXPECT_NO_COMP(t, tx);
}

/*
 * No connection reaches the memory any more, and no region can be made: the
 * device is revoked, and if it is removed there soon is no memory either.
 */
static void check_revoked(struct store *store, bool removed)
{
	struct suite *t = store->t;
	struct kfid_mr *mr;
	int ret;

	store_wait_broken(store);
	ret = kfi_mr_reg(store->net.domain, store->mem, DAX_LEN, SUITE_ACCESS,
			 0, 0, KFI_PMEM, &mr, NULL);
	if (!removed || ret != -EINVAL)
		EXPECT_EQ(t, ret, -ENODEV);
	suite_pair_close(&store->pair);
	if (!suite_pair_open(&store->net, &store->pair, NULL))
		return;
	EXPECT_OK(t, store_write(store, 0, 8, store, 0));
	EXPECT_COMP_ERR(t, &store->pair.a.tx, store, EACCES,
			KFI_RMA | KFI_WRITE);
}

/* Opens the device, which may take a while to come back. */
static struct kfi_pmem *open_again(struct suite *t, void *holder)
{
	ktime_t limit = ktime_add_ms(ktime_get(), SUITE_TIMEOUT_MS);
	struct kfi_pmem *pmem;

	do {
		msleep(100);
		pmem = kfi_pmem_open(suite_pmem(), holder);
	} while (IS_ERR(pmem) && ktime_before(ktime_get(), limit));
	EXPECT_OK(t, PTR_ERR_OR_ZERO(pmem));
	return IS_ERR(pmem) ? NULL : pmem;
}

static void check_again(struct store *store)
{
	struct suite *t = store->t;

	store->mem = kfi_pmem_addr(store->pmem);
	if (!store_connect(store, NULL))
		return;
	suite_fill(t, store->buf, DAX_LEN);
	EXPECT_OK(t, store_write(store, 0, DAX_LEN, store, KFI_COMMIT));
	EXPECT_COMP(t, &store->pair.a.tx, store, NULL);
	EXPECT_SAME(t, store->mem, store->buf, DAX_LEN);
}

/**
 * struct farewell - what the handler of a device saw
 * @t: the test
 * @mem: the device's memory
 * @times: how often it was called
 * @told: it was
 */
struct farewell {
	struct suite		*t;
	u8			*mem;
	unsigned int		times;
	struct completion	told;
};

/* The memory is still there, for whoever uses it to come to an end. */
static void device_revoked(struct kfi_pmem *pmem, void *context)
{
	struct farewell *farewell = context;

	EXPECT(farewell->t, kfi_pmem_addr(pmem) == farewell->mem);
	memset(farewell->mem, 0, PAGE_SIZE);
	msleep(SUITE_QUIET_MS);
	memset(farewell->mem, 1, PAGE_SIZE);
	farewell->times++;
	complete(&farewell->told);
}

/* The device goes away, and comes back before who had it has closed it. */
static void test_unbind(struct suite *t)
{
	unsigned long patience = msecs_to_jiffies(SUITE_TIMEOUT_MS);
	struct farewell farewell = { .t = t };
	struct kfi_pmem *old;
	struct store store;
	struct kfid_mr *mr;

	if (!store_open_at(t, &store, suite_pmem(), DAX_LEN, NULL))
		return;
	/* one more region, that nobody uses */
	if (!EXPECT_OK(t, kfi_mr_reg(store.net.domain, store.mem + DAX_LEN,
				     DAX_LEN, SUITE_ACCESS, 0, 0, KFI_PMEM, &mr,
				     NULL)))
		goto out;
	farewell.mem = store.mem;
	init_completion(&farewell.told);
	EXPECT_OK(t, kfi_pmem_set_handler(store.pmem, device_revoked,
					  &farewell));
	commit_until_gone(&store, "unbind");
	check_revoked(&store, true);
	EXPECT(t, wait_for_completion_timeout(&farewell.told, patience));
	EXPECT_OK(t, kfi_pmem_set_handler(store.pmem, NULL, NULL));
	EXPECT_EQ(t, farewell.times, 1);
	EXPECT_OK(t, kfi_close(&mr->fid));
	store_disconnect(&store);

	pr_info("# waiting for bind\n");
	old = store.pmem;
	store.pmem = open_again(t, &store);
	if (store.pmem)
		check_again(&store);
	kfi_pmem_close(old);
out:
	store_close(&store);
}

/* The memory fails: the device is there, but not for who had it. */
static void test_failure(struct suite *t)
{
	struct store store;

	if (!store_open_at(t, &store, suite_pmem(), DAX_LEN, NULL))
		return;
	commit_until_gone(&store, "failure");
	check_revoked(&store, false);
	expect_refused(t, suite_pmem(), t, -EBUSY);
	store_disconnect(&store);
	kfi_pmem_close(store.pmem);
	store.pmem = open_again(t, &store);
	if (store.pmem)
		check_again(&store);
	store_close(&store);
}

const struct suite_test suite_dax_device_tests[] = {
	{ "dax.absent", test_absent },
	{ "dax.twice", test_twice },
	{ "dax-open.unsupported", test_unsupported },
	{ "dax-open.taken", test_taken },
	{ "dax-open.read_only", test_read_only },
	{ "dax-end.unbind", test_unbind },
	{ "dax-end.failure", test_failure },
	{ }
};
