// SPDX-License-Identifier: GPL-2.0
/*
 * What opening nvmeX, ngXnY and nvmeXnY leads to.
 */
#include <linux/module.h>

#include "ctrl.h"
#include "ioctl.h"
#include "ns.h"

const struct file_operations nvmq_ioctl_ctrl_fops = {
	.owner = THIS_MODULE,
	.open = nvmq_ctrl_open,
};

const struct file_operations nvmq_ioctl_ns_fops = {
	.owner = THIS_MODULE,
	.open = nvmq_ns_open,
};

const struct block_device_operations nvmq_ioctl_disk_ops = {
	.owner = THIS_MODULE,
	.free_disk = nvmq_ns_free_disk,
};
