// SPDX-License-Identifier: GPL-2.0
/*
 * The flight recorder: what a queue did last, in words.
 *
 * The rings are the record: a command stays where it was submitted, and a
 * completion where the device put it, until the ring has gone round.  Beside
 * them the queue remembers when its doorbells were rung.  So nothing is written
 * for the recorder on the path of an I/O but these two times.
 */
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "names.h"
#include "queue.h"
#include "recorder.h"

/* Is this the command that the tag stands for now? */
static bool outstanding(const struct nvmq_queue *q, u16 cid)
{
	u32 tag = cid & NVMQ_CID_TAG_MASK;

	return tag < q->entries && READ_ONCE(q->slots[tag].owner) &&
	       READ_ONCE(q->slots[tag].cid) == cid;
}

static void head_line(const struct nvmq_queue *q, char *line)
{
	u32 tag, count = 0;

	for (tag = 0; tag < q->entries; tag++)
		count += !!READ_ONCE(q->slots[tag].owner);
	snprintf(line, NVMQ_RECORDER_LINE,
		 "queue %u: %s, %u outstanding; SQ tail %u, doorbell %u %u ms ago; CQ head %u, doorbell %u ms ago; %llu lost interrupts, %llu bogus completions",
		 q->qid, READ_ONCE(q->live) ? "live" : "not live", count, READ_ONCE(q->tail),
		 READ_ONCE(q->rung), jiffies_to_msecs((u32)jiffies - READ_ONCE(q->rung_at)),
		 READ_ONCE(q->head), jiffies_to_msecs((u32)jiffies - READ_ONCE(q->cq_rung_at)),
		 (unsigned long long)q->lost, (unsigned long long)q->bogus);
}

static void sqe_line(const struct nvmq_queue *q, u32 slot, const struct nvmq_sqe *sqe, char *line)
{
	u16 cid = le16_to_cpu(sqe->cid);

	snprintf(line, NVMQ_RECORDER_LINE,
		 " SQ %4u: CID %#06x %-18s nsid %u prp %#llx %#llx cdw10 %#x %#x %#x%s", slot, cid,
		 q->qid ? nvmq_names_io(sqe->opcode) :
			  nvmq_names_admin(sqe->opcode),
		 le32_to_cpu(sqe->nsid), (unsigned long long)le64_to_cpu(sqe->prp1),
		 (unsigned long long)le64_to_cpu(sqe->prp2),
		 le32_to_cpu(sqe->cdw10), le32_to_cpu(sqe->cdw11), le32_to_cpu(sqe->cdw12),
		 outstanding(q, cid) ? " outstanding" : "");
}

static void cqe_line(u32 slot, const struct nvmq_cqe *cqe, char *line)
{
	u16 status = le16_to_cpu(cqe->status);

	snprintf(line, NVMQ_RECORDER_LINE,
		 " CQ %4u: CID %#06x SQ head %u phase %u result %#x status %#x (%s)", slot,
		 le16_to_cpu(cqe->cid), le16_to_cpu(cqe->sqhd), status & NVMQ_CQE_PHASE,
		 le32_to_cpu(cqe->dw0), status >> 1, nvmq_names_status(status >> 1));
}

/**
 * nvmq_recorder_dump - tell what a queue did last
 * @q: an allocated queue, which may be in use: what happens meanwhile may be told or not
 * @count: how many commands and how many completions, oldest first; less if there were not as many
 *	   since the queue was made or reset
 * @emit: gets the lines
 * @arg: passed to @emit
 *
 * Context: does not sleep, if @emit does not.  The queue's memory must stay.
 */
void nvmq_recorder_dump(const struct nvmq_queue *q, u32 count, nvmq_recorder_emit emit, void *arg)
{
	char line[NVMQ_RECORDER_LINE];
	u32 tail = READ_ONCE(q->tail), head = READ_ONCE(q->head);
	u32 i, slot;

	head_line(q, line);
	emit(arg, line);
	count = min(count, q->entries);
	for (i = count; i; i--) {
		struct nvmq_sqe sqe;

		slot = (tail + q->entries - i) % q->entries;
		memcpy(&sqe, &q->sqes[slot], sizeof(sqe));
		/* Zeroes are a slot that was never used: no command is all zeroes. */
		if (!memchr_inv(&sqe, 0, sizeof(sqe)))
			continue;
		sqe_line(q, slot, &sqe, line);
		emit(arg, line);
	}
	for (i = count; i; i--) {
		struct nvmq_cqe cqe;

		slot = (head + q->entries - i) % q->entries;
		memcpy(&cqe, &q->cqes[slot], sizeof(cqe));
		/* On the first pass the phase tag is 1. */
		if (!memchr_inv(&cqe, 0, sizeof(cqe)))
			continue;
		cqe_line(slot, &cqe, line);
		emit(arg, line);
	}
}
