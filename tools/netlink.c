// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Talking to the kernel: finding the family, dumps, and the multicast group.
 */

#include <err.h>
#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/genetlink.h>

#include "kfi_info.h"

/* The kernel fills what it is offered, up to this. */
#define BUFFER_SIZE	32768

static struct mnl_socket *sock;
static uint16_t family;
static uint32_t group;
static unsigned int seq;
static alignas(8) char buffer[BUFFER_SIZE];

static int collect(const struct nlattr *attr, void *data)
{
	const struct nlattr **attrs = data;
	int type = mnl_attr_get_type(attr);

	/* what is newer than this program is not shown */
	if (type < MAX_ATTRS)
		attrs[type] = attr;
	return MNL_CB_OK;
}

/* The attributes of a message, by their types. */
void parse_attrs(const struct nlmsghdr *nlh, const struct nlattr **attrs)
{
	memset(attrs, 0, MAX_ATTRS * sizeof(*attrs));
	mnl_attr_parse(nlh, sizeof(struct genlmsghdr), collect, attrs);
}

void parse_nested(const struct nlattr *nest, const struct nlattr **attrs)
{
	memset(attrs, 0, MAX_ATTRS * sizeof(*attrs));
	mnl_attr_parse_nested(nest, collect, attrs);
}

/* An unsigned number, however many bytes it has. */
unsigned long long attr_uint(const struct nlattr *attr)
{
	switch (mnl_attr_get_payload_len(attr)) {
	case sizeof(uint8_t):
		return mnl_attr_get_u8(attr);
	case sizeof(uint16_t):
		return mnl_attr_get_u16(attr);
	case sizeof(uint32_t):
		return mnl_attr_get_u32(attr);
	case sizeof(unsigned long long):
		return mnl_attr_get_u64(attr);
	default:
		return 0;
	}
}

/* Why the kernel refuses, in its own words if it has any. */
static noreturn void refused(int error, const char *why)
{
	if (why)
		errx(STATUS_FAILED, "%s: %s", why, strerror(error));
	errx(STATUS_FAILED, "the kernel refuses: %s", strerror(error));
}

static const char *extack_text(const struct nlmsghdr *nlh, size_t offset)
{
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	mnl_attr_for_each(attr, nlh, offset)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			return mnl_attr_get_str(attr);
	return NULL;
}

/* What a message says that ends an answer: an error, or 0. */
static int end_of(const struct nlmsghdr *nlh, const char **why)
{
	const struct nlmsgerr *msg = mnl_nlmsg_get_payload(nlh);
	size_t offset = sizeof(*msg);

	if (nlh->nlmsg_type == NLMSG_DONE) {
		*why = extack_text(nlh, sizeof(int));
		if (mnl_nlmsg_get_payload_len(nlh) < sizeof(int))
			return 0;
		return -*(const int *)mnl_nlmsg_get_payload(nlh);
	}
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += mnl_nlmsg_get_payload_len(nlh) > offset ?
			  msg->msg.nlmsg_len - sizeof(msg->msg) : 0;
	*why = extack_text(nlh, offset);
	return -msg->error;
}

/*
 * Reads an answer up to its end. Return: 0, or a positive errno; -EINTR when what was
 * dumped has changed meanwhile, and the answer may not be consistent.
 */
static int receive(message_cb cb, void *arg, const char **why)
{
	const struct nlmsghdr *nlh;
	bool changed = false;
	ssize_t got;
	int left;

	for (;;) {
		got = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));
		if (got < 0)
			err(STATUS_FAILED, "cannot read from netlink");
		left = got;
		for (nlh = (void *)buffer; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_seq != seq)
				continue;
			changed |= !!(nlh->nlmsg_flags & NLM_F_DUMP_INTR);
			if (nlh->nlmsg_type == NLMSG_DONE ||
			    nlh->nlmsg_type == NLMSG_ERROR) {
				int error = end_of(nlh, why);

				return error || !changed ? error : -EINTR;
			}
			cb(nlh, arg);
		}
	}
}

