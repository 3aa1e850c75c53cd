// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The registry of providers, and kfi_getinfo() over several of them.
 */

#include <kunit/test-bug.h>
#include <linux/err.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/module.h>

#include "core.h"
#include "users.h"

static struct kfi_getinfo_req last_req;

static int offer_times(const struct kfi_getinfo_req *req, const char *name,
		       unsigned int times, struct kfi_info **info)
{
	struct kunit *test = kunit_get_current_test();
	struct kfi_info *offer = fake_offer(test, name);
	int ret = -ENODATA;

	last_req = *req;
	while (times--)
		ret = kfi_info_offer(req, offer, info);
	kfi_freeinfo(offer);
	return ret;
}

static int getinfo_two(const struct kfi_getinfo_req *req,
		       struct kfi_info **info)
{
	return offer_times(req, "two", 2, info);
}

static int getinfo_three(const struct kfi_getinfo_req *req,
			 struct kfi_info **info)
{
	return offer_times(req, "three", 3, info);
}

/* Fails after it has answered: the answers must not stay in the list. */
static int getinfo_failing(const struct kfi_getinfo_req *req,
			   struct kfi_info **info)
{
	offer_times(req, "failing", 1, info);
	return -EIO;
}

static int no_fabric(struct kfi_fabric_attr *attr,
		     struct kfid_fabric **fabric, void *context)
{
	return -ENXIO;
}

static struct kfid_fabric fake_fabric;

static int open_fabric(struct kfi_fabric_attr *attr,
		       struct kfid_fabric **fabric, void *context)
{
	*fabric = &fake_fabric;
	return 0;
}

static struct kfi_provider two = {
	.name = "two", .version = KFI_VERSION(2, 1), .owner = THIS_MODULE,
	.getinfo = getinfo_two, .fabric = no_fabric,
};

static struct kfi_provider three = {
	.name = "three", .version = KFI_VERSION(3, 1), .owner = THIS_MODULE,
	.getinfo = getinfo_three, .fabric = no_fabric,
};

static struct kfi_provider failing = {
	.name = "failing", .version = KFI_VERSION(1, 0), .owner = THIS_MODULE,
	.getinfo = getinfo_failing, .fabric = no_fabric,
};

static struct kfi_provider opening = {
	.name = "opening", .version = KFI_VERSION(1, 0), .owner = THIS_MODULE,
	.getinfo = getinfo_two, .fabric = open_fabric,
};

static struct kfi_info *hints_for(struct kunit *test, const char *provider)
{
	struct kfi_info *hints = kfi_allocinfo();

	KUNIT_ASSERT_NOT_NULL(test, hints);
	hints->mode = KFI_RX_CQ_DATA;
	hints->fabric_attr->prov_name = kstrdup(provider, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hints->fabric_attr->prov_name);
	return hints;
}

static void getinfo_without_provider(struct kunit *test)
{
	struct kfi_info *hints = hints_for(test, "nobody");
	struct kfi_info *list = hints;

	KUNIT_EXPECT_EQ(test, kfi_getinfo(KFI_VERSION(1, 7), NULL, NULL, 0,
					  hints, &list), -ENODATA);
	KUNIT_EXPECT_NULL(test, list);
	kfi_freeinfo(hints);
}

static void getinfo_without_any(struct kunit *test)
{
	struct kfi_info *list = ERR_PTR(-EIO);

	if (IS_BUILTIN(CONFIG_KFABRIC_LOOPBACK))
		kunit_skip(test, "there is a provider in this kernel");
	KUNIT_EXPECT_EQ(test, kfi_getinfo(KFI_VERSION(1, 7), NULL, NULL, 0,
					  NULL, &list), -ENODATA);
	KUNIT_EXPECT_NULL(test, list);
}

static unsigned int count_of(const struct kfi_info *list, const char *name,
			     u32 version)
{
	unsigned int count = 0;

	for (; list; list = list->next)
		count += !strcmp(list->fabric_attr->prov_name, name) &&
			 list->fabric_attr->prov_version == version;
	return count;
}

/* The position in the list of the first entry of a provider. */
static unsigned int position_of(const struct kfi_info *list, const char *name)
{
	unsigned int pos = 0;

	for (; list; list = list->next, pos++)
		if (!strcmp(list->fabric_attr->prov_name, name))
			return pos;
	return UINT_MAX;
}

static void getinfo_of_several(struct kunit *test)
{
	struct kfi_info *list;
	unsigned int first;

	KUNIT_ASSERT_EQ(test, kfi_provider_register(&two), 0);
	KUNIT_ASSERT_EQ(test, kfi_provider_register(&failing), 0);
	KUNIT_ASSERT_EQ(test, kfi_provider_register(&three), 0);
	KUNIT_EXPECT_EQ(test, kfi_getinfo(KFI_VERSION(1, 7), NULL, NULL, 0,
					  NULL, &list), 0);
	KUNIT_EXPECT_EQ(test, count_of(list, "two", KFI_VERSION(2, 1)), 2);
	KUNIT_EXPECT_EQ(test, count_of(list, "three", KFI_VERSION(3, 1)), 3);
	KUNIT_EXPECT_EQ(test, position_of(list, "failing"), UINT_MAX);
	first = position_of(list, "two");
	KUNIT_EXPECT_EQ(test, position_of(list, "three"), first + 2);
	kfi_freeinfo(list);
	kfi_provider_deregister(&two);
	kfi_provider_deregister(&failing);
	kfi_provider_deregister(&three);
}

