/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the files of kfi_info know of each other.
 */

#ifndef KFI_INFO_H
#define KFI_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

#include <libmnl/libmnl.h>
#include <linux/kfabric.h>

#define ARRAY_SIZE(arr)	(sizeof(arr) / sizeof((arr)[0]))

/* Exit status */
#define STATUS_OK		0
#define STATUS_NOTHING		1	/* nothing is there that was asked for */
#define STATUS_USAGE		2
#define STATUS_NOT_LOADED	3	/* the kernel does not have the interface */
#define STATUS_FAILED		4	/* the kernel or the system refuses */

/* No attribute set has more */
#define MAX_ATTRS		64

/**
 * struct options - what the command line asks for
 * @provider: only this provider
 * @domain: only this domain
 * @caps: only what has all of these capabilities
 * @type: only this type of endpoint, 0 for any
 * @verbose: all there is to say
 * @json: in JSON
 */
struct options {
	const char	*provider;
	const char	*domain;
	unsigned long long	caps;
	uint32_t	type;
	bool		verbose;
	bool		json;
};

/* A value that has a name: of an enumeration, or the bit of a flag */
struct name {
	unsigned long long	value;
	const char	*name;
};

enum field_type {
	FIELD_STRING,
	FIELD_UINT,		/* of any size */
	FIELD_BOOL,
	FIELD_FLAG,		/* it is there, or it is not */
	FIELD_ENUM,
	FIELD_FLAGS,
	FIELD_VERSION,
	FIELD_ADDRESS,
	FIELD_ERROR,
	FIELD_COUNT,		/* operations, and their bytes */
	FIELD_TIMES,		/* sum and histogram, in nanoseconds */
	FIELD_NEST,
};

/**
 * struct field - an attribute, and how it is shown
 * @attr: the attribute
 * @name: its name in the specification, but for three of an offer that are known as
 *	version, type and kind; also that of its member in JSON
 * @type: what it is
 * @names: of its values
 * @prefix: what libfabric's names of the values begin with, or NULL
 * @set: of FIELD_NEST: what is in it
 * @width: of its column, 0 if it is shown in detail only
 */
struct field {
	int			attr;
	const char		*name;
	enum field_type		type;
	const struct name	*names;
	const char		*prefix;
	const struct field	*set;
	int			width;
};

/* main.c */
extern struct options options;

/* netlink.c */
typedef void (*message_cb)(const struct nlmsghdr *nlh, void *arg);

void netlink_open(void);
void netlink_dump(uint8_t cmd, int provider_attr, int domain_attr,
		  message_cb cb, void *arg);
noreturn void netlink_listen(message_cb cb, void *arg);
void parse_attrs(const struct nlmsghdr *nlh, const struct nlattr **attrs);
void parse_nested(const struct nlattr *nest, const struct nlattr **attrs);
unsigned long long attr_uint(const struct nlattr *attr);

/* fields.c */
extern const struct name caps_names[];
extern const struct name type_names[];
extern const struct field provider_fields[];
extern const struct field connections_fields[];
extern const struct field info_fields[];
extern const struct field endpoint_fields[];
extern const struct field stats_fields[];
extern const struct field queue_fields[];
extern const struct field region_fields[];
extern const struct field memdev_fields[];

/* show.c */
void json_begin(void);
void json_end(void);
void json_object(const struct field *fields, const struct nlattr **attrs,
		 const char *event);
void show_value(const struct field *field, const struct nlattr *attr,
		char *buf, size_t size);
void show_detail(const struct field *fields, const struct nlattr **attrs,
		 int first, const char *indent);
void show_heading(const struct field *fields);
void show_row(const struct field *fields, const struct nlattr **attrs);

/* monitor.c */
noreturn void monitor(void);

#endif /* KFI_INFO_H */
