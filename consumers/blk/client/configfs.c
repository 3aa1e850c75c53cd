// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Devices that a user makes: kfi_blk/NAME/ in configfs.
 */

#include <linux/configfs.h>
#include <linux/err.h>
#include <linux/kstrtox.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/utsname.h>

#include "blk.h"

#define KFB_MAX_DEPTH	1024
/* Seconds: a day */
#define KFB_MAX_DELAY	86400

/**
 * struct kfb_item - a folder
 * @item: for configfs
 * @lock: protects what follows, and is held while a device is made or removed
 * @config: what its device is to be like
 * @dev: the device, or NULL
 * @busy: what is being done to it, or NULL; for who does not want to wait
 */
struct kfb_item {
	struct config_item	item;
	/* protects what follows, and is held while a device is made or removed */
	struct mutex		lock;
	struct kfb_config	config;
	struct kfb_dev		*dev;
	const char		*busy;
};

static struct kfb_item *to_kfb_item(struct config_item *item)
{
	return container_of(item, struct kfb_item, item);
}

/* What a device is like cannot be changed while it exists. */
static bool kfb_item_begin(struct kfb_item *ki)
{
	mutex_lock(&ki->lock);
	if (!ki->dev)
		return true;
	mutex_unlock(&ki->lock);
	return false;
}

/*
 * Names
 */

static ssize_t kfb_item_show_name(struct kfb_item *ki, const char *name,
				  char *page)
{
	ssize_t len;

	mutex_lock(&ki->lock);
	len = sysfs_emit(page, "%s\n", name);
	mutex_unlock(&ki->lock);
	return len;
}

static ssize_t kfb_item_set_name(struct kfb_item *ki, char *name,
				 const char *page, size_t count)
{
	size_t len = strcspn(page, "\n");

	if (page[len] && page[len + 1])
		return -EINVAL;
	if (len >= KFB_NAME_LEN)
		return -ENAMETOOLONG;
	if (!kfb_name_valid(page, len))
		return -EINVAL;
	if (!kfb_item_begin(ki))
		return -EBUSY;
	memset(name, 0, KFB_NAME_LEN);
	memcpy(name, page, len);
	mutex_unlock(&ki->lock);
	return count;
}

#define KFB_NAME_SHOW(_name)						\
static ssize_t kfb_item_##_name##_show(struct config_item *item,	\
				       char *page)			\
{									\
	struct kfb_item *ki = to_kfb_item(item);			\
									\
	return kfb_item_show_name(ki, ki->config._name, page);		\
}

#define KFB_NAME_STORE(_name)						\
static ssize_t kfb_item_##_name##_store(struct config_item *item,	\
					const char *page, size_t count)	\
{									\
	struct kfb_item *ki = to_kfb_item(item);			\
									\
	return kfb_item_set_name(ki, ki->config._name, page, count);	\
}

KFB_NAME_SHOW(provider)
KFB_NAME_STORE(provider)
CONFIGFS_ATTR(kfb_item_, provider);

KFB_NAME_SHOW(addr)
KFB_NAME_STORE(addr)
CONFIGFS_ATTR(kfb_item_, addr);

KFB_NAME_SHOW(service)
KFB_NAME_STORE(service)
CONFIGFS_ATTR(kfb_item_, service);

KFB_NAME_SHOW(export)
KFB_NAME_STORE(export)
CONFIGFS_ATTR(kfb_item_, export);

KFB_NAME_SHOW(client)
KFB_NAME_STORE(client)
CONFIGFS_ATTR(kfb_item_, client);

/*
 * Numbers
 */

static int kfb_parse_uint(const char *page, unsigned int least,
			  unsigned int most, unsigned int *value)
{
	int err = kstrtouint(page, 0, value);

	if (err)
		return err;
	return *value < least || *value > most ? -ERANGE : 0;
}

static ssize_t kfb_item_set_uint(struct kfb_item *ki, unsigned int *field,
				 unsigned int least, unsigned int most,
				 const char *page, size_t count)
{
	unsigned int value;
	int err;

	err = kfb_parse_uint(page, least, most, &value);
	if (err)
		return err;
	if (!kfb_item_begin(ki))
		return -EBUSY;
	*field = value;
	mutex_unlock(&ki->lock);
	return count;
}

/* A timeout can change at any time. */
static ssize_t kfb_item_set_timeout(struct kfb_item *ki, unsigned int *field,
				    unsigned int least, unsigned int most,
				    const char *page, size_t count)
{
	unsigned int value;
	int err;

	err = kfb_parse_uint(page, least, most, &value);
	if (err)
		return err;
	WRITE_ONCE(*field, value);
	return count;
}

