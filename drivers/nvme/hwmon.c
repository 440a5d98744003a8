// SPDX-License-Identifier: GPL-2.0
/*
 * Temperatures, as sensors(1) and others read them: from the health log, and the
 * thresholds of the feature for them (base 5.16.1.3 and 5.27.1.3).
 */
#include <linux/hwmon.h>
#include <linux/slab.h>
#include <linux/units.h>

#include "hwmon.h"

#if IS_REACHABLE(CONFIG_HWMON)

/* What reads one value reads the others, too: the log is fetched once for all of them. */
#define FRESH		HZ
#define UNDER		BIT(20)

/*
 * @lock: guards the rest
 * @read: when @log was read, in jiffies
 */
struct nvmq_hwmon {
	struct nvmq_ctrl *ctrl;
	struct device *dev;
	struct mutex lock;
	unsigned long read;
	struct nvmq_log_smart log;
};

static long from_kelvin(u32 kelvin)
{
	return kelvin_to_millicelsius(kelvin);
}

/* @hwmon->lock held, or nobody else knows it. */
static int read_log(struct nvmq_hwmon *hwmon)
{
	int err = nvmq_admin_log_page(&hwmon->ctrl->admin, NVMQ_LOG_SMART, &hwmon->log,
				      sizeof(hwmon->log));

	if (!err)
		hwmon->read = jiffies;
	return err;
}

/* Channel 0 is the composite temperature, the others are the sensors. */
static u32 feature_word(int channel, bool under)
{
	return channel << 16 | (under ? UNDER : 0);
}

static int get_threshold(struct nvmq_hwmon *hwmon, int channel, bool under, long *val)
{
	struct nvmq_admin_cmd cmd = {
		.sqe.opcode = NVMQ_ADMIN_GET_FEATURES,
		.sqe.cdw10 = cpu_to_le32(NVMQ_FEAT_TEMPERATURE),
		.sqe.cdw11 = cpu_to_le32(feature_word(channel, under)),
	};
	int err = nvmq_admin_exec(&hwmon->ctrl->admin, &cmd);

	if (!err)
		*val = from_kelvin(cmd.result & U16_MAX);
	return err;
}

static int set_threshold(struct nvmq_hwmon *hwmon, int channel, bool under, long val)
{
	/* Not by clamp(): its own checks do not compile for gcov. */
	u32 kelvin = val <= from_kelvin(0) ? 0 :
		     val >= from_kelvin(U16_MAX) ? U16_MAX : millicelsius_to_kelvin(val);
	struct nvmq_admin_cmd cmd = {
		.sqe.cdw10 = cpu_to_le32(NVMQ_FEAT_TEMPERATURE),
		.sqe.cdw11 = cpu_to_le32(feature_word(channel, under) | kelvin),
	};

	return nvmq_admin_set_feature(&hwmon->ctrl->admin, &cmd, "Temperature Threshold");
}

static int from_log(struct nvmq_hwmon *hwmon, u32 attr, int channel, long *val)
{
	const struct nvmq_log_smart *log = &hwmon->log;
	int err = 0;

	mutex_lock(&hwmon->lock);
	if (time_after(jiffies, hwmon->read + FRESH))
		err = read_log(hwmon);
	if (!err && attr == hwmon_temp_alarm)
		*val = !!(log->warning & NVMQ_SMART_TEMPERATURE);
	else if (!err && channel)
		*val = from_kelvin(le16_to_cpu(log->sensor[channel - 1]));
	else if (!err)
		*val = from_kelvin(log->temperature[0] | log->temperature[1] << 8);
	mutex_unlock(&hwmon->lock);
	return err;
}

