// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A stranger who says that it speaks the commit protocol: what it may declare.
 */

#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "store.h"
#include "wire.h"

#define WIRE_NAME	"wire"

static bool wire_open_memory(struct wire *w)
{
	struct kfi_pmemsim_attr attr = { .len = WIRE_MEM_LEN };
	struct suite *t = w->t;

	store_memory(t, &attr);
	w->sim = kfi_pmemsim_create_attr(WIRE_NAME, &attr);
	if (IS_ERR(w->sim)) {
		EXPECT_OK(t, PTR_ERR(w->sim));
		w->sim = NULL;
		return false;
	}
	w->pmem = kfi_pmem_open("pmemsim:" WIRE_NAME, w);
	if (IS_ERR(w->pmem)) {
		EXPECT_OK(t, PTR_ERR(w->pmem));
		w->pmem = NULL;
		return false;
	}
	w->mem = kfi_pmem_addr(w->pmem);
	return EXPECT_OK(t, kfi_mr_reg(w->net.domain, w->mem, WIRE_MEM_LEN,
				       SUITE_ACCESS, 0, 0, KFI_PMEM, &w->mr,
				       w));
}

/* The next stranger, or the next who meets one */
bool wire_reopen(struct wire *w)
{
	const struct suite_opts opts = { };

	suite_end_close(w->t, &w->a);
	suite_end_close(w->t, &w->b);
	return suite_end_open(&w->net, &w->a, w->info, &opts) &&
	       suite_patient(w->t, &w->a);
}

/* A listener with @listener's capabilities, and an endpoint with @caller's */
bool wire_open(struct suite *t, struct wire *w, u64 listener, u64 caller)
{
	memset(w, 0, sizeof(*w));
	w->t = t;
	if (!suite_net_open(t, &w->net, listener, NULL))
		return false;
	w->out = kzalloc(2 * WIRE_MAX, GFP_KERNEL);
	w->in = kzalloc(2 * WIRE_MAX, GFP_KERNEL);
	if (EXPECT(t, w->out && w->in) && wire_open_memory(w) &&
	    EXPECT_OK(t, suite_getinfo(caller, w->net.port, 0, &w->info)) &&
	    wire_reopen(w))
		return true;
	wire_close(w);
	return false;
}

void wire_close(struct wire *w)
{
	suite_end_close(w->t, &w->a);
	suite_end_close(w->t, &w->b);
	kfi_freeinfo(w->info);
	if (w->mr)
		EXPECT_OK(w->t, kfi_close(&w->mr->fid));
	if (w->pmem)
		kfi_pmem_close(w->pmem);
	if (w->sim)
		kfi_pmemsim_destroy(w->sim);
	suite_net_close(&w->net);
	kfree(w->out);
	kfree(w->in);
}

