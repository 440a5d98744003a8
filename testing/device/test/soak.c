// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include <nvmq/spec.h>

#include "host.h"
#include "mix.h"
#include "plain.h"
#include "soak.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define NSSR_NVME	0x4e564d65u
#define NSID_ALL	0xffffffffu

/* Commands in flight, each with memory of its own. */
#define SLOTS		48
#define QUEUES		8
#define RANGES		16
#define PIECES		64
#define TRANSFER	(128u << 10)
#define COPY_BLOCKS	256
#define MAX_BLOCKS	8192
/* Nothing takes so long. */
#define PATIENCE_MS	30000
/* Larger deallocations and zeroes may go past the cache: BULK_BYTES in store.c. */
#define BULK		(1u << 20)
/* What buffers of reads hold where nothing is to be read to. */
#define CANARY		0xc7
#define MARGIN		64

/*
 * Guest memory: what the device reads and what it writes are apart, and mapped for that alone.
 * Everything begins at a page of the largest size that is used here.
 */
#define ROOM_QUEUE	(16u << 10)
#define ROOM_LIST	(32u << 10)
#define ROOM_DATA	(192u << 10)
#define ROOM_META	(32u << 10)
#define READ_SLOT	(ROOM_QUEUE * (QUEUES + 1))
#define READ_STRIDE	(ROOM_LIST + ROOM_DATA + ROOM_META)
#define READ_SIZE	(READ_SLOT + SLOTS * READ_STRIDE)
#define WRITE_SLOT	(READ_SIZE + ROOM_QUEUE * (QUEUES + 1))
#define WRITE_STRIDE	(ROOM_DATA + ROOM_META)
#define MEMORY		(WRITE_SLOT + SLOTS * WRITE_STRIDE)
#define IOVA		0x7fff00000ull

struct luck {
	uint64_t seed;
	uint64_t n;
};

struct piece {
	uint64_t at;			/* in guest memory */
	uint32_t len;
};

struct range {
	uint64_t lba;
	uint32_t nlb;
};

/* A command, from its making to its completion. */
struct op {
	uint64_t number;
	uint8_t opcode;
	unsigned int queue;
	struct range range;		/* written or read; by Copy: written */
	unsigned int nr_ranges;		/* of DSM: deallocated; of Copy: read */
	struct range ranges[RANGES];
	bool fua;
	bool deallocate;		/* of Write Zeroes */
	bool all;			/* of Flush: NSID FFFFFFFFh */
	bool altered;			/* of Compare: it must fail */
	bool sgl;
	uint32_t alter;			/* where */
	uint64_t layout;		/* luck of its pieces in memory */
	/* When it was sent: */
	uint64_t since;
	unsigned long flushes;
	bool flush_busy;
	bool exact;			/* of Compare: its result is known */
	unsigned int nr_pieces;
	struct piece piece[PIECES];
	struct piece meta;
};

struct slot {
	bool busy;
	uint16_t generation;
	struct op op;
};

struct sq {
	uint32_t size;
	uint32_t tail;
	uint32_t rung;
	uint32_t head;
	unsigned int cq;
};

struct cq {
	uint32_t size;
	uint32_t head;
	uint8_t phase;
	unsigned int pending;
	unsigned int vector;
	bool interrupts;
};

struct shape {
	uint32_t size;
	uint32_t meta;
	bool extended;
	uint64_t blocks;
	uint32_t transfer;
	unsigned int queues;
	uint32_t dlfeat;
	uint32_t vwc;
	uint32_t sgls;
	uint32_t dstrd;
	uint32_t mqes;
	unsigned int mps;
	bool file;
	char options[512];
	char clock[128];
};

struct soak {
	const struct soak_plan *plan;
	struct soak_figures *figures;
	uint64_t seed;			/* of the round */
	unsigned int round;
	uint64_t number;		/* of the operation */
	struct shape shape;
	struct host host;
	int control;
	char dir[32];
	struct plain plain;
	uint16_t reading[MAX_BLOCKS];
	uint16_t writing[MAX_BLOCKS];
	struct slot slot[SLOTS];
	unsigned int in_flight;
	struct sq sq[QUEUES + 1];
	struct cq cq[QUEUES + 1];
	unsigned int nr_cqs;
	uint64_t tick;
	unsigned long flushes;
	unsigned int flushes_busy;
	bool cache;
	bool dulbe;
	uint16_t admin_cid;
	uint16_t status;		/* of the last I/O command completed */
	bool failed;
};

static uint8_t staging[TRANSFER + 4096];
static uint8_t staging_meta[ROOM_META];

/* ---- luck ---------------------------------------------------------------------------------- */

static uint64_t below(struct luck *luck, uint64_t limit)
{
	return mix_below(luck->seed, luck->n++, limit);
}

static bool one_in(struct luck *luck, unsigned int n)
{
	return !below(luck, n);
}

static uint32_t pick(struct luck *luck, const uint32_t *of, unsigned int nr)
{
	return of[below(luck, nr)];
}

