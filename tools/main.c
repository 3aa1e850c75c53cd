// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kfi_info: what the kernel fabric interface has, and what goes on there. The cousin
 * of libfabric's fi_info.
 */

#include <ctype.h>
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kfi_info.h"

struct options options;

/**
 * struct command - what can be shown
 * @name: what the command line calls it
 * @cmd: what the kernel calls it
 * @provider_attr: attribute of a request for one provider's only, or 0
 * @domain_attr: likewise for a domain
 * @fields: what is told of each
 * @brief: how many of them without --verbose; 0 if they are columns of a table then
 * @stats: attribute of its numbers that stats has columns of, or 0
 * @numbers: what is in that
 */
struct command {
	const char		*name;
	uint8_t			cmd;
	int			provider_attr;
	int			domain_attr;
	const struct field	*fields;
	size_t			brief;
	int			stats;
	const struct field	*numbers;
};

static const struct command providers = {
	"providers", KFABRIC_CMD_PROVIDER_GET, 0, 0, provider_fields, 2
};

static const struct command infos = {
	"info", KFABRIC_CMD_INFO_GET, KFABRIC_A_INFO_PROVIDER,
	KFABRIC_A_INFO_DOMAIN, info_fields, 6
};

/* The same endpoints and providers, with other columns */
static const struct command stats = {
	"stats", KFABRIC_CMD_ENDPOINT_GET, KFABRIC_A_ENDPOINT_PROVIDER,
	KFABRIC_A_ENDPOINT_DOMAIN, endpoint_fields, 3,
	KFABRIC_A_ENDPOINT_STATS, stats_fields
};

static const struct command provider_stats = {
	"stats", KFABRIC_CMD_PROVIDER_GET, 0, 0, provider_fields, 1,
	KFABRIC_A_PROVIDER_CONNECTIONS, connections_fields
};

static const struct command tables[] = {
	{ "endpoints", KFABRIC_CMD_ENDPOINT_GET, KFABRIC_A_ENDPOINT_PROVIDER,
	  KFABRIC_A_ENDPOINT_DOMAIN, endpoint_fields },
	{ "queues", KFABRIC_CMD_QUEUE_GET, KFABRIC_A_QUEUE_PROVIDER,
	  KFABRIC_A_QUEUE_DOMAIN, queue_fields },
	{ "regions", KFABRIC_CMD_REGION_GET, KFABRIC_A_REGION_PROVIDER,
	  KFABRIC_A_REGION_DOMAIN, region_fields },
	{ "memdevs", KFABRIC_CMD_MEMDEV_GET, 0, 0, memdev_fields },
};

#define MAX_BRIEF	6

/* How many were shown */
static unsigned int shown;

static void usage(FILE *to)
{
	fputs("Usage: kfi_info [option...] [command]\n"
	      "\n"
	      "commands, without one what providers offer is shown:\n"
	      "  endpoints             open endpoints\n"
	      "  stats                 what is counted of each\n"
	      "  queues                open completion queues\n"
	      "  regions               open memory regions\n"
	      "  memdevs               open memory devices\n"
	      "  monitor               what happens, until it is interrupted\n"
	      "\n"
	      "options:\n"
	      "  -p, --provider NAME   only of this provider\n"
	      "  -d, --domain NAME     only of this domain\n"
	      "  -c, --caps CAPS       only what has these capabilities: msg|rma\n"
	      "  -t, --ep_type TYPE    only this type of endpoint: msg\n"
	      "  -l, --list            the providers that are loaded; with stats, theirs\n"
	      "  -v, --verbose         in detail\n"
	      "  -j, --json            in JSON\n"
	      "  -h, --help            this text\n", to);
}

static noreturn void bad_usage(void)
{
	usage(stderr);
	exit(STATUS_USAGE);
}

/*
 * Names as libfabric has them: KFI_RMA, FI_RMA and rma are the same.
 */

static const struct name *find_value(const struct name *names, const char *text,
				     const char *prefix)
{
	char name[32];
	size_t len = 0;

	if (!strncasecmp(text, "KFI_", 4))
		text += 4;
	else if (!strncasecmp(text, "FI_", 3))
		text += 3;
	if (!strncasecmp(text, prefix, strlen(prefix)))
		text += strlen(prefix);
	for (; *text && len < sizeof(name) - 1; text++)
		name[len++] = *text == '_' ? '-' : tolower(*text);
	name[len] = '\0';
	for (; names->name; names++)
		if (!strcmp(names->name, name))
			return names;
	return NULL;
}

static unsigned long long parse_caps(char *text)
{
	const struct name *found;
	unsigned long long caps = 0;
	char *word;

	for (word = strtok(text, "|, "); word; word = strtok(NULL, "|, ")) {
		found = find_value(caps_names, word, "");
		if (!found)
			errx(STATUS_USAGE, "unknown capability: %s", word);
		caps |= found->value;
	}
	return caps;
}

static uint32_t parse_type(const char *text)
{
	const struct name *found = find_value(type_names, text, "EP_");

	if (!found)
		errx(STATUS_USAGE, "unknown type of endpoint: %s", text);
	return found->value;
}

static const char *parse_name(const char *text)
{
	if (strlen(text) > KFABRIC_NAME_LEN)
		errx(STATUS_USAGE, "too long a name: %s", text);
	return text;
}

/*
 * Showing
 */

