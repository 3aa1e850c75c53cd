/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Atomic operations on a peer's memory.
 */

#ifndef KFI_ATOMIC_H
#define KFI_ATOMIC_H

#include <kfi_endpoint.h>

/**
 * DOC: atomic operations
 *
 * One 64-bit operand, naturally aligned, in a region that a peer may read and
 * write; where the device has them:
 *
 * ====================  ========================  ========================
 * call                  operations                result
 * ====================  ========================  ========================
 * kfi_atomic()          KFI_SUM                   none
 * kfi_fetch_atomic()    KFI_SUM, KFI_ATOMIC_READ  the value before
 * kfi_compare_atomic()  KFI_CSWAP                 the value before
 * ====================  ========================  ========================
 *
 * They are atomic among themselves, for all peers of one device at the target;
 * whether they are for its CPUs too is up to the device. Operands are read before
 * the call returns; the result is written before the completion.
 */

/**
 * struct kfi_ioc - operands in local memory
 * @addr: the first
 * @count: how many; 1
 */
struct kfi_ioc {
	void	*addr;
	size_t	count;
};

/**
 * struct kfi_rma_ioc - operands in a peer's memory
 * @addr: address of the first, see &struct kfi_rma_iov
 * @count: how many; 1
 * @key: the region's key
 */
struct kfi_rma_ioc {
	u64	addr;
	size_t	count;
	u64	key;
};

/**
 * struct kfi_msg_atomic - an atomic operation
 * @msg_iov: operands; ignored for KFI_ATOMIC_READ
 * @desc: local descriptors of @msg_iov, or NULL
 * @iov_count: elements of @msg_iov; 1, or 0 for KFI_ATOMIC_READ
 * @addr: ignored, endpoints are connected
 * @rma_iov: the peer's memory
 * @rma_iov_count: elements of @rma_iov; 1
 * @datatype: KFI_INT64 or KFI_UINT64
 * @op: the operation
 * @context: returned as op_context of the completion
 * @data: ignored
 */
struct kfi_msg_atomic {
	const struct kfi_ioc		*msg_iov;
	void				**desc;
	size_t				iov_count;
	kfi_addr_t			addr;
	const struct kfi_rma_ioc	*rma_iov;
	size_t				rma_iov_count;
	enum kfi_datatype		datatype;
	enum kfi_op			op;
	void				*context;
	u64				data;
};

/**
 * struct kfi_ops_atomic - atomic operations of an endpoint
 * @write: see kfi_atomicmsg()
 * @inject: as @write, but a success makes no completion ever
 * @readwrite: see kfi_fetch_atomicmsg()
 * @compwrite: see kfi_compare_atomicmsg()
 * @writevalid: see kfi_atomicvalid()
 * @readwritevalid: see kfi_fetch_atomicvalid()
 * @compwritevalid: see kfi_compare_atomicvalid()
 */
struct kfi_ops_atomic {
	ssize_t	(*write)(struct kfid_ep *ep, const struct kfi_msg_atomic *msg,
			 u64 flags);
	ssize_t	(*inject)(struct kfid_ep *ep, const struct kfi_msg_atomic *msg,
			  u64 flags);
	ssize_t	(*readwrite)(struct kfid_ep *ep,
			     const struct kfi_msg_atomic *msg,
			     struct kfi_ioc *resultv, void **result_desc,
			     size_t result_count, u64 flags);
	ssize_t	(*compwrite)(struct kfid_ep *ep,
			     const struct kfi_msg_atomic *msg,
			     const struct kfi_ioc *comparev,
			     void **compare_desc, size_t compare_count,
			     struct kfi_ioc *resultv, void **result_desc,
			     size_t result_count, u64 flags);
	int	(*writevalid)(struct kfid_ep *ep, enum kfi_datatype datatype,
			      enum kfi_op op, size_t *count);
	int	(*readwritevalid)(struct kfid_ep *ep,
				  enum kfi_datatype datatype, enum kfi_op op,
				  size_t *count);
	int	(*compwritevalid)(struct kfid_ep *ep,
				  enum kfi_datatype datatype, enum kfi_op op,
				  size_t *count);
};

/**
 * kfi_atomicmsg() - atomic operation without a result
 * @ep: a connected endpoint
 * @msg: the operation
 * @flags: KFI_COMPLETION, KFI_INJECT, KFI_MORE, KFI_FENCE, KFI_INJECT_COMPLETE,
 *	KFI_TRANSMIT_COMPLETE, KFI_DELIVERY_COMPLETE. Operands are always read before
 *	the call returns, so KFI_INJECT adds nothing; and an atomic operation is
 *	executed at the target when it completes, which is the meaning of the last
 *	one, whichever is given
 *
 * Context: Any context.
 * Return: 0; -EINVAL, or -E2BIG for more than one operand, before -EOPNOTSUPP for a
 * type or operation that is not valid; -EAGAIN; -ENOMEM as kfi_sendmsg();
 * -KFI_EOPBADSTATE before kfi_enable(); -ENOTCONN; -ESHUTDOWN; -ENODEV.
 */
