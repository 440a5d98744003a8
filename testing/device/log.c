// SPDX-License-Identifier: GPL-2.0
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "cmd.h"
#include "ctrl.h"
#include "feature.h"
#include "nvm.h"

/* More than any page has, and less than a host could make the device allocate. */
#define LONGEST			(1u << 20)
#define PAGE_MAX		4096
#define SHORT_TEST		1000000000ull	/* ns */
#define EXTENDED_TEST		3000000000ull
#define SELF_TEST_SHORT		1
#define SELF_TEST_EXTENDED	2
#define SELF_TEST_ABORT		0xf
#define RESULT_ABORTED		1
#define RESULT_RESET		2

static int refuse(int sc)
{
	return sc | NVMQ_STATUS_DNR;
}

struct logs *logs_new(struct ctrl *ctrl)
{
	struct logs *logs = calloc(1, sizeof(*logs));
	unsigned int i;

	(void)ctrl;
	if (!logs)
		return NULL;
	logs->start = clock_now();
	logs->power_cycles = 1;
	logs->temperature = LOG_NORMAL_KELVIN;
	logs->spare = 100;
	for (i = 0; i < LOG_ANA_GROUPS; i++)
		logs->ana_state[i] = NVMQ_ANA_OPTIMIZED;
	for (i = 0; i < LOG_SELF_TESTS; i++)
		logs->test[i].status = NVMQ_SELF_TEST_UNUSED;
	return logs;
}

void logs_free(struct logs *logs)
{
	free(logs);
}

static void put_u64(uint8_t *to, uint64_t value)
{
	__le64 le = htole64(value);

	memcpy(to, &le, sizeof(le));
}

static uint64_t hours(const struct logs *logs, uint64_t when)
{
	return (when - logs->start) / 3600000000000ull;
}

static void end_test(struct logs *logs, uint8_t result, uint64_t when)
{
	struct nvmq_self_test_result *entry = &logs->test[0];

	memmove(&logs->test[1], &logs->test[0], sizeof(logs->test) - sizeof(logs->test[0]));
	memset(entry, 0, sizeof(*entry));
	entry->status = (uint8_t)(logs->test_running << 4 | result);
	put_u64(entry->power_on_hours, hours(logs, when));
	if (logs->test_nsid) {
		entry->valid = 1;
		entry->nsid = htole32(logs->test_nsid);
	}
	logs->test_running = 0;
}

/* A test ends when its time is over; that is noticed when somebody asks. */
static void settle_test(struct logs *logs)
{
	if (logs->test_running && clock_now() - logs->test_start >= logs->test_ns)
		end_test(logs, 0, logs->test_start + logs->test_ns);
}

void logs_reset(struct ctrl *ctrl)
{
	struct logs *logs = ctrl->logs;

	settle_test(logs);
	if (logs->test_running == SELF_TEST_SHORT)
		end_test(logs, RESULT_RESET, clock_now());
	memset(logs->changed, 0, sizeof(logs->changed));
}

void log_error(struct cmd *cmd, uint16_t status)
{
	struct logs *logs = cmd->ctrl->logs;
	struct nvmq_log_error *entry = &logs->error[logs->nr_errors++ % LOG_ERRORS];

	memset(entry, 0, sizeof(*entry));
	entry->count = htole64(logs->nr_errors);
	entry->sqid = htole16((uint16_t)cmd->sq->qid);
	entry->cid = htole16(cmd->cid);
	entry->status = htole16((uint16_t)(status << 1));
	entry->location = 0xffff;
	entry->nsid = cmd->sqe.nsid;
	if (cmd->sq->qid)
		entry->lba = htole64((uint64_t)cmd_dw11(cmd) << 32 | cmd_dw10(cmd));
}

static bool wants(const struct ctrl *ctrl, uint32_t bit)
{
	return feature_value(ctrl->feat, NVMQ_FEAT_ASYNC_EVENT) & bit;
}

void log_ns_changed(struct ctrl *ctrl, uint32_t nsid)
{
	ctrl->logs->changed[nsid - 1] = true;
	if (wants(ctrl, NVMQ_AEC_NS_ATTR))
		ctrl_event(ctrl, NVMQ_EVENT_NOTICE, NVMQ_EVENT_NOTICE_NS_ATTR,
			   NVMQ_LOG_CHANGED_NS);
}

