// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Messages that are nearly right: a good one with a few things wrong, and whether
 * it is still well-formed after that.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "wire_mutate.h"

/* Limits of the protocol, and what arithmetic likes to trip over */
static const u64 wire_interesting[] = {
	0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 48, 63, 64, 65, 95, 96, 97, 127,
	128, 255, 256, 512, 4096, 0x7fff, 0x8000, 0xffff, 65536, 0x7fffffff,
	0x80000000, 0xfffffff8, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
	0x8000000000000000, 0xfffffffffffffff8, 0xffffffffffffffff,
};

static u32 wire_pick(struct rnd_state *rnd, u32 nr)
{
	return prandom_u32_state(rnd) % nr;
}

static void wire_put_number(u8 *at, unsigned int len, u64 value)
{
	while (len--) {
		at[len] = value;
		value >>= 8;
	}
}

/* A number of @len bytes as it is on the wire */
u64 wire_number(const u8 *at, unsigned int len)
{
	u64 value = 0;

	while (len--)
		value = value << 8 | *at++;
	return value;
}

/* A number in place of any in the message, or next to the one that is there */
static void wire_mutate_number(struct rnd_state *rnd, u8 *buf, size_t len)
{
	unsigned int bytes = 1 << wire_pick(rnd, 4);
	u64 value;
	u8 *at;

	if (len < bytes)
		return;
	at = buf + wire_pick(rnd, len / bytes) * bytes;
	value = wire_number(at, bytes);
	switch (wire_pick(rnd, 3)) {
	case 0:
		value += wire_pick(rnd, 2) ? 1 : -1;
		break;
	case 1:
		value = wire_interesting[wire_pick(rnd, ARRAY_SIZE(wire_interesting))];
		break;
	case 2:
		value += wire_interesting[wire_pick(rnd, ARRAY_SIZE(wire_interesting))];
		break;
	}
	wire_put_number(at, bytes, value);
}

/* What is at one place is at another as well */
static void wire_mutate_copy(struct rnd_state *rnd, u8 *buf, size_t len)
{
	size_t words = len / 8;

	if (words)
		memcpy(buf + wire_pick(rnd, words) * 8,
		       buf + wire_pick(rnd, words) * 8, 8);
}

static size_t wire_mutate_len(struct rnd_state *rnd, u8 *buf, size_t len,
			      size_t max)
{
	size_t more;

	if (wire_pick(rnd, 2))
		return wire_pick(rnd, len + 1);
	more = min_t(size_t, 1 + wire_pick(rnd, wire_pick(rnd, 2) ? 1 : 32),
		     max - len);
	prandom_bytes_state(rnd, buf + len, more);
	return len + more;
}

/**
 * wire_mutate() - make one to four things wrong with a message
 * @rnd: random numbers
 * @buf: the message
 * @len: its bytes
 * @max: how many it may have
 *
 * Return: the bytes that it has now.
 */
size_t wire_mutate(struct rnd_state *rnd, u8 *buf, size_t len, size_t max)
{
	unsigned int nr = 1;

	while (nr < 4 && wire_pick(rnd, 2))
		nr++;
	while (nr--) {
		switch (wire_pick(rnd, 8)) {
		case 0:
			len = wire_mutate_len(rnd, buf, len, max);
			break;
		case 1:
			wire_mutate_copy(rnd, buf, len);
			break;
		case 2:
			if (len)
				buf[wire_pick(rnd, len)] = wire_pick(rnd, 256);
			break;
		case 3:
		case 4:
			if (len)
				buf[wire_pick(rnd, len)] ^= 1 << wire_pick(rnd, 8);
			break;
		default:
			wire_mutate_number(rnd, buf, len);
			break;
		}
	}
	return len;
}

/*
 * What is to be thought of them. In front of everything is what a message is:
 * 1 a commit, 2 a question whether data has arrived, 3 an answer.
 */

/* 0 for a record; -ENOMSG for none, -EPROTONOSUPPORT for one without sense */
int wire_judge_record(const u8 *buf, size_t len)
{
	if (len < 24 || memcmp(buf, "kfip", 4))
		return -ENOMSG;
	/* the version; in the second one, which queue pair it is about */
	if (buf[4] != 1 && (buf[4] != 2 || (buf[12] != 1 && buf[12] != 2)))
		return -EPROTONOSUPPORT;
	/* the domain, the method SERVER, slots, ranges */
	if (buf[5] > 2 || !(buf[7] & 1) || !wire_number(buf + 8, 2) || !buf[10])
		return -EPROTONOSUPPORT;
	return 0;
}

bool wire_judge_request(const u8 *buf, size_t len)
{
	u64 payload, sum = 0, bytes;
	unsigned int nr, i;

	if (len < 24 || (buf[0] != 1 && buf[0] != 2))
		return false;
	nr = buf[1];
	payload = wire_number(buf + 14, 2);
	if (nr < 1 || nr > 16 || payload > 96 || len != 24 + nr * 24 + payload)
		return false;
	/* flags that there are, and what is reserved */
	if (buf[12] > 1 || buf[13] || wire_number(buf + 20, 4))
		return false;
	if (!payload)
		return true;
	/* payload is for a commit, and as much as its ranges take */
	for (i = 0; i < nr; i++) {
		bytes = wire_number(buf + 24 + i * 24 + 8, 8);
		if (bytes > payload)
			return false;
		sum += bytes;
	}
	return buf[0] == 1 && sum == payload;
}

/* An answer, whether somebody waits for it or not */
bool wire_judge_reply(const u8 *buf, size_t len)
{
	return len == 16 && buf[0] == 3 && buf[1] <= 3 &&
	       !wire_number(buf + 12, 4);
}
