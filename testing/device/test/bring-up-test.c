// SPDX-License-Identifier: GPL-2.0
/*
 * The controller as a device: registers, states, queues, arbitration, interrupts, events.  Nothing
 * in here is a violation, and each test ends with looking at that.
 */
#include <endian.h>
#include <string.h>
#include <linux/pci_regs.h>

#include "nvme_host.h"
#include "tap.h"

static struct nvme_host n;

/* Ends the device of a test, which has kept to the rules. */
static void end(void)
{
	fflush(n.out);
	CHECK(!nvme_violations(&n), "%s", n.log);
	nvme_stop(&n);
}

static void test_registers(void)
{
	nvme_start(&n, "mqes=100,dstrd=1,to=3,crto=7,wrr,nssrs,mpsmin=1,mpsmax=2");
	CHECK(NVMQ_CAP_MQES(n.cap) == 99, "CAP %llx", (unsigned long long)n.cap);
	CHECK(NVMQ_CAP_DSTRD(n.cap) == 1, "CAP %llx", (unsigned long long)n.cap);
	CHECK(NVMQ_CAP_TO(n.cap) == 3, "CAP %llx", (unsigned long long)n.cap);
	CHECK(NVMQ_CAP_MPSMIN(n.cap) == 1, "CAP %llx", (unsigned long long)n.cap);
	CHECK(NVMQ_CAP_CRMS(n.cap) == NVMQ_CAP_CRMS_CRWMS, "CAP %llx", (unsigned long long)n.cap);
	CHECK(n.cap >> 36 & 1 && n.cap >> 17 & 1, "CAP %llx", (unsigned long long)n.cap);
	CHECK(nvme_read32(&n, NVMQ_REG_CRTO) == 7, "CRTO");
	CHECK(nvme_read32(&n, NVMQ_REG_VS) == NVMQ_VS(2, 0), "VS");
	CHECK(nvme_read32(&n, NVMQ_REG_CAP + 4) == n.cap >> 32, "upper half of CAP");
	CHECK(!nvme_read32(&n, NVMQ_REG_CSTS), "CSTS");
	nvme_write32(&n, NVMQ_REG_ASQ, 0x12345000);
	nvme_write32(&n, NVMQ_REG_ASQ + 4, 0x9);
	CHECK(nvme_read64(&n, NVMQ_REG_ASQ) == 0x912345000, "ASQ by halves");
	end();
}

static void test_enable(void)
{
	uint32_t i;

	nvme_start(&n, "ready=300");
	nvme_set_admin(&n, 16);
	nvme_write32(&n, NVMQ_REG_CC, n.cc | NVMQ_CC_EN);
	CHECK(!(nvme_read32(&n, NVMQ_REG_CSTS) & NVMQ_CSTS_RDY), "ready at once");
	CHECK(nvme_wait_csts(&n, NVMQ_CSTS_RDY, NVMQ_CSTS_RDY), "not ready");
	for (i = 0; i < 3; i++) {
		CHECK(nvme_disable(&n), "round %u", i);
		CHECK(nvme_read32(&n, NVMQ_REG_AQA) == 0xf000f, "AQA stays in a Controller Reset");
		CHECK(nvme_enable(&n), "round %u", i);
	}
	end();
}

static void test_fatal_without_admin_queue(void)
{
	nvme_start(&n, NULL);
	/* All of it right, but the memory is not there. */
	nvme_set_admin(&n, 16);
	nvme_write64(&n, NVMQ_REG_ASQ, NVME_IOVA + NVME_MEMORY);
	nvme_write32(&n, NVMQ_REG_CC, n.cc | NVMQ_CC_EN);
	CHECK(nvme_wait_csts(&n, NVMQ_CSTS_CFS, NVMQ_CSTS_CFS), "no CFS");
	CHECK(judge_count(n.device->judge, RULE_DMA_UNMAPPED) == 1, "and nobody says why");
	judge_clear(n.device->judge);
	CHECK(nvme_disable(&n), "a reset does not help");
	CHECK(!(nvme_read32(&n, NVMQ_REG_CSTS) & NVMQ_CSTS_CFS), "CFS stays");
	CHECK(nvme_enable(&n), "nor then");
	end();
}

static void test_shutdown(void)
{
	nvme_start(&n, "shutdown=300");
	CHECK(nvme_up(&n), "up");
	nvme_write32(&n, NVMQ_REG_CC, n.cc | NVMQ_CC_EN | NVMQ_CC_SHN_NORMAL);
	CHECK((nvme_read32(&n, NVMQ_REG_CSTS) & NVMQ_CSTS_SHST_MASK) == 1 << 2, "not begun");
	CHECK(nvme_wait_csts(&n, NVMQ_CSTS_SHST_MASK, NVMQ_CSTS_SHST_DONE), "not done");
	CHECK(nvme_disable(&n) && nvme_enable(&n), "no way back");
	CHECK(!(nvme_read32(&n, NVMQ_REG_CSTS) & NVMQ_CSTS_SHST_MASK), "SHST stays");
	/* Nor does a shutdown of what is disabled already. */
	CHECK(nvme_disable(&n), "disable");
	nvme_write32(&n, NVMQ_REG_CC, n.cc | NVMQ_CC_SHN_NORMAL);
	CHECK(nvme_wait_csts(&n, NVMQ_CSTS_SHST_MASK, NVMQ_CSTS_SHST_DONE), "not done");
	nvme_write32(&n, NVMQ_REG_CC, n.cc);
	CHECK(nvme_enable(&n), "no way back");
	CHECK(!(nvme_read32(&n, NVMQ_REG_CSTS) & NVMQ_CSTS_SHST_MASK), "SHST stays");
	end();
}

