// SPDX-License-Identifier: GPL-2.0
/*
 * The medium by itself: contents against a plain model, the oracle against damage, the volatile
 * cache against a cut of the power, files against being opened again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "tap.h"
#include "store.h"

#define BLOCKS		300
#define LARGEST		(4096 + 64)
#define FILE_NAME	"/tmp/nvmq-store-test.%d%s"

/* What a block is to read as. */
struct expect {
	uint8_t fill;			/* every byte of it */
	bool hole;
	bool bad;
};

static struct store *make(uint64_t blocks, uint32_t size, uint32_t meta, enum store_hole hole,
			  bool cache)
{
	struct store_config config = {
		.blocks = blocks, .block_size = size, .meta_size = meta, .hole = hole,
		.oracle = true, .cache = cache,
	};
	struct store *store = NULL;
	int err = store_new(&config, &store);

	if (err) {
		CHECK(!err, "store of %u + %u bytes: error %d", size, meta, err);
		exit(tap_done());
	}
	return store;
}

static void put(struct store *store, uint64_t lba, uint64_t nlb, uint8_t fill, bool durable)
{
	const struct store_config *config = store_config(store);

	store_write_begin(store, lba, nlb, durable);
	memset(store_data(store, lba), fill, nlb * config->block_size);
	if (config->meta_size)
		memset(store_meta(store, lba), fill, nlb * config->meta_size);
	store_write_end(store, lba, nlb, durable);
}

/* Every byte of a block, data and metadata; -1: they are not all the same. */
static int block_fill(struct store *store, uint64_t lba)
{
	const struct store_config *config = store_config(store);
	uint8_t buf[LARGEST];
	uint32_t i, len = config->block_size + config->meta_size;

	store_get(store, lba, 0, buf, config->block_size);
	if (config->meta_size)
		store_get_meta(store, lba, 0, buf + config->block_size, config->meta_size);
	for (i = 1; i < len; i++)
		if (buf[i] != buf[0])
			return -1;
	return buf[0];
}

static void check_block(struct store *store, uint64_t lba, const struct expect *expect)
{
	enum store_hole hole = store_config(store)->hole;
	struct store_look look;
	unsigned int found = store_look(store, lba, 1, &look);
	int fill = block_fill(store, lba);

	CHECK(!(found & STORE_WRONG), "block %llu: the oracle says it is wrong",
	      (unsigned long long)lba);
	CHECK(!!(found & STORE_BAD) == expect->bad, "block %llu: found %u", (unsigned long long)lba,
	      found);
	CHECK(!!(found & STORE_HOLES) == expect->hole, "block %llu: found %u",
	      (unsigned long long)lba, found);
	if (expect->bad)
		return;
	if (!expect->hole)
		CHECK(fill == expect->fill, "block %llu: %d for %u", (unsigned long long)lba, fill,
		      expect->fill);
	else if (hole == STORE_HOLE_ANY)
		CHECK(fill == 0 || fill == 0xff, "hole %llu: %d", (unsigned long long)lba, fill);
	else
		CHECK(fill == (hole == STORE_HOLE_ONES ? 0xff : 0), "hole %llu: %d",
		      (unsigned long long)lba, fill);
}

static void check_all(struct store *store, const struct expect *expect, uint64_t nr)
{
	uint64_t lba, used = 0;

	for (lba = 0; lba < nr; lba++) {
		check_block(store, lba, &expect[lba]);
		used += !expect[lba].hole;
	}
	CHECK(store_allocated(store) == used, "%llu allocated, %llu expected",
	      (unsigned long long)store_allocated(store), (unsigned long long)used);
}

/* One random change, in the store and in the model. */
static void change(struct store *store, struct expect *expect, uint64_t nr, bool durable)
{
	uint64_t lba = rnd() % nr, nlb = 1 + rnd() % (nr - lba), i;
	unsigned int what = (unsigned int)(rnd() % 8);
	struct expect to = { .fill = (uint8_t)rnd() };

	if (rnd() % 4 && nlb > 9)
		nlb = 1 + rnd() % 9;
	if (what < 4) {
		put(store, lba, nlb, to.fill, durable);
	} else if (what == 4) {
		to.fill = 0;
		store_zero(store, lba, nlb, durable);
	} else if (what < 7) {
		to.hole = true;
		store_deallocate(store, lba, nlb, durable);
	} else {
		to.bad = true;
		store_mark_bad(store, lba, nlb);
	}
	for (i = 0; i < nlb; i++)
		expect[lba + i] = to;
}

