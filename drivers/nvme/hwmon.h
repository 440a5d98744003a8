/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Temperatures, as sensors(1) and others read them.
 */
#ifndef NVMQ_HWMON_H
#define NVMQ_HWMON_H

#include "ctrl.h"

#if IS_REACHABLE(CONFIG_HWMON)
void nvmq_hwmon_add(struct nvmq_ctrl *ctrl);
void nvmq_hwmon_remove(struct nvmq_ctrl *ctrl);
#else
static inline void nvmq_hwmon_add(struct nvmq_ctrl *ctrl)
{
}

static inline void nvmq_hwmon_remove(struct nvmq_ctrl *ctrl)
{
}
#endif

#endif /* NVMQ_HWMON_H */
