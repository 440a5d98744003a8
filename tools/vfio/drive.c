// SPDX-License-Identifier: GPL-2.0
/* See drive.h. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>

#include "drive.h"
#include "kernel.h"
#include "memory.h"
#include "names.h"
#include "regs.h"
#include "trace.h"

/* A device that says nothing of RTD3E. */
#define SHUTDOWN_MS	5000

/**
 * drive_error - an error of the driver's sources in words
 * @err: negative errno
 *
 * Return: a constant string.
 */
const char *drive_error(int err)
{
	switch (err) {
	case -ENODEV:
		return "the device is gone: its registers read as all ones";
	case -ETIMEDOUT:
		return "the controller did not answer in time";
	case -EIO:
		return "the controller reports an error";
	default:
		return strerror(-err);
	}
}

/* ---- up and down ---- */

/**
 * drive_open - open a controller; it does nothing yet
 * @d: filled in; to be given to drive_close() in either case
 * @bdf: its PCI address
 *
 * Return: 0; -1, with a line on stderr.
 */
int drive_open(struct drive *d, const char *bdf)
{
	memset(d, 0, sizeof(*d));
	if (device_open(&d->dev, bdf))
		return -1;
	kernel_start(&d->dev);
	if (nvmq_hw_map(&d->hw, &d->dev.pdev))
		return -1;
	return nvmq_hw_probe_caps(&d->hw) ? -1 : 0;
}

/**
 * drive_close - undo drive_open()
 * @d: the controller
 */
void drive_close(struct drive *d)
{
	drive_down(d);
	device_close(&d->dev);
	memory_forget();
}

/**
 * drive_disable - disable the controller, whatever state it is in
 * @d: the controller, opened
 *
 * Return: 0; -1, with a line on stderr.
 */
int drive_disable(struct drive *d)
{
	int err = nvmq_hw_disable(&d->hw);

	if (err)
		drive_err(d, "it cannot be disabled: %s", drive_error(err));
	return err ? -1 : 0;
}

/**
 * drive_enable - give the controller its admin queue and enable it
 * @d: the controller, disabled
 *
 * Return: 0; -1, with a line on stderr.
 */
int drive_enable(struct drive *d)
{
	int err;

	if (device_set_master(&d->dev, true))
		return -1;
	err = nvmq_admin_alloc(&d->admin, &d->hw, 0, DRIVE_SECONDS * HZ);
	if (err)
		return -1;
	d->up = true;
	return nvmq_admin_start(&d->admin) ? -1 : 0;
}

/**
 * drive_identify_ctrl - ask a controller what it is
 * @d: the controller, enabled; @d->id and @d->max_bytes are filled in
 *
 * Return: 0; -1, with a line on stderr.
 */
int drive_identify_ctrl(struct drive *d)
{
	if (drive_identify(d, NVMQ_CNS_CONTROLLER, 0, &d->id))
		return -1;
	d->max_bytes = MEMORY_CHUNK;
	/* MDTS is in pages of MPSMIN, which is 4 KiB. */
	if (d->id.mdts && d->id.mdts < 9)
		d->max_bytes = NVMQ_PAGE_SIZE << d->id.mdts;
	return 0;
}

/**
 * drive_up - all of that
 * @d: the controller, opened
 *
 * Return: 0; -1, with a line on stderr.
 */
int drive_up(struct drive *d)
{
	return drive_disable(d) || drive_enable(d) || drive_identify_ctrl(d) ? -1 : 0;
}

/**
 * drive_down - shut the controller down, and disable it
 * @d: the controller, in any state; its I/O queues are deleted, or it does not answer
 */
void drive_down(struct drive *d)
{
	u32 ms = le32_to_cpu(d->id.rtd3e) / 1000;

	if (!d->up)
		return;
	d->up = false;
	nvmq_admin_stop(&d->admin);
	if (!(nvmq_hw_status(&d->hw) & NVMQ_CSTS_CFS))
		nvmq_hw_shutdown(&d->hw, ms ? min(ms, 60000u) : SHUTDOWN_MS);
	/* What it cannot be made to let go of, it has until it is closed. */
	if (nvmq_hw_disable(&d->hw))
		return;
	nvmq_admin_forget(&d->admin);
	nvmq_admin_free(&d->admin);
}

