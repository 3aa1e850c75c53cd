// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The work requests of commits by RDMA FLUSH. What has to wait for a flush is tested
 * here only: soft-RoCE carries out everything in order, and would not notice.
 */

#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/module.h>
#include <linux/sizes.h>

/* both can be built into one kernel */
#define kfv_flush_build kunit_flush_build
#define kfv_rma_build kunit_flush_rma_build
#define kfv_tx_next_error kunit_flush_next_error
#include "../../providers/verbs/commit_flush.c"

#define FLUSH_WRS	16
#define FLUSH_KEY	(KFI_KEY_PMEM | 0x1234)

/**
 * struct bed - a send queue that nobody sends
 * @post: the operation
 * @sq: where it goes
 */
struct bed {
	struct kfv_post	post;
	struct kfv_sq	sq;
};

int kfv_tx_next_error(struct kfv_post *post)
{
	return -EAGAIN;
}

/* The writes, which are not this file's: two of them */
int kfv_rma_build(struct kfv_post *post, const struct kfi_msg_rma *msg,
		  u64 flags, size_t len)
{
	int ret;

	ret = kfv_rma_next(post, IB_WR_RDMA_WRITE, msg->rma_iov->addr,
			   msg->rma_iov->key);
	return ret ?: kfv_rma_next(post, IB_WR_RDMA_WRITE, msg->rma_iov->addr,
				   msg->rma_iov->key);
}

static struct bed *bed_open(struct kunit *test, unsigned int room)
{
	struct bed *bed = kunit_kzalloc(test, sizeof(*bed), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bed);
	bed->sq.wr_stride = sizeof(struct kfv_wr);
	bed->sq.wrs = kunit_kcalloc(test, FLUSH_WRS, bed->sq.wr_stride,
				    GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bed->sq.wrs);
	bed->sq.wr_mask = FLUSH_WRS - 1;
	bed->post.sq = &bed->sq;
	bed->post.room = room;
	return bed;
}

/**
 * struct expected - a work request
 * @opcode: its opcode
 * @fence: it waits for the flushes before it
 */
struct expected {
	enum ib_wr_opcode	opcode;
	bool			fence;
};

static void check_list(struct kunit *test, const struct bed *bed,
		       const struct expected *expected, unsigned int nr)
{
	const struct ib_send_wr *wr = &bed->post.first->send;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, bed->post.nr_wrs, nr);
	for (i = 0; i < nr; i++, wr = wr->next) {
		KUNIT_ASSERT_PTR_EQ(test, wr, &kfv_wr_at(&bed->sq, i)->send);
		KUNIT_EXPECT_EQ(test, wr->opcode, expected[i].opcode);
		KUNIT_EXPECT_EQ(test, wr->num_sge, 0);
		KUNIT_EXPECT_EQ(test, wr->send_flags, expected[i].fence ?
						      IB_SEND_FENCE : 0);
	}
	KUNIT_EXPECT_NULL(test, wr);
}

static const struct kfi_rma_iov ranges[] = {
	{ .addr = 0x10000, .len = 100, .key = FLUSH_KEY },
	{ .addr = 0x20000, .len = 0, .key = FLUSH_KEY + 1 },
	{ .addr = 0x30000, .len = 1, .key = FLUSH_KEY + 2 },
};

static const struct kfi_msg_rma three = {
	.rma_iov = ranges, .rma_iov_count = ARRAY_SIZE(ranges), .data = 4711,
};

static const struct kfi_msg_rma nothing = {
	.rma_iov = &ranges[1], .rma_iov_count = 1, .data = 4711,
};

static void check_flush(struct kunit *test, const struct bed *bed,
			unsigned int nr, const struct kfi_rma_iov *rma)
{
	const struct kfv_wr *wr = kfv_wr_at(&bed->sq, nr);

	KUNIT_EXPECT_EQ(test, wr->flush.remote_addr, rma->addr);
	KUNIT_EXPECT_EQ(test, wr->flush.length, rma->len);
	KUNIT_EXPECT_EQ(test, wr->flush.rkey, lower_32_bits(rma->key));
	KUNIT_EXPECT_EQ(test, wr->flush.type,
			IB_FLUSH_GLOBAL | IB_FLUSH_PERSISTENT);
	KUNIT_EXPECT_EQ(test, wr->flush.level, IB_FLUSH_RANGE);
}

/* Each range that has something is flushed, behind the writes. */
static void flush_ranges(struct kunit *test)
{
	static const struct expected list[] = {
		{ IB_WR_RDMA_WRITE }, { IB_WR_RDMA_WRITE },
		{ IB_WR_FLUSH }, { IB_WR_FLUSH },
	};
	struct bed *bed = bed_open(test, FLUSH_WRS);

	KUNIT_EXPECT_EQ(test, kfv_flush_build(&bed->post, &three, KFI_COMMIT,
					      101), 0);
	check_list(test, bed, list, ARRAY_SIZE(list));
	check_flush(test, bed, 2, &ranges[0]);
	check_flush(test, bed, 3, &ranges[2]);

	bed = bed_open(test, FLUSH_WRS);
	KUNIT_EXPECT_EQ(test, kfv_flush_build(&bed->post, &three, KFI_COMMIT,
					      0), 0);
	check_list(test, bed, list + 2, 2);
}

