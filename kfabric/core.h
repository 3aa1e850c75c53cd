/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the files of the core know of each other.
 */

#ifndef KFI_CORE_H
#define KFI_CORE_H

#include <linux/atomic.h>

#include <kfi_prov.h>

struct net;

int kfi_sockaddr_parse(struct net *net, const char *node, const char *service,
		       u32 format, struct sockaddr_storage *addr);

struct kfi_provider *kfi_provider_next(u64 id);

int kfi_eq_init(void);
void kfi_eq_exit(void);

void kfi_cq_return_flagged(struct kfi_cq_credit *credit);

void kfi_provider_each(void (*fn)(struct kfi_provider *provider, void *arg),
		       void *arg);

void kfi_stat_each_ep(struct kfi_provider *provider,
		      void (*fn)(struct kfid_ep *ep, void *arg), void *arg);
void kfi_stat_cq_open(struct kfi_prov_cq *pcq);
void kfi_stat_cq_close(struct kfi_prov_cq *pcq);
void kfi_stat_each_cq(void (*fn)(struct kfi_prov_cq *pcq, void *arg), void *arg);
void kfi_stats_debugfs_init(void);

/*
 * A slot is free again. Without a flag nothing else is to be done, and the credit
 * may be gone as soon as the number is written.
 */
static inline void kfi_cq_return(struct kfi_cq_credit *credit)
{
	s64 old = atomic64_read(&credit->returned);

	do {
		if (unlikely(old & (KFI_CREDIT_WANT | KFI_CREDIT_DEAD))) {
			kfi_cq_return_flagged(credit);
			return;
		}
	} while (!atomic64_try_cmpxchg(&credit->returned, &old,
				       old + KFI_CREDIT_SLOT));
}

#endif /* KFI_CORE_H */
