// SPDX-License-Identifier: GPL-2.0
/*
 * QEMU's own events of its NVMe device, made part of a trace.
 *
 * They have the host's time of day, the trace has the guest's clock.  How far
 * these are apart is told by the doorbells, each of which both have seen: QEMU
 * wrote its line after the driver's event of the doorbell, and before the CPU
 * did anything else that the trace has.  Each doorbell so gives a least and a
 * most.  What all of them allow is taken, its middle, and half of its width is
 * the error.  Cause and effect across the bus so never change places.
 *
 * A host with other things to do may let QEMU wait between a doorbell and what
 * the CPU does next, for milliseconds; so capture.c rings some more before the
 * command, which are left out here when they have served.
 *
 * The clocks must run at the same speed: see vm/trace.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "step.h"
#include "sys.h"

#define PREFIX	"pci_nvme_"

struct line {
	int64_t ns;
	char event[48];
	char text[112];
};

struct log {
	struct line *line;
	size_t count;
};

/* What is known of the distance of the clocks: host = guest + something from @least to @most. */
struct distance {
	int64_t least, most;
	unsigned int pairs;
};

static int read_log(struct log *log, const char *path)
{
	FILE *f = fopen(path, "re");
	size_t size = 0;
	char *text = NULL;

	if (!f) {
		fprintf(stderr, "nvmq trace: %s: %s\n", path, strerror(errno));
		return 1;
	}
	while (getline(&text, &size, f) > 0) {
		struct line l = { 0 };
		int64_t seconds, us;

		if (sscanf(text, "%*d@%" SCNd64 ".%6" SCNd64 ":" PREFIX "%47s %111[^\n]", &seconds,
			   &us, l.event, l.text) < 3)
			continue;
		l.ns = seconds * 1000000000 + us * 1000;
		if (!(log->count & (log->count - 1)))
			log->line = sys_must(realloc(log->line,
						     (log->count ? 2 * log->count : 1) *
						     sizeof(*log->line)));
		log->line[log->count++] = l;
	}
	fclose(f);
	free(text);
	return 0;
}

static bool is_doorbell(const struct line *l, unsigned int qid, bool cq, unsigned int *value)
{
	unsigned int q;

	if (cq)
		return !strcmp(l->event, "mmio_doorbell_cq") &&
		       sscanf(l->text, "cqid %u new_head %u", &q, value) == 2 && q == qid;
	return !strcmp(l->event, "mmio_doorbell_sq") &&
	       sscanf(l->text, "sqid %u new_tail %u", &q, value) == 2 && q == qid;
}

/* The doorbells of one ring: the steps, or the lines, that are of it. */
struct side {
	size_t *index;
	size_t count;
};

static void add(struct side *side, size_t index)
{
	side->index = sys_must(realloc(side->index, (side->count + 1) * sizeof(*side->index)));
	side->index[side->count++] = index;
}

/* What the CPU did next: by then QEMU had written its line. */
static bool next_on_cpu(const struct trace *t, size_t doorbell, int64_t *ns)
{
	size_t i;

	for (i = doorbell + 1; i < t->nr_steps; i++)
		if (t->step[i].cpu == t->step[doorbell].cpu) {
			*ns = t->step[i].ns;
			return true;
		}
	return false;
}

/* The lines are older as well: the last run of them with the values of the steps is theirs. */
static bool match_ring(const struct trace *t, const struct log *log, const struct side *steps,
		       struct distance *d)
{
	const struct step *first = &t->step[steps->index[0]];
	struct side lines = { 0 };
	unsigned int value;
	size_t i, at;
	int64_t ns;

