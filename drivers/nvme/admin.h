/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The admin queue and its commands.
 */
#ifndef NVMQ_ADMIN_H
#define NVMQ_ADMIN_H

#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "hw.h"
#include "queue.h"

/*
 * 32 entries hold 31 commands.  The last tag is kept for an Asynchronous Event
 * Request, which stays with the device for as long as nothing happens and must
 * never take the place of a command that somebody waits for.
 */
#define NVMQ_ADMIN_ENTRIES	32u
#define NVMQ_ADMIN_TAGS		(NVMQ_ADMIN_ENTRIES - 2)
#define NVMQ_ADMIN_EVENT_TAG	NVMQ_ADMIN_TAGS

/* More Abort commands than that at a time would leave little for others. */
#define NVMQ_ADMIN_ABORTS	8u

/* Data of a command: one PRP list page has room for as many pages. */
#define NVMQ_ADMIN_MAX_DATA	(2u << 20)

/**
 * struct nvmq_admin_cmd - an admin command and its outcome
 * @sqe: the command; CID and data pointer are filled in by nvmq_admin_exec()
 * @buf: kernel memory to send or to fill; %NULL if there is no data
 * @len: bytes of @buf, at most NVMQ_ADMIN_MAX_DATA; page aligned at the device
 * @to_device: direction of the data
 * @timeout: jiffies that it may take; 0: as any admin command
 * @status: out: status field without the phase tag, valid if the return is -EIO
 * @result: out: dword 0 of the completion
 * @result1: out: dword 1
 *
 * A status is never mixed up with an errno.
 */
struct nvmq_admin_cmd {
	struct nvmq_sqe sqe;
	void *buf;
	u32 len;
	bool to_device;
	unsigned long timeout;
	u16 status;
	u32 result;
	u32 result1;
};

/**
 * struct nvmq_admin - the admin queue of a controller
 * @hw: its registers
 * @q: the queue pair; memory lives from nvmq_admin_alloc() to nvmq_admin_free()
 * @lock: guards both rings, @tags, @epoch, @lost and @aborts; taken in hard interrupt
 *        context
 * @wait: commands wait here for a tag
 * @tags: tags in use, a bit each; a timed-out command keeps its bit
 * @epoch: counts the starts, so that a command of before a reset neither sends
 *         nor frees a tag that is another's by now
 * @lost: buffers of timed-out commands, which the device may still write
 * @aborts: Abort commands that are with the device
 * @abort_seen: jiffies when one of them was sent or came back last
 * @max_aborts: how many of them it takes (ACL), at most NVMQ_ADMIN_ABORTS; set by the owner
 * @irq: Linux interrupt number; 0 while there is none, and waiters poll
 * @timeout: jiffies that a command may take
 * @timed_out: called, from process context, when a command did not come back
 *             while interrupts were on; may be %NULL
 * @event: called, in hard interrupt context and under @lock, with dword 0 of an
 *         Asynchronous Event Request that has completed
 */
struct nvmq_admin {
	struct nvmq_hw *hw;
	struct nvmq_queue q;
	spinlock_t lock;
	wait_queue_head_t wait;
	unsigned long tags;
	u32 epoch;
	struct list_head lost;
	u32 aborts;
	unsigned long abort_seen;
	u32 max_aborts;
	int irq;
	unsigned long timeout;
	void (*timed_out)(struct nvmq_admin *admin);
	void (*event)(struct nvmq_admin *admin, u32 event);
};

int nvmq_admin_alloc(struct nvmq_admin *admin, struct nvmq_hw *hw, u16 ctrl_id,
		     unsigned long timeout);
void nvmq_admin_free(struct nvmq_admin *admin);
int nvmq_admin_start(struct nvmq_admin *admin);
void nvmq_admin_stop(struct nvmq_admin *admin);
void nvmq_admin_forget(struct nvmq_admin *admin);
int nvmq_admin_request_irq(struct nvmq_admin *admin, int irq);
void nvmq_admin_free_irq(struct nvmq_admin *admin);

int nvmq_admin_exec(struct nvmq_admin *admin, struct nvmq_admin_cmd *cmd);
int nvmq_admin_identify(struct nvmq_admin *admin, enum nvmq_identify_cns cns, u32 nsid,
			u8 csi, void *buf);
int nvmq_admin_log_page(struct nvmq_admin *admin, enum nvmq_log_page page, void *buf, u32 len);
int nvmq_admin_request_event(struct nvmq_admin *admin);
int nvmq_admin_abort(struct nvmq_admin *admin, u16 sqid, u16 cid);
int nvmq_admin_set_feature(struct nvmq_admin *admin, struct nvmq_admin_cmd *cmd, const char *name);
int nvmq_admin_allow_retry_delay(struct nvmq_admin *admin);
int nvmq_admin_set_arbitration(struct nvmq_admin *admin, u32 burst, u32 high, u32 medium, u32 low);
int nvmq_admin_set_coalescing(struct nvmq_admin *admin, u32 completions, u32 us);
int nvmq_admin_set_queue_count(struct nvmq_admin *admin, u32 wanted, u32 *granted);
int nvmq_admin_create_cq(struct nvmq_admin *admin, const struct nvmq_queue *q, int vector);
int nvmq_admin_create_sq(struct nvmq_admin *admin, const struct nvmq_queue *q, u32 prio);
int nvmq_admin_delete_cq(struct nvmq_admin *admin, u16 qid);
int nvmq_admin_delete_sq(struct nvmq_admin *admin, u16 qid);

#endif /* NVMQ_ADMIN_H */
