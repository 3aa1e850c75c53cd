// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Objects that can do nothing: each call says so, and none goes astray.
 */

#include <kfi_atomic.h>
#include <kfi_cm.h>

#include "core.h"

struct ops_fixture {
	struct kfid_fabric	fabric;
	struct kfid_domain	domain;
	struct kfid_ep		ep;
	struct kfid_pep		pep;
};

static const struct kfi_ops no_ops;
static const struct kfi_ops_fabric no_fabric_ops;
static const struct kfi_ops_domain no_domain_ops;
static const struct kfi_ops_mr no_mr_ops;
static const struct kfi_ops_ep no_ep_ops;
static const struct kfi_ops_cm no_cm_ops;
static const struct kfi_ops_msg no_msg_ops;
static const struct kfi_ops_rma no_rma_ops;
static const struct kfi_ops_atomic no_atomic_ops;

static int ops_test_init(struct kunit *test)
{
	struct ops_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	fake_fabric_init(&f->fabric);
	fake_domain_init(&f->domain);
	f->fabric.ops = &no_fabric_ops;
	f->domain.ops = &no_domain_ops;
	f->domain.mr = &no_mr_ops;
	kfi_obj_init(&f->ep.fid, KFI_CLASS_EP, &no_ops, NULL);
	f->ep.ops = &no_ep_ops;
	f->ep.cm = &no_cm_ops;
	f->ep.msg = &no_msg_ops;
	f->ep.rma = &no_rma_ops;
	f->ep.atomic = &no_atomic_ops;
	kfi_obj_init(&f->pep.fid, KFI_CLASS_PEP, &no_ops, NULL);
	f->pep.ops = &no_ep_ops;
	f->pep.cm = &no_cm_ops;
	test->priv = f;
	return 0;
}

#define EXPECT_UNSUPPORTED(test, call) \
	KUNIT_EXPECT_EQ(test, (ssize_t)(call), (ssize_t)-EOPNOTSUPP)

static void ops_of_parents(struct kunit *test)
{
	struct ops_fixture *f = test->priv;
	struct kfid_domain *domain;
	struct kfid_pep *pep;
	struct kfid_cq *cq;
	struct kfid_ep *ep;
	struct kfid_eq *eq;
	struct kfid_mr *mr;

	EXPECT_UNSUPPORTED(test, kfi_close(&f->fabric.fid));
	EXPECT_UNSUPPORTED(test, kfi_control(&f->fabric.fid, KFI_ENABLE, NULL));
	EXPECT_UNSUPPORTED(test, kfi_domain(&f->fabric, NULL, &domain, NULL));
	EXPECT_UNSUPPORTED(test, kfi_passive_ep(&f->fabric, NULL, &pep, NULL));
	EXPECT_UNSUPPORTED(test, kfi_eq_open(&f->fabric, NULL, &eq, NULL,
					     NULL));
	EXPECT_UNSUPPORTED(test, kfi_cq_open(&f->domain, NULL, &cq, NULL,
					     NULL));
	EXPECT_UNSUPPORTED(test, kfi_endpoint(&f->domain, NULL, &ep, NULL));
	EXPECT_UNSUPPORTED(test, kfi_mr_regattr(&f->domain, NULL, 0, &mr));
}

static void ops_of_endpoints(struct kunit *test)
{
	struct ops_fixture *f = test->priv;
	size_t len = 0;

	EXPECT_UNSUPPORTED(test, kfi_close(&f->ep.fid));
	EXPECT_UNSUPPORTED(test, kfi_ep_bind(&f->ep, NULL, 0));
	EXPECT_UNSUPPORTED(test, kfi_enable(&f->ep));
	EXPECT_UNSUPPORTED(test, kfi_getopt(&f->ep.fid, KFI_OPT_ENDPOINT, 0,
					    NULL, &len));
	EXPECT_UNSUPPORTED(test, kfi_setopt(&f->ep.fid, KFI_OPT_ENDPOINT, 0,
					    NULL, 0));
	EXPECT_UNSUPPORTED(test, kfi_getname(&f->ep.fid, NULL, &len));
	EXPECT_UNSUPPORTED(test, kfi_getpeer(&f->ep, NULL, &len));
	EXPECT_UNSUPPORTED(test, kfi_connect(&f->ep, NULL, NULL, 0));
	EXPECT_UNSUPPORTED(test, kfi_accept(&f->ep, NULL, 0));
	EXPECT_UNSUPPORTED(test, kfi_shutdown(&f->ep, 0));

	EXPECT_UNSUPPORTED(test, kfi_close(&f->pep.fid));
	EXPECT_UNSUPPORTED(test, kfi_pep_bind(&f->pep, NULL, 0));
	EXPECT_UNSUPPORTED(test, kfi_listen(&f->pep));
	EXPECT_UNSUPPORTED(test, kfi_reject(&f->pep, NULL, NULL, 0));
}

