// SPDX-License-Identifier: GPL-2.0
/*
 * The path of an I/O, all of it: queue_rq, queue_rqs, commit, interrupt, poll,
 * completion, unmapping.
 *
 * Going down a request is first mapped, with no lock held, then started, then
 * written into the ring under the queue's lock.  Coming up its data is
 * unmapped, it joins a batch, and the batch is ended after the completion
 * doorbell was rung once.
 */
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/slab.h>

#include "cmd.h"
#include "io.h"
#include "names.h"
#include "trace.h"

/* How often a command that the device failed is sent again. */
#define MAX_RETRIES	5

static_assert(NVMQ_VIRT_BOUNDARY == NVMQ_PAGE_MASK);
static_assert(offsetof(struct nvmq_iod, pass) == 40);
/* PRP lists, REQ_OP_READ and the like: facts that the path relies on. */
static_assert((__force u32)REQ_OP_READ == 0 && (__force u32)REQ_OP_WRITE == 1);
/* The pages of the longest transfer, behind PRP1, fit the chain. */
static_assert(NVMQ_MAX_TRANSFER / NVMQ_PAGE_SIZE <=
	      NVMQ_PRP_CHAIN_PAGES * (NVMQ_PRP_PAGE_ENTRIES - 1) + 1);

static inline const struct nvmq_cmd_ns *rq_ns(const struct request *rq)
{
	return rq->q->queuedata;
}

static inline bool is_rw(const struct request *rq)
{
	return (__force u32)req_op(rq) <= (__force u32)REQ_OP_WRITE;
}

static inline void *prp_slot(const struct nvmq_ioq *ioq, u32 tag)
{
	return ioq->prp + (size_t)tag * ioq->prp_stride;
}

static inline u64 prp_slot_dma(const struct nvmq_ioq *ioq, u32 tag)
{
	return ioq->prp_dma + (u64)tag * ioq->prp_stride;
}

static inline struct scatterlist *sg_slot(const struct nvmq_ioq *ioq, u32 tag)
{
	return ioq->sgs + (size_t)tag * NVMQ_SLOT_SEGS;
}

/* ---- down: mapping ---- */

static blk_status_t map_slot(struct nvmq_ioq *ioq, struct request *rq,
			     struct nvmq_iod *iod)
{
	struct scatterlist *sg = sg_slot(ioq, rq->tag);
	int nents, mapped;

	nents = nvmq_blk_map_sg(rq, sg);
	mapped = dma_map_sg_attrs(ioq->q.dev, sg, nents, rq_dma_dir(rq), DMA_ATTR_NO_WARN);
	if (unlikely(!mapped))
		return BLK_STS_RESOURCE;
	if (unlikely(!nvmq_prp_segs(prp_slot(ioq, rq->tag), prp_slot_dma(ioq, rq->tag), sg, mapped,
				    &iod->prp1, &iod->prp2))) {
		dma_unmap_sg_attrs(ioq->q.dev, sg, nents, rq_dma_dir(rq), 0);
		dev_warn_ratelimited(ioq->q.dev, "segments of a request are not page aligned\n");
		return BLK_STS_IOERR;
	}
	iod->nents = nents;
	iod->map = NVMQ_MAP_SLOT;
	return BLK_STS_OK;
}

static void big_free(struct nvmq_io_pools *pools, struct nvmq_big *big)
{
	while (big->pages--)
		dma_pool_free(pools->list_pages, big->chain.page[big->pages],
			      big->chain.dma[big->pages]);
	mempool_free(big, pools->big);
}

static blk_status_t map_big(struct nvmq_ioq *ioq, struct request *rq,
			    struct nvmq_iod *iod)
{
	struct nvmq_io_pools *pools = ioq->pools;
	blk_status_t ret = BLK_STS_RESOURCE;
	struct nvmq_big *big;
	u32 entries, pages;
	int mapped;

	big = mempool_alloc(pools->big, GFP_ATOMIC);
	if (!big)
		return BLK_STS_RESOURCE;
	big->pages = 0;

	sg_init_table(big->sg, blk_rq_nr_phys_segments(rq));
	big->nents = nvmq_blk_map_sg(rq, big->sg);
	mapped = dma_map_sg_attrs(ioq->q.dev, big->sg, big->nents, rq_dma_dir(rq),
				  DMA_ATTR_NO_WARN);
	if (!mapped)
		goto free;

	/*
	 * More than 128 KiB, or than 33 bios' worth; but 6.1 counts the segments of all of a
	 * registered buffer, however little of it is used: there may be no second page.
	 */
	entries = nvmq_prp_pages(sg_dma_address(big->sg), blk_rq_bytes(rq)) - 1;
	pages = nvmq_prp_chain_pages(entries);
	while (big->pages < pages) {
		big->chain.page[big->pages] = dma_pool_alloc(pools->list_pages, GFP_ATOMIC,
							     &big->chain.dma[big->pages]);
		if (!big->chain.page[big->pages])
			goto unmap;
		big->pages++;
	}
	nvmq_prp_chain_start(&big->chain, entries);
	if (nvmq_prp_chain_segs(&big->chain, big->sg, mapped, &iod->prp1, &iod->prp2)) {
		dev_warn_ratelimited(ioq->q.dev, "segments of a request are not page aligned\n");
		ret = BLK_STS_IOERR;
		goto unmap;
	}
	iod->big = big;
	iod->map = NVMQ_MAP_BIG;
	return BLK_STS_OK;

unmap:
	dma_unmap_sg_attrs(ioq->q.dev, big->sg, big->nents, rq_dma_dir(rq), 0);
free:
	big_free(pools, big);
	return ret;
}

