// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The server: accepts whoever connects, tells it where to read and write, and
 * answers messages that ask for it.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <kfi_cm.h>
#include <kfi_pmem.h>

#include "perf.h"

/**
 * struct perf_peer - a client
 * @conn: endpoint and buffer
 * @mr: what it may read and write
 * @node: in the server's list
 * @lock: protects what follows
 * @connected: this end knows that it is
 * @early: bytes of a message that came before, and wants to be sent back
 */
struct perf_peer {
	struct perf_conn	conn;
	struct kfid_mr		*mr;
	struct list_head	node;
	/* protects what follows */
	spinlock_t		lock;
	bool			connected;
	size_t			early;
};

/* The server; there is one. */
static struct {
	struct kfid_fabric	*fabric;
	struct kfid_eq		*eq;
	struct kfid_pep		*pep;
	struct kfi_pmem		*pmem;
	/* protects @peers and @stopping: events come while the module unloads */
	struct mutex		lock;
	struct list_head	peers;
	bool			stopping;
} server = {
	.lock = __MUTEX_INITIALIZER(server.lock),
	.peers = LIST_HEAD_INIT(server.peers),
};

static int peer_recv(struct perf_peer *peer)
{
	return kfi_recv(peer->conn.ep, peer->conn.buf, PERF_MAX_SIZE, NULL,
			KFI_ADDR_UNSPEC, peer);
}

static void peer_send_back(struct perf_peer *peer, size_t len)
{
	kfi_send(peer->conn.ep, peer->conn.buf, len, NULL, KFI_ADDR_UNSPEC,
		 NULL);
}

/* The client is connected before this end is, and its first message may be, too. */
static void peer_message(struct perf_peer *peer, size_t len)
{
	spin_lock(&peer->lock);
	if (peer->connected)
		peer_send_back(peer, len);
	else
		peer->early = len;
	spin_unlock(&peer->lock);
}

static void peer_connected(struct perf_peer *peer)
{
	spin_lock_bh(&peer->lock);
	peer->connected = true;
	if (peer->early)
		peer_send_back(peer, peer->early);
	spin_unlock_bh(&peer->lock);
}

/*
 * Softirq. A message with data wants to be sent back. An error here is that of
 * a connection that ends, which the event queue tells.
 */
static void peer_complete(struct kfid_cq *cq, void *context)
{
	struct perf_peer *peer = context;
	struct kfi_cq_data_entry comp;
	struct kfi_cq_err_entry failure;
	ssize_t nr;

	while ((nr = kfi_cq_read(cq, &comp, 1)) != -EAGAIN) {
		if (nr == -KFI_EAVAIL) {
			kfi_cq_readerr(cq, &failure, 0);
			continue;
		}
		if (!(comp.flags & KFI_RECV))
			continue;
		peer_recv(peer);
		if (comp.flags & KFI_REMOTE_CQ_DATA)
			peer_message(peer, comp.len);
	}
}

/* A client that commits gets persistent memory, others get the buffer. */
static int peer_register(struct perf_peer *peer, bool pmem,
			 struct perf_hello *hello)
{
	const void *buf = peer->conn.buf;
	size_t len = PERF_MAX_SIZE;
	int err;

	if (pmem) {
		if (!server.pmem)
			return -EOPNOTSUPP;
		buf = kfi_pmem_addr(server.pmem);
		len = min(len, kfi_pmem_len(server.pmem));
	}
	err = kfi_mr_reg(peer->conn.domain, buf, len,
			 KFI_REMOTE_READ | KFI_REMOTE_WRITE, 0, 0,
			 pmem ? KFI_PMEM : 0, &peer->mr, peer);
	if (err)
		return err;
	hello->magic = cpu_to_be32(PERF_MAGIC);
	hello->len = cpu_to_be32(len);
	hello->addr = cpu_to_be64(peer->mr->iova);
	hello->key = cpu_to_be64(kfi_mr_key(peer->mr));
	return 0;
}

static int peer_accept(struct perf_peer *peer, struct kfi_info *info)
{
	struct perf_hello hello;
	size_t i;
	int err;

	err = peer_register(peer, info->caps & KFI_RMA_PMEM, &hello);
	if (err)
		return err;
	if (info->caps & KFI_MSG) {
		for (i = 0; i < info->rx_attr->size; i++) {
			err = peer_recv(peer);
			if (err)
				return err;
		}
	}
	return kfi_accept(peer->conn.ep, &hello, sizeof(hello));
}

