// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The registrar: a queue pair of each domain, connected to itself, that executes
 * registrations and invalidations, finds out whether a region can be flushed, and
 * nothing else. So a region's key works before there is any connection.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/printk.h>
#include <rdma/ib_cache.h>

#include "flush.h"
#include "verbs.h"

/* One work request, and room to drain. */
#define KFV_REGISTRAR_WRS	4

struct kfv_registrar_wr {
	struct ib_cqe		cqe;
	struct completion	done;
	enum ib_wc_status	status;
};

void kfv_registrar_init(struct kfv_registrar *reg)
{
	mutex_init(&reg->lock);
}

/* Where the queue pair is: for RoCE the first GID that the port has. */
static int kfv_registrar_address(struct kfv_domain *domain,
				 const struct ib_port_attr *port,
				 struct rdma_ah_attr *ah)
{
	const struct ib_gid_attr *gid;
	int ret, i;

	ah->type = rdma_ah_find_type(domain->ib, domain->port);
	rdma_ah_set_port_num(ah, domain->port);
	if (!rdma_protocol_roce(domain->ib, domain->port)) {
		rdma_ah_set_dlid(ah, port->lid);
		return 0;
	}
	for (i = 0; i < port->gid_tbl_len; i++) {
		gid = rdma_get_gid_attr(domain->ib, domain->port, i);
		if (IS_ERR(gid))
			continue;
		ret = rdma_read_gid_l2_fields(gid, NULL, ah->roce.dmac);
		if (!ret) {
			union ib_gid dgid = gid->gid;

			rdma_move_grh_sgid_attr(ah, &dgid, 0, 1, 0, gid);
			return 0;
		}
		rdma_put_gid_attr(gid);
	}
	return -ENETUNREACH;
}

static int kfv_registrar_to_rtr(struct kfv_domain *domain, struct ib_qp *qp)
{
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_RTR,
		.dest_qp_num = qp->qp_num,
		.max_dest_rd_atomic = 1,
		.min_rnr_timer = 12,
	};
	struct ib_port_attr port;
	int ret;

	ret = ib_query_port(domain->ib, domain->port, &port);
	if (ret)
		return ret;
	attr.path_mtu = port.active_mtu;
	ret = kfv_registrar_address(domain, &port, &attr.ah_attr);
	if (ret)
		return ret;
	ret = ib_modify_qp(qp, &attr, IB_QP_STATE | IB_QP_AV |
			   IB_QP_PATH_MTU | IB_QP_DEST_QPN | IB_QP_RQ_PSN |
			   IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER);
	rdma_destroy_ah_attr(&attr.ah_attr);
	return ret;
}

static int kfv_registrar_connect(struct kfv_domain *domain, struct ib_qp *qp)
{
	struct ib_qp_attr init = {
		.qp_state = IB_QPS_INIT, .port_num = domain->port,
		.qp_access_flags = kfv_flush_access(domain->ib),
	};
	struct ib_qp_attr rts = {
		.qp_state = IB_QPS_RTS, .timeout = 14, .retry_cnt = 7,
		.rnr_retry = 7, .max_rd_atomic = 1,
	};
	int ret;

	ret = ib_modify_qp(qp, &init, IB_QP_STATE | IB_QP_PKEY_INDEX |
			   IB_QP_PORT | IB_QP_ACCESS_FLAGS);
	if (ret)
		return ret;
	ret = kfv_registrar_to_rtr(domain, qp);
	if (ret)
		return ret;
	return ib_modify_qp(qp, &rts, IB_QP_STATE | IB_QP_TIMEOUT |
			    IB_QP_RETRY_CNT | IB_QP_RNR_RETRY | IB_QP_SQ_PSN |
			    IB_QP_MAX_QP_RD_ATOMIC);
}

