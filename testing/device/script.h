/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The liar's script: lines "when CONDITIONS then ACTION".  This file decides which
 * lies are due; the controller tells them.  The language stands in
 * Documentation/strict-device.rst.
 *
 * The controller asks at four kinds of moments: a command was fetched, a register
 * is accessed, something happened (enum lie_event), time went by.  Without a
 * script, asking costs one test of a bit.
 */
#ifndef DEVICE_SCRIPT_H
#define DEVICE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <nvmq/spec.h>

/**
 * enum lie_point - at which moment a line is looked at
 * @LIE_AT_COMMAND: a command was fetched
 * @LIE_AT_REG_READ: a register or doorbell is read; told before the answer
 * @LIE_AT_REG_WRITE: and written; told before the write takes effect
 * @LIE_AT_EVENT: see enum lie_event
 * @LIE_AT_TIME: "now" and "after TIME" alone
 * @NR_LIE_POINTS: how many
 */
enum lie_point {
	LIE_AT_COMMAND,
	LIE_AT_REG_READ,
	LIE_AT_REG_WRITE,
	LIE_AT_EVENT,
	LIE_AT_TIME,
	NR_LIE_POINTS,
};

/**
 * enum lie_event - what may happen to a controller; the names of the language
 * @LIE_ON_ENABLE: CC.EN 0 to 1, before RDY: "enable"
 * @LIE_ON_DISABLE: CC.EN 1 to 0, before RDY: "disable"
 * @LIE_ON_READY: CSTS.RDY became 1: "ready"
 * @LIE_ON_SHUTDOWN: CC.SHN was written: "shutdown"
 * @LIE_ON_FLR: function level reset: "flr"
 * @LIE_ON_SUBSYSTEM_RESET: NSSR: "subsystem-reset"
 * @LIE_ON_RESET: bus or machine reset: "reset"
 * @LIE_ON_CONNECT: a client came: "connect"
 * @LIE_ON_DISCONNECT: and went: "disconnect"
 * @LIE_ON_QUEUE_CREATED: an I/O queue, SQ or CQ: "queue-created"
 * @LIE_ON_QUEUE_DELETED: "queue-deleted"
 * @NR_LIE_EVENTS: how many
 */
enum lie_event {
	LIE_ON_ENABLE,
	LIE_ON_DISABLE,
	LIE_ON_READY,
	LIE_ON_SHUTDOWN,
	LIE_ON_FLR,
	LIE_ON_SUBSYSTEM_RESET,
	LIE_ON_RESET,
	LIE_ON_CONNECT,
	LIE_ON_DISCONNECT,
	LIE_ON_QUEUE_CREATED,
	LIE_ON_QUEUE_DELETED,
	NR_LIE_EVENTS,
};

/**
 * enum lie_kind - what to do
 * @LIE_STATUS: complete with @status; carry out only if @executed
 * @LIE_DROP: no completion; carry out only if @executed.  At LIE_AT_REG_WRITE: the write is lost
 * @LIE_DELAY: complete @ns later than otherwise
 * @LIE_TWICE: post the completion a second time, @ns later
 * @LIE_WRONG_CID: in the completion: @value if @has_value, or one that no command has
 * @LIE_WRONG_SQ: SQID: the same
 * @LIE_WRONG_PHASE: the phase tag is inverted
 * @LIE_REORDER: hold the completion until @count others of the SQ were posted, but no longer
 *	than @ns
 * @LIE_NO_INTERRUPT: for this completion
 * @LIE_GRANT: Number of Queues: answer @count queues, and keep to it
 * @LIE_GARBAGE: in an Identify or log page: lie_spoil()
 * @LIE_WRONG_DATA: of a read or write: lie_spoil()
 * @LIE_LATE_DATA: move the data @ns after the completion was posted
 * @LIE_VALUE: a register reads as @value
 * @LIE_ALL_ONES: a register reads all ones, this time
 * @LIE_SPURIOUS: @count interrupts without a completion; of the queue's vector, or of every one
 * @LIE_DEAD_READS: all registers read all ones from now on, the rest works
 * @LIE_RDY_STUCK: CSTS.RDY does not follow CC.EN
 * @LIE_RDY_LATE: it follows @ns later
 * @LIE_CFS: CSTS.CFS becomes 1, commands are no longer fetched
 * @LIE_GONE: reads get all ones, writes are lost, no DMA, no interrupt; back after @ns if not 0
 * @LIE_BACK: undoes GONE and DEAD_READS; the controller is reset
 * @LIE_NS_GONE: namespace @nsid is detached, with its event
 * @LIE_NS_NEW: namespace @nsid of @size blocks is there, with its event
 * @LIE_NS_RESIZED: namespace @nsid has @size blocks, with its event
 * @LIE_EVENT_FLOOD: @count asynchronous events of @type, @info, @log, unmasked
 * @NR_LIE_KINDS: how many
 *
 * The first group is about one command; the second about one register access; the third about the
 * controller, and may be due at any moment.
 */
