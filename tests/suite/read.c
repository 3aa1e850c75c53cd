// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Commits by reading: that they keep what they promise where the target's caches
 * survive, that tests find out if they do not, and what is different when one fails.
 */

#include <linux/slab.h>
#include <linux/string.h>

#include "store.h"

#define READ_RECORD	512
#define READ_SLOTS	64
#define READ_TIMEOUT_MS	300

static const enum kfi_commit_method any = KFI_COMMIT_NONE;

/*
 * Records that are committed one after the other, the last of them injected; then
 * the power fails. Whether all that was acknowledged is there.
 */
static bool survives(struct store *store)
{
	struct suite *t = store->t;
	unsigned int i, nr = suite_random(t, 2, 50);

	for (i = 0; i < nr; i++) {
		EXPECT_OK(t, store_write(store, i * READ_RECORD, READ_RECORD,
					 store, KFI_COMMIT));
		if (!EXPECT_COMP(t, &store->pair.a.tx, store, NULL))
			break;
	}
	EXPECT_OK(t, store_write(store, i * READ_RECORD, 64, store,
				 KFI_COMMIT | KFI_INJECT));
	EXPECT_COMP(t, &store->pair.a.tx, store, NULL);
	EXPECT_SAME(t, store->mem, store->buf, nr * READ_RECORD + 64);
	EXPECT_OK(t, kfi_pmemsim_cut(store->sim));
	return !memcmp(store->mem, store->buf, nr * READ_RECORD + 64);
}

/* The method that a wish for any gets on such memory, and whether it keeps data */
static void check_cut(struct suite *t, enum kfi_pmemsim_domain domain,
		      const enum kfi_commit_method *wanted, bool keeps)
{
	const struct suite_opts opts = { .method = wanted };
	const struct kfi_pmemsim_attr attr = {
		.len = STORE_LEN, .domain = domain,
	};
	struct kfi_commit_info info;
	struct store store;

	if (!store_open_attr(t, &store, &attr, &opts))
		return;
	store_get_info(t, store.pair.a.ep, &info);
	EXPECT_EQ(t, survives(&store), keeps);
	if (info.method == KFI_COMMIT_READ)
		EXPECT_EQ(t, kfi_pmemsim_persists(store.sim), 0);
	else
		EXPECT(t, kfi_pmemsim_persists(store.sim) > 0);
	store_close(&store);
}

static void test_cut(struct suite *t)
{
	check_cut(t, KFI_PMEMSIM_EADR, &any, true);
	check_cut(t, KFI_PMEMSIM_ADR, &any, true);
}

/*
 * Memory that says that caches survive, which they do not: commits by reading, which
 * believe it, lose what they acknowledged, and the cut shows it. Asking the target's
 * provider does not depend on the word of the memory.
 */
static void test_lie(struct suite *t)
{
	const enum kfi_commit_method server = KFI_COMMIT_SERVER;

	check_cut(t, KFI_PMEMSIM_LIE, &any, false);
	check_cut(t, KFI_PMEMSIM_LIE, &server, true);
}

/* As many as there are slots; what is one too many sends off the others. */
static void test_outstanding(struct suite *t)
{
	const struct suite_opts opts = { .tx_size = 2 * READ_SLOTS };
	unsigned int rounds = suite_scaled(500, 5);
	struct kfi_commit_info info;
	struct store store;
	uintptr_t op;

	if (!store_open(t, &store, &opts))
		return;
	store_get_info(t, store.pair.a.ep, &info);
	EXPECT_EQ(t, info.slots, READ_SLOTS);
	for (; rounds && !suite_failed(t); rounds--) {
		suite_fill(t, store.buf, (READ_SLOTS + 2) * 64);
		for (op = 1; op <= READ_SLOTS; op++)
			EXPECT_OK(t, store_write(&store, op * 64, 64,
						 (void *)op,
						 KFI_COMMIT | KFI_MORE));
		EXPECT_EQ(t, store_write(&store, 0, 64, NULL,
					 KFI_COMMIT | KFI_MORE), -EAGAIN);
		for (op = 1; op <= READ_SLOTS; op++)
			if (!EXPECT_COMP(t, &store.pair.a.tx, (void *)op,
					 NULL))
				break;
		EXPECT_SAME(t, store.mem + 64, store.buf + 64, READ_SLOTS * 64);
	}
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	EXPECT_EQ(t, kfi_pmemsim_persists(store.sim), 0);
	store_close(&store);
}

