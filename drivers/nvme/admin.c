// SPDX-License-Identifier: GPL-2.0
/*
 * The admin queue: synchronous commands, identify, features, queues.
 *
 * Cold code.  Until its interrupt is requested, and after it was freed, the
 * waiters look at the completion ring themselves, so that nothing here depends
 * on the order in which vectors come and go.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "admin.h"
#include "cmd.h"
#include "names.h"
#include "regs.h"
#include "trace.h"

/* A page that the device reads or writes. */
struct dma_page {
	void *mem;
	dma_addr_t dma;
};

/*
 * A command under way.  Belongs to the waiter until done or abandoned; after
 * that to @lost, until the device cannot reach @page any more.
 */
struct waiter {
	struct completion done;
	struct list_head lost;
	u16 status;
	u32 result;
	u32 result1;
	bool gone;		/* the queue was stopped under it */
	bool abandoned;		/* nobody waits any more */
	u32 pages;		/* of the data; more than two are followed by their list */
	struct dma_page page[];
};

/**
 * nvmq_admin_alloc - allocate the admin queue
 * @admin: zeroed
 * @hw: mapped registers
 * @ctrl_id: number of the controller
 * @timeout: jiffies that a command may take
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int nvmq_admin_alloc(struct nvmq_admin *admin, struct nvmq_hw *hw, u16 ctrl_id,
		     unsigned long timeout)
{
	admin->hw = hw;
	admin->timeout = timeout;
	spin_lock_init(&admin->lock);
	init_waitqueue_head(&admin->wait);
	INIT_LIST_HEAD(&admin->lost);
	admin->q.ctrl_id = ctrl_id;
	return nvmq_queue_alloc(&admin->q, &hw->pdev->dev, 0, NVMQ_ADMIN_ENTRIES,
				NVMQ_ADMIN_ENTRIES);
}

/**
 * nvmq_admin_free - undo nvmq_admin_alloc()
 * @admin: stopped and forgotten
 */
void nvmq_admin_free(struct nvmq_admin *admin)
{
	nvmq_queue_free(&admin->q);
}

/**
 * nvmq_admin_start - enable the controller with this admin queue
 * @admin: allocated or stopped; the controller is disabled
 *
 * Context: may sleep.
 * Return: 0 or what nvmq_hw_enable() says.
 */
int nvmq_admin_start(struct nvmq_admin *admin)
{
	struct nvmq_hw *hw = admin->hw;
	u32 dstrd = NVMQ_CAP_DSTRD(hw->cap);
	int err;

	nvmq_queue_reset(&admin->q);
	err = nvmq_hw_enable(hw, NVMQ_ADMIN_ENTRIES, admin->q.sq_dma, admin->q.cq_dma);
	if (err)
		return err;
	admin->q.sq_db = hw->bar + nvmq_doorbell_offset(0, false, dstrd);
	admin->q.cq_db = hw->bar + nvmq_doorbell_offset(0, true, dstrd);
	spin_lock_irq(&admin->lock);
	admin->tags = 0;
	admin->aborts = 0;
	admin->epoch++;
	admin->q.live = true;
	spin_unlock_irq(&admin->lock);
	return 0;
}

/* The Asynchronous Event Request, whose slot belongs to @admin itself.  @admin->lock held. */
static void event_came(struct nvmq_admin *admin, const struct nvmq_cqe *cqe)
{
	u16 status = le16_to_cpu(cqe->status) >> 1;

	/* Taken back by the device, or not known to it: no events then. */
	if (status)
		dev_warn_ratelimited(admin->q.dev, "Asynchronous Event Request ended: %s (%#x)\n",
				     nvmq_names_status(status), status);
	else
		admin->event(admin, le32_to_cpu(cqe->dw0));
}

