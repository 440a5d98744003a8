/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows that kernels differ.
 *
 * The driver is written for the newest interface; here older kernels are made
 * to look like it.  NVMQ_HAVE_* come from compat-probe.sh, which looks at the
 * headers of the build.
 */
#ifndef NVMQ_COMPAT_H
#define NVMQ_COMPAT_H

#include <linux/blk-mq.h>
#ifdef NVMQ_HAVE_URING_CMD_H
#include <linux/io_uring/cmd.h>
#else
#include <linux/io_uring.h>
#endif
#include <linux/pci.h>
#include <linux/uio.h>

#ifndef NVMQ_PROBED
#error "compat-probe.sh did not run"
#endif

#ifndef NVMQ_HAVE_IRQ_INTX
#define PCI_IRQ_INTX		PCI_IRQ_LEGACY
#endif

#ifdef NVMQ_HAVE_CONST_UEVENT
typedef const struct device nvmq_uevent_device;
#else
typedef struct device nvmq_uevent_device;
#endif

#ifndef NVMQ_HAVE_SHOULD_MERGE
#define BLK_MQ_F_SHOULD_MERGE	0
#endif

#ifndef NVMQ_HAVE_RESV_CONFLICT
#define BLK_STS_RESV_CONFLICT	BLK_STS_NEXUS
#endif

#ifndef NVMQ_HAVE_PR_READ
/* What pr_ops return, as far as it differs from an errno. */
#define PR_STS_SUCCESS			0x0
#define PR_STS_IOERR			0x2
#define PR_STS_RESERVATION_CONFLICT	0x18
#define PR_STS_PATH_FAILED		0x10000
#endif

/**
 * nvmq_compat_map_kern - blk_rq_map_kern() as it is without the queue argument
 * @rq: a request of user space's kind
 * @buf: memory of kmalloc()
 * @len: bytes
 *
 * Context: may sleep.
 * Return: 0 or an error.
 */
static inline int nvmq_compat_map_kern(struct request *rq, void *buf, unsigned int len)
{
#ifdef NVMQ_HAVE_MAP_KERN_RQ
	return blk_rq_map_kern(rq, buf, len, GFP_KERNEL);
#else
	return blk_rq_map_kern(rq->q, rq, buf, len, GFP_KERNEL);
#endif
}

/*
 * queue_rqs: a struct rq_list where there is one, else a pointer to the first
 * request.  Both are a singly linked list through rq_next.
 */
#ifdef NVMQ_HAVE_RQ_LIST
typedef struct rq_list nvmq_rq_list;

/**
 * nvmq_rq_list_head - the first request of a batch
 * @list: what queue_rqs was given
 *
 * Return: the request; %NULL if the list is empty.
 */
static inline struct request *nvmq_rq_list_head(nvmq_rq_list *list)
{
	return list->head;
}

/**
 * nvmq_rq_list_cut - take requests off the front of a batch
 * @list: what queue_rqs was given
 * @rest: the first request that stays in it; %NULL if none does
 */
static inline void nvmq_rq_list_cut(nvmq_rq_list *list, struct request *rest)
{
	list->head = rest;
	if (!rest)
		list->tail = NULL;
}

/**
 * nvmq_iob_filled - does a completion batch hold a request?
 * @iob: the batch
 *
 * Return: true if it does.
 */
static inline bool nvmq_iob_filled(const struct io_comp_batch *iob)
{
	return iob->req_list.head;
}
#else
typedef struct request *nvmq_rq_list;

static inline struct request *nvmq_rq_list_head(nvmq_rq_list *list)
{
	return *list;
}

static inline void nvmq_rq_list_cut(nvmq_rq_list *list, struct request *rest)
{
	*list = rest;
}

static inline bool nvmq_iob_filled(const struct io_comp_batch *iob)
{
	return iob->req_list;
}
#endif

/**
 * nvmq_compat_start_batched - blk_mq_start_request() for queue_rqs
 * @rq: a request that came by queue_rqs, with a driver tag
 *
 * Before 6.7 a request that does not come by queue_rq is not yet in the table
 * in which blk-mq looks for the requests of a tag set, and would not be found
 * by blk_mq_tagset_busy_iter() or the time-out.
 */
static inline void nvmq_compat_start_batched(struct request *rq)
{
#ifdef NVMQ_HAVE_RQF_MQ_INFLIGHT
	rq->mq_hctx->tags->rqs[rq->tag] = rq;
#endif
	blk_mq_start_request(rq);
}

/**
 * nvmq_compat_unfreeze - let requests into a frozen queue again
 * @q: after blk_freeze_queue_start()
 */
