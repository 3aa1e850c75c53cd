// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Exports: the memory device behind one, and who may have a session with it.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/math.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "target.h"

/* Ends its sessions and waits for them. */
static void kfbt_export_end_sessions(struct kfbt_export *export,
				     enum kfb_status why)
{
	struct kfbt_session *session;

	spin_lock(&kfbt_lock);
	export->open = false;
	list_for_each_entry(session, &export->sessions, export_node)
		kfbt_session_end_locked(session, why);
	spin_unlock(&kfbt_lock);
}

static bool kfbt_export_empty(struct kfbt_export *export)
{
	bool empty;

	spin_lock(&kfbt_lock);
	empty = list_empty(&export->sessions);
	spin_unlock(&kfbt_lock);
	return empty;
}

/*
 * The regions are dead already. The driver waits for this to return, so closing the
 * device is left to @retire.
 */
static void kfbt_export_revoked(struct kfi_pmem *pmem, void *context)
{
	struct kfbt_export *export = context;

	pr_err("export %s: the memory device has failed, or was removed, or lost its power: enable it again\n",
	       kfbt_export_name(export));
	spin_lock(&kfbt_lock);
	export->revoked = true;
	spin_unlock(&kfbt_lock);
	kfbt_export_end_sessions(export, KFB_DEVICE);
	queue_work(kfbt_config_wq, &export->retire);
}

static void kfbt_export_close(struct kfbt_export *export, enum kfb_status why)
{
	lockdep_assert_held(&kfbt_config_lock);
	if (!export->pmem)
		return;
	kfbt_export_end_sessions(export, why);
	wait_event(kfbt_gone, kfbt_export_empty(export));
	kfi_pmem_close(export->pmem);
	export->pmem = NULL;
	export->size = 0;
}

/**
 * kfbt_export_retire() - close a device that was revoked
 * @work: &kfbt_export.retire
 *
 * Context: Process context, may sleep.
 */
void kfbt_export_retire(struct work_struct *work)
{
	struct kfbt_export *export =
		container_of(work, struct kfbt_export, retire);
	bool revoked;

	mutex_lock(&kfbt_config_lock);
	spin_lock(&kfbt_lock);
	revoked = export->revoked;
	spin_unlock(&kfbt_lock);
	if (revoked)
		kfbt_export_close(export, KFB_DEVICE);
	mutex_unlock(&kfbt_config_lock);
}

static int kfbt_export_open(struct kfbt_export *export, struct kfi_pmem *pmem)
{
	u64 size = round_down(kfi_pmem_len(pmem), export->block_size);
	int err;

	if (!size || size > KFB_MAX_SIZE)
		return -EFBIG;
	err = kfi_pmem_set_handler(pmem, kfbt_export_revoked, export);
	if (err)
		return err;
	export->pmem = pmem;
	export->size = size;
	return 0;
}

/* A device that is revoked before it is open is found to be so. */
static void kfbt_export_admit_all(struct kfbt_export *export)
{
	spin_lock(&kfbt_lock);
	export->open = !export->revoked;
	spin_unlock(&kfbt_lock);
}

/**
 * kfbt_export_enable() - open the memory device
 * @export: the export
 *
 * Context: kfbt_config_lock held, may sleep.
 * Return: 0, also when it is enabled already; a negative errno.
 */
int kfbt_export_enable(struct kfbt_export *export)
{
	struct kfi_pmem *pmem;
	int err;

	lockdep_assert_held(&kfbt_config_lock);
	if (READ_ONCE(export->open))
		return 0;
	if (!export->path)
		return -EINVAL;
	kfbt_export_disable(export);
	pmem = kfi_pmem_open(export->path, export);
	err = PTR_ERR_OR_ZERO(pmem);
	if (!err) {
		err = kfbt_export_open(export, pmem);
		if (err)
			kfi_pmem_close(pmem);
	}
	if (err) {
		pr_err("export %s: %s: %s\n", kfbt_export_name(export),
		       export->path, kfi_strerror(err));
		return err;
	}
	kfbt_export_admit_all(export);
	pr_info("export %s: %s, %llu bytes%s\n", kfbt_export_name(export),
		export->path, export->size,
		export->read_only ? ", read-only" : "");
	return 0;
}

/**
 * kfbt_export_disable() - end all sessions and close the memory device
 * @export: the export
 *
 * Context: kfbt_config_lock held, may sleep.
 */
void kfbt_export_disable(struct kfbt_export *export)
{
	kfbt_export_close(export, KFB_SHUTDOWN);
	spin_lock(&kfbt_lock);
	export->revoked = false;
	spin_unlock(&kfbt_lock);
}

