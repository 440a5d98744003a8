// SPDX-License-Identifier: GPL-2.0
/* What a plan comes to on a given machine and device. */
#include <errno.h>

#include "tap.h"
#include "plan.c"

static const char *show(const struct nvmq_plan *p, const struct nvmq_plan_limits *l,
			const struct nvmq_grant *g)
{
	static char text[512];

	snprintf(text, sizeof(text),
		 "asked %u,%u,%u depth %u vectors %u irq %d; "
		 "cpus %u/%u/%u pairs %u doorbells %u entries %u vectors %u irq %d; "
		 "got %u,%u,%u depth %u vectors %u irq %d",
		 p->queues[0], p->queues[1], p->queues[2], p->depth, p->vectors, p->irq, l->cpus,
		 l->cores, l->nodes, l->pairs, l->doorbells, l->entries, l->vectors, l->irq,
		 g->queues[0], g->queues[1], g->queues[2], g->depth, g->vectors, g->irq);
	return text;
}

static u32 least(u32 a, u32 b)
{
	return a < b ? a : b;
}

/* The queues of one type if the device had no limit. */
static u32 oracle_wanted(const struct nvmq_plan *p, const struct nvmq_plan_limits *l, int type)
{
	u32 n = p->queues[type];

	if (n == NVMQ_PER_CPU)
		n = l->cpus;
	else if (n == NVMQ_PER_CORE)
		n = l->cores;
	else if (n == NVMQ_PER_NODE)
		n = l->nodes;
	return least(n, l->cpus);
}

/* The rule of nvmq_plan_grant() as a story: give up one queue at a time until it fits. */
static void oracle_queues(const struct nvmq_plan *p, const struct nvmq_plan_limits *l, u32 *n)
{
	u32 pairs = l->entries < 2 ? 0 : least(l->pairs, l->doorbells);
	int t;

	for (t = 0; t < 3; t++)
		n[t] = oracle_wanted(p, l, t);
	while (n[0] + n[1] + n[2] > pairs) {
		if (n[2] > 1)
			n[2]--;
		else if (n[1] > 1)
			n[1]--;
		else if (n[0] > 1)
			n[0]--;
		else if (n[2])
			n[2]--;
		else if (n[1])
			n[1]--;
		else
			n[0]--;
	}
}

static void check_vectors(const struct nvmq_plan *p, const struct nvmq_plan_limits *l,
			  const struct nvmq_grant *g)
{
	u32 with_irq = g->queues[0] + g->queues[1], qid, least_load = ~0u, most_load = 0, load = 0;
	int vector, last = 0;

	CHECK(nvmq_grant_vector(g, 0) == 0, "%s", show(p, l, g));
	for (qid = 1; qid <= with_irq; qid++) {
		vector = nvmq_grant_vector(g, qid);
		if (g->vectors == 1) {
			CHECK(vector == 0, "qid %u vector %d: %s", qid, vector, show(p, l, g));
			continue;
		}
		CHECK(vector == last || vector == last + 1, "qid %u vector %d after %d: %s", qid,
		      vector, last, show(p, l, g));
		CHECK(vector > 0, "qid %u shares with the admin queue: %s", qid, show(p, l, g));
		if (vector != last && last) {
			least_load = least(least_load, load);
			most_load = load > most_load ? load : most_load;
			load = 0;
		}
		load++;
		last = vector;
	}
	if (g->vectors > 1) {
		least_load = least(least_load, load);
		most_load = load > most_load ? load : most_load;
		CHECK(last == g->vectors - 1, "%d: %s", last, show(p, l, g));
		CHECK(most_load - least_load <= 1, "%u to %u: %s", least_load, most_load,
		      show(p, l, g));
	}
	for (qid = with_irq + 1; qid <= with_irq + g->queues[2] + 1; qid++)
		CHECK(nvmq_grant_vector(g, qid) == -1, "qid %u: %s", qid, show(p, l, g));
	CHECK(nvmq_grant_vector(g, 65535) == -1 || with_irq == 65535, "%s", show(p, l, g));
}

static void check_ids(const struct nvmq_plan *p, const struct nvmq_plan_limits *l,
		      const struct nvmq_grant *g)
{
	u32 qid = 1, i;
	int t;

	for (t = 0; t < 3; t++) {
		CHECK(nvmq_grant_first(g, t) == qid, "%d: %s", t, show(p, l, g));
		for (i = 0; i < g->queues[t]; i++, qid++)
			CHECK(nvmq_grant_type(g, qid) == (enum nvmq_qtype)t, "%u: %s", qid,
			      show(p, l, g));
	}
	CHECK(nvmq_grant_total(g) == qid - 1, "%s", show(p, l, g));
}

