// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kfi_blk_wire: the messages between client and target, and whether they make
 * sense. All that is parsed comes from a peer that is not to be trusted.
 */

#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "wire.h"

/**
 * kfb_name_valid() - whether a name can be that of an export or of a client
 * @name: the name, without a zero at its end if it has KFB_NAME_LEN bytes
 * @len: bytes to look at
 *
 * Context: Any context.
 * Return: true for 1 to 63 printable characters of ASCII without space and '/', and
 * not beginning with a '.'.
 */
bool kfb_name_valid(const char *name, size_t len)
{
	size_t used = strnlen(name, len), i;

	if (!used || used >= KFB_NAME_LEN || name[0] == '.')
		return false;
	for (i = 0; i < used; i++)
		if (!isascii(name[i]) || !isgraph(name[i]) || name[i] == '/')
			return false;
	return true;
}
EXPORT_SYMBOL_GPL(kfb_name_valid);

/* A name in a message fills its field with zeroes. */
static bool kfb_wire_name_valid(const char *name)
{
	return kfb_name_valid(name, KFB_NAME_LEN) &&
	       !memchr_inv(name + strnlen(name, KFB_NAME_LEN), 0,
			   KFB_NAME_LEN - strnlen(name, KFB_NAME_LEN));
}

/**
 * kfb_wire_type() - which message something is
 * @msg: what was received
 * @len: bytes of it
 * @type: where its type is returned
 * @said: where the status in it is returned
 *
 * Context: Any context.
 * Return: KFB_OK; KFB_MALFORMED; KFB_VERSION, with @type and @said set, because they
 * are the same in every version.
 */
enum kfb_status kfb_wire_type(const void *msg, size_t len, enum kfb_type *type,
			      enum kfb_status *said)
{
	struct kfb_wire_header header;

	if (len < sizeof(header))
		return KFB_MALFORMED;
	memcpy(&header, msg, sizeof(header));
	if (be32_to_cpu(header.magic) != KFB_WIRE_MAGIC ||
	    header.type < KFB_HELLO || header.type > KFB_REFUSAL ||
	    header.status >= KFB_STATUSES)
		return KFB_MALFORMED;
	*type = header.type;
	*said = header.status;
	if (be16_to_cpu(header.version) != KFB_WIRE_VERSION)
		return KFB_VERSION;
	return KFB_OK;
}
EXPORT_SYMBOL_GPL(kfb_wire_type);

/**
 * kfb_wire_put_header() - write the header of a message
 * @header: where it goes
 * @type: type of the message
 * @status: status in it
 *
 * Context: Any context.
 */
void kfb_wire_put_header(struct kfb_wire_header *header, enum kfb_type type,
			 enum kfb_status status)
{
	*header = (struct kfb_wire_header) {
		.magic = cpu_to_be32(KFB_WIRE_MAGIC),
		.version = cpu_to_be16(KFB_WIRE_VERSION),
		.type = type,
		.status = status,
	};
}
EXPORT_SYMBOL_GPL(kfb_wire_put_header);

/* Whether @msg is @wanted, and of @size bytes. */
static enum kfb_status kfb_wire_expect(const void *msg, size_t len,
				       enum kfb_type wanted, size_t size)
{
	enum kfb_status status, said;
	enum kfb_type type;

	status = kfb_wire_type(msg, len, &type, &said);
	if (status)
		return status;
	if (said)
		return type == wanted ? said : KFB_MALFORMED;
	return type == wanted && len == size ? KFB_OK : KFB_MALFORMED;
}

static bool kfb_keep_alive_valid(u32 ms)
{
	return ms >= KFB_MIN_KEEP_ALIVE && ms <= KFB_MAX_KEEP_ALIVE;
}

/**
 * kfb_wire_parse_hello() - read a hello
 * @msg: what was received
 * @len: bytes of it
 * @hello: where it is returned
 *
 * Context: Any context.
 * Return: KFB_OK, or what the client is to be told: KFB_VERSION, KFB_MALFORMED.
 */
enum kfb_status kfb_wire_parse_hello(const void *msg, size_t len,
				     struct kfb_hello *hello)
{
	struct kfb_wire_hello wire;
	enum kfb_status status;
	unsigned int flags;

