// SPDX-License-Identifier: GPL-2.0
/* See tell.h. The trace events of the driver's sources end up here. */
#include <stdio.h>

#include <nvmq/spec.h>

#include "fields.h"
#include "names.h"
#include "tell.h"
#include "trace.h"

bool tell_on;

#define INDENT	"    "

/* The first half of a register of 8 bytes: it is told with the second. */
static u32 low_half;

/* A register that is read until it changes is told when it has. */
static const struct fields_reg *last_read;
static u64 last_value;

static void tell_reg(const struct fields_reg *reg, const char *how, u64 value)
{
	printf(INDENT "%-5s %-6s (%02Xh)  0x%0*llx", how, reg->name, reg->offset,
	       (int)reg->bytes * 2, (unsigned long long)value);
	fields_print_short(reg, value, stdout);
	putchar('\n');
}

/* Both halves of a register come one after the other, the low one first (regs.h). */
static bool is_whole(const struct fields_reg *reg, u32 offset, u32 value, u64 *whole)
{
	*whole = value;
	if (reg->bytes == 4)
		return true;
	if (offset == reg->offset) {
		low_half = value;
		return false;
	}
	*whole = (u64)value << 32 | low_half;
	return true;
}

/**
 * tell_read - a register was read
 * @offset: in BAR 0
 * @value: what was in it
 */
void tell_read(u32 offset, u32 value)
{
	const struct fields_reg *reg = fields_find(offset);
	u64 whole;

	if (!reg || !is_whole(reg, offset, value, &whole) ||
	    (reg == last_read && whole == last_value))
		return;
	last_read = reg;
	last_value = whole;
	tell_reg(reg, "read", whole);
}

/**
 * tell_write - a register is being written; doorbells have an event of their own
 * @offset: in BAR 0
 * @value: what is
 */
void tell_write(u32 offset, u32 value)
{
	const struct fields_reg *reg = fields_find(offset);
	u64 whole;

	if (!reg || !is_whole(reg, offset, value, &whole))
		return;
	/* It may have another effect than it had the last time. */
	last_read = NULL;
	tell_reg(reg, "write", whole);
}

void trace_nvmq_command(u16 ctrl, u16 qid, u32 slot, const struct nvmq_sqe *sqe)
{
	const char *name = qid ? nvmq_names_io(sqe->opcode) : nvmq_names_admin(sqe->opcode);

	(void)ctrl;
	if (!tell_on)
		return;
	printf(INDENT "SQ %u[%u] = %s, CID %04Xh", qid, slot, name, le16_to_cpu(sqe->cid));
	if (sqe->nsid)
		printf(", NSID %u", le32_to_cpu(sqe->nsid));
	if (sqe->prp1)
		printf(", PRP1 %#llx", (unsigned long long)le64_to_cpu(sqe->prp1));
	if (sqe->prp2)
		printf(", PRP2 %#llx", (unsigned long long)le64_to_cpu(sqe->prp2));
	printf(", CDW10 %#x, CDW11 %#x", le32_to_cpu(sqe->cdw10), le32_to_cpu(sqe->cdw11));
	if (sqe->cdw12)
		printf(", CDW12 %#x", le32_to_cpu(sqe->cdw12));
	putchar('\n');
}

void trace_nvmq_doorbell(u16 ctrl, u16 qid, bool cq, u32 value)
{
	(void)ctrl;
	if (tell_on)
		printf(INDENT "doorbell: %s %u %s = %u\n", cq ? "CQ" : "SQ", qid,
		       cq ? "head" : "tail", value);
}

void trace_nvmq_completion(u16 ctrl, u16 qid, u32 place, const struct nvmq_cqe *cqe)
{
	u16 status = le16_to_cpu(cqe->status);

	(void)ctrl;
	if (!tell_on)
		return;
	printf(INDENT "CQ %u[%u] = CID %04Xh, SQ head %u, phase %u", qid, place,
	       le16_to_cpu(cqe->cid), le16_to_cpu(cqe->sqhd), status & 1);
	printf(", status %03Xh (%s), DW0 %#x\n", status >> 1, nvmq_names_status(status >> 1),
	       le32_to_cpu(cqe->dw0));
}

/* The number is that of the vector. */
void trace_nvmq_interrupt(u16 ctrl, u16 qid, int irq, u32 found)
{
	(void)ctrl;
	if (tell_on)
		printf(INDENT "interrupt: vector %d, for queue %u, %u completion%s\n", irq, qid,
		       found, found == 1 ? "" : "s");
}
