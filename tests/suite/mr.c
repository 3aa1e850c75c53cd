// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Memory regions: a key reaches its bytes, while the region is open, in the ways
 * that it allows, and nothing else.
 */

#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "suite.h"

#define MR_LEN		256
/* What lies around the region in its own memory */
#define MR_GUARD	64
#define MR_OP_LEN	32

/**
 * struct attack - an access that must fail
 * @what: in words
 * @access: access bits of the region
 * @offset: of the access from the region's start
 * @len: its bytes
 * @flip: what is wrong with the key
 * @read: it is a read
 * @foreign: the region belongs to another domain
 * @closed: the region is closed
 */
struct attack {
	const char	*what;
	u64		access;
	int		offset;
	size_t		len;
	u64		flip;
	bool		read;
	bool		foreign;
	bool		closed;
};

static const struct attack attacks[] = {
	{ "write with a wrong key", SUITE_ACCESS, 0, MR_OP_LEN, .flip = 1 },
	{ "read with a wrong key", SUITE_ACCESS, 0, MR_OP_LEN, .flip = 1 << 8,
	  .read = true },
	{ "write in front", SUITE_ACCESS, -1, 2 },
	{ "write behind", SUITE_ACCESS, MR_LEN - 1, 2 },
	{ "write of all and one byte more", SUITE_ACCESS, 0, MR_LEN + 1 },
	{ "write far away", SUITE_ACCESS, MR_LEN, 1 },
	{ "read in front", SUITE_ACCESS, -1, 2, .read = true },
	{ "read behind", SUITE_ACCESS, MR_LEN - 1, 2, .read = true },
	{ "write to what may be read", KFI_REMOTE_READ, 0, MR_OP_LEN },
	{ "read of what may be written", KFI_REMOTE_WRITE, 0, MR_OP_LEN,
	  .read = true },
	{ "write to what peers may not touch", KFI_READ | KFI_WRITE, 0,
	  MR_OP_LEN },
	{ "write to another domain", SUITE_ACCESS, 0, MR_OP_LEN,
	  .foreign = true },
	{ "write to a closed region", SUITE_ACCESS, 0, MR_OP_LEN,
	  .closed = true },
	{ "read of a closed region", SUITE_ACCESS, 0, MR_OP_LEN, .read = true,
	  .closed = true },
};

static void run_attack(struct suite *t, const struct attack *attack,
		       struct suite_pair *pair, struct kfid_mr *mr, u8 *buf)
{
	u64 addr = mr->iova + attack->offset, key = mr->key ^ attack->flip;
	struct kfid_ep *ep = pair->a.ep;
	ssize_t ret;

	if (attack->closed && !EXPECT_OK(t, kfi_close(&mr->fid)))
		return;
	if (attack->read)
		ret = kfi_read(ep, buf, attack->len, NULL, 0, addr, key, buf);
	else
		ret = kfi_write(ep, buf, attack->len, NULL, 0, addr, key, buf);
	if (!EXPECT_OK(t, ret) ||
	    !EXPECT_COMP_ERR(t, &pair->a.tx, buf, EACCES, KFI_RMA |
			     (attack->read ? KFI_READ : KFI_WRITE)))
		return;
	EXPECT_NO_COMP(t, &pair->a.tx);
	EXPECT_NO_COMP(t, &pair->b.rx);
	if (attack->read)
		EXPECT_ALL(t, buf, 0x11, attack->len);
}

static void check_attack(struct suite *t, const struct attack *attack, u8 *mem,
			 u8 *buf)
{
	struct suite_net net, other = { };
	struct kfid_domain *domain;
	struct suite_pair pair;
	struct kfid_mr *mr;

	memset(mem, 0xee, MR_LEN + 2 * MR_GUARD);
	memset(buf, 0x11, MR_LEN + 1);
	if (!suite_open(t, &net, &pair, NULL))
		return;
	if (attack->foreign && !suite_net_open(t, &other, SUITE_RAW, NULL))
		goto out;
	domain = attack->foreign ? other.domain : net.domain;
	if (EXPECT_OK(t, kfi_mr_reg(domain, mem + MR_GUARD, MR_LEN,
				    attack->access, 0, 0, 0, &mr, NULL))) {
		run_attack(t, attack, &pair, mr, buf);
		if (!attack->closed)
			EXPECT_OK(t, kfi_close(&mr->fid));
	}
out:
	suite_close(&net, &pair);
	suite_net_close(&other);
	EXPECT_ALL(t, mem, 0xee, MR_LEN + 2 * MR_GUARD);
}

