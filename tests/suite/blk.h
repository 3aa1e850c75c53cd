/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A client of kfi_blk_target, by hand. The script tests/vm/blk-target has made what
 * the names here stand for, in the same kernel.
 */

#ifndef KFI_SUITE_BLK_H
#define KFI_SUITE_BLK_H

#include <kfi_pmemsim.h>

#include "../../consumers/blk/wire.h"
#include "suite.h"

/* One that can be written to, one that cannot, one for friends, one of no port */
#define BLK_EXPORT	"sim"
#define BLK_READ_ONLY	"ro"
#define BLK_FRIENDS	"friends"
#define BLK_UNLINKED	"unlinked"
#define BLK_FRIEND	"friend"

#define BLK_PORT	"7473"
#define BLK_SIZE	SZ_1M
#define BLK_RECEIVES	4
/* How long the target waits for a hello, and connections that it lets do so */
#define BLK_HELLO_MS	10000
#define BLK_MAX_NEW	64

/**
 * struct blk_target - what the test does to the other side
 * @t: the test
 * @net: the client's fabric, domain and event queue
 * @sim: the memory device of every export
 */
struct blk_target {
	struct suite		*t;
	struct suite_net	net;
	struct kfi_pmemsim	*sim;
};

/**
 * struct blk_client - a client
 * @target: the target
 * @info: for the control connection
 * @control: that connection
 * @bufs: its receives
 * @out: what it sends
 * @hello: what it says
 * @welcome: what it is told
 * @regions: the table
 */
struct blk_client {
	struct blk_target	*target;
	struct kfi_info		*info;
	struct suite_end	control;
	u8			*bufs;
	u8			*out;
	struct kfb_hello	hello;
	struct kfb_welcome	welcome;
	struct kfb_region	regions[4];
};

/**
 * struct blk_queue - a queue of a client
 * @info: of its endpoint
 * @end: the endpoint
 * @buf: memory for what it reads and writes, a page
 */
struct blk_queue {
	struct kfi_info		*info;
	struct suite_end	end;
	u8			*buf;
};

bool blk_echo(struct suite *t, const char *path, const char *value);
bool blk_set(struct suite *t, const char *path, const char *value);
bool blk_open(struct suite *t, struct blk_target *target);
void blk_close(struct blk_target *target);

bool blk_dial(struct blk_target *target, struct blk_client *client);
void blk_hang_up(struct blk_client *client);
bool blk_dial_refused(struct blk_target *target, enum kfb_status status);
bool blk_send(struct suite *t, struct suite_end *end, const u8 *out,
	      size_t len);
bool blk_say(struct blk_client *client, size_t len);
bool blk_hear(struct blk_client *client, const u8 **msg, size_t *len, int ms);
bool blk_greet(struct blk_client *client, enum kfb_status expected);
bool blk_expect_bye(struct blk_client *client, enum kfb_status why, int ms);
bool blk_word(struct blk_client *client, enum kfb_type type);
bool blk_leave(struct blk_client *client);
bool blk_session(struct blk_target *target, struct blk_client *client);
bool blk_open_session(struct suite *t, struct blk_target *target,
		      struct blk_client *client);

bool blk_queue_try(struct blk_client *client, struct blk_queue *queue,
		   const void *data, size_t len, enum kfb_status status);
bool blk_queue_open(struct blk_client *client, struct blk_queue *queue,
		    unsigned int number);
void blk_queue_close(struct suite *t, struct blk_queue *queue);
bool blk_write(struct suite *t, struct blk_queue *queue,
	       const struct kfb_region *region, u8 value);
bool blk_write_fails(struct suite *t, struct blk_queue *queue,
		     const struct kfb_region *region, u8 value);
bool blk_holds(struct suite *t, struct blk_queue *queue,
	       const struct kfb_region *region, u8 value);

#endif /* KFI_SUITE_BLK_H */