static void check_grant(const struct nvmq_plan *p, const struct nvmq_plan_limits *l,
			struct nvmq_grant *g)
{
	struct nvmq_plan_limits lower = *l;
	u32 want[3], total, depth, vectors, most, floor;
	struct nvmq_grant again;
	int ret, t;

	memset(g, 0xa5, sizeof(*g));
	ret = nvmq_plan_grant(p, l, g);
	CHECK(!ret, "%d: %s", ret, show(p, l, g));

	oracle_queues(p, l, want);
	for (t = 0; t < 3; t++)
		CHECK(g->queues[t] == want[t], "type %d not %u: %s", t, want[t], show(p, l, g));
	total = g->queues[0] + g->queues[1] + g->queues[2];
	CHECK(total <= l->pairs && total <= l->doorbells, "%s", show(p, l, g));
	CHECK(g->queues[0] || !l->pairs || !l->doorbells || l->entries < 2, "%s", show(p, l, g));
	CHECK(total <= nvmq_plan_pairs(p, l), "%s", show(p, l, g));

	depth = p->depth;
	if (!depth && total <= 16)
		depth = 1023;
	else if (!depth)
		depth = 16384 / total < 128 ? 128 : 16384 / total;
	if (l->entries && depth > l->entries - 1)
		depth = l->entries - 1;
	CHECK(g->depth == (total ? depth : 0), "depth not %u: %s", depth, show(p, l, g));

	floor = p->irq > l->irq ? p->irq : l->irq;
	CHECK(g->irq == floor, "%s", show(p, l, g));
	most = g->irq == NVMQ_IRQ_INTX ? 1 : g->irq == NVMQ_IRQ_MSI ? 32 : 2048;
	vectors = least(least(1 + g->queues[0] + g->queues[1], l->vectors), most);
	if (p->vectors)
		vectors = least(vectors, p->vectors);
	CHECK(g->vectors == vectors && vectors, "vectors not %u: %s", vectors, show(p, l, g));

	/* Granting again from what was had changes nothing. */
	lower.pairs = total;
	lower.vectors = g->vectors;
	lower.irq = g->irq;
	ret = nvmq_plan_grant(p, &lower, &again);
	CHECK(!ret && !memcmp(&again, g, sizeof(again)), "again: %s", show(p, &lower, &again));
	check_vectors(p, l, g);
	check_ids(p, l, g);
}

/* Every mix of counts on every small device. */
static void test_brute_force(void)
{
	static const u32 counts[] = { 0, 1, 2, 3, 5, NVMQ_PER_CPU, NVMQ_PER_CORE, NVMQ_PER_NODE };
	static const u32 machines[][3] = { { 1, 1, 1 }, { 2, 1, 1 }, { 4, 4, 1 }, { 6, 3, 2 } };
	static const u32 pairs[] = { 0, 1, 2, 3, 4, 5, 6, 7, 9, 18, 64 };
	static const u32 vectors[] = { 1, 2, 3, 4, 7, 64 };
	struct nvmq_plan p = { .placement = NVMQ_PLACE_MANAGED };
	struct nvmq_plan_limits l = { .doorbells = 65535, .entries = 1024 };
	struct nvmq_grant g;
	u32 i, rest, machine;

	for (i = 0; i < 4 * 7 * 8 * 8 * 11 * 6; i++) {
		rest = i;
		machine = digit(&rest, 4);
		l.cpus = machines[machine][0];
		l.cores = machines[machine][1];
		l.nodes = machines[machine][2];
		p.queues[0] = counts[1 + digit(&rest, 7)];
		p.queues[1] = counts[digit(&rest, 8)];
		p.queues[2] = counts[digit(&rest, 8)];
		l.pairs = pairs[digit(&rest, 11)];
		l.vectors = vectors[digit(&rest, 6)];
		check_grant(&p, &l, &g);
	}
}

