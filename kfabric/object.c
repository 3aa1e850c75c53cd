// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Object lifetime: who may close what, and when.
 */

#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/refcount.h>

#include <kfi_prov.h>

/**
 * DOC: object lifetime
 *
 * fabric -> domain -> endpoint, completion queue, memory region;
 * fabric -> event queue, passive endpoint.
 *
 * Every object counts its users: one for being open, one for each child, one for
 * each object that is bound to it. kfi_close() takes the count from one to
 * nothing or fails with -EBUSY; there is no moment at which it can be both open
 * and closing. An object that could not be closed is as it was.
 *
 * An open fabric holds a reference to its provider's module, so that removing
 * the module is refused at once while anything of it is open; kfi_close() holds
 * one until it is out of the module.
 */

/* Counted from 1. */
static atomic64_t last_id;

/**
 * kfi_obj_init() - start an object's life
 * @fid: the object
 * @fclass: KFI_CLASS_*
 * @ops: its operations
 * @context: the consumer's
 *
 * Context: Any context.
 */
void kfi_obj_init(struct kfid *fid, size_t fclass, const struct kfi_ops *ops,
		  void *context)
{
	fid->fclass = fclass;
	fid->ops = ops;
	fid->context = context;
	fid->id = atomic64_inc_return(&last_id);
	refcount_set(&fid->users, 1);
}
EXPORT_SYMBOL_GPL(kfi_obj_init);

/**
 * kfi_obj_get() - add a child or a binding to an object
 * @fid: the object
 *
 * Context: Any context.
 * Return: false when the object is being closed.
 */
bool kfi_obj_get(struct kfid *fid)
{
	return refcount_inc_not_zero(&fid->users);
}
EXPORT_SYMBOL_GPL(kfi_obj_get);

/**
 * kfi_obj_put() - take a child or a binding from an object
 * @fid: the object, which does not go away by this
 *
 * What the caller did to the object is seen by whoever closes it.
 *
 * Context: Any context.
 */
void kfi_obj_put(struct kfid *fid)
{
	refcount_dec(&fid->users);
}
EXPORT_SYMBOL_GPL(kfi_obj_put);

/**
 * kfi_obj_close() - end an object's life
 * @fid: the object
 *
 * Context: Any context.
 * Return: true when the caller may now free the object; false, and nothing has
 * changed, while it has users.
 */
bool kfi_obj_close(struct kfid *fid)
{
	if (!refcount_dec_if_one(&fid->users))
		return false;
	/* pairs with the release in kfi_obj_put() */
	smp_acquire__after_ctrl_dep();
	return true;
}
EXPORT_SYMBOL_GPL(kfi_obj_close);

/**
 * kfi_close() - close an object
 * @fid: the object
 *
 * Endpoints are drained first: when the call returns, every operation that was
 * accepted has completed exactly once, and its entry is in the completion
 * queue. A memory region's key is dead when the call returns.
 *
 * Context: Process context, may sleep. Any object may be closed from an event
 * handler except the event queue whose handler it is; from a completion handler
 * nothing may be closed.
 * Return: 0, or -EBUSY while the object has children or is bound, and then the
 * object stays as usable as it was.
 */
int kfi_close(struct kfid *fid)
{
	struct module *owner = fid->ops->owner;
	int ret;

	might_sleep();
	if (!fid->ops->close)
		return -EOPNOTSUPP;
	/* what keeps it may go with the object, in another task before this one is back */
	__module_get(owner);
	ret = fid->ops->close(fid);
	module_put(owner);
	return ret;
}
EXPORT_SYMBOL_GPL(kfi_close);
