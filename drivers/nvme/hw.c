// SPDX-License-Identifier: GPL-2.0
/*
 * The controller as a set of registers: enable, disable, shut down
 * (base 3.5 and 3.6).
 */
#include <linux/delay.h>
#include <linux/jiffies.h>

#include "hw.h"
#include "regs.h"

#define ALL_ONES 0xffffffffu

/* Longest wait that CAP.TO can ask for; what we use when CAP is not known. */
#define READY_MAX_MS 127500u

/**
 * nvmq_hw_gone - has the device left the bus?
 * @hw: the controller
 *
 * CSTS can never be all ones on a live device (base 3.1.3.6).  Some bridges, QEMU's among them,
 * answer reads of what is no more with zeroes; but the slot has told the PCI core.
 *
 * Return: true if CSTS reads as all ones, the PCI core knows, or nothing is mapped.
 */
bool nvmq_hw_gone(const struct nvmq_hw *hw)
{
	return !hw->bar || READ_ONCE(hw->pdev->error_state) == pci_channel_io_perm_failure ||
	       nvmq_read32(hw->bar, NVMQ_REG_CSTS) == ALL_ONES;
}

/**
 * nvmq_hw_status - read CSTS
 * @hw: the controller
 *
 * Return: CSTS; all ones if the device is gone.
 */
u32 nvmq_hw_status(const struct nvmq_hw *hw)
{
	return hw->bar ? nvmq_read32(hw->bar, NVMQ_REG_CSTS) : ALL_ONES;
}

static int map_bar(struct nvmq_hw *hw, size_t size)
{
	struct pci_dev *pdev = hw->pdev;
	void __iomem *bar;

	if (size <= hw->mapped)
		return 0;
	if (size > pci_resource_len(pdev, 0))
		return -ENOSPC;

	bar = ioremap(pci_resource_start(pdev, 0), size);
	if (!bar)
		return -ENOMEM;
	if (hw->bar)
		iounmap(hw->bar);
	hw->bar = bar;
	hw->mapped = size;
	return 0;
}

/**
 * nvmq_hw_map - map the registers and the admin queue's doorbells
 * @hw: zeroed
 * @pdev: enabled PCI function whose regions are held
 *
 * Context: may sleep.
 * Return: 0, -ENODEV if BAR 0 is no usable memory, -ENOMEM.
 */
int nvmq_hw_map(struct nvmq_hw *hw, struct pci_dev *pdev)
{
	hw->pdev = pdev;
	/* CAP.DSTRD is not known yet: one page covers the admin pair up to 3. */
	if (!(pci_resource_flags(pdev, 0) & IORESOURCE_MEM) ||
	    map_bar(hw, NVMQ_REG_DOORBELLS + NVMQ_PAGE_SIZE)) {
		dev_err(&pdev->dev, "BAR 0 (%pR) cannot be mapped: %llu bytes are needed\n",
			&pdev->resource[0],
			(u64)NVMQ_REG_DOORBELLS + NVMQ_PAGE_SIZE);
		return -ENODEV;
	}
	return 0;
}

/**
 * nvmq_hw_unmap - undo nvmq_hw_map() and nvmq_hw_map_doorbells()
 * @hw: the controller; nobody may touch its registers any more
 */
void nvmq_hw_unmap(struct nvmq_hw *hw)
{
	if (hw->bar)
		iounmap(hw->bar);
	hw->bar = NULL;
	hw->mapped = 0;
}

/**
 * nvmq_hw_map_doorbells - make the doorbells of I/O queues reachable
 * @hw: the controller, caps read
 * @queues: number of I/O queue pairs wanted
 *
 * May move the mapping: to be called before any doorbell address is taken.
 *
 * Context: may sleep.
 * Return: how many pairs can be reached, at most @queues; a BAR that is too
 * short for all of them is no error.
 */
