// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the proofs of persistence have in common.
 */

#include <linux/kernel.h>

#include "proof.h"

/* Whether the pair commits by the method that is put to the test. */
bool proof_method(struct suite *t, struct suite_pair *pair)
{
	struct kfi_commit_info info;

	store_get_info(t, pair->a.ep, &info);
	return EXPECT_EQ(t, info.method, t->method);
}

/* Memory for which the method is enough */
enum kfi_pmemsim_domain proof_domain(const struct suite *t)
{
	struct kfi_pmemsim_attr attr = { };

	store_memory(t, &attr);
	return attr.domain;
}

bool proof_open(struct suite *t, struct store *store, const struct proof *proof,
		size_t len, const struct suite_opts *opts)
{
	struct kfi_pmemsim_attr attr = { .len = len };

	store_memory(t, &attr);
	attr.domain = proof->domain;
	if (!store_open_attr(t, store, &attr, opts))
		return false;
	if (proof_method(t, &store->pair))
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