static struct nlmsghdr *request(char *buf, uint16_t type, uint16_t flags,
				uint8_t cmd, uint8_t version)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

static void ask(const struct nlmsghdr *nlh)
{
	if (mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) < 0)
		err(STATUS_FAILED, "cannot write to netlink");
}

static void find_group(const struct nlattr *groups)
{
	const struct nlattr *attrs[MAX_ATTRS], *attr;
	const struct nlattr *name, *id;

	mnl_attr_for_each_nested(attr, groups) {
		parse_nested(attr, attrs);
		name = attrs[CTRL_ATTR_MCAST_GRP_NAME];
		id = attrs[CTRL_ATTR_MCAST_GRP_ID];
		if (name && id &&
		    !strcmp(mnl_attr_get_str(name), KFABRIC_MCGRP_MONITOR))
			group = mnl_attr_get_u32(id);
	}
}

static void family_found(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attrs[MAX_ATTRS];

	(void)arg;
	parse_attrs(nlh, attrs);
	if (attrs[CTRL_ATTR_FAMILY_ID])
		family = mnl_attr_get_u16(attrs[CTRL_ATTR_FAMILY_ID]);
	if (attrs[CTRL_ATTR_MCAST_GROUPS])
		find_group(attrs[CTRL_ATTR_MCAST_GROUPS]);
}

/* Finds the family; without it there is nothing to be shown. */
void netlink_open(void)
{
	alignas(8) char buf[256];
	const char *why = NULL;
	struct nlmsghdr *nlh;
	int on = 1, error;

	sock = mnl_socket_open(NETLINK_GENERIC);
	if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0)
		err(STATUS_FAILED, "cannot open a netlink socket");
	/* older kernels do not explain themselves */
	mnl_socket_setsockopt(sock, NETLINK_EXT_ACK, &on, sizeof(on));

	seq = time(NULL);
	nlh = request(buf, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY, 1);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, KFABRIC_FAMILY_NAME);
	ask(nlh);
	error = receive(family_found, NULL, &why);
	if (error == ENOENT)
		errx(STATUS_NOT_LOADED,
		     "kfabric is not loaded, or has no netlink interface; try: modprobe kfabric");
	if (error)
		refused(error, why);
}

static int dump_once(uint8_t cmd, int provider_attr, int domain_attr,
		     message_cb cb, void *arg, const char **why)
{
	alignas(8) char buf[512];
	struct nlmsghdr *nlh;

	nlh = request(buf, family, NLM_F_DUMP, cmd, KFABRIC_FAMILY_VERSION);
	if (provider_attr && options.provider)
		mnl_attr_put_strz(nlh, provider_attr, options.provider);
	if (domain_attr && options.domain)
		mnl_attr_put_strz(nlh, domain_attr, options.domain);
	ask(nlh);
	return receive(cb, arg, why);
}

/* Calls @cb for all of @cmd that the options ask for. */
void netlink_dump(uint8_t cmd, int provider_attr, int domain_attr,
		  message_cb cb, void *arg)
{
	const char *why = NULL;
	int error;

	error = dump_once(cmd, provider_attr, domain_attr, cb, arg, &why);
	if (error == -EINTR)
		warnx("something has changed meanwhile: this may not be all");
	else if (error)
		refused(error, why);
}

/* Calls @cb for everything that happens, for ever. */
void netlink_listen(message_cb cb, void *arg)
{
	const struct nlmsghdr *nlh;
	ssize_t got;
	int left;

	if (!group)
		errx(STATUS_FAILED, "the kernel has no group to listen to");
	if (mnl_socket_setsockopt(sock, NETLINK_ADD_MEMBERSHIP, &group,
				  sizeof(group)) < 0)
		err(STATUS_FAILED, "cannot listen");
	for (;;) {
		got = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));
		if (got < 0 && errno == ENOBUFS) {
			warnx("too slow: some events were lost");
			continue;
		}
		if (got < 0)
			err(STATUS_FAILED, "cannot read from netlink");
		left = got;
		for (nlh = (void *)buffer; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			if (nlh->nlmsg_type == family)
				cb(nlh, arg);
	}
}
