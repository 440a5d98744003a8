/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name: time is the test's. */
#ifndef UNIT_LINUX_DELAY_H
#define UNIT_LINUX_DELAY_H

#include <linux/kernel.h>

void unit_usleep_range(unsigned long least, unsigned long most);
void unit_msleep(unsigned int ms);

#define usleep_range(least, most)	unit_usleep_range(least, most)
#define msleep(ms)			unit_msleep(ms)

#endif
