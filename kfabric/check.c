// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Arguments of operations, checked for all providers.
 */

#include <linux/export.h>
#include <linux/overflow.h>

#include <kfi_atomic.h>
#include <kfi_prov.h>

#define KFI_LOCAL_ACCESS	(KFI_SEND | KFI_RECV | KFI_READ | KFI_WRITE)
#define KFI_REMOTE_ACCESS	(KFI_REMOTE_READ | KFI_REMOTE_WRITE)

static bool vector_valid(enum kfi_iov_type type, const void *iov, size_t count)
{
	return type >= KFI_KVEC && type <= KFI_SGL && (iov || !count);
}

/* Data must fit, or the peer would see something else than was given. */
static int check_data(const struct kfi_ep_limits *limits, u64 data, u64 flags)
{
	if (likely(!(flags & KFI_REMOTE_CQ_DATA)))
		return 0;
	if (!limits->cq_data_size)
		return -EOPNOTSUPP;
	if (limits->cq_data_size >= sizeof(data))
		return 0;
	return data >> (limits->cq_data_size * BITS_PER_BYTE) ? -EINVAL : 0;
}

static int check_len(const struct kfi_ep_limits *limits, size_t len, u64 flags)
{
	if (unlikely(len > limits->max_msg_size))
		return len == SIZE_MAX ? -EINVAL : -EMSGSIZE;
	if (flags & KFI_INJECT && len > limits->inject_size)
		return -EMSGSIZE;
	return 0;
}

/* A stronger level includes a weaker one, so asking for two is a mistake. */
static bool one_level(u64 flags)
{
	flags &= KFI_LEVEL_FLAGS;
	return !(flags & (flags - 1));
}

/**
 * kfi_check_recv() - check a receive
 * @limits: of the endpoint
 * @msg: the receive
 * @flags: its flags
 * @len: where its length is returned
 *
 * Context: Any context.
 * Return: 0, -EINVAL, -EMSGSIZE.
 */
int kfi_check_recv(const struct kfi_ep_limits *limits,
		   const struct kfi_msg *msg, u64 flags, size_t *len)
{
	if (!msg || flags & ~KFI_RECV_FLAGS ||
	    !vector_valid(msg->type, msg->msg_iov, msg->iov_count))
		return -EINVAL;
	*len = kfi_iov_len(msg->type, msg->msg_iov, msg->iov_count);
	return check_len(limits, *len, flags);
}
EXPORT_SYMBOL_GPL(kfi_check_recv);

/**
 * kfi_check_send() - check a send
 * @limits: of the endpoint
 * @msg: the send
 * @flags: its flags
 * @len: where its length is returned
 *
 * Context: Any context.
 * Return: 0, -EINVAL, -EMSGSIZE, -EOPNOTSUPP for a completion level that a message
 * does not have.
 */
int kfi_check_send(const struct kfi_ep_limits *limits,
		   const struct kfi_msg *msg, u64 flags, size_t *len)
{
	int ret;

	if (!msg || flags & ~KFI_SEND_FLAGS || !one_level(flags) ||
	    !vector_valid(msg->type, msg->msg_iov, msg->iov_count))
		return -EINVAL;
	if (flags & (KFI_DELIVERY_COMPLETE | KFI_COMMIT_COMPLETE))
		return -EOPNOTSUPP;
	ret = check_data(limits, msg->data, flags);
	if (ret)
		return ret;
	*len = kfi_iov_len(msg->type, msg->msg_iov, msg->iov_count);
	return check_len(limits, *len, flags);
}
EXPORT_SYMBOL_GPL(kfi_check_send);

/*
 * An operation without payload can be about what was written before. Only writes
 * can: a read has brought nothing.
 */
static bool is_pure(u64 flags, u64 valid, size_t len)
{
	return !len && valid & KFI_COMMIT_COMPLETE &&
	       flags & (KFI_DELIVERY_COMPLETE | KFI_COMMIT_COMPLETE);
}

static int check_remote(const struct kfi_ep_limits *limits,
			const struct kfi_msg_rma *msg, u64 flags, size_t *len)
{
	size_t i;

	*len = 0;
	for (i = 0; i < msg->rma_iov_count; i++) {
		const struct kfi_rma_iov *rma = &msg->rma_iov[i];

		if (rma->len > limits->max_msg_size)
			return -EMSGSIZE;
		if (rma->addr + rma->len < rma->addr || rma->key & ~KFI_KEY_MASK)
			return -EINVAL;
		if (flags & KFI_COMMIT && !(rma->key & KFI_KEY_PMEM))
			return -EINVAL;
		*len = size_add(*len, rma->len);
	}
	return 0;
}

/**
 * kfi_check_rma() - check a read or write
 * @limits: of the endpoint
 * @msg: the operation
 * @flags: its flags
 * @valid: flags that it may have: KFI_READ_FLAGS or KFI_WRITE_FLAGS
 * @len: where its length is returned
 *
 * Context: Any context.
 * Return: 0, -EINVAL, -EMSGSIZE, -E2BIG for too many remote ranges, -EOPNOTSUPP
 * for a commit on an endpoint without KFI_RMA_PMEM.
 */
