// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of linux/sed-opal.h, for opal.sh.
 *
 *	opal DEVICE status
 *	opal DEVICE own|activate|revert KEY
 *	opal DEVICE range KEY RANGE START BLOCKS
 *	opal DEVICE lock|read-only|unlock|save KEY RANGE
 *
 * "save" has the kernel keep the key, to unlock the range when the machine has slept. Prints
 * what the ioctl returns: for "status" its flags, else 0 or a status of the method; or the name
 * of the error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sed-opal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct opal_key key_of(const char *text, const char *range)
{
	struct opal_key key = { .key_len = strlen(text) };

	if (range)
		key.lr = strtoul(range, NULL, 0);
	memcpy(key.key, text, key.key_len);
	return key;
}

static int lock_state(const char *what)
{
	return !strcmp(what, "lock") ? OPAL_LK : !strcmp(what, "read-only") ? OPAL_RO : OPAL_RW;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";
	struct opal_key key;
	int fd, ret;

	if (argc < 3 || (strcmp(what, "status") && (argc < 4 || strlen(argv[3]) >= OPAL_KEY_MAX)) ||
	    (!strcmp(what, "range") && argc < 7)) {
		fprintf(stderr, "usage: see the head of opal.c\n");
		return 2;
	}
	fd = open(argv[1], O_RDONLY);
	if (fd < 0) {
		perror(argv[1]);
		return 2;
	}
	if (argc > 3)
		key = key_of(argv[3], argv[4]);
	if (!strcmp(what, "status")) {
		struct opal_status status = { 0 };

		ret = ioctl(fd, IOC_OPAL_GET_STATUS, &status);
		if (!ret)
			ret = status.flags;
	} else if (!strcmp(what, "own")) {
		ret = ioctl(fd, IOC_OPAL_TAKE_OWNERSHIP, &key);
	} else if (!strcmp(what, "activate")) {
		struct opal_lr_act act = { .key = key, .num_lrs = 1 };

		ret = ioctl(fd, IOC_OPAL_ACTIVATE_LSP, &act);
	} else if (!strcmp(what, "revert")) {
		ret = ioctl(fd, IOC_OPAL_REVERT_TPR, &key);
	} else if (!strcmp(what, "range")) {
		struct opal_user_lr_setup setup = {
			.session = { .who = OPAL_ADMIN1, .opal_key = key },
			.range_start = strtoull(argv[5], NULL, 0),
			.range_length = strtoull(argv[6], NULL, 0),
			.RLE = 1,
			.WLE = 1,
		};

		ret = ioctl(fd, IOC_OPAL_LR_SETUP, &setup);
	} else {
		struct opal_lock_unlock lock = {
			.session = { .who = OPAL_ADMIN1, .opal_key = key },
			.l_state = lock_state(what),
		};

		ret = ioctl(fd, strcmp(what, "save") ? IOC_OPAL_LOCK_UNLOCK : IOC_OPAL_SAVE, &lock);
	}
	/* 6.1 has one that is the kernel's own: 524, "not supported". */
	if (ret < 0)
		printf("%s\n", strerrorname_np(errno) ?: "ENOTSUPP");
	else
		printf("%d\n", ret);
	return ret != 0;
}