/* ---- identify ---- */

/**
 * drive_identify - Identify
 * @d: the controller, up
 * @cns: what
 * @nsid: of which namespace
 * @to: NVMQ_IDENTIFY_SIZE bytes
 *
 * Return: 0; -1, with a line on stderr.
 */
int drive_identify(struct drive *d, enum nvmq_identify_cns cns, u32 nsid, void *to)
{
	struct nvmq_admin_cmd cmd = {
		.sqe.opcode = NVMQ_ADMIN_IDENTIFY,
		.sqe.nsid = cpu_to_le32(nsid),
		.sqe.cdw10 = cpu_to_le32(cns),
		.buf = to,
		.len = NVMQ_IDENTIFY_SIZE,
	};
	int err = nvmq_admin_exec(&d->admin, &cmd);

	if (err == -EIO)
		drive_err(d, "Identify (CNS %#x, namespace %u) failed: %s (%#x)", cns, nsid,
			  nvmq_names_status(cmd.status), cmd.status);
	/* Others were logged where they came from, memory by memory.c. */
	return err ? -1 : 0;
}

/**
 * drive_first_ns - the active namespace with the lowest number
 * @d: the controller, up
 *
 * Return: its identifier; 0, with a line on stderr if something went wrong, if there is none.
 */
u32 drive_first_ns(struct drive *d)
{
	__le32 list[NVMQ_ACTIVE_LIST_LEN];

	/* Before 1.1 there is no list, and numbers begin with 1. */
	if (d->hw.vs < NVMQ_VS(1, 1))
		return le32_to_cpu(d->id.nn) ? 1 : 0;
	if (drive_identify(d, NVMQ_CNS_ACTIVE_LIST, 0, list))
		return 0;
	return le32_to_cpu(list[0]);
}

/**
 * drive_find_ns - what it takes to read and write a namespace
 * @d: the controller, up
 * @nsid: its identifier; 0 for the first
 * @ns: filled in
 *
 * Return: 0; -1, with a line on stderr.
 */
int drive_find_ns(struct drive *d, u32 nsid, struct drive_ns *ns)
{
	struct nvmq_id_ns id;
	const struct nvmq_lbaf *format;

	if (d->hw.no_io) {
		drive_err(d, "it has no I/O command set");
		return -1;
	}
	if (!nsid)
		nsid = drive_first_ns(d);
	if (!nsid) {
		drive_err(d, "it has no namespace");
		return -1;
	}
	if (nsid > le32_to_cpu(d->id.nn)) {
		drive_err(d, "there is no namespace %u: its numbers end with %u", nsid,
			  le32_to_cpu(d->id.nn));
		return -1;
	}
	if (drive_identify(d, NVMQ_CNS_NAMESPACE, nsid, &id))
		return -1;
	format = &id.lbaf[nvmq_lbaf_index(id.flbas)];
	ns->blocks = le64_to_cpu(id.nsze);
	if (!ns->blocks) {
		drive_err(d, "namespace %u is not active", nsid);
		return -1;
	}
	if (format->lbads < SECTOR_SHIFT || format->lbads > 16 || format->ms ||
	    ns->blocks > 1ull << 63 >> format->lbads) {
		drive_err(d, "namespace %u is not for this: %llu blocks of 2^%u bytes, %u of metadata",
			  nsid, (unsigned long long)ns->blocks, format->lbads,
			  le16_to_cpu(format->ms));
		return -1;
	}
	memset(&ns->cmd, 0, sizeof(ns->cmd));
	ns->cmd.nsid = nsid;
	ns->cmd.lba_shift = format->lbads;
	return 0;
}

