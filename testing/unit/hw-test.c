// SPDX-License-Identifier: GPL-2.0
/*
 * Enable, disable, shutdown and mapping, against a model of a controller's registers that does what
 * no emulator can be made to do (NVMe base 2.0, 3.1.3, 3.5, 3.6; PCIe transport 1.0, 3.1.2).
 */
#include "model.h"
#include "hw.c"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static struct nvmq_hw hw;

/* CAP from its fields (base figure 36). */
static u64 cap_of(u32 mqes, u32 to, u32 dstrd, u32 css, u32 mpsmin, u32 crms)
{
	return mqes | 1ull << 16 | (u64)to << 24 | (u64)dstrd << 32 | (u64)css << 37 |
	       (u64)mpsmin << 48 | 4ull << 52 | (u64)crms << 59;
}

static void start(void)
{
	memset(&hw, 0, sizeof(hw));
	CHECK(!nvmq_hw_map(&hw, &pdev), "not mapped");
}

static void stop(void)
{
	nvmq_hw_unmap(&hw);
	CHECK(!hw.bar && !hw.mapped, "still mapped");
}

static int up(void)
{
	return nvmq_hw_enable(&hw, 32, 0x12345000, 0xabcdef0123456000);
}

/* ---- mapping ---- */

static void test_map(void)
{
	static const u64 short_bar[] = { 0, 16, 4096 };
	u32 i;

	for (i = 0; i < 3; i++) {
		model_new();
		model_bar(short_bar[i]);
		memset(&hw, 0, sizeof(hw));
		CHECK(nvmq_hw_map(&hw, &pdev) == -ENODEV, "BAR of %lu", short_bar[i]);
		check_line("short BAR", "BAR 0", "8192");
		/* Asked without a mapping: the device is gone, and nothing is touched. */
		CHECK(nvmq_hw_gone(&hw) && nvmq_hw_status(&hw) == GONE && !m.accesses, "not gone");
		stop();
		CHECK(!m.maps, "mapped");
	}

	model_new();
	pdev.resource[0].flags = IORESOURCE_IO;
	memset(&hw, 0, sizeof(hw));
	CHECK(nvmq_hw_map(&hw, &pdev) == -ENODEV, "I/O ports");
	check_line("I/O ports", "BAR 0", "");
	stop();

	model_new();
	m.no_ioremap = true;
	memset(&hw, 0, sizeof(hw));
	CHECK(nvmq_hw_map(&hw, &pdev) < 0, "no memory");
	check_line("no memory", "BAR 0", "");
	stop();

	model_new();
	model_bar(8192);
	start();
	CHECK(hw.mapped >= 0x1008 && hw.mapped <= 8192, "%zu", hw.mapped);
	check_silent("map");
	CHECK(!m.accesses, "touched before it was asked to");
	stop();
	stop();
}

/* Last byte of the doorbells of pair @qid: its completion queue's are behind (pcie 3.1.2.2). */
static u64 doorbell_end(u64 qid, u32 dstrd)
{
	return 0x1000 + (2 * qid + 1) * (4ull << dstrd) + 4;
}

/* Write both doorbells of a pair; the model checks that they are mapped. */
static void ring_pair(u32 qid)
{
	writel(0, hw.bar + nvmq_doorbell_offset(qid, false, NVMQ_CAP_DSTRD(hw.cap)));
	writel(0, hw.bar + nvmq_doorbell_offset(qid, true, NVMQ_CAP_DSTRD(hw.cap)));
}

static u32 last_rung;

static void rung(u32 offset, u32 value)
{
	CHECK(!value, "%u", value);
	last_rung = offset;
}

