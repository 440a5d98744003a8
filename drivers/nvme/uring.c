// SPDX-License-Identifier: GPL-2.0
/*
 * The commands of io_uring.
 *
 * An I/O command is made a request at once, and its completion is posted when
 * that has ended, by the task that has sent it.  An admin command is executed by
 * a worker of io_uring, which waits.
 */
#include <linux/blkdev.h>
#include <linux/nvme_ioctl.h>

#include "compat.h"
#include "uring.h"

/* What a command of io_uring keeps for us from beginning to end. */
struct pdu {
	struct request *polled;		/* on a polled queue, else NULL */
	struct bio *bio;		/* of its data */
	u64 result;
	int status;
};

static_assert(sizeof(struct pdu) <= sizeof_field(struct io_uring_cmd, pdu));

static struct pdu *to_pdu(struct io_uring_cmd *ioucmd)
{
	return (struct pdu *)&ioucmd->pdu;
}

/* ---- up ---- */

/* In the task that has sent the command: its memory can be written to. */
static void post(NVMQ_TASK_WORK_ARGS)
{
	struct io_uring_cmd *ioucmd = NVMQ_TASK_WORK_CMD();
	struct pdu *pdu = to_pdu(ioucmd);
	int err = pdu->bio ? blk_rq_unmap_user(pdu->bio) : 0;

	nvmq_compat_uring_done(ioucmd, pdu->status ?: err, pdu->result, NVMQ_TASK_WORK_FLAGS());
}

static enum rq_end_io_ret end_io(NVMQ_END_IO_ARGS)
{
	struct io_uring_cmd *ioucmd = rq->end_io_data;
	struct nvmq_iod *iod = blk_mq_rq_to_pdu(rq);
	struct pdu *pdu = to_pdu(ioucmd);

	pdu->status = nvmq_passthru_outcome(rq, err);
	pdu->result = iod->pass.result;
	/* The request goes before the command does: nobody polls for it any more. */
	WRITE_ONCE(pdu->polled, NULL);
	/*
	 * Whoever polls is no place for the rest: the ring that it polls for may be another one,
	 * and it holds a lock of the queue, under which pages must not be given back.
	 */
	io_uring_cmd_do_in_task_lazy(ioucmd, post);
	return RQ_END_IO_FREE;
}

/**
 * nvmq_uring_poll - look for the end of a command
 * @ioucmd: a command that was sent and is not known to have ended
 * @iob: batch of the caller
 * @flags: BLK_POLL_*
 *
 * Return: number of completions found, of this or other commands.
 */
int nvmq_uring_poll(struct io_uring_cmd *ioucmd, struct io_comp_batch *iob, unsigned int flags)
{
	struct pdu *pdu = to_pdu(ioucmd);
	struct request *rq = READ_ONCE(pdu->polled);

	return rq ? nvmq_compat_poll(rq, pdu->bio, iob, flags) : 0;
}

/* ---- down ---- */

/* What user space may be writing to is read once.  Data is imported. */
static int read_command(struct io_uring_cmd *ioucmd, u32 flags, bool vec,
			struct nvmq_user_cmd *cmd, unsigned int issue_flags)
{
	const struct nvme_uring_cmd *u = nvmq_compat_uring_sqe(ioucmd);
	u32 big = IO_URING_F_SQE128 | IO_URING_F_CQE32;
	u64 addr = READ_ONCE(u->addr);
	u32 len = READ_ONCE(u->data_len);

	if ((issue_flags & big) != big)
		return -EOPNOTSUPP;
	cmd->sqe.opcode = READ_ONCE(u->opcode);
	cmd->sqe.flags = READ_ONCE(u->flags);
	cmd->sqe.cid = 0;
	cmd->sqe.nsid = cpu_to_le32(READ_ONCE(u->nsid));
	cmd->sqe.cdw2 = cpu_to_le32(READ_ONCE(u->cdw2));
	cmd->sqe.cdw3 = cpu_to_le32(READ_ONCE(u->cdw3));
	cmd->sqe.mptr = READ_ONCE(u->metadata_len) ? cpu_to_le64(READ_ONCE(u->metadata)) : 0;
	cmd->sqe.prp1 = 0;
	cmd->sqe.prp2 = 0;
	cmd->sqe.cdw10 = cpu_to_le32(READ_ONCE(u->cdw10));
	cmd->sqe.cdw11 = cpu_to_le32(READ_ONCE(u->cdw11));
	cmd->sqe.cdw12 = cpu_to_le32(READ_ONCE(u->cdw12));
	cmd->sqe.cdw13 = cpu_to_le32(READ_ONCE(u->cdw13));
	cmd->sqe.cdw14 = cpu_to_le32(READ_ONCE(u->cdw14));
	cmd->sqe.cdw15 = cpu_to_le32(READ_ONCE(u->cdw15));
	cmd->timeout_ms = READ_ONCE(u->timeout_ms);
	cmd->flags = flags;
	cmd->iov = NULL;
	cmd->result = 0;

	if (ioucmd->flags & IORING_URING_CMD_FIXED)
		return nvmq_compat_import_fixed(ioucmd, addr, len, vec,
						nvmq_passthru_rw(&cmd->sqe), &cmd->data,
						issue_flags);
	return nvmq_passthru_import(cmd, addr, len, vec);
}

/*
 * On a polled queue for a ring that polls, if there is one and the request can be
 * looked for.  6.1 does that by the bio, which must come from the block layer's
 * pool: the bio of a copy of the data does not, and is gone with its memory.
 */
