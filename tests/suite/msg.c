// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Messages: every call that sends or receives one, and what both ends are told.
 */

#include <linux/bvec.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "suite.h"

#define MSG_MAX		(2 * PAGE_SIZE)
#define MSG_ORDERED	100

/**
 * struct talk - a pair and a buffer at each end
 * @net: the net
 * @pair: the pair
 * @sent: what @a sends
 * @received: what @b receives
 */
struct talk {
	struct suite_net	net;
	struct suite_pair	pair;
	u8			*sent;
	u8			*received;
};

static void talk_close(struct talk *talk)
{
	suite_close(&talk->net, &talk->pair);
	kfree(talk->sent);
	kfree(talk->received);
}

static bool talk_open(struct suite *t, struct talk *talk,
		      const struct suite_opts *opts)
{
	memset(talk, 0, sizeof(*talk));
	if (!suite_open(t, &talk->net, &talk->pair, opts))
		return false;
	talk->sent = kzalloc(MSG_MAX, GFP_KERNEL);
	talk->received = kzalloc(MSG_MAX, GFP_KERNEL);
	if (EXPECT(t, talk->sent && talk->received))
		return true;
	talk_close(talk);
	return false;
}

/* A message of @len bytes as two elements of each kind of vector */
static ssize_t send_as(struct kfid_ep *ep, enum kfi_iov_type type, u8 *buf,
		       size_t len, bool receive)
{
	struct scatterlist sgl[2];
	struct bio_vec bv[2];
	struct kvec iov[2] = {
		{ .iov_base = buf, .iov_len = len / 2 },
		{ .iov_base = buf + len / 2, .iov_len = len - len / 2 },
	};
	unsigned int i;

	sg_init_table(sgl, 2);
	for (i = 0; i < 2; i++) {
		bvec_set_page(&bv[i], virt_to_page(iov[i].iov_base),
			      iov[i].iov_len, offset_in_page(iov[i].iov_base));
		sg_set_page(&sgl[i], bv[i].bv_page, bv[i].bv_len,
			    bv[i].bv_offset);
	}
	switch (type) {
	case KFI_KVEC:
		return receive ? kfi_recvv(ep, iov, NULL, 2, 0, buf) :
				 kfi_sendv(ep, iov, NULL, 2, 0, buf);
	case KFI_BVEC:
		return receive ? kfi_recvbv(ep, bv, NULL, 2, 0, buf) :
				 kfi_sendbv(ep, bv, NULL, 2, 0, buf);
	case KFI_SGL:
		return receive ? kfi_recvsgl(ep, sgl, NULL, 2, 0, buf) :
				 kfi_sendsgl(ep, sgl, NULL, 2, 0, buf);
	}
	return -EINVAL;
}

/* A receive that was posted as @buf is complete with @len bytes of @sent. */
static bool check_arrival(struct suite *t, struct talk *talk, size_t len)
{
	struct suite_comp comp;

	if (!EXPECT_COMP(t, &talk->pair.b.rx, talk->received, &comp))
		return false;
	EXPECT_EQ(t, comp.entry.len, len);
	EXPECT(t, comp.entry.flags & KFI_RECV);
	EXPECT(t, !comp.entry.buf);
	EXPECT_SAME(t, talk->received, talk->sent, len);
	EXPECT_ALL(t, talk->received + len, 0, MSG_MAX - len);
	memset(talk->received, 0, MSG_MAX);
	return true;
}

static void test_vectors(struct suite *t)
{
	enum kfi_iov_type from, to;
	struct suite_comp comp;
	struct talk talk;
	size_t len;

	if (!talk_open(t, &talk, NULL))
		return;
	for (from = KFI_KVEC; from <= KFI_SGL; from++) {
		for (to = KFI_KVEC; to <= KFI_SGL; to++) {
			len = suite_random(t, 2, MSG_MAX);
			suite_fill(t, talk.sent, len);
			EXPECT_OK(t, send_as(talk.pair.b.ep, to, talk.received,
					     MSG_MAX, true));
			EXPECT_OK(t, send_as(talk.pair.a.ep, from, talk.sent,
					     len, false));
			if (!check_arrival(t, &talk, len) ||
			    !EXPECT_COMP(t, &talk.pair.a.tx, talk.sent, &comp))
				goto out;
			EXPECT(t, comp.entry.flags & KFI_SEND);
		}
	}
out:
	talk_close(&talk);
}

