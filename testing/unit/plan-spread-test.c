// SPDX-License-Identifier: GPL-2.0
/* The CPU-to-queue tables. */
#include <errno.h>
#include <time.h>

#include "tap.h"
#include "plan.c"

#define MAX_CPUS	4096

static struct nvmq_cpu cpus[MAX_CPUS];
static struct nvmq_topology topo = { .cpu = cpus };
static u16 map[MAX_CPUS + 1];

/* How CPU numbers are dealt to threads. */
enum numbering {
	ADJACENT,	/* threads of a core follow each other */
	SPLIT,		/* first threads of all cores, then second threads */
	SHUFFLED,
	NR_NUMBERINGS
};

struct shape {
	u32 nodes, cores, threads;	/* cores per node, threads per core */
	enum numbering numbering;
	u32 holes;			/* about that many CPUs in 100 are not possible */
};

static const char *show(const struct shape *s, u32 count)
{
	static char text[160];

	snprintf(text, sizeof(text),
		 "%u nodes x %u cores x %u threads, numbering %d, holes %u%%: %u queues", s->nodes,
		 s->cores, s->threads, s->numbering, s->holes, count);
	return text;
}

/* Lay out a machine. Ids are spread out and do not start at 0: only their equality may matter. */
static void build(const struct shape *s)
{
	u32 n = s->nodes * s->cores * s->threads, cpu, place, core, other;
	struct nvmq_cpu swap;

	topo.nr_cpus = n;
	for (place = 0; place < n; place++) {
		core = place / s->threads;
		cpu = place;
		if (s->numbering == SPLIT)
			cpu = place % s->threads * (s->nodes * s->cores) + core;
		cpus[cpu].node = core / s->cores * 3 + 1;
		/* Core numbers start over in each node, as core ids do. */
		cpus[cpu].core = core % s->cores * 5 + 2;
	}
	if (s->numbering == SHUFFLED) {
		for (cpu = n; cpu-- > 1;) {
			other = rnd_in(0, cpu);
			swap = cpus[cpu];
			cpus[cpu] = cpus[other];
			cpus[other] = swap;
		}
	}
	for (cpu = 0; cpu < n; cpu++)
		if (rnd_in(1, 100) <= s->holes)
			cpus[cpu].core = NVMQ_NO_CPU;
	for (cpu = 0; cpu < n; cpu++)
		cpus[cpu].order = rnd();
	nvmq_topology_prepare(&topo);
}

static bool possible(u32 cpu)
{
	return cpus[cpu].core != 0xffff;
}

static bool same_node(u32 a, u32 b)
{
	return cpus[a].node == cpus[b].node;
}

static bool same_core(u32 a, u32 b)
{
	return same_node(a, b) && cpus[a].core == cpus[b].core;
}

/* The sums and the order, against the naive way to them. */
static void check_topology(const struct shape *s)
{
	u32 cpu, other, n = 0, cores = 0, nodes = 0, a, b;
	bool first_core, first_node;
	static bool seen[MAX_CPUS];

	memset(seen, 0, sizeof(seen));
	for (cpu = 0; cpu < topo.nr_cpus; cpu++) {
		if (!possible(cpu))
			continue;
		n++;
		first_core = true;
		first_node = true;
		for (other = 0; other < cpu; other++) {
			if (!possible(other))
				continue;
			first_core &= !same_core(cpu, other);
			first_node &= !same_node(cpu, other);
		}
		cores += first_core;
		nodes += first_node;
	}
	CHECK(topo.cpus == n && topo.cores == cores && topo.nodes == nodes,
	      "%u/%u/%u, not %u/%u/%u: %s", topo.cpus, topo.cores, topo.nodes, n, cores, nodes,
	      show(s, 0));
	for (a = 0; a < n; a++) {
		CHECK(cpus[a].order < topo.nr_cpus && possible(cpus[a].order), "%s", show(s, 0));
		CHECK(!seen[cpus[a].order], "CPU %u twice: %s", cpus[a].order, show(s, 0));
		seen[cpus[a].order] = true;
	}
	for (a = 1; a < n; a++) {
		b = cpus[a].order;
		cpu = cpus[a - 1].order;
		CHECK(cpus[cpu].node < cpus[b].node ||
		      (same_node(cpu, b) && cpus[cpu].core < cpus[b].core) ||
		      (same_core(cpu, b) && cpu < b), "CPU %u before %u: %s", cpu, b, show(s, 0));
	}
}

