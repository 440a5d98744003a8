// SPDX-License-Identifier: GPL-2.0
/*
 * Identify, features, log pages, and the commands that make, attach and format namespaces: what
 * is answered for which options, what is refused, and that one agrees with the other.
 */
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#include "exec.h"
#include "feature.h"
#include "identify.h"
#include "log.h"
#include "ns.h"
#include "nvm.h"

#define DNR(sc)		((sc) | NVMQ_STATUS_DNR)

static struct exec e;

static uint8_t *data(void)
{
	return e.ram + EXEC_DATA;
}

static void start(void (*change)(struct options *opt))
{
	struct options opt;

	exec_options(&opt);
	if (change)
		change(&opt);
	exec_start(&e, &opt);
}

/* Identify into a buffer full of ones, so that what is not written shows. */
static int identify(uint32_t cns, uint32_t nsid, uint32_t dw11)
{
	memset(data(), 0xff, 8192);
	return exec_admin(&e, NVMQ_ADMIN_IDENTIFY, nsid, cns, dw11, 4096);
}

static const struct nvmq_id_ns *identify_ns(uint32_t nsid)
{
	int status = identify(NVMQ_CNS_NAMESPACE, nsid, 0);

	CHECK(!status, "Identify Namespace %u: %#x", nsid, status);
	return (const void *)data();
}

static bool all_zero(const void *p, size_t len)
{
	const uint8_t *b = p;

	while (len)
		if (b[--len])
			return false;
	return true;
}

static void many(struct options *opt)
{
	opt->mdts = 5;
	opt->acl = 2;
	opt->aerl = 6;
	opt->vwc = 5;
	opt->noiob = 256;
	opt->npwg = 8;
	opt->npdg = 16;
	opt->nows = 64;
	opt->wzsl = 3;
	opt->dmrl = 4;
	opt->dmrsl = 1000;
	opt->dmsl = 1ull << 33;
	opt->dlfeat = 2;
	opt->nr_ns = 3;
	opt->ns[0] = (struct ns_options){
		.size = 1 << 20, .lba = 4096, .meta = 16, .extended = true,
	};
	opt->ns[1] = (struct ns_options){ .size = 3 << 20, .lba = 512, .detached = true };
	opt->ns[2] = (struct ns_options){
		.size = 1 << 20, .lba = 512, .meta = 8, .read_only = true,
	};
	opt->ana = true;
}

static void test_controller(void)
{
	const struct nvmq_id_ctrl *id;

	start(many);
	id = (const void *)data();
	CHECK(!identify(NVMQ_CNS_CONTROLLER, 0, 0), "Identify Controller");
	CHECK(!memcmp(id->sn, "exec                ", 20) && !memcmp(id->fr, "1.0     ", 8),
	      "text is not padded: %.20s", id->sn);
	CHECK(!memcmp(id->mn, "nvmq test", 9) && id->mn[9] == ' ' && id->mn[39] == ' ', "%.40s",
	      id->mn);
	CHECK(id->mdts == 5 && id->acl == 2 && id->aerl == 6 && id->vwc == 5, "%u %u %u %u",
	      id->mdts, id->acl, id->aerl, id->vwc);
	CHECK(le32toh(id->nn) == NS_MAX && le16toh(id->oncs) == e.ctrl->opt.oncs &&
	      le16toh(id->oacs) == e.ctrl->opt.oacs && le32toh(id->sgls) == 1, "NN %u, ONCS %#x",
	      le32toh(id->nn), le16toh(id->oncs));
	CHECK(id->sqes == 0x66 && id->cqes == 0x44, "%#x %#x", id->sqes, id->cqes);
	CHECK(le32toh(id->ver) == e.ctrl->vs && id->cntrltype == NVMQ_CNTRLTYPE_IO &&
	      le16toh(id->cntlid) == IDENTIFY_CNTLID, "version %#x, type %u", le32toh(id->ver),
	      id->cntrltype);
	CHECK(id->cmic & NVMQ_CMIC_ANA && le32toh(id->oaes) & NVMQ_OAES_ANA &&
	      le32toh(id->nanagrpid) && le32toh(id->nanagrpid) <= le32toh(id->anagrpmax),
	      "ANA is on: CMIC %#x", id->cmic);
	CHECK(!strncmp(id->subnqn, "nqn.", 4) && strnlen(id->subnqn, 256) < 224, "%.64s",
	      id->subnqn);
	CHECK(data()[4096] == 0xff, "more than 4096 bytes");
	CHECK(!identify(NVMQ_CNS_CONTROLLER_CSS, 0, 0), "CNS 06h");
	CHECK(data()[1] == 3 && data()[3] == 4 &&
	      le32toh(((struct nvmq_id_ctrl_nvm *)data())->dmrsl) == 1000 &&
	      le64toh(((struct nvmq_id_ctrl_nvm *)data())->dmsl) == 1ull << 33, "limits");
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);
	start(NULL);
	id = (const void *)data();
	CHECK(!identify(NVMQ_CNS_CONTROLLER, 0, 0), "Identify Controller");
	CHECK(!(id->cmic & NVMQ_CMIC_ANA) && !id->anacap && !id->nanagrpid, "ANA is off");
	exec_stop(&e);
}

static void test_namespace(void)
{
	const struct nvmq_id_ns *id;
	unsigned int i, k;

	start(many);
	id = identify_ns(1);
	CHECK(le64toh(id->nsze) == 256 && id->nsze == id->ncap && !id->nuse, "NSZE %llu",
	      (unsigned long long)le64toh(id->nsze));
	i = nvmq_lbaf_index(id->flbas);
	CHECK(i <= id->nlbaf && id->lbaf[i].lbads == 12 && le16toh(id->lbaf[i].ms) == 16 &&
	      id->flbas & NVMQ_FLBAS_EXTENDED, "FLBAS %#x", id->flbas);
	for (i = 0; i <= id->nlbaf; i++)
		for (k = 0; k < i; k++)
			CHECK(memcmp(&id->lbaf[i], &id->lbaf[k], 3), "formats %u and %u", i, k);
	CHECK(id->mc == 3 && !id->dpc && !id->dps, "MC %#x, DPC %#x", id->mc, id->dpc);
	CHECK(id->dlfeat == 2 && le16toh(id->noiob) == 256, "DLFEAT %#x", id->dlfeat);
	CHECK(id->nsfeat & NVMQ_NSFEAT_OPTPERF && le16toh(id->npwg) == 7 && !id->npwa &&
	      le16toh(id->npdg) == 15 && le16toh(id->nows) == 63, "NPWG %u", le16toh(id->npwg));
	CHECK(le16toh(id->mssrl) == 128 && le32toh(id->mcl) == 512 && id->msrc == 15, "copy");
	CHECK(le32toh(id->anagrpid) == 1, "ANA group %u", le32toh(id->anagrpid));
	CHECK(!(id->nsattr & NVMQ_NSATTR_WRITE_PROTECTED), "write protected");
	CHECK(all_zero(identify_ns(2), 4096), "detached, but there");
	CHECK(all_zero(identify_ns(NS_MAX), 4096), "not made, but there");
	id = identify_ns(3);
	CHECK(id->nsattr & NVMQ_NSATTR_WRITE_PROTECTED && !(id->flbas & NVMQ_FLBAS_EXTENDED),
	      "NSATTR %#x, FLBAS %#x", id->nsattr, id->flbas);
	CHECK(exec_clean(&e), "violations");
	CHECK(identify(NVMQ_CNS_NAMESPACE, 0, 0) == DNR(NVMQ_SC_INVALID_NAMESPACE), "NSID 0");
	CHECK(identify(NVMQ_CNS_NAMESPACE, NS_MAX + 1, 0) == DNR(NVMQ_SC_INVALID_NAMESPACE), "NN");
	CHECK(exec_judged(&e, RULE_NSID_INVALID) == 2, "not judged");
	id = identify_ns(NS_ALL);
	CHECK(!id->nsze && id->nlbaf == NS_FORMATS - 1, "what is common to all");
	CHECK(!identify(NVMQ_CNS_ALLOCATED_NS, 2, 0), "CNS 11h");
	CHECK(le64toh(id->nsze) == 6144, "allocated: %llu", (unsigned long long)le64toh(id->nsze));
	CHECK(!identify(NVMQ_CNS_NAMESPACE_ANY, 3, 0), "CNS 08h");
	CHECK(data()[8] == NVMQ_NSATTR_WRITE_PROTECTED && data()[14] == NVMQ_NSTAT_READY &&
	      data()[4] == 3, "independent: %u %u %u", data()[8], data()[14], data()[4]);
	CHECK(!identify(NVMQ_CNS_NAMESPACE_CSS, 1, 0), "CNS 05h");
	CHECK(identify(NVMQ_CNS_NAMESPACE_CSS, 1, 2u << 24) == DNR(NVMQ_SC_INVALID_FIELD),
	      "another command set");
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);
}

