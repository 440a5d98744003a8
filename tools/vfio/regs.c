// SPDX-License-Identifier: GPL-2.0
/* nvmq-vfio regs: configuration space and the registers of BAR 0. */
#include <stdio.h>

#include <linux/kernel.h>
#include <linux/pci_regs.h>

#include "../json.h"
#include "../sys.h"
#include "drive.h"
#include "fields.h"
#include "options.h"
#include "regs.h"

/* ---- configuration space ---- */

static const struct {
	u16 offset;
	u8 bytes;
	const char *name;
} header[] = {
	{ PCI_VENDOR_ID, 2, "vendor" },
	{ PCI_DEVICE_ID, 2, "device" },
	{ PCI_COMMAND, 2, "command" },
	{ PCI_STATUS, 2, "status" },
	{ PCI_REVISION_ID, 1, "revision" },
	{ PCI_SUBSYSTEM_VENDOR_ID, 2, "subsystem_vendor" },
	{ PCI_SUBSYSTEM_ID, 2, "subsystem_device" },
	{ PCI_BASE_ADDRESS_0, 4, "bar0" },
	{ PCI_BASE_ADDRESS_1, 4, "bar1" },
	{ PCI_BASE_ADDRESS_2, 4, "bar2" },
	{ PCI_BASE_ADDRESS_3, 4, "bar3" },
	{ PCI_BASE_ADDRESS_4, 4, "bar4" },
	{ PCI_BASE_ADDRESS_5, 4, "bar5" },
	{ PCI_INTERRUPT_PIN, 1, "interrupt_pin" },
};

static const char *const capabilities[] = {
	[PCI_CAP_ID_PM] = "Power Management",
	[PCI_CAP_ID_VPD] = "Vital Product Data",
	[PCI_CAP_ID_MSI] = "MSI",
	[PCI_CAP_ID_VNDR] = "Vendor Specific",
	[PCI_CAP_ID_EXP] = "PCI Express",
	[PCI_CAP_ID_MSIX] = "MSI-X",
	[PCI_CAP_ID_AF] = "Advanced Features",
};

static const char *const ext_capabilities[] = {
	[PCI_EXT_CAP_ID_ERR] = "Advanced Error Reporting",
	[PCI_EXT_CAP_ID_VC] = "Virtual Channel",
	[PCI_EXT_CAP_ID_DSN] = "Device Serial Number",
	[PCI_EXT_CAP_ID_VNDR] = "Vendor Specific",
	[PCI_EXT_CAP_ID_ACS] = "Access Control Services",
	[PCI_EXT_CAP_ID_ARI] = "Alternative Routing-ID",
	[PCI_EXT_CAP_ID_ATS] = "Address Translation Services",
	[PCI_EXT_CAP_ID_SRIOV] = "Single Root I/O Virtualization",
	[PCI_EXT_CAP_ID_PRI] = "Page Request Interface",
	[PCI_EXT_CAP_ID_LTR] = "Latency Tolerance Reporting",
	[PCI_EXT_CAP_ID_SECPCI] = "Secondary PCI Express",
	[PCI_EXT_CAP_ID_PASID] = "Process Address Space ID",
	[PCI_EXT_CAP_ID_DPC] = "Downstream Port Containment",
	[PCI_EXT_CAP_ID_L1SS] = "L1 PM Substates",
	[PCI_EXT_CAP_ID_PTM] = "Precision Time Measurement",
};

static u32 config(const struct vfio_device *dev, u32 offset, u32 bytes)
{
	u32 value = 0;

	if (device_config_read(dev, offset, &value, bytes))
		return 0;
	return le32_to_cpu(value);
}

static const char *capability_name(u32 id, bool extended)
{
	const char *name = NULL;

	if (extended && id < ARRAY_SIZE(ext_capabilities))
		name = ext_capabilities[id];
	else if (!extended && id < ARRAY_SIZE(capabilities))
		name = capabilities[id];
	return name ? name : "?";
}

