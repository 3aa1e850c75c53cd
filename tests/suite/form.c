// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Commits in every form: local memory of each kind, in many pieces, to many places;
 * in chains, without entries, and as many as there can be.
 */

#include <linux/array_size.h>
#include <linux/bitmap.h>
#include <linux/bvec.h>
#include <linux/completion.h>
#include <linux/ktime.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "store.h"

#define FORM_RANGES	16
#define FORM_SEGS	512
#define FORM_PAGES	64
/* What one commit writes at most, and inside of its request, and where each range has
 * its room
 */
#define FORM_LEN	SZ_32K
#define FORM_INJECT	64
#define FORM_ROOM	(STORE_LEN / FORM_RANGES)
#define FORM_DELAY_MS	300

/**
 * struct form - a commit in the making
 * @store: where it goes
 * @pages: where it comes from
 * @flat: the same bytes, side by side
 * @kv: the pieces as kernel memory
 * @bv: the same as pages
 * @sgt: the same as a scatterlist
 * @nr: pieces
 * @len: bytes
 * @rma: ranges
 * @nr_rma: ranges that are used
 * @lines: lines that are going to be persistent
 */
struct form {
	struct store		store;
	struct suite_arena	pages;
	u8			*flat;
	struct kvec		kv[FORM_SEGS];
	struct bio_vec		bv[FORM_SEGS];
	struct sg_table		sgt;
	unsigned int		nr;
	size_t			len;
	struct kfi_rma_iov	rma[FORM_RANGES];
	unsigned int		nr_rma;
	unsigned long		*lines;
};

static void form_close(struct form *f)
{
	if (f->store.t)
		store_close(&f->store);
	suite_arena_close(&f->pages);
	bitmap_free(f->lines);
	kvfree(f->flat);
	kvfree(f);
}

static struct form *form_open(struct suite *t)
{
	struct form *f = kvzalloc(sizeof(*f), GFP_KERNEL);

	if (!EXPECT(t, f))
		return NULL;
	f->flat = kvmalloc(FORM_LEN, GFP_KERNEL);
	f->lines = bitmap_zalloc(STORE_LINES, GFP_KERNEL);
	if (EXPECT(t, f->flat && f->lines) &&
	    suite_arena_open(t, &f->pages, 0, FORM_PAGES) &&
	    store_open(t, &f->store, NULL))
		return f;
	form_close(f);
	return NULL;
}

/* Up to @max pieces of random pages, from which up to @total bytes of the commit come */
static void form_pieces(struct suite *t, struct form *f, unsigned int max,
			unsigned int total)
{
	unsigned int want = 1 << suite_random(t, 0, ilog2(max));
	unsigned int most = total / want, nr, len, offset;
	struct page *page;

	suite_fill(t, f->pages.buf, f->pages.len);
	f->len = 0;
	for (nr = 0; nr < want; nr++) {
		len = suite_random(t, 1, min_t(unsigned int, most, PAGE_SIZE));
		offset = suite_random(t, 0, PAGE_SIZE - len);
		page = f->pages.blocks[suite_random(t, 0, FORM_PAGES - 1)];
		f->kv[nr].iov_base = page_address(page) + offset;
		f->kv[nr].iov_len = len;
		bvec_set_page(&f->bv[nr], page, len, offset);
		memcpy(f->flat + f->len, f->kv[nr].iov_base, len);
		f->len += len;
	}
	f->nr = nr;
}

/* Places for them: the last range has what is left, any other may have nothing. */
static void form_ranges(struct suite *t, struct form *f)
{
	size_t left = f->len, len, offset;
	unsigned int i;

	f->nr_rma = suite_random(t, 1, FORM_RANGES);
	for (i = 0; i < f->nr_rma; i++) {
		len = i + 1 < f->nr_rma ? suite_random(t, 0, left) : left;
		left -= len;
		/* from the end of the store to its start */
		offset = (FORM_RANGES - 1 - i) * FORM_ROOM +
			 suite_random(t, 0, FORM_ROOM - len);
		f->rma[i] = (struct kfi_rma_iov) {
			.addr = f->store.addr + offset, .len = len,
			.key = f->store.key,
		};
		if (len)
			store_expect_lines(f->lines, offset, len);
	}
}

