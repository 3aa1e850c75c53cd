// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * FLUSH and ATOMIC WRITE, posted by a kernel consumer: what they do, and what is
 * refused.
 */

#include "patches.h"

static const struct options plain = { .depth = 4, .resources = 4 };

static void post_flush(void)
{
	struct ib_flush_wr wr;
	struct region region;
	struct bed bed;
	struct op op;

	if (!bed_open(&bed, &plain))
		return;
	if (!region_open(&bed, &region, REGION_ACCESS | IB_ACCESS_FLUSH_GLOBAL))
		goto out;
	bed_flush(&wr, &region, IB_FLUSH_GLOBAL);
	if (bed_post(bed.from, &op, &wr.wr)) {
		EXPECT_STATUS(bed_status(&bed, &op), IB_WC_SUCCESS);
		EXPECT(op.wc.opcode == IB_WC_FLUSH);
	}
	wr.length = 0;
	if (bed_post(bed.from, &op, &wr.wr))
		EXPECT_STATUS(bed_status(&bed, &op), IB_WC_SUCCESS);
	/* of the region: address and length do not count */
	bed_flush(&wr, &region, IB_FLUSH_GLOBAL);
	wr.level = IB_FLUSH_MR;
	wr.remote_addr = 0;
	if (bed_post(bed.from, &op, &wr.wr))
		EXPECT_STATUS(bed_status(&bed, &op), IB_WC_SUCCESS);
	region_close(&bed, &region);
out:
	bed_close(&bed);
}

static void post_flush_refused(void)
{
	struct ib_sge sge = { .length = 1 };
	struct ib_flush_wr wr, good;
	struct region region;
	struct bed bed;
	struct op op;

	if (!bed_open(&bed, &plain))
		return;
	if (!region_open(&bed, &region, REGION_ACCESS | IB_ACCESS_FLUSH_GLOBAL))
		goto out;
	bed_flush(&good, &region, IB_FLUSH_GLOBAL);
	wr = good;
	wr.type = 0;
	EXPECT(ib_post_send(bed.from, &wr.wr, NULL) == -EINVAL);
	wr.type = 4 | IB_FLUSH_GLOBAL;
	EXPECT(ib_post_send(bed.from, &wr.wr, NULL) == -EINVAL);
	wr = good;
	wr.level = 2;
	EXPECT(ib_post_send(bed.from, &wr.wr, NULL) == -EINVAL);
	wr = good;
	wr.length = 1U << 31;
	EXPECT(ib_post_send(bed.from, &wr.wr, NULL) == -EINVAL);
	wr = good;
	wr.wr.sg_list = &sge;
	wr.wr.num_sge = 1;
	EXPECT(ib_post_send(bed.from, &wr.wr, NULL) == -EINVAL);
	/* nothing was queued */
	if (bed_post(bed.from, &op, &good.wr))
		EXPECT_STATUS(bed_status(&bed, &op), IB_WC_SUCCESS);
	region_close(&bed, &region);
out:
	bed_close(&bed);
}

/* What FLUSH with these returns, on a region with @access. */
static enum ib_wc_status post_flush_status(const struct options *options,
					   int access, u8 type, u64 offset)
{
	enum ib_wc_status status = IB_WC_GENERAL_ERR;
	struct ib_flush_wr wr;
	struct region region;
	struct bed bed;
	struct op op;

	if (!bed_open(&bed, options))
		return status;
	if (!region_open(&bed, &region, access))
		goto out;
	bed_flush(&wr, &region, type);
	wr.remote_addr += offset;
	if (bed_post(bed.from, &op, &wr.wr))
		status = bed_status(&bed, &op);
	region_close(&bed, &region);
out:
	bed_close(&bed);
	return status;
}

static void post_flush_no_access(void)
{
	const int global = REGION_ACCESS | IB_ACCESS_FLUSH_GLOBAL;

	EXPECT_STATUS(post_flush_status(&plain, REGION_ACCESS, IB_FLUSH_GLOBAL,
					0), IB_WC_REM_ACCESS_ERR);
	EXPECT_STATUS(post_flush_status(&plain, global, IB_FLUSH_PERSISTENT, 0),
		      IB_WC_REM_ACCESS_ERR);
	EXPECT_STATUS(post_flush_status(&plain, global, IB_FLUSH_GLOBAL, 1),
		      IB_WC_REM_ACCESS_ERR);
}

/* The target had a NULL pointer. */
static void post_flush_no_resources(void)
{
	const struct options none = { .depth = 1, .resources = 0 };

	EXPECT_STATUS(post_flush_status(&none, REGION_ACCESS |
					IB_ACCESS_FLUSH_GLOBAL, IB_FLUSH_GLOBAL,
					0), IB_WC_REM_INV_REQ_ERR);
}

static void post_atomic_write(void)
{
	u64 value = 0x0123456789abcdef;
	struct ib_atomic_write_wr wr;
	struct region region;
	struct bed bed;
	struct op op;

	if (!bed_open(&bed, &plain))
		return;
	if (!region_open(&bed, &region, REGION_ACCESS))
		goto out;
	bed_atomic_write(&wr, &region, PAGE_SIZE + 8, value);
	if (bed_post(bed.from, &op, &wr.wr)) {
		EXPECT_STATUS(bed_status(&bed, &op), IB_WC_SUCCESS);
		EXPECT(op.wc.opcode == IB_WC_ATOMIC_WRITE);
	}
	EXPECT(!memchr_inv(region.mem, 0, PAGE_SIZE + 8));
	EXPECT(!memcmp(region.mem + PAGE_SIZE + 8, &value, sizeof(value)));
	EXPECT(!memchr_inv(region.mem + PAGE_SIZE + 16, 0, PAGE_SIZE - 16));
	region_close(&bed, &region);
out:
	bed_close(&bed);
}

static void post_atomic_write_refused(void)
{
	struct ib_sge sge = { .length = 8 };
	struct ib_atomic_write_wr wr, good;
	struct region region;
	struct bed bed;
	struct op op;

	if (!bed_open(&bed, &plain))
		return;
	if (!region_open(&bed, &region, REGION_ACCESS))
		goto out;
	bed_atomic_write(&good, &region, 0, 1);
	wr = good;
	wr.remote_addr += 4;
	EXPECT(ib_post_send(bed.from, &wr.wr, NULL) == -EINVAL);
	wr = good;
	wr.wr.sg_list = &sge;
	wr.wr.num_sge = 1;
	EXPECT(ib_post_send(bed.from, &wr.wr, NULL) == -EINVAL);
	if (bed_post(bed.from, &op, &good.wr))
		EXPECT_STATUS(bed_status(&bed, &op), IB_WC_SUCCESS);
	region_close(&bed, &region);
out:
	bed_close(&bed);
}

const struct test post_tests[] = {
	{ "post.flush", post_flush },
	{ "post.flush_refused", post_flush_refused },
	{ "post.flush_no_access", post_flush_no_access },
	{ "post.flush_no_resources", post_flush_no_resources },
	{ "post.atomic_write", post_atomic_write },
	{ "post.atomic_write_refused", post_atomic_write_refused },
	{}
};
