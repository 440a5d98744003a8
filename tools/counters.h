/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counters of a controller, read from debugfs (Documentation/parameters.rst, "Counters").
 */
#ifndef NVMQ_TOOLS_COUNTERS_H
#define NVMQ_TOOLS_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys.h"

enum { OP_READ, OP_WRITE, OP_OTHER, NR_OPS };

/* The plain numbers of a queue. */
enum {
	NUM_READ, NUM_WRITE, NUM_OTHER, NUM_COMPLETED, NUM_ERRORS, NUM_SQ_DOORBELLS,
	NUM_CQ_DOORBELLS, NUM_INTERRUPTS, NUM_EMPTY, NUM_LOST, NUM_BOGUS, NUM_DEPTH_MAX, NR_NUMS
};

extern const char *const counters_ops[NR_OPS];
extern const char *const counters_nums[NR_NUMS];

/**
 * struct pair - so many of what
 * @what: a CPU, or the lower bound of a size or of a time in ns
 * @count: how many
 */
struct pair {
	uint64_t what;
	uint64_t count;
};

/**
 * struct pairs - a list of pairs
 * @p: the pairs, in rising order of @what
 * @n: their number
 */
struct pairs {
	struct pair *p;
	size_t n;
};

/**
 * struct counters_queue - the counters of a queue
 * @qid: queue identifier
 * @cq: the completion queue of it; 0 if that is not known
 * @vector: the interrupt vector of that; -1 if it has none, or none any more
 * @type: default, read, poll; none if the plan does not have it any more
 * @num: the plain numbers
 * @batch: doorbells by the commands that they told of
 * @per_irq: interrupts by the completions that they found
 * @by_cpu: commands by the CPU that submitted them
 * @host: commands by the time from the request's start to the doorbell
 * @device: commands by the time from the doorbell to the completion
 */
struct counters_queue {
	unsigned int qid;
	unsigned int cq;
	int vector;
	char type[16];
	uint64_t num[NR_NUMS];
	struct pairs batch;
	struct pairs per_irq;
	struct pairs by_cpu;
	struct pairs host[NR_OPS];
	struct pairs device[NR_OPS];
};

/**
 * struct counters_cpu - where what a CPU submitted was completed
 * @cpu: number
 * @completed_on: by CPU
 */
struct counters_cpu {
	unsigned int cpu;
	struct pairs completed_on;
};

/**
 * struct counters - all counters of a controller
 * @on: it is counting
 * @since_ns: when that began
 * @now_ns: when they were read, or when counting ended
 * @queues: the queues
 * @nr_queues: their number; 0: nothing was ever counted
 * @cpus: the possible CPUs
 * @nr_cpus: their number
 */
struct counters {
	bool on;
	uint64_t since_ns;
	uint64_t now_ns;
	struct counters_queue *queues;
	size_t nr_queues;
	struct counters_cpu *cpus;
	size_t nr_cpus;
};

/**
 * struct counters_watch - for how long counters_watch() counts
 * @seconds: until each reading; 0: no counting, but one look at what there is
 * @times: readings; 0: until a signal comes
 */
struct counters_watch {
	unsigned int seconds;
	unsigned int times;
};

int counters_read(const struct sys_ctrl *ctrl, struct counters *c);
void counters_free(struct counters *c);
void counters_total(const struct counters *c, struct counters_queue *sum);
void counters_free_queue(struct counters_queue *q);
int counters_span(const struct sys_ctrl *ctrl, struct counters *c, struct counters *before);
int counters_switch(const struct sys_ctrl *ctrl, bool on);
int counters_watch(const struct sys_ctrl *ctrl, const struct counters_watch *watch,
		   void (*show)(const struct sys_ctrl *ctrl, const struct counters *c, void *arg),
		   void *arg);
struct pairs counters_all_ops(const struct pairs *by_op);
double counters_seconds(const struct counters *c);
void pairs_add(struct pairs *to, const struct pairs *from);
uint64_t pairs_sum(const struct pairs *pairs);
uint64_t pairs_count(const struct pairs *pairs, uint64_t what);
uint64_t pairs_time(const struct pairs *pairs, double share);
const char *time_text(uint64_t ns, char text[16]);

#endif