static inline void nvmq_compat_unfreeze(struct request_queue *q)
{
#ifdef NVMQ_HAVE_FREEZE_MEMSAVE
	blk_mq_unfreeze_queue_nomemrestore(q);
#else
	blk_mq_unfreeze_queue(q);
#endif
}

/**
 * nvmq_blk_map_sg - blk_rq_map_sg() as it is without the queue argument
 * @rq: the request
 * @sg: table with room for its segments
 *
 * Return: entries of @sg that were filled.
 */
static inline int nvmq_blk_map_sg(struct request *rq, struct scatterlist *sg)
{
#ifdef NVMQ_HAVE_MAP_SG_RQ
	return blk_rq_map_sg(rq, sg);
#else
	return blk_rq_map_sg(rq->q, rq, sg);
#endif
}

/**
 * struct nvmq_disk_limits - the limits of a namespace's queue
 * @lba_size: logical block size, bytes
 * @phys_size: physical block size, bytes; a power of two
 * @io_min: preferred smallest I/O, bytes
 * @io_opt: preferred I/O, bytes; 0 if the device does not say
 * @max_sectors: longest transfer, 512-byte sectors
 * @chunk_sectors: boundary that I/O should not cross, sectors; 0 if there is none
 * @max_segments: scatter/gather segments
 * @discard_sectors: longest discard; 0 if there is none
 * @discard_segments: ranges of a discard
 * @discard_granularity: bytes
 * @wz_sectors: longest write zeroes; 0 if there is none
 * @write_cache: there is a volatile write cache: send flushes and FUA
 *
 * What all kernels' limits have in common; nvmq_compat_alloc_disk() and
 * nvmq_compat_set_limits() write it down in the kernel's own way.
 */
struct nvmq_disk_limits {
	u32 lba_size;
	u32 phys_size;
	u32 io_min;
	u32 io_opt;
	u32 max_sectors;
	u32 chunk_sectors;
	u32 max_segments;
	u32 discard_sectors;
	u32 discard_segments;
	u32 discard_granularity;
	u32 wz_sectors;
	bool write_cache;
};

#define NVMQ_DMA_ALIGNMENT	3	/* PRP1 is dword aligned */
#define NVMQ_VIRT_BOUNDARY	4095	/* NVMQ_PAGE_MASK */

#ifndef NVMQ_HAVE_BLK_MODE
typedef fmode_t blk_mode_t;
#define BLK_OPEN_WRITE		FMODE_WRITE
#endif

/* What block_device_operations.getgeo is called with, and the disk of it */
#ifdef NVMQ_HAVE_GETGEO_DISK
#define NVMQ_GETGEO_ARG		struct gendisk *of
#define NVMQ_GETGEO_DISK()	(of)
#else
#define NVMQ_GETGEO_ARG		struct block_device *of
#define NVMQ_GETGEO_DISK()	((of)->bd_disk)
#endif

/**
 * nvmq_compat_import - an iterator over one buffer of user space
 * @rw: READ if it is to be written to, else WRITE
 * @buf: the buffer
 * @len: its length, bytes
 * @iov: memory that older kernels need for as long as the iterator is used
 * @iter: filled
 *
 * Return: 0; -EFAULT if that is no place of user space.
 */
static inline int nvmq_compat_import(int rw, void __user *buf, size_t len, struct iovec *iov,
				     struct iov_iter *iter)
{
#ifdef NVMQ_HAVE_IMPORT_UBUF
	return import_ubuf(rw, buf, len, iter);
#else
	return import_single_range(rw, buf, len, iov, iter);
#endif
}

/**
 * nvmq_compat_find_disk - find a disk or partition by a function of one's own
 * @match: returns 1 for the one wanted
 * @data: passed to @match
 *
 * The class of all disks is not exported; any disk has it, also one that is
 * thrown away at once.
 *
 * Context: may sleep.
 * Return: the device, to be given back by put_device(); %NULL if there is none,
 * or no memory to look.
 */
static inline struct device *nvmq_compat_find_disk(int (*match)(struct device *, const void *),
						   const void *data)
{
	struct device *found;
	struct gendisk *disk;

#ifdef NVMQ_HAVE_ALLOC_LIMITS
	disk = blk_alloc_disk(NULL, NUMA_NO_NODE);
	if (IS_ERR(disk))
		return NULL;
#else
	disk = blk_alloc_disk(NUMA_NO_NODE);
	if (!disk)
		return NULL;
#endif
	found = class_find_device(disk_to_dev(disk)->class, NULL, data, match);
	put_disk(disk);
	return found;
}

