/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Event queues and completion queues.
 */

#ifndef KFI_EQ_H
#define KFI_EQ_H

#include <kfabric.h>

/**
 * enum kfi_wait_obj - what a caller can sleep on
 * @KFI_WAIT_NONE: nothing
 * @KFI_WAIT_UNSPEC: whatever the provider likes
 * @KFI_WAIT_SET: a wait set; there are none
 * @KFI_WAIT_QUEUE: a Linux wait queue inside the event queue
 */
enum kfi_wait_obj {
	KFI_WAIT_NONE,
	KFI_WAIT_UNSPEC,
	KFI_WAIT_SET,
	KFI_WAIT_QUEUE
};

struct kfid_wait;

/**
 * DOC: event queues
 *
 * An event queue reports what happens to endpoints and passive endpoints, in
 * the order in which it happened, many objects to a queue. Each endpoint
 * reserves room for its connected, its shutdown and its error event when it is
 * bound, so that these are never lost. The size of the queue is the room for
 * connection requests: one that finds no room is rejected to the peer and
 * counted, with those of all other queues, in kfabric/rejected_requests of debugfs.
 * Events of an endpoint that are unread when it is closed vanish.
 */

/**
 * struct kfi_eq_attr - an event queue
 * @size: connection requests that can be unread; 0 for the default of 64
 * @flags: must be 0
 * @wait_obj: KFI_WAIT_SET is refused; kfi_eq_sread() works with every other
 * @signaling_vector: must be 0
 * @wait_set: must be NULL
 */
struct kfi_eq_attr {
	size_t			size;
	u64			flags;
	enum kfi_wait_obj	wait_obj;
	int			signaling_vector;
	struct kfid_wait	*wait_set;
};

/**
 * enum kfi_event - an event; values of libfabric
 * @KFI_CONNREQ: a peer wants to connect. The fid is that of the passive endpoint,
 *	info describes the request and is the caller's, data is what the peer gave to
 *	kfi_connect()
 * @KFI_CONNECTED: the connection is up. The fid is that of the endpoint, data is what
 *	the peer gave to kfi_accept(), none for the end that accepted
 * @KFI_SHUTDOWN: the connection has ended, or the device is gone. The fid is that of
 *	the endpoint or passive endpoint
 */
enum kfi_event {
	KFI_CONNREQ	= 1,
	KFI_CONNECTED	= 2,
	KFI_SHUTDOWN	= 3,
};

/**
 * struct kfi_eq_err_entry - an error event
 * @fid: the object
 * @context: the object's context
 * @data: 0
 * @err: positive errno
 * @prov_errno: the provider's own number, for kfi_eq_strerror()
 * @err_data: in: the caller's buffer, or NULL; out: unchanged, holds the body of
 *	a reject
 * @err_data_size: in: bytes of @err_data; out: bytes placed there. A body longer
 *	than the buffer is cut
 */
struct kfi_eq_err_entry {
	struct kfid	*fid;
	void		*context;
	u64		data;
	int		err;
	int		prov_errno;
	void		*err_data;
	size_t		err_data_size;
};

/**
 * struct kfi_eq_cm_entry - a connection event
 * @fid: the object
 * @info: KFI_CONNREQ: describes the request, the caller's to kfi_freeinfo()
 * @data: the peer's private data, as much as fits the caller's buffer
 */
struct kfi_eq_cm_entry {
	struct kfid	*fid;
	struct kfi_info	*info;
	u8		data[];
};

/**
 * struct kfi_ops_eq - operations of an event queue
 * @read: see kfi_eq_read()
 * @readerr: see kfi_eq_readerr()
 * @sread: see kfi_eq_sread()
 * @strerror: see kfi_eq_strerror()
 *
 * The core's: every queue has all of them, and calls do not look.
 */
struct kfi_ops_eq {
	ssize_t		(*read)(struct kfid_eq *eq, u32 *event, void *buf,
				size_t len, u64 flags);
	ssize_t		(*readerr)(struct kfid_eq *eq,
				   struct kfi_eq_err_entry *buf, u64 flags);
	ssize_t		(*sread)(struct kfid_eq *eq, u32 *event, void *buf,
				 size_t len, int timeout, u64 flags);
	const char	*(*strerror)(struct kfid_eq *eq, int prov_errno,
				     const void *err_data, char *buf, size_t len);
};

/**
 * struct kfid_eq - an open event queue
 * @fid: the object
 * @ops: operations
 */
