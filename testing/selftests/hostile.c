// SPDX-License-Identifier: GPL-2.0
/*
 * Commands with random and hostile arguments, by all doors.
 *
 *	hostile SEED COUNT OFFSET LENGTH NSID SHIFT user|root DEVICE...
 *
 * What may change the disk is kept to LENGTH blocks behind OFFSET, by its own
 * arguments, and what would reformat or delete is left out; nothing else is. There
 * are ioctls that nobody knows or whose size is another, structures at addresses
 * that are none, rings of all kinds, rings that are closed with commands in them,
 * memory that is taken away meanwhile, and entries that change after they are sent.
 *
 * It prints how many came back in which way.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/pr.h>
#include <pthread.h>
#include <sys/resource.h>

#include "ioctl.h"

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

/*
 * Ranges of Dataset Management, or of Copy: all in the area, whatever part of them is sent, and
 * a page further as well.
 */
#define RANGES_ROOM	16384

static void fill_ranges(char *data, int copy)
{
	for (unsigned int i = 0; i < RANGES_ROOM / (copy ? 32 : 16); i++) {
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

/* Memory of all kinds */
static struct {
	char *data;		/* ROOM bytes, as they should be */
	char *loose;		/* as many, taken away at any time: see disturb() */
	char *read_only;
	char *hole;		/* three pages; the middle one cannot be had */
	char *structure;	/* a page for what an ioctl takes, ... */
	char *frozen;		/* ... and the same one, for reading only */
	struct iovec *iov;
} mem;

static void make_memory(void)
{
	int file = memfd_create("structure", 0);

	mem.data = memory(ROOM);
	mem.loose = memory(ROOM);
	mem.read_only = memory(65536);
	mem.hole = memory(3 * 4096);
	mem.iov = memory(65536);
	/* Not unmapped: the next ring would come to lie there. */
	mprotect(mem.hole + 4096, 4096, PROT_NONE);
	mprotect(mem.read_only, 65536, PROT_READ);
	if (file < 0 || ftruncate(file, 4096)) {
		perror("memfd_create");
		exit(2);
	}
	mem.structure = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	mem.frozen = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
	if (mem.structure == MAP_FAILED || mem.frozen == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
}

static uint64_t some_address(void)
{
	switch (below(20)) {
	case 0:
		return (uintptr_t)mem.hole + 4096 - below(512) * 4;
	case 1:
		return (uintptr_t)mem.hole + 4096;
	case 2:
		return (uintptr_t)mem.read_only + below(4096);
	case 3:
		return below(2) ? 0 : rnd() << 11;
	case 4:
		/* What is left of it for a 32-bit program is nothing of the program's either. */
		return 0xffff8880c0000000ull + below(1 << 28);
	case 5:
		return (uintptr_t)mem.data + below(4096);
	case 6:
	case 7:
		return (uintptr_t)mem.loose + below(4) * 512;
	default:
		return (uintptr_t)mem.data;
	}
}

/* Where an ioctl's structure is read, and its result cannot be written; or where nothing is. */
static void *bad_structure(void)
{
	static const uint64_t nowhere[] = { 1, 4095, 0x7ffffffff000, 0xffff888000000000, ~0ull };

	return below(2) ? mem.frozen : (void *)(uintptr_t)PICK(nowhere);
}

/*
 * Takes memory away, again and again, and changes what was sent: the address and
 * the length of an entry by a page.  Both are of use to nobody but the kernel.
 */
static void *disturb(void *unused)
{
	const struct ring *plain = &rings[RING_PLAIN];

	(void)unused;
	for (unsigned int i = 0; ; i++) {
		volatile struct nvme_uring_cmd *cmd =
			(void *)(plain->sqes + i % RING_ENTRIES * plain->sqe_size + CMD_AT);

		cmd->addr ^= 4096;
		cmd->data_len ^= 4096;
		if (i % 64 == 0)
			madvise(mem.loose, 8 * 4096, MADV_DONTNEED);
		usleep(50);
	}
	return NULL;
}

/* Reads and writes in a ring that is closed before they have ended. */
static void abandon(int fd)
{
	struct nvme_uring_cmd cmd = { .nsid = own_nsid, .addr = (uintptr_t)mem.loose };
	unsigned int nr = 1 + below(RING_ENTRIES);

	if (ring_use(below(2) ? RING_DEFERS : RING_POLLS))
		return;
	for (unsigned int i = 0; i < nr; i++) {
		cmd.opcode = 1 + below(2);
		cmd.cdw12 = below(8);
		cmd.cdw10 = area + below(area_blocks - 8);
		cmd.data_len = (cmd.cdw12 + 1) << lba_shift;
		ring_add(fd, NVME_URING_CMD_IO, &cmd, 0);
	}
	ring_enter(nr, 0);
	ring_close();
}

/* A ring of some kind, with its buffers. */
static int some_ring(int kind)
{
	int known = rings[kind].known;

	return ring_use(kind) ?: known ? 0 : ring_register(mem.data, FIXED_ROOM);
}

/* Ioctls of other sizes, ones that nobody knows, and those of reservations. */
static int other_ioctl(int fd, int as_user)
{
	static const unsigned long reservations[] = {
		IOC_PR_REGISTER, IOC_PR_RESERVE, IOC_PR_RELEASE, IOC_PR_PREEMPT,
		IOC_PR_PREEMPT_ABORT, IOC_PR_CLEAR,
	};
	unsigned long op;

	for (int i = 0; i < 64; i++)
		mem.structure[i] = below(2) ? below(4) : rnd();
	if (below(2))
		op = PICK(reservations);
	else if (below(2))
		op = doors[below(NR_DOORS)].cmd ^ below(2) << (16 + below(14));
	else
		op = _IOC(below(4), 'N', below(256), below(1 << 14));
	/* Resets are tests of their own. */
	if (!as_user && (op == NVME_IOCTL_RESET || op == NVME_IOCTL_SUBSYS_RESET))
		op = NVME_IOCTL_ID;
	/* Those that are known take their commands from random_command() only. */
	for (unsigned int i = FIRST_CMD; i < NR_DOORS; i++)
		if (op == doors[i].cmd)
			return ioctl(fd, op, NULL);
	return ioctl(fd, op, below(4) ? mem.structure : bad_structure());
}

/* One command by one door. */
static int any_command(int fd, int as_user)
{
	const struct door *door = &doors[FIRST_CMD + below(NR_DOORS - FIRST_CMD)];
	struct iovec *iov = mem.iov;
	int io = !strstr(door->name, "admin");
	struct nvme_passthru_cmd64 cmd;
	unsigned int uring_flags = 0;
	uint64_t result, len, addr;
	void *instead = NULL;
	size_t room;
	int ranges;

	random_command(&cmd, io, as_user);
	ranges = io && (cmd.opcode == 9 || cmd.opcode == 0x19);
	if (io && (cmd.opcode == 1 || cmd.opcode == 2 || cmd.opcode == 5))
		len = ((uint64_t)(cmd.cdw12 & 0xffff) + 1) << lba_shift;
	else if (!io && cmd.opcode == 2)
		len = ((cmd.cdw10 >> 16) + 1) * 4;
	else
		len = 4096;
	len = some_length(len);
	addr = some_address();
	if (ranges) {
		fill_ranges(mem.data, cmd.opcode == 0x19);
		/* Copy writes as many blocks as its ranges have: up to 128, of 8 at most. */
		if (cmd.opcode == 0x19) {
			cmd.cdw12 &= ~0x80u;
			cmd.cdw10 = area + below(area_blocks - 1023);
		}
		/* Ranges that are not these could be anywhere. */
		if (addr - (uintptr_t)mem.data < 4096)
			addr = (uintptr_t)mem.data;
		else if (addr - (uintptr_t)mem.read_only < 8192 ||
			 addr - (uintptr_t)mem.loose < 8192)
			addr = 0;
		else if (addr - (uintptr_t)mem.hole < 4096)
			addr = (uintptr_t)mem.hole + 4096;
		if (len > 8192)
			len = 8192;
	}
	cmd.addr = addr;
	cmd.data_len = len;
	if (door->vec) {
		unsigned int parts = below(20) ? 1 + below(16) : below(2048);

		for (unsigned int i = 0; i < parts; i++) {
			iov[i].iov_base = (void *)(uintptr_t)(addr + len / parts * i);
			if (i && !below(8))
				iov[i].iov_base = (void *)(uintptr_t)(rnd() << 11);
			iov[i].iov_len = below(20) ? len / parts : rnd();
		}
		if (ranges) {
			parts = 1;
			iov[0].iov_base = (void *)(uintptr_t)addr;
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
		int kind = below(3) ? below(RING_THREAD + 1) : below(NR_RINGS);

		/* Ranges go where disturb() does not change what was sent. */
		if (some_ring(ranges ? RING_DEFERS : kind))
			return -1;
		uring_flags = below(3) ? 0 : below(10) ? CMD_FIXED : rnd();
	}
	/* Now and then the structure itself ends where there is no memory. */
	room = below(50) ? 4096 : 40;
	if (room == 4096 && !below(20))
		instead = bad_structure();
	return call(fd, door, &cmd, uring_flags,
		    room == 40 ? mem.hole + 4096 - room : mem.structure, room, instead, &result);
}

int main(int argc, char **argv)
{
	unsigned long count, done = 0, fine = 0, refused = 0, status = 0, other = 0;
	int fds[16], nr = 0, as_user;
	pthread_t thread;

	if (argc < 9) {
		fprintf(stderr, "usage: see the head of hostile.c\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 0) * 0x9e3779b97f4a7c15ull + 1;
	count = strtoul(argv[2], NULL, 0);
	area = strtoull(argv[3], NULL, 0);
	area_blocks = strtoull(argv[4], NULL, 0);
	own_nsid = strtoul(argv[5], NULL, 0);
	lba_shift = strtoul(argv[6], NULL, 0);
	as_user = !strcmp(argv[7], "user");
	for (argv += 8; *argv && nr < 15; argv++) {
		fds[nr] = open(*argv, O_RDWR);
		fds[nr + 1] = open(*argv, O_RDONLY);
		if (fds[nr] < 0 || fds[nr + 1] < 0) {
			perror(*argv);
			return 2;
		}
		nr += 2;
	}
	make_memory();
	/* How much a user may lock is not the question here. */
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	if (as_user)
		give_up_privileges();
	for (unsigned int kind = 0; kind < NR_RINGS; kind++)
		if (some_ring(kind)) {
			perror("io_uring");
			return 2;
		}
	if (pthread_create(&thread, NULL, disturb, NULL)) {
		perror("pthread_create");
		return 2;
	}

	while (done < count) {
		int ret, fd = fds[below(nr)];

		if (!below(64))
			abandon(fd);
		ret = below(12) ? any_command(fd, as_user) : other_ioctl(fd, as_user);
		done++;
		if (!ret)
			fine++;
		else if (ret > 0)
			status++;
		else if (errno == EACCES || errno == EPERM || errno == EINVAL || errno == EFAULT ||
			 errno == ENOTTY || errno == EOPNOTSUPP)
			refused++;
		else
			other++;
	}
	printf("done %lu fine %lu status %lu refused %lu other %lu\n", done, fine, status, refused,
	       other);
	return 0;
}
