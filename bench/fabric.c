// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The same through kfabric, against a kfi_perf server in the same kernel.
 */

#include <linux/compiler.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kfi_cm.h>
#include <kfi_rma.h>
#include <trace/events/kfi.h>

#include "../consumers/perf/perf.h"
#include "bench.h"

static struct {
	struct kfid_fabric	*fabric;
	struct kfid_eq		*eq;
	struct kfid_domain	*domain;
	struct kfid_cq		*cq;
	struct kfid_cq		*recv_cq;
	struct kfid_ep		*ep;
	struct kfid_mr		*mr;
	void			*buf;
	u64			addr;
	u64			key;
	bool			polled;
	struct kfi_cq_entry	comp;
	int			err;
	struct completion	done;
} fabric;

static int fabric_send(void)
{
	const struct kvec iov = {
		.iov_base = fabric.buf, .iov_len = BENCH_INLINE,
	};
	const struct kfi_msg msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.context = &fabric,
	};

	return kfi_sendmsg(fabric.ep, &msg, KFI_INJECT | KFI_COMPLETION);
}

static int fabric_write(void *desc)
{
	return kfi_write(fabric.ep, fabric.buf, BENCH_WRITE, desc,
			 KFI_ADDR_UNSPEC, fabric.addr, fabric.key, &fabric);
}

static int fabric_post(enum bench_post what)
{
	switch (what) {
	case BENCH_SEND_INLINE:
		return fabric_send();
	case BENCH_WRITE_UNREGISTERED:
		return fabric_write(NULL);
	case BENCH_WRITE_REGISTERED:
		return fabric_write(kfi_mr_desc(fabric.mr));
	}
	return -EINVAL;
}

static noinline int fabric_failure(void)
{
	struct kfi_cq_err_entry failure = { .err = EIO };

	kfi_cq_readerr(fabric.cq, &failure, 0);
	return -failure.err;
}

/* One at a time: a handler of a queue runs once at a time, too. */
static int fabric_reap(void)
{
	ssize_t nr;

	nr = kfi_cq_read(fabric.cq, &fabric.comp, 1);
	if (nr == -EAGAIN)
		return 0;
	return unlikely(nr < 0) ? fabric_failure() : nr;
}

static void fabric_done(struct kfid_cq *cq, void *context)
{
	int nr;

	while ((nr = fabric_reap())) {
		if (unlikely(nr < 0))
			fabric.err = nr;
		complete(&fabric.done);
	}
}

static int fabric_wait(void)
{
	int nr;

	if (!fabric.polled) {
		wait_for_completion(&fabric.done);
		return fabric.err;
	}
	while (!(nr = fabric_reap()))
		usleep_range(100, 200);
	return nr < 0 ? nr : 0;
}

static int fabric_register(struct kfid_mr **mr)
{
	return kfi_mr_reg(fabric.domain, fabric.buf, PAGE_SIZE,
			  KFI_WRITE | KFI_REMOTE_WRITE, 0, 0, 0, mr, NULL);
}

static int fabric_reg(void)
{
	struct kfid_mr *mr;
	int err = fabric_register(&mr);

	return err ?: kfi_close(&mr->fid);
}

static int fabric_getinfo(struct kfi_info **info)
{
	struct kfi_info *hints = kfi_allocinfo();
	char service[8];
	int err = -ENOMEM;

	if (!hints)
		return -ENOMEM;
	hints->caps = PERF_RAW;
	hints->mode = KFI_RX_CQ_DATA;
	hints->ep_attr->type = KFI_EP_MSG;
	hints->fabric_attr->prov_name = kstrdup("verbs", GFP_KERNEL);
	if (hints->fabric_attr->prov_name) {
		snprintf(service, sizeof(service), "%u", bench_port);
		err = kfi_getinfo(PERF_API_VERSION, bench_addr, service, 0,
				  hints, info);
	}
	kfi_freeinfo(hints);
	return err;
}