/* An Abort, for which nobody waits.  What it was for ends by itself, or not.  @admin->lock held. */
static void abort_came(struct nvmq_admin *admin, const struct nvmq_cqe *cqe)
{
	u16 status = le16_to_cpu(cqe->status) >> 1;

	__clear_bit(le16_to_cpu(cqe->cid) & NVMQ_CID_TAG_MASK, &admin->tags);
	admin->aborts--;
	admin->abort_seen = jiffies;
	wake_up(&admin->wait);
	if (status)
		dev_warn_ratelimited(admin->q.dev, "Abort refused: %s (%#x)\n",
				     nvmq_names_status(status), status);
}

/* @admin->lock held.  Completes what the ring holds; returns how many. */
static unsigned int reap(struct nvmq_admin *admin)
{
	struct nvmq_cq_cursor cur;
	const struct nvmq_cqe *cqe;
	unsigned int found = 0;

	lockdep_assert_held(&admin->lock);
	if (!admin->q.live)
		return 0;
	cur = nvmq_cq_begin(&admin->q);
	while ((cqe = nvmq_cq_peek(&admin->q, &cur))) {
		u16 cid = le16_to_cpu(cqe->cid);
		void *owner = nvmq_slot_take(&admin->q, cid);
		struct waiter *w = owner;

		trace_nvmq_completion(admin->q.ctrl_id, 0, cur.head, cqe);
		if (owner == admin) {
			event_came(admin, cqe);
		} else if (owner == &admin->aborts) {
			abort_came(admin, cqe);
		} else if (!w) {
			admin->q.bogus++;
			dev_warn_ratelimited(admin->q.dev,
					     "admin queue: completion of CID %#06x, which no command has: dropped\n",
					     cid);
		} else {
			w->status = le16_to_cpu(cqe->status) >> 1;
			w->result = le32_to_cpu(cqe->dw0);
			w->result1 = le32_to_cpu(cqe->dw1);
			/* An abandoned waiter keeps tag and memory until the queue stops. */
			if (!w->abandoned)
				complete(&w->done);
		}
		nvmq_cq_advance(&admin->q, &cur);
		found++;
	}
	if (found) {
		trace_nvmq_doorbell(admin->q.ctrl_id, 0, true, cur.head);
		nvmq_cq_end(&admin->q, &cur);
	}
	return found;
}

static unsigned int reap_now(struct nvmq_admin *admin)
{
	unsigned long flags;
	unsigned int found;

	spin_lock_irqsave(&admin->lock, flags);
	found = reap(admin);
	spin_unlock_irqrestore(&admin->lock, flags);
	return found;
}

static irqreturn_t admin_irq(int irq, void *data)
{
	struct nvmq_admin *admin = data;
	unsigned int found = reap_now(admin);

	trace_nvmq_interrupt(admin->q.ctrl_id, 0, irq, found);
	return found ? IRQ_HANDLED : IRQ_NONE;
}

/**
 * nvmq_admin_request_irq - let an interrupt complete the commands
 * @admin: the queue
 * @irq: Linux interrupt number of vector 0
 *
 * Context: may sleep.
 * Return: 0 or an error of request_irq().
 */
int nvmq_admin_request_irq(struct nvmq_admin *admin, int irq)
{
	int err = request_irq(irq, admin_irq, IRQF_SHARED, "nvmq admin", admin);

	if (err)
		return err;
	WRITE_ONCE(admin->irq, irq);
	/* What came while there was none would tell nobody. */
	reap_now(admin);
	return 0;
}

/**
 * nvmq_admin_free_irq - undo nvmq_admin_request_irq(), if it was done
 * @admin: the queue; waiters go on by polling
 */
void nvmq_admin_free_irq(struct nvmq_admin *admin)
{
	int irq = admin->irq;

	if (!irq)
		return;
	WRITE_ONCE(admin->irq, 0);
	free_irq(irq, admin);
}

