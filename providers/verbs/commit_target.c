// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Commits at the target. That a request has arrived proves that the writes before
 * it are visible here. Requests are carried out in their order, those that wait
 * together in one go, and answered in their order.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/overflow.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include <trace/events/kfi.h>

#include "commit.h"
#include "ep.h"
#include "verbs.h"

static const struct kfv_wire_request *
kfv_rx_request(const struct kfv_commit_rx *rx)
{
	return rx->buf;
}

/* A well-formed request has arrived. */
void kfv_target_request(struct kfv_ep *ep, struct kfv_commit_rx *rx)
{
	struct kfv_commit *commit = ep->commit;

	rx->status = KFV_WIRE_OK;
	rx->detail = 0;
	spin_lock_irq(&commit->rx_lock);
	list_add_tail(&rx->node, &commit->requests);
	if (!commit->stopped)
		mod_delayed_work(kfv_wq, &commit->work, 0);
	spin_unlock_irq(&commit->rx_lock);
}

/*
 * Carrying out
 */

static void kfv_batch_put(struct kfv_batch *batch, unsigned int from)
{
	while (batch->nr > from)
		kfv_pmem_put(batch->mrs[--batch->nr]);
}

/* Adds a request's ranges: all, or none if one of them is bad. */
static void kfv_batch_add(struct kfv_ep *ep, struct kfv_commit_rx *rx)
{
	const struct kfv_wire_request *req = kfv_rx_request(rx);
	struct kfv_batch *batch = &ep->commit->batch;
	struct kfi_pmem_span *span;
	unsigned int i, from = batch->nr;
	struct kfv_mr *mr;
	u64 addr, len;

	for (i = 0; i < req->nr_ranges; i++) {
		addr = be64_to_cpu(req->ranges[i].addr);
		len = be64_to_cpu(req->ranges[i].len);
		mr = kfv_pmem_get(ep->domain, addr, len,
				  be64_to_cpu(req->ranges[i].key));
		if (!mr) {
			rx->status = KFV_WIRE_ACCESS;
			rx->detail = i;
			kfv_batch_put(batch, from);
			return;
		}
		span = &batch->spans[batch->nr];
		span->region = &mr->region;
		span->offset = addr - mr->mr.iova;
		span->len = len;
		batch->mrs[batch->nr++] = mr;
	}
}

/* Payload that came in a request is stored when all before is persistent. */
static void kfv_batch_store(struct kfv_batch *batch, struct kfv_commit_rx *rx)
{
	const struct kfv_wire_request *req = kfv_rx_request(rx);
	const struct kfi_pmem_span *span;
	const void *payload = &req->ranges[req->nr_ranges];
	unsigned int i;
	int err = 0;

	for (i = 0; i < batch->nr && !err; i++) {
		span = &batch->spans[i];
		err = kfi_pmem_store(span->region, span->offset, payload,
				     span->len);
		payload += span->len;
	}
	if (err) {
		rx->status = KFV_WIRE_IO;
		rx->detail = -err;
	}
}

/*
 * Payload says that what was committed before it is there. It must not be stored
 * when a commit failed that its initiator could not know of.
 */
static bool kfv_batch_broken(struct kfv_commit *commit,
			     const struct kfv_wire_request *req)
{
	if (commit->failed &&
	    (s32)(commit->last_failed - be32_to_cpu(req->since)) < 0)
		commit->failed = false;
	return commit->failed;
}

static int kfv_batch_persist(struct kfv_ep *ep)
{
	struct kfv_commit *commit = ep->commit;
	struct kfv_batch *batch = &commit->batch;
	u64 ns;
	int ret;

	if (!batch->nr)
		return 0;
	ret = kfi_prov_persist(&ep->ep, batch->spans, batch->nr, &ns);
	spin_lock_irq(&commit->rx_lock);
	kfi_stat_time(&commit->persist, ns);
	spin_unlock_irq(&commit->rx_lock);
	return ret;
}

static void kfv_batch_one(struct kfv_ep *ep, struct kfv_commit_rx *rx)
{
	const struct kfv_wire_request *req = kfv_rx_request(rx);
	struct kfv_batch *batch = &ep->commit->batch;
	int err;

	if (req->op == KFV_WIRE_DELIVER || rx->status != KFV_WIRE_OK)
		return;
	kfv_batch_add(ep, rx);
	if (req->inline_len && rx->status == KFV_WIRE_OK &&
	    kfv_batch_broken(ep->commit, req))
		rx->status = KFV_WIRE_BROKEN;
	if (req->inline_len && rx->status == KFV_WIRE_OK)
		kfv_batch_store(batch, rx);
	err = rx->status == KFV_WIRE_OK ? kfv_batch_persist(ep) : 0;
	if (err) {
		rx->status = KFV_WIRE_IO;
		rx->detail = -err;
	}
	kfv_batch_put(batch, 0);
}

