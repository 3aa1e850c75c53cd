// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The target: lends a memory device to one client after the other. When it is told
 * of data, which is when that is persistent, it writes back at once.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>

#include <kfi_cm.h>
#include <kfi_pmem.h>
#include <kfi_rma.h>

#include "trips.h"

/* Somebody has to start the client, or it has a lot to do. */
#define TRIPS_PATIENCE_MS	300000

/* Softirq. An error is that of a connection that ends. */
static void target_complete(struct kfid_cq *cq, void *context)
{
	struct kfi_cq_err_entry failure;
	struct trips_conn *conn = context;
	struct kfi_cq_data_entry comp;
	ssize_t nr;

	while ((nr = kfi_cq_read(cq, &comp, 1)) != -EAGAIN) {
		if (nr == -KFI_EAVAIL)
			kfi_cq_readerr(cq, &failure, 0);
		else if (comp.flags & KFI_REMOTE_CQ_DATA)
			kfi_inject_writedata(conn->ep, &comp.data,
					     sizeof(comp.data), comp.data,
					     KFI_ADDR_UNSPEC, conn->addr,
					     conn->key);
	}
}

static int target_accept(struct trips_conn *conn)
{
	u8 buf[sizeof(struct kfi_eq_cm_entry) + sizeof(struct trips_hello)]
		__aligned(8);
	struct kfi_eq_cm_entry *entry = (void *)buf;
	struct trips_hello hello;
	ssize_t len;
	int err;

	len = trips_event(conn, KFI_CONNREQ, buf, sizeof(buf),
			  TRIPS_PATIENCE_MS);
	if (len < 0)
		return len;
	err = trips_learn(conn, entry->data, len);
	if (!err)
		err = trips_endpoint(conn, entry->info, target_complete);
	trips_hello(conn, &hello);
	if (!err)
		err = kfi_accept(conn->ep, &hello, sizeof(hello));
	/* a request that is not accepted is rejected by that */
	kfi_freeinfo(entry->info);
	return err;
}

/* From a client's request until it has gone */
static int target_serve(struct trips_conn *conn)
{
	u8 buf[sizeof(struct kfi_eq_cm_entry)] __aligned(8);
	ssize_t err;

	err = target_accept(conn);
	if (!err)
		err = trips_event(conn, KFI_CONNECTED, buf, sizeof(buf),
				  TRIPS_PATIENCE_MS);
	if (err >= 0)
		err = trips_event(conn, KFI_SHUTDOWN, buf, sizeof(buf),
				  TRIPS_PATIENCE_MS);
	trips_close_endpoint(conn);
	return err < 0 ? err : 0;
}

static int target_listen(struct trips_conn *conn, struct kfid_pep **pep)
{
	int err;

	err = kfi_passive_ep(conn->fabric, conn->info, pep, NULL);
	if (err)
		return err;
	err = kfi_pep_bind(*pep, &conn->eq->fid, 0);
	if (err)
		return err;
	return kfi_listen(*pep);
}

/* Returns when that many clients have come and gone. */
int trips_target(const char *path, unsigned int clients)
{
	struct kfi_pmem *pmem = kfi_pmem_open(path, &trips_target);
	struct kfid_pep *pep = NULL;
	struct trips_conn conn;
	int err;

	if (IS_ERR(pmem))
		return PTR_ERR(pmem);
	err = trips_open(&conn, KFI_SOURCE);
	if (!err)
		err = trips_register(&conn, kfi_pmem_addr(pmem), KFI_PMEM);
	if (!err)
		err = target_listen(&conn, &pep);
	if (!err)
		pr_info("listening\n");
	while (!err && clients--)
		err = target_serve(&conn);
	if (pep)
		kfi_close(&pep->fid);
	trips_close(&conn);
	kfi_pmem_close(pmem);
	return err;
}
