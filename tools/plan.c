// SPDX-License-Identifier: GPL-2.0
/* nvmq plan: show, set, try, check. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "fits.h"
#include "nvmq.h"
#include "sys.h"

#define TEXT_MAX	4096

static void show(const struct sys_ctrl *ctrl, bool json)
{
	struct json_object *o;

	if (!json) {
		printf("asked    %s\ngranted  %s\n", ctrl->plan, ctrl->granted);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "address", json_object_new_string(ctrl->bdf));
	json_object_object_add(o, "asked", json_object_new_string(ctrl->plan));
	json_object_object_add(o, "granted", json_object_new_string(ctrl->granted));
	print_json(o);
}

/* The words are one plan, however the shell has divided them. */
static int join(int count, char **words, char *text)
{
	size_t at = 0;
	int i;

	for (i = 0; i < count; i++) {
		int n = snprintf(text + at, TEXT_MAX - at, "%s%s", i ? " " : "", words[i]);

		if (n < 0 || (size_t)n >= TEXT_MAX - at) {
			fputs("nvmq plan: too long\n", stderr);
			return -1;
		}
		at += n;
	}
	return 0;
}

/* Says what is wrong with @text, if anything is. */
static int check(const char *text)
{
	struct nvmq_plan_error error;

	if (plan_fits(text, &error))
		return 0;
	fprintf(stderr, "nvmq plan: \"%s\": %s\n", error.word, error.reason);
	return -1;
}

static int carry_out(const struct sys_ctrl *ctrl, const char *text)
{
	int err = sys_write_attribute(ctrl, "plan", text);

	if (!err)
		return 0;
	fprintf(stderr, "nvmq plan: %s: %s%s\n", ctrl->bdf, strerror(err),
		err == EACCES ? " (root may)" :
		err == EBUSY ? " (the controller is not live)" :
		err == ETIMEDOUT ? " (commands do not end; nothing was changed)" :
		" (the kernel log says more)");
	return -1;
}

static void show_granted(const struct sys_ctrl *ctrl)
{
	char *granted = sys_read(SYS_PCI "/%s/nvmq/granted", ctrl->bdf);

	printf("granted  %s\n", granted ? granted : "?");
	free(granted);
}

/*
 * Is somebody at the terminal who can be asked?  What is in a pipe or a script was meant for
 * others, and a job in the background may not read.  Without job control, as on a console, there
 * is no foreground.
 */
static bool can_ask(void)
{
	pid_t foreground = tcgetpgrp(0);

	return isatty(0) && (foreground < 0 || foreground == getpgrp());
}

/* True after an empty line, if any are read; false when the time is over, and on a signal. */
static bool confirmed(unsigned int seconds, bool reads)
{
	struct pollfd in = { .fd = reads ? 0 : -1, .events = POLLIN };
	struct timespec end, now;
	bool empty = true;
	char c;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	while (!sys_interrupted()) {
		long left;

		clock_gettime(CLOCK_MONOTONIC, &now);
		left = (end.tv_sec - now.tv_sec) * 1000 +
		       (end.tv_nsec - now.tv_nsec) / 1000000;
		if (left <= 0)
			return false;
		if (poll(&in, 1, left) <= 0)
			continue;
		if (read(0, &c, 1) != 1) {
			/* Nobody is there to type anything. */
			in.fd = -1;
			continue;
		}
		if (c == '\n' && empty)
			return true;
		empty = c == '\n';
	}
	return false;
}

/* The old plan comes back whatever happens to this program, short of SIGKILL. */
static int try_plan(const struct sys_ctrl *ctrl, const char *text, unsigned int seconds)
{
	bool ask;

	sys_catch_signals();
	/* Nor may it be stopped. */
	signal(SIGTSTP, SIG_IGN);
	signal(SIGTTIN, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	if (carry_out(ctrl, text))
		return 1;
	show_granted(ctrl);
	ask = can_ask();
	if (ask) {
		/* What was typed before the question is no answer. */
		tcflush(0, TCIFLUSH);
		printf("Enter within %u seconds keeps it; otherwise \"%s\" comes back.\n",
		       seconds, ctrl->plan);
	} else {
		printf("No terminal to ask at: \"%s\" comes back after %u seconds.\n",
		       ctrl->plan, seconds);
	}
	fflush(stdout);
	if (confirmed(seconds, ask)) {
		puts("kept");
		return 0;
	}
	/* A second signal is not to end the wait of that. */
	sys_hold_signals(SIG_BLOCK);
	if (carry_out(ctrl, ctrl->plan))
		return 1;
	printf("back to  %s\n", ctrl->plan);
	show_granted(ctrl);
	return 0;
}

static int usage(const char *word)
{
	fprintf(stderr, "nvmq plan: %s; nvmq --help shows what is possible\n", word);
	return 2;
}

static bool is_verb(const char *word)
{
	return !strcmp(word, "set") || !strcmp(word, "try") || !strcmp(word, "check");
}

int cmd_plan(int argc, char **argv)
{
	const char *name = NULL, *verb = NULL;
	struct sys_ctrl *all, *ctrl;
	unsigned int seconds = 30;
	char text[TEXT_MAX] = "";
	bool json = false;
	int i = 1, ret = 1;
	size_t count;

	if (i < argc && !is_verb(argv[i]) && *argv[i] != '-')
		name = argv[i++];
	if (i < argc && *argv[i] != '-')
		verb = argv[i++];
	if (!verb) {
		if (i < argc && !strcmp(argv[i], "--json")) {
			json = true;
			i++;
		}
		/* Behind the option, as other commands have it. */
		if (!name && i < argc && !is_verb(argv[i]) && *argv[i] != '-')
			name = argv[i++];
		if (i < argc)
			return usage("set, try or check expected");
	} else {
		if (!is_verb(verb))
			return usage("set, try or check expected");
		if (!strcmp(verb, "try") && i + 1 < argc && !strcmp(argv[i], "--seconds")) {
			char *end;

			seconds = strtoul(argv[i + 1], &end, 10);
			if (*end || !seconds || seconds > 86400)
				return usage("--seconds: 1 to 86400");
			i += 2;
		}
		if (i == argc)
			return usage("a plan expected");
		if (join(argc - i, argv + i, text) || check(text))
			return 2;
		if (!strcmp(verb, "check"))
			return 0;
	}

	count = sys_find(&all);
	ctrl = sys_pick(all, count, name);
	if (ctrl && !verb) {
		show(ctrl, json);
		ret = 0;
	} else if (ctrl && !strcmp(verb, "set")) {
		ret = carry_out(ctrl, text) ? 1 : 0;
		if (!ret)
			show_granted(ctrl);
	} else if (ctrl) {
		ret = try_plan(ctrl, text, seconds);
	}
	sys_free(all, count);
	return ret;
}