static void test_attacks(struct suite *t)
{
	u8 *mem = kmalloc(MR_LEN + 2 * MR_GUARD, GFP_KERNEL);
	u8 *buf = kmalloc(MR_LEN + 1, GFP_KERNEL);
	unsigned int i;
	int before;

	for (i = 0; EXPECT(t, mem && buf) && i < ARRAY_SIZE(attacks); i++) {
		before = atomic_read(&t->complaints);
		check_attack(t, &attacks[i], mem, buf);
		if (atomic_read(&t->complaints) != before)
			COMPLAIN(t, "the above was: %s", attacks[i].what);
	}
	kfree(buf);
	kfree(mem);
}

static void test_arguments(struct suite *t)
{
	struct kfi_mr_attr attr = { .type = KFI_KVEC, .access = SUITE_ACCESS };
	struct kfid_domain *domain;
	struct suite_net net;
	struct kfid_mr *mr;
	u8 *buf = kzalloc(64, GFP_KERNEL);

	if (!EXPECT(t, buf) || !suite_net_open(t, &net, SUITE_RAW, NULL))
		goto out;
	domain = net.domain;
	EXPECT_EQ(t, kfi_mr_reg(domain, buf, 64, BIT_ULL(40), 0, 0, 0, &mr, t),
		  -EINVAL);
	EXPECT_EQ(t, kfi_mr_reg(domain, buf, 64, 0, 0, 0, 0, &mr, t), -EINVAL);
	EXPECT_EQ(t, kfi_mr_reg(domain, buf, 64, SUITE_ACCESS, 0, 0,
				BIT_ULL(40), &mr, t), -EINVAL);
	EXPECT_EQ(t, kfi_mr_reg(domain, buf, 64, SUITE_ACCESS, 1, 0, 0, &mr, t),
		  -EINVAL);
	EXPECT_EQ(t, kfi_mr_reg(domain, buf, 0, SUITE_ACCESS, 0, 0, 0, &mr, t),
		  -EINVAL);
	EXPECT_EQ(t, kfi_mr_reg(domain, buf, 64, SUITE_ACCESS, 0, 0, KFI_PMEM,
				&mr, t), -EINVAL);
	EXPECT_EQ(t, kfi_mr_regattr(domain, NULL, 0, &mr), -EINVAL);
	EXPECT_EQ(t, kfi_mr_regattr(domain, &attr, 0, &mr), -EINVAL);
	attr.iov_count = 1;
	EXPECT_EQ(t, kfi_mr_regattr(domain, &attr, 0, &mr), -EINVAL);
	if (EXPECT_OK(t, kfi_mr_reg(domain, buf, 64, SUITE_ACCESS, 0, 0, 0, &mr,
				    t))) {
		EXPECT_EQ(t, mr->fid.fclass, KFI_CLASS_MR);
		EXPECT(t, mr->fid.context == t);
		EXPECT(t, kfi_mr_key(mr) == mr->key);
		EXPECT_OK(t, kfi_close(&mr->fid));
	}
	suite_net_close(&net);
out:
	kfree(buf);
}

/* One page many times: entries that cannot be made fewer. */
static void test_limit(struct suite *t)
{
	struct page *page = alloc_page(GFP_KERNEL);
	size_t limit = 0, i;
	struct kfi_info *info;
	struct suite_net net;
	struct bio_vec *bv;
	struct kfid_mr *mr;

	if (!EXPECT(t, page) || !suite_net_open(t, &net, SUITE_RAW, NULL))
		goto out;
	if (EXPECT_OK(t, suite_getinfo(SUITE_RAW, net.port, 0, &info)))
		limit = info->domain_attr->mr_iov_limit;
	kfi_freeinfo(info);
	if (!EXPECT(t, limit))
		goto out_net;
	if (limit > 1 << 16) {
		t->skip = "the limit is more than there is memory for";
		goto out_net;
	}
	bv = kvzalloc_objs(*bv, limit + 1);
	if (!EXPECT(t, bv))
		goto out_net;
	for (i = 0; i <= limit; i++)
		bvec_set_page(&bv[i], page, PAGE_SIZE, 0);
	EXPECT_EQ(t, kfi_mr_regbv(net.domain, bv, limit + 1, KFI_REMOTE_READ, 0,
				  0, 0, &mr, NULL), -E2BIG);
	if (EXPECT_OK(t, kfi_mr_regbv(net.domain, bv, limit, KFI_REMOTE_READ, 0,
				      0, 0, &mr, NULL)))
		EXPECT_OK(t, kfi_close(&mr->fid));
	kvfree(bv);
out_net:
	suite_net_close(&net);
out:
	if (page)
		__free_page(page);
}

