/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host of the NVMe level: it brings the controller up, makes queues and moves data, and does it
 * right.  Tests do it wrong on purpose, with the pieces that are here.  Device and host are one
 * process and one thread: whenever the host waits, the device runs.
 */
#ifndef DEVICE_TEST_NVME_HOST_H
#define DEVICE_TEST_NVME_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include <nvmq/spec.h>

#include "device.h"
#include "host.h"

#define NVME_MEMORY	(64u << 20)
#define NVME_IOVA	0x40000000ull
#define NVME_MAX_QUEUES	16
#define NVME_PAGE	4096u

/**
 * struct nvme_queue - a pair of queues, or a submission queue alone
 * @n: its host
 * @qid: of both
 * @sq: memory of the submission queue
 * @cq: memory of the completion queue
 * @sq_size: entries
 * @cq_size: entries
 * @tail: where the next command goes
 * @head: where the next completion comes from
 * @phase: that it has
 * @cid: of the next command
 */
struct nvme_queue {
	struct nvme_host *n;
	uint16_t qid;
	uint64_t sq;
	uint64_t cq;
	uint32_t sq_size;
	uint32_t cq_size;
	uint32_t tail;
	uint32_t head;
	uint8_t phase;
	uint16_t cid;
};

/**
 * struct nvme_host - host and device
 * @host: connection
 * @device: the device
 * @log: what the judge wrote: text
 * @log_size: bytes there
 * @out: stream behind @log
 * @next: first byte of memory that is not given out
 * @cap: CAP
 * @cc: CC that nvme_enable() uses; set by nvme_start(), to be changed before
 * @queue: by identifier
 */
struct nvme_host {
	struct host host;
	struct device *device;
	char *log;
	size_t log_size;
	FILE *out;
	uint64_t next;
	uint64_t cap;
	uint32_t cc;
	struct nvme_queue queue[NVME_MAX_QUEUES + 1];
};

/**
 * nvme_start - make a device, connect to it, give it memory, enable it in PCI's sense
 * @n: filled in
 * @options: of the device, "KEY=VALUE,..."; NULL: a small one
 *
 * MSI-X is enabled if the device has it. Aborts the test program on failure.
 */
void nvme_start(struct nvme_host *n, const char *options);

/**
 * nvme_stop - end both
 * @n: the host
 */
void nvme_stop(struct nvme_host *n);

/**
 * nvme_run - let the device run until it has nothing more to do
 * @n: the host
 */
void nvme_run(struct nvme_host *n);

/**
 * nvme_run_for - let the device run for some time
 * @n: the host
 * @ms: milliseconds
 */
void nvme_run_for(struct nvme_host *n, unsigned int ms);

/** nvme_read32 - read a register */
uint32_t nvme_read32(struct nvme_host *n, uint64_t offset);
/** nvme_read64 - read a register */
uint64_t nvme_read64(struct nvme_host *n, uint64_t offset);
/** nvme_write32 - write a register; the device has run when this returns */
void nvme_write32(struct nvme_host *n, uint64_t offset, uint32_t value);
/** nvme_write64 - write a register */
void nvme_write64(struct nvme_host *n, uint64_t offset, uint64_t value);

/** nvme_alloc - memory of whole pages, of zeroes; never given back but by nvme_stop() */
uint64_t nvme_alloc(struct nvme_host *n, size_t bytes);
/** nvme_at - the host's pointer to what nvme_alloc() gave */
void *nvme_at(struct nvme_host *n, uint64_t iova);

/**
 * nvme_set_admin - write AQA, ASQ and ACQ, with new memory
 * @n: the host
 * @entries: of each admin queue
 */
void nvme_set_admin(struct nvme_host *n, uint32_t entries);

/**
 * nvme_enable - nvme_set_admin(), set CC.EN, wait for CSTS.RDY
 * @n: the host
 *
 * Return: whether CSTS.RDY came.
 */
bool nvme_enable(struct nvme_host *n);

/**
 * nvme_disable - clear CC.EN, wait for CSTS.RDY
 * @n: the host
 *
 * Return: whether CSTS.RDY went.
 */
bool nvme_disable(struct nvme_host *n);

