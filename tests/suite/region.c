// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What regions can be registered as persistent or uncached, and that they then are.
 */

#include <linux/bvec.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

#include "store.h"

#define REGION_PAGES	3
#define REGION_OTHER	"suite2"
#define REGION_ROUNDS	200

static struct page *page_of(void *addr)
{
	return is_vmalloc_addr(addr) ? vmalloc_to_page(addr) :
				       virt_to_page(addr);
}

/* Registers pages as what each call takes; all of them have to agree. */
static bool register_pages(struct suite *t, struct kfid_domain *domain,
			   void **pages, int ret)
{
	struct scatterlist sg[REGION_PAGES];
	struct bio_vec bv[REGION_PAGES];
	struct kvec kv[REGION_PAGES];
	struct kfid_mr *mr;
	unsigned int type;
	int i, is = 0;

	sg_init_table(sg, REGION_PAGES);
	for (i = 0; i < REGION_PAGES; i++) {
		kv[i].iov_base = pages[i];
		kv[i].iov_len = PAGE_SIZE;
		bvec_set_page(&bv[i], page_of(pages[i]), PAGE_SIZE, 0);
		sg_set_page(&sg[i], page_of(pages[i]), PAGE_SIZE, 0);
	}
	for (type = KFI_KVEC; type <= KFI_SGL; type++) {
		mr = NULL;
		if (type == KFI_KVEC)
			is = kfi_mr_regv(domain, kv, REGION_PAGES, SUITE_ACCESS,
					 0, 0, KFI_PMEM, &mr, NULL);
		else if (type == KFI_BVEC)
			is = kfi_mr_regbv(domain, bv, REGION_PAGES,
					  SUITE_ACCESS, 0, 0, KFI_PMEM, &mr,
					  NULL);
		else
			is = kfi_mr_regsgl(domain, sg, REGION_PAGES,
					   SUITE_ACCESS, 0, 0, KFI_PMEM, &mr,
					   NULL);
		EXPECT_EQ(t, is, ret);
		if (!is) {
			EXPECT_EQ(t, kfi_mr_flags(mr), KFI_PMEM);
			EXPECT_OK(t, kfi_close(&mr->fid));
		}
	}
	return !suite_failed(t);
}

/* One page that is somewhere else, in each place */
static void check_stranger(struct suite *t, struct store *store, void *stranger)
{
	void *pages[REGION_PAGES];
	int i, odd;

	for (odd = 0; odd < REGION_PAGES; odd++) {
		for (i = 0; i < REGION_PAGES; i++)
			pages[i] = i == odd ? stranger :
				   store->mem + 2 * i * PAGE_SIZE;
		if (!register_pages(t, store->net.domain, pages, -EINVAL))
			COMPLAIN(t, "page %d of %d", odd, REGION_PAGES);
	}
}

static void check_devices(struct suite *t, struct store *store,
			  struct kfi_pmem *other)
{
	u8 *theirs = kfi_pmem_addr(other);
	void *pages[REGION_PAGES] = {
		theirs + PAGE_SIZE, theirs, theirs + 2 * PAGE_SIZE,
	};

	/* each page of the same device, in whatever order */
	register_pages(t, store->net.domain, pages, 0);
	check_stranger(t, store, theirs);
	kfi_pmem_close(other);
	/* nobody is there any more who could make it persistent */
	register_pages(t, store->net.domain, pages, -EINVAL);
}

static void test_pmem(struct suite *t)
{
	struct kfi_pmemsim *sim;
	struct kfi_pmem *other;
	struct store store;
	void *plain;

	if (!store_open(t, &store, NULL))
		return;
	plain = (void *)__get_free_page(GFP_KERNEL);
	if (EXPECT(t, plain))
		check_stranger(t, &store, plain);
	free_page((unsigned long)plain);
	plain = vzalloc(PAGE_SIZE);
	if (EXPECT(t, plain))
		check_stranger(t, &store, plain);
	vfree(plain);

	sim = kfi_pmemsim_create(REGION_OTHER, REGION_PAGES * PAGE_SIZE);
	if (!IS_ERR(sim)) {
		other = kfi_pmem_open("pmemsim:" REGION_OTHER, &store);
		if (EXPECT(t, !IS_ERR(other)))
			check_devices(t, &store, other);
		kfi_pmemsim_destroy(sim);
	} else {
		EXPECT_OK(t, PTR_ERR(sim));
	}
	store_close(&store);
}

