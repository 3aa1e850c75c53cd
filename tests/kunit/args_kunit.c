// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Arguments of operations: checks, vectors, and names.
 */

#include <linux/array_size.h>
#include <linux/bvec.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

#include <kfi_atomic.h>

#include "core.h"

static const struct kfi_ep_limits limits = {
	.max_msg_size = 4096, .inject_size = 64, .cq_data_size = 4,
	.rma_iov_limit = 2,
};

static u8 buffer[8192];

static struct kfi_msg one_msg(struct kvec *iov, size_t len)
{
	*iov = (struct kvec) { .iov_base = buffer, .iov_len = len };
	return (struct kfi_msg) {
		.type = KFI_KVEC, .msg_iov = iov, .iov_count = 1,
	};
}

static int check_send(size_t len, u64 data, u64 flags)
{
	struct kvec iov;
	struct kfi_msg msg = one_msg(&iov, len);

	msg.data = data;
	return kfi_check_send(&limits, &msg, flags, &len);
}

static void check_messages(struct kunit *test)
{
	struct kvec iov;
	struct kfi_msg msg = one_msg(&iov, 10);
	size_t len;

	KUNIT_EXPECT_EQ(test, check_send(4096, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, check_send(4097, 0, 0), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, check_send(64, 0, KFI_INJECT), 0);
	KUNIT_EXPECT_EQ(test, check_send(65, 0, KFI_INJECT), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, check_send(1, U32_MAX, KFI_REMOTE_CQ_DATA), 0);
	KUNIT_EXPECT_EQ(test, check_send(1, 1ULL << 32, KFI_REMOTE_CQ_DATA),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, check_send(1, 0, KFI_PEEK), -EINVAL);
	KUNIT_EXPECT_EQ(test, check_send(1, 0, BIT_ULL(63)), -EINVAL);
	KUNIT_EXPECT_EQ(test, check_send(1, 0, KFI_DELIVERY_COMPLETE),
			-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, check_send(1, 0, KFI_INJECT_COMPLETE |
					       KFI_TRANSMIT_COMPLETE), -EINVAL);

	KUNIT_EXPECT_EQ(test, kfi_check_recv(&limits, &msg, KFI_MORE, &len), 0);
	KUNIT_EXPECT_EQ(test, len, 10);
	KUNIT_EXPECT_EQ(test, kfi_check_recv(&limits, &msg, KFI_INJECT, &len),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, kfi_check_recv(&limits, NULL, 0, &len), -EINVAL);
	msg.type = 0;
	KUNIT_EXPECT_EQ(test, kfi_check_recv(&limits, &msg, 0, &len), -EINVAL);
	msg.type = KFI_SGL + 1;
	KUNIT_EXPECT_EQ(test, kfi_check_recv(&limits, &msg, 0, &len), -EINVAL);
	msg.type = KFI_KVEC;
	msg.msg_iov = NULL;
	KUNIT_EXPECT_EQ(test, kfi_check_recv(&limits, &msg, 0, &len), -EINVAL);
	msg.iov_count = 0;
	KUNIT_EXPECT_EQ(test, kfi_check_recv(&limits, &msg, 0, &len), 0);
	KUNIT_EXPECT_EQ(test, len, 0);
}

static void check_rma(struct kunit *test)
{
	struct kvec iov = { .iov_base = buffer, .iov_len = 100 };
	struct kfi_rma_iov rma[3] = {
		{ .len = 60, .key = KFI_KEY_PMEM | 1 }, { .len = 40 },
	};
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = rma, .rma_iov_count = 2,
	};
	struct kfi_ep_limits commit = limits;
	size_t len;

	commit.commit = true;
	KUNIT_EXPECT_EQ(test, kfi_check_rma(&limits, &msg, 0, KFI_READ_FLAGS,
					    &len), 0);
	KUNIT_EXPECT_EQ(test, len, 100);
	KUNIT_EXPECT_EQ(test, kfi_check_rma(&limits, &msg, KFI_INJECT,
					    KFI_READ_FLAGS, &len), -EINVAL);
	KUNIT_EXPECT_EQ(test, kfi_check_rma(&limits, &msg, KFI_COMMIT,
					    KFI_WRITE_FLAGS, &len),
			-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, kfi_check_rma(&commit, &msg, KFI_COMMIT,
					    KFI_WRITE_FLAGS, &len), -EINVAL);
	rma[1].key = KFI_KEY_PMEM | 2;
	KUNIT_EXPECT_EQ(test, kfi_check_rma(&commit, &msg, KFI_COMMIT,
					    KFI_WRITE_FLAGS, &len), 0);
	rma[1].len = 41;
	KUNIT_EXPECT_EQ(test, kfi_check_rma(&limits, &msg, 0, KFI_WRITE_FLAGS,
					    &len), -EINVAL);
	rma[1].len = SIZE_MAX;
	KUNIT_EXPECT_EQ(test, kfi_check_rma(&limits, &msg, 0, KFI_WRITE_FLAGS,
					    &len), -EMSGSIZE);
	msg.rma_iov_count = 3;
	KUNIT_EXPECT_EQ(test, kfi_check_rma(&limits, &msg, 0, KFI_WRITE_FLAGS,
					    &len), -E2BIG);
	msg.rma_iov_count = 0;
	KUNIT_EXPECT_EQ(test, kfi_check_rma(&limits, &msg, 0, KFI_WRITE_FLAGS,
					    &len), -EINVAL);
}

