/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * RDMA FLUSH, on kernels that let kernel consumers post it.
 */

#ifndef KFV_FLUSH_H
#define KFV_FLUSH_H

#include <linux/errno.h>
#include <linux/types.h>

struct ib_device;
struct kfi_msg_rma;
struct kfv_domain;
struct kfv_mr;
struct kfv_post;

#ifdef KFI_HAS_FLUSH

/* flush.c */
int kfv_flush_access(const struct ib_device *ib);
void kfv_flush_test(struct kfv_domain *domain);
int kfv_flush_mr_access(const struct kfv_mr *mr, int access);
bool kfv_flush_mr_works(struct kfv_mr *mr, int access);

/* commit_flush.c */
int kfv_flush_build(struct kfv_post *post, const struct kfi_msg_rma *msg,
		    u64 flags, size_t len);

#else

static inline int kfv_flush_access(const struct ib_device *ib)
{
	return 0;
}

static inline void kfv_flush_test(struct kfv_domain *domain)
{
}

static inline int kfv_flush_mr_access(const struct kfv_mr *mr, int access)
{
	return 0;
}

static inline bool kfv_flush_mr_works(struct kfv_mr *mr, int access)
{
	return false;
}

static inline int kfv_flush_build(struct kfv_post *post,
				  const struct kfi_msg_rma *msg, u64 flags,
				  size_t len)
{
	return -EOPNOTSUPP;
}

#endif /* KFI_HAS_FLUSH */

#endif /* KFV_FLUSH_H */