#ifdef NVMQ_HAVE_ALLOC_LIMITS
/**
 * nvmq_compat_fill_limits - write limits down as struct queue_limits
 * @lim: what the block layer takes
 * @l: the limits
 */
static inline void nvmq_compat_fill_limits(struct queue_limits *lim,
					   const struct nvmq_disk_limits *l)
{
	lim->logical_block_size = l->lba_size;
	lim->physical_block_size = l->phys_size;
	lim->io_min = l->io_min;
	lim->io_opt = l->io_opt;
	lim->max_hw_sectors = l->max_sectors;
	lim->chunk_sectors = l->chunk_sectors;
	lim->max_segments = l->max_segments;
	lim->max_segment_size = UINT_MAX;
	lim->virt_boundary_mask = NVMQ_VIRT_BOUNDARY;
	lim->dma_alignment = NVMQ_DMA_ALIGNMENT;
	lim->max_hw_discard_sectors = l->discard_sectors;
	lim->max_discard_segments = l->discard_segments;
	lim->discard_granularity = l->discard_granularity;
	lim->max_write_zeroes_sectors = l->wz_sectors;
	lim->features &= ~(BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA);
	if (l->write_cache)
		lim->features |= BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA;
}

/**
 * nvmq_compat_alloc_disk - allocate a disk with its limits
 * @set: tag set
 * @l: the limits
 * @queuedata: for the request queue
 *
 * Context: may sleep.
 * Return: the disk, or an error pointer.
 */
static inline struct gendisk *nvmq_compat_alloc_disk(struct blk_mq_tag_set *set,
						     const struct nvmq_disk_limits *l,
						     void *queuedata)
{
	struct queue_limits lim = { };

	nvmq_compat_fill_limits(&lim, l);
	return blk_mq_alloc_disk(set, &lim, queuedata);
}

/**
 * nvmq_compat_set_limits - change the limits of a disk
 * @disk: the disk; its queue is frozen for the change
 * @l: the limits
 *
 * Context: sleeps until the I/O of the disk has ended.
 * Return: 0 or an error of the block layer.
 */
static inline int nvmq_compat_set_limits(struct gendisk *disk,
					 const struct nvmq_disk_limits *l)
{
	struct queue_limits lim = queue_limits_start_update(disk->queue);

	nvmq_compat_fill_limits(&lim, l);
	return queue_limits_commit_update_frozen(disk->queue, &lim);
}
#else
/**
 * nvmq_compat_apply_limits - set the limits of a queue one by one
 * @q: a queue that is new or frozen
 * @l: the limits
 */
static inline void nvmq_compat_apply_limits(struct request_queue *q,
					    const struct nvmq_disk_limits *l)
{
	blk_queue_logical_block_size(q, l->lba_size);
	blk_queue_physical_block_size(q, l->phys_size);
	blk_queue_io_min(q, l->io_min);
	blk_queue_io_opt(q, l->io_opt);
	blk_queue_max_hw_sectors(q, l->max_sectors);
	blk_queue_chunk_sectors(q, l->chunk_sectors);
	blk_queue_max_segments(q, l->max_segments);
	blk_queue_virt_boundary(q, NVMQ_VIRT_BOUNDARY);
	blk_queue_dma_alignment(q, NVMQ_DMA_ALIGNMENT);
	blk_queue_max_discard_sectors(q, l->discard_sectors);
	blk_queue_max_discard_segments(q, l->discard_segments);
	q->limits.discard_granularity = l->discard_granularity;
	blk_queue_max_write_zeroes_sectors(q, l->wz_sectors);
	blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
	blk_queue_flag_clear(QUEUE_FLAG_ADD_RANDOM, q);
	blk_queue_write_cache(q, l->write_cache, l->write_cache);
}

static inline struct gendisk *nvmq_compat_alloc_disk(struct blk_mq_tag_set *set,
						     const struct nvmq_disk_limits *l,
						     void *queuedata)
{
	struct gendisk *disk = blk_mq_alloc_disk(set, queuedata);

	if (!IS_ERR(disk))
		nvmq_compat_apply_limits(disk->queue, l);
	return disk;
}

static inline int nvmq_compat_set_limits(struct gendisk *disk,
					 const struct nvmq_disk_limits *l)
{
	blk_mq_freeze_queue(disk->queue);
	nvmq_compat_apply_limits(disk->queue, l);
	blk_mq_unfreeze_queue(disk->queue);
	return 0;
}
#endif

/* ---- commands of io_uring ---- */

/* What a function that ends a request (rq->end_io) is called with. */
#ifdef NVMQ_HAVE_END_IO_BATCH
#define NVMQ_END_IO_ARGS	\
	struct request *rq, blk_status_t err, const struct io_comp_batch *iob
