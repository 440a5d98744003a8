// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of linux/nvme_ioctl.h, for the block device of a namespace and the
 * character devices of controller and namespace: from structures of user space
 * to struct nvmq_user_cmd and back.
 */
#include <linux/blkdev.h>
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <linux/module.h>
#include <linux/nvme_ioctl.h>
#include <linux/ptrace.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "ioctl.h"
#include "passthru.h"
#include "pr.h"
#include "uring.h"

/*
 * struct nvme_passthru_cmd and nvme_passthru_cmd64 are the same but for the
 * result, which the latter has behind a gap.
 */
static_assert(offsetof(struct nvme_passthru_cmd, result) ==
	      offsetof(struct nvme_passthru_cmd64, rsvd2));

enum kind {
	KIND_ADMIN,
	KIND_IO,
};

/* @wide: @argp is a struct nvme_passthru_cmd64.  @ns: for KIND_IO. */
static int user_cmd(struct nvmq_ctrl *ctrl, struct nvmq_ns *ns, enum kind kind, bool wide,
		    bool vec, u32 flags, void __user *argp)
{
	struct nvme_passthru_cmd u;
	struct nvmq_user_cmd *cmd;
	int ret;

	if (copy_from_user(&u, argp, offsetof(struct nvme_passthru_cmd, result)))
		return -EFAULT;
	cmd = kzalloc(sizeof(*cmd), GFP_KERNEL);
	if (!cmd)
		return -ENOMEM;
	cmd->sqe.opcode = u.opcode;
	cmd->sqe.flags = u.flags;
	cmd->sqe.nsid = cpu_to_le32(u.nsid);
	cmd->sqe.cdw2 = cpu_to_le32(u.cdw2);
	cmd->sqe.cdw3 = cpu_to_le32(u.cdw3);
	cmd->sqe.mptr = u.metadata_len ? cpu_to_le64(u.metadata) : 0;
	cmd->sqe.cdw10 = cpu_to_le32(u.cdw10);
	cmd->sqe.cdw11 = cpu_to_le32(u.cdw11);
	cmd->sqe.cdw12 = cpu_to_le32(u.cdw12);
	cmd->sqe.cdw13 = cpu_to_le32(u.cdw13);
	cmd->sqe.cdw14 = cpu_to_le32(u.cdw14);
	cmd->sqe.cdw15 = cpu_to_le32(u.cdw15);
	cmd->timeout_ms = u.timeout_ms;
	cmd->flags = flags;

	ret = nvmq_passthru_import(cmd, u.addr, u.data_len, vec);
	if (ret)
		goto free;
	ret = kind == KIND_IO ? nvmq_passthru_io(ns, cmd) : nvmq_passthru_admin(ctrl, cmd);
	nvmq_passthru_release(cmd);
	if (ret < 0)
		goto free;
	if (wide ? put_user(cmd->result, &((struct nvme_passthru_cmd64 __user *)argp)->result) :
		   put_user((u32)cmd->result, &((struct nvme_passthru_cmd __user *)argp)->result))
		ret = -EFAULT;
free:
	kfree(cmd);
	return ret;
}

#ifdef CONFIG_COMPAT_FOR_U64_ALIGNMENT
/* As 32-bit programs for x86 have it: 8-byte integers are aligned to 4 bytes there. */
struct user_io32 {
	__u8	start[offsetof(struct nvme_user_io, appmask)];
	__u16	appmask;
};

#define SUBMIT_IO32	_IOW('N', 0x42, struct user_io32)
static_assert(sizeof(struct user_io32) == 44);
#endif

