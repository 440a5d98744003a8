// SPDX-License-Identifier: GPL-2.0
/*
 * Which steps are of the same I/O: the block layer's are told apart by disk and
 * sector, the driver's by queue and CID, and the two meet where a command
 * follows its request in the same process.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>
#include <nvmq/spec.h>

#include "step.h"
#include "sys.h"

/* What is known of a ring while the steps are gone through. */
struct ring {
	unsigned int qid;
	bool cq;
	bool known;		/* the doorbell was seen, so that @at is its value */
	int64_t at;
	int64_t first;		/* where the first entry stands that no doorbell told of */
	size_t first_io;
	unsigned int count;	/* entries that no doorbell told of */
};

/* An I/O on its way. */
struct under_way {
	size_t io;		/* index */
	int cpu;		/* that issued it */
	int pid;		/* the process there */
	bool sent;		/* it has a CID */
	bool back;		/* which was completed */
	bool block;		/* it began in the block layer */
};

struct story {
	struct trace *t;
	struct under_way *w;
	size_t count;
	struct ring *rings;
	size_t nr_rings;
	size_t *irq;		/* for each CPU: 1 + the step by which its handler began, or 0 */
	size_t nr_cpus;
	size_t bio;		/* no bio before this step is still to be claimed */
};

static struct ring *ring_of(struct story *st, unsigned int qid, bool cq)
{
	struct ring *r;
	size_t i;

	for (i = 0; i < st->nr_rings; i++)
		if (st->rings[i].qid == qid && st->rings[i].cq == cq)
			return &st->rings[i];
	st->rings = sys_must(realloc(st->rings, (st->nr_rings + 1) * sizeof(*st->rings)));
	r = &st->rings[st->nr_rings++];
	memset(r, 0, sizeof(*r));
	r->qid = qid;
	r->cq = cq;
	return r;
}

/**
 * story_disk - the disk or partition that a step is about
 * @t: the trace
 * @dev: number of the device in the step
 *
 * Return: the disk; NULL if it is none of the controller's.
 */
const struct step_disk *story_disk(const struct trace *t, uint64_t dev)
{
	size_t i;

	for (i = 0; i < t->nr_disks; i++)
		if (t->disks[i].dev == dev)
			return &t->disks[i];
	return NULL;
}

static bool same_namespace(const struct trace *t, uint64_t a, uint64_t b)
{
	const struct step_disk *x = story_disk(t, a), *y = story_disk(t, b);

	return x && y && x->nsid == y->nsid;
}

static struct under_way *begin(struct story *st, struct step *s)
{
	struct trace *t = st->t;
	struct under_way *w;

	t->io = sys_must(realloc(t->io, (t->nr_ios + 1) * sizeof(*t->io)));
	memset(&t->io[t->nr_ios++], 0, sizeof(*t->io));
	st->w = sys_must(realloc(st->w, (st->count + 1) * sizeof(*st->w)));
	w = &st->w[st->count++];
	memset(w, 0, sizeof(*w));
	w->io = t->nr_ios - 1;
	w->cpu = s->cpu;
	w->pid = s->pid;
	step_set(s, NUM_IO, t->nr_ios);
	return w;
}

static void end(struct story *st, struct under_way *w)
{
	size_t i = w - st->w;

	memmove(w, w + 1, (--st->count - i) * sizeof(*w));
}

/* ---- the block layer ---- */

/* The bios that a request was made of, or that it is a part of. */
static void claim_bios(struct story *st, const struct step *issue, struct io *io)
{
	struct trace *t = st->t;
	size_t i, before = issue - t->step;
	int64_t from = issue->num[NUM_SECTOR], to = from + issue->num[NUM_SECTORS];

	while (st->bio < before && (t->step[st->bio].kind != STEP_BIO ||
				    step_has(&t->step[st->bio], NUM_IO)))
		st->bio++;
	for (i = st->bio; i < before; i++) {
		struct step *s = &t->step[i];
		int64_t begin = s->num[NUM_SECTOR], end = begin + s->num[NUM_SECTORS];

		if (s->kind != STEP_BIO || step_has(s, NUM_IO) ||
		    !same_namespace(t, s->num[NUM_DEV], issue->num[NUM_DEV]))
			continue;
		/* A flush has no sector. */
		if (from == to ? begin != end && *s->rwbs != 'F' : begin >= to || end <= from)
			continue;
		step_set(s, NUM_IO, issue->num[NUM_IO]);
		if (!io->bio)
			io->bio = s->ns;
	}
}

