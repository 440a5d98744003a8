// SPDX-License-Identifier: GPL-2.0
/*
 * The life of commands.
 *
 * They are carried out a batch at a time and not where their doorbell is written: so the doorbells
 * of several queues gather, and arbitration has a choice.  A command is taken from a free list, and
 * all that are in use are in one list, besides the list of the state that they are in.
 */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "ctrl.h"
#include "irq.h"
#include "log.h"
#include "nvm.h"
#include "work.h"

/* A reordered completion waits no longer, if the script does not say. */
#define REORDER_NS	1000000000ull

static void carry_out(struct ctrl *ctrl, struct cmd *cmd);
static void finish(struct ctrl *ctrl, struct cmd *cmd, int status);

/* ---- commands ------------------------------------------------------------------------------ */

static struct cmd *cmd_get(struct ctrl *ctrl, struct sq *sq)
{
	struct cmd *cmd = ctrl->free;

	if (cmd) {
		ctrl->free = cmd->next;
	} else {
		cmd = calloc(1, sizeof(*cmd));
		if (!cmd)
			return NULL;
	}
	cmd->ctrl = ctrl;
	cmd->sq = sq;
	cmd->status = 0;
	cmd->dw0 = 0;
	cmd->dw1 = 0;
	cmd->nr_spans = 0;
	cmd->mapped = 0;
	cmd->bytes = 0;
	cmd->nr_lists = 0;
	cmd->at = (struct clock_stamps){ 0 };
	cmd->lies.kinds = 0;
	cmd->lies.nr = 0;
	cmd->ghost = false;
	cmd->hold = 0;
	cmd->next = NULL;
	cmd->prev = NULL;
	cmd->following = ctrl->all;
	if (ctrl->all)
		ctrl->all->prev = cmd;
	ctrl->all = cmd;
	cmd->state = CMD_FETCHED;
	return cmd;
}

static void cmd_put(struct ctrl *ctrl, struct cmd *cmd)
{
	if (cmd->prev)
		cmd->prev->following = cmd->following;
	else
		ctrl->all = cmd->following;
	if (cmd->following)
		cmd->following->prev = cmd->prev;
	cmd->state = CMD_FREE;
	cmd->next = ctrl->free;
	ctrl->free = cmd;
}

/* Whether a command takes one of the places that opt.inflight limits. */
static bool is_working(const struct cmd *cmd)
{
	return !cmd->ghost && cmd->state != CMD_EVENT && cmd->state != CMD_DROPPED &&
	       cmd->state != CMD_LATE;
}

static void set_state(struct ctrl *ctrl, struct cmd *cmd, enum cmd_state state)
{
	bool was = is_working(cmd);

	cmd->state = state;
	ctrl->working += is_working(cmd) - was;
}

static bool same(void *what, void *ctx)
{
	return what == ctx;
}

static void schedule(struct ctrl *ctrl, struct cmd *cmd, enum cmd_state state, uint64_t when)
{
	set_state(ctrl, cmd, state);
	if (clock_add(ctrl->clock, when, cmd))
		ctrl_fatal(ctrl);
}

void ctrl_take_cmd(struct ctrl *ctrl, struct cmd *cmd)
{
	struct cmd **at;

	switch (cmd->state) {
	case CMD_HELD:
		if (cmd->hold)
			ctrl->nr_reordered--;
		cmd->hold = 0;
		clock_cancel(ctrl->clock, same, cmd);
		break;
	case CMD_DELAYED:
	case CMD_LATE:
		clock_cancel(ctrl->clock, same, cmd);
		break;
	case CMD_EVENT:
		for (at = &ctrl->events; *at != cmd; at = &(*at)->next)
			;
		*at = cmd->next;
		ctrl->nr_events--;
		break;
	case CMD_WAITING: {
		struct cq *cq = cmd->sq->cq;
		struct cmd *before = NULL;

		for (at = &cq->waiting; *at != cmd; at = &(*at)->next)
			before = *at;
		*at = cmd->next;
		if (cq->waiting_last == cmd)
			cq->waiting_last = before;
		break;
	}
	default:
		break;
	}
	set_state(ctrl, cmd, CMD_FETCHED);
	cmd->next = NULL;
}