/* NSIDs in a list, read into a number of decimal digits: {1, 3} is 13. */
static unsigned int nsids(uint32_t cns, uint32_t from)
{
	const __le32 *nsid = (const void *)data();
	unsigned int i, sum = 0;
	int status = identify(cns, from, 0);

	CHECK(!status, "CNS %02xh from %u: %#x", cns, from, status);
	for (i = 0; i < 1024 && nsid[i]; i++)
		sum = sum * 10 + le32toh(nsid[i]);
	CHECK(all_zero(&nsid[i], (1024 - i) * 4), "rubbish behind the end");
	return sum;
}

static void test_lists(void)
{
	start(many);
	CHECK(nsids(NVMQ_CNS_ACTIVE_LIST, 0) == 13, "%u", nsids(NVMQ_CNS_ACTIVE_LIST, 0));
	CHECK(nsids(NVMQ_CNS_ACTIVE_LIST, 1) == 3, "%u", nsids(NVMQ_CNS_ACTIVE_LIST, 1));
	CHECK(nsids(NVMQ_CNS_ACTIVE_LIST, 3) == 0, "%u", nsids(NVMQ_CNS_ACTIVE_LIST, 3));
	CHECK(nsids(NVMQ_CNS_ACTIVE_LIST, 100000) == 0, "far behind");
	CHECK(nsids(NVMQ_CNS_ACTIVE_LIST_CSS, 0) == 13, "CNS 07h");
	CHECK(nsids(NVMQ_CNS_ALLOCATED_LIST, 0) == 123, "CNS 10h");
	CHECK(exec_clean(&e), "violations");
	CHECK(identify(NVMQ_CNS_ACTIVE_LIST, 0xfffffffe, 0) == DNR(NVMQ_SC_INVALID_NAMESPACE),
	      "from FFFFFFFEh");
	CHECK(identify(NVMQ_CNS_ACTIVE_LIST, 0xffffffff, 0) == DNR(NVMQ_SC_INVALID_NAMESPACE),
	      "from FFFFFFFFh");
	CHECK(exec_judged(&e, RULE_NSID_INVALID) == 2, "not judged");
	exec_stop(&e);
}

/* A list that ends, of descriptors that fit their types; unique for each namespace. */
static void test_descriptors(void)
{
	uint8_t uuid[2][16] = { { 0 } }, seen, n;
	const uint8_t *at;
	static const uint8_t len[] = { 0, 8, 16, 16, 1 };

	start(many);
	for (n = 0; n < 2; n++) {
		CHECK(!identify(NVMQ_CNS_DESCRIPTORS, n ? 3 : 1, 0), "descriptors");
		for (at = data(), seen = 0; at[0]; at += 4 + at[1]) {
			CHECK(at[0] <= 4 && at[1] == len[at[0]], "type %u, %u bytes", at[0], at[1]);
			CHECK(!(seen & 1 << at[0]), "type %u twice", at[0]);
			seen |= (uint8_t)(1 << at[0]);
			if (at[0] == NVMQ_NIDT_UUID)
				memcpy(uuid[n], at + 4, 16);
			if (at[0] > 4 || at[1] > 16)
				break;
		}
		CHECK(seen == 0x1e, "types %#x", seen);
		CHECK(all_zero(at, (size_t)(data() + 4096 - at)), "rubbish behind the end");
	}
	CHECK(memcmp(uuid[0], uuid[1], 16) && !all_zero(uuid[0], 16), "not unique");
	CHECK(identify(NVMQ_CNS_DESCRIPTORS, 2, 0) == DNR(NVMQ_SC_INVALID_NAMESPACE), "detached");
	exec_stop(&e);
}

static void no_management(struct options *opt)
{
	opt->oacs = 0;
}

/* Every CNS is either answered or refused, and which is which follows from the options. */
static void test_every_cns(void)
{
	static const uint8_t always[] = { 0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08, 0x1c };
	static const uint8_t managed[] = { 0x10, 0x11, 0x12, 0x13, 0x16, 0x1a, 0x1b };
	unsigned int cns, management;
	int status;
	bool want;

	for (management = 0; management < 2; management++) {
		start(management ? NULL : no_management);
		for (cns = 0; cns < 256; cns++) {
			want = memchr(always, (int)cns, sizeof(always)) ||
			       (management && memchr(managed, (int)cns, sizeof(managed)));
			status = identify(cns | (cns == NVMQ_CNS_COMMAND_SETS ? 0xffff0000 : 0),
					  cns == 1 || cns == 6 ? 0 : 1, 0);
			CHECK(status == (want ? 0 : DNR(NVMQ_SC_INVALID_FIELD)), "CNS %02xh: %#x",
			      cns, status);
			CHECK(want || data()[0] == 0xff, "CNS %02xh wrote", cns);
		}
		exec_stop(&e);
	}
}

