// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "clock.h"
#include "mix.h"

#define NS_MAX		(86400ull * 1000000000)
#define MAX_TAILS	4
#define MAX_QUEUES	65536
/* Commands whose trace waits for their interrupt, or for being written out. */
#define RECORDS		4096
/* A completion without an interrupt for so long has none: its queue is polled. */
#define IRQ_WAIT	100000000
/* The longest line of a trace: 12 numbers of at most 20 digits. */
#define LINE_MAX_BYTES	256
#define TRACE_BYTES	65536

/* A share of the commands takes longer. */
struct tail {
	uint64_t nano;		/* the percentile, as it was given */
	uint64_t chance;	/* to be above it: mix_chance() */
	uint64_t ns;
};

struct model {
	uint64_t constant;
	uint64_t rate;		/* bytes a second, 0: no limit */
	uint64_t seed;
	struct tail tail[MAX_TAILS];
	unsigned int nr_tails;
};

struct entry {
	uint64_t when;
	uint64_t order;
	void *what;
};

/* Numbered from 1 on; number n is in records[n % RECORDS] as long as n >= first. */
struct record {
	struct clock_record r;
	uint64_t older;		/* the next older of this CQ without an interrupt; 0: none */
};

struct trace {
	int fd;
	int err;
	uint64_t origin;
	struct record records[RECORDS];
	uint64_t first;
	uint64_t next;
	/* By CQ: the newest record without an interrupt; it may be gone. */
	uint64_t waiting[MAX_QUEUES];
	size_t len;
	char text[TRACE_BYTES];
};

struct clock_rest {
	struct model model;
	uint64_t *queue_ns;	/* MAX_QUEUES, or NULL: none is set */
	uint32_t *queue_count;	/* MAX_QUEUES: commands so far */
	uint64_t link_free;	/* until then the link carries other data */
	struct entry *heap;
	size_t nr;
	size_t room;
	uint64_t order;
	struct trace *trace;
};

/* ----------------------------------------------------------------- numbers */

/* Digits with up to nine behind the point, as units of 10^-9. */
static bool parse_nano(const char *text, const char **end, uint64_t *nano)
{
	uint64_t whole = 0, part = 0, unit = 100000000;
	const char *c = text;

	while (*c >= '0' && *c <= '9') {
		whole = whole * 10 + (*c++ - '0');
		if (whole > UINT64_MAX / 1000000000 / 10)
			return false;
	}
	if (c == text)
		return false;
	if (*c == '.') {
		if (*++c < '0' || *c > '9')
			return false;
		for (; *c >= '0' && *c <= '9'; c++, unit /= 10)
			part += unit * (*c - '0');
	}
	*end = c;
	*nano = whole * 1000000000 + part;
	return true;
}

bool clock_parse_time(const char *text, uint64_t *ns)
{
	static const struct {
		const char *unit;
		uint64_t per_second;
	} units[] = { { "ns", 1000000000 }, { "us", 1000000 }, { "ms", 1000 }, { "s", 1 } };
	uint64_t nano;
	size_t i;

	if (!parse_nano(text, &text, &nano))
		return false;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcasecmp(text, units[i].unit)) {
			*ns = nano / units[i].per_second;
			return *ns <= NS_MAX;
		}
	return false;
}

#define ALL_NANO	(100ull * 1000000000)

/* A percentage in units of 10^-9 percent. */
static bool parse_percent(const char *text, uint64_t *nano)
{
	return parse_nano(text, &text, nano) && !strcmp(text, "%") && *nano <= ALL_NANO;
}

/* The same in units of 2^-32; however small, it is not never. */
static uint64_t chance_of(uint64_t nano)
{
	uint64_t chance = (uint64_t)(((__uint128_t)nano << 32) / ALL_NANO);

	return chance || !nano ? chance : 1;
}

bool clock_parse_percent(const char *text, uint64_t *chance)
{
	uint64_t nano;

	if (!parse_percent(text, &nano))
		return false;
	*chance = chance_of(nano);
	return true;
}

