// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Operations that an endpoint cannot or must not do: each is refused with its
 * error, and leaves nothing behind.
 */

#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include <kfi_atomic.h>

#include "suite.h"

#define UNKNOWN_FLAG	BIT_ULL(40)

/* Bytes between the segments of a vector, so that no two can be merged. */
#define REFUSE_STRIDE	16

/**
 * struct refuse - a connected pair, and what its limits are
 * @t: the test
 * @net: the net
 * @pair: the pair
 * @mem: the target's memory
 * @buf: the initiator's, as long
 * @iov: more elements than anything takes
 * @nr_iov: elements of @iov
 * @rma: more remote ranges than anything takes
 * @nr_rma: elements of @rma
 * @rma_segs: segments that an RMA operation takes
 */
struct refuse {
	struct suite		*t;
	struct suite_net	net;
	struct suite_pair	pair;
	struct suite_mem	mem;
	u8			*buf;
	struct kvec		*iov;
	size_t			nr_iov;
	struct kfi_rma_iov	*rma;
	size_t			nr_rma;
	size_t			rma_segs;
};

static void refuse_close(struct refuse *r)
{
	suite_mem_close(r->t, &r->mem);
	suite_close(&r->net, &r->pair);
	kvfree(r->iov);
	kvfree(r->rma);
	kfree(r->buf);
	kfree(r);
}

static bool refuse_vectors(struct refuse *r)
{
	const struct kfi_info *info = r->pair.info;
	size_t len = sizeof(r->rma_segs), i;
	struct suite *t = r->t;

	if (!EXPECT_OK(t, kfi_getopt(&r->pair.a.ep->fid, KFI_OPT_ENDPOINT,
				     KFI_OPT_RMA_SEG_LIMIT, &r->rma_segs,
				     &len)))
		return false;
	r->nr_iov = max3(r->rma_segs, info->tx_attr->iov_limit,
			 info->rx_attr->iov_limit) + 1;
	r->nr_rma = info->tx_attr->rma_iov_limit + 1;
	if (!suite_mem_open(&r->net, &r->mem, r->nr_iov * REFUSE_STRIDE,
			    SUITE_ACCESS))
		return false;
	r->buf = kzalloc(r->mem.len, GFP_KERNEL);
	r->iov = kvzalloc_objs(*r->iov, r->nr_iov);
	r->rma = kvzalloc_objs(*r->rma, r->nr_rma);
	if (!EXPECT(t, r->buf && r->iov && r->rma))
		return false;
	for (i = 0; i < r->nr_iov; i++) {
		r->iov[i].iov_base = r->buf + i * REFUSE_STRIDE;
		r->iov[i].iov_len = 1;
	}
	for (i = 0; i < r->nr_rma; i++) {
		r->rma[i].addr = r->mem.addr;
		r->rma[i].len = 1;
		r->rma[i].key = r->mem.key;
	}
	return true;
}

static struct refuse *refuse_open(struct suite *t)
{
	struct refuse *r = kzalloc_obj(*r);

	if (!EXPECT(t, r))
		return NULL;
	r->t = t;
	if (!suite_open(t, &r->net, &r->pair, NULL)) {
		kfree(r);
		return NULL;
	}
	if (!refuse_vectors(r)) {
		refuse_close(r);
		return NULL;
	}
	return r;
}

static void refuse_recv(struct refuse *r)
{
	struct kvec iov = { .iov_base = r->buf, .iov_len = 1 };
	struct kfi_msg msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
	};
	struct kfid_ep *ep = r->pair.a.ep;
	struct suite *t = r->t;

	EXPECT_EQ(t, kfi_recvmsg(ep, NULL, 0), -EINVAL);
	EXPECT_EQ(t, kfi_recvmsg(ep, &msg, UNKNOWN_FLAG), -EINVAL);
	EXPECT_EQ(t, kfi_recvmsg(ep, &msg, KFI_INJECT), -EINVAL);
	EXPECT_EQ(t, kfi_recvmsg(ep, &msg, KFI_FENCE), -EINVAL);
	msg.type = 0;
	EXPECT_EQ(t, kfi_recvmsg(ep, &msg, 0), -EINVAL);
	msg.type = KFI_KVEC;
	iov.iov_len = r->pair.info->ep_attr->max_msg_size + 1;
	EXPECT_EQ(t, kfi_recvmsg(ep, &msg, 0), -EMSGSIZE);
	msg.msg_iov = r->iov;
	msg.iov_count = r->pair.info->rx_attr->iov_limit + 1;
	EXPECT_EQ(t, kfi_recvmsg(ep, &msg, 0), -E2BIG);
}

