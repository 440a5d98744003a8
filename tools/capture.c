// SPDX-License-Identifier: GPL-2.0
/*
 * Trace events become steps.  An instance of tracefs of our own is used, so that
 * nobody else's tracing is disturbed; it is read when all is over, so that the
 * reading is no part of what is seen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <traceevent/event-parse.h>
#include <tracefs/tracefs.h>

#include "capture.h"

#define INSTANCE	"nvmq-trace-"
/* KiB for each CPU, of which all together have no more than MAX_BUFFERS. */
#define BUFFER		8192
#define MAX_BUFFERS	(256 * 1024)
/* Reads of our own, so that one doorbell at least was not held up; see qemulog.c. */
#define CLOCK_READS	16

/* System calls by which a program asks for I/O. */
static const char *const calls[] = {
	"read", "write", "pread64", "pwrite64", "readv", "writev", "preadv", "pwritev", "preadv2",
	"pwritev2", "fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "msync", "fallocate",
	"ioctl", "io_submit", "io_uring_enter",
};

#define NR_CALLS	(sizeof(calls) / sizeof(calls[0]))

struct capture {
	struct tracefs_instance *instance;
	struct tep_handle *tep;
	struct trace *t;
	unsigned int ctrl;
	const char *comm;	/* of the command */
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	stopped = number;
}

/**
 * capture_fail - say why there is no trace
 * @status: what the program is to end with
 * @format: the reason, as for printf()
 *
 * Return: @status.
 */