static bool is_wanted(const struct command *command, const struct nlattr **attrs)
{
	const struct nlattr *caps = attrs[KFABRIC_A_INFO_CAPS];
	const struct nlattr *type = attrs[KFABRIC_A_INFO_EP_TYPE];

	if (command != &infos)
		return true;
	return (!options.caps ||
		(caps && !(options.caps & ~attr_uint(caps)))) &&
	       (!options.type || (type && attr_uint(type) == options.type));
}

/* As fi_info does: who or what it is, and the rest under it. */
static void show_block(const struct command *command,
		       const struct nlattr **attrs)
{
	const struct field *fields = command->fields;
	struct field brief[MAX_BRIEF + 1] = { };
	char value[256];

	show_value(fields, attrs[fields->attr], value, sizeof(value));
	if (command->fields == provider_fields)
		printf("%s:\n", value);
	else
		printf("%s: %s\n", fields->name, value);
	if (command->brief && !options.verbose) {
		memcpy(brief, fields, command->brief * sizeof(*brief));
		fields = brief;
	}
	show_detail(fields, attrs, 1, "    ");
}

static void show(const struct nlmsghdr *nlh, void *arg)
{
	const struct command *command = arg;
	const struct nlattr *attrs[MAX_ATTRS];
	bool table = !command->brief && !options.verbose;

	parse_attrs(nlh, attrs);
	if (!is_wanted(command, attrs))
		return;
	if (options.json)
		json_object(command->fields, attrs, NULL);
	else if (!table)
		show_block(command, attrs);
	else if (!shown)
		show_heading(command->fields);
	if (!options.json && table)
		show_row(command->fields, attrs);
	shown++;
}

/* Which one it is, and then its numbers. */
static void show_stats(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attrs[MAX_ATTRS], *numbers[MAX_ATTRS];
	const struct command *command = arg;
	struct field which[MAX_BRIEF + 1] = { };

	parse_attrs(nlh, attrs);
	if (!attrs[command->stats])
		return;
	memcpy(which, command->fields, command->brief * sizeof(*which));
	/* the row goes on */
	which[command->brief].width = 1;
	if (!shown++) {
		show_heading(which);
		show_heading(command->numbers);
	}
	show_row(which, attrs);
	parse_nested(attrs[command->stats], numbers);
	show_row(command->numbers, numbers);
}

static void run(const struct command *command)
{
	if (command->stats && !options.json && !options.verbose) {
		netlink_dump(command->cmd, command->provider_attr,
			     command->domain_attr, show_stats, (void *)command);
		return;
	}
	if (options.json)
		json_begin();
	netlink_dump(command->cmd, command->provider_attr,
		     command->domain_attr, show, (void *)command);
	if (options.json)
		json_end();
}

static void count(const struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	++*(unsigned int *)arg;
}

/* Nothing is offered: is there anybody who could? */
static int explain(void)
{
	unsigned int loaded = 0;

	netlink_dump(KFABRIC_CMD_PROVIDER_GET, 0, 0, count, &loaded);
	if (!loaded)
		warnx("no provider is loaded; try: modprobe kfi_verbs, or modprobe kfi_loopback");
	else
		warnx("nothing matches");
	return STATUS_NOTHING;
}

static const struct command *find_command(const char *name, bool list)
{
	size_t i;

	if (!name)
		return list ? &providers : &infos;
	if (!strcmp(name, stats.name))
		return list ? &provider_stats : &stats;
	if (list)
		bad_usage();
	for (i = 0; i < ARRAY_SIZE(tables); i++)
		if (!strcmp(tables[i].name, name))
			return &tables[i];
	warnx("unknown command: %s", name);
	bad_usage();
}

static bool parse_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "provider", required_argument, NULL, 'p' },
		{ "domain", required_argument, NULL, 'd' },
		{ "caps", required_argument, NULL, 'c' },
		{ "ep_type", required_argument, NULL, 't' },
		{ "list", no_argument, NULL, 'l' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	bool list = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "p:d:c:t:lvjh", longs,
				  NULL)) >= 0) {
		switch (opt) {
		case 'p':
			options.provider = parse_name(optarg);
			break;
		case 'd':
			options.domain = parse_name(optarg);
			break;
		case 'c':
			options.caps = parse_caps(optarg);
			break;
		case 't':
			options.type = parse_type(optarg);
			break;
		case 'l':
			list = true;
			break;
		case 'v':
			options.verbose = true;
			break;
		case 'j':
			options.json = true;
			break;
		case 'h':
			usage(stdout);
			exit(STATUS_OK);
		default:
			bad_usage();
		}
	}
	return list;
}

int main(int argc, char **argv)
{
	bool list = parse_options(argc, argv);
	const struct command *command;
	const char *name;

	if (argc - optind > 1)
		bad_usage();
	name = argv[optind];
	if ((name || list) && (options.caps || options.type))
		errx(STATUS_USAGE, "-c and -t are about what providers offer");
	if (name && !list && !strcmp(name, "monitor")) {
		netlink_open();
		monitor();
	}
	command = find_command(name, list);
	if (!command->provider_attr && (options.provider || options.domain))
		errx(STATUS_USAGE, "-p and -d do not go with this");
	netlink_open();
	run(command);
	if (fflush(stdout) || ferror(stdout))
		err(STATUS_FAILED, "cannot write");
	if (shown)
		return STATUS_OK;
	return command == &infos ? explain() : STATUS_NOTHING;
}
