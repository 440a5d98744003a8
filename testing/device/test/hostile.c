// SPDX-License-Identifier: GPL-2.0
/* See hostile.h. Nothing here looks at what the device answers, but for completions. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include <nvmq/spec.h>

#include "device.h"
#include "host.h"
#include "hostile.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define PAGE		4096
#define MEMORY_BYTES	(64 * PAGE)
#define ENTRIES		32
/* Pages of guest memory: two queue pairs, then data. */
#define SQ_PAGE(qid)	(2 * (qid))
#define CQ_PAGE(qid)	(2 * (qid) + 1)
#define DATA_PAGE	4

struct queue {
	uint32_t sq_tail;
	uint32_t cq_head;
	uint32_t phase;
};

struct hostile {
	struct host host;
	struct device *device;
	struct queue queues[2];
	struct hostile_stats *stats;
	const uint8_t *data;
	size_t left;
	uint16_t cid;
};

/* ---- the string ---- */

static uint8_t byte(struct hostile *h)
{
	if (!h->left)
		return 0;
	h->left--;
	return *h->data++;
}

static uint32_t word(struct hostile *h)
{
	uint32_t low = byte(h);

	return low | byte(h) << 8;
}

/* A number as hosts use them: mostly small, some at the edges, some anything. */
static uint32_t number(struct hostile *h)
{
	uint32_t first = byte(h);

	if (first < 0xc0)
		return first;
	if (first < 0xe0)
		return 1U << (first & 31);
	if (first < 0xf0)
		return (1U << (first & 15) * 2) - 1;
	return word(h) | word(h) << 16;
}

/* Somewhere in guest memory, mostly at the start of a page. */
static uint64_t address(struct hostile *h)
{
	uint8_t page = byte(h);

	if (page < 0x80)
		return page % 66 * (uint64_t)PAGE;
	if (page < 0xf0)
		return page % 66 * (uint64_t)PAGE + word(h) % PAGE;
	return (uint64_t)number(h) << 32 | number(h);
}

/* ---- the host ---- */

static void step(void *ctx)
{
	struct hostile *h = ctx;
	unsigned int i;

	for (i = 0; i < 50 && device_step(h->device) > 0; i++)
		;
}

static void write32(struct hostile *h, uint64_t off, uint32_t value)
{
	value = htole32(value);
	host_post(&h->host, BAR0, off, &value, sizeof(value));
}

static void write64(struct hostile *h, uint64_t off, uint64_t value)
{
	value = htole64(value);
	host_post(&h->host, BAR0, off, &value, sizeof(value));
}

/* Take what was completed, if the queue is still where it was. */
static void consume(struct hostile *h, unsigned int qid)
{
	struct queue *queue = &h->queues[qid];
	unsigned int nr;

	for (nr = 0; nr < ENTRIES; nr++) {
		struct nvmq_cqe cqe;

		memcpy(&cqe, h->host.memory + CQ_PAGE(qid) * PAGE + queue->cq_head * sizeof(cqe),
		       sizeof(cqe));
		if ((le16toh(cqe.status) & 1) != queue->phase)
			break;
		h->stats->completions++;
		h->stats->successes += !(le16toh(cqe.status) >> 1);
		queue->cq_head = (queue->cq_head + 1) % ENTRIES;
		queue->phase ^= !queue->cq_head;
	}
	if (nr)
		write32(h, 0x1000 + (2 * qid + 1) * 4, queue->cq_head);
}

static void submit(struct hostile *h, unsigned int qid, const struct nvmq_sqe *sqe)
{
	struct queue *queue = &h->queues[qid];

	memcpy(h->host.memory + SQ_PAGE(qid) * PAGE + queue->sq_tail * sizeof(*sqe), sqe,
	       sizeof(*sqe));
	queue->sq_tail = (queue->sq_tail + 1) % ENTRIES;
	write32(h, 0x1000 + 2 * qid * 4, queue->sq_tail);
}

static void connect_host(struct hostile *h)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	if (vfu_adopt(h->device->vfu, pair[1]))
		abort();
	host_init(&h->host, pair[0]);
	h->host.pump = step;
	h->host.pump_ctx = h;
	h->host.timeout_ms = 20;
	host_version(&h->host, NULL, 0);
	if (host_memory(&h->host, MEMORY_BYTES))
		abort();
}