/* What holds for every map of every machine. */
static void check_map(const struct shape *s, u16 first, u32 count)
{
	static u32 load[MAX_CPUS], one_of[MAX_CPUS];
	u32 used = count < topo.cpus ? count : topo.cpus;
	u32 cpu, q, last, least = ~0u, most = 0, bad = 0, a;
	int ret;

	memset(map, 0xa5, sizeof(map));
	nvmq_plan_spread(&topo, first, count, map);
	CHECK(map[topo.nr_cpus] == 0xa5a5, "wrote beyond the map: %s",
	      show(s, count));
	ret = nvmq_plan_check_map(&topo, first, count, map, &bad);
	CHECK(!ret || !count, "refused: %d, CPU %u: %s", ret, bad, show(s, count));

	memset(load, 0, sizeof(load));
	for (cpu = 0; cpu < topo.nr_cpus; cpu++) {
		if (!possible(cpu) || !count) {
			CHECK(map[cpu] == 0, "CPU %u has %u: %s", cpu, map[cpu], show(s, count));
			continue;
		}
		q = map[cpu] - first;
		CHECK(map[cpu] >= first && q < used, "CPU %u has %u: %s", cpu, map[cpu],
		      show(s, count));
		if (map[cpu] < first || q >= used)
			return;
		if (!load[q]++)
			one_of[q] = cpu;
		if (count == topo.nodes && count < topo.cpus)
			CHECK(same_node(cpu, one_of[q]), "queue %u spans nodes: %s", q,
			      show(s, count));
		else if (count == topo.cores && count < topo.cpus)
			CHECK(same_core(cpu, one_of[q]), "queue %u spans cores: %s", q,
			      show(s, count));
	}
	for (q = 0; q < used; q++) {
		CHECK(load[q], "queue %u has no CPU: %s", q, show(s, count));
		least = load[q] < least ? load[q] : least;
		most = load[q] > most ? load[q] : most;
	}
	if (used && count != topo.nodes && count != topo.cores)
		CHECK(most - least <= 1, "loads %u to %u: %s", least, most, show(s, count));
	/* Queue ids go up with the order of the CPUs. */
	last = first;
	for (a = 0; a < topo.cpus && count; a++) {
		q = map[cpus[a].order];
		CHECK(q == last || q == last + 1, "queue %u after %u: %s", q, last, show(s, count));
		last = q;
	}
}

/* Queues that serve more than one node, and cores whose threads are served by more than one. */
static void tell_strangers(u32 *nodes, u32 *cores)
{
	u32 a, x, y;

	*nodes = 0;
	*cores = 0;
	for (a = 1; a < topo.cpus; a++) {
		x = cpus[a - 1].order;
		y = cpus[a].order;
		*nodes += map[x] == map[y] && !same_node(x, y);
		*cores += map[x] != map[y] && same_core(x, y);
	}
}

static const u32 thread_counts[] = { 1, 2, 4 };

static void test_topology(void)
{
	struct shape s;
	int i;

	for (i = 0; i < 300; i++) {
		s.nodes = rnd_in(1, 8);
		s.cores = rnd_in(1, 16);
		s.threads = thread_counts[rnd_in(0, 2)];
		s.numbering = rnd_in(0, NR_NUMBERINGS - 1);
		s.holes = rnd_in(0, 3) * 10;
		build(&s);
		check_topology(&s);
	}
}

/* 1 to 512 CPUs on one node, no threads: many counts for each. */
static void test_flat(void)
{
	struct shape s = { 1, 1, 1, ADJACENT, 0 };
	u32 count, cpu;

	for (s.cores = 1; s.cores <= 512; s.cores++) {
		build(&s);
		for (count = 0; count <= s.cores + 2; count += count < 20 ? 1 : rnd_in(1, 40))
			check_map(&s, rnd_in(1, 1000), count);
		/* A queue per CPU is the plainest of all maps. */
		check_map(&s, 1, s.cores);
		for (cpu = 0; cpu < s.cores; cpu++)
			CHECK(map[cpu] == cpu + 1, "CPU %u has %u: %s", cpu, map[cpu],
			      show(&s, s.cores));
	}
}

