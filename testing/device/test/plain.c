// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mix.h"
#include "plain.h"

#define MAX_BLOCK	4096
#define MAX_META	64

int plain_init(struct plain *plain)
{
	uint64_t i;

	plain->block = calloc(plain->blocks, sizeof(*plain->block));
	if (!plain->block)
		return -ENOMEM;
	for (i = 0; i < plain->blocks; i++)
		plain->block[i].now = plain_one(PLAIN_HOLE);
	return 0;
}

void plain_exit(struct plain *plain)
{
	free(plain->block);
	plain->block = NULL;
}

struct plain_maybe plain_one(uint64_t version)
{
	return (struct plain_maybe){ .nr = 1, .version = { version } };
}

bool plain_has(const struct plain_maybe *maybe, uint64_t version)
{
	unsigned int i;

	for (i = 0; i < maybe->nr; i++)
		if (maybe->version[i] == version)
			return true;
	return !maybe->nr;
}

static void add(struct plain_maybe *maybe, uint64_t version)
{
	if (plain_has(maybe, version))
		return;
	if (maybe->nr == PLAIN_MAYBE)
		maybe->nr = 0;
	else
		maybe->version[maybe->nr++] = version;
}

static void join(struct plain_maybe *maybe, const struct plain_maybe *more)
{
	unsigned int i;

	if (!more->nr)
		maybe->nr = 0;
	for (i = 0; i < more->nr; i++)
		add(maybe, more->version[i]);
}

/* The first word of data says which version it is, for the one who looks for a mistake. */
void plain_fill(const struct plain *plain, uint64_t version, void *data, void *meta)
{
	uint64_t word[MAX_BLOCK / 8];
	unsigned int i;
	int byte;

	if (version >= PLAIN_FIRST) {
		for (i = 0; i < plain->size / 8; i++)
			word[i] = i ? mix64(version, i) : version;
		memcpy(data, word, plain->size);
		for (i = 0; i < MAX_META / 8; i++)
			word[i] = mix64(~version, i);
		if (plain->meta)
			memcpy(meta, word, plain->meta);
		return;
	}
	byte = version == PLAIN_ONES ||
	       (version == PLAIN_HOLE && plain->hole == PLAIN_HOLE_ONES) ? 0xff : 0;
	memset(data, byte, plain->size);
	if (plain->meta)
		memset(meta, byte, plain->meta);
}

struct plain_maybe plain_copied(const struct plain *plain, uint64_t lba)
{
	const struct plain_maybe *from = &plain->block[lba].now;
	struct plain_maybe to = { .nr = 0 };
	unsigned int i;

	if (!from->nr)
		return to;
	/* add() takes none for any: the first one is put there. */
	for (i = 0; i < from->nr; i++) {
		uint64_t version = from->version[i], other;

		if (version == PLAIN_BAD)
			continue;
		other = version;
		if (version == PLAIN_HOLE) {
			version = plain->hole == PLAIN_HOLE_ONES ? PLAIN_ONES : PLAIN_ZERO;
			other = plain->hole == PLAIN_HOLE_ANY ? PLAIN_ONES : version;
		}
		if (!to.nr)
			to = plain_one(version);
		add(&to, version);
		add(&to, other);
		if (!to.nr)
			return to;
	}
	return to;
}

void plain_write(struct plain *plain, uint64_t lba, const struct plain_maybe *what,
		 enum plain_lasting lasting, uint64_t now)
{
	struct plain_block *block = &plain->block[lba];

	if (lasting != PLAIN_DURABLE && !block->dirty)
		block->safe = block->now;
	if (lasting == PLAIN_PERHAPS) {
		/* A flush came before, after, or not at all. */
		join(&block->safe, &block->now);
		join(&block->safe, what);
	}
	block->dirty = lasting != PLAIN_DURABLE;
	block->now = *what;
	block->acked = now;
}

void plain_torn(struct plain *plain, uint64_t lba, const struct plain_maybe *what)
{
	struct plain_block *block = &plain->block[lba];

	if (!block->dirty)
		block->safe = block->now;
	block->dirty = true;
	join(&block->now, what);
	join(&block->safe, what);
}

