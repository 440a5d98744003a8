// SPDX-License-Identifier: GPL-2.0
/* nvmq top: what the queues of a controller do, as it happens. */
#include <ctype.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fits.h"
#include "nvmq.h"
#include "table.h"
#include "watch.h"

#define MESSAGE_MAX	200

enum sort { SORT_QUEUE, SORT_RATE, SORT_DEVICE_TIME, SORT_INTERRUPTS, NR_SORTS };

static const char *const sort_names[NR_SORTS] = { "queue", "rate", "device time", "interrupts" };

/**
 * struct top - what the screen shows
 * @ctrl: the controller
 * @now: the last span
 * @sort: order of the queues
 * @delay: seconds between two readings
 * @matrix: CPUs are shown as well
 * @paused: no new readings
 * @message: the last line but one
 */
struct top {
	struct sys_ctrl *ctrl;
	struct counters now;
	enum sort sort;
	unsigned int delay;
	bool matrix;
	bool paused;
	char message[MESSAGE_MAX];
};

static uint64_t weight(const struct counters_queue *q, enum sort sort)
{
	struct pairs sum;
	uint64_t ns;

	switch (sort) {
	case SORT_RATE:
		return q->num[NUM_COMPLETED];
	case SORT_INTERRUPTS:
		return q->num[NUM_INTERRUPTS];
	case SORT_DEVICE_TIME:
		sum = counters_all_ops(q->device);
		ns = pairs_time(&sum, 0.99);
		free(sum.p);
		return ns;
	default:
		return UINT32_MAX - q->qid;
	}
}

static enum sort sort_now;

static int heavier(const void *a, const void *b)
{
	uint64_t one = weight(a, sort_now), other = weight(b, sort_now);

	return one < other ? 1 : one > other ? -1 : 0;
}

static void put(int *row, int attributes, const char *text)
{
	if (*row >= LINES - 2)
		return;
	attrset(attributes);
	mvaddnstr((*row)++, 0, text, COLS);
	attrset(A_NORMAL);
}

static void draw(struct top *t)
{
	double seconds = counters_seconds(&t->now);
	struct counters_queue sum;
	char line[1024];
	int row = 0;
	size_t i;

	erase();
	snprintf(line, sizeof(line), "%s at %s, %s%s", t->ctrl->name, t->ctrl->bdf, t->ctrl->state,
		 t->paused ? "  PAUSED" : "");
	put(&row, A_BOLD, line);
	snprintf(line, sizeof(line), "asked    %s", t->ctrl->plan);
	put(&row, A_NORMAL, line);
	snprintf(line, sizeof(line), "granted  %s", t->ctrl->granted);
	put(&row, A_NORMAL, line);
	row++;
	put(&row, A_NORMAL, table_queue_head(0));
	put(&row, A_REVERSE, table_queue_head(1));
	sort_now = t->sort;
	qsort(t->now.queues, t->now.nr_queues, sizeof(*t->now.queues), heavier);
	for (i = 0; i < t->now.nr_queues; i++)
		put(&row, A_NORMAL, table_queue(&t->now.queues[i], seconds));
	counters_total(&t->now, &sum);
	put(&row, A_BOLD, table_queue(&sum, seconds));
	counters_free_queue(&sum);
	if (t->matrix) {
		row++;
		put(&row, A_REVERSE, table_cpu_head(&t->now));
		for (i = 0; i < t->now.nr_cpus; i++)
			put(&row, A_NORMAL, table_cpu(&t->now, &t->now.cpus[i]));
	}
	mvaddnstr(LINES - 2, 0, t->message, COLS);
	snprintf(line, sizeof(line),
		 "q quit  p pause  s sort: %s  m CPUs  e another plan  +- every %u s",
		 sort_names[t->sort], t->delay);
	attrset(A_REVERSE);
	mvaddnstr(LINES - 1, 0, line, COLS);
	attrset(A_NORMAL);
	refresh();
}

/* The attributes that a plan or a reset changes. */
static void refresh_ctrl(struct sys_ctrl *ctrl)
{
	static const char *const names[] = { "state", "plan", "granted" };
	char **texts[] = { &ctrl->state, &ctrl->plan, &ctrl->granted };
	size_t i;

	for (i = 0; i < 3; i++) {
		char *text = sys_read(SYS_PCI "/%s/nvmq/%s", ctrl->bdf, names[i]);

		if (!text)
			continue;
		free(*texts[i]);
		*texts[i] = text;
	}
}

