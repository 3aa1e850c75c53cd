/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * For tests of endpoints with messages and commits.
 */

#ifndef KFI_SUITE_BOTH_H
#define KFI_SUITE_BOTH_H

#include <linux/sizes.h>

#include "store.h"

/* Bytes of a message at most: more than a request of the commit protocol */
#define BOTH_MSG	SZ_4K

bool both_open(struct suite *t, struct store *store,
	       const struct suite_opts *opts);
ssize_t both_send(struct store *store, size_t offset, size_t len, uintptr_t op,
		  u64 flags);
ssize_t both_recv(struct store *store, u8 *buf, size_t len, uintptr_t op);
bool both_comp(struct store *store, uintptr_t op);
bool both_received(struct store *store, uintptr_t op, size_t len);
bool both_data(struct store *store, u32 data);

#endif /* KFI_SUITE_BOTH_H */