struct kfid_eq {
	struct kfid			fid;
	const struct kfi_ops_eq		*ops;
};

/**
 * kfi_eq_open() - open an event queue
 * @fabric: the fabric, which the queue is a child of
 * @attr: attributes, or NULL for the defaults
 * @eq: where the queue is returned
 * @event_handler: called when there is something to read, or NULL
 * @context: argument of @event_handler
 *
 * @event_handler is edge-triggered: it is called once, and again only after a
 * read has returned -EAGAIN. It runs in process context on a workqueue that
 * memory reclaim can rely on, one call at a time, and holds no lock: it may
 * sleep and may close any object but @eq.
 *
 * Context: Process context, may sleep.
 * Return: 0, -EINVAL for bad attributes, -ENOMEM.
 */
static inline int
kfi_eq_open(struct kfid_fabric *fabric, struct kfi_eq_attr *attr,
	    struct kfid_eq **eq, kfi_event_handler event_handler, void *context)
{
	might_sleep();
	if (!fabric->ops->eq_open)
		return -EOPNOTSUPP;
	return fabric->ops->eq_open(fabric, attr, eq, event_handler, context);
}

/**
 * kfi_eq_read() - read an event
 * @eq: the queue
 * @event: where the kind of event is returned
 * @buf: where a struct kfi_eq_cm_entry is returned, private data behind it
 * @len: bytes of @buf
 * @flags: 0, or KFI_PEEK to leave the event in the queue; the info of a peeked
 *	connection request still belongs to the queue
 *
 * Context: Any context.
 * Return: the bytes placed in @buf; -EAGAIN when the queue is empty;
 * -KFI_EAVAIL when the next event is an error; -KFI_ETOOSMALL when @len is less
 * than sizeof(struct kfi_eq_cm_entry), and nothing is consumed; -EINVAL.
 */
static inline ssize_t
kfi_eq_read(struct kfid_eq *eq, u32 *event, void *buf, size_t len, u64 flags)
{
	return eq->ops->read(eq, event, buf, len, flags);
}

/**
 * kfi_eq_readerr() - read an error event
 * @eq: the queue
 * @buf: where the event is returned; err_data and err_data_size are set by the
 *	caller
 * @flags: 0, or KFI_PEEK
 *
 * Context: Any context.
 * Return: ``sizeof(*buf)``, -EAGAIN when the next event is not an error, -EINVAL.
 */
static inline ssize_t
kfi_eq_readerr(struct kfid_eq *eq, struct kfi_eq_err_entry *buf, u64 flags)
{
	return eq->ops->readerr(eq, buf, flags);
}

/**
 * kfi_eq_sread() - wait for an event and read it
 * @eq: the queue
 * @event: see kfi_eq_read()
 * @buf: see kfi_eq_read()
 * @len: see kfi_eq_read()
 * @timeout: milliseconds, negative for ever
 * @flags: see kfi_eq_read()
 *
 * Context: Process context, sleeps, interruptible.
 * Return: as kfi_eq_read(), -EAGAIN after @timeout, -ERESTARTSYS.
 */
static inline ssize_t
kfi_eq_sread(struct kfid_eq *eq, u32 *event, void *buf, size_t len, int timeout,
	     u64 flags)
{
	might_sleep();
	return eq->ops->sread(eq, event, buf, len, timeout, flags);
}

/**
 * kfi_eq_strerror() - say what a provider's error number means
 * @eq: the queue
 * @prov_errno: of an error event
 * @err_data: of the same event
 * @buf: gets a copy of the text, or NULL
 * @len: bytes of @buf
 *
 * Context: Any context.
 * Return: a constant string.
 */
static inline const char *
kfi_eq_strerror(struct kfid_eq *eq, int prov_errno, const void *err_data,
		char *buf, size_t len)
{
	return eq->ops->strerror(eq, prov_errno, err_data, buf, len);
}

/**
 * enum kfi_cq_format - format of a completion queue's entries
 * @KFI_CQ_FORMAT_UNSPEC: the provider chooses, and writes it into the attributes
 * @KFI_CQ_FORMAT_CONTEXT: struct kfi_cq_entry
 * @KFI_CQ_FORMAT_MSG: struct kfi_cq_msg_entry
 * @KFI_CQ_FORMAT_DATA: struct kfi_cq_data_entry
 * @KFI_CQ_FORMAT_TAGGED: refused, there are no tags
 */
