// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Showing messages: as JSON, as a table, or in detail.
 */

#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "kfi_info.h"

#define VALUE_SIZE	512

static bool first_object;

/*
 * Text
 */

static void append(char *buf, size_t size, const char *text)
{
	size_t len = strlen(buf);

	snprintf(buf + len, size - len, "%s", text);
}

/* As libfabric writes a value: the prefix, and the name in capitals. */
static void append_name(char *buf, size_t size, const char *prefix,
			const char *name)
{
	size_t len;

	if (!prefix) {
		append(buf, size, name);
		return;
	}
	append(buf, size, prefix);
	for (len = strlen(buf); *name && len + 1 < size; name++)
		buf[len++] = *name == '-' ? '_' : toupper(*name);
	buf[len] = '\0';
}

static const char *find_name(const struct name *names, unsigned long long value)
{
	for (; names->name; names++)
		if (names->value == value)
			return names->name;
	return NULL;
}

static void show_enum(const struct field *field, unsigned long long value, char *buf,
		      size_t size)
{
	const char *name = find_name(field->names, value);

	buf[0] = '\0';
	if (name)
		append_name(buf, size, field->prefix, name);
	else
		snprintf(buf, size, "%#llx", value);
}

static void show_flags(const struct field *field, unsigned long long value, char *buf,
		       size_t size)
{
	const struct name *name;

	buf[0] = '\0';
	for (name = field->names; name->name; name++) {
		if (!(value & name->value))
			continue;
		if (buf[0])
			append(buf, size, field->prefix ? ", " : ",");
		append_name(buf, size, field->prefix, name->name);
	}
	if (!buf[0])
		append(buf, size, "-");
}

/* The address alone, without the port. */
static void show_ip(const struct nlattr **attrs, char *buf, size_t size)
{
	const struct nlattr *v4 = attrs[KFABRIC_A_ADDRESS_IPV4];
	const struct nlattr *v6 = attrs[KFABRIC_A_ADDRESS_IPV6];
	const struct nlattr *scope = attrs[KFABRIC_A_ADDRESS_SCOPE_ID];
	char name[IF_NAMESIZE];

	buf[0] = '\0';
	if (v4 && mnl_attr_get_payload_len(v4) == sizeof(struct in_addr))
		inet_ntop(AF_INET, mnl_attr_get_payload(v4), buf, size);
	else if (v6 && mnl_attr_get_payload_len(v6) == sizeof(struct in6_addr))
		inet_ntop(AF_INET6, mnl_attr_get_payload(v6), buf, size);
	if (!scope)
		return;
	append(buf, size, "%");
	if (if_indextoname(attr_uint(scope), name))
		append(buf, size, name);
	else
		snprintf(buf + strlen(buf), size - strlen(buf), "%llu",
			 attr_uint(scope));
}

static unsigned int get_port(const struct nlattr **attrs)
{
	const struct nlattr *port = attrs[KFABRIC_A_ADDRESS_PORT];

	return port ? ntohs(attr_uint(port)) : 0;
}

static void show_address(const struct nlattr *attr, char *buf, size_t size)
{
	const struct nlattr *attrs[MAX_ATTRS];
	char ip[INET6_ADDRSTRLEN + IF_NAMESIZE];

	parse_nested(attr, attrs);
	show_ip(attrs, ip, sizeof(ip));
	snprintf(buf, size, strchr(ip, ':') ? "[%s]:%u" : "%s:%u", ip,
		 get_port(attrs));
}

/* In a table there is room for operations only. */
static void show_count(const struct nlattr *attr, char *buf, size_t size)
{
	const struct nlattr *attrs[MAX_ATTRS];

	parse_nested(attr, attrs);
	if (attrs[KFABRIC_A_COUNT_OPS])
		snprintf(buf, size, "%llu",
			 attr_uint(attrs[KFABRIC_A_COUNT_OPS]));
}

/* Calls @cb for each bucket, and returns the sum. */
static unsigned long long each_bucket(const struct nlattr *times,
				      void (*cb)(unsigned long long from,
						 unsigned long long count))
{
	const struct nlattr *attrs[MAX_ATTRS], *attr;
	unsigned long long sum = 0;

	mnl_attr_for_each_nested(attr, times) {
		if (mnl_attr_get_type(attr) == KFABRIC_A_TIMES_SUM)
			sum = attr_uint(attr);
		if (mnl_attr_get_type(attr) != KFABRIC_A_TIMES_BUCKET)
			continue;
		parse_nested(attr, attrs);
		if (attrs[KFABRIC_A_BUCKET_FLOOR] &&
		    attrs[KFABRIC_A_BUCKET_COUNT])
			cb(attr_uint(attrs[KFABRIC_A_BUCKET_FLOOR]),
			   attr_uint(attrs[KFABRIC_A_BUCKET_COUNT]));
	}
	return sum;
}

