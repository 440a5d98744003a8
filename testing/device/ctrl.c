// SPDX-License-Identifier: GPL-2.0
/*
 * The controller's states, and the loop.  Registers are in regs.c, commands in work.c, interrupts
 * in irq.c, events in event.c.
 */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "ctrl.h"
#include "event.h"
#include "feature.h"
#include "irq.h"
#include "log.h"
#include "ns.h"
#include "store.h"
#include "work.h"

#define MS		1000000ull
/* Commands of one ctrl_run(): as long as a client may wait for a register. */
#define BATCH		64
/* What is mapped in pieces of this size is RAM, and not a buffer behind an IOMMU. */
#define RAM_BYTES	(64ull << 20)

/* CAP (base 3.1.3.1) */
#define CAP_CQR		(1ull << 16)
#define CAP_AMS_WRR	(1ull << 17)
#define CAP_NSSRS	(1ull << 36)
#define CAP_CRMS_CRWMS	(1ull << 59)
/* CC (base 3.1.3.5) */
#define CC_CSS(cc)	(((cc) >> 4) & 0x7)
#define CC_MPS(cc)	(((cc) >> 7) & 0xf)
#define CC_AMS(cc)	(((cc) >> 11) & 0x7)
#define CC_SHN(cc)	(((cc) >> 14) & 0x3)
#define CC_RESERVED	0xff00000eu
#define CC_FIXED	0x00003ff0u	/* CSS, MPS, AMS */
#define CC_IOSQES	0x000f0000u
#define CC_IOCQES	0x00f00000u
/* CSTS (base 3.1.3.6) */
#define CSTS_SHST_BUSY	(0x1u << 2)
#define CSTS_NSSRO	0x10u

/* ---- states -------------------------------------------------------------------------------- */

void ctrl_fatal(struct ctrl *ctrl)
{
	ctrl->csts |= NVMQ_CSTS_CFS;
	ctrl->stopped = true;
}

/* What every Controller Level Reset has in common (base 3.7.2). */
static void reset_common(struct ctrl *ctrl)
{
	unsigned int i;

	ctrl->stats.resets++;
	work_drop(ctrl);
	arbiter_reset(&ctrl->arbiter);
	for (i = 0; i < CTRL_MAX_VECTORS; i++)
		ctrl->vector[i] = (struct ctrl_vector){ .coalesce = true };
	ctrl->any_dirty = false;
	ctrl->threshold = 0;
	ctrl->coalesce_ns = 0;
	ctrl->nr_queued = 0;
	ctrl->unread = 0;
	ctrl->aborts = 0;
	ctrl->granted_sq = UINT32_MAX;
	ctrl->granted_cq = UINT32_MAX;
	ctrl->intm = 0;
	ctrl->stopped = false;
	ctrl->csts &= CSTS_NSSRO | NVMQ_CSTS_RDY;
	ctrl->shutdown_at = CLOCK_NEVER;
	ctrl->tick_at = CLOCK_NEVER;
	features_reset(ctrl);
	logs_reset(ctrl);
	opal_reset(&ctrl->tcg);
	if (ctrl->pci)
		irq_update_intx(ctrl);
}

void ctrl_reset(struct ctrl *ctrl, enum ctrl_reset kind)
{
	ctrl->now = clock_now();
	reset_common(ctrl);
	if (kind == RESET_CONTROLLER)
		return;
	ctrl->cc = 0;
	ctrl->csts = kind == RESET_SUBSYSTEM ? CSTS_NSSRO : 0;
	ctrl->aqa = 0;
	ctrl->asq = 0;
	ctrl->acq = 0;
	ctrl->aq_written = 0;
	ctrl->ready_at = CLOCK_NEVER;
	ctrl->stuck = false;
	ctrl->rdy_extra = 0;
	switch (kind) {
	case RESET_FUNCTION:
		ctrl_script_event(ctrl, LIE_ON_FLR);
		break;
	case RESET_SUBSYSTEM:
		ctrl_script_event(ctrl, LIE_ON_SUBSYSTEM_RESET);
		break;
	default:
		/* Firmware comes first again. */
		if (ctrl->opt.arm_at > 1) {
			ctrl->firmware = 0;
			judge_arm(ctrl->judge, false);
		}
		ctrl_script_event(ctrl, LIE_ON_RESET);
		break;
	}
}

