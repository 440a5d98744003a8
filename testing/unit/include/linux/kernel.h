/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name. */
#ifndef UNIT_LINUX_KERNEL_H
#define UNIT_LINUX_KERNEL_H

#include <linux/types.h>
#include <stdio.h>

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))

#define lower_32_bits(n)	((u32)(n))
#define upper_32_bits(n)	((u32)((u64)(n) >> 32))

/* As in the kernel, both sides are of one type and each is evaluated once. */
#define unit_pick(a, b, op) ({						\
	__typeof__(a) unit_a = (a);					\
	__typeof__(b) unit_b = (b);					\
									\
	(void)(&unit_a == &unit_b);					\
	unit_a op unit_b ? unit_a : unit_b;				\
})

#define min(a, b)	unit_pick(a, b, <)
#define max(a, b)	unit_pick(a, b, >)
#define min3(a, b, c)	((a) < (b) ? ((a) < (c) ? (a) : (c)) : ((b) < (c) ? (b) : (c)))

#endif
