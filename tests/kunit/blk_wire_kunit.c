// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What client and target of a remote block device make of each other's messages.
 * Each mutated one is in memory of just its size, where KASAN sees who reads behind
 * it; one that is accepted has to be, byte for byte, what would be sent to say the
 * same.
 */

#include <kunit/test.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../../consumers/blk/wire.h"

/* all can be built into one kernel */
#define wire_mutate kunit_blk_wire_mutate
#define wire_number kunit_blk_wire_number
#define wire_judge_record kunit_blk_wire_judge_record
#define wire_judge_request kunit_blk_wire_judge_request
#define wire_judge_reply kunit_blk_wire_judge_reply
#include "../suite/wire_mutate.c"

#define BLK_ROUNDS	100000

static const struct kfb_hello some_hello = {
	.instance = UUID_INIT(0x2d1b0cf1, 0x6f6d, 0x4b2c, 0x9a, 0x11, 0x5c,
			      0x3e, 0x91, 0x77, 0x04, 0xd2),
	.keep_alive_ms = 10000,
	.nr_queues = 4,
	.export = "journal",
	.client = "db1.example",
};

static const struct kfb_welcome some_welcome = {
	.token = 0x0123456789abcdefULL,
	.size = 3ULL * KFB_MIN_REGION + 4096,
	.incarnation = 42,
	.region_size = KFB_MIN_REGION,
	.block_size = 4096,
	.nr_regions = 4,
	.keep_alive_ms = 10000,
	.nr_queues = 2,
};

static enum kfb_status reparse_hello(const struct kfb_hello *hello)
{
	struct kfb_wire_hello msg;
	struct kfb_hello again;

	kfb_wire_put_hello(&msg, hello);
	return kfb_wire_parse_hello(&msg, sizeof(msg), &again);
}

static void hello_fields(struct kunit *test)
{
	struct kfb_wire_hello msg;
	struct kfb_hello got = { };

	kfb_wire_put_hello(&msg, &some_hello);
	KUNIT_ASSERT_EQ(test, KFB_OK,
			kfb_wire_parse_hello(&msg, sizeof(msg), &got));
	KUNIT_EXPECT_TRUE(test, uuid_equal(&got.instance,
					   &some_hello.instance));
	KUNIT_EXPECT_EQ(test, got.keep_alive_ms, some_hello.keep_alive_ms);
	KUNIT_EXPECT_EQ(test, got.nr_queues, some_hello.nr_queues);
	KUNIT_EXPECT_FALSE(test, got.read_only);
	KUNIT_EXPECT_STREQ(test, got.export, some_hello.export);
	KUNIT_EXPECT_STREQ(test, got.client, some_hello.client);
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED,
			kfb_wire_parse_hello(&msg, sizeof(msg) - 1, &got));
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED,
			kfb_wire_parse_hello(&msg, 0, &got));
	msg.header.version = cpu_to_be16(KFB_WIRE_VERSION + 1);
	KUNIT_EXPECT_EQ(test, KFB_VERSION,
			kfb_wire_parse_hello(&msg, sizeof(msg), &got));
}

static void hello_limits(struct kunit *test)
{
	struct kfb_hello hello = some_hello;

	hello.nr_queues = KFB_MAX_QUEUES;
	hello.keep_alive_ms = KFB_MAX_KEEP_ALIVE;
	KUNIT_EXPECT_EQ(test, KFB_OK, reparse_hello(&hello));
	hello.nr_queues = KFB_MAX_QUEUES + 1;
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED, reparse_hello(&hello));
	hello.nr_queues = 0;
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED, reparse_hello(&hello));

	hello = some_hello;
	hello.keep_alive_ms = KFB_MIN_KEEP_ALIVE;
	KUNIT_EXPECT_EQ(test, KFB_OK, reparse_hello(&hello));
	hello.keep_alive_ms = KFB_MIN_KEEP_ALIVE - 1;
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED, reparse_hello(&hello));
	hello.keep_alive_ms = KFB_MAX_KEEP_ALIVE + 1;
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED, reparse_hello(&hello));

	hello = some_hello;
	uuid_copy(&hello.instance, &uuid_null);
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED, reparse_hello(&hello));
}

