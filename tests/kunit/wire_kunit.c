// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the verbs provider makes of bytes from a peer, against what a test that
 * knows nothing but the format makes of them. Each message is in memory of just
 * its size, where KASAN sees who reads behind it.
 */

#include <kunit/test.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

/* all can be built into one kernel */
#define kfv_wire_parse_record kunit_wire_parse_record
#define kfv_wire_put_record kunit_wire_put_record
#define kfv_wire_request_valid kunit_wire_request_valid
#define kfv_wire_reply_valid kunit_wire_reply_valid
#include "../../providers/verbs/commit_wire.c"

#define wire_mutate kunit_wire_mutate
#define wire_number kunit_wire_number
#define wire_judge_record kunit_wire_judge_record
#define wire_judge_request kunit_wire_judge_request
#define wire_judge_reply kunit_wire_judge_reply
#include "../suite/wire_mutate.c"

#define WIRE_ROUNDS	100000

/**
 * struct fuzz - a test
 * @rnd: random numbers
 * @buf: the message in the making
 * @good: messages that were well-formed
 */
struct fuzz {
	struct rnd_state	rnd;
	u8			buf[KFV_WIRE_MAX];
	unsigned int		good;
};

static struct fuzz *fuzz_start(struct kunit *test)
{
	struct fuzz *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	u32 seed = get_random_u32();

	KUNIT_ASSERT_NOT_NULL(test, f);
	kunit_info(test, "seed %u", seed);
	prandom_seed_state(&f->rnd, seed);
	return f;
}

