// SPDX-License-Identifier: GPL-2.0
/* See counters.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "counters.h"

const char *const counters_ops[NR_OPS] = { "read", "write", "other" };
const char *const counters_nums[NR_NUMS] = {
	"read", "write", "other", "completed", "errors", "sq_doorbells", "cq_doorbells",
	"interrupts", "empty_interrupts", "lost_interrupts", "bogus_completions", "depth_max",
};

/* ---- lists of pairs ---- */

static void append(struct pairs *pairs, uint64_t what, uint64_t count)
{
	pairs->p = sys_must(reallocarray(pairs->p, pairs->n + 1, sizeof(*pairs->p)));
	pairs->p[pairs->n++] = (struct pair){ what, count };
}

/* @sign of @from is added to @to; both are in order. */
static void combine(struct pairs *to, const struct pairs *from, int sign)
{
	struct pairs sum = { NULL, 0 };
	size_t i = 0, j = 0;

	while (i < to->n || j < from->n) {
		bool left = j == from->n || (i < to->n && to->p[i].what <= from->p[j].what);
		bool right = i == to->n || (j < from->n && from->p[j].what <= to->p[i].what);
		uint64_t what = left ? to->p[i].what : from->p[j].what;
		uint64_t count = left ? to->p[i++].count : 0;

		if (right)
			count += sign * from->p[j++].count;
		if (count)
			append(&sum, what, count);
	}
	free(to->p);
	*to = sum;
}

/**
 * pairs_add - add a list to another
 * @to: the list that grows
 * @from: what is added
 */
void pairs_add(struct pairs *to, const struct pairs *from)
{
	combine(to, from, 1);
}

/**
 * pairs_sum - how many in all
 * @pairs: the list
 *
 * Return: the sum of the counts.
 */
uint64_t pairs_sum(const struct pairs *pairs)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < pairs->n; i++)
		sum += pairs->p[i].count;
	return sum;
}

/**
 * pairs_count - how many of one
 * @pairs: the list
 * @what: which
 *
 * Return: its count; 0 if it is not in the list.
 */
uint64_t pairs_count(const struct pairs *pairs, uint64_t what)
{
	size_t i;

	for (i = 0; i < pairs->n; i++)
		if (pairs->p[i].what == what)
			return pairs->p[i].count;
	return 0;
}

/* The middle of a bucket: there are four to each power of two. */
static uint64_t middle(uint64_t lower)
{
	uint64_t width = 1;

	while (width * 8 <= lower)
		width *= 2;
	return lower + width / 2;
}

/**
 * pairs_time - a percentile
 * @pairs: times
 * @share: 0 to 1, of the commands that took less
 *
 * Return: ns, exact to an eighth or better; 0 if the list is empty.
 */
uint64_t pairs_time(const struct pairs *pairs, double share)
{
	uint64_t seen = 0, all = pairs_sum(pairs);
	size_t i;

	for (i = 0; i < pairs->n; i++) {
		seen += pairs->p[i].count;
		if (seen >= share * all)
			return middle(pairs->p[i].what);
	}
	return 0;
}

/**
 * time_text - a time for people
 * @ns: the time
 * @text: filled
 *
 * Return: @text.
 */
const char *time_text(uint64_t ns, char text[16])
{
	if (!ns)
		snprintf(text, 16, "-");
	else if (ns < 10000)
		snprintf(text, 16, "%.1fus", ns / 1e3);
	else if (ns < 1000000)
		snprintf(text, 16, "%.0fus", ns / 1e3);
	else if (ns < 10000000)
		snprintf(text, 16, "%.2fms", ns / 1e6);
	else
		snprintf(text, 16, "%.0fms", ns / 1e6);
	return text;
}

/* ---- records ---- */

static uint64_t number(struct json_object *record, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(record, name, &value) ? json_object_get_uint64(value) : 0;
}

static const char *word(struct json_object *record, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(record, name, &value) ? json_object_get_string(value) : "";
}

