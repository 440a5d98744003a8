/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name: the test allocates, or does not. */
#ifndef UNIT_LINUX_DMA_MAPPING_H
#define UNIT_LINUX_DMA_MAPPING_H

#include <linux/types.h>

struct device;

void *unit_dma_alloc(struct device *dev, size_t bytes, dma_addr_t *dma);
void unit_dma_free(struct device *dev, size_t bytes, void *memory, dma_addr_t dma);

#define dma_alloc_coherent(dev, bytes, dma, gfp)	unit_dma_alloc(dev, bytes, dma)
#define dma_free_coherent(dev, bytes, memory, dma)	unit_dma_free(dev, bytes, memory, dma)

#endif
