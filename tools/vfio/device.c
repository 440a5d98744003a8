// SPDX-License-Identifier: GPL-2.0
/* See device.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "../sys.h"
#include "device.h"

/*
 * Where an IOMMU does not say which addresses it knows: below 4 GiB every one has some, above
 * 0xfee00000 a write is an interrupt on x86.
 */
#define IOVA_FIRST	0x10000ull
#define IOVA_LAST	0xfedfffffull

/**
 * device_err - a line on stderr about a function
 * @dev: the function
 * @format: for printf, without a newline
 *
 * What was printed on stdout comes before it.
 */
void device_err(const struct vfio_device *dev, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "nvmq-vfio: %s: ", dev->pdev.dev.name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* ---- the group ---- */

/* Devices of the group that keep it from being used, with their drivers. */
static char *others(const char *bdf)
{
	char *text = sys_must(strdup(""));
	struct dirent **entries;
	int i, n;

	n = sys_list(&entries, SYS_PCI "/%s/iommu_group/devices", bdf);
	for (i = 0; i < n; i++) {
		char *driver = sys_link(SYS_PCI "/%s/driver", entries[i]->d_name), *longer;
		const char *name = driver ? strrchr(driver, '/') + 1 : NULL;

		if (name && strcmp(name, "vfio-pci") && strcmp(name, "pcieport")) {
			longer = sys_format("%s%s%s has %s", text, *text ? ", " : "", name,
					    entries[i]->d_name);
			free(text);
			text = longer;
		}
		free(driver);
	}
	sys_free_list(entries, n);
	return text;
}

static int open_group(struct vfio_device *dev)
{
	char *node = sys_vfio_node(dev->pdev.dev.name);
	int ret = -1;

	if (!node) {
		device_err(dev, "it is behind no IOMMU: boot with one (intel_iommu=on), or see %s",
			   "\"Without an IOMMU\" in nvmq-vfio(8)");
		return -1;
	}
	dev->noiommu = strstr(node, "noiommu");
	dev->group = open(node, O_RDWR | O_CLOEXEC);
	if (dev->group >= 0)
		ret = 0;
	else if (errno == EBUSY)
		device_err(dev, "in use: another program has %s open", node);
	else
		device_err(dev, "%s: %s%s", node, strerror(errno),
			   errno == EACCES ? " (root may)" :
			   errno == EPERM ? " (no-IOMMU mode is for CAP_SYS_RAWIO)" : "");
	free(node);
	return ret;
}

/* The first range of addresses that the IOMMU translates and that is of some size. */
static void find_iovas(struct vfio_device *dev)
{
	union {
		struct vfio_iommu_type1_info info;
		char room[4096];
	} u = { .info.argsz = sizeof(u) };
	struct vfio_iommu_type1_info_cap_iova_range *cap;
	struct vfio_info_cap_header *header;
	u32 at, i;

	dev->next_iova = IOVA_FIRST;
	dev->last_iova = IOVA_LAST;
	if (ioctl(dev->container, VFIO_IOMMU_GET_INFO, &u.info) ||
	    !(u.info.flags & VFIO_IOMMU_INFO_CAPS) || u.info.argsz > sizeof(u))
		return;
	for (at = u.info.cap_offset; at; at = header->next) {
		header = (struct vfio_info_cap_header *)(u.room + at);
		if (header->id != VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			continue;
		cap = (struct vfio_iommu_type1_info_cap_iova_range *)header;
		for (i = 0; i < cap->nr_iovas; i++) {
			u64 start = cap->iova_ranges[i].start, end = cap->iova_ranges[i].end;

			/* Never 0: too much takes that for no address. */
			start = start < IOVA_FIRST ? IOVA_FIRST : start;
			if (end > start && end - start >= dev->last_iova - dev->next_iova) {
				dev->next_iova = start;
				dev->last_iova = end;
			}
		}
	}
}

static int open_container(struct vfio_device *dev)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int type = dev->noiommu ? VFIO_NOIOMMU_IOMMU : VFIO_TYPE1v2_IOMMU;
	char *text;

	if (ioctl(dev->group, VFIO_GROUP_GET_STATUS, &status)) {
		device_err(dev, "its group does not tell its state: %s", strerror(errno));
		return -1;
	}
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		text = others(dev->pdev.dev.name);
		device_err(dev, "its IOMMU group is not viable: %s: bind all of it to vfio-pci",
			   *text ? text : "another device of it has a driver");
		free(text);
		return -1;
	}
	dev->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (dev->container < 0) {
		device_err(dev, "/dev/vfio/vfio: %s", strerror(errno));
		return -1;
	}
	if (ioctl(dev->container, VFIO_GET_API_VERSION) != VFIO_API_VERSION ||
	    ioctl(dev->container, VFIO_CHECK_EXTENSION, type) != 1) {
		device_err(dev, "this kernel's vfio has no %s", dev->noiommu ? "no-IOMMU mode" :
			   "type 1 IOMMU: modprobe vfio_iommu_type1");
		return -1;
	}
	if (ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &dev->container) ||
	    ioctl(dev->container, VFIO_SET_IOMMU, type)) {
		device_err(dev, "no address space for its group: %s%s", strerror(errno),
			   dev->noiommu || errno != EPERM ? "" :
			   " (interrupts without remapping: the kernel log says more)");
		return -1;
	}
	if (dev->noiommu)
		device_err(dev, "warning: no IOMMU: the device can reach all memory of the machine");
	else
		find_iovas(dev);
	return 0;
}

