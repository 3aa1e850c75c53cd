// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The level of calls that take no flags: the endpoint's default, or the one that
 * they have in their name.
 */

#include <linux/array_size.h>
#include <linux/bvec.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "store.h"

#define LEVEL_LEN	512

enum level_call {
	CALL_WRITE,
	CALL_WRITEV,
	CALL_WRITEBV,
	CALL_WRITESGL,
	CALL_WRITEDATA,
	CALL_COMMIT,
	CALL_DATA_COMMIT,
	CALLS,
};

/* One of the calls, from a buffer in one page */
static ssize_t level_call(struct kfid_ep *ep, enum level_call call, u8 *buf,
			  u64 addr, u64 key, u64 data)
{
	const struct kvec iov[2] = {
		{ .iov_base = buf, .iov_len = 100 },
		{ .iov_base = buf + 100, .iov_len = LEVEL_LEN - 100 },
	};
	struct scatterlist sg;
	struct bio_vec bv;

	sg_init_one(&sg, buf, LEVEL_LEN);
	bvec_set_page(&bv, virt_to_page(buf), LEVEL_LEN, offset_in_page(buf));
	switch (call) {
	case CALL_WRITE:
		return kfi_write(ep, buf, LEVEL_LEN, NULL, 0, addr, key, buf);
	case CALL_WRITEV:
		return kfi_writev(ep, iov, NULL, 2, 0, addr, key, buf);
	case CALL_WRITEBV:
		return kfi_writebv(ep, &bv, NULL, 1, 0, addr, key, buf);
	case CALL_WRITESGL:
		return kfi_writesgl(ep, &sg, NULL, 1, 0, addr, key, buf);
	case CALL_WRITEDATA:
		return kfi_writedata(ep, buf, LEVEL_LEN, NULL, data, 0, addr,
				     key, buf);
	case CALL_COMMIT:
		return kfi_write_commit(ep, buf, LEVEL_LEN, NULL, 0, addr, key,
					buf);
	default:
		return kfi_writedata_commit(ep, buf, LEVEL_LEN, NULL, data, 0,
					    addr, key, buf);
	}
}

static bool has_data(enum level_call call)
{
	return call == CALL_WRITEDATA || call == CALL_DATA_COMMIT;
}

static bool has_commit(enum level_call call)
{
	return call == CALL_COMMIT || call == CALL_DATA_COMMIT;
}

/* One call completes at the level that it should have; the target is told. */
static void check_call(struct store *store, enum level_call call, u8 *buf,
		       bool commit)
{
	size_t offset = (1 + call) * PAGE_SIZE;
	struct suite_pair *pair = &store->pair;
	struct suite *t = store->t;
	struct suite_comp comp;
	size_t told = LEVEL_LEN;

	/* by an immediate of its own, which comes without bytes */
	if (commit && t->method == KFI_COMMIT_FLUSH)
		told = 0;
	memset(buf, 0x40 + call, LEVEL_LEN);
	if (!EXPECT_OK(t, level_call(pair->a.ep, call, buf,
				     store->addr + offset, store->key,
				     0x80000000 + call)) ||
	    !EXPECT_COMP(t, &pair->a.tx, buf, NULL))
		return;
	/* a plain write is not visible yet, but soon */
	if (!commit)
		suite_settle(t, &pair->a, store->addr + offset, store->key);
	EXPECT_ALL(t, store->mem + offset, 0x40 + call, LEVEL_LEN);
	store_expect_dirty(store, offset, LEVEL_LEN, !commit);
	if (!has_data(call))
		return;
	if (EXPECT(t, suite_read_comp(t, &pair->b.rx, &comp,
				      SUITE_TIMEOUT_MS))) {
		EXPECT_EQ(t, comp.entry.data, 0x80000000 + call);
		EXPECT_EQ(t, comp.entry.len, told);
	}
}