static int reg(struct store *store, u64 access, u64 flags, struct kfid_mr **mr)
{
	return kfi_mr_reg(store->net.domain, store->mem, PAGE_SIZE, access, 0,
			  0, flags, mr, NULL);
}

static void test_flags(struct suite *t)
{
	struct store store;
	struct kfid_mr *mr;
	unsigned int bit;

	if (!store_open(t, &store, NULL))
		return;
	for (bit = 0; bit < 64; bit++)
		if (!(BIT_ULL(bit) & (KFI_PMEM | KFI_UNCACHED)))
			EXPECT_EQ(t, reg(&store, SUITE_ACCESS,
					 KFI_PMEM | BIT_ULL(bit), &mr),
				  -EINVAL);
	/* what peers never write to is not cached for them */
	EXPECT_EQ(t, reg(&store, KFI_READ | KFI_WRITE, KFI_UNCACHED, &mr),
		  -EINVAL);
	EXPECT_EQ(t, reg(&store, KFI_SEND | KFI_RECV, KFI_PMEM | KFI_UNCACHED,
			 &mr), -EINVAL);
	if (EXPECT_OK(t, reg(&store, KFI_REMOTE_READ, KFI_UNCACHED, &mr)))
		EXPECT_OK(t, kfi_close(&mr->fid));
	if (EXPECT_OK(t, reg(&store, KFI_READ, KFI_PMEM, &mr))) {
		EXPECT_EQ(t, kfi_mr_flags(mr), KFI_PMEM);
		EXPECT_OK(t, kfi_close(&mr->fid));
	}
	if (EXPECT_OK(t, reg(&store, SUITE_ACCESS, 0, &mr))) {
		EXPECT_EQ(t, kfi_mr_flags(mr), 0);
		EXPECT_OK(t, kfi_close(&mr->fid));
	}
	store_close(&store);
}

/* Who honours the hint, and on which machines */
static u64 honoured(void)
{
	return IS_ENABLED(CONFIG_ARCH_HAS_UACCESS_FLUSHCACHE) &&
	       !strcmp(suite_provider(), "loopback") ? KFI_UNCACHED : 0;
}

/* An uncached region is a region like any other: bytes arrive, commits commit. */
static void check_uncached(struct suite *t, struct store *store, u64 level)
{
	size_t offset = suite_random(t, 0, STORE_LEN - 1);
	size_t len = suite_random(t, 1, min_t(size_t, STORE_LEN - offset,
					      1 << suite_random(t, 0, 16)));

	suite_fill(t, store->buf + offset, len);
	if (!EXPECT_OK(t, store_write(store, offset, len, store, level)) ||
	    !EXPECT_COMP(t, &store->pair.a.tx, store, NULL))
		return;
	EXPECT_SAME(t, store->mem + offset, store->buf + offset, len);
	if (level == KFI_COMMIT)
		EXPECT(t, !kfi_pmemsim_dirty(store->sim, offset, len));
}

static void test_uncached(struct suite *t)
{
	struct store store;
	struct kfid_mr *mr;
	unsigned int i;

	if (!store_open(t, &store, NULL))
		return;
	if (!EXPECT_OK(t, kfi_mr_reg(store.net.domain, store.mem, STORE_LEN,
				     SUITE_ACCESS, 0, 0,
				     KFI_PMEM | KFI_UNCACHED, &mr, NULL)))
		goto out;
	EXPECT_EQ(t, kfi_mr_flags(mr), KFI_PMEM | honoured());
	store.addr = mr->iova;
	store.key = kfi_mr_key(mr);
	for (i = 0; i < REGION_ROUNDS && !suite_failed(t); i++)
		check_uncached(t, &store, i % 2 ? KFI_COMMIT :
						  KFI_DELIVERY_COMPLETE);
	/* from the region to the region, where it overlaps itself */
	for (i = 0; i < 4096; i++)
		store.mem[i] = i % 251;
	EXPECT_OK(t, kfi_write(store.pair.a.ep, store.mem, 4096 - 8, NULL, 0,
			       store.addr + 8, store.key, &i));
	EXPECT_COMP(t, &store.pair.a.tx, &i, NULL);
	EXPECT_OK(t, kfi_close(&mr->fid));
out:
	store_close(&store);
}

const struct suite_test suite_region_tests[] = {
	{ "region.pmem", test_pmem },
	{ "region.flags", test_flags },
	{ "region.uncached", test_uncached },
	{ }
};
