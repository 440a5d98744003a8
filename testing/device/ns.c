// SPDX-License-Identifier: GPL-2.0
#include "ns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "ctrl.h"
#include "feature.h"
#include "identify.h"
#include "log.h"

const struct ns_format ns_formats[NS_FORMATS] = {
	{ 9, 0 }, { 9, 8 }, { 9, 16 }, { 9, 64 }, { 12, 0 }, { 12, 8 }, { 12, 16 }, { 12, 64 },
};

/* How long a host may take to notice that a namespace is gone, ns. */
#define NS_GRACE		5000000000ull

static int refuse(int sc)
{
	return sc | NVMQ_STATUS_DNR;
}

/* FNV-1a: identifiers only have to differ. */
static uint64_t hash_text(const char *text, uint64_t hash)
{
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3ull;
	return hash;
}

/* Identifiers are never used again, not even by a namespace of the same NSID. */
static void make_identifiers(struct ctrl *ctrl, struct ns *ns, uint32_t made)
{
	static const uint8_t oui[3] = { 0x52, 0x54, 0x00 };
	uint64_t serial = hash_text(ctrl->opt.serial, 0xcbf29ce484222325ull);
	unsigned int i;

	memset(ns->nguid, 0, sizeof(ns->nguid));
	memcpy(ns->eui64, oui, sizeof(oui));
	memcpy(ns->nguid + 8, oui, sizeof(oui));
	for (i = 0; i < 8; i++)
		ns->nguid[i] = (uint8_t)(serial >> 8 * i);
	for (i = 0; i < 4; i++) {
		ns->nguid[15 - i] = (uint8_t)(made >> 8 * i);
		ns->eui64[7 - i] = (uint8_t)(made >> 8 * i);
	}
	ns->nguid[11] = (uint8_t)serial;
	ns->eui64[3] = (uint8_t)serial;
	memcpy(ns->uuid, ns->nguid, sizeof(ns->uuid));
	/* Version 8 of the variant of RFC 9562: as the maker likes. */
	ns->uuid[6] = (ns->uuid[6] & 0x0f) | 0x80;
	ns->uuid[8] = (ns->uuid[8] & 0x3f) | 0x80;
}

static int find_format(uint32_t block_size, uint32_t meta_size)
{
	int i;

	for (i = 0; i < NS_FORMATS; i++)
		if (1u << ns_formats[i].shift == block_size && ns_formats[i].meta == meta_size)
			return i;
	return -EINVAL;
}

static uint64_t ns_bytes(const struct ns *ns)
{
	return ns->blocks << ns->block_shift;
}

static void set_format(struct ns *ns, unsigned int format, bool extended, uint64_t blocks)
{
	ns->format = (uint8_t)format;
	ns->block_shift = ns_formats[format].shift;
	ns->meta_size = ns_formats[format].meta;
	ns->extended = extended && ns->meta_size;
	ns->blocks = blocks;
	/* What was said about ranges is about blocks that are no more. */
	ns->nr_ranges = 0;
	memset(ns->ranges, 0, sizeof(ns->ranges));
	ns->ranges[0].nlb = htole64(blocks - 1);
}

/* Make a namespace; it is not attached. */
static int make(struct ctrl *ctrl, struct nss *nss, uint32_t nsid, unsigned int format,
		bool extended, uint64_t blocks, const char *path)
{
	struct ns *ns = &nss->ns[nsid - 1];
	struct store_config config = {
		.path = path,
		.blocks = blocks,
		.block_size = 1u << ns_formats[format].shift,
		.meta_size = ns_formats[format].meta,
		.oracle = true,
		.cache = ctrl->opt.vwc & NVMQ_VWC_PRESENT,
	};
	struct store *store;
	int err;

	switch (ctrl->opt.dlfeat & NVMQ_DLFEAT_READ_MASK) {
	case NVMQ_DLFEAT_READ_ZEROES:
		config.hole = STORE_HOLE_ZEROES;
		break;
	case NVMQ_DLFEAT_READ_ONES:
		config.hole = STORE_HOLE_ONES;
		break;
	default:
		config.hole = STORE_HOLE_ANY;
	}
	err = store_new(&config, &store);
	if (err)
		return err;
	memset(ns, 0, sizeof(*ns));
	ns->store = store;
	ns->nsid = nsid;
	ns->anagrpid = ctrl->opt.ana ? (nsid - 1) % LOG_ANA_GROUPS + 1 : 0;
	set_format(ns, format, extended, blocks);
	make_identifiers(ctrl, ns, ++nss->made);
	nss->used += ns_bytes(ns);
	return 0;
}

static void destroy(struct nss *nss, struct ns *ns)
{
	nss->used -= ns_bytes(ns);
	store_free(ns->store);
	memset(ns, 0, sizeof(*ns));
}