enum kfi_cq_format {
	KFI_CQ_FORMAT_UNSPEC,
	KFI_CQ_FORMAT_CONTEXT,
	KFI_CQ_FORMAT_MSG,
	KFI_CQ_FORMAT_DATA,
	KFI_CQ_FORMAT_TAGGED,
};

/**
 * struct kfi_cq_entry - a completion: which operation
 * @op_context: the operation's context
 */
struct kfi_cq_entry {
	void	*op_context;
};

/**
 * struct kfi_cq_msg_entry - a completion: which operation, and how it went
 * @op_context: the operation's context
 * @flags: KFI_SEND, KFI_RECV, KFI_RMA, KFI_ATOMIC, KFI_READ, KFI_WRITE: what the
 *	operation was; KFI_REMOTE_WRITE: a peer's write with data;
 *	KFI_REMOTE_CQ_DATA: the data member is valid; KFI_COMMIT, of entries in
 *	error only: the commit alone has failed, and the connection goes on
 * @len: of a receive: bytes received; of a remote write: bytes written
 */
struct kfi_cq_msg_entry {
	void	*op_context;
	u64	flags;
	size_t	len;
};

/**
 * struct kfi_cq_data_entry - a completion with the peer's data
 * @op_context: the operation's context
 * @flags: see &struct kfi_cq_msg_entry
 * @len: see &struct kfi_cq_msg_entry
 * @buf: NULL; of use with multi-receive buffers only
 * @data: the peer's data, in this host's byte order
 */
struct kfi_cq_data_entry {
	void	*op_context;
	u64	flags;
	size_t	len;
	void	*buf;
	u64	data;
};

/**
 * struct kfi_cq_err_entry - a completion in error
 * @op_context: the operation's context
 * @flags: see &struct kfi_cq_msg_entry
 * @len: 0
 * @buf: NULL
 * @data: 0
 * @tag: 0
 * @olen: bytes by which a message was longer than its receive, if known
 * @err: positive errno
 * @prov_errno: the provider's own number, for kfi_cq_strerror()
 * @err_data: NULL
 * @err_data_size: 0
 */
struct kfi_cq_err_entry {
	void	*op_context;
	u64	flags;
	size_t	len;
	void	*buf;
	u64	data;
	u64	tag;
	size_t	olen;
	int	err;
	int	prov_errno;
	void	*err_data;
	size_t	err_data_size;
};

/**
 * enum kfi_cq_wait_cond - when a blocking read returns
 * @KFI_CQ_COND_NONE: at any completion; the only value accepted
 * @KFI_CQ_COND_THRESHOLD: at a number of completions
 */
enum kfi_cq_wait_cond {
	KFI_CQ_COND_NONE,
	KFI_CQ_COND_THRESHOLD
};

/**
 * KFI_CQ_PROCESS_CONTEXT - flag of &kfi_cq_attr.flags: a handler that may sleep
 *
 * Run the completion handler in process context instead of softirq. It may sleep,
 * but still must not wait for an endpoint. -EINVAL for a queue without a handler.
 * kfabric extension.
 */
#define KFI_CQ_PROCESS_CONTEXT	BIT_ULL(59)

/**
 * struct kfi_cq_attr - a completion queue
 * @size: entries; 0 for the default of 1024. Binding an endpoint takes its
 *	tx_attr.size or rx_attr.size of them, or both; the latter twice where messages
 *	and commits are on one endpoint. Rounded up to a power of two, each costs 64
 *	bytes
 * @flags: KFI_AFFINITY, KFI_CQ_PROCESS_CONTEXT
 * @format: format of the entries
 * @wait_obj: KFI_WAIT_NONE or KFI_WAIT_UNSPEC
 * @signaling_vector: with KFI_AFFINITY the completion vector, 0 to
 *	kfi_domain_num_vectors() - 1
 * @wait_cond: KFI_CQ_COND_NONE
 * @wait_set: NULL
 */
struct kfi_cq_attr {
	size_t			size;
	u64			flags;
	enum kfi_cq_format	format;
	enum kfi_wait_obj	wait_obj;
	int			signaling_vector;
	enum kfi_cq_wait_cond	wait_cond;
	struct kfid_wait	*wait_set;
};

/**
 * struct kfi_ops_cq - operations of a completion queue
 * @read: see kfi_cq_read()
 * @readerr: see kfi_cq_readerr()
 * @strerror: see kfi_cq_strerror()
 *
 * The core's: every queue has all of them, and calls do not look.
 */