/* Some events have -1 for what has no sector, others 0. */
static int64_t sector_of(const struct step *s)
{
	return s->num[NUM_SECTOR] < 0 ? 0 : s->num[NUM_SECTOR];
}

static struct under_way *by_sector(struct story *st, const struct step *s, bool back)
{
	struct under_way *w, *found = NULL;

	for (w = st->w; w < st->w + st->count; w++) {
		const struct io *io = &st->t->io[w->io];

		if (!w->block || w->back != back || io->sector != sector_of(s) ||
		    !same_namespace(st->t, io->dev, s->num[NUM_DEV]))
			continue;
		/* Flushes are all alike: the one of the same CPU, or else the first. */
		if (!found || (found->cpu != s->cpu && w->cpu == s->cpu))
			found = w;
	}
	return found;
}

static void on_issue(struct story *st, struct step *s)
{
	struct under_way *w;
	struct io *io;

	for (w = st->w; w < st->w + st->count; w++) {
		io = &st->t->io[w->io];
		/* It was given back, and comes again. */
		if (w->block && !w->sent && io->commands && io->sector == sector_of(s) &&
		    same_namespace(st->t, io->dev, s->num[NUM_DEV])) {
			w->cpu = s->cpu;
			w->pid = s->pid;
			step_set(s, NUM_IO, w->io + 1);
			return;
		}
	}
	w = begin(st, s);
	w->block = true;
	io = &st->t->io[w->io];
	io->dev = s->num[NUM_DEV];
	io->sector = sector_of(s);
	io->sectors = s->num[NUM_SECTORS];
	io->issue = s->ns;
	claim_bios(st, s, io);
}

static void on_requeue(struct story *st, struct step *s)
{
	struct under_way *w = by_sector(st, s, true);

	if (!w)
		w = by_sector(st, s, false);
	if (!w)
		return;
	w->sent = false;
	w->back = false;
	step_set(s, NUM_IO, w->io + 1);
}

static void on_done(struct story *st, struct step *s)
{
	struct under_way *w = by_sector(st, s, true);

	/* One that failed before it was sent. */
	if (!w)
		w = by_sector(st, s, false);
	if (!w)
		return;
	st->t->io[w->io].done = s->ns;
	step_set(s, NUM_IO, w->io + 1);
	end(st, w);
}

/* ---- the driver ---- */

static bool has_lba(unsigned int opcode)
{
	return opcode == NVMQ_IO_READ || opcode == NVMQ_IO_WRITE || opcode == NVMQ_IO_WRITE_ZEROES;
}

/*
 * Whoever issues a request sends its command, and may come to another CPU in
 * between; but the idle tasks of all CPUs are process 0.
 */
static bool same_sender(const struct under_way *w, const struct step *s)
{
	return w->pid || s->pid ? w->pid == s->pid : w->cpu == s->cpu;
}

static bool fits(const struct story *st, const struct under_way *w, const struct step *s,
		 const struct nvmq_sqe *sqe)
{
	const struct io *io = &st->t->io[w->io];
	const struct step_disk *disk = story_disk(st->t, io->dev);
	uint64_t lba = le32_to_cpu(sqe->cdw10) | (uint64_t)le32_to_cpu(sqe->cdw11) << 32;

	if (!w->block || w->sent || !same_sender(w, s) || !disk ||
	    disk->nsid != le32_to_cpu(sqe->nsid))
		return false;
	/* What a program sends itself has a place in its command only. */
	return !has_lba(sqe->opcode) || !io->sectors ||
	       lba * disk->block == (uint64_t)io->sector * 512;
}

/* What nothing began in the block layer is the driver's own, or a program's command. */
static void on_command(struct story *st, struct step *s)
{
	const struct nvmq_sqe *sqe = (const void *)s->sqe;
	struct ring *r = ring_of(st, s->num[NUM_QID], false);
	struct under_way *w = st->w, *stop = st->w + st->count;
	struct io *io;

	while (w < stop && (!s->num[NUM_QID] || !fits(st, w, s, sqe)))
		w++;
	if (w == stop)
		w = begin(st, s);
	w->sent = true;
	step_set(s, NUM_IO, w->io + 1);
	io = &st->t->io[w->io];
	io->qid = s->num[NUM_QID];
	io->cid = s->num[NUM_CID];
	io->opcode = sqe->opcode;
	io->commands++;
	if (!io->command)
		io->command = s->ns;
	if (!r->count++) {
		r->first = s->num[NUM_SLOT];
		r->first_io = w->io + 1;
	}
}