static void ranges_free(struct nvmq_io_pools *pools, struct nvmq_dsm_range *ranges)
{
	if (ranges == pools->spare_ranges)
		clear_bit_unlock(0, &pools->spare_busy);
	else
		kfree(ranges);
}

static blk_status_t map_ranges(struct nvmq_ioq *ioq, struct request *rq, struct nvmq_iod *iod)
{
	const size_t size = NVMQ_DSM_RANGES_MAX * sizeof(struct nvmq_dsm_range);
	struct nvmq_io_pools *pools = ioq->pools;
	struct nvmq_dsm_range *ranges;
	dma_addr_t addr;
	int n;

	ranges = kmalloc(size, GFP_ATOMIC | __GFP_NOWARN);
	if (!ranges) {
		/* A discard may be what frees memory: one list is kept back. */
		if (test_and_set_bit_lock(0, &pools->spare_busy))
			return BLK_STS_RESOURCE;
		ranges = pools->spare_ranges;
	}

	n = nvmq_cmd_ranges(ranges, rq, rq_ns(rq));
	if (n < 0) {
		ranges_free(pools, ranges);
		return BLK_STS_IOERR;
	}
	addr = dma_map_single(ioq->q.dev, ranges, size, DMA_TO_DEVICE);
	if (dma_mapping_error(ioq->q.dev, addr)) {
		ranges_free(pools, ranges);
		return BLK_STS_RESOURCE;
	}
	iod->prp1 = addr;
	iod->prp2 = 0;
	iod->len = size;
	iod->nents = n;
	iod->ranges = ranges;
	iod->map = NVMQ_MAP_RANGES;
	return BLK_STS_OK;
}

static noinline blk_status_t map_sg(struct nvmq_ioq *ioq, struct request *rq,
				    struct nvmq_iod *iod)
{
	iod->sqe_flags = 0;
	/*
	 * Merging counts a segment for each bio, however small: 64 of 512 bytes
	 * that follow each other in memory are 64, although they map to one.
	 * Beyond the slot's table is another tag's memory.
	 */
	if (blk_rq_bytes(rq) <= NVMQ_SLOT_TRANSFER &&
	    blk_rq_nr_phys_segments(rq) <= NVMQ_SLOT_SEGS)
		return map_slot(ioq, rq, iod);
	return map_big(ioq, rq, iod);
}

/*
 * Reads and writes.  One segment, the most common case, goes without a
 * scatterlist; beyond two pages, and where the device takes SGLs, one
 * descriptor says what a list of pages would: @may_sgl.
 */
static __always_inline blk_status_t map_rw(struct nvmq_ioq *ioq, struct request *rq,
					   struct nvmq_iod *iod, const bool may_sgl)
{
	u32 len = blk_rq_bytes(rq);
	struct bio_vec bv;
	u64 addr;

	if (unlikely(rq->nr_phys_segments != 1) ||
	    unlikely(len > NVMQ_SLOT_TRANSFER && !(may_sgl && ioq->sgl)))
		return map_sg(ioq, rq, iod);
	bv = mp_bvec_iter_bvec(rq->bio->bi_io_vec, rq->bio->bi_iter);
	/* A segment is a bvec unless it was split: see for yourself. */
	if (unlikely(bv.bv_len != len))
		return map_sg(ioq, rq, iod);

	addr = dma_map_page(ioq->q.dev, bv.bv_page, bv.bv_offset, len, rq_dma_dir(rq));
	if (unlikely(dma_mapping_error(ioq->q.dev, addr)))
		return BLK_STS_RESOURCE;
	iod->prp1 = addr;
	iod->len = len;
	iod->map = NVMQ_MAP_ONE;
	iod->sqe_flags = 0;
	if (unlikely(nvmq_prp_pages(addr, len) > 2) && may_sgl && ioq->sgl) {
		iod->sqe_flags = NVMQ_SQE_SGL;
		iod->prp2 = len;
	} else {
		iod->prp2 = nvmq_prp_contig(addr, len, prp_slot(ioq, rq->tag),
					    prp_slot_dma(ioq, rq->tag));
	}
	return BLK_STS_OK;
}

/*
 * A command of user space.  Always PRPs: where its data is longer than what the
 * command moves, some devices would refuse an SGL.
 */
static blk_status_t map_pass(struct nvmq_ioq *ioq, struct request *rq, struct nvmq_iod *iod)
{
	blk_status_t ret;

	if (blk_rq_bytes(rq)) {
		ret = map_rw(ioq, rq, iod, false);
		if (unlikely(ret))
			return ret;
	} else {
		iod->prp1 = 0;
		iod->prp2 = 0;
		iod->map = NVMQ_MAP_NONE;
	}
	iod->map |= NVMQ_MAP_PASS;
	return BLK_STS_OK;
}

