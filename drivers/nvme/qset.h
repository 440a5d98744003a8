/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The I/O queues of a controller: carries a queue plan out.
 */
#ifndef NVMQ_QSET_H
#define NVMQ_QSET_H

#include <linux/blk-mq.h>

#include "admin.h"
#include "io.h"
#include "plan.h"

/**
 * struct nvmq_coalescing - when completions interrupt
 * @completions: as soon as there are so many; 0: the device decides, nothing was asked
 * @us: or after so many microseconds
 */
struct nvmq_coalescing {
	u16 completions;
	u16 us;
};

/**
 * struct nvmq_qset - the I/O queues of a controller
 * @admin: its admin queue
 * @plan: what was asked
 * @grant: what there is; all queue counts are 0 while the set is stopped
 * @topo: the CPUs of the machine
 * @serving: those of them that may have queues of their own, as it was when the set was started
 * @mapped: the grant that the maps of the tag set are made from; another one than
 *          @grant while a reset that changed the queues is not yet through
 * @map: per type a CPU-to-queue-id table of nr_cpu_ids entries
 * @ioq: queue @qid is @ioq[qid - 1]; allocated once, its memory comes and goes
 * @nr_ioq: length of @ioq: the pairs that any plan can come to
 * @pairs: pairs that the device has granted, at most @nr_ioq
 * @doorbells: pairs whose doorbells the BAR reaches
 * @depth: tags that the tag set has for each queue, which the rings must hold and
 *         no depth can exceed; 0: none yet
 * @coalescing: what the device was told since it was enabled
 * @weights: likewise, of the classes of weighted round robin; all 0: nothing
 * @burst: log2 of the commands that it likes to fetch from a queue at once, 7: any number; set by
 *         the owner before nvmq_qset_start()
 * @prp_align: alignment of PRP lists that the device wants
 * @sgl: the controller takes SGLs; set by the owner before nvmq_qset_start()
 * @stray: the device may have a queue that @grant does not know: it must be disabled
 * @pools: memory shared by the queues
 * @vectors: interrupt vectors allocated; 0 while there are none
 *
 * Written by nvmq_qset_start() and nvmq_qset_stop(), which the owner
 * serialises; readers of @grant and @map hold the same lock.
 */
struct nvmq_qset {
	struct nvmq_admin *admin;
	struct nvmq_plan plan;
	struct nvmq_grant grant;
	struct nvmq_grant mapped;
	struct nvmq_topology topo;
	struct nvmq_topology serving;
	u16 *map[NVMQ_NR_TYPES];
	struct nvmq_ioq **ioq;
	u32 nr_ioq;
	u32 pairs;
	u32 doorbells;
	u16 depth;
	struct nvmq_coalescing coalescing;
	u16 weights[NVMQ_NR_WEIGHTS];
	u8 burst;
	u32 prp_align;
	bool sgl;
	bool stray;
	struct nvmq_io_pools pools;
	int vectors;
};

int nvmq_qset_read_topology(struct nvmq_topology *topo);
int nvmq_qset_init(struct nvmq_qset *qs, struct nvmq_admin *admin, const struct nvmq_plan *plan,
		   u32 prp_align);
void nvmq_qset_exit(struct nvmq_qset *qs);
int nvmq_qset_first_vector(struct nvmq_qset *qs);
int nvmq_qset_ask(struct nvmq_qset *qs);
int nvmq_qset_start(struct nvmq_qset *qs);
bool nvmq_qset_stop(struct nvmq_qset *qs, bool delete);
bool nvmq_qset_needs_reset(const struct nvmq_qset *qs, const struct nvmq_plan *plan);
void nvmq_qset_drain(struct nvmq_qset *qs);
bool nvmq_qset_changed(const struct nvmq_qset *qs, const struct blk_mq_tag_set *set);
void nvmq_qset_poll(struct nvmq_qset *qs);
void nvmq_qset_park(struct nvmq_qset *qs);
void nvmq_qset_map_queues(struct nvmq_qset *qs, struct blk_mq_tag_set *set);
bool nvmq_qset_is_mapped(const struct nvmq_qset *qs, const struct blk_mq_tag_set *set);

#endif /* NVMQ_QSET_H */
