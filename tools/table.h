/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lines that nvmq stat and nvmq top show, of whatever length.  Each is good until the next one
 * is made.
 */
#ifndef NVMQ_TOOLS_TABLE_H
#define NVMQ_TOOLS_TABLE_H

#include "counters.h"

const char *table_queue_head(int row);
const char *table_queue(const struct counters_queue *q, double seconds);
const char *table_cpu_head(const struct counters *c);
const char *table_cpu(const struct counters *c, const struct counters_cpu *cpu);

#endif
