// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of linux/nvme_ioctl.h and the commands of io_uring, one at a time.
 *
 *	ioctl [as-user] DEVICE DOOR [NAME=VALUE...]
 *
 * DOOR is id, reset, subsys-reset, rescan, admin, admin64, submit, io, io64, vec
 * or uring-io, uring-vec, uring-admin, uring-admin-vec. The names are the fields
 * of the command and len, in=FILE and out=FILE for data, ro=1 to open the device
 * for reading only, parts=N for the vectored ones, fixed=1 and poll=1 for io_uring.
 * It prints what came back, "0 RESULT", "STATUS RESULT" or the name of the error.
 *
 * With "as-user" privileges are given up after the device was opened.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>

#include "ioctl.h"

static const struct field {
	const char *name;
	size_t offset, size;
} fields[] = {
#define FIELD(name)	{ #name, offsetof(struct nvme_passthru_cmd64, name), \
			  sizeof(((struct nvme_passthru_cmd64 *)0)->name) }
	FIELD(opcode), FIELD(flags), FIELD(nsid), FIELD(cdw2), FIELD(cdw3), FIELD(metadata),
	FIELD(addr), FIELD(metadata_len), FIELD(data_len), FIELD(cdw10), FIELD(cdw11),
	FIELD(cdw12), FIELD(cdw13), FIELD(cdw14), FIELD(cdw15), FIELD(timeout_ms),
};

static int set_field(struct nvme_passthru_cmd64 *cmd, const char *name, uint64_t value)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!strcmp(fields[i].name, name)) {
			memcpy((char *)cmd + fields[i].offset, &value, fields[i].size);
			return 0;
		}
	return -1;
}

static int one(char **argv, int as_user)
{
	const struct door *door = NULL;
	struct nvme_passthru_cmd64 cmd = { 0 };
	char *data = memory(ROOM), *arg = memory(4096), *in = NULL, *out = NULL;
	struct iovec *iov = memory(65536);
	unsigned int uring_flags = 0, parts = 1, mode = O_RDWR;
	uint64_t result = 0, len = 0;
	int fd, ret, fixed = 0, poll = 0, given_addr = 0;
	const char *device = *argv++;

	for (size_t i = 0; *argv && i < NR_DOORS; i++)
		if (!strcmp(doors[i].name, *argv))
			door = &doors[i];
	if (!door) {
		fprintf(stderr, "ioctl: no such door\n");
		return 2;
	}
	while (*++argv) {
		char *value = strchr(*argv, '=');
		uint64_t number;

		if (!value)
			return 2;
		*value++ = '\0';
		number = strtoull(value, NULL, 0);
		if (!strcmp(*argv, "in")) {
			in = value;
		} else if (!strcmp(*argv, "out")) {
			out = value;
		} else if (!strcmp(*argv, "len")) {
			len = number;
		} else if (!strcmp(*argv, "parts")) {
			parts = number;
		} else if (!strcmp(*argv, "ro")) {
			mode = number ? O_RDONLY : O_RDWR;
		} else if (!strcmp(*argv, "fixed")) {
			fixed = number;
		} else if (!strcmp(*argv, "poll")) {
			poll = number;
		} else if (set_field(&cmd, *argv, number)) {
			fprintf(stderr, "ioctl: no field %s\n", *argv);
			return 2;
		} else if (!strcmp(*argv, "addr")) {
			given_addr = 1;
		}
	}
	if (in) {
		int from = open(in, O_RDONLY);
		ssize_t got = from < 0 ? -1 : read(from, data, ROOM);

		if (got < 0) {
			perror(in);
			return 2;
		}
		if (!len)
			len = got;
	}
	if (len && !given_addr) {
		if (door->vec) {
			for (unsigned int i = 0; i < parts; i++) {
				iov[i].iov_base = data + len / parts * i;
				iov[i].iov_len = len / parts + (i + 1 < parts ? 0 : len % parts);
			}
			cmd.addr = (uintptr_t)iov;
			cmd.vec_cnt = parts;
		} else {
			cmd.addr = (uintptr_t)data;
			cmd.data_len = len;
		}
	}
	fd = open(device, mode);
	if (fd < 0) {
		perror(device);
		return 2;
	}
	if (door->uring) {
		if (ring_use(poll ? RING_POLLS : RING_PLAIN)) {
			perror("io_uring_setup");
			return 2;
		}
		if (fixed) {
			if (ring_register(data, FIXED_ROOM)) {
				perror("io_uring_register");
				return 2;
			}
			uring_flags = CMD_FIXED;
		}
	}
	if (as_user)
		give_up_privileges();
	if (door < doors + FIRST_CMD)
		ret = ioctl(fd, door->cmd, NULL);
	else
		ret = call(fd, door, &cmd, uring_flags, arg, 4096, NULL, &result);
	if (ret < 0) {
		printf("%s\n", strerrorname_np(errno));
		return 1;
	}
	if (out) {
		int to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0644);

		if (to < 0 || write(to, data, len) != (ssize_t)len) {
			perror(out);
			return 2;
		}
	}
	if (door->cmd == NVME_IOCTL_ID)
		printf("%d\n", ret);
	else
		printf("%#x %#llx\n", ret, (unsigned long long)result);
	return ret != 0;
}

int main(int argc, char **argv)
{
	int as_user = argc > 1 && !strcmp(argv[1], "as-user");

	argv += 1 + as_user;
	if (!argv[0] || !argv[1]) {
		fprintf(stderr, "usage: see the head of ioctl.c\n");
		return 2;
	}
	return one(argv, as_user);
}
