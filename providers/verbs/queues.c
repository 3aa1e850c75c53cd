// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * An endpoint's queues: what is allocated when it is enabled, its queue pair, and
 * the draining of that.
 */

#include <linux/completion.h>
#include <linux/delay.h>

#include "commit.h"
#include "ep.h"
#include "pair.h"
#include "verbs.h"

/* Whether what the queue pair receives is the provider's. */
static bool kfv_link_commits(const struct kfv_link *link)
{
	return link->ep->commit && !kfv_link_is_second(link);
}

static unsigned int kfv_sq_size(const struct kfv_link *link)
{
	return link->sq->wr_mask + 1 + KFV_SPARE_WRS +
	       (kfv_link_commits(link) ? KFV_COMMIT_SLOTS : 0);
}

static unsigned int kfv_rq_size(const struct kfv_link *link)
{
	if (kfv_link_commits(link))
		return kfv_commit_receives(link->ep) + KFV_SPARE_WRS;
	return link->ep->rx.mask + 1 + KFV_SPARE_WRS;
}

static void kfv_link_close_queues(struct kfv_link *link)
{
	struct kfv_ep *ep = link->ep;

	if (kfv_link_commits(link))
		kfv_commit_close_queue(ep->commit);
	else
		kfv_queue_close(&ep->rx.queue);
	kfv_queue_close(&link->sq->queue);
}

static void kfv_link_free_queues(struct kfv_link *link)
{
	struct kfv_ep *ep = link->ep;

	kfv_link_close_queues(link);
	if (kfv_link_commits(link))
		kfv_commit_free(ep);
	else
		kfv_rxq_destroy(&ep->rx);
	kfv_sq_destroy(link->sq);
}

void kfv_ep_free_queues(struct kfv_ep *ep)
{
	if (ep->pair)
		kfv_link_free_queues(&ep->pair->link);
	kfv_link_free_queues(&ep->link);
}

static int kfv_link_alloc_queues(struct kfv_link *link)
{
	struct kfv_ep *ep = link->ep;
	int ret;

	ret = kfv_sq_init(link->sq, ep->tx_size, kfv_link_is_second(link) ?
			  kfv_pair_tx_done : kfv_tx_done);
	if (ret)
		return ret;
	ret = kfv_queue_open(&link->sq->queue, ep->tx_cq, ep,
			     kfv_sq_size(link));
	if (ret)
		return ret;
	if (kfv_link_commits(link))
		return kfv_commit_alloc(ep, kfv_rq_size(link));
	ret = kfv_rxq_init(ep);
	if (ret)
		return ret;
	return kfv_queue_open(&ep->rx.queue, ep->rx_cq, ep, kfv_rq_size(link));
}

int kfv_ep_alloc_queues(struct kfv_ep *ep)
{
	int ret;

	ret = kfv_link_alloc_queues(&ep->link);
	if (!ret && ep->pair)
		ret = kfv_link_alloc_queues(&ep->pair->link);
	if (ret)
		kfv_ep_free_queues(ep);
	return ret;
}

void kfv_link_init(struct kfv_link *link, struct kfv_ep *ep, struct kfv_sq *sq)
{
	link->cm.event = kfv_link_event;
	link->ep = ep;
	link->sq = sq;
	init_completion(&link->heard);
	init_completion(&link->drained);
}

/* Not every device has room for data in so many work requests. */
static int kfv_create_qp(struct kfv_link *link, struct rdma_cm_id *id,
			 unsigned int inline_size)
{
	bool commits = kfv_link_commits(link);
	struct kfv_ep *ep = link->ep;
	struct kfv_sq *sq = link->sq;
	struct ib_qp_init_attr attr = {
		.event_handler	= kfv_qp_event,
		.qp_context	= link,
		.send_cq	= sq->queue.ib,
		.recv_cq	= commits ? kfv_commit_recv_cq(ep) :
					    ep->rx.queue.ib,
		.cap = {
			.max_send_wr	= kfv_sq_size(link),
			.max_recv_wr	= kfv_rq_size(link),
			.max_send_sge	= sq->max_sge,
			.max_recv_sge	= commits ? 1 : ep->rx.max_sge,
			.max_inline_data = inline_size,
		},
		.sq_sig_type	= IB_SIGNAL_REQ_WR,
		.qp_type	= IB_QPT_RC,
	};
	int ret;

	ret = rdma_create_qp(id, ep->domain->pd, &attr);
	if (!ret)
		sq->inline_size = min(attr.cap.max_inline_data, inline_size);
	return ret;
}

