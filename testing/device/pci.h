/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The PCI function in front of the device: configuration space with power management, MSI, MSI-X
 * and PCI Express capabilities, and the delivery of interrupts to the client's eventfds. What the
 * function is for is its caller's business.
 *
 * Specifications: PCI Local Bus 3.0, PCI Express Base 4.0, PCI Power Management 1.2.
 */
#ifndef DEVICE_PCI_H
#define DEVICE_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vfu_irq_set;
struct vfu_shape;

#define PCI_CONFIG_BYTES	4096
#define PCI_NR_BARS		6

/**
 * struct pci_id - what the function is, and what it has
 * @vendor: vendor ID
 * @device: device ID
 * @subsystem_vendor: subsystem vendor ID
 * @subsystem: subsystem ID
 * @class_code: 24 bits: base class, subclass, programming interface
 * @revision: revision ID
 * @bar_size: memory BARs, a power of two of at least 16 bytes, 0 for none; the BAR after one that
 *	is @bar_64 has none of its own
 * @bar_64: the BAR is 64 bits wide
 * @msix_bar: BAR of the MSI-X table and of the pending bits
 * @msix_table: offset of the table, a multiple of 8
 * @msix_pba: offset of the pending bits, a multiple of 8
 * @msix_vectors: 1 to 2048; 0: no MSI-X
 * @msi_vectors: 1, 2, 4, 8, 16 or 32; 0: no MSI
 * @intx: has an interrupt pin (INTA#)
 * @flr: can be reset by itself (function level reset)
 */
struct pci_id {
	uint16_t vendor;
	uint16_t device;
	uint16_t subsystem_vendor;
	uint16_t subsystem;
	uint32_t class_code;
	uint8_t revision;
	uint64_t bar_size[PCI_NR_BARS];
	bool bar_64[PCI_NR_BARS];
	unsigned int msix_bar;
	uint32_t msix_table;
	uint32_t msix_pba;
	unsigned int msix_vectors;
	unsigned int msi_vectors;
	bool intx;
	bool flr;
};

/**
 * struct pci_ops - what the device hears of writes to configuration space
 * @flr: a function level reset was begun; configuration space is already in its initial state.
 *	May be NULL if there is no FLR
 * @changed: the Command register, the power state or the way of interrupts is another than
 *	before; may be NULL
 */
struct pci_ops {
	void (*flr)(void *ctx);
	void (*changed)(void *ctx);
};

/**
 * enum pci_irq_mode - how the guest wants its interrupts, as configuration space says
 * @PCI_IRQ_NONE: not at all: no MSI-X, no MSI, and no pin or INTx disabled
 * @PCI_IRQ_INTX: by the pin
 * @PCI_IRQ_MSI: by MSI
 * @PCI_IRQ_MSIX: by MSI-X
 */
enum pci_irq_mode {
	PCI_IRQ_NONE,
	PCI_IRQ_INTX,
	PCI_IRQ_MSI,
	PCI_IRQ_MSIX,
};

struct pci;

/**
 * pci_new() - a function after power-on, with no eventfds
 * @id: what it is; copied
 * @ops: callbacks; must outlive the function
 * @ctx: their first argument
 *
 * Return: the function; NULL without memory or if @id contradicts itself (errno is set).
 */
struct pci *pci_new(const struct pci_id *id, const struct pci_ops *ops, void *ctx);

/**
 * pci_free() - close the eventfds and free the function
 * @pci: the function, or NULL
 */
void pci_free(struct pci *pci);

/**
 * pci_shape() - describe the function to the client
 * @pci: the function
 * @shape: filled in: BARs, configuration space, interrupts
 */
void pci_shape(const struct pci *pci, struct vfu_shape *shape);

/**
 * pci_config_read() - read configuration space
 * @pci: the function
 * @off: first byte
 * @buf: where to
 * @len: bytes
 *
 * Return: 0; -EINVAL if the range is not inside of configuration space.
 */
int pci_config_read(struct pci *pci, uint64_t off, void *buf, size_t len);

