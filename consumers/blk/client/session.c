// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A session with the target, from the first connection to the last: opened when a
 * device is made and whenever it has to connect again, by one task at a time.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_cm.h>

#include "blk.h"

/* Operations that the control connection has under way: see kfb_control_alive() */
#define KFB_CONTROL_SENDS	4
/* Until the target has registered what it exports */
#define KFB_HELLO_TIMEOUT	(30 * HZ)
/* Until it has got the last message */
#define KFB_BYE_TIMEOUT		HZ

/* What ended a session, or kept it from beginning, in words. */
const char *kfb_session_error(const struct kfb_dev *dev, int err)
{
	if (dev->session.reason)
		return kfb_status_str(dev->session.reason);
	return kfi_strerror(-err);
}

static bool kfb_session_failed(const struct kfb_dev *dev)
{
	return READ_ONCE(dev->session.err) || READ_ONCE(dev->removing);
}

static int kfb_session_status(const struct kfb_dev *dev)
{
	return READ_ONCE(dev->removing) ? -ESHUTDOWN :
					  READ_ONCE(dev->session.err);
}

/*
 * What it is made of
 */

static int kfb_session_getinfo(const struct kfb_dev *dev, u64 caps,
			       const char *domain, size_t tx, size_t rx,
			       struct kfi_info **info)
{
	const struct kfb_config *config = dev->config;
	struct kfi_info *hints = kfi_allocinfo();
	int err = -ENOMEM;

	if (!hints)
		return -ENOMEM;
	hints->caps = caps;
	hints->mode = KFI_RX_CQ_DATA;
	hints->ep_attr->type = KFI_EP_MSG;
	hints->tx_attr->size = tx;
	hints->rx_attr->size = rx;
	hints->domain_attr->mr_mode = KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY;
	hints->fabric_attr->prov_name = kstrdup(config->provider, GFP_KERNEL);
	if (domain)
		hints->domain_attr->name = kstrdup(domain, GFP_KERNEL);
	if (hints->fabric_attr->prov_name &&
	    (!domain || hints->domain_attr->name))
		err = kfi_getinfo(KFB_API_VERSION, config->addr,
				  config->service, 0, hints, info);
	kfi_freeinfo(hints);
	return err;
}

static int kfb_session_open_ep(struct kfb_dev *dev, struct kfi_info *info)
{
	struct kfb_session *session = &dev->session;
	struct kfi_cq_attr attr = {
		.size = KFB_CONTROL_SENDS + KFB_RECEIVES,
		.flags = KFI_CQ_PROCESS_CONTEXT,
		.format = KFI_CQ_FORMAT_MSG,
	};
	int err;

	err = kfi_cq_open(session->domain, &attr, &session->cq,
			  kfb_control_complete, dev);
	if (err)
		return err;
	err = kfi_endpoint(session->domain, info, &session->ep, NULL);
	if (err)
		return err;
	err = kfi_ep_bind(session->ep, &session->eq->fid, 0);
	if (err)
		return err;
	err = kfi_ep_bind(session->ep, &session->cq->fid,
			  KFI_TRANSMIT | KFI_RECV);
	if (err)
		return err;
	err = kfi_enable(session->ep);
	if (err)
		return err;
	err = kfb_control_listen(dev);
	if (err)
		return err;
	return kfi_connect(session->ep, NULL, NULL, 0);
}

