// SPDX-License-Identifier: GPL-2.0
/* Queue plans as text: parse, format, check_list, select. */
#include <ctype.h>
#include <errno.h>

#include "tap.h"
#include "plan.c"

#define D	NVMQ_PER_CPU

/* A plan in the order of the words: three counts, depth, vectors, irq, placement. */
#define P(d, r, p, deep, vec, kind, place)						\
	{										\
		.queues = { d, r, p }, .depth = deep, .vectors = vec, .irq = kind,	\
		.placement = place							\
	}

static bool same_plan(const struct nvmq_plan *a, const struct nvmq_plan *b)
{
	u32 t, cpu;

	for (t = 0; t < NVMQ_NR_TYPES; t++) {
		if (a->queues[t] != b->queues[t] || a->depths[t] != b->depths[t] ||
		    nvmq_plan_has_list(a, t) != nvmq_plan_has_list(b, t))
			return false;
		if (a->nr_ranges != b->nr_ranges)
			return false;
		for (cpu = 0; a->nr_ranges && cpu <= NVMQ_PLAN_MAX_CPU; cpu += cpu < 40 ? 1 : 8191)
			if (nvmq_plan_queue_of(a, t, cpu) != nvmq_plan_queue_of(b, t, cpu))
				return false;
	}
	return a->depth == b->depth && a->vectors == b->vectors && a->irq == b->irq &&
	       a->placement == b->placement && a->leave == b->leave &&
	       a->coalesce == b->coalesce && a->coalesce_us == b->coalesce_us &&
	       a->share == b->share && a->housekeeping == b->housekeeping &&
	       a->wrr.on == b->wrr.on &&
	       (!a->wrr.on || (!memcmp(a->wrr.classes, b->wrr.classes, sizeof(a->wrr.classes)) &&
			       !memcmp(a->wrr.weights, b->wrr.weights, sizeof(a->wrr.weights))));
}