static void read_pairs(struct json_object *record, const char *name, struct pairs *pairs)
{
	struct json_object *list, *pair;
	size_t i, n;

	if (!json_object_object_get_ex(record, name, &list) ||
	    !json_object_is_type(list, json_type_array))
		return;
	n = json_object_array_length(list);
	for (i = 0; i < n; i++) {
		pair = json_object_array_get_idx(list, i);
		if (json_object_is_type(pair, json_type_array) &&
		    json_object_array_length(pair) == 2)
			append(pairs, json_object_get_uint64(json_object_array_get_idx(pair, 0)),
			       json_object_get_uint64(json_object_array_get_idx(pair, 1)));
	}
}

static struct counters_queue *find(const struct counters *c, unsigned int qid)
{
	size_t i;

	for (i = 0; i < c->nr_queues; i++)
		if (c->queues[i].qid == qid)
			return &c->queues[i];
	return NULL;
}

static void take_queue(struct counters *c, struct json_object *record)
{
	struct counters_queue *q;
	int i;

	c->queues = sys_must(reallocarray(c->queues, c->nr_queues + 1, sizeof(*c->queues)));
	q = &c->queues[c->nr_queues++];
	memset(q, 0, sizeof(*q));
	q->qid = number(record, "qid");
	q->cq = number(record, "cq");
	q->vector = json_object_object_get_ex(record, "vector", NULL) ?
		    (int)number(record, "vector") : -1;
	snprintf(q->type, sizeof(q->type), "%s", word(record, "type"));
	for (i = 0; i < NR_NUMS; i++)
		q->num[i] = number(record, counters_nums[i]);
	read_pairs(record, "batch", &q->batch);
	read_pairs(record, "per_interrupt", &q->per_irq);
	read_pairs(record, "by_cpu", &q->by_cpu);
}

static void take_latency(struct counters *c, struct json_object *record)
{
	struct counters_queue *q = find(c, number(record, "qid"));
	int op;

	for (op = 0; q && op < NR_OPS; op++) {
		if (strcmp(word(record, "op"), counters_ops[op]))
			continue;
		read_pairs(record, "host_ns", &q->host[op]);
		read_pairs(record, "device_ns", &q->device[op]);
	}
}

static void take_cpu(struct counters *c, struct json_object *record)
{
	struct counters_cpu *cpu;

	c->cpus = sys_must(reallocarray(c->cpus, c->nr_cpus + 1, sizeof(*c->cpus)));
	cpu = &c->cpus[c->nr_cpus++];
	memset(cpu, 0, sizeof(*cpu));
	cpu->cpu = number(record, "cpu");
	read_pairs(record, "completed_on", &cpu->completed_on);
}

static void take(struct counters *c, struct json_object *record)
{
	const char *kind = word(record, "record");

	if (!strcmp(kind, "stats")) {
		c->on = number(record, "on");
		c->since_ns = number(record, "since_ns");
		c->now_ns = number(record, "now_ns");
	} else if (!strcmp(kind, "queue")) {
		take_queue(c, record);
	} else if (!strcmp(kind, "latency")) {
		take_latency(c, record);
	} else if (!strcmp(kind, "cpu")) {
		take_cpu(c, record);
	}
}

static void parse(const char *text, struct counters *c)
{
	memset(c, 0, sizeof(*c));
	while (*text) {
		size_t len = strcspn(text, "\n");
		char *line = sys_must(strndup(text, len));
		struct json_object *record = json_tokener_parse(line);

		if (record)
			take(c, record);
		json_object_put(record);
		free(line);
		text += len + (text[len] == '\n');
	}
}

/**
 * counters_read - read all counters of a controller
 * @ctrl: the controller
 * @c: filled, to be given to counters_free() in any case
 *
 * Return: 0; -1, with a line on stderr, if debugfs does not have them.
 */
int counters_read(const struct sys_ctrl *ctrl, struct counters *c)
{
	char *text;

	memset(c, 0, sizeof(*c));
	text = sys_read_debug(ctrl, "stats.json");
	if (!text)
		return -1;
	parse(text, c);
	free(text);
	return 0;
}

