// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Atomic operations, where the device has them.
 */

#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_atomic.h>

#include "suite.h"

#define ATOMIC_CAPS	(KFI_MSG | KFI_RMA | KFI_ATOMIC)

/**
 * struct cell - a number at the target, and operands at the initiator
 * @t: the test
 * @net: the net
 * @pair: the pair
 * @mem: the target's memory, which starts with the number
 * @operand: operand
 * @compare: what a compare-and-swap compares with
 * @result: the value before
 */
struct cell {
	struct suite		*t;
	struct suite_net	net;
	struct suite_pair	pair;
	struct suite_mem	mem;
	u64			operand;
	u64			compare;
	u64			result;
};

static void cell_close(struct cell *cell)
{
	suite_pair_close(&cell->pair);
	suite_mem_close(cell->t, &cell->mem);
	suite_net_close(&cell->net);
	kfree(cell);
}

static struct cell *cell_open(struct suite *t, const struct suite_opts *more)
{
	struct suite_opts opts = more ? *more : (struct suite_opts){ };
	struct kfi_info *info;
	struct cell *cell;

	if (suite_getinfo(ATOMIC_CAPS, NULL, KFI_SOURCE, &info) == -ENODATA) {
		t->skip = "the device has no atomic operations";
		return NULL;
	}
	kfi_freeinfo(info);
	cell = kzalloc_obj(*cell);
	if (!EXPECT(t, cell))
		return NULL;
	cell->t = t;
	opts.caps = ATOMIC_CAPS;
	if (!suite_open(t, &cell->net, &cell->pair, &opts)) {
		kfree(cell);
		return NULL;
	}
	if (!suite_mem_open(&cell->net, &cell->mem, 64, SUITE_ACCESS)) {
		cell_close(cell);
		return NULL;
	}
	return cell;
}

static u64 *cell_value(struct cell *cell)
{
	return cell->mem.buf;
}

static bool cell_wait(struct cell *cell)
{
	struct suite_comp comp;

	return EXPECT_COMP(cell->t, &cell->pair.a.tx, cell, &comp) &&
	       EXPECT(cell->t, comp.entry.flags & KFI_ATOMIC);
}

/* An atomic read, behind which all earlier operations are visible */
static u64 cell_read(struct cell *cell)
{
	cell->result = 0;
	if (!EXPECT_OK(cell->t, kfi_fetch_atomic(cell->pair.a.ep, NULL, 1, NULL,
						 &cell->result, NULL, 0,
						 cell->mem.addr, cell->mem.key,
						 KFI_UINT64, KFI_ATOMIC_READ,
						 cell)))
		return 0;
	cell_wait(cell);
	return cell->result;
}

static ssize_t cell_sum(struct cell *cell, u64 operand)
{
	cell->operand = operand;
	return kfi_atomic(cell->pair.a.ep, &cell->operand, 1, NULL, 0,
			  cell->mem.addr, cell->mem.key, KFI_UINT64, KFI_SUM,
			  cell);
}

static void test_sum(struct suite *t)
{
	struct cell *cell = cell_open(t, NULL);

	if (!cell)
		return;
	*cell_value(cell) = 40;
	if (EXPECT_OK(t, cell_sum(cell, 2)) && cell_wait(cell)) {
		EXPECT_EQ(t, cell_read(cell), 42);
		EXPECT_EQ(t, *cell_value(cell), 42);
	}
	/* operands are read before the call returns */
	EXPECT_OK(t, cell_sum(cell, -2));
	cell->operand = 1000;
	cell_wait(cell);
	EXPECT_EQ(t, cell_read(cell), 40);

	cell->operand = 5;
	EXPECT_OK(t, kfi_inject_atomic(cell->pair.a.ep, &cell->operand, 1, 0,
				       cell->mem.addr, cell->mem.key, KFI_INT64,
				       KFI_SUM));
	cell->operand = 1000;
	EXPECT_EQ(t, cell_read(cell), 45);
	EXPECT_NO_COMP(t, &cell->pair.a.tx);
	cell_close(cell);
}

