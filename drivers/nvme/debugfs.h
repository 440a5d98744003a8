/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The queue map, the queues, the counters and the flight recorder in debugfs.
 */
#ifndef NVMQ_DEBUGFS_H
#define NVMQ_DEBUGFS_H

struct nvmq_ctrl;

void nvmq_debugfs_init(void);
void nvmq_debugfs_exit(void);
void nvmq_debugfs_add(struct nvmq_ctrl *ctrl);
void nvmq_debugfs_remove(struct nvmq_ctrl *ctrl);

#endif /* NVMQ_DEBUGFS_H */
