/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The target of remote persistent block devices: exports of memory devices, ports
 * that it listens on, and the sessions of its clients.
 *
 * Two locks. kfbt_config_lock is held over whatever a user does in configfs, and
 * may wait for sessions to end. kfbt_lock is for who is there and who has what; it
 * is never held over anything that sleeps. A session's own business is done by its
 * work, one run at a time, and needs neither.
 */

#ifndef KFBT_TARGET_H
#define KFBT_TARGET_H

#include <linux/configfs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <kfi_cm.h>
#include <kfi_eq.h>
#include <kfi_pmem.h>

#include "../wire.h"

#define KFBT_API_VERSION	KFI_VERSION(1, 7)

/* Queues of a session; a client with more processors shares them. */
#define KFBT_MAX_QUEUES		64
/* Connections of a port that nobody has said a valid hello on */
#define KFBT_MAX_NEW		64
/* Sessions of a read-only export */
#define KFBT_MAX_READERS	256
/* How long a client may take to say hello */
#define KFBT_HELLO_MS		10000
/* How long the last message of a session may take */
#define KFBT_PARTING_MS		1000
/* After which a port that lost its device tries to listen again */
#define KFBT_REPAIR_MS		5000
/* Receives of a control connection: a client says little. */
#define KFBT_RECEIVES		4
/* Welcome, table of regions and bye */
#define KFBT_SENDS		32

struct kfbt_session;

/**
 * struct kfbt_export - exports/NAME
 * @group: for configfs
 * @clients_group: its folder clients
 * @retire: closes a device that was revoked
 * @path: of the memory device; this and what follows under kfbt_config_lock
 * @block_size: bytes of a logical block
 * @read_only: nobody may write to it
 * @pmem: the device, while the export is enabled; changes with no session there
 * @size: bytes of it that are exported
 * @allow_any: whoever asks is a client; this and what follows under kfbt_lock
 * @clients: those who are allowed
 * @open: sessions are admitted
 * @revoked: the device has failed, or was removed, or lost its power
 * @sessions: its sessions
 * @nr_sessions: how many
 * @owner: the one session that there can be, unless @read_only
 * @heir: of the same client: takes over when @owner is gone
 */
struct kfbt_export {
	struct config_group	group;
	struct config_group	clients_group;
	struct work_struct	retire;

	char			*path;
	unsigned int		block_size;
	bool			read_only;
	struct kfi_pmem		*pmem;
	u64			size;

	bool			allow_any;
	struct list_head	clients;
	bool			open;
	bool			revoked;
	struct list_head	sessions;
	unsigned int		nr_sessions;
	struct kfbt_session	*owner;
	struct kfbt_session	*heir;
};

/**
 * struct kfbt_client - exports/NAME/clients/CLIENT
 * @item: for configfs
 * @node: in &kfbt_export.clients
 */
struct kfbt_client {
	struct config_item	item;
	struct list_head	node;
};

/**
 * struct kfbt_link - a link from a port to an export
 * @node: in &kfbt_port.links
 * @export: the export
 */
struct kfbt_link {
	struct list_head	node;
	struct kfbt_export	*export;
};

/**
 * struct kfbt_port - ports/NAME
 * @group: for configfs
 * @exports_group: its folder exports
 * @repair: listens again after the device was removed
 * @provider: name of the provider; this and what follows under kfbt_config_lock
 * @addr: address to listen on
 * @service: port number to listen on
 * @fabric: while it listens
 * @eq: events of @pep: requests to connect
 * @pep_lock: the event handler has @pep in use; outside of kfbt_lock
 * @pep: listens, or NULL. Sessions may use it, for it is closed after them
 * @links: exports that can be reached; this and what follows under kfbt_lock
 * @listening: sessions may begin
 * @sessions: its sessions
 * @nr_new: how many of them have no export
 */
struct kfbt_port {
	struct config_group	group;
	struct config_group	exports_group;
	struct delayed_work	repair;

	const char		*provider;
	char			*addr;
	u16			service;
	struct kfid_fabric	*fabric;
	struct kfid_eq		*eq;
	/* the event handler has @pep in use */
	struct mutex		pep_lock;
	struct kfid_pep		*pep;

	struct list_head	links;
	bool			listening;
	struct list_head	sessions;
	unsigned int		nr_new;
};

/**
 * enum kfbt_state - life of a session
 * @KFBT_NEW: is being connected, or the client has said nothing yet
 * @KFBT_WAITING: has an export, but an earlier session of the client may be there
 * @KFBT_LIVE: the client was told the regions
 * @KFBT_PARTING: the last message is on its way
 * @KFBT_GONE: nothing is left
 */
enum kfbt_state {
	KFBT_NEW,
	KFBT_WAITING,
	KFBT_LIVE,
	KFBT_PARTING,
	KFBT_GONE,
};

/**
 * struct kfbt_queue - a queue of a session
 * @taken: somebody asked to connect it; under kfbt_lock
 * @request: what came in; under kfbt_lock
 * @ep: its endpoint
 * @connected: it is
 */
struct kfbt_queue {
	bool			taken;
	struct kfi_info		*request;
	struct kfid_ep		*ep;
	bool			connected;
};