/* Without payload: what was written before, or nothing at all */
static void check_pure(struct kunit *test)
{
	struct kfi_rma_iov rma[2] = {
		{ .len = 60, .key = KFI_KEY_PMEM | 1 },
		{ .len = 4096, .key = KFI_KEY_PMEM | 2 },
	};
	struct kvec iov = { .iov_base = buffer };
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .rma_iov = rma,
		.rma_iov_count = 2,
	};
	struct kfi_ep_limits commit = limits;
	size_t len = 1;

	commit.commit = true;
	for (; msg.iov_count < 2; msg.iov_count++) {
		KUNIT_EXPECT_EQ(test, kfi_check_rma(&commit, &msg, KFI_COMMIT,
						    KFI_WRITE_FLAGS, &len), 0);
		KUNIT_EXPECT_EQ(test, len, 0);
		KUNIT_EXPECT_EQ(test,
				kfi_check_rma(&limits, &msg,
					      KFI_DELIVERY_COMPLETE,
					      KFI_WRITE_FLAGS, &len), 0);
		KUNIT_EXPECT_EQ(test, kfi_check_rma(&limits, &msg, 0,
						    KFI_WRITE_FLAGS, &len),
				-EINVAL);
		KUNIT_EXPECT_EQ(test,
				kfi_check_rma(&limits, &msg,
					      KFI_DELIVERY_COMPLETE,
					      KFI_READ_FLAGS, &len), -EINVAL);
	}
	msg.iov_count = 1;
	iov.iov_len = 60;
	KUNIT_EXPECT_EQ(test, kfi_check_rma(&commit, &msg, KFI_COMMIT,
					    KFI_WRITE_FLAGS, &len), -EINVAL);
	rma[1].len = 0;
	KUNIT_EXPECT_EQ(test, kfi_check_rma(&commit, &msg, KFI_COMMIT,
					    KFI_WRITE_FLAGS, &len), 0);
	rma[1].key = 2;
	KUNIT_EXPECT_EQ(test, kfi_check_rma(&commit, &msg, KFI_COMMIT,
					    KFI_WRITE_FLAGS, &len), -EINVAL);
}

static bool plain_send(size_t len, u64 flags)
{
	struct kvec iov;
	struct kfi_msg msg = one_msg(&iov, len);

	return kfi_plain_send(&limits, &msg, flags);
}

