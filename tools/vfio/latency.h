/* SPDX-License-Identifier: GPL-2.0 */
/* How long commands took: a histogram with sixteen bars to each power of two. */
#ifndef NVMQ_VFIO_LATENCY_H
#define NVMQ_VFIO_LATENCY_H

#include <linux/types.h>

#define LATENCY_BITS	4
#define LATENCY_BARS	(61u << LATENCY_BITS)

/**
 * struct latency - a histogram
 * @bar: commands in each
 * @most: the longest, in ticks
 */
struct latency {
	u64 bar[LATENCY_BARS];
	u64 most;
};

/**
 * latency_add - a command took so long
 * @l: the histogram
 * @ticks: of clock.h
 *
 * The bar is given by the highest bit and the four behind it.
 */
static inline void latency_add(struct latency *l, u64 ticks)
{
	u32 shift = 63 - LATENCY_BITS - __builtin_clzll(ticks | 1 << LATENCY_BITS);

	l->bar[((u64)shift << LATENCY_BITS) + (ticks >> shift)]++;
	if (ticks > l->most)
		l->most = ticks;
}

void latency_sum(struct latency *to, const struct latency *from);
u64 latency_share(const struct latency *l, double share);

#endif
