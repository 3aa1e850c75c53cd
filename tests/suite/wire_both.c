// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A stranger who says that it has messages and commits: how it makes the second of
 * its two connections, if it does.
 */

#include <linux/slab.h>
#include <linux/string.h>

#include "wire.h"

#define BOTH_WAIT_MS	500

/* As a good record, of the queue pair with @role */
static void put_record(struct wire_record *rec, u8 role, __be64 cookie)
{
	wire_good_record(rec);
	rec->version = WIRE_VERSION_BOTH;
	rec->role = role;
	rec->cookie = cookie;
}

/**
 * struct second - a stranger's second connection
 * @info: what @end was opened with
 * @end: a raw endpoint
 */
struct second {
	struct kfi_info		*info;
	struct suite_end	end;
};

static void second_close(struct wire *w, struct second *second)
{
	suite_end_close(w->t, &second->end);
	kfi_freeinfo(second->info);
}

/* Connects with a record. */
static bool second_call(struct wire *w, struct second *second, u8 role,
			__be64 cookie)
{
	const struct suite_opts opts = { };
	struct suite *t = w->t;
	struct wire_record rec;

	memset(second, 0, sizeof(*second));
	put_record(&rec, role, cookie);
	return EXPECT_OK(t, suite_getinfo(SUITE_RAW, w->net.port, 0,
					  &second->info)) &&
	       suite_end_open(&w->net, &second->end, second->info, &opts) &&
	       suite_patient(t, &second->end) &&
	       EXPECT_OK(t, kfi_connect(second->end.ep, NULL, &rec,
					sizeof(rec)));
}

/* Nobody wants it, and nobody but itself is told. */
static void expect_refused(struct wire *w, u8 role, __be64 cookie)
{
	struct suite *t = w->t;
	struct second second;
	struct suite_event ev;

	if (second_call(w, &second, role, cookie))
		EXPECT_ERROR(t, w->net.eq, ECONNREFUSED, &second.end.ep->fid,
			     &ev);
	second_close(w, &second);
}

/*
 * The first connection of a stranger to an endpoint with messages and commits, which
 * waits for the second one from here on; it has @ms for that.
 */
static bool open_first(struct suite *t, struct wire *w, unsigned int ms,
		       __be64 *cookie)
{
	struct wire_record rec, *answer;
	struct suite_event ev;

	if (!wire_open(t, w, SUITE_BOTH, SUITE_RAW))
		return false;
	put_record(&rec, WIRE_ROLE_RMA, cpu_to_be64(0x1234));
	if (!wire_call(w, &rec, sizeof(rec)) ||
	    !EXPECT_OK(t, kfi_setopt(&w->b.ep->fid, KFI_OPT_ENDPOINT,
				     KFI_OPT_CONNECT_TIMEOUT, &ms,
				     sizeof(ms))) ||
	    !EXPECT_OK(t, kfi_accept(w->b.ep, NULL, 0)) ||
	    !EXPECT_EVENT(t, w->net.eq, KFI_CONNECTED, &w->a.ep->fid, &ev))
		goto err;
	answer = (void *)ev.data;
	EXPECT_EQ(t, be32_to_cpu(answer->magic), WIRE_MAGIC);
	EXPECT_EQ(t, answer->version, WIRE_VERSION_BOTH);
	EXPECT_EQ(t, answer->role, WIRE_ROLE_RMA);
	/* the listener's own, or two strangers could choose the same */
	EXPECT(t, answer->cookie != rec.cookie);
	*cookie = answer->cookie;
	if (EXPECT(t, !suite_read_event(t, w->net.eq, &ev, SUITE_QUIET_MS)))
		return true;
err:
	wire_close(w);
	return false;
}

/* Both ends of the second connection are up, and so is the endpoint. */
static bool expect_connected(struct wire *w, struct second *second)
{
	struct suite *t = w->t;
	struct suite_event ev;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (!EXPECT_EVENT(t, w->net.eq, KFI_CONNECTED, NULL, &ev))
			return false;
		EXPECT(t, ev.fid == &second->end.ep->fid ||
		       ev.fid == &w->b.ep->fid);
	}
	return true;
}

