// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A pair of queue pairs, regions, and work requests for them.
 */

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/scatterlist.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <rdma/ib_cache.h>
#include <rdma/ib_verbs.h>

#include "patches.h"

#define BED_WRS		32
/* not what memory happens to be when nobody has written it */
#define BED_PSN		1000
#define BED_PATIENCE_MS	10000

static void bed_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct op *op = container_of(wc->wr_cqe, struct op, cqe);

	op->wc = *wc;
	op->done = true;
}

/* For RoCE the first address that is IPv4 and not 127.0.0.1. */
static int bed_address(struct bed *bed, struct rdma_ah_attr *ah)
{
	const struct ib_gid_attr *gid;
	struct ib_port_attr port;
	union ib_gid dgid;
	int ret, i;

	ret = ib_query_port(bed->dev, 1, &port);
	if (ret)
		return ret;
	for (i = 0; i < port.gid_tbl_len; i++) {
		gid = rdma_get_gid_attr(bed->dev, 1, i);
		if (IS_ERR(gid))
			continue;
		if (ipv6_addr_v4mapped((struct in6_addr *)&gid->gid) &&
		    gid->gid.raw[12] != 127 &&
		    !rdma_read_gid_l2_fields(gid, NULL, ah->roce.dmac)) {
			dgid = gid->gid;
			rdma_move_grh_sgid_attr(ah, &dgid, 0, 64, 0, gid);
			return 0;
		}
		rdma_put_gid_attr(gid);
	}
	return -ENETUNREACH;
}

static int bed_to_rtr(struct bed *bed, struct ib_qp *qp, struct ib_qp *peer,
		      const struct options *options)
{
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_RTR,
		.path_mtu = IB_MTU_4096,
		.dest_qp_num = peer->qp_num,
		.rq_psn = BED_PSN,
		.max_dest_rd_atomic = options->resources,
		.min_rnr_timer = 1,
		.ah_attr.type = RDMA_AH_ATTR_TYPE_ROCE,
	};
	int ret;

	rdma_ah_set_port_num(&attr.ah_attr, 1);
	ret = bed_address(bed, &attr.ah_attr);
	if (ret)
		return ret;
	/* soft-RoCE takes a short cut to the device's own address */
	if (options->wire)
		attr.ah_attr.roce.dmac[0] ^= 2;
	ret = ib_modify_qp(qp, &attr, IB_QP_STATE | IB_QP_AV |
			   IB_QP_PATH_MTU | IB_QP_DEST_QPN | IB_QP_RQ_PSN |
			   IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER);
	rdma_destroy_ah_attr(&attr.ah_attr);
	return ret;
}

static int bed_connect(struct bed *bed, struct ib_qp *qp, struct ib_qp *peer,
		       const struct options *options)
{
	struct ib_qp_attr init = {
		.qp_state = IB_QPS_INIT,
		.port_num = 1,
		.qp_access_flags = REGION_ACCESS | IB_ACCESS_FLUSH_GLOBAL |
				   IB_ACCESS_FLUSH_PERSISTENT,
	};
	struct ib_qp_attr rts = {
		.qp_state = IB_QPS_RTS,
		.timeout = 12,
		.retry_cnt = 6,
		.rnr_retry = 7,
		.sq_psn = BED_PSN,
		.max_rd_atomic = options->depth,
	};
	int ret;

	ret = ib_modify_qp(qp, &init, IB_QP_STATE | IB_QP_PKEY_INDEX |
			   IB_QP_PORT | IB_QP_ACCESS_FLAGS);
	if (!ret)
		ret = bed_to_rtr(bed, qp, peer, options);
	if (!ret)
		ret = ib_modify_qp(qp, &rts, IB_QP_STATE | IB_QP_TIMEOUT |
				   IB_QP_RETRY_CNT | IB_QP_RNR_RETRY |
				   IB_QP_SQ_PSN | IB_QP_MAX_QP_RD_ATOMIC);
	return ret;
}

