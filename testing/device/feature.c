// SPDX-License-Identifier: GPL-2.0
#include "feature.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "cmd.h"
#include "ctrl.h"
#include "log.h"
#include "ns.h"

#define CHANGEABLE		NVMQ_FEAT_CAP_CHANGEABLE
#define SAVEABLE		NVMQ_FEAT_CAP_SAVEABLE
#define PER_NS			NVMQ_FEAT_CAP_PER_NS

/* Fields of dword 11. */
#define POWER_STATE(v)		((v) & 0x1f)
#define TEMP_VALUE(v)		((v) & 0xffff)
#define TEMP_SENSOR(v)		((v) >> 16 & 0xf)
#define TEMP_ALL_SENSORS	0xf
#define TEMP_UNDER(v)		((v) >> 20 & 0x3)
#define VECTOR(v)		((v) & 0xffff)
#define HOST_ID_EXTENDED	0x1u

#define LAST_POWER_STATE	2
/* Sensors that there are: the composite one, and the first. */
#define SENSORS			2

/* What the table says about a feature: @mask has the bits of dword 11 that are not reserved. */
static const struct {
	uint8_t fid;
	uint8_t caps;
	uint16_t bytes;
	uint32_t mask;
	uint32_t preset;
} table[] = {
	{ NVMQ_FEAT_ARBITRATION, CHANGEABLE | SAVEABLE, 0, 0xffffff07, 6 },
	{ NVMQ_FEAT_POWER, CHANGEABLE | SAVEABLE, 0, 0xff, 0 },
	{ NVMQ_FEAT_LBA_RANGE, CHANGEABLE | PER_NS, 4096, 0x3f, 0 },
	{ NVMQ_FEAT_TEMPERATURE, CHANGEABLE, 0, 0x3fffff, LOG_WARNING_KELVIN },
	{ NVMQ_FEAT_ERROR_RECOVERY, CHANGEABLE | SAVEABLE | PER_NS, 0, 0x1ffff, 0 },
	{ NVMQ_FEAT_WRITE_CACHE, CHANGEABLE | SAVEABLE, 0, 0x1, NVMQ_WRITE_CACHE_ENABLE },
	{ NVMQ_FEAT_QUEUE_COUNT, CHANGEABLE, 0, 0xffffffff, 0 },
	{ NVMQ_FEAT_COALESCING, CHANGEABLE | SAVEABLE, 0, 0xffff, 0 },
	{ NVMQ_FEAT_VECTOR, CHANGEABLE, 0, 0x1ffff, 0 },
	{ NVMQ_FEAT_ATOMICITY, CHANGEABLE | SAVEABLE, 0, 0x1, 0 },
	{ NVMQ_FEAT_ASYNC_EVENT, CHANGEABLE | SAVEABLE, 0,
	  NVMQ_AEC_SMART | NVMQ_AEC_NS_ATTR | NVMQ_AEC_ANA, 0 },
	{ NVMQ_FEAT_APST, CHANGEABLE | SAVEABLE, 256, 0x1, 0 },
	{ NVMQ_FEAT_TIMESTAMP, CHANGEABLE, 8, 0, 0 },
	{ NVMQ_FEAT_HOST_BEHAVIOR, CHANGEABLE, 512, 0, 0 },
	{ NVMQ_FEAT_PROGRESS, CHANGEABLE | SAVEABLE, 0, 0xff, 0 },
	{ NVMQ_FEAT_HOST_ID, CHANGEABLE, 16, HOST_ID_EXTENDED, 0 },
	{ NVMQ_FEAT_RESV_NOTIFY, CHANGEABLE | PER_NS, 0, 0xe, 0 },
	{ NVMQ_FEAT_RESV_PERSIST, CHANGEABLE | PER_NS, 0, 0x1, 0 },
	{ NVMQ_FEAT_WRITE_PROTECT, CHANGEABLE | PER_NS, 0, 0x7, 0 },
};

static int refuse(int sc)
{
	return sc | NVMQ_STATUS_DNR;
}

static bool offered(const struct options *opt, uint8_t fid)
{
	switch (fid) {
	case NVMQ_FEAT_WRITE_CACHE:
		return opt->vwc & NVMQ_VWC_PRESENT;
	case NVMQ_FEAT_TIMESTAMP:
		return opt->oncs & NVMQ_ONCS_TIMESTAMP;
	case NVMQ_FEAT_RESV_NOTIFY:
	case NVMQ_FEAT_RESV_PERSIST:
		return opt->reservations;
	default:
		return true;
	}
}

