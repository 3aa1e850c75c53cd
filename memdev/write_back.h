/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Writing back the CPU's caches, for drivers of memory devices.
 */

#ifndef MEMDEV_WRITE_BACK_H
#define MEMDEV_WRITE_BACK_H

#include <linux/libnvdimm.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/types.h>

/*
 * May sleep: a gigabyte takes long enough for others to want to run in between. What
 * was written back is persistent when a pmem_wmb() has followed.
 */
static inline void memdev_write_back(void *addr, u64 len)
{
	size_t n;

	for (; len; addr += n, len -= n) {
		n = min_t(u64, len, SZ_1M);
		arch_wb_cache_pmem(addr, n);
		cond_resched();
	}
}

#endif /* MEMDEV_WRITE_BACK_H */
