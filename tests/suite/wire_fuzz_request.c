// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A stranger who sends requests that are nearly right. Each is answered as it
 * should be, or ends the connection; nothing is stored or made persistent but
 * what a good one asked for.
 */

#include <linux/bitmap.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "wire.h"
#include "wire_mutate.h"

#define FUZZ_LINES	(WIRE_MEM_LEN / KFI_PMEMSIM_LINE)
#define FUZZ_TRACE	32
#define FUZZ_CLOSED	-1
/* More ranges and more payload than there may be, but less than a message */
#define FUZZ_RANGES	(WIRE_RANGES + 4)
#define FUZZ_INLINE	(WIRE_INLINE + 8)

/**
 * struct fuzz - a stranger and what it knows of its target
 * @w: the connection
 * @mem: what is in the memory
 * @lines: those that are to be made persistent
 * @persists: requests that were
 * @failed: one was refused: payload is now stored, or it is not
 * @len: bytes of the request in the making
 * @count: how many ended in which way, those that closed in front
 */
struct fuzz {
	struct wire	w;
	u8		mem[WIRE_MEM_LEN];
	DECLARE_BITMAP(lines, FUZZ_LINES);
	u64		persists;
	bool		failed;
	size_t		len;
	unsigned int	count[1 + WIRE_BROKEN + 1];
};

static bool fuzz_connect(struct fuzz *f)
{
	struct wire_record rec;
	unsigned int i;

	f->failed = false;
	wire_good_record(&rec);
	if (!wire_connect(&f->w, &rec, sizeof(rec), NULL, 0))
		return false;
	for (i = 0; i < WIRE_RECVS; i++)
		if (!EXPECT_OK(f->w.t, kfi_recv(f->w.a.ep, f->w.in, WIRE_MAX,
						NULL, 0, f->w.in)))
			return false;
	return true;
}

/*
 * Requests
 */

static void put_range(struct fuzz *f, struct wire_range *range, u64 len)
{
	u64 offset = suite_random(f->w.t, 0, WIRE_MEM_LEN - len);

	range->addr = cpu_to_be64(f->w.mr->iova + offset);
	range->len = cpu_to_be64(len);
	range->key = cpu_to_be64(f->w.mr->key);
}

static unsigned int pick_ranges(struct suite *t)
{
	switch (suite_random(t, 0, 31)) {
	case 0:
		return suite_random(t, 1, FUZZ_RANGES);
	case 1 ... 7:
		return suite_random(t, 1, WIRE_RANGES);
	default:
		return suite_random(t, 1, 2);
	}
}

/* A good request, or one with a little too much; one of three has payload */
static void put_request(struct fuzz *f)
{
	struct wire_request *req = (void *)f->w.out;
	struct suite *t = f->w.t;
	unsigned int i, len, payload = 0;
	bool inside = !suite_random(t, 0, 2);

	memset(f->w.out, 0, 2 * WIRE_MAX);
	req->op = inside || suite_random(t, 0, 3) ? WIRE_COMMIT : WIRE_DELIVER;
	req->nr_ranges = pick_ranges(t);
	inside &= req->nr_ranges <= WIRE_RANGES;
	req->slot = cpu_to_be16(suite_random(t, 0, 70));
	req->generation = cpu_to_be32(suite_random(t, 0, U32_MAX - 1));
	req->data = cpu_to_be32(suite_random(t, 0, U32_MAX - 1));
	req->flags = !suite_random(t, 0, 2);
	req->since = cpu_to_be32(suite_random(t, 0, U32_MAX - 1));
	for (i = 0; i < req->nr_ranges; i++) {
		len = suite_random(t, 0, inside ? FUZZ_INLINE / req->nr_ranges :
					 4096);
		put_range(f, req->ranges + i, len);
		payload += len;
	}
	f->len = offsetof(struct wire_request, ranges) +
		 req->nr_ranges * sizeof(*req->ranges);
	if (inside) {
		req->inline_len = cpu_to_be16(payload);
		prandom_bytes_state(&t->rnd, f->w.out + f->len, payload);
		f->len += payload;
	}
}

