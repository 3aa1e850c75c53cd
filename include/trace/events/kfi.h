/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Tracepoints. Objects are called by their number, &kfid.id: no event has an address of
 * kernel memory in it.
 */

#undef TRACE_SYSTEM
#define TRACE_SYSTEM kfi

#if !defined(_TRACE_KFI_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_KFI_H

#include <linux/errno.h>
#include <linux/in6.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include <kfi_errno.h>
#include <kfi_memdev.h>
#include <kfi_prov.h>

TRACE_DEFINE_ENUM(KFI_STAT_SEND);
TRACE_DEFINE_ENUM(KFI_STAT_READ);
TRACE_DEFINE_ENUM(KFI_STAT_WRITE);
TRACE_DEFINE_ENUM(KFI_STAT_ATOMIC);
TRACE_DEFINE_ENUM(KFI_STAT_COMMIT);

TRACE_DEFINE_ENUM(KFI_STAT_TX_FULL);
TRACE_DEFINE_ENUM(KFI_STAT_SLOTS_FULL);

TRACE_DEFINE_ENUM(KFI_CONNREQ);
TRACE_DEFINE_ENUM(KFI_CONNECTED);
TRACE_DEFINE_ENUM(KFI_SHUTDOWN);

TRACE_DEFINE_ENUM(KFI_ETRUNC);

#define show_kfi_op(op)						\
	__print_symbolic(op,					\
		{ KFI_STAT_SEND,	"send" },		\
		{ KFI_STAT_READ,	"read" },		\
		{ KFI_STAT_WRITE,	"write" },		\
		{ KFI_STAT_ATOMIC,	"atomic" },		\
		{ KFI_STAT_COMMIT,	"commit" })

#define show_kfi_full(full)					\
	__print_symbolic(full,					\
		{ KFI_STAT_TX_FULL,	"tx" },			\
		{ KFI_STAT_SLOTS_FULL,	"commit slots" })

#define show_kfi_event(event)					\
	__print_symbolic(event,					\
		{ 0,			"error" },		\
		{ KFI_CONNREQ,		"connreq" },		\
		{ KFI_CONNECTED,	"connected" },		\
		{ KFI_SHUTDOWN,		"shutdown" })

/* Positive errno, of whatever completes or ends. */
#define show_kfi_err(err)					\
	__print_symbolic(err,					\
		{ 0,			"ok" },			\
		{ EIO,			"EIO" },		\
		{ ENOMEM,		"ENOMEM" },		\
		{ EACCES,		"EACCES" },		\
		{ ENODEV,		"ENODEV" },		\
		{ EINVAL,		"EINVAL" },		\
		{ EOPNOTSUPP,		"EOPNOTSUPP" },		\
		{ EPROTONOSUPPORT,	"EPROTONOSUPPORT" },	\
		{ EADDRNOTAVAIL,	"EADDRNOTAVAIL" },	\
		{ ECONNREFUSED,		"ECONNREFUSED" },	\
		{ ECONNRESET,		"ECONNRESET" },		\
		{ EHOSTUNREACH,		"EHOSTUNREACH" },	\
		{ ENOBUFS,		"ENOBUFS" },		\
		{ ETIMEDOUT,		"ETIMEDOUT" },		\
		{ EREMOTEIO,		"EREMOTEIO" },		\
		{ ECANCELED,		"ECANCELED" },		\
		{ KFI_ETRUNC,		"KFI_ETRUNC" })

#define show_kfi_flags(flags)					\
	__print_flags(flags, "|",				\
		{ KFI_INJECT,		"INJECT" },		\
		{ KFI_MORE,		"MORE" },		\
		{ KFI_FENCE,		"FENCE" },		\
		{ KFI_COMPLETION,	"COMPLETION" },		\
		{ KFI_REMOTE_CQ_DATA,	"REMOTE_CQ_DATA" },	\
		{ KFI_INJECT_COMPLETE,	"INJECT_COMPLETE" },	\
		{ KFI_TRANSMIT_COMPLETE, "TRANSMIT_COMPLETE" },	\
		{ KFI_DELIVERY_COMPLETE, "DELIVERY_COMPLETE" },	\
		{ KFI_COMMIT_COMPLETE,	"COMMIT_COMPLETE" })

