// SPDX-License-Identifier: GPL-2.0
/*
 * Persistent reservations: what clusters use to keep each other from a shared
 * disk (base 8.19).  Block layer and NVMe number the types alike.
 */
#include <linux/blkdev.h>
#include <linux/slab.h>

#include "passthru.h"
#include "pr.h"

/* As many as are read at most; each is a host. */
#define MAX_KEYS	1024u

/* ---- commands ---- */

/* The device's status as the callers of pr_ops know it. */
static int from_status(int status)
{
	switch (status & NVMQ_SC_MASK) {
	case NVMQ_SC_SUCCESS:
		return PR_STS_SUCCESS;
	case NVMQ_SC_RESERVATION_CONFLICT:
		return PR_STS_RESERVATION_CONFLICT;
	case NVMQ_SC_HOST_PATHING:
		return PR_STS_PATH_FAILED;
	case NVMQ_SC_INVALID_OPCODE:
	case NVMQ_SC_INVALID_FIELD:
	case NVMQ_SC_INVALID_NAMESPACE:
		return -EINVAL;
	default:
		return PR_STS_IOERR;
	}
}

/*
 * @buf: memory of kmalloc().  Returns 0, a status of the device, or an error.
 */
static int send(struct block_device *bdev, u8 opcode, u32 cdw10, u32 cdw11, void *buf, u32 len)
{
	struct nvmq_ns *ns = bdev->bd_disk->private_data;
	struct nvmq_ctrl *ctrl = nvmq_passthru_ctrl(ns);
	struct nvmq_user_cmd cmd = {
		.sqe.opcode = opcode,
		.sqe.nsid = cpu_to_le32(ns->cmd.nsid),
		.sqe.cdw10 = cpu_to_le32(cdw10),
		.sqe.cdw11 = cpu_to_le32(cdw11),
	};
	int ret;

	if (!(ns->nss->oncs & NVMQ_ONCS_RESERVATIONS))
		return -EOPNOTSUPP;
	if (!nvmq_ctrl_enter(ctrl))
		return -ENODEV;
	nvmq_ctrl_settle(ctrl);
	ret = nvmq_passthru_execute(ns, &cmd, buf, len);
	nvmq_ctrl_leave(ctrl);
	return ret;
}

/* Register, Acquire and Release have one key or two for data. */
static int send_keys(struct block_device *bdev, u8 opcode, u32 cdw10, u64 key, u64 other)
{
	__le64 *keys = kmalloc_array(2, sizeof(*keys), GFP_KERNEL);
	u32 len = opcode == NVMQ_IO_RESV_RELEASE ? sizeof(*keys) : 2 * sizeof(*keys);
	int ret;

	if (!keys)
		return -ENOMEM;
	keys[0] = cpu_to_le64(key);
	keys[1] = cpu_to_le64(other);
	ret = send(bdev, opcode, cdw10, 0, keys, len);
	kfree(keys);
	return ret < 0 ? ret : from_status(ret);
}

/* Returns 0 for one that is none. */
static u32 type_bits(enum pr_type type)
{
	return type >= PR_WRITE_EXCLUSIVE && type <= PR_EXCLUSIVE_ACCESS_ALL_REGS ? type << 8 : 0;
}

/* ---- what is asked for ---- */

static int pr_register(struct block_device *bdev, u64 old, u64 new, u32 flags)
{
	const struct nvmq_ns *ns = bdev->bd_disk->private_data;
	u32 cdw10 = new ? old ? NVMQ_RESV_REPLACE : NVMQ_RESV_REGISTER : NVMQ_RESV_UNREGISTER;

	if (flags & ~PR_FL_IGNORE_KEY)
		return -EOPNOTSUPP;
	if (flags & PR_FL_IGNORE_KEY)
		cdw10 |= NVMQ_RESV_IGNORE_KEY;
	if (ns->rescap & NVMQ_RESCAP_PERSIST)
		cdw10 |= NVMQ_RESV_PERSIST;
	return send_keys(bdev, NVMQ_IO_RESV_REGISTER, cdw10, old, new);
}

static int pr_reserve(struct block_device *bdev, u64 key, enum pr_type type, u32 flags)
{
	u32 cdw10 = type_bits(type) | NVMQ_RESV_ACQUIRE;

	if (!type_bits(type))
		return -EINVAL;
	if (flags & ~PR_FL_IGNORE_KEY)
		return -EOPNOTSUPP;
	if (flags & PR_FL_IGNORE_KEY)
		cdw10 |= NVMQ_RESV_IGNORE_KEY;
	return send_keys(bdev, NVMQ_IO_RESV_ACQUIRE, cdw10, key, 0);
}

static int pr_preempt(struct block_device *bdev, u64 key, u64 others, enum pr_type type, bool abort)
{
	u32 action = abort ? NVMQ_RESV_PREEMPT_AND_ABORT : NVMQ_RESV_PREEMPT;

	if (!type_bits(type))
		return -EINVAL;
	return send_keys(bdev, NVMQ_IO_RESV_ACQUIRE, type_bits(type) | action, key, others);
}

