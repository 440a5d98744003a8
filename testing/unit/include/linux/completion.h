/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name: the test waits and keeps the time. */
#ifndef UNIT_LINUX_COMPLETION_H
#define UNIT_LINUX_COMPLETION_H

#include <stdbool.h>

struct completion {
	unsigned int done;
};

void unit_complete(struct completion *c);
bool unit_try_wait(struct completion *c);
unsigned long unit_wait_timeout(struct completion *c, unsigned long timeout);

#define init_completion(c)			((c)->done = 0)
#define complete(c)				unit_complete(c)
#define try_wait_for_completion(c)		unit_try_wait(c)
#define wait_for_completion_timeout(c, timeout)	unit_wait_timeout(c, timeout)

#endif
