// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Simulators that a user makes: pmemsim/NAME/ in configfs. Documentation/pmemsim.rst
 * describes the files.
 */

#include <linux/configfs.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "pmemsim.h"

/**
 * struct pmemsim_item - a folder
 * @item: for configfs
 * @lock: protects what follows
 * @attr: what its simulator is to be like; the path in it is the folder's
 * @sim: the simulator, or NULL
 */
struct pmemsim_item {
	struct config_item	item;
	/* protects what follows */
	struct mutex		lock;
	struct kfi_pmemsim_attr	attr;
	struct kfi_pmemsim	*sim;
};

static const char * const pmemsim_domains[] = {
	[KFI_PMEMSIM_ADR]	= "adr",
	[KFI_PMEMSIM_EADR]	= "eadr",
	[KFI_PMEMSIM_LIE]	= "lie",
};

static struct pmemsim_item *to_pmemsim_item(struct config_item *item)
{
	return container_of(item, struct pmemsim_item, item);
}

/* What a simulator is like cannot be changed once it exists. */
static bool pmemsim_item_begin(struct pmemsim_item *psi)
{
	mutex_lock(&psi->lock);
	if (!psi->sim)
		return true;
	mutex_unlock(&psi->lock);
	return false;
}

static ssize_t pmemsim_item_size_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%zu\n", to_pmemsim_item(item)->attr.len);
}

static ssize_t pmemsim_item_size_store(struct config_item *item,
				       const char *page, size_t count)
{
	struct pmemsim_item *psi = to_pmemsim_item(item);
	char *end;
	u64 len;

	len = memparse(page, &end);
	if (end == page || *skip_spaces(end))
		return -EINVAL;
	if (!len || !PAGE_ALIGNED(len) || len > SIZE_MAX)
		return -EINVAL;
	if (!pmemsim_item_begin(psi))
		return -EBUSY;
	psi->attr.len = len;
	mutex_unlock(&psi->lock);
	return count;
}
CONFIGFS_ATTR(pmemsim_item_, size);

static ssize_t pmemsim_item_domain_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%s\n",
			  pmemsim_domains[to_pmemsim_item(item)->attr.domain]);
}

static ssize_t pmemsim_item_domain_store(struct config_item *item,
					 const char *page, size_t count)
{
	struct pmemsim_item *psi = to_pmemsim_item(item);
	int domain = sysfs_match_string(pmemsim_domains, page);

	if (domain < 0)
		return domain;
	if (!pmemsim_item_begin(psi))
		return -EBUSY;
	psi->attr.domain = domain;
	mutex_unlock(&psi->lock);
	return count;
}
CONFIGFS_ATTR(pmemsim_item_, domain);

static ssize_t pmemsim_item_set_bool(struct pmemsim_item *psi, bool *flag,
				     const char *page, size_t count)
{
	bool value;
	int err;

	err = kstrtobool(page, &value);
	if (err)
		return err;
	if (!pmemsim_item_begin(psi))
		return -EBUSY;
	*flag = value;
	mutex_unlock(&psi->lock);
	return count;
}

static ssize_t pmemsim_item_async_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", to_pmemsim_item(item)->attr.async);
}

static ssize_t pmemsim_item_async_store(struct config_item *item,
					const char *page, size_t count)
{
	struct pmemsim_item *psi = to_pmemsim_item(item);

	return pmemsim_item_set_bool(psi, &psi->attr.async, page, count);
}
CONFIGFS_ATTR(pmemsim_item_, async);

static ssize_t pmemsim_item_disk_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", to_pmemsim_item(item)->attr.disk);
}

static ssize_t pmemsim_item_disk_store(struct config_item *item,
				       const char *page, size_t count)
{
	struct pmemsim_item *psi = to_pmemsim_item(item);

	return pmemsim_item_set_bool(psi, &psi->attr.disk, page, count);
}
CONFIGFS_ATTR(pmemsim_item_, disk);

static ssize_t pmemsim_item_attach_show(struct config_item *item, char *page)
{
	struct pmemsim_item *psi = to_pmemsim_item(item);
	ssize_t len;

	mutex_lock(&psi->lock);
	len = sysfs_emit(page, "%s\n", psi->attr.attach ?: "");
	mutex_unlock(&psi->lock);
	return len;
}

