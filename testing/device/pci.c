// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration space is an array of bytes, an array that says which bits of them may be written,
 * and one that says which are cleared by writing 1. What a write means beyond that is looked at
 * when the whole write is done.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "pci.h"
#include "vfio_user.h"

/* Where the capabilities are, in the order of their chain; not all of them are always there. */
#define PM_CAP		0x40
#define MSI_CAP		0x50
#define MSIX_CAP	0x70
#define EXP_CAP		0x80
#define EXP_CAP_BYTES	0x3c

#define MSIX_MAX	2048
#define MSI_MAX		32
#define NR_WIRED	3	/* INTx, MSI, MSI-X: VFIO_PCI_*_IRQ_INDEX 0 to 2 */

/* The bits of Device Control and its kin that outlive a function level reset (PCIe 6.6.2). */
#define DEVCTL_STICKY	PCI_EXP_DEVCTL_PAYLOAD

struct wires {
	int *fds;		/* -1: none */
	unsigned int count;
};

struct pci {
	struct pci_id id;
	const struct pci_ops *ops;
	void *ctx;

	/* Derived from configuration space by look(), for the I/O path. */
	enum pci_irq_mode mode;
	unsigned int vectors;
	bool master;
	bool memory;
	bool function_masked;

	struct wires wires[NR_WIRED];
	bool level;		/* of the pin */
	bool intx_masked;	/* by the client, or because it was told and has not answered */

	uint8_t config[PCI_CONFIG_BYTES];
	uint8_t initial[PCI_CONFIG_BYTES];
	uint8_t writable[PCI_CONFIG_BYTES];
	uint8_t clears[PCI_CONFIG_BYTES];

	uint8_t (*table)[PCI_MSIX_ENTRY_SIZE];
	bool masked[MSIX_MAX];	/* by a write to the table */
	uint64_t pending[MSIX_MAX / 64];
};

/* ---- configuration space as numbers ---- */

static uint16_t get16(const uint8_t *from)
{
	uint16_t value;

	memcpy(&value, from, sizeof(value));
	return le16toh(value);
}

static void set16(uint8_t *to, uint16_t value)
{
	value = htole16(value);
	memcpy(to, &value, sizeof(value));
}

static void set32(uint8_t *to, uint32_t value)
{
	value = htole32(value);
	memcpy(to, &value, sizeof(value));
}

/* ---- interrupts ---- */

static bool signal_fd(int fd)
{
	uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof(one));

	/* A counter that is full has not been read: the client knows already. */
	return n == sizeof(one) || errno == EAGAIN;
}

static bool wired(const struct pci *pci, unsigned int index, unsigned int vector)
{
	return vector < pci->wires[index].count && pci->wires[index].fds[vector] >= 0;
}

static void look_intx(struct pci *pci)
{
	if (!pci->level || pci->intx_masked || pci->mode != PCI_IRQ_INTX ||
	    !wired(pci, VFIO_PCI_INTX_IRQ_INDEX, 0))
		return;
	/* A level: told once, and again when the client says that it has looked. */
	pci->intx_masked = true;
	signal_fd(pci->wires[VFIO_PCI_INTX_IRQ_INDEX].fds[0]);
}

static unsigned int message_index(const struct pci *pci)
{
	return pci->mode == PCI_IRQ_MSIX ? VFIO_PCI_MSIX_IRQ_INDEX : VFIO_PCI_MSI_IRQ_INDEX;
}

/* Can a message go out now, other than for a reason that loses it? */
static bool deliverable(const struct pci *pci, unsigned int vector)
{
	if (pci->mode == PCI_IRQ_MSIX && (pci->function_masked || pci->masked[vector]))
		return false;
	return wired(pci, message_index(pci), vector);
}

static void look_pending(struct pci *pci)
{
	const struct wires *wires;
	unsigned int vector;

	if ((pci->mode != PCI_IRQ_MSI && pci->mode != PCI_IRQ_MSIX) || !pci->master)
		return;
	wires = &pci->wires[message_index(pci)];
	for (vector = 0; vector < pci->vectors; vector++) {
		if (!pci->pending[vector / 64]) {
			vector |= 63;
			continue;
		}
		if (!(pci->pending[vector / 64] & 1ULL << vector % 64) ||
		    !deliverable(pci, vector))
			continue;
		pci->pending[vector / 64] &= ~(1ULL << vector % 64);
		signal_fd(wires->fds[vector]);
	}
}