/**
 * nvmq_admin_stop - let nobody use the queue; wake those who wait
 * @admin: the queue
 *
 * They return -ENODEV.  Memory that the device may still write stays, until
 * nvmq_admin_forget().
 *
 * Context: does not sleep.
 */
void nvmq_admin_stop(struct nvmq_admin *admin)
{
	unsigned long flags;
	u32 tag;

	spin_lock_irqsave(&admin->lock, flags);
	admin->q.live = false;
	for (tag = 0; admin->q.slots && tag < NVMQ_ADMIN_TAGS; tag++) {
		void *owner = admin->q.slots[tag].owner;
		struct waiter *w = owner;

		admin->q.slots[tag].owner = NULL;
		if (w && owner != &admin->aborts && !w->abandoned) {
			w->gone = true;
			complete(&w->done);
		}
	}
	if (admin->q.slots)
		admin->q.slots[NVMQ_ADMIN_EVENT_TAG].owner = NULL;
	spin_unlock_irqrestore(&admin->lock, flags);
	wake_up_all(&admin->wait);
}

static void free_waiter(struct nvmq_admin *admin, struct waiter *w)
{
	u32 i;

	for (i = 0; i < w->pages; i++)
		if (w->page[i].mem)
			dma_free_coherent(admin->q.dev, NVMQ_PAGE_SIZE, w->page[i].mem,
					  w->page[i].dma);
	kfree(w);
}

/* Copies between the pages of a command and @buf. */
static void copy_data(struct waiter *w, void *buf, u32 len, bool to_device)
{
	u32 i, bytes;

	for (i = 0; len; i++, len -= bytes, buf += bytes) {
		bytes = min(len, NVMQ_PAGE_SIZE);
		if (to_device)
			memcpy(w->page[i].mem, buf, bytes);
		else
			memcpy(buf, w->page[i].mem, bytes);
	}
}

/*
 * Memory for a command, and PRP1 and PRP2.  Whole pages: devices write up to the
 * end of the page.  Returns %NULL if there is none.
 */
static struct waiter *alloc_waiter(struct nvmq_admin *admin, struct nvmq_admin_cmd *cmd)
{
	u32 data = cmd->buf ? DIV_ROUND_UP(cmd->len, NVMQ_PAGE_SIZE) : 0;
	u32 pages = data > 2 ? data + 1 : data;
	struct waiter *w;
	__le64 *list;
	u32 i;

	w = kzalloc(struct_size(w, page, pages), GFP_KERNEL);
	if (!w)
		return NULL;
	init_completion(&w->done);
	w->pages = pages;
	for (i = 0; i < pages; i++) {
		w->page[i].mem = dma_alloc_coherent(admin->q.dev, NVMQ_PAGE_SIZE, &w->page[i].dma,
						    GFP_KERNEL);
		if (!w->page[i].mem) {
			free_waiter(admin, w);
			return NULL;
		}
	}
	if (!data)
		return w;
	if (cmd->to_device)
		copy_data(w, cmd->buf, cmd->len, true);
	cmd->sqe.prp1 = cpu_to_le64(w->page[0].dma);
	cmd->sqe.prp2 = data > 1 ? cpu_to_le64(w->page[pages > 2 ? data : 1].dma) : 0;
	if (pages > 2) {
		list = w->page[data].mem;
		for (i = 1; i < data; i++)
			*list++ = cpu_to_le64(w->page[i].dma);
	}
	return w;
}

/**
 * nvmq_admin_forget - free the buffers of commands that never came back
 * @admin: a stopped queue of a controller that can do no more DMA
 *
 * Context: may sleep.
 */
void nvmq_admin_forget(struct nvmq_admin *admin)
{
	struct waiter *w, *next;
	LIST_HEAD(lost);

	spin_lock_irq(&admin->lock);
	list_splice_init(&admin->lost, &lost);
	spin_unlock_irq(&admin->lock);
	list_for_each_entry_safe(w, next, &lost, lost)
		free_waiter(admin, w);
}

