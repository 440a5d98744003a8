/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stand-in for the kernel's header of this name: what the driver does to the device, and the
 * barriers between, go to the test, which plays the device.
 */
#ifndef UNIT_LINUX_IO_H
#define UNIT_LINUX_IO_H

#include <linux/types.h>

void unit_writel(u32 value, void *addr);
void unit_dma_rmb(void);
void unit_dma_wmb(void);

#define writel(value, addr)	unit_writel(value, addr)
#define dma_rmb()		unit_dma_rmb()
#define dma_wmb()		unit_dma_wmb()

#endif
