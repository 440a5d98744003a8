// SPDX-License-Identifier: GPL-2.0
/* Queue plans as text: parse, format, check_list, select. */
#include <ctype.h>
#include <errno.h>

#include "tap.h"
#include "plan.c"

#define D	NVMQ_PER_CPU

static bool same_plan(const struct nvmq_plan *a, const struct nvmq_plan *b)
{
	int t;

	for (t = 0; t < NVMQ_NR_TYPES; t++)
		if (a->queues[t] != b->queues[t])
			return false;
	return a->depth == b->depth && a->vectors == b->vectors && a->irq == b->irq &&
	       a->placement == b->placement;
}

static const char *show(const struct nvmq_plan *p)
{
	static char text[4][128];
	static int turn;
	char *s = text[turn++ % 4];

	snprintf(s, 128, "{%u,%u,%u depth %u vectors %u irq %d placement %d}", p->queues[0],
		 p->queues[1], p->queues[2], p->depth, p->vectors, p->irq, p->placement);
	return s;
}

/* Parse from a block of exactly the right size, so that a read beyond it is caught. */
static int parse(const char *text, size_t len, struct nvmq_plan *plan, struct nvmq_plan_error *err)
{
	char *copy = malloc(len);
	int ret;

	memcpy(copy, text, len);
	ret = nvmq_plan_parse(copy, len, plan, err);
	free(copy);
	return ret;
}

static void test_legal(void)
{
	static const struct {
		const char *text;
		struct nvmq_plan plan;
	} cases[] = {
		{ "", { { D, 0, 0 }, 0, 0, 0, 0 } },
		{ " \t\n\v\f\r,,", { { D, 0, 0 }, 0, 0, 0, 0 } },
		{ "default=1", { { 1, 0, 0 }, 0, 0, 0, 0 } },
		{ "default=65535", { { 65535, 0, 0 }, 0, 0, 0, 0 } },
		{ "default=cpu", { { D, 0, 0 }, 0, 0, 0, 0 } },
		{ "default=core", { { NVMQ_PER_CORE, 0, 0 }, 0, 0, 0, 0 } },
		{ "default=node", { { NVMQ_PER_NODE, 0, 0 }, 0, 0, 0, 0 } },
		{ "read=0", { { D, 0, 0 }, 0, 0, 0, 0 } },
		{ "read=7", { { D, 7, 0 }, 0, 0, 0, 0 } },
		{ "read=65535", { { D, 65535, 0 }, 0, 0, 0, 0 } },
		{ "read=cpu", { { D, NVMQ_PER_CPU, 0 }, 0, 0, 0, 0 } },
		{ "read=core", { { D, NVMQ_PER_CORE, 0 }, 0, 0, 0, 0 } },
		{ "read=node", { { D, NVMQ_PER_NODE, 0 }, 0, 0, 0, 0 } },
		{ "poll=0", { { D, 0, 0 }, 0, 0, 0, 0 } },
		{ "poll=2", { { D, 0, 2 }, 0, 0, 0, 0 } },
		{ "poll=65535", { { D, 0, 65535 }, 0, 0, 0, 0 } },
		{ "poll=cpu", { { D, 0, NVMQ_PER_CPU }, 0, 0, 0, 0 } },
		{ "poll=core", { { D, 0, NVMQ_PER_CORE }, 0, 0, 0, 0 } },
		{ "poll=node", { { D, 0, NVMQ_PER_NODE }, 0, 0, 0, 0 } },
		{ "depth=2", { { D, 0, 0 }, 2, 0, 0, 0 } },
		{ "depth=4095", { { D, 0, 0 }, 4095, 0, 0, 0 } },
		{ "depth=00064", { { D, 0, 0 }, 64, 0, 0, 0 } },
		{ "vectors=1", { { D, 0, 0 }, 0, 1, 0, 0 } },
		{ "vectors=2048", { { D, 0, 0 }, 0, 2048, 0, 0 } },
		{ "irq=msix", { { D, 0, 0 }, 0, 0, NVMQ_IRQ_MSIX, 0 } },
		{ "irq=msi", { { D, 0, 0 }, 0, 0, NVMQ_IRQ_MSI, 0 } },
		{ "irq=intx", { { D, 0, 0 }, 0, 0, NVMQ_IRQ_INTX, 0 } },
		{ "placement=managed", { { D, 0, 0 }, 0, 0, 0, NVMQ_PLACE_MANAGED } },
		{ "placement=free", { { D, 0, 0 }, 0, 0, 0, NVMQ_PLACE_FREE } },
		{ "default=cpu poll=2", { { D, 0, 2 }, 0, 0, 0, 0 } },
		{ ", default=1,depth=64\n", { { 1, 0, 0 }, 64, 0, 0, 0 } },
		{ "placement=free irq=msi vectors=3 depth=9 poll=4 read=5 default=6",
		  { { 6, 5, 4 }, 9, 3, NVMQ_IRQ_MSI, NVMQ_PLACE_FREE } },
	};
	struct nvmq_plan_error err;
	struct nvmq_plan plan;
	size_t i;
	int ret;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		memset(&plan, 0xa5, sizeof(plan));
		memset(&err, 0xa5, sizeof(err));
		ret = parse(cases[i].text, strlen(cases[i].text), &plan, &err);
		CHECK(!ret, "\"%s\": %d", cases[i].text, ret);
		CHECK(!err.reason && !err.word[0], "\"%s\" left an error", cases[i].text);
		CHECK(same_plan(&plan, &cases[i].plan), "\"%s\": %s, not %s", cases[i].text,
		      show(&plan), show(&cases[i].plan));
		CHECK(!nvmq_plan_parse(cases[i].text, strlen(cases[i].text), &plan, NULL),
		      "\"%s\" without err", cases[i].text);
	}
}

