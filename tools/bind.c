// SPDX-License-Identifier: GPL-2.0
/* nvmq bind and nvmq release: a controller changes hands between drivers. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nvmq.h"
#include "pci.h"
#include "sys.h"
#include "use.h"

#define OURS	"nvmq"
#define KERNELS	"nvme"
#define VFIO	"vfio-pci"

/* How long the kernel's driver may look for disks after it has taken a controller, in ms. */
#define PATIENCE	10000

/* Only of these is it known how to tell whether they are in use. */
static bool is_known(const char *driver)
{
	return !driver || !strcmp(driver, OURS) || !strcmp(driver, KERNELS) ||
	       !strcmp(driver, VFIO);
}

static size_t count_disks(const struct pci_dev *dev)
{
	const char *rest = dev->disks;
	size_t len, count = 0;

	while (sys_next_disk(&rest, &len))
		count++;
	return count;
}

/*
 * nvmq has its disks when "bind" returns; the kernel's driver may look for them
 * later, and before 6.2 it does not even know then whether it can serve the
 * controller.  As many as before are waited for, or one, and until no more come.
 */
static void wait_for_disks(struct pci_dev *dev, size_t wanted)
{
	const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
	size_t before = 0, count = count_disks(dev);
	int left;

	for (left = PATIENCE / 100; left && (count < wanted || count != before); left--) {
		nanosleep(&pause, NULL);
		pci_look(dev);
		if (!dev->driver)
			return;
		before = count;
		count = count_disks(dev);
	}
}

static bool has_vfio(const struct pci_dev *dev)
{
	return dev->driver && !strcmp(dev->driver, VFIO);
}

static struct json_object *string_or_null(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

/* @before is the driver that had it, @why is why it has none now. */
static void report(const struct pci_dev *dev, const char *before, const char *why, bool json)
{
	bool moved = before && (!dev->driver || strcmp(before, dev->driver));
	char *node = has_vfio(dev) ? sys_vfio_node(dev->bdf) : NULL;
	struct json_object *o;

	if (json) {
		o = json_object_new_object();
		json_object_object_add(o, "address", json_object_new_string(dev->bdf));
		json_object_object_add(o, "before", string_or_null(before));
		json_object_object_add(o, "driver", string_or_null(dev->driver));
		json_object_object_add(o, "disks", disks_to_json(dev->disks));
		if (has_vfio(dev))
			json_object_object_add(o, "node", string_or_null(node));
		print_json(o);
	} else if (!dev->driver) {
		printf("%s: %s%s%s: %s\n", dev->bdf, before ? "from " : "", before ? before : "",
		       before ? " to no driver" : "no driver", why);
	} else {
		printf("%s: ", dev->bdf);
		if (moved || !before)
			printf("from %s to %s: ", before ? before : "no driver", dev->driver);
		else
			printf("%s has it already: ", dev->driver);
		if (has_vfio(dev))
			puts(node ? node : "no group");
		else
			puts(*dev->disks ? dev->disks : "no disk");
	}
	free(node);
}

/* Gives @dev to @driver, which may be NULL. Return: 0, or -1 if it does not have it. */
static int take(struct pci_dev *dev, const char *driver, size_t wanted, int *err)
{
	*err = driver ? pci_bind(dev, driver) : 0;
	if (!*err && driver && !strcmp(driver, KERNELS))
		wait_for_disks(dev, wanted);
	if (!*err && driver && (!dev->driver || strcmp(dev->driver, driver)))
		*err = ENODEV;
	return *err ? -1 : 0;
}

/* Does the kernel's driver use this number?  nvmq's controllers are in the same folders. */
static bool is_kernels(unsigned int number)
{
	char *path = sys_link("/sys/class/nvme/nvme%u/device/driver", number);
	const char *driver = path ? strrchr(path, '/') : NULL;
	bool ret = driver && strcmp(driver, "/nvmq");

	free(path);
	path = sys_link("/sys/class/nvme-subsystem/nvme-subsys%u", number);
	ret |= path && !strstr(path, "/devices/nvmq/");
	free(path);
	return ret;
}

/*
 * The kernel's driver takes the lowest number that it does not use itself.  Where
 * nvmq has a disk of that name it warns and has no disk.
 */
static char *name_clash(const struct pci_dev *dev)
{
	unsigned int number = 0;
	struct sys_ctrl *all;
	char *name, *why = NULL;
	size_t i, count;

	while (is_kernels(number))
		number++;
	name = sys_format("nvme%u", number);
	count = sys_find(&all);
	for (i = 0; i < count && !why; i++)
		if (!strcmp(all[i].name, name) && strcmp(all[i].bdf, dev->bdf))
			why = sys_format("%s would be %s, which %s is with nvmq: %s", dev->bdf,
					 name, all[i].bdf, "release that first");
	sys_free(all, count);
	free(name);
	return why;
}

static char *why_not(const struct pci_dev *dev, const char *driver, struct use_claims *claims)
{
	char *why = NULL;

	if (driver && !strcmp(driver, KERNELS))
		why = name_clash(dev);
	if (why)
		return why;
	return has_vfio(dev) ? use_of_vfio(dev->bdf) : use_claim(dev->disks, claims);
}

/**
 * change_hands - take a controller from its driver and give it to another
 * @command: bind or release, for messages
 * @dev: the controller
 * @driver: its next driver, which is loaded; or NULL
 *
 * Return: 0; -1, with a line on stderr, if that was not to be: the driver before has it again,
 * or that line says otherwise.
 */
static int change_hands(const char *command, struct pci_dev *dev, const char *driver)
{
	char *why, *before = dev->driver ? sys_must(strdup(dev->driver)) : NULL;
	size_t had = count_disks(dev);
	/* Of one that no driver for disks has it is not known how many there are. */
	size_t wanted = before && !has_vfio(dev) ? had : 1;
	struct use_claims claims = { 0 };
	int err, again, ret = -1;

	why = why_not(dev, driver, &claims);
	if (why) {
		fprintf(stderr, "nvmq %s: %s\n", command, why);
		free(why);
		goto out;
	}
	/* An interruption must not leave a controller between two drivers. */
	sys_hold_signals(SIG_BLOCK);
	err = before ? pci_unbind(dev) : 0;
	/* Who has a disk open keeps its name, which the next driver may want. */
	use_release(&claims);
	if (err) {
		fprintf(stderr, "nvmq %s: %s does not give %s up: %s\n", command, before, dev->bdf,
			strerror(err));
	} else if (!take(dev, driver, wanted, &err)) {
		ret = 0;
		if (driver && !has_vfio(dev) && count_disks(dev) < had)
			fprintf(stderr, "nvmq %s: %s had %zu disks; the kernel log may say more\n",
				command, dev->bdf, had);
	} else {
		fprintf(stderr, "nvmq %s: %s does not take %s: %s (the kernel log may say more); ",
			command, driver, dev->bdf, strerror(err));
		if (!before)
			fputs("it has no driver, as before\n", stderr);
		else if (!take(dev, before, wanted, &again))
			fprintf(stderr, "%s has it again%s\n", before,
				count_disks(dev) < had ? ", but fewer disks" : "");
		else
			fprintf(stderr, "nor does %s: %s; it has no driver now\n", before,
				strerror(again));
	}
	sys_hold_signals(SIG_UNBLOCK);
out:
	free(before);
	return ret;
}

/* Return: an exit status; -1 if the arguments are right. */
static int arguments(int argc, char **argv, const char **name, bool *json, bool *vfio)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json")) {
			*json = true;
		} else if (vfio && !strcmp(argv[i], "--vfio")) {
			*vfio = true;
		} else if (*argv[i] != '-' && !*name) {
			*name = argv[i];
		} else {
			fprintf(stderr, "nvmq %s: %s: not expected\n", argv[0], argv[i]);
			return 2;
		}
	}
	if (*name)
		return -1;
	/* Never the only one that there is: too much depends on it. */
	fprintf(stderr, "nvmq %s: a device expected; nvmq --help shows what is possible\n",
		argv[0]);
	return 2;
}

