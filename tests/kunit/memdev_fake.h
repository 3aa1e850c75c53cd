/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Memory devices that only take notes, and regions in them.
 */

#ifndef KFI_MEMDEV_FAKE_H
#define KFI_MEMDEV_FAKE_H

#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/types.h>

#include <kfi_memdev.h>

struct kunit;
struct kunit_suite;

#define NR_FAKES	2
#define FAKE_PAGES	8
#define FAKE_LEN	(FAKE_PAGES * PAGE_SIZE)
#define MAX_SEEN	64

/* A memory device. Its pages are given to the core in no particular order. */
struct fake {
	struct kfi_memdev	mdev;
	struct kfi_mem_extent	extents[FAKE_PAGES];
	struct kfi_mem_range	seen[MAX_SEEN];
	unsigned int		nr_seen;
	unsigned int		calls;
	int			err;
	unsigned int		delay_us;	/* that persist takes at least */
	bool			block;
	bool			hasty;	/* revoked before it is open */
	struct completion	entered;
	struct completion	leave;
	bool			closed;
	bool			released;
};

struct region {
	struct kfi_pmem_region	pmem;
	unsigned int		revoked;
};

struct ctx {
	struct fake		fake[NR_FAKES];
	struct kfi_pmem		*pmem[NR_FAKES];
	void			*plain;
};

void region_revoke(struct kfi_pmem_region *pmem);
int region_init(struct region *region, void *addr, size_t len);
int region_persist(struct region *region, u64 offset, u64 len);
void expect_seen(struct kunit *test, const struct fake *fake,
		 unsigned int i, u64 offset, u64 len);

int memdev_suite_init(struct kunit_suite *suite);
void memdev_suite_exit(struct kunit_suite *suite);
int memdev_test_init(struct kunit *test);
void memdev_test_exit(struct kunit *test);
void memdev_close(struct ctx *ctx, unsigned int i);

#endif /* KFI_MEMDEV_FAKE_H */
