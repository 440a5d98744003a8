// SPDX-License-Identifier: GPL-2.0
/* A host that keeps to the specification, in small steps. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "nvme_host.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define MS	1000000ull

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("Bail out! nvme_host: %s\n", what);
	exit(1);
}

static void pump(void *ctx)
{
	struct nvme_host *n = ctx;

	device_step(n->device);
}

void nvme_run(struct nvme_host *n)
{
	while (device_step(n->device) > 0)
		;
}

void nvme_run_for(struct nvme_host *n, unsigned int ms)
{
	uint64_t end = clock_now() + ms * MS;

	do {
		nvme_run(n);
		usleep(200);
	} while (clock_now() < end);
}

void nvme_start(struct nvme_host *n, const char *options)
{
	static const char small[] = "size=16M,queues=8,vectors=9";
	static struct options opt;
	unsigned int cap;
	char why[256];
	int pair[2];

	memset(n, 0, sizeof(*n));
	options_default(&opt);
	must(!options_device(&opt, small, why, sizeof(why)), why);
	must(!options || !options_device(&opt, options, why, sizeof(why)), why);
	n->out = open_memstream(&n->log, &n->log_size);
	must(n->out, "open_memstream");
	n->device = device_new(&opt, n->out);
	must(n->device, "device_new");
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	must(!vfu_adopt(n->device->vfu, pair[0]), "vfu_adopt");
	host_init(&n->host, pair[1]);
	n->host.pump = pump;
	n->host.pump_ctx = n;
	must(!host_version(&n->host, NULL, 0), "VERSION");
	must(!host_memory(&n->host, NVME_MEMORY), "memory");
	must(!host_dma_map(&n->host, NVME_IOVA, NVME_MEMORY, 3, 0), "DMA_MAP");
	n->next = NVME_IOVA;
	must(!host_config_set(&n->host, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER),
	     "PCI Command");
	cap = host_find_cap(&n->host, PCI_CAP_ID_MSIX);
	if (cap) {
		must(!host_irqs(&n->host, VFIO_PCI_MSIX_IRQ_INDEX, opt.vectors), "SET_IRQS");
		must(!host_config_set(&n->host, cap + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE),
		     "MSI-X");
	}
	nvme_run(n);
	n->cap = nvme_read64(n, NVMQ_REG_CAP);
	n->cc = NVMQ_CC_IOSQES | NVMQ_CC_IOCQES | opt.mpsmin << 7;
}

void nvme_stop(struct nvme_host *n)
{
	host_stop(&n->host);
	nvme_run(n);
	device_free(n->device);
	fclose(n->out);
	free(n->log);
}

uint32_t nvme_read32(struct nvme_host *n, uint64_t offset)
{
	uint32_t value = 0;

	must(!host_read(&n->host, BAR0, offset, &value, 4), "REGION_READ");
	return le32toh(value);
}

uint64_t nvme_read64(struct nvme_host *n, uint64_t offset)
{
	uint64_t value = 0;

	must(!host_read(&n->host, BAR0, offset, &value, 8), "REGION_READ");
	return le64toh(value);
}

void nvme_write32(struct nvme_host *n, uint64_t offset, uint32_t value)
{
	value = htole32(value);
	must(!host_write(&n->host, BAR0, offset, &value, 4), "REGION_WRITE");
	nvme_run(n);
}

void nvme_write64(struct nvme_host *n, uint64_t offset, uint64_t value)
{
	value = htole64(value);
	must(!host_write(&n->host, BAR0, offset, &value, 8), "REGION_WRITE");
	nvme_run(n);
}

uint64_t nvme_alloc(struct nvme_host *n, size_t bytes)
{
	uint64_t iova = n->next;

	n->next += (bytes + NVME_PAGE - 1) / NVME_PAGE * NVME_PAGE;
	must(n->next <= NVME_IOVA + NVME_MEMORY, "memory is used up");
	return iova;
}

void *nvme_at(struct nvme_host *n, uint64_t iova)
{
	return n->host.memory + (iova - NVME_IOVA);
}

static void init_queue(struct nvme_host *n, uint16_t qid, uint64_t sq, uint32_t sq_size,
		       uint64_t cq, uint32_t cq_size)
{
	n->queue[qid] = (struct nvme_queue){
		.n = n, .qid = qid, .sq = sq, .cq = cq, .sq_size = sq_size, .cq_size = cq_size,
		.phase = 1, .cid = 1,
	};
}

void nvme_set_admin(struct nvme_host *n, uint32_t entries)
{
	uint64_t asq = nvme_alloc(n, entries * 64ul), acq = nvme_alloc(n, entries * 16ul);

	init_queue(n, 0, asq, entries, acq, entries);
	nvme_write32(n, NVMQ_REG_AQA, (entries - 1) << 16 | (entries - 1));
	nvme_write64(n, NVMQ_REG_ASQ, asq);
	nvme_write64(n, NVMQ_REG_ACQ, acq);
}

bool nvme_wait_csts(struct nvme_host *n, uint32_t mask, uint32_t value)
{
	uint64_t end = clock_now() + 10000 * MS;

	do {
		if ((nvme_read32(n, NVMQ_REG_CSTS) & mask) == value)
			return true;
		usleep(100);
		nvme_run(n);
	} while (clock_now() < end);
	return false;
}

bool nvme_enable(struct nvme_host *n)
{
	nvme_set_admin(n, 16);
	nvme_write32(n, NVMQ_REG_CC, n->cc | NVMQ_CC_EN);
	return nvme_wait_csts(n, NVMQ_CSTS_RDY, NVMQ_CSTS_RDY);
}

bool nvme_disable(struct nvme_host *n)
{
	nvme_write32(n, NVMQ_REG_CC, n->cc);
	return nvme_wait_csts(n, NVMQ_CSTS_RDY, 0);
}

uint64_t nvme_db_sq(const struct nvme_host *n, unsigned int qid)
{
	return NVMQ_REG_DOORBELLS + (2ull * qid) * (4ull << NVMQ_CAP_DSTRD(n->cap));
}

uint64_t nvme_db_cq(const struct nvme_host *n, unsigned int qid)
{
	return NVMQ_REG_DOORBELLS + (2ull * qid + 1) * (4ull << NVMQ_CAP_DSTRD(n->cap));
}

uint16_t nvme_push(struct nvme_queue *q, struct nvmq_sqe *sqe)
{
	struct nvmq_sqe *ring = nvme_at(q->n, q->sq);

	if (!sqe->cid) {
		sqe->cid = htole16(q->cid++);
		/* 0 means "choose one", and the end of the range is not to be used. */
		if (q->cid == 0xfff0)
			q->cid = 1;
	}
	ring[q->tail] = *sqe;
	q->tail = (q->tail + 1) % q->sq_size;
	return le16toh(sqe->cid);
}