static ssize_t form_post(struct form *f, enum kfi_iov_type type, u64 flags)
{
	struct kfi_msg_rma msg = {
		.type = type, .iov_count = f->nr, .rma_iov = f->rma,
		.rma_iov_count = f->nr_rma, .context = f,
	};
	struct scatterlist *sg;
	unsigned int i;
	ssize_t ret;

	switch (type) {
	case KFI_KVEC:
		msg.msg_iov = f->kv;
		return kfi_writemsg(f->store.pair.a.ep, &msg, flags);
	case KFI_BVEC:
		msg.msg_biov = f->bv;
		return kfi_writemsg(f->store.pair.a.ep, &msg, flags);
	default:
		break;
	}
	/* a chained one if it is long */
	ret = sg_alloc_table(&f->sgt, f->nr, GFP_KERNEL);
	if (ret)
		return ret;
	for_each_sgtable_sg(&f->sgt, sg, i)
		sg_set_page(sg, f->bv[i].bv_page, f->bv[i].bv_len,
			    f->bv[i].bv_offset);
	msg.msg_sgl = f->sgt.sgl;
	ret = kfi_writemsg(f->store.pair.a.ep, &msg, flags);
	sg_free_table(&f->sgt);
	return ret;
}

/* All bytes are where they should be, and that is all that is persistent. */
static void form_check(struct form *f)
{
	struct store *store = &f->store;
	struct suite *t = store->t;
	size_t done = 0, at;
	unsigned int i;

	store_take_lines(store, f->lines);
	EXPECT(t, bitmap_empty(f->lines, STORE_LINES));
	bitmap_zero(f->lines, STORE_LINES);
	for (i = 0; i < f->nr_rma; i++) {
		at = f->rma[i].addr - store->addr;
		EXPECT_SAME(t, store->mem + at, f->flat + done, f->rma[i].len);
		EXPECT(t, !kfi_pmemsim_dirty(store->sim, at, f->rma[i].len));
		done += f->rma[i].len;
	}
}

static void test_vectors(struct suite *t)
{
	static const u64 flags[] = { 0, KFI_FENCE, KFI_COMPLETION };
	unsigned int rounds = suite_scaled(5000, 30);
	struct form *f = form_open(t);
	enum kfi_iov_type type;
	unsigned int i;

	if (!f)
		return;
	for (i = 0; i < rounds && !suite_failed(t); i++) {
		type = KFI_KVEC + i % 3;
		form_pieces(t, f, FORM_SEGS, FORM_LEN);
		form_ranges(t, f);
		if (!EXPECT_OK(t, form_post(f, type, KFI_COMMIT |
					    flags[i / 3 % 3])) ||
		    !EXPECT_COMP(t, &f->store.pair.a.tx, f, NULL))
			break;
		form_check(f);
		if (suite_failed(t))
			COMPLAIN(t, "type %d, %u pieces, %u ranges, %zu bytes",
				 type, f->nr, f->nr_rma, f->len);
	}
	form_close(f);
}

/* Small payload of any kind goes inside of the request, to all of its places. */
static void test_inject(struct suite *t)
{
	unsigned int rounds = suite_scaled(2000, 15);
	struct form *f = form_open(t);
	unsigned int i;

	if (!f)
		return;
	for (i = 0; i < rounds && !suite_failed(t); i++) {
		form_pieces(t, f, 4, FORM_INJECT);
		form_ranges(t, f);
		if (!EXPECT_OK(t, form_post(f, KFI_KVEC + i % 3,
					    KFI_COMMIT | KFI_INJECT)))
			break;
		memset(f->pages.buf, 0, f->pages.len);
		if (!EXPECT_COMP(t, &f->store.pair.a.tx, f, NULL))
			break;
		form_check(f);
	}
	form_close(f);
}