u32 nvmq_hw_map_doorbells(struct nvmq_hw *hw, u32 queues)
{
	u32 dstrd = NVMQ_CAP_DSTRD(hw->cap);
	size_t room = pci_resource_len(hw->pdev, 0);
	size_t need;

	while (queues && nvmq_doorbell_offset(queues + 1, false, dstrd) > room)
		queues--;
	need = PAGE_ALIGN(nvmq_doorbell_offset(queues + 1, false, dstrd));
	/* A BAR need not be whole pages. */
	if (map_bar(hw, min(need, room)))
		return 0;
	return queues;
}

/* CC of a device that is there; all ones in either register says that it is gone. */
static int read_cc(const struct nvmq_hw *hw, u32 *cc)
{
	if (nvmq_hw_gone(hw))
		return -ENODEV;
	*cc = nvmq_read32(hw->bar, NVMQ_REG_CC);
	return *cc == ALL_ONES ? -ENODEV : 0;
}

/* Wait until CSTS & @mask is @want.  -ENODEV, -EIO (CFS) and -ETIMEDOUT. */
static int wait_csts(struct nvmq_hw *hw, u32 mask, u32 want, u32 timeout_ms, bool cfs_fails)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(timeout_ms) + 1;
	unsigned int sleep_us = 20;

	for (;;) {
		/* The deadline is looked at before the register: no false alarm. */
		bool late = time_after(jiffies, deadline);
		u32 csts = nvmq_read32(hw->bar, NVMQ_REG_CSTS);

		if (csts == ALL_ONES)
			return -ENODEV;
		if ((csts & mask) == want)
			return 0;
		if (cfs_fails && (csts & NVMQ_CSTS_CFS))
			return -EIO;
		if (late)
			return -ETIMEDOUT;
		usleep_range(sleep_us, 2 * sleep_us);
		sleep_us = min(2 * sleep_us, 10000u);
	}
}

static void read_ready_timeout(struct nvmq_hw *hw)
{
	u32 ms = (NVMQ_CAP_TO(hw->cap) + 1) * 500;

	/* TO is only 8 bits; CRTO, where there is one, may say more (base 3.1.3.23). */
	if (NVMQ_CAP_CRMS(hw->cap) & NVMQ_CAP_CRMS_CRWMS) {
		u32 crwmt = NVMQ_CRTO_CRWMT(nvmq_read32(hw->bar, NVMQ_REG_CRTO)) * 500;

		ms = max(ms, crwmt);
	}
	hw->ready_ms = ms;
}

/**
 * nvmq_hw_probe_caps - read CAP and VS and judge them
 * @hw: the mapped controller
 *
 * Return: 0, -ENODEV if the device is gone or needs what we do not have.
 */
int nvmq_hw_probe_caps(struct nvmq_hw *hw)
{
	struct device *dev = &hw->pdev->dev;
	u32 css;

	hw->cap = nvmq_read64(hw->bar, NVMQ_REG_CAP);
	hw->vs = nvmq_read32(hw->bar, NVMQ_REG_VS);
	if (hw->cap == ~0ull || hw->vs == ALL_ONES || nvmq_hw_gone(hw)) {
		dev_err(dev, "registers read as all ones: the device is not there\n");
		return -ENODEV;
	}

	if (NVMQ_CAP_MPSMIN(hw->cap)) {
		dev_err(dev, "CAP.MPSMIN=%u: pages of at least %u bytes are not supported, only 4096\n",
			NVMQ_CAP_MPSMIN(hw->cap), 4096u << NVMQ_CAP_MPSMIN(hw->cap));
		return -ENODEV;
	}
	if (!NVMQ_CAP_MQES(hw->cap)) {
		/* The specification wants MQES >= 1, that is two entries. */
		dev_err(dev, "CAP.MQES=0: a queue of one entry can hold no command\n");
		return -ENODEV;
	}
	if (nvmq_doorbell_offset(1, false, NVMQ_CAP_DSTRD(hw->cap)) > hw->mapped &&
	    map_bar(hw, PAGE_ALIGN(nvmq_doorbell_offset(1, false, NVMQ_CAP_DSTRD(hw->cap))))) {
		dev_err(dev, "BAR 0 (%pR) does not reach the admin doorbells at stride %u\n",
			&hw->pdev->resource[0], 4u << NVMQ_CAP_DSTRD(hw->cap));
		return -ENODEV;
	}

	css = NVMQ_CAP_CSS(hw->cap);
	if (!css) {
		/* Some name none: they have the one from before there was a choice.  Said once. */
		if (!hw->cc)
			dev_warn(dev, "CAP.CSS=0: no command set is named, the NVM command set is taken\n");
		css = NVMQ_CAP_CSS_NVM;
	}
	hw->no_io = false;
	if (css & NVMQ_CAP_CSS_IOCS) {
		hw->cc = NVMQ_CC_CSS_IOCS;
	} else if (css & NVMQ_CAP_CSS_NVM) {
		hw->cc = NVMQ_CC_CSS_NVM;
	} else if (css & NVMQ_CAP_CSS_NOIO) {
		hw->cc = NVMQ_CC_CSS_ADMIN;
		hw->no_io = true;
	} else {
		dev_err(dev, "CAP.CSS=%#x: no command set that this driver knows\n", css);
		return -ENODEV;
	}
	hw->cc |= NVMQ_CC_IOSQES | NVMQ_CC_IOCQES;
	if (hw->wrr && nvmq_hw_has_wrr(hw))
		hw->cc |= NVMQ_CC_AMS_WRR;
	read_ready_timeout(hw);
	return 0;
}

