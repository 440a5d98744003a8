// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of linux/nvme_ioctl.h and the commands of io_uring, one at a time
 * or at random.
 *
 *	ioctl [compat] [as-user] DEVICE DOOR [NAME=VALUE...]
 *	ioctl fuzz SEED COUNT OFFSET LENGTH NSID SHIFT user|root DEVICE...
 *
 * DOOR is id, reset, subsys-reset, rescan, admin, admin64, submit, io, io64, vec
 * or uring-io, uring-vec, uring-admin, uring-admin-vec. The names are the fields
 * of the command and len, in=FILE and out=FILE for data, ro=1 to open the device
 * for reading only, parts=N for the vectored ones, fixed=1 and poll=1 for io_uring.
 * It prints what came back, "0 RESULT", "STATUS RESULT" or the name of the error.
 *
 * With "compat" the call is made as a 32-bit program does, by int 0x80; with
 * "as-user" privileges are given up after the device was opened.
 *
 * "fuzz" sends COUNT commands with random and hostile arguments by all doors of
 * the DEVICEs. Only what may change the disk is kept to LENGTH blocks behind
 * OFFSET, by its own arguments, and what would reformat or delete is left out.
 * It prints how many came back in which way.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/nvme_ioctl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define ROOM	(4u << 20)
/* Linux 6.1 takes no registered buffer of more pages than a request may have segments. */
#define FIXED_ROOM	65536

/* Not in the headers of Debian 12's libc, or not with these names. */
#ifndef IORING_SETUP_SQE128
#define IORING_SETUP_SQE128	(1u << 10)
#define IORING_SETUP_CQE32	(1u << 11)
#endif
#define OP_URING_CMD		46
#define CMD_FIXED		(1u << 0)

static const struct door {
	const char *name;
	unsigned long cmd;
	int uring;
	int vec;
} doors[] = {
	{ "id", NVME_IOCTL_ID, 0, 0 },
	{ "reset", NVME_IOCTL_RESET, 0, 0 },
	{ "subsys-reset", NVME_IOCTL_SUBSYS_RESET, 0, 0 },
	{ "rescan", NVME_IOCTL_RESCAN, 0, 0 },
	{ "admin", NVME_IOCTL_ADMIN_CMD, 0, 0 },
	{ "admin64", NVME_IOCTL_ADMIN64_CMD, 0, 0 },
	{ "submit", NVME_IOCTL_SUBMIT_IO, 0, 0 },
	{ "io", NVME_IOCTL_IO_CMD, 0, 0 },
	{ "io64", NVME_IOCTL_IO64_CMD, 0, 0 },
	{ "vec", NVME_IOCTL_IO64_CMD_VEC, 0, 1 },
	{ "uring-io", NVME_URING_CMD_IO, 1, 0 },
	{ "uring-vec", NVME_URING_CMD_IO_VEC, 1, 1 },
	{ "uring-admin", NVME_URING_CMD_ADMIN, 1, 0 },
	{ "uring-admin-vec", NVME_URING_CMD_ADMIN_VEC, 1, 1 },
};

#define NR_DOORS	(sizeof(doors) / sizeof(doors[0]))
#define FIRST_CMD	4	/* of the doors: those before it take no command */

/* All memory that the kernel sees is below 4 GiB, for int 0x80. */
static void *low(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (mem == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return mem;
}

static int compat;

static int do_ioctl(int fd, unsigned long cmd, void *arg)
{
	long ret;

	if (!compat)
		return ioctl(fd, cmd, arg);
	/* struct nvme_user_io has no padding at its end there. */
	if (cmd == NVME_IOCTL_SUBMIT_IO)
		cmd = _IOC(_IOC_WRITE, 'N', 0x42, 44);
	__asm__ volatile("int $0x80" : "=a"(ret)
			 : "a"(54L), "b"((long)fd), "c"(cmd), "d"(arg)
			 : "memory", "r8", "r9", "r10", "r11");
	if ((int)ret < 0 && (int)ret > -4096) {
		errno = -(int)ret;
		return -1;
	}
	return (int)ret;
}

/* ---- io_uring, with nothing but the system calls ---- */

static struct ring {
	int fd;
	int known;
	unsigned int *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
} rings[2], *ring;

static void *ring_map(size_t size, off_t offset)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, offset);

	return mem == MAP_FAILED ? NULL : mem;
}