struct nss *nss_new(struct ctrl *ctrl)
{
	const struct ns_options *opt;
	struct nss *nss;
	struct ns *ns;
	uint32_t i;
	int format;

	nss = calloc(1, sizeof(*nss));
	if (!nss)
		return NULL;
	for (i = 0; i < ctrl->opt.nr_ns && i < NS_MAX; i++) {
		opt = &ctrl->opt.ns[i];
		ns = &nss->ns[i];
		format = find_format(opt->lba, opt->meta);
		if (format < 0 ||
		    make(ctrl, nss, i + 1, (unsigned int)format, opt->extended,
			 opt->size / opt->lba, *opt->file ? opt->file : NULL)) {
			nss_free(nss);
			return NULL;
		}
		ns->attached = !opt->detached;
		if (opt->read_only)
			ns->write_protect = NVMQ_WP_PERMANENT;
	}
	/* As much again can be made by Namespace Management. */
	nss->capacity = nss->used + (nss->used > 1ull << 30 ? nss->used : 1ull << 30);
	return nss;
}

void nss_free(struct nss *nss)
{
	unsigned int i;

	if (!nss)
		return;
	for (i = 0; i < NS_MAX; i++)
		store_free(nss->ns[i].store);
	free(nss);
}

void nss_reset(struct nss *nss)
{
	unsigned int i;

	for (i = 0; i < NS_MAX; i++)
		nss->ns[i].error_recovery = nss->ns[i].error_recovery_saved;
}

uint64_t nss_power_cut(struct nss *nss, uint64_t seed)
{
	uint64_t lost = 0;
	struct ns *ns;
	unsigned int i;

	for (i = 0; i < NS_MAX; i++) {
		ns = &nss->ns[i];
		if (!ns->store)
			continue;
		/* Namespaces don't lose the same blocks. */
		lost += store_power_cut(ns->store, seed ? seed + i : 0);
		resv_power_cut(&ns->resv);
		if (ns->write_protect == NVMQ_WP_POWER_CYCLE)
			ns->write_protect = NVMQ_WP_NONE;
	}
	return lost;
}

int ns_attach(struct ctrl *ctrl, uint32_t nsid, bool attach)
{
	struct ns *ns = ns_allocated(ctrl->nss, nsid);

	if (!ns)
		return -ENOENT;
	if (ns->attached == attach)
		return -EALREADY;
	ns->attached = attach;
	ctrl->nss->gone_at[nsid - 1] = attach ? 0 : clock_now();
	log_ns_changed(ctrl, nsid);
	return 0;
}

static uint32_t free_nsid(const struct nss *nss)
{
	uint32_t i;

	for (i = 0; i < NS_MAX; i++)
		if (!nss->ns[i].store)
			return i + 1;
	return 0;
}

int ns_create(struct ctrl *ctrl, uint32_t nsid, uint64_t blocks)
{
	struct nss *nss = ctrl->nss;
	int err;

	if (!nsid)
		nsid = free_nsid(nss);
	if (!nsid || nsid > NS_MAX)
		return -ENOSPC;
	if (nss->ns[nsid - 1].store)
		return -EEXIST;
	err = make(ctrl, nss, nsid, 0, false, blocks, NULL);
	if (err)
		return err;
	err = ns_attach(ctrl, nsid, true);
	return err ? err : (int)nsid;
}

int ns_resize(struct ctrl *ctrl, uint32_t nsid, uint64_t blocks)
{
	struct ns *ns = ns_allocated(ctrl->nss, nsid);
	int err;

	if (!ns)
		return -ENOENT;
	err = store_resize(ns->store, blocks);
	if (err)
		return err;
	if (blocks < ns->blocks)
		ctrl->nss->gone_at[nsid - 1] = clock_now();
	ctrl->nss->used -= ns_bytes(ns);
	ns->blocks = blocks;
	ctrl->nss->used += ns_bytes(ns);
	log_ns_changed(ctrl, nsid);
	return 0;
}

void ns_lie(struct ctrl *ctrl, const struct lie *lie)
{
	struct ns *ns = ns_allocated(ctrl->nss, lie->nsid);

	switch (lie->kind) {
	case LIE_NS_GONE:
		ns_attach(ctrl, lie->nsid, false);
		break;
	case LIE_NS_NEW:
		/* One that was gone may come back, perhaps as another. */
		if (ns && !ns->attached)
			destroy(ctrl->nss, ns);
		ns_create(ctrl, lie->nsid, lie->size);
		break;
	case LIE_NS_RESIZED:
		ns_resize(ctrl, lie->nsid, lie->size);
		break;
	default:
		break;
	}
}

