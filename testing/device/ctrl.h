/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The controller: what all of its parts (ctrl.c, regs.c, work.c, irq.c, event.c) know of each
 * other, and what the commands of admin.c, feature.c and their kin ask of it.
 */
#ifndef DEVICE_CTRL_H
#define DEVICE_CTRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "clock.h"
#include "cmd.h"
#include "judge.h"
#include "mem.h"
#include "opal.h"
#include "options.h"
#include "pci.h"
#include "queue.h"
#include "script.h"

struct nss;
struct features;
struct logs;

#define CTRL_MAX_VECTORS	2048
/* Asynchronous events that wait for a request, at most; more are lost. */
#define CTRL_MAX_EVENTS		64

/**
 * struct ctrl_event - an asynchronous event (base 5.2.1)
 * @type: event type, bits 2:0
 * @info: event information
 * @log: log page that tells more
 * @forced: not held back by an unread log page: a lie
 * @count: how often
 */
struct ctrl_event {
	uint8_t type;
	uint8_t info;
	uint8_t log;
	bool forced;
	uint32_t count;
};

/**
 * struct ctrl_stats - counts since the last ctrl_clear_stats()
 * @commands: fetched
 * @completions: posted
 * @interrupts: sent
 * @doorbells: written, by kind: [0] of submission queues, [1] of completion queues
 * @reads: of registers
 * @writes: of registers, doorbells not counted
 * @enables: CC.EN 0 to 1
 * @resets: of any kind
 * @shutdowns: CC.SHN 00b to another value
 * @bytes_in: moved from the host
 * @bytes_out: moved to the host
 * @largest_in: bytes of the longest command that moved data from the host
 * @largest_out: bytes of the longest that moved data to the host
 * @dsm_ranges: of the longest Dataset Management
 * @opcode: fetched, by opcode: [0] admin commands, [1] I/O commands
 */
struct ctrl_stats {
	uint64_t commands;
	uint64_t completions;
	uint64_t interrupts;
	uint64_t doorbells[2];
	uint64_t reads;
	uint64_t writes;
	uint64_t enables;
	uint64_t resets;
	uint64_t shutdowns;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t largest_in;
	uint64_t largest_out;
	uint64_t dsm_ranges;
	uint64_t opcode[2][256];
};

/**
 * struct ctrl_vector - an interrupt vector
 * @dirty: an entry was posted that asks for it
 * @coalesce: not excepted from coalescing (feature 09h, CD)
 * @entries: posted since it was sent last
 * @oldest: when the first of those was posted
 * @sent: when it was sent last; 0 if the host has rung a completion doorbell since
 */
struct ctrl_vector {
	bool dirty;
	bool coalesce;
	uint32_t entries;
	uint64_t oldest;
	uint64_t sent;
};

