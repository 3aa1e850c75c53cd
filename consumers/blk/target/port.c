// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Ports: an address that is listened on while there are exports behind it. What
 * comes in is a control connection, which begins a session, or a queue of one.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "target.h"

/* Private data of a request on a commit endpoint: what its protocol leaves */
#define KFBT_CM_DATA		32

/**
 * kfbt_port_refuse() - reject a request to connect, and say why
 * @port: where it came in
 * @info: the request, still the caller's
 * @status: the reason
 *
 * Context: Process context; a session's work, or with pep_lock held.
 */
void kfbt_port_refuse(struct kfbt_port *port, struct kfi_info *info,
		      enum kfb_status status)
{
	struct kfb_wire_header refusal;

	kfb_wire_put_header(&refusal, KFB_REFUSAL, status);
	kfi_reject(port->pep, info->handle, &refusal, sizeof(refusal));
}

static enum kfb_status kfbt_port_queue(struct kfbt_port *port,
				       struct kfi_info *info, const void *data,
				       size_t len)
{
	enum kfb_status status;
	struct kfb_queue queue;

	status = kfb_wire_parse_queue(data, len, &queue);
	if (!status)
		status = kfbt_queue_request(port, &queue, info);
	return status;
}

static void kfbt_port_connreq(struct kfbt_port *port, struct kfi_info *info,
			      const void *data, size_t len)
{
	bool queue = info->caps & KFI_RMA_PMEM;
	enum kfb_status status;

	if (queue)
		status = kfbt_port_queue(port, info, data, len);
	else
		status = kfbt_session_begin(port, info);
	if (!status)
		return;
	pr_notice_ratelimited("port %s: %pISpc: %s refused: %s\n",
			      kfbt_port_name(port), info->dest_addr,
			      queue ? "queue" : "connection",
			      kfb_status_str(status));
	kfbt_port_refuse(port, info, status);
	kfi_freeinfo(info);
}

/* A request that nobody answers is rejected with its info. */
static void kfbt_port_event(struct kfbt_port *port, u32 event,
			    struct kfi_eq_cm_entry *entry, size_t len)
{
	mutex_lock(&port->pep_lock);
	if (event == KFI_CONNREQ && port->pep) {
		kfbt_port_connreq(port, entry->info, entry->data, len);
	} else if (event == KFI_CONNREQ) {
		kfi_freeinfo(entry->info);
	} else if (port->pep) {
		pr_err("port %s: the device is gone\n", kfbt_port_name(port));
		queue_delayed_work(kfbt_config_wq, &port->repair, 0);
	}
	mutex_unlock(&port->pep_lock);
}

static void kfbt_port_event_handler(struct kfid_eq *eq, void *context)
{
	u8 buf[sizeof(struct kfi_eq_cm_entry) + KFBT_CM_DATA] __aligned(8);
	struct kfi_eq_cm_entry *entry = (struct kfi_eq_cm_entry *)buf;
	struct kfi_eq_err_entry failure;
	u32 event;
	ssize_t ret;

	while ((ret = kfi_eq_read(eq, &event, entry, sizeof(buf), 0)) !=
	       -EAGAIN) {
		if (ret == -KFI_EAVAIL) {
			failure = (struct kfi_eq_err_entry) { };
			kfi_eq_readerr(eq, &failure, 0);
			event = KFI_SHUTDOWN;
			ret = sizeof(*entry);
		}
		kfbt_port_event(context, event, entry, ret - sizeof(*entry));
	}
}

static int kfbt_port_getinfo(struct kfbt_port *port, struct kfi_info **info)
{
	struct kfi_info *hints = kfi_allocinfo();
	char service[8];
	int err = -ENOMEM;

	if (!hints)
		return -ENOMEM;
	hints->caps = KFI_RMA | KFI_RMA_PMEM;
	hints->mode = KFI_RX_CQ_DATA;
	hints->ep_attr->type = KFI_EP_MSG;
	hints->domain_attr->mr_mode = KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY;
	hints->fabric_attr->prov_name = kstrdup(port->provider, GFP_KERNEL);
	if (hints->fabric_attr->prov_name) {
		snprintf(service, sizeof(service), "%u", port->service);
		err = kfi_getinfo(KFBT_API_VERSION, port->addr, service,
				  KFI_SOURCE, hints, info);
	}
	kfi_freeinfo(hints);
	return err;
}

static int kfbt_port_open(struct kfbt_port *port, struct kfi_info *info)
{
	struct kfi_eq_attr attr = { .size = 2 * KFBT_MAX_NEW };
	struct kfid_pep *pep;
	int err;

	err = kfi_fabric(info->fabric_attr, &port->fabric, NULL);
	if (err)
		return err;
	err = kfi_eq_open(port->fabric, &attr, &port->eq,
			  kfbt_port_event_handler, port);
	if (err)
		return err;
	err = kfi_passive_ep(port->fabric, info, &pep, NULL);
	if (err)
		return err;
	port->pep = pep;
	err = kfi_pep_bind(pep, &port->eq->fid, 0);
	return err ?: kfi_listen(pep);
}

static void kfbt_port_set_listening(struct kfbt_port *port, bool listening)
{
	spin_lock(&kfbt_lock);
	port->listening = listening;
	spin_unlock(&kfbt_lock);
}

