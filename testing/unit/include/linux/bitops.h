/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name: bitmaps of one word. */
#ifndef UNIT_LINUX_BITOPS_H
#define UNIT_LINUX_BITOPS_H

static inline unsigned long find_first_zero_bit(const unsigned long *map, unsigned long bits)
{
	unsigned long bit = 0;

	while (bit < bits && (*map >> bit & 1))
		bit++;
	return bit;
}

static inline void __set_bit(unsigned long bit, unsigned long *map)
{
	*map |= 1ul << bit;
}

static inline void __clear_bit(unsigned long bit, unsigned long *map)
{
	*map &= ~(1ul << bit);
}

#endif
