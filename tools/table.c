// SPDX-License-Identifier: GPL-2.0
/* See table.h. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include "table.h"

static double per(uint64_t count, uint64_t of)
{
	return of ? (double)count / of : 0;
}

static char *line;
static size_t line_size;

static FILE *begin_line(void)
{
	free(line);
	line = NULL;
	return sys_must(open_memstream(&line, &line_size));
}

static const char *end_line(FILE *to)
{
	fclose(to);
	return sys_must(line);
}

/* The 50th and the 99th percentile. */
static void add_times(FILE *to, const struct pairs *by_op)
{
	struct pairs sum = counters_all_ops(by_op);
	char text[16];

	fprintf(to, " %7s", time_text(pairs_time(&sum, 0.5), text));
	fprintf(to, " %7s", time_text(pairs_time(&sum, 0.99), text));
	free(sum.p);
}

/**
 * table_queue_head - the heading of the table of queues
 * @row: 0 or 1
 *
 * Return: the line.
 */
const char *table_queue_head(int row)
{
	static const char *const words[2][13] = {
		{ "", "", "", "", "", "SQ db", "CQ db", "irq", "most", "", "host", "", "device" },
		{ "queue", "type", "reads/s", "writes/s", "other/s", "/cmd", "/cmd", "/cmd",
		  "depth", "50%", "99%", "50%", "99%" },
	};
	const char *const *w = words[row];
	FILE *to = begin_line();

	fprintf(to, "%5s %-8s %9s %9s %7s %6s %6s %6s %6s %7s %7s %7s %7s", w[0], w[1],
		w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12]);
	return end_line(to);
}

/**
 * table_queue - a row of it
 * @q: a queue, or the sum of all
 * @seconds: time that was counted
 *
 * Return: the line.
 */
const char *table_queue(const struct counters_queue *q, double seconds)
{
	const uint64_t *num = q->num;
	uint64_t all = num[NUM_READ] + num[NUM_WRITE] + num[NUM_OTHER];
	FILE *to = begin_line();

	if (q->qid)
		fprintf(to, "%5u", q->qid);
	else
		fprintf(to, "%5s", "");
	fprintf(to, " %-8s %9.0f %9.0f %7.0f %6.2f %6.2f %6.2f %6llu", q->type,
		num[NUM_READ] / seconds, num[NUM_WRITE] / seconds, num[NUM_OTHER] / seconds,
		per(num[NUM_SQ_DOORBELLS], all), per(num[NUM_CQ_DOORBELLS], num[NUM_COMPLETED]),
		per(num[NUM_INTERRUPTS], num[NUM_COMPLETED]),
		(unsigned long long)num[NUM_DEPTH_MAX]);
	add_times(to, q->host);
	add_times(to, q->device);
	if (q->cq && q->cq != q->qid)
		fprintf(to, "  completes in CQ %u", q->cq);
	if (num[NUM_ERRORS])
		fprintf(to, "  errors: %llu", (unsigned long long)num[NUM_ERRORS]);
	if (num[NUM_LOST])
		fprintf(to, "  lost interrupts: %llu", (unsigned long long)num[NUM_LOST]);
	if (num[NUM_BOGUS])
		fprintf(to, "  bogus completions: %llu", (unsigned long long)num[NUM_BOGUS]);
	return end_line(to);
}

/**
 * table_cpu_head - the heading of the table of CPUs
 * @c: the counters
 *
 * Return: the line.
 */
const char *table_cpu_head(const struct counters *c)
{
	FILE *to = begin_line();
	size_t i;

	fprintf(to, "%10s", "from CPU");
	for (i = 0; i < c->nr_queues; i++) {
		char name[16];

		snprintf(name, sizeof(name), "Q%u", c->queues[i].qid);
		fprintf(to, " %9s", name);
	}
	fprintf(to, "  completed on CPU:commands");
	return end_line(to);
}

/**
 * table_cpu - a row of it: to which queues its commands went, and where they were completed
 * @c: the counters
 * @cpu: the CPU
 *
 * Return: the line.
 */
const char *table_cpu(const struct counters *c, const struct counters_cpu *cpu)
{
	const struct pairs *on = &cpu->completed_on;
	FILE *to = begin_line();
	size_t i;

	fprintf(to, "%10u", cpu->cpu);
	for (i = 0; i < c->nr_queues; i++)
		fprintf(to, " %9llu",
			(unsigned long long)pairs_count(&c->queues[i].by_cpu, cpu->cpu));
	for (i = 0; i < on->n; i++)
		fprintf(to, "%s %llu:%llu", i ? "" : " ", (unsigned long long)on->p[i].what,
			(unsigned long long)on->p[i].count);
	return end_line(to);
}
