// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A write-ahead log in the target's memory: each record is committed, and behind it
 * a marker, without a wait in between. The power is cut at any time, and what is
 * left is looked at as a recovery would.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "proof.h"

/* The log is a ring of places for records; the marker is behind it. */
#define WAL_PLACES	64
#define WAL_PLACE	SZ_4K
#define WAL_MARKER	(WAL_PLACES * WAL_PLACE)
#define WAL_LEN		(WAL_MARKER + PAGE_SIZE)
/* Records that may be outstanding, each with its marker */
#define WAL_WINDOW	8
/* A cut comes at some time until then, and persisting takes as long if it is slow. */
#define WAL_LIFE_US	3000
#define WAL_DELAY_MS	1

/**
 * enum wal_mood - how the memory device behaves until the cut
 * @WAL_FAST: it persists at once
 * @WAL_SLOW: it takes its time
 * @WAL_STUCK: it does not persist any more from some time on
 * @WAL_MOODS: how many there are
 */
enum wal_mood {
	WAL_FAST,
	WAL_SLOW,
	WAL_STUCK,
	WAL_MOODS,
};

/**
 * struct wal - a log, its writer, and what became of it
 * @t: the test
 * @proof: what is put to the test
 * @verdict: what was found
 * @store: the memory. The writer's buffer has the records that should be there, in
 *	the same places
 * @len: bytes of the record in each place
 * @marker: what the marker of each place's record is: the number of records
 * @posted: records that were posted
 * @marked: those whose marker was posted
 * @acked: those whose marker is persistent, as far as the writer knows
 * @high: the most records that there ever were in the writer's buffer, where older
 *	ones were written over
 * @pending: operations that are not complete
 * @dead: the connection has ended
 * @cutter: cuts the power
 * @cutting: it has begun to
 * @mood: how the device behaves
 * @life_us: when the power is cut
 * @seed: of the cut
 * @cuts: how many there were
 * @records: records that were acknowledged
 * @caught: cuts with commits outstanding
 * @between: cuts that found a record that is whole, and its marker not there
 * @ahead: cuts that found a marker that was not acknowledged
 */
struct wal {
	struct suite		*t;
	const struct proof	*proof;
	struct verdict		verdict;
	struct store		store;
	size_t			len[WAL_PLACES];
	u64			marker[WAL_PLACES];
	u64			posted;
	u64			marked;
	u64			acked;
	u64			high;
	unsigned int		pending;
	bool			dead;
	struct work_struct	cutter;
	bool			cutting;
	enum wal_mood		mood;
	unsigned int		life_us;
	u32			seed;
	unsigned int		cuts;
	u64			records;
	unsigned int		caught;
	unsigned int		between;
	unsigned int		ahead;
};

static size_t wal_place(u64 nr)
{
	return nr % WAL_PLACES * WAL_PLACE;
}

/*
 * The power
 */

/* Waits for somebody to wait for the device. Nobody does where it is not asked. */
static void wal_stick(struct wal *wal)
{
	unsigned int tries;

	kfi_pmemsim_hold(wal->store.sim, true);
	for (tries = 0; tries < 100; tries++) {
		if (kfi_pmemsim_held(wal->store.sim))
			break;
		usleep_range(20, 60);
	}
}

static void wal_cut(struct work_struct *work)
{
	struct wal *wal = container_of(work, struct wal, cutter);

	usleep_range(wal->life_us, wal->life_us + 10);
	if (wal->mood == WAL_STUCK)
		wal_stick(wal);
	WRITE_ONCE(wal->cutting, true);
	EXPECT_OK(wal->t, kfi_pmemsim_cut_random(wal->store.sim, wal->seed));
	kfi_pmemsim_hold(wal->store.sim, false);
}

/*
 * The writer
 */

/* Something fails: that is what a cut does, and nothing else. */
static void wal_end(struct wal *wal)
{
	EXPECT(wal->t, READ_ONCE(wal->cutting));
	wal->dead = true;
}

