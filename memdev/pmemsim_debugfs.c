// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The simulator's files: kfabric/pmemsim/NAME/ in debugfs.
 *
 * cut		write: cut the power
 * delay_ms	what kfi_pmemsim_set_delay() sets
 * fail		what kfi_pmemsim_fail_next() sets
 * persists	what kfi_pmemsim_persists() returns
 * trace	persisted ranges, offset and length each; write: forget them
 */

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/seq_file.h>

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

static int persists_get(void *data, u64 *val)
{
	*val = kfi_pmemsim_persists(data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(persists_fops, persists_get, NULL, "%llu\n");

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
	debugfs_create_u32("delay_ms", 0600, dir, &sim->delay_ms);
	debugfs_create_atomic_t("fail", 0600, dir, &sim->fail);
	debugfs_create_file_unsafe("persists", 0400, dir, sim, &persists_fops);
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
