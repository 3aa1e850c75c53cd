/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The client of remote persistent block devices: a disk of which each hardware
 * queue is an endpoint, and what happens when the connection breaks.
 */

#ifndef KFB_BLK_H
#define KFB_BLK_H

#include <linux/bitmap.h>
#include <linux/blk-mq.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/uuid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <kfi_endpoint.h>
#include <kfi_rma.h>

#include "../wire.h"
#include "log.h"

#define KFB_API_VERSION		KFI_VERSION(1, 7)

/* Bytes of a request, and segments of it */
#define KFB_MAX_IO		SZ_1M
#define KFB_MAX_SEGMENTS	256U
/* Receives for what the target says: far more than it has to say */
#define KFB_RECEIVES		32
/* Commits of a flush that a queue has under way, and ranges of each */
#define KFB_FLUSH_WINDOW	8U
#define KFB_FLUSH_RANGES	16U

struct kfb_dev;

/**
 * struct kfb_config - what a user asks for
 * @provider: name of the provider
 * @addr: the target's address
 * @service: and port number
 * @export: name of the export
 * @client: name that the target knows this client by
 * @queues: hardware queues, 0 for one for each processor
 * @poll_queues: and so many that are polled
 * @queue_depth: requests of each that can be outstanding
 * @writethrough: every write is a commit
 * @read_only: nothing will be written
 * @reconnect_delay: seconds between attempts to connect again
 * @fast_io_fail: seconds without a connection after which requests fail, or 0
 * @ctrl_loss: seconds without a connection after which the disk is dead
 * @keep_alive_ms: milliseconds after which the target misses the client
 *
 * The four timeouts can change at any time, the rest while there is no device.
 */
struct kfb_config {
	char		provider[KFB_NAME_LEN];
	char		addr[KFB_NAME_LEN];
	char		service[KFB_NAME_LEN];
	char		export[KFB_NAME_LEN];
	char		client[KFB_NAME_LEN];
	unsigned int	queues;
	unsigned int	poll_queues;
	unsigned int	queue_depth;
	bool		writethrough;
	bool		read_only;
	unsigned int	reconnect_delay;
	unsigned int	fast_io_fail;
	unsigned int	ctrl_loss;
	unsigned int	keep_alive_ms;
};

/**
 * enum kfb_state - what a device is doing, see recover.c
 * @KFB_STATE_CONNECTING: there is no disk yet
 * @KFB_STATE_LIVE: requests are carried out
 * @KFB_STATE_RECONNECTING: the connection broke; requests wait
 * @KFB_STATE_FAILING: the same for too long; requests fail
 * @KFB_STATE_DEAD: given up; only removal is left
 * @KFB_STATE_REMOVING: being removed, without a connection
 */
enum kfb_state {
	KFB_STATE_CONNECTING,
	KFB_STATE_LIVE,
	KFB_STATE_RECONNECTING,
	KFB_STATE_FAILING,
	KFB_STATE_DEAD,
	KFB_STATE_REMOVING,
};

/**
 * enum kfb_phase - what the target has to say next
 * @KFB_PHASE_WELCOME: a welcome
 * @KFB_PHASE_REGIONS: the rest of the table of regions
 * @KFB_PHASE_READY: nothing, unless that it is over
 */
enum kfb_phase {
	KFB_PHASE_WELCOME,
	KFB_PHASE_REGIONS,
	KFB_PHASE_READY,
};

/**
 * struct kfb_session - a session with the target
 * @err: what is wrong with it; under &kfb_dev.lock
 * @reason: what the target said of it, or what was wrong with that, or KFB_OK
 * @complaint: the latter
 * @connected: the control connection is there
 * @nr_connected: queues that are connected
 * @said_bye: so the target knows that this is the end
 * @phase: of the handshake; belongs to the handler of @cq, as what follows up to
 *	@nr_regions does until it is KFB_PHASE_READY
 * @welcome: what the target grants
 * @nr_regions: regions that it has told of
 * @rma: what the endpoints of queues are made of
 * @fabric: the fabric
 * @eq: events of all endpoints
 * @domain: the domain
 * @cq: completions of @ep
 * @ep: the control connection
 * @hello: on its way to the target
 * @bye: the same
 */