static void test_sizes(struct suite *t)
{
	static const size_t sizes[] = {
		0, 1, 63, 64, 65, 1023, 1024, 1025, 4095, 4096, 4097,
	};
	struct talk talk;
	unsigned int i;
	size_t len;

	if (!talk_open(t, &talk, NULL))
		return;
	for (i = 0; i < ARRAY_SIZE(sizes) && !suite_failed(t); i++) {
		len = sizes[i];
		suite_fill(t, talk.sent, len);
		EXPECT_OK(t, kfi_recv(talk.pair.b.ep, talk.received, MSG_MAX,
				      NULL, 0, talk.received));
		EXPECT_OK(t, kfi_send(talk.pair.a.ep, talk.sent, len, NULL, 0,
				      talk.sent));
		check_arrival(t, &talk, len);
		EXPECT_COMP(t, &talk.pair.a.tx, talk.sent, NULL);
	}
	talk_close(&talk);
}

/* Messages without a vector at all */
static void test_empty(struct suite *t)
{
	struct kfi_msg msg = { .type = KFI_KVEC };
	struct suite_comp comp;
	struct talk talk;

	if (!talk_open(t, &talk, NULL))
		return;
	msg.context = talk.received;
	EXPECT_OK(t, kfi_recvmsg(talk.pair.b.ep, &msg, 0));
	msg.context = talk.sent;
	EXPECT_OK(t, kfi_sendmsg(talk.pair.a.ep, &msg, 0));
	if (EXPECT_COMP(t, &talk.pair.b.rx, talk.received, &comp))
		EXPECT_EQ(t, comp.entry.len, 0);
	EXPECT_COMP(t, &talk.pair.a.tx, talk.sent, NULL);
	talk_close(&talk);
}

/* A receive too short for its message is an error at both ends. */
static void test_truncated(struct suite *t)
{
	struct suite_comp comp;
	struct talk talk;

	if (!talk_open(t, &talk, NULL))
		return;
	EXPECT_OK(t, kfi_recv(talk.pair.b.ep, talk.received, 64, NULL, 0,
			      talk.received));
	EXPECT_OK(t, kfi_send(talk.pair.a.ep, talk.sent, 65, NULL, 0,
			      talk.sent));
	if (EXPECT(t, suite_read_comp(t, &talk.pair.b.rx, &comp,
				      SUITE_TIMEOUT_MS))) {
		EXPECT(t, comp.entry.op_context == talk.received);
		EXPECT(t, comp.entry.flags & KFI_RECV);
		/* not every device tells */
		EXPECT(t, comp.err == KFI_ETRUNC ||
		       (comp.err == EIO && strcmp(suite_provider(), "loopback")));
	}
	EXPECT_COMP_ERR(t, &talk.pair.a.tx, talk.sent, EREMOTEIO,
			KFI_MSG | KFI_SEND);
	EXPECT_ALL(t, talk.received + 64, 0, MSG_MAX - 64);
	talk_close(&talk);
}

/* A message, or a write with data, for which the peer never posts a receive */
static void check_no_receive(struct suite *t, bool write)
{
	const struct kfi_conn_param param = {
		.initiator_depth = 1, .responder_resources = 1,
		.retry_count = 7, .rnr_retry_count = 1, .min_rnr_timer = 1,
	};
	const struct suite_opts opts = { .param = &param };
	struct suite_mem mem = { };
	struct suite_event ev;
	struct talk talk;

	if (!talk_open(t, &talk, &opts))
		return;
	if (!suite_mem_open(&talk.net, &mem, 8, SUITE_ACCESS))
		goto out;
	if (write)
		EXPECT_OK(t, kfi_writedata(talk.pair.a.ep, talk.sent, 8, NULL,
					   1, 0, mem.addr, mem.key, &talk));
	else
		EXPECT_OK(t, kfi_send(talk.pair.a.ep, talk.sent, 8, NULL, 0,
				      &talk));
	EXPECT_COMP_ERR(t, &talk.pair.a.tx, &talk, ENOBUFS,
			write ? KFI_RMA | KFI_WRITE : KFI_MSG | KFI_SEND);
	EXPECT_NO_COMP(t, &talk.pair.a.tx);
	EXPECT_EVENT(t, talk.net.eq, KFI_SHUTDOWN, NULL, &ev);
	EXPECT_EQ(t, kfi_send(talk.pair.a.ep, talk.sent, 8, NULL, 0, NULL),
		  -ESHUTDOWN);
	suite_mem_close(t, &mem);
out:
	talk_close(&talk);
}

static void test_no_receive(struct suite *t)
{
	check_no_receive(t, false);
	/* where there are commits, a write needs none */
	if (!t->caps)
		check_no_receive(t, true);
}