/* By one device of this host; the next one may be where the target is. */
static int kfb_session_connect(struct kfb_dev *dev, struct kfi_info *info)
{
	struct kfb_session *session = &dev->session;
	int err;

	err = kfi_fabric(info->fabric_attr, &session->fabric, NULL);
	if (err)
		return err;
	err = kfi_eq_open(session->fabric, NULL, &session->eq,
			  kfb_control_event, dev);
	if (err)
		return err;
	err = kfi_domain(session->fabric, info, &session->domain, NULL);
	if (err)
		return err;
	err = kfb_session_open_ep(dev, info);
	if (err)
		return err;
	/* the connection manager has a timeout of its own */
	wait_event(dev->wait, READ_ONCE(session->connected) ||
		   kfb_session_failed(dev));
	err = kfb_session_status(dev);
	if (err)
		return err;
	return kfb_session_getinfo(dev, KFI_RMA | KFI_RMA_PMEM,
				   info->domain_attr->name,
				   dev->config->queue_depth + KFB_FLUSH_WINDOW,
				   1, &session->rma);
}

static void kfb_session_reset(struct kfb_dev *dev)
{
	spin_lock_irq(&dev->lock);
	memset(&dev->session, 0, sizeof(dev->session));
	spin_unlock_irq(&dev->lock);
}

static int kfb_session_connect_any(struct kfb_dev *dev)
{
	struct kfi_info *infos, *info;
	int err;

	err = kfb_session_getinfo(dev, KFI_MSG, NULL, KFB_CONTROL_SENDS,
				  KFB_RECEIVES, &infos);
	if (err)
		return err;
	for (info = infos;; info = info->next) {
		err = kfb_session_connect(dev, info);
		if (err != -EHOSTUNREACH || !info->next)
			break;
		kfb_session_close(dev);
		kfb_session_reset(dev);
	}
	kfi_freeinfo(infos);
	return err;
}

/*
 * The handshake
 */

static bool kfb_session_ready(const struct kfb_dev *dev)
{
	/* pairs with kfb_control_regions() */
	return smp_load_acquire(&dev->session.phase) == KFB_PHASE_READY;
}

static int kfb_session_greet(struct kfb_dev *dev)
{
	int err;

	err = kfb_control_hello(dev);
	if (err)
		return err;
	if (!wait_event_timeout(dev->wait, kfb_session_ready(dev) ||
				kfb_session_failed(dev), KFB_HELLO_TIMEOUT))
		return -ETIMEDOUT;
	err = kfb_session_status(dev);
	if (!err)
		queue_delayed_work(kfb_wq, &dev->alive_work, 0);
	return err;
}

/* A disk cannot change everything. */
static int kfb_session_fits(const struct kfb_dev *dev)
{
	const struct kfb_welcome *welcome = &dev->session.welcome;

	if (welcome->block_size != dev->block_size ||
	    welcome->region_size < dev->chunk) {
		pr_err("%s: %s at %s:%s has other blocks or smaller regions than before\n",
		       dev->name, dev->config->export, dev->config->addr,
		       dev->config->service);
		return -EMEDIUMTYPE;
	}
	if (welcome->nr_queues < dev->nr_queues) {
		pr_err("%s: %s at %s:%s grants %u queues, and not %u as before\n",
		       dev->name, dev->config->export, dev->config->addr,
		       dev->config->service, welcome->nr_queues,
		       dev->nr_queues);
		return -ENOSPC;
	}
	return 0;
}

/* What the target says of the device holds for all sessions, or for this one. */
static int kfb_session_learn(struct kfb_dev *dev)
{
	const struct kfb_welcome *welcome = &dev->session.welcome;
	int err;

	if (dev->disk) {
		err = kfb_session_fits(dev);
		if (err)
			return err;
	} else {
		dev->block_size = welcome->block_size;
		dev->chunk = welcome->region_size;
		dev->incarnation = welcome->incarnation;
		dev->nr_queues = welcome->nr_queues;
		dev->nr_poll = min(dev->nr_poll, dev->nr_queues - 1);
	}
	dev->size = welcome->size;
	dev->region_shift = ilog2(welcome->region_size);
	dev->read_only = dev->config->read_only || welcome->read_only;
	dev->piece = min_t(size_t, welcome->region_size,
			   rounddown_pow_of_two(dev->session.rma->ep_attr->max_msg_size));
	return 0;
}

