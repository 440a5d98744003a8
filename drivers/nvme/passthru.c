// SPDX-License-Identifier: GPL-2.0
/*
 * Commands of user space: which are refused, to whom and why; the way of the
 * others to the device; what has to come after them.
 *
 * I/O commands are requests of the disk's queue and go the way of all I/O.
 * Admin commands go through memory of the driver, so that the device never
 * writes to a page of a process that has stopped waiting.
 */
#include <linux/blkdev.h>
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "names.h"
#include "passthru.h"

/* ---- what is refused ---- */

/*
 * What the driver has settled with the device and relies on.  @feature: of Set
 * Features, where only some are meant.
 */
static const struct {
	u8 opcode;
	u8 feature;
	const char *what;
} refused[] = {
	{ NVMQ_ADMIN_DELETE_SQ, 0, "its I/O queues" },
	{ NVMQ_ADMIN_CREATE_SQ, 0, "its I/O queues" },
	{ NVMQ_ADMIN_DELETE_CQ, 0, "its I/O queues" },
	{ NVMQ_ADMIN_CREATE_CQ, 0, "its I/O queues" },
	{ NVMQ_ADMIN_ASYNC_EVENT, 0, "the events of the device" },
	{ NVMQ_ADMIN_KEEP_ALIVE, 0, "the keep alive timer" },
	{ NVMQ_ADMIN_DOORBELL_BUFFER, 0, "the doorbells" },
	{ NVMQ_ADMIN_SET_FEATURES, NVMQ_FEAT_QUEUE_COUNT, "the number of queues" },
	{ NVMQ_ADMIN_SET_FEATURES, NVMQ_FEAT_HOST_MEM, "the host memory buffer" },
	{ NVMQ_ADMIN_SET_FEATURES, NVMQ_FEAT_KEEP_ALIVE, "the keep alive timer" },
	{ NVMQ_ADMIN_SET_FEATURES, NVMQ_FEAT_HOST_BEHAVIOR, "the host behavior" },
	{ NVMQ_ADMIN_SET_FEATURES, NVMQ_FEAT_IOCS_PROFILE, "the command sets" },
};

/* Returns what of the driver's an admin command would change; %NULL if nothing. */
static const char *owned_by_driver(const struct nvmq_sqe *sqe)
{
	u8 feature = le32_to_cpu(sqe->cdw10) & 0xff;
	int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++)
		if (refused[i].opcode == sqe->opcode &&
		    (!refused[i].feature || refused[i].feature == feature))
			return refused[i].what;
	return NULL;
}

static u32 dword(__le32 value)
{
	return le32_to_cpu(value);
}

/* Bytes that an I/O command moves, however long the buffer is; 0: none, or nobody knows. */
static u64 io_moves(const struct nvmq_sqe *sqe, u32 lba_shift)
{
	switch (sqe->opcode) {
	case NVMQ_IO_WRITE:
	case NVMQ_IO_READ:
	case NVMQ_IO_COMPARE:
		return ((u64)(dword(sqe->cdw12) & 0xffff) + 1) << lba_shift;
	case NVMQ_IO_DSM:
		return ((dword(sqe->cdw10) & 0xff) + 1) * sizeof(struct nvmq_dsm_range);
	case NVMQ_IO_RESV_REGISTER:
	case NVMQ_IO_RESV_ACQUIRE:
		return 16;
	case NVMQ_IO_RESV_RELEASE:
		return 8;
	case NVMQ_IO_RESV_REPORT:
		return ((u64)dword(sqe->cdw10) + 1) * 4;
	case NVMQ_IO_MGMT_RECEIVE:
		return ((u64)dword(sqe->cdw11) + 1) * 4;
	case NVMQ_IO_COPY:
		/* Formats 1h and 3h have 8 bytes more for the tags. */
		return NVMQ_COPY_NR(dword(sqe->cdw12)) *
		       (sizeof(struct nvmq_copy_range) + (dword(sqe->cdw12) >> 8 & 1) * 8);
	default:
		return 0;
	}
}