static void test_controllers(void)
{
	const struct nvmq_ctrl_list *ctrls;
	const __le64 *sets;

	start(many);
	ctrls = (const void *)data();
	sets = (const void *)data();
	CHECK(!identify(NVMQ_CNS_CONTROLLERS, 0, 0) && le16toh(ctrls->count) == 1 &&
	      le16toh(ctrls->id[0]) == IDENTIFY_CNTLID, "all");
	CHECK(!identify(NVMQ_CNS_CONTROLLERS | IDENTIFY_CNTLID << 16, 0, 0) &&
	      le16toh(ctrls->count) == 1, "from the last");
	CHECK(!identify(NVMQ_CNS_CONTROLLERS | (IDENTIFY_CNTLID + 1) << 16, 0, 0) && !ctrls->count,
	      "behind the last");
	CHECK(!identify(NVMQ_CNS_NS_CONTROLLERS, 1, 0) && le16toh(ctrls->count) == 1, "attached");
	CHECK(!identify(NVMQ_CNS_NS_CONTROLLERS, 2, 0) && !ctrls->count, "detached");
	CHECK(!identify(NVMQ_CNS_COMMAND_SETS | 0xffff0000, 0, 0) && le64toh(sets[0]) == 1 &&
	      !sets[1], "command sets");
	CHECK(identify(NVMQ_CNS_COMMAND_SETS | 77 << 16, 0, 0) == DNR(NVMQ_SC_INVALID_CTRL_ID),
	      "of another controller");
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);
}

/* --- Namespace Management, Attachment, Format --- */

static int create(uint64_t blocks, uint64_t cap, uint8_t flbas)
{
	struct nvmq_id_ns *id = (void *)data();

	memset(id, 0, sizeof(*id));
	id->nsze = htole64(blocks);
	id->ncap = htole64(cap);
	id->flbas = flbas;
	return exec_admin(&e, NVMQ_ADMIN_NS_MANAGEMENT, 0, NVMQ_NS_CREATE, 0, 4096);
}

static int attach(uint32_t nsid, uint32_t sel, uint16_t nr, uint16_t id)
{
	struct nvmq_ctrl_list *ctrls = (void *)data();

	memset(ctrls, 0, sizeof(*ctrls));
	ctrls->count = htole16(nr);
	ctrls->id[0] = htole16(id);
	ctrls->id[1] = htole16((uint16_t)(id + 1));
	return exec_admin(&e, NVMQ_ADMIN_NS_ATTACHMENT, nsid, sel, 0, 4096);
}

static int delete(uint32_t nsid)
{
	return exec_admin(&e, NVMQ_ADMIN_NS_MANAGEMENT, nsid, NVMQ_NS_DELETE, 0, 0);
}

static void test_management(void)
{
	const struct nvmq_id_ctrl *id_ctrl;
	const struct nvmq_id_ns *id;
	uint64_t unused, left;
	uint8_t guid[16];
	int status;

	start(NULL);
	id_ctrl = (const void *)data();
	CHECK(!identify(NVMQ_CNS_CONTROLLER, 0, 0), "Identify Controller");
	memcpy(&unused, id_ctrl->unvmcap, 8);
	status = create(2048, 2048, 4);
	CHECK(!status && e.cmd.dw0 == 2, "create: %#x, NSID %u", status, e.cmd.dw0);
	CHECK(!identify(NVMQ_CNS_CONTROLLER, 0, 0), "Identify Controller");
	memcpy(&left, id_ctrl->unvmcap, 8);
	CHECK(left == unused - (2048 << 12), "%llu left of %llu", (unsigned long long)left,
	      (unsigned long long)unused);
	CHECK(nsids(NVMQ_CNS_ACTIVE_LIST, 0) == 1 && nsids(NVMQ_CNS_ALLOCATED_LIST, 0) == 12,
	      "attached by itself");
	CHECK(!attach(2, NVMQ_NS_ATTACH, 1, IDENTIFY_CNTLID), "attach");
	CHECK(nsids(NVMQ_CNS_ACTIVE_LIST, 0) == 12, "not attached");
	id = identify_ns(2);
	CHECK(le64toh(id->nsze) == 2048 && id->lbaf[id->flbas & 0xf].lbads == 12, "NSZE %llu",
	      (unsigned long long)le64toh(id->nsze));
	memcpy(guid, id->nguid, 16);
	CHECK(attach(2, NVMQ_NS_ATTACH, 1, IDENTIFY_CNTLID) == DNR(NVMQ_SC_NS_ALREADY_ATTACHED),
	      "twice");
	CHECK(!attach(2, NVMQ_NS_DETACH, 1, IDENTIFY_CNTLID), "detach");
	CHECK(attach(2, NVMQ_NS_DETACH, 1, IDENTIFY_CNTLID) == DNR(NVMQ_SC_NS_NOT_ATTACHED),
	      "twice");
	CHECK(attach(2, NVMQ_NS_ATTACH, 0, 0) == DNR(NVMQ_SC_CTRL_LIST_INVALID), "empty list");
	CHECK(attach(2, NVMQ_NS_ATTACH, 2, IDENTIFY_CNTLID) == DNR(NVMQ_SC_CTRL_LIST_INVALID),
	      "a controller that does not exist");
	memset(data(), 0, 4096);
	((struct nvmq_ctrl_list *)data())->count = htole16(2);
	((struct nvmq_ctrl_list *)data())->id[0] = htole16(IDENTIFY_CNTLID);
	((struct nvmq_ctrl_list *)data())->id[1] = htole16(IDENTIFY_CNTLID);
	CHECK(exec_admin(&e, NVMQ_ADMIN_NS_ATTACHMENT, 2, NVMQ_NS_ATTACH, 0, 4096) ==
	      DNR(NVMQ_SC_CTRL_LIST_INVALID), "a controller twice");
	CHECK(attach(2, NVMQ_NS_ATTACH, 2048, IDENTIFY_CNTLID) == DNR(NVMQ_SC_CTRL_LIST_INVALID),
	      "too long a list");
	CHECK(attach(2, 7, 1, IDENTIFY_CNTLID) == DNR(NVMQ_SC_INVALID_FIELD), "SEL 7");
	CHECK(exec_clean(&e), "violations");
	CHECK(attach(9, NVMQ_NS_ATTACH, 1, IDENTIFY_CNTLID) == DNR(NVMQ_SC_INVALID_FIELD),
	      "NSID 9");
	CHECK(exec_judged(&e, RULE_NSID_INVALID) == 1, "NSID 9");
	CHECK(!delete(2) && nsids(NVMQ_CNS_ALLOCATED_LIST, 0) == 1, "delete");
	CHECK(!create(2048, 2048, 0) && e.cmd.dw0 == 2, "again");
	CHECK(!attach(2, NVMQ_NS_ATTACH, 1, IDENTIFY_CNTLID), "attach");
	CHECK(memcmp(identify_ns(2)->nguid, guid, 16), "the NGUID is used again");
	CHECK(exec_admin(&e, NVMQ_ADMIN_NS_MANAGEMENT, 0, NVMQ_NS_CREATE, 2u << 24, 4096) ==
	      DNR(NVMQ_SC_IOCS_NOT_SUPPORTED), "of another command set");
	CHECK(create(2048, 1024, 0) == DNR(NVMQ_SC_NO_THIN_PROVISIONING), "thin");
	CHECK(create(0, 0, 0) == DNR(NVMQ_SC_INVALID_FIELD), "no blocks");
	CHECK(create(1ull << 60, 1ull << 60, 0) == DNR(NVMQ_SC_NS_CAPACITY), "too large");
	CHECK(create(UINT64_MAX, UINT64_MAX, 4) == DNR(NVMQ_SC_NS_CAPACITY), "much too large");
	CHECK(exec_clean(&e), "violations");
	CHECK(create(8, 8, 9) == DNR(NVMQ_SC_INVALID_FORMAT), "format 9");
	CHECK(exec_judged(&e, RULE_FORMAT) == 1, "format 9");
	while (!(status = create(8, 8, 0)))
		;
	CHECK(status == DNR(NVMQ_SC_NSID_UNAVAILABLE), "no NSID left: %#x", status);
	CHECK(!delete(NS_ALL) && nsids(NVMQ_CNS_ALLOCATED_LIST, 0) == 0, "delete all");
	CHECK(!identify(NVMQ_CNS_CONTROLLER, 0, 0) &&
	      !memcmp(id_ctrl->unvmcap, id_ctrl->tnvmcap, 16), "capacity is lost");
	exec_stop(&e);
}