static unsigned long long nr_times;

static void count_bucket(unsigned long long from, unsigned long long count)
{
	(void)from;
	nr_times += count;
}

static void show_bucket(unsigned long long from, unsigned long long count)
{
	printf(" %llu:%llu", from, count);
}

/* The average, and how many took so many nanoseconds or more. */
static void show_times(const struct field *field, const struct nlattr *attr,
		       const char *indent)
{
	unsigned long long sum;

	nr_times = 0;
	sum = each_bucket(attr, count_bucket);
	if (!nr_times)
		return;
	printf("%s%s: %llu ns on average of %llu, by ns:", indent, field->name,
	       sum / nr_times, nr_times);
	each_bucket(attr, show_bucket);
	putchar('\n');
}

/* What a person reads; a value that is not there is a dash. */
void show_value(const struct field *field, const struct nlattr *attr,
		char *buf, size_t size)
{
	unsigned long long value;

	snprintf(buf, size, "-");
	if (!attr)
		return;
	value = attr_uint(attr);
	switch (field->type) {
	case FIELD_STRING:
		snprintf(buf, size, "%s", mnl_attr_get_str(attr));
		break;
	case FIELD_UINT:
		snprintf(buf, size, "%llu", value);
		break;
	case FIELD_BOOL:
		snprintf(buf, size, value ? "yes" : "no");
		break;
	case FIELD_FLAG:
		snprintf(buf, size, "yes");
		break;
	case FIELD_ENUM:
		show_enum(field, value, buf, size);
		break;
	case FIELD_FLAGS:
		show_flags(field, value, buf, size);
		break;
	case FIELD_VERSION:
		snprintf(buf, size, "%u.%u", (unsigned int)value >> 16,
			 (unsigned int)value & 0xffff);
		break;
	case FIELD_ADDRESS:
		show_address(attr, buf, size);
		break;
	case FIELD_ERROR:
		snprintf(buf, size, "%s", strerror(value));
		break;
	case FIELD_COUNT:
		show_count(attr, buf, size);
		break;
	case FIELD_TIMES:
	case FIELD_NEST:
		break;
	}
}

static void show_counts(const struct field *field, const struct nlattr *attr,
			const char *indent)
{
	const struct nlattr *attrs[MAX_ATTRS];
	const struct nlattr *bytes;

	parse_nested(attr, attrs);
	bytes = attrs[KFABRIC_A_COUNT_BYTES];
	if (attrs[KFABRIC_A_COUNT_OPS] && bytes)
		printf("%s%s: %llu (%llu bytes)\n", indent, field->name,
		       attr_uint(attrs[KFABRIC_A_COUNT_OPS]),
		       attr_uint(bytes));
}

static void show_nest(const struct field *field, const struct nlattr *attr,
		      const char *indent)
{
	const struct nlattr *attrs[MAX_ATTRS];
	char deeper[32];

	printf("%s%s:\n", indent, field->name);
	parse_nested(attr, attrs);
	snprintf(deeper, sizeof(deeper), "%s    ", indent);
	show_detail(field->set, attrs, 0, deeper);
}

/* One line for each attribute that is there, from field number @first on. */
void show_detail(const struct field *fields, const struct nlattr **attrs,
		 int first, const char *indent)
{
	const struct field *field;
	char value[VALUE_SIZE];

	for (field = fields + first; field->name; field++) {
		if (!attrs[field->attr])
			continue;
		show_value(field, attrs[field->attr], value, sizeof(value));
		if (field->type == FIELD_NEST)
			show_nest(field, attrs[field->attr], indent);
		else if (field->type == FIELD_COUNT)
			show_counts(field, attrs[field->attr], indent);
		else if (field->type == FIELD_TIMES)
			show_times(field, attrs[field->attr], indent);
		else if (field->type == FIELD_FLAGS)
			printf("%s%s: [ %s ]\n", indent, field->name, value);
		else
			printf("%s%s: %s\n", indent, field->name, value);
	}
}

