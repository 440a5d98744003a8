/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MMIO accessors for the controller's BAR 0.
 */
#ifndef NVMQ_REGS_H
#define NVMQ_REGS_H

#include <linux/io.h>
#include <linux/types.h>

#include <nvmq/spec.h>

/**
 * nvmq_read32 - read a 32-bit register
 * @bar: mapped BAR 0
 * @reg: NVMQ_REG_* offset
 *
 * Return: the value; a device that is gone reads as all ones.
 */
static inline u32 nvmq_read32(const void __iomem *bar, unsigned int reg)
{
	return readl(bar + reg);
}

/**
 * nvmq_write32 - write a 32-bit register
 * @bar: mapped BAR 0
 * @reg: NVMQ_REG_* offset
 * @val: value
 */
static inline void nvmq_write32(void __iomem *bar, unsigned int reg, u32 val)
{
	writel(val, bar + reg);
}

/**
 * nvmq_read64 - read a 64-bit register
 * @bar: mapped BAR 0
 * @reg: NVMQ_REG_* offset
 *
 * In two halves, low first: some controllers do not decode 8-byte accesses, and
 * the specification allows both (base 3.1.3).
 *
 * Return: the value; a device that is gone reads as all ones.
 */
static inline u64 nvmq_read64(const void __iomem *bar, unsigned int reg)
{
	u32 lo = readl(bar + reg);

	return lo | ((u64)readl(bar + reg + 4) << 32);
}

/**
 * nvmq_write64 - write a 64-bit register, in two halves like nvmq_read64()
 * @bar: mapped BAR 0
 * @reg: NVMQ_REG_* offset
 * @val: value
 */
static inline void nvmq_write64(void __iomem *bar, unsigned int reg, u64 val)
{
	writel(lower_32_bits(val), bar + reg);
	writel(upper_32_bits(val), bar + reg + 4);
}

/**
 * nvmq_doorbell_offset - where a queue's doorbell is
 * @qid: queue identifier
 * @cq: false for the submission queue tail, true for the completion queue head
 * @dstrd: CAP.DSTRD
 *
 * PCIe transport 3.1.2.1 and 3.1.2.2.  The end of the doorbells of queues up
 * to n is the submission doorbell of queue n + 1.
 *
 * Return: offset into BAR 0, bytes.
 */
static inline size_t nvmq_doorbell_offset(u32 qid, bool cq, u32 dstrd)
{
	return NVMQ_REG_DOORBELLS + ((size_t)(2 * qid + cq) << (2 + dstrd));
}

#endif /* NVMQ_REGS_H */
