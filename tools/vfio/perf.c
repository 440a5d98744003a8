// SPDX-License-Identifier: GPL-2.0
/* nvmq-vfio perf: how many commands a second, and how long they take. A thread for each queue. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/kernel.h>

#include "../counters.h"
#include "../json.h"
#include "../sys.h"
#include "clock.h"
#include "drive.h"
#include "latency.h"
#include "names.h"
#include "options.h"

/* Looks into an empty ring between two looks at the clock. */
#define LOOKS		4096

/* Of the commands of a mix, in 256. */
#define MIX_WRITES	77

/* From this tick on no command is sent; a signal makes it 0. */
static u64 end_at;

/**
 * struct task - a command that is sent again and again
 * @buffer: its data
 * @started: when it was sent last
 * @tag: its tag
 */
struct task {
	struct drive_buffer buffer;
	u64 started;
	u32 tag;
};

/**
 * struct worker - a queue, its thread, and what that has counted
 * @dq: the queue
 * @d: the controller
 * @ns: the namespace
 * @work: which commands
 * @tasks: as many as there may be commands under way
 * @depth: their number
 * @blocks: of a command
 * @places: where one may begin, from 0, @blocks apart
 * @place: the next one, if they come in order
 * @random: state of the random numbers, not 0
 * @left: commands still to be sent
 * @out: commands that are with the device
 * @thread: the thread
 * @done: completed without an error
 * @errors: with one
 * @status: of the first of those
 * @empty: looks into the ring that found nothing
 * @wakes: interrupts
 * @stuck: why it gave up; %NULL if it did not
 * @latency: how long they took
 */
struct worker {
	struct drive_queue dq;
	struct drive *d;
	const struct drive_ns *ns;
	enum options_work work;
	struct task *tasks;
	u32 depth;
	u32 blocks;
	u64 places;
	u64 place;
	u64 random;
	u64 left;
	u32 out;
	pthread_t thread;
	u64 done;
	u64 errors;
	u16 status;
	u64 empty;
	u64 wakes;
	const char *stuck;
	struct latency latency;
};

/* ---- the path of a command ---- */

static inline u64 next_random(struct worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random;
}

/* From 0 to @n - 1, as @random is from 0 to 2^64 - 1. */
static inline u64 scale(u64 random, u64 n)
{
	return (clock_wide)random * n >> 64;
}

static inline void submit(struct worker *w, struct task *task, u64 now)
{
	bool write = w->work == WORK_WRITE || w->work == WORK_RANDWRITE;
	u64 place;

	if (w->work >= WORK_RANDREAD) {
		u64 random = next_random(w);

		place = scale(random, w->places);
		if (w->work == WORK_MIX)
			write = (random & 0xff) < MIX_WRITES;
	} else {
		place = w->place++;
		if (w->place == w->places)
			w->place = 0;
	}
	task->started = now;
	drive_push(&w->dq.q, &w->ns->cmd, task->tag, task, write, place * w->blocks, &task->buffer);
	w->left--;
}

/* What is in the ring; each command that has come back is sent again. */
static inline u32 reap(struct worker *w)
{
	struct nvmq_queue *q = &w->dq.q;
	struct nvmq_cq_cursor cur = nvmq_cq_begin(q);
	const struct nvmq_cqe *cqe = nvmq_cq_peek(q, &cur);
	u32 found = 0;
	u64 now;

	if (!cqe)
		return 0;
	now = clock_now();
	do {
		struct task *task = nvmq_slot_take(q, le16_to_cpu(cqe->cid));
		u16 status = le16_to_cpu(cqe->status) >> 1;

		nvmq_cq_advance(q, &cur);
		found++;
		if (unlikely(!task)) {
			q->bogus++;
			continue;
		}
		latency_add(&w->latency, now - task->started);
		if (likely(!status))
			w->done++;
		else if (!w->errors++)
			w->status = status;
		if (likely(w->left && now < READ_ONCE(end_at)))
			submit(w, task, now);
		else
			w->out--;
	} while ((cqe = nvmq_cq_peek(q, &cur)));
	/* The entries are free before a command that needs one is sent. */
	nvmq_cq_end(q, &cur);
	nvmq_sq_ring(q);
	return found;
}

/* ---- a thread ---- */

/* Nothing has come for DRIVE_SECONDS: is there still a device? */
static const char *look(struct worker *w, u64 since)
{
	u32 csts = nvmq_hw_status(&w->d->hw);

	/* One read: it may go between two, and all ones have CFS set. */
	if (csts == ~0u)
		return drive_error(-ENODEV);
	if (csts & NVMQ_CSTS_CFS)
		return "the controller reports a fatal status";
	if (clock_to_ns(clock_now() - since) > DRIVE_SECONDS * NS_PER_SECOND)
		return "commands do not come back";
	return NULL;
}

/*
 * Until the ring is worth another look: at once if it is polled, otherwise when an interrupt comes.
 * Return: false if it is time to look for the device as well.
 */
