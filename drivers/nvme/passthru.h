/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands of user space, whatever door they come by.
 */
#ifndef NVMQ_PASSTHRU_H
#define NVMQ_PASSTHRU_H

#include <linux/bits.h>
#include <linux/blk-mq.h>
#include <linux/uio.h>

#include "ctrl.h"

/* Who sends a command, and how. */
#define NVMQ_USER_WRITES	BIT(0)	/* the device is open for writing */
#define NVMQ_USER_PARTITION	BIT(1)	/* it is a partition */

/**
 * struct nvmq_user_cmd - a command of user space
 * @sqe: the command; its CID and data pointer mean nothing
 * @flags: NVMQ_USER_*
 * @timeout_ms: how long it may take; 0: as any command of its kind
 * @data: where its data is; filled by nvmq_passthru_import(), or by the door itself
 * @fast_iov: memory of @data
 * @iov: more of it, if it was allocated
 * @result: out: dwords 0 and 1 of the completion
 */
struct nvmq_user_cmd {
	struct nvmq_sqe sqe;
	u32 flags;
	u32 timeout_ms;
	struct iov_iter data;
	struct iovec fast_iov[UIO_FASTIOV];
	struct iovec *iov;
	u64 result;
};

int nvmq_passthru_import(struct nvmq_user_cmd *cmd, u64 addr, u32 len, bool vec);
void nvmq_passthru_release(struct nvmq_user_cmd *cmd);

int nvmq_passthru_check_io(struct nvmq_ns *ns, struct nvmq_user_cmd *cmd);
struct request *nvmq_passthru_request(struct nvmq_ns *ns, struct nvmq_user_cmd *cmd,
				      blk_opf_t opf, blk_mq_req_flags_t flags);
int nvmq_passthru_outcome(struct request *rq, blk_status_t err);
int nvmq_passthru_execute(struct nvmq_ns *ns, struct nvmq_user_cmd *cmd, void *buf, u32 len);
int nvmq_passthru_io(struct nvmq_ns *ns, struct nvmq_user_cmd *cmd);
int nvmq_passthru_admin(struct nvmq_ctrl *ctrl, struct nvmq_user_cmd *cmd);

/**
 * nvmq_passthru_rw - which way the data of a command goes
 * @sqe: the command
 *
 * Return: WRITE if to the device, else READ.
 */
static inline int nvmq_passthru_rw(const struct nvmq_sqe *sqe)
{
	return sqe->opcode & NVMQ_OPCODE_TO_DEVICE ? WRITE : READ;
}

/**
 * nvmq_passthru_ctrl - the controller of a namespace
 * @ns: the namespace
 *
 * Return: the controller, whose memory stays as long as @ns does.
 */
static inline struct nvmq_ctrl *nvmq_passthru_ctrl(const struct nvmq_ns *ns)
{
	return container_of(ns->nss, struct nvmq_ctrl, nss);
}

#endif /* NVMQ_PASSTHRU_H */