static ssize_t wal_write(struct wal *wal, const void *buf, size_t len,
			 size_t offset, uintptr_t context, u64 flags)
{
	const struct store *store = &wal->store;
	const struct kvec iov = { .iov_base = (void *)buf, .iov_len = len };
	const struct kfi_rma_iov rma = {
		.addr = store->addr + offset, .len = len, .key = store->key,
	};
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &rma, .rma_iov_count = 1,
		.context = (void *)context,
	};
	ssize_t ret = kfi_writemsg(store->pair.a.ep, &msg, flags);

	if (!ret)
		wal->pending++;
	else
		wal_end(wal);
	return ret;
}

/* No two records that were in a place have the same first bytes. */
static void wal_compose(struct wal *wal)
{
	u8 *record = wal->store.buf + wal_place(wal->posted);
	unsigned int place = wal->posted % WAL_PLACES;
	u32 power = 1 << suite_random(wal->t, 3, ilog2(WAL_PLACE) - 1);

	wal->len[place] = suite_random(wal->t, power, 2 * power);
	suite_fill(wal->t, record, wal->len[place]);
	memcpy(record, &wal->posted, sizeof(u32));
	memcpy(record + sizeof(u32), &wal->cuts, sizeof(u32));
	wal->high = max(wal->high, wal->posted + 1);
}

/* A record, and behind it the marker, which says how many records there are. */
static void wal_append(struct wal *wal)
{
	unsigned int place = wal->posted % WAL_PLACES;
	size_t offset = wal_place(wal->posted);

	wal_compose(wal);
	if (wal_write(wal, wal->store.buf + offset, wal->len[place], offset, 0,
		      wal->proof->level))
		return;
	wal->posted++;
	wal->marker[place] = wal->posted;
	if (wal_write(wal, &wal->marker[place], sizeof(u64), WAL_MARKER,
		      wal->posted, wal->proof->level | wal->proof->order))
		return;
	wal->marked = wal->posted;
}

/* One completion; a marker's acknowledges its record. */
static bool wal_reap(struct wal *wal)
{
	struct suite_comp comp;
	u64 nr;

	if (!EXPECT(wal->t, suite_read_comp(wal->t, &wal->store.pair.a.tx,
					    &comp, SUITE_TIMEOUT_MS)))
		return false;
	wal->pending--;
	nr = (uintptr_t)comp.entry.op_context;
	if (comp.err)
		wal_end(wal);
	else if (nr)
		wal->acked = max(wal->acked, nr);
	return true;
}

/* Writes as fast as it can, until the power is gone and all is complete. */
static void wal_live(struct wal *wal)
{
	wal->pending = 0;
	wal->dead = false;
	wal->cutting = false;
	queue_work(suite_wq, &wal->cutter);
	for (;;) {
		while (!wal->dead && wal->posted - wal->acked < WAL_WINDOW)
			wal_append(wal);
		if (!wal->pending || !wal_reap(wal))
			break;
	}
	flush_work(&wal->cutter);
	EXPECT(wal->t, wal->dead);
}

/*
 * Recovery
 */

static bool wal_whole(const struct wal *wal, u64 nr)
{
	size_t at = wal_place(nr);

	return !memcmp(wal->store.mem + at, wal->store.buf + at,
		       wal->len[nr % WAL_PLACES]);
}

/*
 * The marker says which records there are: all that were acknowledged, maybe some
 * more, and each of them is whole. The log goes on behind them.
 */
static void wal_recover(struct wal *wal)
{
	u64 found = *(u64 *)(wal->store.mem + WAL_MARKER), nr;

	wal->cuts++;
	wal->caught += wal->acked < wal->marked;
	if (found < wal->acked || found > wal->marked) {
		verdict_violated(&wal->verdict,
				 "after cut %u, seed %u: marker of record %llu, of %llu posted %llu were acknowledged",
				 wal->cuts, wal->seed, found, wal->marked,
				 wal->acked);
		return;
	}
	nr = wal->high > WAL_PLACES ? wal->high - WAL_PLACES : 0;
	for (; nr < found; nr++)
		if (!wal_whole(wal, nr))
			verdict_violated(&wal->verdict,
					 "after cut %u, seed %u: record %llu is not whole, %llu have a marker, %llu were acknowledged",
					 wal->cuts, wal->seed, nr, found,
					 wal->acked);
	wal->between += found < wal->posted && wal_whole(wal, found);
	wal->ahead += found > wal->acked;
	wal->posted = found;
	wal->marked = found;
	wal->acked = found;
}

