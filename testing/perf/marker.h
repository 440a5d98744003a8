/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the guest tells the counter where a measurement starts and ends: a
 * no-operation instruction, nopl disp32(%rax,%rax,1), whose displacement no
 * compiler would choose. It needs no privilege, has no side effect, and works
 * wherever the kernel was loaded.
 */
#ifndef NVMQ_BENCH_MARKER_H
#define NVMQ_BENCH_MARKER_H

#define MARKER_MAGIC	0x6e766d00	/* low byte: what to do */
#define MARKER_START	1		/* zero the counters */
#define MARKER_STOP	2		/* write the counters out */
#define MARKER_WATCH	3		/* read the watch file */

#define MARKER_OPCODE	"\x0f\x1f\x84\x00"

#define MARK_STR_(x)	#x
#define MARK_STR(x)	MARK_STR_(x)
#define MARK(what) \
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00\n\t"			\
			 ".long " MARK_STR(MARKER_MAGIC) " + " MARK_STR(what)	\
			 : : : "memory")

#endif
