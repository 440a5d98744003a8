// SPDX-License-Identifier: GPL-2.0
/* See fields.h. Base 3.1.3; what is reserved is left out. */
#include <linux/kernel.h>

#include <nvmq/spec.h>

#include "fields.h"

#define FIELDS(...)	(const struct fields_field[]){ __VA_ARGS__, { 0 } }

const struct fields_reg fields_regs[] = {
	{ NVMQ_REG_CAP, 8, "CAP", "Controller Capabilities", FIELDS(
		{ "MQES", 15, 0, UNIT_PLUS_ONE, "entries of the longest queue" },
		{ "CQR", 16, 16, 0, "queues must be contiguous" },
		{ "AMS", 18, 17, UNIT_HEX, "arbitration: 1 weighted, 2 of the vendor" },
		{ "TO", 31, 24, UNIT_HALF_SECONDS, "time for CSTS.RDY to follow CC.EN" },
		{ "DSTRD", 35, 32, UNIT_STRIDE, "from one doorbell to the next" },
		{ "NSSRS", 36, 36, 0, "subsystem reset" },
		{ "CSS", 44, 37, UNIT_CSS, "command sets" },
		{ "BPS", 45, 45, 0, "boot partitions" },
		{ "CPS", 47, 46, 0, "power: 1 controller, 2 domain, 3 subsystem" },
		{ "MPSMIN", 51, 48, UNIT_PAGE, "smallest memory page" },
		{ "MPSMAX", 55, 52, UNIT_PAGE, "largest memory page" },
		{ "PMRS", 56, 56, 0, "persistent memory region" },
		{ "CMBS", 57, 57, 0, "controller memory buffer" },
		{ "NSSS", 58, 58, 0, "subsystem shutdown" },
		{ "CRMS", 60, 59, UNIT_HEX, "ready: 1 with media, 2 without as well" }) },
	{ NVMQ_REG_VS, 4, "VS", "Version", FIELDS(
		{ "MJR", 31, 16, 0, "major" },
		{ "MNR", 15, 8, 0, "minor" },
		{ "TER", 7, 0, 0, "tertiary" }) },
	{ NVMQ_REG_INTMS, 4, "INTMS", "Interrupt Mask Set", FIELDS(
		{ "IVMS", 31, 0, UNIT_HEX, "vectors that are masked; undefined with MSI-X" }) },
	{ NVMQ_REG_INTMC, 4, "INTMC", "Interrupt Mask Clear", FIELDS(
		{ "IVMC", 31, 0, UNIT_HEX, "the same" }) },
	{ NVMQ_REG_CC, 4, "CC", "Controller Configuration", FIELDS(
		{ "EN", 0, 0, 0, "enable" },
		{ "CSS", 6, 4, 0, "command set: 0 NVM, 6 all, 7 admin only" },
		{ "MPS", 10, 7, UNIT_PAGE, "memory page" },
		{ "AMS", 13, 11, 0, "arbitration: 0 round robin" },
		{ "SHN", 15, 14, 0, "shut down: 1 normal, 2 abrupt" },
		{ "IOSQES", 19, 16, UNIT_POWER, "entry of an I/O submission queue" },
		{ "IOCQES", 23, 20, UNIT_POWER, "entry of an I/O completion queue" },
		{ "CRIME", 24, 24, 0, "ready without media" }) },
	{ NVMQ_REG_CSTS, 4, "CSTS", "Controller Status", FIELDS(
		{ "RDY", 0, 0, 0, "ready" },
		{ "CFS", 1, 1, 0, "fatal status" },
		{ "SHST", 3, 2, UNIT_SHST, "shutdown" },
		{ "NSSRO", 4, 4, 0, "a subsystem reset has occurred" },
		{ "PP", 5, 5, 0, "processing is paused" },
		{ "ST", 6, 6, 0, "the shutdown is of the subsystem" }) },
	{ NVMQ_REG_NSSR, 4, "NSSR", "NVM Subsystem Reset", FIELDS(
		{ "NSSRC", 31, 0, UNIT_HEX, "written, it resets" }) },
	{ NVMQ_REG_AQA, 4, "AQA", "Admin Queue Attributes", FIELDS(
		{ "ASQS", 11, 0, UNIT_PLUS_ONE, "entries of the submission queue" },
		{ "ACQS", 27, 16, UNIT_PLUS_ONE, "entries of the completion queue" }) },
	{ NVMQ_REG_ASQ, 8, "ASQ", "Admin Submission Queue Base Address", FIELDS(
		{ "ASQB", 63, 12, UNIT_ADDRESS, "where it is" }) },
	{ NVMQ_REG_ACQ, 8, "ACQ", "Admin Completion Queue Base Address", FIELDS(
		{ "ACQB", 63, 12, UNIT_ADDRESS, "where it is" }) },
	{ NVMQ_REG_CMBLOC, 4, "CMBLOC", "Controller Memory Buffer Location", FIELDS(
		{ "BIR", 2, 0, 0, "BAR" },
		{ "CQMMS", 3, 3, 0, "queues may be partly in it" },
		{ "CQPDS", 4, 4, 0, "queues may be in several places of it" },
		{ "CDPMLS", 5, 5, 0, "PRP and SGL lists may be partly in it" },
		{ "CDPCILS", 6, 6, 0, "data and its lists may be both in it" },
		{ "CDMMMS", 7, 7, 0, "data may be partly in it" },
		{ "CQDA", 8, 8, 0, "queues may be at any dword" },
		{ "OFST", 31, 12, UNIT_HEX, "offset in the BAR, in units of CMBSZ.SZU" }) },
	{ NVMQ_REG_CMBSZ, 4, "CMBSZ", "Controller Memory Buffer Size", FIELDS(
		{ "SQS", 0, 0, 0, "for submission queues" },
		{ "CQS", 1, 1, 0, "for completion queues" },
		{ "LISTS", 2, 2, 0, "for PRP and SGL lists" },
		{ "RDS", 3, 3, 0, "for data that is read" },
		{ "WDS", 4, 4, 0, "for data that is written" },
		{ "SZU", 11, 8, 0, "unit: 4 KiB * 16^n" },
		{ "SZ", 31, 12, 0, "size, in that unit" }) },
	{ NVMQ_REG_BPINFO, 4, "BPINFO", "Boot Partition Information", FIELDS(
		{ "BPSZ", 14, 0, 0, "size, in 128 KiB" },
		{ "BRS", 25, 24, 0, "read: 0 none, 1 under way, 2 done, 3 failed" },
		{ "ABPID", 31, 31, 0, "active partition" }) },
	{ NVMQ_REG_BPRSEL, 4, "BPRSEL", "Boot Partition Read Select", FIELDS(
		{ "BPRSZ", 9, 0, 0, "how much, in 4 KiB" },
		{ "BPROF", 29, 10, 0, "from where, in 4 KiB" },
		{ "BPID", 31, 31, 0, "partition" }) },
	{ NVMQ_REG_BPMBL, 8, "BPMBL", "Boot Partition Memory Buffer Location", FIELDS(
		{ "BMBBA", 63, 12, UNIT_ADDRESS, "where it goes" }) },
	{ NVMQ_REG_CMBMSC, 8, "CMBMSC", "CMB Memory Space Control", FIELDS(
		{ "CRE", 0, 0, 0, "CMBLOC and CMBSZ are valid" },
		{ "CMSE", 1, 1, 0, "the controller knows its address" },
		{ "CBA", 63, 12, UNIT_ADDRESS, "which is this" }) },
	{ NVMQ_REG_CMBSTS, 4, "CMBSTS", "CMB Status", FIELDS(
		{ "CBAI", 0, 0, 0, "CMBMSC.CBA is invalid" }) },
	{ NVMQ_REG_CMBEBS, 4, "CMBEBS", "CMB Elasticity Buffer Size", FIELDS(
		{ "CMBSZU", 3, 0, 0, "unit: 1 B * 1024^n" },
		{ "CMBRBB", 4, 4, 0, "reads do not wait for writes" },
		{ "CMBWBZ", 31, 8, 0, "size, in that unit" }) },
	{ NVMQ_REG_CMBSWTP, 4, "CMBSWTP", "CMB Sustained Write Throughput", FIELDS(
		{ "CMBSWTU", 3, 0, 0, "unit: 1 B/s * 1024^n" },
		{ "CMBSWTV", 31, 8, 0, "in that unit" }) },
	{ NVMQ_REG_NSSD, 4, "NSSD", "NVM Subsystem Shutdown", FIELDS(
		{ "NSSC", 31, 0, UNIT_HEX, "written, it shuts down" }) },
	{ NVMQ_REG_CRTO, 4, "CRTO", "Controller Ready Timeouts", FIELDS(
		{ "CRWMT", 15, 0, UNIT_HALF_SECONDS, "ready with media" },
		{ "CRIMT", 31, 16, UNIT_HALF_SECONDS, "ready without" }) },
	{ NVMQ_REG_PMRCAP, 4, "PMRCAP", "Persistent Memory Region Capabilities", FIELDS(
		{ "RDS", 3, 3, 0, "for data that is read" },
		{ "WDS", 4, 4, 0, "for data that is written" },
		{ "BIR", 7, 5, 0, "BAR" },
		{ "PMRTU", 9, 8, 0, "unit of PMRTO: 0 500 ms, 1 minutes" },
		{ "PMRWBM", 13, 10, UNIT_HEX, "how writes become durable" },
		{ "PMRTO", 23, 16, 0, "time to get ready" },
		{ "CMSS", 24, 24, 0, "it may have an address" }) },
	{ NVMQ_REG_PMRCTL, 4, "PMRCTL", "PMR Control", FIELDS(
		{ "EN", 0, 0, 0, "enable" }) },
	{ NVMQ_REG_PMRSTS, 4, "PMRSTS", "PMR Status", FIELDS(
		{ "ERR", 7, 0, UNIT_HEX, "error" },
		{ "NRDY", 8, 8, 0, "not ready" },
		{ "HSTS", 11, 9, 0, "health: 0 normal" },
		{ "CBAI", 12, 12, 0, "its address is invalid" }) },
	{ NVMQ_REG_PMREBS, 4, "PMREBS", "PMR Elasticity Buffer Size", FIELDS(
		{ "PMRSZU", 3, 0, 0, "unit: 1 B * 1024^n" },
		{ "PMRRBB", 4, 4, 0, "reads do not wait for writes" },
		{ "PMRWBZ", 31, 8, 0, "size, in that unit" }) },
	{ NVMQ_REG_PMRSWTP, 4, "PMRSWTP", "PMR Sustained Write Throughput", FIELDS(
		{ "PMRSWTU", 3, 0, 0, "unit: 1 B/s * 1024^n" },
		{ "PMRSWTV", 31, 8, 0, "in that unit" }) },
	{ NVMQ_REG_PMRMSCL, 4, "PMRMSCL", "PMR Memory Space Control, low", FIELDS(
		{ "CMSE", 1, 1, 0, "the controller knows its address" },
		{ "CBA", 31, 12, UNIT_ADDRESS, "which is this" }) },
	{ NVMQ_REG_PMRMSCU, 4, "PMRMSCU", "PMR Memory Space Control, high", FIELDS(
		{ "CBA", 31, 0, UNIT_HEX, "its high half" }) },
};

