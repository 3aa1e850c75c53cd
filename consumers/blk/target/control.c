// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The messages of a session. Whatever comes from the client is checked by the
 * codec, and whether its time is right is checked here.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "target.h"

/* Completions to deal with before others have a turn */
#define KFBT_CONTROL_BUDGET	16

/* In softirq or process context */
static void kfbt_control_complete(struct kfid_cq *cq, void *context)
{
	kfbt_session_kick(context);
}

static int kfbt_control_receive(struct kfbt_session *session, void *buf)
{
	return kfi_recv(session->ep, buf, KFB_WIRE_MAX, NULL, KFI_ADDR_UNSPEC,
			buf);
}

static int kfbt_control_post(struct kfbt_session *session)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < KFBT_RECEIVES && !err; i++) {
		session->receives[i] = kmalloc(KFB_WIRE_MAX, GFP_KERNEL);
		if (!session->receives[i])
			return -ENOMEM;
		err = kfbt_control_receive(session, session->receives[i]);
	}
	return err;
}

/**
 * kfbt_control_open() - accept the control connection
 * @session: the session, with a domain
 *
 * Context: The session's work.
 * Return: 0 or a negative errno.
 */
int kfbt_control_open(struct kfbt_session *session)
{
	struct kfi_cq_attr attr = {
		.size = KFBT_RECEIVES + KFBT_SENDS,
		.format = KFI_CQ_FORMAT_MSG,
	};
	struct kfi_info *info = session->info;
	int err;

	info->tx_attr->size = KFBT_SENDS;
	info->rx_attr->size = KFBT_RECEIVES;
	err = kfi_cq_open(session->domain, &attr, &session->cq,
			  kfbt_control_complete, session);
	if (!err)
		err = kfi_endpoint(session->domain, info, &session->ep, NULL);
	if (!err)
		err = kfi_ep_bind(session->ep, &session->eq->fid, 0);
	if (!err)
		err = kfi_ep_bind(session->ep, &session->cq->fid,
				  KFI_TRANSMIT | KFI_RECV);
	if (!err)
		err = kfi_enable(session->ep);
	if (!err)
		err = kfbt_control_post(session);
	if (!err)
		err = kfi_accept(session->ep, NULL, 0);
	return err;
}

/**
 * kfbt_control_close() - close the control connection
 * @session: the session
 *
 * Context: The session's work.
 */
void kfbt_control_close(struct kfbt_session *session)
{
	unsigned int i;

	if (session->ep)
		kfi_close(&session->ep->fid);
	session->ep = NULL;
	for (i = 0; i < KFBT_RECEIVES; i++) {
		kfree(session->receives[i]);
		session->receives[i] = NULL;
	}
	kvfree(session->regions);
	session->regions = NULL;
}

static void kfbt_control_send(struct kfbt_session *session, const void *msg,
			      size_t len)
{
	if (session->silent)
		return;
	if (kfi_send(session->ep, msg, len, NULL, KFI_ADDR_UNSPEC, NULL)) {
		kfbt_session_lose(session);
		return;
	}
	session->sends++;
}

static void kfbt_control_hello(struct kfbt_session *session, const void *msg,
			       size_t len)
{
	struct kfb_hello hello;
	enum kfb_status status;

	status = kfb_wire_parse_hello(msg, len, &hello);
	if (!status) {
		session->hello = hello;
		status = kfbt_export_admit(session);
	}
	if (status)
		kfbt_session_end(session, status);
}

/* What a client says that was admitted has no body. */
static void kfbt_control_word(struct kfbt_session *session, const void *msg,
			      size_t len)
{
	enum kfb_status status, said;
	enum kfb_type type;

	status = kfb_wire_type(msg, len, &type, &said);
	if (!status && len != sizeof(struct kfb_wire_header))
		status = KFB_MALFORMED;
	if (!status && type == KFB_BYE) {
		session->silent = true;
		status = said;
	} else if (!status && type == KFB_KEEP_ALIVE && !said) {
		if (session->state == KFBT_LIVE)
			session->deadline = jiffies +
				msecs_to_jiffies(session->hello.keep_alive_ms);
		return;
	} else if (!status) {
		status = KFB_MALFORMED;
	}
	kfbt_session_end(session, status);
}

static void kfbt_control_message(struct kfbt_session *session, void *buf,
				 size_t len)
{
	if (session->state == KFBT_NEW)
		kfbt_control_hello(session, buf, len);
	else
		kfbt_control_word(session, buf, len);
	if (kfbt_control_receive(session, buf))
		kfbt_session_lose(session);
}

/*
 * A message that is longer than any can be, if it is the connection's first failure:
 * all that is outstanding fails with it.
 */
