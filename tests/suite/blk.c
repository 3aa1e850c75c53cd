// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A client of kfi_blk_target, by hand: what it says is put together here, so that it
 * can be wrong.
 */

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "blk.h"

#define BLK_CONFIG	"/sys/kernel/config/kfi_blk_target/"

/* As a user does it: echo VALUE >PATH */
bool blk_echo(struct suite *t, const char *path, const char *value)
{
	struct file *file = filp_open(path, O_WRONLY, 0);
	loff_t pos = 0;
	bool ok;

	if (!EXPECT_OK(t, PTR_ERR_OR_ZERO(file)))
		return false;
	ok = EXPECT_EQ(t, kernel_write(file, value, strlen(value), &pos),
		       strlen(value));
	filp_close(file, NULL);
	return ok;
}

bool blk_set(struct suite *t, const char *path, const char *value)
{
	char *name = kasprintf(GFP_KERNEL, BLK_CONFIG "%s", path);
	bool ok;

	ok = EXPECT(t, name) && blk_echo(t, name, value);
	kfree(name);
	return ok;
}

static bool blk_net_open(struct suite *t, struct suite_net *net)
{
	struct kfi_info *info;
	bool ok;

	memset(net, 0, sizeof(*net));
	net->t = t;
	if (!EXPECT_OK(t, suite_getinfo(SUITE_RAW, BLK_PORT, 0, &info)))
		return false;
	ok = EXPECT_OK(t, kfi_fabric(info->fabric_attr, &net->fabric, NULL)) &&
	     EXPECT_OK(t, kfi_domain(net->fabric, info, &net->domain, NULL)) &&
	     EXPECT_OK(t, kfi_eq_open(net->fabric, NULL, &net->eq, NULL, NULL));
	kfi_freeinfo(info);
	return ok;
}

static const char * const blk_exports[] = {
	BLK_EXPORT, BLK_READ_ONLY, BLK_FRIENDS, BLK_UNLINKED,
};

bool blk_open(struct suite *t, struct blk_target *target)
{
	memset(target, 0, sizeof(*target));
	target->t = t;
	target->sim = kfi_pmemsim_create("blk", BLK_SIZE);
	if (!EXPECT_OK(t, PTR_ERR_OR_ZERO(target->sim)))
		return false;
	if (blk_net_open(t, &target->net) &&
	    blk_set(t, "exports/" BLK_EXPORT "/enable", "1"))
		return true;
	blk_close(target);
	return false;
}

/* One export at a time has the device. */
void blk_close(struct blk_target *target)
{
	struct suite *t = target->t;
	char path[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(blk_exports); i++) {
		snprintf(path, sizeof(path), "exports/%s/enable",
			 blk_exports[i]);
		blk_set(t, path, "0");
	}
	suite_net_close(&target->net);
	kfi_pmemsim_destroy(target->sim);
}

static bool blk_post(struct blk_client *client, u8 *buf)
{
	return EXPECT_OK(client->target->t,
			 kfi_recv(client->control.ep, buf, KFB_WIRE_MAX, NULL,
				  KFI_ADDR_UNSPEC, buf));
}

static bool blk_prepare(struct blk_target *target, struct blk_client *client)
{
	const struct suite_opts opts = {
		.tx_size = 4, .rx_size = BLK_RECEIVES, .cq_size = 16,
	};
	struct suite *t = target->t;
	unsigned int i;

	memset(client, 0, sizeof(*client));
	client->target = target;
	client->hello = (struct kfb_hello) {
		.keep_alive_ms = KFB_MAX_KEEP_ALIVE, .nr_queues = 2,
		.export = BLK_EXPORT, .client = "suite",
	};
	generate_random_guid(client->hello.instance.b);
	client->bufs = kcalloc(BLK_RECEIVES, KFB_WIRE_MAX, GFP_KERNEL);
	client->out = kzalloc(KFB_WIRE_MAX + 1, GFP_KERNEL);
	if (!EXPECT(t, client->bufs && client->out) ||
	    !EXPECT_OK(t, suite_getinfo(SUITE_RAW, BLK_PORT, 0,
					&client->info)) ||
	    !suite_end_open(&target->net, &client->control, client->info,
			    &opts) ||
	    !suite_patient(t, &client->control) ||
	    !EXPECT_OK(t, kfi_enable(client->control.ep)))
		return false;
	for (i = 0; i < BLK_RECEIVES; i++)
		if (!blk_post(client, client->bufs + i * KFB_WIRE_MAX))
			return false;
	return EXPECT_OK(t, kfi_connect(client->control.ep, NULL, NULL, 0));
}

