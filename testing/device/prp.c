// SPDX-License-Identifier: GPL-2.0
/*
 * PRPs (base 4.1.1) and SGLs (base 4.1.2), with the eyes of a controller that believes nothing.
 *
 * Lists are copied before they are looked at: the host may change them at any moment.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "prp.h"

/* The largest memory page that CC.MPS can ask of this device: 64 KiB. */
#define LIST_ENTRIES	(65536 / 8)
/* Descriptors of an SGL, all segments together; a loop of segments ends here. */
#define SGL_MAX		65536
#define SGL_CHUNK	256

enum sgl_type {
	SGL_DATA_BLOCK		= 0,
	SGL_BIT_BUCKET		= 1,
	SGL_SEGMENT		= 2,
	SGL_LAST_SEGMENT	= 3,
};

/* SGLS of Identify Controller (base figure 275) */
#define SGLS_LONGER	(1u << 18)

struct sgl_desc {
	__le64 address;
	__le32 length;
	uint8_t reserved[3];
	uint8_t id;
};

/* One walk at a time: the device has one thread. */
static __le64 list[LIST_ENTRIES];

void walk_fault(struct judge *judge, int qid, enum mem_fault why, uint64_t iova, const char *what)
{
	enum rule rule = why == MEM_DENIED ? RULE_DMA_DIRECTION :
			 why == MEM_WAS_MAPPED ? RULE_DMA_AFTER_UNMAP : RULE_DMA_UNMAPPED;

	judge_violation(judge, rule, qid, "%s at %#jx: %s", what, iova,
			mem_fault_name(why));
}

int walk_span(struct walk *walk, uint64_t iova, size_t len, const char *what)
{
	while (len) {
		struct span *last = walk->nr ? &walk->spans[walk->nr - 1] : NULL;
		enum mem_fault why = MEM_OK;
		size_t here = len;
		uint8_t *host;

		host = mem_at(walk->mem, iova, &here, walk->prot, &why);
		if (!host) {
			walk_fault(walk->judge, walk->qid, why, iova, what);
			return NVMQ_SC_DATA_TRANSFER;
		}
		if (last && (uint8_t *)last->host + last->len == host &&
		    last->iova + last->len == iova) {
			last->len += here;
		} else {
			if (walk->nr == walk->max) {
				unsigned int max = walk->max ? 2 * walk->max : 8;
				struct span *more = realloc(walk->spans, max * sizeof(*more));

				if (!more)
					return NVMQ_SC_INTERNAL;
				walk->spans = more;
				walk->max = max;
			}
			walk->spans[walk->nr++] = (struct span){ host, iova, here };
		}
		iova += here;
		len -= here;
	}
	return 0;
}

static void mix(struct walk *walk, uint64_t value)
{
	walk->lists = (walk->lists ^ value) * 0x9e3779b97f4a7c15;
	walk->lists ^= walk->lists >> 29;
}

static int walk_list(struct walk *walk, uint64_t at, uint64_t left)
{
	uint64_t page = 1ull << walk->page_shift, mask = page - 1;
	bool chained = false;

	if (at & 7) {
		judge_violation(walk->judge, RULE_PRP_LIST_ALIGN, walk->qid,
				"PRP2 %#jx leads to a list", at);
		return NVMQ_SC_PRP_OFFSET;
	}
	while (left) {
		uint64_t room = (page - (at & mask)) / 8, need = (left + mask) >> walk->page_shift;
		uint64_t nr = need < room ? need : room, data = need > room ? room - 1 : need, i;
		enum mem_fault why;

		if (mem_read(walk->mem, at, list, nr * 8, &why)) {
			walk_fault(walk->judge, walk->qid, why, at,
				   chained ? "a chained PRP list" : "the PRP list");
			return NVMQ_SC_DATA_TRANSFER;
		}
		walk->nr_lists++;
		for (i = 0; i < data; i++) {
			uint64_t entry = le64toh(list[i]);
			size_t len = left < page ? left : page;
			int status;

			mix(walk, entry);
			if (!entry) {
				judge_violation(walk->judge, RULE_PRP_LIST_SHORT, walk->qid,
						"entry %ju at %#jx is 0, %ju bytes are left", i, at,
						left);
				return NVMQ_SC_DATA_TRANSFER;
			}
			if (entry & mask) {
				judge_violation(walk->judge, RULE_PRP_ENTRY_OFFSET, walk->qid,
						"entry %ju at %#jx is %#jx",
						i, at, entry);
				return NVMQ_SC_PRP_OFFSET;
			}
			status = walk_span(walk, entry, len, "a page of the PRP list");
			if (status)
				return status;
			left -= len;
		}
		if (!left)
			return 0;
		/* More entries than this page holds: its last one leads on (base 4.1.1). */
		at = le64toh(list[data]);
		mix(walk, at);
		chained = true;
		if (!at) {
			judge_violation(walk->judge, RULE_PRP_LIST_SHORT, walk->qid,
					"the list ends with 0, %ju bytes are left", left);
			return NVMQ_SC_DATA_TRANSFER;
		}
		if (at & mask) {
			judge_violation(walk->judge, RULE_PRP_CHAIN_OFFSET, walk->qid,
					"the next list is at %#jx", at);
			return NVMQ_SC_PRP_OFFSET;
		}
	}
	return 0;
}

