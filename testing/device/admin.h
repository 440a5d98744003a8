/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Admin commands: those about queues, aborts and events are here, the others are passed on.
 */
#ifndef DEVICE_ADMIN_H
#define DEVICE_ADMIN_H

#include "cmd.h"

struct ctrl;

/**
 * admin_exec - carry out an admin command
 * @cmd: of submission queue 0
 *
 * Return: a status or %CMD_PENDING.
 */
int admin_exec(struct cmd *cmd);

/**
 * admin_enable - make the admin queues (base 3.5.1)
 * @ctrl: the controller, CC.EN being set
 *
 * Return: true if AQA, ASQ and ACQ are such that it can be.
 */
bool admin_enable(struct ctrl *ctrl);

#endif /* DEVICE_ADMIN_H */
