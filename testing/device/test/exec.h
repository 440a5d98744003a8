/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands carried out without queues and without a connection: a controller, some guest memory,
 * and one command at a time.  The rules for entries are checked on the way.
 */
#ifndef TEST_EXEC_H
#define TEST_EXEC_H

#include <stdint.h>
#include <stdio.h>

#include "cmd.h"
#include "ctrl.h"
#include "options.h"

#define EXEC_RAM		(16u << 20)
#define EXEC_LISTS		0x10000u	/* PRP lists */
#define EXEC_DATA		0x100000u	/* room for 8 MiB */
#define EXEC_META		0xc00000u	/* and for 4 MiB */

/**
 * struct exec - controller and memory
 * @ctrl: the controller
 * @mem: guest memory as the device has it
 * @judge: the book, armed
 * @script: no lies
 * @clock: no delays
 * @log: violations are written here
 * @ram: guest memory as the test has it, address 0 first
 * @sq: admin queue and an I/O queue, without memory
 * @cmd: the last command
 */
struct exec {
	struct ctrl *ctrl;
	struct mem *mem;
	struct judge *judge;
	struct script *script;
	struct clock *clock;
	FILE *log;
	uint8_t *ram;
	struct sq sq[2];
	struct cmd cmd;
};

/**
 * exec_options - a controller that offers everything, with one namespace of 1 MiB
 * @opt: filled in
 */
void exec_options(struct options *opt);

/**
 * exec_start - make a controller; the program ends if that fails
 * @e: filled in
 * @opt: what it is
 */
void exec_start(struct exec *e, const struct options *opt);

/**
 * exec_stop - take it away
 * @e: as filled in
 */
void exec_stop(struct exec *e);

/**
 * exec_prps - point an entry to data at any address
 * @e: PRP lists are made in its memory
 * @sqe: the entry
 * @iova: first byte
 * @len: bytes
 */
void exec_prps(struct exec *e, struct nvmq_sqe *sqe, uint64_t iova, uint64_t len);

/**
 * exec_run - carry a command out
 * @e: controller
 * @qid: 0: admin, 1: I/O
 * @sqe: the entry
 *
 * Return: its status.
 */
int exec_run(struct exec *e, unsigned int qid, const struct nvmq_sqe *sqe);

/**
 * exec_admin - an admin command with its data at EXEC_DATA
 * @e: controller
 * @opcode: of the command
 * @nsid: namespace
 * @dw10: dword 10
 * @dw11: dword 11
 * @len: bytes of data
 *
 * Return: its status.
 */
int exec_admin(struct exec *e, uint8_t opcode, uint32_t nsid, uint32_t dw10, uint32_t dw11,
	       uint32_t len);

/**
 * exec_io - an I/O command of a range, with its data at EXEC_DATA
 * @e: controller
 * @opcode: of the command
 * @nsid: namespace
 * @lba: first block
 * @nlb: number of blocks, not 0's based
 * @dw12: further bits
 * @len: bytes of data
 *
 * Return: its status.
 */
int exec_io(struct exec *e, uint8_t opcode, uint32_t nsid, uint64_t lba, uint32_t nlb,
	    uint32_t dw12, uint64_t len);

/**
 * exec_judged - violations of a rule since the last call, and no other
 * @e: controller
 * @rule: which
 *
 * Return: how many; -1: there were others as well.
 */
long exec_judged(struct exec *e, enum rule rule);

/**
 * exec_clean - whether there was no violation since the last call
 * @e: controller
 *
 * Return: true if so; if not, they have been written to standard output.
 */
bool exec_clean(struct exec *e);

#endif
