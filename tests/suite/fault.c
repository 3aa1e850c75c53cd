// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Every allocation of a call fails once: the call says so, nothing stays behind,
 * and the next call works. Then any of them fail, several in a row, because memory
 * that kmalloc() does not have is looked for elsewhere.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_pmem.h>
#include <kfi_pmemsim.h>

#include "fault.h"

#define FAULT_LEN	SZ_256K
#define FAULT_ROUNDS	60

/**
 * struct fault - a call whose allocations fail, and what it makes
 * @t: the test
 * @net: what is there before
 * @info: for endpoints
 * @pmem: memory for regions
 * @hints: for getinfo
 * @dup: copy of what it found
 * @fabric: a fabric
 * @domain: a domain
 * @eq: an event queue
 * @pep: a passive endpoint
 * @end: an endpoint and its queues
 * @mr: a region
 * @sim: a memory device
 * @opened: what it was opened as
 */
struct fault {
	struct suite		*t;
	struct suite_net	net;
	struct kfi_info		*info;
	struct kfi_pmem		*pmem;
	struct kfi_info		*hints;

	struct kfi_info		*dup;
	struct kfid_fabric	*fabric;
	struct kfid_domain	*domain;
	struct kfid_eq		*eq;
	struct kfid_pep		*pep;
	struct suite_end	end;
	struct kfid_mr		*mr;
	struct kfi_pmemsim	*sim;
	struct kfi_pmem		*opened;
};

/**
 * struct fault_call - a call under test
 * @caps: capabilities of endpoints
 * @prepare: makes what it needs, with memory for all; or NULL
 * @make: makes the call
 */
struct fault_call {
	u64	caps;
	int	(*prepare)(struct fault *f);
	int	(*make)(struct fault *f);
};

/*
 * Between these two the kernel's own words on failed allocations are no complaint:
 * scripts/guest.sh reads the lines.
 */
bool fault_begin(struct suite *t)
{
	void *p;

	fault_arm(1);
	p = kmalloc(1, GFP_KERNEL);
	fault_disarm();
	kfree(p);
	if (p) {
		t->skip = "failslab leaves out GFP_KERNEL";
		return false;
	}
	pr_info("# allocations fail from here on\n");
	return true;
}

void fault_end(void)
{
	pr_info("# allocations fail no more\n");
}

/* A device that has a socket for a queue pair passes on what that one says. */
void fault_check(struct suite *t, int ret)
{
	if (ret != -ENFILE)
		EXPECT_EQ(t, ret, -ENOMEM);
}

/*
 * The same for the tasks that run work, the connection manager's among it; but for
 * unbound ones, where rxe makes its packets: one that cannot be made is the end of
 * the queue pair that all connection requests go through.
 */
void fault_workers(bool fail)
{
	struct task_struct *task;

	rcu_read_lock();
	for_each_process(task)
		if (task->flags & PF_WQ_WORKER &&
		    !strstarts(task->comm, "kworker/u"))
			WRITE_ONCE(task->make_it_fail, fail);
	rcu_read_unlock();
}

static int make_info(struct fault *f)
{
	struct kfi_info *info;
	int ret;

	ret = kfi_getinfo(SUITE_API_VERSION, suite_address(), "7471", 0,
			  f->hints, &info);
	if (ret)
		return ret;
	f->dup = kfi_dupinfo(info);
	if (f->dup)
		EXPECT(f->t, !strcmp(kfi_tostr(f->dup, KFI_TYPE_INFO),
				     kfi_tostr(info, KFI_TYPE_INFO)));
	kfi_freeinfo(info);
	return f->dup ? 0 : -ENOMEM;
}

static int make_fabric(struct fault *f)
{
	return kfi_fabric(f->info->fabric_attr, &f->fabric, NULL);
}

static int make_domain(struct fault *f)
{
	return kfi_domain(f->net.fabric, f->info, &f->domain, NULL);
}

static int make_eq(struct fault *f)
{
	return kfi_eq_open(f->net.fabric, NULL, &f->eq, NULL, NULL);
}

