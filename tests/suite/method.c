// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How a connection commits: what the target's memory allows, what the initiator asks
 * for, and that what was said when the connection was made stays true.
 */

#include <linux/array_size.h>
#include <linux/err.h>

#include "store.h"

#define METHOD_OTHER	"suite2"
#define METHOD_LEN	SZ_64K

static enum kfi_commit_method method_of(struct suite *t, struct kfid_ep *ep)
{
	struct kfi_commit_info info;

	store_get_info(t, ep, &info);
	return info.method;
}

/**
 * struct choice - memory and a wish, and what comes of them
 * @attr: the memory; of no bytes for none
 * @wanted: KFI_OPT_COMMIT_METHOD
 * @got: the method, KFI_COMMIT_NONE if the connection fails
 */
struct choice {
	struct kfi_pmemsim_attr	attr;
	enum kfi_commit_method	wanted;
	enum kfi_commit_method	got;
};

#define ADR	{ .len = STORE_LEN }
#define EADR	{ .len = STORE_LEN, .domain = KFI_PMEMSIM_EADR }
#define LIE	{ .len = STORE_LEN, .domain = KFI_PMEMSIM_LIE }
#define ASYNC	{ .len = STORE_LEN, .domain = KFI_PMEMSIM_EADR, .async = true }

static const struct choice choices[] = {
	{ ADR, KFI_COMMIT_FLUSH, KFI_COMMIT_NONE },
	{ EADR, KFI_COMMIT_FLUSH, KFI_COMMIT_NONE },
	{ ADR, KFI_COMMIT_NONE, KFI_COMMIT_SERVER },
	{ ADR, KFI_COMMIT_SERVER, KFI_COMMIT_SERVER },
	{ ADR, KFI_COMMIT_READ, KFI_COMMIT_NONE },
	{ EADR, KFI_COMMIT_NONE, KFI_COMMIT_READ },
	{ EADR, KFI_COMMIT_SERVER, KFI_COMMIT_SERVER },
	{ EADR, KFI_COMMIT_READ, KFI_COMMIT_READ },
	{ ASYNC, KFI_COMMIT_NONE, KFI_COMMIT_SERVER },
	{ ASYNC, KFI_COMMIT_READ, KFI_COMMIT_NONE },
	{ LIE, KFI_COMMIT_NONE, KFI_COMMIT_READ },
};

/* In memory that a device can flush */
static const struct choice choices_flush[] = {
	{ ADR, KFI_COMMIT_NONE, KFI_COMMIT_FLUSH },
	{ ADR, KFI_COMMIT_SERVER, KFI_COMMIT_SERVER },
	{ ADR, KFI_COMMIT_READ, KFI_COMMIT_NONE },
	{ ADR, KFI_COMMIT_FLUSH, KFI_COMMIT_FLUSH },
	{ LIE, KFI_COMMIT_NONE, KFI_COMMIT_READ },
	{ LIE, KFI_COMMIT_FLUSH, KFI_COMMIT_FLUSH },
	{ ASYNC, KFI_COMMIT_FLUSH, KFI_COMMIT_NONE },
};

/*
 * An endpoint that wants @wanted connects, and commits by @got, or fails: with an
 * error of its own, while the other end may have been connected for a moment.
 */
static void check_connect(struct suite_net *net, enum kfi_commit_method wanted,
			  enum kfi_commit_method got,
			  const struct kfi_conn_param *param)
{
	const struct suite_opts opts = { };
	struct suite *t = net->t;
	struct suite_pair pair = { };
	struct suite_event ev;
	bool done = false;

	if (!EXPECT_OK(t, suite_getinfo(net->caps, net->port, 0, &pair.info)))
		return;
	if (!suite_end_open(net, &pair.a, pair.info, &opts) ||
	    !suite_patient(t, &pair.a) ||
	    !EXPECT_OK(t, suite_set_method(pair.a.ep, wanted)))
		goto out;
	if (param)
		EXPECT_OK(t, kfi_setopt(&pair.a.ep->fid, KFI_OPT_ENDPOINT,
					KFI_OPT_CONN_PARAM, param,
					sizeof(*param)));
	if (!EXPECT_OK(t, kfi_connect(pair.a.ep, NULL, NULL, 0)) ||
	    !EXPECT_EVENT(t, net->eq, KFI_CONNREQ, &net->pep->fid, &ev))
		goto out;
	if (suite_end_open(net, &pair.b, ev.info, &opts))
		EXPECT_OK(t, kfi_accept(pair.b.ep, NULL, 0));
	kfi_freeinfo(ev.info);
	while (!done && EXPECT(t, suite_read_event(t, net->eq, &ev,
						   SUITE_TIMEOUT_MS))) {
		done = ev.fid == &pair.a.ep->fid;
		if (!done)
			continue;
		EXPECT_EQ(t, ev.err, got ? 0 : EOPNOTSUPP);
		EXPECT_EQ(t, ev.event, got ? KFI_CONNECTED : 0);
		EXPECT_EQ(t, method_of(t, pair.a.ep), got);
	}
out:
	suite_end_close(t, &pair.a);
	suite_end_close(t, &pair.b);
	kfi_freeinfo(pair.info);
}

