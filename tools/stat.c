// SPDX-License-Identifier: GPL-2.0
/* nvmq stat: what was counted, queue by queue. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "nvmq.h"
#include "table.h"
#include "watch.h"

static const struct {
	const char *name;
	double share;
} shares[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99.9", 0.999 } };

/* ---- for people ---- */

static void print_text(const struct sys_ctrl *ctrl, const struct counters *c)
{
	double seconds = counters_seconds(c);
	struct counters_queue sum;
	size_t i;

	printf("%s at %s, %s: %.1f s\n\n", ctrl->name, ctrl->bdf, ctrl->granted, seconds);
	puts(table_queue_head(0));
	puts(table_queue_head(1));
	for (i = 0; i < c->nr_queues; i++)
		puts(table_queue(&c->queues[i], seconds));
	counters_total(c, &sum);
	puts(table_queue(&sum, seconds));
	counters_free_queue(&sum);
	putchar('\n');
	puts(table_cpu_head(c));
	for (i = 0; i < c->nr_cpus; i++)
		puts(table_cpu(c, &c->cpus[i]));
}

/* ---- for programs ---- */

static struct json_object *pairs_to_json(const struct pairs *pairs)
{
	struct json_object *list = json_object_new_array(), *pair;
	size_t i;

	for (i = 0; i < pairs->n; i++) {
		pair = json_object_new_array();
		json_object_array_add(pair, json_object_new_uint64(pairs->p[i].what));
		json_object_array_add(pair, json_object_new_uint64(pairs->p[i].count));
		json_object_array_add(list, pair);
	}
	return list;
}

static struct json_object *times_to_json(const struct pairs *by_op)
{
	struct json_object *o = json_object_new_object();
	struct pairs sum = counters_all_ops(by_op);
	size_t i;

	for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		json_object_object_add(o, shares[i].name,
				       json_object_new_uint64(pairs_time(&sum, shares[i].share)));
	free(sum.p);
	return o;
}

static struct json_object *queue_to_json(const struct counters_queue *q)
{
	struct json_object *o = json_object_new_object();
	int n;

	json_object_object_add(o, "qid", q->qid ? json_object_new_int(q->qid) : NULL);
	json_object_object_add(o, "type", json_object_new_string(q->type));
	json_object_object_add(o, "cq", q->cq ? json_object_new_int(q->cq) : NULL);
	json_object_object_add(o, "vector", q->vector < 0 ? NULL : json_object_new_int(q->vector));
	for (n = 0; n < NR_NUMS; n++)
		json_object_object_add(o, counters_nums[n], json_object_new_uint64(q->num[n]));
	json_object_object_add(o, "batch", pairs_to_json(&q->batch));
	json_object_object_add(o, "per_interrupt", pairs_to_json(&q->per_irq));
	json_object_object_add(o, "by_cpu", pairs_to_json(&q->by_cpu));
	json_object_object_add(o, "host_ns", times_to_json(q->host));
	json_object_object_add(o, "device_ns", times_to_json(q->device));
	return o;
}

static struct json_object *to_json(const struct sys_ctrl *ctrl, const struct counters *c)
{
	struct json_object *o = json_object_new_object(), *queues = json_object_new_array();
	struct json_object *cpus = json_object_new_array(), *cpu;
	struct counters_queue sum;
	size_t i;

	json_object_object_add(o, "address", json_object_new_string(ctrl->bdf));
	json_object_object_add(o, "plan", json_object_new_string(ctrl->plan));
	json_object_object_add(o, "granted", json_object_new_string(ctrl->granted));
	json_object_object_add(o, "seconds", json_object_new_double(counters_seconds(c)));
	for (i = 0; i < c->nr_queues; i++)
		json_object_array_add(queues, queue_to_json(&c->queues[i]));
	json_object_object_add(o, "queues", queues);
	counters_total(c, &sum);
	json_object_object_add(o, "all", queue_to_json(&sum));
	counters_free_queue(&sum);
	for (i = 0; i < c->nr_cpus; i++) {
		cpu = json_object_new_object();
		json_object_object_add(cpu, "cpu", json_object_new_int(c->cpus[i].cpu));
		json_object_object_add(cpu, "completed_on",
				       pairs_to_json(&c->cpus[i].completed_on));
		json_object_array_add(cpus, cpu);
	}
	json_object_object_add(o, "cpus", cpus);
	return o;
}

static void show(const struct sys_ctrl *ctrl, const struct counters *c, void *arg)
{
	const struct watch_options *o = arg;

	if (o->json) {
		watch_print_json(o, to_json(ctrl, c));
		return;
	}
	print_text(ctrl, c);
	if (o->watch.times != 1)
		putchar('\n');
}

int cmd_stat(int argc, char **argv)
{
	const char *last = argc > 1 ? argv[argc - 1] : "";
	bool on = !strcmp(last, "on"), off = !strcmp(last, "off");
	struct watch_options o;
	struct sys_ctrl *all, *ctrl;
	size_t count;
	int ret;

	ret = watch_parse("stat", argc - (on || off), argv, &o);
	if (ret)
		return ret;
	if (o.qid || o.op != NR_OPS || ((on || off) && (o.json || o.watch.seconds))) {
		fputs("nvmq stat: these words do not go together\n", stderr);
		return 2;
	}
	ret = 1;
	count = sys_find(&all);
	ctrl = sys_pick(all, count, o.name);
	if (ctrl && (on || off))
		ret = counters_switch(ctrl, on) ? 1 : 0;
	else if (ctrl)
		ret = counters_watch(ctrl, &o.watch, show, &o);
	sys_free(all, count);
	return ret;
}
