// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Allocation, copy and release of struct kfi_info.
 */

#include <linux/export.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_prov.h>

static void free_one(struct kfi_info *info)
{
	if (info->handle)
		kfi_close(info->handle);
	if (info->fabric_attr) {
		kfree(info->fabric_attr->name);
		kfree(info->fabric_attr->prov_name);
		kfree(info->fabric_attr);
	}
	if (info->domain_attr) {
		kfree(info->domain_attr->name);
		kfree(info->domain_attr->auth_key);
		kfree(info->domain_attr);
	}
	if (info->ep_attr) {
		kfree(info->ep_attr->auth_key);
		kfree(info->ep_attr);
	}
	kfree(info->rx_attr);
	kfree(info->tx_attr);
	kfree(info->src_addr);
	kfree(info->dest_addr);
	kfree(info);
}

/**
 * kfi_freeinfo() - free a list of infos
 * @info: its first entry, or NULL. Strings, addresses and keys in it are freed
 *	too, so a caller who sets them allocates them with kmalloc() or kstrdup()
 *
 * A connection request that nobody consumed is rejected with its last info.
 *
 * Context: Process context, may sleep.
 */
void kfi_freeinfo(struct kfi_info *info)
{
	struct kfi_info *next;

	might_sleep();
	for (; info; info = next) {
		next = info->next;
		free_one(info);
	}
}
EXPORT_SYMBOL_GPL(kfi_freeinfo);

/**
 * kfi_allocinfo() - allocate an empty info with all of its attributes
 *
 * Context: Process context, may sleep.
 * Return: the info, for kfi_freeinfo(); NULL when there is no memory.
 */
struct kfi_info *kfi_allocinfo(void)
{
	struct kfi_info *info;

	info = kzalloc_obj(*info);
	if (!info)
		return NULL;
	info->tx_attr = kzalloc_obj(*info->tx_attr);
	info->rx_attr = kzalloc_obj(*info->rx_attr);
	info->ep_attr = kzalloc_obj(*info->ep_attr);
	info->domain_attr = kzalloc_obj(*info->domain_attr);
	info->fabric_attr = kzalloc_obj(*info->fabric_attr);
	if (!info->tx_attr || !info->rx_attr || !info->ep_attr ||
	    !info->domain_attr || !info->fabric_attr) {
		kfi_freeinfo(info);
		return NULL;
	}
	return info;
}
EXPORT_SYMBOL_GPL(kfi_allocinfo);

/*
 * A copy of what is there. Without memory for it @ok is cleared, and the caller
 * goes on: every pointer has to be replaced, because a copy that has failed must
 * not point into the original when it is freed.
 */
static void *dup_mem(const void *from, size_t len, bool *ok)
{
	void *to = from ? kmemdup(from, len, GFP_KERNEL) : NULL;

	*ok = *ok && (to || !from);
	return to;
}

static char *dup_string(const char *from, bool *ok)
{
	return dup_mem(from, from ? strlen(from) + 1 : 0, ok);
}

static bool dup_fabric_attr(struct kfi_fabric_attr *to,
			    const struct kfi_fabric_attr *from)
{
	bool ok = true;

	*to = *from;
	to->name = dup_string(from->name, &ok);
	to->prov_name = dup_string(from->prov_name, &ok);
	return ok;
}

static bool dup_domain_attr(struct kfi_domain_attr *to,
			    const struct kfi_domain_attr *from)
{
	bool ok = true;

	*to = *from;
	to->name = dup_string(from->name, &ok);
	to->auth_key = dup_mem(from->auth_key, from->auth_key_size, &ok);
	return ok;
}

static bool dup_ep_attr(struct kfi_ep_attr *to, const struct kfi_ep_attr *from)
{
	bool ok = true;

	*to = *from;
	to->auth_key = dup_mem(from->auth_key, from->auth_key_size, &ok);
	return ok;
}

static bool dup_attrs(struct kfi_info *to, const struct kfi_info *from)
{
	if (from->tx_attr)
		*to->tx_attr = *from->tx_attr;
	if (from->rx_attr)
		*to->rx_attr = *from->rx_attr;
	if (from->ep_attr && !dup_ep_attr(to->ep_attr, from->ep_attr))
		return false;
	if (from->domain_attr &&
	    !dup_domain_attr(to->domain_attr, from->domain_attr))
		return false;
	return !from->fabric_attr ||
	       dup_fabric_attr(to->fabric_attr, from->fabric_attr);
}

static bool dup_addrs(struct kfi_info *to, const struct kfi_info *from)
{
	bool ok = true;

	to->src_addr = dup_mem(from->src_addr, from->src_addrlen, &ok);
	to->dest_addr = dup_mem(from->dest_addr, from->dest_addrlen, &ok);
	return ok;
}

/**
 * kfi_dupinfo() - copy an info
 * @info: the info, of which this entry is copied and not the list; NULL is as
 *	kfi_allocinfo()
 *
 * The copy of a connection request stands for the same request.
 *
 * Context: Process context, may sleep.
 * Return: the copy, for kfi_freeinfo(); NULL when there is no memory.
 */
struct kfi_info *kfi_dupinfo(const struct kfi_info *info)
{
	struct kfi_info *dup;

	dup = kfi_allocinfo();
	if (!dup || !info)
		return dup;

	dup->caps = info->caps;
	dup->mode = info->mode;
	dup->addr_format = info->addr_format;
	dup->src_addrlen = info->src_addrlen;
	dup->dest_addrlen = info->dest_addrlen;
	/* the info holds a reference, so the request is there */
	if (info->handle && !WARN_ON_ONCE(!kfi_obj_get(info->handle)))
		dup->handle = info->handle;
	if (!dup_attrs(dup, info) || !dup_addrs(dup, info)) {
		kfi_freeinfo(dup);
		return NULL;
	}
	return dup;
}
EXPORT_SYMBOL_GPL(kfi_dupinfo);
