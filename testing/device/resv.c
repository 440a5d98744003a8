// SPDX-License-Identifier: GPL-2.0
#include "resv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "ctrl.h"
#include "feature.h"
#include "identify.h"
#include "log.h"
#include "ns.h"

#define FOREIGN_CNTLID		(IDENTIFY_CNTLID + 1)
#define NOBODY			RESV_REGISTRANTS
#define REPORT_EXTENDED		0x1u

static const uint8_t foreign_host[16] = "another host";

static int refuse(int sc)
{
	return sc | NVMQ_STATUS_DNR;
}

static bool of_all(uint8_t type)
{
	return type == NVMQ_RESV_WRITE_EXCLUSIVE_ALL || type == NVMQ_RESV_EXCLUSIVE_ACCESS_ALL;
}

static unsigned int find(const struct resv *resv, const uint8_t *host)
{
	unsigned int i;

	for (i = 0; i < RESV_REGISTRANTS; i++)
		if (resv->registrant[i].used && !memcmp(resv->registrant[i].host, host, 16))
			return i;
	return NOBODY;
}

static bool holds(const struct resv *resv, unsigned int who)
{
	return resv->type && who != NOBODY && (of_all(resv->type) || resv->holder == who);
}

/* Tell the host of this controller, if it is a registrant, and wants to know. */
static void notify(struct ctrl *ctrl, struct ns *ns, enum nvmq_resv_note type)
{
	struct resv_notes *notes = &ctrl->logs->resv;
	struct nvmq_log_reservation *note;

	if (ns->resv.mask & 1u << type)
		return;
	notes->count++;
	/* Those that nobody reads are lost; the count shows it. */
	if (notes->nr == RESV_NOTES)
		return;
	note = &notes->note[notes->nr++];
	memset(note, 0, sizeof(*note));
	note->count = htole64(notes->count);
	note->type = (uint8_t)type;
	note->nsid = htole32(ns->nsid);
	ctrl_event(ctrl, NVMQ_EVENT_IO_SPECIFIC, NVMQ_EVENT_IO_RESERVATION, NVMQ_LOG_RESERVATION);
}

/* The reservation ends; registrants other than who did it are told if it was for registrants. */
static void end(struct ctrl *ctrl, struct ns *ns, const uint8_t *by)
{
	struct resv *resv = &ns->resv;
	const uint8_t *ours = ctrl->feat->host_id;
	bool told = resv->type >= NVMQ_RESV_WRITE_EXCLUSIVE_REG;

	resv->type = 0;
	if (told && find(resv, ours) != NOBODY && memcmp(ours, by, 16))
		notify(ctrl, ns, NVMQ_RESV_NOTE_RELEASED);
}

static bool anybody(const struct resv *resv)
{
	unsigned int i;

	for (i = 0; i < RESV_REGISTRANTS; i++)
		if (resv->registrant[i].used)
			return true;
	return false;
}

static void unregister(struct ctrl *ctrl, struct ns *ns, unsigned int who, const uint8_t *by)
{
	struct resv *resv = &ns->resv;
	bool last;

	resv->registrant[who].used = false;
	last = !anybody(resv);
	if (resv->type && (of_all(resv->type) ? last : resv->holder == who))
		end(ctrl, ns, by);
}

static int add(struct resv *resv, const uint8_t *host, uint64_t key)
{
	unsigned int i;

	for (i = 0; i < RESV_REGISTRANTS; i++) {
		if (resv->registrant[i].used)
			continue;
		resv->registrant[i].used = true;
		resv->registrant[i].key = key;
		memcpy(resv->registrant[i].host, host, 16);
		return 0;
	}
	return -ENOSPC;
}

static int exec_register(struct cmd *cmd, struct ns *ns)
{
	uint32_t dw10 = cmd_dw10(cmd), persist = dw10 >> 30;
	const uint8_t *host = cmd->ctrl->feat->host_id;
	bool ignore = dw10 & NVMQ_RESV_IGNORE_KEY;
	struct resv *resv = &ns->resv;
	unsigned int who = find(resv, host);
	uint64_t current, fresh;
	__le64 keys[2];
	int status;

	status = cmd_from_host(cmd, keys, sizeof(keys));
	if (status)
		return status;
	current = le64toh(keys[0]);
	fresh = le64toh(keys[1]);
	if (persist == 1)
		return refuse(NVMQ_SC_INVALID_FIELD);
	switch (NVMQ_RESV_ACTION(dw10)) {
	case NVMQ_RESV_REGISTER:
		if (who != NOBODY && resv->registrant[who].key != fresh)
			return refuse(NVMQ_SC_RESERVATION_CONFLICT);
		if (who == NOBODY && add(resv, host, fresh))
			return NVMQ_SC_INTERNAL;
		break;
	case NVMQ_RESV_UNREGISTER:
	case NVMQ_RESV_REPLACE:
		if (who == NOBODY || (!ignore && resv->registrant[who].key != current))
			return refuse(NVMQ_SC_RESERVATION_CONFLICT);
		if (NVMQ_RESV_ACTION(dw10) == NVMQ_RESV_REPLACE)
			resv->registrant[who].key = fresh;
		else
			unregister(cmd->ctrl, ns, who, host);
		break;
	default:
		return refuse(NVMQ_SC_INVALID_FIELD);
	}
	resv->generation++;
	if (persist)
		resv->persist = persist == 3;
	return 0;
}

