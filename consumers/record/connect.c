// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The connection to a target.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_cm.h>
#include <kfi_rma.h>

#include "record.h"

#define RECORD_CONNECT_MS	10000

static const char *const method_names[] = {
	[KFI_COMMIT_NONE]	= "any",
	[KFI_COMMIT_SERVER]	= "server",
	[KFI_COMMIT_READ]	= "read",
	[KFI_COMMIT_FLUSH]	= "flush",
};

static int record_getinfo(struct kfi_info **info)
{
	struct kfi_info *hints = kfi_allocinfo();
	char service[8];
	int err = -ENOMEM;

	if (!hints)
		return -ENOMEM;
	hints->caps = RECORD_CAPS;
	hints->ep_attr->type = KFI_EP_MSG;
	hints->domain_attr->mr_mode = KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY;
	hints->fabric_attr->prov_name = kstrdup(record_provider, GFP_KERNEL);
	if (hints->fabric_attr->prov_name) {
		snprintf(service, sizeof(service), "%u", record_port);
		err = kfi_getinfo(RECORD_API_VERSION, record_addr, service, 0,
				  hints, info);
	}
	kfi_freeinfo(hints);
	return err;
}

static int record_set_method(struct record_conn *conn)
{
	enum kfi_commit_method method;
	int index;

	index = match_string(method_names, ARRAY_SIZE(method_names),
			     record_method);
	if (index < 0)
		return index;
	method = index;
	return kfi_setopt(&conn->ep->fid, KFI_OPT_ENDPOINT,
			  KFI_OPT_COMMIT_METHOD, &method, sizeof(method));
}

static int record_open(struct record_conn *conn, struct kfi_info *info,
		       kfi_comp_handler handler, void *context)
{
	struct kfi_cq_attr cq_attr = { .format = KFI_CQ_FORMAT_CONTEXT };
	int err;

	err = kfi_fabric(info->fabric_attr, &conn->fabric, NULL);
	if (err)
		return err;
	err = kfi_eq_open(conn->fabric, NULL, &conn->eq, NULL, NULL);
	if (err)
		return err;
	err = kfi_domain(conn->fabric, info, &conn->domain, NULL);
	if (err)
		return err;
	err = kfi_cq_open(conn->domain, &cq_attr, &conn->cq, handler, context);
	if (err)
		return err;
	err = kfi_endpoint(conn->domain, info, &conn->ep, NULL);
	if (err)
		return err;
	err = kfi_setopt(&conn->ep->fid, KFI_OPT_ENDPOINT,
			 KFI_OPT_COMMIT_TIMEOUT, &record_timeout_ms,
			 sizeof(record_timeout_ms));
	if (err)
		return err;
	err = record_set_method(conn);
	if (err)
		return err;
	err = kfi_ep_bind(conn->ep, &conn->eq->fid, 0);
	if (err)
		return err;
	return kfi_ep_bind(conn->ep, &conn->cq->fid, KFI_TRANSMIT | KFI_RECV);
}

/* The target's answer comes from outside: nothing in it is taken on trust. */
static int record_learn(struct record_conn *conn, const void *data)
{
	struct record_hello hello;
	u64 len;

	memcpy(&hello, data, sizeof(hello));
	if (hello.magic != cpu_to_be32(RECORD_MAGIC))
		return -EPROTO;
	conn->addr = be64_to_cpu(hello.addr);
	conn->key = be64_to_cpu(hello.key);
	len = be64_to_cpu(hello.len);
	if (conn->addr + len < conn->addr)
		return -EPROTO;
	conn->records = div_u64(len, sizeof(struct record));
	return 0;
}

static int record_wait_connected(struct record_conn *conn)
{
	u8 buf[sizeof(struct kfi_eq_cm_entry) + sizeof(struct record_hello)]
		__aligned(8);
	struct kfi_eq_cm_entry *entry = (void *)buf;
	struct kfi_eq_err_entry failure = { };
	u32 event;
	ssize_t ret;

	ret = kfi_eq_sread(conn->eq, &event, entry, sizeof(buf),
			   RECORD_CONNECT_MS, 0);
	if (ret == -KFI_EAVAIL) {
		kfi_eq_readerr(conn->eq, &failure, 0);
		return -failure.err;
	}
	if (ret < 0)
		return ret == -EAGAIN ? -ETIMEDOUT : ret;
	if (event != KFI_CONNECTED)
		return -ECONNRESET;
	if (ret < (ssize_t)sizeof(buf))
		return -EPROTO;
	return record_learn(conn, entry->data);
}

/* For whoever wants to know what it is worth that a record is acknowledged. */
static int record_show_method(struct record_conn *conn)
{
	struct kfi_commit_info info;
	size_t len = sizeof(info);
	int err;

	err = kfi_getopt(&conn->ep->fid, KFI_OPT_ENDPOINT, KFI_OPT_COMMIT_INFO,
			 &info, &len);
	if (!err)
		pr_info("%s\n", kfi_tostr(&info, KFI_TYPE_COMMIT_INFO));
	return err;
}

/* Connect to the target; completions go to @handler, in softirq. */
int record_connect(struct record_conn *conn, kfi_comp_handler handler,
		   void *context)
{
	struct kfi_info *info;
	int err;

	memset(conn, 0, sizeof(*conn));
	err = record_getinfo(&info);
	if (err)
		return err;
	err = record_open(conn, info, handler, context);
	if (!err)
		err = kfi_connect(conn->ep, NULL, NULL, 0);
	kfi_freeinfo(info);
	if (!err)
		err = record_wait_connected(conn);
	if (!err)
		err = record_show_method(conn);
	if (err)
		record_disconnect(conn);
	return err;
}

/* When this returns, everything that was posted has completed. */
void record_disconnect(struct record_conn *conn)
{
	if (conn->ep)
		kfi_close(&conn->ep->fid);
	if (conn->cq)
		kfi_close(&conn->cq->fid);
	if (conn->domain)
		kfi_close(&conn->domain->fid);
	if (conn->eq)
		kfi_close(&conn->eq->fid);
	if (conn->fabric)
		kfi_close(&conn->fabric->fid);
	memset(conn, 0, sizeof(*conn));
}
