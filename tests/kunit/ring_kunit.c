// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The ring of a completion queue, with several who fill it and several who read:
 * every entry is read once, those of one maker in their order, and nobody waits
 * for ever.
 */

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "core.h"

#define MAKERS		3
#define READERS		2
#define OPS		20000
#define SLOTS		8
#define SILENT_EVERY	17
#define ERROR_EVERY	61
/* of the whole, on a machine that has other work too */
#define PATIENCE	(60 * HZ)

struct ring_maker {
	struct ring_fixture	*f;
	struct work_struct	work;
	struct work_struct	room;
	struct completion	has_room;
	struct completion	done;
	struct kfi_cq_credit	*credit;
	unsigned long		seen[BITS_TO_LONGS(OPS)];
};

struct ring_reader {
	struct ring_fixture	*f;
	struct work_struct	work;
	struct completion	done;
	/* one more than the last that was read of each maker */
	unsigned int		next[MAKERS];
};

struct ring_fixture {
	struct kfid_domain	domain;
	struct kfid_ep		ep;
	struct kfi_prov_cq	pcq;
	struct ring_maker	makers[MAKERS];
	struct ring_reader	readers[READERS];
	struct completion	all_read;
	atomic_t		left;
	atomic_t		wrong;
	atomic_t		handlers;
};

static const struct kfi_ops no_ops;

static bool is_silent(unsigned int nr)
{
	return nr % SILENT_EVERY == 0;
}

static bool is_error(unsigned int nr)
{
	return nr % ERROR_EVERY == 0;
}

static void room_work(struct work_struct *work)
{
	complete(&container_of(work, struct ring_maker, room)->has_room);
}

/* As a provider's post does, that has somebody to tell of room. */
static bool take_slot(struct ring_maker *maker)
{
	while (!kfi_cq_take(maker->credit)) {
		if (kfi_cq_want(maker->credit))
			continue;
		if (!wait_for_completion_timeout(&maker->has_room, PATIENCE))
			return false;
	}
	return true;
}

static void make_entries(struct work_struct *work)
{
	struct ring_maker *maker = container_of(work, struct ring_maker, work);
	unsigned long who = maker - maker->f->makers;
	unsigned int i;

	for (i = 0; i < OPS && take_slot(maker); i++) {
		const struct kfi_comp error = {
			.op_context = (void *)(who * OPS + i), .err = EIO,
		};

		if (is_error(i))
			kfi_cq_complete(maker->credit, &error);
		else if (is_silent(i))
			kfi_cq_complete_silent(maker->credit);
		else
			kfi_cq_complete_op(maker->credit, error.op_context, 0);
	}
	complete(&maker->done);
}

static void note_entry(struct ring_reader *reader, unsigned long context,
		       bool error)
{
	struct ring_fixture *f = reader->f;
	unsigned long who = context / OPS;
	unsigned int nr = context % OPS;

	if (who >= MAKERS || nr < reader->next[who] || is_error(nr) != error ||
	    test_and_set_bit(nr, f->makers[who].seen))
		atomic_inc(&f->wrong);
	else
		reader->next[who] = nr + 1;
	if (atomic_dec_and_test(&f->left))
		complete_all(&f->all_read);
}

/* Reads what there is; false when there is nothing any more. */
static bool read_entries(struct ring_reader *reader)
{
	struct kfid_cq *cq = &reader->f->pcq.cq;
	struct kfi_cq_err_entry error;
	struct kfi_cq_entry entry[3];
	ssize_t i, nr;

	nr = kfi_cq_read(cq, entry, ARRAY_SIZE(entry));
	for (i = 0; i < nr; i++)
		note_entry(reader, (unsigned long)entry[i].op_context, false);
	if (nr == -KFI_EAVAIL && kfi_cq_readerr(cq, &error, 0) == 1)
		note_entry(reader, (unsigned long)error.op_context, true);
	return nr != -EAGAIN;
}

