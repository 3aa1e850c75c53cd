// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The endpoint and the completion queue of a hardware queue.
 */

#include <linux/array_size.h>
#include <linux/delay.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <kfi_cm.h>

#include "blk.h"

/* Entries that are read in one go */
#define KFB_ENTRIES	16
/* Microseconds from one look at a polled queue that nobody polls to the next */
#define KFB_POLL_US	10

static void kfb_queue_done(struct kfb_hwq *queue, void *context, int err)
{
	if (context == queue)
		kfb_flush_committed(queue, err);
	else
		kfb_io_complete(context, err);
}

/*
 * A commit that has failed alone has failed, whatever the error is; of any other that
 * is part of a flush it is the connection that has.
 */
static int kfb_queue_error(const struct kfb_hwq *queue,
			   const struct kfi_cq_err_entry *failure)
{
	bool gone = kfb_conn_error(-failure->err);

	if (failure->flags & KFI_COMMIT)
		return gone ? -EIO : -failure->err;
	return failure->op_context == queue && !gone ? -ENOTCONN :
						       -failure->err;
}

/* Completes what is in a completion queue; several can do so at once. */
static int kfb_queue_reap(struct kfb_hwq *queue, struct kfid_cq *cq)
{
	struct kfi_cq_entry entries[KFB_ENTRIES];
	struct kfi_cq_err_entry failure;
	int done = 0;
	ssize_t nr, i;

	for (;;) {
		nr = kfi_cq_read(cq, entries, ARRAY_SIZE(entries));
		if (nr == -KFI_EAVAIL && kfi_cq_readerr(cq, &failure, 0) == 1)
			kfb_queue_done(queue, failure.op_context,
				       kfb_queue_error(queue, &failure));
		else if (nr < 0 && nr != -KFI_EAVAIL)
			return done;
		for (i = 0; i < nr; i++)
			kfb_queue_done(queue, entries[i].op_context, 0);
		done += nr < 0 ? 1 : nr;
	}
}

static void kfb_queue_comp(struct kfid_cq *cq, void *context)
{
	kfb_queue_reap(context, cq);
}

/* Completes what has come; returns how much, 0 also when there is no queue. */
int kfb_queue_poll(struct kfb_hwq *queue)
{
	struct kfid_cq *cq;
	int done = 0;

	rcu_read_lock();
	cq = READ_ONCE(queue->cq);
	if (cq)
		done = kfb_queue_reap(queue, cq);
	rcu_read_unlock();
	return done;
}

/*
 * Who waits for a flush does not poll, not even for what polled queues commit. Between
 * two looks other work has its turn.
 */
static void kfb_queue_poll_work(struct work_struct *work)
{
	struct kfb_hwq *queue = container_of(work, struct kfb_hwq,
					     poll_work);

	if (!READ_ONCE(queue->commits))
		return;
	if (!kfb_queue_poll(queue))
		usleep_range(KFB_POLL_US, 2 * KFB_POLL_US);
	queue_work(kfb_wq, &queue->poll_work);
}

/* The endpoint has room for what it had refused, of requests or of a flush. */
static void kfb_queue_room(struct kfid_ep *ep, void *context)
{
	struct kfb_hwq *queue = context;

	kfb_flush_room(queue);
	if (queue->dev->disk)
		blk_mq_run_hw_queues(queue->dev->disk->queue, true);
}

static int kfb_queue_open_cq(struct kfb_hwq *queue)
{
	const struct kfi_info *info = queue->dev->session.rma;
	struct kfid_domain *domain = queue->dev->session.domain;
	struct kfi_cq_attr attr = {
		.size = info->tx_attr->size + info->rx_attr->size,
		.format = KFI_CQ_FORMAT_CONTEXT,
	};
	struct kfid_cq *cq;
	int err;

	if (!queue->polled) {
		attr.flags = KFI_AFFINITY;
		attr.signaling_vector =
			queue->index % kfi_domain_num_vectors(domain);
	}
	err = kfi_cq_open(domain, &attr, &cq,
			  queue->polled ? NULL : kfb_queue_comp, queue);
	if (!err)
		WRITE_ONCE(queue->cq, cq);
	return err;
}

static int kfb_queue_open_ep(struct kfb_hwq *queue)
{
	struct kfb_session *session = &queue->dev->session;
	const struct kfi_tx_handler_attr room = {
		.handler = kfb_queue_room, .context = queue,
	};
	int err;

	err = kfi_endpoint(session->domain, session->rma, &queue->ep, NULL);
	if (err)
		return err;
	err = kfi_setopt(&queue->ep->fid, KFI_OPT_ENDPOINT, KFI_OPT_TX_HANDLER,
			 &room, sizeof(room));
	if (err)
		return err;
	err = kfi_ep_bind(queue->ep, &session->eq->fid, 0);
	if (err)
		return err;
	return kfi_ep_bind(queue->ep, &queue->cq->fid, KFI_TRANSMIT | KFI_RECV);
}

/* Begins to connect a queue; an event tells the rest. */
int kfb_queue_open(struct kfb_hwq *queue)
{
	const struct kfb_queue request = {
		.token = queue->dev->session.welcome.token,
		.queue = queue->index,
	};
	struct kfb_wire_queue param;
	int err;

	kfb_wire_put_queue(&param, &request);
	err = kfb_queue_open_cq(queue);
	if (!err)
		err = kfb_queue_open_ep(queue);
	if (!err)
		err = kfi_connect(queue->ep, NULL, &param, sizeof(param));
	return err;
}

/*
 * Closes the queues. When this returns all that was posted is complete, once, and
 * nobody looks at them any more.
 */
void kfb_queues_close(struct kfb_dev *dev)
{
	struct kfb_hwq *queue;
	struct kfid_cq *cq;
	unsigned int i;

	for (i = 0; i < dev->nr_queues; i++) {
		queue = &dev->queues[i];
		if (queue->ep)
			kfi_close(&queue->ep->fid);
		queue->ep = NULL;
	}
	for (i = 0; i < dev->nr_queues; i++) {
		queue = &dev->queues[i];
		/* all entries are there, if nobody has read them already */
		kfb_queue_poll(queue);
		cancel_work_sync(&queue->poll_work);
		cq = queue->cq;
		WRITE_ONCE(queue->cq, NULL);
		if (queue->polled)
			synchronize_rcu();
		if (cq)
			kfi_close(&cq->fid);
	}
}

int kfb_queue_init(struct kfb_dev *dev, struct kfb_hwq *queue)
{
	int err;

	queue->dev = dev;
	queue->index = queue - dev->queues;
	INIT_WORK(&queue->poll_work, kfb_queue_poll_work);
	spin_lock_init(&queue->log_lock);
	queue->log = &queue->logs[0];
	queue->taken = &queue->logs[1];
	queue->stats = alloc_percpu(struct kfb_stats);
	if (!queue->stats)
		return -ENOMEM;
	err = kfb_log_init(queue->log);
	if (!err)
		err = kfb_log_init(queue->taken);
	return err;
}

/* Also of a queue that was cleared and not initialised. */
void kfb_queue_free(struct kfb_hwq *queue)
{
	kfb_log_free(&queue->logs[0]);
	kfb_log_free(&queue->logs[1]);
	free_percpu(queue->stats);
	kfree(queue->files);
}
