// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Sessions with a target of block devices: who may have one, how long it lasts, and
 * that nothing is left of it.
 */

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "blk.h"

/* The connections of a client whose session the target has ended, in any order */
static bool expect_hung_up(struct blk_client *client, struct blk_queue *queue)
{
	struct kfid *control = &client->control.ep->fid;
	struct suite *t = client->target->t;
	struct suite_event ev;

	if (!EXPECT_EVENT(t, client->target->net.eq, KFI_SHUTDOWN, NULL, &ev) ||
	    !EXPECT(t, ev.fid == control || ev.fid == &queue->end.ep->fid))
		return false;
	return EXPECT_EVENT(t, client->target->net.eq, KFI_SHUTDOWN,
			    ev.fid == control ? &queue->end.ep->fid : control,
			    &ev);
}

static bool expect_said(struct blk_client *client, enum kfb_status why)
{
	enum kfb_status said = KFB_OK;
	struct suite *t = client->target->t;
	enum kfb_type type;
	const u8 *msg;
	size_t len;

	return EXPECT(t, blk_hear(client, &msg, &len, SUITE_TIMEOUT_MS)) &&
	       EXPECT_OK(t, kfb_wire_type(msg, len, &type, &said)) &&
	       EXPECT_EQ(t, type, KFB_BYE) && EXPECT_EQ(t, said, why);
}

/* Another client, or the same one after its host was booted, has to wait. */
static void test_busy(struct suite *t)
{
	struct blk_client first, other;
	struct blk_target target;
	struct suite_event ev;
	unsigned int i;

	if (!blk_open(t, &target))
		return;
	if (!blk_session(&target, &first))
		goto out;
	for (i = 0; i < 3 && blk_dial(&target, &other); i++) {
		if (i == 0)
			strscpy(other.hello.client, "other", KFB_NAME_LEN);
		if (i == 1)
			uuid_copy(&other.hello.instance, &first.hello.instance);
		if (i == 1)
			strscpy(other.hello.client, "other", KFB_NAME_LEN);
		if (i == 2)
			other.hello.read_only = true;
		if (blk_greet(&other, KFB_BUSY))
			EXPECT_EVENT(t, target.net.eq, KFI_SHUTDOWN,
				     &other.control.ep->fid, &ev);
		blk_hang_up(&other);
	}
	if (blk_word(&first, KFB_KEEP_ALIVE))
		blk_leave(&first);
	else
		blk_hang_up(&first);
	if (blk_session(&target, &other))
		blk_leave(&other);
out:
	blk_close(&target);
}

/* The other side of the connection has gone, whether or not this one knows. */
static void try_late_write(struct suite *t, struct blk_queue *queue,
			   const struct kfb_region *region)
{
	int ret;

	memset(queue->buf, 0x22, PAGE_SIZE);
	ret = kfi_write(queue->end.ep, queue->buf, PAGE_SIZE, NULL,
			KFI_ADDR_UNSPEC, region->addr, region->key, queue);
	if (ret != -ESHUTDOWN && EXPECT_OK(t, ret))
		EXPECT_COMP_ERR(t, &queue->end.tx, queue, 0, KFI_WRITE);
}

/*
 * A client that comes back takes over from itself. What it did with the old session
 * cannot reach the memory any more: not by the old connection, nor with the old key.
 */
static void check_takeover(struct blk_target *target, struct blk_client *old,
			   struct blk_queue *queue)
{
	struct suite *t = target->t;
	struct blk_queue fresh;
	struct blk_client next;

	if (!blk_dial(target, &next))
		return;
	next.hello = old->hello;
	if (!blk_greet(&next, KFB_OK))
		goto out_next;
	try_late_write(t, queue, old->regions);
	if (!expect_said(old, KFB_REPLACED) || !expect_hung_up(old, queue))
		goto out_next;
	EXPECT(t, next.welcome.token != old->welcome.token);
	EXPECT_EQ(t, next.welcome.incarnation, old->welcome.incarnation);
	if (!blk_queue_open(&next, &fresh, 1))
		goto out_next;
	if (blk_holds(t, &fresh, next.regions, 0x11) &&
	    blk_write(t, &fresh, next.regions, 0x33))
		blk_write_fails(t, &fresh, old->regions, 0x44);
	blk_queue_close(t, &fresh);
	if (blk_queue_open(&next, &fresh, 0)) {
		blk_holds(t, &fresh, next.regions, 0x33);
		blk_queue_close(t, &fresh);
	}
out_next:
	blk_leave(&next);
}

