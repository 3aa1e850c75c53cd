// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The queues of a session with a target of block devices, and what is mutated on its
 * way there.
 */

#include <linux/delay.h>
#include <linux/string.h>

#include "blk.h"
#include "wire_mutate.h"

/* Private data that fits on a commit endpoint */
#define QUEUE_DATA	32

static void put_queue(struct kfb_wire_queue *wire,
		      const struct blk_client *client, unsigned int number)
{
	const struct kfb_queue queue = {
		.token = client->welcome.token, .queue = number,
	};

	kfb_wire_put_queue(wire, &queue);
}

/* All of the memory, by any queue, and nothing beside it */
static void test_access(struct suite *t)
{
	struct kfb_region last, beyond;
	struct blk_target target;
	struct blk_client client;
	struct blk_queue queues[2];

	if (!blk_open_session(t, &target, &client))
		return;
	last = client.regions[0];
	last.addr += BLK_SIZE - PAGE_SIZE;
	beyond = last;
	beyond.addr += PAGE_SIZE / 2;
	if (blk_queue_open(&client, &queues[0], 0)) {
		if (blk_queue_open(&client, &queues[1], 1)) {
			blk_write(t, &queues[0], client.regions, 0x51);
			blk_write(t, &queues[1], &last, 0x52);
			blk_holds(t, &queues[1], client.regions, 0x51);
			blk_holds(t, &queues[0], &last, 0x52);
			EXPECT(t, !kfi_pmemsim_dirty(target.sim, 0, BLK_SIZE));
			blk_write_fails(t, &queues[1], &beyond, 0x53);
			blk_queue_close(t, &queues[1]);
		}
		blk_queue_close(t, &queues[0]);
	}
	blk_leave(&client);
	blk_close(&target);
}

/* Whoever may not write cannot. */
static void test_no_write(struct suite *t)
{
	struct blk_target target;
	struct blk_client client;
	struct blk_queue queue;

	if (!blk_open(t, &target))
		return;
	if (!blk_dial(&target, &client))
		goto out;
	client.hello.read_only = true;
	if (blk_greet(&client, KFB_OK) && blk_queue_open(&client, &queue, 0)) {
		blk_holds(t, &queue, client.regions, 0);
		blk_write_fails(t, &queue, client.regions, 0x61);
		EXPECT(t, !kfi_pmemsim_dirty(target.sim, 0, BLK_SIZE));
		blk_queue_close(t, &queue);
	}
	blk_leave(&client);
out:
	blk_close(&target);
}

/**
 * struct bad_queue - a request with something wrong
 * @at: offset of what is wrong
 * @value: what is added to the byte there
 * @len: bytes of the request
 * @expected: what the client is told
 */
struct bad_queue {
	size_t		at;
	u8		value;
	size_t		len;
	enum kfb_status	expected;
};

static const struct bad_queue bad_queues[] = {
	{ 0, 1, 16, KFB_MALFORMED },
	{ 0, 0, 0, KFB_MALFORMED },
	{ 0, 0, 3, KFB_MALFORMED },
	{ 5, 1, 16, KFB_VERSION },
	{ 4, 1, 16, KFB_VERSION },
	{ 6, 4, 16, KFB_MALFORMED },
	{ 6, 1, 16, KFB_BAD_QUEUE },
	{ 7, 2, 16, KFB_BAD_QUEUE },
	{ 8, 1, 16, KFB_NO_SESSION },
	{ 15, 1, 16, KFB_NO_SESSION },
	{ 0, 0, 8, KFB_NO_SESSION },
};

static void test_bad_queue(struct suite *t)
{
	struct blk_target target;
	struct kfb_wire_queue wire;
	struct blk_client client;
	struct blk_queue queue;
	unsigned int i;

	if (!blk_open_session(t, &target, &client))
		return;
	for (i = 0; i < ARRAY_SIZE(bad_queues) && !suite_failed(t); i++) {
		put_queue(&wire, &client, 0);
		((u8 *)&wire)[bad_queues[i].at] += bad_queues[i].value;
		if (!blk_queue_try(&client, &queue, &wire, bad_queues[i].len,
				   bad_queues[i].expected))
			COMPLAIN(t, "bad queue %u", i);
	}
	/* and the session goes on */
	if (blk_queue_open(&client, &queue, 0))
		blk_queue_close(t, &queue);
	blk_leave(&client);
	blk_close(&target);
}

/* Whether queue 0 can be connected; it is closed again at once. */
static bool try_queue(struct blk_client *client)
{
	struct blk_target *target = client->target;
	const struct suite_opts opts = { };
	struct suite *t = target->t;
	struct blk_queue queue = { };
	struct kfb_wire_queue wire;
	struct suite_event ev = { };

	put_queue(&wire, client, 0);
	if (EXPECT_OK(t, suite_getinfo(SUITE_COMMIT, BLK_PORT, 0,
				       &queue.info)) &&
	    suite_end_open(&target->net, &queue.end, queue.info, &opts) &&
	    EXPECT_OK(t, kfi_connect(queue.end.ep, NULL, &wire,
				     sizeof(wire))))
		EXPECT(t, suite_read_event(t, target->net.eq, &ev,
					   SUITE_TIMEOUT_MS));
	blk_queue_close(t, &queue);
	return ev.event == KFI_CONNECTED;
}

/*
 * A queue is connected once; when that connection is gone, which the target hears of
 * sooner or later, it can be again.
 */