static const char long_word[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ=1";

struct bad_case {
	const char *text;
	int code;
	const char *word;
	const char *reason;
};

#define COUNT_EXPECTED	"number, cpu, core or node expected"

static const struct bad_case bad_cases[] = {
	{ "defaults=1", -EINVAL, "defaults=1", "unknown word" },
	{ "Default=1", -EINVAL, "Default=1", "unknown word" },
	{ "defaul=1", -EINVAL, "defaul=1", "unknown word" },
	{ "=1", -EINVAL, "=1", "unknown word" },
	{ "=", -EINVAL, "=", "unknown word" },
	{ "cpu", -EINVAL, "cpu", "unknown word" },
	{ "depth=8 = 9", -EINVAL, "=", "unknown word" },
	{ "depth=8 queue-depth=9", -EINVAL, "queue-depth=9", "unknown word" },
	{ "default", -EINVAL, "default", "empty value" },
	{ "default=", -EINVAL, "default=", "empty value" },
	{ "irq=", -EINVAL, "irq=", "empty value" },
	{ "depth= 5", -EINVAL, "depth=", "empty value" },
	{ "default=x", -EINVAL, "default=x", COUNT_EXPECTED },
	{ "default=-1", -EINVAL, "default=-1", COUNT_EXPECTED },
	{ "default=+1", -EINVAL, "default=+1", COUNT_EXPECTED },
	{ "default=0x10", -EINVAL, "default=0x10", COUNT_EXPECTED },
	{ "default=1.5", -EINVAL, "default=1.5", COUNT_EXPECTED },
	{ "default=cpus", -EINVAL, "default=cpus", COUNT_EXPECTED },
	{ "default=cp", -EINVAL, "default=cp", COUNT_EXPECTED },
	{ "default==1", -EINVAL, "default==1", COUNT_EXPECTED },
	{ "read=1:2", -EINVAL, "read=1:2", COUNT_EXPECTED },
	{ "poll=msix", -EINVAL, "poll=msix", COUNT_EXPECTED },
	{ "depth=cpu", -EINVAL, "depth=cpu", "number expected" },
	{ "vectors=many", -EINVAL, "vectors=many", "number expected" },
	{ "irq=msi-x", -EINVAL, "irq=msi-x", "msix, msi or intx expected" },
	{ "irq=0", -EINVAL, "irq=0", "msix, msi or intx expected" },
	{ "irq=1", -EINVAL, "irq=1", "msix, msi or intx expected" },
	{ "placement=user", -EINVAL, "placement=user", "managed or free expected" },
	{ "placement=1", -EINVAL, "placement=1", "managed or free expected" },
	{ "default=0", -ERANGE, "default=0", "out of range 1 to 65535" },
	{ "default=65536", -ERANGE, "default=65536", "out of range 1 to 65535" },
	{ "default=65537", -ERANGE, "default=65537", "out of range 1 to 65535" },
	{ "default=4294967297", -ERANGE, "default=4294967297", "out of range 1 to 65535" },
	{ "default=18446744073709551617", -ERANGE, "default=18446744073709551617",
	  "out of range 1 to 65535" },
	{ "read=65536", -ERANGE, "read=65536", "out of range 0 to 65535" },
	{ "poll=65539", -ERANGE, "poll=65539", "out of range 0 to 65535" },
	{ "depth=0", -ERANGE, "depth=0", "out of range 2 to 4095" },
	{ "depth=1", -ERANGE, "depth=1", "out of range 2 to 4095" },
	{ "depth=4096", -ERANGE, "depth=4096", "out of range 2 to 4095" },
	{ "depth=65600", -ERANGE, "depth=65600", "out of range 2 to 4095" },
	{ "vectors=0", -ERANGE, "vectors=0", "out of range 1 to 2048" },
	{ "vectors=2049", -ERANGE, "vectors=2049", "out of range 1 to 2048" },
	{ "default=1 default=1", -EINVAL, "default=1", "given twice" },
	{ "default=1 read=2 default=cpu", -EINVAL, "default=cpu", "given twice" },
	{ "read=0 read=0", -EINVAL, "read=0", "given twice" },
	{ "poll=0,poll=1", -EINVAL, "poll=1", "given twice" },
	{ "depth=5 depth=5", -EINVAL, "depth=5", "given twice" },
	{ "vectors=5 vectors=6", -EINVAL, "vectors=6", "given twice" },
	{ "irq=msix irq=msix", -EINVAL, "irq=msix", "given twice" },
	{ "placement=free placement=x", -EINVAL, "placement=x", "given twice" },
	{ "d\xc3\xa9=1", -EINVAL, "d?\?=1", "unknown word" },
	{ "\x01\x7f\x1b[2J", -EINVAL, "?\?\?[2J", "unknown word" },
	{ "default=1;depth=2", -EINVAL, "default=1;depth=2", COUNT_EXPECTED },
	{ "default=1 0000:00:11.0", -EINVAL, "0000:00:11.0", "no PCI address may stand here" },
	{ "00:11.0 default=1", -EINVAL, "00:11.0", "no PCI address may stand here" },
	{ long_word, -EINVAL, "abcdefghijklmnopqrstuvwxyz0123456789ABC", "unknown word" },
};

static void check_error(const struct bad_case *c, int ret, const struct nvmq_plan_error *err)
{
	CHECK(ret == c->code, "\"%s\": %d, not %d", c->text, ret, c->code);
	CHECK(!strcmp(err->word, c->word), "\"%s\": word \"%s\", not \"%s\"", c->text, err->word,
	      c->word);
	CHECK(err->reason && !strcmp(err->reason, c->reason), "\"%s\": \"%s\", not \"%s\"",
	      c->text, err->reason ? err->reason : "(none)", c->reason);
}

static void test_errors(void)
{
	struct nvmq_plan plan, before;
	struct nvmq_plan_error err;
	size_t i;
	int ret;

	memset(&before, 0x5a, sizeof(before));
	for (i = 0; i < sizeof(bad_cases) / sizeof(*bad_cases); i++) {
		plan = before;
		memset(&err, 0xa5, sizeof(err));
		ret = parse(bad_cases[i].text, strlen(bad_cases[i].text), &plan, &err);
		check_error(&bad_cases[i], ret, &err);
		CHECK(same_plan(&plan, &before), "\"%s\" changed the plan", bad_cases[i].text);
		ret = nvmq_plan_parse(bad_cases[i].text, strlen(bad_cases[i].text), &plan, NULL);
		CHECK(ret == bad_cases[i].code, "\"%s\" without err: %d", bad_cases[i].text, ret);
	}

	/* A zero byte is no end: it is part of a word. */
	ret = parse("depth=8\0 poll=1", 15, &plan, &err);
	CHECK(ret == -EINVAL && !strcmp(err.word, "depth=8?"), "%d \"%s\"", ret, err.word);
	ret = parse("depth=8 \0", 9, &plan, &err);
	CHECK(ret == -EINVAL && !strcmp(err.word, "?"), "%d \"%s\"", ret, err.word);
	/* And @len is one, whatever follows. */
	ret = parse("depth=8192", 9, &plan, &err);
	CHECK(!ret && plan.depth == 819, "%d %u", ret, plan.depth);
	ret = parse("default=cpux", 11, &plan, &err);
	CHECK(!ret && plan.queues[NVMQ_DEFAULT] == NVMQ_PER_CPU, "%d", ret);
}

/* Every number from 0 to beyond the largest limit, for every key that takes one. */
static void test_ranges(void)
{
	static const struct {
		const char *key;
		u32 lo, hi;
	} ranges[] = {
		{ "default", 1, 65535 }, { "read", 0, 65535 }, { "poll", 0, 65535 },
		{ "depth", 2, 4095 }, { "vectors", 1, 2048 },
	};
	struct nvmq_plan plan;
	char text[40];
	u32 n, got;
	size_t i;
	int ret;

	for (i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		for (n = 0; n < 70000; n++) {
			snprintf(text, sizeof(text), "%s=%u", ranges[i].key, n);
			ret = nvmq_plan_parse(text, strlen(text), &plan, NULL);
			if (n < ranges[i].lo || n > ranges[i].hi) {
				CHECK(ret == -ERANGE, "%s: %d", text, ret);
				continue;
			}
			got = i < 3 ? plan.queues[i] : i == 3 ? plan.depth : plan.vectors;
			CHECK(!ret && got == n, "%s: %d, %u", text, ret, got);
		}
	}
}

static u32 rnd_count(u32 lo)
{
	switch (rnd_in(0, 5)) {
	case 0:
		return rnd_in(NVMQ_PER_CPU, NVMQ_PER_NODE);
	case 1:
		return lo;
	case 2:
		return NVMQ_PLAN_MAX_QUEUES;
	case 3:
		return rnd_in(lo, NVMQ_PLAN_MAX_QUEUES);
	default:
		return rnd_in(lo, 9);
	}
}

static void rnd_plan(struct nvmq_plan *plan)
{
	plan->queues[NVMQ_DEFAULT] = rnd_count(1);
	plan->queues[NVMQ_READ] = rnd_count(0);
	plan->queues[NVMQ_POLL] = rnd_count(0);
	plan->depth = rnd_in(0, 2) ? rnd_in(NVMQ_PLAN_MIN_DEPTH, NVMQ_PLAN_MAX_DEPTH) : 0;
	plan->vectors = rnd_in(0, 2) ? rnd_in(1, NVMQ_PLAN_MAX_VECTORS) : 0;
	plan->irq = rnd_in(NVMQ_IRQ_MSIX, NVMQ_IRQ_INTX);
	plan->placement = rnd_in(NVMQ_PLACE_MANAGED, NVMQ_PLACE_FREE);
}

static int put_count(char *at, const char *key, u32 count)
{
	static const char * const names[] = { "cpu", "core", "node" };

	if (count >= NVMQ_PER_CPU)
		return sprintf(at, "%s=%s", key, names[count - NVMQ_PER_CPU]);
	return sprintf(at, "%s=%u", key, count);
}

/* Write @plan in any legal way: words in any order, any separators, defaults said or not. */
static void write_plan(const struct nvmq_plan *plan, char *at)
{
	static const char blanks[] = " ,\t\n\v\f\r";
	static const char * const irq[] = { "irq=msix", "irq=msi", "irq=intx" };
	static const char * const place[] = { "placement=managed", "placement=free" };
	int order[7] = { 0, 1, 2, 3, 4, 5, 6 }, i, j, n;

	for (i = 6; i > 0; i--) {
		j = rnd_in(0, i);
		n = order[i];
		order[i] = order[j];
		order[j] = n;
	}
	*at = '\0';
	for (i = 0; i < 7; i++) {
		for (n = rnd_in(0, 2); n; n--)
			*at++ = blanks[rnd_in(0, 6)];
		n = 0;
		if (order[i] == 0 && (plan->queues[0] != NVMQ_PER_CPU || rnd_in(0, 1)))
			n = put_count(at, "default", plan->queues[0]);
		if (order[i] == 1 && (plan->queues[1] || rnd_in(0, 1)))
			n = put_count(at, "read", plan->queues[1]);
		if (order[i] == 2 && (plan->queues[2] || rnd_in(0, 1)))
			n = put_count(at, "poll", plan->queues[2]);
		if (order[i] == 3 && plan->depth)
			n = sprintf(at, "depth=%u", plan->depth);
		if (order[i] == 4 && plan->vectors)
			n = sprintf(at, "vectors=%u", plan->vectors);
		if (order[i] == 5 && (plan->irq || rnd_in(0, 1)))
			n = sprintf(at, "%s", irq[plan->irq]);
		if (order[i] == 6 && (plan->placement || rnd_in(0, 1)))
			n = sprintf(at, "%s", place[plan->placement]);
		at += n;
		*at++ = blanks[rnd_in(0, 6)];
		*at = '\0';
	}
}

static void test_round_trip(void)
{
	char text[NVMQ_PLAN_TEXT], again[NVMQ_PLAN_TEXT], loose[256];
	struct nvmq_plan plan, back;
	struct nvmq_plan_error err;
	int i, ret, len;

	for (i = 0; i < 40000; i++) {
		rnd_plan(&plan);
		len = nvmq_plan_format(&plan, text, sizeof(text));
		CHECK(len > 0 && (size_t)len == strlen(text), "%s: %d", show(&plan), len);
		CHECK(!strncmp(text, "default=", 8), "\"%s\"", text);
		ret = parse(text, len, &back, &err);
		CHECK(!ret && same_plan(&plan, &back), "%s -> \"%s\" -> %d %s", show(&plan), text,
		      ret, show(&back));
		nvmq_plan_format(&back, again, sizeof(again));
		CHECK(!strcmp(text, again), "\"%s\" \"%s\"", text, again);

		write_plan(&plan, loose);
		ret = parse(loose, strlen(loose), &back, &err);
		CHECK(!ret && same_plan(&plan, &back), "\"%s\": %d %s", loose, ret, show(&back));
	}
}

static const char longest_plan[] =
	"default=65535 read=65535 poll=65535 depth=4095 vectors=2048 irq=intx placement=free";

static void test_format(void)
{
	static const struct {
		struct nvmq_plan plan;
		const char *text;
	} cases[] = {
		{ { { D, 0, 0 }, 0, 0, 0, 0 }, "default=cpu" },
		{ { { 1, 0, 0 }, 0, 0, 0, 0 }, "default=1" },
		{ { { NVMQ_PER_CORE, NVMQ_PER_NODE, NVMQ_PER_CPU }, 64, 3, NVMQ_IRQ_MSI,
		    NVMQ_PLACE_FREE },
		  "default=core read=node poll=cpu depth=64 vectors=3 irq=msi placement=free" },
		{ { { 65535, 65535, 65535 }, 4095, 2048, NVMQ_IRQ_INTX, NVMQ_PLACE_FREE },
		  longest_plan },
	};
	char text[NVMQ_PLAN_TEXT];
	size_t i, size, want;
	char *small;
	int len;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		want = strlen(cases[i].text);
		CHECK(want < NVMQ_PLAN_TEXT, "%zu", want);
		len = nvmq_plan_format(&cases[i].plan, text, sizeof(text));
		CHECK(len == (int)want && !strcmp(text, cases[i].text), "\"%s\" (%d)", text, len);
		for (size = 0; size <= want + 1; size++) {
			small = malloc(size);
			len = nvmq_plan_format(&cases[i].plan, small, size);
			CHECK(len == (size > want ? (int)want : -ENOSPC), "size %zu: %d", size,
			      len);
			CHECK(!size || memchr(small, 0, size), "size %zu: not terminated", size);
			free(small);
		}
	}
}