/* Read, Write or Compare of blocks. */
static int submit_io(struct nvmq_ns *ns, u32 flags, void __user *argp)
{
	struct nvmq_user_cmd *cmd;
	struct nvme_user_io io;
	int ret;

	/* Without the padding at its end, if any. */
	if (copy_from_user(&io, argp, offsetofend(struct nvme_user_io, appmask)))
		return -EFAULT;
	if (io.opcode != NVMQ_IO_READ && io.opcode != NVMQ_IO_WRITE &&
	    io.opcode != NVMQ_IO_COMPARE)
		return -EINVAL;
	cmd = kzalloc(sizeof(*cmd), GFP_KERNEL);
	if (!cmd)
		return -ENOMEM;
	cmd->sqe.opcode = io.opcode;
	cmd->sqe.flags = io.flags;
	cmd->sqe.nsid = cpu_to_le32(ns->cmd.nsid);
	cmd->sqe.cdw10 = cpu_to_le32(lower_32_bits(io.slba));
	cmd->sqe.cdw11 = cpu_to_le32(upper_32_bits(io.slba));
	cmd->sqe.cdw12 = cpu_to_le32(io.nblocks | (u32)io.control << 16);
	cmd->sqe.cdw13 = cpu_to_le32(io.dsmgmt);
	cmd->sqe.cdw14 = cpu_to_le32(io.reftag);
	cmd->sqe.cdw15 = cpu_to_le32(io.apptag | (u32)io.appmask << 16);
	cmd->flags = flags;
	ret = nvmq_passthru_import(cmd, io.addr, (io.nblocks + 1u) << ns->cmd.lba_shift, false);
	if (!ret) {
		ret = nvmq_passthru_io(ns, cmd);
		nvmq_passthru_release(cmd);
	}
	kfree(cmd);
	return ret;
}

/* What both kinds of devices have.  Inside nvmq_ctrl_enter(). */
static int admin_ioctl(struct nvmq_ctrl *ctrl, unsigned int cmd, u32 flags, void __user *argp)
{
	switch (cmd) {
	case NVME_IOCTL_ADMIN_CMD:
		return user_cmd(ctrl, NULL, KIND_ADMIN, false, false, flags, argp);
	case NVME_IOCTL_ADMIN64_CMD:
		return user_cmd(ctrl, NULL, KIND_ADMIN, true, false, flags, argp);
	default:
		return -ENOTTY;
	}
}

/* An ioctl of a namespace, by any of its devices. */
static int ns_ioctl(struct nvmq_ns *ns, unsigned int cmd, u32 flags, void __user *argp)
{
	struct nvmq_ctrl *ctrl = nvmq_passthru_ctrl(ns);
	int ret;

	if (cmd == NVME_IOCTL_ID) {
		force_successful_syscall_return();
		return ns->cmd.nsid;
	}
	if (!nvmq_ctrl_enter(ctrl))
		return -ENODEV;
	switch (cmd) {
#ifdef CONFIG_COMPAT_FOR_U64_ALIGNMENT
	case SUBMIT_IO32:
#endif
	case NVME_IOCTL_SUBMIT_IO:
		ret = submit_io(ns, flags, argp);
		break;
	case NVME_IOCTL_IO_CMD:
		ret = user_cmd(ctrl, ns, KIND_IO, false, false, flags, argp);
		break;
	case NVME_IOCTL_IO64_CMD:
		ret = user_cmd(ctrl, ns, KIND_IO, true, false, flags, argp);
		break;
	case NVME_IOCTL_IO64_CMD_VEC:
		ret = user_cmd(ctrl, ns, KIND_IO, true, true, flags, argp);
		break;
	default:
		ret = admin_ioctl(ctrl, cmd, flags, argp);
		if (ret == -ENOTTY)
			ret = nvmq_opal_ioctl(&ctrl->opal, cmd, argp);
		break;
	}
	nvmq_ctrl_leave(ctrl);
	return ret;
}

/* ---- disks ---- */

static int disk_ioctl(struct block_device *bdev, blk_mode_t mode, unsigned int cmd,
		      unsigned long arg)
{
	u32 flags = mode & BLK_OPEN_WRITE ? NVMQ_USER_WRITES : 0;

	if (bdev_is_partition(bdev))
		flags |= NVMQ_USER_PARTITION;
	return ns_ioctl(bdev->bd_disk->private_data, cmd, flags, (void __user *)arg);
}

/* The disk has none: cylinders of 1 MiB, as tools that ask for one have come to expect. */
static int disk_getgeo(NVMQ_GETGEO_ARG, struct hd_geometry *geo)
{
	geo->heads = 64;
	geo->sectors = 32;
	/* 64 * 32 sectors each */
	geo->cylinders = get_capacity(NVMQ_GETGEO_DISK()) >> 11;
	return 0;
}

