// SPDX-License-Identifier: GPL-2.0
/*
 * fill BYTES: that much data on standard output, different in each call and in
 * each of its 8-byte words. /dev/urandom is too slow under emulation.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static uint64_t buffer[32768];
	unsigned long long left;
	uint64_t state;

	if (argc != 2 || getrandom(&state, sizeof(state), 0) != sizeof(state))
		return 2;
	left = strtoull(argv[1], NULL, 0);
	while (left) {
		size_t n = left < sizeof(buffer) ? left : sizeof(buffer), i;
		char *at = (char *)buffer;

		for (i = 0; i < sizeof(buffer) / 8; i++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			buffer[i] = state;
		}
		left -= n;
		while (n) {
			ssize_t done = write(STDOUT_FILENO, at, n);

			if (done <= 0) {
				perror("fill");
				return 1;
			}
			at += done;
			n -= (size_t)done;
		}
	}
	return 0;
}