#define show_kfi_comp_flags(flags)				\
	__print_flags(flags, "|",				\
		{ KFI_MSG,		"MSG" },		\
		{ KFI_RMA,		"RMA" },		\
		{ KFI_ATOMIC,		"ATOMIC" },		\
		{ KFI_SEND,		"SEND" },		\
		{ KFI_RECV,		"RECV" },		\
		{ KFI_READ,		"READ" },		\
		{ KFI_WRITE,		"WRITE" },		\
		{ KFI_REMOTE_WRITE,	"REMOTE_WRITE" },	\
		{ KFI_REMOTE_CQ_DATA,	"REMOTE_CQ_DATA" })

#define show_kfi_mr_flags(flags)				\
	__print_flags(flags, "|",				\
		{ KFI_PMEM,		"PMEM" },		\
		{ KFI_UNCACHED,		"UNCACHED" })

/*
 * Connections
 */

DECLARE_EVENT_CLASS(kfi_peer,
		    TP_PROTO(u64 id, const struct sockaddr_storage *peer),
		    TP_ARGS(id, peer),
		    TP_STRUCT__entry(__field(u64, id)
				     __array(u8, peer, sizeof(struct sockaddr_in6))),
		    TP_fast_assign(__entry->id = id;
				   memcpy(__entry->peer, peer, sizeof(struct sockaddr_in6));
		    ),
		    TP_printk("id=%llu peer=%pISpc", __entry->id, __entry->peer));

/* A consumer asks for a connection, or answers a request. */
DEFINE_EVENT(kfi_peer, kfi_connect,
	     TP_PROTO(u64 id, const struct sockaddr_storage *peer),
	     TP_ARGS(id, peer));

DEFINE_EVENT(kfi_peer, kfi_accept,
	     TP_PROTO(u64 id, const struct sockaddr_storage *peer),
	     TP_ARGS(id, peer));

/* A request is rejected, see kfi_prov_rejected(). */
DEFINE_EVENT(kfi_peer, kfi_reject,
	     TP_PROTO(u64 id, const struct sockaddr_storage *peer),
	     TP_ARGS(id, peer));

/* What a consumer is told, through an event queue. */
TRACE_EVENT(kfi_event,
	    TP_PROTO(const struct kfi_eq_event *ev),
	    TP_ARGS(ev),
	    TP_STRUCT__entry(__field(u64, id)
			     __field(u32, event)
			     __field(int, err)
			     __field(int, prov_errno)),
	    TP_fast_assign(__entry->id = ev->fid->id;
			   __entry->event = ev->err ? 0 : ev->event;
			   __entry->err = ev->err;
			   __entry->prov_errno = ev->prov_errno;
	    ),
	    TP_printk("id=%llu event=%s err=%s prov_errno=%d", __entry->id,
		      show_kfi_event(__entry->event), show_kfi_err(__entry->err),
		      __entry->prov_errno));

DECLARE_EVENT_CLASS(kfi_ep,
		    TP_PROTO(const struct kfid_ep *ep),
		    TP_ARGS(ep),
		    TP_STRUCT__entry(__field(u64, id)),
		    TP_fast_assign(__entry->id = ep->fid.id;
		    ),
		    TP_printk("id=%llu", __entry->id));

/* A consumer ends a connection. */
DEFINE_EVENT(kfi_ep, kfi_shutdown,
	     TP_PROTO(const struct kfid_ep *ep),
	     TP_ARGS(ep));

/*
 * Operations
 */

