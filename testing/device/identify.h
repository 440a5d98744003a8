/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Identify (base 5.17): the data structures, made from the options at each command.
 */
#ifndef DEVICE_IDENTIFY_H
#define DEVICE_IDENTIFY_H

struct cmd;
struct ctrl;
struct nvmq_id_ctrl;

#define IDENTIFY_CNTLID		1	/* of the only controller */

/**
 * identify_exec - Identify
 * @cmd: the command
 *
 * Return: a status.
 */
int identify_exec(struct cmd *cmd);

/**
 * identify_controller - fill in Identify Controller
 * @ctrl: the controller
 * @id: where to, zeroed by this
 */
void identify_controller(struct ctrl *ctrl, struct nvmq_id_ctrl *id);

#endif