static void set_defaults(struct features *feat)
{
	unsigned int i;

	memcpy(feat->current, feat->saved, sizeof(feat->current));
	for (i = 0; i < FEATURE_SENSORS; i++) {
		feat->over[i] = i ? 0xffff : LOG_WARNING_KELVIN;
		feat->under[i] = 0;
	}
	memcpy(feat->apst, feat->apst_saved, sizeof(feat->apst));
	memset(&feat->behavior, 0, sizeof(feat->behavior));
	memset(feat->host_id, 0, sizeof(feat->host_id));
	feat->timestamp_ms = 0;
	feat->timestamp_set = clock_now();
	feat->timestamp_flags = 0;
}

struct features *features_new(struct ctrl *ctrl)
{
	struct features *feat = calloc(1, sizeof(*feat));
	struct feature_info *info;
	unsigned int i;

	if (!feat)
		return NULL;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		info = &feat->info[table[i].fid];
		info->known = offered(&ctrl->opt, table[i].fid);
		info->caps = table[i].caps;
		info->bytes = table[i].bytes;
		info->mask = table[i].mask;
		/* Without the SV bit, nothing can be saved. */
		if (!(ctrl->opt.oncs & NVMQ_ONCS_SAVE_SELECT))
			info->caps &= (uint8_t)~SAVEABLE;
		feat->preset[table[i].fid] = table[i].preset;
	}
	if (!ctrl->opt.ana)
		feat->info[NVMQ_FEAT_ASYNC_EVENT].mask &= ~NVMQ_AEC_ANA;
	memcpy(feat->saved, feat->preset, sizeof(feat->saved));
	set_defaults(feat);
	return feat;
}

void features_free(struct features *feat)
{
	free(feat);
}

void features_reset(struct ctrl *ctrl)
{
	struct features *feat = ctrl->feat;

	set_defaults(feat);
	ctrl_set_arbitration(ctrl, feat->current[NVMQ_FEAT_ARBITRATION]);
	ctrl_set_coalescing(ctrl, feat->current[NVMQ_FEAT_COALESCING]);
	nss_reset(ctrl->nss);
}

static int bad_value(struct cmd *cmd, uint32_t value)
{
	cmd_violation(cmd, RULE_FEAT_VALUE, "feature %02xh set to %#x", cmd_dw10(cmd) & 0xff,
		      value);
	return refuse(NVMQ_SC_INVALID_FIELD);
}

static int set_temperature(struct cmd *cmd, uint32_t value)
{
	struct features *feat = cmd->ctrl->feat;
	uint32_t sensor = TEMP_SENSOR(value), i;

	if (TEMP_UNDER(value) > 1 || (sensor >= SENSORS && sensor != TEMP_ALL_SENSORS))
		return bad_value(cmd, value);
	for (i = 0; i < SENSORS; i++)
		if (sensor == i || sensor == TEMP_ALL_SENSORS)
			(TEMP_UNDER(value) ? feat->under : feat->over)[i] =
				(uint16_t)TEMP_VALUE(value);
	log_set_temperature(cmd->ctrl, cmd->ctrl->logs->temperature);
	return 0;
}

static int get_temperature(struct cmd *cmd, uint32_t value)
{
	const struct features *feat = cmd->ctrl->feat;
	uint32_t sensor = TEMP_SENSOR(value);

	if (TEMP_UNDER(value) > 1 || sensor >= SENSORS)
		return refuse(NVMQ_SC_INVALID_FIELD);
	cmd->dw0 = (TEMP_UNDER(value) ? feat->under : feat->over)[sensor];
	return 0;
}

static int set_write_cache(struct ctrl *ctrl, uint32_t value)
{
	unsigned int i;

	/* What was in the cache must not stay there (base 5.27.1.4). */
	if (!(value & NVMQ_WRITE_CACHE_ENABLE))
		for (i = 0; i < NS_MAX; i++)
			if (ctrl->nss->ns[i].store)
				store_flush(ctrl->nss->ns[i].store);
	return 0;
}

static int set_apst(struct cmd *cmd, bool save)
{
	struct features *feat = cmd->ctrl->feat;
	__le64 entries[32];
	unsigned int i;
	uint64_t state;
	int status;

	status = cmd_from_host(cmd, entries, sizeof(entries));
	if (status)
		return status;
	for (i = 0; i < 32; i++) {
		state = le64toh(entries[i]) >> 3 & 0x1f;
		/* Only to the state that does not work can it go by itself. */
		if (le64toh(entries[i]) >> 8 & 0xffffff && i < LAST_POWER_STATE &&
		    state != LAST_POWER_STATE)
			return bad_value(cmd, (uint32_t)le64toh(entries[i]));
	}
	memcpy(feat->apst, entries, sizeof(entries));
	if (save)
		memcpy(feat->apst_saved, entries, sizeof(entries));
	return 0;
}

