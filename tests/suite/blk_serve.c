// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A target of block devices, by hand: there is something wrong with what it says to
 * kfi_blk, which must not connect, and has to say what it is. The script has made the
 * device, and this end writes to its files.
 */

#include <linux/array_size.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "blk.h"

#define SERVE_DEVICE	"/sys/kernel/config/kfi_blk/served/"
/* A hello, and a goodbye */
#define SERVE_RECEIVES	4
/* Of the table that is right */
#define SERVE_REGIONS	2
#define SERVE_SIZE	(KFB_MIN_REGION + SZ_4K)

/* Offsets in the messages, as their description has them */
#define WELCOME_MAGIC		0
#define WELCOME_VERSION		4
#define WELCOME_TYPE		6
#define WELCOME_STATUS		7
#define WELCOME_SIZE		16
#define WELCOME_REGION_SIZE	32
#define WELCOME_BLOCK_SIZE	36
#define WELCOME_REGIONS		40
#define WELCOME_KEEP_ALIVE	44
#define WELCOME_QUEUES		48
#define WELCOME_FLAGS		50
#define WELCOME_RESERVED	52
#define WELCOME_LEN		56
#define TABLE_FIRST		8
#define TABLE_COUNT		12
#define TABLE_ADDR		16
#define TABLE_LEN		48

/**
 * struct serve - the target
 * @t: the test
 * @net: where it listens
 * @enable: writes to @file
 * @file: the device's file that makes it connect
 * @answer: what that has returned
 * @end: the control connection
 * @in: what the client says
 * @out: what it is told
 */
struct serve {
	struct suite		*t;
	struct suite_net	net;
	struct work_struct	enable;
	struct file		*file;
	ssize_t			answer;
	struct suite_end	end;
	u8			*in;
	u8			*out;
};

static void serve_enable(struct work_struct *work)
{
	struct serve *serve = container_of(work, struct serve, enable);
	loff_t pos = 0;

	serve->answer = kernel_write(serve->file, "1", 1, &pos);
}

static void serve_close(struct serve *serve)
{
	kfree(serve->in);
	kfree(serve->out);
	suite_net_close(&serve->net);
}

static bool serve_open(struct suite *t, struct serve *serve)
{
	memset(serve, 0, sizeof(*serve));
	serve->t = t;
	INIT_WORK(&serve->enable, serve_enable);
	if (!suite_net_open(t, &serve->net, SUITE_RAW, NULL))
		return false;
	serve->in = kcalloc(SERVE_RECEIVES, KFB_WIRE_MAX, GFP_KERNEL);
	serve->out = kzalloc(KFB_WIRE_MAX + 1, GFP_KERNEL);
	if (EXPECT(t, serve->in && serve->out) &&
	    blk_echo(t, SERVE_DEVICE "service", serve->net.port))
		return true;
	serve_close(serve);
	return false;
}

static bool serve_accept(struct serve *serve)
{
	const struct suite_opts opts = {
		.tx_size = 4, .rx_size = SERVE_RECEIVES, .cq_size = 16,
	};
	struct suite_net *net = &serve->net;
	struct suite *t = serve->t;
	struct suite_event ev;
	unsigned int i;
	bool ok;
	u8 *buf;

	if (!EXPECT_EVENT(t, net->eq, KFI_CONNREQ, &net->pep->fid, &ev))
		return false;
	ok = suite_end_open(net, &serve->end, ev.info, &opts) &&
	     EXPECT_OK(t, kfi_enable(serve->end.ep));
	for (i = 0; i < SERVE_RECEIVES && ok; i++) {
		buf = serve->in + i * KFB_WIRE_MAX;
		ok = EXPECT_OK(t, kfi_recv(serve->end.ep, buf, KFB_WIRE_MAX,
					   NULL, KFI_ADDR_UNSPEC, buf));
	}
	ok = ok && EXPECT_OK(t, kfi_accept(serve->end.ep, NULL, 0));
	kfi_freeinfo(ev.info);
	return ok && EXPECT_EVENT(t, net->eq, KFI_CONNECTED,
				  &serve->end.ep->fid, &ev);
}

static bool serve_say(struct serve *serve, size_t len)
{
	return blk_send(serve->t, &serve->end, serve->out, len);
}

static bool serve_hear(struct serve *serve, struct suite_comp *comp)
{
	return EXPECT(serve->t, suite_read_comp(serve->t, &serve->end.rx, comp,
						SUITE_TIMEOUT_MS));
}