/* A chain of commits and writes; what ends it may be refused. */
static void check_chain(struct suite *t, struct store *store, bool refused)
{
	uintptr_t op;

	for (op = 1; op <= 8; op++)
		EXPECT_OK(t, store_write(store, op * 4096, 4096, (void *)op,
					 KFI_COMMIT | KFI_MORE));
	EXPECT_EQ(t, store_write(store, 0, refused ? STORE_LEN + 1 : 64,
				 (void *)op, KFI_COMMIT |
				 (refused ? KFI_TRANSMIT_COMPLETE : 0)),
		  refused ? -EINVAL : 0);
	for (op = 1; op <= (refused ? 8 : 9); op++)
		EXPECT_COMP(t, &store->pair.a.tx, (void *)op, NULL);
	EXPECT_NO_COMP(t, &store->pair.a.tx);
	EXPECT_SAME(t, store->mem + 4096, store->buf + 4096, 8 * 4096);
	EXPECT(t, !kfi_pmemsim_dirty(store->sim, 4096, 8 * 4096));
}

static void test_more(struct suite *t)
{
	struct store store;

	if (!store_open(t, &store, NULL))
		return;
	check_chain(t, &store, false);
	memset(store.mem, 0, STORE_LEN);
	check_chain(t, &store, true);
	store_close(&store);
}

/* What a chain has so far waits for its end, however busy the endpoint is. */
static void test_unfinished(struct suite *t)
{
	unsigned int rounds = suite_scaled(2000, 50);
	struct store store;

	if (!store_open(t, &store, NULL))
		return;
	for (; rounds && !suite_failed(t); rounds--) {
		EXPECT_OK(t, store_write(&store, 0, 4096, (void *)1, 0));
		EXPECT_OK(t, store_write(&store, 4096, 64, (void *)2,
					 KFI_MORE));
		EXPECT_COMP(t, &store.pair.a.tx, (void *)1, NULL);
		EXPECT_NO_COMP(t, &store.pair.a.tx);
		EXPECT_OK(t, store_write(&store, 8192, 64, (void *)3, 0));
		EXPECT_COMP(t, &store.pair.a.tx, (void *)2, NULL);
		EXPECT_COMP(t, &store.pair.a.tx, (void *)3, NULL);
	}
	store_close(&store);
}

/* No entries but those that are asked for, and errors; no slot is lost. */
static void test_selective(struct suite *t)
{
	const struct suite_opts opts = { .tx_bind = KFI_SELECTIVE_COMPLETION };
	unsigned int rounds = suite_scaled(5000, 300), i;
	struct store store;

	if (!store_open(t, &store, &opts))
		return;
	for (i = 1; i <= rounds && !suite_failed(t); i++) {
		EXPECT_OK(t, store_write(&store, i % 64 * 64, 64, NULL,
					 i % 32 ? KFI_COMMIT :
					 KFI_COMMIT | KFI_COMPLETION));
		if (i % 32 == 0)
			EXPECT_COMP(t, &store.pair.a.tx, NULL, NULL);
	}
	EXPECT_OK(t, store_write(&store, 0, 64, &store,
				 KFI_COMMIT | KFI_COMPLETION));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	EXPECT(t, !kfi_pmemsim_dirty(store.sim, 0, 4096));
	if (store_asks(&store)) {
		kfi_pmemsim_fail_next(store.sim, 1);
		EXPECT_OK(t, store_write(&store, 0, 64, &store, KFI_COMMIT));
		EXPECT_COMP_ERR(t, &store.pair.a.tx, &store, EIO,
				KFI_RMA | KFI_WRITE | KFI_COMMIT);
	}
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	store_close(&store);
}

