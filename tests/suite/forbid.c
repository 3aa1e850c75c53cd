// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Commits that must not be: each is refused with its error, before anything of it
 * reaches the target.
 */

#include <linux/array_size.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include <kfi_atomic.h>

#include "store.h"

#define FORBID_LEN	64

/**
 * struct forbidden - a write that must be refused
 * @what: in words
 * @flags: of the call
 * @ret: its error
 * @len: bytes of its payload, 64 if 0
 * @reach: bytes of its range, if they are not as many
 * @key: what is wrong with the key
 * @data: for KFI_REMOTE_CQ_DATA
 * @ranges: remote ranges, 1 if 0
 * @wraps: the range reaches around the end of all addresses
 */
struct forbidden {
	const char	*what;
	u64		flags;
	int		ret;
	size_t		len;
	size_t		reach;
	u64		key;
	u64		data;
	unsigned int	ranges;
	bool		wraps;
};

/* The mark of a persistent region, which a key must have */
#define MARK		BIT_ULL(32)
#define TOO_MANY	17

static const struct forbidden forbidden[] = {
	{ "two levels: injected", KFI_COMMIT | KFI_INJECT_COMPLETE, -EINVAL },
	{ "two levels: transmitted", KFI_COMMIT | KFI_TRANSMIT_COMPLETE,
	  -EINVAL },
	{ "two levels: delivered", KFI_COMMIT | KFI_DELIVERY_COMPLETE,
	  -EINVAL },
	{ "all levels", KFI_COMMIT | KFI_DELIVERY_COMPLETE |
	  KFI_TRANSMIT_COMPLETE | KFI_INJECT_COMPLETE, -EINVAL },
	{ "an unknown flag", KFI_COMMIT | BIT_ULL(40), -EINVAL },
	{ "the flag of another call", KFI_COMMIT | KFI_PEEK, -EINVAL },
	{ "the flag of a registration", KFI_COMMIT | KFI_UNCACHED, -EINVAL },
	{ "a capability", KFI_COMMIT | KFI_RMA_PMEM, -EINVAL },
	{ "a plain region", KFI_COMMIT, -EINVAL, .key = MARK },
	{ "a plain region without payload", KFI_COMMIT, -EINVAL,
	  .len = SIZE_MAX, .reach = FORBID_LEN, .key = MARK },
	{ "a key that cannot be", KFI_COMMIT, -EINVAL, .key = BIT_ULL(40) },
	{ "more payload than room", KFI_COMMIT, -EINVAL,
	  .reach = FORBID_LEN - 1 },
	{ "more room than payload", KFI_COMMIT, -EINVAL,
	  .reach = FORBID_LEN + 1 },
	{ "the end of all addresses", KFI_COMMIT, -EINVAL, .wraps = true },
	{ "the end of all addresses, without payload", KFI_COMMIT, -EINVAL,
	  .len = SIZE_MAX, .reach = FORBID_LEN, .wraps = true },
	{ "data that is too wide", KFI_COMMIT | KFI_REMOTE_CQ_DATA, -EINVAL,
	  .data = BIT_ULL(32) },
	{ "too much to inject", KFI_COMMIT | KFI_INJECT, -EMSGSIZE,
	  .len = 4096, .reach = 4096 },
	{ "too many ranges", KFI_COMMIT, -E2BIG, .ranges = TOO_MANY },
	{ "too many ranges, without payload", KFI_COMMIT, -E2BIG,
	  .len = SIZE_MAX, .reach = FORBID_LEN, .ranges = TOO_MANY },
	{ "a range that is too long", KFI_COMMIT, -EMSGSIZE,
	  .len = SIZE_MAX, .reach = SIZE_MAX / 2 },
};

static ssize_t post(struct store *store, const struct forbidden *f)
{
	/* SIZE_MAX is none */
	size_t len = f->len == SIZE_MAX ? 0 : f->len ?: FORBID_LEN;
	const struct kvec iov = { .iov_base = store->buf, .iov_len = len };
	struct kfi_rma_iov rma[TOO_MANY] = { };
	const struct kfi_msg_rma msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = rma, .rma_iov_count = f->ranges ?: 1,
		.data = f->data,
	};
	unsigned int i;

	for (i = 0; i < TOO_MANY; i++) {
		rma[i].addr = f->wraps ? -1ULL : store->addr;
		rma[i].key = store->key ^ f->key;
	}
	rma[0].len = f->reach ?: len;
	return kfi_writemsg(store->pair.a.ep, &msg, f->flags);
}

/* More often than there are slots to lose, and with a chain to leave behind */
static void check_forbidden(struct store *store, const struct forbidden *f)
{
	struct suite *t = store->t;
	unsigned int i;

	for (i = 0; i < 2 + store->pair.info->tx_attr->size; i++)
		if (!EXPECT_EQ(t, post(store, f), f->ret))
			break;
	EXPECT_OK(t, store_write(store, 4096, 8, store, KFI_MORE));
	EXPECT_EQ(t, post(store, f), f->ret);
	EXPECT_COMP(t, &store->pair.a.tx, store, NULL);
}