/* Every call on an endpoint with the default @op_flags */
static void check_calls(struct suite *t, u64 op_flags)
{
	const struct suite_opts opts = {
		.op_flags = op_flags,
		.tx_bind = op_flags & KFI_COMPLETION ?
			   KFI_SELECTIVE_COMPLETION : 0,
	};
	struct store store;
	enum level_call call;
	u8 *buf;

	if (!store_open(t, &store, &opts))
		return;
	/* in one page: slab memory of a debug kernel need not be */
	buf = (u8 *)__get_free_page(GFP_KERNEL);
	for (call = 0; EXPECT(t, buf) && call < CALLS; call++) {
		check_call(&store, call, buf,
			   op_flags & KFI_COMMIT || has_commit(call));
		if (suite_failed(t)) {
			COMPLAIN(t, "that was call %d, default %#llx", call,
				 op_flags);
			break;
		}
	}
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	EXPECT_NO_COMP(t, &store.pair.b.rx);
	store_close(&store);
	free_page((unsigned long)buf);
}

static void test_calls(struct suite *t)
{
	static const u64 op_flags[] = {
		0, KFI_COMPLETION, KFI_TRANSMIT_COMPLETE,
		KFI_DELIVERY_COMPLETE, KFI_COMMIT, KFI_COMMIT | KFI_COMPLETION,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(op_flags) && !suite_failed(t); i++)
		check_calls(t, op_flags[i]);
}

/* What has no completion cannot say when it is so far, and is not done. */
static void check_injects(struct suite *t, struct suite_pair *pair, u8 *buf,
			  u64 addr, u64 key)
{
	const struct kvec iov = { .iov_base = buf, .iov_len = 8 };
	const struct kfi_rma_iov rma = { .addr = addr, .len = 8, .key = key };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &rma, .rma_iov_count = 1, .context = buf,
	};

	EXPECT_EQ(t, kfi_inject_write(pair->a.ep, buf, 8, 0, addr + 64, key),
		  -EOPNOTSUPP);
	EXPECT_EQ(t, kfi_inject_writedata(pair->a.ep, buf, 8, 1, 0, addr + 64,
					  key), -EOPNOTSUPP);
	/* nor is what was to be followed left behind */
	EXPECT_OK(t, kfi_writemsg(pair->a.ep, &msg, KFI_MORE));
	EXPECT_EQ(t, kfi_inject_write(pair->a.ep, buf, 8, 0, addr + 64, key),
		  -EOPNOTSUPP);
	EXPECT_COMP(t, &pair->a.tx, buf, NULL);
	EXPECT_NO_COMP(t, &pair->a.tx);
	EXPECT_NO_COMP(t, &pair->b.rx);
}

static void test_commit(struct suite *t)
{
	const struct suite_opts opts = { .op_flags = KFI_COMMIT };
	struct suite_mem plain = { };
	struct store store;
	struct kfid_ep *ep;

	if (!store_open(t, &store, &opts))
		return;
	ep = store.pair.a.ep;
	check_injects(t, &store.pair, store.buf, store.addr, store.key);
	EXPECT_ALL(t, store.mem + 64, 0, 8);
	EXPECT_OK(t, kfi_read(ep, store.buf, 64, NULL, 0, store.addr, store.key,
			      &store));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	EXPECT_SAME(t, store.buf, store.mem, 64);
	/* flags that are given are all of them */
	memset(store.buf + 4096, 0x33, 8);
	EXPECT_OK(t, store_write(&store, 4096, 8, &store,
				 KFI_DELIVERY_COMPLETE));
	EXPECT_COMP(t, &store.pair.a.tx, &store, NULL);
	store_expect_dirty(&store, 4096, 8, true);
	if (suite_mem_open(&store.net, &plain, 64, SUITE_ACCESS)) {
		EXPECT_EQ(t, kfi_write(ep, store.buf, 8, NULL, 0, plain.addr,
				       plain.key, NULL), -EINVAL);
		EXPECT_EQ(t, kfi_writedata(ep, store.buf, 8, NULL, 1, 0,
					   plain.addr, plain.key, NULL),
			  -EINVAL);
		EXPECT_NO_COMP(t, &store.pair.a.tx);
		EXPECT_ALL(t, plain.buf, 0, 64);
		suite_mem_close(t, &plain);
	}
	store_close(&store);
}

/* What tells a delivery from a plain write: it reads back, or is not done. */
static void check_reads_back(struct suite *t, struct suite_net *net,
			     struct suite_pair *pair)
{
	struct suite_mem mem;

	if (!suite_mem_open(net, &mem, 64, KFI_REMOTE_WRITE))
		return;
	EXPECT_OK(t, kfi_write(pair->a.ep, mem.buf, 8, NULL, 0, mem.addr,
			       mem.key, &mem));
	EXPECT_COMP_ERR(t, &pair->a.tx, &mem, EACCES, KFI_RMA | KFI_WRITE);
	suite_mem_close(t, &mem);
}