int pci_irq(struct pci *pci, unsigned int vector)
{
	if (pci->mode != PCI_IRQ_MSIX && pci->mode != PCI_IRQ_MSI)
		return -EPERM;
	if (vector >= pci->vectors)
		return -EINVAL;
	if (!pci->master)
		return -EPERM;
	if (!deliverable(pci, vector)) {
		pci->pending[vector / 64] |= 1ULL << vector % 64;
		return -EAGAIN;
	}
	signal_fd(pci->wires[message_index(pci)].fds[vector]);
	return 0;
}

void pci_intx_set(struct pci *pci, bool level)
{
	if (!pci->id.intx || pci->level == level)
		return;
	pci->level = level;
	look_intx(pci);
}

/* A descriptor of something else could block, or kill the device by SIGPIPE. */
static bool is_eventfd(int fd)
{
	char path[32], target[32] = "";
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	return n > 0 && !strcmp(target, "anon_inode:[eventfd]");
}

static void unwire(struct wires *wires, unsigned int vector)
{
	if (wires->fds[vector] >= 0)
		close(wires->fds[vector]);
	wires->fds[vector] = -1;
}

static int set_eventfds(struct pci *pci, const struct vfu_irq_set *set)
{
	struct wires *wires = &pci->wires[set->index];
	unsigned int i;

	for (i = 0; i < set->count; i++) {
		if (set->fds[i] < 0)
			continue;
		if (!is_eventfd(set->fds[i]))
			return -EINVAL;
		/* The device must not wait for a client that never reads. QEMU's are like that. */
		if (fcntl(set->fds[i], F_SETFL, O_NONBLOCK))
			return -errno;
	}
	for (i = 0; i < set->count; i++) {
		unwire(wires, set->start + i);
		wires->fds[set->start + i] = set->fds[i];
		set->fds[i] = -1;
	}
	if (set->index == VFIO_PCI_INTX_IRQ_INDEX)
		pci->intx_masked = false;
	return 0;
}

int pci_set_irqs(struct pci *pci, const struct vfu_irq_set *set)
{
	uint32_t data = set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	uint32_t action = set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
	struct wires *wires;
	unsigned int i;
	int error = 0;

	if (set->index >= NR_WIRED)
		return set->count ? -EINVAL : 0;
	wires = &pci->wires[set->index];
	if (set->start > wires->count || set->count > wires->count - set->start)
		return -EINVAL;

	if (action != VFIO_IRQ_SET_ACTION_TRIGGER) {
		/* Only the pin can be masked, and not by a file descriptor: see pci_shape(). */
		if (set->index != VFIO_PCI_INTX_IRQ_INDEX || data == VFIO_IRQ_SET_DATA_EVENTFD)
			return -EINVAL;
		if (set->count && (data == VFIO_IRQ_SET_DATA_NONE || set->bools[0]))
			pci->intx_masked = action == VFIO_IRQ_SET_ACTION_MASK;
	} else if (data == VFIO_IRQ_SET_DATA_EVENTFD) {
		error = set_eventfds(pci, set);
	} else if (data == VFIO_IRQ_SET_DATA_NONE && !set->count) {
		for (i = 0; i < wires->count; i++)
			unwire(wires, i);
		if (set->index == VFIO_PCI_INTX_IRQ_INDEX)
			pci->intx_masked = false;
	} else {
		for (i = 0; i < set->count; i++)
			if (wires->fds[set->start + i] >= 0 && (!set->bools || set->bools[i]))
				signal_fd(wires->fds[set->start + i]);
	}
	look_intx(pci);
	look_pending(pci);
	return error;
}

void pci_disconnect(struct pci *pci)
{
	unsigned int index, i;

	for (index = 0; index < NR_WIRED; index++)
		for (i = 0; i < pci->wires[index].count; i++)
			unwire(&pci->wires[index], i);
	pci->intx_masked = false;
	memset(pci->pending, 0, sizeof(pci->pending));
}

