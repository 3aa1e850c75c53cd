// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What is the same for endpoints of all providers: binding an event queue, options,
 * and the choice of how to commit.
 */

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/string.h>

#include <kfi_errno.h>
#include <kfi_prov.h>

/**
 * kfi_prov_bind_eq() - bind an event queue to an endpoint or passive endpoint
 * @eq: the endpoint's queue, NULL so far; a reference is taken, which the close of
 *	the endpoint drops with kfi_obj_put() after kfi_eq_flush()
 * @fabric: the endpoint's fabric
 * @bfid: see kfi_ep_bind()
 * @flags: see kfi_ep_bind()
 *
 * Context: Process context, under the endpoint's lock.
 * Return: 0, -EINVAL, -EALREADY; see kfi_ep_bind().
 */
int kfi_prov_bind_eq(struct kfid_eq **eq, const struct kfid_fabric *fabric,
		     struct kfid *bfid, u64 flags)
{
	struct kfid_eq *queue = container_of(bfid, struct kfid_eq, fid);

	if (bfid->fclass != KFI_CLASS_EQ || flags ||
	    kfi_eq_fabric(queue) != fabric)
		return -EINVAL;
	if (*eq)
		return -EALREADY;
	if (!kfi_obj_get(bfid))
		return -EINVAL;
	*eq = queue;
	return 0;
}
EXPORT_SYMBOL_GPL(kfi_prov_bind_eq);

/**
 * kfi_prov_getopt() - return the value of an option
 * @optval: see kfi_getopt()
 * @optlen: see kfi_getopt(), not NULL
 * @value: the value
 * @len: its bytes
 *
 * Context: Any context.
 * Return: 0, -KFI_ETOOSMALL.
 */
int kfi_prov_getopt(void *optval, size_t *optlen, const void *value, size_t len)
{
	size_t room = *optlen;

	*optlen = len;
	if (!optval || room < len)
		return -KFI_ETOOSMALL;
	memcpy(optval, value, len);
	return 0;
}
EXPORT_SYMBOL_GPL(kfi_prov_getopt);

/**
 * kfi_prov_setopt_ms() - set an option that is a time
 * @ms: where it is kept
 * @late: it is too late for that
 * @optval: see kfi_setopt()
 * @optlen: see kfi_setopt()
 *
 * Context: Any context.
 * Return: 0; -EINVAL for a wrong length, nothing, or more than INT_MAX;
 * -KFI_EOPBADSTATE when it is too late.
 */
int kfi_prov_setopt_ms(unsigned int *ms, bool late, const void *optval,
		       size_t optlen)
{
	unsigned int value;

	if (optlen != sizeof(value))
		return -EINVAL;
	memcpy(&value, optval, sizeof(value));
	if (!value || value > INT_MAX)
		return -EINVAL;
	if (late)
		return -KFI_EOPBADSTATE;
	WRITE_ONCE(*ms, value);
	return 0;
}
EXPORT_SYMBOL_GPL(kfi_prov_setopt_ms);

/**
 * kfi_prov_setopt_tx_handler() - set KFI_OPT_TX_HANDLER
 * @handler: where it is kept
 * @late: the endpoint is enabled
 * @optval: see kfi_setopt()
 * @optlen: see kfi_setopt()
 *
 * Context: Any context.
 * Return: 0, -EINVAL for a wrong length, -KFI_EOPBADSTATE when it is too late.
 */
int kfi_prov_setopt_tx_handler(struct kfi_tx_handler_attr *handler, bool late,
			       const void *optval, size_t optlen)
{
	if (optlen != sizeof(*handler))
		return -EINVAL;
	if (late)
		return -KFI_EOPBADSTATE;
	memcpy(handler, optval, optlen);
	return 0;
}
EXPORT_SYMBOL_GPL(kfi_prov_setopt_tx_handler);

/**
 * kfi_prov_setopt_method() - set KFI_OPT_COMMIT_METHOD
 * @method: where it is kept
 * @late: the connection has begun
 * @optval: see kfi_setopt()
 * @optlen: see kfi_setopt()
 *
 * Context: Any context.
 * Return: 0, -EINVAL for a wrong length or no method, -KFI_EOPBADSTATE when it is
 * too late.
 */
int kfi_prov_setopt_method(enum kfi_commit_method *method, bool late,
			   const void *optval, size_t optlen)
{
	enum kfi_commit_method value;

	if (optlen != sizeof(value))
		return -EINVAL;
	memcpy(&value, optval, sizeof(value));
	if (value > KFI_COMMIT_FLUSH)
		return -EINVAL;
	if (late)
		return -KFI_EOPBADSTATE;
	*method = value;
	return 0;
}
EXPORT_SYMBOL_GPL(kfi_prov_setopt_method);

/**
 * kfi_prov_method() - choose how an endpoint commits
 * @wanted: KFI_OPT_COMMIT_METHOD
 * @allowed: BIT() of each method that the peer declares and this end can do
 *
 * Without a wish it is what makes the target work least.
 *
 * Context: Any context.
 * Return: the method; KFI_COMMIT_NONE when it is not to be had.
 */
enum kfi_commit_method kfi_prov_method(enum kfi_commit_method wanted,
				       unsigned long allowed)
{
	if (wanted != KFI_COMMIT_NONE)
		return allowed & BIT(wanted) ? wanted : KFI_COMMIT_NONE;
	if (allowed & BIT(KFI_COMMIT_READ))
		return KFI_COMMIT_READ;
	if (allowed & BIT(KFI_COMMIT_FLUSH))
		return KFI_COMMIT_FLUSH;
	return allowed & BIT(KFI_COMMIT_SERVER) ? KFI_COMMIT_SERVER :
						  KFI_COMMIT_NONE;
}
EXPORT_SYMBOL_GPL(kfi_prov_method);

/**
 * kfi_prov_readable() - whether a commit may read behind what it wrote
 * @rma: its ranges
 * @count: how many
 *
 * Context: Any context.
 * Return: true when the keys say that peers may read and write all of them.
 */
bool kfi_prov_readable(const struct kfi_rma_iov *rma, size_t count)
{
	for (; count; count--, rma++)
		if (!(rma->key & KFI_KEY_READ))
			return false;
	return true;
}
EXPORT_SYMBOL_GPL(kfi_prov_readable);