/* Bytes a second: "500MB/s", "1.5GB/s", "4096B/s"; powers of 1000, as discs are sold. */
static bool parse_rate(const char *text, uint64_t *rate)
{
	static const struct {
		const char *unit;
		uint64_t nano;
	} units[] = {
		{ "B/s", 1000000000 }, { "kB/s", 1000000 }, { "MB/s", 1000 }, { "GB/s", 1 },
	};
	uint64_t nano;
	size_t i;

	if (!parse_nano(text, &text, &nano))
		return false;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcasecmp(text, units[i].unit)) {
			*rate = nano / units[i].nano;
			return *rate;
		}
	return false;
}

/* ------------------------------------------------------------------- model */

struct clock *clock_new(void)
{
	struct clock *clock = calloc(1, sizeof(*clock));

	if (!clock)
		return NULL;
	clock->rest = calloc(1, sizeof(*clock->rest));
	if (!clock->rest)
		goto free_clock;
	clock->rest->queue_count = calloc(MAX_QUEUES, sizeof(*clock->rest->queue_count));
	if (!clock->rest->queue_count)
		goto free_rest;
	return clock;

free_rest:
	free(clock->rest);
free_clock:
	free(clock);
	return NULL;
}

void clock_free(struct clock *clock)
{
	if (!clock)
		return;
	clock_trace_off(clock);
	free(clock->rest->queue_ns);
	free(clock->rest->queue_count);
	free(clock->rest->heap);
	free(clock->rest);
	free(clock);
}

__attribute__((format(printf, 4, 5)))
static int model_error(char *error, size_t size, size_t column, const char *fmt, ...)
{
	char what[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(error, size, "clock:1:%zu: expected %s", column + 1, what);
	return -EINVAL;
}

/* Words of one part; at most "queue 3 1ms". */
#define PART_WORDS	4

struct part {
	char word[PART_WORDS][24];
	size_t column[PART_WORDS];
	unsigned int nr;
};

/* Cut the part at @text + @at into words; returns where it ends. */
static size_t read_part(const char *text, size_t at, struct part *part)
{
	memset(part, 0, sizeof(*part));
	while (text[at] && text[at] != ',') {
		size_t len = strcspn(text + at, " \t,"), keep;

		if (!len) {
			at++;
			continue;
		}
		if (part->nr < PART_WORDS) {
			keep = len < sizeof(part->word[0]) ? len : sizeof(part->word[0]) - 1;
			memcpy(part->word[part->nr], text + at, keep);
			part->column[part->nr++] = at;
		}
		at += len;
	}
	/* Where a missing word would be. */
	if (part->nr < PART_WORDS)
		part->column[part->nr] = at;
	return at;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 0);
	return !errno && !*end && *value <= max;
}

static int set_tail(struct model *model, const struct part *part, char *error, size_t size)
{
	struct tail tail;
	unsigned int i;

	if (!parse_percent(part->word[1], &tail.nano))
		return model_error(error, size, part->column[1], "a percentage like 99.9%%");
	if (!clock_parse_time(part->word[2], &tail.ns))
		return model_error(error, size, part->column[2], "a time like 20ms");
	tail.chance = chance_of(ALL_NANO - tail.nano);
	/* Rarest first: the first that is hit wins. */
	for (i = 0; i < model->nr_tails && model->tail[i].nano > tail.nano; i++)
		;
	if (i == model->nr_tails || model->tail[i].nano != tail.nano) {
		if (model->nr_tails == MAX_TAILS)
			return model_error(error, size, part->column[0], "at most %u tails",
					   MAX_TAILS);
		memmove(&model->tail[i + 1], &model->tail[i],
			(model->nr_tails++ - i) * sizeof(tail));
	}
	model->tail[i] = tail;
	return 0;
}

