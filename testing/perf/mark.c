// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's side of the bench: puts markers around what is measured.
 *
 *   mark start LOG LABEL      append LABEL and /proc/interrupts to LOG, then count
 *   mark stop LOG             stop counting, append /proc/interrupts to LOG
 *   mark spin LOG CPU MS      count a loop in user space: what the timer tick costs
 *   mark watch                have the counter read its watch file
 *   mark scatter MEGABYTES    make free memory scattered until killed
 *
 * fio runs the first two by exec_prerun and exec_postrun, which it does after
 * it has set its job up and before it tears it down.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "marker.h"

static void pin(const char *cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(atoi(cpu), &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		perror("mark: sched_setaffinity");
		exit(125);
	}
}

/* One write per record: the log lies on a share, and a record is read whole or not at all. */
static void note(const char *log, const char *what, const char *label)
{
	static char text[1 << 16];
	struct timespec t;
	size_t len;
	ssize_t n;
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &t);
	len = snprintf(text, 512, "@%s %s %lld.%03ld\n", what, label, (long long)t.tv_sec,
		       t.tv_nsec / 1000000);
	fd = open("/proc/interrupts", O_RDONLY);
	if (fd >= 0) {
		while ((n = read(fd, text + len, sizeof(text) - len)) > 0)
			len += n;
		close(fd);
	}
	fd = open(log, O_WRONLY | O_APPEND | O_CREAT, 0644);
	if (fd < 0 || write(fd, text, len) != (ssize_t)len) {
		perror(log);
		exit(1);
	}
	close(fd);
}

static void spin(const char *log, const char *cpu, long ms)
{
	struct timespec t0, t;

	pin(cpu);
	note(log, "start", "tick");
	MARK(MARKER_START);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	do {
		for (volatile int i = 0; i < 100000; i++)
			;
		clock_gettime(CLOCK_MONOTONIC, &t);
	} while ((t.tv_sec - t0.tv_sec) * 1000 + (t.tv_nsec - t0.tv_nsec) / 1000000 < ms);
	MARK(MARKER_STOP);
	note(log, "stop", "-");
}

/* How many pieces of adjoining pages a fresh buffer has, as a mean for each 128 KiB. */
static double pieces(size_t page)
{
	enum { BYTES = 1 << 20, BUFFER = 128 << 10 };
	uint64_t entry, last = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY), n = 0;
	char *p;

	p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || fd < 0)
		return 0;
	madvise(p, BYTES, MADV_NOHUGEPAGE);
	memset(p, 1, BYTES);
	for (size_t at = 0; at < BYTES; at += page) {
		if (pread(fd, &entry, sizeof(entry), ((uintptr_t)p + at) / page * sizeof(entry)) !=
		    sizeof(entry))
			return 0;
		entry &= (1ULL << 55) - 1;
		if (at % BUFFER == 0 || entry != last + 1)
			n++;
		last = entry;
	}
	munmap(p, BYTES);
	close(fd);
	return (double)n / (BYTES / BUFFER);
}

/*
 * Takes memory and gives every other page back, so that the pages handed out
 * next have no free neighbour: a buffer made of them is as many segments as pages.
 */
static int scatter(size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *p;

	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		perror("mark: mmap");
		return 1;
	}
	madvise(p, bytes, MADV_NOHUGEPAGE);
	memset(p, 1, bytes);
	for (size_t at = 0; at < bytes; at += 2 * page)
		madvise(p + at, page, MADV_DONTNEED);
	printf("ready %.1f\n", pieces(page));
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "start")) {
		note(argv[2], "start", argv[3]);
		MARK(MARKER_START);
		_exit(0);
	}
	if (argc == 3 && !strcmp(argv[1], "stop")) {
		MARK(MARKER_STOP);
		note(argv[2], "stop", "-");
		return 0;
	}
	if (argc == 5 && !strcmp(argv[1], "spin")) {
		spin(argv[2], argv[3], atol(argv[4]));
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "watch")) {
		MARK(MARKER_WATCH);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "scatter"))
		return scatter((size_t)atol(argv[2]) << 20);
	fprintf(stderr,
		"usage: mark start LOG LABEL | stop LOG | spin LOG CPU MS | watch | scatter MB\n");
	return 2;
}