void nvme_ring(struct nvme_queue *q)
{
	nvme_write32(q->n, nvme_db_sq(q->n, q->qid), q->tail);
}

bool nvme_pop(struct nvme_queue *q, struct nvmq_cqe *cqe, unsigned int ms)
{
	struct nvmq_cqe *ring = nvme_at(q->n, q->cq);
	uint64_t end = clock_now() + ms * MS;

	for (;;) {
		uint16_t status = __atomic_load_n(&ring[q->head].status, __ATOMIC_ACQUIRE);

		if ((le16toh(status) & NVMQ_CQE_PHASE) == q->phase)
			break;
		if (clock_now() >= end)
			return false;
		nvme_run(q->n);
		usleep(50);
	}
	if (cqe)
		*cqe = ring[q->head];
	if (++q->head == q->cq_size) {
		q->head = 0;
		q->phase ^= 1;
	}
	nvme_write32(q->n, nvme_db_cq(q->n, q->qid), q->head);
	return true;
}

uint16_t nvme_do(struct nvme_queue *q, struct nvmq_sqe *sqe, uint32_t *dw0)
{
	struct nvmq_cqe cqe;
	uint16_t cid = nvme_push(q, sqe);

	nvme_ring(q);
	if (!nvme_pop(q, &cqe, 10000) || le16toh(cqe.cid) != cid)
		return 0xffff;
	if (dw0)
		*dw0 = le32toh(cqe.dw0);
	return le16toh(cqe.status) >> 1 & NVMQ_SC_MASK;
}

uint16_t nvme_admin(struct nvme_host *n, struct nvmq_sqe *sqe)
{
	return nvme_do(&n->queue[0], sqe, NULL);
}