/**
 * struct ctrl - the controller
 * @opt: what it is
 * @mem: guest memory
 * @pci: the PCI function
 * @judge: the book
 * @script: lies; never NULL
 * @clock: delays, schedule, trace
 * @nss: namespaces (ns.c)
 * @feat: features (feature.c)
 * @logs: log pages (log.c)
 * @tcg: the trusted peripheral (opal.c), if it has one
 * @cap: CAP
 * @vs: VS
 * @cc: CC
 * @csts: CSTS
 * @aqa: AQA
 * @asq: ASQ
 * @acq: ACQ
 * @aq_written: bits 0 to 2: AQA, ASQ, ACQ were written since the last reset that clears them
 * @intm: interrupt mask
 * @page_shift: of CC.MPS
 * @enabled_at: when CC.EN was set
 * @ready_at: when CSTS.RDY follows CC.EN; CLOCK_NEVER: it does not, or has
 * @shutdown_at: when the shutdown is done; CLOCK_NEVER: none is going on
 * @sq: by identifier, 0 to opt.queues
 * @cq: by identifier
 * @granted_sq: I/O submission queues that the host may have; UINT32_MAX: it has not asked
 * @granted_cq: I/O completion queues
 * @arbiter: whose turn it is
 * @vector: by number
 * @nr_vectors: in @vector
 * @any_dirty: a vector is dirty
 * @threshold: entries that are coalesced, 0's based (feature 08h)
 * @coalesce_ns: for how long at most; 0: no coalescing
 * @events: asynchronous event requests without an event
 * @nr_events: how many
 * @queue_of_events: events without a request
 * @nr_queued: how many
 * @unread: bit per event type: reported, and its log page has not been read since
 * @unread_log: by event type: that page
 * @aborts: Abort commands outstanding
 * @free: commands not in use
 * @all: commands in use
 * @working: commands that take a place of opt.inflight
 * @stopped: CSTS.CFS: nothing is fetched
 * @gone: reads all ones, writes are lost: a lie
 * @dead: registers read all ones: a lie
 * @stuck: CSTS.RDY does not follow: a lie
 * @rdy_extra: nor before this many ns: a lie
 * @back_at: when @gone ends
 * @firmware: enablings seen, for opt.arm_at
 * @tick_at: when interrupts that nobody consumed are looked for
 * @nr_reordered: commands that wait for others of their queue: a lie
 * @now: clock_now() at the last message or run
 * @stats: counts
 */
struct ctrl {
	struct options opt;
	struct mem *mem;
	struct pci *pci;
	struct judge *judge;
	struct script *script;
	struct clock *clock;
	struct nss *nss;
	struct features *feat;
	struct logs *logs;
	struct opal tcg;

	uint64_t cap;
	uint32_t vs;
	uint32_t cc;
	uint32_t csts;
	uint32_t aqa;
	uint64_t asq;
	uint64_t acq;
	unsigned int aq_written;
	uint32_t intm;
	unsigned int page_shift;
	uint64_t enabled_at;
	uint64_t ready_at;
	uint64_t shutdown_at;

	struct sq **sq;
	struct cq **cq;
	uint32_t granted_sq;
	uint32_t granted_cq;
	struct arbiter arbiter;

	struct ctrl_vector vector[CTRL_MAX_VECTORS];
	unsigned int nr_vectors;
	bool any_dirty;
	uint32_t threshold;
	uint64_t coalesce_ns;

	struct cmd *events;
	unsigned int nr_events;
	struct ctrl_event queue_of_events[CTRL_MAX_EVENTS];
	unsigned int nr_queued;
	uint8_t unread;
	uint8_t unread_log[8];
	unsigned int aborts;

	struct cmd *free;
	struct cmd *all;
	unsigned int working;

	bool stopped;
	bool gone;
	bool dead;
	bool stuck;
	uint64_t rdy_extra;
	uint64_t back_at;
	unsigned int firmware;
	uint64_t tick_at;
	unsigned int nr_reordered;
	uint64_t now;
	struct ctrl_stats stats;
};

/**
 * enum ctrl_reset - kinds of reset
 * @RESET_CONTROLLER: CC.EN was cleared: AQA, ASQ and ACQ stay (base 3.7.2)
 * @RESET_FUNCTION: function level reset
 * @RESET_SUBSYSTEM: NSSR
 * @RESET_BUS: by the client: bus or machine reset
 */
enum ctrl_reset { RESET_CONTROLLER, RESET_FUNCTION, RESET_SUBSYSTEM, RESET_BUS };

/**
 * ctrl_new - a controller after power on
 * @opt: what it is; copied
 * @mem: guest memory
 * @pci: the PCI function; may be set later, before the first access
 * @judge: the book
 * @script: lies
 * @clock: time
 *
 * Return: the controller; NULL if there is no memory or a namespace's file cannot be had.
 */
struct ctrl *ctrl_new(const struct options *opt, struct mem *mem, struct pci *pci,
		      struct judge *judge, struct script *script, struct clock *clock);

