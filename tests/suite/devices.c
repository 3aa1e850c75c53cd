// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Two RDMA devices in one network namespace. The script has made the second one, at an
 * address of its own.
 */

#include <linux/in.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "suite.h"

#define DEVICES_FIRST	"rxe0"
#define DEVICES_SECOND	"rxe1"
#define DEVICES_ADDR	"10.9.2.1"

/* What there is at @node, or all there is; on a device if that is named. */
static int devices_getinfo(const char *node, const char *service, u64 flags,
			   const char *device, struct kfi_info **list)
{
	struct kfi_info *hints = suite_hints(SUITE_RAW);
	int ret = -ENOMEM;

	*list = NULL;
	if (!hints)
		return ret;
	if (device)
		hints->domain_attr->name = kstrdup(device, GFP_KERNEL);
	if (!device || hints->domain_attr->name)
		ret = kfi_getinfo(SUITE_API_VERSION, node, service, flags,
				  hints, list);
	kfi_freeinfo(hints);
	return ret;
}

static bool is_on(const struct kfi_info *info, const char *device)
{
	return !strcmp(info->domain_attr->name, device);
}

/* Offers, of one device at least, are all of @device. */
static void expect_on(struct suite *t, const char *node, const char *device)
{
	struct kfi_info *list, *info;

	if (!EXPECT_OK(t, devices_getinfo(node, NULL, KFI_SOURCE, NULL,
					  &list)))
		return;
	for (info = list; info; info = info->next)
		EXPECT(t, is_on(info, device));
	kfi_freeinfo(list);
}

static void test_offers(struct suite *t)
{
	struct kfi_info *list, *info;
	unsigned int changes = 0;

	if (!EXPECT_OK(t, devices_getinfo(NULL, NULL, 0, NULL, &list)))
		return;
	EXPECT(t, is_on(list, DEVICES_FIRST));
	for (info = list; info->next; info = info->next)
		changes += !is_on(info->next, info->domain_attr->name);
	EXPECT_EQ(t, changes, 1);
	EXPECT(t, is_on(info, DEVICES_SECOND));
	kfi_freeinfo(list);

	expect_on(t, suite_address(), DEVICES_FIRST);
	expect_on(t, DEVICES_ADDR, DEVICES_SECOND);
	EXPECT_EQ(t, devices_getinfo(suite_address(), NULL, KFI_SOURCE,
				     DEVICES_SECOND, &list), -ENODATA);
	EXPECT_EQ(t, devices_getinfo(NULL, NULL, 0, "rxe2", &list), -ENODATA);
	if (EXPECT_OK(t, devices_getinfo(NULL, NULL, 0, DEVICES_SECOND,
					 &list))) {
		for (info = list; info; info = info->next)
			EXPECT(t, is_on(info, DEVICES_SECOND));
		kfi_freeinfo(list);
	}
}

/* An endpoint of one device cannot be connected by way of the other. */
static void test_way(struct suite *t)
{
	const struct suite_opts opts = { };
	struct kfi_info *info, *other;
	struct suite_event ev;
	struct suite_net net;
	struct suite_end end;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	if (!EXPECT_OK(t, devices_getinfo(DEVICES_ADDR, net.port, KFI_SOURCE,
					  NULL, &other)))
		goto out;
	if (EXPECT_OK(t, suite_getinfo(SUITE_RAW, net.port, 0, &info))) {
		if (suite_end_open(&net, &end, info, &opts) &&
		    EXPECT_OK(t, kfi_connect(end.ep, other->src_addr, NULL, 0)))
			EXPECT_ERROR(t, net.eq, EHOSTUNREACH, &end.ep->fid,
				     &ev);
		suite_end_close(t, &end);
		kfi_freeinfo(info);
	}
	kfi_freeinfo(other);
out:
	suite_net_close(&net);
}

