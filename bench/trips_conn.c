// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What both ends need.
 */

#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_cm.h>

#include "trips.h"

static int trips_getinfo(struct kfi_info **info, u64 flags)
{
	struct kfi_info *hints = kfi_allocinfo();
	char service[8];
	int err = -ENOMEM;

	if (!hints)
		return -ENOMEM;
	hints->caps = KFI_RMA | KFI_RMA_PMEM;
	hints->ep_attr->type = KFI_EP_MSG;
	hints->domain_attr->mr_mode = KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY;
	hints->fabric_attr->prov_name = kstrdup(trips_provider, GFP_KERNEL);
	if (hints->fabric_attr->prov_name) {
		snprintf(service, sizeof(service), "%u", trips_port);
		err = kfi_getinfo(KFI_VERSION(1, 7), trips_addr, service, flags,
				  hints, info);
	}
	kfi_freeinfo(hints);
	return err;
}

/* All but the endpoint and the region; trips_close() also after errors. */
int trips_open(struct trips_conn *conn, u64 flags)
{
	int err;

	memset(conn, 0, sizeof(*conn));
	err = trips_getinfo(&conn->info, flags);
	if (err)
		return err;
	err = kfi_fabric(conn->info->fabric_attr, &conn->fabric, NULL);
	if (err)
		return err;
	err = kfi_eq_open(conn->fabric, NULL, &conn->eq, NULL, NULL);
	if (err)
		return err;
	return kfi_domain(conn->fabric, conn->info, &conn->domain, NULL);
}

int trips_register(struct trips_conn *conn, void *buf, u64 flags)
{
	return kfi_mr_reg(conn->domain, buf, TRIPS_LEN,
			  KFI_REMOTE_READ | KFI_REMOTE_WRITE, 0, 0, flags,
			  &conn->mr, NULL);
}

/* Where this end's region is */
void trips_hello(struct trips_conn *conn, struct trips_hello *hello)
{
	*hello = (struct trips_hello) {
		.magic = cpu_to_be32(TRIPS_MAGIC),
		.addr = cpu_to_be64(conn->mr->iova),
		.key = cpu_to_be64(kfi_mr_key(conn->mr)),
	};
}

/* Where the peer's is */
int trips_learn(struct trips_conn *conn, const void *data, size_t len)
{
	struct trips_hello hello;

	if (len < sizeof(hello))
		return -EPROTO;
	memcpy(&hello, data, sizeof(hello));
	if (hello.magic != cpu_to_be32(TRIPS_MAGIC))
		return -EPROTO;
	conn->addr = be64_to_cpu(hello.addr);
	conn->key = be64_to_cpu(hello.key);
	return 0;
}

/* An endpoint whose completions go to @handler, in softirq */
int trips_endpoint(struct trips_conn *conn, struct kfi_info *info,
		   kfi_comp_handler handler)
{
	struct kfi_cq_attr attr = {
		.size = info->tx_attr->size + info->rx_attr->size,
		.format = KFI_CQ_FORMAT_DATA,
	};
	int err;

	err = kfi_cq_open(conn->domain, &attr, &conn->cq, handler, conn);
	if (err)
		return err;
	err = kfi_endpoint(conn->domain, info, &conn->ep, conn);
	if (err)
		return err;
	err = kfi_ep_bind(conn->ep, &conn->eq->fid, 0);
	if (err)
		return err;
	return kfi_ep_bind(conn->ep, &conn->cq->fid, KFI_TRANSMIT | KFI_RECV);
}

/* The next event, which is @expected; returns the bytes of its data. */
ssize_t trips_event(struct trips_conn *conn, u32 expected, void *buf,
		    size_t len, int timeout_ms)
{
	struct kfi_eq_err_entry failure = { };
	u32 event;
	ssize_t ret;

	ret = kfi_eq_sread(conn->eq, &event, buf, len, timeout_ms, 0);
	if (ret == -KFI_EAVAIL) {
		kfi_eq_readerr(conn->eq, &failure, 0);
		return -failure.err;
	}
	if (ret < 0)
		return ret == -EAGAIN ? -ETIMEDOUT : ret;
	if (event != expected)
		return -ECONNRESET;
	return ret - sizeof(struct kfi_eq_cm_entry);
}

void trips_close_endpoint(struct trips_conn *conn)
{
	if (conn->ep)
		kfi_close(&conn->ep->fid);
	if (conn->cq)
		kfi_close(&conn->cq->fid);
	conn->ep = NULL;
	conn->cq = NULL;
}

void trips_close(struct trips_conn *conn)
{
	trips_close_endpoint(conn);
	if (conn->mr)
		kfi_close(&conn->mr->fid);
	if (conn->domain)
		kfi_close(&conn->domain->fid);
	if (conn->eq)
		kfi_close(&conn->eq->fid);
	if (conn->fabric)
		kfi_close(&conn->fabric->fid);
	kfi_freeinfo(conn->info);
}
