/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name. */
#ifndef UNIT_LINUX_KERNEL_H
#define UNIT_LINUX_KERNEL_H

#include <linux/types.h>
#include <stdio.h>

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))

#endif
