// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts.
 *
 * A completion makes its vector dirty, and dirty vectors are sent once after each batch of
 * commands: what was posted meanwhile shares one message.
 */
#include <errno.h>

#include "ctrl.h"
#include "irq.h"

#define MS		1000000ull
/* How often interrupts that nobody consumed are looked for. */
#define TICK		(100 * MS)
/*
 * While the host is at an interrupt it finds what is posted meanwhile by itself: the next one waits
 * until it rings a completion doorbell, or so long.
 */
#define UNANSWERED	30000ull

void irq_announce(struct ctrl *ctrl, struct cq *cq)
{
	struct ctrl_vector *vector;

	if (!cq->irq || cq->vector >= CTRL_MAX_VECTORS)
		return;
	vector = &ctrl->vector[cq->vector];
	if (!vector->entries++)
		vector->oldest = ctrl->now;
	/* Coalescing is of I/O completion queues (base 5.27.1.6). */
	if (!cq->qid)
		vector->entries = UINT32_MAX / 2;
	vector->dirty = true;
	ctrl->any_dirty = true;
}

static bool is_masked(const struct ctrl *ctrl, unsigned int vector)
{
	return vector < 32 && ctrl->intm >> vector & 1;
}

void irq_update_intx(struct ctrl *ctrl)
{
	bool level = false;
	unsigned int i;

	if (pci_irq_mode(ctrl->pci) == PCI_IRQ_INTX && !is_masked(ctrl, 0) && !ctrl->gone)
		for (i = 0; i <= ctrl->opt.queues; i++)
			if (ctrl->cq[i] && ctrl->cq[i]->irq &&
			    ctrl->cq[i]->head != ctrl->cq[i]->tail)
				level = true;
	pci_intx_set(ctrl->pci, level);
}

/* An interrupt was sent: which completions does it announce? */
static void announced(struct ctrl *ctrl, int vector)
{
	unsigned int i;

	for (i = 0; i <= ctrl->opt.queues; i++) {
		struct cq *cq = ctrl->cq[i];

		if (!cq || !cq->irq || (vector >= 0 && cq->vector != vector) ||
		    cq->head == cq->tail)
			continue;
		if (!cq->announced) {
			cq->announced = ctrl->now;
			if (ctrl->tick_at == CLOCK_NEVER)
				ctrl->tick_at = ctrl->now + TICK;
		}
		if (ctrl->clock->tracing)
			clock_trace_irq(ctrl->clock, cq->qid, clock_now());
	}
	ctrl->stats.interrupts++;
}

/* Whether a vector has to wait: for more entries, or for its time (base 5.27.1.6). */
static bool is_coalesced(const struct ctrl *ctrl, const struct ctrl_vector *vector)
{
	return ctrl->coalesce_ns && vector->coalesce && vector->entries <= ctrl->threshold &&
	       ctrl->now < vector->oldest + ctrl->coalesce_ns;
}

static uint64_t due_at(const struct ctrl *ctrl, const struct ctrl_vector *vector)
{
	uint64_t coalesced = is_coalesced(ctrl, vector) ? vector->oldest + ctrl->coalesce_ns : 0;
	uint64_t answered = vector->sent ? vector->sent + UNANSWERED : 0;

	return coalesced > answered ? coalesced : answered;
}

void irq_answered(struct ctrl *ctrl, const struct cq *cq)
{
	if (cq->irq && cq->vector < CTRL_MAX_VECTORS)
		ctrl->vector[cq->vector].sent = 0;
}

void irq_run(struct ctrl *ctrl)
{
	enum pci_irq_mode mode = pci_irq_mode(ctrl->pci);
	bool left = false, level = false;
	unsigned int i;

	for (i = 0; i < ctrl->nr_vectors; i++) {
		struct ctrl_vector *vector = &ctrl->vector[i];
		unsigned int message = i;

		if (!vector->dirty)
			continue;
		if (ctrl->now < due_at(ctrl, vector)) {
			left = true;
			continue;
		}
		if (mode == PCI_IRQ_MSI) {
			if (message >= pci_irq_vectors(ctrl->pci))
				message = 0;
			if (is_masked(ctrl, message)) {
				left = true;
				continue;
			}
		}
		vector->dirty = false;
		vector->entries = 0;
		if (mode == PCI_IRQ_INTX) {
			level = true;
		} else if (mode != PCI_IRQ_NONE) {
			if (!pci_irq(ctrl->pci, message)) {
				vector->sent = ctrl->now;
				announced(ctrl, i);
			}
		}
	}
	ctrl->any_dirty = left;
	if (level) {
		irq_update_intx(ctrl);
		announced(ctrl, -1);
	}
}

void irq_tick(struct ctrl *ctrl)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i <= ctrl->opt.queues; i++) {
		struct cq *cq = ctrl->cq[i];

		if (!cq || !cq->announced || cq->complained)
			continue;
		any = true;
		if (!ctrl->opt.irq_ms || ctrl->now - cq->announced < ctrl->opt.irq_ms * MS)
			continue;
		cq->complained = true;
		judge_violation(ctrl->judge, RULE_IRQ_UNCONSUMED, cq->qid,
				"completion queue %u: head %u, tail %u, announced %u ms ago",
				cq->qid, cq->head, cq->tail,
				(unsigned int)((ctrl->now - cq->announced) / MS));
	}
	ctrl->tick_at = any ? ctrl->now + TICK : CLOCK_NEVER;
}

void ctrl_pci_changed(struct ctrl *ctrl)
{
	ctrl->now = clock_now();
	irq_update_intx(ctrl);
}

uint64_t irq_next(const struct ctrl *ctrl)
{
	uint64_t next = CLOCK_NEVER, at;
	unsigned int i;

	if (!ctrl->any_dirty)
		return next;
	for (i = 0; i < ctrl->nr_vectors; i++) {
		if (!ctrl->vector[i].dirty)
			continue;
		at = due_at(ctrl, &ctrl->vector[i]);
		if (at <= ctrl->now)
			continue;
		next = at < next ? at : next;
	}
	return next;
}