static struct ib_qp *bed_qp(struct bed *bed)
{
	struct ib_qp_init_attr attr = {
		.send_cq = bed->cq,
		.recv_cq = bed->cq,
		.cap = {
			.max_send_wr = BED_WRS,
			.max_recv_wr = 1,
			.max_send_sge = 1,
			.max_recv_sge = 1,
		},
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.qp_type = IB_QPT_RC,
		.port_num = 1,
	};

	return ib_create_qp(bed->pd, &attr);
}

static bool bed_open_qps(struct bed *bed, const struct options *options)
{
	bed->from = bed_qp(bed);
	if (!EXPECT(!IS_ERR(bed->from)))
		return false;
	bed->to = bed_qp(bed);
	if (!EXPECT(!IS_ERR(bed->to)))
		goto err_from;
	if (EXPECT(!bed_connect(bed, bed->from, bed->to, options)) &&
	    EXPECT(!bed_connect(bed, bed->to, bed->from, options)))
		return true;
	ib_destroy_qp(bed->to);
err_from:
	ib_destroy_qp(bed->from);
	return false;
}

static bool bed_open_device(struct bed *bed)
{
	bed->dev = ib_device_get_by_netdev(init_net.loopback_dev,
					   RDMA_DRIVER_RXE);
	if (!EXPECT(bed->dev))
		return false;
	bed->pd = ib_alloc_pd(bed->dev, 0);
	if (!EXPECT(!IS_ERR(bed->pd)))
		goto err_dev;
	bed->cq = ib_alloc_cq(bed->dev, NULL, 2 * BED_WRS + 2, 0,
			      IB_POLL_DIRECT);
	if (!EXPECT(!IS_ERR(bed->cq)))
		goto err_pd;
	return true;

err_pd:
	ib_dealloc_pd(bed->pd);
err_dev:
	ib_device_put(bed->dev);
	return false;
}

static void bed_close_device(struct bed *bed)
{
	ib_free_cq(bed->cq);
	ib_dealloc_pd(bed->pd);
	ib_device_put(bed->dev);
}

bool bed_open(struct bed *bed, const struct options *options)
{
	if (!bed_open_device(bed))
		return false;
	bed->buf = (u8 *)__get_free_page(GFP_KERNEL | __GFP_ZERO);
	if (!EXPECT(bed->buf))
		goto err_device;
	bed->dma = ib_dma_map_single(bed->dev, bed->buf, PAGE_SIZE,
				     DMA_BIDIRECTIONAL);
	if (bed_open_qps(bed, options)) {
		bed->wire = options->wire;
		if (!bed->wire || wire_open())
			return true;
		ib_destroy_qp(bed->from);
		ib_destroy_qp(bed->to);
	}
	free_page((unsigned long)bed->buf);
err_device:
	bed_close_device(bed);
	return false;
}

