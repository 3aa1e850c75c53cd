/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the tests of the patches have in common: two queue pairs of a soft-RoCE
 * device that are connected to each other, regions, and a wire that can lose
 * what it is told to.
 */

#ifndef KFI_PATCHES_H
#define KFI_PATCHES_H

#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/types.h>
#include <rdma/ib_pack.h>
#include <rdma/ib_verbs.h>

/**
 * struct test - a test
 * @name: its name
 * @fn: what it does; it reports what does not hold by EXPECT()
 * @pmem: it needs persistent memory
 */
struct test {
	const char	*name;
	void		(*fn)(void);
	bool		pmem;
};

extern const struct test post_tests[];
extern const struct test lost_tests[];
extern const struct test region_tests[];
extern const struct test held_tests[];
extern const struct test woken_tests[];
extern const struct test large_tests[];

bool expect(bool holds, const char *text, const char *file, int line);

bool expect_status(enum ib_wc_status is, enum ib_wc_status expected,
		   const char *file, int line);

#define EXPECT(condition) \
	expect((condition), #condition, kbasename(__FILE__), __LINE__)

#define EXPECT_STATUS(is, expected) \
	expect_status((is), (expected), kbasename(__FILE__), __LINE__)

/**
 * struct op - a work request that was posted, or is going to be
 * @cqe: its completion's function
 * @wc: its completion
 * @done: it is complete
 */
struct op {
	struct ib_cqe	cqe;
	struct ib_wc	wc;
	bool		done;
};

/**
 * struct options - of a pair
 * @depth: how many reads may be in flight
 * @resources: how many the target has room for
 * @wire: packets go through the network stack, where they can be lost
 */
struct options {
	u8	depth;
	u8	resources;
	bool	wire;
};

/**
 * struct bed - a pair, and what is needed around it
 * @dev: the device
 * @pd: protection domain
 * @cq: of both queue pairs
 * @from: where requests are posted
 * @to: whose memory they are for
 * @buf: a page for local use
 * @dma: where it is mapped
 * @wire: it has one
 */
struct bed {
	struct ib_device	*dev;
	struct ib_pd		*pd;
	struct ib_cq		*cq;
	struct ib_qp		*from;
	struct ib_qp		*to;
	u8			*buf;
	u64			dma;
	bool			wire;
};

/**
 * struct region - registered memory
 * @mr: the region
 * @mem: its memory
 * @len: bytes of it, whole pages
 * @dma: where that is mapped
 */
struct region {
	struct ib_mr	*mr;
	u8		*mem;
	size_t		len;
	u64		dma;
};

#define REGION_ACCESS \
	(IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_WRITE | \
	 IB_ACCESS_REMOTE_READ | IB_ACCESS_REMOTE_ATOMIC)

bool bed_open(struct bed *bed, const struct options *options);
void bed_close(struct bed *bed);
bool bed_post(struct ib_qp *qp, struct op *op, struct ib_send_wr *wr);
bool bed_wait(struct bed *bed, struct op *op);
enum ib_wc_status bed_status(struct bed *bed, struct op *op);

bool region_open(struct bed *bed, struct region *region, int access);
void region_close(struct bed *bed, struct region *region);
bool region_map(struct bed *bed, struct region *region, void *mem, size_t len);
void region_unmap(struct bed *bed, struct region *region);
enum ib_wc_status region_register(struct bed *bed, struct region *region,
				  int access);
enum ib_wc_status region_invalidate(struct bed *bed, struct region *region);

void bed_write(struct bed *bed, struct ib_rdma_wr *wr, struct ib_sge *sge,
	       struct region *region, size_t len);
void bed_read(struct bed *bed, struct ib_rdma_wr *wr, struct ib_sge *sge,
	      struct region *region, size_t len);
void bed_flush(struct ib_flush_wr *wr, struct region *region, u8 type);
void bed_atomic_write(struct ib_atomic_write_wr *wr, struct region *region,
		      size_t offset, u64 value);

bool wire_open(void);
void wire_close(void);
void wire_lose(u8 opcode, unsigned int count);
int wire_saw(u8 opcode, unsigned int nr);

#endif /* KFI_PATCHES_H */