void log_set_warning(struct ctrl *ctrl, uint8_t warning)
{
	uint8_t fresh = warning & (uint8_t)~ctrl->logs->warning;

	ctrl->logs->warning = warning;
	fresh &= (uint8_t)feature_value(ctrl->feat, NVMQ_FEAT_ASYNC_EVENT);
	if (fresh & NVMQ_SMART_TEMPERATURE)
		ctrl_event(ctrl, NVMQ_EVENT_SMART, NVMQ_EVENT_SMART_TEMPERATURE, NVMQ_LOG_SMART);
	if (fresh & NVMQ_SMART_SPARE)
		ctrl_event(ctrl, NVMQ_EVENT_SMART, NVMQ_EVENT_SMART_SPARE, NVMQ_LOG_SMART);
	if (fresh & ~(NVMQ_SMART_TEMPERATURE | NVMQ_SMART_SPARE))
		ctrl_event(ctrl, NVMQ_EVENT_SMART, NVMQ_EVENT_SMART_RELIABILITY, NVMQ_LOG_SMART);
}

void log_set_temperature(struct ctrl *ctrl, uint16_t kelvin)
{
	const struct features *feat = ctrl->feat;
	bool outside = kelvin >= feat->over[0] || kelvin <= feat->under[0];

	ctrl->logs->temperature = kelvin;
	log_set_warning(ctrl, (ctrl->logs->warning & (uint8_t)~NVMQ_SMART_TEMPERATURE) |
			      (outside ? NVMQ_SMART_TEMPERATURE : 0));
}

int log_set_ana(struct ctrl *ctrl, uint32_t group, uint8_t state)
{
	struct logs *logs = ctrl->logs;

	if (!ctrl->opt.ana || !group || group > LOG_ANA_GROUPS)
		return -EINVAL;
	if (state != NVMQ_ANA_CHANGE &&
	    (state < NVMQ_ANA_OPTIMIZED || state > NVMQ_ANA_PERSISTENT_LOSS))
		return -EINVAL;
	if (logs->ana_state[group - 1] == state)
		return 0;
	logs->ana_state[group - 1] = state;
	logs->ana_count[group - 1] = ++logs->ana_changes;
	if (wants(ctrl, NVMQ_AEC_ANA))
		ctrl_event(ctrl, NVMQ_EVENT_NOTICE, NVMQ_EVENT_NOTICE_ANA, NVMQ_LOG_ANA);
	return 0;
}

/* The pages.  Each is made at the moment it is read; how long it is, is returned. */
static union {
	struct nvmq_log_supported supported;
	struct nvmq_log_error error[LOG_ERRORS];
	struct nvmq_log_smart smart;
	struct nvmq_log_firmware firmware;
	struct nvmq_log_effects effects;
	struct nvmq_log_self_test self_test;
	struct nvmq_log_ana ana;
	struct nvmq_log_reservation reservation;
	__le32 nsid[1024];
	uint8_t bytes[PAGE_MAX];
} page;

static_assert(sizeof(page) == PAGE_MAX, "the longest page");

static bool offered(const struct options *opt, uint8_t id)
{
	switch (id) {
	case NVMQ_LOG_SUPPORTED:
	case NVMQ_LOG_ERROR:
	case NVMQ_LOG_SMART:
	case NVMQ_LOG_FIRMWARE:
	case NVMQ_LOG_CHANGED_NS:
	case NVMQ_LOG_EFFECTS:
	case NVMQ_LOG_FEATURES:
		return true;
	case NVMQ_LOG_SELF_TEST:
		return opt->oacs & NVMQ_OACS_SELF_TEST;
	case NVMQ_LOG_ANA:
		return opt->ana;
	case NVMQ_LOG_RESERVATION:
		return opt->reservations;
	default:
		return false;
	}
}

static size_t make_supported(const struct options *opt)
{
	unsigned int i;

	for (i = 0; i < 256; i++)
		if (offered(opt, (uint8_t)i))
			page.supported.id[i] = htole32(NVMQ_LOG_ID_SUPPORTED);
	return sizeof(page.supported);
}

