// SPDX-License-Identifier: GPL-2.0
/* nvmq trace: each step of each I/O, as a timeline, as JSON lines, and as a picture. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "nvmq.h"
#include "step.h"
#include "sys.h"

struct options {
	const char *device, *svg, *qemu, *read;
	char **command;
	double seconds;
	bool json, sqe;
};

static int parse(int argc, char **argv, struct options *o)
{
	char *end;
	int i, ways;

	for (i = 1; i < argc; i++) {
		const char *arg = argv[i];
		bool value = i + 1 < argc;

		if (!strcmp(arg, "--")) {
			o->command = argv + i + 1;
			if (!*o->command)
				return capture_fail(2, "a command is expected behind --");
			break;
		}
		if (!strcmp(arg, "--json")) {
			o->json = true;
		} else if (!strcmp(arg, "--sqe")) {
			o->sqe = true;
		} else if (!strcmp(arg, "--svg") && value) {
			o->svg = argv[++i];
		} else if (!strcmp(arg, "--qemu") && value) {
			o->qemu = argv[++i];
		} else if (!strcmp(arg, "--read") && value) {
			o->read = argv[++i];
		} else if (!strcmp(arg, "--time") && value) {
			o->seconds = strtod(argv[++i], &end);
			if (*end || !(o->seconds > 0) || o->seconds > 86400)
				return capture_fail(2, "--time: %s: must be a number of seconds",
						    argv[i]);
		} else if (*arg != '-' && !o->device) {
			o->device = arg;
		} else {
			return capture_fail(2, "%s: not expected", arg);
		}
	}
	ways = !!o->command + !!o->read;
	if (ways > 1 || (ways && o->seconds > 0))
		return capture_fail(2, "one of -- COMMAND, --time and --read");
	if (o->read && o->device)
		return capture_fail(2, "%s: a trace that is read has its own device", o->device);
	return 0;
}

static void name_command(struct trace *t, char **command)
{
	size_t at = 0;

	for (; command && *command && at < sizeof(t->command); command++)
		at += snprintf(t->command + at, sizeof(t->command) - at, "%s%s", at ? " " : "",
			       *command);
}

static int record(struct trace *t, const struct options *o, int *status)
{
	struct sys_ctrl *all, *ctrl;
	size_t count;
	int ret = 1;

	if (geteuid()) {
		fputs("nvmq trace: only root may trace\n", stderr);
		return 1;
	}
	count = sys_find(&all);
	ctrl = sys_pick(all, count, o->device);
	if (ctrl && !sys_read_queues(ctrl))
		ret = capture(t, ctrl, o->command, o->seconds, o->qemu, status);
	name_command(t, o->command);
	sys_free(all, count);
	return ret;
}

static void print(const struct trace *t, bool sqe)
{
	printf("%s at %s%s%s: %zu I/O%s in %zu steps\n\n", t->name, t->bdf,
	       *t->command ? ", " : "", t->command, t->nr_ios, t->nr_ios == 1 ? "" : "s",
	       t->nr_steps);
	words_timeline(t, sqe, stdout);
	putchar('\n');
	words_summary(t, stdout);
}

int cmd_trace(int argc, char **argv)
{
	struct options o = { 0 };
	struct trace t = { 0 };
	int status = 0, ret = parse(argc, argv, &o);

	if (ret)
		return ret;
	ret = o.read ? step_read_json(&t, o.read) : record(&t, &o, &status);
	if (!ret && o.qemu && t.nr_steps)
		ret = qemulog_merge(&t, o.qemu);
	if (!ret) {
		story_find(&t);
		if (o.json)
			step_write_json(&t, stdout);
		else
			print(&t, o.sqe);
		if (o.svg)
			ret = lanes_write_svg(&t, o.svg);
	}
	step_free(&t);
	return ret ? ret : status;
}
