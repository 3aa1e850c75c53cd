// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A stranger who is asked to commit and answers in any way and any order. A right
 * answer to a commit that waits for one is taken, everything else ends the
 * connection; each commit completes once, and in its order.
 */

#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "wire.h"
#include "wire_mutate.h"

#define FUZZ_SLOTS	16
#define FUZZ_NONE	-1

/**
 * struct fuzz_commit - a commit that is not complete
 * @slot: what its request said
 * @generation: what its request said
 * @status: the answer, or FUZZ_NONE
 */
struct fuzz_commit {
	u16	slot;
	u32	generation;
	int	status;
};

/**
 * struct fuzz - a stranger and those who asked it
 * @w: the connection; the stranger is @b
 * @commits: a ring, by numbers
 * @head: the next number, also the context of that commit
 * @tail: the oldest that is not complete
 * @out: the answer in the making
 * @len: its bytes
 * @taken: answers that were taken
 */
struct fuzz {
	struct wire		w;
	struct fuzz_commit	commits[FUZZ_SLOTS];
	uintptr_t		head;
	uintptr_t		tail;
	u8			*out;
	size_t			len;
	unsigned int		taken;
};

static const int fuzz_errors[] = {
	[WIRE_OK] = 0, [WIRE_ACCESS] = EACCES, [WIRE_IO] = EIO,
	[WIRE_BROKEN] = ECANCELED,
};

static struct fuzz_commit *commit_at(struct fuzz *f, uintptr_t nr)
{
	return &f->commits[nr % FUZZ_SLOTS];
}

static bool post_receive(struct fuzz *f)
{
	return EXPECT_OK(f->w.t, kfi_recv(f->w.b.ep, f->w.in, WIRE_MAX, NULL, 0,
					  f->w.in));
}

static bool fuzz_connect(struct fuzz *f)
{
	struct wire_record rec;

	f->tail = f->head;
	wire_good_record(&rec);
	rec.slots = cpu_to_be16(FUZZ_SLOTS);
	return wire_connect(&f->w, NULL, 0, &rec, sizeof(rec)) &&
	       post_receive(f);
}

/* A commit; its request is all that the stranger learns of it. */
static bool post_commit(struct fuzz *f)
{
	struct kvec iov = { .iov_base = f->w.out, .iov_len = 8 };
	struct kfi_rma_iov rma = {
		.addr = f->w.mr->iova, .len = 8, .key = f->w.mr->key,
	};
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &rma, .rma_iov_count = 1,
		.context = (void *)f->head,
	};
	const struct wire_request *req = (void *)f->w.in;
	struct fuzz_commit *commit = commit_at(f, f->head);
	struct suite *t = f->w.t;

	if (!EXPECT_OK(t, kfi_writemsg(f->w.a.ep, &msg, KFI_COMMIT)) ||
	    !EXPECT_COMP(t, &f->w.b.rx, f->w.in, NULL) ||
	    !EXPECT(t, wire_judge_request(f->w.in, 48)))
		return false;
	commit->slot = be16_to_cpu(req->slot);
	commit->generation = be32_to_cpu(req->generation);
	commit->status = FUZZ_NONE;
	f->head++;
	return post_receive(f);
}

/* An answer to any of the last commits, complete ones among them */
static void put_reply(struct fuzz *f)
{
	struct wire_reply *reply = (void *)f->out;
	const struct fuzz_commit *commit;
	struct suite *t = f->w.t;
	uintptr_t nr;

	if (!f->tail || suite_random(t, 0, 15))
		nr = suite_random(t, f->tail, f->head - 1);
	else
		nr = suite_random(t, f->head - min_t(u32, f->head, FUZZ_SLOTS),
				  f->head - 1);
	commit = commit_at(f, nr);
	memset(f->out, 0, WIRE_MAX);
	reply->op = WIRE_REPLY;
	reply->status = suite_random(t, WIRE_OK, WIRE_BROKEN);
	reply->slot = cpu_to_be16(commit->slot);
	reply->generation = cpu_to_be32(commit->generation);
	reply->detail = cpu_to_be32(suite_random(t, 0, U32_MAX - 1));
	f->len = sizeof(*reply);
	/* most of what is not taken costs a connection */
	if (!suite_random(t, 0, 4))
		f->len = wire_mutate(&t->rnd, f->out, f->len, WIRE_MAX);
}

