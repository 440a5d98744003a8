// SPDX-License-Identifier: GPL-2.0
/*
 * BAR 0: what is where, who may touch it how, and the doorbells.
 */
#include <endian.h>
#include <string.h>

#include "ctrl.h"
#include "irq.h"
#include "work.h"

#define CC_SHN(cc)	(((cc) >> 14) & 0x3)
#define CSTS_NSSRO	0x10u
#define NSSR_NVME	0x4e564d65u
#define AQA_RESERVED	0xf000f000u

/* Optional registers, whose features this device does not have; they read 0. */
#define REG_NSSD	0x64

enum reg_access { REG_RO, REG_RW, REG_OPTIONAL };

/**
 * struct reg - a register that the specification defines
 * @offset: into BAR 0
 * @size: bytes
 * @access: what may be done
 */
struct reg {
	uint16_t offset;
	uint8_t size;
	uint8_t access;
};

static const struct reg regs[] = {
	{ NVMQ_REG_CAP, 8, REG_RO },
	{ NVMQ_REG_VS, 4, REG_RO },
	{ NVMQ_REG_INTMS, 4, REG_RW },
	{ NVMQ_REG_INTMC, 4, REG_RW },
	{ NVMQ_REG_CC, 4, REG_RW },
	{ NVMQ_REG_CSTS, 4, REG_RW },
	{ NVMQ_REG_NSSR, 4, REG_RW },
	{ NVMQ_REG_AQA, 4, REG_RW },
	{ NVMQ_REG_ASQ, 8, REG_RW },
	{ NVMQ_REG_ACQ, 8, REG_RW },
	{ 0x38, 4, REG_RO },		/* CMBLOC */
	{ 0x3c, 4, REG_RO },		/* CMBSZ */
	{ 0x40, 4, REG_RO },		/* BPINFO */
	{ 0x44, 4, REG_OPTIONAL },	/* BPRSEL */
	{ 0x48, 8, REG_OPTIONAL },	/* BPMBL */
	{ 0x50, 8, REG_OPTIONAL },	/* CMBMSC */
	{ 0x58, 4, REG_RO },		/* CMBSTS */
	{ 0x5c, 4, REG_RO },		/* CMBEBS */
	{ 0x60, 4, REG_RO },		/* CMBSWTP */
	{ REG_NSSD, 4, REG_OPTIONAL },
	{ NVMQ_REG_CRTO, 4, REG_RO },
	{ 0xe00, 4, REG_RO },		/* PMRCAP */
	{ 0xe04, 4, REG_OPTIONAL },	/* PMRCTL */
	{ 0xe08, 4, REG_RO },		/* PMRSTS */
	{ 0xe0c, 4, REG_RO },		/* PMREBS */
	{ 0xe10, 4, REG_RO },		/* PMRSWTP */
	{ 0xe14, 4, REG_OPTIONAL },	/* PMRMSCL */
	{ 0xe18, 4, REG_OPTIONAL },	/* PMRMSCU */
};

/* ---- doorbells ----------------------------------------------------------------------------- */

#define EVENT_ERROR		0
#define EVENT_DB_REGISTER	0x00	/* Write to Invalid Doorbell Register */
#define EVENT_DB_VALUE		0x01	/* Invalid Doorbell Write Value */
#define LOG_ERROR		0x01

/* From @from forward to @to in a ring of @n. */
static uint32_t distance(uint32_t from, uint32_t to, uint32_t n)
{
	return to >= from ? to - from : to + n - from;
}

/* What all doorbells have in common: true if the value can be used. */
static bool check_value(struct ctrl *ctrl, const char *what, unsigned int qid, uint32_t value,
			uint32_t now, uint32_t entries)
{
	if (value >= entries) {
		judge_violation(ctrl->judge, RULE_DB_RANGE, qid, "%s %u, %u entries", what, value,
				entries);
	} else if (value == now) {
		judge_violation(ctrl->judge, RULE_DB_SAME, qid, "%s %u", what, value);
	} else {
		return true;
	}
	ctrl_event(ctrl, EVENT_ERROR, EVENT_DB_VALUE, LOG_ERROR);
	return false;
}