/* Ranges and keys that somebody would try who wants what is not his */
static void forge_range(struct fuzz *f)
{
	struct wire_request *req = (void *)f->w.out;
	struct suite *t = f->w.t;
	struct wire_range *range = req->ranges +
				   suite_random(t, 0, req->nr_ranges - 1);
	u64 start = f->w.mr->iova;
	u64 addr = be64_to_cpu(range->addr), key = f->w.mr->key;

	switch (suite_random(t, 0, 7)) {
	case 0:	/* another key, with the mark */
		key ^= BIT_ULL(suite_random(t, 0, 31));
		break;
	case 1:	/* another mark */
		key ^= BIT_ULL(suite_random(t, 32, 63));
		break;
	case 2:	/* any key */
		key = WIRE_MARK | suite_random(t, 0, U32_MAX - 1);
		break;
	case 3:	/* around the end of the address space */
		range->len = cpu_to_be64(-addr + suite_random(t, 0, 128));
		break;
	case 4:	/* and back to where it began, or nearly */
		range->len = cpu_to_be64((u64)suite_random(t, 0, 128) - 64);
		break;
	case 5:	/* in front of the region */
		range->addr = cpu_to_be64(start - suite_random(t, 0, 64));
		break;
	case 6:	/* across its end, or just up to it */
		addr = start + WIRE_MEM_LEN - suite_random(t, 0, 64);
		range->addr = cpu_to_be64(addr);
		range->len = cpu_to_be64(suite_random(t, 0, 64));
		break;
	case 7:	/* any bit of any number */
		addr ^= BIT_ULL(suite_random(t, 0, 63));
		range->addr = cpu_to_be64(addr);
		break;
	}
	range->key = cpu_to_be64(key);
}

static void mutate(struct fuzz *f)
{
	/* most of what has no answer costs a connection */
	switch (suite_random(f->w.t, 0, 7)) {
	case 0:
	case 1:
		break;
	case 2:
		f->len = wire_mutate(&f->w.t->rnd, f->w.out, f->len, WIRE_MAX);
		break;
	default:
		forge_range(f);
		break;
	}
}

/*
 * What is expected
 */

static bool range_good(struct fuzz *f, const struct wire_range *range)
{
	u64 addr = be64_to_cpu(range->addr), len = be64_to_cpu(range->len);
	u64 start = f->w.mr->iova;

	return be64_to_cpu(range->key) == f->w.mr->key && addr >= start &&
	       addr - start <= WIRE_MEM_LEN &&
	       len <= WIRE_MEM_LEN - (addr - start);
}

/* Its status, or FUZZ_CLOSED when there is none */
static int judge(struct fuzz *f)
{
	const struct wire_request *req = (void *)f->w.out;
	unsigned int i;

	if (!wire_judge_request(f->w.out, f->len))
		return FUZZ_CLOSED;
	if (req->op == WIRE_DELIVER)
		return WIRE_OK;
	for (i = 0; i < req->nr_ranges; i++)
		if (!range_good(f, &req->ranges[i]))
			return WIRE_ACCESS;
	return WIRE_OK;
}

/* A good commit: what it stores, and what it makes persistent */
static void carry_out(struct fuzz *f)
{
	const struct wire_request *req = (void *)f->w.out;
	const u8 *payload = (void *)&req->ranges[req->nr_ranges];
	u64 offset, len, first, any = 0;
	unsigned int i;

	for (i = 0; i < req->nr_ranges; i++) {
		offset = be64_to_cpu(req->ranges[i].addr) - f->w.mr->iova;
		len = be64_to_cpu(req->ranges[i].len);
		any |= len;
		if (!len)
			continue;
		first = offset / KFI_PMEMSIM_LINE;
		bitmap_set(f->lines, first, (offset + len - 1) /
					    KFI_PMEMSIM_LINE - first + 1);
		if (req->inline_len) {
			memcpy(f->mem + offset, payload, len);
			payload += len;
		}
	}
	f->persists += !!any;
}

/* All that was asked for became persistent, and nothing else. */
static void check_persisted(struct fuzz *f)
{
	struct kfi_pmemsim_trace trace[FUZZ_TRACE];
	DECLARE_BITMAP(seen, FUZZ_LINES);
	struct suite *t = f->w.t;
	unsigned int nr, i;

	bitmap_zero(seen, FUZZ_LINES);
	do {
		nr = kfi_pmemsim_trace_read(f->w.sim, trace, FUZZ_TRACE);
		for (i = 0; i < nr; i++) {
			if (!EXPECT(t, trace[i].offset + trace[i].len <=
				       WIRE_MEM_LEN))
				return;
			bitmap_set(seen, trace[i].offset / KFI_PMEMSIM_LINE,
				   trace[i].len / KFI_PMEMSIM_LINE);
		}
	} while (nr);
	EXPECT(t, bitmap_equal(seen, f->lines, FUZZ_LINES));
	EXPECT_EQ(t, kfi_pmemsim_persists(f->w.sim), f->persists);
	bitmap_zero(f->lines, FUZZ_LINES);
}