static bool serve_hear_hello(struct serve *serve)
{
	struct suite *t = serve->t;
	struct suite_comp comp;
	struct kfb_hello hello;

	return serve_hear(serve, &comp) && EXPECT_EQ(t, comp.err, 0) &&
	       EXPECT_OK(t, kfb_wire_parse_hello(comp.entry.op_context,
						 comp.entry.len, &hello)) &&
	       EXPECT(t, !strcmp(hello.export, BLK_EXPORT));
}

/* The client complains of @why, or of nothing, and leaves. */
static void serve_hear_bye(struct serve *serve, enum kfb_status why)
{
	enum kfb_status said = KFB_OK;
	struct suite *t = serve->t;
	struct suite_comp comp;
	enum kfb_type type;

	if (!serve_hear(serve, &comp))
		return;
	if (!why) {
		EXPECT_EQ(t, comp.err, ECANCELED);
		return;
	}
	if (!EXPECT_EQ(t, comp.err, 0) ||
	    !EXPECT_OK(t, kfb_wire_type(comp.entry.op_context, comp.entry.len,
					&type, &said)))
		return;
	EXPECT_EQ(t, type, KFB_BYE);
	EXPECT_EQ(t, said, why);
}

static size_t serve_put_welcome(struct serve *serve)
{
	static const struct kfb_welcome welcome = {
		.token = 1, .size = SERVE_SIZE, .incarnation = 1,
		.region_size = KFB_MIN_REGION, .block_size = SZ_4K,
		.nr_regions = SERVE_REGIONS,
		.keep_alive_ms = KFB_MAX_KEEP_ALIVE, .nr_queues = 1,
	};

	kfb_wire_put_welcome((void *)serve->out, &welcome);
	return sizeof(struct kfb_wire_welcome);
}

static size_t serve_put_table(struct serve *serve)
{
	static const struct kfb_region regions[SERVE_REGIONS] = {
		{ .addr = 0x100000, .key = 1 }, { .addr = 0x200000, .key = 2 },
	};

	return kfb_wire_put_regions((void *)serve->out, 0, SERVE_REGIONS,
				    regions);
}

/**
 * struct bad_answer - an answer to a hello with something wrong
 * @table: it is in the table, the welcome is right
 * @at: offset of what is wrong
 * @len: bytes of it
 * @value: what stands there instead
 * @whole: bytes of the message
 * @complaint: what the client says
 * @reason: what the user is told, if that is another one
 */
struct bad_answer {
	bool		table;
	size_t		at;
	size_t		len;
	const char	*value;
	size_t		whole;
	enum kfb_status	complaint;
	enum kfb_status	reason;
};

