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
		info->handle->ops->close(info->handle);
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

/* Copies @len bytes at *@member, which still points into the original. */
static bool own_copy(void *member, size_t len)
{
	void **ptr = member;

	if (!*ptr)
		return true;
	*ptr = kmemdup(*ptr, len, GFP_KERNEL);
	return *ptr;
}

static bool own_string(char **member)
{
	return !*member || own_copy(member, strlen(*member) + 1);
}

/*
 * Members that point into the original are cleared first, so that a copy that
 * failed half way owns all that it points to.
 */
static bool dup_fabric_attr(struct kfi_fabric_attr *to,
			    const struct kfi_fabric_attr *from)
{
	*to = *from;
	to->prov_name = NULL;
	if (!own_string(&to->name))
		return false;
	to->prov_name = from->prov_name;
	return own_string(&to->prov_name);
}

static bool dup_domain_attr(struct kfi_domain_attr *to,
			    const struct kfi_domain_attr *from)
{
	*to = *from;
	to->auth_key = NULL;
	if (!own_string(&to->name))
		return false;
	to->auth_key = from->auth_key;
	return own_copy(&to->auth_key, from->auth_key_size);
}

static bool dup_attrs(struct kfi_info *to, const struct kfi_info *from)
{
	if (from->tx_attr)
		*to->tx_attr = *from->tx_attr;
	if (from->rx_attr)
		*to->rx_attr = *from->rx_attr;
	if (from->ep_attr) {
		*to->ep_attr = *from->ep_attr;
		if (!own_copy(&to->ep_attr->auth_key,
			      from->ep_attr->auth_key_size))
			return false;
	}
	if (from->domain_attr &&
	    !dup_domain_attr(to->domain_attr, from->domain_attr))
		return false;
	return !from->fabric_attr ||
	       dup_fabric_attr(to->fabric_attr, from->fabric_attr);
}

static bool dup_addrs(struct kfi_info *to, const struct kfi_info *from)
{
	to->src_addr = from->src_addr;
	if (!own_copy(&to->src_addr, from->src_addrlen))
		return false;
	to->dest_addr = from->dest_addr;
	return own_copy(&to->dest_addr, from->dest_addrlen);
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
	if (info->handle && kfi_obj_get(info->handle))
		dup->handle = info->handle;
	if (!dup_attrs(dup, info) || !dup_addrs(dup, info)) {
		kfi_freeinfo(dup);
		return NULL;
	}
	return dup;
}
EXPORT_SYMBOL_GPL(kfi_dupinfo);
