/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * For tests that prove persistence, and have to find out when it is not so: they
 * come to a verdict, and whoever runs them says what it should be.
 */

#ifndef KFI_SUITE_PROOF_H
#define KFI_SUITE_PROOF_H

#include "store.h"

/**
 * struct proof - what is put to the test
 * @domain: what the target's memory is like
 * @level: of what counts as persistent when it is complete. KFI_COMMIT, or one that
 *	promises less, which has to be found out
 * @order: flags besides @level of what must not be persistent before what was
 *	posted before it: KFI_INJECT, or none, which has to be found out
 */
struct proof {
	enum kfi_pmemsim_domain	domain;
	u64			level;
	u64			order;
};

/**
 * struct verdict - what a test has found
 * @violations: promises that were not kept
 * @what: the first of them
 */
struct verdict {
	atomic_t	violations;
	char		what[160];
};

bool proof_open(struct suite *t, struct store *store, const struct proof *proof,
		size_t len, const struct suite_opts *opts);
bool proof_method(struct suite *t, struct suite_pair *pair);
enum kfi_pmemsim_domain proof_domain(const struct suite *t);

__printf(2, 3)
void verdict_violated(struct verdict *verdict, const char *fmt, ...);
void verdict_expect(struct suite *t, const struct verdict *verdict,
		    bool violated);

static inline bool verdict_is_violated(const struct verdict *verdict)
{
	return atomic_read(&verdict->violations);
}

#endif /* KFI_SUITE_PROOF_H */