static void names(struct kunit *test)
{
	static const char * const good[] = { "a", "db1.example", "x:y-z_0" };
	static const char * const bad[] = {
		"", ".", "..", ".x", "a b", "a/b", "tab\t", "\x7f", "\xc3\xa4",
	};
	struct kfb_hello hello = some_hello;
	struct kfb_wire_hello msg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		KUNIT_EXPECT_TRUE(test, kfb_name_valid(good[i], KFB_NAME_LEN));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_FALSE(test, kfb_name_valid(bad[i], KFB_NAME_LEN));

	memset(hello.export, 'x', KFB_NAME_LEN - 1);
	KUNIT_EXPECT_EQ(test, KFB_OK, reparse_hello(&hello));
	/* a name without an end, and one with something behind its end */
	kfb_wire_put_hello(&msg, &hello);
	msg.export[KFB_NAME_LEN - 1] = 'x';
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED,
			kfb_wire_parse_hello(&msg, sizeof(msg), &hello));
	kfb_wire_put_hello(&msg, &some_hello);
	msg.client[KFB_NAME_LEN - 1] = 'x';
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED,
			kfb_wire_parse_hello(&msg, sizeof(msg), &hello));
}

static enum kfb_status reparse_welcome(const struct kfb_welcome *welcome)
{
	struct kfb_wire_welcome msg;
	struct kfb_welcome again;

	kfb_wire_put_welcome(&msg, welcome);
	return kfb_wire_parse_welcome(&msg, sizeof(msg), &again);
}

static void welcome_fields(struct kunit *test)
{
	struct kfb_wire_welcome msg;
	struct kfb_welcome got;

	kfb_wire_put_welcome(&msg, &some_welcome);
	KUNIT_ASSERT_EQ(test, KFB_OK,
			kfb_wire_parse_welcome(&msg, sizeof(msg), &got));
	KUNIT_EXPECT_EQ(test, got.token, some_welcome.token);
	KUNIT_EXPECT_EQ(test, got.size, some_welcome.size);
	KUNIT_EXPECT_EQ(test, got.incarnation, some_welcome.incarnation);
	KUNIT_EXPECT_EQ(test, got.region_size, some_welcome.region_size);
	KUNIT_EXPECT_EQ(test, got.block_size, some_welcome.block_size);
	KUNIT_EXPECT_EQ(test, got.nr_regions, some_welcome.nr_regions);
	KUNIT_EXPECT_EQ(test, got.keep_alive_ms, some_welcome.keep_alive_ms);
	KUNIT_EXPECT_EQ(test, got.nr_queues, some_welcome.nr_queues);
	KUNIT_EXPECT_FALSE(test, got.read_only);
	KUNIT_EXPECT_EQ(test, kfb_region_len(&got, 0), KFB_MIN_REGION);
	KUNIT_EXPECT_EQ(test, kfb_region_len(&got, 3), 4096);
	KUNIT_EXPECT_EQ(test, kfb_region_len(&got, 4), 0);
}

/* A refusal is what it says, whatever is behind its header. */
static void welcome_refusals(struct kunit *test)
{
	struct kfb_wire_header refusal;
	struct kfb_welcome got;
	unsigned int status;

	for (status = KFB_VERSION; status < KFB_STATUSES; status++) {
		kfb_wire_put_header(&refusal, KFB_WELCOME, status);
		KUNIT_EXPECT_EQ(test, status,
				kfb_wire_parse_welcome(&refusal,
						       sizeof(refusal), &got));
		KUNIT_EXPECT_LT(test, kfb_status_errno(status), 0);
		KUNIT_EXPECT_GT(test, strlen(kfb_status_str(status)), 0);
	}
	refusal.status = KFB_STATUSES;
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED,
			kfb_wire_parse_welcome(&refusal, sizeof(refusal), &got));
	KUNIT_EXPECT_EQ(test, kfb_status_errno(KFB_STATUSES), -EPROTO);
	KUNIT_EXPECT_EQ(test, kfb_status_errno(KFB_OK), 0);
}

