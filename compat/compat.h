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

#ifndef KFI_HAS_ALLOC_OBJ
#define kmalloc_obj(obj)	kmalloc(sizeof(obj), GFP_KERNEL)
#define kzalloc_obj(obj)	kzalloc(sizeof(obj), GFP_KERNEL)
#define kmalloc_objs(obj, count) \
	kmalloc_array(count, sizeof(obj), GFP_KERNEL)
#define kzalloc_objs(obj, count) \
	kcalloc(count, sizeof(obj), GFP_KERNEL)
#define kvzalloc_objs(obj, count) \
	kvcalloc(count, sizeof(obj), GFP_KERNEL)
#define kzalloc_flex(obj, member, count) \
	kzalloc(struct_size_t(typeof(obj), member, count), GFP_KERNEL)
#endif

#endif /* KFI_COMPAT_H */
