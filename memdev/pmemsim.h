/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the files of the simulator know of each other.
 */

#ifndef KFI_PMEMSIM_PRIV_H
#define KFI_PMEMSIM_PRIV_H

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <kfi_memdev.h>
#include <kfi_pmemsim.h>

struct dentry;
struct page;
struct rnd_state;
struct seq_file;

/* Persisted ranges that are remembered, a power of two; older ones are lost. */
#define PMEMSIM_TRACE_SIZE	8192

/**
 * struct pmemsim_pages - pages that are contiguous for the kernel
 * @addr: where
 * @pages: the pages
 * @nr: how many
 */
struct pmemsim_pages {
	void		*addr;
	struct page	**pages;
	unsigned long	nr;
};

struct pmemsim_attached;

/**
 * struct pmemsim_mem - memory and media of a simulator
 * @memory: what is written to
 * @caches_survive: nothing of it is lost: there is no use for @media
 * @attached: the memory device whose memory it is, or NULL
 * @lock: protects what follows. Also taken by probes, for a page at a time
 * @len: bytes of the memory, 0 when it has gone
 * @media: what survives a cut, as long as the memory
 * @persists: requests that were done
 * @trace: ring of ranges that became persistent
 * @trace_head: counts the ranges written to @trace
 * @trace_tail: counts those that were read or lost
 */
struct pmemsim_mem {
	struct pmemsim_pages		memory;
	bool				caches_survive;
	struct pmemsim_attached		*attached;

	/* protects what follows; also taken by probes */
	raw_spinlock_t			lock;
	size_t				len;
	struct pmemsim_pages		media;
	u64				persists;
	struct kfi_pmemsim_trace	*trace;
	unsigned int			trace_head;
	unsigned int			trace_tail;
};

int pmemsim_mem_init(struct pmemsim_mem *mem,
		     const struct kfi_pmemsim_attr *attr);
void pmemsim_mem_destroy(struct pmemsim_mem *mem);
struct kfi_mem_extent *pmemsim_mem_extents(const struct pmemsim_mem *mem,
					   unsigned int *nr);
void pmemsim_mem_persist(struct pmemsim_mem *mem,
			 const struct kfi_mem_range *ranges, unsigned int nr);
void pmemsim_mem_write_back(struct pmemsim_mem *mem, u64 offset, u64 len);
void pmemsim_mem_store(struct pmemsim_mem *mem, u64 offset, const void *src,
		       u64 len);
void pmemsim_mem_gone(struct pmemsim_mem *mem);
void pmemsim_mem_spare(struct pmemsim_mem *mem, struct rnd_state *rnd);
void pmemsim_mem_lose(struct pmemsim_mem *mem);
bool pmemsim_mem_dirty(struct pmemsim_mem *mem, u64 offset, u64 len);
bool pmemsim_mem_survives(const struct pmemsim_mem *mem, u64 offset,
			  const void *data, u64 len);
unsigned int pmemsim_mem_trace_read(struct pmemsim_mem *mem,
				    struct kfi_pmemsim_trace *trace,
				    unsigned int max);
void pmemsim_mem_trace_forget(struct pmemsim_mem *mem);
void pmemsim_mem_trace_show(struct pmemsim_mem *mem, struct seq_file *m);

#if defined(CONFIG_KPROBES) && defined(CONFIG_ARCH_HAS_PMEM_API)
int pmemsim_mem_attach(struct pmemsim_mem *mem, const char *path);
void pmemsim_mem_detach(struct pmemsim_mem *mem);
int pmemsim_mem_watch(struct pmemsim_mem *mem);
void pmemsim_mem_unwatch(struct pmemsim_mem *mem);
void pmemsim_mem_flush(struct pmemsim_mem *mem,
		       const struct kfi_mem_range *ranges, unsigned int nr);
#else
static inline int pmemsim_mem_attach(struct pmemsim_mem *mem, const char *path)
{
	return -EOPNOTSUPP;
}

static inline void pmemsim_mem_detach(struct pmemsim_mem *mem)
{
}

static inline int pmemsim_mem_watch(struct pmemsim_mem *mem)
{
	return -EOPNOTSUPP;
}

static inline void pmemsim_mem_unwatch(struct pmemsim_mem *mem)
{
}

static inline void pmemsim_mem_flush(struct pmemsim_mem *mem,
				     const struct kfi_mem_range *ranges,
				     unsigned int nr)
{
}
#endif

/**
 * struct pmemsim_faults - what is to go wrong with persisting
 * @delay_ms: how long a request takes at least
 * @hold: requests wait until this is over
 * @held: requests that do
 * @wait: for those that are delayed or held
 * @lock: protects what follows
 * @skip: requests that are to be done before the next one fails
 * @count: requests that are then to fail
 * @err: with this
 * @failures: requests that did
 */
struct pmemsim_faults {
	u32			delay_ms;
	bool			hold;
	atomic_t		held;
	wait_queue_head_t	wait;
	/* protects what follows */
	spinlock_t		lock;
	unsigned int		skip;
	unsigned int		count;
	int			err;
	u64			failures;
};

struct pmemsim_dev;
struct pmemsim_disk;

/**
 * struct kfi_pmemsim - a simulator
 * @name: what follows "pmemsim:" in its path
 * @node: in the list of simulators
 * @kref: one for its creator, one for each device made of it
 * @domain: what it says about itself
 * @sync: see &struct kfi_memdev
 * @mem: memory and media
 * @faults: what is to go wrong
 * @flags: PMEMSIM_* bits
 * @lock: protects what follows, and a cut against open and close
 * @dev: the device, if it is open
 * @gone: it was destroyed
 * @incarnation: see &struct kfi_memdev
 * @seed: of the last cut that spared something
 * @disk: the block device, if it has one
 * @debugfs: its folder
 */
struct kfi_pmemsim {
	char			name[KFI_NAME_MAX];
	struct list_head	node;
	struct kref		kref;
	enum kfi_pmem_domain	domain;
	bool			sync;
	struct pmemsim_mem	mem;
	struct pmemsim_faults	faults;
	unsigned long		flags;
	/* protects what follows, and a cut against open and close */
	struct mutex		lock;
	struct pmemsim_dev	*dev;
	bool			gone;
	u64			incarnation;
	u64			seed;
	struct pmemsim_disk	*disk;
	struct dentry		*debugfs;
};

/* The power is off: a cut is under way, or the simulator was destroyed. */
#define PMEMSIM_OFF	0

void pmemsim_unplugged(struct kfi_pmemsim *sim);
void pmemsim_faults_init(struct kfi_pmemsim *sim);
bool pmemsim_is_off(const struct kfi_pmemsim *sim);
bool pmemsim_power_off(struct kfi_pmemsim *sim);
int pmemsim_persist(struct kfi_pmemsim *sim, const struct kfi_mem_range *ranges,
		    unsigned int nr);

bool pmemsim_disk_name_valid(const char *name);
int pmemsim_disk_add(struct kfi_pmemsim *sim);
void pmemsim_disk_remove(struct kfi_pmemsim *sim);

int pmemsim_configfs_init(void);
void pmemsim_configfs_exit(void);

void pmemsim_debugfs_init(void);
void pmemsim_debugfs_exit(void);
void pmemsim_debugfs_add(struct kfi_pmemsim *sim);
void pmemsim_debugfs_remove(struct kfi_pmemsim *sim);

#endif /* KFI_PMEMSIM_PRIV_H */
