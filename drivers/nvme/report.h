/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counters in words.
 */
#ifndef NVMQ_REPORT_H
#define NVMQ_REPORT_H

#include <linux/seq_file.h>

#include "stats.h"

void nvmq_report(struct seq_file *m, const struct nvmq_stats *stats, bool json);

#endif /* NVMQ_REPORT_H */
