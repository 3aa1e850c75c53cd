// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A pair of commit endpoints and persistent memory, and what a power cut does to
 * them.
 */

#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "store.h"

#define STORE_NAME	"suite"
#define STORE_RECORD	512
#define STORE_TRACE	64

void store_get_info(struct suite *t, struct kfid_ep *ep,
		    struct kfi_commit_info *info)
{
	size_t len = sizeof(*info);

	memset(info, 0xff, len);
	EXPECT_OK(t, kfi_getopt(&ep->fid, KFI_OPT_ENDPOINT,
				KFI_OPT_COMMIT_INFO, info, &len));
	EXPECT_EQ(t, len, sizeof(*info));
}

static bool store_check_method(struct store *store)
{
	struct suite *t = store->t;
	struct kfi_commit_info info;

	if (!t->method)
		return true;
	store_get_info(t, store->pair.a.ep, &info);
	return EXPECT_EQ(t, info.method, t->method);
}

/* A region and a connection; both end with a power cut. */
bool store_connect(struct store *store, const struct suite_opts *opts)
{
	struct suite *t = store->t;

	if (!EXPECT_OK(t, kfi_mr_reg(store->net.domain, store->mem, store->len,
				     SUITE_ACCESS, 0, 0, KFI_PMEM, &store->mr,
				     store)))
		return false;
	store->addr = store->mr->iova;
	store->key = store->mr->key;
	return suite_pair_open(&store->net, &store->pair, opts) &&
	       store_check_method(store);
}

void store_disconnect(struct store *store)
{
	if (store->pair.net)
		suite_pair_close(&store->pair);
	if (store->mr)
		EXPECT_OK(store->t, kfi_close(&store->mr->fid));
	store->mr = NULL;
}

static bool store_open_memory(struct store *store, const char *path)
{
	struct suite *t = store->t;

	store->pmem = kfi_pmem_open(path, store);
	if (IS_ERR(store->pmem)) {
		EXPECT_OK(t, PTR_ERR(store->pmem));
		store->pmem = NULL;
		return false;
	}
	store->mem = kfi_pmem_addr(store->pmem);
	return EXPECT(t, kfi_pmem_len(store->pmem) >= store->len);
}

/* In the first bytes of any persistent memory */
bool store_open_at(struct suite *t, struct store *store, const char *path,
		   size_t len, const struct suite_opts *opts)
{
	memset(store, 0, sizeof(*store));
	store->t = t;
	store->len = len;
	if (!suite_net_open(t, &store->net, t->caps ?: SUITE_COMMIT,
			    NULL))
		return false;
	store->buf = kvzalloc(len, GFP_KERNEL);
	if (EXPECT(t, store->buf) && store_open_memory(store, path) &&
	    store_connect(store, opts)) {
		suite_fill(t, store->buf, len);
		return true;
	}
	store_close(store);
	return false;
}

/* A simulator's memory is zero at first, unless it is that of another device. */
static bool store_clear(struct suite *t, const char *path, size_t len)
{
	struct kfi_pmem *pmem = kfi_pmem_open(path, t);
	bool fits;

	if (IS_ERR(pmem))
		return EXPECT_OK(t, PTR_ERR(pmem));
	fits = EXPECT(t, kfi_pmem_len(pmem) >= len);
	if (fits)
		memset(kfi_pmem_addr(pmem), 0, len);
	kfi_pmem_close(pmem);
	return fits;
}

/* Registering is not what a test looks for. */
static void store_forget(struct store *store)
{
	struct kfi_pmemsim_trace trace;

	while (kfi_pmemsim_trace_read(store->sim, &trace, 1))
		;
}

