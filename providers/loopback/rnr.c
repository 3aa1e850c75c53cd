// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How long an endpoint waits when its peer has no receive posted.
 */

#include <linux/jiffies.h>

#include "ep.h"
#include "loopback.h"

/* A time of the InfiniBand specification's table 46, in microseconds. */
static unsigned int lo_rnr_usecs(u8 code)
{
	unsigned int usecs;

	if (code <= 1)
		return code ? 10 : 655360;
	usecs = 10 << (code / 2);
	return code & 1 ? usecs + usecs / 2 : usecs;
}

static void lo_rnr_timeout(struct work_struct *work)
{
	struct lo_ep *ep =
		container_of(to_delayed_work(work), struct lo_ep, rnr_timer);

	queue_work(lo_wq, &ep->work);
}

void lo_rnr_init(struct lo_ep *ep)
{
	INIT_DELAYED_WORK(&ep->rnr_timer, lo_rnr_timeout);
}

/*
 * Where there are commits, data waits for room in a completion queue and not for a
 * receive. For that there is no limit.
 */
static bool lo_rnr_counts(const struct lo_ep *ep, const struct lo_op *op)
{
	return op->desc.type == LO_SEND || !ep->limits.commit;
}

/*
 * Whether the engine, which found no receive at its peer, has waited as long as
 * the peer wants it to. If not, it is called again when it has.
 */
bool lo_rnr_expired(struct lo_ep *ep, const struct lo_ep *peer,
		    const struct lo_op *op)
{
	u8 tries = peer->conn_param.rnr_retry_count;
	unsigned long limit;

	if (tries == LO_FOR_EVER || !lo_rnr_counts(ep, op))
		return false;
	if (ep->rnr_waiting)
		return time_after_eq(jiffies, ep->rnr_deadline);
	limit = usecs_to_jiffies(tries *
				 lo_rnr_usecs(peer->conn_param.min_rnr_timer));
	ep->rnr_waiting = true;
	ep->rnr_deadline = jiffies + limit;
	/* an earlier wait may have left it pending */
	mod_delayed_work(lo_wq, &ep->rnr_timer, limit);
	return false;
}

/* The operation has found what it waited for, if it has. */
void lo_rnr_end(struct lo_ep *ep, const struct lo_op *op)
{
	if (lo_rnr_counts(ep, op))
		ep->rnr_waiting = false;
}
