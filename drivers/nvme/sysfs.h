/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The directory nvmq/ below the PCI device in sysfs.
 */
#ifndef NVMQ_SYSFS_H
#define NVMQ_SYSFS_H

#include <linux/sysfs.h>

extern const struct attribute_group *nvmq_sysfs_groups[];

#endif /* NVMQ_SYSFS_H */