/*
 * How many requests are persisted together: those in front that fit and have no
 * payload, which must wait for what is before it.
 */
static void kfv_batch_take(struct kfv_commit *commit, struct list_head *list)
{
	struct kfv_commit_rx *rx, *next;
	unsigned int spans = 0;

	INIT_LIST_HEAD(list);
	spin_lock_irq(&commit->rx_lock);
	list_for_each_entry_safe(rx, next, &commit->requests, node) {
		const struct kfv_wire_request *req = kfv_rx_request(rx);

		spans += req->nr_ranges;
		if (!list_empty(list) &&
		    (req->inline_len || spans > KFV_COMMIT_SPANS))
			break;
		list_move_tail(&rx->node, list);
		if (req->inline_len)
			break;
	}
	spin_unlock_irq(&commit->rx_lock);
}

/*
 * A batch shares one flush, and its failure: that a second try succeeds would not
 * say that what the first one lost was written again.
 */
static void kfv_batch_many(struct kfv_ep *ep, struct list_head *list)
{
	struct kfv_batch *batch = &ep->commit->batch;
	struct kfv_commit_rx *rx;
	int err;

	list_for_each_entry(rx, list, node)
		if (kfv_rx_request(rx)->op == KFV_WIRE_COMMIT)
			kfv_batch_add(ep, rx);
	err = kfv_batch_persist(ep);
	kfv_batch_put(batch, 0);
	if (!err)
		return;
	list_for_each_entry(rx, list, node) {
		if (kfv_rx_request(rx)->op != KFV_WIRE_COMMIT ||
		    rx->status != KFV_WIRE_OK)
			continue;
		rx->status = KFV_WIRE_IO;
		rx->detail = -err;
	}
}

static void kfv_batch_count(struct kfv_ep *ep, const struct kfv_commit_rx *rx)
{
	struct kfv_commit *commit = ep->commit;
	int err = -kfv_wire_errno(rx->status);

	if (kfv_rx_request(rx)->op != KFV_WIRE_COMMIT)
		return;
	spin_lock_irq(&commit->rx_lock);
	commit->served++;
	commit->refused += !!err;
	spin_unlock_irq(&commit->rx_lock);
	if (err)
		kfi_ep_serve_failed(&ep->track, err);
}

static void kfv_batch_complain(const struct kfv_ep *ep,
			       const struct kfv_commit_rx *rx)
{
	pr_warn_ratelimited("%s: commit %u of %pISpc failed: %s (%u)\n",
			    dev_name(&ep->domain->ib->dev),
			    be32_to_cpu(kfv_rx_request(rx)->generation),
			    &ep->peer, kfv_commit_strerror(rx->status),
			    rx->detail);
}

static void kfv_batch_run(struct kfv_ep *ep, struct list_head *list)
{
	struct kfv_commit *commit = ep->commit;
	struct kfv_commit_rx *rx;

	if (list_is_singular(list))
		kfv_batch_one(ep, list_first_entry(list, struct kfv_commit_rx,
						   node));
	else
		kfv_batch_many(ep, list);
	list_for_each_entry(rx, list, node) {
		kfv_batch_count(ep, rx);
		if (rx->status == KFV_WIRE_OK)
			continue;
		kfv_batch_complain(ep, rx);
		commit->failed = true;
		commit->last_failed =
			be32_to_cpu(kfv_rx_request(rx)->generation);
	}
}

/*
 * Answering
 */

static int kfv_reply_post(struct kfv_ep *ep, struct kfv_commit_reply *reply)
{
	struct ib_send_wr wr = {
		.wr_cqe = &reply->cqe,
		.sg_list = &reply->sge,
		.num_sge = 1,
		.opcode = IB_WR_SEND,
		.send_flags = IB_SEND_SIGNALED,
	};

	ib_dma_sync_single_for_device(ep->domain->ib, reply->sge.addr,
				      sizeof(reply->wire), DMA_TO_DEVICE);
	return ib_post_send(ep->tx.sq.qp, &wr, NULL);
}

/* A reply that is not on its way; KFV_COMMIT_SLOTS when all of them are. */
static unsigned int kfv_reply_idle(struct kfv_ep *ep)
{
	struct kfv_commit *commit = ep->commit;
	unsigned int nr;

	kfv_queue_poll(&ep->tx.sq.queue);
	nr = find_first_bit(commit->idle, KFV_COMMIT_SLOTS);
	if (nr == KFV_COMMIT_SLOTS) {
		/* pairs with the barrier in kfv_reply_done() */
		smp_mb();
		nr = find_first_bit(commit->idle, KFV_COMMIT_SLOTS);
	}
	return nr;
}

