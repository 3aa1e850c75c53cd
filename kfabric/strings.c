// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Names of errors, flags and attributes, for messages and for debugging.
 */

#include <linux/array_size.h>
#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/seq_buf.h>
#include <linux/string.h>

#include <kfi_atomic.h>
#include <kfi_errno.h>
#include <kfi_prov.h>

/* Results of kfi_tostr() live until this many later ones were made. */
#define KFI_STRINGS	8
#define KFI_STRING_SIZE	2048

struct kfi_name {
	u64		value;
	const char	*name;
};

#define KFI_NAME(value) { (u64)(value), #value }

static const struct kfi_name errors[] = {
	{ EPERM, "Operation not permitted" },
	{ ENOENT, "No such entry" },
	{ EIO, "Input/output error" },
	{ E2BIG, "Too many segments" },
	{ EAGAIN, "Try again" },
	{ ENOMEM, "Out of memory" },
	{ EACCES, "Permission denied" },
	{ EFAULT, "Bad address" },
	{ ENOTBLK, "Block device required" },
	{ EBUSY, "Object is in use" },
	{ EEXIST, "Exists already" },
	{ ENODEV, "No such device" },
	{ EINVAL, "Invalid argument" },
	{ EFBIG, "Too large" },
	{ ENOSPC, "No space left" },
	{ ENODATA, "Nothing matches" },
	{ EPROTO, "Protocol error" },
	{ EMSGSIZE, "Message too long" },
	{ ENOPROTOOPT, "No such option" },
	{ EPROTONOSUPPORT, "Peer does not speak the protocol" },
	{ EOPNOTSUPP, "Operation not supported" },
	{ EADDRINUSE, "Address already in use" },
	{ EADDRNOTAVAIL, "Address not available" },
	{ ENETUNREACH, "Network is unreachable" },
	{ ECONNABORTED, "Connection aborted" },
	{ ECONNRESET, "Connection reset by peer" },
	{ ENOBUFS, "Peer had no receive posted" },
	{ EISCONN, "Already connected" },
	{ ENOTCONN, "Not connected" },
	{ ESHUTDOWN, "Endpoint is shut down" },
	{ ETIMEDOUT, "Timed out" },
	{ ECONNREFUSED, "Connection refused" },
	{ EHOSTUNREACH, "No route to host" },
	{ EALREADY, "Already done or in progress" },
	{ EDESTADDRREQ, "Destination address required" },
	{ EREMOTEIO, "Remote I/O error" },
	{ EMEDIUMTYPE, "Other medium than before" },
	{ ECANCELED, "Operation canceled" },
	{ EKEYREJECTED, "Memory key was rejected" },
	{ KFI_EOTHER, "Unspecified error" },
	{ KFI_ETOOSMALL, "Buffer is too small" },
	{ KFI_EOPBADSTATE, "Not allowed in this state" },
	{ KFI_EAVAIL, "Error entry available" },
	{ KFI_EBADFLAGS, "Flags not supported" },
	{ KFI_ENOEQ, "No event queue" },
	{ KFI_EDOMAIN, "Objects of different domains" },
	{ KFI_ENOCQ, "No completion queue" },
	{ KFI_ECRC, "Checksum error" },
	{ KFI_ETRUNC, "Message was truncated" },
	{ KFI_ENOKEY, "Memory key not available" },
	{ KFI_ENOAV, "No address vector" },
	{ KFI_EOVERRUN, "Queue was overrun" },
	{ ERESTARTSYS, "Interrupted by a signal" },
	{ }
};

static const struct kfi_name caps[] = {
	KFI_NAME(KFI_MSG), KFI_NAME(KFI_RMA), KFI_NAME(KFI_ATOMIC),
	KFI_NAME(KFI_READ), KFI_NAME(KFI_WRITE), KFI_NAME(KFI_RECV),
	KFI_NAME(KFI_SEND), KFI_NAME(KFI_REMOTE_READ),
	KFI_NAME(KFI_REMOTE_WRITE), KFI_NAME(KFI_RMA_PMEM),
	KFI_NAME(KFI_LOCAL_COMM), KFI_NAME(KFI_REMOTE_COMM),
	{ }
};