/* ---- completions --------------------------------------------------------------------------- */

static void cid_set(struct sq *sq, uint16_t cid, bool busy)
{
	if (busy)
		sq->cids[cid / 64] |= 1ull << (cid % 64);
	else
		sq->cids[cid / 64] &= ~(1ull << (cid % 64));
}

static bool cid_busy(const struct sq *sq, uint16_t cid)
{
	return sq->cids[cid / 64] >> (cid % 64) & 1;
}

/* An identifier that no command of the queue has, if there is one. */
static uint16_t cid_unused(const struct sq *sq)
{
	uint16_t cid = 0x7fff;

	while (cid && cid_busy(sq, cid))
		cid--;
	return cid;
}

/* Whether something other than the controller has written to the next free entry. */
static void check_cq(struct ctrl *ctrl, struct cq *cq, const struct nvmq_cqe *entry)
{
	const struct nvmq_cqe *mine = &cq->shadow[cq->tail];

	if (judge_armed(ctrl->judge) && memcmp(entry, mine, sizeof(*mine)))
		judge_violation(ctrl->judge, RULE_CQ_WRITTEN, cq->qid,
				"entry %u of completion queue %u is not what it was", cq->tail,
				cq->qid);
}

/* The reordered commands of a queue for which enough others have been posted. */
static void release_reordered(struct ctrl *ctrl, struct sq *sq)
{
	struct cmd *cmd, *due;

	while (ctrl->nr_reordered) {
		due = NULL;
		for (cmd = ctrl->all; cmd; cmd = cmd->following)
			if (cmd->sq == sq && cmd->state == CMD_HELD && cmd->hold &&
			    cmd->hold <= sq->posted)
				due = cmd;
		if (!due)
			return;
		ctrl_take_cmd(ctrl, due);
		finish(ctrl, due, due->status);
	}
}