static noinline blk_status_t map_other(struct nvmq_ioq *ioq, struct request *rq,
				       struct nvmq_iod *iod)
{
	switch (req_op(rq)) {
	case REQ_OP_DRV_IN:
	case REQ_OP_DRV_OUT:
		return map_pass(ioq, rq, iod);
	case REQ_OP_DISCARD:
		return map_ranges(ioq, rq, iod);
	case REQ_OP_FLUSH:
	case REQ_OP_WRITE_ZEROES:
		iod->map = NVMQ_MAP_NONE;
		return BLK_STS_OK;
	default:
		return BLK_STS_NOTSUPP;
	}
}

static __always_inline blk_status_t prep(struct nvmq_ioq *ioq, struct request *rq)
{
	struct nvmq_iod *iod = blk_mq_rq_to_pdu(rq);

	if (likely(is_rw(rq)))
		return map_rw(ioq, rq, iod, true);
	return map_other(ioq, rq, iod);
}

/* ---- down: the ring ---- */

/* How many entries of a PRP list go into one trace event. */
#define TRACE_ENTRIES	128u

static void trace_list_page(const struct nvmq_ioq *ioq, u16 cid, const __le64 *list, u64 addr,
			    u32 entries)
{
	while (entries) {
		u32 count = min(entries, TRACE_ENTRIES);

		trace_nvmq_prp_list(ioq->q.ctrl_id, ioq->q.qid, cid, addr, list, count);
		list += count;
		addr += count * sizeof(*list);
		entries -= count;
	}
}

static void trace_list(const struct nvmq_ioq *ioq, struct request *rq, u16 cid)
{
	const struct nvmq_iod *iod = blk_mq_rq_to_pdu(rq);
	u32 entries = nvmq_prp_pages(iod->prp1, blk_rq_bytes(rq)) - 1;
	u32 i;

	if (entries < 2 || iod->sqe_flags)
		return;
	if ((iod->map & ~NVMQ_MAP_PASS) != NVMQ_MAP_BIG) {
		trace_list_page(ioq, cid, prp_slot(ioq, rq->tag), iod->prp2, entries);
		return;
	}
	for (i = 0; i < iod->big->pages; i++) {
		u32 here = min_t(u32, entries, NVMQ_PRP_PAGE_ENTRIES);

		trace_list_page(ioq, cid, iod->big->chain.page[i], iod->big->chain.dma[i], here);
		/* The last entry of a full page with more behind it is the next page's address. */
		entries -= entries > here ? here - 1 : here;
	}
}

/* The slow half of push(), so that the fast one has a single no-op for both events. */
static noinline void trace_command(const struct nvmq_ioq *ioq, struct request *rq,
				   const struct nvmq_sqe *sqe)
{
	trace_nvmq_command(ioq->q.ctrl_id, ioq->q.qid, ioq->q.tail, sqe);
	if (trace_nvmq_prp_list_enabled() && blk_rq_bytes(rq) &&
	    (is_rw(rq) || blk_rq_is_passthrough(rq)))
		trace_list(ioq, rq, le16_to_cpu(sqe->cid));
}

/* @ioq->q.sq_lock held. */
static __always_inline void push(struct nvmq_ioq *ioq, struct request *rq)
{
	const struct nvmq_cmd_ns *ns = rq_ns(rq);
	struct nvmq_iod *iod = blk_mq_rq_to_pdu(rq);
	struct nvmq_sqe *sqe = nvmq_sq_next(&ioq->q);
	u16 cid = nvmq_slot_give(&ioq->q, rq->tag, rq);

	if (likely(is_rw(rq)))
		nvmq_cmd_rw(sqe, rq, ns, cid, iod->sqe_flags, iod->prp1, iod->prp2);
	else if (iod->map & NVMQ_MAP_PASS)
		nvmq_cmd_pass(sqe, &iod->pass.sqe, cid, iod->prp1, iod->prp2);
	else
		nvmq_cmd_other(sqe, rq, ns, cid, iod->prp1, iod->nents);
	if (trace_nvmq_command_enabled())
		trace_command(ioq, rq, sqe);
	nvmq_sq_push(&ioq->q);
}

static noinline void trace_ring(const struct nvmq_ioq *ioq)
{
	if (ioq->q.tail != ioq->q.rung)
		trace_nvmq_doorbell(ioq->q.ctrl_id, ioq->q.qid, false, ioq->q.tail);
}

/*
 * @ioq->q.sq_lock held.  The event comes before the write: an interrupt may be
 * here before whatever follows it.
 */
static __always_inline void ring(struct nvmq_ioq *ioq)
{
	if (trace_nvmq_doorbell_enabled())
		trace_ring(ioq);
	nvmq_sq_ring(&ioq->q);
}

/**
 * nvmq_io_queue_rq - blk-mq queue_rq
 * @hctx: hardware context; its driver_data is the struct nvmq_ioq
 * @bd: the request, and whether more are to follow at once
 *
 * Context: process or softirq, under RCU; does not sleep.
 * Return: BLK_STS_RESOURCE to be called again; where the queue does not exist
 * any more, what the controller says of it.
 */