static void disconnect_host(struct hostile *h)
{
	unsigned int i;

	host_stop(&h->host);
	for (i = 0; i < 1000 && vfu_has_client(h->device->vfu); i++)
		device_step(h->device);
}

/* What every host does first: memory, interrupts, enable, one pair of I/O queues. */
static void bring_up(struct hostile *h)
{
	struct nvmq_sqe sqe;

	memset(h->queues, 0, sizeof(h->queues));
	h->queues[0].phase = 1;
	h->queues[1].phase = 1;
	host_dma_map(&h->host, 0, MEMORY_BYTES, 3, 0);
	host_config_set(&h->host, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	host_irqs(&h->host, VFIO_PCI_MSIX_IRQ_INDEX, 2);
	host_config_set(&h->host, host_find_cap(&h->host, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS, 2,
			PCI_MSIX_FLAGS_ENABLE);
	write32(h, NVMQ_REG_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	write64(h, NVMQ_REG_ASQ, SQ_PAGE(0) * PAGE);
	write64(h, NVMQ_REG_ACQ, CQ_PAGE(0) * PAGE);
	write32(h, NVMQ_REG_CC, 0x00460001);
	step(h);

	memset(&sqe, 0, sizeof(sqe));
	sqe.opcode = 0x05;
	sqe.cid = htole16(h->cid++);
	sqe.prp1 = htole64(CQ_PAGE(1) * PAGE);
	sqe.cdw10 = htole32((ENTRIES - 1) << 16 | 1);
	sqe.cdw11 = htole32(1 << 16 | 3);
	submit(h, 0, &sqe);
	sqe.opcode = 0x01;
	sqe.cid = htole16(h->cid++);
	sqe.prp1 = htole64(SQ_PAGE(1) * PAGE);
	sqe.cdw11 = htole32(1 << 16 | 1);
	submit(h, 0, &sqe);
	step(h);
	consume(h, 0);
}

/* ---- what it can do ---- */

static void do_message(struct hostile *h)
{
	struct host_header header = { .cmd = byte(h) % 18, .id = h->cid };
	uint8_t payload[512], flags = byte(h);
	size_t len = flags & 1 ? word(h) % sizeof(payload) : byte(h) % 64, i;
	int fds[2] = { h->host.memfd, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };

	for (i = 0; i < len; i++)
		payload[i] = byte(h);
	header.size = sizeof(header) + len;
	/* Now and then the size is a lie, and the connection worth nothing any more. */
	if ((flags & 0xf0) == 0xf0)
		header.size = number(h);
	header.flags = flags & 2 ? HOST_F_NO_REPLY : 0;
	host_send(&h->host, &header, payload, len, &fds[flags >> 2 & 1], flags >> 3 & 1);
	close(fds[1]);
	step(h);
	if (!vfu_has_client(h->device->vfu) || header.size != sizeof(header) + len) {
		disconnect_host(h);
		connect_host(h);
		bring_up(h);
	}
}

static void do_register(struct hostile *h)
{
	static const uint16_t registers[] = {
		NVMQ_REG_CC, NVMQ_REG_CSTS, NVMQ_REG_AQA, NVMQ_REG_ASQ, NVMQ_REG_ACQ, 0x0c, 0x10,
		0x20, 0x1000, 0x1004, 0x1008, 0x100c, 0x1010, 0x1014, 0, 8,
	};
	uint8_t how = byte(h);
	uint64_t off = how & 0x80 ? word(h) % 0x2100 : registers[how & 15];
	uint64_t value = how & 0x40 ? address(h) : number(h);
	static const uint8_t sizes[] = { 4, 8, 4, 1 };

	value = htole64(value);
	if (how & 0x10)
		host_read(&h->host, BAR0, off, &value, sizes[how >> 5 & 3]);
	else
		host_post(&h->host, BAR0, off, &value, sizes[how >> 5 & 3]);
}

/* Commands that are likely to mean something. */
static void do_command(struct hostile *h)
{
	static const uint8_t admin[] = { 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 0x15, 0x80, 0x14 };
	static const uint8_t io[] = { 0, 1, 2, 4, 5, 8, 9, 0x0c, 0x0d, 0x19 };
	struct nvmq_sqe sqe = { 0 };
	uint8_t how = byte(h), opcode = byte(h);
	unsigned int qid = how & 1;
	uint32_t dw[6];
	unsigned int i;

	if (opcode & 0x80)
		sqe.opcode = opcode & 0x40 ? byte(h) : opcode & 0x3f;
	else if (qid)
		sqe.opcode = io[opcode % sizeof(io)];
	else
		sqe.opcode = admin[opcode % sizeof(admin)];
	sqe.flags = how & 2 ? byte(h) : 0;
	sqe.cid = htole16(how & 4 ? word(h) : h->cid++);
	sqe.nsid = htole32(how & 8 ? number(h) : 1);
	sqe.prp1 = htole64(how & 16 ? address(h) : DATA_PAGE * PAGE);
	sqe.prp2 = htole64(how & 32 ? address(h) : (DATA_PAGE + 1) * PAGE);
	for (i = 0; i < 6; i++)
		dw[i] = htole32(how & 64 || i < 3 ? number(h) : 0);
	memcpy((uint8_t *)&sqe + offsetof(struct nvmq_sqe, cdw10), dw, sizeof(dw));
	submit(h, qid, &sqe);
	if (how & 128)
		step(h);
}

/* Lists of pages, ranges, data: whatever the device will take it for. */
static void do_memory(struct hostile *h)
{
	uint32_t off = word(h) % (MEMORY_BYTES / 8) * 8, nr = byte(h) % 32;

	for (; nr && off < MEMORY_BYTES - 8; nr--, off += 8) {
		uint64_t value = htole64(address(h));

		memcpy(h->host.memory + off, &value, sizeof(value));
	}
}

static void do_mapping(struct hostile *h)
{
	uint8_t how = byte(h);
	uint64_t iova = byte(h) % 66 * PAGE, size = (byte(h) % 66 + 1) * PAGE;

	if (how & 1) {
		host_dma_unmap(&h->host, how & 2 ? iova : 0, how & 2 ? size : MEMORY_BYTES);
	} else {
		host_dma_map(&h->host, how & 2 ? iova : 0, how & 2 ? size : MEMORY_BYTES,
			     how & 4 ? how >> 3 & 3 : 3, how & 32 ? byte(h) * PAGE : 0);
	}
}

static void do_config(struct hostile *h)
{
	uint8_t how = byte(h);

	if (how & 1)
		host_config_set(&h->host, PCI_COMMAND, 2, byte(h));
	else
		host_config_set(&h->host, byte(h), 1 << (how >> 1 & 1), word(h));
}

void hostile_run(const uint8_t *data, size_t size, struct hostile_stats *stats)
{
	static FILE *nowhere;
	static struct options options;
	struct hostile_stats none = { 0 };
	struct hostile h = { .data = data, .left = size, .stats = stats ? stats : &none };
	const struct vfu_stats *vfu;

	if (!nowhere) {
		char why[256];

		nowhere = fopen("/dev/null", "w");
		options_default(&options);
		if (!nowhere || options_device(&options, "size=1M,ns=2,msi=4", why, sizeof(why)))
			abort();
	}
	h.device = device_new(&options, nowhere);
	if (!h.device)
		abort();
	connect_host(&h);
	bring_up(&h);
	while (h.left) {
		switch (byte(&h) % 16) {
		case 0:
			do_message(&h);
			break;
		case 1:
		case 2:
			do_register(&h);
			break;
		case 3:
			do_memory(&h);
			break;
		case 4:
			do_mapping(&h);
			break;
		case 5:
			do_config(&h);
			break;
		case 6:
			host_reset(&h.host);
			bring_up(&h);
			break;
		case 7:
			step(&h);
			break;
		case 8:
			step(&h);
			consume(&h, 0);
			consume(&h, 1);
			break;
		default:
			do_command(&h);
			break;
		}
	}
	step(&h);
	consume(&h, 0);
	consume(&h, 1);
	disconnect_host(&h);
	vfu = vfu_get_stats(h.device->vfu);
	h.stats->messages += vfu->messages;
	h.stats->refused += vfu->refused;
	h.stats->connections += vfu->clients;
	device_free(h.device);
}