static int get_tag(struct nvmq_admin *admin, u32 *epoch)
{
	int tag;

	spin_lock_irq(&admin->lock);
	if (!admin->q.live) {
		tag = -ENODEV;
	} else {
		tag = find_first_zero_bit(&admin->tags, NVMQ_ADMIN_TAGS);
		if (tag < NVMQ_ADMIN_TAGS)
			__set_bit(tag, &admin->tags);
		else
			tag = -EBUSY;
	}
	*epoch = admin->epoch;
	spin_unlock_irq(&admin->lock);
	return tag;
}

/* @admin->lock held, the queue is live. */
static void push(struct nvmq_admin *admin, struct nvmq_sqe *sqe, u32 tag, void *owner)
{
	sqe->cid = cpu_to_le16(nvmq_slot_give(&admin->q, tag, owner));
	*nvmq_sq_next(&admin->q) = *sqe;
	trace_nvmq_command(admin->q.ctrl_id, 0, admin->q.tail, sqe);
	nvmq_sq_push(&admin->q);
	trace_nvmq_doorbell(admin->q.ctrl_id, 0, false, admin->q.tail);
	nvmq_sq_ring(&admin->q);
}

static void submit(struct nvmq_admin *admin, struct nvmq_sqe *sqe, u32 tag, u32 epoch,
		   struct waiter *w)
{
	spin_lock_irq(&admin->lock);
	if (!admin->q.live || admin->epoch != epoch) {
		w->gone = true;
		complete(&w->done);
	} else {
		push(admin, sqe, tag, w);
	}
	spin_unlock_irq(&admin->lock);
}

/* Without an interrupt the waiter looks itself, and looks whether there is one now. */
static bool await(struct nvmq_admin *admin, struct waiter *w, unsigned long timeout)
{
	unsigned long deadline = jiffies + timeout;
	unsigned int sleep_us = 20;

	while (!READ_ONCE(admin->irq)) {
		bool late = time_after(jiffies, deadline);

		reap_now(admin);
		if (try_wait_for_completion(&w->done))
			return true;
		if (late || nvmq_hw_gone(admin->hw) ||
		    (nvmq_hw_status(admin->hw) & NVMQ_CSTS_CFS))
			return false;
		usleep_range(sleep_us, 2 * sleep_us);
		sleep_us = min(2 * sleep_us, 2000u);
	}
	if (wait_for_completion_timeout(&w->done, timeout))
		return true;

	/* The command may be done and only its interrupt lost. */
	if (reap_now(admin) && try_wait_for_completion(&w->done)) {
		admin->q.lost++;
		dev_warn_ratelimited(admin->q.dev,
				     "admin queue: completion found without an interrupt\n");
		return true;
	}
	return try_wait_for_completion(&w->done);
}

/**
 * nvmq_admin_exec - send an admin command and wait for its completion
 * @admin: the queue
 * @cmd: the command
 *
 * Data goes through coherent pages of the command's own, so that the device
 * never writes memory that the caller could have freed after a time-out.
 *
 * Context: sleeps.
 * Return: 0; -EIO if it completed with an error (@cmd->status says which);
 * -ETIMEDOUT if it did not come back, or none of the others before it could be
 * sent; -ENODEV if the queue was stopped or the
 * device is gone; -ENOMEM.
 */