/* Nodes, threads, numberings and holes. */
static void test_shapes(void)
{
	struct shape s;
	u32 i, rest, count;

	for (i = 0; i < 8 * 3 * NR_NUMBERINGS * 3 * 4; i++) {
		rest = i;
		s.nodes = 1 + digit(&rest, 8);
		s.threads = thread_counts[digit(&rest, 3)];
		s.numbering = digit(&rest, NR_NUMBERINGS);
		s.holes = digit(&rest, 3) * 15;
		s.cores = rnd_in(1, 512 / s.nodes / s.threads);
		build(&s);
		if (topo.cpus < 64)
			check_topology(&s);
		for (count = 1; count <= topo.cpus + 1; count += count < 18 ? 1 : rnd_in(1, 80))
			check_map(&s, rnd_in(1, 60000), count);
		check_map(&s, 1, topo.nodes);
		check_map(&s, 1, topo.cores);
		check_map(&s, 1, 65535);
	}
}

/* On a machine that is the same all over, what can be kept together is. */
static void check_neighbours(const struct shape *s, u32 count)
{
	u32 nodes, cores, queues, load, longer, odd;

	check_map(s, 1, count);
	tell_strangers(&nodes, &cores);
	if (count % s->nodes == 0)
		CHECK(!nodes, "%u queues span nodes: %s", nodes, show(s, count));
	if (count < s->nodes && s->nodes % count == 0)
		CHECK(nodes == s->nodes - count, "%u: %s", nodes, show(s, count));
	if (topo.cpus % count == 0 && topo.cpus / count % s->threads == 0)
		CHECK(!cores, "%u cores are split: %s", cores, show(s, count));
	/* Two queues with an odd number of threads share a core, and no other two do. */
	if (s->threads == 2 && count % s->nodes == 0 && count <= s->nodes * s->cores) {
		queues = count / s->nodes;
		load = topo.cpus / s->nodes / queues;
		longer = topo.cpus / s->nodes % queues;
		odd = load % 2 ? queues - longer : longer;
		CHECK(cores == odd / 2 * s->nodes, "%u cores are split, not %u: %s", cores,
		      odd / 2 * s->nodes, show(s, count));
	}
}

static void test_neighbours(void)
{
	struct shape s = { .holes = 0 };
	u32 i, rest, count;

	for (i = 0; i < 8 * 3 * 12 * NR_NUMBERINGS; i++) {
		rest = i;
		s.nodes = 1 + digit(&rest, 8);
		s.threads = thread_counts[digit(&rest, 3)];
		s.cores = 1 + digit(&rest, 12);
		s.numbering = digit(&rest, NR_NUMBERINGS);
		build(&s);
		for (count = 1; count <= topo.cpus; count++)
			check_neighbours(&s, count);
	}
}

/*
 * Machines of which no two nodes or cores are alike, small enough to try every choice of the runs
 * that are longer by one. The driver looks ahead by one boundary only, so its map may be worse
 * than the best of them; hold it to how rarely it is.
 */
static u32 best_nodes, best_cores;

static void try_all(u32 place, u32 shorter, u32 longer, u32 load, u32 nodes, u32 cores)
{
	u32 extra, run, a, spans, split;

	if (!shorter && !longer) {
		if (nodes < best_nodes || (nodes == best_nodes && cores < best_cores)) {
			best_nodes = nodes;
			best_cores = cores;
		}
		return;
	}
	for (extra = 0; extra < 2; extra++) {
		if (!(extra ? longer : shorter))
			continue;
		run = load + extra;
		spans = 0;
		for (a = place + 1; a < place + run; a++)
			spans += !same_node(cpus[a - 1].order, cpus[a].order);
		split = place + run < topo.cpus &&
			same_core(cpus[place + run - 1].order, cpus[place + run].order);
		try_all(place + run, shorter - !extra, longer - extra, load, nodes + spans,
			cores + split);
	}
}

