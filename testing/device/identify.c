// SPDX-License-Identifier: GPL-2.0
#include "identify.h"

#include <string.h>

#include "cmd.h"
#include "ctrl.h"
#include "log.h"
#include "ns.h"

#define CTRATT_GRANULARITY	(1u << 7)
#define OFFERED_FORMATS		(NS_FORMATS - 1)	/* 0's based */

/* Answers are made here; one command at a time is carried out. */
static union {
	struct nvmq_id_ctrl ctrl;
	struct nvmq_id_ctrl_nvm ctrl_nvm;
	struct nvmq_id_ns ns;
	struct nvmq_id_ns_nvm ns_nvm;
	struct nvmq_id_ns_any ns_any;
	struct nvmq_granularity_list granularity;
	struct nvmq_ctrl_list ctrls;
	__le32 nsid[NVMQ_ACTIVE_LIST_LEN];
	__le64 command_sets[512];
	uint8_t bytes[NVMQ_IDENTIFY_SIZE];
} answer;

static_assert(sizeof(answer) == NVMQ_IDENTIFY_SIZE, "Identify data is 4 KiB");

static int refuse(int sc)
{
	return sc | NVMQ_STATUS_DNR;
}

/* Text in Identify is padded with spaces and not terminated. */
static void fill_text(char *to, size_t size, const char *text)
{
	size_t len = strnlen(text, size);

	memset(to, ' ', size);
	memcpy(to, text, len);
}

static void fill_u128(uint8_t *to, uint64_t value)
{
	__le64 le = htole64(value);

	memset(to, 0, 16);
	memcpy(to, &le, sizeof(le));
}

static uint16_t from_1(uint32_t value)
{
	return htole16((uint16_t)(value ? value - 1 : 0));
}

void identify_controller(struct ctrl *ctrl, struct nvmq_id_ctrl *id)
{
	const struct options *opt = &ctrl->opt;
	unsigned int i;

	memset(id, 0, sizeof(*id));
	id->vid = htole16(0x1b36);
	id->ssvid = htole16(0x1af4);
	fill_text(id->sn, sizeof(id->sn), opt->serial);
	fill_text(id->mn, sizeof(id->mn), opt->model);
	fill_text(id->fr, sizeof(id->fr), opt->firmware);
	id->rab = 6;
	id->ieee[1] = 0x54;
	id->ieee[2] = 0x52;
	id->cmic = opt->ana ? NVMQ_CMIC_ANA : 0;
	id->mdts = (uint8_t)opt->mdts;
	id->cntlid = htole16(IDENTIFY_CNTLID);
	id->ver = htole32(ctrl->vs);
	id->rtd3r = htole32((opt->ready_ms + 100) * 1000);
	id->rtd3e = htole32((opt->shutdown_ms + 100) * 1000);
	id->oaes = htole32(NVMQ_OAES_NS_ATTR | (opt->ana ? NVMQ_OAES_ANA : 0));
	id->ctratt = htole32(NVMQ_CTRATT_HOSTID_128 |
			     (opt->oacs & NVMQ_OACS_NS_MGMT ? CTRATT_GRANULARITY : 0));
	id->cntrltype = NVMQ_CNTRLTYPE_IO;
	/* Command Retry Delays: short, but different, so that a test can tell them apart. */
	id->crdt1 = htole16(1);
	id->crdt2 = htole16(3);
	id->crdt3 = htole16(6);
	id->nvmsr = 1;
	id->oacs = htole16((uint16_t)opt->oacs);
	id->acl = (uint8_t)opt->acl;
	id->aerl = (uint8_t)opt->aerl;
	id->frmw = NVMQ_FRMW_SLOTS(1) | NVMQ_FRMW_SLOT1_RO;
	id->lpa = NVMQ_LPA_EFFECTS | NVMQ_LPA_EXTENDED | NVMQ_LPA_SUPPORTED;
	id->elpe = LOG_ERRORS - 1;
	id->npss = 2;
	id->apsta = 1;
	id->wctemp = htole16(LOG_WARNING_KELVIN);
	id->cctemp = htole16(LOG_CRITICAL_KELVIN);
	fill_u128(id->tnvmcap, ctrl->nss->capacity);
	fill_u128(id->unvmcap, ctrl->nss->capacity - ctrl->nss->used);
	id->edstt = htole16(opt->oacs & NVMQ_OACS_SELF_TEST ? 1 : 0);
	id->dsto = opt->oacs & NVMQ_OACS_SELF_TEST ? 1 : 0;
	if (opt->ana) {
		id->anatt = 10;
		id->anacap = 0xdf;
		id->anagrpmax = htole32(LOG_ANA_GROUPS);
		id->nanagrpid = htole32(LOG_ANA_GROUPS);
	}
	id->sqes = 0x66;
	id->cqes = 0x44;
	id->nn = htole32(NS_MAX);
	id->oncs = htole16((uint16_t)(opt->oncs |
				      (opt->reservations ? NVMQ_ONCS_RESERVATIONS : 0)));
	id->fna = NVMQ_FNA_CRYPTO_ERASE;
	id->vwc = (uint8_t)opt->vwc;
	id->nwpc = NVMQ_NWPC_PROTECT | NVMQ_NWPC_POWER_CYCLE | NVMQ_NWPC_PERMANENT;
	id->ocfs = htole16(opt->oncs & NVMQ_ONCS_COPY ? 1 : 0);
	id->sgls = htole32(opt->sgls);
	id->mnan = htole32(NS_MAX);
	snprintf(id->subnqn, sizeof(id->subnqn), "nqn.2026-11.org.nvmq:device:%s", opt->serial);
	/* Two states that work, and one that does not. */
	for (i = 0; i < 3; i++) {
		id->psd[i].mp = htole16((uint16_t)(900 - 400 * i));
		id->psd[i].enlat = htole32(10 + 1000 * i);
		id->psd[i].exlat = htole32(20 + 2000 * i);
		id->psd[i].rrt = (uint8_t)i;
		id->psd[i].rrl = (uint8_t)i;
		id->psd[i].rwt = (uint8_t)i;
		id->psd[i].rwl = (uint8_t)i;
	}
	id->psd[2].flags = NVMQ_PSD_NOPS;
}