static int fabric_connect(void)
{
	u8 buf[sizeof(struct kfi_eq_cm_entry) + sizeof(struct perf_hello)]
		__aligned(8);
	struct kfi_eq_cm_entry *entry = (void *)buf;
	struct perf_hello hello;
	u32 event;
	ssize_t ret;

	ret = kfi_connect(fabric.ep, NULL, NULL, 0);
	if (ret)
		return ret;
	ret = kfi_eq_sread(fabric.eq, &event, entry, sizeof(buf), 10000, 0);
	if (ret < (ssize_t)sizeof(buf) || event != KFI_CONNECTED)
		return ret < 0 ? ret : -EPROTO;
	memcpy(&hello, entry->data, sizeof(hello));
	if (hello.magic != cpu_to_be32(PERF_MAGIC))
		return -EPROTO;
	fabric.addr = be64_to_cpu(hello.addr);
	fabric.key = be64_to_cpu(hello.key);
	return 0;
}

static int fabric_prepare(struct kfi_info *info)
{
	struct kfi_cq_attr attr = { .format = KFI_CQ_FORMAT_CONTEXT };
	int err;

	err = kfi_fabric(info->fabric_attr, &fabric.fabric, NULL);
	if (err)
		return err;
	err = kfi_eq_open(fabric.fabric, NULL, &fabric.eq, NULL, NULL);
	if (err)
		return err;
	err = kfi_domain(fabric.fabric, info, &fabric.domain, NULL);
	if (err)
		return err;
	err = kfi_cq_open(fabric.domain, &attr, &fabric.cq,
			  fabric.polled ? NULL : fabric_done, NULL);
	if (err)
		return err;
	err = kfi_cq_open(fabric.domain, &attr, &fabric.recv_cq, NULL, NULL);
	if (err)
		return err;
	err = kfi_endpoint(fabric.domain, info, &fabric.ep, NULL);
	if (err)
		return err;
	err = kfi_ep_bind(fabric.ep, &fabric.eq->fid, 0);
	if (err)
		return err;
	err = kfi_ep_bind(fabric.ep, &fabric.cq->fid, KFI_TRANSMIT);
	if (err)
		return err;
	err = kfi_ep_bind(fabric.ep, &fabric.recv_cq->fid, KFI_RECV);
	if (err)
		return err;
	err = fabric_register(&fabric.mr);
	if (err)
		return err;
	return fabric_connect();
}

static void fabric_close(void)
{
	if (fabric.ep)
		kfi_close(&fabric.ep->fid);
	if (fabric.mr)
		kfi_close(&fabric.mr->fid);
	if (fabric.recv_cq)
		kfi_close(&fabric.recv_cq->fid);
	if (fabric.cq)
		kfi_close(&fabric.cq->fid);
	if (fabric.domain)
		kfi_close(&fabric.domain->fid);
	if (fabric.eq)
		kfi_close(&fabric.eq->fid);
	if (fabric.fabric)
		kfi_close(&fabric.fabric->fid);
	free_page((unsigned long)fabric.buf);
}

static int fabric_open(bool polled)
{
	struct kfi_info *info;
	int err;

	memset(&fabric, 0, sizeof(fabric));
	fabric.polled = polled;
	init_completion(&fabric.done);
	fabric.buf = (void *)get_zeroed_page(GFP_KERNEL);
	if (!fabric.buf)
		return -ENOMEM;
	err = fabric_getinfo(&info);
	if (!err) {
		err = fabric_prepare(info);
		kfi_freeinfo(info);
	}
	if (err)
		fabric_close();
	return err;
}

/* What a post has for those who trace it */
static void fabric_trace(void)
{
	if (trace_kfi_post_enabled())
		trace_kfi_post(fabric.ep, KFI_STAT_WRITE, BENCH_WRITE, 0);
	barrier();
}

const struct bench_side bench_fabric = {
	.open	= fabric_open,
	.close	= fabric_close,
	.post	= fabric_post,
	.wait	= fabric_wait,
	.reap	= fabric_reap,
	.reg	= fabric_reg,
	.trace	= fabric_trace,
};