static void plain_messages(struct kunit *test)
{
	struct kvec iov[2] = {{ .iov_base = buffer, .iov_len = 10 }};
	struct kfi_msg msg = {
		.type = KFI_KVEC, .msg_iov = iov, .iov_count = 1,
	};

	KUNIT_EXPECT_TRUE(test, plain_send(4096, KFI_MORE | KFI_FENCE));
	KUNIT_EXPECT_FALSE(test, plain_send(4097, 0));
	KUNIT_EXPECT_TRUE(test, plain_send(64, KFI_INJECT | KFI_COMPLETION));
	KUNIT_EXPECT_FALSE(test, plain_send(65, KFI_INJECT));
	KUNIT_EXPECT_FALSE(test, plain_send(1, KFI_REMOTE_CQ_DATA));
	KUNIT_EXPECT_FALSE(test, plain_send(1, KFI_COMMIT));
	KUNIT_EXPECT_FALSE(test, plain_send(1, BIT_ULL(63)));

	KUNIT_EXPECT_TRUE(test, kfi_plain_send(&limits, &msg, 0));
	KUNIT_EXPECT_FALSE(test, kfi_plain_send(&limits, NULL, 0));
	msg.iov_count = 2;
	KUNIT_EXPECT_FALSE(test, kfi_plain_send(&limits, &msg, 0));
	msg.iov_count = 1;
	msg.type = KFI_BVEC;
	KUNIT_EXPECT_FALSE(test, kfi_plain_send(&limits, &msg, 0));
	msg.type = KFI_KVEC;
	iov[0].iov_base = NULL;
	KUNIT_EXPECT_FALSE(test, kfi_plain_send(&limits, &msg, 0));
	msg.msg_iov = NULL;
	KUNIT_EXPECT_FALSE(test, kfi_plain_send(&limits, &msg, 0));
}

static bool plain_rma(const struct kfi_rma_iov *rma, size_t count, u64 flags,
		      u64 valid)
{
	const struct kvec iov = { .iov_base = buffer, .iov_len = 60 };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = rma, .rma_iov_count = count,
	};

	return kfi_plain_rma(&limits, &msg, flags, valid);
}

static void plain_ranges(struct kunit *test)
{
	struct kfi_rma_iov rma[2] = {{ .len = 60, .key = KFI_KEY_MASK }};

	KUNIT_EXPECT_TRUE(test, plain_rma(rma, 1, 0, KFI_READ_FLAGS));
	KUNIT_EXPECT_TRUE(test, plain_rma(rma, 1, KFI_INJECT, KFI_WRITE_FLAGS));
	KUNIT_EXPECT_FALSE(test, plain_rma(rma, 1, KFI_INJECT, KFI_READ_FLAGS));
	KUNIT_EXPECT_FALSE(test, plain_rma(rma, 1, KFI_DELIVERY_COMPLETE,
					   KFI_WRITE_FLAGS));
	KUNIT_EXPECT_FALSE(test, plain_rma(rma, 2, 0, KFI_READ_FLAGS));
	KUNIT_EXPECT_FALSE(test, plain_rma(NULL, 1, 0, KFI_READ_FLAGS));
	rma[0].addr = -60ULL;
	KUNIT_EXPECT_FALSE(test, plain_rma(rma, 1, 0, KFI_READ_FLAGS));
	rma[0].addr = -61ULL;
	KUNIT_EXPECT_TRUE(test, plain_rma(rma, 1, 0, KFI_READ_FLAGS));
	rma[0].len = 59;
	KUNIT_EXPECT_FALSE(test, plain_rma(rma, 1, 0, KFI_READ_FLAGS));
	rma[0].len = 60;
	rma[0].key = KFI_KEY_MASK + 1;
	KUNIT_EXPECT_FALSE(test, plain_rma(rma, 1, 0, KFI_READ_FLAGS));
}