static const struct kfi_name op_flags[] = {
	KFI_NAME(KFI_REMOTE_CQ_DATA), KFI_NAME(KFI_MORE), KFI_NAME(KFI_PEEK),
	KFI_NAME(KFI_FENCE), KFI_NAME(KFI_COMPLETION), KFI_NAME(KFI_INJECT),
	KFI_NAME(KFI_INJECT_COMPLETE), KFI_NAME(KFI_TRANSMIT_COMPLETE),
	KFI_NAME(KFI_DELIVERY_COMPLETE), KFI_NAME(KFI_COMMIT_COMPLETE),
	KFI_NAME(KFI_AFFINITY),
	{ }
};

static const struct kfi_name cq_flags[] = {
	KFI_NAME(KFI_MSG), KFI_NAME(KFI_RMA), KFI_NAME(KFI_ATOMIC),
	KFI_NAME(KFI_READ), KFI_NAME(KFI_WRITE), KFI_NAME(KFI_RECV),
	KFI_NAME(KFI_SEND), KFI_NAME(KFI_REMOTE_READ),
	KFI_NAME(KFI_REMOTE_WRITE), KFI_NAME(KFI_REMOTE_CQ_DATA),
	KFI_NAME(KFI_COMPLETION), KFI_NAME(KFI_COMMIT),
	{ }
};

static const struct kfi_name mr_flags[] = {
	KFI_NAME(KFI_RMA_PMEM), KFI_NAME(KFI_UNCACHED),
	{ }
};

static const struct kfi_name commit_methods[] = {
	KFI_NAME(KFI_COMMIT_NONE), KFI_NAME(KFI_COMMIT_SERVER),
	KFI_NAME(KFI_COMMIT_READ), KFI_NAME(KFI_COMMIT_FLUSH),
	{ }
};

static const struct kfi_name pmem_domains[] = {
	KFI_NAME(KFI_PMEM_DOMAIN_UNKNOWN), KFI_NAME(KFI_PMEM_DOMAIN_MEMORY),
	KFI_NAME(KFI_PMEM_DOMAIN_CPU_CACHE),
	{ }
};

static const struct kfi_name modes[] = {
	KFI_NAME(KFI_RX_CQ_DATA),
	{ }
};

static const struct kfi_name mr_modes[] = {
	KFI_NAME(KFI_MR_LOCAL), KFI_NAME(KFI_MR_VIRT_ADDR),
	KFI_NAME(KFI_MR_PROV_KEY),
	{ }
};

static const struct kfi_name orders[] = {
	KFI_NAME(KFI_ORDER_RAR), KFI_NAME(KFI_ORDER_RAW),
	KFI_NAME(KFI_ORDER_RAS), KFI_NAME(KFI_ORDER_WAR),
	KFI_NAME(KFI_ORDER_WAW), KFI_NAME(KFI_ORDER_WAS),
	KFI_NAME(KFI_ORDER_SAR), KFI_NAME(KFI_ORDER_SAW),
	KFI_NAME(KFI_ORDER_SAS), KFI_NAME(KFI_ORDER_DATA),
	{ }
};

static const struct kfi_name ep_types[] = {
	KFI_NAME(KFI_EP_UNSPEC), KFI_NAME(KFI_EP_MSG), KFI_NAME(KFI_EP_DGRAM),
	KFI_NAME(KFI_EP_RDM),
	{ }
};

static const struct kfi_name formats[] = {
	KFI_NAME(KFI_FORMAT_UNSPEC), KFI_NAME(KFI_SOCKADDR),
	KFI_NAME(KFI_SOCKADDR_IN), KFI_NAME(KFI_SOCKADDR_IN6),
	{ }
};

static const struct kfi_name threadings[] = {
	KFI_NAME(KFI_THREAD_UNSPEC), KFI_NAME(KFI_THREAD_SAFE),
	KFI_NAME(KFI_THREAD_FID), KFI_NAME(KFI_THREAD_DOMAIN),
	KFI_NAME(KFI_THREAD_COMPLETION), KFI_NAME(KFI_THREAD_ENDPOINT),
	{ }
};

