// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A stranger who sends requests to a commit target: malformed ones end the
 * connection, bad ranges get a status, and its memory is not touched by either.
 */

#include <linux/stddef.h>
#include <linux/string.h>

#include "wire.h"

/**
 * struct bad_request - what is wrong with a request
 * @what: in words
 * @at: which byte of a good request with one range
 * @value: what is there instead
 * @len: bytes of the message
 */
struct bad_request {
	const char	*what;
	unsigned int	at;
	u8		value;
	size_t		len;
};

#define AT(field)	offsetof(struct wire_request, field)
#define ONE_RANGE	AT(ranges[1])

static const struct bad_request bad_requests[] = {
	{ "nothing", 0, WIRE_COMMIT, 0 },
	{ "one byte", 0, WIRE_COMMIT, 1 },
	{ "one byte less than a head", 0, WIRE_COMMIT, AT(ranges) - 1 },
	{ "a head without its range", 0, WIRE_COMMIT, AT(ranges) },
	{ "half a range", 0, WIRE_COMMIT, ONE_RANGE - 12 },
	{ "one byte more", 0, WIRE_COMMIT, ONE_RANGE + 1 },
	{ "operation 0", AT(op), 0, ONE_RANGE },
	{ "operation 4", AT(op), 4, ONE_RANGE },
	{ "operation 255", AT(op), 255, ONE_RANGE },
	{ "an answer that is too long", AT(op), WIRE_REPLY, ONE_RANGE },
	{ "an answer that nobody waits for", AT(op), WIRE_REPLY,
	  sizeof(struct wire_reply) },
	{ "no range", AT(nr_ranges), 0, AT(ranges) },
	{ "no range that is there", AT(nr_ranges), 0, ONE_RANGE },
	{ "two ranges, one there", AT(nr_ranges), 2, ONE_RANGE },
	{ "17 ranges, 16 there", AT(nr_ranges), 17,
	  sizeof(struct wire_request) },
	{ "17 ranges", AT(nr_ranges), 17,
	  sizeof(struct wire_request) + sizeof(struct wire_range) },
	{ "255 ranges", AT(nr_ranges), 255, WIRE_MAX },
	{ "an unknown flag", AT(flags), 2, ONE_RANGE },
	{ "a byte that is reserved", AT(reserved), 1, ONE_RANGE },
	{ "a number that is reserved", AT(reserved2), 1, ONE_RANGE },
	{ "payload that is not there", AT(inline_len) + 1, 8, ONE_RANGE },
	{ "payload that is announced as less", AT(inline_len) + 1, 7,
	  ONE_RANGE + 8 },
	{ "payload of more bytes than the ranges", AT(inline_len) + 1, 9,
	  ONE_RANGE + 9 },
	{ "payload of fewer bytes than the ranges", AT(inline_len) + 1, 7,
	  ONE_RANGE + 7 },
	{ "payload of 97 bytes", AT(inline_len) + 1, WIRE_INLINE + 1,
	  ONE_RANGE + WIRE_INLINE + 1 },
	{ "payload of 64 KiB", AT(inline_len), 255, WIRE_MAX },
	{ "more than a message can be", 0, WIRE_COMMIT, WIRE_MAX + 1 },
};

/* A good request: eight bytes at the start of the region */
static struct wire_request *put_request(struct wire *w)
{
	struct wire_request *req = (void *)w->out;

	memset(w->out, 0, 2 * WIRE_MAX);
	req->op = WIRE_COMMIT;
	req->nr_ranges = 1;
	req->ranges[0].addr = cpu_to_be64(w->mr->iova);
	req->ranges[0].len = cpu_to_be64(8);
	req->ranges[0].key = cpu_to_be64(w->mr->key);
	return req;
}

