// SPDX-License-Identifier: GPL-2.0
/* See fits.h. What tells is the driver's own source, drivers/nvme/plan.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fits.h"
#include "sys.h"

/* Of nvmq_plan_check() only: which CPUs there are, not how they belong together. */
static void add_cpus(struct nvmq_topology *topo, unsigned int first, unsigned int last)
{
	unsigned int cpu;

	topo->cpu = sys_must(reallocarray(topo->cpu, last + 1, sizeof(*topo->cpu)));
	for (cpu = topo->nr_cpus; cpu <= last; cpu++)
		topo->cpu[cpu] = (struct nvmq_cpu){ .core = cpu < first ? NVMQ_NO_CPU : cpu };
	topo->nr_cpus = last + 1;
}

/* The possible CPUs, a list in rising order such as "0-3,8-11"; none, if nothing tells them. */
static void read_cpus(struct nvmq_topology *topo)
{
	char *text = sys_read("/sys/devices/system/cpu/possible");
	const char *at = text;
	unsigned int first, last;
	int len;

	while (at && sscanf(at, "%u%n", &first, &len) == 1) {
		at += len;
		last = first;
		if (*at == '-' && sscanf(at, "-%u%n", &last, &len) == 1)
			at += len;
		if (first < topo->nr_cpus || last < first || last > NVMQ_PLAN_MAX_CPU)
			break;
		add_cpus(topo, first, last);
		at += *at == ',';
	}
	free(text);
}

/**
 * plan_fits - is a text a plan that the CPUs of this machine can follow?
 * @text: the text
 * @error: set to what is wrong, if anything is
 *
 * What the device cannot do is left for the driver to say.
 *
 * Return: true if it is.
 */
bool plan_fits(const char *text, struct nvmq_plan_error *error)
{
	struct nvmq_topology topo = { 0 };
	struct nvmq_plan plan;
	bool fits;

	if (nvmq_plan_parse(text, strlen(text), &plan, error))
		return false;
	read_cpus(&topo);
	fits = !topo.nr_cpus || !nvmq_plan_check(&plan, &topo, error);
	free(topo.cpu);
	return fits;
}
