/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of commands: fetched, carried out, completed; and what a script makes of that.
 */
#ifndef DEVICE_WORK_H
#define DEVICE_WORK_H

#include <stdbool.h>

#include "cmd.h"
#include "queue.h"

struct ctrl;

/**
 * work_look - copy the entries whose doorbell rang
 * @ctrl: the controller
 * @sq: the queue
 *
 * Each entry is copied once, and judged and carried out from the copy.
 */
void work_look(struct ctrl *ctrl, struct sq *sq);

/**
 * work_fetch - fetch and carry out commands, as arbitration has it
 * @ctrl: the controller
 * @most: how many at most
 *
 * Return: how many.
 */
unsigned int work_fetch(struct ctrl *ctrl, unsigned int most);

/**
 * work_due - carry out or complete what the schedule has
 * @ctrl: the controller
 * @most: how many at most
 *
 * Return: how many.
 */
unsigned int work_due(struct ctrl *ctrl, unsigned int most);

/**
 * work_unblock - post the completions that waited for room
 * @ctrl: the controller
 * @cq: the queue, whose head has moved
 */
void work_unblock(struct ctrl *ctrl, struct cq *cq);

/**
 * work_await - a command waits for an event
 * @ctrl: the controller
 * @cmd: the command
 */
void work_await(struct ctrl *ctrl, struct cmd *cmd);

/**
 * work_drop - all commands and queues vanish: a reset
 * @ctrl: the controller
 */
void work_drop(struct ctrl *ctrl);

#endif /* DEVICE_WORK_H */
