/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The persistent-memory simulator: memory with a copy, the media, that only
 * persist updates. A kfabric extension for developers and tests.
 */

#ifndef KFI_PMEMSIM_H
#define KFI_PMEMSIM_H

#include <linux/types.h>

struct kfi_pmemsim;

/**
 * KFI_PMEMSIM_LINE - the unit of what is made persistent or lost, in bytes
 *
 * A CPU cache line.
 */
#define KFI_PMEMSIM_LINE	64

/**
 * struct kfi_pmemsim_trace - one persisted range
 * @offset: from the start of the simulator's memory, rounded down to a line
 * @len: bytes, whole lines
 */
struct kfi_pmemsim_trace {
	u64	offset;
	u64	len;
};

struct kfi_pmemsim *kfi_pmemsim_create(const char *name, size_t len);
void kfi_pmemsim_destroy(struct kfi_pmemsim *sim);
int kfi_pmemsim_cut(struct kfi_pmemsim *sim);
void kfi_pmemsim_set_delay(struct kfi_pmemsim *sim, unsigned int ms);
void kfi_pmemsim_fail_next(struct kfi_pmemsim *sim, unsigned int count);
unsigned int kfi_pmemsim_trace_read(struct kfi_pmemsim *sim,
				    struct kfi_pmemsim_trace *trace,
				    unsigned int max);
u64 kfi_pmemsim_persists(const struct kfi_pmemsim *sim);
bool kfi_pmemsim_dirty(struct kfi_pmemsim *sim, u64 offset, u64 len);

#endif /* KFI_PMEMSIM_H */
