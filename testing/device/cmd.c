// SPDX-License-Identifier: GPL-2.0
/*
 * What all commands have in common: the rules for the entry, and the way to the data.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "ctrl.h"

/* SQE flags (base figure 86) */
#define FLAGS_FUSE	0x03
#define FLAGS_RESERVED	0x3c
#define PSDT(flags)	((flags) >> 6)

#define SQE_NSID	0x01	/* NSID has a meaning */
#define SQE_DATA	0x02	/* PRP1 and PRP2 have */
#define SQE_PRP1	0x04	/* PRP1 alone */
#define SQE_MPTR	0x08
#define SQE_DW23	0x10	/* cdw2 and cdw3 have */

/**
 * struct sqe_rule - what may be in an entry; everything else is reserved
 * @opcode: of which command
 * @uses: SQE_*
 * @used: bits of cdw10 to cdw15 that have a meaning
 */
struct sqe_rule {
	uint8_t opcode;
	uint8_t uses;
	uint32_t used[6];
};

#define ALL	0xffffffff

/* Base sections 5.1 to 5.30; commands that the device does not have need no line. */
static const struct sqe_rule admin_rules[] = {
	{ NVMQ_ADMIN_DELETE_SQ, 0, { 0xffff } },
	{ NVMQ_ADMIN_CREATE_SQ, SQE_PRP1, { ALL, 0xffff0007, 0xffff } },
	{ NVMQ_ADMIN_GET_LOG_PAGE, SQE_NSID | SQE_DATA,
	  { ALL, ALL, ALL, ALL, 0xff80007f } },
	{ NVMQ_ADMIN_DELETE_CQ, 0, { 0xffff } },
	{ NVMQ_ADMIN_CREATE_CQ, SQE_PRP1, { ALL, 0xffff0003 } },
	{ NVMQ_ADMIN_IDENTIFY, SQE_NSID | SQE_DATA, { 0xffff00ff, 0xff00ffff, 0, 0, 0x7f } },
	{ NVMQ_ADMIN_ABORT, 0, { ALL } },
	{ NVMQ_ADMIN_SET_FEATURES, SQE_NSID | SQE_DATA,
	  { 0x800000ff, ALL, ALL, ALL, 0x7f, ALL } },
	{ NVMQ_ADMIN_GET_FEATURES, SQE_NSID | SQE_DATA, { 0x7ff, ALL, 0, 0, 0x7f } },
	{ NVMQ_ADMIN_ASYNC_EVENT, 0, { 0 } },
	{ NVMQ_ADMIN_NS_MANAGEMENT, SQE_NSID | SQE_DATA, { 0xf, 0xff000000 } },
	{ NVMQ_ADMIN_SELF_TEST, SQE_NSID, { 0xf } },
	{ NVMQ_ADMIN_NS_ATTACHMENT, SQE_NSID | SQE_DATA, { 0xf } },
	{ NVMQ_ADMIN_KEEP_ALIVE, 0, { 0 } },
	{ NVMQ_ADMIN_FORMAT_NVM, SQE_NSID, { 0x3fff } },
	{ NVMQ_ADMIN_SECURITY_SEND, SQE_NSID | SQE_DATA, { ALL, ALL } },
	{ NVMQ_ADMIN_SECURITY_RECEIVE, SQE_NSID | SQE_DATA, { ALL, ALL } },
};

