/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stand-in for the kernel's header of this name: what the driver does to the device, and the
 * barriers between, go to the test, which plays the device.
 */
#ifndef UNIT_LINUX_IO_H
#define UNIT_LINUX_IO_H

#include <linux/kernel.h>
#include <linux/types.h>

/* There is no 8-byte access: a driver that makes one does not compile. */
u32 unit_readl(const void *addr);
void unit_writel(u32 value, void *addr);
void unit_dma_rmb(void);
void unit_dma_wmb(void);
void *unit_ioremap(u64 start, size_t size);
void unit_iounmap(void *addr);

#define readl(addr)		unit_readl(addr)
#define writel(value, addr)	unit_writel(value, addr)
#define dma_rmb()		unit_dma_rmb()
#define dma_wmb()		unit_dma_wmb()
#define ioremap(start, size)	unit_ioremap(start, size)
#define iounmap(addr)		unit_iounmap(addr)

#endif