/* In all of a simulator of their own */
bool store_open_attr(struct suite *t, struct store *store,
		     const struct kfi_pmemsim_attr *attr,
		     const struct suite_opts *opts)
{
	struct kfi_pmemsim *sim;

	if (attr->attach && !store_clear(t, attr->attach, attr->len))
		return false;
	sim = kfi_pmemsim_create_attr(STORE_NAME, attr);
	if (IS_ERR(sim))
		return EXPECT_OK(t, PTR_ERR(sim));
	if (!store_open_at(t, store, "pmemsim:" STORE_NAME, attr->len, opts)) {
		kfi_pmemsim_destroy(sim);
		return false;
	}
	store->sim = sim;
	store_forget(store);
	return true;
}

/*
 * Memory for which the test's method is enough. Only a device that flushes knows what
 * it has flushed, so a simulator has to see it do that.
 */
void store_memory(const struct suite *t, struct kfi_pmemsim_attr *attr)
{
	if (t->method == KFI_COMMIT_READ)
		attr->domain = KFI_PMEMSIM_EADR;
	else if (t->method == KFI_COMMIT_FLUSH)
		attr->attach = suite_pmem();
}

bool store_open(struct suite *t, struct store *store,
		const struct suite_opts *opts)
{
	struct kfi_pmemsim_attr attr = { .len = STORE_LEN };

	store_memory(t, &attr);
	return store_open_attr(t, store, &attr, opts);
}

void store_close(struct store *store)
{
	store_disconnect(store);
	if (store->pmem)
		kfi_pmem_close(store->pmem);
	if (store->sim)
		kfi_pmemsim_destroy(store->sim);
	suite_net_close(&store->net);
	kvfree(store->buf);
	memset(store, 0, sizeof(*store));
}

/* Writes bytes of the buffer to the same place in the region. */
ssize_t store_write(struct store *store, size_t offset, size_t len,
		    void *context, u64 flags)
{
	struct kvec iov = { .iov_base = store->buf + offset, .iov_len = len };
	struct kfi_rma_iov rma = {
		.addr = store->addr + offset, .len = len, .key = store->key,
	};
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &rma, .rma_iov_count = 1, .context = context,
		.data = store->data,
	};

	return kfi_writemsg(store->pair.a.ep, &msg, flags);
}

/* Those lines are going to be persistent. */
void store_expect_lines(unsigned long *lines, size_t offset, size_t len)
{
	size_t first = offset / KFI_PMEMSIM_LINE;
	size_t last = (offset + len - 1) / KFI_PMEMSIM_LINE;

	bitmap_set(lines, first, last - first + 1);
}

/*
 * Takes the lines that became persistent out of @lines; none may be twice. The memory
 * device may have been asked for that by the target's provider only.
 */
void store_take_lines(struct store *store, unsigned long *lines)
{
	struct kfi_pmemsim_trace trace[STORE_TRACE];
	unsigned int nr, i;
	u64 line, end;

	if (!store_asks(store))
		EXPECT_EQ(store->t, kfi_pmemsim_persists(store->sim), 0);
	if (store_reads(store))
		bitmap_zero(lines, STORE_LINES);

	do {
		nr = kfi_pmemsim_trace_read(store->sim, trace, STORE_TRACE);
		for (i = 0; i < nr; i++) {
			line = trace[i].offset / KFI_PMEMSIM_LINE;
			end = line + trace[i].len / KFI_PMEMSIM_LINE;
			if (!EXPECT(store->t, end <= STORE_LINES))
				return;
			for (; line < end; line++)
				if (!test_and_clear_bit(line, lines))
					COMPLAIN(store->t,
						 "line %llu was persisted",
						 line);
		}
	} while (nr);
}

/* A cut would lose the bytes, or not; some memory loses nothing. */
void store_expect_dirty(struct store *store, size_t offset, size_t len,
			bool dirty)
{
	bool is = kfi_pmemsim_dirty(store->sim, offset, len);

	if (is != (dirty && !store_reads(store)))
		COMPLAIN(store->t, "%zu bytes at %zu are %s", len, offset,
			 is ? "not persistent" : "persistent");
}

