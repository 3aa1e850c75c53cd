/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a client of a remote persistent block device and its target say to each
 * other. Documentation/blk-wire.rst describes it for those who write another one.
 *
 * A session has one control connection, on a raw endpoint, which the messages here
 * are SENDs of, and one connection for each queue, on a commit endpoint, on which
 * there are no messages at all: reads, writes and commits of the target's regions.
 * All numbers are big-endian; reserved bytes are sent as 0.
 */

#ifndef KFB_WIRE_H
#define KFB_WIRE_H

#include <linux/build_bug.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <linux/uuid.h>

#define KFB_WIRE_MAGIC		0x6b666962	/* "kfib" */
#define KFB_WIRE_VERSION	1

/* Bytes of a name and the zero behind it */
#define KFB_NAME_LEN		64
#define KFB_MAX_QUEUES		1024
#define KFB_MAX_SIZE		(64ULL * SZ_1G)
#define KFB_MIN_REGION		SZ_64K
#define KFB_MAX_REGION		SZ_128M
#define KFB_MAX_REGIONS		4096
#define KFB_MIN_KEEP_ALIVE	1000
#define KFB_MAX_KEEP_ALIVE	600000

/**
 * enum kfb_type - messages
 * @KFB_HELLO: client: who it is and what it wants
 * @KFB_WELCOME: target: what it gets, or, with a status, why it does not
 * @KFB_REGIONS: target: a part of the table of regions; all follow the welcome, in
 *	order
 * @KFB_KEEP_ALIVE: client: it is there. Sent so often that the target hears of it
 *	several times within the keep-alive timeout
 * @KFB_BYE: either: the session ends, and why
 * @KFB_REFUSAL: target: body of the reject of a connection for a queue
 */
enum kfb_type {
	KFB_HELLO = 1,
	KFB_WELCOME,
	KFB_REGIONS,
	KFB_KEEP_ALIVE,
	KFB_BYE,
	KFB_REFUSAL,
};

/**
 * enum kfb_status - why something is refused, or ends
 * @KFB_OK: it is not; of a KFB_BYE: nobody needs the session any more
 * @KFB_VERSION: the version is not spoken here
 * @KFB_MALFORMED: the message makes no sense
 * @KFB_NO_EXPORT: there is no such export on that port, or it is not enabled
 * @KFB_DENIED: the client is not among those that are allowed
 * @KFB_BUSY: another client has the export
 * @KFB_READ_ONLY: the export cannot be written to, and the client wants to
 * @KFB_NO_RESOURCES: the target has no memory for it, or the device no regions
 * @KFB_DEVICE: the memory device behind the export has failed or is gone
 * @KFB_TOO_LARGE: the export needs more regions than the table can have
 * @KFB_NO_SESSION: there is no session with that token
 * @KFB_BAD_QUEUE: there is no such queue in the session, or it is connected already
 * @KFB_SHUTDOWN: the export or the port was disabled
 * @KFB_REPLACED: the same client has begun another session
 * @KFB_TIMEOUT: nothing was heard of the peer for too long
 * @KFB_RESTART: size or incarnation have changed: the client is to connect again
 * @KFB_STATUSES: how many there are
 */
enum kfb_status {
	KFB_OK,
	KFB_VERSION,
	KFB_MALFORMED,
	KFB_NO_EXPORT,
	KFB_DENIED,
	KFB_BUSY,
	KFB_READ_ONLY,
	KFB_NO_RESOURCES,
	KFB_DEVICE,
	KFB_TOO_LARGE,
	KFB_NO_SESSION,
	KFB_BAD_QUEUE,
	KFB_SHUTDOWN,
	KFB_REPLACED,
	KFB_TIMEOUT,
	KFB_RESTART,
	KFB_STATUSES,
};

/* Of a hello: the client will not write. Of a welcome: it cannot. */
#define KFB_FLAG_READ_ONLY	BIT(0)

/**
 * struct kfb_wire_header - begins every message, in every version
 * @magic: KFB_WIRE_MAGIC
 * @version: the sender's; of a refusal for KFB_VERSION: the one that it speaks
 * @type: &enum kfb_type
 * @status: &enum kfb_status; 0 in messages of a client but KFB_BYE
 */
struct kfb_wire_header {
	__be32	magic;
	__be16	version;
	u8	type;
	u8	status;
};

static_assert(sizeof(struct kfb_wire_header) == 8);

/**
 * struct kfb_wire_hello - KFB_HELLO
 * @header: header
 * @instance: of the client's device; chosen anew each time that it is made, and
 *	the same whenever it reconnects
 * @keep_alive_ms: KFB_MIN_KEEP_ALIVE to KFB_MAX_KEEP_ALIVE: the session is over when
 *	the target hears nothing for so long
 * @nr_queues: queues that the client wants, 1 to KFB_MAX_QUEUES
 * @flags: KFB_FLAG_READ_ONLY
 * @export: name of the export, zeroes behind it
 * @client: name of the client, zeroes behind it
 */
struct kfb_wire_hello {
	struct kfb_wire_header	header;
	uuid_t			instance;
	__be32			keep_alive_ms;
	__be16			nr_queues;
	__be16			flags;
	char			export[KFB_NAME_LEN];
	char			client[KFB_NAME_LEN];
};

static_assert(sizeof(struct kfb_wire_hello) == 160);

/**
 * struct kfb_wire_welcome - KFB_WELCOME
 * @header: header; all that follows is 0 unless its status is KFB_OK
 * @token: what the connections for queues name the session by; random
 * @size: bytes of the device, a multiple of @block_size, at most KFB_MAX_SIZE
 * @incarnation: another number when data that was not committed may be lost
 * @region_size: bytes of each region, of the last one at most; a power of two,
 *	KFB_MIN_REGION to KFB_MAX_REGION
 * @block_size: bytes of a logical block, 512 or 4096
 * @nr_regions: regions that the table will have: what @size takes, at most
 *	KFB_MAX_REGIONS
 * @keep_alive_ms: the timeout that holds
 * @nr_queues: queues that the client may connect, 1 to what it wanted
 * @flags: KFB_FLAG_READ_ONLY
 * @reserved: 0
 */
