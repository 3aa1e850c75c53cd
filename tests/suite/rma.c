// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reads and writes of every shape: 1 to 512 segments, odd offsets, compound
 * pages, single pages and vmalloc, 1 byte to 8 MiB, by every kind of vector.
 */

#include <linux/bvec.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "suite.h"

#define RMA_MAX		SZ_8M
#define RMA_SEGS	512
#define RMA_BLOCKS	9

/* pages in vmalloc space: of 8 MiB that begin anywhere, and a few for many pieces */
#define RMA_PAGES	(RMA_MAX / PAGE_SIZE + 1)
#define RMA_PAGE_SEGS	(RMA_MAX / PAGE_SIZE + 64)

/**
 * enum rma_shape - where the local memory is, and what describes it
 * @SHAPE_KVEC: struct kvec, pieces of compound pages in the linear map
 * @SHAPE_VMALLOC: struct kvec, pieces of single pages in vmalloc space
 * @SHAPE_BVEC: struct bio_vec, pieces of compound pages
 * @SHAPE_SGL: scatterlist, chained when long, pieces of compound pages
 * @SHAPES: how many
 */
enum rma_shape {
	SHAPE_KVEC,
	SHAPE_VMALLOC,
	SHAPE_BVEC,
	SHAPE_SGL,
	SHAPES
};

/**
 * struct piece - a segment of the local memory
 * @offset: in its arena
 * @len: bytes
 */
struct piece {
	size_t	offset;
	size_t	len;
};

/**
 * struct rma - memory at both ends, and one operation
 * @t: the test
 * @net: the net
 * @pair: the pair
 * @source: blocks with random contents
 * @sink: blocks to be overwritten
 * @pages: single pages for SHAPE_VMALLOC
 * @source_mr: region of @source
 * @sink_mr: region of @sink
 * @pieces: local segments of the operation
 * @nr: how many
 * @len: bytes of all of them
 * @offset: where the operation starts in the remote region
 */
struct rma {
	struct suite		*t;
	struct suite_net	net;
	struct suite_pair	pair;
	struct suite_arena	source;
	struct suite_arena	sink;
	struct suite_arena	pages;
	struct kfid_mr		*source_mr;
	struct kfid_mr		*sink_mr;
	struct piece		pieces[RMA_SEGS];
	unsigned int		nr;
	size_t			len;
	size_t			offset;
};

static void rma_close(struct rma *r)
{
	if (r->source_mr)
		EXPECT_OK(r->t, kfi_close(&r->source_mr->fid));
	if (r->sink_mr)
		EXPECT_OK(r->t, kfi_close(&r->sink_mr->fid));
	suite_close(&r->net, &r->pair);
	suite_arena_close(&r->pages);
	suite_arena_close(&r->sink);
	suite_arena_close(&r->source);
	kvfree(r);
}

static struct rma *rma_open(struct suite *t)
{
	struct rma *r = kvzalloc(sizeof(*r), GFP_KERNEL);
	unsigned int order = get_order(SZ_1M);

	if (!EXPECT(t, r))
		return NULL;
	r->t = t;
	if (!suite_open(t, &r->net, &r->pair, NULL)) {
		kvfree(r);
		return NULL;
	}
	if (!suite_arena_open(t, &r->source, order, RMA_BLOCKS) ||
	    !suite_arena_open(t, &r->sink, order, RMA_BLOCKS) ||
	    !suite_arena_open(t, &r->pages, 0, RMA_PAGES) ||
	    !suite_arena_register(&r->net, &r->source, &r->source_mr) ||
	    !suite_arena_register(&r->net, &r->sink, &r->sink_mr)) {
		rma_close(r);
		return NULL;
	}
	suite_fill(t, r->source.buf, r->source.len);
	return r;
}

/* Random, all magnitudes alike */
static size_t random_size(struct suite *t, size_t most)
{
	size_t limit = 1UL << suite_random(t, 0, ilog2(most));

	return suite_random(t, limit, min(2 * limit - 1, most));
}

