/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The registry of open objects, as the answers to user space read it.
 */

#ifndef KFI_TRACK_CORE_H
#define KFI_TRACK_CORE_H

#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <kfi_track.h>

/**
 * struct kfi_registry - open objects of one kind
 * @lock: protects all of it
 * @root: the objects, by their numbers
 */
struct kfi_registry {
	/* protects all that follows; process context */
	spinlock_t	lock;
	struct rb_root	root;
};

extern struct kfi_registry kfi_ep_registry;
extern struct kfi_registry kfi_cq_registry;
extern struct kfi_registry kfi_mr_registry;

struct kfi_track *kfi_track_get(struct kfi_registry *reg, u64 id);
struct kfi_track *kfi_track_next(struct kfi_registry *reg, u64 after);
void kfi_track_put(struct kfi_track *track);

/* stats.c */
void kfi_stat_count_conn(struct kfi_provider *provider, enum kfi_stat_conn conn);

/* notify.c */
int kfi_notify_init(void);
void kfi_notify_exit(void);
void kfi_ep_notify(struct work_struct *work);
void kfi_notify_revoke(const struct kfi_memdev *dev, unsigned int regions);

/* netlink.c */
int kfi_netlink_init(void);
void kfi_netlink_exit(void);

#endif /* KFI_TRACK_CORE_H */