/* A control connection */
bool blk_dial(struct blk_target *target, struct blk_client *client)
{
	struct suite_event ev;

	if (blk_prepare(target, client) &&
	    EXPECT_EVENT(target->t, target->net.eq, KFI_CONNECTED,
			 &client->control.ep->fid, &ev))
		return true;
	blk_hang_up(client);
	return false;
}

void blk_hang_up(struct blk_client *client)
{
	suite_end_close(client->target->t, &client->control);
	kfi_freeinfo(client->info);
	client->info = NULL;
	kfree(client->bufs);
	client->bufs = NULL;
	kfree(client->out);
	client->out = NULL;
}

static bool blk_refused(struct suite *t, struct blk_target *target,
			struct kfid_ep *ep, enum kfb_status status)
{
	enum kfb_status said = KFB_OK;
	struct suite_event ev;
	enum kfb_type type;

	if (!EXPECT_ERROR(t, target->net.eq, ECONNREFUSED, &ep->fid, &ev) ||
	    !EXPECT_OK(t, kfb_wire_type(ev.data, ev.len, &type, &said)))
		return false;
	return EXPECT_EQ(t, type, KFB_REFUSAL) && EXPECT_EQ(t, said, status);
}

bool blk_dial_refused(struct blk_target *target, enum kfb_status status)
{
	struct blk_client client;
	bool ok;

	ok = blk_prepare(target, &client) &&
	     blk_refused(target->t, target, client.control.ep, status);
	blk_hang_up(&client);
	return ok;
}

/*
 * Sends @len bytes of @out. The other side may have hung up before this end knows that
 * they have arrived.
 */
bool blk_send(struct suite *t, struct suite_end *end, const u8 *out, size_t len)
{
	struct suite_comp comp;

	return EXPECT_OK(t, kfi_send(end->ep, out, len, NULL, KFI_ADDR_UNSPEC,
				     NULL)) &&
	       EXPECT(t, suite_read_comp(t, &end->tx, &comp,
					 SUITE_TIMEOUT_MS)) &&
	       EXPECT(t, !comp.err || comp.err == ECANCELED);
}

bool blk_say(struct blk_client *client, size_t len)
{
	return blk_send(client->target->t, &client->control, client->out, len);
}

/* The next message, there until the receives were used up. */
bool blk_hear(struct blk_client *client, const u8 **msg, size_t *len, int ms)
{
	struct suite *t = client->target->t;
	struct suite_comp comp;

	if (!suite_read_comp(t, &client->control.rx, &comp, ms) ||
	    comp.err)
		return false;
	*msg = comp.entry.op_context;
	*len = comp.entry.len;
	return true;
}

static bool blk_hear_table(struct blk_client *client)
{
	struct suite *t = client->target->t;
	const u8 *msg;
	size_t len;
	u32 count;

	if (!EXPECT(t, client->welcome.nr_regions <=
		       ARRAY_SIZE(client->regions)) ||
	    !EXPECT(t, blk_hear(client, &msg, &len, SUITE_TIMEOUT_MS)))
		return false;
	return EXPECT_OK(t, kfb_wire_parse_regions(msg, len, &client->welcome,
						   0, client->regions,
						   &count)) &&
	       EXPECT_EQ(t, count, client->welcome.nr_regions);
}

/* Says hello, and is told @expected. */
bool blk_greet(struct blk_client *client, enum kfb_status expected)
{
	struct suite *t = client->target->t;
	const u8 *msg;
	size_t len;

	kfb_wire_put_hello((void *)client->out, &client->hello);
	if (!blk_say(client, sizeof(struct kfb_wire_hello)) ||
	    !EXPECT(t, blk_hear(client, &msg, &len, SUITE_TIMEOUT_MS)) ||
	    !EXPECT_EQ(t, kfb_wire_parse_welcome(msg, len, &client->welcome),
		       expected))
		return false;
	return expected || blk_hear_table(client);
}

/* The target ends the connection, after it has said why. */
bool blk_expect_bye(struct blk_client *client, enum kfb_status why, int ms)
{
	struct blk_target *target = client->target;
	enum kfb_status said = KFB_OK;
	struct suite *t = target->t;
	struct suite_event ev;
	enum kfb_type type;
	const u8 *msg;
	size_t len;

	if (!EXPECT(t, blk_hear(client, &msg, &len, ms)) ||
	    !EXPECT_OK(t, kfb_wire_type(msg, len, &type, &said)))
		return false;
	return EXPECT_EQ(t, type, KFB_BYE) && EXPECT_EQ(t, said, why) &&
	       EXPECT_EQ(t, len, sizeof(struct kfb_wire_header)) &&
	       EXPECT_EVENT(t, target->net.eq, KFI_SHUTDOWN,
			    &client->control.ep->fid, &ev);
}

