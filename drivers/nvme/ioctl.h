/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What opening nvmeX, ngXnY and nvmeXnY leads to.
 */
#ifndef NVMQ_IOCTL_H
#define NVMQ_IOCTL_H

#include <linux/blkdev.h>
#include <linux/fs.h>

extern const struct file_operations nvmq_ioctl_ctrl_fops;
extern const struct file_operations nvmq_ioctl_ns_fops;
extern const struct block_device_operations nvmq_ioctl_disk_ops;

#endif /* NVMQ_IOCTL_H */
