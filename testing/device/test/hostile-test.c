// SPDX-License-Identifier: GPL-2.0
/*
 * A whole device, and hosts that do anything at random. What it answers is not looked at here:
 * that it lives, leaks nothing and leaves what AddressSanitizer and UBSan watch alone is.
 */
#include <fcntl.h>

#include "tap.h"
#include "hostile.h"

#define HOSTS	200

static unsigned int open_fds(void)
{
	unsigned int fd, nr = 0;

	for (fd = 0; fd < 1024; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static void test_random_hosts(void)
{
	struct hostile_stats stats = { 0 };
	unsigned int host, i, before;
	uint8_t data[2048] = { 0 };

	/* One that does nothing: for what is opened once. */
	hostile_run(data, 0, &stats);
	CHECK(stats.completions == 2 && stats.successes == 2, "%u completions of bringing up",
	      (unsigned int)stats.completions);
	before = open_fds();
	for (host = 0; host < HOSTS; host++) {
		size_t len = rnd_in(0, sizeof(data));

		for (i = 0; i < len; i++)
			data[i] = rnd();
		hostile_run(data, len, &stats);
		CHECK(open_fds() == before, "host %u: %u descriptors, not %u", host, open_fds(),
		      before);
	}
	CHECK(stats.messages > 100 * HOSTS && stats.refused > HOSTS, "%u messages, %u refused",
	      (unsigned int)stats.messages, (unsigned int)stats.refused);
	CHECK(stats.connections > HOSTS + HOSTS / 10, "%u connections",
	      (unsigned int)stats.connections);
	CHECK(stats.completions > 4 * HOSTS && stats.successes > 2 * HOSTS &&
	      stats.successes < stats.completions - HOSTS, "%u completions, %u without an error",
	      (unsigned int)stats.completions, (unsigned int)stats.successes);
	printf("# %u messages, %u refused, %u connections, %u completions, %u without an error\n",
	       (unsigned int)stats.messages, (unsigned int)stats.refused,
	       (unsigned int)stats.connections, (unsigned int)stats.completions,
	       (unsigned int)stats.successes);
}

/* What the fuzzer has found. */
static void test_known_hosts(void)
{
	/* A queue is deleted whose completions wait for room in memory that goes away. */
	static const uint8_t waiting[] = {
		0x32, 0x0a, 0x0a, 0xf7, 0x31, 0x0a, 0xd9, 0x81, 0x62, 0x30, 0x00, 0x52,
		0xb1, 0x00, 0x0a, 0x0a, 0xf7, 0x31, 0x0f, 0xad, 0x2e, 0x32, 0x0a, 0x0a,
		0xf7, 0x31, 0x0a, 0x01, 0x00, 0x62, 0x30, 0x00, 0x34, 0x0b, 0x0b, 0x0b,
		0xb1, 0x00, 0x2e, 0x00, 0x30, 0x5b, 0x62, 0x00, 0x00, 0x0a, 0x01, 0x81,
		0x62, 0x30, 0x00, 0x34, 0xb1, 0x00, 0x3b, 0x0a, 0x01, 0x81, 0x62, 0x30,
		0x00, 0x34, 0x31, 0x0a, 0x01, 0x81, 0x59, 0x30,
	};
	struct hostile_stats stats = { 0 };

	hostile_run(waiting, sizeof(waiting), &stats);
	CHECK(stats.completions > 2, "%u completions", (unsigned int)stats.completions);
}

int main(void)
{
	TAP_RUN(test_random_hosts);
	TAP_RUN(test_known_hosts);
	return tap_done();
}
