// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A stranger who is asked to commit: whatever it answers, each commit completes
 * once, and nobody takes a wrong answer for a right one.
 */

#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "wire.h"

/**
 * struct bad_reply - what is wrong with an answer
 * @what: in words
 * @at: which byte of a good answer
 * @flip: what is wrong with it
 * @len: bytes of the message
 */
struct bad_reply {
	const char	*what;
	unsigned int	at;
	u8		flip;
	size_t		len;
};

#define AT(field)	offsetof(struct wire_reply, field)
#define REPLY_LEN	sizeof(struct wire_reply)

static const struct bad_reply bad_replies[] = {
	{ "nothing", 0, 0, 0 },
	{ "one byte", 0, 0, 1 },
	{ "one byte less", 0, 0, REPLY_LEN - 1 },
	{ "one byte more", 0, 0, REPLY_LEN + 1 },
	{ "another operation", AT(op), WIRE_REPLY ^ 4, REPLY_LEN },
	{ "a request", AT(op), WIRE_REPLY ^ WIRE_COMMIT, REPLY_LEN },
	{ "an unknown status", AT(status), 4, REPLY_LEN },
	{ "a status of 255", AT(status), 255, REPLY_LEN },
	{ "another slot", AT(slot) + 1, 1, REPLY_LEN },
	{ "a slot far away", AT(slot), 255, REPLY_LEN },
	{ "another generation", AT(generation) + 3, 1, REPLY_LEN },
	{ "a generation far away", AT(generation), 255, REPLY_LEN },
	{ "a generation with the same slot", AT(generation) + 3, 64,
	  REPLY_LEN },
	{ "a number that is reserved", AT(reserved), 1, REPLY_LEN },
	{ "more than a message can be", 0, 0, WIRE_MAX + 1 },
};

static bool open_stranger(struct suite *t, struct wire *w)
{
	struct wire_record rec;
	unsigned int i;

	if (!wire_open(t, w, SUITE_RAW, SUITE_COMMIT))
		return false;
	if (t->method == KFI_COMMIT_READ) {
		EXPECT_OK(t, suite_set_method(w->a.ep, KFI_COMMIT_READ));
		wire_read_record(&rec);
	} else {
		wire_good_record(&rec);
	}
	if (!wire_connect(w, NULL, 0, &rec, sizeof(rec))) {
		wire_close(w);
		return false;
	}
	for (i = 0; i < WIRE_RECVS; i++)
		EXPECT_OK(t, kfi_recv(w->b.ep, w->in, WIRE_MAX, NULL, 0,
				      w->in));
	return true;
}

/* Writes @len bytes of each of @nr ranges. */
static ssize_t post_commit(struct wire *w, unsigned int nr, size_t len,
			   void *context, u64 flags)
{
	struct kvec iov = { .iov_base = w->out + WIRE_MAX };
	struct kfi_rma_iov rma[2] = { };
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = rma, .rma_iov_count = nr, .context = context,
		.data = 0x01020304,
	};
	unsigned int i;

	iov.iov_len = nr * len;
	for (i = 0; i < nr; i++) {
		rma[i].addr = w->mr->iova + i * 4096;
		rma[i].len = len;
		rma[i].key = w->mr->key;
	}
	return kfi_writemsg(w->a.ep, &msg, flags);
}

/* The request is in @in: what it says is what was posted. */
static bool check_request(struct wire *w, u8 op, size_t len, bool data)
{
	struct wire_request *req = (void *)w->in;
	struct suite *t = w->t;
	struct suite_comp comp;

	if (!EXPECT_COMP(t, &w->b.rx, w->in, &comp))
		return false;
	EXPECT_EQ(t, comp.entry.len, offsetof(struct wire_request, ranges[1]));
	EXPECT_EQ(t, req->op, op);
	EXPECT_EQ(t, req->nr_ranges, 1);
	EXPECT_EQ(t, req->flags, data);
	EXPECT_EQ(t, be32_to_cpu(req->data), data ? 0x01020304 : 0);
	EXPECT_EQ(t, req->reserved, 0);
	EXPECT_EQ(t, be32_to_cpu(req->reserved2), 0);
	EXPECT_EQ(t, be16_to_cpu(req->inline_len), 0);
	EXPECT_EQ(t, be64_to_cpu(req->ranges[0].addr), w->mr->iova);
	EXPECT_EQ(t, be64_to_cpu(req->ranges[0].len), len);
	EXPECT_EQ(t, be64_to_cpu(req->ranges[0].key), w->mr->key);
	/* the write in front of it has arrived */
	return EXPECT_SAME(t, w->mem, w->out + WIRE_MAX, len);
}

/* The answer to the request in @in */
static struct wire_reply *put_reply(struct wire *w, u8 status)
{
	const struct wire_request *req = (void *)w->in;
	struct wire_reply *reply = (void *)w->out;

	memset(w->out, 0, WIRE_MAX);
	reply->op = WIRE_REPLY;
	reply->status = status;
	reply->slot = req->slot;
	reply->generation = req->generation;
	return reply;
}

static void send_reply(struct wire *w, size_t len)
{
	EXPECT_OK(w->t, kfi_send(w->b.ep, w->out, len, NULL, 0, w->out));
}

static void check_malformed(struct suite *t, const struct bad_reply *bad)
{
	struct wire w;

	if (!open_stranger(t, &w))
		return;
	EXPECT_OK(t, post_commit(&w, 1, 8, &w, KFI_COMMIT));
	if (check_request(&w, WIRE_COMMIT, 8, false)) {
		put_reply(&w, WIRE_OK);
		w.out[bad->at] ^= bad->flip;
		send_reply(&w, bad->len);
		EXPECT_COMP_ERR(t, &w.a.tx, &w, ECANCELED,
				KFI_RMA | KFI_WRITE);
		EXPECT_NO_COMP(t, &w.a.tx);
		wire_expect_closed(&w);
	}
	wire_close(&w);
}

