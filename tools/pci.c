// SPDX-License-Identifier: GPL-2.0
/* See pci.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pci.h"
#include "sys.h"

#define DRIVERS		"/sys/bus/pci/drivers"
#define CLASS_NVME	0x010802

/* ---- which one is meant ---- */

/* The addresses that a name may stand for: more than one if it is not clear. */
struct candidates {
	char **bdf;
	size_t count;
};

static void add(struct candidates *found, const char *bdf)
{
	size_t i;

	for (i = 0; i < found->count; i++)
		if (!strcmp(found->bdf[i], bdf))
			return;
	found->bdf = sys_must(realloc(found->bdf, (found->count + 1) * sizeof(*found->bdf)));
	found->bdf[found->count++] = sys_must(strdup(bdf));
}

/* The last part of @path, which has no links in it, that is a PCI device; it is cut up. */
static void add_owner(struct candidates *found, char *path)
{
	char *slash;

	while (path && (slash = strrchr(path, '/'))) {
		if (strchr(slash, ':') && sys_exists(SYS_PCI "%s", slash)) {
			add(found, slash + 1);
			return;
		}
		*slash = '\0';
	}
}

static void add_controllers(struct candidates *found, const char *name)
{
	struct sys_ctrl *all;
	size_t i, count;
	char *path;

	path = sys_link("/sys/class/nvme/%s/device", name);
	add_owner(found, path);
	free(path);
	/* Both drivers may have a controller of this name. */
	count = sys_find(&all);
	for (i = 0; i < count; i++)
		if (!strcmp(all[i].name, name))
			add(found, all[i].bdf);
	sys_free(all, count);
}

static void add_disk(struct candidates *found, const char *name)
{
	char *path = sys_link("/sys/block/%s/device", name);
	struct dirent **entries;
	int i, n;

	if (!path)
		return;
	/*
	 * Where the kernel's own driver knows several ways to a disk, that belongs
	 * to the subsystem, and the controllers are beside it.
	 */
	if (strstr(path, "/nvme-subsystem/")) {
		n = sys_list(&entries, "/sys/block/%s/device", name);
		for (i = 0; i < n; i++) {
			char *ctrl = sys_link("/sys/block/%s/device/%s/device", name,
					      entries[i]->d_name);

			add_owner(found, ctrl);
			free(ctrl);
		}
		sys_free_list(entries, n);
	} else {
		add_owner(found, path);
	}
	free(path);
}

static bool is_address(const char *name)
{
	unsigned int word[4];
	int end = 0;

	return (sscanf(name, "%x:%x:%x.%x%n", &word[0], &word[1], &word[2], &word[3], &end) == 4 ||
		sscanf(name, "%x:%x.%x%n", &word[0], &word[1], &word[2], &end) == 3) && !name[end];
}

/* Links such as those in /dev/disk are followed. */
static char *without_dev(const char *name)
{
	char *path, *base;

	if (strncmp(name, "/dev/", 5))
		return sys_must(strdup(name));
	path = sys_link("%s", name);
	base = sys_must(strdup(path ? strrchr(path, '/') + 1 : name + 5));
	free(path);
	return base;
}

static bool is_nvme(const char *bdf)
{
	char *class = sys_read(SYS_PCI "/%s/class", bdf);
	bool ret = class && strtoul(class, NULL, 16) == CLASS_NVME;

	free(class);
	return ret;
}

/**
 * pci_find - the controller that the user means
 * @name: PCI address, with or without domain, nvmeX, a disk, or a path in /dev of either
 * @dev: filled in, to be given to pci_free()
 *
 * Return: 0; -1, with a line on stderr, if there is none or it is not clear which.
 */
