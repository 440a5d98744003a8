// SPDX-License-Identifier: GPL-2.0
/*
 * Writes that are acknowledged, for tests in which the power goes: what was
 * acknowledged before must be there after.
 *
 *	ack blocks NAME FILE COUNT SEED		writes until it is killed
 *	ack check-blocks FILE COUNT SEED LAST
 *	ack files NAME DIR SEED
 *	ack check-files DIR SEED LAST
 *
 * Writers print "NAME N" when all up to the N-th write, from 1, is safe: after
 * fsync() has returned, and in one write(), so that lines of several writers
 * do not mix.  The checkers get the last such number.
 *
 * blocks: block writes of 4 KiB at random places of FILE, 1 to 8 of them for
 * each fsync.  Each sector of 512 bytes says which write it is of: whatever
 * the last writes before the cut have left there, it must be one that is no
 * older than the last acknowledged of that place, and a sector of it in full.
 *
 * files: for each N a file of random length is written, fsynced and renamed to
 * its name, the file N - KEEP is removed, and the folder fsynced.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK	4096u
#define SECTOR	512u
#define KEEP	20u
#define LARGEST	(64u << 10)
/* Acknowledgements that can be on their way at most, when the power goes. */
#define AHEAD	2000u

static uint64_t seed;

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t x = a * 0x9e3779b97f4a7c15ull + b + 0x632be59bd9b4e019ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static void die(const char *what, const char *name)
{
	fprintf(stderr, "ack: %s: %s: %s\n", name, what, strerror(errno));
	exit(1);
}

static void acknowledge(const char *name, uint64_t n)
{
	char line[80];
	int length = snprintf(line, sizeof(line), "%s %llu\n", name, (unsigned long long)n);

	if (write(STDOUT_FILENO, line, length) != length)
		exit(0);
}

/* Sector number @at of what the @n-th write brings to @place. */
static void make_sector(uint64_t *words, uint64_t n, uint64_t place, unsigned int at)
{
	unsigned int i;

	words[0] = seed;
	words[1] = n;
	words[2] = place;
	words[3] = at;
	for (i = 4; i < SECTOR / 8; i++)
		words[i] = mix(mix(seed ^ n, place * 8 + at), i);
}

static uint64_t place_of(uint64_t n, uint64_t count)
{
	return mix(seed, n) % count;
}

static void *aligned(size_t length)
{
	void *p;

	if (posix_memalign(&p, BLOCK, length))
		exit(2);
	memset(p, 0, length);
	return p;
}

static void write_blocks(const char *name, const char *file, uint64_t count)
{
	uint64_t *block = aligned(BLOCK), n = 0;
	int fd = open(file, O_RDWR | O_DIRECT);
	unsigned int i, burst;

	if (fd < 0)
		die("open", file);
	for (;;) {
		burst = mix(seed + 1, n) % 8 + 1;
		while (burst--) {
			n++;
			for (i = 0; i < BLOCK / SECTOR; i++)
				make_sector(block + i * SECTOR / 8, n, place_of(n, count), i);
			if (pwrite(fd, block, BLOCK, place_of(n, count) * BLOCK) != BLOCK)
				die("write", file);
		}
		if (fsync(fd))
			die("fsync", file);
		acknowledge(name, n);
	}
}

static int check_blocks(const char *file, uint64_t count, uint64_t last)
{
	uint64_t *newest = calloc(count, sizeof(*newest)), good[SECTOR / 8];
	uint64_t *block = aligned(BLOCK);
	uint64_t n, place, wrong = 0, seen = 0;
	int fd = open(file, O_RDONLY | O_DIRECT);
	unsigned int i;

	if (fd < 0)
		die("open", file);
	if (!newest)
		return 2;
	for (n = 1; n <= last; n++)
		newest[place_of(n, count)] = n;
	for (place = 0; place < count; place++) {
		if (!newest[place])
			continue;
		seen++;
		if (pread(fd, block, BLOCK, place * BLOCK) != BLOCK)
			die("read", file);
		for (i = 0; i < BLOCK / SECTOR; i++) {
			uint64_t *have = block + i * SECTOR / 8;

			n = have[1];
			make_sector(good, n, place, i);
			if (!memcmp(have, good, SECTOR) && n >= newest[place] &&
			    place_of(n, count) == place)
				continue;
			printf("block %llu, sector %u: write %llu lost; it has %llu, %llu\n",
			       (unsigned long long)place, i, (unsigned long long)newest[place],
			       (unsigned long long)have[0], (unsigned long long)n);
			wrong++;
			break;
		}
	}
	printf("%llu writes acknowledged, in %llu blocks: %llu lost\n", (unsigned long long)last,
	       (unsigned long long)seen, (unsigned long long)wrong);
	return wrong != 0;
}

