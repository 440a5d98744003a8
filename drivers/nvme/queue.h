/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One submission queue and its completion queue: two rings in host memory,
 * two doorbells, and the table that tells which command a completion is of.
 * Several submission queues may share the completion queue of one of them.
 *
 * The hot half is inline and knows nothing of what a command is; allocation is
 * in queue.c.  Compiles in user space for the unit tests.
 */
#ifndef NVMQ_QUEUE_H
#define NVMQ_QUEUE_H

#include <linux/cache.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <nvmq/spec.h>

/*
 * A CID is the tag in the low bits and, above it, a generation that changes
 * each time the tag is used: a completion that comes twice, or late, or out of
 * nowhere, does not match and is dropped.
 */
#define NVMQ_CID_TAG_BITS	12
#define NVMQ_CID_TAG_MASK	((1u << NVMQ_CID_TAG_BITS) - 1)
#define NVMQ_MAX_ENTRIES	(1u << NVMQ_CID_TAG_BITS)

/**
 * struct nvmq_slot - what is known of one tag
 * @owner: the outstanding command; %NULL if there is none
 * @cid: CID of that command, or of the last one
 */
struct nvmq_slot {
	void *owner;
	u16 cid;
};

/**
 * struct nvmq_queue - a submission queue and its completion queue
 *
 * Three groups, each on cache lines of its own, so that submitters, the
 * completion handler and those who only look up addresses do not take lines
 * from each other.
 *
 * Read-mostly; written while nobody uses the queue:
 *
 * @sqes: the submission ring, @entries long
 * @cqes: the completion ring, @cq_entries long; %NULL if that of @cq is used
 * @slots: indexed by tag, @entries long
 * @sq_db: submission queue tail doorbell
 * @cq_db: completion queue head doorbell
 * @dev: the device that does DMA
 * @entries: length of the submission ring; at most @entries - 1 commands outstanding
 * @cq_entries: length of the completion ring; 0 if there is none
 * @qid: identifier of both queues; 0 is the admin queue
 * @ctrl_id: number of the controller, for trace events
 * @live: the device knows this queue.  Set after the queue was created, cleared
 *        before it is taken away; readers that may race with that hold the
 *        lock of their side or are excluded by a quiesced or frozen tag set
 * @polled: @live, and without an interrupt: pollers may look at the ring, under RCU
 *
 * Submission; under @sq_lock:
 *
 * @sq_lock: serialises the submitters; taken in process or softirq context,
 *           never in hard interrupt context
 * @tail: where the next SQE goes
 * @rung: tail that the device was last told
 * @rung_at: when, in jiffies; for nvmq_recorder_dump()
 *
 * Completion; owned by the interrupt handler, or by the holder of @cq_lock
 * where the queue has no interrupt:
 *
 * @cq_lock: serialises pollers
 * @head: where the next CQE will appear
 * @phase: phase tag that it will carry
 * @cq_rung_at: when the device was last told of @head, in jiffies
 * @bogus: completions that named no outstanding command
 * @lost: times that a time-out found completions in the ring: interrupts that were lost.  Of a ring
 *        that is shared its owner counts them, and @bogus who they name
 * @sq_dma: DMA address of @sqes (cold)
 * @cq_dma: DMA address of @cqes (cold)
 * @shared: others use this completion ring as well: its entries are told apart by their SQID (cold)
 * @cq: the queue whose completion ring and completion side this one uses: itself, if it does not
 *      share another's (cold)
 */
struct nvmq_queue {
	struct nvmq_sqe *sqes;
	struct nvmq_cqe *cqes;
	struct nvmq_slot *slots;
	void __iomem *sq_db;
	void __iomem *cq_db;
	struct device *dev;
	u32 entries;
	u32 cq_entries;
	u16 qid;
	u16 ctrl_id;
	bool live;
	bool polled;

	spinlock_t sq_lock ____cacheline_aligned;
	u32 tail;
	u32 rung;
	u32 rung_at;

	spinlock_t cq_lock ____cacheline_aligned;
	u32 head;
	u32 phase;
	u32 cq_rung_at;
	u64 bogus;
	u64 lost;
	dma_addr_t sq_dma;
	dma_addr_t cq_dma;
	bool shared;
	struct nvmq_queue *cq;
};

static_assert(offsetof(struct nvmq_queue, sq_lock) % L1_CACHE_BYTES == 0);
static_assert(offsetof(struct nvmq_queue, cq_lock) % L1_CACHE_BYTES == 0);

/**
 * nvmq_sq_next - the ring slot for the next command
 * @q: the queue; @q->sq_lock held
 *
 * There is always room: the tags of a queue are fewer than its entries.
 * Write all 64 bytes, then nvmq_sq_push().
 *
 * Return: the slot, which holds an old command.
 */
static inline struct nvmq_sqe *nvmq_sq_next(struct nvmq_queue *q)
{
	return &q->sqes[q->tail];
}

/**
 * nvmq_sq_push - the slot of nvmq_sq_next() is filled
 * @q: the queue; @q->sq_lock held
 *
 * The device does not see the command before nvmq_sq_ring().
 */
static inline void nvmq_sq_push(struct nvmq_queue *q)
{
	if (++q->tail == q->entries)
		q->tail = 0;
}

