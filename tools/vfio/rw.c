// SPDX-License-Identifier: GPL-2.0
/* nvmq-vfio read and write: blocks of a namespace. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "../sys.h"
#include "drive.h"
#include "options.h"

/* What one queue with one command at a time takes. */
#define ENTRIES	2

/**
 * struct session - a controller with one queue, and a buffer
 * @d: the controller
 * @dq: its queue
 * @ns: the namespace
 * @buffer: memory for one command, @d.max_bytes long
 */
struct session {
	struct drive d;
	struct drive_queue dq;
	struct drive_ns ns;
	struct drive_buffer buffer;
};

/* @count: blocks that will be read or written at least */
static int open_session(struct session *s, const struct options *o, u32 count)
{
	struct drive *d = &s->d;

	s->dq.event = -1;
	if (drive_open(d, o->bdf) || drive_up(d) || drive_find_ns(d, o->nsid, &s->ns))
		return -1;
	/* Both parts may be anything, and their sum too much for a number. */
	if (o->block >= s->ns.blocks || count > s->ns.blocks - o->block) {
		drive_err(d, "blocks %llu and on, %u of them: namespace %u has %llu",
			  (unsigned long long)o->block, count, s->ns.cmd.nsid,
			  (unsigned long long)s->ns.blocks);
		return -1;
	}
	if (d->max_bytes >> s->ns.cmd.lba_shift == 0) {
		drive_err(d, "a block is longer than a transfer");
		return -1;
	}
	return drive_grant_queues(d, 1) || drive_add_queue(d, &s->dq, 1, ENTRIES) ||
	       drive_alloc_buffer(d, &s->buffer, d->max_bytes) ? -1 : 0;
}

static void close_session(struct session *s)
{
	drive_remove_queue(&s->d, &s->dq);
	drive_close(&s->d);
}

/* How many of the blocks that are left one command takes. */
static u32 next_blocks(const struct session *s, u32 left)
{
	return min(left, min(s->d.max_bytes >> s->ns.cmd.lba_shift, NVMQ_NLB_MAX));
}

/* ---- read ---- */

/* As hexdump -C: 16 bytes a line, lines that are like the one before are a star. */
static void dump(const u8 *data, size_t bytes, u64 at, u8 before[16], bool *starred, bool *begun)
{
	size_t i;
	int j;

	for (i = 0; i < bytes; i += 16, data += 16) {
		if (*begun && !memcmp(before, data, 16)) {
			if (!*starred)
				puts("*");
			*starred = true;
			continue;
		}
		*starred = false;
		*begun = true;
		memcpy(before, data, 16);
		printf("%08llx", (unsigned long long)(at + i));
		for (j = 0; j < 16; j++)
			printf("%s%02x", j % 8 ? " " : "  ", data[j]);
		fputs("  |", stdout);
		for (j = 0; j < 16; j++)
			putchar(data[j] >= ' ' && data[j] <= '~' ? data[j] : '.');
		puts("|");
	}
}

int vfio_read(const struct options *o)
{
	bool starred = false, begun = false;
	struct session s = { 0 };
	u64 block = o->block;
	u32 left = o->count ? o->count : 1;
	u8 before[16];
	int ret = open_session(&s, o, left);

	while (!ret && left) {
		u32 blocks = next_blocks(&s, left);

		drive_set_bytes(&s.buffer, blocks << s.ns.cmd.lba_shift);
		ret = drive_rw(&s.d, &s.dq, &s.ns, false, block, &s.buffer);
		if (ret)
			break;
		if (o->raw)
			fwrite(s.buffer.memory, 1, s.buffer.bytes, stdout);
		else
			dump(s.buffer.memory, s.buffer.bytes, block << s.ns.cmd.lba_shift, before,
			     &starred, &begun);
		block += blocks;
		left -= blocks;
	}
	if (!ret && !o->raw)
		printf("%08llx\n", (unsigned long long)block << s.ns.cmd.lba_shift);
	if (fflush(stdout) || ferror(stdout)) {
		drive_err(&s.d, "standard output: %s", strerror(errno));
		ret = -1;
	}
	close_session(&s);
	return ret ? 1 : 0;
}

/* ---- write ---- */

/* All of a file, of which the length is not known. Return: 0; -1, with a line on stderr. */
static int read_all(const char *name, u8 **data, size_t *bytes)
{
	FILE *f = name ? fopen(name, "re") : stdin;
	const char *from = name ? name : "standard input";
	size_t room = 1 << 16, n;
	bool failed;

	if (!f) {
		fprintf(stderr, "nvmq-vfio: %s: %s\n", from, strerror(errno));
		return -1;
	}
	*bytes = 0;
	*data = sys_must(malloc(room));
	while ((n = fread(*data + *bytes, 1, room - *bytes, f))) {
		*bytes += n;
		if (*bytes == room)
			*data = sys_must(realloc(*data, room *= 2));
	}
	failed = ferror(f);
	if (failed)
		fprintf(stderr, "nvmq-vfio: %s: %s\n", from, strerror(errno));
	if (name)
		fclose(f);
	if (!failed && *bytes)
		return 0;
	if (!failed)
		fprintf(stderr, "nvmq-vfio: %s: there is nothing in it\n", from);
	free(*data);
	return -1;
}

/* The length of the data is what is to be written, and @o->count may have been said as well. */
static int fits(const struct session *s, const struct options *o, size_t bytes)
{
	u32 shift = s->ns.cmd.lba_shift;

	if (bytes & ((1ul << shift) - 1)) {
		drive_err(&s->d, "%zu bytes are no whole number of blocks of %u", bytes,
			  1u << shift);
		return -1;
	}
	if (o->count && o->count != bytes >> shift) {
		drive_err(&s->d, "%zu bytes are %zu blocks, not %u", bytes, bytes >> shift,
			  o->count);
		return -1;
	}
	if (bytes >> shift > s->ns.blocks - o->block) {
		drive_err(&s->d, "%zu blocks from block %llu on: namespace %u has %llu",
			  bytes >> shift, (unsigned long long)o->block, s->ns.cmd.nsid,
			  (unsigned long long)s->ns.blocks);
		return -1;
	}
	return 0;
}

int vfio_write(const struct options *o)
{
	struct session s = { 0 };
	u64 block = o->block;
	size_t bytes, done;
	u8 *data;
	int ret;

	if (read_all(o->file, &data, &bytes))
		return 1;
	ret = open_session(&s, o, 1) || fits(&s, o, bytes) ? -1 : 0;
	for (done = 0; !ret && done < bytes; done += s.buffer.bytes) {
		u32 blocks = next_blocks(&s, min(bytes - done, 1ul << 30) >> s.ns.cmd.lba_shift);

		drive_set_bytes(&s.buffer, blocks << s.ns.cmd.lba_shift);
		memcpy(s.buffer.memory, data + done, s.buffer.bytes);
		ret = drive_rw(&s.d, &s.dq, &s.ns, true, block, &s.buffer);
		block += blocks;
	}
	if (!ret)
		printf("%s: namespace %u: wrote %zu bytes: blocks %llu to %llu\n", o->bdf,
		       s.ns.cmd.nsid, bytes, (unsigned long long)o->block,
		       (unsigned long long)block - 1);
	free(data);
	close_session(&s);
	return ret ? 1 : 0;
}