static void getinfo_by_name(struct kunit *test)
{
	struct kfi_info *hints = hints_for(test, "two");
	struct kfi_info *list;

	KUNIT_ASSERT_EQ(test, kfi_provider_register(&three), 0);
	KUNIT_ASSERT_EQ(test, kfi_provider_register(&two), 0);
	KUNIT_EXPECT_EQ(test, kfi_getinfo(KFI_VERSION(1, 7), NULL, NULL, 0,
					  hints, &list), 0);
	KUNIT_EXPECT_EQ(test, count_of(list, "two", KFI_VERSION(2, 1)), 2);
	KUNIT_EXPECT_EQ(test, position_of(list, "three"), UINT_MAX);
	kfi_freeinfo(list);
	kfi_freeinfo(hints);
	kfi_provider_deregister(&three);
	kfi_provider_deregister(&two);
}

static void getinfo_of_attributes_only(struct kunit *test)
{
	struct kfi_info *list;

	KUNIT_ASSERT_EQ(test, kfi_provider_register(&failing), 0);
	KUNIT_EXPECT_EQ(test, kfi_getinfo(KFI_VERSION(1, 7), NULL, NULL,
					  KFI_PROV_ATTR_ONLY, NULL, &list), 0);
	KUNIT_EXPECT_EQ(test, count_of(list, "failing", KFI_VERSION(1, 0)), 1);
	kfi_freeinfo(list);
	kfi_provider_deregister(&failing);
}

static int getinfo(const char *node, const char *service, u64 flags,
		   struct kfi_info *hints)
{
	struct kfi_info *list;
	int ret = kfi_getinfo(KFI_VERSION(1, 7), node, service, flags, hints,
			      &list);

	kfi_freeinfo(list);
	return ret;
}

static void getinfo_addresses(struct kunit *test)
{
	struct kfi_info *hints = hints_for(test, "two");
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&last_req.src;
	struct sockaddr_in *in = (struct sockaddr_in *)&last_req.dest;

	KUNIT_ASSERT_EQ(test, kfi_provider_register(&two), 0);
	KUNIT_EXPECT_EQ(test, getinfo("10.9.0.1", "4711", 0, hints), 0);
	KUNIT_EXPECT_EQ(test, in->sin_family, AF_INET);
	KUNIT_EXPECT_EQ(test, ntohl(in->sin_addr.s_addr), 0x0a090001);
	KUNIT_EXPECT_EQ(test, ntohs(in->sin_port), 4711);
	KUNIT_EXPECT_EQ(test, last_req.src.ss_family, AF_UNSPEC);

	KUNIT_EXPECT_EQ(test, getinfo("fd00:9::1", "1", KFI_SOURCE, hints), 0);
	KUNIT_EXPECT_EQ(test, in6->sin6_family, AF_INET6);
	KUNIT_EXPECT_EQ(test, in6->sin6_addr.s6_addr[15], 1);
	KUNIT_EXPECT_EQ(test, last_req.addr_format, KFI_SOCKADDR_IN6);

	KUNIT_EXPECT_EQ(test, getinfo(NULL, "9", KFI_SOURCE, hints), 0);
	KUNIT_EXPECT_EQ(test, last_req.src.ss_family, AF_INET);

	KUNIT_EXPECT_EQ(test, getinfo("host", "1", 0, hints), -EINVAL);
	KUNIT_EXPECT_EQ(test, getinfo("10.9.0", "1", 0, hints), -EINVAL);
	KUNIT_EXPECT_EQ(test, getinfo("10.9.0.1", "http", 0, hints), -EINVAL);
	KUNIT_EXPECT_EQ(test, getinfo("10.9.0.1", "65536", 0, hints), -EINVAL);
	KUNIT_EXPECT_EQ(test, getinfo(NULL, "1", 0, hints), -EINVAL);
	KUNIT_EXPECT_EQ(test, getinfo(NULL, NULL, KFI_SOURCE, hints), -EINVAL);
	hints->addr_format = KFI_SOCKADDR_IN6;
	KUNIT_EXPECT_EQ(test, getinfo("10.9.0.1", "1", 0, hints), -ENODATA);
	hints->addr_format = KFI_FORMAT_UNSPEC;
	hints->src_addr = kzalloc_obj(struct sockaddr_in);
	hints->src_addrlen = 1;
	KUNIT_EXPECT_EQ(test, getinfo(NULL, NULL, 0, hints), -EINVAL);
	kfi_freeinfo(hints);
	kfi_provider_deregister(&two);
}