enum lie_kind {
	LIE_STATUS,
	LIE_DROP,
	LIE_DELAY,
	LIE_TWICE,
	LIE_WRONG_CID,
	LIE_WRONG_SQ,
	LIE_WRONG_PHASE,
	LIE_REORDER,
	LIE_NO_INTERRUPT,
	LIE_GRANT,
	LIE_GARBAGE,
	LIE_WRONG_DATA,
	LIE_LATE_DATA,

	LIE_VALUE,
	LIE_ALL_ONES,

	LIE_SPURIOUS,
	LIE_DEAD_READS,
	LIE_RDY_STUCK,
	LIE_RDY_LATE,
	LIE_CFS,
	LIE_GONE,
	LIE_BACK,
	LIE_NS_GONE,
	LIE_NS_NEW,
	LIE_NS_RESIZED,
	LIE_EVENT_FLOOD,
	NR_LIE_KINDS,
};

#define LIE_BIT(kind)		(1u << (kind))
/* Kinds that the controller carries out as a whole, whatever moment they came from. */
#define LIE_CTRL_KINDS		(LIE_BIT(NR_LIE_KINDS) - LIE_BIT(LIE_SPURIOUS))

/**
 * struct lie - one lie that is due
 * @kind: what to do; says which of the others count
 * @line: number of the rule it came from, for the log
 * @status: status field without phase, with CRD and DNR (base 3.3.3.2.1)
 * @executed: LIE_STATUS, LIE_DROP: the command takes effect all the same
 * @has_value: @value was given
 * @type: of the event (base figure 143); @info and @log likewise
 * @info: event information
 * @log: log page of the event
 * @count: see enum lie_kind
 * @nsid: namespace
 * @ns: time, nanoseconds
 * @value: see enum lie_kind
 * @size: namespace size in blocks
 * @offset: LIE_GARBAGE, LIE_WRONG_DATA: first byte
 * @len: and how many; 0: one byte somewhere, by @seed
 * @seed: different for each time that a line hits, the same in each run
 */
struct lie {
	enum lie_kind kind;
	unsigned int line;
	uint16_t status;
	bool executed;
	bool has_value;
	uint8_t type;
	uint8_t info;
	uint8_t log;
	uint32_t count;
	uint32_t nsid;
	uint64_t ns;
	uint64_t value;
	uint64_t size;
	uint64_t offset;
	uint64_t len;
	uint64_t seed;
};

#define LIE_HITS_MAX		6

/**
 * struct lie_hits - the lies that are due at one moment
 * @kinds: LIE_BIT() of each; 0: none, and the rest is not valid
 * @nr: how many
 * @lie: copies: they outlive the line they came from
 *
 * A kind is in it once: of two lines the first wins.  Only those of LIE_CTRL_KINDS can be in
 * it several times: tell them all, in this order.
 */
