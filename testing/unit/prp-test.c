// SPDX-License-Identifier: GPL-2.0
/*
 * PRP entries and lists, read back by a controller that is written from the specification (NVMe
 * base 2.0, 4.1.1) and compared with the segments that they were made of.
 */
#include <string.h>

#include "tap.h"
#include "prp.c"

#define PAGE		4096u
#define MAX_SEGS	2100
#define MAX_PIECES	2100

/* ---- memory that the controller can reach for its lists ---- */

#define MAX_REGIONS	8

static struct {
	u64 dma;
	u32 bytes;
	const u8 *memory;
} regions[MAX_REGIONS];
static u32 nr_regions;

static void region_add(u64 dma, u32 bytes, const void *memory)
{
	regions[nr_regions].dma = dma;
	regions[nr_regions].bytes = bytes;
	regions[nr_regions++].memory = memory;
}

static bool region_read(u64 dma, u64 *entry)
{
	const u8 *at;
	u32 i, byte;

	for (i = 0; i < nr_regions; i++) {
		if (dma < regions[i].dma || dma + 8 > regions[i].dma + regions[i].bytes)
			continue;
		at = regions[i].memory + (dma - regions[i].dma);
		*entry = 0;
		for (byte = 0; byte < 8; byte++)
			*entry |= (u64)at[byte] << 8 * byte;
		return true;
	}
	return false;
}

/* ---- the controller ---- */

struct piece {
	u64 addr;
	u32 len;
};

static struct piece pieces[MAX_PIECES];
static u32 nr_pieces;
static u32 list_pages_read;

/* Follow PRP1 and PRP2 for @len bytes. NULL, or which rule they break. */
static const char *follow(u64 prp1, u64 prp2, u32 len)
{
	u32 left = len, n;
	u64 at, entry;

	nr_pieces = 0;
	list_pages_read = 0;
	/* The first entry may have an offset; it is a multiple of four. */
	if (prp1 & 3)
		return "PRP1 is not dword aligned";
	n = PAGE - prp1 % PAGE;
	n = n < left ? n : left;
	pieces[nr_pieces++] = (struct piece){ prp1, n };
	left -= n;
	if (!left)
		return prp2 ? "PRP2 is set where it is reserved" : NULL;
	if (left <= PAGE) {
		if (prp2 % PAGE)
			return "PRP2 has an offset";
		pieces[nr_pieces++] = (struct piece){ prp2, left };
		return NULL;
	}
	/* PRP2 is a list. It may begin inside a page, and it ends with that page. */
	if (prp2 & 7)
		return "the list is not qword aligned";
	list_pages_read = 1;
	for (at = prp2; left; at += 8) {
		if (!region_read(at, &entry))
			return "an entry outside the memory of the list";
		if (at % PAGE == PAGE - 8 && left > PAGE) {
			/* The last entry of a page is the next page if more is to come. */
			if (entry % PAGE)
				return "the next list page has an offset";
			at = entry;
			list_pages_read++;
			if (!region_read(at, &entry))
				return "the next list page is no memory of the list";
		}
		if (entry % PAGE)
			return "a list entry has an offset";
		if (nr_pieces == MAX_PIECES)
			return "no end";
		n = left < PAGE ? left : PAGE;
		pieces[nr_pieces++] = (struct piece){ entry, n };
		left -= n;
	}
	return NULL;
}

/* ---- the oracle: the segments cut at page boundaries, one piece a page ---- */

static struct scatterlist segs[MAX_SEGS + 1];
static u32 nr_segs;

static u32 segs_len(void)
{
	u32 i, len = 0;

	for (i = 0; i < nr_segs; i++)
		len += segs[i].len;
	return len;
}

/* The pages, and thereby the PRP entries, that the segments take. */
static u32 segs_pages(void)
{
	u32 i, pages = 0;

	for (i = 0; i < nr_segs; i++)
		pages += (segs[i].addr + segs[i].len - 1) / PAGE - segs[i].addr / PAGE + 1;
	return pages;
}

static const char *show_segs(void)
{
	static char text[400];
	int at = 0;
	u32 i;

	at = snprintf(text, sizeof(text), "%u segments, %u bytes:", nr_segs, segs_len());
	for (i = 0; i < nr_segs && i < 8; i++)
		at += snprintf(text + at, sizeof(text) - at, " %#llx+%u",
			       (unsigned long long)segs[i].addr, segs[i].len);
	return text;
}

