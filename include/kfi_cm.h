/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Connection management.
 */

#ifndef KFI_CM_H
#define KFI_CM_H

#include <kfi_endpoint.h>

/**
 * DOC: connections
 *
 * kfi_connect() starts and returns; what became of it is an event: KFI_CONNECTED,
 * or an error event with
 *
 * ==================  ========================================================
 * ECONNREFUSED        nobody listens there, or the listener rejected; the body
 *                     of the reject is the event's err_data
 * ETIMEDOUT           no answer within KFI_OPT_CONNECT_TIMEOUT
 * EHOSTUNREACH        no route, or not through this domain's device
 * EPROTONOSUPPORT     the peer's is another kind of endpoint, and not what this
 *                     one was opened for
 * ECONNRESET          the peer went away before it was connected
 * ENOMEM              no memory for it
 * ==================  ========================================================
 *
 * When a connection ends, each end that did not ask for it gets KFI_SHUTDOWN,
 * whatever the reason. Where the reason is known an error event can come before
 * it: ETIMEDOUT when the peer has not answered a commit within
 * KFI_OPT_COMMIT_TIMEOUT, EIO when a queue pair or completion queue of the device has
 * failed, EADDRNOTAVAIL when the local address has moved. The endpoint cannot be
 * connected again, only closed.
 *
 * Private data is the consumer's bytes, unchanged and without a header of ours
 * on an endpoint without KFI_RMA_PMEM. The connection manager pads it with
 * zeroes: a listener sees 56 bytes, the connecting side 196 on accept and 148 on
 * reject, of which the sender's are the first.
 *
 * A receive can complete before the connected event is read, for the connecting side
 * is connected first. It is not lost: it is in the completion queue. An answer has to
 * wait for the event: until then posts are -ENOTCONN.
 */

/**
 * struct kfi_ops_cm - connection management of an endpoint or passive endpoint
 * @getname: see kfi_getname()
 * @getpeer: see kfi_getpeer()
 * @connect: see kfi_connect()
 * @listen: see kfi_listen()
 * @accept: see kfi_accept()
 * @reject: see kfi_reject()
 * @shutdown: see kfi_shutdown()
 */
struct kfi_ops_cm {
	int	(*getname)(struct kfid *fid, void *addr, size_t *addrlen);
	int	(*getpeer)(struct kfid_ep *ep, void *addr, size_t *addrlen);
	int	(*connect)(struct kfid_ep *ep, const void *addr,
			   const void *param, size_t paramlen);
	int	(*listen)(struct kfid_pep *pep);
	int	(*accept)(struct kfid_ep *ep, const void *param,
			  size_t paramlen);
	int	(*reject)(struct kfid_pep *pep, struct kfid *handle,
			  const void *param, size_t paramlen);
	int	(*shutdown)(struct kfid_ep *ep, u64 flags);
};

/**
 * kfi_getname() - local address of an endpoint or passive endpoint
 * @fid: its fid
 * @addr: where the address is returned, a struct sockaddr
 * @addrlen: in: bytes of @addr; out: bytes of the address
 *
 * An endpoint has one when it is for a connection request, else from the connected
 * event on; a passive endpoint always.
 *
 * Context: Process context.
 * Return: 0; -KFI_ETOOSMALL with @addrlen set, also when @addr is NULL; -EINVAL
 * without @addrlen; -KFI_EOPBADSTATE when it has none yet; -ENODEV.
 */
static inline int kfi_getname(struct kfid *fid, void *addr, size_t *addrlen)
{
	struct kfid_ep *ep = container_of(fid, struct kfid_ep, fid);

	might_sleep();
	if (!kfi_is_endpoint(fid))
		return -EINVAL;
	if (!ep->cm->getname)
		return -EOPNOTSUPP;
	return ep->cm->getname(fid, addr, addrlen);
}

/**
 * kfi_getpeer() - address of an endpoint's peer
 * @ep: the endpoint
 * @addr: where the address is returned, a struct sockaddr
 * @addrlen: in: bytes of @addr; out: bytes of the address
 *
 * Context: Process context.
 * Return: 0, -KFI_ETOOSMALL with @addrlen set, -ENOTCONN, -ENODEV.
 */