/* A message that is nothing but a header */
bool blk_word(struct blk_client *client, enum kfb_type type)
{
	kfb_wire_put_header((void *)client->out, type, KFB_OK);
	return blk_say(client, sizeof(struct kfb_wire_header));
}

/* The export is free when the target has hung up. */
bool blk_leave(struct blk_client *client)
{
	struct blk_target *target = client->target;
	struct suite_event ev;
	bool ok;

	ok = blk_word(client, KFB_BYE) &&
	     EXPECT_EVENT(target->t, target->net.eq, KFI_SHUTDOWN,
			  &client->control.ep->fid, &ev);
	blk_hang_up(client);
	return ok;
}

/* A session with the export that can be written to */
bool blk_session(struct blk_target *target, struct blk_client *client)
{
	if (!blk_dial(target, client))
		return false;
	if (blk_greet(client, KFB_OK))
		return true;
	blk_hang_up(client);
	return false;
}

/* A target and a session with it. When false there is neither. */
bool blk_open_session(struct suite *t, struct blk_target *target,
		      struct blk_client *client)
{
	if (!blk_open(t, target))
		return false;
	if (blk_session(target, client))
		return true;
	blk_close(target);
	return false;
}

/* A queue's connection with any private data: it is there, or refused for @status. */
bool blk_queue_try(struct blk_client *client, struct blk_queue *queue,
		   const void *data, size_t len, enum kfb_status status)
{
	struct blk_target *target = client->target;
	const struct suite_opts opts = { };
	struct suite *t = target->t;
	struct suite_event ev;
	bool ok;

	memset(queue, 0, sizeof(*queue));
	queue->buf = kzalloc(PAGE_SIZE, GFP_KERNEL);
	ok = EXPECT(t, queue->buf) &&
	     EXPECT_OK(t, suite_getinfo(SUITE_COMMIT, BLK_PORT, 0,
					&queue->info)) &&
	     suite_end_open(&target->net, &queue->end, queue->info, &opts) &&
	     suite_patient(t, &queue->end) &&
	     EXPECT_OK(t, kfi_connect(queue->end.ep, NULL, data, len));
	if (ok && status)
		ok = blk_refused(t, target, queue->end.ep, status);
	else if (ok)
		ok = EXPECT_EVENT(t, target->net.eq, KFI_CONNECTED,
				  &queue->end.ep->fid, &ev);
	if (!ok || status)
		blk_queue_close(t, queue);
	return ok;
}

bool blk_queue_open(struct blk_client *client, struct blk_queue *queue,
		    unsigned int number)
{
	const struct kfb_queue wanted = {
		.token = client->welcome.token, .queue = number,
	};
	struct kfb_wire_queue wire;

	kfb_wire_put_queue(&wire, &wanted);
	return blk_queue_try(client, queue, &wire, sizeof(wire), KFB_OK);
}

void blk_queue_close(struct suite *t, struct blk_queue *queue)
{
	suite_end_close(t, &queue->end);
	kfi_freeinfo(queue->info);
	queue->info = NULL;
	kfree(queue->buf);
	queue->buf = NULL;
}

static bool blk_post_write(struct suite *t, struct blk_queue *queue,
			   const struct kfb_region *region, u8 value)
{
	memset(queue->buf, value, PAGE_SIZE);
	return EXPECT_OK(t, kfi_write_commit(queue->end.ep, queue->buf,
					     PAGE_SIZE, NULL, KFI_ADDR_UNSPEC,
					     region->addr, region->key, queue));
}

/* A page of @value, committed */
bool blk_write(struct suite *t, struct blk_queue *queue,
	       const struct kfb_region *region, u8 value)
{
	return blk_post_write(t, queue, region, value) &&
	       EXPECT_COMP(t, &queue->end.tx, queue, NULL);
}

/* One that fails, and ends the connection. */
bool blk_write_fails(struct suite *t, struct blk_queue *queue,
		     const struct kfb_region *region, u8 value)
{
	return blk_post_write(t, queue, region, value) &&
	       EXPECT_COMP_ERR(t, &queue->end.tx, queue, 0, KFI_WRITE);
}

/* A page of @value is read. */
bool blk_holds(struct suite *t, struct blk_queue *queue,
	       const struct kfb_region *region, u8 value)
{
	memset(queue->buf, ~value, PAGE_SIZE);
	return EXPECT_OK(t, kfi_read(queue->end.ep, queue->buf, PAGE_SIZE, NULL,
				     KFI_ADDR_UNSPEC, region->addr,
				     region->key, queue)) &&
	       EXPECT_COMP(t, &queue->end.tx, queue, NULL) &&
	       EXPECT_ALL(t, queue->buf, value, PAGE_SIZE);
}
