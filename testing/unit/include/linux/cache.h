/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name. */
#ifndef UNIT_LINUX_CACHE_H
#define UNIT_LINUX_CACHE_H

#define L1_CACHE_BYTES		64
#define ____cacheline_aligned	__attribute__((aligned(L1_CACHE_BYTES)))

#endif