static void compare(const char *broken)
{
	u32 i, seg = 0, done = 0, n;
	u64 addr;

	CHECK(!broken, "%s: %s", broken, show_segs());
	if (broken)
		return;
	for (i = 0; i < nr_pieces; i++) {
		if (seg == nr_segs)
			break;
		addr = segs[seg].addr + done;
		n = PAGE - addr % PAGE;
		n = n < segs[seg].len - done ? n : segs[seg].len - done;
		CHECK(pieces[i].addr == addr && pieces[i].len == n,
		      "page %u: %#llx+%u, not %#llx+%u: %s", i, (unsigned long long)pieces[i].addr,
		      pieces[i].len, (unsigned long long)addr, n, show_segs());
		done += n;
		if (done == segs[seg].len) {
			seg++;
			done = 0;
		}
	}
	CHECK(i == nr_pieces && seg == nr_segs, "%u pieces, %u of %u segments: %s", nr_pieces, seg,
	      nr_segs, show_segs());
}

/* ---- a tag's slot ---- */

#define POISON		0xdb
#define SLOT_DMA	0x123456780ull

static u8 *slots;
static u8 *slot;
static u64 slot_dma;

/* At the end of a block of its own, so that a write beyond it is caught. */
static void slot_make(u32 tag, u64 dma)
{
	slots = malloc((tag + 1) * NVMQ_PRP_SLOT_BYTES);
	slot = slots + tag * NVMQ_PRP_SLOT_BYTES;
	slot_dma = dma;
	memset(slots, POISON, (tag + 1) * NVMQ_PRP_SLOT_BYTES);
	nr_regions = 0;
	region_add(dma, NVMQ_PRP_SLOT_BYTES, slot);
}

static void slot_clear(void)
{
	memset(slot, POISON, NVMQ_PRP_SLOT_BYTES);
}

static void slot_done(void)
{
	free(slots);
}

/* Memory beyond the entries needed is not written: it would cost for nothing. */
static void slot_check_rest(u32 entries)
{
	u32 i;

	for (i = entries * 8; i < NVMQ_PRP_SLOT_BYTES; i++)
		if (slot[i] != POISON)
			break;
	CHECK(i == NVMQ_PRP_SLOT_BYTES, "byte %u behind %u entries was written: %s", i, entries,
	      show_segs());
}

static void check_contig(u64 addr, u32 len)
{
	u64 prp2;

	segs[0] = (struct scatterlist){ addr, len };
	nr_segs = 1;
	slot_clear();
	prp2 = nvmq_prp_contig(addr, len, (__le64 *)slot, SLOT_DMA);
	compare(follow(addr, prp2, len));
	slot_check_rest(nr_pieces > 2 ? nr_pieces - 1 : 0);
	CHECK(nvmq_prp_pages(addr, len) == nr_pieces, "%u pages, not %u: %s",
	      nvmq_prp_pages(addr, len), nr_pieces, show_segs());
}

static bool slot_segs(u64 *prp1, u64 *prp2)
{
	return nvmq_prp_segs((__le64 *)slot, slot_dma, segs, nr_segs, prp1, prp2);
}

static void check_slot(void)
{
	u64 prp1, prp2;
	bool ok;

	slot_clear();
	ok = slot_segs(&prp1, &prp2);
	CHECK(ok, "refused: %s", show_segs());
	if (!ok)
		return;
	compare(follow(prp1, prp2, segs_len()));
	/* Two entries are put down before it is known that PRP2 suffices. */
	slot_check_rest(nr_pieces - 1);
}

/* One range: every offset that the block layer may send, lengths on and beside every page. */
static void test_contig(void)
{
	static const u64 bases[] = { 0xffffe000, 0xfffffff0000000 };
	u32 offset, pages, i;
	int beside;

	slot_make(0, SLOT_DMA);
	for (i = 0; i < 2; i++)
		for (offset = 0; offset < PAGE; offset += 4)
			for (pages = 0; pages <= 32; pages++)
				for (beside = -4; beside <= 4; beside += 4) {
					u32 len = pages * PAGE + beside;

					if ((!pages && beside <= 0) || offset + len > 33 * PAGE)
						continue;
					/* As many bytes, and as many that end there. */
					check_contig(bases[i] + offset, len);
					if (len > offset)
						check_contig(bases[i] + offset, len - offset);
				}
	slot_done();
}

