// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What an endpoint of a device can have at most.
 */

#include <linux/log2.h>
#include <linux/minmax.h>
#include <rdma/ib_verbs.h>

#include "limits.h"

/*
 * The one place where queues are sized, so that what is offered can be made.
 * -ENODATA when the device is too small for such an endpoint.
 */
int kfv_limits_init(struct kfv_limits *limits,
		    const struct ib_device_attr *attrs, bool commit)
{
	int own = KFV_SPARE_WRS + (commit ? KFV_COMMIT_RECEIVES : 0);
	int room = min(attrs->max_qp_wr, attrs->max_cqe) - own;
	unsigned int ring;

	if (room < 1 || attrs->max_send_sge < 1 || attrs->max_recv_sge < 1)
		return -ENODATA;
	limits->max_sge = min(attrs->max_send_sge, KFV_MAX_SGE);
	limits->max_sge_rd = clamp(attrs->max_sge_rd, 1, (int)limits->max_sge);
	limits->max_sge_recv = min(attrs->max_recv_sge, KFV_MAX_SGE);
	/* Reads need the most; and what may follow a write, or each range of it. */
	limits->rma_wrs = KFV_RMA_SEGS / limits->max_sge_rd +
			  KFV_RMA_IOV_LIMIT + 2;
	if (commit)
		limits->rma_wrs += KFV_RMA_IOV_LIMIT;
	/* The rings are powers of two. */
	ring = rounddown_pow_of_two(room);
	if (ring <= limits->rma_wrs)
		return -ENODATA;
	limits->tx_size = min_t(unsigned int, ring - limits->rma_wrs,
				KFV_MAX_QUEUE);
	limits->rx_size = min_t(unsigned int, ring, KFV_MAX_QUEUE);
	return 0;
}
