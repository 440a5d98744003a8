/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands of io_uring: NVME_URING_CMD_*.
 */
#ifndef NVMQ_URING_H
#define NVMQ_URING_H

#include "passthru.h"

struct io_uring_cmd;

int nvmq_uring_ns_cmd(struct nvmq_ns *ns, u32 flags, struct io_uring_cmd *ioucmd,
		      unsigned int issue_flags);
int nvmq_uring_ctrl_cmd(struct nvmq_ctrl *ctrl, u32 flags, struct io_uring_cmd *ioucmd,
			unsigned int issue_flags);
int nvmq_uring_poll(struct io_uring_cmd *ioucmd, struct io_comp_batch *iob, unsigned int flags);

#endif /* NVMQ_URING_H */
