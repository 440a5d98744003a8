// SPDX-License-Identifier: GPL-2.0
/*
 * The files in sysfs: of nvmq's own in the directory nvmq/ below the PCI device,
 * and those that every user of NVMe knows, below nvmeX, ngXnY and the disks.
 */
#include <linux/device.h>

#include "ctrl.h"
#include "sysfs.h"

/*
 * @dev: the PCI device or nvmeX.  The driver core makes the files of the former
 * after probe and removes them before remove, so that drvdata is there for as
 * long as they are.
 */
static struct nvmq_ctrl *dev_to_ctrl(struct device *dev)
{
	return dev_get_drvdata(dev);
}

static ssize_t plan_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct nvmq_ctrl *ctrl = dev_to_ctrl(dev);
	char text[NVMQ_PLAN_TEXT];

	if (mutex_lock_interruptible(&ctrl->life))
		return -ERESTARTSYS;
	nvmq_plan_format(&ctrl->qset.plan, text, sizeof(text));
	mutex_unlock(&ctrl->life);
	return sysfs_emit(buf, "%s\n", text);
}

static ssize_t plan_store(struct device *dev, struct device_attribute *attr, const char *buf,
			  size_t count)
{
	struct nvmq_ctrl *ctrl = dev_to_ctrl(dev);
	struct nvmq_plan_error error;
	struct nvmq_plan plan;
	int err;

	err = nvmq_plan_parse(buf, count, &plan, &error) ?:
	      nvmq_plan_check(&plan, &ctrl->qset.topo, &error) ?:
	      nvmq_plan_check_device(&plan, nvmq_hw_has_wrr(&ctrl->hw), &error);
	if (err)
		dev_warn_ratelimited(dev, "plan: \"%s\": %s\n", error.word, error.reason);
	else
		err = nvmq_ctrl_set_plan(ctrl, &plan);
	return err ?: count;
}
static DEVICE_ATTR_RW(plan);

static ssize_t granted_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct nvmq_ctrl *ctrl = dev_to_ctrl(dev);
	char text[NVMQ_GRANT_TEXT];

	if (mutex_lock_interruptible(&ctrl->life))
		return -ERESTARTSYS;
	nvmq_grant_format(&ctrl->qset.grant, text, sizeof(text));
	mutex_unlock(&ctrl->life);
	return sysfs_emit(buf, "%s\n", text);
}
static DEVICE_ATTR_RO(granted);

static ssize_t stats_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(dev_to_ctrl(dev)->stats.on));
}

static ssize_t stats_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	bool on;
	int err = kstrtobool(buf, &on);

	if (!err)
		err = nvmq_ctrl_count(dev_to_ctrl(dev), on);
	return err ?: count;
}
static DEVICE_ATTR_RW(stats);

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", nvmq_ctrl_state_name(dev_to_ctrl(dev)));
}
static DEVICE_ATTR_RO(state);

static ssize_t model_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", dev_to_ctrl(dev)->subsys_id.model);
}
static DEVICE_ATTR_RO(model);

static ssize_t serial_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", dev_to_ctrl(dev)->subsys_id.serial);
}
static DEVICE_ATTR_RO(serial);

static ssize_t firmware_rev_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", dev_to_ctrl(dev)->subsys_id.firmware);
}
static DEVICE_ATTR_RO(firmware_rev);

/* What is written does not matter, as long as it is a 1. */
static int parse_go(const char *buf)
{
	bool go;

	return kstrtobool(buf, &go) || !go ? -EINVAL : 0;
}

static ssize_t reset_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	struct nvmq_ctrl *ctrl = dev_to_ctrl(dev);
	int err = parse_go(buf);

	if (!err)
		err = nvmq_ctrl_reset(ctrl, "asked for");
	if (!err)
		err = nvmq_ctrl_settle(ctrl);
	return err ?: count;
}
static DEVICE_ATTR_WO(reset);