static struct under_way *by_cid(struct story *st, const struct step *s)
{
	struct under_way *w;

	for (w = st->w; w < st->w + st->count; w++)
		if (w->sent && !w->back && st->t->io[w->io].qid == s->num[NUM_QID] &&
		    st->t->io[w->io].cid == s->num[NUM_CID])
			return w;
	return NULL;
}

static void on_doorbell(struct story *st, struct step *s)
{
	struct ring *r = ring_of(st, s->num[NUM_QID], s->num[NUM_CQ]);
	struct under_way *w;

	if (r->count) {
		step_set(s, NUM_OLD, r->first);
		step_set(s, NUM_COUNT, r->count);
		if (r->first_io)
			step_set(s, NUM_IO, r->first_io);
	} else if (r->known) {
		step_set(s, NUM_OLD, r->at);
	}
	for (w = st->w; !r->cq && w < st->w + st->count; w++) {
		struct io *io = &st->t->io[w->io];

		if (w->sent && io->qid == r->qid && !io->rung)
			io->rung = s->ns;
	}
	r->known = true;
	r->at = s->num[NUM_VALUE];
	r->count = 0;
}

/* The interrupt whose handler runs on a CPU; NULL where somebody polls. */
static struct step *interrupt_of(const struct story *st, int cpu)
{
	if (cpu < 0 || (size_t)cpu >= st->nr_cpus || !st->irq[cpu])
		return NULL;
	return &st->t->step[st->irq[cpu] - 1];
}

static void set_interrupt(struct story *st, int cpu, size_t irq)
{
	if (cpu < 0)
		return;
	if ((size_t)cpu >= st->nr_cpus) {
		st->irq = sys_must(realloc(st->irq, (cpu + 1) * sizeof(*st->irq)));
		memset(st->irq + st->nr_cpus, 0, (cpu + 1 - st->nr_cpus) * sizeof(*st->irq));
		st->nr_cpus = cpu + 1;
	}
	st->irq[cpu] = irq;
}

static void on_completion(struct story *st, struct step *s)
{
	struct ring *r = ring_of(st, s->num[NUM_QID], true);
	struct under_way *w = by_cid(st, s);
	struct step *irq = interrupt_of(st, s->cpu);
	struct io *io;

	if (!r->count++) {
		r->first = s->num[NUM_HEAD];
		r->first_io = w ? w->io + 1 : 0;
	}
	if (!w)
		return;
	step_set(s, NUM_IO, w->io + 1);
	io = &st->t->io[w->io];
	io->completion = s->ns;
	io->status = s->num[NUM_STATUS] >> 1;
	if (irq) {
		io->irq = irq->ns;
		if (!step_has(irq, NUM_IO))
			step_set(irq, NUM_IO, w->io + 1);
		step_set(irq, NUM_COUNT, irq->num[NUM_COUNT] + 1);
	}
	w->back = true;
	if (!w->block)
		end(st, w);
}

static void set_vector(const struct story *st, struct step *s, enum step_num key)
{
	size_t i;

	for (i = 0; i < st->t->nr_queues; i++) {
		const struct step_queue *q = &st->t->queues[i];

		if (q->vector >= 0 && (key == NUM_QID ? q->qid == s->num[NUM_QID] :
							q->irq == s->num[NUM_IRQ])) {
			step_set(s, NUM_VECTOR, q->vector);
			return;
		}
	}
}

/* What QEMU says of a command names its queue and its CID, or the latter alone. */
static void on_device(struct story *st, struct step *s)
{
	static const char *const keys[] = { "sqid ", "cqid " };
	const char *at = strstr(s->text, "cid "), *queue = NULL;
	struct under_way *w;
	unsigned int cid;
	size_t i;

	if (!at)
		return;
	cid = strtoul(at + strlen("cid "), NULL, 10);
	for (i = 0; i < 2 && !queue; i++)
		queue = strstr(s->text, keys[i]);
	for (w = st->w; w < st->w + st->count; w++) {
		const struct io *io = &st->t->io[w->io];

		if (w->sent && !w->back && io->cid == cid &&
		    (!queue || io->qid == strtoul(queue + strlen(keys[0]), NULL, 10))) {
			step_set(s, NUM_IO, w->io + 1);
			return;
		}
	}
}

