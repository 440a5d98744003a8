/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lines that nvmq stat and nvmq top show.
 */
#ifndef NVMQ_TOOLS_TABLE_H
#define NVMQ_TOOLS_TABLE_H

#include "counters.h"

/* What is longer is cut. */
#define TABLE_LINE	512

const char *table_queue_head(int row, char *line);
const char *table_queue(const struct counters_queue *q, double seconds, char *line);
const char *table_cpu_head(const struct counters *c, char *line);
const char *table_cpu(const struct counters *c, const struct counters_cpu *cpu, char *line);

#endif