void show_heading(const struct field *fields)
{
	char name[32];
	size_t i;

	for (; fields->name; fields++) {
		if (!fields->width)
			continue;
		for (i = 0; fields->name[i]; i++)
			name[i] = toupper(fields->name[i]);
		name[i] = '\0';
		printf(fields[1].width ? "%-*s " : "%.*s\n",
		       fields[1].width ? fields->width : (int)sizeof(name),
		       name);
	}
}

void show_row(const struct field *fields, const struct nlattr **attrs)
{
	char value[VALUE_SIZE];

	for (; fields->name; fields++) {
		if (!fields->width)
			continue;
		show_value(fields, attrs[fields->attr], value, sizeof(value));
		printf(fields[1].width ? "%-*s " : "%.*s\n",
		       fields[1].width ? fields->width : (int)sizeof(value),
		       value);
	}
}

/*
 * JSON
 */

static void json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ' || c == 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void json_flags(const struct field *field, unsigned long long value)
{
	const struct name *name;
	const char *comma = "";

	putchar('[');
	for (name = field->names; name->name; name++) {
		if (!(value & name->value))
			continue;
		printf("%s\"%s\"", comma, name->name);
		comma = ", ";
	}
	putchar(']');
}

static void json_address(const struct nlattr *attr)
{
	const struct nlattr *attrs[MAX_ATTRS];
	char ip[INET6_ADDRSTRLEN + IF_NAMESIZE];

	parse_nested(attr, attrs);
	show_ip(attrs, ip, sizeof(ip));
	printf("{\"address\": \"%s\", \"port\": %u}", ip, get_port(attrs));
}

static void json_fields(const struct field *fields, const struct nlattr **attrs,
			const char *comma);

static void json_nest(const struct field *field, const struct nlattr *attr)
{
	const struct nlattr *attrs[MAX_ATTRS];

	parse_nested(attr, attrs);
	putchar('{');
	json_fields(field->set, attrs, "");
	putchar('}');
}

static void json_bucket(unsigned long long from, unsigned long long count)
{
	printf("%s{\"floor\": %llu, \"count\": %llu}", nr_times ? ", " : "", from,
	       count);
	nr_times++;
}

static void json_times(const struct nlattr *attr)
{
	unsigned long long sum;

	nr_times = 0;
	printf("{\"bucket\": [");
	sum = each_bucket(attr, json_bucket);
	printf("], \"sum\": %llu}", sum);
}

static void json_value(const struct field *field, const struct nlattr *attr)
{
	char value[VALUE_SIZE];

	switch (field->type) {
	case FIELD_UINT:
	case FIELD_ERROR:
		printf("%llu", attr_uint(attr));
		break;
	case FIELD_BOOL:
		printf(attr_uint(attr) ? "true" : "false");
		break;
	case FIELD_FLAG:
		printf("true");
		break;
	case FIELD_ENUM:
		snprintf(value, sizeof(value), "%llu", attr_uint(attr));
		json_string(find_name(field->names, attr_uint(attr)) ?: value);
		break;
	case FIELD_FLAGS:
		json_flags(field, attr_uint(attr));
		break;
	case FIELD_ADDRESS:
		json_address(attr);
		break;
	case FIELD_TIMES:
		json_times(attr);
		break;
	case FIELD_COUNT:
	case FIELD_NEST:
		json_nest(field, attr);
		break;
	default:
		show_value(field, attr, value, sizeof(value));
		json_string(value);
	}
}

static void json_fields(const struct field *fields, const struct nlattr **attrs,
			const char *comma)
{
	for (; fields->name; fields++) {
		if (!attrs[fields->attr])
			continue;
		printf("%s\"%s\": ", comma, fields->name);
		json_value(fields, attrs[fields->attr]);
		comma = ", ";
	}
}

void json_begin(void)
{
	putchar('[');
	first_object = true;
}

void json_end(void)
{
	puts(first_object ? "]" : "\n]");
}

/* An object of the array, or of a line of its own if it is an event. */
void json_object(const struct field *fields, const struct nlattr **attrs,
		 const char *event)
{
	if (event) {
		printf("{%s", event);
		json_fields(fields, attrs, ", ");
		puts("}");
		return;
	}
	printf(first_object ? "\n{" : ",\n{");
	first_object = false;
	json_fields(fields, attrs, "");
	putchar('}');
}