static void welcome_limits(struct kunit *test)
{
	struct kfb_welcome welcome = some_welcome;

	/* as large as it gets, by the largest regions and by the smallest */
	welcome.size = KFB_MAX_SIZE;
	welcome.region_size = KFB_MAX_REGION;
	welcome.nr_regions = 512;
	KUNIT_EXPECT_EQ(test, KFB_OK, reparse_welcome(&welcome));
	welcome.size += welcome.block_size;
	welcome.nr_regions++;
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED, reparse_welcome(&welcome));
	welcome.region_size = KFB_MIN_REGION;
	welcome.nr_regions = KFB_MAX_REGIONS;
	welcome.size = (u64)KFB_MIN_REGION * KFB_MAX_REGIONS;
	KUNIT_EXPECT_EQ(test, KFB_OK, reparse_welcome(&welcome));
	welcome.size += welcome.block_size;
	welcome.nr_regions++;
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED, reparse_welcome(&welcome));

#define EXPECT_BAD(field, value) do {					\
	welcome = some_welcome;						\
	welcome.field = value;						\
	KUNIT_EXPECT_EQ_MSG(test, KFB_MALFORMED,			\
			    reparse_welcome(&welcome),			\
			    #field " " #value);				\
} while (0)
	EXPECT_BAD(size, 0);
	EXPECT_BAD(size, some_welcome.size + 512);
	EXPECT_BAD(block_size, 0);
	EXPECT_BAD(block_size, 1024);
	EXPECT_BAD(region_size, 0);
	EXPECT_BAD(region_size, KFB_MIN_REGION / 2);
	EXPECT_BAD(region_size, KFB_MIN_REGION + 4096);
	EXPECT_BAD(region_size, 2 * KFB_MAX_REGION);
	EXPECT_BAD(nr_regions, 3);
	EXPECT_BAD(nr_regions, 5);
	EXPECT_BAD(nr_queues, 0);
	EXPECT_BAD(nr_queues, KFB_MAX_QUEUES + 1);
	EXPECT_BAD(keep_alive_ms, KFB_MIN_KEEP_ALIVE - 1);
	EXPECT_BAD(keep_alive_ms, KFB_MAX_KEEP_ALIVE + 1);
#undef EXPECT_BAD
}

/* A device of 64 GiB: its table in parts, as the target sends it. */
static void regions_of_64_gib(struct kunit *test)
{
	struct kfb_welcome welcome = some_welcome;
	struct kfb_region *table, *got;
	struct kfb_wire_regions *msg;
	u32 first, count;
	size_t len;

	welcome.size = KFB_MAX_SIZE;
	welcome.region_size = KFB_MAX_REGION;
	welcome.nr_regions = 512;
	table = kunit_kcalloc(test, 512, sizeof(*table), GFP_KERNEL);
	got = kunit_kcalloc(test, 512, sizeof(*got), GFP_KERNEL);
	msg = kunit_kzalloc(test, KFB_WIRE_MAX, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, table);
	KUNIT_ASSERT_NOT_NULL(test, got);
	KUNIT_ASSERT_NOT_NULL(test, msg);
	get_random_bytes(table, 512 * sizeof(*table));
	for (first = 0; first < 512; first++)
		table[first].addr >>= 1;

	for (first = 0; first < 512; first += count) {
		count = min(512 - first, KFB_REGIONS_MAX);
		len = kfb_wire_put_regions(msg, first, count, table);
		KUNIT_ASSERT_LE(test, len, KFB_WIRE_MAX);
		KUNIT_ASSERT_EQ(test, KFB_OK,
				kfb_wire_parse_regions(msg, len, &welcome,
						       first, got, &count));
		KUNIT_ASSERT_EQ(test, count, min(512 - first, KFB_REGIONS_MAX));
	}
	KUNIT_EXPECT_MEMEQ(test, table, got, 512 * sizeof(*table));
}