#define KFB_NUMBER_SHOW(_name)						\
static ssize_t kfb_item_##_name##_show(struct config_item *item,	\
				       char *page)			\
{									\
	return sysfs_emit(page, "%u\n",					\
			  READ_ONCE(to_kfb_item(item)->config._name));	\
}

#define KFB_NUMBER_STORE(_name, _set, _least, _most)			\
static ssize_t kfb_item_##_name##_store(struct config_item *item,	\
					const char *page, size_t count)	\
{									\
	struct kfb_item *ki = to_kfb_item(item);			\
									\
	return _set(ki, &ki->config._name, _least, _most, page, count);	\
}

KFB_NUMBER_SHOW(queues)
KFB_NUMBER_STORE(queues, kfb_item_set_uint, 0, KFB_MAX_QUEUES / 2)
CONFIGFS_ATTR(kfb_item_, queues);

KFB_NUMBER_SHOW(poll_queues)
KFB_NUMBER_STORE(poll_queues, kfb_item_set_uint, 0, KFB_MAX_QUEUES / 2)
CONFIGFS_ATTR(kfb_item_, poll_queues);

KFB_NUMBER_SHOW(queue_depth)
KFB_NUMBER_STORE(queue_depth, kfb_item_set_uint, 1, KFB_MAX_DEPTH)
CONFIGFS_ATTR(kfb_item_, queue_depth);

KFB_NUMBER_SHOW(reconnect_delay)
KFB_NUMBER_STORE(reconnect_delay, kfb_item_set_timeout, 1, KFB_MAX_DELAY)
CONFIGFS_ATTR(kfb_item_, reconnect_delay);

KFB_NUMBER_SHOW(fast_io_fail)
KFB_NUMBER_STORE(fast_io_fail, kfb_item_set_timeout, 0, KFB_MAX_DELAY)
CONFIGFS_ATTR(kfb_item_, fast_io_fail);

KFB_NUMBER_SHOW(ctrl_loss)
KFB_NUMBER_STORE(ctrl_loss, kfb_item_set_timeout, 0, KFB_MAX_DELAY)
CONFIGFS_ATTR(kfb_item_, ctrl_loss);

KFB_NUMBER_SHOW(keep_alive_ms)
KFB_NUMBER_STORE(keep_alive_ms, kfb_item_set_timeout, KFB_MIN_KEEP_ALIVE,
		 KFB_MAX_KEEP_ALIVE)
CONFIGFS_ATTR(kfb_item_, keep_alive_ms);

static const char * const kfb_caches[] = { "writeback", "writethrough" };

static ssize_t kfb_item_cache_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%s\n",
			  kfb_caches[to_kfb_item(item)->config.writethrough]);
}

static ssize_t kfb_item_cache_store(struct config_item *item, const char *page,
				    size_t count)
{
	struct kfb_item *ki = to_kfb_item(item);
	int cache = sysfs_match_string(kfb_caches, page);

	if (cache < 0)
		return cache;
	if (!kfb_item_begin(ki))
		return -EBUSY;
	ki->config.writethrough = cache;
	mutex_unlock(&ki->lock);
	return count;
}
CONFIGFS_ATTR(kfb_item_, cache);

static ssize_t kfb_item_read_only_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", to_kfb_item(item)->config.read_only);
}

static ssize_t kfb_item_read_only_store(struct config_item *item,
					const char *page, size_t count)
{
	struct kfb_item *ki = to_kfb_item(item);
	bool value;
	int err;

	err = kstrtobool(page, &value);
	if (err)
		return err;
	if (!kfb_item_begin(ki))
		return -EBUSY;
	ki->config.read_only = value;
	mutex_unlock(&ki->lock);
	return count;
}
CONFIGFS_ATTR(kfb_item_, read_only);

/*
 * The device
 */

static ssize_t kfb_item_state_show(struct config_item *item, char *page)
{
	struct kfb_item *ki = to_kfb_item(item);
	const char *busy = READ_ONCE(ki->busy);
	ssize_t len;

	if (busy)
		return sysfs_emit(page, "%s\n", busy);
	mutex_lock(&ki->lock);
	len = sysfs_emit(page, "%s\n", ki->dev ? kfb_state_str(ki->dev) : "new");
	mutex_unlock(&ki->lock);
	return len;
}
CONFIGFS_ATTR_RO(kfb_item_, state);

static ssize_t kfb_item_disk_show(struct config_item *item, char *page)
{
	struct kfb_item *ki = to_kfb_item(item);
	ssize_t len;

	if (READ_ONCE(ki->busy))
		return sysfs_emit(page, "\n");
	mutex_lock(&ki->lock);
	len = sysfs_emit(page, "%s\n", ki->dev ? ki->dev->name : "");
	mutex_unlock(&ki->lock);
	return len;
}
CONFIGFS_ATTR_RO(kfb_item_, disk);

