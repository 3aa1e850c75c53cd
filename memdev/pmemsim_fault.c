// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Requests to make something persistent: how the simulator does them, slowly or
 * not at all if that is wanted.
 */

#include <linux/errno.h>
#include <linux/export.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/sched.h>

#include "pmemsim.h"

void pmemsim_faults_init(struct kfi_pmemsim *sim)
{
	init_waitqueue_head(&sim->faults.wait);
	spin_lock_init(&sim->faults.lock);
}

bool pmemsim_is_off(const struct kfi_pmemsim *sim)
{
	return test_bit(PMEMSIM_OFF, &sim->flags);
}

/* Whoever waits fails. False if the power is off already. */
bool pmemsim_power_off(struct kfi_pmemsim *sim)
{
	if (test_and_set_bit(PMEMSIM_OFF, &sim->flags))
		return false;
	wake_up_all(&sim->faults.wait);
	return true;
}

/* Idle, because a request may be held for longer than a task should hang. */
static void pmemsim_wait(struct kfi_pmemsim *sim)
{
	struct pmemsim_faults *faults = &sim->faults;
	unsigned int delay = READ_ONCE(faults->delay_ms);

	/* jiffies are behind on a busy virtual machine: not a moment too early */
	if (delay)
		wait_event_hrtimeout(faults->wait, pmemsim_is_off(sim),
				     ms_to_ktime(delay));
	if (READ_ONCE(faults->hold)) {
		atomic_inc(&faults->held);
		wait_event_idle(faults->wait, !READ_ONCE(faults->hold) ||
				pmemsim_is_off(sim));
		atomic_dec(&faults->held);
	}
}

static int pmemsim_fault(struct pmemsim_faults *faults)
{
	int err = 0;

	spin_lock(&faults->lock);
	if (faults->count && faults->skip) {
		faults->skip--;
	} else if (faults->count) {
		faults->count--;
		faults->failures++;
		err = faults->err;
	}
	spin_unlock(&faults->lock);
	return err;
}

int pmemsim_persist(struct kfi_pmemsim *sim, const struct kfi_mem_range *ranges,
		    unsigned int nr)
{
	int err;

	pmemsim_wait(sim);
	if (pmemsim_is_off(sim))
		return -ENODEV;
	err = pmemsim_fault(&sim->faults);
	if (!err)
		pmemsim_mem_persist(&sim->mem, ranges, nr);
	return err;
}

/**
 * kfi_pmemsim_set_delay() - make persisting slow
 * @sim: the simulator
 * @ms: milliseconds that every request takes from now on, at least
 *
 * Requests do not wait for each other.
 *
 * Context: Any context.
 */
void kfi_pmemsim_set_delay(struct kfi_pmemsim *sim, unsigned int ms)
{
	WRITE_ONCE(sim->faults.delay_ms, ms);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_set_delay);

/**
 * kfi_pmemsim_hold() - make persisting wait
 * @sim: the simulator
 * @hold: whether requests wait from now on; false lets all go on that do
 *
 * A power cut ends the wait of those that are held, but not the holding.
 *
 * Context: Any context.
 */
void kfi_pmemsim_hold(struct kfi_pmemsim *sim, bool hold)
{
	WRITE_ONCE(sim->faults.hold, hold);
	wake_up_all(&sim->faults.wait);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_hold);

/**
 * kfi_pmemsim_held() - how many requests wait
 * @sim: the simulator
 *
 * Context: Any context.
 * Return: requests that kfi_pmemsim_hold() keeps waiting.
 */
unsigned int kfi_pmemsim_held(const struct kfi_pmemsim *sim)
{
	return atomic_read(&sim->faults.held);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_held);

/**
 * kfi_pmemsim_fail() - make persisting fail
 * @sim: the simulator
 * @skip: requests that are done before
 * @count: requests that then fail and leave the media as it is; 0 ends it
 * @err: negative errno that they fail with
 *
 * Replaces what was asked for before.
 *
 * Context: Process context.
 */
void kfi_pmemsim_fail(struct kfi_pmemsim *sim, unsigned int skip,
		      unsigned int count, int err)
{
	struct pmemsim_faults *faults = &sim->faults;

	spin_lock(&faults->lock);
	faults->skip = skip;
	faults->count = count;
	faults->err = err;
	spin_unlock(&faults->lock);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_fail);

/**
 * kfi_pmemsim_fail_next() - make the next requests fail
 * @sim: the simulator
 * @count: requests that fail from now on with -EIO and leave the media as it is;
 *	0 ends it
 *
 * Context: Process context.
 */
void kfi_pmemsim_fail_next(struct kfi_pmemsim *sim, unsigned int count)
{
	kfi_pmemsim_fail(sim, 0, count, -EIO);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_fail_next);

/**
 * kfi_pmemsim_persists() - how often something was made persistent
 * @sim: the simulator
 *
 * Context: Any context.
 * Return: requests that were done, without those that failed.
 */
u64 kfi_pmemsim_persists(const struct kfi_pmemsim *sim)
{
	return READ_ONCE(sim->mem.persists);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_persists);

/**
 * kfi_pmemsim_failures() - how often nothing was made persistent
 * @sim: the simulator
 *
 * Context: Any context.
 * Return: requests that kfi_pmemsim_fail() made fail.
 */
u64 kfi_pmemsim_failures(const struct kfi_pmemsim *sim)
{
	return READ_ONCE(sim->faults.failures);
}
EXPORT_SYMBOL_GPL(kfi_pmemsim_failures);