/* What a piece at @offset can be at most without leaving its block */
static size_t room_at(const struct suite_arena *arena, size_t offset)
{
	size_t block = PAGE_SIZE << arena->order;

	return block - offset % block;
}

/*
 * Pieces side by side with small gaps, at most @nr and at most @len bytes. In
 * vmalloc space each page is a segment of its own, so there are fewer.
 */
static void choose_pieces(struct rma *r, const struct suite_arena *arena,
			  bool vmalloc, unsigned int nr, size_t len)
{
	size_t at = suite_random(r->t, 0, 100), most, segs = RMA_PAGE_SEGS;
	size_t block = PAGE_SIZE << arena->order;
	struct piece *piece;

	r->len = 0;
	for (r->nr = 0; r->nr < nr && r->len < len; r->nr++) {
		most = min(DIV_ROUND_UP(len - r->len, nr - r->nr),
			   len - r->len);
		if (!vmalloc && most <= block && most > room_at(arena, at))
			at = round_up(at, block);
		most = min(most, arena->len - min(at, arena->len));
		if (vmalloc && most)
			most = min(most, segs * PAGE_SIZE -
				   min(segs * PAGE_SIZE, offset_in_page(at)));
		else if (most)
			most = min(most, room_at(arena, at));
		if (!most)
			break;
		piece = &r->pieces[r->nr];
		piece->offset = at;
		piece->len = most;
		r->len += most;
		segs -= DIV_ROUND_UP(offset_in_page(at) + most, PAGE_SIZE);
		at += most + suite_random(r->t, 1, 7);
	}
	r->offset = suite_random(r->t, 0, r->sink.len - r->len);
}

static ssize_t post_kvec(struct rma *r, const struct suite_arena *arena,
			 bool vmalloc, bool read, const struct kfid_mr *mr)
{
	size_t block = PAGE_SIZE << arena->order;
	struct kfid_ep *ep = r->pair.a.ep;
	const struct piece *piece;
	struct kvec *iov;
	unsigned int i;
	ssize_t ret;

	iov = kzalloc_objs(*iov, r->nr);
	if (!iov)
		return -ENOMEM;
	for (i = 0; i < r->nr; i++) {
		piece = &r->pieces[i];
		if (vmalloc)
			iov[i].iov_base = arena->buf + piece->offset;
		else
			iov[i].iov_base = piece->offset % block +
				page_address(arena->blocks[piece->offset /
							   block]);
		iov[i].iov_len = piece->len;
	}
	if (read)
		ret = kfi_readv(ep, iov, NULL, r->nr, 0, mr->iova + r->offset,
				mr->key, r);
	else
		ret = kfi_writev(ep, iov, NULL, r->nr, 0, mr->iova + r->offset,
				 mr->key, r);
	kfree(iov);
	return ret;
}

static ssize_t post_bvec(struct rma *r, const struct suite_arena *arena,
			 bool read, const struct kfid_mr *mr)
{
	size_t block = PAGE_SIZE << arena->order;
	struct kfid_ep *ep = r->pair.a.ep;
	const struct piece *piece;
	struct bio_vec *bv;
	unsigned int i;
	ssize_t ret;

	bv = kzalloc_objs(*bv, r->nr);
	if (!bv)
		return -ENOMEM;
	for (i = 0; i < r->nr; i++) {
		piece = &r->pieces[i];
		bvec_set_page(&bv[i], arena->blocks[piece->offset / block],
			      piece->len, piece->offset % block);
	}
	if (read)
		ret = kfi_readbv(ep, bv, NULL, r->nr, 0, mr->iova + r->offset,
				 mr->key, r);
	else
		ret = kfi_writebv(ep, bv, NULL, r->nr, 0, mr->iova + r->offset,
				  mr->key, r);
	kfree(bv);
	return ret;
}

