// SPDX-License-Identifier: GPL-2.0
/* nvmq-vfio identify: controller and namespaces, named and written as nvme-cli does. */
#include <stdio.h>
#include <string.h>

#include <linux/kernel.h>

#include "../json.h"
#include "../sys.h"
#include "clock.h"
#include "drive.h"
#include "options.h"

enum format {
	DECIMAL,
	HEX,		/* 0x..., but 0 */
	TEXT,		/* of a fixed length, blanks included */
	STRING,		/* up to a NUL */
	OUI,
	UUID,
	BYTES,
	BIG,		/* 16 bytes, decimal */
};

struct field {
	const char *name;
	u16 offset;
	u16 bytes;
	enum format format;
	bool performance;	/* only with NVMQ_NSFEAT_OPTPERF */
};

#define CTRL_AS(text, member, format)						\
	{ text, offsetof(struct nvmq_id_ctrl, member),				\
	  sizeof(((struct nvmq_id_ctrl *)0)->member), format, false }
#define CTRL(member, format)	CTRL_AS(#member, member, format)
#define NS_IF(member, format, performance)					\
	{ #member, offsetof(struct nvmq_id_ns, member),				\
	  sizeof(((struct nvmq_id_ns *)0)->member), format, performance }
#define NS(member, format)	NS_IF(member, format, false)

static const struct field ctrl_fields[] = {
	CTRL(vid, HEX), CTRL(ssvid, HEX), CTRL(sn, TEXT), CTRL(mn, TEXT), CTRL(fr, TEXT),
	CTRL(rab, DECIMAL), CTRL(ieee, OUI), CTRL(cmic, HEX), CTRL(mdts, DECIMAL),
	CTRL(cntlid, HEX), CTRL(ver, HEX), CTRL(rtd3r, HEX), CTRL(rtd3e, HEX), CTRL(oaes, HEX),
	CTRL(ctratt, HEX), CTRL(rrls, HEX), CTRL(cntrltype, DECIMAL), CTRL(fguid, UUID),
	CTRL(crdt1, DECIMAL), CTRL(crdt2, DECIMAL), CTRL(crdt3, DECIMAL), CTRL(nvmsr, DECIMAL),
	CTRL(vwci, DECIMAL), CTRL(mec, DECIMAL), CTRL(oacs, HEX), CTRL(acl, DECIMAL),
	CTRL(aerl, DECIMAL), CTRL(frmw, HEX), CTRL(lpa, HEX), CTRL(elpe, DECIMAL),
	CTRL(npss, DECIMAL), CTRL(avscc, HEX), CTRL(apsta, HEX), CTRL(wctemp, DECIMAL),
	CTRL(cctemp, DECIMAL), CTRL(mtfa, DECIMAL), CTRL(hmpre, DECIMAL), CTRL(hmmin, DECIMAL),
	CTRL(tnvmcap, BIG), CTRL(unvmcap, BIG), CTRL(rpmbs, HEX), CTRL(edstt, DECIMAL),
	CTRL(dsto, DECIMAL), CTRL(fwug, DECIMAL), CTRL(kas, DECIMAL), CTRL(hctma, HEX),
	CTRL(mntmt, DECIMAL), CTRL(mxtmt, DECIMAL), CTRL(sanicap, HEX), CTRL(hmminds, DECIMAL),
	CTRL(hmmaxd, DECIMAL), CTRL(nsetidmax, DECIMAL), CTRL(endgidmax, DECIMAL),
	CTRL(anatt, DECIMAL), CTRL(anacap, DECIMAL), CTRL(anagrpmax, DECIMAL),
	CTRL(nanagrpid, DECIMAL), CTRL(pels, DECIMAL), CTRL_AS("domainid", domain, DECIMAL),
	CTRL(megcap, BIG), CTRL(sqes, HEX), CTRL(cqes, HEX), CTRL(maxcmd, DECIMAL),
	CTRL(nn, DECIMAL), CTRL(oncs, HEX), CTRL(fuses, HEX), CTRL(fna, HEX), CTRL(vwc, HEX),
	CTRL(awun, DECIMAL), CTRL(awupf, DECIMAL), CTRL(icsvscc, DECIMAL), CTRL(nwpc, DECIMAL),
	CTRL(acwu, DECIMAL), CTRL(ocfs, HEX), CTRL(sgls, HEX), CTRL(mnan, DECIMAL),
	CTRL(maxdna, BIG), CTRL(maxcna, DECIMAL), CTRL(subnqn, STRING), CTRL(ioccsz, DECIMAL),
	CTRL(iorcsz, DECIMAL), CTRL(icdoff, DECIMAL), CTRL(fcatt, DECIMAL), CTRL(msdbd, DECIMAL),
	CTRL(ofcs, DECIMAL),
};