/* ---- queues ---- */

/**
 * drive_grant_queues - ask for I/O queues
 * @d: the controller, up
 * @wanted: pairs
 *
 * Return: 0; -1, with a line on stderr, if there are fewer.
 */
int drive_grant_queues(struct drive *d, u32 wanted)
{
	u32 granted;

	if (nvmq_admin_set_queue_count(&d->admin, wanted, &granted))
		return -1;
	granted = min(granted, nvmq_hw_map_doorbells(&d->hw, granted));
	if (granted >= wanted)
		return 0;
	drive_err(d, "%u queue pairs are wanted, it grants %u", wanted, granted);
	return -1;
}

/**
 * drive_add_queue - create a queue pair
 * @d: the controller, up; as many queues were granted
 * @dq: @dq->event and @dq->vector are set, all else is filled in
 * @qid: its number
 * @entries: of both rings
 *
 * Return: 0; -1, with a line on stderr.
 */
int drive_add_queue(struct drive *d, struct drive_queue *dq, u16 qid, u32 entries)
{
	u32 dstrd = NVMQ_CAP_DSTRD(d->hw.cap);

	memset(&dq->q, 0, sizeof(dq->q));
	if (nvmq_queue_alloc(&dq->q, &d->dev.pdev.dev, qid, entries, entries))
		return -1;
	dq->q.sq_db = d->hw.bar + nvmq_doorbell_offset(qid, false, dstrd);
	dq->q.cq_db = d->hw.bar + nvmq_doorbell_offset(qid, true, dstrd);
	if (nvmq_admin_create_cq(&d->admin, &dq->q, dq->event < 0 ? -1 : (int)dq->vector))
		return -1;
	if (nvmq_admin_create_sq(&d->admin, &dq->q, 0)) {
		nvmq_admin_delete_cq(&d->admin, qid);
		return -1;
	}
	dq->q.live = true;
	return 0;
}

/**
 * drive_remove_queue - undo drive_add_queue()
 * @d: the controller
 * @dq: the queue; it need not have come that far
 *
 * The memory of a queue that the device does not give up stays until drive_close().
 */
void drive_remove_queue(struct drive *d, struct drive_queue *dq)
{
	if (!dq->q.live)
		return;
	dq->q.live = false;
	if (!nvmq_admin_delete_sq(&d->admin, dq->q.qid) &&
	    !nvmq_admin_delete_cq(&d->admin, dq->q.qid))
		nvmq_queue_free(&dq->q);
}

/* ---- data ---- */

/**
 * drive_alloc_buffer - memory for data
 * @d: the controller
 * @buffer: filled in
 * @bytes: how much, at most @d->max_bytes
 *
 * Return: 0; -1, with a line on stderr.
 */
int drive_alloc_buffer(struct drive *d, struct drive_buffer *buffer, u32 bytes)
{
	buffer->memory = memory_alloc(&d->dev, bytes, &buffer->prp1);
	if (!buffer->memory)
		return -1;
	buffer->list = memory_alloc(&d->dev, NVMQ_PAGE_SIZE, &buffer->list_dma);
	if (!buffer->list) {
		memory_free(buffer->memory, bytes);
		return -1;
	}
	drive_set_bytes(buffer, bytes);
	return 0;
}

/**
 * drive_free_buffer - undo drive_alloc_buffer()
 * @buffer: the memory; the device does not use it
 * @bytes: as many as then
 */
void drive_free_buffer(struct drive_buffer *buffer, u32 bytes)
{
	memory_free(buffer->memory, bytes);
	memory_free(buffer->list, NVMQ_PAGE_SIZE);
}

/**
 * drive_set_bytes - use a part of a buffer
 * @buffer: the memory, which the device does not use
 * @bytes: how much, from its beginning; at most as many as were allocated
 */