static void test_takeover(struct suite *t)
{
	struct blk_target target;
	struct blk_queue queue;
	struct blk_client old;

	if (!blk_open(t, &target))
		return;
	if (blk_session(&target, &old)) {
		if (blk_queue_open(&old, &queue, 0)) {
			if (blk_write(t, &queue, old.regions, 0x11))
				check_takeover(&target, &old, &queue);
			blk_queue_close(t, &queue);
		}
		blk_hang_up(&old);
	}
	blk_close(&target);
}

#define TAKEOVERS	4

static bool all_say_hello(struct blk_target *target, struct blk_client *clients,
			  unsigned int *nr)
{
	unsigned int i;

	for (; *nr < TAKEOVERS; (*nr)++) {
		if (!blk_dial(target, &clients[*nr]))
			return false;
		clients[*nr].hello = clients[0].hello;
	}
	for (i = 0; i < *nr; i++) {
		kfb_wire_put_hello((void *)clients[i].out, &clients[i].hello);
		if (!blk_say(&clients[i], sizeof(struct kfb_wire_hello)))
			return false;
	}
	return true;
}

/* The same client many times at once: one has it, and the others are hung up on. */
static void test_takeovers(struct suite *t)
{
	struct blk_client *clients;
	struct blk_target target;
	struct suite_event ev;
	unsigned int i, nr = 0;

	if (!blk_open(t, &target))
		return;
	clients = kzalloc_objs(*clients, TAKEOVERS);
	if (EXPECT(t, clients) && all_say_hello(&target, clients, &nr)) {
		for (i = 1; i < TAKEOVERS; i++)
			EXPECT_EVENT(t, target.net.eq, KFI_SHUTDOWN, NULL, &ev);
		EXPECT(t, !suite_read_event(t, target.net.eq, &ev,
					    SUITE_QUIET_MS));
	}
	while (nr)
		blk_hang_up(&clients[--nr]);
	kfree(clients);
	blk_close(&target);
}

/* Whoever says nothing for long is given up, and whoever says something is not. */
static void test_keep_alive(struct suite *t)
{
	struct blk_target target;
	struct blk_client client;
	unsigned int i;

	if (!blk_open(t, &target))
		return;
	if (!blk_dial(&target, &client))
		goto out;
	client.hello.keep_alive_ms = 5000;
	if (blk_greet(&client, KFB_OK)) {
		for (i = 0; i < 12 && blk_word(&client, KFB_KEEP_ALIVE); i++)
			msleep(500);
		EXPECT_EQ(t, i, 12);
		EXPECT(t, blk_expect_bye(&client, KFB_TIMEOUT,
					 SUITE_TIMEOUT_MS));
	}
	blk_hang_up(&client);
	if (blk_session(&target, &client))
		blk_leave(&client);
out:
	blk_close(&target);
}

/* What has no place in a session ends it. */
static void test_out_of_turn(struct suite *t)
{
	struct blk_target target;
	struct blk_client client;
	unsigned int i;
	size_t len;

	if (!blk_open(t, &target))
		return;
	for (i = 0; i < 6 && blk_session(&target, &client); i++) {
		len = sizeof(struct kfb_wire_header);
		kfb_wire_put_header((void *)client.out, KFB_KEEP_ALIVE, KFB_OK);
		if (i == 0)
			client.out[6] = KFB_HELLO;
		if (i == 1)
			client.out[6] = KFB_WELCOME;
		if (i == 2)
			client.out[7] = KFB_BUSY;
		if (i == 3)
			client.out[5] = 2;
		if (i == 4)
			len++;
		if (i == 5)
			len = 0;
		if (blk_say(&client, len))
			EXPECT(t, blk_expect_bye(&client, i == 3 ?
						 KFB_VERSION : KFB_MALFORMED,
						 SUITE_TIMEOUT_MS));
		blk_hang_up(&client);
	}
	EXPECT_EQ(t, i, 6);
	blk_close(&target);
}

