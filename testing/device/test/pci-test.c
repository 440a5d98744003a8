// SPDX-License-Identifier: GPL-2.0
/* Configuration space as a guest sees it, and interrupts as the client gets them. */
#include <fcntl.h>

#include "tap.h"
#include "pci.c"

static unsigned int flrs, changes;

static void on_flr(void *ctx)
{
	(void)ctx;
	flrs++;
}

static void on_changed(void *ctx)
{
	(void)ctx;
	changes++;
}

static const struct pci_ops ops = { .flr = on_flr, .changed = on_changed };

static const struct pci_id everything = {
	.vendor = 0x1234,
	.device = 0x5678,
	.subsystem_vendor = 0x9abc,
	.subsystem = 0xdef0,
	.class_code = 0x0a0b0c,
	.revision = 0x42,
	.bar_size = { 0x8000, 0, 0x1000, 0, 0x100000000, 0 },
	.bar_64 = { true, false, false, false, true, false },
	.msix_bar = 0,
	.msix_table = 0x4000,
	.msix_pba = 0x6000,
	.msix_vectors = 130,
	.msi_vectors = 8,
	.intx = true,
	.flr = true,
};

static struct pci *pci;
static int eventfds[130];

static uint32_t cfg(unsigned int at, size_t len)
{
	uint32_t value = 0;

	CHECK(!pci_config_read(pci, at, &value, len), "read %#x", at);
	return le32toh(value);
}

static void set_cfg(unsigned int at, size_t len, uint32_t value)
{
	value = htole32(value);
	CHECK(!pci_config_write(pci, at, &value, len), "write %#x", at);
}

static unsigned int find_cap(uint8_t type)
{
	unsigned int at = cfg(PCI_CAPABILITY_LIST, 1), left;

	for (left = 48; at && left; left--) {
		CHECK(at >= 0x40 && at % 4 == 0, "capability at %#x", at);
		if (cfg(at, 1) == type)
			return at;
		at = cfg(at + 1, 1);
	}
	CHECK(left, "the chain has no end");
	return 0;
}

/* Wires new eventfds to [start, start + count). */
static int wire(unsigned int index, unsigned int start, unsigned int count)
{
	int fds[130];
	struct vfu_irq_set set = {
		.index = index, .start = start, .count = count, .fds = fds,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
	};
	unsigned int i;
	int error;

	for (i = 0; i < count; i++) {
		if (eventfds[i + start] >= 0)
			close(eventfds[i + start]);
		eventfds[i + start] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		fds[i] = dup(eventfds[i + start]);
	}
	error = pci_set_irqs(pci, &set);
	for (i = 0; i < count; i++) {
		CHECK((fds[i] == -1) == !error, "fd %u: %d", i, fds[i]);
		if (fds[i] >= 0)
			close(fds[i]);
	}
	return error;
}

static int irq_action(unsigned int index, unsigned int start, unsigned int count, uint32_t flags,
		      const uint8_t *bools)
{
	struct vfu_irq_set set = { .index = index, .start = start, .count = count,
				   .flags = flags, .bools = bools };

	return pci_set_irqs(pci, &set);
}

static unsigned int taken(unsigned int vector)
{
	uint64_t n = 0;

	if (read(eventfds[vector], &n, sizeof(n)) != sizeof(n))
		return 0;
	return n;
}

static void start(const struct pci_id *id)
{
	unsigned int i;

	pci = pci_new(id, &ops, NULL);
	CHECK(pci, "pci_new: %d", errno);
	if (!pci)
		exit(1);
	for (i = 0; i < 130; i++)
		eventfds[i] = -1;
	flrs = 0;
	changes = 0;
}

static void stop(void)
{
	unsigned int i;

	pci_free(pci);
	for (i = 0; i < 130; i++)
		if (eventfds[i] >= 0)
			close(eventfds[i]);
}