/**
 * nvmq_hw_disable - clear CC.EN and wait for CSTS.RDY to follow
 * @hw: the mapped controller, in any state
 *
 * The only way to take the controller's queues away from it: after success it
 * makes no more accesses to memory (base 3.6.1, controller level reset).
 * Firmware may have left EN = 1; its queues are of no concern, and a shutdown
 * would let the device write a completion to memory that is ours by now.
 * A function level reset is tried when RDY does not fall.
 *
 * Context: may sleep, up to CAP.TO.
 * Return: 0, -ENODEV if the device is gone, -ETIMEDOUT if nothing helped.
 */
int nvmq_hw_disable(struct nvmq_hw *hw)
{
	u32 timeout = hw->ready_ms ?: READY_MAX_MS;
	u32 cc;
	int err;

	err = read_cc(hw, &cc);
	if (err)
		return err;
	/*
	 * RDY may still be on its way up: wait for it, then clear EN (base
	 * 3.1.3.5).  It may never come up in a controller that was shut down.
	 */
	if ((cc & NVMQ_CC_EN) && !(nvmq_hw_status(hw) & NVMQ_CSTS_SHST_MASK))
		wait_csts(hw, NVMQ_CSTS_RDY, NVMQ_CSTS_RDY, timeout, true);
	cc &= ~(NVMQ_CC_EN | NVMQ_CC_SHN_MASK);
	nvmq_write32(hw->bar, NVMQ_REG_CC, cc);
	if (hw->settle_ms)
		msleep(hw->settle_ms);
	err = wait_csts(hw, NVMQ_CSTS_RDY, 0, timeout, false);
	if (err != -ETIMEDOUT)
		return err;

	dev_warn(&hw->pdev->dev,
		 "CSTS.RDY did not fall within %u ms of CC.EN=0 (CSTS=%#x): function level reset\n",
		 timeout, nvmq_hw_status(hw));
	/* Saved state that is not restored would be taken for that of a suspend. */
	if (pcie_reset_flr(hw->pdev, true))
		return -ETIMEDOUT;
	/* The reset forgets BARs, memory decoding and vectors: they are put back. */
	pci_save_state(hw->pdev);
	if (pcie_reset_flr(hw->pdev, false)) {
		pci_restore_state(hw->pdev);
		return -ETIMEDOUT;
	}
	pci_restore_state(hw->pdev);
	return wait_csts(hw, NVMQ_CSTS_RDY, 0, timeout, false);
}