/* The commit that the answer is for, or NULL when nobody waits for it */
static struct fuzz_commit *asked(struct fuzz *f)
{
	const struct wire_reply *reply = (void *)f->out;
	struct fuzz_commit *commit;
	uintptr_t nr;

	if (!wire_judge_reply(f->out, f->len))
		return NULL;
	for (nr = f->tail; nr != f->head; nr++) {
		commit = commit_at(f, nr);
		if (commit->status == FUZZ_NONE &&
		    commit->slot == be16_to_cpu(reply->slot) &&
		    commit->generation == be32_to_cpu(reply->generation))
			return commit;
	}
	return NULL;
}

/* The oldest commit is complete, in the way that its answer said. */
static bool complete_one(struct fuzz *f)
{
	int status = commit_at(f, f->tail)->status;
	struct suite *t = f->w.t;
	void *context = (void *)f->tail++;

	if (!fuzz_errors[status])
		return EXPECT_COMP(t, &f->w.a.tx, context, NULL);
	return EXPECT_COMP_ERR(t, &f->w.a.tx, context, fuzz_errors[status],
			       KFI_RMA | KFI_WRITE | KFI_COMMIT);
}

static bool taken(struct fuzz *f, struct fuzz_commit *commit)
{
	const struct wire_reply *reply = (void *)f->out;
	struct suite *t = f->w.t;
	struct suite_comp comp;

	f->taken++;
	if (!EXPECT_COMP(t, &f->w.b.tx, f->out, NULL))
		return false;
	commit->status = reply->status;
	while (f->tail != f->head &&
	       commit_at(f, f->tail)->status != FUZZ_NONE)
		if (!complete_one(f))
			return false;
	return EXPECT(t, !suite_read_comp(t, &f->w.a.tx, &comp, 0));
}

/* What is left is cancelled; one that was answered may say that instead. */
static bool closed(struct fuzz *f)
{
	struct suite *t = f->w.t;
	struct suite_comp comp;
	int status;

	for (; f->tail != f->head; f->tail++) {
		status = commit_at(f, f->tail)->status;
		if (!EXPECT(t, suite_read_comp(t, &f->w.a.tx, &comp,
					       SUITE_TIMEOUT_MS)) ||
		    !EXPECT_EQ(t, (uintptr_t)comp.entry.op_context, f->tail))
			return false;
		if (comp.err != ECANCELED &&
		    (!EXPECT(t, status != FUZZ_NONE) ||
		     !EXPECT_EQ(t, comp.err, fuzz_errors[status])))
			return false;
	}
	wire_expect_closed(&f->w);
	EXPECT(t, !suite_read_comp(t, &f->w.a.tx, &comp, 0));
	return !suite_failed(t) && wire_reopen(&f->w) && fuzz_connect(f);
}

static bool fuzz_one(struct fuzz *f)
{
	struct fuzz_commit *commit;
	unsigned int more;

	more = suite_random(f->w.t, f->head == f->tail, 3);
	while (more-- && f->head - f->tail < FUZZ_SLOTS)
		if (!post_commit(f))
			return false;
	do {
		put_reply(f);
	} while (wire_judge_request(f->out, f->len));
	commit = asked(f);
	if (!EXPECT_OK(f->w.t, kfi_send(f->w.b.ep, f->out, f->len, NULL, 0,
					f->out)))
		return false;
	return commit ? taken(f, commit) : closed(f);
}

static void fuzz_all(struct fuzz *f)
{
	unsigned int i, rounds = suite_mutations(30000, 300);
	struct suite *t = f->w.t;

	for (i = 0; i < rounds; i++) {
		if (fuzz_one(f))
			continue;
		COMPLAIN(t, "round %u: %*ph", i, (int)min(f->len, 64UL),
			 f->out);
		return;
	}
	EXPECT(t, f->taken > rounds / 4);
	EXPECT(t, f->taken < rounds - rounds / 20);
}

static void test_replies(struct suite *t)
{
	struct fuzz *f = kvzalloc(sizeof(*f), GFP_KERNEL);

	if (!EXPECT(t, f))
		return;
	if (wire_open(t, &f->w, SUITE_RAW, SUITE_COMMIT)) {
		f->out = f->w.out + WIRE_MAX;
		if (fuzz_connect(f))
			fuzz_all(f);
		wire_close(&f->w);
		wire_works(t);
	}
	kvfree(f);
}

const struct suite_test suite_wire_fuzz_reply_tests[] = {
	{ "wire.fuzz_replies", test_replies },
	{ }
};