/* The same for an admin command.  Up to a page does not matter: there always is one. */
static u64 admin_moves(const struct nvmq_sqe *sqe)
{
	switch (sqe->opcode) {
	case NVMQ_ADMIN_GET_LOG_PAGE:
		return ((u64)(dword(sqe->cdw11) & 0xffff) << 16 | dword(sqe->cdw10) >> 16) * 4 + 4;
	case NVMQ_ADMIN_IDENTIFY:
		return NVMQ_IDENTIFY_SIZE;
	case NVMQ_ADMIN_FW_DOWNLOAD:
	case NVMQ_ADMIN_DIRECTIVE_SEND:
	case NVMQ_ADMIN_DIRECTIVE_RECEIVE:
		return ((u64)dword(sqe->cdw10) + 1) * 4;
	case NVMQ_ADMIN_SECURITY_SEND:
	case NVMQ_ADMIN_SECURITY_RECEIVE:
		return dword(sqe->cdw11);
	case NVMQ_ADMIN_GET_LBA_STATUS:
		return ((u64)dword(sqe->cdw12) + 1) * 4;
	default:
		return 0;
	}
}

/*
 * What holds for both kinds.  @moves: bytes that the command moves, 0 if nobody
 * knows.  Of a longer buffer only so much is mapped: what PRP2 means depends on
 * how long the data is, and the device goes by the command (base 4.1.1).  It
 * would take a list of pages for a page, and write over it.
 */
static int check_shape(struct device *dev, struct nvmq_user_cmd *cmd, u64 moves)
{
	const struct nvmq_sqe *sqe = &cmd->sqe;

	/* Fused commands come in pairs, and how data is described is the driver's choice. */
	if (sqe->flags) {
		dev_warn_ratelimited(dev, "command %#04x of user space: flags %#x refused\n",
				     sqe->opcode, sqe->flags);
		return -EINVAL;
	}
	/* No namespace with a disk has any. */
	if (sqe->mptr) {
		dev_warn_ratelimited(dev, "command %#04x of user space: metadata refused\n",
				     sqe->opcode);
		return -EINVAL;
	}
	if (iov_iter_count(&cmd->data) < moves) {
		dev_warn_ratelimited(dev,
				     "command %#04x of user space: moves %llu bytes, the buffer has %zu: refused\n",
				     sqe->opcode, moves, iov_iter_count(&cmd->data));
		return -EINVAL;
	}
	if (moves)
		iov_iter_truncate(&cmd->data, moves);
	return 0;
}

/*
 * May somebody who is not an administrator send this I/O command?  One that the
 * device says it has, without unusual effects, without writing through a device
 * that is open for reading, and with data of a length that is known: the device
 * would move more than the buffer has.  @moves: what check_shape() has got.
 */
static bool io_is_harmless(const struct nvmq_effects *log, const struct nvmq_user_cmd *cmd,
			   u64 moves)
{
	const u32 harmless = NVMQ_EFFECT_SUPPORTED | NVMQ_EFFECT_CONTENT | NVMQ_EFFECT_UUID |
			     NVMQ_EFFECT_SCOPE_MASK;
	u8 opcode = cmd->sqe.opcode;
	u32 effects = nvmq_effects_io(log, opcode);

	/* The way past the end of a partition. */
	if ((cmd->flags & NVMQ_USER_PARTITION) || opcode >= NVMQ_IO_VENDOR)
		return false;
	if (!(effects & NVMQ_EFFECT_SUPPORTED) || (effects & ~harmless))
		return false;
	if ((opcode & (NVMQ_OPCODE_TO_DEVICE | NVMQ_OPCODE_FROM_DEVICE)) && !moves)
		return false;
	if ((opcode & NVMQ_OPCODE_TO_DEVICE) || (effects & NVMQ_EFFECT_CONTENT))
		return cmd->flags & NVMQ_USER_WRITES;
	return true;
}

/* The same for admin commands: what one must know of a namespace to use it. */
static bool admin_is_harmless(const struct nvmq_user_cmd *cmd)
{
	if ((cmd->flags & NVMQ_USER_PARTITION) || cmd->sqe.opcode != NVMQ_ADMIN_IDENTIFY)
		return false;
	switch (dword(cmd->sqe.cdw10) & 0xff) {
	case NVMQ_CNS_NAMESPACE:
	case NVMQ_CNS_CONTROLLER:
	case NVMQ_CNS_NAMESPACE_CSS:
	case NVMQ_CNS_CONTROLLER_CSS:
	case NVMQ_CNS_NAMESPACE_ANY:
		return true;
	default:
		return false;
	}
}

/**
 * nvmq_passthru_check_io - may this I/O command go to the device?
 * @ns: the namespace whose device it came by
 * @cmd: the command, with its data, which is cut to what the command moves
 *
 * Context: does not sleep; the effects of the controller are known.
 * Return: 0; -EINVAL for one that makes no sense; -EACCES for one that only an administrator may
 * send.  The former is in the log.
 */