static size_t make_errors(const struct logs *logs)
{
	uint64_t i;

	for (i = 0; i < LOG_ERRORS && i < logs->nr_errors; i++)
		page.error[i] = logs->error[(logs->nr_errors - 1 - i) % LOG_ERRORS];
	return sizeof(page.error);
}

static uint64_t data_units(uint64_t sectors)
{
	return (sectors + 999) / 1000;
}

static size_t make_smart(const struct logs *logs)
{
	struct nvmq_log_smart *smart = &page.smart;

	smart->warning = logs->warning;
	smart->temperature[0] = (uint8_t)logs->temperature;
	smart->temperature[1] = (uint8_t)(logs->temperature >> 8);
	smart->spare = logs->spare;
	smart->spare_threshold = 10;
	put_u64(smart->data_units_read, data_units(logs->sectors_read));
	put_u64(smart->data_units_written, data_units(logs->sectors_written));
	put_u64(smart->host_reads, logs->reads);
	put_u64(smart->host_writes, logs->writes);
	put_u64(smart->power_cycles, logs->power_cycles);
	put_u64(smart->power_on_hours, hours(logs, clock_now()));
	put_u64(smart->unsafe_shutdowns, logs->unsafe_shutdowns);
	put_u64(smart->media_errors, logs->media_errors);
	put_u64(smart->error_entries, logs->nr_errors);
	smart->sensor[0] = htole16(logs->temperature);
	return sizeof(*smart);
}

static size_t make_firmware(const struct options *opt)
{
	size_t len = strnlen(opt->firmware, 8);

	page.firmware.afi = 1;
	memset(page.firmware.frs[0], ' ', 8);
	memcpy(page.firmware.frs[0], opt->firmware, len);
	return sizeof(page.firmware);
}

static size_t make_changed(const struct logs *logs)
{
	unsigned int i, nr = 0;

	for (i = 0; i < NS_MAX; i++)
		if (logs->changed[i])
			page.nsid[nr++] = htole32(i + 1);
	return sizeof(page.nsid);
}

static size_t make_effects(const struct ctrl *ctrl)
{
	static const uint8_t always[] = {
		NVMQ_ADMIN_DELETE_SQ, NVMQ_ADMIN_CREATE_SQ, NVMQ_ADMIN_GET_LOG_PAGE,
		NVMQ_ADMIN_DELETE_CQ, NVMQ_ADMIN_CREATE_CQ, NVMQ_ADMIN_IDENTIFY, NVMQ_ADMIN_ABORT,
		NVMQ_ADMIN_SET_FEATURES, NVMQ_ADMIN_GET_FEATURES, NVMQ_ADMIN_ASYNC_EVENT,
	};
	struct nvmq_log_effects *effects = &page.effects;
	uint32_t oacs = ctrl->opt.oacs, bits;
	unsigned int i;

	for (i = 0; i < sizeof(always); i++)
		effects->admin[always[i]] = htole32(NVMQ_EFFECT_SUPPORTED);
	if (oacs & NVMQ_OACS_FORMAT)
		effects->admin[NVMQ_ADMIN_FORMAT_NVM] =
			htole32(NVMQ_EFFECT_SUPPORTED | NVMQ_EFFECT_CONTENT | NVMQ_EFFECT_NS_CAP |
				NVMQ_EFFECT_ALONE);
	if (oacs & NVMQ_OACS_NS_MGMT) {
		effects->admin[NVMQ_ADMIN_NS_MANAGEMENT] =
			htole32(NVMQ_EFFECT_SUPPORTED | NVMQ_EFFECT_CONTENT | NVMQ_EFFECT_NS_INV);
		effects->admin[NVMQ_ADMIN_NS_ATTACHMENT] =
			htole32(NVMQ_EFFECT_SUPPORTED | NVMQ_EFFECT_NS_INV);
	}
	if (oacs & NVMQ_OACS_SELF_TEST)
		effects->admin[NVMQ_ADMIN_SELF_TEST] = htole32(NVMQ_EFFECT_SUPPORTED);
	for (i = 0; i < 256; i++) {
		if (!nvm_supports(ctrl, (uint8_t)i))
			continue;
		bits = NVMQ_EFFECT_SUPPORTED;
		if (nvm_writes((uint8_t)i))
			bits |= NVMQ_EFFECT_CONTENT;
		effects->io[i] = htole32(bits);
	}
	return sizeof(*effects);
}

