/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How many round trips durable writes take.
 */

#ifndef KFI_TRIPS_H
#define KFI_TRIPS_H

#include <linux/sizes.h>
#include <linux/types.h>

#include <kfabric.h>
#include <kfi_domain.h>
#include <kfi_endpoint.h>
#include <kfi_eq.h>

/* What the target lends, and as much of the initiator's memory */
#define TRIPS_LEN	SZ_1M

#define TRIPS_MAGIC	0x6b666974	/* "kfit" */

/**
 * struct trips_hello - where the memory of one end is
 * @magic: TRIPS_MAGIC
 * @reserved: 0
 * @addr: its first address, for RMA
 * @key: its key
 */
struct trips_hello {
	__be32	magic;
	__be32	reserved;
	__be64	addr;
	__be64	key;
};

/**
 * struct trips_conn - one end of a connection
 * @info: what it was opened with
 * @fabric: the fabric
 * @eq: events
 * @domain: the domain
 * @cq: completions of both directions
 * @ep: the endpoint
 * @mr: the region that the peer may write to
 * @addr: first address of the peer's region
 * @key: its key
 */
struct trips_conn {
	struct kfi_info		*info;
	struct kfid_fabric	*fabric;
	struct kfid_eq		*eq;
	struct kfid_domain	*domain;
	struct kfid_cq		*cq;
	struct kfid_ep		*ep;
	struct kfid_mr		*mr;
	u64			addr;
	u64			key;
};

/* trips.c */
extern char *trips_provider;
extern char *trips_addr;
extern ushort trips_port;

/* trips_conn.c */
int trips_open(struct trips_conn *conn, u64 flags);
int trips_register(struct trips_conn *conn, void *buf, u64 flags);
int trips_endpoint(struct trips_conn *conn, struct kfi_info *info,
		   kfi_comp_handler handler);
void trips_hello(struct trips_conn *conn, struct trips_hello *hello);
int trips_learn(struct trips_conn *conn, const void *data, size_t len);
ssize_t trips_event(struct trips_conn *conn, u32 expected, void *buf,
		    size_t len, int timeout_ms);
void trips_close_endpoint(struct trips_conn *conn);
void trips_close(struct trips_conn *conn);

/* trips_target.c */
int trips_target(const char *pmem, unsigned int clients);

#endif /* KFI_TRIPS_H */
