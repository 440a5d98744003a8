/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a request to a submission queue entry, and from an NVMe status to the
 * block layer's.
 */
#ifndef NVMQ_CMD_H
#define NVMQ_CMD_H

#include <linux/blk-mq.h>

#include <nvmq/spec.h>

/**
 * struct nvmq_cmd_ns - what commands need to know of a namespace
 * @nsid: namespace identifier
 * @lba_shift: log2 of the logical block size, 9 to PAGE_SHIFT
 * @wz_cdw12: flags for Write Zeroes, NVMQ_WZ_DEALLOCATE or 0
 * @durable: all that was acknowledged is on the medium; kept only while no write can end, see
 *           nvmq_nss_flush()
 *
 * Read by every I/O, written only while the namespace's queue is frozen or
 * quiesced.  It is the queuedata of the request queue.
 */
struct nvmq_cmd_ns {
	u32 nsid;
	u32 lba_shift;
	u32 wz_cdw12;
	bool durable;
};

#define NVMQ_CMD_HINTS	(REQ_FUA | REQ_FAILFAST_DEV | REQ_RAHEAD)

/**
 * nvmq_cmd_rw - write the 64 bytes of a Read or Write
 * @sqe: the ring slot
 * @rq: REQ_OP_READ or REQ_OP_WRITE
 * @ns: its namespace
 * @cid: command identifier
 * @flags: SQE flags
 * @prp1: data pointer, first half
 * @prp2: data pointer, second half
 *
 * Nvm 3.2.4 and 3.2.6.  Eight stores of eight bytes: every field is written,
 * as the slot may hold any old command.
 */
static __always_inline void nvmq_cmd_rw(struct nvmq_sqe *sqe, const struct request *rq,
					const struct nvmq_cmd_ns *ns, u16 cid, u8 flags,
					u64 prp1, u64 prp2)
{
	__le64 *qw = (__le64 *)sqe;
	/* REQ_OP_READ is 0 and REQ_OP_WRITE 1; the opcodes are 2 and 1. */
	u32 opcode = NVMQ_IO_READ - (__force u32)req_op(rq);
	u32 cdw12 = (blk_rq_bytes(rq) >> ns->lba_shift) - 1;
	u32 cdw13 = 0;

	if (unlikely(rq->cmd_flags & NVMQ_CMD_HINTS)) {
		if (rq->cmd_flags & REQ_FUA)
			cdw12 |= NVMQ_RW_FUA;
		if (rq->cmd_flags & (REQ_FAILFAST_DEV | REQ_RAHEAD))
			cdw12 |= NVMQ_RW_LIMITED_RETRY;
		if (rq->cmd_flags & REQ_RAHEAD)
			cdw13 = NVMQ_RW_DSM_PREFETCH;
	}

	qw[0] = cpu_to_le64(opcode | (u32)flags << 8 | (u32)cid << 16 | (u64)ns->nsid << 32);
	qw[1] = 0;
	qw[2] = 0;
	qw[3] = cpu_to_le64(prp1);
	qw[4] = cpu_to_le64(prp2);
	qw[5] = cpu_to_le64(blk_rq_pos(rq) >> (ns->lba_shift - SECTOR_SHIFT));
	qw[6] = cpu_to_le64(cdw12 | (u64)cdw13 << 32);
	qw[7] = 0;
}

void nvmq_cmd_other(struct nvmq_sqe *sqe, const struct request *rq,
		    const struct nvmq_cmd_ns *ns, u16 cid, u64 prp1, u32 ranges);
int nvmq_cmd_ranges(struct nvmq_dsm_range *ranges, struct request *rq,
		    const struct nvmq_cmd_ns *ns);
blk_status_t nvmq_cmd_blk_status(u16 status);
u8 nvmq_cmd_opcode(const struct request *rq);

#endif /* NVMQ_CMD_H */
