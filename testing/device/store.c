// SPDX-License-Identifier: GPL-2.0
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is kept for each block, each kind in a mapping of its own. */
enum region_kind {
	DATA, META,			/* as they read now */
	USED,				/* bit: not deallocated */
	BAD,				/* bit: uncorrectable */
	HASH,				/* the oracle */
	DIRTY,				/* bit: written since the last flush; then, of before: */
	OLD_DATA, OLD_META, OLD_USED, OLD_BAD, OLD_HASH,
	NR_REGIONS,
};

struct region {
	void *at;
	size_t size;
	int fd;				/* -1: memory */
};

/* Ranges that have been dirtied since the last flush; more are covered by one large one. */
#define EXTENTS			1024

struct extent {
	uint64_t lba;
	uint64_t nlb;
};

struct store {
	struct store_config config;
	struct region region[NR_REGIONS];
	uint64_t used;			/* bits set in USED */
	uint64_t cached;		/* bits set in DIRTY */
	uint64_t zero_hash;		/* store_content() of a block of zeroes */
	uint64_t saved;			/* bytes in OLD_DATA since it was last given back */
	unsigned int nr_extents;
	struct extent extent[EXTENTS];
};

#define PAGE			4096ull
#define CACHE_BYTES		(64ull << 20)
/* Deallocating or zeroing more than this goes past the cache: a copy would cost too much. */
#define BULK_BYTES		(1ull << 20)

static uint64_t *bits(const struct store *store, enum region_kind kind)
{
	return store->region[kind].at;
}

static bool bit_test(const uint64_t *map, uint64_t n)
{
	return map[n / 64] >> n % 64 & 1;
}

/* The bits of one word of a map that belong to the range from @first up to @end. */
static uint64_t word_mask(uint64_t first, uint64_t end)
{
	uint64_t mask = ~0ull << first % 64;

	if (end / 64 == first / 64)
		mask &= ~(~0ull << end % 64);
	return mask;
}

static uint64_t next_word(uint64_t n)
{
	return (n | 63) + 1;
}

/* Set or clear bits; how many were not so. */
static uint64_t bit_fill(uint64_t *map, uint64_t first, uint64_t nr, bool set)
{
	uint64_t end = first + nr, n, mask, *word, changed = 0;

	for (n = first; n < end; n = next_word(n)) {
		word = &map[n / 64];
		mask = word_mask(n, end);
		changed += (uint64_t)__builtin_popcountll((set ? ~*word : *word) & mask);
		*word = set ? *word | mask : *word & ~mask;
	}
	return changed;
}

/* The first bit of a range that is @set, or @first + @nr. */
static uint64_t bit_find(const uint64_t *map, uint64_t first, uint64_t nr, bool set)
{
	uint64_t end = first + nr, n, word;

	for (n = first; n < end; n = next_word(n)) {
		word = (set ? map[n / 64] : ~map[n / 64]) & word_mask(n, end);
		if (word)
			return n / 64 * 64 + (uint64_t)__builtin_ctzll(word);
	}
	return end;
}

static uint64_t rotate(uint64_t x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

#define PRIME_1			0xd6e8feb86659fd93ull
#define PRIME_2			0xa0761d6478bd642full

static uint64_t hash_mix(uint64_t x)
{
	x = (x ^ x >> 32) * PRIME_1;
	x = (x ^ x >> 29) * PRIME_2;
	return x ^ x >> 32;
}

/*
 * Four lanes, so that the multiplications overlap.  Each step is a bijection of a lane for
 * any one word: two blocks that differ in one word never meet.
 */
static uint64_t hash_bytes(uint64_t seed, const void *data, size_t len)
{
	uint64_t lane[4] = { seed, seed ^ PRIME_1, seed ^ PRIME_2, ~seed };
	const uint8_t *p = data;
	uint64_t word[4];
	unsigned int i;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(word, p, sizeof(word));
		for (i = 0; i < 4; i++)
			lane[i] = rotate((lane[i] ^ word[i]) * PRIME_1, 29);
	}
	if (len) {
		memset(word, 0, sizeof(word));
		memcpy(word, p, len);
		for (i = 0; i < 4; i++)
			lane[i] = rotate((lane[i] ^ word[i]) * PRIME_1, 29);
	}
	for (i = 0; i < 4; i++)
		seed = hash_mix(seed ^ lane[i]) + i;
	return seed;
}

