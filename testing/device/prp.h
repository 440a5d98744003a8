/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The data pointer of a command, read as the specification has it: PRP1, PRP2 and PRP lists (base
 * 4.1.1), SGL Data Block and segments (base 4.1.2).  Written from the specification and not from
 * any driver: it is what the driver's own is judged by.
 */
#ifndef DEVICE_PRP_H
#define DEVICE_PRP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nvmq/spec.h>

#include "judge.h"
#include "mem.h"

/**
 * struct span - a piece of guest memory
 * @host: where the device finds it; good while mem_generation() stays
 * @iova: where the host said it is
 * @len: bytes
 */
struct span {
	void *host;
	uint64_t iova;
	size_t len;
};

/**
 * struct walk - one walk of a data pointer
 * @mem: guest memory
 * @judge: where violations go
 * @qid: submission queue, for the judge
 * @page_shift: of CC.MPS: 12 and up
 * @sgls: Identify Controller's SGLS
 * @prot: what is going to be done with the data: MEM_READ, MEM_WRITE
 * @spans: result: the data, in order; grows as needed and stays the caller's
 * @nr: how many are valid
 * @max: room in @spans
 * @lists: result: hash over the entries of all PRP lists or SGL segments that were read
 * @nr_lists: result: how many of these there were
 */
struct walk {
	struct mem *mem;
	struct judge *judge;
	int qid;
	unsigned int page_shift;
	uint32_t sgls;
	unsigned int prot;
	struct span *spans;
	unsigned int nr;
	unsigned int max;
	uint64_t lists;
	unsigned int nr_lists;
};

/**
 * walk_data - find the data of a command
 * @walk: inputs filled in
 * @sqe: the command
 * @len: bytes of the transfer; 0 is nothing to be found
 *
 * Return: 0, or the NVMe status that the command ends with: NVMQ_SC_INVALID_FIELD,
 * NVMQ_SC_PRP_OFFSET, NVMQ_SC_DATA_TRANSFER and those of SGLs.
 */
int walk_data(struct walk *walk, const struct nvmq_sqe *sqe, uint64_t len);

/**
 * walk_span - add memory at one address
 * @walk: as above
 * @iova: address
 * @len: bytes
 * @what: for the judge: "PRP1", "metadata"
 *
 * Return: 0 or NVMQ_SC_DATA_TRANSFER.
 */
int walk_span(struct walk *walk, uint64_t iova, size_t len, const char *what);

/**
 * walk_fault - report memory that could not be reached
 * @judge: where to
 * @qid: queue, or -1
 * @why: as mem_at() had it
 * @iova: address
 * @what: what was there to be: "PRP1", "submission queue entry"
 */
void walk_fault(struct judge *judge, int qid, enum mem_fault why, uint64_t iova, const char *what);

#endif /* DEVICE_PRP_H */