/**
 * counters_free_queue - free what is in the counters of a queue
 * @q: of counters_total()
 */
void counters_free_queue(struct counters_queue *q)
{
	int op;

	free(q->batch.p);
	free(q->per_irq.p);
	free(q->by_cpu.p);
	for (op = 0; op < NR_OPS; op++) {
		free(q->host[op].p);
		free(q->device[op].p);
	}
}

/**
 * counters_free - undo counters_read()
 * @c: the counters
 */
void counters_free(struct counters *c)
{
	size_t i;

	for (i = 0; i < c->nr_queues; i++)
		counters_free_queue(&c->queues[i]);
	for (i = 0; i < c->nr_cpus; i++)
		free(c->cpus[i].completed_on.p);
	free(c->queues);
	free(c->cpus);
	memset(c, 0, sizeof(*c));
}

/*
 * An interrupt runs the handler of each queue that has its vector, and all of these count it:
 * the first of those that have counted most stands for the vector, the others give 0.
 */
static uint64_t own_interrupts(const struct counters *c, const struct counters_queue *q)
{
	uint64_t count = q->num[NUM_INTERRUPTS];
	size_t i;

	for (i = 0; q->vector >= 0 && i < c->nr_queues; i++) {
		const struct counters_queue *other = &c->queues[i];

		if (other->vector != q->vector)
			continue;
		if (other->num[NUM_INTERRUPTS] > count ||
		    (other->num[NUM_INTERRUPTS] == count && other < q))
			return 0;
	}
	return count;
}

/**
 * counters_total - all queues, as if they were one
 * @c: the counters
 * @sum: filled, to be given to counters_free_queue(); its qid is 0, its type "all", its
 *       NUM_DEPTH_MAX the largest; an interrupt that several queues have counted counts once
 */
void counters_total(const struct counters *c, struct counters_queue *sum)
{
	size_t i;
	int n;

	memset(sum, 0, sizeof(*sum));
	sum->vector = -1;
	snprintf(sum->type, sizeof(sum->type), "all");
	for (i = 0; i < c->nr_queues; i++) {
		const struct counters_queue *q = &c->queues[i];

		for (n = 0; n < NR_NUMS; n++)
			if (n == NUM_INTERRUPTS)
				sum->num[n] += own_interrupts(c, q);
			else if (n != NUM_DEPTH_MAX)
				sum->num[n] += q->num[n];
			else if (q->num[n] > sum->num[n])
				sum->num[n] = q->num[n];
		pairs_add(&sum->batch, &q->batch);
		pairs_add(&sum->per_irq, &q->per_irq);
		pairs_add(&sum->by_cpu, &q->by_cpu);
		for (n = 0; n < NR_OPS; n++) {
			pairs_add(&sum->host[n], &q->host[n]);
			pairs_add(&sum->device[n], &q->device[n]);
		}
	}
}

static void subtract_queue(struct counters_queue *q, const struct counters_queue *old)
{
	int i;

	for (i = 0; i < NR_NUMS; i++)
		if (i != NUM_DEPTH_MAX)
			q->num[i] -= old->num[i];
	combine(&q->batch, &old->batch, -1);
	combine(&q->per_irq, &old->per_irq, -1);
	combine(&q->by_cpu, &old->by_cpu, -1);
	for (i = 0; i < NR_OPS; i++) {
		combine(&q->host[i], &old->host[i], -1);
		combine(&q->device[i], &old->device[i], -1);
	}
}

/* @before is an earlier reading.  If counting was begun anew since, @c stays all since then. */
static void subtract(struct counters *c, const struct counters *before)
{
	size_t i;

	if (c->since_ns != before->since_ns)
		return;
	c->since_ns = before->now_ns;
	for (i = 0; i < c->nr_queues; i++) {
		const struct counters_queue *old = find(before, c->queues[i].qid);

		if (old)
			subtract_queue(&c->queues[i], old);
	}
	for (i = 0; i < c->nr_cpus && i < before->nr_cpus; i++)
		combine(&c->cpus[i].completed_on, &before->cpus[i].completed_on, -1);
}

