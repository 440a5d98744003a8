// SPDX-License-Identifier: GPL-2.0
/* Steps in memory, and as JSON lines. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "../drivers/nvme/names.h"
#include "sqe.h"
#include "step.h"
#include "sys.h"

#define BIT(n)	(1u << (n))

const struct step_type step_types[STEP_KINDS] = {
	[STEP_CALL] = { "call", NULL, NULL, LANE_APP, 0 },
	[STEP_RETURN] = { "return", NULL, NULL, LANE_APP, BIT(NUM_RET) },
	[STEP_BIO] = { "bio", "block", "block_bio_queue", LANE_BLOCK,
		       BIT(NUM_DEV) | BIT(NUM_SECTOR) | BIT(NUM_SECTORS) },
	[STEP_ISSUE] = { "issue", "block", "block_rq_issue", LANE_BLOCK,
			 BIT(NUM_DEV) | BIT(NUM_SECTOR) | BIT(NUM_SECTORS) | BIT(NUM_BYTES) },
	[STEP_REQUEUE] = { "requeue", "block", "block_rq_requeue", LANE_BLOCK,
			   BIT(NUM_DEV) | BIT(NUM_SECTOR) | BIT(NUM_SECTORS) },
	[STEP_COMMAND] = { "command", "nvmq", "nvmq_command", LANE_DRIVER,
			   BIT(NUM_QID) | BIT(NUM_CID) | BIT(NUM_SLOT) },
	[STEP_PRP_LIST] = { "prp_list", "nvmq", "nvmq_prp_list", LANE_DRIVER,
			    BIT(NUM_QID) | BIT(NUM_CID) | BIT(NUM_ADDR) },
	[STEP_DOORBELL] = { "doorbell", "nvmq", "nvmq_doorbell", LANE_DRIVER,
			    BIT(NUM_QID) | BIT(NUM_CQ) | BIT(NUM_VALUE) },
	[STEP_DEVICE] = { "device", NULL, NULL, LANE_DEVICE, 0 },
	[STEP_IRQ] = { "irq", "irq", "irq_handler_entry", LANE_DRIVER, BIT(NUM_IRQ) },
	[STEP_COMPLETION] = { "completion", "nvmq", "nvmq_completion", LANE_DRIVER,
			      BIT(NUM_QID) | BIT(NUM_CID) | BIT(NUM_HEAD) | BIT(NUM_SQHD) |
			      BIT(NUM_STATUS) | BIT(NUM_RESULT) },
	[STEP_HANDLED] = { "handled", "nvmq", "nvmq_interrupt", LANE_DRIVER,
			   BIT(NUM_QID) | BIT(NUM_IRQ) | BIT(NUM_FOUND) },
	[STEP_DONE] = { "done", "block", "block_rq_complete", LANE_BLOCK,
			BIT(NUM_DEV) | BIT(NUM_SECTOR) | BIT(NUM_SECTORS) | BIT(NUM_ERROR) },
	[STEP_STATE] = { "state", "nvmq", "nvmq_state", LANE_DRIVER, 0 },
};

const struct step_num_name step_nums[NUMS] = {
	[NUM_DEV] = { "dev", "dev" },
	[NUM_SECTOR] = { "sector", "sector" },
	[NUM_SECTORS] = { "sectors", "nr_sector" },
	[NUM_BYTES] = { "bytes", "bytes" },
	[NUM_ERROR] = { "error", "error" },
	[NUM_QID] = { "qid", "qid" },
	[NUM_CID] = { "cid", "cid" },
	[NUM_SLOT] = { "slot", "slot" },
	[NUM_ADDR] = { "addr", "addr" },
	[NUM_CQ] = { "cq", "cq" },
	[NUM_VALUE] = { "value", "value" },
	[NUM_HEAD] = { "head", "head" },
	[NUM_SQHD] = { "sq_head", "sqhd" },
	[NUM_STATUS] = { "status", "status" },
	[NUM_RESULT] = { "result", "result" },
	[NUM_IRQ] = { "irq", "irq" },
	[NUM_FOUND] = { "found", "found" },
	[NUM_RET] = { "ret", "ret" },
	[NUM_IO] = { "io", NULL },
	[NUM_COUNT] = { "count", NULL },
	[NUM_OLD] = { "old", NULL },
	[NUM_HCTX] = { "hctx", NULL },
	[NUM_VECTOR] = { "vector", NULL },
};

/**
 * step_add - one more step
 * @t: the trace
 *
 * Return: the step, zeroed; valid until the next one is added.
 */
