// SPDX-License-Identifier: GPL-2.0
/* nvmq hist: how long commands took, as bars. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "nvmq.h"
#include "watch.h"

#define WIDTH	48

/* What was asked for, of all queues together: [0] in the host, [1] in the device. */
static void collect(const struct counters *c, const struct watch_options *o, struct pairs sum[2])
{
	size_t i;
	int op;

	memset(sum, 0, 2 * sizeof(*sum));
	for (i = 0; i < c->nr_queues; i++) {
		if (o->qid && c->queues[i].qid != o->qid)
			continue;
		for (op = 0; op < NR_OPS; op++) {
			if (o->op != NR_OPS && o->op != op)
				continue;
			pairs_add(&sum[0], &c->queues[i].host[op]);
			pairs_add(&sum[1], &c->queues[i].device[op]);
		}
	}
}

static void print_bars(const char *title, const struct pairs *pairs)
{
	uint64_t all = pairs_sum(pairs), most = 0;
	char text[16];
	size_t i;

	printf("%s: %llu commands", title, (unsigned long long)all);
	if (all) {
		printf(", 50%% %s", time_text(pairs_time(pairs, 0.5), text));
		printf(", 90%% %s", time_text(pairs_time(pairs, 0.9), text));
		printf(", 99%% %s", time_text(pairs_time(pairs, 0.99), text));
		printf(", 99.9%% %s", time_text(pairs_time(pairs, 0.999), text));
	}
	putchar('\n');
	for (i = 0; i < pairs->n; i++)
		if (pairs->p[i].count > most)
			most = pairs->p[i].count;
	for (i = 0; i < pairs->n; i++) {
		uint64_t count = pairs->p[i].count;
		/* At least a point: one command in a million is what one looks for. */
		int bar = (count * WIDTH + most - 1) / most;

		printf("%9s %9llu %5.1f%% %.*s\n", time_text(pairs->p[i].what, text),
		       (unsigned long long)count, 100.0 * count / all, bar,
		       "################################################");
	}
}

static struct json_object *pairs_to_json(const struct pairs *pairs)
{
	struct json_object *list = json_object_new_array(), *o;
	size_t i;

	for (i = 0; i < pairs->n; i++) {
		o = json_object_new_object();
		json_object_object_add(o, "from_ns", json_object_new_uint64(pairs->p[i].what));
		json_object_object_add(o, "commands", json_object_new_uint64(pairs->p[i].count));
		json_object_array_add(list, o);
	}
	return list;
}

static void show(const struct sys_ctrl *ctrl, const struct counters *c, void *arg)
{
	const struct watch_options *o = arg;
	struct pairs sum[2];

	collect(c, o, sum);
	if (o->json) {
		struct json_object *object = json_object_new_object();

		json_object_object_add(object, "address", json_object_new_string(ctrl->bdf));
		json_object_object_add(object, "seconds",
				       json_object_new_double(counters_seconds(c)));
		json_object_object_add(object, "host", pairs_to_json(&sum[0]));
		json_object_object_add(object, "device", pairs_to_json(&sum[1]));
		watch_print_json(o, object);
	} else {
		printf("%s at %s: %.1f s\n", ctrl->name, ctrl->bdf, counters_seconds(c));
		print_bars("in the host, to the doorbell", &sum[0]);
		print_bars("in the device, to the completion", &sum[1]);
		if (o->watch.times != 1)
			putchar('\n');
	}
	free(sum[0].p);
	free(sum[1].p);
}

int cmd_hist(int argc, char **argv)
{
	struct sys_ctrl *all, *ctrl;
	struct watch_options o;
	size_t count;
	int ret;

	ret = watch_parse("hist", argc, argv, &o);
	if (ret)
		return ret;
	count = sys_find(&all);
	ctrl = sys_pick(all, count, o.name);
	ret = ctrl ? counters_watch(ctrl, &o.watch, show, &o) : 1;
	sys_free(all, count);
	return ret;
}