static void test_delivery(struct suite *t)
{
	const struct suite_opts opts = { .op_flags = KFI_DELIVERY_COMPLETE };
	struct suite_pair pair;
	struct suite_net net;
	struct suite_mem mem;
	struct kvec iov;
	const struct kfi_msg msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.context = &iov,
	};
	u8 *buf;

	if (!suite_open(t, &net, &pair, &opts))
		return;
	if (!suite_mem_open(&net, &mem, PAGE_SIZE, SUITE_ACCESS))
		goto out;
	buf = mem.buf + PAGE_SIZE / 2;
	check_injects(t, &pair, buf, mem.addr, mem.key);

	/* messages do not have it; they are sent if it is not asked for */
	EXPECT_EQ(t, kfi_send(pair.a.ep, buf, 8, NULL, 0, NULL), -EOPNOTSUPP);
	EXPECT_EQ(t, kfi_senddata(pair.a.ep, buf, 8, NULL, 1, 0, NULL),
		  -EOPNOTSUPP);
	iov = (struct kvec) { .iov_base = buf, .iov_len = 8 };
	EXPECT_EQ(t, kfi_sendv(pair.a.ep, &iov, NULL, 1, 0, NULL), -EOPNOTSUPP);
	EXPECT_OK(t, kfi_recv(pair.b.ep, buf + 64, 8, NULL, 0, &mem));
	EXPECT_OK(t, kfi_sendmsg(pair.a.ep, &msg, 0));
	EXPECT_COMP(t, &pair.a.tx, &iov, NULL);
	EXPECT_COMP(t, &pair.b.rx, &mem, NULL);
	EXPECT_OK(t, kfi_read(pair.a.ep, buf, 8, NULL, 0, mem.addr, mem.key,
			      buf));
	EXPECT_COMP(t, &pair.a.tx, buf, NULL);
	/* where there are commits, the target's provider is asked instead */
	if (!t->caps)
		check_reads_back(t, &net, &pair);
	suite_mem_close(t, &mem);
out:
	suite_close(&net, &pair);
}

static void test_refused(struct suite *t)
{
	struct suite_net net;
	struct kfi_info *info;
	struct kfid_ep *ep;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	if (EXPECT_OK(t, suite_getinfo(SUITE_RAW, net.port, 0, &info))) {
		info->tx_attr->op_flags = KFI_COMMIT;
		EXPECT_EQ(t, kfi_endpoint(net.domain, info, &ep, NULL),
			  -EOPNOTSUPP);
		info->tx_attr->op_flags |= KFI_DELIVERY_COMPLETE;
		EXPECT_EQ(t, kfi_endpoint(net.domain, info, &ep, NULL),
			  -EINVAL);
		kfi_freeinfo(info);
	}
	if (EXPECT_OK(t, suite_getinfo(SUITE_COMMIT, net.port, 0, &info))) {
		info->tx_attr->op_flags = KFI_COMMIT | KFI_TRANSMIT_COMPLETE;
		EXPECT_EQ(t, kfi_endpoint(net.domain, info, &ep, NULL),
			  -EINVAL);
		info->tx_attr->op_flags = KFI_COMMIT | KFI_FENCE;
		EXPECT_EQ(t, kfi_endpoint(net.domain, info, &ep, NULL),
			  -EINVAL);
		info->tx_attr->op_flags = KFI_COMMIT;
		if (EXPECT_OK(t, kfi_endpoint(net.domain, info, &ep, NULL)))
			EXPECT_OK(t, kfi_close(&ep->fid));
		kfi_freeinfo(info);
	}
	suite_net_close(&net);
}

const struct suite_test suite_level_tests[] = {
	{ "level.calls", test_calls },
	{ "level.commit", test_commit },
	{ "level.delivery", test_delivery },
	{ "level.refused", test_refused },
	{ "level.calls_read", test_calls, KFI_COMMIT_READ },
	{ "level.commit_read", test_commit, KFI_COMMIT_READ },
	{ "level.calls_flush", test_calls, KFI_COMMIT_FLUSH },
	{ "level.commit_flush", test_commit, KFI_COMMIT_FLUSH },
	{ }
};