static int set_timestamp(struct cmd *cmd)
{
	struct features *feat = cmd->ctrl->feat;
	struct nvmq_timestamp stamp;
	unsigned int i;
	int status;

	status = cmd_from_host(cmd, &stamp, sizeof(stamp));
	if (status)
		return status;
	feat->timestamp_ms = 0;
	for (i = 0; i < sizeof(stamp.ms); i++)
		feat->timestamp_ms |= (uint64_t)stamp.ms[i] << 8 * i;
	feat->timestamp_set = clock_now();
	feat->timestamp_flags = NVMQ_TIMESTAMP_HOST;
	return 0;
}

static int get_timestamp(struct cmd *cmd, unsigned int select)
{
	const struct features *feat = cmd->ctrl->feat;
	struct nvmq_timestamp stamp = { .flags = 0 };
	unsigned int i;
	uint64_t ms;

	if (select == NVMQ_FEAT_CURRENT) {
		ms = feat->timestamp_ms + (clock_now() - feat->timestamp_set) / 1000000;
		for (i = 0; i < sizeof(stamp.ms); i++)
			stamp.ms[i] = (uint8_t)(ms >> 8 * i);
		stamp.flags = feat->timestamp_flags;
	}
	return cmd_to_host(cmd, &stamp, sizeof(stamp));
}

static int set_behavior(struct cmd *cmd)
{
	struct features *feat = cmd->ctrl->feat;
	struct nvmq_host_behavior behavior;
	int status;

	status = cmd_from_host(cmd, &behavior, sizeof(behavior));
	if (status)
		return status;
	if (behavior.acre > 1 || behavior.etdas > 1 || behavior.lbafee > 1)
		return bad_value(cmd, behavior.acre);
	feat->behavior = behavior;
	return 0;
}

static int set_host_id(struct cmd *cmd, uint32_t value)
{
	struct features *feat = cmd->ctrl->feat;
	size_t len = value & HOST_ID_EXTENDED ? 16 : 8;
	uint8_t id[16] = { 0 };
	int status;

	status = cmd_from_host(cmd, id, len);
	if (!status)
		memcpy(feat->host_id, id, sizeof(id));
	return status;
}

static int set_ranges(struct cmd *cmd, struct ns *ns, uint32_t value)
{
	struct nvmq_lba_range ranges[NS_LBA_RANGES];
	uint32_t nr = value + 1, i, k;
	uint64_t slba, nlb, other;
	int status;

	status = cmd_from_host(cmd, ranges, nr * sizeof(ranges[0]));
	if (status)
		return status;
	for (i = 0; i < nr; i++) {
		slba = le64toh(ranges[i].slba);
		nlb = le64toh(ranges[i].nlb);
		if (slba >= ns->blocks || nlb >= ns->blocks - slba)
			return bad_value(cmd, value);
		for (k = 0; k < i; k++) {
			other = le64toh(ranges[k].slba);
			if (slba <= other + le64toh(ranges[k].nlb) && other <= slba + nlb)
				return refuse(NVMQ_SC_OVERLAPPING_RANGE);
		}
	}
	memset(ns->ranges, 0, sizeof(ns->ranges));
	memcpy(ns->ranges, ranges, nr * sizeof(ranges[0]));
	ns->nr_ranges = value;
	return 0;
}

static int set_write_protect(struct cmd *cmd, struct ns *ns, uint32_t value)
{
	if (value > NVMQ_WP_PERMANENT)
		return bad_value(cmd, value);
	if (ns->write_protect == value)
		return 0;
	if (ns->write_protect >= NVMQ_WP_POWER_CYCLE)
		return refuse(NVMQ_SC_FEATURE_NOT_CHANGEABLE);
	/* All that was written before is to be non-volatile (base 8.12). */
	if (value)
		store_flush(ns->store);
	ns->write_protect = value;
	return 0;
}

static void set_error_recovery(struct ns *ns, uint32_t value, bool save)
{
	ns->error_recovery = value;
	if (save)
		ns->error_recovery_saved = value;
}