static void post(struct ctrl *ctrl, struct cmd *cmd)
{
	struct sq *sq = cmd->sq;
	struct cq *cq = sq->cq;
	struct nvmq_cqe cqe, *entry;
	const struct lie *lie;
	enum mem_fault why;
	uint16_t cid = cmd->cid, sqid = sq->qid;
	uint8_t phase = cq->phase;
	uint64_t iova;

	if (!cq_free_slots(cq)) {
		set_state(ctrl, cmd, CMD_WAITING);
		cmd->next = NULL;
		if (cq->waiting)
			cq->waiting_last->next = cmd;
		else
			cq->waiting = cmd;
		cq->waiting_last = cmd;
		return;
	}
	entry = ring_entry(&cq->ring, cq->tail, MEM_WRITE, &why, &iova);
	if (!entry) {
		walk_fault(ctrl->judge, cq->qid, why, iova, "a completion queue entry");
		set_state(ctrl, cmd, CMD_DROPPED);
		ctrl_fatal(ctrl);
		return;
	}
	check_cq(ctrl, cq, entry);
	if (cmd->lies.kinds) {
		lie = lie_find(&cmd->lies, LIE_WRONG_CID);
		if (lie)
			cid = lie->has_value ? lie->value : cid_unused(sq);
		lie = lie_find(&cmd->lies, LIE_WRONG_SQ);
		if (lie)
			sqid = lie->has_value ? lie->value : sqid ^ 0x4000;
		if (lie_find(&cmd->lies, LIE_WRONG_PHASE))
			phase ^= 1;
	}
	cqe.dw0 = htole32(cmd->dw0);
	cqe.dw1 = htole32(cmd->dw1);
	cqe.sqhd = htole16(sq->head);
	cqe.sqid = htole16(sqid);
	cqe.cid = htole16(cid);
	cqe.status = htole16(cmd->status << 1 | phase);
	cq->shadow[cq->tail] = cqe;
	/* The phase tag last: the host may be looking (base 3.3.3.2). */
	memcpy(entry, &cqe, sizeof(cqe) - sizeof(cqe.status));
	__atomic_store_n(&entry->status, cqe.status, __ATOMIC_RELEASE);
	if (++cq->tail == cq->ring.entries) {
		cq->tail = 0;
		cq->phase ^= 1;
	}
	sq->told = sq->head;
	ctrl->stats.completions++;
	if (ctrl->clock->tracing && !cmd->ghost) {
		struct clock_record record = {
			.sqid = sq->qid, .cqid = cq->qid, .cid = cmd->cid, .status = cmd->status,
			.opcode = cmd->sqe.opcode, .bytes = cmd->bytes, .at = cmd->at,
		};

		record.at.post = clock_now();
		clock_trace(ctrl->clock, &record);
	}
	if (!(cmd->lies.kinds & LIE_BIT(LIE_NO_INTERRUPT)))
		irq_announce(ctrl, cq);
	if (cmd->ghost) {
		cmd_put(ctrl, cmd);
		return;
	}
	sq->outstanding--;
	sq->posted++;
	cid_set(sq, cmd->cid, false);
	if (!sq->qid && cmd->sqe.opcode == NVMQ_ADMIN_ABORT && ctrl->aborts)
		ctrl->aborts--;
	lie = lie_find(&cmd->lies, LIE_TWICE);
	if (lie) {
		struct cmd *ghost = cmd_get(ctrl, sq);

		if (ghost) {
			ghost->ghost = true;
			ghost->sqe = cmd->sqe;
			ghost->cid = cmd->cid;
			ghost->status = cmd->status;
			ghost->dw0 = cmd->dw0;
			ghost->dw1 = cmd->dw1;
			schedule(ctrl, ghost, CMD_HELD, ctrl->now + lie->ns);
		}
	}
	lie = lie_find(&cmd->lies, LIE_LATE_DATA);
	if (lie && cmd->state != CMD_LATE) {
		schedule(ctrl, cmd, CMD_LATE, ctrl->now + lie->ns);
	} else {
		set_state(ctrl, cmd, CMD_LATE);
		cmd_put(ctrl, cmd);
	}
	if (ctrl->nr_reordered)
		release_reordered(ctrl, sq);
}

/* A command has been carried out: its completion, with the lies about when. */
static void finish(struct ctrl *ctrl, struct cmd *cmd, int status)
{
	const struct lie *lie;

	cmd->status = status;
	if (cmd->lies.kinds) {
		lie = lie_find(&cmd->lies, LIE_STATUS);
		if (lie)
			cmd->status = lie->status;
		if (lie_find(&cmd->lies, LIE_DROP)) {
			set_state(ctrl, cmd, CMD_DROPPED);
			return;
		}
		lie = lie_find(&cmd->lies, LIE_REORDER);
		if (lie) {
			cmd->lies.kinds &= ~LIE_BIT(LIE_REORDER);
			cmd->hold = cmd->sq->posted + (lie->count ? lie->count : 1);
			ctrl->nr_reordered++;
			schedule(ctrl, cmd, CMD_HELD,
				 ctrl->now + (lie->ns ? lie->ns : REORDER_NS));
			return;
		}
	}
	post(ctrl, cmd);
}

void ctrl_complete(struct ctrl *ctrl, struct cmd *cmd, int status)
{
	ctrl_take_cmd(ctrl, cmd);
	finish(ctrl, cmd, status);
}

/* ---- carrying out -------------------------------------------------------------------------- */

static int execute(struct cmd *cmd)
{
	return cmd->sq->qid ? nvm_exec(cmd) : admin_exec(cmd);
}