struct kfb_wire_welcome {
	struct kfb_wire_header	header;
	__be64			token;
	__be64			size;
	__be64			incarnation;
	__be32			region_size;
	__be32			block_size;
	__be32			nr_regions;
	__be32			keep_alive_ms;
	__be16			nr_queues;
	__be16			flags;
	__be32			reserved;
};

static_assert(sizeof(struct kfb_wire_welcome) == 56);

/**
 * struct kfb_wire_region - one region
 * @addr: its first address
 * @key: its key
 */
struct kfb_wire_region {
	__be64	addr;
	__be64	key;
};

/* Regions that one message tells of */
#define KFB_REGIONS_MAX		240

/**
 * struct kfb_wire_regions - KFB_REGIONS
 * @header: header
 * @first: number of the first region in it, counted from 0
 * @count: how many, 1 to KFB_REGIONS_MAX
 * @regions: the regions
 */
struct kfb_wire_regions {
	struct kfb_wire_header	header;
	__be32			first;
	__be32			count;
	struct kfb_wire_region	regions[];
};

static_assert(sizeof(struct kfb_wire_regions) == 16);

/* Bytes of the largest message, and so of every receive for one */
#define KFB_WIRE_MAX \
	(sizeof(struct kfb_wire_regions) + \
	 KFB_REGIONS_MAX * sizeof(struct kfb_wire_region))

/**
 * struct kfb_wire_queue - private data of the request to connect a queue
 * @magic: KFB_WIRE_MAGIC
 * @version: KFB_WIRE_VERSION
 * @queue: its number, less than nr_queues of the welcome
 * @token: of the session
 */
struct kfb_wire_queue {
	__be32	magic;
	__be16	version;
	__be16	queue;
	__be64	token;
};

static_assert(sizeof(struct kfb_wire_queue) == 16);

/**
 * struct kfb_hello - a hello that was checked, or is to be sent
 * @instance: see &struct kfb_wire_hello
 * @keep_alive_ms: see there
 * @nr_queues: see there
 * @read_only: KFB_FLAG_READ_ONLY is set
 * @export: name of the export
 * @client: name of the client
 */
struct kfb_hello {
	uuid_t		instance;
	unsigned int	keep_alive_ms;
	unsigned int	nr_queues;
	bool		read_only;
	char		export[KFB_NAME_LEN];
	char		client[KFB_NAME_LEN];
};

/**
 * struct kfb_welcome - a welcome that was checked, or is to be sent
 * @token: see &struct kfb_wire_welcome
 * @size: see there
 * @incarnation: see there
 * @region_size: see there
 * @block_size: see there
 * @nr_regions: see there
 * @keep_alive_ms: see there
 * @nr_queues: see there
 * @read_only: KFB_FLAG_READ_ONLY is set
 */
struct kfb_welcome {
	u64		token;
	u64		size;
	u64		incarnation;
	u32		region_size;
	u32		block_size;
	u32		nr_regions;
	unsigned int	keep_alive_ms;
	unsigned int	nr_queues;
	bool		read_only;
};

/**
 * struct kfb_region - one region
 * @addr: its first address
 * @key: its key
 */
struct kfb_region {
	u64	addr;
	u64	key;
};

/**
 * struct kfb_queue - a request to connect a queue, that was checked
 * @token: of the session
 * @queue: number of the queue
 */
struct kfb_queue {
	u64		token;
	unsigned int	queue;
};

/**
 * kfb_region_len() - bytes of one region
 * @welcome: the session
 * @index: the region's number
 *
 * Context: Any context.
 * Return: region_size, and what is left for the last one.
 */
static inline u64 kfb_region_len(const struct kfb_welcome *welcome, u32 index)
{
	u64 start = (u64)index * welcome->region_size;

	if (start >= welcome->size)
		return 0;
	return welcome->size - start < welcome->region_size ?
		welcome->size - start : welcome->region_size;
}

bool kfb_name_valid(const char *name, size_t len);

enum kfb_status kfb_wire_type(const void *msg, size_t len, enum kfb_type *type,
			      enum kfb_status *said);
void kfb_wire_put_header(struct kfb_wire_header *header, enum kfb_type type,
			 enum kfb_status status);

enum kfb_status kfb_wire_parse_hello(const void *msg, size_t len,
				     struct kfb_hello *hello);
void kfb_wire_put_hello(struct kfb_wire_hello *msg,
			const struct kfb_hello *hello);

enum kfb_status kfb_wire_parse_welcome(const void *msg, size_t len,
				       struct kfb_welcome *welcome);
void kfb_wire_put_welcome(struct kfb_wire_welcome *msg,
			  const struct kfb_welcome *welcome);

enum kfb_status kfb_wire_parse_regions(const void *msg, size_t len,
				       const struct kfb_welcome *welcome,
				       u32 first, struct kfb_region *regions,
				       u32 *count);
size_t kfb_wire_put_regions(struct kfb_wire_regions *msg, u32 first, u32 count,
			    const struct kfb_region *regions);

enum kfb_status kfb_wire_parse_queue(const void *data, size_t len,
				     struct kfb_queue *queue);
void kfb_wire_put_queue(struct kfb_wire_queue *data,
			const struct kfb_queue *queue);

const char *kfb_status_str(enum kfb_status status);
int kfb_status_errno(enum kfb_status status);

#endif /* KFB_WIRE_H */
