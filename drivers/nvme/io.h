/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The path of an I/O, from queue_rq to the end of the request.
 */
#ifndef NVMQ_IO_H
#define NVMQ_IO_H

#include <linux/blk-mq.h>
#include <linux/interrupt.h>
#include <linux/mempool.h>
#include <linux/scatterlist.h>

#include "compat.h"
#include "prp.h"
#include "queue.h"

struct dma_pool;

/* Room for nvmq_io_describe() */
#define NVMQ_IO_TEXT		128

/*
 * Segments of a request that fits the tag's own PRP list: one a page.  Longer
 * requests may have more, from the big pool.
 */
#define NVMQ_SLOT_SEGS		(NVMQ_PRP_SLOT_ENTRIES + 1)
#define NVMQ_SLOT_TRANSFER	(NVMQ_PRP_SLOT_ENTRIES << NVMQ_PAGE_SHIFT)
#define NVMQ_MAX_SEGS		256

/**
 * enum nvmq_map - how the data of a command is mapped for DMA
 * @NVMQ_MAP_NONE: it has none
 * @NVMQ_MAP_ONE: one contiguous range
 * @NVMQ_MAP_SLOT: scatterlist and PRP list of the tag
 * @NVMQ_MAP_BIG: scatterlist and PRP list of struct nvmq_big
 * @NVMQ_MAP_RANGES: a Dataset Management range list
 * @NVMQ_MAP_PASS: a bit beside one of the first four: a command of user space
 */
enum nvmq_map {
	NVMQ_MAP_NONE,
	NVMQ_MAP_ONE,
	NVMQ_MAP_SLOT,
	NVMQ_MAP_BIG,
	NVMQ_MAP_RANGES,
	NVMQ_MAP_PASS = 0x80,
};

/**
 * struct nvmq_big - what a request of more than 128 KiB needs
 * @nents: entries of @sg that were given to dma_map_sg_attrs()
 * @pages: list pages in @chain
 * @chain: the PRP list
 * @sg: the segments
 */
struct nvmq_big {
	int nents;
	u32 pages;
	struct nvmq_prp_chain chain;
	struct scatterlist sg[NVMQ_MAX_SEGS];
};

/**
 * struct nvmq_pass - the part of a command of user space (REQ_OP_DRV_IN and REQ_OP_DRV_OUT)
 * @sqe: what it asks for; CID, flags and data pointer are filled in on the way down
 * @result: out: dwords 0 and 1 of the completion
 */
struct nvmq_pass {
	struct nvmq_sqe sqe;
	u64 result;
};

/* Status of a command that was taken back for a reset: with a bit more than a device's can have. */
#define NVMQ_TAKEN_BACK	(BIT(15) | NVMQ_SC_HOST_ABORTED)

/**
 * struct nvmq_iod - the driver's part of a request (the blk-mq PDU)
 * @prp1: PRP1; for NVMQ_MAP_ONE and NVMQ_MAP_RANGES what to unmap
 * @prp2: PRP2
 * @big: NVMQ_MAP_BIG
 * @ranges: NVMQ_MAP_RANGES: the range list
 * @len: NVMQ_MAP_ONE: bytes mapped
 * @nents: NVMQ_MAP_SLOT: entries of the tag's scatterlist; NVMQ_MAP_RANGES:
 *         number of ranges
 * @status: status field of the completion, if it is not success
 * @map: enum nvmq_map
 * @sqe_flags: flags of the SQE: 0 for PRPs, NVMQ_SQE_SGL
 * @retries: times that the command was sent again; means nothing before the
 *           first retry (RQF_DONTPREP is set then)
 * @aborted: complement of the CID that an Abort was sent for, 0 if none ever was: there is no
 *           CID ffffh. Written by the time-out handler only; if the 16th next command of the
 *           tag times out as well, it is not aborted but the controller reset
 * @pass: a command of user space
 *
 * All that is kept per I/O: written on the way down, read on the way up. @pass is for commands
 * of user space only, which set it and @status before they are executed.
 */
