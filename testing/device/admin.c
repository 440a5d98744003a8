// SPDX-License-Identifier: GPL-2.0
/*
 * Queues are created and deleted, commands aborted, events awaited.
 */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "ctrl.h"
#include "feature.h"
#include "identify.h"
#include "log.h"
#include "ns.h"

#define CC_IOSQES(cc)	(((cc) >> 16) & 0xf)
#define CC_IOCQES(cc)	(((cc) >> 20) & 0xf)
/* Create I/O Submission Queue cdw11 (base 5.5) */
#define SQ_QPRIO(dw11)	((dw11) >> 1 & 0x3)

/* Whether memory overlaps that of a queue that exists. */
static bool overlaps(struct ctrl *ctrl, uint64_t iova, uint64_t len)
{
	unsigned int i;

	for (i = 0; i <= ctrl->opt.queues; i++)
		if ((ctrl->sq[i] && ring_overlaps(&ctrl->sq[i]->ring, iova, len)) ||
		    (ctrl->cq[i] && ring_overlaps(&ctrl->cq[i]->ring, iova, len)))
			return true;
	return false;
}

/* Whether every byte of a queue's memory can be reached as the controller will. */
static bool reachable(struct ctrl *ctrl, int qid, uint64_t iova, uint64_t len, unsigned int prot)
{
	while (len) {
		enum mem_fault why;
		size_t here = len;

		if (!mem_at(ctrl->mem, iova, &here, prot, &why)) {
			walk_fault(ctrl->judge, qid, why, iova, "memory of a queue");
			return false;
		}
		iova += here;
		len -= here;
	}
	return true;
}

/* The pages of a queue that is not contiguous: PRP1 leads to a list of them (base 5.4). */
static int ring_pages(struct ctrl *ctrl, unsigned int qid, struct ring *ring, unsigned int prot)
{
	uint64_t page = 1ull << ctrl->page_shift, bytes, list = ring->iova, entry;
	unsigned int i = 0, at;

	bytes = (uint64_t)ring->entries * ring->entry_size;
	ring->nr_pages = (bytes + page - 1) >> ctrl->page_shift;
	ring->pages = calloc(ring->nr_pages, sizeof(*ring->pages));
	if (!ring->pages)
		return NVMQ_SC_INTERNAL;
	while (i < ring->nr_pages) {
		unsigned int room = (page - (list & (page - 1))) / 8;
		bool chained = ring->nr_pages - i > room;

		for (at = 0; at < room && i < ring->nr_pages; at++, list += 8) {
			enum mem_fault why;

			if (mem_read(ctrl->mem, list, &entry, 8, &why)) {
				walk_fault(ctrl->judge, qid, why, list, "the PRP list of a queue");
				return NVMQ_SC_DATA_TRANSFER;
			}
			entry = le64toh(entry);
			if (chained && at == room - 1)
				break;
			if (entry & (page - 1)) {
				judge_violation(ctrl->judge, RULE_PRP_ENTRY_OFFSET, 0,
						"page %u of queue %u is %#jx", i, qid, entry);
				return NVMQ_SC_PRP_OFFSET;
			}
			if (overlaps(ctrl, entry, page))
				judge_violation(ctrl->judge, RULE_QUEUE_OVERLAP, 0,
						"page %#jx of queue %u", entry, qid);
			if (!reachable(ctrl, 0, entry, page, prot))
				return NVMQ_SC_DATA_TRANSFER;
			ring->pages[i++] = entry;
		}
		if (i < ring->nr_pages)
			list = entry & ~(page - 1);
	}
	return 0;
}

/*
 * What both kinds of queues have in common (base 5.4, 5.5).  @ring is filled in; on failure its
 * pages are freed.
 */