static void check_doorbells(u64 bar, u32 dstrd, u32 wanted)
{
	u64 fits = 0, end;
	u32 got, before;

	model_new();
	m.doorbell = rung;
	model_bar(bar);
	m.cap = cap_of(63, 3, dstrd, 1, 0, 0);
	start();
	if (doorbell_end(0, dstrd) > bar) {
		CHECK(nvmq_hw_probe_caps(&hw) == -ENODEV, "BAR %#lx DSTRD %u", bar, dstrd);
		check_line("admin doorbells", "BAR 0", "stride");
		stop();
		return;
	}
	for (end = doorbell_end(1, dstrd); end <= bar && fits < wanted; fits++)
		end += 2 * (4ull << dstrd);

	if (nvmq_hw_probe_caps(&hw)) {
		/* Only where the pair's second doorbell has no whole stride for itself. */
		CHECK((0x1000 + (8ull << dstrd)) > bar, "BAR %#lx DSTRD %u", bar, dstrd);
		check_line("admin doorbells", "BAR 0", "stride");
		stop();
		return;
	}
	check_silent("caps");
	m.cc = EN;
	m.csts = RDY;
	ring_pair(0);
	CHECK(last_rung == doorbell_end(0, dstrd) - 4, "%#x", last_rung);
	got = nvmq_hw_map_doorbells(&hw, wanted);
	CHECK(got <= fits, "BAR %#lx DSTRD %u: %u of %lu", bar, dstrd, got, fits);
	CHECK(got == fits || (got + 1 == fits && 0x1000 + ((2 * fits + 2) << (2 + dstrd)) > bar),
	      "BAR %#lx DSTRD %u: %u of %lu", bar, dstrd, got, fits);
	/* All of them and the registers, through whatever mapping there is now. */
	ring_pair(0);
	if (got) {
		ring_pair(1);
		ring_pair((got + 1) / 2);
		ring_pair(got);
		CHECK(last_rung == (u32)doorbell_end(got, dstrd) - 4, "%#x", last_rung);
	}
	CHECK(nvmq_hw_status(&hw) == RDY, "registers");

	/* Fewer the next time, and more than there is room for: what is mapped stays. */
	before = got;
	CHECK(nvmq_hw_map_doorbells(&hw, got / 2) == got / 2, "fewer");
	m.no_ioremap = true;
	CHECK(nvmq_hw_map_doorbells(&hw, before) == before, "as before");
	if (before)
		ring_pair(before);
	m.lines = 0;
	stop();
}

static void test_doorbells(void)
{
	static const u32 wanted[] = { 0, 1, 2, 3, 7, 64, 127, 511, 4000, 65535 };
	u32 dstrd, shift, i;

	for (dstrd = 0; dstrd < 16; dstrd++)
		for (shift = 13; shift <= 34; shift++)
			for (i = 0; i < 10; i++)
				check_doorbells(1ull << shift, dstrd, wanted[i]);
	/* BARs of any number of pages (enhanced allocation), around each edge. */
	for (i = 0; i < 3000; i++) {
		dstrd = rnd_in(0, 15);
		check_doorbells(rnd_in(2, dstrd < 8 ? 64 : 4096) * 4096, dstrd,
				rnd_in(0, dstrd < 8 ? 2000 : 20));
	}
}

/* The mapping cannot grow: the queues that need it are not there, the rest goes on. */
static void test_doorbells_no_memory(void)
{
	model_new();
	m.doorbell = rung;
	model_bar(0x100000);
	start();
	CHECK(!nvmq_hw_probe_caps(&hw), "caps");
	m.no_ioremap = true;
	CHECK(!nvmq_hw_map_doorbells(&hw, 5000), "queues");
	m.cc = EN;
	m.csts = RDY;
	ring_pair(0);
	CHECK(nvmq_hw_status(&hw) == RDY, "registers");
	stop();
}

/* ---- capabilities ---- */

static void test_refused(void)
{
	char text[32];
	u32 n;

	for (n = 1; n < 16; n++) {
		model_new();
		m.cap = cap_of(63, 3, 0, 1, n, 0);
		start();
		CHECK(nvmq_hw_probe_caps(&hw) == -ENODEV, "MPSMIN %u", n);
		snprintf(text, sizeof(text), "MPSMIN=%u", n);
		check_line("MPSMIN", text, "4096");
		stop();
	}
	model_new();
	m.cap = cap_of(0, 3, 0, 1, 0, 0);
	start();
	CHECK(nvmq_hw_probe_caps(&hw) == -ENODEV, "MQES 0");
	check_line("MQES 0", "MQES=0", "");
	stop();

	for (n = 1; n < 65536; n = 2 * n + 1) {
		model_new();
		m.cap = cap_of(n, 3, 0, 1, 0, 0);
		start();
		CHECK(!nvmq_hw_probe_caps(&hw) && nvmq_hw_max_entries(&hw) == n + 1, "MQES %u", n);
		check_silent("MQES");
		stop();
	}
}

