/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name. */
#ifndef UNIT_LINUX_BUG_H
#define UNIT_LINUX_BUG_H

#include <linux/types.h>

/* Counted by the test. */
bool unit_warn(const char *condition);

#define WARN_ON_ONCE(condition)	((condition) ? unit_warn(#condition) : false)

#endif