int nvmq_admin_exec(struct nvmq_admin *admin, struct nvmq_admin_cmd *cmd)
{
	unsigned long patience = cmd->timeout ?: admin->timeout;
	struct device *dev = admin->q.dev;
	struct waiter *w;
	int err, tag = -EBUSY;
	u32 epoch;

	if (WARN_ON_ONCE(cmd->len > NVMQ_ADMIN_MAX_DATA))
		return -EINVAL;
	w = alloc_waiter(admin, cmd);
	if (!w)
		return -ENOMEM;

	/* Commands that do not come back keep theirs until a reset, which may wait for us. */
	wait_event_timeout(admin->wait, (tag = get_tag(admin, &epoch)) != -EBUSY, patience);
	if (tag < 0) {
		free_waiter(admin, w);
		return tag == -EBUSY ? -ETIMEDOUT : tag;
	}
	submit(admin, &cmd->sqe, tag, epoch, w);

	if (!await(admin, w, patience)) {
		bool timed_out = !nvmq_hw_gone(admin->hw);
		bool came = false;

		spin_lock_irq(&admin->lock);
		if (try_wait_for_completion(&w->done)) {
			came = true;
		} else {
			w->abandoned = true;
			list_add(&w->lost, &admin->lost);
		}
		spin_unlock_irq(&admin->lock);
		if (!came) {
			dev_err_ratelimited(dev,
					    "admin command %#04x (CID %#06x) %s; CSTS=%#x\n",
					    cmd->sqe.opcode, le16_to_cpu(cmd->sqe.cid),
					    timed_out ? "timed out" : "lost, the device is gone",
					    nvmq_hw_status(admin->hw));
			if (admin->timed_out && READ_ONCE(admin->irq))
				admin->timed_out(admin);
			return timed_out ? -ETIMEDOUT : -ENODEV;
		}
	}

	spin_lock_irq(&admin->lock);
	if (w->gone) {
		/* The device may still have the command: keep its memory. */
		w->abandoned = true;
		list_add(&w->lost, &admin->lost);
		spin_unlock_irq(&admin->lock);
		return -ENODEV;
	}
	if (admin->epoch == epoch)
		__clear_bit(tag, &admin->tags);
	spin_unlock_irq(&admin->lock);
	wake_up(&admin->wait);

	cmd->status = w->status;
	cmd->result = w->result;
	cmd->result1 = w->result1;
	err = w->status ? -EIO : 0;
	if (!err && cmd->buf && !cmd->to_device)
		copy_data(w, cmd->buf, cmd->len, false);
	free_waiter(admin, w);
	return err;
}

/**
 * nvmq_admin_identify - Identify (base 5.17)
 * @admin: the queue
 * @cns: which data structure
 * @nsid: namespace, or where a list begins
 * @csi: command set identifier, where the CNS takes one
 * @buf: NVMQ_IDENTIFY_SIZE bytes
 *
 * A failure is logged only if there was no answer: that a device does not know
 * a CNS is normal.
 *
 * Context: sleeps.
 * Return: as nvmq_admin_exec().
 */
int nvmq_admin_identify(struct nvmq_admin *admin, enum nvmq_identify_cns cns, u32 nsid,
			u8 csi, void *buf)
{
	struct nvmq_admin_cmd cmd = {
		.sqe.opcode = NVMQ_ADMIN_IDENTIFY,
		.sqe.nsid = cpu_to_le32(nsid),
		.sqe.cdw10 = cpu_to_le32(cns),
		.sqe.cdw11 = cpu_to_le32((u32)csi << 24),
		.buf = buf,
		.len = NVMQ_IDENTIFY_SIZE,
	};

	return nvmq_admin_exec(admin, &cmd);
}

/**
 * nvmq_admin_log_page - Get Log Page (base 5.16)
 * @admin: the queue
 * @page: which one
 * @buf: filled from the beginning of the page
 * @len: bytes, whole dwords, at most a page of memory
 *
 * The event that the page belongs to may be reported again from then on.
 *
 * Context: sleeps.
 * Return: as nvmq_admin_exec().
 */
int nvmq_admin_log_page(struct nvmq_admin *admin, enum nvmq_log_page page, void *buf, u32 len)
{
	struct nvmq_admin_cmd cmd = {
		.sqe.opcode = NVMQ_ADMIN_GET_LOG_PAGE,
		.sqe.nsid = cpu_to_le32(NVMQ_NSID_ALL),
		.sqe.cdw10 = cpu_to_le32((len / 4 - 1) << 16 | page),
		.buf = buf,
		.len = len,
	};

	return nvmq_admin_exec(admin, &cmd);
}