static size_t make_file(unsigned char *data, uint64_t n)
{
	size_t length = mix(seed, n) % LARGEST, i;

	for (i = 0; i < length; i++)
		data[i] = i % 8 ? data[i - 1] * 31u + 7 : (unsigned char)mix(seed ^ n, i);
	return length;
}

static void write_files(const char *name, const char *dir)
{
	unsigned char *data = aligned(LARGEST);
	int folder = open(dir, O_RDONLY | O_DIRECTORY), fd;
	char path[64];
	uint64_t n;
	size_t length;

	if (folder < 0)
		die("open", dir);
	for (n = 1;; n++) {
		length = make_file(data, n);
		fd = openat(folder, "new", O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || write(fd, data, length) != (ssize_t)length || fsync(fd) || close(fd))
			die("write", dir);
		snprintf(path, sizeof(path), "%llu", (unsigned long long)n);
		if (renameat(folder, "new", folder, path))
			die("rename", dir);
		snprintf(path, sizeof(path), "%llu", (unsigned long long)(n - KEEP));
		if (n > KEEP && unlinkat(folder, path, 0))
			die("unlink", dir);
		if (fsync(folder))
			die("fsync", dir);
		acknowledge(name, n);
	}
}

/* 1 if it is there as it should be, 0 if it is not there, -1 if it is something else. */
static int look(const char *dir, uint64_t n)
{
	static unsigned char good[LARGEST], have[LARGEST + 1];
	size_t length = make_file(good, n);
	char path[4096];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/%llu", dir, (unsigned long long)n);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	got = read(fd, have, sizeof(have));
	close(fd);
	return got == (ssize_t)length && !memcmp(good, have, length) ? 1 : -1;
}

/*
 * The files of the last KEEP writes are there, and no others.
 */
static int check_files(const char *dir, uint64_t last)
{
	uint64_t n, top = last, wrong = 0;
	int is;

	/* It may have got further than we were told. */
	for (n = last + 1; n <= last + AHEAD; n++)
		if (look(dir, n))
			top = n;
	for (n = 1; n <= top; n++) {
		is = look(dir, n);
		/* The last one is there; that its predecessor is gone may not be safe yet. */
		if (is == (n + KEEP > top) || (n + KEEP == top && is >= 0))
			continue;
		printf("file %llu %s\n", (unsigned long long)n,
		       is < 0 ? "has the wrong content" : is ? "has come back" : "is lost");
		wrong++;
	}
	printf("%llu files acknowledged: %llu lost or wrong\n", (unsigned long long)last,
	       (unsigned long long)wrong);
	return wrong != 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "blocks") && argc == 6) {
		seed = strtoull(argv[5], NULL, 0);
		write_blocks(argv[2], argv[3], strtoull(argv[4], NULL, 0));
	}
	if (!strcmp(what, "check-blocks") && argc == 6) {
		seed = strtoull(argv[4], NULL, 0);
		return check_blocks(argv[2], strtoull(argv[3], NULL, 0),
				    strtoull(argv[5], NULL, 0));
	}
	if (!strcmp(what, "files") && argc == 5) {
		seed = strtoull(argv[4], NULL, 0);
		write_files(argv[2], argv[3]);
	}
	if (!strcmp(what, "check-files") && argc == 5) {
		seed = strtoull(argv[3], NULL, 0);
		return check_files(argv[2], strtoull(argv[4], NULL, 0));
	}
	fprintf(stderr, "usage: see the head of ack.c\n");
	return 2;
}
