/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine around a driver source under test: a PCI function with an NVMe controller's registers
 * (NVMe base 2.0, 3.1.3), a clock that only the driver's waits move, the kernel's log.
 *
 * The controller checks what a host may do, and does what the test's script says.
 */
#ifndef UNIT_MODEL_H
#define UNIT_MODEL_H

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/pci.h>
#include <string.h>

#include "tap.h"

#define NEVER		UINT64_MAX
#define GONE		0xffffffffu
#define MS		1000ul

/* Registers by their offsets. */
enum {
	CAP = 0x00, VS = 0x08, CC = 0x14, CSTS = 0x1c, AQA = 0x24, ASQ = 0x28, ACQ = 0x30,
	CRTO = 0x68, DOORBELLS = 0x1000,
};

enum {
	EN = 1u, RDY = 1u, CFS = 2u, SHST = 3u << 2, SHST_BUSY = 1u << 2, SHST_DONE = 2u << 2,
	SHN = 3u << 14,
};

struct access {
	bool write;
	u32 offset;
	u32 value;
};

#define MAX_ACCESSES	4096
#define MAX_LINES	64

enum flr {
	FLR_NONE,		/* the function has none */
	FLR_WORKS,
	FLR_USELESS,		/* it is done, and RDY stays as it was */
};

static struct model {
	/* The script: filled in by the test after model_new(). */
	u64 cap, cap_after_cc;	/* the latter, if not 0, from the first write of CC on */
	u32 vs, crto;
	u64 up_us, down_us;	/* from EN to RDY; NEVER is legal */
	u64 shutdown_us;	/* from SHN to SHST */
	u64 cfs_at, gone_at;	/* by the clock */
	u32 gone_after;		/* reads that are answered; the device is gone then */
	u32 glitch;		/* this read alone, from 1, is answered with ones */
	u64 oversleep_us;	/* the next sleep is longer by this */
	u32 stall;		/* this read, from 1, has its value and then takes as long */
	u64 stall_us;
	enum flr flr;
	bool may_misuse;	/* the test drives the host into what is undefined */
	bool no_ioremap;
	void (*doorbell)(u32 offset, u32 value);
	void (*enabled)(void);
	void (*disabled)(void);
	u64 (*next_event)(void);	/* when */
	void (*run_event)(void);
	void (*sleep)(u64 us);

	/* State. */
	u64 us;
	u32 cc, csts, aqa;
	u64 asq, acq;
	u64 rdy_at, fall_at, shst_at;
	bool gone, decoding, state_saved;
	u32 reads, sleeps, flrs;
	u32 lost_writes;	/* to a device that was gone */
	u32 maps;
	struct {
		u8 *base;
		size_t bytes;
	} map[4];
	struct access access[MAX_ACCESSES];
	u32 accesses;
	char line[MAX_LINES][256];
	enum unit_level level[MAX_LINES];
	u32 lines;
} m;

static struct pci_dev pdev;

#define BAR_START	0xfe000000ull

static void model_bar(u64 bytes)
{
	pdev.resource[0].start = bytes ? BAR_START : 0;
	pdev.resource[0].end = bytes ? BAR_START + bytes - 1 : 0;
	pdev.resource[0].flags = bytes ? IORESOURCE_MEM : 0;
}

/* A plain controller: 64 entries, 2 s, NVM command set, ready after 1 ms, a BAR of 16 KiB. */
static void model_new(void)
{
	u32 i;

	for (i = 0; i < 4; i++)
		CHECK(!m.map[i].base, "a mapping was left");
	memset(&m, 0, sizeof(m));
	m.cap = 63 | 1ull << 16 | 3ull << 24 | 1ull << 37;
	m.vs = 0x00010400;
	m.crto = 0xffffffff;
	m.up_us = MS;
	m.down_us = MS;
	m.shutdown_us = MS;
	m.cfs_at = NEVER;
	m.gone_at = NEVER;
	m.gone_after = UINT32_MAX;
	m.rdy_at = NEVER;
	m.fall_at = NEVER;
	m.shst_at = NEVER;
	m.decoding = true;
	memset(&pdev, 0, sizeof(pdev));
	pdev.dev.name = "0000:00:10.0";
	model_bar(0x4000);
}

/* ---- log ---- */

void unit_log(enum unit_level level, const struct device *dev, const char *fmt, ...)
{
	char *line;
	size_t len;
	va_list ap;

	CHECK(dev == &pdev.dev, "line of another device");
	CHECK(m.lines < MAX_LINES, "a flood of lines");
	if (m.lines == MAX_LINES)
		return;
	line = m.line[m.lines];
	m.level[m.lines++] = level;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(m.line[0]), fmt, ap);
	va_end(ap);
	len = strlen(line);
	CHECK(len && len < sizeof(m.line[0]) - 1 && strchr(line, '\n') == line + len - 1,
	      "not one line: \"%s\"", line);
	if (len && line[len - 1] == '\n')
		line[len - 1] = '\0';
}