static void test_check_list(void)
{
	static const char * const good[] = {
		"", ";", " ; ,; ", "default=1", "default=1;", ";default=1",
		"default=cpu poll=2; 0000:00:11.0 default=1,depth=64",
		"default=1;default=2", "0000:00:11.0;00:11.0 depth=5", "0:0:0.0,depth=5",
		"FFFFFFFF:fF:1f.7", "10000:e1:00.0 default=1", "\t00:1.0\n",
	};
	static const struct bad_case bad[] = {
		{ "default=1;poll=x", -EINVAL, "poll=x", COUNT_EXPECTED },
		{ "poll=x;default=1", -EINVAL, "poll=x", COUNT_EXPECTED },
		{ "0000:00:11.0 depth=1; default=1", -ERANGE, "depth=1", "out of range 2 to 4095" },
		{ "default=1; 0000:00:11.8", -EINVAL, "0000:00:11.8", "bad PCI address" },
		{ "0000:00:20.0", -EINVAL, "0000:00:20.0", "bad PCI address" },
		{ "0000:100:00.0", -EINVAL, "0000:100:00.0", "bad PCI address" },
		{ "100:00.0", -EINVAL, "100:00.0", "bad PCI address" },
		{ "100000000:00:00.0", -EINVAL, "100000000:00:00.0", "bad PCI address" },
		{ "00:11", -EINVAL, "00:11", "bad PCI address" },
		{ "00:11.", -EINVAL, "00:11.", "bad PCI address" },
		{ "00:11.00", -EINVAL, "00:11.00", "bad PCI address" },
		{ "00:011.0", -EINVAL, "00:011.0", "bad PCI address" },
		{ "00:11.0x", -EINVAL, "00:11.0x", "bad PCI address" },
		{ "00::11.0", -EINVAL, "00::11.0", "bad PCI address" },
		{ ":11.0", -EINVAL, ":11.0", "bad PCI address" },
		{ ":", -EINVAL, ":", "bad PCI address" },
		{ "0000:00:.0", -EINVAL, "0000:00:.0", "bad PCI address" },
		{ "0000:00:11-0", -EINVAL, "0000:00:11-0", "bad PCI address" },
		{ "0000:00:1g.0", -EINVAL, "0000:00:1g.0", "bad PCI address" },
		{ "0:0:0:0.0", -EINVAL, "0:0:0:0.0", "bad PCI address" },
		{ "0000:00:11.0=default", -EINVAL, "0000:00:11.0=default", "bad PCI address" },
		{ "00:11.0 00:12.0 default=1", -EINVAL, "00:12.0",
		  "no PCI address may stand here" },
		{ "default=1 00:12.0", -EINVAL, "00:12.0", "no PCI address may stand here" },
		{ "default=1:00:12.0", -EINVAL, "default=1:00:12.0", COUNT_EXPECTED },
		{ "00.0 default=1", -EINVAL, "00.0", "unknown word" },
	};
	struct nvmq_plan_error err;
	size_t i;
	int ret;

	CHECK(!nvmq_plan_check_list(NULL, &err) && !err.reason, "NULL");
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		memset(&err, 0xa5, sizeof(err));
		ret = nvmq_plan_check_list(good[i], &err);
		CHECK(!ret, "\"%s\": %d %s", good[i], ret, err.reason);
		CHECK(!err.reason && !err.word[0], "\"%s\" left an error", good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ret = nvmq_plan_check_list(bad[i].text, &err);
		check_error(&bad[i], ret, &err);
		CHECK(nvmq_plan_check_list(bad[i].text, NULL) == ret, "\"%s\"", bad[i].text);
	}
	for (i = 0; i < sizeof(bad_cases) / sizeof(*bad_cases); i++) {
		if (strchr(bad_cases[i].text, ':') || strchr(bad_cases[i].text, ';'))
			continue;
		ret = nvmq_plan_check_list(bad_cases[i].text, &err);
		check_error(&bad_cases[i], ret, &err);
	}
}