static int make_ring(struct cmd *cmd, struct ring *ring, unsigned int entry_size,
		     unsigned int prot, uint32_t granted, bool exists)
{
	struct ctrl *ctrl = cmd->ctrl;
	uint32_t qid = cmd_dw10(cmd) & 0xffff, entries = (cmd_dw10(cmd) >> 16) + 1;
	uint64_t prp1 = le64toh(cmd->sqe.prp1), page = 1ull << ctrl->page_shift;
	bool contiguous = cmd_dw11(cmd) & NVMQ_QUEUE_CONTIGUOUS;
	int status;

	*ring = (struct ring){
		.mem = ctrl->mem, .iova = prp1, .page_shift = ctrl->page_shift,
		.entry_size = entry_size, .entries = entries,
	};
	if (granted == UINT32_MAX) {
		cmd_violation(cmd, RULE_QUEUE_COUNT_UNASKED, "queue %u", qid);
		granted = cmd->sqe.opcode == NVMQ_ADMIN_CREATE_CQ ? ctrl_cqs(ctrl) :
			  ctrl->opt.queues;
	}
	if (!qid || qid > granted) {
		cmd_violation(cmd, RULE_QUEUE_ID_RANGE, "queue %u, %u are granted", qid, granted);
		return NVMQ_SC_QID_INVALID;
	}
	if (exists) {
		cmd_violation(cmd, RULE_QUEUE_ID_USED, "queue %u", qid);
		return NVMQ_SC_QID_INVALID;
	}
	if (CC_IOSQES(ctrl->cc) != 6 || CC_IOCQES(ctrl->cc) != 4) {
		cmd_violation(cmd, RULE_CC_ENTRY_SIZE, "CC is %#x", ctrl->cc);
		return NVMQ_SC_QUEUE_SIZE;
	}
	if (entries < 2 || entries > ctrl->opt.mqes) {
		cmd_violation(cmd, RULE_QUEUE_SIZE, "%u entries, %u are possible", entries,
			      ctrl->opt.mqes);
		return NVMQ_SC_QUEUE_SIZE;
	}
	if (!contiguous && ctrl->opt.cqr) {
		cmd_violation(cmd, RULE_QUEUE_CONTIGUOUS, "queue %u", qid);
		return NVMQ_SC_INVALID_FIELD;
	}
	if (prp1 & (page - 1)) {
		cmd_violation(cmd, RULE_QUEUE_ALIGN, "queue %u at %#jx", qid, prp1);
		return NVMQ_SC_PRP_OFFSET;
	}
	if (!contiguous) {
		status = ring_pages(ctrl, qid, ring, prot);
		if (status)
			free(ring->pages);
		return status;
	}
	if (overlaps(ctrl, prp1, (uint64_t)entries * entry_size))
		cmd_violation(cmd, RULE_QUEUE_OVERLAP, "queue %u, %u bytes at %#jx", qid,
			      entries * entry_size, prp1);
	if (!reachable(ctrl, 0, prp1, (uint64_t)entries * entry_size, prot))
		return NVMQ_SC_DATA_TRANSFER;
	return 0;
}

/* The shadow begins as what is there, and there the phase tags are 0 (base 3.3.3.2). */
static void look_at_cq(struct ctrl *ctrl, struct cq *cq)
{
	uint32_t i, wrong = 0;

	for (i = 0; i < cq->ring.entries; i++) {
		enum mem_fault why;
		const struct nvmq_cqe *entry = ring_entry(&cq->ring, i, MEM_WRITE, &why, NULL);

		if (!entry)
			continue;
		cq->shadow[i] = *entry;
		if (le16toh(entry->status) & NVMQ_CQE_PHASE)
			wrong++;
	}
	if (wrong)
		judge_violation(ctrl->judge, RULE_CQ_PHASE_INIT, 0,
				"completion queue %u: %u of %u entries", cq->qid, wrong,
				cq->ring.entries);
}

static int create_cq(struct cmd *cmd)
{
	struct ctrl *ctrl = cmd->ctrl;
	uint32_t qid = cmd_dw10(cmd) & 0xffff, dw11 = cmd_dw11(cmd), vector = dw11 >> 16, limit;
	enum pci_irq_mode mode = pci_irq_mode(ctrl->pci);
	struct ring ring;
	struct cq *cq;
	int status;

	status = make_ring(cmd, &ring, sizeof(struct nvmq_cqe), MEM_WRITE, ctrl->granted_cq,
			   qid <= ctrl->opt.queues && ctrl->cq[qid]);
	if (status)
		return status;
	limit = mode == PCI_IRQ_MSIX || mode == PCI_IRQ_MSI ? pci_irq_vectors(ctrl->pci) : 1;
	if (dw11 & NVMQ_CQ_INTERRUPTS && vector >= limit) {
		cmd_violation(cmd, RULE_CQ_VECTOR, "vector %u of %u", vector, limit);
		free(ring.pages);
		return NVMQ_SC_INVALID_VECTOR;
	}
	cq = cq_new(qid, &ring);
	if (!cq)
		return NVMQ_SC_INTERNAL;
	cq->irq = dw11 & NVMQ_CQ_INTERRUPTS;
	cq->vector = vector;
	look_at_cq(ctrl, cq);
	ctrl->cq[qid] = cq;
	ctrl_script_event(ctrl, LIE_ON_QUEUE_CREATED);
	return 0;
}