static int kfv_registrar_create(struct kfv_domain *domain)
{
	struct kfv_registrar *reg = &domain->registrar;
	struct ib_qp_init_attr attr = {
		.cap = {
			.max_send_wr = KFV_REGISTRAR_WRS,
			.max_recv_wr = 1,
			.max_send_sge = 1,
			.max_recv_sge = 1,
		},
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.qp_type = IB_QPT_RC,
		.port_num = domain->port,
	};
	int ret;

	reg->cq = __ib_alloc_cq(domain->ib, reg, 2 * KFV_REGISTRAR_WRS, 0,
				IB_POLL_UNBOUND_WORKQUEUE, domain->owner);
	if (IS_ERR(reg->cq))
		return PTR_ERR(reg->cq);
	attr.send_cq = reg->cq;
	attr.recv_cq = reg->cq;
	reg->qp = ib_create_qp(domain->pd, &attr);
	if (IS_ERR(reg->qp)) {
		ret = PTR_ERR(reg->qp);
		goto err_cq;
	}
	ret = kfv_registrar_connect(domain, reg->qp);
	if (ret)
		goto err_qp;
	return 0;

err_qp:
	ib_destroy_qp(reg->qp);
err_cq:
	ib_free_cq(reg->cq);
	reg->qp = NULL;
	return ret;
}

void kfv_registrar_destroy(struct kfv_registrar *reg)
{
	if (!reg->qp)
		return;
	ib_drain_sq(reg->qp);
	ib_destroy_qp(reg->qp);
	ib_free_cq(reg->cq);
	reg->qp = NULL;
}

static void kfv_registrar_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct kfv_registrar_wr *wr = container_of(wc->wr_cqe,
						   struct kfv_registrar_wr, cqe);

	wr->status = wc->status;
	complete(&wr->done);
}

/*
 * Return: 0; -EIO when the work request has failed, after which the queue pair does
 * nothing any more, and the next call makes one; or why it was not executed.
 */
int kfv_registrar_execute(struct kfv_domain *domain, struct ib_send_wr *wr)
{
	struct kfv_registrar *reg = &domain->registrar;
	struct kfv_registrar_wr ctx = { .cqe.done = kfv_registrar_done };
	int ret = 0;

	mutex_lock(&reg->lock);
	if (!reg->qp)
		ret = kfv_registrar_create(domain);
	if (ret)
		goto out;
	init_completion(&ctx.done);
	wr->wr_cqe = &ctx.cqe;
	wr->send_flags = IB_SEND_SIGNALED;
	ret = ib_post_send(reg->qp, wr, NULL);
	if (!ret) {
		wait_for_completion(&ctx.done);
		ret = ctx.status == IB_WC_SUCCESS ? 0 : -EIO;
		/* what else is executed may be meant to fail */
		if (ret && wr->opcode == IB_WR_REG_MR)
			pr_warn_ratelimited("%s: memory of %s not registered: %s\n",
					    dev_name(&domain->ib->dev),
					    domain->owner,
					    ib_wc_status_msg(ctx.status));
	}
	if (ret)
		kfv_registrar_destroy(reg);
out:
	mutex_unlock(&reg->lock);
	return ret;
}

/* Makes @mr valid, with its key and its iova; with a reference to the domain. */
int kfv_registrar_register(struct kfv_domain *domain, struct ib_mr *mr,
			   int access)
{
	struct ib_reg_wr wr = {
		.wr.opcode = IB_WR_REG_MR,
		.mr = mr,
		.key = mr->rkey,
		.access = access,
	};

	return kfv_registrar_execute(domain, &wr.wr);
}

/* A failure does no harm: the region is freed next, which ends access too. */
void kfv_registrar_invalidate(struct kfv_domain *domain, u32 key)
{
	struct ib_send_wr wr = {
		.opcode = IB_WR_LOCAL_INV,
		.ex.invalidate_rkey = key,
	};

	if (kfv_registrar_execute(domain, &wr))
		pr_debug("%s: key %08x not invalidated\n",
			 dev_name(&domain->ib->dev), key);
}