/**
 * nvmq_admin_request_event - Asynchronous Event Request (base 5.2)
 * @admin: the queue
 *
 * One is with the device at any time at most; its completion goes to @admin->event.
 *
 * Context: does not sleep.
 * Return: 0; -EBUSY if there is one; -ENODEV if the queue is stopped.
 */
int nvmq_admin_request_event(struct nvmq_admin *admin)
{
	struct nvmq_sqe sqe = { .opcode = NVMQ_ADMIN_ASYNC_EVENT };
	int err = 0;

	spin_lock_irq(&admin->lock);
	if (!admin->q.live)
		err = -ENODEV;
	else if (admin->q.slots[NVMQ_ADMIN_EVENT_TAG].owner)
		err = -EBUSY;
	else
		push(admin, &sqe, NVMQ_ADMIN_EVENT_TAG, admin);
	spin_unlock_irq(&admin->lock);
	return err;
}

/**
 * nvmq_admin_abort - Abort (base 5.1), without waiting for it
 * @admin: the queue
 * @sqid: submission queue of the command
 * @cid: its identifier
 *
 * If the device still has the command it completes it with "abort requested", soon or late; if
 * not, or if it does not care, nothing comes of this.
 *
 * Context: does not sleep.
 * Return: 0; -EBUSY if the device takes no more aborts just now; -ETIMEDOUT if none of those that
 * it has taken came back in the time of an admin command after the last; -ENODEV if the queue is
 * stopped.
 */
int nvmq_admin_abort(struct nvmq_admin *admin, u16 sqid, u16 cid)
{
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_ADMIN_ABORT,
		.cdw10 = cpu_to_le32((u32)cid << 16 | sqid),
	};
	unsigned long tag;
	int err = 0;

	spin_lock_irq(&admin->lock);
	tag = find_first_zero_bit(&admin->tags, NVMQ_ADMIN_TAGS);
	if (!admin->q.live) {
		err = -ENODEV;
	} else if (admin->aborts >= admin->max_aborts || tag >= NVMQ_ADMIN_TAGS) {
		bool late = time_after(jiffies, admin->abort_seen + admin->timeout);

		err = admin->aborts && late ? -ETIMEDOUT : -EBUSY;
	} else {
		__set_bit(tag, &admin->tags);
		admin->aborts++;
		admin->abort_seen = jiffies;
		push(admin, &sqe, tag, &admin->aborts);
	}
	spin_unlock_irq(&admin->lock);
	return err;
}

/**
 * nvmq_admin_set_feature - Set Features (base 5.27)
 * @admin: the queue
 * @cmd: dword 10 has the feature; the opcode is set here
 * @name: of the feature, for the log
 *
 * Context: sleeps.
 * Return: as nvmq_admin_exec(); that the device refuses (-EIO) is in the log then.
 */
int nvmq_admin_set_feature(struct nvmq_admin *admin, struct nvmq_admin_cmd *cmd, const char *name)
{
	int err;

	cmd->sqe.opcode = NVMQ_ADMIN_SET_FEATURES;
	err = nvmq_admin_exec(admin, cmd);
	if (err == -EIO)
		dev_warn(admin->q.dev, "Set Features, %s, refused: %s (%#x)\n", name,
			 nvmq_names_status(cmd->status), cmd->status);
	return err;
}

/**
 * nvmq_admin_allow_retry_delay - let the device say when a failed command may be tried again
 * @admin: the queue
 *
 * Host Behavior Support, ACRE (base 5.27.1.18): without it CRD is always 0.
 *
 * Context: sleeps.
 * Return: 0, also if the device refuses; or another error of nvmq_admin_exec().
 */
