// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * An endpoint's queues: what is allocated when it is enabled, its queue pair, and
 * the draining of that.
 */

#include <linux/completion.h>

#include "commit.h"
#include "ep.h"
#include "verbs.h"

struct kfv_drain {
	struct ib_cqe		cqe;
	struct completion	done;
};

static unsigned int kfv_sq_size(const struct kfv_ep *ep)
{
	return ep->tx.wr_mask + 1 + KFV_SPARE_WRS +
	       (ep->commit ? KFV_COMMIT_SLOTS : 0);
}

static unsigned int kfv_rq_size(const struct kfv_ep *ep)
{
	if (ep->commit)
		return kfv_commit_receives(ep) + KFV_SPARE_WRS;
	return ep->rx.mask + 1 + KFV_SPARE_WRS;
}

void kfv_ep_free_queues(struct kfv_ep *ep)
{
	kfv_queue_close(&ep->rx.queue);
	kfv_queue_close(&ep->tx.queue);
	if (ep->commit)
		kfv_commit_free(ep);
	kfv_rxq_destroy(&ep->rx);
	kfv_txq_destroy(&ep->tx);
}

int kfv_ep_alloc_queues(struct kfv_ep *ep)
{
	int ret;

	ret = kfv_txq_init(ep);
	if (ret)
		goto err;
	ret = kfv_queue_open(&ep->tx.queue, ep->tx_cq, ep, kfv_sq_size(ep));
	if (ret)
		goto err;
	if (ep->commit) {
		ret = kfv_commit_alloc(ep, kfv_rq_size(ep));
		if (ret)
			goto err;
		return 0;
	}
	ret = kfv_rxq_init(ep);
	if (ret)
		goto err;
	ret = kfv_queue_open(&ep->rx.queue, ep->rx_cq, ep, kfv_rq_size(ep));
	if (ret)
		goto err;
	return 0;

err:
	kfv_ep_free_queues(ep);
	return ret;
}

/* Not every device has room for data in so many work requests. */
static int kfv_create_qp(struct kfv_ep *ep, struct rdma_cm_id *id,
			 unsigned int inline_size)
{
	struct ib_qp_init_attr attr = {
		.event_handler	= kfv_qp_event,
		.qp_context	= ep,
		.send_cq	= ep->tx.queue.ib,
		.recv_cq	= ep->commit ? kfv_commit_recv_cq(ep) :
					       ep->rx.queue.ib,
		.cap = {
			.max_send_wr	= kfv_sq_size(ep),
			.max_recv_wr	= kfv_rq_size(ep),
			.max_send_sge	= ep->tx.max_sge,
			.max_recv_sge	= ep->commit ? 1 : ep->rx.max_sge,
			.max_inline_data = inline_size,
		},
		.sq_sig_type	= IB_SIGNAL_REQ_WR,
		.qp_type	= IB_QPT_RC,
	};
	int ret;

	ret = rdma_create_qp(id, ep->domain->pd, &attr);
	if (!ret)
		ep->tx.inline_size = min(attr.cap.max_inline_data, inline_size);
	return ret;
}

/*
 * Makes the queue pair, and gives it the receives that were posted. Under the CM
 * id's handler lock.
 */
int kfv_ep_create_qp(struct kfv_ep *ep, struct rdma_cm_id *id)
{
	int ret;

	ret = kfv_create_qp(ep, id, KFV_INJECT_SIZE);
	if (ret && ret != -ENODEV)
		ret = kfv_create_qp(ep, id, 0);
	if (ret)
		return ret;
	ep->has_qp = true;
	kfv_rx_start(ep, id->qp);
	return ep->commit ? kfv_commit_start(ep) : 0;
}

static void kfv_drain_done(struct ib_cq *cq, struct ib_wc *wc)
{
	complete(&container_of(wc->wr_cqe, struct kfv_drain, cqe)->done);
}

/*
 * ib_drain_sq() would look at a polled queue ten times a second, and at the same
 * time as the consumer.
 */
static void kfv_drain_sq(struct kfv_queue *queue, struct ib_qp *qp)
{
	struct kfv_drain drain = { .cqe.done = kfv_drain_done };
	struct ib_rdma_wr wr = {
		.wr.wr_cqe = &drain.cqe,
		.wr.opcode = IB_WR_RDMA_WRITE,
	};

	if (queue->cq->poll_ctx != IB_POLL_DIRECT) {
		ib_drain_sq(qp);
		return;
	}
	init_completion(&drain.done);
	if (!WARN_ON_ONCE(ib_post_send(qp, &wr.wr, NULL)))
		kfv_queue_wait(queue, &drain.done);
}

static void kfv_drain_rq(struct kfv_queue *queue, struct ib_qp *qp)
{
	struct kfv_drain drain = { .cqe.done = kfv_drain_done };
	struct ib_recv_wr wr = { .wr_cqe = &drain.cqe };

	if (queue->cq->poll_ctx != IB_POLL_DIRECT) {
		ib_drain_rq(qp);
		return;
	}
	init_completion(&drain.done);
	if (!WARN_ON_ONCE(ib_post_recv(qp, &wr, NULL)))
		kfv_queue_wait(queue, &drain.done);
}

/*
 * A queue pair that could not be connected may have stopped for good: rxe's does
 * when there is no memory for what the connection needs, and flushes nothing then.
 * A reset starts it again, and drops what kfv_rx_flush() has to complete.
 */
static void kfv_ep_unstall(struct kfv_ep *ep, struct ib_qp *qp)
{
	struct ib_qp_attr attr = { .qp_state = IB_QPS_RESET };

	if (WARN_ON_ONCE(ib_modify_qp(qp, &attr, IB_QP_STATE)))
		return;
	attr.qp_state = IB_QPS_INIT;
	attr.port_num = ep->domain->port;
	WARN_ON_ONCE(ib_modify_qp(qp, &attr, IB_QP_STATE | IB_QP_PKEY_INDEX |
				  IB_QP_PORT | IB_QP_ACCESS_FLAGS));
}

/* When this returns, all that the device was given has completed. */
void kfv_ep_drain(struct kfv_ep *ep, struct ib_qp *qp)
{
	struct ib_qp_attr attr = { .qp_state = IB_QPS_ERR };

	if (ep->stalled)
		kfv_ep_unstall(ep, qp);
	if (WARN_ON_ONCE(ib_modify_qp(qp, &attr, IB_QP_STATE)))
		return;
	kfv_drain_sq(&ep->tx.queue, qp);
	if (ep->commit)
		ib_drain_rq(qp);
	else
		kfv_drain_rq(&ep->rx.queue, qp);
}

/*
 * Draining waits for completions, and a queue that has failed has none. Without queue
 * pair and queues nothing completes any more, and what has not is there to be
 * flushed.
 */
void kfv_ep_cut_off(struct kfv_ep *ep, struct rdma_cm_id *id)
{
	rdma_destroy_qp(id);
	ep->has_qp = false;
	kfv_queue_close(&ep->rx.queue);
	kfv_queue_close(&ep->tx.queue);
	if (ep->commit)
		kfv_commit_close_queue(ep->commit);
}