/** ctrl_free - @ctrl may be NULL; what was given to ctrl_new() stays the caller's */
void ctrl_free(struct ctrl *ctrl);

/**
 * ctrl_bar_size - bytes of BAR 0 without an MSI-X table
 * @opt: what the controller is
 *
 * Return: registers and doorbells, a power of two.
 */
uint64_t ctrl_bar_size(const struct options *opt);

/**
 * ctrl_read - the host reads BAR 0
 * @ctrl: the controller
 * @offset: first byte
 * @buf: answer
 * @len: bytes
 *
 * Any width and alignment gets an answer; the wrong ones are violations.
 */
void ctrl_read(struct ctrl *ctrl, uint64_t offset, void *buf, size_t len);

/**
 * ctrl_write - the host writes BAR 0
 * @ctrl: the controller
 * @offset: first byte
 * @buf: what
 * @len: bytes
 */
void ctrl_write(struct ctrl *ctrl, uint64_t offset, const void *buf, size_t len);

/**
 * ctrl_write_cc - CC was written: enable, disable, shut down
 * @ctrl: the controller
 * @cc: its new value
 */
void ctrl_write_cc(struct ctrl *ctrl, uint32_t cc);

/**
 * ctrl_run - do what is due
 * @ctrl: the controller
 *
 * Fetches and carries out a few commands, completes what the schedule has, sends interrupts.
 *
 * Return: true if there is more to do at once.
 */
bool ctrl_run(struct ctrl *ctrl);

/**
 * ctrl_next - when ctrl_run() has something to do next, if nothing else happens
 * @ctrl: the controller
 *
 * Return: clock_now() time; CLOCK_NEVER.
 */
uint64_t ctrl_next(const struct ctrl *ctrl);

/**
 * ctrl_reset - a reset that does not come by a register
 * @ctrl: the controller
 * @kind: which
 */
void ctrl_reset(struct ctrl *ctrl, enum ctrl_reset kind);

/**
 * ctrl_unmapping - memory is about to be unmapped
 * @ctrl: the controller
 * @iova: first byte
 * @size: bytes
 *
 * To be called before mem_unmap(): whoever takes memory back that the controller has, is told.
 */
void ctrl_unmapping(struct ctrl *ctrl, uint64_t iova, uint64_t size);

/**
 * ctrl_check_leaks - the host says that it has let go of the controller
 * @ctrl: the controller
 * @limit: mappings larger than this are the guest's RAM and don't count
 *
 * Return: mappings that are still there, each a violation.
 */
unsigned int ctrl_check_leaks(struct ctrl *ctrl, uint64_t limit);

/**
 * ctrl_pci_changed - the way of interrupts, or bus mastering, is another
 * @ctrl: the controller
 */
void ctrl_pci_changed(struct ctrl *ctrl);

/**
 * ctrl_lies - tell the lies that are about the controller
 * @ctrl: the controller
 * @hits: from script_event(), script_time() and so on; others are passed over
 * @qid: queue that they are about; -1: none
 */
void ctrl_lies(struct ctrl *ctrl, const struct lie_hits *hits, int qid);

/**
 * ctrl_script_event - something happened that a script may wait for
 * @ctrl: the controller
 * @event: what
 */
void ctrl_script_event(struct ctrl *ctrl, enum lie_event event);

/**
 * ctrl_complete - a command that was %CMD_PENDING is done
 * @ctrl: the controller
 * @cmd: the command
 * @status: that it ends with
 */
void ctrl_complete(struct ctrl *ctrl, struct cmd *cmd, int status);

/**
 * ctrl_fatal - the controller cannot go on: CSTS.CFS
 * @ctrl: the controller
 */
void ctrl_fatal(struct ctrl *ctrl);