const struct block_device_operations nvmq_ioctl_disk_ops = {
	.owner = THIS_MODULE,
	.ioctl = disk_ioctl,
	.compat_ioctl = blkdev_compat_ptr_ioctl,
	.getgeo = disk_getgeo,
	.free_disk = nvmq_ns_free_disk,
	.pr_ops = &nvmq_pr_ops,
};

/* ---- character devices ---- */

static u32 file_flags(const struct file *file)
{
	return file->f_mode & FMODE_WRITE ? NVMQ_USER_WRITES : 0;
}

static long ns_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return ns_ioctl(file->private_data, cmd, file_flags(file), (void __user *)arg);
}

static int ns_uring_cmd(struct io_uring_cmd *ioucmd, unsigned int issue_flags)
{
	return nvmq_uring_ns_cmd(ioucmd->file->private_data, file_flags(ioucmd->file), ioucmd,
				 issue_flags);
}

const struct file_operations nvmq_ioctl_ns_fops = {
	.owner = THIS_MODULE,
	.open = nvmq_ns_open,
	.unlocked_ioctl = ns_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.uring_cmd = ns_uring_cmd,
	.uring_cmd_iopoll = nvmq_uring_poll,
};

/* An I/O command by the device of the controller: of the one namespace that there is. */
static int only_ns_cmd(struct nvmq_ctrl *ctrl, u32 flags, void __user *argp)
{
	struct nvmq_ns *ns;
	int ret;

	mutex_lock(&ctrl->nss.lock);
	ns = list_first_entry_or_null(&ctrl->nss.list, struct nvmq_ns, entry);
	if (ns)
		get_device(&ns->node.dev);
	ret = !ns ? -ENOTTY : list_is_singular(&ctrl->nss.list) ? 0 : -EINVAL;
	mutex_unlock(&ctrl->nss.lock);
	if (ret == -EINVAL)
		dev_warn_ratelimited(&ctrl->pdev->dev,
				     "nvme%d: I/O command of user space refused: to which namespace?\n",
				     ctrl->id);
	if (!ret)
		ret = user_cmd(ctrl, ns, KIND_IO, false, false, flags, argp);
	if (ns)
		nvmq_node_put(&ns->node);
	return ret;
}

/* What is for administrators, by whatever mode they have opened the device. */
static int ctrl_admin_ioctl(struct nvmq_ctrl *ctrl, unsigned int cmd)
{
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	switch (cmd) {
	case NVME_IOCTL_RESET:
		return nvmq_ctrl_reset(ctrl, "asked for") ?: nvmq_ctrl_settle(ctrl);
	case NVME_IOCTL_SUBSYS_RESET:
		ret = nvmq_ctrl_subsystem_reset(ctrl);
		/* So says who does not know the ioctl, and programs look for that. */
		return ret == -EOPNOTSUPP ? -ENOTTY : ret;
	default:
		return nvmq_ctrl_rescan(ctrl);
	}
}

static long ctrl_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct nvmq_ctrl *ctrl = file->private_data;
	void __user *argp = (void __user *)arg;
	u32 flags = file_flags(file);
	long ret;

	if (!nvmq_ctrl_enter(ctrl))
		return -ENODEV;
	switch (cmd) {
	case NVME_IOCTL_IO_CMD:
		ret = only_ns_cmd(ctrl, flags, argp);
		break;
	case NVME_IOCTL_RESET:
	case NVME_IOCTL_SUBSYS_RESET:
	case NVME_IOCTL_RESCAN:
		ret = ctrl_admin_ioctl(ctrl, cmd);
		break;
	default:
		ret = admin_ioctl(ctrl, cmd, flags, argp);
		break;
	}
	nvmq_ctrl_leave(ctrl);
	return ret;
}

static int ctrl_uring_cmd(struct io_uring_cmd *ioucmd, unsigned int issue_flags)
{
	return nvmq_uring_ctrl_cmd(ioucmd->file->private_data, file_flags(ioucmd->file), ioucmd,
				   issue_flags);
}

const struct file_operations nvmq_ioctl_ctrl_fops = {
	.owner = THIS_MODULE,
	.open = nvmq_ctrl_open,
	.unlocked_ioctl = ctrl_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.uring_cmd = ctrl_uring_cmd,
};