static int kfb_session_measure(struct kfb_dev *dev)
{
	struct kfid *fid = &dev->queues[0].ep->fid;
	struct kfi_commit_info info;
	size_t len = sizeof(info);
	int err;

	err = kfi_getopt(fid, KFI_OPT_ENDPOINT, KFI_OPT_COMMIT_INFO, &info,
			 &len);
	if (err)
		return err;
	dev->method = info.method;
	dev->max_ranges = min(info.max_ranges, KFB_FLUSH_RANGES);
	if (!dev->read_only && (!dev->method || !dev->max_ranges))
		return -EOPNOTSUPP;
	len = sizeof(dev->seg_limit);
	return kfi_getopt(fid, KFI_OPT_ENDPOINT, KFI_OPT_RMA_SEG_LIMIT,
			  &dev->seg_limit, &len);
}

static int kfb_session_open_queues(struct kfb_dev *dev)
{
	struct kfb_session *session = &dev->session;
	unsigned int i;
	int err;

	for (i = 0; i < dev->nr_queues; i++) {
		dev->queues[i].polled = i >= dev->nr_queues - dev->nr_poll;
		err = kfb_queue_open(&dev->queues[i]);
		if (err)
			return err;
	}
	wait_event(dev->wait,
		   READ_ONCE(session->nr_connected) == dev->nr_queues ||
		   kfb_session_failed(dev));
	err = kfb_session_status(dev);
	if (err)
		return err;
	err = kfb_session_measure(dev);
	if (!err)
		kfb_flush_start(dev);
	return err;
}

/*
 * The last message: that the session is not needed any more, or what was wrong with
 * what the target said.
 */
static void kfb_session_bye(struct kfb_dev *dev)
{
	struct kfb_session *session = &dev->session;
	enum kfb_status complaint = READ_ONCE(session->complaint);

	if (!session->ep || !READ_ONCE(session->connected) ||
	    (READ_ONCE(session->err) && !complaint))
		return;
	kfb_wire_put_header(&session->bye, KFB_BYE, complaint);
	if (!kfi_send(session->ep, &session->bye, sizeof(session->bye), NULL,
		      KFI_ADDR_UNSPEC, &session->bye))
		wait_event_timeout(dev->wait, READ_ONCE(session->said_bye) ||
				   (READ_ONCE(session->err) && !complaint),
				   KFB_BYE_TIMEOUT);
}

/* On an error it is closed again. */
int kfb_session_open(struct kfb_dev *dev)
{
	int err;

	kfb_session_reset(dev);
	err = kfb_session_connect_any(dev);
	if (!err)
		err = kfb_session_greet(dev);
	if (!err)
		err = kfb_session_learn(dev);
	if (!err)
		err = kfb_session_open_queues(dev);
	if (err)
		kfb_session_close(dev);
	return err;
}

/*
 * Ends a session, whatever there is of it, when the device is not live any more.
 * When this returns all requests that were posted are complete or waiting to be
 * issued again, and the last flush has ended.
 */
void kfb_session_close(struct kfb_dev *dev)
{
	struct kfb_session *session = &dev->session;

	kfb_session_bye(dev);
	/* who has seen the device live has posted */
	synchronize_rcu();
	kfb_flush_stop(dev);
	cancel_delayed_work_sync(&dev->alive_work);
	kfb_queues_close(dev);
	if (session->ep)
		kfi_close(&session->ep->fid);
	if (session->cq)
		kfi_close(&session->cq->fid);
	if (session->domain)
		kfi_close(&session->domain->fid);
	if (session->eq)
		kfi_close(&session->eq->fid);
	if (session->fabric)
		kfi_close(&session->fabric->fid);
	kfi_freeinfo(session->rma);
	session->ep = NULL;
	session->cq = NULL;
	session->domain = NULL;
	session->eq = NULL;
	session->fabric = NULL;
	session->rma = NULL;
}
