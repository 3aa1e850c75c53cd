// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The life of a session: it begins with a control connection, and when it has ended
 * nothing of it is left that the client could reach memory by. Only then may another
 * one have the export.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/random.h>
#include <linux/ratelimit.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "target.h"

static void kfbt_session_free(struct kref *kref)
{
	kfree(container_of(kref, struct kfbt_session, kref));
}

/**
 * kfbt_session_kick() - there is something to do
 * @session: the session
 *
 * Context: Any context.
 */
void kfbt_session_kick(struct kfbt_session *session)
{
	kref_get(&session->kref);
	/* what was queued already has a reference */
	if (mod_delayed_work(kfbt_wq, &session->work, 0))
		kref_put(&session->kref, kfbt_session_free);
}

/* Until it is too late, or kicked. */
static void kfbt_session_sleep(struct kfbt_session *session)
{
	unsigned long now = jiffies, delay = 0;

	if (session->state == KFBT_WAITING)
		return;
	if (time_after(session->deadline, now))
		delay = session->deadline - now;
	kref_get(&session->kref);
	if (!queue_delayed_work(kfbt_wq, &session->work, delay))
		kref_put(&session->kref, kfbt_session_free);
}

/**
 * kfbt_session_end_locked() - end a session
 * @session: the session
 * @why: what the client is told; the first reason counts
 *
 * Context: kfbt_lock held.
 */
void kfbt_session_end_locked(struct kfbt_session *session, enum kfb_status why)
{
	lockdep_assert_held(&kfbt_lock);
	if (session->ending)
		return;
	session->ending = true;
	session->why = why;
	kfbt_session_kick(session);
}

/**
 * kfbt_session_end() - end a session
 * @session: the session
 * @why: what the client is told; the first reason counts
 *
 * Context: Process context.
 */
void kfbt_session_end(struct kfbt_session *session, enum kfb_status why)
{
	spin_lock(&kfbt_lock);
	kfbt_session_end_locked(session, why);
	spin_unlock(&kfbt_lock);
}

/**
 * kfbt_session_ending() - whether a session is to end
 * @session: the session
 *
 * Context: Process context.
 * Return: true if it is.
 */
bool kfbt_session_ending(struct kfbt_session *session)
{
	bool ending;

	spin_lock(&kfbt_lock);
	ending = session->ending;
	spin_unlock(&kfbt_lock);
	return ending;
}

/**
 * kfbt_session_lose() - the control connection is of no use any more
 * @session: the session
 *
 * Context: The session's work.
 */
void kfbt_session_lose(struct kfbt_session *session)
{
	session->silent = true;
	if (!kfbt_session_ending(session))
		session->lost = true;
	kfbt_session_end(session, KFB_OK);
}

static void kfbt_session_set_state(struct kfbt_session *session,
				   enum kfbt_state state, unsigned int ms)
{
	spin_lock(&kfbt_lock);
	session->state = state;
	spin_unlock(&kfbt_lock);
	session->deadline = jiffies + msecs_to_jiffies(ms);
}

static void kfbt_session_event_handler(struct kfid_eq *eq, void *context)
{
	kfbt_session_kick(context);
}

static int kfbt_session_open(struct kfbt_session *session)
{
	struct kfi_eq_attr attr = { .size = 1 };
	int err;

	err = kfi_domain(session->port->fabric, session->info,
			 &session->domain, NULL);
	if (!err)
		err = kfi_eq_open(session->port->fabric, &attr, &session->eq,
				  kfbt_session_event_handler, session);
	if (!err)
		err = kfbt_control_open(session);
	return err;
}

static void kfbt_session_start(struct kfbt_session *session)
{
	int err = kfbt_session_open(session);

	if (!err)
		return;
	pr_err_ratelimited("port %s: %pISpc: not connected: %s\n",
			   kfbt_port_name(session->port), &session->peer,
			   kfi_strerror(err));
	/* what an endpoint has taken is rejected with it */
	if (!session->ep)
		kfbt_port_refuse(session->port, session->info,
				 KFB_NO_RESOURCES);
	session->silent = true;
	kfbt_session_end(session, KFB_NO_RESOURCES);
}