static void check_mr(struct kunit *test)
{
	struct kvec iov = { .iov_base = buffer, .iov_len = 100 };
	struct kfi_mr_attr attr = {
		.type = KFI_KVEC, .mr_iov = &iov, .iov_count = 1,
		.access = KFI_REMOTE_WRITE,
	};
	size_t len;

	KUNIT_EXPECT_EQ(test, kfi_check_mr(&attr, KFI_PMEM, &len), 0);
	KUNIT_EXPECT_EQ(test, kfi_check_mr(&attr, KFI_PMEM | KFI_UNCACHED,
					   &len), 0);
	KUNIT_EXPECT_EQ(test, kfi_check_mr(&attr, KFI_MORE, &len), -EINVAL);
	KUNIT_EXPECT_EQ(test, kfi_check_mr(&attr, BIT_ULL(32), &len), -EINVAL);
	attr.access = KFI_SEND | KFI_RECV | KFI_READ | KFI_WRITE;
	KUNIT_EXPECT_EQ(test, kfi_check_mr(&attr, KFI_PMEM, &len), 0);
	KUNIT_EXPECT_EQ(test, kfi_check_mr(&attr, KFI_UNCACHED, &len), -EINVAL);
	attr.access = KFI_RMA;
	KUNIT_EXPECT_EQ(test, kfi_check_mr(&attr, 0, &len), -EINVAL);
	attr.access = 0;
	KUNIT_EXPECT_EQ(test, kfi_check_mr(&attr, 0, &len), -EINVAL);
	attr.access = KFI_REMOTE_READ;
	attr.offset = 1;
	KUNIT_EXPECT_EQ(test, kfi_check_mr(&attr, 0, &len), -EINVAL);
	attr.offset = 0;
	iov.iov_len = 0;
	KUNIT_EXPECT_EQ(test, kfi_check_mr(&attr, 0, &len), -EINVAL);
}

static void check_atomics(struct kunit *test)
{
	struct kfi_rma_ioc rma = { .addr = 64, .count = 1 };
	u64 operand = 1;
	struct kfi_ioc ioc = { .addr = &operand, .count = 1 };
	struct kfi_msg_atomic msg = {
		.msg_iov = &ioc, .iov_count = 1, .rma_iov = &rma,
		.rma_iov_count = 1, .datatype = KFI_UINT64, .op = KFI_SUM,
	};

	KUNIT_EXPECT_EQ(test, kfi_check_atomic(&msg, 0), 0);
	rma.addr = 60;
	KUNIT_EXPECT_EQ(test, kfi_check_atomic(&msg, 0), -EINVAL);
	rma.addr = 64;
	rma.count = 2;
	KUNIT_EXPECT_EQ(test, kfi_check_atomic(&msg, 0), -E2BIG);
	rma.count = 1;
	KUNIT_EXPECT_EQ(test, kfi_check_atomic(&msg, KFI_COMMIT), -EINVAL);
	msg.iov_count = 0;
	KUNIT_EXPECT_EQ(test, kfi_check_atomic(&msg, 0), -EINVAL);
	msg.op = KFI_ATOMIC_READ;
	KUNIT_EXPECT_EQ(test, kfi_check_atomic(&msg, 0), 0);
}

/* Copies what a vector describes, segment by segment. */
static size_t gather(enum kfi_iov_type type, const void *iov, size_t count,
		     size_t max, u8 *to)
{
	struct kfi_seg_iter iter;
	struct kfi_seg seg;
	size_t done = 0;

	kfi_seg_iter_init(&iter, type, iov, count);
	while (kfi_seg_next(&iter, max, &seg)) {
		memcpy(to + done, page_address(seg.page) + seg.offset, seg.len);
		done += seg.len;
	}
	return done;
}

static void fill(u8 *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = i * 7 + (i >> 8);
}

