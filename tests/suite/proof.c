// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the proofs of persistence have in common.
 */

#include <linux/kernel.h>

#include "proof.h"

/* Whether the pair commits by the method that is put to the test. */
bool proof_method(struct store *store, struct suite_pair *pair,
		  const struct proof *proof)
{
	struct kfi_commit_info info = { };
	size_t size = sizeof(info);
	struct suite *t = store->t;

	return EXPECT_OK(t, kfi_getopt(&pair->a.ep->fid, KFI_OPT_ENDPOINT,
				       KFI_OPT_COMMIT_INFO, &info, &size)) &&
	       EXPECT_EQ(t, info.method, proof->method);
}

bool proof_open(struct suite *t, struct store *store, const struct proof *proof,
		size_t len, const struct suite_opts *opts)
{
	const struct kfi_pmemsim_attr attr = {
		.len = len, .domain = proof->domain,
	};

	if (!store_open_attr(t, store, &attr, opts))
		return false;
	if (proof_method(store, &store->pair, proof))
		return true;
	store_close(store);
	return false;
}

/* Any context. All are counted, and the first one is remembered. */
void verdict_violated(struct verdict *verdict, const char *fmt, ...)
{
	va_list args;

	if (atomic_inc_return(&verdict->violations) != 1)
		return;
	va_start(args, fmt);
	vscnprintf(verdict->what, sizeof(verdict->what), fmt, args);
	va_end(args);
}

/* A promise that cannot be kept has to be found out, or the test is no test. */
void verdict_expect(struct suite *t, const struct verdict *verdict,
		    bool violated)
{
	int nr = atomic_read(&verdict->violations);

	if (violated)
		EXPECT(t, nr);
	else if (nr)
		COMPLAIN(t, "violated %d times: %s", nr, verdict->what);
}
