// SPDX-License-Identifier: GPL-2.0
/*
 * QEMU plugin that counts guest instructions exactly.
 *
 * Each translated block carries an inline increment of a counter of its own;
 * with "-accel tcg,thread=single" no two virtual CPUs run at once, so nothing
 * is lost. Between two markers (marker.h) the counters give, for every address
 * at which a block starts, how often it ran, how many instructions it holds and
 * how many of them lock the bus or are an mfence. bench attributes the addresses to functions.
 *
 * Arguments: out=FILE (the counts), watch=FILE (optional, read at each
 * MARKER_WATCH; lines "text START END" and "poll ADDRESS", hexadecimal).
 *
 * The watch file serves polled queues. A poll that finds nothing costs
 * instructions, but how many such polls there are depends on the speed of the
 * machine that runs QEMU. So we record, as a histogram, how many instructions
 * of the driver's text ran between one call of the poll function and the next,
 * and how many of the whole kernel in those gaps: the smallest gap is the empty
 * poll, and bench can take those out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marker.h"
#include "qemu-plugin-abi.h"

EXPORTED int qemu_plugin_version = 1;

#define KERNEL_HALF	0x8000000000000000ULL
#define BUCKETS		(1U << 16)
#define GAPS		2048

struct block {
	struct block *next;
	uint64_t addr;
	uint64_t runs;
	uint32_t insns;
	uint32_t locked;
	uint32_t fences;
	uint32_t hash;
	bool again;	/* starts with a repeated string instruction: an iteration */
};

static struct block *buckets[BUCKETS];
static uint64_t user_insns;

static FILE *out;
static const char *watch_path;
static unsigned int serial;

static uint64_t text_start, text_end, poll_addr;
static uint64_t text_insns, text_at_last_poll;
static uint64_t kernel_insns, kernel_at_last_poll;

static struct {
	uint64_t times;
	uint64_t kernel;
} gaps[GAPS];			/* the last one holds everything longer */

struct decoded {
	bool locked;
	bool repeated;
	bool fence;
	int marker;
};

static struct decoded decode(const uint8_t *p, size_t len)
{
	struct decoded d = { 0 };
	bool lock = false, rep = false;
	size_t i = 0;

	if (len == 8 && !memcmp(p, MARKER_OPCODE, 4)) {
		uint32_t disp = p[4] | p[5] << 8 | p[6] << 16 | (uint32_t)p[7] << 24;

		if ((disp & ~0xffU) == MARKER_MAGIC)
			d.marker = disp & 0xff;
		return d;
	}

	d.fence = len == 3 && !memcmp(p, "\x0f\xae\xf0", 3);
	for (; i < len; i++) {
		uint8_t b = p[i];

		if (b == 0xf0)
			lock = true;
		else if (b == 0xf2 || b == 0xf3)
			rep = true;
		else if (b != 0x66 && b != 0x67 && b != 0x2e && b != 0x36 && b != 0x3e &&
			 b != 0x26 && b != 0x64 && b != 0x65 && (b & 0xf0) != 0x40)
			break;
	}
	d.locked = lock;
	if (i >= len)
		return d;

	/* xchg with memory locks without being told to */
	if ((p[i] == 0x86 || p[i] == 0x87) && i + 1 < len && (p[i + 1] & 0xc0) != 0xc0)
		d.locked = true;
	if (rep && ((p[i] >= 0xa4 && p[i] <= 0xa7) || (p[i] >= 0xaa && p[i] <= 0xaf) ||
		    (p[i] >= 0x6c && p[i] <= 0x6f)))
		d.repeated = true;
	return d;
}

static void start(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct block *b = buckets[i]; b; b = b->next)
			b->runs = 0;
	memset(gaps, 0, sizeof(gaps));
	user_insns = 0;
	text_at_last_poll = text_insns;
	kernel_at_last_poll = kernel_insns;
}

static void stop(void)
{
	fprintf(out, "S %u %llu\n", serial, (unsigned long long)user_insns);
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct block *b = buckets[i]; b; b = b->next)
			if (b->runs)
				fprintf(out, "%llx %llu %u %u %d %u\n",
					(unsigned long long)b->addr,
					(unsigned long long)b->runs,
					b->insns, b->locked, b->again, b->fences);
	for (size_t i = 0; i < GAPS; i++)
		if (gaps[i].times)
			fprintf(out, "G %zu %llu %llu\n", i, (unsigned long long)gaps[i].times,
				(unsigned long long)gaps[i].kernel);
	fprintf(out, "E %u\n", serial);
	fflush(out);
	serial++;
}

