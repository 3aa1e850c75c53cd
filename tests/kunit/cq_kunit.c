// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Completion queues: ring, credits, handler.
 */

#include <linux/workqueue.h>

#include "core.h"

struct cq_fixture {
	struct kfid_domain	domain;
	struct kfid_ep		ep;
	struct kfi_prov_cq	pcq;
	struct kfi_cq_credit	*credit;
	struct work_struct	work;
	atomic_t		room;
	int			calls;
	int			polls;
};

static const struct kfi_ops no_ops;

static void room_work(struct work_struct *work)
{
	struct cq_fixture *f = container_of(work, struct cq_fixture, work);

	atomic_inc(&f->room);
}

static void count_calls(struct kfid_cq *cq, void *context)
{
	struct cq_fixture *f = context;

	f->calls++;
}

static int cq_test_init(struct kunit *test)
{
	struct cq_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	fake_domain_init(&f->domain);
	f->pcq.strerror = fake_strerror;
	INIT_WORK(&f->work, room_work);
	test->priv = f;
	return 0;
}

static int open_cq(struct cq_fixture *f, size_t size, enum kfi_cq_format format,
		   kfi_comp_handler handler)
{
	struct kfi_cq_attr attr = { .size = size, .format = format };

	return kfi_prov_cq_init(&f->pcq, &f->domain, &attr, handler, f,
				&no_ops);
}

static void reserve(struct kunit *test, struct cq_fixture *f, unsigned int n)
{
	f->credit = kfi_cq_reserve(&f->pcq, &f->ep, n, system_unbound_wq,
				   &f->work);
	KUNIT_ASSERT_FALSE(test, IS_ERR(f->credit));
}

static void close_cq(struct kunit *test, struct cq_fixture *f)
{
	flush_work(&f->work);
	KUNIT_EXPECT_TRUE(test, kfi_obj_close(&f->pcq.cq.fid));
	kfi_prov_cq_destroy(&f->pcq);
	KUNIT_EXPECT_TRUE(test, kfi_obj_close(&f->domain.fid));
}

/* An operation that was posted is complete. */
static void complete_taken(struct cq_fixture *f, unsigned long context, int err)
{
	const struct kfi_comp comp = {
		.op_context = (void *)context, .flags = KFI_SEND | KFI_MSG,
		.len = context, .data = ~context, .err = err,
		.prov_errno = err ? 7 : 0,
	};

	kfi_cq_complete(f->credit, &comp);
}

static void complete_one(struct cq_fixture *f, unsigned long context, int err)
{
	WARN_ON(!kfi_cq_take(f->credit));
	complete_taken(f, context, err);
}

static void cq_formats(struct kunit *test)
{
	struct cq_fixture *f = test->priv;
	struct kfi_cq_data_entry data[2];
	struct kfi_cq_msg_entry msg[3];
	void *context[3] = { };

	KUNIT_ASSERT_EQ(test, open_cq(f, 8, KFI_CQ_FORMAT_DATA, NULL), 0);
	reserve(test, f, 8);
	complete_one(f, 1, 0);
	complete_one(f, 2, 0);
	complete_one(f, 3, 0);
	complete_one(f, 4, 0);
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, data, 2), 2);
	KUNIT_EXPECT_PTR_EQ(test, data[1].op_context, (void *)2);
	KUNIT_EXPECT_EQ(test, data[1].len, 2);
	KUNIT_EXPECT_EQ(test, data[1].data, ~2UL);
	KUNIT_EXPECT_EQ(test, data[1].flags, KFI_SEND | KFI_MSG);
	f->pcq.format = KFI_CQ_FORMAT_MSG;
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, msg, 1), 1);
	KUNIT_EXPECT_EQ(test, msg[0].len, 3);
	f->pcq.format = KFI_CQ_FORMAT_CONTEXT;
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, context, 3), 1);
	KUNIT_EXPECT_PTR_EQ(test, context[0], (void *)4);
	KUNIT_EXPECT_NULL(test, context[1]);
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, context, 3), -EAGAIN);
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, context, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, NULL, 1), -EINVAL);
	kfi_cq_release(f->credit);
	close_cq(test, f);
}