/* From now on commands go to the ring that polls, or to the one that does not. */
static int ring_use(int poll)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_SQE128 | IORING_SETUP_CQE32 |
			 (poll ? IORING_SETUP_IOPOLL : 0),
	};
	char *sq, *cq;

	ring = &rings[poll];
	if (ring->known)
		return 0;
	ring->known = 1;
	ring->fd = syscall(__NR_io_uring_setup, 8, &p);
	if (ring->fd < 0)
		return -1;
	sq = ring_map(p.sq_off.array + p.sq_entries * 4, IORING_OFF_SQ_RING);
	cq = ring_map(p.cq_off.cqes + p.cq_entries * 32, IORING_OFF_CQ_RING);
	ring->sqes = ring_map(p.sq_entries * 128, IORING_OFF_SQES);
	if (!sq || !cq || !ring->sqes)
		return -1;
	ring->sq_tail = (unsigned int *)(sq + p.sq_off.tail);
	ring->sq_mask = (unsigned int *)(sq + p.sq_off.ring_mask);
	ring->sq_array = (unsigned int *)(sq + p.sq_off.array);
	ring->cq_head = (unsigned int *)(cq + p.cq_off.head);
	ring->cq_tail = (unsigned int *)(cq + p.cq_off.tail);
	ring->cq_mask = (unsigned int *)(cq + p.cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	return 0;
}

/* Buffers for CMD_FIXED */
static int ring_register(void *mem, size_t len)
{
	struct iovec iov = { mem, len };

	return syscall(__NR_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS, &iov, 1);
}

/* One command, awaited.  Returns as ioctl() does. */
static int ring_cmd(int fd, unsigned int op, const struct nvme_uring_cmd *cmd, unsigned int flags,
		    uint64_t *result)
{
	unsigned int tail = *ring->sq_tail, at = tail & *ring->sq_mask, head = *ring->cq_head;
	struct io_uring_sqe *sqe = (void *)((char *)ring->sqes + at * 128);
	struct io_uring_cqe *cqe;
	unsigned int submit = 1;
	int res;

	memset(sqe, 0, 128);
	sqe->opcode = OP_URING_CMD;
	sqe->fd = fd;
	/* off: the command; rw_flags: the flags of it */
	sqe->off = op;
	sqe->rw_flags = flags;
	memcpy((char *)sqe + 48, cmd, sizeof(*cmd));
	ring->sq_array[at] = at;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) == head) {
		int ret = syscall(__NR_io_uring_enter, ring->fd, submit, 1, IORING_ENTER_GETEVENTS,
				  NULL, 0);

		if (ret < 0 && errno != EINTR)
			return -1;
		submit = 0;
	}
	cqe = (void *)((char *)ring->cqes + (head & *ring->cq_mask) * 32);
	res = cqe->res;
	*result = cqe->big_cqe[0];
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	if (res < 0) {
		errno = -res;
		return -1;
	}
	return res;
}

/* ---- a command by a door ---- */

/*
 * Fills the structure that the door takes at @arg, as far as there is @room, and
 * calls.  *result is only set where there is one.
 */
static int call(int fd, const struct door *door, const struct nvme_passthru_cmd64 *cmd,
		unsigned int uring_flags, void *arg, size_t room, uint64_t *result)
{
	int ret;

	if (door->uring) {
		struct nvme_uring_cmd u;

		memcpy(&u, cmd, sizeof(u));
		return ring_cmd(fd, door->cmd, &u, uring_flags, result);
	}
	if (door->cmd == NVME_IOCTL_SUBMIT_IO) {
		struct nvme_user_io io = {
			.opcode = cmd->opcode, .flags = cmd->flags, .nblocks = cmd->cdw12,
			.control = cmd->cdw12 >> 16, .metadata = cmd->metadata, .addr = cmd->addr,
			.slba = cmd->cdw10 | (uint64_t)cmd->cdw11 << 32, .dsmgmt = cmd->cdw13,
			.reftag = cmd->cdw14, .apptag = cmd->cdw15, .appmask = cmd->cdw15 >> 16,
		};

		memcpy(arg, &io, room < sizeof(io) ? room : sizeof(io));
		return do_ioctl(fd, door->cmd, arg);
	}
	memcpy(arg, cmd, room < sizeof(*cmd) ? room : sizeof(*cmd));
	ret = do_ioctl(fd, door->cmd, arg);
	if (room < sizeof(*cmd))
		return ret;
	if (door->cmd == NVME_IOCTL_ADMIN_CMD || door->cmd == NVME_IOCTL_IO_CMD)
		*result = ((struct nvme_passthru_cmd *)arg)->result;
	else
		*result = ((struct nvme_passthru_cmd64 *)arg)->result;
	return ret;
}

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