static const struct field ns_fields[] = {
	NS(nsze, HEX), NS(ncap, HEX), NS(nuse, HEX), NS(nsfeat, HEX), NS(nlbaf, DECIMAL),
	NS(flbas, HEX), NS(mc, HEX), NS(dpc, HEX), NS(dps, HEX), NS(nmic, HEX), NS(rescap, HEX),
	NS(fpi, HEX), NS(dlfeat, DECIMAL), NS(nawun, DECIMAL), NS(nawupf, DECIMAL),
	NS(nacwu, DECIMAL), NS(nabsn, DECIMAL), NS(nabo, DECIMAL), NS(nabspf, DECIMAL),
	NS(noiob, DECIMAL), NS(nvmcap, BIG), NS_IF(npwg, DECIMAL, true), NS_IF(npwa, DECIMAL, true),
	NS_IF(npdg, DECIMAL, true), NS_IF(npda, DECIMAL, true), NS_IF(nows, DECIMAL, true),
	NS(mssrl, DECIMAL), NS(mcl, DECIMAL), NS(msrc, DECIMAL), NS(nulbaf, DECIMAL),
	NS(anagrpid, DECIMAL), NS(nsattr, DECIMAL), NS(nvmsetid, DECIMAL), NS(endgid, DECIMAL),
	NS(nguid, BYTES), NS(eui64, BYTES),
};

/* ---- a field ---- */

/* Little endian, up to 16 bytes. */
static clock_wide number(const u8 *at, size_t bytes)
{
	clock_wide n = 0;

	while (bytes)
		n = n << 8 | at[--bytes];
	return n;
}

static char *big_text(clock_wide n)
{
	char digits[40], *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do {
		*--at = '0' + (int)(n % 10);
		n /= 10;
	} while (n);
	return sys_must(strdup(at));
}

static char *bytes_text(const u8 *at, size_t bytes, bool uuid)
{
	char text[40];
	size_t i, n = 0;

	for (i = 0; i < bytes; i++)
		n += snprintf(text + n, sizeof(text) - n, "%s%02x",
			      uuid && (i == 4 || i == 6 || i == 8 || i == 10) ? "-" : "", at[i]);
	return sys_must(strdup(text));
}