int pci_find(const char *name, struct pci_dev *dev)
{
	struct candidates found = { 0 };
	char *base = without_dev(name);
	int ret = -1;
	size_t i;

	if (is_address(base)) {
		char *bdf = sys_format("%s%s", strchr(base, ':') == strrchr(base, ':') ?
				       "0000:" : "", base);

		if (sys_exists(SYS_PCI "/%s", bdf))
			add(&found, bdf);
		free(bdf);
	} else if (*base && !strchr(base, '/')) {
		add_disk(&found, base);
		if (!found.count)
			add_controllers(&found, base);
	}

	if (!found.count) {
		fprintf(stderr, "nvmq: %s: no such controller or disk on the PCI bus\n", name);
	} else if (found.count > 1) {
		fprintf(stderr, "nvmq: %s: there are several such controllers; name one:", name);
		for (i = 0; i < found.count; i++)
			fprintf(stderr, " %s", found.bdf[i]);
		fputc('\n', stderr);
	} else if (!is_nvme(found.bdf[0])) {
		fprintf(stderr, "nvmq: %s is no NVMe controller: its PCI class is not 0x%06x\n",
			name, CLASS_NVME);
	} else {
		memset(dev, 0, sizeof(*dev));
		dev->bdf = sys_must(strdup(found.bdf[0]));
		pci_look(dev);
		ret = 0;
	}
	for (i = 0; i < found.count; i++)
		free(found.bdf[i]);
	free(found.bdf);
	free(base);
	return ret;
}

/**
 * pci_free - undo pci_find()
 * @dev: the controller
 */
void pci_free(struct pci_dev *dev)
{
	free(dev->bdf);
	free(dev->driver);
	free(dev->disks);
}

/**
 * pci_look - see again who has a controller, and which disks it has
 * @dev: the controller
 */
void pci_look(struct pci_dev *dev)
{
	char *path = sys_link(SYS_PCI "/%s/driver", dev->bdf);

	free(dev->driver);
	free(dev->disks);
	dev->driver = path ? sys_must(strdup(strrchr(path, '/') + 1)) : NULL;
	dev->disks = sys_disks(dev->bdf);
	free(path);
}

/* ---- how it changes hands ---- */

/**
 * pci_is_loaded - is there such a PCI driver?
 * @driver: its name
 *
 * Return: whether there is.
 */
bool pci_is_loaded(const char *driver)
{
	return sys_exists(DRIVERS "/%s/bind", driver);
}

/**
 * pci_override - the only driver that a controller may have
 * @dev: the controller
 *
 * Return: its name, to be freed; NULL if any may have it.
 */
char *pci_override(const struct pci_dev *dev)
{
	char *text = sys_read(SYS_PCI "/%s/driver_override", dev->bdf);

	if (text && *text && strcmp(text, "(null)"))
		return text;
	free(text);
	return NULL;
}

/**
 * pci_set_override - say which driver a controller may have
 * @dev: the controller
 * @driver: name of the driver, NULL for any
 *
 * Return: 0 or an errno.
 */
int pci_set_override(const struct pci_dev *dev, const char *driver)
{
	return sys_write(driver ? driver : "\n", SYS_PCI "/%s/driver_override", dev->bdf);
}

/**
 * pci_unbind - take a controller from its driver
 * @dev: the controller
 *
 * Return: 0 or an errno.
 */
int pci_unbind(struct pci_dev *dev)
{
	int err = sys_write(dev->bdf, SYS_PCI "/%s/driver/unbind", dev->bdf);

	pci_look(dev);
	return err;
}

/**
 * pci_bind - give a controller that no driver has to a driver
 * @dev: the controller
 * @driver: name of the driver
 *
 * By "bind" of the driver, which tells the error of its probe; "drivers_probe"
 * does not.  The driver may be one that takes a device only if driver_override
 * names it, and another override may stand there: it is put back.
 *
 * Return: 0 or an errno.
 */
int pci_bind(struct pci_dev *dev, const char *driver)
{
	char *before = pci_override(dev);
	int err = pci_set_override(dev, driver);

	if (!err)
		err = sys_write(dev->bdf, DRIVERS "/%s/bind", driver);
	pci_set_override(dev, before);
	free(before);
	pci_look(dev);
	return err;
}
