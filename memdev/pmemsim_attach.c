// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Simulators over the memory of another memory device. Whatever writes lines of it
 * back - a provider, this host's RDMA device, anybody - is seen by a probe, which
 * brings the media up to date.
 */

#include <linux/err.h>
#include <linux/kprobes.h>
#include <linux/libnvdimm.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <asm/barrier.h>

#include "pmemsim.h"
#include "write_back.h"

/**
 * struct pmemsim_attached - what is behind a simulator's memory
 * @mem: the memory
 * @pmem: the device that has it
 * @node: in the list of what the probes look for
 */
struct pmemsim_attached {
	struct pmemsim_mem	*mem;
	struct kfi_pmem		*pmem;
	struct list_head	node;
};

/* taken by the probes */
static DEFINE_RAW_SPINLOCK(pmemsim_attached_lock);
static LIST_HEAD(pmemsim_attached_list);

/* protects the probes, of which there are some while the list is not empty */
static DEFINE_MUTEX(pmemsim_probes_lock);

/* Lines of @addr are written back, with what is there, or with @src. */
static void pmemsim_seen(unsigned long addr, size_t len, const void *src)
{
	struct pmemsim_attached *attached;
	unsigned long base, start, end;
	unsigned long flags;

	raw_spin_lock_irqsave(&pmemsim_attached_lock, flags);
	list_for_each_entry(attached, &pmemsim_attached_list, node) {
		base = (unsigned long)attached->mem->memory.addr;
		start = max(addr, base);
		end = min(addr + len, base + attached->mem->len);
		if (start >= end)
			continue;
		if (src)
			pmemsim_mem_store(attached->mem, start - base,
					  src + (start - addr), end - start);
		else
			pmemsim_mem_write_back(attached->mem, start - base,
					       end - start);
	}
	raw_spin_unlock_irqrestore(&pmemsim_attached_lock, flags);
}
NOKPROBE_SYMBOL(pmemsim_seen);

/* What was stored before the call is on the media when it returns, or earlier. */
static int pmemsim_write_back_begins(struct kprobe *probe, struct pt_regs *regs)
{
	pmemsim_seen(regs_get_kernel_argument(regs, 0),
		     regs_get_kernel_argument(regs, 1), NULL);
	return 0;
}
NOKPROBE_SYMBOL(pmemsim_write_back_begins);

static int pmemsim_copy_begins(struct kprobe *probe, struct pt_regs *regs)
{
	pmemsim_seen(regs_get_kernel_argument(regs, 0),
		     regs_get_kernel_argument(regs, 2),
		     (const void *)regs_get_kernel_argument(regs, 1));
	return 0;
}
NOKPROBE_SYMBOL(pmemsim_copy_begins);

static struct kprobe pmemsim_write_back_probe, pmemsim_copy_probe;

static int pmemsim_probes_add(void)
{
	pmemsim_write_back_probe = (struct kprobe) {
		.symbol_name	= "arch_wb_cache_pmem",
		.pre_handler	= pmemsim_write_back_begins,
	};
	pmemsim_copy_probe = (struct kprobe) {
		.symbol_name	= "__memcpy_flushcache",
		.pre_handler	= pmemsim_copy_begins,
	};
	if (register_kprobe(&pmemsim_write_back_probe))
		return -EOPNOTSUPP;
	if (!register_kprobe(&pmemsim_copy_probe))
		return 0;
	unregister_kprobe(&pmemsim_write_back_probe);
	return -EOPNOTSUPP;
}

static void pmemsim_probes_remove(void)
{
	unregister_kprobe(&pmemsim_copy_probe);
	unregister_kprobe(&pmemsim_write_back_probe);
}

static int pmemsim_watch(struct pmemsim_attached *attached)
{
	int err = 0;

	mutex_lock(&pmemsim_probes_lock);
	if (list_empty(&pmemsim_attached_list))
		err = pmemsim_probes_add();
	if (!err) {
		raw_spin_lock_irq(&pmemsim_attached_lock);
		list_add(&attached->node, &pmemsim_attached_list);
		raw_spin_unlock_irq(&pmemsim_attached_lock);
	}
	mutex_unlock(&pmemsim_probes_lock);
	return err;
}