static uint64_t hash_content(const void *data, size_t len, const void *meta, size_t meta_len)
{
	uint64_t hash = hash_bytes(len, data, len);

	return meta_len ? hash_bytes(hash, meta, meta_len) : hash;
}

static uint64_t hash_place(uint64_t content, uint64_t lba)
{
	uint64_t hash = hash_mix(content ^ hash_mix(lba + PRIME_2));

	return hash ? hash : 1;
}

uint64_t store_hash(uint64_t lba, const void *data, size_t len, const void *meta, size_t meta_len)
{
	return hash_place(hash_content(data, len, meta, meta_len), lba);
}

const struct store_config *store_config(const struct store *store)
{
	return &store->config;
}

void *store_data(struct store *store, uint64_t lba)
{
	return (uint8_t *)store->region[DATA].at + lba * store->config.block_size;
}

void *store_meta(struct store *store, uint64_t lba)
{
	return (uint8_t *)store->region[META].at + lba * store->config.meta_size;
}

/* Bytes that a kind of region needs for a number of blocks; 0: it is not needed. */
static uint64_t region_bytes(const struct store_config *config, enum region_kind kind)
{
	uint64_t blocks = config->blocks, map = (blocks + 63) / 64 * 8;

	if ((kind == META || kind == OLD_META) && !config->meta_size)
		return 0;
	if ((kind == HASH || kind == OLD_HASH) && !config->oracle)
		return 0;
	if (kind >= DIRTY && !config->cache)
		return 0;
	switch (kind) {
	case DATA:
	case OLD_DATA:
		return blocks * config->block_size;
	case META:
	case OLD_META:
		return blocks * config->meta_size;
	case HASH:
	case OLD_HASH:
		return blocks * sizeof(uint64_t);
	default:
		return map;
	}
}

static int region_size(struct region *region, uint64_t bytes)
{
	size_t size = (bytes + PAGE - 1) / PAGE * PAGE;
	struct stat st;
	void *at;

	if (size == region->size)
		return 0;
	/* A file that is larger than need be is not cut: there may be something in it. */
	if (region->fd >= 0 && (fstat(region->fd, &st) ||
				(st.st_size < (off_t)size && ftruncate(region->fd, (off_t)size))))
		return -errno;
	if (!size) {
		munmap(region->at, region->size);
		at = NULL;
	} else if (region->at) {
		at = mremap(region->at, region->size, size, MREMAP_MAYMOVE);
	} else if (region->fd >= 0) {
		at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, region->fd, 0);
	} else {
		at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	}
	if (at == MAP_FAILED)
		return -errno;
	region->at = at;
	region->size = size;
	return 0;
}

static void regions_close(struct store *store)
{
	unsigned int i;

	for (i = 0; i < NR_REGIONS; i++) {
		if (store->region[i].at)
			munmap(store->region[i].at, store->region[i].size);
		if (store->region[i].fd >= 0)
			close(store->region[i].fd);
		store->region[i] = (struct region){ .fd = -1 };
	}
}

static int regions_size(struct store *store)
{
	unsigned int i;
	int err;

	for (i = 0; i < NR_REGIONS; i++) {
		err = region_size(&store->region[i], region_bytes(&store->config, i));
		if (err)
			return err;
	}
	return 0;
}

static int open_file(struct region *region, const char *path, const char *suffix, bool empty)
{
	char name[4096];

	if ((size_t)snprintf(name, sizeof(name), "%s%s", path, suffix) >= sizeof(name))
		return -ENAMETOOLONG;
	region->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | (empty ? O_TRUNC : 0), 0644);
	return region->fd < 0 ? -errno : 0;
}

