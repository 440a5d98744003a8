/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where nvme-cli looks: /sys/class/nvme, nvme-generic and nvme-subsystem.
 */
#ifndef NVMQ_CLASSDIR_H
#define NVMQ_CLASSDIR_H

#include <linux/device.h>
#include <linux/list.h>

/**
 * struct nvmq_classdir_entry - a device that is shown in one of the directories
 * @dev: the device
 * @dir: name of the directory
 * @list: of all that are shown
 */
struct nvmq_classdir_entry {
	struct device *dev;
	const char *dir;
	struct list_head list;
};

int nvmq_classdir_module_init(void);
void nvmq_classdir_module_exit(void);
void nvmq_classdir_add(struct nvmq_classdir_entry *entry);
void nvmq_classdir_del(struct nvmq_classdir_entry *entry);
bool nvmq_classdir_is_shared(void);

#endif /* NVMQ_CLASSDIR_H */