/* CAP.AMS bit 0, and CC.AMS 001b (base 3.1.3.1 and 3.1.3.5): only if wanted and offered. */
static void test_arbitration(void)
{
	u32 i, ams;

	for (i = 0; i < 8; i++) {
		ams = i / 2;
		model_new();
		m.cap = cap_of(63, 3, 0, 1, 0, 0) | (u64)ams << 17;
		start();
		hw.wrr = i % 2;
		CHECK(!nvmq_hw_probe_caps(&hw), "AMS %u", ams);
		CHECK(nvmq_hw_has_wrr(&hw) == (ams & 1), "AMS %u", ams);
		CHECK(nvmq_hw_uses_wrr(&hw) == (i % 2 && ams & 1), "AMS %u", ams);
		CHECK(!up(), "AMS %u", ams);
		CHECK((m.cc >> 11 & 7) == (i % 2 && ams & 1), "AMS %u: CC %#x", ams, m.cc);
		/* And round robin again, when it is not wanted any more. */
		hw.wrr = false;
		CHECK(!nvmq_hw_disable(&hw) && !nvmq_hw_probe_caps(&hw) && !up(), "AMS %u", ams);
		CHECK(!(m.cc >> 11 & 7), "AMS %u: CC %#x", ams, m.cc);
		check_silent("AMS");
		stop();
	}
}

/* Base 3.5.1 step 4: bit 6 wants 110b; bit 0 alone, or none, 000b; bit 7 alone 111b. */
static void test_command_sets(void)
{
	char text[32];
	u32 css, want;

	for (css = 0; css < 256; css++) {
		/* No I/O command set and I/O command sets: nobody can mean it. */
		if ((css & 0x80) && (css & 0x41))
			continue;
		model_new();
		m.cap = cap_of(63, 3, 0, css, 0, 0);
		start();
		if (css && !(css & 0xc1)) {
			CHECK(nvmq_hw_probe_caps(&hw) == -ENODEV, "CSS %#x", css);
			snprintf(text, sizeof(text), "CSS=%#x", css);
			check_line("CSS", text, "");
			CHECK(m.cc == 0, "CC %#x", m.cc);
			stop();
			continue;
		}
		want = css & 0x40 ? 6 : css & 0x80 ? 7 : 0;
		CHECK(!nvmq_hw_probe_caps(&hw), "CSS %#x", css);
		CHECK(hw.no_io == (want == 7), "CSS %#x", css);
		CHECK(!up(), "CSS %#x", css);
		CHECK(m.cc == (4u << 20 | 6u << 16 | want << 4 | EN), "CSS %#x: CC %#x", css,
		      m.cc);
		/* It names none: the NVM command set; that is said once, not at each reset. */
		if (!css) {
			check_line("CSS", "CSS=0", "NVM");
			CHECK(!nvmq_hw_disable(&hw) && !nvmq_hw_probe_caps(&hw) && !up(), "CSS 0");
		}
		check_silent("CSS");
		stop();
	}
}

/* ---- enable ---- */

static const struct access order[] = {
	/* CAP and VS, in either order, may be looked at before; these must come so. */
	{ true, AQA, 31u << 16 | 31 },
	{ true, ASQ, 0x12345000 }, { true, ASQ + 4, 0 },
	{ true, ACQ, 0x23456000 }, { true, ACQ + 4, 0xabcdef01 },
	{ true, CC, 4u << 20 | 6u << 16 },
	{ false, CAP, 0 }, { false, CAP + 4, 0 },
	{ true, CC, 4u << 20 | 6u << 16 | EN },
	{ false, CSTS, 0 },
	{ false, CSTS, RDY },
};

static void test_order(void)
{
	u32 i, n = ARRAY_SIZE(order);

	model_new();
	start();
	CHECK(!nvmq_hw_probe_caps(&hw), "caps");
	for (i = 0; i < m.accesses; i++)
		CHECK(!m.access[i].write, "write to %#x in probe_caps", m.access[i].offset);
	CHECK(m.access[0].offset == CAP && m.access[1].offset == CAP + 4, "CAP: low half first");
	m.accesses = 0;
	CHECK(!up(), "enable");
	CHECK(m.accesses == n, "%u accesses", m.accesses);
	for (i = 0; i < n && i < m.accesses; i++) {
		CHECK(m.access[i].write == order[i].write, "access %u", i);
		CHECK(m.access[i].offset == order[i].offset, "access %u: %#x", i,
		      m.access[i].offset);
		if (m.access[i].write || m.access[i].offset == CSTS)
			CHECK(m.access[i].value == order[i].value, "access %u: %#x", i,
			      m.access[i].value);
	}
	check_silent("enable");
	stop();
}