/* Every format, by its effect on what is read, written and identified. */
static void test_format(void)
{
	const struct nvmq_id_ns *id;
	unsigned int i;
	int status;

	start(NULL);
	for (i = 0; i < 2 * NS_FORMATS; i++) {
		unsigned int format = i % NS_FORMATS;
		bool extended = i >= NS_FORMATS;
		uint32_t len = 1u << ns_formats[format].shift;

		memset(data(), 0x5a, 8192);
		/* With the format of before. */
		exec_io(&e, NVMQ_IO_WRITE, 1, 0, 1, 0, 4096);
		status = exec_admin(&e, NVMQ_ADMIN_FORMAT_NVM, 1,
				    format | (extended ? NVMQ_FORMAT_EXTENDED : 0), 0, 0);
		CHECK(!status, "format %u: %#x", format, status);
		id = identify_ns(1);
		CHECK((id->flbas & 0xf) == format && le64toh(id->nsze) == (1 << 20) / len &&
		      !!(id->flbas & 0x10) == (extended && ns_formats[format].meta) && !id->nuse,
		      "format %u: FLBAS %#x, NSZE %llu", format, id->flbas,
		      (unsigned long long)le64toh(id->nsze));
	}
	judge_clear(e.judge);
	CHECK(!exec_admin(&e, NVMQ_ADMIN_FORMAT_NVM, 1, 1 << 9, 0, 0), "user data erase");
	CHECK(!exec_admin(&e, NVMQ_ADMIN_FORMAT_NVM, NS_ALL, 2 << 9 | 4, 0, 0), "all, by key");
	CHECK(identify_ns(1)->flbas == 4, "all");
	CHECK(exec_admin(&e, NVMQ_ADMIN_FORMAT_NVM, 1, 3 << 9, 0, 0) == DNR(NVMQ_SC_INVALID_FIELD),
	      "SES 3");
	CHECK(exec_clean(&e), "violations");
	CHECK(exec_admin(&e, NVMQ_ADMIN_FORMAT_NVM, 1, 8, 0, 0) == DNR(NVMQ_SC_INVALID_FORMAT),
	      "format 8");
	CHECK(exec_admin(&e, NVMQ_ADMIN_FORMAT_NVM, 1, 1 << 12, 0, 0) ==
	      DNR(NVMQ_SC_INVALID_FORMAT), "format 16");
	CHECK(exec_admin(&e, NVMQ_ADMIN_FORMAT_NVM, 1, 1 << 5, 0, 0) == DNR(NVMQ_SC_INVALID_FORMAT),
	      "protection information");
	CHECK(exec_judged(&e, RULE_FORMAT) == 3, "not judged");
	exec_stop(&e);
}

/* --- Features --- */

static int get(uint32_t fid, unsigned int select, uint32_t nsid, uint32_t dw11)
{
	memset(data(), 0xff, 8192);
	return exec_admin(&e, NVMQ_ADMIN_GET_FEATURES, nsid, fid | select << 8, dw11, 4096);
}

static int set(uint32_t fid, uint32_t nsid, uint32_t value, uint32_t len)
{
	return exec_admin(&e, NVMQ_ADMIN_SET_FEATURES, nsid, fid, value, len);
}

/* A value of dword 11 that differs from the default, and may be set. */
static const struct {
	uint8_t fid;
	uint32_t value;
	bool saveable;
	uint32_t nsid;
} values[] = {
	{ NVMQ_FEAT_ARBITRATION, 0x01020303, true, 0 },
	{ NVMQ_FEAT_POWER, 2, true, 0 },
	{ NVMQ_FEAT_ERROR_RECOVERY, 0x10005, true, 1 },
	{ NVMQ_FEAT_WRITE_CACHE, 0, true, 0 },
	{ NVMQ_FEAT_COALESCING, 0x0203, true, 0 },
	{ NVMQ_FEAT_ATOMICITY, 1, true, 0 },
	{ NVMQ_FEAT_ASYNC_EVENT, 0x11f, true, 0 },
	{ NVMQ_FEAT_PROGRESS, 7, true, 0 },
	{ NVMQ_FEAT_WRITE_PROTECT, 1, false, 1 },
};

static uint32_t value_of(uint8_t fid, unsigned int select, uint32_t nsid)
{
	int status = get(fid, select, nsid, 0);

	CHECK(!status, "feature %02xh, select %u: %#x", fid, select, status);
	return e.cmd.dw0;
}

static void test_features(void)
{
	uint32_t preset, value, nsid;
	unsigned int i;
	uint8_t fid;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		start(NULL);
		fid = values[i].fid;
		value = values[i].value;
		nsid = values[i].nsid;
		preset = value_of(fid, NVMQ_FEAT_DEFAULT, nsid);
		CHECK(preset != value && value_of(fid, NVMQ_FEAT_CURRENT, nsid) == preset &&
		      value_of(fid, NVMQ_FEAT_SAVED, nsid) == preset, "feature %02xh: %#x", fid,
		      preset);
		CHECK(value_of(fid, NVMQ_FEAT_SUPPORTED, nsid) ==
		      (NVMQ_FEAT_CAP_CHANGEABLE | (values[i].saveable ? 1u : 0) | (nsid ? 2u : 0)),
		      "feature %02xh can %#x", fid, e.cmd.dw0);
		CHECK(!set(fid, nsid, value, 0), "set feature %02xh", fid);
		CHECK(value_of(fid, NVMQ_FEAT_CURRENT, nsid) == value, "feature %02xh: %#x", fid,
		      e.cmd.dw0);
		CHECK(value_of(fid, NVMQ_FEAT_DEFAULT, nsid) == preset, "default of %02xh", fid);
		CHECK(exec_clean(&e), "violations with feature %02xh", fid);
		if (!values[i].saveable) {
			CHECK(set(fid | NVMQ_FEAT_SAVE, nsid, value, 0) ==
			      DNR(NVMQ_SC_FEATURE_NOT_SAVEABLE), "feature %02xh was saved", fid);
			CHECK(exec_judged(&e, RULE_FEAT_SAVE) == 1, "feature %02xh", fid);
			exec_stop(&e);
			continue;
		}
		CHECK(value_of(fid, NVMQ_FEAT_SAVED, nsid) == preset, "%02xh was saved", fid);
		features_reset(e.ctrl);
		CHECK(value_of(fid, NVMQ_FEAT_CURRENT, nsid) == preset, "%02xh after a reset", fid);
		CHECK(!set(fid | NVMQ_FEAT_SAVE, nsid, value, 0), "save feature %02xh", fid);
		CHECK(value_of(fid, NVMQ_FEAT_SAVED, nsid) == value, "%02xh was not saved", fid);
		features_reset(e.ctrl);
		CHECK(value_of(fid, NVMQ_FEAT_CURRENT, nsid) == value, "%02xh: %#x after a reset",
		      fid, e.cmd.dw0);
		exec_stop(&e);
	}
}

