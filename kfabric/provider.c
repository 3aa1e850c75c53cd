// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The registry of providers, and the two calls that reach one by name.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/kmod.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/net_namespace.h>

#include "core.h"

#define KFI_GETINFO_FLAGS	(KFI_SOURCE | KFI_NUMERICHOST | \
				 KFI_PROV_ATTR_ONLY)

/* Protects the list and the ids. Never held while a provider is called. */
static DEFINE_MUTEX(providers_lock);
static LIST_HEAD(providers);
static u64 last_id;

static struct kfi_provider *find_provider(const char *name)
{
	struct kfi_provider *provider;

	lockdep_assert_held(&providers_lock);
	list_for_each_entry(provider, &providers, node)
		if (!strcmp(provider->name, name))
			return provider;
	return NULL;
}

/**
 * kfi_provider_register() - make a provider known
 * @provider: the provider; name, owner, getinfo and fabric are set
 *
 * Context: Process context, may sleep.
 * Return: 0, -EINVAL when a member is missing, -EEXIST when there is a provider
 * of that name.
 */
int kfi_provider_register(struct kfi_provider *provider)
{
	if (!provider->name || !provider->getinfo || !provider->fabric)
		return -EINVAL;

	guard(mutex)(&providers_lock);
	if (find_provider(provider->name))
		return -EEXIST;
	provider->id = ++last_id;
	INIT_LIST_HEAD(&provider->eps);
	list_add_tail(&provider->node, &providers);
	return 0;
}
EXPORT_SYMBOL_GPL(kfi_provider_register);

/**
 * kfi_provider_deregister() - forget a provider
 * @provider: a registered provider
 *
 * To be called from the module's exit only, or while no call to the provider can
 * be under way: what is open, and each call, holds a reference to the module.
 *
 * Context: Process context, may sleep.
 */
void kfi_provider_deregister(struct kfi_provider *provider)
{
	guard(mutex)(&providers_lock);
	list_del(&provider->node);
}
EXPORT_SYMBOL_GPL(kfi_provider_deregister);

/**
 * kfi_provider_put() - drop the reference that an open fabric holds
 * @provider: the provider, from the close of its fabric, as the last thing; or from
 *	kfi_provider_get()
 *
 * Context: Any context.
 */
void kfi_provider_put(struct kfi_provider *provider)
{
	module_put(provider->owner);
}
EXPORT_SYMBOL_GPL(kfi_provider_put);

/* The first provider registered after @id, with a reference, or NULL. */
struct kfi_provider *kfi_provider_next(u64 id)
{
	struct kfi_provider *provider;

	guard(mutex)(&providers_lock);
	list_for_each_entry(provider, &providers, node)
		if (provider->id > id && try_module_get(provider->owner))
			return provider;
	return NULL;
}

/* Calls @fn for each provider, which is not removed meanwhile. */
void kfi_provider_each(void (*fn)(struct kfi_provider *provider, void *arg),
		       void *arg)
{
	struct kfi_provider *provider;
	u64 id = 0;

	while ((provider = kfi_provider_next(id))) {
		id = provider->id;
		fn(provider, arg);
		kfi_provider_put(provider);
	}
}

/**
 * kfi_provider_get() - find a provider that is loaded
 * @name: its name
 *
 * Context: Process context, may sleep.
 * Return: the provider, with a reference for kfi_provider_put(), or NULL.
 */
struct kfi_provider *kfi_provider_get(const char *name)
{
	struct kfi_provider *provider;

	guard(mutex)(&providers_lock);
	provider = find_provider(name);
	return provider && try_module_get(provider->owner) ? provider : NULL;
}
EXPORT_SYMBOL_GPL(kfi_provider_get);

static struct kfi_provider *get_provider_by_name(const char *name)
{
	struct kfi_provider *provider;

	provider = kfi_provider_get(name);
	if (provider)
		return provider;
	request_module("kfi-prov-%s", name);
	return kfi_provider_get(name);
}

/* Whether the answers of @provider say who gave them. */
static bool complete_answers(const struct kfi_provider *provider,
			     struct kfi_info *list)
{
	struct kfi_info *info;
	struct kfi_fabric_attr *attr;

	for (info = list; info; info = info->next) {
		attr = info->fabric_attr;
		attr->prov_version = provider->version;
		if (attr->prov_name)
			continue;
		attr->prov_name = kstrdup(provider->name, GFP_KERNEL);
		if (!attr->prov_name)
			return false;
	}
	return true;
}

static void append_list(struct kfi_info **list, struct kfi_info *more)
{
	while (*list)
		list = &(*list)->next;
	*list = more;
}

/* What KFI_PROV_ATTR_ONLY asks for: an info that names the provider. */
static int name_provider(const struct kfi_getinfo_req *req,
			 struct kfi_info **list)
{
	*list = kfi_allocinfo();
	if (!*list)
		return -ENOMEM;
	(*list)->fabric_attr->api_version = req->version;
	return 0;
}

/* An answer that failed for want of memory is not the same as none. */
static int ask_provider(const struct kfi_provider *provider,
			const struct kfi_getinfo_req *req,
			struct kfi_info **list)
{
	struct kfi_info *answers = NULL;
	int ret;

	if (req->flags & KFI_PROV_ATTR_ONLY)
		ret = name_provider(req, &answers);
	else
		ret = provider->getinfo(req, &answers);
	if (!ret && !complete_answers(provider, answers))
		ret = -ENOMEM;
	if (!ret) {
		append_list(list, answers);
		return 0;
	}
	if (ret != -ENODATA)
		pr_debug("getinfo of %s: %d\n", provider->name, ret);
	kfi_freeinfo(answers);
	return ret == -ENOMEM ? ret : -ENODATA;
}