bool ns_just_changed(const struct nss *nss, uint32_t nsid)
{
	uint64_t gone_at = nss->gone_at[nsid - 1];

	return gone_at && clock_now() - gone_at <= NS_GRACE;
}

int ns_of_cmd(struct cmd *cmd, struct ns **ns)
{
	uint32_t nsid = cmd_nsid(cmd);

	*ns = ns_active(cmd->ctrl->nss, nsid);
	if (*ns)
		return 0;
	if (!nsid || nsid > NS_MAX) {
		cmd_violation(cmd, RULE_NSID_INVALID, "NSID %#x in command %#x", nsid,
			      cmd->sqe.opcode);
		return refuse(NVMQ_SC_INVALID_NAMESPACE);
	}
	/*
	 * That a namespace was taken away is told by an event; commands that were on their way
	 * are no mistake.
	 */
	if (!ns_just_changed(cmd->ctrl->nss, nsid))
		cmd_violation(cmd, RULE_NSID_INACTIVE, "NSID %#x in command %#x", nsid,
			      cmd->sqe.opcode);
	return refuse(NVMQ_SC_INVALID_FIELD);
}

static int create(struct cmd *cmd)
{
	struct ctrl *ctrl = cmd->ctrl;
	struct nss *nss = ctrl->nss;
	static struct nvmq_id_ns id;
	unsigned int format;
	uint64_t blocks;
	uint32_t nsid;
	int status;

	if (cmd_nsid(cmd))
		return refuse(NVMQ_SC_INVALID_FIELD);
	if (cmd_dw11(cmd) >> 24 != NVMQ_CSI_NVM)
		return refuse(NVMQ_SC_IOCS_NOT_SUPPORTED);
	status = cmd_from_host(cmd, &id, sizeof(id));
	if (status)
		return status;
	format = nvmq_lbaf_index(id.flbas);
	blocks = le64toh(id.nsze);
	if (format >= NS_FORMATS || id.dps) {
		cmd_violation(cmd, RULE_FORMAT, "namespace to be made with format %u, DPS %#x",
			      format, id.dps);
		return refuse(NVMQ_SC_INVALID_FORMAT);
	}
	if (le64toh(id.ncap) != blocks)
		return refuse(NVMQ_SC_NO_THIN_PROVISIONING);
	if (!blocks || id.nmic & ~NVMQ_NMIC_SHARED)
		return refuse(NVMQ_SC_INVALID_FIELD);
	if (ctrl->opt.ana && le32toh(id.anagrpid) > LOG_ANA_GROUPS)
		return refuse(NVMQ_SC_ANA_GROUP_INVALID);
	if (blocks > (nss->capacity - nss->used) >> ns_formats[format].shift)
		return refuse(NVMQ_SC_NS_CAPACITY);
	nsid = free_nsid(nss);
	if (!nsid)
		return refuse(NVMQ_SC_NSID_UNAVAILABLE);
	if (make(ctrl, nss, nsid, format, id.flbas & NVMQ_FLBAS_EXTENDED, blocks, NULL))
		return NVMQ_SC_INTERNAL;
	if (ctrl->opt.ana && id.anagrpid)
		nss->ns[nsid - 1].anagrpid = le32toh(id.anagrpid);
	cmd->dw0 = nsid;
	return 0;
}

static void remove_ns(struct ctrl *ctrl, struct ns *ns)
{
	bool attached = ns->attached;
	uint32_t nsid = ns->nsid;

	destroy(ctrl->nss, ns);
	if (!attached)
		return;
	ctrl->nss->gone_at[nsid - 1] = clock_now();
	log_ns_changed(ctrl, nsid);
}

static int delete(struct cmd *cmd)
{
	struct nss *nss = cmd->ctrl->nss;
	uint32_t nsid = cmd_nsid(cmd), i;
	struct ns *ns;

	if (nsid == NS_ALL) {
		for (i = 0; i < NS_MAX; i++)
			if (nss->ns[i].store && nss->ns[i].write_protect)
				return refuse(NVMQ_SC_NS_WRITE_PROTECTED);
		for (i = 0; i < NS_MAX; i++)
			if (nss->ns[i].store)
				remove_ns(cmd->ctrl, &nss->ns[i]);
		return 0;
	}
	ns = ns_allocated(nss, nsid);
	if (!ns) {
		cmd_violation(cmd, RULE_NSID_INVALID, "NSID %#x is to be deleted", nsid);
		return refuse(nsid && nsid <= NS_MAX ? NVMQ_SC_INVALID_FIELD :
			      NVMQ_SC_INVALID_NAMESPACE);
	}
	if (ns->write_protect)
		return refuse(NVMQ_SC_NS_WRITE_PROTECTED);
	remove_ns(cmd->ctrl, ns);
	return 0;
}