/* All kinds of operations behind each other complete in their order. */
static void test_mixed(struct suite *t)
{
	static const u64 flags[] = {
		KFI_COMMIT, KFI_DELIVERY_COMPLETE, KFI_COMMIT | KFI_INJECT,
		KFI_COMMIT | KFI_FENCE, KFI_DELIVERY_COMPLETE | KFI_FENCE,
		KFI_COMMIT | KFI_MORE,
	};
	unsigned int rounds = suite_scaled(5000, 50), i, nr;
	struct store store;
	uintptr_t op;

	if (!store_open(t, &store, NULL))
		return;
	for (i = 0; i < rounds && !suite_failed(t); i++) {
		nr = suite_random(t, 1, 30);
		suite_fill(t, store.buf, (nr + 2) * 64);
		for (op = 1; op <= nr; op++)
			EXPECT_OK(t, store_write(&store, op * 64, 64,
						 (void *)op,
						 flags[suite_random(t, 0, 5)]));
		EXPECT_OK(t, store_write(&store, op * 64, 64, (void *)op,
					 KFI_COMMIT));
		for (op = 1; op <= nr + 1; op++)
			if (!EXPECT_COMP(t, &store.pair.a.tx, (void *)op,
					 NULL))
				break;
		EXPECT_SAME(t, store.mem + 64, store.buf + 64, (nr + 1) * 64);
	}
	EXPECT_EQ(t, kfi_pmemsim_persists(store.sim), 0);
	store_close(&store);
}