static void refuse_send(struct refuse *r)
{
	struct kvec iov = { .iov_base = r->buf, .iov_len = 1 };
	struct kfi_msg msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
	};
	struct kfid_ep *ep = r->pair.a.ep;
	struct suite *t = r->t;

	EXPECT_EQ(t, kfi_sendmsg(ep, NULL, 0), -EINVAL);
	EXPECT_EQ(t, kfi_sendmsg(ep, &msg, UNKNOWN_FLAG), -EINVAL);
	EXPECT_EQ(t, kfi_sendmsg(ep, &msg, KFI_PEEK), -EINVAL);
	EXPECT_EQ(t, kfi_sendmsg(ep, &msg, KFI_DELIVERY_COMPLETE), -EOPNOTSUPP);
	EXPECT_EQ(t, kfi_sendmsg(ep, &msg, KFI_COMMIT), -EOPNOTSUPP);
	EXPECT_EQ(t, kfi_sendmsg(ep, &msg, KFI_INJECT_COMPLETE |
				 KFI_TRANSMIT_COMPLETE), -EINVAL);
	msg.data = BIT_ULL(32);
	EXPECT_EQ(t, kfi_sendmsg(ep, &msg, KFI_REMOTE_CQ_DATA), -EINVAL);
	EXPECT_EQ(t, kfi_senddata(ep, r->buf, 1, NULL, U64_MAX, 0, NULL),
		  -EINVAL);
	EXPECT_EQ(t, kfi_injectdata(ep, r->buf, 1, U64_MAX, 0), -EINVAL);
	msg.type = KFI_SGL + 1;
	EXPECT_EQ(t, kfi_sendmsg(ep, &msg, 0), -EINVAL);
	msg.type = KFI_KVEC;
	iov.iov_len = r->pair.info->ep_attr->max_msg_size + 1;
	EXPECT_EQ(t, kfi_sendmsg(ep, &msg, 0), -EMSGSIZE);
	iov.iov_len = r->pair.info->tx_attr->inject_size + 1;
	EXPECT_EQ(t, kfi_sendmsg(ep, &msg, KFI_INJECT), -EMSGSIZE);
	EXPECT_EQ(t, kfi_inject(ep, r->buf, iov.iov_len, 0), -EMSGSIZE);
	msg.msg_iov = r->iov;
	msg.iov_count = r->pair.info->tx_attr->iov_limit + 1;
	EXPECT_EQ(t, kfi_sendmsg(ep, &msg, 0), -E2BIG);
}

static void refuse_rma_form(struct refuse *r,
			    ssize_t (*post)(struct kfid_ep *ep,
					    const struct kfi_msg_rma *msg,
					    u64 flags))
{
	struct kfi_rma_iov rma = r->rma[0];
	struct kvec iov = { .iov_base = r->buf, .iov_len = 1 };
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &rma, .rma_iov_count = 1,
	};
	struct kfid_ep *ep = r->pair.a.ep;
	struct suite *t = r->t;

	EXPECT_EQ(t, post(ep, NULL, 0), -EINVAL);
	EXPECT_EQ(t, post(ep, &msg, UNKNOWN_FLAG), -EINVAL);
	EXPECT_EQ(t, post(ep, &msg, KFI_TRANSMIT_COMPLETE |
			  KFI_DELIVERY_COMPLETE), -EINVAL);
	/* two bytes into one, and the other way round */
	rma.len = 2;
	EXPECT_EQ(t, post(ep, &msg, 0), -EINVAL);
	rma.len = 1;
	iov.iov_len = 2;
	EXPECT_EQ(t, post(ep, &msg, 0), -EINVAL);
	iov.iov_len = 1;
	msg.rma_iov_count = 0;
	EXPECT_EQ(t, post(ep, &msg, 0), -EINVAL);

	msg.rma_iov = r->rma;
	msg.rma_iov_count = r->nr_rma;
	msg.msg_iov = r->iov;
	msg.iov_count = r->nr_rma;
	EXPECT_EQ(t, post(ep, &msg, 0), -E2BIG);
	msg.rma_iov = &rma;
	msg.rma_iov_count = 1;
	msg.iov_count = r->rma_segs + 1;
	rma.len = r->rma_segs + 1;
	EXPECT_EQ(t, post(ep, &msg, 0), -E2BIG);
	msg.msg_iov = &iov;
	msg.iov_count = 1;
	iov.iov_len = r->pair.info->ep_attr->max_msg_size + 1;
	rma.len = iov.iov_len;
	EXPECT_EQ(t, post(ep, &msg, 0), -EMSGSIZE);
}