static size_t make_self_test(struct logs *logs)
{
	uint64_t passed;

	settle_test(logs);
	if (logs->test_running) {
		passed = clock_now() - logs->test_start;
		page.self_test.current_operation = logs->test_running;
		page.self_test.completion = (uint8_t)(passed * 100 / logs->test_ns);
	}
	memcpy(page.self_test.result, logs->test, sizeof(logs->test));
	return sizeof(page.self_test);
}

static size_t make_ana(const struct ctrl *ctrl, bool groups_only)
{
	const struct logs *logs = ctrl->logs;
	struct nvmq_ana_group *group;
	uint8_t *at = page.bytes + sizeof(page.ana);
	unsigned int g, i, nr, nr_groups = 0;
	const struct ns *ns;

	for (g = 1; g <= LOG_ANA_GROUPS; g++) {
		group = (void *)at;
		for (i = nr = 0; i < NS_MAX; i++) {
			ns = &ctrl->nss->ns[i];
			if (!ns->attached || ns->anagrpid != g)
				continue;
			if (!groups_only)
				group->nsids[nr] = htole32(ns->nsid);
			nr++;
		}
		if (!nr)
			continue;
		group->grpid = htole32(g);
		group->nnsids = htole32(groups_only ? 0 : nr);
		group->chgcnt[0] = htole32((uint32_t)logs->ana_count[g - 1]);
		group->chgcnt[1] = htole32((uint32_t)(logs->ana_count[g - 1] >> 32));
		group->state = logs->ana_state[g - 1];
		at += sizeof(*group) + (groups_only ? 0 : nr * sizeof(group->nsids[0]));
		nr_groups++;
	}
	page.ana.chgcnt = htole64(logs->ana_changes);
	page.ana.ngrps = htole16((uint16_t)nr_groups);
	/* A host makes room for all groups and all namespaces (base 5.16.1.13). */
	return sizeof(page.ana) + LOG_ANA_GROUPS * sizeof(*group) + NS_MAX * sizeof(__le32);
}

/* The oldest one; reading it without retaining it makes way for the next. */
static size_t make_reservation(const struct resv_notes *notes)
{
	if (notes->nr) {
		page.reservation = notes->note[0];
		page.reservation.available = (uint8_t)(notes->nr - 1);
	}
	return sizeof(page.reservation);
}

static size_t make_features(const struct features *feat)
{
	const struct feature_info *info;
	unsigned int i;

	for (i = 0; i < 256; i++) {
		info = &feat->info[i];
		if (info->known)
			page.supported.id[i] =
				htole32(NVMQ_FEAT_ID_SUPPORTED |
					(info->caps & NVMQ_FEAT_CAP_PER_NS ? NVMQ_FEAT_ID_NS :
					 NVMQ_FEAT_ID_CTRL));
	}
	return sizeof(page.supported);
}

static size_t make_page(struct ctrl *ctrl, uint8_t id, unsigned int specific)
{
	memset(&page, 0, sizeof(page));
	switch (id) {
	case NVMQ_LOG_SUPPORTED:
		return make_supported(&ctrl->opt);
	case NVMQ_LOG_ERROR:
		return make_errors(ctrl->logs);
	case NVMQ_LOG_SMART:
		return make_smart(ctrl->logs);
	case NVMQ_LOG_FIRMWARE:
		return make_firmware(&ctrl->opt);
	case NVMQ_LOG_CHANGED_NS:
		return make_changed(ctrl->logs);
	case NVMQ_LOG_EFFECTS:
		return make_effects(ctrl);
	case NVMQ_LOG_SELF_TEST:
		return make_self_test(ctrl->logs);
	case NVMQ_LOG_ANA:
		return make_ana(ctrl, specific & NVMQ_ANA_RGO);
	case NVMQ_LOG_RESERVATION:
		return make_reservation(&ctrl->logs->resv);
	default:
		return make_features(ctrl->feat);
	}
}