#else
#define NVMQ_END_IO_ARGS	struct request *rq, blk_status_t err
#endif

/* The same of work in the task of a command, with the command and the flags that it is to use. */
#ifdef NVMQ_HAVE_TW_REQ
#define NVMQ_TASK_WORK_ARGS	struct io_tw_req tw_req, io_tw_token_t tw
#define NVMQ_TASK_WORK_CMD()	io_uring_cmd_from_tw(tw_req)
#define NVMQ_TASK_WORK_FLAGS()	IO_URING_CMD_TASK_WORK_ISSUE_FLAGS
#else
#define NVMQ_TASK_WORK_ARGS	struct io_uring_cmd *cmd, unsigned int issue_flags
#define NVMQ_TASK_WORK_CMD()	(cmd)
#define NVMQ_TASK_WORK_FLAGS()	(issue_flags)
#endif

#ifndef NVMQ_HAVE_DO_IN_TASK_LAZY
#define io_uring_cmd_do_in_task_lazy	io_uring_cmd_complete_in_task
#endif

/**
 * nvmq_compat_uring_sqe - the 80 bytes that a command of io_uring brings
 * @cmd: the command, of a ring with big entries
 *
 * Return: memory that user space may be writing to.
 */
static inline const void *nvmq_compat_uring_sqe(const struct io_uring_cmd *cmd)
{
#ifdef NVMQ_HAVE_URING_CMD_H
	return cmd->sqe->cmd;
#else
	return cmd->cmd;
#endif
}

/**
 * nvmq_compat_uring_done - post the completion of a command
 * @cmd: the command
 * @ret: its status, or an error
 * @result: dwords 0 and 1 of the device's completion
 * @issue_flags: as io_uring has passed them
 */
static inline void nvmq_compat_uring_done(struct io_uring_cmd *cmd, int ret, u64 result,
					  unsigned int issue_flags)
{
#ifdef NVMQ_HAVE_DONE32
	io_uring_cmd_done32(cmd, ret, result, issue_flags);
#else
	io_uring_cmd_done(cmd, ret, result, issue_flags);
#endif
}

/**
 * nvmq_compat_import_fixed - an iterator over memory that was registered
 * @cmd: the command
 * @addr: address in it, or of an array of struct iovec
 * @len: bytes, or number of elements
 * @vec: it is an array
 * @rw: READ if it is to be written to, else WRITE
 * @iter: filled
 * @issue_flags: as io_uring has passed them
 *
 * Return: 0 or an error; -EINVAL for an array where the kernel knows none.
 */
static inline int nvmq_compat_import_fixed(struct io_uring_cmd *cmd, u64 addr, u32 len, bool vec,
					   int rw, struct iov_iter *iter, unsigned int issue_flags)
{
#ifdef NVMQ_HAVE_FIXED_VEC
	if (vec)
		return io_uring_cmd_import_fixed_vec(cmd, u64_to_user_ptr(addr), len, rw, iter,
						     issue_flags);
	return io_uring_cmd_import_fixed(addr, len, rw, iter, cmd, issue_flags);
#else
	return vec ? -EINVAL : io_uring_cmd_import_fixed(addr, len, rw, iter, cmd);
#endif
}

/**
 * nvmq_compat_prepare_poll - let nvmq_compat_poll() find a request
 * @rq: a request with a bio, on a polled queue
 * @bdev: its disk
 */
static inline void nvmq_compat_prepare_poll(struct request *rq, struct block_device *bdev)
{
#ifndef NVMQ_HAVE_RQ_POLL
	bio_set_dev(rq->bio, bdev);
	rq->bio->bi_opf |= REQ_POLLED;
#endif
}

/**
 * nvmq_compat_poll - look for completions where one request waits
 * @rq: the request, after nvmq_compat_prepare_poll(); may have ended meanwhile
 * @bio: its bio
 * @iob: batch of the caller
 * @flags: BLK_POLL_*
 *
 * Return: number of completions found.
 */
static inline int nvmq_compat_poll(struct request *rq, struct bio *bio, struct io_comp_batch *iob,
				   unsigned int flags)
{
#ifdef NVMQ_HAVE_RQ_POLL
	return blk_rq_poll(rq, iob, flags);
#else
	int found;

	/* Who has ended it may free the bio; its memory stays a bio's for as long as this. */
	rcu_read_lock();
	found = READ_ONCE(bio->bi_bdev) ? bio_poll(bio, iob, flags) : 0;
	rcu_read_unlock();
	return found;
#endif
}

#endif /* NVMQ_COMPAT_H */
