/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the files of the simulator know of each other.
 */

#ifndef KFI_PMEMSIM_PRIV_H
#define KFI_PMEMSIM_PRIV_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/wait.h>

#include <kfi_memdev.h>
#include <kfi_pmemsim.h>

struct dentry;
struct page;
struct seq_file;

/* Persisted ranges that are remembered, a power of two; older ones are lost. */
#define PMEMSIM_TRACE_SIZE	8192

/**
 * struct pmemsim_mem - memory and media of a simulator
 * @addr: the memory, contiguous for the kernel
 * @len: bytes
 * @pages: its pages
 * @nr_pages: how many
 * @lock: protects what follows
 * @media: what survives a cut, as long as the memory
 * @persists: requests that were done
 * @trace: ring of ranges that became persistent
 * @trace_head: counts the ranges written to @trace
 * @trace_tail: counts those that were read or lost
 */
struct pmemsim_mem {
	void				*addr;
	size_t				len;
	struct page			**pages;
	unsigned long			nr_pages;

	/* protects what follows */
	struct mutex			lock;
	void				*media;
	u64				persists;
	struct kfi_pmemsim_trace	*trace;
	unsigned int			trace_head;
	unsigned int			trace_tail;
};

int pmemsim_mem_init(struct pmemsim_mem *mem, size_t len);
void pmemsim_mem_destroy(struct pmemsim_mem *mem);
struct kfi_mem_extent *pmemsim_mem_extents(const struct pmemsim_mem *mem,
					   unsigned int *nr);
void pmemsim_mem_persist(struct pmemsim_mem *mem,
			 const struct kfi_mem_range *ranges, unsigned int nr);
void pmemsim_mem_lose(struct pmemsim_mem *mem);
bool pmemsim_mem_dirty(struct pmemsim_mem *mem, u64 offset, u64 len);
unsigned int pmemsim_mem_trace_read(struct pmemsim_mem *mem,
				    struct kfi_pmemsim_trace *trace,
				    unsigned int max);
void pmemsim_mem_trace_forget(struct pmemsim_mem *mem);
void pmemsim_mem_trace_show(struct pmemsim_mem *mem, struct seq_file *m);

struct pmemsim_dev;

/**
 * struct kfi_pmemsim - a simulator
 * @name: what follows "pmemsim:" in its path
 * @node: in the list of simulators
 * @kref: one for its creator, one for each device made of it
 * @mem: memory and media
 * @delay_ms: how long a persist takes at least
 * @fail: persists that are still to fail
 * @flags: PMEMSIM_* bits
 * @cut_wait: persists that are being delayed
 * @lock: protects what follows, and a cut against open and close
 * @dev: the device, if it is open
 * @gone: it was destroyed
 * @incarnation: see &struct kfi_memdev
 * @debugfs: its folder
 */
struct kfi_pmemsim {
	char			name[KFI_NAME_MAX];
	struct list_head	node;
	struct kref		kref;
	struct pmemsim_mem	mem;
	u32			delay_ms;
	atomic_t		fail;
	unsigned long		flags;
	wait_queue_head_t	cut_wait;
	/* protects what follows, and a cut against open and close */
	struct mutex		lock;
	struct pmemsim_dev	*dev;
	bool			gone;
	u64			incarnation;
	struct dentry		*debugfs;
};

/* The power is off: a cut is under way, or the simulator was destroyed. */
#define PMEMSIM_OFF	0

void pmemsim_debugfs_init(void);
void pmemsim_debugfs_exit(void);
void pmemsim_debugfs_add(struct kfi_pmemsim *sim);
void pmemsim_debugfs_remove(struct kfi_pmemsim *sim);

#endif /* KFI_PMEMSIM_PRIV_H */