/* An empty line attaches to nothing. */
static ssize_t pmemsim_item_attach_store(struct config_item *item,
					 const char *page, size_t count)
{
	struct pmemsim_item *psi = to_pmemsim_item(item);
	char *path = kstrdup(skip_spaces(page), GFP_KERNEL);

	if (!path)
		return -ENOMEM;
	if (!*strim(path)) {
		kfree(path);
		path = NULL;
	}
	if (!pmemsim_item_begin(psi)) {
		kfree(path);
		return -EBUSY;
	}
	kfree(psi->attr.attach);
	psi->attr.attach = path;
	mutex_unlock(&psi->lock);
	return count;
}
CONFIGFS_ATTR(pmemsim_item_, attach);

static ssize_t pmemsim_item_enable_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", !!READ_ONCE(to_pmemsim_item(item)->sim));
}

static int pmemsim_item_switch_on(struct pmemsim_item *psi)
{
	struct kfi_pmemsim *sim;

	sim = kfi_pmemsim_create_attr(config_item_name(&psi->item), &psi->attr);
	if (IS_ERR(sim))
		return PTR_ERR(sim);
	WRITE_ONCE(psi->sim, sim);
	return 0;
}

static void pmemsim_item_switch_off(struct pmemsim_item *psi)
{
	kfi_pmemsim_destroy(psi->sim);
	WRITE_ONCE(psi->sim, NULL);
}

static ssize_t pmemsim_item_enable_store(struct config_item *item,
					 const char *page, size_t count)
{
	struct pmemsim_item *psi = to_pmemsim_item(item);
	bool enable;
	int err;

	err = kstrtobool(page, &enable);
	if (err)
		return err;
	mutex_lock(&psi->lock);
	if (enable && !psi->sim)
		err = pmemsim_item_switch_on(psi);
	else if (!enable && psi->sim)
		pmemsim_item_switch_off(psi);
	mutex_unlock(&psi->lock);
	return err ?: count;
}
CONFIGFS_ATTR(pmemsim_item_, enable);

static struct configfs_attribute *pmemsim_item_attrs[] = {
	&pmemsim_item_attr_size,
	&pmemsim_item_attr_domain,
	&pmemsim_item_attr_async,
	&pmemsim_item_attr_disk,
	&pmemsim_item_attr_attach,
	&pmemsim_item_attr_enable,
	NULL,
};

static void pmemsim_item_release(struct config_item *item)
{
	struct pmemsim_item *psi = to_pmemsim_item(item);

	kfree(psi->attr.attach);
	kfree(psi);
}

static struct configfs_item_operations pmemsim_item_ops = {
	.release	= pmemsim_item_release,
};

static const struct config_item_type pmemsim_item_type = {
	.ct_item_ops	= &pmemsim_item_ops,
	.ct_attrs	= pmemsim_item_attrs,
	.ct_owner	= THIS_MODULE,
};

static struct config_item *pmemsim_make_item(struct config_group *group,
					     const char *name)
{
	struct pmemsim_item *psi = kzalloc_obj(*psi);

	if (!psi)
		return ERR_PTR(-ENOMEM);
	mutex_init(&psi->lock);
	psi->attr.len = SZ_64M;
	config_item_init_type_name(&psi->item, name, &pmemsim_item_type);
	return &psi->item;
}

static void pmemsim_drop_item(struct config_group *group,
			      struct config_item *item)
{
	struct pmemsim_item *psi = to_pmemsim_item(item);

	mutex_lock(&psi->lock);
	if (psi->sim)
		pmemsim_item_switch_off(psi);
	mutex_unlock(&psi->lock);
	config_item_put(item);
}

static struct configfs_group_operations pmemsim_group_ops = {
	.make_item	= pmemsim_make_item,
	.drop_item	= pmemsim_drop_item,
};

static const struct config_item_type pmemsim_group_type = {
	.ct_group_ops	= &pmemsim_group_ops,
	.ct_owner	= THIS_MODULE,
};

static struct configfs_subsystem pmemsim_subsys = {
	.su_group = {
		.cg_item = {
			.ci_namebuf	= "pmemsim",
			.ci_type	= &pmemsim_group_type,
		},
	},
};

int pmemsim_configfs_init(void)
{
	config_group_init(&pmemsim_subsys.su_group);
	mutex_init(&pmemsim_subsys.su_mutex);
	return configfs_register_subsystem(&pmemsim_subsys);
}

void pmemsim_configfs_exit(void)
{
	configfs_unregister_subsystem(&pmemsim_subsys);
}
