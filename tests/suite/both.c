// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Endpoints with messages and commits: neither gets in the way of the other, unless
 * a fence says so.
 */

#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "both.h"

#define BOTH_DELAY_MS	200

bool both_open(struct suite *t, struct store *store,
	       const struct suite_opts *opts)
{
	t->caps = SUITE_BOTH;
	return store_open(t, store, opts);
}

ssize_t both_send(struct store *store, size_t offset, size_t len, uintptr_t op,
		  u64 flags)
{
	const struct kvec iov = {
		.iov_base = store->buf + offset, .iov_len = len,
	};
	const struct kfi_msg msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.context = (void *)op, .data = store->data,
	};

	return kfi_sendmsg(store->pair.a.ep, &msg, flags);
}

ssize_t both_recv(struct store *store, u8 *buf, size_t len, uintptr_t op)
{
	return kfi_recv(store->pair.b.ep, buf, len, NULL, 0, (void *)op);
}

bool both_comp(struct store *store, uintptr_t op)
{
	return EXPECT_COMP(store->t, &store->pair.a.tx, (void *)op, NULL);
}

bool both_received(struct store *store, uintptr_t op, size_t len)
{
	struct suite *t = store->t;
	struct suite_comp comp;

	return EXPECT_COMP(t, &store->pair.b.rx, (void *)op, &comp) &&
	       EXPECT_EQ(t, comp.entry.len, len) &&
	       EXPECT(t, comp.entry.flags & KFI_RECV);
}

/* Data of a write is told without a receive, and without one's context. */
bool both_data(struct store *store, u32 data)
{
	struct suite *t = store->t;
	struct suite_comp comp;

	return EXPECT_COMP(t, &store->pair.b.rx, NULL, &comp) &&
	       EXPECT_EQ(t, comp.entry.data, data) &&
	       EXPECT(t, comp.entry.flags & KFI_REMOTE_WRITE);
}

/* An immediate does not take a consumer's receive; a message does. */
static void test_data(struct suite *t)
{
	struct store store;
	u8 *buf;

	if (!both_open(t, &store, NULL))
		return;
	buf = kzalloc(BOTH_MSG, GFP_KERNEL);
	if (!EXPECT(t, buf))
		goto out;
	EXPECT_EQ(t, store.pair.info->mode, 0);
	EXPECT_OK(t, both_recv(&store, buf, BOTH_MSG, 7));
	store.data = 1;
	EXPECT_OK(t, store_write(&store, 0, 64, (void *)1,
				 KFI_COMMIT | KFI_REMOTE_CQ_DATA));
	both_comp(&store, 1);
	both_data(&store, 1);
	store.data = 2;
	EXPECT_OK(t, store_write(&store, 64, 64, (void *)2,
				 KFI_REMOTE_CQ_DATA));
	both_comp(&store, 2);
	both_data(&store, 2);
	EXPECT_NO_COMP(t, &store.pair.b.rx);
	EXPECT_OK(t, both_send(&store, 0, BOTH_MSG, 3, 0));
	both_received(&store, 7, BOTH_MSG);
	both_comp(&store, 3);
	EXPECT_SAME(t, buf, store.buf, BOTH_MSG);
out:
	store_close(&store);
	kfree(buf);
}

/* A message that nobody takes holds up no commit. */
static void test_no_receive(struct suite *t)
{
	struct store store;
	uintptr_t op;
	u8 *buf;

	if (!both_open(t, &store, NULL))
		return;
	buf = kzalloc(BOTH_MSG, GFP_KERNEL);
	if (!EXPECT(t, buf))
		goto out;
	EXPECT_OK(t, both_send(&store, 0, BOTH_MSG, 1000, 0));
	for (op = 1; op <= 2 * 64; op++) {
		EXPECT_OK(t, store_write(&store, op * 512, 512, (void *)op,
					 KFI_COMMIT));
		if (!both_comp(&store, op))
			goto out;
	}
	EXPECT_OK(t, kfi_read(store.pair.a.ep, buf, 8, NULL, 0, store.addr,
			      store.key, (void *)op));
	both_comp(&store, op);
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	EXPECT_OK(t, both_recv(&store, buf, BOTH_MSG, 1));
	both_received(&store, 1, BOTH_MSG);
	both_comp(&store, 1000);
	EXPECT_SAME(t, buf, store.buf, BOTH_MSG);
out:
	store_close(&store);
	kfree(buf);
}

/* A commit that takes long holds up no message. */
static void test_slow_commit(struct suite *t)
{
	struct store store;
	ktime_t start;
	u8 *buf;

	if (!both_open(t, &store, NULL))
		return;
	buf = kzalloc(BOTH_MSG, GFP_KERNEL);
	if (!EXPECT(t, buf))
		goto out;
	kfi_pmemsim_set_delay(store.sim, BOTH_DELAY_MS);
	start = ktime_get();
	EXPECT_OK(t, both_recv(&store, buf, BOTH_MSG, 1));
	EXPECT_OK(t, store_write(&store, 0, 64, (void *)1, KFI_COMMIT));
	EXPECT_OK(t, both_send(&store, 0, BOTH_MSG, 2, 0));
	both_comp(&store, 2);
	EXPECT(t, ktime_ms_delta(ktime_get(), start) < BOTH_DELAY_MS);
	both_received(&store, 1, BOTH_MSG);
	both_comp(&store, 1);
out:
	store_close(&store);
	kfree(buf);
}