#define PICK(luck, ...)								\
	pick(luck, (const uint32_t[]){ __VA_ARGS__ },				\
	     sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

/* ---- mistakes ------------------------------------------------------------------------------ */

/* The first one counts: others follow from it. */
__attribute__((format(printf, 2, 3)))
static void fail(struct soak *s, const char *fmt, ...)
{
	char *why = s->figures->why;
	size_t size = sizeof(s->figures->why);
	va_list ap;
	int n;

	if (s->failed)
		return;
	s->failed = true;
	n = snprintf(why, size, "seed %llu round %u operation %llu: ",
		     (unsigned long long)s->plan->seed, s->round, (unsigned long long)s->number);
	va_start(ap, fmt);
	vsnprintf(why + n, size - n, fmt, ap);
	va_end(ap);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* ---- memory -------------------------------------------------------------------------------- */

static uint32_t sq_at(unsigned int qid)
{
	return qid * ROOM_QUEUE;
}

static uint32_t cq_at(unsigned int qid)
{
	return READ_SIZE + qid * ROOM_QUEUE;
}

static uint32_t list_at(unsigned int slot)
{
	return READ_SLOT + slot * READ_STRIDE;
}

/* Data, and metadata behind it: @to_host: of reads. */
static uint32_t data_at(unsigned int slot, bool to_host)
{
	return to_host ? WRITE_SLOT + slot * WRITE_STRIDE : list_at(slot) + ROOM_LIST;
}

static uint32_t meta_at(unsigned int slot, bool to_host)
{
	return data_at(slot, to_host) + ROOM_DATA;
}

/* In several mappings that follow each other: memory of a guest is not of one piece. */
static int map_part(struct soak *s, struct luck *luck, uint32_t from, uint32_t to,
		    unsigned int prot)
{
	uint32_t end;
	int err = 0;

	for (; from < to && !err; from = end) {
		end = from + 4096 * (1 + below(luck, (to - from) / 4096));
		err = host_dma_map(&s->host, IOVA + from, end - from, prot, from);
	}
	return err;
}

static void scatter(struct soak *s, const struct op *op, const uint8_t *from)
{
	unsigned int i;

	for (i = 0; i < op->nr_pieces; i++) {
		memcpy(s->host.memory + op->piece[i].at, from, op->piece[i].len);
		from += op->piece[i].len;
	}
}

static void gather(struct soak *s, const struct op *op, uint8_t *to)
{
	unsigned int i;

	for (i = 0; i < op->nr_pieces; i++) {
		memcpy(to, s->host.memory + op->piece[i].at, op->piece[i].len);
		to += op->piece[i].len;
	}
}

static bool is_canary(const uint8_t *at, size_t len)
{
	return !len || (*at == CANARY && !memcmp(at, at + 1, len - 1));
}

/* Once all pieces are as before there must be nothing beside them either. */
static void check_margins(struct soak *s, unsigned int slot, const struct op *op)
{
	uint32_t from = data_at(slot, true), to = from + WRITE_STRIDE, i, start, end;
	uint8_t *memory = s->host.memory;

	for (i = 0; i < op->nr_pieces; i++)
		memset(memory + op->piece[i].at, CANARY, op->piece[i].len);
	memset(memory + op->meta.at, CANARY, op->meta.len);
	for (i = 0; i <= op->nr_pieces; i++) {
		const struct piece *piece = i < op->nr_pieces ? &op->piece[i] : &op->meta;

		if (!piece->len)
			continue;
		start = piece->at - from < MARGIN ? from : piece->at - MARGIN;
		end = to - piece->at - piece->len < MARGIN ? to : piece->at + piece->len + MARGIN;
		if (!is_canary(memory + start, end - start))
			fail(s, "written beside the %u bytes at %#llx (operation %llu)", piece->len,
			     (unsigned long long)(IOVA + piece->at),
			     (unsigned long long)op->number);
	}
}

/* ---- registers and the control socket ------------------------------------------------------ */

static uint64_t reg(struct soak *s, uint64_t at, size_t len)
{
	uint64_t value = 0;

	if (host_read(&s->host, BAR0, at, &value, len))
		fail(s, "register %#llx cannot be read", (unsigned long long)at);
	return le64toh(value);
}

static void reg_set(struct soak *s, uint64_t at, uint64_t value, size_t len)
{
	value = htole64(value);
	if (host_post(&s->host, BAR0, at, &value, len))
		fail(s, "register %#llx cannot be written", (unsigned long long)at);
}

static void doorbell(struct soak *s, unsigned int n, uint32_t value)
{
	reg_set(s, NVMQ_REG_DOORBELLS + n * (4ull << s->shape.dstrd), value, 4);
}

static bool wait_csts(struct soak *s, uint32_t mask, uint32_t want)
{
	int64_t end = now_ms() + PATIENCE_MS;

	while (!s->failed) {
		uint32_t csts = reg(s, NVMQ_REG_CSTS, 4);

		if ((csts & mask) == want)
			return true;
		if (now_ms() > end)
			fail(s, "CSTS is %#x, of %#x should be %#x", csts, mask, want);
		usleep(200);
	}
	return false;
}

/* The answer without its last line, which is "ok". */
static bool say(struct soak *s, const char *line, char *answer, size_t size)
{
	struct pollfd fd = { .fd = s->control, .events = POLLIN };
	size_t len = 0;
	ssize_t n;

	if (s->failed)
		return false;
	if (dprintf(s->control, "%s\n", line) < 0) {
		fail(s, "control socket, '%s': %s", line, strerror(errno));
		return false;
	}
	while (len < size - 1) {
		n = poll(&fd, 1, PATIENCE_MS) == 1 ? read(s->control, answer + len,
							  size - 1 - len) : -1;
		if (n <= 0)
			break;
		len += n;
		answer[len] = 0;
		if (len >= 3 && !strcmp(answer + len - 3, "ok\n") &&
		    (len == 3 || answer[len - 4] == '\n')) {
			answer[len - 3] = 0;
			return true;
		}
		if (strstr(answer, "error: "))
			break;
	}
	answer[len] = 0;
	fail(s, "control socket, '%s': '%s'", line, answer);
	return false;
}

static int control_connect(struct soak *s, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	s->control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->control < 0 || connect(s->control, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return 0;
}

/* ---- queues -------------------------------------------------------------------------------- */

static void push(struct soak *s, unsigned int qid, const struct nvmq_sqe *sqe)
{
	struct sq *sq = &s->sq[qid];

	memcpy(s->host.memory + sq_at(qid) + sq->tail * sizeof(*sqe), sqe, sizeof(*sqe));
	sq->tail = (sq->tail + 1) % sq->size;
	s->cq[sq->cq].pending++;
}

static void ring(struct soak *s)
{
	unsigned int i;

	for (i = 0; i <= s->shape.queues; i++) {
		if (s->sq[i].tail == s->sq[i].rung)
			continue;
		doorbell(s, 2 * i, s->sq[i].tail);
		s->sq[i].rung = s->sq[i].tail;
	}
}

static bool has_room(const struct soak *s, unsigned int qid)
{
	const struct sq *sq = &s->sq[qid];

	return (sq->tail + 1) % sq->size != sq->head &&
	       s->cq[sq->cq].pending < s->cq[sq->cq].size - 1;
}

static void complete(struct soak *s, unsigned int slot, uint16_t status);

static void take(struct soak *s, unsigned int cqid, const struct nvmq_cqe *cqe)
{
	uint16_t cid = le16toh(cqe->cid), sqid = le16toh(cqe->sqid), sqhd = le16toh(cqe->sqhd);
	uint16_t status = le16toh(cqe->status) >> 1 & NVMQ_SC_MASK;
	struct slot *slot = &s->slot[cid % SLOTS];

	if (sqid > s->shape.queues || s->sq[sqid].cq != cqid || sqhd >= s->sq[sqid].size) {
		fail(s, "completion queue %u: SQID %u, SQHD %u", cqid, sqid, sqhd);
		return;
	}
	s->sq[sqid].head = sqhd;
	s->cq[cqid].pending--;
	if (!sqid) {
		if (cid != s->admin_cid)
			fail(s, "admin completion of CID %u, not %u", cid, s->admin_cid);
		s->admin_cid = 0;
		s->status = status;
		return;
	}
	if (!slot->busy || slot->op.queue != sqid || slot->generation != cid / SLOTS)
		fail(s, "queue %u: completion of CID %u, which is not in flight", sqid, cid);
	else
		complete(s, cid % SLOTS, status);
}

static unsigned int reap(struct soak *s)
{
	unsigned int i, nr, all = 0;

	for (i = 0; i <= s->nr_cqs && !s->failed; i++) {
		struct nvmq_cqe *queue = (void *)(s->host.memory + cq_at(i));
		struct cq *cq = &s->cq[i];

		for (nr = 0; cq->size && !s->failed; nr++) {
			struct nvmq_cqe *cqe = &queue[cq->head];
			uint16_t status = __atomic_load_n(&cqe->status, __ATOMIC_ACQUIRE);

			if ((le16toh(status) & NVMQ_CQE_PHASE) != cq->phase)
				break;
			take(s, i, cqe);
			cq->head = (cq->head + 1) % cq->size;
			cq->phase ^= !cq->head;
		}
		if (nr)
			doorbell(s, 2 * i + 1, cq->head);
		all += nr;
	}
	return all;
}

/* Until there is a completion at least. */
static void wait_some(struct soak *s)
{
	int64_t end = now_ms() + PATIENCE_MS;
	/* Not all queues have interrupts. */
	const struct timespec shortly = { .tv_nsec = 200000 };
	struct pollfd fds[QUEUES + 2];
	unsigned int i;

	ring(s);
	while (!s->failed && !reap(s)) {
		for (i = 0; i < s->host.nr_irqs; i++)
			fds[i] = (struct pollfd){ .fd = s->host.irqs[i], .events = POLLIN };
		fds[i] = (struct pollfd){ .fd = s->host.sock, .events = POLLRDHUP };
		ppoll(fds, i + 1, &shortly, NULL);
		if (fds[i].revents)
			fail(s, "the device ended");
		for (i = 0; i < s->host.nr_irqs; i++)
			if (fds[i].revents)
				host_irq_taken(&s->host, i);
		if (now_ms() <= end)
			continue;
		for (i = 0; i < SLOTS - 1 && !s->slot[i].busy; i++)
			;
		fail(s, "no completion for %u ms; operation %llu, command %02xh, is in flight",
		     PATIENCE_MS, (unsigned long long)s->slot[i].op.number, s->slot[i].op.opcode);
	}
}

static void drain(struct soak *s)
{
	while (s->in_flight && !s->failed)
		wait_some(s);
}

static void admin_cmd(struct soak *s, struct nvmq_sqe *sqe)
{
	s->admin_cid = 1 + s->tick++ % 0xfff0;
	sqe->cid = htole16(s->admin_cid);
	push(s, 0, sqe);
	while (s->admin_cid && !s->failed)
		wait_some(s);
	if (s->status)
		fail(s, "admin command %02xh, dword 10 %#x: status %#x", sqe->opcode,
		     le32toh(sqe->cdw10), s->status);
}

static void set_feature(struct soak *s, uint32_t nsid, uint32_t feature, uint32_t value)
{
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_ADMIN_SET_FEATURES, .nsid = htole32(nsid),
		.cdw10 = htole32(feature), .cdw11 = htole32(value),
	};

	admin_cmd(s, &sqe);
}

static void create_cq(struct soak *s, struct luck *luck, unsigned int qid)
{
	struct cq *cq = &s->cq[qid];
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_ADMIN_CREATE_CQ, .prp1 = htole64(IOVA + cq_at(qid)),
	};

	*cq = (struct cq){ .size = 2 + below(luck, s->shape.mqes - 1), .phase = 1 };
	cq->vector = below(luck, s->host.nr_irqs);
	cq->interrupts = !one_in(luck, 4);
	memset(s->host.memory + cq_at(qid), 0, ROOM_QUEUE);
	sqe.cdw10 = htole32((cq->size - 1) << 16 | qid);
	sqe.cdw11 = htole32((cq->interrupts ? cq->vector << 16 | NVMQ_CQ_INTERRUPTS : 0) |
			    NVMQ_QUEUE_CONTIGUOUS);
	admin_cmd(s, &sqe);
}

static void create_sq(struct soak *s, struct luck *luck, unsigned int qid)
{
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_ADMIN_CREATE_SQ, .prp1 = htole64(IOVA + sq_at(qid)),
	};
	struct sq *sq = &s->sq[qid];

	*sq = (struct sq){ .size = 2 + below(luck, s->shape.mqes - 1) };
	/* The first ones have one each, so that none is without. */
	sq->cq = qid <= s->nr_cqs ? qid : 1 + below(luck, s->nr_cqs);
	sqe.cdw10 = htole32((sq->size - 1) << 16 | qid);
	sqe.cdw11 = htole32(sq->cq << 16 | NVMQ_QUEUE_CONTIGUOUS);
	admin_cmd(s, &sqe);
}