blk_status_t nvmq_io_queue_rq(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *bd)
{
	struct nvmq_ioq *ioq = hctx->driver_data;
	struct request *rq = bd->rq;
	blk_status_t ret;

	if (unlikely(!READ_ONCE(ioq->q.live)))
		return ioq->pools->no_queue(ioq->pools, rq);
	ret = prep(ioq, rq);
	if (unlikely(ret))
		return ret;
	blk_mq_start_request(rq);

	spin_lock(&ioq->q.sq_lock);
	push(ioq, rq);
	if (bd->last)
		ring(ioq);
	spin_unlock(&ioq->q.sq_lock);
	return BLK_STS_OK;
}

/**
 * nvmq_io_queue_rqs - blk-mq queue_rqs: a batch with one doorbell
 * @list: requests of one request queue, of one or more hardware contexts; the
 *        ones that could not be taken are left in it for nvmq_io_queue_rq(),
 *        which knows how to refuse
 *
 * Context: process, under RCU; does not sleep.
 */
void nvmq_io_queue_rqs(nvmq_rq_list *list)
{
	struct request *first = nvmq_rq_list_head(list);

	while (first) {
		struct blk_mq_hw_ctx *hctx = first->mq_hctx;
		struct nvmq_ioq *ioq = hctx->driver_data;
		struct request *rq = first;
		struct request *end = NULL;

		if (unlikely(!READ_ONCE(ioq->q.live)))
			break;
		do {
			if (unlikely(rq->mq_hctx != hctx) || unlikely(prep(ioq, rq))) {
				end = rq;
				break;
			}
			nvmq_compat_start_batched(rq);
			rq = rq->rq_next;
		} while (rq);
		if (unlikely(end == first))
			break;

		/*
		 * Nothing is completed, and so no request vanishes from the
		 * list, before the doorbell is rung.
		 */
		spin_lock(&ioq->q.sq_lock);
		for (rq = first; rq != end; rq = rq->rq_next)
			push(ioq, rq);
		ring(ioq);
		spin_unlock(&ioq->q.sq_lock);
		first = end;
	}
	nvmq_rq_list_cut(list, first);
}

/**
 * nvmq_io_commit_rqs - blk-mq commit_rqs: ring for what was queued without it
 * @hctx: hardware context
 */
void nvmq_io_commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	struct nvmq_ioq *ioq = hctx->driver_data;

	spin_lock(&ioq->q.sq_lock);
	if (READ_ONCE(ioq->q.live))
		ring(ioq);
	spin_unlock(&ioq->q.sq_lock);
}

/* ---- up ---- */

/*
 * What user space wants to know of a completion beside its status.  Out of line, so that the path
 * of all others is compiled as if this were not there.
 */
static noinline void keep_result(struct request *rq, const struct nvmq_cqe *cqe)
{
	struct nvmq_iod *iod = blk_mq_rq_to_pdu(rq);

	if (iod->map & NVMQ_MAP_PASS)
		iod->pass.result = le32_to_cpu(cqe->dw0) | (u64)le32_to_cpu(cqe->dw1) << 32;
}

/* @cqe: the completion; %NULL if there was none, or its result was kept before. */
static noinline void unmap_other(struct nvmq_ioq *ioq, struct request *rq, struct nvmq_iod *iod,
				 const struct nvmq_cqe *cqe)
{
	switch (iod->map) {
	case NVMQ_MAP_SLOT:
		dma_unmap_sg_attrs(ioq->q.dev, sg_slot(ioq, rq->tag), iod->nents,
				   rq_dma_dir(rq), 0);
		break;
	case NVMQ_MAP_BIG:
		dma_unmap_sg_attrs(ioq->q.dev, iod->big->sg, iod->big->nents,
				   rq_dma_dir(rq), 0);
		big_free(ioq->pools, iod->big);
		break;
	case NVMQ_MAP_RANGES:
		dma_unmap_single(ioq->q.dev, iod->prp1, iod->len, DMA_TO_DEVICE);
		ranges_free(ioq->pools, iod->ranges);
		break;
	case NVMQ_MAP_NONE:
		break;
	default:
		if (cqe)
			keep_result(rq, cqe);
		iod->map &= ~NVMQ_MAP_PASS;
		if (iod->map == NVMQ_MAP_ONE)
			dma_unmap_page(ioq->q.dev, iod->prp1, iod->len, rq_dma_dir(rq));
		else
			unmap_other(ioq, rq, iod, NULL);
		break;
	}
}

static __always_inline void unmap(struct nvmq_ioq *ioq, struct request *rq,
				  const struct nvmq_cqe *cqe)
{
	struct nvmq_iod *iod = blk_mq_rq_to_pdu(rq);

	if (likely(iod->map == NVMQ_MAP_ONE))
		dma_unmap_page(ioq->q.dev, iod->prp1, iod->len, rq_dma_dir(rq));
	else
		unmap_other(ioq, rq, iod, cqe);
}

