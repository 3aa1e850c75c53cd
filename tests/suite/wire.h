/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The commit protocol as a stranger would write it: the format once more, so that
 * a change of it does not pass unnoticed, and a raw endpoint that speaks it.
 */

#ifndef KFI_SUITE_WIRE_H
#define KFI_SUITE_WIRE_H

#include <kfi_pmem.h>
#include <kfi_pmemsim.h>

#include "suite.h"

#define WIRE_MAGIC	0x6b666970
#define WIRE_VERSION	1
#define WIRE_VERSION_BOTH	2
#define WIRE_SYNC	BIT(0)
#define WIRE_SERVER	BIT(0)
#define WIRE_READ	BIT(1)
#define WIRE_FLUSH	BIT(2)
#define WIRE_RANGES	16
#define WIRE_INLINE	96
#define WIRE_MAX	512
#define WIRE_MARK	BIT_ULL(32)

enum {
	WIRE_COMMIT	= 1,
	WIRE_DELIVER	= 2,
	WIRE_REPLY	= 3,
};

enum {
	WIRE_OK,
	WIRE_ACCESS,
	WIRE_IO,
	WIRE_BROKEN,
};

enum {
	WIRE_ROLE_RMA	= 1,
	WIRE_ROLE_MSG	= 2,
};

/* In front of the private data of both connection messages */
struct wire_record {
	__be32	magic;
	u8	version;
	u8	domain;
	u8	flags;
	u8	methods;
	__be16	slots;
	u8	max_ranges;
	u8	max_inline;
	u8	role;
	u8	reserved[3];
	__be64	cookie;
};

struct wire_range {
	__be64	addr;
	__be64	len;
	__be64	key;
};

struct wire_request {
	u8			op;
	u8			nr_ranges;
	__be16			slot;
	__be32			generation;
	__be32			data;
	u8			flags;
	u8			reserved;
	__be16			inline_len;
	__be32			since;
	__be32			reserved2;
	struct wire_range	ranges[WIRE_RANGES];
};

struct wire_reply {
	u8	op;
	u8	status;
	__be16	slot;
	__be32	generation;
	__be32	detail;
	__be32	reserved;
};

#define WIRE_MEM_LEN	65536
#define WIRE_RECVS	4

/**
 * struct wire - a connection one end of which is a stranger
 * @t: the test
 * @net: the net
 * @info: what @a was opened with
 * @a: connects
 * @b: accepts
 * @sim: simulator of @b's memory
 * @pmem: its memory device
 * @mem: the memory
 * @mr: its region
 * @out: what the stranger sends
 * @in: what it receives, or what the other end writes from
 */
struct wire {
	struct suite		*t;
	struct suite_net	net;
	struct kfi_info		*info;
	struct suite_end	a;
	struct suite_end	b;
	struct kfi_pmemsim	*sim;
	struct kfi_pmem		*pmem;
	u8			*mem;
	struct kfid_mr		*mr;
	u8			*out;
	u8			*in;
};

bool wire_open(struct suite *t, struct wire *w, u64 listener, u64 caller);
bool wire_reopen(struct wire *w);
void wire_close(struct wire *w);
bool wire_works(struct suite *t);
void wire_good_record(struct wire_record *rec);
void wire_read_record(struct wire_record *rec);
bool wire_call(struct wire *w, const void *data, size_t len);
bool wire_connect(struct wire *w, const void *req, size_t req_len,
		  const void *rep, size_t rep_len);
void wire_expect_closed(struct wire *w);

#endif /* KFI_SUITE_WIRE_H */