static const struct kfi_name progresses[] = {
	KFI_NAME(KFI_PROGRESS_UNSPEC), KFI_NAME(KFI_PROGRESS_AUTO),
	KFI_NAME(KFI_PROGRESS_MANUAL),
	{ }
};

static const struct kfi_name protocols[] = {
	KFI_NAME(KFI_PROTO_UNSPEC), KFI_NAME(KFI_PROTO_RDMA_CM_IB_RC),
	KFI_NAME(KFI_PROTO_LOOPBACK),
	{ }
};

static const struct kfi_name av_types[] = {
	KFI_NAME(KFI_AV_UNSPEC), KFI_NAME(KFI_AV_MAP), KFI_NAME(KFI_AV_TABLE),
	{ }
};

static const struct kfi_name datatypes[] = {
	KFI_NAME(KFI_INT8), KFI_NAME(KFI_UINT8), KFI_NAME(KFI_INT16),
	KFI_NAME(KFI_UINT16), KFI_NAME(KFI_INT32), KFI_NAME(KFI_UINT32),
	KFI_NAME(KFI_INT64), KFI_NAME(KFI_UINT64),
	{ }
};

static const struct kfi_name ops[] = {
	KFI_NAME(KFI_SUM), KFI_NAME(KFI_ATOMIC_READ),
	KFI_NAME(KFI_ATOMIC_WRITE), KFI_NAME(KFI_CSWAP),
	{ }
};

static const struct kfi_name events[] = {
	KFI_NAME(KFI_CONNREQ), KFI_NAME(KFI_CONNECTED), KFI_NAME(KFI_SHUTDOWN),
	{ }
};

static const char *find_name(const struct kfi_name *names, u64 value)
{
	for (; names->name; names++)
		if (names->value == value)
			return names->name;
	return NULL;
}

/**
 * kfi_strerror() - say what an error number means
 * @errnum: an error number, positive or negative
 *
 * Context: Any context.
 * Return: a constant string.
 */
const char *kfi_strerror(int errnum)
{
	const char *text;

	if (!errnum)
		return "Success";
	text = find_name(errors, errnum < 0 ? -(s64)errnum : errnum);
	return text ? text : "Unknown error";
}
EXPORT_SYMBOL_GPL(kfi_strerror);

static void put_value(struct seq_buf *s, const struct kfi_name *names, u64 value)
{
	const char *name = find_name(names, value);

	if (name)
		seq_buf_printf(s, "%s", name);
	else
		seq_buf_printf(s, "0x%llx", value);
}

static void put_flags(struct seq_buf *s, const struct kfi_name *names, u64 flags)
{
	const char *comma = "";

	seq_buf_printf(s, "[");
	for (; names->name; names++) {
		if (!(flags & names->value))
			continue;
		flags &= ~names->value;
		seq_buf_printf(s, "%s%s", comma, names->name);
		comma = ", ";
	}
	if (flags)
		seq_buf_printf(s, "%s0x%llx", comma, flags);
	seq_buf_printf(s, "]");
}

static const char *or_none(const char *text)
{
	return text ? text : "(none)";
}

static void put_tx_attr(struct seq_buf *s, const struct kfi_tx_attr *attr)
{
	seq_buf_printf(s, "tx_attr: caps ");
	put_flags(s, caps, attr->caps);
	seq_buf_printf(s, " op_flags ");
	put_flags(s, op_flags, attr->op_flags);
	seq_buf_printf(s, " msg_order ");
	put_flags(s, orders, attr->msg_order);
	seq_buf_printf(s, " inject_size %zu size %zu", attr->inject_size,
		       attr->size);
	seq_buf_printf(s, " iov_limit %zu rma_iov_limit %zu\n",
		       attr->iov_limit, attr->rma_iov_limit);
}

