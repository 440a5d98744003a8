// SPDX-License-Identifier: GPL-2.0
/*
 * A trace as a picture: four lanes, time from the top down, a box for each step.
 * Time is not to scale, so that all of it can be read; the strip at the top is.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "step.h"
#include "sys.h"

#define WIDTH		1280
#define LEFT		120		/* where the lanes begin */
#define LANE		285		/* width of one */
#define BOX		265
#define TEXT		42		/* characters in a line of a box */
#define LINE		15		/* height of a line */
#define GAP		10		/* between two boxes */
/* Characters of the command in the title */
#define TITLE		110
#define STRIP		70		/* where the strip begins */
#define TOP		190		/* where the boxes begin */
/* A longer story is no picture any more. */
#define MOST		400

static const struct {
	const char *name, *fill, *line;
} lanes[LANES] = {
	[LANE_APP] = { "Program", "#f1ecf7", "#6a4c93" },
	[LANE_BLOCK] = { "Block layer", "#e6f0fa", "#1f4e79" },
	[LANE_DRIVER] = { "Driver", "#e8f5e9", "#2e7d32" },
	[LANE_DEVICE] = { "Device", "#fdf1df", "#b26a00" },
};

/* A box: its words in lines, and where it is. */
struct box {
	char *words;
	size_t lines;
	int y, height;
};

static void put_text(FILE *to, const char *text, size_t len)
{
	for (; len && *text; text++, len--)
		switch (*text) {
		case '<':
			fputs("&lt;", to);
			break;
		case '>':
			fputs("&gt;", to);
			break;
		case '&':
			fputs("&amp;", to);
			break;
		default:
			fputc(isprint((unsigned char)*text) ? *text : '?', to);
		}
}

/* A short text of our own, of a style: see put_head(). */
static void __attribute__((format(printf, 6, 7)))
put_label(FILE *to, double x, int y, const char *anchor, const char *style, const char *format, ...)
{
	va_list args;

	fprintf(to, "<text x='%.1f' y='%d' text-anchor='%s' class='%s'>", x, y, anchor, style);
	va_start(args, format);
	vfprintf(to, format, args);
	va_end(args);
	fputs("</text>\n", to);
}

static void put_rect(FILE *to, double x, int y, double width, int height, const char *fill,
		     const char *more)
{
	fprintf(to, "<rect x='%.1f' y='%d' width='%.1f' height='%d' fill='%s' %s/>\n", x, y, width,
		height, fill, more);
}

/*
 * How much of @text goes into the next line, without what separates it from the
 * rest.  A capital is as wide as one and a half others.
 */
static size_t next_line(const char *text, size_t *skip)
{
	size_t width = 0, blank = 0, at;

	*skip = 0;
	for (at = 0; text[at]; at++) {
		if (text[at] == ' ')
			blank = at;
		width += isupper((unsigned char)text[at]) ? 3 : 2;
		if (width > 2 * TEXT) {
			*skip = !!blank;
			return blank ? blank : at;
		}
	}
	return at;
}

static void lay_out(const struct trace *t, size_t count, struct box *box)
{
	int y = TOP;
	size_t i;

	for (i = 0; i < count; i++) {
		const char *rest;
		size_t skip, len;

		box[i].words = words_of(t, &t->step[i]);
		for (rest = box[i].words; *rest; rest += len + skip) {
			len = next_line(rest, &skip);
			box[i].lines++;
		}
		box[i].y = y;
		box[i].height = box[i].lines * LINE + 18;
		y += box[i].height + GAP;
	}
}

static int left_of(const struct step *s)
{
	return LEFT + step_types[s->kind].lane * LANE + (LANE - BOX) / 2;
}

/* What this step follows from: the last one of its I/O, or the one before; itself if nothing. */
static size_t cause_of(const struct trace *t, size_t i)
{
	const struct step *s = &t->step[i];
	size_t k;

	if (!i || s->kind == STEP_HANDLED)
		return i;
	if (!step_has(s, NUM_IO) || s->num[NUM_COUNT] > 1)
		return i - 1;
	if (!step_has(&t->step[i - 1], NUM_IO))
		return i - 1;
	for (k = i; k-- > 0;)
		if (step_has(&t->step[k], NUM_IO) && t->step[k].num[NUM_IO] == s->num[NUM_IO])
			return k;
	return i - 1;
}

static void put_arrow(FILE *to, const struct trace *t, const struct box *box, size_t i)
{
	const struct step *s = &t->step[i], *from;
	size_t cause = cause_of(t, i);
	int x1, x2, y1, y2;

	from = &t->step[cause];
	if (cause == i || step_types[from->kind].lane == step_types[s->kind].lane)
		return;
	x1 = left_of(from) + BOX / 2;
	y1 = box[cause].y + box[cause].height;
	y2 = box[i].y + box[i].height / 2;
	x2 = left_of(s) + (left_of(s) > left_of(from) ? 0 : BOX);
	/* Down in the gap below the cause, across, and in from the side. */
	fprintf(to, "<path d='M%d %d V%d H%d' fill='none' stroke='%s' stroke-width='1.5' ", x1, y1,
		y2, x2, lanes[step_types[from->kind].lane].line);
	fputs("marker-end='url(#head)'/>\n", to);
}

