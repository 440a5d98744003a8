/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands of the NVM Command Set, and Flush.
 */
#ifndef DEVICE_NVM_H
#define DEVICE_NVM_H

#include <stdbool.h>
#include <stdint.h>

struct cmd;
struct ctrl;

/**
 * nvm_exec - carry an I/O command out
 * @cmd: the command, of an I/O queue
 *
 * Return: a status.
 */
int nvm_exec(struct cmd *cmd);

/**
 * nvm_supports - whether an opcode is supported with these options
 * @ctrl: the controller
 * @opcode: of an I/O command
 *
 * Return: true if nvm_exec() does not refuse it with Invalid Command Opcode.
 */
bool nvm_supports(const struct ctrl *ctrl, uint8_t opcode);

/**
 * nvm_data_len - how much data a command is going to move by its data pointer
 * @cmd: an I/O command
 * @prot: becomes MEM_READ or MEM_WRITE
 *
 * Return: bytes; 0: none, or the command is not one that will be carried out.
 */
uint64_t nvm_data_len(const struct cmd *cmd, unsigned int *prot);

/**
 * nvm_writes - whether a command changes what is on the medium
 * @opcode: of an I/O command
 *
 * Return: true if so.
 */
bool nvm_writes(uint8_t opcode);

#endif
