// SPDX-License-Identifier: GPL-2.0
/*
 * The counters in words: a record a line, either as its kind and key=value pairs,
 * or as a JSON object.  The fields and their names are the same.
 */
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/percpu.h>

#include "report.h"

/* Where a record is written to, and how far it is. */
struct out {
	struct seq_file *m;
	bool json;
	bool again;
};

static void begin(struct out *out, const char *kind)
{
	seq_printf(out->m, out->json ? "{\"record\":\"%s\"" : "%s", kind);
}

static void end(struct out *out)
{
	seq_puts(out->m, out->json ? "}\n" : "\n");
}

static void key(struct out *out, const char *name)
{
	seq_printf(out->m, out->json ? ",\"%s\":" : " %s=", name);
}

static void word(struct out *out, const char *name, const char *value)
{
	key(out, name);
	seq_printf(out->m, out->json ? "\"%s\"" : "%s", value);
}

static void number(struct out *out, const char *name, u64 value)
{
	key(out, name);
	seq_printf(out->m, "%llu", value);
}

/* A list of pairs, of which those with a zero are left out. */
static void begin_pairs(struct out *out, const char *name)
{
	key(out, name);
	if (out->json)
		seq_putc(out->m, '[');
	out->again = false;
}

static void pair(struct out *out, u64 what, u64 count)
{
	if (!count)
		return;
	if (out->again)
		seq_putc(out->m, ',');
	seq_printf(out->m, out->json ? "[%llu,%llu]" : "%llu:%llu", what, count);
	out->again = true;
}

static void end_pairs(struct out *out)
{
	if (out->json)
		seq_putc(out->m, ']');
	else if (!out->again)
		seq_putc(out->m, '-');
}

static void sizes(struct out *out, const char *name, const u64 *counts)
{
	unsigned int i;

	begin_pairs(out, name);
	for (i = 0; i < NVMQ_STAT_SIZES; i++)
		pair(out, 1u << i, READ_ONCE(counts[i]));
	end_pairs(out);
}

static void times(struct out *out, const char *name, const u64 *counts)
{
	unsigned int i;

	begin_pairs(out, name);
	for (i = 0; i < NVMQ_STAT_TIMES; i++)
		pair(out, nvmq_stats_time(i), READ_ONCE(counts[i]));
	end_pairs(out);
}

static const char * const op_names[NVMQ_STAT_OPS] = {
	[NVMQ_STAT_READ] = "read",
	[NVMQ_STAT_WRITE] = "write",
	[NVMQ_STAT_OTHER] = "other",
};

/* A queue that the plan does not have any more keeps its counters, and has no type. */
static const char *type_of(const struct nvmq_stats *stats, u16 qid)
{
	const struct nvmq_grant *grant = &stats->qset->grant;

	if (qid > nvmq_grant_total(grant))
		return "none";
	return nvmq_qtype_name(nvmq_grant_type(grant, qid));
}

static void queue(struct out *out, const struct nvmq_stats *stats, u16 qid)
{
	const struct nvmq_stat_queue *sq = stats->queue[qid - 1];
	const struct nvmq_ioq *ioq = stats->qset->ioq[qid - 1];
	const struct nvmq_queue *q = &ioq->q;
	unsigned int op, cpu;

	begin(out, "queue");
	number(out, "qid", qid);
	word(out, "type", type_of(stats, qid));
	number(out, "cq", q->cq->qid);
	if (ioq->vector >= 0)
		number(out, "vector", ioq->vector);
	for (op = 0; op < NVMQ_STAT_OPS; op++)
		number(out, op_names[op], READ_ONCE(sq->submitted[op]));
	number(out, "completed", READ_ONCE(sq->completed));
	number(out, "errors", READ_ONCE(sq->errors));
	number(out, "sq_doorbells", READ_ONCE(sq->sq_doorbells));
	number(out, "cq_doorbells", READ_ONCE(sq->cq_doorbells));
	number(out, "interrupts", READ_ONCE(sq->interrupts));
	number(out, "empty_interrupts", READ_ONCE(sq->empty));
	number(out, "lost_interrupts", READ_ONCE(q->lost));
	number(out, "bogus_completions", READ_ONCE(q->bogus));
	number(out, "depth_max", READ_ONCE(sq->depth_max));
	sizes(out, "batch", sq->batch);
	sizes(out, "per_interrupt", sq->per_irq);
	begin_pairs(out, "by_cpu");
	for_each_possible_cpu(cpu)
		pair(out, cpu, READ_ONCE(sq->by_cpu[cpu]));
	end_pairs(out);
	end(out);
}

static void latency(struct out *out, const struct nvmq_stats *stats, u16 qid)
{
	const struct nvmq_stat_queue *sq = stats->queue[qid - 1];
	unsigned int op;

	for (op = 0; op < NVMQ_STAT_OPS; op++) {
		if (!READ_ONCE(sq->submitted[op]))
			continue;
		begin(out, "latency");
		number(out, "qid", qid);
		word(out, "op", op_names[op]);
		times(out, "host_ns", sq->host[op]);
		times(out, "device_ns", sq->device[op]);
		end(out);
	}
}

static void cpu_row(struct out *out, const struct nvmq_stats *stats, unsigned int from)
{
	unsigned int cpu;

	begin(out, "cpu");
	number(out, "cpu", from);
	begin_pairs(out, "completed_on");
	for_each_possible_cpu(cpu)
		pair(out, cpu, READ_ONCE(per_cpu_ptr(stats->matrix, cpu)[from]));
	end_pairs(out);
	end(out);
}

/**
 * nvmq_report - write all counters
 * @m: where to
 * @stats: counting, stopped, or never used; under the lock that its queues are under
 * @json: as JSON lines
 *
 * First what is counted: from when to when, in ns of CLOCK_MONOTONIC.  Then a record
 * for each queue, for each kind of command on it the histograms, and for each CPU
 * where what it submitted was completed.
 *
 * Context: may sleep.
 */
void nvmq_report(struct seq_file *m, const struct nvmq_stats *stats, bool json)
{
	struct out out = { .m = m, .json = json };
	unsigned int cpu;
	u32 qid;

	begin(&out, "stats");
	number(&out, "on", stats->on);
	number(&out, "since_ns", stats->since);
	number(&out, "now_ns", stats->on ? ktime_get_ns() : stats->until);
	end(&out);
	if (!stats->nr_queues)
		return;
	for (qid = 1; qid <= stats->nr_queues; qid++) {
		if (!stats->queue[qid - 1])
			continue;
		queue(&out, stats, qid);
		latency(&out, stats, qid);
	}
	for_each_possible_cpu(cpu)
		cpu_row(&out, stats, cpu);
}