/* A cookie is good for who was given it, and once. */
static void test_cookie(struct suite *t)
{
	struct second second = { };
	struct suite_comp comp;
	struct wire w;
	__be64 cookie;

	if (!open_first(t, &w, SUITE_TIMEOUT_MS, &cookie))
		return;
	expect_refused(&w, WIRE_ROLE_MSG, cookie ^ cpu_to_be64(1));
	expect_refused(&w, WIRE_ROLE_MSG, ~cookie);
	expect_refused(&w, WIRE_ROLE_MSG, cpu_to_be64(0x1234));
	expect_refused(&w, WIRE_ROLE_MSG, 0);
	if (!second_call(&w, &second, WIRE_ROLE_MSG, cookie) ||
	    !expect_connected(&w, &second))
		goto out;
	expect_refused(&w, WIRE_ROLE_MSG, cookie);

	/* messages by the second, to where they belong */
	EXPECT_OK(t, kfi_recv(w.b.ep, w.in, 2 * WIRE_MAX, NULL, 0, w.in));
	memset(w.out, 0x55, 2 * WIRE_MAX);
	EXPECT_OK(t, kfi_send(second.end.ep, w.out, 2 * WIRE_MAX, NULL, 0,
			      w.out));
	if (EXPECT_COMP(t, &w.b.rx, w.in, &comp))
		EXPECT_EQ(t, comp.entry.len, 2 * WIRE_MAX);
	EXPECT_ALL(t, w.in, 0x55, 2 * WIRE_MAX);
	EXPECT_COMP(t, &second.end.tx, w.out, NULL);
out:
	second_close(&w, &second);
	wire_close(&w);
}

/* Who comes with a second one first is nobody. */
static void test_stranger(struct suite *t)
{
	unsigned int nr = suite_scaled(2000, 50);
	struct suite_pair pair;
	struct suite_event ev;
	struct wire w;

	if (!wire_open(t, &w, SUITE_BOTH, SUITE_RAW))
		return;
	for (; nr && !suite_failed(t); nr--)
		expect_refused(&w, WIRE_ROLE_MSG,
			       cpu_to_be64(suite_random(t, 0, U32_MAX - 1)));
	EXPECT(t, !suite_read_event(t, w.net.eq, &ev, SUITE_QUIET_MS));
	if (suite_pair_open(&w.net, &pair, NULL)) {
		suite_ping(t, &pair.a, &pair.b);
		suite_pair_close(&pair);
	}
	wire_close(&w);
}

/* Roles that there are none of */
static void test_role(struct suite *t)
{
	static const u8 roles[] = { 0, 3, 255 };
	struct second second;
	struct suite_event ev;
	struct wire w;
	unsigned int i;

	if (!wire_open(t, &w, SUITE_BOTH, SUITE_RAW))
		return;
	for (i = 0; i < ARRAY_SIZE(roles); i++) {
		if (second_call(&w, &second, roles[i], 0))
			EXPECT_ERROR(t, w.net.eq, EPROTONOSUPPORT,
				     &second.end.ep->fid, &ev);
		second_close(&w, &second);
	}
	wire_close(&w);
}

/* The second one never comes. The first has ended then. */
static void test_never(struct suite *t)
{
	struct suite_event ev;
	struct wire w;
	__be64 cookie;

	if (!open_first(t, &w, BOTH_WAIT_MS, &cookie))
		return;
	EXPECT_ERROR(t, w.net.eq, ETIMEDOUT, &w.b.ep->fid, &ev);
	EXPECT_EVENT(t, w.net.eq, KFI_SHUTDOWN, &w.a.ep->fid, &ev);
	expect_refused(&w, WIRE_ROLE_MSG, cookie);
	wire_close(&w);
}

/* The first goes before the second comes. */
static void test_first_gone(struct suite *t)
{
	struct suite_event ev;
	struct wire w;
	__be64 cookie;

	if (!open_first(t, &w, SUITE_TIMEOUT_MS, &cookie))
		return;
	EXPECT_OK(t, kfi_close(&w.a.ep->fid));
	w.a.ep = NULL;
	EXPECT_ERROR(t, w.net.eq, ECONNRESET, &w.b.ep->fid, &ev);
	expect_refused(&w, WIRE_ROLE_MSG, cookie);
	wire_close(&w);
}

/* So does who waits for it. */
static void test_waiter_gone(struct suite *t)
{
	struct suite_event ev;
	struct wire w;
	__be64 cookie;

	if (!open_first(t, &w, SUITE_TIMEOUT_MS, &cookie))
		return;
	EXPECT_OK(t, kfi_close(&w.b.ep->fid));
	w.b.ep = NULL;
	EXPECT_EVENT(t, w.net.eq, KFI_SHUTDOWN, &w.a.ep->fid, &ev);
	expect_refused(&w, WIRE_ROLE_MSG, cookie);
	wire_close(&w);
}

/* Many that have made half of a connection; each ends in its time, as does the last. */
static void test_half(struct suite *t)
{
	unsigned int nr = suite_scaled(500, 10);
	struct wire w;
	__be64 cookie;

	for (; nr && !suite_failed(t); nr--) {
		if (!open_first(t, &w, SUITE_TIMEOUT_MS, &cookie))
			return;
		wire_close(&w);
	}
}