struct step *step_add(struct trace *t)
{
	struct step *s;

	if (!(t->nr_steps & (t->nr_steps - 1)))
		t->step = sys_must(realloc(t->step, (t->nr_steps ? 2 * t->nr_steps : 1) *
					   sizeof(*t->step)));
	s = &t->step[t->nr_steps++];
	memset(s, 0, sizeof(*s));
	s->cpu = -1;
	return s;
}

/**
 * step_set - set a number of a step
 * @s: the step
 * @n: which
 * @value: to what
 */
void step_set(struct step *s, enum step_num n, int64_t value)
{
	s->num[n] = value;
	s->has |= BIT(n);
}

/**
 * step_has - has a step such a number?
 * @s: the step
 * @n: which
 *
 * Return: whether it has.
 */
bool step_has(const struct step *s, enum step_num n)
{
	return s->has & BIT(n);
}

static int by_time(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

/* Merges what is sorted in two halves: steps of one moment stay in their order. */
static void merge_sort(struct step *s, struct step *room, size_t n)
{
	size_t i, half = n / 2, left = 0, right = half;

	if (n < 2)
		return;
	merge_sort(s, room, half);
	merge_sort(s + half, room, n - half);
	for (i = 0; i < n; i++)
		if (right == n || (left < half && by_time(&s[left], &s[right]) <= 0))
			room[i] = s[left++];
		else
			room[i] = s[right++];
	memcpy(s, room, n * sizeof(*s));
}

/**
 * step_sort - put the steps in the order of time
 * @t: the trace
 */
void step_sort(struct trace *t)
{
	struct step *room = sys_must(malloc((t->nr_steps + 1) * sizeof(*room)));

	merge_sort(t->step, room, t->nr_steps);
	free(room);
}

/**
 * step_free - forget a trace
 * @t: the trace
 */
void step_free(struct trace *t)
{
	size_t i;

	for (i = 0; i < t->nr_steps; i++)
		free(t->step[i].list);
	free(t->step);
	free(t->io);
	free(t->disks);
	free(t->queues);
	memset(t, 0, sizeof(*t));
}

/* ---- to JSON ---- */

static void put_text(struct json_object *o, const char *key, const char *text)
{
	if (*text)
		json_object_object_add(o, key, json_object_new_string(text));
}

static void put_line(struct json_object *o, FILE *to)
{
	fprintf(to, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							   JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static struct json_object *head_to_json(const struct trace *t)
{
	struct json_object *o = json_object_new_object(), *array;
	size_t i;

	json_object_object_add(o, "record", json_object_new_string("trace"));
	put_text(o, "controller", t->name);
	put_text(o, "address", t->bdf);
	put_text(o, "command", t->command);
	put_text(o, "clock", t->clock);
	json_object_object_add(o, "lost", json_object_new_int64(t->lost));
	array = json_object_new_array();
	for (i = 0; i < t->nr_disks; i++) {
		struct json_object *disk = json_object_new_object();

		put_text(disk, "name", t->disks[i].name);
		json_object_object_add(disk, "dev", json_object_new_int64(t->disks[i].dev));
		json_object_object_add(disk, "nsid", json_object_new_int64(t->disks[i].nsid));
		json_object_object_add(disk, "block", json_object_new_int64(t->disks[i].block));
		json_object_array_add(array, disk);
	}
	json_object_object_add(o, "disks", array);
	array = json_object_new_array();
	for (i = 0; i < t->nr_queues; i++) {
		struct json_object *q = json_object_new_object();

		json_object_object_add(q, "qid", json_object_new_int64(t->queues[i].qid));
		put_text(q, "type", t->queues[i].type);
		json_object_object_add(q, "vector", json_object_new_int64(t->queues[i].vector));
		json_object_object_add(q, "irq", json_object_new_int64(t->queues[i].irq));
		json_object_array_add(array, q);
	}
	json_object_object_add(o, "queues", array);
	return o;
}

static void command_to_json(const struct step *s, struct json_object *o)
{
	const struct nvmq_sqe *sqe = (const void *)s->sqe;
	char hex[2 * sizeof(s->sqe) + 1];
	size_t i;

	for (i = 0; i < sizeof(s->sqe); i++)
		sprintf(hex + 2 * i, "%02x", s->sqe[i]);
	put_text(o, "sqe", hex);
	put_text(o, "opcode", s->num[NUM_QID] ? nvmq_names_io(sqe->opcode) :
						nvmq_names_admin(sqe->opcode));
}

static struct json_object *step_to_json(const struct step *s)
{
	struct json_object *o = json_object_new_object();
	enum step_num n;
	size_t i;

	json_object_object_add(o, "record", json_object_new_string("step"));
	json_object_object_add(o, "ns", json_object_new_int64(s->ns));
	put_text(o, "step", step_types[s->kind].name);
	if (s->cpu >= 0)
		json_object_object_add(o, "cpu", json_object_new_int(s->cpu));
	if (s->pid)
		json_object_object_add(o, "pid", json_object_new_int(s->pid));
	put_text(o, "comm", s->comm);
	for (n = 0; n < NUMS; n++)
		if (step_has(s, n))
			json_object_object_add(o, step_nums[n].json,
					       json_object_new_int64(s->num[n]));
	put_text(o, "rwbs", s->rwbs);
	put_text(o, "text", s->text);
	if (s->kind == STEP_COMMAND)
		command_to_json(s, o);
	if (s->kind == STEP_COMPLETION)
		put_text(o, "meaning", nvmq_names_status(s->num[NUM_STATUS] >> 1));
	if (s->nr_list) {
		struct json_object *list = json_object_new_array();

		for (i = 0; i < s->nr_list; i++)
			json_object_array_add(list, json_object_new_int64(s->list[i]));
		json_object_object_add(o, "list", list);
	}
	return o;
}

static struct json_object *io_to_json(const struct io *io, size_t number)
{
	struct json_object *o = json_object_new_object();
	const struct {
		const char *name;
		uint64_t ns;
	} times[] = {
		{ "bio", io->bio }, { "issue", io->issue }, { "command", io->command },
		{ "doorbell", io->rung }, { "irq", io->irq }, { "completion", io->completion },
		{ "done", io->done },
	};
	size_t i;

	json_object_object_add(o, "record", json_object_new_string("io"));
	json_object_object_add(o, "io", json_object_new_int64(number));
	json_object_object_add(o, "qid", json_object_new_int64(io->qid));
	json_object_object_add(o, "cid", json_object_new_int64(io->cid));
	put_text(o, "opcode", io->qid ? nvmq_names_io(io->opcode) : nvmq_names_admin(io->opcode));
	json_object_object_add(o, "commands", json_object_new_int64(io->commands));
	json_object_object_add(o, "status", json_object_new_int64(io->status));
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		json_object_object_add(o, times[i].name,
				       times[i].ns ? json_object_new_int64(times[i].ns) : NULL);
	return o;
}

/**
 * step_write_json - a trace as JSON, one line for each record
 * @t: the trace, after story_find()
 * @to: where to
 */
void step_write_json(const struct trace *t, FILE *to)
{
	size_t i;

	put_line(head_to_json(t), to);
	for (i = 0; i < t->nr_steps; i++)
		put_line(step_to_json(&t->step[i]), to);
	for (i = 0; i < t->nr_ios; i++)
		put_line(io_to_json(&t->io[i], i + 1), to);
}

/* ---- from JSON ---- */

static int64_t get_num(struct json_object *o, const char *key, int64_t otherwise)
{
	struct json_object *v = json_object_object_get(o, key);

	return v ? json_object_get_int64(v) : otherwise;
}

static void get_text(struct json_object *o, const char *key, char *text, size_t size)
{
	const char *v = json_object_get_string(json_object_object_get(o, key));

	snprintf(text, size, "%s", v ? v : "");
}

static size_t get_array(struct json_object *o, const char *key, struct json_object **array)
{
	*array = json_object_object_get(o, key);
	if (!json_object_is_type(*array, json_type_array))
		return 0;
	return json_object_array_length(*array);
}

static void head_from_json(struct trace *t, struct json_object *o)
{
	struct json_object *array, *e;
	size_t i;

	get_text(o, "controller", t->name, sizeof(t->name));
	get_text(o, "address", t->bdf, sizeof(t->bdf));
	get_text(o, "command", t->command, sizeof(t->command));
	get_text(o, "clock", t->clock, sizeof(t->clock));
	t->lost = get_num(o, "lost", 0);
	free(t->disks);
	free(t->queues);
	t->nr_disks = get_array(o, "disks", &array);
	t->disks = sys_must(calloc(t->nr_disks + 1, sizeof(*t->disks)));
	for (i = 0; i < t->nr_disks; i++) {
		struct step_disk *disk = &t->disks[i];

		e = json_object_array_get_idx(array, i);
		get_text(e, "name", disk->name, sizeof(disk->name));
		disk->dev = get_num(e, "dev", 0);
		disk->nsid = get_num(e, "nsid", 0);
		disk->block = get_num(e, "block", 512);
	}
	t->nr_queues = get_array(o, "queues", &array);
	t->queues = sys_must(calloc(t->nr_queues + 1, sizeof(*t->queues)));
	for (i = 0; i < t->nr_queues; i++) {
		struct step_queue *q = &t->queues[i];

		e = json_object_array_get_idx(array, i);
		q->qid = get_num(e, "qid", 0);
		get_text(e, "type", q->type, sizeof(q->type));
		q->vector = get_num(e, "vector", -1);
		q->irq = get_num(e, "irq", -1);
	}
}

static bool step_from_json(struct trace *t, struct json_object *o)
{
	struct json_object *list;
	struct step *s;
	char name[32], hex[2 * sizeof(s->sqe) + 1];
	enum step_kind kind;
	enum step_num n;
	size_t i;

	get_text(o, "step", name, sizeof(name));
	for (kind = 0; kind < STEP_KINDS; kind++)
		if (!strcmp(name, step_types[kind].name))
			break;
	if (kind == STEP_KINDS)
		return false;
	s = step_add(t);
	s->kind = kind;
	s->ns = get_num(o, "ns", 0);
	s->cpu = get_num(o, "cpu", -1);
	s->pid = get_num(o, "pid", 0);
	get_text(o, "comm", s->comm, sizeof(s->comm));
	get_text(o, "rwbs", s->rwbs, sizeof(s->rwbs));
	get_text(o, "text", s->text, sizeof(s->text));
	/* What story.c finds out it finds out again. */
	for (n = 0; n < NUM_IO; n++)
		if (json_object_object_get(o, step_nums[n].json))
			step_set(s, n, get_num(o, step_nums[n].json, 0));
	if ((s->has & step_types[kind].nums) != step_types[kind].nums)
		return false;
	get_text(o, "sqe", hex, sizeof(hex));
	for (i = 0; i < sizeof(s->sqe); i++)
		if (sscanf(hex + 2 * i, "%2hhx", &s->sqe[i]) != 1)
			break;
	if (kind == STEP_COMMAND && i < sizeof(s->sqe))
		return false;
	s->nr_list = get_array(o, "list", &list);
	if (s->nr_list)
		s->list = sys_must(calloc(s->nr_list, sizeof(*s->list)));
	for (i = 0; i < s->nr_list; i++)
		s->list[i] = json_object_get_int64(json_object_array_get_idx(list, i));
	return true;
}

static bool from_json(struct trace *t, struct json_object *o)
{
	char record[16];

	if (!json_object_is_type(o, json_type_object))
		return false;
	get_text(o, "record", record, sizeof(record));
	if (!strcmp(record, "trace"))
		head_from_json(t, o);
	else if (!strcmp(record, "step"))
		return step_from_json(t, o);
	return !strcmp(record, "trace") || !strcmp(record, "io");
}

/**
 * step_read_json - read what step_write_json() has written
 * @t: zeroed
 * @path: the file
 *
 * Return: 0; 1, with a line on stderr, if it cannot be read or is something else.
 */
int step_read_json(struct trace *t, const char *path)
{
	size_t size = 0, number = 0;
	char *line = NULL;
	bool good = true;
	FILE *f = fopen(path, "re");

	if (!f) {
		fprintf(stderr, "nvmq trace: %s: %s\n", path, strerror(errno));
		return 1;
	}
	while (good && getline(&line, &size, f) > 0) {
		struct json_object *o = json_tokener_parse(line);

		number++;
		good = from_json(t, o);
		json_object_put(o);
	}
	fclose(f);
	free(line);
	if (good && number && *t->name)
		return 0;
	fprintf(stderr, "nvmq trace: %s: line %zu is not of nvmq trace --json\n", path, number);
	return 1;
}