int capture_fail(int status, const char *format, ...)
{
	va_list args;

	fputs("nvmq trace: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

/* ---- what is to be recorded ---- */

static void add_disk(struct trace *t, const char *dir, const char *name, unsigned int nsid,
		     unsigned int block)
{
	char *dev = sys_read("%s/dev", dir);
	struct step_disk *disk;
	unsigned int major, minor;

	if (dev && sscanf(dev, "%u:%u", &major, &minor) == 2) {
		t->disks = sys_must(realloc(t->disks, (t->nr_disks + 1) * sizeof(*t->disks)));
		disk = &t->disks[t->nr_disks++];
		memset(disk, 0, sizeof(*disk));
		snprintf(disk->name, sizeof(disk->name), "%.31s", name);
		/* As the kernel has it in memory. */
		disk->dev = (uint64_t)major << 20 | minor;
		disk->nsid = nsid;
		disk->block = block;
	}
	free(dev);
}

static void find_disks(struct trace *t, const struct sys_ctrl *ctrl)
{
	const char *disk, *rest = ctrl->disks;
	size_t len;

	while ((disk = sys_next_disk(&rest, &len))) {
		char *name = sys_format("%.*s", (int)len, disk);
		char *dir = sys_format("/sys/block/%s", name);
		char *size = sys_read("%s/queue/logical_block_size", dir);
		unsigned int nsid = atoi(strrchr(name, 'n') + 1), block = size ? atoi(size) : 512;
		struct dirent **entries;
		int i, n = sys_list(&entries, "%s", dir);

		add_disk(t, dir, name, nsid, block);
		for (i = 0; i < n; i++) {
			char *part = sys_format("%s/%s", dir, entries[i]->d_name);

			if (!strncmp(entries[i]->d_name, name, len))
				add_disk(t, part, entries[i]->d_name, nsid, block);
			free(part);
		}
		sys_free_list(entries, n);
		free(size);
		free(dir);
		free(name);
	}
}

static void find_queues(struct trace *t, const struct sys_ctrl *ctrl)
{
	size_t i;

	t->nr_queues = ctrl->nr_queues;
	t->queues = sys_must(calloc(t->nr_queues + 1, sizeof(*t->queues)));
	for (i = 0; i < t->nr_queues; i++) {
		t->queues[i].qid = ctrl->queues[i].qid;
		snprintf(t->queues[i].type, sizeof(t->queues[i].type), "%s", ctrl->queues[i].type);
		t->queues[i].vector = ctrl->queues[i].vector;
		t->queues[i].irq = ctrl->queues[i].irq;
	}
}

/* ---- the events ---- */

/* The kernel is asked what an event looks like, and the filter goes to it. */
static int add_event(struct capture *c, const char *system, const char *event, const char *filter)
{
	char *format;
	int size, err;

	format = tracefs_event_file_read(c->instance, system, event, "format", &size);
	if (!format)
		return -1;
	err = tep_parse_event(c->tep, format, size, system);
	free(format);
	if (err || tracefs_event_file_write(c->instance, system, event, "filter", filter) < 0)
		return -1;
	return tracefs_event_enable(c->instance, system, event);
}

static char *filter_of(const struct capture *c, enum step_kind kind)
{
	const struct trace *t = c->t;
	char *filter, *longer;
	size_t i;

	if (kind == STEP_IRQ)
		return sys_format("name ~ \"nvmq%uq*\"", c->ctrl);
	if (strcmp(step_types[kind].system, "block"))
		return sys_format("ctrl == %u", c->ctrl);
	filter = sys_must(strdup(""));
	for (i = 0; i < t->nr_disks; i++) {
		longer = sys_format("%s%sdev == %llu", filter, i ? " || " : "",
				    (unsigned long long)t->disks[i].dev);
		free(filter);
		filter = longer;
	}
	return filter;
}

static int add_events(struct capture *c)
{
	enum step_kind kind;

	for (kind = 0; kind < STEP_KINDS; kind++) {
		const struct step_type *type = &step_types[kind];
		char *filter;
		int err;

		if (!type->system)
			continue;
		filter = filter_of(c, kind);
		err = add_event(c, type->system, type->event, filter);
		free(filter);
		if (err)
			return capture_fail(1, "the trace event %s:%s cannot be used: %s",
					    type->system, type->event, strerror(errno));
	}
	return 0;
}

/*
 * Those of the command, and of what it forks and is called like it.  Kernels
 * have them or not; without, the timeline begins in the block layer.
 */
static void add_calls(struct capture *c, pid_t pid)
{
	char *filter = sys_format("common_pid == %d || comm == \"%.15s\"", pid, c->comm);
	size_t i;

	for (i = 0; i < NR_CALLS; i++) {
		char *enter = sys_format("sys_enter_%s", calls[i]);
		char *leave = sys_format("sys_exit_%s", calls[i]);

		if (!add_event(c, "syscalls", enter, filter))
			add_event(c, "syscalls", leave, filter);
		free(leave);
		free(enter);
	}
	free(filter);
}

/* ---- a tracefs instance ---- */

static void remove_instance(struct tracefs_instance *instance)
{
	tracefs_trace_off(instance);
	tracefs_instance_destroy(instance);
	tracefs_instance_free(instance);
}

/* One whose process was killed is nobody's any more. */
static void remove_stale(void)
{
	char **names = tracefs_instances("^" INSTANCE "[0-9][0-9]*$");
	struct tracefs_instance *instance;
	size_t i;

	for (i = 0; names && names[i]; i++) {
		if (!kill(atoi(names[i] + strlen(INSTANCE)), 0) || errno != ESRCH)
			continue;
		instance = tracefs_instance_alloc(NULL, names[i]);
		if (instance)
			remove_instance(instance);
	}
	tracefs_list_free(names);
}

static int make_instance(struct capture *c)
{
	char *name, *size, *header = NULL;
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	int len, err = 0;

	if (!tracefs_tracing_dir())
		return capture_fail(1, "there is no tracefs: %s",
				    "mount -t tracefs none /sys/kernel/tracing");
	remove_stale();
	name = sys_format(INSTANCE "%d", getpid());
	c->instance = tracefs_instance_create(name);
	free(name);
	if (!c->instance)
		return capture_fail(1, "tracefs takes no instance: %s", strerror(errno));
	tracefs_trace_off(c->instance);
	size = sys_format("%ld", BUFFER * cpus > MAX_BUFFERS ? MAX_BUFFERS / cpus : BUFFER);
	/* When it is full the first events are what is kept: the story has a beginning. */
	if (tracefs_instance_file_write(c->instance, "trace_clock", "mono") < 0 ||
	    tracefs_instance_file_write(c->instance, "buffer_size_kb", size) < 0 ||
	    tracefs_option_disable(c->instance, TRACEFS_OPTION_OVERWRITE))
		err = capture_fail(1, "tracefs refuses its settings: %s", strerror(errno));
	free(size);
	if (err)
		return err;
	header = tracefs_instance_file_read(NULL, "events/header_page", &len);
	c->tep = tep_alloc();
	if (!header || !c->tep || tep_parse_header_page(c->tep, header, len, sizeof(long)))
		err = capture_fail(1, "the format of the trace is not understood");
	free(header);
	return err;
}

static uint64_t count_lost(const struct capture *c)
{
	long cpu, cpus = sysconf(_SC_NPROCESSORS_CONF);
	uint64_t lost = 0;

	for (cpu = 0; cpu < cpus; cpu++) {
		static const char *const words[] = { "\noverrun: ", "\ndropped events: " };
		char *path = sys_format("per_cpu/cpu%ld/stats", cpu), *text;
		size_t i;

		text = tracefs_instance_file_read(c->instance, path, NULL);
		for (i = 0; text && i < 2; i++) {
			const char *at = strstr(text, words[i]);

			lost += at ? strtoull(at + strlen(words[i]), NULL, 10) : 0;
		}
		free(text);
		free(path);
	}
	return lost;
}

/* ---- from events to steps ---- */

static bool get_number(struct tep_event *event, struct tep_record *record, const char *name,
		       int64_t *value)
{
	struct tep_format_field *field = tep_find_field(event, name);
	unsigned long long v;

	if (!field || tep_read_number_field(field, record->data, &v))
		return false;
	*value = v;
	if (!(field->flags & TEP_FIELD_IS_SIGNED))
		return true;
	if (field->size == 4)
		*value = (int32_t)v;
	return true;
}

static void get_string(struct tep_event *event, struct tep_record *record, const char *name,
		       char *text, size_t size)
{
	int len;
	const char *v = tep_get_field_raw(NULL, event, name, record, &len, 0);

	if (v && len > 0)
		snprintf(text, size, "%.*s", len, v);
}

static void add_arguments(struct tep_event *event, struct tep_record *record, struct step *s)
{
	static const char *const names[] = {
		"fd", "count", "vlen", "offset", "pos", "nr", "to_submit", "min_complete",
	};
	const char *name = strchr(event->name + strlen("sys_"), '_') + 1;
	size_t i, at = snprintf(s->text, sizeof(s->text), "%s(", name);
	bool first = true;
	int64_t value;

	for (i = 0; i < sizeof(names) / sizeof(names[0]) && at < sizeof(s->text) - 2; i++)
		if (get_number(event, record, names[i], &value)) {
			at += snprintf(s->text + at, sizeof(s->text) - at, "%s%s %lld",
				       first ? "" : ", ", names[i], (long long)value);
			first = false;
		}
	if (at < sizeof(s->text) - 1)
		snprintf(s->text + at, sizeof(s->text) - at, ")");
}

static void add_call(struct capture *c, struct tep_event *event, struct tep_record *record,
		     struct step *s)
{
	int64_t ret = 0;

	snprintf(s->comm, sizeof(s->comm), "%.15s", c->comm);
	if (!strncmp(event->name, "sys_enter_", strlen("sys_enter_"))) {
		s->kind = STEP_CALL;
		add_arguments(event, record, s);
		return;
	}
	s->kind = STEP_RETURN;
	snprintf(s->text, sizeof(s->text), "%s", event->name + strlen("sys_exit_"));
	get_number(event, record, "ret", &ret);
	step_set(s, NUM_RET, ret);
}

static void add_list(struct tep_event *event, struct tep_record *record, struct step *s)
{
	int len;
	const uint64_t *list = tep_get_field_raw(NULL, event, "list", record, &len, 0);

	if (!list || len <= 0)
		return;
	s->nr_list = len / sizeof(*list);
	s->list = sys_must(calloc(s->nr_list, sizeof(*list)));
	memcpy(s->list, list, s->nr_list * sizeof(*list));
}

static void add_special(struct tep_event *event, struct tep_record *record, struct step *s)
{
	char from[16] = "", to[16] = "";
	const void *sqe;
	int len;

	switch (s->kind) {
	case STEP_COMMAND:
		sqe = tep_get_field_raw(NULL, event, "sqe", record, &len, 0);
		if (sqe && len == sizeof(s->sqe))
			memcpy(s->sqe, sqe, len);
		break;
	case STEP_PRP_LIST:
		add_list(event, record, s);
		break;
	case STEP_IRQ:
		get_string(event, record, "name", s->text, sizeof(s->text));
		break;
	case STEP_STATE:
		get_string(event, record, "from", from, sizeof(from));
		get_string(event, record, "to", to, sizeof(to));
		snprintf(s->text, sizeof(s->text), "%s -> %s", from, to);
		break;
	default:
		get_string(event, record, "rwbs", s->rwbs, sizeof(s->rwbs));
		get_string(event, record, "comm", s->comm, sizeof(s->comm));
		break;
	}
}

static int on_event(struct tep_event *event, struct tep_record *record, int cpu, void *data)
{
	struct capture *c = data;
	struct step *s = step_add(c->t);
	enum step_kind kind;
	enum step_num n;
	int64_t value;

	s->ns = record->ts;
	s->cpu = cpu;
	s->pid = tep_data_pid(c->tep, record);
	if (!strcmp(event->system, "syscalls")) {
		add_call(c, event, record, s);
		return 0;
	}
	for (kind = 0; kind < STEP_KINDS; kind++)
		if (step_types[kind].event && !strcmp(event->name, step_types[kind].event))
			break;
	if (kind == STEP_KINDS) {
		c->t->nr_steps--;
		return 0;
	}
	s->kind = kind;
	for (n = 0; n < NUMS; n++)
		if (step_types[kind].nums & (1u << n) &&
		    get_number(event, record, step_nums[n].field, &value))
			step_set(s, n, value);
	add_special(event, record, s);
	return 0;
}

/* ---- meanwhile ---- */

/* The command, which waits until @go has something to read. */
static pid_t start(char **command, int *go)
{
	int ends[2];
	pid_t pid;
	char byte;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
		close(ends[1]);
		if (read(ends[0], &byte, 1) != 1)
			_exit(127);
		execvp(command[0], command);
		fprintf(stderr, "nvmq trace: %s: %s\n", command[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(ends[0]);
	*go = ends[1];
	return pid;
}

/* Until it ends: a signal is handed on, and the second one is deadly. */
static int wait_for(pid_t pid)
{
	int how, passed = 0;

	while (waitpid(pid, &how, 0) < 0) {
		if (errno != EINTR)
			return 1;
		if (stopped)
			kill(pid, passed++ ? SIGKILL : stopped);
	}
	return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
}

static void wait_seconds(double seconds)
{
	struct timespec left = { .tv_sec = seconds, .tv_nsec = (seconds - (long)seconds) * 1e9 };
	sigset_t block, old;

	/* No signal can come between the look and the sleep. */
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, &old);
	if (!stopped)
		ppoll(NULL, 0, seconds > 0 ? &left : NULL, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void read_block(const struct step_disk *disk)
{
	char *node = sys_format("/dev/%s", disk->name);
	int fd = open(node, O_RDONLY | O_DIRECT | O_CLOEXEC), i;
	void *block;

	if (fd >= 0 && !posix_memalign(&block, 4096, disk->block)) {
		for (i = 0; i < CLOCK_READS; i++)
			if (pread(fd, block, disk->block, 0) < 0)
				break;
		free(block);
	}
	if (fd >= 0)
		close(fd);
	free(node);
}

static int record(struct capture *c, char **command, double seconds, bool clock, int *status)
{
	struct timespec now;
	pid_t pid = 0;
	int go = -1;

	if (command) {
		pid = start(command, &go);
		if (pid < 0)
			return capture_fail(1, "%s: %s", command[0], strerror(errno));
		if (clock) {
			tracefs_trace_on(c->instance);
			read_block(&c->t->disks[0]);
		}
		/* To switch an event on interrupts each CPU: the last handler has ended. */
		add_calls(c, pid);
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (clock && command)
		c->t->from = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	tracefs_trace_on(c->instance);
	if (command) {
		if (write(go, "", 1) != 1)
			kill(pid, SIGKILL);
		close(go);
		*status = wait_for(pid);
	} else {
		wait_seconds(seconds);
	}
	tracefs_trace_off(c->instance);
	return 0;
}

/**
 * capture - record what happens on a controller
 * @t: zeroed; gets the steps
 * @ctrl: the controller, after sys_read_queues()
 * @command: to be run meanwhile; NULL: @seconds
 * @seconds: how long; 0: until a signal comes
 * @clock: with @command: read from the disk before it, so that qemulog_merge() has more doorbells
 * @status: set to the exit status of @command
 *
 * Whatever happens, nothing of it is left in tracefs.
 *
 * Return: 0; 1, with a line on stderr.
 */
int capture(struct trace *t, const struct sys_ctrl *ctrl, char **command, double seconds,
	    bool clock, int *status)
{
	struct sigaction action = { .sa_handler = on_signal };
	const char *slash = command ? strrchr(command[0], '/') : NULL;
	struct capture c = { .t = t };
	int err;

	*status = 0;
	snprintf(t->name, sizeof(t->name), "%s", ctrl->name);
	snprintf(t->bdf, sizeof(t->bdf), "%s", ctrl->bdf);
	find_disks(t, ctrl);
	find_queues(t, ctrl);
	if (!t->nr_disks)
		return capture_fail(1, "%s has no disk", ctrl->bdf);
	c.ctrl = atoi(ctrl->name + strlen("nvme"));
	if (command)
		c.comm = slash ? slash + 1 : command[0];
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	err = make_instance(&c);
	if (!err)
		err = add_events(&c);
	if (!err)
		err = record(&c, command, seconds, clock, status);
	if (!err) {
		t->lost = count_lost(&c);
		if (tracefs_iterate_raw_events(c.tep, c.instance, NULL, 0, on_event, &c))
			err = capture_fail(1, "the trace cannot be read: %s", strerror(errno));
	}
	if (c.instance)
		remove_instance(c.instance);
	tep_free(c.tep);
	step_sort(t);
	return err;
}
