// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a consumer does, and what may not happen to it, on the provider that needs no
 * device: the least that has to work before the behaviour suite is worth a run.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfabric.h>
#include <kfi_cm.h>
#include <kfi_pmem.h>
#include <kfi_pmemsim.h>
#include <kfi_rma.h>

#define BED_TIMEOUT_MS	5000
#define BED_PORT	"7475"
#define BED_SIM		"loopback-kunit"
#define BED_LEN		4096
#define BED_CAPS	(KFI_MSG | KFI_RMA | KFI_RMA_PMEM)
#define BED_ACCESS	(KFI_REMOTE_READ | KFI_REMOTE_WRITE)

/**
 * struct side - an endpoint, and the queue that all its completions go to
 * @ep: the endpoint
 * @cq: the queue
 * @arrived: there may be more of them
 */
struct side {
	struct kfid_ep		*ep;
	struct kfid_cq		*cq;
	struct completion	arrived;
};

/**
 * struct bed - two connected endpoints, and memory of the one that accepted
 * @fabric: of the loopback provider
 * @domain: of everything
 * @eq: all events
 * @pep: where @b was listened for
 * @a: connected
 * @b: accepted
 * @sim: the memory that @b offers
 * @pmem: the same, open
 * @mem: the same, mapped
 * @mr: the same, registered
 * @buf: what @a sends and writes
 * @sink: what is received and read
 */
struct bed {
	struct kfid_fabric	*fabric;
	struct kfid_domain	*domain;
	struct kfid_eq		*eq;
	struct kfid_pep		*pep;
	struct side		a;
	struct side		b;
	struct kfi_pmemsim	*sim;
	struct kfi_pmem		*pmem;
	u8			*mem;
	struct kfid_mr		*mr;
	u8			*buf;
	u8			*sink;
};

static struct kfi_info *getinfo(struct kunit *test, u64 flags)
{
	struct kfi_info *hints = kfi_allocinfo();
	struct kfi_info *info = NULL;
	int ret = -ENOMEM;

	KUNIT_ASSERT_NOT_NULL(test, hints);
	hints->caps = BED_CAPS;
	hints->ep_attr->type = KFI_EP_MSG;
	hints->domain_attr->mr_mode = KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY;
	hints->fabric_attr->prov_name = kstrdup("loopback", GFP_KERNEL);
	if (hints->fabric_attr->prov_name)
		ret = kfi_getinfo(KFI_VERSION(1, 7), "127.0.0.1", BED_PORT,
				  flags, hints, &info);
	kfi_freeinfo(hints);
	KUNIT_ASSERT_EQ_MSG(test, ret, 0, "kfi_loopback is not there?");
	return info;
}

static void signal_arrival(struct kfid_cq *cq, void *context)
{
	complete(context);
}

static int side_open(struct bed *bed, struct side *side, struct kfi_info *info)
{
	struct kfi_cq_attr attr = { .format = KFI_CQ_FORMAT_MSG };
	int ret;

	init_completion(&side->arrived);
	ret = kfi_cq_open(bed->domain, &attr, &side->cq,
			  signal_arrival, &side->arrived);
	if (!ret)
		ret = kfi_endpoint(bed->domain, info, &side->ep, NULL);
	if (!ret)
		ret = kfi_ep_bind(side->ep, &bed->eq->fid, 0);
	if (!ret)
		ret = kfi_ep_bind(side->ep, &side->cq->fid,
				  KFI_TRANSMIT | KFI_RECV);
	return ret;
}

static void side_close(struct kunit *test, struct side *side)
{
	if (side->ep)
		KUNIT_EXPECT_EQ(test, kfi_close(&side->ep->fid), 0);
	if (side->cq)
		KUNIT_EXPECT_EQ(test, kfi_close(&side->cq->fid), 0);
}

static struct kfi_info *wait_event_of(struct kunit *test, u32 expected)
{
	struct bed *bed = test->priv;
	struct kfi_eq_cm_entry entry = { };
	u32 event = 0;

	KUNIT_ASSERT_EQ(test, kfi_eq_sread(bed->eq, &event, &entry,
					   sizeof(entry), BED_TIMEOUT_MS, 0),
			sizeof(entry));
	KUNIT_ASSERT_EQ(test, event, expected);
	return entry.info;
}

static void listen(struct kunit *test)
{
	struct kfi_info *info = getinfo(test, KFI_SOURCE);
	struct bed *bed = test->priv;
	int ret;

	ret = kfi_fabric(info->fabric_attr, &bed->fabric, NULL);
	if (!ret)
		ret = kfi_domain(bed->fabric, info, &bed->domain, NULL);
	if (!ret)
		ret = kfi_eq_open(bed->fabric, NULL, &bed->eq, NULL, NULL);
	if (!ret)
		ret = kfi_passive_ep(bed->fabric, info, &bed->pep, NULL);
	if (!ret)
		ret = kfi_pep_bind(bed->pep, &bed->eq->fid, 0);
	if (!ret)
		ret = kfi_listen(bed->pep);
	kfi_freeinfo(info);
	KUNIT_ASSERT_EQ(test, ret, 0);
}

