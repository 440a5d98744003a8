/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a plain file in the place of a namespace would hold: for each block, what it must read as.
 *
 * Contents are not kept, they are made from a number, the version.  A block has several where the
 * host cannot know: after a cut of the power it is the last one flushed or the last one written,
 * and a command that a reset swept away was carried out or was not.  Reading tells which.
 */
#ifndef DEVICE_TEST_PLAIN_H
#define DEVICE_TEST_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Versions below PLAIN_FIRST are not what a host wrote. */
enum plain_version {
	PLAIN_ZERO,			/* all zeroes */
	PLAIN_ONES,			/* all ones */
	PLAIN_HOLE,			/* deallocated */
	PLAIN_BAD,			/* uncorrectable */
	PLAIN_FIRST = 16,
};

/* What deallocated blocks read as (nvm 3.2.3.2.1). */
enum plain_hole { PLAIN_HOLE_ANY, PLAIN_HOLE_ZEROES, PLAIN_HOLE_ONES };

#define PLAIN_MAYBE	8

/**
 * struct plain_maybe - versions, one of which it is
 * @nr: how many; 0: there were more than fit, it may be anything
 * @version: which
 */
struct plain_maybe {
	unsigned int nr;
	uint64_t version[PLAIN_MAYBE];
};

/**
 * struct plain_block - one block
 * @now: what it reads as
 * @safe: if @dirty, what it held when it was last known to be durable
 * @dirty: @now may be lost
 * @acked: the time of the command that wrote it last
 */
struct plain_block {
	struct plain_maybe now;
	struct plain_maybe safe;
	bool dirty;
	uint64_t acked;
};

/**
 * struct plain - the file
 * @blocks: number of blocks
 * @size: bytes of data of a block
 * @meta: bytes of metadata of a block
 * @hole: what deallocated blocks read as
 * @block: the blocks
 */
struct plain {
	uint64_t blocks;
	uint32_t size;
	uint32_t meta;
	enum plain_hole hole;
	struct plain_block *block;
};

/* How sure it is that a write survives a cut of the power. */
enum plain_lasting {
	PLAIN_CACHED,			/* only after a flush */
	PLAIN_PERHAPS,			/* a flush was on its way, or it passed the cache */
	PLAIN_DURABLE,
};

/**
 * plain_init - a file of deallocated blocks
 * @plain: filled in; size, meta, hole and blocks are there
 *
 * Return: 0 or -ENOMEM.
 */
int plain_init(struct plain *plain);

/**
 * plain_exit - throw it away
 * @plain: the file
 */
void plain_exit(struct plain *plain);

/**
 * plain_fill - make the contents of a block
 * @plain: the file
 * @version: of what; a hole is filled with zeroes or ones, and with zeroes if it may be either
 * @data: becomes its data
 * @meta: becomes its metadata
 */
void plain_fill(const struct plain *plain, uint64_t version, void *data, void *meta);

/**
 * plain_one - a version that is known
 * @version: which
 *
 * Return: it alone.
 */
struct plain_maybe plain_one(uint64_t version);

/**
 * plain_has - whether a block may have a version
 * @maybe: its versions
 * @version: which
 *
 * Return: true if so.
 */
bool plain_has(const struct plain_maybe *maybe, uint64_t version);

/**
 * plain_copied - what a copy of a block reads as
 * @plain: the file
 * @lba: the block that is read
 *
 * Return: its versions, where a deallocated block is what it reads as.
 */
struct plain_maybe plain_copied(const struct plain *plain, uint64_t lba);

/**
 * plain_write - a command that changes a block was completed
 * @plain: the file
 * @lba: block
 * @what: what it holds now
 * @lasting: through a cut of the power
 * @now: time, counted in any way
 */
void plain_write(struct plain *plain, uint64_t lba, const struct plain_maybe *what,
		 enum plain_lasting lasting, uint64_t now);

/**
 * plain_torn - a command that changes a block was swept away
 * @plain: the file
 * @lba: block
 * @what: what it holds if the command was carried out
 */
void plain_torn(struct plain *plain, uint64_t lba, const struct plain_maybe *what);

/**
 * plain_flush - a flush was completed
 * @plain: the file
 * @since: when it was submitted: what was written later may not be in it
 */
void plain_flush(struct plain *plain, uint64_t since);

/**
 * plain_flush_torn - a flush was swept away
 * @plain: the file
 */
void plain_flush_torn(struct plain *plain);

/**
 * plain_power_cut - the power failed
 * @plain: the file
 */
void plain_power_cut(struct plain *plain);

/**
 * plain_check - compare what was read
 * @plain: the file; afterwards it knows better
 * @lba: block
 * @data: as read
 * @meta: as read; NULL: not looked at
 *
 * Return: whether the block may read so.
 */
bool plain_check(struct plain *plain, uint64_t lba, const void *data, const void *meta);

/**
 * plain_describe - say what a block must read as and what it reads as
 * @plain: the file
 * @lba: block
 * @data: as read
 * @meta: as read, or NULL
 * @text: becomes the words
 * @size: bytes there
 */
void plain_describe(const struct plain *plain, uint64_t lba, const void *data, const void *meta,
		    char *text, size_t size);

#endif
