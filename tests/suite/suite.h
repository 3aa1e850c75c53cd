/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The harness of the behaviour suite: expectations, a pair of connected
 * endpoints in one kernel, and waiting that always ends.
 */

#ifndef KFI_SUITE_H
#define KFI_SUITE_H

#include <linux/completion.h>
#include <linux/prandom.h>
#include <linux/socket.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <kfabric.h>
#include <kfi_cm.h>
#include <kfi_domain.h>
#include <kfi_endpoint.h>
#include <kfi_eq.h>
#include <kfi_errno.h>
#include <kfi_rma.h>

/* Whatever takes longer than this is lost. Emulated machines are slow. */
#define SUITE_TIMEOUT_MS	30000
/* How long to look before saying that something did not happen. */
#define SUITE_QUIET_MS		50

#define SUITE_API_VERSION	KFI_VERSION(1, 7)

/**
 * struct suite - the running test
 * @name: its name
 * @caps: what endpoints have instead of SUITE_RAW or SUITE_COMMIT, unless 0
 * @rnd: random numbers, the same ones for the same seed and name
 * @method: how its pairs commit; KFI_COMMIT_NONE for the default
 * @complaints: expectations that did not hold
 * @skip: why it was skipped, or NULL
 */
struct suite {
	const char		*name;
	u64			caps;
	struct rnd_state	rnd;
	enum kfi_commit_method	method;
	atomic_t		complaints;
	const char		*skip;
};

/**
 * struct suite_test - a test
 * @name: "area.what"; a table ends with a NULL
 * @fn: runs it
 * @method: see &struct suite
 */
struct suite_test {
	const char		*name;
	void			(*fn)(struct suite *t);
	enum kfi_commit_method	method;
};

extern const struct suite_test suite_info_tests[];
extern const struct suite_test suite_lifetime_tests[];
extern const struct suite_test suite_cm_tests[];
extern const struct suite_test suite_peer_tests[];
extern const struct suite_test suite_eq_tests[];
extern const struct suite_test suite_state_tests[];
extern const struct suite_test suite_agree_tests[];
extern const struct suite_test suite_refuse_tests[];
extern const struct suite_test suite_mr_tests[];
extern const struct suite_test suite_local_tests[];
extern const struct suite_test suite_msg_tests[];
extern const struct suite_test suite_rma_tests[];
extern const struct suite_test suite_cq_tests[];
extern const struct suite_test suite_context_tests[];
extern const struct suite_test suite_flow_tests[];
extern const struct suite_test suite_flags_tests[];
extern const struct suite_test suite_atomic_tests[];
extern const struct suite_test suite_commit_tests[];
extern const struct suite_test suite_pure_tests[];
extern const struct suite_test suite_level_tests[];
extern const struct suite_test suite_method_tests[];
extern const struct suite_test suite_read_tests[];
extern const struct suite_test suite_read_late_tests[];
extern const struct suite_test suite_form_tests[];
extern const struct suite_test suite_forbid_tests[];
extern const struct suite_test suite_region_tests[];
extern const struct suite_test suite_answer_tests[];
extern const struct suite_test suite_store_tests[];
extern const struct suite_test suite_oracle_tests[];
extern const struct suite_test suite_wal_tests[];
extern const struct suite_test suite_both_tests[];
extern const struct suite_test suite_both_flow_tests[];
extern const struct suite_test suite_both_end_tests[];
extern const struct suite_test suite_wire_tests[];
extern const struct suite_test suite_wire_request_tests[];
extern const struct suite_test suite_wire_reply_tests[];
extern const struct suite_test suite_wire_both_tests[];
extern const struct suite_test suite_wire_fuzz_tests[];
extern const struct suite_test suite_wire_fuzz_request_tests[];
extern const struct suite_test suite_wire_fuzz_reply_tests[];
extern const struct suite_test suite_stats_tests[];
extern const struct suite_test suite_stats_conn_tests[];
extern const struct suite_test suite_stress_tests[];
extern const struct suite_test suite_fault_tests[];
extern const struct suite_test suite_fault_cm_tests[];
extern const struct suite_test suite_removal_tests[];
extern const struct suite_test suite_both_removal_tests[];
extern const struct suite_test suite_dax_tests[];
extern const struct suite_test suite_dax_device_tests[];
extern const struct suite_test suite_dax_kind_tests[];
extern const struct suite_test suite_dax_attach_tests[];
extern const struct suite_test suite_devices_tests[];
extern const struct suite_test suite_netns_tests[];
extern const struct suite_test suite_show_tests[];
extern const struct suite_test suite_failure_tests[];
extern const struct suite_test suite_blk_hello_tests[];
extern const struct suite_test suite_blk_session_tests[];
extern const struct suite_test suite_blk_queue_tests[];
extern const struct suite_test suite_blk_end_tests[];
extern const struct suite_test suite_blk_serve_tests[];