static void test_contents(void)
{
	static const uint32_t sizes[][2] = { { 512, 0 }, { 512, 8 }, { 4096, 0 }, { 4096, 64 } };
	struct expect expect[BLOCKS];
	unsigned int i, hole, k, n;
	struct store *store;

	for (i = 0; i < 4; i++) {
		for (hole = 0; hole < 6; hole++) {
			store = make(BLOCKS, sizes[i][0], sizes[i][1], hole % 3, hole >= 3);
			for (k = 0; k < BLOCKS; k++)
				expect[k] = (struct expect){ .hole = true };
			check_all(store, expect, BLOCKS);
			for (k = 0; k < 12; k++) {
				for (n = 0; n < 12; n++)
					change(store, expect, BLOCKS, rnd() & 1);
				check_all(store, expect, BLOCKS);
			}
			store_free(store);
		}
	}
}

/* Which byte a hole has does not change from one read to the next, nor with what was there. */
static void test_holes_are_steady(void)
{
	struct store *store = make(64, 512, 0, STORE_HOLE_ANY, false);
	int fill[64], ones = 0;
	unsigned int i;

	for (i = 0; i < 64; i++) {
		fill[i] = block_fill(store, i);
		ones += fill[i] == 0xff;
	}
	CHECK(ones > 8 && ones < 56, "%d of 64 blocks read as ones: hosts would not notice", ones);
	put(store, 0, 64, 0x5a, true);
	store_deallocate(store, 0, 64, true);
	for (i = 0; i < 64; i++)
		CHECK(block_fill(store, i) == fill[i], "block %u: %d, then %d", i, fill[i],
		      block_fill(store, i));
	store_free(store);
}

/* Any damage is found, at its block, and is gone when the block is written. */
static void test_oracle(void)
{
	struct store *store = make(BLOCKS, 512, 8, STORE_HOLE_ZEROES, false);
	uint8_t copy[512], *at;
	struct store_look look;
	unsigned int i, bit;
	uint64_t lba;

	for (lba = 0; lba < BLOCKS; lba++)
		put(store, lba, 1, (uint8_t)lba, true);
	CHECK(!store_look(store, 0, BLOCKS, &look), "found %u", look.found);
	for (i = 0; i < 2000; i++) {
		lba = rnd() % BLOCKS;
		bit = (unsigned int)(rnd() % (520 * 8));
		at = bit < 4096 ? store_data(store, lba) : store_meta(store, lba);
		at += bit % 4096 / 8;
		*at ^= (uint8_t)(1u << bit % 8);
		store_look(store, 0, BLOCKS, &look);
		CHECK(look.found == STORE_WRONG && look.wrong == lba && look.nr_wrong == 1,
		      "bit %u of block %llu: found %u at %llu, %llu", bit, (unsigned long long)lba,
		      look.found, (unsigned long long)look.wrong,
		      (unsigned long long)look.nr_wrong);
		*at ^= (uint8_t)(1u << bit % 8);
	}
	/* Two blocks with the other's contents, of which only one had been written so. */
	put(store, 7, 1, 0x11, true);
	put(store, 8, 1, 0x22, true);
	memcpy(copy, store_data(store, 7), 512);
	memcpy(store_data(store, 7), store_data(store, 8), 512);
	memcpy(store_data(store, 8), copy, 512);
	store_look(store, 0, BLOCKS, &look);
	CHECK(look.nr_wrong == 2 && look.wrong == 7, "%llu, %llu",
	      (unsigned long long)look.nr_wrong, (unsigned long long)look.wrong);
	put(store, 7, 2, 0x33, true);
	CHECK(!store_look(store, 0, BLOCKS, &look), "found %u after a write", look.found);
	/* Damage next to uncorrectable and deallocated blocks is found as well. */
	store_mark_bad(store, 10, 1);
	store_deallocate(store, 11, 1, true);
	*(uint8_t *)store_data(store, 12) ^= 1;
	store_look(store, 9, 5, &look);
	CHECK(look.found == (STORE_WRONG | STORE_BAD | STORE_HOLES) && look.wrong == 12 &&
	      look.bad == 10 && look.hole == 11, "found %u, %llu %llu %llu", look.found,
	      (unsigned long long)look.wrong, (unsigned long long)look.bad,
	      (unsigned long long)look.hole);
	/* What is not read is not looked at. */
	CHECK(!store_look(store, 0, 10, &look), "found %u", look.found);
	CHECK(!store_look(store, 13, BLOCKS - 13, &look), "found %u", look.found);
	store_free(store);
}