static void bogus(struct nvmq_ioq *ioq, const struct nvmq_cqe *cqe, const char *what)
{
	ioq->q.bogus++;
	dev_warn_ratelimited(ioq->q.dev,
			     "queue %u: completion of CID %#06x, %s (SQ %u, status %#x, SQ head %u): dropped\n",
			     ioq->q.qid, le16_to_cpu(cqe->cid), what, le16_to_cpu(cqe->sqid),
			     le16_to_cpu(cqe->status) >> 1, le16_to_cpu(cqe->sqhd));
}

/* A completion that no request waits for: of a command of our own, or of none. */
static noinline void no_request(struct nvmq_ioq *ioq, const struct nvmq_cqe *cqe)
{
	if (ioq->own_sent && le16_to_cpu(cqe->cid) == ioq->own_cid) {
		ioq->own_status = le16_to_cpu(cqe->status) >> 1;
		ioq->own_sent = false;
		complete(&ioq->own_done);
		return;
	}
	bogus(ioq, cqe, "which no command has");
}

/*
 * Success ends in the batch, on this CPU.  A failed command, and one whose
 * queue wants completions on the submitting CPU (rq_affinity=2), goes the block
 * layer's way to nvmq_io_complete_rq().
 */
static __always_inline void finish(struct nvmq_ioq *ioq, struct request *rq,
				   const struct nvmq_cqe *cqe, struct io_comp_batch *iob)
{
	struct nvmq_iod *iod = blk_mq_rq_to_pdu(rq);
	u16 status = le16_to_cpu(cqe->status) >> 1;

	if (unlikely(blk_should_fake_timeout(rq->q)))
		return;

	if (unlikely(status || test_bit(QUEUE_FLAG_SAME_FORCE, &rq->q->queue_flags))) {
		iod->status = status;
		keep_result(rq, cqe);
		blk_mq_complete_request(rq);
		return;
	}

	blk_mq_set_request_complete(rq);
	unmap(ioq, rq, cqe);
	if (!blk_mq_add_to_batch(rq, iob, false, blk_mq_end_request_batch))
		blk_mq_end_request(rq, BLK_STS_OK);
}

/* The completion @cqe, at @place of a completion ring, is of a command of @ioq. */
static __always_inline void take(struct nvmq_ioq *ioq, const struct nvmq_cqe *cqe, u32 place,
				 struct io_comp_batch *iob)
{
	struct request *rq = nvmq_slot_take(&ioq->q, le16_to_cpu(cqe->cid));

	trace_nvmq_completion(ioq->q.ctrl_id, ioq->q.qid, place, cqe);
	if (likely(rq))
		finish(ioq, rq, cqe, iob);
	else
		no_request(ioq, cqe);
}

/* Which of the queues that share the ring of @ioq a completion is for; %NULL if it is none. */
static struct nvmq_ioq *sharer(const struct nvmq_ioq *ioq, const struct nvmq_cqe *cqe)
{
	u32 i = (u32)le16_to_cpu(cqe->sqid) - ioq->q.qid;

	return i < READ_ONCE(ioq->nr_sharers) ? ioq->sharers[i] : NULL;
}

/*
 * The caller owns the completion side.  @shared, a constant: others share the ring.
 * Returns how many entries there were.
 */
static __always_inline unsigned int reap(struct nvmq_ioq *ioq, struct io_comp_batch *iob,
					 bool shared)
{
	struct nvmq_cq_cursor cur = nvmq_cq_begin(&ioq->q);
	const struct nvmq_cqe *cqe;
	unsigned int found = 0;

	while ((cqe = nvmq_cq_peek(&ioq->q, &cur))) {
		struct nvmq_ioq *to = shared ? sharer(ioq, cqe) : ioq;

		if (!shared || likely(to))
			take(to, cqe, cur.head, iob);
		else
			bogus(ioq, cqe, "of a queue that does not complete here");
		nvmq_cq_advance(&ioq->q, &cur);
		found++;
	}
	if (!found)
		return 0;
	if (likely(ioq->q.live)) {
		trace_nvmq_doorbell(ioq->q.ctrl_id, ioq->q.qid, true, cur.head);
		nvmq_cq_end(&ioq->q, &cur);
	} else {
		/* Doorbells of a queue that is being taken away are not touched. */
		nvmq_cq_leave(&ioq->q, &cur);
	}
	return found;
}

static __always_inline irqreturn_t serve(int irq, struct nvmq_ioq *ioq, bool shared)
{
	DEFINE_IO_COMP_BATCH(iob);
	unsigned int found = reap(ioq, &iob, shared);

	trace_nvmq_interrupt(ioq->q.ctrl_id, ioq->q.qid, irq, found);
	if (likely(nvmq_iob_filled(&iob)))
		blk_mq_end_request_batch(&iob);
	return found ? IRQ_HANDLED : IRQ_NONE;
}

/**
 * nvmq_io_irq - interrupt handler of an I/O queue pair
 * @irq: Linux interrupt number
 * @data: struct nvmq_ioq
 *
 * Several queues may share a vector; each looks at its own ring.
 *
 * Context: hard interrupt.
 * Return: IRQ_NONE if the ring held no completion.
 */
irqreturn_t nvmq_io_irq(int irq, void *data)
{
	return serve(irq, data, false);
}

