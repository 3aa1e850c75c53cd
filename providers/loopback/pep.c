// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Passive endpoints.
 */

#include <linux/err.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <kfi_errno.h>

#include "conn.h"
#include "loopback.h"

static struct lo_pep *lo_pep_of(struct kfid *fid)
{
	return container_of(fid, struct lo_pep, pep.fid);
}

static int lo_pep_close(struct kfid *fid)
{
	struct lo_pep *pep = lo_pep_of(fid);
	unsigned int noio;

	if (!kfi_obj_close(fid))
		return -EBUSY;
	lo_names_lock(&noio);
	lo_name_drop(pep->name);
	lo_names_unlock(noio);
	if (pep->eq) {
		kfi_eq_flush(pep->eq, fid);
		kfi_obj_put(&pep->eq->fid);
	}
	kfi_obj_put(&pep->fabric->fabric.fid);
	mutex_destroy(&pep->lock);
	kfree(pep);
	return 0;
}

static int lo_pep_bind(struct kfid *fid, struct kfid *bfid, u64 flags)
{
	struct lo_pep *pep = lo_pep_of(fid);
	int ret;

	if (!bfid)
		return -EINVAL;
	mutex_lock(&pep->lock);
	if (pep->listening)
		ret = -KFI_EOPBADSTATE;
	else
		ret = kfi_prov_bind_eq(&pep->eq, &pep->fabric->fabric, bfid,
				       flags);
	mutex_unlock(&pep->lock);
	return ret;
}

/* The event queue bounds the requests that wait, so a backlog is met by any. */
static int lo_pep_control(struct kfid *fid, int command, void *arg)
{
	struct lo_pep *pep = lo_pep_of(fid);
	const int *backlog = arg;
	int ret;

	if (command != KFI_BACKLOG)
		return -EOPNOTSUPP;
	if (!backlog || *backlog <= 0)
		return -EINVAL;
	mutex_lock(&pep->lock);
	ret = pep->listening ? -KFI_EOPBADSTATE : 0;
	mutex_unlock(&pep->lock);
	return ret;
}

static const struct kfi_ops lo_pep_fid_ops = {
	.owner		= THIS_MODULE,
	.close		= lo_pep_close,
	.bind		= lo_pep_bind,
	.control	= lo_pep_control,
};

static const struct kfi_ops_ep lo_pep_ops = { };

static int lo_pep_getname(struct kfid *fid, void *addr, size_t *addrlen)
{
	return lo_get_addr(&lo_pep_of(fid)->name->addr, addr, addrlen);
}

static int lo_listen(struct kfid_pep *pep)
{
	struct lo_pep *lo = lo_pep_of(&pep->fid);
	unsigned int noio;
	int ret = 0;

	mutex_lock(&lo->lock);
	lo_names_lock(&noio);
	if (!lo->eq)
		ret = -KFI_ENOEQ;
	else if (lo->listening)
		ret = -KFI_EOPBADSTATE;
	else
		lo->listening = true;
	lo_names_unlock(noio);
	mutex_unlock(&lo->lock);
	return ret;
}

static const struct kfi_ops_cm lo_pep_cm_ops = {
	.getname	= lo_pep_getname,
	.listen		= lo_listen,
	.reject		= lo_reject,
};

static int lo_pep_addr(const struct kfi_info *info,
		       struct sockaddr_storage *addr)
{
	int ret;

	ret = lo_addr_copy(addr, info->src_addr, info->src_addrlen);
	if (ret || addr->ss_family)
		return ret;
	/* All zeroes: any address, any port */
	addr->ss_family = info->addr_format == KFI_SOCKADDR_IN6 ? AF_INET6 :
								  AF_INET;
	return 0;
}

static int lo_pep_take_name(struct lo_pep *pep, const struct kfi_info *info)
{
	struct sockaddr_storage addr;
	struct lo_name *name;
	unsigned int noio;
	int ret;

	ret = lo_pep_addr(info, &addr);
	if (ret)
		return ret;
	lo_names_lock(&noio);
	name = lo_name_take(pep->fabric->net, &addr);
	if (IS_ERR(name)) {
		ret = PTR_ERR(name);
	} else {
		name->pep = pep;
		pep->name = name;
	}
	lo_names_unlock(noio);
	return ret;
}

/* What the consumer asked for is what its requests are offered with. */
static void lo_pep_set_attrs(struct lo_pep *pep, const struct kfi_info *info)
{
	pep->tx_size = KFI_DEFAULT_TX_SIZE;
	pep->rx_size = KFI_DEFAULT_RX_SIZE;
	if (info->tx_attr) {
		pep->tx_op_flags = info->tx_attr->op_flags;
		if (info->tx_attr->size)
			pep->tx_size = info->tx_attr->size;
	}
	if (info->rx_attr) {
		pep->rx_op_flags = info->rx_attr->op_flags;
		if (info->rx_attr->size)
			pep->rx_size = info->rx_attr->size;
	}
}

int lo_pep_open(struct kfid_fabric *fabric, struct kfi_info *info,
		struct kfid_pep **pep, void *context, const char *owner)
{
	struct lo_pep *lo;
	int ret;

	if (!info || !pep ||
	    (info->tx_attr && kfi_check_tx_op_flags(info->tx_attr->op_flags)))
		return -EINVAL;
	if (kfi_info_mismatch(lo_offer(kfi_kind_of(info->caps)), info))
		return -EOPNOTSUPP;
	lo = kzalloc_obj(*lo);
	if (!lo)
		return -ENOMEM;
	lo->fabric = container_of(fabric, struct lo_fabric, fabric);
	lo->kind = kfi_kind_of(info->caps);
	mutex_init(&lo->lock);
	lo_pep_set_attrs(lo, info);
	lo->pep.ops = &lo_pep_ops;
	lo->pep.cm = &lo_pep_cm_ops;
	kfi_obj_init(&lo->pep.fid, KFI_CLASS_PEP, &lo_pep_fid_ops, context);
	ret = -EINVAL;
	if (!kfi_obj_get(&fabric->fid))
		goto err_free;
	ret = lo_pep_take_name(lo, info);
	if (ret)
		goto err_fabric;
	*pep = &lo->pep;
	return 0;

err_fabric:
	kfi_obj_put(&fabric->fid);
err_free:
	mutex_destroy(&lo->lock);
	kfree(lo);
	return ret;
}