static void test_uneven(void)
{
	u32 excess_nodes = 0, excess_cores = 0, cases = 0;
	struct shape s = { 0, 0, 0, SHUFFLED, 0 };
	u32 count, cpu, nodes, cores, n;
	int i;

	for (i = 0; i < 3000; i++) {
		n = rnd_in(2, 14);
		topo.nr_cpus = n;
		s.nodes = rnd_in(1, 3);
		s.cores = rnd_in(1, 5);
		for (cpu = 0; cpu < n; cpu++) {
			cpus[cpu].node = rnd_in(1, s.nodes);
			cpus[cpu].core = rnd_in(1, s.cores);
		}
		nvmq_topology_prepare(&topo);
		check_topology(&s);
		for (count = 1; count < n; count++) {
			check_map(&s, 1, count);
			if (count == topo.nodes || count == topo.cores)
				continue;
			best_nodes = ~0u;
			best_cores = ~0u;
			try_all(0, count - n % count, n % count, n / count, 0, 0);
			tell_strangers(&nodes, &cores);
			CHECK(nodes >= best_nodes, "%u beats all: %s", nodes, show(&s, count));
			cases++;
			excess_nodes += nodes - best_nodes;
			if (nodes == best_nodes && cores > best_cores)
				excess_cores += cores - best_cores;
		}
	}
	CHECK(cases > 10000, "%u cases", cases);
	CHECK(excess_nodes * 200 < cases, "%u queues span nodes without need in %u maps",
	      excess_nodes, cases);
	CHECK(excess_cores * 8 < cases, "%u cores are split without need in %u maps", excess_cores,
	      cases);
}

/* Maps written out, for machines that one meets. */
static void test_table(void)
{
	static const struct {
		struct shape shape;
		u32 count;
		u16 map[16];
	} cases[] = {
		{ { 1, 4, 1, ADJACENT, 0 }, 1, { 1, 1, 1, 1 } },
		{ { 1, 4, 1, ADJACENT, 0 }, 2, { 1, 1, 2, 2 } },
		{ { 1, 4, 1, ADJACENT, 0 }, 3, { 1, 1, 2, 3 } },
		{ { 1, 4, 1, ADJACENT, 0 }, 4, { 1, 2, 3, 4 } },
		{ { 1, 4, 1, ADJACENT, 0 }, 9, { 1, 2, 3, 4 } },
		{ { 1, 4, 2, ADJACENT, 0 }, 2, { 1, 1, 1, 1, 2, 2, 2, 2 } },
		{ { 1, 4, 2, ADJACENT, 0 }, 3, { 1, 1, 2, 2, 2, 3, 3, 3 } },
		{ { 1, 4, 2, ADJACENT, 0 }, 4, { 1, 1, 2, 2, 3, 3, 4, 4 } },
		{ { 1, 4, 2, ADJACENT, 0 }, 6, { 1, 1, 2, 2, 3, 4, 5, 6 } },
		{ { 1, 4, 2, SPLIT, 0 }, 4, { 1, 2, 3, 4, 1, 2, 3, 4 } },
		{ { 1, 4, 2, SPLIT, 0 }, 2, { 1, 1, 2, 2, 1, 1, 2, 2 } },
		{ { 2, 2, 2, SPLIT, 0 }, 2, { 1, 1, 2, 2, 1, 1, 2, 2 } },
		{ { 2, 5, 1, ADJACENT, 0 }, 3, { 1, 1, 1, 1, 2, 2, 2, 3, 3, 3 } },
		{ { 2, 5, 1, ADJACENT, 0 }, 4, { 1, 1, 1, 2, 2, 3, 3, 3, 4, 4 } },
	};
	size_t i;
	u32 cpu;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		build(&cases[i].shape);
		nvmq_plan_spread(&topo, 1, cases[i].count, map);
		for (cpu = 0; cpu < topo.nr_cpus; cpu++)
			CHECK(map[cpu] == cases[i].map[cpu], "CPU %u has %u, not %u: %s", cpu,
			      map[cpu], cases[i].map[cpu], show(&cases[i].shape, cases[i].count));
	}

	/* Nodes of 5 and 3 CPUs: a queue per node is what it says; CPU 2 does not exist. */
	topo.nr_cpus = 9;
	for (cpu = 0; cpu < 9; cpu++)
		cpus[cpu] = (struct nvmq_cpu){ .core = cpu, .node = cpu > 5 };
	cpus[2].core = NVMQ_NO_CPU;
	nvmq_topology_prepare(&topo);
	nvmq_plan_spread(&topo, 7, 2, map);
	for (cpu = 0; cpu < 9; cpu++)
		CHECK(map[cpu] == (cpu == 2 ? 0 : cpu > 5 ? 8 : 7), "CPU %u has %u", cpu, map[cpu]);

	/* 4 cores of two threads and 4 of one: a queue per core. */
	topo.nr_cpus = 12;
	for (cpu = 0; cpu < 12; cpu++)
		cpus[cpu] = (struct nvmq_cpu){ .core = cpu < 8 ? cpu / 2 : cpu, .node = 0 };
	nvmq_topology_prepare(&topo);
	nvmq_plan_spread(&topo, 1, 8, map);
	for (cpu = 0; cpu < 12; cpu++)
		CHECK(map[cpu] == (cpu < 8 ? cpu / 2 + 1 : cpu - 3), "CPU %u has %u", cpu,
		      map[cpu]);

	/* No CPU at all is nobody's machine, but must not divide by it. */
	topo.nr_cpus = 1;
	cpus[0].core = NVMQ_NO_CPU;
	nvmq_topology_prepare(&topo);
	CHECK(!topo.cpus && !topo.cores && !topo.nodes, "%u", topo.cpus);
	nvmq_plan_spread(&topo, 1, 1, map);
	CHECK(map[0] == 0, "%u", map[0]);
}

