// SPDX-License-Identifier: GPL-2.0
/* nvmq map: from CPU to interrupt, as a table, as JSON, and as a picture drawn by graphviz. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nvmq.h"
#include "sys.h"

static void print_table(const struct sys_ctrl *ctrl)
{
	size_t i;
	int type;

	printf("%s at %s, %s\nasked    %s\ngranted  %s\n\n", ctrl->name, ctrl->bdf, ctrl->state,
	       ctrl->plan, ctrl->granted);
	printf("%4s  %-8s %5s %5s %5s %7s %5s  %s\n", "CPU", "type", "hctx", "SQ", "CQ", "vector",
	       "irq", "served by CPU");
	for (i = 0; i < ctrl->nr_cpus; i++) {
		const struct sys_cpu *cpu = &ctrl->cpus[i];
		bool first = true;

		for (type = 0; type < 3; type++) {
			const struct sys_queue *q = sys_queue(ctrl, cpu->qid[type]);

			if (!cpu->qid[type] || !q)
				continue;
			if (first)
				printf("%4u", cpu->cpu);
			else
				printf("%4s", "");
			printf("  %-8s %5u %5u %5u ", sys_types[type], q->qid - 1, q->qid, q->cq);
			if (q->vector >= 0)
				printf("%7d %5d  %s\n", q->vector, q->irq,
				       *q->cpus ? q->cpus : "-");
			else
				printf("%7s %5s  %s\n", "-", "-", "polled");
			first = false;
		}
		if (first)
			printf("%4u  no queue\n", cpu->cpu);
	}
}

static struct json_object *queue_to_json(const struct sys_queue *q)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "qid", json_object_new_int(q->qid));
	json_object_object_add(o, "type", json_object_new_string(q->type));
	json_object_object_add(o, "depth", json_object_new_int(q->depth));
	json_object_object_add(o, "cq", json_object_new_int(q->cq));
	json_object_object_add(o, "vector", q->vector < 0 ? NULL : json_object_new_int(q->vector));
	json_object_object_add(o, "irq", q->irq < 0 ? NULL : json_object_new_int(q->irq));
	json_object_object_add(o, "served_by", json_object_new_string(q->cpus));
	return o;
}

static struct json_object *to_json(const struct sys_ctrl *ctrl)
{
	struct json_object *o = json_object_new_object();
	struct json_object *queues = json_object_new_array(), *cpus = json_object_new_array();
	size_t i;
	int type;

	json_object_object_add(o, "address", json_object_new_string(ctrl->bdf));
	json_object_object_add(o, "plan", json_object_new_string(ctrl->plan));
	json_object_object_add(o, "granted", json_object_new_string(ctrl->granted));
	for (i = 0; i < ctrl->nr_queues; i++)
		json_object_array_add(queues, queue_to_json(&ctrl->queues[i]));
	json_object_object_add(o, "queues", queues);
	for (i = 0; i < ctrl->nr_cpus; i++) {
		struct json_object *cpu = json_object_new_object();

		json_object_object_add(cpu, "cpu", json_object_new_int(ctrl->cpus[i].cpu));
		for (type = 0; type < 3; type++)
			json_object_object_add(cpu, sys_types[type],
					       ctrl->cpus[i].qid[type] ?
					       json_object_new_int(ctrl->cpus[i].qid[type]) : NULL);
		json_object_array_add(cpus, cpu);
	}
	json_object_object_add(o, "cpus", cpus);
	return o;
}

/* CPUs that share all their queues are one box. */
static bool same_queues(const struct sys_cpu *a, const struct sys_cpu *b)
{
	return !memcmp(a->qid, b->qid, sizeof(a->qid));
}

/* Is the completion queue @cq that of several submission queues? */
static bool is_shared(const struct sys_ctrl *ctrl, unsigned int cq)
{
	unsigned int users = 0;
	size_t i;

	for (i = 0; i < ctrl->nr_queues; i++)
		users += ctrl->queues[i].cq == cq;
	return users > 1;
}

