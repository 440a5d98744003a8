/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What commands do beside their work: the Commands Supported and Effects log.
 */
#ifndef NVMQ_EFFECTS_H
#define NVMQ_EFFECTS_H

#include <linux/mutex.h>
#include <linux/types.h>

#include "admin.h"

/**
 * struct nvmq_effects - the effects of a controller's commands
 * @lock: serialises reading the log
 * @has_log: the controller has it (LPA); set by the owner
 * @known: @log is what the device says, or zeroes if it has none; may be forgotten at any moment
 * @log: the log page, allocated with the owner
 */
struct nvmq_effects {
	struct mutex lock;
	bool has_log;
	bool known;
	struct nvmq_log_effects *log;
};

int nvmq_effects_alloc(struct nvmq_effects *effects);
void nvmq_effects_free(struct nvmq_effects *effects);
void nvmq_effects_forget(struct nvmq_effects *effects, bool has_log);
int nvmq_effects_read(struct nvmq_effects *effects, struct nvmq_admin *admin);
u32 nvmq_effects_io(const struct nvmq_effects *effects, u8 opcode);
u32 nvmq_effects_admin(const struct nvmq_effects *effects, u8 opcode);

/**
 * nvmq_effects_known - has the log been read?
 * @effects: the effects
 *
 * Return: true if nvmq_effects_read() would not ask the device.
 */
static inline bool nvmq_effects_known(const struct nvmq_effects *effects)
{
	/* Pairs with nvmq_effects_read(): the log is there. */
	return smp_load_acquire(&effects->known);
}

#endif /* NVMQ_EFFECTS_H */
