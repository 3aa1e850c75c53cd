/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who uses the module that a suite is part of. In a kernel that has it built in nobody
 * counts.
 */

#ifndef KFI_KUNIT_USERS_H
#define KFI_KUNIT_USERS_H

#include <linux/module.h>

#ifdef MODULE
static inline int module_users(void)
{
	return module_refcount(THIS_MODULE);
}

static inline int counted(int users)
{
	return users;
}
#else
static inline int module_users(void)
{
	return 0;
}

static inline int counted(int users)
{
	return 0;
}
#endif

#endif /* KFI_KUNIT_USERS_H */
