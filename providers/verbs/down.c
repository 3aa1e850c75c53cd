// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How a connection ends: by an error, by the peer, by the consumer, or with the
 * device. However it begins, it ends in kfv_ep_teardown().
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "commit.h"
#include "ep.h"
#include "pair.h"
#include "verbs.h"

/* What a device needs at most to tell its peer why it has refused something. */
#define KFV_LAST_WORDS_MS	1000

/* What a peer needs at most, from the accept on, to say that it is connected. */
#define KFV_ACCEPTED_MS		1000

/*
 * Something is wrong with a connection, which is going to end. What comes of that is
 * no news, nor how it ends that the consumer or the peer has shut down.
 */
void kfv_ep_complain(const struct kfv_ep *ep, const char *why)
{
	if (kfv_ep_state(ep) == KFV_CONNECTED)
		pr_warn_ratelimited("%s: connection with %pISpc for %s ends: %s\n",
				    dev_name(&ep->domain->ib->dev), &ep->peer,
				    ep->owner, why);
}

static void kfv_ep_complain_failed(const struct kfv_ep *ep, int err,
				   int prov_errno)
{
	pr_warn_ratelimited("%s: no connection with %pISpc for %s: %s (%s)\n",
			    dev_name(&ep->domain->ib->dev),
			    ep->passive ? &ep->peer : &ep->dest, ep->owner,
			    kfi_strerror(err), kfv_eq_strerror(prov_errno));
}

/* The one error event that an endpoint has; a second has nothing to add. */
static void kfv_ep_post_error(struct kfv_ep *ep, int err, int prov_errno,
			      const void *data, size_t len)
{
	lockdep_assert_held(&ep->tx.lock);
	if (ep->error.err || !ep->eq)
		return;
	ep->error.err = err;
	ep->error.prov_errno = prov_errno;
	ep->error.data_len = min(len, sizeof(ep->error.data));
	if (ep->error.data_len)
		memcpy(ep->error.data, data, ep->error.data_len);
	kfi_eq_post(ep->eq, &ep->error);
}

/* An attempt to connect has failed. */
void kfv_ep_fail(struct kfv_ep *ep, int err, int prov_errno, const void *data,
		 size_t len)
{
	unsigned long irq;

	spin_lock_irqsave(&ep->tx.lock, irq);
	if (ep->state == KFV_CONNECTING) {
		kfv_ep_complain_failed(ep, err, prov_errno);
		kfv_ep_set_state(ep, KFV_DOWN);
		kfv_ep_post_error(ep, err, prov_errno, data, len);
		kfi_ep_connected(&ep->track, err);
		queue_delayed_work(kfv_wq, &ep->down, 0);
	}
	spin_unlock_irqrestore(&ep->tx.lock, irq);
}

static void kfv_ep_end_locked(struct kfv_ep *ep, unsigned int ms)
{
	lockdep_assert_held(&ep->tx.lock);
	/* what is not there yet ends when it is */
	if (ep->state == KFV_CONNECTING)
		ep->lost = true;
	if (ep->state != KFV_CONNECTED)
		return;
	kfv_ep_set_state(ep, KFV_DOWN);
	kfi_ep_disconnected(&ep->track, ep->error.err);
	kfi_eq_post(ep->eq, &ep->shutdown);
	queue_delayed_work(kfv_wq, &ep->down, msecs_to_jiffies(ms));
}

/* The connection is lost. */
void kfv_ep_lost_locked(struct kfv_ep *ep)
{
	kfv_ep_end_locked(ep, 0);
}

void kfv_ep_lost(struct kfv_ep *ep)
{
	unsigned long irq;

	spin_lock_irqsave(&ep->tx.lock, irq);
	kfv_ep_lost_locked(ep);
	spin_unlock_irqrestore(&ep->tx.lock, irq);
}

/*
 * The device has refused what the peer wanted, and the connection with it. If that
 * were taken down at once, the peer could hear of the end before the reason.
 */
void kfv_ep_refused(struct kfv_ep *ep)
{
	unsigned long irq;

	spin_lock_irqsave(&ep->tx.lock, irq);
	kfv_ep_end_locked(ep, KFV_LAST_WORDS_MS);
	spin_unlock_irqrestore(&ep->tx.lock, irq);
}

