// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Event queues.
 */

#include <linux/completion.h>
#include <linux/delay.h>

#include "core.h"

#define FAKE_DATA	100

/* An endpoint, for as much as a queue sees of it. */
struct fake_ep {
	struct kfid		fid;
	struct kfi_eq_event	connected;
	struct kfi_eq_event	shutdown;
	struct kfi_eq_event	error;
};

struct eq_fixture {
	struct kfid_fabric	fabric;
	struct kfid_eq		*eq;
	struct fake_ep		ep[8];
	atomic_t		calls;
	struct completion	called;
};

static void fake_ep_init(struct fake_ep *ep, void *context)
{
	static const struct kfi_ops no_ops;

	kfi_obj_init(&ep->fid, KFI_CLASS_EP, &no_ops, context);
	kfi_eq_event_init(&ep->connected, &ep->fid);
	ep->connected.event = KFI_CONNECTED;
	ep->connected.data_len = FAKE_DATA;
	memset(ep->connected.data, 0x5a, FAKE_DATA);
	kfi_eq_event_init(&ep->shutdown, &ep->fid);
	ep->shutdown.event = KFI_SHUTDOWN;
	kfi_eq_event_init(&ep->error, &ep->fid);
	ep->error.err = ECONNREFUSED;
	ep->error.prov_errno = 7;
	ep->error.data_len = 3;
	memcpy(ep->error.data, "no", 3);
}

static void count_calls(struct kfid_eq *eq, void *context)
{
	struct eq_fixture *f = context;

	atomic_inc(&f->calls);
	complete(&f->called);
}

static int open_eq(struct eq_fixture *f, size_t size, kfi_event_handler handler)
{
	struct kfi_eq_attr attr = { .size = size };

	return kfi_prov_eq_open(&f->fabric, &attr, fake_strerror, &f->eq,
				handler, f);
}

static int eq_test_init(struct kunit *test)
{
	struct eq_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	fake_fabric_init(&f->fabric);
	init_completion(&f->called);
	for (i = 0; i < ARRAY_SIZE(f->ep); i++)
		fake_ep_init(&f->ep[i], (void *)i);
	test->priv = f;
	return 0;
}

static void eq_order(struct kunit *test)
{
	struct eq_fixture *f = test->priv;
	struct kfi_eq_cm_entry entry;
	u32 event;
	size_t i;

	KUNIT_ASSERT_EQ(test, open_eq(f, 0, NULL), 0);
	for (i = 0; i < ARRAY_SIZE(f->ep); i++)
		kfi_eq_post(f->eq, &f->ep[i].connected);
	for (i = 0; i < ARRAY_SIZE(f->ep); i++)
		kfi_eq_post(f->eq, &f->ep[i].shutdown);
	for (i = 0; i < 2 * ARRAY_SIZE(f->ep); i++) {
		KUNIT_EXPECT_EQ(test, kfi_eq_read(f->eq, &event, &entry,
						  sizeof(entry), 0),
				(ssize_t)sizeof(entry));
		KUNIT_EXPECT_EQ(test, event, i < ARRAY_SIZE(f->ep) ?
					     KFI_CONNECTED : KFI_SHUTDOWN);
		KUNIT_EXPECT_PTR_EQ(test, entry.fid,
				    &f->ep[i % ARRAY_SIZE(f->ep)].fid);
	}
	KUNIT_EXPECT_EQ(test, kfi_eq_read(f->eq, &event, &entry, sizeof(entry),
					  0), -EAGAIN);
	KUNIT_EXPECT_EQ(test, kfi_close(&f->eq->fid), 0);
}

static void eq_peek_and_short_buffer(struct kunit *test)
{
	u8 buf[sizeof(struct kfi_eq_cm_entry) + FAKE_DATA + 50];
	struct kfi_eq_cm_entry *entry = (struct kfi_eq_cm_entry *)buf;
	struct eq_fixture *f = test->priv;
	ssize_t full = sizeof(*entry) + FAKE_DATA;
	u32 event;

	KUNIT_ASSERT_EQ(test, open_eq(f, 0, NULL), 0);
	kfi_eq_post(f->eq, &f->ep[0].connected);
	KUNIT_EXPECT_EQ(test, kfi_eq_read(f->eq, &event, buf,
					  sizeof(*entry) - 1, 0),
			-KFI_ETOOSMALL);
	KUNIT_EXPECT_EQ(test, kfi_eq_read(f->eq, &event, buf, sizeof(buf),
					  KFI_PEEK), full);
	KUNIT_EXPECT_EQ(test, kfi_eq_read(f->eq, &event, buf, sizeof(buf),
					  KFI_MORE), -EINVAL);
	memset(buf, 0, sizeof(buf));
	KUNIT_EXPECT_EQ(test, kfi_eq_read(f->eq, &event, buf,
					  sizeof(*entry) + 10, 0),
			(ssize_t)sizeof(*entry) + 10);
	KUNIT_EXPECT_EQ(test, entry->data[9], 0x5a);
	KUNIT_EXPECT_EQ(test, entry->data[10], 0);
	KUNIT_EXPECT_EQ(test, kfi_eq_read(f->eq, &event, buf, sizeof(buf), 0),
			-EAGAIN);
	KUNIT_EXPECT_EQ(test, kfi_close(&f->eq->fid), 0);
}