/* The endpoint before the region: nobody is left who could use the key. */
static void peer_close(struct perf_peer *peer)
{
	if (peer->conn.ep)
		kfi_close(&peer->conn.ep->fid);
	peer->conn.ep = NULL;
	if (peer->mr)
		kfi_close(&peer->mr->fid);
	perf_conn_close(&peer->conn);
	list_del(&peer->node);
	kfree(peer);
}

/* A request that is not accepted is rejected when its info is freed. */
static void server_connreq(struct kfi_info *info)
{
	struct perf_peer *peer;
	int err;

	peer = kzalloc_obj(*peer);
	if (!peer)
		return;
	spin_lock_init(&peer->lock);
	list_add(&peer->node, &server.peers);
	err = perf_conn_open(&peer->conn, server.fabric, server.eq, info,
			     peer_complete, peer);
	if (!err)
		err = peer_accept(peer, info);
	if (err) {
		pr_warn_ratelimited("%pISpc was not accepted: %s\n",
				    info->dest_addr, kfi_strerror(-err));
		peer_close(peer);
	}
}

static void server_event(struct kfid_eq *eq, void *context)
{
	struct kfi_eq_cm_entry entry;
	struct kfi_eq_err_entry failure;
	u32 event;
	ssize_t ret;

	while ((ret = kfi_eq_read(eq, &event, &entry, sizeof(entry), 0)) !=
	       -EAGAIN) {
		if (ret == -KFI_EAVAIL) {
			failure = (struct kfi_eq_err_entry) { };
			kfi_eq_readerr(eq, &failure, 0);
			entry.fid = failure.fid;
			event = KFI_SHUTDOWN;
		}
		mutex_lock(&server.lock);
		if (event == KFI_CONNREQ) {
			if (!server.stopping)
				server_connreq(entry.info);
			kfi_freeinfo(entry.info);
		} else if (event == KFI_CONNECTED && !server.stopping) {
			peer_connected(entry.fid->context);
		} else if (event == KFI_SHUTDOWN && !server.stopping &&
			   entry.fid->fclass == KFI_CLASS_EP) {
			peer_close(entry.fid->context);
		}
		mutex_unlock(&server.lock);
	}
}

static int server_listen(struct kfi_info *info)
{
	int err;

	err = kfi_fabric(info->fabric_attr, &server.fabric, NULL);
	if (err)
		return err;
	err = kfi_eq_open(server.fabric, NULL, &server.eq, server_event, NULL);
	if (err)
		return err;
	err = kfi_passive_ep(server.fabric, info, &server.pep, NULL);
	if (err)
		return err;
	err = kfi_pep_bind(server.pep, &server.eq->fid, 0);
	if (err)
		return err;
	return kfi_listen(server.pep);
}

int perf_server_start(void)
{
	struct kfi_info *info;
	int err;

	if (perf_pmem) {
		server.pmem = kfi_pmem_open(perf_pmem, &server);
		if (IS_ERR(server.pmem)) {
			err = PTR_ERR(server.pmem);
			server.pmem = NULL;
			return err;
		}
	}
	/* a listener that knows commits takes plain clients too */
	err = perf_getinfo(server.pmem ? PERF_PMEM : PERF_RAW, KFI_SOURCE,
			   &info);
	if (!err) {
		err = server_listen(info);
		kfi_freeinfo(info);
	}
	if (err)
		perf_server_stop();
	return err;
}

void perf_server_stop(void)
{
	struct perf_peer *peer, *next;

	mutex_lock(&server.lock);
	server.stopping = true;
	mutex_unlock(&server.lock);

	/* nobody new from here on */
	if (server.pep)
		kfi_close(&server.pep->fid);
	list_for_each_entry_safe(peer, next, &server.peers, node)
		peer_close(peer);
	if (server.eq)
		kfi_close(&server.eq->fid);
	if (server.fabric)
		kfi_close(&server.fabric->fid);
	if (server.pmem)
		kfi_pmem_close(server.pmem);
}