static ssize_t rescan_store(struct device *dev, struct device_attribute *attr, const char *buf,
			    size_t count)
{
	int err = parse_go(buf);

	if (!err)
		err = nvmq_ctrl_rescan(dev_to_ctrl(dev));
	return err ?: count;
}
static DEVICE_ATTR_WO(rescan);

static struct attribute *own_attrs[] = {
	&dev_attr_plan.attr,
	&dev_attr_granted.attr,
	&dev_attr_stats.attr,
	&dev_attr_state.attr,
	&dev_attr_model.attr,
	&dev_attr_serial.attr,
	&dev_attr_firmware_rev.attr,
	&dev_attr_reset.attr,
	&dev_attr_rescan.attr,
	NULL
};

static const struct attribute_group own_group = {
	.name = "nvmq",
	.attrs = own_attrs,
};

const struct attribute_group *nvmq_sysfs_groups[] = { &own_group, NULL };

/* ---- nvmeX ---- */

static struct device_attribute dev_attr_reset_controller =
	__ATTR(reset_controller, 0200, NULL, reset_store);
static struct device_attribute dev_attr_rescan_controller =
	__ATTR(rescan_controller, 0200, NULL, rescan_store);

static ssize_t cntlid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", dev_to_ctrl(dev)->cntlid);
}
static DEVICE_ATTR_RO(cntlid);

static ssize_t cntrltype_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	static const char * const names[] = { "reserved", "io", "discovery", "admin" };
	u8 type = dev_to_ctrl(dev)->cntrltype;

	return sysfs_emit(buf, "%s\n", names[type < ARRAY_SIZE(names) ? type : 0]);
}
static DEVICE_ATTR_RO(cntrltype);

static ssize_t subsysnqn_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", dev_to_ctrl(dev)->subsys_id.nqn);
}
static DEVICE_ATTR_RO(subsysnqn);

static ssize_t transport_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "pcie\n");
}
static DEVICE_ATTR_RO(transport);

static ssize_t address_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", pci_name(dev_to_ctrl(dev)->pdev));
}
static DEVICE_ATTR_RO(address);

static ssize_t numa_node_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", dev_to_node(&dev_to_ctrl(dev)->pdev->dev));
}
static DEVICE_ATTR_RO(numa_node);

/* The admin queue is one of them. */
static ssize_t queue_count_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct nvmq_ctrl *ctrl = dev_to_ctrl(dev);
	u32 count;

	if (mutex_lock_interruptible(&ctrl->life))
		return -ERESTARTSYS;
	count = nvmq_grant_total(&ctrl->qset.grant) + 1;
	mutex_unlock(&ctrl->life);
	return sysfs_emit(buf, "%u\n", count);
}
static DEVICE_ATTR_RO(queue_count);

/* 0's based, as in CAP.MQES. */
static ssize_t sqsize_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct nvmq_ctrl *ctrl = dev_to_ctrl(dev);
	u32 entries;

	if (mutex_lock_interruptible(&ctrl->life))
		return -ERESTARTSYS;
	entries = ctrl->qset.grant.entries;
	mutex_unlock(&ctrl->life);
	return sysfs_emit(buf, "%u\n", entries ? entries - 1 : 0);
}
static DEVICE_ATTR_RO(sqsize);

static struct attribute *ctrl_attrs[] = {
	&dev_attr_reset_controller.attr,
	&dev_attr_rescan_controller.attr,
	&dev_attr_model.attr,
	&dev_attr_serial.attr,
	&dev_attr_firmware_rev.attr,
	&dev_attr_state.attr,
	&dev_attr_cntlid.attr,
	&dev_attr_cntrltype.attr,
	&dev_attr_subsysnqn.attr,
	&dev_attr_transport.attr,
	&dev_attr_address.attr,
	&dev_attr_numa_node.attr,
	&dev_attr_queue_count.attr,
	&dev_attr_sqsize.attr,
	NULL
};

static const struct attribute_group ctrl_group = { .attrs = ctrl_attrs };

