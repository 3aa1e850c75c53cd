// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Endpoints with messages and commits: how their connections come about and end.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "store.h"

#define BOTH_OPS	16

/* Receives, and sends and commits that wait for the peer. */
static bool post_waiting(struct store *store, u8 *buf)
{
	struct suite *t = store->t;
	uintptr_t op;

	kfi_pmemsim_set_delay(store->sim, 300);
	for (op = 1; op <= BOTH_OPS; op++) {
		EXPECT_OK(t, kfi_recv(store->pair.a.ep, buf, 64, NULL, 0,
				      (void *)op));
		EXPECT_OK(t, kfi_send(store->pair.a.ep, buf, 64, NULL, 0,
				      (void *)op));
		EXPECT_OK(t, store_write(store, op * 64, 64,
					 (void *)(op + BOTH_OPS), KFI_COMMIT));
	}
	return !suite_failed(t);
}

/*
 * Each has completed within @ms, once, those of a sort in their order. Commits may
 * have been carried out.
 */
static void check_drained(struct store *store, int ms)
{
	struct suite *t = store->t;
	uintptr_t next[2] = { 1, BOTH_OPS + 1 };
	struct suite_comp comp;
	unsigned int i, which;

	for (i = 0; i < 2 * BOTH_OPS; i++) {
		if (!EXPECT(t, suite_read_comp(t, &store->pair.a.tx, &comp,
					       ms)))
			return;
		which = !(comp.entry.flags & KFI_MSG);
		EXPECT_EQ(t, (uintptr_t)comp.entry.op_context, next[which]++);
		EXPECT(t, comp.err == ECANCELED || (which && !comp.err));
	}
	for (i = 1; i <= BOTH_OPS; i++) {
		if (!EXPECT(t, suite_read_comp(t, &store->pair.a.rx, &comp,
					       ms)))
			return;
		EXPECT_EQ(t, (uintptr_t)comp.entry.op_context, i);
		EXPECT_EQ(t, comp.err, ECANCELED);
	}
	EXPECT_NO_COMP(t, &store->pair.a.tx);
	EXPECT_NO_COMP(t, &store->pair.a.rx);
}

static void check_refused(struct store *store, u8 *buf)
{
	struct kfid_ep *ep = store->pair.a.ep;
	struct suite *t = store->t;

	EXPECT_EQ(t, kfi_send(ep, buf, 8, NULL, 0, NULL), -ESHUTDOWN);
	EXPECT_EQ(t, kfi_recv(ep, buf, 8, NULL, 0, NULL), -ESHUTDOWN);
	EXPECT_EQ(t, store_write(store, 0, 8, NULL, KFI_COMMIT), -ESHUTDOWN);
}

/* The peer is told once; the one that has ended it may be told. */
static void check_told(struct store *store)
{
	unsigned int told_a = 0, told_b = 0;
	struct suite *t = store->t;
	struct suite_event ev;

	while (suite_read_event(t, store->net.eq, &ev,
				told_b ? SUITE_QUIET_MS : SUITE_TIMEOUT_MS)) {
		EXPECT_EQ(t, ev.event, KFI_SHUTDOWN);
		if (store->pair.a.ep && ev.fid == &store->pair.a.ep->fid)
			told_a++;
		else if (EXPECT(t, ev.fid == &store->pair.b.ep->fid))
			told_b++;
	}
	EXPECT(t, told_a <= 1);
	EXPECT_EQ(t, told_b, 1);
}

static void check_end(struct suite *t, bool close, bool polled)
{
	const struct suite_opts opts = { .polled = polled };
	struct store store;
	u8 *buf = kzalloc(64, GFP_KERNEL);

	t->caps = SUITE_BOTH;
	if (!EXPECT(t, buf) || !store_open(t, &store, &opts))
		goto out;
	if (!post_waiting(&store, buf))
		goto out_store;
	if (close) {
		EXPECT_OK(t, kfi_close(&store.pair.a.ep->fid));
		store.pair.a.ep = NULL;
	} else {
		EXPECT_OK(t, kfi_shutdown(store.pair.a.ep, 0));
		check_refused(&store, buf);
	}
	check_drained(&store, 0);
	check_told(&store);
out_store:
	store_close(&store);
out:
	kfree(buf);
}