static void test_select(void)
{
	/* For 0000:00:11.0, and for 0001:02:1f.7; the number is default=. */
	static const struct {
		const char *text;
		u32 first, second;
	} cases[] = {
		{ "", D, D },
		{ "default=3", 3, 3 },
		{ "default=3;", 3, 3 },
		{ "default=3; ;", 3, 3 },
		{ "default=3;default=4", 4, 4 },
		{ "00:11.0 default=5;default=4", 5, 4 },
		{ "default=4;00:11.0 default=5", 5, 4 },
		{ "00:11.0 default=5;0000:00:11.0 default=6", 6, D },
		{ "0000:00:11.0 default=5;0:11.0,default=6;default=2", 6, 2 },
		{ "00:11.0", D, D },
		{ "default=2;00:11.0", D, 2 },
		{ "00:11.0 default=9;default=2;00:11.0,", D, 2 },
		{ "1:2:1F.7 default=7;default=1;default=3", 3, 7 },
		{ "0001:00:11.0 default=7", D, D },
		{ "0000:01:11.0 default=7", D, D },
		{ "0000:00:10.0 default=7", D, D },
		{ "0000:00:11.1 default=7", D, D },
		{ "02:1f.7 default=7", D, D },
		{ "default=2 depth=8;00:11.0 default=3", 3, 2 },
	};
	static const char unaddressed[] = "default=2 depth=8;00:11.0 default=3";
	struct nvmq_plan_error err;
	struct nvmq_plan plan;
	size_t i;
	int ret;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ret = nvmq_plan_select(cases[i].text, 0, 0, 0x11 << 3, &plan, &err);
		CHECK(!ret && plan.queues[0] == cases[i].first, "\"%s\": %d %s", cases[i].text,
		      ret, show(&plan));
		ret = nvmq_plan_select(cases[i].text, 1, 2, 0x1f << 3 | 7, &plan, &err);
		CHECK(!ret && plan.queues[0] == cases[i].second, "\"%s\": %d %s", cases[i].text,
		      ret, show(&plan));
	}
	ret = nvmq_plan_select(NULL, 0, 0, 0, &plan, NULL);
	CHECK(!ret && plan.queues[0] == D, "NULL: %d", ret);
	/* Clauses do not merge. */
	ret = nvmq_plan_select(unaddressed, 0, 0, 0x11 << 3, &plan, NULL);
	CHECK(!ret && !plan.depth, "%d %s", ret, show(&plan));
	/* What the chosen clause, or any address, has wrong is told. */
	ret = nvmq_plan_select("default=1;00:11.0 depth=1", 0, 0, 0x11 << 3, &plan, &err);
	CHECK(ret == -ERANGE && !strcmp(err.word, "depth=1"), "%d \"%s\"", ret, err.word);
	ret = nvmq_plan_select("default=1;00:11.9 depth=1", 0, 0, 0x11 << 3, &plan, &err);
	CHECK(ret == -EINVAL && !strcmp(err.word, "00:11.9"), "%d \"%s\"", ret, err.word);
}

