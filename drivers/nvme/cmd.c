// SPDX-License-Identifier: GPL-2.0
/*
 * The less frequent commands, and what a status means to the block layer.
 */
#include <linux/blk-mq.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "cmd.h"
#include "compat.h"

/**
 * nvmq_cmd_opcode - the NVM opcode for a request
 * @rq: the request
 *
 * Return: the opcode; 0xff for an operation that the driver does not send.
 */
u8 nvmq_cmd_opcode(const struct request *rq)
{
	switch (req_op(rq)) {
	case REQ_OP_READ:
		return NVMQ_IO_READ;
	case REQ_OP_WRITE:
		return NVMQ_IO_WRITE;
	case REQ_OP_FLUSH:
		return NVMQ_IO_FLUSH;
	case REQ_OP_DISCARD:
		return NVMQ_IO_DSM;
	case REQ_OP_WRITE_ZEROES:
		return NVMQ_IO_WRITE_ZEROES;
	default:
		return 0xff;
	}
}

/**
 * nvmq_cmd_other - write the SQE of a Flush, Write Zeroes or Dataset Management
 * @sqe: the ring slot
 * @rq: the request; anything but Read and Write
 * @ns: its namespace
 * @cid: command identifier
 * @prp1: Dataset Management: the range list
 * @ranges: Dataset Management: number of ranges, 1 to 256
 *
 * Base 7.1; nvm 3.2.3 and 3.2.8.
 */
void nvmq_cmd_other(struct nvmq_sqe *sqe, const struct request *rq,
		    const struct nvmq_cmd_ns *ns, u16 cid, u64 prp1, u32 ranges)
{
	u64 slba;

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = nvmq_cmd_opcode(rq);
	sqe->cid = cpu_to_le16(cid);
	sqe->nsid = cpu_to_le32(ns->nsid);

	switch (req_op(rq)) {
	case REQ_OP_DISCARD:
		sqe->prp1 = cpu_to_le64(prp1);
		sqe->cdw10 = cpu_to_le32(ranges - 1);
		sqe->cdw11 = cpu_to_le32(NVMQ_DSM_ATTR_DEALLOCATE);
		break;
	case REQ_OP_WRITE_ZEROES:
		slba = blk_rq_pos(rq) >> (ns->lba_shift - SECTOR_SHIFT);
		sqe->cdw10 = cpu_to_le32(lower_32_bits(slba));
		sqe->cdw11 = cpu_to_le32(upper_32_bits(slba));
		sqe->cdw12 = cpu_to_le32((blk_rq_bytes(rq) >> ns->lba_shift) - 1);
		if (!(rq->cmd_flags & REQ_NOUNMAP))
			sqe->cdw12 |= cpu_to_le32(ns->wz_cdw12);
		break;
	default:
		break;
	}
}

/**
 * nvmq_cmd_ranges - turn the bios of a discard into a range list
 * @ranges: room for NVMQ_DSM_RANGES_MAX; the rest of it is zeroed, as devices
 *          are known to read the whole page
 * @rq: the discard request
 * @ns: its namespace
 *
 * Nvm 3.2.3.  The number of blocks of a range is not 0's based.
 *
 * Return: the number of ranges, or -EIO if the request is not what the
 * queue's limits allow.
 */
int nvmq_cmd_ranges(struct nvmq_dsm_range *ranges, struct request *rq,
		    const struct nvmq_cmd_ns *ns)
{
	u32 shift = ns->lba_shift - SECTOR_SHIFT;
	struct bio *bio;
	u32 n = 0;

	memset(ranges, 0, NVMQ_DSM_RANGES_MAX * sizeof(*ranges));
	/* Where a command has one range (DMRL), discards merge as writes do. */
	if (queue_max_discard_segments(rq->q) == 1) {
		ranges->nlb = cpu_to_le32(blk_rq_bytes(rq) >> ns->lba_shift);
		ranges->slba = cpu_to_le64(blk_rq_pos(rq) >> shift);
		return 1;
	}
	__rq_for_each_bio(bio, rq) {
		u64 slba = bio->bi_iter.bi_sector >> shift;
		u32 nlb = bio->bi_iter.bi_size >> ns->lba_shift;

		if (n == NVMQ_DSM_RANGES_MAX)
			return -EIO;
		ranges[n].nlb = cpu_to_le32(nlb);
		ranges[n].slba = cpu_to_le64(slba);
		n++;
	}
	return n ? n : -EIO;
}

/* All others are BLK_STS_IOERR. */
static const struct {
	u16 code;
	blk_status_t blk;
} status_table[] = {
	{ NVMQ_SC_SUCCESS, BLK_STS_OK },
	{ NVMQ_SC_INVALID_OPCODE, BLK_STS_NOTSUPP },
	{ NVMQ_SC_INVALID_FIELD, BLK_STS_NOTSUPP },
	{ NVMQ_SC_ABORT_REQUESTED, BLK_STS_TIMEOUT },
	{ NVMQ_SC_TRANSIENT_TRANSPORT, BLK_STS_TRANSPORT },
	{ NVMQ_SC_LBA_RANGE, BLK_STS_TARGET },
	{ NVMQ_SC_CAPACITY_EXCEEDED, BLK_STS_NOSPC },
	{ NVMQ_SC_RESERVATION_CONFLICT, BLK_STS_RESV_CONFLICT },
	{ NVMQ_SC_INVALID_PI, BLK_STS_PROTECTION },
	{ NVMQ_SC_READ_ONLY_RANGE, BLK_STS_TARGET },
	{ NVMQ_SC_WRITE_FAULT, BLK_STS_MEDIUM },
	{ NVMQ_SC_UNRECOVERED_READ, BLK_STS_MEDIUM },
	{ NVMQ_SC_GUARD_CHECK, BLK_STS_PROTECTION },
	{ NVMQ_SC_APPTAG_CHECK, BLK_STS_PROTECTION },
	{ NVMQ_SC_REFTAG_CHECK, BLK_STS_PROTECTION },
	{ NVMQ_SC_COMPARE_FAILED, BLK_STS_MEDIUM },
	{ NVMQ_SC_ACCESS_DENIED, BLK_STS_MEDIUM },
	{ NVMQ_SC_UNWRITTEN_BLOCK, BLK_STS_MEDIUM },
	{ NVMQ_SC_HOST_PATHING, BLK_STS_TRANSPORT },
	{ NVMQ_SC_HOST_ABORTED, BLK_STS_TIMEOUT },
};

/**
 * nvmq_cmd_blk_status - what the block layer is told of an NVMe status
 * @status: status field without the phase tag
 *
 * Return: BLK_STS_IOERR for a status that has no better match.
 */
blk_status_t nvmq_cmd_blk_status(u16 status)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(status_table); i++)
		if (status_table[i].code == (status & NVMQ_SC_MASK))
			return status_table[i].blk;
	return BLK_STS_IOERR;
}
