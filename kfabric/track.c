// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The registry of open objects: endpoints, completion queues and memory regions, for
 * user space to look at. Nothing here has to do with how they work.
 */

#include <linux/container_of.h>
#include <linux/export.h>
#include <linux/string.h>

#include "track.h"

/**
 * DOC: tracked objects
 *
 * A provider adds an endpoint, a completion queue or a memory region when it is complete,
 * and deletes it when it is closed, before anything of it is freed. Adding cannot fail: it
 * needs no memory. A reader holds a reference while it looks at an object, and
 * deleting waits for that; so what a provider does to describe an object must not
 * wait for a lock with which the provider deletes one.
 *
 * An object keeps its number, and no other one has ever had it: whoever has read all
 * objects up to a number and goes on from there has seen each one that was open all
 * the time exactly once, whatever others came and went.
 */

struct kfi_registry kfi_ep_registry = {
	.lock = __SPIN_LOCK_UNLOCKED(kfi_ep_registry.lock),
	.root = RB_ROOT,
};

struct kfi_registry kfi_cq_registry = {
	.lock = __SPIN_LOCK_UNLOCKED(kfi_cq_registry.lock),
	.root = RB_ROOT,
};

struct kfi_registry kfi_mr_registry = {
	.lock = __SPIN_LOCK_UNLOCKED(kfi_mr_registry.lock),
	.root = RB_ROOT,
};

static u64 id_of(const struct rb_node *node)
{
	return rb_entry(node, struct kfi_track, node)->fid->id;
}

static bool is_less(struct rb_node *a, const struct rb_node *b)
{
	return id_of(a) < id_of(b);
}

static void track_add(struct kfi_registry *reg, struct kfi_track *track,
		      struct kfid *fid, const struct kfi_scope *scope,
		      const char *owner)
{
	track->fid = fid;
	track->scope = scope;
	track->owner = owner;
	refcount_set(&track->refs, 1);
	init_completion(&track->idle);
	spin_lock(&reg->lock);
	rb_add(&track->node, &reg->root, is_less);
	spin_unlock(&reg->lock);
}

static void track_del(struct kfi_registry *reg, struct kfi_track *track)
{
	spin_lock(&reg->lock);
	rb_erase(&track->node, &reg->root);
	spin_unlock(&reg->lock);
	kfi_track_put(track);
	wait_for_completion(&track->idle);
}

/* The first object whose number is at least @id; under the registry's lock. */
static struct kfi_track *first_track(struct kfi_registry *reg, u64 id)
{
	struct rb_node *node = reg->root.rb_node;
	struct kfi_track *found = NULL;

	lockdep_assert_held(&reg->lock);
	while (node) {
		if (id_of(node) >= id) {
			found = rb_entry(node, struct kfi_track, node);
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/* The object with a number, with a reference, or NULL. */
struct kfi_track *kfi_track_get(struct kfi_registry *reg, u64 id)
{
	struct kfi_track *track;

	spin_lock(&reg->lock);
	track = first_track(reg, id);
	if (track && track->fid->id == id)
		refcount_inc(&track->refs);
	else
		track = NULL;
	spin_unlock(&reg->lock);
	return track;
}

/* The first object behind a number, with a reference, or NULL. */
struct kfi_track *kfi_track_next(struct kfi_registry *reg, u64 after)
{
	struct kfi_track *track;

	spin_lock(&reg->lock);
	track = first_track(reg, after + 1);
	if (track)
		refcount_inc(&track->refs);
	spin_unlock(&reg->lock);
	return track;
}

/* The object may be gone when this returns. */
void kfi_track_put(struct kfi_track *track)
{
	if (refcount_dec_and_test(&track->refs))
		complete(&track->idle);
}

/**
 * kfi_ep_track_init() - prepare an endpoint for being added
 * @track: the endpoint's
 * @ops: its operations
 *
 * What happens to the endpoint before it is added, and after it is deleted, nobody
 * is told.
 *
 * Context: Any context.
 */
void kfi_ep_track_init(struct kfi_ep_track *track,
		       const struct kfi_ep_track_ops *ops)
{
	track->ops = ops;
	spin_lock_init(&track->lock);
	track->open = false;
	track->events = 0;
	memset(track->failures, 0, sizeof(track->failures));
	INIT_WORK(&track->work, kfi_ep_notify);
}
EXPORT_SYMBOL_GPL(kfi_ep_track_init);

static void set_open(struct kfi_ep_track *track, bool open)
{
	spin_lock_irq(&track->lock);
	track->open = open;
	spin_unlock_irq(&track->lock);
}

/**
 * kfi_ep_track_add() - an endpoint is open
 * @track: the endpoint's
 * @ep: the endpoint
 * @scope: its domain's
 * @owner: name of the consumer's module that opened it
 *
 * Context: Process context.
 */
void kfi_ep_track_add(struct kfi_ep_track *track, struct kfid_ep *ep,
		      const struct kfi_scope *scope, const char *owner)
{
	track_add(&kfi_ep_registry, &track->track, &ep->fid, scope, owner);
	set_open(track, true);
}
EXPORT_SYMBOL_GPL(kfi_ep_track_add);

/**
 * kfi_ep_track_del() - an endpoint is being closed
 * @track: the endpoint's
 *
 * When this returns, nobody looks at it, and listeners know what has happened to it.
 *
 * Context: Process context, may sleep. Not with a lock held that
 * &kfi_ep_track_ops.describe takes.
 */
void kfi_ep_track_del(struct kfi_ep_track *track)
{
	set_open(track, false);
	flush_work(&track->work);
	track_del(&kfi_ep_registry, &track->track);
}
EXPORT_SYMBOL_GPL(kfi_ep_track_del);

/**
 * kfi_cq_track_add() - a completion queue is open
 * @track: the queue's
 * @cq: the queue, the &kfi_prov_cq.cq of a provider's
 * @scope: its domain's
 * @owner: name of the consumer's module that opened it
 *
 * Context: Process context.
 */
void kfi_cq_track_add(struct kfi_track *track, struct kfid_cq *cq,
		      const struct kfi_scope *scope, const char *owner)
{
	track_add(&kfi_cq_registry, track, &cq->fid, scope, owner);
}
EXPORT_SYMBOL_GPL(kfi_cq_track_add);

/**
 * kfi_cq_track_del() - a completion queue is being closed
 * @track: the queue's
 *
 * When this returns, nobody looks at it. To be called before kfi_prov_cq_destroy().
 *
 * Context: Process context, may sleep.
 */
void kfi_cq_track_del(struct kfi_track *track)
{
	track_del(&kfi_cq_registry, track);
}
EXPORT_SYMBOL_GPL(kfi_cq_track_del);

/**
 * kfi_mr_track_add() - a memory region is open
 * @track: the region's, with all its members set that are the provider's
 * @mr: the region
 * @scope: its domain's
 *
 * Context: Process context.
 */
void kfi_mr_track_add(struct kfi_mr_track *track, struct kfid_mr *mr,
		      const struct kfi_scope *scope)
{
	track_add(&kfi_mr_registry, &track->track, &mr->fid, scope,
		  scope->owner);
}
EXPORT_SYMBOL_GPL(kfi_mr_track_add);

/**
 * kfi_mr_track_del() - a memory region is being closed
 * @track: the region's
 *
 * When this returns, nobody looks at it.
 *
 * Context: Process context, may sleep.
 */
void kfi_mr_track_del(struct kfi_mr_track *track)
{
	track_del(&kfi_mr_registry, &track->track);
}
EXPORT_SYMBOL_GPL(kfi_mr_track_del);
