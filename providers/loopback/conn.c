// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A connection: what two endpoints share, from the request to the end.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "conn.h"
#include "ep.h"
#include "loopback.h"

static void lo_conn_timeout(struct work_struct *work)
{
	struct lo_conn *conn =
		container_of(to_delayed_work(work), struct lo_conn, timer);

	lo_conn_refuse(conn, LO_CONNECT_TIMEOUT, NULL, 0);
	lo_conn_put(conn);
}

struct lo_conn *lo_conn_alloc(enum kfi_ep_kind kind)
{
	struct lo_conn *conn = kzalloc_obj(*conn);

	if (!conn)
		return NULL;
	kref_init(&conn->kref);
	spin_lock_init(&conn->lock);
	INIT_DELAYED_WORK(&conn->timer, lo_conn_timeout);
	conn->kind = kind;
	return conn;
}

static void lo_conn_release(struct kref *kref)
{
	kfree(container_of(kref, struct lo_conn, kref));
}

void lo_conn_put(struct lo_conn *conn)
{
	kref_put(&conn->kref, lo_conn_release);
}

/* What the consumer has of a message of @size bytes. */
size_t lo_cm_room(const struct lo_conn *conn, size_t size)
{
	return conn->kind == KFI_KIND_RAW ? size : size - LO_COMMIT_RECORD;
}

/* The endpoint becomes one side of the connection, and refers to it. */
void lo_conn_attach(struct lo_conn *conn, struct lo_ep *ep, unsigned int side)
{
	kref_get(&conn->kref);
	ep->conn = conn;
	ep->side = side;
	spin_lock(&conn->lock);
	conn->ends[side] = ep;
	spin_unlock(&conn->lock);
	if (conn->kind == KFI_KIND_RAW)
		return;
	spin_lock(&ep->domain->lock);
	list_add(&ep->node, &ep->domain->eps);
	spin_unlock(&ep->domain->lock);
}

/* A drained endpoint: the other side and the domain forget it. */
void lo_conn_detach(struct lo_ep *ep)
{
	spin_lock(&ep->domain->lock);
	list_del_init(&ep->node);
	spin_unlock(&ep->domain->lock);
	spin_lock(&ep->conn->lock);
	ep->conn->ends[ep->side] = NULL;
	spin_unlock(&ep->conn->lock);
}

/* The listener has @timeout milliseconds to answer. */
void lo_conn_wait(struct lo_conn *conn, unsigned int timeout)
{
	kref_get(&conn->kref);
	queue_delayed_work(lo_wq, &conn->timer, msecs_to_jiffies(timeout));
}

/* The answer is there, whatever it is. */
static void lo_conn_answered(struct lo_conn *conn)
{
	if (cancel_delayed_work(&conn->timer))
		lo_conn_put(conn);
}

bool lo_conn_was_up(struct lo_conn *conn)
{
	bool was_up;

	spin_lock(&conn->lock);
	was_up = conn->was_up;
	spin_unlock(&conn->lock);
	return was_up;
}

bool lo_conn_is_down(struct lo_conn *conn)
{
	bool down;

	spin_lock(&conn->lock);
	down = conn->state == LO_CONN_DOWN;
	spin_unlock(&conn->lock);
	return down;
}

/*
 * How an endpoint is going to commit, on a connection with so many reads: as its
 * consumer wants, if what its peer declares allows that.
 */
enum kfi_commit_method lo_conn_method(const struct lo_ep *ep, u8 depth)
{
	unsigned long allowed = ep->conn->memory[!ep->side].methods;

	if (!depth)
		allowed &= ~BIT(KFI_COMMIT_READ);
	return kfi_prov_method(ep->commit_method, allowed);
}

/* The endpoint's part in its connection; under the endpoint's lock. */
void lo_conn_describe(struct lo_ep *ep, struct kfi_ep_desc *desc)
{
	struct lo_conn *conn = ep->conn;

	desc->local = conn->addrs[ep->side];
	desc->peer = conn->addrs[!ep->side];
	spin_lock(&conn->lock);
	if (conn->state == LO_CONN_UP)
		desc->state = KFI_STATE_CONNECTED;
	else if (conn->state == LO_CONN_DOWN)
		desc->state = KFI_STATE_DOWN;
	else if (ep->side == LO_ACTIVE)
		desc->state = KFI_STATE_CONNECTING;
	if (conn->was_up)
		desc->method = ep->tx.method;
	spin_unlock(&conn->lock);
}

/* The two ends settle on the smaller depth. */
static u8 lo_ep_depth(const struct lo_ep *ep, const struct lo_ep *peer)
{
	return min(ep->conn_param.initiator_depth,
		   peer->conn_param.responder_resources);
}