static void check_choices(struct suite *t, const struct choice *choice,
			  unsigned int nr, const char *attach)
{
	struct kfi_pmemsim_attr attr;
	struct store store;
	unsigned int i;

	for (i = 0; i < nr && !suite_failed(t); i++, choice++) {
		attr = choice->attr;
		attr.attach = attach;
		if (!store_open_attr(t, &store, &attr, NULL))
			return;
		check_connect(&store.net, choice->wanted, choice->got, NULL);
		store_close(&store);
		if (suite_failed(t))
			COMPLAIN(t, "choice %u", i);
	}
}

static void test_choice(struct suite *t)
{
	check_choices(t, choices, ARRAY_SIZE(choices), NULL);
}

static void test_choice_flush(struct suite *t)
{
	/* whatever the first pair does */
	t->method = KFI_COMMIT_NONE;
	check_choices(t, choices_flush, ARRAY_SIZE(choices_flush),
		      suite_pmem());
}

/* Nobody knows what is persistent before there is a region. */
static void test_no_region(struct suite *t)
{
	struct suite_net net;

	if (!suite_net_open(t, &net, SUITE_COMMIT, NULL))
		return;
	check_connect(&net, KFI_COMMIT_READ, KFI_COMMIT_NONE, NULL);
	check_connect(&net, KFI_COMMIT_NONE, KFI_COMMIT_SERVER, NULL);
	suite_net_close(&net);
}

/* A connection without reads cannot commit by them, nor by what counts as such. */
static void test_depth(struct suite *t)
{
	struct kfi_pmemsim_attr attr = EADR;
	const struct kfi_conn_param param = {
		.responder_resources = 1, .retry_count = 7,
		.rnr_retry_count = 7, .min_rnr_timer = 12,
	};
	struct store store;

	store_memory(t, &attr);
	if (!store_open_attr(t, &store, &attr, NULL))
		return;
	check_connect(&store.net, t->method ?: KFI_COMMIT_READ, KFI_COMMIT_NONE,
		      &param);
	check_connect(&store.net, KFI_COMMIT_NONE, KFI_COMMIT_SERVER, &param);
	store_close(&store);
}

static int get_method(struct kfid_ep *ep, enum kfi_commit_method *method)
{
	size_t len = sizeof(*method);

	return kfi_getopt(&ep->fid, KFI_OPT_ENDPOINT, KFI_OPT_COMMIT_METHOD,
			  method, &len);
}

static void check_option(struct suite *t, struct kfid_ep *ep)
{
	enum kfi_commit_method method = KFI_COMMIT_NONE;
	size_t len = sizeof(method) - 1;

	EXPECT_EQ(t, kfi_getopt(&ep->fid, KFI_OPT_ENDPOINT,
				KFI_OPT_COMMIT_METHOD, &method, &len),
		  -KFI_ETOOSMALL);
	EXPECT_EQ(t, len, sizeof(method));
	EXPECT_EQ(t, kfi_setopt(&ep->fid, KFI_OPT_ENDPOINT,
				KFI_OPT_COMMIT_METHOD, &method, 1), -EINVAL);
	EXPECT_EQ(t, suite_set_method(ep, (enum kfi_commit_method)1000),
		  -EINVAL);
	/* what needs nothing but the target's word */
	EXPECT_OK(t, get_method(ep, &method));
	EXPECT_EQ(t, method, KFI_COMMIT_SERVER);
	EXPECT_OK(t, suite_set_method(ep, KFI_COMMIT_READ));
	EXPECT_OK(t, get_method(ep, &method));
	EXPECT_EQ(t, method, KFI_COMMIT_READ);
}

