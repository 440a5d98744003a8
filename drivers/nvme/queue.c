// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a queue pair.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "queue.h"

/**
 * nvmq_queue_alloc - allocate the rings of a queue pair
 * @q: zeroed, or freed by nvmq_queue_free()
 * @dev: device that will do DMA
 * @qid: queue identifier
 * @entries: length of the submission ring, 2 to NVMQ_MAX_ENTRIES
 * @cq_entries: length of the completion ring, 2 to 65536; 0 for none: the owner sets @q->cq then
 *
 * Physically contiguous, as a controller with CAP.CQR set wants it.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int nvmq_queue_alloc(struct nvmq_queue *q, struct device *dev, u16 qid, u32 entries,
		     u32 cq_entries)
{
	q->dev = dev;
	q->qid = qid;
	q->entries = entries;
	q->cq_entries = cq_entries;
	q->cq = q;
	q->shared = false;
	spin_lock_init(&q->sq_lock);
	spin_lock_init(&q->cq_lock);

	q->slots = kvcalloc(entries, sizeof(*q->slots), GFP_KERNEL);
	if (!q->slots)
		return -ENOMEM;
	q->sqes = dma_alloc_coherent(dev, entries * sizeof(*q->sqes), &q->sq_dma, GFP_KERNEL);
	if (!q->sqes)
		goto free_slots;
	if (cq_entries) {
		q->cqes = dma_alloc_coherent(dev, cq_entries * sizeof(*q->cqes), &q->cq_dma,
					     GFP_KERNEL);
		if (!q->cqes)
			goto free_sq;
	}
	nvmq_queue_reset(q);
	return 0;

free_sq:
	dma_free_coherent(dev, entries * sizeof(*q->sqes), q->sqes, q->sq_dma);
	q->sqes = NULL;
free_slots:
	kvfree(q->slots);
	q->slots = NULL;
	return -ENOMEM;
}

/**
 * nvmq_queue_free - free the rings
 * @q: the queue; may never have been allocated.  The device must have let go
 *     of it: the queue was deleted, or the controller disabled
 */
void nvmq_queue_free(struct nvmq_queue *q)
{
	if (!q->slots)
		return;
	if (q->cqes)
		dma_free_coherent(q->dev, q->cq_entries * sizeof(*q->cqes), q->cqes, q->cq_dma);
	dma_free_coherent(q->dev, q->entries * sizeof(*q->sqes), q->sqes, q->sq_dma);
	kvfree(q->slots);
	q->cqes = NULL;
	q->sqes = NULL;
	q->slots = NULL;
}

/**
 * nvmq_queue_reset - make the rings as new
 * @q: an allocated queue that the device does not use
 *
 * Stale phase tags in the completion ring would look like completions, hence
 * the zeroes; the generations of the slots go on, so that a CQE of before the
 * reset cannot pass for one of after it.
 */
void nvmq_queue_reset(struct nvmq_queue *q)
{
	u32 tag;

	if (q->cqes)
		memset(q->cqes, 0, q->cq_entries * sizeof(*q->cqes));
	memset(q->sqes, 0, q->entries * sizeof(*q->sqes));
	for (tag = 0; tag < q->entries; tag++) {
		q->slots[tag].owner = NULL;
		q->slots[tag].cid = (q->slots[tag].cid & ~NVMQ_CID_TAG_MASK) | tag;
	}
	q->tail = 0;
	q->rung = 0;
	q->rung_at = jiffies;
	q->head = 0;
	q->phase = NVMQ_CQE_PHASE;
	q->cq_rung_at = jiffies;
	/* The zeroes are in memory before the device can be told of the queue. */
	dma_wmb();
}
