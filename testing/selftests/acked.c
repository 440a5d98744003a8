// SPDX-License-Identifier: GPL-2.0
/*
 * What a disk has acknowledged is there, whatever became of it meanwhile.
 *
 *	acked write DEVICE OFFSET BLOCKS LEDGER
 *	acked check DEVICE OFFSET BLOCKS LEDGER
 *
 * "write" writes blocks of 4 KiB in a jumbled order from several threads, again
 * and again, each time with the next version, until a write fails or SIGTERM
 * comes. LEDGER is a file that has for each block the version that was last
 * begun and the one that was last acknowledged. "check" reads all blocks: each
 * must be of one version as a whole, no older than the acknowledged one and no
 * newer than what was begun. It prints the numbers of writes acknowledged and
 * of blocks lost. A block belongs to one thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK	4096u
#define THREADS	4u

struct entry {
	uint64_t begun;
	uint64_t acked;
};

static struct entry *ledger;
static uint64_t offset, blocks;
static int fd;
static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

/* Every word of a block tells the block, the version and where it stands. */
static uint64_t word(uint64_t block, uint64_t version, unsigned int i)
{
	return (block << 40 ^ version << 12 ^ i) * 0x9e3779b97f4a7c15ull;
}

static void *writer(void *arg)
{
	uint64_t self = (uintptr_t)arg, own = blocks / THREADS, n, block;
	uint64_t *buffer = aligned_alloc(BLOCK, BLOCK);
	unsigned int i;

	if (!buffer)
		exit(2);
	for (n = 0; !stop; n++) {
		/* A prime: all blocks in turn, unless their number is a multiple of it. */
		block = self * own + n * 7919 % own;
		ledger[block].begun++;
		for (i = 0; i < BLOCK / 8; i++)
			buffer[i] = word(block, ledger[block].begun, i);
		if (pwrite(fd, buffer, BLOCK, (off_t)(offset + block * BLOCK)) != BLOCK) {
			stop = 1;
			break;
		}
		ledger[block].acked = ledger[block].begun;
	}
	free(buffer);
	return NULL;
}

static int do_write(void)
{
	struct sigaction action = { .sa_handler = on_term };
	pthread_t thread[THREADS];
	uintptr_t i;

	sigaction(SIGTERM, &action, NULL);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, writer, (void *)i))
			return 2;
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

/* The version that a block has as a whole, or UINT64_MAX. */
static uint64_t version_of(const uint64_t *buffer, uint64_t block, const struct entry *entry)
{
	uint64_t version;
	unsigned int i;

	for (version = entry->acked; version <= entry->begun; version++) {
		for (i = 0; i < BLOCK / 8 && buffer[i] == word(block, version, i); i++)
			;
		if (i == BLOCK / 8)
			return version;
	}
	return UINT64_MAX;
}

static int do_check(void)
{
	uint64_t *buffer = aligned_alloc(BLOCK, BLOCK);
	uint64_t block, acked = 0, lost = 0;

	if (!buffer)
		return 2;
	for (block = 0; block < blocks / THREADS * THREADS; block++) {
		const struct entry *entry = &ledger[block];

		acked += entry->acked;
		if (!entry->acked)
			continue;
		if (pread(fd, buffer, BLOCK, (off_t)(offset + block * BLOCK)) != BLOCK) {
			fprintf(stderr, "block %llu: %s\n", (unsigned long long)block,
				strerror(errno));
			lost++;
		} else if (version_of(buffer, block, entry) == UINT64_MAX) {
			fprintf(stderr, "block %llu is not version %llu to %llu\n",
				(unsigned long long)block, (unsigned long long)entry->acked,
				(unsigned long long)entry->begun);
			lost++;
		}
	}
	printf("%llu %llu\n", (unsigned long long)acked, (unsigned long long)lost);
	return lost ? 1 : 0;
}

int main(int argc, char **argv)
{
	int ledger_fd;

	if (argc != 6) {
		fprintf(stderr, "acked write|check DEVICE OFFSET BLOCKS LEDGER\n");
		return 2;
	}
	fd = open(argv[2], O_RDWR | O_DIRECT);
	if (fd < 0) {
		perror(argv[2]);
		return 2;
	}
	offset = strtoull(argv[3], NULL, 0);
	blocks = strtoull(argv[4], NULL, 0);
	ledger_fd = open(argv[5], O_RDWR | O_CREAT, 0600);
	if (ledger_fd < 0 || blocks < THREADS ||
	    ftruncate(ledger_fd, (off_t)(blocks * sizeof(*ledger)))) {
		perror(argv[5]);
		return 2;
	}
	ledger = mmap(NULL, blocks * sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED, ledger_fd,
		      0);
	if (ledger == MAP_FAILED) {
		perror(argv[5]);
		return 2;
	}
	return !strcmp(argv[1], "write") ? do_write() : do_check();
}