/* 512-byte blocks: every length to 128 KiB at every offset of a memory address. */
static void test_contig_blocks(void)
{
	u32 offset, len;

	slot_make(0, SLOT_DMA);
	for (offset = 0; offset < PAGE; offset += 28)
		for (len = 512; len <= 32 * PAGE; len += 512)
			check_contig(0xabcdef000 + offset, len);
	slot_done();
}

/* Cut @pages into segments: bit n of @cuts starts a new one with page n + 1. */
static void cut_segs(u32 pages, u32 cuts, u32 offset, u32 tail)
{
	u32 page, n = 0;

	segs[0] = (struct scatterlist){ 0x40000000 + offset, 0 };
	for (page = 0; page < pages; page++) {
		/* Downwards, so that none continues another. */
		if (page && cuts >> (page - 1) & 1)
			segs[++n] = (struct scatterlist){ 0x30000000 - page * 0x100000, 0 };
		segs[n].len += page == pages - 1 ? tail : PAGE;
	}
	segs[0].len -= offset;
	nr_segs = n + 1;
}

/* Every way of cutting up to six pages into segments, with every kind of first and last one. */
static void test_slot_shapes(void)
{
	static const u32 offsets[] = { 0, 4, 512, 2048, 3584, 4092 };
	static const u32 tails[] = { 4, 512, 3584, 4092, 4096 };
	u32 i, rest, pages, cuts, offset, tail;

	slot_make(2, SLOT_DMA + 2 * NVMQ_PRP_SLOT_BYTES);
	for (i = 0; i < 6 * 32 * 6 * 5; i++) {
		rest = i;
		pages = 1 + digit(&rest, 6);
		cuts = digit(&rest, 32);
		offset = offsets[digit(&rest, 6)];
		tail = tails[digit(&rest, 5)];
		if (cuts >> (pages - 1) || (pages == 1 && offset >= tail))
			continue;
		cut_segs(pages, cuts, offset, tail);
		check_slot();
	}
	slot_done();
}

/* Segments that obey the virt boundary, of up to @max pages in all. */
static void rnd_segs(u32 max)
{
	u32 pages = rnd_in(1, max), n, offset;
	u64 addr;

	nr_segs = 0;
	while (pages) {
		n = rnd_in(0, 2) ? 1 : rnd_in(1, pages);
		if (rnd_in(0, 3) || !nr_segs)
			addr = rnd_in(1, 1ull << 40) * PAGE;
		else	/* Goes on where the last one ended, unmerged. */
			addr = segs[nr_segs - 1].addr + segs[nr_segs - 1].len;
		segs[nr_segs++] = (struct scatterlist){ addr, n * PAGE };
		pages -= n;
	}
	if (rnd_in(0, 1)) {
		offset = rnd_in(1, 1023) * 4;
		segs[0].addr += offset;
		segs[0].len -= offset;
	}
	if (rnd_in(0, 1)) {
		n = segs[nr_segs - 1].len;
		offset = rnd_in(1, 1023) * 4;
		if (n > offset)
			segs[nr_segs - 1].len -= offset;
	}
}

static void test_slot_random(void)
{
	u32 i;

	slot_make(5, SLOT_DMA + 0x1000);
	for (i = 0; i < 100000; i++) {
		rnd_segs(NVMQ_PRP_SLOT_ENTRIES + 1);
		check_slot();
	}
	slot_done();
}

/* A gap between two segments cannot be said in PRPs: refused, wherever it is. */
static void test_gaps(void)
{
	u64 prp1, prp2;
	u32 i, at, gap;
	bool ok;

	slot_make(0, SLOT_DMA);
	for (i = 0; i < 30000; i++) {
		do
			rnd_segs(NVMQ_PRP_SLOT_ENTRIES + 1);
		while (nr_segs < 2);
		at = rnd_in(0, nr_segs - 2);
		gap = rnd_in(1, 1023) * 4;
		if (rnd_in(0, 1) && segs[at].len > gap)
			segs[at].len -= gap;
		else if (segs[at + 1].len > gap)
			segs[at + 1].addr += gap, segs[at + 1].len -= gap;
		else
			continue;
		ok = slot_segs(&prp1, &prp2);
		CHECK(!ok, "gap behind segment %u: %s", at, show_segs());
	}
	slot_done();
}

/* ---- lists of whole pages ---- */

static struct {
	struct nvmq_prp_chain chain;
} big;
static u32 chain_pages;