/**
 * nvmq_io_irq_shared - interrupt handler of a completion queue of several submission queues
 * @irq: Linux interrupt number
 * @data: struct nvmq_ioq whose completion ring it is
 *
 * Context: hard interrupt.
 * Return: IRQ_NONE if the ring held no completion.
 */
irqreturn_t nvmq_io_irq_shared(int irq, void *data)
{
	return serve(irq, data, true);
}

/**
 * nvmq_io_poll - blk-mq poll
 * @hctx: hardware context of a polled queue, which has a completion ring of its own
 * @iob: batch of the caller, or %NULL
 *
 * Polling goes on while a tag set is quiesced, hence the second look under the lock; RCU keeps
 * the ring for the first.
 *
 * Return: number of completions found.
 */
int nvmq_io_poll(struct blk_mq_hw_ctx *hctx, struct io_comp_batch *iob)
{
	struct nvmq_ioq *ioq = hctx->driver_data;
	struct nvmq_cq_cursor cur;
	int found = 0;

	rcu_read_lock();
	if (!READ_ONCE(ioq->q.polled))
		goto out;
	/* A glance without the lock: most polls find nothing, and a wrong one does no harm. */
	cur = data_race(nvmq_cq_begin(&ioq->q));
	if (nvmq_cq_peek(&ioq->q, &cur)) {
		spin_lock(&ioq->q.cq_lock);
		if (ioq->q.polled)
			found = reap(ioq, iob, false);
		spin_unlock(&ioq->q.cq_lock);
	}
out:
	rcu_read_unlock();
	return found;
}

/**
 * nvmq_io_reap - take what is in the completion ring, whatever the interrupt says
 * @ioq: the queue, or one that shares its ring
 *
 * For a time-out that suspects a lost interrupt, and after a controller was
 * disabled.  Keeps the interrupt handler out, if there is one.
 *
 * Context: may sleep.
 * Return: completions found.
 */
unsigned int nvmq_io_reap(struct nvmq_ioq *ioq)
{
	unsigned int found;

	ioq = container_of(ioq->q.cq, struct nvmq_ioq, q);
	if (ioq->requested)
		disable_irq(ioq->irq);
	spin_lock(&ioq->q.cq_lock);
	found = ioq->q.shared ? reap(ioq, NULL, true) : reap(ioq, NULL, false);
	spin_unlock(&ioq->q.cq_lock);
	if (ioq->requested)
		enable_irq(ioq->irq);
	return found;
}

/* ms that the device wants a failed command to wait for (CRD, base 3.3.3.2.1). */
static u32 retry_delay(const struct nvmq_ioq *ioq, u16 status)
{
	u32 crd = NVMQ_STATUS_CRD(status);

	return crd ? ioq->pools->crdt_ms[crd - 1] : 0;
}

/* One Flush, which borrows a tag and has no request: its status is in @ioq, or -ETIMEDOUT. */
static int flush_once(struct nvmq_ioq *ioq, u32 nsid, unsigned long timeout)
{
	unsigned long deadline = jiffies + timeout;
	struct nvmq_sqe *sqe;

	reinit_completion(&ioq->own_done);
	spin_lock(&ioq->q.sq_lock);
	sqe = nvmq_sq_next(&ioq->q);
	memset(sqe, 0, sizeof(*sqe));
	ioq->own_cid = nvmq_slot_give(&ioq->q, 0, NULL);
	ioq->own_sent = true;
	sqe->opcode = NVMQ_IO_FLUSH;
	sqe->cid = cpu_to_le16(ioq->own_cid);
	sqe->nsid = cpu_to_le32(nsid);
	trace_nvmq_command(ioq->q.ctrl_id, ioq->q.qid, ioq->q.tail, sqe);
	nvmq_sq_push(&ioq->q);
	ring(ioq);
	spin_unlock(&ioq->q.sq_lock);

	while (!wait_for_completion_timeout(&ioq->own_done, HZ)) {
		/* The interrupt may have been lost. */
		nvmq_io_reap(ioq);
		if (!ioq->own_sent)
			break;
		if (time_after(jiffies, deadline) ||
		    !pci_device_is_present(to_pci_dev(ioq->q.dev))) {
			ioq->own_sent = false;
			dev_err(ioq->q.dev, "queue %u: Flush, namespace %u: timed out\n",
				ioq->q.qid, nsid);
			return -ETIMEDOUT;
		}
	}
	return 0;
}

/**
 * nvmq_io_flush - flush a namespace past the block layer
 * @ioq: a live queue that nobody submits to: its disks are quiesced, no command is outstanding
 * @nsid: namespace identifier
 * @timeout: jiffies that it may take
 *
 * An error that may pass is tried again, as often as for any command. Base 7.1.
 *
 * Context: sleeps.
 * Return: 0; -EIO if the device refuses; -ETIMEDOUT if it does not answer, or is
 * gone: then it must be disabled before the queue is used again.
 */