static int create_sq(struct cmd *cmd)
{
	static const enum sq_class class[] = { SQ_URGENT, SQ_HIGH, SQ_MEDIUM, SQ_LOW };
	struct ctrl *ctrl = cmd->ctrl;
	uint32_t qid = cmd_dw10(cmd) & 0xffff, dw11 = cmd_dw11(cmd), cqid = dw11 >> 16;
	struct ring ring;
	struct sq *sq;
	int status;

	status = make_ring(cmd, &ring, sizeof(struct nvmq_sqe), MEM_READ, ctrl->granted_sq,
			   qid <= ctrl->opt.queues && ctrl->sq[qid]);
	if (status)
		return status;
	if (!cqid || cqid > ctrl_cqs(ctrl) || !ctrl->cq[cqid]) {
		cmd_violation(cmd, RULE_SQ_CQID, "submission queue %u to completion queue %u", qid,
			      cqid);
		free(ring.pages);
		return cqid && cqid <= ctrl_cqs(ctrl) ? NVMQ_SC_CQ_INVALID : NVMQ_SC_QID_INVALID;
	}
	sq = sq_new(qid, &ring, ctrl->cq[cqid]);
	if (!sq)
		return NVMQ_SC_INTERNAL;
	sq->class = class[SQ_QPRIO(dw11)];
	ctrl->sq[qid] = sq;
	ctrl_script_event(ctrl, LIE_ON_QUEUE_CREATED);
	return 0;
}

/* Whether the PRP list of a queue still says what it said when the queue was created. */
static bool same_list(struct ctrl *ctrl, const struct ring *ring)
{
	uint64_t page = 1ull << ring->page_shift, list = ring->iova, entry;
	unsigned int i = 0;

	while (ring->pages && i < ring->nr_pages) {
		if (mem_read(ctrl->mem, list, &entry, 8, NULL))
			return false;
		entry = le64toh(entry);
		/* The last entry of a page leads on, if there are more. */
		if ((list & (page - 1)) == page - 8 && ring->nr_pages - i > 1) {
			list = entry & ~(page - 1);
			continue;
		}
		if (entry != ring->pages[i++])
			return false;
		list += 8;
	}
	return true;
}

static int delete_sq(struct cmd *cmd)
{
	struct ctrl *ctrl = cmd->ctrl;
	uint32_t qid = cmd_dw10(cmd) & 0xffff;

	if (!qid || qid > ctrl->opt.queues || !ctrl->sq[qid] || ctrl->sq[qid]->deleter) {
		cmd_violation(cmd, RULE_QUEUE_DELETE_UNKNOWN, "submission queue %u", qid);
		return NVMQ_SC_QID_INVALID;
	}
	if (!same_list(ctrl, &ctrl->sq[qid]->ring))
		cmd_violation(cmd, RULE_QUEUE_LIST_CHANGED, "submission queue %u", qid);
	/* Its commands are completed before this one (base 5.7): there may be no room for that. */
	if (!ctrl_delete_sq(ctrl, ctrl->sq[qid], true)) {
		ctrl->sq[qid]->deleter = cmd;
		return CMD_PENDING;
	}
	ctrl_script_event(ctrl, LIE_ON_QUEUE_DELETED);
	return 0;
}

static int delete_cq(struct cmd *cmd)
{
	struct ctrl *ctrl = cmd->ctrl;
	uint32_t qid = cmd_dw10(cmd) & 0xffff;

	if (!qid || qid > ctrl->opt.queues || !ctrl->cq[qid]) {
		cmd_violation(cmd, RULE_QUEUE_DELETE_UNKNOWN, "completion queue %u", qid);
		return NVMQ_SC_QID_INVALID;
	}
	if (ctrl->cq[qid]->nr_sqs) {
		cmd_violation(cmd, RULE_CQ_DELETE_BUSY, "completion queue %u has %u", qid,
			      ctrl->cq[qid]->nr_sqs);
		return NVMQ_SC_QUEUE_DELETION;
	}
	if (!same_list(ctrl, &ctrl->cq[qid]->ring))
		cmd_violation(cmd, RULE_QUEUE_LIST_CHANGED, "completion queue %u", qid);
	cq_free(ctrl->cq[qid]);
	ctrl->cq[qid] = NULL;
	ctrl_script_event(ctrl, LIE_ON_QUEUE_DELETED);
	return 0;
}

/*
 * Abort (base 5.1): a command in the schedule, or an event request, can be; one that a lie has
 * swallowed, or that waits in its queue, is not found.
 */
static int abort_cmd(struct cmd *cmd)
{
	struct ctrl *ctrl = cmd->ctrl;
	uint32_t sqid = cmd_dw10(cmd) & 0xffff, cid = cmd_dw10(cmd) >> 16;
	struct cmd *at;

	if (ctrl->aborts > ctrl->opt.acl + 1)
		return NVMQ_SC_ABORT_LIMIT;
	cmd->dw0 = 1;
	for (at = ctrl->all; at; at = at->following) {
		if (at == cmd || at->sq->qid != sqid || at->cid != cid || at->ghost ||
		    (at->state != CMD_DELAYED && at->state != CMD_EVENT))
			continue;
		at->lies.kinds = 0;
		ctrl_complete(ctrl, at, NVMQ_SC_ABORT_REQUESTED);
		cmd->dw0 = 0;
		break;
	}
	return 0;
}