/* A write with data is no message, though it takes a receive as one does. */
static void check_data(struct blk_target *target, bool by_queue)
{
	struct suite *t = target->t;
	struct blk_client client;
	struct blk_queue queue;
	struct kfid_ep *ep;
	unsigned int i;

	if (!blk_session(target, &client))
		return;
	if (!blk_queue_open(&client, &queue, 0))
		goto out;
	/* what is in the receives would do */
	for (i = 0; i < 8; i++)
		if (!blk_word(&client, KFB_KEEP_ALIVE))
			goto out_queue;
	ep = by_queue ? queue.end.ep : client.control.ep;
	if (EXPECT_OK(t, kfi_writedata(ep, client.out,
				       sizeof(struct kfb_wire_header), NULL, 1,
				       KFI_ADDR_UNSPEC, client.regions[0].addr,
				       client.regions[0].key, NULL)) &&
	    expect_said(&client, KFB_MALFORMED))
		expect_hung_up(&client, &queue);
out_queue:
	blk_queue_close(t, &queue);
out:
	blk_hang_up(&client);
}

static void test_data(struct suite *t)
{
	struct blk_target target;

	if (!blk_open(t, &target))
		return;
	check_data(&target, false);
	check_data(&target, true);
	blk_close(&target);
}

/* Clients that vanish at any point leave nothing that is in the way of the next. */
static void test_vanish(struct suite *t)
{
	unsigned int i, rounds = suite_scaled(1000, 20);
	struct blk_target target;
	struct blk_client client;
	struct blk_queue queue;
	const u8 *msg = NULL;
	size_t len = 0;
	u32 how;

	if (!blk_open(t, &target))
		return;
	for (i = 0; i < rounds && !suite_failed(t); i++) {
		if (!blk_dial(&target, &client))
			break;
		/* one and the same client, who takes over from itself */
		memset(&client.hello.instance, 7, sizeof(uuid_t));
		kfb_wire_put_hello((void *)client.out, &client.hello);
		how = suite_random(t, 0, 4);
		if (how >= 1)
			blk_say(&client, sizeof(struct kfb_wire_hello));
		if (how >= 2)
			EXPECT(t, blk_hear(&client, &msg, &len,
					   SUITE_TIMEOUT_MS));
		if (how >= 3 && !suite_failed(t) &&
		    EXPECT_OK(t, kfb_wire_parse_welcome(msg, len,
							&client.welcome)) &&
		    blk_queue_open(&client, &queue, how == 4)) {
			if (suite_random(t, 0, 1))
				blk_hang_up(&client);
			blk_queue_close(t, &queue);
		}
		if (client.control.ep)
			blk_hang_up(&client);
	}
	if (!suite_failed(t) && blk_dial(&target, &client)) {
		memset(&client.hello.instance, 7, sizeof(uuid_t));
		if (blk_greet(&client, KFB_OK))
			blk_leave(&client);
		else
			blk_hang_up(&client);
	}
	blk_close(&target);
}

/* A connection without a hello ends by itself. */
static void test_silent(struct suite *t)
{
	unsigned long start = jiffies;
	struct blk_target target;
	struct blk_client client;
	const u8 *msg;
	size_t len;

	if (!blk_open(t, &target))
		return;
	if (blk_dial(&target, &client)) {
		if (EXPECT(t, blk_hear(&client, &msg, &len, SUITE_TIMEOUT_MS)))
			EXPECT_EQ(t, kfb_wire_parse_welcome(msg, len,
							    &client.welcome),
				  KFB_TIMEOUT);
		EXPECT(t, jiffies_to_msecs(jiffies - start) >= BLK_HELLO_MS);
		blk_hang_up(&client);
	}
	blk_close(&target);
}