/* What a device puts where text belongs may be anything. */
static char *plain_text(const u8 *at, size_t bytes)
{
	char *text = sys_format("%.*s", (int)bytes, (const char *)at), *c;

	for (c = text; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = '?';
	return text;
}

static char *field_text(const struct field *field, const u8 *data)
{
	const u8 *at = data + field->offset;

	switch (field->format) {
	case HEX:
		return sys_format("%#llx", (unsigned long long)number(at, field->bytes));
	case TEXT:
	case STRING:
		return plain_text(at, field->bytes);
	case OUI:
		return sys_format("%02x%02x%02x", at[2], at[1], at[0]);
	case UUID:
	case BYTES:
		return bytes_text(at, field->bytes, field->format == UUID);
	default:
		return big_text(number(at, field->bytes));
	}
}

static struct json_object *field_json(const struct field *field, const u8 *data)
{
	struct json_object *o;
	char *text;

	if (field->format == DECIMAL || field->format == HEX || field->format == OUI)
		return json_object_new_uint64(number(data + field->offset, field->bytes));
	text = field_text(field, data);
	o = json_object_new_string(text);
	free(text);
	return o;
}

/* ---- the controller ---- */

static void print_fields(const struct field *fields, size_t count, int width, const void *data,
			 bool performance)
{
	size_t i;
	char *text;

	for (i = 0; i < count; i++) {
		if (fields[i].performance && !performance)
			continue;
		text = field_text(&fields[i], data);
		printf("%-*s: %s\n", width, fields[i].name, text);
		free(text);
	}
}

static struct json_object *fields_json(const struct field *fields, size_t count, const void *data,
				       bool performance)
{
	struct json_object *o = json_object_new_object();
	size_t i;

	for (i = 0; i < count; i++)
		if (!fields[i].performance || performance)
			json_object_object_add(o, fields[i].name, field_json(&fields[i], data));
	return o;
}

/* Scale 1: in 0.1 mW, 2: in 10 mW, 0: not reported. */
static char *power_text(u16 power, u8 scale)
{
	switch (scale) {
	case 1:
		return sys_format("%u.%04uW", power / 10000, power % 10000);
	case 2:
		return sys_format("%u.%02uW", power / 100, power % 100);
	default:
		return sys_must(strdup("-"));
	}
}

static void print_power_state(const struct nvmq_power_state *ps, u32 number)
{
	char *most = power_text(le16_to_cpu(ps->mp), ps->flags & NVMQ_PSD_MPS ? 1 : 2);
	char *idle = power_text(le16_to_cpu(ps->idlp), ps->ips >> 6);
	char *active = power_text(le16_to_cpu(ps->actp), ps->apw >> 6);

	printf("ps %6u : mp:%s %soperational enlat:%u exlat:%u rrt:%u rrl:%u\n", number, most,
	       ps->flags & NVMQ_PSD_NOPS ? "non-" : "", le32_to_cpu(ps->enlat),
	       le32_to_cpu(ps->exlat), ps->rrt, ps->rrl);
	printf("%12srwt:%u rwl:%u idle_power:%s active_power:%s\n", "", ps->rwt, ps->rwl, idle,
	       active);
	if (ps->apw & 0x7)
		printf("%12sactive_power_workload:%u\n", "", ps->apw & 0x7);
	else
		printf("%12sactive_power_workload:-\n", "");
	free(most);
	free(idle);
	free(active);
}

static struct json_object *power_state_json(const struct nvmq_power_state *ps)
{
	const struct {
		const char *name;
		u32 value;
	} members[] = {
		{ "max_power", le16_to_cpu(ps->mp) }, { "flags", ps->flags },
		{ "entry_lat", le32_to_cpu(ps->enlat) }, { "exit_lat", le32_to_cpu(ps->exlat) },
		{ "read_tput", ps->rrt }, { "read_lat", ps->rrl }, { "write_tput", ps->rwt },
		{ "write_lat", ps->rwl }, { "idle_power", le16_to_cpu(ps->idlp) },
		{ "idle_scale", ps->ips >> 6 }, { "active_power", le16_to_cpu(ps->actp) },
		{ "active_power_work", ps->apw & 0x7 }, { "active_scale", ps->apw >> 6 },
	};
	struct json_object *o = json_object_new_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(members); i++)
		json_object_object_add(o, members[i].name, json_object_new_int64(members[i].value));
	return o;
}

/* NPSS is 0's based, and a device may say anything. */
static u32 power_states(const struct nvmq_id_ctrl *id)
{
	return min((u32)id->npss, (u32)ARRAY_SIZE(id->psd) - 1) + 1;
}

static void print_ctrl(const struct nvmq_id_ctrl *id)
{
	u32 i;

	puts("NVME Identify Controller:");
	print_fields(ctrl_fields, ARRAY_SIZE(ctrl_fields), 10, id, false);
	for (i = 0; i < power_states(id); i++)
		print_power_state(&id->psd[i], i);
}

static struct json_object *ctrl_json(const struct nvmq_id_ctrl *id)
{
	struct json_object *o = fields_json(ctrl_fields, ARRAY_SIZE(ctrl_fields), id, false);
	struct json_object *states = json_object_new_array();
	u32 i;

	for (i = 0; i < power_states(id); i++)
		json_object_array_add(states, power_state_json(&id->psd[i]));
	json_object_object_add(o, "psds", states);
	return o;
}

/* ---- a namespace ---- */