int nvmq_admin_allow_retry_delay(struct nvmq_admin *admin)
{
	struct nvmq_host_behavior behavior = { .acre = 1 };
	struct nvmq_admin_cmd cmd = {
		.sqe.cdw10 = cpu_to_le32(NVMQ_FEAT_HOST_BEHAVIOR),
		.buf = &behavior,
		.len = sizeof(behavior),
		.to_device = true,
	};
	int err = nvmq_admin_set_feature(admin, &cmd, "Host Behavior Support");

	return err == -EIO ? 0 : err;
}

/**
 * nvmq_admin_set_queue_count - ask for I/O queues (base 5.27.1.5)
 * @admin: the queue; no I/O queue exists yet
 * @wanted: pairs, 1 to 65535
 * @granted: out: pairs that may be created, at most @wanted
 *
 * The device answers with a number of submission and a number of completion
 * queues; a pair takes one of each.  A device that refuses the command has no
 * I/O queues to give: @granted is 0, and that is no error.
 *
 * Context: sleeps.
 * Return: 0, or an error of nvmq_admin_exec() other than -EIO.
 */
int nvmq_admin_set_queue_count(struct nvmq_admin *admin, u32 wanted, u32 *granted)
{
	struct nvmq_admin_cmd cmd = {
		.sqe.cdw10 = cpu_to_le32(NVMQ_FEAT_QUEUE_COUNT),
		.sqe.cdw11 = cpu_to_le32((wanted - 1) << 16 | (wanted - 1)),
	};
	int err = nvmq_admin_set_feature(admin, &cmd, "Number of Queues");
	u32 sqs, cqs;

	*granted = 0;
	if (err)
		return err == -EIO ? 0 : err;
	/* Both halves are 0's based, and 65535 is no number of queues. */
	sqs = (cmd.result & 0xffff) + 1;
	cqs = (cmd.result >> 16) + 1;
	*granted = min3(sqs, cqs, wanted);
	return 0;
}

/**
 * nvmq_admin_set_coalescing - Set Features, Interrupt Coalescing (base 5.27.1.6)
 * @admin: the queue
 * @completions: that an interrupt may wait for, 1 to 256
 * @us: but no longer than so many microseconds, 0 to 25500
 *
 * A recommendation to the device.  1 and 0 are no coalescing.
 *
 * Context: sleeps.
 * Return: as nvmq_admin_set_feature().
 */
int nvmq_admin_set_coalescing(struct nvmq_admin *admin, u32 completions, u32 us)
{
	struct nvmq_admin_cmd cmd = {
		.sqe.cdw10 = cpu_to_le32(NVMQ_FEAT_COALESCING),
		.sqe.cdw11 = cpu_to_le32((us / 100) << 8 | (completions - 1)),
	};

	return nvmq_admin_set_feature(admin, &cmd, "Interrupt Coalescing");
}

/**
 * nvmq_admin_set_arbitration - Set Features, Arbitration (base 5.27.1.1)
 * @admin: the queue
 * @burst: log2 of the commands that may be fetched from a queue at once, 0 to 6; 7: any number
 * @high: weight of the class, 1 to 256
 * @medium: likewise
 * @low: likewise
 *
 * Context: sleeps.
 * Return: as nvmq_admin_set_feature().
 */
int nvmq_admin_set_arbitration(struct nvmq_admin *admin, u32 burst, u32 high, u32 medium, u32 low)
{
	struct nvmq_admin_cmd cmd = {
		.sqe.cdw10 = cpu_to_le32(NVMQ_FEAT_ARBITRATION),
		.sqe.cdw11 = cpu_to_le32((high - 1) << 24 | (medium - 1) << 16 | (low - 1) << 8 |
					 burst),
	};

	return nvmq_admin_set_feature(admin, &cmd, "Arbitration");
}