/* Two who are no strangers to each other, as if nothing had happened */
bool wire_works(struct suite *t)
{
	struct store store;

	if (!store_open(t, &store, NULL))
		return false;
	EXPECT_OK(t, store_write(&store, 0, 4096, &store, KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	EXPECT_SAME(t, store.mem, store.buf, 4096);
	EXPECT(t, !kfi_pmemsim_dirty(store.sim, 0, 4096));
	store_close(&store);
	return !suite_failed(t);
}

void wire_good_record(struct wire_record *rec)
{
	*rec = (struct wire_record) {
		.magic = cpu_to_be32(WIRE_MAGIC), .version = WIRE_VERSION,
		.methods = WIRE_SERVER, .slots = cpu_to_be16(4),
		.max_ranges = 1, .max_inline = 8,
	};
}

/* One of a target whose caches survive */
void wire_read_record(struct wire_record *rec)
{
	wire_good_record(rec);
	rec->domain = KFI_PMEM_DOMAIN_CPU_CACHE;
	rec->flags = WIRE_SYNC;
	rec->methods |= WIRE_READ;
}

/* The listener's @b is opened for a request with @data. */
bool wire_call(struct wire *w, const void *data, size_t len)
{
	const struct suite_opts opts = { };
	struct suite *t = w->t;
	struct suite_event ev;
	bool ok;

	if (!EXPECT_OK(t, kfi_connect(w->a.ep, NULL, data, len)) ||
	    !EXPECT_EVENT(t, w->net.eq, KFI_CONNREQ, &w->net.pep->fid, &ev))
		return false;
	ok = EXPECT_EQ(t, ev.info->caps & KFI_RMA_PMEM,
		       w->net.caps & KFI_RMA_PMEM) &&
	     suite_end_open(&w->net, &w->b, ev.info, &opts);
	kfi_freeinfo(ev.info);
	return ok;
}

/* Connects with @req there and @rep back. */
bool wire_connect(struct wire *w, const void *req, size_t req_len,
		  const void *rep, size_t rep_len)
{
	struct suite *t = w->t;
	struct suite_event ev;

	return wire_call(w, req, req_len) &&
	       EXPECT_OK(t, kfi_accept(w->b.ep, rep, rep_len)) &&
	       EXPECT_EVENT(t, w->net.eq, KFI_CONNECTED, NULL, &ev) &&
	       EXPECT_EVENT(t, w->net.eq, KFI_CONNECTED, NULL, &ev);
}

/* Both ends are told that the connection has ended. */
void wire_expect_closed(struct wire *w)
{
	struct suite *t = w->t;
	struct suite_event ev;

	if (EXPECT_EVENT(t, w->net.eq, KFI_SHUTDOWN, NULL, &ev))
		EXPECT_EVENT(t, w->net.eq, KFI_SHUTDOWN,
			     ev.fid == &w->a.ep->fid ? &w->b.ep->fid :
						       &w->a.ep->fid, &ev);
}

/* Records that nobody can do anything with */
static void spoil_record(struct wire_record *rec, unsigned int how)
{
	wire_good_record(rec);
	switch (how) {
	case 0:
		rec->version = 0;
		break;
	case 1:
		rec->version = WIRE_VERSION + 1;
		break;
	case 2:
		rec->version = 255;
		break;
	case 3:
		rec->domain = 3;
		break;
	case 4:
		rec->domain = 255;
		break;
	case 5:
		rec->methods = 0;
		break;
	case 6:
		rec->methods = (u8)~1;
		break;
	case 7:
		rec->slots = 0;
		break;
	case 8:
		rec->max_ranges = 0;
		break;
	}
}

#define WIRE_SPOILT	9

/* A listener refuses them, and does not even tell its consumer. */
static void test_request_record(struct suite *t)
{
	struct wire_record rec;
	struct suite_event ev;
	struct wire w;
	unsigned int how;

	for (how = 0; how < WIRE_SPOILT && !suite_failed(t); how++) {
		if (!wire_open(t, &w, SUITE_COMMIT, SUITE_RAW))
			return;
		spoil_record(&rec, how);
		EXPECT_OK(t, kfi_connect(w.a.ep, NULL, &rec, sizeof(rec)));
		if (!EXPECT_ERROR(t, w.net.eq, EPROTONOSUPPORT, &w.a.ep->fid,
				  &ev))
			COMPLAIN(t, "record %u", how);
		wire_close(&w);
	}
}

/* A commit endpoint does not take them for an answer. */
static void test_answer_record(struct suite *t)
{
	struct wire_record rec;
	struct suite_event ev;
	bool failed = false;
	struct wire w;
	unsigned int how;

	/* the last one is none at all */
	for (how = 0; how <= WIRE_SPOILT && !suite_failed(t); how++) {
		if (!wire_open(t, &w, SUITE_RAW, SUITE_COMMIT))
			return;
		spoil_record(&rec, how);
		if (how == WIRE_SPOILT)
			rec.magic = ~rec.magic;
		failed = !wire_call(&w, NULL, 0) ||
			 !EXPECT_OK(t, kfi_accept(w.b.ep, &rec, sizeof(rec)));
		while (!failed && suite_read_event(t, w.net.eq, &ev,
						   SUITE_TIMEOUT_MS)) {
			if (ev.fid == &w.b.ep->fid)
				continue;
			EXPECT_EQ(t, ev.err, EPROTONOSUPPORT);
			failed = true;
		}
		if (!EXPECT(t, failed))
			COMPLAIN(t, "record %u", how);
		wire_close(&w);
	}
}

/* Whoever declares more than we can do gets what we can do. */
static void test_most(struct suite *t)
{
	struct kfi_commit_info info = { };
	size_t len = sizeof(info);
	struct wire_record rec;
	struct wire w;

	if (!wire_open(t, &w, SUITE_COMMIT, SUITE_RAW))
		return;
	memset(&rec, 0xff, sizeof(rec));
	rec.magic = cpu_to_be32(WIRE_MAGIC);
	rec.version = WIRE_VERSION;
	rec.domain = KFI_PMEM_DOMAIN_CPU_CACHE;
	if (wire_connect(&w, &rec, sizeof(rec), NULL, 0)) {
		EXPECT_OK(t, kfi_getopt(&w.b.ep->fid, KFI_OPT_ENDPOINT,
					KFI_OPT_COMMIT_INFO, &info, &len));
		EXPECT_EQ(t, info.method, KFI_COMMIT_SERVER);
		EXPECT_EQ(t, info.domain, KFI_PMEM_DOMAIN_CPU_CACHE);
		EXPECT_EQ(t, info.slots, 64);
		EXPECT_EQ(t, info.max_ranges, WIRE_RANGES);
	}
	wire_close(&w);
}

/* What is made of a declaration by who has no wish, and by who wants that method */
static void check_methods(struct suite *t, const struct wire_record *rec,
			  enum kfi_commit_method method, bool declared)
{
	struct kfi_commit_info info = { };
	size_t len = sizeof(info);
	struct suite_event ev;
	struct wire w;

	if (!wire_open(t, &w, SUITE_COMMIT, SUITE_RAW))
		return;
	if (!wire_call(&w, rec, sizeof(*rec)))
		goto out;
	if (!declared) {
		EXPECT_OK(t, suite_set_method(w.b.ep, method));
		EXPECT_EQ(t, kfi_accept(w.b.ep, NULL, 0), -EOPNOTSUPP);
	}
	EXPECT_OK(t, suite_set_method(w.b.ep, KFI_COMMIT_NONE));
	if (EXPECT_OK(t, kfi_accept(w.b.ep, NULL, 0)) &&
	    EXPECT_EVENT(t, w.net.eq, KFI_CONNECTED, NULL, &ev) &&
	    EXPECT_EVENT(t, w.net.eq, KFI_CONNECTED, NULL, &ev)) {
		EXPECT_OK(t, kfi_getopt(&w.b.ep->fid, KFI_OPT_ENDPOINT,
					KFI_OPT_COMMIT_INFO, &info, &len));
		EXPECT_EQ(t, info.method, declared ? method :
						     KFI_COMMIT_SERVER);
	}
out:
	wire_close(&w);
}

/* A method that nobody here knows does no harm; reads only where they can prove. */
static void test_methods(struct suite *t)
{
	struct wire_record rec;

	wire_read_record(&rec);
	check_methods(t, &rec, KFI_COMMIT_READ, true);
	rec.methods = 0xff;
	check_methods(t, &rec, KFI_COMMIT_READ, true);
	rec.methods &= ~(WIRE_READ | WIRE_FLUSH);
	check_methods(t, &rec, KFI_COMMIT_READ, false);
	wire_read_record(&rec);
	rec.flags = 0;
	check_methods(t, &rec, KFI_COMMIT_READ, false);
	wire_read_record(&rec);
	rec.domain = KFI_PMEM_DOMAIN_UNKNOWN;
	check_methods(t, &rec, KFI_COMMIT_READ, false);
}

/* The same of flushes, for which our own device has to be good too */
static void test_methods_flush(struct suite *t)
{
	struct wire_record rec, good;

	/* it is the stranger's memory that this is about */
	t->method = KFI_COMMIT_NONE;
	wire_good_record(&good);
	good.domain = KFI_PMEM_DOMAIN_MEMORY;
	good.flags = WIRE_SYNC;
	good.methods |= WIRE_FLUSH;
	check_methods(t, &good, KFI_COMMIT_FLUSH, true);
	rec = good;
	rec.methods &= ~WIRE_FLUSH;
	check_methods(t, &rec, KFI_COMMIT_FLUSH, false);
	rec = good;
	rec.flags = 0;
	check_methods(t, &rec, KFI_COMMIT_FLUSH, false);
	rec = good;
	rec.domain = KFI_PMEM_DOMAIN_UNKNOWN;
	check_methods(t, &rec, KFI_COMMIT_FLUSH, false);
}

/* What our own end declares, byte by byte */
static void test_declaration(struct suite *t)
{
	static const u8 methods[] = {
		[KFI_COMMIT_NONE]	= WIRE_SERVER,
		[KFI_COMMIT_READ]	= WIRE_SERVER | WIRE_READ,
		[KFI_COMMIT_FLUSH]	= WIRE_SERVER | WIRE_FLUSH,
	};
	bool reads = t->method == KFI_COMMIT_READ;
	const struct wire_record *rec;
	struct suite_event ev;
	struct wire w;

	if (!wire_open(t, &w, SUITE_RAW, SUITE_COMMIT))
		return;
	if (!EXPECT_OK(t, kfi_connect(w.a.ep, NULL, NULL, 0)) ||
	    !EXPECT_EVENT(t, w.net.eq, KFI_CONNREQ, &w.net.pep->fid, &ev))
		goto out;
	rec = (void *)ev.data;
	EXPECT(t, ev.len >= sizeof(*rec));
	EXPECT_EQ(t, be32_to_cpu(rec->magic), WIRE_MAGIC);
	EXPECT_EQ(t, rec->version, WIRE_VERSION);
	EXPECT_EQ(t, rec->domain, reads ? KFI_PMEM_DOMAIN_CPU_CACHE :
					  KFI_PMEM_DOMAIN_MEMORY);
	EXPECT_EQ(t, rec->flags, WIRE_SYNC);
	EXPECT_EQ(t, rec->methods, methods[t->method]);
	EXPECT_EQ(t, be16_to_cpu(rec->slots), 64);
	EXPECT_EQ(t, rec->max_ranges, WIRE_RANGES);
	EXPECT_EQ(t, rec->max_inline, WIRE_INLINE);
	EXPECT_EQ(t, rec->role, 0);
	EXPECT_ALL(t, rec->reserved, 0, sizeof(rec->reserved));
	kfi_freeinfo(ev.info);
out:
	wire_close(&w);
}

const struct suite_test suite_wire_tests[] = {
	{ "wire.request_record", test_request_record },
	{ "wire.answer_record", test_answer_record },
	{ "wire.most", test_most },
	{ "wire.methods", test_methods },
	{ "wire.declaration", test_declaration },
	{ "wire.declaration_read", test_declaration, KFI_COMMIT_READ },
	{ "wire.methods_flush", test_methods_flush, KFI_COMMIT_FLUSH },
	{ "wire.declaration_flush", test_declaration, KFI_COMMIT_FLUSH },
	{ }
};
