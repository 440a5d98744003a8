/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Physical Region Pages: from DMA segments to PRP1, PRP2 and PRP lists
 * (base 4.1.1).
 *
 * Only PRP1 may point into a page; every further entry is the address of a
 * whole page, so every segment but the first starts on a page boundary and
 * every one but the last ends on one.  The block layer guarantees that by the
 * queue's virt boundary.
 *
 * Pure arithmetic: compiles in user space for the unit tests.
 */
#ifndef NVMQ_PRP_H
#define NVMQ_PRP_H

#include <linux/errno.h>
#include <linux/io.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include <nvmq/spec.h>

/*
 * A request's own list: with PRP1, 33 pages, which is 128 KiB at any offset.
 * No allocation and no chaining up to there.
 */
#define NVMQ_PRP_SLOT_ENTRIES	32
#define NVMQ_PRP_SLOT_BYTES	(NVMQ_PRP_SLOT_ENTRIES * sizeof(__le64))

/* One page of a longer list. */
#define NVMQ_PRP_PAGE_ENTRIES	(NVMQ_PAGE_SIZE / sizeof(__le64))

/* The longest transfer that the driver builds, and the list pages that it takes. */
#define NVMQ_MAX_TRANSFER	(8u << 20)
#define NVMQ_PRP_CHAIN_PAGES	5

/**
 * nvmq_prp_pages - pages that a transfer touches
 * @addr: DMA address of its first byte
 * @len: bytes, not 0
 *
 * Return: the number of PRP entries, PRP1 included.
 */
static inline u32 nvmq_prp_pages(u64 addr, u32 len)
{
	return ((addr & NVMQ_PAGE_MASK) + len + NVMQ_PAGE_MASK) >> NVMQ_PAGE_SHIFT;
}

/**
 * nvmq_prp_put - append the pages of a segment to a list
 * @list: where the next entry goes; room for all of them
 * @addr: page aligned DMA address
 * @len: bytes, not 0
 *
 * Return: where the entry after them goes.
 */
static inline __le64 *nvmq_prp_put(__le64 *list, u64 addr, u32 len)
{
	u64 end = addr + len;

	do {
		*list++ = cpu_to_le64(addr);
		addr += NVMQ_PAGE_SIZE;
	} while (addr < end);
	return list;
}

/**
 * nvmq_prp_contig - PRP2 for one contiguous range
 * @addr: DMA address, which is PRP1
 * @len: bytes, not 0; at most NVMQ_PRP_SLOT_ENTRIES + 1 pages
 * @list: memory of NVMQ_PRP_SLOT_ENTRIES entries, written if more than two
 *        pages are touched
 * @list_dma: its DMA address
 *
 * Return: PRP2: 0, the second page, or the list.
 */
static inline u64 nvmq_prp_contig(u64 addr, u32 len, __le64 *list, u64 list_dma)
{
	u64 second = (addr & ~(u64)NVMQ_PAGE_MASK) + NVMQ_PAGE_SIZE;
	u64 end = addr + len;

	if (end <= second)
		return 0;
	if (end <= second + NVMQ_PAGE_SIZE)
		return second;
	nvmq_prp_put(list, second, end - second);
	return list_dma;
}

/**
 * nvmq_prp_segs - PRP1 and PRP2 for segments that fit a request's own list
 * @list: memory of NVMQ_PRP_SLOT_ENTRIES entries
 * @list_dma: its DMA address
 * @sg: mapped segments, one behind the other; no chained scatterlist
 * @segs: their number, not 0; together at most NVMQ_PRP_SLOT_ENTRIES pages long
 * @prp1: out
 * @prp2: out: 0, the second page, or the list
 *
 * Nearly all segments but the first and the last are one page, and go four at a
 * time: a page takes six instructions.
 *
 * Return: true; false if a segment in the middle does not start and end on page
 * boundaries, which would put data in the wrong place.
 */
static inline bool nvmq_prp_segs(__le64 *list, u64 list_dma, const struct scatterlist *sg,
				 int segs, u64 *prp1, u64 *prp2)
{
	const struct scatterlist *last = sg + segs - 1;
	u64 addr = sg_dma_address(sg);
	u64 end = addr + sg_dma_len(sg);
	u64 second = (addr & ~(u64)NVMQ_PAGE_MASK) + NVMQ_PAGE_SIZE;
	__le64 *next = list;

	*prp1 = addr;
	if (sg != last && unlikely(end & NVMQ_PAGE_MASK))
		return false;
	if (end > second)
		next = nvmq_prp_put(next, second, end - second);

	/* The lengths, none of them 0, are all one page if and only if their OR is. */
	while (last - sg > 4) {
		u64 a = sg_dma_address(sg + 1), b = sg_dma_address(sg + 2);
		u64 c = sg_dma_address(sg + 3), d = sg_dma_address(sg + 4);

		if (((a | b | c | d) & NVMQ_PAGE_MASK) ||
		    (sg_dma_len(sg + 1) | sg_dma_len(sg + 2) |
		     sg_dma_len(sg + 3) | sg_dma_len(sg + 4)) != NVMQ_PAGE_SIZE)
			break;
		next[0] = cpu_to_le64(a);
		next[1] = cpu_to_le64(b);
		next[2] = cpu_to_le64(c);
		next[3] = cpu_to_le64(d);
		next += 4;
		sg += 4;
	}
	while (sg != last) {
		u32 len;

		sg++;
		addr = sg_dma_address(sg);
		if (unlikely(addr & NVMQ_PAGE_MASK))
			return false;
		len = sg_dma_len(sg);
		if (likely(len == NVMQ_PAGE_SIZE)) {
			*next++ = cpu_to_le64(addr);
			continue;
		}
		if (unlikely(len & NVMQ_PAGE_MASK) && sg != last)
			return false;
		next = nvmq_prp_put(next, addr, len);
	}

	if (next == list)
		*prp2 = 0;
	else if (next == list + 1)
		*prp2 = le64_to_cpu(*list);
	else
		*prp2 = list_dma;
	return true;
}

/**
 * struct nvmq_prp_chain - a PRP list of several pages, being written
 * @page: the list pages
 * @dma: their DMA addresses
 * @left: entries still to come
 * @used: entries written to the current page
 * @current_page: index of it
 */
struct nvmq_prp_chain {
	__le64 *page[NVMQ_PRP_CHAIN_PAGES];
	u64 dma[NVMQ_PRP_CHAIN_PAGES];
	u32 left;
	u32 used;
	u32 current_page;
};

u32 nvmq_prp_chain_pages(u32 entries);
void nvmq_prp_chain_start(struct nvmq_prp_chain *chain, u32 entries);
int nvmq_prp_chain_put(struct nvmq_prp_chain *chain, u64 addr, u32 len);
int nvmq_prp_chain_segs(struct nvmq_prp_chain *chain, const struct scatterlist *sg, int segs,
			u64 *prp1, u64 *prp2);

#endif /* NVMQ_PRP_H */