int nvmq_io_flush(struct nvmq_ioq *ioq, u32 nsid, unsigned long timeout)
{
	unsigned int retries = 0;

	for (;;) {
		int err = flush_once(ioq, nsid, timeout);
		u16 status = ioq->own_status;

		if (err || !status)
			return err;
		if ((status & NVMQ_STATUS_DNR) || retries++ == MAX_RETRIES) {
			dev_err(ioq->q.dev, "queue %u: Flush, namespace %u, failed: %s (%#x)\n",
				ioq->q.qid, nsid, nvmq_names_status(status),
				status & NVMQ_SC_MASK);
			return -EIO;
		}
		msleep(retry_delay(ioq, status));
	}
}

/**
 * nvmq_io_cid - the command identifier of a request
 * @rq: a request that was started and has not ended
 *
 * Return: the CID that it was last sent with.
 */
u16 nvmq_io_cid(const struct request *rq)
{
	const struct nvmq_ioq *ioq = rq->mq_hctx->driver_data;

	return ioq->q.slots[rq->tag].cid;
}

/**
 * nvmq_io_describe - a command in words, for the log
 * @rq: as for nvmq_io_cid()
 * @text: filled, NVMQ_IO_TEXT bytes
 * @size: of @text
 */
void nvmq_io_describe(struct request *rq, char *text, size_t size)
{
	const struct nvmq_ioq *ioq = rq->mq_hctx->driver_data;
	const struct nvmq_cmd_ns *ns = rq_ns(rq);
	const char *name = nvmq_names_io(nvmq_cmd_opcode(rq));
	u16 cid = nvmq_io_cid(rq);

	if (blk_rq_is_passthrough(rq)) {
		const struct nvmq_iod *iod = blk_mq_rq_to_pdu(rq);
		const struct nvmq_sqe *sqe = &iod->pass.sqe;

		snprintf(text, size,
			 "queue %u: command %#04x (%s) of user space, %u bytes, namespace %u, CID %#06x",
			 ioq->q.qid, sqe->opcode, nvmq_names_io(sqe->opcode),
			 blk_rq_bytes(rq), ns->nsid, cid);
	} else if (blk_rq_bytes(rq))
		snprintf(text, size,
			 "queue %u: %s of %u blocks at LBA %llu, namespace %u, CID %#06x",
			 ioq->q.qid, name, blk_rq_bytes(rq) >> ns->lba_shift,
			 (u64)blk_rq_pos(rq) >> (ns->lba_shift - SECTOR_SHIFT), ns->nsid, cid);
	else
		snprintf(text, size, "queue %u: %s, namespace %u, CID %#06x", ioq->q.qid, name,
			 ns->nsid, cid);
}

/* One more failure of @rq.  RQF_DONTPREP says that it is not the first. */
static void count_retry(struct request *rq, struct nvmq_iod *iod)
{
	if (!(rq->rq_flags & RQF_DONTPREP)) {
		rq->rq_flags |= RQF_DONTPREP;
		iod->retries = 0;
	}
	iod->retries++;
}

static bool want_retry(struct request *rq, struct nvmq_iod *iod)
{
	/* Whether it may be done twice only user space knows. */
	if (blk_rq_is_passthrough(rq))
		return false;
	/* Taken back for a reset: counts only if it was itself the reason. */
	if (iod->status == NVMQ_TAKEN_BACK)
		return !(rq->rq_flags & RQF_DONTPREP) || iod->retries <= MAX_RETRIES;
	if ((iod->status & NVMQ_STATUS_DNR) || blk_noretry_request(rq))
		return false;
	count_retry(rq, iod);
	return iod->retries <= MAX_RETRIES;
}

/**
 * nvmq_io_timed_out - note that a command did not come back in time
 * @rq: the request, in flight; its controller is about to be reset
 *
 * So that a command that hangs the device each time ends some day, while those
 * that were only in its company are sent again without limit.
 */
void nvmq_io_timed_out(struct request *rq)
{
	count_retry(rq, blk_mq_rq_to_pdu(rq));
}

/* A delay may be cut short by another request of the same disk that is sent again at once. */
static void requeue(struct request *rq, u32 delay_ms)
{
	struct request_queue *q = rq->q;

	blk_mq_requeue_request(rq, !delay_ms);
	if (delay_ms)
		blk_mq_delay_kick_requeue_list(q, delay_ms);
}

/**
 * nvmq_io_complete_rq - blk-mq complete: the way up of all that is not plain success
 * @rq: the request; its status is in the PDU
 *
 * A command that the driver itself took back for a reset is sent again; when
 * its queue is gone, nvmq_io_queue_rq() sees to it.
 *
 * Context: any.
 */