static void test_shutdown(struct suite *t)
{
	check_end(t, false, false);
	check_end(t, false, true);
}

static void test_close(struct suite *t)
{
	check_end(t, true, false);
	check_end(t, true, true);
}

/* An error of one sort of operations ends all. */
static void check_error(struct suite *t, bool message)
{
	struct suite_comp comp;
	struct suite_event ev;
	struct store store;
	unsigned int i;
	u8 *buf = kzalloc(64, GFP_KERNEL);

	t->caps = SUITE_BOTH;
	if (!EXPECT(t, buf) || !store_open(t, &store, NULL))
		goto out;
	EXPECT_OK(t, kfi_recv(store.pair.a.ep, buf, 8, NULL, 0, (void *)1));
	if (message) {
		EXPECT_OK(t, kfi_recv(store.pair.b.ep, buf, 8, NULL, 0, NULL));
		EXPECT_OK(t, kfi_send(store.pair.a.ep, store.buf, 64, NULL, 0,
				      (void *)2));
	} else {
		store.key ^= BIT(8);
		EXPECT_OK(t, store_write(&store, 0, 8, (void *)2, 0));
	}
	if (EXPECT(t, suite_read_comp(t, &store.pair.a.tx, &comp,
				      SUITE_TIMEOUT_MS)))
		EXPECT_EQ(t, comp.err, message ? EREMOTEIO : EACCES);
	EXPECT_COMP_ERR(t, &store.pair.a.rx, (void *)1, ECANCELED, KFI_MSG);
	for (i = 0; i < 2; i++)
		EXPECT_EVENT(t, store.net.eq, KFI_SHUTDOWN, NULL, &ev);
	EXPECT(t, !suite_read_event(t, store.net.eq, &ev, SUITE_QUIET_MS));
	check_refused(&store, buf);
	store_close(&store);
out:
	kfree(buf);
}

static void test_error(struct suite *t)
{
	check_error(t, true);
	check_error(t, false);
}

/* A script compares the resources of the device before and after. */
static void test_rounds(struct suite *t)
{
	const struct suite_opts opts = { .caps = SUITE_BOTH };
	unsigned int rounds = suite_scaled(1000, 100);
	struct suite_pair pair;
	struct suite_net net;

	for (; rounds && !suite_failed(t); rounds--) {
		if (!suite_open(t, &net, &pair, &opts))
			return;
		if (rounds % 8 == 0)
			suite_ping(t, &pair.a, &pair.b);
		suite_close(&net, &pair);
	}
}

/**
 * struct both_call - an endpoint that is being connected
 * @net: the net
 * @info: what @a was opened with
 * @a: connects
 * @b: may accept
 * @request: of @a
 */
struct both_call {
	struct suite_net	net;
	struct kfi_info		*info;
	struct suite_end	a;
	struct suite_end	b;
	struct suite_event	request;
};

static bool call_open(struct suite *t, struct both_call *call, unsigned int ms)
{
	const struct suite_opts opts = { };

	memset(call, 0, sizeof(*call));
	return suite_net_open(t, &call->net, SUITE_BOTH, NULL) &&
	       EXPECT_OK(t, suite_getinfo(SUITE_BOTH, call->net.port, 0,
					  &call->info)) &&
	       suite_end_open(&call->net, &call->a, call->info, &opts) &&
	       EXPECT_OK(t, kfi_setopt(&call->a.ep->fid, KFI_OPT_ENDPOINT,
				       KFI_OPT_CONNECT_TIMEOUT, &ms,
				       sizeof(ms))) &&
	       EXPECT_OK(t, kfi_connect(call->a.ep, NULL, NULL, 0)) &&
	       EXPECT_EVENT(t, call->net.eq, KFI_CONNREQ,
			    &call->net.pep->fid, &call->request);
}

