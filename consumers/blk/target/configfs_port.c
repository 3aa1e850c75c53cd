// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ports/NAME/ in configfs. Links in its folder exports make it listen.
 */

#include <linux/err.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "target.h"

#define KFBT_DEFAULT_SERVICE	7473

static const char * const kfbt_providers[] = { "loopback", "verbs" };

static struct kfbt_port *to_kfbt_port(struct config_item *item)
{
	return container_of(to_config_group(item), struct kfbt_port, group);
}

/* Where it listens cannot be changed while it does, or tries to. */
static bool kfbt_port_begin(struct kfbt_port *port)
{
	mutex_lock(&kfbt_config_lock);
	if (list_empty(&port->links))
		return true;
	mutex_unlock(&kfbt_config_lock);
	return false;
}

static ssize_t kfbt_port_provider_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%s\n", to_kfbt_port(item)->provider);
}

static ssize_t kfbt_port_provider_store(struct config_item *item,
					const char *page, size_t count)
{
	struct kfbt_port *port = to_kfbt_port(item);
	int provider = sysfs_match_string(kfbt_providers, page);

	if (provider < 0)
		return provider;
	if (!kfbt_port_begin(port))
		return -EBUSY;
	port->provider = kfbt_providers[provider];
	mutex_unlock(&kfbt_config_lock);
	return count;
}
CONFIGFS_ATTR(kfbt_port_, provider);

static ssize_t kfbt_port_addr_show(struct config_item *item, char *page)
{
	struct kfbt_port *port = to_kfbt_port(item);
	ssize_t len;

	mutex_lock(&kfbt_config_lock);
	len = sysfs_emit(page, "%s\n", port->addr ?: "");
	mutex_unlock(&kfbt_config_lock);
	return len;
}

static ssize_t kfbt_port_addr_store(struct config_item *item, const char *page,
				    size_t count)
{
	struct kfbt_port *port = to_kfbt_port(item);
	char *addr = kstrdup(skip_spaces(page), GFP_KERNEL);

	if (!addr)
		return -ENOMEM;
	if (!*strim(addr)) {
		kfree(addr);
		return -EINVAL;
	}
	if (!kfbt_port_begin(port)) {
		kfree(addr);
		return -EBUSY;
	}
	kfree(port->addr);
	port->addr = addr;
	mutex_unlock(&kfbt_config_lock);
	return count;
}
CONFIGFS_ATTR(kfbt_port_, addr);

static ssize_t kfbt_port_service_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", to_kfbt_port(item)->service);
}

static ssize_t kfbt_port_service_store(struct config_item *item,
				       const char *page, size_t count)
{
	struct kfbt_port *port = to_kfbt_port(item);
	u16 service;
	int err;

	err = kstrtou16(page, 10, &service);
	if (err)
		return err;
	if (!service)
		return -EINVAL;
	if (!kfbt_port_begin(port))
		return -EBUSY;
	port->service = service;
	mutex_unlock(&kfbt_config_lock);
	return count;
}
CONFIGFS_ATTR(kfbt_port_, service);

/* Not while its device is gone, for example. */
static ssize_t kfbt_port_listening_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n",
			  READ_ONCE(to_kfbt_port(item)->listening));
}
CONFIGFS_ATTR_RO(kfbt_port_, listening);

static struct configfs_attribute *kfbt_port_attrs[] = {
	&kfbt_port_attr_provider,
	&kfbt_port_attr_addr,
	&kfbt_port_attr_service,
	&kfbt_port_attr_listening,
	NULL,
};

/*
 * Links
 */

static struct kfbt_port *kfbt_links_port(struct config_item *item)
{
	return container_of(to_config_group(item), struct kfbt_port,
			    exports_group);
}

static int kfbt_links_allow(struct config_item *item,
			    struct config_item *target)
{
	int err;

	if (target->ci_type != &kfbt_export_type)
		return -EINVAL;
	mutex_lock(&kfbt_config_lock);
	err = kfbt_port_link(kfbt_links_port(item),
			     container_of(to_config_group(target),
					  struct kfbt_export, group));
	mutex_unlock(&kfbt_config_lock);
	return err;
}

static void kfbt_links_drop(struct config_item *item,
			    struct config_item *target)
{
	mutex_lock(&kfbt_config_lock);
	kfbt_port_unlink(kfbt_links_port(item),
			 container_of(to_config_group(target),
				      struct kfbt_export, group));
	mutex_unlock(&kfbt_config_lock);
}

static struct configfs_item_operations kfbt_links_ops = {
	.allow_link	= kfbt_links_allow,
	.drop_link	= kfbt_links_drop,
};

static const struct config_item_type kfbt_links_type = {
	.ct_item_ops	= &kfbt_links_ops,
	.ct_owner	= THIS_MODULE,
};

/*
 * Ports
 */

static void kfbt_port_release(struct config_item *item)
{
	struct kfbt_port *port = to_kfbt_port(item);

	kfree(port->addr);
	kfree(port);
}

static struct configfs_item_operations kfbt_port_ops = {
	.release	= kfbt_port_release,
};

static const struct config_item_type kfbt_port_type = {
	.ct_item_ops	= &kfbt_port_ops,
	.ct_attrs	= kfbt_port_attrs,
	.ct_owner	= THIS_MODULE,
};

static struct config_group *kfbt_port_make(struct config_group *group,
					   const char *name)
{
	struct kfbt_port *port = kzalloc_obj(*port);

	if (!port)
		return ERR_PTR(-ENOMEM);
	port->provider = kfbt_providers[1];
	port->service = KFBT_DEFAULT_SERVICE;
	mutex_init(&port->pep_lock);
	INIT_DELAYED_WORK(&port->repair, kfbt_port_repair);
	INIT_LIST_HEAD(&port->links);
	INIT_LIST_HEAD(&port->sessions);
	config_group_init_type_name(&port->group, name, &kfbt_port_type);
	config_group_init_type_name(&port->exports_group, "exports",
				    &kfbt_links_type);
	configfs_add_default_group(&port->exports_group, &port->group);
	return &port->group;
}

/* It has no links any more, so it does not listen. */
static void kfbt_port_drop(struct config_group *group, struct config_item *item)
{
	struct kfbt_port *port = to_kfbt_port(item);

	cancel_delayed_work_sync(&port->repair);
	config_item_put(item);
}

static struct configfs_group_operations kfbt_ports_ops = {
	.make_group	= kfbt_port_make,
	.drop_item	= kfbt_port_drop,
};

const struct config_item_type kfbt_ports_type = {
	.ct_group_ops	= &kfbt_ports_ops,
	.ct_owner	= THIS_MODULE,
};