const struct attribute_group *nvmq_sysfs_ctrl_groups[] = { &ctrl_group, NULL };

/* ---- ngXnY and the disks ---- */

static const struct nvmq_ns_ids no_ids;

/* What is not unique would make two disks one for whoever goes by it. */
static const struct nvmq_ns_ids *ids_of(struct device *dev)
{
	const struct nvmq_ns *ns = nvmq_ns_of(dev);

	return ns->same_ids ? &no_ids : &ns->ids;
}

static bool is_set(const u8 *id, size_t len)
{
	return memchr_inv(id, 0, len);
}

static ssize_t wwid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct nvmq_ns_ids *ids = ids_of(dev);
	const struct nvmq_ns *ns = nvmq_ns_of(dev);
	const struct nvmq_subsys_id *of;

	if (is_set(ids->uuid, sizeof(ids->uuid)))
		return sysfs_emit(buf, "uuid.%pU\n", ids->uuid);
	if (is_set(ids->nguid, sizeof(ids->nguid)))
		return sysfs_emit(buf, "eui.%16phN\n", ids->nguid);
	if (is_set(ids->eui64, sizeof(ids->eui64)))
		return sysfs_emit(buf, "eui.%8phN\n", ids->eui64);
	of = &container_of(ns->nss, struct nvmq_ctrl, nss)->subsys_id;
	return sysfs_emit(buf, "nvme.%04x-%*phN-%*phN-%08x\n", of->vid, (int)strlen(of->serial),
			  of->serial, (int)strlen(of->model), of->model, ns->cmd.nsid);
}
static DEVICE_ATTR_RO(wwid);

/* Devices of before the UUID have an NGUID only, and so had what asked for it. */
static ssize_t uuid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct nvmq_ns_ids *ids = ids_of(dev);

	return sysfs_emit(buf, "%pU\n",
			  is_set(ids->uuid, sizeof(ids->uuid)) ? ids->uuid : ids->nguid);
}
static DEVICE_ATTR_RO(uuid);

static ssize_t nguid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%pU\n", ids_of(dev)->nguid);
}
static DEVICE_ATTR_RO(nguid);

static ssize_t eui_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%8ph\n", ids_of(dev)->eui64);
}
static DEVICE_ATTR_RO(eui);

static ssize_t nsid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", nvmq_ns_of(dev)->cmd.nsid);
}
static DEVICE_ATTR_RO(nsid);

static ssize_t csi_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", nvmq_ns_of(dev)->csi);
}
static DEVICE_ATTR_RO(csi);

static ssize_t metadata_bytes_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", nvmq_ns_of(dev)->metadata);
}
static DEVICE_ATTR_RO(metadata_bytes);

static struct attribute *ns_attrs[] = {
	&dev_attr_wwid.attr,
	&dev_attr_uuid.attr,
	&dev_attr_nguid.attr,
	&dev_attr_eui.attr,
	&dev_attr_nsid.attr,
	&dev_attr_csi.attr,
	&dev_attr_metadata_bytes.attr,
	NULL
};

/* Identifiers that there are not have no file. */
static umode_t ns_attr_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	const struct nvmq_ns_ids *ids = ids_of(kobj_to_dev(kobj));
	bool nguid = is_set(ids->nguid, sizeof(ids->nguid));
	bool visible = true;

	if (attr == &dev_attr_uuid.attr)
		visible = nguid || is_set(ids->uuid, sizeof(ids->uuid));
	else if (attr == &dev_attr_nguid.attr)
		visible = nguid;
	else if (attr == &dev_attr_eui.attr)
		visible = is_set(ids->eui64, sizeof(ids->eui64));
	return visible ? attr->mode : 0;
}

static const struct attribute_group ns_group = {
	.attrs = ns_attrs,
	.is_visible = ns_attr_visible,
};

const struct attribute_group *nvmq_sysfs_ns_groups[] = { &ns_group, NULL };