static void test_entries(void)
{
	u32 entries;

	for (entries = 2; entries <= 4096; entries = entries < 64 ? entries + 1 : entries * 2) {
		model_new();
		start();
		CHECK(!nvmq_hw_probe_caps(&hw), "caps");
		CHECK(!nvmq_hw_enable(&hw, entries, 0xfffffffffffff000, 0x1000), "enable");
		CHECK(m.aqa == ((entries - 1) << 16 | (entries - 1)), "%u: %#x", entries, m.aqa);
		CHECK(m.asq == 0xfffffffffffff000 && m.acq == 0x1000, "%#lx %#lx", m.asq, m.acq);
		stop();
	}
}

/* Ready after any time within CAP.TO; one more tick is no excuse for failing. */
static void test_ready(void)
{
	u32 to, part;

	for (to = 0; to < 256; to++) {
		for (part = 0; part <= 8; part++) {
			model_new();
			m.cap = cap_of(63, to, 0, 1, 0, 0);
			m.up_us = (to + 1) * 500 * MS * part / 8;
			start();
			CHECK(!nvmq_hw_probe_caps(&hw), "caps");
			m.us = rnd_in(0, 3600000000);
			CHECK(!up(), "TO %u: ready after %lu us", to, m.up_us);
			check_silent("ready");
			stop();
		}
	}
	/* The host itself slept through the deadline, and meanwhile it became ready. */
	for (part = 1; part < 30; part++) {
		model_new();
		m.up_us = 1900 * MS;
		start();
		CHECK(!nvmq_hw_probe_caps(&hw), "caps");
		m.oversleep_us = 3000 * MS;
		CHECK(!up(), "false alarm");
		check_silent("oversleep");
		stop();

		/* Or between the look at CSTS and the one at the clock. */
		model_new();
		m.up_us = 1900 * MS;
		start();
		CHECK(!nvmq_hw_probe_caps(&hw), "caps");
		m.stall = m.reads + part;
		m.stall_us = 3000 * MS;
		CHECK(!up(), "false alarm, stalled after read %u", part);
		check_silent("stall");
		stop();
	}
}

static void check_never_ready(u64 limit_us, const char *what)
{
	char text[32];
	u64 began;

	start();
	CHECK(!nvmq_hw_probe_caps(&hw), "caps");
	m.up_us = NEVER;
	m.may_misuse = true;
	/* A reserved bit, so that the value in the log is known to be that of CSTS. */
	m.csts = 0x40;
	began = m.us;
	CHECK(up() == -ETIMEDOUT, "%s", what);
	CHECK(m.us - began >= limit_us, "%s: after %lu of %lu us", what, m.us - began, limit_us);
	CHECK(m.us - began <= limit_us + 50 * MS, "%s: after %lu of %lu us", what, m.us - began,
	      limit_us);
	snprintf(text, sizeof(text), "limit %lu ms", limit_us / MS);
	check_line(what, "CSTS=0x40", text);
	/* Polling it does not keep a CPU busy. */
	CHECK(m.reads < 64 + limit_us / (5 * MS), "%u reads in %lu us", m.reads, limit_us);
	stop();
}

static void test_never_ready(void)
{
	u32 to;

	for (to = 0; to < 256; to += 5) {
		model_new();
		m.cap = cap_of(63, to, 0, 1, 0, 0);
		m.us = rnd_in(0, 3600000000);
		check_never_ready((to + 1) * 500 * MS, "TO");
	}
}

/* CRTO counts, where it says more, with CRMS.CRWMS and only then (base 3.1.3.1, 3.1.3.23). */
static void test_crto(void)
{
	static const u32 crwmt[] = { 0, 1, 3, 4, 5, 60, 255, 256, 600 };
	u32 crms, i;

	for (crms = 0; crms < 4; crms++) {
		for (i = 0; i < ARRAY_SIZE(crwmt); i++) {
			u32 units = crms & 1 && crwmt[i] > 4 ? crwmt[i] : 4;

			model_new();
			m.vs = 0x00020000;
			m.cap = cap_of(63, 3, 0, 1, 0, crms);
			/* CRIMT, the other half, is of another mode. */
			m.crto = 0xffff0000 | crwmt[i];
			check_never_ready(units * 500 * MS, "CRTO");
		}
	}
	/* The longest there is, and not from an int that overflowed. */
	model_new();
	m.vs = 0x00020000;
	m.cap = cap_of(63, 3, 0, 1, 0, 1);
	m.crto = 0x0000ffff;
	start();
	CHECK(!nvmq_hw_probe_caps(&hw), "caps");
	CHECK(hw.ready_ms == 65535u * 500, "%u", hw.ready_ms);
	stop();
}

