// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Addresses: numeric nodes and services, and what is a valid struct sockaddr.
 */

#include <linux/export.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/inet.h>
#include <linux/kstrtox.h>
#include <linux/string.h>

#include "core.h"

/**
 * kfi_sockaddr_valid() - whether an address is one that providers know
 * @addr: a struct sockaddr, from a caller
 * @len: its bytes
 *
 * Context: Any context.
 * Return: true for an IPv4 or IPv6 address that is wholly there.
 */
bool kfi_sockaddr_valid(const void *addr, size_t len)
{
	const struct sockaddr *sa = addr;

	if (!addr || len < sizeof(sa->sa_family))
		return false;
	switch (sa->sa_family) {
	case AF_INET:
		return len >= sizeof(struct sockaddr_in);
	case AF_INET6:
		return len >= sizeof(struct sockaddr_in6);
	default:
		return false;
	}
}
EXPORT_SYMBOL_GPL(kfi_sockaddr_valid);

/**
 * kfi_sockaddr_len() - bytes of an address
 * @addr: a valid address
 *
 * Context: Any context.
 * Return: bytes, 0 for a family that providers do not know.
 */
size_t kfi_sockaddr_len(const struct sockaddr_storage *addr)
{
	switch (addr->ss_family) {
	case AF_INET:
		return sizeof(struct sockaddr_in);
	case AF_INET6:
		return sizeof(struct sockaddr_in6);
	default:
		return 0;
	}
}
EXPORT_SYMBOL_GPL(kfi_sockaddr_len);

/**
 * kfi_sockaddr_format() - format of an address
 * @addr: a valid address
 *
 * Context: Any context.
 * Return: KFI_SOCKADDR_IN, KFI_SOCKADDR_IN6, or KFI_FORMAT_UNSPEC.
 */
u32 kfi_sockaddr_format(const struct sockaddr_storage *addr)
{
	switch (addr->ss_family) {
	case AF_INET:
		return KFI_SOCKADDR_IN;
	case AF_INET6:
		return KFI_SOCKADDR_IN6;
	default:
		return KFI_FORMAT_UNSPEC;
	}
}
EXPORT_SYMBOL_GPL(kfi_sockaddr_format);

/* The port is in the same place for both families. */
static void set_port(struct sockaddr_storage *addr, u16 port)
{
	((struct sockaddr_in *)addr)->sin_port = htons(port);
}

/**
 * kfi_sockaddr_parse() - make an address of a node and a service
 * @net: network namespace, which a scope in @node refers to
 * @node: numeric IPv4 or IPv6 address, or NULL for any
 * @service: numeric port, or NULL for 0
 * @format: KFI_FORMAT_UNSPEC, or what the address has to be
 * @addr: where the address is returned
 *
 * Context: Process context.
 * Return: 0, -EINVAL when @node or @service is not numeric, -ENODATA when the
 * address is of another format.
 */
int kfi_sockaddr_parse(struct net *net, const char *node, const char *service,
		       u32 format, struct sockaddr_storage *addr)
{
	u16 port = 0;

	memset(addr, 0, sizeof(*addr));
	if (service && kstrtou16(service, 10, &port))
		return -EINVAL;
	if (!node)
		addr->ss_family = format == KFI_SOCKADDR_IN6 ? AF_INET6 : AF_INET;
	else if (inet_pton_with_scope(net, AF_UNSPEC, node, NULL, addr))
		return -EINVAL;
	set_port(addr, port);
	if (format != KFI_FORMAT_UNSPEC && format != KFI_SOCKADDR &&
	    format != kfi_sockaddr_format(addr))
		return -ENODATA;
	return 0;
}