static void put_rx_attr(struct seq_buf *s, const struct kfi_rx_attr *attr)
{
	seq_buf_printf(s, "rx_attr: caps ");
	put_flags(s, caps, attr->caps);
	seq_buf_printf(s, " op_flags ");
	put_flags(s, op_flags, attr->op_flags);
	seq_buf_printf(s, " msg_order ");
	put_flags(s, orders, attr->msg_order);
	seq_buf_printf(s, " size %zu iov_limit %zu\n", attr->size,
		       attr->iov_limit);
}

static void put_ep_attr(struct seq_buf *s, const struct kfi_ep_attr *attr)
{
	seq_buf_printf(s, "ep_attr: type ");
	put_value(s, ep_types, attr->type);
	seq_buf_printf(s, " protocol ");
	put_value(s, protocols, attr->protocol);
	seq_buf_printf(s, " protocol_version %u max_msg_size %zu\n",
		       attr->protocol_version, attr->max_msg_size);
}

static void put_domain_attr(struct seq_buf *s,
			    const struct kfi_domain_attr *attr)
{
	seq_buf_printf(s, "domain_attr: name %s threading ",
		       or_none(attr->name));
	put_value(s, threadings, attr->threading);
	seq_buf_printf(s, " data_progress ");
	put_value(s, progresses, attr->data_progress);
	seq_buf_printf(s, " mr_mode ");
	put_flags(s, mr_modes, (u32)attr->mr_mode);
	seq_buf_printf(s, " mr_key_size %zu cq_data_size %zu",
		       attr->mr_key_size, attr->cq_data_size);
	seq_buf_printf(s, " mr_iov_limit %zu cq_cnt %zu ep_cnt %zu mr_cnt %zu\n",
		       attr->mr_iov_limit, attr->cq_cnt, attr->ep_cnt,
		       attr->mr_cnt);
}

static void put_fabric_attr(struct seq_buf *s,
			    const struct kfi_fabric_attr *attr)
{
	seq_buf_printf(s, "fabric_attr: name %s prov_name %s",
		       or_none(attr->name), or_none(attr->prov_name));
	seq_buf_printf(s, " prov_version %u.%u api_version %u.%u\n",
		       KFI_MAJOR(attr->prov_version),
		       KFI_MINOR(attr->prov_version),
		       KFI_MAJOR(attr->api_version),
		       KFI_MINOR(attr->api_version));
}

static void put_addr(struct seq_buf *s, const char *what, const void *addr,
		     size_t len)
{
	if (kfi_sockaddr_valid(addr, len))
		seq_buf_printf(s, " %s %pISpc", what, addr);
}

static void put_info(struct seq_buf *s, const struct kfi_info *info)
{
	seq_buf_printf(s, "info: caps ");
	put_flags(s, caps, info->caps);
	seq_buf_printf(s, " mode ");
	put_flags(s, modes, info->mode);
	seq_buf_printf(s, " addr_format ");
	put_value(s, formats, info->addr_format);
	put_addr(s, "src_addr", info->src_addr, info->src_addrlen);
	put_addr(s, "dest_addr", info->dest_addr, info->dest_addrlen);
	seq_buf_printf(s, "\n");
	if (info->tx_attr)
		put_tx_attr(s, info->tx_attr);
	if (info->rx_attr)
		put_rx_attr(s, info->rx_attr);
	if (info->ep_attr)
		put_ep_attr(s, info->ep_attr);
	if (info->domain_attr)
		put_domain_attr(s, info->domain_attr);
	if (info->fabric_attr)
		put_fabric_attr(s, info->fabric_attr);
}

static void put_commit_info(struct seq_buf *s,
			    const struct kfi_commit_info *info)
{
	seq_buf_printf(s, "commit: method ");
	put_value(s, commit_methods, info->method);
	seq_buf_printf(s, " domain ");
	put_value(s, pmem_domains, info->domain);
	seq_buf_printf(s, " sync %d max_ranges %u slots %u", info->sync,
		       info->max_ranges, info->slots);
}

