// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A complete consumer, both ends of it in one kernel: the server offers
 * persistent memory, the client writes into it and waits until what it wrote
 * would survive a power failure of the server.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfabric.h>
#include <kfi_cm.h>
#include <kfi_pmem.h>

#define HELLO_PORT	"7471"
#define HELLO_TIMEOUT	5000	/* ms */

static char *provider = "loopback";
module_param(provider, charp, 0444);
static char *addr = "127.0.0.1";
module_param(addr, charp, 0444);
static char *memory = "pmemsim:0";
module_param(memory, charp, 0444);

struct hello {
	struct kfid_fabric	*fabric;
	struct kfid_domain	*domain;
	struct kfid_eq		*eq;
	struct kfid_cq		*cq;
	struct completion	arrived;
	struct kfid_pep		*pep;
	struct kfid_ep		*server;
	struct kfid_ep		*client;
	struct kfi_pmem		*pmem;
	struct kfid_mr		*mr;
	char			text[32];
};

/* What the server says when it accepts: where the client may write. */
struct hello_region {
	__be64	addr;
	__be64	key;
};

static int hello_getinfo(u64 flags, struct kfi_info **info)
{
	struct kfi_info *hints = kfi_allocinfo();
	int ret = -ENOMEM;

	if (!hints)
		return ret;
	hints->caps = KFI_RMA | KFI_RMA_PMEM;
	hints->ep_attr->type = KFI_EP_MSG;
	hints->domain_attr->mr_mode = KFI_MR_VIRT_ADDR | KFI_MR_PROV_KEY;
	hints->fabric_attr->prov_name = kstrdup(provider, GFP_KERNEL);
	if (hints->fabric_attr->prov_name)
		ret = kfi_getinfo(KFI_VERSION(1, 7), addr, HELLO_PORT, flags,
				  hints, info);
	kfi_freeinfo(hints);
	return ret;
}

static void hello_arrived(struct kfid_cq *cq, void *context)
{
	struct hello *hello = context;

	complete(&hello->arrived);
}

static int hello_listen(struct hello *hello)
{
	struct kfi_cq_attr cq_attr = { .format = KFI_CQ_FORMAT_CONTEXT };
	struct kfi_info *info;
	int ret;

	ret = hello_getinfo(KFI_SOURCE, &info);
	if (ret)
		return ret;
	ret = kfi_fabric(info->fabric_attr, &hello->fabric, NULL);
	if (!ret)
		ret = kfi_domain(hello->fabric, info, &hello->domain, NULL);
	if (!ret)
		ret = kfi_cq_open(hello->domain, &cq_attr, &hello->cq,
				  hello_arrived, hello);
	if (!ret)
		ret = kfi_eq_open(hello->fabric, NULL, &hello->eq, NULL, NULL);
	if (!ret)
		ret = kfi_passive_ep(hello->fabric, info, &hello->pep, NULL);
	if (!ret)
		ret = kfi_pep_bind(hello->pep, &hello->eq->fid, 0);
	if (!ret)
		ret = kfi_listen(hello->pep);
	kfi_freeinfo(info);
	return ret;
}

static int hello_offer(struct hello *hello)
{
	struct kfi_pmem *pmem = kfi_pmem_open(memory, hello);

	if (IS_ERR(pmem))
		return PTR_ERR(pmem);
	hello->pmem = pmem;
	return kfi_mr_reg(hello->domain, kfi_pmem_addr(pmem), PAGE_SIZE,
			  KFI_REMOTE_READ | KFI_REMOTE_WRITE, 0, 0, KFI_PMEM,
			  &hello->mr, NULL);
}

static int hello_endpoint(struct hello *hello, struct kfi_info *info,
			  struct kfid_ep **ep)
{
	int ret;

	ret = kfi_endpoint(hello->domain, info, ep, NULL);
	if (!ret)
		ret = kfi_ep_bind(*ep, &hello->eq->fid, 0);
	if (!ret)
		ret = kfi_ep_bind(*ep, &hello->cq->fid,
				  KFI_TRANSMIT | KFI_RECV);
	return ret;
}

/* The next event, which has to be @expected. */
static int hello_event(struct hello *hello, u32 expected,
		       struct kfi_eq_cm_entry *entry, size_t len)
{
	struct kfi_eq_err_entry error = {};
	u32 event;
	ssize_t ret;

	ret = kfi_eq_sread(hello->eq, &event, entry, len, HELLO_TIMEOUT, 0);
	if (ret == -KFI_EAVAIL) {
		kfi_eq_readerr(hello->eq, &error, 0);
		return -error.err;
	}
	if (ret < 0)
		return ret;
	return event == expected ? 0 : -EPROTO;
}

