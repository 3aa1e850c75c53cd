// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a fence keeps from the device, and until when. Tested here because soft-RoCE
 * carries out everything in order, reads too, and would not notice if nothing waited.
 */

#include <kunit/test.h>
#include <linux/module.h>
#include <linux/spinlock.h>

/* both can be built into one kernel */
#define kfv_tx_ring kunit_tx_ring
#define kfv_tx_chain kunit_tx_chain
#define kfv_ep_lost_locked kunit_ep_lost_locked
#include "../../providers/verbs/fence.c"

#define FENCE_WRS	16

/**
 * struct bed - an endpoint of a device that does nothing
 * @ep: the endpoint
 * @pair: its second queue pair
 * @device: the device
 * @qp: of both send queues
 * @ops: operations, one for each work request
 * @nr_ops: how many
 * @sent: what the device was given, in order
 * @nr_sent: how many
 */
struct bed {
	struct kfv_ep			ep;
	struct kfv_pair			pair;
	struct ib_device		device;
	struct ib_qp			qp;
	struct kfv_op			ops[FENCE_WRS];
	unsigned int			nr_ops;
	const struct ib_send_wr		*sent[FENCE_WRS];
	unsigned int			nr_sent;
};

void kfv_ep_lost_locked(struct kfv_ep *ep)
{
}

static int take(struct ib_qp *qp, const struct ib_send_wr *wr,
		const struct ib_send_wr **bad)
{
	struct bed *bed = container_of(qp, struct bed, qp);

	for (; wr && bed->nr_sent < FENCE_WRS; wr = wr->next)
		bed->sent[bed->nr_sent++] = wr;
	return 0;
}

static void sq_init(struct kunit *test, struct bed *bed, struct kfv_sq *sq)
{
	sq->qp = &bed->qp;
	sq->wr_stride = sizeof(struct kfv_wr);
	sq->wr_mask = FENCE_WRS - 1;
	sq->wrs = kunit_kcalloc(test, FENCE_WRS, sq->wr_stride, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sq->wrs);
}

static struct bed *bed_open(struct kunit *test)
{
	struct bed *bed = kunit_kzalloc(test, sizeof(*bed), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bed);
	bed->device.ops.post_send = take;
	bed->qp.device = &bed->device;
	spin_lock_init(&bed->ep.tx.lock);
	bed->ep.state = KFV_CONNECTED;
	sq_init(test, bed, &bed->ep.tx.sq);
	sq_init(test, bed, &bed->pair.sq);
	return bed;
}

/* One work request, which @flags are of */
static const struct ib_send_wr *chain(struct bed *bed, struct kfv_sq *sq,
				      u64 flags)
{
	struct kfv_wr *wr = kfv_wr_at(sq, sq->wr_head);

	wr->op = &bed->ops[bed->nr_ops++];
	spin_lock(&bed->ep.tx.lock);
	kfv_tx_chain(&bed->ep, sq, wr, 1, flags);
	spin_unlock(&bed->ep.tx.lock);
	return &wr->send;
}

/* The oldest work request of @sq completes. */
static void complete_one(struct bed *bed, struct kfv_sq *sq)
{
	kfv_advance(&sq->wr_tail, 1);
	spin_lock(&bed->ep.tx.lock);
	kfv_tx_ring(&bed->ep);
	spin_unlock(&bed->ep.tx.lock);
}

/* A write waits for a read, and so do those behind it, in order. */
static void fence_read(struct kunit *test)
{
	struct bed *bed = bed_open(test);
	struct kfv_sq *sq = &bed->ep.tx.sq;
	const struct ib_send_wr *write, *behind;

	chain(bed, sq, 0);
	chain(bed, sq, 0);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 2);
	write = chain(bed, sq, KFI_FENCE);
	behind = chain(bed, sq, 0);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 2);
	KUNIT_EXPECT_TRUE(test, bed->ep.tx.waiters & KFV_WAIT_FENCE);
	KUNIT_EXPECT_TRUE(test, bed->ep.tx.held);
	complete_one(bed, sq);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 2);
	complete_one(bed, sq);
	KUNIT_ASSERT_EQ(test, bed->nr_sent, 4);
	KUNIT_EXPECT_PTR_EQ(test, bed->sent[2], write);
	KUNIT_EXPECT_PTR_EQ(test, bed->sent[3], behind);
	KUNIT_EXPECT_FALSE(test, bed->ep.tx.held);
}

/* Each fence waits for what is before it, fenced itself or not. */
static void fence_twice(struct kunit *test)
{
	struct bed *bed = bed_open(test);
	struct kfv_sq *sq = &bed->ep.tx.sq;

	chain(bed, sq, 0);
	chain(bed, sq, KFI_FENCE);
	chain(bed, sq, 0);
	chain(bed, sq, KFI_FENCE);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 1);
	complete_one(bed, sq);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 3);
	complete_one(bed, sq);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 3);
	complete_one(bed, sq);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 4);
}

/* With nothing before it there is nothing to wait for. */
static void fence_alone(struct kunit *test)
{
	struct bed *bed = bed_open(test);
	struct kfv_sq *sq = &bed->ep.tx.sq;

	chain(bed, sq, KFI_FENCE);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 1);
	complete_one(bed, sq);
	chain(bed, sq, KFI_FENCE | KFI_MORE);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 1);
	chain(bed, sq, 0);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 3);
}

/* A commit that the target has not answered is not complete, its request is. */
static void fence_commit(struct kunit *test)
{
	struct bed *bed = bed_open(test);
	struct kfv_sq *sq = &bed->ep.tx.sq;

	chain(bed, sq, 0);
	bed->ep.tx.commit_head = 1;
	chain(bed, sq, KFI_FENCE);
	complete_one(bed, sq);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 1);
	kfv_advance(&bed->ep.tx.commit_tail, 1);
	spin_lock(&bed->ep.tx.lock);
	kfv_tx_ring(&bed->ep);
	spin_unlock(&bed->ep.tx.lock);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 2);
}

/*
 * Of two queue pairs, a fence on the one waits for both, and so does what is posted
 * behind it on the other.
 */
static void fence_pair(struct kunit *test)
{
	struct bed *bed = bed_open(test);
	struct kfv_sq *rma = &bed->ep.tx.sq, *msg = &bed->pair.sq;

	bed->ep.pair = &bed->pair;
	chain(bed, rma, 0);
	chain(bed, msg, 0);
	chain(bed, msg, KFI_FENCE);
	chain(bed, rma, 0);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 2);
	complete_one(bed, rma);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 2);
	complete_one(bed, msg);
	KUNIT_EXPECT_EQ(test, bed->nr_sent, 4);
}

static struct kunit_case fence_cases[] = {
	KUNIT_CASE(fence_read),
	KUNIT_CASE(fence_twice),
	KUNIT_CASE(fence_alone),
	KUNIT_CASE(fence_commit),
	KUNIT_CASE(fence_pair),
	{ }
};

static struct kunit_suite fence_suite = {
	.name = "kfi_verbs_fence",
	.test_cases = fence_cases,
};

kunit_test_suite(fence_suite);

MODULE_DESCRIPTION("KUnit tests of kfi_verbs: fences");
MODULE_LICENSE("Dual BSD/GPL");
