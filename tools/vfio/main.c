// SPDX-License-Identifier: GPL-2.0
/* nvmq-vfio: an NVMe controller without a kernel driver, by way of vfio. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../pci.h"
#include "clock.h"
#include "options.h"

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

const char *const options_works[NR_WORKS] = { "read", "write", "randread", "randwrite", "mix" };

/* The options of each command, by the letters that parse() knows. */
static const struct command {
	const char *name;
	int (*run)(const struct options *o);
	const char *letters;
	bool writes;		/* always: perf only with some -w */
	const char *args;
	const char *text;
} commands[] = {
	{ "regs", vfio_regs, "J", false, "[--json]",
	  "configuration space and the registers of BAR 0, bit by bit" },
	{ "identify", vfio_identify, "nJ", false, "[--nsid N] [--json]",
	  "controller and namespaces, as nvme-cli prints them" },
	{ "read", vfio_read, "nbcR", false, "[--nsid N] [--block B] [--count N] [--raw]",
	  "blocks, as a hex dump" },
	{ "write", vfio_write, "nbcfY", true,
	  "--yes [--nsid N] [--block B] [--count N] [--file FILE]",
	  "blocks, from a file or from standard input" },
	{ "hello", vfio_hello, "nbY", true, "--yes [--nsid N] [--block B]",
	  "bring it up step by step, write a greeting, read it back, put back what was there" },
	{ "perf", vfio_perf, "nqswtNQiYJ", false,
	  "[-q DEPTH] [-s BYTES] [-w WORK] [-t SECONDS] [--commands N] [--queues N] [-i] ...",
	  "how many commands a second, and how long they take" },
};

static const struct option names[] = {
	{ "nsid", required_argument, NULL, 'n' },
	{ "block", required_argument, NULL, 'b' },
	{ "count", required_argument, NULL, 'c' },
	{ "file", required_argument, NULL, 'f' },
	{ "raw", no_argument, NULL, 'R' },
	{ "json", no_argument, NULL, 'J' },
	{ "yes", no_argument, NULL, 'Y' },
	{ "depth", required_argument, NULL, 'q' },
	{ "size", required_argument, NULL, 's' },
	{ "work", required_argument, NULL, 'w' },
	{ "seconds", required_argument, NULL, 't' },
	{ "commands", required_argument, NULL, 'N' },
	{ "queues", required_argument, NULL, 'Q' },
	{ "interrupts", no_argument, NULL, 'i' },
	{ NULL, 0, NULL, 0 },
};

static void usage(FILE *to)
{
	size_t i;

	fputs("Usage: nvmq-vfio COMMAND DEVICE [OPTION...]\n\n", to);
	for (i = 0; i < NR(commands); i++)
		fprintf(to, "  nvmq-vfio %s DEVICE %s\n      %s\n", commands[i].name,
			commands[i].args, commands[i].text);
	fputs("\nDEVICE is the PCI address of a controller that vfio-pci has: nvmq bind --vfio\n"
	      "gives it one. WORK is read, write, randread, randwrite or mix. All other options, and\n"
	      "what they mean: nvmq-vfio(8).\n", to);
}

/* ---- arguments ---- */

/* From @least to @most, K or M behind it. Return: 0; -1, with a line on stderr. */
static int parse_number(const char *what, const char *text, uint64_t least, uint64_t most,
			uint64_t *n)
{
	unsigned int shift = 0;
	char *end;

	errno = 0;
	*n = strtoull(text, &end, 0);
	if (end != text && *end && !end[1])
		shift = *end == 'K' || *end == 'k' ? 10 : *end == 'M' || *end == 'm' ? 20 : 0;
	if (shift)
		end++;
	if (end == text || *end || *text == '-' || *text == '+' || errno ||
	    *n > UINT64_MAX >> shift || *n << shift < least || *n << shift > most) {
		fprintf(stderr, "nvmq-vfio: %s %s: a number from %llu to %llu expected\n", what,
			text, (unsigned long long)least, (unsigned long long)most);
		return -1;
	}
	*n <<= shift;
	return 0;
}

static int parse_number32(const char *what, const char *text, uint32_t least, uint32_t most,
			  uint32_t *n)
{
	uint64_t wide;

	if (parse_number(what, text, least, most, &wide))
		return -1;
	*n = wide;
	return 0;
}

static int work(const char *text, enum options_work *work)
{
	size_t i;

	for (i = 0; i < NR_WORKS; i++) {
		if (!strcmp(text, options_works[i])) {
			*work = i;
			return 0;
		}
	}
	fprintf(stderr, "nvmq-vfio: -w %s: read, write, randread, randwrite or mix expected\n",
		text);
	return -1;
}