static int make_pep(struct fault *f)
{
	struct kfi_info *info = f->info;
	int ret;

	ret = kfi_passive_ep(f->net.fabric, info, &f->pep, NULL) ?:
	      kfi_pep_bind(f->pep, &f->net.eq->fid, 0);
	return ret ?: kfi_listen(f->pep);
}

static int make_cq(struct fault *f)
{
	struct kfi_cq_attr attr = { .size = 1024 };

	return suite_cq_open(&f->end.tx, f->net.domain, &attr, false);
}

static int prepare_cqs(struct fault *f)
{
	struct kfi_cq_attr attr = { };

	return suite_cq_open(&f->end.tx, f->net.domain, &attr, false) ?:
	       suite_cq_open(&f->end.rx, f->net.domain, &attr, true);
}

static int make_endpoint(struct fault *f)
{
	struct suite_end *end = &f->end;

	return kfi_endpoint(f->net.domain, f->info, &end->ep, NULL) ?:
	       kfi_ep_bind(end->ep, &f->net.eq->fid, 0) ?:
	       kfi_ep_bind(end->ep, &end->tx.cq->fid, KFI_TRANSMIT) ?:
	       kfi_ep_bind(end->ep, &end->rx.cq->fid, KFI_RECV) ?:
	       kfi_enable(end->ep);
}

/* The first region of a domain needs more than those that follow. */
static int make_mr(struct fault *f)
{
	struct kvec iov = {
		.iov_base = kfi_pmem_addr(f->pmem) + 1, .iov_len = FAULT_LEN - 2,
	};
	struct kfi_mr_attr attr = {
		.type = KFI_KVEC, .mr_iov = &iov, .iov_count = 1,
		.access = SUITE_ACCESS,
	};

	return kfi_mr_regattr(f->domain, &attr, 0, &f->mr);
}

static int make_pmem_mr(struct fault *f)
{
	return kfi_mr_reg(f->domain, kfi_pmem_addr(f->pmem), FAULT_LEN,
			  SUITE_ACCESS, 0, 0, KFI_PMEM, &f->mr, NULL);
}

static int make_memdev(struct fault *f)
{
	f->sim = kfi_pmemsim_create("fault", SZ_64K);
	if (IS_ERR(f->sim))
		return PTR_ERR(f->sim);
	f->opened = kfi_pmem_open("pmemsim:fault", f);
	return PTR_ERR_OR_ZERO(f->opened);
}

/* Whatever there is, of the call's and of what it needed. */
static void fault_close(struct fault *f)
{
	struct suite *t = f->t;

	if (f->mr)
		EXPECT_OK(t, kfi_close(&f->mr->fid));
	suite_end_close(t, &f->end);
	if (f->pep)
		EXPECT_OK(t, kfi_close(&f->pep->fid));
	if (f->eq)
		EXPECT_OK(t, kfi_close(&f->eq->fid));
	if (f->domain)
		EXPECT_OK(t, kfi_close(&f->domain->fid));
	if (f->fabric)
		EXPECT_OK(t, kfi_close(&f->fabric->fid));
	if (!IS_ERR_OR_NULL(f->opened))
		kfi_pmem_close(f->opened);
	if (!IS_ERR_OR_NULL(f->sim))
		kfi_pmemsim_destroy(f->sim);
	kfi_freeinfo(f->dup);
	memset_after(f, 0, hints);
}

static bool fault_prepare(struct fault *f, const struct fault_call *call)
{
	if (!call->prepare || EXPECT_OK(f->t, call->prepare(f)))
		return true;
	fault_close(f);
	return false;
}

/* With memory for all, after something has failed. */
static bool fault_none(struct fault *f, const struct fault_call *call)
{
	bool ok = fault_prepare(f, call) && EXPECT_OK(f->t, call->make(f));

	fault_close(f);
	return ok;
}

/*
 * Makes the @nth allocation of a call, and of the closing of what it has made,
 * fail. Returns false when there are fewer. A call that finds its memory elsewhere
 * may succeed all the same.
 */
static bool fault_one(struct fault *f, const struct fault_call *call,
		      unsigned int nth)
{
	bool failed;
	int ret;

	if (!fault_prepare(f, call))
		return false;
	fault_arm(nth);
	ret = call->make(f);
	fault_close(f);
	failed = fault_disarm();
	if (ret)
		fault_check(f->t, ret);
	return fault_none(f, call) && failed;
}

