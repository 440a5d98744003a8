/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name. */
#ifndef UNIT_LINUX_STRING_H
#define UNIT_LINUX_STRING_H

#include <string.h>

/* The first byte that is another than @c, or NULL. */
static inline const void *memchr_inv(const void *memory, int c, size_t bytes)
{
	const unsigned char *at = memory;

	for (; bytes; at++, bytes--)
		if (*at != (unsigned char)c)
			return at;
	return NULL;
}

#endif
