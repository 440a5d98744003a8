/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The flight recorder: what a queue did last, in words.
 */
#ifndef NVMQ_RECORDER_H
#define NVMQ_RECORDER_H

#include <linux/types.h>

struct nvmq_queue;

/* No line is longer, the end included. */
#define NVMQ_RECORDER_LINE	240

/**
 * typedef nvmq_recorder_emit - where the lines of a dump go
 * @arg: as given to nvmq_recorder_dump()
 * @line: a line without its end
 */
typedef void (*nvmq_recorder_emit)(void *arg, const char *line);

void nvmq_recorder_dump(const struct nvmq_queue *q, u32 count, nvmq_recorder_emit emit, void *arg);

#endif /* NVMQ_RECORDER_H */