static struct kfbt_export *kfbt_export_find(struct kfbt_port *port,
					    const char *name)
{
	struct kfbt_link *link;

	list_for_each_entry(link, &port->links, node)
		if (!strcmp(kfbt_export_name(link->export), name))
			return link->export;
	return NULL;
}

static bool kfbt_export_allows(const struct kfbt_export *export,
			       const char *name)
{
	struct kfbt_client *client;

	if (export->allow_any)
		return true;
	list_for_each_entry(client, &export->clients, node)
		if (!strcmp(config_item_name(&client->item), name))
			return true;
	return false;
}

static bool kfbt_export_same_client(const struct kfbt_session *session,
				    const struct kfb_hello *hello)
{
	return !strcmp(session->hello.client, hello->client) &&
	       uuid_equal(&session->hello.instance, &hello->instance);
}

/* Whether @session is in the way of who says @hello, and stays */
static bool kfbt_export_holds(const struct kfbt_session *session,
			      const struct kfb_hello *hello)
{
	return session && !session->ending &&
	       !kfbt_export_same_client(session, hello);
}

/*
 * The same device of the same client is back: it has given up its earlier session,
 * and knows of the end of it before we do.
 */
static void kfbt_export_replace(struct kfbt_export *export,
				const struct kfb_hello *hello)
{
	struct kfbt_session *session;

	list_for_each_entry(session, &export->sessions, export_node)
		if (kfbt_export_same_client(session, hello))
			kfbt_session_end_locked(session, KFB_REPLACED);
}

static enum kfb_status kfbt_export_check(const struct kfbt_export *export,
					 const struct kfb_hello *hello)
{
	if (!export)
		return KFB_NO_EXPORT;
	if (!kfbt_export_allows(export, hello->client))
		return KFB_DENIED;
	if (export->revoked)
		return KFB_DEVICE;
	if (!export->open)
		return KFB_NO_EXPORT;
	if (export->read_only && !hello->read_only)
		return KFB_READ_ONLY;
	if (export->read_only && export->nr_sessions >= KFBT_MAX_READERS)
		return KFB_NO_RESOURCES;
	if (kfbt_export_holds(export->owner, hello) ||
	    kfbt_export_holds(export->heir, hello))
		return KFB_BUSY;
	return KFB_OK;
}

/**
 * kfbt_export_admit() - a client wants an export
 * @session: its session, which is ending if this fails and waiting if not
 *
 * Of an export that can be written to there is one session at any time. A client that
 * comes back takes over, but has to wait until its earlier session is gone.
 *
 * Context: The session's work.
 * Return: KFB_OK, or what the client is to be told.
 */
enum kfb_status kfbt_export_admit(struct kfbt_session *session)
{
	const struct kfb_hello *hello = &session->hello;
	struct kfbt_export *export;
	enum kfb_status status;

	spin_lock(&kfbt_lock);
	export = kfbt_export_find(session->port, hello->export);
	status = kfbt_export_check(export, hello);
	if (status || session->ending)
		goto out;
	kfbt_export_replace(export, hello);
	if (!export->read_only) {
		if (export->owner)
			export->heir = session;
		else
			export->owner = session;
	}
	list_add_tail(&session->export_node, &export->sessions);
	export->nr_sessions++;
	session->export = export;
	session->state = KFBT_WAITING;
	session->port->nr_new--;
out:
	spin_unlock(&kfbt_lock);
	return status;
}

/**
 * kfbt_export_turn() - whether a waiting session may have its export now
 * @session: the session
 *
 * Context: The session's work.
 * Return: true if it may; false too if it is ending.
 */
bool kfbt_export_turn(struct kfbt_session *session)
{
	struct kfbt_export *export = session->export;
	bool turn;

	spin_lock(&kfbt_lock);
	turn = !session->ending &&
	       (export->read_only || export->owner == session);
	spin_unlock(&kfbt_lock);
	return turn;
}

/**
 * kfbt_export_leave() - a session is gone
 * @session: the session, with nothing left that its client could reach memory by
 *
 * Context: kfbt_lock held.
 */
void kfbt_export_leave(struct kfbt_session *session)
{
	struct kfbt_export *export = session->export;

	lockdep_assert_held(&kfbt_lock);
	list_del(&session->export_node);
	export->nr_sessions--;
	if (export->heir == session)
		export->heir = NULL;
	if (export->owner != session)
		return;
	export->owner = export->heir;
	export->heir = NULL;
	if (export->owner)
		kfbt_session_kick(export->owner);
}