/* 1 to 64 CPUs by 1 to 64 pairs, and never fewer queues of any type for more pairs. */
static void test_cpus_by_pairs(void)
{
	struct nvmq_plan p = { { NVMQ_PER_CPU, 0, 0 }, 0, 0, 0, 0 };
	struct nvmq_plan_limits l = { .doorbells = 65535, .entries = 65536, .vectors = 2048 };
	struct nvmq_grant g, fewer;
	int t, mix;

	for (mix = 0; mix < 6; mix++) {
		p.queues[1] = mix % 3 == 1 ? 3 : mix % 3 == 2 ? NVMQ_PER_CPU : 0;
		p.queues[2] = mix / 3 ? 2 : 0;
		for (l.cpus = 1; l.cpus <= 64; l.cpus++) {
			l.cores = (l.cpus + 1) / 2;
			l.nodes = (l.cpus + 31) / 32;
			memset(&fewer, 0, sizeof(fewer));
			for (l.pairs = 1; l.pairs <= 64; l.pairs++) {
				check_grant(&p, &l, &g);
				for (t = 0; t < 3; t++)
					CHECK(g.queues[t] >= fewer.queues[t], "type %d: %s", t,
					      show(&p, &l, &g));
				fewer = g;
			}
		}
	}
}

static void test_random(void)
{
	static const u32 edges[] = { 0, 1, 2, 3, 16, 17, 128, 2048, 65534, 65535, 65536, ~0u };
	struct nvmq_plan_limits l;
	struct nvmq_plan p;
	struct nvmq_grant g;
	int i, t;

	for (i = 0; i < 20000; i++) {
		for (t = 0; t < 3; t++)
			p.queues[t] = rnd_in(0, 3) ? rnd_in(!t, 40) :
				      rnd_in(NVMQ_PER_CPU, NVMQ_PER_NODE);
		p.depth = rnd_in(0, 1) ? rnd_in(2, 4095) : 0;
		p.vectors = rnd_in(0, 1) ? rnd_in(1, 64) : 0;
		p.irq = rnd_in(0, 2);
		p.placement = 0;
		l.cpus = rnd_in(1, 64);
		l.cores = rnd_in(1, l.cpus);
		l.nodes = rnd_in(1, l.cores);
		l.pairs = rnd_in(0, 2) ? rnd_in(0, 80) : edges[rnd_in(0, 11)];
		l.doorbells = rnd_in(0, 2) ? 65535 : edges[rnd_in(0, 11)];
		l.entries = rnd_in(0, 1) ? 65536 : rnd_in(0, 1) ? rnd_in(2, 4100) :
			    edges[rnd_in(0, 10)];
		l.vectors = rnd_in(0, 1) ? rnd_in(1, 80) : edges[rnd_in(1, 11)];
		l.irq = rnd_in(0, 2);
		check_grant(&p, &l, &g);
	}
}