/* ---- regions ---- */

/* How much of BAR 0 may be mapped, from its beginning: a page with the MSI-X table may not be. */
static u64 mappable(const struct vfio_region_info *info)
{
	const struct vfio_region_info_cap_sparse_mmap *sparse;
	const struct vfio_info_cap_header *header;
	u64 end = info->size, at;
	u32 i;

	if (!(info->flags & VFIO_REGION_INFO_FLAG_MMAP))
		return 0;
	for (at = info->flags & VFIO_REGION_INFO_FLAG_CAPS ? info->cap_offset : 0; at;
	     at = header->next) {
		header = (const void *)((const char *)info + at);
		if (header->id != VFIO_REGION_INFO_CAP_SPARSE_MMAP)
			continue;
		sparse = (const void *)header;
		end = 0;
		for (i = 0; i < sparse->nr_areas; i++)
			if (!sparse->areas[i].offset)
				end = sparse->areas[i].size;
	}
	return end;
}

static int map_bar(struct vfio_device *dev)
{
	union {
		struct vfio_region_info info;
		char room[1024];
	} u = { .info = { .argsz = sizeof(u), .index = VFIO_PCI_BAR0_REGION_INDEX } };

	if (ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &u.info) || u.info.argsz > sizeof(u)) {
		device_err(dev, "BAR 0 is not described: %s", strerror(errno));
		return -1;
	}
	dev->bar_bytes = mappable(&u.info);
	if (!dev->bar_bytes) {
		device_err(dev, "BAR 0 cannot be mapped (%llu bytes)",
			   (unsigned long long)u.info.size);
		return -1;
	}
	dev->bar = mmap(NULL, dev->bar_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd,
			u.info.offset);
	if (dev->bar == MAP_FAILED) {
		dev->bar = NULL;
		device_err(dev, "BAR 0 is not mapped: %s", strerror(errno));
		return -1;
	}
	dev->pdev.resource[0].start = 0;
	dev->pdev.resource[0].end = dev->bar_bytes - 1;
	dev->pdev.resource[0].flags = IORESOURCE_MEM;
	return 0;
}

static int find_regions(struct vfio_device *dev)
{
	struct vfio_region_info config = {
		.argsz = sizeof(config), .index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	struct vfio_irq_info irqs = { .argsz = sizeof(irqs), .index = VFIO_PCI_MSIX_IRQ_INDEX };

	if (ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &config)) {
		device_err(dev, "configuration space is not described: %s", strerror(errno));
		return -1;
	}
	dev->config_at = config.offset;
	dev->config_bytes = config.size;
	if (!ioctl(dev->fd, VFIO_DEVICE_GET_IRQ_INFO, &irqs) &&
	    (irqs.flags & VFIO_IRQ_INFO_EVENTFD))
		dev->vectors = irqs.count;
	return map_bar(dev);
}

/**
 * device_open - open a function that vfio-pci has
 * @dev: filled in; to be given to device_close() in either case
 * @bdf: its PCI address, which stays where it is
 *
 * vfio resets the function, if it can be.
 *
 * Return: 0; -1, with a line on stderr.
 */
int device_open(struct vfio_device *dev, const char *bdf)
{
	memset(dev, 0, sizeof(*dev));
	dev->container = -1;
	dev->group = -1;
	dev->fd = -1;
	dev->pdev.dev.name = bdf;
	dev->pdev.error_state = pci_channel_io_normal;
	if (open_group(dev) || open_container(dev))
		return -1;
	dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (dev->fd < 0) {
		device_err(dev, "vfio does not open it: %s", strerror(errno));
		return -1;
	}
	return find_regions(dev);
}