static void test_writes(struct suite *t)
{
	const struct suite_opts opts = { .tx_size = 80 };
	const struct forbidden *f = forbidden;
	struct store store;

	if (!store_open(t, &store, &opts))
		return;
	for (; f < forbidden + ARRAY_SIZE(forbidden); f++) {
		check_forbidden(&store, f);
		if (suite_failed(t)) {
			COMPLAIN(t, "the above was: %s", f->what);
			break;
		}
	}
	EXPECT_NO_COMP(t, &store.pair.a.tx);
	EXPECT_NO_COMP(t, &store.pair.b.rx);
	EXPECT_ALL(t, store.mem, 0, 4096);
	EXPECT_EQ(t, kfi_pmemsim_persists(store.sim), 0);
	store_close(&store);
}

/* Calls for which there is no such thing as a commit */
static void check_other_calls(struct suite *t, struct kfid_ep *ep, u8 *buf,
			      const struct kfi_rma_iov *rma, int send)
{
	struct kvec iov = { .iov_base = buf, .iov_len = rma->len };
	const struct kfi_msg_rma rma_msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
		.rma_iov = rma, .rma_iov_count = 1,
	};
	const struct kfi_msg msg = {
		.type = KFI_KVEC, .msg_iov = &iov, .iov_count = 1,
	};

	EXPECT_EQ(t, kfi_readmsg(ep, &rma_msg, KFI_COMMIT), -EINVAL);
	EXPECT_EQ(t, kfi_sendmsg(ep, &msg, KFI_COMMIT), -EOPNOTSUPP);
	EXPECT_EQ(t, kfi_recvmsg(ep, &msg, KFI_COMMIT), send);
}

static void test_calls(struct suite *t)
{
	const struct suite_opts raw = { .caps = SUITE_RAW };
	struct kfi_rma_iov rma = { .len = 8 };
	struct suite_pair pair;
	struct suite_net net;
	struct store store;
	u8 *buf;

	if (!store_open(t, &store, NULL))
		return;
	rma.addr = store.addr;
	rma.key = store.key;
	check_other_calls(t, store.pair.a.ep, store.buf, &rma,
			  t->caps & KFI_MSG ? -EINVAL : -EOPNOTSUPP);
	EXPECT_EQ(t, kfi_atomic(store.pair.a.ep, store.buf, 1, NULL, 0,
				store.addr, store.key, KFI_UINT64, KFI_SUM,
				NULL), -EOPNOTSUPP);
	EXPECT_NO_COMP(t, &store.pair.a.tx);

	/* an endpoint that was not opened for commits, to the same region */
	buf = store.buf;
	if (suite_open(t, &net, &pair, &raw)) {
		check_other_calls(t, pair.a.ep, buf, &rma, -EINVAL);
		EXPECT_EQ(t, kfi_write_commit(pair.a.ep, buf, 8, NULL, 0,
					      rma.addr, rma.key, NULL),
			  -EOPNOTSUPP);
		EXPECT_EQ(t, kfi_writedata_commit(pair.a.ep, buf, 8, NULL, 1, 0,
						  rma.addr, rma.key, NULL),
			  -EOPNOTSUPP);
		EXPECT_NO_COMP(t, &pair.a.tx);
		suite_close(&net, &pair);
	}
	EXPECT_ALL(t, store.mem, 0, STORE_LEN);
	store_close(&store);
}

/* Before the endpoint is connected, and after */
static void test_states(struct suite *t)
{
	const struct suite_opts opts = { };
	struct suite_end end = { };
	struct kfi_info *info;
	struct store store;
	struct kfid_ep *ep;
	u8 *buf;

	if (!store_open(t, &store, NULL))
		return;
	buf = store.buf;
	if (!EXPECT_OK(t, suite_getinfo(store.net.caps, store.net.port, 0,
					&info)))
		goto out;
	if (suite_end_open(&store.net, &end, info, &opts)) {
		ep = end.ep;
		EXPECT_EQ(t, kfi_write_commit(ep, buf, 8, NULL, 0, store.addr,
					      store.key, NULL),
			  -KFI_EOPBADSTATE);
		EXPECT_OK(t, kfi_enable(ep));
		EXPECT_EQ(t, kfi_write_commit(ep, buf, 8, NULL, 0, store.addr,
					      store.key, NULL), -ENOTCONN);
	}
	suite_end_close(t, &end);
	kfi_freeinfo(info);
	EXPECT_OK(t, kfi_shutdown(store.pair.a.ep, 0));
	EXPECT_EQ(t, kfi_write_commit(store.pair.a.ep, buf, 8, NULL, 0,
				      store.addr, store.key, NULL), -ESHUTDOWN);
	EXPECT_NO_COMP(t, &store.pair.a.tx);
out:
	EXPECT_ALL(t, store.mem, 0, STORE_LEN);
	store_close(&store);
}

const struct suite_test suite_forbid_tests[] = {
	{ "forbid.writes", test_writes },
	{ "forbid.calls", test_calls },
	{ "forbid.states", test_states },
	{ "forbid.writes_read", test_writes, KFI_COMMIT_READ },
	{ "forbid.writes_flush", test_writes, KFI_COMMIT_FLUSH },
	{ }
};
