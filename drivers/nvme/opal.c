// SPDX-License-Identifier: GPL-2.0
/*
 * Disks that lock themselves (TCG Opal): the kernel knows how to talk to them, and
 * this carries it, by Security Send and Security Receive (base 5.25 and 5.26).
 */
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "opal.h"

#ifdef CONFIG_BLK_SED_OPAL

/* Security protocols: which others there are (SPC-5), and that of Opal (TCG SIIS). */
#define PROTOCOL_LIST	0x00
#define PROTOCOL_TCG	0x01

/* The answer to the former; a device has a handful. */
struct protocol_list {
	u8 reserved[6];
	__be16 len;
	u8 protocol[504];
};

static_assert(sizeof(struct protocol_list) == 512);

static int security(void *data, u16 spsp, u8 secp, void *buf, size_t len, bool send)
{
	struct nvmq_opal *opal = data;
	struct nvmq_admin_cmd cmd = {
		.sqe = {
			.opcode = send ? NVMQ_ADMIN_SECURITY_SEND : NVMQ_ADMIN_SECURITY_RECEIVE,
			.cdw10 = cpu_to_le32((u32)secp << 24 | (u32)spsp << 8),
			.cdw11 = cpu_to_le32(len),
		},
		.buf = buf,
		.len = len,
		.to_device = send,
	};
	int err = nvmq_admin_exec(opal->admin, &cmd);

	/* Not of an ioctl, whose command the reset has ended. */
	if (READ_ONCE(opal->starter) == current)
		opal->err = err;
	return err;
}

/*
 * Whether the controller speaks TCG's protocol.  To ask for that first costs a command, once;
 * devices without it would note an error, at every start, if they were asked in it.
 */
static int speaks_tcg(struct nvmq_opal *opal)
{
	struct protocol_list *list = kzalloc(sizeof(*list), GFP_KERNEL);
	int err, len;
	bool speaks;

	if (!list)
		return -ENOMEM;
	err = security(opal, 0, PROTOCOL_LIST, list, sizeof(*list), false);
	len = min_t(int, be16_to_cpu(list->len), sizeof(list->protocol));
	speaks = memchr(list->protocol, PROTOCOL_TCG, len);
	kfree(list);
	return err ?: speaks;
}

/**
 * nvmq_opal_start - see whether a controller has Opal, or unlock it again
 * @opal: zeroed before the first time
 * @admin: the admin queue, started; there is no I/O yet
 * @slept: it may have lost power in a suspend; ranges that user space has asked for
 *         (IOC_OPAL_SAVE) are unlocked then, and only then: in any other reset it
 *         forgets nothing, and what an administrator has locked stays so
 *
 * The controller has the security commands (OACS).  That it has no Opal is no error.
 *
 * Context: sleeps.
 * Return: 0; -ETIMEDOUT if it did not answer; -ENODEV if it is gone.
 */
int nvmq_opal_start(struct nvmq_opal *opal, struct nvmq_admin *admin, bool slept)
{
	int tcg;

	opal->admin = admin;
	opal->err = 0;
	WRITE_ONCE(opal->starter, current);
	if (opal->dev) {
		if (slept && opal_unlock_from_suspend(opal->dev))
			dev_err(admin->q.dev,
				"Opal: not unlocked after the suspend: I/O to what is locked fails\n");
	} else if (!opal->asked) {
		tcg = speaks_tcg(opal);
		/* Memory may be there the next time. */
		opal->asked = tcg != -ENOMEM;
		if (tcg > 0) {
			struct opal_dev *dev = init_opal_dev(opal, security);

			/* An ioctl that sees it sees all of it. */
			smp_store_release(&opal->dev, dev);
		}
	}
	WRITE_ONCE(opal->starter, NULL);
	return opal->err == -ETIMEDOUT || opal->err == -ENODEV ? opal->err : 0;
}

/**
 * nvmq_opal_ioctl - an ioctl of linux/sed-opal.h
 * @opal: of the controller
 * @cmd: any ioctl
 * @argp: its argument
 *
 * Context: sleeps, until the controller has answered.
 * Return: 0, or what the kernel's Opal says; -ENOTTY if @cmd is none of its ioctls.
 */
int nvmq_opal_ioctl(struct nvmq_opal *opal, unsigned int cmd, void __user *argp)
{
	if (!is_sed_ioctl(cmd))
		return -ENOTTY;
	/* Pairs with the release in nvmq_opal_start(). */
	return sed_ioctl(smp_load_acquire(&opal->dev), cmd, argp);
}

/**
 * nvmq_opal_free - forget a controller, and the keys that were to unlock it
 * @opal: nobody uses it any more
 */
void nvmq_opal_free(struct nvmq_opal *opal)
{
	free_opal_dev(opal->dev);
	opal->dev = NULL;
}

#endif /* CONFIG_BLK_SED_OPAL */