/* Either connection ends the endpoint, and with it the other one. */
static void check_end(struct suite *t, bool by_second)
{
	struct second second = { };
	struct suite_end *end;
	struct suite_event ev;
	struct wire w;
	__be64 cookie;
	unsigned int i;

	if (!open_first(t, &w, SUITE_TIMEOUT_MS, &cookie))
		return;
	if (!second_call(&w, &second, WIRE_ROLE_MSG, cookie) ||
	    !expect_connected(&w, &second))
		goto out;
	EXPECT_OK(t, kfi_recv(w.b.ep, w.in, 8, NULL, 0, w.in));
	end = by_second ? &second.end : &w.a;
	EXPECT_OK(t, kfi_close(&end->ep->fid));
	end->ep = NULL;
	for (i = 0; i < 2; i++)
		EXPECT_EVENT(t, w.net.eq, KFI_SHUTDOWN, NULL, &ev);
	EXPECT(t, !suite_read_event(t, w.net.eq, &ev, SUITE_QUIET_MS));
	EXPECT_COMP_ERR(t, &w.b.rx, w.in, ECANCELED, KFI_MSG | KFI_RECV);
	EXPECT_NO_COMP(t, &w.b.rx);
out:
	second_close(&w, &second);
	wire_close(&w);
}

static void test_end(struct suite *t)
{
	check_end(t, false);
	check_end(t, true);
}

/* A write by the connection for messages takes a receive, which must not be. */
static void test_write(struct suite *t)
{
	struct second second = { };
	struct suite_comp comp;
	struct suite_event ev;
	unsigned int i;
	struct wire w;
	__be64 cookie;

	if (!open_first(t, &w, SUITE_TIMEOUT_MS, &cookie))
		return;
	if (!second_call(&w, &second, WIRE_ROLE_MSG, cookie) ||
	    !expect_connected(&w, &second))
		goto out;
	EXPECT_OK(t, kfi_recv(w.b.ep, w.in, 8, NULL, 0, w.in));
	EXPECT_OK(t, kfi_writedata(second.end.ep, w.out, 8, NULL, 7, 0,
				   w.mr->iova, w.mr->key, w.out));
	if (EXPECT(t, suite_read_comp(t, &w.b.rx, &comp, SUITE_TIMEOUT_MS))) {
		EXPECT(t, comp.err);
		EXPECT(t, comp.entry.op_context == w.in);
	}
	for (i = 0; i < 3; i++)
		EXPECT_EVENT(t, w.net.eq, KFI_SHUTDOWN, NULL, &ev);
out:
	second_close(&w, &second);
	wire_close(&w);
}

/*
 * The other way round: one of ours connects, and a stranger answers.
 */

/* What a stranger does with a second request */
enum answer {
	ANSWER_GOOD,
	ANSWER_COOKIE,
	ANSWER_ROLE,
	ANSWER_NOTHING,
	ANSWER_REJECT,
	ANSWER_NEVER,
};

static const int answer_errs[] = {
	[ANSWER_GOOD]		= 0,
	[ANSWER_COOKIE]		= EPROTONOSUPPORT,
	[ANSWER_ROLE]		= EPROTONOSUPPORT,
	[ANSWER_NOTHING]	= EPROTONOSUPPORT,
	[ANSWER_REJECT]		= ECONNRESET,
	[ANSWER_NEVER]		= ETIMEDOUT,
};

static bool open_call(struct suite *t, struct wire *w, enum answer answer,
		      __be64 cookie)
{
	const unsigned int ms = answer == ANSWER_NEVER ? BOTH_WAIT_MS :
							 SUITE_TIMEOUT_MS;
	struct wire_record rec;

	if (!wire_open(t, w, SUITE_RAW, SUITE_BOTH))
		return false;
	put_record(&rec, WIRE_ROLE_RMA, cookie);
	if (EXPECT_OK(t, kfi_setopt(&w->a.ep->fid, KFI_OPT_ENDPOINT,
				    KFI_OPT_CONNECT_TIMEOUT, &ms,
				    sizeof(ms))) &&
	    wire_call(w, NULL, 0) &&
	    EXPECT_OK(t, kfi_accept(w->b.ep, &rec, sizeof(rec))))
		return true;
	wire_close(w);
	return false;
}

/* The second request is there; it has the cookie, and nothing of the consumer's. */
static bool wait_second(struct wire *w, __be64 cookie, struct suite_event *ev)
{
	const struct wire_record *rec = (void *)ev->data;
	struct suite *t = w->t;

	if (!EXPECT_EVENT(t, w->net.eq, KFI_CONNECTED, &w->b.ep->fid, ev) ||
	    !EXPECT_EVENT(t, w->net.eq, KFI_CONNREQ, &w->net.pep->fid, ev))
		return false;
	EXPECT_EQ(t, rec->version, WIRE_VERSION_BOTH);
	EXPECT_EQ(t, rec->role, WIRE_ROLE_MSG);
	EXPECT(t, rec->cookie == cookie);
	EXPECT_ALL(t, ev->data + sizeof(*rec), 0, ev->len - sizeof(*rec));
	return true;
}

