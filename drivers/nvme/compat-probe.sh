#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# compat-probe.sh INCLUDE-DIR
#
# Looks at the headers that the module is built against and prints a -D flag
# for every feature that they have.  Features, never version numbers:
# distributions backport.  compat.h is the only reader of these flags.
set -eu

inc=$1/linux

# has FLAG HEADER FIXED-STRING: each names the upstream change that brought it.
has() {
	if grep -qsF -- "$3" "$inc/$2"; then
		printf ' -D%s' "$1"
		return 0
	fi
	return 1
}

# One probe that must succeed and one that must fail, so that a path that is
# not there cannot pass for an old kernel.
has NVMQ_PROBED blk-mq.h 'struct blk_mq_ops {' || {
	echo "compat-probe.sh: no kernel headers in $inc" >&2
	exit 1
}
if has NVMQ_BROKEN_PROBE blk-mq.h 'struct nvmq_no_such_thing {'; then
	echo "compat-probe.sh: the probes do not work" >&2
	exit 1
fi

# "block: add a rq_list type", 6.13
has NVMQ_HAVE_RQ_LIST blk-mq.h 'struct rq_list *' || :
# "block: pass a queue_limits argument to blk_mq_alloc_disk", 6.9
has NVMQ_HAVE_ALLOC_LIMITS blk-mq.h 'blk_mq_alloc_disk(set, lim, queuedata)' || :
# "block: move cache control settings out of queue->flags" (the first of BLK_FEAT_*), 6.11
has NVMQ_HAVE_FEATURES blkdev.h 'BLK_FEAT_WRITE_CACHE' || :
# "block: remove unused parameter 'q' parameter in __blk_rq_map_sg()", 6.15
has NVMQ_HAVE_MAP_SG_RQ blk-mq.h 'blk_rq_map_sg(struct request *rq, struct scatterlist *sglist)' || :
# "block: remove BLK_MQ_F_SHOULD_MERGE", 6.14
has NVMQ_HAVE_SHOULD_MERGE blk-mq.h 'BLK_MQ_F_SHOULD_MERGE' || :
# "PCI: Rename PCI_IRQ_LEGACY to PCI_IRQ_INTX", 6.8
has NVMQ_HAVE_IRQ_INTX pci.h 'PCI_IRQ_INTX' || :
# "block: Rename BLK_STS_NEXUS to BLK_STS_RESV_CONFLICT", 6.5
has NVMQ_HAVE_RESV_CONFLICT blk_types.h 'BLK_STS_RESV_CONFLICT' || :
# "block: add a queue_limits_commit_update_frozen helper", 6.14 and 6.12.y
has NVMQ_HAVE_COMMIT_FROZEN blkdev.h 'queue_limits_commit_update_frozen' || :
# "blk-mq: remove RQF_MQ_INFLIGHT", 6.7, comes with "blk-mq: update driver tags
# request table when start request": before it queue_rqs does that by itself.
has NVMQ_HAVE_RQF_MQ_INFLIGHT blk-mq.h 'RQF_MQ_INFLIGHT' || :
# "driver core: make struct bus_type.uevent() take a const *", 6.3
has NVMQ_HAVE_CONST_UEVENT device/bus.h 'int (*uevent)(const struct device *dev' || :
# "block: force noio scope in blk_mq_freeze_queue", 6.14
has NVMQ_HAVE_FREEZE_MEMSAVE blk-mq.h 'blk_mq_unfreeze_queue_nomemrestore' || :
# "block: replace fmode_t with a block-specific type for block open flags", 6.5
has NVMQ_HAVE_BLK_MODE blkdev.h 'blk_mode_t;' || :
# "iov: add import_ubuf()", 6.3
has NVMQ_HAVE_IMPORT_UBUF uio.h 'int import_ubuf(' || :
# "io_uring: split out cmd api into a separate header", 6.8
has NVMQ_HAVE_URING_CMD_H io_uring/cmd.h 'struct io_uring_cmd {' || :
# "block: pass io_comp_batch to rq_end_io_fn callback", 7.0
has NVMQ_HAVE_END_IO_BATCH blk-mq.h 'const struct io_comp_batch *);' || :
# "io_uring: add wrapper type for io_req_tw_func_t arg", 6.19
has NVMQ_HAVE_TW_REQ io_uring_types.h 'struct io_tw_req {' || :
# "io_uring: fix nvme's 32b cqes on mixed cq", 6.18
has NVMQ_HAVE_DONE32 io_uring/cmd.h 'io_uring_cmd_done32(' || :
# "io_uring/cmd: add cmd lazy tw wake helper", 6.5
has NVMQ_HAVE_DO_IN_TASK_LAZY io_uring/cmd.h 'io_uring_cmd_do_in_task_lazy(' || :
# "io_uring/cmd: introduce io_uring_cmd_import_fixed_vec", 6.15
has NVMQ_HAVE_FIXED_VEC io_uring/cmd.h 'io_uring_cmd_import_fixed_vec(' || :
# "block: add request polling helper", 6.5
has NVMQ_HAVE_RQ_POLL blk-mq.h 'int blk_rq_poll(' || :
# "block: Add PR callouts for read keys and reservation" and what comes with it, 6.5
has NVMQ_HAVE_PR_READ pr.h 'pr_read_keys' || :
# "block: remove the q argument from blk_rq_map_kern", 6.16
has NVMQ_HAVE_MAP_KERN_RQ blk-mq.h 'blk_rq_map_kern(struct request *rq' || :
# "block: switch ->getgeo() to struct gendisk", 6.18
has NVMQ_HAVE_GETGEO_DISK blkdev.h '(*getgeo)(struct gendisk *' || :
