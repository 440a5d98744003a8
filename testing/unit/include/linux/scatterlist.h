/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in: mapped segments, one behind the other. */
#ifndef TEST_LINUX_SCATTERLIST_H
#define TEST_LINUX_SCATTERLIST_H

#include <linux/types.h>

struct scatterlist {
	u64 addr;
	u32 len;
};

#define sg_dma_address(sg)	((sg)->addr)
#define sg_dma_len(sg)		((sg)->len)

#endif