int nvmq_passthru_check_io(struct nvmq_ns *ns, struct nvmq_user_cmd *cmd)
{
	struct nvmq_ctrl *ctrl = nvmq_passthru_ctrl(ns);
	u64 moves = io_moves(&cmd->sqe, ns->cmd.lba_shift);
	u32 nsid = dword(cmd->sqe.nsid);
	int err;

	if (nsid != ns->cmd.nsid) {
		dev_warn_ratelimited(&ctrl->pdev->dev,
				     "command %#04x of user space: for namespace %u, sent to %u: refused\n",
				     cmd->sqe.opcode, nsid, ns->cmd.nsid);
		return -EINVAL;
	}
	err = check_shape(&ctrl->pdev->dev, cmd, moves);
	if (err)
		return err;
	return io_is_harmless(&ctrl->effects, cmd, moves) || capable(CAP_SYS_ADMIN) ? 0 : -EACCES;
}

static int check_admin(struct nvmq_ctrl *ctrl, struct nvmq_user_cmd *cmd)
{
	struct device *dev = &ctrl->pdev->dev;
	const char *what;

	if (!admin_is_harmless(cmd) && !capable(CAP_SYS_ADMIN))
		return -EACCES;
	what = owned_by_driver(&cmd->sqe);
	if (what) {
		dev_warn_ratelimited(dev,
				     "%s (%#04x) of user space, cdw10 %#x: refused: %s are the driver's\n",
				     nvmq_names_admin(cmd->sqe.opcode), cmd->sqe.opcode,
				     dword(cmd->sqe.cdw10), what);
		return -EPERM;
	}
	if (iov_iter_count(&cmd->data) > NVMQ_ADMIN_MAX_DATA ||
	    iov_iter_count(&cmd->data) >> SECTOR_SHIFT > ctrl->nss.max_sectors) {
		dev_warn_ratelimited(dev,
				     "admin command %#04x of user space: %zu bytes refused: too many\n",
				     cmd->sqe.opcode, iov_iter_count(&cmd->data));
		return -EINVAL;
	}
	return check_shape(dev, cmd, admin_moves(&cmd->sqe));
}

/*
 * How long it may take, in jiffies; 0: as usual.  What is late ends in a reset,
 * so that only an administrator may be impatient.
 */
static unsigned long patience(const struct nvmq_user_cmd *cmd, unsigned long usual)
{
	unsigned long timeout = msecs_to_jiffies(cmd->timeout_ms);

	return timeout && timeout < usual && !capable(CAP_SYS_ADMIN) ? 0 : timeout;
}

/* ---- data ---- */

static void __user *user_ptr(u64 addr)
{
	return in_compat_syscall() ? compat_ptr(addr) : u64_to_user_ptr(addr);
}

/**
 * nvmq_passthru_import - where the data of a command is
 * @cmd: the command; its opcode says which way the data goes
 * @addr: address of the buffer, or of an array of struct iovec
 * @len: bytes of the buffer, or number of elements
 * @vec: it is an array
 *
 * Return: 0, and nvmq_passthru_release() is to follow; -EFAULT, -EINVAL or -ENOMEM.
 */
int nvmq_passthru_import(struct nvmq_user_cmd *cmd, u64 addr, u32 len, bool vec)
{
	int rw = nvmq_passthru_rw(&cmd->sqe);
	ssize_t ret;

	cmd->iov = NULL;
	if (!vec)
		return nvmq_compat_import(rw, user_ptr(addr), len, cmd->fast_iov, &cmd->data);
	cmd->iov = cmd->fast_iov;
	ret = import_iovec(rw, user_ptr(addr), len, ARRAY_SIZE(cmd->fast_iov), &cmd->iov,
			   &cmd->data);
	return ret < 0 ? ret : 0;
}

/**
 * nvmq_passthru_release - undo nvmq_passthru_import()
 * @cmd: the command; its data is mapped, or was copied
 */
void nvmq_passthru_release(struct nvmq_user_cmd *cmd)
{
	kfree(cmd->iov);
}

/* ---- I/O commands ---- */

/**
 * nvmq_passthru_request - make a request of an I/O command
 * @ns: the namespace
 * @cmd: the command, found right
 * @opf: flags of the request: REQ_POLLED, REQ_NOWAIT, or 0
 * @flags: BLK_MQ_REQ_NOWAIT or 0
 *
 * Its data is mapped for exactly the length that user space has given.  When it has ended,
 * blk_rq_unmap_user() for the bio that it has now, in the context of the process.
 *
 * Context: sleeps, unless @flags say no; and even then it may for a page of user space.
 * Return: the request, or an error pointer: -EAGAIN for BLK_MQ_REQ_NOWAIT; -ENODEV for a disk that
 * is gone; what blk_rq_map_user_iov() returns.
 */
