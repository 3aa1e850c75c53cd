/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The same work twice: with raw verbs, and through kfabric.
 */

#ifndef KFI_BENCH_H
#define KFI_BENCH_H

#include <linux/types.h>

#define BENCH_INLINE	64
#define BENCH_WRITE	4096

enum bench_post {
	BENCH_SEND_INLINE,
	BENCH_WRITE_UNREGISTERED,
	BENCH_WRITE_REGISTERED,
};

/**
 * struct bench_side - one of the two that are compared
 * @open: connect; completions come to a handler, or are polled for
 * @close: end it
 * @post: post one operation; interrupts are off
 * @wait: until that operation is complete, with a handler
 * @reap: look once for its completion, without; returns how many there were
 * @reg: register one page for remote writing, and close the region
 * @trace: a function with a tracepoint that nobody looks at, or without
 */
struct bench_side {
	int	(*open)(bool polled);
	void	(*close)(void);
	int	(*post)(enum bench_post what);
	int	(*wait)(void);
	int	(*reap)(void);
	int	(*reg)(void);
	void	(*trace)(void);
};

/* main.c */
extern char *bench_netdev;
extern char *bench_addr;
extern ushort bench_port;

/* probe.c */
int bench_probe_start(void);
void bench_probe_stop(void);
u64 bench_probe_read(u64 overhead);
int bench_probe_overhead(u64 *samples, unsigned int nr);

/* raw.c */
extern const struct bench_side bench_raw;

/* fabric.c */
extern const struct bench_side bench_fabric;

#endif /* KFI_BENCH_H */
