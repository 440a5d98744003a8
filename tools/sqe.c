// SPDX-License-Identifier: GPL-2.0
/* See sqe.h. */
#include <string.h>

#include "../drivers/nvme/names.h"
#include "../drivers/nvme/queue.h"
#include "sqe.h"

/* Commands that have a field; CDW10 to CDW15 depend on what is asked for. */
enum scope {
	ALL,
	RW,			/* Read and Write, nvm 3.2.4 and 3.2.6 */
	ZEROES,			/* Write Zeroes, nvm 3.2.8 */
	DSM,			/* Dataset Management, nvm 3.2.3 */
	PLAIN			/* all others: the dwords */
};

static const struct field {
	const char *name;
	enum scope scope;
	unsigned char dword, bit, bits;
} fields[] = {
	{ "OPC", ALL, 0, 0, 8 },
	{ "FUSE", ALL, 0, 8, 2 },
	{ "PSDT", ALL, 0, 14, 2 },
	{ "CID", ALL, 0, 16, 16 },
	{ "NSID", ALL, 1, 0, 32 },
	{ "CDW2", ALL, 2, 0, 32 },
	{ "CDW3", ALL, 3, 0, 32 },
	{ "MPTR", ALL, 4, 0, 64 },
	{ "PRP1", ALL, 6, 0, 64 },
	{ "PRP2", ALL, 8, 0, 64 },
	{ "SLBA", RW, 10, 0, 64 },
	{ "NLB", RW, 12, 0, 16 },
	{ "DTYPE", RW, 12, 20, 4 },
	{ "PRINFO", RW, 12, 26, 4 },
	{ "FUA", RW, 12, 30, 1 },
	{ "LR", RW, 12, 31, 1 },
	{ "DSM", RW, 13, 0, 8 },
	{ "DSPEC", RW, 13, 16, 16 },
	{ "ILBRT", RW, 14, 0, 32 },
	{ "LBAT", RW, 15, 0, 16 },
	{ "LBATM", RW, 15, 16, 16 },
	{ "SLBA", ZEROES, 10, 0, 64 },
	{ "NLB", ZEROES, 12, 0, 16 },
	{ "DEAC", ZEROES, 12, 25, 1 },
	{ "PRINFO", ZEROES, 12, 26, 4 },
	{ "FUA", ZEROES, 12, 30, 1 },
	{ "LR", ZEROES, 12, 31, 1 },
	{ "NR", DSM, 10, 0, 8 },
	{ "IDR", DSM, 11, 0, 1 },
	{ "IDW", DSM, 11, 1, 1 },
	{ "AD", DSM, 11, 2, 1 },
	{ "CDW10", PLAIN, 10, 0, 32 },
	{ "CDW11", PLAIN, 11, 0, 32 },
	{ "CDW12", PLAIN, 12, 0, 32 },
	{ "CDW13", PLAIN, 13, 0, 32 },
	{ "CDW14", PLAIN, 14, 0, 32 },
	{ "CDW15", PLAIN, 15, 0, 32 },
};

static enum scope scope_of(const struct nvmq_sqe *sqe, bool admin)
{
	if (admin)
		return PLAIN;
	switch (sqe->opcode) {
	case NVMQ_IO_READ:
	case NVMQ_IO_WRITE:
		return RW;
	case NVMQ_IO_WRITE_ZEROES:
		return ZEROES;
	case NVMQ_IO_DSM:
		return DSM;
	default:
		return PLAIN;
	}
}

static uint64_t value_of(const struct nvmq_sqe *sqe, const struct field *f)
{
	const __le32 *dw = (const void *)sqe;
	uint64_t value = le32_to_cpu(dw[f->dword]);

	if (f->bits == 64)
		return value | (uint64_t)le32_to_cpu(dw[f->dword + 1]) << 32;
	return value >> f->bit & ((1ULL << f->bits) - 1);
}

/* What a value means, where the number does not say it. */
static void put_meaning(const struct field *f, uint64_t value, bool admin, FILE *to)
{
	static const char *const psdt[] = { "PRPs", "SGL", "SGL, metadata too", "reserved" };

	if (!strcmp(f->name, "OPC"))
		fprintf(to, "  %s", admin ? nvmq_names_admin(value) : nvmq_names_io(value));
	else if (!strcmp(f->name, "PSDT"))
		fprintf(to, "  %s", psdt[value]);
	else if (!strcmp(f->name, "CID"))
		fprintf(to, "  tag %llu, generation %llu",
			(unsigned long long)value & NVMQ_CID_TAG_MASK,
			(unsigned long long)value >> NVMQ_CID_TAG_BITS);
	else if (!strcmp(f->name, "NLB") || !strcmp(f->name, "NR"))
		fprintf(to, "  %llu %s%s", (unsigned long long)value + 1,
			*f->name == 'N' && f->name[1] == 'L' ? "block" : "range", value ? "s" : "");
}

/**
 * sqe_print - tell all fields of an SQE, one in a line: dword and bits, name, value, meaning
 * @sqe: the entry
 * @admin: it is an admin command
 * @indent: begins each line
 * @to: where to
 */
void sqe_print(const struct nvmq_sqe *sqe, bool admin, const char *indent, FILE *to)
{
	enum scope scope = scope_of(sqe, admin);
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *f = &fields[i];
		char place[24];

		if (f->scope != ALL && f->scope != scope)
			continue;
		if (f->bits == 64)
			snprintf(place, sizeof(place), "CDW%u-%u", f->dword, f->dword + 1);
		else if (f->bits == 32)
			snprintf(place, sizeof(place), "CDW%u", f->dword);
		else if (f->bits == 1)
			snprintf(place, sizeof(place), "CDW%u %u", f->dword, f->bit);
		else
			snprintf(place, sizeof(place), "CDW%u %u:%u", f->dword,
				 f->bit + f->bits - 1, f->bit);
		fprintf(to, "%s%-12s %-7s %#llx", indent, place, f->name,
			(unsigned long long)value_of(sqe, f));
		put_meaning(f, value_of(sqe, f), admin, to);
		fputc('\n', to);
	}
}
