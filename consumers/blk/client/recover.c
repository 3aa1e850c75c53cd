// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a device does when its connection breaks. It changes its state under its
 * lock, and nowhere but here:
 *
 * ============  ============  ==================================================
 * from          to            when
 * ============  ============  ==================================================
 * CONNECTING    LIVE          kfb_dev_live(): there is a session, and a disk
 * LIVE          RECONNECTING  kfb_dev_fail(): something has failed
 * LIVE          REMOVING      the same while it is being removed
 * RECONNECTING  FAILING       kfb_fail_requests(): after fast_io_fail seconds
 * RECONNECTING  LIVE          kfb_dev_live(): there is another session
 * FAILING       LIVE          the same
 * RECONNECTING  DEAD          kfb_dev_die(): after ctrl_loss seconds, or when the
 * FAILING       DEAD          target's device is another one
 * any           REMOVING      kfb_dev_stop(): it is removed. From LIVE in two
 *                             steps: @removing first, and this when nobody can
 *                             have requests any more
 * ============  ============  ==================================================
 *
 * The queue is quiesced in RECONNECTING and in no other state, from when it is
 * entered to when it is left; so in all others requests are carried out or fail, and
 * nobody waits for ever. Whoever takes the device out of LIVE ends the session, or
 * has the work do it, and only then what was posted is issued again.
 *
 * One task at a time opens and closes sessions: who makes the device, then the work,
 * and who removes it when the work cannot run any more.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/sched/mm.h>
#include <linux/wait.h>

#include "blk.h"

static const char * const kfb_states[] = {
	[KFB_STATE_CONNECTING]		= "connecting",
	[KFB_STATE_LIVE]		= "live",
	[KFB_STATE_RECONNECTING]	= "reconnecting",
	[KFB_STATE_FAILING]		= "failing",
	[KFB_STATE_DEAD]		= "dead",
	[KFB_STATE_REMOVING]		= "removing",
};

const char *kfb_state_str(const struct kfb_dev *dev)
{
	return kfb_states[READ_ONCE(dev->state)];
}

static unsigned long kfb_seconds(const unsigned int *seconds)
{
	return READ_ONCE(*seconds) * HZ;
}

/* Under the lock, as whatever changes the state. */
static void kfb_dev_set_state(struct kfb_dev *dev, enum kfb_state state)
{
	enum kfb_state old = dev->state;

	lockdep_assert_held(&dev->lock);
	if (state == KFB_STATE_RECONNECTING)
		blk_mq_quiesce_queue_nowait(dev->disk->queue);
	/* pairs with kfb_queue_rq() */
	smp_store_release(&dev->state, state);
	if (old == KFB_STATE_RECONNECTING)
		blk_mq_unquiesce_queue(dev->disk->queue);
}

/*
 * Something of the session has failed: an operation, the connection, or what the
 * target said. Any context but hard interrupt.
 */
void kfb_dev_fail(struct kfb_dev *dev, int err, enum kfb_status reason)
{
	unsigned long flags;

	spin_lock_irqsave(&dev->lock, flags);
	if (!dev->session.err) {
		dev->session.reason = reason;
		WRITE_ONCE(dev->session.err, err);
	}
	if (dev->state == KFB_STATE_LIVE) {
		dev->lost_at = jiffies;
		kfb_dev_set_state(dev, dev->removing ? KFB_STATE_REMOVING :
				  KFB_STATE_RECONNECTING);
		mod_delayed_work(kfb_recover_wq, &dev->recover_work, 0);
		mod_delayed_work(kfb_wq, &dev->fail_work, 0);
	}
	spin_unlock_irqrestore(&dev->lock, flags);
	wake_up(&dev->wait);
}

/* The session is there; 0, or what has happened to it since. */
int kfb_dev_live(struct kfb_dev *dev)
{
	int err;

	spin_lock_irq(&dev->lock);
	err = dev->removing ? -ESHUTDOWN : dev->session.err;
	if (!err) {
		dev->live_at = jiffies;
		kfb_dev_set_state(dev, KFB_STATE_LIVE);
	}
	spin_unlock_irq(&dev->lock);
	if (!err)
		cancel_delayed_work(&dev->fail_work);
	return err;
}

/*
 * Fails requests when they have waited for a connection long enough. Until then it
 * looks every second, for how long that is can be changed meanwhile.
 */
void kfb_fail_requests(struct work_struct *work)
{
	struct kfb_dev *dev = container_of(to_delayed_work(work),
					   struct kfb_dev, fail_work);
	unsigned long delay = kfb_seconds(&dev->config->fast_io_fail);
	unsigned long until;
	bool late;

	spin_lock_irq(&dev->lock);
	until = dev->lost_at + delay;
	late = dev->state == KFB_STATE_RECONNECTING && delay &&
	       time_after_eq(jiffies, until);
	if (late)
		kfb_dev_set_state(dev, KFB_STATE_FAILING);
	else if (dev->state == KFB_STATE_RECONNECTING)
		mod_delayed_work(kfb_wq, &dev->fail_work,
				 delay ? min_t(unsigned long, until - jiffies,
					       HZ) : HZ);
	spin_unlock_irq(&dev->lock);
	if (late)
		pr_warn("%s: no connection for %lu seconds, requests fail\n",
			dev->name, delay / HZ);
}