/* Base section 7 and nvm section 3.2 */
static const struct sqe_rule io_rules[] = {
	{ NVMQ_IO_FLUSH, SQE_NSID, { 0 } },
	{ NVMQ_IO_WRITE, SQE_NSID | SQE_DATA | SQE_MPTR | SQE_DW23,
	  { ALL, ALL, 0xfdf0ffff, 0xffff00ff, ALL, ALL } },
	{ NVMQ_IO_READ, SQE_NSID | SQE_DATA | SQE_MPTR | SQE_DW23,
	  { ALL, ALL, 0xfd00ffff, 0x000000ff, ALL, ALL } },
	{ NVMQ_IO_WRITE_UNCORRECTABLE, SQE_NSID, { ALL, ALL, 0x00f0ffff, 0xffff0000 } },
	{ NVMQ_IO_COMPARE, SQE_NSID | SQE_DATA | SQE_MPTR | SQE_DW23,
	  { ALL, ALL, 0xfd00ffff, 0, ALL, ALL } },
	{ NVMQ_IO_WRITE_ZEROES, SQE_NSID | SQE_DW23,
	  { ALL, ALL, 0xfff0ffff, 0xffff0000, ALL, ALL } },
	{ NVMQ_IO_DSM, SQE_NSID | SQE_DATA, { 0xff, 0x7 } },
	{ NVMQ_IO_VERIFY, SQE_NSID | SQE_DW23, { ALL, ALL, 0xfd00ffff, 0, ALL, ALL } },
	{ NVMQ_IO_RESV_REGISTER, SQE_NSID | SQE_DATA, { 0xc000000f } },
	{ NVMQ_IO_RESV_REPORT, SQE_NSID | SQE_DATA, { ALL, 0x1 } },
	{ NVMQ_IO_RESV_ACQUIRE, SQE_NSID | SQE_DATA, { 0xff0f } },
	{ NVMQ_IO_RESV_RELEASE, SQE_NSID | SQE_DATA, { 0xff0f } },
	{ NVMQ_IO_COPY, SQE_NSID | SQE_DATA | SQE_DW23,
	  { ALL, ALL, 0xfff0ffff, 0xffff0000, ALL, ALL } },
};

struct judge *cmd_judge(const struct cmd *cmd)
{
	return cmd->ctrl->judge;
}

static const struct sqe_rule *rule_of(const struct cmd *cmd)
{
	const struct sqe_rule *rules = cmd->sq->qid ? io_rules : admin_rules;
	size_t nr = cmd->sq->qid ? sizeof(io_rules) / sizeof(*io_rules) :
				   sizeof(admin_rules) / sizeof(*admin_rules), i;

	for (i = 0; i < nr; i++)
		if (rules[i].opcode == cmd->sqe.opcode)
			return &rules[i];
	return NULL;
}

/* Whether NSID means something in a command whose rule says that it may. */
static bool uses_nsid(const struct cmd *cmd)
{
	if (cmd->sq->qid || cmd->sqe.opcode != NVMQ_ADMIN_IDENTIFY)
		return true;
	/* Identify, base figure 273: not for what is of the controller or the subsystem. */
	switch (cmd_dw10(cmd) & 0xff) {
	case NVMQ_CNS_CONTROLLER:
	case NVMQ_CNS_CONTROLLER_CSS:
	case NVMQ_CNS_CONTROLLERS:
	case NVMQ_CNS_GRANULARITY:
	case NVMQ_CNS_COMMAND_SETS:
		return false;
	default:
		return true;
	}
}