static void refuse_rma(struct refuse *r)
{
	struct kvec iov = { .iov_base = r->buf, .iov_len = 1 };
	struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = r->rma, .rma_iov_count = 1, .data = BIT_ULL(32),
	};
	size_t len = r->pair.info->tx_attr->inject_size + 1;
	struct kfid_ep *ep = r->pair.a.ep;
	struct suite *t = r->t;

	refuse_rma_form(r, kfi_readmsg);
	refuse_rma_form(r, kfi_writemsg);
	EXPECT_EQ(t, kfi_readmsg(ep, &msg, KFI_REMOTE_CQ_DATA), -EINVAL);
	EXPECT_EQ(t, kfi_readmsg(ep, &msg, KFI_INJECT), -EINVAL);
	EXPECT_EQ(t, kfi_readmsg(ep, &msg, KFI_COMMIT), -EINVAL);
	EXPECT_EQ(t, kfi_writemsg(ep, &msg, KFI_REMOTE_CQ_DATA), -EINVAL);
	EXPECT_EQ(t, kfi_writemsg(ep, &msg, KFI_COMMIT), -EOPNOTSUPP);
	EXPECT_EQ(t, kfi_writemsg(ep, &msg, KFI_COMMIT | KFI_DELIVERY_COMPLETE),
		  -EINVAL);
	EXPECT_EQ(t, kfi_inject_write(ep, r->buf, len, 0, r->mem.addr,
				      r->mem.key), -EMSGSIZE);
	EXPECT_EQ(t, kfi_inject_writedata(ep, r->buf, 1, U64_MAX, 0,
					  r->mem.addr, r->mem.key), -EINVAL);
}

/*
 * Every refusal, more often than there are slots to lose: the receive that the
 * peer has posted stays, and so does the target's memory.
 */
static void test_refused(struct suite *t)
{
	u64 *received = kzalloc_obj(*received);
	struct refuse *r;
	size_t rounds;

	if (!EXPECT(t, received))
		return;
	r = refuse_open(t);
	if (!r)
		goto out;
	memset(r->mem.buf, 0xa5, r->mem.len);
	EXPECT_OK(t, kfi_recv(r->pair.b.ep, received, sizeof(*received), NULL,
			      0, received));
	rounds = 1 + r->pair.info->tx_attr->size;
	for (; rounds && !suite_failed(t); rounds--) {
		refuse_recv(r);
		refuse_send(r);
		refuse_rma(r);
	}
	EXPECT_NO_COMP(t, &r->pair.a.tx);
	EXPECT_NO_COMP(t, &r->pair.a.rx);
	EXPECT_NO_COMP(t, &r->pair.b.rx);
	EXPECT_ALL(t, r->mem.buf, 0xa5, r->mem.len);
	EXPECT_OK(t, kfi_inject(r->pair.a.ep, r->buf, 1, 0));
	EXPECT_COMP(t, &r->pair.b.rx, received, NULL);
	suite_ping(t, &r->pair.a, &r->pair.b);
	suite_ping(t, &r->pair.b, &r->pair.a);
	refuse_close(r);
out:
	kfree(received);
}