static void test_identify(void)
{
	struct nvmq_id_ctrl *id;
	uint64_t page;

	nvme_start(&n, "mdts=5,acl=2,aerl=1,serial=ABC");
	CHECK(nvme_enable(&n), "enable");
	CHECK(!nvme_identify(&n, NVMQ_CNS_CONTROLLER, 0, &page), "Identify");
	id = nvme_at(&n, page);
	CHECK(id->mdts == 5 && id->acl == 2 && id->aerl == 1, "mdts %u acl %u aerl %u", id->mdts,
	      id->acl, id->aerl);
	CHECK(!memcmp(id->sn, "ABC  ", 5), "serial number");
	end();
}

static void fill(uint64_t iova, size_t bytes, uint64_t seed)
{
	uint64_t *p = nvme_at(&n, iova);
	size_t i;

	for (i = 0; i < bytes / 8; i++)
		p[i] = seed + i;
}

static bool is_filled(uint64_t iova, size_t bytes, uint64_t seed)
{
	const uint64_t *p = nvme_at(&n, iova);
	size_t i;

	for (i = 0; i < bytes / 8; i++)
		if (p[i] != seed + i)
			return false;
	return true;
}

/* Every shape of a data pointer: one page, two, lists, lists of lists, with and without offset. */
static void test_data_pointers(void)
{
	static const uint32_t sizes[] = { 512, 4096, 4608, 8192, 12288, 65536, 2093056, 2097152,
					  2101248, 4194304 };
	static const uint32_t list_offsets[] = { 0, 8, 4072, 4080, 4088 };
	uint64_t data, list;
	unsigned int i, j, offset;

	nvme_start(&n, "mdts=11");
	CHECK(nvme_up(&n), "up");
	data = nvme_alloc(&n, 5 << 20);
	list = nvme_alloc(&n, 4 * NVME_PAGE);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (offset = 0; offset < 4096; offset += 1016) {
			for (j = 0; j < 5; j++) {
				uint32_t bytes = sizes[i];
				uint64_t at = data + offset, prp2;
				struct nvmq_sqe sqe;

				prp2 = nvme_prp2(&n, at, bytes, list + list_offsets[j]);
				fill(at, bytes, bytes + offset + j);
				sqe = nvme_rw_sqe(NVMQ_IO_WRITE, 8, bytes / 512, at, prp2);
				CHECK(!nvme_do(&n.queue[1], &sqe, NULL), "write %u at %u", bytes,
				      offset);
				memset(nvme_at(&n, at), 0, bytes);
				sqe = nvme_rw_sqe(NVMQ_IO_READ, 8, bytes / 512, at, prp2);
				CHECK(!nvme_do(&n.queue[1], &sqe, NULL), "read %u at %u", bytes,
				      offset);
				CHECK(is_filled(at, bytes, bytes + offset + j),
				      "%u at %u, list at %u differ", bytes, offset,
				      list_offsets[j]);
			}
		}
	}
	end();
}

static void put_sgl(uint64_t at, uint64_t address, uint32_t length, uint8_t id)
{
	uint64_t *desc = nvme_at(&n, at);

	desc[0] = htole64(address);
	desc[1] = htole64(length | (uint64_t)id << 56);
}

/* A data block in the command, a last segment, and a segment that leads to one. */
static void test_sgl(void)
{
	uint64_t data, list;
	struct nvmq_sqe sqe;

	nvme_start(&n, NULL);
	CHECK(nvme_up(&n), "up");
	data = nvme_alloc(&n, 1 << 16);
	list = nvme_alloc(&n, 2 * NVME_PAGE);
	fill(data + 7 * 8, 8192, 77);
	sqe = nvme_rw_sqe(NVMQ_IO_WRITE, 0, 16, data + 7 * 8, 8192);
	sqe.flags = NVMQ_SQE_SGL;
	CHECK(!nvme_do(&n.queue[1], &sqe, NULL), "write by a data block");
	/* Read back in pieces of odd sizes. */
	put_sgl(list, data + (1 << 15), 1000, 0x00);
	put_sgl(list + 16, data + (1 << 15) + 1000, 3000, 0x00);
	put_sgl(list + 32, list + NVME_PAGE, 32, 0x30);
	put_sgl(list + NVME_PAGE, data + (1 << 15) + 4000, 4096, 0x00);
	put_sgl(list + NVME_PAGE + 16, data + (1 << 15) + 8096, 96, 0x00);
	sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 16, list, 48 | 0x20ull << 56);
	sqe.flags = NVMQ_SQE_SGL;
	CHECK(!nvme_do(&n.queue[1], &sqe, NULL), "read by segments");
	CHECK(is_filled(data + (1 << 15), 8192, 77), "differ");
	end();
}

