/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Devices, fabrics, domains and memory regions of the verbs provider.
 */

#ifndef KFV_VERBS_H
#define KFV_VERBS_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/xarray.h>
#include <rdma/ib_verbs.h>

#include <kfi_memdev.h>
#include <kfi_prov.h>
#include <kfi_track.h>

#include "limits.h"

#define KFV_NAME		"verbs"

/* Fits a commit request next to the most ranges. */
#define KFV_INJECT_SIZE		96

struct kfv_ep;
struct kfv_mr;

/**
 * enum kfv_flush - whether a device flushes what kernel consumers ask it to
 * @KFV_FLUSH_UNKNOWN: nobody has tried
 * @KFV_FLUSH_NO: it does not
 * @KFV_FLUSH_YES: it does
 */
enum kfv_flush {
	KFV_FLUSH_UNKNOWN,
	KFV_FLUSH_NO,
	KFV_FLUSH_YES,
};

/**
 * struct kfv_device - an RDMA device
 * @ib: the device; not to be used by who does not know that it is there
 * @kref: one for the device, one for each domain, listener and request
 * @node: in the list of devices
 * @lock: protects what follows, and who destroys the CM ids that the listeners
 *	and requests in the lists have. Taken inside of a CM id's handler lock
 * @domains: open domains
 * @peps: passive endpoints on an address of the device
 * @connreqs: connection requests that came in by it
 * @gone: the device was removed
 * @flush: what kfv_flush_test() found
 * @listen_lock: keeps the CM id of a listener while it begins to listen, which
 *	@lock must not be held for; outside of @lock
 * @max_msg_sz: of each port, by its number
 */
struct kfv_device {
	struct ib_device	*ib;
	struct kref		kref;
	struct list_head	node;
	/* protects what follows up to @gone, and who destroys CM ids */
	struct mutex		lock;
	struct list_head	domains;
	struct list_head	peps;
	struct list_head	connreqs;
	bool			gone;
	enum kfv_flush		flush;
	/* keeps a listener's CM id while it begins to listen */
	struct mutex		listen_lock;
	u32			max_msg_sz[];
};

/**
 * struct kfv_fabric - an open fabric
 * @fabric: what the consumer has
 * @net: its network namespace
 * @name: its name, see kfv_offer_init()
 */
struct kfv_fabric {
	struct kfid_fabric	fabric;
	struct net		*net;
	char			name[KFI_NAME_MAX];
};

/**
 * struct kfv_registrar - a queue pair that does nothing but register memory
 * @lock: one registration at a time
 * @qp: connected to itself; made when it is first needed, or again after an error
 * @cq: its completion queue
 */
struct kfv_registrar {
	/* serialises registrations; protects @qp and @cq */
	struct mutex	lock;
	struct ib_qp	*qp;
	struct ib_cq	*cq;
};

/**
 * struct kfv_domain - an open domain
 * @domain: what the consumer has
 * @fabric: its fabric
 * @dev: its device
 * @ib: the device; used with a reference to @active only
 * @pd: protection domain
 * @dma_device: what does the device's DMA, or NULL; consumers may look at it
 * @port: port of the device
 * @attr: of the port, when the domain was opened
 * @owner: name of the consumer's module
 * @name: name of the device, when the domain was opened
 * @scope: what user space sees of it
 * @node: in the device's list
 * @active: one for the device being there, one for each call that uses it
 * @inactive: @active has gone to nothing
 * @gone: everything of the device was destroyed
 * @lock: protects @eps and @mrs
 * @eps: endpoints
 * @mrs: memory regions
 * @registrar: registers memory
 * @flushes: the device flushes, and is asked to; never changes
 * @pmem: persistent regions by the key that the device knows
 * @next_key: variant of the next region's key
 */
struct kfv_domain {
	struct kfid_domain	domain;
	struct kfv_fabric	*fabric;
	struct kfv_device	*dev;
	struct ib_device	*ib;
	struct ib_pd		*pd;
	struct device		*dma_device;
	u32			port;
	struct ib_port_attr	attr;
	const char		*owner;
	char			name[IB_DEVICE_NAME_MAX];
	struct kfi_scope	scope;
	struct list_head	node;
	refcount_t		active;
	struct completion	inactive;
	struct completion	gone;
	/* protects @eps and @mrs */
	struct mutex		lock;
	struct list_head	eps;
	struct list_head	mrs;
	struct kfv_registrar	registrar;
	bool			flushes;
	struct xarray		pmem;
	u8			next_key;
};

/**
 * struct kfv_mr - a memory region
 * @mr: what the consumer has
 * @track: what user space sees of it
 * @domain: its domain
 * @node: in the domain's list
 * @lock: protects @ib and @sgt: who ends remote access
 * @ib: the region, or NULL when its key is dead
 * @sgt: its memory, mapped for DMA
 * @vaddr: kernel address of the memory, if it has one
 * @len: bytes
 * @lkey: local key
 * @local_write: the device may write to it on our behalf
 * @remote_write: peers may write to it
 * @flushable: with KFI_PMEM: the device flushes it, or peers may not write to it
 * @key: what the device knows it by
 * @region: with KFI_PMEM: its place in a memory device
 * @commits: commits that use @region, and one for the region being there
 * @committed: @commits has gone to nothing
 */
