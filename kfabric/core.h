/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the files of the core know of each other.
 */

#ifndef KFI_CORE_H
#define KFI_CORE_H

#include <kfi_prov.h>

struct net;

int kfi_sockaddr_parse(struct net *net, const char *node, const char *service,
		       u32 format, struct sockaddr_storage *addr);

int kfi_eq_init(void);
void kfi_eq_exit(void);

#endif /* KFI_CORE_H */