uint16_t nvme_identify(struct nvme_host *n, uint32_t cns, uint32_t nsid, uint64_t *page)
{
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_ADMIN_IDENTIFY, .nsid = htole32(nsid), .cdw10 = htole32(cns),
	};

	*page = nvme_alloc(n, NVMQ_IDENTIFY_SIZE);
	sqe.prp1 = htole64(*page);
	return nvme_admin(n, &sqe);
}

uint16_t nvme_set_queues(struct nvme_host *n, uint32_t pairs)
{
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_ADMIN_SET_FEATURES, .cdw10 = htole32(NVMQ_FEAT_QUEUE_COUNT),
		.cdw11 = htole32((pairs - 1) << 16 | (pairs - 1)),
	};

	return nvme_admin(n, &sqe);
}

struct nvmq_sqe nvme_create_cq_sqe(struct nvme_host *n, uint16_t qid, uint32_t entries,
				   uint16_t vector)
{
	return (struct nvmq_sqe){
		.opcode = NVMQ_ADMIN_CREATE_CQ, .prp1 = htole64(nvme_alloc(n, entries * 16ul)),
		.cdw10 = htole32((entries - 1) << 16 | qid),
		.cdw11 = htole32((uint32_t)vector << 16 | NVMQ_CQ_INTERRUPTS |
				 NVMQ_QUEUE_CONTIGUOUS),
	};
}

struct nvmq_sqe nvme_create_sq_sqe(struct nvme_host *n, uint16_t qid, uint32_t entries,
				   uint16_t cqid)
{
	return (struct nvmq_sqe){
		.opcode = NVMQ_ADMIN_CREATE_SQ, .prp1 = htole64(nvme_alloc(n, entries * 64ul)),
		.cdw10 = htole32((entries - 1) << 16 | qid),
		.cdw11 = htole32((uint32_t)cqid << 16 | NVMQ_QUEUE_CONTIGUOUS),
	};
}

uint16_t nvme_create(struct nvme_host *n, uint16_t qid, uint32_t entries)
{
	uint16_t vector = qid < n->host.nr_irqs ? qid : 0, status;
	struct nvmq_sqe cq = nvme_create_cq_sqe(n, qid, entries, vector);
	struct nvmq_sqe sq = nvme_create_sq_sqe(n, qid, entries, qid);

	init_queue(n, qid, le64toh(sq.prp1), entries, le64toh(cq.prp1), entries);
	status = nvme_admin(n, &cq);
	return status ? status : nvme_admin(n, &sq);
}

struct nvmq_sqe nvme_delete_sqe(uint8_t opcode, uint16_t qid)
{
	return (struct nvmq_sqe){ .opcode = opcode, .cdw10 = htole32(qid) };
}

struct nvmq_sqe nvme_rw_sqe(uint8_t opcode, uint64_t slba, uint32_t blocks, uint64_t prp1,
			    uint64_t prp2)
{
	return (struct nvmq_sqe){
		.opcode = opcode, .nsid = htole32(1), .prp1 = htole64(prp1), .prp2 = htole64(prp2),
		.cdw10 = htole32(slba), .cdw11 = htole32(slba >> 32),
		.cdw12 = htole32(blocks - 1),
	};
}

static void put64(struct nvme_host *n, uint64_t at, uint64_t value)
{
	value = htole64(value);
	memcpy(nvme_at(n, at), &value, 8);
}

uint64_t nvme_prp2(struct nvme_host *n, uint64_t data, uint64_t bytes, uint64_t list)
{
	uint64_t first = NVME_PAGE - data % NVME_PAGE, page = data + first, at = list, left;

	if (bytes <= first)
		return 0;
	left = bytes - first;
	if (left <= NVME_PAGE)
		return page;
	while (left) {
		if (at % NVME_PAGE == NVME_PAGE - 8 && left > NVME_PAGE) {
			put64(n, at, at + 8);
			at += 8;
		}
		put64(n, at, page);
		at += 8;
		page += NVME_PAGE;
		left -= left < NVME_PAGE ? left : NVME_PAGE;
	}
	return list;
}

bool nvme_up(struct nvme_host *n)
{
	return nvme_enable(n) && !nvme_set_queues(n, 8) && !nvme_create(n, 1, 16);
}

unsigned long nvme_violations(const struct nvme_host *n)
{
	return judge_total(n->device->judge);
}
