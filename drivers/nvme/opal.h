/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Disks that lock themselves (TCG Opal).
 */
#ifndef NVMQ_OPAL_H
#define NVMQ_OPAL_H

#include <linux/sed-opal.h>

#include "admin.h"

/**
 * struct nvmq_opal - what the kernel's Opal has to do with a controller
 * @admin: the queue its commands go to
 * @dev: its own object; %NULL if the controller is not known to have Opal
 * @asked: the controller has said whether it has
 * @starter: who is in nvmq_opal_start()
 * @err: how the last of its commands ended
 */
struct nvmq_opal {
	struct nvmq_admin *admin;
	struct opal_dev *dev;
	bool asked;
	struct task_struct *starter;
	int err;
};

#ifdef CONFIG_BLK_SED_OPAL
int nvmq_opal_start(struct nvmq_opal *opal, struct nvmq_admin *admin, bool slept);
int nvmq_opal_ioctl(struct nvmq_opal *opal, unsigned int cmd, void __user *argp);
void nvmq_opal_free(struct nvmq_opal *opal);
#else
static inline int nvmq_opal_start(struct nvmq_opal *opal, struct nvmq_admin *admin, bool slept)
{
	return 0;
}

static inline int nvmq_opal_ioctl(struct nvmq_opal *opal, unsigned int cmd, void __user *argp)
{
	return -ENOTTY;
}

static inline void nvmq_opal_free(struct nvmq_opal *opal)
{
}
#endif

#endif /* NVMQ_OPAL_H */
