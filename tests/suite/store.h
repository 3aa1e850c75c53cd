/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * For tests of persistence: a pair of commit endpoints and persistent memory at
 * the target.
 */

#ifndef KFI_SUITE_STORE_H
#define KFI_SUITE_STORE_H

#include <linux/sizes.h>

#include <kfi_pmem.h>
#include <kfi_pmemsim.h>

#include "suite.h"

#define STORE_LEN	SZ_1M
#define STORE_LINES	(STORE_LEN / KFI_PMEMSIM_LINE)

/**
 * struct store - persistent memory and who writes to it
 * @t: the test
 * @net: the net
 * @pair: the pair
 * @sim: the simulator behind the memory, or NULL
 * @pmem: its memory device
 * @mem: the memory
 * @len: its bytes
 * @mr: its region
 * @buf: the initiator's memory, as much, with random contents
 * @addr: address of the region that is written to
 * @key: its key
 * @data: for KFI_REMOTE_CQ_DATA
 */
struct store {
	struct suite		*t;
	struct suite_net	net;
	struct suite_pair	pair;
	struct kfi_pmemsim	*sim;
	struct kfi_pmem		*pmem;
	u8			*mem;
	size_t			len;
	struct kfid_mr		*mr;
	u8			*buf;
	u64			addr;
	u64			key;
	u64			data;
};

bool store_open(struct suite *t, struct store *store,
		const struct suite_opts *opts);
bool store_open_attr(struct suite *t, struct store *store,
		     const struct kfi_pmemsim_attr *attr,
		     const struct suite_opts *opts);
bool store_open_at(struct suite *t, struct store *store, const char *path,
		   size_t len, const struct suite_opts *opts);
bool store_connect(struct store *store, const struct suite_opts *opts);
void store_disconnect(struct store *store);
void store_close(struct store *store);
void store_memory(const struct suite *t, struct kfi_pmemsim_attr *attr);
void store_expect_lines(unsigned long *lines, size_t offset, size_t len);
void store_take_lines(struct store *store, unsigned long *lines);
void store_expect_dirty(struct store *store, size_t offset, size_t len,
			bool dirty);
void store_get_info(struct suite *t, struct kfid_ep *ep,
		    struct kfi_commit_info *info);
void store_wait_broken(struct store *store);
ssize_t store_write(struct store *store, size_t offset, size_t len,
		    void *context, u64 flags);

/* Whether the target's memory needs no persisting. */
static inline bool store_reads(const struct store *store)
{
	return store->t->method == KFI_COMMIT_READ;
}

/* Whether the target's provider does it, by asking the memory device. */
static inline bool store_asks(const struct store *store)
{
	return store->t->method != KFI_COMMIT_READ &&
	       store->t->method != KFI_COMMIT_FLUSH;
}

#endif /* KFI_SUITE_STORE_H */
