// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What happens, one line for each event.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/genetlink.h>

#include "kfi_info.h"

/**
 * struct event - what can happen
 * @cmd: what the kernel calls it
 * @name: what it is called here
 * @fields: what is told of it
 */
struct event {
	uint8_t			cmd;
	const char		*name;
	const struct field	*fields;
};

static const struct event events[] = {
	{ KFABRIC_CMD_CONNECT_NTF, "connect", endpoint_fields },
	{ KFABRIC_CMD_DISCONNECT_NTF, "disconnect", endpoint_fields },
	{ KFABRIC_CMD_COMMIT_NTF, "commit", endpoint_fields },
	{ KFABRIC_CMD_SERVE_NTF, "serve", endpoint_fields },
	{ KFABRIC_CMD_REMOVE_NTF, "remove", endpoint_fields },
	{ KFABRIC_CMD_REVOKE_NTF, "revoke", memdev_fields },
	{ }
};

static const struct event *find_event(uint8_t cmd)
{
	const struct event *event;

	for (event = events; event->name; event++)
		if (event->cmd == cmd)
			return event;
	return NULL;
}

/* Memory devices have no provider, and no domain of one. */
static bool is_wanted(const struct event *event, const struct nlattr **attrs)
{
	const struct nlattr *provider = attrs[KFABRIC_A_ENDPOINT_PROVIDER];
	const struct nlattr *domain = attrs[KFABRIC_A_ENDPOINT_DOMAIN];

	if (event->fields == memdev_fields)
		return !options.provider && !options.domain;
	return (!options.provider ||
		(provider && !strcmp(mnl_attr_get_str(provider),
				     options.provider))) &&
	       (!options.domain ||
		(domain && !strcmp(mnl_attr_get_str(domain), options.domain)));
}

static void show_line(const struct event *event, const struct nlattr **attrs,
		      const struct timespec *now)
{
	const struct field *field;
	struct tm tm;
	char value[256];

	localtime_r(&now->tv_sec, &tm);
	strftime(value, sizeof(value), "%F %T", &tm);
	printf("%s.%03ld %s", value, now->tv_nsec / 1000000,
	       event->name);
	for (field = event->fields; field->name; field++) {
		if (!attrs[field->attr])
			continue;
		show_value(field, attrs[field->attr], value, sizeof(value));
		printf(field->type == FIELD_ERROR ? " %s \"%s\"" : " %s %s",
		       field->name, value);
	}
	putchar('\n');
}

static void show(const struct nlmsghdr *nlh, void *arg)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attrs[MAX_ATTRS];
	const struct event *event = find_event(genl->cmd);
	struct timespec now;
	char head[96];

	(void)arg;
	parse_attrs(nlh, attrs);
	if (!event || !is_wanted(event, attrs))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	if (options.json) {
		snprintf(head, sizeof(head),
			 "\"time\": %lld.%03ld, \"event\": \"%s\"",
			 (long long)now.tv_sec, now.tv_nsec / 1000000,
			 event->name);
		json_object(event->fields, attrs, head);
	} else {
		show_line(event, attrs, &now);
	}
	/* whoever reads a pipe wants to know now */
	if (fflush(stdout))
		err(STATUS_FAILED, "cannot write");
}

void monitor(void)
{
	netlink_listen(show, NULL);
}