static bool open_stranger(struct suite *t, struct wire *w)
{
	struct wire_record rec;
	unsigned int i;

	if (!wire_open(t, w, SUITE_COMMIT, SUITE_RAW))
		return false;
	wire_good_record(&rec);
	if (!wire_connect(w, &rec, sizeof(rec), NULL, 0)) {
		wire_close(w);
		return false;
	}
	for (i = 0; i < WIRE_RECVS; i++)
		EXPECT_OK(t, kfi_recv(w->a.ep, w->in, WIRE_MAX, NULL, 0,
				      w->in));
	return true;
}

static void check_malformed(struct suite *t, const struct bad_request *bad)
{
	struct wire w;

	if (!open_stranger(t, &w))
		return;
	put_request(&w);
	w.out[bad->at] = bad->value;
	EXPECT_OK(t, kfi_send(w.a.ep, w.out, bad->len, NULL, 0, w.out));
	wire_expect_closed(&w);
	EXPECT_EQ(t, kfi_pmemsim_persists(w.sim), 0);
	EXPECT_ALL(t, w.mem, 0, WIRE_MEM_LEN);
	wire_close(&w);
}

static void test_malformed(struct suite *t)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_requests) && !suite_failed(t); i++) {
		check_malformed(t, &bad_requests[i]);
		if (suite_failed(t))
			COMPLAIN(t, "the above was: %s", bad_requests[i].what);
	}
}

/* Sends what is in @out; the answer has @status, and is to this request. */
static void check_status(struct wire *w, size_t len, u8 status)
{
	struct wire_request *req = (void *)w->out;
	struct wire_reply *reply = (void *)w->in;
	struct suite *t = w->t;
	struct suite_comp comp;

	req->slot = cpu_to_be16(suite_random(t, 0, U16_MAX));
	req->generation = cpu_to_be32(suite_random(t, 0, U32_MAX - 1));
	memset(w->in, 0, WIRE_MAX);
	EXPECT_OK(t, kfi_send(w->a.ep, w->out, len, NULL, 0, w->out));
	EXPECT_COMP(t, &w->a.tx, w->out, NULL);
	if (!EXPECT_COMP(t, &w->a.rx, w->in, &comp))
		return;
	EXPECT_EQ(t, comp.entry.len, sizeof(*reply));
	EXPECT_EQ(t, reply->op, WIRE_REPLY);
	EXPECT_EQ(t, reply->status, status);
	EXPECT(t, reply->slot == req->slot);
	EXPECT(t, reply->generation == req->generation);
	EXPECT_OK(t, kfi_recv(w->a.ep, w->in, WIRE_MAX, NULL, 0, w->in));
}

/**
 * struct bad_range - a range of a well-formed request
 * @what: in words
 * @offset: of its address from the region's start
 * @len: its bytes
 * @flip: what is wrong with the key
 */
struct bad_range {
	const char	*what;
	u64		offset;
	u64		len;
	u64		flip;
};

static const struct bad_range bad_ranges[] = {
	{ "a wrong key", 0, 8, .flip = BIT_ULL(8) },
	{ "a stale key", 0, 8, .flip = 1 },
	{ "a key without the mark", 0, 8, .flip = WIRE_MARK },
	{ "a key with another mark", 0, 8, .flip = BIT_ULL(63) },
	{ "one byte in front", -1ULL, 8 },
	{ "one byte behind", WIRE_MEM_LEN - 7, 8 },
	{ "all behind", WIRE_MEM_LEN, 1 },
	{ "everything", 0, U64_MAX },
	{ "more than the region", 0, WIRE_MEM_LEN + 1 },
	{ "around the end of the address space", -8ULL, -8ULL },
	{ "around it and back into the region", 8, -4ULL },
	{ "half of the address space", 0, BIT_ULL(63) },
};