struct kfv_mr {
	struct kfid_mr		mr;
	struct kfi_mr_track	track;
	struct kfv_domain	*domain;
	struct list_head	node;
	/* protects @ib and @sgt */
	struct mutex		lock;
	struct ib_mr		*ib;
	struct sg_table		sgt;
	const void		*vaddr;
	size_t			len;
	u32			lkey;
	bool			local_write;
	bool			remote_write;
	bool			flushable;
	u32			key;
	struct kfi_pmem_region	region;
	refcount_t		commits;
	struct completion	committed;
};

/**
 * struct kfv_offer - what a port of a device can do
 * @info: the answer to a kfi_getinfo() that asks for nothing
 * @limits: of its endpoints
 * @tx: of @info, as are all that follow
 * @rx: see @tx
 * @ep: see @tx
 * @domain: see @tx
 * @fabric: see @tx
 * @fabric_name: of @fabric
 * @domain_name: of @domain
 */
struct kfv_offer {
	struct kfi_info		info;
	struct kfv_limits	limits;
	struct kfi_tx_attr	tx;
	struct kfi_rx_attr	rx;
	struct kfi_ep_attr	ep;
	struct kfi_domain_attr	domain;
	struct kfi_fabric_attr	fabric;
	char			fabric_name[KFI_NAME_MAX];
	char			domain_name[IB_DEVICE_NAME_MAX];
};

/* main.c */
extern struct kfi_provider kfv_provider;
extern struct workqueue_struct *kfv_wq;

/* device.c */
extern struct ib_client kfv_client;
struct kfv_device *kfv_device_next(struct kfv_device *dev);
struct kfv_device *kfv_device_get(struct ib_device *ib);
void kfv_device_put(struct kfv_device *dev);
int kfv_device_port(const struct kfv_device *dev, u32 port,
		    struct ib_port_attr *attr);

/* info.c */
int kfv_query_port(struct ib_device *ib, u32 port, struct ib_port_attr *attr);
int kfv_offer_init(struct kfv_offer *offer, struct ib_device *ib, u32 port,
		   const struct ib_port_attr *attr, enum kfi_ep_kind kind);
int kfv_getinfo(const struct kfi_getinfo_req *req, struct kfi_info **info);

/* fabric.c */
int kfv_fabric_open(struct kfi_fabric_attr *attr, struct kfid_fabric **fabric,
		    void *context);

/* domain.c */
int kfv_domain_open(struct kfid_fabric *fabric, struct kfi_info *info,
		    struct kfid_domain **domain, void *context,
		    const char *owner);
void kfv_domain_put(struct kfv_domain *domain);
void kfv_domain_remove(struct kfv_domain *domain);

static inline struct kfv_fabric *to_kfv_fabric(struct kfid_fabric *fabric)
{
	return container_of(fabric, struct kfv_fabric, fabric);
}

static inline struct kfv_domain *to_kfv_domain(struct kfid_domain *domain)
{
	return container_of(domain, struct kfv_domain, domain);
}

/* Whether the device is there, and if so it stays until kfv_domain_put(). */
static inline bool kfv_domain_get(struct kfv_domain *domain)
{
	return refcount_inc_not_zero(&domain->active);
}

/* registrar.c */
void kfv_registrar_init(struct kfv_registrar *reg);
void kfv_registrar_destroy(struct kfv_registrar *reg);
int kfv_registrar_execute(struct kfv_domain *domain, struct ib_send_wr *wr);
int kfv_registrar_register(struct kfv_domain *domain, struct ib_mr *mr,
			   int access);
void kfv_registrar_invalidate(struct kfv_domain *domain, u32 key);

/* mr.c */
int kfv_mr_regattr(struct kfid_domain *domain, const struct kfi_mr_attr *attr,
		   u64 flags, struct kfid_mr **mr);
void kfv_mr_kill(struct kfv_mr *mr);

/* mr_sgl.c */
int kfv_mr_sgl_alloc(struct sg_table *sgt, const struct kfi_mr_attr *attr,
		     size_t max);
int kfv_mr_page_size(const struct sg_table *sgt,
		     const struct ib_device_attr *attrs, u64 *page_size,
		     u64 *entries);

/* cq.c */
int kfv_cq_open(struct kfid_domain *domain, struct kfi_cq_attr *attr,
		struct kfid_cq **cq, kfi_comp_handler handler, void *context,
		const char *owner);

/* ep.c */
int kfv_ep_open(struct kfid_domain *domain, struct kfi_info *info,
		struct kfid_ep **ep, void *context, const char *owner);
void kfv_ep_remove(struct kfv_ep *ep);

/* pep.c */
int kfv_pep_open(struct kfid_fabric *fabric, struct kfi_info *info,
		 struct kfid_pep **pep, void *context, const char *owner);
void kfv_peps_remove(struct kfv_device *dev);

#endif /* KFV_VERBS_H */