/* Queues are taken away and made anew, with other sizes. */
static void recreate(struct soak *s, struct luck *luck)
{
	unsigned int i;

	drain(s);
	for (i = 1; i <= s->shape.queues && !s->failed; i++) {
		struct nvmq_sqe sqe = { .opcode = NVMQ_ADMIN_DELETE_SQ, .cdw10 = htole32(i) };

		admin_cmd(s, &sqe);
	}
	for (i = 1; i <= s->nr_cqs && !s->failed; i++) {
		struct nvmq_sqe sqe = { .opcode = NVMQ_ADMIN_DELETE_CQ, .cdw10 = htole32(i) };

		admin_cmd(s, &sqe);
	}
	s->nr_cqs = 1 + below(luck, s->shape.queues);
	for (i = 1; i <= s->nr_cqs && !s->failed; i++)
		create_cq(s, luck, i);
	for (i = 1; i <= s->shape.queues && !s->failed; i++)
		create_sq(s, luck, i);
}

static uint32_t cc(const struct soak *s)
{
	return NVMQ_CC_IOSQES | NVMQ_CC_IOCQES | s->shape.mps << 7;
}

static void enable(struct soak *s, struct luck *luck)
{
	unsigned int i;

	memset(s->cq, 0, sizeof(s->cq));
	memset(s->sq, 0, sizeof(s->sq));
	memset(s->host.memory + cq_at(0), 0, ROOM_QUEUE);
	s->sq[0].size = 2 + below(luck, 31);
	s->cq[0] = (struct cq){ .size = 2 + below(luck, 31), .phase = 1, .interrupts = true };
	s->cache = s->shape.vwc & NVMQ_VWC_PRESENT;
	s->dulbe = false;
	s->nr_cqs = 0;
	if (!wait_csts(s, NVMQ_CSTS_RDY, 0))
		return;
	reg_set(s, NVMQ_REG_AQA, (s->cq[0].size - 1) << 16 | (s->sq[0].size - 1), 4);
	reg_set(s, NVMQ_REG_ASQ, IOVA + sq_at(0), 8);
	reg_set(s, NVMQ_REG_ACQ, IOVA + cq_at(0), 8);
	reg_set(s, NVMQ_REG_CC, cc(s) | NVMQ_CC_EN, 4);
	if (!wait_csts(s, NVMQ_CSTS_RDY, NVMQ_CSTS_RDY))
		return;
	set_feature(s, 0, NVMQ_FEAT_QUEUE_COUNT, (s->shape.queues - 1) * 0x10001);
	s->nr_cqs = 1 + below(luck, s->shape.queues);
	for (i = 1; i <= s->nr_cqs && !s->failed; i++)
		create_cq(s, luck, i);
	for (i = 1; i <= s->shape.queues && !s->failed; i++)
		create_sq(s, luck, i);
}

/* What a machine does with the bus before the driver comes. */
static void pci_enable(struct soak *s)
{
	unsigned int msix = host_find_cap(&s->host, PCI_CAP_ID_MSIX);

	if (host_config_set(&s->host, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
			    PCI_COMMAND_INTX_DISABLE) ||
	    host_config_set(&s->host, msix + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE))
		fail(s, "configuration space cannot be written");
}

/* ---- blocks and their locks ---------------------------------------------------------------- */

static bool is_write(uint8_t opcode)
{
	return opcode == NVMQ_IO_WRITE || opcode == NVMQ_IO_WRITE_ZEROES ||
	       opcode == NVMQ_IO_WRITE_UNCORRECTABLE || opcode == NVMQ_IO_COPY ||
	       opcode == NVMQ_IO_DSM;
}

/* Whether all of a range is free for reading or writing. */
static bool is_free(const struct soak *s, const struct range *range, bool write)
{
	uint64_t n;

	for (n = range->lba; n < range->lba + range->nlb; n++)
		if (s->writing[n] || (write && s->reading[n]))
			return false;
	return true;
}

static void mark(struct soak *s, const struct range *range, bool write, int by)
{
	uint16_t *map = write ? s->writing : s->reading;
	uint64_t n;

	for (n = range->lba; n < range->lba + range->nlb; n++)
		map[n] += by;
}

/* Commands in flight at a time don't overlap, but for those that only read. */
static bool can_lock(const struct soak *s, const struct op *op)
{
	unsigned int i;

	for (i = 0; i < op->nr_ranges; i++)
		if (!is_free(s, &op->ranges[i], op->opcode == NVMQ_IO_DSM))
			return false;
	return is_free(s, &op->range, is_write(op->opcode));
}

static void lock(struct soak *s, const struct op *op, int by)
{
	unsigned int i;

	for (i = 0; i < op->nr_ranges; i++)
		mark(s, &op->ranges[i], op->opcode == NVMQ_IO_DSM, by);
	mark(s, &op->range, is_write(op->opcode), by);
}