/* Writing CC.CSS may change CAP (base 3.5.1): what CAP says then is what counts. */
static void test_cap_changes(void)
{
	model_new();
	m.cap = cap_of(63, 3, 0, 0x41, 0, 0);
	m.cap_after_cc = cap_of(63, 19, 0, 0x41, 0, 0);
	m.up_us = 9000 * MS;
	start();
	CHECK(!nvmq_hw_probe_caps(&hw), "caps");
	CHECK(!up(), "the longer time was not given");
	check_silent("CAP");
	stop();

	model_new();
	m.cap = cap_of(63, 19, 0, 0x41, 0, 0);
	m.cap_after_cc = cap_of(63, 3, 0, 0x41, 0, 0);
	m.up_us = NEVER;
	start();
	CHECK(!nvmq_hw_probe_caps(&hw), "caps");
	CHECK(up() == -ETIMEDOUT && m.us < 2100 * MS, "%lu us", m.us);
	check_line("CAP", "limit 2000 ms", "");
	stop();
}

static void test_fatal(void)
{
	u64 at;

	for (at = 0; at < 1500 * MS; at = at * 3 / 2 + 1) {
		model_new();
		m.up_us = NEVER;
		start();
		CHECK(!nvmq_hw_probe_caps(&hw), "caps");
		m.cfs_at = m.us + at;
		CHECK(up() == -EIO, "CFS after %lu us", at);
		CHECK(m.us < m.reads + at + 25 * MS, "%lu us for CFS after %lu", m.us, at);
		check_line("CFS", "CSTS=0x2", "fatal");
		stop();
	}
}

/* ---- a device that is not there any more ---- */

/* What must say itself that it failed; of the others the caller says it. */
static bool talks;

/* Through the whole life; the first error ends it, as it does in the driver. */
static int life(void)
{
	int err;

	talks = true;
	err = nvmq_hw_probe_caps(&hw);
	if (err)
		return err;
	talks = false;
	err = nvmq_hw_disable(&hw);
	if (err)
		return err;
	talks = true;
	err = up();
	if (err)
		return err;
	talks = false;
	err = nvmq_hw_shutdown(&hw, 5000);
	return err ?: nvmq_hw_disable(&hw);
}

static void life_new(u32 variant)
{
	model_new();
	m.cap = cap_of(63, 3, 0, 1, 0, variant & 1);
	m.vs = 0x00020000;
	m.crto = 10;
	m.may_misuse = true;
	m.cc = variant & 2 ? 4u << 20 | 6u << 16 | EN : 0;
	m.csts = variant & 2 && variant & 4 ? RDY : 0;
	/* Firmware's own enable is not finished yet. */
	if (variant & 2 && !(variant & 4))
		m.rdy_at = 300 * MS;
	start();
}

/* Gone before read n, for each n: noticed there, within no time, by one line at the most. */
static void test_gone(void)
{
	u32 variant, n, reads;
	u64 whole;
	int err;

	for (variant = 0; variant < 8; variant++) {
		life_new(variant);
		CHECK(!life(), "variant %u", variant);
		check_silent("life");
		reads = m.reads;
		whole = m.us;
		stop();
		CHECK(reads > 10 && reads < 1000, "%u reads", reads);
		for (n = 0; n < reads; n++) {
			life_new(variant);
			m.gone_after = n;
			err = life();
			CHECK(err == -ENODEV, "variant %u, gone after %u of %u reads: %d", variant,
			      n, reads, err);
			CHECK(m.us <= whole + 50 * MS, "variant %u, gone after %u reads: %lu us",
			      variant, n, m.us);
			/* Two reads find out and tell, the others are of one register in halves. */
			CHECK(m.reads <= n + 8, "variant %u: %u reads after %u", variant, m.reads,
			      n);
			CHECK(m.lost_writes <= 2, "variant %u: %u writes to nobody", variant,
			      m.lost_writes);
			CHECK(m.lines == talks, "variant %u, gone after %u reads: %u lines",
			      variant, n, m.lines);
			CHECK(!m.flrs, "variant %u: reset of what is gone", variant);
			m.lines = 0;
			stop();
		}
	}
}

