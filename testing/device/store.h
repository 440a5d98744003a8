/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The medium of one namespace: blocks and their metadata in a sparse file or in
 * memory, and what is known of each block.
 *
 * Blocks stand in the address space, so that a command copies between them and
 * the guest's memory and nowhere in between.  Beside them stand
 * - a map of the deallocated blocks, that also counts blocks never written;
 * - a map of the blocks made uncorrectable;
 * - the oracle: a hash of what was last written to each block.  Every read
 *   compares, which finds the device's own errors: a block written to the wrong
 *   place, torn, or lost;
 * - the volatile write cache: what each block written since the last flush held
 *   before, so that a cut of the power can bring it back.
 *
 * Nothing here knows of commands; ranges are checked by the caller.
 */
#ifndef DEVICE_STORE_H
#define DEVICE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* What deallocated blocks read as (nvm 3.2.3.2.1, DLFEAT 2:0). */
enum store_hole {
	STORE_HOLE_ANY,			/* not said: zeroes or ones, by the block's number */
	STORE_HOLE_ZEROES,
	STORE_HOLE_ONES,
};

/**
 * struct store_config - what a store is made of
 * @path: file to keep the blocks in, created if missing, and made as large as need be;
 *	the metadata is in a second one whose name ends in ".meta"; NULL: memory
 * @blocks: number of blocks
 * @block_size: bytes of data in a block, a power of two from 512 on
 * @meta_size: bytes of metadata of a block
 * @hole: what deallocated blocks read as
 * @oracle: remember a hash of each block, and compare
 * @cache: there is a volatile cache: model its loss
 * @cache_blocks: blocks the cache holds before it is destaged; 0: 64 MiB of them
 * @atom: blocks that a cut of the power may not tear, aligned groups of this many; 0: 1
 */
struct store_config {
	const char *path;
	uint64_t blocks;
	uint32_t block_size;
	uint32_t meta_size;
	enum store_hole hole;
	bool oracle;
	bool cache;
	uint64_t cache_blocks;
	uint32_t atom;
};

/* What store_look() found, or-ed together. */
enum store_finding {
	STORE_HOLES = 1,		/* some blocks are deallocated */
	STORE_BAD = 2,			/* some blocks are uncorrectable */
	STORE_WRONG = 4,		/* the oracle disagrees */
};

/**
 * struct store_look - a range before it is read
 * @found: bits of enum store_finding
 * @hole: the first deallocated block, if there is one
 * @bad: the first uncorrectable one
 * @wrong: the first one that is not as it was written
 * @nr_wrong: how many are not
 */
struct store_look {
	unsigned int found;
	uint64_t hole;
	uint64_t bad;
	uint64_t wrong;
	uint64_t nr_wrong;
};

/**
 * store_new - make a medium
 * @config: what it is made of; copied, but for the path, which must stay
 * @store: where to put it
 *
 * A file that exists keeps its contents: its holes are deallocated blocks, the rest is
 * taken as it is found.  Uncorrectable blocks are forgotten.
 *
 * Return: 0, -EINVAL for a size that cannot be, or another -errno.
 */
int store_new(const struct store_config *config, struct store **store);

/**
 * store_free - take a medium away; a file keeps what was destaged and what was not
 * @store: the medium or NULL
 */
void store_free(struct store *store);

/**
 * store_config - what a medium is made of
 * @store: the medium
 *
 * Return: as it stands, with the defaults filled in.
 */
const struct store_config *store_config(const struct store *store);

/**
 * store_format - drop all contents, perhaps with other blocks (base 5.14)
 * @store: the medium
 * @blocks: number of blocks
 * @block_size: bytes of data in a block
 * @meta_size: bytes of metadata in a block
 *
 * Return: 0 or -errno; after an error other than -EINVAL only store_free() and
 * store_format() may be called.
 */
int store_format(struct store *store, uint64_t blocks, uint32_t block_size, uint32_t meta_size);

/**
 * store_data - where the data of a block stands
 * @store: the medium
 * @lba: block
 *
 * The blocks of a range stand one behind the other.  What stands there for a deallocated
 * block means nothing: see store_get().
 *
 * Return: pointer to the data, valid until store_format() or store_free().
 */