/* CSTS.RDY follows CC.EN. */
static void follow(struct ctrl *ctrl)
{
	ctrl->ready_at = CLOCK_NEVER;
	if (ctrl->stuck)
		return;
	if (ctrl->cc & NVMQ_CC_EN) {
		ctrl->csts |= NVMQ_CSTS_RDY;
		ctrl_script_event(ctrl, LIE_ON_READY);
	} else {
		ctrl->csts &= ~NVMQ_CSTS_RDY;
	}
}

static void follow_later(struct ctrl *ctrl, uint64_t ns)
{
	ns += ctrl->rdy_extra;
	ctrl->rdy_extra = 0;
	ctrl->ready_at = ctrl->now + ns;
	if (!ns)
		follow(ctrl);
}

static void check_enable(struct ctrl *ctrl, uint32_t cc)
{
	struct judge *judge = ctrl->judge;
	uint32_t css = CC_CSS(cc), ams = CC_AMS(cc), caps = NVMQ_CAP_CSS(ctrl->cap);
	uint64_t mask = (1ull << (12 + CC_MPS(cc))) - 1;

	if (ctrl->csts & NVMQ_CSTS_RDY && !ctrl->stuck)
		judge_violation(judge, RULE_CC_ENABLE_EARLY, -1, "CC %#x, CSTS %#x", cc,
				ctrl->csts);
	if (CC_MPS(cc) < ctrl->opt.mpsmin || CC_MPS(cc) > ctrl->opt.mpsmax)
		judge_violation(judge, RULE_CC_MPS, -1, "MPS %u, %u to %u are possible", CC_MPS(cc),
				ctrl->opt.mpsmin, ctrl->opt.mpsmax);
	if (!((css == 0 && caps & NVMQ_CAP_CSS_NVM) || (css == 6 && caps & NVMQ_CAP_CSS_IOCS) ||
	      (css == 7 && caps & NVMQ_CAP_CSS_NOIO)))
		judge_violation(judge, RULE_CC_CSS, -1, "CSS %u, CAP.CSS is %#x", css, caps);
	if (ams && !(ams == 1 && ctrl->cap & CAP_AMS_WRR))
		judge_violation(judge, RULE_CC_AMS, -1, "AMS %u, CAP %#jx", ams, ctrl->cap);
	if (!pci_bus_master(ctrl->pci))
		judge_violation(judge, RULE_CC_BUS_MASTER, -1, "CC %#x", cc);
	if (ctrl->aq_written != 7)
		judge_violation(judge, RULE_AQ_UNSET, -1, "not written:%s%s%s",
				ctrl->aq_written & 1 ? "" : " AQA",
				ctrl->aq_written & 2 ? "" : " ASQ",
				ctrl->aq_written & 4 ? "" : " ACQ");
	else if (!(ctrl->aqa & 0xfff) || !(ctrl->aqa >> 16 & 0xfff))
		judge_violation(judge, RULE_AQA_SIZE, -1, "AQA %#x", ctrl->aqa);
	if ((ctrl->asq | ctrl->acq) & mask)
		judge_violation(judge, RULE_AQ_ALIGN, -1, "ASQ %#jx, ACQ %#jx",
				ctrl->asq, ctrl->acq);
}

