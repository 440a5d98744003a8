// SPDX-License-Identifier: GPL-2.0
/* Steps in words: the timeline and the summary. */
#include <stdlib.h>
#include <string.h>

#include "../drivers/nvme/names.h"
#include "../drivers/nvme/queue.h"
#include "sqe.h"
#include "step.h"
#include "sys.h"

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

/* The block layer's letters, as blktrace has them, as words. */
static char *rwbs_words(const char *rwbs)
{
	static const struct {
		char letter;
		const char *word;
	} words[] = {
		{ 'R', "read" }, { 'W', "write" }, { 'D', "discard" }, { 'N', "no data" },
		{ 'Z', "zeroes" }, { 'E', "secure" }, { 'S', "sync" }, { 'M', "metadata" },
		{ 'A', "read ahead" }, { 'U', "atomic" },
	};
	char *text = sys_must(strdup(""));
	const char *at, *word;
	bool op = false;
	size_t i;

	for (at = rwbs; *at; at++) {
		char *longer;

		word = NULL;
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (words[i].letter == *at)
				word = words[i].word;
		/* Before the operation F asks for a flush, behind it for FUA; alone it is one. */
		if (*at == 'F')
			word = op ? "FUA" : "flush";
		else
			op = true;
		if (!word || (!op && *text))
			continue;
		longer = sys_format("%s%s%s", text, *text ? ", " : "", word);
		free(text);
		text = longer;
	}
	return text;
}

static char *bio_words(const struct trace *t, const struct step *s)
{
	const struct step_disk *disk = story_disk(t, s->num[NUM_DEV]);
	char *what = rwbs_words(s->rwbs), *text;

	if (s->num[NUM_SECTORS])
		text = sys_format("bio of %s: %s, %lld sector%s at %lld of %s", s->comm, what,
				  (long long)s->num[NUM_SECTORS], plural(s->num[NUM_SECTORS]),
				  (long long)s->num[NUM_SECTOR], disk ? disk->name : "?");
	else
		text = sys_format("bio of %s: %s, no data", s->comm, what);
	free(what);
	return text;
}

static char *issue_words(const struct step *s)
{
	char *what = rwbs_words(s->rwbs), *text, *to;

	to = step_has(s, NUM_HCTX) ? sys_format(" to hctx %lld", (long long)s->num[NUM_HCTX]) :
				     sys_must(strdup(""));
	if (s->num[NUM_SECTORS])
		text = sys_format("request%s: %s, %lld bytes at sector %lld", to, what,
				  (long long)s->num[NUM_BYTES], (long long)s->num[NUM_SECTOR]);
	else
		text = sys_format("request%s: %s", to, what);
	free(to);
	free(what);
	return text;
}

static char *command_words(const struct step *s)
{
	const struct nvmq_sqe *sqe = (const void *)s->sqe;
	bool admin = !s->num[NUM_QID];
	uint32_t cdw12 = le32_to_cpu(sqe->cdw12);
	char *range, *text;

	if (!admin && (sqe->opcode == NVMQ_IO_READ || sqe->opcode == NVMQ_IO_WRITE ||
		       sqe->opcode == NVMQ_IO_WRITE_ZEROES))
		range = sys_format(", LBA %llu, %u block%s%s",
				   (unsigned long long)(le32_to_cpu(sqe->cdw10) |
							(uint64_t)le32_to_cpu(sqe->cdw11) << 32),
				   (cdw12 & 0xffff) + 1, plural((cdw12 & 0xffff) + 1),
				   cdw12 & NVMQ_RW_FUA ? ", FUA" : "");
	else
		range = sys_must(strdup(""));
	text = sys_format("SQ %lld[%lld]: %s, CID %#06llx, namespace %u%s",
			  (long long)s->num[NUM_QID], (long long)s->num[NUM_SLOT],
			  admin ? nvmq_names_admin(sqe->opcode) : nvmq_names_io(sqe->opcode),
			  (long long)s->num[NUM_CID], le32_to_cpu(sqe->nsid), range);
	free(range);
	return text;
}

static char *doorbell_words(const struct step *s)
{
	bool cq = s->num[NUM_CQ];
	char *old, *count, *text;

	old = step_has(s, NUM_OLD) ? sys_format("%lld -> ", (long long)s->num[NUM_OLD]) :
				     sys_must(strdup(""));
	count = step_has(s, NUM_COUNT) ?
		sys_format(" (%lld %s%s)", (long long)s->num[NUM_COUNT],
			   cq ? "completion" : "command", plural(s->num[NUM_COUNT])) :
		sys_must(strdup(""));
	text = sys_format("doorbell of %s %lld, %s %s%lld%s", cq ? "CQ" : "SQ",
			  (long long)s->num[NUM_QID], cq ? "head" : "tail", old,
			  (long long)s->num[NUM_VALUE], count);
	free(count);
	free(old);
	return text;
}

static char *vector_words(const struct step *s)
{
	return step_has(s, NUM_VECTOR) ?
	       sys_format(" (vector %lld)", (long long)s->num[NUM_VECTOR]) : sys_must(strdup(""));
}

