// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * From a provider's name to an endpoint that can transfer.
 */

#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_cm.h>

#include "perf.h"

/* The provider answers a connection attempt that nobody does, but a client that
 * waits for an event waits with a limit.
 */
#define PERF_CONNECT_MS	10000

/* The first thing that the provider offers for @caps */
int perf_getinfo(u64 caps, u64 flags, struct kfi_info **info)
{
	struct kfi_info *hints = kfi_allocinfo();
	char service[8];
	int err = -ENOMEM;

	if (!hints)
		return -ENOMEM;
	hints->caps = caps;
	hints->mode = KFI_RX_CQ_DATA;
	hints->ep_attr->type = KFI_EP_MSG;
	hints->domain_attr->mr_mode = KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY;
	hints->fabric_attr->prov_name = kstrdup(perf_provider, GFP_KERNEL);
	if (hints->fabric_attr->prov_name) {
		snprintf(service, sizeof(service), "%u", perf_port);
		err = kfi_getinfo(PERF_API_VERSION, perf_addr, service, flags,
				  hints, info);
	}
	kfi_freeinfo(hints);
	return err;
}

/*
 * An endpoint for kfi_connect(), or for kfi_accept() when @info is that of a
 * connection request.
 */
int perf_conn_open(struct perf_conn *conn, struct kfid_fabric *fabric,
		   struct kfid_eq *eq, struct kfi_info *info,
		   kfi_comp_handler handler, void *context)
{
	struct kfi_cq_attr cq_attr = {
		.size = info->tx_attr->size + info->rx_attr->size,
		.format = KFI_CQ_FORMAT_DATA,
	};
	int err;

	memset(conn, 0, sizeof(*conn));
	/* vmalloc() would be a segment for each page, more than a device takes */
	conn->buf = kzalloc(PERF_MAX_SIZE, GFP_KERNEL);
	if (!conn->buf)
		return -ENOMEM;
	err = kfi_domain(fabric, info, &conn->domain, NULL);
	if (err)
		goto fail;
	err = kfi_cq_open(conn->domain, &cq_attr, &conn->cq, handler, context);
	if (err)
		goto fail;
	err = kfi_endpoint(conn->domain, info, &conn->ep, context);
	if (err)
		goto fail;
	err = kfi_ep_bind(conn->ep, &eq->fid, 0);
	if (err)
		goto fail;
	err = kfi_ep_bind(conn->ep, &conn->cq->fid, KFI_TRANSMIT | KFI_RECV);
	if (err)
		goto fail;
	err = kfi_enable(conn->ep);
	if (err)
		goto fail;
	return 0;

fail:
	perf_conn_close(conn);
	return err;
}

/*
 * Children before parents. Closing the endpoint ends the connection and
 * everything under way, so the buffer is ours again after it.
 */
void perf_conn_close(struct perf_conn *conn)
{
	if (conn->ep)
		kfi_close(&conn->ep->fid);
	if (conn->cq)
		kfi_close(&conn->cq->fid);
	if (conn->domain)
		kfi_close(&conn->domain->fid);
	kfree(conn->buf);
	memset(conn, 0, sizeof(*conn));
}

/* Connect to the server, wait for its answer, and learn where its memory is. */
int perf_connect(struct perf_conn *conn, struct kfid_eq *eq,
		 struct perf_hello *hello)
{
	u8 buf[sizeof(struct kfi_eq_cm_entry) + sizeof(*hello)] __aligned(8);
	struct kfi_eq_cm_entry *entry = (void *)buf;
	struct kfi_eq_err_entry failure = { };
	u32 event;
	ssize_t ret;

	ret = kfi_connect(conn->ep, NULL, NULL, 0);
	if (ret)
		return ret;
	ret = kfi_eq_sread(eq, &event, entry, sizeof(buf), PERF_CONNECT_MS, 0);
	if (ret == -KFI_EAVAIL) {
		kfi_eq_readerr(eq, &failure, 0);
		return -failure.err;
	}
	if (ret < 0)
		return ret == -EAGAIN ? -ETIMEDOUT : ret;
	if (event != KFI_CONNECTED)
		return -ECONNRESET;

	if (ret < (ssize_t)sizeof(buf))
		return -EPROTO;
	memcpy(hello, entry->data, sizeof(*hello));
	return hello->magic == cpu_to_be32(PERF_MAGIC) ? 0 : -EPROTO;
}