/*
 * One read alone fails, as after a time-out on the bus: that need not be noticed, but what was read
 * must not be written back.
 */
static void test_glitch(void)
{
	u32 variant, n, reads, i;
	int err;

	for (variant = 0; variant < 8; variant++) {
		life_new(variant);
		CHECK(!life(), "variant %u", variant);
		reads = m.reads;
		stop();
		for (n = 1; n <= reads; n++) {
			life_new(variant);
			m.glitch = n;
			err = life();
			CHECK(!err || err == -ENODEV, "variant %u, read %u: %d", variant, n, err);
			CHECK(m.us < 6000 * MS, "variant %u, read %u: %lu us", variant, n, m.us);
			for (i = 0; i < m.accesses; i++)
				CHECK(!m.access[i].write || m.access[i].offset != CC ||
				      !(m.access[i].value >> 25), "variant %u, read %u: CC %#x",
				      variant, n, m.access[i].value);
			CHECK(m.lines <= 1, "variant %u, read %u: %u lines", variant, n, m.lines);
			m.lines = 0;
			stop();
		}
	}
}

/* Gone at some time while the driver waits. */
static void test_gone_waiting(void)
{
	u64 at;
	u32 i;

	for (at = 1; at < 1900 * MS; at = at * 5 / 4 + 1) {
		model_new();
		m.up_us = NEVER;
		start();
		CHECK(!nvmq_hw_probe_caps(&hw), "caps");
		m.gone_at = m.us + at;
		CHECK(up() == -ENODEV, "enable, gone after %lu", at);
		CHECK(m.us < at + 25 * MS, "%lu us, gone after %lu", m.us, at);
		check_line("enable", "gone", "");
		stop();

		for (i = 0; i < 2; i++) {
			model_new();
			start();
			CHECK(!nvmq_hw_probe_caps(&hw) && !up(), "enable");
			m.down_us = NEVER;
			m.shutdown_us = NEVER;
			m.gone_at = m.us + at;
			if (i)
				CHECK(nvmq_hw_shutdown(&hw, 5000) == -ENODEV, "shutdown");
			else
				CHECK(nvmq_hw_disable(&hw) == -ENODEV, "disable");
			CHECK(m.us < at + 50 * MS, "%lu us, gone after %lu", m.us, at);
			CHECK(m.lines <= 1 && !m.flrs, "%u lines", m.lines);
			m.lines = 0;
			stop();
		}
	}
}

/* Not there from the start: one line. */
static void test_absent(void)
{
	model_new();
	start();
	m.gone = true;
	CHECK(nvmq_hw_gone(&hw) && nvmq_hw_status(&hw) == GONE, "there");
	m.gone = false;
	CHECK(!nvmq_hw_gone(&hw), "gone");
	pdev.error_state = pci_channel_io_frozen;
	CHECK(!nvmq_hw_gone(&hw), "gone while frozen");
	pdev.error_state = pci_channel_io_perm_failure;
	CHECK(nvmq_hw_gone(&hw), "there, though the slot says that it is not");
	pdev.error_state = pci_channel_io_normal;
	m.gone = true;
	CHECK(nvmq_hw_probe_caps(&hw) == -ENODEV, "caps");
	check_line("absent", "all ones", "");
	CHECK(nvmq_hw_disable(&hw) == -ENODEV, "disable");
	CHECK(nvmq_hw_shutdown(&hw, 5000) == -ENODEV, "shutdown");
	CHECK(!m.lost_writes && m.us < MS, "%u writes, %lu us", m.lost_writes, m.us);
	stop();
}

/* ---- disable ---- */

