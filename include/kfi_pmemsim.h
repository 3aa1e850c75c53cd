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
 * KFI_PMEMSIM_LINE - the unit of what is made persistent, in bytes
 *
 * A CPU cache line.
 */
#define KFI_PMEMSIM_LINE	64

/**
 * KFI_PMEMSIM_WORD - the unit of what a random cut spares, in bytes
 *
 * What a CPU stores at once, so that it is there or not, but never half of it.
 */
#define KFI_PMEMSIM_WORD	8

/**
 * enum kfi_pmemsim_domain - what a simulator's power cut leaves
 * @KFI_PMEMSIM_ADR: what was made persistent, and no more for certain. It says
 *	so: KFI_PMEM_DOMAIN_MEMORY
 * @KFI_PMEMSIM_EADR: all that is in the memory. It says so:
 *	KFI_PMEM_DOMAIN_CPU_CACHE. Requests to persist are only counted and traced
 * @KFI_PMEMSIM_LIE: as KFI_PMEMSIM_ADR, but it says KFI_PMEM_DOMAIN_CPU_CACHE: for
 *	tests that have to find out
 */
enum kfi_pmemsim_domain {
	KFI_PMEMSIM_ADR,
	KFI_PMEMSIM_EADR,
	KFI_PMEMSIM_LIE,
};

/**
 * struct kfi_pmemsim_attr - what to make
 * @len: bytes, a multiple of PAGE_SIZE; it takes twice as much memory, but for
 *	KFI_PMEMSIM_EADR. Not used if @attach is set
 * @domain: what a power cut leaves
 * @async: it says that persisting is a request to someone else, as
 *	kfi_pmem_sync() tells
 * @disk: there is a block device over the same memory, /dev/pmemsimNAME, whose
 *	volatile write cache the memory is: FLUSH and FUA persist. A power cut
 *	takes it away from whoever has it open, and another one appears
 * @attach: path of a memory device, such as /dev/pmem0, whose memory is the
 *	simulator's, or NULL. What any part of the kernel writes back from the
 *	caches to it is persistent, as the CPU's instruction makes it on real
 *	memory, and nothing else is. A cut writes to the device
 */
struct kfi_pmemsim_attr {
	size_t			len;
	enum kfi_pmemsim_domain	domain;
	bool			async;
	bool			disk;
	const char		*attach;
};

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
struct kfi_pmemsim *kfi_pmemsim_create_attr(const char *name,
					    const struct kfi_pmemsim_attr *attr);
void kfi_pmemsim_destroy(struct kfi_pmemsim *sim);

int kfi_pmemsim_cut(struct kfi_pmemsim *sim);
int kfi_pmemsim_cut_random(struct kfi_pmemsim *sim, u64 seed);
u64 kfi_pmemsim_seed(const struct kfi_pmemsim *sim);

void kfi_pmemsim_set_delay(struct kfi_pmemsim *sim, unsigned int ms);
void kfi_pmemsim_hold(struct kfi_pmemsim *sim, bool hold);
unsigned int kfi_pmemsim_held(const struct kfi_pmemsim *sim);
void kfi_pmemsim_fail(struct kfi_pmemsim *sim, unsigned int skip,
		      unsigned int count, int err);
void kfi_pmemsim_fail_next(struct kfi_pmemsim *sim, unsigned int count);

u64 kfi_pmemsim_persists(const struct kfi_pmemsim *sim);
u64 kfi_pmemsim_failures(const struct kfi_pmemsim *sim);
bool kfi_pmemsim_dirty(struct kfi_pmemsim *sim, u64 offset, u64 len);
bool kfi_pmemsim_survives(const struct kfi_pmemsim *sim, u64 offset,
			  const void *data, u64 len);
unsigned int kfi_pmemsim_trace_read(struct kfi_pmemsim *sim,
				    struct kfi_pmemsim_trace *trace,
				    unsigned int max);

#endif /* KFI_PMEMSIM_H */