static void fill_ns_formats(struct nvmq_id_ns *id)
{
	unsigned int i;

	id->nlbaf = OFFERED_FORMATS;
	for (i = 0; i < NS_FORMATS; i++) {
		id->lbaf[i].lbads = ns_formats[i].shift;
		id->lbaf[i].ms = htole16(ns_formats[i].meta);
		/* The larger blocks do better. */
		id->lbaf[i].rp = ns_formats[i].shift == 9 ? 2 : 1;
	}
	id->mc = NVMQ_MC_EXTENDED | NVMQ_MC_SEPARATE;
}

/* What is the same for all namespaces, whether there is one or not. */
static void fill_ns_common(const struct options *opt, struct nvmq_id_ns *id)
{
	fill_ns_formats(id);
	id->nsfeat = NVMQ_NSFEAT_DAE;
	id->dlfeat = (uint8_t)opt->dlfeat;
	id->rescap = opt->reservations ? RESV_CAN : 0;
	id->nmic = opt->reservations ? NVMQ_NMIC_SHARED : 0;
	id->noiob = htole16((uint16_t)opt->noiob);
	if (opt->npwg || opt->npwa || opt->npdg || opt->npda || opt->nows) {
		id->nsfeat |= NVMQ_NSFEAT_OPTPERF;
		id->npwg = from_1(opt->npwg);
		id->npwa = from_1(opt->npwa);
		id->npdg = from_1(opt->npdg);
		id->npda = from_1(opt->npda);
		id->nows = from_1(opt->nows);
	}
	if (opt->oncs & NVMQ_ONCS_COPY) {
		id->mssrl = htole16((uint16_t)opt->mssrl);
		id->mcl = htole32(opt->mcl);
		id->msrc = (uint8_t)opt->msrc;
	}
}

static void fill_ns(const struct options *opt, const struct ns *ns, struct nvmq_id_ns *id)
{
	fill_ns_common(opt, id);
	id->nsze = htole64(ns->blocks);
	id->ncap = id->nsze;
	id->nuse = htole64(store_allocated(ns->store));
	id->flbas = (uint8_t)(ns->format | (ns->extended ? NVMQ_FLBAS_EXTENDED : 0));
	fill_u128(id->nvmcap, ns->blocks << ns->block_shift);
	id->anagrpid = htole32(ns->anagrpid);
	id->nsattr = ns->write_protect ? NVMQ_NSATTR_WRITE_PROTECTED : 0;
	memcpy(id->nguid, ns->nguid, sizeof(id->nguid));
	memcpy(id->eui64, ns->eui64, sizeof(id->eui64));
}