/* A page, the one behind it, and how @len bytes from @offset lie in them */
static void two_pages(struct bio_vec *bv, struct suite_arena *arena,
		      size_t offset, size_t len)
{
	bvec_set_page(&bv[0], arena->blocks[0], PAGE_SIZE - offset, offset);
	bvec_set_page(&bv[1], arena->blocks[1], len - bv[0].bv_len, 0);
}

static int register_as(struct kfid_domain *domain, struct suite_arena *arena,
		       enum kfi_iov_type type, size_t offset, size_t len,
		       struct kfid_mr **mr)
{
	struct scatterlist sgl[2];
	struct bio_vec bv[2];
	struct kvec iov[2];
	unsigned int i;

	two_pages(bv, arena, offset, len);
	sg_init_table(sgl, 2);
	for (i = 0; i < 2; i++) {
		sg_set_page(&sgl[i], bv[i].bv_page, bv[i].bv_len,
			    bv[i].bv_offset);
		iov[i].iov_base = page_address(bv[i].bv_page) + bv[i].bv_offset;
		iov[i].iov_len = bv[i].bv_len;
	}
	switch (type) {
	case KFI_KVEC:
		return kfi_mr_regv(domain, iov, 2, SUITE_ACCESS, 0, 0, 0, mr,
				   NULL);
	case KFI_BVEC:
		return kfi_mr_regbv(domain, bv, 2, SUITE_ACCESS, 0, 0, 0, mr,
				    NULL);
	case KFI_SGL:
		return kfi_mr_regsgl(domain, sgl, 2, SUITE_ACCESS, 0, 0, 0, mr,
				     NULL);
	}
	return -EINVAL;
}

/* All of a region is written and read, and what is around it is not touched. */
static void check_region(struct suite *t, struct suite_pair *pair,
			 struct suite_arena *arena, struct kfid_mr *mr,
			 size_t offset, size_t len, u8 *buf)
{
	u8 *behind = arena->buf + offset + len;

	memset(arena->buf, 0xee, arena->len);
	suite_fill(t, buf, len);
	EXPECT_OK(t, kfi_write(pair->a.ep, buf, len, NULL, 0, mr->iova,
			       mr->key, mr));
	EXPECT_COMP(t, &pair->a.tx, mr, NULL);
	suite_settle(t, &pair->a, mr->iova, mr->key);
	EXPECT_SAME(t, arena->buf + offset, buf, len);
	memset(buf, 0, len);
	EXPECT_OK(t, kfi_read(pair->a.ep, buf, len, NULL, 0, mr->iova, mr->key,
			      mr));
	EXPECT_COMP(t, &pair->a.tx, mr, NULL);
	EXPECT_SAME(t, arena->buf + offset, buf, len);
	EXPECT_ALL(t, arena->buf, 0xee, offset);
	EXPECT_ALL(t, behind, 0xee, arena->buf + arena->len - behind);
}

/* Pieces that are apart meet where a page list can have them meet, or not at all. */
static void check_joints(struct suite *t, const struct suite_net *net,
			 const struct suite_arena *arena)
{
	static const struct {
		size_t end, begin;
		int err;
	} joints[] = {
		{ PAGE_SIZE, 0, 0 }, { PAGE_SIZE - 8, 0, -EINVAL },
		{ PAGE_SIZE, 8, -EINVAL }, { PAGE_SIZE - 8, 8, -EINVAL },
	};
	struct bio_vec bv[2];
	struct kfid_mr *mr;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(joints); i++) {
		/* the second one first, lest they lie side by side */
		bvec_set_page(&bv[0], arena->blocks[1], joints[i].end, 0);
		bvec_set_page(&bv[1], arena->blocks[0],
			      PAGE_SIZE - joints[i].begin, joints[i].begin);
		ret = kfi_mr_regbv(net->domain, bv, 2, SUITE_ACCESS, 0, 0, 0,
				   &mr, NULL);
		EXPECT_EQ(t, ret, joints[i].err);
		if (!ret)
			EXPECT_OK(t, kfi_close(&mr->fid));
	}
}

