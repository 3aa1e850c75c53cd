/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What persistent regions ask of the list of open memory devices.
 */

#ifndef KFI_MEMDEV_CORE_H
#define KFI_MEMDEV_CORE_H

#include <kfi_memdev.h>

struct kfi_memdev *kfi_memdev_get(unsigned long pfn);
struct kfi_memdev *kfi_memdev_next(u64 id);
void kfi_memdev_put(struct kfi_memdev *dev);
unsigned int kfi_memdev_count(struct kfi_memdev *dev, bool *dead);
const struct kfi_mem_extent *kfi_memdev_extent(const struct kfi_memdev *dev,
					       unsigned long pfn);

/* memdev_stats.c */
struct kfi_memdev_counts __percpu *kfi_memdev_counts_alloc(void);
void kfi_memdev_count_persist(struct kfi_memdev *dev, u64 ns, int ret);

#endif /* KFI_MEMDEV_CORE_H */