static int hello_accept(struct hello *hello)
{
	struct hello_region region = {
		.addr = cpu_to_be64(hello->mr->iova),
		.key = cpu_to_be64(kfi_mr_key(hello->mr)),
	};
	struct kfi_eq_cm_entry request;
	int ret;

	ret = hello_event(hello, KFI_CONNREQ, &request, sizeof(request));
	if (ret)
		return ret;
	ret = hello_endpoint(hello, request.info, &hello->server);
	if (!ret)
		ret = kfi_accept(hello->server, &region, sizeof(region));
	kfi_freeinfo(request.info);
	return ret;
}

/* Both ends are told, in either order; the client hears what the server said. */
static int hello_connected(struct hello *hello, struct hello_region *region)
{
	u8 buf[sizeof(struct kfi_eq_cm_entry) + sizeof(*region)] __aligned(8);
	struct kfi_eq_cm_entry *entry = (struct kfi_eq_cm_entry *)buf;
	int i, ret;

	for (i = 0; i < 2; i++) {
		ret = hello_event(hello, KFI_CONNECTED, entry, sizeof(buf));
		if (ret)
			return ret;
		if (entry->fid == &hello->client->fid)
			memcpy(region, entry->data, sizeof(*region));
	}
	return 0;
}

static int hello_connect(struct hello *hello, struct hello_region *region)
{
	struct kfi_info *info;
	int ret;

	ret = hello_getinfo(0, &info);
	if (ret)
		return ret;
	ret = hello_endpoint(hello, info, &hello->client);
	if (!ret)
		ret = kfi_connect(hello->client, NULL, NULL, 0);
	kfi_freeinfo(info);
	if (!ret)
		ret = hello_accept(hello);
	return ret ? ret : hello_connected(hello, region);
}

static int hello_write(struct hello *hello, const struct hello_region *region)
{
	struct kvec iov = { hello->text, sizeof(hello->text) };
	struct kfi_rma_iov remote = {
		.addr = be64_to_cpu(region->addr), .len = sizeof(hello->text),
		.key = be64_to_cpu(region->key),
	};
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &remote, .rma_iov_count = 1, .context = hello,
	};
	struct kfi_cq_err_entry error;
	struct kfi_cq_entry entry;
	ssize_t ret;

	strscpy(hello->text, "Hello, persistent world", sizeof(hello->text));
	ret = kfi_writemsg(hello->client, &msg, KFI_COMMIT);
	if (ret)
		return ret;
	if (!wait_for_completion_timeout(&hello->arrived,
					 msecs_to_jiffies(HELLO_TIMEOUT)))
		return -ETIMEDOUT;
	ret = kfi_cq_read(hello->cq, &entry, 1);
	if (ret == -KFI_EAVAIL) {
		kfi_cq_readerr(hello->cq, &error, 0);
		return -error.err;
	}
	return ret < 0 ? ret : 0;
}

/* Children before parents, endpoints before what they are bound to. */
static void hello_end(struct hello *hello)
{
	if (hello->client)
		kfi_close(&hello->client->fid);
	if (hello->server)
		kfi_close(&hello->server->fid);
	if (hello->mr)
		kfi_close(&hello->mr->fid);
	if (hello->pmem)
		kfi_pmem_close(hello->pmem);
	if (hello->pep)
		kfi_close(&hello->pep->fid);
	if (hello->eq)
		kfi_close(&hello->eq->fid);
	if (hello->cq)
		kfi_close(&hello->cq->fid);
	if (hello->domain)
		kfi_close(&hello->domain->fid);
	if (hello->fabric)
		kfi_close(&hello->fabric->fid);
	kfree(hello);
}

static int __init hello_init(void)
{
	struct hello *hello = kzalloc(sizeof(*hello), GFP_KERNEL);
	struct hello_region region;
	int ret;

	if (!hello)
		return -ENOMEM;
	init_completion(&hello->arrived);
	ret = hello_listen(hello);
	if (!ret)
		ret = hello_offer(hello);
	if (!ret)
		ret = hello_connect(hello, &region);
	if (!ret)
		ret = hello_write(hello, &region);
	if (ret)
		pr_err("%s\n", kfi_strerror(ret));
	else
		pr_info("the server has: %s\n",
			(char *)kfi_pmem_addr(hello->pmem));
	hello_end(hello);
	return ret;
}
module_init(hello_init);

static void __exit hello_exit(void)
{
}
module_exit(hello_exit);

MODULE_DESCRIPTION("kfabric sample: a durable write");
MODULE_LICENSE("Dual BSD/GPL");