static int ask_all(const struct kfi_getinfo_req *req, struct kfi_info **list)
{
	struct kfi_provider *provider;
	int ret = -ENODATA;
	u64 id = 0;

	while ((provider = kfi_provider_next(id))) {
		id = provider->id;
		if (ask_provider(provider, req, list) == -ENOMEM)
			ret = -ENOMEM;
		kfi_provider_put(provider);
	}
	return *list ? 0 : ret;
}

static int ask_one(const char *name, const struct kfi_getinfo_req *req,
		   struct kfi_info **list)
{
	struct kfi_provider *provider = get_provider_by_name(name);
	int ret;

	if (!provider)
		return -ENODATA;
	ret = ask_provider(provider, req, list);
	kfi_provider_put(provider);
	return ret;
}

static int copy_addr(struct sockaddr_storage *to, const void *from, size_t len)
{
	if (!from)
		return 0;
	if (!kfi_sockaddr_valid(from, len))
		return -EINVAL;
	memcpy(to, from, kfi_sockaddr_len(from));
	return 0;
}

/* The addresses of hints, overruled by node and service. */
static int get_addrs(struct kfi_getinfo_req *req, const char *node,
		     const char *service)
{
	const struct kfi_info *hints = req->hints;
	u32 format = hints ? hints->addr_format : KFI_FORMAT_UNSPEC;
	bool source = req->flags & KFI_SOURCE;
	int ret;

	if (hints) {
		ret = copy_addr(&req->src, hints->src_addr,
				hints->src_addrlen);
		if (ret)
			return ret;
		ret = copy_addr(&req->dest, hints->dest_addr,
				hints->dest_addrlen);
		if (ret)
			return ret;
	}
	if (!node && !service)
		return source && !req->src.ss_family ? -EINVAL : 0;
	if (!node && !source)
		return -EINVAL;
	return kfi_sockaddr_parse(req->net, node, service, format,
				  source ? &req->src : &req->dest);
}

static int get_format(struct kfi_getinfo_req *req)
{
	u32 src = kfi_sockaddr_format(&req->src);
	u32 dest = kfi_sockaddr_format(&req->dest);
	u32 wanted;

	if (src && dest && src != dest)
		return -EINVAL;
	req->addr_format = src ? src : dest;
	if (!req->addr_format || !req->hints)
		return 0;
	wanted = req->hints->addr_format;
	return wanted == KFI_FORMAT_UNSPEC || wanted == KFI_SOCKADDR ||
	       wanted == req->addr_format ? 0 : -ENODATA;
}

/**
 * kfi_getinfo() - find out what there is
 * @version: KFI_VERSION() that the consumer was written for
 * @node: numeric IPv4 or IPv6 address of the peer, with KFI_SOURCE of this end;
 *	NULL when hints have it, or nobody cares; with KFI_SOURCE NULL is any
 * @service: decimal port at @node, or NULL; without @node only with KFI_SOURCE
 * @flags: KFI_SOURCE, KFI_NUMERICHOST, KFI_PROV_ATTR_ONLY
 * @hints: what is asked for, see kfi_info_mismatch(); NULL asks for nothing. A
 *	provider that is named and not there is loaded
 * @info: where the list is returned, for kfi_freeinfo(); NULL on failure
 *
 * Never waits for the network; whether @node can be reached is found out by
 * kfi_connect().
 *
 * Context: Process context, may sleep.
 * Return: 0; -ENODATA when nothing matches; -EINVAL for bad arguments; -ENOMEM;
 * -EOPNOTSUPP when @version is newer than the core.
 */
int kfi_getinfo(u32 version, const char *node, const char *service, u64 flags,
		const struct kfi_info *hints, struct kfi_info **info)
{
	struct kfi_getinfo_req req = {
		.version = version, .flags = flags, .hints = hints,
		.net = &init_net,
	};
	const char *name = NULL;
	int ret;

	might_sleep();
	if (!info)
		return -EINVAL;
	*info = NULL;
	if (flags & ~KFI_GETINFO_FLAGS)
		return -EINVAL;
	if (KFI_VERSION_LT(kfi_version(), version))
		return -EOPNOTSUPP;
	if (hints && hints->fabric_attr) {
		name = hints->fabric_attr->prov_name;
		if (hints->fabric_attr->net)
			req.net = hints->fabric_attr->net;
	}
	ret = get_addrs(&req, node, service);
	if (!ret)
		ret = get_format(&req);
	if (ret)
		return ret;

	return name ? ask_one(name, &req, info) : ask_all(&req, info);
}
EXPORT_SYMBOL_GPL(kfi_getinfo);

/**
 * kfi_fabric() - open a fabric
 * @attr: what kfi_getinfo() gave; prov_name and name are needed
 * @fabric: where the fabric is returned
 * @context: &kfid.context of the fabric
 *
 * The provider's module cannot be removed while the fabric is open.
 *
 * Context: Process context, may sleep.
 * Return: 0, -EINVAL, -ENODEV when there is no such provider, or an error of the
 * provider.
 */
int kfi_fabric(struct kfi_fabric_attr *attr, struct kfid_fabric **fabric,
	       void *context)
{
	struct kfi_provider *provider;
	int ret;

	might_sleep();
	if (!attr || !attr->prov_name || !attr->name || !fabric)
		return -EINVAL;
	provider = get_provider_by_name(attr->prov_name);
	if (!provider)
		return -ENODEV;
	ret = provider->fabric(attr, fabric, context);
	if (ret)
		kfi_provider_put(provider);
	return ret;
}
EXPORT_SYMBOL_GPL(kfi_fabric);