static void test_vectors(struct suite *t)
{
	struct suite_arena arena;
	struct suite_pair pair;
	struct suite_net net;
	struct kfid_mr *mr;
	u8 *buf = kzalloc(2 * PAGE_SIZE, GFP_KERNEL);
	enum kfi_iov_type type;
	size_t offset, len;

	if (!EXPECT(t, buf) || !suite_arena_open(t, &arena, 0, 2))
		goto out;
	if (!suite_open(t, &net, &pair, NULL))
		goto out_arena;
	for (type = KFI_KVEC; type <= KFI_SGL; type++) {
		offset = suite_random(t, 0, PAGE_SIZE - 1);
		len = PAGE_SIZE - offset + suite_random(t, 1, PAGE_SIZE);
		if (!EXPECT_OK(t, register_as(net.domain, &arena, type, offset,
					      len, &mr)))
			continue;
		check_region(t, &pair, &arena, mr, offset, len, buf);
		EXPECT_OK(t, kfi_close(&mr->fid));
	}

	check_joints(t, &net, &arena);

	/* the same bytes in vmalloc space, from a kernel address */
	offset = suite_random(t, 0, PAGE_SIZE - 1);
	len = suite_random(t, 1, arena.len - offset);
	if (EXPECT_OK(t, kfi_mr_reg(net.domain, arena.buf + offset, len,
				    SUITE_ACCESS, 0, 0, 0, &mr, NULL))) {
		check_region(t, &pair, &arena, mr, offset, len, buf);
		EXPECT_OK(t, kfi_close(&mr->fid));
	}
	suite_close(&net, &pair);
out_arena:
	suite_arena_close(&arena);
out:
	kfree(buf);
}

/*
 * As many writes as there is room for, of 8 MiB each, then close the region. Returns
 * whether that was in the middle: some of them had begun, and one failed.
 */
static bool close_under_fire(struct suite *t, struct suite_net *net,
			     struct suite_pair *pair, struct suite_arena *from,
			     struct suite_arena *to)
{
	struct suite_comp comp;
	struct bio_vec bv[8];
	bool begun, failed = false;
	struct kfid_mr *mr;
	uintptr_t i, posted;

	memset(to->buf, 0x11, to->len);
	if (!suite_arena_register(net, to, &mr))
		return false;
	for (i = 0; i < from->nr; i++)
		bvec_set_page(&bv[i], from->blocks[i],
			      PAGE_SIZE << from->order, 0);
	for (posted = 0; posted < 8; posted++)
		if (!EXPECT_OK(t, kfi_writebv(pair->a.ep, bv, NULL, from->nr, 0,
					      mr->iova, mr->key,
					      (void *)(posted + 1))))
			break;
	/* let some of it get under way */
	suite_read_comp(t, &pair->b.rx, &comp, suite_random(t, 0, 10));

	EXPECT_OK(t, kfi_close(&mr->fid));
	begun = memchr_inv(to->buf, 0x11, to->len);
	memset(to->buf, 0x11, to->len);
	for (i = 1; i <= posted; i++) {
		if (!EXPECT(t, suite_read_comp(t, &pair->a.tx, &comp,
					       SUITE_TIMEOUT_MS)))
			break;
		EXPECT_EQ(t, (uintptr_t)comp.entry.op_context, i);
		failed |= comp.err;
	}
	EXPECT_NO_COMP(t, &pair->a.tx);
	EXPECT_ALL(t, to->buf, 0x11, to->len);
	return begun && failed;
}

static void test_close_under_fire(struct suite *t)
{
	const unsigned int order = get_order(SZ_1M);
	unsigned int rounds = suite_scaled(100, 3), most = 1000;
	struct suite_arena from, to;
	bool hit = false;
	struct suite_pair pair;
	struct suite_net net;

	if (!suite_arena_open(t, &from, order, 8))
		return;
	if (!suite_arena_open(t, &to, order, 8))
		goto out;
	memset(from.buf, 0x99, from.len);
	for (; (rounds || !hit) && most && !suite_failed(t); most--) {
		if (!suite_open(t, &net, &pair, NULL))
			break;
		hit |= close_under_fire(t, &net, &pair, &from, &to);
		suite_close(&net, &pair);
		rounds -= rounds > 0;
	}
	EXPECT(t, hit);
	suite_arena_close(&to);
out:
	suite_arena_close(&from);
}

const struct suite_test suite_mr_tests[] = {
	{ "mr.arguments", test_arguments },
	{ "mr.limit", test_limit },
	{ "mr.vectors", test_vectors },
	{ "mr.attacks", test_attacks },
	{ "mr.close_under_fire", test_close_under_fire },
	{ }
};
