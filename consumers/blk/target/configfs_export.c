// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * exports/NAME/ in configfs, and the folder of those who may use it.
 */

#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "target.h"

static struct kfbt_export *to_kfbt_export(struct config_item *item)
{
	return container_of(to_config_group(item), struct kfbt_export, group);
}

/* What an export is like cannot be changed while it is enabled. */
static bool kfbt_export_begin(struct kfbt_export *export)
{
	mutex_lock(&kfbt_config_lock);
	if (!export->pmem)
		return true;
	mutex_unlock(&kfbt_config_lock);
	return false;
}

static ssize_t kfbt_export_device_show(struct config_item *item, char *page)
{
	struct kfbt_export *export = to_kfbt_export(item);
	ssize_t len;

	mutex_lock(&kfbt_config_lock);
	len = sysfs_emit(page, "%s\n", export->path ?: "");
	mutex_unlock(&kfbt_config_lock);
	return len;
}

static ssize_t kfbt_export_device_store(struct config_item *item,
					const char *page, size_t count)
{
	struct kfbt_export *export = to_kfbt_export(item);
	char *path = kstrdup(skip_spaces(page), GFP_KERNEL);

	if (!path)
		return -ENOMEM;
	if (!*strim(path)) {
		kfree(path);
		return -EINVAL;
	}
	if (!kfbt_export_begin(export)) {
		kfree(path);
		return -EBUSY;
	}
	kfree(export->path);
	export->path = path;
	mutex_unlock(&kfbt_config_lock);
	return count;
}
CONFIGFS_ATTR(kfbt_export_, device);

static ssize_t kfbt_export_block_size_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", to_kfbt_export(item)->block_size);
}

static ssize_t kfbt_export_block_size_store(struct config_item *item,
					    const char *page, size_t count)
{
	struct kfbt_export *export = to_kfbt_export(item);
	unsigned int size;
	int err;

	err = kstrtouint(page, 0, &size);
	if (err)
		return err;
	if (size != SZ_512 && size != SZ_4K)
		return -EINVAL;
	if (!kfbt_export_begin(export))
		return -EBUSY;
	export->block_size = size;
	mutex_unlock(&kfbt_config_lock);
	return count;
}
CONFIGFS_ATTR(kfbt_export_, block_size);

static ssize_t kfbt_export_set_bool(struct kfbt_export *export, bool *flag,
				    const char *page, size_t count)
{
	bool value;
	int err;

	err = kstrtobool(page, &value);
	if (err)
		return err;
	if (!kfbt_export_begin(export))
		return -EBUSY;
	*flag = value;
	mutex_unlock(&kfbt_config_lock);
	return count;
}

static ssize_t kfbt_export_read_only_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", to_kfbt_export(item)->read_only);
}

static ssize_t kfbt_export_read_only_store(struct config_item *item,
					   const char *page, size_t count)
{
	struct kfbt_export *export = to_kfbt_export(item);

	return kfbt_export_set_bool(export, &export->read_only, page, count);
}
CONFIGFS_ATTR(kfbt_export_, read_only);

static ssize_t kfbt_export_allow_any_client_show(struct config_item *item,
						 char *page)
{
	return sysfs_emit(page, "%d\n", to_kfbt_export(item)->allow_any);
}

static ssize_t kfbt_export_allow_any_client_store(struct config_item *item,
						  const char *page,
						  size_t count)
{
	struct kfbt_export *export = to_kfbt_export(item);

	return kfbt_export_set_bool(export, &export->allow_any, page, count);
}
CONFIGFS_ATTR(kfbt_export_, allow_any_client);

static ssize_t kfbt_export_enable_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", READ_ONCE(to_kfbt_export(item)->open));
}

static ssize_t kfbt_export_enable_store(struct config_item *item,
					const char *page, size_t count)
{
	struct kfbt_export *export = to_kfbt_export(item);
	bool enable;
	int err;

	err = kstrtobool(page, &enable);
	if (err)
		return err;
	mutex_lock(&kfbt_config_lock);
	if (enable)
		err = kfbt_export_enable(export);
	else
		kfbt_export_disable(export);
	mutex_unlock(&kfbt_config_lock);
	return err ?: count;
}
CONFIGFS_ATTR(kfbt_export_, enable);

static ssize_t kfbt_export_size_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%llu\n",
			  READ_ONCE(to_kfbt_export(item)->size));
}
CONFIGFS_ATTR_RO(kfbt_export_, size);

static ssize_t kfbt_export_incarnation_show(struct config_item *item,
					    char *page)
{
	struct kfbt_export *export = to_kfbt_export(item);
	u64 incarnation = 0;

	mutex_lock(&kfbt_config_lock);
	if (export->pmem)
		incarnation = kfi_pmem_incarnation(export->pmem);
	mutex_unlock(&kfbt_config_lock);
	return sysfs_emit(page, "%llu\n", incarnation);
}
CONFIGFS_ATTR_RO(kfbt_export_, incarnation);