static void test_disable(void)
{
	u64 us;

	/* Disabled already: nothing to wait for. */
	model_new();
	start();
	CHECK(!nvmq_hw_probe_caps(&hw) && !nvmq_hw_disable(&hw), "disable");
	CHECK(m.us < MS && !(m.cc & EN), "%lu us", m.us);
	check_silent("disabled");
	stop();

	/* Still on its way down. */
	model_new();
	m.csts = RDY;
	m.fall_at = 700 * MS;
	start();
	CHECK(!nvmq_hw_probe_caps(&hw) && !nvmq_hw_disable(&hw), "disable");
	CHECK(!(m.csts & RDY) && m.us >= 700 * MS && m.us < 725 * MS, "%lu us", m.us);
	check_silent("falling");
	stop();

	/* Left enabled; RDY falls after a time. */
	for (us = 0; us <= 2000 * MS; us += 250 * MS) {
		model_new();
		m.cc = 4u << 20 | 6u << 16 | EN;
		m.csts = RDY;
		m.down_us = us;
		start();
		CHECK(!nvmq_hw_probe_caps(&hw) && !nvmq_hw_disable(&hw), "%lu us", us);
		CHECK(!(m.cc & (EN | SHN)) && !(m.csts & RDY), "CC %#x", m.cc);
		CHECK(m.us >= us && m.us < us + 25 * MS, "%lu of %lu us", m.us, us);
		check_silent("enabled");
		stop();
	}

	/* Left enabled, RDY coming up: clearing EN before that is undefined (base 3.1.3.5). */
	for (us = 0; us < 2000 * MS; us += 250 * MS) {
		model_new();
		m.cc = 4u << 20 | 6u << 16 | EN;
		m.rdy_at = us;
		start();
		CHECK(!nvmq_hw_probe_caps(&hw) && !nvmq_hw_disable(&hw), "%lu us", us);
		CHECK(!(m.cc & EN) && !(m.csts & RDY), "CC %#x", m.cc);
		check_silent("coming up");
		stop();
	}

	/* It never comes up, or is dead: that must not keep it from being disabled. */
	model_new();
	m.may_misuse = true;
	m.cc = EN;
	start();
	CHECK(!nvmq_hw_probe_caps(&hw) && !nvmq_hw_disable(&hw), "never up");
	CHECK(!(m.cc & EN) && m.us < 2100 * MS, "%lu us", m.us);
	check_silent("never up");
	stop();
	model_new();
	m.may_misuse = true;
	m.cc = EN;
	m.csts = CFS;
	start();
	CHECK(!nvmq_hw_probe_caps(&hw) && !nvmq_hw_disable(&hw), "CFS");
	CHECK(!(m.cc & EN) && m.us < 50 * MS, "%lu us", m.us);
	stop();
	model_new();
	m.cc = EN;
	m.csts = CFS | RDY;
	start();
	CHECK(!nvmq_hw_probe_caps(&hw) && !nvmq_hw_disable(&hw), "CFS, RDY");
	CHECK(!(m.cc & EN) && m.us < 50 * MS, "%lu us", m.us);
	stop();

	/* Shut down by whoever had it before, EN left as it was. */
	model_new();
	m.may_misuse = true;
	m.cc = EN | 1u << 14;
	m.csts = SHST_DONE;
	start();
	CHECK(!nvmq_hw_probe_caps(&hw) && !nvmq_hw_disable(&hw), "shut down");
	CHECK(!(m.cc & (EN | SHN)) && m.us < 50 * MS, "%lu us", m.us);
	CHECK(!up() && !(m.cc & SHN), "and up again");
	check_silent("shut down");
	stop();

	/* A device whose CSTS must be left alone for a while (a quirk) gets that while. */
	model_new();
	m.cc = 4u << 20 | 6u << 16 | EN;
	m.csts = RDY;
	m.down_us = 2000 * MS;
	start();
	hw.settle_ms = 2300;
	CHECK(!nvmq_hw_probe_caps(&hw), "caps");
	m.accesses = 0;
	CHECK(!nvmq_hw_disable(&hw) && m.us >= 2300 * MS, "%lu us", m.us);
	CHECK(m.access[m.accesses - 1].offset == CSTS && !m.access[m.accesses - 1].value &&
	      m.access[m.accesses - 2].write, "CSTS was read before");
	check_silent("settle");
	stop();

	/* Before CAP is known there is a limit all the same. */
	model_new();
	m.cc = EN;
	m.csts = RDY;
	m.down_us = NEVER;
	start();
	CHECK(nvmq_hw_disable(&hw) == -ETIMEDOUT, "stuck");
	CHECK(m.us >= 127500 * MS && m.us < 129000 * MS, "%lu us", m.us);
	m.lines = 0;
	stop();
}