/* One part; the delays of the queues are only changed with @queues. */
static int set_part(struct model *model, uint64_t *queues, const struct part *part, char *error,
		    size_t size)
{
	const char *name = part->word[0];
	unsigned int words;
	uint64_t value, ns;

	if (!strcasecmp(name, "off")) {
		memset(model, 0, sizeof(*model));
		if (queues)
			memset(queues, 0, MAX_QUEUES * sizeof(*queues));
		words = 1;
	} else if (!strcasecmp(name, "constant")) {
		if (!clock_parse_time(part->word[1], &model->constant))
			return model_error(error, size, part->column[1], "a time like 80us");
		words = 2;
	} else if (!strcasecmp(name, "rate")) {
		if (!parse_rate(part->word[1], &model->rate))
			return model_error(error, size, part->column[1], "a rate like 500MB/s");
		words = 2;
	} else if (!strcasecmp(name, "queue")) {
		if (!parse_number(part->word[1], MAX_QUEUES - 1, &value))
			return model_error(error, size, part->column[1], "a queue");
		if (!clock_parse_time(part->word[2], &ns))
			return model_error(error, size, part->column[2], "a time like 1ms");
		if (queues)
			queues[value] = ns;
		words = 3;
	} else if (!strcasecmp(name, "tail")) {
		if (set_tail(model, part, error, size))
			return -EINVAL;
		words = 3;
	} else if (!strcasecmp(name, "seed")) {
		if (!parse_number(part->word[1], UINT64_MAX, &model->seed))
			return model_error(error, size, part->column[1], "a seed");
		words = 2;
	} else {
		return model_error(error, size, part->column[0],
				   "constant, rate, queue, tail, seed or off");
	}
	if (part->nr > words)
		return model_error(error, size, part->column[words], "a comma or the end");
	return 0;
}

int clock_set(struct clock *clock, const char *text, char *error, size_t size)
{
	struct clock_rest *s = clock->rest;
	struct model model = s->model;
	struct part part;
	size_t at = 0;
	unsigned int i;

	/* Once to see whether all parts are right, once more for the queues. */
	for (;;) {
		at = read_part(text, at, &part);
		if (set_part(&model, NULL, &part, error, size))
			return -EINVAL;
		if (!text[at++])
			break;
	}
	if (!s->queue_ns) {
		s->queue_ns = calloc(MAX_QUEUES, sizeof(*s->queue_ns));
		if (!s->queue_ns) {
			snprintf(error, size, "clock: out of memory");
			return -ENOMEM;
		}
	}
	for (at = 0, model = s->model;; at++) {
		at = read_part(text, at, &part);
		set_part(&model, s->queue_ns, &part, error, size);
		if (!text[at])
			break;
	}
	s->model = model;
	s->link_free = 0;
	clock->modelled = model.constant || model.rate || model.nr_tails;
	for (i = 0; i < MAX_QUEUES && !clock->modelled; i++)
		clock->modelled = s->queue_ns[i];
	return 0;
}

/* As short as it can be without losing anything. */
static void print_time(FILE *out, uint64_t ns)
{
	if (ns && !(ns % 1000000000))
		fprintf(out, "%" PRIu64 "s", ns / 1000000000);
	else if (ns && !(ns % 1000000))
		fprintf(out, "%" PRIu64 "ms", ns / 1000000);
	else if (ns && !(ns % 1000))
		fprintf(out, "%" PRIu64 "us", ns / 1000);
	else
		fprintf(out, "%" PRIu64 "ns", ns);
}

static void print_percent(FILE *out, uint64_t nano)
{
	unsigned int part = nano % 1000000000, digits = 9;

	fprintf(out, "%" PRIu64, nano / 1000000000);
	if (part) {
		for (; part % 10 == 0; part /= 10)
			digits--;
		fprintf(out, ".%0*u", digits, part);
	}
	fputc('%', out);
}

void clock_print(const struct clock *clock, FILE *out)
{
	const struct clock_rest *s = clock->rest;
	const struct model *model = &s->model;
	unsigned int i;

	fputs("off", out);
	if (model->constant) {
		fputs(", constant ", out);
		print_time(out, model->constant);
	}
	if (model->rate)
		fprintf(out, ", rate %" PRIu64 "B/s", model->rate);
	for (i = 0; s->queue_ns && i < MAX_QUEUES; i++)
		if (s->queue_ns[i]) {
			fprintf(out, ", queue %u ", i);
			print_time(out, s->queue_ns[i]);
		}
	for (i = 0; i < model->nr_tails; i++) {
		fputs(", tail ", out);
		print_percent(out, model->tail[i].nano);
		fputc(' ', out);
		print_time(out, model->tail[i].ns);
	}
	if (model->seed)
		fprintf(out, ", seed %" PRIu64, model->seed);
}

void clock_rewind(struct clock *clock)
{
	memset(clock->rest->queue_count, 0, MAX_QUEUES * sizeof(*clock->rest->queue_count));
	clock->rest->link_free = 0;
}

