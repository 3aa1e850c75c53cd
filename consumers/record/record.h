/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Records in a peer's persistent memory.
 */

#ifndef KFI_RECORD_H
#define KFI_RECORD_H

#include <linux/build_bug.h>
#include <linux/types.h>

#include <kfabric.h>
#include <kfi_domain.h>
#include <kfi_endpoint.h>
#include <kfi_eq.h>

#define RECORD_API_VERSION	KFI_VERSION(1, 7)
#define RECORD_CAPS		(KFI_RMA | KFI_RMA_PMEM)

/**
 * struct record - a record as it lies on the media, one after the other
 * @run: which run of the writer it is of; what an earlier one left is not found
 * @seq: its number, from 1 on
 * @payload: different for every record
 * @crc: crc32c of all before
 */
struct record {
	__le64	run;
	__le64	seq;
	u8	payload[492];
	__le32	crc;
};

static_assert(sizeof(struct record) == 512);

#define RECORD_MAGIC	0x6b666972	/* "kfir" */

/**
 * struct record_hello - where the target's memory is, sent when it accepts
 * @magic: RECORD_MAGIC
 * @reserved: 0
 * @len: bytes of it
 * @addr: its first address, for RMA
 * @key: its key
 */
struct record_hello {
	__be32	magic;
	__be32	reserved;
	__be64	len;
	__be64	addr;
	__be64	key;
};

/**
 * struct record_conn - the connection to a target
 * @fabric: the fabric
 * @eq: events of @ep
 * @domain: the domain
 * @cq: completions
 * @ep: the endpoint
 * @addr: first address of the target's memory
 * @key: its key
 * @records: records that have room there
 */
struct record_conn {
	struct kfid_fabric	*fabric;
	struct kfid_eq		*eq;
	struct kfid_domain	*domain;
	struct kfid_cq		*cq;
	struct kfid_ep		*ep;
	u64			addr;
	u64			key;
	u64			records;
};

/* connect.c */
int record_connect(struct record_conn *conn, kfi_comp_handler handler,
		   void *context);
void record_disconnect(struct record_conn *conn);

/* main.c */
extern char *record_provider;
extern char *record_addr;
extern ushort record_port;
extern char *record_method;
extern ulong record_run;
extern unsigned int record_count;
extern unsigned int record_window;
extern bool record_plain;
extern unsigned int record_timeout_ms;
extern unsigned int record_sent;
extern unsigned int record_acknowledged;

/* With plain=1 every other record is only written, the first one included. */
static inline bool record_committed(u64 seq)
{
	return !record_plain || seq % 2 == 0;
}

/* write.c */
int record_write(void);

/* verify.c */
int record_verify(void);

#endif /* KFI_RECORD_H */