static const char *show(const struct nvmq_plan *p)
{
	static char text[4][1024];
	static int turn;
	char *s = text[turn++ % 4];
	int at = 0;
	u32 i;

	at = snprintf(s, 1024, "%u/%u,%u/%u,%u/%u depth %u vectors %u irq %d placement %d",
		      p->queues[0], p->depths[0], p->queues[1], p->depths[1], p->queues[2],
		      p->depths[2], p->depth, p->vectors, p->irq, p->placement);
	at += snprintf(s + at, 1024 - at, " leave %u coalesce %u/%u share %u housekeeping %d",
		       p->leave, p->coalesce, p->coalesce_us, p->share, p->housekeeping);
	at += snprintf(s + at, 1024 - at, " wrr %d:%u,%u,%u/%u,%u,%u", p->wrr.on,
		       p->wrr.classes[0], p->wrr.classes[1], p->wrr.classes[2],
		       p->wrr.weights[0], p->wrr.weights[1], p->wrr.weights[2]);
	for (i = 0; i < p->nr_ranges && i < NVMQ_PLAN_MAX_RANGES && at < 990; i++)
		at += snprintf(s + at, 1024 - at, " %u.%u:%u-%u", p->ranges[i].type,
			       p->ranges[i].queue, p->ranges[i].first, p->ranges[i].last);
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
		{ "", P(D, 0, 0, 0, 0, 0, 0) },
		{ " \t\n\v\f\r,,", P(D, 0, 0, 0, 0, 0, 0) },
		{ "default=1", P(1, 0, 0, 0, 0, 0, 0) },
		{ "default=65535", P(65535, 0, 0, 0, 0, 0, 0) },
		{ "default=cpu", P(D, 0, 0, 0, 0, 0, 0) },
		{ "default=core", P(NVMQ_PER_CORE, 0, 0, 0, 0, 0, 0) },
		{ "default=node", P(NVMQ_PER_NODE, 0, 0, 0, 0, 0, 0) },
		{ "read=0", P(D, 0, 0, 0, 0, 0, 0) },
		{ "read=7", P(D, 7, 0, 0, 0, 0, 0) },
		{ "read=65535", P(D, 65535, 0, 0, 0, 0, 0) },
		{ "read=cpu", P(D, NVMQ_PER_CPU, 0, 0, 0, 0, 0) },
		{ "read=core", P(D, NVMQ_PER_CORE, 0, 0, 0, 0, 0) },
		{ "read=node", P(D, NVMQ_PER_NODE, 0, 0, 0, 0, 0) },
		{ "poll=0", P(D, 0, 0, 0, 0, 0, 0) },
		{ "poll=2", P(D, 0, 2, 0, 0, 0, 0) },
		{ "poll=65535", P(D, 0, 65535, 0, 0, 0, 0) },
		{ "poll=cpu", P(D, 0, NVMQ_PER_CPU, 0, 0, 0, 0) },
		{ "poll=core", P(D, 0, NVMQ_PER_CORE, 0, 0, 0, 0) },
		{ "poll=node", P(D, 0, NVMQ_PER_NODE, 0, 0, 0, 0) },
		{ "depth=2", P(D, 0, 0, 2, 0, 0, 0) },
		{ "depth=4095", P(D, 0, 0, 4095, 0, 0, 0) },
		{ "depth=00064", P(D, 0, 0, 64, 0, 0, 0) },
		{ "vectors=1", P(D, 0, 0, 0, 1, 0, 0) },
		{ "vectors=2048", P(D, 0, 0, 0, 2048, 0, 0) },
		{ "irq=msix", P(D, 0, 0, 0, 0, NVMQ_IRQ_MSIX, 0) },
		{ "irq=msi", P(D, 0, 0, 0, 0, NVMQ_IRQ_MSI, 0) },
		{ "irq=intx", P(D, 0, 0, 0, 0, NVMQ_IRQ_INTX, 0) },
		{ "placement=managed", P(D, 0, 0, 0, 0, 0, NVMQ_PLACE_MANAGED) },
		{ "placement=free", P(D, 0, 0, 0, 0, 0, NVMQ_PLACE_FREE) },
		{ "default=cpu/64", { .queues = { D }, .depths = { 64 } } },
		{ "default=4/2 read=2/32 poll=2/4095 depth=16",
		  { .queues = { 4, 2, 2 }, .depths = { 2, 32, 4095 }, .depth = 16 } },
		{ "read=0/5", { .queues = { D }, .depths = { 0, 5 } } },
		{ "poll=node/007", { .queues = { D, 0, NVMQ_PER_NODE }, .depths = { 0, 0, 7 } } },
		{ "leave=0", P(D, 0, 0, 0, 0, 0, 0) },
		{ "leave=65535", { .queues = { D }, .leave = 65535 } },
		{ "coalesce=off", P(D, 0, 0, 0, 0, 0, 0) },
		{ "coalesce=1/0", { .queues = { D }, .coalesce = 1 } },
		{ "coalesce=256/25500",
		  { .queues = { D }, .coalesce = 256, .coalesce_us = 25500 } },
		{ "share=off", P(D, 0, 0, 0, 0, 0, 0) },
		{ "share=2", { .queues = { D }, .share = 2 } },
		{ "share=256 default=4", { .queues = { 4 }, .share = 256 } },
		{ "wrr=off", P(D, 0, 0, 0, 0, 0, 0) },
		{ "wrr=default:medium", { .queues = { D }, .wrr = { true, { 2, 2, 2 } } } },
		{ "wrr=poll:urgent+default:low",
		  { .queues = { D }, .wrr = { true, { 3, 2, 0 } } } },
		{ "wrr=default:urgent+read:high+poll:low/1:256:16 share=3",
		  { .queues = { D }, .share = 3,
		    .wrr = { true, { 0, 1, 3 }, { 1, 256, 16 } } } },
		{ "cpus=all", P(D, 0, 0, 0, 0, 0, 0) },
		{ "poll=1,cpus=housekeeping", { .queues = { D, 0, 1 }, .housekeeping = true } },
		{ "default=rest",
		  { .queues = { 1 }, .nr_ranges = 1,
		    .ranges = { { NVMQ_REST, NVMQ_REST, 0, 0 } } } },
		{ "default=0-0",
		  { .queues = { 1 }, .nr_ranges = 1, .ranges = { { 0, 0, 0, 0 } } } },
		{ "default=0-3:4-7/64",
		  { .queues = { 2 }, .depths = { 64 }, .nr_ranges = 2,
		    .ranges = { { 0, 3, 0, 0 }, { 4, 7, 0, 1 } } } },
		{ "poll=0-1+4:rest",
		  { .queues = { D, 0, 2 }, .nr_ranges = 3,
		    .ranges = { { 0, 1, 2, 0 }, { 4, 4, 2, 0 },
				{ NVMQ_REST, NVMQ_REST, 2, 1 } } } },
		{ "read=3:1 default=1+rest:3",
		  { .queues = { 2, 2 }, .nr_ranges = 5,
		    .ranges = { { 3, 3, 1, 0 }, { 1, 1, 1, 1 }, { 1, 1, 0, 0 },
				{ NVMQ_REST, NVMQ_REST, 0, 0 }, { 3, 3, 0, 1 } } } },
		{ "default=65534:0-65533",
		  { .queues = { 2 }, .nr_ranges = 2,
		    .ranges = { { 65534, 65534, 0, 0 }, { 0, 65533, 0, 1 } } } },
		{ "default=cpu poll=2", P(D, 0, 2, 0, 0, 0, 0) },
		{ ", default=1,depth=64\n", P(1, 0, 0, 64, 0, 0, 0) },
		{ "placement=free irq=msi vectors=3 depth=9 poll=4 read=5 default=6",
		  P(6, 5, 4, 9, 3, NVMQ_IRQ_MSI, NVMQ_PLACE_FREE) },
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

#define COUNT_EXPECTED	"number, cpu, core, node or CPUs expected"
#define CLASSES_EXPECTED	"off or types with classes expected"
#define CPUS_EXPECTED	"CPUs or rest expected"
#define COALESCE_EXPECTED	"off or completions/microseconds expected"

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
	{ "default=-1", -EINVAL, "default=-1", CPUS_EXPECTED },
	{ "default=1-", -EINVAL, "default=1-", CPUS_EXPECTED },
	{ "default=0-3-5", -EINVAL, "default=0-3-5", CPUS_EXPECTED },
	{ "default=0x1-2", -EINVAL, "default=0x1-2", CPUS_EXPECTED },
	{ "read=0:resting", -EINVAL, "read=0:resting", CPUS_EXPECTED },
	{ "read=0:cpu", -EINVAL, "read=0:cpu", CPUS_EXPECTED },
	{ "default=rest-1", -EINVAL, "default=rest-1", CPUS_EXPECTED },
	{ "default=+1", -EINVAL, "default=+1", "empty list of CPUs" },
	{ "default=1+", -EINVAL, "default=1+", "empty list of CPUs" },
	{ "default=:", -EINVAL, "default=:", "empty list of CPUs" },
	{ "default=0-3:", -EINVAL, "default=0-3:", "empty list of CPUs" },
	{ "default=:0-3", -EINVAL, "default=:0-3", "empty list of CPUs" },
	{ "poll=0::1", -EINVAL, "poll=0::1", "empty list of CPUs" },
	{ "poll=0++1", -EINVAL, "poll=0++1", "empty list of CPUs" },
	{ "poll=3-1", -EINVAL, "poll=3-1", "range backwards" },
	{ "poll=0:65535", -ERANGE, "poll=0:65535", "CPU number too large" },
	{ "poll=0-65535", -ERANGE, "poll=0-65535", "CPU number too large" },
	{ "poll=70000-1", -ERANGE, "poll=70000-1", "CPU number too large" },
	{ "poll=0-99999999999999999999", -ERANGE, "poll=0-99999999999999999999",
	  "CPU number too large" },
	{ "read=0-3:3", -EINVAL, "read=0-3:3", "CPU named twice" },
	{ "read=2+0-3", -EINVAL, "read=2+0-3", "CPU named twice" },
	{ "read=5-8:0-9", -EINVAL, "read=5-8:0-9", "CPU named twice" },
	{ "read=rest:0:rest", -EINVAL, "read=rest:0:rest", "rest named twice" },
	{ "read=rest+rest", -EINVAL, "read=rest+rest", "rest named twice" },
	{ "default=1/", -EINVAL, "default=1/", "empty value" },
	{ "default=/1", -ERANGE, "default=/1", "depth out of range 2 to 4095" },
	{ "default=/9", -EINVAL, "default=/9", "empty value" },
	{ "default=1/1", -ERANGE, "default=1/1", "depth out of range 2 to 4095" },
	{ "read=1/4096", -ERANGE, "read=1/4096", "depth out of range 2 to 4095" },
	{ "read=1/cpu", -EINVAL, "read=1/cpu", "depth expected behind the slash" },
	{ "read=1/8/8", -EINVAL, "read=1/8/8", "depth expected behind the slash" },
	{ "read=0-1/8:2", -EINVAL, "read=0-1/8:2", "depth expected behind the slash" },
	{ "depth=64/2", -EINVAL, "depth=64/2", "number expected" },
	{ "leave=cpu", -EINVAL, "leave=cpu", "number expected" },
	{ "leave=65536", -ERANGE, "leave=65536", "out of range 0 to 65535" },
	{ "leave=1 leave=1", -EINVAL, "leave=1", "given twice" },
	{ "coalesce=on", -EINVAL, "coalesce=on", COALESCE_EXPECTED },
	{ "coalesce=8", -EINVAL, "coalesce=8", COALESCE_EXPECTED },
	{ "coalesce=off/100", -EINVAL, "coalesce=off/100", COALESCE_EXPECTED },
	{ "coalesce=8/100us", -EINVAL, "coalesce=8/100us", COALESCE_EXPECTED },
	{ "coalesce=8/100/2", -EINVAL, "coalesce=8/100/2", COALESCE_EXPECTED },
	{ "coalesce=", -EINVAL, "coalesce=", "empty value" },
	{ "coalesce=8/", -EINVAL, "coalesce=8/", "empty value" },
	{ "coalesce=/100", -EINVAL, "coalesce=/100", "empty value" },
	{ "coalesce=0/100", -ERANGE, "coalesce=0/100", "completions out of range 1 to 256" },
	{ "coalesce=257/100", -ERANGE, "coalesce=257/100", "completions out of range 1 to 256" },
	{ "coalesce=8/25600", -ERANGE, "coalesce=8/25600", "microseconds out of range 0 to 25500" },
	{ "coalesce=8/150", -EINVAL, "coalesce=8/150", "no multiple of 100 microseconds" },
	{ "coalesce=off coalesce=8/100", -EINVAL, "coalesce=8/100", "given twice" },
	{ "share=", -EINVAL, "share=", "empty value" },
	{ "share=cpu", -EINVAL, "share=cpu", "number or off expected" },
	{ "share=2/2", -EINVAL, "share=2/2", "number or off expected" },
	{ "share=0", -ERANGE, "share=0", "out of range 2 to 256" },
	{ "share=1", -ERANGE, "share=1", "out of range 2 to 256" },
	{ "share=257", -ERANGE, "share=257", "out of range 2 to 256" },
	{ "share=2 share=2", -EINVAL, "share=2", "given twice" },
	{ "wrr=", -EINVAL, "wrr=", "empty value" },
	{ "wrr=on", -EINVAL, "wrr=on", CLASSES_EXPECTED },
	{ "wrr=1", -EINVAL, "wrr=1", CLASSES_EXPECTED },
	{ "wrr=high", -EINVAL, "wrr=high", CLASSES_EXPECTED },
	{ "wrr=default", -EINVAL, "wrr=default", CLASSES_EXPECTED },
	{ "wrr=default:", -EINVAL, "wrr=default:", CLASSES_EXPECTED },
	{ "wrr=default:best", -EINVAL, "wrr=default:best", CLASSES_EXPECTED },
	{ "wrr=admin:high", -EINVAL, "wrr=admin:high", CLASSES_EXPECTED },
	{ "wrr=default:high:low", -EINVAL, "wrr=default:high:low", CLASSES_EXPECTED },
	{ "wrr=default:high+", -EINVAL, "wrr=default:high+", CLASSES_EXPECTED },
	{ "wrr=+default:high", -EINVAL, "wrr=+default:high", CLASSES_EXPECTED },
	{ "wrr=off+read:low", -EINVAL, "wrr=off+read:low", CLASSES_EXPECTED },
	{ "wrr=off/1:1:1", -EINVAL, "wrr=off/1:1:1", CLASSES_EXPECTED },
	{ "wrr=/1:1:1", -EINVAL, "wrr=/1:1:1", CLASSES_EXPECTED },
	{ "wrr=read:low+read:low", -EINVAL, "wrr=read:low+read:low", "type named twice" },
	{ "wrr=read:low/", -EINVAL, "wrr=read:low/", "three weights expected" },
	{ "wrr=read:low/1", -EINVAL, "wrr=read:low/1", "three weights expected" },
	{ "wrr=read:low/1:1", -EINVAL, "wrr=read:low/1:1", "three weights expected" },
	{ "wrr=read:low/1:1:1:1", -EINVAL, "wrr=read:low/1:1:1:1", "three weights expected" },
	{ "wrr=read:low/1:1:x", -EINVAL, "wrr=read:low/1:1:x", "three weights expected" },
	{ "wrr=read:low/1:1:1/1", -EINVAL, "wrr=read:low/1:1:1/1", "three weights expected" },
	{ "wrr=read:low/1::1", -EINVAL, "wrr=read:low/1::1", "empty value" },
	{ "wrr=read:low/0:1:1", -ERANGE, "wrr=read:low/0:1:1", "weight out of range 1 to 256" },
	{ "wrr=read:low/1:1:257", -ERANGE, "wrr=read:low/1:1:257", "weight out of range 1 to 256" },
	{ "wrr=off wrr=read:low", -EINVAL, "wrr=read:low", "given twice" },
	{ "cpus=", -EINVAL, "cpus=", "empty value" },
	{ "cpus=0", -EINVAL, "cpus=0", "all or housekeeping expected" },
	{ "cpus=0-3", -EINVAL, "cpus=0-3", "all or housekeeping expected" },
	{ "cpus=isolated", -EINVAL, "cpus=isolated", "all or housekeeping expected" },
	{ "cpus=all cpus=all", -EINVAL, "cpus=all", "given twice" },
	{ "default=0x10", -EINVAL, "default=0x10", COUNT_EXPECTED },
	{ "default=1.5", -EINVAL, "default=1.5", COUNT_EXPECTED },
	{ "default=cpus", -EINVAL, "default=cpus", COUNT_EXPECTED },
	{ "default=cp", -EINVAL, "default=cp", COUNT_EXPECTED },
	{ "default==1", -EINVAL, "default==1", COUNT_EXPECTED },
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
		CHECK(!memcmp(&plan, &before, sizeof(plan)), "\"%s\" changed the plan",
		      bad_cases[i].text);
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
		{ "depth", 2, 4095 }, { "vectors", 1, 2048 }, { "leave", 0, 65535 },
		{ "share", 2, 256 },
		/* Behind the slash. */
		{ "default", 2, 4095 }, { "read", 2, 4095 }, { "poll", 2, 4095 },
	};
	struct nvmq_plan plan;
	char text[40];
	u32 n, got;
	size_t i;
	int ret;

	for (i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		for (n = 0; n < 70000; n++) {
			snprintf(text, sizeof(text), "%s=%s%u", ranges[i].key, i < 7 ? "" : "1/",
				 n);
			ret = nvmq_plan_parse(text, strlen(text), &plan, NULL);
			if (n < ranges[i].lo || n > ranges[i].hi) {
				CHECK(ret == -ERANGE, "%s: %d", text, ret);
				continue;
			}
			got = i < 3 ? plan.queues[i] : i == 3 ? plan.depth :
			      i == 4 ? plan.vectors : i == 5 ? plan.leave :
			      i == 6 ? plan.share : plan.depths[i - 7];
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

/* Some ranges of CPUs in any order, and whether a queue ends behind each. */
static void rnd_ranges(struct nvmq_plan *plan, int type)
{
	struct nvmq_plan_range ranges[12], swap;
	u32 n = rnd_in(1, rnd_in(0, 3) ? 4 : 12), at = 0, i, other;
	u8 queue = 0;

	for (i = 0; i < n; i++) {
		at += rnd_in(0, 3) ? rnd_in(0, 2) : rnd_in(0, 5000);
		ranges[i] = (struct nvmq_plan_range){ .first = at, .type = type };
		at += rnd_in(0, 1) ? rnd_in(0, 3) : 0;
		ranges[i].last = at++;
	}
	if (rnd_in(0, 1)) {
		ranges[n - 1].first = NVMQ_REST;
		ranges[n - 1].last = NVMQ_REST;
	}
	for (i = n; i-- > 1;) {
		other = rnd_in(0, i);
		swap = ranges[i];
		ranges[i] = ranges[other];
		ranges[other] = swap;
	}
	for (i = 0; i < n; i++) {
		queue += i && rnd_in(0, 1);
		ranges[i].queue = queue;
		plan->ranges[plan->nr_ranges++] = ranges[i];
	}
	plan->queues[type] = queue + 1;
}

static void rnd_plan(struct nvmq_plan *plan)
{
	int t;

	memset(plan, 0, sizeof(*plan));
	plan->queues[NVMQ_DEFAULT] = rnd_count(1);
	plan->queues[NVMQ_READ] = rnd_count(0);
	plan->queues[NVMQ_POLL] = rnd_count(0);
	for (t = 0; t < 3; t++) {
		if (!rnd_in(0, 3))
			rnd_ranges(plan, t);
		if (!rnd_in(0, 2))
			plan->depths[t] = rnd_in(NVMQ_PLAN_MIN_DEPTH, NVMQ_PLAN_MAX_DEPTH);
	}
	plan->depth = rnd_in(0, 2) ? rnd_in(NVMQ_PLAN_MIN_DEPTH, NVMQ_PLAN_MAX_DEPTH) : 0;
	plan->vectors = rnd_in(0, 2) ? rnd_in(1, NVMQ_PLAN_MAX_VECTORS) : 0;
	plan->irq = rnd_in(NVMQ_IRQ_MSIX, NVMQ_IRQ_INTX);
	plan->placement = rnd_in(NVMQ_PLACE_MANAGED, NVMQ_PLACE_FREE);
	plan->leave = rnd_in(0, 1) ? rnd_in(0, NVMQ_PLAN_MAX_LEAVE) : 0;
	if (rnd_in(0, 1)) {
		plan->coalesce = rnd_in(1, NVMQ_PLAN_MAX_COALESCE);
		plan->coalesce_us = rnd_in(0, 255) * 100;
	}
	plan->share = rnd_in(0, 1) ? rnd_in(2, NVMQ_PLAN_MAX_SHARE) : 0;
	plan->housekeeping = rnd_in(0, 1);
	if (rnd_in(0, 1))
		return;
	plan->wrr.on = true;
	for (t = 0; t < 3; t++)
		plan->wrr.classes[t] = rnd_in(NVMQ_CLASS_URGENT, NVMQ_CLASS_LOW);
	for (t = rnd_in(0, 1) * 3; t < 3; t++)
		plan->wrr.weights[t] = rnd_in(1, NVMQ_PLAN_MAX_WEIGHT);
}

static int put_queues(char *at, const char *key, const struct nvmq_plan *plan, int type)
{
	static const char * const names[] = { "cpu", "core", "node" };
	u32 count = plan->queues[type], i, ranges = 0, left = 0;
	const struct nvmq_plan_range *range, *before = NULL;
	char *from = at;

	at += sprintf(at, "%s=", key);
	for (i = 0; i < plan->nr_ranges; i++)
		left += plan->ranges[i].type == type;
	ranges = left;
	for (i = 0; i < plan->nr_ranges; i++) {
		range = &plan->ranges[i];
		if (range->type != type)
			continue;
		if (before)
			*at++ = before->queue == range->queue ? '+' : ':';
		before = range;
		if (range->first == NVMQ_REST)
			at += sprintf(at, "rest");
		else if (range->first == range->last && ranges > 1 && rnd_in(0, 1))
			at += sprintf(at, "%0*u", (int)rnd_in(1, 3), range->first);
		else
			at += sprintf(at, "%u-%u", range->first, range->last);
	}
	if (!ranges && count >= NVMQ_PER_CPU)
		at += sprintf(at, "%s", names[count - NVMQ_PER_CPU]);
	else if (!ranges)
		at += sprintf(at, "%u", count);
	if (plan->depths[type])
		at += sprintf(at, "/%u", plan->depths[type]);
	return at - from;
}

/* Types in any order, medium said or not; one must be. */
static int put_wrr(char *at, const struct nvmq_wrr *wrr)
{
	static const char * const types[] = { "default", "read", "poll" };
	static const char * const classes[] = { "urgent", "high", "medium", "low" };
	u32 first = rnd_in(0, 2), i, t;
	char *from = at;
	bool any = false;

	at += sprintf(at, "wrr=");
	for (i = 0; i < 3; i++) {
		t = (first + i) % 3;
		if (wrr->classes[t] == NVMQ_CLASS_MEDIUM && (any || i < 2) && rnd_in(0, 1))
			continue;
		at += sprintf(at, "%s%s:%s", any ? "+" : "", types[t], classes[wrr->classes[t]]);
		any = true;
	}
	if (wrr->weights[0])
		at += sprintf(at, "/%u:%u:%u", wrr->weights[0], wrr->weights[1], wrr->weights[2]);
	return at - from;
}

/* Write @plan in any legal way: words in any order, any separators, defaults said or not. */
static void write_plan(const struct nvmq_plan *plan, char *at)
{
	static const char blanks[] = " ,\t\n\v\f\r";
	static const char * const irq[] = { "irq=msix", "irq=msi", "irq=intx" };
	static const char * const place[] = { "placement=managed", "placement=free" };
	int order[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 }, i, j, n;
	const int words = sizeof(order) / sizeof(*order);

	for (i = words - 1; i > 0; i--) {
		j = rnd_in(0, i);
		n = order[i];
		order[i] = order[j];
		order[j] = n;
	}
	*at = '\0';
	for (i = 0; i < words; i++) {
		for (n = rnd_in(0, 2); n; n--)
			*at++ = blanks[rnd_in(0, 6)];
		n = 0;
		if (order[i] == 0 && (plan->queues[0] != NVMQ_PER_CPU || plan->depths[0] ||
				      rnd_in(0, 1)))
			n = put_queues(at, "default", plan, 0);
		if (order[i] == 1 && (plan->queues[1] || plan->depths[1] || rnd_in(0, 1)))
			n = put_queues(at, "read", plan, 1);
		if (order[i] == 2 && (plan->queues[2] || plan->depths[2] || rnd_in(0, 1)))
			n = put_queues(at, "poll", plan, 2);
		if (order[i] == 3 && plan->depth)
			n = sprintf(at, "depth=%u", plan->depth);
		if (order[i] == 4 && plan->vectors)
			n = sprintf(at, "vectors=%u", plan->vectors);
		if (order[i] == 5 && (plan->irq || rnd_in(0, 1)))
			n = sprintf(at, "%s", irq[plan->irq]);
		if (order[i] == 6 && (plan->placement || rnd_in(0, 1)))
			n = sprintf(at, "%s", place[plan->placement]);
		if (order[i] == 7 && (plan->leave || rnd_in(0, 1)))
			n = sprintf(at, "leave=%u", plan->leave);
		if (order[i] == 8 && plan->coalesce)
			n = sprintf(at, "coalesce=%u/%u", plan->coalesce, plan->coalesce_us);
		else if (order[i] == 8 && rnd_in(0, 1))
			n = sprintf(at, "coalesce=off");
		if (order[i] == 9 && plan->share)
			n = sprintf(at, "share=%u", plan->share);
		else if (order[i] == 9 && rnd_in(0, 1))
			n = sprintf(at, "share=off");
		if (order[i] == 10 && plan->wrr.on)
			n = put_wrr(at, &plan->wrr);
		else if (order[i] == 10 && rnd_in(0, 1))
			n = sprintf(at, "wrr=off");
		if (order[i] == 11 && (plan->housekeeping || rnd_in(0, 1)))
			n = sprintf(at, "cpus=%s", plan->housekeeping ? "housekeeping" : "all");
		at += n;
		*at++ = blanks[rnd_in(0, 6)];
		*at = '\0';
	}
}

static void test_round_trip(void)
{
	char text[NVMQ_PLAN_TEXT], again[NVMQ_PLAN_TEXT], loose[1024];
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

/* No plan has a longer text: every range that may be is of five digits twice. */
static void test_longest(void)
{
	struct nvmq_plan plan = {
		.queues = { 46, 1, 1 }, .depth = 4095, .vectors = 2048, .irq = NVMQ_IRQ_INTX,
		.placement = NVMQ_PLACE_FREE, .leave = 65535, .coalesce = 256,
		.coalesce_us = 25500, .share = 256, .depths = { 4095, 4095, 4095 },
		.wrr = { true, { 0, 0, 0 }, { 256, 256, 256 } }, .housekeeping = true,
	}, back;
	struct nvmq_plan_error err;
	char text[NVMQ_PLAN_TEXT];
	int i, len, ret;

	for (i = 0; i < NVMQ_PLAN_MAX_RANGES; i++)
		plan.ranges[i] = (struct nvmq_plan_range){
			.first = 60000 + 2 * i, .last = 60001 + 2 * i, .queue = i < 46 ? i : 0,
			.type = i < 46 ? 0 : i - 45,
		};
	plan.nr_ranges = i;
	len = nvmq_plan_format(&plan, text, sizeof(text));
	CHECK(len > 600, "%d", len);
	ret = parse(text, strlen(text), &back, &err);
	CHECK(!ret && same_plan(&plan, &back), "\"%s\": %d %s", text, ret, show(&back));

	/* One range more is refused, wherever it stands. */
	for (i = 0; i < 3; i++) {
		char more[NVMQ_PLAN_TEXT + 16], *at;

		snprintf(more, sizeof(more), "%s", text);
		at = strstr(more, i == 0 ? "default=" : i == 1 ? "read=" : "poll=");
		at = strchr(at, '=') + 1;
		memmove(at + 2, at, strlen(at) + 1);
		memcpy(at, "7:", 2);
		ret = parse(more, strlen(more), &back, &err);
		CHECK(ret == -ERANGE && !strcmp(err.reason, "more than 48 ranges of CPUs"),
		      "\"%s\": %d %s", more, ret, err.reason);
	}
}

/* The machine has the last word on lists: every way to leave a CPU or a queue out. */
static void test_check(void)
{
	static const struct {
		const char *text;
		const char *word;
		const char *reason;
	} cases[] = {
		/* CPUs 0 to 7, without 5. */
		{ "default=cpu poll=2", NULL, NULL },
		{ "default=0-3:4-7", NULL, NULL },
		{ "default=rest", NULL, NULL },
		{ "default=0:rest", NULL, NULL },
		{ "default=7:rest read=0-1:2-4+6+7", NULL, NULL },
		{ "default=0-4:5-7 poll=5+6:rest", NULL, NULL },
		{ "default=0-65534", NULL, NULL },
		{ "default=0-6:7", NULL, NULL },
		{ "default=4 read=cpu cpus=housekeeping", NULL, NULL },
		{ "cpus=housekeeping default=4 poll=0-3:4-7", "poll=0-3:4-7",
		  "cpus=housekeeping leaves no CPUs to list" },
		{ "default=0-6", "default=0-6", "a CPU of this machine has no queue" },
		{ "default=0-3:6-7", "default=0-3:6-7", "a CPU of this machine has no queue" },
		{ "default=1-7", "default=1-7", "a CPU of this machine has no queue" },
		{ "read=0-1/9 default=cpu", "read=0-1/9", "a CPU of this machine has no queue" },
		{ "default=0-4:5:6-7", "default=0-4:5:6-7", "a queue has no CPU of this machine" },
		{ "default=0-7:8-9", "default=0-7:8-9", "a queue has no CPU of this machine" },
		{ "default=0-7:rest", "default=0-7:rest", "a queue has no CPU of this machine" },
		{ "default=60000:rest", "default=60000:rest",
		  "a queue has no CPU of this machine" },
		{ "poll=5:rest depth=7", "poll=5:rest", "a queue has no CPU of this machine" },
		{ "read=00:1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19",
		  "read=0:1:2:3:4:5:6:7:8:9:10:11:12:13:14", "a queue has no CPU of this machine" },
	};
	struct nvmq_cpu cpus[8];
	struct nvmq_topology topo = { .cpu = cpus, .nr_cpus = 8 };
	struct nvmq_plan_error err;
	struct nvmq_plan plan;
	size_t i;
	int ret;

	for (i = 0; i < 8; i++)
		cpus[i] = (struct nvmq_cpu){ .core = i == 5 ? NVMQ_NO_CPU : i };
	nvmq_topology_prepare(&topo);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ret = nvmq_plan_parse(cases[i].text, strlen(cases[i].text), &plan, &err);
		CHECK(!ret, "\"%s\": %d", cases[i].text, ret);
		memset(&err, 0xa5, sizeof(err));
		ret = nvmq_plan_check(&plan, &topo, &err);
		CHECK(!ret == !cases[i].word && (!ret || ret == -EINVAL), "\"%s\": %d",
		      cases[i].text, ret);
		if (cases[i].word)
			CHECK(!strncmp(err.word, cases[i].word, sizeof(err.word) - 1) &&
			      !strcmp(err.reason, cases[i].reason), "\"%s\": \"%s\" %s",
			      cases[i].text, err.word, err.reason);
		else
			CHECK(!err.reason && !err.word[0], "\"%s\" left an error",
			      cases[i].text);
		CHECK(nvmq_plan_check(&plan, &topo, NULL) == ret, "\"%s\"", cases[i].text);
		/* A parameter is refused for the same. */
		CHECK(nvmq_plan_check_list(cases[i].text, &topo, &err) == ret, "\"%s\"",
		      cases[i].text);
		CHECK(!nvmq_plan_check_list(cases[i].text, NULL, &err), "\"%s\"",
		      cases[i].text);
	}
}

/* What the device must have. */
static void test_check_device(void)
{
	static const char text[] = "default=2 wrr=read:high/4:2:1";
	struct nvmq_plan_error err;
	struct nvmq_plan plan;
	int ret;

	CHECK(!nvmq_plan_parse(text, strlen(text), &plan, &err), "parse");
	memset(&err, 0xa5, sizeof(err));
	CHECK(!nvmq_plan_check_device(&plan, true, &err) && !err.reason && !err.word[0], "it has");
	CHECK(!nvmq_plan_check_device(&plan, true, NULL), "it has");
	ret = nvmq_plan_check_device(&plan, false, &err);
	CHECK(ret == -EOPNOTSUPP && !strcmp(err.word, "wrr=read:high/4:2:1") &&
	      !strcmp(err.reason, "the device has no weighted round robin"), "%d \"%s\": %s", ret,
	      err.word, err.reason);
	CHECK(nvmq_plan_check_device(&plan, false, NULL) == -EOPNOTSUPP, "without err");
	nvmq_plan_init(&plan);
	CHECK(!nvmq_plan_check_device(&plan, false, &err) && !err.reason, "not asked for");
}

static const char longest_plan[] =
	"default=65535 read=65535 poll=65535 depth=4095 vectors=2048 irq=intx placement=free";

static void test_format(void)
{
	static const struct {
		struct nvmq_plan plan;
		const char *text;
	} cases[] = {
		{ P(D, 0, 0, 0, 0, 0, 0), "default=cpu" },
		{ P(1, 0, 0, 0, 0, 0, 0), "default=1" },
		{ P(NVMQ_PER_CORE, NVMQ_PER_NODE, NVMQ_PER_CPU, 64, 3, NVMQ_IRQ_MSI,
		    NVMQ_PLACE_FREE),
		  "default=core read=node poll=cpu depth=64 vectors=3 irq=msi placement=free" },
		{ { .queues = { 2, 0, 1 }, .depths = { 9, 8, 7 }, .leave = 3, .coalesce = 8,
		    .coalesce_us = 100, .share = 4 },
		  "default=2/9 read=0/8 poll=1/7 leave=3 coalesce=8/100 share=4" },
		{ { .queues = { 2, 1, 1 }, .depths = { 9, 0, 7 }, .nr_ranges = 5,
		    .ranges = { { 4, 4, 2, 0 }, { 0, 3, 0, 0 }, { 5, 5, 0, 0 },
				{ NVMQ_REST, NVMQ_REST, 0, 1 }, { NVMQ_REST, NVMQ_REST, 1, 0 } } },
		  "default=0-3+5:rest/9 read=rest poll=4-4/7" },
		{ P(65535, 65535, 65535, 4095, 2048, NVMQ_IRQ_INTX, NVMQ_PLACE_FREE),
		  longest_plan },
		{ { .queues = { 1 }, .wrr = { true, { 2, 2, 2 } } },
		  "default=1 wrr=default:medium" },
		{ { .queues = { 1 }, .wrr = { true, { 2, 2, 3 }, { 9, 8, 256 } } },
		  "default=1 wrr=poll:low/9:8:256" },
		{ { .queues = { 1 }, .housekeeping = true, .share = 2 },
		  "default=1 share=2 cpus=housekeeping" },
		{ { .queues = { 1 }, .wrr = { true, { 0, 1, 3 } } },
		  "default=1 wrr=default:urgent+read:high+poll:low" },
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
		{ "default=1:00:12.0", -EINVAL, "default=1:00:12.0", CPUS_EXPECTED },
		{ "00.0 default=1", -EINVAL, "00.0", "unknown word" },
	};
	struct nvmq_plan_error err;
	size_t i;
	int ret;

	CHECK(!nvmq_plan_check_list(NULL, NULL, &err) && !err.reason, "NULL");
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		memset(&err, 0xa5, sizeof(err));
		ret = nvmq_plan_check_list(good[i], NULL, &err);
		CHECK(!ret, "\"%s\": %d %s", good[i], ret, err.reason);
		CHECK(!err.reason && !err.word[0], "\"%s\" left an error", good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ret = nvmq_plan_check_list(bad[i].text, NULL, &err);
		check_error(&bad[i], ret, &err);
		CHECK(nvmq_plan_check_list(bad[i].text, NULL, NULL) == ret, "\"%s\"", bad[i].text);
	}
	for (i = 0; i < sizeof(bad_cases) / sizeof(*bad_cases); i++) {
		if (strchr(bad_cases[i].text, ':') || strchr(bad_cases[i].text, ';'))
			continue;
		ret = nvmq_plan_check_list(bad_cases[i].text, NULL, &err);
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
	char text[8192], words[1024];
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
		ret = nvmq_plan_check_list(text, NULL, &err);
		CHECK(!ret, "\"%s\": %d", text, ret);
	}
}

static size_t hostile(char *text, size_t room)
{
	static const char * const bits[] = {
		"default", "read", "poll", "depth", "vectors", "irq", "placement", "=", "=", "=",
		"leave", "coalesce", "share", "share=4 ", "wrr=", "default:high", "read:low",
		"wrr=poll:urgent/1:2:3 ", "cpus=", "housekeeping",
		 "/", "/", "+", "-", ":", "rest", "off", "0-3", "4-7",
		"default=0-3:", "read=rest", "coalesce=8/100 ", " ", ",", ";", "cpu", "core",
		"node", "msix", "msi", "intx", "managed", "free", "0",
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
	CHECK(plan->nr_ranges <= NVMQ_PLAN_MAX_RANGES, "%s", show(plan));
	CHECK(plan->share <= NVMQ_PLAN_MAX_SHARE && plan->share != 1, "%s", show(plan));
	CHECK(plan->coalesce <= NVMQ_PLAN_MAX_COALESCE && plan->coalesce_us % 100 == 0, "%s",
	      show(plan));
	for (t = 0; t < NVMQ_NR_TYPES; t++)
		CHECK(plan->wrr.classes[t] < NVMQ_NR_CLASSES &&
		      plan->wrr.weights[t] <= NVMQ_PLAN_MAX_WEIGHT &&
		      !plan->wrr.weights[t] == !plan->wrr.weights[0], "%s", show(plan));
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
		ret = nvmq_plan_check_list(string, NULL, &err);
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
	TAP_RUN(test_longest);
	TAP_RUN(test_check);
	TAP_RUN(test_check_device);
	TAP_RUN(test_check_list);
	TAP_RUN(test_select);
	TAP_RUN(test_addresses);
	TAP_RUN(test_select_random);
	TAP_RUN(test_hostile);
	return tap_done();
}