static void test_hash(void)
{
	uint8_t block[512] = { 0 }, meta[8] = { 0 };
	uint64_t plain = store_hash(5, block, 512, meta, 8), changed;
	unsigned int i;

	CHECK(plain && plain == store_hash(5, block, 512, meta, 8), "not the same twice");
	for (i = 0; i < 520 * 8; i++) {
		uint8_t *byte = i < 4096 ? &block[i / 8] : &meta[i / 8 - 512];

		*byte ^= (uint8_t)(1u << i % 8);
		changed = store_hash(5, block, 512, meta, 8);
		CHECK(changed != plain, "bit %u makes no difference", i);
		*byte ^= (uint8_t)(1u << i % 8);
	}
	for (i = 0; i < 1000; i++)
		CHECK(i == 5 || store_hash(i, block, 512, meta, 8) != plain, "block %u", i);
	CHECK(store_hash(5, block, 512, NULL, 0) != plain, "without metadata the same");
}

/* What was flushed or forced stays; everything else may go. */
static void test_power_cut(void)
{
	struct store *store = make(BLOCKS, 512, 8, STORE_HOLE_ZEROES, true);
	struct expect a = { .fill = 0xaa }, b = { .fill = 0xbb }, hole = { .hole = true };
	struct store_look look;

	put(store, 0, 10, 0xaa, false);
	CHECK(store_cached(store) == 10, "%llu cached", (unsigned long long)store_cached(store));
	store_flush(store);
	CHECK(store_cached(store) == 0, "%llu cached", (unsigned long long)store_cached(store));
	put(store, 0, 5, 0xbb, false);
	put(store, 2, 1, 0xcc, false);
	put(store, 20, 3, 0xbb, false);
	put(store, 4, 1, 0xbb, true);
	store_deallocate(store, 6, 2, false);
	store_zero(store, 8, 1, false);
	CHECK(store_cached(store) == 4 + 3 + 2 + 1, "%llu cached",
	      (unsigned long long)store_cached(store));
	check_block(store, 6, &hole);
	CHECK(store_power_cut(store, 0) == 10, "not all were lost");
	check_block(store, 0, &a);
	check_block(store, 2, &a);
	check_block(store, 4, &b);
	check_block(store, 6, &a);
	check_block(store, 7, &a);
	check_block(store, 8, &a);
	check_block(store, 20, &hole);
	CHECK(store_allocated(store) == 10, "%llu allocated",
	      (unsigned long long)store_allocated(store));
	CHECK(store_power_cut(store, 0) == 0, "lost a second time");
	/* What came back is held to what it was. */
	*(uint8_t *)store_data(store, 1) ^= 1;
	CHECK(store_look(store, 1, 1, &look) == STORE_WRONG, "found %u", look.found);
	store_mark_bad(store, 30, 1);
	put(store, 30, 1, 0xdd, false);
	CHECK(!store_look(store, 30, 1, &look), "found %u", look.found);
	CHECK(store_power_cut(store, 0) == 1, "not lost");
	CHECK(store_look(store, 30, 1, &look) == STORE_BAD, "found %u", look.found);
	store_free(store);
}

