// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a target of block devices answers to a hello: what there is to have, and every
 * reason why not.
 */

#include <linux/string.h>

#include "blk.h"

/* Offsets in the message, as its description has them */
#define HELLO_MAGIC		0
#define HELLO_VERSION		4
#define HELLO_TYPE		6
#define HELLO_STATUS		7
#define HELLO_INSTANCE		8
#define HELLO_KEEP_ALIVE	24
#define HELLO_QUEUES		28
#define HELLO_FLAGS		30
#define HELLO_EXPORT		32
#define HELLO_CLIENT		96
#define HELLO_LEN		160

static void check_welcome(struct suite *t, const struct blk_client *client)
{
	const struct kfb_welcome *w = &client->welcome;

	EXPECT_EQ(t, w->size, BLK_SIZE);
	EXPECT_EQ(t, w->block_size, 4096);
	EXPECT_EQ(t, w->region_size, KFB_MAX_REGION);
	EXPECT_EQ(t, w->nr_regions, 1);
	EXPECT_EQ(t, w->nr_queues, 2);
	EXPECT_EQ(t, w->keep_alive_ms, KFB_MAX_KEEP_ALIVE);
	EXPECT(t, !w->read_only);
	EXPECT(t, w->token);
}

/* One after the other, each with a token of its own */
static void test_welcome(struct suite *t)
{
	struct blk_target target;
	struct blk_client client;
	u64 token = 0, incarnation = 0;
	unsigned int i;

	if (!blk_open(t, &target))
		return;
	for (i = 0; i < 3 && blk_session(&target, &client); i++) {
		check_welcome(t, &client);
		EXPECT(t, client.welcome.token != token);
		token = client.welcome.token;
		if (i)
			EXPECT_EQ(t, client.welcome.incarnation, incarnation);
		incarnation = client.welcome.incarnation;
		if (!blk_leave(&client))
			break;
	}
	EXPECT_EQ(t, i, 3);
	blk_close(&target);
}

/* Not more queues than the target has, whatever the client would like */
static void test_many_queues(struct suite *t)
{
	struct blk_target target;
	struct blk_client client;

	if (!blk_open(t, &target))
		return;
	if (blk_dial(&target, &client)) {
		client.hello.nr_queues = KFB_MAX_QUEUES;
		if (blk_greet(&client, KFB_OK)) {
			EXPECT(t, client.welcome.nr_queues > 2);
			EXPECT(t, client.welcome.nr_queues < KFB_MAX_QUEUES);
		}
		blk_leave(&client);
	}
	blk_close(&target);
}

/**
 * struct bad_hello - a hello with something wrong
 * @at: offset of what is wrong
 * @len: bytes of it
 * @value: what stands there instead
 * @whole: bytes of the message
 * @expected: what the client is told
 */
struct bad_hello {
	size_t		at;
	size_t		len;
	const char	*value;
	size_t		whole;
	enum kfb_status	expected;
};