static int option(int letter, const char *text, struct options *o)
{
	switch (letter) {
	case 'n':
		return parse_number32("--nsid", text, 1, 0xfffffffe, &o->nsid);
	case 'b':
		return parse_number("--block", text, 0, INT64_MAX, &o->block);
	case 'c':
		return parse_number32("--count", text, 1, 1u << 30, &o->count);
	case 'f':
		o->file = text;
		return 0;
	case 'R':
		o->raw = true;
		return 0;
	case 'J':
		o->json = true;
		return 0;
	case 'Y':
		o->yes = true;
		return 0;
	case 'q':
		return parse_number32("-q", text, 1, 4095, &o->depth);
	case 's':
		return parse_number32("-s", text, 512, 2 << 20, &o->bytes);
	case 'w':
		return work(text, &o->work);
	case 't':
		return parse_number32("-t", text, 1, 24 * 3600, &o->seconds);
	case 'N':
		return parse_number("--commands", text, 1, INT64_MAX, &o->commands);
	case 'Q':
		return parse_number32("--queues", text, 1, 1024, &o->queues);
	case 'i':
		o->interrupts = true;
		return 0;
	default:
		return -1;
	}
}

/* Is this option known, and to this command? getopt_long() tells neither in our words. */
static int letter_of(const struct command *command, int letter, char **argv)
{
	const char *word = argv[optind - 1];

	if (letter == ':') {
		fprintf(stderr, "nvmq-vfio %s: %s: a value is missing\n", command->name, word);
		return -1;
	}
	if (letter != '?' && strchr(command->letters, letter))
		return letter;
	/* What was refused is the word itself, or its value stands there. */
	if (letter != '?' && *word != '-')
		word = argv[optind - 2];
	fprintf(stderr, "nvmq-vfio %s: %s: not expected\n", command->name, word);
	return -1;
}

/* Return: 0; -1, with a line on stderr. @name is the device. */
static int parse(const struct command *command, int argc, char **argv, struct options *o,
		 const char **name)
{
	int letter;

	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":q:s:w:t:i", names, NULL)) >= 0) {
		letter = letter_of(command, letter, argv);
		if (letter < 0 || option(letter, optarg, o))
			return -1;
	}
	if (optind >= argc) {
		fprintf(stderr, "nvmq-vfio %s: a device expected; nvmq-vfio --help shows %s\n",
			command->name, "what is possible");
		return -1;
	}
	if (optind + 1 < argc) {
		fprintf(stderr, "nvmq-vfio %s: %s: not expected\n", command->name,
			argv[optind + 1]);
		return -1;
	}
	*name = argv[optind];
	if ((command->writes || o->work == WORK_WRITE || o->work == WORK_RANDWRITE ||
	     o->work == WORK_MIX) && !o->yes) {
		fprintf(stderr, "nvmq-vfio %s: this writes to %s: say --yes if that is meant\n",
			command->name, *name);
		return -1;
	}
	return 0;
}

/* ---- running ---- */

/* A device that leaves takes its registers with it. Nothing can be said of it by stdio here. */
static void on_bus_error(int signal)
{
	static const char text[] = "nvmq-vfio: the device is gone: no register answers\n";

	(void)signal;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

static int run(const struct command *command, struct options *o, const char *name)
{
	struct sigaction action = { .sa_handler = on_bus_error };
	struct pci_dev dev;
	int ret = 1;

	if (pci_find(name, &dev))
		return 1;
	if (!dev.driver || strcmp(dev.driver, "vfio-pci")) {
		fprintf(stderr, "nvmq-vfio: %s has %s: nvmq bind --vfio %s gives it to vfio-pci\n",
			dev.bdf, dev.driver ? dev.driver : "no driver", dev.bdf);
	} else {
		o->bdf = dev.bdf;
		sigaction(SIGBUS, &action, NULL);
		clock_start();
		ret = command->run(o);
	}
	pci_free(&dev);
	return ret;
}

int main(int argc, char **argv)
{
	struct options o = {
		.depth = 1, .bytes = 4096, .work = WORK_RANDREAD, .seconds = 5, .queues = 1,
	};
	const char *name;
	size_t i;

	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return 0;
	}
	for (i = 0; i < NR(commands); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		if (parse(&commands[i], argc - 1, argv + 1, &o, &name))
			return 2;
		return run(&commands[i], &o, name);
	}
	fprintf(stderr, "nvmq-vfio: %s: no such command; nvmq-vfio --help lists them\n", argv[1]);
	return 2;
}