struct request *nvmq_passthru_request(struct nvmq_ns *ns, struct nvmq_user_cmd *cmd,
				      blk_opf_t opf, blk_mq_req_flags_t flags)
{
	struct request_queue *q = ns->disk->queue;
	struct nvmq_iod *iod;
	struct request *rq;
	int err;

	opf |= cmd->sqe.opcode & NVMQ_OPCODE_TO_DEVICE ? REQ_OP_DRV_OUT : REQ_OP_DRV_IN;
	rq = blk_mq_alloc_request(q, opf, flags);
	if (IS_ERR(rq))
		return rq;
	rq->rq_flags |= RQF_QUIET;
	rq->timeout = patience(cmd, q->rq_timeout);
	iod = blk_mq_rq_to_pdu(rq);
	iod->status = 0;
	iod->pass.sqe = cmd->sqe;
	iod->pass.result = 0;
	if (!iov_iter_count(&cmd->data))
		return rq;
	err = blk_rq_map_user_iov(q, rq, NULL, &cmd->data, GFP_KERNEL);
	if (err) {
		blk_mq_free_request(rq);
		return ERR_PTR(err);
	}
	return rq;
}

/**
 * nvmq_passthru_outcome - what user space is told of a request that has ended
 * @rq: from nvmq_passthru_request()
 * @err: what the block layer says of it
 *
 * Return: 0; a status of the device, with its CRD, M and DNR bits; -EINTR if the command was with
 * the device when that was reset; -ETIMEDOUT if it was the reason for the reset; another error if
 * it was never sent, -EAGAIN if that was for a change of the queues.
 */
int nvmq_passthru_outcome(struct request *rq, blk_status_t err)
{
	const struct nvmq_iod *iod = blk_mq_rq_to_pdu(rq);

	if (iod->status == NVMQ_TAKEN_BACK)
		return rq->rq_flags & RQF_DONTPREP ? -ETIMEDOUT : -EINTR;
	return iod->status ?: blk_status_to_errno(err);
}

/* @buf: data of the driver's, %NULL for that of @cmd. */
static int execute_once(struct nvmq_ns *ns, struct nvmq_user_cmd *cmd, void *buf, u32 len)
{
	struct request *rq = nvmq_passthru_request(ns, cmd, 0, 0);
	struct bio *user;
	int ret = 0, err = 0;

	if (IS_ERR(rq))
		return PTR_ERR(rq);
	user = rq->bio;
	if (buf)
		ret = nvmq_compat_map_kern(rq, buf, len);
	if (!ret)
		ret = nvmq_passthru_outcome(rq, blk_execute_rq(rq, false));
	cmd->result = ((struct nvmq_iod *)blk_mq_rq_to_pdu(rq))->pass.result;
	if (user)
		err = blk_rq_unmap_user(user);
	blk_mq_free_request(rq);
	return ret ?: err;
}

/**
 * nvmq_passthru_execute - have the device carry an I/O command out that was found right
 * @ns: the namespace
 * @cmd: the command
 * @buf: its data, from kmalloc(); %NULL if that is user space's, in @cmd
 * @len: bytes of @buf
 *
 * Sent again if the queues were changed under it.
 *
 * Context: sleeps; inside nvmq_ctrl_enter().
 * Return: as nvmq_passthru_outcome(), or why there is no request.
 */
int nvmq_passthru_execute(struct nvmq_ns *ns, struct nvmq_user_cmd *cmd, void *buf, u32 len)
{
	int ret;

	do
		ret = execute_once(ns, cmd, buf, len);
	while (ret == -EAGAIN && !fatal_signal_pending(current));
	return ret;
}

/**
 * nvmq_passthru_io - have the device carry an I/O command out
 * @ns: the namespace whose device it came by
 * @cmd: the command, with its data
 *
 * Waits while the controller is reset or its queues are changed, unless the command was sent
 * before that: see nvmq_passthru_outcome().
 *
 * Context: sleeps; inside nvmq_ctrl_enter().
 * Return: as nvmq_passthru_check_io() and nvmq_passthru_outcome().
 */