/* What is just within the limits works. */
static void test_accepted(struct suite *t)
{
	struct refuse *r = refuse_open(t);
	struct suite_pair *pair;
	size_t nr, i;
	u8 *buf;

	if (!r)
		return;
	pair = &r->pair;
	nr = min(pair->info->tx_attr->iov_limit, pair->info->rx_attr->iov_limit);
	buf = kzalloc(max(nr, r->rma_segs), GFP_KERNEL);
	if (!EXPECT(t, buf))
		goto out;
	memset(r->buf, 0x5a, r->mem.len);
	EXPECT_OK(t, kfi_recv(pair->b.ep, buf, nr, NULL, 0, buf));
	EXPECT_OK(t, kfi_sendv(pair->a.ep, r->iov, NULL, nr, 0, r));
	EXPECT_COMP(t, &pair->b.rx, buf, NULL);
	EXPECT_COMP(t, &pair->a.tx, r, NULL);
	EXPECT_ALL(t, buf, 0x5a, nr);

	memset(buf, 0, nr);
	EXPECT_OK(t, kfi_recvv(pair->b.ep, r->iov, NULL, nr, 0, r));
	EXPECT_OK(t, kfi_send(pair->a.ep, buf, nr, NULL, 0, buf));
	EXPECT_COMP(t, &pair->b.rx, r, NULL);
	EXPECT_COMP(t, &pair->a.tx, buf, NULL);
	EXPECT_EQ(t, *(u8 *)r->iov[nr - 1].iov_base, 0);

	memset(r->mem.buf, 0x5a, r->mem.len);
	memset(r->buf, 0, r->mem.len);
	EXPECT_OK(t, kfi_readv(pair->a.ep, r->iov, NULL, r->rma_segs, 0,
			       r->mem.addr, r->mem.key, r));
	EXPECT_COMP(t, &pair->a.tx, r, NULL);
	for (i = 0; i < r->rma_segs && !suite_failed(t); i++)
		EXPECT_EQ(t, r->buf[i * REFUSE_STRIDE], 0x5a);
	kfree(buf);
out:
	refuse_close(r);
}

/* A write that waits for another operation to follow */
static bool chain_write(struct suite_pair *pair, struct suite_mem *mem)
{
	const struct kvec iov = { .iov_base = mem->buf, .iov_len = 8 };
	const struct kfi_rma_iov rma = {
		.addr = mem->addr + 8, .len = 8, .key = mem->key,
	};
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = &rma, .rma_iov_count = 1, .context = pair,
	};

	return EXPECT_OK(pair->net->t, kfi_writemsg(pair->a.ep, &msg,
						    KFI_COMPLETION | KFI_MORE));
}

/* Each operation that an endpoint may have been opened without, by number */
static ssize_t chain_end(struct kfid_ep *ep, struct suite_mem *mem, int nr)
{
	switch (nr) {
	case 0:
		return kfi_atomic(ep, mem->buf, 1, NULL, 0, mem->addr,
				  mem->key, KFI_UINT64, KFI_SUM, NULL);
	case 1:
		return kfi_inject_atomic(ep, mem->buf, 1, 0, mem->addr,
					 mem->key, KFI_UINT64, KFI_SUM);
	case 2:
		return kfi_fetch_atomic(ep, mem->buf, 1, NULL, mem->buf, NULL,
					0, mem->addr, mem->key, KFI_UINT64,
					KFI_SUM, NULL);
	case 3:
		return kfi_compare_atomic(ep, mem->buf, 1, NULL, mem->buf, NULL,
					  mem->buf, NULL, 0, mem->addr,
					  mem->key, KFI_UINT64, KFI_CSWAP,
					  NULL);
	case 4:
		return kfi_send(ep, mem->buf, 8, NULL, 0, NULL);
	default:
		return kfi_inject(ep, mem->buf, 8, 0);
	}
}