/* Every bus and devfn, in both spellings, hits its own controller and no other. */
static void test_addresses(void)
{
	struct nvmq_plan plan;
	char text[64];
	u32 bus, devfn, other;
	int ret;

	for (bus = 0; bus < 256; bus++) {
		for (devfn = 0; devfn < 256; devfn++) {
			snprintf(text, sizeof(text), "%02x:%02x.%u default=7", bus, devfn >> 3,
				 devfn & 7);
			ret = nvmq_plan_select(text, 0, bus, devfn, &plan, NULL);
			CHECK(!ret && plan.queues[0] == 7, "\"%s\": %d", text, ret);
			snprintf(text, sizeof(text), "%04X:%02X:%02X.%u default=7", 0xab00 + bus,
				 bus, devfn >> 3, devfn & 7);
			ret = nvmq_plan_select(text, 0xab00 + bus, bus, devfn, &plan, NULL);
			CHECK(!ret && plan.queues[0] == 7, "\"%s\": %d", text, ret);
			other = rnd_in(1, 255);
			nvmq_plan_select(text, 0xab00 + bus, bus, devfn ^ other, &plan, NULL);
			CHECK(plan.queues[0] == D, "\"%s\" took %02x", text, devfn ^ other);
			nvmq_plan_select(text, 0xab00 + bus, bus ^ other, devfn, &plan, NULL);
			CHECK(plan.queues[0] == D, "\"%s\" took bus %02x", text, bus ^ other);
			nvmq_plan_select(text, (0xab00 + bus) ^ (1u << other % 32), bus, devfn,
					 &plan, NULL);
			CHECK(plan.queues[0] == D, "\"%s\" took another domain", text);
		}
	}
}