void *store_data(struct store *store, uint64_t lba);

/**
 * store_meta - where the metadata of a block stands
 * @store: the medium, with metadata
 * @lba: block
 *
 * Return: as store_data().
 */
void *store_meta(struct store *store, uint64_t lba);

/**
 * store_look - what is to be said of a range before it is read
 * @store: the medium
 * @lba: first block
 * @nlb: number of blocks, not 0
 * @look: the answer
 *
 * Return: @look->found; 0: all blocks can be read from store_data() as they stand.
 */
unsigned int store_look(struct store *store, uint64_t lba, uint64_t nlb, struct store_look *look);

/**
 * store_get - read data, deallocated blocks as they are to be read
 * @store: the medium
 * @lba: block that the bytes are counted from
 * @offset: first byte
 * @to: where to put them
 * @len: number of bytes
 */
void store_get(struct store *store, uint64_t lba, uint64_t offset, void *to, size_t len);

/**
 * store_get_meta - the same for metadata
 * @store: the medium, with metadata
 * @lba: block that the bytes are counted from
 * @offset: first byte
 * @to: where to put them
 * @len: number of bytes
 */
void store_get_meta(struct store *store, uint64_t lba, uint64_t offset, void *to, size_t len);

/**
 * store_write_begin - blocks are about to be overwritten
 * @store: the medium
 * @lba: first block
 * @nlb: number of blocks
 * @durable: as store_write_end()
 *
 * The caller then writes all of these blocks at store_data() and store_meta(), and calls
 * store_write_end().
 */
void store_write_begin(struct store *store, uint64_t lba, uint64_t nlb, bool durable);

/**
 * store_write_end - blocks have been overwritten
 * @store: the medium
 * @lba: first block
 * @nlb: number of blocks
 * @durable: past the volatile cache: Force Unit Access, or no cache is enabled
 */
void store_write_end(struct store *store, uint64_t lba, uint64_t nlb, bool durable);

/**
 * store_zero - write zeroes, metadata included
 * @store: the medium
 * @lba: first block
 * @nlb: number of blocks
 * @durable: as store_write_end()
 */
void store_zero(struct store *store, uint64_t lba, uint64_t nlb, bool durable);

/**
 * store_deallocate - blocks are no longer used
 * @store: the medium
 * @lba: first block
 * @nlb: number of blocks
 * @durable: as store_write_end()
 */
void store_deallocate(struct store *store, uint64_t lba, uint64_t nlb, bool durable);

/**
 * store_mark_bad - blocks become uncorrectable, until they are written (nvm 3.2.7)
 * @store: the medium
 * @lba: first block
 * @nlb: number of blocks
 */
void store_mark_bad(struct store *store, uint64_t lba, uint64_t nlb);

/**
 * store_flush - destage the volatile cache
 * @store: the medium
 */
void store_flush(struct store *store);

/**
 * store_power_cut - the power fails
 * @store: the medium
 * @seed: which of the cached blocks are lost; 0: all of them
 *
 * Blocks written since the last flush, and not past the cache, hold either what was written
 * last or what they held at that flush.
 *
 * Return: number of blocks that lost what was written.
 */
uint64_t store_power_cut(struct store *store, uint64_t seed);

/**
 * store_cached - how many blocks a cut of the power could lose
 * @store: the medium
 *
 * Return: number of blocks.
 */
uint64_t store_cached(const struct store *store);

/**
 * store_allocated - how many blocks are not deallocated
 * @store: the medium
 *
 * Return: number of blocks, for NUSE.
 */
uint64_t store_allocated(const struct store *store);

/**
 * store_resize - give a medium more or fewer blocks, the others keep what they hold
 * @store: the medium
 * @blocks: number of blocks
 *
 * Return: 0 or -errno, and then as store_format().
 */
int store_resize(struct store *store, uint64_t blocks);

/**
 * store_hash - hash of a block for the oracle
 * @lba: block, so that a block in the wrong place differs
 * @data: its data
 * @len: bytes
 * @meta: its metadata
 * @meta_len: bytes
 *
 * Return: never 0, which stands for "not known".
 */
uint64_t store_hash(uint64_t lba, const void *data, size_t len, const void *meta, size_t meta_len);

#endif
