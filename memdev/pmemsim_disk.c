// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A block device over a simulator's memory: a disk with a volatile write cache,
 * which the memory is, and the media behind it.
 */

#include <linux/bio.h>
#include <linux/bitmap.h>
#include <linux/blkdev.h>
#include <linux/bvec.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/numa.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "pmemsim.h"

/* Runs of sectors that one request makes persistent */
#define PMEMSIM_DISK_BATCH	64

/**
 * struct pmemsim_disk - the block device, until the next power cut
 * @sim: the simulator
 * @disk: for the block layer
 * @nr_sectors: its size
 * @lock: protects @dirty
 * @dirty: sectors that were written and not flushed, one bit each
 * @flush_lock: protects @batch, and makes a flush wait for one that has taken
 *	sectors and not made them persistent yet
 * @batch: what a flush makes persistent
 */
struct pmemsim_disk {
	struct kfi_pmemsim	*sim;
	struct gendisk		*disk;
	unsigned long		nr_sectors;
	/* protects @dirty */
	spinlock_t		lock;
	unsigned long		*dirty;
	/* protects @batch, and is held by a flush until its end */
	struct mutex		flush_lock;
	struct kfi_mem_range	batch[PMEMSIM_DISK_BATCH];
};

static void pmemsim_disk_mark(struct pmemsim_disk *pd, u64 offset, u64 len)
{
	spin_lock(&pd->lock);
	bitmap_set(pd->dirty, offset >> SECTOR_SHIFT, len >> SECTOR_SHIFT);
	spin_unlock(&pd->lock);
}

/* Fills the batch with sectors that need not be flushed by anybody else then. */
static unsigned int pmemsim_disk_take(struct pmemsim_disk *pd)
{
	unsigned long start = 0, end;
	unsigned int nr;

	spin_lock(&pd->lock);
	for (nr = 0; nr < PMEMSIM_DISK_BATCH; nr++) {
		start = find_next_bit(pd->dirty, pd->nr_sectors, start);
		if (start == pd->nr_sectors)
			break;
		end = find_next_zero_bit(pd->dirty, pd->nr_sectors, start);
		bitmap_clear(pd->dirty, start, end - start);
		pd->batch[nr].offset = (u64)start << SECTOR_SHIFT;
		pd->batch[nr].len = (u64)(end - start) << SECTOR_SHIFT;
		start = end;
	}
	spin_unlock(&pd->lock);
	return nr;
}

/* One request at least, so that one can be counted, or fail. */
static int pmemsim_disk_flush(struct pmemsim_disk *pd)
{
	unsigned int nr, i;
	int err;

	mutex_lock(&pd->flush_lock);
	do {
		nr = pmemsim_disk_take(pd);
		err = pmemsim_persist(pd->sim, pd->batch, nr);
	} while (!err && nr == PMEMSIM_DISK_BATCH);
	for (i = 0; err && i < nr; i++)
		pmemsim_disk_mark(pd, pd->batch[i].offset, pd->batch[i].len);
	mutex_unlock(&pd->flush_lock);
	return err;
}

static void pmemsim_disk_copy(struct pmemsim_disk *pd, struct bio *bio,
			      u64 offset)
{
	void *memory = pd->sim->mem.memory.addr + offset;
	struct bvec_iter iter;
	struct bio_vec bvec;

	bio_for_each_segment(bvec, bio, iter) {
		if (op_is_write(bio_op(bio)))
			memcpy_from_bvec(memory, &bvec);
		else
			memcpy_to_bvec(&bvec, memory);
		memory += bvec.bv_len;
	}
}

/* Sleeps, as a persist may; the block layer lets a driver without requests. */
static int pmemsim_disk_do(struct pmemsim_disk *pd, struct bio *bio)
{
	const struct kfi_mem_range range = {
		.offset = (u64)bio->bi_iter.bi_sector << SECTOR_SHIFT,
		.len = bio->bi_iter.bi_size,
	};
	int err;

	if (bio->bi_opf & REQ_PREFLUSH) {
		err = pmemsim_disk_flush(pd);
		if (err)
			return err;
	}
	if (!bio_has_data(bio))
		return 0;
	pmemsim_disk_copy(pd, bio, range.offset);
	if (!op_is_write(bio_op(bio)))
		return 0;
	if (bio->bi_opf & REQ_FUA)
		return pmemsim_persist(pd->sim, &range, 1);
	pmemsim_disk_mark(pd, range.offset, range.len);
	return 0;
}

static void pmemsim_disk_submit(struct bio *bio)
{
	struct pmemsim_disk *pd = bio->bi_bdev->bd_disk->private_data;
	int err = pmemsim_disk_do(pd, bio);

	bio->bi_status = errno_to_blk_status(err);
	bio_endio(bio);
}

static const struct block_device_operations pmemsim_disk_ops = {
	.owner		= THIS_MODULE,
	.submit_bio	= pmemsim_disk_submit,
};

/* A disk's name has less room than a simulator's. */
bool pmemsim_disk_name_valid(const char *name)
{
	return strlen("pmemsim") + strlen(name) < DISK_NAME_LEN;
}

static void pmemsim_disk_free(struct pmemsim_disk *pd)
{
	put_disk(pd->disk);
	bitmap_free(pd->dirty);
	kfree(pd);
}

static struct pmemsim_disk *pmemsim_disk_alloc(struct kfi_pmemsim *sim)
{
	struct queue_limits lim = {
		.logical_block_size	= SECTOR_SIZE,
		.physical_block_size	= PAGE_SIZE,
		.features		= BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA,
	};
	struct pmemsim_disk *pd;
	struct gendisk *disk;

	pd = kzalloc_obj(*pd);
	if (!pd)
		return ERR_PTR(-ENOMEM);
	pd->sim = sim;
	pd->nr_sectors = sim->mem.len >> SECTOR_SHIFT;
	spin_lock_init(&pd->lock);
	mutex_init(&pd->flush_lock);
	pd->dirty = bitmap_zalloc(pd->nr_sectors, GFP_KERNEL);
	disk = pd->dirty ? blk_alloc_disk(&lim, NUMA_NO_NODE) :
			   ERR_PTR(-ENOMEM);
	if (IS_ERR(disk)) {
		bitmap_free(pd->dirty);
		kfree(pd);
		return ERR_CAST(disk);
	}
	scnprintf(disk->disk_name, DISK_NAME_LEN, "pmemsim%s", sim->name);
	disk->fops = &pmemsim_disk_ops;
	disk->private_data = pd;
	set_capacity(disk, pd->nr_sectors);
	pd->disk = disk;
	return pd;
}

/* Under the simulator's lock, as the power is switched on. */
int pmemsim_disk_add(struct kfi_pmemsim *sim)
{
	struct pmemsim_disk *pd = pmemsim_disk_alloc(sim);
	int err;

	if (IS_ERR(pd))
		return PTR_ERR(pd);
	err = add_disk(pd->disk);
	if (err) {
		pmemsim_disk_free(pd);
		return err;
	}
	sim->disk = pd;
	return 0;
}

/*
 * Under the simulator's lock, when the power is off: as if it had been pulled out.
 * Who has it open keeps a dead disk, so that a file system does not write to the
 * next one what it believes to be on this. When this returns nobody reads or
 * writes.
 */
void pmemsim_disk_remove(struct kfi_pmemsim *sim)
{
	struct pmemsim_disk *pd = sim->disk;

	if (!pd)
		return;
	sim->disk = NULL;
	blk_mark_disk_dead(pd->disk);
	del_gendisk(pd->disk);
	pmemsim_disk_free(pd);
}