/* Immediate data is a number, whatever the order of bytes on the wire. */
static void check_data(struct suite *t, struct talk *talk, u64 data, bool inject)
{
	struct suite_comp comp;

	EXPECT_OK(t, kfi_recv(talk->pair.b.ep, talk->received, MSG_MAX, NULL, 0,
			      talk->received));
	if (inject)
		EXPECT_OK(t, kfi_injectdata(talk->pair.a.ep, talk->sent, 8,
					    data, 0));
	else
		EXPECT_OK(t, kfi_senddata(talk->pair.a.ep, talk->sent, 8, NULL,
					  data, 0, talk->sent));
	if (EXPECT_COMP(t, &talk->pair.b.rx, talk->received, &comp)) {
		EXPECT(t, comp.entry.flags & KFI_REMOTE_CQ_DATA);
		EXPECT_EQ(t, comp.entry.data, data);
		EXPECT_EQ(t, comp.entry.len, 8);
	}
	if (inject)
		EXPECT_NO_COMP(t, &talk->pair.a.tx);
	else
		EXPECT_COMP(t, &talk->pair.a.tx, talk->sent, NULL);
}

static void test_data(struct suite *t)
{
	struct talk talk;

	if (!talk_open(t, &talk, NULL))
		return;
	check_data(t, &talk, 0x01020304, false);
	check_data(t, &talk, 0xfffefdfc, true);
	check_data(t, &talk, 0, false);
	talk_close(&talk);
}

/* The buffer is the caller's again at once, also on the stack. */
static void test_inject(struct suite *t)
{
	struct suite_opts opts = { .rx_size = MSG_ORDERED };
	struct talk talk;
	size_t len;
	u8 byte[64];
	ssize_t ret;
	uintptr_t i;

	if (!talk_open(t, &talk, &opts))
		return;
	len = min(talk.pair.info->tx_attr->inject_size, sizeof(byte));
	for (i = 0; i < MSG_ORDERED; i++)
		EXPECT_OK(t, kfi_recv(talk.pair.b.ep, talk.received + i * len,
				      len, NULL, 0, (void *)(i + 1)));
	for (i = 0; i < MSG_ORDERED; i++) {
		memset(byte, i, len);
		do {
			ret = kfi_inject(talk.pair.a.ep, byte, len, 0);
			if (ret == -EAGAIN)
				cond_resched();
		} while (ret == -EAGAIN);
		memset(byte, 0xff, len);
		if (!EXPECT_OK(t, ret))
			goto out;
	}
	for (i = 0; i < MSG_ORDERED; i++) {
		if (!EXPECT_COMP(t, &talk.pair.b.rx, (void *)(i + 1), NULL) ||
		    !EXPECT_ALL(t, talk.received + i * len, i, len))
			break;
	}
	EXPECT_NO_COMP(t, &talk.pair.a.tx);
out:
	talk_close(&talk);
}

/* Messages arrive in the order in which they were sent. */
static void test_order(struct suite *t)
{
	struct suite_opts opts = {
		.tx_size = MSG_ORDERED, .rx_size = MSG_ORDERED,
	};
	struct suite_comp comp;
	struct talk talk;
	uintptr_t i;

	if (!talk_open(t, &talk, &opts))
		return;
	for (i = 1; i <= MSG_ORDERED; i++)
		EXPECT_OK(t, kfi_recv(talk.pair.b.ep, talk.received, 8, NULL, 0,
				      (void *)i));
	for (i = 1; i <= MSG_ORDERED; i++)
		EXPECT_OK(t, kfi_senddata(talk.pair.a.ep, talk.sent, 8, NULL, i,
					  0, (void *)i));
	for (i = 1; i <= MSG_ORDERED; i++) {
		if (!EXPECT_COMP(t, &talk.pair.b.rx, (void *)i, &comp) ||
		    !EXPECT_EQ(t, comp.entry.data, i) ||
		    !EXPECT_COMP(t, &talk.pair.a.tx, (void *)i, NULL))
			break;
	}
	talk_close(&talk);
}

const struct suite_test suite_msg_tests[] = {
	{ "msg.vectors", test_vectors },
	{ "msg.sizes", test_sizes },
	{ "msg.empty", test_empty },
	{ "msg.truncated", test_truncated },
	{ "msg.no_receive", test_no_receive },
	{ "msg.data", test_data },
	{ "msg.inject", test_inject },
	{ "msg.order", test_order },
	{ }
};
