// SPDX-License-Identifier: GPL-2.0
/*
 * Queues' memory, and arbitration (base 3.4.4).
 *
 * The arbiter knows only queues that have entries: a list for each class.  The queue whose burst is
 * running is in no list.
 */
#include <stdlib.h>
#include <string.h>

#include "queue.h"

void *ring_entry(struct ring *ring, uint32_t slot, unsigned int prot, enum mem_fault *why,
		 uint64_t *iova)
{
	uint64_t at = (uint64_t)slot * ring->entry_size;
	size_t len = ring->entry_size;
	void *entry;

	if (!ring->pages) {
		if (iova)
			*iova = ring->iova + at;
		if (ring->base && ring->generation == mem_generation(ring->mem)) {
			*why = MEM_OK;
			return ring->base + at;
		}
		/* All of it at once, if it is in one piece; this is done once. */
		len = (size_t)ring->entries * ring->entry_size;
		ring->base = mem_at(ring->mem, ring->iova, &len, prot, why);
		ring->generation = mem_generation(ring->mem);
		if (ring->base && len == (size_t)ring->entries * ring->entry_size)
			return ring->base + at;
		ring->base = NULL;
		at += ring->iova;
		len = ring->entry_size;
	} else {
		at = ring->pages[at >> ring->page_shift] + (at & ((1ull << ring->page_shift) - 1));
		if (iova)
			*iova = at;
	}
	/* Entries divide pages, and so one is never in two. */
	entry = mem_at(ring->mem, at, &len, prot, why);
	return entry && len == ring->entry_size ? entry : NULL;
}

bool ring_overlaps(const struct ring *ring, uint64_t iova, uint64_t len)
{
	uint64_t page = 1ull << ring->page_shift;
	unsigned int i;

	if (!ring->pages)
		return iova < ring->iova + (uint64_t)ring->entries * ring->entry_size &&
		       ring->iova < iova + len;
	for (i = 0; i < ring->nr_pages; i++)
		if (iova < ring->pages[i] + page && ring->pages[i] < iova + len)
			return true;
	return false;
}

struct cq *cq_new(uint16_t qid, const struct ring *ring)
{
	struct cq *cq = calloc(1, sizeof(*cq));

	if (cq)
		cq->shadow = calloc(ring->entries, sizeof(*cq->shadow));
	if (!cq || !cq->shadow) {
		free(cq);
		free(ring->pages);
		return NULL;
	}
	cq->qid = qid;
	cq->ring = *ring;
	cq->phase = 1;
	return cq;
}

void cq_free(struct cq *cq)
{
	if (!cq)
		return;
	free(cq->ring.pages);
	free(cq->shadow);
	free(cq);
}

struct sq *sq_new(uint16_t qid, const struct ring *ring, struct cq *cq)
{
	struct sq *sq = calloc(1, sizeof(*sq));

	if (sq) {
		sq->shadow = calloc(ring->entries, sizeof(*sq->shadow));
		sq->cids = calloc(65536 / 64, sizeof(*sq->cids));
	}
	if (!sq || !sq->shadow || !sq->cids) {
		if (sq) {
			free(sq->shadow);
			free(sq->cids);
		}
		free(sq);
		free(ring->pages);
		return NULL;
	}
	sq->qid = qid;
	sq->ring = *ring;
	sq->class = qid ? SQ_LOW : SQ_ADMIN;
	sq->cq = cq;
	cq->nr_sqs++;
	return sq;
}

void sq_free(struct sq *sq)
{
	if (!sq)
		return;
	sq->cq->nr_sqs--;
	free(sq->ring.pages);
	free(sq->shadow);
	free(sq->cids);
	free(sq);
}

void arbiter_reset(struct arbiter *arbiter)
{
	memset(arbiter, 0, sizeof(*arbiter));
	arbiter_set(arbiter, 0);
}