#define WELCOME(_at, _len, _value, _whole, _complaint)			\
	{ false, WELCOME_##_at, _len, _value, _whole, _complaint }
#define TABLE(_at, _len, _value, _whole)				\
	{ true, TABLE_##_at, _len, _value, _whole, KFB_MALFORMED }

static const struct bad_answer bad_answers[] = {
	WELCOME(MAGIC, 1, "x", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(VERSION, 2, "\0\0", WELCOME_LEN, KFB_VERSION),
	WELCOME(VERSION, 2, "\0\2", WELCOME_LEN, KFB_VERSION),
	WELCOME(VERSION, 2, "\0\2", 8, KFB_VERSION),
	WELCOME(TYPE, 1, "\0", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(TYPE, 1, "\1", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(TYPE, 1, "\3", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(TYPE, 1, "\4", 8, KFB_MALFORMED),
	WELCOME(TYPE, 1, "\6", 8, KFB_MALFORMED),
	WELCOME(STATUS, 1, "\xff", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(MAGIC, 0, "", 0, KFB_MALFORMED),
	WELCOME(MAGIC, 0, "", 7, KFB_MALFORMED),
	WELCOME(MAGIC, 0, "", 8, KFB_MALFORMED),
	WELCOME(MAGIC, 0, "", WELCOME_LEN - 1, KFB_MALFORMED),
	WELCOME(MAGIC, 0, "", WELCOME_LEN + 1, KFB_MALFORMED),
	WELCOME(MAGIC, 0, "", KFB_WIRE_MAX, KFB_MALFORMED),
	WELCOME(SIZE, 8, "\0\0\0\0\0\0\0\0", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(SIZE, 8, "\0\0\0\xff\0\0\0\0", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(SIZE + 7, 1, "\1", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(REGION_SIZE, 4, "\0\0\0\0", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(REGION_SIZE, 4, "\0\0\2\0", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(REGION_SIZE, 4, "\x80\0\0\0", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(REGION_SIZE + 3, 1, "\1", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(BLOCK_SIZE, 4, "\0\0\0\0", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(BLOCK_SIZE, 4, "\0\0\x04\0", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(REGIONS, 4, "\0\0\0\0", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(REGIONS, 4, "\0\0\0\1", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(REGIONS, 4, "\0\0\0\3", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(REGIONS, 4, "\xff\xff\xff\xff", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(KEEP_ALIVE, 4, "\0\0\0\0", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(KEEP_ALIVE, 4, "\xff\xff\xff\xff", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(QUEUES, 2, "\0\0", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(QUEUES, 2, "\0\2", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(QUEUES, 2, "\xff\xff", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(FLAGS, 2, "\0\2", WELCOME_LEN, KFB_MALFORMED),
	WELCOME(RESERVED, 4, "\0\0\0\1", WELCOME_LEN, KFB_MALFORMED),
	/* what the target says it knows, and the user is told */
	{ false, WELCOME_STATUS, 1, "\5", WELCOME_LEN, KFB_OK, KFB_BUSY },
	{ false, WELCOME_STATUS, 1, "\4", 8, KFB_OK, KFB_DENIED },
	{ false, WELCOME_TYPE, 2, "\5\x0c", 8, KFB_OK, KFB_SHUTDOWN },
	TABLE(FIRST, 4, "\0\0\0\1", TABLE_LEN),
	TABLE(FIRST, 4, "\xff\xff\xff\xff", TABLE_LEN),
	TABLE(COUNT, 4, "\0\0\0\0", TABLE_LEN),
	TABLE(COUNT, 4, "\0\0\0\1", TABLE_LEN),
	TABLE(COUNT, 4, "\0\0\0\3", TABLE_LEN),
	TABLE(COUNT, 4, "\0\0\0\3", TABLE_LEN + 16),
	TABLE(COUNT, 4, "\xff\xff\xff\xff", TABLE_LEN),
	TABLE(ADDR, 8, "\xff\xff\xff\xff\xff\xff\xff\xff", TABLE_LEN),
	TABLE(ADDR + 16, 8, "\xff\xff\xff\xff\xff\xff\xf0\1", TABLE_LEN),
	TABLE(FIRST, 0, "", 0),
	TABLE(FIRST, 0, "", TABLE_ADDR),
	TABLE(FIRST, 0, "", TABLE_LEN - 1),
	TABLE(FIRST, 0, "", TABLE_LEN + 1),
};

static bool serve_say_bad(struct serve *serve, const struct bad_answer *bad)
{
	size_t len = serve_put_welcome(serve);

	if (bad->table) {
		if (!serve_say(serve, len))
			return false;
		serve_put_table(serve);
	}
	memcpy(serve->out + bad->at, bad->value, bad->len);
	return serve_say(serve, bad->whole);
}

static void check_bad_answer(struct serve *serve, const struct bad_answer *bad)
{
	struct suite *t = serve->t;
	struct suite_event ev;

	serve->file = filp_open(SERVE_DEVICE "enable", O_WRONLY, 0);
	if (!EXPECT_OK(t, PTR_ERR_OR_ZERO(serve->file)))
		return;
	queue_work(suite_wq, &serve->enable);
	if (serve_accept(serve) && serve_hear_hello(serve) &&
	    serve_say_bad(serve, bad)) {
		serve_hear_bye(serve, bad->complaint);
		EXPECT_EVENT(t, serve->net.eq, KFI_SHUTDOWN,
			     &serve->end.ep->fid, &ev);
	}
	suite_end_close(t, &serve->end);
	flush_work(&serve->enable);
	EXPECT_EQ(t, serve->answer,
		  kfb_status_errno(bad->reason ?: bad->complaint));
	filp_close(serve->file, NULL);
}

static void test_bad_answer(struct suite *t)
{
	struct serve serve;
	unsigned int i;

	if (!serve_open(t, &serve))
		return;
	for (i = 0; i < ARRAY_SIZE(bad_answers) && !suite_failed(t); i++) {
		check_bad_answer(&serve, &bad_answers[i]);
		if (suite_failed(t))
			COMPLAIN(t, "bad answer %u", i);
	}
	serve_close(&serve);
}

const struct suite_test suite_blk_serve_tests[] = {
	{ "blk.bad_answer", test_bad_answer },
	{ }
};