static void enable(struct ctrl *ctrl)
{
	ctrl->stats.enables++;
	if (ctrl->opt.arm_at && ++ctrl->firmware == ctrl->opt.arm_at)
		judge_arm(ctrl->judge, true);
	check_enable(ctrl, ctrl->cc);
	ctrl->enabled_at = ctrl->now;
	ctrl->csts &= ~(NVMQ_CSTS_SHST_MASK | CSTS_NSSRO);
	ctrl->page_shift = 12 + CC_MPS(ctrl->cc);
	ctrl->arbiter.wrr = CC_AMS(ctrl->cc) == 1 && ctrl->opt.wrr;
	ctrl_script_event(ctrl, LIE_ON_ENABLE);
	if (CC_MPS(ctrl->cc) < ctrl->opt.mpsmin || CC_MPS(ctrl->cc) > ctrl->opt.mpsmax ||
	    !admin_enable(ctrl)) {
		ctrl_fatal(ctrl);
		return;
	}
	/* A lie may have killed it on the way. */
	if (ctrl->stopped)
		return;
	follow_later(ctrl, ctrl->opt.ready_ms * MS);
}

static void disable(struct ctrl *ctrl)
{
	uint64_t limit = (NVMQ_CAP_TO(ctrl->cap) > ctrl->opt.crto ? NVMQ_CAP_TO(ctrl->cap) :
			  ctrl->opt.crto) * 500 * MS;

	if (!(ctrl->csts & (NVMQ_CSTS_RDY | NVMQ_CSTS_CFS)) && !ctrl->stuck &&
	    ctrl->now < ctrl->enabled_at + limit)
		judge_violation(ctrl->judge, RULE_CC_DISABLE_EARLY, -1,
				"CSTS %#x, %u ms after CC.EN", ctrl->csts,
				(unsigned int)((ctrl->now - ctrl->enabled_at) / MS));
	ctrl_reset(ctrl, RESET_CONTROLLER);
	ctrl_script_event(ctrl, LIE_ON_DISABLE);
	follow_later(ctrl, 0);
}

/* The power may go now; a trusted peripheral takes it that it does. */
static void end_shutdown(struct ctrl *ctrl)
{
	ctrl->shutdown_at = CLOCK_NEVER;
	ctrl->csts = (ctrl->csts & ~NVMQ_CSTS_SHST_MASK) | NVMQ_CSTS_SHST_DONE;
	opal_power_cut(&ctrl->tcg);
}

static void shut_down(struct ctrl *ctrl)
{
	unsigned int i;

	ctrl->stats.shutdowns++;
	ctrl->csts = (ctrl->csts & ~NVMQ_CSTS_SHST_MASK) | CSTS_SHST_BUSY;
	ctrl->shutdown_at = ctrl->now + ctrl->opt.shutdown_ms * MS;
	ctrl_script_event(ctrl, LIE_ON_SHUTDOWN);
	for (i = 0; i < NS_MAX; i++)
		if (ctrl->nss->ns[i].store)
			store_flush(ctrl->nss->ns[i].store);
	if (!ctrl->opt.shutdown_ms)
		end_shutdown(ctrl);
}

static bool has_io_queue(const struct ctrl *ctrl, bool completion)
{
	unsigned int i;

	for (i = 1; i <= ctrl->opt.queues; i++)
		if (completion ? (bool)ctrl->cq[i] : (bool)ctrl->sq[i])
			return true;
	return false;
}

void ctrl_write_cc(struct ctrl *ctrl, uint32_t cc)
{
	uint32_t old = ctrl->cc;

	if (cc & CC_RESERVED)
		judge_violation(ctrl->judge, RULE_CC_RESERVED, -1, "CC %#x, reserved are %#x", cc,
				CC_RESERVED);
	if (CC_SHN(cc) == 3)
		judge_violation(ctrl->judge, RULE_CC_SHN, -1, "CC %#x", cc);
	if (old & cc & NVMQ_CC_EN && (old ^ cc) & CC_FIXED)
		judge_violation(ctrl->judge, RULE_CC_CHANGED, -1, "CC %#x, was %#x", cc, old);
	if (old & cc & NVMQ_CC_EN &&
	    (((old ^ cc) & CC_IOSQES && has_io_queue(ctrl, false)) ||
	     ((old ^ cc) & CC_IOCQES && has_io_queue(ctrl, true))))
		judge_violation(ctrl->judge, RULE_CC_ENTRY_SIZE_CHANGED, -1, "CC %#x, was %#x", cc,
				old);
	if (~old & cc & NVMQ_CC_EN && CC_SHN(cc))
		judge_violation(ctrl->judge, RULE_CC_SHN_ENABLE, -1, "CC %#x, was %#x", cc, old);
	ctrl->cc = cc;
	if (!(old & NVMQ_CC_EN) && cc & NVMQ_CC_EN)
		enable(ctrl);
	else if (old & NVMQ_CC_EN && !(cc & NVMQ_CC_EN))
		disable(ctrl);
	if (CC_SHN(cc) && !CC_SHN(old))
		shut_down(ctrl);
}

