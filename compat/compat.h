/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What older kernels lack, included in front of every file. The only place that
 * knows that kernels differ; the macros come from probe.mk.
 */

#ifndef KFI_COMPAT_H
#define KFI_COMPAT_H

#ifndef KFI_HAS_WQ_PERCPU
/* Workqueues were per CPU unless they said otherwise. */
#define WQ_PERCPU	0
#endif

#endif /* KFI_COMPAT_H */
