/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The subcommands of nvmq.  Each gets its own argc and argv, argv[0] being its
 * name, and returns an exit status: 0, 1 if it cannot be done, 2 for wrong usage.
 */
#ifndef NVMQ_TOOLS_NVMQ_H
#define NVMQ_TOOLS_NVMQ_H

#include "json.h"

int cmd_bind(int argc, char **argv);
int cmd_hist(int argc, char **argv);
int cmd_lab(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_map(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_queues(int argc, char **argv);
int cmd_release(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_trace(int argc, char **argv);

/* Names of disks that are separated by blanks, as an array. */
struct json_object *disks_to_json(const char *disks);

#endif
