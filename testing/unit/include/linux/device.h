/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name: the log goes to the test. */
#ifndef UNIT_LINUX_DEVICE_H
#define UNIT_LINUX_DEVICE_H

struct device {
	const char *name;
};

enum unit_level {
	UNIT_ERR,
	UNIT_WARN,
	UNIT_INFO,
};

/* No format attribute: u64 is another type here than in the kernel, of the same size. */
void unit_log(enum unit_level level, const struct device *dev, const char *fmt, ...);

#define dev_err(dev, ...)		unit_log(UNIT_ERR, dev, __VA_ARGS__)
#define dev_warn(dev, ...)		unit_log(UNIT_WARN, dev, __VA_ARGS__)
#define dev_info(dev, ...)		unit_log(UNIT_INFO, dev, __VA_ARGS__)
#define dev_err_ratelimited		dev_err
#define dev_warn_ratelimited		dev_warn

#endif
