/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name: a function with one BAR. */
#ifndef UNIT_LINUX_PCI_H
#define UNIT_LINUX_PCI_H

#include <errno.h>

#include <linux/device.h>
#include <linux/io.h>
#include <linux/types.h>

typedef u64 resource_size_t;

struct resource {
	resource_size_t start, end;
	unsigned long flags;
};

#define IORESOURCE_IO	0x00000100
#define IORESOURCE_MEM	0x00000200

typedef enum {
	pci_channel_io_normal = 1,
	pci_channel_io_frozen,
	pci_channel_io_perm_failure,
} pci_channel_state_t;

struct pci_dev {
	struct device dev;
	pci_channel_state_t error_state;
	struct resource resource[6];
};

#define PAGE_SIZE	4096ul
#define PAGE_ALIGN(n)	(((n) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))

#define pci_resource_start(pdev, bar)	((pdev)->resource[bar].start)
#define pci_resource_flags(pdev, bar)	((pdev)->resource[bar].flags)
#define pci_resource_len(pdev, bar)					\
	((pdev)->resource[bar].end ?					\
	 (pdev)->resource[bar].end - (pdev)->resource[bar].start + 1 : 0)

int pci_save_state(struct pci_dev *pdev);
void pci_restore_state(struct pci_dev *pdev);
bool pci_device_is_present(struct pci_dev *pdev);
int pcie_reset_flr(struct pci_dev *pdev, bool probe);

#endif
