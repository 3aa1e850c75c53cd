// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Endpoints with messages and commits: what is accepted, chained and reported, of
 * either sort and of both together.
 */

#include <linux/array_size.h>
#include <linux/delay.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "both.h"

#define BOTH_RECVS	16

/* Exactly as many operations as were asked for, whatever they are. */
static void check_size(struct suite *t, size_t size)
{
	const struct suite_opts opts = { .tx_size = size };
	struct store store;
	ssize_t ret = 0;
	uintptr_t op;
	u8 *buf;

	if (!both_open(t, &store, &opts))
		return;
	buf = kzalloc(BOTH_MSG, GFP_KERNEL);
	if (!EXPECT(t, buf))
		goto out;
	for (op = 1; op <= 2 * size + 1; op++) {
		ret = suite_random(t, 0, 1) ? both_send(&store, 0, 8, op, 0) :
		      store_write(&store, 0, 8, (void *)op, 0);
		if (ret)
			break;
	}
	EXPECT_EQ(t, ret, -EAGAIN);
	EXPECT_EQ(t, op, size + 1);
	msleep(SUITE_QUIET_MS);
	EXPECT_EQ(t, both_send(&store, 0, 8, op, 0), -EAGAIN);
	EXPECT_EQ(t, store_write(&store, 0, 8, (void *)op, 0), -EAGAIN);
	/* the writes complete, the messages when there are receives */
	for (op = 1; op <= min_t(size_t, size, 100); op++)
		EXPECT_OK(t, both_recv(&store, buf, 8, op));
	for (op = 1; op <= size; op++) {
		struct suite_comp comp;

		if (!EXPECT(t, suite_read_comp(t, &store.pair.a.tx, &comp,
					       SUITE_TIMEOUT_MS)))
			goto out;
		EXPECT_EQ(t, comp.err, 0);
	}
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	/* all of them can be of one sort */
	for (op = 1; op <= size; op++)
		EXPECT_OK(t, store_write(&store, 0, 8, (void *)op, 0));
	EXPECT_EQ(t, both_send(&store, 0, 8, op, 0), -EAGAIN);
	for (op = 1; op <= size; op++)
		both_comp(&store, op);
out:
	store_close(&store);
	kfree(buf);
}

static void test_size(struct suite *t)
{
	static const size_t sizes[] = { 1, 2, 7, 64, 100 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes) && !suite_failed(t); i++)
		check_size(t, sizes[i]);
}

/* A queue has room for both what is received and what is told. */
static void test_room(struct suite *t)
{
	const struct suite_opts opts = { .rx_size = 4 };
	struct store store;
	uintptr_t op;
	u8 *buf;

	if (!both_open(t, &store, &opts))
		return;
	buf = kzalloc(BOTH_MSG, GFP_KERNEL);
	if (!EXPECT(t, buf))
		goto out;
	for (op = 1; op <= 4; op++)
		EXPECT_OK(t, both_recv(&store, buf, 64, op));
	EXPECT_EQ(t, both_recv(&store, buf, 64, op), -EAGAIN);
	for (op = 1; op <= 4; op++) {
		store.data = op;
		EXPECT_OK(t, store_write(&store, 0, 64, (void *)op,
					 KFI_COMMIT | KFI_REMOTE_CQ_DATA));
		both_comp(&store, op);
	}
	for (op = 1; op <= 4; op++)
		both_data(&store, op);
	EXPECT_OK(t, both_send(&store, 0, 64, 9, 0));
	both_received(&store, 1, 64);
	both_comp(&store, 9);
out:
	store_close(&store);
	kfree(buf);
}

/* One that has not is refused when it is bound. */
static void test_small_queue(struct suite *t)
{
	struct kfi_cq_attr attr = { };
	struct suite_cq small = { };
	struct kfi_info *info;
	struct suite_net net;
	struct kfid_ep *ep;

	if (!suite_net_open(t, &net, SUITE_BOTH, NULL))
		return;
	if (!EXPECT_OK(t, suite_getinfo(SUITE_BOTH, net.port, 0, &info)))
		goto out;
	info->rx_attr->size = 64;
	attr.size = 64;
	if (EXPECT_OK(t, kfi_endpoint(net.domain, info, &ep, NULL))) {
		if (EXPECT_OK(t, suite_cq_open(&small, net.domain, &attr,
					       false)))
			EXPECT_EQ(t, kfi_ep_bind(ep, &small.cq->fid, KFI_RECV),
				  -ENOSPC);
		suite_cq_close(t, &small);
		attr.size = 128;
		if (EXPECT_OK(t, suite_cq_open(&small, net.domain, &attr,
					       false)))
			EXPECT_OK(t, kfi_ep_bind(ep, &small.cq->fid, KFI_RECV));
		EXPECT_OK(t, kfi_close(&ep->fid));
		suite_cq_close(t, &small);
	}
	kfi_freeinfo(info);
out:
	suite_net_close(&net);
}