static int set_of_namespace(struct cmd *cmd, uint8_t fid, uint32_t value, bool save)
{
	struct nss *nss = cmd->ctrl->nss;
	unsigned int i;
	struct ns *ns;
	int status;

	if (cmd_nsid(cmd) == NS_ALL && fid == NVMQ_FEAT_ERROR_RECOVERY) {
		for (i = 0; i < NS_MAX; i++)
			if (nss->ns[i].attached)
				set_error_recovery(&nss->ns[i], value, save);
		return 0;
	}
	status = ns_of_cmd(cmd, &ns);
	if (status)
		return status;
	switch (fid) {
	case NVMQ_FEAT_ERROR_RECOVERY:
		set_error_recovery(ns, value, save);
		return 0;
	case NVMQ_FEAT_LBA_RANGE:
		return set_ranges(cmd, ns, value);
	case NVMQ_FEAT_RESV_NOTIFY:
		ns->resv.mask = value;
		return 0;
	case NVMQ_FEAT_RESV_PERSIST:
		ns->resv.persist = value;
		return 0;
	default:
		return set_write_protect(cmd, ns, value);
	}
}

static int set_of_controller(struct cmd *cmd, uint8_t fid, uint32_t value, bool save)
{
	struct ctrl *ctrl = cmd->ctrl;

	switch (fid) {
	case NVMQ_FEAT_ARBITRATION:
		ctrl_set_arbitration(ctrl, value);
		return 0;
	case NVMQ_FEAT_POWER:
		return POWER_STATE(value) > LAST_POWER_STATE ? bad_value(cmd, value) : 0;
	case NVMQ_FEAT_TEMPERATURE:
		return set_temperature(cmd, value);
	case NVMQ_FEAT_WRITE_CACHE:
		return set_write_cache(ctrl, value);
	case NVMQ_FEAT_QUEUE_COUNT:
		return ctrl_set_queue_count(cmd);
	case NVMQ_FEAT_COALESCING:
		ctrl_set_coalescing(ctrl, value);
		return 0;
	case NVMQ_FEAT_VECTOR:
		if (ctrl_set_vector(ctrl, value))
			return bad_value(cmd, value);
		/* It is set all the same: to refuse it is only recommended. */
		if (!ctrl_vector_used(ctrl, VECTOR(value)))
			cmd_violation(cmd, RULE_FEAT_VECTOR_EARLY, "vector %u", VECTOR(value));
		return 0;
	case NVMQ_FEAT_APST:
		return set_apst(cmd, save);
	case NVMQ_FEAT_TIMESTAMP:
		return set_timestamp(cmd);
	case NVMQ_FEAT_HOST_BEHAVIOR:
		return set_behavior(cmd);
	case NVMQ_FEAT_HOST_ID:
		return set_host_id(cmd, value);
	default:
		return 0;
	}
}

int feature_set(struct cmd *cmd)
{
	uint32_t dw10 = cmd_dw10(cmd), value = cmd_dw11(cmd), nsid = cmd_nsid(cmd);
	struct features *feat = cmd->ctrl->feat;
	bool save = dw10 & NVMQ_FEAT_SAVE;
	uint8_t fid = (uint8_t)dw10;
	const struct feature_info *info = &feat->info[fid];
	int status;

	if (!info->known) {
		cmd_violation(cmd, RULE_FEAT_UNKNOWN, "feature %02xh", fid);
		return refuse(NVMQ_SC_INVALID_FIELD);
	}
	if (save && !(info->caps & SAVEABLE)) {
		cmd_violation(cmd, RULE_FEAT_SAVE, "feature %02xh", fid);
		return refuse(NVMQ_SC_FEATURE_NOT_SAVEABLE);
	}
	if (value & ~info->mask)
		return bad_value(cmd, value);
	if (info->caps & PER_NS)
		return set_of_namespace(cmd, fid, value, save);
	if (nsid && nsid != NS_ALL)
		return refuse(nsid <= NS_MAX ? NVMQ_SC_FEATURE_NOT_PER_NS :
			      NVMQ_SC_INVALID_NAMESPACE);
	status = set_of_controller(cmd, fid, value, save);
	if (status)
		return status;
	feat->current[fid] = value;
	if (save)
		feat->saved[fid] = value;
	return 0;
}