static void check_reserved(struct cmd *cmd, const struct sqe_rule *rule)
{
	static const char * const name[] = { "cdw10", "cdw11", "cdw12", "cdw13", "cdw14", "cdw15" };
	const struct nvmq_sqe *sqe = &cmd->sqe;
	const __le32 dw[] = { sqe->cdw10, sqe->cdw11, sqe->cdw12,
			      sqe->cdw13, sqe->cdw14, sqe->cdw15 };
	unsigned int i;

	for (i = 0; i < 6; i++)
		if (le32toh(dw[i]) & ~rule->used[i])
			cmd_violation(cmd, RULE_SQE_RESERVED,
				      "opcode %02x: %s is %08x, reserved %08x", sqe->opcode,
				      name[i], le32toh(dw[i]), ~rule->used[i]);
	if ((sqe->cdw2 || sqe->cdw3) && !(rule->uses & SQE_DW23))
		cmd_violation(cmd, RULE_SQE_RESERVED, "opcode %02x: cdw2 %08x cdw3 %08x",
			      sqe->opcode, le32toh(sqe->cdw2), le32toh(sqe->cdw3));
	if (sqe->mptr && !(rule->uses & SQE_MPTR))
		cmd_violation(cmd, RULE_SQE_RESERVED, "opcode %02x: MPTR %#jx", sqe->opcode,
			      le64toh(sqe->mptr));
	if ((sqe->prp1 && !(rule->uses & (SQE_DATA | SQE_PRP1))) ||
	    (sqe->prp2 && !(rule->uses & SQE_DATA)))
		cmd_violation(cmd, RULE_SQE_RESERVED, "opcode %02x: PRP1 %#jx PRP2 %#jx",
			      sqe->opcode, le64toh(sqe->prp1), le64toh(sqe->prp2));
	if (sqe->nsid && (!(rule->uses & SQE_NSID) || !uses_nsid(cmd)))
		cmd_violation(cmd, RULE_SQE_NSID_UNUSED, "opcode %02x: NSID %#x", sqe->opcode,
			      cmd_nsid(cmd));
}

int cmd_check(struct cmd *cmd)
{
	const struct sqe_rule *rule = rule_of(cmd);
	uint8_t flags = cmd->sqe.flags;
	int status = 0;

	if (cmd->cid == 0xffff)
		cmd_violation(cmd, RULE_SQE_CID_FFFF, "opcode %02x", cmd->sqe.opcode);
	if (flags & FLAGS_RESERVED)
		cmd_violation(cmd, RULE_SQE_FLAGS, "flags %02x", flags);
	if (flags & FLAGS_FUSE) {
		cmd_violation(cmd, RULE_SQE_FUSED, "flags %02x", flags);
		status = NVMQ_SC_INVALID_FIELD;
	}
	if (PSDT(flags)) {
		if (!cmd->sq->qid) {
			cmd_violation(cmd, RULE_SQE_PSDT_ADMIN, "flags %02x", flags);
			status = NVMQ_SC_INVALID_FIELD;
		} else if (PSDT(flags) == 3 || !(cmd->ctrl->opt.sgls & NVMQ_SGLS_MASK)) {
			cmd_violation(cmd, RULE_SQE_PSDT, "flags %02x, SGLS %08x", flags,
				      cmd->ctrl->opt.sgls);
			status = NVMQ_SC_INVALID_FIELD;
		}
	}
	if (rule && judge_armed(cmd->ctrl->judge))
		check_reserved(cmd, rule);
	return status;
}

static struct walk walk_of(struct cmd *cmd, unsigned int prot)
{
	return (struct walk){
		.mem = cmd->ctrl->mem,
		.judge = cmd->ctrl->judge,
		.qid = cmd->sq->qid,
		.page_shift = cmd->ctrl->page_shift,
		.sgls = cmd->ctrl->opt.sgls,
		.prot = prot,
	};
}

int cmd_map(struct cmd *cmd, uint64_t len, unsigned int prot)
{
	const struct options *opt = &cmd->ctrl->opt;
	struct walk walk;
	int status;

	if (len && cmd->mapped == len && cmd->prot == prot &&
	    cmd->generation == mem_generation(cmd->ctrl->mem))
		return 0;
	if (opt->mdts && len > 4096ull << (opt->mpsmin + opt->mdts)) {
		cmd_violation(cmd, RULE_MDTS, "%ju bytes, MDTS is %u", len, opt->mdts);
		return NVMQ_SC_INVALID_FIELD;
	}
	walk = walk_of(cmd, prot);
	walk.spans = cmd->spans;
	walk.max = cmd->max_spans;
	status = walk_data(&walk, &cmd->sqe, len);
	cmd->spans = walk.spans;
	cmd->max_spans = walk.max;
	cmd->nr_spans = walk.nr;
	cmd->lists = walk.lists;
	cmd->nr_lists = walk.nr_lists;
	cmd->mapped = status ? 0 : len;
	cmd->bytes = cmd->mapped;
	cmd->prot = prot;
	cmd->generation = mem_generation(cmd->ctrl->mem);
	return status;
}

