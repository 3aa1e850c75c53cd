// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Every allocation of a call fails once: the call says so, nothing stays behind,
 * and the next call works. For kernels with CONFIG_FAILSLAB, which has to count
 * allocations that may reclaim: tests/vm/suite sees to that.
 */

#include <linux/sched.h>
#include <linux/slab.h>

#include "suite.h"

/* No call under test allocates as often as this. */
#define FAULT_LIMIT	400

/**
 * struct fault - a call whose allocations fail
 * @net: where it is made
 * @info: for endpoints
 * @buf: for regions
 * @len: bytes of @buf
 * @fid: what it opened
 */
struct fault {
	struct suite_net	net;
	struct kfi_info		*info;
	void			*buf;
	size_t			len;
	struct kfid		*fid;
};

static int open_domain(struct fault *f)
{
	struct kfid_domain *domain;
	int ret = kfi_domain(f->net.fabric, f->info, &domain, NULL);

	f->fid = ret ? NULL : &domain->fid;
	return ret;
}

static int open_eq(struct fault *f)
{
	struct kfid_eq *eq;
	int ret = kfi_eq_open(f->net.fabric, NULL, &eq, NULL, NULL);

	f->fid = ret ? NULL : &eq->fid;
	return ret;
}

static int open_cq(struct fault *f)
{
	struct kfi_cq_attr attr = { .size = 64 };
	struct kfid_cq *cq;
	int ret = kfi_cq_open(f->net.domain, &attr, &cq, NULL, NULL);

	f->fid = ret ? NULL : &cq->fid;
	return ret;
}

static int open_endpoint(struct fault *f)
{
	struct kfid_ep *ep;
	int ret = kfi_endpoint(f->net.domain, f->info, &ep, NULL);

	f->fid = ret ? NULL : &ep->fid;
	return ret;
}

static int open_mr(struct fault *f)
{
	struct kfid_mr *mr;
	int ret = kfi_mr_reg(f->net.domain, f->buf, f->len, SUITE_ACCESS, 0, 0,
			     0, &mr, NULL);

	f->fid = ret ? NULL : &mr->fid;
	return ret;
}

/*
 * Makes the @nth allocation of @open fail. Returns false when there are fewer; a
 * call that finds its memory elsewhere may succeed all the same.
 */
static bool fault_one(struct suite *t, struct fault *f,
		      int (*open)(struct fault *f), unsigned int nth)
{
	bool failed;
	int ret;

	WRITE_ONCE(current->fail_nth, nth);
	ret = open(f);
	failed = !READ_ONCE(current->fail_nth);
	WRITE_ONCE(current->fail_nth, 0);
	if (ret)
		EXPECT_EQ(t, ret, -ENOMEM);
	else
		EXPECT_OK(t, kfi_close(f->fid));
	return failed;
}

static void fault_all(struct suite *t, int (*open)(struct fault *f))
{
	struct fault f = { .len = 64 * PAGE_SIZE };
	unsigned int nth = 1;

	f.buf = kvzalloc(f.len, GFP_KERNEL);
	if (EXPECT(t, f.buf) && suite_net_open(t, &f.net, SUITE_RAW, NULL)) {
		if (EXPECT_OK(t, suite_getinfo(SUITE_RAW, f.net.port, 0,
					       &f.info))) {
			while (fault_one(t, &f, open, nth) && nth < FAULT_LIMIT)
				nth++;
			if (nth == 1)
				t->skip = "failslab leaves out GFP_KERNEL";
			EXPECT(t, nth < FAULT_LIMIT);
			EXPECT_OK(t, open(&f));
			if (f.fid)
				EXPECT_OK(t, kfi_close(f.fid));
			kfi_freeinfo(f.info);
		}
		suite_net_close(&f.net);
	}
	kvfree(f.buf);
}

static void test_domain(struct suite *t)
{
	fault_all(t, open_domain);
}

static void test_eq(struct suite *t)
{
	fault_all(t, open_eq);
}

static void test_cq(struct suite *t)
{
	fault_all(t, open_cq);
}

static void test_endpoint(struct suite *t)
{
	fault_all(t, open_endpoint);
}

static void test_mr(struct suite *t)
{
	fault_all(t, open_mr);
}

const struct suite_test suite_fault_tests[] = {
	{ "fault.domain", test_domain },
	{ "fault.eq", test_eq },
	{ "fault.cq", test_cq },
	{ "fault.endpoint", test_endpoint },
	{ "fault.mr", test_mr },
	{ }
};