/* Move a part of the page; beyond its end there are zeroes. */
static int move_page(struct cmd *cmd, uint64_t offset, size_t len)
{
	uint8_t *buf;
	int status;

	if (offset + len <= PAGE_MAX)
		return cmd_to_host(cmd, page.bytes + offset, len);
	buf = calloc(1, len);
	if (!buf)
		return NVMQ_SC_INTERNAL;
	if (offset < PAGE_MAX)
		memcpy(buf, page.bytes + offset, PAGE_MAX - offset);
	status = cmd_to_host(cmd, buf, len);
	free(buf);
	return status;
}

int log_get(struct cmd *cmd)
{
	uint32_t dw10 = cmd_dw10(cmd), dw11 = cmd_dw11(cmd), nsid = cmd_nsid(cmd);
	uint64_t offset = (uint64_t)cmd_dw13(cmd) << 32 | cmd_dw12(cmd);
	uint64_t len = (((uint64_t)(dw11 & 0xffff) << 16 | dw10 >> 16) + 1) * 4;
	struct ctrl *ctrl = cmd->ctrl;
	uint8_t id = (uint8_t)dw10;
	size_t size;
	int status;

	if (!offered(&ctrl->opt, id))
		return refuse(NVMQ_SC_INVALID_LOG_PAGE);
	/* All pages here are of the controller. */
	if (nsid && nsid != NS_ALL)
		return refuse(nsid <= NS_MAX ? NVMQ_SC_INVALID_FIELD : NVMQ_SC_INVALID_NAMESPACE);
	if (id == NVMQ_LOG_EFFECTS && cmd_dw14(cmd) >> 24 != NVMQ_CSI_NVM)
		return refuse(NVMQ_SC_INVALID_FIELD);
	/* Offsets that are indices (OT) are not offered by any page. */
	if (cmd_dw14(cmd) & 1u << 23)
		return refuse(NVMQ_SC_INVALID_FIELD);
	size = make_page(ctrl, id, dw10 >> 8 & 0x7f);
	/* To read on behind the end is no mistake: what comes then is undefined (base 5.16). */
	if (offset & 3 || offset > size)
		cmd_violation(cmd, RULE_LOG_OFFSET, "log page %02xh of %zu bytes read from %#llx",
			      id, size, (unsigned long long)offset);
	if (offset & 3 || offset > size || len > LONGEST)
		return refuse(NVMQ_SC_INVALID_FIELD);
	status = move_page(cmd, offset, (size_t)len);
	if (status)
		return status;
	/* Retain Asynchronous Event (base 5.16). */
	if (dw10 & 1u << 15)
		return 0;
	if (id == NVMQ_LOG_CHANGED_NS)
		memset(ctrl->logs->changed, 0, sizeof(ctrl->logs->changed));
	if (id == NVMQ_LOG_RESERVATION && ctrl->logs->resv.nr) {
		ctrl->logs->resv.nr--;
		memmove(&ctrl->logs->resv.note[0], &ctrl->logs->resv.note[1],
			ctrl->logs->resv.nr * sizeof(ctrl->logs->resv.note[0]));
	}
	ctrl_log_read(ctrl, id);
	return 0;
}

int log_self_test(struct cmd *cmd)
{
	struct ctrl *ctrl = cmd->ctrl;
	struct logs *logs = ctrl->logs;
	uint32_t nsid = cmd_nsid(cmd);
	uint8_t code = cmd_dw10(cmd) & 0xf;
	struct ns *ns;
	int status;

	if (nsid && nsid != NS_ALL) {
		status = ns_of_cmd(cmd, &ns);
		if (status)
			return status;
	}
	settle_test(logs);
	switch (code) {
	case SELF_TEST_SHORT:
	case SELF_TEST_EXTENDED:
		if (logs->test_running)
			return refuse(NVMQ_SC_SELF_TEST_IN_PROGRESS);
		logs->test_running = code;
		logs->test_nsid = nsid;
		logs->test_start = clock_now();
		logs->test_ns = code == SELF_TEST_SHORT ? SHORT_TEST : EXTENDED_TEST;
		return 0;
	case SELF_TEST_ABORT:
		if (logs->test_running)
			end_test(logs, RESULT_ABORTED, clock_now());
		return 0;
	default:
		return refuse(NVMQ_SC_INVALID_FIELD);
	}
}
