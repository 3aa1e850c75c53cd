// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The calls that register memory, in terms of the one that all providers have.
 */

#include <linux/export.h>
#include <linux/uio.h>

#include <kfi_domain.h>

/**
 * kfi_mr_reg() - register kernel memory
 * @domain: the domain
 * @buf: the memory
 * @len: its bytes
 * @access: see &struct kfi_mr_attr
 * @offset: must be 0
 * @requested_key: ignored
 * @flags: see kfi_mr_regattr()
 * @mr: where the region is returned
 * @context: &kfid.context of the region
 *
 * Context: Process context, may sleep.
 * Return: see kfi_mr_regattr().
 */
int kfi_mr_reg(struct kfid_domain *domain, const void *buf, size_t len,
	       u64 access, u64 offset, u64 requested_key, u64 flags,
	       struct kfid_mr **mr, void *context)
{
	const struct kvec iov = { .iov_base = (void *)buf, .iov_len = len };

	return kfi_mr_regv(domain, &iov, 1, access, offset, requested_key,
			   flags, mr, context);
}
EXPORT_SYMBOL_GPL(kfi_mr_reg);

/**
 * kfi_mr_regv() - register kernel memory in pieces
 * @domain: the domain
 * @iov: the pieces
 * @count: number of pieces
 * @access: see &struct kfi_mr_attr
 * @offset: must be 0
 * @requested_key: ignored
 * @flags: see kfi_mr_regattr()
 * @mr: where the region is returned
 * @context: &kfid.context of the region
 *
 * Context: Process context, may sleep.
 * Return: see kfi_mr_regattr().
 */
int kfi_mr_regv(struct kfid_domain *domain, const struct kvec *iov,
		size_t count, u64 access, u64 offset, u64 requested_key,
		u64 flags, struct kfid_mr **mr, void *context)
{
	const struct kfi_mr_attr attr = {
		.type = KFI_KVEC, .mr_iov = iov, .iov_count = count,
		.access = access, .offset = offset,
		.requested_key = requested_key, .context = context,
	};

	return kfi_mr_regattr(domain, &attr, flags, mr);
}
EXPORT_SYMBOL_GPL(kfi_mr_regv);

/**
 * kfi_mr_regbv() - register pages
 * @domain: the domain
 * @biov: the pages
 * @count: number of elements
 * @access: see &struct kfi_mr_attr
 * @offset: must be 0
 * @requested_key: ignored
 * @flags: see kfi_mr_regattr()
 * @mr: where the region is returned
 * @context: &kfid.context of the region
 *
 * Context: Process context, may sleep.
 * Return: see kfi_mr_regattr().
 */
int kfi_mr_regbv(struct kfid_domain *domain, const struct bio_vec *biov,
		 size_t count, u64 access, u64 offset, u64 requested_key,
		 u64 flags, struct kfid_mr **mr, void *context)
{
	const struct kfi_mr_attr attr = {
		.type = KFI_BVEC, .mr_biov = biov, .iov_count = count,
		.access = access, .offset = offset,
		.requested_key = requested_key, .context = context,
	};

	return kfi_mr_regattr(domain, &attr, flags, mr);
}
EXPORT_SYMBOL_GPL(kfi_mr_regbv);

/**
 * kfi_mr_regsgl() - register a scatterlist
 * @domain: the domain
 * @sgl: the scatterlist, not mapped for DMA
 * @count: number of elements
 * @access: see &struct kfi_mr_attr
 * @offset: must be 0
 * @requested_key: ignored
 * @flags: see kfi_mr_regattr()
 * @mr: where the region is returned
 * @context: &kfid.context of the region
 *
 * Context: Process context, may sleep.
 * Return: see kfi_mr_regattr().
 */
int kfi_mr_regsgl(struct kfid_domain *domain, const struct scatterlist *sgl,
		  size_t count, u64 access, u64 offset, u64 requested_key,
		  u64 flags, struct kfid_mr **mr, void *context)
{
	const struct kfi_mr_attr attr = {
		.type = KFI_SGL, .mr_sgl = sgl, .iov_count = count,
		.access = access, .offset = offset,
		.requested_key = requested_key, .context = context,
	};

	return kfi_mr_regattr(domain, &attr, flags, mr);
}
EXPORT_SYMBOL_GPL(kfi_mr_regsgl);