void nvmq_io_complete_rq(struct request *rq)
{
	struct nvmq_ioq *ioq = rq->mq_hctx->driver_data;
	struct nvmq_iod *iod = blk_mq_rq_to_pdu(rq);
	u16 status;

	/* We have deleted the queue under it, to suspend or shut down. */
	if ((iod->status & NVMQ_SC_MASK) == NVMQ_SC_ABORT_SQ_DELETED && !READ_ONCE(ioq->q.live))
		iod->status = NVMQ_TAKEN_BACK;
	status = iod->status;

	unmap(ioq, rq, NULL);
	if (likely(!status)) {
		blk_mq_end_request(rq, BLK_STS_OK);
		return;
	}
	if (want_retry(rq, iod)) {
		requeue(rq, retry_delay(ioq, status));
		return;
	}
	if (!(rq->rq_flags & RQF_QUIET)) {
		char text[NVMQ_IO_TEXT];

		nvmq_io_describe(rq, text, sizeof(text));
		dev_err_ratelimited(ioq->q.dev, "%s, failed: %s (%#x%s)\n", text,
				    nvmq_names_status(status), status & NVMQ_SC_MASK,
				    status & NVMQ_STATUS_DNR ? ", do not retry" : "");
	}
	blk_mq_end_request(rq, nvmq_cmd_blk_status(status));
}

/**
 * nvmq_io_cancel - take a command back from a controller that was disabled
 * @rq: any request of the tag set
 * @data: not used
 *
 * For blk_mq_tagset_busy_iter().  The completion side of all queues must be at
 * rest: no interrupt, no poll.
 *
 * Return: true, to go on.
 */
bool nvmq_io_cancel(struct request *rq, void *data)
{
	struct nvmq_iod *iod = blk_mq_rq_to_pdu(rq);

	if (blk_mq_request_started(rq) && !blk_mq_request_completed(rq)) {
		iod->status = NVMQ_TAKEN_BACK;
		blk_mq_complete_request(rq);
	}
	return true;
}

/* ---- memory ---- */

/**
 * nvmq_io_pools_init - allocate what the queues of a controller share
 * @pools: zeroed
 * @dev: device that will do DMA
 *
 * Return: 0 or -ENOMEM, with nothing left behind.
 */
int nvmq_io_pools_init(struct nvmq_io_pools *pools, struct device *dev)
{
	pools->list_pages = dma_pool_create("nvmq prp list", dev, NVMQ_PAGE_SIZE,
					    NVMQ_PAGE_SIZE, 0);
	pools->big = mempool_create_kmalloc_pool(1, sizeof(struct nvmq_big));
	pools->spare_ranges = kmalloc_array(NVMQ_DSM_RANGES_MAX, sizeof(*pools->spare_ranges),
					    GFP_KERNEL);
	if (pools->list_pages && pools->big && pools->spare_ranges)
		return 0;
	nvmq_io_pools_free(pools);
	return -ENOMEM;
}

/**
 * nvmq_io_pools_free - undo nvmq_io_pools_init()
 * @pools: no command is outstanding
 */
void nvmq_io_pools_free(struct nvmq_io_pools *pools)
{
	kfree(pools->spare_ranges);
	mempool_destroy(pools->big);
	dma_pool_destroy(pools->list_pages);
	pools->spare_ranges = NULL;
	pools->big = NULL;
	pools->list_pages = NULL;
}

/**
 * nvmq_ioq_alloc - allocate an I/O queue pair
 * @ioq: zeroed, or freed
 * @dev: device that will do DMA
 * @pools: of the controller
 * @qid: queue identifier, from 1
 * @entries: length of the submission ring; one more than the tags
 * @cq_entries: length of the completion ring; 0 if another's is to be used, which the caller sets
 * @prp_align: alignment that the device wants of PRP lists, 256 or 512 bytes
 *
 * A PRP list and a scatterlist for each tag: no I/O of up to 128 KiB allocates.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM, with nothing left behind.
 */
int nvmq_ioq_alloc(struct nvmq_ioq *ioq, struct device *dev, struct nvmq_io_pools *pools,
		   u16 qid, u32 entries, u32 cq_entries, u32 prp_align)
{
	u32 tags = entries - 1;
	u32 tag;
	int err;

	err = nvmq_queue_alloc(&ioq->q, dev, qid, entries, cq_entries);
	if (err)
		return err;
	ioq->pools = pools;
	ioq->irq = 0;
	ioq->vector = -1;
	ioq->requested = false;
	ioq->prp_stride = max_t(u32, NVMQ_PRP_SLOT_BYTES, prp_align);
	ioq->prp = dma_alloc_coherent(dev, (size_t)tags * ioq->prp_stride, &ioq->prp_dma,
				      GFP_KERNEL);
	ioq->sgs = kvmalloc_array(tags, NVMQ_SLOT_SEGS * sizeof(*ioq->sgs), GFP_KERNEL);
	if (!ioq->prp || !ioq->sgs) {
		nvmq_ioq_free(ioq);
		return -ENOMEM;
	}
	for (tag = 0; tag < tags; tag++)
		sg_init_table(sg_slot(ioq, tag), NVMQ_SLOT_SEGS);
	return 0;
}

/**
 * nvmq_ioq_free - undo nvmq_ioq_alloc()
 * @ioq: deleted, or of a disabled controller; may never have been allocated
 */
void nvmq_ioq_free(struct nvmq_ioq *ioq)
{
	if (ioq->prp)
		dma_free_coherent(ioq->q.dev, (size_t)(ioq->q.entries - 1) * ioq->prp_stride,
				  ioq->prp, ioq->prp_dma);
	ioq->prp = NULL;
	kvfree(ioq->sgs);
	ioq->sgs = NULL;
	nvmq_queue_free(&ioq->q);
}