	status = kfb_wire_expect(msg, len, KFB_HELLO, sizeof(wire));
	if (status)
		return status == KFB_VERSION ? status : KFB_MALFORMED;
	memcpy(&wire, msg, sizeof(wire));
	hello->keep_alive_ms = be32_to_cpu(wire.keep_alive_ms);
	hello->nr_queues = be16_to_cpu(wire.nr_queues);
	flags = be16_to_cpu(wire.flags);
	if (!kfb_keep_alive_valid(hello->keep_alive_ms) ||
	    !hello->nr_queues || hello->nr_queues > KFB_MAX_QUEUES ||
	    flags & ~KFB_FLAG_READ_ONLY || uuid_is_null(&wire.instance) ||
	    !kfb_wire_name_valid(wire.export) ||
	    !kfb_wire_name_valid(wire.client))
		return KFB_MALFORMED;
	hello->read_only = flags & KFB_FLAG_READ_ONLY;
	uuid_copy(&hello->instance, &wire.instance);
	memcpy(hello->export, wire.export, KFB_NAME_LEN);
	memcpy(hello->client, wire.client, KFB_NAME_LEN);
	return KFB_OK;
}
EXPORT_SYMBOL_GPL(kfb_wire_parse_hello);

/**
 * kfb_wire_put_hello() - write a hello
 * @msg: where it goes
 * @hello: what it says; the names are valid
 *
 * Context: Any context.
 */
void kfb_wire_put_hello(struct kfb_wire_hello *msg,
			const struct kfb_hello *hello)
{
	memset(msg, 0, sizeof(*msg));
	kfb_wire_put_header(&msg->header, KFB_HELLO, KFB_OK);
	uuid_copy(&msg->instance, &hello->instance);
	msg->keep_alive_ms = cpu_to_be32(hello->keep_alive_ms);
	msg->nr_queues = cpu_to_be16(hello->nr_queues);
	if (hello->read_only)
		msg->flags = cpu_to_be16(KFB_FLAG_READ_ONLY);
	strscpy_pad(msg->export, hello->export, sizeof(msg->export));
	strscpy_pad(msg->client, hello->client, sizeof(msg->client));
}
EXPORT_SYMBOL_GPL(kfb_wire_put_hello);

static bool kfb_welcome_valid(const struct kfb_welcome *w)
{
	if (w->block_size != SZ_512 && w->block_size != SZ_4K)
		return false;
	if (!w->size || w->size > KFB_MAX_SIZE || w->size % w->block_size)
		return false;
	if (!is_power_of_2(w->region_size) ||
	    w->region_size < KFB_MIN_REGION || w->region_size > KFB_MAX_REGION)
		return false;
	return w->nr_regions <= KFB_MAX_REGIONS &&
	       w->nr_regions == DIV_ROUND_UP_ULL(w->size, w->region_size) &&
	       w->nr_queues && w->nr_queues <= KFB_MAX_QUEUES &&
	       kfb_keep_alive_valid(w->keep_alive_ms);
}

/**
 * kfb_wire_parse_welcome() - read a welcome
 * @msg: what was received
 * @len: bytes of it
 * @welcome: where it is returned
 *
 * That nr_queues is not more than the client wanted is for the caller to see.
 *
 * Context: Any context.
 * Return: KFB_OK; what the target says why there is no session; KFB_VERSION or
 * KFB_MALFORMED, also when it is the client who says so.
 */
enum kfb_status kfb_wire_parse_welcome(const void *msg, size_t len,
				       struct kfb_welcome *welcome)
{
	struct kfb_wire_welcome wire;
	enum kfb_status status;
	unsigned int flags;

	status = kfb_wire_expect(msg, len, KFB_WELCOME, sizeof(wire));
	if (status)
		return status;
	memcpy(&wire, msg, sizeof(wire));
	flags = be16_to_cpu(wire.flags);
	*welcome = (struct kfb_welcome) {
		.token = be64_to_cpu(wire.token),
		.size = be64_to_cpu(wire.size),
		.incarnation = be64_to_cpu(wire.incarnation),
		.region_size = be32_to_cpu(wire.region_size),
		.block_size = be32_to_cpu(wire.block_size),
		.nr_regions = be32_to_cpu(wire.nr_regions),
		.keep_alive_ms = be32_to_cpu(wire.keep_alive_ms),
		.nr_queues = be16_to_cpu(wire.nr_queues),
		.read_only = flags & KFB_FLAG_READ_ONLY,
	};
	if (flags & ~KFB_FLAG_READ_ONLY || wire.reserved ||
	    !kfb_welcome_valid(welcome))
		return KFB_MALFORMED;
	return KFB_OK;
}
EXPORT_SYMBOL_GPL(kfb_wire_parse_welcome);