/**
 * counters_span - read what was counted since an earlier reading
 * @ctrl: the controller
 * @c: filled, to be given to counters_free() in any case; its NUM_DEPTH_MAX is that since counting
 *     began
 * @before: the earlier reading, which this one takes the place of
 *
 * Return: as counters_read().
 */
int counters_span(const struct sys_ctrl *ctrl, struct counters *c, struct counters *before)
{
	char *text = sys_read_debug(ctrl, "stats.json");

	memset(c, 0, sizeof(*c));
	if (!text)
		return -1;
	parse(text, c);
	subtract(c, before);
	counters_free(before);
	parse(text, before);
	free(text);
	return 0;
}

/**
 * counters_all_ops - all kinds of command together
 * @by_op: NR_OPS lists
 *
 * Return: their sum, its list to be freed.
 */
struct pairs counters_all_ops(const struct pairs *by_op)
{
	struct pairs sum = { NULL, 0 };
	int op;

	for (op = 0; op < NR_OPS; op++)
		pairs_add(&sum, &by_op[op]);
	return sum;
}

/**
 * counters_seconds - the time that was counted
 * @c: the counters
 *
 * Return: seconds, above 0.
 */
double counters_seconds(const struct counters *c)
{
	return c->now_ns > c->since_ns ? (c->now_ns - c->since_ns) / 1e9 : 1 / 1e9;
}

/* ---- measuring ---- */

/**
 * counters_switch - begin or end counting
 * @ctrl: the controller
 * @on: begin
 *
 * Return: 0; -1, with a line on stderr.
 */
int counters_switch(const struct sys_ctrl *ctrl, bool on)
{
	int err = sys_write_attribute(ctrl, "stats", on ? "1" : "0");

	if (!err)
		return 0;
	fprintf(stderr, "nvmq: %s: counting cannot be switched %s: %s%s\n", ctrl->bdf,
		on ? "on" : "off", strerror(err), err == EACCES ? " (root may)" : "");
	return -1;
}

/* False if what was printed cannot be written.  Who closes a pipe knows, and needs no message. */
static bool printed(void)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return true;
	if (errno && errno != EPIPE)
		fprintf(stderr, "nvmq: standard output: %s\n", strerror(errno));
	return false;
}

/**
 * counters_watch - count for a while, once or again and again
 * @ctrl: the controller
 * @watch: for how long and how often
 * @show: called with each reading
 * @arg: passed to @show
 *
 * Counting that was off is off again at the end, be it a signal or that nobody reads what @show
 * prints.
 *
 * Return: 0; 1 if it could not be done.
 */
int counters_watch(const struct sys_ctrl *ctrl, const struct counters_watch *watch,
		   void (*show)(const struct sys_ctrl *ctrl, const struct counters *c, void *arg),
		   void *arg)
{
	struct counters before, now;
	unsigned int turn;
	bool was_on;
	int ret = 1;

	if (counters_read(ctrl, &before))
		return 1;
	if (!watch->seconds) {
		ret = !before.nr_queues;
		if (ret)
			fprintf(stderr, "nvmq: %s: nothing was counted yet; %s\n", ctrl->bdf,
				"see --seconds, and nvmq stat on");
		else
			show(ctrl, &before, arg);
		counters_free(&before);
		return ret;
	}
	was_on = before.on;
	sys_catch_signals();
	if (!was_on) {
		counters_free(&before);
		if (counters_switch(ctrl, true))
			return 1;
		if (counters_read(ctrl, &before))
			goto out;
	}
	for (turn = 0; !sys_interrupted() && (!watch->times || turn < watch->times); turn++) {
		struct timespec left = { .tv_sec = watch->seconds };

		while (nanosleep(&left, &left) && !sys_interrupted())
			;
		if (counters_span(ctrl, &now, &before))
			goto out;
		show(ctrl, &now, arg);
		counters_free(&now);
		if (!printed())
			goto out;
	}
	ret = 0;
out:
	counters_free(&before);
	if (!was_on && counters_switch(ctrl, false))
		ret = 1;
	return ret;
}
