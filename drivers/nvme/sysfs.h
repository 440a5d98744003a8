/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files in sysfs: below the PCI device, below nvmeX, below ngXnY and the disks.
 */
#ifndef NVMQ_SYSFS_H
#define NVMQ_SYSFS_H

#include <linux/sysfs.h>

extern const struct attribute_group *nvmq_sysfs_groups[];
extern const struct attribute_group *nvmq_sysfs_ctrl_groups[];
extern const struct attribute_group *nvmq_sysfs_ns_groups[];

#endif /* NVMQ_SYSFS_H */