void plain_flush(struct plain *plain, uint64_t since)
{
	uint64_t i;

	for (i = 0; i < plain->blocks; i++)
		if (plain->block[i].acked < since)
			plain->block[i].dirty = false;
}

void plain_flush_torn(struct plain *plain)
{
	uint64_t i;

	for (i = 0; i < plain->blocks; i++)
		if (plain->block[i].dirty)
			join(&plain->block[i].safe, &plain->block[i].now);
}

void plain_power_cut(struct plain *plain)
{
	uint64_t i;

	for (i = 0; i < plain->blocks; i++) {
		if (plain->block[i].dirty)
			join(&plain->block[i].now, &plain->block[i].safe);
		plain->block[i].dirty = false;
	}
}

static bool is_filled(const uint8_t *bytes, size_t len, uint8_t byte)
{
	return !len || (bytes[0] == byte && !memcmp(bytes, bytes + 1, len - 1));
}

static bool reads_as(const struct plain *plain, uint64_t version, const void *data,
		     const void *meta)
{
	uint8_t want[MAX_BLOCK], want_meta[MAX_META];
	size_t meta_len = meta ? plain->meta : 0;

	if (version == PLAIN_BAD)
		return false;
	if (version == PLAIN_HOLE && plain->hole == PLAIN_HOLE_ANY)
		return (is_filled(data, plain->size, 0) && is_filled(meta, meta_len, 0)) ||
		       (is_filled(data, plain->size, 0xff) && is_filled(meta, meta_len, 0xff));
	plain_fill(plain, version, want, want_meta);
	return !memcmp(want, data, plain->size) && !(meta_len && memcmp(want_meta, meta, meta_len));
}

bool plain_check(struct plain *plain, uint64_t lba, const void *data, const void *meta)
{
	struct plain_block *block = &plain->block[lba];
	struct plain_maybe left = { .nr = 0 };
	unsigned int i;

	if (!block->now.nr)
		return true;
	for (i = 0; i < block->now.nr; i++)
		if (reads_as(plain, block->now.version[i], data, meta))
			left.version[left.nr++] = block->now.version[i];
	if (!left.nr)
		return false;
	block->now = left;
	return true;
}

/* Versions are numbered by operation, see soak.c. */
static void name(uint64_t version, FILE *out)
{
	static const char * const special[] = { "zeroes", "ones", "a hole", "uncorrectable" };

	if (version < sizeof(special) / sizeof(special[0]))
		fputs(special[version], out);
	else
		fprintf(out, "block %llu of operation %llu", (unsigned long long)version & 0xffff,
			(unsigned long long)version >> 16);
}

void plain_describe(const struct plain *plain, uint64_t lba, const void *data, const void *meta,
		    char *text, size_t size)
{
	const struct plain_maybe *now = &plain->block[lba].now;
	FILE *out = fmemopen(text, size, "w");
	uint8_t want[MAX_BLOCK], want_meta[MAX_META];
	uint64_t version;
	unsigned int i;

	if (!out)
		return;
	fputs("expected ", out);
	for (i = 0; i < now->nr; i++) {
		if (i)
			fputs(" or ", out);
		name(now->version[i], out);
	}
	fputs(", got ", out);
	memcpy(&version, data, sizeof(version));
	if (is_filled(data, plain->size, 0))
		version = PLAIN_ZERO;
	else if (is_filled(data, plain->size, 0xff))
		version = PLAIN_ONES;
	plain_fill(plain, version, want, want_meta);
	for (i = 0; i < plain->size && want[i] == ((const uint8_t *)data)[i]; i++)
		;
	name(version, out);
	if (i < plain->size)
		fprintf(out, ", wrong from byte %u on (%02x, not %02x)", i,
			((const uint8_t *)data)[i], want[i]);
	else if (meta && memcmp(want_meta, meta, plain->meta))
		fputs(", with other metadata", out);
	fclose(out);
}