static int walk_prp(struct walk *walk, uint64_t prp1, uint64_t prp2, uint64_t len)
{
	uint64_t page = 1ull << walk->page_shift, mask = page - 1;
	uint64_t first = page - (prp1 & mask);
	int status;

	if (!prp1)
		judge_violation(walk->judge, RULE_PRP1_ZERO, walk->qid, "%ju bytes", len);
	if (prp1 & 3) {
		judge_violation(walk->judge, RULE_PRP1_ALIGN, walk->qid, "PRP1 %#jx", prp1);
		return NVMQ_SC_PRP_OFFSET;
	}
	if (first > len)
		first = len;
	status = walk_span(walk, prp1, first, "PRP1");
	if (status)
		return status;
	len -= first;
	if (!len) {
		if (prp2)
			judge_violation(walk->judge, RULE_PRP2_RESERVED, walk->qid,
					"%ju bytes at PRP1 %#jx, PRP2 %#jx",
					first, prp1, prp2);
		return 0;
	}
	if (!prp2) {
		judge_violation(walk->judge, RULE_PRP2_ZERO, walk->qid,
				"%ju bytes are left after PRP1 %#jx", len, prp1);
		return NVMQ_SC_DATA_TRANSFER;
	}
	if (len > page)
		return walk_list(walk, prp2, len);
	if (prp2 & mask) {
		judge_violation(walk->judge, RULE_PRP2_OFFSET, walk->qid, "PRP2 %#jx", prp2);
		return NVMQ_SC_PRP_OFFSET;
	}
	return walk_span(walk, prp2, len, "PRP2");
}

/*
 * A descriptor that is data: *@left becomes what of the transfer is still to be described.  Those
 * of segments are the caller's.
 */
static int walk_block(struct walk *walk, const struct sgl_desc *desc, uint64_t *left)
{
	uint64_t address = le64toh(desc->address), length = le32toh(desc->length), use = length;

	if (desc->id >> 4 == SGL_BIT_BUCKET) {
		/* It counts as data of a read that the host does not want (base 4.1.2). */
		judge_violation(walk->judge, RULE_SGL_TYPE, walk->qid, "a bit bucket");
		return NVMQ_SC_SGL_TYPE;
	}
	if ((walk->sgls & NVMQ_SGLS_MASK) == 2 && ((address | length) & 3)) {
		judge_violation(walk->judge, RULE_SGL_ALIGN, walk->qid,
				"%ju bytes at %#jx", length, address);
		return NVMQ_SC_SGL_OFFSET;
	}
	if (length > *left) {
		if (!(walk->sgls & SGLS_LONGER)) {
			judge_violation(walk->judge, RULE_SGL_LENGTH, walk->qid,
					"a block of %ju bytes, %ju are left", length,
					*left);
			return NVMQ_SC_SGL_DATA_LENGTH;
		}
		use = *left;
	}
	*left -= use;
	return walk_span(walk, address, use, "an SGL data block");
}