static struct range random_range(const struct soak *s, struct luck *luck, uint32_t max)
{
	struct range range;

	if (max > s->shape.blocks)
		max = s->shape.blocks;
	/* Mostly short ones, and often at the same place. */
	range.nlb = 1 + below(luck, one_in(luck, 4) || max < 8 ? max : 8);
	range.lba = below(luck, s->shape.blocks - range.nlb + 1);
	if (one_in(luck, 3) && range.lba > 64)
		range.lba %= 64;
	if (one_in(luck, 8))
		range.lba = s->shape.blocks - range.nlb;
	return range;
}

/* ---- making commands ----------------------------------------------------------------------- */

static uint32_t stride(const struct soak *s)
{
	return s->shape.size + (s->shape.extended ? s->shape.meta : 0);
}

static bool has_data(uint8_t opcode)
{
	return opcode == NVMQ_IO_READ || opcode == NVMQ_IO_WRITE || opcode == NVMQ_IO_COMPARE ||
	       opcode == NVMQ_IO_DSM || opcode == NVMQ_IO_COPY;
}

static uint8_t random_opcode(struct luck *luck)
{
	static const struct {
		uint8_t opcode;
		uint8_t weight;
	} of[] = {
		{ NVMQ_IO_WRITE, 34 }, { NVMQ_IO_READ, 30 }, { NVMQ_IO_COMPARE, 7 },
		{ NVMQ_IO_WRITE_ZEROES, 7 }, { NVMQ_IO_DSM, 6 }, { NVMQ_IO_COPY, 7 },
		{ NVMQ_IO_FLUSH, 4 }, { NVMQ_IO_VERIFY, 3 }, { NVMQ_IO_WRITE_UNCORRECTABLE, 2 },
	};
	int64_t n = below(luck, 100);
	unsigned int i;

	for (i = 0; n >= of[i].weight; i++)
		n -= of[i].weight;
	return of[i].opcode;
}

/* Made by its number alone, whatever is in flight. */
static void make_op(struct soak *s, struct luck *luck, struct op *op)
{
	uint32_t max = s->shape.transfer / stride(s), left, i;

	memset(op, 0, sizeof(*op));
	op->number = s->number;
	op->opcode = random_opcode(luck);
	op->queue = 1 + below(luck, s->shape.queues);
	op->layout = mix64(luck->seed, luck->n++);
	op->sgl = s->shape.sgls && one_in(luck, 2);
	switch (op->opcode) {
	case NVMQ_IO_FLUSH:
		op->all = (s->shape.vwc & NVMQ_VWC_FLUSH_ALL) == NVMQ_VWC_FLUSH_ALL &&
			  one_in(luck, 2);
		return;
	case NVMQ_IO_DSM:
		op->nr_ranges = 1 + below(luck, RANGES);
		for (i = 0; i < op->nr_ranges; i++) {
			op->ranges[i] = random_range(s, luck, one_in(luck, 20) ? UINT32_MAX : 64);
			/* A range of nothing is one as well. */
			if (one_in(luck, 20))
				op->ranges[i].nlb = 0;
		}
		return;
	case NVMQ_IO_COPY:
		op->nr_ranges = 1 + below(luck, RANGES);
		left = s->shape.blocks < COPY_BLOCKS ? s->shape.blocks : COPY_BLOCKS;
		for (i = 0; i < op->nr_ranges && left; i++) {
			op->ranges[i] = random_range(s, luck, left < 32 ? left : 32);
			left -= op->ranges[i].nlb;
			op->range.nlb += op->ranges[i].nlb;
		}
		op->nr_ranges = i;
		op->range.lba = below(luck, s->shape.blocks - op->range.nlb + 1);
		break;
	case NVMQ_IO_READ:
	case NVMQ_IO_WRITE:
	case NVMQ_IO_COMPARE:
		op->range = random_range(s, luck, max);
		break;
	case NVMQ_IO_WRITE_ZEROES:
		op->range = random_range(s, luck, one_in(luck, 20) ? UINT32_MAX : 64);
		op->deallocate = one_in(luck, 2);
		break;
	default:
		op->range = random_range(s, luck, 64);
	}
	op->fua = op->opcode != NVMQ_IO_WRITE_UNCORRECTABLE && one_in(luck, 6);
	op->altered = one_in(luck, 2);
	op->alter = mix64(luck->seed, luck->n++);
}

static void add_piece(struct op *op, uint32_t at, uint32_t len)
{
	op->piece[op->nr_pieces++] = (struct piece){ at, len };
}

static void put64(struct soak *s, uint32_t at, uint64_t value)
{
	value = htole64(value);
	memcpy(s->host.memory + at, &value, sizeof(value));
}

/* Pages in any order, from any dword of the first one on; a list at any place, or two. */
static void lay_prps(struct soak *s, unsigned int slot, struct op *op, struct nvmq_sqe *sqe,
		     uint32_t base, uint32_t len, struct luck *luck)
{
	uint32_t page = 4096u << s->shape.mps, nr = ROOM_DATA / page, order[ROOM_DATA / 4096];
	uint32_t offset = one_in(luck, 2) ? 0 : 4 * below(luck, page / 4), i, k, swap, at, left;
	bool shuffled = !one_in(luck, 3), chained = false;

	for (i = 0; i < nr; i++)
		order[i] = i;
	for (i = 0; i < nr && shuffled; i++) {
		k = i + below(luck, nr - i);
		swap = order[i];
		order[i] = order[k];
		order[k] = swap;
	}
	for (i = 0; len; i++) {
		left = page - offset < len ? page - offset : len;
		add_piece(op, base + order[i] * page + offset, left);
		len -= left;
		offset = 0;
	}
	sqe->prp1 = htole64(IOVA + op->piece[0].at);
	if (op->nr_pieces == 1)
		return;
	if (op->nr_pieces == 2) {
		sqe->prp2 = htole64(IOVA + op->piece[1].at);
		return;
	}
	/* Close to the end of its page it has to go on in the next one. */
	at = one_in(luck, 2) ? 8 * below(luck, page / 8) : page - 8 * (1 + below(luck, 12));
	at += list_at(slot);
	sqe->prp2 = htole64(IOVA + at);
	for (i = 1; i < op->nr_pieces; i++) {
		if (at % page == page - 8 && i + 1 < op->nr_pieces && !chained) {
			uint32_t next = list_at(slot) + ROOM_LIST / 2;

			put64(s, at, IOVA + next);
			at = next;
			chained = true;
		}
		put64(s, at, IOVA + op->piece[i].at);
		at += 8;
	}
}

