/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The controller as a set of registers: enable, disable, shut down.
 */
#ifndef NVMQ_HW_H
#define NVMQ_HW_H

#include <linux/bits.h>
#include <linux/pci.h>
#include <linux/types.h>

#include <nvmq/spec.h>

/* What a controller cannot do although it says so. */
#define NVMQ_QUIRK_PRP_512	BIT(0)	/* PRP lists must be 512-byte aligned */
#define NVMQ_QUIRK_NO_WZ	BIT(1)	/* Write Zeroes does not write zeroes */
#define NVMQ_QUIRK_NO_DESC	BIT(2)	/* Identify, CNS 03h, hangs */
#define NVMQ_QUIRK_DELAY_RDY	BIT(3)	/* CSTS must not be read right after CC.EN=0 */
#define NVMQ_QUIRK_DMA_48	BIT(4)	/* DMA addresses have 48 bits */
#define NVMQ_QUIRK_FOREIGN	BIT(5)	/* not what the specification describes: not served */
#define NVMQ_QUIRK_SAME_IDS	BIT(6)	/* identifiers of namespaces are not unique */
#define NVMQ_QUIRK_NO_MSI	BIT(7)	/* MSI never comes */
#define NVMQ_QUIRK_USES_PRIO	BIT(8)	/* QPRIO counts without weighted round robin, too */
#define NVMQ_QUIRK_FIXED_TEMP	BIT(9)	/* temperature thresholds must not be set */

/**
 * struct nvmq_hw - the mapped controller
 * @pdev: the PCI function
 * @bar: mapped BAR 0, %NULL before nvmq_hw_map()
 * @mapped: bytes of BAR 0 that are mapped
 * @quirks: NVMQ_QUIRK_*, set by the owner
 * @cap: CAP as last read; may change when CC.CSS changes
 * @vs: version, NVMQ_VS()
 * @cc: value of CC without EN, as programmed by nvmq_hw_enable()
 * @ready_ms: longest time for CSTS.RDY to follow CC.EN
 * @settle_ms: wait this long after clearing CC.EN before CSTS is read; a quirk,
 *             set by the owner
 * @wrr: select weighted round robin, where it is offered; set by the owner before
 *       nvmq_hw_probe_caps()
 * @no_io: the controller has no I/O command set (CAP.CSS bit 7)
 */
struct nvmq_hw {
	struct pci_dev *pdev;
	void __iomem *bar;
	size_t mapped;
	unsigned long quirks;
	u64 cap;
	u32 vs;
	u32 cc;
	u32 ready_ms;
	u32 settle_ms;
	bool wrr;
	bool no_io;
};

int nvmq_hw_map(struct nvmq_hw *hw, struct pci_dev *pdev);
void nvmq_hw_unmap(struct nvmq_hw *hw);
u32 nvmq_hw_map_doorbells(struct nvmq_hw *hw, u32 queues);
int nvmq_hw_probe_caps(struct nvmq_hw *hw);
int nvmq_hw_disable(struct nvmq_hw *hw);
int nvmq_hw_enable(struct nvmq_hw *hw, u32 entries, dma_addr_t asq, dma_addr_t acq);
int nvmq_hw_shutdown(struct nvmq_hw *hw, u32 timeout_ms);
int nvmq_hw_subsystem_reset(struct nvmq_hw *hw);
bool nvmq_hw_gone(const struct nvmq_hw *hw);
u32 nvmq_hw_status(const struct nvmq_hw *hw);

/**
 * nvmq_hw_max_entries - CAP.MQES as a number of entries
 * @hw: the controller, caps read
 *
 * Return: entries that an I/O queue may have, at most 65536.
 */
static inline u32 nvmq_hw_max_entries(const struct nvmq_hw *hw)
{
	return NVMQ_CAP_MQES(hw->cap) + 1;
}

/**
 * nvmq_hw_has_wrr - does the controller offer weighted round robin with urgent class?
 * @hw: the controller, caps read
 *
 * Return: true if CAP.AMS says so (base 3.1.3.1).
 */
static inline bool nvmq_hw_has_wrr(const struct nvmq_hw *hw)
{
	return hw->cap & NVMQ_CAP_AMS_WRR;
}

/**
 * nvmq_hw_uses_wrr - is weighted round robin selected?
 * @hw: the controller, caps read
 *
 * Return: true if it is, from the next nvmq_hw_enable() on.
 */
static inline bool nvmq_hw_uses_wrr(const struct nvmq_hw *hw)
{
	return hw->cc & NVMQ_CC_AMS_WRR;
}

#endif /* NVMQ_HW_H */