/* Lists of clauses, against the rule written down a second time. */
static void test_select_random(void)
{
	static const u32 domains[] = { 0, 0, 0, 0x10000 };
	struct nvmq_plan plans[6], plan, expect;
	struct nvmq_plan_error err;
	char text[4096], words[256];
	u32 domain[6];
	u8 devfn[6];
	int i, c, n, at, ret, best;
	bool named[6];
	u32 d;
	u8 f;

	for (i = 0; i < 15000; i++) {
		n = rnd_in(0, 6);
		at = 0;
		text[0] = '\0';
		for (c = 0; c < n; c++) {
			rnd_plan(&plans[c]);
			write_plan(&plans[c], words);
			named[c] = rnd_in(0, 2);
			domain[c] = domains[rnd_in(0, 3)];
			devfn[c] = rnd_in(0, 2);
			if (named[c] && !domain[c] && rnd_in(0, 1))
				at += sprintf(text + at, " 3:%x.%u,", devfn[c] >> 3, devfn[c] & 7);
			else if (named[c])
				at += sprintf(text + at, "%x:03:%02x.%u ", domain[c], devfn[c] >> 3,
					      devfn[c] & 7);
			/* Without any word there is no clause. */
			else
				at += sprintf(text + at, "%s",
					      strspn(words, " ,\t\n\v\f\r") == strlen(words) ?
					      "default=cpu" : "");
			at += sprintf(text + at, "%s%s", words,
				      c < n - 1 || rnd_in(0, 1) ? ";" : "");
		}
		d = domains[rnd_in(0, 3)];
		f = rnd_in(0, 2);
		best = -1;
		for (c = 0; c < n; c++)
			if (!named[c])
				best = c;
		for (c = 0; c < n; c++)
			if (named[c] && domain[c] == d && devfn[c] == f)
				best = c;
		nvmq_plan_init(&expect);
		if (best >= 0)
			expect = plans[best];
		ret = nvmq_plan_select(text, d, 3, f, &plan, &err);
		CHECK(!ret && same_plan(&plan, &expect), "\"%s\" for %x:3:%x: %d %s not %s", text,
		      d, f, ret, show(&plan), show(&expect));
		ret = nvmq_plan_check_list(text, &err);
		CHECK(!ret, "\"%s\": %d", text, ret);
	}
}

