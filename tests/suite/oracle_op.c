// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the oracle posts: commits of any form and size, to places that no other
 * commit is about until it is complete.
 */

#include <linux/align.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "oracle.h"

/**
 * enum oracle_form - how a commit is posted
 * @FORM_VECTOR: a vector of any kind, to several ranges
 * @FORM_PURE: writes to several ranges, and then a commit of all of them
 * @FORM_INJECT: a little payload, inside of the request
 * @FORM_CALL: a call that has the level in its name, or the endpoint's default
 * @FORMS: how many there are
 */
enum oracle_form {
	FORM_VECTOR,
	FORM_PURE,
	FORM_INJECT,
	FORM_CALL,
	FORMS,
};

/* What every provider takes inside of a request */
#define ORACLE_INJECT	64

u32 oracle_pick(struct oracle_end *end, u32 from, u32 to)
{
	return from + prandom_u32_state(&end->rnd) % (to - from + 1);
}

static bool oracle_chance(struct oracle_end *end, u32 in)
{
	return !oracle_pick(end, 0, in - 1);
}

/* Ends a chain, by what is refused. */
bool oracle_ring(struct oracle_end *end)
{
	const struct kfi_msg_rma nothing = { .type = KFI_KVEC };
	bool chained = end->chained;

	end->chained = false;
	return !chained ||
	       EXPECT_EQ(end->o->t, kfi_writemsg(end->pair->a.ep, &nothing, 0),
			 -EINVAL);
}

/*
 * Places
 */

/*
 * As many bytes as the form takes; all powers of two are equally likely. Large ones
 * take nearly all of the time, so there are few of them unless there is enough.
 */
static size_t oracle_len(struct oracle_end *end, enum oracle_form form)
{
	u32 power = 1 << oracle_pick(end, 0, ilog2(ORACLE_MAX) - 1);

	if (form == FORM_INJECT)
		return oracle_pick(end, 1, ORACLE_INJECT);
	if (power >= ORACLE_LARGE && !end->o->full && !oracle_chance(end, 8))
		power /= ORACLE_LARGE;
	return oracle_pick(end, power, 2 * power);
}

static unsigned int oracle_nr_ranges(struct oracle_end *end,
				     enum oracle_form form)
{
	if (form == FORM_CALL || oracle_chance(end, 2))
		return 1;
	return oracle_pick(end, 2, ORACLE_RANGES);
}

/* Commits whose completions are all in are done with, in their order. */
static void oracle_release(struct oracle_end *end)
{
	struct oracle_op *op;

	while (end->tail != end->head) {
		op = &end->ops[end->tail % ORACLE_OPS];
		/* pairs with the release of who has looked at it */
		if (atomic_read_acquire(&op->waits))
			break;
		end->tail++;
	}
}

/* Whether no commit is outstanding. */
bool oracle_idle(struct oracle_end *end)
{
	oracle_release(end);
	return end->head == end->tail;
}

static bool oracle_room(const struct oracle_end *end, size_t need)
{
	const struct oracle_op *oldest = &end->ops[end->tail % ORACLE_OPS];

	if (end->head == end->tail)
		return true;
	return end->head - end->tail < ORACLE_OPS &&
	       end->pos + need - oldest->start <= ORACLE_AREA;
}

/* Waits until the next bytes of the area are nobody's. */
static bool oracle_reserve(struct oracle_end *end, size_t need)
{
	if (end->pos % ORACLE_AREA + need > ORACLE_AREA)
		end->pos = ALIGN(end->pos, ORACLE_AREA);
	oracle_release(end);
	while (!oracle_room(end, need)) {
		if (!oracle_wait(end))
			return false;
		oracle_release(end);
	}
	return true;
}

/* Mostly in lines of its own, for a neighbour's commit would take them along. */
static void oracle_place(struct oracle_end *end, struct kfi_rma_iov *rma)
{
	const struct store *store = &end->o->store;

	if (!oracle_chance(end, 4))
		end->pos = ALIGN(end->pos, KFI_PMEMSIM_LINE) +
			   oracle_pick(end, 0, KFI_PMEMSIM_LINE - 1);
	rma->addr = store->addr + end->area + end->pos % ORACLE_AREA;
	rma->key = store->key;
	end->pos += rma->len;
}

/* Ranges for @len bytes, of which the last has what is left, in any order */
static bool oracle_ranges(struct oracle_end *end, struct oracle_op *op,
			  size_t len, unsigned int nr)
{
	unsigned int i, other;
	size_t left = len;

	if (!oracle_reserve(end, len + nr * 2 * KFI_PMEMSIM_LINE))
		return false;
	op->start = ALIGN_DOWN(end->pos, KFI_PMEMSIM_LINE);
	op->nr_rma = nr;
	op->len = len;
	for (i = 0; i < nr; i++) {
		op->rma[i].len = i + 1 < nr ? oracle_pick(end, 0, left) : left;
		left -= op->rma[i].len;
		oracle_place(end, &op->rma[i]);
		other = oracle_pick(end, 0, i);
		swap(op->rma[i], op->rma[other]);
	}
	return true;
}