static void test_doorbell_stride(void)
{
	uint64_t page;
	unsigned int dstrd;

	for (dstrd = 0; dstrd <= 6; dstrd += 2) {
		char text[32];

		snprintf(text, sizeof(text), "dstrd=%u", dstrd);
		nvme_start(&n, text);
		CHECK(nvme_up(&n), "DSTRD %u", dstrd);
		CHECK(!nvme_create(&n, 8, 5), "the last queue");
		CHECK(!nvme_identify(&n, NVMQ_CNS_CONTROLLER, 0, &page), "Identify");
		end();
	}
}

/* Rings of every size wrap around, and are never filled to the last entry. */
static void test_queue_sizes(void)
{
	static const uint32_t sizes[] = { 2, 3, 5, 7, 16, 31, 257 };
	unsigned int i, j;
	uint64_t data;

	nvme_start(&n, NULL);
	CHECK(nvme_enable(&n) && !nvme_set_queues(&n, 8), "enable");
	data = nvme_alloc(&n, NVME_PAGE);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct nvme_queue *q = &n.queue[i + 1];
		unsigned int left = 3 * sizes[i] + 1, batch;

		CHECK(!nvme_create(&n, i + 1, sizes[i]), "%u entries", sizes[i]);
		for (; left; left -= batch) {
			batch = left < sizes[i] - 1 ? left : sizes[i] - 1;
			for (j = 0; j < batch; j++) {
				struct nvmq_sqe sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 1, data, 0);

				nvme_push(q, &sqe);
			}
			nvme_ring(q);
			for (j = 0; j < batch; j++) {
				struct nvmq_cqe cqe;

				CHECK(nvme_pop(q, &cqe, 10000), "%u entries", sizes[i]);
				CHECK(le16toh(cqe.sqhd) == q->tail || j + 1 < batch, "sqhd %u",
				      le16toh(cqe.sqhd));
				CHECK(le16toh(cqe.sqid) == i + 1, "sqid %u", le16toh(cqe.sqid));
			}
		}
	}
	end();
}

/* Three submission queues complete into one queue that has no room for all of it. */
static void test_shared_cq(void)
{
	struct nvmq_sqe sqe = { 0 };
	uint32_t got[4] = { 0 };
	struct nvmq_cqe cqe;
	unsigned int i, j;
	uint64_t data;

	nvme_start(&n, NULL);
	CHECK(nvme_enable(&n) && !nvme_set_queues(&n, 8) && !nvme_create(&n, 1, 4), "enable");
	data = nvme_alloc(&n, NVME_PAGE);
	for (i = 2; i <= 3; i++) {
		sqe = nvme_create_sq_sqe(&n, i, 16, 1);
		n.queue[i] = n.queue[1];
		n.queue[i].qid = i;
		n.queue[i].sq = le64toh(sqe.prp1);
		n.queue[i].sq_size = 16;
		CHECK(!nvme_admin(&n, &sqe), "create");
	}
	for (i = 1; i <= 3; i++) {
		for (j = 0; j < (i == 1 ? 3 : 15); j++) {
			sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 1, data, 0);
			nvme_push(&n.queue[i], &sqe);
		}
		nvme_ring(&n.queue[i]);
	}
	CHECK(n.device->ctrl->cq[1]->waiting, "it was to be full");
	for (i = 0; i < 33; i++) {
		CHECK(nvme_pop(&n.queue[1], &cqe, 10000), "completion %u", i);
		got[le16toh(cqe.sqid) & 3]++;
	}
	CHECK(got[1] == 3 && got[2] == 15 && got[3] == 15, "%u %u %u", got[1], got[2], got[3]);
	CHECK(!nvme_pop(&n.queue[1], &cqe, 2), "one more");
	sqe = nvme_delete_sqe(NVMQ_ADMIN_DELETE_SQ, 1);
	CHECK(!nvme_admin(&n, &sqe), "delete");
	sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 1, data, 0);
	nvme_push(&n.queue[2], &sqe);
	nvme_ring(&n.queue[2]);
	CHECK(nvme_pop(&n.queue[1], &cqe, 10000), "the others go on");
	end();
}

/*
 * Queues 1 to @nr share queue 1 for completions and get @each commands each while the controller
 * is no bus master; then it may fetch.  @order becomes the queues in the order of completion.
 */
static unsigned int contend(unsigned int nr, unsigned int each, const uint8_t *prio, uint8_t *order)
{
	struct nvmq_sqe sqe = nvme_create_cq_sqe(&n, 1, nr * each + 1, 1);
	uint64_t cq = le64toh(sqe.prp1), data = nvme_alloc(&n, NVME_PAGE);
	struct nvmq_cqe cqe;
	unsigned int i, j;

	CHECK(!nvme_admin(&n, &sqe), "create");
	for (i = 1; i <= nr; i++) {
		sqe = nvme_create_sq_sqe(&n, i, each + 1, 1);
		sqe.cdw11 |= htole32(prio[i - 1] << 1);
		n.queue[i] = (struct nvme_queue){ &n, i, le64toh(sqe.prp1), cq, each + 1,
						  nr * each + 1, 0, 0, 1, 1 };
		CHECK(!nvme_admin(&n, &sqe), "create");
	}
	host_config_set(&n.host, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	for (i = 1; i <= nr; i++) {
		for (j = 0; j < each; j++) {
			sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 1, data, 0);
			nvme_push(&n.queue[i], &sqe);
		}
		nvme_ring(&n.queue[i]);
	}
	CHECK(!nvme_pop(&n.queue[1], NULL, 0), "not a bus master, and yet it works");
	host_config_set(&n.host, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	for (i = 0; i < nr * each && nvme_pop(&n.queue[1], &cqe, 10000); i++)
		order[i] = le16toh(cqe.sqid);
	return i;
}

static void set_feature(uint32_t fid, uint32_t dw11)
{
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_ADMIN_SET_FEATURES, .cdw10 = htole32(fid), .cdw11 = htole32(dw11),
	};

	CHECK(!nvme_admin(&n, &sqe), "Set Features %#x", fid);
}

