/* SPDX-License-Identifier: GPL-2.0 */
/* NVMe controllers on the PCI bus, whoever has them, and how they change hands. */
#ifndef NVMQ_TOOLS_PCI_H
#define NVMQ_TOOLS_PCI_H

#include <stdbool.h>

/**
 * struct pci_dev - an NVMe controller
 * @bdf: PCI address
 * @driver: the driver that has it; NULL for none
 * @disks: names of its disks, separated by blanks
 */
struct pci_dev {
	char *bdf;
	char *driver;
	char *disks;
};

int pci_find(const char *name, struct pci_dev *dev);
void pci_free(struct pci_dev *dev);
void pci_look(struct pci_dev *dev);
bool pci_is_loaded(const char *driver);
char *pci_override(const struct pci_dev *dev);
int pci_set_override(const struct pci_dev *dev, const char *driver);
int pci_unbind(struct pci_dev *dev);
int pci_bind(struct pci_dev *dev, const char *driver);

#endif