static void count_data(struct ctrl_stats *stats, bool in, uint64_t bytes)
{
	uint64_t *all = in ? &stats->bytes_in : &stats->bytes_out;
	uint64_t *largest = in ? &stats->largest_in : &stats->largest_out;

	*all += bytes;
	if (bytes > *largest)
		*largest = bytes;
}

static void carry_out(struct ctrl *ctrl, struct cmd *cmd)
{
	int status;

	if (cmd->lies.kinds & LIE_BIT(LIE_LATE_DATA)) {
		/* Nothing is known of how it will end: success. */
		finish(ctrl, cmd, 0);
		return;
	}
	status = execute(cmd);
	if (status == CMD_PENDING)
		return;
	/* Data that went straight between the medium and the host was moved just now. */
	if (cmd->mapped && !cmd->at.data && ctrl->clock->tracing)
		cmd->at.data = clock_now();
	count_data(&ctrl->stats, cmd->prot == MEM_READ, cmd->mapped);
	if (cmd->lies.kinds)
		cmd_spoil(cmd);
	if (status && !(status & NVMQ_STATUS_MORE)) {
		log_error(cmd, status);
		status |= NVMQ_STATUS_MORE;
	}
	finish(ctrl, cmd, status);
}

/* Whether a lie keeps a command from being carried out. */
static bool is_refused(struct ctrl *ctrl, struct cmd *cmd)
{
	const struct lie *lie;

	lie = lie_find(&cmd->lies, LIE_DROP);
	if (lie && !lie->executed) {
		set_state(ctrl, cmd, CMD_DROPPED);
		return true;
	}
	lie = lie_find(&cmd->lies, LIE_STATUS);
	if (lie && !lie->executed) {
		finish(ctrl, cmd, lie->status);
		return true;
	}
	return false;
}

/* When a command is to be carried out: @ctrl->now, or later. */
static uint64_t due_at(struct ctrl *ctrl, struct cmd *cmd)
{
	const struct lie *lie = lie_find(&cmd->lies, LIE_DELAY);
	uint64_t due = ctrl->now, bytes = 0;
	unsigned int prot = 0;

	if (!ctrl->clock->modelled && !lie)
		return due;
	/* An event is not a service of which a model could say how long it takes. */
	if (!cmd->sq->qid && cmd->sqe.opcode == NVMQ_ADMIN_ASYNC_EVENT)
		return due;
	if (cmd->sq->qid)
		bytes = nvm_data_len(cmd, &prot);
	if (ctrl->clock->modelled)
		due = clock_due(ctrl->clock, cmd->sq->qid, bytes, ctrl->now);
	if (lie)
		due += lie->ns;
	/* From here on its memory is the controller's, and whoever takes it back is noticed. */
	if (due > ctrl->now && bytes && !cmd_map(cmd, bytes, prot) && ctrl->opt.poison)
		cmd_poison(cmd);
	return due;
}

static void start(struct ctrl *ctrl, struct cmd *cmd)
{
	int status = cmd_check(cmd);
	uint64_t due;

	script_command(ctrl->script, cmd->sq->qid, &cmd->sqe, ctrl->now, &cmd->lies);
	if (cmd->lies.kinds & LIE_CTRL_KINDS)
		ctrl_lies(ctrl, &cmd->lies, cmd->sq->qid);
	/* The lie may have been the end of the controller. */
	if (ctrl->gone || ctrl->stopped) {
		set_state(ctrl, cmd, CMD_DROPPED);
		return;
	}
	if (status) {
		log_error(cmd, status);
		finish(ctrl, cmd, status | NVMQ_STATUS_MORE);
		return;
	}
	due = due_at(ctrl, cmd);
	if (due > ctrl->now)
		schedule(ctrl, cmd, CMD_DELAYED, due);
	else if (!is_refused(ctrl, cmd))
		carry_out(ctrl, cmd);
}