/**
 * pci_config_write() - write configuration space
 * @pci: the function
 * @off: first byte
 * @buf: from where
 * @len: bytes; read-only bits are ignored
 *
 * Calls flr() and changed() after the whole write.
 *
 * Return: 0; -EINVAL if the range is not inside of configuration space.
 */
int pci_config_write(struct pci *pci, uint64_t off, const void *buf, size_t len);

/**
 * pci_msix_read() - read the MSI-X table or the pending bits, if they are there
 * @pci: the function
 * @bar: BAR number
 * @off: offset in the BAR
 * @buf: where to
 * @len: bytes
 *
 * Return: 0; -ENOENT if no byte of the range is the table's or the pending bits': the device
 * answers itself; -EINVAL if only some are, or for a width other than 4 or 8, aligned (PCI 3.0,
 * 6.8.2).
 */
int pci_msix_read(struct pci *pci, unsigned int bar, uint64_t off, void *buf, size_t len);

/**
 * pci_msix_write() - write the MSI-X table or the pending bits, if they are there
 * @pci: the function
 * @bar: BAR number
 * @off: offset in the BAR
 * @buf: from where
 * @len: bytes
 *
 * QEMU keeps the table itself and never writes it; so the Mask bit of an entry counts only once
 * it was written.
 *
 * Return: as pci_msix_read().
 */
int pci_msix_write(struct pci *pci, unsigned int bar, uint64_t off, const void *buf, size_t len);

/**
 * pci_set_irqs() - carry out DEVICE_SET_IRQS
 * @pci: the function
 * @set: what the client wants; eventfds that are kept are taken out of it
 *
 * Return: 0; -EINVAL for what the interrupts of that index cannot do.
 */
int pci_set_irqs(struct pci *pci, const struct vfu_irq_set *set);

/**
 * pci_reset() - conventional reset: configuration space is in its initial state
 * @pci: the function
 *
 * Calls no callback. The eventfds stay: they are the client's wiring, not the function's state.
 */
void pci_reset(struct pci *pci);

/**
 * pci_disconnect() - the client is gone: close its eventfds
 * @pci: the function
 */
void pci_disconnect(struct pci *pci);

/**
 * pci_irq() - send an MSI or MSI-X message
 * @pci: the function
 * @vector: which
 *
 * One that is masked, or that the client has not wired yet, becomes pending and is sent when
 * that ends; more than one of them are one then (PCI 3.0, 6.8.3.4).
 *
 * Return: 0 if it is sent; -EAGAIN if it is pending; -EPERM if the function is no bus master, not
 * in D0 or has neither MSI nor MSI-X enabled: the message is lost; -EINVAL if there is no such
 * vector.
 */
int pci_irq(struct pci *pci, unsigned int vector);

/**
 * pci_intx_set() - drive the interrupt pin
 * @pci: the function
 * @level: asserted or not
 *
 * The level is remembered whatever the guest has enabled, and the Interrupt Status bit shows it
 * (PCI 3.0, 6.2.3).
 */
void pci_intx_set(struct pci *pci, bool level);

/**
 * pci_irq_mode() - how the guest wants its interrupts
 * @pci: the function
 *
 * Return: the mode.
 */
enum pci_irq_mode pci_irq_mode(const struct pci *pci);

/**
 * pci_irq_vectors() - how many vectors the guest has enabled
 * @pci: the function
 *
 * Return: of MSI-X all, of MSI what Multiple Message Enable says, otherwise 1.
 */
unsigned int pci_irq_vectors(const struct pci *pci);

/**
 * pci_bus_master() - may the device read and write the guest's memory
 * @pci: the function
 *
 * Return: true with Bus Master Enable set and the function in D0.
 */
bool pci_bus_master(const struct pci *pci);

/**
 * pci_memory_enabled() - does the device answer at its BARs
 * @pci: the function
 *
 * Return: true with Memory Space Enable set and the function in D0.
 */
bool pci_memory_enabled(const struct pci *pci);

#endif
