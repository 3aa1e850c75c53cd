// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The regions of a session: all of its export, in pieces that the device can
 * register.
 */

#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "target.h"

static void kfbt_regions_free(struct kfid_mr **mrs, u32 nr)
{
	while (nr)
		kfi_close(&mrs[--nr]->fid);
	kvfree(mrs);
}

static u64 kfbt_regions_access(const struct kfbt_session *session)
{
	if (session->hello.read_only)
		return KFI_REMOTE_READ;
	return KFI_REMOTE_READ | KFI_REMOTE_WRITE;
}

static int kfbt_regions_register(struct kfbt_session *session, u32 region_size)
{
	struct kfbt_export *export = session->export;
	u32 nr = DIV_ROUND_UP_ULL(export->size, region_size), i;
	void *addr = kfi_pmem_addr(export->pmem);
	struct kfid_mr **mrs;
	u64 offset;
	int err;

	if (nr > KFB_MAX_REGIONS)
		return -EFBIG;
	mrs = kvzalloc_objs(*mrs, nr);
	if (!mrs)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		offset = (u64)i * region_size;
		err = -ECANCELED;
		if (!kfbt_session_ending(session))
			err = kfi_mr_reg(session->domain, addr + offset,
					 min_t(u64, export->size - offset,
					       region_size),
					 kfbt_regions_access(session), 0, 0,
					 KFI_PMEM, &mrs[i], NULL);
		if (err) {
			kfbt_regions_free(mrs, i);
			return err;
		}
	}
	session->mrs = mrs;
	session->nr_regions = nr;
	session->region_size = region_size;
	return 0;
}

/**
 * kfbt_regions_open() - register the export for a session
 * @session: the session, whose turn it is
 *
 * As few regions as possible: how large one can be depends on the device, and on how
 * the memory lies.
 *
 * Context: The session's work.
 * Return: KFB_OK; KFB_TOO_LARGE, KFB_DEVICE, KFB_NO_RESOURCES.
 */
enum kfb_status kfbt_regions_open(struct kfbt_session *session)
{
	u32 size = KFB_MAX_REGION;
	int err;

	do {
		err = kfbt_regions_register(session, size);
		size /= 2;
	} while (err == -E2BIG && size >= KFB_MIN_REGION);

	switch (err) {
	case 0:
		return KFB_OK;
	case -E2BIG:
	case -EFBIG:
		return KFB_TOO_LARGE;
	case -ENODEV:
		return KFB_DEVICE;
	default:
		return KFB_NO_RESOURCES;
	}
}

/**
 * kfbt_regions_close() - end a session's access to memory
 * @session: the session, whose endpoints are closed
 *
 * Context: The session's work.
 */
void kfbt_regions_close(struct kfbt_session *session)
{
	kfbt_regions_free(session->mrs, session->nr_regions);
	session->mrs = NULL;
	session->nr_regions = 0;
}
