/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What commit endpoints say to each other.
 *
 * A record goes in front of the private data of the connection request and of the
 * answer to it. Requests and replies are SENDs; an immediate of a WRITE is the
 * consumer's. All numbers are big-endian.
 */

#ifndef KFV_COMMIT_WIRE_H
#define KFV_COMMIT_WIRE_H

#include <linux/build_bug.h>
#include <linux/types.h>

#include <kfi_rma.h>

#define KFV_WIRE_MAGIC		0x6b666970	/* "kfip" */
#define KFV_WIRE_VERSION	1
/* Of endpoints with two queue pairs, which those that know one version refuse */
#define KFV_WIRE_VERSION_BOTH	2
#define KFV_WIRE_SYNC		BIT(0)
#define KFV_WIRE_SERVER		BIT(0)
#define KFV_WIRE_READ		BIT(1)
#define KFV_WIRE_FLUSH		BIT(2)

/* What a queue pair is for. The connection for messages is the second one. */
enum kfv_wire_role {
	KFV_WIRE_ONLY,		/* one-sided access; there is no other */
	KFV_WIRE_RMA,		/* one-sided access */
	KFV_WIRE_MSG,		/* messages */
};

/**
 * struct kfv_wire_record - what one end declares
 * @magic: KFV_WIRE_MAGIC
 * @version: KFV_WIRE_VERSION or KFV_WIRE_VERSION_BOTH
 * @domain: enum kfi_pmem_domain of its persistent memory
 * @flags: KFV_WIRE_SYNC
 * @methods: KFV_WIRE_SERVER, always, KFV_WIRE_READ and KFV_WIRE_FLUSH: how it can
 *	be committed to until the connection ends. Who does not know a bit does not
 *	use the method
 * @slots: commits that it takes at a time
 * @max_ranges: ranges of a commit that it takes
 * @max_inline: bytes of payload in a commit that it takes
 * @role: with KFV_WIRE_VERSION_BOTH: KFV_WIRE_RMA or KFV_WIRE_MSG; else 0
 * @reserved: 0
 * @cookie: pairs the queue pairs of one endpoint: the accepting end chooses it in its
 *	answer to the first, and the second has it
 */
struct kfv_wire_record {
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

static_assert(sizeof(struct kfv_wire_record) == 24);

/* First byte of every message */
enum kfv_wire_op {
	KFV_WIRE_COMMIT		= 1,	/* make the ranges persistent */
	KFV_WIRE_DELIVER	= 2,	/* say that earlier writes are visible */
	KFV_WIRE_REPLY		= 3,
};

#define KFV_WIRE_HAS_DATA	BIT(0)

/**
 * struct kfv_wire_range - bytes of a region
 * @addr: their address
 * @len: how many
 * @key: the region's key, with its mark
 */
struct kfv_wire_range {
	__be64	addr;
	__be64	len;
	__be64	key;
};

/**
 * struct kfv_wire_request - a request
 * @op: KFV_WIRE_COMMIT or KFV_WIRE_DELIVER
 * @nr_ranges: ranges that follow
 * @slot: where the initiator keeps it
 * @generation: of the slot
 * @data: for the target's completion, with KFV_WIRE_HAS_DATA
 * @flags: KFV_WIRE_HAS_DATA
 * @reserved: 0
 * @inline_len: bytes of payload, which follows the ranges
 * @since: generation of the oldest commit that was outstanding when this was
 *	posted: payload is not stored when one of those from there on failed
 * @reserved2: 0
 * @ranges: the ranges
 */
struct kfv_wire_request {
	u8	op;
	u8	nr_ranges;
	__be16	slot;
	__be32	generation;
	__be32	data;
	u8	flags;
	u8	reserved;
	__be16	inline_len;
	__be32	since;
	__be32	reserved2;
	struct kfv_wire_range ranges[];
};

static_assert(sizeof(struct kfv_wire_request) == 24);

enum kfv_wire_status {
	KFV_WIRE_OK,
	KFV_WIRE_ACCESS,	/* a range is not in a persistent region */
	KFV_WIRE_IO,		/* the memory device has failed */
	KFV_WIRE_BROKEN,	/* payload not stored: a commit before it failed */
};

/**
 * struct kfv_wire_reply - a reply
 * @op: KFV_WIRE_REPLY
 * @status: enum kfv_wire_status
 * @slot: of the request
 * @generation: of the request
 * @detail: of an error: a number for humans
 * @reserved: 0
 */
struct kfv_wire_reply {
	u8	op;
	u8	status;
	__be16	slot;
	__be32	generation;
	__be32	detail;
	__be32	reserved;
};

static_assert(sizeof(struct kfv_wire_reply) == 16);

/* The longest message */
#define KFV_WIRE_MAX		512
/* What this provider takes */
#define KFV_WIRE_RANGES		16
#define KFV_WIRE_INLINE		96

static_assert(sizeof(struct kfv_wire_request) +
	      KFV_WIRE_RANGES * sizeof(struct kfv_wire_range) +
	      KFV_WIRE_INLINE <= KFV_WIRE_MAX);

/**
 * struct kfv_peer - a record, checked
 * @domain: see &struct kfv_wire_record, as all others
 * @sync: see @domain
 * @methods: see @domain
 * @slots: see @domain
 * @max_ranges: see @domain
 * @max_inline: see @domain
 * @role: see @domain
 * @cookie: see @domain
 */
struct kfv_peer {
	enum kfi_pmem_domain	domain;
	bool			sync;
	u8			methods;
	unsigned int		slots;
	unsigned int		max_ranges;
	unsigned int		max_inline;
	enum kfv_wire_role	role;
	u64			cookie;
};

int kfv_wire_parse_record(const void *data, size_t len, struct kfv_peer *peer);
void kfv_wire_put_record(struct kfv_wire_record *rec,
			 const struct kfv_peer *peer);
bool kfv_wire_request_valid(const struct kfv_wire_request *req, size_t len);
bool kfv_wire_reply_valid(const struct kfv_wire_reply *reply, size_t len);

#endif /* KFV_COMMIT_WIRE_H */
