/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The doors by which programs send commands: ioctls and io_uring, with nothing
 * but the system calls.
 */
#ifndef IOCTL_H
#define IOCTL_H

#include <errno.h>
#include <linux/io_uring.h>
#include <linux/nvme_ioctl.h>
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
/*
 * Linux 6.1 takes no registered buffer of more pages than a request may have segments, and
 * counts all of these pages, however few of them a command uses. So many are more than the
 * driver has room for without a chain of lists.
 */
#define FIXED_ROOM	(256u << 10)

/* Not in the headers of Debian 12's libc, or not with these names. */
#ifndef IORING_SETUP_SQE128
#define IORING_SETUP_SQE128	(1u << 10)
#define IORING_SETUP_CQE32	(1u << 11)
#endif
#ifndef IORING_SETUP_DEFER_TASKRUN
#define IORING_SETUP_SINGLE_ISSUER	(1u << 12)
#define IORING_SETUP_DEFER_TASKRUN	(1u << 13)
#endif
#define OP_URING_CMD		46
#define CMD_FIXED		(1u << 0)
/* Where the command is in an entry */
#define CMD_AT			48

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

static inline void *memory(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return mem;
}

static inline void give_up_privileges(void)
{
	if (setgid(65534) || setuid(65534)) {
		perror("setuid");
		exit(2);
	}
}

/* ---- io_uring ---- */

/* Kinds of rings: what commands need, and what else there is. */
static const unsigned int ring_flags[] = {
#define BOTH	(IORING_SETUP_SQE128 | IORING_SETUP_CQE32)
#define RING_PLAIN	0
	[RING_PLAIN] = BOTH,
#define RING_POLLS	1
	[RING_POLLS] = BOTH | IORING_SETUP_IOPOLL,
#define RING_DEFERS	2
	[RING_DEFERS] = BOTH | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
#define RING_THREAD	3
	[RING_THREAD] = BOTH | IORING_SETUP_SQPOLL,
	/* Entries that are too small */
	[4] = 0, [5] = IORING_SETUP_SQE128, [6] = IORING_SETUP_CQE32,
};

#define NR_RINGS	(sizeof(ring_flags) / sizeof(ring_flags[0]))
#define RING_ENTRIES	8

static struct ring {
	int fd;
	int known;
	size_t sqe_size, cqe_size, sq_len, cq_len;
	char *sq, *cq, *sqes, *cqes;
	unsigned int *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
} rings[NR_RINGS], *ring;

static inline void *ring_map(size_t size, off_t offset)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, offset);

	return mem == MAP_FAILED ? NULL : mem;
}

/* Buffers for CMD_FIXED */
static inline int ring_register(void *mem, size_t len)
{
	struct iovec iov = { mem, len };

	return syscall(__NR_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS, &iov, 1);
}

/* From now on commands go to the ring of this kind. */
static inline int ring_use(int kind)
{
	struct io_uring_params p = { .flags = ring_flags[kind], .sq_thread_idle = 1 };

	ring = &rings[kind];
	if (ring->known)
		return 0;
	ring->fd = syscall(__NR_io_uring_setup, RING_ENTRIES, &p);
	if (ring->fd < 0)
		return -1;
	ring->known = 1;
	ring->sqe_size = p.flags & IORING_SETUP_SQE128 ? 128 : 64;
	ring->cqe_size = p.flags & IORING_SETUP_CQE32 ? 32 : 16;
	ring->sq_len = p.sq_off.array + p.sq_entries * 4;
	ring->cq_len = p.cq_off.cqes + p.cq_entries * ring->cqe_size;
	ring->sq = ring_map(ring->sq_len, IORING_OFF_SQ_RING);
	ring->cq = ring_map(ring->cq_len, IORING_OFF_CQ_RING);
	ring->sqes = ring_map(p.sq_entries * ring->sqe_size, IORING_OFF_SQES);
	if (!ring->sq || !ring->cq || !ring->sqes)
		return -1;
	ring->sq_tail = (unsigned int *)(ring->sq + p.sq_off.tail);
	ring->sq_mask = (unsigned int *)(ring->sq + p.sq_off.ring_mask);
	ring->sq_array = (unsigned int *)(ring->sq + p.sq_off.array);
	ring->cq_head = (unsigned int *)(ring->cq + p.cq_off.head);
	ring->cq_tail = (unsigned int *)(ring->cq + p.cq_off.tail);
	ring->cq_mask = (unsigned int *)(ring->cq + p.cq_off.ring_mask);
	ring->cqes = ring->cq + p.cq_off.cqes;
	return 0;
}

/* Whatever its commands are about. */
static inline void ring_close(void)
{
	munmap(ring->sqes, RING_ENTRIES * ring->sqe_size);
	munmap(ring->sq, ring->sq_len);
	munmap(ring->cq, ring->cq_len);
	close(ring->fd);
	ring->known = 0;
}

/* One more command for the next ring_enter(). */
static inline void ring_add(int fd, unsigned int op, const struct nvme_uring_cmd *cmd,
			    unsigned int flags)
{
	unsigned int tail = *ring->sq_tail, at = tail & *ring->sq_mask;
	struct io_uring_sqe *sqe = (void *)(ring->sqes + at * ring->sqe_size);
	size_t room = ring->sqe_size - CMD_AT;

	memset(sqe, 0, ring->sqe_size);
	sqe->opcode = OP_URING_CMD;
	sqe->fd = fd;
	/* off: the command; rw_flags: the flags of it */
	sqe->off = op;
	sqe->rw_flags = flags;
	memcpy((char *)sqe + CMD_AT, cmd, room < sizeof(*cmd) ? room : sizeof(*cmd));
	ring->sq_array[at] = at;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
}

static inline int ring_enter(unsigned int submit, unsigned int wait)
{
	return syscall(__NR_io_uring_enter, ring->fd, submit, wait,
		       IORING_ENTER_SQ_WAKEUP | (wait ? IORING_ENTER_GETEVENTS : 0), NULL, 0);
}

/* One command, awaited.  Returns as ioctl() does. */
static inline int ring_cmd(int fd, unsigned int op, const struct nvme_uring_cmd *cmd,
			   unsigned int flags, uint64_t *result)
{
	unsigned int submit = 1, head = *ring->cq_head;
	struct io_uring_cqe *cqe;
	int res;

	ring_add(fd, op, cmd, flags);
	while (__atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) == head) {
		if (ring_enter(submit, 1) < 0 && errno != EINTR)
			return -1;
		submit = 0;
	}
	cqe = (void *)(ring->cqes + (head & *ring->cq_mask) * ring->cqe_size);
	res = cqe->res;
	if (ring->cqe_size > sizeof(*cqe))
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
 * calls with it, or with @instead.  *result is only set where there is one.
 */
static inline int call(int fd, const struct door *door, const struct nvme_passthru_cmd64 *cmd,
		       unsigned int uring_flags, void *arg, size_t room, void *instead,
		       uint64_t *result)
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
		return ioctl(fd, door->cmd, instead ?: arg);
	}
	memcpy(arg, cmd, room < sizeof(*cmd) ? room : sizeof(*cmd));
	ret = ioctl(fd, door->cmd, instead ?: arg);
	if (instead || room < sizeof(*cmd))
		return ret;
	if (door->cmd == NVME_IOCTL_ADMIN_CMD || door->cmd == NVME_IOCTL_IO_CMD)
		*result = ((struct nvme_passthru_cmd *)arg)->result;
	else
		*result = ((struct nvme_passthru_cmd64 *)arg)->result;
	return ret;
}

#endif