/* Of @export, or of any if that is NULL */
static bool kfbt_port_has(struct kfbt_port *port,
			  const struct kfbt_export *export)
{
	struct kfbt_session *session;
	bool has = false;

	spin_lock(&kfbt_lock);
	list_for_each_entry(session, &port->sessions, port_node)
		if (!export || session->export == export)
			has = true;
	spin_unlock(&kfbt_lock);
	return has;
}

static void kfbt_port_end_sessions(struct kfbt_port *port,
				   const struct kfbt_export *export,
				   enum kfb_status why)
{
	struct kfbt_session *session;

	spin_lock(&kfbt_lock);
	list_for_each_entry(session, &port->sessions, port_node)
		if (!export || session->export == export)
			kfbt_session_end_locked(session, why);
	spin_unlock(&kfbt_lock);
	wait_event(kfbt_gone, !kfbt_port_has(port, export));
}

static void kfbt_port_stop(struct kfbt_port *port, enum kfb_status why)
{
	struct kfid_pep *pep;

	lockdep_assert_held(&kfbt_config_lock);
	kfbt_port_set_listening(port, false);
	kfbt_port_end_sessions(port, NULL, why);
	mutex_lock(&port->pep_lock);
	pep = port->pep;
	port->pep = NULL;
	mutex_unlock(&port->pep_lock);
	if (pep)
		kfi_close(&pep->fid);
	if (port->eq)
		kfi_close(&port->eq->fid);
	if (port->fabric)
		kfi_close(&port->fabric->fid);
	port->eq = NULL;
	port->fabric = NULL;
}

static int kfbt_port_listen(struct kfbt_port *port)
{
	struct kfi_info *info;
	int err = -EINVAL;

	lockdep_assert_held(&kfbt_config_lock);
	if (port->provider && port->addr)
		err = kfbt_port_getinfo(port, &info);
	if (!err) {
		kfbt_port_set_listening(port, true);
		err = kfbt_port_open(port, info);
		kfi_freeinfo(info);
		if (err)
			kfbt_port_stop(port, KFB_SHUTDOWN);
	}
	return err;
}

static void kfbt_port_log(struct kfbt_port *port, int err)
{
	if (err)
		pr_err("port %s: %s, port %u, by %s: %s\n",
		       kfbt_port_name(port), port->addr ?: "no address",
		       port->service, port->provider ?: "no provider",
		       kfi_strerror(err));
	else
		pr_info("port %s: listens on %s, port %u, by %s\n",
			kfbt_port_name(port), port->addr, port->service,
			port->provider);
}

/**
 * kfbt_port_repair() - listen again after the device was removed
 * @work: &kfbt_port.repair
 *
 * Context: Process context, may sleep.
 */
void kfbt_port_repair(struct work_struct *work)
{
	struct kfbt_port *port = container_of(to_delayed_work(work),
					      struct kfbt_port, repair);
	int err;

	mutex_lock(&kfbt_config_lock);
	kfbt_port_stop(port, KFB_RESTART);
	if (!list_empty(&port->links)) {
		err = kfbt_port_listen(port);
		if (err)
			queue_delayed_work(kfbt_config_wq, &port->repair,
					   msecs_to_jiffies(KFBT_REPAIR_MS));
		else
			kfbt_port_log(port, err);
	}
	mutex_unlock(&kfbt_config_lock);
}

static struct kfbt_link *kfbt_port_find(struct kfbt_port *port,
					const struct kfbt_export *export)
{
	struct kfbt_link *link;

	list_for_each_entry(link, &port->links, node)
		if (link->export == export)
			return link;
	return NULL;
}

/**
 * kfbt_port_link() - an export can be reached by a port
 * @port: the port, which begins to listen with its first export
 * @export: the export
 *
 * Context: kfbt_config_lock held, may sleep.
 * Return: 0 or a negative errno.
 */
int kfbt_port_link(struct kfbt_port *port, struct kfbt_export *export)
{
	struct kfbt_link *link;
	int err;

	lockdep_assert_held(&kfbt_config_lock);
	if (kfbt_port_find(port, export))
		return -EEXIST;
	link = kzalloc_obj(*link);
	if (!link)
		return -ENOMEM;
	link->export = export;
	if (list_empty(&port->links)) {
		err = kfbt_port_listen(port);
		kfbt_port_log(port, err);
		if (err) {
			kfree(link);
			return err;
		}
	}
	spin_lock(&kfbt_lock);
	list_add_tail(&link->node, &port->links);
	spin_unlock(&kfbt_lock);
	return 0;
}

/**
 * kfbt_port_unlink() - an export cannot be reached by a port any more
 * @port: the port, which stops to listen with its last export
 * @export: the export
 *
 * Sessions with it by this port have ended when this returns.
 *
 * Context: kfbt_config_lock held, may sleep.
 */
void kfbt_port_unlink(struct kfbt_port *port, struct kfbt_export *export)
{
	struct kfbt_link *link;

	lockdep_assert_held(&kfbt_config_lock);
	link = kfbt_port_find(port, export);
	if (!link)
		return;
	spin_lock(&kfbt_lock);
	list_del(&link->node);
	spin_unlock(&kfbt_lock);
	kfree(link);
	kfbt_port_end_sessions(port, export, KFB_SHUTDOWN);
	if (list_empty(&port->links))
		kfbt_port_stop(port, KFB_SHUTDOWN);
}