/* Whether the commit can be told from what was there before, in every line */
static bool oracle_differs(struct oracle_end *end, const struct oracle_op *op)
{
	const struct store *store = &end->o->store;
	const u8 *from = store->buf + op->from, *to;
	unsigned int i;
	size_t last;

	for (i = 0; i < op->nr_rma; i++) {
		if (!op->rma[i].len)
			continue;
		to = store->mem + (op->rma[i].addr - store->addr);
		last = op->rma[i].len - 1;
		if (to[0] == from[0] || to[last] == from[last])
			return false;
		from += op->rma[i].len;
	}
	return true;
}

/* Bytes for it, which others may have too, but hardly in the same place */
static void oracle_bytes(struct oracle_end *end, struct oracle_op *op)
{
	size_t most = end->o->store.len - op->len;
	unsigned int tries;

	for (tries = 0; tries < 100; tries++) {
		op->from = oracle_pick(end, 0, most);
		if (oracle_differs(end, op))
			break;
	}
}

/*
 * Posting
 */

static struct page *oracle_page(const void *addr)
{
	return is_vmalloc_addr(addr) ? vmalloc_to_page(addr) :
				       virt_to_page(addr);
}

/* Pages are taken as they come, and kernel memory in a few pieces of any size. */
static void oracle_pieces(struct oracle_end *end, u8 *buf, size_t len,
			  enum kfi_iov_type type)
{
	unsigned int nr = 0;
	size_t n;

	for (; len; nr++, buf += n, len -= n) {
		if (type != KFI_KVEC)
			n = min(len, PAGE_SIZE - offset_in_page(buf));
		else
			n = nr < 15 ? oracle_pick(end, 1, len) : len;
		end->seg[nr].iov_base = buf;
		end->seg[nr].iov_len = n;
		if (type != KFI_KVEC)
			bvec_set_page(&end->bv[nr], oracle_page(buf), n,
				      offset_in_page(buf));
	}
	end->nr_seg = nr;
}

/* The elements are the caller's again when this returns. */
static ssize_t oracle_post_sgl(struct oracle_end *end, struct kfi_msg_rma *msg,
			       u64 flags)
{
	struct scatterlist *sg;
	struct sg_table sgt;
	unsigned int i;
	ssize_t ret;

	ret = sg_alloc_table(&sgt, end->nr_seg, GFP_KERNEL);
	if (ret)
		return ret;
	for_each_sgtable_sg(&sgt, sg, i)
		sg_set_page(sg, end->bv[i].bv_page, end->bv[i].bv_len,
			    end->bv[i].bv_offset);
	msg->msg_sgl = sgt.sgl;
	ret = kfi_writemsg(end->pair->a.ep, msg, flags);
	sg_free_table(&sgt);
	return ret;
}

static ssize_t oracle_writemsg(struct oracle_end *end, struct kfi_msg_rma *msg,
			       u64 flags)
{
	if (msg->type == KFI_SGL && end->nr_seg)
		return oracle_post_sgl(end, msg, flags);
	if (msg->type == KFI_BVEC)
		msg->msg_biov = end->bv;
	else
		msg->msg_iov = end->seg;
	return kfi_writemsg(end->pair->a.ep, msg, flags);
}

/* Waits for room, which the completions of others make. */
static bool oracle_write(struct oracle_end *end, struct kfi_msg_rma *msg,
			 size_t from, size_t len, u64 flags)
{
	ssize_t ret;

	msg->type = KFI_KVEC + oracle_pick(end, 0, 2);
	oracle_pieces(end, end->o->store.buf + from, len, msg->type);
	msg->iov_count = end->nr_seg;
	do {
		ret = oracle_writemsg(end, msg, flags);
	} while (ret == -EAGAIN && oracle_wait(end));
	if (!ret)
		end->chained = flags & KFI_MORE;
	return !ret || (ret != -EAGAIN && EXPECT_OK(end->o->t, ret));
}

/* What is wanted of the commit besides */
static u64 oracle_flags(struct oracle_end *end, const struct oracle_op *op)
{
	u64 flags = op->data ? KFI_REMOTE_CQ_DATA : 0;

	if (oracle_chance(end, 16))
		flags |= KFI_FENCE;
	else if (oracle_chance(end, 4))
		flags |= KFI_MORE;
	return flags;
}

static bool oracle_post_vector(struct oracle_end *end, struct oracle_op *op,
			       u64 flags)
{
	struct kfi_msg_rma msg = {
		.rma_iov = op->rma, .rma_iov_count = op->nr_rma,
		.context = op, .data = op->nr,
	};

	return oracle_write(end, &msg, op->from, op->len, flags |
			    end->o->proof->level | oracle_flags(end, op));
}