struct lie_hits {
	uint32_t kinds;
	uint32_t nr;
	struct lie lie[LIE_HITS_MAX];
};

/**
 * struct script - the lines
 * @wanted: bit per enum lie_point: some line is looked at there
 * @rest: private
 */
struct script {
	uint32_t wanted;
	struct script_rest *rest;
};

/**
 * script_new - an empty script
 *
 * Return: the script, NULL without memory.
 */
struct script *script_new(void);

/**
 * script_free - throw a script away
 * @script: may be NULL
 */
void script_free(struct script *script);

/**
 * script_add - add the lines of a text
 * @script: where to
 * @name: of the text, for errors: a file name
 * @text: lines; nothing is added if one of them is wrong
 * @error: becomes "NAME:LINE:COLUMN: expected WHAT, found WHAT"
 * @size: bytes there
 *
 * Times ("now", "after") count from this call.
 *
 * Return: 0, -EINVAL or -ENOMEM, both with @error filled.
 */
int script_add(struct script *script, const char *name, const char *text, char *error, size_t size);

/**
 * script_load - script_add() of a file
 * @script: where to
 * @file: its name
 * @error: becomes what is wrong
 * @size: bytes there
 *
 * Return: as script_add(), or -errno of opening and reading.
 */
int script_load(struct script *script, const char *file, char *error, size_t size);

/**
 * script_remove - forget lines
 * @script: where
 * @line: number as script_print() has it, 0: all
 *
 * Return: 0 or -ENOENT.
 */
int script_remove(struct script *script, unsigned int line);

/**
 * script_rewind - begin again, as if the lines had just been added
 * @script: its counts become 0
 */
void script_rewind(struct script *script);

/**
 * script_nr - how many lines there are
 * @script: which
 *
 * Return: the number; "lies by seed" counts as what it made.
 */
unsigned int script_nr(const struct script *script);

/**
 * script_print - write the lines out, so that script_add() takes them again
 * @script: which
 * @out: where to
 * @counts: append a comment with number, matches and lies told
 *
 * What "lies by seed" made is written as lines of its own.
 */
void script_print(const struct script *script, FILE *out, bool counts);

/**
 * script_told - how often a kind of lie was due
 * @script: which
 * @kind: of lie
 *
 * Return: the number since the last rewind.
 */
unsigned long script_told(const struct script *script, enum lie_kind kind);

/**
 * lie_kind_name - the word of the language for a kind
 * @kind: which
 *
 * Return: one or two words: "drop", "namespace gone".
 */
const char *lie_kind_name(enum lie_kind kind);

/**
 * script_opcode_name - a command's name in the language
 * @io: of an I/O queue; else of the admin queue
 * @opcode: its opcode
 *
 * Return: the name; NULL if the language has none.
 */
const char *script_opcode_name(bool io, uint8_t opcode);

/**
 * script_ask_command - script_command(), when there are such lines
 * @script: as there
 * @qid: as there
 * @sqe: as there
 * @now: as there
 * @hits: as there, @hits->kinds is 0
 */
void script_ask_command(struct script *script, unsigned int qid, const struct nvmq_sqe *sqe,
			uint64_t now, struct lie_hits *hits);

/**
 * script_ask_register - script_register(), when there are such lines
 * @script: as there
 * @write: as there
 * @offset: as there
 * @qid: as there
 * @now: as there
 * @hits: as there, @hits->kinds is 0
 */
void script_ask_register(struct script *script, bool write, uint32_t offset, int qid, uint64_t now,
			 struct lie_hits *hits);

/**
 * script_ask_event - script_event(), when there are such lines
 * @script: as there
 * @event: as there
 * @now: as there
 * @hits: as there, @hits->kinds is 0
 */
void script_ask_event(struct script *script, enum lie_event event, uint64_t now,
		      struct lie_hits *hits);