int nvmq_passthru_io(struct nvmq_ns *ns, struct nvmq_user_cmd *cmd)
{
	struct nvmq_ctrl *ctrl = nvmq_passthru_ctrl(ns);
	int ret;

	nvmq_ctrl_settle(ctrl);
	ret = nvmq_effects_read(&ctrl->effects, &ctrl->admin) ?: nvmq_passthru_check_io(ns, cmd);
	return ret ?: nvmq_passthru_execute(ns, cmd, NULL, 0);
}

/* ---- admin commands ---- */

/* Alone with the device, if the command wants that. */
static int exec_admin(struct nvmq_ctrl *ctrl, struct nvmq_admin_cmd *cmd, u32 effects)
{
	unsigned int noio;
	int err;

	if (!(effects & NVMQ_EFFECT_CSE_MASK))
		return nvmq_admin_exec(&ctrl->admin, cmd);
	/* Memory must not wait for disks that are frozen. */
	noio = memalloc_noio_save();
	nvmq_nss_freeze(&ctrl->nss);
	err = nvmq_admin_exec(&ctrl->admin, cmd);
	nvmq_nss_unfreeze(&ctrl->nss);
	memalloc_noio_restore(noio);
	return err;
}

/* What the driver has to look at again after an admin command that was done. */
static void follow_up(struct nvmq_ctrl *ctrl, const struct nvmq_sqe *sqe, u32 effects)
{
	bool protect = sqe->opcode == NVMQ_ADMIN_SET_FEATURES &&
		       (dword(sqe->cdw10) & 0xff) == NVMQ_FEAT_WRITE_PROTECT;

	if (effects & NVMQ_EFFECT_CTRL_CAP)
		dev_info_ratelimited(&ctrl->pdev->dev,
				     "admin command %#04x of user space may have changed what the controller can do: a reset makes sure\n",
				     sqe->opcode);
	if (protect || (effects & (NVMQ_EFFECT_NS_CAP | NVMQ_EFFECT_NS_INV)))
		nvmq_ctrl_rescan(ctrl);
}

/**
 * nvmq_passthru_admin - have the device carry an admin command out
 * @ctrl: the controller
 * @cmd: the command, with its data
 *
 * Waits for a reset that is under way.  The disks are frozen meanwhile if the effects of the
 * command demand it, and namespaces are looked for afterwards.
 *
 * Context: sleeps; inside nvmq_ctrl_enter().
 * Return: 0; a status of the device; -EACCES for a command that only an administrator may send;
 * -EPERM for one that the driver does not let pass, -EINVAL for one that makes no sense, both with
 * a line in the log; -EINTR if the controller was reset meanwhile; -ETIMEDOUT if it does not
 * answer; -EIO if it is not live; -EFAULT, -ENOMEM.
 */
int nvmq_passthru_admin(struct nvmq_ctrl *ctrl, struct nvmq_user_cmd *cmd)
{
	struct nvmq_admin_cmd admin = {
		.sqe = cmd->sqe,
		.to_device = cmd->sqe.opcode & NVMQ_OPCODE_TO_DEVICE,
		.timeout = patience(cmd, ctrl->admin.timeout),
	};
	u32 effects;
	size_t len;
	int err;

	err = check_admin(ctrl, cmd) ?: nvmq_ctrl_settle(ctrl) ?:
	      nvmq_effects_read(&ctrl->effects, &ctrl->admin);
	if (err)
		goto out;
	len = iov_iter_count(&cmd->data);
	/* At least a page: not all lengths are known, and the device must have where to write. */
	if (len || (cmd->sqe.opcode & (NVMQ_OPCODE_TO_DEVICE | NVMQ_OPCODE_FROM_DEVICE))) {
		admin.len = max_t(u32, len, NVMQ_PAGE_SIZE);
		admin.buf = kvzalloc(admin.len, GFP_KERNEL);
		if (!admin.buf)
			return -ENOMEM;
	}
	err = -EFAULT;
	if (admin.to_device && copy_from_iter(admin.buf, len, &cmd->data) != len)
		goto free;

	effects = nvmq_effects_admin(&ctrl->effects, cmd->sqe.opcode);
	err = exec_admin(ctrl, &admin, effects);
	cmd->result = admin.result | (u64)admin.result1 << 32;
	if (!err && !admin.to_device && copy_to_iter(admin.buf, len, &cmd->data) != len)
		err = -EFAULT;
	if (!err || err == -EFAULT || err == -EIO)
		follow_up(ctrl, &cmd->sqe, effects);
	if (err == -EIO)
		err = admin.status;
free:
	kvfree(admin.buf);
out:
	/* Stopped under it. */
	return err == -ENODEV ? -EINTR : err;
}