static void regions_limits(struct kunit *test)
{
	struct kfb_region table[4] = {
		{ 0, 1 }, { KFB_MIN_REGION, 2 }, { SZ_1M, 3 },
		/* the last one ends at the end of all addresses */
		{ U64_MAX - 4096, 4 },
	}, got[4] = { };
	u8 buf[sizeof(struct kfb_wire_regions) +
	       5 * sizeof(struct kfb_wire_region)] __aligned(8) = { };
	struct kfb_wire_regions *msg = (void *)buf;
	size_t len;
	u32 count;

	len = kfb_wire_put_regions(msg, 0, 4, table);
	KUNIT_EXPECT_EQ(test, KFB_OK,
			kfb_wire_parse_regions(msg, len, &some_welcome, 0, got,
					       &count));
	KUNIT_EXPECT_EQ(test, count, 4);
	/* the wrong ones next, too many, one that wraps */
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED,
			kfb_wire_parse_regions(msg, len, &some_welcome, 1, got,
					       &count));
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED,
			kfb_wire_parse_regions(msg, len - 1, &some_welcome, 0,
					       got, &count));
	msg->count = cpu_to_be32(5);
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED,
			kfb_wire_parse_regions(msg, sizeof(buf), &some_welcome,
					       0, got, &count));
	msg->count = 0;
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED,
			kfb_wire_parse_regions(msg, sizeof(*msg), &some_welcome,
					       0, got, &count));
	table[3].addr++;
	len = kfb_wire_put_regions(msg, 0, 4, table);
	memset(got, 0, sizeof(got));
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED,
			kfb_wire_parse_regions(msg, len, &some_welcome, 0, got,
					       &count));
	KUNIT_EXPECT_NULL(test, memchr_inv(got, 0, sizeof(got)));
}

static void queues(struct kunit *test)
{
	const struct kfb_queue queue = { .token = U64_MAX - 1, .queue = 3 };
	u8 padded[56] = { };
	struct kfb_queue got;

	kfb_wire_put_queue((void *)padded, &queue);
	KUNIT_EXPECT_EQ(test, KFB_OK,
			kfb_wire_parse_queue(padded, sizeof(padded), &got));
	KUNIT_EXPECT_EQ(test, got.token, queue.token);
	KUNIT_EXPECT_EQ(test, got.queue, queue.queue);
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED,
			kfb_wire_parse_queue(padded, 15, &got));
	padded[5] = KFB_WIRE_VERSION + 1;
	KUNIT_EXPECT_EQ(test, KFB_VERSION,
			kfb_wire_parse_queue(padded, sizeof(padded), &got));
	memset(padded, 0, sizeof(padded));
	KUNIT_EXPECT_EQ(test, KFB_MALFORMED,
			kfb_wire_parse_queue(padded, sizeof(padded), &got));
}

/**
 * struct fuzz - mutated messages
 * @rnd: random numbers
 * @buf: the message in the making
 * @again: what says the same as one that was accepted
 * @regions: its regions
 * @good: messages that were accepted
 */
struct fuzz {
	struct rnd_state	rnd;
	u8			buf[KFB_WIRE_MAX] __aligned(8);
	u8			again[KFB_WIRE_MAX] __aligned(8);
	struct kfb_region	regions[4];
	unsigned int		good;
};

static size_t accept_hello(struct fuzz *f, const void *msg, size_t len)
{
	struct kfb_hello hello;

	if (kfb_wire_parse_hello(msg, len, &hello))
		return 0;
	kfb_wire_put_hello((void *)f->again, &hello);
	return sizeof(struct kfb_wire_hello);
}

static size_t accept_welcome(struct fuzz *f, const void *msg, size_t len)
{
	struct kfb_welcome welcome;

	if (kfb_wire_parse_welcome(msg, len, &welcome))
		return 0;
	kfb_wire_put_welcome((void *)f->again, &welcome);
	return sizeof(struct kfb_wire_welcome);
}

