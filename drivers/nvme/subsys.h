/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Subsystems: controllers that say that they belong together.
 */
#ifndef NVMQ_SUBSYS_H
#define NVMQ_SUBSYS_H

#include <linux/types.h>

#include "node.h"

/**
 * struct nvmq_subsys_id - what a controller says of its subsystem (Identify Controller)
 * @nqn: qualified name (SUBNQN), or one made of the other fields where there is none
 * @model: MN, without trailing blanks
 * @serial: SN, likewise
 * @firmware: FR, likewise
 * @vid: PCI vendor
 * @shared: it may have other controllers (CMIC); else one of the same name is another subsystem
 */
struct nvmq_subsys_id {
	char nqn[224];
	char model[41];
	char serial[21];
	char firmware[9];
	u16 vid;
	bool shared;
};

struct nvmq_subsys;

struct nvmq_subsys *nvmq_subsys_join(const struct nvmq_subsys_id *id, struct nvmq_node *ctrl,
				     unsigned int number);
void nvmq_subsys_leave(struct nvmq_subsys *subsys, struct nvmq_node *ctrl);

#endif /* NVMQ_SUBSYS_H */
