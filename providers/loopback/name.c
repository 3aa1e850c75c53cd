// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Addresses. Any address is one of this host, in each network namespace; what
 * counts is who has which port of it.
 */

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>

#include "conn.h"
#include "loopback.h"

/* What the Internet's numbers authority leaves to dynamic use. */
#define LO_FIRST_PORT	49152
#define LO_NR_PORTS	16384

/* Protects the names, and with lo_names_lock() passive endpoints from closing. */
static DEFINE_MUTEX(lo_names_mutex);
static LIST_HEAD(lo_names);
static unsigned int lo_last_port;

/*
 * Reclaim may need a connection to get on, and connecting needs this lock: no
 * allocation under it may wait for reclaim.
 */
void lo_names_lock(unsigned int *noio)
{
	mutex_lock(&lo_names_mutex);
	*noio = memalloc_noio_save();
}

void lo_names_unlock(unsigned int noio)
{
	memalloc_noio_restore(noio);
	mutex_unlock(&lo_names_mutex);
}

/* The port is in the same place for both families. */
static __be16 *lo_port(struct sockaddr_storage *addr)
{
	return &((struct sockaddr_in *)addr)->sin_port;
}

static bool lo_is_any(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET6)
		return ipv6_addr_any(&((struct sockaddr_in6 *)addr)->sin6_addr);
	return ((struct sockaddr_in *)addr)->sin_addr.s_addr ==
	       htonl(INADDR_ANY);
}

static bool lo_same_host(const struct sockaddr_storage *a,
			 const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (lo_is_any(a) || lo_is_any(b))
		return true;
	if (a->ss_family == AF_INET6)
		return ipv6_addr_equal(&((struct sockaddr_in6 *)a)->sin6_addr,
				       &((struct sockaddr_in6 *)b)->sin6_addr);
	return ((struct sockaddr_in *)a)->sin_addr.s_addr ==
	       ((struct sockaddr_in *)b)->sin_addr.s_addr;
}

static struct lo_name *lo_name_at(const struct net *net,
				  struct sockaddr_storage *addr)
{
	struct lo_name *name;

	lockdep_assert_held(&lo_names_mutex);
	list_for_each_entry(name, &lo_names, node)
		if (net_eq(name->net, net) &&
		    *lo_port(&name->addr) == *lo_port(addr) &&
		    lo_same_host(&name->addr, addr))
			return name;
	return NULL;
}

static int lo_choose_port(const struct net *net, struct sockaddr_storage *addr)
{
	unsigned int i;

	for (i = 0; i < LO_NR_PORTS; i++) {
		lo_last_port = (lo_last_port + 1) % LO_NR_PORTS;
		*lo_port(addr) = htons(LO_FIRST_PORT + lo_last_port);
		if (!lo_name_at(net, addr))
			return 0;
	}
	return -EADDRNOTAVAIL;
}

/*
 * Takes an address, with a free port if it has none, or returns -EADDRINUSE,
 * -EADDRNOTAVAIL, -ENOMEM. Under lo_names_lock(), as all that follows.
 */
struct lo_name *lo_name_take(struct net *net,
			     const struct sockaddr_storage *addr)
{
	struct lo_name *name;
	int ret = 0;

	name = kzalloc_obj(*name);
	if (!name)
		return ERR_PTR(-ENOMEM);
	name->net = net;
	name->addr = *addr;
	if (!*lo_port(&name->addr))
		ret = lo_choose_port(net, &name->addr);
	else if (lo_name_at(net, &name->addr))
		ret = -EADDRINUSE;
	if (ret) {
		kfree(name);
		return ERR_PTR(ret);
	}
	list_add_tail(&name->node, &lo_names);
	return name;
}

void lo_name_drop(struct lo_name *name)
{
	lockdep_assert_held(&lo_names_mutex);
	list_del(&name->node);
	kfree(name);
}

/* Who listens at an address, or NULL. */
struct lo_pep *lo_name_find(struct net *net, struct sockaddr_storage *addr)
{
	struct lo_name *name = lo_name_at(net, addr);

	return name && name->pep && name->pep->listening ? name->pep : NULL;
}

/* An address from a caller; @len is what there is of it. */
int lo_addr_copy(struct sockaddr_storage *to, const void *from, size_t len)
{
	memset(to, 0, sizeof(*to));
	if (!from)
		return 0;
	if (!kfi_sockaddr_valid(from, len))
		return -EINVAL;
	memcpy(to, from, kfi_sockaddr_len(from));
	return 0;
}
