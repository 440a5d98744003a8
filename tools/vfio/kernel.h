/* SPDX-License-Identifier: GPL-2.0 */
/* What the driver's sources find in place of the kernel. */
#ifndef NVMQ_VFIO_KERNEL_H
#define NVMQ_VFIO_KERNEL_H

#include "device.h"

void kernel_start(const struct vfio_device *dev);

#endif