static bool fault_any(struct fault *f, const struct fault_call *call)
{
	int ret;

	if (!fault_prepare(f, call))
		return false;
	fault_some(true);
	ret = call->make(f);
	fault_close(f);
	fault_some(false);
	if (ret)
		fault_check(f->t, ret);
	return fault_none(f, call);
}

static void fault_all(struct fault *f, const struct fault_call *call)
{
	unsigned int nth = 1, round = 0;

	while (fault_one(f, call, nth) && nth < FAULT_LIMIT)
		nth++;
	EXPECT(f->t, nth > 1 && nth < FAULT_LIMIT);
	while (fault_any(f, call) && round < FAULT_ROUNDS)
		round++;
	pr_info("# %s: %u allocations\n", f->t->name, nth - 1);
}

static void fault_run(struct suite *t, const struct fault_call *call)
{
	u64 caps = call->caps ?: SUITE_RAW;
	struct kfi_pmemsim *sim = kfi_pmemsim_create("suite", FAULT_LEN);
	struct fault f = { .t = t };

	if (!EXPECT(t, !IS_ERR(sim)))
		return;
	f.pmem = kfi_pmem_open("pmemsim:suite", t);
	f.hints = suite_hints(caps);
	if (EXPECT(t, !IS_ERR(f.pmem) && f.hints) &&
	    suite_net_open(t, &f.net, caps, NULL)) {
		if (EXPECT_OK(t, suite_getinfo(caps, NULL, KFI_SOURCE,
					       &f.info)) &&
		    fault_begin(t)) {
			fault_all(&f, call);
			fault_end();
		}
		kfi_freeinfo(f.info);
		suite_net_close(&f.net);
	}
	kfi_freeinfo(f.hints);
	if (!IS_ERR(f.pmem))
		kfi_pmem_close(f.pmem);
	kfi_pmemsim_destroy(sim);
}

static void test_info(struct suite *t)
{
	static const struct fault_call call = { .make = make_info };

	fault_run(t, &call);
}

static void test_fabric(struct suite *t)
{
	static const struct fault_call call = { .make = make_fabric };

	fault_run(t, &call);
}

static void test_domain(struct suite *t)
{
	static const struct fault_call call = { .make = make_domain };

	fault_run(t, &call);
}

static void test_eq(struct suite *t)
{
	static const struct fault_call call = { .make = make_eq };

	fault_run(t, &call);
}

static void test_pep(struct suite *t)
{
	static const struct fault_call call = { .make = make_pep };

	fault_run(t, &call);
}

static void test_cq(struct suite *t)
{
	static const struct fault_call call = { .make = make_cq };

	fault_run(t, &call);
}

static void test_endpoint(struct suite *t)
{
	static const struct fault_call call = {
		.prepare = prepare_cqs, .make = make_endpoint,
	};

	fault_run(t, &call);
}

static void test_commit(struct suite *t)
{
	static const struct fault_call call = {
		.caps = SUITE_COMMIT,
		.prepare = prepare_cqs, .make = make_endpoint,
	};

	fault_run(t, &call);
}

static void test_mr(struct suite *t)
{
	static const struct fault_call call = {
		.prepare = make_domain, .make = make_mr,
	};

	fault_run(t, &call);
}

static void test_pmem(struct suite *t)
{
	static const struct fault_call call = {
		.caps = SUITE_COMMIT,
		.prepare = make_domain, .make = make_pmem_mr,
	};

	fault_run(t, &call);
}

static void test_memdev(struct suite *t)
{
	static const struct fault_call call = { .make = make_memdev };

	fault_run(t, &call);
}

const struct suite_test suite_fault_tests[] = {
	{ "fault.info", test_info },
	{ "fault.fabric", test_fabric },
	{ "fault.domain", test_domain },
	{ "fault.eq", test_eq },
	{ "fault.pep", test_pep },
	{ "fault.cq", test_cq },
	{ "fault.endpoint", test_endpoint },
	{ "fault.commit", test_commit },
	{ "fault.mr", test_mr },
	{ "fault.pmem", test_pmem },
	{ "fault.memdev", test_memdev },
	{ }
};