static void test_malformed(struct suite *t)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_replies) && !suite_failed(t); i++) {
		check_malformed(t, &bad_replies[i]);
		if (suite_failed(t))
			COMPLAIN(t, "the above was: %s", bad_replies[i].what);
	}
}

/* Each status is what the consumer is told. */
static void test_statuses(struct suite *t)
{
	static const int errors[] = {
		[WIRE_OK] = 0, [WIRE_ACCESS] = EACCES, [WIRE_IO] = EIO,
		[WIRE_BROKEN] = ECANCELED,
	};
	struct wire w;
	u8 status;

	if (!open_stranger(t, &w))
		return;
	for (status = WIRE_OK; status <= WIRE_BROKEN; status++) {
		EXPECT_OK(t, post_commit(&w, 1, 8, &w, KFI_COMMIT |
					 KFI_REMOTE_CQ_DATA));
		if (!check_request(&w, WIRE_COMMIT, 8, true))
			break;
		EXPECT_NO_COMP(t, &w.a.tx);
		put_reply(&w, status);
		send_reply(&w, REPLY_LEN);
		if (errors[status])
			EXPECT_COMP_ERR(t, &w.a.tx, &w, errors[status],
					KFI_RMA | KFI_WRITE | KFI_COMMIT);
		else
			EXPECT_COMP(t, &w.a.tx, &w, NULL);
		EXPECT_COMP(t, &w.b.tx, w.out, NULL);
		EXPECT_OK(t, kfi_recv(w.b.ep, w.in, WIRE_MAX, NULL, 0, w.in));
	}
	wire_close(&w);
}

/* One answer more than there are requests */
static void test_twice(struct suite *t)
{
	struct wire w;

	if (!open_stranger(t, &w))
		return;
	EXPECT_OK(t, post_commit(&w, 1, 8, &w, KFI_DELIVERY_COMPLETE));
	if (check_request(&w, WIRE_DELIVER, 8, false)) {
		put_reply(&w, WIRE_OK);
		send_reply(&w, REPLY_LEN);
		EXPECT_COMP(t, &w.a.tx, &w, NULL);
		EXPECT_COMP(t, &w.b.tx, w.out, NULL);
		send_reply(&w, REPLY_LEN);
		wire_expect_closed(&w);
		EXPECT_NO_COMP(t, &w.a.tx);
	}
	wire_close(&w);
}

/* The peer said what it takes, and gets no more. */
static void test_limits(struct suite *t)
{
	struct wire w;
	uintptr_t op;

	if (!open_stranger(t, &w))
		return;
	EXPECT_EQ(t, post_commit(&w, 2, 8, NULL, KFI_COMMIT), -E2BIG);
	EXPECT_EQ(t, post_commit(&w, 1, 9, NULL, KFI_COMMIT | KFI_INJECT),
		  -E2BIG);
	for (op = 1; op <= 4; op++)
		EXPECT_OK(t, post_commit(&w, 1, 8, (void *)op, KFI_COMMIT));
	EXPECT_EQ(t, post_commit(&w, 1, 8, NULL, KFI_COMMIT), -EAGAIN);
	for (op = 1; op <= 4; op++)
		EXPECT_COMP(t, &w.b.rx, w.in, NULL);
	/* answers to them never come */
	EXPECT_OK(t, kfi_close(&w.b.ep->fid));
	w.b.ep = NULL;
	for (op = 1; op <= 4; op++)
		EXPECT_COMP_ERR(t, &w.a.tx, (void *)op, ECANCELED,
				KFI_RMA | KFI_WRITE);
	EXPECT_NO_COMP(t, &w.a.tx);
	wire_close(&w);
}

/* An answer to a commit that asks nobody, while it waits for one that does */
static void test_unasked(struct suite *t)
{
	struct wire_reply *reply;
	struct wire w;

	if (!open_stranger(t, &w))
		return;
	EXPECT_OK(t, post_commit(&w, 1, 8, (void *)1, KFI_COMMIT));
	EXPECT_COMP(t, &w.a.tx, (void *)1, NULL);
	EXPECT_OK(t, post_commit(&w, 1, 8, (void *)2, KFI_DELIVERY_COMPLETE));
	EXPECT_OK(t, post_commit(&w, 1, 8, (void *)3, KFI_COMMIT | KFI_FENCE));
	if (check_request(&w, WIRE_DELIVER, 8, false)) {
		reply = put_reply(&w, WIRE_IO);
		reply->slot = cpu_to_be16(2);
		reply->generation = cpu_to_be32(2);
		send_reply(&w, REPLY_LEN);
		EXPECT_COMP_ERR(t, &w.a.tx, (void *)2, ECANCELED,
				KFI_RMA | KFI_WRITE);
		EXPECT_COMP_ERR(t, &w.a.tx, (void *)3, ECANCELED,
				KFI_RMA | KFI_WRITE);
		EXPECT_NO_COMP(t, &w.a.tx);
		wire_expect_closed(&w);
	}
	wire_close(&w);
}

const struct suite_test suite_wire_reply_tests[] = {
	{ "wire.malformed_reply", test_malformed },
	{ "wire.statuses", test_statuses },
	{ "wire.twice", test_twice },
	{ "wire.limits", test_limits },
	{ "wire.unasked", test_unasked, KFI_COMMIT_READ },
	{ }
};