int kfi_check_rma(const struct kfi_ep_limits *limits,
		  const struct kfi_msg_rma *msg, u64 flags, u64 valid,
		  size_t *len)
{
	size_t remote;
	int ret;

	if (!msg || flags & ~valid || !one_level(flags) ||
	    !vector_valid(msg->type, msg->msg_iov, msg->iov_count) ||
	    !msg->rma_iov || !msg->rma_iov_count)
		return -EINVAL;
	if (flags & KFI_COMMIT && !limits->commit)
		return -EOPNOTSUPP;
	ret = check_data(limits, msg->data, flags);
	if (ret)
		return ret;
	if (msg->rma_iov_count > limits->rma_iov_limit)
		return -E2BIG;
	ret = check_remote(limits, msg, flags, &remote);
	if (ret)
		return ret;
	*len = kfi_iov_len(msg->type, msg->msg_iov, msg->iov_count);
	ret = check_len(limits, *len, flags);
	if (ret)
		return ret;
	return *len == remote || is_pure(flags, valid, *len) ? 0 : -EINVAL;
}
EXPORT_SYMBOL_GPL(kfi_check_rma);

/**
 * kfi_check_atomic() - check the form of an atomic operation
 * @msg: the operation
 * @flags: its flags
 *
 * Whether the device has the operation is the provider's to check.
 *
 * Context: Any context.
 * Return: 0, -EINVAL, -E2BIG for more than one operand.
 */
int kfi_check_atomic(const struct kfi_msg_atomic *msg, u64 flags)
{
	bool has_operand;

	if (!msg || flags & ~KFI_ATOMIC_FLAGS || !one_level(flags) ||
	    !msg->rma_iov || !msg->rma_iov_count)
		return -EINVAL;
	if (msg->iov_count > 1 || msg->rma_iov_count > 1 ||
	    msg->rma_iov->count > 1)
		return -E2BIG;
	if (!msg->rma_iov->count || msg->rma_iov->addr % sizeof(u64) ||
	    msg->rma_iov->key & ~KFI_KEY_MASK)
		return -EINVAL;
	if (msg->op == KFI_ATOMIC_READ)
		return 0;
	has_operand = msg->iov_count && msg->msg_iov && msg->msg_iov->addr;
	return has_operand && msg->msg_iov->count == 1 ? 0 : -EINVAL;
}
EXPORT_SYMBOL_GPL(kfi_check_atomic);

/**
 * kfi_check_operand() - check the compare or result vector of an atomic operation
 * @iov: the vector
 * @count: its elements
 *
 * Context: Any context.
 * Return: 0, -EINVAL, -E2BIG for more than one operand.
 */
int kfi_check_operand(const struct kfi_ioc *iov, size_t count)
{
	if (count > 1 || (count && iov && iov->count > 1))
		return -E2BIG;
	return count && iov && iov->addr && iov->count ? 0 : -EINVAL;
}
EXPORT_SYMBOL_GPL(kfi_check_operand);

/**
 * kfi_check_mr() - check a registration
 * @attr: what to register
 * @flags: flags of the call
 * @len: where the length of the memory is returned
 *
 * Context: Any context.
 * Return: 0, -EINVAL.
 */
int kfi_check_mr(const struct kfi_mr_attr *attr, u64 flags, size_t *len)
{
	if (!attr || flags & ~(KFI_PMEM | KFI_UNCACHED) || attr->offset ||
	    attr->auth_key || attr->auth_key_size || !attr->access ||
	    attr->access & ~(KFI_LOCAL_ACCESS | KFI_REMOTE_ACCESS) ||
	    !attr->iov_count ||
	    !vector_valid(attr->type, attr->mr_iov, attr->iov_count))
		return -EINVAL;
	if (flags & KFI_UNCACHED && !(attr->access & KFI_REMOTE_ACCESS))
		return -EINVAL;
	*len = kfi_iov_len(attr->type, attr->mr_iov, attr->iov_count);
	return *len && *len != SIZE_MAX ? 0 : -EINVAL;
}
EXPORT_SYMBOL_GPL(kfi_check_mr);

/**
 * kfi_check_tx_op_flags() - check an endpoint's default transmit flags
 * @op_flags: &kfi_tx_attr.op_flags
 *
 * Context: Any context.
 * Return: 0, -EINVAL for flags that make no sense as a default.
 */
int kfi_check_tx_op_flags(u64 op_flags)
{
	if (op_flags & ~(KFI_COMPLETION | KFI_LEVEL_FLAGS))
		return -EINVAL;
	return one_level(op_flags) ? 0 : -EINVAL;
}
EXPORT_SYMBOL_GPL(kfi_check_tx_op_flags);