/* The check finds each single fault that a map can have. */
static void test_check_map(void)
{
	struct shape s = { 2, 8, 2, SPLIT, 20 };
	u32 cpu, bad, i;
	u16 good;
	int ret;
	static const u16 faults[] = { 0, 1, 9, 16, 65535 };

	build(&s);
	nvmq_plan_spread(&topo, 10, 6, map);
	CHECK(!nvmq_plan_check_map(&topo, 10, 6, map, NULL), "fault in a good map");
	for (cpu = 0; cpu < topo.nr_cpus; cpu++) {
		good = map[cpu];
		for (i = 0; i < 5; i++) {
			map[cpu] = faults[i];
			bad = ~0u;
			ret = nvmq_plan_check_map(&topo, 10, 6, map, &bad);
			if (possible(cpu))
				CHECK(ret == -EINVAL && bad == cpu, "CPU %u has %u: %d, CPU %u",
				      cpu, map[cpu], ret, bad);
			else
				CHECK(!ret && bad == ~0u, "impossible CPU %u: %d", cpu, ret);
			CHECK(nvmq_plan_check_map(&topo, 10, 6, map, NULL) == ret,
			      "without bad_cpu");
		}
		map[cpu] = good;
	}
	/* Fewer queues than the map was made for: partial creation. */
	CHECK(nvmq_plan_check_map(&topo, 10, 5, map, NULL) == -EINVAL, "the last queue is missing");
	CHECK(nvmq_plan_check_map(&topo, 11, 5, map, NULL) == -EINVAL, "the first is missing");
	CHECK(nvmq_plan_check_map(&topo, 10, 0, map, NULL) == -EINVAL, "all are missing");
	CHECK(!nvmq_plan_check_map(&topo, 10, 7, map, NULL), "one more does no harm");
}

/* Deal the CPUs to queues; -1 is for the one that has the rest. Returns the ranges that say so. */
static u32 deal(struct nvmq_plan *plan, u32 queues, int *owner)
{
	u32 cpu, n = 0, q;
	int rest = rnd_in(0, 1) ? (int)rnd_in(0, queues - 1) : -1;

	for (cpu = 0; cpu < topo.nr_cpus; cpu++)
		owner[cpu] = cpu < queues ? (int)cpu : rnd_in(0, 1) ? owner[cpu - 1] :
			     (int)rnd_in(0, queues - 1);
	for (q = 0; q < queues; q++) {
		if ((int)q == rest) {
			plan->ranges[n++] = (struct nvmq_plan_range){ NVMQ_REST, NVMQ_REST, 0, q };
			continue;
		}
		for (cpu = 0; cpu < topo.nr_cpus; cpu++) {
			if (owner[cpu] != (int)q)
				continue;
			if (n == NVMQ_PLAN_MAX_RANGES)
				return n + 1;
			plan->ranges[n] = (struct nvmq_plan_range){ cpu, cpu, 0, q };
			while (cpu + 1 < topo.nr_cpus && owner[cpu + 1] == (int)q)
				cpu++;
			plan->ranges[n++].last = cpu;
		}
	}
	plan->nr_ranges = n;
	plan->queues[0] = queues;
	return n;
}