/* Asks for a plan in the last line but one, and has it carried out. */
static void edit_plan(struct top *t)
{
	struct nvmq_plan_error error;
	char text[MESSAGE_MAX - 50] = "";
	int err;

	timeout(-1);
	echo();
	curs_set(1);
	move(LINES - 2, 0);
	clrtoeol();
	addstr("plan (empty: as it is): ");
	getnstr(text, sizeof(text) - 1);
	noecho();
	curs_set(0);
	t->message[0] = '\0';
	if (!*text || sys_interrupted())
		return;
	if (!plan_fits(text, &error)) {
		snprintf(t->message, sizeof(t->message), "\"%s\": %s", error.word, error.reason);
		return;
	}
	err = sys_write_attribute(t->ctrl, "plan", text);
	refresh_ctrl(t->ctrl);
	if (err)
		snprintf(t->message, sizeof(t->message), "%s: %s (the kernel log says more)", text,
			 strerror(err));
	else
		snprintf(t->message, sizeof(t->message), "granted: %s", t->ctrl->granted);
}

/* Returns false to end. */
static bool on_key(struct top *t, int key)
{
	switch (key) {
	case 'q':
		return false;
	case 'p':
		t->paused = !t->paused;
		break;
	case 's':
		t->sort = (t->sort + 1) % NR_SORTS;
		break;
	case 'm':
		t->matrix = !t->matrix;
		break;
	case 'e':
		edit_plan(t);
		break;
	case '+':
		t->delay += t->delay < 60;
		break;
	case '-':
		t->delay -= t->delay > 1;
		break;
	}
	return true;
}

/* Keys until it is time for the next reading; false to end. */
static bool wait_for_keys(struct top *t)
{
	int quarter;

	for (quarter = 0; t->paused || quarter < (int)t->delay * 4; quarter++) {
		int key;

		draw(t);
		timeout(250);
		key = getch();
		if (sys_interrupted() || (key != ERR && !on_key(t, key)))
			return false;
	}
	return true;
}

static int watch(struct top *t)
{
	struct counters last, next;
	int ret = 0;

	if (counters_read(t->ctrl, &last))
		return 1;
	while (wait_for_keys(t)) {
		/* The driver may be gone by now. */
		if (counters_span(t->ctrl, &next, &last)) {
			ret = 1;
			break;
		}
		counters_free(&t->now);
		t->now = next;
		refresh_ctrl(t->ctrl);
	}
	counters_free(&last);
	return ret;
}

/* All that can fail for want of a terminal, before anything is counted. */
static bool begin_screen(void)
{
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		fputs("nvmq top: a terminal is needed; nvmq stat --every does without\n", stderr);
		return false;
	}
	/* Before curses, which leaves alone what somebody else catches. */
	sys_catch_signals();
	/* initscr() would end the program. */
	if (!newterm(NULL, stdout, stdin)) {
		fprintf(stderr, "nvmq top: TERM=%s: no terminal that can be drawn on\n",
			term ? term : "");
		return false;
	}
	cbreak();
	noecho();
	keypad(stdscr, true);
	curs_set(0);
	return true;
}

static int run(struct top *t)
{
	bool was_on;
	int ret;

	if (counters_read(t->ctrl, &t->now))
		return 1;
	was_on = t->now.on;
	counters_free(&t->now);
	if (!begin_screen())
		return 1;
	if (!was_on && counters_switch(t->ctrl, true)) {
		endwin();
		return 1;
	}
	ret = watch(t);
	endwin();
	if (ret)
		fprintf(stderr, "nvmq top: %s: its counters are gone\n", t->ctrl->bdf);
	if (!was_on && counters_switch(t->ctrl, false))
		ret = 1;
	return ret;
}

int cmd_top(int argc, char **argv)
{
	struct top t = { .delay = 1, .matrix = true };
	const char *name = NULL;
	struct sys_ctrl *all;
	size_t count;
	int i, ret = 1;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--every") && i + 1 < argc &&
		    watch_number(argv[i + 1], 60, &t.delay)) {
			i++;
		} else if (*argv[i] != '-' && !name) {
			name = argv[i];
		} else {
			fprintf(stderr, "nvmq top: %s: not expected\n", argv[i]);
			return 2;
		}
	}
	count = sys_find(&all);
	t.ctrl = sys_pick(all, count, name);
	if (t.ctrl)
		ret = run(&t);
	counters_free(&t.now);
	sys_free(all, count);
	return ret;
}
