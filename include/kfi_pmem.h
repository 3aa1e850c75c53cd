/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Persistent memory of this host. A kfabric extension.
 */

#ifndef KFI_PMEM_H
#define KFI_PMEM_H

#include <linux/types.h>

#include <kfi_rma.h>

struct kfi_pmem;

/**
 * DOC: memory devices
 *
 * Whoever wants to offer persistent memory to peers opens it with
 * kfi_pmem_open() and registers parts of what it gets with kfi_mr_reg() and
 * KFI_PMEM. How the memory is made persistent is the business of the memory
 * device behind it, which the consumer does not see:
 *
 * ==================  ========================================================
 * /dev/pmem0          a block device with DAX: NVDIMM, CXL memory, virtio-pmem.
 *                     Opened exclusively
 * pmemsim:NAME        a simulated one, which loses on a power cut what was not
 *                     made persistent; see kfi_pmemsim.h
 * ==================  ========================================================
 *
 * When the device goes away, or reports a memory failure, or its power is cut,
 * every region in it is revoked: remote access fails, and so do connections that
 * could commit to it. Whoever has it open is told by kfi_pmem_set_handler(). The
 * removal of a device waits for that handler, and for nobody else who uses the
 * memory by kfi_pmem_addr(): afterwards it is not mapped, and they fault. A device
 * that is back has to be opened anew, which does not have to wait until the old
 * one was closed.
 */

/**
 * typedef kfi_pmem_handler - a memory device is revoked
 * @pmem: the device
 * @context: of kfi_pmem_set_handler()
 *
 * Called once for each time that the device goes away, reports a memory failure or
 * loses its power, after its regions are revoked. A device that is removed is still
 * mapped, and is not unmapped before this returns: it is the place to wait for CPUs
 * that use the memory.
 *
 * May close regions and endpoints. Must not open or close memory devices, nor call
 * kfi_pmem_set_handler(): the device's driver is waiting.
 *
 * Context: Process context, may sleep.
 */
typedef void (*kfi_pmem_handler)(struct kfi_pmem *pmem, void *context);

struct kfi_pmem *kfi_pmem_open(const char *path, void *holder);
void kfi_pmem_close(struct kfi_pmem *pmem);
int kfi_pmem_set_handler(struct kfi_pmem *pmem, kfi_pmem_handler handler,
			 void *context);
void *kfi_pmem_addr(const struct kfi_pmem *pmem);
size_t kfi_pmem_len(const struct kfi_pmem *pmem);
enum kfi_pmem_domain kfi_pmem_domain(const struct kfi_pmem *pmem);
bool kfi_pmem_sync(const struct kfi_pmem *pmem);
u64 kfi_pmem_incarnation(const struct kfi_pmem *pmem);

#endif /* KFI_PMEM_H */