/* Blocks that the file has some data for were written. */
static int find_used(struct store *store)
{
	off_t end = (off_t)(store->config.blocks * store->config.block_size), from = 0, to = 0;
	uint32_t size = store->config.block_size;
	int fd = store->region[DATA].fd;
	uint64_t first, last;

	for (;;) {
		from = lseek(fd, to, SEEK_DATA);
		if (from < 0)
			return errno == ENXIO ? 0 : -errno;
		to = lseek(fd, from, SEEK_HOLE);
		if (to < 0)
			return -errno;
		if (from >= end)
			return 0;
		if (to > end)
			to = end;
		first = (uint64_t)from / size;
		last = ((uint64_t)to - 1) / size;
		store->used += bit_fill(bits(store, USED), first, last - first + 1, true);
	}
}

static int regions_open(struct store *store, bool empty)
{
	const struct store_config *config = &store->config;
	void *zeroes;
	int err = 0;

	store->used = 0;
	store->cached = 0;
	store->saved = 0;
	store->nr_extents = 0;
	zeroes = calloc(1, config->block_size + config->meta_size);
	if (!zeroes)
		return -ENOMEM;
	store->zero_hash = hash_content(zeroes, config->block_size, zeroes, config->meta_size);
	free(zeroes);
	if (config->path)
		err = open_file(&store->region[DATA], config->path, "", empty);
	if (!err && config->path && config->meta_size)
		err = open_file(&store->region[META], config->path, ".meta", empty);
	if (!err)
		err = regions_size(store);
	if (!err && config->path)
		err = find_used(store);
	if (err)
		regions_close(store);
	return err;
}

static bool config_valid(const struct store_config *config)
{
	uint32_t size = config->block_size;

	return config->blocks && config->blocks <= UINT64_MAX / 2 / (size + config->meta_size) &&
	       size >= 512 && size <= 65536 && !(size & (size - 1)) &&
	       config->meta_size <= 4096 && config->hole <= STORE_HOLE_ONES;
}

static void config_complete(struct store_config *config, uint64_t cache_blocks)
{
	config->cache_blocks = cache_blocks ? cache_blocks : CACHE_BYTES / config->block_size;
	if (!config->atom)
		config->atom = 1;
}

int store_new(const struct store_config *config, struct store **result)
{
	struct store *store;
	unsigned int i;
	int err;

	if (!config->block_size || !config_valid(config))
		return -EINVAL;
	store = calloc(1, sizeof(*store));
	if (!store)
		return -ENOMEM;
	for (i = 0; i < NR_REGIONS; i++)
		store->region[i].fd = -1;
	store->config = *config;
	config_complete(&store->config, config->cache_blocks);
	err = regions_open(store, false);
	if (err) {
		store_free(store);
		return err;
	}
	*result = store;
	return 0;
}

void store_free(struct store *store)
{
	if (!store)
		return;
	regions_close(store);
	free(store);
}

int store_format(struct store *store, uint64_t blocks, uint32_t block_size, uint32_t meta_size)
{
	struct store_config config = store->config;

	config.blocks = blocks;
	config.block_size = block_size;
	config.meta_size = meta_size;
	if (!block_size || !config_valid(&config))
		return -EINVAL;
	/* The cache stays as large as it was, in bytes. */
	config_complete(&config, config.cache_blocks * store->config.block_size / block_size);
	regions_close(store);
	store->config = config;
	return regions_open(store, true);
}

/* The blocks are as durable as they will ever be: what they held before is of no use. */
static void make_durable(struct store *store, uint64_t lba, uint64_t nlb)
{
	if (store->cached)
		store->cached -= bit_fill(bits(store, DIRTY), lba, nlb, false);
}

