// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a consumer of raw verbs does: contexts of requests, their accounting, DMA
 * mapping, errors. Its one queue pair is connected to itself.
 */

#include <linux/compiler.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include <rdma/ib_cache.h>
#include <rdma/ib_verbs.h>

#include "bench.h"

#define RAW_DEPTH	128

/**
 * struct raw_request - a request
 * @cqe: its completion
 * @node: in the list of free ones
 * @dma: where the buffer is mapped
 * @mapped: it is
 */
struct raw_request {
	struct ib_cqe		cqe;
	struct list_head	node;
	u64			dma;
	bool			mapped;
};

/**
 * struct raw_region - a registered page
 * @mr: the region
 * @sg: the page
 */
struct raw_region {
	struct ib_mr		*mr;
	struct scatterlist	sg;
};

static struct {
	struct ib_device	*dev;
	struct ib_pd		*pd;
	struct ib_cq		*cq;
	struct ib_cq		*recv_cq;
	struct ib_qp		*qp;
	bool			polled;
	struct raw_region	region;
	void			*buf;
	struct ib_cqe		recv_cqe;
	/* protects @free */
	spinlock_t		lock;
	struct list_head	free;
	struct raw_request	requests[RAW_DEPTH];
	int			err;
	struct completion	done;
} raw;

static struct raw_request *raw_get_request(void)
{
	struct raw_request *req;
	unsigned long irq;

	spin_lock_irqsave(&raw.lock, irq);
	req = list_first_entry_or_null(&raw.free, struct raw_request, node);
	if (req)
		list_del(&req->node);
	spin_unlock_irqrestore(&raw.lock, irq);
	return req;
}

static void raw_put_request(struct raw_request *req)
{
	unsigned long irq;

	if (req->mapped)
		ib_dma_unmap_single(raw.dev, req->dma, BENCH_WRITE,
				    DMA_TO_DEVICE);
	req->mapped = false;
	spin_lock_irqsave(&raw.lock, irq);
	list_add(&req->node, &raw.free);
	spin_unlock_irqrestore(&raw.lock, irq);
}

static void raw_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct raw_request *req = container_of(wc->wr_cqe, struct raw_request,
					       cqe);

	if (unlikely(wc->status != IB_WC_SUCCESS))
		raw.err = -EIO;
	raw_put_request(req);
	if (!raw.polled)
		complete(&raw.done);
}

static int raw_map(struct raw_request *req, struct ib_sge *sge)
{
	req->dma = ib_dma_map_single(raw.dev, raw.buf, BENCH_WRITE,
				     DMA_TO_DEVICE);
	if (unlikely(ib_dma_mapping_error(raw.dev, req->dma)))
		return -ENOMEM;
	req->mapped = true;
	sge->addr = req->dma;
	sge->lkey = raw.pd->local_dma_lkey;
	return 0;
}

static int raw_post_wr(enum bench_post what, struct raw_request *req)
{
	struct ib_sge sge = { .length = BENCH_WRITE };
	struct ib_rdma_wr wr = {
		.wr.wr_cqe = &req->cqe,
		.wr.sg_list = &sge,
		.wr.num_sge = 1,
		.wr.opcode = IB_WR_RDMA_WRITE,
		.wr.send_flags = IB_SEND_SIGNALED,
		.remote_addr = raw.region.mr->iova,
		.rkey = raw.region.mr->rkey,
	};
	int err;

	req->cqe.done = raw_done;
	switch (what) {
	case BENCH_SEND_INLINE:
		sge.addr = (uintptr_t)raw.buf;
		sge.length = BENCH_INLINE;
		wr.wr.opcode = IB_WR_SEND;
		wr.wr.send_flags |= IB_SEND_INLINE;
		break;
	case BENCH_WRITE_UNREGISTERED:
		err = raw_map(req, &sge);
		if (unlikely(err))
			return err;
		break;
	case BENCH_WRITE_REGISTERED:
		sge.addr = raw.region.mr->iova;
		sge.lkey = raw.region.mr->lkey;
		break;
	}
	return ib_post_send(raw.qp, &wr.wr, NULL);
}

static int raw_post(enum bench_post what)
{
	struct raw_request *req = raw_get_request();
	int err;

	if (!req)
		return -EAGAIN;
	err = raw_post_wr(what, req);
	if (unlikely(err))
		raw_put_request(req);
	return err;
}

static int raw_post_recv(void)
{
	struct ib_sge sge = {
		.addr = raw.region.mr->iova,
		.length = BENCH_INLINE,
		.lkey = raw.region.mr->lkey,
	};
	struct ib_recv_wr wr = {
		.wr_cqe = &raw.recv_cqe, .sg_list = &sge, .num_sge = 1,
	};

	return ib_post_recv(raw.qp, &wr, NULL);
}

