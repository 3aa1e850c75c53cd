/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Allocations that fail. In kernels with CONFIG_FAILSLAB, which has to be set up
 * for it: tests/vm/suite sees to that. In others nobody knows of any.
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

#ifdef CONFIG_FAILSLAB
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
#else
static inline void fault_arm(unsigned int nth)
{
}

static inline bool fault_disarm(void)
{
	return false;
}
#endif

#endif /* KFI_SUITE_FAULT_H */