static void getinfo_arguments(struct kunit *test)
{
	struct kfi_info *list;

	KUNIT_EXPECT_EQ(test, kfi_getinfo(KFI_VERSION(1, 7), NULL, NULL, 0,
					  NULL, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, kfi_getinfo(KFI_VERSION(1, 8), NULL, NULL, 0,
					  NULL, &list), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, kfi_getinfo(KFI_VERSION(1, 7), NULL, NULL,
					  KFI_FENCE, NULL, &list), -EINVAL);
	KUNIT_EXPECT_NULL(test, list);
}

static void register_twice(struct kunit *test)
{
	struct kfi_provider other = two;

	KUNIT_ASSERT_EQ(test, kfi_provider_register(&two), 0);
	KUNIT_EXPECT_EQ(test, kfi_provider_register(&other), -EEXIST);
	kfi_provider_deregister(&two);
	other.getinfo = NULL;
	KUNIT_EXPECT_EQ(test, kfi_provider_register(&other), -EINVAL);
}

static void fabric_errors(struct kunit *test)
{
	struct kfi_fabric_attr attr = { .name = "fake", .prov_name = "two" };
	struct kfid_fabric *fabric;
	int users = module_users();

	KUNIT_EXPECT_EQ(test, kfi_fabric(NULL, &fabric, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, kfi_fabric(&attr, &fabric, NULL), -ENODEV);
	KUNIT_ASSERT_EQ(test, kfi_provider_register(&two), 0);
	KUNIT_EXPECT_EQ(test, kfi_fabric(&attr, &fabric, NULL), -ENXIO);
	KUNIT_EXPECT_EQ(test, module_users(), users);
	attr.name = NULL;
	KUNIT_EXPECT_EQ(test, kfi_fabric(&attr, &fabric, NULL), -EINVAL);
	kfi_provider_deregister(&two);
}

/* From the open of a fabric to the end of its close the module stays. */
static void fabric_pins(struct kunit *test)
{
	struct kfi_fabric_attr attr = {
		.name = "fake", .prov_name = "opening",
	};
	struct kfid_fabric *fabric[2] = { };
	int users = module_users();

	KUNIT_ASSERT_EQ(test, kfi_provider_register(&opening), 0);
	KUNIT_EXPECT_EQ(test, kfi_fabric(&attr, &fabric[0], NULL), 0);
	KUNIT_EXPECT_PTR_EQ(test, fabric[0], &fake_fabric);
	KUNIT_EXPECT_EQ(test, module_users(), users + counted(1));
	KUNIT_EXPECT_EQ(test, kfi_fabric(&attr, &fabric[1], NULL), 0);
	KUNIT_EXPECT_EQ(test, module_users(), users + counted(2));
	kfi_provider_put(&opening);
	kfi_provider_put(&opening);
	KUNIT_EXPECT_EQ(test, module_users(), users);
	kfi_provider_deregister(&opening);
}

static void expect_provider(struct kunit *test, const char *name,
			    struct kfi_provider *expected)
{
	int users = module_users();
	struct kfi_provider *found = kfi_provider_get(name);

	KUNIT_EXPECT_PTR_EQ(test, found, expected);
	KUNIT_EXPECT_EQ(test, module_users(), users + counted(found ? 1 : 0));
	if (found)
		kfi_provider_put(found);
	KUNIT_EXPECT_EQ(test, module_users(), users);
}

/* A name is a provider's for as long as it is registered, and then anybody's. */
static void provider_by_name(struct kunit *test)
{
	struct kfi_provider other = three;

	other.name = "two";
	expect_provider(test, "two", NULL);
	KUNIT_ASSERT_EQ(test, kfi_provider_register(&two), 0);
	KUNIT_ASSERT_EQ(test, kfi_provider_register(&three), 0);
	KUNIT_EXPECT_GT(test, three.id, two.id);
	KUNIT_EXPECT_EQ(test, kfi_provider_register(&other), -EEXIST);
	expect_provider(test, "two", &two);
	expect_provider(test, "three", &three);
	expect_provider(test, "tw", NULL);
	kfi_provider_deregister(&two);
	expect_provider(test, "two", NULL);
	expect_provider(test, "three", &three);
	KUNIT_ASSERT_EQ(test, kfi_provider_register(&other), 0);
	KUNIT_EXPECT_GT(test, other.id, three.id);
	expect_provider(test, "two", &other);
	kfi_provider_deregister(&other);
	kfi_provider_deregister(&three);
}

static struct kunit_case provider_cases[] = {
	KUNIT_CASE(getinfo_without_provider),
	KUNIT_CASE(getinfo_without_any),
	KUNIT_CASE(getinfo_of_several),
	KUNIT_CASE(getinfo_by_name),
	KUNIT_CASE(getinfo_of_attributes_only),
	KUNIT_CASE(getinfo_addresses),
	KUNIT_CASE(getinfo_arguments),
	KUNIT_CASE(register_twice),
	KUNIT_CASE(fabric_errors),
	KUNIT_CASE(fabric_pins),
	KUNIT_CASE(provider_by_name),
	{ }
};

static struct kunit_suite provider_suite = {
	.name = "kfi_provider",
	.test_cases = provider_cases,
};

kunit_test_suite(provider_suite);