static void call_close(struct suite *t, struct both_call *call)
{
	kfi_freeinfo(call->request.info);
	suite_end_close(t, &call->a);
	suite_end_close(t, &call->b);
	kfi_freeinfo(call->info);
	if (call->net.fabric)
		suite_net_close(&call->net);
}

/* One request for one endpoint; nobody wants it. */
static void test_unwanted(struct suite *t)
{
	struct both_call call;
	struct suite_event ev;

	if (call_open(t, &call, SUITE_TIMEOUT_MS)) {
		EXPECT(t, !suite_read_event(t, call.net.eq, &ev,
					    SUITE_QUIET_MS));
		kfi_freeinfo(call.request.info);
		call.request.info = NULL;
		EXPECT_ERROR(t, call.net.eq, ECONNREFUSED, &call.a.ep->fid,
			     &ev);
	}
	call_close(t, &call);
}

/* Nobody answers it. */
static void test_unanswered(struct suite *t)
{
	struct both_call call;
	struct suite_event ev;

	if (call_open(t, &call, 500))
		EXPECT_ERROR(t, call.net.eq, ETIMEDOUT, &call.a.ep->fid, &ev);
	call_close(t, &call);
}

/* It is closed in the middle, wherever that is; the other end hears of it once. */
static void test_hang_up(struct suite *t)
{
	unsigned int rounds = suite_scaled(500, 20);
	const struct suite_opts opts = { };
	struct both_call call;
	struct suite_event ev;
	unsigned int told;

	for (; rounds && !suite_failed(t); rounds--) {
		if (call_open(t, &call, SUITE_TIMEOUT_MS) &&
		    suite_end_open(&call.net, &call.b, call.request.info,
				   &opts) &&
		    EXPECT_OK(t, kfi_accept(call.b.ep, NULL, 0))) {
			udelay(suite_random(t, 0, 2000));
			EXPECT_OK(t, kfi_close(&call.a.ep->fid));
			call.a.ep = NULL;
			told = 0;
			while (suite_read_event(t, call.net.eq, &ev,
						told ? 2 : SUITE_TIMEOUT_MS)) {
				if (EXPECT(t, ev.fid == &call.b.ep->fid))
					told += ev.event != KFI_CONNECTED;
			}
			EXPECT_EQ(t, told, 1);
		}
		call_close(t, &call);
	}
}

/* The device goes away under all of it; see removal.c. */
static void test_removal(struct suite *t)
{
	struct suite_event ev;
	unsigned int told = 0;
	struct store store;
	u8 *buf = kzalloc(64, GFP_KERNEL);

	t->caps = SUITE_BOTH;
	if (!EXPECT(t, buf) || !store_open(t, &store, NULL))
		goto out;
	post_waiting(&store, buf);
	pr_info("# waiting for removal\n");
	while (told < 3 && EXPECT(t, suite_read_event(t, store.net.eq, &ev,
						      2 * SUITE_TIMEOUT_MS)))
		told += ev.event == KFI_SHUTDOWN;
	check_drained(&store, SUITE_TIMEOUT_MS);
	EXPECT_EQ(t, kfi_send(store.pair.a.ep, buf, 8, NULL, 0, NULL), -ENODEV);
	EXPECT_EQ(t, kfi_recv(store.pair.a.ep, buf, 8, NULL, 0, NULL), -ENODEV);
	EXPECT_EQ(t, store_write(&store, 0, 8, NULL, KFI_COMMIT), -ENODEV);
	EXPECT(t, !suite_read_event(t, store.net.eq, &ev, SUITE_QUIET_MS));
	store_close(&store);
out:
	kfree(buf);
}

const struct suite_test suite_both_removal_tests[] = {
	{ "removal_both", test_removal },
	{ }
};

const struct suite_test suite_both_end_tests[] = {
	{ "both.shutdown", test_shutdown },
	{ "both.close", test_close },
	{ "both.error", test_error },
	{ "both.unwanted", test_unwanted },
	{ "both.unanswered", test_unanswered },
	{ "both.hang_up", test_hang_up },
	{ "both.rounds", test_rounds },
	{ }
};
