/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Messages that are nearly right, and what is to be thought of them: stated once
 * more, byte by byte, and without a look at how the provider does it.
 */

#ifndef KFI_SUITE_WIRE_MUTATE_H
#define KFI_SUITE_WIRE_MUTATE_H

#include <linux/prandom.h>
#include <linux/types.h>

size_t wire_mutate(struct rnd_state *rnd, u8 *buf, size_t len, size_t max);
u64 wire_number(const u8 *at, unsigned int len);
int wire_judge_record(const u8 *buf, size_t len);
bool wire_judge_request(const u8 *buf, size_t len);
bool wire_judge_reply(const u8 *buf, size_t len);

#endif /* KFI_SUITE_WIRE_MUTATE_H */