static void no_select(struct options *opt)
{
	opt->oncs &= ~(uint32_t)NVMQ_ONCS_SAVE_SELECT;
}

static void test_features_refused(void)
{
	static const uint8_t known[] = {
		0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0e, 0x16,
		0x80, 0x81, 0x84,
	};
	unsigned int fid;
	int status;
	bool have;

	start(NULL);
	for (fid = 0; fid < 256; fid++) {
		have = memchr(known, (int)fid, sizeof(known));
		status = get(fid, NVMQ_FEAT_SUPPORTED, 1, 0);
		CHECK(status == (have ? 0 : DNR(NVMQ_SC_INVALID_FIELD)), "get %02xh: %#x", fid,
		      status);
		CHECK(exec_clean(&e), "to ask is allowed");
		if (have)
			continue;
		status = set(fid, 0, 0, 0);
		CHECK(status == DNR(NVMQ_SC_INVALID_FIELD), "set %02xh: %#x", fid, status);
		CHECK(exec_judged(&e, RULE_FEAT_UNKNOWN) == 1, "set %02xh", fid);
	}
	CHECK(get(1, 4, 0, 0) == DNR(NVMQ_SC_INVALID_FIELD), "select 4");
	CHECK(get(NVMQ_FEAT_POWER, 0, 1, 0) == DNR(NVMQ_SC_FEATURE_NOT_PER_NS), "with a namespace");
	CHECK(set(NVMQ_FEAT_POWER, 1, 1, 0) == DNR(NVMQ_SC_FEATURE_NOT_PER_NS), "with a namespace");
	CHECK(exec_clean(&e), "violations");
	CHECK(set(NVMQ_FEAT_POWER, 0, 3, 0) == DNR(NVMQ_SC_INVALID_FIELD), "power state 3");
	CHECK(set(NVMQ_FEAT_ARBITRATION, 0, 8, 0) == DNR(NVMQ_SC_INVALID_FIELD), "reserved bit");
	CHECK(set(NVMQ_FEAT_TEMPERATURE, 0, 2 << 20, 0) == DNR(NVMQ_SC_INVALID_FIELD), "THSEL 2");
	CHECK(set(NVMQ_FEAT_TEMPERATURE, 0, 5 << 16, 0) == DNR(NVMQ_SC_INVALID_FIELD), "sensor 5");
	CHECK(set(NVMQ_FEAT_VECTOR, 0, 100, 0) == DNR(NVMQ_SC_INVALID_FIELD), "vector 100");
	CHECK(set(NVMQ_FEAT_WRITE_PROTECT, 1, 4, 0) == DNR(NVMQ_SC_INVALID_FIELD), "state 4");
	CHECK(exec_judged(&e, RULE_FEAT_VALUE) == 6, "not judged");
	exec_stop(&e);
	start(no_select);
	CHECK(get(1, NVMQ_FEAT_SUPPORTED, 0, 0) == DNR(NVMQ_SC_INVALID_FIELD), "select");
	CHECK(set(1 | NVMQ_FEAT_SAVE, 0, 3, 0) == DNR(NVMQ_SC_FEATURE_NOT_SAVEABLE), "save");
	exec_stop(&e);
}

static void reserved(struct options *opt)
{
	opt->reservations = true;
}

