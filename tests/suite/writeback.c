// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A probe on the function that writes cache lines back to persistent memory. It
 * notes the bytes that the function was called for when the function returns:
 * by then the write-back of each line that has one of them was issued.
 */

#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/processor.h>
#include <linux/sort.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "suite.h"
#include "writeback.h"

#define WRITEBACK_MAX	512

/**
 * struct writeback_call - a call that is under way
 * @addr: its first argument
 * @len: its second argument
 */
struct writeback_call {
	unsigned long	addr;
	unsigned long	len;
};

static unsigned long watched;
static size_t watched_len;
static unsigned int hold_ms;

/* protects the notes, which several CPUs may make at a time */
static DEFINE_RAW_SPINLOCK(notes_lock);
static struct writeback notes[WRITEBACK_MAX];
static unsigned long callers[WRITEBACK_MAX];
static unsigned int nr_notes;

static int writeback_begins(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct writeback_call *call = (void *)ri->data;
	ktime_t end;

	call->addr = regs_get_kernel_argument(regs, 0);
	call->len = regs_get_kernel_argument(regs, 1);
	if (call->addr < watched || call->addr - watched >= watched_len)
		return 1;
	end = ktime_add_ms(ktime_get(), READ_ONCE(hold_ms));
	while (ktime_before(ktime_get(), end))
		cpu_relax();
	return 0;
}

static int writeback_ends(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct writeback_call *call = (void *)ri->data;
	unsigned long flags;

	raw_spin_lock_irqsave(&notes_lock, flags);
	if (nr_notes < WRITEBACK_MAX) {
		notes[nr_notes].offset = call->addr - watched;
		notes[nr_notes].len = call->len;
		callers[nr_notes] = get_kretprobe_retaddr(ri);
	}
	nr_notes++;
	raw_spin_unlock_irqrestore(&notes_lock, flags);
	return 0;
}

static struct kretprobe writeback_probe;

/* From now on write-backs of @mem are noted. */
bool writeback_watch(struct suite *t, const void *mem, size_t len)
{
	watched = (unsigned long)mem;
	watched_len = len;
	hold_ms = 0;
	nr_notes = 0;
	writeback_probe = (struct kretprobe) {
		.kp.symbol_name = "arch_wb_cache_pmem",
		.entry_handler = writeback_begins,
		.handler = writeback_ends,
		.data_size = sizeof(struct writeback_call),
		.maxactive = 16,
	};
	return EXPECT_OK(t, register_kretprobe(&writeback_probe));
}

void writeback_unwatch(struct suite *t)
{
	EXPECT_EQ(t, writeback_probe.nmissed, 0);
	EXPECT_EQ(t, writeback_probe.kp.nmissed, 0);
	unregister_kretprobe(&writeback_probe);
}

/* Each write-back begins so much later. */
void writeback_hold(unsigned int ms)
{
	WRITE_ONCE(hold_ms, ms);
}

void writeback_forget(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&notes_lock, flags);
	nr_notes = 0;
	raw_spin_unlock_irqrestore(&notes_lock, flags);
}

unsigned int writeback_count(void)
{
	unsigned long flags;
	unsigned int nr;

	raw_spin_lock_irqsave(&notes_lock, flags);
	nr = nr_notes;
	raw_spin_unlock_irqrestore(&notes_lock, flags);
	return nr;
}

static int writeback_cmp(const void *a, const void *b)
{
	const struct writeback *wa = a, *wb = b;

	if (wa->offset == wb->offset)
		return 0;
	return wa->offset < wb->offset ? -1 : 1;
}

/* Sorts, and joins what lies side by side. What was written twice stays twice. */
static unsigned int writeback_join(struct writeback *wb, unsigned int nr)
{
	unsigned int from, to = 0;

	sort(wb, nr, sizeof(*wb), writeback_cmp, NULL);
	for (from = 0; from < nr; from++) {
		if (to && wb[to - 1].offset + wb[to - 1].len == wb[from].offset)
			wb[to - 1].len += wb[from].len;
		else
			wb[to++] = wb[from];
	}
	return to;
}

/* All of these bytes were written back, once, and no others. */
bool writeback_is(const struct writeback *expected, unsigned int nr)
{
	static struct writeback is[WRITEBACK_MAX], wanted[WRITEBACK_MAX];
	unsigned int nr_is = writeback_count();

	if (nr_is > WRITEBACK_MAX || nr > WRITEBACK_MAX)
		return false;
	memcpy(is, notes, nr_is * sizeof(*is));
	memcpy(wanted, expected, nr * sizeof(*wanted));
	nr_is = writeback_join(is, nr_is);
	return nr_is == writeback_join(wanted, nr) &&
	       !memcmp(is, wanted, nr_is * sizeof(*is));
}

/* All callers were in this module. */
bool writeback_by(const char *module)
{
	unsigned int nr = writeback_count(), i;
	char symbol[KSYM_SYMBOL_LEN];
	char *name;

	for (i = 0; i < nr && i < WRITEBACK_MAX; i++) {
		sprint_symbol(symbol, callers[i]);
		name = strrchr(symbol, '[');
		if (!name || strncmp(name + 1, module, strlen(module)) ||
		    name[1 + strlen(module)] != ']')
			return false;
	}
	return true;
}

/* For a test that expected something else */
void writeback_tell(struct suite *t)
{
	unsigned int nr = writeback_count(), i;

	COMPLAIN(t, "%u write-backs", nr);
	for (i = 0; i < nr && i < WRITEBACK_MAX; i++)
		COMPLAIN(t, "%llu bytes at %llu by %pS", notes[i].len,
			 notes[i].offset, (void *)callers[i]);
}