const size_t fields_nr_regs = ARRAY_SIZE(fields_regs);

/**
 * fields_find - the register at an offset
 * @offset: in BAR 0; in a register of 8 bytes that of either half
 *
 * Return: the register, or NULL.
 */
const struct fields_reg *fields_find(u32 offset)
{
	size_t i;

	for (i = 0; i < fields_nr_regs; i++)
		if (offset >= fields_regs[i].offset &&
		    offset < fields_regs[i].offset + fields_regs[i].bytes)
			return &fields_regs[i];
	return NULL;
}

/**
 * fields_value - a field of a register
 * @field: which one
 * @reg: the register
 *
 * Return: the number.
 */
u64 fields_value(const struct fields_field *field, u64 reg)
{
	u32 width = field->high - field->low + 1;

	return reg >> field->low & (width < 64 ? (1ull << width) - 1 : ~0ull);
}

static void css_text(u64 value, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s", value & NVMQ_CAP_CSS_NVM ? "NVM" : "",
		 value & NVMQ_CAP_CSS_IOCS ? ", those that Identify tells" : "",
		 value & NVMQ_CAP_CSS_NOIO ? ", admin only" : "");
}

/**
 * fields_meaning - what the number in a field means
 * @field: the field
 * @value: the number
 * @text: set to that in words, empty if there is nothing to add
 * @size: of @text
 */