/* Mutates three of four, and returns a copy in memory of its own. */
static void *fuzz_message(struct kunit *test, struct fuzz *f, size_t *len)
{
	void *message;

	if (wire_pick(&f->rnd, 4))
		*len = wire_mutate(&f->rnd, f->buf, *len, sizeof(f->buf));
	/* of one byte at least, because it is looked at what that is */
	message = kmemdup(f->buf, max_t(size_t, *len, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, message);
	return message;
}

/* Neither of both is what the mutations always make. */
static void fuzz_end(struct kunit *test, const struct fuzz *f)
{
	kunit_info(test, "%u of %u were well-formed", f->good, WIRE_ROUNDS);
	KUNIT_EXPECT_GT(test, f->good, WIRE_ROUNDS / 10);
	KUNIT_EXPECT_LT(test, f->good, WIRE_ROUNDS * 9 / 10);
}

static size_t put_record(struct fuzz *f)
{
	struct kfv_peer peer = {
		.domain = wire_pick(&f->rnd, 3),
		.sync = wire_pick(&f->rnd, 2),
		.methods = KFV_WIRE_SERVER | wire_pick(&f->rnd, U8_MAX + 1),
		.slots = 1 + wire_pick(&f->rnd, U16_MAX),
		.max_ranges = 1 + wire_pick(&f->rnd, U8_MAX),
		.max_inline = wire_pick(&f->rnd, U8_MAX + 1),
		.role = wire_pick(&f->rnd, KFV_WIRE_MSG + 1),
		.cookie = prandom_u32_state(&f->rnd),
	};

	kfv_wire_put_record((void *)f->buf, &peer);
	return sizeof(struct kfv_wire_record);
}

/*
 * Methods of a record; bit 1 is reads, bit 2 flushes, which need a domain, and one in
 * time.
 */
static u8 usable(const u8 *msg)
{
	return msg[5] && msg[6] & 1 ? msg[7] : msg[7] & ~6;
}

static void records(struct kunit *test)
{
	struct fuzz *f = fuzz_start(test);
	struct kfv_peer peer;
	unsigned int i;
	size_t len;
	u8 *msg;
	int ret;

	for (i = 0; i < WIRE_ROUNDS; i++) {
		len = put_record(f);
		msg = fuzz_message(test, f, &len);
		ret = kfv_wire_parse_record(msg, len, &peer);
		KUNIT_EXPECT_EQ(test, ret, wire_judge_record(msg, len));
		if (!ret) {
			KUNIT_EXPECT_EQ(test, peer.domain, msg[5]);
			KUNIT_EXPECT_EQ(test, peer.methods, usable(msg));
			KUNIT_EXPECT_EQ(test, peer.slots,
					wire_number(msg + 8, 2));
			KUNIT_EXPECT_EQ(test, peer.max_ranges,
					min_t(u8, msg[10], 16));
			KUNIT_EXPECT_EQ(test, peer.max_inline,
					min_t(u8, msg[11], 96));
			KUNIT_EXPECT_EQ(test, peer.role,
					msg[4] == 1 ? 0 : msg[12]);
			KUNIT_EXPECT_EQ(test, peer.cookie,
					wire_number(msg + 16, 8));
			f->good++;
		}
		kfree(msg);
		cond_resched();
	}
	fuzz_end(test, f);
}

/* Counts go a little beyond their limits. */
static size_t put_request(struct fuzz *f)
{
	struct kfv_wire_request *req = (void *)f->buf;
	unsigned int i, bytes, payload = 0;

	prandom_bytes_state(&f->rnd, f->buf, sizeof(f->buf));
	req->op = KFV_WIRE_COMMIT + wire_pick(&f->rnd, 2);
	req->nr_ranges = 1 + wire_pick(&f->rnd, KFV_WIRE_RANGES + 2);
	req->flags = wire_pick(&f->rnd, 2);
	req->reserved = 0;
	req->reserved2 = 0;
	for (i = 0; i < req->nr_ranges; i++) {
		bytes = wire_pick(&f->rnd, (KFV_WIRE_INLINE + 8) /
					   req->nr_ranges + 1);
		req->ranges[i].len = cpu_to_be64(bytes);
		payload += bytes;
	}
	if (req->op != KFV_WIRE_COMMIT || wire_pick(&f->rnd, 2) ||
	    req->nr_ranges > KFV_WIRE_RANGES)
		payload = 0;
	req->inline_len = cpu_to_be16(payload);
	return struct_size(req, ranges, req->nr_ranges) + payload;
}

static void requests(struct kunit *test)
{
	struct fuzz *f = fuzz_start(test);
	unsigned int i;
	size_t len;
	bool good;
	u8 *msg;

	for (i = 0; i < WIRE_ROUNDS; i++) {
		len = put_request(f);
		msg = fuzz_message(test, f, &len);
		/* who calls has looked at what it is */
		good = (msg[0] == KFV_WIRE_COMMIT || msg[0] == KFV_WIRE_DELIVER) &&
		       kfv_wire_request_valid((void *)msg, len);
		KUNIT_EXPECT_EQ(test, good, wire_judge_request(msg, len));
		f->good += good;
		kfree(msg);
		cond_resched();
	}
	fuzz_end(test, f);
}

static void replies(struct kunit *test)
{
	struct fuzz *f = fuzz_start(test);
	struct kfv_wire_reply *reply = (void *)f->buf;
	unsigned int i;
	size_t len;
	bool good;
	u8 *msg;

	for (i = 0; i < WIRE_ROUNDS; i++) {
		prandom_bytes_state(&f->rnd, f->buf, sizeof(f->buf));
		reply->op = KFV_WIRE_REPLY;
		reply->status = wire_pick(&f->rnd, KFV_WIRE_BROKEN + 1);
		reply->reserved = 0;
		len = sizeof(*reply);
		msg = fuzz_message(test, f, &len);
		good = msg[0] == KFV_WIRE_REPLY &&
		       kfv_wire_reply_valid((void *)msg, len);
		KUNIT_EXPECT_EQ(test, good, wire_judge_reply(msg, len));
		f->good += good;
		kfree(msg);
		cond_resched();
	}
	fuzz_end(test, f);
}

static struct kunit_case wire_cases[] = {
	KUNIT_CASE(records),
	KUNIT_CASE(requests),
	KUNIT_CASE(replies),
	{ }
};

static struct kunit_suite wire_suite = {
	.name = "kfi_verbs_wire",
	.test_cases = wire_cases,
};

kunit_test_suite(wire_suite);

MODULE_DESCRIPTION("KUnit tests of what the verbs provider takes from a peer");
MODULE_LICENSE("Dual BSD/GPL");