/**
 * words_of - a step in a line
 * @t: the trace
 * @s: the step
 *
 * Return: the words, to be freed.
 */
char *words_of(const struct trace *t, const struct step *s)
{
	unsigned int status = s->num[NUM_STATUS] >> 1;
	char *vector, *text;

	switch (s->kind) {
	case STEP_CALL:
		return sys_format("%s calls %s", s->comm, s->text);
	case STEP_RETURN:
		return sys_format("%s returns %lld", s->text, (long long)s->num[NUM_RET]);
	case STEP_BIO:
		return bio_words(t, s);
	case STEP_ISSUE:
		return issue_words(s);
	case STEP_REQUEUE:
		return sys_format("request at sector %lld comes back, to be sent again",
				  (long long)s->num[NUM_SECTOR]);
	case STEP_COMMAND:
		return command_words(s);
	case STEP_PRP_LIST:
		return sys_format("PRP list at %#llx: %zu entries",
				  (long long)s->num[NUM_ADDR], s->nr_list);
	case STEP_DOORBELL:
		return doorbell_words(s);
	case STEP_DEVICE:
		return sys_must(strdup(s->text));
	case STEP_IRQ:
		vector = vector_words(s);
		text = sys_format("interrupt %lld%s, handler of %s", (long long)s->num[NUM_IRQ],
				  vector, s->text);
		free(vector);
		return text;
	case STEP_COMPLETION:
		return sys_format("CQ %lld[%lld]: CID %#06llx, phase %lld, SQ head %lld: %s%s",
				  (long long)s->num[NUM_QID], (long long)s->num[NUM_HEAD],
				  (long long)s->num[NUM_CID], (long long)s->num[NUM_STATUS] & 1,
				  (long long)s->num[NUM_SQHD], nvmq_names_status(status),
				  status & NVMQ_STATUS_DNR ? ", do not retry" : "");
	case STEP_HANDLED:
		return sys_format("handler for queue %lld has taken %lld completion%s",
				  (long long)s->num[NUM_QID], (long long)s->num[NUM_FOUND],
				  plural(s->num[NUM_FOUND]));
	case STEP_DONE:
		if (!s->num[NUM_SECTORS])
			return sys_format("request complete, error %lld",
					  (long long)s->num[NUM_ERROR]);
		if (s->num[NUM_SECTOR] < 0)
			return sys_format("request complete: %lld sector%s, error %lld",
					  (long long)s->num[NUM_SECTORS],
					  plural(s->num[NUM_SECTORS]),
					  (long long)s->num[NUM_ERROR]);
		return sys_format("request complete: %lld sector%s at %lld, error %lld",
				  (long long)s->num[NUM_SECTORS], plural(s->num[NUM_SECTORS]),
				  (long long)s->num[NUM_SECTOR], (long long)s->num[NUM_ERROR]);
	default:
		return sys_format("controller %s", s->text);
	}
}

/**
 * words_details - what a step has beside its line, in lines of their own
 * @s: the step
 * @sqe: commands: all fields of the SQE
 * @indent: begins each line
 * @to: where to
 */
void words_details(const struct step *s, bool sqe, const char *indent, FILE *to)
{
	const struct nvmq_sqe *e = (const void *)s->sqe;
	unsigned int cid = s->num[NUM_CID];
	size_t i;

	if (s->kind == STEP_COMMAND && sqe) {
		sqe_print(e, !s->num[NUM_QID], indent, to);
	} else if (s->kind == STEP_COMMAND) {
		fprintf(to, "%stag %u, generation %u; ", indent, cid & NVMQ_CID_TAG_MASK,
			cid >> NVMQ_CID_TAG_BITS);
		if (e->flags & NVMQ_SQE_SGL)
			fprintf(to, "SGL: %llu bytes at %#llx\n",
				(unsigned long long)le64_to_cpu(e->prp2) & 0xffffffff,
				(unsigned long long)le64_to_cpu(e->prp1));
		else
			fprintf(to, "PRP1 %#llx, PRP2 %#llx\n",
				(unsigned long long)le64_to_cpu(e->prp1),
				(unsigned long long)le64_to_cpu(e->prp2));
	}
	for (i = 0; i < s->nr_list; i++)
		fprintf(to, "%s[%zu] %#llx%s", i % 4 ? "  " : indent, i,
			(unsigned long long)s->list[i],
			i % 4 == 3 || i + 1 == s->nr_list ? "\n" : "");
}

/**
 * words_timeline - all steps, one in a line
 * @t: the trace, after story_find()
 * @sqe: with all fields of each SQE
 * @to: where to
 */