/* Cases whose result is written out, so that the oracle is not the only witness. */
static void test_table(void)
{
#define CPU	NVMQ_PER_CPU
	static const struct {
		struct nvmq_plan plan;
		struct nvmq_plan_limits limits;
		const char *text;
	} cases[] = {
		{ { { CPU, 0, 0 }, 0, 0, 0, 0 }, { 4, 4, 1, 64, 64, 2048, 65, 0 },
		  "default=4 read=0 poll=0 depth=1023 vectors=5 irq=msix" },
		{ { { CPU, 0, 2 }, 0, 0, 0, 0 }, { 4, 4, 1, 4, 64, 2048, 65, 0 },
		  "default=3 read=0 poll=1 depth=1023 vectors=4 irq=msix" },
		{ { { CPU, 2, 2 }, 0, 0, 0, 0 }, { 4, 4, 1, 6, 64, 2048, 65, 0 },
		  "default=4 read=1 poll=1 depth=1023 vectors=6 irq=msix" },
		{ { { CPU, 2, 2 }, 0, 0, 0, 0 }, { 4, 4, 1, 7, 64, 2048, 65, 0 },
		  "default=4 read=2 poll=1 depth=1023 vectors=7 irq=msix" },
		{ { { CPU, 2, 2 }, 0, 0, 0, 0 }, { 4, 4, 1, 2, 64, 2048, 65, 0 },
		  "default=1 read=1 poll=0 depth=1023 vectors=3 irq=msix" },
		{ { { CPU, 2, 2 }, 0, 0, 0, 0 }, { 4, 4, 1, 1, 64, 2048, 65, 0 },
		  "default=1 read=0 poll=0 depth=1023 vectors=2 irq=msix" },
		{ { { CPU, 0, 0 }, 0, 0, 0, 0 }, { 4, 4, 1, 0, 64, 2048, 65, 0 },
		  "default=0 read=0 poll=0 depth=0 vectors=1 irq=msix" },
		{ { { CPU, 0, 0 }, 0, 0, 0, 0 }, { 8, 4, 1, 64, 3, 2048, 65, 0 },
		  "default=3 read=0 poll=0 depth=1023 vectors=4 irq=msix" },
		{ { { 9, 0, 0 }, 0, 0, 0, 0 }, { 4, 4, 1, 64, 64, 2048, 65, 0 },
		  "default=4 read=0 poll=0 depth=1023 vectors=5 irq=msix" },
		{ { { CPU, 0, 0 }, 0, 0, 0, 0 }, { 4, 4, 1, 64, 64, 2, 65, 0 },
		  "default=4 read=0 poll=0 depth=1 vectors=5 irq=msix" },
		{ { { CPU, 0, 0 }, 0, 0, 0, 0 }, { 4, 4, 1, 64, 64, 1, 65, 0 },
		  "default=0 read=0 poll=0 depth=0 vectors=1 irq=msix" },
		{ { { CPU, 0, 0 }, 0, 0, 0, 0 }, { 4, 4, 1, 64, 64, 0, 65, 0 },
		  "default=0 read=0 poll=0 depth=0 vectors=1 irq=msix" },
		{ { { CPU, 0, 0 }, 64, 0, 0, 0 }, { 4, 4, 1, 64, 64, 65, 65, 0 },
		  "default=4 read=0 poll=0 depth=64 vectors=5 irq=msix" },
		{ { { CPU, 0, 0 }, 64, 0, 0, 0 }, { 4, 4, 1, 64, 64, 64, 65, 0 },
		  "default=4 read=0 poll=0 depth=63 vectors=5 irq=msix" },
		{ { { CPU, 0, 0 }, 0, 0, 0, 0 }, { 16, 16, 1, 64, 64, 65536, 65, 0 },
		  "default=16 read=0 poll=0 depth=1023 vectors=17 irq=msix" },
		{ { { CPU, 0, 0 }, 0, 0, 0, 0 }, { 17, 16, 1, 64, 64, 65536, 65, 0 },
		  "default=17 read=0 poll=0 depth=963 vectors=18 irq=msix" },
		{ { { CPU, 0, 0 }, 0, 0, 0, 0 }, { 512, 256, 2, 600, 600, 65536, 2048, 0 },
		  "default=512 read=0 poll=0 depth=128 vectors=513 irq=msix" },
		{ { { CPU, 0, 0 }, 0, 3, 0, 0 }, { 4, 4, 1, 64, 64, 2048, 65, 0 },
		  "default=4 read=0 poll=0 depth=1023 vectors=3 irq=msix" },
		{ { { CPU, 0, 0 }, 0, 0, NVMQ_IRQ_INTX, 0 }, { 4, 4, 1, 64, 64, 2048, 65, 0 },
		  "default=4 read=0 poll=0 depth=1023 vectors=1 irq=intx" },
		{ { { CPU, 0, 0 }, 0, 0, 0, 0 }, { 4, 4, 1, 64, 64, 2048, 9, NVMQ_IRQ_INTX },
		  "default=4 read=0 poll=0 depth=1023 vectors=1 irq=intx" },
		{ { { CPU, 0, 0 }, 0, 0, NVMQ_IRQ_MSI, 0 }, { 64, 64, 1, 64, 64, 256, 65, 0 },
		  "default=64 read=0 poll=0 depth=255 vectors=32 irq=msi" },
		{ { { 65535, 65535, 65535 }, 4095, 0, 0, 0 },
		  { 65535, 65535, 9, ~0u, ~0u, ~0u, ~0u, 0 },
		  "default=65533 read=1 poll=1 depth=4095 vectors=2048 irq=msix" },
	};
	char text[NVMQ_GRANT_TEXT], *small;
	struct nvmq_grant g;
	size_t i, want, size;
	int len;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CHECK(!nvmq_plan_grant(&cases[i].plan, &cases[i].limits, &g), "case %zu", i);
		len = nvmq_grant_format(&g, text, sizeof(text));
		want = strlen(cases[i].text);
		CHECK(len == (int)want && !strcmp(text, cases[i].text),
		      "case %zu: \"%s\" %d not \"%s\"", i, text, len, cases[i].text);
		for (size = 0; size <= want + 1; size++) {
			small = malloc(size);
			len = nvmq_grant_format(&g, small, size);
			CHECK(len == (size > want ? (int)want : -ENOSPC), "size %zu: %d", size,
			      len);
			CHECK(!size || memchr(small, 0, size), "size %zu: not terminated", size);
			free(small);
		}
	}
}

static void test_longest_text(void)
{
	struct nvmq_grant g = { { 65535, 65535, 65535 }, 65535, 65535, NVMQ_IRQ_INTX };
	char text[NVMQ_GRANT_TEXT];
	int len = nvmq_grant_format(&g, text, sizeof(text));

	CHECK(len > 0, "%d", len);
}