static size_t accept_regions(struct fuzz *f, const void *msg, size_t len)
{
	u32 count;

	if (kfb_wire_parse_regions(msg, len, &some_welcome, 1, f->regions,
				   &count))
		return 0;
	return kfb_wire_put_regions((void *)f->again, 1, count, f->regions);
}

static size_t accept_queue(struct fuzz *f, const void *msg, size_t len)
{
	struct kfb_queue queue;

	if (kfb_wire_parse_queue(msg, len, &queue))
		return 0;
	kfb_wire_put_queue((void *)f->again, &queue);
	return sizeof(struct kfb_wire_queue);
}

static size_t fuzz_make(struct fuzz *f, unsigned int kind)
{
	static const struct kfb_region regions[4] = {
		{ }, { 1, 2 }, { SZ_1G, 3 }, { SZ_4K, 4 },
	};
	static const struct kfb_queue queue = { .token = 7, .queue = 9 };

	switch (kind) {
	case 0:
		kfb_wire_put_hello((void *)f->buf, &some_hello);
		return sizeof(struct kfb_wire_hello);
	case 1:
		kfb_wire_put_welcome((void *)f->buf, &some_welcome);
		return sizeof(struct kfb_wire_welcome);
	case 2:
		return kfb_wire_put_regions((void *)f->buf, 1,
					    1 + wire_pick(&f->rnd, 3), regions);
	default:
		kfb_wire_put_queue((void *)f->buf, &queue);
		return sizeof(struct kfb_wire_queue);
	}
}

/* Private data has padding behind it, which says nothing. */
static void fuzz_one(struct kunit *test, struct fuzz *f, unsigned int kind)
{
	static size_t (* const accept[])(struct fuzz *f, const void *msg,
					 size_t len) = {
		accept_hello, accept_welcome, accept_regions, accept_queue,
	};
	size_t len = fuzz_make(f, kind), said;
	void *msg;

	if (wire_pick(&f->rnd, 4))
		len = wire_mutate(&f->rnd, f->buf, len, sizeof(f->buf));
	msg = kmemdup(f->buf, max_t(size_t, len, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, msg);
	said = accept[kind](f, msg, len);
	if (said) {
		f->good++;
		KUNIT_EXPECT_TRUE(test, kind == 3 ? said <= len : said == len);
		KUNIT_EXPECT_MEMEQ(test, msg, f->again, said);
	}
	kfree(msg);
}

static void mutated(struct kunit *test)
{
	struct fuzz *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	u32 seed = get_random_u32();
	unsigned int kind, i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	kunit_info(test, "seed %u", seed);
	prandom_seed_state(&f->rnd, seed);
	for (kind = 0; kind < 4; kind++) {
		f->good = 0;
		for (i = 0; i < BLK_ROUNDS; i++) {
			fuzz_one(test, f, kind);
			cond_resched();
		}
		kunit_info(test, "kind %u: %u of %u were accepted", kind,
			   f->good, BLK_ROUNDS);
		KUNIT_EXPECT_GT(test, f->good, BLK_ROUNDS / 10);
		KUNIT_EXPECT_LT(test, f->good, BLK_ROUNDS * 9 / 10);
	}
}

static struct kunit_case blk_wire_cases[] = {
	KUNIT_CASE(hello_fields),
	KUNIT_CASE(hello_limits),
	KUNIT_CASE(names),
	KUNIT_CASE(welcome_fields),
	KUNIT_CASE(welcome_refusals),
	KUNIT_CASE(welcome_limits),
	KUNIT_CASE(regions_of_64_gib),
	KUNIT_CASE(regions_limits),
	KUNIT_CASE(queues),
	KUNIT_CASE(mutated),
	{ }
};

static struct kunit_suite blk_wire_suite = {
	.name = "kfi_blk_wire",
	.test_cases = blk_wire_cases,
};

kunit_test_suite(blk_wire_suite);

MODULE_DESCRIPTION("KUnit tests of the messages of remote block devices");
MODULE_LICENSE("Dual BSD/GPL");