void arbiter_set(struct arbiter *arbiter, uint32_t dw11)
{
	unsigned int n = NVMQ_ARBITRATION_BURST(dw11);

	arbiter->burst = n == 7 ? UINT32_MAX : 1u << n;
	arbiter->weight[SQ_LOW] = NVMQ_ARBITRATION_LPW(dw11) + 1;
	arbiter->weight[SQ_MEDIUM] = NVMQ_ARBITRATION_MPW(dw11) + 1;
	arbiter->weight[SQ_HIGH] = NVMQ_ARBITRATION_HPW(dw11) + 1;
	memcpy(arbiter->credit, arbiter->weight, sizeof(arbiter->credit));
}

/* Round robin knows no classes, not even that of the admin queue (base 3.4.4.1). */
static enum sq_class class_of(const struct arbiter *arbiter, const struct sq *sq)
{
	return arbiter->wrr ? sq->class : SQ_ADMIN;
}

static void append(struct arbiter *arbiter, struct sq *sq)
{
	enum sq_class class = class_of(arbiter, sq);

	sq->next = NULL;
	if (arbiter->last[class])
		arbiter->last[class]->next = sq;
	else
		arbiter->first[class] = sq;
	arbiter->last[class] = sq;
}

void arbiter_add(struct arbiter *arbiter, struct sq *sq)
{
	if (sq->active)
		return;
	sq->active = true;
	append(arbiter, sq);
}

void arbiter_remove(struct arbiter *arbiter, struct sq *sq)
{
	enum sq_class class = class_of(arbiter, sq);
	struct sq *before = NULL, *at;

	if (!sq->active)
		return;
	sq->active = false;
	if (arbiter->turn == sq) {
		arbiter->turn = NULL;
		return;
	}
	for (at = arbiter->first[class]; at != sq; at = at->next)
		before = at;
	if (before)
		before->next = sq->next;
	else
		arbiter->first[class] = sq->next;
	if (arbiter->last[class] == sq)
		arbiter->last[class] = before;
}

/* The class that may go now: strict above, by credit below (base 3.4.4.2). */
static int next_class(struct arbiter *arbiter)
{
	bool waiting = false;
	int class;

	if (arbiter->first[SQ_ADMIN])
		return SQ_ADMIN;
	if (arbiter->first[SQ_URGENT])
		return SQ_URGENT;
	for (class = SQ_HIGH; class <= SQ_LOW; class++) {
		if (!arbiter->first[class])
			continue;
		if (arbiter->credit[class])
			return class;
		waiting = true;
	}
	if (!waiting)
		return -1;
	/* Everybody who has something to do had his share: the next round. */
	for (class = SQ_HIGH; class <= SQ_LOW; class++)
		arbiter->credit[class] = arbiter->weight[class];
	for (class = SQ_HIGH; !arbiter->first[class]; class++)
		;
	return class;
}

struct sq *arbiter_next(struct arbiter *arbiter)
{
	struct sq *sq = arbiter->turn;
	int class;

	if (sq && (sq->head == sq->tail || !arbiter->left)) {
		arbiter->turn = NULL;
		if (sq->head == sq->tail)
			sq->active = false;
		else
			append(arbiter, sq);
		sq = NULL;
	}
	while (!sq) {
		class = next_class(arbiter);
		if (class < 0)
			return NULL;
		sq = arbiter->first[class];
		arbiter->first[class] = sq->next;
		if (!sq->next)
			arbiter->last[class] = NULL;
		if (sq->head == sq->tail) {
			sq->active = false;
			sq = NULL;
			continue;
		}
		arbiter->turn = sq;
		arbiter->left = arbiter->burst;
		if (class >= SQ_HIGH && arbiter->left > arbiter->credit[class])
			arbiter->left = arbiter->credit[class];
	}
	arbiter->left--;
	class = class_of(arbiter, sq);
	if (class >= SQ_HIGH)
		arbiter->credit[class]--;
	return sq;
}