/**
 * kfb_wire_put_welcome() - write a welcome to a session
 * @msg: where it goes
 * @welcome: what it says
 *
 * One that refuses is a header with a status, and zeroes behind it.
 *
 * Context: Any context.
 */
void kfb_wire_put_welcome(struct kfb_wire_welcome *msg,
			  const struct kfb_welcome *welcome)
{
	memset(msg, 0, sizeof(*msg));
	kfb_wire_put_header(&msg->header, KFB_WELCOME, KFB_OK);
	msg->token = cpu_to_be64(welcome->token);
	msg->size = cpu_to_be64(welcome->size);
	msg->incarnation = cpu_to_be64(welcome->incarnation);
	msg->region_size = cpu_to_be32(welcome->region_size);
	msg->block_size = cpu_to_be32(welcome->block_size);
	msg->nr_regions = cpu_to_be32(welcome->nr_regions);
	msg->keep_alive_ms = cpu_to_be32(welcome->keep_alive_ms);
	msg->nr_queues = cpu_to_be16(welcome->nr_queues);
	if (welcome->read_only)
		msg->flags = cpu_to_be16(KFB_FLAG_READ_ONLY);
}
EXPORT_SYMBOL_GPL(kfb_wire_put_welcome);

/* Bytes of a message with @count regions */
static size_t kfb_wire_regions_size(u32 count)
{
	return sizeof(struct kfb_wire_regions) +
	       count * sizeof(struct kfb_wire_region);
}

/**
 * kfb_wire_parse_regions() - read a part of the table of regions
 * @msg: what was received
 * @len: bytes of it
 * @welcome: the session
 * @first: number of the region that has to come next
 * @regions: the whole table, of nr_regions entries; those in the message are filled
 *	in
 * @count: where their number is returned
 *
 * Context: Any context.
 * Return: KFB_OK, KFB_VERSION, KFB_MALFORMED; then the table is as it was.
 */
enum kfb_status kfb_wire_parse_regions(const void *msg, size_t len,
				       const struct kfb_welcome *welcome,
				       u32 first, struct kfb_region *regions,
				       u32 *count)
{
	const struct kfb_wire_regions *wire = msg;
	enum kfb_status status;
	u32 nr, i;
	u64 end;

	if (len < sizeof(*wire))
		return KFB_MALFORMED;
	nr = be32_to_cpu(wire->count);
	if (!nr || nr > KFB_REGIONS_MAX)
		return KFB_MALFORMED;
	status = kfb_wire_expect(msg, len, KFB_REGIONS,
				 kfb_wire_regions_size(nr));
	if (status)
		return status == KFB_VERSION ? status : KFB_MALFORMED;
	if (be32_to_cpu(wire->first) != first ||
	    first > welcome->nr_regions || nr > welcome->nr_regions - first)
		return KFB_MALFORMED;
	for (i = 0; i < nr; i++)
		if (check_add_overflow(be64_to_cpu(wire->regions[i].addr),
				       kfb_region_len(welcome, first + i),
				       &end))
			return KFB_MALFORMED;
	for (i = 0; i < nr; i++)
		regions[first + i] = (struct kfb_region) {
			.addr = be64_to_cpu(wire->regions[i].addr),
			.key = be64_to_cpu(wire->regions[i].key),
		};
	*count = nr;
	return KFB_OK;
}
EXPORT_SYMBOL_GPL(kfb_wire_parse_regions);

/**
 * kfb_wire_put_regions() - write a part of the table of regions
 * @msg: where it goes, KFB_WIRE_MAX bytes
 * @first: number of the first region
 * @count: how many, at most KFB_REGIONS_MAX
 * @regions: the whole table
 *
 * Context: Any context.
 * Return: bytes of the message.
 */
size_t kfb_wire_put_regions(struct kfb_wire_regions *msg, u32 first, u32 count,
			    const struct kfb_region *regions)
{
	u32 i;

	kfb_wire_put_header(&msg->header, KFB_REGIONS, KFB_OK);
	msg->first = cpu_to_be32(first);
	msg->count = cpu_to_be32(count);
	for (i = 0; i < count; i++)
		msg->regions[i] = (struct kfb_wire_region) {
			.addr = cpu_to_be64(regions[first + i].addr),
			.key = cpu_to_be64(regions[first + i].key),
		};
	return kfb_wire_regions_size(count);
}
EXPORT_SYMBOL_GPL(kfb_wire_put_regions);