static int check_desc(struct walk *walk, const struct sgl_desc *desc)
{
	uint8_t type = desc->id >> 4;

	if (type > SGL_LAST_SEGMENT || desc->id & 0xf) {
		judge_violation(walk->judge, RULE_SGL_TYPE, walk->qid, "descriptor type %#x",
				desc->id);
		return NVMQ_SC_SGL_TYPE;
	}
	if (desc->reserved[0] | desc->reserved[1] | desc->reserved[2])
		judge_violation(walk->judge, RULE_SGL_RESERVED, walk->qid,
				"bytes 12 to 14 of a descriptor are %02x %02x %02x",
				desc->reserved[0], desc->reserved[1], desc->reserved[2]);
	return 0;
}

static int walk_sgl(struct walk *walk, const struct nvmq_sqe *sqe, uint64_t len)
{
	struct sgl_desc desc[SGL_CHUNK], next;
	unsigned int seen = 0;
	uint64_t left = len;
	int status;

	static_assert(sizeof(struct sgl_desc) == 16, "an SGL descriptor is 16 bytes");
	memcpy(&next, &sqe->prp1, sizeof(next));
	status = check_desc(walk, &next);
	if (status)
		return status;
	if (next.id >> 4 < SGL_SEGMENT) {
		status = walk_block(walk, &next, &left);
		if (status)
			return status;
	}
	while (next.id >> 4 >= SGL_SEGMENT) {
		uint64_t at = le64toh(next.address);
		uint32_t bytes = le32toh(next.length);
		bool last = next.id >> 4 == SGL_LAST_SEGMENT;

		if (!bytes || bytes % sizeof(*desc)) {
			judge_violation(walk->judge, RULE_SGL_LENGTH, walk->qid,
					"a segment of %u bytes", bytes);
			return NVMQ_SC_SGL_SEGMENT;
		}
		if (at & 7) {
			judge_violation(walk->judge, RULE_SGL_ALIGN, walk->qid,
					"a segment at %#jx", at);
			return NVMQ_SC_SGL_OFFSET;
		}
		walk->nr_lists++;
		next.id = 0;
		while (bytes) {
			uint32_t chunk = bytes < sizeof(desc) ? bytes : sizeof(desc);
			enum mem_fault why;
			unsigned int i;

			if (mem_read(walk->mem, at, desc, chunk, &why)) {
				walk_fault(walk->judge, walk->qid, why, at, "an SGL segment");
				return NVMQ_SC_DATA_TRANSFER;
			}
			at += chunk;
			bytes -= chunk;
			for (i = 0; i < chunk / sizeof(*desc); i++) {
				uint64_t half[2];

				if (++seen > SGL_MAX)
					return NVMQ_SC_SGL_COUNT;
				memcpy(half, &desc[i], sizeof(half));
				mix(walk, half[0]);
				mix(walk, half[1]);
				status = check_desc(walk, &desc[i]);
				if (status)
					return status;
				if (desc[i].id >> 4 < SGL_SEGMENT) {
					status = walk_block(walk, &desc[i], &left);
					if (status)
						return status;
					continue;
				}
				/* Only the end of a segment that is not the last leads on. */
				if (last || bytes || (i + 1) * sizeof(*desc) != chunk) {
					judge_violation(walk->judge, RULE_SGL_TYPE, walk->qid,
							"a segment descriptor inside a segment");
					return NVMQ_SC_SGL_SEGMENT;
				}
				next = desc[i];
			}
		}
	}
	if (left) {
		judge_violation(walk->judge, RULE_SGL_LENGTH, walk->qid,
				"%ju of %ju bytes are not described", left, len);
		return NVMQ_SC_SGL_DATA_LENGTH;
	}
	return 0;
}

int walk_data(struct walk *walk, const struct nvmq_sqe *sqe, uint64_t len)
{
	walk->nr = 0;
	walk->lists = 0;
	walk->nr_lists = 0;
	if (!len)
		return 0;
	if (sqe->flags >> 6)
		return walk_sgl(walk, sqe, len);
	return walk_prp(walk, le64toh(sqe->prp1), le64toh(sqe->prp2), len);
}