void store_flush(struct store *store)
{
	unsigned int i;

	if (store->cached)
		for (i = 0; i < store->nr_extents; i++)
			make_durable(store, store->extent[i].lba, store->extent[i].nlb);
	store->nr_extents = 0;
	if (store->saved > CACHE_BYTES) {
		madvise(store->region[OLD_DATA].at, store->region[OLD_DATA].size, MADV_DONTNEED);
		store->saved = 0;
	}
}

static void note_extent(struct store *store, uint64_t lba, uint64_t nlb)
{
	struct extent *extent;

	/* A sequential stream makes one extent. */
	if (store->nr_extents) {
		extent = &store->extent[store->nr_extents - 1];
		if (extent->lba + extent->nlb == lba) {
			extent->nlb += nlb;
			return;
		}
	}
	if (store->nr_extents == EXTENTS) {
		store->extent[0] = (struct extent){ 0, store->config.blocks };
		store->nr_extents = 1;
		return;
	}
	store->extent[store->nr_extents++] = (struct extent){ lba, nlb };
}

static void copy_bit(uint64_t *to, const uint64_t *from, uint64_t n)
{
	uint64_t bit = 1ull << n % 64;

	to[n / 64] = (to[n / 64] & ~bit) | (from[n / 64] & bit);
}

static void copy_part(struct store *store, enum region_kind to, enum region_kind from, uint64_t at,
		      size_t len)
{
	memcpy((uint8_t *)store->region[to].at + at, (uint8_t *)store->region[from].at + at, len);
}

/* Give whole pages back: they read as zeroes then.  The edges are zeroed if asked for. */
static void discard(struct region *region, uint64_t offset, uint64_t len, bool edges)
{
	uint64_t from = (offset + PAGE - 1) / PAGE * PAGE, to = (offset + len) / PAGE * PAGE;
	uint8_t *at = region->at;

	/* Faulting a few pages in again costs more than clearing them. */
	if (edges && len < 16 * PAGE) {
		memset(at + offset, 0, len);
		return;
	}
	if (from >= to) {
		if (edges)
			memset(at + offset, 0, len);
		return;
	}
	if (edges) {
		memset(at + offset, 0, from - offset);
		memset(at + to, 0, offset + len - to);
	}
	if (madvise(at + from, to - from, region->fd < 0 ? MADV_DONTNEED : MADV_REMOVE) && edges)
		memset(at + from, 0, to - from);
}

/*
 * What was in deallocated blocks is given back.  In a file even the edges: it is to read the same
 * when it is opened again.
 */
static void clear_blocks(struct store *store, uint64_t lba, uint64_t nlb)
{
	uint32_t size = store->config.block_size, meta = store->config.meta_size;

	discard(&store->region[DATA], lba * size, nlb * size, store->region[DATA].fd >= 0);
	if (meta)
		discard(&store->region[META], lba * meta, nlb * meta, store->region[META].fd >= 0);
}

/* Remember what a block holds, before it is written. */
static void save_block(struct store *store, uint64_t lba)
{
	uint32_t size = store->config.block_size, meta = store->config.meta_size;

	if (bit_test(bits(store, USED), lba)) {
		copy_part(store, OLD_DATA, DATA, lba * size, size);
		if (meta)
			copy_part(store, OLD_META, META, lba * meta, meta);
		store->saved += size;
	}
	copy_bit(bits(store, OLD_USED), bits(store, USED), lba);
	copy_bit(bits(store, OLD_BAD), bits(store, BAD), lba);
	if (store->config.oracle)
		bits(store, OLD_HASH)[lba] = bits(store, HASH)[lba];
}

