/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A controller that this process drives, with the driver's own sources: up, down, its namespaces,
 * its queues, and one command at a time.
 */
#ifndef NVMQ_VFIO_DRIVE_H
#define NVMQ_VFIO_DRIVE_H

#include "admin.h"
#include "cmd.h"
#include "device.h"
#include "hw.h"
#include "prp.h"
#include "queue.h"

/* How long a command may take. */
#define DRIVE_SECONDS	5

/**
 * struct drive - a controller
 * @dev: the function
 * @hw: its registers
 * @admin: its admin queue
 * @up: it is enabled
 * @id: Identify Controller, once it is up
 * @max_bytes: the longest transfer: MDTS, or what memory.h has in one piece
 */
struct drive {
	struct vfio_device dev;
	struct nvmq_hw hw;
	struct nvmq_admin admin;
	bool up;
	struct nvmq_id_ctrl id;
	u32 max_bytes;
};

/**
 * struct drive_ns - a namespace
 * @cmd: what the driver's commands need of it
 * @blocks: how many it has
 */
struct drive_ns {
	struct nvmq_cmd_ns cmd;
	u64 blocks;
};

/**
 * struct drive_buffer - memory for data, with its PRPs
 * @memory: where it is
 * @bytes: as many as are transferred
 * @list: a page for its PRP list
 * @list_dma: address of that for the device
 * @prp1: address of the data for the device
 * @prp2: the second page, or the list, or 0
 */
struct drive_buffer {
	u8 *memory;
	u32 bytes;
	__le64 *list;
	u64 list_dma;
	u64 prp1;
	u64 prp2;
};

/**
 * struct drive_queue - a queue pair
 * @q: the driver's part
 * @event: eventfd of its interrupt; -1 if it is polled
 * @vector: of that interrupt
 */
struct drive_queue {
	struct nvmq_queue q;
	int event;
	u32 vector;
};

/* Message on stderr, one line, about a controller. */
#define drive_err(d, ...)	device_err(&(d)->dev, __VA_ARGS__)

int drive_open(struct drive *d, const char *bdf);
void drive_close(struct drive *d);
int drive_up(struct drive *d);
int drive_disable(struct drive *d);
int drive_enable(struct drive *d);
int drive_identify_ctrl(struct drive *d);
void drive_down(struct drive *d);
int drive_identify(struct drive *d, enum nvmq_identify_cns cns, u32 nsid, void *to);
int drive_find_ns(struct drive *d, u32 nsid, struct drive_ns *ns);
u32 drive_first_ns(struct drive *d);
int drive_grant_queues(struct drive *d, u32 wanted);
int drive_add_queue(struct drive *d, struct drive_queue *dq, u16 qid, u32 entries);
void drive_remove_queue(struct drive *d, struct drive_queue *dq);
int drive_alloc_buffer(struct drive *d, struct drive_buffer *buffer, u32 bytes);
void drive_free_buffer(struct drive_buffer *buffer, u32 bytes);
void drive_set_bytes(struct drive_buffer *buffer, u32 bytes);
int drive_rw(struct drive *d, struct drive_queue *dq, const struct drive_ns *ns, bool write,
	     u64 block, const struct drive_buffer *buffer);
const char *drive_error(int err);

/**
 * drive_push - put a Read or Write into the ring
 * @q: the queue
 * @ns: the namespace
 * @tag: a free tag
 * @owner: what nvmq_slot_take() returns for it
 * @write: whether it is a Write
 * @block: the first block
 * @buffer: its data, whole blocks
 *
 * The device learns of it by nvmq_sq_ring().
 */
static inline void drive_push(struct nvmq_queue *q, const struct nvmq_cmd_ns *ns, u32 tag,
			      void *owner, bool write, u64 block, const struct drive_buffer *buffer)
{
	struct request rq = {
		.cmd_flags = write,
		.bytes = buffer->bytes,
		.pos = block << (ns->lba_shift - SECTOR_SHIFT),
	};
	u16 cid = nvmq_slot_give(q, tag, owner);

	nvmq_cmd_rw(nvmq_sq_next(q), &rq, ns, cid, 0, buffer->prp1, buffer->prp2);
	nvmq_sq_push(q);
}

#endif