/**
 * script_ask_time - script_time(), when there are such lines
 * @script: as there
 * @now: as there
 * @hits: as there, @hits->kinds is 0
 */
void script_ask_time(struct script *script, uint64_t now, struct lie_hits *hits);

/**
 * script_command - what to lie about a command
 * @script: may be NULL
 * @qid: submission queue, 0 is the admin queue
 * @sqe: the fetched entry
 * @now: clock_now()
 * @hits: becomes what is due, @hits->kinds is always valid
 *
 * Call once per command, at fetch.  Lies of LIE_CTRL_KINDS may be among the hits: tell
 * them at once.
 */
static inline void script_command(struct script *script, unsigned int qid,
				  const struct nvmq_sqe *sqe, uint64_t now, struct lie_hits *hits)
{
	hits->kinds = 0;
	if (script && script->wanted & (1u << LIE_AT_COMMAND))
		script_ask_command(script, qid, sqe, now, hits);
}

/**
 * script_register - what to lie about a register access
 * @script: may be NULL
 * @write: or a read
 * @offset: into BAR 0
 * @qid: queue of the doorbell, if @offset is one; else -1
 * @now: clock_now()
 * @hits: becomes what is due
 *
 * LIE_VALUE, LIE_ALL_ONES (read), LIE_DROP (write) and LIE_CTRL_KINDS are possible.
 */
static inline void script_register(struct script *script, bool write, uint32_t offset, int qid,
				   uint64_t now, struct lie_hits *hits)
{
	hits->kinds = 0;
	if (script && script->wanted & (1u << (write ? LIE_AT_REG_WRITE : LIE_AT_REG_READ)))
		script_ask_register(script, write, offset, qid, now, hits);
}

/**
 * script_event - what to lie when something happened
 * @script: may be NULL
 * @event: what
 * @now: clock_now()
 * @hits: becomes what is due: LIE_CTRL_KINDS only
 */
static inline void script_event(struct script *script, enum lie_event event, uint64_t now,
				struct lie_hits *hits)
{
	hits->kinds = 0;
	if (script && script->wanted & (1u << LIE_AT_EVENT))
		script_ask_event(script, event, now, hits);
}

/**
 * script_time - what is due because time went by
 * @script: may be NULL
 * @now: clock_now()
 * @hits: becomes what is due: LIE_CTRL_KINDS only; ask again until there is none
 *
 * For the poll loop.
 */
static inline void script_time(struct script *script, uint64_t now, struct lie_hits *hits)
{
	hits->kinds = 0;
	if (script && script->wanted & (1u << LIE_AT_TIME))
		script_ask_time(script, now, hits);
}

/**
 * script_next - when script_time() has something next
 * @script: may be NULL
 *
 * Return: clock_now() time, UINT64_MAX: never.
 */
uint64_t script_next(const struct script *script);

/**
 * lie_find - the lie of a kind among the hits
 * @hits: as filled by one of the above
 * @kind: which
 *
 * Return: it, or NULL.
 */
static inline const struct lie *lie_find(const struct lie_hits *hits, enum lie_kind kind)
{
	unsigned int i;

	if (!(hits->kinds & LIE_BIT(kind)))
		return NULL;
	for (i = 0; i < hits->nr; i++)
		if (hits->lie[i].kind == kind)
			return &hits->lie[i];
	return NULL;
}

/**
 * lie_spoil - put wrong bytes into data
 * @lie: LIE_GARBAGE or LIE_WRONG_DATA
 * @at: where @data begins in the page (a log page's LPO) or in the command's data
 * @total: bytes of the page or of the command's data: where a byte is chosen from
 * @data: the bytes
 * @len: how many
 *
 * May be called for one piece of the data after the other.  Every byte in the range of the
 * lie becomes another one, unless a value was given that has this byte.
 */
void lie_spoil(const struct lie *lie, uint64_t at, uint64_t total, void *data, size_t len);

#endif