/* And have it hold that again. */
static void restore_block(struct store *store, uint64_t lba)
{
	uint32_t size = store->config.block_size, meta = store->config.meta_size;

	if (bit_test(bits(store, OLD_USED), lba)) {
		copy_part(store, DATA, OLD_DATA, lba * size, size);
		if (meta)
			copy_part(store, META, OLD_META, lba * meta, meta);
	} else {
		/* What is lost must not come back with the file. */
		clear_blocks(store, lba, 1);
	}
	copy_bit(bits(store, USED), bits(store, OLD_USED), lba);
	copy_bit(bits(store, BAD), bits(store, OLD_BAD), lba);
	if (store->config.oracle)
		bits(store, HASH)[lba] = bits(store, OLD_HASH)[lba];
}

void store_write_begin(struct store *store, uint64_t lba, uint64_t nlb, bool durable)
{
	uint64_t n, end = lba + nlb;

	if (!store->config.cache || durable)
		return;
	if (store->cached + nlb > store->config.cache_blocks)
		store_flush(store);
	for (n = bit_find(bits(store, DIRTY), lba, nlb, false); n < end;
	     n = bit_find(bits(store, DIRTY), n + 1, end - n - 1, false))
		save_block(store, n);
	n = bit_fill(bits(store, DIRTY), lba, nlb, true);
	store->cached += n;
	if (n)
		note_extent(store, lba, nlb);
}

/* The blocks hold something now. */
static void written(struct store *store, uint64_t lba, uint64_t nlb, bool durable)
{
	if (durable)
		make_durable(store, lba, nlb);
	store->used += bit_fill(bits(store, USED), lba, nlb, true);
	if (bit_find(bits(store, BAD), lba, nlb, true) < lba + nlb)
		bit_fill(bits(store, BAD), lba, nlb, false);
}

static uint64_t hash_block(struct store *store, uint64_t lba)
{
	uint32_t meta = store->config.meta_size;

	return store_hash(lba, store_data(store, lba), store->config.block_size,
			  meta ? store_meta(store, lba) : NULL, meta);
}

void store_write_end(struct store *store, uint64_t lba, uint64_t nlb, bool durable)
{
	uint64_t n;

	written(store, lba, nlb, durable);
	if (store->config.oracle)
		for (n = lba; n < lba + nlb; n++)
			bits(store, HASH)[n] = hash_block(store, n);
}

/* Whether a change of many blocks is to go past the cache; if not, it is begun. */
static bool begin_bulk(struct store *store, uint64_t lba, uint64_t nlb, bool durable)
{
	if (nlb > BULK_BYTES / store->config.block_size)
		durable = true;
	store_write_begin(store, lba, nlb, durable);
	return durable;
}

/* A hole of a file is a deallocated block when the file is opened again: not always zeroes. */
static void zero_bytes(struct store *store, enum region_kind kind, uint64_t offset, uint64_t len)
{
	struct region *region = &store->region[kind];

	if (region->fd >= 0 && store->config.hole != STORE_HOLE_ZEROES)
		memset((uint8_t *)region->at + offset, 0, len);
	else
		discard(region, offset, len, true);
}

void store_zero(struct store *store, uint64_t lba, uint64_t nlb, bool durable)
{
	uint32_t size = store->config.block_size, meta = store->config.meta_size;
	uint64_t n;

	durable = begin_bulk(store, lba, nlb, durable);
	zero_bytes(store, DATA, lba * size, nlb * size);
	if (meta)
		zero_bytes(store, META, lba * meta, nlb * meta);
	written(store, lba, nlb, durable);
	if (store->config.oracle)
		for (n = lba; n < lba + nlb; n++)
			bits(store, HASH)[n] = hash_place(store->zero_hash, n);
}

void store_deallocate(struct store *store, uint64_t lba, uint64_t nlb, bool durable)
{
	if (!nlb)
		return;
	durable = begin_bulk(store, lba, nlb, durable);
	if (durable)
		make_durable(store, lba, nlb);
	store->used -= bit_fill(bits(store, USED), lba, nlb, false);
	bit_fill(bits(store, BAD), lba, nlb, false);
	clear_blocks(store, lba, nlb);
}