static void test_round_robin(void)
{
	static const uint8_t prio[3];
	uint8_t order[24];
	unsigned int i;

	nvme_start(&n, NULL);
	CHECK(nvme_enable(&n) && !nvme_set_queues(&n, 8), "enable");
	/* Bursts of two commands. */
	set_feature(NVMQ_FEAT_ARBITRATION, 1);
	CHECK(contend(3, 8, prio, order) == 24, "not all complete");
	for (i = 0; i < 24; i++)
		CHECK(order[i] == i / 2 % 3 + 1, "%u: queue %u", i, order[i]);
	end();
}

static void test_weighted_round_robin(void)
{
	/* Queue 1 and 2 low, 3 medium, 4 high, 5 urgent */
	static const uint8_t prio[] = { 3, 3, 2, 1, 0 };
	uint8_t order[5 * 24];
	unsigned int i, round, seen[6];

	nvme_start(&n, "wrr");
	n.cc |= 1 << 11;
	CHECK(nvme_enable(&n) && !nvme_set_queues(&n, 8), "enable");
	/* Weights 2, 4 and 6, no limit of bursts. */
	set_feature(NVMQ_FEAT_ARBITRATION, 5u << 24 | 3 << 16 | 1 << 8 | 7);
	CHECK(contend(5, 24, prio, order) == sizeof(order), "not all complete");
	for (i = 0; i < 24; i++)
		CHECK(order[i] == 5, "%u: queue %u before the urgent one", i, order[i]);
	/* Rounds of 6 of high, 4 of medium, 2 of low, as long as all have some: 4 rounds. */
	for (round = 0; round < 4; round++) {
		memset(seen, 0, sizeof(seen));
		for (i = 0; i < 12; i++)
			seen[order[24 + 12 * round + i]]++;
		CHECK(seen[4] == 6 && seen[3] == 4 && seen[1] + seen[2] == 2,
		      "round %u: %u %u %u %u", round, seen[4], seen[3], seen[2], seen[1]);
	}
	/* High is empty now: 4 and 2 in a round, 2 rounds. */
	memset(seen, 0, sizeof(seen));
	for (i = 72; i < 84; i++)
		seen[order[i]]++;
	CHECK(seen[3] == 8 && seen[1] + seen[2] == 4, "%u %u %u", seen[3], seen[2], seen[1]);
	end();
}

static void test_interrupts(void)
{
	struct nvmq_sqe sqe;
	uint64_t data;
	unsigned int i;

	nvme_start(&n, NULL);
	CHECK(nvme_up(&n), "up");
	data = nvme_alloc(&n, NVME_PAGE);
	CHECK(host_irq_taken(&n.host, 0), "none for the admin queue");
	CHECK(!host_irq_taken(&n.host, 1), "one for queue 1");
	for (i = 0; i < 8; i++) {
		sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 1, data, 0);
		nvme_push(&n.queue[1], &sqe);
	}
	nvme_ring(&n.queue[1]);
	CHECK(host_irq_taken(&n.host, 1) >= 1, "none for queue 1");
	CHECK(!host_irq_taken(&n.host, 0), "one for the admin queue");
	for (i = 0; i < 8; i++)
		CHECK(nvme_pop(&n.queue[1], NULL, 10000), "completion %u", i);
	end();
}

/* A read of one block by queue 1, whose interrupt is left where it is. */
static void read_one(void)
{
	struct nvmq_sqe sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 1, nvme_alloc(&n, NVME_PAGE), 0);

	nvme_push(&n.queue[1], &sqe);
	nvme_ring(&n.queue[1]);
	CHECK(nvme_pop(&n.queue[1], NULL, 10000), "completion");
}

/* Reads of one block, one doorbell each; how many interrupts there were before the last one. */
static uint64_t read_some(unsigned int nr)
{
	uint64_t early = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct nvmq_sqe sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 1, NVME_IOVA + NVME_MEMORY -
						  NVME_PAGE, 0);

		early += host_irq_taken(&n.host, 1);
		nvme_push(&n.queue[1], &sqe);
		nvme_ring(&n.queue[1]);
	}
	return early;
}

static void pop_some(unsigned int nr)
{
	while (nr--)
		CHECK(nvme_pop(&n.queue[1], NULL, 10000), "completion");
}