/* Everybody with a key, or (all) everybody but one, loses the registration. */
static void preempt_registrants(struct ctrl *ctrl, struct ns *ns, unsigned int who, bool all,
				uint64_t key)
{
	struct resv *resv = &ns->resv;
	unsigned int i;

	for (i = 0; i < RESV_REGISTRANTS; i++) {
		if (!resv->registrant[i].used || (all ? i == who : resv->registrant[i].key != key))
			continue;
		resv->registrant[i].used = false;
		if (i != who && !memcmp(resv->registrant[i].host, ctrl->feat->host_id, 16))
			notify(ctrl, ns, NVMQ_RESV_NOTE_UNREGISTERED);
	}
}

/* Take a reservation from whoever has it; @who is a registrant. */
static int preempt(struct ctrl *ctrl, struct ns *ns, unsigned int who, uint8_t type, uint64_t key)
{
	struct resv *resv = &ns->resv;
	uint8_t old = resv->type;
	bool takes, found = false;
	unsigned int i;

	for (i = 0; i < RESV_REGISTRANTS; i++)
		found = found || (resv->registrant[i].used && resv->registrant[i].key == key);
	/* A key of zero means all of them, if all of them hold it (base 7.2). */
	takes = old && (of_all(old) ? !key : resv->registrant[resv->holder].key == key);
	if (!found && !(takes && of_all(old)))
		return refuse(NVMQ_SC_RESERVATION_CONFLICT);
	preempt_registrants(ctrl, ns, who, takes && of_all(old), key);
	/* Who preempts itself stays registered. */
	resv->registrant[who].used = true;
	resv->generation++;
	if (!takes)
		return 0;
	resv->type = type;
	resv->holder = who;
	return 0;
}

static int exec_acquire(struct cmd *cmd, struct ns *ns)
{
	uint32_t dw10 = cmd_dw10(cmd);
	struct resv *resv = &ns->resv;
	unsigned int who = find(resv, cmd->ctrl->feat->host_id);
	uint8_t type = NVMQ_RESV_TYPE(dw10);
	__le64 keys[2];
	int status;

	status = cmd_from_host(cmd, keys, sizeof(keys));
	if (status)
		return status;
	if (dw10 & NVMQ_RESV_IGNORE_KEY || !type || type > NVMQ_RESV_EXCLUSIVE_ACCESS_ALL ||
	    NVMQ_RESV_ACTION(dw10) > NVMQ_RESV_PREEMPT_AND_ABORT)
		return refuse(NVMQ_SC_INVALID_FIELD);
	if (who == NOBODY || resv->registrant[who].key != le64toh(keys[0]))
		return refuse(NVMQ_SC_RESERVATION_CONFLICT);
	/* Commands of others, to be aborted, cannot be there: this is the only controller. */
	if (NVMQ_RESV_ACTION(dw10) != NVMQ_RESV_ACQUIRE)
		return preempt(cmd->ctrl, ns, who, type, le64toh(keys[1]));
	if (resv->type)
		return holds(resv, who) && resv->type == type ? 0 :
		       refuse(NVMQ_SC_RESERVATION_CONFLICT);
	resv->type = type;
	resv->holder = who;
	return 0;
}

static int exec_release(struct cmd *cmd, struct ns *ns)
{
	const uint8_t *host = cmd->ctrl->feat->host_id;
	uint32_t dw10 = cmd_dw10(cmd);
	struct resv *resv = &ns->resv;
	unsigned int who = find(resv, host), i;
	__le64 key;
	int status;

	status = cmd_from_host(cmd, &key, sizeof(key));
	if (status)
		return status;
	if (dw10 & NVMQ_RESV_IGNORE_KEY || NVMQ_RESV_ACTION(dw10) > NVMQ_RESV_CLEAR)
		return refuse(NVMQ_SC_INVALID_FIELD);
	if (who == NOBODY || resv->registrant[who].key != le64toh(key))
		return refuse(NVMQ_SC_RESERVATION_CONFLICT);
	if (NVMQ_RESV_ACTION(dw10) == NVMQ_RESV_CLEAR) {
		for (i = 0; i < RESV_REGISTRANTS; i++)
			resv->registrant[i].used = false;
		resv->type = 0;
		resv->generation++;
		return 0;
	}
	/* Who does not hold it has nothing to release, and that is no error. */
	if (!holds(resv, who))
		return 0;
	if (resv->type != NVMQ_RESV_TYPE(dw10))
		return refuse(NVMQ_SC_INVALID_FIELD);
	end(cmd->ctrl, ns, host);
	return 0;
}