static const struct bad_hello bad_hellos[] = {
	{ HELLO_MAGIC, 1, "x", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_VERSION, 2, "\0\0", HELLO_LEN, KFB_VERSION },
	{ HELLO_VERSION, 2, "\0\2", HELLO_LEN, KFB_VERSION },
	{ HELLO_VERSION, 2, "\0\2", 8, KFB_VERSION },
	{ HELLO_TYPE, 1, "\0", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_TYPE, 1, "\2", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_TYPE, 1, "\4", 8, KFB_MALFORMED },
	{ HELLO_TYPE, 1, "\5", 8, KFB_MALFORMED },
	{ HELLO_TYPE, 1, "\7", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_STATUS, 1, "\5", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_STATUS, 1, "\xff", HELLO_LEN, KFB_MALFORMED },
	{ 0, 0, "", 0, KFB_MALFORMED },
	{ 0, 0, "", 7, KFB_MALFORMED },
	{ 0, 0, "", 8, KFB_MALFORMED },
	{ 0, 0, "", HELLO_LEN - 1, KFB_MALFORMED },
	{ 0, 0, "", HELLO_LEN + 1, KFB_MALFORMED },
	{ 0, 0, "", KFB_WIRE_MAX, KFB_MALFORMED },
	{ HELLO_INSTANCE, 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", HELLO_LEN,
	  KFB_MALFORMED },
	{ HELLO_KEEP_ALIVE, 4, "\0\0\0\0", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_KEEP_ALIVE, 4, "\0\0\x03\xe7", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_KEEP_ALIVE, 4, "\xff\xff\xff\xff", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_QUEUES, 2, "\0\0", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_QUEUES, 2, "\4\1", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_FLAGS, 2, "\0\2", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_FLAGS, 2, "\x80\0", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_EXPORT, 1, "\0", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_EXPORT, 1, ".", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_EXPORT + 1, 1, "/", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_EXPORT + 1, 1, " ", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_EXPORT + 1, 1, "\n", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_EXPORT + 1, 1, "\x80", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_EXPORT + 63, 1, "x", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_CLIENT, 1, "\0", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_CLIENT + 2, 1, "\x1b", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_CLIENT + 40, 1, "x", HELLO_LEN, KFB_MALFORMED },
	{ HELLO_EXPORT, 4, "none", HELLO_LEN, KFB_NO_EXPORT },
	{ HELLO_EXPORT, 4, "simm", HELLO_LEN, KFB_NO_EXPORT },
	{ HELLO_EXPORT, 3, "si", HELLO_LEN, KFB_NO_EXPORT },
	{ HELLO_EXPORT, 3, "SIM", HELLO_LEN, KFB_NO_EXPORT },
};

static void check_bad_hello(struct blk_target *target,
			    const struct bad_hello *bad)
{
	struct suite *t = target->t;
	struct blk_client client;
	struct suite_event ev;
	const u8 *msg;
	size_t len;

	if (!blk_dial(target, &client))
		return;
	kfb_wire_put_hello((void *)client.out, &client.hello);
	memcpy(client.out + bad->at, bad->value, bad->len);
	if (blk_say(&client, bad->whole) &&
	    EXPECT(t, blk_hear(&client, &msg, &len, SUITE_TIMEOUT_MS)) &&
	    EXPECT_EQ(t, len, sizeof(struct kfb_wire_welcome))) {
		EXPECT_EQ(t, kfb_wire_parse_welcome(msg, len, &client.welcome),
			  bad->expected);
		EXPECT(t, !memchr_inv(msg + 8, 0, len - 8));
		EXPECT_EVENT(t, target->net.eq, KFI_SHUTDOWN,
			     &client.control.ep->fid, &ev);
	}
	blk_hang_up(&client);
}

static void test_bad(struct suite *t)
{
	struct blk_target target;
	unsigned int i;

	if (!blk_open(t, &target))
		return;
	for (i = 0; i < ARRAY_SIZE(bad_hellos); i++) {
		check_bad_hello(&target, &bad_hellos[i]);
		if (suite_failed(t)) {
			COMPLAIN(t, "bad hello %u", i);
			break;
		}
	}
	blk_close(&target);
}

/* What is longer than any message can be ends the connection. */
static void test_oversized(struct suite *t)
{
	struct blk_target target;
	struct blk_client client;
	struct suite_comp comp;
	struct suite_event ev;

	if (!blk_open(t, &target))
		return;
	if (blk_dial(&target, &client)) {
		kfb_wire_put_hello((void *)client.out, &client.hello);
		EXPECT_OK(t, kfi_send(client.control.ep, client.out,
				      KFB_WIRE_MAX + 1, NULL, KFI_ADDR_UNSPEC,
				      client.out));
		EXPECT(t, suite_read_comp(t, &client.control.tx, &comp,
					  SUITE_TIMEOUT_MS));
		EXPECT_EVENT(t, target.net.eq, KFI_SHUTDOWN,
			     &client.control.ep->fid, &ev);
		blk_hang_up(&client);
	}
	if (blk_session(&target, &client))
		blk_leave(&client);
	blk_close(&target);
}