/* Attributes; false when @type is not one. */
static bool put_attr(struct seq_buf *s, const void *data, enum kfi_type type)
{
	switch (type) {
	case KFI_TYPE_INFO:
		put_info(s, data);
		return true;
	case KFI_TYPE_TX_ATTR:
		put_tx_attr(s, data);
		return true;
	case KFI_TYPE_RX_ATTR:
		put_rx_attr(s, data);
		return true;
	case KFI_TYPE_EP_ATTR:
		put_ep_attr(s, data);
		return true;
	case KFI_TYPE_DOMAIN_ATTR:
		put_domain_attr(s, data);
		return true;
	case KFI_TYPE_FABRIC_ATTR:
		put_fabric_attr(s, data);
		return true;
	case KFI_TYPE_COMMIT_INFO:
		put_commit_info(s, data);
		return true;
	default:
		return false;
	}
}

static bool put_flag_type(struct seq_buf *s, const void *data,
			  enum kfi_type type)
{
	switch (type) {
	case KFI_TYPE_CAPS:
		put_flags(s, caps, *(const u64 *)data);
		return true;
	case KFI_TYPE_OP_FLAGS:
		put_flags(s, op_flags, *(const u64 *)data);
		return true;
	case KFI_TYPE_CQ_EVENT_FLAGS:
		put_flags(s, cq_flags, *(const u64 *)data);
		return true;
	case KFI_TYPE_MSG_ORDER:
		put_flags(s, orders, *(const u64 *)data);
		return true;
	case KFI_TYPE_MODE:
		put_flags(s, modes, *(const u64 *)data);
		return true;
	case KFI_TYPE_MR_FLAGS:
		put_flags(s, mr_flags, *(const u64 *)data);
		return true;
	case KFI_TYPE_MR_MODE:
		put_flags(s, mr_modes, *(const u32 *)data);
		return true;
	default:
		return false;
	}
}

/* What is left is 32 bits wide: enumerations and their like. */
static void put_enum_type(struct seq_buf *s, const void *data,
			  enum kfi_type type)
{
	static const struct kfi_name * const tables[] = {
		[KFI_TYPE_EP_TYPE]	= ep_types,
		[KFI_TYPE_ADDR_FORMAT]	= formats,
		[KFI_TYPE_THREADING]	= threadings,
		[KFI_TYPE_PROGRESS]	= progresses,
		[KFI_TYPE_PROTOCOL]	= protocols,
		[KFI_TYPE_AV_TYPE]	= av_types,
		[KFI_TYPE_ATOMIC_TYPE]	= datatypes,
		[KFI_TYPE_ATOMIC_OP]	= ops,
		[KFI_TYPE_EQ_EVENT]	= events,
	};

	if ((u32)type < ARRAY_SIZE(tables) && tables[type])
		put_value(s, tables[type], *(const u32 *)data);
	else
		seq_buf_printf(s, "unknown type %d", type);
}

/**
 * kfi_tostr() - print a flag, an attribute or an info
 * @data: what to print
 * @datatype: what it is
 *
 * For messages and debugging: the text is not an interface. A text that is too
 * long is cut.
 *
 * Context: Any context.
 * Return: the text, valid until kfi_tostr() was called 8 more times.
 */
char *kfi_tostr(const void *data, enum kfi_type datatype)
{
	static char strings[KFI_STRINGS][KFI_STRING_SIZE];
	static atomic_t next = ATOMIC_INIT(0);
	unsigned int slot = (unsigned int)atomic_inc_return(&next) % KFI_STRINGS;
	struct seq_buf s;

	seq_buf_init(&s, strings[slot], KFI_STRING_SIZE);
	if (datatype == KFI_TYPE_VERSION)
		seq_buf_printf(&s, "%u.%u", KFI_MAJOR_VERSION,
			       KFI_MINOR_VERSION);
	else if (!put_attr(&s, data, datatype) &&
		 !put_flag_type(&s, data, datatype))
		put_enum_type(&s, data, datatype);
	strings[slot][min_t(size_t, s.len, KFI_STRING_SIZE - 1)] = '\0';
	return strings[slot];
}
EXPORT_SYMBOL_GPL(kfi_tostr);