static void lo_ep_up(struct lo_ep *ep, const struct lo_ep *peer)
{
	u8 depth = lo_ep_depth(ep, peer);

	spin_lock_irq(&ep->tx.lock);
	ep->tx.status = 0;
	ep->tx.depth = depth;
	if (ep->limits.commit)
		ep->tx.method = lo_conn_method(ep, depth);
	spin_unlock_irq(&ep->tx.lock);
}

/* Nothing can be posted any more; the engine completes what was. */
static void lo_ep_kill(struct lo_ep *ep)
{
	spin_lock_irq(&ep->tx.lock);
	ep->tx.status = -ESHUTDOWN;
	ep->tx.rung = ep->tx.nr;
	spin_unlock_irq(&ep->tx.lock);
	lo_rx_kill(ep);
	queue_work(lo_wq, &ep->work);
}

static void lo_event_data(struct kfi_eq_event *ev, const void *data, size_t len,
			  size_t padded)
{
	if (len)
		memcpy(ev->data, data, len);
	ev->data_len = padded;
}

/* Both can transmit before either is told, or a first message comes too early. */
static void lo_conn_connect(struct lo_conn *conn, const void *data, size_t len)
{
	struct lo_ep *passive = conn->ends[LO_PASSIVE];
	struct lo_ep *active = conn->ends[LO_ACTIVE];

	lockdep_assert_held(&conn->lock);
	conn->state = LO_CONN_UP;
	conn->was_up = true;
	lo_ep_up(active, passive);
	lo_ep_up(passive, active);
	active->connected.event = KFI_CONNECTED;
	lo_event_data(&active->connected, data, len,
		      lo_cm_room(conn, KFI_CM_REP_SIZE));
	kfi_eq_post(active->eq, &active->connected);
	kfi_ep_connected(&active->track, 0);
	passive->connected.event = KFI_CONNECTED;
	kfi_eq_post(passive->eq, &passive->connected);
	kfi_ep_connected(&passive->track, 0);
}

/* An endpoint's connection does not come about. */
static void lo_ep_fail(struct lo_ep *ep, enum lo_error error, const void *data,
		       size_t len, size_t padded)
{
	pr_warn_ratelimited("no connection with %pISpc for %s: %s\n",
			    &ep->conn->addrs[!ep->side], ep->track.track.owner,
			    lo_strerror(error));
	lo_ep_kill(ep);
	ep->error.err = lo_errno(error);
	ep->error.prov_errno = error;
	lo_event_data(&ep->error, data, len, padded);
	kfi_eq_post(ep->eq, &ep->error);
	kfi_ep_connected(&ep->track, ep->error.err);
}

/* What the side that connects finds wrong with the answer, or LO_OK */
static enum lo_error lo_conn_check(const struct lo_conn *conn)
{
	const struct lo_ep *passive = conn->ends[LO_PASSIVE];
	const struct lo_ep *active = conn->ends[LO_ACTIVE];

	if (conn->kind != passive->kind)
		return LO_OTHER_KIND;
	if (active->limits.commit &&
	    lo_conn_method(active, lo_ep_depth(active, passive)) ==
	    KFI_COMMIT_NONE)
		return LO_NO_METHOD;
	return LO_OK;
}

/*
 * The listener accepts, and sends @data; with an endpoint of another kind it
 * cannot. False when the other side has given up.
 */
bool lo_conn_up(struct lo_conn *conn, const void *data, size_t len)
{
	enum lo_error error = LO_OK;
	struct lo_ep *passive;
	bool ok;

	spin_lock(&conn->lock);
	passive = conn->ends[LO_PASSIVE];
	ok = conn->state == LO_CONN_REQUESTED;
	if (ok)
		error = lo_conn_check(conn);
	if (ok && !error) {
		lo_conn_connect(conn, data, len);
	} else if (ok) {
		conn->state = LO_CONN_DOWN;
		lo_ep_fail(conn->ends[LO_ACTIVE], error, NULL, 0, 0);
		lo_ep_fail(passive, LO_RESET, NULL, 0, 0);
	} else {
		lo_ep_kill(passive);
	}
	spin_unlock(&conn->lock);
	lo_conn_answered(conn);
	return ok;
}

/*
 * The listener says no, or nobody says anything: the other side is told, once.
 * A listener's message has a body, if only of padding.
 */
