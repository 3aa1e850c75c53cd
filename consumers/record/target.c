// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kfi_record_target: lends a memory device to one peer at a time. After the
 * connection is made the consumer here has nothing to do: writes are the
 * device's business, commits the provider's.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_cm.h>
#include <kfi_pmem.h>

#include "record.h"

static char *provider = "loopback";
module_param(provider, charp, 0444);
MODULE_PARM_DESC(provider, "provider to use");

static char *addr = "127.0.0.1";
module_param(addr, charp, 0444);
MODULE_PARM_DESC(addr, "address to listen on, IPv4 or IPv6");

static ushort port = 7472;
module_param(port, ushort, 0444);
MODULE_PARM_DESC(port, "port to listen on");

static char *pmem;
module_param(pmem, charp, 0444);
MODULE_PARM_DESC(pmem, "memory device: pmemsim:0, /dev/pmem0");

static uint size = SZ_2M;
module_param(size, uint, 0444);
MODULE_PARM_DESC(size, "bytes of it that are lent");

/* The target; there is one. */
static struct {
	struct kfi_pmem		*pmem;
	struct kfid_fabric	*fabric;
	struct kfid_domain	*domain;
	struct kfid_eq		*eq;
	struct kfid_cq		*cq;
	struct kfid_mr		*mr;
	struct kfid_pep		*pep;
	struct record_hello	hello;
	/* protects @ep and @stopping: events come while the module unloads */
	struct mutex		lock;
	struct kfid_ep		*ep;
	bool			stopping;
} target = {
	.lock = __MUTEX_INITIALIZER(target.lock),
};

/* Nothing is posted here, so there is nothing to learn. */
static void target_complete(struct kfid_cq *cq, void *context)
{
	struct kfi_cq_err_entry failure;
	struct kfi_cq_entry comp;
	ssize_t nr;

	while ((nr = kfi_cq_read(cq, &comp, 1)) != -EAGAIN)
		if (nr == -KFI_EAVAIL)
			kfi_cq_readerr(cq, &failure, 0);
}

static void target_drop_peer(void)
{
	if (target.ep)
		kfi_close(&target.ep->fid);
	target.ep = NULL;
}

/*
 * Whoever comes last has the memory: a peer whose host was restarted comes back
 * long before its old connection is found dead.
 */
static int target_accept(struct kfi_info *info)
{
	int err;

	target_drop_peer();
	err = kfi_endpoint(target.domain, info, &target.ep, NULL);
	if (err)
		return err;
	err = kfi_ep_bind(target.ep, &target.eq->fid, 0);
	if (!err)
		err = kfi_ep_bind(target.ep, &target.cq->fid,
				  KFI_TRANSMIT | KFI_RECV);
	if (!err)
		err = kfi_accept(target.ep, &target.hello,
				 sizeof(target.hello));
	if (err)
		target_drop_peer();
	return err;
}

/* A request that is not accepted is rejected when its info is freed. */
static void target_connreq(struct kfi_info *info)
{
	int err = -EOPNOTSUPP;

	if (!target.stopping) {
		if (info->caps & KFI_RMA_PMEM)
			err = target_accept(info);
		if (err)
			pr_warn_ratelimited("%pISpc was not accepted: %s\n",
					    info->dest_addr,
					    kfi_strerror(-err));
	}
	kfi_freeinfo(info);
}

static void target_event(struct kfid_eq *eq, void *context)
{
	struct kfi_eq_err_entry failure;
	struct kfi_eq_cm_entry entry;
	u32 event;
	ssize_t ret;

	while ((ret = kfi_eq_read(eq, &event, &entry, sizeof(entry), 0)) !=
	       -EAGAIN) {
		if (ret == -KFI_EAVAIL) {
			failure = (struct kfi_eq_err_entry) { };
			kfi_eq_readerr(eq, &failure, 0);
			entry.fid = failure.fid;
			event = KFI_SHUTDOWN;
		}
		mutex_lock(&target.lock);
		if (event == KFI_CONNREQ)
			target_connreq(entry.info);
		else if (event == KFI_SHUTDOWN && target.ep &&
			 entry.fid == &target.ep->fid)
			target_drop_peer();
		mutex_unlock(&target.lock);
	}
}

