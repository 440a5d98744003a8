// SPDX-License-Identifier: GPL-2.0
/*
 * Random commands, some thousands of them:	soak-test
 * or for some time:				soak-test SECONDS [SEED [ROUND]]
 *
 * The short one says the same in each run, and finds what is often wrong; the rest takes time.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "soak.h"
#include "tap.h"

/* With the time that a round takes to begin and to end, these are some seconds. */
#define SHORT_SEED	1
#define SHORT_ROUNDS	24
#define SHORT_OPERATIONS 500
#define LONG_OPERATIONS	4000

static struct soak_figures figures;

static void print_figures(void)
{
	printf("# %lu rounds, %lu commands, %lu bytes; %lu blocks compared, %lu of them vague; ",
	       figures.rounds, figures.commands, figures.bytes, figures.blocks, figures.vague);
	printf("%lu resets swept %lu commands away, %lu power cuts lost %lu blocks\n",
	       figures.resets, figures.swept, figures.cuts, figures.lost);
}

static void test_random_commands(void)
{
	struct soak_plan plan = {
		.device = getenv("NVMQ_DEVICE"), .seed = SHORT_SEED, .rounds = SHORT_ROUNDS,
		.operations = SHORT_OPERATIONS,
	};

	CHECK(plan.device, "NVMQ_DEVICE does not name the program");
	if (!plan.device)
		return;
	printf("# seed %u\n", SHORT_SEED);
	CHECK(soak_run(&plan, &figures), "%s", figures.why);
	print_figures();
	CHECK(figures.resets && figures.cuts && figures.swept && figures.blocks > 1000,
	      "it did too little");
}

static int run_long(int argc, char **argv)
{
	struct soak_plan plan = {
		.device = getenv("NVMQ_DEVICE"), .seconds = strtoul(argv[1], NULL, 10),
		.seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1,
		.round = argc > 3 ? strtoul(argv[3], NULL, 10) : 0,
		.operations = LONG_OPERATIONS, .verbose = getenv("VERBOSE"),
	};
	bool right;

	if (!plan.device || !plan.seconds) {
		fputs("Usage: NVMQ_DEVICE=PROGRAM soak-test [SECONDS [SEED [ROUND]]]\n", stderr);
		return 2;
	}
	printf("# seed %llu, %u seconds\n", (unsigned long long)plan.seed, plan.seconds);
	right = soak_run(&plan, &figures);
	print_figures();
	if (!right)
		printf("# %s\n# again: make -C testing/device soak SEED=%llu ROUND=%lu\n",
		       figures.why, (unsigned long long)plan.seed, plan.round + figures.rounds);
	printf("%s 1 - soak\n1..1\n", right ? "ok" : "not ok");
	return !right;
}

int main(int argc, char **argv)
{
	/* A device that ends is found out by what it does not say. */
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1)
		return run_long(argc, argv);
	TAP_RUN(test_random_commands);
	return tap_done();
}