/**
 * nvmq_sq_ring - tell the device how far the ring is filled
 * @q: the queue; @q->sq_lock held
 *
 * One posted write for any number of commands, none if there is nothing new.
 * writel() orders it behind the stores to the ring (pairs with the device's
 * fetch).  Base 3.3.1.2.1.
 *
 * Return: true if the doorbell was written.
 */
static inline bool nvmq_sq_ring(struct nvmq_queue *q)
{
	if (q->tail == q->rung)
		return false;
	writel(q->tail, q->sq_db);
	q->rung = q->tail;
	q->rung_at = jiffies;
	return true;
}

/**
 * struct nvmq_cq_cursor - a walk along the completion ring
 * @head: position
 * @phase: phase tag of a new entry there
 *
 * A copy of the queue's own pair that lives in CPU registers during the walk.
 */
struct nvmq_cq_cursor {
	u32 head;
	u32 phase;
};

/**
 * nvmq_cq_begin - start a walk along the completion ring
 * @q: the queue; the caller owns its completion side, or only peeks
 *
 * Return: the walk, at the first entry that was not given back.
 */
static inline struct nvmq_cq_cursor nvmq_cq_begin(const struct nvmq_queue *q)
{
	return (struct nvmq_cq_cursor){ .head = q->head, .phase = q->phase };
}

/**
 * nvmq_cq_peek - the next new completion, if there is one
 * @q: the queue; the caller owns its completion side
 * @cur: the walk
 *
 * The phase tag is looked at first; dma_rmb() keeps all other reads of the
 * entry behind it (pairs with the order in which the device writes a CQE,
 * base 3.3.3.2.2).
 *
 * Return: the entry, valid until nvmq_cq_end(); %NULL if there is none.
 */
static inline const struct nvmq_cqe *nvmq_cq_peek(const struct nvmq_queue *q,
						  const struct nvmq_cq_cursor *cur)
{
	const struct nvmq_cqe *cqe = &q->cqes[cur->head];

	if ((le16_to_cpu(READ_ONCE(cqe->status)) & NVMQ_CQE_PHASE) != cur->phase)
		return NULL;
	dma_rmb();
	return cqe;
}

/**
 * nvmq_cq_advance - go on to the next entry
 * @q: the queue
 * @cur: the walk; nvmq_cq_peek() found an entry where it stands
 *
 * The phase tag of new entries changes with each pass through the ring.
 */
static inline void nvmq_cq_advance(const struct nvmq_queue *q, struct nvmq_cq_cursor *cur)
{
	if (++cur->head == q->cq_entries) {
		cur->head = 0;
		cur->phase ^= NVMQ_CQE_PHASE;
	}
}

/**
 * nvmq_cq_leave - remember how far the walk came
 * @q: the queue; the caller owns its completion side
 * @cur: the walk
 *
 * Enough for a queue that the device does not know any more; a live one wants
 * nvmq_cq_end().
 */
static inline void nvmq_cq_leave(struct nvmq_queue *q, const struct nvmq_cq_cursor *cur)
{
	q->head = cur->head;
	q->phase = cur->phase;
}

/**
 * nvmq_cq_end - give the entries that were walked back to the device
 * @q: the queue; the caller owns its completion side
 * @cur: the walk
 *
 * One doorbell write for all of them.  To be called only if there was at least
 * one entry: the device fills at most @q->cq_entries - 1 before it is told of the
 * head, so the head has moved then.
 */
static inline void nvmq_cq_end(struct nvmq_queue *q, const struct nvmq_cq_cursor *cur)
{
	nvmq_cq_leave(q, cur);
	q->cq_rung_at = jiffies;
	writel(cur->head, q->cq_db);
}

/**
 * nvmq_slot_give - hand a tag to a command
 * @q: the queue
 * @tag: a tag that is not in use, below @q->entries
 * @owner: the command, not %NULL
 *
 * Return: the CID to put in the SQE, one generation on from the tag's last.
 */
static inline u16 nvmq_slot_give(struct nvmq_queue *q, u32 tag, void *owner)
{
	struct nvmq_slot *slot = &q->slots[tag];

	slot->owner = owner;
	return slot->cid += 1u << NVMQ_CID_TAG_BITS;
}

/**
 * nvmq_slot_take - whose command has this CID?
 * @q: the queue; the caller owns its completion side
 * @cid: from a CQE, that is, not to be trusted
 *
 * Return: the owner, who has the tag no more; %NULL if no outstanding command
 * has this CID.
 */
static inline void *nvmq_slot_take(struct nvmq_queue *q, u16 cid)
{
	u32 tag = cid & NVMQ_CID_TAG_MASK;
	struct nvmq_slot *slot = &q->slots[tag];
	void *owner;

	if (unlikely(tag >= q->entries || slot->cid != cid))
		return NULL;
	owner = slot->owner;
	slot->owner = NULL;
	return owner;
}

int nvmq_queue_alloc(struct nvmq_queue *q, struct device *dev, u16 qid, u32 entries,
		     u32 cq_entries);
void nvmq_queue_free(struct nvmq_queue *q);
void nvmq_queue_reset(struct nvmq_queue *q);

#endif /* NVMQ_QUEUE_H */