/* A chain can have both, and is rung for by either. */
static void check_more(struct store *store, u8 *buf, bool send_last)
{
	struct suite *t = store->t;

	EXPECT_OK(t, both_recv(store, buf, 64, 1));
	EXPECT_OK(t, both_recv(store, buf, 64, 2));
	EXPECT_OK(t, both_send(store, 0, 64, 1, KFI_MORE));
	EXPECT_OK(t, store_write(store, 0, 64, (void *)2,
				 KFI_COMMIT | KFI_MORE));
	if (send_last)
		EXPECT_OK(t, both_send(store, 0, 64, 3, 0));
	else
		EXPECT_EQ(t, store_write(store, 0, 64, NULL, BIT_ULL(40)),
			  -EINVAL);
	both_received(store, 1, 64);
	if (!send_last)
		EXPECT_OK(t, both_send(store, 0, 64, 3, 0));
	both_received(store, 2, 64);
}

static void test_more(struct suite *t)
{
	struct suite_comp comp;
	struct store store;
	unsigned int i;
	u8 *buf;

	if (!both_open(t, &store, NULL))
		return;
	buf = kzalloc(BOTH_MSG, GFP_KERNEL);
	if (!EXPECT(t, buf))
		goto out;
	check_more(&store, buf, true);
	check_more(&store, buf, false);
	for (i = 0; i < 6; i++)
		if (EXPECT(t, suite_read_comp(t, &store.pair.a.tx, &comp,
					      SUITE_TIMEOUT_MS)))
			EXPECT_EQ(t, comp.err, 0);
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	EXPECT_SAME(t, store.mem, store.buf, 64);
out:
	store_close(&store);
	kfree(buf);
}

/* Only what asks for it, and what is received, makes an entry. */
static void test_selective(struct suite *t)
{
	const struct suite_opts opts = {
		.tx_bind = KFI_SELECTIVE_COMPLETION,
	};
	struct store store;
	u8 *buf;

	if (!both_open(t, &store, &opts))
		return;
	buf = kzalloc(BOTH_MSG, GFP_KERNEL);
	if (!EXPECT(t, buf))
		goto out;
	EXPECT_OK(t, both_recv(&store, buf, 64, 1));
	EXPECT_OK(t, both_recv(&store, buf, 64, 2));
	EXPECT_OK(t, both_recv(&store, buf, 64, 3));
	EXPECT_OK(t, both_send(&store, 0, 64, 1, KFI_INJECT));
	EXPECT_OK(t, store_write(&store, 0, 64, (void *)2, KFI_COMMIT));
	EXPECT_OK(t, kfi_inject(store.pair.a.ep, store.buf, 64, 0));
	EXPECT_OK(t, kfi_inject_write(store.pair.a.ep, store.buf, 64, 0,
				      store.addr + 64, store.key));
	EXPECT_OK(t, both_send(&store, 0, 64, 3, KFI_COMPLETION | KFI_FENCE));
	EXPECT_OK(t, store_write(&store, 128, 64, (void *)4,
				 KFI_COMMIT | KFI_COMPLETION | KFI_FENCE));
	both_received(&store, 1, 64);
	both_received(&store, 2, 64);
	both_received(&store, 3, 64);
	both_comp(&store, 3);
	both_comp(&store, 4);
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	EXPECT_SAME(t, store.mem, store.buf, 64);
	EXPECT_SAME(t, store.mem + 64, store.buf, 64);
	EXPECT_SAME(t, buf, store.buf, 64);
out:
	store_close(&store);
	kfree(buf);
}

/**
 * struct mix - operations of all sorts, in a random order
 * @store: memory and pair
 * @bufs: where messages go
 * @sent: messages that were sent
 * @received: messages that were received
 * @told: data that came
 * @telling: data that is going to come
 * @done: completions of what was posted
 */
struct mix {
	struct store	store;
	u8		*bufs;
	unsigned int	sent;
	unsigned int	received;
	unsigned int	told;
	unsigned int	telling;
	unsigned int	done;
};

static size_t mix_len(unsigned int nr)
{
	return nr * 997 % BOTH_MSG + 1;
}