/* The target's consumer is told of data if it was asked for and all is well. */
static void check_data(struct fuzz *f, int status)
{
	const struct wire_request *req = (void *)f->w.out;
	struct suite *t = f->w.t;
	struct suite_comp comp;
	bool told;

	told = suite_read_comp(t, &f->w.b.rx, &comp, 0);
	if (!EXPECT_EQ(t, told, status == WIRE_OK && req->flags) || !told)
		return;
	EXPECT_EQ(t, comp.entry.data, be32_to_cpu(req->data));
	EXPECT(t, !suite_read_comp(t, &f->w.b.rx, &comp, 0));
}

/* Its answer, or FUZZ_CLOSED */
static int answer(struct fuzz *f)
{
	const struct wire_request *req = (void *)f->w.out;
	const struct wire_reply *reply = (void *)f->w.in;
	struct suite *t = f->w.t;
	struct suite_comp comp;

	memset(f->w.in, 0, WIRE_MAX);
	if (!EXPECT_OK(t, kfi_send(f->w.a.ep, f->w.out, f->len, NULL, 0,
				   f->w.out)) ||
	    !EXPECT(t, suite_read_comp(t, &f->w.a.rx, &comp,
				       SUITE_TIMEOUT_MS)) ||
	    comp.err)
		return FUZZ_CLOSED;
	EXPECT_COMP(t, &f->w.a.tx, f->w.out, NULL);
	EXPECT_EQ(t, comp.entry.len, sizeof(*reply));
	EXPECT(t, wire_judge_reply(f->w.in, comp.entry.len));
	EXPECT(t, reply->slot == req->slot);
	EXPECT(t, reply->generation == req->generation);
	EXPECT_OK(t, kfi_recv(f->w.a.ep, f->w.in, WIRE_MAX, NULL, 0, f->w.in));
	return reply->status;
}

/*
 * Payload behind a commit that failed is stored or not, depending on which
 * failures its sender says that it has seen; wire.payload has the rules.
 */
static bool status_right(struct fuzz *f, int status, int expected)
{
	const struct wire_request *req = (void *)f->w.out;

	if (status == WIRE_BROKEN && expected == WIRE_OK)
		return EXPECT(f->w.t, f->failed && req->inline_len);
	return EXPECT_EQ(f->w.t, status, expected);
}

static bool fuzz_one(struct fuzz *f)
{
	const struct wire_request *req = (void *)f->w.out;
	struct suite *t = f->w.t;
	int status, expected;

	put_request(f);
	mutate(f);
	expected = judge(f);
	status = answer(f);
	f->count[1 + status]++;
	if (!status_right(f, status, expected))
		return false;
	if (status == WIRE_OK && req->op == WIRE_COMMIT)
		carry_out(f);
	check_persisted(f);
	EXPECT_SAME(t, f->w.mem, f->mem, WIRE_MEM_LEN);
	if (status == FUZZ_CLOSED) {
		wire_expect_closed(&f->w);
		return !suite_failed(t) && wire_reopen(&f->w) &&
		       fuzz_connect(f);
	}
	f->failed |= status != WIRE_OK;
	check_data(f, status);
	return !suite_failed(t);
}

static void fuzz_all(struct fuzz *f)
{
	unsigned int i, rounds = suite_mutations(60000, 600);
	struct suite *t = f->w.t;

	for (i = 0; i < rounds; i++) {
		if (fuzz_one(f))
			continue;
		COMPLAIN(t, "round %u: %*ph", i, (int)min(f->len, 64UL),
			 f->w.out);
		COMPLAIN(t, "the region is at %#llx, its key %#llx",
			 f->w.mr->iova, f->w.mr->key);
		return;
	}
	/* the mutations are worth something */
	for (i = 0; i <= 1 + WIRE_ACCESS; i++)
		EXPECT(t, f->count[i] > rounds / 50);
}

static void test_requests(struct suite *t)
{
	struct fuzz *f = kvzalloc(sizeof(*f), GFP_KERNEL);

	if (!EXPECT(t, f))
		return;
	if (wire_open(t, &f->w, SUITE_COMMIT, SUITE_RAW)) {
		if (fuzz_connect(f))
			fuzz_all(f);
		wire_close(&f->w);
		wire_works(t);
	}
	kvfree(f);
}

const struct suite_test suite_wire_fuzz_request_tests[] = {
	{ "wire.fuzz_requests", test_requests },
	{ }
};
