// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The dirty log: some ranges exactly, the others by the granules that they touch.
 * Adding one neither allocates nor takes longer than it takes to move the ranges.
 */

#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "log.h"

/* An empty log; one that was cleared to zeroes before can be freed in any case. */
int kfb_log_init(struct kfb_log *log)
{
	log->nr = 0;
	log->coarse = false;
	log->granules = bitmap_zalloc(KFB_LOG_GRANULES, GFP_KERNEL);
	return log->granules ? 0 : -ENOMEM;
}

void kfb_log_free(struct kfb_log *log)
{
	bitmap_free(log->granules);
	log->granules = NULL;
}

static unsigned long kfb_log_first(u64 start)
{
	return start >> KFB_LOG_GRANULE_SHIFT;
}

static unsigned long kfb_log_last(u64 end)
{
	return (end - 1) >> KFB_LOG_GRANULE_SHIFT;
}

/* Whether granules have all of a range. */
static bool kfb_log_covers(const struct kfb_log *log, u64 start, u64 end)
{
	unsigned long behind = kfb_log_last(end) + 1;

	return log->coarse &&
	       find_next_zero_bit(log->granules, behind,
				  kfb_log_first(start)) == behind;
}

/* The first range that does not end before @start. */
static unsigned int kfb_log_find(const struct kfb_log *log, u64 start)
{
	unsigned int low = 0, high = log->nr, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (log->ranges[middle].end < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Makes one range of @nr. */
static void kfb_log_unite(struct kfb_log *log, unsigned int at, unsigned int nr,
			  u64 start, u64 end)
{
	struct kfb_range *range = &log->ranges[at];

	range->start = min(range->start, start);
	range->end = max(log->ranges[at + nr - 1].end, end);
	memmove(range + 1, range + nr,
		(log->nr - at - nr) * sizeof(*range));
	log->nr -= nr - 1;
}

static void kfb_log_insert(struct kfb_log *log, unsigned int at, u64 start,
			   u64 end)
{
	struct kfb_range *range = &log->ranges[at];

	memmove(range + 1, range, (log->nr - at) * sizeof(*range));
	*range = (struct kfb_range) { .start = start, .end = end };
	log->nr++;
}

/* Adds bytes, one at least, none of them behind KFB_MAX_SIZE. */
void kfb_log_add(struct kfb_log *log, u64 start, u64 end)
{
	unsigned int at, behind;

	if (kfb_log_covers(log, start, end))
		return;
	at = kfb_log_find(log, start);
	for (behind = at; behind < log->nr; behind++)
		if (log->ranges[behind].start > end)
			break;
	if (behind > at) {
		kfb_log_unite(log, at, behind - at, start, end);
	} else if (log->nr < KFB_LOG_RANGES) {
		kfb_log_insert(log, at, start, end);
	} else {
		bitmap_set(log->granules, kfb_log_first(start),
			   kfb_log_last(end) - kfb_log_first(start) + 1);
		log->coarse = true;
	}
}

/* Adds all that another one has. */
void kfb_log_merge(struct kfb_log *to, const struct kfb_log *from)
{
	unsigned int i;

	if (from->coarse) {
		bitmap_or(to->granules, to->granules, from->granules,
			  KFB_LOG_GRANULES);
		to->coarse = true;
	}
	for (i = 0; i < from->nr; i++)
		kfb_log_add(to, from->ranges[i].start, from->ranges[i].end);
}

void kfb_log_clear(struct kfb_log *log)
{
	if (log->coarse)
		bitmap_zero(log->granules, KFB_LOG_GRANULES);
	log->coarse = false;
	log->nr = 0;
}

/* Ranges first, and then granules: one range for those side by side. */
static bool kfb_log_advance(const struct kfb_log *log,
			    struct kfb_log_cursor *cursor)
{
	unsigned long first, behind;

	if (cursor->index < log->nr) {
		cursor->rest = log->ranges[cursor->index++];
		return true;
	}
	if (!log->coarse)
		return false;
	first = find_next_bit(log->granules, KFB_LOG_GRANULES, cursor->granule);
	if (first >= KFB_LOG_GRANULES)
		return false;
	behind = find_next_zero_bit(log->granules, KFB_LOG_GRANULES, first);
	cursor->granule = behind;
	cursor->rest = (struct kfb_range) {
		.start = (u64)first << KFB_LOG_GRANULE_SHIFT,
		.end = (u64)behind << KFB_LOG_GRANULE_SHIFT,
	};
	return true;
}

/*
 * The next piece of a log that does not change meanwhile: of at most @piece bytes, a
 * power of two, across no multiple of which it reaches, and nothing of it behind
 * @size. False when there is no more.
 */
bool kfb_log_next(const struct kfb_log *log, struct kfb_log_cursor *cursor,
		  u64 piece, u64 size, struct kfb_range *range)
{
	struct kfb_range *rest = &cursor->rest;

	rest->end = min(rest->end, size);
	while (rest->start >= rest->end) {
		if (!kfb_log_advance(log, cursor))
			return false;
		rest->end = min(rest->end, size);
	}
	range->start = rest->start;
	range->end = min(rest->end, (rest->start | (piece - 1)) + 1);
	rest->start = range->end;
	return true;
}
