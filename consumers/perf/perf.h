/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the files of kfi_perf share.
 */

#ifndef KFI_PERF_H
#define KFI_PERF_H

#include <linux/sizes.h>
#include <linux/types.h>

#include <kfabric.h>
#include <kfi_domain.h>
#include <kfi_endpoint.h>
#include <kfi_eq.h>

#define PERF_API_VERSION	KFI_VERSION(1, 7)

/* Largest message, and what a server exposes of its memory. */
#define PERF_MAX_SIZE		SZ_1M
#define PERF_MAX_SIZES		16
#define PERF_MAX_WINDOW		64
#define PERF_MAX_COUNT		1000000

enum perf_test {
	PERF_SEND,
	PERF_WRITE,
	PERF_READ,
	PERF_COMMIT,
	PERF_NR_TESTS
};

/* What endpoints are opened for: the tests that commit do nothing else. */
#define PERF_RAW	(KFI_MSG | KFI_RMA)
#define PERF_PMEM	(KFI_RMA | KFI_RMA_PMEM)

#define PERF_MAGIC	0x6b666970	/* "kfip" */

/**
 * struct perf_hello - where the server's memory is, sent when it accepts
 * @magic: PERF_MAGIC
 * @len: bytes of it
 * @addr: its first address, for RMA
 * @key: its key
 */
struct perf_hello {
	__be32	magic;
	__be32	len;
	__be64	addr;
	__be64	key;
};

/**
 * struct perf_conn - an endpoint, and what it needs
 * @domain: its domain
 * @cq: completions of both directions
 * @ep: the endpoint
 * @buf: PERF_MAX_SIZE bytes that messages and RMA use; no test looks at them
 */
struct perf_conn {
	struct kfid_domain	*domain;
	struct kfid_cq		*cq;
	struct kfid_ep		*ep;
	void			*buf;
};

/**
 * struct perf_result - what a test has measured
 * @test: which
 * @size: bytes of each operation
 * @window: operations outstanding at a time
 * @count: operations
 * @elapsed: nanoseconds that all of them took
 * @latency: nanoseconds of each one, sorted
 */
struct perf_result {
	enum perf_test	test;
	unsigned int	size;
	unsigned int	window;
	unsigned int	count;
	u64		elapsed;
	u64		*latency;
};

/* connect.c */
int perf_getinfo(u64 caps, u64 flags, struct kfi_info **info);
int perf_conn_open(struct perf_conn *conn, struct kfid_fabric *fabric,
		   struct kfid_eq *eq, struct kfi_info *info,
		   kfi_comp_handler handler, void *context);
void perf_conn_close(struct perf_conn *conn);
int perf_connect(struct perf_conn *conn, struct kfid_eq *eq,
		 struct perf_hello *hello);

/* main.c */
extern char *perf_provider;
extern char *perf_addr;
extern ushort perf_port;
extern char *perf_pmem;
extern unsigned int perf_sizes[PERF_MAX_SIZES];
extern unsigned int perf_nr_sizes;
extern unsigned int perf_count;
extern unsigned int perf_window;
const char *perf_test_name(enum perf_test test);

/* report.c */
int perf_report_init(void);
void perf_report_exit(void);
void perf_report(const struct perf_result *result);

/* server.c */
int perf_server_start(void);
void perf_server_stop(void);

/* tests.c */
int perf_client_run(unsigned long tests);

#endif /* KFI_PERF_H */