void lo_conn_refuse(struct lo_conn *conn, enum lo_error error,
		    const void *data, size_t len)
{
	spin_lock(&conn->lock);
	if (conn->state == LO_CONN_REQUESTED) {
		conn->state = LO_CONN_DOWN;
		lo_ep_fail(conn->ends[LO_ACTIVE], error, data, len,
			   error == LO_REJECTED ? KFI_CM_REJ_SIZE : 0);
	}
	spin_unlock(&conn->lock);
	lo_conn_answered(conn);
}

static void lo_ep_down(struct lo_ep *ep, bool tell)
{
	lo_ep_kill(ep);
	kfi_ep_disconnected(&ep->track, ep->error.err);
	if (!tell)
		return;
	ep->shutdown.event = KFI_SHUTDOWN;
	kfi_eq_post(ep->eq, &ep->shutdown);
}

/* An established connection ends. Whoever ends it, @by, need not be told. */
static void lo_conn_down(struct lo_conn *conn, const struct lo_ep *by)
{
	struct lo_ep *ep;
	int i;

	lockdep_assert_held(&conn->lock);
	if (conn->state != LO_CONN_UP)
		return;
	conn->state = LO_CONN_DOWN;
	for (i = 0; i < ARRAY_SIZE(conn->ends); i++) {
		ep = conn->ends[i];
		lo_ep_down(ep, ep != by);
	}
}

/* Something is wrong with a connection, which is going to end. */
void lo_conn_complain(const struct lo_ep *ep, enum lo_error error)
{
	pr_warn_ratelimited("connection with %pISpc for %s ends: %s\n",
			    &ep->conn->addrs[!ep->side], ep->track.track.owner,
			    lo_strerror(error));
}

/* Something went wrong with the connection, if there is one. */
void lo_conn_fail(struct lo_conn *conn)
{
	spin_lock(&conn->lock);
	lo_conn_down(conn, NULL);
	spin_unlock(&conn->lock);
}

/* The peer does not answer: the endpoint is told why its connection ends. */
void lo_conn_time_out(struct lo_ep *ep)
{
	struct lo_conn *conn = ep->conn;

	spin_lock(&conn->lock);
	if (conn->state == LO_CONN_UP) {
		lo_conn_complain(ep, LO_COMMIT_TIMEOUT);
		ep->error.err = lo_errno(LO_COMMIT_TIMEOUT);
		ep->error.prov_errno = LO_COMMIT_TIMEOUT;
		kfi_eq_post(ep->eq, &ep->error);
		lo_conn_down(conn, NULL);
	}
	spin_unlock(&conn->lock);
}

void lo_conn_shutdown(struct lo_ep *ep)
{
	spin_lock(&ep->conn->lock);
	lo_conn_down(ep->conn, ep);
	spin_unlock(&ep->conn->lock);
}

/* A request that was taken, and not accepted */
static void lo_conn_leave(struct lo_ep *ep)
{
	if (lo_conn_was_up(ep->conn) || lo_ep_is_dead(ep))
		return;
	kfi_prov_rejected(&lo_provider, ep->ep.fid.id,
			  &ep->conn->addrs[LO_ACTIVE]);
	lo_conn_refuse(ep->conn, LO_REJECTED, NULL, 0);
}

/* An endpoint is being closed, in whatever state it is. */
void lo_conn_end(struct lo_ep *ep)
{
	struct lo_conn *conn = ep->conn;

	if (conn && ep->side == LO_PASSIVE)
		lo_conn_leave(ep);
	if (conn) {
		spin_lock(&conn->lock);
		lo_conn_down(conn, ep);
		conn->state = LO_CONN_DOWN;
		spin_unlock(&conn->lock);
		lo_conn_answered(conn);
	}
	lo_ep_kill(ep);
}

/*
 * The peer, which cannot be closed until lo_peer_put(); NULL when the connection
 * has ended.
 */
struct lo_ep *lo_peer_get(struct lo_ep *ep)
{
	struct lo_conn *conn = ep->conn;
	struct lo_ep *peer = NULL;

	spin_lock(&conn->lock);
	if (conn->state == LO_CONN_UP) {
		peer = conn->ends[!ep->side];
		peer->serving++;
	}
	spin_unlock(&conn->lock);
	return peer;
}

void lo_peer_put(struct lo_ep *peer)
{
	struct lo_conn *conn = peer->conn;

	spin_lock(&conn->lock);
	if (!--peer->serving && conn->state == LO_CONN_DOWN)
		queue_work(lo_wq, &peer->work);
	spin_unlock(&conn->lock);
}

/* Whether the peer's engine has something under way here. */
bool lo_ep_serving(struct lo_ep *ep)
{
	bool serving;

	if (!ep->conn)
		return false;
	spin_lock(&ep->conn->lock);
	serving = ep->serving;
	spin_unlock(&ep->conn->lock);
	return serving;
}
