/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name: time is the test's. */
#ifndef UNIT_LINUX_JIFFIES_H
#define UNIT_LINUX_JIFFIES_H

/* As Debian has it. */
#define HZ	250

unsigned long unit_jiffies(void);

#define jiffies			unit_jiffies()
#define time_after(a, b)	((long)((b) - (a)) < 0)

static inline unsigned int jiffies_to_msecs(unsigned long j)
{
	return j * (1000 / HZ);
}

static inline unsigned long msecs_to_jiffies(unsigned int ms)
{
	return ((unsigned long)ms * HZ + 999) / 1000;
}

#endif
