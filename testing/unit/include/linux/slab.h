/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name: the test allocates, or does not. */
#ifndef UNIT_LINUX_SLAB_H
#define UNIT_LINUX_SLAB_H

#include <errno.h>
#include <string.h>

#include <linux/types.h>

#define GFP_KERNEL	0

void *unit_alloc(size_t bytes);
void unit_free(void *memory);

#define kvcalloc(n, size, gfp)	unit_alloc((size_t)(n) * (size))
#define kvfree(memory)		unit_free(memory)
#define kzalloc(size, gfp)	unit_alloc(size)
#define kfree(memory)		unit_free(memory)

#define struct_size(p, array, n)					\
	(offsetof(typeof(*(p)), array) + (n) * sizeof((p)->array[0]))

#endif
