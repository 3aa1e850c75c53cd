/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A witness for tests on real persistent memory: what the CPU has written back.
 */

#ifndef KFI_SUITE_WRITEBACK_H
#define KFI_SUITE_WRITEBACK_H

#include <linux/types.h>

struct suite;

/**
 * struct writeback - bytes that were written back
 * @offset: from the start of the memory that is watched
 * @len: bytes
 */
struct writeback {
	u64	offset;
	u64	len;
};

bool writeback_watch(struct suite *t, const void *mem, size_t len);
void writeback_unwatch(struct suite *t);
void writeback_hold(unsigned int ms);
void writeback_forget(void);
unsigned int writeback_count(void);
bool writeback_is(const struct writeback *expected, unsigned int nr);
bool writeback_by(const char *module);
void writeback_tell(struct suite *t);

#endif /* KFI_SUITE_WRITEBACK_H */