/**
 * ctrl_event - an asynchronous event (base 5.2)
 * @ctrl: the controller
 * @type: event type
 * @info: event information
 * @log: log page that tells more
 *
 * Whether the host wants the event (feature 0Bh) is the caller's to check.  While the log page of
 * an earlier event of the type is unread, the event is held back, and dropped if it is the same.
 */
void ctrl_event(struct ctrl *ctrl, uint8_t type, uint8_t info, uint8_t log);

/**
 * ctrl_await_event - an Asynchronous Event Request
 * @ctrl: the controller
 * @cmd: the command, being carried out; may be completed when this returns
 *
 * Return: %CMD_PENDING.
 */
int ctrl_await_event(struct ctrl *ctrl, struct cmd *cmd);

/**
 * ctrl_log_read - the host read a log page with RAE 0 (base 5.16.1)
 * @ctrl: the controller
 * @log: which
 */
void ctrl_log_read(struct ctrl *ctrl, uint8_t log);

/**
 * ctrl_set_arbitration - feature 01h was set
 * @ctrl: the controller
 * @dw11: its value
 */
void ctrl_set_arbitration(struct ctrl *ctrl, uint32_t dw11);

/**
 * ctrl_set_coalescing - feature 08h was set
 * @ctrl: the controller
 * @dw11: its value
 */
void ctrl_set_coalescing(struct ctrl *ctrl, uint32_t dw11);

/**
 * ctrl_set_vector - feature 09h was set
 * @ctrl: the controller
 * @dw11: its value
 *
 * Return: 0, or NVMQ_SC_INVALID_FIELD for a vector that does not exist.
 */
int ctrl_set_vector(struct ctrl *ctrl, uint32_t dw11);

/**
 * ctrl_vector_used - whether an I/O completion queue has an interrupt vector
 * @ctrl: the controller
 * @vector: which
 *
 * Return: true if so.
 */
bool ctrl_vector_used(const struct ctrl *ctrl, uint32_t vector);

/**
 * ctrl_get_vector - feature 09h is read
 * @ctrl: the controller
 * @vector: which
 * @value: becomes its value
 *
 * Return: 0, or NVMQ_SC_INVALID_FIELD for a vector that does not exist.
 */
int ctrl_get_vector(const struct ctrl *ctrl, uint32_t vector, uint32_t *value);

/**
 * ctrl_set_queue_count - feature 07h was set (base 5.27.1.5)
 * @cmd: the Set Features; its dw0 becomes the answer
 *
 * Return: a status.
 */
int ctrl_set_queue_count(struct cmd *cmd);

/**
 * ctrl_get_queue_count - feature 07h is read
 * @ctrl: the controller
 *
 * Return: its value, as dw0 of the completion has it.
 */
uint32_t ctrl_get_queue_count(struct ctrl *ctrl);

/**
 * ctrl_cqs - I/O completion queues that there are
 * @ctrl: the controller
 *
 * Of submission queues there are opt.queues.
 *
 * Return: their number, which is also the highest identifier.
 */
uint32_t ctrl_cqs(const struct ctrl *ctrl);

/**
 * ctrl_stats - write the counts
 * @ctrl: the controller
 * @out: where to, one "NAME VALUE" per line
 */
void ctrl_stats(const struct ctrl *ctrl, FILE *out);

/**
 * ctrl_delete_sq - abort what a queue has outstanding, and free it
 * @ctrl: the controller
 * @sq: the queue
 * @post: aborted commands are completed (Delete I/O Submission Queue); else they vanish (reset)
 *
 * Return: false if completions have to wait for room first; the queue is freed after them, and its
 * deleter is completed then.
 */
bool ctrl_delete_sq(struct ctrl *ctrl, struct sq *sq, bool post);

/**
 * ctrl_take_cmd - take a command out of wherever it is, to end it before its time
 * @ctrl: the controller
 * @cmd: the command; it is in use
 */
void ctrl_take_cmd(struct ctrl *ctrl, struct cmd *cmd);

#endif /* DEVICE_CTRL_H */