/* Features with data. */
static void test_feature_data(void)
{
	struct nvmq_lba_range *range;
	struct nvmq_timestamp *stamp;
	uint64_t ms = 0;
	unsigned int i;

	start(NULL);
	range = (void *)data();
	stamp = (void *)data();
	memset(data(), 0, 4096);
	for (i = 0; i < 6; i++)
		stamp->ms[i] = (uint8_t)(0x0123456789abull >> 8 * i);
	CHECK(!set(NVMQ_FEAT_TIMESTAMP, 0, 0, 8), "set the time");
	CHECK(!get(NVMQ_FEAT_TIMESTAMP, 0, 0, 0), "get the time");
	memcpy(&ms, stamp->ms, 6);
	CHECK(ms >= 0x0123456789abull && ms < 0x0123456789abull + 60000, "%llx",
	      (unsigned long long)ms);
	CHECK(stamp->flags == NVMQ_TIMESTAMP_HOST, "flags %#x", stamp->flags);
	CHECK(data()[8] == 0xff, "more than 8 bytes");

	memset(data(), 0, 512);
	data()[0] = 1;
	CHECK(!set(NVMQ_FEAT_HOST_BEHAVIOR, 0, 0, 512), "ACRE");
	CHECK(!get(NVMQ_FEAT_HOST_BEHAVIOR, 0, 0, 0) && data()[0] == 1 && !data()[1], "ACRE");
	features_reset(e.ctrl);
	CHECK(!get(NVMQ_FEAT_HOST_BEHAVIOR, 0, 0, 0) && !data()[0], "after a reset");
	data()[0] = 2;
	CHECK(set(NVMQ_FEAT_HOST_BEHAVIOR, 0, 0, 512) == DNR(NVMQ_SC_INVALID_FIELD), "ACRE 2");
	CHECK(exec_judged(&e, RULE_FEAT_VALUE) == 1, "ACRE 2");

	memset(data(), 0, 256);
	data()[1] = 100;		/* after 100 ms to state 2 */
	data()[0] = 2 << 3;
	CHECK(!set(NVMQ_FEAT_APST, 0, 1, 256), "APST");
	CHECK(!get(NVMQ_FEAT_APST, 0, 0, 0) && e.cmd.dw0 == 1 && data()[1] == 100, "APST");
	data()[0] = 1 << 3;
	CHECK(set(NVMQ_FEAT_APST, 0, 1, 256) == DNR(NVMQ_SC_INVALID_FIELD), "a working state");
	CHECK(exec_judged(&e, RULE_FEAT_VALUE) == 1, "a working state");

	memset(data(), 0, 4096);
	range[0].nlb = htole64(99);
	range[1].slba = htole64(100);
	range[1].nlb = htole64(9);
	CHECK(!set(NVMQ_FEAT_LBA_RANGE, 1, 1, 128), "two ranges");
	CHECK(!get(NVMQ_FEAT_LBA_RANGE, 0, 1, 0) && e.cmd.dw0 == 1 &&
	      le64toh(range[1].slba) == 100 && !range[2].nlb, "%u", e.cmd.dw0);
	range[1].slba = htole64(99);
	CHECK(set(NVMQ_FEAT_LBA_RANGE, 1, 1, 128) == DNR(NVMQ_SC_OVERLAPPING_RANGE), "overlap");
	range[1].slba = htole64(2040);
	CHECK(set(NVMQ_FEAT_LBA_RANGE, 1, 1, 128) == DNR(NVMQ_SC_INVALID_FIELD), "past the end");
	judge_clear(e.judge);

	CHECK(!set(NVMQ_FEAT_TEMPERATURE, 0, 300 | 1 << 20, 0), "under");
	CHECK(!get(NVMQ_FEAT_TEMPERATURE, 0, 0, 1 << 20) && e.cmd.dw0 == 300, "%u", e.cmd.dw0);
	CHECK(!get(NVMQ_FEAT_TEMPERATURE, 0, 0, 0) && e.cmd.dw0 == LOG_WARNING_KELVIN, "%u",
	      e.cmd.dw0);
	CHECK(!set(NVMQ_FEAT_VECTOR, 0, 3 | NVMQ_VECTOR_NO_COALESCING, 0), "vector 3");
	CHECK(exec_judged(&e, RULE_FEAT_VECTOR_EARLY) == 1, "no queue has it");
	CHECK(!get(NVMQ_FEAT_VECTOR, 0, 0, 3) && e.cmd.dw0 & NVMQ_VECTOR_NO_COALESCING, "%#x",
	      e.cmd.dw0);
	CHECK(!get(NVMQ_FEAT_VECTOR, 0, 0, 4) && !(e.cmd.dw0 & NVMQ_VECTOR_NO_COALESCING), "%#x",
	      e.cmd.dw0);
	CHECK(!set(NVMQ_FEAT_QUEUE_COUNT, 0, 0x00030003, 0), "queues");
	CHECK(e.cmd.dw0 == 0x00070007, "granted %#x", e.cmd.dw0);
	CHECK(!get(NVMQ_FEAT_QUEUE_COUNT, 0, 0, 0) && e.cmd.dw0 == 0x00070007, "%#x", e.cmd.dw0);
	CHECK(!set(NVMQ_FEAT_ERROR_RECOVERY, NS_ALL, 7, 0), "all namespaces");
	CHECK(!get(NVMQ_FEAT_ERROR_RECOVERY, 0, 1, 0) && e.cmd.dw0 == 7, "%#x", e.cmd.dw0);
	memset(data(), 0, 256);
	CHECK(!set(NVMQ_FEAT_APST | NVMQ_FEAT_SAVE, 0, 1, 256), "save APST");
	features_reset(e.ctrl);
	CHECK(!get(NVMQ_FEAT_APST, 0, 0, 0) && e.cmd.dw0 == 1 && !data()[1], "saved APST");
	memcpy(data(), "0123456789abcdef", 16);
	CHECK(!set(NVMQ_FEAT_HOST_ID, 0, 1, 16), "host");
	CHECK(!get(NVMQ_FEAT_HOST_ID, 0, 0, 1) && !memcmp(data(), "0123456789abcdef", 16) &&
	      data()[16] == 0xff, "%.16s", (char *)data());
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);
	start(reserved);
	CHECK(!set(NVMQ_FEAT_RESV_PERSIST, 1, 1, 0) && !set(NVMQ_FEAT_RESV_NOTIFY, 1, 6, 0), "set");
	CHECK(!get(NVMQ_FEAT_RESV_PERSIST, 0, 1, 0) && e.cmd.dw0 == 1, "83h: %u", e.cmd.dw0);
	CHECK(!get(NVMQ_FEAT_RESV_NOTIFY, 0, 1, 0) && e.cmd.dw0 == 6, "82h: %u", e.cmd.dw0);
	CHECK(identify_ns(1)->rescap == RESV_CAN && identify_ns(1)->nmic == NVMQ_NMIC_SHARED,
	      "RESCAP %#x", identify_ns(1)->rescap);
	exec_stop(&e);
}

/* --- Log pages --- */

static int get_log(uint8_t id, uint64_t offset, uint32_t len, bool retain, uint32_t nsid)
{
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_ADMIN_GET_LOG_PAGE, .nsid = htole32(nsid),
		.cdw10 = htole32((uint32_t)id | (len / 4 - 1) << 16 | (retain ? 1u << 15 : 0)),
		.cdw11 = htole32((len / 4 - 1) >> 16), .cdw12 = htole32((uint32_t)offset),
		.cdw13 = htole32((uint32_t)(offset >> 32)),
	};

	memset(data(), 0xff, 65536);
	exec_prps(&e, &sqe, EXEC_DATA, len);
	return exec_run(&e, 0, &sqe);
}

static const struct {
	uint8_t id;
	uint32_t len;
} pages[] = {
	{ NVMQ_LOG_SUPPORTED, 1024 }, { NVMQ_LOG_ERROR, 64 * LOG_ERRORS }, { NVMQ_LOG_SMART, 512 },
	{ NVMQ_LOG_FIRMWARE, 512 }, { NVMQ_LOG_CHANGED_NS, 4096 }, { NVMQ_LOG_EFFECTS, 4096 },
	{ NVMQ_LOG_SELF_TEST, 564 }, { NVMQ_LOG_FEATURES, 1024 },
};

/* A page read in pieces is the page; the list of pages tells the truth. */
static void test_logs(void)
{
	uint8_t whole[4096];
	uint32_t at, len;
	unsigned int i, id;
	__le32 supported[256];
	int status;

	start(NULL);
	ns_attach(e.ctrl, 1, false);
	CHECK(!get_log(NVMQ_LOG_SUPPORTED, 0, 1024, true, 0), "list of pages");
	memcpy(supported, data(), sizeof(supported));
	for (id = 0; id < 256; id++) {
		for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
			if (pages[i].id == id)
				break;
		status = get_log((uint8_t)id, 0, 512, true, 0);
		if (i == sizeof(pages) / sizeof(pages[0])) {
			CHECK(status == DNR(NVMQ_SC_INVALID_LOG_PAGE) && !supported[id],
			      "page %02xh: %#x, in the list: %#x", id, status,
			      le32toh(supported[id]));
			continue;
		}
		CHECK(!status && supported[id] == htole32(1), "page %02xh: %#x", id, status);
		CHECK(!get_log((uint8_t)id, 0, pages[i].len, true, NS_ALL), "page %02xh", id);
		memcpy(whole, data(), pages[i].len);
		if (id == NVMQ_LOG_SMART)
			continue;
		for (at = 0; at < pages[i].len; at += len) {
			len = 4 + 4 * (uint32_t)(rnd() % 200);
			if (len > pages[i].len - at)
				len = pages[i].len - at;
			CHECK(!get_log((uint8_t)id, at, len, true, 0), "%02xh at %u", id, at);
			/* The errors of before make a page of errors grow. */
			CHECK(!memcmp(whole + at, data(), len), "%02xh at %u", id, at);
			CHECK(data()[len] == 0xff, "%02xh: more than asked for", id);
		}
		CHECK(!get_log((uint8_t)id, 0, pages[i].len + 4, true, 0), "longer than it is");
		CHECK(exec_clean(&e), "violations with page %02xh", id);
		CHECK(get_log((uint8_t)id, pages[i].len + 4, 4, true, 0) ==
		      DNR(NVMQ_SC_INVALID_FIELD), "page %02xh, behind its end", id);
		CHECK(get_log((uint8_t)id, 2, 4, true, 0) == DNR(NVMQ_SC_INVALID_FIELD),
		      "page %02xh, odd offset", id);
		CHECK(get_log((uint8_t)id, UINT64_MAX - 3, 8, true, 0) ==
		      DNR(NVMQ_SC_INVALID_FIELD), "page %02xh, far behind its end", id);
		CHECK(exec_judged(&e, RULE_LOG_OFFSET) == 3, "page %02xh, not judged", id);
	}
	CHECK(get_log(NVMQ_LOG_SMART, 0, 512, true, 1) == DNR(NVMQ_SC_INVALID_FIELD),
	      "SMART of a namespace");
	exec_stop(&e);
}