static void check_chain(struct suite *t, u64 caps, int nr_ends)
{
	const struct suite_opts opts = { .caps = caps };
	struct suite_mem mem = { };
	struct suite_net net;
	struct suite_pair pair;
	int i;

	if (!suite_open(t, &net, &pair, &opts))
		return;
	if (!suite_mem_open(&net, &mem, PAGE_SIZE, SUITE_ACCESS))
		goto out;
	for (i = 0; i < nr_ends; i++) {
		if (!chain_write(&pair, &mem))
			break;
		EXPECT_EQ(t, chain_end(pair.a.ep, &mem, i), -EOPNOTSUPP);
		if (!EXPECT_COMP(t, &pair.a.tx, &pair, NULL))
			break;
	}
	EXPECT_EQ(t, kfi_recv(pair.a.ep, mem.buf, 8, NULL, 0, NULL),
		  nr_ends > 4 ? -EOPNOTSUPP : 0);
out:
	suite_mem_close(t, &mem);
	suite_close(&net, &pair);
}

/* What an endpoint does not have does not hold up what it has. */
static void test_chain(struct suite *t)
{
	check_chain(t, SUITE_RAW, 4);
	check_chain(t, SUITE_COMMIT, 6);
}

static void test_endpoint(struct suite *t)
{
	struct kfi_info *info;
	struct suite_net net;
	struct kfid_ep *ep;

	if (!suite_net_open(t, &net, SUITE_RAW, NULL))
		return;
	if (!EXPECT_OK(t, suite_getinfo(SUITE_RAW, net.port, 0, &info)))
		goto out;
	info->tx_attr->op_flags = UNKNOWN_FLAG;
	EXPECT_EQ(t, kfi_endpoint(net.domain, info, &ep, NULL), -EINVAL);
	info->tx_attr->op_flags = KFI_FENCE;
	EXPECT_EQ(t, kfi_endpoint(net.domain, info, &ep, NULL), -EINVAL);
	info->tx_attr->op_flags = 0;
	info->tx_attr->size = U32_MAX;
	EXPECT_EQ(t, kfi_endpoint(net.domain, info, &ep, NULL), -EOPNOTSUPP);
	info->tx_attr->size = 1;
	info->rx_attr->size = U32_MAX;
	EXPECT_EQ(t, kfi_endpoint(net.domain, info, &ep, NULL), -EOPNOTSUPP);
	info->rx_attr->size = 1;
	info->rx_attr->op_flags = UNKNOWN_FLAG;
	EXPECT_EQ(t, kfi_endpoint(net.domain, info, &ep, NULL), -EOPNOTSUPP);
	info->rx_attr->op_flags = 0;
	info->tx_attr->caps |= UNKNOWN_FLAG;
	EXPECT_EQ(t, kfi_endpoint(net.domain, info, &ep, NULL), -EOPNOTSUPP);
	info->tx_attr->caps &= ~UNKNOWN_FLAG;
	info->caps |= UNKNOWN_FLAG;
	EXPECT_EQ(t, kfi_endpoint(net.domain, info, &ep, NULL), -EOPNOTSUPP);
	info->caps &= ~UNKNOWN_FLAG;
	info->mode = 0;
	EXPECT_EQ(t, kfi_endpoint(net.domain, info, &ep, NULL), -EOPNOTSUPP);
	info->mode = KFI_RX_CQ_DATA | UNKNOWN_FLAG;
	EXPECT_EQ(t, kfi_endpoint(net.domain, info, &ep, NULL), -EOPNOTSUPP);
	info->mode = KFI_RX_CQ_DATA;
	info->ep_attr->type = KFI_EP_RDM;
	EXPECT_EQ(t, kfi_endpoint(net.domain, info, &ep, NULL), -EOPNOTSUPP);
	info->ep_attr->type = KFI_EP_MSG;
	if (EXPECT_OK(t, kfi_endpoint(net.domain, info, &ep, NULL)))
		EXPECT_OK(t, kfi_close(&ep->fid));
	kfi_freeinfo(info);
out:
	suite_net_close(&net);
}

const struct suite_test suite_refuse_tests[] = {
	{ "refuse.refused", test_refused },
	{ "refuse.accepted", test_accepted },
	{ "refuse.chain", test_chain },
	{ "refuse.endpoint", test_endpoint },
	{ }
};