uint64_t clock_due(struct clock *clock, unsigned int qid, uint64_t bytes, uint64_t now)
{
	struct clock_rest *s = clock->rest;
	const struct model *model = &s->model;
	uint64_t due = now + model->constant;
	unsigned int i;
	uint64_t luck;

	qid %= MAX_QUEUES;
	luck = (uint64_t)qid << 32 | s->queue_count[qid]++;
	if (s->queue_ns)
		due += s->queue_ns[qid];
	for (i = 0; i < model->nr_tails; i++)
		if (mix_chance(model->seed, luck, model->tail[i].chance)) {
			due += model->tail[i].ns;
			break;
		}
	/* One link for all queues: what it carries for one, others wait for. */
	if (model->rate && bytes) {
		uint64_t start = s->link_free > now ? s->link_free : now;

		s->link_free = start + (uint64_t)((__uint128_t)bytes * 1000000000 /
						  model->rate);
		due += s->link_free - now;
	}
	return due;
}

/* ---------------------------------------------------------------- schedule */

static bool sooner(const struct entry *a, const struct entry *b)
{
	return a->when != b->when ? a->when < b->when : a->order < b->order;
}

static void heap_up(struct entry *heap, size_t i)
{
	struct entry entry = heap[i];

	while (i && sooner(&entry, &heap[(i - 1) / 2])) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = entry;
}

static void heap_down(struct entry *heap, size_t nr, size_t i)
{
	struct entry entry = heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= nr)
			break;
		if (child + 1 < nr && sooner(&heap[child + 1], &heap[child]))
			child++;
		if (!sooner(&heap[child], &entry))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = entry;
}

int clock_add(struct clock *clock, uint64_t when, void *what)
{
	struct clock_rest *s = clock->rest;

	if (s->nr == s->room) {
		size_t room = s->room ? 2 * s->room : 256;
		struct entry *heap = reallocarray(s->heap, room, sizeof(*heap));

		if (!heap)
			return -ENOMEM;
		s->heap = heap;
		s->room = room;
	}
	s->heap[s->nr].when = when;
	s->heap[s->nr].order = s->order++;
	s->heap[s->nr].what = what;
	heap_up(s->heap, s->nr++);
	return 0;
}

uint64_t clock_next(const struct clock *clock)
{
	return clock->rest->nr ? clock->rest->heap[0].when : CLOCK_NEVER;
}

void *clock_pop(struct clock *clock, uint64_t now)
{
	struct clock_rest *s = clock->rest;
	void *what;

	if (!s->nr || s->heap[0].when > now)
		return NULL;
	what = s->heap[0].what;
	s->heap[0] = s->heap[--s->nr];
	if (s->nr)
		heap_down(s->heap, s->nr, 0);
	return what;
}

unsigned int clock_cancel(struct clock *clock, bool (*match)(void *what, void *ctx), void *ctx)
{
	struct clock_rest *s = clock->rest;
	size_t i, kept = 0, before = s->nr;

	for (i = 0; i < before; i++)
		if (match && !match(s->heap[i].what, ctx))
			s->heap[kept++] = s->heap[i];
	s->nr = kept;
	for (i = kept / 2; i--;)
		heap_down(s->heap, kept, i);
	return before - kept;
}

unsigned int clock_pending(const struct clock *clock)
{
	return clock->rest->nr;
}

/* ------------------------------------------------------------------- trace */

static void trace_write(struct trace *t)
{
	size_t done = 0;

	while (done < t->len && !t->err) {
		ssize_t n = write(t->fd, t->text + done, t->len - done);

		if (n < 0 && errno != EINTR)
			t->err = -errno;
		else if (n > 0)
			done += n;
	}
	t->len = 0;
}

/* printf() would take longer than the command. */
static char *put_number(char *to, uint64_t value)
{
	char digits[20];
	unsigned int n = 0;

	do
		digits[n++] = '0' + value % 10;
	while (value /= 10);
	while (n)
		*to++ = digits[--n];
	return to;
}

static char *put_hex(char *to, unsigned int value, unsigned int digits)
{
	while (digits--)
		*to++ = "0123456789abcdef"[value >> (4 * digits) & 0xf];
	return to;
}