TRACE_EVENT(kfi_post,
	    TP_PROTO(const struct kfid_ep *ep, enum kfi_stat_op op, size_t len,
		     u64 flags),
	    TP_ARGS(ep, op, len, flags),
	    TP_STRUCT__entry(__field(u64, id)
			     __field(u64, flags)
			     __field(u64, len)
			     __field(u32, op)),
	    TP_fast_assign(__entry->id = ep->fid.id;
			   __entry->flags = flags;
			   __entry->len = len;
			   __entry->op = op;
	    ),
	    TP_printk("id=%llu op=%s len=%llu flags=%s", __entry->id,
		      show_kfi_op(__entry->op), __entry->len,
		      show_kfi_flags(__entry->flags)));

/* An entry is made; operations that make none are not seen. */
TRACE_EVENT(kfi_complete,
	    TP_PROTO(const struct kfi_cq_credit *credit,
		     const struct kfi_comp *comp),
	    TP_ARGS(credit, comp),
	    TP_STRUCT__entry(__field(u64, id)
			     __field(u64, cq)
			     __field(u64, flags)
			     __field(u64, len)
			     __field(int, err)
			     __field(int, prov_errno)),
	    TP_fast_assign(__entry->id = credit->ep;
			   __entry->cq = credit->cq->cq.fid.id;
			   __entry->flags = comp->flags;
			   __entry->len = comp->len;
			   __entry->err = comp->err;
			   __entry->prov_errno = comp->prov_errno;
	    ),
	    TP_printk("id=%llu cq=%llu flags=%s len=%llu status=%s prov_errno=%d",
		      __entry->id, __entry->cq, show_kfi_comp_flags(__entry->flags),
		      __entry->len, show_kfi_err(__entry->err), __entry->prov_errno));

/* A post is refused with -EAGAIN, and who wanted to know is told of room. */
TRACE_EVENT(kfi_tx_full,
	    TP_PROTO(const struct kfid_ep *ep, enum kfi_stat_full full),
	    TP_ARGS(ep, full),
	    TP_STRUCT__entry(__field(u64, id)
			     __field(u32, full)),
	    TP_fast_assign(__entry->id = ep->fid.id;
			   __entry->full = full;
	    ),
	    TP_printk("id=%llu full=%s", __entry->id, show_kfi_full(__entry->full)));

DEFINE_EVENT(kfi_ep, kfi_tx_room,
	     TP_PROTO(const struct kfid_ep *ep),
	     TP_ARGS(ep));

/*
 * Memory regions
 */

DECLARE_EVENT_CLASS(kfi_mr,
		    TP_PROTO(const struct kfid_mr *mr, size_t len),
		    TP_ARGS(mr, len),
		    TP_STRUCT__entry(__field(u64, id)
				     __field(u64, len)
				     __field(u64, flags)),
		    TP_fast_assign(__entry->id = mr->fid.id;
				   __entry->len = len;
				   __entry->flags = mr->flags;
		    ),
		    TP_printk("id=%llu len=%llu flags=%s", __entry->id, __entry->len,
			      show_kfi_mr_flags(__entry->flags)));

DEFINE_EVENT(kfi_mr, kfi_mr_reg,
	     TP_PROTO(const struct kfid_mr *mr, size_t len),
	     TP_ARGS(mr, len));

DEFINE_EVENT(kfi_mr, kfi_mr_close,
	     TP_PROTO(const struct kfid_mr *mr, size_t len),
	     TP_ARGS(mr, len));

/*
 * Commits: the request and its end at the initiator, by the number that the initiator
 * counts its commits by; the persist and the reply at the target.
 */

TRACE_EVENT(kfi_commit_request,
	    TP_PROTO(const struct kfid_ep *ep, u64 nr, size_t ranges, size_t len),
	    TP_ARGS(ep, nr, ranges, len),
	    TP_STRUCT__entry(__field(u64, id)
			     __field(u64, nr)
			     __field(u64, len)
			     __field(u32, ranges)),
	    TP_fast_assign(__entry->id = ep->fid.id;
			   __entry->nr = nr;
			   __entry->len = len;
			   __entry->ranges = ranges;
	    ),
	    TP_printk("id=%llu nr=%llu ranges=%u len=%llu", __entry->id,
		      __entry->nr, __entry->ranges, __entry->len));