/* A fabric, a domain and an event queue where @info says */
static bool side_open(struct suite *t, struct suite_net *side,
		      struct kfi_info *info)
{
	memset(side, 0, sizeof(*side));
	side->t = t;
	return EXPECT_OK(t, kfi_fabric(info->fabric_attr, &side->fabric,
				       NULL)) &&
	       EXPECT_OK(t, kfi_eq_open(side->fabric, NULL, &side->eq, NULL,
					NULL)) &&
	       EXPECT_OK(t, kfi_domain(side->fabric, info, &side->domain,
				       NULL));
}

/* The request names its device: the endpoint is made on that. */
static bool answer(struct suite_net *side, struct suite_end *end,
		   struct kfid_eq *eq, struct kfid_pep *pep, const char *device)
{
	const struct suite_opts opts = { };
	struct suite *t = side->t;
	struct suite_event ev;
	bool ok;

	if (!EXPECT_EVENT(t, eq, KFI_CONNREQ, &pep->fid, &ev))
		return false;
	ok = EXPECT(t, is_on(ev.info, device)) &&
	     EXPECT_OK(t, kfi_domain(side->fabric, ev.info, &side->domain,
				     NULL)) &&
	     suite_end_open(side, end, ev.info, &opts) &&
	     EXPECT_OK(t, kfi_enable(end->ep)) &&
	     EXPECT_OK(t, kfi_accept(end->ep, NULL, 0));
	kfi_freeinfo(ev.info);
	return ok && EXPECT_EVENT(t, eq, KFI_CONNECTED, &end->ep->fid, &ev);
}

/* Somebody who listens everywhere is called at @node. */
static void call(struct suite_net *server, const char *node, const char *device)
{
	const struct suite_opts opts = { };
	struct suite_end a = { }, b = { };
	struct suite *t = server->t;
	struct suite_net client;
	struct kfi_info *info;
	struct suite_event ev;

	if (!EXPECT_OK(t, devices_getinfo(node, server->port, 0, device,
					  &info)))
		return;
	if (side_open(t, &client, info) &&
	    suite_end_open(&client, &a, info, &opts) &&
	    EXPECT_OK(t, kfi_connect(a.ep, NULL, NULL, 0)) &&
	    answer(server, &b, server->eq, server->pep, device) &&
	    EXPECT_EVENT(t, client.eq, KFI_CONNECTED, &a.ep->fid, &ev))
		suite_ping(t, &a, &b);
	suite_end_close(t, &a);
	suite_end_close(t, &b);
	if (server->domain)
		EXPECT_OK(t, kfi_close(&server->domain->fid));
	server->domain = NULL;
	suite_net_close(&client);
	kfi_freeinfo(info);
}

static bool listen_everywhere(struct suite_net *server)
{
	size_t len = sizeof(server->addr);
	struct suite *t = server->t;
	struct kfi_info *info;
	bool ok;

	if (!EXPECT_OK(t, devices_getinfo(NULL, NULL, 0, NULL, &info)))
		return false;
	ok = EXPECT_OK(t, kfi_fabric(info->fabric_attr, &server->fabric,
				     NULL)) &&
	     EXPECT_OK(t, kfi_eq_open(server->fabric, NULL, &server->eq, NULL,
				      NULL)) &&
	     EXPECT_OK(t, kfi_passive_ep(server->fabric, info, &server->pep,
					 NULL)) &&
	     EXPECT_OK(t, kfi_pep_bind(server->pep, &server->eq->fid, 0)) &&
	     EXPECT_OK(t, kfi_listen(server->pep)) &&
	     EXPECT_OK(t, kfi_getname(&server->pep->fid, &server->addr, &len));
	kfi_freeinfo(info);
	snprintf(server->port, sizeof(server->port), "%u",
		 ntohs(((struct sockaddr_in *)&server->addr)->sin_port));
	return ok;
}

static void test_everywhere(struct suite *t)
{
	struct suite_net server = { .t = t };

	if (listen_everywhere(&server)) {
		call(&server, suite_address(), DEVICES_FIRST);
		call(&server, DEVICES_ADDR, DEVICES_SECOND);
	}
	suite_net_close(&server);
}

const struct suite_test suite_devices_tests[] = {
	{ "devices.offers", test_offers },
	{ "devices.way", test_way },
	{ "devices.everywhere", test_everywhere },
	{ }
};