static void ring_sq(struct ctrl *ctrl, struct sq *sq, uint32_t tail)
{
	uint32_t n = sq->ring.entries;

	/* Admin commands may go on until the shutdown is complete. */
	if (CC_SHN(ctrl->cc) &&
	    (sq->qid || (ctrl->csts & NVMQ_CSTS_SHST_MASK) == NVMQ_CSTS_SHST_DONE))
		judge_violation(ctrl->judge, RULE_DB_SHUTDOWN, sq->qid, "tail %u, CC %#x, CSTS %#x",
				tail, ctrl->cc, ctrl->csts);
	if (!check_value(ctrl, "tail", sq->qid, tail, sq->tail, n))
		return;
	if (distance(sq->told, sq->tail, n) + distance(sq->tail, tail, n) > n - 1) {
		judge_violation(ctrl->judge, RULE_DB_SQ_OVERRUN, sq->qid,
				"tail %u, was %u, the head was told to be %u, %u entries", tail,
				sq->tail, sq->told, n);
		/* The device knows better where its head is, and may still have room. */
		if (distance(sq->head, sq->tail, n) + distance(sq->tail, tail, n) > n - 1) {
			ctrl_event(ctrl, EVENT_ERROR, EVENT_DB_VALUE, LOG_ERROR);
			return;
		}
	}
	sq->tail = tail;
	if (sq->deleter)
		return;
	if (ctrl->clock->tracing)
		sq->doorbell = clock_now();
	if (pci_bus_master(ctrl->pci) && !ctrl->stopped)
		work_look(ctrl, sq);
	arbiter_add(&ctrl->arbiter, sq);
}

static void ring_cq(struct ctrl *ctrl, struct cq *cq, uint32_t head)
{
	uint32_t n = cq->ring.entries;

	if (!check_value(ctrl, "head", cq->qid, head, cq->head, n))
		return;
	if (distance(cq->head, head, n) > distance(cq->head, cq->tail, n)) {
		judge_violation(ctrl->judge, RULE_DB_CQ_OVERRUN, cq->qid,
				"head %u, was %u, posted up to %u", head, cq->head, cq->tail);
		ctrl_event(ctrl, EVENT_ERROR, EVENT_DB_VALUE, LOG_ERROR);
		return;
	}
	cq->head = head;
	cq->complained = false;
	cq->announced = cq->announced && head != cq->tail ? ctrl->now : 0;
	irq_answered(ctrl, cq);
	work_unblock(ctrl, cq);
	if (pci_irq_mode(ctrl->pci) == PCI_IRQ_INTX)
		irq_update_intx(ctrl);
}

/* The queue of a doorbell; false if nothing is there. */
static bool doorbell_of(const struct ctrl *ctrl, uint64_t offset, unsigned int *qid, bool *head)
{
	uint64_t stride = 4ull << ctrl->opt.dstrd, at = offset - NVMQ_REG_DOORBELLS;

	*qid = at / stride / 2;
	*head = at / stride & 1;
	return at % stride == 0;
}

static void write_doorbell(struct ctrl *ctrl, uint64_t offset, const void *buf, size_t len)
{
	uint32_t value;
	unsigned int qid;
	bool head;

	if (len != 4 || offset & 3) {
		judge_violation(ctrl->judge, RULE_DB_WIDTH, -1, "%zu bytes at %#jx", len,
				offset);
		return;
	}
	if (!doorbell_of(ctrl, offset, &qid, &head)) {
		judge_violation(ctrl->judge, RULE_DB_GAP, -1, "offset %#jx, DSTRD is %u",
				offset, ctrl->opt.dstrd);
		return;
	}
	ctrl->stats.doorbells[head]++;
	memcpy(&value, buf, 4);
	value = le32toh(value);
	if (!(ctrl->cc & NVMQ_CC_EN) || !(ctrl->csts & NVMQ_CSTS_RDY)) {
		judge_violation(ctrl->judge, RULE_DB_NOT_READY, qid, "%s %u, CC %#x, CSTS %#x",
				head ? "head" : "tail", value, ctrl->cc, ctrl->csts);
		return;
	}
	if (qid > ctrl->opt.queues || !(head ? (void *)ctrl->cq[qid] : (void *)ctrl->sq[qid])) {
		judge_violation(ctrl->judge, RULE_DB_NO_QUEUE, qid, "%s %u",
				head ? "head" : "tail", value);
		ctrl_event(ctrl, EVENT_ERROR, EVENT_DB_REGISTER, LOG_ERROR);
		return;
	}
	if (value >> 16)
		judge_violation(ctrl->judge, RULE_DB_RESERVED, qid, "%#x", value);
	value &= 0xffff;
	if (head)
		ring_cq(ctrl, ctrl->cq[qid], value);
	else
		ring_sq(ctrl, ctrl->sq[qid], value);
}

