// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the kernel tells, and how it is shown.
 */

#include "kfi_info.h"

const struct name caps_names[] = {
	{ KFABRIC_CAPS_MSG, "msg" },
	{ KFABRIC_CAPS_RMA, "rma" },
	{ KFABRIC_CAPS_ATOMIC, "atomic" },
	{ KFABRIC_CAPS_READ, "read" },
	{ KFABRIC_CAPS_WRITE, "write" },
	{ KFABRIC_CAPS_RECV, "recv" },
	{ KFABRIC_CAPS_SEND, "send" },
	{ KFABRIC_CAPS_REMOTE_READ, "remote-read" },
	{ KFABRIC_CAPS_REMOTE_WRITE, "remote-write" },
	{ KFABRIC_CAPS_RMA_PMEM, "rma-pmem" },
	{ KFABRIC_CAPS_LOCAL_COMM, "local-comm" },
	{ KFABRIC_CAPS_REMOTE_COMM, "remote-comm" },
	{ }
};

static const struct name access_names[] = {
	{ KFABRIC_ACCESS_READ, "read" },
	{ KFABRIC_ACCESS_WRITE, "write" },
	{ KFABRIC_ACCESS_RECV, "recv" },
	{ KFABRIC_ACCESS_SEND, "send" },
	{ KFABRIC_ACCESS_REMOTE_READ, "remote-read" },
	{ KFABRIC_ACCESS_REMOTE_WRITE, "remote-write" },
	{ }
};

static const struct name flags_names[] = {
	{ KFABRIC_MR_FLAGS_UNCACHED, "uncached" },
	{ KFABRIC_MR_FLAGS_PMEM, "pmem" },
	{ }
};

const struct name type_names[] = {
	{ KFABRIC_EP_TYPE_MSG, "msg" },
	{ KFABRIC_EP_TYPE_DGRAM, "dgram" },
	{ KFABRIC_EP_TYPE_RDM, "rdm" },
	{ }
};

static const struct name kind_names[] = {
	{ KFABRIC_EP_KIND_RAW, "raw" },
	{ KFABRIC_EP_KIND_COMMIT, "commit" },
	{ KFABRIC_EP_KIND_BOTH, "both" },
	{ }
};

static const struct name state_names[] = {
	{ KFABRIC_EP_STATE_IDLE, "idle" },
	{ KFABRIC_EP_STATE_CONNECTING, "connecting" },
	{ KFABRIC_EP_STATE_CONNECTED, "connected" },
	{ KFABRIC_EP_STATE_DOWN, "down" },
	{ KFABRIC_EP_STATE_REMOVED, "removed" },
	{ }
};

static const struct name method_names[] = {
	{ KFABRIC_COMMIT_METHOD_NONE, "none" },
	{ KFABRIC_COMMIT_METHOD_SERVER, "server" },
	{ KFABRIC_COMMIT_METHOD_READ, "read" },
	{ KFABRIC_COMMIT_METHOD_FLUSH, "flush" },
	{ }
};

static const struct name method_bits[] = {
	{ 1 << KFABRIC_COMMIT_METHOD_SERVER, "server" },
	{ 1 << KFABRIC_COMMIT_METHOD_READ, "read" },
	{ }
};

static const struct name domain_names[] = {
	{ KFABRIC_PMEM_DOMAIN_UNKNOWN, "unknown" },
	{ KFABRIC_PMEM_DOMAIN_MEMORY, "memory" },
	{ KFABRIC_PMEM_DOMAIN_CPU_CACHE, "cpu-cache" },
	{ }
};

/* Provider specific ones have bit 31. */
static const struct name protocol_names[] = {
	{ 1, "rdma-cm-ib-rc" },
	{ 0x80000001, "loopback" },
	{ }
};