static u32 formats(const struct nvmq_id_ns *id)
{
	return min((u32)id->nlbaf, (u32)ARRAY_SIZE(id->lbaf) - 1) + 1;
}

static void print_ns(u32 nsid, const struct nvmq_id_ns *id)
{
	u32 i, used = nvmq_lbaf_index(id->flbas);

	printf("NVME Identify Namespace %u:\n", nsid);
	print_fields(ns_fields, ARRAY_SIZE(ns_fields), 8, id, id->nsfeat & NVMQ_NSFEAT_OPTPERF);
	for (i = 0; i < formats(id); i++)
		printf("lbaf %2u : ms:%-3u lbads:%-2u rp:%#x %s\n", i, le16_to_cpu(id->lbaf[i].ms),
		       id->lbaf[i].lbads, id->lbaf[i].rp & 0x3, i == used ? "(in use)" : "");
}

static struct json_object *ns_json(u32 nsid, const struct nvmq_id_ns *id)
{
	struct json_object *o, *list = json_object_new_array();
	u32 i;

	o = fields_json(ns_fields, ARRAY_SIZE(ns_fields), id, id->nsfeat & NVMQ_NSFEAT_OPTPERF);
	json_object_object_add(o, "nsid", json_object_new_int64(nsid));
	for (i = 0; i < formats(id); i++) {
		struct json_object *format = json_object_new_object();

		json_object_object_add(format, "ms",
				       json_object_new_int(le16_to_cpu(id->lbaf[i].ms)));
		json_object_object_add(format, "ds", json_object_new_int(id->lbaf[i].lbads));
		json_object_object_add(format, "rp", json_object_new_int(id->lbaf[i].rp & 0x3));
		json_object_array_add(list, format);
	}
	json_object_object_add(o, "lbafs", list);
	return o;
}

/* ---- all ---- */

/* The active namespaces in rising order, or only @nsid. Return: 0 or -1. */
static int each_ns(struct drive *d, u32 nsid, struct json_object *list)
{
	__le32 active[NVMQ_ACTIVE_LIST_LEN] = { cpu_to_le32(nsid) };
	struct nvmq_id_ns id;
	u32 i, last = 0, numbered = min(le32_to_cpu(d->id.nn), NVMQ_ACTIVE_LIST_LEN);

	if (!nsid && d->hw.vs < NVMQ_VS(1, 1))
		for (i = 0; i < numbered; i++)
			active[i] = cpu_to_le32(i + 1);
	else if (!nsid && drive_identify(d, NVMQ_CNS_ACTIVE_LIST, 0, active))
		return -1;
	for (;;) {
		for (i = 0; i < ARRAY_SIZE(active) && le32_to_cpu(active[i]) > last; i++) {
			last = le32_to_cpu(active[i]);
			if (drive_identify(d, NVMQ_CNS_NAMESPACE, last, &id))
				return -1;
			if (list)
				json_object_array_add(list, ns_json(last, &id));
			else
				print_ns(last, &id);
		}
		/* A full list may have another one behind it; one that does not rise, none. */
		if (nsid || i < ARRAY_SIZE(active) || d->hw.vs < NVMQ_VS(1, 1))
			return 0;
		if (drive_identify(d, NVMQ_CNS_ACTIVE_LIST, last, active))
			return -1;
	}
}

int vfio_identify(const struct options *o)
{
	struct json_object *all, *list = NULL;
	struct drive d;
	int ret;

	ret = drive_open(&d, o->bdf) || drive_up(&d) ? -1 : 0;
	if (!ret && o->json) {
		all = json_object_new_object();
		list = json_object_new_array();
		json_object_object_add(all, "address", json_object_new_string(o->bdf));
		json_object_object_add(all, "controller", ctrl_json(&d.id));
		json_object_object_add(all, "namespaces", list);
		ret = each_ns(&d, o->nsid, list);
		if (!ret)
			print_json(all);
		else
			json_object_put(all);
	} else if (!ret) {
		print_ctrl(&d.id);
		ret = each_ns(&d, o->nsid, NULL);
	}
	drive_close(&d);
	return ret ? 1 : 0;
}