void words_timeline(const struct trace *t, bool sqe, FILE *to)
{
	static const char *const lanes[LANES] = { "program", "block", "driver", "device" };
	static const char indent[] = "                                           ";
	uint64_t begin = t->nr_steps ? t->step[0].ns : 0, before = begin;
	size_t i;

	fprintf(to, "%10s %9s %4s %5s  %-8s %s\n", "us", "+us", "CPU", "I/O", "where", "what");
	for (i = 0; i < t->nr_steps; i++) {
		const struct step *s = &t->step[i];
		char cpu[16] = "-", io[24] = "-", *text = words_of(t, s);

		if (s->cpu >= 0)
			snprintf(cpu, sizeof(cpu), "%d", s->cpu);
		if (step_has(s, NUM_IO) && s->num[NUM_COUNT] > 1)
			snprintf(io, sizeof(io), "%lld..", (long long)s->num[NUM_IO]);
		else if (step_has(s, NUM_IO))
			snprintf(io, sizeof(io), "%lld", (long long)s->num[NUM_IO]);
		fprintf(to, "%10.1f %9.1f %4s %5s  %-8s %s\n", (s->ns - begin) / 1e3,
			(s->ns - before) / 1e3, cpu, io, lanes[step_types[s->kind].lane], text);
		free(text);
		words_details(s, sqe, indent, to);
		before = s->ns;
	}
}

/* ---- the summary ---- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* A row: from one moment of the I/Os that have both to another. */
static void put_times(const struct trace *t, const char *name, size_t from, size_t to, FILE *f)
{
	uint64_t *ns = sys_must(malloc((t->nr_ios + 1) * sizeof(*ns)));
	size_t i, n = 0;

	for (i = 0; i < t->nr_ios; i++) {
		uint64_t a = *(const uint64_t *)((const char *)&t->io[i] + from);
		uint64_t b = *(const uint64_t *)((const char *)&t->io[i] + to);

		if (a && b && b >= a)
			ns[n++] = b - a;
	}
	qsort(ns, n, sizeof(*ns), by_value);
	if (n)
		fprintf(f, "  %-42s %9.1f %9.1f %9.1f\n", name, ns[0] / 1e3, ns[n / 2] / 1e3,
			ns[n - 1] / 1e3);
	free(ns);
}

static void put_commands(const struct trace *t, FILE *to)
{
	unsigned int opcode, failed = 0, resent = 0;
	size_t i, admin = 0;

	fputs("commands  ", to);
	for (i = 0; i < t->nr_ios; i++) {
		admin += t->io[i].commands && !t->io[i].qid;
		failed += !!(t->io[i].status & NVMQ_SC_MASK);
		resent += t->io[i].commands > 1;
	}
	for (opcode = 0; opcode < 256; opcode++) {
		size_t n = 0;

		for (i = 0; i < t->nr_ios; i++)
			n += t->io[i].qid && t->io[i].commands && t->io[i].opcode == opcode;
		if (n)
			fprintf(to, "  %zu %s", n, nvmq_names_io(opcode));
	}
	if (admin)
		fprintf(to, "  %zu admin", admin);
	if (failed)
		fprintf(to, "  %u failed", failed);
	if (resent)
		fprintf(to, "  %u sent again", resent);
	fputc('\n', to);
}

static void put_interrupts(const struct trace *t, FILE *to)
{
	size_t i, all = 0;
	int cpu, last = -1;

	for (i = 0; i < t->nr_steps; i++)
		if (t->step[i].kind == STEP_IRQ) {
			all++;
			last = t->step[i].cpu > last ? t->step[i].cpu : last;
		}
	fprintf(to, "interrupts  %zu", all);
	for (cpu = 0; cpu <= last; cpu++) {
		size_t n = 0;

		for (i = 0; i < t->nr_steps; i++)
			n += t->step[i].kind == STEP_IRQ && t->step[i].cpu == cpu;
		if (n)
			fprintf(to, "  %zu on CPU %d", n, cpu);
	}
	fputc('\n', to);
}

/**
 * words_summary - commands, doorbells, interrupts, times
 * @t: the trace, after story_find()
 * @to: where to
 */
void words_summary(const struct trace *t, FILE *to)
{
#define TIMES(name, from, until) \
	put_times(t, name, offsetof(struct io, from), offsetof(struct io, until), to)
	size_t i, sq = 0, cq = 0;

	for (i = 0; i < t->nr_steps; i++)
		if (t->step[i].kind == STEP_DOORBELL) {
			sq += !t->step[i].num[NUM_CQ];
			cq += !!t->step[i].num[NUM_CQ];
		}
	put_commands(t, to);
	fprintf(to, "doorbells   %zu SQ tail, %zu CQ head\n", sq, cq);
	put_interrupts(t, to);
	fprintf(to, "  %-42s %9s %9s %9s\n", "us", "least", "middle", "most");
	TIMES("block layer: bio to request", bio, issue);
	TIMES("driver: request to SQE", issue, command);
	TIMES("driver: SQE to doorbell", command, rung);
	TIMES("device: doorbell to interrupt", rung, irq);
	TIMES("driver: interrupt to completion taken", irq, completion);
	TIMES("back: completion taken to request complete", completion, done);
	TIMES("all of it: bio to request complete", bio, done);
	if (*t->clock)
		fprintf(to, "%s\n", t->clock);
	if (t->lost)
		fprintf(to, "%llu events were lost: there was no more room\n",
			(unsigned long long)t->lost);
#undef TIMES
}