/* The map is what the lists say; without all their queues it is spread. */
static void test_lists(void)
{
	struct shape s = { 1, 1, 1, ADJACENT, 0 };
	static int owner[64];
	static u16 spread[65];
	u32 i, cpu, queues, n, followed = 0, left_out = 0, empty = 0;
	struct nvmq_plan_error err;
	struct nvmq_plan plan;
	struct nvmq_grant g;
	bool served[48];
	int ret, t;

	for (i = 0; i < 20000; i++) {
		s.cores = rnd_in(1, rnd_in(0, 3) ? 8 : 64);
		s.holes = rnd_in(0, 2) ? 0 : 20;
		build(&s);
		if (!topo.cpus)
			continue;
		queues = rnd_in(1, s.cores < 8 ? s.cores : 8);
		nvmq_plan_init(&plan);
		n = deal(&plan, queues, owner);
		if (n > NVMQ_PLAN_MAX_RANGES)
			continue;
		memset(served, 0, sizeof(served));
		for (cpu = 0; cpu < topo.nr_cpus; cpu++)
			if (possible(cpu))
				served[owner[cpu]] = true;
		for (t = 0, n = 0; t < (int)queues; t++)
			n += served[t];
		ret = nvmq_plan_check(&plan, &topo, &err);
		CHECK(ret == (n < queues ? -EINVAL : 0), "%d, %u of %u queues: %s", ret, n, queues,
		      err.reason ? err.reason : "(none)");
		if (n < queues) {
			empty++;
			continue;
		}

		/* As each type, behind others. */
		t = rnd_in(0, 2);
		for (n = 0; n < plan.nr_ranges; n++)
			plan.ranges[n].type = t;
		plan.queues[t] = queues;
		memset(&g, 0, sizeof(g));
		g.queues[0] = rnd_in(1, 9);
		g.queues[1] = rnd_in(0, 9);
		g.queues[2] = rnd_in(0, 9);
		g.queues[t] = queues;
		memset(map, 0xa5, sizeof(map));
		nvmq_plan_map(&plan, &g, &topo, &topo, t, map);
		CHECK(map[topo.nr_cpus] == 0xa5a5, "wrote beyond the map");
		for (cpu = 0; cpu < topo.nr_cpus; cpu++)
			CHECK(map[cpu] == (possible(cpu) ?
					   nvmq_grant_first(&g, t) + owner[cpu] : 0),
			      "CPU %u has %u", cpu, map[cpu]);
		CHECK(!nvmq_plan_check_map(&topo, nvmq_grant_first(&g, t), queues, map, NULL),
		      "the map is wrong");
		followed++;

		for (g.queues[t] = 0; g.queues[t] < queues; g.queues[t]++) {
			nvmq_plan_map(&plan, &g, &topo, &topo, t, map);
			nvmq_plan_spread(&topo, nvmq_grant_first(&g, t), g.queues[t], spread);
			CHECK(!memcmp(map, spread, topo.nr_cpus * sizeof(*map)),
			      "%u of %u queues are not spread", g.queues[t], queues);
		}

		/* Without one of its ranges it leaves CPUs out, or a queue without any. */
		n = rnd_in(0, plan.nr_ranges - 1);
		memmove(&plan.ranges[n], &plan.ranges[n + 1],
			(plan.nr_ranges - n - 1) * sizeof(plan.ranges[0]));
		plan.nr_ranges--;
		if (!plan.nr_ranges)
			continue;
		for (cpu = 0, n = 0; cpu < topo.nr_cpus; cpu++)
			n += possible(cpu) && nvmq_plan_queue_of(&plan, t, cpu) < 0;
		if (!n)
			continue;
		left_out++;
		ret = nvmq_plan_check(&plan, &topo, &err);
		CHECK(ret == -EINVAL && !strcmp(err.reason, "a CPU of this machine has no queue"),
		      "%u CPUs left out: %d", n, ret);
	}
	CHECK(followed > 10000 && left_out > 1000 && empty > 500, "%u %u %u", followed, left_out,
	      empty);
}

/*
 * Isolated CPUs have no queue of their own: the others have what they would have without them, and
 * these use queues of their node, each as often as the next, if it has any.
 */