static ssize_t post_sgl(struct rma *r, const struct suite_arena *arena,
			bool read, const struct kfid_mr *mr)
{
	size_t block = PAGE_SIZE << arena->order;
	struct kfid_ep *ep = r->pair.a.ep;
	const struct piece *piece = r->pieces;
	struct scatterlist *sg;
	struct sg_table table;
	unsigned int i;
	ssize_t ret;

	ret = sg_alloc_table(&table, r->nr, GFP_KERNEL);
	if (ret)
		return ret;
	for_each_sg(table.sgl, sg, r->nr, i) {
		sg_set_page(sg, arena->blocks[piece->offset / block],
			    piece->len, piece->offset % block);
		piece++;
	}
	if (read)
		ret = kfi_readsgl(ep, table.sgl, NULL, r->nr, 0,
				  mr->iova + r->offset, mr->key, r);
	else
		ret = kfi_writesgl(ep, table.sgl, NULL, r->nr, 0,
				   mr->iova + r->offset, mr->key, r);
	sg_free_table(&table);
	return ret;
}

static ssize_t post(struct rma *r, enum rma_shape shape,
		    const struct suite_arena *arena, bool read,
		    const struct kfid_mr *mr)
{
	switch (shape) {
	case SHAPE_KVEC:
		return post_kvec(r, arena, false, read, mr);
	case SHAPE_VMALLOC:
		return post_kvec(r, arena, true, read, mr);
	case SHAPE_BVEC:
		return post_bvec(r, arena, read, mr);
	default:
		return post_sgl(r, arena, read, mr);
	}
}

/* The remote bytes are those of the pieces; no other byte of the sink is new. */
static void check_write(struct rma *r, const struct suite_arena *from)
{
	const u8 *to = r->sink.buf + r->offset;
	struct suite *t = r->t;
	unsigned int i;

	for (i = 0; i < r->nr; i++) {
		if (!EXPECT_SAME(t, to, from->buf + r->pieces[i].offset,
				 r->pieces[i].len))
			return;
		to += r->pieces[i].len;
	}
	EXPECT_ALL(t, r->sink.buf, 0, r->offset);
	EXPECT_ALL(t, to, 0, r->sink.buf + r->sink.len - to);
}

static void check_read(struct rma *r, const struct suite_arena *to)
{
	const u8 *from = r->source.buf + r->offset;
	struct suite *t = r->t;
	size_t at = 0;
	unsigned int i;

	for (i = 0; i < r->nr; i++) {
		const struct piece *piece = &r->pieces[i];

		if (!EXPECT_SAME(t, to->buf + piece->offset, from, piece->len))
			return;
		from += piece->len;
		EXPECT_ALL(t, to->buf + at, 0, piece->offset - at);
		at = piece->offset + piece->len;
	}
	EXPECT_ALL(t, to->buf + at, 0, to->len - at);
}

/* One operation of at most @nr segments and @len bytes */
static void run(struct rma *r, enum rma_shape shape, bool read, unsigned int nr,
		size_t len)
{
	struct suite_arena *local = read ? &r->sink : &r->source;
	struct suite *t = r->t;
	struct suite_comp comp;
	struct piece *last;

	memset(r->sink.buf, 0, r->sink.len);
	if (shape == SHAPE_VMALLOC)
		local = &r->pages;
	choose_pieces(r, local, shape == SHAPE_VMALLOC, nr, len);
	last = &r->pieces[r->nr - 1];
	if (local == &r->pages && read)
		memset(local->buf, 0, local->len);
	else if (local == &r->pages)
		suite_fill(t, local->buf, last->offset + last->len);
	if (EXPECT_OK(t, post(r, shape, local, read,
			      read ? r->source_mr : r->sink_mr)) &&
	    EXPECT_COMP(t, &r->pair.a.tx, r, &comp)) {
		EXPECT(t, comp.entry.flags & KFI_RMA);
		EXPECT(t, comp.entry.flags & (read ? KFI_READ : KFI_WRITE));
		if (read)
			check_read(r, local);
		else if (suite_settle(t, &r->pair.a,
				      r->sink_mr->iova + r->offset,
				      r->sink_mr->key))
			check_write(r, local);
	}
	if (suite_failed(t))
		COMPLAIN(t, "%s of %zu bytes in %u pieces, shape %d, to %zu",
			 read ? "read" : "write", r->len, r->nr, shape,
			 r->offset);
}