static void test_error_log(void)
{
	const struct nvmq_log_error *entry;
	unsigned int i;

	start(NULL);
	entry = (const void *)data();
	CHECK(!get_log(NVMQ_LOG_ERROR, 0, 64 * LOG_ERRORS, true, 0) && all_zero(data(), 4096),
	      "no errors yet");
	exec_io(&e, NVMQ_IO_READ, 1, 0x123456789aull, 1, 0, 512);
	exec_admin(&e, NVMQ_ADMIN_IDENTIFY, 0, 0xee, 0, 4096);
	CHECK(!get_log(NVMQ_LOG_ERROR, 0, 64 * LOG_ERRORS, true, 0), "two errors");
	CHECK(le64toh(entry[0].count) == 2 && !entry[0].sqid && le16toh(entry[0].cid) == 77 &&
	      le16toh(entry[0].status) >> 1 == DNR(NVMQ_SC_INVALID_FIELD), "newest first");
	CHECK(le64toh(entry[1].count) == 1 && le16toh(entry[1].sqid) == 1 &&
	      le64toh(entry[1].lba) == 0x123456789aull && le32toh(entry[1].nsid) == 1 &&
	      le16toh(entry[1].status) >> 1 == DNR(NVMQ_SC_LBA_RANGE), "%llx",
	      (unsigned long long)le64toh(entry[1].lba));
	CHECK(all_zero(&entry[2], 64), "a third");
	for (i = 0; i < 2 * LOG_ERRORS; i++)
		exec_admin(&e, NVMQ_ADMIN_IDENTIFY, 0, 0xee, 0, 4096);
	CHECK(!get_log(NVMQ_LOG_ERROR, 0, 64 * LOG_ERRORS, true, 0), "many");
	for (i = 0; i < LOG_ERRORS; i++)
		CHECK(le64toh(entry[i].count) == 2 * LOG_ERRORS + 2 - i, "entry %u: %llu", i,
		      (unsigned long long)le64toh(entry[i].count));
	CHECK(!get_log(NVMQ_LOG_SMART, 0, 512, true, 0) && data()[176] == 2 * LOG_ERRORS + 2,
	      "SMART counts %u", data()[176]);
	exec_stop(&e);
}

/* The list of changed namespaces, and its event: once, until it is read. */
static void test_changed(void)
{
	const __le32 *nsid;

	start(many);
	nsid = (const void *)data();
	e.ctrl->nr_queued = 0;
	ns_attach(e.ctrl, 3, false);
	CHECK(!e.ctrl->nr_queued, "an event that nobody wanted");
	CHECK(!set(NVMQ_FEAT_ASYNC_EVENT, 0, NVMQ_AEC_NS_ATTR, 0), "AEC");
	CHECK(!ns_resize(e.ctrl, 1, 100), "resize");
	CHECK(e.ctrl->nr_queued == 1 && e.ctrl->queue_of_events[0].type == NVMQ_EVENT_NOTICE &&
	      e.ctrl->queue_of_events[0].info == NVMQ_EVENT_NOTICE_NS_ATTR &&
	      e.ctrl->queue_of_events[0].log == NVMQ_LOG_CHANGED_NS, "%u events",
	      e.ctrl->nr_queued);
	CHECK(ns_create(e.ctrl, 7, 64) == 7 && ns_create(e.ctrl, 7, 64) < 0, "create");
	CHECK(!get_log(NVMQ_LOG_CHANGED_NS, 0, 4096, true, 0), "list");
	CHECK(nsid[0] == htole32(1) && nsid[1] == htole32(3) && nsid[2] == htole32(7) && !nsid[3],
	      "%u %u %u", le32toh(nsid[0]), le32toh(nsid[1]), le32toh(nsid[2]));
	CHECK(!get_log(NVMQ_LOG_CHANGED_NS, 0, 4096, false, 0) && nsid[0], "retained");
	CHECK(!get_log(NVMQ_LOG_CHANGED_NS, 0, 4096, false, 0) && !nsid[0], "still there");
	CHECK(le64toh(identify_ns(1)->nsze) == 100 && le64toh(identify_ns(7)->nsze) == 64, "sizes");
	CHECK(all_zero(identify_ns(3), 4096), "gone, but there");
	exec_stop(&e);
}

static void test_temperature(void)
{
	start(NULL);
	CHECK(!set(NVMQ_FEAT_ASYNC_EVENT, 0, NVMQ_SMART_TEMPERATURE, 0), "AEC");
	log_set_temperature(e.ctrl, LOG_WARNING_KELVIN - 1);
	CHECK(!e.ctrl->nr_queued && !e.ctrl->logs->warning, "not hot");
	log_set_temperature(e.ctrl, LOG_WARNING_KELVIN);
	CHECK(e.ctrl->nr_queued == 1 && e.ctrl->logs->warning == NVMQ_SMART_TEMPERATURE, "hot");
	CHECK(e.ctrl->queue_of_events[0].type == NVMQ_EVENT_SMART &&
	      e.ctrl->queue_of_events[0].info == NVMQ_EVENT_SMART_TEMPERATURE, "event");
	log_set_temperature(e.ctrl, LOG_WARNING_KELVIN + 5);
	CHECK(e.ctrl->nr_queued == 1, "a second event for the same");
	/* Not even when the host knows of the first. */
	e.ctrl->nr_queued = 0;
	log_set_temperature(e.ctrl, LOG_WARNING_KELVIN + 4);
	log_set_temperature(e.ctrl, LOG_WARNING_KELVIN + 5);
	CHECK(!e.ctrl->nr_queued, "an event without a change");
	CHECK(!get_log(NVMQ_LOG_SMART, 0, 512, true, 0) &&
	      data()[0] == NVMQ_SMART_TEMPERATURE &&
	      (data()[1] | data()[2] << 8) == LOG_WARNING_KELVIN + 5, "SMART");
	log_set_temperature(e.ctrl, LOG_NORMAL_KELVIN);
	CHECK(!e.ctrl->logs->warning, "cool again");
	/* Other warnings, of which one is wanted. */
	CHECK(!set(NVMQ_FEAT_ASYNC_EVENT, 0, NVMQ_SMART_SPARE, 0), "AEC");
	log_set_warning(e.ctrl, NVMQ_SMART_SPARE | NVMQ_SMART_READ_ONLY);
	CHECK(e.ctrl->nr_queued == 1 &&
	      e.ctrl->queue_of_events[0].info == NVMQ_EVENT_SMART_SPARE, "%u events",
	      e.ctrl->nr_queued);
	log_set_warning(e.ctrl, 0);
	/* A threshold that is moved below the temperature is crossed as well. */
	CHECK(!set(NVMQ_FEAT_TEMPERATURE, 0, LOG_NORMAL_KELVIN - 5, 0), "threshold");
	CHECK(e.ctrl->logs->warning == NVMQ_SMART_TEMPERATURE, "not noticed");
	exec_stop(&e);
}