/* One range that has all of them, and what lies between */
static struct kfi_rma_iov oracle_hull(const struct oracle_op *op)
{
	struct kfi_rma_iov hull = op->rma[0];
	u64 end = hull.addr + hull.len;
	unsigned int i;

	for (i = 1; i < op->nr_rma; i++) {
		hull.addr = min(hull.addr, op->rma[i].addr);
		end = max(end, op->rma[i].addr + op->rma[i].len);
	}
	hull.len = end - hull.addr;
	return hull;
}

/* Each range by a write of its own, and then a commit of all, or of their hull */
static bool oracle_post_pure(struct oracle_end *end, struct oracle_op *op)
{
	struct kfi_msg_rma msg = { .rma_iov_count = 1 };
	struct kfi_rma_iov hull = oracle_hull(op);
	size_t from = op->from;
	unsigned int i;

	for (i = 0; i < op->nr_rma; i++) {
		msg.rma_iov = &op->rma[i];
		if (op->rma[i].len &&
		    !oracle_write(end, &msg, from, op->rma[i].len,
				  oracle_chance(end, 4) ? KFI_MORE : 0))
			return false;
		from += op->rma[i].len;
	}
	msg.rma_iov = &hull;
	if (oracle_chance(end, 2)) {
		msg.rma_iov = op->rma;
		msg.rma_iov_count = op->nr_rma;
	}
	msg.context = op;
	msg.data = op->nr;
	return oracle_write(end, &msg, 0, 0, end->o->proof->level |
			    oracle_flags(end, op));
}

/* By one of the calls that take no flags, of an endpoint with a default level */
static ssize_t oracle_call(struct oracle_end *end, struct oracle_op *op)
{
	u8 *buf = end->o->store.buf + op->from;
	struct kfid_ep *ep = end->pair->a.ep;
	u64 addr = op->rma[0].addr, key = op->rma[0].key;

	if (op->data)
		return kfi_writedata(ep, buf, op->len, NULL, op->nr, 0, addr,
				     key, op);
	switch (oracle_pick(end, 0, 2)) {
	case 0:
		oracle_pieces(end, buf, op->len, KFI_KVEC);
		return kfi_writev(ep, end->seg, NULL, end->nr_seg, 0, addr, key,
				  op);
	case 1:
		oracle_pieces(end, buf, op->len, KFI_BVEC);
		return kfi_writebv(ep, end->bv, NULL, end->nr_seg, 0, addr, key,
				   op);
	default:
		return kfi_write(ep, buf, op->len, NULL, 0, addr, key, op);
	}
}

static ssize_t oracle_call_commit(struct oracle_end *end, struct oracle_op *op)
{
	u8 *buf = end->o->store.buf + op->from;
	u64 addr = op->rma[0].addr, key = op->rma[0].key;
	struct kfid_ep *ep = end->pair->a.ep;

	if (op->data)
		return kfi_writedata_commit(ep, buf, op->len, NULL, op->nr, 0,
					    addr, key, op);
	return kfi_write_commit(ep, buf, op->len, NULL, 0, addr, key, op);
}

static bool oracle_post_call(struct oracle_end *end, struct oracle_op *op)
{
	ssize_t ret;

	do {
		if (end->pair->a.ep->tx_op_flags & end->o->proof->level)
			ret = oracle_call(end, op);
		else if (end->o->proof->level == KFI_COMMIT)
			ret = oracle_call_commit(end, op);
		else
			return oracle_post_vector(end, op, 0);
	} while (ret == -EAGAIN && oracle_wait(end));
	end->chained = false;
	return !ret || (ret != -EAGAIN && EXPECT_OK(end->o->t, ret));
}

static bool oracle_post(struct oracle_end *end, struct oracle_op *op,
			enum oracle_form form)
{
	switch (form) {
	case FORM_PURE:
		/* there is no plain write of nothing */
		if (end->o->proof->level == KFI_TRANSMIT_COMPLETE)
			return oracle_post_vector(end, op, 0);
		return oracle_post_pure(end, op);
	case FORM_INJECT:
		return oracle_post_vector(end, op, KFI_INJECT);
	case FORM_CALL:
		return oracle_post_call(end, op);
	default:
		return oracle_post_vector(end, op, 0);
	}
}

/* One more commit is outstanding. False when there cannot be any more. */
bool oracle_commit(struct oracle_end *end)
{
	struct oracle_op *op = &end->ops[end->head % ORACLE_OPS];
	enum oracle_form form = oracle_pick(end, 0, FORMS - 1);

	if (!oracle_ranges(end, op, oracle_len(end, form),
			   oracle_nr_ranges(end, form)))
		return false;
	oracle_bytes(end, op);
	op->nr = end->head;
	op->data = oracle_chance(end, 4);
	atomic_set(&op->waits, op->data ? 2 : 1);
	if (!oracle_post(end, op, form))
		return false;
	end->head++;
	end->bytes += op->len;
	return true;
}
