/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The oracle: commits of all forms by several endpoints, of which each is looked up
 * on the media when it completes.
 */

#ifndef KFI_SUITE_ORACLE_H
#define KFI_SUITE_ORACLE_H

#include <linux/bvec.h>
#include <linux/scatterlist.h>
#include <linux/uio.h>

#include "proof.h"

/* Endpoints at once, each with its own part of the target's memory */
#define ORACLE_ENDS	4
#define ORACLE_AREA	SZ_2M
/* Commits of one endpoint that can be outstanding; more than it has slots */
#define ORACLE_OPS	96
/* Bytes and ranges of one commit, and pieces that its bytes come from */
#define ORACLE_MAX	SZ_1M
#define ORACLE_LARGE	SZ_64K
#define ORACLE_RANGES	16
#define ORACLE_SEGS	320

/**
 * struct oracle_op - a commit that was posted, and what it is about
 * @rma: its ranges
 * @nr_rma: how many
 * @from: its bytes, which never change, in the buffer of the store
 * @len: of all ranges
 * @start: where in the endpoint's area it begins, see &struct oracle_end.pos
 * @nr: number of the commit, and its data for the target
 * @data: the target is told
 * @waits: completions that are still to come, at either end
 */
struct oracle_op {
	struct kfi_rma_iov	rma[ORACLE_RANGES];
	unsigned int		nr_rma;
	size_t			from;
	size_t			len;
	u64			start;
	u32			nr;
	bool			data;
	atomic_t		waits;
};

struct oracle;

/**
 * struct oracle_end - an endpoint, and a thread that posts to it
 * @o: the oracle
 * @pair: the endpoint and its peer
 * @work: the thread
 * @rnd: its random numbers
 * @rest: commits that are to be posted yet
 * @polled: completions are read by the thread, and not in a handler
 * @moody: its thread makes persisting slow at times, for all
 * @progress: there were completions
 * @area: where its area starts in the store
 * @pos: where in the area the next commit goes: the area is a ring, and this one
 *	counts all bytes that it ever went over
 * @head: commits that were posted
 * @tail: those of them whose bytes may be written over
 * @done: those that completed at the initiator
 * @told: commits of which the target was told
 * @chained: a chain was begun and not ended
 * @bytes: bytes that were committed
 * @seg: pieces of a commit that is being posted
 * @bv: the same as pages
 * @nr_seg: how many
 * @ops: ring of commits
 */
struct oracle_end {
	struct oracle		*o;
	struct suite_pair	*pair;
	struct work_struct	work;
	struct rnd_state	rnd;
	unsigned int		rest;
	bool			polled;
	bool			moody;
	struct completion	progress;
	u64			area;
	u64			pos;
	u32			head;
	u32			tail;
	u32			done;
	u32			told;
	bool			chained;
	u64			bytes;
	struct kvec		seg[ORACLE_SEGS];
	struct bio_vec		bv[ORACLE_SEGS];
	unsigned int		nr_seg;
	struct oracle_op	ops[ORACLE_OPS];
};

/**
 * struct oracle - all of it
 * @t: the test
 * @proof: what is put to the test
 * @full: the full number of rounds is wanted
 * @verdict: what was found
 * @store: the memory, and the first pair
 * @pairs: the other pairs
 * @ends: the endpoints
 */
struct oracle {
	struct suite		*t;
	const struct proof	*proof;
	bool			full;
	struct verdict		verdict;
	struct store		store;
	struct suite_pair	pairs[ORACLE_ENDS - 1];
	struct oracle_end	ends[ORACLE_ENDS];
};

/* oracle.c */
bool oracle_wait(struct oracle_end *end);

/* oracle_op.c */
u32 oracle_pick(struct oracle_end *end, u32 from, u32 to);
bool oracle_ring(struct oracle_end *end);
bool oracle_idle(struct oracle_end *end);
bool oracle_commit(struct oracle_end *end);

#endif /* KFI_SUITE_ORACLE_H */