static void connect(struct kunit *test)
{
	struct kfi_info *info = getinfo(test, 0);
	struct bed *bed = test->priv;
	int ret;

	ret = side_open(bed, &bed->a, info);
	if (!ret)
		ret = kfi_connect(bed->a.ep, NULL, NULL, 0);
	kfi_freeinfo(info);
	KUNIT_ASSERT_EQ(test, ret, 0);

	info = wait_event_of(test, KFI_CONNREQ);
	ret = side_open(bed, &bed->b, info);
	if (!ret)
		ret = kfi_accept(bed->b.ep, NULL, 0);
	kfi_freeinfo(info);
	KUNIT_ASSERT_EQ(test, ret, 0);
	wait_event_of(test, KFI_CONNECTED);
	wait_event_of(test, KFI_CONNECTED);
}

static void offer(struct kunit *test)
{
	struct bed *bed = test->priv;

	bed->sim = kfi_pmemsim_create(BED_SIM, BED_LEN);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bed->sim);
	bed->pmem = kfi_pmem_open("pmemsim:" BED_SIM, bed);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bed->pmem);
	bed->mem = kfi_pmem_addr(bed->pmem);
	KUNIT_ASSERT_EQ(test, kfi_mr_reg(bed->domain, bed->mem, BED_LEN,
					 BED_ACCESS, 0, 0, KFI_PMEM, &bed->mr,
					 NULL), 0);
}

static int loopback_test_init(struct kunit *test)
{
	struct bed *bed = kunit_kzalloc(test, sizeof(*bed), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bed);
	test->priv = bed;
	bed->buf = kunit_kmalloc(test, BED_LEN, GFP_KERNEL);
	bed->sink = kunit_kzalloc(test, BED_LEN, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bed->buf);
	KUNIT_ASSERT_NOT_NULL(test, bed->sink);
	memset(bed->buf, 0x5a, BED_LEN);
	listen(test);
	connect(test);
	offer(test);
	return 0;
}

/* Endpoints first: nothing is under way any more when they are closed. */
static void loopback_test_exit(struct kunit *test)
{
	struct bed *bed = test->priv;

	if (!bed)
		return;
	side_close(test, &bed->a);
	side_close(test, &bed->b);
	if (bed->mr)
		KUNIT_EXPECT_EQ(test, kfi_close(&bed->mr->fid), 0);
	if (!IS_ERR_OR_NULL(bed->pmem))
		kfi_pmem_close(bed->pmem);
	if (!IS_ERR_OR_NULL(bed->sim))
		kfi_pmemsim_destroy(bed->sim);
	if (bed->pep)
		KUNIT_EXPECT_EQ(test, kfi_close(&bed->pep->fid), 0);
	if (bed->eq)
		KUNIT_EXPECT_EQ(test, kfi_close(&bed->eq->fid), 0);
	if (bed->domain)
		KUNIT_EXPECT_EQ(test, kfi_close(&bed->domain->fid), 0);
	if (bed->fabric)
		KUNIT_EXPECT_EQ(test, kfi_close(&bed->fabric->fid), 0);
}

/* The next completion is that of @context; its positive errno, or 0. */
static int completion_of(struct kunit *test, struct side *side, void *context)
{
	const unsigned long timeout = msecs_to_jiffies(BED_TIMEOUT_MS);
	struct kfi_cq_err_entry error = { };
	struct kfi_cq_msg_entry entry;
	ssize_t ret;

	/* the handler is called again only after there was nothing to read */
	do {
		ret = kfi_cq_read(side->cq, &entry, 1);
	} while (ret == -EAGAIN &&
		 wait_for_completion_timeout(&side->arrived, timeout));
	if (ret == 1) {
		KUNIT_EXPECT_PTR_EQ(test, entry.op_context, context);
		return 0;
	}
	KUNIT_ASSERT_EQ(test, ret, -KFI_EAVAIL);
	KUNIT_ASSERT_EQ(test, kfi_cq_readerr(side->cq, &error, 0), 1);
	KUNIT_EXPECT_PTR_EQ(test, error.op_context, context);
	return error.err;
}

static int commit(struct kunit *test, size_t offset, size_t len)
{
	struct bed *bed = test->priv;

	KUNIT_ASSERT_EQ(test, kfi_write_commit(bed->a.ep, bed->buf, len, NULL,
					       0, bed->mr->iova + offset,
					       kfi_mr_key(bed->mr), bed), 0);
	return completion_of(test, &bed->a, bed);
}