static void kfbt_session_event(struct kfbt_session *session, u32 event,
			       struct kfid *fid)
{
	if (session->ep && fid == &session->ep->fid) {
		if (event == KFI_CONNECTED)
			session->connected = true;
		else
			kfbt_session_lose(session);
	} else if (event == KFI_CONNECTED) {
		kfbt_queue_connected(session, fid->context);
	} else {
		kfbt_queue_close(session, fid->context);
	}
}

/* Endpoints are closed here only, so that whatever an event is about is there. */
static void kfbt_session_events(struct kfbt_session *session)
{
	struct kfi_eq_err_entry failure;
	struct kfi_eq_cm_entry entry;
	u32 event;
	ssize_t ret;

	while (session->eq) {
		ret = kfi_eq_read(session->eq, &event, &entry, sizeof(entry),
				  0);
		if (ret == -EAGAIN)
			return;
		if (ret == -KFI_EAVAIL) {
			failure = (struct kfi_eq_err_entry) { };
			kfi_eq_readerr(session->eq, &failure, 0);
			entry.fid = failure.fid;
			event = KFI_SHUTDOWN;
		}
		kfbt_session_event(session, event, entry.fid);
	}
}

/* Unless it is to end meanwhile. */
static bool kfbt_session_go_live(struct kfbt_session *session)
{
	bool live;

	session->began = jiffies;
	session->deadline = session->began +
			    msecs_to_jiffies(session->hello.keep_alive_ms);
	spin_lock(&kfbt_lock);
	live = !session->ending;
	if (live)
		session->state = KFBT_LIVE;
	spin_unlock(&kfbt_lock);
	return live;
}

/* The client may ask for queues as soon as it knows the token. */
static void kfbt_session_welcome(struct kfbt_session *session)
{
	enum kfb_status status = kfbt_regions_open(session);

	session->token = get_random_u64();
	if (!status && (kfbt_queues_open(session) ||
			kfbt_control_prepare(session)))
		status = KFB_NO_RESOURCES;
	if (status) {
		kfbt_session_end(session, status);
		return;
	}
	if (!kfbt_session_go_live(session))
		return;
	kfbt_control_welcome(session);
	pr_info_ratelimited("export %s: client %s at %pISpc: session with %u queues, %u regions of %u KiB%s\n",
			    session->hello.export, session->hello.client,
			    &session->peer, session->nr_queues,
			    session->nr_regions, session->region_size / SZ_1K,
			    session->hello.read_only ? ", read-only" : "");
}

static void kfbt_session_expire(struct kfbt_session *session)
{
	if (session->state == KFBT_WAITING ||
	    time_before(jiffies, session->deadline))
		return;
	if (session->state == KFBT_PARTING)
		session->silent = true;
	else
		kfbt_session_end(session, KFB_TIMEOUT);
}

static const char *kfbt_session_reason(const struct kfbt_session *session)
{
	if (session->lost)
		return "connection lost";
	if (session->why == KFB_OK)
		return "the client has left";
	return kfb_status_str(session->why);
}

/*
 * A client cannot fill the log, by what it says when it leaves neither, but what
 * happens here is always in it.
 */
static bool kfbt_session_logged(const struct kfbt_session *session)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);

	if (session->state == KFBT_LIVE && !session->silent &&
	    (session->why == KFB_SHUTDOWN || session->why == KFB_DEVICE ||
	     session->why == KFB_RESTART))
		return true;
	return __ratelimit(&limit);
}

static void kfbt_session_log_end(struct kfbt_session *session)
{
	const char *what = session->lost ? "no session" : "refused";

	if (!kfbt_session_logged(session))
		return;
	if (session->state == KFBT_LIVE)
		what = "session ended";
	if (session->hello.client[0])
		pr_info("export %s: client %s at %pISpc: %s: %s\n",
			session->hello.export, session->hello.client,
			&session->peer, what, kfbt_session_reason(session));
	else
		pr_info("port %s: %pISpc: %s: %s\n",
			kfbt_port_name(session->port), &session->peer, what,
			kfbt_session_reason(session));
}

/*
 * Port and export do not end before their sessions, so this is the last that it may
 * do with them.
 */