struct kfb_session {
	int			err;
	enum kfb_status		reason;
	enum kfb_status		complaint;
	bool			connected;
	unsigned int		nr_connected;
	bool			said_bye;
	enum kfb_phase		phase;
	struct kfb_welcome	welcome;
	u32			nr_regions;
	struct kfi_info		*rma;
	struct kfid_fabric	*fabric;
	struct kfid_eq		*eq;
	struct kfid_domain	*domain;
	struct kfid_cq		*cq;
	struct kfid_ep		*ep;
	struct kfb_wire_hello	hello;
	struct kfb_wire_header	bye;
};

#define KFB_LATENCIES	24

/**
 * struct kfb_stats - what a queue has done, of one processor
 * @reads: reads
 * @writes: writes, of zeroes too
 * @read_bytes: bytes of @reads
 * @write_bytes: bytes of @writes
 * @commits: commits, of writes and of flushes
 * @flushes: flushes
 * @reconnects: how often it was connected again
 * @lost_ranges: ranges that were written and lost
 * @lost_bytes: and their bytes
 * @latency: requests by their duration: number n took less than 2^n microseconds
 *	and was not counted before, the last also what took longer
 */
struct kfb_stats {
	u64	reads;
	u64	writes;
	u64	read_bytes;
	u64	write_bytes;
	u64	commits;
	u64	flushes;
	u64	reconnects;
	u64	lost_ranges;
	u64	lost_bytes;
	u64	latency[KFB_LATENCIES];
};

/**
 * struct kfb_hwq - a hardware queue
 * @dev: its device
 * @index: its number
 * @polled: it has no handler
 * @ep: its endpoint; posted to by who has seen the device live, under RCU, and by
 *	flushes that are not stopped
 * @cq: its completion queue; polled under RCU
 * @poll_work: reads @cq while a flush is under way, for nobody else may
 * @log_lock: protects @log, inside of &kfb_flush.lock
 * @log: what was written and not committed
 * @taken: what the present flush commits; this and what follows up to @posting
 *	under &kfb_flush.lock
 * @cursor: how far it has come
 * @commits: commits that are under way
 * @busy: it has a part in the present flush
 * @posting: there is more to commit
 * @logs: the two logs
 * @stats: statistics
 * @files: that show them
 */
struct kfb_hwq {
	struct kfb_dev		*dev;
	unsigned int		index;
	bool			polled;
	struct kfid_ep		*ep;
	struct kfid_cq		*cq;
	struct work_struct	poll_work;
	/* protects @log, inside of &kfb_flush.lock */
	spinlock_t		log_lock;
	struct kfb_log		*log;
	struct kfb_log		*taken;
	struct kfb_log_cursor	cursor;
	unsigned int		commits;
	bool			busy;
	bool			posting;
	struct kfb_log		logs[2];
	struct kfb_stats __percpu *stats;
	struct kfb_stat_group	*files;
};

/**
 * struct kfb_flusher - who waits for a flush
 * @node: in a list of &struct kfb_flush
 * @done: called when it has been, with @err set
 * @user: to be told of data that was lost
 * @err: 0, or what went wrong
 *
 * @done is called with no lock held, in any context but hard interrupt.
 */
struct kfb_flusher {
	struct list_head	node;
	void			(*done)(struct kfb_flusher *flusher);
	bool			user;
	int			err;
};

/**
 * struct kfb_flush - flushes of a device, one round after the other
 * @lock: protects what follows, and parts of each queue; bottom halves are off
 * @stopped: nothing can be posted
 * @running: there is a round under way
 * @telling: data was lost, and every flush fails until this ends, see loss.c
 * @mounted: partitions of file systems that have lost some of it, and have not been
 *	told; 0 is the whole disk
 * @lost: the next flush fails, for nobody has been told
 * @held: if it is by somebody who has had the disk open since
 * @losses: how often data was lost
 * @covered: the same, when the queue was last being frozen for it
 * @err: what went wrong in this round
 * @busy: queues that are not through with it
 * @waiting: who waits for the next round
 * @round: who waits for this one
 * @ended: who is to be told that it is over
 */