/* ---- registers ----------------------------------------------------------------------------- */

/* The register that a byte belongs to; NULL if it is reserved. */
static const struct reg *reg_at(uint64_t offset)
{
	unsigned int i;

	for (i = 0; i < sizeof(regs) / sizeof(*regs); i++)
		if (offset >= regs[i].offset && offset < regs[i].offset + regs[i].size)
			return &regs[i];
	return NULL;
}

static uint32_t reg_value(const struct ctrl *ctrl, uint64_t offset)
{
	switch (offset) {
	case NVMQ_REG_CAP:
		return ctrl->cap;
	case NVMQ_REG_CAP + 4:
		return ctrl->cap >> 32;
	case NVMQ_REG_VS:
		return ctrl->vs;
	case NVMQ_REG_INTMS:
	case NVMQ_REG_INTMC:
		return ctrl->intm;
	case NVMQ_REG_CC:
		return ctrl->cc;
	case NVMQ_REG_CSTS:
		return ctrl->csts;
	case NVMQ_REG_AQA:
		return ctrl->aqa;
	case NVMQ_REG_ASQ:
		return ctrl->asq;
	case NVMQ_REG_ASQ + 4:
		return ctrl->asq >> 32;
	case NVMQ_REG_ACQ:
		return ctrl->acq;
	case NVMQ_REG_ACQ + 4:
		return ctrl->acq >> 32;
	case NVMQ_REG_CRTO:
		return ctrl->opt.crto;
	default:
		return 0;
	}
}

/* Whether a register is accessed as it may be. */
static bool check_access(struct ctrl *ctrl, const char *what, uint64_t offset, size_t len)
{
	const struct reg *first = reg_at(offset), *last = reg_at(offset + len - 1);

	if ((first != last && first) || (first != last && last)) {
		judge_violation(ctrl->judge, RULE_REG_SPAN, -1, "%s of %zu bytes at %#jx",
				what, len, offset);
		return false;
	}
	if (!first)
		return true;
	if (len != 4 && len != first->size) {
		judge_violation(ctrl->judge, RULE_REG_WIDTH, -1, "%s of %zu bytes at %#jx",
				what, len, offset);
		return false;
	}
	if (offset & 3) {
		judge_violation(ctrl->judge, RULE_REG_ALIGN, -1, "%s of %zu bytes at %#jx",
				what, len, offset);
		return false;
	}
	if ((first->offset == NVMQ_REG_INTMS || first->offset == NVMQ_REG_INTMC) &&
	    pci_irq_mode(ctrl->pci) == PCI_IRQ_MSIX)
		judge_violation(ctrl->judge, RULE_INTM_MSIX, -1, "%s at %#jx", what, offset);
	return true;
}

void ctrl_read(struct ctrl *ctrl, uint64_t offset, void *buf, size_t len)
{
	struct lie_hits hits;
	const struct lie *lie;
	unsigned int qid = 0;
	bool head;
	size_t i;

	ctrl->now = clock_now();
	ctrl->stats.reads++;
	memset(buf, 0, len);
	if (offset >= NVMQ_REG_DOORBELLS) {
		judge_violation(ctrl->judge, RULE_DB_READ, -1, "%zu bytes at %#jx", len,
				offset);
		doorbell_of(ctrl, offset, &qid, &head);
		script_register(ctrl->script, false, offset, qid, ctrl->now, &hits);
	} else {
		check_access(ctrl, "read", offset, len);
		for (i = 0; i < len; i++)
			((uint8_t *)buf)[i] = reg_value(ctrl, (offset + i) & ~3ull) >>
					      (8 * ((offset + i) & 3));
		script_register(ctrl->script, false, offset, -1, ctrl->now, &hits);
	}
	if (hits.kinds) {
		ctrl_lies(ctrl, &hits, -1);
		lie = lie_find(&hits, LIE_VALUE);
		for (i = 0; lie && i < len && i < 8; i++)
			((uint8_t *)buf)[i] = lie->value >> (8 * i);
		if (lie_find(&hits, LIE_ALL_ONES))
			memset(buf, 0xff, len);
	}
	if (ctrl->gone || ctrl->dead)
		memset(buf, 0xff, len);
}