/* ---- lies ---------------------------------------------------------------------------------- */

static void spurious(struct ctrl *ctrl, const struct lie *lie, int qid)
{
	uint32_t n, count = lie->count ? lie->count : 1;
	unsigned int i;

	if (count > 1000)
		count = 1000;
	for (n = 0; n < count; n++) {
		if (pci_irq_mode(ctrl->pci) == PCI_IRQ_INTX) {
			pci_intx_set(ctrl->pci, true);
			irq_update_intx(ctrl);
		} else if (qid >= 0 && qid <= (int)ctrl->opt.queues && ctrl->sq[qid]) {
			pci_irq(ctrl->pci, ctrl->sq[qid]->cq->vector);
		} else {
			for (i = 0; i < pci_irq_vectors(ctrl->pci); i++)
				pci_irq(ctrl->pci, i);
		}
		ctrl->stats.interrupts++;
	}
}

static void vanish(struct ctrl *ctrl, const struct lie *lie)
{
	ctrl->gone = true;
	ctrl->back_at = lie->ns ? ctrl->now + lie->ns : CLOCK_NEVER;
	pci_intx_set(ctrl->pci, false);
}

static void come_back(struct ctrl *ctrl)
{
	ctrl->gone = false;
	ctrl->dead = false;
	ctrl->back_at = CLOCK_NEVER;
	ctrl_reset(ctrl, RESET_BUS);
}

void ctrl_lies(struct ctrl *ctrl, const struct lie_hits *hits, int qid)
{
	unsigned int i;

	if (!(hits->kinds & LIE_CTRL_KINDS))
		return;
	for (i = 0; i < hits->nr; i++) {
		const struct lie *lie = &hits->lie[i];
		struct ctrl_event event = {
			.type = lie->type & 7, .info = lie->info, .log = lie->log, .forced = true,
			.count = lie->count ? lie->count : 1,
		};

		switch (lie->kind) {
		case LIE_SPURIOUS:
			spurious(ctrl, lie, qid);
			break;
		case LIE_DEAD_READS:
			ctrl->dead = true;
			break;
		case LIE_RDY_STUCK:
			ctrl->stuck = true;
			break;
		case LIE_RDY_LATE:
			ctrl->rdy_extra = lie->ns;
			break;
		case LIE_CFS:
			ctrl_fatal(ctrl);
			break;
		case LIE_GONE:
			vanish(ctrl, lie);
			break;
		case LIE_BACK:
			/* Not in the middle of a command: see ctrl_run(). */
			ctrl->back_at = ctrl->now;
			break;
		case LIE_NS_GONE:
		case LIE_NS_NEW:
		case LIE_NS_RESIZED:
			ns_lie(ctrl, lie);
			break;
		case LIE_EVENT_FLOOD:
			event_add(ctrl, &event);
			break;
		default:
			break;
		}
	}
}

void ctrl_script_event(struct ctrl *ctrl, enum lie_event event)
{
	struct lie_hits hits;

	script_event(ctrl->script, event, ctrl->now, &hits);
	ctrl_lies(ctrl, &hits, -1);
}

/* ---- the loop ------------------------------------------------------------------------------ */

