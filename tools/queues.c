// SPDX-License-Identifier: GPL-2.0
/* nvmq queues: for each possible CPU what stands between it and the device, as blk-mq has it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nvmq.h"
#include "sys.h"

#define BLOCK	"/sys/kernel/debug/block"

/**
 * struct hctx - a hardware context of a disk
 * @there: the block layer has one of this number
 * @type: default, read or poll; empty if debugfs does not tell
 * @state: flags of its state, separated by |
 * @tags: number of its tags; 0 if it has none
 * @busy: tags that are in use
 * @cpus: bit for each CPU whose software context is mapped to it
 */
struct hctx {
	bool there;
	char type[16];
	char state[64];
	unsigned int tags;
	unsigned int busy;
	bool *cpus;
};

struct view {
	struct sys_ctrl *ctrl;
	char disk[32];
	struct hctx *hctx;
	size_t count;
	size_t nr_cpus;		/* one more than the highest number */
};

/* ---- what there is ---- */

static unsigned int number_behind(const char *text, const char *key)
{
	const char *at = text ? strstr(text, key) : NULL;

	return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

static void read_hctx(struct view *v, unsigned int number)
{
	struct hctx *h = &v->hctx[number];
	char *list = sys_read("/sys/block/%s/mq/%u/cpu_list", v->disk, number);
	char *type = sys_read(BLOCK "/%s/hctx%u/type", v->disk, number);
	char *state = sys_read(BLOCK "/%s/hctx%u/state", v->disk, number);
	char *tags = sys_read(BLOCK "/%s/hctx%u/tags", v->disk, number);
	char *word, *rest = list;

	h->there = list;
	h->cpus = sys_must(calloc(v->nr_cpus + 1, sizeof(*h->cpus)));
	while ((word = strsep(&rest, ", ")))
		if (*word && strtoul(word, NULL, 10) < v->nr_cpus)
			h->cpus[strtoul(word, NULL, 10)] = true;
	snprintf(h->type, sizeof(h->type), "%.15s", type ? type : "");
	snprintf(h->state, sizeof(h->state), "%.63s", state ? state : "");
	/* The depth that is in force; nr_tags is how many there is memory for. */
	h->tags = number_behind(tags, "bitmap_tags:\ndepth=");
	h->busy = number_behind(tags, "\nbusy=");
	free(tags);
	free(state);
	free(type);
	free(list);
}

static int read_view(struct view *v, struct sys_ctrl *ctrl, const char *name)
{
	const char *disk = ctrl->disks;
	size_t len, i;

	v->ctrl = ctrl;
	if (name && !strncmp(name, "/dev/", 5))
		name += 5;
	/* The tags are the same for all disks: the one that was named, or else the first. */
	if (name && sys_exists("/sys/block/%s/mq", name))
		disk = name;
	disk = sys_next_disk(&disk, &len);
	if (!disk) {
		fprintf(stderr, "nvmq queues: %s has no disk, and so no contexts\n", ctrl->bdf);
		return 1;
	}
	snprintf(v->disk, sizeof(v->disk), "%.*s", (int)len, disk);
	if (!sys_exists(BLOCK "/%s", v->disk)) {
		fprintf(stderr, "nvmq queues: " BLOCK "/%s is not there (is debugfs mounted?)\n",
			v->disk);
		return 1;
	}
	for (i = 0; i < ctrl->nr_cpus; i++)
		if (ctrl->cpus[i].cpu >= v->nr_cpus)
			v->nr_cpus = ctrl->cpus[i].cpu + 1;
	v->count = ctrl->nr_queues ? ctrl->nr_queues - 1 : 0;
	v->hctx = sys_must(calloc(v->count + 1, sizeof(*v->hctx)));
	for (i = 0; i < v->count; i++)
		read_hctx(v, i);
	return 0;
}

static void free_view(struct view *v)
{
	size_t i;

	for (i = 0; i < v->count; i++)
		free(v->hctx[i].cpus);
	free(v->hctx);
}

static bool is_online(unsigned int cpu)
{
	char *text = sys_read("/sys/devices/system/cpu/online"), *rest = text, *range;
	unsigned int first, last;
	bool online = !text;

	while (!online && (range = strsep(&rest, ","))) {
		int numbers = sscanf(range, "%u-%u", &first, &last);

		if (numbers == 1)
			last = first;
		online = numbers >= 1 && cpu >= first && cpu <= last;
	}
	free(text);
	return online;
}

/* The hardware context that the block layer has mapped a CPU to for a type; -1 for none. */
static int hctx_of(const struct view *v, unsigned int cpu, int type)
{
	size_t i;

	for (i = 0; i < v->count; i++)
		if (v->hctx[i].there && v->hctx[i].cpus[cpu] &&
		    !strcmp(v->hctx[i].type, sys_types[type]))
			return i;
	return -1;
}

/* What becomes of the I/O of a CPU, of one type, in words. */
static const char *fate(const struct view *v, const struct sys_cpu *cpu, int type)
{
	unsigned int qid = cpu->qid[type];
	int hctx = hctx_of(v, cpu->cpu, type);

	if (!qid)
		return type ? "no queue of the type: goes the default way" : "no queue";
	if (hctx < 0)
		return "not mapped by the block layer: goes the default way";
	if (!v->hctx[hctx].tags)
		return "no tags: nothing can be sent";
	/* blk-mq does so when there was no memory for the tags of its own context. */
	if ((unsigned int)hctx != qid - 1)
		return "its own context had no tags: mapped to this one";
	if (!is_online(cpu->cpu))
		return "offline: sends nothing, stays mapped";
	if (strstr(v->hctx[hctx].state, "INACTIVE"))
		return "all CPUs of the context are offline: takes nothing";
	return "";
}

/* ---- a table ---- */

static void print_row(const struct view *v, const struct sys_cpu *cpu, int type, bool first)
{
	const struct sys_queue *q;
	int hctx = hctx_of(v, cpu->cpu, type);
	char number[16] = "", text[16] = "-", tags[16] = "-";
	char vector[16] = "-", irq[16] = "-", qid[16] = "-";
	const char *served = "-", *note = fate(v, cpu, type);

	if (first)
		snprintf(number, sizeof(number), "%u", cpu->cpu);
	if (hctx >= 0) {
		snprintf(text, sizeof(text), "%d", hctx);
		snprintf(tags, sizeof(tags), "%u/%u", v->hctx[hctx].busy, v->hctx[hctx].tags);
		snprintf(qid, sizeof(qid), "%d", hctx + 1);
		q = sys_queue(v->ctrl, hctx + 1);
		served = !q ? "-" : q->vector < 0 ? "polled" : *q->cpus ? q->cpus : "-";
		if (q && q->vector >= 0) {
			snprintf(vector, sizeof(vector), "%d", q->vector);
			snprintf(irq, sizeof(irq), "%d", q->irq);
		}
	}
	printf("%4s %4s  %-8s %5s %10s %5s %7s %5s  ", number, number, sys_types[type], text, tags,
	       qid, vector, irq);
	printf(*note ? "%-9s %s\n" : "%s%s\n", served, note);
}

static void print_unused(const struct view *v)
{
	size_t i, cpu;

	for (i = 0; i < v->count; i++) {
		const struct sys_queue *q = sys_queue(v->ctrl, i + 1);
		bool used = false;

		for (cpu = 0; cpu < v->nr_cpus; cpu++)
			used |= v->hctx[i].cpus[cpu];
		if (!used)
			printf("hctx %zu (%s) has no CPU, and so no tags: its queue is not used\n",
			       i, q ? q->type : "?");
	}
}

static void print_table(const struct view *v)
{
	size_t i;
	int type;

	printf("%s at %s, %s, contexts of %s\ngranted  %s\n\n", v->ctrl->name, v->ctrl->bdf,
	       v->ctrl->state, v->disk, v->ctrl->granted);
	printf("%4s %4s  %-8s %5s %10s %5s %7s %5s  %-9s %s\n", "CPU", "ctx", "type", "hctx",
	       "tags", "SQ/CQ", "vector", "irq", "served by", "what happens");
	for (i = 0; i < v->ctrl->nr_cpus; i++)
		for (type = 0; type < 3; type++)
			print_row(v, &v->ctrl->cpus[i], type, !type);
	print_unused(v);
}

/* ---- JSON ---- */

static struct json_object *type_to_json(const struct view *v, const struct sys_cpu *cpu, int type)
{
	struct json_object *o = json_object_new_object();
	int hctx = hctx_of(v, cpu->cpu, type);
	const struct sys_queue *q = hctx < 0 ? NULL : sys_queue(v->ctrl, hctx + 1);

	json_object_object_add(o, "hctx", hctx < 0 ? NULL : json_object_new_int(hctx));
	json_object_object_add(o, "tags", hctx < 0 ? NULL :
			       json_object_new_int(v->hctx[hctx].tags));
	json_object_object_add(o, "busy", hctx < 0 ? NULL :
			       json_object_new_int(v->hctx[hctx].busy));
	json_object_object_add(o, "qid", hctx < 0 ? NULL : json_object_new_int(hctx + 1));
	json_object_object_add(o, "vector", q && q->vector >= 0 ?
			       json_object_new_int(q->vector) : NULL);
	json_object_object_add(o, "irq", q && q->irq >= 0 ? json_object_new_int(q->irq) : NULL);
	json_object_object_add(o, "note", json_object_new_string(fate(v, cpu, type)));
	return o;
}

static struct json_object *to_json(const struct view *v)
{
	struct json_object *o = json_object_new_object(), *cpus = json_object_new_array();
	size_t i;
	int type;

	json_object_object_add(o, "address", json_object_new_string(v->ctrl->bdf));
	json_object_object_add(o, "disk", json_object_new_string(v->disk));
	json_object_object_add(o, "granted", json_object_new_string(v->ctrl->granted));
	for (i = 0; i < v->ctrl->nr_cpus; i++) {
		const struct sys_cpu *cpu = &v->ctrl->cpus[i];
		struct json_object *c = json_object_new_object();

		json_object_object_add(c, "cpu", json_object_new_int(cpu->cpu));
		json_object_object_add(c, "online", json_object_new_boolean(is_online(cpu->cpu)));
		for (type = 0; type < 3; type++)
			json_object_object_add(c, sys_types[type], type_to_json(v, cpu, type));
		json_object_array_add(cpus, c);
	}
	json_object_object_add(o, "cpus", cpus);
	return o;
}

int cmd_queues(int argc, char **argv)
{
	const char *name = NULL;
	struct sys_ctrl *all, *ctrl;
	struct view v = { 0 };
	bool json = false;
	int i, ret = 1;
	size_t count;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json")) {
			json = true;
		} else if (*argv[i] != '-' && !name) {
			name = argv[i];
		} else {
			fprintf(stderr, "nvmq queues: %s: not expected\n", argv[i]);
			return 2;
		}
	}
	count = sys_find(&all);
	ctrl = sys_pick(all, count, name);
	if (ctrl && !sys_read_queues(ctrl) && !read_view(&v, ctrl, name)) {
		ret = 0;
		if (json)
			print_json(to_json(&v));
		else
			print_table(&v);
	}
	free_view(&v);
	sys_free(all, count);
	return ret;
}
