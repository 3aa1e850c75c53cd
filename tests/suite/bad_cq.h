/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Completion queues of a device that fail when a test wants it: the module
 * kfi_bad_cq, which has to be loaded before they are made.
 */

#ifndef KFI_BAD_CQ_H
#define KFI_BAD_CQ_H

void kfi_bad_cq_mute(void);
void kfi_bad_cq_fail(void);
void kfi_bad_cq_heal(void);

#endif /* KFI_BAD_CQ_H */