static int get_of_namespace(struct cmd *cmd, uint8_t fid, unsigned int select)
{
	struct ns *ns;
	int status;

	status = ns_of_cmd(cmd, &ns);
	if (status)
		return status;
	switch (fid) {
	case NVMQ_FEAT_ERROR_RECOVERY:
		if (select == NVMQ_FEAT_CURRENT)
			cmd->dw0 = ns->error_recovery;
		else if (select == NVMQ_FEAT_SAVED)
			cmd->dw0 = ns->error_recovery_saved;
		return 0;
	case NVMQ_FEAT_LBA_RANGE:
		cmd->dw0 = ns->nr_ranges;
		return cmd_to_host(cmd, ns->ranges, sizeof(ns->ranges));
	case NVMQ_FEAT_RESV_NOTIFY:
		cmd->dw0 = select == NVMQ_FEAT_CURRENT ? ns->resv.mask : 0;
		return 0;
	case NVMQ_FEAT_RESV_PERSIST:
		cmd->dw0 = select == NVMQ_FEAT_CURRENT && ns->resv.persist;
		return 0;
	default:
		cmd->dw0 = select == NVMQ_FEAT_DEFAULT ? NVMQ_WP_NONE : ns->write_protect;
		return 0;
	}
}

static int get_of_controller(struct cmd *cmd, uint8_t fid, unsigned int select)
{
	struct ctrl *ctrl = cmd->ctrl;
	struct features *feat = ctrl->feat;
	uint32_t value = cmd_dw11(cmd);
	static const uint8_t zeroes[512];
	const void *data;

	cmd->dw0 = select == NVMQ_FEAT_DEFAULT ? feat->preset[fid] :
		   select == NVMQ_FEAT_SAVED ? feat->saved[fid] : feat->current[fid];
	switch (fid) {
	case NVMQ_FEAT_QUEUE_COUNT:
		if (select == NVMQ_FEAT_CURRENT)
			cmd->dw0 = ctrl_get_queue_count(ctrl);
		else
			cmd->dw0 = (ctrl_cqs(ctrl) - 1) << 16 | (ctrl->opt.queues - 1);
		return 0;
	case NVMQ_FEAT_TEMPERATURE:
		return select == NVMQ_FEAT_CURRENT ? get_temperature(cmd, value) : 0;
	case NVMQ_FEAT_VECTOR:
		if (select != NVMQ_FEAT_CURRENT) {
			cmd->dw0 = VECTOR(value);
			return 0;
		}
		return ctrl_get_vector(ctrl, VECTOR(value), &cmd->dw0) ?
		       refuse(NVMQ_SC_INVALID_FIELD) : 0;
	case NVMQ_FEAT_APST:
		data = select == NVMQ_FEAT_DEFAULT ? (const void *)zeroes :
		       select == NVMQ_FEAT_SAVED ? feat->apst_saved : feat->apst;
		return cmd_to_host(cmd, data, sizeof(feat->apst));
	case NVMQ_FEAT_TIMESTAMP:
		return get_timestamp(cmd, select);
	case NVMQ_FEAT_HOST_BEHAVIOR:
		data = select == NVMQ_FEAT_CURRENT ? (const void *)&feat->behavior : zeroes;
		return cmd_to_host(cmd, data, sizeof(feat->behavior));
	case NVMQ_FEAT_HOST_ID:
		data = select == NVMQ_FEAT_CURRENT ? feat->host_id : zeroes;
		return cmd_to_host(cmd, data, value & HOST_ID_EXTENDED ? 16 : 8);
	default:
		return 0;
	}
}

int feature_get(struct cmd *cmd)
{
	uint32_t dw10 = cmd_dw10(cmd), nsid = cmd_nsid(cmd);
	unsigned int select = dw10 >> 8 & 0x7;
	struct ctrl *ctrl = cmd->ctrl;
	uint8_t fid = (uint8_t)dw10;
	const struct feature_info *info = &ctrl->feat->info[fid];

	/* Asking for what is not there is how a host finds out: no violation. */
	if (!info->known)
		return refuse(NVMQ_SC_INVALID_FIELD);
	if (select > NVMQ_FEAT_SUPPORTED ||
	    (select && !(ctrl->opt.oncs & NVMQ_ONCS_SAVE_SELECT)))
		return refuse(NVMQ_SC_INVALID_FIELD);
	if (select == NVMQ_FEAT_SUPPORTED) {
		cmd->dw0 = info->caps;
		return 0;
	}
	/* What cannot be saved has its default for a saved value (base 5.15.1). */
	if (select == NVMQ_FEAT_SAVED && !(info->caps & SAVEABLE))
		select = NVMQ_FEAT_DEFAULT;
	if (info->caps & PER_NS)
		return get_of_namespace(cmd, fid, select);
	if (nsid && nsid != NS_ALL)
		return refuse(nsid <= NS_MAX ? NVMQ_SC_FEATURE_NOT_PER_NS :
			      NVMQ_SC_INVALID_NAMESPACE);
	return get_of_controller(cmd, fid, select);
}