static struct request *make_request(struct nvmq_ns *ns, struct nvmq_user_cmd *cmd, struct pdu *pdu,
				    unsigned int issue_flags)
{
	blk_mq_req_flags_t flags = issue_flags & IO_URING_F_NONBLOCK ? BLK_MQ_REQ_NOWAIT : 0;
	blk_opf_t opf = issue_flags & IO_URING_F_NONBLOCK ? REQ_NOWAIT : 0;
	struct request *rq;

	pdu->polled = NULL;
	if (issue_flags & IO_URING_F_IOPOLL) {
		rq = nvmq_passthru_request(ns, cmd, opf | REQ_POLLED, flags);
		if (IS_ERR(rq))
			return rq;
		if (rq->bio && !rq->bio->bi_private && blk_rq_is_poll(rq)) {
			nvmq_compat_prepare_poll(rq, ns->disk->part0);
			pdu->polled = rq;
			return rq;
		}
		if (rq->bio)
			blk_rq_unmap_user(rq->bio);
		blk_mq_free_request(rq);
	}
	return nvmq_passthru_request(ns, cmd, opf, flags);
}

static int send(struct nvmq_ns *ns, struct nvmq_user_cmd *cmd, struct io_uring_cmd *ioucmd,
		unsigned int issue_flags)
{
	struct pdu *pdu = to_pdu(ioucmd);
	struct request *rq;
	int err;

	err = nvmq_passthru_check_io(ns, cmd);
	if (err)
		return err;
	rq = make_request(ns, cmd, pdu, issue_flags);
	if (IS_ERR(rq))
		return PTR_ERR(rq);
	pdu->bio = rq->bio;
	rq->end_io = end_io;
	rq->end_io_data = ioucmd;
	blk_execute_rq_nowait(rq, false);
	return -EIOCBQUEUED;
}

/* The first command of all waits for the effects log, in a worker. */
static int know_effects(struct nvmq_ctrl *ctrl, unsigned int issue_flags)
{
	int err = -ENODEV;

	if (nvmq_effects_known(&ctrl->effects))
		return 0;
	if (issue_flags & IO_URING_F_NONBLOCK)
		return -EAGAIN;
	if (nvmq_ctrl_enter(ctrl)) {
		nvmq_ctrl_settle(ctrl);
		err = nvmq_effects_read(&ctrl->effects, &ctrl->admin);
		nvmq_ctrl_leave(ctrl);
	}
	return err;
}

static int io_cmd(struct nvmq_ns *ns, u32 flags, bool vec, struct io_uring_cmd *ioucmd,
		  unsigned int issue_flags)
{
	struct nvmq_user_cmd cmd;
	int err;

	err = know_effects(nvmq_passthru_ctrl(ns), issue_flags) ?:
	      read_command(ioucmd, flags, vec, &cmd, issue_flags);
	if (err)
		return err;
	err = send(ns, &cmd, ioucmd, issue_flags);
	nvmq_passthru_release(&cmd);
	return err;
}

/**
 * nvmq_uring_ctrl_cmd - a command of io_uring, by the device of a controller
 * @ctrl: the controller
 * @flags: NVMQ_USER_*
 * @ioucmd: the command
 * @issue_flags: IO_URING_F_*
 *
 * Context: sleeps, unless @issue_flags say no.
 * Return: -EIOCBQUEUED if a completion is or will be posted; -EAGAIN to be called again where it
 * may sleep; -ENOTTY for an unknown command; -EOPNOTSUPP for a ring that polls or has small
 * entries; another error.
 */
int nvmq_uring_ctrl_cmd(struct nvmq_ctrl *ctrl, u32 flags, struct io_uring_cmd *ioucmd,
			unsigned int issue_flags)
{
	struct nvmq_user_cmd cmd;
	int ret;

	if (ioucmd->cmd_op != NVME_URING_CMD_ADMIN && ioucmd->cmd_op != NVME_URING_CMD_ADMIN_VEC)
		return -ENOTTY;
	if (issue_flags & IO_URING_F_IOPOLL)
		return -EOPNOTSUPP;
	if (issue_flags & IO_URING_F_NONBLOCK)
		return -EAGAIN;
	ret = read_command(ioucmd, flags, ioucmd->cmd_op == NVME_URING_CMD_ADMIN_VEC, &cmd,
			   issue_flags);
	if (ret)
		return ret;
	ret = -ENODEV;
	if (nvmq_ctrl_enter(ctrl)) {
		ret = nvmq_passthru_admin(ctrl, &cmd);
		nvmq_ctrl_leave(ctrl);
	}
	nvmq_passthru_release(&cmd);
	/* It would be taken for a wish to be called again. */
	if (ret == -EAGAIN)
		ret = -EIO;
	nvmq_compat_uring_done(ioucmd, ret, cmd.result, issue_flags);
	return -EIOCBQUEUED;
}

/**
 * nvmq_uring_ns_cmd - a command of io_uring, by the character device of a namespace
 * @ns: the namespace
 * @flags: NVMQ_USER_*
 * @ioucmd: the command
 * @issue_flags: IO_URING_F_*
 *
 * Context: as nvmq_uring_ctrl_cmd().
 * Return: likewise.
 */
int nvmq_uring_ns_cmd(struct nvmq_ns *ns, u32 flags, struct io_uring_cmd *ioucmd,
		      unsigned int issue_flags)
{
	switch (ioucmd->cmd_op) {
	case NVME_URING_CMD_IO:
		return io_cmd(ns, flags, false, ioucmd, issue_flags);
	case NVME_URING_CMD_IO_VEC:
		return io_cmd(ns, flags, true, ioucmd, issue_flags);
	default:
		return -ENOTTY;
	}
}
