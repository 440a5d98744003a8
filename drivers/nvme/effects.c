// SPDX-License-Identifier: GPL-2.0
/*
 * The effects of commands: read from the device when they are first asked for,
 * and kept until the next reset, after which other firmware may run.
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "effects.h"

/* What these do whether or not the device says so. */
static const struct known {
	u8 opcode;
	u32 effects;
} known_io[] = {
	{ NVMQ_IO_WRITE, NVMQ_EFFECT_CONTENT },
	{ NVMQ_IO_WRITE_UNCORRECTABLE, NVMQ_EFFECT_CONTENT },
	{ NVMQ_IO_WRITE_ZEROES, NVMQ_EFFECT_CONTENT },
}, known_admin[] = {
	{ NVMQ_ADMIN_FORMAT_NVM, NVMQ_EFFECT_CONTENT | NVMQ_EFFECT_NS_CAP | NVMQ_EFFECT_ALONE },
	{ NVMQ_ADMIN_SANITIZE, NVMQ_EFFECT_CONTENT | NVMQ_EFFECT_ALONE },
	{ NVMQ_ADMIN_NS_MANAGEMENT, NVMQ_EFFECT_NS_INV },
	{ NVMQ_ADMIN_NS_ATTACHMENT, NVMQ_EFFECT_NS_INV },
};

static u32 find(const struct known *known, size_t count, u8 opcode)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (known[i].opcode == opcode)
			return known[i].effects;
	return 0;
}

/**
 * nvmq_effects_alloc - memory for the log
 * @effects: zeroed
 *
 * Return: 0 or -ENOMEM.
 */
int nvmq_effects_alloc(struct nvmq_effects *effects)
{
	mutex_init(&effects->lock);
	effects->log = kzalloc(sizeof(*effects->log), GFP_KERNEL);
	return effects->log ? 0 : -ENOMEM;
}

/**
 * nvmq_effects_free - undo nvmq_effects_alloc()
 * @effects: the effects; nobody asks any more
 */
void nvmq_effects_free(struct nvmq_effects *effects)
{
	kfree(effects->log);
}

/**
 * nvmq_effects_forget - ask the device again next time
 * @effects: the effects
 * @has_log: the device has the log
 *
 * Context: may sleep.
 */
void nvmq_effects_forget(struct nvmq_effects *effects, bool has_log)
{
	mutex_lock(&effects->lock);
	effects->has_log = has_log;
	effects->known = false;
	mutex_unlock(&effects->lock);
}

/**
 * nvmq_effects_read - read the log, if that was not done before
 * @effects: the effects
 * @admin: admin queue of the controller
 *
 * A controller without the log, or that refuses to give it, supports no command
 * as far as anybody can know (base 5.16.1.6).
 *
 * Context: sleeps.
 * Return: 0; or an error of nvmq_admin_exec() other than -EIO.
 */
int nvmq_effects_read(struct nvmq_effects *effects, struct nvmq_admin *admin)
{
	unsigned int noio;
	int err = 0;

	if (nvmq_effects_known(effects))
		return 0;
	/* A reset, which memory may wait for, wants the lock. */
	noio = memalloc_noio_save();
	mutex_lock(&effects->lock);
	if (!effects->known) {
		err = effects->has_log ? nvmq_admin_log_page(admin, NVMQ_LOG_EFFECTS, effects->log,
							     sizeof(*effects->log)) : -EIO;
		if (err == -EIO) {
			memset(effects->log, 0, sizeof(*effects->log));
			err = 0;
		}
		if (!err)
			/* Pairs with nvmq_effects_known(): the log first. */
			smp_store_release(&effects->known, true);
	}
	mutex_unlock(&effects->lock);
	memalloc_noio_restore(noio);
	return err;
}

/**
 * nvmq_effects_io - the effects of an I/O command
 * @effects: known
 * @opcode: its opcode
 *
 * Return: NVMQ_EFFECT_*; 0 if the device does not say that it has the command.
 */
u32 nvmq_effects_io(const struct nvmq_effects *effects, u8 opcode)
{
	u32 said = le32_to_cpu(READ_ONCE(effects->log->io[opcode]));

	return said ? said | find(known_io, ARRAY_SIZE(known_io), opcode) : 0;
}

/**
 * nvmq_effects_admin - the effects of an admin command
 * @effects: known
 * @opcode: its opcode
 *
 * Return: NVMQ_EFFECT_*, as the device says and as the specification does.
 */
u32 nvmq_effects_admin(const struct nvmq_effects *effects, u8 opcode)
{
	u32 said = le32_to_cpu(READ_ONCE(effects->log->admin[opcode]));

	/* Who need not be quite alone need not be at all; and what is received is nobody's I/O. */
	if ((said & NVMQ_EFFECT_RELAXED_MASK) || opcode == NVMQ_ADMIN_SECURITY_RECEIVE)
		said &= ~NVMQ_EFFECT_CSE_MASK;
	return said | find(known_admin, ARRAY_SIZE(known_admin), opcode);
}