/* One entry of what is received, whatever it is; false if there is none. */
static bool mix_receive(struct mix *mix, int timeout)
{
	struct store *store = &mix->store;
	struct suite *t = store->t;
	struct suite_comp comp;
	uintptr_t nr;
	u8 *buf;

	if (!suite_read_comp(t, &store->pair.b.rx, &comp, timeout))
		return false;
	EXPECT_EQ(t, comp.err, 0);
	if (comp.entry.flags & KFI_REMOTE_WRITE) {
		EXPECT_EQ(t, comp.entry.data, mix->told++);
		EXPECT(t, !comp.entry.op_context);
		return true;
	}
	nr = mix->received++;
	EXPECT_EQ(t, (uintptr_t)comp.entry.op_context, nr + 1);
	EXPECT_EQ(t, comp.entry.len, mix_len(nr));
	buf = mix->bufs + nr % BOTH_RECVS * BOTH_MSG;
	EXPECT_SAME(t, buf, store->buf + nr, mix_len(nr));
	EXPECT_OK(t, both_recv(store, buf, BOTH_MSG, nr + BOTH_RECVS + 1));
	return true;
}

static bool mix_complete(struct mix *mix, int timeout)
{
	struct suite *t = mix->store.t;
	struct suite_comp comp;

	if (!suite_read_comp(t, &mix->store.pair.a.tx, &comp, timeout))
		return false;
	EXPECT_EQ(t, comp.err, 0);
	mix->done++;
	return true;
}

static ssize_t mix_post(struct mix *mix)
{
	struct store *store = &mix->store;
	struct suite *t = store->t;
	size_t len = suite_random(t, 1, SZ_64K);
	u64 flags = suite_random(t, 0, 9) ? 0 : KFI_FENCE;
	ssize_t ret;

	if (!suite_random(t, 0, 9))
		flags |= KFI_MORE;
	if (suite_random(t, 0, 1)) {
		ret = both_send(store, mix->sent, mix_len(mix->sent), 1, flags);
		mix->sent += !ret;
		return ret;
	}
	flags |= suite_random(t, 0, 1) ? KFI_COMMIT : 0;
	/* commits tell when it is their turn, which plain writes do not wait for */
	if (flags & KFI_COMMIT && suite_random(t, 0, 1))
		flags |= KFI_REMOTE_CQ_DATA;
	store->data = mix->telling;
	ret = store_write(store, suite_random(t, 0, STORE_LEN - len), len,
			  (void *)1, flags);
	if (!ret && flags & KFI_REMOTE_CQ_DATA)
		mix->telling++;
	return ret;
}

static void mix_run(struct mix *mix, unsigned int rounds)
{
	struct suite *t = mix->store.t;
	unsigned int posted = 0;
	ssize_t ret;

	while (mix->done < rounds && !suite_failed(t)) {
		ret = posted < rounds ? mix_post(mix) : -EAGAIN;
		if (!ret) {
			posted++;
			continue;
		}
		EXPECT_EQ(t, ret, -EAGAIN);
		/* a refused one has rung for those before it */
		if (posted == rounds)
			store_write(&mix->store, 0, 0, NULL, BIT_ULL(40));
		while (mix_receive(mix, 0))
			;
		mix_complete(mix, mix->received == mix->sent ?
				  SUITE_TIMEOUT_MS : 1);
	}
	while ((mix->received < mix->sent || mix->told < mix->telling) &&
	       !suite_failed(t))
		EXPECT(t, mix_receive(mix, SUITE_TIMEOUT_MS));
	EXPECT_NO_COMP(t, &mix->store.pair.a.tx);
	EXPECT_NO_COMP(t, &mix->store.pair.b.rx);
}

static void test_mix(struct suite *t)
{
	struct mix mix = { };
	unsigned int i;

	mix.bufs = kvzalloc(BOTH_RECVS * BOTH_MSG, GFP_KERNEL);
	if (!EXPECT(t, mix.bufs) || !both_open(t, &mix.store, NULL))
		goto out;
	for (i = 0; i < BOTH_RECVS; i++)
		EXPECT_OK(t, both_recv(&mix.store, mix.bufs + i * BOTH_MSG,
				       BOTH_MSG, i + 1));
	mix_run(&mix, suite_scaled(20000, 400));
	store_close(&mix.store);
out:
	kvfree(mix.bufs);
}

const struct suite_test suite_both_flow_tests[] = {
	{ "both.size", test_size },
	{ "both.room", test_room },
	{ "both.small_queue", test_small_queue },
	{ "both.more", test_more },
	{ "both.selective", test_selective },
	{ "both.mix", test_mix },
	{ }
};