static unsigned int open_fds(void)
{
	unsigned int fd, nr = 0;

	for (fd = 0; fd < 1024; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static void test_header(void)
{
	uint8_t byte;

	start(&everything);
	CHECK(cfg(PCI_VENDOR_ID, 4) == 0x56781234, "%#x", cfg(PCI_VENDOR_ID, 4));
	CHECK(cfg(PCI_CLASS_REVISION, 4) == 0x0a0b0c42, "%#x", cfg(PCI_CLASS_REVISION, 4));
	CHECK(cfg(PCI_SUBSYSTEM_VENDOR_ID, 4) == 0xdef09abc, "%#x",
	      cfg(PCI_SUBSYSTEM_VENDOR_ID, 4));
	CHECK(cfg(PCI_HEADER_TYPE, 1) == 0, "%#x", cfg(PCI_HEADER_TYPE, 1));
	CHECK(cfg(PCI_INTERRUPT_PIN, 1) == 1, "%#x", cfg(PCI_INTERRUPT_PIN, 1));
	CHECK(cfg(PCI_STATUS, 2) == PCI_STATUS_CAP_LIST, "%#x", cfg(PCI_STATUS, 2));
	CHECK(cfg(PCI_COMMAND, 2) == 0, "%#x", cfg(PCI_COMMAND, 2));
	CHECK(cfg(0x100, 4) == 0, "no extended capabilities: %#x", cfg(0x100, 4));

	set_cfg(PCI_VENDOR_ID, 4, 0xffffffff);
	CHECK(cfg(PCI_VENDOR_ID, 4) == 0x56781234, "read-only: %#x", cfg(PCI_VENDOR_ID, 4));
	set_cfg(PCI_COMMAND, 2, 0xffff);
	CHECK(cfg(PCI_COMMAND, 2) == 0x546, "Command %#x", cfg(PCI_COMMAND, 2));
	set_cfg(PCI_COMMAND, 1, 0);
	CHECK(cfg(PCI_COMMAND, 2) == 0x500, "only its lower byte: %#x", cfg(PCI_COMMAND, 2));

	/* The range is held to. */
	CHECK(!pci_config_read(pci, 4095, &byte, 1), "the last byte");
	CHECK(pci_config_read(pci, 4095, &byte, 2) == -EINVAL, "over the end");
	CHECK(pci_config_read(pci, 4096, &byte, 1) == -EINVAL, "behind the end");
	CHECK(pci_config_read(pci, ~0ULL, &byte, 2) == -EINVAL, "wraps around");
	CHECK(pci_config_write(pci, 4095, &byte, 2) == -EINVAL, "over the end");
	CHECK(pci_config_write(pci, ~0ULL, &byte, 2) == -EINVAL, "wraps around");
	stop();
}

static void test_every_bit(void)
{
	uint8_t before[PCI_CONFIG_BYTES], after[PCI_CONFIG_BYTES], ones[PCI_CONFIG_BYTES];
	unsigned int i, writable = 0;

	/* Whatever is written, only bits that may be written change; FLR aside. */
	start(&everything);
	memset(ones, 0xff, sizeof(ones));
	ones[EXP_CAP + PCI_EXP_DEVCTL + 1] &= ~(PCI_EXP_DEVCTL_BCR_FLR >> 8);
	CHECK(!pci_config_read(pci, 0, before, sizeof(before)), "read");
	CHECK(!pci_config_write(pci, 0, ones, sizeof(ones)), "write");
	CHECK(!pci_config_read(pci, 0, after, sizeof(after)), "read");
	for (i = 0; i < sizeof(before); i++) {
		writable += __builtin_popcount(pci->writable[i]);
		CHECK(after[i] == ((before[i] & ~pci->writable[i]) |
				   (ones[i] & pci->writable[i])), "byte %#x: %#x", i, after[i]);
		CHECK(!(pci->writable[i] & pci->clears[i]), "byte %#x is both", i);
	}
	CHECK(writable > 150 && writable < 400, "%u writable bits", writable);
	CHECK(!flrs, "%u resets", flrs);
	pci_reset(pci);
	CHECK(!pci_config_read(pci, 0, after, sizeof(after)), "read");
	CHECK(!memcmp(before, after, sizeof(before)), "reset restores everything");
	stop();
}

static void test_bars(void)
{
	static const uint32_t sized[] = { 0xffff8004, 0xffffffff, 0xfffff000, 0, 4, 0xffffffff };
	static const uint32_t moved[] = { 0xfebf0004, 0xfebf1234, 0xfebf1000, 0, 4, 0xfebf1234 };
	struct vfu_shape shape;
	unsigned int i;

	start(&everything);
	for (i = 0; i < 6; i++) {
		set_cfg(PCI_BASE_ADDRESS_0 + 4 * i, 4, 0xffffffff);
		CHECK(cfg(PCI_BASE_ADDRESS_0 + 4 * i, 4) == sized[i], "BAR %u: %#x", i,
		      cfg(PCI_BASE_ADDRESS_0 + 4 * i, 4));
		set_cfg(PCI_BASE_ADDRESS_0 + 4 * i, 4, 0xfebf1234);
		CHECK(cfg(PCI_BASE_ADDRESS_0 + 4 * i, 4) == moved[i], "BAR %u: %#x", i,
		      cfg(PCI_BASE_ADDRESS_0 + 4 * i, 4));
	}
	CHECK(cfg(PCI_ROM_ADDRESS, 4) == 0, "no ROM");
	pci_shape(pci, &shape);
	CHECK(shape.regions[0].size == 0x8000 && !shape.regions[1].size &&
	      shape.regions[2].size == 0x1000 && shape.regions[4].size == 1ULL << 32, "sizes");
	CHECK(shape.regions[VFIO_PCI_CONFIG_REGION_INDEX].size == 4096, "configuration space");
	CHECK(!shape.regions[VFIO_PCI_ROM_REGION_INDEX].size, "ROM");
	CHECK(shape.irqs[0].count == 1 && shape.irqs[1].count == 8 && shape.irqs[2].count == 130 &&
	      !shape.irqs[3].count && !shape.irqs[4].count, "interrupts");
	CHECK(shape.flags == (VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET), "%#x", shape.flags);
	stop();
}

static void test_bad_ids(void)
{
	struct pci_id id;

#define REFUSED(change)							\
	do {								\
		id = everything;					\
		change;							\
		errno = 0;						\
		CHECK(!pci_new(&id, &ops, NULL) && errno == EINVAL, "taken: " #change); \
	} while (0)
	REFUSED(id.bar_size[2] = 24);
	REFUSED(id.bar_size[2] = 8);
	REFUSED(id.bar_size[2] = 1ULL << 32);
	REFUSED(id.bar_size[1] = 4096);
	REFUSED(id.bar_64[5] = true);
	REFUSED(id.bar_64[5] = true; id.bar_size[4] = 0; id.bar_64[4] = false; id.bar_size[5] = 16);
	REFUSED(id.msi_vectors = 3);
	REFUSED(id.msi_vectors = 64);
	REFUSED(id.msix_vectors = 2049);
	REFUSED(id.msix_bar = 6);
	REFUSED(id.msix_bar = 1);
	REFUSED(id.msix_table = 0x4004);
	REFUSED(id.msix_table = 0x7800);
	REFUSED(id.msix_pba = 0x7ff8);
	REFUSED(id.msix_pba = 0x4800);
#undef REFUSED
	id = everything;
	CHECK(!pci_new(&id, &(struct pci_ops){ 0 }, NULL), "FLR that nobody hears of");
	pci_free(NULL);

	/* The least there can be. */
	start(&(struct pci_id){ .vendor = 1 });
	CHECK(!find_cap(PCI_CAP_ID_MSI) && !find_cap(PCI_CAP_ID_MSIX), "MSI");
	CHECK(find_cap(PCI_CAP_ID_PM) && find_cap(PCI_CAP_ID_EXP), "PM, Express");
	CHECK(!cfg(PCI_INTERRUPT_PIN, 1) && pci_irq_mode(pci) == PCI_IRQ_NONE, "no pin");
	set_cfg(PCI_COMMAND, 2, 0xffff);
	CHECK(!(cfg(PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE), "INTx disable without a pin");
	pci_intx_set(pci, true);
	CHECK(!(cfg(PCI_STATUS, 2) & PCI_STATUS_INTERRUPT), "status without a pin");
	set_cfg(find_cap(PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR);
	CHECK(!flrs && cfg(PCI_COMMAND, 2), "FLR without FLR");
	CHECK(pci_msix_read(pci, 0, 0, &id, 4) == -ENOENT, "no table");
	CHECK(wire(VFIO_PCI_MSIX_IRQ_INDEX, 0, 1) == -EINVAL, "no vectors");
	stop();
}

static void test_capabilities(void)
{
	unsigned int at;

	start(&everything);
	at = find_cap(PCI_CAP_ID_PM);
	CHECK(at && (cfg(at + PCI_PM_PMC, 2) & PCI_PM_CAP_VER_MASK) == 3, "PM %#x", at);
	at = find_cap(PCI_CAP_ID_MSI);
	CHECK(at && cfg(at + PCI_MSI_FLAGS, 2) == (PCI_MSI_FLAGS_64BIT | 3 << 1), "%#x",
	      cfg(at + PCI_MSI_FLAGS, 2));
	at = find_cap(PCI_CAP_ID_MSIX);
	CHECK(at && cfg(at + PCI_MSIX_FLAGS, 2) == 129, "%#x", cfg(at + PCI_MSIX_FLAGS, 2));
	CHECK(cfg(at + PCI_MSIX_TABLE, 4) == 0x4000, "%#x", cfg(at + PCI_MSIX_TABLE, 4));
	CHECK(cfg(at + PCI_MSIX_PBA, 4) == 0x6000, "%#x", cfg(at + PCI_MSIX_PBA, 4));
	at = find_cap(PCI_CAP_ID_EXP);
	CHECK(at && (cfg(at + PCI_EXP_FLAGS, 2) & PCI_EXP_FLAGS_VERS) == 2, "%#x",
	      cfg(at + PCI_EXP_FLAGS, 2));
	CHECK(cfg(at + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR, "%#x",
	      cfg(at + PCI_EXP_DEVCAP, 4));
	CHECK(cfg(at + PCI_EXP_LNKSTA, 2) == 0x43, "%#x", cfg(at + PCI_EXP_LNKSTA, 2));
	CHECK(at + EXP_CAP_BYTES <= 0x100, "it ends at %#x", at + EXP_CAP_BYTES);
	stop();
}

static void test_power_and_command(void)
{
	unsigned int at;

	start(&everything);
	at = find_cap(PCI_CAP_ID_PM) + PCI_PM_CTRL;
	CHECK(!pci_bus_master(pci) && !pci_memory_enabled(pci), "after reset");
	set_cfg(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	CHECK(!pci_bus_master(pci) && pci_memory_enabled(pci) && changes == 1, "%u", changes);
	set_cfg(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	CHECK(pci_bus_master(pci) && pci_memory_enabled(pci) && changes == 2, "%u", changes);
	set_cfg(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	CHECK(changes == 2, "nothing changed: %u", changes);

	set_cfg(at, 2, 1);
	CHECK((cfg(at, 2) & 3) == 0 && changes == 2, "D1: %#x", cfg(at, 2));
	set_cfg(at, 2, 3);
	CHECK((cfg(at, 2) & 3) == 3 && changes == 3, "D3hot: %#x", cfg(at, 2));
	CHECK(!pci_bus_master(pci) && !pci_memory_enabled(pci), "in D3hot");
	set_cfg(at, 2, 2);
	CHECK((cfg(at, 2) & 3) == 3, "D2 from D3hot: %#x", cfg(at, 2));
	set_cfg(at, 2, 0);
	CHECK(pci_bus_master(pci) && pci_memory_enabled(pci) && changes == 4, "%u", changes);
	stop();
}

static void enable_msix(void)
{
	set_cfg(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	set_cfg(MSIX_CAP + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
}

static void test_msix(void)
{
	unsigned int i, before = open_fds();

	start(&everything);
	CHECK(pci_irq(pci, 0) == -EPERM, "not enabled");
	CHECK(!wire(VFIO_PCI_MSIX_IRQ_INDEX, 0, 130), "wire");
	CHECK(pci_irq(pci, 0) == -EPERM && !taken(0), "wired, not enabled");
	set_cfg(MSIX_CAP + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
	CHECK(pci_irq_mode(pci) == PCI_IRQ_MSIX && pci_irq_vectors(pci) == 130, "mode");
	CHECK(pci_irq(pci, 0) == -EPERM && !taken(0), "no bus master");
	enable_msix();
	for (i = 0; i < 130; i++) {
		CHECK(!pci_irq(pci, i), "vector %u", i);
		CHECK(taken(i) == 1, "vector %u", i);
	}
	CHECK(pci_irq(pci, 130) == -EINVAL && pci_irq(pci, ~0U) == -EINVAL, "no such vector");
	CHECK(!pci_irq(pci, 7) && !pci_irq(pci, 7) && taken(7) == 2, "twice");
	for (i = 0; i < 130; i++)
		CHECK(!taken(i), "vector %u", i);

	/* D3hot: nothing goes out. */
	set_cfg(PM_CAP + PCI_PM_CTRL, 2, 3);
	CHECK(pci_irq(pci, 1) == -EPERM && !taken(1), "in D3hot");
	set_cfg(PM_CAP + PCI_PM_CTRL, 2, 0);
	CHECK(!pci_irq(pci, 1) && taken(1) == 1, "in D0");

	/* The client takes some away, then all. */
	CHECK(!irq_action(VFIO_PCI_MSIX_IRQ_INDEX, 0, 0, VFIO_IRQ_SET_DATA_NONE |
			  VFIO_IRQ_SET_ACTION_TRIGGER, NULL), "turn off");
	CHECK(pci_irq(pci, 5) == -EAGAIN && !taken(5), "unwired");
	stop();
	CHECK(open_fds() == before, "%u descriptors, before %u", open_fds(), before);
}

static void test_msix_pending(void)
{
	unsigned int at = everything.msix_table, i;
	uint64_t pba[3];
	uint32_t word;

	start(&everything);
	enable_msix();
	/* Not wired: pending until it is; sent once however often it was asked for. */
	CHECK(pci_irq(pci, 0) == -EAGAIN && pci_irq(pci, 129) == -EAGAIN &&
	      pci_irq(pci, 129) == -EAGAIN && pci_irq(pci, 64) == -EAGAIN, "not wired");
	for (i = 0; i < 3; i++)
		CHECK(!pci_msix_read(pci, 0, everything.msix_pba + 8 * i, &pba[i], 8), "PBA");
	CHECK(le64toh(pba[0]) == 1 && le64toh(pba[1]) == 1 && le64toh(pba[2]) == 2, "PBA");
	CHECK(!wire(VFIO_PCI_MSIX_IRQ_INDEX, 0, 130), "wire");
	CHECK(taken(0) == 1 && taken(129) == 1 && taken(64) == 1 && !taken(1), "not sent");
	CHECK(!pci_msix_read(pci, 0, everything.msix_pba + 16, &word, 4) && !word, "PBA");

	/* Function Mask. */
	set_cfg(MSIX_CAP + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	CHECK(pci_irq(pci, 77) == -EAGAIN && !taken(77), "function masked");
	CHECK(!pci_msix_read(pci, 0, everything.msix_pba + 8, &word, 4) &&
	      le32toh(word) == 1 << 13, "PBA %#x", word);
	set_cfg(MSIX_CAP + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
	CHECK(taken(77) == 1 && !taken(78), "function unmasked");

	/* The mask of an entry: set after reset, but unknown to count until it is written. */
	CHECK(!pci_msix_read(pci, 0, at + 3 * 16 + 12, &word, 4) && le32toh(word) == 1, "%u", word);
	CHECK(!pci_irq(pci, 3) && taken(3) == 1, "the client keeps the table");
	word = htole32(0xffffffff);
	CHECK(!pci_msix_write(pci, 0, at + 3 * 16 + 12, &word, 4), "write");
	CHECK(!pci_msix_read(pci, 0, at + 3 * 16 + 12, &word, 4) && le32toh(word) == 1, "%u", word);
	CHECK(pci_irq(pci, 3) == -EAGAIN && !taken(3), "masked");
	CHECK(!pci_irq(pci, 4) && taken(4) == 1, "its neighbour is not");
	word = 0;
	CHECK(!pci_msix_write(pci, 0, at + 3 * 16 + 12, &word, 4), "write");
	CHECK(taken(3) == 1, "unmasked");

	/* Turned off and on again: nothing is left over. */
	set_cfg(MSIX_CAP + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	CHECK(pci_irq(pci, 9) == -EAGAIN, "masked");
	set_cfg(MSIX_CAP + PCI_MSIX_FLAGS, 2, 0);
	set_cfg(MSIX_CAP + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
	CHECK(!taken(9), "an interrupt of an earlier life");
	stop();
}

static void test_most_vectors(void)
{
	struct pci_id id = everything;
	uint64_t pba;

	id.msix_vectors = 2048;
	id.bar_size[0] = 0x10000;
	id.msix_table = 0;
	id.msix_pba = 0x8000;
	start(&id);
	CHECK(cfg(MSIX_CAP + PCI_MSIX_FLAGS, 2) == 2047, "%u", cfg(MSIX_CAP + PCI_MSIX_FLAGS, 2));
	enable_msix();
	CHECK(pci_irq(pci, 2047) == -EAGAIN && pci_irq(pci, 2048) == -EINVAL, "the last");
	CHECK(!pci_msix_read(pci, 0, 0x80f8, &pba, 8) && le64toh(pba) == 1ULL << 63, "PBA");
	CHECK(pci_msix_read(pci, 0, 0x8100, &pba, 8) == -ENOENT, "behind it");
	CHECK(!wire(VFIO_PCI_MSIX_IRQ_INDEX, 0, 1), "wire another");
	CHECK(!pci_msix_read(pci, 0, 0x80f8, &pba, 8) && le64toh(pba) == 1ULL << 63, "PBA");
	stop();
}

static void test_msix_table(void)
{
	static const struct {
		unsigned int bar;
		uint64_t off;
		size_t len;
		int error;
	} cases[] = {
		{ 0, 0x3ffc, 4, -ENOENT },
		{ 0, 0x3ffc, 8, -EINVAL },
		{ 0, 0x4000, 4, 0 },
		{ 0, 0x4000, 8, 0 },
		{ 0, 0x4000, 1, -EINVAL },
		{ 0, 0x4000, 2, -EINVAL },
		{ 0, 0x4000, 16, -EINVAL },
		{ 0, 0x4002, 4, -EINVAL },
		{ 0, 0x4004, 8, -EINVAL },
		{ 0, 0x481c, 4, 0 },
		{ 0, 0x481c, 8, -EINVAL },
		{ 0, 0x4820, 4, -ENOENT },
		{ 0, 0x5ffc, 4, -ENOENT },
		{ 0, 0x6000, 8, 0 },
		{ 0, 0x6014, 4, 0 },
		{ 0, 0x6014, 8, -EINVAL },
		{ 0, 0x6018, 4, -ENOENT },
		{ 1, 0x4000, 4, -ENOENT },
		{ 0, ~0ULL - 3, 8, -ENOENT },
		{ 0, 0x1000, 0x8000, -EINVAL },
	};
	uint8_t buf[0x8000] = { 0 };
	uint64_t wide = 0x1122334455667788, back;
	unsigned int i;

	start(&everything);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int error = pci_msix_read(pci, cases[i].bar, cases[i].off, buf, cases[i].len);

		CHECK(error == cases[i].error, "read %u: %d", i, error);
		memset(buf, 0, sizeof(buf));
		error = pci_msix_write(pci, cases[i].bar, cases[i].off, buf, cases[i].len);
		CHECK(error == cases[i].error, "write %u: %d", i, error);
	}
	CHECK(!pci_msix_write(pci, 0, 0x4000 + 129 * 16, &wide, 8), "write");
	CHECK(!pci_msix_read(pci, 0, 0x4000 + 129 * 16, &back, 8), "read");
	CHECK(back == 0x1122334455667788, "%#llx", (unsigned long long)back);
	wide = ~0ULL;
	CHECK(!pci_msix_write(pci, 0, 0x4000, &wide, 8), "write");
	CHECK(!pci_msix_read(pci, 0, 0x4000, &back, 8), "read");
	CHECK(le64toh(back) == ~3ULL, "two bits are reserved: %#llx", (unsigned long long)back);
	/* The pending bits cannot be written. */
	CHECK(!pci_msix_write(pci, 0, 0x6000, &wide, 8), "write");
	CHECK(!pci_msix_read(pci, 0, 0x6000, &back, 8) && !back, "pending");
	stop();
}

static void test_msi(void)
{
	unsigned int i;

	start(&everything);
	set_cfg(PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	CHECK(!wire(VFIO_PCI_MSI_IRQ_INDEX, 0, 8), "wire");
	for (i = 0; i < 8; i++) {
		set_cfg(MSI_CAP + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | i << 4);
		CHECK(pci_irq_mode(pci) == PCI_IRQ_MSI, "mode");
		CHECK(pci_irq_vectors(pci) == (i < 3 ? 1U << i : 8), "granted %u: %u", i,
		      pci_irq_vectors(pci));
	}
	set_cfg(MSI_CAP + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | 1 << 4);
	CHECK(!pci_irq(pci, 1) && taken(1) == 1 && !taken(0), "vector 1");
	CHECK(pci_irq(pci, 2) == -EINVAL && !taken(2), "not granted");
	/* MSI-X wins, though a guest should not enable both. */
	set_cfg(MSIX_CAP + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
	CHECK(pci_irq_mode(pci) == PCI_IRQ_MSIX, "mode");
	stop();
}

static void test_intx(void)
{
	const uint32_t unmask = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK;
	const uint32_t mask = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK;
	uint8_t no = 0, yes = 1;

	start(&everything);
	CHECK(pci_irq_mode(pci) == PCI_IRQ_INTX && pci_irq_vectors(pci) == 1, "mode");
	CHECK(!wire(VFIO_PCI_INTX_IRQ_INDEX, 0, 1), "wire");
	pci_intx_set(pci, true);
	CHECK(taken(0) == 1, "asserted");
	CHECK(cfg(PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, "status");
	pci_intx_set(pci, true);
	CHECK(!taken(0), "still asserted: no news");
	CHECK(!irq_action(0, 0, 1, unmask, NULL) && taken(0) == 1, "looked: still there");
	pci_intx_set(pci, false);
	CHECK(!(cfg(PCI_STATUS, 2) & PCI_STATUS_INTERRUPT), "status");
	CHECK(!irq_action(0, 0, 1, unmask, NULL) && !taken(0), "looked: gone");
	pci_intx_set(pci, true);
	CHECK(taken(0) == 1, "asserted again");
	pci_intx_set(pci, false);
	pci_intx_set(pci, true);
	CHECK(!taken(0), "the client has not looked yet");
	CHECK(!irq_action(0, 0, 1, unmask, NULL) && taken(0) == 1, "now it has");

	/* Masked by the client. */
	pci_intx_set(pci, false);
	CHECK(!irq_action(0, 0, 1, unmask, NULL), "unmask");
	CHECK(!irq_action(0, 0, 1, mask, NULL), "mask");
	pci_intx_set(pci, true);
	CHECK(!taken(0), "masked");
	CHECK(!irq_action(0, 0, 1, VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_UNMASK, &no) &&
	      !taken(0), "unmask, but no");
	CHECK(!irq_action(0, 0, 1, VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_UNMASK, &yes) &&
	      taken(0) == 1, "unmask");

	/* Interrupt Disable: the status shows it all the same. */
	pci_intx_set(pci, false);
	CHECK(!irq_action(0, 0, 1, unmask, NULL), "unmask");
	set_cfg(PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
	CHECK(pci_irq_mode(pci) == PCI_IRQ_NONE, "mode");
	pci_intx_set(pci, true);
	CHECK(!taken(0) && (cfg(PCI_STATUS, 2) & PCI_STATUS_INTERRUPT), "disabled");
	set_cfg(PCI_COMMAND, 2, 0);
	CHECK(taken(0) == 1, "enabled");
	CHECK(pci_irq(pci, 0) == -EPERM, "no message");

	/* With MSI-X the pin is not used. */
	CHECK(!irq_action(0, 0, 1, unmask, NULL) && taken(0) == 1, "unmask");
	enable_msix();
	CHECK(!irq_action(0, 0, 1, unmask, NULL) && !taken(0), "unmask");

	/* Wired only after it was asserted. */
	set_cfg(MSIX_CAP + PCI_MSIX_FLAGS, 2, 0);
	CHECK(taken(0) == 1, "the pin again");
	CHECK(!irq_action(0, 0, 0, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, NULL),
	      "turn off");
	CHECK(!wire(VFIO_PCI_INTX_IRQ_INDEX, 0, 1) && taken(0) == 1, "wired anew");
	stop();
}

static void test_set_irqs(void)
{
	const uint32_t trigger = VFIO_IRQ_SET_ACTION_TRIGGER;
	uint8_t bools[4] = { 0, 1, 0, 1 };
	int pipes[2], fds[2];
	struct vfu_irq_set set = { .index = VFIO_PCI_MSIX_IRQ_INDEX, .count = 2, .fds = fds,
				   .flags = VFIO_IRQ_SET_DATA_EVENTFD | trigger };
	unsigned int before = open_fds();

	start(&everything);
	CHECK(!wire(VFIO_PCI_MSIX_IRQ_INDEX, 126, 4), "wire the last four");
	/* The client tries its own wires: no matter what the guest has enabled. */
	CHECK(!irq_action(2, 126, 4, VFIO_IRQ_SET_DATA_BOOL | trigger, bools), "trigger");
	CHECK(!taken(126) && taken(127) == 1 && !taken(128) && taken(129) == 1, "by bools");
	CHECK(!irq_action(2, 126, 2, VFIO_IRQ_SET_DATA_NONE | trigger, NULL), "trigger");
	CHECK(taken(126) == 1 && taken(127) == 1 && !taken(128), "all in the range");
	CHECK(!irq_action(2, 0, 130, VFIO_IRQ_SET_DATA_NONE | trigger, NULL), "trigger unwired");
	CHECK(taken(126) == 1 && taken(127) == 1 && taken(128) == 1 && taken(129) == 1, "all");

	CHECK(irq_action(2, 129, 2, VFIO_IRQ_SET_DATA_NONE | trigger, NULL) == -EINVAL, "range");
	CHECK(irq_action(2, 131, 0, VFIO_IRQ_SET_DATA_NONE | trigger, NULL) == -EINVAL, "range");
	CHECK(irq_action(2, 1, ~0U, VFIO_IRQ_SET_DATA_NONE | trigger, NULL) == -EINVAL, "range");
	CHECK(irq_action(3, 0, 1, VFIO_IRQ_SET_DATA_NONE | trigger, NULL) == -EINVAL, "index");
	CHECK(!irq_action(3, 0, 0, VFIO_IRQ_SET_DATA_NONE | trigger, NULL), "index, off");
	CHECK(irq_action(2, 0, 1, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, NULL) ==
	      -EINVAL, "mask MSI-X");

	/* Something else than an eventfd is refused, and the one before it is not kept. */
	CHECK(!pipe(pipes), "pipe");
	fds[0] = eventfd(0, EFD_CLOEXEC);
	fds[1] = pipes[1];
	CHECK(pci_set_irqs(pci, &set) == -EINVAL, "a pipe");
	CHECK(fds[0] >= 0 && fds[1] >= 0 && pci->wires[2].fds[0] < 0, "kept");
	close(fds[0]);
	close(pipes[0]);
	close(pipes[1]);

	/* -1 unwires. */
	fds[0] = -1;
	fds[1] = -1;
	set.start = 128;
	CHECK(!pci_set_irqs(pci, &set), "unwire");
	CHECK(!irq_action(2, 126, 4, VFIO_IRQ_SET_DATA_NONE | trigger, NULL), "trigger");
	CHECK(taken(126) == 1 && taken(127) == 1 && !taken(128) && !taken(129), "two are left");
	pci_disconnect(pci);
	CHECK(open_fds() == before + 4, "%u descriptors, before %u", open_fds(), before);
	stop();
	CHECK(open_fds() == before, "%u descriptors, before %u", open_fds(), before);
}

static void test_full_eventfd(void)
{
	uint64_t most = ~0ULL - 1;
	int fds[1];
	struct vfu_irq_set set = {
		.index = VFIO_PCI_MSIX_IRQ_INDEX, .start = 1, .count = 1, .fds = fds,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
	};

	start(&everything);
	enable_msix();
	CHECK(!wire(VFIO_PCI_MSIX_IRQ_INDEX, 0, 1), "wire");
	CHECK(write(eventfds[0], &most, sizeof(most)) == sizeof(most), "fill it: %d", errno);
	CHECK(!pci_irq(pci, 0), "does not block");
	/* Nor with one that the client made to wait. */
	eventfds[1] = eventfd(0, EFD_CLOEXEC);
	CHECK(write(eventfds[1], &most, sizeof(most)) == sizeof(most), "fill it: %d", errno);
	fds[0] = dup(eventfds[1]);
	CHECK(!pci_set_irqs(pci, &set) && fds[0] < 0, "wire");
	CHECK(!pci_irq(pci, 1), "does not block");
	stop();
}

static void test_flr(void)
{
	unsigned int at = EXP_CAP + PCI_EXP_DEVCTL;

	start(&everything);
	enable_msix();
	CHECK(!wire(VFIO_PCI_MSIX_IRQ_INDEX, 0, 4), "wire");
	set_cfg(PCI_BASE_ADDRESS_0, 4, 0xfe000000);
	set_cfg(at, 2, 1 << 5 | PCI_EXP_DEVCTL_CERE);
	set_cfg(EXP_CAP + PCI_EXP_LNKCTL, 2, PCI_EXP_LNKCTL_CCC);
	pci_intx_set(pci, true);
	changes = 0;
	set_cfg(at, 2, cfg(at, 2) | PCI_EXP_DEVCTL_BCR_FLR);
	CHECK(flrs == 1 && changes == 1, "%u resets, %u changes", flrs, changes);
	CHECK(!(cfg(at, 2) & PCI_EXP_DEVCTL_BCR_FLR), "reads as zero");
	CHECK(!cfg(PCI_COMMAND, 2) && !pci_bus_master(pci), "Command");
	CHECK(cfg(PCI_BASE_ADDRESS_0, 4) == 4, "BAR 0 %#x", cfg(PCI_BASE_ADDRESS_0, 4));
	CHECK(cfg(MSIX_CAP + PCI_MSIX_FLAGS, 2) == 129, "MSI-X");
	CHECK(!(cfg(PCI_STATUS, 2) & PCI_STATUS_INTERRUPT), "the pin");
	CHECK((cfg(at, 2) & PCI_EXP_DEVCTL_PAYLOAD) == 1 << 5, "payload size stays");
	CHECK(!(cfg(at, 2) & PCI_EXP_DEVCTL_CERE), "error reporting does not");
	CHECK(cfg(EXP_CAP + PCI_EXP_LNKCTL, 2) == PCI_EXP_LNKCTL_CCC, "the link stays");
	/* The guest restores what it had; the client wires nothing anew. */
	enable_msix();
	CHECK(!pci_irq(pci, 3) && taken(3) == 1, "the wires are still there");

	/* By a write of one byte, and of everything; not by one next to it. */
	set_cfg(at + 1, 1, PCI_EXP_DEVCTL_BCR_FLR >> 8);
	CHECK(flrs == 2, "%u", flrs);
	set_cfg(at, 4, PCI_EXP_DEVCTL_BCR_FLR);
	CHECK(flrs == 3, "%u", flrs);
	set_cfg(at + 2, 2, 0xffff);
	set_cfg(at, 1, 0xff);
	set_cfg(at - 4, 4, 0xffffffff);
	CHECK(flrs == 3, "%u", flrs);

	/* A conventional reset leaves nothing. */
	set_cfg(at, 2, 1 << 5);
	pci_reset(pci);
	CHECK(!(cfg(at, 2) & PCI_EXP_DEVCTL_PAYLOAD) && flrs == 3, "%#x", cfg(at, 2));
	stop();
}

static void test_random_writes(void)
{
	unsigned int step, i;
	uint8_t buf[64], now[PCI_CONFIG_BYTES];

	start(&everything);
	CHECK(!wire(VFIO_PCI_MSIX_IRQ_INDEX, 0, 130), "wire");
	for (step = 0; step < 20000; step++) {
		for (i = 0; i < sizeof(buf); i++)
			buf[i] = rnd();
		i = rnd_in(1, rnd() % 4 ? 4 : 64);
		pci_config_write(pci, rnd() % 8 ? rnd() % 256 : rnd() % 4200, buf, i);
		pci_msix_write(pci, 0, 0x3ff0 + rnd() % 0x2100, buf, rnd() % 2 ? 4 : 8);
		pci_irq(pci, rnd() % 140);
		pci_intx_set(pci, rnd() & 1);
		if (step % 64)
			continue;
		CHECK(!pci_config_read(pci, 0, now, sizeof(now)), "read");
		now[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT;
		for (i = 0; i < sizeof(now); i++)
			CHECK(!((now[i] ^ pci->initial[i]) & ~pci->writable[i]),
			      "read-only byte %#x: %#x", i, now[i]);
		CHECK(pci_irq_vectors(pci) >= 1 && pci_irq_vectors(pci) <= 130, "vectors");
	}
	CHECK(flrs > 10, "%u resets: nothing was tried", flrs);
	stop();
}

int main(void)
{
	TAP_RUN(test_header);
	TAP_RUN(test_every_bit);
	TAP_RUN(test_bars);
	TAP_RUN(test_bad_ids);
	TAP_RUN(test_capabilities);
	TAP_RUN(test_power_and_command);
	TAP_RUN(test_msix);
	TAP_RUN(test_msix_pending);
	TAP_RUN(test_most_vectors);
	TAP_RUN(test_msix_table);
	TAP_RUN(test_msi);
	TAP_RUN(test_intx);
	TAP_RUN(test_set_irqs);
	TAP_RUN(test_full_eventfd);
	TAP_RUN(test_flr);
	TAP_RUN(test_random_writes);
	return tap_done();
}