static void test_again(struct suite *t)
{
	struct kfb_wire_queue wire;
	struct blk_target target;
	struct blk_client client;
	struct blk_queue one, two;
	unsigned int tries = 100;

	if (!blk_open_session(t, &target, &client))
		return;
	put_queue(&wire, &client, 0);
	if (blk_queue_open(&client, &one, 0)) {
		blk_queue_try(&client, &two, &wire, sizeof(wire),
			      KFB_BAD_QUEUE);
		blk_write(t, &one, client.regions, 0x71);
		blk_queue_close(t, &one);
	}
	while (!suite_failed(t) && --tries && !try_queue(&client))
		msleep(20);
	EXPECT(t, tries);
	blk_leave(&client);
	blk_close(&target);
}

/* A token is of no use when its session is gone. */
static void test_stale(struct suite *t)
{
	struct blk_client old, client;
	struct kfb_wire_queue wire;
	struct blk_target target;
	struct blk_queue queue;

	if (!blk_open(t, &target))
		return;
	if (!blk_session(&target, &old))
		goto out;
	put_queue(&wire, &old, 0);
	if (blk_leave(&old) && blk_session(&target, &client)) {
		blk_queue_try(&client, &queue, &wire, sizeof(wire),
			      KFB_NO_SESSION);
		blk_leave(&client);
	}
out:
	blk_close(&target);
}

/* Connections of soft-RoCE take their time. */
static unsigned int fuzz_rounds(unsigned int full)
{
	bool loopback = !strcmp(suite_provider(), "loopback");

	return suite_mutations(loopback ? full : full / 10, 50);
}

/* The answer to a hello that may be a good one */
static bool fuzz_answer(struct blk_client *client, enum kfb_status judged)
{
	struct suite *t = client->target->t;
	enum kfb_status said;
	const u8 *msg;
	size_t len;

	if (!EXPECT(t, blk_hear(client, &msg, &len, SUITE_TIMEOUT_MS)))
		return false;
	said = kfb_wire_parse_welcome(msg, len, &client->welcome);
	if (judged)
		return EXPECT_EQ(t, said, judged);
	return EXPECT(t, said == KFB_OK || said == KFB_BUSY ||
		      said == KFB_NO_EXPORT || said == KFB_DENIED);
}

static bool fuzz_hello(struct blk_target *target)
{
	struct suite *t = target->t;
	struct blk_client client;
	struct kfb_hello hello;
	enum kfb_status judged;
	bool ok = false;
	size_t len;

	if (!blk_dial(target, &client))
		return false;
	kfb_wire_put_hello((void *)client.out, &client.hello);
	len = wire_mutate(&t->rnd, client.out, sizeof(struct kfb_wire_hello),
			  KFB_WIRE_MAX);
	judged = kfb_wire_parse_hello(client.out, len, &hello);
	if (blk_say(&client, len))
		ok = fuzz_answer(&client, judged);
	blk_hang_up(&client);
	return ok;
}

/* Mutated hellos: each is answered, and none but what is a hello is let in. */
static void test_fuzz_hello(struct suite *t)
{
	unsigned int i, rounds = fuzz_rounds(100000);
	struct blk_target target;
	struct suite_event ev;

	if (!blk_open(t, &target))
		return;
	for (i = 0; i < rounds && fuzz_hello(&target); i++)
		while (suite_read_event(t, target.net.eq, &ev, 0))
			;
	EXPECT_EQ(t, i, rounds);
	blk_close(&target);
}

static bool fuzz_queue(struct blk_client *client)
{
	struct blk_target *target = client->target;
	u8 data[QUEUE_DATA] = { };
	struct suite *t = target->t;
	struct kfb_queue queue;
	struct blk_queue q;
	enum kfb_status expected;
	size_t len;

	put_queue((void *)data, client, 0);
	len = wire_mutate(&t->rnd, data, sizeof(struct kfb_wire_queue),
			  QUEUE_DATA);
	memset(data + len, 0, QUEUE_DATA - len);
	expected = kfb_wire_parse_queue(data, QUEUE_DATA, &queue);
	if (!expected && queue.token != client->welcome.token)
		expected = KFB_NO_SESSION;
	else if (!expected)
		expected = KFB_BAD_QUEUE;
	return blk_queue_try(client, &q, data, len, expected);
}

/* Mutated requests for queues, all of which are there already */
static void test_fuzz_queue(struct suite *t)
{
	unsigned int i, rounds = fuzz_rounds(20000);
	struct blk_target target;
	struct blk_client client;
	struct blk_queue queues[2];

	if (!blk_open_session(t, &target, &client))
		return;
	if (blk_queue_open(&client, &queues[0], 0)) {
		if (blk_queue_open(&client, &queues[1], 1)) {
			for (i = 0; i < rounds && fuzz_queue(&client); i++)
				;
			EXPECT_EQ(t, i, rounds);
			blk_queue_close(t, &queues[1]);
		}
		blk_queue_close(t, &queues[0]);
	}
	blk_leave(&client);
	blk_close(&target);
}

const struct suite_test suite_blk_queue_tests[] = {
	{ "blk.access", test_access },
	{ "blk.no_write", test_no_write },
	{ "blk.bad_queue", test_bad_queue },
	{ "blk.again", test_again },
	{ "blk.stale", test_stale },
	{ "blk.fuzz_hello", test_fuzz_hello },
	{ "blk.fuzz_queue", test_fuzz_queue },
	{ }
};