/* Whether the pieces have the length that was asked for */
static bool is_exact(enum rma_shape shape, unsigned int nr, size_t len)
{
	return shape == SHAPE_VMALLOC ? nr == 1 : len <= nr * (size_t)SZ_1M;
}

static void test_corners(struct suite *t)
{
	static const struct {
		unsigned int nr;
		size_t len;
	} corners[] = {
		{ 1, 1 }, { 1, PAGE_SIZE }, { 1, PAGE_SIZE + 1 }, { 2, 2 },
		{ 1, SZ_1M }, { 3, 1023 }, { 31, SZ_64K }, { 32, SZ_64K },
		{ 33, SZ_64K }, { RMA_SEGS, RMA_SEGS }, { RMA_SEGS, RMA_MAX },
		{ RMA_BLOCKS, RMA_MAX }, { 1, RMA_MAX },
	};
	/* the longest take a while on a device in software */
	size_t most_others = suite_scaled(RMA_MAX, SZ_64K);
	struct rma *r = rma_open(t);
	enum rma_shape shape;
	unsigned int i;
	size_t len;

	if (!r)
		return;
	for (i = 0; i < ARRAY_SIZE(corners); i++) {
		for (shape = 0; shape < SHAPES && !suite_failed(t); shape++) {
			len = corners[i].len;
			if (shape != SHAPE_BVEC)
				len = min(len, most_others);
			run(r, shape, false, corners[i].nr, len);
			run(r, shape, true, corners[i].nr, len);
			if (is_exact(shape, corners[i].nr, len))
				EXPECT_EQ(t, r->len, len);
		}
	}
	rma_close(r);
}

static void test_random(struct suite *t)
{
	unsigned int rounds = suite_scaled(2000, 20);
	struct rma *r = rma_open(t);

	if (!r)
		return;
	for (; rounds && !suite_failed(t); rounds--)
		run(r, suite_random(t, 0, SHAPES - 1), suite_random(t, 0, 1),
		    random_size(t, RMA_SEGS), random_size(t, RMA_MAX));
	rma_close(r);
}

/* One piece of local memory, many ranges at the target, in reverse order */
static void check_ranges(struct rma *r, size_t nr, bool read)
{
	struct kfid_mr *mr = read ? r->source_mr : r->sink_mr;
	struct kvec iov = {
		.iov_base = page_address(r->pages.blocks[0]),
		.iov_len = nr * 8,
	};
	struct kfi_rma_iov *rma = kzalloc_objs(*rma, nr);
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = rma, .rma_iov_count = nr, .context = r,
	};
	const u8 *remote = read ? r->source.buf : r->sink.buf;
	struct kfid_ep *ep = r->pair.a.ep;
	struct suite *t = r->t;
	size_t i;

	if (!EXPECT(t, rma))
		return;
	for (i = 0; i < nr; i++) {
		rma[i].addr = mr->iova + (nr - i) * SZ_64K + 1;
		rma[i].len = 8;
		rma[i].key = mr->key;
	}
	EXPECT_OK(t, read ? kfi_readmsg(ep, &msg, 0) :
			    kfi_writemsg(ep, &msg, 0));
	EXPECT_COMP(t, &r->pair.a.tx, r, NULL);
	EXPECT_NO_COMP(t, &r->pair.a.tx);
	suite_settle(t, &r->pair.a, rma[0].addr, mr->key);
	for (i = 0; i < nr; i++)
		EXPECT_SAME(t, remote + (nr - i) * SZ_64K + 1,
			    iov.iov_base + 8 * i, 8);
	kfree(rma);
}

static void test_ranges(struct suite *t)
{
	struct rma *r = rma_open(t);
	size_t nr;

	if (!r)
		return;
	nr = min_t(size_t, r->pair.info->tx_attr->rma_iov_limit, 16);
	suite_fill(t, r->pages.buf, PAGE_SIZE);
	check_ranges(r, nr, false);
	check_ranges(r, nr, true);
	rma_close(r);
}

const struct suite_test suite_rma_tests[] = {
	{ "rma.corners", test_corners },
	{ "rma.random", test_random },
	{ "rma.ranges", test_ranges },
	{ }
};