static ssize_t kfbt_export_emit(const struct kfbt_session *session, char *page,
				ssize_t len)
{
	unsigned long age = jiffies - session->began;

	if (session->state != KFBT_LIVE)
		return 0;
	return sysfs_emit_at(page, len,
			     "client=%s address=%pISpc instance=%pUb access=%s queues=%u/%u regions=%u seconds=%lu\n",
			     session->hello.client, &session->peer,
			     &session->hello.instance,
			     session->hello.read_only ? "ro" : "rw",
			     session->nr_connected, session->nr_queues,
			     session->nr_regions, age / HZ);
}

/* One line for each, as many as there is room for. */
static ssize_t kfbt_export_sessions_show(struct config_item *item, char *page)
{
	struct kfbt_export *export = to_kfbt_export(item);
	struct kfbt_session *session;
	ssize_t len = 0;

	spin_lock(&kfbt_lock);
	list_for_each_entry(session, &export->sessions, export_node)
		len += kfbt_export_emit(session, page, len);
	spin_unlock(&kfbt_lock);
	return len;
}
CONFIGFS_ATTR_RO(kfbt_export_, sessions);

static struct configfs_attribute *kfbt_export_attrs[] = {
	&kfbt_export_attr_device,
	&kfbt_export_attr_block_size,
	&kfbt_export_attr_read_only,
	&kfbt_export_attr_allow_any_client,
	&kfbt_export_attr_enable,
	&kfbt_export_attr_size,
	&kfbt_export_attr_incarnation,
	&kfbt_export_attr_sessions,
	NULL,
};

/*
 * Clients
 */

static struct kfbt_client *to_kfbt_client(struct config_item *item)
{
	return container_of(item, struct kfbt_client, item);
}

static void kfbt_client_release(struct config_item *item)
{
	kfree(to_kfbt_client(item));
}

static struct configfs_item_operations kfbt_client_ops = {
	.release	= kfbt_client_release,
};

static const struct config_item_type kfbt_client_type = {
	.ct_item_ops	= &kfbt_client_ops,
	.ct_owner	= THIS_MODULE,
};

static struct kfbt_export *kfbt_clients_export(struct config_group *group)
{
	return container_of(group, struct kfbt_export, clients_group);
}

static struct config_item *kfbt_client_make(struct config_group *group,
					    const char *name)
{
	struct kfbt_export *export = kfbt_clients_export(group);
	struct kfbt_client *client;

	if (!kfb_name_valid(name, strlen(name)))
		return ERR_PTR(-EINVAL);
	client = kzalloc_obj(*client);
	if (!client)
		return ERR_PTR(-ENOMEM);
	config_item_init_type_name(&client->item, name, &kfbt_client_type);
	spin_lock(&kfbt_lock);
	list_add_tail(&client->node, &export->clients);
	spin_unlock(&kfbt_lock);
	return &client->item;
}

static void kfbt_client_drop(struct config_group *group,
			     struct config_item *item)
{
	struct kfbt_client *client = to_kfbt_client(item);

	spin_lock(&kfbt_lock);
	list_del(&client->node);
	spin_unlock(&kfbt_lock);
	config_item_put(item);
}

static struct configfs_group_operations kfbt_clients_ops = {
	.make_item	= kfbt_client_make,
	.drop_item	= kfbt_client_drop,
};

static const struct config_item_type kfbt_clients_type = {
	.ct_group_ops	= &kfbt_clients_ops,
	.ct_owner	= THIS_MODULE,
};

/*
 * Exports
 */

static void kfbt_export_release(struct config_item *item)
{
	struct kfbt_export *export = to_kfbt_export(item);

	kfree(export->path);
	kfree(export);
}

static struct configfs_item_operations kfbt_export_ops = {
	.release	= kfbt_export_release,
};

const struct config_item_type kfbt_export_type = {
	.ct_item_ops	= &kfbt_export_ops,
	.ct_attrs	= kfbt_export_attrs,
	.ct_owner	= THIS_MODULE,
};

static struct config_group *kfbt_export_make(struct config_group *group,
					     const char *name)
{
	struct kfbt_export *export;

	if (!kfb_name_valid(name, strlen(name)))
		return ERR_PTR(-EINVAL);
	export = kzalloc_obj(*export);
	if (!export)
		return ERR_PTR(-ENOMEM);
	export->block_size = SZ_4K;
	INIT_WORK(&export->retire, kfbt_export_retire);
	INIT_LIST_HEAD(&export->clients);
	INIT_LIST_HEAD(&export->sessions);
	config_group_init_type_name(&export->group, name, &kfbt_export_type);
	config_group_init_type_name(&export->clients_group, "clients",
				    &kfbt_clients_type);
	configfs_add_default_group(&export->clients_group, &export->group);
	return &export->group;
}

/* There are no links to it any more. */
static void kfbt_export_drop(struct config_group *group,
			     struct config_item *item)
{
	struct kfbt_export *export = to_kfbt_export(item);

	mutex_lock(&kfbt_config_lock);
	kfbt_export_disable(export);
	mutex_unlock(&kfbt_config_lock);
	cancel_work_sync(&export->retire);
	config_item_put(item);
}

static struct configfs_group_operations kfbt_exports_ops = {
	.make_group	= kfbt_export_make,
	.drop_item	= kfbt_export_drop,
};

const struct config_item_type kfbt_exports_type = {
	.ct_group_ops	= &kfbt_exports_ops,
	.ct_owner	= THIS_MODULE,
};
