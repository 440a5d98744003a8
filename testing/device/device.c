// SPDX-License-Identifier: GPL-2.0
/*
 * Glue between the server, which knows regions, and those who know what is in them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

/* The MSI-X table has a BAR of its own: what is where in BAR 0 is the doorbells' business. */
#define MSIX_BAR	4
#define MSIX_TABLE	0
#define MSIX_PBA	0x8000
#define MSIX_BAR_SIZE	0x10000

static int region_read(void *ctx, unsigned int region, uint64_t off, void *buf, size_t len)
{
	struct device *device = ctx;
	int err;

	if (device->ctrl->gone) {
		memset(buf, 0xff, len);
		return 0;
	}
	switch (region) {
	case VFIO_PCI_BAR0_REGION_INDEX:
		if (!pci_memory_enabled(device->pci))
			memset(buf, 0xff, len);
		else
			ctrl_read(device->ctrl, off, buf, len);
		return 0;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return pci_config_read(device->pci, off, buf, len);
	default:
		err = pci_msix_read(device->pci, region, off, buf, len);
		if (err == -ENOENT) {
			memset(buf, 0, len);
			err = 0;
		}
		return err;
	}
}

static int region_write(void *ctx, unsigned int region, uint64_t off, const void *buf, size_t len)
{
	struct device *device = ctx;
	int err;

	if (device->ctrl->gone)
		return 0;
	switch (region) {
	case VFIO_PCI_BAR0_REGION_INDEX:
		if (pci_memory_enabled(device->pci))
			ctrl_write(device->ctrl, off, buf, len);
		return 0;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return pci_config_write(device->pci, off, buf, len);
	default:
		err = pci_msix_write(device->pci, region, off, buf, len);
		return err == -ENOENT ? 0 : err;
	}
}

static void reset(void *ctx)
{
	struct device *device = ctx;

	pci_reset(device->pci);
	ctrl_reset(device->ctrl, RESET_BUS);
}

static int dma_map(void *ctx, uint64_t iova, uint64_t size, unsigned int prot, int fd,
		   uint64_t offset)
{
	struct device *device = ctx;

	return mem_map(device->mem, iova, size, prot, fd, offset);
}

static int dma_unmap(void *ctx, uint64_t iova, uint64_t size)
{
	struct device *device = ctx;

	ctrl_unmapping(device->ctrl, iova, size);
	return mem_unmap(device->mem, iova, size);
}

static void dma_unmap_all(void *ctx)
{
	struct device *device = ctx;

	/* Only who takes a machine apart does this: nobody is to blame. */
	mem_unmap_all(device->mem);
}

static int set_irqs(void *ctx, const struct vfu_irq_set *set)
{
	struct device *device = ctx;

	return pci_set_irqs(device->pci, set);
}

static void connected(void *ctx)
{
	struct device *device = ctx;

	ctrl_script_event(device->ctrl, LIE_ON_CONNECT);
}

/* The machine is gone: what comes next is another one, and finds the device as after a reset. */
static void disconnected(void *ctx)
{
	struct device *device = ctx;

	ctrl_script_event(device->ctrl, LIE_ON_DISCONNECT);
	pci_disconnect(device->pci);
	pci_reset(device->pci);
	ctrl_reset(device->ctrl, RESET_BUS);
	mem_unmap_all(device->mem);
}

static void flr(void *ctx)
{
	struct device *device = ctx;

	ctrl_reset(device->ctrl, RESET_FUNCTION);
}

static void changed(void *ctx)
{
	struct device *device = ctx;

	/* pci_new() may say so before there is a controller. */
	if (device->ctrl)
		ctrl_pci_changed(device->ctrl);
}

static const struct vfu_ops vfu_ops = {
	.read = region_read,
	.write = region_write,
	.reset = reset,
	.dma_map = dma_map,
	.dma_unmap = dma_unmap,
	.dma_unmap_all = dma_unmap_all,
	.set_irqs = set_irqs,
	.connected = connected,
	.disconnected = disconnected,
};

static const struct pci_ops pci_ops = {
	.flr = flr,
	.changed = changed,
};

static struct pci *new_pci(const struct options *opt, struct device *device)
{
	struct pci_id id = {
		/* Red Hat's range, as QEMU's devices; but Linux has quirks for QEMU's own NVMe. */
		.vendor = 0x1b36,
		.device = 0x00f0,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class_code = 0x010802,		/* NVM Express */
		.revision = 1,
		.msix_vectors = opt->vectors,
		.msi_vectors = opt->msi,
		.intx = opt->pin,
		.flr = true,
	};

	id.bar_size[0] = ctrl_bar_size(opt);
	id.bar_64[0] = true;
	if (opt->vectors) {
		id.bar_size[MSIX_BAR] = MSIX_BAR_SIZE;
		id.bar_64[MSIX_BAR] = true;
		id.msix_bar = MSIX_BAR;
		id.msix_table = MSIX_TABLE;
		id.msix_pba = MSIX_PBA;
	}
	return pci_new(&id, &pci_ops, device);
}

struct device *device_new(const struct options *opt, FILE *log)
{
	struct device *device = calloc(1, sizeof(*device));
	struct vfu_shape shape = { 0 };

	if (!device)
		return NULL;
	device->mem = mem_new();
	device->judge = judge_new(opt->judge, log);
	device->script = script_new();
	device->clock = clock_new();
	device->pci = new_pci(opt, device);
	if (!device->mem || !device->judge || !device->script || !device->clock || !device->pci)
		goto free_device;
	device->ctrl = ctrl_new(opt, device->mem, device->pci, device->judge, device->script,
				device->clock);
	if (!device->ctrl)
		goto free_device;
	pci_shape(device->pci, &shape);
	device->vfu = vfu_new(&shape, &vfu_ops, device);
	if (!device->vfu)
		goto free_device;
	return device;

free_device:
	device_free(device);
	return NULL;
}

void device_free(struct device *device)
{
	if (!device)
		return;
	vfu_close(device->vfu);
	ctrl_free(device->ctrl);
	pci_free(device->pci);
	clock_free(device->clock);
	script_free(device->script);
	judge_free(device->judge);
	mem_free(device->mem);
	free(device);
}

int device_step(struct device *device)
{
	int n = vfu_process(device->vfu);

	if (n < 0)
		return n;
	/* Not a second look at the socket before the doorbells that came are answered. */
	return ctrl_run(device->ctrl) || n > 0;
}
