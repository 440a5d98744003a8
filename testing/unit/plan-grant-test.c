// SPDX-License-Identifier: GPL-2.0
/* What a plan comes to on a given machine and device. */
#include <errno.h>

#include "tap.h"
#include "plan.c"

/* A plan in the order of the words: three counts, depth, vectors, irq, placement. */
#define P(d, r, p, deep, vec, kind, place)						\
	{										\
		.queues = { d, r, p }, .depth = deep, .vectors = vec, .irq = kind,	\
		.placement = place							\
	}

/* Limits: CPUs, cores, nodes, pairs, usable pairs, entries, vectors, irq. */
#define L(c, k, n, ask, use, len, vec, kind)						\
	{										\
		.cpus = c, .cores = k, .nodes = n, .pairs = ask, .usable = use,		\
		.entries = len, .vectors = vec, .irq = kind				\
	}

/* A grant whose queues are of one depth. */
#define G(d, r, p, deep, vec, kind)							\
	{										\
		.queues = { d, r, p }, .depth = deep, .vectors = vec, .irq = kind	\
	}

static const char *show(const struct nvmq_plan *p, const struct nvmq_plan_limits *l,
			const struct nvmq_grant *g)
{
	static char text[512];

	snprintf(text, sizeof(text),
		 "asked %u/%u,%u/%u,%u/%u depth %u vectors %u irq %d leave %u share %u; "
		 "cpus %u/%u/%u pairs %u usable %u entries %u/%u tags %u vectors %u irq %d; "
		 "got %u/%u,%u/%u,%u/%u depth %u entries %u vectors %u irq %d leave %u spread %#x; "
		 "share %u",
		 p->queues[0], p->depths[0], p->queues[1], p->depths[1], p->queues[2],
		 p->depths[2], p->depth, p->vectors, p->irq, p->leave, p->share, l->cpus, l->cores,
		 l->nodes, l->pairs, l->usable, l->entries, l->cq_entries, l->tags, l->vectors,
		 l->irq, g->queues[0],
		 g->depths[0], g->queues[1], g->depths[1], g->queues[2], g->depths[2], g->depth,
		 g->entries, g->vectors, g->irq, g->leave, g->spread, g->share);
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
	u32 pairs = l->pairs, leave, t;

	/* One by one, and never the last. */
	for (leave = p->leave; leave && pairs > 1; leave--)
		pairs--;
	pairs = l->entries < 2 ? 0 : least(pairs, l->usable);

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

/* Who has which completion queue, counted one by one. */
static void check_cqs(const struct nvmq_plan *p, const struct nvmq_plan_limits *l,
		      const struct nvmq_grant *g)
{
	u32 total = g->queues[0] + g->queues[1] + g->queues[2], most = 1;
	u32 longest = l->cq_entries > l->entries ? l->cq_entries : l->entries, qid, end, n, t;
	u32 least_crowd[3] = { ~0u, ~0u, ~0u }, most_crowd[3] = { 0 };

	longest = least(longest, 65536);
	for (qid = 1; qid <= total; qid = end) {
		t = nvmq_grant_type(g, qid);
		for (end = qid; end <= total && nvmq_grant_cq(g, end) == qid; end++)
			CHECK(nvmq_grant_type(g, end) == t, "%u and %u: %s", qid, end,
			      show(p, l, g));
		n = end - qid;
		CHECK(n && n <= (t == 2 || !p->share ? 1 : p->share), "%u of queue %u: %s", n, qid,
		      show(p, l, g));
		if (!n)
			return;
		CHECK(nvmq_grant_sharers(g, qid) == n, "%u of queue %u, not %u: %s",
		      nvmq_grant_sharers(g, qid), qid, n, show(p, l, g));
		least_crowd[t] = least(least_crowd[t], n);
		most_crowd[t] = n > most_crowd[t] ? n : most_crowd[t];
		most = n > most ? n : most;
		/* Room for all that may be outstanding, and one entry that stays free. */
		CHECK(nvmq_grant_cq_entries(g, qid) == least(n * (g->entries - 1) + 1, longest) &&
		      nvmq_grant_cq_entries(g, qid) > n * g->depths[t],
		      "%u entries for %u of depth %u: %s", nvmq_grant_cq_entries(g, qid), n,
		      g->depths[t], show(p, l, g));
		for (n = qid + 1; n < end; n++)
			CHECK(!nvmq_grant_cq_entries(g, n) && !nvmq_grant_sharers(g, n), "%u: %s",
			      n, show(p, l, g));
	}
	CHECK(g->share == (most > 1 ? most : 0), "%u not %u: %s", g->share, most, show(p, l, g));
	for (t = 0; t < 3; t++)
		CHECK(!most_crowd[t] || most_crowd[t] - least_crowd[t] <= 1, "%u: %u to %u: %s", t,
		      least_crowd[t], most_crowd[t], show(p, l, g));
}

/* Completion queues of the two types with interrupts. */
static u32 count_cqs(const struct nvmq_grant *g)
{
	u32 qid, n = 0;

	for (qid = 1; qid <= g->queues[0] + g->queues[1]; qid++)
		n += nvmq_grant_cq(g, qid) == qid;
	return n;
}

static void check_vectors(const struct nvmq_plan *p, const struct nvmq_plan_limits *l,
			  const struct nvmq_grant *g)
{
	u32 with_irq = g->queues[0] + g->queues[1], qid, least_load = ~0u, most_load = 0, load = 0;
	int vector, last = 0;

	CHECK(nvmq_grant_vector(g, 0) == 0, "%s", show(p, l, g));
	for (qid = 1; qid <= with_irq; qid++) {
		vector = nvmq_grant_vector(g, qid);
		if (nvmq_grant_cq(g, qid) != qid) {
			CHECK(vector == last, "qid %u vector %d not %d: %s", qid, vector, last,
			      show(p, l, g));
			continue;
		}
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

static void check_depths(const struct nvmq_plan *p, const struct nvmq_plan_limits *l,
			 const struct nvmq_grant *g)
{
	u32 total = g->queues[0] + g->queues[1] + g->queues[2], depth, deepest = 0;
	int t;

	for (t = 0; t < 3; t++) {
		depth = p->depths[t] ? p->depths[t] : p->depth;
		if (!depth && total <= 16)
			depth = 1023;
		else if (!depth)
			depth = 16384 / total < 128 ? 128 : 16384 / total;
		if (l->tags)
			depth = least(depth, l->tags);
		if (l->entries)
			depth = least(depth, l->entries - 1);
		if (t < 2 && p->share && g->queues[t]) {
			u32 crowd = 1, longest = least(l->cq_entries > l->entries ? l->cq_entries :
						       l->entries, 65536);

			/* The fewest completion queues that will do, and who is in the fullest. */
			while ((g->queues[t] + crowd - 1) / crowd >
			       (g->queues[t] + least(p->share, longest - 1) - 1) /
			       least(p->share, longest - 1))
				crowd++;
			depth = least(depth, (longest - 1) / crowd);
		}
		if (!g->queues[t])
			depth = 0;
		CHECK(g->depths[t] == depth, "depth of %d not %u: %s", t, depth, show(p, l, g));
		deepest = depth > deepest ? depth : deepest;
	}
	CHECK(g->depth == deepest, "deepest not %u: %s", deepest, show(p, l, g));
	if (!total)
		CHECK(!g->entries, "%s", show(p, l, g));
	else if (l->tags)
		CHECK(g->entries == least(l->tags + 1, l->entries), "%s", show(p, l, g));
	else
		CHECK(g->entries == deepest + 1, "%s", show(p, l, g));
}

static void check_grant(const struct nvmq_plan *p, const struct nvmq_plan_limits *l,
			struct nvmq_grant *g)
{
	struct nvmq_plan_limits lower = *l;
	u32 want[3], total, vectors, most, floor;
	struct nvmq_grant again;
	int ret, t;

	memset(g, 0xa5, sizeof(*g));
	ret = nvmq_plan_grant(p, l, g);
	CHECK(!ret, "%d: %s", ret, show(p, l, g));

	oracle_queues(p, l, want);
	for (t = 0; t < 3; t++)
		CHECK(g->queues[t] == want[t], "type %d not %u: %s", t, want[t], show(p, l, g));
	for (t = 0; t < 3; t++) {
		bool listed = nvmq_plan_has_list(p, t);

		CHECK(!!(g->spread & 1 << t) ==
		      (listed && g->queues[t] && g->queues[t] != p->queues[t]), "%d: %s", t,
		      show(p, l, g));
		CHECK(nvmq_plan_is_listed(p, g, t) == (listed && g->queues[t] == p->queues[t]),
		      "%d: %s", t, show(p, l, g));
	}
	total = g->queues[0] + g->queues[1] + g->queues[2];
	CHECK(total <= l->pairs && total <= l->usable, "%s", show(p, l, g));
	CHECK(g->queues[0] || !l->pairs || !l->usable || l->entries < 2, "%s", show(p, l, g));
	CHECK(total <= nvmq_plan_pairs(p, l), "%s", show(p, l, g));

	check_depths(p, l, g);
	CHECK(g->leave == (total ? least(p->leave, l->pairs - 1) : 0), "%s", show(p, l, g));
	CHECK(g->leave + total <= l->pairs, "%s", show(p, l, g));

	floor = p->irq > l->irq ? p->irq : l->irq;
	CHECK(g->irq == floor, "%s", show(p, l, g));
	most = g->irq == NVMQ_IRQ_INTX ? 1 : g->irq == NVMQ_IRQ_MSI ? 32 : 2048;
	vectors = least(least(1 + count_cqs(g), l->vectors), most);
	if (p->vectors)
		vectors = least(vectors, p->vectors);
	CHECK(g->vectors == vectors && vectors, "vectors not %u: %s", vectors, show(p, l, g));

	/* Granting again from what was had changes nothing. */
	lower.usable = total;
	lower.vectors = g->vectors;
	lower.irq = g->irq;
	ret = nvmq_plan_grant(p, &lower, &again);
	CHECK(!ret && !memcmp(&again, g, sizeof(again)), "again: %s", show(p, &lower, &again));
	/* And when the tags have been made for it. */
	lower = *l;
	lower.tags = g->entries ? g->entries - 1u : l->tags;
	ret = nvmq_plan_grant(p, &lower, &again);
	CHECK(!ret && !memcmp(&again, g, sizeof(again)), "with tags: %s", show(p, &lower, &again));
	check_cqs(p, l, g);
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
	struct nvmq_plan_limits l = { .usable = 65535, .entries = 1024 };
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
	struct nvmq_plan p = P(NVMQ_PER_CPU, 0, 0, 0, 0, 0, 0);
	struct nvmq_plan_limits l = { .usable = 65535, .entries = 65536, .vectors = 2048 };
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
	u32 i, t, q;

	for (i = 0; i < 20000; i++) {
		for (t = 0; t < 3; t++)
			p.queues[t] = rnd_in(0, 3) ? rnd_in(!t, 40) :
				      rnd_in(NVMQ_PER_CPU, NVMQ_PER_NODE);
		p.depth = rnd_in(0, 1) ? rnd_in(2, 4095) : 0;
		p.leave = rnd_in(0, 1) ? 0 : rnd_in(0, 3) ? rnd_in(0, 70) : rnd_in(0, 65535);
		p.nr_ranges = 0;
		p.share = rnd_in(0, 1) ? 0 : rnd_in(0, 3) ? rnd_in(2, 8) : rnd_in(2, 256);
		for (t = 0; t < 3; t++) {
			p.depths[t] = rnd_in(0, 1) ? rnd_in(2, 4095) : 0;
			/* A CPU for each queue. */
			if (rnd_in(0, 3) || !p.queues[t] || p.queues[t] + p.nr_ranges > 48)
				continue;
			for (q = 0; q < p.queues[t]; q++)
				p.ranges[p.nr_ranges++] = (struct nvmq_plan_range){ q, q, t, q };
		}
		p.vectors = rnd_in(0, 1) ? rnd_in(1, 64) : 0;
		p.irq = rnd_in(0, 2);
		p.placement = 0;
		l.cpus = rnd_in(1, 64);
		l.cores = rnd_in(1, l.cpus);
		l.nodes = rnd_in(1, l.cores);
		l.pairs = rnd_in(0, 2) ? rnd_in(0, 80) : edges[rnd_in(0, 11)];
		l.usable = rnd_in(0, 2) ? 65535 : edges[rnd_in(0, 11)];
		l.entries = rnd_in(0, 1) ? 65536 : rnd_in(0, 1) ? rnd_in(2, 4100) :
			    edges[rnd_in(0, 10)];
		l.tags = rnd_in(0, 1) ? 0 : rnd_in(1, 4095);
		l.cq_entries = rnd_in(0, 1) ? l.entries : rnd_in(0, 65536);
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
		{ P(CPU, 0, 0, 0, 0, 0, 0), L(4, 4, 1, 64, 64, 2048, 65, 0),
		  "default=4 read=0 poll=0 depth=1023 vectors=5 irq=msix" },
		{ P(CPU, 0, 2, 0, 0, 0, 0), L(4, 4, 1, 4, 64, 2048, 65, 0),
		  "default=3 read=0 poll=1 depth=1023 vectors=4 irq=msix" },
		{ P(CPU, 2, 2, 0, 0, 0, 0), L(4, 4, 1, 6, 64, 2048, 65, 0),
		  "default=4 read=1 poll=1 depth=1023 vectors=6 irq=msix" },
		{ P(CPU, 2, 2, 0, 0, 0, 0), L(4, 4, 1, 7, 64, 2048, 65, 0),
		  "default=4 read=2 poll=1 depth=1023 vectors=7 irq=msix" },
		{ P(CPU, 2, 2, 0, 0, 0, 0), L(4, 4, 1, 2, 64, 2048, 65, 0),
		  "default=1 read=1 poll=0 depth=1023 vectors=3 irq=msix" },
		{ P(CPU, 2, 2, 0, 0, 0, 0), L(4, 4, 1, 1, 64, 2048, 65, 0),
		  "default=1 read=0 poll=0 depth=1023 vectors=2 irq=msix" },
		{ P(CPU, 0, 0, 0, 0, 0, 0), L(4, 4, 1, 0, 64, 2048, 65, 0),
		  "default=0 read=0 poll=0 depth=0 vectors=1 irq=msix" },
		{ P(CPU, 0, 0, 0, 0, 0, 0), L(8, 4, 1, 64, 3, 2048, 65, 0),
		  "default=3 read=0 poll=0 depth=1023 vectors=4 irq=msix" },
		{ P(9, 0, 0, 0, 0, 0, 0), L(4, 4, 1, 64, 64, 2048, 65, 0),
		  "default=4 read=0 poll=0 depth=1023 vectors=5 irq=msix" },
		{ P(CPU, 0, 0, 0, 0, 0, 0), L(4, 4, 1, 64, 64, 2, 65, 0),
		  "default=4 read=0 poll=0 depth=1 vectors=5 irq=msix" },
		{ P(CPU, 0, 0, 0, 0, 0, 0), L(4, 4, 1, 64, 64, 1, 65, 0),
		  "default=0 read=0 poll=0 depth=0 vectors=1 irq=msix" },
		{ P(CPU, 0, 0, 0, 0, 0, 0), L(4, 4, 1, 64, 64, 0, 65, 0),
		  "default=0 read=0 poll=0 depth=0 vectors=1 irq=msix" },
		{ P(CPU, 0, 0, 64, 0, 0, 0), L(4, 4, 1, 64, 64, 65, 65, 0),
		  "default=4 read=0 poll=0 depth=64 vectors=5 irq=msix" },
		{ P(CPU, 0, 0, 64, 0, 0, 0), L(4, 4, 1, 64, 64, 64, 65, 0),
		  "default=4 read=0 poll=0 depth=63 vectors=5 irq=msix" },
		{ P(CPU, 0, 0, 0, 0, 0, 0), L(16, 16, 1, 64, 64, 65536, 65, 0),
		  "default=16 read=0 poll=0 depth=1023 vectors=17 irq=msix" },
		{ P(CPU, 0, 0, 0, 0, 0, 0), L(17, 16, 1, 64, 64, 65536, 65, 0),
		  "default=17 read=0 poll=0 depth=963 vectors=18 irq=msix" },
		{ P(CPU, 0, 0, 0, 0, 0, 0), L(512, 256, 2, 600, 600, 65536, 2048, 0),
		  "default=512 read=0 poll=0 depth=128 vectors=513 irq=msix" },
		{ P(CPU, 0, 0, 0, 3, 0, 0), L(4, 4, 1, 64, 64, 2048, 65, 0),
		  "default=4 read=0 poll=0 depth=1023 vectors=3 irq=msix" },
		{ P(CPU, 0, 0, 0, 0, NVMQ_IRQ_INTX, 0), L(4, 4, 1, 64, 64, 2048, 65, 0),
		  "default=4 read=0 poll=0 depth=1023 vectors=1 irq=intx" },
		{ P(CPU, 0, 0, 0, 0, 0, 0), L(4, 4, 1, 64, 64, 2048, 9, NVMQ_IRQ_INTX),
		  "default=4 read=0 poll=0 depth=1023 vectors=1 irq=intx" },
		{ P(CPU, 0, 0, 0, 0, NVMQ_IRQ_MSI, 0), L(64, 64, 1, 64, 64, 256, 65, 0),
		  "default=64 read=0 poll=0 depth=255 vectors=32 irq=msi" },
		{ P(65535, 65535, 65535, 4095, 0, 0, 0),
		  L(65535, 65535, 9, ~0u, ~0u, ~0u, ~0u, 0),
		  "default=65533 read=1 poll=1 depth=4095 vectors=2048 irq=msix" },
		/* Depth by type: the rings are for the deepest. */
		{ { .queues = { CPU, 2, 1 }, .depths = { 64, 32, 16 } },
		  L(4, 4, 1, 64, 64, 2048, 65, 0),
		  "default=4 read=2/32 poll=1/16 depth=64 vectors=7 irq=msix" },
		{ { .queues = { CPU, 0, 1 }, .depths = { 0, 32, 16 }, .depth = 100 },
		  L(4, 4, 1, 64, 64, 2048, 65, 0),
		  "default=4 read=0 poll=1/16 depth=100 vectors=5 irq=msix" },
		{ { .queues = { CPU, 0, 1 }, .depths = { 4, 0, 4000 } },
		  L(4, 4, 1, 64, 64, 256, 65, 0),
		  "default=4/4 read=0 poll=1 depth=255 vectors=5 irq=msix" },
		{ { .queues = { CPU, 0, 2 }, .depths = { 4, 0, 2000 } },
		  L(4, 4, 1, 1, 64, 2048, 65, 0),
		  "default=1 read=0 poll=0 depth=4 vectors=2 irq=msix" },
		/* Tags that there are: no more than those. */
		{ { .queues = { 1, 1, 1 }, .depths = { 4, 0, 2000 } },
		  { .cpus = 4, .cores = 4, .nodes = 1, .pairs = 64, .usable = 64, .entries = 2048,
		    .tags = 500, .vectors = 65 },
		  "default=1/4 read=1 poll=1 depth=500 vectors=3 irq=msix" },
		{ { .queues = { CPU, 0, 0 } },
		  { .cpus = 64, .cores = 4, .nodes = 1, .pairs = 64, .usable = 64, .entries = 2048,
		    .tags = 1023, .vectors = 65 },
		  "default=64 read=0 poll=0 depth=256 vectors=65 irq=msix" },
		{ { .queues = { 1, 0, 0 }, .depth = 64 },
		  { .cpus = 4, .cores = 4, .nodes = 1, .pairs = 64, .usable = 64, .entries = 2048,
		    .tags = 1023, .vectors = 65 },
		  "default=1 read=0 poll=0 depth=64 vectors=2 irq=msix" },
		/* Pairs for others, of what the device grants; the last is ours. */
		{ { .queues = { CPU, 2, 2 }, .leave = 5 }, L(4, 4, 1, 12, 64, 2048, 65, 0),
		  "default=4 read=2 poll=1 depth=1023 vectors=7 irq=msix leave=5" },
		{ { .queues = { CPU, 2, 2 }, .leave = 5 }, L(4, 4, 1, 12, 6, 2048, 65, 0),
		  "default=4 read=1 poll=1 depth=1023 vectors=6 irq=msix leave=5" },
		{ { .queues = { CPU, 2, 2 }, .leave = 60000 }, L(4, 4, 1, 12, 64, 2048, 65, 0),
		  "default=1 read=0 poll=0 depth=1023 vectors=2 irq=msix leave=11" },
		{ { .queues = { CPU, 0, 0 }, .leave = 9 }, L(4, 4, 1, 1, 64, 2048, 65, 0),
		  "default=1 read=0 poll=0 depth=1023 vectors=2 irq=msix" },
		{ { .queues = { CPU, 0, 0 }, .leave = 9 }, L(4, 4, 1, 0, 64, 2048, 65, 0),
		  "default=0 read=0 poll=0 depth=0 vectors=1 irq=msix" },
		{ { .queues = { CPU, 0, 0 }, .coalesce = 8, .coalesce_us = 100 },
		  L(4, 4, 1, 64, 64, 2048, 65, 0),
		  "default=4 read=0 poll=0 depth=1023 vectors=5 irq=msix coalesce=8/100" },
		{ { .queues = { CPU, 0, 0 }, .wrr = { true, { 1, 2, 2 }, { 8, 4, 1 } } },
		  L(4, 4, 1, 64, 64, 2048, 65, 0),
		  "default=4 read=0 poll=0 depth=1023 vectors=5 irq=msix wrr=default:high/8:4:1" },
		{ { .queues = { CPU, 3, 0 }, .housekeeping = true },
		  L(2, 2, 1, 64, 64, 2048, 65, 0),
		  "default=2 read=2 poll=0 depth=1023 vectors=5 irq=msix cpus=2" },
		/* Submission queues that share completion queues: a vector for each of these. */
		{ { .queues = { CPU, 3, 2 }, .share = 2 }, L(4, 4, 1, 64, 64, 65536, 65, 0),
		  "default=4 read=3 poll=2 depth=1023 vectors=5 irq=msix share=2" },
		{ { .queues = { CPU, 1, 0 }, .share = 256 }, L(4, 4, 1, 64, 64, 65536, 65, 0),
		  "default=4 read=1 poll=0 depth=1023 vectors=3 irq=msix share=4" },
		{ { .queues = { 5, 0, 0 }, .share = 4 }, L(8, 8, 1, 64, 64, 65536, 65, 0),
		  "default=5 read=0 poll=0 depth=1023 vectors=3 irq=msix share=3" },
		{ { .queues = { 1, 1, 4 }, .share = 4 }, L(4, 4, 1, 64, 64, 65536, 65, 0),
		  "default=1 read=1 poll=4 depth=1023 vectors=3 irq=msix" },
		{ { .queues = { CPU, 0, 2 }, .share = 4 }, L(4, 4, 1, 64, 64, 1024, 65, 0),
		  "default=4/255 read=0 poll=2 depth=1023 vectors=2 irq=msix share=4" },
		{ { .queues = { CPU, 0, 0 }, .share = 4, .leave = 1 }, L(4, 4, 1, 64, 64, 3, 65, 0),
		  "default=4 read=0 poll=0 depth=1 vectors=3 irq=msix share=2 leave=1" },
		{ { .queues = { CPU, 0, 0 }, .share = 2 }, L(4, 4, 1, 64, 64, 2, 65, 0),
		  "default=4 read=0 poll=0 depth=1 vectors=5 irq=msix" },
		/* Lists that have all their queues, and such that have not. */
		{ { .queues = { 2, 0, 2 }, .nr_ranges = 4,
		    .ranges = { { 0, 0, 0, 0 }, { NVMQ_REST, NVMQ_REST, 0, 1 }, { 3, 3, 2, 0 },
				{ 0, 2, 2, 1 } } },
		  L(4, 4, 1, 4, 64, 2048, 65, 0),
		  "default=2 read=0 poll=2 depth=1023 vectors=3 irq=msix" },
		{ { .queues = { 2, 0, 2 }, .nr_ranges = 4,
		    .ranges = { { 0, 0, 0, 0 }, { NVMQ_REST, NVMQ_REST, 0, 1 }, { 3, 3, 2, 0 },
				{ 0, 2, 2, 1 } } },
		  L(4, 4, 1, 3, 64, 2048, 65, 0),
		  "default=2 read=0 poll=1 depth=1023 vectors=3 irq=msix spread=poll" },
		{ { .queues = { 2, 2, 0 }, .nr_ranges = 4,
		    .ranges = { { 0, 0, 0, 0 }, { NVMQ_REST, NVMQ_REST, 0, 1 }, { 3, 3, 1, 0 },
				{ 0, 2, 1, 1 } } },
		  L(4, 4, 1, 2, 64, 2048, 65, 0),
		  "default=1 read=1 poll=0 depth=1023 vectors=3 irq=msix spread=default,read" },
		{ { .queues = { 2, 2, 0 }, .nr_ranges = 4,
		    .ranges = { { 0, 0, 0, 0 }, { NVMQ_REST, NVMQ_REST, 0, 1 }, { 3, 3, 1, 0 },
				{ 0, 2, 1, 1 } } },
		  L(4, 4, 1, 1, 64, 2048, 65, 0),
		  "default=1 read=0 poll=0 depth=1023 vectors=2 irq=msix spread=default" },
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
	struct nvmq_grant g = {
		.queues = { 65535, 65535, 65535 }, .depths = { 4094, 4094, 4094 }, .depth = 65535,
		.vectors = 65535, .irq = NVMQ_IRQ_MSIX, .leave = 65535, .coalesce = 256,
		.coalesce_us = 25500, .spread = 7, .share = 256,
		.wrr = { true, { 0, 0, 0 }, { 256, 256, 256 } }, .cpus = 65535,
	};
	char text[NVMQ_GRANT_TEXT];
	int len = nvmq_grant_format(&g, text, sizeof(text));

	CHECK(len > 0, "%d", len);
	g.refused = true;
	len = nvmq_grant_format(&g, text, sizeof(text));
	CHECK(len > 0 && strstr(text, " coalesce=off wrr=default:urgent+read:urgent+poll:") &&
	      strstr(text, "/256:256:256 cpus=65535 spread=default,read,poll"), "\"%s\"", text);
	g.no_wrr = true;
	len = nvmq_grant_format(&g, text, sizeof(text));
	CHECK(len > 0 && strstr(text, " coalesce=off wrr=off cpus=65535 spread="), "\"%s\"", text);
}

static void test_edges(void)
{
	struct nvmq_plan_limits l = L(4, 4, 1, 64, 64, 64, 0, 0);
	struct nvmq_grant g, zero;
	struct nvmq_plan p;
	int ret;

	memset(&zero, 0, sizeof(zero));
	nvmq_plan_init(&p);
	memset(&g, 0xa5, sizeof(g));
	ret = nvmq_plan_grant(&p, &l, &g);
	CHECK(ret == -ENXIO && !memcmp(&g, &zero, sizeof(g)), "no interrupt: %d", ret);

	/* Counts that nobody filled in are no reason to divide by them or to grant nothing. */
	l = (struct nvmq_plan_limits)L(0, 0, 0, 64, 64, 64, 64, 0);
	p.queues[1] = NVMQ_PER_CORE;
	p.queues[2] = NVMQ_PER_NODE;
	ret = nvmq_plan_grant(&p, &l, &g);
	CHECK(!ret && g.queues[0] == 1 && g.queues[1] == 1 && g.queues[2] == 1, "%s",
	      show(&p, &l, &g));
	CHECK(nvmq_plan_pairs(&p, &l) == 3, "%u", nvmq_plan_pairs(&p, &l));

	/* The highest queue id. */
	g = (struct nvmq_grant)G(65535, 0, 0, 2, 2048, 0);
	CHECK(nvmq_grant_type(&g, 65535) == NVMQ_DEFAULT, "%d", nvmq_grant_type(&g, 65535));
	CHECK(nvmq_grant_vector(&g, 65535) == 2047, "%d", nvmq_grant_vector(&g, 65535));
	CHECK(nvmq_grant_vector(&g, 1) == 1, "%d", nvmq_grant_vector(&g, 1));
	g = (struct nvmq_grant)G(65534, 0, 1, 2, 2048, 0);
	CHECK(nvmq_grant_type(&g, 65535) == NVMQ_POLL, "%d", nvmq_grant_type(&g, 65535));
	CHECK(nvmq_grant_vector(&g, 65535) == -1, "%d", nvmq_grant_vector(&g, 65535));
	/* More vectors than queues to serve: what a grant of another's making may hold. */
	g = (struct nvmq_grant)G(2, 0, 0, 2, 9, 0);
	CHECK(nvmq_grant_vector(&g, 1) == 1 && nvmq_grant_vector(&g, 2) == 2, "%d %d",
	      nvmq_grant_vector(&g, 1), nvmq_grant_vector(&g, 2));

	p = (struct nvmq_plan)P(65535, 65535, 65535, 0, 0, 0, 0);
	l.cpus = 65535;
	CHECK(nvmq_plan_pairs(&p, &l) == 65535, "%u", nvmq_plan_pairs(&p, &l));
	p = (struct nvmq_plan)P(NVMQ_PER_CPU, 3, NVMQ_PER_NODE, 0, 0, 0, 0);
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