static void give_answer(struct wire *w, struct second *second,
			struct suite_event *ev, enum answer answer,
			__be64 cookie)
{
	const struct suite_opts opts = { };
	struct suite *t = w->t;
	struct wire_record rec;

	put_record(&rec, answer == ANSWER_ROLE ? WIRE_ROLE_RMA : WIRE_ROLE_MSG,
		   answer == ANSWER_COOKIE ? ~cookie : cookie);
	if (answer == ANSWER_NOTHING)
		rec.magic = 0;
	if (answer == ANSWER_NEVER)
		return;
	if (answer == ANSWER_REJECT)
		EXPECT_OK(t, kfi_reject(w->net.pep, ev->info->handle, &rec,
					sizeof(rec)));
	else if (suite_end_open(&w->net, &second->end, ev->info, &opts))
		EXPECT_OK(t, kfi_accept(second->end.ep, &rec, sizeof(rec)));
}

/* What the endpoint is told in the end; the stranger's ends are told other things. */
static bool wait_outcome(struct wire *w, struct suite_event *ev)
{
	struct suite *t = w->t;

	do {
		if (!EXPECT(t, suite_read_event(t, w->net.eq, ev,
						SUITE_TIMEOUT_MS)))
			return false;
	} while (ev->fid != &w->a.ep->fid);
	return true;
}

static void expect_outcome(struct wire *w, enum answer answer)
{
	struct suite *t = w->t;
	struct suite_event ev;

	if (!wait_outcome(w, &ev))
		return;
	EXPECT_EQ(t, ev.err, answer_errs[answer]);
	EXPECT_EQ(t, ev.event, ev.err ? 0 : KFI_CONNECTED);
	EXPECT(t, ev.err || ev.len == 172);
	EXPECT(t, !ev.err || !ev.len);
	while (suite_read_event(t, w->net.eq, &ev, SUITE_QUIET_MS))
		EXPECT(t, ev.fid != &w->a.ep->fid);
}

static void check_answer(struct suite *t, enum answer answer)
{
	const __be64 cookie = cpu_to_be64(0x123456789abcdef0);
	struct second second = { };
	struct suite_event ev;
	struct wire w;

	if (!open_call(t, &w, answer, cookie))
		return;
	if (wait_second(&w, cookie, &ev)) {
		give_answer(&w, &second, &ev, answer, cookie);
		expect_outcome(&w, answer);
		kfi_freeinfo(ev.info);
	}
	second_close(&w, &second);
	wire_close(&w);
}

static void test_answer(struct suite *t)
{
	enum answer answer;

	for (answer = ANSWER_GOOD; answer <= ANSWER_NEVER; answer++) {
		check_answer(t, answer);
		if (suite_failed(t)) {
			COMPLAIN(t, "the above was: answer %u", answer);
			break;
		}
	}
}

/* An answer to the first request that is not of such an endpoint */
static void test_first_answer(struct suite *t)
{
	struct wire_record rec;
	struct suite_event ev;
	unsigned int how;
	struct wire w;

	for (how = 0; how < 3 && !suite_failed(t); how++) {
		if (!wire_open(t, &w, SUITE_RAW, SUITE_BOTH))
			return;
		put_record(&rec, WIRE_ROLE_MSG, 0);
		if (how == 1)
			rec.version = WIRE_VERSION;
		if (how == 2)
			rec.role = 0;
		if (wire_call(&w, NULL, 0) &&
		    EXPECT_OK(t, kfi_accept(w.b.ep, &rec, sizeof(rec))) &&
		    wait_outcome(&w, &ev))
			EXPECT_EQ(t, ev.err, EPROTONOSUPPORT);
		wire_close(&w);
	}
}

const struct suite_test suite_wire_both_tests[] = {
	{ "wire.both_cookie", test_cookie },
	{ "wire.both_stranger", test_stranger },
	{ "wire.both_role", test_role },
	{ "wire.both_never", test_never },
	{ "wire.both_first_gone", test_first_gone },
	{ "wire.both_waiter_gone", test_waiter_gone },
	{ "wire.both_half", test_half },
	{ "wire.both_end", test_end },
	{ "wire.both_write", test_write },
	{ "wire.both_answer", test_answer },
	{ "wire.both_first_answer", test_first_answer },
	{ }
};