/* What the effects log says is supported is carried out, everything else refused. */
static void test_effects(void)
{
	struct nvmq_log_effects effects;
	unsigned int i;
	int status;
	bool have;

	start(NULL);
	CHECK(!get_log(NVMQ_LOG_EFFECTS, 0, 4096, true, 0), "effects");
	memcpy(&effects, data(), sizeof(effects));
	for (i = 0; i < 256; i++) {
		have = le32toh(effects.io[i]) & NVMQ_EFFECT_SUPPORTED;
		CHECK(have == nvm_supports(e.ctrl, (uint8_t)i), "I/O command %#x", i);
		/* These need queues. */
		if (i <= NVMQ_ADMIN_CREATE_CQ && i != NVMQ_ADMIN_GET_LOG_PAGE)
			continue;
		if (i == NVMQ_ADMIN_ABORT || i == NVMQ_ADMIN_ASYNC_EVENT)
			continue;
		have = le32toh(effects.admin[i]) & NVMQ_EFFECT_SUPPORTED;
		status = exec_admin(&e, (uint8_t)i, 1, 0, 0, 4096);
		CHECK((status == DNR(NVMQ_SC_INVALID_OPCODE) || status == NVMQ_SC_INVALID_OPCODE) ==
		      !have, "admin command %#x: %#x, in the log: %d", i, status, have);
	}
	CHECK(le32toh(effects.io[NVMQ_IO_WRITE]) == (NVMQ_EFFECT_SUPPORTED | NVMQ_EFFECT_CONTENT) &&
	      le32toh(effects.io[NVMQ_IO_READ]) == NVMQ_EFFECT_SUPPORTED, "write and read");
	exec_stop(&e);
}

static void test_self_test(void)
{
	const struct nvmq_log_self_test *log;
	struct logs *logs;
	int status;

	start(NULL);
	log = (const void *)data();
	logs = e.ctrl->logs;
	CHECK(!get_log(NVMQ_LOG_SELF_TEST, 0, 564, true, 0) && !log->current_operation &&
	      log->result[0].status == NVMQ_SELF_TEST_UNUSED, "no test yet");
	CHECK(!exec_admin(&e, NVMQ_ADMIN_SELF_TEST, 0, 1, 0, 0), "short test");
	status = exec_admin(&e, NVMQ_ADMIN_SELF_TEST, 0, 2, 0, 0);
	CHECK(status == DNR(NVMQ_SC_SELF_TEST_IN_PROGRESS), "a second test: %#x", status);
	CHECK(!get_log(NVMQ_LOG_SELF_TEST, 0, 564, true, 0) && log->current_operation == 1,
	      "running: %u", log->current_operation);
	/* Its time is over. */
	logs->test_start -= logs->test_ns;
	CHECK(!get_log(NVMQ_LOG_SELF_TEST, 0, 564, true, 0) && !log->current_operation &&
	      log->result[0].status == 1 << 4, "result %#x", log->result[0].status);
	CHECK(!exec_admin(&e, NVMQ_ADMIN_SELF_TEST, 1, 2, 0, 0), "extended test");
	CHECK(!exec_admin(&e, NVMQ_ADMIN_SELF_TEST, 0, 0xf, 0, 0), "abort");
	CHECK(!get_log(NVMQ_LOG_SELF_TEST, 0, 564, true, 0) && log->result[0].status == 0x21 &&
	      log->result[1].status == 0x10 && log->result[0].valid == 1 &&
	      log->result[0].nsid == htole32(1), "aborted: %#x", log->result[0].status);
	CHECK(exec_admin(&e, NVMQ_ADMIN_SELF_TEST, 0, 5, 0, 0) == DNR(NVMQ_SC_INVALID_FIELD),
	      "code 5");
	CHECK(!exec_admin(&e, NVMQ_ADMIN_SELF_TEST, 0, 1, 0, 0), "short test");
	logs_reset(e.ctrl);
	CHECK(!logs->test_running && logs->test[0].status == 0x12, "ended by a reset: %#x",
	      logs->test[0].status);
	exec_stop(&e);
}

static void test_ana_log(void)
{
	const struct nvmq_log_ana *log;
	const struct nvmq_ana_group *group;
	uint32_t size = 16 + LOG_ANA_GROUPS * 32 + NS_MAX * 4;

	start(many);
	log = (const void *)data();
	group = (const void *)(data() + sizeof(*log));
	CHECK(!set(NVMQ_FEAT_ASYNC_EVENT, 0, NVMQ_AEC_ANA, 0), "AEC");
	CHECK(!get_log(NVMQ_LOG_ANA, 0, size, true, 0), "ANA");
	/* Namespaces 1 and 3 are attached. */
	CHECK(le16toh(log->ngrps) == 2 && !log->chgcnt, "%u groups", le16toh(log->ngrps));
	CHECK(le32toh(group->grpid) == 1 && le32toh(group->nnsids) == 1 &&
	      group->state == NVMQ_ANA_OPTIMIZED && le32toh(group->nsids[0]) == 1, "group %u",
	      le32toh(group->grpid));
	group = (const void *)(data() + sizeof(*log) + sizeof(*group) + 4);
	CHECK(le32toh(group->grpid) == 3 && le32toh(group->nsids[0]) == 3, "group %u",
	      le32toh(group->grpid));
	CHECK(!log_set_ana(e.ctrl, 3, NVMQ_ANA_INACCESSIBLE), "change");
	CHECK(e.ctrl->nr_queued == 1 &&
	      e.ctrl->queue_of_events[0].info == NVMQ_EVENT_NOTICE_ANA, "no event");
	CHECK(!get_log(NVMQ_LOG_ANA, 0, size, true, 0) && le64toh(log->chgcnt) == 1 &&
	      group->state == NVMQ_ANA_INACCESSIBLE && le32toh(group->chgcnt[0]) == 1, "after it");
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);
}

int main(void)
{
	TAP_RUN(test_controller);
	TAP_RUN(test_namespace);
	TAP_RUN(test_lists);
	TAP_RUN(test_descriptors);
	TAP_RUN(test_every_cns);
	TAP_RUN(test_controllers);
	TAP_RUN(test_management);
	TAP_RUN(test_format);
	TAP_RUN(test_features);
	TAP_RUN(test_features_refused);
	TAP_RUN(test_feature_data);
	TAP_RUN(test_logs);
	TAP_RUN(test_error_log);
	TAP_RUN(test_changed);
	TAP_RUN(test_temperature);
	TAP_RUN(test_effects);
	TAP_RUN(test_self_test);
	TAP_RUN(test_ana_log);
	return tap_done();
}