/* After a cut each block is what it was at the last flush, or what it was written to since. */
static void test_power_cut_random(void)
{
	struct expect now[BLOCKS], old[BLOCKS], *which;
	unsigned int round, i, lost = 0, kept = 0;
	struct store *store = make(BLOCKS, 512, 0, STORE_HOLE_ONES, true);
	struct store_look look;
	bool same;
	int fill;

	for (i = 0; i < BLOCKS; i++)
		now[i] = (struct expect){ .hole = true };
	memcpy(old, now, sizeof(old));
	for (round = 0; round < 200; round++) {
		for (i = 0; i < 10; i++) {
			uint64_t lba = rnd() % BLOCKS, nlb = 1 + rnd() % 8, k;
			uint8_t value = (uint8_t)rnd();
			bool durable = !(rnd() % 4), dealloc = !(rnd() % 3);

			if (nlb > BLOCKS - lba)
				nlb = BLOCKS - lba;
			if (dealloc)
				store_deallocate(store, lba, nlb, durable);
			else
				put(store, lba, nlb, value, durable);
			for (k = lba; k < lba + nlb; k++) {
				now[k] = (struct expect){ .fill = value, .hole = dealloc };
				if (durable)
					old[k] = now[k];
			}
		}
		if (rnd() % 2) {
			store_flush(store);
			memcpy(old, now, sizeof(old));
		}
		store_power_cut(store, rnd() | 1);
		for (i = 0; i < BLOCKS; i++) {
			store_look(store, i, 1, &look);
			fill = block_fill(store, i);
			same = !!(look.found & STORE_HOLES) == now[i].hole &&
			       (now[i].hole || fill == now[i].fill);
			which = same ? &now[i] : &old[i];
			check_block(store, i, which);
			if (now[i].hole != old[i].hole || now[i].fill != old[i].fill)
				*(same ? &kept : &lost) += 1;
			old[i] = *which;
		}
		memcpy(now, old, sizeof(now));
	}
	CHECK(lost > 500 && kept > 500, "%u lost, %u kept: not at random", lost, kept);
	store_free(store);
}

/* Blocks of one atomic group share their fate. */
static void test_atom(void)
{
	struct store_config config = {
		.blocks = 256, .block_size = 512, .oracle = true, .cache = true, .atom = 4,
	};
	unsigned int seed, g, i, torn = 0, lost = 0, kept = 0;
	struct store *store;
	int fill[4];

	if (store_new(&config, &store))
		exit(tap_done());
	for (seed = 1; seed < 20; seed++) {
		put(store, 0, 256, 1, true);
		put(store, 0, 256, 2, false);
		store_power_cut(store, seed);
		for (g = 0; g < 64; g++) {
			for (i = 0; i < 4; i++) {
				fill[i] = block_fill(store, g * 4 + i);
				torn += fill[i] != fill[0];
			}
			*(fill[0] == 2 ? &kept : &lost) += 1;
		}
	}
	CHECK(!torn, "%u blocks differ from their group", torn);
	CHECK(lost > 200 && kept > 200, "%u lost, %u kept", lost, kept);
	store_free(store);
}

/* More than the cache holds is destaged, in as many pieces as there may be. */
static void test_cache_full(void)
{
	struct store_config config = {
		.blocks = 20000, .block_size = 512, .oracle = true, .cache = true,
		.cache_blocks = 5000,
	};
	struct store *store;
	unsigned int i;

	if (store_new(&config, &store))
		exit(tap_done());
	/* Every second block: no two make one extent. */
	for (i = 0; i < 4000; i++)
		put(store, i * 2, 1, 1, false);
	CHECK(store_cached(store) == 4000, "%llu", (unsigned long long)store_cached(store));
	store_flush(store);
	CHECK(store_cached(store) == 0, "%llu left by a flush",
	      (unsigned long long)store_cached(store));
	CHECK(store_power_cut(store, 0) == 0, "flushed blocks were lost");
	for (i = 0; i < 6000; i++)
		put(store, i * 2, 1, 2, false);
	CHECK(store_cached(store) <= 5000, "%llu", (unsigned long long)store_cached(store));
	CHECK(store_power_cut(store, 0) > 0, "nothing lost");
	CHECK(block_fill(store, 0) == 2, "what was destaged was lost");
	CHECK(block_fill(store, 5999 * 2) == -1 || block_fill(store, 5999 * 2) != 2,
	      "what was not destaged was kept");
	store_free(store);
}

/* Ranges of many pages are given back and not written; their neighbours stay. */
static void test_large(void)
{
	uint64_t blocks = 40000, lba, nlb, i;
	unsigned int round;
	struct store_look look;
	struct store *store;

	for (round = 0; round < 20; round++) {
		store = make(blocks, 512, 8, STORE_HOLE_ZEROES, round & 1);
		put(store, 0, blocks, 0x77, true);
		lba = 1 + rnd() % 1000;
		nlb = 10000 + rnd() % 20000;
		if (round & 2)
			store_zero(store, lba, nlb, false);
		else
			store_deallocate(store, lba, nlb, false);
		for (i = 0; i < blocks; i += 1 + rnd() % 99)
			CHECK(block_fill(store, i) == (i >= lba && i < lba + nlb ? 0 : 0x77),
			      "block %llu of %llu+%llu: %d", (unsigned long long)i,
			      (unsigned long long)lba, (unsigned long long)nlb,
			      block_fill(store, i));
		CHECK(block_fill(store, lba - 1) == 0x77 && block_fill(store, lba) == 0 &&
		      block_fill(store, lba + nlb - 1) == 0 &&
		      block_fill(store, lba + nlb) == 0x77, "edges of %llu+%llu",
		      (unsigned long long)lba, (unsigned long long)nlb);
		store_look(store, 0, blocks, &look);
		CHECK(!(look.found & STORE_WRONG), "wrong at %llu", (unsigned long long)look.wrong);
		store_free(store);
	}
}