static void segments_of_kernel_memory(struct kunit *test)
{
	u8 *flat = kunit_kzalloc(test, 3 * PAGE_SIZE, GFP_KERNEL);
	u8 *out = kunit_kzalloc(test, 6 * PAGE_SIZE, GFP_KERNEL);
	u8 *virt = vmalloc(3 * PAGE_SIZE);
	struct kvec iov[3];
	struct kfi_seg_iter iter;
	struct kfi_seg seg;

	KUNIT_ASSERT_NOT_NULL(test, flat);
	KUNIT_ASSERT_NOT_NULL(test, out);
	KUNIT_ASSERT_NOT_NULL(test, virt);
	fill(flat, 3 * PAGE_SIZE);
	fill(virt, 3 * PAGE_SIZE);
	iov[0] = (struct kvec) { flat + 1, 2 * PAGE_SIZE };
	iov[1] = (struct kvec) { NULL, 0 };
	iov[2] = (struct kvec) { virt + 100, 2 * PAGE_SIZE };
	KUNIT_EXPECT_EQ(test, kfi_iov_len(KFI_KVEC, iov, 3), 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, gather(KFI_KVEC, iov, 3, SIZE_MAX, out),
			4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, memcmp(out, flat + 1, 2 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, memcmp(out + 2 * PAGE_SIZE, virt + 100,
				     2 * PAGE_SIZE), 0);
	memset(out, 0, 6 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, gather(KFI_KVEC, iov, 3, 999, out),
			4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, memcmp(out, flat + 1, 2 * PAGE_SIZE), 0);

	/* contiguous memory is one segment, the rest one for each page */
	kfi_seg_iter_init(&iter, KFI_KVEC, iov, 3);
	KUNIT_EXPECT_TRUE(test, kfi_seg_next(&iter, SIZE_MAX, &seg));
	KUNIT_EXPECT_EQ(test, seg.len, 2 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, kfi_seg_next(&iter, SIZE_MAX, &seg));
	KUNIT_EXPECT_EQ(test, seg.len, PAGE_SIZE - 100);
	KUNIT_EXPECT_EQ(test, seg.index, 2);
	vfree(virt);
}

static void segments_of_pages(struct kunit *test)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	u8 *out = kunit_kzalloc(test, 4 * PAGE_SIZE, GFP_KERNEL);
	struct scatterlist sgl[2];
	struct bio_vec bv;
	u8 *mem;

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_NOT_NULL(test, out);
	mem = page_address(page);
	fill(mem, 4 * PAGE_SIZE);
	bv = (struct bio_vec) {
		.bv_page = page, .bv_offset = PAGE_SIZE + 5,
		.bv_len = 2 * PAGE_SIZE,
	};
	KUNIT_EXPECT_EQ(test, kfi_iov_len(KFI_BVEC, &bv, 1), 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, gather(KFI_BVEC, &bv, 1, PAGE_SIZE, out),
			2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, memcmp(out, mem + PAGE_SIZE + 5, 2 * PAGE_SIZE),
			0);

	sg_init_table(sgl, 2);
	sg_set_page(&sgl[0], page, PAGE_SIZE + 1, 3);
	sg_set_page(&sgl[1], page, 10, 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, kfi_iov_len(KFI_SGL, sgl, 2), PAGE_SIZE + 11);
	KUNIT_EXPECT_EQ(test, kfi_iov_len(KFI_SGL, sgl, 3), SIZE_MAX);
	KUNIT_EXPECT_EQ(test, gather(KFI_SGL, sgl, 2, SIZE_MAX, out),
			PAGE_SIZE + 11);
	KUNIT_EXPECT_EQ(test, memcmp(out, mem + 3, PAGE_SIZE + 1), 0);
	KUNIT_EXPECT_EQ(test, memcmp(out + PAGE_SIZE + 1, mem + 3 * PAGE_SIZE,
				     10), 0);
	__free_pages(page, 2);
}

static void iov_length_overflow(struct kunit *test)
{
	struct kvec iov[2] = {
		{ buffer, SIZE_MAX - 10 }, { buffer, 100 },
	};

	KUNIT_EXPECT_EQ(test, kfi_iov_len(KFI_KVEC, iov, 2), SIZE_MAX);
	KUNIT_EXPECT_EQ(test, kfi_iov_len(0, iov, 1), SIZE_MAX);
}