static void chain_make(u32 entries)
{
	u32 i;

	chain_pages = nvmq_prp_chain_pages(entries);
	nr_regions = 0;
	memset(&big, 0, sizeof(big));
	for (i = 0; i < chain_pages && i < NVMQ_PRP_CHAIN_PAGES; i++) {
		big.chain.page[i] = malloc(PAGE);
		memset(big.chain.page[i], POISON, PAGE);
		/* Far apart and not in order. */
		big.chain.dma[i] = 0x900000000 + (i * 7 % 5) * 0x10000000;
		region_add(big.chain.dma[i], PAGE, big.chain.page[i]);
	}
}

static void chain_done(void)
{
	u32 i;

	for (i = 0; i < chain_pages && i < NVMQ_PRP_CHAIN_PAGES; i++)
		free(big.chain.page[i]);
}

/* Bytes of the last page behind the last entry are as they were. */
static void chain_check_rest(u32 entries)
{
	const u8 *page = (u8 *)big.chain.page[chain_pages - 1];
	u32 i, used = entries;

	if (chain_pages > 1)
		used = entries - (chain_pages - 1) * (PAGE / 8 - 1);
	CHECK(used > 0 && used <= PAGE / 8, "%u entries in the last of %u pages", used,
	      chain_pages);
	for (i = used * 8; i < PAGE && page[i] == POISON; i++)
		;
	CHECK(i >= PAGE, "byte %u behind %u entries was written", i, used);
}

static void check_chain(void)
{
	u64 prp1, prp2;
	u32 entries = segs_pages() - 1, len = segs_len();
	int ret;

	CHECK(nvmq_prp_pages(segs[0].addr, len) - 1 == entries, "%u entries, not %u: %s",
	      nvmq_prp_pages(segs[0].addr, len) - 1, entries, show_segs());
	chain_make(entries);
	nvmq_prp_chain_start(&big.chain, entries);
	ret = nvmq_prp_chain_segs(&big.chain, segs, nr_segs, &prp1, &prp2);
	CHECK(!ret, "%d: %s", ret, show_segs());
	if (!ret) {
		compare(follow(prp1, prp2, len));
		/* Of one page and of two there is no list, although there may be memory for it. */
		CHECK(list_pages_read == (entries > 1 ? chain_pages : 0),
		      "%u list pages, %u allocated: %s", list_pages_read, chain_pages, show_segs());
		CHECK(entries || !prp2, "PRP2 of one page: %s", show_segs());
		if (entries)
			chain_check_rest(entries);
	}
	chain_done();
}

/* List pages: as many as filling them one entry at a time takes. */
static void test_chain_pages(void)
{
	u32 entries, pages = 1, room = PAGE / 8;

	for (entries = 1; entries <= 3000; entries++) {
		if (!room) {
			/* The last entry gives its place to a pointer and moves on with the new. */
			pages++;
			room = PAGE / 8 - 1;
		}
		room--;
		CHECK(nvmq_prp_chain_pages(entries) == pages, "%u entries: %u pages, not %u",
		      entries, nvmq_prp_chain_pages(entries), pages);
	}
	entries = NVMQ_MAX_TRANSFER / PAGE;
	CHECK(nvmq_prp_chain_pages(entries) <= NVMQ_PRP_CHAIN_PAGES,
	      "the longest transfer takes %u pages", nvmq_prp_chain_pages(entries));
}

/* Every number of pages to 8 MiB at an offset, as one segment and as many. */
static void test_chain_lengths(void)
{
	static const u32 offsets[] = { 0, 4, 2048, 4092 };
	u32 pages, o, i;

	for (pages = 1; pages <= NVMQ_MAX_TRANSFER / PAGE + 1; pages++)
		for (o = 0; o < 4; o++) {
			segs[0] = (struct scatterlist){ 0x5000000000 + offsets[o],
							pages * PAGE - offsets[o] };
			nr_segs = 1;
			if (segs_len() <= NVMQ_MAX_TRANSFER)
				check_chain();
			/* The last page only just touched. */
			if (segs[0].len > PAGE - 4) {
				segs[0].len -= PAGE - 4;
				if (segs_len() <= NVMQ_MAX_TRANSFER)
					check_chain();
			}
			if (pages % 64 > 2 && (pages + 1) % 511 > 3)
				continue;
			for (i = 0; i < pages; i++)
				segs[i] = (struct scatterlist){ 0x6000000000 - i * 3 * PAGE, PAGE };
			segs[0].addr += offsets[o];
			segs[0].len -= offsets[o];
			nr_segs = pages;
			check_chain();
		}
}