static void pmemsim_unwatch(struct pmemsim_attached *attached)
{
	mutex_lock(&pmemsim_probes_lock);
	raw_spin_lock_irq(&pmemsim_attached_lock);
	list_del(&attached->node);
	raw_spin_unlock_irq(&pmemsim_attached_lock);
	if (list_empty(&pmemsim_attached_list))
		pmemsim_probes_remove();
	mutex_unlock(&pmemsim_probes_lock);
}

static void pmemsim_attached_revoked(struct kfi_pmem *pmem, void *context)
{
	struct pmemsim_attached *attached = context;

	pmemsim_unplugged(container_of(attached->mem, struct kfi_pmemsim, mem));
}

/* Memory that a write-back is enough for: nothing else is seen by the probes. */
static bool pmemsim_can_attach(const struct kfi_pmem *pmem)
{
	return kfi_pmem_sync(pmem) &&
	       kfi_pmem_domain(pmem) == KFI_PMEM_DOMAIN_MEMORY &&
	       virt_addr_valid(kfi_pmem_addr(pmem));
}

static int pmemsim_attach_pages(struct pmemsim_mem *mem,
				const struct kfi_pmem *pmem)
{
	unsigned long nr = kfi_pmem_len(pmem) >> PAGE_SHIFT, i;
	unsigned long pfn = page_to_pfn(virt_to_page(kfi_pmem_addr(pmem)));

	mem->memory.pages = kvzalloc_objs(*mem->memory.pages, nr);
	if (!mem->memory.pages)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		mem->memory.pages[i] = pfn_to_page(pfn + i);
	mem->memory.nr = nr;
	mem->memory.addr = kfi_pmem_addr(pmem);
	mem->len = kfi_pmem_len(pmem);
	return 0;
}

/* Takes the device at @path as the memory. There is no media yet. */
int pmemsim_mem_attach(struct pmemsim_mem *mem, const char *path)
{
	struct pmemsim_attached *attached;
	int err;

	attached = kzalloc_obj(*attached);
	if (!attached)
		return -ENOMEM;
	attached->mem = mem;
	attached->pmem = kfi_pmem_open(path, mem);
	if (IS_ERR(attached->pmem)) {
		err = PTR_ERR(attached->pmem);
		goto err_free;
	}
	err = -EOPNOTSUPP;
	if (!pmemsim_can_attach(attached->pmem))
		goto err_close;
	err = pmemsim_attach_pages(mem, attached->pmem);
	if (err)
		goto err_close;
	err = kfi_pmem_set_handler(attached->pmem, pmemsim_attached_revoked,
				   attached);
	if (err)
		goto err_pages;
	mem->attached = attached;
	return 0;

err_pages:
	kvfree(mem->memory.pages);
err_close:
	kfi_pmem_close(attached->pmem);
err_free:
	kfree(attached);
	return err;
}

/* There is a media: from now on it is kept up to date. */
int pmemsim_mem_watch(struct pmemsim_mem *mem)
{
	return pmemsim_watch(mem->attached);
}

void pmemsim_mem_unwatch(struct pmemsim_mem *mem)
{
	pmemsim_unwatch(mem->attached);
}

void pmemsim_mem_detach(struct pmemsim_mem *mem)
{
	struct pmemsim_attached *attached = mem->attached;

	kfi_pmem_close(attached->pmem);
	kvfree(mem->memory.pages);
	kfree(attached);
}

/* As a driver of persistent memory does it: the probe sees the rest. */
void pmemsim_mem_flush(struct pmemsim_mem *mem,
		       const struct kfi_mem_range *ranges, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		memdev_write_back(mem->memory.addr + ranges[i].offset,
				  ranges[i].len);
	pmem_wmb();
}
