# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# What the kernel being built against has. By looking for the feature, never by
# version: distributions backport. Delete this folder and the lines in Kbuild
# files that name it, and the rest reads as if written for the newest kernel.

# $(call kfi-has,HEADER,PATTERN,NAME): -DNAME when HEADER has PATTERN. The source
# tree of a distribution's header package is where $(srctree) points to.
kfi-has = $(shell grep -qsE '$(2)' $(srctree)/include/$(1) && echo -D$(3))

kfi-compat-ccflags := -include $(src)/compat/compat.h \
	$(call kfi-has,linux/workqueue.h,\bWQ_PERCPU\b,KFI_HAS_WQ_PERCPU) \
	$(call kfi-has,linux/slab.h,\bkzalloc_obj\b,KFI_HAS_ALLOC_OBJ)

# For providers/verbs: kernel consumers can post FLUSH, see patches/.
KFI_COMPAT_FLUSH := $(call kfi-has,rdma/ib_verbs.h,^struct ib_flush_wr,KFI_HAS_FLUSH)
export KFI_COMPAT_FLUSH

# In front of the netlink family in kfabric/
KFI_COMPAT_GENL := -include $(src)/compat/genl.h \
	$(call kfi-has,net/genetlink.h,^struct genl_split_ops,KFI_HAS_SPLIT_OPS) \
	$(call kfi-has,net/genetlink.h,\bgenl_info_dump\b,KFI_HAS_INFO_DUMP) \
	$(call kfi-has,net/netlink.h,\bnla_put_uint\b,KFI_HAS_NLA_UINT)
export KFI_COMPAT_GENL

# In front of memdev/dax.c only: it includes half of the kernel.
KFI_COMPAT_DAX := -include $(src)/compat/dax.h \
	$(call kfi-has,linux/dax.h,kaddr.*unsigned long .pfn,KFI_HAS_DAX_PFN) \
	$(call kfi-has,linux/blkdev.h,bdev_file_open_by_path,KFI_HAS_BDEV_FILE)
export KFI_COMPAT_DAX

# kfi-lacks is kfi-has for what is gone.
kfi-lacks = $(shell grep -qsE '$(2)' $(srctree)/include/$(1) || echo -D$(3))

# In front of memdev/pmemsim_disk.c and of some of consumers/blk/client
KFI_COMPAT_DISK := -include $(src)/compat/disk.h \
	$(call kfi-has,linux/blkdev.h,define blk_alloc_disk.lim,KFI_HAS_DISK_LIMITS) \
	$(call kfi-has,linux/blk_types.h,bd_holder_ops,KFI_HAS_HOLDER_OPS) \
	$(call kfi-has,linux/blk-mq.h,blk_freeze_queue_start_non_owner,KFI_HAS_FREEZE_NON_OWNER) \
	$(call kfi-has,linux/blk-mq.h,int blk_rq_map_sg.struct request .rq,KFI_HAS_MAP_SG_RQ) \
	$(call kfi-lacks,linux/blk-mq.h,BLK_MQ_F_SHOULD_MERGE,KFI_HAS_ALWAYS_MERGE)
export KFI_COMPAT_DISK

# In front of tests/suite/bounce.c
KFI_COMPAT_DMA := -include $(src)/compat/dma.h \
	$(call kfi-has,linux/dma-map-ops.h,\bmap_phys\b,KFI_HAS_MAP_PHYS)
export KFI_COMPAT_DMA