/*
 * As many commits as there are slots, of which the first takes its time: the others
 * are persistent in one go. The device is asked once for every 32 places.
 */
static void check_batch(struct suite *t, size_t stride, unsigned int persists)
{
	const struct suite_opts opts = { .tx_size = 128 };
	struct store store;
	ktime_t start;
	uintptr_t op;
	bool busy;

	if (!store_open(t, &store, &opts))
		return;
	kfi_pmemsim_set_delay(store.sim, FORM_DELAY_MS);
	start = ktime_get();
	for (op = 1; op <= 64; op++)
		EXPECT_OK(t, store_write(&store, op * stride, 64, (void *)op,
					 KFI_COMMIT));
	EXPECT_EQ(t, store_write(&store, 0, 64, NULL, KFI_COMMIT), -EAGAIN);
	busy = ktime_ms_delta(ktime_get(), start) >= FORM_DELAY_MS / 2;
	for (op = 1; op <= 64; op++)
		if (!EXPECT_COMP(t, &store.pair.a.tx, (void *)op, NULL))
			break;
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	for (op = 1; op <= 64; op++) {
		EXPECT(t, !kfi_pmemsim_dirty(store.sim, op * stride, 64));
		EXPECT_SAME(t, store.mem + op * stride, store.buf + op * stride,
			    64);
	}
	/* on a machine that was too busy they did not wait together */
	if (!busy)
		EXPECT(t, kfi_pmemsim_persists(store.sim) <= persists);
	store_close(&store);
}

static void test_batch(struct suite *t)
{
	/* side by side, as the records of a log, and all over the place */
	check_batch(t, 64, 2);
	check_batch(t, 8192, 3);
}

static void on_room(struct kfid_ep *ep, void *context)
{
	complete(context);
}

/* Who was refused for lack of a slot is told when there is one. */
static void test_room(struct suite *t)
{
	struct suite_opts opts = { .tx_size = 128 };
	struct completion room;
	struct store store;
	unsigned int i;

	init_completion(&room);
	opts.tx_handler.handler = on_room;
	opts.tx_handler.context = &room;
	if (!store_open(t, &store, &opts))
		return;
	kfi_pmemsim_set_delay(store.sim, FORM_DELAY_MS);
	for (i = 0; i < 64; i++)
		EXPECT_OK(t, store_write(&store, i * 64, 64, NULL, KFI_COMMIT));
	EXPECT_EQ(t, store_write(&store, 0, 64, NULL, KFI_COMMIT), -EAGAIN);
	EXPECT(t, wait_for_completion_timeout(&room,
					      msecs_to_jiffies(SUITE_TIMEOUT_MS)));
	EXPECT_OK(t, store_write(&store, 0, 64, NULL, KFI_COMMIT));
	for (i = 0; i < 65; i++)
		EXPECT_COMP(t, &store.pair.a.tx, NULL, NULL);
	EXPECT(t, !completion_done(&room));
	store_close(&store);
}

const struct suite_test suite_form_tests[] = {
	{ "form.vectors", test_vectors },
	{ "form.inject", test_inject },
	{ "form.more", test_more },
	{ "form.unfinished", test_unfinished },
	{ "form.selective", test_selective },
	{ "form.batch", test_batch },
	{ "form.room", test_room },
	{ "form.vectors_read", test_vectors, KFI_COMMIT_READ },
	{ "form.inject_read", test_inject, KFI_COMMIT_READ },
	{ "form.more_read", test_more, KFI_COMMIT_READ },
	{ "form.selective_read", test_selective, KFI_COMMIT_READ },
	{ "form.vectors_flush", test_vectors, KFI_COMMIT_FLUSH },
	{ "form.inject_flush", test_inject, KFI_COMMIT_FLUSH },
	{ "form.more_flush", test_more, KFI_COMMIT_FLUSH },
	{ "form.selective_flush", test_selective, KFI_COMMIT_FLUSH },
	{ }
};
