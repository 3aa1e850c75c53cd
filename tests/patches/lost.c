// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Packets that are lost on the way, and what is sent again because of it.
 */

#include "patches.h"

#define LOST_DEPTH	2

static const struct options wired = {
	.depth = LOST_DEPTH, .resources = LOST_DEPTH, .wire = true,
};

/* A bed with a wire, and a region on it. */
static bool lost_open(struct bed *bed, struct region *region)
{
	if (!bed_open(bed, &wired))
		return false;
	if (region_open(bed, region, REGION_ACCESS | IB_ACCESS_FLUSH_GLOBAL))
		return true;
	bed_close(bed);
	return false;
}

static void lost_close(struct bed *bed, struct region *region)
{
	region_close(bed, region);
	bed_close(bed);
}

/* One FLUSH, of which the first packet with @opcode is lost. */
static void lost_one_flush(u8 opcode)
{
	struct ib_flush_wr wr;
	struct region region;
	struct bed bed;
	struct op op;

	if (!lost_open(&bed, &region))
		return;
	bed_flush(&wr, &region, IB_FLUSH_GLOBAL);
	wire_lose(opcode, 1);
	if (bed_post(bed.from, &op, &wr.wr))
		EXPECT_STATUS(bed_status(&bed, &op), IB_WC_SUCCESS);
	EXPECT(wire_saw(opcode, 1) > 0);
	lost_close(&bed, &region);
}

/* It was sent again to address 0. */
static void lost_flush(void)
{
	lost_one_flush(IB_OPCODE_RC_FLUSH);
}

/* The target did not find what was sent again. */
static void lost_flush_response(void)
{
	lost_one_flush(IB_OPCODE_RC_RDMA_READ_RESPONSE_ONLY);
}

static void lost_atomic_write(void)
{
	struct ib_atomic_write_wr wr;
	struct region region;
	u64 value = 0xfeed;
	struct bed bed;
	struct op op;

	if (!lost_open(&bed, &region))
		return;
	bed_atomic_write(&wr, &region, 64, value);
	wire_lose(IB_OPCODE_RC_ATOMIC_WRITE, 1);
	if (bed_post(bed.from, &op, &wr.wr))
		EXPECT_STATUS(bed_status(&bed, &op), IB_WC_SUCCESS);
	EXPECT(!memcmp(region.mem + 64, &value, sizeof(value)));
	lost_close(&bed, &region);
}

/* A list of @first and a WRITE, as often as would use up all that may be in flight,
 * each time without the response to @first, although the WRITE is acknowledged.
 */
static void lost_responses(struct bed *bed, struct region *region,
			   struct ib_send_wr *first)
{
	struct ib_rdma_wr write;
	struct ib_sge sge;
	struct op op;
	int i;

	bed_write(bed, &write, &sge, region, 8);
	first->next = &write.wr;
	for (i = 0; i < 2 * LOST_DEPTH; i++) {
		wire_lose(IB_OPCODE_RC_RDMA_READ_RESPONSE_ONLY, 1);
		if (!bed_post(bed->from, &op, first) ||
		    !EXPECT_STATUS(bed_status(bed, &op), IB_WC_SUCCESS))
			return;
	}
}

static void lost_and_passed(void)
{
	struct ib_atomic_write_wr atomic;
	struct ib_flush_wr flush;
	struct region region;
	struct bed bed;

	if (!lost_open(&bed, &region))
		return;
	bed_flush(&flush, &region, IB_FLUSH_GLOBAL);
	lost_responses(&bed, &region, &flush.wr);
	bed_atomic_write(&atomic, &region, 8, 1);
	lost_responses(&bed, &region, &atomic.wr);
	lost_close(&bed, &region);
}

/* A READ, and more FLUSHes behind it than the target can remember. */
static void lost_read(void)
{
	struct ib_flush_wr flush[2 * LOST_DEPTH];
	struct ib_rdma_wr read;
	struct region region;
	struct ib_sge sge;
	struct bed bed;
	struct op op;
	int i;

	if (!lost_open(&bed, &region))
		return;
	bed_read(&bed, &read, &sge, &region, 64);
	for (i = 0; i < ARRAY_SIZE(flush); i++)
		bed_flush(&flush[i], &region, IB_FLUSH_GLOBAL);
	read.wr.next = &flush[0].wr;
	for (i = 1; i < ARRAY_SIZE(flush); i++)
		flush[i - 1].wr.next = &flush[i].wr;
	wire_lose(IB_OPCODE_RC_RDMA_READ_RESPONSE_ONLY, 1);
	if (bed_post(bed.from, &op, &read.wr))
		EXPECT_STATUS(bed_status(&bed, &op), IB_WC_SUCCESS);
	lost_close(&bed, &region);
}

/* A READ whose response is lost, although the WRITE behind it is acknowledged. */
static void lost_read_before(size_t read_len, size_t write_len)
{
	struct ib_rdma_wr read, write;
	struct ib_sge read_sge, write_sge;
	struct region region;
	struct bed bed;
	struct op op;

	if (!lost_open(&bed, &region))
		return;
	memset(region.mem, 0x5a, read_len);
	bed_read(&bed, &read, &read_sge, &region, read_len);
	bed_write(&bed, &write, &write_sge, &region, write_len);
	read.wr.num_sge = !!read_len;
	write.wr.num_sge = !!write_len;
	read.wr.next = &write.wr;
	wire_lose(IB_OPCODE_RC_RDMA_READ_RESPONSE_ONLY, 1);
	if (bed_post(bed.from, &op, &read.wr))
		EXPECT_STATUS(bed_status(&bed, &op), IB_WC_SUCCESS);
	EXPECT(!memcmp(bed.buf, region.mem, read_len));
	lost_close(&bed, &region);
}

/* Only one of the two has a length, and it was taken for the other's. */
static void lost_read_response(void)
{
	lost_read_before(64, 0);
	lost_read_before(0, 8);
}

/* Nothing is lost: a WRITE with a fence leaves after the response to a FLUSH. */
static void lost_fence(void)
{
	struct ib_flush_wr flush;
	struct ib_rdma_wr write;
	struct region region;
	struct ib_sge sge;
	struct bed bed;
	struct op op;

	if (!lost_open(&bed, &region))
		return;
	bed_flush(&flush, &region, IB_FLUSH_GLOBAL);
	bed_write(&bed, &write, &sge, &region, 8);
	write.wr.send_flags = IB_SEND_FENCE;
	flush.wr.next = &write.wr;
	wire_lose(0, 0);
	if (bed_post(bed.from, &op, &flush.wr))
		EXPECT_STATUS(bed_status(&bed, &op), IB_WC_SUCCESS);
	EXPECT(wire_saw(IB_OPCODE_RC_RDMA_READ_RESPONSE_ONLY, 0) >= 0);
	EXPECT(wire_saw(IB_OPCODE_RC_RDMA_READ_RESPONSE_ONLY, 0) <
	       wire_saw(IB_OPCODE_RC_RDMA_WRITE_ONLY, 0));
	lost_close(&bed, &region);
}

const struct test lost_tests[] = {
	{ "lost.flush", lost_flush },
	{ "lost.flush_response", lost_flush_response },
	{ "lost.atomic_write", lost_atomic_write },
	{ "lost.and_passed", lost_and_passed },
	{ "lost.read", lost_read },
	{ "lost.read_response", lost_read_response },
	{ "lost.fence", lost_fence },
	{}
};