static void cq_errors_keep_their_place(struct kunit *test)
{
	struct cq_fixture *f = test->priv;
	struct kfi_cq_entry entry[8];
	struct kfi_cq_err_entry err;
	unsigned long i;

	KUNIT_ASSERT_EQ(test, open_cq(f, 64, KFI_CQ_FORMAT_CONTEXT, NULL), 0);
	reserve(test, f, 64);
	complete_one(f, 100, 0);
	for (i = 0; i < 32; i++)
		complete_one(f, i, EIO);
	complete_one(f, 101, 0);
	KUNIT_EXPECT_EQ(test, kfi_cq_readerr(&f->pcq.cq, &err, 0), -EAGAIN);
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, entry, 8), 1);
	for (i = 0; i < 32; i++) {
		KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, entry, 8),
				-KFI_EAVAIL);
		KUNIT_EXPECT_EQ(test, kfi_cq_readerr(&f->pcq.cq, &err, 0), 1);
		KUNIT_EXPECT_PTR_EQ(test, err.op_context, (void *)i);
		KUNIT_EXPECT_EQ(test, err.err, EIO);
	}
	KUNIT_EXPECT_EQ(test, kfi_cq_readerr(&f->pcq.cq, &err, 1), -EINVAL);
	KUNIT_EXPECT_STREQ(test, kfi_cq_strerror(&f->pcq.cq, err.prov_errno,
						 NULL, NULL, 0), "seven");
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, entry, 8), 1);
	KUNIT_EXPECT_PTR_EQ(test, entry[0].op_context, (void *)101);
	kfi_cq_release(f->credit);
	close_cq(test, f);
}

static void cq_credit_is_exact(struct kunit *test)
{
	struct cq_fixture *f = test->priv;
	struct kfi_cq_entry entry;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, open_cq(f, 4, KFI_CQ_FORMAT_CONTEXT, NULL), 0);
	reserve(test, f, 4);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_TRUE(test, kfi_cq_take(f->credit));
	KUNIT_EXPECT_FALSE(test, kfi_cq_take(f->credit));
	KUNIT_EXPECT_FALSE(test, kfi_cq_want(f->credit));
	complete_taken(f, 1, 0);
	complete_taken(f, 2, 0);
	flush_work(&f->work);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->room), 0);
	KUNIT_EXPECT_FALSE(test, kfi_cq_take(f->credit));
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, &entry, 1), 1);
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, &entry, 1), 1);
	flush_work(&f->work);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->room), 1);
	KUNIT_EXPECT_TRUE(test, kfi_cq_take(f->credit));
	kfi_cq_untake(f->credit);
	KUNIT_EXPECT_TRUE(test, kfi_cq_want(f->credit));
	kfi_cq_complete_silent(f->credit);
	kfi_cq_complete_silent(f->credit);
	KUNIT_EXPECT_EQ(test, f->credit->taken,
			atomic64_read(&f->credit->returned) >> KFI_CREDIT_SHIFT);
	kfi_cq_release(f->credit);
	close_cq(test, f);
}

static void cq_overrun_is_refused(struct kunit *test)
{
	struct cq_fixture *f = test->priv;
	struct kfi_cq_credit *other;

	KUNIT_ASSERT_EQ(test, open_cq(f, 10, KFI_CQ_FORMAT_CONTEXT, NULL), 0);
	reserve(test, f, 6);
	other = kfi_cq_reserve(&f->pcq, &f->ep, 5, system_unbound_wq,
			       &f->work);
	KUNIT_EXPECT_EQ(test, PTR_ERR(other), -ENOSPC);
	other = kfi_cq_reserve(&f->pcq, &f->ep, 4, system_unbound_wq,
			       &f->work);
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	kfi_cq_release(other);
	kfi_cq_release(f->credit);
	close_cq(test, f);
}

