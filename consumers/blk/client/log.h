/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What was written and may not be persistent yet.
 */

#ifndef KFB_LOG_H
#define KFB_LOG_H

#include <linux/types.h>

#include "../wire.h"

/* Ranges that are kept exactly */
#define KFB_LOG_RANGES		64
/* What does not fit is kept in units of 1 MiB. */
#define KFB_LOG_GRANULE_SHIFT	20
#define KFB_LOG_GRANULES	(KFB_MAX_SIZE >> KFB_LOG_GRANULE_SHIFT)

/**
 * struct kfb_range - bytes of the device
 * @start: the first
 * @end: the first that is not one of them
 */
struct kfb_range {
	u64	start;
	u64	end;
};

/**
 * struct kfb_log - a set of bytes of the device
 * @nr: how many @ranges
 * @coarse: there are @granules
 * @ranges: in ascending order; they neither touch nor overlap each other
 * @granules: one bit for each
 *
 * It has all bytes that were added, and may have others. It has no lock.
 */
struct kfb_log {
	unsigned int		nr;
	bool			coarse;
	struct kfb_range	ranges[KFB_LOG_RANGES];
	unsigned long		*granules;
};

/**
 * struct kfb_log_cursor - how far a log was walked; begins cleared
 * @index: of the next range
 * @granule: the next that was not looked at
 * @rest: what is left of the present range
 */
struct kfb_log_cursor {
	unsigned int		index;
	unsigned long		granule;
	struct kfb_range	rest;
};

int kfb_log_init(struct kfb_log *log);
void kfb_log_free(struct kfb_log *log);
void kfb_log_add(struct kfb_log *log, u64 start, u64 end);
void kfb_log_merge(struct kfb_log *to, const struct kfb_log *from);
void kfb_log_clear(struct kfb_log *log);
bool kfb_log_next(const struct kfb_log *log, struct kfb_log_cursor *cursor,
		  u64 piece, u64 size, struct kfb_range *range);

static inline bool kfb_log_empty(const struct kfb_log *log)
{
	return !log->nr && !log->coarse;
}

#endif /* KFB_LOG_H */
