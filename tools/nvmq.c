// SPDX-License-Identifier: GPL-2.0
/* nvmq: controllers, queues and plans of the nvmq driver. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nvmq.h"
#include "sys.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args;
	const char *text;
} commands[] = {
	{ "list", cmd_list, "[--json]", "controllers that the driver has bound" },
	{ "map", cmd_map, "[DEVICE] [--json | --dot | --svg FILE]",
	  "where the I/O of each CPU goes: queue, interrupt, and the CPU that serves that" },
	{ "queues", cmd_queues, "[DEVICE] [--json]",
	  "the same as the block layer has it: contexts, tags, and CPUs that have none" },
	{ "plan", cmd_plan, "[DEVICE] [--json]", "what was asked, and what there is" },
	{ "plan", NULL, "[DEVICE] set PLAN", "carry another plan out, while I/O waits" },
	{ "plan", NULL, "[DEVICE] try [--seconds N] PLAN",
	  "the same, and back again after N seconds (30) unless confirmed" },
	{ "plan", NULL, "check PLAN", "say what is wrong with a plan, if anything is" },
	{ "stat", cmd_stat, "[DEVICE] [--seconds N | --every N [--times N]] [--json]",
	  "what each queue does: rates, doorbells, interrupts, times, and the CPUs" },
	{ "stat", NULL, "[DEVICE] on | off", "begin to count, from zero; end it" },
	{ "top", cmd_top, "[DEVICE] [--every N]",
	  "the same on the screen, as it happens; plans can be changed there" },
	{ "hist", cmd_hist,
	  "[DEVICE] [--queue N] [--op KIND] [--seconds N | --every N [--times N]] [--json]",
	  "how long commands took, in the host and in the device" },
	{ "trace", cmd_trace,
	  "[DEVICE] [--time SECONDS] [--sqe] [--json] [--svg FILE] [--qemu LOG] [-- COMMAND...]",
	  "each step of each I/O, from the program to the device and back" },
	{ "trace", NULL, "--read FILE [--sqe] [--json] [--svg FILE] [--qemu LOG]",
	  "the same from what --json has printed" },
	{ "lab", cmd_lab, "run | report | compare | spec [--help]",
	  "try a matrix of plans and fio jobs, and make a report of it" },
	{ "bind", cmd_bind, "DEVICE [--vfio] [--json]",
	  "take a controller that is not in use from its driver, for nvmq or for vfio-pci" },
	{ "release", cmd_release, "DEVICE [--json]",
	  "give it back to the driver that it would have without nvmq" },
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	size_t i;

	fputs("Usage: nvmq COMMAND [ARG...]\n\n", to);
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "  nvmq %s %s\n      %s\n", commands[i].name, commands[i].args,
			commands[i].text);
	fputs("\nDEVICE is a PCI address, nvmeX or a disk.\n"
	      "Where there is one only it can be left out, but not for bind and release.\n"
	      "PLAN is one argument, or several: see nvmq(8).\n", to);
}

/* A program of its own, in the same folder as this one. */
int cmd_lab(int argc, char **argv)
{
	char self[4096], path[4096 + 16];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)argc;
	self[len > 0 ? len : 0] = '\0';
	snprintf(path, sizeof(path), "%.*s/nvmq-lab", (int)(strrchr(self, '/') - self), self);
	argv[0] = path;
	execv(path, argv);
	fprintf(stderr, "nvmq lab: %s: %s\n", path,
		errno == ENOENT ? "it is not there, or python3 is not" : strerror(errno));
	return 1;
}

struct json_object *disks_to_json(const char *disks)
{
	struct json_object *array = json_object_new_array();
	const char *disk;
	size_t len;

	while ((disk = sys_next_disk(&disks, &len)))
		json_object_array_add(array, json_object_new_string_len(disk, len));
	return array;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return 0;
	}
	for (i = 0; i < NR_COMMANDS; i++)
		if (commands[i].run && !strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "nvmq: %s: no such command; nvmq --help lists them\n", argv[1]);
	return 2;
}