static int hwmon_read(struct device *dev, enum hwmon_sensor_types type, u32 attr, int channel,
		      long *val)
{
	struct nvmq_hwmon *hwmon = dev_get_drvdata(dev);

	switch (attr) {
	case hwmon_temp_input:
	case hwmon_temp_alarm:
		return from_log(hwmon, attr, channel, val);
	case hwmon_temp_max:
		return get_threshold(hwmon, channel, false, val);
	case hwmon_temp_min:
		return get_threshold(hwmon, channel, true, val);
	case hwmon_temp_crit:
		*val = from_kelvin(hwmon->ctrl->critical_kelvin);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int hwmon_write(struct device *dev, enum hwmon_sensor_types type, u32 attr, int channel,
		       long val)
{
	switch (attr) {
	case hwmon_temp_max:
		return set_threshold(dev_get_drvdata(dev), channel, false, val);
	case hwmon_temp_min:
		return set_threshold(dev_get_drvdata(dev), channel, true, val);
	default:
		return -EOPNOTSUPP;
	}
}

static int hwmon_read_string(struct device *dev, enum hwmon_sensor_types type, u32 attr,
			     int channel, const char **str)
{
	static const char * const labels[] = {
		"Composite", "Sensor 1", "Sensor 2", "Sensor 3", "Sensor 4", "Sensor 5", "Sensor 6",
		"Sensor 7", "Sensor 8",
	};

	*str = labels[channel];
	return 0;
}

/* A sensor that there is not reports 0 K. */
static umode_t hwmon_is_visible(const void *data, enum hwmon_sensor_types type, u32 attr,
				int channel)
{
	const struct nvmq_hwmon *hwmon = data;

	if (type == hwmon_chip)
		return 0;
	if (channel && !hwmon->log.sensor[channel - 1])
		return 0;
	switch (attr) {
	case hwmon_temp_crit:
		return hwmon->ctrl->critical_kelvin ? 0444 : 0;
	case hwmon_temp_max:
	case hwmon_temp_min:
		/* Whoever has no threshold of the composite temperature has none at all. */
		if (!hwmon->ctrl->warning_kelvin)
			return 0;
		return hwmon->ctrl->hw.quirks & NVMQ_QUIRK_FIXED_TEMP ? 0444 : 0644;
	default:
		return 0444;
	}
}

#define SENSOR	(HWMON_T_INPUT | HWMON_T_LABEL | HWMON_T_MIN | HWMON_T_MAX)

static const struct hwmon_channel_info *hwmon_info[] = {
	HWMON_CHANNEL_INFO(chip, HWMON_C_REGISTER_TZ),
	HWMON_CHANNEL_INFO(temp, SENSOR | HWMON_T_CRIT | HWMON_T_ALARM, SENSOR, SENSOR, SENSOR,
			   SENSOR, SENSOR, SENSOR, SENSOR, SENSOR),
	NULL
};

static const struct hwmon_ops hwmon_ops = {
	.is_visible = hwmon_is_visible,
	.read = hwmon_read,
	.read_string = hwmon_read_string,
	.write = hwmon_write,
};

static const struct hwmon_chip_info chip_info = {
	.ops = &hwmon_ops,
	.info = hwmon_info,
};

/**
 * nvmq_hwmon_add - show the temperatures of a controller
 * @ctrl: a controller that was started
 *
 * One that does not tell them has none.
 *
 * Context: sleeps.
 */
void nvmq_hwmon_add(struct nvmq_ctrl *ctrl)
{
	struct nvmq_hwmon *hwmon = kzalloc(sizeof(*hwmon), GFP_KERNEL);
	int err = -ENOMEM;

	if (!hwmon)
		goto out;
	hwmon->ctrl = ctrl;
	mutex_init(&hwmon->lock);
	err = read_log(hwmon);
	if (err)
		goto out;
	hwmon->dev = hwmon_device_register_with_info(&ctrl->node.dev, "nvme", hwmon, &chip_info,
						     NULL);
	err = PTR_ERR_OR_ZERO(hwmon->dev);
	if (err)
		goto out;
	err = nvmq_node_add_child(&ctrl->node, hwmon->dev);
	if (err)
		dev_warn(hwmon->dev, "no link to it: error %d\n", err);
	ctrl->hwmon = hwmon;
	return;
out:
	dev_warn(&ctrl->pdev->dev, "nvme%d: temperatures are not shown: error %d\n", ctrl->id, err);
	kfree(hwmon);
}

/**
 * nvmq_hwmon_remove - undo nvmq_hwmon_add()
 * @ctrl: the controller, not yet removed
 *
 * Context: sleeps; waits for whoever reads one.
 */
void nvmq_hwmon_remove(struct nvmq_ctrl *ctrl)
{
	if (!ctrl->hwmon)
		return;
	nvmq_node_del_child(&ctrl->node, ctrl->hwmon->dev);
	hwmon_device_unregister(ctrl->hwmon->dev);
	kfree(ctrl->hwmon);
	ctrl->hwmon = NULL;
}

#endif /* CONFIG_HWMON */