static void test_others(void)
{
	static struct nvmq_cpu some[MAX_CPUS];
	static u16 spread[MAX_CPUS];
	struct nvmq_topology serving = { .cpu = some };
	struct nvmq_plan plan;
	struct nvmq_grant g;
	u32 i, cpu, other, with = 0, without = 0;

	nvmq_plan_init(&plan);
	plan.housekeeping = true;
	for (i = 0; i < 3000; i++) {
		struct shape s = { rnd_in(1, 4), rnd_in(1, 8), rnd_in(1, 2), rnd_in(0, 2),
				   rnd_in(0, 2) ? 0 : 20 };
		u32 share = rnd_in(1, 99), taken[MAX_CPUS] = { 0 };

		build(&s);
		memcpy(some, cpus, sizeof(some));
		for (cpu = 0; cpu < topo.nr_cpus; cpu++)
			if (rnd_in(1, 100) <= share)
				some[cpu].core = NVMQ_NO_CPU;
		serving.nr_cpus = topo.nr_cpus;
		nvmq_topology_prepare(&serving);
		if (!serving.cpus)
			continue;
		memset(&g, 0, sizeof(g));
		g.queues[0] = rnd_in(1, 3);
		g.queues[1] = rnd_in(1, serving.cpus);
		memset(map, 0xa5, sizeof(map));
		nvmq_plan_map(&plan, &g, &topo, &serving, NVMQ_READ, map);
		nvmq_plan_spread(&serving, g.queues[0] + 1, g.queues[1], spread);
		CHECK(map[topo.nr_cpus] == 0xa5a5, "wrote beyond the map");
		CHECK(!nvmq_plan_check_map(&topo, g.queues[0] + 1, g.queues[1], map, NULL),
		      "a CPU has no queue: %s", show(&s, g.queues[1]));
		for (cpu = 0; cpu < topo.nr_cpus; cpu++) {
			bool near = false, same = false;

			if (!possible(cpu) || some[cpu].core != NVMQ_NO_CPU) {
				CHECK(map[cpu] == (possible(cpu) ? spread[cpu] : 0),
				      "CPU %u has %u: %s", cpu, map[cpu], show(&s, g.queues[1]));
				continue;
			}
			for (other = 0; other < topo.nr_cpus; other++) {
				if (some[other].core == NVMQ_NO_CPU || !same_node(cpu, other))
					continue;
				near = true;
				same |= map[cpu] == map[other];
			}
			CHECK(same || !near, "CPU %u has a queue of another node: %s", cpu,
			      show(&s, g.queues[1]));
			with += near;
			without += !near;
			taken[map[cpu] - g.queues[0] - 1]++;
		}
		/* With a queue for each, nobody in a node has two guests before all have one. */
		if (s.nodes > 1 || g.queues[1] != serving.cpus)
			continue;
		for (cpu = 0; cpu < g.queues[1]; cpu++)
			for (other = 0; other < g.queues[1]; other++)
				CHECK(taken[cpu] <= taken[other] + 1, "%u and %u guests: %s",
				      taken[cpu], taken[other], show(&s, g.queues[1]));
	}
	CHECK(with > 5000 && without > 1000, "%u %u", with, without);
}

/* 4096 CPUs take less than 50 ms of CPU time, sanitizers included. */
static void test_time(void)
{
	struct shape s = { 8, 256, 2, SHUFFLED, 5 };
	static const u16 counts[] = { 1, 8, 1000, 2047, 3000, 4096 };
	struct timespec from, to;
	double ms;
	int i;

	build(&s);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	nvmq_topology_prepare(&topo);
	for (i = 0; i < 6; i++)
		nvmq_plan_spread(&topo, 1, counts[i], map);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	ms = (to.tv_sec - from.tv_sec) * 1e3 + (to.tv_nsec - from.tv_nsec) / 1e6;
	CHECK(ms < 50, "%.1f ms", ms);
	for (i = 0; i < 6; i++)
		check_map(&s, 1, counts[i]);
}

int main(void)
{
	TAP_RUN(test_table);
	TAP_RUN(test_topology);
	TAP_RUN(test_flat);
	TAP_RUN(test_shapes);
	TAP_RUN(test_neighbours);
	TAP_RUN(test_uneven);
	TAP_RUN(test_check_map);
	TAP_RUN(test_lists);
	TAP_RUN(test_others);
	TAP_RUN(test_time);
	return tap_done();
}