static void eq_errors(struct kunit *test)
{
	struct eq_fixture *f = test->priv;
	char body[2] = "";
	struct kfi_eq_err_entry err = {
		.err_data = body, .err_data_size = sizeof(body),
	};
	struct kfi_eq_cm_entry entry;
	u32 event;

	KUNIT_ASSERT_EQ(test, open_eq(f, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, kfi_eq_readerr(f->eq, &err, 0), -EAGAIN);
	kfi_eq_post(f->eq, &f->ep[3].error);
	kfi_eq_post(f->eq, &f->ep[3].shutdown);
	KUNIT_EXPECT_EQ(test, kfi_eq_read(f->eq, &event, &entry, sizeof(entry),
					  0), -KFI_EAVAIL);
	KUNIT_EXPECT_EQ(test, kfi_eq_readerr(f->eq, &err, KFI_PEEK),
			(ssize_t)sizeof(err));
	KUNIT_EXPECT_EQ(test, kfi_eq_readerr(f->eq, &err, 0),
			(ssize_t)sizeof(err));
	KUNIT_EXPECT_EQ(test, err.err, ECONNREFUSED);
	KUNIT_EXPECT_PTR_EQ(test, err.fid, &f->ep[3].fid);
	KUNIT_EXPECT_PTR_EQ(test, err.context, (void *)3);
	KUNIT_EXPECT_EQ(test, err.err_data_size, 2);
	KUNIT_EXPECT_EQ(test, memcmp(body, "no", 2), 0);
	KUNIT_EXPECT_STREQ(test, kfi_eq_strerror(f->eq, err.prov_errno, NULL,
						 NULL, 0), "seven");
	KUNIT_EXPECT_EQ(test, kfi_eq_readerr(f->eq, &err, 0), -EAGAIN);
	KUNIT_EXPECT_EQ(test, kfi_eq_read(f->eq, &event, &entry, sizeof(entry),
					  0), (ssize_t)sizeof(entry));
	KUNIT_EXPECT_EQ(test, kfi_close(&f->eq->fid), 0);
}

static void eq_overrun(struct kunit *test)
{
	struct eq_fixture *f = test->priv;
	struct kfi_eq_cm_entry entry;
	struct kfi_eq_event *ev[3];
	u32 event;

	KUNIT_ASSERT_EQ(test, open_eq(f, 2, NULL), 0);
	ev[0] = kfi_eq_get_connreq(f->eq);
	ev[1] = kfi_eq_get_connreq(f->eq);
	KUNIT_ASSERT_NOT_NULL(test, ev[0]);
	KUNIT_ASSERT_NOT_NULL(test, ev[1]);
	KUNIT_EXPECT_NULL(test, kfi_eq_get_connreq(f->eq));
	ev[0]->fid = &f->ep[0].fid;
	kfi_eq_post(f->eq, ev[0]);
	KUNIT_EXPECT_NULL(test, kfi_eq_get_connreq(f->eq));
	kfi_eq_post(f->eq, &f->ep[0].shutdown);
	KUNIT_EXPECT_EQ(test, kfi_eq_read(f->eq, &event, &entry, sizeof(entry),
					  0), (ssize_t)sizeof(entry));
	KUNIT_EXPECT_EQ(test, event, KFI_CONNREQ);
	KUNIT_EXPECT_EQ(test, kfi_eq_read(f->eq, &event, &entry, sizeof(entry),
					  0), (ssize_t)sizeof(entry));
	KUNIT_EXPECT_EQ(test, event, KFI_SHUTDOWN);
	ev[2] = kfi_eq_get_connreq(f->eq);
	KUNIT_EXPECT_NOT_NULL(test, ev[2]);
	kfi_eq_put_connreq(f->eq, ev[1]);
	kfi_eq_put_connreq(f->eq, ev[2]);
	KUNIT_EXPECT_EQ(test, kfi_close(&f->eq->fid), 0);
}

static void eq_flush(struct kunit *test)
{
	struct eq_fixture *f = test->priv;
	struct kfi_eq_cm_entry entry;
	struct kfi_eq_event *ev;
	u32 event;

	KUNIT_ASSERT_EQ(test, open_eq(f, 1, NULL), 0);
	ev = kfi_eq_get_connreq(f->eq);
	KUNIT_ASSERT_NOT_NULL(test, ev);
	ev->fid = &f->ep[0].fid;
	ev->info = kfi_allocinfo();
	kfi_eq_post(f->eq, ev);
	kfi_eq_post(f->eq, &f->ep[1].connected);
	kfi_eq_post(f->eq, &f->ep[0].error);
	kfi_eq_flush(f->eq, &f->ep[0].fid);
	KUNIT_EXPECT_EQ(test, kfi_eq_read(f->eq, &event, &entry, sizeof(entry),
					  0), (ssize_t)sizeof(entry));
	KUNIT_EXPECT_PTR_EQ(test, entry.fid, &f->ep[1].fid);
	KUNIT_EXPECT_EQ(test, kfi_eq_read(f->eq, &event, &entry, sizeof(entry),
					  0), -EAGAIN);
	ev = kfi_eq_get_connreq(f->eq);
	KUNIT_EXPECT_NOT_NULL(test, ev);
	KUNIT_EXPECT_EQ(test, kfi_close(&f->eq->fid), 0);
}

/* Called once, and again only after a read has found nothing. */
static void eq_handler_is_edge_triggered(struct kunit *test)
{
	struct eq_fixture *f = test->priv;
	struct kfi_eq_cm_entry entry;
	u32 event;
	int i;

	KUNIT_ASSERT_EQ(test, open_eq(f, 0, count_calls), 0);
	kfi_eq_post(f->eq, &f->ep[0].connected);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&f->called, HZ), 0);
	kfi_eq_post(f->eq, &f->ep[1].connected);
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&f->called, HZ / 10),
			0);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_GT(test, kfi_eq_read(f->eq, &event, &entry,
						  sizeof(entry), 0), 0);
	kfi_eq_post(f->eq, &f->ep[2].connected);
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&f->called, HZ / 10),
			0);
	KUNIT_EXPECT_GT(test, kfi_eq_read(f->eq, &event, &entry, sizeof(entry),
					  0), 0);
	KUNIT_EXPECT_EQ(test, kfi_eq_read(f->eq, &event, &entry, sizeof(entry),
					  0), -EAGAIN);
	kfi_eq_post(f->eq, &f->ep[3].connected);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&f->called, HZ), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->calls), 2);
	kfi_eq_flush(f->eq, &f->ep[3].fid);
	KUNIT_EXPECT_EQ(test, kfi_close(&f->eq->fid), 0);
}