/**
 * nvme_wait_csts - wait for a state
 * @n: the host
 * @mask: bits of CSTS
 * @value: that they should have
 *
 * Return: whether it came, within ten seconds.
 */
bool nvme_wait_csts(struct nvme_host *n, uint32_t mask, uint32_t value);

/** nvme_db_sq - offset of the doorbell of a submission queue */
uint64_t nvme_db_sq(const struct nvme_host *n, unsigned int qid);
/** nvme_db_cq - offset of the doorbell of a completion queue */
uint64_t nvme_db_cq(const struct nvme_host *n, unsigned int qid);

/**
 * nvme_push - put a command into a queue, without its doorbell
 * @q: the queue
 * @sqe: the command; its cid becomes the queue's next one, if it is 0
 *
 * Return: cid.
 */
uint16_t nvme_push(struct nvme_queue *q, struct nvmq_sqe *sqe);

/** nvme_ring - ring the doorbell; the device has run when this returns */
void nvme_ring(struct nvme_queue *q);

/**
 * nvme_pop - take a completion, and ring the doorbell
 * @q: the queue
 * @cqe: becomes it; may be NULL
 * @ms: how long to wait
 *
 * Return: whether there was one.
 */
bool nvme_pop(struct nvme_queue *q, struct nvmq_cqe *cqe, unsigned int ms);

/**
 * nvme_do - push, ring, pop
 * @q: the queue
 * @sqe: the command
 * @dw0: becomes that of the completion; may be NULL
 *
 * Return: status without phase and the bits M and DNR; 0xffff: no completion.
 */
uint16_t nvme_do(struct nvme_queue *q, struct nvmq_sqe *sqe, uint32_t *dw0);

/** nvme_admin - nvme_do() of the admin queue */
uint16_t nvme_admin(struct nvme_host *n, struct nvmq_sqe *sqe);

/** nvme_identify - Identify into a new page; returns the status */
uint16_t nvme_identify(struct nvme_host *n, uint32_t cns, uint32_t nsid, uint64_t *page);

/** nvme_set_queues - Set Features, Number of Queues; returns the status */
uint16_t nvme_set_queues(struct nvme_host *n, uint32_t pairs);

/** nvme_create_cq_sqe - the command, with new memory for the queue */
struct nvmq_sqe nvme_create_cq_sqe(struct nvme_host *n, uint16_t qid, uint32_t entries,
				   uint16_t vector);
/** nvme_create_sq_sqe - likewise */
struct nvmq_sqe nvme_create_sq_sqe(struct nvme_host *n, uint16_t qid, uint32_t entries,
				   uint16_t cqid);
/** nvme_create - create both, with vector @qid if there is one; returns the first bad status */
uint16_t nvme_create(struct nvme_host *n, uint16_t qid, uint32_t entries);

/** nvme_delete_sqe - delete a queue; @opcode is NVMQ_ADMIN_DELETE_SQ or _CQ */
struct nvmq_sqe nvme_delete_sqe(uint8_t opcode, uint16_t qid);

/**
 * nvme_rw_sqe - Read, Write and their kin, of namespace 1
 * @opcode: of the command
 * @slba: first block
 * @blocks: how many
 * @prp1: data
 * @prp2: data
 *
 * Return: the command.
 */
struct nvmq_sqe nvme_rw_sqe(uint8_t opcode, uint64_t slba, uint32_t blocks, uint64_t prp1,
			    uint64_t prp2);

/**
 * nvme_prp2 - the second half of a data pointer
 * @n: the host
 * @data: first byte of the data: PRP1
 * @bytes: how many, in pages that follow each other
 * @list: where a PRP list begins if there has to be one; it goes on in the pages behind
 *
 * Return: PRP2.
 */
uint64_t nvme_prp2(struct nvme_host *n, uint64_t data, uint64_t bytes, uint64_t list);

/**
 * nvme_up - nvme_enable(), queues asked for, I/O queue pair 1 of 16 entries
 * @n: the host
 *
 * Return: whether all went well.
 */
bool nvme_up(struct nvme_host *n);

/** nvme_violations - how often any rule was broken */
unsigned long nvme_violations(const struct nvme_host *n);

#endif