static void test_fetch(struct suite *t)
{
	struct cell *cell = cell_open(t, NULL);

	if (!cell)
		return;
	*cell_value(cell) = U64_MAX;
	cell->operand = 3;
	EXPECT_OK(t, kfi_fetch_atomic(cell->pair.a.ep, &cell->operand, 1, NULL,
				      &cell->result, NULL, 0, cell->mem.addr,
				      cell->mem.key, KFI_UINT64, KFI_SUM,
				      cell));
	if (cell_wait(cell))
		EXPECT_EQ(t, cell->result, U64_MAX);
	EXPECT_EQ(t, cell_read(cell), 2);
	cell_close(cell);
}

static void check_swap(struct cell *cell, u64 compare, u64 before, u64 after)
{
	struct suite *t = cell->t;

	cell->operand = 77;
	cell->compare = compare;
	EXPECT_OK(t, kfi_compare_atomic(cell->pair.a.ep, &cell->operand, 1,
					NULL, &cell->compare, NULL,
					&cell->result, NULL, 0, cell->mem.addr,
					cell->mem.key, KFI_UINT64, KFI_CSWAP,
					cell));
	cell->operand = 0;
	cell->compare = 0;
	if (cell_wait(cell))
		EXPECT_EQ(t, cell->result, before);
	EXPECT_EQ(t, cell_read(cell), after);
}

static void test_swap(struct suite *t)
{
	struct cell *cell = cell_open(t, NULL);

	if (!cell)
		return;
	*cell_value(cell) = 11;
	check_swap(cell, 12, 11, 11);
	check_swap(cell, 11, 11, 77);
	cell_close(cell);
}

static void test_valid(struct suite *t)
{
	struct cell *cell = cell_open(t, NULL);
	struct kfid_ep *ep;
	size_t count = 0;

	if (!cell)
		return;
	ep = cell->pair.a.ep;
	EXPECT_OK(t, kfi_atomicvalid(ep, KFI_UINT64, KFI_SUM, &count));
	EXPECT_EQ(t, count, 1);
	EXPECT_OK(t, kfi_fetch_atomicvalid(ep, KFI_INT64, KFI_ATOMIC_READ,
					   &count));
	EXPECT_OK(t, kfi_fetch_atomicvalid(ep, KFI_INT64, KFI_SUM, &count));
	EXPECT_OK(t, kfi_compare_atomicvalid(ep, KFI_UINT64, KFI_CSWAP,
					     &count));
	EXPECT_EQ(t, kfi_atomicvalid(ep, KFI_UINT32, KFI_SUM, &count),
		  -EOPNOTSUPP);
	EXPECT_EQ(t, kfi_atomicvalid(ep, KFI_UINT64, KFI_CSWAP, &count),
		  -EOPNOTSUPP);
	EXPECT_EQ(t, kfi_compare_atomicvalid(ep, KFI_UINT64, KFI_SUM, &count),
		  -EOPNOTSUPP);
	EXPECT_EQ(t, kfi_fetch_atomicvalid(ep, KFI_UINT64, KFI_ATOMIC_OP_LAST,
					   &count), -EOPNOTSUPP);
	cell_close(cell);
}