static void watch(void)
{
	unsigned long long a, b;
	char line[128];
	FILE *f;

	text_start = 0;
	text_end = 0;
	poll_addr = 0;
	f = watch_path ? fopen(watch_path, "r") : NULL;
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "text %llx %llx", &a, &b) == 2) {
			text_start = a;
			text_end = b;
		} else if (sscanf(line, "poll %llx", &a) == 1) {
			poll_addr = a;
		}
	}
	fclose(f);
}

static void on_marker(unsigned int vcpu, void *data)
{
	char line[64];
	int what = (int)(intptr_t)data;

	(void)vcpu;
	/* into QEMU's log as well, between the doorbells that it traces there */
	snprintf(line, sizeof(line), "bench marker %d %u\n", what, serial);
	qemu_plugin_outs(line);
	if (what == MARKER_START)
		start();
	else if (what == MARKER_STOP)
		stop();
	else if (what == MARKER_WATCH)
		watch();
}

static void on_poll(unsigned int vcpu, void *data)
{
	uint64_t gap = text_insns - text_at_last_poll;

	(void)vcpu;
	(void)data;
	if (gap >= GAPS)
		gap = GAPS - 1;
	gaps[gap].times++;
	gaps[gap].kernel += kernel_insns - kernel_at_last_poll;
	text_at_last_poll = text_insns;
	kernel_at_last_poll = kernel_insns;
}

/*
 * With thread=single QEMU leaves out the guest's memory barriers, as no other
 * CPU runs meanwhile. But its devices do: without the mfence between the shadow
 * doorbell and the event index, the in-tree driver and the device miss each
 * other now and then, and the I/O times out. So the barrier is done here.
 */
static void on_fence(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static uint32_t mix(uint32_t h, const uint8_t *p, size_t len)
{
	while (len--)
		h = (h ^ *p++) * 16777619U;
	return h;
}

static void on_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t addr = qemu_plugin_tb_vaddr(tb);
	size_t n = qemu_plugin_tb_n_insns(tb);
	uint32_t hash = 2166136261U;
	struct block **where, *b;
	uint32_t locked = 0, fences = 0;
	bool again = false;

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint8_t *bytes = qemu_plugin_insn_data(insn);
		size_t len = qemu_plugin_insn_size(insn);
		struct decoded d = decode(bytes, len);

		hash = mix(hash, bytes, len);
		locked += d.locked;
		fences += d.fence;
		if (!i)
			again = d.repeated;
		if (d.marker)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, PLUGIN_CB_NO_REGS,
							       (void *)(intptr_t)d.marker);
		if (d.fence)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_fence, PLUGIN_CB_NO_REGS,
							       NULL);
		if (poll_addr && qemu_plugin_insn_vaddr(insn) == poll_addr)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_poll, PLUGIN_CB_NO_REGS,
							       NULL);
	}

	if (addr < KERNEL_HALF) {
		qemu_plugin_register_vcpu_tb_exec_inline(tb, PLUGIN_INLINE_ADD_U64, &user_insns, n);
		return;
	}
	qemu_plugin_register_vcpu_tb_exec_inline(tb, PLUGIN_INLINE_ADD_U64, &kernel_insns, n);
	if (addr >= text_start && addr < text_end)
		qemu_plugin_register_vcpu_tb_exec_inline(tb, PLUGIN_INLINE_ADD_U64, &text_insns, n);

	/* the same block may be translated again: its counts go on */
	where = &buckets[(uint32_t)((addr >> 1) ^ (addr >> 17)) % BUCKETS];
	for (b = *where; b; b = b->next)
		if (b->addr == addr && b->insns == n && b->hash == hash)
			break;
	if (!b) {
		b = calloc(1, sizeof(*b));
		if (!b)
			abort();
		b->addr = addr;
		b->insns = n;
		b->locked = locked;
		b->fences = fences;
		b->hash = hash;
		b->again = again;
		b->next = *where;
		*where = b;
	}
	qemu_plugin_register_vcpu_tb_exec_inline(tb, PLUGIN_INLINE_ADD_U64, &b->runs, 1);
}

static void on_qemu_exit(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	fclose(out);
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	if (strcmp(info->target_name, "x86_64") || !info->system_emulation) {
		fprintf(stderr, "count: only for qemu-system-x86_64\n");
		return -1;
	}
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4)) {
			out = fopen(argv[i] + 4, "w");
			if (!out)
				perror(argv[i] + 4);
		} else if (!strncmp(argv[i], "watch=", 6)) {
			watch_path = argv[i] + 6;
		} else {
			fprintf(stderr, "count: unknown argument \"%s\"\n", argv[i]);
			return -1;
		}
	}
	if (!out) {
		fprintf(stderr, "count: out=FILE is needed\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
	qemu_plugin_register_atexit_cb(id, on_qemu_exit, NULL);
	return 0;
}
