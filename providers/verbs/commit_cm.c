// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How commit endpoints introduce themselves, and what the consumer may know of
 * that.
 */

#include <linux/random.h>
#include <linux/string.h>

#include "commit.h"
#include "ep.h"
#include "pair.h"
#include "verbs.h"

static u64 kfv_cm_cookie(const struct kfv_ep *ep)
{
	if (ep->pair)
		return ep->pair->cookie;
	return ep->passive ? ep->commit->peer.cookie : get_random_u64();
}

/*
 * Writes the private data of a connection message: the consumer's bytes, on a
 * commit endpoint behind a record. Return: the bytes of all.
 */
u8 kfv_cm_fill(struct kfv_ep *ep, const void *param, size_t len)
{
	struct kfv_peer self = {
		.slots = KFV_COMMIT_SLOTS,
		.max_ranges = KFV_WIRE_RANGES,
		.max_inline = KFV_WIRE_INLINE,
		.role = kfv_link_role(&ep->link),
	};
	struct kfv_wire_record rec;
	size_t skip = 0;

	if (ep->commit) {
		self.cookie = kfv_cm_cookie(ep);
		kfv_pmem_declare(ep, &self);
		kfv_wire_put_record(&rec, &self);
		memcpy(ep->private_data, &rec, sizeof(rec));
		skip = sizeof(rec);
	}
	if (len)
		memcpy(ep->private_data + skip, param, len);
	return skip + len;
}

/*
 * The record for the second connection says what the first one did: that is what the
 * peer relies on.
 */
void kfv_cm_second(struct kfv_ep *ep, u64 cookie, struct kfv_wire_record *rec)
{
	memcpy(rec, ep->private_data, sizeof(*rec));
	rec->role = KFV_WIRE_MSG;
	rec->cookie = cpu_to_be64(cookie);
}

/*
 * How the endpoint is going to commit, on a connection with so many reads: as the
 * consumer wants, if what the peer declares allows that.
 */
int kfv_commit_choose(struct kfv_ep *ep, u8 depth)
{
	struct kfv_commit *commit = ep->commit;
	unsigned long allowed = BIT(KFI_COMMIT_SERVER);

	if (commit->peer.methods & KFV_WIRE_READ && depth)
		allowed |= BIT(KFI_COMMIT_READ);
	if (commit->peer.methods & KFV_WIRE_FLUSH && depth &&
	    ep->domain->flushes)
		allowed |= BIT(KFI_COMMIT_FLUSH);
	commit->method = kfi_prov_method(ep->commit_method, allowed);
	return commit->method == KFI_COMMIT_NONE ? -EOPNOTSUPP : 0;
}

/* The peer's answer: takes its record from the front of the private data. */
int kfv_commit_connected(struct kfv_ep *ep, u8 depth, const void **data,
			 size_t *len)
{
	struct kfv_peer peer;

	if (!*data || kfv_wire_parse_record(*data, *len, &peer) ||
	    peer.role != kfv_link_role(&ep->link))
		return -EPROTONOSUPPORT;
	ep->commit->peer = peer;
	*data += sizeof(struct kfv_wire_record);
	*len -= sizeof(struct kfv_wire_record);
	return kfv_commit_choose(ep, depth);
}

/* Its answer to the second request is of the same endpoint. */
int kfv_commit_joined(struct kfv_ep *ep, const void *data, size_t len)
{
	struct kfv_peer peer;

	if (!data || kfv_wire_parse_record(data, len, &peer) ||
	    peer.role != KFV_WIRE_MSG ||
	    peer.cookie != ep->commit->peer.cookie)
		return -EPROTONOSUPPORT;
	return 0;
}

void kfv_commit_info(struct kfv_ep *ep, struct kfi_commit_info *info)
{
	const struct kfv_peer *peer;

	memset(info, 0, sizeof(*info));
	if (!ep->commit || !kfv_ep_was_connected(ep))
		return;
	peer = &ep->commit->peer;
	info->method = ep->commit->method;
	info->domain = peer->domain;
	info->sync = peer->sync;
	info->max_ranges = peer->max_ranges;
	info->slots = min_t(unsigned int, peer->slots, KFV_COMMIT_SLOTS);
}
