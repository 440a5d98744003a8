/* SPDX-License-Identifier: GPL-2.0 */
/* Luck that is the same in each run: a number made of two others. */
#ifndef DEVICE_MIX_H
#define DEVICE_MIX_H

#include <stdbool.h>
#include <stdint.h>

/**
 * mix64 - a number that looks random, made of @seed and @n
 * @seed: what it is repeatable by
 * @n: the how manieth
 *
 * Multiplications by odd constants and shifts: each step can be undone, so that no two @n of
 * a seed give the same number.
 *
 * Return: the number.
 */
static inline uint64_t mix64(uint64_t seed, uint64_t n)
{
	uint64_t x = seed ^ n * 0x9e3779b97f4a7c15;

	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93;
	x ^= x >> 29;
	x *= 0xc2b2ae3d27d4eb4f;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93;
	return x ^ x >> 31;
}

/**
 * mix_below - mix64() as a number below a limit
 * @seed: what it is repeatable by
 * @n: the how manieth
 * @limit: above 0
 *
 * Return: 0 to @limit - 1.
 */
static inline uint64_t mix_below(uint64_t seed, uint64_t n, uint64_t limit)
{
	return (uint64_t)((__uint128_t)mix64(seed, n) * limit >> 64);
}

/**
 * mix_chance - whether the @n-th of something is hit
 * @seed: what it is repeatable by
 * @n: the how manieth
 * @chance: probability in units of 2^-32, up to 1 << 32
 *
 * Return: true if so.
 */
static inline bool mix_chance(uint64_t seed, uint64_t n, uint64_t chance)
{
	return mix64(seed, n) >> 32 < chance;
}

#endif
