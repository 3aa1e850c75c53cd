// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The writer: several records outstanding, each is acknowledged when its commit
 * completes.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/crc32c.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include <kfi_rma.h>

#include "record.h"

/**
 * struct write_slot - a record under way
 * @record: the record
 * @seq: its number
 * @busy: it is under way
 */
struct write_slot {
	struct record	record;
	u64		seq;
	bool		busy;
};

/**
 * struct writer - the writer
 * @conn: the connection
 * @acknowledged: the highest record whose commit is complete, and because
 *	commits complete in order, so are all before it
 * @failed: records that completed in error
 * @err: why it ended early
 * @wait: a slot is free, or @err is set
 * @slots: records under way
 */
struct writer {
	struct record_conn	conn;
	u64			acknowledged;
	u64			failed;
	int			err;
	wait_queue_head_t	wait;
	struct write_slot	slots[];
};

static void write_fill(struct record *record, u64 seq)
{
	struct rnd_state rnd;

	prandom_seed_state(&rnd, record_run ^ seq << 32);
	prandom_bytes_state(&rnd, record->payload, sizeof(record->payload));
	record->run = cpu_to_le64(record_run);
	record->seq = cpu_to_le64(seq);
	record->crc = cpu_to_le32(crc32c(~0, record,
					 offsetof(struct record, crc)));
}

static ssize_t write_post(struct writer *w, struct write_slot *slot)
{
	struct kvec iov = {
		.iov_base = &slot->record, .iov_len = sizeof(slot->record),
	};
	struct kfi_rma_iov range = {
		.addr = w->conn.addr + (slot->seq - 1) * sizeof(struct record),
		.len = sizeof(struct record),
		.key = w->conn.key,
	};
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &range, .rma_iov_count = 1, .context = slot,
	};

	return kfi_writemsg(w->conn.ep, &msg, record_committed(slot->seq) ?
			    KFI_COMMIT : KFI_DELIVERY_COMPLETE);
}

static void write_acknowledge(struct writer *w, struct write_slot *slot)
{
	unsigned int step = max(record_count / 20, 1U);

	/* after a failure nothing more is known to be there without a gap */
	if (record_committed(slot->seq) && !READ_ONCE(w->err)) {
		if (slot->seq <= w->acknowledged)
			WRITE_ONCE(w->err, -EPROTO);
		w->acknowledged = slot->seq;
		if (slot->seq % step == 0)
			pr_info("acknowledged %llu of %u\n", slot->seq,
				record_count);
	}
	/* the slot belongs to the thread again */
	smp_store_release(&slot->busy, false);
}

/* Softirq, one call at a time. */
static void write_complete(struct kfid_cq *cq, void *context)
{
	struct kfi_cq_err_entry failure;
	struct writer *w = context;
	struct kfi_cq_entry comp;
	ssize_t nr;

	while ((nr = kfi_cq_read(cq, &comp, 1)) != -EAGAIN) {
		if (nr == -KFI_EAVAIL) {
			kfi_cq_readerr(cq, &failure, 0);
			w->failed++;
			WRITE_ONCE(w->err, -failure.err);
		} else {
			write_acknowledge(w, comp.op_context);
		}
		wake_up(&w->wait);
	}
}

static bool write_idle(const struct write_slot *slot)
{
	/* pairs with write_acknowledge() */
	return !smp_load_acquire(&slot->busy);
}

/*
 * The provider completes everything in the end, in error after the timeout of
 * commits, so the wait needs none.
 */
static int write_wait(struct writer *w, struct write_slot *slot)
{
	wait_event(w->wait, write_idle(slot) || READ_ONCE(w->err));
	return READ_ONCE(w->err);
}

static int write_records(struct writer *w, u64 *sent)
{
	struct write_slot *slot;
	unsigned int i;
	u64 seq;
	int err;

	for (seq = 1; seq <= record_count; seq++) {
		slot = &w->slots[seq % record_window];
		err = write_wait(w, slot);
		if (err)
			return err;
		slot->seq = seq;
		slot->busy = true;
		write_fill(&slot->record, seq);
		err = write_post(w, slot);
		if (err)
			return err;
		*sent = seq;
	}
	for (i = 0; i < record_window; i++) {
		err = write_wait(w, &w->slots[i]);
		if (err)
			return err;
	}
	return 0;
}

/* Write all records, and say how many were acknowledged. */
int record_write(void)
{
	struct writer *w;
	u64 sent = 0;
	int err;

	w = kzalloc_flex(*w, slots, record_window);
	if (!w)
		return -ENOMEM;
	init_waitqueue_head(&w->wait);
	err = record_connect(&w->conn, write_complete, w);
	if (err)
		goto out;
	if (record_count > w->conn.records)
		err = -ENOSPC;
	else
		err = write_records(w, &sent);
	/* what the end of the connection completes is acknowledged or not */
	record_disconnect(&w->conn);
	pr_info("%llu failed\n", w->failed);
	pr_info("result: sent=%llu acknowledged=%llu\n", sent, w->acknowledged);
out:
	kfree(w);
	return err;
}
