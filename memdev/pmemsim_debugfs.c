// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The simulator's files: kfabric/pmemsim/NAME/ in debugfs. Documentation/pmemsim.rst
 * describes them.
 */

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include <kfi_prov.h>

#include "pmemsim.h"

static struct dentry *pmemsim_dir;

static ssize_t cut_write(struct file *file, const char __user *buf,
			 size_t count, loff_t *pos)
{
	int err = kfi_pmemsim_cut(file->private_data);

	return err ?: count;
}

static const struct file_operations cut_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= cut_write,
	.llseek	= noop_llseek,
};

static int cut_random_set(void *data, u64 val)
{
	return kfi_pmemsim_cut_random(data, val);
}

static int seed_get(void *data, u64 *val)
{
	*val = kfi_pmemsim_seed(data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(cut_random_fops, seed_get, cut_random_set, "%llu\n");

static int hold_get(void *data, u64 *val)
{
	struct kfi_pmemsim *sim = data;

	*val = READ_ONCE(sim->faults.hold);
	return 0;
}

static int hold_set(void *data, u64 val)
{
	kfi_pmemsim_hold(data, val);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(hold_fops, hold_get, hold_set, "%llu\n");

static int held_get(void *data, u64 *val)
{
	*val = kfi_pmemsim_held(data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(held_fops, held_get, NULL, "%llu\n");

static int persists_get(void *data, u64 *val)
{
	*val = kfi_pmemsim_persists(data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(persists_fops, persists_get, NULL, "%llu\n");

static int failures_get(void *data, u64 *val)
{
	*val = kfi_pmemsim_failures(data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(failures_fops, failures_get, NULL, "%llu\n");

static int incarnation_get(void *data, u64 *val)
{
	struct kfi_pmemsim *sim = data;

	*val = READ_ONCE(sim->incarnation);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(incarnation_fops, incarnation_get, NULL, "%llu\n");

static ssize_t fail_read(struct file *file, char __user *buf, size_t count,
			 loff_t *pos)
{
	struct kfi_pmemsim *sim = file->private_data;
	struct pmemsim_faults *faults = &sim->faults;
	char text[64];
	int len;

	spin_lock(&faults->lock);
	len = scnprintf(text, sizeof(text), "%u %u %d\n", faults->count,
			faults->skip, -faults->err);
	spin_unlock(&faults->lock);
	return simple_read_from_buffer(buf, count, pos, text, len);
}

static ssize_t fail_write(struct file *file, const char __user *buf,
			  size_t count, loff_t *pos)
{
	unsigned int nr, skip = 0, err = EIO;
	char text[64] = "";

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	if (sscanf(text, "%u %u %u", &nr, &skip, &err) < 1 ||
	    !err || err > MAX_ERRNO)
		return -EINVAL;
	kfi_pmemsim_fail(file->private_data, skip, nr, -(int)err);
	return count;
}

static const struct file_operations fail_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= fail_read,
	.write	= fail_write,
	.llseek	= default_llseek,
};

static int trace_show(struct seq_file *m, void *unused)
{
	struct kfi_pmemsim *sim = m->private;

	pmemsim_mem_trace_show(&sim->mem, m);
	return 0;
}

static int trace_open(struct inode *inode, struct file *file)
{
	return single_open(file, trace_show, inode->i_private);
}

static ssize_t trace_write(struct file *file, const char __user *buf,
			   size_t count, loff_t *pos)
{
	struct seq_file *m = file->private_data;
	struct kfi_pmemsim *sim = m->private;

	pmemsim_mem_trace_forget(&sim->mem);
	return count;
}

static const struct file_operations trace_fops = {
	.owner		= THIS_MODULE,
	.open		= trace_open,
	.read		= seq_read,
	.write		= trace_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

void pmemsim_debugfs_add(struct kfi_pmemsim *sim)
{
	struct dentry *dir = debugfs_create_dir(sim->name, pmemsim_dir);

	sim->debugfs = dir;
	debugfs_create_file("cut", 0200, dir, sim, &cut_fops);
	debugfs_create_file("cut_random", 0600, dir, sim, &cut_random_fops);
	debugfs_create_u32("delay_ms", 0600, dir, &sim->faults.delay_ms);
	debugfs_create_file("hold", 0600, dir, sim, &hold_fops);
	debugfs_create_file("held", 0400, dir, sim, &held_fops);
	debugfs_create_file("fail", 0600, dir, sim, &fail_fops);
	debugfs_create_file("failures", 0400, dir, sim, &failures_fops);
	debugfs_create_file("persists", 0400, dir, sim, &persists_fops);
	debugfs_create_file("incarnation", 0400, dir, sim, &incarnation_fops);
	debugfs_create_file("trace", 0600, dir, sim, &trace_fops);
}

void pmemsim_debugfs_remove(struct kfi_pmemsim *sim)
{
	debugfs_remove_recursive(sim->debugfs);
}

void pmemsim_debugfs_init(void)
{
	pmemsim_dir = debugfs_create_dir("pmemsim", kfi_debugfs_root);
}

void pmemsim_debugfs_exit(void)
{
	debugfs_remove_recursive(pmemsim_dir);
}