static void write_reg(struct ctrl *ctrl, uint64_t offset, uint32_t value)
{
	bool enabled = ctrl->cc & NVMQ_CC_EN;

	switch (offset) {
	case NVMQ_REG_AQA:
	case NVMQ_REG_ASQ:
	case NVMQ_REG_ASQ + 4:
	case NVMQ_REG_ACQ:
	case NVMQ_REG_ACQ + 4:
		if (enabled) {
			judge_violation(ctrl->judge, RULE_AQ_CHANGED, -1,
					"%#x to %#jx, CC %#x", value, offset, ctrl->cc);
			return;
		}
		break;
	default:
		break;
	}
	switch (offset) {
	case NVMQ_REG_INTMS:
		ctrl->intm |= value;
		irq_update_intx(ctrl);
		break;
	case NVMQ_REG_INTMC:
		ctrl->intm &= ~value;
		irq_update_intx(ctrl);
		break;
	case NVMQ_REG_CC:
		ctrl_write_cc(ctrl, value);
		break;
	case NVMQ_REG_CSTS:
		/* To clear NSSRO by writing back what was read, with it, is a way to do it. */
		if (value & ~CSTS_NSSRO & ~ctrl->csts)
			judge_violation(ctrl->judge, RULE_REG_READ_ONLY, -1, "%#x to CSTS", value);
		ctrl->csts &= ~(value & CSTS_NSSRO);
		break;
	case NVMQ_REG_NSSR:
		if (!ctrl->opt.nssrs) {
			/* Reserved then: 0 may be written. */
			if (value)
				judge_violation(ctrl->judge, RULE_NSSR_UNSUPPORTED, -1, "%#x",
						value);
		} else if (value != NSSR_NVME) {
			judge_violation(ctrl->judge, RULE_NSSR_VALUE, -1, "%#x", value);
		} else {
			ctrl_reset(ctrl, RESET_SUBSYSTEM);
		}
		break;
	case NVMQ_REG_AQA:
		if (value & AQA_RESERVED)
			judge_violation(ctrl->judge, RULE_AQA_RESERVED, -1, "AQA %#x", value);
		ctrl->aqa = value & ~AQA_RESERVED;
		ctrl->aq_written |= 1;
		break;
	case NVMQ_REG_ASQ:
		ctrl->asq = (ctrl->asq & ~0xffffffffull) | value;
		ctrl->aq_written |= 2;
		break;
	case NVMQ_REG_ASQ + 4:
		ctrl->asq = (ctrl->asq & 0xffffffff) | (uint64_t)value << 32;
		break;
	case NVMQ_REG_ACQ:
		ctrl->acq = (ctrl->acq & ~0xffffffffull) | value;
		ctrl->aq_written |= 4;
		break;
	case NVMQ_REG_ACQ + 4:
		ctrl->acq = (ctrl->acq & 0xffffffff) | (uint64_t)value << 32;
		break;
	default:
		break;
	}
}

static void write_regs(struct ctrl *ctrl, uint64_t offset, const void *buf, size_t len)
{
	const struct reg *reg;
	uint32_t value;
	size_t i;

	ctrl->stats.writes++;
	if (!check_access(ctrl, "write", offset, len))
		return;
	reg = reg_at(offset);
	if (!reg || reg->access == REG_OPTIONAL) {
		/* Whoever writes them has to write 0. */
		for (i = 0; i < len && !((const uint8_t *)buf)[i]; i++)
			;
		if (i < len)
			judge_violation(ctrl->judge, RULE_REG_RESERVED, -1, "%zu bytes at %#jx",
					len, offset);
		return;
	}
	if (reg->access == REG_RO) {
		judge_violation(ctrl->judge, RULE_REG_READ_ONLY, -1, "%zu bytes at %#jx", len,
				offset);
		return;
	}
	for (i = 0; i + 4 <= len; i += 4) {
		memcpy(&value, (const uint8_t *)buf + i, 4);
		write_reg(ctrl, offset + i, le32toh(value));
	}
}

void ctrl_write(struct ctrl *ctrl, uint64_t offset, const void *buf, size_t len)
{
	struct lie_hits hits;
	unsigned int qid = 0;
	bool head, bell = offset >= NVMQ_REG_DOORBELLS;

	ctrl->now = clock_now();
	if (bell)
		doorbell_of(ctrl, offset, &qid, &head);
	script_register(ctrl->script, true, offset, bell ? (int)qid : -1, ctrl->now, &hits);
	if (hits.kinds) {
		ctrl_lies(ctrl, &hits, bell ? (int)qid : -1);
		if (lie_find(&hits, LIE_DROP))
			return;
	}
	if (ctrl->gone)
		return;
	if (bell)
		write_doorbell(ctrl, offset, buf, len);
	else
		write_regs(ctrl, offset, buf, len);
}