/**
 * nvmq_hw_enable - give the controller its admin queue and start it
 * @hw: a disabled controller, caps read
 * @entries: entries of both admin queues, 2 to 4096
 * @asq: DMA address of the admin submission queue, page aligned
 * @acq: DMA address of the admin completion queue, page aligned
 *
 * Base 3.5.1 steps 3 to 6.
 *
 * Context: may sleep, up to CAP.TO or CRTO.
 * Return: 0, -ENODEV (gone), -EIO (CFS), -ETIMEDOUT (never ready).
 */
int nvmq_hw_enable(struct nvmq_hw *hw, u32 entries, dma_addr_t asq, dma_addr_t acq)
{
	struct device *dev = &hw->pdev->dev;
	int err;

	nvmq_write32(hw->bar, NVMQ_REG_AQA, (entries - 1) << 16 | (entries - 1));
	nvmq_write64(hw->bar, NVMQ_REG_ASQ, asq);
	nvmq_write64(hw->bar, NVMQ_REG_ACQ, acq);

	/* CC.CSS may change what CAP says: write it, look again, then enable. */
	nvmq_write32(hw->bar, NVMQ_REG_CC, hw->cc);
	hw->cap = nvmq_read64(hw->bar, NVMQ_REG_CAP);
	if (hw->cap == ~0ull) {
		dev_err(dev, "controller not ready: it is gone (CAP reads as all ones)\n");
		return -ENODEV;
	}
	read_ready_timeout(hw);

	nvmq_write32(hw->bar, NVMQ_REG_CC, hw->cc | NVMQ_CC_EN);
	err = wait_csts(hw, NVMQ_CSTS_RDY, NVMQ_CSTS_RDY, hw->ready_ms, true);
	if (err)
		dev_err(dev, "controller not ready: %s (CSTS=%#x, limit %u ms)\n",
			err == -ENODEV ? "it is gone" :
			err == -EIO ? "fatal status" : "timed out",
			nvmq_hw_status(hw), hw->ready_ms);
	return err;
}

/**
 * nvmq_hw_shutdown - tell the controller to save what it has
 * @hw: an enabled controller without I/O queues in use
 * @timeout_ms: RTD3E, or the driver's own limit where that is zero
 *
 * Normal shutdown, base 3.6.1: SHN alone, EN stays as it is.
 *
 * Context: may sleep.
 * Return: 0 once the device has let go of host memory; -ENODEV, -ETIMEDOUT.
 */
int nvmq_hw_shutdown(struct nvmq_hw *hw, u32 timeout_ms)
{
	u32 cc;
	int err;

	err = read_cc(hw, &cc);
	if (err)
		return err;
	cc &= ~NVMQ_CC_SHN_MASK;
	nvmq_write32(hw->bar, NVMQ_REG_CC, cc | NVMQ_CC_SHN_NORMAL);
	err = wait_csts(hw, NVMQ_CSTS_SHST_MASK, NVMQ_CSTS_SHST_DONE, timeout_ms, false);
	if (err == -ETIMEDOUT)
		dev_warn(&hw->pdev->dev, "shutdown not complete after %u ms (CSTS=%#x)\n",
			 timeout_ms, nvmq_hw_status(hw));
	return err;
}

/**
 * nvmq_hw_subsystem_reset - reset the NVM subsystem (base 3.7.1)
 * @hw: a controller with CAP.NSSRS
 *
 * For the bus that is like a conventional reset: the function has 100 ms to answer again, and may
 * have lost its configuration.
 *
 * Context: sleeps.
 * Return: 0; -ENODEV if the function does not answer within a second.
 */
int nvmq_hw_subsystem_reset(struct nvmq_hw *hw)
{
	unsigned long deadline = jiffies + HZ;

	nvmq_write32(hw->bar, NVMQ_REG_NSSR, NVMQ_NSSR_RESET);
	msleep(100);
	while (!pci_device_is_present(hw->pdev)) {
		if (time_after(jiffies, deadline))
			return -ENODEV;
		msleep(20);
	}
	pci_restore_state(hw->pdev);
	/* What is saved is used up each time. */
	pci_save_state(hw->pdev);
	return 0;
}