TRACE_EVENT(kfi_commit_done,
	    TP_PROTO(const struct kfid_ep *ep, u64 nr, int err, u64 ns),
	    TP_ARGS(ep, nr, err, ns),
	    TP_STRUCT__entry(__field(u64, id)
			     __field(u64, nr)
			     __field(u64, ns)
			     __field(int, err)),
	    TP_fast_assign(__entry->id = ep->fid.id;
			   __entry->nr = nr;
			   __entry->ns = ns;
			   __entry->err = err;
	    ),
	    TP_printk("id=%llu nr=%llu status=%s ns=%llu", __entry->id,
		      __entry->nr, show_kfi_err(__entry->err), __entry->ns));

TRACE_EVENT(kfi_commit_reply,
	    TP_PROTO(const struct kfid_ep *ep, u64 nr, int err),
	    TP_ARGS(ep, nr, err),
	    TP_STRUCT__entry(__field(u64, id)
			     __field(u64, nr)
			     __field(int, err)),
	    TP_fast_assign(__entry->id = ep->fid.id;
			   __entry->nr = nr;
			   __entry->err = err;
	    ),
	    TP_printk("id=%llu nr=%llu status=%s", __entry->id, __entry->nr,
		      show_kfi_err(__entry->err)));

TRACE_EVENT(kfi_persist_begin,
	    TP_PROTO(const struct kfid_ep *ep, unsigned int ranges, u64 len),
	    TP_ARGS(ep, ranges, len),
	    TP_STRUCT__entry(__field(u64, id)
			     __field(u64, len)
			     __field(u32, ranges)),
	    TP_fast_assign(__entry->id = ep->fid.id;
			   __entry->ranges = ranges;
			   __entry->len = len;
	    ),
	    TP_printk("id=%llu ranges=%u len=%llu", __entry->id, __entry->ranges,
		      __entry->len));

TRACE_EVENT(kfi_persist_end,
	    TP_PROTO(const struct kfid_ep *ep, int err, u64 ns),
	    TP_ARGS(ep, err, ns),
	    TP_STRUCT__entry(__field(u64, id)
			     __field(u64, ns)
			     __field(int, err)),
	    TP_fast_assign(__entry->id = ep->fid.id;
			   __entry->ns = ns;
			   __entry->err = err;
	    ),
	    TP_printk("id=%llu status=%s ns=%llu", __entry->id,
		      show_kfi_err(__entry->err), __entry->ns));

/*
 * Devices
 */

/* A device goes away under what was opened on it. */
TRACE_EVENT(kfi_device_remove,
	    TP_PROTO(const char *name),
	    TP_ARGS(name),
	    TP_STRUCT__entry(__array(char, name, KFI_NAME_MAX)),
	    TP_fast_assign(strscpy(__entry->name, name, KFI_NAME_MAX);
	    ),
	    TP_printk("name=%s", __entry->name));

TRACE_EVENT(kfi_memdev_revoke,
	    TP_PROTO(const struct kfi_memdev *dev),
	    TP_ARGS(dev),
	    TP_STRUCT__entry(__array(char, scheme, KFI_NAME_MAX)
			     __field(u64, len)),
	    /* it has no driver yet when that happens while it is being opened */
	    TP_fast_assign(strscpy(__entry->scheme, dev->driver ? dev->driver->scheme : "",
				   KFI_NAME_MAX);
			   __entry->len = dev->len;
	    ),
	    TP_printk("scheme=%s len=%llu", __entry->scheme, __entry->len));

#endif /* _TRACE_KFI_H */

/* Outside of the guard */
#include <trace/define_trace.h>