static void wal_life(struct wal *wal)
{
	u64 before = wal->acked;

	wal->mood = suite_random(wal->t, 0, WAL_MOODS - 1);
	wal->life_us = suite_random(wal->t, 0, WAL_LIFE_US);
	wal->seed = suite_random(wal->t, 1, U32_MAX);
	kfi_pmemsim_set_delay(wal->store.sim,
			      wal->mood == WAL_SLOW ? WAL_DELAY_MS : 0);
	wal_live(wal);
	wal->records += wal->acked - before;
	wal_recover(wal);
}

static bool wal_open(struct wal *wal)
{
	INIT_WORK(&wal->cutter, wal_cut);
	return proof_open(wal->t, &wal->store, wal->proof, WAL_LEN, NULL);
}

static bool wal_reconnect(struct wal *wal)
{
	store_disconnect(&wal->store);
	return store_connect(&wal->store, NULL) &&
	       proof_method(wal->t, &wal->store.pair);
}

/* As many cuts as that, or until one has shown that a promise was not kept. */
static void wal_test(struct suite *t, const struct proof *proof,
		     unsigned int cuts, bool violated)
{
	struct wal *wal = kvzalloc(sizeof(*wal), GFP_KERNEL);

	if (!EXPECT(t, wal))
		return;
	wal->t = t;
	wal->proof = proof;
	if (!wal_open(wal))
		goto out;
	do {
		wal_life(wal);
	} while (wal->cuts < cuts && !suite_failed(t) &&
		 !verdict_is_violated(&wal->verdict) && wal_reconnect(wal));
	pr_info("# %u cuts, %u with commits outstanding; %llu records acknowledged; %u times a record without marker, %u times more than was acknowledged\n",
		wal->cuts, wal->caught, wal->records, wal->between, wal->ahead);
	verdict_expect(t, &wal->verdict, violated);
	if (!violated && !suite_failed(t))
		EXPECT(t, wal->caught);
	store_close(&wal->store);
out:
	kvfree(wal);
}

/* The marker is stored when its record is persistent, and not before. */
static void test_log(struct suite *t)
{
	const struct proof proof = {
		.domain = proof_domain(t), .level = KFI_COMMIT,
		.order = KFI_INJECT,
	};

	wal_test(t, &proof, suite_cuts(1000, 20), false);
}

/* The marker is not even sent before its record is persistent. */
static void test_fence(struct suite *t)
{
	const struct proof proof = {
		.domain = KFI_PMEMSIM_ADR, .level = KFI_COMMIT,
		.order = KFI_FENCE,
	};

	wal_test(t, &proof, suite_cuts(1000, 20), false);
}

/* Plain writes are acknowledged, and lost. */
static void test_plain(struct suite *t)
{
	const struct proof proof = {
		.domain = KFI_PMEMSIM_ADR, .level = KFI_TRANSMIT_COMPLETE,
		.order = KFI_INJECT,
	};

	wal_test(t, &proof, 500, true);
}

/* The marker is a commit like any other: some cut finds it without its record. */
static void test_overtaken(struct suite *t)
{
	const struct proof proof = {
		.domain = KFI_PMEMSIM_ADR, .level = KFI_COMMIT,
	};

	wal_test(t, &proof, 500, true);
}

/* Memory that says that its caches survive */
static void test_lie(struct suite *t)
{
	const struct proof proof = {
		.domain = KFI_PMEMSIM_LIE, .level = KFI_COMMIT,
		.order = KFI_INJECT,
	};

	wal_test(t, &proof, 500, true);
}

const struct suite_test suite_wal_tests[] = {
	{ "wal.server", test_log, KFI_COMMIT_SERVER },
	{ "wal.read", test_log, KFI_COMMIT_READ },
	{ "wal.flush", test_log, KFI_COMMIT_FLUSH },
	{ "wal.fence", test_fence, KFI_COMMIT_SERVER },
	{ "wal.plain", test_plain, KFI_COMMIT_SERVER },
	{ "wal.overtaken", test_overtaken, KFI_COMMIT_SERVER },
	{ "wal.lie", test_lie, KFI_COMMIT_READ },
	{ "wal.fence_flush", test_fence, KFI_COMMIT_FLUSH },
	{ "wal.plain_flush", test_plain, KFI_COMMIT_FLUSH },
	{ }
};