static int target_getinfo(struct kfi_info **info)
{
	struct kfi_info *hints = kfi_allocinfo();
	char service[8];
	int err = -ENOMEM;

	if (!hints)
		return -ENOMEM;
	hints->caps = RECORD_CAPS;
	hints->ep_attr->type = KFI_EP_MSG;
	hints->domain_attr->mr_mode = KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY;
	hints->fabric_attr->prov_name = kstrdup(provider, GFP_KERNEL);
	if (hints->fabric_attr->prov_name) {
		snprintf(service, sizeof(service), "%u", port);
		err = kfi_getinfo(RECORD_API_VERSION, addr, service, KFI_SOURCE,
				  hints, info);
	}
	kfi_freeinfo(hints);
	return err;
}

/* Peers hear of it by themselves: their connections end. */
static void target_revoked(struct kfi_pmem *device, void *context)
{
	pr_warn("%s has failed, or was removed, or lost its power: load this module again to lend it\n",
		pmem);
}

static int target_register(void)
{
	size_t len = min_t(size_t, size, kfi_pmem_len(target.pmem));
	int err;

	err = kfi_mr_reg(target.domain, kfi_pmem_addr(target.pmem), len,
			 KFI_REMOTE_READ | KFI_REMOTE_WRITE, 0, 0, KFI_PMEM,
			 &target.mr, NULL);
	if (err)
		return err;
	target.hello = (struct record_hello) {
		.magic = cpu_to_be32(RECORD_MAGIC),
		.len = cpu_to_be64(len),
		.addr = cpu_to_be64(target.mr->iova),
		.key = cpu_to_be64(kfi_mr_key(target.mr)),
	};
	return 0;
}

static int target_open(struct kfi_info *info)
{
	struct kfi_cq_attr cq_attr = { .format = KFI_CQ_FORMAT_CONTEXT };
	int err;

	err = kfi_fabric(info->fabric_attr, &target.fabric, NULL);
	if (err)
		return err;
	err = kfi_domain(target.fabric, info, &target.domain, NULL);
	if (err)
		return err;
	err = target_register();
	if (err)
		return err;
	err = kfi_cq_open(target.domain, &cq_attr, &target.cq, target_complete,
			  NULL);
	if (err)
		return err;
	err = kfi_eq_open(target.fabric, NULL, &target.eq, target_event, NULL);
	if (err)
		return err;
	err = kfi_passive_ep(target.fabric, info, &target.pep, NULL);
	if (err)
		return err;
	err = kfi_pep_bind(target.pep, &target.eq->fid, 0);
	if (err)
		return err;
	return kfi_listen(target.pep);
}

static void target_close(void)
{
	mutex_lock(&target.lock);
	target.stopping = true;
	target_drop_peer();
	mutex_unlock(&target.lock);

	if (target.pep)
		kfi_close(&target.pep->fid);
	if (target.eq)
		kfi_close(&target.eq->fid);
	if (target.cq)
		kfi_close(&target.cq->fid);
	if (target.mr)
		kfi_close(&target.mr->fid);
	if (target.domain)
		kfi_close(&target.domain->fid);
	if (target.fabric)
		kfi_close(&target.fabric->fid);
	kfi_pmem_close(target.pmem);
}

static int __init target_init(void)
{
	struct kfi_info *info;
	int err;

	if (!pmem)
		return -EINVAL;
	target.pmem = kfi_pmem_open(pmem, &target);
	if (IS_ERR(target.pmem)) {
		err = PTR_ERR(target.pmem);
		pr_err("%s: %s\n", pmem, kfi_strerror(-err));
		return err;
	}
	err = kfi_pmem_set_handler(target.pmem, target_revoked, NULL);
	if (!err)
		err = target_getinfo(&info);
	if (!err) {
		err = target_open(info);
		kfi_freeinfo(info);
	}
	if (err) {
		pr_err("cannot listen on %s: %s\n", addr, kfi_strerror(-err));
		target_close();
	}
	return err;
}
module_init(target_init);

static void __exit target_exit(void)
{
	target_close();
}
module_exit(target_exit);

MODULE_DESCRIPTION("kfabric consumer that lends persistent memory to a peer");
MODULE_LICENSE("Dual BSD/GPL");
