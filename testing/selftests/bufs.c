// SPDX-License-Identifier: GPL-2.0
/*
 * Direct I/O from awkward buffers, for buffers.sh.
 *
 *	bufs DEVICE BLOCK offsets|lengths|vectors|random
 *
 * Every write goes out from the shape under test and is read back through
 * another, plain buffer; every read of the shape is compared with what the
 * plain buffer wrote; the bytes around a buffer must not change. The kernel
 * takes direct I/O from any address that is a multiple of queue/dma_alignment
 * plus one, which for NVMe is 4.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE	4096u
#define ARENA	(8u << 20)
#define GUARD	0xa5
#define AREA	(128u << 20)	/* of the device, that is used */

static int fd;
static unsigned int block;
static unsigned char *arena;	/* where the shape under test lives */
static unsigned char *plain;	/* page-aligned oracle */
static unsigned int shapes;
static uint64_t seed = 0x9e3779b97f4a7c15ull;

static unsigned int rnd(unsigned int below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned int)(seed >> 33) % below;
}

static void die(const char *what, const struct iovec *iov, int count)
{
	int i;

	fprintf(stderr, "shape %u: %s (%s)\n", shapes, what, strerror(errno));
	for (i = 0; i < count && i < 64; i++)
		fprintf(stderr, "  part %d: offset in page %lu, %zu bytes\n", i,
			(unsigned long)((uintptr_t)iov[i].iov_base % PAGE),
			iov[i].iov_len);
	exit(1);
}

static void fill(unsigned char *to, size_t length)
{
	size_t i;

	for (i = 0; i + 8 <= length; i += 8) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		memcpy(to + i, &seed, 8);
	}
}

static void all(ssize_t got, size_t want, const char *what,
		const struct iovec *iov, int count)
{
	if (got < 0)
		die(what, iov, count);
	if ((size_t)got != want) {
		errno = 0;
		fprintf(stderr, "%zd of %zu bytes\n", got, want);
		die(what, iov, count);
	}
}

/* One shape, out and in; @total is the sum of the parts. */
static void try(struct iovec *iov, int count, size_t total)
{
	static unsigned char *copy;
	off_t at = (off_t)rnd((AREA - total) / block) * block;
	unsigned char *low = arena + ARENA, *high = arena;
	size_t done;
	int i;

	if (!copy)
		copy = malloc(ARENA);
	shapes++;
	for (i = 0; i < count; i++) {
		unsigned char *base = iov[i].iov_base;

		if (base < low)
			low = base;
		if (base + iov[i].iov_len > high)
			high = base + iov[i].iov_len;
	}
	/* A page on either side stands guard. */
	low -= PAGE;
	high += PAGE;

	fill(plain, total);
	for (i = 0, done = 0; i < count; i++) {
		memcpy(iov[i].iov_base, plain + done, iov[i].iov_len);
		done += iov[i].iov_len;
	}
	all(pwritev(fd, iov, count, at), total, "write", iov, count);
	memset(copy, 0, total);
	memcpy(copy, plain, total);
	memset(plain, 0, total);
	all(pread(fd, plain, total, at), total, "plain read", iov, count);
	errno = 0;
	if (memcmp(copy, plain, total))
		die("written data differs", iov, count);

	fill(plain, total);
	all(pwrite(fd, plain, total, at), total, "plain write", iov, count);
	memset(low, GUARD, high - low);
	all(preadv(fd, iov, count, at), total, "read", iov, count);
	errno = 0;
	for (i = 0, done = 0; i < count; i++) {
		if (memcmp(iov[i].iov_base, plain + done, iov[i].iov_len))
			die("read data differs", iov, count);
		done += iov[i].iov_len;
		memset(iov[i].iov_base, GUARD, iov[i].iov_len);
	}
	for (; low < high; low++)
		if (*low != GUARD)
			die("a byte beside the buffer changed", iov, count);
}

static void offsets(void)
{
	static const unsigned int lengths[] = {
		1, 2, 7, 8, 9, 16, 24, 32, 33, 128, 256, 257, 1024, 2048,
	};
	unsigned int i, offset;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t length = (size_t)lengths[i] * block;

		if (length > ARENA / 2)
			continue;
		/* Long ones cost more and differ less. */
		for (offset = 0; offset < PAGE;
		     offset += length <= 64 * 512 ? 68 : 516) {
			struct iovec iov = { arena + PAGE * 4 + offset, length };

			try(&iov, 1, length);
		}
	}
	for (offset = 4; offset < PAGE; offset += offset < 64 ? 4 : 444) {
		struct iovec iov = { arena + PAGE * 4 + PAGE - offset, block };

		try(&iov, 1, block);
	}
}