/* Pieces of any length that lie in any order. */
static void lay_sgl(struct soak *s, unsigned int slot, struct op *op, struct nvmq_sqe *sqe,
		    uint32_t base, uint32_t len, struct luck *luck)
{
	uint32_t grain = s->shape.sgls == 2 ? 4 : 1, lens[8], order[8], at = base, i, k, swap;
	unsigned int nr = 1 + below(luck, 8), first;
	struct {
		uint64_t address;
		uint32_t length;
		uint8_t reserved[3];
		uint8_t id;
	} desc;
	uint32_t to = list_at(slot) + 16 * below(luck, 64);

	for (i = 0; i < nr; i++) {
		lens[i] = i + 1 == nr ? len : below(luck, len / grain + 1) * grain;
		len -= lens[i];
		order[i] = i;
	}
	for (i = 0; i < nr; i++) {
		k = i + below(luck, nr - i);
		swap = order[i];
		order[i] = order[k];
		order[k] = swap;
	}
	op->nr_pieces = nr;
	for (i = 0; i < nr; i++) {
		at += below(luck, 4096) / grain * grain;
		op->piece[order[i]] = (struct piece){ at, lens[order[i]] };
		at += lens[order[i]];
	}
	sqe->flags = NVMQ_SQE_SGL;
	memset(&desc, 0, sizeof(desc));
	if (nr == 1) {
		desc.address = htole64(IOVA + op->piece[0].at);
		desc.length = htole32(op->piece[0].len);
		memcpy(&sqe->prp1, &desc, sizeof(desc));
		return;
	}
	/* One segment, or two: the first one ends with where the last one is. */
	first = one_in(luck, 2) ? 1 + below(luck, nr - 1) : nr;
	desc.address = htole64(IOVA + to);
	desc.length = htole32(16 * (first < nr ? first + 1 : nr));
	desc.id = first < nr ? 0x20 : 0x30;
	memcpy(&sqe->prp1, &desc, sizeof(desc));
	for (i = 0; i < nr; i++) {
		if (i == first) {
			uint32_t next = list_at(slot) + ROOM_LIST / 2;

			desc.address = htole64(IOVA + next);
			desc.length = htole32(16 * (nr - first));
			desc.id = 0x30;
			memcpy(s->host.memory + to, &desc, sizeof(desc));
			to = next;
		}
		desc.address = htole64(IOVA + op->piece[i].at);
		desc.length = htole32(op->piece[i].len);
		desc.id = 0;
		memcpy(s->host.memory + to, &desc, sizeof(desc));
		to += sizeof(desc);
	}
}

static uint8_t *staged_meta(const struct soak *s, uint32_t block)
{
	return s->shape.extended ? staging + block * stride(s) + s->shape.size :
	       staging_meta + block * s->shape.meta;
}

/* What Write writes, or what Compare compares with; the latter also says whether it is sure. */
static void stage_blocks(struct soak *s, struct op *op)
{
	uint32_t i, len = op->range.nlb * stride(s);

	op->exact = true;
	for (i = 0; i < op->range.nlb; i++) {
		const struct plain_maybe *now = &s->plain.block[op->range.lba + i].now;
		uint64_t version = (op->number + 1) << 16 | i;

		if (op->opcode == NVMQ_IO_COMPARE) {
			version = now->nr ? now->version[0] : PLAIN_ZERO;
			op->exact = op->exact && now->nr == 1 && version != PLAIN_BAD &&
				    !(version == PLAIN_HOLE && s->plain.hole == PLAIN_HOLE_ANY);
		}
		plain_fill(&s->plain, version, staging + i * stride(s), staged_meta(s, i));
	}
	if (op->opcode != NVMQ_IO_COMPARE || !op->altered)
		return;
	/* One bit of the data, or of the metadata. */
	if (s->shape.meta && !s->shape.extended && op->alter & 1)
		staging_meta[op->alter / 16 % (op->range.nlb * s->shape.meta)] ^=
			1 << (op->alter >> 1) % 8;
	else
		staging[op->alter / 16 % len] ^= 1 << (op->alter >> 1) % 8;
}

static uint32_t stage_ranges(const struct op *op)
{
	struct nvmq_copy_range *copy = (void *)staging;
	struct nvmq_dsm_range *dsm = (void *)staging;
	unsigned int i;

	memset(staging, 0, op->nr_ranges * sizeof(*copy));
	for (i = 0; i < op->nr_ranges; i++) {
		if (op->opcode == NVMQ_IO_DSM) {
			dsm[i].slba = htole64(op->ranges[i].lba);
			dsm[i].nlb = htole32(op->ranges[i].nlb);
		} else {
			copy[i].slba = htole64(op->ranges[i].lba);
			copy[i].nlb = htole16(op->ranges[i].nlb - 1);
		}
	}
	return op->nr_ranges * (op->opcode == NVMQ_IO_DSM ? sizeof(*dsm) : sizeof(*copy));
}

static void lay_data(struct soak *s, unsigned int slot, struct op *op, struct nvmq_sqe *sqe)
{
	struct luck luck = { op->layout, 0 };
	bool to_host = op->opcode == NVMQ_IO_READ;
	uint32_t base = data_at(slot, to_host), len = op->range.nlb * stride(s);

	if (op->opcode == NVMQ_IO_DSM || op->opcode == NVMQ_IO_COPY)
		len = stage_ranges(op);
	else if (!to_host)
		stage_blocks(s, op);
	if (op->sgl)
		lay_sgl(s, slot, op, sqe, base, len, &luck);
	else
		lay_prps(s, slot, op, sqe, base, len, &luck);
	if (!to_host)
		scatter(s, op, staging);
	if (!s->shape.meta || s->shape.extended || op->opcode == NVMQ_IO_DSM ||
	    op->opcode == NVMQ_IO_COPY)
		return;
	op->meta.len = op->range.nlb * s->shape.meta;
	op->meta.at = meta_at(slot, to_host) + 4 * below(&luck, (ROOM_META - op->meta.len) / 4 + 1);
	sqe->mptr = htole64(IOVA + op->meta.at);
	if (!to_host)
		memcpy(s->host.memory + op->meta.at, staging_meta, op->meta.len);
}

static void send_op(struct soak *s, unsigned int slot)
{
	struct op *op = &s->slot[slot].op;
	struct nvmq_sqe sqe = { .opcode = op->opcode, .nsid = htole32(op->all ? NSID_ALL : 1) };

	/* Such that a completion that comes twice, or late, is found. */
	s->slot[slot].generation = (s->slot[slot].generation + 1) % 1000;
	s->slot[slot].busy = true;
	sqe.cid = htole16(s->slot[slot].generation * SLOTS + slot);
	op->since = ++s->tick;
	op->flushes = s->flushes;
	op->flush_busy = s->flushes_busy;
	lock(s, op, 1);
	if (has_data(op->opcode))
		lay_data(s, slot, op, &sqe);
	switch (op->opcode) {
	case NVMQ_IO_FLUSH:
		s->flushes++;
		s->flushes_busy++;
		break;
	case NVMQ_IO_DSM:
		sqe.cdw10 = htole32(op->nr_ranges - 1);
		sqe.cdw11 = htole32(NVMQ_DSM_ATTR_DEALLOCATE);
		break;
	default:
		sqe.cdw10 = htole32(op->range.lba);
		sqe.cdw12 = htole32(op->opcode == NVMQ_IO_COPY ? op->nr_ranges - 1 :
				    op->range.nlb - 1);
		sqe.cdw12 |= htole32((op->fua ? NVMQ_RW_FUA : 0) |
				     (op->deallocate ? NVMQ_WZ_DEALLOCATE : 0));
	}
	s->in_flight++;
	push(s, op->queue, &sqe);
}

/* ---- completed commands -------------------------------------------------------------------- */

/* What the blocks that a command changes hold afterwards. */
static void outcome(const struct soak *s, const struct op *op, struct plain_maybe *what)
{
	bool hole = op->opcode == NVMQ_IO_WRITE_ZEROES && op->deallocate &&
		    s->shape.dlfeat & NVMQ_DLFEAT_WZ_DEAC &&
		    (s->shape.dlfeat & NVMQ_DLFEAT_READ_MASK) == NVMQ_DLFEAT_READ_ZEROES;
	uint32_t i, k, n = 0;

	if (op->opcode == NVMQ_IO_COPY) {
		for (i = 0; i < op->nr_ranges; i++)
			for (k = 0; k < op->ranges[i].nlb; k++)
				what[n++] = plain_copied(&s->plain, op->ranges[i].lba + k);
		return;
	}
	for (i = 0; i < op->range.nlb; i++) {
		switch (op->opcode) {
		case NVMQ_IO_WRITE:
			what[i] = plain_one((op->number + 1) << 16 | i);
			break;
		case NVMQ_IO_WRITE_ZEROES:
			what[i] = plain_one(hole ? PLAIN_HOLE : PLAIN_ZERO);
			break;
		default:
			what[i] = plain_one(PLAIN_BAD);
		}
	}
}

