// SPDX-License-Identifier: GPL-2.0
/*
 * PRP lists that take more than a request's own slot.
 */
#include <linux/kernel.h>

#include "prp.h"

/**
 * nvmq_prp_chain_pages - list pages for a number of entries
 * @entries: PRP entries behind PRP1, not 0
 *
 * The last slot of a page holds an entry if that is the last one, and the
 * address of the next page if not.
 *
 * Return: pages.
 */
u32 nvmq_prp_chain_pages(u32 entries)
{
	const u32 linked = NVMQ_PRP_PAGE_ENTRIES - 1;

	if (entries <= NVMQ_PRP_PAGE_ENTRIES)
		return 1;
	return 1 + DIV_ROUND_UP(entries - NVMQ_PRP_PAGE_ENTRIES, linked);
}

/**
 * nvmq_prp_chain_start - begin a list
 * @chain: with nvmq_prp_chain_pages(@entries) pages in it
 * @entries: how many will be put, not 0
 */
void nvmq_prp_chain_start(struct nvmq_prp_chain *chain, u32 entries)
{
	chain->left = entries;
	chain->used = 0;
	chain->current_page = 0;
}

/**
 * nvmq_prp_chain_put - append the pages of a segment
 * @chain: the list
 * @addr: page aligned DMA address
 * @len: bytes, not 0
 *
 * Return: 0; -EINVAL if there are more pages than were announced, in which
 * case the list is not to be used.
 */
int nvmq_prp_chain_put(struct nvmq_prp_chain *chain, u64 addr, u32 len)
{
	u32 pages = nvmq_prp_pages(addr, len);

	if (pages > chain->left)
		return -EINVAL;

	while (pages--) {
		__le64 *page = chain->page[chain->current_page];

		if (chain->used == NVMQ_PRP_PAGE_ENTRIES - 1 && chain->left > 1) {
			chain->current_page++;
			page[chain->used] = cpu_to_le64(chain->dma[chain->current_page]);
			page = chain->page[chain->current_page];
			chain->used = 0;
		}
		page[chain->used++] = cpu_to_le64(addr);
		addr += NVMQ_PAGE_SIZE;
		chain->left--;
	}
	return 0;
}

/**
 * nvmq_prp_chain_segs - PRP1 and PRP2 for segments of any length
 * @chain: after nvmq_prp_chain_start() with one less than the pages of all
 *         segments
 * @sg: mapped segments, one behind the other; no chained scatterlist
 * @segs: their number, not 0
 * @prp1: out
 * @prp2: out: the list; of two pages the second, of one 0
 *
 * Return: 0; -EINVAL if the segments are not as many pages as was announced, or
 * one in the middle does not start and end on page boundaries.
 */
int nvmq_prp_chain_segs(struct nvmq_prp_chain *chain, const struct scatterlist *sg, int segs,
			u64 *prp1, u64 *prp2)
{
	u64 addr = sg_dma_address(sg);
	u64 end = addr + sg_dma_len(sg);
	u64 second = (addr & ~(u64)NVMQ_PAGE_MASK) + NVMQ_PAGE_SIZE;
	u32 entries = chain->left;

	*prp1 = addr;
	if (end > second && nvmq_prp_chain_put(chain, second, end - second))
		return -EINVAL;
	while (--segs) {
		sg++;
		addr = sg_dma_address(sg);
		if ((addr | end) & NVMQ_PAGE_MASK)
			return -EINVAL;
		end = addr + sg_dma_len(sg);
		if (nvmq_prp_chain_put(chain, addr, end - addr))
			return -EINVAL;
	}
	if (chain->left)
		return -EINVAL;
	/* Of two pages PRP2 is the second itself. */
	*prp2 = entries > 1 ? chain->dma[0] : entries ? le64_to_cpu(chain->page[0][0]) : 0;
	return 0;
}