	for (i = 0; i < log->count; i++)
		if (is_doorbell(&log->line[i], first->num[NUM_QID], first->num[NUM_CQ], &value))
			add(&lines, i);
	for (at = lines.count; at >= steps->count; at--) {
		size_t from = at - steps->count;

		for (i = 0; i < steps->count; i++) {
			is_doorbell(&log->line[lines.index[from + i]], first->num[NUM_QID],
				    first->num[NUM_CQ], &value);
			if (value != t->step[steps->index[i]].num[NUM_VALUE])
				break;
		}
		if (i < steps->count)
			continue;
		for (i = 0; i < steps->count; i++) {
			int64_t host = log->line[lines.index[from + i]].ns;
			size_t step = steps->index[i];

			/* A line has whole microseconds: its event came up to one later. */
			if (host + 1000 - (int64_t)t->step[step].ns < d->most)
				d->most = host + 1000 - (int64_t)t->step[step].ns;
			if (next_on_cpu(t, step, &ns) && host - ns > d->least)
				d->least = host - ns;
			d->pairs++;
		}
		free(lines.index);
		return true;
	}
	free(lines.index);
	return false;
}

static int match(const struct trace *t, const struct log *log, struct distance *d)
{
	bool *seen = sys_must(calloc(t->nr_steps + 1, sizeof(*seen)));
	size_t i, k;
	int ret = 0;

	for (i = 0; i < t->nr_steps && !ret; i++) {
		const struct step *s = &t->step[i];
		struct side steps = { 0 };

		if (s->kind != STEP_DOORBELL || seen[i])
			continue;
		for (k = i; k < t->nr_steps; k++)
			if (t->step[k].kind == STEP_DOORBELL &&
			    t->step[k].num[NUM_QID] == s->num[NUM_QID] &&
			    t->step[k].num[NUM_CQ] == s->num[NUM_CQ]) {
				seen[k] = true;
				add(&steps, k);
			}
		if (!match_ring(t, log, &steps, d))
			ret = 1;
		free(steps.index);
	}
	free(seen);
	return ret;
}

/* What other lines say as well: each register access, each page of the data. */
static bool is_detail(const struct line *l)
{
	static const char *const events[] = { "mmio_write", "mmio_read", "map_addr" };
	size_t i;

	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (!strcmp(l->event, events[i]))
			return true;
	return false;
}

/* The reads for the clock have served. */
static void drop_reads(struct trace *t)
{
	size_t i, n = 0;

	for (i = 0; i < t->nr_steps; i++)
		if (t->step[i].ns < t->from)
			free(t->step[i].list);
		else
			t->step[n++] = t->step[i];
	t->nr_steps = n;
}

static void add_lines(struct trace *t, const struct log *log, int64_t distance)
{
	int64_t from, to;
	size_t i;

	if (!t->nr_steps)
		return;
	from = t->step[0].ns;
	to = t->step[t->nr_steps - 1].ns;

	for (i = 0; i < log->count; i++) {
		const struct line *l = &log->line[i];
		struct step *s;

		if (l->ns - distance < from || l->ns - distance > to || is_detail(l))
			continue;
		s = step_add(t);
		s->kind = STEP_DEVICE;
		s->ns = l->ns - distance;
		snprintf(s->text, sizeof(s->text), "%s %.111s", l->event, l->text);
	}
	step_sort(t);
}

/**
 * qemulog_merge - make the events in QEMU's log steps of a trace
 * @t: the trace, in the order of time, before story_find(); @t->clock is set
 * @path: what QEMU has written with -msg timestamp=on and -trace enable=pci_nvme_*,file=@path, for
 *	  a machine with one NVMe controller
 *
 * Return: 0; 1, with a line on stderr, if it cannot be read or the clocks cannot be matched.
 */
int qemulog_merge(struct trace *t, const char *path)
{
	struct distance d = { .least = INT64_MIN, .most = INT64_MAX };
	struct log log = { 0 };
	int64_t error;
	int ret = read_log(&log, path);

	if (!ret && (match(t, &log, &d) || !d.pairs || d.least == INT64_MIN)) {
		fprintf(stderr, "nvmq trace: %s: %s\n", path, !log.count ?
			"there is no event with a time in it (-msg timestamp=on)" :
			"the doorbells in it are not those of the trace");
		ret = 1;
	}
	if (!ret) {
		error = (d.most - d.least) / 2;
		snprintf(t->clock, sizeof(t->clock),
			 "QEMU's clock was matched by %u doorbells, to within %.1f us%s", d.pairs,
			 llabs(error) / 1e3, error < 0 ? ": it ran at another speed" : "");
		drop_reads(t);
		add_lines(t, &log, d.least + error);
	}
	free(log.line);
	return ret;
}