/* Work that runs beside the test. */
extern struct workqueue_struct *suite_wq;

const char *suite_provider(void);
const char *suite_address(void);
const char *suite_pmem(void);
struct net *suite_netns(void);
void suite_put_netns(void);
unsigned int suite_scaled(unsigned int full, unsigned int least);
unsigned int suite_mutations(unsigned int full, unsigned int least);
unsigned int suite_cuts(unsigned int full, unsigned int least);
unsigned int suite_seconds(unsigned int full, unsigned int least);
u32 suite_random(struct suite *t, u32 from, u32 to);
bool suite_wait_go(struct suite *t, const char *what);
bool suite_wait_go_for(struct suite *t, const char *what, unsigned int left_ms);

/*
 * Expectations. Each says what did not hold and where, marks the test as failed
 * and returns whether it held, for the caller to go on or to bail out.
 */
__printf(4, 5)
void suite_complain(struct suite *t, const char *file, int line,
		    const char *fmt, ...);
bool suite_true(struct suite *t, const char *file, int line, const char *text,
		bool holds);
bool suite_equal(struct suite *t, const char *file, int line, const char *text,
		 long long is, long long expected);

#define EXPECT(t, cond) \
	suite_true(t, __FILE__, __LINE__, #cond, cond)
#define EXPECT_EQ(t, value, expected) \
	suite_equal(t, __FILE__, __LINE__, #value, value, expected)
#define EXPECT_OK(t, call)	EXPECT_EQ(t, call, 0)
#define COMPLAIN(t, fmt, ...) \
	suite_complain(t, __FILE__, __LINE__, fmt, ##__VA_ARGS__)

static inline bool suite_failed(struct suite *t)
{
	return atomic_read(&t->complaints);
}

/*
 * Events
 */

/**
 * struct suite_event - an event, or an error event
 * @event: KFI_CONNREQ, KFI_CONNECTED, KFI_SHUTDOWN; 0 for an error
 * @err: positive errno of an error
 * @prov_errno: and the provider's
 * @fid: the object
 * @info: of a connection request
 * @len: bytes of @data
 * @data: private data of the peer
 */
struct suite_event {
	u32		event;
	int		err;
	int		prov_errno;
	struct kfid	*fid;
	struct kfi_info	*info;
	size_t		len;
	u8		data[256];
};

bool suite_read_event(struct suite *t, struct kfid_eq *eq,
		      struct suite_event *ev, int timeout_ms);
bool suite_wait_event(struct suite *t, const char *file, int line,
		      struct kfid_eq *eq, u32 event, struct kfid *fid,
		      struct suite_event *ev);
bool suite_wait_error(struct suite *t, const char *file, int line,
		      struct kfid_eq *eq, int err, struct kfid *fid,
		      struct suite_event *ev);

#define EXPECT_EVENT(t, eq, event, fid, ev) \
	suite_wait_event(t, __FILE__, __LINE__, eq, event, fid, ev)
#define EXPECT_ERROR(t, eq, err, fid, ev) \
	suite_wait_error(t, __FILE__, __LINE__, eq, err, fid, ev)

/*
 * Completions
 */

/**
 * struct suite_cq - a completion queue that can be waited on
 * @cq: the queue
 * @arrived: the handler was called
 * @polled: there is no handler
 * @also: what the handler calls besides, or NULL
 * @context: argument of @also
 */
struct suite_cq {
	struct kfid_cq		*cq;
	struct completion	arrived;
	bool			polled;
	kfi_comp_handler	also;
	void			*context;
};

/**
 * struct suite_comp - a completion, or an error completion
 * @entry: what every completion has
 * @err: positive errno of an error
 * @prov_errno: the provider's number for it
 */
struct suite_comp {
	struct kfi_cq_data_entry	entry;
	int				err;
	int				prov_errno;
};

int suite_cq_open(struct suite_cq *scq, struct kfid_domain *domain,
		  const struct kfi_cq_attr *attr, bool polled);
void suite_cq_close(struct suite *t, struct suite_cq *scq);
bool suite_read_comp(struct suite *t, struct suite_cq *scq,
		     struct suite_comp *comp, int timeout_ms);
bool suite_wait_comp(struct suite *t, const char *file, int line,
		     struct suite_cq *scq, void *context,
		     struct suite_comp *comp);
bool suite_wait_comp_err(struct suite *t, const char *file, int line,
			 struct suite_cq *scq, void *context, int err,
			 u64 flags);
bool suite_no_comp(struct suite *t, const char *file, int line,
		   struct suite_cq *scq);

/* A completion without error; @comp may be NULL. */
#define EXPECT_COMP(t, scq, context, comp) \
	suite_wait_comp(t, __FILE__, __LINE__, scq, context, comp)
/* One with the error @err, positive, or any error if that is 0. */
#define EXPECT_COMP_ERR(t, scq, context, err, flags) \
	suite_wait_comp_err(t, __FILE__, __LINE__, scq, context, err, flags)
#define EXPECT_NO_COMP(t, scq) \
	suite_no_comp(t, __FILE__, __LINE__, scq)

/*
 * Endpoints
 */

#define SUITE_RAW	(KFI_MSG | KFI_RMA)
#define SUITE_COMMIT	(KFI_RMA | KFI_RMA_PMEM)
#define SUITE_BOTH	(KFI_MSG | KFI_RMA | KFI_RMA_PMEM)

/**
 * struct suite_opts - what is special about a pair of endpoints
 * @caps: capabilities, 0 for SUITE_RAW
 * @tx_size: tx_attr.size, 0 for the provider's choice
 * @rx_size: rx_attr.size, 0 for the provider's choice
 * @cq_size: entries of each completion queue, 0 for the default
 * @cq_flags: flags of &struct kfi_cq_attr
 * @cq_format: format of their entries, 0 for data
 * @polled: completion queues without a handler
 * @tx_bind: flags for binding the transmit queue, besides KFI_TRANSMIT
 * @rx_bind: flags for binding the receive queue, besides KFI_RECV
 * @op_flags: tx_attr.op_flags, unless 0
 * @tx_handler: of the connecting endpoint
 * @param: of the accepting endpoint, NULL for the default
 * @method: KFI_OPT_COMMIT_METHOD of the connecting endpoint, NULL for the test's
 * @eq: for an endpoint whose events do not go to &suite_net.eq; not for pairs
 */
struct suite_opts {
	u64				caps;
	size_t				tx_size;
	size_t				rx_size;
	size_t				cq_size;
	u64				cq_flags;
	enum kfi_cq_format		cq_format;
	bool				polled;
	u64				tx_bind;
	u64				rx_bind;
	u64				op_flags;
	struct kfi_tx_handler_attr	tx_handler;
	const struct kfi_conn_param	*param;
	const enum kfi_commit_method	*method;
	struct kfid_eq			*eq;
};

/**
 * struct suite_net - what the pairs of a test have in common
 * @t: the test
 * @caps: capabilities of all endpoints
 * @fabric: the fabric
 * @domain: the domain
 * @eq: events of the passive endpoint and of all endpoints
 * @pep: listens
 * @addr: where it does
 * @port: its port as text
 */
struct suite_net {
	struct suite		*t;
	u64			caps;
	struct kfid_fabric	*fabric;
	struct kfid_domain	*domain;
	struct kfid_eq		*eq;
	struct kfid_pep		*pep;
	struct sockaddr_storage	addr;
	char			port[8];
};

/**
 * struct suite_end - one endpoint and its queues
 * @ep: the endpoint
 * @tx: completions of what it sends, writes, reads
 * @rx: completions of what it receives
 */
struct suite_end {
	struct kfid_ep	*ep;
	struct suite_cq	tx;
	struct suite_cq	rx;
};

/**
 * struct suite_pair - two connected endpoints
 * @net: what they share with others
 * @info: what @a was opened with
 * @a: connected to @b
 * @b: accepted
 */
struct suite_pair {
	struct suite_net	*net;
	struct kfi_info		*info;
	struct suite_end	a;
	struct suite_end	b;
};

struct kfi_info *suite_hints(u64 caps);
int suite_getinfo(u64 caps, const char *service, u64 flags,
		  struct kfi_info **info);
bool suite_net_open(struct suite *t, struct suite_net *net, u64 caps,
		    struct kfi_eq_attr *eq_attr);
void suite_net_close(struct suite_net *net);
bool suite_end_open(struct suite_net *net, struct suite_end *end,
		    struct kfi_info *info, const struct suite_opts *opts);
void suite_end_close(struct suite *t, struct suite_end *end);
int suite_set_method(struct kfid_ep *ep, enum kfi_commit_method method);
bool suite_patient(struct suite *t, struct suite_end *end);
bool suite_pair_open(struct suite_net *net, struct suite_pair *pair,
		     const struct suite_opts *opts);
void suite_pair_close(struct suite_pair *pair);
bool suite_open(struct suite *t, struct suite_net *net, struct suite_pair *pair,
		const struct suite_opts *opts);
void suite_close(struct suite_net *net, struct suite_pair *pair);
bool suite_ping(struct suite *t, struct suite_end *from, struct suite_end *to);
bool suite_settle(struct suite *t, struct suite_end *from, u64 addr, u64 key);

/*
 * Memory
 */

/* Access bits of a region that both ends may do anything with. */
#define SUITE_ACCESS	(KFI_SEND | KFI_RECV | KFI_READ | KFI_WRITE | \
			 KFI_REMOTE_READ | KFI_REMOTE_WRITE)

/**
 * struct suite_mem - registered memory
 * @buf: the memory
 * @len: its bytes
 * @mr: the region
 * @addr: its first address, as a peer sees it
 * @key: its key
 */
struct suite_mem {
	void		*buf;
	size_t		len;
	struct kfid_mr	*mr;
	u64		addr;
	u64		key;
};

/**
 * struct suite_arena - pages, in blocks that are contiguous for a device
 * @order: of each block
 * @nr: blocks
 * @blocks: their first pages; compound pages if @order is not 0
 * @len: bytes of all of them
 * @buf: where they are mapped side by side, in vmalloc space
 */
struct suite_arena {
	unsigned int	order;
	unsigned int	nr;
	struct page	**blocks;
	size_t		len;
	u8		*buf;
};

bool suite_arena_open(struct suite *t, struct suite_arena *arena,
		      unsigned int order, unsigned int nr);
void suite_arena_close(struct suite_arena *arena);
bool suite_arena_register(struct suite_net *net, struct suite_arena *arena,
			  struct kfid_mr **mr);
bool suite_mem_open(struct suite_net *net, struct suite_mem *mem, size_t len,
		    u64 access);
void suite_mem_close(struct suite *t, struct suite_mem *mem);
void suite_fill(struct suite *t, void *buf, size_t len);
bool suite_same(struct suite *t, const char *file, int line, const void *is,
		const void *expected, size_t len);
bool suite_all(struct suite *t, const char *file, int line, const void *is,
	       u8 expected, size_t len);

/* Bytes are what they should be; the first one that is not is reported. */
#define EXPECT_SAME(t, is, expected, len) \
	suite_same(t, __FILE__, __LINE__, is, expected, len)
#define EXPECT_ALL(t, is, expected, len) \
	suite_all(t, __FILE__, __LINE__, is, expected, len)

#endif /* KFI_SUITE_H */
