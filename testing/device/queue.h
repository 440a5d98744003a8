/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Submission and completion queues as the controller has them, and the arbiter that says from
 * which submission queue the next command comes.  Queues are created by admin.c, and filled and
 * drained by ctrl.c.
 */
#ifndef DEVICE_QUEUE_H
#define DEVICE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include <nvmq/spec.h>

#include "judge.h"
#include "mem.h"

struct cmd;

/* Arbitration classes, the strictest first (base 3.4.4). */
enum sq_class {
	SQ_ADMIN,
	SQ_URGENT,
	SQ_HIGH,
	SQ_MEDIUM,
	SQ_LOW,
	NR_SQ_CLASSES,
};

/**
 * struct ring - memory of a queue
 * @mem: guest memory
 * @iova: first byte if contiguous
 * @pages: addresses of the pages if not; NULL if contiguous
 * @nr_pages: how many
 * @page_shift: of those pages
 * @entry_size: bytes of an entry
 * @entries: of the queue
 * @base: all of it if it is contiguous in the device, too; else NULL
 * @generation: mem_generation() that @base belongs to
 */
struct ring {
	struct mem *mem;
	uint64_t iova;
	uint64_t *pages;
	unsigned int nr_pages;
	unsigned int page_shift;
	unsigned int entry_size;
	uint32_t entries;
	uint8_t *base;
	uint64_t generation;
};

/**
 * struct cq - a completion queue
 * @qid: identifier
 * @ring: its memory
 * @head: as the host told
 * @tail: where the next entry goes
 * @phase: of that entry, 0 or 1
 * @irq: interrupts are enabled for it
 * @vector: which
 * @nr_sqs: submission queues that complete here
 * @shadow: what the device wrote, to notice who else writes
 * @waiting: completed commands that found it full, first
 * @waiting_last: and last
 * @announced: when the oldest interrupt that the host has not answered was sent; 0: none is
 * @complained: that it was not answered has been reported
 * @unannounced: entries posted since the last interrupt
 * @oldest: when the first of those was posted
 */
struct cq {
	uint16_t qid;
	struct ring ring;
	uint32_t head;
	uint32_t tail;
	uint8_t phase;
	bool irq;
	uint16_t vector;
	unsigned int nr_sqs;
	struct nvmq_cqe *shadow;
	struct cmd *waiting;
	struct cmd *waiting_last;
	uint64_t announced;
	bool complained;
	uint32_t unannounced;
	uint64_t oldest;
};

/**
 * struct sq - a submission queue
 * @qid: identifier
 * @class: of arbitration
 * @ring: its memory
 * @cq: where its completions go
 * @head: the next entry to fetch
 * @tail: as the host told
 * @seen: up to where entries were copied to @shadow
 * @told: the head that the host knows of, from the last completion
 * @shadow: entries as they were when their doorbell rang, by slot
 * @cids: bit per command identifier: in use
 * @outstanding: commands fetched and not completed
 * @posted: completions ever posted
 * @doorbell: when it rang last
 * @deleter: Delete I/O Submission Queue that waits for the last completions
 * @active: in the arbiter's list
 * @next: there
 */
struct sq {
	uint16_t qid;
	enum sq_class class;
	struct ring ring;
	struct cq *cq;
	uint32_t head;
	uint32_t tail;
	uint32_t seen;
	uint32_t told;
	struct nvmq_sqe *shadow;
	uint64_t *cids;
	unsigned int outstanding;
	uint64_t posted;
	uint64_t doorbell;
	struct cmd *deleter;
	bool active;
	struct sq *next;
};

/**
 * struct arbiter - whose turn it is (base 3.4.4)
 * @wrr: weighted round robin with urgent priority class; else all I/O queues are alike
 * @burst: commands that one queue may have at a time
 * @weight: by class, commands; only of high, medium and low
 * @credit: what is left of the weight in this round
 * @first: queues with entries, by class
 * @last: the end of those
 * @turn: queue whose burst is running
 * @left: what is left of it
 */
struct arbiter {
	bool wrr;
	uint32_t burst;
	uint32_t weight[NR_SQ_CLASSES];
	uint32_t credit[NR_SQ_CLASSES];
	struct sq *first[NR_SQ_CLASSES];
	struct sq *last[NR_SQ_CLASSES];
	struct sq *turn;
	uint32_t left;
};

/**
 * ring_entry - an entry's bytes
 * @ring: memory of a queue
 * @slot: which entry
 * @prot: MEM_READ or MEM_WRITE
 * @why: set if it cannot be reached
 * @iova: set to its address; may be NULL
 *
 * Return: a pointer to the whole entry, NULL if it cannot be reached.
 */
void *ring_entry(struct ring *ring, uint32_t slot, unsigned int prot, enum mem_fault *why,
		 uint64_t *iova);

/**
 * ring_overlaps - whether a queue has any of these bytes
 * @ring: memory of a queue
 * @iova: first byte
 * @len: bytes
 *
 * Return: true if so.
 */
bool ring_overlaps(const struct ring *ring, uint64_t iova, uint64_t len);

/**
 * cq_new - a completion queue of no entries posted
 * @qid: identifier
 * @ring: its memory; @pages becomes the queue's, also on failure
 *
 * Return: the queue; NULL if there is no memory.
 */
struct cq *cq_new(uint16_t qid, const struct ring *ring);

/** cq_free - @cq may be NULL */
void cq_free(struct cq *cq);

/**
 * sq_new - a submission queue of no entries
 * @qid: identifier
 * @ring: its memory; @pages becomes the queue's, also on failure
 * @cq: where it completes; its nr_sqs is counted up
 *
 * Return: the queue; NULL if there is no memory.
 */
struct sq *sq_new(uint16_t qid, const struct ring *ring, struct cq *cq);

/** sq_free - @sq may be NULL; it must not be in the arbiter */
void sq_free(struct sq *sq);

/**
 * cq_free_slots - entries that can be posted
 * @cq: the queue
 *
 * Return: their number; 0 if it is full.
 */
static inline uint32_t cq_free_slots(const struct cq *cq)
{
	uint32_t used = cq->tail >= cq->head ? cq->tail - cq->head :
			cq->tail + cq->ring.entries - cq->head;

	return cq->ring.entries - 1 - used;
}

/**
 * arbiter_reset - no queue has entries; round robin
 * @arbiter: which
 */
void arbiter_reset(struct arbiter *arbiter);

/**
 * arbiter_set - feature 01h
 * @arbiter: which
 * @dw11: as Set Features has it (base 5.27.1.1)
 */
void arbiter_set(struct arbiter *arbiter, uint32_t dw11);

/**
 * arbiter_add - a queue has entries
 * @arbiter: which
 * @sq: the queue; nothing happens if it is there
 */
void arbiter_add(struct arbiter *arbiter, struct sq *sq);

/**
 * arbiter_remove - a queue is going to be deleted
 * @arbiter: which
 * @sq: the queue; nothing happens if it is not there
 */
void arbiter_remove(struct arbiter *arbiter, struct sq *sq);

/**
 * arbiter_next - the queue that the next command comes from
 * @arbiter: which
 *
 * Each call stands for one command that the caller fetches.
 *
 * Return: a queue with entries; NULL if there is none.
 */
struct sq *arbiter_next(struct arbiter *arbiter);

#endif /* DEVICE_QUEUE_H */