static int exec_report(struct cmd *cmd, struct ns *ns)
{
	bool extended = cmd_dw11(cmd) & REPORT_EXTENDED;
	uint64_t len = ((uint64_t)cmd_dw10(cmd) + 1) * 4;
	const struct resv *resv = &ns->resv;
	struct {
		struct nvmq_resv_status_ext head;
		struct nvmq_resv_entry_ext entry[RESV_REGISTRANTS];
	} report;
	struct nvmq_resv_entry_ext *entry;
	static uint8_t buf[RESV_REPORT_MAX];
	unsigned int i, nr = 0;
	uint16_t cntlid;

	/* Host Identifiers here have 128 bits (base 7.5). */
	if (!extended)
		return refuse(NVMQ_SC_HOST_ID_FORMAT);
	memset(&report, 0, sizeof(report));
	for (i = 0; i < RESV_REGISTRANTS; i++) {
		if (!resv->registrant[i].used)
			continue;
		cntlid = memcmp(resv->registrant[i].host, cmd->ctrl->feat->host_id, 16) ?
			 FOREIGN_CNTLID : IDENTIFY_CNTLID;
		entry = &report.entry[nr++];
		entry->cntlid = htole16(cntlid);
		entry->rcsts = holds(resv, i);
		entry->rkey = htole64(resv->registrant[i].key);
		memcpy(entry->hostid, resv->registrant[i].host, 16);
	}
	report.head.gen = htole32(resv->generation);
	report.head.rtype = resv->type;
	report.head.regctl[0] = (uint8_t)nr;
	report.head.ptpls = resv->persist;
	/* Beyond the last registrant there are zeroes. */
	if (len > RESV_REPORT_MAX)
		return refuse(NVMQ_SC_INVALID_FIELD);
	memcpy(buf, &report, sizeof(report));
	memset(buf + sizeof(report), 0, sizeof(buf) - sizeof(report));
	return cmd_to_host(cmd, buf, (size_t)len);
}

int resv_exec(struct cmd *cmd, struct ns *ns)
{
	switch (cmd->sqe.opcode) {
	case NVMQ_IO_RESV_REGISTER:
		return exec_register(cmd, ns);
	case NVMQ_IO_RESV_ACQUIRE:
		return exec_acquire(cmd, ns);
	case NVMQ_IO_RESV_RELEASE:
		return exec_release(cmd, ns);
	default:
		return exec_report(cmd, ns);
	}
}

int resv_check(const struct cmd *cmd, const struct ns *ns, bool write)
{
	const struct resv *resv = &ns->resv;
	unsigned int who;
	bool may;

	if (!resv->type)
		return 0;
	who = find(resv, cmd->ctrl->feat->host_id);
	switch (resv->type) {
	case NVMQ_RESV_WRITE_EXCLUSIVE:
		may = !write || holds(resv, who);
		break;
	case NVMQ_RESV_EXCLUSIVE_ACCESS:
		may = holds(resv, who);
		break;
	case NVMQ_RESV_WRITE_EXCLUSIVE_REG:
	case NVMQ_RESV_WRITE_EXCLUSIVE_ALL:
		may = !write || who != NOBODY;
		break;
	default:
		may = who != NOBODY;
	}
	return may ? 0 : refuse(NVMQ_SC_RESERVATION_CONFLICT);
}

void resv_power_cut(struct resv *resv)
{
	uint32_t generation = resv->generation;

	if (resv->persist)
		return;
	memset(resv, 0, sizeof(*resv));
	resv->generation = generation;
}

int resv_foreign(struct ctrl *ctrl, uint32_t nsid, uint8_t type, uint64_t key)
{
	struct ns *ns = ns_allocated(ctrl->nss, nsid);
	unsigned int who, old;
	struct resv *resv;

	if (!ctrl->opt.reservations)
		return -EOPNOTSUPP;
	if (!ns)
		return -ENOENT;
	if (type > NVMQ_RESV_EXCLUSIVE_ACCESS_ALL || !key)
		return -EINVAL;
	resv = &ns->resv;
	who = find(resv, foreign_host);
	if (!type) {
		if (who != NOBODY) {
			unregister(ctrl, ns, who, foreign_host);
			resv->generation++;
		}
		return 0;
	}
	if (who == NOBODY && add(resv, foreign_host, key))
		return -ENOSPC;
	who = find(resv, foreign_host);
	resv->registrant[who].key = key;
	resv->generation++;
	old = find(resv, ctrl->feat->host_id);
	if (resv->type && !holds(resv, who) && old != NOBODY)
		preempt(ctrl, ns, who, type, of_all(resv->type) ? 0 :
			resv->registrant[resv->holder].key);
	resv->type = type;
	resv->holder = who;
	return 0;
}
