/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host that does what a string of bytes tells it, to a whole device: messages that may be
 * anything, registers, doorbells, queue entries, guest memory, mappings. For the fuzzer, which
 * finds the strings, and for a test, which makes them at random.
 */
#ifndef DEVICE_TEST_HOSTILE_H
#define DEVICE_TEST_HOSTILE_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct hostile_stats - what came of it, summed up over all strings
 * @messages: messages that the server handled
 * @refused: of these, those answered by an error
 * @connections: connections that it took, the first of each string included
 * @completions: completion queue entries that the host found
 * @successes: of these, those without an error
 */
struct hostile_stats {
	uint64_t messages;
	uint64_t refused;
	uint64_t connections;
	uint64_t completions;
	uint64_t successes;
};

/**
 * hostile_run() - a new device, and the host that does all of it
 * @data: the string
 * @size: its bytes
 * @stats: added to; may be NULL
 */
void hostile_run(const uint8_t *data, size_t size, struct hostile_stats *stats);

#endif
