// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Strangers who introduce themselves in any way: a record that is nearly right in
 * front of the private data. A listener takes them for what they say that they
 * are, and a caller goes away from those that make no sense.
 */

#include <linux/minmax.h>
#include <linux/string.h>

#include "wire.h"
#include "wire_mutate.h"

/* Private data as it arrives: filled up by the connection manager */
#define FUZZ_REQUEST	56
#define FUZZ_ANSWER	196

#define RECORD_LEN	sizeof(struct wire_record)

/* A record in @out, mutated three times of four; returns its bytes. */
static size_t fuzz_record(struct wire *w, size_t max)
{
	struct wire_record rec;
	struct suite *t = w->t;

	wire_good_record(&rec);
	rec.domain = suite_random(t, 0, KFI_PMEM_DOMAIN_CPU_CACHE);
	rec.flags = suite_random(t, 0, 1);
	rec.slots = cpu_to_be16(suite_random(t, 1, 128));
	rec.max_ranges = suite_random(t, 1, 32);
	rec.max_inline = suite_random(t, 0, 128);
	rec.cookie = cpu_to_be64(suite_random(t, 0, U32_MAX - 1));
	memset(w->out, 0, WIRE_MAX);
	memcpy(w->out, &rec, RECORD_LEN);
	if (!suite_random(t, 0, 3))
		return RECORD_LEN;
	return wire_mutate(&t->rnd, w->out, RECORD_LEN, max);
}

/* What an endpoint says of its peer is what is in the record, within limits. */
static void fuzz_check_info(struct wire *w, struct suite_end *end)
{
	const struct wire_record *rec = (void *)w->out;
	struct kfi_commit_info info = { };
	size_t len = sizeof(info);
	struct suite *t = w->t;

	EXPECT_OK(t, kfi_getopt(&end->ep->fid, KFI_OPT_ENDPOINT,
				KFI_OPT_COMMIT_INFO, &info, &len));
	EXPECT(t, info.method != KFI_COMMIT_NONE);
	EXPECT_EQ(t, info.domain, rec->domain);
	EXPECT_EQ(t, info.sync, rec->flags & 1);
	EXPECT_EQ(t, info.slots, min(be16_to_cpu(rec->slots), 64));
	EXPECT_EQ(t, info.max_ranges, min_t(u8, rec->max_ranges, WIRE_RANGES));
}

static bool fuzz_accept(struct wire *w, struct kfi_info *info)
{
	const struct suite_opts opts = { };
	struct suite *t = w->t;
	struct suite_event ev;

	if (!suite_end_open(&w->net, &w->b, info, &opts) ||
	    !EXPECT_OK(t, kfi_accept(w->b.ep, NULL, 0)) ||
	    !EXPECT_EVENT(t, w->net.eq, KFI_CONNECTED, NULL, &ev) ||
	    !EXPECT_EVENT(t, w->net.eq, KFI_CONNECTED, NULL, &ev))
		return false;
	fuzz_check_info(w, &w->b);
	return true;
}

/* With messages, which the second version is about, is another kind of endpoint. */
static int fuzz_verdict(const u8 *record, size_t len)
{
	int verdict = wire_judge_record(record, len);

	return !verdict && record[4] == 2 ? -EPROTONOSUPPORT : verdict;
}

/* The listener's consumer gets all of a stranger's data, or what is behind. */
static bool fuzz_request(struct wire *w, int verdict, bool accept)
{
	size_t skip = verdict ? 0 : RECORD_LEN;
	struct suite *t = w->t;
	struct suite_event ev;
	bool ok;

	if (!EXPECT_EVENT(t, w->net.eq, KFI_CONNREQ, &w->net.pep->fid, &ev))
		return false;
	ok = EXPECT_EQ(t, !(ev.info->caps & KFI_RMA_PMEM), !!verdict);
	EXPECT_SAME(t, ev.data, w->out + skip,
		    min_t(size_t, ev.len, FUZZ_REQUEST - skip));
	if (ok && accept)
		ok = fuzz_accept(w, ev.info);
	kfi_freeinfo(ev.info);
	if (ok && !accept)
		ok = EXPECT_ERROR(t, w->net.eq, ECONNREFUSED, &w->a.ep->fid,
				  &ev);
	return ok;
}

static void test_requests(struct suite *t)
{
	unsigned int i, rounds = suite_mutations(5000, 50);
	struct suite_event ev;
	struct wire w;
	int verdict;
	size_t len;

	if (!wire_open(t, &w, SUITE_COMMIT, SUITE_RAW))
		return;
	for (i = 0; i < rounds && !suite_failed(t); i++) {
		len = fuzz_record(&w, FUZZ_REQUEST);
		memset(w.out + len, 0, WIRE_MAX - len);
		verdict = fuzz_verdict(w.out, FUZZ_REQUEST);
		if (!EXPECT_OK(t, kfi_connect(w.a.ep, NULL, w.out, len)))
			break;
		if (verdict == -EPROTONOSUPPORT)
			EXPECT_ERROR(t, w.net.eq, EPROTONOSUPPORT,
				     &w.a.ep->fid, &ev);
		else
			fuzz_request(&w, verdict, !verdict &&
				     !suite_random(t, 0, 7));
		if (suite_failed(t) || !wire_reopen(&w))
			COMPLAIN(t, "round %u: %*ph", i, (int)len, w.out);
	}
	EXPECT_EQ(t, kfi_pmemsim_persists(w.sim), 0);
	EXPECT_ALL(t, w.mem, 0, WIRE_MEM_LEN);
	wire_close(&w);
	wire_works(t);
}

/* The caller is connected, or it fails; what the other end learns is not asked. */
static bool fuzz_answered(struct wire *w, int verdict)
{
	struct suite *t = w->t;
	struct suite_event ev;

	while (EXPECT(t, suite_read_event(t, w->net.eq, &ev,
					  SUITE_TIMEOUT_MS))) {
		if (ev.fid != &w->a.ep->fid)
			continue;
		if (verdict)
			return EXPECT_EQ(t, ev.err, EPROTONOSUPPORT);
		if (EXPECT_EQ(t, ev.event, KFI_CONNECTED))
			fuzz_check_info(w, &w->a);
		return !suite_failed(t);
	}
	return false;
}

static void test_answers(struct suite *t)
{
	unsigned int i, rounds = suite_mutations(5000, 50);
	struct wire w;
	int verdict;
	size_t len;

	if (!wire_open(t, &w, SUITE_RAW, SUITE_COMMIT))
		return;
	for (i = 0; i < rounds && !suite_failed(t); i++) {
		len = fuzz_record(&w, FUZZ_ANSWER);
		memset(w.out + len, 0, WIRE_MAX - len);
		verdict = fuzz_verdict(w.out, FUZZ_ANSWER);
		if (!wire_call(&w, NULL, 0) ||
		    !EXPECT_OK(t, kfi_accept(w.b.ep, w.out, len)) ||
		    !fuzz_answered(&w, verdict) || !wire_reopen(&w))
			COMPLAIN(t, "round %u: %*ph", i, (int)len, w.out);
	}
	wire_close(&w);
	wire_works(t);
}

const struct suite_test suite_wire_fuzz_tests[] = {
	{ "wire.fuzz_request_records", test_requests },
	{ "wire.fuzz_answer_records", test_answers },
	{ }
};