static void change(struct soak *s, const struct op *op, bool torn)
{
	static struct plain_maybe what[MAX_BLOCKS];
	struct plain_maybe hole = plain_one(PLAIN_HOLE);
	enum plain_lasting lasting = PLAIN_CACHED;
	uint64_t now = ++s->tick;
	uint32_t i, k;

	if (!is_write(op->opcode))
		return;
	if (op->flush_busy || op->flushes != s->flushes)
		lasting = PLAIN_PERHAPS;
	if (op->fua || !s->cache || op->opcode == NVMQ_IO_WRITE_UNCORRECTABLE)
		lasting = PLAIN_DURABLE;
	for (k = 0; op->opcode == NVMQ_IO_DSM && k < op->nr_ranges; k++) {
		const struct range *range = &op->ranges[k];
		bool bulk = lasting == PLAIN_CACHED && range->nlb > BULK / s->shape.size;

		for (i = 0; i < range->nlb; i++) {
			if (torn)
				plain_torn(&s->plain, range->lba + i, &hole);
			else
				plain_write(&s->plain, range->lba + i, &hole,
					    bulk ? PLAIN_PERHAPS : lasting, now);
		}
	}
	if (op->opcode == NVMQ_IO_DSM)
		return;
	outcome(s, op, what);
	if (lasting == PLAIN_CACHED && op->range.nlb > BULK / s->shape.size)
		lasting = PLAIN_PERHAPS;
	for (i = 0; i < op->range.nlb; i++) {
		if (torn)
			plain_torn(&s->plain, op->range.lba + i, &what[i]);
		else
			plain_write(&s->plain, op->range.lba + i, &what[i], lasting, now);
	}
}

/* Whether some block of a range may have a version, and whether one must have it. */
static void may(const struct soak *s, const struct range *range, uint64_t version, bool *can,
		bool *must)
{
	const struct plain_maybe *now;
	uint64_t n;

	for (n = range->lba; n < range->lba + range->nlb; n++) {
		now = &s->plain.block[n].now;
		if (!plain_has(now, version))
			continue;
		*can = true;
		if (now->nr == 1)
			*must = true;
	}
}

/* Whether a command may end so: what it reads may be uncorrectable, or not there (DULBE). */
static bool may_end(const struct soak *s, const struct op *op, uint16_t status)
{
	bool bad = false, hole = false, must = false;
	unsigned int i;

	if (op->opcode == NVMQ_IO_COPY) {
		for (i = 0; i < op->nr_ranges; i++) {
			may(s, &op->ranges[i], PLAIN_BAD, &bad, &must);
			if (s->dulbe)
				may(s, &op->ranges[i], PLAIN_HOLE, &hole, &must);
		}
	} else if (!is_write(op->opcode)) {
		may(s, &op->range, PLAIN_BAD, &bad, &must);
		if (s->dulbe)
			may(s, &op->range, PLAIN_HOLE, &hole, &must);
	}
	switch (status) {
	case NVMQ_SC_SUCCESS:
		return !must && !(op->opcode == NVMQ_IO_COMPARE && op->exact && op->altered);
	case NVMQ_SC_UNRECOVERED_READ:
		return bad;
	case NVMQ_SC_UNWRITTEN_BLOCK:
		return hole;
	case NVMQ_SC_COMPARE_FAILED:
		return !must && op->opcode == NVMQ_IO_COMPARE && !(op->exact && !op->altered);
	default:
		return false;
	}
}

static void check_block(struct soak *s, uint64_t lba, const void *data, const void *meta,
			const char *where)
{
	char text[1024] = "";

	s->figures->blocks++;
	s->figures->vague += s->plain.block[lba].now.nr != 1;
	if (plain_check(&s->plain, lba, data, meta))
		return;
	plain_describe(&s->plain, lba, data, meta, text, sizeof(text));
	fail(s, "block %llu %s: %s", (unsigned long long)lba, where, text);
}

static void check_read(struct soak *s, unsigned int slot, const struct op *op)
{
	char where[64];
	uint32_t i;

	snprintf(where, sizeof(where), "read by operation %llu", (unsigned long long)op->number);
	gather(s, op, staging);
	if (op->meta.len)
		memcpy(staging_meta, s->host.memory + op->meta.at, op->meta.len);
	for (i = 0; i < op->range.nlb && !s->failed; i++)
		check_block(s, op->range.lba + i, staging + i * stride(s),
			    s->shape.meta ? staged_meta(s, i) : NULL, where);
	check_margins(s, slot, op);
}

static void complete(struct soak *s, unsigned int slot, uint16_t status)
{
	struct op *op = &s->slot[slot].op;

	s->slot[slot].busy = false;
	s->in_flight--;
	s->status = status;
	lock(s, op, -1);
	s->figures->commands++;
	if (op->opcode == NVMQ_IO_FLUSH)
		s->flushes_busy--;
	if (!may_end(s, op, status)) {
		fail(s, "operation %llu, command %02xh of %u blocks from %llu: status %#x",
		     (unsigned long long)op->number, op->opcode, op->range.nlb,
		     (unsigned long long)op->range.lba, status);
		return;
	}
	if (status) {
		/* That one block has a meaning of its own. */
		if (status == NVMQ_SC_UNRECOVERED_READ && op->range.nlb == 1 &&
		    op->opcode != NVMQ_IO_COPY)
			s->plain.block[op->range.lba].now = plain_one(PLAIN_BAD);
		if (op->opcode == NVMQ_IO_READ)
			check_margins(s, slot, op);
		return;
	}
	if (op->opcode == NVMQ_IO_READ || op->opcode == NVMQ_IO_WRITE ||
	    op->opcode == NVMQ_IO_COMPARE)
		s->figures->bytes += op->range.nlb * stride(s);
	if (op->opcode == NVMQ_IO_FLUSH)
		plain_flush(&s->plain, op->since);
	else if (op->opcode == NVMQ_IO_READ)
		check_read(s, slot, op);
	else
		change(s, op, false);
}

/* Everything in flight was swept away: nobody knows what of it was carried out. */
static void sweep(struct soak *s)
{
	bool flush = false;
	unsigned int i;

	for (i = 0; i < SLOTS; i++) {
		struct slot *slot = &s->slot[i];

		if (!slot->busy)
			continue;
		slot->busy = false;
		s->figures->swept++;
		lock(s, &slot->op, -1);
		change(s, &slot->op, true);
		flush = flush || slot->op.opcode == NVMQ_IO_FLUSH;
		if (slot->op.opcode == NVMQ_IO_READ)
			check_margins(s, i, &slot->op);
	}
	if (flush)
		plain_flush_torn(&s->plain);
	s->in_flight = 0;
	s->flushes_busy = 0;
}

/* ---- what happens to controllers ----------------------------------------------------------- */

static void power_cut(struct soak *s, struct luck *luck)
{
	unsigned long long lost = 0;
	char line[64], answer[256];

	/* The doorbells went another way: what is behind them has to have come. */
	reg(s, NVMQ_REG_CSTS, 4);
	snprintf(line, sizeof(line), "power-cut %llu",
		 one_in(luck, 4) ? 0 : (unsigned long long)below(luck, UINT64_MAX));
	if (!say(s, line, answer, sizeof(answer)))
		return;
	if (sscanf(answer, " lost %llu", &lost) != 1)
		fail(s, "control socket, '%s': '%s'", line, answer);
	s->figures->cuts++;
	s->figures->lost += lost;
	sweep(s);
	plain_power_cut(&s->plain);
}