void fields_meaning(const struct fields_field *field, u64 value, char *text, size_t size)
{
	static const char *const shutdowns[] = { "none", "under way", "complete", "reserved" };

	*text = '\0';
	switch (field->unit) {
	case UNIT_PLUS_ONE:
		snprintf(text, size, "%lu", (unsigned long)value + 1);
		break;
	case UNIT_HALF_SECONDS:
		snprintf(text, size, "%lu.%lu s", (unsigned long)value / 2,
			 (unsigned long)value % 2 * 5);
		break;
	case UNIT_PAGE:
		snprintf(text, size, "%llu B", 4096ull << value);
		break;
	case UNIT_STRIDE:
		snprintf(text, size, "%llu B", 4ull << value);
		break;
	case UNIT_POWER:
		snprintf(text, size, "%llu B", 1ull << value);
		break;
	case UNIT_CSS:
		css_text(value, text, size);
		break;
	case UNIT_SHST:
		snprintf(text, size, "%s", shutdowns[value & 3]);
		break;
	case UNIT_ADDRESS:
		snprintf(text, size, "%#llx", (unsigned long long)value << field->low);
		break;
	case UNIT_HEX:
		snprintf(text, size, "%#llx", (unsigned long long)value);
		break;
	case UNIT_PLAIN:
		break;
	}
}

/**
 * fields_print_short - a register in one line, without the fields that are 0
 * @reg: the register
 * @value: what is in it
 * @to: where it goes
 */
void fields_print_short(const struct fields_reg *reg, u64 value, FILE *to)
{
	const struct fields_field *field;
	const char *between = "  ";
	char text[64];

	for (field = reg->fields; field->name; field++) {
		u64 n = fields_value(field, value);

		/* What is 0 and on the way up or down is the news. */
		if (!n && field != reg->fields)
			continue;
		fields_meaning(field, n, text, sizeof(text));
		if (fields_is_hex(field))
			fprintf(to, "%s%s=%s", between, field->name, text);
		else
			fprintf(to, "%s%s=%llu", between, field->name, (unsigned long long)n);
		between = " ";
	}
}