static void kfbt_control_failed(struct kfbt_session *session)
{
	struct kfi_cq_err_entry failure = { };

	kfi_cq_readerr(session->cq, &failure, 0);
	if (failure.flags & KFI_RECV && failure.err != ECANCELED)
		kfbt_session_end(session, KFB_MALFORMED);
	kfbt_session_lose(session);
}

/**
 * kfbt_control_poll() - see what the client has said
 * @session: the session, connected
 *
 * A write with data takes a receive as a message does, and leaves in it what was there
 * before.
 *
 * Context: The session's work.
 */
void kfbt_control_poll(struct kfbt_session *session)
{
	unsigned int budget = KFBT_CONTROL_BUDGET;
	struct kfi_cq_msg_entry entry;
	ssize_t nr;

	for (; budget; budget--) {
		nr = kfi_cq_read(session->cq, &entry, 1);
		if (nr == -EAGAIN)
			return;
		if (nr == -KFI_EAVAIL)
			kfbt_control_failed(session);
		else if (entry.flags & KFI_SEND)
			session->sends--;
		else if (!(entry.flags & KFI_RECV))
			kfbt_session_end(session, KFB_MALFORMED);
		else if (!kfbt_session_ending(session))
			kfbt_control_message(session, entry.op_context,
					     entry.len);
	}
	kfbt_session_kick(session);
}

/* The table of regions as messages, the last of which may be shorter. */
static int kfbt_control_table(struct kfbt_session *session)
{
	u32 nr = session->nr_regions, first, i;
	struct kfb_region *regions;
	void *msg;

	regions = kvzalloc_objs(*regions, nr);
	msg = kvmalloc_array(DIV_ROUND_UP(nr, KFB_REGIONS_MAX), KFB_WIRE_MAX,
			     GFP_KERNEL);
	session->regions = msg;
	if (!regions || !msg) {
		kvfree(regions);
		return -ENOMEM;
	}
	for (i = 0; i < nr; i++)
		regions[i] = (struct kfb_region) {
			.addr = session->mrs[i]->iova,
			.key = kfi_mr_key(session->mrs[i]),
		};
	for (first = 0; first < nr; first += KFB_REGIONS_MAX) {
		kfb_wire_put_regions(msg, first,
				     min_t(u32, nr - first, KFB_REGIONS_MAX),
				     regions);
		msg += KFB_WIRE_MAX;
	}
	kvfree(regions);
	return 0;
}

/**
 * kfbt_control_prepare() - write down what the client gets
 * @session: the session, with regions, queues and a token
 *
 * Context: The session's work.
 * Return: 0 or -ENOMEM.
 */
int kfbt_control_prepare(struct kfbt_session *session)
{
	struct kfbt_export *export = session->export;
	/* read when all regions are there: another one would have revoked them */
	u64 incarnation = kfi_pmem_incarnation(export->pmem);
	struct kfb_welcome welcome = {
		.token = session->token,
		.size = export->size,
		.incarnation = incarnation,
		.region_size = session->region_size,
		.block_size = export->block_size,
		.nr_regions = session->nr_regions,
		.keep_alive_ms = session->hello.keep_alive_ms,
		.nr_queues = session->nr_queues,
		.read_only = session->hello.read_only,
	};

	kfb_wire_put_welcome(&session->welcome, &welcome);
	return kfbt_control_table(session);
}

/**
 * kfbt_control_welcome() - tell the client what it gets
 * @session: the session, live
 *
 * Context: The session's work.
 */
void kfbt_control_welcome(struct kfbt_session *session)
{
	const struct kfb_wire_regions *msg = session->regions;
	u32 sent, count;

	kfbt_control_send(session, &session->welcome, sizeof(session->welcome));
	for (sent = 0; sent < session->nr_regions; sent += count) {
		count = be32_to_cpu(msg->count);
		kfbt_control_send(session, msg,
				  struct_size(msg, regions, count));
		msg = (const void *)msg + KFB_WIRE_MAX;
	}
}

/**
 * kfbt_control_part() - tell the client that its session ends, or does not begin
 * @session: the session
 * @why: the reason
 *
 * Context: The session's work.
 */
void kfbt_control_part(struct kfbt_session *session, enum kfb_status why)
{
	if (!session->connected)
		session->silent = true;
	if (session->state == KFBT_LIVE) {
		kfb_wire_put_header(&session->bye, KFB_BYE, why);
		kfbt_control_send(session, &session->bye, sizeof(session->bye));
		return;
	}
	memset(&session->welcome, 0, sizeof(session->welcome));
	kfb_wire_put_header(&session->welcome.header, KFB_WELCOME, why);
	kfbt_control_send(session, &session->welcome, sizeof(session->welcome));
}