/**
 * device_close - undo device_open()
 * @dev: the function; it is reset, can reach no memory any more, and others may open it
 */
void device_close(struct vfio_device *dev)
{
	if (dev->fd >= 0)
		device_set_master(dev, false);
	if (dev->bar)
		munmap(dev->bar, dev->bar_bytes);
	dev->bar = NULL;
	if (dev->fd >= 0)
		close(dev->fd);
	if (dev->group >= 0)
		close(dev->group);
	if (dev->container >= 0)
		close(dev->container);
	dev->fd = -1;
	dev->group = -1;
	dev->container = -1;
}

/* ---- configuration space, reset ---- */

/**
 * device_config_read - read configuration space
 * @dev: the function
 * @offset: from where
 * @to: filled in
 * @bytes: how much
 *
 * Return: 0; -1, silently, if it does not reach that far.
 */
int device_config_read(const struct vfio_device *dev, u32 offset, void *to, size_t bytes)
{
	if (offset + bytes > dev->config_bytes ||
	    pread(dev->fd, to, bytes, dev->config_at + offset) != (ssize_t)bytes)
		return -1;
	return 0;
}

/**
 * device_set_master - let the function access memory, or not
 * @dev: the function
 * @on: whether it may
 *
 * Return: 0; -1, with a line on stderr.
 */
int device_set_master(const struct vfio_device *dev, bool on)
{
	u16 command;

	if (device_config_read(dev, PCI_COMMAND, &command, sizeof(command)))
		command = 0;
	command = le16_to_cpu(command) | PCI_COMMAND_MEMORY;
	command = on ? command | PCI_COMMAND_MASTER : command & ~PCI_COMMAND_MASTER;
	command = cpu_to_le16(command);
	if (pwrite(dev->fd, &command, sizeof(command), dev->config_at + PCI_COMMAND) ==
	    sizeof(command))
		return 0;
	device_err(dev, "the PCI command register cannot be written: %s", strerror(errno));
	return -1;
}

/**
 * device_reset - reset the function
 * @dev: the function; configuration space is as before afterwards
 *
 * Return: 0; -1 if it cannot be reset.
 */
int device_reset(const struct vfio_device *dev)
{
	return ioctl(dev->fd, VFIO_DEVICE_RESET) ? -1 : 0;
}

/* ---- interrupts ---- */

/**
 * device_enable_interrupts - have MSI-X vectors tell eventfds
 * @dev: the function
 * @fds: the eventfd of each vector, from 0 on
 * @count: vectors, 1 to @dev->vectors
 *
 * Return: 0; -1, with a line on stderr.
 */
int device_enable_interrupts(const struct vfio_device *dev, const int *fds, u32 count)
{
	size_t bytes = sizeof(struct vfio_irq_set) + count * sizeof(*fds);
	struct vfio_irq_set *set = sys_must(calloc(1, bytes));
	int err;

	set->argsz = bytes;
	set->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	set->index = VFIO_PCI_MSIX_IRQ_INDEX;
	set->count = count;
	memcpy(set->data, fds, count * sizeof(*fds));
	err = ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, set) ? errno : 0;
	free(set);
	if (!err)
		return 0;
	device_err(dev, "no MSI-X interrupts (%u of %u vectors): %s", count, dev->vectors,
		   strerror(err));
	return -1;
}

/**
 * device_disable_interrupts - undo device_enable_interrupts()
 * @dev: the function
 */
void device_disable_interrupts(const struct vfio_device *dev)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
	};

	ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, &set);
}

/* ---- memory ---- */

/**
 * device_map - let the function reach memory of this process, by way of the IOMMU
 * @dev: the function, which has one
 * @memory: where, page aligned; stays mapped until device_close()
 * @bytes: how much, whole pages
 * @iova: set to the address that it has for the function
 *
 * No address is given twice.
 *
 * Return: 0; -1, with a line on stderr.
 */
int device_map(struct vfio_device *dev, void *memory, size_t bytes, u64 *iova)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = (dev->next_iova + bytes - 1) / bytes * bytes,
		.size = bytes,
	};

	if (map.iova + bytes - 1 > dev->last_iova) {
		device_err(dev, "no address is left behind the IOMMU");
		return -1;
	}
	if (ioctl(dev->container, VFIO_IOMMU_MAP_DMA, &map)) {
		device_err(dev, "%zu bytes of memory cannot be mapped for it: %s%s", bytes,
			   strerror(errno), errno == ENOMEM ? " (see ulimit -l)" : "");
		return -1;
	}
	*iova = map.iova;
	dev->next_iova = map.iova + bytes;
	return 0;
}