static bool is_allowed(const char *command, const struct pci_dev *dev)
{
	if (!is_known(dev->driver)) {
		fprintf(stderr, "nvmq %s: %s has %s, %s\n", command, dev->driver, dev->bdf,
			"and nobody can tell whether it is in use: unbind it there first");
		return false;
	}
	if (geteuid()) {
		fprintf(stderr, "nvmq %s: only root may do this\n", command);
		return false;
	}
	return true;
}

int cmd_bind(int argc, char **argv)
{
	const char *name = NULL, *driver;
	bool json = false, vfio = false;
	struct pci_dev dev;
	char *before;
	int ret;

	ret = arguments(argc, argv, &name, &json, &vfio);
	if (ret >= 0)
		return ret;
	if (pci_find(name, &dev))
		return 1;
	driver = vfio ? VFIO : OURS;
	before = dev.driver ? sys_must(strdup(dev.driver)) : NULL;
	ret = 1;
	if (before && !strcmp(before, driver)) {
		ret = 0;
	} else if (!is_allowed(argv[0], &dev)) {
		;
	} else if (!pci_is_loaded(driver)) {
		fprintf(stderr, "nvmq bind: the driver %s is not loaded: modprobe %s\n", driver,
			driver);
	} else {
		ret = change_hands(argv[0], &dev, driver) ? 1 : 0;
	}
	if (!ret)
		report(&dev, before, NULL, json);
	free(before);
	pci_free(&dev);
	return ret;
}

/*
 * The driver that a controller would have without us: one that somebody has
 * chosen for it, or the kernel's own.  What we, or somebody who did this by
 * hand, have written into driver_override goes.
 */
static char *heir(const struct pci_dev *dev)
{
	char *override = pci_override(dev);

	if (override && strcmp(override, OURS) && (!dev->driver || strcmp(override, dev->driver)))
		return override;
	free(override);
	return sys_must(strdup(KERNELS));
}

int cmd_release(int argc, char **argv)
{
	char *before, *driver, *why = NULL;
	const char *name = NULL;
	struct pci_dev dev;
	bool json = false;
	int ret;

	ret = arguments(argc, argv, &name, &json, NULL);
	if (ret >= 0)
		return ret;
	if (pci_find(name, &dev))
		return 1;
	driver = heir(&dev);
	before = dev.driver ? sys_must(strdup(dev.driver)) : NULL;
	ret = 1;
	if (before && (!strcmp(before, driver) || !strcmp(before, KERNELS))) {
		ret = 0;
	} else if (is_allowed(argv[0], &dev)) {
		bool loaded = pci_is_loaded(driver);

		if (!loaded)
			why = sys_format("%s is not loaded, and takes it when it is", driver);
		ret = change_hands(argv[0], &dev, loaded ? driver : NULL) ? 1 : 0;
		if (!ret && !strcmp(driver, KERNELS))
			pci_set_override(&dev, NULL);
	}
	if (!ret)
		report(&dev, before, why, json);
	free(why);
	free(before);
	free(driver);
	pci_free(&dev);
	return ret;
}