static void test_option(struct suite *t)
{
	enum kfi_commit_method method;
	struct suite_pair pair;
	struct suite_net net;
	struct kfi_info *info;
	struct store store;
	struct kfid_ep *ep;

	if (!store_open(t, &store, NULL))
		return;
	EXPECT_EQ(t, suite_set_method(store.pair.a.ep, KFI_COMMIT_SERVER),
		  -KFI_EOPBADSTATE);
	EXPECT_EQ(t, suite_set_method(store.pair.b.ep, KFI_COMMIT_SERVER),
		  -KFI_EOPBADSTATE);
	if (EXPECT_OK(t, suite_getinfo(SUITE_COMMIT, store.net.port, 0,
				       &info))) {
		if (EXPECT_OK(t, kfi_endpoint(store.net.domain, info, &ep,
					      NULL))) {
			check_option(t, ep);
			EXPECT_OK(t, kfi_close(&ep->fid));
		}
		kfi_freeinfo(info);
	}
	store_close(&store);
	if (!suite_open(t, &net, &pair, NULL))
		return;
	EXPECT_EQ(t, get_method(pair.a.ep, &method), -ENOPROTOOPT);
	EXPECT_EQ(t, suite_set_method(pair.a.ep, KFI_COMMIT_SERVER),
		  -ENOPROTOOPT);
	suite_close(&net, &pair);
}

/* Who accepts has a wish too, and may give it up. */
static void check_wish(struct store *store, struct suite_pair *pair, bool reads)
{
	struct suite *t = store->t;
	struct suite_event ev;

	EXPECT_OK(t, suite_set_method(pair->b.ep, KFI_COMMIT_READ));
	EXPECT_EQ(t, kfi_accept(pair->b.ep, NULL, 0), reads ? 0 : -EOPNOTSUPP);
	if (!reads) {
		EXPECT_OK(t, suite_set_method(pair->b.ep, KFI_COMMIT_SERVER));
		EXPECT_OK(t, kfi_accept(pair->b.ep, NULL, 0));
	}
	EXPECT_EVENT(t, store->net.eq, KFI_CONNECTED, NULL, &ev);
	EXPECT_EVENT(t, store->net.eq, KFI_CONNECTED, NULL, &ev);
	EXPECT_EQ(t, method_of(t, pair->b.ep),
		  reads ? KFI_COMMIT_READ : KFI_COMMIT_SERVER);
	/* each end for itself */
	EXPECT_EQ(t, method_of(t, pair->a.ep), KFI_COMMIT_SERVER);
	EXPECT_OK(t, kfi_write_commit(pair->b.ep, store->buf, 4096, NULL, 0,
				      store->addr, store->key, pair));
	EXPECT_COMP(t, &pair->b.tx, pair, NULL);
	EXPECT_SAME(t, store->mem, store->buf, 4096);
	EXPECT_EQ(t, kfi_pmemsim_persists(store->sim), !reads);
}

/* A request arrives, and an endpoint is opened for it. */
static bool call(struct suite_net *net, struct suite_pair *pair)
{
	const struct suite_opts opts = { };
	struct suite *t = net->t;
	struct suite_event ev;
	bool ok;

	if (!EXPECT_OK(t, suite_getinfo(net->caps, net->port, 0, &pair->info)))
		return false;
	if (!suite_end_open(net, &pair->a, pair->info, &opts) ||
	    !suite_patient(t, &pair->a) ||
	    !EXPECT_OK(t, kfi_connect(pair->a.ep, NULL, NULL, 0)) ||
	    !EXPECT_EVENT(t, net->eq, KFI_CONNREQ, &net->pep->fid, &ev))
		return false;
	ok = suite_end_open(net, &pair->b, ev.info, &opts);
	kfi_freeinfo(ev.info);
	return ok;
}

static void check_accept(struct suite *t, const struct kfi_pmemsim_attr *attr,
			 bool reads)
{
	struct suite_pair pair = { };
	struct store store;

	if (!store_open_attr(t, &store, attr, NULL))
		return;
	if (call(&store.net, &pair))
		check_wish(&store, &pair, reads);
	suite_end_close(t, &pair.a);
	suite_end_close(t, &pair.b);
	kfi_freeinfo(pair.info);
	store_close(&store);
}