void drive_set_bytes(struct drive_buffer *buffer, u32 bytes)
{
	struct nvmq_prp_chain chain = { .page = { buffer->list }, .dma = { buffer->list_dma } };
	u32 pages = nvmq_prp_pages(buffer->prp1, bytes);

	buffer->bytes = bytes;
	if (pages <= NVMQ_PRP_SLOT_ENTRIES + 1) {
		buffer->prp2 = nvmq_prp_contig(buffer->prp1, bytes, buffer->list, buffer->list_dma);
		return;
	}
	/* A chunk has 512 pages: what comes behind PRP1 fits one page of the list. */
	nvmq_prp_chain_start(&chain, pages - 1);
	nvmq_prp_chain_put(&chain, buffer->prp1 + NVMQ_PAGE_SIZE, bytes - NVMQ_PAGE_SIZE);
	buffer->prp2 = buffer->list_dma;
}

/* Until an interrupt comes, 100 ms at most; a queue without one is looked at again soon. */
static void nap(const struct drive_queue *dq)
{
	struct pollfd poller = { .fd = dq->event, .events = POLLIN };
	eventfd_t count;

	if (dq->event < 0)
		usleep_range(20, 40);
	else if (poll(&poller, 1, 100) == 1 && !eventfd_read(dq->event, &count))
		trace_nvmq_interrupt(0, dq->q.qid, dq->vector, 1);
}

/* Waits for the only command that is with the device. Its status, or a negative errno. */
static int await(struct drive *d, struct drive_queue *dq, void *owner)
{
	struct nvmq_cq_cursor cur = nvmq_cq_begin(&dq->q);
	unsigned long deadline = jiffies + DRIVE_SECONDS * HZ;
	const struct nvmq_cqe *cqe;

	for (;;) {
		bool late = time_after(jiffies, deadline), ours;
		u16 status;

		nap(dq);
		cqe = nvmq_cq_peek(&dq->q, &cur);
		if (!cqe) {
			u32 csts = nvmq_hw_status(&d->hw);

			/* One read: it may go between two, and all ones have CFS set. */
			if (csts == ~0u)
				return -ENODEV;
			if (late || (csts & NVMQ_CSTS_CFS))
				return -ETIMEDOUT;
			continue;
		}
		trace_nvmq_completion(0, dq->q.qid, cur.head, cqe);
		status = le16_to_cpu(cqe->status) >> 1;
		ours = nvmq_slot_take(&dq->q, le16_to_cpu(cqe->cid)) == owner;
		nvmq_cq_advance(&dq->q, &cur);
		nvmq_cq_end(&dq->q, &cur);
		trace_nvmq_doorbell(0, dq->q.qid, true, cur.head);
		if (ours)
			return status;
		drive_err(d, "queue %u: a completion that no command has: dropped", dq->q.qid);
	}
}

/**
 * drive_rw - read or write blocks, and wait for it
 * @d: the controller
 * @dq: an idle queue
 * @ns: the namespace
 * @write: whether to write
 * @block: the first block
 * @buffer: the data, whole blocks
 *
 * Return: 0; -1, with a line on stderr.
 */
int drive_rw(struct drive *d, struct drive_queue *dq, const struct drive_ns *ns, bool write,
	     u64 block, const struct drive_buffer *buffer)
{
	u32 slot = dq->q.tail;
	int status;

	drive_push(&dq->q, &ns->cmd, 0, dq, write, block, buffer);
	trace_nvmq_command(0, dq->q.qid, slot, &dq->q.sqes[slot]);
	nvmq_sq_ring(&dq->q);
	trace_nvmq_doorbell(0, dq->q.qid, false, dq->q.tail);
	status = await(d, dq, dq);
	if (!status)
		return 0;
	if (status < 0)
		drive_err(d, "%s of block %llu: %s", write ? "Write" : "Read",
			  (unsigned long long)block, drive_error(status));
	else
		drive_err(d, "%s of block %llu failed: %s (%#x)", write ? "Write" : "Read",
			  (unsigned long long)block, nvmq_names_status(status),
			  status & NVMQ_SC_MASK);
	return -1;
}