static void message_arrives(struct kunit *test)
{
	struct bed *bed = test->priv;

	KUNIT_ASSERT_EQ(test, kfi_recv(bed->b.ep, bed->sink, BED_LEN, NULL, 0,
				       bed->sink), 0);
	KUNIT_ASSERT_EQ(test, kfi_send(bed->a.ep, bed->buf, 100, NULL, 0,
				       bed->buf), 0);
	KUNIT_EXPECT_EQ(test, completion_of(test, &bed->b, bed->sink), 0);
	KUNIT_EXPECT_EQ(test, completion_of(test, &bed->a, bed->buf), 0);
	KUNIT_EXPECT_MEMEQ(test, bed->sink, bed->buf, 100);
	KUNIT_EXPECT_EQ(test, bed->sink[100], 0);
}

static void write_is_read(struct kunit *test)
{
	struct bed *bed = test->priv;
	u64 key = kfi_mr_key(bed->mr);

	KUNIT_ASSERT_EQ(test, kfi_write(bed->a.ep, bed->buf, 100, NULL, 0,
					bed->mr->iova + 7, key, bed->buf), 0);
	KUNIT_EXPECT_EQ(test, completion_of(test, &bed->a, bed->buf), 0);
	KUNIT_ASSERT_EQ(test, kfi_read(bed->a.ep, bed->sink, 200, NULL, 0,
				       bed->mr->iova, key, bed->sink), 0);
	KUNIT_EXPECT_EQ(test, completion_of(test, &bed->a, bed->sink), 0);
	KUNIT_EXPECT_MEMEQ(test, bed->sink + 7, bed->buf, 100);
	KUNIT_EXPECT_MEMEQ(test, bed->sink, bed->mem, 200);
	KUNIT_EXPECT_EQ(test, bed->mem[6], 0);
	KUNIT_EXPECT_EQ(test, bed->mem[107], 0);
}

static void wrong_key_is_refused(struct kunit *test)
{
	struct bed *bed = test->priv;
	u64 key = kfi_mr_key(bed->mr) ^ 1;

	KUNIT_ASSERT_EQ(test, kfi_write(bed->a.ep, bed->buf, 100, NULL, 0,
					bed->mr->iova, key, bed->buf), 0);
	KUNIT_EXPECT_EQ(test, completion_of(test, &bed->a, bed->buf), EACCES);
	KUNIT_EXPECT_NULL(test, memchr_inv(bed->mem, 0, BED_LEN));
}

/* And what was only written does not. */
static void commit_survives(struct kunit *test)
{
	struct bed *bed = test->priv;

	KUNIT_ASSERT_EQ(test, kfi_write(bed->a.ep, bed->buf, 100, NULL, 0,
					bed->mr->iova + SZ_2K,
					kfi_mr_key(bed->mr), bed->buf), 0);
	KUNIT_EXPECT_EQ(test, completion_of(test, &bed->a, bed->buf), 0);
	KUNIT_EXPECT_EQ(test, commit(test, 0, 100), 0);
	KUNIT_EXPECT_MEMEQ(test, bed->mem + SZ_2K, bed->buf, 100);
	KUNIT_ASSERT_EQ(test, kfi_pmemsim_cut(bed->sim), 0);
	KUNIT_EXPECT_MEMEQ(test, bed->mem, bed->buf, 100);
	KUNIT_EXPECT_NULL(test, memchr_inv(bed->mem + SZ_2K, 0, SZ_2K));
}

/* A target that could not persist says so, and the next commit succeeds. */
static void commit_fails(struct kunit *test)
{
	struct bed *bed = test->priv;

	kfi_pmemsim_fail_next(bed->sim, 1);
	KUNIT_EXPECT_EQ(test, commit(test, 0, 100), EIO);
	KUNIT_EXPECT_EQ(test, commit(test, 0, 100), 0);
	KUNIT_EXPECT_TRUE(test, kfi_pmemsim_survives(bed->sim, 0, bed->buf,
						     100));
}

static void parents_stay(struct kunit *test)
{
	struct bed *bed = test->priv;

	KUNIT_EXPECT_EQ(test, kfi_close(&bed->fabric->fid), -EBUSY);
	KUNIT_EXPECT_EQ(test, kfi_close(&bed->domain->fid), -EBUSY);
	KUNIT_EXPECT_EQ(test, kfi_close(&bed->eq->fid), -EBUSY);
	KUNIT_EXPECT_EQ(test, kfi_close(&bed->a.cq->fid), -EBUSY);
	message_arrives(test);
}

static struct kunit_case loopback_cases[] = {
	KUNIT_CASE(message_arrives),
	KUNIT_CASE(write_is_read),
	KUNIT_CASE(wrong_key_is_refused),
	KUNIT_CASE(commit_survives),
	KUNIT_CASE(commit_fails),
	KUNIT_CASE(parents_stay),
	{ }
};

static struct kunit_suite loopback_suite = {
	.name = "kfi_loopback",
	.init = loopback_test_init,
	.exit = loopback_test_exit,
	.test_cases = loopback_cases,
};

kunit_test_suite(loopback_suite);

MODULE_DESCRIPTION("KUnit tests of a consumer on the loopback provider");
MODULE_LICENSE("Dual BSD/GPL");
/* It is asked for by its name, of which the module knows nothing otherwise. */
MODULE_SOFTDEP("pre: kfi_loopback");