static void test_accept(struct suite *t)
{
	const struct kfi_pmemsim_attr adr = ADR, eadr = EADR;

	check_accept(t, &adr, false);
	check_accept(t, &eadr, true);
}

/* Memory of another kind in the same domain */
static void check_weaker(struct store *store, struct kfi_pmem *other)
{
	const enum kfi_commit_method any = KFI_COMMIT_NONE;
	const struct suite_opts opts = { .method = &any };
	struct kfid_domain *domain = store->net.domain;
	void *mem = kfi_pmem_addr(other);
	struct suite *t = store->t;
	struct kfid_mr *mr;

	/* the peer would not notice that it has to commit to this in another way */
	EXPECT_EQ(t, kfi_mr_reg(domain, mem, METHOD_LEN, SUITE_ACCESS, 0, 0,
				KFI_PMEM, &mr, NULL), -EBUSY);
	if (EXPECT_OK(t, kfi_mr_reg(domain, mem, METHOD_LEN, SUITE_ACCESS, 0,
				    0, 0, &mr, NULL)))
		EXPECT_OK(t, kfi_close(&mr->fid));
	if (EXPECT_OK(t, kfi_mr_reg(domain, store->mem, 4096, SUITE_ACCESS, 0,
				    0, KFI_PMEM, &mr, NULL)))
		EXPECT_OK(t, kfi_close(&mr->fid));
	EXPECT_OK(t, store_write(store, 0, 4096, store, KFI_COMMIT));
	EXPECT_COMP(t, &store->pair.a.tx, store, NULL);

	/* the connection is over for both; who comes now is told */
	EXPECT_OK(t, kfi_shutdown(store->pair.a.ep, 0));
	EXPECT_OK(t, kfi_shutdown(store->pair.b.ep, 0));
	if (!EXPECT_OK(t, kfi_mr_reg(domain, mem, METHOD_LEN, SUITE_ACCESS, 0,
				     0, KFI_PMEM, &mr, NULL)))
		return;
	suite_pair_close(&store->pair);
	check_connect(&store->net, t->method ?: KFI_COMMIT_READ,
		      KFI_COMMIT_NONE, NULL);
	if (suite_pair_open(&store->net, &store->pair, &opts))
		EXPECT_EQ(t, method_of(t, store->pair.a.ep),
			  KFI_COMMIT_SERVER);
	EXPECT_OK(t, kfi_close(&mr->fid));
}

static void check_registration(struct suite *t,
			       const struct kfi_pmemsim_attr *attr)
{
	struct kfi_pmemsim_attr better = EADR;
	struct kfi_pmemsim *sim;
	struct kfi_pmem *other;
	struct store store;

	store_memory(t, &better);
	if (!store_open_attr(t, &store, &better, NULL))
		return;
	sim = kfi_pmemsim_create_attr(METHOD_OTHER, attr);
	if (EXPECT(t, !IS_ERR(sim))) {
		other = kfi_pmem_open("pmemsim:" METHOD_OTHER, &store);
		if (EXPECT(t, !IS_ERR(other))) {
			check_weaker(&store, other);
			kfi_pmem_close(other);
		}
		kfi_pmemsim_destroy(sim);
	}
	store_close(&store);
}

/* Other memory has less to offer, by itself or for lack of what makes it better. */
static void test_registration(struct suite *t)
{
	struct kfi_pmemsim_attr attr = { .len = METHOD_LEN };

	check_registration(t, &attr);
	attr.domain = KFI_PMEMSIM_EADR;
	attr.async = true;
	check_registration(t, &attr);
}

const struct suite_test suite_method_tests[] = {
	{ "method.choice", test_choice },
	{ "method.no_region", test_no_region },
	{ "method.depth", test_depth },
	{ "method.option", test_option },
	{ "method.accept", test_accept },
	{ "method.registration", test_registration },
	{ "method.registration_read", test_registration, KFI_COMMIT_READ },
	{ "method.choice_flush", test_choice_flush, KFI_COMMIT_FLUSH },
	{ "method.depth_flush", test_depth, KFI_COMMIT_FLUSH },
	{ "method.registration_flush", test_registration, KFI_COMMIT_FLUSH },
	{ }
};