/* Entries whose doorbell rang are copied, once. */
void work_look(struct ctrl *ctrl, struct sq *sq)
{
	while (sq->seen != sq->tail) {
		struct nvmq_sqe *to = &sq->shadow[sq->seen], *entry;
		enum mem_fault why;
		uint64_t iova;
		uint16_t cid;

		entry = ring_entry(&sq->ring, sq->seen, MEM_READ, &why, &iova);
		if (!entry) {
			walk_fault(ctrl->judge, sq->qid, why, iova, "a submission queue entry");
			ctrl_fatal(ctrl);
			return;
		}
		*to = *entry;
		cid = le16toh(to->cid);
		if (cid_busy(sq, cid)) {
			judge_command(ctrl->judge, sq->qid, sq->seen, to);
			judge_violation(ctrl->judge, RULE_SQE_CID_BUSY, sq->qid, "cid %u", cid);
		}
		cid_set(sq, cid, true);
		if (!sq->qid && to->opcode == NVMQ_ADMIN_ABORT &&
		    ++ctrl->aborts > ctrl->opt.acl + 1)
			judge_violation(ctrl->judge, RULE_ABORT_LIMIT, 0, "%u aborts, ACL is %u",
					ctrl->aborts, ctrl->opt.acl);
		if (++sq->seen == sq->ring.entries)
			sq->seen = 0;
	}
}

static void fetch(struct ctrl *ctrl, struct sq *sq)
{
	uint32_t slot = sq->head;
	const struct nvmq_sqe *sqe = &sq->shadow[slot], *there;
	struct cmd *cmd = cmd_get(ctrl, sq);
	enum mem_fault why;

	if (!cmd) {
		ctrl_fatal(ctrl);
		return;
	}
	ctrl->working++;
	cmd->sqe = *sqe;
	cmd->cid = le16toh(sqe->cid);
	cmd->slot = slot;
	if (++sq->head == sq->ring.entries)
		sq->head = 0;
	sq->outstanding++;
	ctrl->stats.commands++;
	ctrl->stats.opcode[sq->qid != 0][cmd->sqe.opcode]++;
	judge_command(ctrl->judge, sq->qid, slot, sqe);
	if (judge_armed(ctrl->judge)) {
		there = ring_entry(&sq->ring, slot, MEM_READ, &why, NULL);
		if (there && memcmp(there, sqe, sizeof(*sqe)))
			judge_violation(ctrl->judge, RULE_SQE_CHANGED, sq->qid, "slot %u", slot);
	}
	cmd->at.doorbell = sq->doorbell;
	if (ctrl->clock->tracing)
		cmd->at.fetch = clock_now();
	start(ctrl, cmd);
}

/* Whether commands can be fetched at all. */
static bool may_fetch(const struct ctrl *ctrl)
{
	return ctrl->csts & NVMQ_CSTS_RDY && !ctrl->stopped && !ctrl->gone &&
	       !(ctrl->opt.inflight && ctrl->working >= ctrl->opt.inflight) &&
	       pci_bus_master(ctrl->pci);
}

/* A command's time in the schedule has come. */
static void due(struct ctrl *ctrl, struct cmd *cmd)
{
	switch (cmd->state) {
	case CMD_DELAYED:
		set_state(ctrl, cmd, CMD_FETCHED);
		cmd_recheck(cmd);
		if (!is_refused(ctrl, cmd))
			carry_out(ctrl, cmd);
		break;
	case CMD_HELD:
		if (cmd->hold) {
			cmd->hold = 0;
			ctrl->nr_reordered--;
		}
		post(ctrl, cmd);
		break;
	case CMD_LATE:
		/* The host was told long ago: how it ends now, nobody hears. */
		execute(cmd);
		cmd_put(ctrl, cmd);
		break;
	default:
		break;
	}
}

