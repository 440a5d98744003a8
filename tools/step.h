/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What nvmq trace has seen: steps of I/Os in the order of time.  They come from
 * the kernel's trace events (capture.c), from QEMU's log (qemulog.c) or from
 * JSON lines (stepio.c); story.c finds out which belong together.
 */
#ifndef NVMQ_TOOLS_STEP_H
#define NVMQ_TOOLS_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Who does a step, from the top down. */
enum step_lane {
	LANE_APP,
	LANE_BLOCK,
	LANE_DRIVER,
	LANE_DEVICE,
	LANES
};

enum step_kind {
	STEP_CALL,		/* a system call begins */
	STEP_RETURN,		/* and ends */
	STEP_BIO,		/* a bio came to the block layer */
	STEP_ISSUE,		/* a request was handed to the driver */
	STEP_REQUEUE,		/* and given back, to be sent again */
	STEP_COMMAND,		/* an SQE was written */
	STEP_PRP_LIST,		/* its PRP list */
	STEP_DOORBELL,		/* of either ring; NUM_CQ tells */
	STEP_DEVICE,		/* what QEMU says */
	STEP_IRQ,		/* an interrupt came */
	STEP_COMPLETION,	/* a CQE was taken */
	STEP_HANDLED,		/* the interrupt handler has finished */
	STEP_DONE,		/* a request was completed */
	STEP_STATE,		/* the controller has another state */
	STEP_KINDS
};

/* Numbers of a step; which of them it has depends on the kind. */
enum step_num {
	NUM_DEV, NUM_SECTOR, NUM_SECTORS, NUM_BYTES, NUM_ERROR,
	NUM_QID, NUM_CID, NUM_SLOT, NUM_ADDR, NUM_CQ, NUM_VALUE, NUM_HEAD, NUM_SQHD, NUM_STATUS,
	NUM_RESULT, NUM_IRQ, NUM_FOUND, NUM_RET,
	/* Found out by story.c: */
	NUM_IO,			/* number of the I/O; of the first one of several */
	NUM_COUNT,		/* doorbells, interrupts: how many I/Os */
	NUM_OLD,		/* doorbells: the value before */
	NUM_HCTX,		/* issue: hardware context that it went to */
	NUM_VECTOR,
	NUMS
};

/**
 * struct step - one step
 * @ns: when, on the clock of the trace
 * @kind: what
 * @cpu: where; -1 for the device
 * @pid: process that ran there
 * @comm: its name, where the event has it
 * @has: bit N: @num[N] is set
 * @num: numbers
 * @rwbs: the block layer's letters for what a request is
 * @text: arguments of a call; words of QEMU; states
 * @sqe: STEP_COMMAND: all of it
 * @list: STEP_PRP_LIST: entries, @nr_list of them
 */
struct step {
	uint64_t ns;
	enum step_kind kind;
	int cpu;
	int pid;
	char comm[16];
	uint32_t has;
	int64_t num[NUMS];
	char rwbs[16];
	char text[160];
	uint8_t sqe[64];
	uint64_t *list;
	size_t nr_list;
};

/**
 * struct step_disk - a disk of the controller, or a partition
 * @name: its name
 * @dev: number as the kernel's trace events have it
 * @nsid: its namespace
 * @block: bytes of a logical block
 */
struct step_disk {
	char name[32];
	uint64_t dev;
	unsigned int nsid;
	unsigned int block;
};

/* A queue pair: see struct sys_queue */
struct step_queue {
	unsigned int qid;
	char type[16];
	int vector;
	int irq;
};

/**
 * struct io - an I/O, put together by story.c; times are 0 where the step was not seen
 * @dev: the disk
 * @sector: where
 * @sectors: how much
 * @qid: queue pair
 * @cid: command identifier
 * @opcode: of the command
 * @status: status field of its completion
 * @commands: how often it was sent
 * @bio: when its first bio came
 * @issue: when the request was handed to the driver
 * @command: when the SQE was written
 * @rung: when the doorbell was written
 * @irq: when the interrupt came that found the completion
 * @completion: when the completion was taken
 * @done: when the request was complete
 */
struct io {
	uint64_t dev;
	int64_t sector, sectors;
	unsigned int qid, cid, opcode, status, commands;
	uint64_t bio, issue, command, rung, irq, completion, done;
};

/**
 * struct trace - a trace
 * @name: nvmeX
 * @bdf: PCI address
 * @command: what was run; empty for a span of time
 * @lost: events that found no room
 * @clock: how QEMU's clock was matched, in words; empty without QEMU's events
 * @from: ns; steps before it are of reads by which QEMU's clock is matched, and go then; or 0
 * @disks: disks and partitions
 * @queues: queue pairs
 * @step: the steps
 * @io: I/Os, from number 1 on in [0]
 */
struct trace {
	char name[32], bdf[32], command[256];
	uint64_t lost;
	char clock[256];
	uint64_t from;
	struct step_disk *disks;
	size_t nr_disks;
	struct step_queue *queues;
	size_t nr_queues;
	struct step *step;
	size_t nr_steps;
	struct io *io;
	size_t nr_ios;
};

/**
 * struct step_type - what all steps of a kind have in common
 * @name: in JSON
 * @system: of the trace event; NULL if there is none, or many
 * @event: its name
 * @lane: who does it
 * @nums: bit N: it has @num[N]
 */
struct step_type {
	const char *name, *system, *event;
	enum step_lane lane;
	uint32_t nums;
};

extern const struct step_type step_types[STEP_KINDS];
/* Names of the numbers, in JSON and in trace events. */
extern const struct step_num_name {
	const char *json, *field;
} step_nums[NUMS];

/* stepio.c */
struct step *step_add(struct trace *t);
void step_set(struct step *s, enum step_num n, int64_t value);
bool step_has(const struct step *s, enum step_num n);
void step_sort(struct trace *t);
void step_free(struct trace *t);
void step_write_json(const struct trace *t, FILE *to);
int step_read_json(struct trace *t, const char *path);

/* story.c */
void story_find(struct trace *t);
const struct step_disk *story_disk(const struct trace *t, uint64_t dev);

/* words.c */
char *words_of(const struct trace *t, const struct step *s);
void words_details(const struct step *s, bool sqe, const char *indent, FILE *to);
void words_timeline(const struct trace *t, bool sqe, FILE *to);
void words_summary(const struct trace *t, FILE *to);

/* lanes.c */
int lanes_write_svg(const struct trace *t, const char *path);

/* qemulog.c */
int qemulog_merge(struct trace *t, const char *path);

#endif