/* ---- what configuration space says ---- */

static void look(struct pci *pci)
{
	uint16_t command = get16(pci->config + PCI_COMMAND);
	enum pci_irq_mode was = pci->mode;
	unsigned int granted;
	bool awake;

	awake = !(get16(pci->config + PM_CAP + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK);
	pci->memory = awake && (command & PCI_COMMAND_MEMORY);
	pci->master = awake && (command & PCI_COMMAND_MASTER);
	pci->function_masked = false;
	pci->mode = PCI_IRQ_NONE;
	pci->vectors = 1;
	if (pci->id.msix_vectors &&
	    (get16(pci->config + MSIX_CAP + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_ENABLE)) {
		pci->mode = PCI_IRQ_MSIX;
		pci->vectors = pci->id.msix_vectors;
		pci->function_masked = get16(pci->config + MSIX_CAP + PCI_MSIX_FLAGS) &
				       PCI_MSIX_FLAGS_MASKALL;
	} else if (pci->id.msi_vectors &&
		   (get16(pci->config + MSI_CAP + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_ENABLE)) {
		pci->mode = PCI_IRQ_MSI;
		granted = get16(pci->config + MSI_CAP + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_QSIZE;
		granted = 1U << granted / (PCI_MSI_FLAGS_QSIZE & -PCI_MSI_FLAGS_QSIZE);
		/* More than what was asked for is not a thing the guest may grant. */
		pci->vectors = granted < pci->id.msi_vectors ? granted : pci->id.msi_vectors;
	} else if (pci->id.intx && !(command & PCI_COMMAND_INTX_DISABLE)) {
		pci->mode = PCI_IRQ_INTX;
	}
	if (pci->mode != was)
		memset(pci->pending, 0, sizeof(pci->pending));
	look_intx(pci);
	look_pending(pci);
}

static void initial_state(struct pci *pci)
{
	unsigned int i;

	memcpy(pci->config, pci->initial, sizeof(pci->config));
	memset(pci->masked, 0, sizeof(pci->masked));
	memset(pci->pending, 0, sizeof(pci->pending));
	for (i = 0; i < pci->id.msix_vectors; i++) {
		memset(pci->table[i], 0, PCI_MSIX_ENTRY_SIZE);
		pci->table[i][PCI_MSIX_ENTRY_VECTOR_CTRL] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
	}
	pci->level = false;
	look(pci);
}

void pci_reset(struct pci *pci)
{
	initial_state(pci);
}

/* PCIe 6.6.2: all but what concerns the link and the packets on it. */
static void function_level_reset(struct pci *pci)
{
	uint16_t devctl = get16(pci->config + EXP_CAP + PCI_EXP_DEVCTL) & DEVCTL_STICKY;
	uint16_t lnkctl = get16(pci->config + EXP_CAP + PCI_EXP_LNKCTL);
	uint16_t lnkctl2 = get16(pci->config + EXP_CAP + PCI_EXP_LNKCTL2);

	initial_state(pci);
	devctl |= get16(pci->config + EXP_CAP + PCI_EXP_DEVCTL) & ~DEVCTL_STICKY;
	set16(pci->config + EXP_CAP + PCI_EXP_DEVCTL, devctl);
	set16(pci->config + EXP_CAP + PCI_EXP_LNKCTL, lnkctl);
	set16(pci->config + EXP_CAP + PCI_EXP_LNKCTL2, lnkctl2);
}

int pci_config_read(struct pci *pci, uint64_t off, void *buf, size_t len)
{
	if (off > PCI_CONFIG_BYTES || len > PCI_CONFIG_BYTES - off)
		return -EINVAL;
	/* The one bit that changes by itself. */
	pci->config[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT;
	if (pci->level)
		pci->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
	memcpy(buf, pci->config + off, len);
	return 0;
}

/* Does a write of [off, off + len) write the byte at @at? */
static bool covers(uint64_t off, size_t len, unsigned int at)
{
	return off <= at && at - off < len;
}

int pci_config_write(struct pci *pci, uint64_t off, const void *buf, size_t len)
{
	const unsigned int power_at = PM_CAP + PCI_PM_CTRL;
	/* Initiate Function Level Reset is in the upper byte of Device Control. */
	const unsigned int flr_at = EXP_CAP + PCI_EXP_DEVCTL + 1;
	const uint8_t *bytes = buf;
	uint8_t wanted, power = pci->config[power_at] & PCI_PM_CTRL_STATE_MASK;
	enum pci_irq_mode mode = pci->mode;
	unsigned int vectors = pci->vectors;
	bool master = pci->master, memory = pci->memory, flr = false;
	size_t i;

	if (off > PCI_CONFIG_BYTES || len > PCI_CONFIG_BYTES - off)
		return -EINVAL;
	for (i = 0; i < len; i++) {
		uint8_t *byte = pci->config + off + i;
		uint8_t mask = pci->writable[off + i];

		*byte = (*byte & ~mask) | (bytes[i] & mask);
		*byte &= ~(bytes[i] & pci->clears[off + i]);
	}
	/* There are D0 and D3hot only: a write of another is discarded (PM 1.2, 3.2.4). */
	wanted = pci->config[power_at] & PCI_PM_CTRL_STATE_MASK;
	if (wanted != 0 && wanted != 3)
		pci->config[power_at] ^= wanted ^ power;
	if (pci->id.flr && covers(off, len, flr_at) &&
	    (bytes[flr_at - off] & (PCI_EXP_DEVCTL_BCR_FLR >> 8))) {
		function_level_reset(pci);
		flr = true;
	}
	look(pci);
	if (flr)
		pci->ops->flr(pci->ctx);
	if (pci->ops->changed && (mode != pci->mode || vectors != pci->vectors ||
				  master != pci->master || memory != pci->memory))
		pci->ops->changed(pci->ctx);
	return 0;
}

enum pci_irq_mode pci_irq_mode(const struct pci *pci)
{
	return pci->mode;
}

unsigned int pci_irq_vectors(const struct pci *pci)
{
	return pci->vectors;
}

bool pci_bus_master(const struct pci *pci)
{
	return pci->master;
}

bool pci_memory_enabled(const struct pci *pci)
{
	return pci->memory;
}

/* ---- the MSI-X table and the pending bits ---- */

static uint64_t pba_bytes(const struct pci *pci)
{
	return (pci->id.msix_vectors + 63) / 64 * sizeof(uint64_t);
}

static uint64_t table_bytes(const struct pci *pci)
{
	return (uint64_t)pci->id.msix_vectors * PCI_MSIX_ENTRY_SIZE;
}

/*
 * Is [off, off + len) in the area of @bytes at @start? 0, and its offset there; -ENOENT if it is
 * outside; -EINVAL if it is not an access that the area allows.
 */
static int in_area(uint64_t off, size_t len, uint64_t start, uint64_t bytes, uint64_t *at)
{
	if (off >= start + bytes || off + len <= start)
		return -ENOENT;
	if (off < start || off + len > start + bytes || (len != 4 && len != 8) || off % len)
		return -EINVAL;
	*at = off - start;
	return 0;
}

int pci_msix_read(struct pci *pci, unsigned int bar, uint64_t off, void *buf, size_t len)
{
	uint64_t at = 0, word;
	int error;

	if (!pci->id.msix_vectors || bar != pci->id.msix_bar || off + len < off)
		return -ENOENT;
	error = in_area(off, len, pci->id.msix_table, table_bytes(pci), &at);
	if (!error)
		memcpy(buf, (const uint8_t *)pci->table + at, len);
	if (error != -ENOENT)
		return error;
	error = in_area(off, len, pci->id.msix_pba, pba_bytes(pci), &at);
	if (!error) {
		word = htole64(pci->pending[at / sizeof(word)]);
		memcpy(buf, (const uint8_t *)&word + at % sizeof(word), len);
	}
	return error;
}

int pci_msix_write(struct pci *pci, unsigned int bar, uint64_t off, const void *buf, size_t len)
{
	/* Per entry: the address in units of 4 bytes, the data, and one bit of Vector Control. */
	static const uint8_t writable[PCI_MSIX_ENTRY_SIZE] = {
		0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, PCI_MSIX_ENTRY_CTRL_MASKBIT, 0, 0, 0
	};
	const uint8_t *bytes = buf;
	uint64_t at = 0, i;
	uint8_t *entry;
	int error;

	if (!pci->id.msix_vectors || bar != pci->id.msix_bar || off + len < off)
		return -ENOENT;
	error = in_area(off, len, pci->id.msix_table, table_bytes(pci), &at);
	/* Writes to the pending bits are undefined; here they do nothing (PCI 3.0, 6.8.2.10). */
	if (error == -ENOENT)
		return in_area(off, len, pci->id.msix_pba, pba_bytes(pci), &at);
	if (error)
		return error;
	entry = pci->table[at / PCI_MSIX_ENTRY_SIZE];
	for (i = 0; i < len; i++) {
		unsigned int byte = (at + i) % PCI_MSIX_ENTRY_SIZE;

		entry[byte] = (entry[byte] & ~writable[byte]) | (bytes[i] & writable[byte]);
		if (byte == PCI_MSIX_ENTRY_VECTOR_CTRL)
			pci->masked[at / PCI_MSIX_ENTRY_SIZE] =
				entry[byte] & PCI_MSIX_ENTRY_CTRL_MASKBIT;
	}
	look_pending(pci);
	return 0;
}

/* ---- a new function ---- */

static bool power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

/* Does [start, start + bytes) lie in the BAR, aligned? */
static bool area_ok(const struct pci_id *id, uint64_t start, uint64_t bytes)
{
	return start % 8 == 0 && start + bytes <= id->bar_size[id->msix_bar];
}

static bool id_ok(const struct pci *pci)
{
	const struct pci_id *id = &pci->id;
	unsigned int i;

	for (i = 0; i < PCI_NR_BARS; i++) {
		uint64_t size = id->bar_size[i];

		if (!size) {
			if (id->bar_64[i])
				return false;
			continue;
		}
		if (size < 16 || !power_of_two(size) || (!id->bar_64[i] && size > 1U << 31))
			return false;
		if (id->bar_64[i] && (i + 1 == PCI_NR_BARS || id->bar_size[i + 1]))
			return false;
	}
	if (id->msi_vectors && (!power_of_two(id->msi_vectors) || id->msi_vectors > MSI_MAX))
		return false;
	if (id->msix_vectors) {
		uint64_t table_end = id->msix_table + table_bytes(pci);
		uint64_t pba_end = id->msix_pba + pba_bytes(pci);

		if (id->msix_vectors > MSIX_MAX || id->msix_bar >= PCI_NR_BARS ||
		    !area_ok(id, id->msix_table, table_bytes(pci)) ||
		    !area_ok(id, id->msix_pba, pba_bytes(pci)) ||
		    (id->msix_table < pba_end && id->msix_pba < table_end))
			return false;
	}
	return !id->flr || pci->ops->flr;
}

/* A register of 16 bits: its first value, and which of its bits may be written. */
static void reg16(struct pci *pci, unsigned int at, uint16_t value, uint16_t writable)
{
	set16(pci->initial + at, value);
	set16(pci->writable + at, writable);
}

static void reg32(struct pci *pci, unsigned int at, uint32_t value, uint32_t writable)
{
	set32(pci->initial + at, value);
	set32(pci->writable + at, writable);
}

static void fill_header(struct pci *pci)
{
	const struct pci_id *id = &pci->id;
	unsigned int i;

	reg16(pci, PCI_VENDOR_ID, id->vendor, 0);
	reg16(pci, PCI_DEVICE_ID, id->device, 0);
	reg16(pci, PCI_COMMAND, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
	      PCI_COMMAND_SERR | (id->intx ? PCI_COMMAND_INTX_DISABLE : 0));
	reg16(pci, PCI_STATUS, PCI_STATUS_CAP_LIST, 0);
	set16(pci->clears + PCI_STATUS, PCI_STATUS_PARITY | PCI_STATUS_SIG_TARGET_ABORT |
	      PCI_STATUS_REC_TARGET_ABORT | PCI_STATUS_REC_MASTER_ABORT |
	      PCI_STATUS_SIG_SYSTEM_ERROR | PCI_STATUS_DETECTED_PARITY);
	reg32(pci, PCI_CLASS_REVISION, id->class_code << 8 | id->revision, 0);
	pci->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	for (i = 0; i < PCI_NR_BARS; i++) {
		unsigned int at = PCI_BASE_ADDRESS_0 + 4 * i;
		uint64_t bits = ~(id->bar_size[i] - 1);

		if (!id->bar_size[i])
			continue;
		reg32(pci, at, id->bar_64[i] ? PCI_BASE_ADDRESS_MEM_TYPE_64 : 0, bits);
		if (id->bar_64[i])
			reg32(pci, at + 4, 0, bits >> 32);
	}
	reg16(pci, PCI_SUBSYSTEM_VENDOR_ID, id->subsystem_vendor, 0);
	reg16(pci, PCI_SUBSYSTEM_ID, id->subsystem, 0);
	pci->writable[PCI_INTERRUPT_LINE] = 0xff;
	pci->initial[PCI_INTERRUPT_PIN] = id->intx;
}

/* Put a capability at the end of the chain, whose last pointer is *@link. */
static void chain(struct pci *pci, unsigned int *link, uint8_t type, unsigned int at)
{
	pci->initial[*link] = at;
	pci->initial[at + PCI_CAP_LIST_ID] = type;
	*link = at + PCI_CAP_LIST_NEXT;
}

static void fill_express(struct pci *pci, unsigned int at)
{
	const uint16_t link = PCI_EXP_LNKCAP_SLS_8_0GB | 4 << 4;	/* 8 GT/s, four lanes */

	reg16(pci, at + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4, 0);
	reg32(pci, at + PCI_EXP_DEVCAP, 1 | PCI_EXP_DEVCAP_EXT_TAG | PCI_EXP_DEVCAP_RBER |
	      (pci->id.flr ? PCI_EXP_DEVCAP_FLR : 0), 0);
	reg16(pci, at + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN |
	      PCI_EXP_DEVCTL_READRQ_512B,
	      PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE |
	      PCI_EXP_DEVCTL_URRE | PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_PAYLOAD |
	      PCI_EXP_DEVCTL_EXT_TAG | PCI_EXP_DEVCTL_NOSNOOP_EN | PCI_EXP_DEVCTL_READRQ);
	set16(pci->clears + at + PCI_EXP_DEVSTA, PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED |
	      PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD);
	reg32(pci, at + PCI_EXP_LNKCAP, link, 0);
	reg16(pci, at + PCI_EXP_LNKCTL, 0, PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_RCB |
	      PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES);
	reg16(pci, at + PCI_EXP_LNKSTA, link, 0);
	reg32(pci, at + PCI_EXP_DEVCAP2, PCI_EXP_DEVCAP2_COMP_TMOUT_DIS, 0);
	reg16(pci, at + PCI_EXP_DEVCTL2, 0, PCI_EXP_DEVCTL2_COMP_TMOUT_DIS);
	reg32(pci, at + PCI_EXP_LNKCAP2, PCI_EXP_LNKCAP2_SLS_2_5GB | PCI_EXP_LNKCAP2_SLS_5_0GB |
	      PCI_EXP_LNKCAP2_SLS_8_0GB, 0);
	reg16(pci, at + PCI_EXP_LNKCTL2, PCI_EXP_LNKCTL2_TLS_8_0GT, PCI_EXP_LNKCTL2_TLS);
}

static void fill_capabilities(struct pci *pci)
{
	const struct pci_id *id = &pci->id;
	unsigned int link = PCI_CAPABILITY_LIST;

	chain(pci, &link, PCI_CAP_ID_PM, PM_CAP);
	reg16(pci, PM_CAP + PCI_PM_PMC, 3, 0);
	reg16(pci, PM_CAP + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET, PCI_PM_CTRL_STATE_MASK);
	if (id->msi_vectors) {
		unsigned int log2 = 0;

		while (1U << log2 < id->msi_vectors)
			log2++;
		chain(pci, &link, PCI_CAP_ID_MSI, MSI_CAP);
		reg16(pci, MSI_CAP + PCI_MSI_FLAGS, PCI_MSI_FLAGS_64BIT | log2 << 1,
		      PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
		reg32(pci, MSI_CAP + PCI_MSI_ADDRESS_LO, 0, 0xfffffffc);
		reg32(pci, MSI_CAP + PCI_MSI_ADDRESS_HI, 0, 0xffffffff);
		reg16(pci, MSI_CAP + PCI_MSI_DATA_64, 0, 0xffff);
	}
	if (id->msix_vectors) {
		chain(pci, &link, PCI_CAP_ID_MSIX, MSIX_CAP);
		reg16(pci, MSIX_CAP + PCI_MSIX_FLAGS, id->msix_vectors - 1,
		      PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
		reg32(pci, MSIX_CAP + PCI_MSIX_TABLE, id->msix_table | id->msix_bar, 0);
		reg32(pci, MSIX_CAP + PCI_MSIX_PBA, id->msix_pba | id->msix_bar, 0);
	}
	chain(pci, &link, PCI_CAP_ID_EXP, EXP_CAP);
	fill_express(pci, EXP_CAP);
}

static int alloc_wires(struct wires *wires, unsigned int count)
{
	unsigned int i;

	wires->fds = malloc(count * sizeof(*wires->fds) + 1);
	if (!wires->fds)
		return -ENOMEM;
	wires->count = count;
	for (i = 0; i < count; i++)
		wires->fds[i] = -1;
	return 0;
}

struct pci *pci_new(const struct pci_id *id, const struct pci_ops *ops, void *ctx)
{
	struct pci *pci = calloc(1, sizeof(*pci));

	if (!pci)
		return NULL;
	pci->id = *id;
	pci->ops = ops;
	pci->ctx = ctx;
	if (!id_ok(pci)) {
		free(pci);
		errno = EINVAL;
		return NULL;
	}
	pci->table = calloc(id->msix_vectors + 1, sizeof(*pci->table));
	if (!pci->table || alloc_wires(&pci->wires[VFIO_PCI_INTX_IRQ_INDEX], id->intx) ||
	    alloc_wires(&pci->wires[VFIO_PCI_MSI_IRQ_INDEX], id->msi_vectors) ||
	    alloc_wires(&pci->wires[VFIO_PCI_MSIX_IRQ_INDEX], id->msix_vectors)) {
		pci_free(pci);
		errno = ENOMEM;
		return NULL;
	}
	fill_header(pci);
	fill_capabilities(pci);
	initial_state(pci);
	return pci;
}

void pci_free(struct pci *pci)
{
	unsigned int i;

	if (!pci)
		return;
	pci_disconnect(pci);
	for (i = 0; i < NR_WIRED; i++)
		free(pci->wires[i].fds);
	free(pci->table);
	free(pci);
}

void pci_shape(const struct pci *pci, struct vfu_shape *shape)
{
	const uint32_t both = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	unsigned int i;

	memset(shape, 0, sizeof(*shape));
	shape->flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	for (i = 0; i < PCI_NR_BARS; i++) {
		if (!pci->id.bar_size[i])
			continue;
		shape->regions[VFIO_PCI_BAR0_REGION_INDEX + i].size = pci->id.bar_size[i];
		shape->regions[VFIO_PCI_BAR0_REGION_INDEX + i].flags = both;
	}
	shape->regions[VFIO_PCI_CONFIG_REGION_INDEX].size = PCI_CONFIG_BYTES;
	shape->regions[VFIO_PCI_CONFIG_REGION_INDEX].flags = both;
	/* Any vector may be wired at any time, so there is no VFIO_IRQ_INFO_NORESIZE. */
	for (i = 0; i < NR_WIRED; i++) {
		shape->irqs[i].count = pci->wires[i].count;
		shape->irqs[i].flags = VFIO_IRQ_INFO_EVENTFD;
	}
	shape->irqs[VFIO_PCI_INTX_IRQ_INDEX].flags |= VFIO_IRQ_INFO_MASKABLE |
						      VFIO_IRQ_INFO_AUTOMASKED;
}