unsigned int work_due(struct ctrl *ctrl, unsigned int most)
{
	unsigned int n;

	for (n = 0; n < most && !ctrl->stopped && !ctrl->gone; n++) {
		struct cmd *cmd = clock_pop(ctrl->clock, ctrl->now);

		if (!cmd)
			break;
		due(ctrl, cmd);
	}
	return n;
}

unsigned int work_fetch(struct ctrl *ctrl, unsigned int most)
{
	unsigned int n;

	for (n = 0; n < most && may_fetch(ctrl); n++) {
		struct sq *sq = arbiter_next(&ctrl->arbiter);

		if (!sq)
			break;
		work_look(ctrl, sq);
		if (ctrl->stopped)
			break;
		fetch(ctrl, sq);
	}
	return n;
}

void work_await(struct ctrl *ctrl, struct cmd *cmd)
{
	struct cmd **last = &ctrl->events;

	while (*last)
		last = &(*last)->next;
	*last = cmd;
	cmd->next = NULL;
	ctrl->nr_events++;
	set_state(ctrl, cmd, CMD_EVENT);
}

/* ---- the end of queues -------------------------------------------------------------------- */

/* Whether completions of a queue wait for room. */
static bool is_waiting(const struct sq *sq)
{
	const struct cmd *cmd;

	for (cmd = sq->cq->waiting; cmd; cmd = cmd->next)
		if (cmd->sq == sq)
			return true;
	return false;
}

/* With the commands of which nothing more will be heard. */
static void free_sq(struct ctrl *ctrl, struct sq *sq)
{
	struct cmd *cmd, *next;

	for (cmd = ctrl->all; cmd; cmd = next) {
		next = cmd->following;
		if (cmd->sq != sq)
			continue;
		ctrl_take_cmd(ctrl, cmd);
		set_state(ctrl, cmd, CMD_LATE);
		cmd_put(ctrl, cmd);
	}
	ctrl->sq[sq->qid] = NULL;
	sq_free(sq);
}

bool ctrl_delete_sq(struct ctrl *ctrl, struct sq *sq, bool post_them)
{
	struct cmd *cmd, *next;

	arbiter_remove(&ctrl->arbiter, sq);
	for (cmd = post_them ? ctrl->all : NULL; cmd && !ctrl->stopped; cmd = next) {
		next = cmd->following;
		if (cmd->sq != sq || cmd->ghost || cmd->state == CMD_LATE ||
		    cmd->state == CMD_DROPPED || cmd->state == CMD_WAITING)
			continue;
		ctrl_take_cmd(ctrl, cmd);
		cmd->lies.kinds = 0;
		cmd->status = NVMQ_SC_ABORT_SQ_DELETED;
		post(ctrl, cmd);
		/* Posting may have released others: from the beginning. */
		next = ctrl->all;
	}
	if (post_them && !ctrl->stopped && is_waiting(sq))
		return false;
	free_sq(ctrl, sq);
	return true;
}

void work_unblock(struct ctrl *ctrl, struct cq *cq)
{
	while (cq->waiting && cq_free_slots(cq)) {
		struct cmd *cmd = cq->waiting, *deleter;
		struct sq *sq = cmd->sq;

		ctrl_take_cmd(ctrl, cmd);
		post(ctrl, cmd);
		deleter = sq->deleter;
		if (!deleter || is_waiting(sq))
			continue;
		free_sq(ctrl, sq);
		ctrl_script_event(ctrl, LIE_ON_QUEUE_DELETED);
		ctrl_complete(ctrl, deleter, 0);
	}
}

void work_drop(struct ctrl *ctrl)
{
	unsigned int i;

	for (i = 0; i <= ctrl->opt.queues; i++)
		if (ctrl->sq[i])
			ctrl_delete_sq(ctrl, ctrl->sq[i], false);
	for (i = 0; i <= ctrl->opt.queues; i++) {
		cq_free(ctrl->cq[i]);
		ctrl->cq[i] = NULL;
	}
	ctrl->working = 0;
	ctrl->nr_reordered = 0;
}