static void add_descriptor(uint8_t **at, uint8_t type, const void *nid, uint8_t len)
{
	struct nvmq_ns_desc *desc = (void *)*at;

	desc->nidt = type;
	desc->nidl = len;
	memcpy(desc->nid, nid, len);
	*at += sizeof(*desc) + len;
}

static void fill_descriptors(const struct ns *ns)
{
	static const uint8_t csi = NVMQ_CSI_NVM;
	uint8_t *at = answer.bytes;

	add_descriptor(&at, NVMQ_NIDT_EUI64, ns->eui64, sizeof(ns->eui64));
	add_descriptor(&at, NVMQ_NIDT_NGUID, ns->nguid, sizeof(ns->nguid));
	add_descriptor(&at, NVMQ_NIDT_UUID, ns->uuid, sizeof(ns->uuid));
	add_descriptor(&at, NVMQ_NIDT_CSI, &csi, sizeof(csi));
}

/* NSIDs greater than the one of the command, attached or also the others. */
static int fill_list(struct cmd *cmd, bool attached_only)
{
	const struct nss *nss = cmd->ctrl->nss;
	uint32_t nsid = cmd_nsid(cmd), n, nr = 0;

	if (nsid > NVMQ_NSID_MAX - 1) {
		cmd_violation(cmd, RULE_NSID_INVALID, "namespace list from NSID %#x", nsid);
		return refuse(NVMQ_SC_INVALID_NAMESPACE);
	}
	for (n = nsid; n < NS_MAX; n++)
		if (nss->ns[n].attached || (!attached_only && nss->ns[n].store))
			answer.nsid[nr++] = htole32(n + 1);
	return 0;
}

/* A valid NSID; what is inactive is answered with zeroes, and @ns is NULL. */
static int find(struct cmd *cmd, bool attached_only, struct ns **ns)
{
	uint32_t nsid = cmd_nsid(cmd);

	if (!nsid || nsid > NS_MAX) {
		cmd_violation(cmd, RULE_NSID_INVALID, "NSID %#x in Identify, CNS %02xh", nsid,
			      cmd_dw10(cmd) & 0xff);
		return refuse(NVMQ_SC_INVALID_NAMESPACE);
	}
	*ns = attached_only ? ns_active(cmd->ctrl->nss, nsid) : ns_allocated(cmd->ctrl->nss, nsid);
	return 0;
}

static int fill_namespace(struct cmd *cmd, bool attached_only)
{
	struct ctrl *ctrl = cmd->ctrl;
	struct ns *ns;
	int status;

	if (attached_only && cmd_nsid(cmd) == NS_ALL && ctrl->opt.oacs & NVMQ_OACS_NS_MGMT) {
		fill_ns_common(&ctrl->opt, &answer.ns);
		return 0;
	}
	status = find(cmd, attached_only, &ns);
	if (!status && ns)
		fill_ns(&ctrl->opt, ns, &answer.ns);
	return status;
}

static void fill_ns_any(const struct options *opt, const struct ns *ns)
{
	static struct nvmq_id_ns id;

	memset(&id, 0, sizeof(id));
	fill_ns(opt, ns, &id);
	/* In this structure, only the bit about UIDs is defined in NSFEAT. */
	answer.ns_any.nmic = id.nmic;
	answer.ns_any.rescap = id.rescap;
	answer.ns_any.fpi = id.fpi;
	answer.ns_any.anagrpid = id.anagrpid;
	answer.ns_any.nsattr = id.nsattr;
	answer.ns_any.nstat = NVMQ_NSTAT_READY;
}

static void fill_granularity(void)
{
	unsigned int i;

	answer.granularity.attributes = htole32(1);
	answer.granularity.nr = OFFERED_FORMATS;
	for (i = 0; i < NS_FORMATS; i++) {
		answer.granularity.desc[i].nszegran = htole64(1ull << ns_formats[i].shift);
		answer.granularity.desc[i].ncapgran = htole64(1ull << ns_formats[i].shift);
	}
}

static int fill_controllers(struct cmd *cmd, bool of_namespace)
{
	uint32_t first = cmd_dw10(cmd) >> 16;
	struct ns *ns;
	int status;

	if (of_namespace) {
		status = find(cmd, false, &ns);
		if (status || !ns || !ns->attached)
			return status;
	}
	if (first <= IDENTIFY_CNTLID) {
		answer.ctrls.count = htole16(1);
		answer.ctrls.id[0] = htole16(IDENTIFY_CNTLID);
	}
	return 0;
}