static void kfbt_session_leave(struct kfbt_session *session)
{
	spin_lock(&kfbt_lock);
	list_del(&session->port_node);
	if (session->export)
		kfbt_export_leave(session);
	else
		session->port->nr_new--;
	session->state = KFBT_GONE;
	spin_unlock(&kfbt_lock);
	wake_up_all(&kfbt_gone);
	kref_put(&session->kref, kfbt_session_free);
}

/*
 * In this order: a write that the client has sent can arrive until its endpoint is
 * closed, and its region is there until then.
 */
static void kfbt_session_close(struct kfbt_session *session)
{
	kfbt_queues_close(session);
	kfbt_control_close(session);
	kfbt_regions_close(session);
	if (session->queue_cq)
		kfi_close(&session->queue_cq->fid);
	if (session->cq)
		kfi_close(&session->cq->fid);
	if (session->eq)
		kfi_close(&session->eq->fid);
	if (session->domain)
		kfi_close(&session->domain->fid);
	kfi_freeinfo(session->info);
	kfree(session->queues);
	kfbt_session_leave(session);
}

/* The queues go at once, the control connection when the client was told. */
static void kfbt_session_part(struct kfbt_session *session)
{
	if (session->state != KFBT_PARTING) {
		kfbt_session_log_end(session);
		kfbt_queues_close(session);
		kfbt_control_part(session, session->why);
		kfbt_session_set_state(session, KFBT_PARTING, KFBT_PARTING_MS);
	}
	if (session->silent || !session->sends)
		kfbt_session_close(session);
}

static void kfbt_session_run(struct kfbt_session *session)
{
	if (!session->domain && !kfbt_session_ending(session))
		kfbt_session_start(session);
	kfbt_session_events(session);
	if (session->connected)
		kfbt_control_poll(session);
	if (session->state == KFBT_LIVE) {
		kfbt_queues_poll(session);
		kfbt_queues_accept(session);
	}
	if (session->state == KFBT_WAITING && kfbt_export_turn(session))
		kfbt_session_welcome(session);
	kfbt_session_expire(session);
	if (kfbt_session_ending(session))
		kfbt_session_part(session);
	if (session->state != KFBT_GONE)
		kfbt_session_sleep(session);
}

static void kfbt_session_work(struct work_struct *work)
{
	struct kfbt_session *session =
		container_of(to_delayed_work(work), struct kfbt_session, work);

	if (session->state != KFBT_GONE)
		kfbt_session_run(session);
	kref_put(&session->kref, kfbt_session_free);
}

static enum kfb_status kfbt_session_enter(struct kfbt_session *session)
{
	struct kfbt_port *port = session->port;
	enum kfb_status status = KFB_OK;

	spin_lock(&kfbt_lock);
	if (!port->listening)
		status = KFB_SHUTDOWN;
	else if (port->nr_new >= KFBT_MAX_NEW)
		status = KFB_NO_RESOURCES;
	if (!status) {
		port->nr_new++;
		list_add_tail(&session->port_node, &port->sessions);
		kfbt_session_kick(session);
	}
	spin_unlock(&kfbt_lock);
	return status;
}

/**
 * kfbt_session_begin() - somebody wants a control connection
 * @port: where the request came in
 * @info: the request; the session's if there is one
 *
 * Context: Process context.
 * Return: KFB_OK; KFB_SHUTDOWN; KFB_NO_RESOURCES.
 */
enum kfb_status kfbt_session_begin(struct kfbt_port *port,
				   struct kfi_info *info)
{
	struct kfbt_session *session = kzalloc_obj(*session);
	enum kfb_status status;

	if (!session)
		return KFB_NO_RESOURCES;
	kref_init(&session->kref);
	INIT_DELAYED_WORK(&session->work, kfbt_session_work);
	INIT_LIST_HEAD(&session->export_node);
	session->port = port;
	session->info = info;
	session->deadline = jiffies + msecs_to_jiffies(KFBT_HELLO_MS);
	if (info->dest_addr)
		memcpy(&session->peer, info->dest_addr,
		       min(info->dest_addrlen, sizeof(session->peer)));
	status = kfbt_session_enter(session);
	if (status)
		kref_put(&session->kref, kfbt_session_free);
	return status;
}