static void test_resize(void)
{
	struct store *store = make(1000, 512, 8, STORE_HOLE_ZEROES, true);
	struct expect hole = { .hole = true }, fill = { .fill = 9 };

	put(store, 0, 1000, 9, false);
	CHECK(!store_resize(store, 500), "shrinking failed");
	CHECK(store_allocated(store) == 500, "%llu", (unsigned long long)store_allocated(store));
	check_block(store, 499, &fill);
	CHECK(!store_resize(store, 100000), "growing failed");
	check_block(store, 499, &fill);
	check_block(store, 500, &hole);
	check_block(store, 999, &hole);
	check_block(store, 99999, &hole);
	put(store, 99999, 1, 9, false);
	check_block(store, 99999, &fill);
	CHECK(store_resize(store, 0) == -EINVAL, "no blocks at all");
	store_free(store);
}

static void test_format(void)
{
	struct store *store = make(1024, 512, 0, STORE_HOLE_ZEROES, true);
	struct expect hole = { .hole = true };
	unsigned int i;

	put(store, 0, 1024, 3, false);
	store_mark_bad(store, 5, 5);
	CHECK(store_format(store, 1024, 1000, 0) == -EINVAL, "blocks of 1000 bytes");
	CHECK(!store_format(store, 128, 4096, 16), "formatting failed");
	CHECK(store_cached(store) == 0 && store_allocated(store) == 0, "%llu cached, %llu used",
	      (unsigned long long)store_cached(store), (unsigned long long)store_allocated(store));
	for (i = 0; i < 128; i++)
		check_block(store, i, &hole);
	put(store, 0, 128, 4, false);
	CHECK(store_power_cut(store, 0) == 128, "the cache does not work any more");
	store_free(store);
}

static void test_sizes(void)
{
	static const struct store_config bad[] = {
		{ .blocks = 0, .block_size = 512 },
		{ .blocks = 1, .block_size = 0 },
		{ .blocks = 1, .block_size = 256 },
		{ .blocks = 1, .block_size = 1536 },
		{ .blocks = 1, .block_size = 131072 },
		{ .blocks = 1, .block_size = 512, .meta_size = 5000 },
		{ .blocks = UINT64_MAX / 512, .block_size = 512 },
	};
	struct store *store;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(store_new(&bad[i], &store) == -EINVAL, "store %u was made", i);
	/* A terabyte costs nothing until it is written. */
	store = make(1ull << 31, 512, 0, STORE_HOLE_ZEROES, true);
	put(store, (1ull << 31) - 1, 1, 6, false);
	CHECK(block_fill(store, (1ull << 31) - 1) == 6, "the last block");
	store_free(store);
}

