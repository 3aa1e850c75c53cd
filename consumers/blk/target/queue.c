// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The queues of a session: endpoints that the client reads, writes and commits by.
 * There is nothing to do here once they are connected.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "target.h"

/* Slots of an endpoint that nothing is posted on */
#define KFBT_QUEUE_SIZE		1

static struct kfbt_session *kfbt_queue_session(struct kfbt_port *port,
					       u64 token)
{
	struct kfbt_session *session;

	lockdep_assert_held(&kfbt_lock);
	list_for_each_entry(session, &port->sessions, port_node)
		if (session->state == KFBT_LIVE && !session->ending &&
		    session->token == token)
			return session;
	return NULL;
}

/* The session's domain is for one device, which all regions are registered with. */
static bool kfbt_queue_same_device(const struct kfi_info *a,
				   const struct kfi_info *b)
{
	const char *name = a->domain_attr->name, *other = b->domain_attr->name;

	return name && other && !strcmp(name, other);
}

/**
 * kfbt_queue_request() - a client asks for a queue
 * @port: where the request came in
 * @wanted: what it says
 * @info: the request; the session's if it is given one
 *
 * Context: Process context.
 * Return: KFB_OK, or what the client is to be told: KFB_NO_SESSION, KFB_BAD_QUEUE.
 */
enum kfb_status kfbt_queue_request(struct kfbt_port *port,
				   const struct kfb_queue *wanted,
				   struct kfi_info *info)
{
	enum kfb_status status = KFB_NO_SESSION;
	struct kfbt_session *session;
	struct kfbt_queue *queue;

	spin_lock(&kfbt_lock);
	session = kfbt_queue_session(port, wanted->token);
	if (!session)
		goto out;
	status = KFB_BAD_QUEUE;
	if (wanted->queue >= session->nr_queues ||
	    !kfbt_queue_same_device(session->info, info))
		goto out;
	queue = &session->queues[wanted->queue];
	if (queue->taken)
		goto out;
	queue->taken = true;
	queue->request = info;
	kfbt_session_kick(session);
	status = KFB_OK;
out:
	spin_unlock(&kfbt_lock);
	return status;
}

/* In softirq or process context */
static void kfbt_queue_complete(struct kfid_cq *cq, void *context)
{
	kfbt_session_kick(context);
}

/**
 * kfbt_queues_open() - prepare for the queues of a session
 * @session: the session
 *
 * Context: The session's work.
 * Return: 0 or a negative errno.
 */
int kfbt_queues_open(struct kfbt_session *session)
{
	unsigned int nr = min_t(unsigned int, session->hello.nr_queues,
				KFBT_MAX_QUEUES);
	struct kfi_cq_attr attr = {
		.size = 2 * nr * KFBT_QUEUE_SIZE,
		.format = KFI_CQ_FORMAT_CONTEXT,
	};
	struct kfbt_queue *queues = kzalloc_objs(*queues, nr);
	int err;

	if (!queues)
		return -ENOMEM;
	err = kfi_cq_open(session->domain, &attr, &session->queue_cq,
			  kfbt_queue_complete, session);
	if (err) {
		kfree(queues);
		return err;
	}
	spin_lock(&kfbt_lock);
	session->queues = queues;
	session->nr_queues = nr;
	spin_unlock(&kfbt_lock);
	return 0;
}

static int kfbt_queue_open(struct kfbt_session *session,
			   struct kfbt_queue *queue, struct kfi_info *info)
{
	int err;

	info->tx_attr->size = KFBT_QUEUE_SIZE;
	info->rx_attr->size = KFBT_QUEUE_SIZE;
	err = kfi_endpoint(session->domain, info, &queue->ep, queue);
	if (err)
		return err;
	err = kfi_ep_bind(queue->ep, &session->eq->fid, 0);
	if (!err)
		err = kfi_ep_bind(queue->ep, &session->queue_cq->fid,
				  KFI_TRANSMIT | KFI_RECV);
	if (!err)
		err = kfi_accept(queue->ep, NULL, 0);
	return err;
}

static void kfbt_queue_accept(struct kfbt_session *session,
			      struct kfbt_queue *queue, struct kfi_info *info)
{
	int err = kfbt_queue_open(session, queue, info);

	if (err) {
		pr_err_ratelimited("export %s: client %s at %pISpc: queue %td: %s\n",
				   session->hello.export, session->hello.client,
				   &session->peer, queue - session->queues,
				   kfi_strerror(err));
		/* what an endpoint has taken is rejected with it */
		if (!queue->ep)
			kfbt_port_refuse(session->port, info, KFB_NO_RESOURCES);
		kfbt_queue_close(session, queue);
	}
	kfi_freeinfo(info);
}

/**
 * kfbt_queues_accept() - connect what was asked for
 * @session: the session, live
 *
 * Context: The session's work.
 */
void kfbt_queues_accept(struct kfbt_session *session)
{
	struct kfi_info *info;
	unsigned int i;

	for (i = 0; i < session->nr_queues; i++) {
		spin_lock(&kfbt_lock);
		info = session->queues[i].request;
		session->queues[i].request = NULL;
		spin_unlock(&kfbt_lock);
		if (info)
			kfbt_queue_accept(session, &session->queues[i], info);
	}
}

/**
 * kfbt_queue_connected() - a queue is connected
 * @session: the session
 * @queue: the queue
 *
 * Context: The session's work.
 */
void kfbt_queue_connected(struct kfbt_session *session,
			  struct kfbt_queue *queue)
{
	spin_lock(&kfbt_lock);
	queue->connected = true;
	session->nr_connected++;
	spin_unlock(&kfbt_lock);
}

/**
 * kfbt_queue_close() - a queue is not connected, or not any more
 * @session: the session
 * @queue: the queue, which can be asked for again when this returns
 *
 * Context: The session's work.
 */
void kfbt_queue_close(struct kfbt_session *session, struct kfbt_queue *queue)
{
	if (queue->ep)
		kfi_close(&queue->ep->fid);
	queue->ep = NULL;
	spin_lock(&kfbt_lock);
	if (queue->connected)
		session->nr_connected--;
	queue->connected = false;
	queue->taken = false;
	spin_unlock(&kfbt_lock);
}

/**
 * kfbt_queues_poll() - see whether a client does what it must not
 * @session: the session, live
 *
 * Nothing is posted on a queue here. What completes is a write with data, which
 * nobody is waiting for.
 *
 * Context: The session's work.
 */
void kfbt_queues_poll(struct kfbt_session *session)
{
	struct kfi_cq_err_entry failure;
	struct kfi_cq_entry entry;
	ssize_t nr;

	while ((nr = kfi_cq_read(session->queue_cq, &entry, 1)) != -EAGAIN) {
		if (nr != -KFI_EAVAIL) {
			kfbt_session_end(session, KFB_MALFORMED);
			return;
		}
		kfi_cq_readerr(session->queue_cq, &failure, 0);
	}
}

/**
 * kfbt_queues_close() - close all queues
 * @session: the session, to which no more requests come
 *
 * Context: The session's work.
 */
void kfbt_queues_close(struct kfbt_session *session)
{
	struct kfbt_queue *queue;
	unsigned int i;

	for (i = 0; i < session->nr_queues; i++) {
		queue = &session->queues[i];
		if (queue->request) {
			kfbt_port_refuse(session->port, queue->request,
					 KFB_NO_SESSION);
			kfi_freeinfo(queue->request);
			queue->request = NULL;
		}
		kfbt_queue_close(session, queue);
	}
}