/* A test may have destroyed a queue pair. */
void bed_close(struct bed *bed)
{
	if (bed->from)
		ib_destroy_qp(bed->from);
	if (bed->to)
		ib_destroy_qp(bed->to);
	if (bed->wire)
		wire_close();
	ib_dma_unmap_single(bed->dev, bed->dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	free_page((unsigned long)bed->buf);
	bed_close_device(bed);
}

/* Posts @wr, or a list that ends with it, on behalf of @op. */
bool bed_post(struct ib_qp *qp, struct op *op, struct ib_send_wr *wr)
{
	struct ib_send_wr *last = wr;

	while (last->next)
		last = last->next;
	op->done = false;
	op->cqe.done = bed_done;
	last->wr_cqe = &op->cqe;
	last->send_flags |= IB_SEND_SIGNALED;
	return EXPECT(!ib_post_send(qp, wr, NULL));
}

bool bed_wait(struct bed *bed, struct op *op)
{
	unsigned int left = BED_PATIENCE_MS * 10;

	for (;;) {
		ib_process_cq_direct(bed->cq, -1);
		if (op->done || !left--)
			break;
		usleep_range(100, 150);
	}
	return op->done;
}

enum ib_wc_status bed_status(struct bed *bed, struct op *op)
{
	if (!EXPECT(bed_wait(bed, op)))
		return IB_WC_GENERAL_ERR;
	return op->wc.status;
}

void bed_write(struct bed *bed, struct ib_rdma_wr *wr, struct ib_sge *sge,
	       struct region *region, size_t len)
{
	*sge = (struct ib_sge) {
		.addr = bed->dma,
		.length = len,
		.lkey = bed->pd->local_dma_lkey,
	};
	*wr = (struct ib_rdma_wr) {
		.wr.opcode = IB_WR_RDMA_WRITE,
		.wr.sg_list = sge,
		.wr.num_sge = 1,
		.remote_addr = region->mr->iova,
		.rkey = region->mr->rkey,
	};
}

void bed_read(struct bed *bed, struct ib_rdma_wr *wr, struct ib_sge *sge,
	      struct region *region, size_t len)
{
	bed_write(bed, wr, sge, region, len);
	wr->wr.opcode = IB_WR_RDMA_READ;
}

/* Of all of the region. */
void bed_flush(struct ib_flush_wr *wr, struct region *region, u8 type)
{
	*wr = (struct ib_flush_wr) {
		.wr.opcode = IB_WR_FLUSH,
		.remote_addr = region->mr->iova,
		.length = region->len,
		.rkey = region->mr->rkey,
		.type = type,
		.level = IB_FLUSH_RANGE,
	};
}

void bed_atomic_write(struct ib_atomic_write_wr *wr, struct region *region,
		      size_t offset, u64 value)
{
	*wr = (struct ib_atomic_write_wr) {
		.wr.opcode = IB_WR_ATOMIC_WRITE,
		.remote_addr = region->mr->iova + offset,
		.value = value,
		.rkey = region->mr->rkey,
	};
}

/* Makes @mem what the region is going to be registered for. */
bool region_map(struct bed *bed, struct region *region, void *mem, size_t len)
{
	struct scatterlist sg;

	region->mem = mem;
	region->len = len;
	region->dma = ib_dma_map_single(bed->dev, mem, len, DMA_BIDIRECTIONAL);
	sg_init_table(&sg, 1);
	sg_dma_address(&sg) = region->dma;
	sg_dma_len(&sg) = len;
	return EXPECT(ib_map_mr_sg(region->mr, &sg, 1, NULL, PAGE_SIZE) == 1);
}

void region_unmap(struct bed *bed, struct region *region)
{
	ib_dma_unmap_single(bed->dev, region->dma, region->len,
			    DMA_BIDIRECTIONAL);
}

enum ib_wc_status region_register(struct bed *bed, struct region *region,
				  int access)
{
	struct ib_reg_wr wr = {
		.wr.opcode = IB_WR_REG_MR,
		.mr = region->mr,
		.access = access,
	};
	struct op op;

	ib_update_fast_reg_key(region->mr, region->mr->rkey + 1);
	wr.key = region->mr->rkey;
	if (!bed_post(bed->to, &op, &wr.wr))
		return IB_WC_GENERAL_ERR;
	return bed_status(bed, &op);
}

enum ib_wc_status region_invalidate(struct bed *bed, struct region *region)
{
	struct ib_send_wr wr = {
		.opcode = IB_WR_LOCAL_INV,
		.ex.invalidate_rkey = region->mr->rkey,
	};
	struct op op;

	if (!bed_post(bed->to, &op, &wr))
		return IB_WC_GENERAL_ERR;
	return bed_status(bed, &op);
}

/* Two pages of ordinary memory. */
bool region_open(struct bed *bed, struct region *region, int access)
{
	void *mem = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 1);

	if (!EXPECT(mem))
		return false;
	region->mr = ib_alloc_mr(bed->pd, IB_MR_TYPE_MEM_REG, 2);
	if (!EXPECT(!IS_ERR(region->mr)))
		goto err_mem;
	if (region_map(bed, region, mem, 2 * PAGE_SIZE) &&
	    EXPECT_STATUS(region_register(bed, region, access), IB_WC_SUCCESS))
		return true;
	ib_dereg_mr(region->mr);
err_mem:
	free_pages((unsigned long)mem, 1);
	return false;
}

void region_close(struct bed *bed, struct region *region)
{
	ib_dereg_mr(region->mr);
	region_unmap(bed, region);
	free_pages((unsigned long)region->mem, 1);
}