/* A time after the doorbell, or "-". */
static char *put_after(char *to, uint64_t at, uint64_t doorbell)
{
	*to++ = ' ';
	if (!at) {
		*to++ = '-';
		return to;
	}
	/* A lie may move data before or after anything. */
	if (at < doorbell) {
		*to++ = '-';
		return put_number(to, doorbell - at);
	}
	return put_number(to, at - doorbell);
}

static void trace_line(struct trace *t, const struct clock_record *r)
{
	uint64_t doorbell = r->at.doorbell;
	char *to;

	if (t->len > TRACE_BYTES - LINE_MAX_BYTES)
		trace_write(t);
	to = t->text + t->len;
	to = put_number(to, doorbell > t->origin ? doorbell - t->origin : 0);
	*to++ = ' ';
	to = put_number(to, r->sqid);
	*to++ = ' ';
	to = put_number(to, r->cqid);
	*to++ = ' ';
	to = put_hex(to, r->cid, 4);
	*to++ = ' ';
	to = put_hex(to, r->opcode, 2);
	*to++ = ' ';
	to = put_hex(to, r->status, 4);
	*to++ = ' ';
	to = put_number(to, r->bytes);
	to = put_after(to, r->at.fetch, doorbell);
	to = put_after(to, r->at.data, doorbell);
	to = put_after(to, r->at.post, doorbell);
	to = put_after(to, r->at.irq, doorbell);
	*to++ = '\n';
	t->len = to - t->text;
}

/* Write the oldest @nr records; those that wait for an interrupt go without. */
static void trace_retire(struct trace *t, uint64_t nr)
{
	while (nr--)
		trace_line(t, &t->records[t->first++ % RECORDS].r);
}

int clock_trace_on(struct clock *clock, const char *file)
{
	static const char head[] =
		"# time sq cq cid opcode status bytes fetch data post irq\n"
		"# (ns; the last four after time)\n";
	struct trace *t;
	int err;

	err = clock_trace_off(clock);
	if (err)
		return err;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (t->fd < 0) {
		err = -errno;
		free(t);
		return err;
	}
	t->first = 1;
	t->next = 1;
	t->origin = clock_now();
	memcpy(t->text, head, sizeof(head) - 1);
	t->len = sizeof(head) - 1;
	clock->rest->trace = t;
	clock->tracing = true;
	return 0;
}

int clock_trace_off(struct clock *clock)
{
	struct trace *t = clock->rest->trace;
	int err;

	if (!t)
		return 0;
	trace_retire(t, t->next - t->first);
	trace_write(t);
	err = t->err;
	if (close(t->fd) && !err)
		err = -errno;
	free(t);
	clock->rest->trace = NULL;
	clock->tracing = false;
	return err;
}

void clock_trace_flush(struct clock *clock)
{
	struct trace *t = clock->rest->trace;
	uint64_t now;

	if (!t)
		return;
	for (now = clock_now(); t->first < t->next; trace_retire(t, 1)) {
		const struct clock_stamps *at = &t->records[t->first % RECORDS].r.at;

		if (!at->irq && at->post + IRQ_WAIT > now)
			break;
	}
	if (t->len)
		trace_write(t);
}

void clock_trace(struct clock *clock, const struct clock_record *record)
{
	struct trace *t = clock->rest->trace;
	struct record *to;

	if (!t)
		return;
	if (t->next - t->first == RECORDS)
		trace_retire(t, RECORDS / 2);
	to = &t->records[t->next % RECORDS];
	to->r = *record;
	to->older = 0;
	if (!record->at.irq) {
		to->older = t->waiting[record->cqid];
		t->waiting[record->cqid] = t->next;
	}
	t->next++;
}

void clock_trace_irq(struct clock *clock, unsigned int cqid, uint64_t now)
{
	struct trace *t = clock->rest->trace;
	uint64_t n;

	if (!t || cqid >= MAX_QUEUES)
		return;
	/* What was written out already is older than all that is kept. */
	for (n = t->waiting[cqid]; n >= t->first; n = t->records[n % RECORDS].older)
		t->records[n % RECORDS].r.at.irq = now;
	t->waiting[cqid] = 0;
}
