/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How what a device writes gets into memory, and what that says about persistence.
 */

#ifndef KFV_PATH_H
#define KFV_PATH_H

#include <linux/types.h>

#include <kfi_rma.h>

struct ib_device;

/**
 * struct kfv_path - how a device writes
 * @soft: there is no hardware: the CPU stores
 * @strict: what it writes becomes visible in the order in which it came
 * @ddio_off: not into a CPU's cache, so the administrator says
 */
struct kfv_path {
	bool	soft;
	bool	strict;
	bool	ddio_off;
};

/*
 * Whether a write to memory with this domain is persistent when a read behind it, of
 * the same queue pair, has come back. The read pushes the write out of the device and
 * over the bus, if that keeps their order, to where everybody sees it: that has to be a
 * place that survives.
 */
static inline bool kfv_read_proves(const struct kfv_path *path,
				   enum kfi_pmem_domain domain, bool sync)
{
	if (!sync)
		return false;
	switch (domain) {
	case KFI_PMEM_DOMAIN_CPU_CACHE:
		return path->soft || path->strict;
	case KFI_PMEM_DOMAIN_MEMORY:
		return !path->soft && path->strict && path->ddio_off;
	default:
		return false;
	}
}

void kfv_path_init(struct kfv_path *path, struct ib_device *ib);

#endif /* KFV_PATH_H */
