// SPDX-License-Identifier: GPL-2.0
/*
 * What the queues do, counted, by probes on the trace events.
 *
 * Nothing here needs a lock or an atomic instruction of its own: the events of
 * submission come under the queue's sq_lock, those of completion from the owner
 * of the completion side.  Where one side reads what the other writes a value
 * that is a moment old does no harm.
 */
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>

#include "stats.h"
#include "trace.h"

/* ---- buckets ---- */

static unsigned int size_index(u32 count)
{
	return min_t(unsigned int, ilog2(count), NVMQ_STAT_SIZES - 1);
}

/* The two bits below the highest one choose among the four of each power of two. */
static unsigned int time_index(u64 ns)
{
	unsigned int high;

	if (ns < 4)
		return ns;
	high = ilog2(ns);
	return min_t(unsigned int, (high - 1) * 4 + ((ns >> (high - 2)) & 3), NVMQ_STAT_TIMES - 1);
}

/**
 * nvmq_stats_time - the shortest time that is counted in a bucket
 * @index: of the bucket, below NVMQ_STAT_TIMES
 *
 * Return: ns.
 */
u64 nvmq_stats_time(unsigned int index)
{
	if (index < 4)
		return index;
	return (u64)(4 + index % 4) << (index / 4 - 1);
}

/* ---- probes ---- */

/* The counters that an event is for; %NULL for another controller, and for the admin queue. */
static struct nvmq_stat_queue *find(const struct nvmq_stats *stats, u16 ctrl, u16 qid)
{
	if (ctrl != stats->ctrl_id || !qid || qid > stats->nr_queues)
		return NULL;
	return READ_ONCE(stats->queue[qid - 1]);
}

static enum nvmq_stat_op op_of(const struct nvmq_sqe *sqe)
{
	switch (sqe->opcode) {
	case NVMQ_IO_READ:
		return NVMQ_STAT_READ;
	case NVMQ_IO_WRITE:
		return NVMQ_STAT_WRITE;
	default:
		return NVMQ_STAT_OTHER;
	}
}

static void on_command(void *data, u16 ctrl, u16 qid, u32 slot, const struct nvmq_sqe *sqe)
{
	struct nvmq_stats *stats = data;
	struct nvmq_stat_queue *sq = find(stats, ctrl, qid);
	u32 tag = le16_to_cpu(sqe->cid) & NVMQ_CID_TAG_MASK;
	unsigned int cpu = raw_smp_processor_id();
	const struct request *rq;
	struct nvmq_stat_tag *t;
	u64 depth;

	if (!sq || tag >= sq->tags)
		return;
	t = &sq->tag[tag];
	WRITE_ONCE(t->rung, ktime_get_ns());
	/* 0 where the disk's statistics are off (iostats), and none for a command of our own. */
	rq = stats->qset->ioq[qid - 1]->q.slots[tag].owner;
	t->start = rq && rq->start_time_ns ? rq->start_time_ns : t->rung;
	t->op = op_of(sqe);
	t->cpu = cpu;
	t->next = sq->last;
	t->used = true;
	sq->last = tag;
	sq->waiting++;
	sq->submitted[t->op]++;
	sq->by_cpu[cpu]++;
	depth = ++sq->begun - READ_ONCE(sq->completed);
	if (depth > sq->depth_max)
		sq->depth_max = depth;
}

static void on_sq_doorbell(struct nvmq_stat_queue *sq)
{
	u64 now = ktime_get_ns();
	u32 count = sq->waiting;
	u16 tag;

	sq->sq_doorbells++;
	/* Counting may have begun between the command and its doorbell. */
	if (!count)
		return;
	sq->batch[size_index(count)]++;
	for (tag = sq->last; tag != NVMQ_STAT_END && count--; tag = sq->tag[tag].next)
		WRITE_ONCE(sq->tag[tag].rung, now);
	sq->last = NVMQ_STAT_END;
	sq->waiting = 0;
}

static void on_doorbell(void *data, u16 ctrl, u16 qid, bool cq, u32 value)
{
	struct nvmq_stat_queue *sq = find(data, ctrl, qid);

	if (!sq)
		return;
	if (cq)
		sq->cq_doorbells++;
	else
		on_sq_doorbell(sq);
}

static void on_completion(void *data, u16 ctrl, u16 qid, u32 place, const struct nvmq_cqe *cqe)
{
	struct nvmq_stats *stats = data;
	struct nvmq_stat_queue *sq = find(stats, ctrl, qid);
	u32 tag = le16_to_cpu(cqe->cid) & NVMQ_CID_TAG_MASK;
	struct nvmq_stat_tag *t;
	u64 now, rung;

	if (!sq || tag >= sq->tags)
		return;
	t = &sq->tag[tag];
	/* Sent before counting began; or a completion of nothing, which the queue counts itself. */
	if (!t->used)
		return;
	t->used = false;
	now = ktime_get_ns();
	rung = READ_ONCE(t->rung);
	sq->host[t->op][time_index(rung > t->start ? rung - t->start : 0)]++;
	sq->device[t->op][time_index(now > rung ? now - rung : 0)]++;
	if (le16_to_cpu(cqe->status) >> 1)
		sq->errors++;
	WRITE_ONCE(sq->completed, sq->completed + 1);
	this_cpu_inc(stats->matrix[t->cpu]);
}

static void on_interrupt(void *data, u16 ctrl, u16 qid, int irq, u32 found)
{
	struct nvmq_stat_queue *sq = find(data, ctrl, qid);

	if (!sq)
		return;
	sq->interrupts++;
	if (found)
		sq->per_irq[size_index(found)]++;
	else
		sq->empty++;
}