static void test_coalescing(void)
{
	unsigned int tries;
	bool four = false, time = false;
	uint64_t start;

	nvme_start(&n, NULL);
	CHECK(nvme_up(&n), "up");
	/* Four entries, or 25 ms: on a busy machine the time may be over before the four are. */
	set_feature(NVMQ_FEAT_COALESCING, 250 << 8 | 3);
	for (tries = 0; tries < 50 && !four; tries++) {
		uint64_t early, last;

		start = clock_now();
		early = read_some(4);
		last = host_irq_taken(&n.host, 1);
		if (clock_now() - start < 25000000) {
			CHECK(!early && last == 1, "%u early, %u after four", (unsigned int)early,
			      (unsigned int)last);
			four = true;
		}
		pop_some(4);
		nvme_run_for(&n, 30);
		host_irq_taken(&n.host, 1);
	}
	CHECK(four, "never in time");
	for (tries = 0; tries < 50 && !time; tries++) {
		start = clock_now();
		read_some(1);
		if (!host_irq_taken(&n.host, 1)) {
			CHECK(ctrl_next(n.device->ctrl) != CLOCK_NEVER, "it is forgotten");
			nvme_run_for(&n, 30);
			CHECK(host_irq_taken(&n.host, 1) == 1, "no interrupt after the time");
			time = true;
		} else {
			CHECK(clock_now() - start >= 25000000, "an interrupt at once");
		}
		pop_some(1);
	}
	CHECK(time, "never in time");
	/* Vector 1 is excepted. */
	set_feature(NVMQ_FEAT_VECTOR, NVMQ_VECTOR_NO_COALESCING | 1);
	read_some(1);
	CHECK(host_irq_taken(&n.host, 1) == 1, "no interrupt at once");
	pop_some(1);
	end();
}