static void read_work(struct work_struct *work)
{
	struct ring_reader *reader = container_of(work, struct ring_reader,
						  work);
	unsigned long end = jiffies + PATIENCE;

	while (!completion_done(&reader->f->all_read) &&
	       time_before(jiffies, end))
		if (!read_entries(reader))
			cond_resched();
	complete(&reader->done);
}

/* One at a time, so one reader is enough. */
static void read_handler(struct kfid_cq *cq, void *context)
{
	struct ring_fixture *f = context;

	if (atomic_inc_return(&f->handlers) != 1)
		atomic_inc(&f->wrong);
	while (read_entries(&f->readers[0]))
		;
	atomic_dec(&f->handlers);
}

static unsigned int entries_of_a_maker(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < OPS; i++)
		nr += is_error(i) || !is_silent(i);
	return nr;
}

static void ring_open(struct kunit *test, struct ring_fixture *f,
		      kfi_comp_handler handler)
{
	struct kfi_cq_attr attr = {
		.size = MAKERS * SLOTS, .format = KFI_CQ_FORMAT_CONTEXT,
	};
	unsigned int i;

	fake_domain_init(&f->domain);
	f->pcq.strerror = fake_strerror;
	KUNIT_ASSERT_EQ(test, kfi_prov_cq_init(&f->pcq, &f->domain, &attr,
					       handler, f, &no_ops), 0);
	init_completion(&f->all_read);
	atomic_set(&f->left, MAKERS * entries_of_a_maker());
	for (i = 0; i < READERS; i++) {
		f->readers[i].f = f;
		init_completion(&f->readers[i].done);
		INIT_WORK(&f->readers[i].work, read_work);
	}
	for (i = 0; i < MAKERS; i++) {
		struct ring_maker *maker = &f->makers[i];

		maker->f = f;
		init_completion(&maker->has_room);
		init_completion(&maker->done);
		INIT_WORK(&maker->work, make_entries);
		INIT_WORK(&maker->room, room_work);
		maker->credit = kfi_cq_reserve(&f->pcq, &f->ep, SLOTS,
					       system_unbound_wq,
					       &maker->room);
		KUNIT_ASSERT_FALSE(test, IS_ERR(maker->credit));
	}
}

static void ring_finish(struct kunit *test, struct ring_fixture *f)
{
	unsigned int i;

	KUNIT_EXPECT_NE(test, 0,
			wait_for_completion_timeout(&f->all_read, PATIENCE));
	for (i = 0; i < MAKERS; i++) {
		wait_for_completion(&f->makers[i].done);
		kfi_cq_release(f->makers[i].credit);
		flush_work(&f->makers[i].room);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&f->left), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->wrong), 0);
	KUNIT_EXPECT_TRUE(test, kfi_obj_close(&f->pcq.cq.fid));
	kfi_prov_cq_destroy(&f->pcq);
	KUNIT_EXPECT_TRUE(test, kfi_obj_close(&f->domain.fid));
}

static void ring_run(struct kunit *test, kfi_comp_handler handler)
{
	struct ring_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	ring_open(test, f, handler);
	for (i = 0; i < MAKERS; i++)
		queue_work(system_unbound_wq, &f->makers[i].work);
	for (i = 0; i < READERS && !handler; i++)
		queue_work(system_unbound_wq, &f->readers[i].work);
	for (i = 0; i < READERS && !handler; i++)
		wait_for_completion(&f->readers[i].done);
	ring_finish(test, f);
}

static void ring_several_readers(struct kunit *test)
{
	ring_run(test, NULL);
}

static void ring_handler(struct kunit *test)
{
	ring_run(test, read_handler);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE_SLOW(ring_several_readers),
	KUNIT_CASE_SLOW(ring_handler),
	{ }
};

static struct kunit_suite ring_suite = {
	.name = "kfi_cq_ring",
	.test_cases = ring_cases,
};

kunit_test_suite(ring_suite);