static void test_chain_random(void)
{
	u32 i;

	for (i = 0; i < 6000; i++) {
		do
			rnd_segs(rnd_in(0, 1) ? 2049 : rnd_in(505, 520) + rnd_in(0, 3) * 511);
		while (segs_len() > NVMQ_MAX_TRANSFER);
		check_chain();
	}
}

/* Segments that come to more or fewer pages than announced, or leave gaps, are refused. */
static void test_chain_refuses(void)
{
	u64 prp1, prp2;
	u32 i, entries, announced, at;
	int ret;

	for (i = 0; i < 6000; i++) {
		do
			rnd_segs(rnd_in(0, 1) ? 20 : 2049);
		while (segs_pages() < 4 || segs_len() > NVMQ_MAX_TRANSFER || nr_segs < 2);
		entries = segs_pages() - 1;
		announced = entries;
		switch (rnd_in(0, 3)) {
		case 0:
			announced -= rnd_in(1, entries - 1);
			break;
		case 1:
			announced += rnd_in(1, 30);
			break;
		case 2:
			at = rnd_in(0, nr_segs - 2);
			if (segs[at].len <= 4)
				continue;
			segs[at].len -= 4;
			break;
		default:
			at = rnd_in(1, nr_segs - 1);
			if (segs[at].len <= 512)
				continue;
			segs[at].addr += 512;
			segs[at].len -= 512;
		}
		if (announced > NVMQ_MAX_TRANSFER / PAGE)
			continue;
		chain_make(announced);
		nvmq_prp_chain_start(&big.chain, announced);
		ret = nvmq_prp_chain_segs(&big.chain, segs, nr_segs, &prp1, &prp2);
		CHECK(ret == -EINVAL, "%d: %u entries for %u: %s", ret, announced, entries,
		      show_segs());
		chain_done();
	}
}

/* The reader itself: what it must not let pass, so that the tests above mean something. */
static void test_reader(void)
{
	static __le64 list[2][512];
	u32 i;

	nr_regions = 0;
	region_add(0x10000, PAGE, list[0]);
	region_add(0x30000, PAGE, list[1]);
	for (i = 0; i < 512; i++) {
		list[0][i] = cpu_to_le64(0x1000000 + i * PAGE);
		list[1][i] = cpu_to_le64(0x2000000 + i * PAGE);
	}
	CHECK(!follow(0x1004, 0, 4092), "one page");
	CHECK(follow(0x1004, 0x5000, 4092), "PRP2 where none is needed");
	CHECK(follow(0x1002, 0, 512), "odd PRP1");
	CHECK(!follow(0x1004, 0x5000, 4096), "two pages");
	CHECK(follow(0x1004, 0x5008, 4096), "second page with an offset");
	CHECK(!follow(0x1000, 0x10000, 513 * PAGE) && nr_pieces == 513, "a full list");
	CHECK(follow(0x1000, 0x10000, 514 * PAGE), "a list that goes on into data");
	CHECK(follow(0x1000, 0x10008, 513 * PAGE), "a list that crosses its page");
	CHECK(follow(0x1000, 0x10004, 9 * PAGE), "a list that is not aligned");
	CHECK(follow(0x1000, 0x20000, 9 * PAGE), "a list that is not there");
	list[0][511] = cpu_to_le64(0x30000);
	CHECK(!follow(0x1000, 0x10000, 514 * PAGE) && nr_pieces == 514 && list_pages_read == 2,
	      "a chained list");
	CHECK(pieces[512].addr == 0x2000000, "first entry of the second page");
	CHECK(!follow(0x1000, 0x10000, 513 * PAGE) && pieces[512].addr == 0x30000,
	      "a pointer that is read as data");
	list[0][511] = cpu_to_le64(0x30008);
	CHECK(follow(0x1000, 0x10000, 514 * PAGE), "a next page with an offset");
	list[0][3] = cpu_to_le64(0x1000200);
	CHECK(follow(0x1000, 0x10000, 9 * PAGE), "an entry with an offset");
}

int main(void)
{
	TAP_RUN(test_reader);
	TAP_RUN(test_contig);
	TAP_RUN(test_contig_blocks);
	TAP_RUN(test_slot_shapes);
	TAP_RUN(test_slot_random);
	TAP_RUN(test_gaps);
	TAP_RUN(test_chain_pages);
	TAP_RUN(test_chain_lengths);
	TAP_RUN(test_chain_random);
	TAP_RUN(test_chain_refuses);
	return tap_done();
}