/* Only those of namespace management know of namespaces that are not attached. */
static bool cns_offered(const struct options *opt, uint32_t cns)
{
	switch (cns) {
	case NVMQ_CNS_ALLOCATED_LIST:
	case NVMQ_CNS_ALLOCATED_NS:
	case NVMQ_CNS_NS_CONTROLLERS:
	case NVMQ_CNS_CONTROLLERS:
	case NVMQ_CNS_GRANULARITY:
	case NVMQ_CNS_ALLOCATED_LIST_CSS:
	case NVMQ_CNS_ALLOCATED_NS_CSS:
		return opt->oacs & NVMQ_OACS_NS_MGMT;
	default:
		return true;
	}
}

static bool cns_of_command_set(uint32_t cns)
{
	return cns == NVMQ_CNS_NAMESPACE_CSS || cns == NVMQ_CNS_CONTROLLER_CSS ||
	       cns == NVMQ_CNS_ACTIVE_LIST_CSS || cns == NVMQ_CNS_ALLOCATED_LIST_CSS ||
	       cns == NVMQ_CNS_ALLOCATED_NS_CSS;
}

static int fill(struct cmd *cmd)
{
	struct ctrl *ctrl = cmd->ctrl;
	const struct options *opt = &ctrl->opt;
	uint32_t cns = cmd_dw10(cmd) & 0xff;
	struct ns *ns;
	int status;

	if (!cns_offered(opt, cns))
		return refuse(NVMQ_SC_INVALID_FIELD);
	if (cns_of_command_set(cns) && cmd_dw11(cmd) >> 24 != NVMQ_CSI_NVM)
		return refuse(NVMQ_SC_INVALID_FIELD);
	switch (cns) {
	case NVMQ_CNS_NAMESPACE:
		return fill_namespace(cmd, true);
	case NVMQ_CNS_ALLOCATED_NS:
		return fill_namespace(cmd, false);
	case NVMQ_CNS_CONTROLLER:
		identify_controller(ctrl, &answer.ctrl);
		return 0;
	case NVMQ_CNS_ACTIVE_LIST:
	case NVMQ_CNS_ACTIVE_LIST_CSS:
		return fill_list(cmd, true);
	case NVMQ_CNS_ALLOCATED_LIST:
	case NVMQ_CNS_ALLOCATED_LIST_CSS:
		return fill_list(cmd, false);
	case NVMQ_CNS_DESCRIPTORS:
		status = find(cmd, true, &ns);
		if (!status && !ns)
			return refuse(NVMQ_SC_INVALID_NAMESPACE);
		if (!status)
			fill_descriptors(ns);
		return status;
	case NVMQ_CNS_NAMESPACE_CSS:
	case NVMQ_CNS_ALLOCATED_NS_CSS:
		/* Storage tags and guard formats: without protection information, none. */
		return find(cmd, cns == NVMQ_CNS_NAMESPACE_CSS, &ns);
	case NVMQ_CNS_NAMESPACE_ANY:
		status = find(cmd, true, &ns);
		if (!status && ns)
			fill_ns_any(opt, ns);
		return status;
	case NVMQ_CNS_CONTROLLER_CSS:
		answer.ctrl_nvm.wzsl = (uint8_t)opt->wzsl;
		answer.ctrl_nvm.dmrl = (uint8_t)opt->dmrl;
		answer.ctrl_nvm.dmrsl = htole32(opt->dmrsl);
		answer.ctrl_nvm.dmsl = htole64(opt->dmsl);
		return 0;
	case NVMQ_CNS_NS_CONTROLLERS:
		return fill_controllers(cmd, true);
	case NVMQ_CNS_CONTROLLERS:
		return fill_controllers(cmd, false);
	case NVMQ_CNS_GRANULARITY:
		fill_granularity();
		return 0;
	case NVMQ_CNS_COMMAND_SETS:
		if (cmd_dw10(cmd) >> 16 != 0xffff && cmd_dw10(cmd) >> 16 != IDENTIFY_CNTLID)
			return refuse(NVMQ_SC_INVALID_CTRL_ID);
		answer.command_sets[0] = htole64(1ull << NVMQ_CSI_NVM);
		return 0;
	default:
		return refuse(NVMQ_SC_INVALID_FIELD);
	}
}

int identify_exec(struct cmd *cmd)
{
	int status;

	memset(&answer, 0, sizeof(answer));
	status = fill(cmd);
	return status ? status : cmd_to_host(cmd, &answer, sizeof(answer));
}