static void ops_of_transfers(struct kunit *test)
{
	struct ops_fixture *f = test->priv;
	struct kfid_ep *ep = &f->ep;
	u8 buf[8];

	kfi_ep_ring(ep);
	EXPECT_UNSUPPORTED(test, kfi_recvmsg(ep, NULL, 0));
	EXPECT_UNSUPPORTED(test, kfi_sendmsg(ep, NULL, 0));
	EXPECT_UNSUPPORTED(test, kfi_inject(ep, buf, 8, 0));
	EXPECT_UNSUPPORTED(test, kfi_injectdata(ep, buf, 8, 0, 0));
	EXPECT_UNSUPPORTED(test, kfi_readmsg(ep, NULL, 0));
	EXPECT_UNSUPPORTED(test, kfi_writemsg(ep, NULL, 0));
	EXPECT_UNSUPPORTED(test, kfi_inject_write(ep, buf, 8, 0, 0, 0));
	EXPECT_UNSUPPORTED(test, kfi_inject_writedata(ep, buf, 8, 0, 0, 0, 0));
	EXPECT_UNSUPPORTED(test, kfi_atomicmsg(ep, NULL, 0));
	EXPECT_UNSUPPORTED(test, kfi_inject_atomic(ep, buf, 1, 0, 0, 0,
						   KFI_UINT64, KFI_SUM));
	EXPECT_UNSUPPORTED(test, kfi_fetch_atomicmsg(ep, NULL, NULL, NULL, 0,
						     0));
	EXPECT_UNSUPPORTED(test, kfi_compare_atomicmsg(ep, NULL, NULL, NULL, 0,
						       NULL, NULL, 0, 0));
	EXPECT_UNSUPPORTED(test, kfi_atomicvalid(ep, KFI_UINT64, KFI_SUM,
						 NULL));
	EXPECT_UNSUPPORTED(test, kfi_fetch_atomicvalid(ep, KFI_UINT64, KFI_SUM,
						       NULL));
	EXPECT_UNSUPPORTED(test, kfi_compare_atomicvalid(ep, KFI_UINT64,
							 KFI_CSWAP, NULL));
}

/* A queue is whole or is not made. */
static void ops_of_queues(struct kunit *test)
{
	struct ops_fixture *f = test->priv;
	struct kfi_cq_attr attr = { };
	struct kfi_prov_cq pcq = { };
	struct kfid_eq *eq;

	KUNIT_EXPECT_EQ(test, kfi_prov_eq_open(&f->fabric, NULL, NULL, &eq,
					       NULL, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, kfi_prov_cq_init(&pcq, &f->domain, &attr, NULL,
					       NULL, &no_ops), -EINVAL);
	pcq.strerror = fake_strerror;
	KUNIT_ASSERT_EQ(test, kfi_prov_cq_init(&pcq, &f->domain, &attr, NULL,
					       NULL, &no_ops), 0);
	EXPECT_UNSUPPORTED(test, kfi_close(&pcq.cq.fid));
	KUNIT_EXPECT_TRUE(test, kfi_obj_close(&pcq.cq.fid));
	kfi_prov_cq_destroy(&pcq);
}

static struct kunit_case ops_cases[] = {
	KUNIT_CASE(ops_of_parents),
	KUNIT_CASE(ops_of_endpoints),
	KUNIT_CASE(ops_of_transfers),
	KUNIT_CASE(ops_of_queues),
	{ }
};

static struct kunit_suite ops_suite = {
	.name = "kfi_ops",
	.init = ops_test_init,
	.test_cases = ops_cases,
};

kunit_test_suite(ops_suite);