static inline ssize_t
kfi_atomicmsg(struct kfid_ep *ep, const struct kfi_msg_atomic *msg, u64 flags)
{
	if (!ep->atomic->write)
		return -EOPNOTSUPP;
	return ep->atomic->write(ep, msg, flags);
}

/**
 * kfi_fetch_atomicmsg() - atomic operation that returns the value before
 * @ep: a connected endpoint
 * @msg: the operation
 * @resultv: where the value is returned
 * @result_desc: local descriptors of @resultv, or NULL
 * @result_count: elements of @resultv; 1
 * @flags: see kfi_atomicmsg()
 *
 * Context: Any context.
 * Return: see kfi_atomicmsg().
 */
static inline ssize_t
kfi_fetch_atomicmsg(struct kfid_ep *ep, const struct kfi_msg_atomic *msg,
		    struct kfi_ioc *resultv, void **result_desc,
		    size_t result_count, u64 flags)
{
	if (!ep->atomic->readwrite)
		return -EOPNOTSUPP;
	return ep->atomic->readwrite(ep, msg, resultv, result_desc,
				     result_count, flags);
}

/**
 * kfi_compare_atomicmsg() - atomic compare, and write if it holds
 * @ep: a connected endpoint
 * @msg: the operation; its operand is the new value
 * @comparev: the value compared with
 * @compare_desc: local descriptors of @comparev, or NULL
 * @compare_count: elements of @comparev; 1
 * @resultv: where the value before is returned
 * @result_desc: local descriptors of @resultv, or NULL
 * @result_count: elements of @resultv; 1
 * @flags: see kfi_atomicmsg()
 *
 * Context: Any context.
 * Return: see kfi_atomicmsg().
 */
static inline ssize_t
kfi_compare_atomicmsg(struct kfid_ep *ep, const struct kfi_msg_atomic *msg,
		      const struct kfi_ioc *comparev, void **compare_desc,
		      size_t compare_count, struct kfi_ioc *resultv,
		      void **result_desc, size_t result_count, u64 flags)
{
	if (!ep->atomic->compwrite)
		return -EOPNOTSUPP;
	return ep->atomic->compwrite(ep, msg, comparev, compare_desc,
				     compare_count, resultv, result_desc,
				     result_count, flags);
}

/**
 * kfi_atomic() - atomic operation without a result
 * @ep: a connected endpoint
 * @buf: the operand
 * @count: operands; 1
 * @desc: local descriptor of @buf, or NULL
 * @dest_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 * @datatype: type of the operand
 * @op: the operation
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_atomicmsg().
 */
static inline ssize_t
kfi_atomic(struct kfid_ep *ep, const void *buf, size_t count, void *desc,
	   kfi_addr_t dest_addr, u64 addr, u64 key, enum kfi_datatype datatype,
	   enum kfi_op op, void *context)
{
	const struct kfi_rma_ioc rma_iov = {
		.addr = addr, .count = count, .key = key,
	};
	const struct kfi_ioc iov = { .addr = (void *)buf, .count = count };
	const struct kfi_msg_atomic msg = {
		.msg_iov = &iov, .desc = &desc, .iov_count = 1,
		.addr = dest_addr, .rma_iov = &rma_iov, .rma_iov_count = 1,
		.datatype = datatype, .op = op, .context = context,
	};

	return kfi_atomicmsg(ep, &msg, ep->tx_op_flags);
}

/**
 * kfi_inject_atomic() - atomic operation without a result or a completion
 * @ep: a connected endpoint
 * @buf: the operand
 * @count: operands; 1
 * @dest_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 * @datatype: type of the operand
 * @op: the operation
 *
 * Context: Any context.
 * Return: see kfi_atomicmsg().
 */
static inline ssize_t
kfi_inject_atomic(struct kfid_ep *ep, const void *buf, size_t count,
		  kfi_addr_t dest_addr, u64 addr, u64 key,
		  enum kfi_datatype datatype, enum kfi_op op)
{
	const struct kfi_rma_ioc rma_iov = {
		.addr = addr, .count = count, .key = key,
	};
	const struct kfi_ioc iov = { .addr = (void *)buf, .count = count };
	const struct kfi_msg_atomic msg = {
		.msg_iov = &iov, .iov_count = 1, .addr = dest_addr,
		.rma_iov = &rma_iov, .rma_iov_count = 1,
		.datatype = datatype, .op = op,
	};

	if (!ep->atomic->inject)
		return -EOPNOTSUPP;
	return ep->atomic->inject(ep, &msg, KFI_INJECT);
}

/**
 * kfi_fetch_atomic() - atomic operation that returns the value before
 * @ep: a connected endpoint
 * @buf: the operand; ignored for KFI_ATOMIC_READ
 * @count: operands; 1
 * @desc: local descriptor of @buf, or NULL
 * @result: where the value is returned
 * @result_desc: local descriptor of @result, or NULL
 * @dest_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 * @datatype: type of the operand
 * @op: the operation
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_atomicmsg().
 */
