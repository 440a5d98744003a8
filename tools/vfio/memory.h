/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that the device can reach, by whole pages.
 *
 * It comes in chunks of 2 MiB, within which device addresses are contiguous: one mapping of the
 * IOMMU, or one huge page.
 */
#ifndef NVMQ_VFIO_MEMORY_H
#define NVMQ_VFIO_MEMORY_H

#include <linux/types.h>

#include "device.h"

/* A chunk, and the most that can be allocated at a time. */
#define MEMORY_CHUNK	(2u << 20)

void *memory_alloc(struct vfio_device *dev, size_t bytes, u64 *dma);
void memory_free(void *memory, size_t bytes);
void memory_forget(void);

#endif