/* Exactly one line since the last look, with all of these texts in it; "" is any. */
__attribute__((unused))
static void check_line(const char *what, const char *text, const char *more)
{
	CHECK(m.lines == 1, "%s: %u lines, \"%s\"", what, m.lines, m.lines ? m.line[0] : "");
	if (m.lines)
		CHECK(strstr(m.line[0], text) && strstr(m.line[0], more),
		      "%s: \"%s\" does not tell \"%s\" and \"%s\"", what, m.line[0], text, more);
	m.lines = 0;
}

__attribute__((unused))
static void check_silent(const char *what)
{
	CHECK(!m.lines, "%s: \"%s\"", what, m.line[0]);
	m.lines = 0;
}

/* ---- clock ---- */

/* Near the wrap, as the kernel does it: five minutes after boot. */
unsigned long unit_jiffies(void)
{
	return -5ul * 60 * HZ + m.us / (1000000 / HZ);
}

static u64 model_next(void)
{
	u64 at = m.next_event ? m.next_event() : NEVER;
	u64 times[] = { m.rdy_at, m.fall_at, m.shst_at, m.cfs_at, m.gone_at };
	u32 i;

	for (i = 0; i < 5; i++)
		at = times[i] < at ? times[i] : at;
	return at;
}

static bool due(u64 *at)
{
	if (*at > m.us)
		return false;
	*at = NEVER;
	return true;
}

/* What happens by the clock, up to @until, in its order. */
static void model_run(u64 until)
{
	while (model_next() <= until) {
		if (model_next() > m.us)
			m.us = model_next();
		if (due(&m.rdy_at)) {
			m.csts |= RDY;
			if (m.enabled)
				m.enabled();
		}
		if (due(&m.fall_at))
			m.csts &= ~RDY;
		if (due(&m.shst_at))
			m.csts = (m.csts & ~SHST) | SHST_DONE;
		if (due(&m.cfs_at))
			m.csts |= CFS;
		if (due(&m.gone_at))
			m.gone = true;
		while (m.next_event && m.next_event() <= m.us)
			m.run_event();
	}
	if (m.us < until)
		m.us = until;
}

void unit_usleep_range(unsigned long least, unsigned long most)
{
	u64 us = most + m.oversleep_us;

	m.oversleep_us = 0;
	m.sleeps++;
	CHECK(least && least <= most, "sleep of %lu to %lu", least, most);
	CHECK(most <= 20000, "sleep of %lu us", most);
	if (m.sleep)
		m.sleep(us);
	else
		model_run(m.us + us);
}

void unit_msleep(unsigned int ms)
{
	m.sleeps++;
	if (m.sleep)
		m.sleep(ms * MS);
	else
		model_run(m.us + ms * MS);
}

/* ---- registers ---- */

void *unit_ioremap(u64 start, size_t bytes)
{
	u8 *base;
	u32 i;

	if (m.no_ioremap)
		return NULL;
	CHECK(start == pdev.resource[0].start, "start %#lx", start);
	CHECK(bytes && bytes <= pci_resource_len(&pdev, 0), "%#zx bytes of a BAR of %#lx", bytes,
	      pci_resource_len(&pdev, 0));
	for (i = 0; i < 4 && m.map[i].base; i++)
		;
	CHECK(i < 4, "four mappings");
	if (i == 4)
		return NULL;
	/* Nothing is there: an access that is no readl() or writel() is deadly. */
	m.maps++;
	base = (u8 *)(0x100000000000 + ((u64)m.maps << 36));
	m.map[i].base = base;
	m.map[i].bytes = bytes;
	return base;
}

void unit_iounmap(void *addr)
{
	u32 i;

	for (i = 0; i < 4; i++)
		if (addr && m.map[i].base == addr)
			break;
	CHECK(i < 4, "unmapped what is not");
	if (i < 4)
		m.map[i].base = NULL;
}

/* Offset into the BAR; all ones if nothing is mapped there. */
static u64 decode(const void *addr)
{
	u64 offset;
	u32 i;

	for (i = 0; i < 4; i++) {
		offset = (u64)addr - (u64)m.map[i].base;
		if (m.map[i].base && (u64)addr >= (u64)m.map[i].base &&
		    offset + 4 <= m.map[i].bytes) {
			CHECK(!(offset & 3), "access to %#lx", offset);
			return offset;
		}
	}
	CHECK(0, "access to %p, which is not mapped", addr);
	return NEVER;
}

static void note(bool write, u32 offset, u32 value)
{
	CHECK(m.accesses < MAX_ACCESSES, "a flood of accesses");
	if (m.accesses < MAX_ACCESSES)
		m.access[m.accesses++] = (struct access){ write, offset, value };
}

