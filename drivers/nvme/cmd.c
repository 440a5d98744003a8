// SPDX-License-Identifier: GPL-2.0
/*
 * The less frequent commands, and what a status means.
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
 * nvmq_cmd_pass - write the 64 bytes of a command of user space
 * @sqe: the ring slot
 * @from: the command
 * @cid: command identifier
 * @prp1: data pointer, first half
 * @prp2: data pointer, second half
 */
void nvmq_cmd_pass(struct nvmq_sqe *sqe, const struct nvmq_sqe *from, u16 cid, u64 prp1, u64 prp2)
{
	*sqe = *from;
	sqe->cid = cpu_to_le16(cid);
	sqe->prp1 = cpu_to_le64(prp1);
	sqe->prp2 = cpu_to_le64(prp2);
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

static const struct {
	u16 code;
	blk_status_t blk;
	const char *name;
} status_table[] = {
	{ NVMQ_SC_SUCCESS, BLK_STS_OK, "success" },
	{ NVMQ_SC_INVALID_OPCODE, BLK_STS_NOTSUPP, "invalid command opcode" },
	{ NVMQ_SC_INVALID_FIELD, BLK_STS_NOTSUPP, "invalid field in command" },
	{ NVMQ_SC_CID_CONFLICT, BLK_STS_IOERR, "command identifier conflict" },
	{ NVMQ_SC_DATA_TRANSFER, BLK_STS_IOERR, "data transfer error" },
	{ NVMQ_SC_POWER_LOSS, BLK_STS_IOERR, "aborted, power loss notification" },
	{ NVMQ_SC_INTERNAL, BLK_STS_IOERR, "internal error" },
	{ NVMQ_SC_ABORT_REQUESTED, BLK_STS_TIMEOUT, "abort requested" },
	{ NVMQ_SC_ABORT_SQ_DELETED, BLK_STS_IOERR, "aborted, queue deleted" },
	{ NVMQ_SC_INVALID_NAMESPACE, BLK_STS_IOERR, "invalid namespace or format" },
	{ NVMQ_SC_COMMAND_SEQUENCE, BLK_STS_IOERR, "command sequence error" },
	{ NVMQ_SC_SANITIZE_FAILED, BLK_STS_IOERR, "sanitize failed" },
	{ NVMQ_SC_SANITIZE_IN_PROGRESS, BLK_STS_IOERR, "sanitize in progress" },
	{ NVMQ_SC_NS_WRITE_PROTECTED, BLK_STS_IOERR, "namespace is write protected" },
	{ NVMQ_SC_COMMAND_INTERRUPTED, BLK_STS_IOERR, "command interrupted" },
	{ NVMQ_SC_TRANSIENT_TRANSPORT, BLK_STS_TRANSPORT, "transient transport error" },
	{ NVMQ_SC_LBA_RANGE, BLK_STS_TARGET, "LBA out of range" },
	{ NVMQ_SC_CAPACITY_EXCEEDED, BLK_STS_NOSPC, "capacity exceeded" },
	{ NVMQ_SC_NS_NOT_READY, BLK_STS_IOERR, "namespace not ready" },
	{ NVMQ_SC_RESERVATION_CONFLICT, BLK_STS_RESV_CONFLICT, "reservation conflict" },
	{ NVMQ_SC_FORMAT_IN_PROGRESS, BLK_STS_IOERR, "format in progress" },
	{ NVMQ_SC_CQ_INVALID, BLK_STS_IOERR, "completion queue invalid" },
	{ NVMQ_SC_QID_INVALID, BLK_STS_IOERR, "invalid queue identifier" },
	{ NVMQ_SC_QUEUE_SIZE, BLK_STS_IOERR, "invalid queue size" },
	{ NVMQ_SC_INVALID_VECTOR, BLK_STS_IOERR, "invalid interrupt vector" },
	{ NVMQ_SC_FEATURE_NOT_SAVEABLE, BLK_STS_IOERR, "feature not saveable" },
	{ NVMQ_SC_CONFLICTING_ATTRIBUTES, BLK_STS_IOERR, "conflicting attributes" },
	{ NVMQ_SC_INVALID_PI, BLK_STS_PROTECTION, "invalid protection information" },
	{ NVMQ_SC_READ_ONLY_RANGE, BLK_STS_TARGET, "attempted write to read only range" },
	{ NVMQ_SC_WRITE_FAULT, BLK_STS_MEDIUM, "write fault" },
	{ NVMQ_SC_UNRECOVERED_READ, BLK_STS_MEDIUM, "unrecovered read error" },
	{ NVMQ_SC_GUARD_CHECK, BLK_STS_PROTECTION, "guard check error" },
	{ NVMQ_SC_APPTAG_CHECK, BLK_STS_PROTECTION, "application tag check error" },
	{ NVMQ_SC_REFTAG_CHECK, BLK_STS_PROTECTION, "reference tag check error" },
	{ NVMQ_SC_COMPARE_FAILED, BLK_STS_MEDIUM, "compare failure" },
	{ NVMQ_SC_ACCESS_DENIED, BLK_STS_MEDIUM, "access denied" },
	{ NVMQ_SC_UNWRITTEN_BLOCK, BLK_STS_MEDIUM, "deallocated or unwritten block" },
	{ NVMQ_SC_HOST_PATHING, BLK_STS_TRANSPORT, "host pathing error" },
	{ NVMQ_SC_HOST_ABORTED, BLK_STS_TIMEOUT, "timed out, aborted by host" },
};

static int find_status(u16 status)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(status_table); i++)
		if (status_table[i].code == (status & NVMQ_SC_MASK))
			return i;
	return -1;
}

