// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The verifier: reads all records back and compares with what was acknowledged.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/crc32c.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include <kfi_rma.h>

#include "record.h"

#define VERIFY_BATCH	64

/**
 * struct verifier - the verifier
 * @conn: the connection
 * @done: a read is complete
 * @err: it failed
 * @found: records that are there, of those that were to be committed
 * @lost: acknowledged records that are not
 * @torn: records that are there in part, acknowledged or not
 * @plain: records that were to be written only
 * @plain_found: those of them that are there
 * @batch: records read
 */
struct verifier {
	struct record_conn	conn;
	struct completion	done;
	int			err;
	u64			found;
	u64			lost;
	u64			torn;
	u64			plain;
	u64			plain_found;
	struct record		batch[VERIFY_BATCH];
};

static void verify_complete(struct kfid_cq *cq, void *context)
{
	struct kfi_cq_err_entry failure;
	struct verifier *v = context;
	struct kfi_cq_entry comp;
	ssize_t nr;

	while ((nr = kfi_cq_read(cq, &comp, 1)) != -EAGAIN) {
		if (nr == -KFI_EAVAIL) {
			kfi_cq_readerr(cq, &failure, 0);
			v->err = -failure.err;
		}
		complete(&v->done);
	}
}

static int verify_read(struct verifier *v, u64 seq, u64 nr)
{
	int err;

	err = kfi_read(v->conn.ep, v->batch, nr * sizeof(struct record), NULL,
		       KFI_ADDR_UNSPEC,
		       v->conn.addr + (seq - 1) * sizeof(struct record),
		       v->conn.key, v);
	if (err)
		return err;
	wait_for_completion(&v->done);
	return v->err;
}

static void verify_record(struct verifier *v, const struct record *record,
			  u64 seq)
{
	bool there = record->run == cpu_to_le64(record_run) &&
		     record->seq == cpu_to_le64(seq);
	bool whole = there && le32_to_cpu(record->crc) ==
			      crc32c(~0, record, offsetof(struct record, crc));

	v->torn += there && !whole;
	if (record_committed(seq)) {
		v->found += whole;
		v->lost += !whole && seq <= record_acknowledged;
	} else {
		v->plain++;
		v->plain_found += whole;
	}
}

static int verify_records(struct verifier *v)
{
	u64 seq, nr, i;
	int err;

	for (seq = 1; seq <= record_sent; seq += nr) {
		nr = min_t(u64, VERIFY_BATCH, record_sent - seq + 1);
		err = verify_read(v, seq, nr);
		if (err)
			return err;
		for (i = 0; i < nr; i++)
			verify_record(v, &v->batch[i], seq + i);
	}
	pr_info("result: sent=%u acknowledged=%u found=%llu lost=%llu torn=%llu plain=%llu plain_found=%llu\n",
		record_sent, record_acknowledged, v->found, v->lost, v->torn,
		v->plain, v->plain_found);
	return v->lost ? -ENODATA : 0;
}

/* Read everything back; an acknowledged record that is not there is an error. */
int record_verify(void)
{
	struct verifier *v;
	int err;

	v = kzalloc_obj(*v);
	if (!v)
		return -ENOMEM;
	init_completion(&v->done);
	err = record_connect(&v->conn, verify_complete, v);
	if (err)
		goto out;
	err = record_sent > v->conn.records ? -ENOSPC : verify_records(v);
	record_disconnect(&v->conn);
out:
	kfree(v);
	return err;
}