bool ctrl_run(struct ctrl *ctrl)
{
	struct lie_hits hits;
	unsigned int n;

	ctrl->now = clock_now();
	do {
		script_time(ctrl->script, ctrl->now, &hits);
		ctrl_lies(ctrl, &hits, -1);
	} while (hits.kinds);
	if (ctrl->back_at <= ctrl->now)
		come_back(ctrl);
	if (ctrl->gone)
		return false;
	if (ctrl->ready_at <= ctrl->now)
		follow(ctrl);
	if (ctrl->shutdown_at <= ctrl->now)
		end_shutdown(ctrl);
	if (!pci_bus_master(ctrl->pci))
		return false;
	work_due(ctrl, BATCH);
	n = work_fetch(ctrl, BATCH);
	if (ctrl->any_dirty && !ctrl->gone)
		irq_run(ctrl);
	if (ctrl->tick_at <= ctrl->now)
		irq_tick(ctrl);
	return n == BATCH;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t ctrl_next(const struct ctrl *ctrl)
{
	uint64_t next = earlier(script_next(ctrl->script), ctrl->back_at);

	if (ctrl->gone)
		return next;
	next = earlier(next, earlier(ctrl->ready_at, ctrl->shutdown_at));
	if (!pci_bus_master(ctrl->pci))
		return next;
	if (!ctrl->stopped)
		next = earlier(next, clock_next(ctrl->clock));
	next = earlier(next, earlier(ctrl->tick_at, irq_next(ctrl)));
	return next;
}

/* ---- memory -------------------------------------------------------------------------------- */

static void check_ring(struct ctrl *ctrl, const struct ring *ring, const char *what, int qid,
		       uint64_t iova, uint64_t size)
{
	if (ring_overlaps(ring, iova, size))
		judge_violation(ctrl->judge, RULE_MEM_TAKEN_BACK, qid,
				"%#jx to %#jx is memory of %s queue %d", iova,
				iova + size, what, qid);
}

void ctrl_unmapping(struct ctrl *ctrl, uint64_t iova, uint64_t size)
{
	const struct cmd *cmd;
	unsigned int i;

	/*
	 * RAM goes only with the machine itself, which may have lost its power.  After a shutdown
	 * the controller has no business in the host's memory (base 3.6.1).
	 */
	if (!judge_armed(ctrl->judge) || ctrl->gone || size >= RAM_BYTES ||
	    (ctrl->csts & NVMQ_CSTS_SHST_MASK) == NVMQ_CSTS_SHST_DONE)
		return;
	for (i = 0; i <= ctrl->opt.queues; i++) {
		if (ctrl->sq[i])
			check_ring(ctrl, &ctrl->sq[i]->ring, "submission", i, iova, size);
		if (ctrl->cq[i])
			check_ring(ctrl, &ctrl->cq[i]->ring, "completion", i, iova, size);
	}
	for (cmd = ctrl->all; cmd; cmd = cmd->following) {
		if (!cmd->mapped || cmd->state == CMD_LATE || cmd->ghost)
			continue;
		for (i = 0; i < cmd->nr_spans; i++)
			if (iova < cmd->spans[i].iova + cmd->spans[i].len &&
			    cmd->spans[i].iova < iova + size)
				break;
		if (i < cmd->nr_spans)
			judge_violation(ctrl->judge, RULE_MEM_TAKEN_BACK, cmd->sq->qid,
					"%#jx to %#jx has data of command %u",
					iova, iova + size, cmd->cid);
	}
}

struct leaks {
	struct ctrl *ctrl;
	uint64_t limit;
	unsigned int nr;
};

static int leak(void *ctx, uint64_t iova, uint64_t size, unsigned int prot)
{
	struct leaks *leaks = ctx;

	(void)prot;
	if (size <= leaks->limit) {
		leaks->nr++;
		judge_violation(leaks->ctrl->judge, RULE_MAP_LEAKED, -1,
				"%#jx to %#jx is still mapped", iova, iova + size);
	}
	return 0;
}

unsigned int ctrl_check_leaks(struct ctrl *ctrl, uint64_t limit)
{
	struct leaks leaks = { ctrl, limit, 0 };

	mem_each(ctrl->mem, leak, &leaks);
	return leaks.nr;
}

/* ---- features ------------------------------------------------------------------------------ */

void ctrl_set_arbitration(struct ctrl *ctrl, uint32_t dw11)
{
	arbiter_set(&ctrl->arbiter, dw11);
}

void ctrl_set_coalescing(struct ctrl *ctrl, uint32_t dw11)
{
	ctrl->threshold = NVMQ_COALESCING_THR(dw11);
	/* A threshold of one entry is no coalescing, and no time is none either. */
	ctrl->coalesce_ns = ctrl->threshold ? NVMQ_COALESCING_TIME(dw11) * 100000ull : 0;
}

int ctrl_set_vector(struct ctrl *ctrl, uint32_t dw11)
{
	uint32_t vector = dw11 & 0xffff;

	if (vector >= ctrl->nr_vectors)
		return NVMQ_SC_INVALID_FIELD;
	ctrl->vector[vector].coalesce = !(dw11 & NVMQ_VECTOR_NO_COALESCING);
	return 0;
}

bool ctrl_vector_used(const struct ctrl *ctrl, uint32_t vector)
{
	unsigned int i;

	for (i = 1; i <= ctrl->opt.queues; i++)
		if (ctrl->cq[i] && ctrl->cq[i]->irq && ctrl->cq[i]->vector == vector)
			return true;
	return false;
}

int ctrl_get_vector(const struct ctrl *ctrl, uint32_t vector, uint32_t *value)
{
	if (vector >= ctrl->nr_vectors)
		return NVMQ_SC_INVALID_FIELD;
	*value = vector | (ctrl->vector[vector].coalesce ? 0 : NVMQ_VECTOR_NO_COALESCING);
	return 0;
}

int ctrl_set_queue_count(struct cmd *cmd)
{
	struct ctrl *ctrl = cmd->ctrl;
	uint32_t want = cmd_dw11(cmd), most = UINT32_MAX;
	const struct lie *lie;
	unsigned int i;

	for (i = 1; i <= ctrl->opt.queues; i++) {
		if (ctrl->sq[i] || ctrl->cq[i]) {
			cmd_violation(cmd, RULE_FEAT_QUEUES_LATE, "queue %u exists", i);
			return NVMQ_SC_COMMAND_SEQUENCE;
		}
	}
	if ((want & 0xffff) == 0xffff || want >> 16 == 0xffff) {
		cmd_violation(cmd, RULE_FEAT_QUEUES_FFFF, "cdw11 %#x", want);
		return NVMQ_SC_INVALID_FIELD;
	}
	lie = lie_find(&cmd->lies, LIE_GRANT);
	if (lie && lie->count)
		most = lie->count;
	ctrl->granted_sq = most < ctrl->opt.queues ? most : ctrl->opt.queues;
	ctrl->granted_cq = most < ctrl_cqs(ctrl) ? most : ctrl_cqs(ctrl);
	cmd->dw0 = ctrl_get_queue_count(ctrl);
	return 0;
}

uint32_t ctrl_cqs(const struct ctrl *ctrl)
{
	return ctrl->opt.cqs ? ctrl->opt.cqs : ctrl->opt.queues;
}

uint32_t ctrl_get_queue_count(struct ctrl *ctrl)
{
	/* To ask in this way is to ask, too. */
	if (ctrl->granted_sq == UINT32_MAX)
		ctrl->granted_sq = ctrl->opt.queues;
	if (ctrl->granted_cq == UINT32_MAX)
		ctrl->granted_cq = ctrl_cqs(ctrl);
	return (ctrl->granted_sq - 1) | (ctrl->granted_cq - 1) << 16;
}

/* ---- birth and death ----------------------------------------------------------------------- */

uint64_t ctrl_bar_size(const struct options *opt)
{
	uint64_t need = NVMQ_REG_DOORBELLS + (opt->queues + 1ull) * 2 * (4ull << opt->dstrd);
	uint64_t size = 0x4000;

	while (size < need)
		size *= 2;
	return size;
}

static uint64_t make_cap(const struct options *opt)
{
	uint64_t cap = opt->mqes - 1;

	cap |= opt->cqr ? CAP_CQR : 0;
	cap |= opt->wrr ? CAP_AMS_WRR : 0;
	cap |= (uint64_t)opt->to << 24;
	cap |= (uint64_t)opt->dstrd << 32;
	cap |= opt->nssrs ? CAP_NSSRS : 0;
	cap |= (uint64_t)opt->css << 37;
	cap |= (uint64_t)opt->mpsmin << 48;
	cap |= (uint64_t)opt->mpsmax << 52;
	cap |= opt->crto ? CAP_CRMS_CRWMS : 0;
	return cap;
}

struct ctrl *ctrl_new(const struct options *opt, struct mem *mem, struct pci *pci,
		      struct judge *judge, struct script *script, struct clock *clock)
{
	struct ctrl *ctrl = calloc(1, sizeof(*ctrl));

	if (!ctrl)
		return NULL;
	ctrl->opt = *opt;
	ctrl->mem = mem;
	ctrl->pci = pci;
	ctrl->judge = judge;
	ctrl->script = script;
	ctrl->clock = clock;
	ctrl->cap = make_cap(opt);
	ctrl->vs = NVMQ_VS(2, 0);
	ctrl->page_shift = 12 + opt->mpsmin;
	ctrl->nr_vectors = opt->vectors > opt->msi ? opt->vectors : opt->msi;
	if (!ctrl->nr_vectors)
		ctrl->nr_vectors = 1;
	ctrl->ready_at = CLOCK_NEVER;
	ctrl->back_at = CLOCK_NEVER;
	ctrl->sq = calloc(opt->queues + 1, sizeof(*ctrl->sq));
	ctrl->cq = calloc(opt->queues + 1, sizeof(*ctrl->cq));
	ctrl->now = clock_now();
	ctrl->nss = nss_new(ctrl);
	ctrl->feat = features_new(ctrl);
	ctrl->logs = logs_new(ctrl);
	if (!ctrl->sq || !ctrl->cq || !ctrl->nss || !ctrl->feat || !ctrl->logs) {
		ctrl_free(ctrl);
		return NULL;
	}
	reset_common(ctrl);
	ctrl->stats.resets = 0;
	if (opt->arm_at != 1)
		judge_arm(judge, false);
	return ctrl;
}

void ctrl_free(struct ctrl *ctrl)
{
	struct cmd *cmd;

	if (!ctrl)
		return;
	if (ctrl->sq && ctrl->cq)
		work_drop(ctrl);
	while ((cmd = ctrl->free)) {
		ctrl->free = cmd->next;
		free(cmd->spans);
		free(cmd);
	}
	logs_free(ctrl->logs);
	features_free(ctrl->feat);
	nss_free(ctrl->nss);
	free(ctrl->sq);
	free(ctrl->cq);
	free(ctrl);
}

void ctrl_stats(const struct ctrl *ctrl, FILE *out)
{
	const struct ctrl_stats *s = &ctrl->stats;
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {
		{ "commands", s->commands }, { "completions", s->completions },
		{ "interrupts", s->interrupts }, { "sq-doorbells", s->doorbells[0] },
		{ "cq-doorbells", s->doorbells[1] }, { "reads", s->reads },
		{ "writes", s->writes }, { "enables", s->enables }, { "resets", s->resets },
		{ "shutdowns", s->shutdowns }, { "bytes-in", s->bytes_in },
		{ "bytes-out", s->bytes_out }, { "largest-in", s->largest_in },
		{ "largest-out", s->largest_out }, { "dsm-ranges", s->dsm_ranges },
	};
	unsigned int i;
	int io;

	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		fprintf(out, "%s %ju\n", counts[i].name, counts[i].value);
	for (io = 0; io < 2; io++) {
		for (i = 0; i < 256; i++) {
			const char *name = script_opcode_name(io, i);

			if (!s->opcode[io][i])
				continue;
			fputs(io ? "io-" : "admin-", out);
			if (name)
				fprintf(out, "%s %ju\n", name, s->opcode[io][i]);
			else
				fprintf(out, "%02x %ju\n", i, s->opcode[io][i]);
		}
	}
}