/**
 * nvmq_cmd_blk_status - what the block layer is told of an NVMe status
 * @status: status field without the phase tag
 *
 * Return: BLK_STS_IOERR for a status that has no better match.
 */
blk_status_t nvmq_cmd_blk_status(u16 status)
{
	int i = find_status(status);

	return i < 0 ? BLK_STS_IOERR : status_table[i].blk;
}

/**
 * nvmq_cmd_status_name - a status in words, for the log
 * @status: status field without the phase tag
 *
 * Return: a constant string.
 */
const char *nvmq_cmd_status_name(u16 status)
{
	int i = find_status(status);

	return i < 0 ? "unknown status" : status_table[i].name;
}

/**
 * nvmq_cmd_opcode_name - an NVM opcode in words, for the log
 * @opcode: the opcode
 *
 * Return: a constant string.
 */
const char *nvmq_cmd_opcode_name(u8 opcode)
{
	switch (opcode) {
	case NVMQ_IO_FLUSH:
		return "Flush";
	case NVMQ_IO_WRITE:
		return "Write";
	case NVMQ_IO_READ:
		return "Read";
	case NVMQ_IO_WRITE_UNCORRECTABLE:
		return "Write Uncorrectable";
	case NVMQ_IO_COMPARE:
		return "Compare";
	case NVMQ_IO_WRITE_ZEROES:
		return "Write Zeroes";
	case NVMQ_IO_DSM:
		return "Dataset Management";
	case NVMQ_IO_VERIFY:
		return "Verify";
	case NVMQ_IO_RESV_REGISTER:
		return "Reservation Register";
	case NVMQ_IO_RESV_REPORT:
		return "Reservation Report";
	case NVMQ_IO_RESV_ACQUIRE:
		return "Reservation Acquire";
	case NVMQ_IO_RESV_RELEASE:
		return "Reservation Release";
	case NVMQ_IO_COPY:
		return "Copy";
	default:
		return "unknown";
	}
}

/**
 * nvmq_cmd_admin_opcode_name - an admin opcode in words, for the log
 * @opcode: the opcode
 *
 * Return: a constant string.
 */
const char *nvmq_cmd_admin_opcode_name(u8 opcode)
{
	switch (opcode) {
	case NVMQ_ADMIN_DELETE_SQ:
		return "Delete I/O SQ";
	case NVMQ_ADMIN_CREATE_SQ:
		return "Create I/O SQ";
	case NVMQ_ADMIN_GET_LOG_PAGE:
		return "Get Log Page";
	case NVMQ_ADMIN_DELETE_CQ:
		return "Delete I/O CQ";
	case NVMQ_ADMIN_CREATE_CQ:
		return "Create I/O CQ";
	case NVMQ_ADMIN_IDENTIFY:
		return "Identify";
	case NVMQ_ADMIN_ABORT:
		return "Abort";
	case NVMQ_ADMIN_SET_FEATURES:
		return "Set Features";
	case NVMQ_ADMIN_GET_FEATURES:
		return "Get Features";
	case NVMQ_ADMIN_ASYNC_EVENT:
		return "Async Event Req";
	case NVMQ_ADMIN_NS_MANAGEMENT:
		return "NS Management";
	case NVMQ_ADMIN_FW_COMMIT:
		return "Firmware Commit";
	case NVMQ_ADMIN_FW_DOWNLOAD:
		return "Firmware Download";
	case NVMQ_ADMIN_SELF_TEST:
		return "Device Self-test";
	case NVMQ_ADMIN_NS_ATTACHMENT:
		return "NS Attachment";
	case NVMQ_ADMIN_KEEP_ALIVE:
		return "Keep Alive";
	case NVMQ_ADMIN_DOORBELL_BUFFER:
		return "Doorbell Buffer";
	case NVMQ_ADMIN_FORMAT_NVM:
		return "Format NVM";
	case NVMQ_ADMIN_SECURITY_SEND:
		return "Security Send";
	case NVMQ_ADMIN_SECURITY_RECEIVE:
		return "Security Receive";
	case NVMQ_ADMIN_SANITIZE:
		return "Sanitize";
	default:
		return "unknown";
	}
}