static void test_ranges(struct suite *t)
{
	const struct bad_range *bad = bad_ranges;
	struct wire_request *req;
	struct wire w;

	if (!open_stranger(t, &w))
		return;
	for (; bad < bad_ranges + ARRAY_SIZE(bad_ranges); bad++) {
		req = put_request(&w);
		req->ranges[0].addr = cpu_to_be64(w.mr->iova + bad->offset);
		req->ranges[0].len = cpu_to_be64(bad->len);
		req->ranges[0].key = cpu_to_be64(w.mr->key ^ bad->flip);
		check_status(&w, ONE_RANGE, WIRE_ACCESS);
		if (suite_failed(t)) {
			COMPLAIN(t, "the above was: %s", bad->what);
			break;
		}
		EXPECT_EQ(t, kfi_pmemsim_persists(w.sim), 0);
	}

	/* a good range does not make up for a bad one */
	req = put_request(&w);
	req->nr_ranges = 2;
	req->ranges[1] = req->ranges[0];
	req->ranges[1].addr = cpu_to_be64(w.mr->iova + WIRE_MEM_LEN);
	check_status(&w, AT(ranges[2]), WIRE_ACCESS);
	EXPECT_EQ(t, kfi_pmemsim_persists(w.sim), 0);

	/* and the connection is as good as ever */
	put_request(&w);
	check_status(&w, ONE_RANGE, WIRE_OK);
	EXPECT_EQ(t, kfi_pmemsim_persists(w.sim), 1);
	wire_close(&w);
}

/* Payload that was posted when commits from @since on were outstanding */
static void put_payload(struct wire *w, u32 since)
{
	struct wire_request *req = put_request(w);

	req->since = cpu_to_be32(since);
	req->inline_len = cpu_to_be16(8);
	memset(&req->ranges[1], 0x77, 8);
}

/* Payload, of which nothing is stored when a part of it must not be */
static void test_payload(struct suite *t)
{
	struct wire_request *req;
	struct wire w;
	u32 failed;

	if (!open_stranger(t, &w))
		return;
	req = put_request(&w);
	req->nr_ranges = 2;
	req->ranges[1] = req->ranges[0];
	req->ranges[1].addr = cpu_to_be64(w.mr->iova + WIRE_MEM_LEN - 7);
	req->inline_len = cpu_to_be16(16);
	memset(&req->ranges[2], 0x77, 16);
	check_status(&w, AT(ranges[2]) + 16, WIRE_ACCESS);
	EXPECT_ALL(t, w.mem, 0, WIRE_MEM_LEN);

	/* nor may it say that this one has not failed, until that is known */
	failed = be32_to_cpu(req->generation);
	put_payload(&w, failed);
	check_status(&w, ONE_RANGE + 8, WIRE_BROKEN);
	EXPECT_ALL(t, w.mem, 0, WIRE_MEM_LEN);
	failed = be32_to_cpu(((struct wire_request *)w.out)->generation);
	put_payload(&w, failed + 1);
	check_status(&w, ONE_RANGE + 8, WIRE_OK);
	EXPECT_ALL(t, w.mem, 0x77, 8);
	EXPECT_ALL(t, w.mem + 8, 0, WIRE_MEM_LEN - 8);
	EXPECT(t, !kfi_pmemsim_dirty(w.sim, 0, 8));
	wire_close(&w);
}

/* Far more requests than there are slots, from one that takes no answers */
static void test_flood(struct suite *t)
{
	struct wire_record rec;
	struct suite_comp comp;
	unsigned int i;
	struct wire w;

	if (!wire_open(t, &w, SUITE_COMMIT, SUITE_RAW))
		return;
	wire_good_record(&rec);
	if (!wire_connect(&w, &rec, sizeof(rec), NULL, 0))
		goto out;
	put_request(&w);
	for (i = 0; i < 500; i++) {
		if (kfi_send(w.a.ep, w.out, ONE_RANGE, NULL, 0, w.out))
			break;
		suite_read_comp(t, &w.a.tx, &comp, 0);
	}
	EXPECT(t, i > 64);
	EXPECT_OK(t, kfi_close(&w.b.ep->fid));
	w.b.ep = NULL;
out:
	wire_close(&w);
}

const struct suite_test suite_wire_request_tests[] = {
	{ "wire.malformed", test_malformed },
	{ "wire.ranges", test_ranges },
	{ "wire.payload", test_payload },
	{ "wire.flood", test_flood },
	{ }
};
