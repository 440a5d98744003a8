// SPDX-License-Identifier: GPL-2.0
/*
 * The directory nvmq/ below the PCI device in sysfs: one value a file.
 */
#include <linux/device.h>

#include "ctrl.h"
#include "sysfs.h"

/*
 * The driver core makes these files after probe and removes them before remove,
 * so that drvdata is there for as long as they are.
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
	return sysfs_emit(buf, "%s\n", dev_to_ctrl(dev)->model);
}
static DEVICE_ATTR_RO(model);

static ssize_t serial_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", dev_to_ctrl(dev)->serial);
}
static DEVICE_ATTR_RO(serial);

static ssize_t firmware_rev_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", dev_to_ctrl(dev)->firmware);
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

static struct attribute *ctrl_attrs[] = {
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

static const struct attribute_group ctrl_group = {
	.name = "nvmq",
	.attrs = ctrl_attrs,
};

const struct attribute_group *nvmq_sysfs_groups[] = { &ctrl_group, NULL };