/*
 * All replies are on their way; kfv_reply_done() goes on. But a polled queue does not
 * tell, and a consumer who transmits nothing has no reason to look at it: it is
 * looked at again in a moment, until the peer has acknowledged a reply or the
 * connection ends. What the peer does is not worth a worker that sleeps.
 */
static void kfv_reply_wait(struct kfv_ep *ep)
{
	if (ep->tx_cq->poll_ctx == IB_POLL_DIRECT)
		queue_delayed_work(kfv_wq, &ep->commit->work, 1);
}

static bool kfv_reply(struct kfv_ep *ep, const struct kfv_commit_rx *rx)
{
	const struct kfv_wire_request *req = kfv_rx_request(rx);
	unsigned int nr = kfv_reply_idle(ep);
	struct kfv_commit *commit = ep->commit;
	struct kfv_commit_reply *reply;

	if (nr == KFV_COMMIT_SLOTS) {
		kfv_reply_wait(ep);
		return false;
	}
	clear_bit(nr, commit->idle);
	reply = &commit->replies[nr];
	reply->wire = (struct kfv_wire_reply) {
		.op = KFV_WIRE_REPLY,
		.status = rx->status,
		.slot = req->slot,
		.generation = req->generation,
		.detail = cpu_to_be32(rx->detail),
	};
	trace_kfi_commit_reply(&ep->ep, be32_to_cpu(req->generation),
			       -kfv_wire_errno(rx->status));
	if (kfv_reply_post(ep, reply))
		kfv_ep_lost(ep);
	return true;
}

/* A reply is out, and its memory can carry the next. */
void kfv_reply_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct kfv_commit_reply *reply = container_of(wc->wr_cqe,
						      struct kfv_commit_reply,
						      cqe);
	struct kfv_ep *ep = cq->cq_context;
	struct kfv_commit *commit = ep->commit;

	if (wc->status != IB_WC_SUCCESS && wc->status != IB_WC_WR_FLUSH_ERR) {
		kfv_ep_complain(ep, ib_wc_status_msg(wc->status));
		kfv_ep_lost(ep);
	}
	set_bit(reply - commit->replies, commit->idle);
	/* Either the work finds the bit, or its waiting request is found here. */
	smp_mb__after_atomic();
	if (!list_empty_careful(&commit->done) && !READ_ONCE(commit->stopped))
		mod_delayed_work(kfv_wq, &commit->work, 0);
}

/* Bytes that a request is about. */
static size_t kfv_request_len(const struct kfv_wire_request *req)
{
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < req->nr_ranges; i++)
		len = size_add(len, be64_to_cpu(req->ranges[i].len));
	return len;
}

/* False when it has to wait: for room in the consumer's queue, or for a reply. */
static bool kfv_target_finish(struct kfv_ep *ep, struct kfv_commit_rx *rx)
{
	struct kfv_wire_request *req = rx->buf;

	if (req->flags & KFV_WIRE_HAS_DATA && rx->status == KFV_WIRE_OK) {
		if (!kfv_commit_imm(ep, kfv_request_len(req),
				    be32_to_cpu(req->data)))
			return false;
		/* Once only, however often the reply has to wait. */
		req->flags = 0;
	}
	return kfv_reply(ep, rx);
}

static bool kfv_target_answer(struct kfv_ep *ep)
{
	struct kfv_commit *commit = ep->commit;
	struct kfv_commit_rx *rx;

	while (!list_empty(&commit->done)) {
		rx = list_first_entry(&commit->done, struct kfv_commit_rx,
				      node);
		if (!kfv_target_finish(ep, rx))
			return false;
		list_del(&rx->node);
		kfv_commit_repost(ep, rx);
	}
	return true;
}

/* One work for each endpoint, so one request after the other. */
void kfv_target_work(struct work_struct *work)
{
	struct kfv_commit *commit = container_of(work, struct kfv_commit,
						 work.work);
	struct list_head list;

	while (!READ_ONCE(commit->stopped) && kfv_target_answer(commit->ep)) {
		kfv_batch_take(commit, &list);
		if (list_empty(&list))
			return;
		kfv_batch_run(commit->ep, &list);
		list_splice_tail(&list, &commit->done);
		cond_resched();
	}
}

/* The connection ends: requests that were not carried out will not be. */
void kfv_commit_stop(struct kfv_ep *ep)
{
	struct kfv_commit *commit = ep->commit;

	spin_lock_irq(&commit->rx_lock);
	commit->stopped = true;
	spin_unlock_irq(&commit->rx_lock);
	cancel_delayed_work_sync(&commit->work);
}