static void unregister(struct nvmq_stats *stats)
{
	unregister_trace_nvmq_command(on_command, stats);
	unregister_trace_nvmq_doorbell(on_doorbell, stats);
	unregister_trace_nvmq_completion(on_completion, stats);
	unregister_trace_nvmq_interrupt(on_interrupt, stats);
	tracepoint_synchronize_unregister();
}

/* Commands last: the rest is of no use without them, and they of some without the rest. */
static int register_all(struct nvmq_stats *stats)
{
	int err = register_trace_nvmq_interrupt(on_interrupt, stats);

	if (err)
		return err;
	err = register_trace_nvmq_completion(on_completion, stats);
	if (err)
		goto interrupt;
	err = register_trace_nvmq_doorbell(on_doorbell, stats);
	if (err)
		goto completion;
	err = register_trace_nvmq_command(on_command, stats);
	if (!err)
		return 0;

	unregister_trace_nvmq_doorbell(on_doorbell, stats);
completion:
	unregister_trace_nvmq_completion(on_completion, stats);
interrupt:
	unregister_trace_nvmq_interrupt(on_interrupt, stats);
	tracepoint_synchronize_unregister();
	return err;
}

/* ---- memory ---- */

static void free_queue(struct nvmq_stat_queue *sq)
{
	if (!sq)
		return;
	kvfree(sq->tag);
	kfree(sq->by_cpu);
	kfree(sq);
}

static struct nvmq_stat_queue *alloc_queue(u32 tags)
{
	struct nvmq_stat_queue *sq = kzalloc(sizeof(*sq), GFP_KERNEL);

	if (!sq)
		return NULL;
	sq->last = NVMQ_STAT_END;
	sq->tags = tags;
	sq->tag = kvcalloc(tags, sizeof(*sq->tag), GFP_KERNEL);
	sq->by_cpu = kcalloc(nr_cpu_ids, sizeof(*sq->by_cpu), GFP_KERNEL);
	if (sq->tag && sq->by_cpu)
		return sq;
	free_queue(sq);
	return NULL;
}

/**
 * nvmq_stats_free - forget all counters
 * @stats: stopped
 */
void nvmq_stats_free(struct nvmq_stats *stats)
{
	u32 i;

	for (i = 0; stats->queue && i < stats->nr_queues; i++)
		free_queue(stats->queue[i]);
	kvfree(stats->queue);
	free_percpu(stats->matrix);
	stats->queue = NULL;
	stats->matrix = NULL;
	stats->nr_queues = 0;
}

/**
 * nvmq_stats_follow - the queues are others than before: have counters for all of them
 * @stats: counting or not
 *
 * A queue keeps what was counted of it, whatever its type was; what was under way is
 * forgotten.  One that there is no memory for is not counted.
 *
 * Context: may sleep.  No command is on its way, and none begins meanwhile.
 */
void nvmq_stats_follow(struct nvmq_stats *stats)
{
	u16 qid, total;

	if (!stats->on)
		return;
	total = nvmq_grant_total(&stats->qset->grant);
	for (qid = 1; qid <= total; qid++) {
		struct nvmq_stat_queue *sq = stats->queue[qid - 1];
		u32 tags = stats->qset->ioq[qid - 1]->q.entries;

		if (sq && sq->tags >= tags) {
			memset(sq->tag, 0, sq->tags * sizeof(*sq->tag));
			sq->last = NVMQ_STAT_END;
			sq->waiting = 0;
			sq->begun = sq->completed;
			continue;
		}
		WRITE_ONCE(stats->queue[qid - 1], alloc_queue(tags));
		/* An interrupt that is another queue's comes here as well. */
		if (sq)
			tracepoint_synchronize_unregister();
		free_queue(sq);
	}
}

/**
 * nvmq_stats_start - begin to count, from zero
 * @stats: not counting, or never used and zeroed
 * @qset: the queues; I/O may be under way, of which only what begins from now on is counted
 * @ctrl_id: number of the controller
 *
 * Context: sleeps.
 * Return: 0; -ENOMEM; or an error of the trace events, -ENOSYS where the kernel has none.
 */
int nvmq_stats_start(struct nvmq_stats *stats, const struct nvmq_qset *qset, u16 ctrl_id)
{
	u16 total = nvmq_grant_total(&qset->grant);
	int err = -ENOMEM;
	u16 qid;

	nvmq_stats_free(stats);
	stats->qset = qset;
	stats->ctrl_id = ctrl_id;
	stats->queue = kvcalloc(qset->nr_ioq, sizeof(*stats->queue), GFP_KERNEL);
	stats->matrix = __alloc_percpu(nr_cpu_ids * sizeof(u64), __alignof__(u64));
	if (!stats->queue || !stats->matrix)
		goto free;
	stats->nr_queues = qset->nr_ioq;
	for (qid = 1; qid <= total; qid++) {
		stats->queue[qid - 1] = alloc_queue(qset->ioq[qid - 1]->q.entries);
		if (!stats->queue[qid - 1])
			goto free;
	}
	stats->since = ktime_get_ns();
	err = register_all(stats);
	if (err)
		goto free;
	stats->on = true;
	return 0;

free:
	nvmq_stats_free(stats);
	return err;
}

/**
 * nvmq_stats_stop - count no more, and keep what was counted
 * @stats: may not be counting
 *
 * Context: sleeps.
 */
void nvmq_stats_stop(struct nvmq_stats *stats)
{
	if (!stats->on)
		return;
	unregister(stats);
	stats->until = ktime_get_ns();
	stats->on = false;
}