/* Unread entries of a closed endpoint keep their room until they are read. */
static void cq_unread_outlive_the_endpoint(struct kunit *test)
{
	struct cq_fixture *f = test->priv;
	struct kfi_cq_credit *other;
	struct kfi_cq_entry entry[4];

	KUNIT_ASSERT_EQ(test, open_cq(f, 4, KFI_CQ_FORMAT_CONTEXT, NULL), 0);
	reserve(test, f, 4);
	complete_one(f, 1, 0);
	complete_one(f, 2, 0);
	kfi_cq_release(f->credit);
	other = kfi_cq_reserve(&f->pcq, &f->ep, 3, system_unbound_wq,
			       &f->work);
	KUNIT_EXPECT_EQ(test, PTR_ERR(other), -ENOSPC);
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, entry, 1), 1);
	other = kfi_cq_reserve(&f->pcq, &f->ep, 3, system_unbound_wq,
			       &f->work);
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	kfi_cq_release(other);
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, entry, 4), 1);
	reserve(test, f, 4);
	complete_one(f, 3, 0);
	kfi_cq_release(f->credit);
	close_cq(test, f);
}

static void cq_handler_is_edge_triggered(struct kunit *test)
{
	struct cq_fixture *f = test->priv;
	struct kfi_cq_entry entry[4];

	KUNIT_ASSERT_EQ(test, open_cq(f, 8, KFI_CQ_FORMAT_CONTEXT, count_calls),
			0);
	reserve(test, f, 8);
	complete_one(f, 1, 0);
	complete_one(f, 2, 0);
	KUNIT_EXPECT_EQ(test, f->calls, 1);
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, entry, 2), 2);
	complete_one(f, 3, 0);
	KUNIT_EXPECT_EQ(test, f->calls, 1);
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, entry, 4), 1);
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, entry, 4), -EAGAIN);
	complete_one(f, 4, EIO);
	KUNIT_EXPECT_EQ(test, f->calls, 2);
	kfi_cq_release(f->credit);
	close_cq(test, f);
}

static void poll_one(struct kfi_prov_cq *pcq, int budget)
{
	struct cq_fixture *f = container_of(pcq, struct cq_fixture, pcq);

	if (f->polls++ == 1)
		complete_one(f, 5, 0);
}

static void cq_polls(struct kunit *test)
{
	struct cq_fixture *f = test->priv;
	struct kfi_cq_entry entry[4];

	f->pcq.poll = poll_one;
	KUNIT_ASSERT_EQ(test, open_cq(f, 8, KFI_CQ_FORMAT_CONTEXT, NULL), 0);
	reserve(test, f, 8);
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, entry, 4), -EAGAIN);
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, entry, 4), 1);
	KUNIT_EXPECT_EQ(test, f->polls, 2);
	kfi_cq_release(f->credit);
	close_cq(test, f);
}

