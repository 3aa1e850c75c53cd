/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Open objects as user space sees them. For providers, who say when an object begins
 * and ends and what became of it; the core answers whoever asks.
 */

#ifndef KFI_TRACK_H
#define KFI_TRACK_H

#include <linux/completion.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <kfi_prov.h>
#include <kfi_rma.h>

struct kfi_memdev;
struct net;

/**
 * struct kfi_scope - where objects belong: what is the same for all of a domain
 * @provider: the provider
 * @domain: name of the domain
 * @owner: name of the consumer's module that opened the domain
 * @net: network namespace, of which the fabric has a reference
 *
 * A provider keeps it with the domain, from before its first object is added until
 * after its last one is deleted, and changes nothing of it.
 */
struct kfi_scope {
	struct kfi_provider	*provider;
	const char		*domain;
	const char		*owner;
	struct net		*net;
};

/**
 * struct kfi_track - what all open objects have in common; the core's
 * @node: in the tree of all of its kind, by their numbers, &kfid.id
 * @fid: the object
 * @refs: one for being open, one for each reader
 * @idle: @refs has gone to nothing
 * @scope: where it belongs
 * @owner: name of the consumer's module that opened it
 */
struct kfi_track {
	struct rb_node		node;
	struct kfid		*fid;
	refcount_t		refs;
	struct completion	idle;
	const struct kfi_scope	*scope;
	const char		*owner;
};

/**
 * enum kfi_ep_state - state of an endpoint
 * @KFI_STATE_IDLE: not connected yet
 * @KFI_STATE_CONNECTING: kfi_connect() or kfi_accept() has begun
 * @KFI_STATE_CONNECTED: it can post
 * @KFI_STATE_DOWN: the connection has ended, or did not come about
 * @KFI_STATE_REMOVED: the device was removed
 */
enum kfi_ep_state {
	KFI_STATE_IDLE,
	KFI_STATE_CONNECTING,
	KFI_STATE_CONNECTED,
	KFI_STATE_DOWN,
	KFI_STATE_REMOVED,
};

/**
 * struct kfi_ep_desc - an endpoint at some moment
 * @kind: what it can do
 * @state: its state
 * @method: how it commits; KFI_COMMIT_NONE before it was connected
 * @local: local address; family AF_UNSPEC when there is none
 * @peer: peer's address, or where it tries to connect to; likewise
 * @tx_size: operations that can be outstanding or unread
 * @rx_size: receives that can be outstanding or unread
 */
struct kfi_ep_desc {
	enum kfi_ep_kind	kind;
	enum kfi_ep_state	state;
	enum kfi_commit_method	method;
	struct sockaddr_storage	local;
	struct sockaddr_storage	peer;
	unsigned int		tx_size;
	unsigned int		rx_size;
};

struct kfi_ep_track;

/**
 * struct kfi_ep_track_ops - what the core asks of an endpoint
 * @describe: fill in the description, which is all zeroes; process context, may
 *	sleep. Not called before kfi_ep_track_add() nor after kfi_ep_track_del()
 */
struct kfi_ep_track_ops {
	void	(*describe)(struct kfi_ep_track *track,
			    struct kfi_ep_desc *desc);
};

/* What listeners are told of an endpoint */
enum kfi_ep_event {
	KFI_EP_EVENT_CONNECT,
	KFI_EP_EVENT_DISCONNECT,
	KFI_EP_EVENT_COMMIT,
	KFI_EP_EVENT_SERVE,
	KFI_EP_EVENTS,
};

/**
 * struct kfi_ep_track - an open endpoint; the core's
 * @track: what it has in common with others
 * @ops: the provider's
 * @passive: it was opened for a peer's request
 * @lock: protects what follows; any context
 * @open: between kfi_ep_track_add() and kfi_ep_track_del()
 * @events: BIT() of each event that listeners were not told of
 * @errors: of @events, positive errnos
 * @failures: commits that have failed, of which they were not told, by the event
 * @work: tells them
 *
 * A provider sets @passive before kfi_ep_track_add().
 */
struct kfi_ep_track {
	struct kfi_track		track;
	const struct kfi_ep_track_ops	*ops;
	bool				passive;
	/* protects what follows up to @failures; any context */
	spinlock_t			lock;
	bool				open;
	unsigned long			events;
	int				errors[KFI_EP_EVENTS];
	u32				failures[KFI_EP_EVENTS];
	struct work_struct		work;
};

void kfi_ep_track_init(struct kfi_ep_track *track,
		       const struct kfi_ep_track_ops *ops);
void kfi_ep_track_add(struct kfi_ep_track *track, struct kfid_ep *ep,
		      const struct kfi_scope *scope, const char *owner);
void kfi_ep_track_del(struct kfi_ep_track *track);

void kfi_ep_connected(struct kfi_ep_track *track, int err);
void kfi_ep_disconnected(struct kfi_ep_track *track, int err);
void kfi_ep_commit_failed(struct kfi_ep_track *track, int err);
void kfi_ep_serve_failed(struct kfi_ep_track *track, int err);
void kfi_domain_removed(const struct kfi_scope *scope);

void kfi_cq_track_add(struct kfi_track *track, struct kfid_cq *cq,
		      const struct kfi_scope *scope, const char *owner);
void kfi_cq_track_del(struct kfi_track *track);

/**
 * struct kfi_mr_track - an open memory region
 * @track: the core's
 * @len: bytes
 * @access: see &struct kfi_mr_attr
 * @flags: with which it was registered
 * @memdev: the memory device of a persistent region, or NULL
 * @dead: access has ended before it was closed; WRITE_ONCE() at any time
 *
 * A provider sets the members from @len to @memdev before kfi_mr_track_add().
 */
struct kfi_mr_track {
	struct kfi_track	track;
	u64			len;
	u64			access;
	u64			flags;
	const struct kfi_memdev	*memdev;
	bool			dead;
};

void kfi_mr_track_add(struct kfi_mr_track *track, struct kfid_mr *mr,
		      const struct kfi_scope *scope);
void kfi_mr_track_del(struct kfi_mr_track *track);

#endif /* KFI_TRACK_H */