struct kfb_flush {
	/* protects what follows, and parts of each queue */
	spinlock_t		lock;
	bool			stopped;
	bool			running;
	bool			telling;
	bool			lost;
	bool			held;
	unsigned int		losses;
	unsigned int		covered;
	int			err;
	unsigned int		busy;
	DECLARE_BITMAP(mounted, DISK_MAX_PARTS);
	struct list_head	waiting;
	struct list_head	round;
	struct list_head	ended;
};

/**
 * struct kfb_request - what a request has of ours
 * @flusher: of a flush
 * @queue: where it was issued
 * @start: when, in nanoseconds
 * @tries: failures that were its own
 * @retry: it is to be issued again, @delay milliseconds from now
 * @delay: see there
 * @commit: it is a commit
 * @status: otherwise how it ended
 * @sgl: its memory
 */
struct kfb_request {
	struct kfb_flusher	flusher;
	struct kfb_hwq	*queue;
	u64			start;
	u8			tries;
	bool			retry;
	bool			commit;
	u8			delay;
	blk_status_t		status;
	struct scatterlist	sgl[];
};

/**
 * struct kfb_dev - a device
 * @config: what was asked for
 * @name: of its disk
 * @id: number in it
 * @instance: what the target tells one life of a client's device from another by
 * @lock: protects @state, @removing, and &kfb_session.err
 * @state: what it is doing
 * @removing: it will not connect again
 * @live_at: jiffies when the session began
 * @lost_at: jiffies when the connection broke
 * @wait: for changes of @state, @removing and @session
 * @recover_work: ends a session that has failed, and begins another
 * @fail_work: requests have waited long enough
 * @alive_work: tells the target that this client is there
 * @tell_work: tells of a loss
 * @session: the session with the target
 * @messages: what the target says is received here
 * @size: bytes; this and what follows up to @regions does not change while it is live
 * @incarnation: of the target's device, when what the logs have was written
 * @block_size: bytes of a logical block
 * @region_shift: a region is so many bytes, binary logarithm
 * @chunk: bytes across whose multiples no request reaches
 * @piece: bytes of a range of a commit, at most
 * @seg_limit: segments that an operation can have
 * @method: how commits are done
 * @max_ranges: ranges of a commit, at most
 * @read_only: nothing is written
 * @regions: table of the target's regions
 * @max_queues: hardware queues that it wants, and has room for
 * @nr_queues: that it has
 * @nr_poll: how many of them, the last ones, are polled
 * @queues: the queues
 * @flush: flushes
 * @tag_set: for blk-mq
 * @disk: the disk, or NULL
 * @added: it is there for others
 * @kobj: folder of our files
 * @reconnects: how often the connection was made again
 * @lost_ranges: ranges that were written and lost
 * @lost_bytes: and their bytes
 */
struct kfb_dev {
	const struct kfb_config	*config;
	char			name[DISK_NAME_LEN];
	int			id;
	uuid_t			instance;

	/* protects @state, @removing, and &kfb_session.err */
	spinlock_t		lock;
	enum kfb_state		state;
	bool			removing;
	unsigned long		live_at;
	unsigned long		lost_at;
	wait_queue_head_t	wait;
	struct delayed_work	recover_work;
	struct delayed_work	fail_work;
	struct delayed_work	alive_work;
	struct work_struct	tell_work;

	struct kfb_session	session;
	void			*messages;

	u64			size;
	u64			incarnation;
	u32			block_size;
	unsigned int		region_shift;
	u32			chunk;
	u32			piece;
	size_t			seg_limit;
	enum kfi_commit_method	method;
	unsigned int		max_ranges;
	bool			read_only;
	struct kfb_region	*regions;

	unsigned int		max_queues;
	unsigned int		nr_queues;
	unsigned int		nr_poll;
	struct kfb_hwq	*queues;
	struct kfb_flush	flush;

	struct blk_mq_tag_set	tag_set;
	struct gendisk		*disk;
	bool			added;
	struct kobject		*kobj;
	u64			reconnects;
	u64			lost_ranges;
	u64			lost_bytes;
};

