/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One command, from its fetch to its completion.  What a command does is a cmd_fn; ctrl.c calls it
 * and posts the completion.
 */
#ifndef DEVICE_CMD_H
#define DEVICE_CMD_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nvmq/spec.h>

#include "clock.h"
#include "judge.h"
#include "mem.h"
#include "prp.h"
#include "queue.h"
#include "script.h"

struct ctrl;

/* What a cmd_fn returns if the command is completed later, by ctrl_complete(). */
#define CMD_PENDING	(-1)

/**
 * enum cmd_state - where a command is
 * @CMD_FREE: not in use
 * @CMD_FETCHED: about to be carried out
 * @CMD_DELAYED: in the schedule, to be carried out when its time comes
 * @CMD_HELD: carried out, its completion in the schedule
 * @CMD_WAITING: carried out, its completion queue is full
 * @CMD_EVENT: an asynchronous event request without an event
 * @CMD_DROPPED: there will be no completion: a lie
 * @CMD_LATE: completed, its data is still to be moved: a lie
 */
enum cmd_state {
	CMD_FREE,
	CMD_FETCHED,
	CMD_DELAYED,
	CMD_HELD,
	CMD_WAITING,
	CMD_EVENT,
	CMD_DROPPED,
	CMD_LATE,
};

/**
 * struct cmd - one command
 * @ctrl: the controller
 * @sq: where it came from
 * @sqe: its entry, copied once
 * @cid: command identifier
 * @slot: of the entry in @sq
 * @status: that it completes with: status field without phase tag, with DNR
 * @dw0: of the completion
 * @dw1: of the completion
 * @spans: its data, by cmd_map()
 * @nr_spans: how many
 * @max_spans: room
 * @mapped: bytes that @spans are for; 0: not mapped
 * @generation: mem_generation() of @spans
 * @lists: hash of its PRP lists at that time
 * @nr_lists: how many PRP lists
 * @bytes: that it moves, for the clock
 * @at: stamps
 * @lies: what the script says about it
 * @state: where it is
 * @prot: that @spans were found for
 * @ghost: only a completion, of a command that is done: a lie
 * @hold: completions of @sq that it waits for: a lie
 * @next: in whichever list it is
 * @prev: in the list of all that are not free
 * @following: in that list
 */
struct cmd {
	struct ctrl *ctrl;
	struct sq *sq;
	struct nvmq_sqe sqe;
	uint16_t cid;
	uint16_t slot;
	uint16_t status;
	uint32_t dw0;
	uint32_t dw1;
	struct span *spans;
	unsigned int nr_spans;
	unsigned int max_spans;
	uint64_t mapped;
	uint64_t generation;
	uint64_t lists;
	unsigned int nr_lists;
	uint64_t bytes;
	struct clock_stamps at;
	struct lie_hits lies;
	enum cmd_state state;
	unsigned int prot;
	bool ghost;
	uint64_t hold;
	struct cmd *next;
	struct cmd *prev;
	struct cmd *following;
};

/**
 * cmd_fn - carry out a command
 * @cmd: the command
 *
 * Return: a status (0 is success; DNR is or-ed in by whoever knows), or %CMD_PENDING.
 */
typedef int cmd_fn(struct cmd *cmd);

/**
 * cmd_map - find the data of a command in guest memory
 * @cmd: the command; its spans are filled in
 * @len: bytes of the transfer
 * @prot: MEM_WRITE to move data to the host, MEM_READ to move it from there
 *
 * Judges the data pointer, and @len by MDTS.  Walks once: called again for the same length it
 * has nothing to do.
 *
 * Return: 0 or a status.
 */
int cmd_map(struct cmd *cmd, uint64_t len, unsigned int prot);

/**
 * cmd_to_host - move data to the host
 * @cmd: the command
 * @data: from where
 * @len: the whole transfer
 *
 * Tells the lies about Identify and log pages on the way.
 *
 * Return: 0 or a status.
 */
int cmd_to_host(struct cmd *cmd, const void *data, size_t len);

/**
 * cmd_from_host - move data from the host
 * @cmd: the command
 * @data: where to
 * @len: the whole transfer
 *
 * Return: 0 or a status.
 */
int cmd_from_host(struct cmd *cmd, void *data, size_t len);

/**
 * cmd_meta - find separate metadata
 * @cmd: the command
 * @len: bytes, contiguous at MPTR
 * @prot: as cmd_map()
 * @walk: its spans are the result; the caller frees them
 *
 * Return: 0 or a status.
 */
int cmd_meta(struct cmd *cmd, size_t len, unsigned int prot, struct walk *walk);

/**
 * cmd_check - judge the entry of a command, but for its data pointer
 * @cmd: the command
 *
 * Return: 0, or the status that the command ends with.
 */
int cmd_check(struct cmd *cmd);

/**
 * cmd_recheck - judge whether the PRP lists of a command are still what they were
 * @cmd: the command; its data was found when it was fetched
 */
void cmd_recheck(struct cmd *cmd);

/**
 * cmd_spoil - tell the lie about the data of a read
 * @cmd: the command, carried out
 */
void cmd_spoil(struct cmd *cmd);

/**
 * cmd_poison - fill the data buffer of a read with rubbish that nobody should look at
 * @cmd: the command; its data was found when it was fetched
 */
void cmd_poison(struct cmd *cmd);

/**
 * cmd_wrong_data - the lie about the data of this command
 * @cmd: the command
 *
 * Reads are spoilt by ctrl.c after they were carried out; writes by who stores them, with
 * lie_spoil().
 *
 * Return: the lie; NULL if there is none.
 */
static inline const struct lie *cmd_wrong_data(const struct cmd *cmd)
{
	return lie_find(&cmd->lies, LIE_WRONG_DATA);
}

/**
 * cmd_violation - the host broke a rule with this command
 * @cmd: the command
 * @rule: which
 * @...: what was seen, as printf() has it
 */
#define cmd_violation(cmd, rule, ...) \
	judge_violation(cmd_judge(cmd), rule, (cmd)->sq->qid, __VA_ARGS__)

/**
 * cmd_judge - the book
 * @cmd: a command
 *
 * Return: the controller's judge.
 */
struct judge *cmd_judge(const struct cmd *cmd);

/* Fields of the common dwords, in the host's byte order. */
static inline uint32_t cmd_nsid(const struct cmd *cmd) { return le32toh(cmd->sqe.nsid); }
static inline uint32_t cmd_dw10(const struct cmd *cmd) { return le32toh(cmd->sqe.cdw10); }
static inline uint32_t cmd_dw11(const struct cmd *cmd) { return le32toh(cmd->sqe.cdw11); }
static inline uint32_t cmd_dw12(const struct cmd *cmd) { return le32toh(cmd->sqe.cdw12); }
static inline uint32_t cmd_dw13(const struct cmd *cmd) { return le32toh(cmd->sqe.cdw13); }
static inline uint32_t cmd_dw14(const struct cmd *cmd) { return le32toh(cmd->sqe.cdw14); }
static inline uint32_t cmd_dw15(const struct cmd *cmd) { return le32toh(cmd->sqe.cdw15); }

#endif /* DEVICE_CMD_H */