/*
 * Lengths around those at which the shape of the PRP entries changes: one or
 * two entries, a list, a full list, a second and a third list, and around the
 * usual limits of a command.
 */
static void lengths(void)
{
	static const unsigned int pages[] = {
		1, 2, 3, 15, 16, 31, 32, 33, 63, 64, 127, 128, 129, 255, 256,
		511, 512, 513, 514, 1022, 1023, 1024, 1025, 1535, 1536,
	};
	static const unsigned int skews[] = { 0, 4, 512, 2048, 4092 };
	unsigned int i, skew;
	int more;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		for (skew = 0; skew < 5; skew++) {
			for (more = -1; more <= 1; more++) {
				size_t length = (size_t)pages[i] * PAGE;
				struct iovec iov;

				length += more * (int)block;
				if (!length || length % block)
					continue;
				iov.iov_base = arena + PAGE * 4 + skews[skew];
				iov.iov_len = length;
				try(&iov, 1, length);
			}
		}
	}
}

/*
 * Parts that end and begin at page boundaries may go in one command; others
 * must be split by the block layer at the virtual boundary. Both are sent.
 */
static void vectors(void)
{
	unsigned int parts, head, step;

	for (parts = 2; parts <= 64; parts = parts * 2 - (parts > 4)) {
		for (head = block < PAGE ? block : PAGE; head <= PAGE; head += block) {
			struct iovec iov[64];
			size_t total = 0;
			unsigned int i;

			if (block >= PAGE && head != PAGE)
				continue;
			for (i = 0; i < parts; i++) {
				/* scattered: every other page, backwards */
				unsigned char *page = arena + PAGE * (2 + 3 * (parts - i));

				iov[i].iov_base = i ? page : page + PAGE - head;
				iov[i].iov_len = i ? PAGE : head;
				total += iov[i].iov_len;
			}
			if (total % block)
				iov[parts - 1].iov_len -= total % block;
			total -= total % block;
			try(iov, (int)parts, total);
		}
	}
	for (step = 1; step <= 8; step++) {
		struct iovec iov[16];
		size_t total = 0;
		unsigned int i;

		for (i = 0; i < 16; i++) {
			iov[i].iov_base = arena + PAGE * (2 + 4 * i) + step * 4;
			iov[i].iov_len = block;
			total += block;
		}
		try(iov, 16, total);
	}
}

static void random_shapes(void)
{
	unsigned int n;

	for (n = 0; n < 400; n++) {
		struct iovec iov[32];
		unsigned int count = 1 + rnd(32), i;
		unsigned char *at = arena + PAGE * 2;
		size_t total = 0;

		for (i = 0; i < count; i++) {
			size_t length = (size_t)(1 + rnd(n % 7 ? 8 : 40)) * block;

			at += rnd(3) ? PAGE - (uintptr_t)at % PAGE : rnd(1024) * 4;
			iov[i].iov_base = at;
			iov[i].iov_len = length;
			at += length;
			total += length;
		}
		if (at > arena + ARENA - 2 * PAGE)
			continue;
		try(iov, (int)count, total);
	}
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: bufs DEVICE BLOCK offsets|lengths|vectors|random\n");
		return 2;
	}
	block = (unsigned int)atoi(argv[2]);
	fd = open(argv[1], O_RDWR | O_DIRECT);
	if (fd < 0 || !block) {
		perror(argv[1]);
		return 2;
	}
	if (posix_memalign((void **)&arena, PAGE, ARENA) ||
	    posix_memalign((void **)&plain, PAGE, ARENA))
		return 2;
	memset(arena, GUARD, ARENA);
	if (!strcmp(argv[3], "offsets"))
		offsets();
	else if (!strcmp(argv[3], "lengths"))
		lengths();
	else if (!strcmp(argv[3], "vectors"))
		vectors();
	else
		random_shapes();
	printf("%u shapes\n", shapes);
	return shapes ? 0 : 1;
}
