/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the queues do, counted: per queue, per CPU, and in time.
 *
 * The counters hang on the trace events.  Switched off, they are not there: the
 * path of an I/O has nothing in it for them.
 */
#ifndef NVMQ_STATS_H
#define NVMQ_STATS_H

#include <linux/types.h>

#include "qset.h"

/**
 * enum nvmq_stat_op - commands that are counted apart
 * @NVMQ_STAT_READ: Read
 * @NVMQ_STAT_WRITE: Write
 * @NVMQ_STAT_OTHER: all others
 * @NVMQ_STAT_OPS: number of kinds
 */
enum nvmq_stat_op {
	NVMQ_STAT_READ,
	NVMQ_STAT_WRITE,
	NVMQ_STAT_OTHER,
	NVMQ_STAT_OPS
};

/* Sizes of batches: 1, 2 to 3, 4 to 7, ..., 2048 and more. */
#define NVMQ_STAT_SIZES		12
/* Times: four to each power of two; the last begins at 7.5 s. */
#define NVMQ_STAT_TIMES		128

/**
 * struct nvmq_stat_tag - a command on its way
 * @start: when the block layer made the request, in ns
 * @rung: when the doorbell was rung for it, in ns; until then, when it was put into the ring
 * @next: with @waits, the tag that was put into the ring before it; NVMQ_STAT_END: none
 * @cpu: CPU that put it there
 * @op: enum nvmq_stat_op
 * @used: it is under way, and was counted
 */
struct nvmq_stat_tag {
	u64 start;
	u64 rung;
	u16 next;
	u16 cpu;
	u8 op;
	bool used;
};

#define NVMQ_STAT_END		((u16)~0)

/**
 * struct nvmq_stat_queue - the counters of a queue pair
 * @tags: number of tags that @tag and the rings were made for
 * @tag: one for each tag
 *
 * Counted by who submits, under the queue's sq_lock:
 *
 * @by_cpu: commands that each CPU put into the ring, nr_cpu_ids entries
 * @submitted: the same by kind
 * @begun: @completed and what is under way
 * @sq_doorbells: writes to the tail doorbell
 * @batch: by log2 of the commands that such a write told of
 * @waiting: commands that no doorbell was rung for yet
 * @last: the last of them, as for @next of struct nvmq_stat_tag
 * @depth_max: the most that were under way at once
 *
 * Counted by who owns the completion side:
 *
 * @completed: commands that were counted above and have come back
 * @errors: those among them with a status other than success
 * @cq_doorbells: writes to the head doorbell
 * @interrupts: times that the interrupt handler ran for this queue
 * @empty: those among them that found nothing
 * @per_irq: by log2 of the completions that one found
 * @host: by time from the start of the request to its doorbell
 * @device: by time from the doorbell to the completion
 */
struct nvmq_stat_queue {
	u32 tags;
	struct nvmq_stat_tag *tag;

	u64 *by_cpu ____cacheline_aligned;
	u64 submitted[NVMQ_STAT_OPS];
	u64 begun;
	u64 sq_doorbells;
	u64 batch[NVMQ_STAT_SIZES];
	u32 waiting;
	u16 last;
	u32 depth_max;

	u64 completed ____cacheline_aligned;
	u64 errors;
	u64 cq_doorbells;
	u64 interrupts;
	u64 empty;
	u64 per_irq[NVMQ_STAT_SIZES];
	u64 host[NVMQ_STAT_OPS][NVMQ_STAT_TIMES];
	u64 device[NVMQ_STAT_OPS][NVMQ_STAT_TIMES];
};

/**
 * struct nvmq_stats - the counters of a controller
 * @qset: the queues
 * @ctrl_id: number of the controller, as in the trace events
 * @on: counting
 * @since: when that began, in ns
 * @until: when it ended
 * @nr_queues: entries of @queue
 * @queue: counters of queue @qid in entry @qid - 1; %NULL if it has none.  Kept when counting ends
 * @matrix: on each CPU, how many completions it took of commands that each CPU had submitted
 *
 * Who calls these functions holds the lock that @qset is under.
 */
struct nvmq_stats {
	const struct nvmq_qset *qset;
	u16 ctrl_id;
	bool on;
	u64 since;
	u64 until;
	u32 nr_queues;
	struct nvmq_stat_queue **queue;
	u64 __percpu *matrix;
};

int nvmq_stats_start(struct nvmq_stats *stats, const struct nvmq_qset *qset, u16 ctrl_id);
void nvmq_stats_stop(struct nvmq_stats *stats);
void nvmq_stats_free(struct nvmq_stats *stats);
void nvmq_stats_follow(struct nvmq_stats *stats);
u64 nvmq_stats_time(unsigned int index);

#endif /* NVMQ_STATS_H */