static void give_up_privileges(void)
{
	if (setgid(65534) || setuid(65534)) {
		perror("setuid");
		exit(2);
	}
}

static int one(char **argv, int as_user)
{
	const struct door *door = NULL;
	struct nvme_passthru_cmd64 cmd = { 0 };
	char *data = low(ROOM), *arg = low(4096), *in = NULL, *out = NULL;
	struct iovec *iov = low(65536);
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
			for (unsigned int i = 0; compat && i < parts; i++)
				((uint64_t *)iov)[i] = (uint64_t)iov[i].iov_len << 32 |
						       (uint32_t)(uintptr_t)iov[i].iov_base;
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
		if (ring_use(poll)) {
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
		ret = do_ioctl(fd, door->cmd, NULL);
	else
		ret = call(fd, door, &cmd, uring_flags, arg, 4096, &result);
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

/* ---- at random ---- */

static uint64_t seed;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull >> 11;
}

static uint64_t below(uint64_t n)
{
	return rnd() % n;
}

#define PICK(list)	((list)[below(sizeof(list) / sizeof((list)[0]))])

static uint64_t area, area_blocks;
static uint32_t own_nsid, lba_shift;

/* Admin commands that would take the disk away, or the rest of the test with them. */
static int spared(uint8_t opcode, uint32_t cdw10, int as_user)
{
	static const uint8_t dangerous[] = { 0x0d, 0x10, 0x11, 0x14, 0x15, 0x19, 0x1c, 0x1d, 0x20,
					     0x24, 0x80, 0x81, 0x84 };
	static const uint8_t features[] = { 0x01, 0x04, 0x07, 0x0d, 0x0f, 0x16, 0x19 };

	if (as_user)
		return 0;
	switch (opcode) {
	case 0x09:
		return !memchr(features, cdw10 & 0xff, sizeof(features)) || cdw10 >> 31;
	default:
		return opcode >= 0xc0 || memchr(dangerous, opcode, sizeof(dangerous));
	}
}

static void random_command(struct nvme_passthru_cmd64 *cmd, int io, int as_user)
{
	static const uint8_t io_ops[] = { 0, 1, 2, 4, 5, 8, 9, 0x0c, 0x0d, 0x0e, 0x15, 0x19, 0x7d };
	static const uint8_t admin_ops[] = { 0, 1, 2, 4, 5, 6, 8, 9, 0x0a, 0x0c, 0x18, 0x1a, 0x7c,
					     0x7f, 0x82, 0x86 };
	static const uint32_t nsids[] = { 0, 2, 3, 0x7fffffff, 0xffffffff };

	for (size_t i = 0; i < sizeof(*cmd); i++)
		((uint8_t *)cmd)[i] = below(16) ? 0 : rnd();
	cmd->opcode = below(10) ? (io ? PICK(io_ops) : PICK(admin_ops)) : rnd();
	cmd->flags = below(20) ? 0 : rnd();
	cmd->nsid = below(10) ? own_nsid : PICK(nsids);
	/* Impatience ends in resets, of which there are tests. */
	cmd->timeout_ms = below(3) ? 0 : 60000 + below(1u << 30);
	cmd->metadata = below(10) ? 0 : rnd();
	cmd->metadata_len = below(10) ? 0 : below(4096);
	if (!io) {
		if (cmd->opcode == 2)
			cmd->cdw10 = below(16) | (uint32_t)below(1 << 12) << 16;
		else if (cmd->opcode == 6)
			cmd->cdw10 = below(0x20);
		else if (cmd->opcode == 9 || cmd->opcode == 0x0a)
			cmd->cdw10 = below(0x1a);
		else if (cmd->opcode == 8)
			cmd->cdw10 = 0xffff0000u | (cmd->cdw10 & 0x7);
		if (cmd->opcode != 2)
			cmd->cdw11 = below(3) ? 0 : cmd->cdw11;
		while (spared(cmd->opcode, cmd->cdw10, as_user))
			cmd->opcode = PICK(admin_ops);
		return;
	}
	while (cmd->opcode >= 0x80 || cmd->opcode == 0x11 || cmd->opcode == 0x18)
		cmd->opcode = PICK(io_ops);
	/* What changes blocks changes those of the area; tags and flags are as chance has it. */
	cmd->cdw12 &= 0xffff0000;
	cmd->cdw12 |= below(3) ? below(8) : below(area_blocks < 65536 ? area_blocks : 65536);
	cmd->cdw10 = area + below(area_blocks - (cmd->cdw12 & 0xffff));
	cmd->cdw11 = 0;
	if (cmd->opcode == 2 && !below(4))
		cmd->cdw11 = rnd();
	if (cmd->opcode == 9)
		cmd->cdw10 = below(256);
	if (cmd->opcode == 0x19)
		cmd->cdw12 &= 0xffff00ff & ~0xc0u;
	if (cmd->opcode == 0x0d || cmd->opcode == 0x0e || cmd->opcode == 0x15)
		cmd->cdw10 = below(8);
}

/* Ranges of Dataset Management, or of Copy: all in the area, whatever part of them is sent. */
static void fill_ranges(char *data, int copy)
{
	for (unsigned int i = 0; i < 512; i++) {
		uint64_t *word = (uint64_t *)(data + i * (copy ? 32 : 16));
		uint64_t blocks = 1 + below(8), at = area + below(area_blocks - blocks);

		if (copy) {
			word[0] = 0;
			word[1] = at;
			word[2] = blocks - 1;
			word[3] = 0;
		} else {
			word[0] = blocks << 32;
			word[1] = at;
		}
	}
}

/* The length that a command has, one near it, or any. */
static uint64_t some_length(uint64_t len)
{
	switch (below(16)) {
	case 0:
		return below(3 * len);
	case 1:
		return rnd() & 0xffffffff;
	case 2:
		return below(2) ? 0 : len - 1;
	default:
		return len;
	}
}

/* Memory, memory that ends, that is not there, that cannot be written to, and the kernel's. */
static uint64_t some_address(char *data, char *hole, char *read_only)
{
	switch (below(20)) {
	case 0:
		return (uintptr_t)hole + 4096 - below(512) * 4;
	case 1:
		return (uintptr_t)hole + 4096;
	case 2:
		return (uintptr_t)read_only + below(4096);
	case 3:
		return below(2) ? 0 : rnd() << 11;
	case 4:
		return 0xffff888000000000ull + below(1 << 30);
	case 5:
		return (uintptr_t)data + below(4096);
	default:
		return (uintptr_t)data;
	}
}

static int fuzz(char **argv)
{
	char *data = low(ROOM), *hole = low(3 * 4096), *read_only = low(65536);
	struct iovec *iov = low(65536);
	unsigned long count, done = 0, fine = 0, refused = 0, status = 0, other = 0;
	int fds[16], nr = 0, as_user;

	seed = strtoull(argv[0], NULL, 0) * 0x9e3779b97f4a7c15ull + 1;
	count = strtoul(argv[1], NULL, 0);
	area = strtoull(argv[2], NULL, 0);
	area_blocks = strtoull(argv[3], NULL, 0);
	own_nsid = strtoul(argv[4], NULL, 0);
	lba_shift = strtoul(argv[5], NULL, 0);
	as_user = !strcmp(argv[6], "user");
	for (argv += 7; *argv && nr < 15; argv++) {
		fds[nr] = open(*argv, O_RDWR);
		fds[nr + 1] = open(*argv, O_RDONLY);
		if (fds[nr] < 0 || fds[nr + 1] < 0) {
			perror(*argv);
			return 2;
		}
		nr += 2;
	}
	/* A page that is there, one that is not; and one that cannot be written. */
	munmap(hole + 4096, 4096);
	mprotect(read_only, 65536, PROT_READ);
	for (int poll = 0; poll < 2; poll++)
		if (ring_use(poll) || ring_register(data, FIXED_ROOM)) {
			perror("io_uring");
			return 2;
		}
	if (as_user)
		give_up_privileges();

	while (done < count) {
		const struct door *door = &doors[FIRST_CMD + below(NR_DOORS - FIRST_CMD)];
		int io = !strstr(door->name, "admin");
		struct nvme_passthru_cmd64 cmd;
		unsigned int uring_flags = 0;
		uint64_t result, len, addr;
		size_t room;
		int ret, ranges;

		random_command(&cmd, io, as_user);
		ranges = io && (cmd.opcode == 9 || cmd.opcode == 0x19);
		if (io && (cmd.opcode == 1 || cmd.opcode == 2 || cmd.opcode == 5))
			len = ((uint64_t)(cmd.cdw12 & 0xffff) + 1) << lba_shift;
		else if (!io && cmd.opcode == 2)
			len = ((cmd.cdw10 >> 16) + 1) * 4;
		else
			len = 4096;
		len = some_length(len);
		if (ranges)
			fill_ranges(data, cmd.opcode == 0x19);
		/* Copy writes where cdw10 says as many blocks as its ranges have. */
		if (io && cmd.opcode == 0x19)
			cmd.cdw10 = area + below(area_blocks - 1024);
		addr = some_address(data, hole, read_only);
		/* Ranges that are not these could be anywhere. */
		if (ranges) {
			if (addr - (uintptr_t)data < 4096)
				addr = (uintptr_t)data;
			else if (addr - (uintptr_t)read_only < 8192)
				addr = 0;
			if (len > 8192)
				len = 8192;
		}
		cmd.addr = addr;
		cmd.data_len = len;
		if (door->vec) {
			unsigned int parts = below(20) ? 1 + below(16) : below(2048);

			for (unsigned int i = 0; i < parts; i++) {
				iov[i].iov_base = (void *)(addr + len / parts * i);
				if (i && !below(8))
					iov[i].iov_base = (void *)(rnd() << 11);
				iov[i].iov_len = below(20) ? len / parts : rnd();
			}
			if (ranges) {
				parts = 1;
				iov[0].iov_base = (void *)addr;
				iov[0].iov_len = len;
			}
			cmd.addr = below(20) ? (uintptr_t)iov : addr;
			cmd.vec_cnt = below(20) ? parts : rnd();
			if (ranges)
				cmd.addr = (uintptr_t)iov;
			if (ranges)
				cmd.vec_cnt = 1;
		}
		if (door->uring) {
			ring_use(!below(4));
			uring_flags = below(3) ? 0 : below(10) ? CMD_FIXED : rnd();
		}
		/* Now and then the structure itself ends where there is no memory. */
		room = below(50) ? 4096 : 40;
		ret = call(fds[below(nr)], door, &cmd, uring_flags,
			   room == 40 ? hole + 4096 - room : hole + 8192, room, &result);
		done++;
		if (!ret)
			fine++;
		else if (ret > 0)
			status++;
		else if (errno == EACCES || errno == EPERM || errno == EINVAL || errno == EFAULT ||
			 errno == ENOTTY)
			refused++;
		else
			other++;
	}
	printf("done %lu fine %lu status %lu refused %lu other %lu\n", done, fine, status, refused,
	       other);
	return 0;
}

int main(int argc, char **argv)
{
	int as_user = 0;

	argv++;
	if (argc > 9 && !strcmp(*argv, "fuzz"))
		return fuzz(argv + 1);
	if (*argv && !strcmp(*argv, "compat")) {
		compat = 1;
		argv++;
	}
	if (*argv && !strcmp(*argv, "as-user")) {
		as_user = 1;
		argv++;
	}
	if (!argv[0] || !argv[1]) {
		fprintf(stderr, "usage: see the head of ioctl.c\n");
		return 2;
	}
	return one(argv, as_user);
}