static ssize_t kfb_item_enable_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", !!READ_ONCE(to_kfb_item(item)->dev));
}

static int kfb_item_connect(struct kfb_item *ki)
{
	struct kfb_dev *dev;

	if (!ki->config.addr[0] || !ki->config.export[0])
		return -EDESTADDRREQ;
	WRITE_ONCE(ki->busy, "connecting");
	dev = kfb_dev_create(&ki->config);
	WRITE_ONCE(ki->busy, NULL);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	WRITE_ONCE(ki->dev, dev);
	return 0;
}

static void kfb_item_disconnect(struct kfb_item *ki)
{
	WRITE_ONCE(ki->busy, "removing");
	kfb_dev_destroy(ki->dev);
	WRITE_ONCE(ki->dev, NULL);
	WRITE_ONCE(ki->busy, NULL);
}

static ssize_t kfb_item_enable_store(struct config_item *item, const char *page,
				     size_t count)
{
	struct kfb_item *ki = to_kfb_item(item);
	bool enable;
	int err;

	err = kstrtobool(page, &enable);
	if (err)
		return err;
	mutex_lock(&ki->lock);
	if (enable && !ki->dev)
		err = kfb_item_connect(ki);
	else if (!enable && ki->dev)
		kfb_item_disconnect(ki);
	mutex_unlock(&ki->lock);
	return err ?: count;
}
CONFIGFS_ATTR(kfb_item_, enable);

static struct configfs_attribute *kfb_item_attrs[] = {
	&kfb_item_attr_provider,
	&kfb_item_attr_addr,
	&kfb_item_attr_service,
	&kfb_item_attr_export,
	&kfb_item_attr_client,
	&kfb_item_attr_queues,
	&kfb_item_attr_poll_queues,
	&kfb_item_attr_queue_depth,
	&kfb_item_attr_reconnect_delay,
	&kfb_item_attr_fast_io_fail,
	&kfb_item_attr_ctrl_loss,
	&kfb_item_attr_keep_alive_ms,
	&kfb_item_attr_cache,
	&kfb_item_attr_read_only,
	&kfb_item_attr_state,
	&kfb_item_attr_disk,
	&kfb_item_attr_enable,
	NULL,
};

static void kfb_item_release(struct config_item *item)
{
	kfree(to_kfb_item(item));
}

static struct configfs_item_operations kfb_item_ops = {
	.release	= kfb_item_release,
};

static const struct config_item_type kfb_item_type = {
	.ct_item_ops	= &kfb_item_ops,
	.ct_attrs	= kfb_item_attrs,
	.ct_owner	= THIS_MODULE,
};

static void kfb_item_set_defaults(struct kfb_config *config)
{
	strscpy(config->provider, "verbs", sizeof(config->provider));
	strscpy(config->service, "7473", sizeof(config->service));
	strscpy(config->client, utsname()->nodename, sizeof(config->client));
	config->queue_depth = 128;
	config->reconnect_delay = 2;
	config->fast_io_fail = 15;
	config->ctrl_loss = 600;
	config->keep_alive_ms = 10000;
}

static struct config_item *kfb_make_item(struct config_group *group,
					 const char *name)
{
	struct kfb_item *ki = kzalloc_obj(*ki);

	if (!ki)
		return ERR_PTR(-ENOMEM);
	mutex_init(&ki->lock);
	kfb_item_set_defaults(&ki->config);
	config_item_init_type_name(&ki->item, name, &kfb_item_type);
	return &ki->item;
}

static void kfb_drop_item(struct config_group *group, struct config_item *item)
{
	struct kfb_item *ki = to_kfb_item(item);

	mutex_lock(&ki->lock);
	if (ki->dev)
		kfb_item_disconnect(ki);
	mutex_unlock(&ki->lock);
	config_item_put(item);
}

static struct configfs_group_operations kfb_group_ops = {
	.make_item	= kfb_make_item,
	.drop_item	= kfb_drop_item,
};

static const struct config_item_type kfb_group_type = {
	.ct_group_ops	= &kfb_group_ops,
	.ct_owner	= THIS_MODULE,
};

static struct configfs_subsystem kfb_subsys = {
	.su_group = {
		.cg_item = {
			.ci_namebuf	= "kfi_blk",
			.ci_type	= &kfb_group_type,
		},
	},
};

int kfb_configfs_init(void)
{
	config_group_init(&kfb_subsys.su_group);
	mutex_init(&kfb_subsys.su_mutex);
	return configfs_register_subsystem(&kfb_subsys);
}

void kfb_configfs_exit(void)
{
	configfs_unregister_subsystem(&kfb_subsys);
}
