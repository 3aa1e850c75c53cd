/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What an endpoint of a device can have at most.
 */

#ifndef KFV_LIMITS_H
#define KFV_LIMITS_H

#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/types.h>

struct ib_device_attr;

/* Most operations in a direction; what an endpoint asks for is allocated. */
#define KFV_MAX_QUEUE		4096
/* Most segments of a work request; more cost memory and gain nothing. */
#define KFV_MAX_SGE		32
/* Remote ranges of an operation: what fits a commit request. */
#define KFV_RMA_IOV_LIMIT	16
/* Segments of an RMA operation: 8 MiB of single pages, unaligned, in ranges. */
#define KFV_RMA_SEGS		(SZ_8M / PAGE_SIZE + 4 * KFV_RMA_IOV_LIMIT)
/* Of a queue: what drains it, and one that rxe keeps empty. */
#define KFV_SPARE_WRS		4
/* Commits outstanding, in each direction */
#define KFV_COMMIT_SLOTS	64
/* Receives that are given to the device in one go */
#define KFV_COMMIT_REPOST	16
/* Receives of commit endpoints: for requests, replies, and those to be given */
#define KFV_COMMIT_RECEIVES	(2 * KFV_COMMIT_SLOTS + KFV_COMMIT_REPOST)

/**
 * struct kfv_limits - most that an endpoint can have
 * @max_sge: segments of a work request
 * @max_sge_rd: segments of one that reads
 * @max_sge_recv: segments of a receive
 * @rma_wrs: work requests that the largest operation may need
 * @tx_size: operations; their ring of work requests fits the device
 * @rx_size: receives
 */
struct kfv_limits {
	unsigned int	max_sge;
	unsigned int	max_sge_rd;
	unsigned int	max_sge_recv;
	unsigned int	rma_wrs;
	unsigned int	tx_size;
	unsigned int	rx_size;
};

int kfv_limits_init(struct kfv_limits *limits,
		    const struct ib_device_attr *attrs, bool commit);

#endif /* KFV_LIMITS_H */