/* ---- the application ---- */

/* Has a process asked the block layer for something between its call and the return from it? */
static bool had_io(const struct trace *t, size_t call, size_t *after)
{
	const struct step *s = &t->step[call];
	bool io = false;
	size_t i;

	for (i = call + 1; i < t->nr_steps; i++) {
		if (t->step[i].pid == s->pid && t->step[i].kind == STEP_BIO)
			io = true;
		if (t->step[i].pid == s->pid && t->step[i].kind == STEP_RETURN)
			break;
	}
	*after = i;
	return io;
}

/*
 * A program reads its libraries and more, which is of no interest.  What it
 * writes, and what has it written, counts even if it goes no further than to
 * the page cache; but not what it tells its user.
 */
static bool is_of_interest(const struct step *call)
{
	static const char *const words[] = { "write", "pwrite", "fsync", "fdatasync", "sync",
					     "io_submit", "io_uring" };
	size_t i;

	if (strstr(call->text, "(fd 2,") || strstr(call->text, "(fd 2)"))
		return false;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strncmp(call->text, words[i], strlen(words[i])))
			return true;
	return false;
}

static void drop_calls(struct trace *t)
{
	bool *keep = sys_must(calloc(t->nr_steps + 1, sizeof(*keep)));
	size_t i, after, last = 0, n = 0;

	for (i = 0; i < t->nr_steps; i++)
		if (t->step[i].kind == STEP_BIO)
			last = i;

	for (i = 0; i < t->nr_steps; i++) {
		enum step_kind kind = t->step[i].kind;

		if (kind != STEP_CALL && kind != STEP_RETURN)
			keep[i] = true;
		if (kind == STEP_CALL && i < last &&
		    (had_io(t, i, &after) || is_of_interest(&t->step[i]))) {
			keep[i] = true;
			keep[after] = true;
		}
	}
	for (i = 0; i < t->nr_steps; i++)
		if (keep[i])
			t->step[n++] = t->step[i];
	t->nr_steps = n;
	free(keep);
}

/**
 * story_find - find out which steps belong together
 * @t: the steps, in the order of time; get their derived numbers, and the I/Os are made.  System
 *     calls that have nothing to do with it are dropped
 */
void story_find(struct trace *t)
{
	struct story st = { .t = t };
	struct under_way *w;
	size_t i;

	drop_calls(t);
	for (i = 0; i < t->nr_steps; i++) {
		struct step *s = &t->step[i];

		switch (s->kind) {
		case STEP_ISSUE:
			on_issue(&st, s);
			break;
		case STEP_REQUEUE:
			on_requeue(&st, s);
			break;
		case STEP_COMMAND:
			on_command(&st, s);
			break;
		case STEP_PRP_LIST:
			w = by_cid(&st, s);
			if (w)
				step_set(s, NUM_IO, w->io + 1);
			break;
		case STEP_DOORBELL:
			on_doorbell(&st, s);
			break;
		case STEP_DEVICE:
			on_device(&st, s);
			break;
		case STEP_IRQ:
			set_vector(&st, s, NUM_IRQ);
			set_interrupt(&st, s->cpu, i + 1);
			break;
		case STEP_HANDLED:
			set_vector(&st, s, NUM_QID);
			set_interrupt(&st, s->cpu, 0);
			break;
		case STEP_COMPLETION:
			on_completion(&st, s);
			break;
		case STEP_DONE:
			on_done(&st, s);
			break;
		default:
			break;
		}
	}
	/* Known only now: a request's hardware context is that of its command. */
	for (i = 0; i < t->nr_steps; i++) {
		struct step *s = &t->step[i];

		if (s->kind == STEP_ISSUE && t->io[s->num[NUM_IO] - 1].commands)
			step_set(s, NUM_HCTX, t->io[s->num[NUM_IO] - 1].qid - 1);
	}
	free(st.irq);
	free(st.w);
	free(st.rings);
}