/* Create and Delete: an error status is worth a line each time. */
static int queue_cmd(struct nvmq_admin *admin, struct nvmq_admin_cmd *cmd, const char *what,
		     u16 qid)
{
	int err = nvmq_admin_exec(admin, cmd);

	if (err == -EIO)
		dev_warn(admin->q.dev, "%s %u refused: %s (%#x)\n", what, qid,
			 nvmq_names_status(cmd->status), cmd->status);
	else if (err == -ENOMEM)
		dev_warn(admin->q.dev, "%s %u: no memory\n", what, qid);
	return err;
}

/**
 * nvmq_admin_create_cq - Create I/O Completion Queue (base 5.4)
 * @admin: the queue
 * @q: the pair, with a completion ring of its own
 * @vector: interrupt vector; -1 for a queue without interrupts
 *
 * Return: as nvmq_admin_exec().
 */
int nvmq_admin_create_cq(struct nvmq_admin *admin, const struct nvmq_queue *q, int vector)
{
	u32 flags = NVMQ_QUEUE_CONTIGUOUS;
	struct nvmq_admin_cmd cmd = {
		.sqe.opcode = NVMQ_ADMIN_CREATE_CQ,
		.sqe.prp1 = cpu_to_le64(q->cq_dma),
		.sqe.cdw10 = cpu_to_le32((q->cq_entries - 1) << 16 | q->qid),
	};

	if (vector >= 0)
		flags |= NVMQ_CQ_INTERRUPTS | (u32)vector << 16;
	cmd.sqe.cdw11 = cpu_to_le32(flags);
	return queue_cmd(admin, &cmd, "Create I/O Completion Queue", q->qid);
}

/**
 * nvmq_admin_create_sq - Create I/O Submission Queue (base 5.5)
 * @admin: the queue
 * @q: the pair; the completion queue that it uses, @q->cq, was created already
 * @prio: QPRIO, 0 to 3; 0 unless weighted round robin was selected
 *
 * Return: as nvmq_admin_exec().
 */
int nvmq_admin_create_sq(struct nvmq_admin *admin, const struct nvmq_queue *q, u32 prio)
{
	struct nvmq_admin_cmd cmd = {
		.sqe.opcode = NVMQ_ADMIN_CREATE_SQ,
		.sqe.prp1 = cpu_to_le64(q->sq_dma),
		.sqe.cdw10 = cpu_to_le32((q->entries - 1) << 16 | q->qid),
		.sqe.cdw11 = cpu_to_le32((u32)q->cq->qid << 16 | NVMQ_SQ_QPRIO(prio) |
					 NVMQ_QUEUE_CONTIGUOUS),
	};

	return queue_cmd(admin, &cmd, "Create I/O Submission Queue", q->qid);
}

static int delete_queue(struct nvmq_admin *admin, u8 opcode, const char *what, u16 qid)
{
	struct nvmq_admin_cmd cmd = {
		.sqe.opcode = opcode,
		.sqe.cdw10 = cpu_to_le32(qid),
	};

	return queue_cmd(admin, &cmd, what, qid);
}

/**
 * nvmq_admin_delete_sq - Delete I/O Submission Queue (base 5.7)
 * @admin: the queue
 * @qid: the submission queue; before its completion queue
 *
 * Return: as nvmq_admin_exec().
 */
int nvmq_admin_delete_sq(struct nvmq_admin *admin, u16 qid)
{
	return delete_queue(admin, NVMQ_ADMIN_DELETE_SQ, "Delete I/O Submission Queue", qid);
}

/**
 * nvmq_admin_delete_cq - Delete I/O Completion Queue (base 5.6)
 * @admin: the queue
 * @qid: the completion queue
 *
 * Return: as nvmq_admin_exec().
 */
int nvmq_admin_delete_cq(struct nvmq_admin *admin, u16 qid)
{
	return delete_queue(admin, NVMQ_ADMIN_DELETE_CQ, "Delete I/O Completion Queue", qid);
}