void store_mark_bad(struct store *store, uint64_t lba, uint64_t nlb)
{
	written(store, lba, nlb, true);
	bit_fill(bits(store, BAD), lba, nlb, true);
	if (store->config.oracle)
		memset(&bits(store, HASH)[lba], 0, nlb * sizeof(uint64_t));
}

unsigned int store_look(struct store *store, uint64_t lba, uint64_t nlb, struct store_look *look)
{
	uint64_t n, end = lba + nlb, *hash;

	look->found = 0;
	look->nr_wrong = 0;
	look->hole = bit_find(bits(store, USED), lba, nlb, false);
	if (look->hole < end)
		look->found |= STORE_HOLES;
	look->bad = bit_find(bits(store, BAD), lba, nlb, true);
	if (look->bad < end)
		look->found |= STORE_BAD;
	if (!store->config.oracle)
		return look->found;
	for (n = lba; n < end; n++) {
		hash = &bits(store, HASH)[n];
		if (look->found && (!bit_test(bits(store, USED), n) ||
				    bit_test(bits(store, BAD), n)))
			continue;
		/* Found in the file: what it holds is right by definition. */
		if (!*hash)
			*hash = hash_block(store, n);
		if (*hash == hash_block(store, n))
			continue;
		if (!look->nr_wrong++)
			look->wrong = n;
		look->found |= STORE_WRONG;
	}
	return look->found;
}

static uint8_t hole_byte(const struct store *store, uint64_t lba)
{
	switch (store->config.hole) {
	case STORE_HOLE_ZEROES:
		return 0;
	case STORE_HOLE_ONES:
		return 0xff;
	default:
		/* The same each time, but not what a neighbour has. */
		return hash_mix(lba) & 1 ? 0xff : 0;
	}
}

static void get(struct store *store, enum region_kind kind, uint32_t size, uint64_t at, uint8_t *to,
		size_t len)
{
	size_t part;
	uint64_t lba;

	for (; len; at += part, to += part, len -= part) {
		lba = at / size;
		part = size - at % size;
		if (part > len)
			part = len;
		if (bit_test(bits(store, USED), lba))
			memcpy(to, (uint8_t *)store->region[kind].at + at, part);
		else
			memset(to, hole_byte(store, lba), part);
	}
}

void store_get(struct store *store, uint64_t lba, uint64_t offset, void *to, size_t len)
{
	uint32_t size = store->config.block_size;

	get(store, DATA, size, lba * size + offset, to, len);
}

void store_get_meta(struct store *store, uint64_t lba, uint64_t offset, void *to, size_t len)
{
	uint32_t size = store->config.meta_size;

	get(store, META, size, lba * size + offset, to, len);
}

uint64_t store_power_cut(struct store *store, uint64_t seed)
{
	uint64_t n, lost = 0, end = store->config.blocks;

	if (!store->cached)
		return 0;
	for (n = bit_find(bits(store, DIRTY), 0, end, true); n < end;
	     n = bit_find(bits(store, DIRTY), n + 1, end - n - 1, true)) {
		/* A group is lost as a whole, or not at all. */
		if (seed && hash_mix(seed ^ hash_mix(n / store->config.atom + 1)) & 1)
			continue;
		restore_block(store, n);
		lost++;
	}
	store_flush(store);
	store->used = 0;
	for (n = 0; n < (end + 63) / 64; n++)
		store->used += (uint64_t)__builtin_popcountll(bits(store, USED)[n]);
	return lost;
}

uint64_t store_cached(const struct store *store)
{
	return store->cached;
}

uint64_t store_allocated(const struct store *store)
{
	return store->used;
}

int store_resize(struct store *store, uint64_t blocks)
{
	struct store_config config = store->config;

	config.blocks = blocks;
	if (!config_valid(&config))
		return -EINVAL;
	store_flush(store);
	/* Nothing is to come back when it grows again. */
	if (blocks < store->config.blocks)
		store_deallocate(store, blocks, store->config.blocks - blocks, true);
	store->config = config;
	return regions_size(store);
}