struct kfi_ops_cq {
	ssize_t		(*read)(struct kfid_cq *cq, void *buf, size_t count);
	ssize_t		(*readerr)(struct kfid_cq *cq,
				   struct kfi_cq_err_entry *buf, u64 flags);
	const char	*(*strerror)(struct kfid_cq *cq, int prov_errno,
				     const void *err_data, char *buf, size_t len);
};

/**
 * struct kfid_cq - an open completion queue
 * @fid: the object
 * @ops: operations
 */
struct kfid_cq {
	struct kfid			fid;
	const struct kfi_ops_cq		*ops;
};

/**
 * DOC: completions
 *
 * An operation takes one of its endpoint's slots when it is posted, and gives
 * it back when its entry is read from the completion queue, or when it is
 * complete if it asked for no entry. So a completion queue is never overrun,
 * and how many operations are accepted depends on nothing but what was read.
 *
 * An error always makes an entry, also for an operation that asked for none.
 * Entries of one endpoint and direction are in the order of posting, with one
 * exception: commits are ordered among themselves only.
 *
 * A queue opened with a completion handler is driven by the device. The handler
 * is edge-triggered: it is called once when an entry arrives, and again only
 * after kfi_cq_read() has returned -EAGAIN. It runs in softirq context, or in
 * process context with KFI_CQ_PROCESS_CONTEXT, one call at a time, and may post
 * and read. Control calls of endpoints, and kfi_close() of a completion queue,
 * wait for handlers: a handler must not make them, on whatever object, nor take a
 * lock that is held over one. lockdep reports it.
 *
 * A queue opened without a handler is polled: nothing happens but in kfi_cq_read().
 * The one exception is what a peer waits for: commits are answered by an endpoint
 * whose consumer never reads.
 */

/**
 * DOC: completion errors
 *
 * &kfi_cq_err_entry.err, the same for every provider; prov_errno has more detail:
 *
 * ==================  ========================================================
 * ECANCELED           not executed, or not known to be: the connection ended; or
 *                     a commit that must come after one that has failed
 * EACCES              no region with this key, bytes outside of it, or no right
 *                     to them; a commit of bytes that are not persistent memory
 * EREMOTEIO           the peer could not execute it
 * KFI_ETRUNC          a message was longer than the receive; EIO from devices
 *                     that do not tell, soft-RoCE among them
 * ENOBUFS             the peer had no receive posted for too long
 * ETIMEDOUT           the peer does not answer
 * EIO                 any other failure; the target could not make data
 *                     persistent
 * ==================  ========================================================
 *
 * After a failure the connection has ended, except when a commit failed for what
 * its range or its memory device is: that is an error of this commit alone, and its
 * entry has KFI_COMMIT among its flags.
 */

/**
 * kfi_cq_read() - read completions
 * @cq: the queue
 * @buf: where the entries are returned, in the queue's format
 * @count: most entries to read
 *
 * Context: Any context. Several readers at once are fine.
 * Return: the number of entries read, 1 or more; -EAGAIN when there is none;
 * -KFI_EAVAIL when the next entry is an error; -EINVAL when @count is 0.
 */
static inline ssize_t
kfi_cq_read(struct kfid_cq *cq, void *buf, size_t count)
{
	return cq->ops->read(cq, buf, count);
}

/**
 * kfi_cq_readerr() - read a completion in error
 * @cq: the queue
 * @buf: where it is returned
 * @flags: must be 0
 *
 * Context: Any context.
 * Return: 1, -EAGAIN when the next entry is not an error, -EINVAL.
 */
static inline ssize_t
kfi_cq_readerr(struct kfid_cq *cq, struct kfi_cq_err_entry *buf, u64 flags)
{
	return cq->ops->readerr(cq, buf, flags);
}

/**
 * kfi_cq_strerror() - say what a provider's error number means
 * @cq: the queue
 * @prov_errno: of a completion in error
 * @err_data: of the same completion
 * @buf: gets a copy of the text, or NULL
 * @len: bytes of @buf
 *
 * Context: Any context.
 * Return: a constant string.
 */
static inline const char *
kfi_cq_strerror(struct kfid_cq *cq, int prov_errno, const void *err_data,
		char *buf, size_t len)
{
	return cq->ops->strerror(cq, prov_errno, err_data, buf, len);
}

#endif /* KFI_EQ_H */