void cmd_recheck(struct cmd *cmd)
{
	struct walk walk;

	if (!cmd->mapped || !cmd->nr_lists)
		return;
	walk = walk_of(cmd, cmd->prot);
	/* Only whether it is the same: what is wrong with it, if it is not, has no bearing. */
	walk.judge = NULL;
	if (walk_data(&walk, &cmd->sqe, cmd->mapped) || walk.lists != cmd->lists) {
		cmd_violation(cmd, RULE_PRP_LIST_CHANGED, "cid %u, %ju bytes", cmd->cid,
			      cmd->mapped);
		/* What was read first is what counts, as if the controller kept a copy. */
	}
	free(walk.spans);
}

/* Where the data of a log page begins in the page. */
static uint64_t page_offset(const struct cmd *cmd)
{
	if (cmd->sq->qid || cmd->sqe.opcode != NVMQ_ADMIN_GET_LOG_PAGE)
		return 0;
	return cmd_dw12(cmd) | (uint64_t)cmd_dw13(cmd) << 32;
}

int cmd_to_host(struct cmd *cmd, const void *data, size_t len)
{
	const struct lie *lie = lie_find(&cmd->lies, LIE_GARBAGE);
	const uint8_t *from = data;
	int status = cmd_map(cmd, len, MEM_WRITE);
	size_t at = 0;
	unsigned int i;

	if (status)
		return status;
	for (i = 0; i < cmd->nr_spans && len; i++) {
		const struct span *span = &cmd->spans[i];

		memcpy(span->host, from + at, span->len);
		if (lie)
			lie_spoil(lie, page_offset(cmd) + at, page_offset(cmd) + len, span->host,
				  span->len);
		at += span->len;
	}
	cmd->at.data = cmd->ctrl->clock->tracing ? clock_now() : 0;
	return 0;
}

int cmd_from_host(struct cmd *cmd, void *data, size_t len)
{
	uint8_t *to = data;
	int status = cmd_map(cmd, len, MEM_READ);
	unsigned int i;

	if (status)
		return status;
	for (i = 0; i < cmd->nr_spans && len; i++) {
		memcpy(to, cmd->spans[i].host, cmd->spans[i].len);
		to += cmd->spans[i].len;
	}
	cmd->at.data = cmd->ctrl->clock->tracing ? clock_now() : 0;
	return 0;
}

int cmd_meta(struct cmd *cmd, size_t len, unsigned int prot, struct walk *walk)
{
	*walk = walk_of(cmd, prot);
	return walk_span(walk, le64toh(cmd->sqe.mptr), len, "metadata");
}

void cmd_spoil(struct cmd *cmd)
{
	const struct lie *lie = cmd_wrong_data(cmd);
	uint64_t at = 0;
	unsigned int i;

	if (!lie || cmd->prot != MEM_WRITE || !cmd->mapped ||
	    cmd->generation != mem_generation(cmd->ctrl->mem))
		return;
	for (i = 0; i < cmd->nr_spans; i++) {
		lie_spoil(lie, at, cmd->mapped, cmd->spans[i].host, cmd->spans[i].len);
		at += cmd->spans[i].len;
	}
}

void cmd_poison(struct cmd *cmd)
{
	unsigned int i;

	if (!cmd->mapped || cmd->prot != MEM_WRITE ||
	    cmd->generation != mem_generation(cmd->ctrl->mem))
		return;
	for (i = 0; i < cmd->nr_spans; i++)
		memset(cmd->spans[i].host, 0xa5, cmd->spans[i].len);
}
