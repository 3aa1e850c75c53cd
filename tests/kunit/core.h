/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the suites of the core share: a provider with nothing behind it.
 */

#ifndef KFI_KUNIT_CORE_H
#define KFI_KUNIT_CORE_H

#include <kunit/test.h>

#include <kfi_prov.h>

#define FAKE_TX_SIZE	256
#define FAKE_RX_SIZE	512

struct kfi_info *fake_offer(struct kunit *test, const char *name);
void fake_fabric_init(struct kfid_fabric *fabric);
void fake_domain_init(struct kfid_domain *domain);
const char *fake_strerror(int prov_errno);

#endif /* KFI_KUNIT_CORE_H */