static size_t hostile(char *text, size_t room)
{
	static const char * const bits[] = {
		"default", "read", "poll", "depth", "vectors", "irq", "placement", "=", "=", "=",
		" ", ",", ";", "cpu", "core", "node", "msix", "msi", "intx", "managed", "free", "0",
		"1", "64", "65535", "99999999999", "0000:00:11.0", "00:11.0 ", ":", ".",
		"default=1 ", "depth=64,", "poll=2;", "\n", "-", "\xff",
	};
	size_t len = 0, want, n, i;

	switch (rnd_in(0, 3)) {
	case 0:
		len = rnd_in(0, rnd_in(0, 15) ? 40 : room);
		for (i = 0; i < len; i++)
			text[i] = rnd();
		return len;
	case 1:
		len = rnd_in(0, rnd_in(0, 15) ? 80 : room);
		for (i = 0; i < len; i++)
			text[i] = "default=15cpu ,;:.09x"[rnd_in(0, 20)];
		return len;
	default:
		want = rnd_in(0, rnd_in(0, 15) ? 60 : room);
		while (len < want) {
			const char *bit = bits[rnd_in(0, sizeof(bits) / sizeof(*bits) - 1)];

			n = strlen(bit);
			if (len + n > room)
				break;
			memcpy(text + len, bit, n);
			len += n;
			if (!rnd_in(0, 20))
				text[rnd_in(0, len - 1)] = rnd();
		}
		return len;
	}
}