/* The first ones give up meanwhile where connections take long. */
static void check_full(struct blk_target *target, unsigned long start)
{
	if (jiffies_to_msecs(jiffies - start) < BLK_HELLO_MS * 8 / 10)
		blk_dial_refused(target, KFB_NO_RESOURCES);
	else
		target->t->skip = "connections take too long here";
}

/* Not more than so many, and whoever has said hello is not among them. */
static void test_flood(struct suite *t)
{
	struct blk_client *clients, first;
	struct blk_target target;
	unsigned long start;
	unsigned int nr = 0;

	if (!blk_open(t, &target))
		return;
	clients = kzalloc_objs(*clients, BLK_MAX_NEW);
	if (!EXPECT(t, clients) || !blk_session(&target, &first))
		goto out;
	start = jiffies;
	while (nr < BLK_MAX_NEW && blk_dial(&target, &clients[nr]))
		nr++;
	if (EXPECT_EQ(t, nr, BLK_MAX_NEW)) {
		check_full(&target, start);
		EXPECT(t, blk_word(&first, KFB_KEEP_ALIVE));
	}
	while (nr)
		blk_hang_up(&clients[--nr]);
	blk_leave(&first);
out:
	kfree(clients);
	blk_close(&target);
}

/* The session ends with the memory device, and there is none until it is back. */
static void test_cut(struct suite *t)
{
	struct blk_target target;
	struct blk_client client;
	u64 incarnation;

	if (!blk_open_session(t, &target, &client))
		return;
	incarnation = client.welcome.incarnation;
	EXPECT_OK(t, kfi_pmemsim_cut(target.sim));
	EXPECT(t, blk_expect_bye(&client, KFB_DEVICE, SUITE_TIMEOUT_MS));
	blk_hang_up(&client);
	if (!blk_dial(&target, &client))
		goto out;
	blk_greet(&client, KFB_DEVICE);
	blk_hang_up(&client);
	if (blk_set(t, "exports/" BLK_EXPORT "/enable", "1") &&
	    blk_session(&target, &client)) {
		EXPECT(t, client.welcome.incarnation != incarnation);
		blk_leave(&client);
	}
out:
	blk_close(&target);
}

/* A session with a queue, until @end has done its work: both connections end. */
static void check_end(struct suite *t, bool (*end)(struct suite *t), bool told)
{
	struct blk_target target;
	struct blk_client client;
	struct blk_queue queue;

	if (!blk_open_session(t, &target, &client))
		return;
	if (blk_queue_open(&client, &queue, 0)) {
		if (end(t) && (!told || expect_said(&client, KFB_SHUTDOWN)))
			expect_hung_up(&client, &queue);
		blk_queue_close(t, &queue);
	}
	blk_hang_up(&client);
	blk_close(&target);
}

static bool disable_export(struct suite *t)
{
	return blk_set(t, "exports/" BLK_EXPORT "/enable", "0");
}

static bool await_unlink(struct suite *t)
{
	return suite_wait_go(t, "the port to be left");
}

static bool await_remove(struct suite *t)
{
	return suite_wait_go(t, "the device to go away");
}

/* So it does with the export, and the connection of a queue with it. */
static void test_disable(struct suite *t)
{
	check_end(t, disable_export, true);
}

static void test_unlink(struct suite *t)
{
	check_end(t, await_unlink, true);
}

/* It is the client's device as well. */
static void test_remove(struct suite *t)
{
	check_end(t, await_remove, false);
}

/* By name, for they need a script */
const struct suite_test suite_blk_end_tests[] = {
	{ "blk_unlink", test_unlink },
	{ "blk_remove", test_remove },
	{ }
};

const struct suite_test suite_blk_session_tests[] = {
	{ "blk.busy", test_busy },
	{ "blk.takeover", test_takeover },
	{ "blk.takeovers", test_takeovers },
	{ "blk.keep_alive", test_keep_alive },
	{ "blk.out_of_turn", test_out_of_turn },
	{ "blk.data", test_data },
	{ "blk.vanish", test_vanish },
	{ "blk.silent", test_silent },
	{ "blk.flood", test_flood },
	{ "blk.cut", test_cut },
	{ "blk.disable", test_disable },
	{ }
};