static int pr_release(struct block_device *bdev, u64 key, enum pr_type type)
{
	if (!type_bits(type))
		return -EINVAL;
	return send_keys(bdev, NVMQ_IO_RESV_RELEASE,
			 type_bits(type) | NVMQ_RESV_RELEASE | (key ? 0 : NVMQ_RESV_IGNORE_KEY),
			 key, 0);
}

static int pr_clear(struct block_device *bdev, u64 key)
{
	return send_keys(bdev, NVMQ_IO_RESV_RELEASE,
			 NVMQ_RESV_CLEAR | (key ? 0 : NVMQ_RESV_IGNORE_KEY), key, 0);
}

/* ---- what there is ---- */

#ifdef NVMQ_HAVE_PR_READ
/* A report, whose entries have one form or the other. */
struct report {
	union {
		struct nvmq_resv_status *head;
		struct nvmq_resv_status_ext *head_ext;
		void *buf;
	};
	bool extended;
	u32 room;
};

static u32 report_len(const struct report *report)
{
	return report->extended ?
	       sizeof(struct nvmq_resv_status_ext) +
	       report->room * sizeof(struct nvmq_resv_entry_ext) :
	       sizeof(struct nvmq_resv_status) + report->room * sizeof(struct nvmq_resv_entry);
}

/* Registrants, whose entries may not all have come. */
static u32 report_count(const struct report *report)
{
	return report->head->regctl[0] | report->head->regctl[1] << 8;
}

static u64 report_key(const struct report *report, u32 i, bool *holds)
{
	const struct nvmq_resv_entry_ext *ext = (void *)(report->head_ext + 1);
	const struct nvmq_resv_entry *entry = (void *)(report->head + 1);

	*holds = (report->extended ? ext[i].rcsts : entry[i].rcsts) & NVMQ_RESV_HOLDS;
	return le64_to_cpu(report->extended ? ext[i].rkey : entry[i].rkey);
}

/*
 * Reservation Report (base 7.5), with room for so many entries.  Which form the
 * device has depends on its Host Identifiers; the wrong one is refused.
 */
static int read_report(struct block_device *bdev, struct report *report, u32 room)
{
	int ret;

	report->room = min(room, MAX_KEYS);
	report->extended = true;
	report->buf = kzalloc(report_len(report), GFP_KERNEL);
	if (!report->buf)
		return -ENOMEM;
	ret = send(bdev, NVMQ_IO_RESV_REPORT, report_len(report) / 4 - 1, NVMQ_RESV_EXTENDED,
		   report->buf, report_len(report));
	if (ret > 0 && (ret & NVMQ_SC_MASK) == NVMQ_SC_HOST_ID_FORMAT) {
		report->extended = false;
		ret = send(bdev, NVMQ_IO_RESV_REPORT, report_len(report) / 4 - 1, 0, report->buf,
			   report_len(report));
	}
	if (!ret)
		return 0;
	kfree(report->buf);
	return ret < 0 ? ret : from_status(ret);
}

static int pr_read_keys(struct block_device *bdev, struct pr_keys *keys)
{
	struct report report;
	bool holds;
	u32 i;
	int ret;

	ret = read_report(bdev, &report, keys->num_keys);
	if (ret)
		return ret;
	keys->generation = le32_to_cpu(report.head->gen);
	for (i = 0; i < min(report.room, report_count(&report)); i++)
		keys->keys[i] = report_key(&report, i, &holds);
	keys->num_keys = report_count(&report);
	kfree(report.buf);
	return 0;
}

static int pr_read_reservation(struct block_device *bdev, struct pr_held_reservation *held)
{
	struct report report;
	bool holds;
	u64 key;
	u32 i;
	int ret;

	/* How many are there? */
	ret = read_report(bdev, &report, 0);
	if (ret)
		return ret;
	i = report_count(&report);
	kfree(report.buf);
	ret = read_report(bdev, &report, i);
	if (ret)
		return ret;
	memset(held, 0, sizeof(*held));
	held->generation = le32_to_cpu(report.head->gen);
	held->type = type_bits(report.head->rtype) >> 8;
	/* One that all registrants hold has nobody's key. */
	if (held->type && held->type != PR_WRITE_EXCLUSIVE_ALL_REGS &&
	    held->type != PR_EXCLUSIVE_ACCESS_ALL_REGS)
		for (i = 0; i < min(report.room, report_count(&report)) && !held->key; i++) {
			key = report_key(&report, i, &holds);
			if (holds)
				held->key = key;
		}
	kfree(report.buf);
	return 0;
}
#endif

const struct pr_ops nvmq_pr_ops = {
	.pr_register = pr_register,
	.pr_reserve = pr_reserve,
	.pr_release = pr_release,
	.pr_preempt = pr_preempt,
	.pr_clear = pr_clear,
#ifdef NVMQ_HAVE_PR_READ
	.pr_read_keys = pr_read_keys,
	.pr_read_reservation = pr_read_reservation,
#endif
};