static void cq_attributes(struct kunit *test)
{
	struct cq_fixture *f = test->priv;
	static const struct {
		struct kfi_cq_attr attr;
		int ret;
	} cases[] = {
		{ { .flags = KFI_MORE }, -EINVAL },
		{ { .flags = KFI_CQ_PROCESS_CONTEXT }, -EINVAL },
		{ { .size = SIZE_MAX }, -EINVAL },
		{ { .wait_obj = KFI_WAIT_QUEUE }, -EINVAL },
		{ { .wait_cond = KFI_CQ_COND_THRESHOLD }, -EINVAL },
		{ { .format = KFI_CQ_FORMAT_TAGGED }, -EOPNOTSUPP },
		{ { .format = KFI_CQ_FORMAT_TAGGED + 1 }, -EINVAL },
		{ { .flags = KFI_AFFINITY, .signaling_vector = -1 }, -EINVAL },
		{ { .flags = KFI_AFFINITY, .signaling_vector = 2 }, -EINVAL },
	};
	struct kfi_cq_attr attr;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		attr = cases[i].attr;
		KUNIT_EXPECT_EQ_MSG(test, kfi_prov_cq_init(&f->pcq, &f->domain,
							   &attr, NULL, NULL,
							   &no_ops),
				    cases[i].ret, "case %zu", i);
	}
	KUNIT_EXPECT_EQ(test, kfi_prov_cq_init(&f->pcq, &f->domain, NULL, NULL,
					       NULL, &no_ops), -EINVAL);
	attr = (struct kfi_cq_attr) { .flags = KFI_AFFINITY };
	KUNIT_ASSERT_EQ(test, kfi_prov_cq_init(&f->pcq, &f->domain, &attr, NULL,
					       NULL, &no_ops), 0);
	KUNIT_EXPECT_EQ(test, attr.format, KFI_CQ_FORMAT_DATA);
	KUNIT_EXPECT_EQ(test, attr.size, 1024);
	close_cq(test, f);
}

/* Errors are counted when they are made, by whose they are and by queue. */
static void cq_counts(struct kunit *test)
{
	struct cq_fixture *f = test->priv;
	struct kfi_ep_stats *ep = kunit_kzalloc(test, sizeof(*ep), GFP_KERNEL);
	struct kfi_cq_stats stats;
	struct kfi_cq_entry entry;

	KUNIT_ASSERT_NOT_NULL(test, ep);
	KUNIT_ASSERT_EQ(test, open_cq(f, 8, KFI_CQ_FORMAT_CONTEXT, NULL), 0);
	reserve(test, f, 6);
	complete_one(f, 1, 0);
	complete_one(f, 2, EIO);
	complete_one(f, 3, ECANCELED);
	complete_one(f, 4, ECANCELED);
	KUNIT_EXPECT_EQ(test, kfi_cq_read(&f->pcq.cq, &entry, 1), 1);
	kfi_cq_read_stats(&f->pcq.cq, &stats);
	KUNIT_EXPECT_EQ(test, stats.size, 8);
	KUNIT_EXPECT_EQ(test, stats.reserved, 6);
	KUNIT_EXPECT_EQ(test, stats.made, 4);
	KUNIT_EXPECT_EQ(test, stats.read, 1);
	KUNIT_EXPECT_EQ(test, stats.error[KFI_STAT_IO], 1);
	KUNIT_EXPECT_EQ(test, stats.error[KFI_STAT_CANCELED], 2);
	KUNIT_EXPECT_EQ(test, stats.error[KFI_STAT_ACCESS], 0);
	KUNIT_EXPECT_EQ(test, kfi_cq_done(f->credit), 1);
	kfi_stat_add_errors(ep, f->credit);
	kfi_stat_add_errors(ep, NULL);
	KUNIT_EXPECT_EQ(test, ep->error[KFI_STAT_IO], 1);
	KUNIT_EXPECT_EQ(test, ep->error[KFI_STAT_CANCELED], 2);
	kfi_cq_release(f->credit);
	close_cq(test, f);
}

static struct kunit_case cq_cases[] = {
	KUNIT_CASE(cq_formats),
	KUNIT_CASE(cq_errors_keep_their_place),
	KUNIT_CASE(cq_credit_is_exact),
	KUNIT_CASE(cq_overrun_is_refused),
	KUNIT_CASE(cq_unread_outlive_the_endpoint),
	KUNIT_CASE(cq_handler_is_edge_triggered),
	KUNIT_CASE(cq_polls),
	KUNIT_CASE(cq_attributes),
	KUNIT_CASE(cq_counts),
	{ }
};

static struct kunit_suite cq_suite = {
	.name = "kfi_cq",
	.init = cq_test_init,
	.test_cases = cq_cases,
};

kunit_test_suite(cq_suite);