static bool wait_for_more(struct worker *w, u32 *looks)
{
	struct pollfd poller = { .fd = w->dq.event, .events = POLLIN };
	eventfd_t count;

	if (w->dq.event >= 0) {
		if (poll(&poller, 1, 500) != 1)
			return false;
		w->wakes += !eventfd_read(w->dq.event, &count);
	}
	return ++*looks % LOOKS;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	u64 now = clock_now(), since = 0;
	u32 i, looks = 0;

	for (i = 0; i < w->depth && w->left; i++, w->out++)
		submit(w, &w->tasks[i], now);
	nvmq_sq_ring(&w->dq.q);
	while (w->out && !w->stuck) {
		if (likely(reap(w))) {
			looks = 0;
			since = 0;
			continue;
		}
		w->empty++;
		if (likely(wait_for_more(w, &looks)))
			continue;
		/* The clock is not read for each command that comes in time. */
		if (!since)
			since = clock_now();
		w->stuck = look(w, since);
	}
	return NULL;
}

static void on_signal(int signal)
{
	(void)signal;
	WRITE_ONCE(end_at, 0);
}

static void run(struct worker *workers, const struct options *o)
{
	struct sigaction action = { .sa_handler = on_signal };
	u32 i;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (i = 0; i < o->queues; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			workers[i].stuck = "no thread for it";
	for (i = 0; i < o->queues; i++)
		if (workers[i].thread)
			pthread_join(workers[i].thread, NULL);
}

/* ---- results ---- */

static double iops(const struct worker *w, double seconds)
{
	return w->done / seconds;
}

static void print_worker(const char *name, const struct worker *w, double seconds, u32 bytes)
{
	static const double shares[] = { 0.5, 0.9, 0.99, 0.999 };
	char text[16];
	size_t i;

	printf("%5s  %9llu  %9.0f  %8.1f  %6llu", name, (unsigned long long)w->done,
	       iops(w, seconds), iops(w, seconds) * bytes / (1 << 20),
	       (unsigned long long)w->errors);
	for (i = 0; i < ARRAY_SIZE(shares); i++)
		printf("  %7s",
		       time_text(clock_to_ns(latency_share(&w->latency, shares[i])), text));
	printf("  %7s\n", time_text(clock_to_ns(w->latency.most), text));
}

static struct json_object *worker_json(const struct worker *w, double seconds)
{
	static const struct {
		const char *name;
		double share;
	} shares[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99.9", 0.999 } };
	struct json_object *o = json_object_new_object(), *times = json_object_new_object();
	size_t i;

	json_object_object_add(o, "commands", json_object_new_uint64(w->done));
	json_object_object_add(o, "errors", json_object_new_uint64(w->errors));
	json_object_object_add(o, "iops", json_object_new_double(iops(w, seconds)));
	json_object_object_add(o, "empty_looks", json_object_new_uint64(w->empty));
	json_object_object_add(o, "interrupts", json_object_new_uint64(w->wakes));
	for (i = 0; i < ARRAY_SIZE(shares); i++) {
		u64 ns = clock_to_ns(latency_share(&w->latency, shares[i].share));

		json_object_object_add(times, shares[i].name, json_object_new_uint64(ns));
	}
	json_object_object_add(times, "max", json_object_new_uint64(clock_to_ns(w->latency.most)));
	json_object_object_add(o, "latency_ns", times);
	return o;
}

static void report(const struct worker *workers, const struct options *o,
		   const struct drive_ns *ns, double seconds)
{
	struct json_object *all, *list;
	struct worker sum = { 0 };
	char name[16];
	u32 i;

	for (i = 0; i < o->queues; i++) {
		sum.done += workers[i].done;
		sum.errors += workers[i].errors;
		sum.empty += workers[i].empty;
		sum.wakes += workers[i].wakes;
		latency_sum(&sum.latency, &workers[i].latency);
	}
	if (o->json) {
		all = worker_json(&sum, seconds);
		list = json_object_new_array();
		for (i = 0; i < o->queues; i++)
			json_object_array_add(list, worker_json(&workers[i], seconds));
		json_object_object_add(all, "seconds", json_object_new_double(seconds));
		json_object_object_add(all, "queues", list);
		print_json(all);
		return;
	}
	printf("%s, namespace %u: %s, %u bytes, depth %u on each of %u queue%s, %s: %.2f s\n",
	       o->bdf, ns->cmd.nsid, options_works[o->work], o->bytes, o->depth, o->queues,
	       o->queues == 1 ? "" : "s", o->interrupts ? "interrupts" : "polled", seconds);
	printf("queue   commands       IOPS     MiB/s  errors%9s%9s%9s%9s%9s\n", "50%", "90%",
	       "99%", "99.9%", "max");
	for (i = 0; i < o->queues; i++) {
		snprintf(name, sizeof(name), "%u", i + 1);
		print_worker(name, &workers[i], seconds, o->bytes);
	}
	if (o->queues > 1)
		print_worker("all", &sum, seconds, o->bytes);
}

/* ---- setting up ---- */

/* Is what was asked possible here? Return: 0; -1, with a line on stderr. */
static int judge(struct drive *d, const struct options *o, const struct drive_ns *ns)
{
	u32 most = min(nvmq_hw_max_entries(&d->hw), NVMQ_MAX_ENTRIES);
	u32 size = 1u << ns->cmd.lba_shift;

	if (o->bytes % size || !o->bytes)
		drive_err(d, "%u bytes are no whole number of blocks of %u", o->bytes, size);
	else if (o->bytes > d->max_bytes || o->bytes / size > NVMQ_NLB_MAX)
		drive_err(d, "%u bytes are more than a command takes: %u", o->bytes, d->max_bytes);
	else if (o->bytes / size > ns->blocks / o->queues)
		drive_err(d, "%u bytes for each of %u queues: namespace %u has %llu blocks of %u",
			  o->bytes, o->queues, ns->cmd.nsid, (unsigned long long)ns->blocks,
			  size);
	else if (o->depth + 1 > most)
		drive_err(d, "depth %u: its queues have %u entries, one of them always empty",
			  o->depth, most);
	else if (o->interrupts && o->queues + 1 > d->dev.vectors)
		drive_err(d, "%u queues and the admin queue: it has %u interrupt vectors",
			  o->queues, d->dev.vectors);
	else
		return 0;
	return -1;
}

/* Vector 0 is the admin queue's, which is polled. */
static int set_up_interrupts(struct drive *d, struct worker *workers, u32 count)
{
	int *fds = sys_must(malloc((count + 1) * sizeof(*fds)));
	u32 i;
	int ret;

	fds[0] = -1;
	for (i = 0; i < count; i++) {
		fds[i + 1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		workers[i].dq.event = fds[i + 1];
		workers[i].dq.vector = i + 1;
	}
	ret = device_enable_interrupts(&d->dev, fds, count + 1);
	free(fds);
	return ret;
}

static int set_up_worker(struct drive *d, struct worker *w, const struct options *o, u32 index)
{
	u32 i, at;

	w->work = o->work;
	w->depth = o->depth;
	w->blocks = o->bytes >> w->ns->cmd.lba_shift;
	w->places = w->ns->blocks / w->blocks;
	w->place = w->places / o->queues * index;
	w->random = 0x9e3779b97f4a7c15ull * (index + 1);
	w->left = o->commands ? o->commands : ~0ull;
	w->tasks = sys_must(calloc(o->depth, sizeof(*w->tasks)));
	for (i = 0; i < o->depth; i++) {
		w->tasks[i].tag = i;
		if (drive_alloc_buffer(d, &w->tasks[i].buffer, o->bytes))
			return -1;
		for (at = 0; at < o->bytes; at += sizeof(u64))
			*(u64 *)(w->tasks[i].buffer.memory + at) = next_random(w);
	}
	return drive_add_queue(d, &w->dq, index + 1, o->depth + 1);
}

static int failures(const struct drive *d, const struct worker *workers, u32 count)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		const struct worker *w = &workers[i];

		if (w->stuck)
			drive_err(d, "queue %u: %s", i + 1, w->stuck);
		if (w->errors)
			drive_err(d, "queue %u: %llu commands failed, the first with: %s (%#x)",
				  i + 1, (unsigned long long)w->errors,
				  nvmq_names_status(w->status), w->status & NVMQ_SC_MASK);
		if (w->dq.q.bogus)
			drive_err(d, "queue %u: %llu completions that no command had", i + 1,
				  (unsigned long long)w->dq.q.bogus);
		if (w->stuck || w->errors || w->dq.q.bogus)
			ret = -1;
	}
	return ret;
}

int vfio_perf(const struct options *o)
{
	/* The groups of a queue are on cache lines of their own. */
	struct worker *workers = sys_must(aligned_alloc(_Alignof(struct worker),
							o->queues * sizeof(*workers)));
	struct drive_ns ns;
	struct drive d;
	u64 begin;
	u32 i;
	int ret;

	memset(workers, 0, o->queues * sizeof(*workers));
	for (i = 0; i < o->queues; i++) {
		workers[i].d = &d;
		workers[i].ns = &ns;
		workers[i].dq.event = -1;
	}
	ret = drive_open(&d, o->bdf) || drive_up(&d) || drive_find_ns(&d, o->nsid, &ns) ||
	      judge(&d, o, &ns) || drive_grant_queues(&d, o->queues) ? -1 : 0;
	if (!ret && o->interrupts)
		ret = set_up_interrupts(&d, workers, o->queues);
	for (i = 0; i < o->queues && !ret; i++)
		ret = set_up_worker(&d, &workers[i], o, i);
	if (!ret) {
		begin = clock_now();
		end_at = o->commands ? ~0ull : begin + o->seconds * clock_rate.hz;
		run(workers, o);
		report(workers, o, &ns, clock_to_ns(clock_now() - begin) / 1e9);
		ret = failures(&d, workers, o->queues);
	}
	for (i = 0; i < o->queues; i++)
		if (!workers[i].stuck)
			drive_remove_queue(&d, &workers[i].dq);
	drive_close(&d);
	for (i = 0; i < o->queues; i++) {
		if (workers[i].dq.event >= 0)
			close(workers[i].dq.event);
		free(workers[i].tasks);
	}
	free(workers);
	return ret ? 1 : 0;
}