static void reset_ctrl(struct soak *s, struct luck *luck)
{
	unsigned int cap;

	s->figures->resets++;
	/* Some of it with commands that the device has not heard of. */
	if (one_in(luck, 2))
		ring(s);
	switch (below(luck, 6)) {
	case 0:
		power_cut(s, luck);
		break;
	case 1:
		/* A shutdown leaves nothing in the cache (base 3.6.1). */
		drain(s);
		reg_set(s, NVMQ_REG_CC, cc(s) | NVMQ_CC_EN | NVMQ_CC_SHN_NORMAL, 4);
		if (!wait_csts(s, NVMQ_CSTS_SHST_MASK, NVMQ_CSTS_SHST_DONE))
			return;
		plain_flush(&s->plain, UINT64_MAX);
		if (one_in(luck, 2))
			power_cut(s, luck);
		else
			reg_set(s, NVMQ_REG_CC, cc(s), 4);
		break;
	case 2:
		if (host_reset(&s->host))
			fail(s, "the bus cannot be reset");
		sweep(s);
		pci_enable(s);
		break;
	case 3:
		cap = host_find_cap(&s->host, PCI_CAP_ID_EXP);
		host_config_set(&s->host, cap + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR);
		sweep(s);
		pci_enable(s);
		break;
	case 4:
		reg_set(s, NVMQ_REG_NSSR, NSSR_NVME, 4);
		wait_csts(s, NVMQ_CSTS_RDY, 0);
		sweep(s);
		break;
	default:
		reg_set(s, NVMQ_REG_CC, cc(s), 4);
		wait_csts(s, NVMQ_CSTS_RDY, 0);
		sweep(s);
	}
	enable(s, luck);
}

static const char *random_clock(struct luck *luck)
{
	static const char * const clocks[] = {
		"off", "off", "constant 30us", "tail 50% 100us, tail 90% 1ms", "rate 300MB/s",
		"constant 5us, tail 70% 200us", "queue 1 400us, queue 2 20us",
	};

	return clocks[below(luck, sizeof(clocks) / sizeof(clocks[0]))];
}

static void disturb(struct soak *s, struct luck *luck)
{
	char line[160], answer[256];

	switch (below(luck, 8)) {
	case 0:
		if (!(s->shape.vwc & NVMQ_VWC_PRESENT))
			return;
		drain(s);
		s->cache = !s->cache;
		set_feature(s, 0, NVMQ_FEAT_WRITE_CACHE, s->cache);
		/* What was in the cache is not, when there is none. */
		if (!s->cache)
			plain_flush(&s->plain, UINT64_MAX);
		return;
	case 1:
		drain(s);
		s->dulbe = !s->dulbe;
		set_feature(s, 1, NVMQ_FEAT_ERROR_RECOVERY,
			    s->dulbe ? NVMQ_ERROR_RECOVERY_DULBE : 0);
		return;
	case 2:
		recreate(s, luck);
		return;
	case 3:
		snprintf(line, sizeof(line), "clock off, %s", random_clock(luck));
		say(s, line, answer, sizeof(answer));
		return;
	default:
		reset_ctrl(s, luck);
	}
}

/* ---- rounds -------------------------------------------------------------------------------- */

static void make_shape(struct soak *s, struct luck *luck)
{
	struct shape *shape = &s->shape;
	uint32_t mdts = PICK(luck, 0, 1, 2, 3, 4, 5, 5, 7), inflight;
	bool poison;
	int n;

	memset(shape, 0, sizeof(*shape));
	shape->size = PICK(luck, 512, 4096);
	shape->meta = PICK(luck, 0, 0, 8, 16, 64);
	shape->extended = shape->meta && one_in(luck, 2);
	/* So few that they are written often, or so many that the cache is passed. */
	shape->blocks = 64 + below(luck, one_in(luck, 3) ? MAX_BLOCKS - 64 : 600);
	if (shape->size == 4096 && shape->blocks > 1024)
		shape->blocks = 1024;
	shape->queues = 1 + below(luck, QUEUES);
	shape->dlfeat = PICK(luck, 0, 1, 2, 8, 9, 9, 9, 10);
	shape->vwc = PICK(luck, 0, 5, 7, 7);
	shape->sgls = PICK(luck, 0, 1, 2);
	shape->dstrd = PICK(luck, 0, 0, 1, 3);
	shape->mqes = PICK(luck, 2, 3, 8, 32, 64);
	shape->mps = below(luck, 3);
	shape->file = one_in(luck, 3);
	shape->transfer = mdts && 4096u << mdts < TRANSFER ? 4096u << mdts : TRANSFER;
	snprintf(shape->clock, sizeof(shape->clock), "%s", random_clock(luck));
	/* Not among the arguments: their order is the compiler's choice. */
	inflight = PICK(luck, 0, 0, 1, 7);
	poison = one_in(luck, 2);
	n = snprintf(shape->options, sizeof(shape->options),
		     "judge=fail,nssrs,size=%llu,lba=%u,meta=%u,extended=%s,dlfeat=%u,mdts=%u",
		     (unsigned long long)shape->blocks * shape->size, shape->size, shape->meta,
		     shape->extended ? "on" : "off", shape->dlfeat, mdts);
	snprintf(shape->options + n, sizeof(shape->options) - n,
		 ",queues=%u,vwc=%u,sgls=%u,dstrd=%u,mqes=%u,inflight=%u,poison=%s,vectors=%u",
		 shape->queues, shape->vwc, shape->sgls, shape->dstrd, shape->mqes,
		 inflight, poison ? "on" : "off", QUEUES + 1);
}

static void start(struct soak *s, struct luck *luck)
{
	char control[64], log[64], file[64], options[640];
	char *argv[12] = {
		(char *)s->plan->device, "--socket", "@", "--control", control, "--log", log,
		"--clock", s->shape.clock, "-d", options, NULL
	};
	int err;

	snprintf(control, sizeof(control), "%s/control", s->dir);
	snprintf(log, sizeof(log), "%s/log", s->dir);
	snprintf(file, sizeof(file), ",file=%s/image", s->dir);
	snprintf(options, sizeof(options), "%s%s", s->shape.options, s->shape.file ? file : "");
	host_init(&s->host, -1);
	s->host.timeout_ms = PATIENCE_MS;
	s->control = -1;
	err = host_start(&s->host, argv);
	if (!err)
		err = control_connect(s, control);
	if (!err)
		err = host_version(&s->host, NULL, 0);
	if (!err)
		err = host_memory(&s->host, MEMORY);
	if (!err)
		err = map_part(s, luck, 0, READ_SIZE, 1);
	if (!err)
		err = map_part(s, luck, READ_SIZE, MEMORY, 2);
	if (!err)
		err = host_irqs(&s->host, VFIO_PCI_MSIX_IRQ_INDEX, s->shape.queues + 1);
	if (err) {
		fail(s, "there is no device: %s", strerror(-err));
		return;
	}
	memset(s->host.memory + WRITE_SLOT, CANARY, MEMORY - WRITE_SLOT);
	pci_enable(s);
	enable(s, luck);
}

/* What the judge wrote, for who has to find out. */
static void show_log(struct soak *s)
{
	char path[64], line[512];
	unsigned int left = 20;
	FILE *log;

	snprintf(path, sizeof(path), "%s/log", s->dir);
	log = fopen(path, "r");
	while (log && left-- && fgets(line, sizeof(line), log))
		printf("# log: %s", line);
	if (log)
		fclose(log);
}