const struct field info_fields[] = {
	{ KFABRIC_A_INFO_PROVIDER, "provider", FIELD_STRING },
	{ KFABRIC_A_INFO_FABRIC, "fabric", FIELD_STRING },
	{ KFABRIC_A_INFO_DOMAIN, "domain", FIELD_STRING },
	{ KFABRIC_A_INFO_PROVIDER_VERSION, "version", FIELD_VERSION },
	{ KFABRIC_A_INFO_EP_TYPE, "type", FIELD_ENUM, type_names, "KFI_EP_" },
	{ KFABRIC_A_INFO_PROTOCOL, "protocol", FIELD_ENUM, protocol_names,
	  "KFI_PROTO_" },
	{ KFABRIC_A_INFO_EP_KIND, "kind", FIELD_ENUM, kind_names },
	{ KFABRIC_A_INFO_CAPS, "caps", FIELD_FLAGS, caps_names, "KFI_" },
	{ KFABRIC_A_INFO_COMMIT_METHODS, "commit-methods", FIELD_FLAGS,
	  method_bits, "KFI_COMMIT_" },
	{ KFABRIC_A_INFO_MAX_MSG_SIZE, "max-msg-size", FIELD_UINT },
	{ KFABRIC_A_INFO_INJECT_SIZE, "inject-size", FIELD_UINT },
	{ KFABRIC_A_INFO_TX_SIZE, "tx-size", FIELD_UINT },
	{ KFABRIC_A_INFO_RX_SIZE, "rx-size", FIELD_UINT },
	{ KFABRIC_A_INFO_TX_IOV_LIMIT, "tx-iov-limit", FIELD_UINT },
	{ KFABRIC_A_INFO_RX_IOV_LIMIT, "rx-iov-limit", FIELD_UINT },
	{ KFABRIC_A_INFO_RMA_IOV_LIMIT, "rma-iov-limit", FIELD_UINT },
	{ KFABRIC_A_INFO_MR_IOV_LIMIT, "mr-iov-limit", FIELD_UINT },
	{ KFABRIC_A_INFO_MR_KEY_SIZE, "mr-key-size", FIELD_UINT },
	{ KFABRIC_A_INFO_CQ_DATA_SIZE, "cq-data-size", FIELD_UINT },
	{ KFABRIC_A_INFO_CQ_CNT, "cq-cnt", FIELD_UINT },
	{ KFABRIC_A_INFO_EP_CNT, "ep-cnt", FIELD_UINT },
	{ KFABRIC_A_INFO_MR_CNT, "mr-cnt", FIELD_UINT },
	{ }
};

static const struct field count_fields[] = {
	{ KFABRIC_A_COUNT_OPS, "ops", FIELD_UINT },
	{ KFABRIC_A_COUNT_BYTES, "bytes", FIELD_UINT },
	{ }
};

static const struct field error_fields[] = {
	{ KFABRIC_A_ERRORS_CANCELED, "canceled", FIELD_UINT },
	{ KFABRIC_A_ERRORS_ACCESS, "access", FIELD_UINT },
	{ KFABRIC_A_ERRORS_REMOTE, "remote", FIELD_UINT },
	{ KFABRIC_A_ERRORS_IO, "io", FIELD_UINT },
	{ KFABRIC_A_ERRORS_TIMEDOUT, "timedout", FIELD_UINT },
	{ KFABRIC_A_ERRORS_NOBUFS, "nobufs", FIELD_UINT },
	{ KFABRIC_A_ERRORS_TRUNC, "trunc", FIELD_UINT },
	{ KFABRIC_A_ERRORS_OTHER, "other", FIELD_UINT },
	{ }
};

