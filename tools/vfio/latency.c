// SPDX-License-Identifier: GPL-2.0
/* See latency.h. */
#include <linux/kernel.h>

#include "latency.h"

/**
 * latency_sum - add one histogram to another
 * @to: to this one
 * @from: that one
 */
void latency_sum(struct latency *to, const struct latency *from)
{
	u32 i;

	for (i = 0; i < LATENCY_BARS; i++)
		to->bar[i] += from->bar[i];
	to->most = max(to->most, from->most);
}

/* The middle of a bar. */
static u64 middle(u32 bar)
{
	u32 shift = bar >> LATENCY_BITS;

	/* The first 32 bars are one tick wide. */
	if (shift <= 1)
		return bar;
	shift--;
	return (((bar & ((1u << LATENCY_BITS) - 1)) + (1ull << LATENCY_BITS)) << shift) +
	       (1ull << shift) / 2;
}

/**
 * latency_share - a percentile
 * @l: the histogram
 * @share: of the commands, as 0.99
 *
 * Return: ticks that so many of them took at most; 0 if there were none.
 */
u64 latency_share(const struct latency *l, double share)
{
	u64 all = 0, seen = 0;
	u32 i;

	for (i = 0; i < LATENCY_BARS; i++)
		all += l->bar[i];
	for (i = 0; i < LATENCY_BARS && all; i++) {
		seen += l->bar[i];
		if (seen >= all * share)
			return min(middle(i), l->most);
	}
	return l->most;
}