/* The connection is lost, and the consumer should know why. */
void kfv_ep_fatal(struct kfv_ep *ep, int err, int prov_errno)
{
	unsigned long irq;

	spin_lock_irqsave(&ep->tx.lock, irq);
	if (ep->state == KFV_CONNECTED)
		kfv_ep_post_error(ep, err, prov_errno, NULL, 0);
	kfv_ep_lost_locked(ep);
	spin_unlock_irqrestore(&ep->tx.lock, irq);
}

/* Nothing is posted from here on; what waits for a doorbell gets it. */
static void kfv_ep_stop(struct kfv_ep *ep, bool gone)
{
	spin_lock_irq(&ep->tx.lock);
	kfv_tx_ring(ep);
	if (gone && ep->state == KFV_CONNECTING) {
		kfv_ep_post_error(ep, ENODEV, 0, NULL, 0);
		kfi_ep_connected(&ep->track, ENODEV);
	}
	if (gone && ep->state == KFV_CONNECTED)
		kfi_eq_post(ep->eq, &ep->shutdown);
	if (ep->state == KFV_CONNECTED)
		kfi_ep_disconnected(&ep->track, gone ? ENODEV : 0);
	/* a request that was taken, and not accepted */
	if (!gone && ep->passive && ep->state == KFV_IDLE)
		kfi_prov_rejected(&kfv_provider, ep->ep.fid.id, &ep->peer);
	if (ep->state != KFV_GONE)
		kfv_ep_set_state(ep, gone ? KFV_GONE : KFV_DOWN);
	spin_unlock_irq(&ep->tx.lock);
	kfv_rx_stop(ep, gone ? -ENODEV : -ESHUTDOWN);
	cancel_delayed_work(&ep->timer);
}

/*
 * Who ends what it has accepted, and does not know to be connected, has the CM send a
 * reject. On the other side two messages in a row may be read by two processors, and
 * a reject that comes before what it rejects is dropped: the peer would be connected
 * and never hear of the end.
 */
static void kfv_link_settle(struct kfv_link *link)
{
	u64 end = link->accepted_at + msecs_to_jiffies(KFV_ACCEPTED_MS);
	u64 now = get_jiffies_64();

	if (link->accepted_at && time_before64(now, end))
		wait_for_completion_timeout(&link->heard, end - now);
}

/* An event handler that has seen the old state is through when this returns. */
static void kfv_link_disconnect(struct kfv_link *link)
{
	if (!link->id)
		return;
	rdma_lock_handler(link->id);
	rdma_unlock_handler(link->id);
	rdma_disconnect(link->id);
}

static void kfv_link_destroy(struct kfv_link *link)
{
	struct rdma_cm_id *id = link->id;

	if (link->has_qp)
		rdma_destroy_qp(id);
	link->has_qp = false;
	link->id = NULL;
	if (id)
		rdma_destroy_id(id);
}

/*
 * Ends the connection, if it has not ended yet. When this returns, every operation
 * has completed and nothing of the device is left but its completion queues. Under
 * the endpoint's lock, with a reference to the domain, or from its removal.
 */
void kfv_ep_teardown(struct kfv_ep *ep, bool gone)
{
	struct kfv_pair *pair = ep->pair;

	kfi_cq_might_wait();
	kfv_ep_stop(ep, gone);
	if (pair)
		kfv_pair_withdraw(pair);
	if (!gone)
		kfv_link_settle(&ep->link);
	kfv_link_disconnect(&ep->link);
	if (pair)
		kfv_link_disconnect(&pair->link);
	if (ep->commit)
		kfv_commit_stop(ep);
	kfv_link_quiesce(&ep->link);
	if (pair)
		kfv_link_quiesce(&pair->link);
	kfv_tx_flush(ep);
	if (ep->commit)
		kfv_commit_flush(ep);
	kfv_rx_flush(ep);
	kfv_link_destroy(&ep->link);
	if (pair)
		kfv_link_destroy(&pair->link);
	/* From here on the peer does not reach any memory. */
	if (ep->commit)
		WRITE_ONCE(ep->commit->told, 0);
}

void kfv_ep_down(struct work_struct *work)
{
	struct kfv_ep *ep = container_of(work, struct kfv_ep, down.work);

	if (!kfv_domain_get(ep->domain))
		return;
	mutex_lock(&ep->lock);
	kfv_ep_teardown(ep, false);
	mutex_unlock(&ep->lock);
	kfv_domain_put(ep->domain);
}

void kfv_ep_timer(struct work_struct *work)
{
	kfv_ep_fail(container_of(work, struct kfv_ep, timer.work), ETIMEDOUT, 0,
		    NULL, 0);
}
