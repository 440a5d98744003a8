// SPDX-License-Identifier: GPL-2.0
/*
 * The judge's book.
 *
 * A violation is one line, so that grep finds it whole; the last commands of its queue stand at
 * the end of the line.
 */
#include <endian.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

/* Commands remembered of each queue: what fits into a line that can still be read. */
#define HISTORY		4
/* Queues that are remembered. */
#define QUEUES		1024
/* Lines kept for judge_print(). */
#define KEPT		32
#define LINE		1024

static const struct judge_rule rules[NR_RULES] = {
#define DEFRULE(id, section, sentence)	{ #id, section, sentence },
#include "rules.h"
};

struct past {
	unsigned int slot;
	struct nvmq_sqe sqe;
};

struct history {
	struct past past[HISTORY];
	unsigned int nr;
};

struct judge {
	enum judge_mode mode;
	bool armed;
	FILE *log;
	unsigned long count[NR_RULES];
	unsigned long total;
	struct history *history[QUEUES];
	char kept[KEPT][LINE];
	unsigned long nr_kept;
};

struct judge *judge_new(enum judge_mode mode, FILE *log)
{
	struct judge *judge = calloc(1, sizeof(*judge));

	if (!judge)
		return NULL;
	judge->mode = mode;
	judge->armed = true;
	judge->log = log;
	return judge;
}

void judge_free(struct judge *judge)
{
	unsigned int i;

	if (!judge)
		return;
	for (i = 0; i < QUEUES; i++)
		free(judge->history[i]);
	free(judge);
}

/* snprintf() behind what is there; what does not fit is cut off. */
__attribute__((format(printf, 3, 4)))
static void add(char *line, size_t size, const char *fmt, ...)
{
	size_t used = strlen(line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + used, size - used, fmt, ap);
	va_end(ap);
}

static void add_history(const struct history *h, char *line, size_t size)
{
	unsigned int nr = h->nr < HISTORY ? h->nr : HISTORY, i;

	for (i = 0; i < nr; i++) {
		const struct past *past = &h->past[(h->nr - 1 - i) % HISTORY];
		const struct nvmq_sqe *sqe = &past->sqe;

		add(line, size, "%s [%u] op %02x fl %02x cid %u ns %x prp %llx %llx dw %x %x %x %x",
		    i ? ";" : " | last:", past->slot, sqe->opcode, sqe->flags,
		    le16toh(sqe->cid), le32toh(sqe->nsid), (unsigned long long)le64toh(sqe->prp1),
		    (unsigned long long)le64toh(sqe->prp2), le32toh(sqe->cdw10),
		    le32toh(sqe->cdw11), le32toh(sqe->cdw12), le32toh(sqe->cdw13));
	}
}

void judge_violation(struct judge *judge, enum rule rule, int qid, const char *fmt, ...)
{
	const struct judge_rule *r = &rules[rule];
	char *line;
	va_list ap;
	size_t used;

	if (!judge_armed(judge))
		return;
	judge->total++;
	if (++judge->count[rule] > JUDGE_LINES)
		return;
	line = judge->kept[judge->nr_kept++ % KEPT];
	snprintf(line, LINE, "violation %s (%s): ", r->id, r->section);
	if (qid >= 0)
		add(line, LINE, "queue %d: ", qid);
	used = strlen(line);
	va_start(ap, fmt);
	vsnprintf(line + used, LINE - used, fmt, ap);
	va_end(ap);
	add(line, LINE, ". %s.", r->sentence);
	if (qid >= 0 && qid < QUEUES && judge->history[qid])
		add_history(judge->history[qid], line, LINE);
	if (judge->log) {
		fprintf(judge->log, "%s\n", line);
		if (judge->count[rule] == JUDGE_LINES)
			fprintf(judge->log, "violation %s: more of them are only counted\n",
				r->id);
		fflush(judge->log);
	}
}

void judge_command(struct judge *judge, unsigned int qid, unsigned int slot,
		   const struct nvmq_sqe *sqe)
{
	struct history *h;
	struct past *past;

	if (!judge || judge->mode == JUDGE_OFF || qid >= QUEUES)
		return;
	h = judge->history[qid];
	if (!h) {
		h = calloc(1, sizeof(*h));
		if (!h)
			return;
		judge->history[qid] = h;
	}
	past = &h->past[h->nr++ % HISTORY];
	past->slot = slot;
	past->sqe = *sqe;
}

unsigned long judge_count(const struct judge *judge, enum rule rule)
{
	return judge->count[rule];
}

unsigned long judge_total(const struct judge *judge)
{
	return judge->total;
}

void judge_clear(struct judge *judge)
{
	unsigned int i;

	memset(judge->count, 0, sizeof(judge->count));
	judge->total = 0;
	judge->nr_kept = 0;
	for (i = 0; i < QUEUES; i++)
		if (judge->history[i])
			judge->history[i]->nr = 0;
}

void judge_print(const struct judge *judge, FILE *out)
{
	unsigned long i = judge->nr_kept > KEPT ? judge->nr_kept - KEPT : 0;

	for (; i < judge->nr_kept; i++)
		fprintf(out, "%s\n", judge->kept[i % KEPT]);
}

void judge_arm(struct judge *judge, bool armed)
{
	judge->armed = armed;
}

bool judge_armed(const struct judge *judge)
{
	return judge && judge->armed && judge->mode != JUDGE_OFF;
}

enum judge_mode judge_mode(const struct judge *judge)
{
	return judge->mode;
}

const struct judge_rule *judge_rule(enum rule rule)
{
	return &rules[rule];
}
