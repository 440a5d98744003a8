/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name: as much as cmd.h needs to compile. */
#ifndef UNIT_LINUX_BLK_MQ_H
#define UNIT_LINUX_BLK_MQ_H

#include <linux/types.h>

#define SECTOR_SHIFT		9

#define REQ_FAILFAST_DEV	(1u << 8)
#define REQ_FUA			(1u << 17)
#define REQ_RAHEAD		(1u << 19)

typedef u8 blk_status_t;

struct request {
	u32 cmd_flags;
	u32 bytes;
	u64 pos;
};

#define req_op(rq)		((rq)->cmd_flags & 0xff)
#define blk_rq_bytes(rq)	((rq)->bytes)
#define blk_rq_pos(rq)		((rq)->pos)

#endif