static void names(struct kunit *test)
{
	u64 flags = KFI_FENCE | KFI_COMMIT | BIT_ULL(62);
	enum kfi_ep_type type = KFI_EP_MSG;
	const struct kfi_commit_info info = {
		.method = KFI_COMMIT_SERVER,
		.domain = KFI_PMEM_DOMAIN_CPU_CACHE,
		.sync = true,
		.max_ranges = 16,
		.slots = 64,
	};
	struct kfi_info *offer = fake_offer(test, "fake");
	char *text;

	KUNIT_EXPECT_STREQ(test, kfi_tostr(&flags, KFI_TYPE_OP_FLAGS),
			   "[KFI_FENCE, KFI_COMMIT_COMPLETE, 0x4000000000000000]");
	KUNIT_EXPECT_STREQ(test, kfi_tostr(&type, KFI_TYPE_EP_TYPE),
			   "KFI_EP_MSG");
	KUNIT_EXPECT_STREQ(test, kfi_tostr(&flags, KFI_TYPE_CQ_EVENT_FLAGS),
			   "[KFI_COMMIT, 0x4000000000200000]");
	type = 99;
	KUNIT_EXPECT_STREQ(test, kfi_tostr(&type, KFI_TYPE_EP_TYPE), "0x63");
	KUNIT_EXPECT_STREQ(test, kfi_tostr(NULL, KFI_TYPE_VERSION), "1.7");
	flags = KFI_PMEM | KFI_UNCACHED;
	KUNIT_EXPECT_STREQ(test, kfi_tostr(&flags, KFI_TYPE_MR_FLAGS),
			   "[KFI_RMA_PMEM, KFI_UNCACHED]");
	KUNIT_EXPECT_STREQ(test, kfi_tostr(&info, KFI_TYPE_COMMIT_INFO),
			   "commit: method KFI_COMMIT_SERVER domain KFI_PMEM_DOMAIN_CPU_CACHE sync 1 max_ranges 16 slots 64");
	text = kfi_tostr(offer, KFI_TYPE_INFO);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "prov_name fake"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "KFI_RMA"));
	kfi_freeinfo(offer);
}

/* Each error that the headers name has a text. */
static void error_texts(struct kunit *test)
{
	static const int named[] = {
		EPERM, ENOENT, EIO, E2BIG, EAGAIN, ENOMEM, EACCES, EFAULT,
		EBUSY, EEXIST, ENODEV, EINVAL, ENOSPC, ENODATA, EPROTO,
		EMSGSIZE, ENOPROTOOPT, EPROTONOSUPPORT, EOPNOTSUPP, EADDRINUSE,
		EADDRNOTAVAIL, ECONNRESET, ENOBUFS, EISCONN, ENOTCONN,
		ESHUTDOWN, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH, EALREADY,
		EDESTADDRREQ, EREMOTEIO, ECANCELED, ERESTARTSYS, EFBIG,
		EMEDIUMTYPE,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(named); i++)
		KUNIT_EXPECT_STRNEQ_MSG(test, kfi_strerror(-named[i]),
					"Unknown error", "errno %d", named[i]);
	for (i = KFI_EOTHER; i < KFI_ERRNO_MAX; i++)
		KUNIT_EXPECT_STRNEQ_MSG(test, kfi_strerror(i),
					"Unknown error", "errno %u", i);
	KUNIT_EXPECT_STREQ(test, kfi_strerror(-EBUSY), "Object is in use");
	KUNIT_EXPECT_STREQ(test, kfi_strerror(KFI_EAVAIL),
			   "Error entry available");
	KUNIT_EXPECT_STREQ(test, kfi_strerror(KFI_ERRNO_MAX), "Unknown error");
	KUNIT_EXPECT_STREQ(test, kfi_strerror(INT_MIN), "Unknown error");
	KUNIT_EXPECT_STREQ(test, kfi_strerror(0), "Success");
}

static struct kunit_case args_cases[] = {
	KUNIT_CASE(check_messages),
	KUNIT_CASE(check_rma),
	KUNIT_CASE(plain_messages),
	KUNIT_CASE(plain_ranges),
	KUNIT_CASE(check_pure),
	KUNIT_CASE(check_mr),
	KUNIT_CASE(check_atomics),
	KUNIT_CASE(segments_of_kernel_memory),
	KUNIT_CASE(segments_of_pages),
	KUNIT_CASE(iov_length_overflow),
	KUNIT_CASE(names),
	KUNIT_CASE(error_texts),
	{ }
};

static struct kunit_suite args_suite = {
	.name = "kfi_args",
	.test_cases = args_cases,
};

kunit_test_suite(args_suite);
