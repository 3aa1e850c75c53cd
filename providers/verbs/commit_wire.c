// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What commit endpoints say to each other, and whether it makes sense: all of it
 * comes from a peer that is not to be trusted.
 */

#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "commit_wire.h"

static bool kfv_wire_role_valid(const struct kfv_wire_record *rec)
{
	if (rec->version != KFV_WIRE_VERSION_BOTH)
		return rec->version == KFV_WIRE_VERSION;
	return rec->role == KFV_WIRE_RMA || rec->role == KFV_WIRE_MSG;
}

/*
 * Reads the record at the front of private data. Return: 0; -ENOMSG when there is
 * none; -EPROTONOSUPPORT when it is of another version or makes no sense.
 */
int kfv_wire_parse_record(const void *data, size_t len, struct kfv_peer *peer)
{
	struct kfv_wire_record rec;

	if (len < sizeof(rec))
		return -ENOMSG;
	memcpy(&rec, data, sizeof(rec));
	if (be32_to_cpu(rec.magic) != KFV_WIRE_MAGIC)
		return -ENOMSG;
	if (!kfv_wire_role_valid(&rec) ||
	    rec.domain > KFI_PMEM_DOMAIN_CPU_CACHE ||
	    !(rec.methods & KFV_WIRE_SERVER) || !rec.slots || !rec.max_ranges)
		return -EPROTONOSUPPORT;
	peer->domain = rec.domain;
	peer->sync = rec.flags & KFV_WIRE_SYNC;
	peer->methods = rec.methods;
	/* A device proves nothing where it is not known what is persistent, or when. */
	if (!peer->domain || !peer->sync)
		peer->methods &= ~(KFV_WIRE_READ | KFV_WIRE_FLUSH);
	peer->slots = be16_to_cpu(rec.slots);
	peer->max_ranges = min_t(u8, rec.max_ranges, KFV_WIRE_RANGES);
	peer->max_inline = min_t(u8, rec.max_inline, KFV_WIRE_INLINE);
	peer->role = rec.version == KFV_WIRE_VERSION ? KFV_WIRE_ONLY : rec.role;
	peer->cookie = be64_to_cpu(rec.cookie);
	return 0;
}

/* Writes the record that says @peer. */
void kfv_wire_put_record(struct kfv_wire_record *rec,
			 const struct kfv_peer *peer)
{
	*rec = (struct kfv_wire_record) {
		.magic = cpu_to_be32(KFV_WIRE_MAGIC),
		.version = peer->role == KFV_WIRE_ONLY ? KFV_WIRE_VERSION :
							 KFV_WIRE_VERSION_BOTH,
		.domain = peer->domain,
		.flags = peer->sync ? KFV_WIRE_SYNC : 0,
		.methods = peer->methods,
		.slots = cpu_to_be16(peer->slots),
		.max_ranges = peer->max_ranges,
		.max_inline = peer->max_inline,
		.role = peer->role,
		.cookie = cpu_to_be64(peer->cookie),
	};
}

/* Whether a request of @len bytes is well-formed; its ranges are another thing. */
bool kfv_wire_request_valid(const struct kfv_wire_request *req, size_t len)
{
	unsigned int inline_len;
	u64 total = 0;
	unsigned int i;

	if (len < sizeof(*req))
		return false;
	inline_len = be16_to_cpu(req->inline_len);
	if (req->reserved || req->reserved2 || req->flags & ~KFV_WIRE_HAS_DATA ||
	    !req->nr_ranges || req->nr_ranges > KFV_WIRE_RANGES ||
	    inline_len > KFV_WIRE_INLINE ||
	    len != struct_size(req, ranges, req->nr_ranges) + inline_len)
		return false;
	if (!inline_len)
		return true;
	for (i = 0; i < req->nr_ranges; i++)
		total = size_add(total, be64_to_cpu(req->ranges[i].len));
	return req->op == KFV_WIRE_COMMIT && total == inline_len;
}

/* Whether a reply of @len bytes is well-formed. */
bool kfv_wire_reply_valid(const struct kfv_wire_reply *reply, size_t len)
{
	return len == sizeof(*reply) && !reply->reserved &&
	       reply->status <= KFV_WIRE_BROKEN;
}