static void stop(struct soak *s)
{
	bool ended = s->failed;
	char answer[1024];
	int status;

	if (!ended && say(s, "violations", answer, sizeof(answer)) && *answer)
		fail(s, "violations:%s", answer);
	if (s->control >= 0)
		close(s->control);
	s->control = -1;
	if (!s->failed && !is_canary(s->host.memory + WRITE_SLOT, MEMORY - WRITE_SLOT))
		fail(s, "memory was written that no command named");
	status = host_stop(&s->host);
	if (!WIFEXITED(status) || (WEXITSTATUS(status) && !ended))
		fail(s, "the device ended with status %#x", status);
}

static void run_op(struct soak *s, const struct op *op)
{
	unsigned int i = SLOTS;

	while (!s->failed && (!can_lock(s, op) || !has_room(s, op->queue) || s->in_flight == SLOTS))
		wait_some(s);
	for (i = 0; i < SLOTS && s->slot[i].busy; i++)
		;
	if (s->failed || i == SLOTS)
		return;
	s->slot[i].op = *op;
	send_op(s, i);
}

/* Everything, once more. */
static void read_all(struct soak *s)
{
	struct op op = { .opcode = NVMQ_IO_READ };
	uint32_t max = s->shape.transfer / stride(s), nlb = max;
	uint64_t lba;

	drain(s);
	for (lba = 0; lba < s->shape.blocks && !s->failed; lba += nlb) {
		op.number = s->number;
		op.queue = 1 + lba % s->shape.queues;
		op.layout = lba;
		nlb = s->shape.blocks - lba < max ? s->shape.blocks - lba : max;
		op.range = (struct range){ lba, nlb };
		run_op(s, &op);
		drain(s);
		if (!s->status || nlb == 1)
			continue;
		/* One of them cannot be read; the others can. */
		op.range.nlb = 1;
		for (; op.range.lba < lba + nlb && !s->failed; op.range.lba++) {
			run_op(s, &op);
			drain(s);
		}
	}
}

/* The image, as another program finds it. */
static void check_file(struct soak *s)
{
	uint8_t data[4096], meta[64];
	struct plain zeroes = s->plain;
	char path[64];
	int fd, fd_meta = -1;
	uint64_t lba;

	zeroes.hole = PLAIN_HOLE_ZEROES;
	snprintf(path, sizeof(path), "%s/image", s->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/image.meta", s->dir);
	if (s->shape.meta)
		fd_meta = open(path, O_RDONLY | O_CLOEXEC);
	for (lba = 0; lba < s->shape.blocks && !s->failed; lba++) {
		const struct plain_maybe *now = &s->plain.block[lba].now;
		const uint32_t size = s->shape.size, len = s->shape.meta;

		if (pread(fd, data, size, lba * size) != size ||
		    (len && pread(fd_meta, meta, len, lba * len) != len)) {
			fail(s, "block %llu: the image is too short", (unsigned long long)lba);
			break;
		}
		if (plain_has(now, PLAIN_BAD) || plain_check(&zeroes, lba, data, meta))
			continue;
		check_block(s, lba, data, len ? meta : NULL, "in the image");
	}
	if (fd >= 0)
		close(fd);
	if (fd_meta >= 0)
		close(fd_meta);
}

/* The device ends, and another one has the same image. */
static void check_again(struct soak *s, struct luck *luck)
{
	uint64_t lba;

	stop(s);
	if (s->failed)
		return;
	for (lba = 0; lba < s->shape.blocks; lba++) {
		struct plain_block *block = &s->plain.block[lba];
		struct plain_maybe ones = plain_one(PLAIN_ONES), zero = plain_one(PLAIN_ZERO);

		block->dirty = false;
		/* It is forgotten that they are uncorrectable, and holes are those of the file. */
		if (plain_has(&block->now, PLAIN_BAD))
			block->now.nr = 0;
		if (plain_has(&block->now, PLAIN_HOLE))
			plain_torn(&s->plain, lba, &zero);
		if (plain_has(&block->now, PLAIN_HOLE) && s->plain.hole != PLAIN_HOLE_ZEROES)
			plain_torn(&s->plain, lba, &ones);
		block->dirty = false;
	}
	start(s, luck);
	read_all(s);
}

static void remove_files(struct soak *s)
{
	static const char * const names[] = { "control", "log", "image", "image.meta" };
	char path[64];
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->dir, names[i]);
		unlink(path);
	}
	rmdir(s->dir);
}

static void operate(struct soak *s, int64_t end)
{
	unsigned int depth = 1;
	struct op op;

	for (s->number = 0; s->number < s->plan->operations && !s->failed; s->number++) {
		struct luck luck = { mix64(s->seed, 1000 + s->number), 0 };

		if (end && now_ms() > end)
			break;
		if (one_in(&luck, 40))
			depth = 1 + below(&luck, one_in(&luck, 3) ? SLOTS : 8);
		if (one_in(&luck, 150))
			disturb(s, &luck);
		make_op(s, &luck, &op);
		while (s->in_flight >= depth && !s->failed)
			wait_some(s);
		run_op(s, &op);
		if (one_in(&luck, 3))
			ring(s);
		if (one_in(&luck, 5))
			reap(s);
	}
}

static void run_round(struct soak *s, int64_t end)
{
	struct luck luck = { s->seed, 0 };

	make_shape(s, &luck);
	if (s->plan->verbose) {
		printf("# round %u: %s clock='%s'%s\n", s->round, s->shape.options, s->shape.clock,
		       s->shape.file ? " file" : "");
		fflush(stdout);
	}
	snprintf(s->dir, sizeof(s->dir), "/tmp/nvmq-soak-XXXXXX");
	s->plain = (struct plain){
		.blocks = s->shape.blocks, .size = s->shape.size, .meta = s->shape.meta,
	};
	if ((s->shape.dlfeat & NVMQ_DLFEAT_READ_MASK) == NVMQ_DLFEAT_READ_ZEROES)
		s->plain.hole = PLAIN_HOLE_ZEROES;
	if ((s->shape.dlfeat & NVMQ_DLFEAT_READ_MASK) == NVMQ_DLFEAT_READ_ONES)
		s->plain.hole = PLAIN_HOLE_ONES;
	if (plain_init(&s->plain) || !mkdtemp(s->dir)) {
		fail(s, "no memory, or no directory");
		plain_exit(&s->plain);
		return;
	}
	start(s, &luck);
	operate(s, end);
	drain(s);
	if (s->dulbe && !s->failed)
		set_feature(s, 1, NVMQ_FEAT_ERROR_RECOVERY, 0);
	s->dulbe = false;
	read_all(s);
	if (s->shape.file && !s->failed) {
		check_file(s);
		if (!s->failed && one_in(&luck, 2))
			check_again(s, &luck);
	}
	stop(s);
	if (s->failed)
		show_log(s);
	remove_files(s);
	plain_exit(&s->plain);
}

bool soak_run(const struct soak_plan *plan, struct soak_figures *figures)
{
	int64_t end = plan->seconds ? now_ms() + plan->seconds * 1000ll : 0;
	static struct soak s;
	unsigned int i;

	memset(figures, 0, sizeof(*figures));
	for (i = 0; !plan->rounds || i < plan->rounds; i++) {
		if (end && now_ms() > end)
			break;
		memset(&s, 0, sizeof(s));
		s.plan = plan;
		s.figures = figures;
		s.round = plan->round + i;
		s.seed = mix64(plan->seed, s.round);
		run_round(&s, end);
		if (s.failed)
			return false;
		figures->rounds++;
	}
	return true;
}