/**
 * kfb_wire_parse_queue() - read a request to connect a queue
 * @data: private data of the connection request, which the CM pads
 * @len: bytes of it
 * @queue: where it is returned
 *
 * Context: Any context.
 * Return: KFB_OK, or what the client is to be told: KFB_VERSION, KFB_MALFORMED.
 */
enum kfb_status kfb_wire_parse_queue(const void *data, size_t len,
				     struct kfb_queue *queue)
{
	struct kfb_wire_queue wire;

	if (len < sizeof(wire))
		return KFB_MALFORMED;
	memcpy(&wire, data, sizeof(wire));
	if (be32_to_cpu(wire.magic) != KFB_WIRE_MAGIC)
		return KFB_MALFORMED;
	if (be16_to_cpu(wire.version) != KFB_WIRE_VERSION)
		return KFB_VERSION;
	queue->queue = be16_to_cpu(wire.queue);
	queue->token = be64_to_cpu(wire.token);
	return queue->queue < KFB_MAX_QUEUES ? KFB_OK : KFB_MALFORMED;
}
EXPORT_SYMBOL_GPL(kfb_wire_parse_queue);

/**
 * kfb_wire_put_queue() - write a request to connect a queue
 * @data: where it goes
 * @queue: what it says
 *
 * Context: Any context.
 */
void kfb_wire_put_queue(struct kfb_wire_queue *data,
			const struct kfb_queue *queue)
{
	*data = (struct kfb_wire_queue) {
		.magic = cpu_to_be32(KFB_WIRE_MAGIC),
		.version = cpu_to_be16(KFB_WIRE_VERSION),
		.queue = cpu_to_be16(queue->queue),
		.token = cpu_to_be64(queue->token),
	};
}
EXPORT_SYMBOL_GPL(kfb_wire_put_queue);

static const struct {
	const char	*text;
	int		err;
} kfb_statuses[KFB_STATUSES] = {
	[KFB_OK]		= { "no error", 0 },
	[KFB_VERSION]		= { "version not spoken", EPROTONOSUPPORT },
	[KFB_MALFORMED]		= { "malformed message", EPROTO },
	[KFB_NO_EXPORT]		= { "no such export", ENOENT },
	[KFB_DENIED]		= { "client not allowed", EACCES },
	[KFB_BUSY]		= { "another client has it", EBUSY },
	[KFB_READ_ONLY]		= { "export is read-only", EROFS },
	[KFB_NO_RESOURCES]	= { "out of resources", ENOSPC },
	[KFB_DEVICE]		= { "memory device failed or gone", ENODEV },
	[KFB_TOO_LARGE]		= { "too many regions", EFBIG },
	[KFB_NO_SESSION]	= { "no such session", ESTALE },
	[KFB_BAD_QUEUE]		= { "no such queue", EINVAL },
	[KFB_SHUTDOWN]		= { "disabled at the target", ESHUTDOWN },
	[KFB_REPLACED]		= { "client has a new session", EREMCHG },
	[KFB_TIMEOUT]		= { "nothing heard for too long", ETIMEDOUT },
	[KFB_RESTART]		= { "device has changed", EAGAIN },
};

/**
 * kfb_status_str() - a status in words
 * @status: the status
 *
 * Context: Any context.
 * Return: the text.
 */
const char *kfb_status_str(enum kfb_status status)
{
	return status < KFB_STATUSES ? kfb_statuses[status].text :
				       "unknown status";
}
EXPORT_SYMBOL_GPL(kfb_status_str);

/**
 * kfb_status_errno() - what a user is told when the target refuses
 * @status: the status
 *
 * Context: Any context.
 * Return: 0 for KFB_OK, a negative errno otherwise.
 */
int kfb_status_errno(enum kfb_status status)
{
	return status < KFB_STATUSES ? -kfb_statuses[status].err : -EPROTO;
}
EXPORT_SYMBOL_GPL(kfb_status_errno);

MODULE_DESCRIPTION("Messages of remote persistent block devices");
MODULE_LICENSE("Dual BSD/GPL");