/* An error of the connection, which says nothing of the operation that has it */
static inline bool kfb_conn_error(int err)
{
	return err == -ECANCELED || err == -ETIMEDOUT || err == -ESHUTDOWN ||
	       err == -ENODEV || err == -ENOTCONN;
}

/* main.c */
extern struct workqueue_struct *kfb_wq;
extern struct workqueue_struct *kfb_recover_wq;
extern struct workqueue_struct *kfb_tell_wq;
struct kfb_dev *kfb_dev_create(const struct kfb_config *config);
void kfb_dev_destroy(struct kfb_dev *dev);

/* configfs.c */
int kfb_configfs_init(void);
void kfb_configfs_exit(void);

/* disk.c */
int kfb_disk_alloc(struct kfb_dev *dev);
int kfb_disk_add(struct kfb_dev *dev);
void kfb_disk_update(struct kfb_dev *dev);
void kfb_disk_freeze(struct kfb_dev *dev);
void kfb_disk_unfreeze(struct kfb_dev *dev);
u64 kfb_disk_mounted(const struct kfb_dev *dev, u64 start, u64 end,
		     unsigned long *partitions);
void kfb_disk_mark_dead(struct kfb_dev *dev, const unsigned long *partitions);
void kfb_disk_remove(struct kfb_dev *dev);
void kfb_disk_free(struct kfb_dev *dev);

/* session.c */
int kfb_session_open(struct kfb_dev *dev);
void kfb_session_close(struct kfb_dev *dev);
const char *kfb_session_error(const struct kfb_dev *dev, int err);

/* control.c */
void kfb_control_event(struct kfid_eq *eq, void *context);
void kfb_control_complete(struct kfid_cq *cq, void *context);
int kfb_control_listen(struct kfb_dev *dev);
int kfb_control_hello(struct kfb_dev *dev);
void kfb_control_alive(struct work_struct *work);

/* queue.c */
int kfb_queue_init(struct kfb_dev *dev, struct kfb_hwq *queue);
void kfb_queue_free(struct kfb_hwq *queue);
int kfb_queue_open(struct kfb_hwq *queue);
void kfb_queues_close(struct kfb_dev *dev);
int kfb_queue_poll(struct kfb_hwq *queue);

/* io.c */
extern const struct blk_mq_ops kfb_mq_ops;
u64 kfb_io_range(const struct kfb_dev *dev, u64 pos, u64 len,
		 struct kfi_rma_iov *range);
void kfb_io_complete(struct kfb_request *req, int err);

/* flush.c */
void kfb_flush_init(struct kfb_flush *flush);
bool kfb_flush_add(struct kfb_dev *dev, struct kfb_flusher *flusher);
void kfb_flush_committed(struct kfb_hwq *queue, int err);
void kfb_flush_room(struct kfb_hwq *queue);
void kfb_flush_start(struct kfb_dev *dev);
void kfb_flush_stop(struct kfb_dev *dev);
int kfb_flush_wait(struct kfb_dev *dev, bool recovering);
bool kfb_flush_wanted(struct kfb_dev *dev);

/* loss.c */
void kfb_loss_found(struct kfb_dev *dev);
void kfb_loss_tell(struct work_struct *work);
void kfb_loss_closed(struct kfb_dev *dev);

/* recover.c */
void kfb_dev_fail(struct kfb_dev *dev, int err, enum kfb_status reason);
int kfb_dev_live(struct kfb_dev *dev);
void kfb_dev_stop(struct kfb_dev *dev);
const char *kfb_state_str(const struct kfb_dev *dev);
void kfb_recover(struct work_struct *work);
void kfb_fail_requests(struct work_struct *work);

/* stats.c */
void kfb_stats_request(struct kfb_request *req);
void kfb_stats_commit(struct kfb_hwq *queue);
void kfb_stats_reconnect(struct kfb_dev *dev);
void kfb_stats_lost(struct kfb_hwq *queue, u64 bytes);
int kfb_stats_show(struct kfb_hwq *queue, struct kobject *kobj);

#endif /* KFB_BLK_H */