static inline int kfi_getpeer(struct kfid_ep *ep, void *addr, size_t *addrlen)
{
	might_sleep();
	if (!ep->cm->getpeer)
		return -EOPNOTSUPP;
	return ep->cm->getpeer(ep, addr, addrlen);
}

/**
 * kfi_listen() - accept connection requests
 * @pep: a passive endpoint with an event queue
 *
 * Context: Process context, may sleep.
 * Return: 0, -KFI_ENOEQ, -EADDRINUSE, -KFI_EOPBADSTATE when it listens already,
 * -ENODEV.
 */
static inline int kfi_listen(struct kfid_pep *pep)
{
	might_sleep();
	if (!pep->cm->listen)
		return -EOPNOTSUPP;
	return pep->cm->listen(pep);
}

/**
 * kfi_connect() - connect to a listener
 * @ep: an endpoint, enabled or not
 * @addr: the listener's address, a struct sockaddr; NULL for the info's dest_addr
 * @param: private data for the listener
 * @paramlen: bytes of @param, at most KFI_OPT_CM_DATA_SIZE
 *
 * Context: Process context, may sleep, never for the network.
 * Return: 0 when it has begun, and an event will tell; else the first of these
 * that holds: -ENODEV; -EINVAL for bad arguments; -KFI_EOPBADSTATE for an endpoint
 * that is for a connection request; -EALREADY while it is being connected, -EISCONN
 * when it is, -ESHUTDOWN when that has ended or has failed; -EDESTADDRREQ without an
 * address; -EINVAL for one of another family than the info's src_addr; what
 * kfi_enable() returns; -EADDRINUSE when somebody has the src_addr, -EADDRNOTAVAIL
 * when it is not one of this host, and then the endpoint is as it was, but enabled.
 */
static inline int
kfi_connect(struct kfid_ep *ep, const void *addr, const void *param,
	    size_t paramlen)
{
	might_sleep();
	if (!ep->cm->connect)
		return -EOPNOTSUPP;
	return ep->cm->connect(ep, addr, param, paramlen);
}

/**
 * kfi_accept() - accept a connection request
 * @ep: an endpoint opened with the request's info
 * @param: private data for the connecting side
 * @paramlen: bytes of @param, at most 196, less on a commit endpoint
 *
 * Context: Process context, may sleep.
 * Return: 0 when it has begun, and an event will tell; else the first of these
 * that holds: -ENODEV; -EINVAL for bad arguments; -KFI_EOPBADSTATE for an endpoint
 * that is not for a request; -EALREADY when it was accepted before and is being
 * connected, -EISCONN when it is, -ESHUTDOWN when that has ended or has failed; what
 * kfi_enable() returns; -EOPNOTSUPP when the peer does not declare what
 * KFI_OPT_COMMIT_METHOD asks for; -ECONNRESET when the peer has gone.
 */
static inline int
kfi_accept(struct kfid_ep *ep, const void *param, size_t paramlen)
{
	might_sleep();
	if (!ep->cm->accept)
		return -EOPNOTSUPP;
	return ep->cm->accept(ep, param, paramlen);
}

/**
 * kfi_reject() - reject a connection request
 * @pep: the passive endpoint that got it
 * @handle: &kfi_info.handle of the request, which is consumed
 * @param: private data for the connecting side
 * @paramlen: bytes of @param, at most 148
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL, also for a handle that is not a connection request of this
 * provider; -KFI_EOPBADSTATE when the request was consumed before; -ENODEV.
 */
static inline int
kfi_reject(struct kfid_pep *pep, struct kfid *handle, const void *param,
	   size_t paramlen)
{
	might_sleep();
	if (!pep->cm->reject)
		return -EOPNOTSUPP;
	return pep->cm->reject(pep, handle, param, paramlen);
}

/**
 * kfi_shutdown() - end a connection
 * @ep: the endpoint
 * @flags: must be 0
 *
 * When the call returns, every operation that was accepted has completed exactly
 * once; nothing can be posted any more.
 *
 * Context: Process context, may sleep.
 * Return: 0, -EINVAL, -ENOTCONN when it was never connected, -ENODEV.
 */
static inline int kfi_shutdown(struct kfid_ep *ep, u64 flags)
{
	might_sleep();
	if (!ep->cm->shutdown)
		return -EOPNOTSUPP;
	return ep->cm->shutdown(ep, flags);
}

#endif /* KFI_CM_H */