/* A hello with other names, or of another kind */
static void check_hello(struct blk_target *target, const char *export,
			const char *name, bool read_only,
			enum kfb_status expected)
{
	struct blk_client client;

	if (!blk_dial(target, &client))
		return;
	strscpy(client.hello.export, export, KFB_NAME_LEN);
	strscpy(client.hello.client, name, KFB_NAME_LEN);
	client.hello.read_only = read_only;
	if (!blk_greet(&client, expected))
		COMPLAIN(target->t, "%s of %s", export, name);
	else if (!expected)
		EXPECT_EQ(target->t, client.welcome.read_only, read_only);
	if (expected)
		EXPECT_EVENT(target->t, target->net.eq, KFI_SHUTDOWN,
			     &client.control.ep->fid, &(struct suite_event){ });
	if (expected)
		blk_hang_up(&client);
	else
		blk_leave(&client);
}

/* An export is there for a client while it is enabled, and linked to the port. */
static void test_enabled(struct suite *t)
{
	struct blk_target target;

	if (!blk_open(t, &target))
		return;
	check_hello(&target, BLK_EXPORT, "suite", false, KFB_OK);
	check_hello(&target, BLK_EXPORT, "suite", true, KFB_OK);
	blk_set(t, "exports/" BLK_EXPORT "/enable", "0");
	check_hello(&target, BLK_EXPORT, "suite", false, KFB_NO_EXPORT);
	blk_set(t, "exports/" BLK_UNLINKED "/enable", "1");
	check_hello(&target, BLK_UNLINKED, "suite", false, KFB_NO_EXPORT);
	blk_close(&target);
}

static void test_allowed(struct suite *t)
{
	struct blk_target target;

	if (!blk_open(t, &target))
		return;
	check_hello(&target, BLK_FRIENDS, "suite", false, KFB_DENIED);
	check_hello(&target, BLK_FRIENDS, BLK_FRIEND, false, KFB_NO_EXPORT);
	blk_set(t, "exports/" BLK_EXPORT "/enable", "0");
	blk_set(t, "exports/" BLK_FRIENDS "/enable", "1");
	check_hello(&target, BLK_FRIENDS, "suite", false, KFB_DENIED);
	check_hello(&target, BLK_FRIENDS, BLK_FRIEND "s", false, KFB_DENIED);
	check_hello(&target, BLK_FRIENDS, BLK_FRIEND, false, KFB_OK);
	blk_close(&target);
}

/* A client that would write is told so at once. */
static void test_read_only(struct suite *t)
{
	struct blk_client one, two;
	struct blk_target target;

	if (!blk_open(t, &target))
		return;
	blk_set(t, "exports/" BLK_EXPORT "/enable", "0");
	blk_set(t, "exports/" BLK_READ_ONLY "/enable", "1");
	check_hello(&target, BLK_READ_ONLY, "suite", false, KFB_READ_ONLY);
	if (!blk_dial(&target, &one))
		goto out;
	strscpy(one.hello.export, BLK_READ_ONLY, KFB_NAME_LEN);
	one.hello.read_only = true;
	if (blk_greet(&one, KFB_OK) && blk_dial(&target, &two)) {
		strscpy(two.hello.export, BLK_READ_ONLY, KFB_NAME_LEN);
		two.hello.read_only = true;
		blk_greet(&two, KFB_OK);
		blk_leave(&two);
	}
	blk_leave(&one);
out:
	blk_close(&target);
}

const struct suite_test suite_blk_hello_tests[] = {
	{ "blk.welcome", test_welcome },
	{ "blk.many_queues", test_many_queues },
	{ "blk.bad_hello", test_bad },
	{ "blk.oversized", test_oversized },
	{ "blk.enabled", test_enabled },
	{ "blk.allowed", test_allowed },
	{ "blk.read_only", test_read_only },
	{ }
};