/* Receives are not what is measured. */
static void raw_recv_done(struct ib_cq *cq, struct ib_wc *wc)
{
	if (wc->status == IB_WC_SUCCESS)
		raw_post_recv();
}

static int raw_reap(void)
{
	int nr = ib_process_cq_direct(raw.cq, 1);

	return raw.err ?: nr;
}

static int raw_wait(void)
{
	int nr;

	if (!raw.polled) {
		wait_for_completion(&raw.done);
		return raw.err;
	}
	while (!(nr = raw_reap()))
		usleep_range(100, 200);
	return nr < 0 ? nr : 0;
}

/* A work request that touches a region, waited for. */
static int raw_execute(struct ib_send_wr *wr)
{
	struct raw_request *req = raw_get_request();
	int err;

	if (!req)
		return -EAGAIN;
	req->cqe.done = raw_done;
	wr->wr_cqe = &req->cqe;
	wr->send_flags = IB_SEND_SIGNALED;
	err = ib_post_send(raw.qp, wr, NULL);
	if (err) {
		raw_put_request(req);
		return err;
	}
	return raw_wait();
}

static int raw_register(struct raw_region *region)
{
	struct ib_reg_wr wr = {
		.wr.opcode = IB_WR_REG_MR,
		.access = IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_WRITE,
	};
	int err = -EIO;

	wr.mr = ib_alloc_mr(raw.pd, IB_MR_TYPE_MEM_REG, 1);
	if (IS_ERR(wr.mr))
		return PTR_ERR(wr.mr);
	sg_init_one(&region->sg, raw.buf, PAGE_SIZE);
	if (ib_dma_map_sg(raw.dev, &region->sg, 1, DMA_BIDIRECTIONAL) != 1)
		goto dereg;
	if (ib_map_mr_sg(wr.mr, &region->sg, 1, NULL, PAGE_SIZE) != 1)
		goto unmap;
	wr.key = wr.mr->rkey;
	err = raw_execute(&wr.wr);
	if (err)
		goto unmap;
	region->mr = wr.mr;
	return 0;

unmap:
	ib_dma_unmap_sg(raw.dev, &region->sg, 1, DMA_BIDIRECTIONAL);
dereg:
	ib_dereg_mr(wr.mr);
	return err;
}

static int raw_unregister(struct raw_region *region)
{
	struct ib_send_wr wr = {
		.opcode = IB_WR_LOCAL_INV,
		.ex.invalidate_rkey = region->mr->rkey,
	};
	int err = raw_execute(&wr);

	ib_dereg_mr(region->mr);
	ib_dma_unmap_sg(raw.dev, &region->sg, 1, DMA_BIDIRECTIONAL);
	region->mr = NULL;
	return err;
}

static int raw_reg(void)
{
	struct raw_region region;
	int err = raw_register(&region);

	return err ?: raw_unregister(&region);
}

static int raw_address(struct rdma_ah_attr *ah, const struct ib_gid_attr *gid)
{
	union ib_gid dgid = gid->gid;
	int err;

	ah->type = rdma_ah_find_type(raw.dev, 1);
	rdma_ah_set_port_num(ah, 1);
	err = rdma_read_gid_l2_fields(gid, NULL, ah->roce.dmac);
	if (err)
		rdma_put_gid_attr(gid);
	else
		rdma_move_grh_sgid_attr(ah, &dgid, 0, 64, 0, gid);
	return err;
}

static int raw_to_rtr(void)
{
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_RTR,
		.path_mtu = IB_MTU_4096,
		.dest_qp_num = raw.qp->qp_num,
		.max_dest_rd_atomic = 1,
		.min_rnr_timer = 1,
	};
	const struct ib_gid_attr *gid;
	int err;

	gid = rdma_get_gid_attr(raw.dev, 1, 0);
	if (IS_ERR(gid))
		return PTR_ERR(gid);
	err = raw_address(&attr.ah_attr, gid);
	if (err)
		return err;
	err = ib_modify_qp(raw.qp, &attr, IB_QP_STATE | IB_QP_AV |
			   IB_QP_PATH_MTU | IB_QP_DEST_QPN | IB_QP_RQ_PSN |
			   IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER);
	rdma_destroy_ah_attr(&attr.ah_attr);
	return err;
}

