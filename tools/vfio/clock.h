/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A clock that costs a few instructions: the CPU's own counter where there is one.
 */
#ifndef NVMQ_VFIO_CLOCK_H
#define NVMQ_VFIO_CLOCK_H

#include <time.h>

#include <linux/types.h>

#define NS_PER_SECOND	1000000000ull

/**
 * struct clock_rate - how fast the clock is
 * @hz: ticks in a second
 * @per_tick: jiffies of the driver's sources, in 2^64 ticks
 */
struct clock_rate {
	u64 hz;
	u64 per_tick;
};

/* What a product of two numbers of 64 bits takes. */
typedef unsigned __int128 clock_wide;

extern struct clock_rate clock_rate;

void clock_start(void);

/**
 * clock_ns - time since some moment
 *
 * Return: ns.
 */
static inline u64 clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

/**
 * clock_now - the same in ticks
 *
 * Return: ticks, that clock_rate counts.
 */
static inline u64 clock_now(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	return clock_ns();
#endif
}

/**
 * clock_to_ns - ticks as ns
 * @ticks: a span
 *
 * Return: ns.
 */
static inline u64 clock_to_ns(u64 ticks)
{
	return (clock_wide)ticks * NS_PER_SECOND / clock_rate.hz;
}

#endif
