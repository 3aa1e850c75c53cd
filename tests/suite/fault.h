/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Allocations that fail. For kernels with CONFIG_FAILSLAB, which has to be set up
 * for it: tests/vm/suite sees to that.
 */

#ifndef KFI_SUITE_FAULT_H
#define KFI_SUITE_FAULT_H

#include <linux/sched.h>

#include "suite.h"

/* No call under test allocates as often as this. */
#define FAULT_LIMIT	1000

bool fault_begin(struct suite *t);
void fault_end(void);
void fault_check(struct suite *t, int ret);
void fault_workers(bool fail);

/* Lets the @nth allocation of this task from now on fail. */
static inline void fault_arm(unsigned int nth)
{
	WRITE_ONCE(current->fail_nth, nth);
}

/* Returns whether it was made, and so has failed. */
static inline bool fault_disarm(void)
{
	bool failed = !READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return failed;
}

/* Lets allocations of this task fail as often as the script has said. */
static inline void fault_some(bool fail)
{
	WRITE_ONCE(current->make_it_fail, fail);
}

#endif /* KFI_SUITE_FAULT_H */