struct nvmq_iod {
	u64 prp1;
	u64 prp2;
	union {
		struct nvmq_big *big;
		struct nvmq_dsm_range *ranges;
	};
	u32 len;
	u16 nents;
	u16 status;
	u8 map;
	u8 sqe_flags;
	u8 retries;
	u16 aborted;
	struct nvmq_pass pass;
};

/**
 * struct nvmq_io_pools - memory that the I/O queues of a controller share
 * @list_pages: pages of chained PRP lists
 * @big: struct nvmq_big; one is always in reserve
 * @spare_ranges: a range list for when memory is short
 * @spare_busy: bit 0: @spare_ranges is in use
 * @crdt_ms: how long a retry waits for a Command Retry Delay of 1, 2 and 3 (CRDT1 to CRDT3);
 *           set by the controller
 * @no_queue: says what becomes of a request whose queue does not exist any more;
 *            set by the controller
 *
 * Not touched by an I/O of up to 128 KiB.
 */
struct nvmq_io_pools {
	struct dma_pool *list_pages;
	mempool_t *big;
	struct nvmq_dsm_range *spare_ranges;
	unsigned long spare_busy;
	u32 crdt_ms[3];
	blk_status_t (*no_queue)(struct nvmq_io_pools *pools, struct request *rq);
};

/**
 * struct nvmq_ioq - an I/O queue pair
 * @q: rings and doorbells; first, so that its cache lines are those of the path
 * @prp: PRP lists, one a tag, @prp_stride bytes apart
 * @prp_dma: DMA address of @prp
 * @prp_stride: bytes from list to list
 * @sgs: scatterlists, NVMQ_SLOT_SEGS a tag
 * @pools: shared with the other queues of the controller
 * @sgl: the controller takes SGLs
 * @sharers: where the completion ring is shared, the queues that use it in the order of their ids,
 *           this one first
 * @nr_sharers: those of them that are there; written before the device knows of them
 * @irq: Linux interrupt number of the completion ring; 0 if the queue is polled
 * @vector: index of that interrupt's vector; -1 if the queue is polled
 * @requested: @irq is held, by the queue whose completion ring it is
 * @name: name of the interrupt
 * @own_done: a command of the driver's own has come back, see nvmq_io_flush()
 * @own_cid: its CID
 * @own_status: status field of its completion
 * @own_sent: it has not come back yet
 */
struct nvmq_ioq {
	struct nvmq_queue q;
	void *prp;
	dma_addr_t prp_dma;
	u32 prp_stride;
	bool sgl;
	struct scatterlist *sgs;
	struct nvmq_io_pools *pools;
	struct nvmq_ioq **sharers;
	u32 nr_sharers;
	int irq;
	int vector;
	bool requested;
	char name[24];
	struct completion own_done;
	u16 own_cid;
	u16 own_status;
	bool own_sent;
};

int nvmq_io_pools_init(struct nvmq_io_pools *pools, struct device *dev);
void nvmq_io_pools_free(struct nvmq_io_pools *pools);
int nvmq_ioq_alloc(struct nvmq_ioq *ioq, struct device *dev, struct nvmq_io_pools *pools,
		   u16 qid, u32 entries, u32 cq_entries, u32 prp_align);
void nvmq_ioq_free(struct nvmq_ioq *ioq);

blk_status_t nvmq_io_queue_rq(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *bd);
void nvmq_io_queue_rqs(nvmq_rq_list *list);
void nvmq_io_commit_rqs(struct blk_mq_hw_ctx *hctx);
int nvmq_io_poll(struct blk_mq_hw_ctx *hctx, struct io_comp_batch *iob);
void nvmq_io_complete_rq(struct request *rq);
irqreturn_t nvmq_io_irq(int irq, void *data);
irqreturn_t nvmq_io_irq_shared(int irq, void *data);

unsigned int nvmq_io_reap(struct nvmq_ioq *ioq);
int nvmq_io_flush(struct nvmq_ioq *ioq, u32 nsid, unsigned long timeout);
u16 nvmq_io_cid(const struct request *rq);
void nvmq_io_describe(struct request *rq, char *text, size_t size);
void nvmq_io_timed_out(struct request *rq);
bool nvmq_io_cancel(struct request *rq, void *data);

#endif /* NVMQ_IO_H */