static bool kfb_dev_is_lost(struct kfb_dev *dev)
{
	enum kfb_state state = READ_ONCE(dev->state);

	return state == KFB_STATE_RECONNECTING || state == KFB_STATE_FAILING;
}

/* There is no hope. */
static void kfb_dev_die(struct kfb_dev *dev)
{
	bool dies;

	spin_lock_irq(&dev->lock);
	dies = !dev->removing && kfb_dev_is_lost(dev);
	if (dies)
		kfb_dev_set_state(dev, KFB_STATE_DEAD);
	spin_unlock_irq(&dev->lock);
	if (!dies)
		return;
	pr_err("%s: given up: all that is left is to remove it\n", dev->name);
	blk_mark_disk_dead(dev->disk);
}

/* Whether what was written and not committed can be: it is where it was. */
static bool kfb_dev_survived(const struct kfb_dev *dev)
{
	return dev->incarnation == dev->session.welcome.incarnation &&
	       dev->size >> SECTOR_SHIFT >= get_capacity(dev->disk);
}

/* A session is there. Nothing is issued before what was written is persistent. */
static int kfb_dev_resume(struct kfb_dev *dev)
{
	int err = 0;

	if (!kfb_dev_survived(dev))
		kfb_loss_found(dev);
	else if (!dev->read_only)
		err = kfb_flush_wait(dev, true);
	if (err)
		return err;
	kfb_disk_update(dev);
	return kfb_dev_live(dev);
}

static void kfb_dev_reconnect(struct kfb_dev *dev)
{
	const struct kfb_config *config = dev->config;
	unsigned long limit = kfb_seconds(&config->ctrl_loss);
	unsigned long delay = kfb_seconds(&config->reconnect_delay);
	int err;

	err = kfb_session_open(dev);
	if (!err) {
		err = kfb_dev_resume(dev);
		if (err)
			kfb_session_close(dev);
	}
	if (!err) {
		kfb_stats_reconnect(dev);
		pr_info_ratelimited("%s: connected to %s at %s:%s again\n",
				    dev->name, config->export, config->addr,
				    config->service);
		return;
	}
	if (!kfb_dev_is_lost(dev))
		return;
	pr_info_ratelimited("%s: cannot connect to %s at %s:%s: %s\n",
			    dev->name, config->export, config->addr,
			    config->service, kfb_session_error(dev, err));
	if (err == -EMEDIUMTYPE || time_after(jiffies, dev->lost_at + limit))
		kfb_dev_die(dev);
	else
		queue_delayed_work(kfb_recover_wq, &dev->recover_work, delay);
}

/* Ends a session that has failed, and begins another. */
void kfb_recover(struct work_struct *work)
{
	struct kfb_dev *dev = container_of(to_delayed_work(work),
					   struct kfb_dev, recover_work);
	unsigned long delay = kfb_seconds(&dev->config->reconnect_delay);
	unsigned int noio = memalloc_noio_save();
	bool brief = false;

	if (dev->session.fabric) {
		pr_warn_ratelimited("%s: the connection to %s at %s:%s has ended: %s\n",
				    dev->name, dev->config->export,
				    dev->config->addr, dev->config->service,
				    kfb_session_error(dev, dev->session.err));
		kfb_session_close(dev);
		/* or a target that ends each session would be asked all the time */
		brief = time_before(dev->lost_at, dev->live_at + delay);
	}
	if (kfb_dev_is_lost(dev) && brief)
		queue_delayed_work(kfb_recover_wq, &dev->recover_work, delay);
	else if (kfb_dev_is_lost(dev))
		kfb_dev_reconnect(dev);
	memalloc_noio_restore(noio);
}

/*
 * The device is to be removed: it does not connect again. While it is live its
 * requests are still carried out; otherwise they fail from now on, and there is no
 * session when this returns. To be called once more when there are no requests.
 */
void kfb_dev_stop(struct kfb_dev *dev)
{
	bool again = dev->removing, live;

	spin_lock_irq(&dev->lock);
	WRITE_ONCE(dev->removing, true);
	live = dev->state == KFB_STATE_LIVE && !again;
	if (!live)
		kfb_dev_set_state(dev, KFB_STATE_REMOVING);
	spin_unlock_irq(&dev->lock);
	wake_up(&dev->wait);
	if (live)
		return;
	cancel_delayed_work_sync(&dev->recover_work);
	cancel_delayed_work_sync(&dev->fail_work);
	kfb_session_close(dev);
}