u32 unit_readl(const void *addr)
{
	u64 offset = decode(addr);
	u32 value;

	model_run(m.us + 1);
	if (m.reads++ >= m.gone_after)
		m.gone = true;
	switch (offset) {
	case CAP:
		value = (u32)m.cap;
		break;
	case CAP + 4:
		value = m.cap >> 32;
		break;
	case VS:
		value = m.vs;
		break;
	case CC:
		value = m.cc;
		break;
	case CSTS:
		value = m.csts;
		break;
	case AQA:
		value = m.aqa;
		break;
	case CRTO:
		value = m.crto;
		break;
	default:
		CHECK(0, "read of %#lx", offset);
		value = 0;
	}
	if (m.gone || !m.decoding || m.reads == m.glitch)
		value = GONE;
	/* Waiting is long: CSTS again and again is noted once. */
	if (!(offset == CSTS && m.accesses && m.access[m.accesses - 1].offset == CSTS &&
	      m.access[m.accesses - 1].value == value))
		note(false, offset, value);
	if (m.reads == m.stall)
		model_run(m.us + m.stall_us);
	return value;
}

static void write_cc(u32 value)
{
	u32 old = m.cc;

	m.cc = value;
	if (m.cap_after_cc)
		m.cap = m.cap_after_cc;
	if (~old & value & EN) {
		CHECK(m.may_misuse || !(m.csts & RDY), "EN set while RDY is");
		CHECK(!((m.asq | m.acq) & 0xfff), "ASQ %#lx ACQ %#lx", m.asq, m.acq);
		m.fall_at = NEVER;
		m.rdy_at = m.up_us == NEVER ? NEVER : m.us + m.up_us;
	} else if (old & ~value & EN) {
		CHECK(m.may_misuse || m.csts & RDY, "EN cleared while RDY is not set");
		/* A controller level reset ends all else. */
		m.csts &= ~(SHST | CFS);
		m.rdy_at = NEVER;
		m.shst_at = NEVER;
		if (m.csts & RDY)
			m.fall_at = m.down_us == NEVER ? NEVER : m.us + m.down_us;
		if (m.disabled)
			m.disabled();
	} else if (old & EN) {
		CHECK(!((old ^ value) & ~SHN), "CC %#x, was %#x", value, old);
	}
	if (!(old & SHN) && (value & SHN)) {
		m.csts = (m.csts & ~SHST) | SHST_BUSY;
		m.shst_at = m.shutdown_us == NEVER ? NEVER : m.us + m.shutdown_us;
	}
}

static void set_half(u64 *reg, bool high, u32 value)
{
	*reg = high ? (u32)*reg | (u64)value << 32 : *reg >> 32 << 32 | value;
}

void unit_writel(u32 value, void *addr)
{
	u64 offset = decode(addr);

	model_run(m.us);
	if (m.gone || !m.decoding) {
		m.lost_writes++;
		return;
	}
	note(true, offset, value);
	if (offset >= DOORBELLS) {
		CHECK(m.cc & EN && m.csts & RDY, "doorbell %#lx of a stopped controller", offset);
		if (m.doorbell)
			m.doorbell(offset, value);
		return;
	}
	CHECK(offset == CC || m.may_misuse || (!(m.cc & EN) && !(m.csts & RDY)),
	      "%#lx written while the controller is enabled", offset);
	switch (offset) {
	case CC:
		write_cc(value);
		break;
	case AQA:
		m.aqa = value;
		break;
	case ASQ:
	case ASQ + 4:
		set_half(&m.asq, offset & 4, value);
		break;
	case ACQ:
	case ACQ + 4:
		set_half(&m.acq, offset & 4, value);
		break;
	default:
		CHECK(0, "write to %#lx", offset);
	}
}

/* ---- configuration space ---- */

int pci_save_state(struct pci_dev *dev)
{
	CHECK(dev == &pdev && m.decoding, "saved state of a function that was reset");
	m.state_saved = true;
	return 0;
}

void pci_restore_state(struct pci_dev *dev)
{
	CHECK(dev == &pdev, "another device");
	if (m.state_saved)
		m.decoding = true;
	m.state_saved = false;
}

bool pci_device_is_present(struct pci_dev *dev)
{
	CHECK(dev == &pdev, "another device");
	return !m.gone;
}

/* The BAR and the command register are as after power-on, until somebody writes them. */
int pcie_reset_flr(struct pci_dev *dev, bool probe)
{
	CHECK(dev == &pdev, "another device");
	if (m.flr == FLR_NONE)
		return -ENOTTY;
	if (probe)
		return 0;
	CHECK(m.state_saved, "a reset forgets what was not saved");
	m.flrs++;
	m.decoding = false;
	model_run(m.us + 100 * MS);
	if (m.flr == FLR_WORKS) {
		m.cc = 0;
		m.csts = 0;
		m.rdy_at = NEVER;
		m.fall_at = NEVER;
	}
	return 0;
}

#endif