const struct field stats_fields[] = {
	{ KFABRIC_A_STATS_SEND, "send", FIELD_COUNT, .set = count_fields,
	  .width = 8 },
	{ KFABRIC_A_STATS_RECV, "recv", FIELD_COUNT, .set = count_fields,
	  .width = 8 },
	{ KFABRIC_A_STATS_READ, "read", FIELD_COUNT, .set = count_fields,
	  .width = 8 },
	{ KFABRIC_A_STATS_WRITE, "write", FIELD_COUNT, .set = count_fields,
	  .width = 8 },
	{ KFABRIC_A_STATS_ATOMIC, "atomic", FIELD_COUNT, .set = count_fields,
	  .width = 8 },
	{ KFABRIC_A_STATS_COMMIT, "commit", FIELD_COUNT, .set = count_fields,
	  .width = 8 },
	{ KFABRIC_A_STATS_DATA, "data", FIELD_COUNT, .set = count_fields,
	  .width = 8 },
	{ KFABRIC_A_STATS_DONE, "done", FIELD_UINT, .width = 8 },
	{ KFABRIC_A_STATS_SERVED, "served", FIELD_UINT, .width = 8 },
	{ KFABRIC_A_STATS_SERVED_FAILED, "served-failed", FIELD_UINT },
	{ KFABRIC_A_STATS_TX_FULL, "tx-full", FIELD_UINT },
	{ KFABRIC_A_STATS_SLOTS_FULL, "slots-full", FIELD_UINT },
	{ KFABRIC_A_STATS_RX_FULL, "rx-full", FIELD_UINT },
	{ KFABRIC_A_STATS_ERRORS, "errors", FIELD_NEST, .set = error_fields },
	{ KFABRIC_A_STATS_COMMIT_TIME, "commit-time", FIELD_TIMES },
	{ KFABRIC_A_STATS_PERSIST_TIME, "persist-time", FIELD_TIMES },
	{ }
};

/* With a width where stats -l has a column */
const struct field connections_fields[] = {
	{ KFABRIC_A_CONNECTIONS_MADE, "made", FIELD_UINT, .width = 8 },
	{ KFABRIC_A_CONNECTIONS_ACCEPTED, "accepted", FIELD_UINT, .width = 8 },
	{ KFABRIC_A_CONNECTIONS_REFUSED, "refused", FIELD_UINT, .width = 8 },
	{ KFABRIC_A_CONNECTIONS_TIMEDOUT, "timedout", FIELD_UINT, .width = 8 },
	{ KFABRIC_A_CONNECTIONS_FAILED, "failed", FIELD_UINT, .width = 8 },
	{ KFABRIC_A_CONNECTIONS_REJECTED, "rejected", FIELD_UINT, .width = 8 },
	{ KFABRIC_A_CONNECTIONS_SHUTDOWN, "shutdown", FIELD_UINT, .width = 8 },
	{ KFABRIC_A_CONNECTIONS_BROKEN, "broken", FIELD_UINT, .width = 8 },
	{ }
};

const struct field provider_fields[] = {
	{ KFABRIC_A_PROVIDER_NAME, "name", FIELD_STRING, .width = 9 },
	{ KFABRIC_A_PROVIDER_VERSION, "version", FIELD_VERSION },
	{ KFABRIC_A_PROVIDER_OPEN, "open", FIELD_UINT },
	{ KFABRIC_A_PROVIDER_OPENED, "opened", FIELD_UINT },
	{ KFABRIC_A_PROVIDER_CONNECTIONS, "connections", FIELD_NEST,
	  .set = connections_fields },
	{ KFABRIC_A_PROVIDER_STATS, "stats", FIELD_NEST, .set = stats_fields },
	{ }
};

const struct field endpoint_fields[] = {
	{ KFABRIC_A_ENDPOINT_ID, "id", FIELD_UINT, .width = 6 },
	{ KFABRIC_A_ENDPOINT_PROVIDER, "provider", FIELD_STRING, .width = 9 },
	{ KFABRIC_A_ENDPOINT_DOMAIN, "domain", FIELD_STRING, .width = 8 },
	{ KFABRIC_A_ENDPOINT_STATE, "state", FIELD_ENUM, state_names,
	  .width = 11 },
	{ KFABRIC_A_ENDPOINT_KIND, "kind", FIELD_ENUM, kind_names,
	  .width = 7 },
	{ KFABRIC_A_ENDPOINT_METHOD, "method", FIELD_ENUM, method_names,
	  .width = 7 },
	{ KFABRIC_A_ENDPOINT_LOCAL, "local", FIELD_ADDRESS, .width = 20 },
	{ KFABRIC_A_ENDPOINT_PEER, "peer", FIELD_ADDRESS, .width = 20 },
	{ KFABRIC_A_ENDPOINT_OWNER, "owner", FIELD_STRING, .width = 12 },
	{ KFABRIC_A_ENDPOINT_TX_SIZE, "tx-size", FIELD_UINT },
	{ KFABRIC_A_ENDPOINT_RX_SIZE, "rx-size", FIELD_UINT },
	{ KFABRIC_A_ENDPOINT_ERROR, "error", FIELD_ERROR },
	{ KFABRIC_A_ENDPOINT_FAILURES, "failures", FIELD_UINT },
	{ KFABRIC_A_ENDPOINT_STATS, "stats", FIELD_NEST, .set = stats_fields },
	{ }
};