static void show_capability(const struct vfio_device *dev, u32 at, u32 id, bool extended,
			    struct json_object *list)
{
	const char *name = capability_name(id, extended);
	u32 table = !extended && id == PCI_CAP_ID_MSIX ?
		    (config(dev, at + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1 : 0;
	struct json_object *o;

	if (!list) {
		printf("  capability %03Xh  %s%02Xh %s", at, extended ? "extended " : "", id, name);
		printf(table ? ": %u vectors\n" : "\n", table);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "offset", json_object_new_int64(at));
	json_object_object_add(o, "id", json_object_new_int64(id));
	json_object_object_add(o, "extended", json_object_new_boolean(extended));
	json_object_object_add(o, "name", json_object_new_string(name));
	if (table)
		json_object_object_add(o, "vectors", json_object_new_int64(table));
	json_object_array_add(list, o);
}

/* Both lists end with 0; one that does not end is cut off when each could have been seen once. */
static void each_capability(const struct vfio_device *dev, struct json_object *list)
{
	u32 at, word, left;

	if (config(dev, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST) {
		at = config(dev, PCI_CAPABILITY_LIST, 1) & ~3u;
		for (left = 48; at && left; left--, at = word >> 8 & 0xfc) {
			word = config(dev, at, 2);
			show_capability(dev, at, word & 0xff, false, list);
		}
	}
	at = dev->config_bytes > PCI_CFG_SPACE_SIZE ? PCI_CFG_SPACE_SIZE : 0;
	for (left = 480; at && left; left--, at = PCI_EXT_CAP_NEXT(word)) {
		word = config(dev, at, 4);
		if (!PCI_EXT_CAP_ID(word))
			return;
		show_capability(dev, at, PCI_EXT_CAP_ID(word), true, list);
	}
}

static void print_config(const struct vfio_device *dev)
{
	size_t i;

	printf("configuration space, %llu bytes:\n", (unsigned long long)dev->config_bytes);
	for (i = 0; i < ARRAY_SIZE(header); i++)
		printf("  %02Xh  %-16s  %0*Xh\n", header[i].offset, header[i].name,
		       2 * header[i].bytes, config(dev, header[i].offset, header[i].bytes));
	printf("  %02Xh  %-16s  %06Xh\n", PCI_CLASS_PROG, "class",
	       config(dev, PCI_CLASS_REVISION, 4) >> 8);
	each_capability(dev, NULL);
}

static struct json_object *config_json(const struct vfio_device *dev)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(header); i++) {
		u32 value = config(dev, header[i].offset, header[i].bytes);

		json_object_object_add(o, header[i].name, json_object_new_int64(value));
	}
	json_object_object_add(o, "class",
			       json_object_new_int64(config(dev, PCI_CLASS_REVISION, 4) >> 8));
	each_capability(dev, list);
	json_object_object_add(o, "capabilities", list);
	return o;
}

/* ---- BAR 0 ---- */

static u64 read_reg(const struct drive *d, const struct fields_reg *reg)
{
	return reg->bytes == 8 ? nvmq_read64(d->hw.bar, reg->offset) :
				 nvmq_read32(d->hw.bar, reg->offset);
}

static void print_reg(const struct fields_reg *reg, u64 value)
{
	const struct fields_field *field;
	char text[64], bits[16], number[24];

	printf("  %03Xh  %-8s 0x%0*llx  %s\n", reg->offset, reg->name, (int)reg->bytes * 2,
	       (unsigned long long)value, reg->text);
	for (field = reg->fields; field->name; field++) {
		u64 n = fields_value(field, value);

		fields_meaning(field, n, text, sizeof(text));
		if (field->high == field->low)
			snprintf(bits, sizeof(bits), "%u", field->low);
		else
			snprintf(bits, sizeof(bits), "%u:%u", field->high, field->low);
		/* Of some the number itself says nothing. */
		if (fields_is_hex(field))
			snprintf(number, sizeof(number), "%s", text);
		else
			snprintf(number, sizeof(number), "%llu", (unsigned long long)n);
		printf("      %5s  %-8s %10s  %s", bits, field->name, number, field->text);
		if (*text && !fields_is_hex(field))
			printf(": %s", text);
		putchar('\n');
	}
}

static struct json_object *reg_json(const struct fields_reg *reg, u64 value)
{
	struct json_object *o = json_object_new_object();
	const struct fields_field *field;

	json_object_object_add(o, "value", json_object_new_uint64(value));
	for (field = reg->fields; field->name; field++)
		json_object_object_add(o, field->name,
				       json_object_new_uint64(fields_value(field, value)));
	return o;
}

int vfio_regs(const struct options *o)
{
	struct json_object *all, *regs = NULL;
	struct drive d;
	size_t i;
	int ret = drive_open(&d, o->bdf);

	if (ret)
		goto out;
	if (o->json) {
		all = json_object_new_object();
		json_object_object_add(all, "address", json_object_new_string(o->bdf));
		json_object_object_add(all, "config", config_json(&d.dev));
		regs = json_object_new_object();
	} else {
		print_config(&d.dev);
		printf("BAR 0, %zu bytes:\n", d.dev.bar_bytes);
	}
	for (i = 0; i < fields_nr_regs; i++) {
		u64 value = read_reg(&d, &fields_regs[i]);

		if (regs)
			json_object_object_add(regs, fields_regs[i].name,
					       reg_json(&fields_regs[i], value));
		else
			print_reg(&fields_regs[i], value);
	}
	if (regs) {
		json_object_object_add(all, "registers", regs);
		print_json(all);
	}
out:
	drive_close(&d);
	return ret ? 1 : 0;
}