static void print_dot(const struct sys_ctrl *ctrl, FILE *to)
{
	static const char *const colors[3] = { "#1f4e79", "#2e7d32", "#b26a00" };
	size_t i, first = 0;
	bool shared;
	int type;

	fputs("digraph map {\n"
	      "\trankdir=LR; ranksep=1.2; nodesep=0.15; labelloc=t; fontname=\"sans-serif\";\n"
	      "\tnode [shape=box, style=\"rounded,filled\", fillcolor=\"#f4f4f4\"];\n"
	      "\tnode [fontname=\"sans-serif\"];\n"
	      "\tedge [fontname=\"sans-serif\", fontsize=10];\n", to);
	fprintf(to, "\tlabel=\"%s at %s\\nasked: %s\\ngranted: %s\";\n", ctrl->name, ctrl->bdf,
		ctrl->plan, ctrl->granted);
	for (i = 0; i < ctrl->nr_cpus; i++) {
		const struct sys_cpu *cpu = &ctrl->cpus[i];

		if (i + 1 < ctrl->nr_cpus && same_queues(cpu, &ctrl->cpus[i + 1]))
			continue;
		if (first == i)
			fprintf(to, "\tc%zu [label=\"CPU %u\"];\n", i, cpu->cpu);
		else
			fprintf(to, "\tc%zu [label=\"CPU %u to %u\"];\n", i,
				ctrl->cpus[first].cpu, cpu->cpu);
		for (type = 0; type < 3; type++)
			if (cpu->qid[type])
				fprintf(to, "\tc%zu -> q%u [color=\"%s\", label=%s];\n", i,
					cpu->qid[type], colors[type], sys_types[type]);
		first = i + 1;
	}
	for (i = 0; i < ctrl->nr_queues; i++) {
		const struct sys_queue *q = &ctrl->queues[i];

		if (!q->qid)
			continue;
		/* A completion queue of several is a box of its own. */
		shared = is_shared(ctrl, q->cq);
		fprintf(to, "\tq%u [label=\"hctx %u\\nSQ %u", q->qid, q->qid - 1, q->qid);
		if (!shared)
			fprintf(to, ", CQ %u", q->cq);
		fputs("\", fillcolor=\"#dfe9f5\"];\n", to);
		if (shared) {
			fprintf(to, "\tk%u [label=\"CQ %u\", fillcolor=\"#dfe9f5\"];\n", q->cq,
				q->cq);
			fprintf(to, "\tq%u -> k%u;\n", q->qid, q->cq);
		}
		if (q->vector < 0) {
			fputs("\tpolled [style=dashed];\n", to);
			fprintf(to, "\tq%u -> polled [style=dashed];\n", q->qid);
			continue;
		}
		fprintf(to, "\tv%d [label=\"vector %d\\nirq %d\", fillcolor=\"#f5ead6\"];\n",
			q->vector, q->vector, q->irq);
		fprintf(to, "\ts%d [label=\"served by CPU %s\", style=dotted];\n", q->vector,
			*q->cpus ? q->cpus : "-");
		/* Once for each completion queue. */
		if (q->cq == q->qid)
			fprintf(to, "\t%c%u -> v%d;\n\tv%d -> s%d [style=dotted];\n",
				shared ? 'k' : 'q', q->qid, q->vector, q->vector, q->vector);
	}
	fputs("}\n", to);
}

/* Through graphviz's dot, without a shell in between. */
static int write_svg(const struct sys_ctrl *ctrl, const char *path)
{
	int ends[2], status;
	pid_t pid;
	FILE *to;

	if (pipe(ends)) {
		fprintf(stderr, "nvmq map: %s\n", strerror(errno));
		return 1;
	}
	pid = fork();
	if (pid < 0) {
		fprintf(stderr, "nvmq map: %s\n", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return 1;
	}
	if (!pid) {
		dup2(ends[0], 0);
		close(ends[0]);
		close(ends[1]);
		execlp("dot", "dot", "-Tsvg", "-o", path, (char *)NULL);
		fprintf(stderr, "nvmq map: dot: %s (it is in the package graphviz)\n",
			strerror(errno));
		_exit(127);
	}
	close(ends[0]);
	/* A dot that ends early says why. */
	signal(SIGPIPE, SIG_IGN);
	to = fdopen(ends[1], "w");
	if (to) {
		print_dot(ctrl, to);
		fclose(to);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
		return 1;
	return 0;
}

static int unexpected(const char *arg)
{
	fprintf(stderr, "nvmq map: %s: not expected\n", arg);
	return 2;
}

int cmd_map(int argc, char **argv)
{
	const char *name = NULL, *svg = NULL;
	bool json = false, dot = false;
	struct sys_ctrl *all, *ctrl;
	int i, ret = 1;
	size_t count;

	for (i = 1; i < argc; i++) {
		const char *arg = argv[i];

		if (!strcmp(arg, "--json"))
			json = true;
		else if (!strcmp(arg, "--dot"))
			dot = true;
		else if (!strcmp(arg, "--svg") && i + 1 < argc)
			svg = argv[++i];
		else if (*arg != '-' && !name)
			name = arg;
		else
			return unexpected(arg);
	}
	if (json + dot + !!svg > 1) {
		fputs("nvmq map: one of --json, --dot and --svg\n", stderr);
		return 2;
	}
	count = sys_find(&all);
	ctrl = sys_pick(all, count, name);
	if (ctrl && !sys_read_queues(ctrl)) {
		ret = 0;
		if (json)
			print_json(to_json(ctrl));
		else if (dot)
			print_dot(ctrl, stdout);
		else if (svg)
			ret = write_svg(ctrl, svg);
		else
			print_table(ctrl);
	}
	sys_free(all, count);
	return ret;
}