static inline ssize_t
kfi_fetch_atomic(struct kfid_ep *ep, const void *buf, size_t count, void *desc,
		 void *result, void *result_desc, kfi_addr_t dest_addr,
		 u64 addr, u64 key, enum kfi_datatype datatype, enum kfi_op op,
		 void *context)
{
	const struct kfi_rma_ioc rma_iov = {
		.addr = addr, .count = count, .key = key,
	};
	const struct kfi_ioc iov = { .addr = (void *)buf, .count = count };
	struct kfi_ioc resultv = { .addr = result, .count = count };
	const struct kfi_msg_atomic msg = {
		.msg_iov = &iov, .desc = &desc, .iov_count = 1,
		.addr = dest_addr, .rma_iov = &rma_iov, .rma_iov_count = 1,
		.datatype = datatype, .op = op, .context = context,
	};

	return kfi_fetch_atomicmsg(ep, &msg, &resultv, &result_desc, 1,
				   ep->tx_op_flags);
}

/**
 * kfi_compare_atomic() - atomic compare, and write if it holds
 * @ep: a connected endpoint
 * @buf: the new value
 * @count: operands; 1
 * @desc: local descriptor of @buf, or NULL
 * @compare: the value compared with
 * @compare_desc: local descriptor of @compare, or NULL
 * @result: where the value before is returned
 * @result_desc: local descriptor of @result, or NULL
 * @dest_addr: ignored
 * @addr: address in the peer's region
 * @key: key of the peer's region
 * @datatype: type of the operands
 * @op: KFI_CSWAP
 * @context: of the completion
 *
 * Context: Any context.
 * Return: see kfi_atomicmsg().
 */
static inline ssize_t
kfi_compare_atomic(struct kfid_ep *ep, const void *buf, size_t count,
		   void *desc, const void *compare, void *compare_desc,
		   void *result, void *result_desc, kfi_addr_t dest_addr,
		   u64 addr, u64 key, enum kfi_datatype datatype,
		   enum kfi_op op, void *context)
{
	const struct kfi_rma_ioc rma_iov = {
		.addr = addr, .count = count, .key = key,
	};
	const struct kfi_ioc iov = { .addr = (void *)buf, .count = count };
	const struct kfi_ioc comparev = {
		.addr = (void *)compare, .count = count,
	};
	struct kfi_ioc resultv = { .addr = result, .count = count };
	const struct kfi_msg_atomic msg = {
		.msg_iov = &iov, .desc = &desc, .iov_count = 1,
		.addr = dest_addr, .rma_iov = &rma_iov, .rma_iov_count = 1,
		.datatype = datatype, .op = op, .context = context,
	};

	return kfi_compare_atomicmsg(ep, &msg, &comparev, &compare_desc, 1,
				     &resultv, &result_desc, 1,
				     ep->tx_op_flags);
}

/**
 * kfi_atomicvalid() - whether kfi_atomic() has an operation
 * @ep: the endpoint
 * @datatype: type of the operand
 * @op: the operation
 * @count: where the number of operands of one call is returned
 *
 * Context: Any context.
 * Return: 0 or -EOPNOTSUPP.
 */
static inline int
kfi_atomicvalid(struct kfid_ep *ep, enum kfi_datatype datatype, enum kfi_op op,
		size_t *count)
{
	if (!ep->atomic->writevalid)
		return -EOPNOTSUPP;
	return ep->atomic->writevalid(ep, datatype, op, count);
}

/**
 * kfi_fetch_atomicvalid() - whether kfi_fetch_atomic() has an operation
 * @ep: the endpoint
 * @datatype: type of the operand
 * @op: the operation
 * @count: where the number of operands of one call is returned
 *
 * Context: Any context.
 * Return: 0 or -EOPNOTSUPP.
 */
static inline int
kfi_fetch_atomicvalid(struct kfid_ep *ep, enum kfi_datatype datatype,
		      enum kfi_op op, size_t *count)
{
	if (!ep->atomic->readwritevalid)
		return -EOPNOTSUPP;
	return ep->atomic->readwritevalid(ep, datatype, op, count);
}

/**
 * kfi_compare_atomicvalid() - whether kfi_compare_atomic() has an operation
 * @ep: the endpoint
 * @datatype: type of the operands
 * @op: the operation
 * @count: where the number of operands of one call is returned
 *
 * Context: Any context.
 * Return: 0 or -EOPNOTSUPP.
 */
static inline int
kfi_compare_atomicvalid(struct kfid_ep *ep, enum kfi_datatype datatype,
			enum kfi_op op, size_t *count)
{
	if (!ep->atomic->compwritevalid)
		return -EOPNOTSUPP;
	return ep->atomic->compwritevalid(ep, datatype, op, count);
}

#endif /* KFI_ATOMIC_H */