/* A region that may not be both read and written is no place for such a commit. */
static void check_rights(struct suite *t, u64 access, ssize_t ret, int err)
{
	struct store store;
	struct kfid_mr *mr;

	if (!store_open(t, &store, NULL))
		return;
	if (EXPECT_OK(t, kfi_mr_reg(store.net.domain, store.mem, 4096, access,
				    0, 0, KFI_PMEM, &mr, NULL))) {
		store.addr = mr->iova;
		store.key = kfi_mr_key(mr);
		EXPECT_EQ(t, store_write(&store, 0, 64, &store,
					 KFI_COMMIT | KFI_INJECT), ret);
		if (!ret && err)
			EXPECT_COMP_ERR(t, &store.pair.a.tx, &store, err,
					KFI_RMA | KFI_WRITE | KFI_COMMIT);
		else if (!ret)
			EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
		EXPECT_NO_COMP(t, &store.pair.a.tx);
		if (ret || err)
			EXPECT_ALL(t, store.mem, 0, 64);
		EXPECT_OK(t, kfi_close(&mr->fid));
	}
	/* the connection is as good as ever */
	store.addr = store.mr->iova;
	store.key = store.mr->key;
	EXPECT_OK(t, store_write(&store, 0, 64, &store, KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	store_close(&store);
}

static void test_rights(struct suite *t)
{
	check_rights(t, KFI_REMOTE_WRITE, -EACCES, 0);
	check_rights(t, KFI_REMOTE_READ, -EACCES, 0);
	check_rights(t, KFI_READ | KFI_WRITE, -EACCES, 0);
	check_rights(t, KFI_REMOTE_READ | KFI_REMOTE_WRITE, 0, 0);
}

/* The target's provider does not need to read. */
static void test_server_rights(struct suite *t)
{
	check_rights(t, KFI_REMOTE_WRITE, 0, 0);
	check_rights(t, KFI_REMOTE_READ, 0, EACCES);
}

/* A device that flushes does not need to read, either. */
static void test_flush_rights(struct suite *t)
{
	check_rights(t, KFI_REMOTE_WRITE, 0, 0);
	check_rights(t, KFI_REMOTE_READ | KFI_REMOTE_WRITE, 0, 0);
}

/* The mark of a region that can be read, on the key of one that cannot */
static void test_forged(struct suite *t)
{
	struct suite_comp comp;
	struct store store;
	struct kfid_mr *mr;
	u64 mark, key;
	uintptr_t op;

	if (!store_open(t, &store, NULL))
		return;
	key = store.key;
	if (!EXPECT_OK(t, kfi_mr_reg(store.net.domain, store.mem, 4096,
				     KFI_REMOTE_WRITE, 0, 0, KFI_PMEM, &mr,
				     NULL)))
		goto out;
	mark = (key ^ kfi_mr_key(mr)) & ~(u64)U32_MAX;
	EXPECT(t, mark);
	for (op = 1; op <= 8; op++) {
		/* the fifth is the one */
		store.addr = op == 5 ? mr->iova : store.mr->iova;
		store.key = op == 5 ? kfi_mr_key(mr) | mark : key;
		EXPECT_OK(t, store_write(&store, op * 64, 64, (void *)op,
					 op == 8 ? KFI_COMMIT :
					 KFI_COMMIT | KFI_MORE));
	}
	for (op = 1; op <= 8; op++) {
		if (!EXPECT(t, suite_read_comp(t, &store.pair.a.tx, &comp,
					       SUITE_TIMEOUT_MS)))
			break;
		EXPECT_EQ(t, (uintptr_t)comp.entry.op_context, op);
		EXPECT_EQ(t, comp.err, op < 5 ? 0 :
				       op == 5 ? EACCES : ECANCELED);
	}
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	/* nothing that came behind it was executed */
	EXPECT_ALL(t, store.mem + 6 * 64, 0, 3 * 64);
	store.addr = store.mr->iova;
	store.key = key;
	store_wait_broken(&store);
	EXPECT_OK(t, kfi_close(&mr->fid));
out:
	store_close(&store);
}

/* A commit of what is not in the region, although nothing is written there */
static void test_outside(struct suite *t)
{
	struct kfi_rma_iov rma = { .len = 64 };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .rma_iov = &rma, .rma_iov_count = 1,
		.context = &rma,
	};
	struct store store;

	if (!store_open(t, &store, NULL))
		return;
	rma.addr = store.addr + STORE_LEN - 63;
	rma.key = store.key;
	EXPECT_OK(t, kfi_writemsg(store.pair.a.ep, &msg,
				  KFI_COMMIT | KFI_REMOTE_CQ_DATA));
	EXPECT_COMP_ERR(t, &store.pair.a.tx, &rma, EACCES, KFI_RMA | KFI_WRITE);
	EXPECT_NO_COMP(t, &store.pair.b.rx);
	store_wait_broken(&store);
	store_close(&store);
}

/* Of two commits either both succeed, or the first one is late: true. */
static bool is_late(struct store *store)
{
	struct suite *t = store->t;
	struct suite_event ev;
	struct suite_comp comp;

	if (!EXPECT(t, suite_read_comp(t, &store->pair.a.tx, &comp,
				       SUITE_TIMEOUT_MS)))
		return false;
	if (!comp.err) {
		EXPECT_COMP(t, &store->pair.a.tx, store, NULL);
		return false;
	}
	EXPECT_EQ(t, comp.err, ETIMEDOUT);
	EXPECT_COMP_ERR(t, &store->pair.a.tx, store, ECANCELED,
			KFI_RMA | KFI_WRITE);
	if (EXPECT(t, suite_read_event(t, store->net.eq, &ev,
				       SUITE_TIMEOUT_MS)))
		EXPECT_EQ(t, ev.err, ETIMEDOUT);
	return true;
}

/*
 * A target whose device does not take the write: because it has data for a consumer
 * who does not read it, until no receive is left.
 */
static void test_timeout(struct suite *t)
{
	const struct suite_opts opts = { .rx_size = 1 };
	const unsigned int ms = READ_TIMEOUT_MS;
	bool late = false;
	struct store store;
	unsigned int i;

	if (!store_open(t, &store, &opts))
		return;
	EXPECT_OK(t, kfi_setopt(&store.pair.a.ep->fid, KFI_OPT_ENDPOINT,
				KFI_OPT_COMMIT_TIMEOUT, &ms, sizeof(ms)));
	for (i = 0; i < 500 && !late && !suite_failed(t); i++) {
		EXPECT_OK(t, store_write(&store, 0, 64, &store, KFI_COMMIT |
					 KFI_REMOTE_CQ_DATA | KFI_MORE));
		EXPECT_OK(t, store_write(&store, 64, 64, &store, KFI_COMMIT));
		late = is_late(&store);
	}
	EXPECT(t, late);
	store_close(&store);
}

const struct suite_test suite_read_tests[] = {
	{ "method.cut", test_cut },
	{ "method.lie", test_lie },
	{ "method.outstanding", test_outstanding, KFI_COMMIT_READ },
	{ "method.mixed", test_mixed, KFI_COMMIT_READ },
	{ "method.rights", test_rights, KFI_COMMIT_READ },
	{ "method.server_rights", test_server_rights },
	{ "method.forged", test_forged, KFI_COMMIT_READ },
	{ "method.outside", test_outside, KFI_COMMIT_READ },
	{ "method.outstanding_flush", test_outstanding, KFI_COMMIT_FLUSH },
	{ "method.mixed_flush", test_mixed, KFI_COMMIT_FLUSH },
	{ "method.rights_flush", test_flush_rights, KFI_COMMIT_FLUSH },
	{ "method.outside_flush", test_outside, KFI_COMMIT_FLUSH },
	{ }
};

/* Loopback asks nobody: what it commits by reading is never late. */
const struct suite_test suite_read_late_tests[] = {
	{ "method.timeout", test_timeout, KFI_COMMIT_READ },
	{ "method.timeout_flush", test_timeout, KFI_COMMIT_FLUSH },
	{ }
};
