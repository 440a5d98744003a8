/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A driver that says what it does: each register that is written or read, each command, doorbell
 * and completion, as a line.
 */
#ifndef NVMQ_VFIO_TELL_H
#define NVMQ_VFIO_TELL_H

#include <stdbool.h>

#include <linux/types.h>

extern bool tell_on;

void tell_read(u32 offset, u32 value);
void tell_write(u32 offset, u32 value);

#endif