static void test_edges(void)
{
	struct nvmq_plan_limits l = { 4, 4, 1, 64, 64, 64, 0, 0 };
	struct nvmq_grant g, zero;
	struct nvmq_plan p;
	int ret;

	memset(&zero, 0, sizeof(zero));
	nvmq_plan_init(&p);
	memset(&g, 0xa5, sizeof(g));
	ret = nvmq_plan_grant(&p, &l, &g);
	CHECK(ret == -ENXIO && !memcmp(&g, &zero, sizeof(g)), "no interrupt: %d", ret);

	/* Counts that nobody filled in are no reason to divide by them or to grant nothing. */
	l = (struct nvmq_plan_limits){ 0, 0, 0, 64, 64, 64, 64, 0 };
	p.queues[1] = NVMQ_PER_CORE;
	p.queues[2] = NVMQ_PER_NODE;
	ret = nvmq_plan_grant(&p, &l, &g);
	CHECK(!ret && g.queues[0] == 1 && g.queues[1] == 1 && g.queues[2] == 1, "%s",
	      show(&p, &l, &g));
	CHECK(nvmq_plan_pairs(&p, &l) == 3, "%u", nvmq_plan_pairs(&p, &l));

	/* The highest queue id. */
	g = (struct nvmq_grant){ { 65535, 0, 0 }, 2, 2048, 0 };
	CHECK(nvmq_grant_type(&g, 65535) == NVMQ_DEFAULT, "%d", nvmq_grant_type(&g, 65535));
	CHECK(nvmq_grant_vector(&g, 65535) == 2047, "%d", nvmq_grant_vector(&g, 65535));
	CHECK(nvmq_grant_vector(&g, 1) == 1, "%d", nvmq_grant_vector(&g, 1));
	g = (struct nvmq_grant){ { 65534, 0, 1 }, 2, 2048, 0 };
	CHECK(nvmq_grant_type(&g, 65535) == NVMQ_POLL, "%d", nvmq_grant_type(&g, 65535));
	CHECK(nvmq_grant_vector(&g, 65535) == -1, "%d", nvmq_grant_vector(&g, 65535));
	/* More vectors than queues to serve: what a grant of another's making may hold. */
	g = (struct nvmq_grant){ { 2, 0, 0 }, 2, 9, 0 };
	CHECK(nvmq_grant_vector(&g, 1) == 1 && nvmq_grant_vector(&g, 2) == 2, "%d %d",
	      nvmq_grant_vector(&g, 1), nvmq_grant_vector(&g, 2));

	p = (struct nvmq_plan){ { 65535, 65535, 65535 }, 0, 0, 0, 0 };
	l.cpus = 65535;
	CHECK(nvmq_plan_pairs(&p, &l) == 65535, "%u", nvmq_plan_pairs(&p, &l));
	p = (struct nvmq_plan){ { NVMQ_PER_CPU, 3, NVMQ_PER_NODE }, 0, 0, 0, 0 };
	l = (struct nvmq_plan_limits){ .cpus = 8, .cores = 4, .nodes = 2 };
	CHECK(nvmq_plan_pairs(&p, &l) == 13, "%u", nvmq_plan_pairs(&p, &l));
}

static void test_names(void)
{
	CHECK(!strcmp(nvmq_qtype_name(NVMQ_DEFAULT), "default"), "default");
	CHECK(!strcmp(nvmq_qtype_name(NVMQ_READ), "read"), "read");
	CHECK(!strcmp(nvmq_qtype_name(NVMQ_POLL), "poll"), "poll");
	CHECK(!strcmp(nvmq_qtype_name(NVMQ_NR_TYPES), "?"), "beyond");
	CHECK(!strcmp(nvmq_irq_kind_name(NVMQ_IRQ_MSIX), "msix"), "msix");
	CHECK(!strcmp(nvmq_irq_kind_name(NVMQ_IRQ_MSI), "msi"), "msi");
	CHECK(!strcmp(nvmq_irq_kind_name(NVMQ_IRQ_INTX), "intx"), "intx");
	CHECK(!strcmp(nvmq_irq_kind_name(NVMQ_NR_IRQ_KINDS), "?"), "beyond");
}

int main(void)
{
	TAP_RUN(test_table);
	TAP_RUN(test_brute_force);
	TAP_RUN(test_cpus_by_pairs);
	TAP_RUN(test_random);
	TAP_RUN(test_longest_text);
	TAP_RUN(test_edges);
	TAP_RUN(test_names);
	return tap_done();
}