/* A message behind a fence waits for the commits before it. */
static void test_fence_send(struct suite *t)
{
	struct store store;
	ktime_t start;
	u8 *buf;

	if (!both_open(t, &store, NULL))
		return;
	buf = kzalloc(BOTH_MSG, GFP_KERNEL);
	if (!EXPECT(t, buf))
		goto out;
	EXPECT_OK(t, both_recv(&store, buf, BOTH_MSG, 1));
	EXPECT_OK(t, both_recv(&store, buf, BOTH_MSG, 2));
	kfi_pmemsim_set_delay(store.sim, BOTH_DELAY_MS);
	start = ktime_get();
	EXPECT_OK(t, store_write(&store, 0, 64, (void *)1, KFI_COMMIT));
	EXPECT_OK(t, both_send(&store, 0, 64, 2, KFI_FENCE));
	EXPECT_OK(t, both_send(&store, 0, 64, 3, 0));
	both_received(&store, 1, 64);
	EXPECT(t, ktime_ms_delta(ktime_get(), start) >= BOTH_DELAY_MS);
	EXPECT(t, !kfi_pmemsim_dirty(store.sim, 0, 64));
	both_received(&store, 2, 64);
	both_comp(&store, 1);
	both_comp(&store, 2);
	both_comp(&store, 3);
out:
	store_close(&store);
	kfree(buf);
}

/* What is behind a fence that waits for a message: it, and all later ones. */
static void test_fence_write(struct suite *t)
{
	struct store store;
	u8 *buf;

	if (!both_open(t, &store, NULL))
		return;
	buf = kzalloc(BOTH_MSG, GFP_KERNEL);
	if (!EXPECT(t, buf))
		goto out;
	EXPECT_OK(t, both_send(&store, 0, 64, 1, 0));
	EXPECT_OK(t, store_write(&store, 0, 64, (void *)2,
				 KFI_FENCE | KFI_DELIVERY_COMPLETE));
	EXPECT_OK(t, store_write(&store, 64, 64, (void *)3, KFI_COMMIT));
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	EXPECT_ALL(t, store.mem, 0, 128);
	EXPECT_EQ(t, kfi_pmemsim_persists(store.sim), 0);
	EXPECT_OK(t, both_recv(&store, buf, BOTH_MSG, 1));
	both_received(&store, 1, 64);
	both_comp(&store, 1);
	both_comp(&store, 2);
	both_comp(&store, 3);
	EXPECT_SAME(t, store.mem, store.buf, 128);
out:
	store_close(&store);
	kfree(buf);
}

/* The fence is of a message, what comes later is a write, and the other way round. */
static void test_fence_later(struct suite *t)
{
	struct suite_comp comp;
	struct store store;
	unsigned int i;
	u8 *buf;

	if (!both_open(t, &store, NULL))
		return;
	buf = kzalloc(BOTH_MSG, GFP_KERNEL);
	if (!EXPECT(t, buf))
		goto out;
	EXPECT_OK(t, both_send(&store, 0, 64, 1, 0));
	EXPECT_OK(t, both_send(&store, 0, 64, 2, KFI_FENCE));
	EXPECT_OK(t, store_write(&store, 0, 64, (void *)3,
				 KFI_DELIVERY_COMPLETE));
	EXPECT_OK(t, store_write(&store, 64, 64, (void *)4,
				 KFI_DELIVERY_COMPLETE));
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	EXPECT_ALL(t, store.mem, 0, 128);
	/* the write waits for what is before the fence, not for the fenced */
	EXPECT_OK(t, both_recv(&store, buf, BOTH_MSG, 1));
	both_received(&store, 1, 64);
	both_comp(&store, 1);
	both_comp(&store, 3);
	both_comp(&store, 4);
	EXPECT_SAME(t, store.mem, store.buf, 128);

	/* the fenced message is still there; a fenced write waits for it */
	EXPECT_OK(t, store_write(&store, 128, 64, (void *)5,
				 KFI_FENCE | KFI_DELIVERY_COMPLETE));
	EXPECT_OK(t, both_send(&store, 0, 64, 6, 0));
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	EXPECT_ALL(t, store.mem + 128, 0, 64);
	EXPECT_OK(t, both_recv(&store, buf, BOTH_MSG, 2));
	EXPECT_OK(t, both_recv(&store, buf, BOTH_MSG, 3));
	both_received(&store, 2, 64);
	both_comp(&store, 2);
	both_received(&store, 3, 64);
	/* which of these is first is not said */
	for (i = 0; i < 2; i++)
		if (EXPECT(t, suite_read_comp(t, &store.pair.a.tx, &comp,
					      SUITE_TIMEOUT_MS)))
			EXPECT_EQ(t, comp.err, 0);
	EXPECT_SAME(t, store.mem + 128, store.buf + 128, 64);
out:
	store_close(&store);
	kfree(buf);
}

const struct suite_test suite_both_tests[] = {
	{ "both.data", test_data },
	{ "both.no_receive", test_no_receive },
	{ "both.slow_commit", test_slow_commit },
	{ "both.fence_send", test_fence_send },
	{ "both.fence_write", test_fence_write },
	{ "both.fence_later", test_fence_later },
	{ }
};