const struct field queue_fields[] = {
	{ KFABRIC_A_QUEUE_ID, "id", FIELD_UINT, .width = 6 },
	{ KFABRIC_A_QUEUE_PROVIDER, "provider", FIELD_STRING, .width = 9 },
	{ KFABRIC_A_QUEUE_DOMAIN, "domain", FIELD_STRING, .width = 8 },
	{ KFABRIC_A_QUEUE_SIZE, "size", FIELD_UINT, .width = 8 },
	{ KFABRIC_A_QUEUE_RESERVED, "reserved", FIELD_UINT, .width = 8 },
	{ KFABRIC_A_QUEUE_MADE, "made", FIELD_UINT, .width = 12 },
	{ KFABRIC_A_QUEUE_READ, "read", FIELD_UINT, .width = 12 },
	{ KFABRIC_A_QUEUE_OWNER, "owner", FIELD_STRING, .width = 12 },
	{ KFABRIC_A_QUEUE_ERRORS, "errors", FIELD_NEST, .set = error_fields },
	{ }
};

const struct field region_fields[] = {
	{ KFABRIC_A_REGION_ID, "id", FIELD_UINT, .width = 6 },
	{ KFABRIC_A_REGION_PROVIDER, "provider", FIELD_STRING, .width = 9 },
	{ KFABRIC_A_REGION_DOMAIN, "domain", FIELD_STRING, .width = 8 },
	{ KFABRIC_A_REGION_LENGTH, "length", FIELD_UINT, .width = 12 },
	{ KFABRIC_A_REGION_ACCESS, "access", FIELD_FLAGS, access_names,
	  .width = 26 },
	{ KFABRIC_A_REGION_FLAGS, "flags", FIELD_FLAGS, flags_names,
	  .width = 14 },
	{ KFABRIC_A_REGION_HONOURED, "honoured", FIELD_FLAGS, flags_names,
	  .width = 14 },
	{ KFABRIC_A_REGION_MEMDEV, "memdev", FIELD_STRING, .width = 14 },
	{ KFABRIC_A_REGION_DEAD, "dead", FIELD_FLAG, .width = 5 },
	{ KFABRIC_A_REGION_OWNER, "owner", FIELD_STRING, .width = 12 },
	{ }
};

const struct field memdev_fields[] = {
	{ KFABRIC_A_MEMDEV_NAME, "name", FIELD_STRING, .width = 20 },
	{ KFABRIC_A_MEMDEV_DRIVER, "driver", FIELD_STRING, .width = 8 },
	{ KFABRIC_A_MEMDEV_LENGTH, "length", FIELD_UINT, .width = 12 },
	{ KFABRIC_A_MEMDEV_DOMAIN, "domain", FIELD_ENUM, domain_names,
	  .width = 10 },
	{ KFABRIC_A_MEMDEV_SYNC, "sync", FIELD_BOOL, .width = 5 },
	{ KFABRIC_A_MEMDEV_REGIONS, "regions", FIELD_UINT, .width = 8 },
	{ KFABRIC_A_MEMDEV_DEAD, "dead", FIELD_FLAG, .width = 5 },
	{ KFABRIC_A_MEMDEV_INCARNATION, "incarnation", FIELD_UINT },
	{ KFABRIC_A_MEMDEV_PERSIST_FAILED, "persist-failed", FIELD_UINT },
	{ KFABRIC_A_MEMDEV_PERSIST_TIME, "persist-time", FIELD_TIMES },
	{ }
};