static int async_event(struct cmd *cmd)
{
	struct ctrl *ctrl = cmd->ctrl;

	if (ctrl->nr_events > ctrl->opt.aerl) {
		cmd_violation(cmd, RULE_AER_LIMIT, "%u are outstanding, AERL is %u",
			      ctrl->nr_events, ctrl->opt.aerl);
		return NVMQ_SC_EVENT_LIMIT;
	}
	return ctrl_await_event(ctrl, cmd);
}

static int unknown(struct cmd *cmd)
{
	cmd_violation(cmd, RULE_OPCODE, "admin opcode %02x", cmd->sqe.opcode);
	return NVMQ_SC_INVALID_OPCODE | NVMQ_STATUS_DNR;
}

int admin_exec(struct cmd *cmd)
{
	uint32_t oacs = cmd->ctrl->opt.oacs;

	switch (cmd->sqe.opcode) {
	case NVMQ_ADMIN_DELETE_SQ:
		return delete_sq(cmd);
	case NVMQ_ADMIN_CREATE_SQ:
		return create_sq(cmd);
	case NVMQ_ADMIN_GET_LOG_PAGE:
		return log_get(cmd);
	case NVMQ_ADMIN_DELETE_CQ:
		return delete_cq(cmd);
	case NVMQ_ADMIN_CREATE_CQ:
		return create_cq(cmd);
	case NVMQ_ADMIN_IDENTIFY:
		return identify_exec(cmd);
	case NVMQ_ADMIN_ABORT:
		return abort_cmd(cmd);
	case NVMQ_ADMIN_SET_FEATURES:
		return feature_set(cmd);
	case NVMQ_ADMIN_GET_FEATURES:
		return feature_get(cmd);
	case NVMQ_ADMIN_ASYNC_EVENT:
		return async_event(cmd);
	case NVMQ_ADMIN_NS_MANAGEMENT:
		return oacs & NVMQ_OACS_NS_MGMT ? ns_management(cmd) : unknown(cmd);
	case NVMQ_ADMIN_NS_ATTACHMENT:
		return oacs & NVMQ_OACS_NS_MGMT ? ns_attachment(cmd) : unknown(cmd);
	case NVMQ_ADMIN_SELF_TEST:
		return oacs & NVMQ_OACS_SELF_TEST ? log_self_test(cmd) : unknown(cmd);
	case NVMQ_ADMIN_SECURITY_SEND:
		return oacs & NVMQ_OACS_SECURITY ? opal_send(cmd) : unknown(cmd);
	case NVMQ_ADMIN_SECURITY_RECEIVE:
		return oacs & NVMQ_OACS_SECURITY ? opal_receive(cmd) : unknown(cmd);
	case NVMQ_ADMIN_FORMAT_NVM:
		return oacs & NVMQ_OACS_FORMAT ? ns_format(cmd) : unknown(cmd);
	default:
		return unknown(cmd);
	}
}

bool admin_enable(struct ctrl *ctrl)
{
	uint64_t mask = (1ull << ctrl->page_shift) - 1;
	struct ring sq = {
		.mem = ctrl->mem, .iova = ctrl->asq, .page_shift = ctrl->page_shift,
		.entry_size = sizeof(struct nvmq_sqe), .entries = (ctrl->aqa & 0xfff) + 1,
	};
	struct ring cq = {
		.mem = ctrl->mem, .iova = ctrl->acq, .page_shift = ctrl->page_shift,
		.entry_size = sizeof(struct nvmq_cqe), .entries = (ctrl->aqa >> 16 & 0xfff) + 1,
	};

	if (sq.entries < 2 || cq.entries < 2 || (ctrl->asq | ctrl->acq) & mask)
		return false;
	if (ring_overlaps(&sq, cq.iova, (uint64_t)cq.entries * cq.entry_size))
		judge_violation(ctrl->judge, RULE_QUEUE_OVERLAP, 0,
				"ASQ %#jx, ACQ %#jx", ctrl->asq, ctrl->acq);
	if (!reachable(ctrl, 0, cq.iova, (uint64_t)cq.entries * cq.entry_size, MEM_WRITE) ||
	    !reachable(ctrl, 0, sq.iova, (uint64_t)sq.entries * sq.entry_size, MEM_READ))
		return false;
	ctrl->cq[0] = cq_new(0, &cq);
	if (!ctrl->cq[0])
		return false;
	ctrl->cq[0]->irq = true;
	look_at_cq(ctrl, ctrl->cq[0]);
	ctrl->sq[0] = sq_new(0, &sq, ctrl->cq[0]);
	return ctrl->sq[0];
}