static int raw_connect(void)
{
	struct ib_qp_attr init = {
		.qp_state = IB_QPS_INIT,
		.port_num = 1,
		.qp_access_flags = IB_ACCESS_REMOTE_WRITE,
	};
	struct ib_qp_attr rts = {
		.qp_state = IB_QPS_RTS, .timeout = 14, .retry_cnt = 7,
		.rnr_retry = 7, .max_rd_atomic = 1,
	};
	int err;

	err = ib_modify_qp(raw.qp, &init, IB_QP_STATE | IB_QP_PKEY_INDEX |
			   IB_QP_PORT | IB_QP_ACCESS_FLAGS);
	if (!err)
		err = raw_to_rtr();
	if (!err)
		err = ib_modify_qp(raw.qp, &rts, IB_QP_STATE | IB_QP_TIMEOUT |
				   IB_QP_RETRY_CNT | IB_QP_RNR_RETRY |
				   IB_QP_SQ_PSN | IB_QP_MAX_QP_RD_ATOMIC);
	return err;
}

static int raw_create_qp(void)
{
	struct ib_qp_init_attr attr = {
		.send_cq = raw.cq,
		.recv_cq = raw.recv_cq,
		.cap = {
			.max_send_wr = RAW_DEPTH,
			.max_recv_wr = RAW_DEPTH,
			.max_send_sge = 1,
			.max_recv_sge = 1,
			.max_inline_data = BENCH_INLINE,
		},
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.qp_type = IB_QPT_RC,
		.port_num = 1,
	};

	raw.qp = ib_create_qp(raw.pd, &attr);
	if (IS_ERR(raw.qp)) {
		int err = PTR_ERR(raw.qp);

		raw.qp = NULL;
		return err;
	}
	return raw_connect();
}

static int raw_create_cqs(void)
{
	enum ib_poll_context context = raw.polled ? IB_POLL_DIRECT :
						    IB_POLL_SOFTIRQ;

	raw.cq = ib_alloc_cq(raw.dev, NULL, RAW_DEPTH, 0, context);
	if (IS_ERR(raw.cq)) {
		int err = PTR_ERR(raw.cq);

		raw.cq = NULL;
		return err;
	}
	raw.recv_cq = ib_alloc_cq(raw.dev, NULL, RAW_DEPTH, 0,
				  IB_POLL_WORKQUEUE);
	if (IS_ERR(raw.recv_cq)) {
		int err = PTR_ERR(raw.recv_cq);

		raw.recv_cq = NULL;
		return err;
	}
	return 0;
}

static int raw_prepare(void)
{
	unsigned int i;
	int err;

	raw.pd = ib_alloc_pd(raw.dev, 0);
	if (IS_ERR(raw.pd)) {
		err = PTR_ERR(raw.pd);
		raw.pd = NULL;
		return err;
	}
	err = raw_create_cqs();
	if (!err)
		err = raw_create_qp();
	if (!err)
		err = raw_register(&raw.region);
	for (i = 0; i < RAW_DEPTH && !err; i++)
		err = raw_post_recv();
	return err;
}

static void raw_close(void)
{
	if (raw.qp) {
		ib_drain_qp(raw.qp);
		ib_destroy_qp(raw.qp);
	}
	if (raw.region.mr) {
		ib_dereg_mr(raw.region.mr);
		ib_dma_unmap_sg(raw.dev, &raw.region.sg, 1, DMA_BIDIRECTIONAL);
	}
	if (raw.recv_cq)
		ib_free_cq(raw.recv_cq);
	if (raw.cq)
		ib_free_cq(raw.cq);
	if (raw.pd)
		ib_dealloc_pd(raw.pd);
	free_page((unsigned long)raw.buf);
	ib_device_put(raw.dev);
}

static struct ib_device *raw_find_device(void)
{
	struct net_device *netdev = dev_get_by_name(&init_net, bench_netdev);
	struct ib_device *dev;

	if (!netdev)
		return NULL;
	dev = ib_device_get_by_netdev(netdev, RDMA_DRIVER_UNKNOWN);
	dev_put(netdev);
	return dev;
}

static int raw_open(bool polled)
{
	unsigned int i;
	int err;

	memset(&raw, 0, sizeof(raw));
	raw.polled = polled;
	raw.recv_cqe.done = raw_recv_done;
	spin_lock_init(&raw.lock);
	init_completion(&raw.done);
	INIT_LIST_HEAD(&raw.free);
	for (i = 0; i < RAW_DEPTH; i++)
		list_add(&raw.requests[i].node, &raw.free);

	raw.dev = raw_find_device();
	if (!raw.dev)
		return -ENODEV;
	raw.buf = (void *)get_zeroed_page(GFP_KERNEL);
	err = raw.buf ? raw_prepare() : -ENOMEM;
	if (err)
		raw_close();
	return err;
}

/* as fabric_trace(), for what is not the tracepoint's */
static void raw_trace(void)
{
	barrier();
}

const struct bench_side bench_raw = {
	.open	= raw_open,
	.close	= raw_close,
	.post	= raw_post,
	.wait	= raw_wait,
	.reap	= raw_reap,
	.reg	= raw_reg,
	.trace	= raw_trace,
};