static void check_hostile(int ret, const struct nvmq_plan *plan, const struct nvmq_plan_error *err)
{
	char text[NVMQ_PLAN_TEXT];
	struct nvmq_plan back;
	size_t i, len;
	int t;

	CHECK(ret == 0 || ret == -EINVAL || ret == -ERANGE, "%d", ret);
	if (ret) {
		len = strnlen(err->word, sizeof(err->word));
		CHECK(err->reason && *err->reason, "no reason");
		CHECK(len > 0 && len < sizeof(err->word), "word of %zu", len);
		for (i = 0; i < len && err->word[i] > ' ' && err->word[i] <= '~'; i++)
			;
		CHECK(i == len, "byte %#x", (u8)err->word[i]);
		return;
	}
	CHECK(!err->reason, "%s", err->reason);
	for (t = 0; t < NVMQ_NR_TYPES; t++)
		CHECK(plan->queues[t] <= NVMQ_PER_NODE && (t || plan->queues[t]), "%s", show(plan));
	CHECK(plan->depth <= NVMQ_PLAN_MAX_DEPTH && plan->depth != 1, "%s", show(plan));
	CHECK(plan->vectors <= NVMQ_PLAN_MAX_VECTORS, "%s", show(plan));
	CHECK(plan->irq <= NVMQ_IRQ_INTX && plan->placement <= NVMQ_PLACE_FREE, "%s", show(plan));
	ret = nvmq_plan_format(plan, text, sizeof(text));
	CHECK(ret > 0, "%d", ret);
	ret = nvmq_plan_parse(text, ret, &back, NULL);
	CHECK(!ret && same_plan(plan, &back), "\"%s\"", text);
}

static void test_hostile(void)
{
	static char text[4097];
	struct nvmq_plan_error err;
	struct nvmq_plan plan;
	unsigned int legal = 0;
	char *string;
	size_t len;
	int i, ret;

	for (i = 0; i < 100000; i++) {
		len = hostile(text, 4096);
		memset(&err, 0xa5, sizeof(err));
		ret = parse(text, len, &plan, &err);
		legal += !ret;
		check_hostile(ret, &plan, &err);

		text[len] = '\0';
		string = strdup(text);
		memset(&err, 0xa5, sizeof(err));
		ret = nvmq_plan_check_list(string, &err);
		nvmq_plan_init(&plan);
		check_hostile(ret, &plan, &err);
		if (!ret) {
			legal++;
			ret = nvmq_plan_select(string, 0, 0, 0x11 << 3, &plan, &err);
			CHECK(!ret, "\"%s\" passed check_list: %d", string, ret);
			check_hostile(ret, &plan, &err);
		}
		free(string);
	}
	/* Else the half of the test that looks at plans would have had nothing to look at. */
	CHECK(legal > 2000, "%u legal texts", legal);
}

int main(void)
{
	TAP_RUN(test_legal);
	TAP_RUN(test_errors);
	TAP_RUN(test_ranges);
	TAP_RUN(test_round_trip);
	TAP_RUN(test_format);
	TAP_RUN(test_check_list);
	TAP_RUN(test_select);
	TAP_RUN(test_addresses);
	TAP_RUN(test_select_random);
	TAP_RUN(test_hostile);
	return tap_done();
}