static void test_stuck(void)
{
	static const struct {
		enum flr flr;
		int err;
	} cases[] = {
		{ FLR_NONE, -ETIMEDOUT }, { FLR_WORKS, 0 }, { FLR_USELESS, -ETIMEDOUT },
	};
	u32 i;
	int err;

	for (i = 0; i < 3; i++) {
		model_new();
		m.flr = cases[i].flr;
		m.cc = EN;
		m.csts = RDY | 0x40;
		m.down_us = NEVER;
		start();
		CHECK(!nvmq_hw_probe_caps(&hw), "caps");
		err = nvmq_hw_disable(&hw);
		CHECK(err == cases[i].err, "FLR %u: %d", i, err);
		CHECK(m.flrs == (cases[i].flr != FLR_NONE), "%u FLRs", m.flrs);
		CHECK(!m.state_saved, "saved state is put back, or not kept");
		CHECK(m.us >= 2000 * MS, "%lu us", m.us);
		CHECK(m.us <= (i == 0 ? 2050 : i == 1 ? 2200 : 4200) * MS, "%lu us", m.us);
		check_line("stuck", "CSTS=0x41", "2000 ms");
		/* After a reset that worked the controller is as new. */
		if (!err) {
			CHECK(!nvmq_hw_probe_caps(&hw) && !up(), "enable after the FLR");
			CHECK(m.csts & RDY, "CSTS %#x", m.csts);
		}
		stop();
	}
}

/* ---- shutdown ---- */

static void test_shutdown(void)
{
	char text[32];
	u64 us;
	u32 cc;

	for (us = 0; us <= 3000 * MS; us += 200 * MS) {
		model_new();
		m.shutdown_us = us;
		start();
		CHECK(!nvmq_hw_probe_caps(&hw) && !up(), "enable");
		cc = m.cc;
		m.accesses = 0;
		CHECK(!nvmq_hw_shutdown(&hw, 3000), "%lu us", us);
		CHECK((m.csts & SHST) == SHST_DONE, "CSTS %#x", m.csts);
		CHECK(m.cc == (cc | 1u << 14), "CC %#x, was %#x", m.cc, cc);
		check_silent("shutdown");
		/* And up again, as after a suspend. */
		CHECK(!nvmq_hw_disable(&hw) && !up() && !(m.cc & SHN), "again");
		CHECK(!nvmq_hw_shutdown(&hw, 3000), "second shutdown");
		check_silent("again");
		stop();
	}

	/* "In progress" for ever, for any limit. */
	for (us = 1; us <= 300000; us = us * 3 + 1) {
		model_new();
		m.shutdown_us = NEVER;
		start();
		CHECK(!nvmq_hw_probe_caps(&hw) && !up(), "enable");
		m.us = 0;
		CHECK(nvmq_hw_shutdown(&hw, us) == -ETIMEDOUT, "%lu ms", us);
		CHECK(m.us >= us * MS && m.us <= (us + 50) * MS, "%lu us of %lu ms", m.us, us);
		CHECK(m.cc & EN, "EN was cleared");
		snprintf(text, sizeof(text), "after %lu ms", us);
		check_line("shutdown", text, "CSTS=0x5");
		stop();
	}

	/* Only then the slots of SHN: an abrupt shutdown that was asked for is replaced. */
	model_new();
	start();
	CHECK(!nvmq_hw_probe_caps(&hw) && !up(), "enable");
	m.cc |= 2u << 14;
	CHECK(nvmq_hw_shutdown(&hw, 100) == -ETIMEDOUT, "the model saw no edge");
	CHECK((m.cc & SHN) == 1u << 14, "CC %#x", m.cc);
	m.lines = 0;
	stop();
}

int main(void)
{
	TAP_RUN(test_map);
	TAP_RUN(test_doorbells);
	TAP_RUN(test_doorbells_no_memory);
	TAP_RUN(test_refused);
	TAP_RUN(test_arbitration);
	TAP_RUN(test_command_sets);
	TAP_RUN(test_order);
	TAP_RUN(test_entries);
	TAP_RUN(test_ready);
	TAP_RUN(test_never_ready);
	TAP_RUN(test_crto);
	TAP_RUN(test_cap_changes);
	TAP_RUN(test_fatal);
	TAP_RUN(test_gone);
	TAP_RUN(test_glitch);
	TAP_RUN(test_gone_waiting);
	TAP_RUN(test_absent);
	TAP_RUN(test_disable);
	TAP_RUN(test_stuck);
	TAP_RUN(test_shutdown);
	return tap_done();
}