static void test_refused(struct suite *t)
{
	struct cell *cell = cell_open(t, NULL);
	struct kfi_rma_ioc rma = { .count = 1 };
	struct kfi_ioc ioc = { .count = 1 };
	struct kfi_msg_atomic msg = {
		.msg_iov = &ioc, .iov_count = 1, .rma_iov = &rma,
		.rma_iov_count = 1, .datatype = KFI_UINT64, .op = KFI_SUM,
	};
	struct kfid_ep *ep;

	if (!cell)
		return;
	ep = cell->pair.a.ep;
	ioc.addr = &cell->operand;
	rma.addr = cell->mem.addr;
	rma.key = cell->mem.key;
	cell->operand = 1;
	EXPECT_EQ(t, kfi_atomicmsg(ep, &msg, BIT_ULL(40)), -EINVAL);
	EXPECT_EQ(t, kfi_atomicmsg(ep, &msg, KFI_REMOTE_CQ_DATA), -EINVAL);
	EXPECT_EQ(t, kfi_atomicmsg(ep, &msg, KFI_COMMIT), -EINVAL);
	EXPECT_EQ(t, kfi_atomicmsg(ep, NULL, 0), -EINVAL);
	EXPECT_EQ(t, kfi_fetch_atomicmsg(ep, &msg, NULL, NULL, 1, 0), -EINVAL);
	EXPECT_EQ(t, kfi_fetch_atomicmsg(ep, &msg, NULL, NULL, 2, 0), -E2BIG);
	EXPECT_EQ(t, kfi_fetch_atomicmsg(ep, &msg, &ioc, NULL, 0, 0), -EINVAL);
	msg.datatype = KFI_UINT32;
	/* of two mistakes the form comes first */
	EXPECT_EQ(t, kfi_atomicmsg(ep, &msg, BIT_ULL(40)), -EINVAL);
	EXPECT_EQ(t, kfi_fetch_atomicmsg(ep, &msg, NULL, NULL, 1, 0), -EINVAL);
	EXPECT_EQ(t, kfi_fetch_atomicmsg(ep, &msg, &ioc, NULL, 1, BIT_ULL(40)),
		  -EINVAL);
	EXPECT_EQ(t, kfi_atomicmsg(ep, &msg, 0), -EOPNOTSUPP);
	msg.datatype = KFI_UINT64;
	msg.op = KFI_CSWAP;
	EXPECT_EQ(t, kfi_atomicmsg(ep, &msg, 0), -EOPNOTSUPP);
	msg.op = KFI_SUM;
	rma.addr++;
	EXPECT_EQ(t, kfi_atomicmsg(ep, &msg, 0), -EINVAL);
	rma.addr--;
	rma.count = 2;
	EXPECT_EQ(t, kfi_atomicmsg(ep, &msg, 0), -E2BIG);
	EXPECT_NO_COMP(t, &cell->pair.a.tx);
	EXPECT_EQ(t, *cell_value(cell), 0);
	cell_close(cell);
}

/* What is wrong with a key is found out at the target, which stays as it was. */
static void check_attack(struct suite *t, u64 access, u64 flip)
{
	struct cell *cell = cell_open(t, NULL);
	struct kfid_mr *mr;

	if (!cell)
		return;
	*cell_value(cell) = 40;
	if (EXPECT_OK(t, kfi_mr_reg(cell->net.domain, cell->mem.buf, 64, access,
				    0, 0, 0, &mr, NULL))) {
		cell->operand = 1;
		cell->result = 77;
		EXPECT_OK(t, kfi_fetch_atomic(cell->pair.a.ep, &cell->operand,
					      1, NULL, &cell->result, NULL, 0,
					      mr->iova, mr->key ^ flip,
					      KFI_UINT64, KFI_SUM, cell));
		EXPECT_COMP_ERR(t, &cell->pair.a.tx, cell, EACCES, KFI_ATOMIC);
		EXPECT_NO_COMP(t, &cell->pair.a.tx);
		EXPECT_OK(t, kfi_close(&mr->fid));
		EXPECT_EQ(t, *cell_value(cell), 40);
		EXPECT_EQ(t, cell->result, 77);
	}
	cell_close(cell);
}

static void test_attacks(struct suite *t)
{
	check_attack(t, SUITE_ACCESS, 1);
	check_attack(t, KFI_REMOTE_READ, 0);
}

/* Adders on several endpoints lose nothing of each other. */
static void test_many(struct suite *t)
{
	unsigned int rounds = suite_scaled(20000, 100), i;
	struct cell *cell = cell_open(t, NULL);
	struct suite_pair other;
	uintptr_t op;

	if (!cell)
		return;
	if (!suite_pair_open(&cell->net, &other, NULL))
		goto out;
	for (i = 0; i < rounds && !suite_failed(t); i++) {
		for (op = 0; op < 8; op++) {
			EXPECT_OK(t, cell_sum(cell, 1));
			EXPECT_OK(t, kfi_atomic(other.a.ep, &cell->operand, 1,
						NULL, 0, cell->mem.addr,
						cell->mem.key, KFI_UINT64,
						KFI_SUM, cell));
		}
		for (op = 0; op < 8; op++) {
			cell_wait(cell);
			EXPECT_COMP(t, &other.a.tx, cell, NULL);
		}
	}
	EXPECT_EQ(t, cell_read(cell), 16 * i);
	suite_pair_close(&other);
out:
	cell_close(cell);
}

const struct suite_test suite_atomic_tests[] = {
	{ "atomic.sum", test_sum },
	{ "atomic.fetch", test_fetch },
	{ "atomic.swap", test_swap },
	{ "atomic.valid", test_valid },
	{ "atomic.refused", test_refused },
	{ "atomic.attacks", test_attacks },
	{ "atomic.many", test_many },
	{ }
};
