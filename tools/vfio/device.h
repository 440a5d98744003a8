/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PCI function that vfio-pci has, opened by this process: configuration space, BAR 0, interrupts,
 * reset, and the memory that it may reach.
 */
#ifndef NVMQ_VFIO_DEVICE_H
#define NVMQ_VFIO_DEVICE_H

#include <stdbool.h>

#include <linux/pci.h>
#include <linux/types.h>

/**
 * struct vfio_device - an opened function
 * @pdev: as the driver's sources know it; its name is the PCI address, and resource 0 is the part
 *        of BAR 0 that is mapped, from address 0 on
 * @container: file descriptor of the address space
 * @group: of the group
 * @fd: of the function itself
 * @noiommu: addresses are physical ones, and nothing checks them
 * @bar: where BAR 0 is mapped
 * @bar_bytes: how much of it, from its beginning
 * @config_at: where configuration space is in @fd
 * @config_bytes: its size
 * @vectors: MSI-X vectors
 * @next_iova: from here on no address was given to memory
 * @last_iova: the last address that the IOMMU knows
 */
struct vfio_device {
	struct pci_dev pdev;
	int container;
	int group;
	int fd;
	bool noiommu;
	void *bar;
	size_t bar_bytes;
	u64 config_at;
	u64 config_bytes;
	u32 vectors;
	u64 next_iova;
	u64 last_iova;
};

void device_err(const struct vfio_device *dev, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int device_open(struct vfio_device *dev, const char *bdf);
void device_close(struct vfio_device *dev);
int device_config_read(const struct vfio_device *dev, u32 offset, void *to, size_t bytes);
int device_set_master(const struct vfio_device *dev, bool on);
int device_reset(const struct vfio_device *dev);
int device_enable_interrupts(const struct vfio_device *dev, const int *fds, u32 count);
void device_disable_interrupts(const struct vfio_device *dev);
int device_map(struct vfio_device *dev, void *memory, size_t bytes, u64 *iova);

#endif
