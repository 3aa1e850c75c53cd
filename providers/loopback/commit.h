/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Commits of the loopback provider.
 */

#ifndef KFI_LOOPBACK_COMMIT_H
#define KFI_LOOPBACK_COMMIT_H

#include <linux/types.h>

struct kfi_commit_info;
struct lo_commits;
struct lo_ep;
struct lo_op;

int lo_commits_init(struct lo_ep *ep);
void lo_commits_free(struct lo_commits *commits);
void lo_commits_stop(struct lo_commits *commits);
void lo_commits_look(struct lo_commits *commits);
int lo_commit_add(struct lo_ep *ep, struct lo_ep *peer, const struct lo_op *op);
bool lo_commits_pending(struct lo_commits *commits, u64 before);
bool lo_commits_abandon(struct lo_commits *commits);
void lo_commit_free_slot(struct lo_ep *ep, bool failed);
void lo_commit_info(struct lo_ep *ep, struct kfi_commit_info *info);

#endif /* KFI_LOOPBACK_COMMIT_H */