/* Payload that waits for what was committed before */
static void flush_inject(struct kunit *test)
{
	static const struct expected list[] = {
		{ IB_WR_RDMA_WRITE, true }, { IB_WR_RDMA_WRITE },
		{ IB_WR_FLUSH }, { IB_WR_FLUSH },
	};
	struct bed *bed = bed_open(test, FLUSH_WRS);

	KUNIT_EXPECT_EQ(test, kfv_flush_build(&bed->post, &three, KFI_COMMIT |
					      KFI_INJECT, 101), 0);
	check_list(test, bed, list, ARRAY_SIZE(list));
	/* there is none */
	bed = bed_open(test, FLUSH_WRS);
	KUNIT_EXPECT_EQ(test, kfv_flush_build(&bed->post, &three, KFI_COMMIT |
					      KFI_INJECT, 0), 0);
	check_list(test, bed, list + 2, 2);
}

/* The target's consumer is told when the flushes are done. */
static void flush_data(struct kunit *test)
{
	static const struct expected list[] = {
		{ IB_WR_RDMA_WRITE }, { IB_WR_RDMA_WRITE },
		{ IB_WR_FLUSH }, { IB_WR_FLUSH },
		{ IB_WR_RDMA_WRITE_WITH_IMM, true },
	};
	const u64 flags = KFI_COMMIT | KFI_REMOTE_CQ_DATA;
	struct bed *bed = bed_open(test, FLUSH_WRS);

	KUNIT_EXPECT_EQ(test, kfv_flush_build(&bed->post, &three, flags, 101),
			0);
	check_list(test, bed, list, ARRAY_SIZE(list));
	KUNIT_EXPECT_EQ(test, be32_to_cpu(bed->post.wr->send.ex.imm_data), 4711);
	bed = bed_open(test, FLUSH_WRS);
	KUNIT_EXPECT_EQ(test, kfv_flush_build(&bed->post, &three, flags, 0), 0);
	check_list(test, bed, list + 2, 3);
	bed = bed_open(test, FLUSH_WRS);
	KUNIT_EXPECT_EQ(test, kfv_flush_build(&bed->post, &nothing, flags, 0),
			0);
	check_list(test, bed, list + 4, 1);
}

/* A commit of nothing has its place in the queue all the same. */
static void flush_nothing(struct kunit *test)
{
	static const struct expected list[] = { { IB_WR_RDMA_WRITE } };
	struct bed *bed = bed_open(test, FLUSH_WRS);

	KUNIT_EXPECT_EQ(test, kfv_flush_build(&bed->post, &nothing, KFI_COMMIT,
					      0), 0);
	check_list(test, bed, list, ARRAY_SIZE(list));
}

/* More than one flush can have */
static void flush_large(struct kunit *test)
{
	static const struct expected list[] = { { IB_WR_FLUSH }, { IB_WR_FLUSH } };
	const struct kfi_rma_iov rma = {
		.addr = SZ_4K, .len = SZ_2G, .key = FLUSH_KEY,
	};
	const struct kfi_msg_rma msg = { .rma_iov = &rma, .rma_iov_count = 1 };
	const struct kfi_rma_iov halves[] = {
		{ .addr = SZ_4K, .len = SZ_1G, .key = FLUSH_KEY },
		{ .addr = SZ_4K + SZ_1G, .len = SZ_1G, .key = FLUSH_KEY },
	};
	struct bed *bed = bed_open(test, FLUSH_WRS);

	KUNIT_EXPECT_EQ(test, kfv_flush_build(&bed->post, &msg, KFI_COMMIT, 0),
			0);
	check_list(test, bed, list, ARRAY_SIZE(list));
	check_flush(test, bed, 0, &halves[0]);
	check_flush(test, bed, 1, &halves[1]);
}

static void flush_no_room(struct kunit *test)
{
	const u64 flags = KFI_COMMIT | KFI_REMOTE_CQ_DATA;
	unsigned int room;
	struct bed *bed;

	for (room = 0; room < 5; room++) {
		bed = bed_open(test, room);
		KUNIT_EXPECT_EQ(test, kfv_flush_build(&bed->post, &three, flags,
						      101), -EAGAIN);
	}
	bed = bed_open(test, room);
	KUNIT_EXPECT_EQ(test, kfv_flush_build(&bed->post, &three, flags, 101),
			0);
}

static struct kunit_case flush_cases[] = {
	KUNIT_CASE(flush_ranges),
	KUNIT_CASE(flush_inject),
	KUNIT_CASE(flush_data),
	KUNIT_CASE(flush_nothing),
	KUNIT_CASE(flush_large),
	KUNIT_CASE(flush_no_room),
	{ }
};

static struct kunit_suite flush_suite = {
	.name = "kfi_verbs_flush",
	.test_cases = flush_cases,
};

kunit_test_suite(flush_suite);

MODULE_DESCRIPTION("KUnit tests of the verbs provider's commits by FLUSH");
MODULE_LICENSE("Dual BSD/GPL");