static void test_file(void)
{
	char path[64], meta[64];
	struct store_config config = {
		.path = path, .blocks = 2048, .block_size = 512, .meta_size = 8,
		.hole = STORE_HOLE_ZEROES, .oracle = true,
	};
	struct expect fill = { .fill = 0x42 }, zero = { .fill = 0 }, hole = { .hole = true };
	struct store_look look;
	struct store *store;
	struct stat st;
	uint8_t buf[512];
	int err, fd;

	snprintf(path, sizeof(path), FILE_NAME, getpid(), "");
	snprintf(meta, sizeof(meta), FILE_NAME, getpid(), ".meta");
	err = store_new(&config, &store);
	CHECK(!err, "error %d", err);
	if (err)
		return;
	check_block(store, 0, &hole);
	put(store, 8, 8, 0x42, false);
	put(store, 1024, 64, 0x42, false);
	store_deallocate(store, 1025, 1, false);
	store_deallocate(store, 1032, 16, false);
	store_free(store);

	/* The data stands in the file as in any image. */
	fd = open(path, O_RDONLY);
	CHECK(pread(fd, buf, 512, 8 * 512) == 512 && buf[0] == 0x42 && buf[511] == 0x42,
	      "the file has %#x", buf[0]);
	CHECK(!fstat(fd, &st) && st.st_size == 2048 * 512 && st.st_blocks < 2048 / 2,
	      "%llu bytes, %llu sectors", (unsigned long long)st.st_size,
	      (unsigned long long)st.st_blocks);
	close(fd);

	err = store_new(&config, &store);
	CHECK(!err, "error %d", err);
	if (!err) {
		check_block(store, 0, &hole);
		check_block(store, 8, &fill);
		check_block(store, 15, &fill);
		check_block(store, 16, &hole);
		check_block(store, 1024, &fill);
		check_block(store, 1025, &zero);
		check_block(store, 1087, &fill);
		/* What was found once is held against it from then on. */
		*(uint8_t *)store_data(store, 9) ^= 1;
		CHECK(!store_look(store, 9, 1, &look), "the oracle knows what it cannot");
		*(uint8_t *)store_data(store, 9) ^= 1;
		CHECK(store_look(store, 9, 1, &look) == STORE_WRONG, "found %u", look.found);
		CHECK(!store_format(store, 256, 4096, 0), "formatting failed");
		check_block(store, 1, &hole);
		check_block(store, 2, &hole);
		store_free(store);
	}
	/* A file that is larger keeps what it has behind the end. */
	fd = open(path, O_RDWR);
	memset(buf, 0x66, 512);
	CHECK(pwrite(fd, buf, 512, 3 << 20) == 512, "cannot write");
	config.meta_size = 0;
	err = store_new(&config, &store);
	CHECK(!err && store_allocated(store) == 0, "error %d", err);
	if (!err)
		store_free(store);
	memset(buf, 0, 512);
	CHECK(pread(fd, buf, 512, 3 << 20) == 512 && buf[0] == 0x66, "the file was cut");
	CHECK(!ftruncate(fd, 1 << 20), "cannot cut it");
	close(fd);
	CHECK(!stat(path, &st) && st.st_blocks == 0, "%llu sectors after a format",
	      (unsigned long long)st.st_blocks);
	unlink(path);
	unlink(meta);
	config.path = "/nonexistent/file";
	CHECK(store_new(&config, &store) == -ENOENT, "a file in no directory");
}

/* What a file is opened with again is what was there before: nothing lost, nothing brought back. */
static void test_file_again(void)
{
	char path[64];
	struct store_config config = {
		.path = path, .blocks = 2048, .block_size = 512, .hole = STORE_HOLE_ONES,
		.oracle = true, .cache = true,
	};
	struct expect zero = { .fill = 0 }, hole = { .hole = true };
	struct store *store;
	uint8_t buf[512];
	int fd;

	snprintf(path, sizeof(path), FILE_NAME, getpid(), "");
	CHECK(!store_new(&config, &store), "no file");
	/* Zeroes are no holes where these read as ones. */
	put(store, 0, 1024, 0x42, false);
	store_zero(store, 0, 1024, false);
	check_block(store, 512, &zero);
	store_flush(store);
	/* A block that was none before the power failed leaves nothing behind. */
	put(store, 2000, 1, 0x42, false);
	CHECK(store_power_cut(store, 0) == 1, "not lost");
	check_block(store, 2000, &hole);
	fd = open(path, O_RDONLY);
	CHECK(pread(fd, buf, 512, 2000 * 512) == 512 && !buf[0], "the file has %#x", buf[0]);
	close(fd);
	store_free(store);
	CHECK(!store_new(&config, &store), "no file");
	check_block(store, 0, &zero);
	check_block(store, 512, &zero);
	check_block(store, 1024, &hole);
	store_free(store);
	unlink(path);
}

int main(void)
{
	TAP_RUN(test_sizes);
	TAP_RUN(test_hash);
	TAP_RUN(test_contents);
	TAP_RUN(test_holes_are_steady);
	TAP_RUN(test_large);
	TAP_RUN(test_oracle);
	TAP_RUN(test_power_cut);
	TAP_RUN(test_power_cut_random);
	TAP_RUN(test_atom);
	TAP_RUN(test_cache_full);
	TAP_RUN(test_resize);
	TAP_RUN(test_format);
	TAP_RUN(test_file);
	TAP_RUN(test_file_again);
	return tap_done();
}