int ns_management(struct cmd *cmd)
{
	switch (cmd_dw10(cmd) & 0xf) {
	case NVMQ_NS_CREATE:
		return create(cmd);
	case NVMQ_NS_DELETE:
		return delete(cmd);
	default:
		return refuse(NVMQ_SC_INVALID_FIELD);
	}
}

int ns_attachment(struct cmd *cmd)
{
	static struct nvmq_ctrl_list list;
	uint32_t nsid = cmd_nsid(cmd), sel = cmd_dw10(cmd) & 0xf;
	struct ns *ns = ns_allocated(cmd->ctrl->nss, nsid);
	unsigned int i, nr;
	int status;

	if (sel > NVMQ_NS_DETACH)
		return refuse(NVMQ_SC_INVALID_FIELD);
	if (!ns) {
		cmd_violation(cmd, RULE_NSID_INVALID, "NSID %#x is to be attached or detached",
			      nsid);
		return refuse(nsid && nsid <= NS_MAX ? NVMQ_SC_INVALID_FIELD :
			      NVMQ_SC_INVALID_NAMESPACE);
	}
	status = cmd_from_host(cmd, &list, sizeof(list));
	if (status)
		return status;
	nr = le16toh(list.count);
	if (!nr || nr > sizeof(list.id) / sizeof(list.id[0]))
		return refuse(NVMQ_SC_CTRL_LIST_INVALID);
	for (i = 1; i < nr; i++)
		if (le16toh(list.id[i]) <= le16toh(list.id[i - 1]))
			return refuse(NVMQ_SC_CTRL_LIST_INVALID);
	for (i = 0; i < nr; i++)
		if (le16toh(list.id[i]) != IDENTIFY_CNTLID)
			return refuse(NVMQ_SC_CTRL_LIST_INVALID);
	if (ns_attach(cmd->ctrl, nsid, sel == NVMQ_NS_ATTACH))
		return refuse(sel == NVMQ_NS_ATTACH ? NVMQ_SC_NS_ALREADY_ATTACHED :
			      NVMQ_SC_NS_NOT_ATTACHED);
	return 0;
}

static int format_one(struct cmd *cmd, struct ns *ns, unsigned int format, bool extended)
{
	uint64_t bytes = ns_bytes(ns), blocks = bytes >> ns_formats[format].shift;
	struct ctrl *ctrl = cmd->ctrl;

	if (!blocks)
		return refuse(NVMQ_SC_INVALID_FORMAT);
	ctrl->nss->used -= bytes;
	if (store_format(ns->store, blocks, 1u << ns_formats[format].shift,
			 ns_formats[format].meta)) {
		/* Without a medium there is no namespace. */
		ctrl->nss->used += bytes;
		remove_ns(ctrl, ns);
		return NVMQ_SC_INTERNAL;
	}
	set_format(ns, format, extended, blocks);
	ctrl->nss->used += ns_bytes(ns);
	log_ns_changed(ctrl, ns->nsid);
	return 0;
}

int ns_format(struct cmd *cmd)
{
	uint32_t dw10 = cmd_dw10(cmd), nsid = cmd_nsid(cmd), format = nvmq_format_lbaf(dw10), i;
	bool extended = dw10 & NVMQ_FORMAT_EXTENDED;
	struct nss *nss = cmd->ctrl->nss;
	struct ns *ns;
	int status;

	if (format >= NS_FORMATS || NVMQ_FORMAT_PI(dw10)) {
		cmd_violation(cmd, RULE_FORMAT, "format %u, protection information %u", format,
			      NVMQ_FORMAT_PI(dw10));
		return refuse(NVMQ_SC_INVALID_FORMAT);
	}
	/* Contents are dropped in any case: user data erase and cryptographic erase are that. */
	if (NVMQ_FORMAT_SES(dw10) > 2)
		return refuse(NVMQ_SC_INVALID_FIELD);
	if (nsid != NS_ALL) {
		status = ns_of_cmd(cmd, &ns);
		if (status)
			return status;
		status = resv_check(cmd, ns, true);
		if (status)
			return status;
		if (ns->write_protect)
			return refuse(NVMQ_SC_NS_WRITE_PROTECTED);
		return format_one(cmd, ns, format, extended);
	}
	for (i = 0; i < NS_MAX; i++)
		if (nss->ns[i].attached && nss->ns[i].write_protect)
			return refuse(NVMQ_SC_NS_WRITE_PROTECTED);
	for (i = 0; i < NS_MAX; i++) {
		if (!nss->ns[i].attached)
			continue;
		status = format_one(cmd, &nss->ns[i], format, extended);
		if (status)
			return status;
	}
	return 0;
}