/* The connection ends: whatever is posted is refused or fails, at once or soon. */
void store_wait_broken(struct store *store)
{
	struct suite *t = store->t;
	struct suite_event ev;
	ssize_t ret;

	if (EXPECT(t, suite_read_event(t, store->net.eq, &ev,
				       SUITE_TIMEOUT_MS)))
		EXPECT(t, ev.event == KFI_SHUTDOWN || ev.err);
	ret = store_write(store, 0, 8, store, 0);
	if (!ret) {
		EXPECT_COMP_ERR(t, &store->pair.a.tx, store, ECANCELED,
				KFI_RMA | KFI_WRITE);
		ret = store_write(store, 0, 8, store, 0);
	}
	EXPECT_EQ(t, ret, -ESHUTDOWN);
}

/* What was committed is there after a cut, and what was not is not. */
static void test_cut(struct suite *t)
{
	struct store store;
	u64 incarnation;

	if (!store_open(t, &store, NULL))
		return;
	incarnation = kfi_pmem_incarnation(store.pmem);
	EXPECT_OK(t, store_write(&store, 0, 4096, &store, KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	EXPECT_OK(t, store_write(&store, 8192, 4096, &store,
				 KFI_DELIVERY_COMPLETE));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	EXPECT_SAME(t, store.mem + 8192, store.buf + 8192, 4096);

	EXPECT_OK(t, kfi_pmemsim_cut(store.sim));
	EXPECT_SAME(t, store.mem, store.buf, 4096);
	EXPECT_ALL(t, store.mem + 4096, 0, STORE_LEN - 4096);
	EXPECT(t, kfi_pmem_incarnation(store.pmem) != incarnation);
	store_wait_broken(&store);
	EXPECT_ALL(t, store.mem + 4096, 0, STORE_LEN - 4096);

	/* new regions and connections are as good as ever */
	store_disconnect(&store);
	if (store_connect(&store, NULL)) {
		EXPECT_OK(t, store_write(&store, 8192, 4096, &store,
					 KFI_COMMIT));
		EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
		EXPECT(t, !kfi_pmemsim_dirty(store.sim, 8192, 4096));
	}
	store_close(&store);
}

/* The initiator learns what the target's memory says about itself. */
static void check_domain(struct suite *t, const struct kfi_pmemsim_attr *attr,
			 enum kfi_pmem_domain domain)
{
	struct kfi_commit_info info = { };
	size_t size = sizeof(info);
	struct store store;

	if (!store_open_attr(t, &store, attr, NULL))
		return;
	EXPECT_OK(t, kfi_getopt(&store.pair.a.ep->fid, KFI_OPT_ENDPOINT,
				KFI_OPT_COMMIT_INFO, &info, &size));
	EXPECT_EQ(t, info.domain, domain);
	EXPECT_EQ(t, info.sync, !attr->async);
	EXPECT_OK(t, store_write(&store, 0, 4096, &store, KFI_COMMIT));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	if (attr->domain != KFI_PMEMSIM_LIE)
		EXPECT(t, !kfi_pmemsim_dirty(store.sim, 0, 4096));
	store_close(&store);
}

static void test_domain(struct suite *t)
{
	struct kfi_pmemsim_attr attr = { .len = STORE_LEN };

	check_domain(t, &attr, KFI_PMEM_DOMAIN_MEMORY);
	attr.async = true;
	check_domain(t, &attr, KFI_PMEM_DOMAIN_MEMORY);
	attr.domain = KFI_PMEMSIM_EADR;
	check_domain(t, &attr, KFI_PMEM_DOMAIN_CPU_CACHE);
	attr.domain = KFI_PMEMSIM_LIE;
	attr.async = false;
	check_domain(t, &attr, KFI_PMEM_DOMAIN_CPU_CACHE);
}

/* What is visible at the target survives where its caches do, and only there. */
static void check_visible(struct suite *t, enum kfi_pmemsim_domain domain,
			  bool survives)
{
	const struct kfi_pmemsim_attr attr = {
		.len = STORE_LEN, .domain = domain,
	};
	struct store store;

	if (!store_open_attr(t, &store, &attr, NULL))
		return;
	EXPECT_OK(t, store_write(&store, 0, STORE_LEN, &store,
				 KFI_DELIVERY_COMPLETE));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	EXPECT_OK(t, kfi_pmemsim_cut(store.sim));
	if (survives)
		EXPECT_SAME(t, store.mem, store.buf, STORE_LEN);
	else
		EXPECT_ALL(t, store.mem, 0, STORE_LEN);
	store_close(&store);
}

static void test_visible(struct suite *t)
{
	check_visible(t, KFI_PMEMSIM_EADR, true);
	check_visible(t, KFI_PMEMSIM_ADR, false);
	check_visible(t, KFI_PMEMSIM_LIE, false);
}

/* A cut while commits are waiting for the media: none of them has succeeded. */
static void test_cut_pending(struct suite *t)
{
	struct store store;
	uintptr_t op;

	if (!store_open(t, &store, NULL))
		return;
	kfi_pmemsim_set_delay(store.sim, SUITE_TIMEOUT_MS);
	for (op = 1; op <= 16; op++)
		EXPECT_OK(t, store_write(&store, op * 4096, 4096, (void *)op,
					 KFI_COMMIT));
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	EXPECT_OK(t, kfi_pmemsim_cut(store.sim));
	for (op = 1; op <= 16; op++)
		if (!EXPECT_COMP_ERR(t, &store.pair.a.tx, (void *)op, 0,
				     KFI_RMA | KFI_WRITE))
			break;
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	EXPECT_ALL(t, store.mem, 0, STORE_LEN);
	store_close(&store);
}

/* Both ends close while commits are waiting: each completes once, none hangs. */
static void test_close_pending(struct suite *t)
{
	struct suite_comp comp;
	struct store store;
	uintptr_t op;

	if (!store_open(t, &store, NULL))
		return;
	kfi_pmemsim_set_delay(store.sim, 300);
	for (op = 1; op <= 16; op++)
		EXPECT_OK(t, store_write(&store, op * 4096, 4096, (void *)op,
					 KFI_COMMIT));
	EXPECT_OK(t, kfi_close(&store.pair.a.ep->fid));
	store.pair.a.ep = NULL;
	for (op = 1; op <= 16; op++) {
		if (!EXPECT(t, suite_read_comp(t, &store.pair.a.tx, &comp, 0)))
			break;
		EXPECT_EQ(t, (uintptr_t)comp.entry.op_context, op);
	}
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	store_close(&store);
}

/*
 * A log of records, each one committed before the next; after a cut at any time
 * it has all that were acknowledged and at most the one after them.
 */
static void check_log(struct store *store, unsigned int records)
{
	struct suite *t = store->t;
	unsigned int acked = 0, i;

	memset(store->mem, 0, STORE_LEN);
	for (i = 0; i < records; i++) {
		if (!EXPECT_OK(t, store_write(store, i * STORE_RECORD,
					      STORE_RECORD, store,
					      KFI_COMMIT)))
			return;
		/* the last one is not waited for */
		if (i == records - 1)
			break;
		if (!EXPECT_COMP(t, &store->pair.a.tx, store, NULL))
			return;
		acked++;
	}
	EXPECT_OK(t, kfi_pmemsim_cut(store->sim));
	EXPECT_SAME(t, store->mem, store->buf, acked * STORE_RECORD);
}

static void test_log(struct suite *t)
{
	unsigned int rounds = suite_scaled(300, 5);
	struct store store;

	if (!store_open(t, &store, NULL))
		return;
	for (; rounds && !suite_failed(t); rounds--) {
		check_log(&store, suite_random(t, 1, 50));
		store_disconnect(&store);
		if (!store_connect(&store, NULL))
			break;
	}
	store_close(&store);
}

const struct suite_test suite_store_tests[] = {
	{ "store.cut", test_cut },
	{ "store.domain", test_domain },
	{ "store.visible", test_visible },
	{ "store.cut_pending", test_cut_pending },
	{ "store.close_pending", test_close_pending },
	{ "store.log", test_log },
	{ }
};