static void test_intx(void)
{
	struct nvmq_sqe sqe = { .opcode = NVMQ_ADMIN_GET_FEATURES,
				.cdw10 = htole32(NVMQ_FEAT_QUEUE_COUNT) };

	nvme_start(&n, "vectors=0");
	CHECK(!host_irqs(&n.host, VFIO_PCI_INTX_IRQ_INDEX, 1), "SET_IRQS");
	CHECK(nvme_enable(&n), "enable");
	nvme_push(&n.queue[0], &sqe);
	nvme_ring(&n.queue[0]);
	CHECK(host_config(&n.host, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, "the pin is low");
	CHECK(host_irq_taken(&n.host, 0), "no interrupt");
	nvme_write32(&n, NVMQ_REG_INTMS, 1);
	CHECK(!(host_config(&n.host, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT), "masked");
	CHECK(nvme_read32(&n, NVMQ_REG_INTMC) == 1, "INTMC");
	nvme_write32(&n, NVMQ_REG_INTMC, 1);
	CHECK(host_config(&n.host, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, "unmasked");
	CHECK(nvme_pop(&n.queue[0], NULL, 10000), "completion");
	CHECK(!(host_config(&n.host, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT), "consumed");
	end();
}

static void test_msi(void)
{
	unsigned int cap;

	nvme_start(&n, "vectors=0,msi=4");
	cap = host_find_cap(&n.host, PCI_CAP_ID_MSI);
	CHECK(!host_irqs(&n.host, VFIO_PCI_MSI_IRQ_INDEX, 4), "SET_IRQS");
	/* Two of the four. */
	host_config_set(&n.host, cap + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | 1 << 4);
	n.host.nr_irqs = 2;
	CHECK(nvme_up(&n), "up");
	CHECK(host_irq_taken(&n.host, 0), "no interrupt of the admin queue");
	/* Masked ones are kept. */
	nvme_write32(&n, NVMQ_REG_INTMS, 1 << 1);
	read_one();
	CHECK(!host_irq_taken(&n.host, 1), "masked");
	nvme_write32(&n, NVMQ_REG_INTMC, 1 << 1);
	CHECK(host_irq_taken(&n.host, 1) == 1, "unmasked");
	read_one();
	CHECK(host_irq_taken(&n.host, 1) == 1, "not masked");
	end();
}

/* Memory pages of 16 KiB: PRPs are of that size, too. */
static void test_page_size(void)
{
	uint64_t data, list, at, *entry;
	struct nvmq_sqe sqe;
	unsigned int i;

	nvme_start(&n, "mpsmin=1,mpsmax=3");
	n.cc = (n.cc & ~(0xf << 7)) | 2 << 7;
	n.next = NVME_IOVA + (1 << 16);
	nvme_write32(&n, NVMQ_REG_AQA, 0xff00ff);
	n.queue[0] = (struct nvme_queue){ &n, 0, n.next, n.next + (1 << 14), 256, 256, 0, 0, 1, 1 };
	nvme_write64(&n, NVMQ_REG_ASQ, n.next);
	nvme_write64(&n, NVMQ_REG_ACQ, n.next + (1 << 14));
	n.next += 1 << 16;
	nvme_write32(&n, NVMQ_REG_CC, n.cc | NVMQ_CC_EN);
	CHECK(nvme_wait_csts(&n, NVMQ_CSTS_RDY, NVMQ_CSTS_RDY), "enable");
	CHECK(!nvme_set_queues(&n, 8), "Number of Queues");
	/* 256 entries are 16 and 4 KiB: each is aligned if what is before it is. */
	sqe = nvme_create_cq_sqe(&n, 1, 1024, 1);
	at = le64toh(sqe.prp1);
	CHECK(!nvme_admin(&n, &sqe), "create");
	sqe = nvme_create_sq_sqe(&n, 1, 256, 1);
	n.queue[1] = (struct nvme_queue){ &n, 1, le64toh(sqe.prp1), at, 256, 1024, 0, 0, 1, 1 };
	CHECK(!nvme_admin(&n, &sqe), "create");
	data = nvme_alloc(&n, 1 << 18);
	list = nvme_alloc(&n, 1 << 14);
	/* 512 bytes in front of a page of 16 KiB, and seven more pages. */
	fill(data + 16384 - 512, 512 + 7 * 16384, 5);
	entry = nvme_at(&n, list);
	for (i = 0; i < 7; i++)
		entry[i] = htole64(data + (i + 1) * 16384);
	sqe = nvme_rw_sqe(NVMQ_IO_WRITE, 0, 1 + 7 * 32, data + 16384 - 512, list);
	CHECK(!nvme_do(&n.queue[1], &sqe, NULL), "write");
	memset(nvme_at(&n, data), 0, 1 << 18);
	sqe.opcode = NVMQ_IO_READ;
	sqe.cid = 0;
	CHECK(!nvme_do(&n.queue[1], &sqe, NULL), "read");
	CHECK(is_filled(data + 16384 - 512, 512 + 7 * 16384, 5), "differ");
	end();
}

static void test_events(void)
{
	struct nvmq_sqe aer = { .opcode = NVMQ_ADMIN_ASYNC_EVENT }, log;
	struct nvme_queue *q;
	struct nvmq_cqe cqe;
	unsigned int i;

	nvme_start(&n, NULL);
	CHECK(nvme_enable(&n), "enable");
	q = &n.queue[0];
	for (i = 0; i < 2; i++) {
		aer.cid = 0;
		nvme_push(q, &aer);
	}
	nvme_ring(q);
	CHECK(!nvme_pop(q, &cqe, 2), "an event already");
	ctrl_event(n.device->ctrl, 1, 2, 2);
	ctrl_event(n.device->ctrl, 1, 1, 2);
	nvme_run(&n);
	CHECK(nvme_pop(q, &cqe, 10000) && le32toh(cqe.dw0) == 0x020201, "event %x",
	      le32toh(cqe.dw0));
	CHECK(!nvme_pop(q, &cqe, 2), "the next, although the log page was not read");
	log = (struct nvmq_sqe){
		.opcode = NVMQ_ADMIN_GET_LOG_PAGE, .nsid = htole32(0xffffffff),
		.prp1 = htole64(nvme_alloc(&n, NVME_PAGE)), .cdw10 = htole32(127 << 16 | 2),
	};
	nvme_push(q, &log);
	nvme_ring(q);
	/* The event, and the log page, in this or that order. */
	for (i = 0; i < 2; i++) {
		CHECK(nvme_pop(q, &cqe, 10000), "completion %u", i);
		if (cqe.cid != log.cid)
			CHECK(le32toh(cqe.dw0) == 0x020101, "event %x", le32toh(cqe.dw0));
		else
			CHECK(!(le16toh(cqe.status) >> 1), "Get Log Page");
	}
	end();
}

static void test_abort(void)
{
	struct nvmq_sqe aer = { .opcode = NVMQ_ADMIN_ASYNC_EVENT }, sqe = { 0 };
	struct nvme_queue *q;
	struct nvmq_cqe cqe;
	uint32_t dw0 = 7;
	uint16_t cid;

	nvme_start(&n, NULL);
	CHECK(nvme_enable(&n), "enable");
	q = &n.queue[0];
	cid = nvme_push(q, &aer);
	nvme_ring(q);
	sqe.opcode = NVMQ_ADMIN_ABORT;
	sqe.cdw10 = htole32((uint32_t)cid << 16);
	nvme_push(q, &sqe);
	nvme_ring(q);
	CHECK(nvme_pop(q, &cqe, 10000) && le16toh(cqe.cid) == cid, "the aborted one first");
	CHECK((le16toh(cqe.status) >> 1 & NVMQ_SC_MASK) == NVMQ_SC_ABORT_REQUESTED, "status %x",
	      le16toh(cqe.status) >> 1);
	CHECK(nvme_pop(q, &cqe, 10000) && cqe.cid == sqe.cid && !(le32toh(cqe.dw0) & 1), "then it");
	sqe.cid = 0;
	CHECK(!nvme_do(q, &sqe, &dw0) && dw0 & 1, "not there any more: %u", dw0);
	end();
}

/* What is outstanding when its queue is deleted is completed with a status that says so. */
static void test_delete_busy(void)
{
	struct nvmq_sqe sqe, del;
	struct nvmq_cqe cqe;
	unsigned int i;
	uint64_t data;
	char why[64];

	nvme_start(&n, NULL);
	CHECK(nvme_up(&n), "up");
	CHECK(!clock_set(n.device->clock, "queue 1 10s", why, sizeof(why)), "%s", why);
	data = nvme_alloc(&n, NVME_PAGE);
	for (i = 0; i < 3; i++) {
		sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 1, data, 0);
		nvme_push(&n.queue[1], &sqe);
	}
	nvme_ring(&n.queue[1]);
	CHECK(!nvme_pop(&n.queue[1], NULL, 5), "no delay");
	del = nvme_delete_sqe(NVMQ_ADMIN_DELETE_SQ, 1);
	CHECK(!nvme_admin(&n, &del), "delete");
	for (i = 0; i < 3; i++) {
		CHECK(nvme_pop(&n.queue[1], &cqe, 10000), "completion %u", i);
		CHECK((le16toh(cqe.status) >> 1 & NVMQ_SC_MASK) == NVMQ_SC_ABORT_SQ_DELETED,
		      "status %x", le16toh(cqe.status) >> 1);
	}
	del = nvme_delete_sqe(NVMQ_ADMIN_DELETE_CQ, 1);
	CHECK(!nvme_admin(&n, &del), "delete");
	CHECK(!clock_pending(n.device->clock), "something stays in the schedule");
	CHECK(!nvme_create(&n, 1, 16), "and again");
	end();
}

/* The same with a completion queue that has no room: the deletion waits until all is said. */
static void test_delete_full(void)
{
	struct nvmq_sqe sqe, del;
	struct nvmq_cqe cqe;
	unsigned int i;
	uint64_t data;

	nvme_start(&n, NULL);
	CHECK(nvme_enable(&n) && !nvme_set_queues(&n, 8) && !nvme_create(&n, 1, 4), "up");
	sqe = nvme_create_sq_sqe(&n, 2, 16, 1);
	n.queue[2] = (struct nvme_queue){ &n, 2, le64toh(sqe.prp1), 0, 16, 0, 0, 0, 1, 1 };
	CHECK(!nvme_admin(&n, &sqe), "create");
	data = nvme_alloc(&n, NVME_PAGE);
	for (i = 0; i < 9; i++) {
		sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 1, data, 0);
		nvme_push(&n.queue[2], &sqe);
	}
	nvme_ring(&n.queue[2]);
	del = nvme_delete_sqe(NVMQ_ADMIN_DELETE_SQ, 2);
	nvme_push(&n.queue[0], &del);
	nvme_ring(&n.queue[0]);
	for (i = 0; i < 9; i++) {
		CHECK(i > 5 || !nvme_pop(&n.queue[0], NULL, 0), "deleted before the last ones");
		CHECK(nvme_pop(&n.queue[1], &cqe, 10000), "completion %u", i);
		CHECK(le16toh(cqe.sqid) == 2, "sqid %u", le16toh(cqe.sqid));
	}
	CHECK(nvme_pop(&n.queue[0], &cqe, 10000) && !(le16toh(cqe.status) >> 1), "deletion");
	CHECK(!n.device->ctrl->sq[2] && n.device->ctrl->cq[1]->nr_sqs == 1, "it is still there");
	CHECK(!n.device->ctrl->working, "%u left", n.device->ctrl->working);
	end();
}

static void test_not_contiguous(void)
{
	struct nvmq_sqe cq, sq, sqe;
	uint64_t data, list, *entry;
	unsigned int i;

	nvme_start(&n, "cqr=off");
	CHECK(nvme_enable(&n) && !nvme_set_queues(&n, 8), "enable");
	data = nvme_alloc(&n, NVME_PAGE);
	cq = nvme_create_cq_sqe(&n, 1, 100, 1);
	sq = nvme_create_sq_sqe(&n, 1, 100, 1);
	n.queue[1] = (struct nvme_queue){ &n, 1, le64toh(sq.prp1), le64toh(cq.prp1), 100, 100,
					  0, 0, 1, 1 };
	list = nvme_alloc(&n, NVME_PAGE);
	entry = nvme_at(&n, list);
	entry[0] = cq.prp1;
	cq.prp1 = htole64(list);
	cq.cdw11 &= ~htole32(NVMQ_QUEUE_CONTIGUOUS);
	CHECK(!nvme_admin(&n, &cq), "create");
	entry[0] = sq.prp1;
	entry[1] = htole64(le64toh(sq.prp1) + NVME_PAGE);
	sq.prp1 = htole64(list);
	sq.cdw11 &= ~htole32(NVMQ_QUEUE_CONTIGUOUS);
	CHECK(!nvme_admin(&n, &sq), "create");
	for (i = 0; i < 250; i++) {
		sqe = nvme_rw_sqe(NVMQ_IO_READ, i, 1, data, 0);
		CHECK(!nvme_do(&n.queue[1], &sqe, NULL), "read %u", i);
	}
	end();
}

static void test_resets(void)
{
	unsigned int cap;

	nvme_start(&n, "nssrs");
	CHECK(nvme_up(&n), "up");
	nvme_write32(&n, NVMQ_REG_NSSR, 0x4e564d65);
	CHECK(!nvme_read32(&n, NVMQ_REG_CC), "CC after a subsystem reset");
	CHECK(nvme_read32(&n, NVMQ_REG_CSTS) == 0x10, "NSSRO");
	nvme_write32(&n, NVMQ_REG_CSTS, 0x10);
	CHECK(!nvme_read32(&n, NVMQ_REG_CSTS), "NSSRO is cleared by writing 1");
	CHECK(nvme_up(&n), "up");
	CHECK(!host_reset(&n.host), "RESET");
	host_config_set(&n.host, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	CHECK(!nvme_read32(&n, NVMQ_REG_CC) && !nvme_read32(&n, NVMQ_REG_AQA), "after a reset");
	CHECK(nvme_enable(&n), "up");
	cap = host_find_cap(&n.host, PCI_CAP_ID_EXP);
	host_config_set(&n.host, cap + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR);
	host_config_set(&n.host, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	CHECK(!nvme_read32(&n, NVMQ_REG_CC) && !nvme_read32(&n, NVMQ_REG_ACQ), "after an FLR");
	CHECK(nvme_enable(&n), "up");
	end();
}

/* Commands that the device has no place for wait in their queue. */
static void test_inflight(void)
{
	struct nvmq_sqe sqe;
	char why[64];
	uint64_t data;
	unsigned int i;

	nvme_start(&n, "inflight=2");
	CHECK(nvme_up(&n), "up");
	CHECK(!clock_set(n.device->clock, "queue 1 100ms", why, sizeof(why)), "%s", why);
	data = nvme_alloc(&n, NVME_PAGE);
	for (i = 0; i < 6; i++) {
		sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 1, data, 0);
		nvme_push(&n.queue[1], &sqe);
	}
	nvme_ring(&n.queue[1]);
	CHECK(n.device->ctrl->sq[1]->outstanding == 2, "%u", n.device->ctrl->sq[1]->outstanding);
	for (i = 0; i < 6; i++)
		CHECK(nvme_pop(&n.queue[1], NULL, 10000), "completion %u", i);
	CHECK(!n.device->ctrl->working, "%u left", n.device->ctrl->working);
	end();
}

/* Who looks at a buffer before its read is completed, sees rubbish. */
static void test_poison(void)
{
	uint8_t *buffer;
	struct nvmq_sqe sqe;
	char why[64];

	nvme_start(&n, "poison");
	CHECK(nvme_up(&n), "up");
	CHECK(!clock_set(n.device->clock, "queue 1 100ms", why, sizeof(why)), "%s", why);
	sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 1, nvme_alloc(&n, NVME_PAGE), 0);
	buffer = nvme_at(&n, le64toh(sqe.prp1));
	nvme_push(&n.queue[1], &sqe);
	nvme_ring(&n.queue[1]);
	CHECK(buffer[0] == 0xa5 && buffer[511] == 0xa5 && !buffer[512], "%02x %02x %02x",
	      buffer[0], buffer[511], buffer[512]);
	CHECK(nvme_pop(&n.queue[1], NULL, 10000), "completion");
	CHECK(!buffer[0] && !buffer[511], "%02x %02x", buffer[0], buffer[511]);
	end();
}

static void test_options(void)
{
	static const char * const bad[] = {
		"mqes=1", "mqes=65537", "mqes=x", "mqes=", "mqes", "nothing=1", "wrr=maybe",
		"size=1Q", "size=99999999999999999999", "ns=65", "ns", "judge=never", "judge",
		"serial=012345678901234567890", "mpsmin=3,mpsmax=2", "msi=3", "lba=256",
	};
	static struct options opt;
	char why[256];
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		options_default(&opt);
		*why = 0;
		CHECK(options_device(&opt, bad[i], why, sizeof(why)) && *why, "%s", bad[i]);
	}
	options_default(&opt);
	CHECK(!options_device(&opt, "size=3M,lba=4096,ns=3,file=/x", why, sizeof(why)) &&
	      !options_device(&opt, "wrr,cqr=off,judge=fail,mqes=0x10", why, sizeof(why)),
	      "%s", why);
	CHECK(opt.nr_ns == 3 && opt.ns[2].size == 3 << 20 && opt.ns[2].lba == 4096, "namespaces");
	CHECK(!strcmp(opt.ns[0].file, "/x") && !*opt.ns[1].file, "one file, one namespace");
	CHECK(opt.wrr && !opt.cqr && opt.judge == JUDGE_FAIL && opt.mqes == 16, "values");
	CHECK(!options_ns(&opt, "size=1G,ro,detached,meta=8,extended", why, sizeof(why)), "%s",
	      why);
	CHECK(opt.nr_ns == 4 && opt.ns[3].read_only && opt.ns[3].detached && opt.ns[3].extended &&
	      opt.ns[3].meta == 8 && opt.ns[3].size == 1 << 30, "a namespace of its own");
	CHECK(options_ns(&opt, "mdts=1", why, sizeof(why)), "not of a namespace");
}

int main(void)
{
	TAP_RUN(test_registers);
	TAP_RUN(test_enable);
	TAP_RUN(test_fatal_without_admin_queue);
	TAP_RUN(test_shutdown);
	TAP_RUN(test_identify);
	TAP_RUN(test_data_pointers);
	TAP_RUN(test_sgl);
	TAP_RUN(test_doorbell_stride);
	TAP_RUN(test_queue_sizes);
	TAP_RUN(test_shared_cq);
	TAP_RUN(test_round_robin);
	TAP_RUN(test_weighted_round_robin);
	TAP_RUN(test_interrupts);
	TAP_RUN(test_coalescing);
	TAP_RUN(test_intx);
	TAP_RUN(test_msi);
	TAP_RUN(test_page_size);
	TAP_RUN(test_events);
	TAP_RUN(test_abort);
	TAP_RUN(test_delete_busy);
	TAP_RUN(test_delete_full);
	TAP_RUN(test_not_contiguous);
	TAP_RUN(test_resets);
	TAP_RUN(test_inflight);
	TAP_RUN(test_poison);
	TAP_RUN(test_options);
	return tap_done();
}
