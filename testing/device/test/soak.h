/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random commands at random depths on random devices, compared with a plain file: see plain.h.
 *
 * What is sent depends on the seed alone, and each round begins anew: a mistake is found again by
 * its seed and round.  How commands overlap in time is up to the machine.
 */
#ifndef DEVICE_TEST_SOAK_H
#define DEVICE_TEST_SOAK_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct soak_plan - what to do
 * @device: the program
 * @seed: of everything
 * @round: the first round
 * @rounds: how many; 0: until the time is over
 * @operations: of a round
 * @seconds: after which no round begins, and a round ends early; 0: no limit
 * @verbose: say what each round is
 */
struct soak_plan {
	const char *device;
	uint64_t seed;
	unsigned int round;
	unsigned int rounds;
	unsigned int operations;
	unsigned int seconds;
	bool verbose;
};

/**
 * struct soak_figures - what was done
 * @rounds: rounds, each with a device of its own
 * @commands: I/O commands completed
 * @bytes: of data that they moved
 * @blocks: compared with what they must read as
 * @vague: of these, how many had more than one version that was right
 * @resets: of the controller, of any kind, cuts of the power included
 * @cuts: of the power
 * @lost: blocks that were lost by them
 * @swept: commands that were in flight then
 * @why: what is wrong; "": nothing
 */
struct soak_figures {
	unsigned long rounds;
	unsigned long commands;
	unsigned long bytes;
	unsigned long blocks;
	unsigned long vague;
	unsigned long resets;
	unsigned long cuts;
	unsigned long lost;
	unsigned long swept;
	char why[2048];
};

/**
 * soak_run - do it
 * @plan: what
 * @figures: becomes what was done
 *
 * Return: whether all was right.
 */
bool soak_run(const struct soak_plan *plan, struct soak_figures *figures);

#endif