static void put_box(FILE *to, const struct trace *t, const struct box *box, size_t i)
{
	const struct step *s = &t->step[i];
	enum step_lane lane = step_types[s->kind].lane;
	uint64_t begin = t->step[0].ns, before = i ? t->step[i - 1].ns : begin;
	int x = left_of(s), y = box[i].y + LINE + 1, bottom = box[i].y + box[i].height - 4;
	bool io = step_has(s, NUM_IO) && t->nr_ios > 1;
	char cpu[24] = "", border[48];
	const char *rest;
	size_t skip, len;

	put_label(to, LEFT - 52, y, "end", "t", "%.1f", (s->ns - begin) / 1e3);
	put_label(to, LEFT - 6, y, "end", "d", "+%.1f", (s->ns - before) / 1e3);
	snprintf(border, sizeof(border), "rx='4' stroke='%s'", lanes[lane].line);
	put_rect(to, x, box[i].y, BOX, box[i].height, lanes[lane].fill, border);
	if (s->cpu >= 0)
		snprintf(cpu, sizeof(cpu), "%sCPU %d", io ? ", " : "", s->cpu);
	if (io)
		put_label(to, x + BOX - 5, bottom, "end", "n", "I/O %lld%s%s",
			  (long long)s->num[NUM_IO], s->num[NUM_COUNT] > 1 ? ".." : "", cpu);
	else
		put_label(to, x + BOX - 5, bottom, "end", "n", "%s", cpu);
	for (rest = box[i].words; *rest; rest += len + skip, y += LINE) {
		len = next_line(rest, &skip);
		fprintf(to, "<text x='%d' y='%d'>", x + 7, y);
		put_text(to, rest, len);
		fputs("</text>\n", to);
	}
}

/* Who did the last step had the time until the next one. */
static void put_strip(FILE *to, const struct trace *t, size_t count)
{
	double begin = t->step[0].ns, span = t->step[count - 1].ns - begin;
	const int wide = WIDTH - LEFT - 20;
	enum step_lane lane;
	size_t i;
	int k;

	for (lane = 0; lane < LANES; lane++)
		put_label(to, LEFT - 6, STRIP + (int)lane * 16 + 11, "end", "d", "%s",
			  lanes[lane].name);
	for (i = 0; span > 0 && i + 1 < count; i++) {
		double from = t->step[i].ns - begin, to_next = t->step[i + 1].ns - t->step[i].ns;

		lane = step_types[t->step[i].kind].lane;
		put_rect(to, LEFT + from / span * wide, STRIP + (int)lane * 16,
			 to_next / span * wide + 0.5, 12, lanes[lane].line, "");
	}
	for (k = 0; k <= 4; k++)
		put_label(to, LEFT + wide * k / 4, STRIP + 78, k == 0 ? "start" : k == 4 ? "end" :
			  "middle", "d", "%.1f us", span * k / 4e3);
}

static void put_head(FILE *to, const struct trace *t, size_t count, int height)
{
	enum step_lane lane;

	fprintf(to, "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' ", WIDTH,
		height);
	fprintf(to, "viewBox='0 0 %d %d' font-family='sans-serif' font-size='12'>\n", WIDTH,
		height);
	fputs("<style>.t{font-size:11px}.d{font-size:10px;fill:#777}", to);
	fputs(".n{font-size:9px;fill:#777}.h{font-size:14px;font-weight:bold}</style>\n", to);
	fputs("<marker id='head' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' ", to);
	fputs("markerHeight='7' orient='auto'><path d='M0 0 L8 4 L0 8 z' fill='#555'/>", to);
	fputs("</marker>\n", to);
	put_rect(to, 0, 0, WIDTH, height, "white", "");
	fprintf(to, "<text x='20' y='26' class='h'>%s at %s", t->name, t->bdf);
	if (*t->command) {
		fputs(": ", to);
		put_text(to, t->command, TITLE);
		if (strlen(t->command) > TITLE)
			fputs(" ...", to);
	}
	fputs("</text>\n", to);
	put_label(to, 20, 46, "start", "d",
		  "Times in microseconds, since the start and since the step before. %s", t->clock);
	if (count < t->nr_steps)
		put_label(to, 20, 60, "start", "d", "The first %zu of %zu steps.", count,
			  t->nr_steps);
	for (lane = 0; lane < LANES; lane++) {
		int x = LEFT + lane * LANE;

		put_rect(to, x + 2, TOP - 30, LANE - 4, height - TOP + 20, lanes[lane].fill,
			 "opacity='0.35'");
		fprintf(to, "<g fill='%s'>", lanes[lane].line);
		put_label(to, x + LANE / 2, TOP - 12, "middle", "h", "%s", lanes[lane].name);
		fputs("</g>\n", to);
	}
}

/**
 * lanes_write_svg - draw a trace
 * @t: the trace, after story_find()
 * @path: where the picture goes
 *
 * Return: 0; 1, with a line on stderr.
 */
int lanes_write_svg(const struct trace *t, const char *path)
{
	size_t i, count = t->nr_steps < MOST ? t->nr_steps : MOST;
	struct box *box = sys_must(calloc(count + 1, sizeof(*box)));
	FILE *to = fopen(path, "we");
	bool bad;

	if (!to) {
		fprintf(stderr, "nvmq trace: %s: %s\n", path, strerror(errno));
		free(box);
		return 1;
	}
	lay_out(t, count, box);
	put_head(to, t, count, count ? box[count - 1].y + box[count - 1].height + 20 : TOP + 20);
	if (count)
		put_strip(to, t, count);
	for (i = 0; i < count; i++)
		put_arrow(to, t, box, i);
	for (i = 0; i < count; i++)
		put_box(to, t, box, i);
	fputs("</svg>\n", to);
	bad = ferror(to);
	bad |= !!fclose(to);
	if (bad)
		fprintf(stderr, "nvmq trace: %s: cannot be written\n", path);
	for (i = 0; i < count; i++)
		free(box[i].words);
	free(box);
	return bad;
}
