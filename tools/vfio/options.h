/* SPDX-License-Identifier: GPL-2.0 */
/* The subcommands, and what they are told. */
#ifndef NVMQ_VFIO_OPTIONS_H
#define NVMQ_VFIO_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* What perf does: -w. */
enum options_work { WORK_READ, WORK_WRITE, WORK_RANDREAD, WORK_RANDWRITE, WORK_MIX, NR_WORKS };

extern const char *const options_works[NR_WORKS];

/**
 * struct options - what was asked
 * @bdf: PCI address of the controller
 * @json: JSON, not text
 * @yes: it may write to the disk
 * @raw: read: the bytes themselves
 * @nsid: namespace; 0 for the first
 * @block: the first block
 * @count: blocks
 * @file: write: where the data comes from; NULL for standard input
 * @depth: perf: commands under way on each queue
 * @bytes: perf: of each command
 * @work: perf: which commands
 * @seconds: perf: for how long
 * @commands: perf: or so many on each queue, if not 0
 * @queues: perf: queue pairs, each with a thread
 * @interrupts: perf: wait for interrupts and do not poll
 */
struct options {
	const char *bdf;
	bool json;
	bool yes;
	bool raw;
	uint32_t nsid;
	uint64_t block;
	uint32_t count;
	const char *file;
	uint32_t depth;
	uint32_t bytes;
	enum options_work work;
	uint32_t seconds;
	uint64_t commands;
	uint32_t queues;
	bool interrupts;
};

/* Each returns an exit status. */
int vfio_regs(const struct options *o);
int vfio_identify(const struct options *o);
int vfio_read(const struct options *o);
int vfio_write(const struct options *o);
int vfio_hello(const struct options *o);
int vfio_perf(const struct options *o);

#endif