/*
 * Makes the queue pair, and gives it the receives that were posted. Under the CM
 * id's handler lock.
 */
int kfv_link_create_qp(struct kfv_link *link, struct rdma_cm_id *id)
{
	int ret;

	ret = kfv_create_qp(link, id, KFV_INJECT_SIZE);
	if (ret && ret != -ENODEV)
		ret = kfv_create_qp(link, id, 0);
	if (ret)
		return ret;
	link->has_qp = true;
	link->sq->qp = id->qp;
	if (kfv_link_commits(link))
		return kfv_commit_start(link->ep);
	kfv_rx_start(link->ep, id->qp);
	return 0;
}

/* The last work request of either queue: all before it have completed. */
static void kfv_last_done(struct ib_cq *cq, struct ib_wc *wc)
{
	complete(&container_of(wc->wr_cqe, struct kfv_link, last)->drained);
}

static int kfv_post_last(struct kfv_link *link, struct ib_qp *qp)
{
	struct ib_recv_wr recv = { .wr_cqe = &link->last };
	struct ib_rdma_wr send = {
		.wr.wr_cqe = &link->last,
		.wr.opcode = IB_WR_RDMA_WRITE,
	};
	int ret;

	link->last.done = kfv_last_done;
	ret = ib_post_send(qp, &send.wr, NULL);
	return ret ?: ib_post_recv(qp, &recv, NULL);
}

static bool kfv_queue_is_polled(const struct kfv_queue *queue)
{
	return queue->cq && queue->cq->poll_ctx == IB_POLL_DIRECT;
}

/* A polled queue might have no other reader any more. */
static void kfv_wait_last(struct kfv_link *link)
{
	struct kfv_ep *ep = link->ep;

	if (!kfv_queue_is_polled(&link->sq->queue) &&
	    !kfv_queue_is_polled(&ep->rx.queue)) {
		wait_for_completion(&link->drained);
		return;
	}
	while (!try_wait_for_completion(&link->drained)) {
		usleep_range(50, 100);
		kfv_queue_poll(&link->sq->queue);
		kfv_queue_poll(&ep->rx.queue);
	}
}

/*
 * A queue pair that could not be connected may have stopped for good: rxe's does
 * when there is no memory for what the connection needs, and flushes nothing then.
 * A reset starts it again, and drops what kfv_rx_flush() has to complete.
 */
static void kfv_link_unstall(struct kfv_link *link, struct ib_qp *qp)
{
	struct ib_qp_attr attr = { .qp_state = IB_QPS_RESET };

	if (WARN_ON_ONCE(ib_modify_qp(qp, &attr, IB_QP_STATE)))
		return;
	attr.qp_state = IB_QPS_INIT;
	attr.port_num = link->id->port_num;
	WARN_ON_ONCE(ib_modify_qp(qp, &attr, IB_QP_STATE | IB_QP_PKEY_INDEX |
				  IB_QP_PORT | IB_QP_ACCESS_FLAGS));
}

/*
 * Not by ib_drain_qp(), which would look at a polled queue ten times a second, and
 * at the same time as the consumer, and would wait for a queue that has failed. False
 * if there are operations whose completion will not come.
 */
static bool kfv_link_drain(struct kfv_link *link, struct ib_qp *qp)
{
	struct ib_qp_attr attr = { .qp_state = IB_QPS_ERR };

	if (link->stalled)
		kfv_link_unstall(link, qp);
	if (ib_modify_qp(qp, &attr, IB_QP_STATE) || kfv_post_last(link, qp))
		return false;
	kfv_wait_last(link);
	kfv_wait_last(link);
	return !READ_ONCE(link->ep->cut_off);
}

/*
 * Takes back all that the device was given. What has not completed when this
 * returns, because a queue has failed, never will, and is there to be flushed.
 */
void kfv_link_quiesce(struct kfv_link *link)
{
	if (!link->has_qp || kfv_link_drain(link, link->id->qp))
		return;
	rdma_destroy_qp(link->id);
	link->has_qp = false;
	kfv_link_close_queues(link);
}

/* A queue of the device has failed, in any context: nobody waits for it any more. */
void kfv_ep_cut_off(struct kfv_ep *ep)
{
	WRITE_ONCE(ep->cut_off, true);
	complete_all(&ep->link.drained);
	if (ep->pair)
		complete_all(&ep->pair->link.drained);
}
