// SPDX-License-Identifier: GPL-2.0
/* See table.h. Each function fills @line, of TABLE_LINE bytes, and returns it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

static double per(uint64_t count, uint64_t of)
{
	return of ? (double)count / of : 0;
}

static void __attribute__((format(printf, 2, 3))) add(char *line, const char *format, ...)
{
	size_t at = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + at, TABLE_LINE - at, format, args);
	va_end(args);
}

/* The 50th and the 99th percentile. */
static void add_times(char *line, const struct pairs *by_op)
{
	struct pairs sum = counters_all_ops(by_op);
	char text[16];

	add(line, " %7s", time_text(pairs_time(&sum, 0.5), text));
	add(line, " %7s", time_text(pairs_time(&sum, 0.99), text));
	free(sum.p);
}

/**
 * table_queue_head - the heading of the table of queues
 * @row: 0 or 1
 * @line: filled
 */
const char *table_queue_head(int row, char *line)
{
	static const char *const words[2][13] = {
		{ "", "", "", "", "", "SQ db", "CQ db", "irq", "most", "", "host", "", "device" },
		{ "queue", "type", "reads/s", "writes/s", "other/s", "/cmd", "/cmd", "/cmd",
		  "depth", "50%", "99%", "50%", "99%" },
	};
	const char *const *w = words[row];

	snprintf(line, TABLE_LINE, "%5s %-8s %9s %9s %7s %6s %6s %6s %6s %7s %7s %7s %7s", w[0],
		 w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12]);
	return line;
}

/**
 * table_queue - a row of it
 * @q: a queue, or the sum of all
 * @seconds: time that was counted
 * @line: filled
 */
const char *table_queue(const struct counters_queue *q, double seconds, char *line)
{
	const uint64_t *num = q->num;
	uint64_t all = num[NUM_READ] + num[NUM_WRITE] + num[NUM_OTHER];

	*line = '\0';
	if (q->qid)
		add(line, "%5u", q->qid);
	else
		add(line, "%5s", "");
	add(line, " %-8s %9.0f %9.0f %7.0f %6.2f %6.2f %6.2f %6llu", q->type,
	    num[NUM_READ] / seconds, num[NUM_WRITE] / seconds, num[NUM_OTHER] / seconds,
	    per(num[NUM_SQ_DOORBELLS], all), per(num[NUM_CQ_DOORBELLS], num[NUM_COMPLETED]),
	    per(num[NUM_INTERRUPTS], num[NUM_COMPLETED]),
	    (unsigned long long)num[NUM_DEPTH_MAX]);
	add_times(line, q->host);
	add_times(line, q->device);
	if (q->cq && q->cq != q->qid)
		add(line, "  completes in CQ %u", q->cq);
	if (num[NUM_ERRORS])
		add(line, "  errors: %llu", (unsigned long long)num[NUM_ERRORS]);
	if (num[NUM_LOST])
		add(line, "  lost interrupts: %llu", (unsigned long long)num[NUM_LOST]);
	if (num[NUM_BOGUS])
		add(line, "  bogus completions: %llu", (unsigned long long)num[NUM_BOGUS]);
	return line;
}

/**
 * table_cpu_head - the heading of the table of CPUs
 * @c: the counters
 * @line: filled
 */
const char *table_cpu_head(const struct counters *c, char *line)
{
	size_t i;

	snprintf(line, TABLE_LINE, "%10s", "from CPU");
	for (i = 0; i < c->nr_queues; i++) {
		char name[16];

		snprintf(name, sizeof(name), "Q%u", c->queues[i].qid);
		add(line, " %9s", name);
	}
	add(line, "  completed on CPU:commands");
	return line;
}

/**
 * table_cpu - a row of it: to which queues its commands went, and where they were completed
 * @c: the counters
 * @cpu: the CPU
 * @line: filled
 */
const char *table_cpu(const struct counters *c, const struct counters_cpu *cpu, char *line)
{
	const struct pairs *on = &cpu->completed_on;
	size_t i;

	snprintf(line, TABLE_LINE, "%10u", cpu->cpu);
	for (i = 0; i < c->nr_queues; i++)
		add(line, " %9llu",
		    (unsigned long long)pairs_count(&c->queues[i].by_cpu, cpu->cpu));
	for (i = 0; i < on->n; i++)
		add(line, "%s %llu:%llu", i ? "" : " ", (unsigned long long)on->p[i].what,
		    (unsigned long long)on->p[i].count);
	return line;
}