static void eq_sread_times_out(struct kunit *test)
{
	struct eq_fixture *f = test->priv;
	struct kfi_eq_cm_entry entry;
	unsigned long start = jiffies;
	u32 event;

	KUNIT_ASSERT_EQ(test, open_eq(f, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, kfi_eq_sread(f->eq, &event, &entry,
					   sizeof(entry), 100, 0), -EAGAIN);
	KUNIT_EXPECT_GE(test, jiffies_to_msecs(jiffies - start), 90);
	kfi_eq_post(f->eq, &f->ep[0].connected);
	KUNIT_EXPECT_GT(test, kfi_eq_sread(f->eq, &event, &entry,
					   sizeof(entry), -1, 0), 0);
	KUNIT_EXPECT_EQ(test, kfi_close(&f->eq->fid), 0);
}

static void eq_attributes_and_close(struct kunit *test)
{
	struct eq_fixture *f = test->priv;
	struct kfi_eq_attr attr = { .flags = 1 };
	struct kfid_eq *eq;

	KUNIT_EXPECT_EQ(test, kfi_prov_eq_open(&f->fabric, &attr, fake_strerror,
					       &eq, NULL, NULL), -EINVAL);
	attr = (struct kfi_eq_attr) { .wait_obj = KFI_WAIT_SET };
	KUNIT_EXPECT_EQ(test, kfi_prov_eq_open(&f->fabric, &attr, fake_strerror,
					       &eq, NULL, NULL), -EINVAL);
	KUNIT_ASSERT_EQ(test, kfi_prov_eq_open(&f->fabric, NULL, fake_strerror,
					       &eq, NULL, NULL), 0);
	KUNIT_EXPECT_FALSE(test, kfi_obj_close(&f->fabric.fid));
	KUNIT_ASSERT_TRUE(test, kfi_obj_get(&eq->fid));
	KUNIT_EXPECT_EQ(test, kfi_close(&eq->fid), -EBUSY);
	kfi_obj_put(&eq->fid);
	KUNIT_EXPECT_EQ(test, kfi_close(&eq->fid), 0);
	KUNIT_EXPECT_TRUE(test, kfi_obj_close(&f->fabric.fid));
}

static struct kunit_case eq_cases[] = {
	KUNIT_CASE(eq_order),
	KUNIT_CASE(eq_peek_and_short_buffer),
	KUNIT_CASE(eq_errors),
	KUNIT_CASE(eq_overrun),
	KUNIT_CASE(eq_flush),
	KUNIT_CASE(eq_handler_is_edge_triggered),
	KUNIT_CASE(eq_sread_times_out),
	KUNIT_CASE(eq_attributes_and_close),
	{ }
};

static struct kunit_suite eq_suite = {
	.name = "kfi_eq",
	.init = eq_test_init,
	.test_cases = eq_cases,
};

kunit_test_suite(eq_suite);