/**
 * struct kfbt_session - a control connection, and all that comes of it
 * @kref: one until it is gone, one while @work is queued
 * @work: does everything: what events and completions ask for, and timeouts
 * @port: where it came in
 * @port_node: in &kfbt_port.sessions
 * @peer: address of the client
 * @export: after a valid hello; under kfbt_lock, as is what follows
 * @export_node: in &kfbt_export.sessions
 * @state: &enum kfbt_state; changed by @work only
 * @ending: it is to end
 * @why: what the client is to be told, if @ending
 * @token: names it to requests for queues
 * @queues: its queues, @nr_queues of them
 * @nr_queues: 0 before it is live
 * @nr_connected: queues that are connected
 * @info: the request that it began with; this and what follows is @work's
 * @domain: domain
 * @eq: events of all endpoints
 * @cq: completions of @ep
 * @ep: the control connection
 * @queue_cq: completions of queues; there should be none
 * @connected: @ep is connected
 * @silent: nothing can be sent any more, or need be
 * @lost: because the connection is
 * @deadline: when @state has lasted too long, in jiffies
 * @began: when it became live, in jiffies
 * @sends: messages that were sent and are not complete
 * @hello: what the client wants
 * @mrs: regions
 * @nr_regions: how many, or 0
 * @region_size: bytes of each but the last
 * @receives: buffers for messages, KFB_WIRE_MAX bytes each
 * @welcome: message
 * @bye: message
 * @regions: messages, KFB_WIRE_MAX bytes each
 */
struct kfbt_session {
	struct kref		kref;
	struct delayed_work	work;
	struct kfbt_port	*port;
	struct list_head	port_node;
	struct sockaddr_storage	peer;

	struct kfbt_export	*export;
	struct list_head	export_node;
	enum kfbt_state		state;
	bool			ending;
	enum kfb_status		why;
	u64			token;
	struct kfbt_queue	*queues;
	unsigned int		nr_queues;
	unsigned int		nr_connected;

	struct kfi_info		*info;
	struct kfid_domain	*domain;
	struct kfid_eq		*eq;
	struct kfid_cq		*cq;
	struct kfid_ep		*ep;
	struct kfid_cq		*queue_cq;
	bool			connected;
	bool			silent;
	bool			lost;
	unsigned long		deadline;
	unsigned long		began;
	unsigned int		sends;
	struct kfb_hello	hello;

	struct kfid_mr		**mrs;
	u32			nr_regions;
	u32			region_size;

	void			*receives[KFBT_RECEIVES];
	struct kfb_wire_welcome	welcome;
	struct kfb_wire_header	bye;
	void			*regions;
};

extern struct mutex kfbt_config_lock;
extern spinlock_t kfbt_lock;
extern wait_queue_head_t kfbt_gone;
extern struct workqueue_struct *kfbt_wq;
extern struct workqueue_struct *kfbt_config_wq;

/* configfs_export.c, configfs_port.c */
extern const struct config_item_type kfbt_exports_type;
extern const struct config_item_type kfbt_export_type;
extern const struct config_item_type kfbt_ports_type;

static inline const char *kfbt_export_name(const struct kfbt_export *export)
{
	return config_item_name((struct config_item *)&export->group.cg_item);
}

static inline const char *kfbt_port_name(const struct kfbt_port *port)
{
	return config_item_name((struct config_item *)&port->group.cg_item);
}

/* export.c */
int kfbt_export_enable(struct kfbt_export *export);
void kfbt_export_disable(struct kfbt_export *export);
void kfbt_export_retire(struct work_struct *work);
enum kfb_status kfbt_export_admit(struct kfbt_session *session);
bool kfbt_export_turn(struct kfbt_session *session);
void kfbt_export_leave(struct kfbt_session *session);

/* port.c */
int kfbt_port_link(struct kfbt_port *port, struct kfbt_export *export);
void kfbt_port_unlink(struct kfbt_port *port, struct kfbt_export *export);
void kfbt_port_repair(struct work_struct *work);
void kfbt_port_refuse(struct kfbt_port *port, struct kfi_info *info,
		      enum kfb_status status);

/* session.c */
enum kfb_status kfbt_session_begin(struct kfbt_port *port,
				   struct kfi_info *info);
void kfbt_session_kick(struct kfbt_session *session);
void kfbt_session_end_locked(struct kfbt_session *session,
			     enum kfb_status why);
void kfbt_session_end(struct kfbt_session *session, enum kfb_status why);
bool kfbt_session_ending(struct kfbt_session *session);
void kfbt_session_lose(struct kfbt_session *session);

/* control.c */
int kfbt_control_open(struct kfbt_session *session);
void kfbt_control_close(struct kfbt_session *session);
void kfbt_control_poll(struct kfbt_session *session);
int kfbt_control_prepare(struct kfbt_session *session);
void kfbt_control_welcome(struct kfbt_session *session);
void kfbt_control_part(struct kfbt_session *session, enum kfb_status why);

/* queue.c */
enum kfb_status kfbt_queue_request(struct kfbt_port *port,
				   const struct kfb_queue *wanted,
				   struct kfi_info *info);
int kfbt_queues_open(struct kfbt_session *session);
void kfbt_queues_accept(struct kfbt_session *session);
void kfbt_queue_connected(struct kfbt_session *session,
			  struct kfbt_queue *queue);
void kfbt_queue_close(struct kfbt_session *session, struct kfbt_queue *queue);
void kfbt_queues_poll(struct kfbt_session *session);
void kfbt_queues_close(struct kfbt_session *session);

/* region.c */
enum kfb_status kfbt_regions_open(struct kfbt_session *session);
void kfbt_regions_close(struct kfbt_session *session);

#endif /* KFBT_TARGET_H */
