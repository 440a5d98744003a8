/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records the kernel's trace events while a command runs, or for a time.
 */
#ifndef NVMQ_TOOLS_CAPTURE_H
#define NVMQ_TOOLS_CAPTURE_H

#include "step.h"
#include "sys.h"

int capture(struct trace *t, const struct sys_ctrl *ctrl, char **command, double seconds,
	    bool clock, int *status);
int capture_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
