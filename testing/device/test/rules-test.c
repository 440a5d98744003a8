// SPDX-License-Identifier: GPL-2.0
/*
 * Every rule of the judge: the same thing is done right, and nothing is said; then wrong, and that
 * rule, and no other, is named.  A rule without a row in the table here is a failure.
 */
#include <endian.h>
#include <string.h>
#include <linux/pci_regs.h>

#include "ns.h"
#include "nvme_host.h"
#include "store.h"
#include "tap.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define NSSR_NVME	0x4e564d65
/* A page that is mapped apart from the rest. */
#define APART		0x80000000ull
#define MS		1000000ull

static struct nvme_host n;

/* ---- pieces -------------------------------------------------------------------------------- */

static struct nvme_queue *io(void)
{
	CHECK(nvme_up(&n), "up: %s", n.log);
	return &n.queue[1];
}

static uint64_t page(void)
{
	return nvme_alloc(&n, NVME_PAGE);
}

/* A read of one block into a page of its own. */
static struct nvmq_sqe read_sqe(void)
{
	return nvme_rw_sqe(NVMQ_IO_READ, 0, 1, page(), 0);
}

/* A read of @pages pages by a list; *@list becomes where it is. */
static struct nvmq_sqe list_sqe(unsigned int pages, uint64_t *list, unsigned int offset)
{
	uint64_t data = nvme_alloc(&n, pages * NVME_PAGE);

	*list = nvme_alloc(&n, 4 * NVME_PAGE) + offset;
	nvme_prp2(&n, data, pages * NVME_PAGE, *list);
	return nvme_rw_sqe(NVMQ_IO_READ, 0, 8 * pages, data, *list);
}

static uint64_t *entry_of(uint64_t list, unsigned int i)
{
	return (uint64_t *)nvme_at(&n, list) + i;
}

static uint16_t run(struct nvmq_sqe sqe)
{
	return nvme_do(&n.queue[1], &sqe, NULL);
}

static uint16_t admin(struct nvmq_sqe sqe)
{
	return nvme_admin(&n, &sqe);
}

static struct nvmq_sqe identify_sqe(void)
{
	return (struct nvmq_sqe){
		.opcode = NVMQ_ADMIN_IDENTIFY, .prp1 = htole64(page()),
		.cdw10 = htole32(NVMQ_CNS_CONTROLLER),
	};
}

static uint16_t set_feature(uint32_t dw10, uint32_t dw11)
{
	return admin((struct nvmq_sqe){
		.opcode = NVMQ_ADMIN_SET_FEATURES, .cdw10 = htole32(dw10),
		.cdw11 = htole32(dw11),
	});
}

/* Sets up the admin queues with a CC, and what CC.EN does with it. */
static void write_cc(uint32_t cc)
{
	nvme_set_admin(&n, 16);
	nvme_write32(&n, NVMQ_REG_CC, cc | NVMQ_CC_EN);
}

static void bus_master(bool on)
{
	host_config_set(&n.host, PCI_COMMAND, 2,
			PCI_COMMAND_MEMORY | (on ? PCI_COMMAND_MASTER : 0));
}

static void slow(void)
{
	char why[64];

	CHECK(!clock_set(n.device->clock, "queue 1 100ms", why, sizeof(why)), "%s", why);
}

/* Pushes a read into queue 1, without its doorbell. */
static void push_read(void)
{
	struct nvmq_sqe sqe = read_sqe();

	nvme_push(&n.queue[1], &sqe);
}

static void pop_all(unsigned int nr)
{
	while (nr--)
		CHECK(nvme_pop(&n.queue[1], NULL, 10000), "%u completions are missing", nr + 1);
}

/* ---- registers ----------------------------------------------------------------------------- */

static void reg_width(bool wrong)
{
	uint32_t value;

	CHECK(!host_read(&n.host, BAR0, NVMQ_REG_CC, &value, wrong ? 2 : 4), "read");
}

static void reg_align(bool wrong)
{
	uint32_t value = 0;

	CHECK(!host_write(&n.host, BAR0, NVMQ_REG_ASQ + (wrong ? 2 : 4), &value, 4), "write");
}

static void reg_span(bool wrong)
{
	uint64_t value;

	CHECK(!host_read(&n.host, BAR0, wrong ? NVMQ_REG_VS : NVMQ_REG_CAP, &value, 8), "read");
}

static void reg_read_only(bool wrong)
{
	nvme_write32(&n, wrong ? NVMQ_REG_VS : NVMQ_REG_AQA, 0x10001);
}

/* What was read, with the bit that is cleared by writing it, but nothing of one's own. */
static void reg_read_only_csts(bool wrong)
{
	CHECK(nvme_enable(&n), "enable");
	nvme_write32(&n, NVMQ_REG_CSTS,
		     nvme_read32(&n, NVMQ_REG_CSTS) | 0x10 | (wrong ? NVMQ_CSTS_CFS : 0));
}

static void reg_reserved(bool wrong)
{
	/* 18h is reserved, 44h belongs to boot partitions. */
	nvme_write32(&n, 0x18, wrong ? 0x10001 : 0);
	nvme_write32(&n, 0x44, wrong ? 0x10001 : 0);
}

static void intm_msix(bool wrong)
{
	unsigned int cap = host_find_cap(&n.host, PCI_CAP_ID_MSIX);

	if (!wrong)
		host_config_set(&n.host, cap + PCI_MSIX_FLAGS, 2, 0);
	nvme_write32(&n, NVMQ_REG_INTMS, 1);
	CHECK(nvme_read32(&n, NVMQ_REG_INTMS) == 1, "INTMS");
}

static void nssr_value(bool wrong)
{
	nvme_write32(&n, NVMQ_REG_NSSR, wrong ? 0x4e766d65 : NSSR_NVME);
	CHECK(!!(nvme_read32(&n, NVMQ_REG_CSTS) & 0x10) == !wrong, "NSSRO");
}

static void nssr_unsupported(bool wrong)
{
	CHECK(!nvme_read32(&n, NVMQ_REG_NSSR), "NSSR");
	nvme_write32(&n, NVMQ_REG_NSSR, wrong ? NSSR_NVME : 0);
}

/* ---- configuration ------------------------------------------------------------------------- */

static void cc_reserved(bool wrong)
{
	write_cc(n.cc | (wrong ? 1 << 25 : 0));
}

static void cc_enable_early(bool wrong)
{
	CHECK(nvme_enable(&n), "enable");
	n.device->ctrl->rdy_extra = 300 * MS;
	nvme_write32(&n, NVMQ_REG_CC, n.cc);
	CHECK(nvme_read32(&n, NVMQ_REG_CSTS) & NVMQ_CSTS_RDY, "no delay");
	if (!wrong)
		CHECK(nvme_wait_csts(&n, NVMQ_CSTS_RDY, 0), "disable");
	write_cc(n.cc);
}

static void cc_disable_early(bool wrong)
{
	write_cc(n.cc);
	if (!wrong)
		CHECK(nvme_wait_csts(&n, NVMQ_CSTS_RDY, NVMQ_CSTS_RDY), "enable");
	nvme_write32(&n, NVMQ_REG_CC, n.cc);
}

static void cc_changed(bool wrong)
{
	CHECK(nvme_enable(&n), "enable");
	/* MPS must not change; IOSQES may, until queues are created. */
	nvme_write32(&n, NVMQ_REG_CC, NVMQ_CC_EN | (wrong ? n.cc | 1 << 7 : NVMQ_CC_IOCQES));
}

static void cc_mps(bool wrong)
{
	write_cc(n.cc | (wrong ? 1 << 7 : 0));
	CHECK(!!(nvme_read32(&n, NVMQ_REG_CSTS) & NVMQ_CSTS_CFS) == wrong, "CFS");
}

static void cc_css(bool wrong)
{
	write_cc(n.cc | (wrong ? 3 << 4 : NVMQ_CC_CSS_IOCS));
}

static void cc_ams(bool wrong)
{
	write_cc(n.cc | (wrong ? 1 << 11 : 0));
}

static void cc_shn(bool wrong)
{
	CHECK(nvme_enable(&n), "enable");
	nvme_write32(&n, NVMQ_REG_CC, n.cc | NVMQ_CC_EN | (wrong ? 3 : 1) << 14);
}

static void cc_shn_enable(bool wrong)
{
	write_cc(n.cc | (wrong ? NVMQ_CC_SHN_NORMAL : 0));
}

static void cc_entry_size(bool wrong)
{
	if (wrong)
		n.cc = NVMQ_CC_IOCQES;
	CHECK(nvme_enable(&n) && !nvme_set_queues(&n, 8), "enable");
	CHECK(!nvme_create(&n, 1, 16) == !wrong, "create");
}

static void cc_entry_size_changed(bool wrong)
{
	uint32_t cc;

	CHECK(nvme_enable(&n), "enable");
	cc = nvme_read32(&n, NVMQ_REG_CC);
	/* Nothing depends on it yet. */
	nvme_write32(&n, NVMQ_REG_CC, cc & ~NVMQ_CC_IOCQES);
	nvme_write32(&n, NVMQ_REG_CC, cc);
	CHECK(!nvme_set_queues(&n, 8) && !nvme_create(&n, 1, 16), "create");
	nvme_write32(&n, NVMQ_REG_CC, wrong ? cc & ~NVMQ_CC_IOCQES : cc);
}

static void cc_bus_master(bool wrong)
{
	bus_master(!wrong);
	write_cc(n.cc);
}

static void aq_changed(bool wrong)
{
	CHECK(nvme_enable(&n), "enable");
	if (!wrong)
		CHECK(nvme_disable(&n), "disable");
	nvme_write32(&n, NVMQ_REG_AQA, 0x70007);
	CHECK(nvme_read32(&n, NVMQ_REG_AQA) == (wrong ? 0xf000f : 0x70007), "AQA");
}

static void aqa_reserved(bool wrong)
{
	nvme_write32(&n, NVMQ_REG_AQA, 0xf000f | (wrong ? 0x1000 : 0));
}

static void aqa_size(bool wrong)
{
	nvme_set_admin(&n, 16);
	nvme_write32(&n, NVMQ_REG_AQA, wrong ? 0xf0000 : 0xf0001);
	nvme_write32(&n, NVMQ_REG_CC, n.cc | NVMQ_CC_EN);
}

static void aq_align(bool wrong)
{
	nvme_set_admin(&n, 16);
	nvme_write64(&n, NVMQ_REG_ASQ, page() + (wrong ? 512 : 0));
	nvme_write32(&n, NVMQ_REG_CC, n.cc | NVMQ_CC_EN);
}

static void aq_unset(bool wrong)
{
	nvme_write32(&n, NVMQ_REG_AQA, 0xf000f);
	nvme_write64(&n, NVMQ_REG_ASQ, page());
	if (!wrong)
		nvme_write64(&n, NVMQ_REG_ACQ, page());
	nvme_write32(&n, NVMQ_REG_CC, n.cc | NVMQ_CC_EN);
}

/* ---- doorbells ----------------------------------------------------------------------------- */

static void db_not_ready(bool wrong)
{
	struct nvmq_sqe sqe = identify_sqe();

	if (!wrong) {
		CHECK(nvme_enable(&n), "enable");
		nvme_push(&n.queue[0], &sqe);
	}
	nvme_write32(&n, nvme_db_sq(&n, 0), 1);
}

static void db_read(bool wrong)
{
	nvme_read32(&n, wrong ? nvme_db_sq(&n, 0) : NVMQ_REG_CSTS);
}

static void db_width(bool wrong)
{
	struct nvme_queue *q = io();
	uint32_t tail;

	push_read();
	tail = htole32(q->tail);
	CHECK(!host_write(&n.host, BAR0, nvme_db_sq(&n, 1), &tail, wrong ? 2 : 4), "write");
	CHECK(nvme_pop(q, NULL, 5) == !wrong, "completion");
}

static void db_gap(bool wrong)
{
	io();
	push_read();
	nvme_write32(&n, nvme_db_sq(&n, 1) + (wrong ? 4 : 0), 1);
}

static void db_no_queue(bool wrong)
{
	io();
	push_read();
	nvme_write32(&n, nvme_db_sq(&n, wrong ? 5 : 1), 1);
}

static void db_reserved(bool wrong)
{
	io();
	push_read();
	nvme_write32(&n, nvme_db_sq(&n, 1), 1 | (wrong ? 1 << 16 : 0));
}

static void db_range(bool wrong)
{
	io();
	push_read();
	nvme_write32(&n, nvme_db_sq(&n, 1), wrong ? 16 : 1);
}

static void db_same(bool wrong)
{
	io();
	push_read();
	nvme_ring(&n.queue[1]);
	if (!wrong)
		push_read();
	nvme_ring(&n.queue[1]);
}

static void db_sq_overrun(bool wrong)
{
	unsigned int i;

	io();
	bus_master(false);
	for (i = 0; i < 15; i++)
		push_read();
	nvme_ring(&n.queue[1]);
	if (!wrong) {
		bus_master(true);
		pop_all(15);
	}
	/* One too many: full is one entry less than there are. */
	push_read();
	nvme_ring(&n.queue[1]);
}

/* What the device has fetched is not free before a completion has said so. */
static void db_sq_overrun_fetched(bool wrong)
{
	unsigned int i;

	io();
	slow();
	for (i = 0; i < 15; i++)
		push_read();
	nvme_ring(&n.queue[1]);
	CHECK(n.device->ctrl->sq[1]->head == 15, "not fetched");
	if (!wrong)
		pop_all(15);
	push_read();
	nvme_ring(&n.queue[1]);
	pop_all(wrong ? 15 : 1);
}

static void db_cq_overrun(bool wrong)
{
	io();
	push_read();
	nvme_ring(&n.queue[1]);
	nvme_write32(&n, nvme_db_cq(&n, 1), wrong ? 3 : 1);
}

static void db_shutdown(bool wrong)
{
	CHECK(nvme_enable(&n), "enable");
	nvme_write32(&n, NVMQ_REG_CC, n.cc | NVMQ_CC_EN | NVMQ_CC_SHN_NORMAL);
	CHECK(nvme_wait_csts(&n, NVMQ_CSTS_SHST_MASK, NVMQ_CSTS_SHST_DONE), "shutdown");
	if (!wrong)
		CHECK(nvme_disable(&n) && nvme_enable(&n), "reset");
	admin(identify_sqe());
}

/* While the shutdown is going on, that is true of I/O queues alone. */
static void db_shutdown_going_on(bool wrong)
{
	io();
	push_read();
	nvme_write32(&n, NVMQ_REG_CC, nvme_read32(&n, NVMQ_REG_CC) | NVMQ_CC_SHN_NORMAL);
	if (wrong)
		nvme_ring(&n.queue[1]);
	admin(identify_sqe());
}

/* ---- entries ------------------------------------------------------------------------------- */

static void sqe_fused(bool wrong)
{
	struct nvmq_sqe sqe;

	io();
	sqe = read_sqe();
	sqe.flags = wrong;
	CHECK(run(sqe) == (wrong ? NVMQ_SC_INVALID_FIELD : 0), "status");
}

static void sqe_flags(bool wrong)
{
	struct nvmq_sqe sqe;

	io();
	sqe = read_sqe();
	sqe.flags = wrong ? 0x20 : 0;
	CHECK(!run(sqe), "status");
}

static void sqe_psdt_admin(bool wrong)
{
	struct nvmq_sqe sqe = identify_sqe();

	CHECK(nvme_enable(&n), "enable");
	sqe.flags = wrong ? NVMQ_SQE_SGL : 0;
	CHECK(admin(sqe) == (wrong ? NVMQ_SC_INVALID_FIELD : 0), "status");
}

static void sqe_psdt(bool wrong)
{
	struct nvmq_sqe sqe;

	io();
	sqe = read_sqe();
	sqe.flags = wrong ? NVMQ_SQE_SGL : 0;
	CHECK(run(sqe) == (wrong ? NVMQ_SC_INVALID_FIELD : 0), "status");
}

static void sqe_cid_busy(bool wrong)
{
	struct nvmq_sqe sqe;

	io();
	sqe = read_sqe();
	nvme_push(&n.queue[1], &sqe);
	if (!wrong)
		sqe.cid = 0;
	nvme_push(&n.queue[1], &sqe);
	nvme_ring(&n.queue[1]);
	pop_all(2);
	/* And once it is completed, it may be used again. */
	CHECK(!run(sqe), "status");
}

static void sqe_cid_ffff(bool wrong)
{
	struct nvmq_sqe sqe;

	io();
	sqe = read_sqe();
	sqe.cid = htole16(wrong ? 0xffff : 0xfffe);
	CHECK(!run(sqe), "status");
}

static void sqe_reserved(bool wrong)
{
	struct nvmq_sqe sqe = { .opcode = NVMQ_IO_FLUSH, .nsid = htole32(1) };

	io();
	sqe.cdw10 = htole32(wrong);
	CHECK(!run(sqe), "status");
	sqe = read_sqe();
	sqe.cdw13 = htole32(wrong ? 1u << 31 : NVMQ_RW_DSM_PREFETCH);
	CHECK(!run(sqe), "status");
}

static void sqe_nsid_unused(bool wrong)
{
	struct nvmq_sqe sqe = identify_sqe();

	CHECK(nvme_enable(&n), "enable");
	sqe.nsid = htole32(wrong);
	admin(sqe);
}

static void sqe_changed(bool wrong)
{
	struct nvmq_sqe *ring;

	ring = nvme_at(&n, io()->sq);
	slow();
	push_read();
	push_read();
	nvme_ring(&n.queue[1]);
	CHECK(n.device->ctrl->sq[1]->head == 1, "both were fetched");
	if (wrong)
		ring[1].cdw10 = htole32(5);
	pop_all(2);
}

static void opcode(bool wrong)
{
	struct nvmq_sqe sqe;

	io();
	sqe = read_sqe();
	sqe.opcode = wrong ? 0x7f : NVMQ_IO_READ;
	CHECK(run(sqe) == (wrong ? NVMQ_SC_INVALID_OPCODE : 0), "status");
	sqe = identify_sqe();
	sqe.opcode = wrong ? 0x7f : NVMQ_ADMIN_IDENTIFY;
	CHECK(admin(sqe) == (wrong ? NVMQ_SC_INVALID_OPCODE : 0), "status");
}

static void nsid_invalid(bool wrong)
{
	struct nvmq_sqe sqe;

	io();
	sqe = read_sqe();
	sqe.nsid = htole32(!wrong);
	CHECK(run(sqe) == (wrong ? NVMQ_SC_INVALID_NAMESPACE : 0), "status");
}

static void nsid_inactive(bool wrong)
{
	struct nvmq_sqe sqe;

	io();
	sqe = read_sqe();
	sqe.nsid = htole32(wrong ? 2 : 1);
	CHECK(run(sqe) == (wrong ? NVMQ_SC_INVALID_FIELD : 0), "status");
}

/* ---- data pointers ------------------------------------------------------------------------- */

static void prp1_align(bool wrong)
{
	io();
	CHECK(run(nvme_rw_sqe(NVMQ_IO_READ, 0, 1, page() + (wrong ? 2 : 4), 0)) ==
	      (wrong ? NVMQ_SC_PRP_OFFSET : 0), "status");
}

static void prp1_zero(bool wrong)
{
	io();
	/* There may be memory at 0, and yet. */
	CHECK(!host_dma_map(&n.host, 0, NVME_PAGE, 3, 0), "map");
	CHECK(!run(nvme_rw_sqe(NVMQ_IO_READ, 0, 1, wrong ? 0 : page(), 0)), "status");
}

static void prp2_offset(bool wrong)
{
	uint64_t data = nvme_alloc(&n, 3 * NVME_PAGE);

	io();
	CHECK(run(nvme_rw_sqe(NVMQ_IO_READ, 0, 16, data, data + NVME_PAGE + (wrong ? 8 : 0))) ==
	      (wrong ? NVMQ_SC_PRP_OFFSET : 0), "status");
}

static void prp2_zero(bool wrong)
{
	uint64_t data = nvme_alloc(&n, 3 * NVME_PAGE);

	io();
	CHECK(run(nvme_rw_sqe(NVMQ_IO_READ, 0, 16, data, wrong ? 0 : data + NVME_PAGE)) ==
	      (wrong ? NVMQ_SC_DATA_TRANSFER : 0), "status");
}

static void prp2_reserved(bool wrong)
{
	io();
	CHECK(!run(nvme_rw_sqe(NVMQ_IO_READ, 0, 8, page(), wrong ? page() : 0)), "status");
}

static void prp_list_align(bool wrong)
{
	struct nvmq_sqe sqe;
	uint64_t list;

	io();
	sqe = list_sqe(5, &list, 0);
	sqe.prp2 = htole64(list + (wrong ? 4 : 0));
	CHECK(run(sqe) == (wrong ? NVMQ_SC_PRP_OFFSET : 0), "status");
}

static void prp_list_short(bool wrong)
{
	struct nvmq_sqe sqe;
	uint64_t list;

	io();
	sqe = list_sqe(5, &list, 0);
	if (wrong)
		*entry_of(list, 3) = 0;
	CHECK(run(sqe) == (wrong ? NVMQ_SC_DATA_TRANSFER : 0), "status");
}

static void prp_entry_offset(bool wrong)
{
	struct nvmq_sqe sqe;
	uint64_t list;

	io();
	sqe = list_sqe(5, &list, 0);
	if (wrong)
		*entry_of(list, 2) |= htole64(512);
	CHECK(run(sqe) == (wrong ? NVMQ_SC_PRP_OFFSET : 0), "status");
}

static void prp_chain_offset(bool wrong)
{
	struct nvmq_sqe sqe;
	uint64_t list;

	io();
	/* Two entries are left in the page: one of data, and one that leads on. */
	sqe = list_sqe(5, &list, NVME_PAGE - 16);
	if (wrong)
		*entry_of(list, 1) |= htole64(8);
	CHECK(run(sqe) == (wrong ? NVMQ_SC_PRP_OFFSET : 0), "status");
}

static void prp_list_changed(bool wrong)
{
	struct nvmq_sqe sqe;
	uint64_t list;

	io();
	slow();
	sqe = list_sqe(5, &list, 0);
	nvme_push(&n.queue[1], &sqe);
	nvme_ring(&n.queue[1]);
	if (!wrong)
		pop_all(1);
	*entry_of(list, 3) = htole64(page());
	if (wrong)
		pop_all(1);
}

/* A read of one block by an SGL data block. */
static uint16_t run_sgl(uint64_t address, uint32_t length, uint64_t upper)
{
	struct nvmq_sqe sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 1, address, length | upper << 32);

	sqe.flags = NVMQ_SQE_SGL;
	return run(sqe);
}

static void sgl_type(bool wrong)
{
	io();
	CHECK(run_sgl(page(), 512, wrong ? 0x40u << 24 : 0) == (wrong ? NVMQ_SC_SGL_TYPE : 0),
	      "status");
}

static void sgl_reserved(bool wrong)
{
	io();
	CHECK(!run_sgl(page(), 512, wrong ? 0x100 : 0), "status");
}

static void sgl_length(bool wrong)
{
	io();
	CHECK(run_sgl(page(), wrong ? 508 : 512, 0) == (wrong ? NVMQ_SC_SGL_DATA_LENGTH : 0),
	      "status");
}

static void sgl_length_longer(bool wrong)
{
	io();
	CHECK(run_sgl(page(), wrong ? 516 : 512, 0) == (wrong ? NVMQ_SC_SGL_DATA_LENGTH : 0),
	      "status");
}

static void sgl_align_segment(bool wrong)
{
	uint64_t segment = page() + (wrong ? 4 : 8);
	uint64_t desc[2] = { htole64(page()), htole64(512) };

	io();
	memcpy(nvme_at(&n, segment), desc, sizeof(desc));
	CHECK(run_sgl(segment, 16, 0x30u << 24) == (wrong ? NVMQ_SC_SGL_OFFSET : 0), "status");
}

static void sgl_align(bool wrong)
{
	io();
	CHECK(run_sgl(page() + (wrong ? 2 : 4), 512, 0) == (wrong ? NVMQ_SC_SGL_OFFSET : 0),
	      "status");
}

static void mdts(bool wrong)
{
	struct nvmq_sqe sqe;
	uint64_t list;

	io();
	sqe = list_sqe(wrong ? 5 : 4, &list, 0);
	CHECK(run(sqe) == (wrong ? NVMQ_SC_INVALID_FIELD : 0), "status");
}

/* ---- memory -------------------------------------------------------------------------------- */

static void dma_unmapped(bool wrong)
{
	io();
	CHECK(run(nvme_rw_sqe(NVMQ_IO_READ, 0, 1, wrong ? NVME_IOVA + NVME_MEMORY : page(), 0)) ==
	      (wrong ? NVMQ_SC_DATA_TRANSFER : 0), "status");
}

static void dma_after_unmap(bool wrong)
{
	io();
	CHECK(!host_dma_map(&n.host, APART, NVME_PAGE, 3, 0), "map");
	if (wrong)
		CHECK(!host_dma_unmap(&n.host, APART, NVME_PAGE), "unmap");
	CHECK(run(nvme_rw_sqe(NVMQ_IO_READ, 0, 1, APART, 0)) ==
	      (wrong ? NVMQ_SC_DATA_TRANSFER : 0), "status");
}

static void dma_direction(bool wrong)
{
	io();
	CHECK(!host_dma_map(&n.host, APART, NVME_PAGE, 1, 0), "map");
	CHECK(run(nvme_rw_sqe(wrong ? NVMQ_IO_READ : NVMQ_IO_WRITE, 0, 1, APART, 0)) ==
	      (wrong ? NVMQ_SC_DATA_TRANSFER : 0), "status");
}

static void mem_taken_back(bool wrong)
{
	struct nvmq_sqe sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 1, APART, 0);

	io();
	slow();
	CHECK(!host_dma_map(&n.host, APART, NVME_PAGE, 3, 0), "map");
	nvme_push(&n.queue[1], &sqe);
	nvme_ring(&n.queue[1]);
	if (!wrong)
		pop_all(1);
	CHECK(!host_dma_unmap(&n.host, APART, NVME_PAGE), "unmap");
	if (wrong)
		pop_all(1);
}

static void queue_taken_back(bool wrong)
{
	struct nvmq_sqe sqe;

	CHECK(nvme_enable(&n) && !nvme_set_queues(&n, 8), "enable");
	sqe = nvme_create_cq_sqe(&n, 1, 16, 1);
	CHECK(!host_dma_map(&n.host, APART, NVME_PAGE, 3, le64toh(sqe.prp1) - NVME_IOVA), "map");
	sqe.prp1 = htole64(APART);
	CHECK(!admin(sqe), "create");
	if (!wrong)
		CHECK(!admin(nvme_delete_sqe(NVMQ_ADMIN_DELETE_CQ, 1)), "delete");
	CHECK(!host_dma_unmap(&n.host, APART, NVME_PAGE), "unmap");
}

static void map_leaked(bool wrong)
{
	CHECK(!host_dma_map(&n.host, APART, NVME_PAGE, 3, 0), "map");
	if (!wrong)
		CHECK(!host_dma_unmap(&n.host, APART, NVME_PAGE), "unmap");
	CHECK(ctrl_check_leaks(n.device->ctrl, 1 << 20) == wrong, "leaks");
}

/* ---- queues -------------------------------------------------------------------------------- */

static void cq_phase_init(bool wrong)
{
	struct nvmq_sqe sqe;
	struct nvmq_cqe *cqe;

	CHECK(nvme_enable(&n) && !nvme_set_queues(&n, 8), "enable");
	sqe = nvme_create_cq_sqe(&n, 1, 16, 1);
	cqe = nvme_at(&n, le64toh(sqe.prp1));
	cqe[7].status = htole16(wrong);
	CHECK(!admin(sqe), "create");
}

static void cq_written(bool wrong)
{
	struct nvmq_cqe *cqe = nvme_at(&n, io()->cq);

	cqe[0].dw0 = htole32(wrong);
	CHECK(!run(read_sqe()), "read");
}

static void queue_id_range(bool wrong)
{
	CHECK(nvme_enable(&n) && !nvme_set_queues(&n, 8), "enable");
	CHECK(admin(nvme_create_cq_sqe(&n, wrong ? 9 : 8, 16, 1)) ==
	      (wrong ? NVMQ_SC_QID_INVALID : 0), "status");
}

static void queue_id_used(bool wrong)
{
	io();
	CHECK(admin(nvme_create_cq_sqe(&n, wrong ? 1 : 2, 16, 1)) ==
	      (wrong ? NVMQ_SC_QID_INVALID : 0), "status");
}

static void queue_size(bool wrong)
{
	io();
	CHECK(admin(nvme_create_cq_sqe(&n, 2, wrong ? 1 : 2, 1)) ==
	      (wrong ? NVMQ_SC_QUEUE_SIZE : 0), "status");
	CHECK(admin(nvme_create_cq_sqe(&n, 3, wrong ? 65 : 64, 1)) ==
	      (wrong ? NVMQ_SC_QUEUE_SIZE : 0), "status");
}

static void queue_contiguous(bool wrong)
{
	struct nvmq_sqe sqe;

	io();
	sqe = nvme_create_cq_sqe(&n, 2, 16, 1);
	if (wrong)
		sqe.cdw11 &= ~htole32(NVMQ_QUEUE_CONTIGUOUS);
	CHECK(admin(sqe) == (wrong ? NVMQ_SC_INVALID_FIELD : 0), "status");
}

static void queue_align_list(bool wrong)
{
	struct nvmq_sqe sqe;
	uint64_t list = page() + (wrong ? 8 : 0);

	io();
	sqe = nvme_create_cq_sqe(&n, 2, 16, 1);
	*entry_of(list, 0) = sqe.prp1;
	sqe.prp1 = htole64(list);
	sqe.cdw11 &= ~htole32(NVMQ_QUEUE_CONTIGUOUS);
	CHECK(admin(sqe) == (wrong ? NVMQ_SC_PRP_OFFSET : 0), "status");
}

static void queue_align(bool wrong)
{
	struct nvmq_sqe sqe;

	io();
	sqe = nvme_create_cq_sqe(&n, 2, 16, 1);
	sqe.prp1 = htole64(le64toh(sqe.prp1) + (wrong ? 256 : 0));
	CHECK(admin(sqe) == (wrong ? NVMQ_SC_PRP_OFFSET : 0), "status");
}

static void queue_overlap(bool wrong)
{
	struct nvmq_sqe sqe;

	io();
	sqe = nvme_create_cq_sqe(&n, 2, 16, 1);
	if (wrong)
		sqe.prp1 = htole64(n.queue[1].sq);
	CHECK(!admin(sqe), "status");
}

static void queue_list_changed(bool wrong)
{
	uint64_t list, bytes = 65536 * sizeof(struct nvmq_sqe);
	struct nvmq_sqe sqe;

	io();
	/* More pages than one page of the list can name; what it begins with is its first one. */
	sqe = nvme_create_sq_sqe(&n, 2, 65536, 1);
	sqe.cdw11 &= ~htole32(NVMQ_QUEUE_CONTIGUOUS);
	list = nvme_alloc(&n, 3 * NVME_PAGE);
	nvme_prp2(&n, le64toh(sqe.prp1) - NVME_PAGE, bytes + NVME_PAGE, list);
	sqe.prp1 = htole64(list);
	CHECK(!admin(sqe), "create");
	if (wrong)
		*entry_of(list, 700) = htole64(page());
	CHECK(!admin(nvme_delete_sqe(NVMQ_ADMIN_DELETE_SQ, 2)), "delete");
}

static void queue_count_unasked(bool wrong)
{
	CHECK(nvme_enable(&n), "enable");
	if (!wrong)
		CHECK(!nvme_set_queues(&n, 8), "Number of Queues");
	CHECK(!nvme_create(&n, 1, 16), "create");
}

/* Not only Set Features says how many there may be. */
static void queue_count_read(bool wrong)
{
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_ADMIN_GET_FEATURES, .cdw10 = htole32(NVMQ_FEAT_QUEUE_COUNT),
	};

	CHECK(nvme_enable(&n), "enable");
	if (!wrong)
		CHECK(!admin(sqe), "Number of Queues");
	CHECK(!nvme_create(&n, 1, 16), "create");
}

static void cq_vector(bool wrong)
{
	io();
	CHECK(admin(nvme_create_cq_sqe(&n, 2, 16, wrong ? 9 : 8)) ==
	      (wrong ? NVMQ_SC_INVALID_VECTOR : 0), "status");
}

static void sq_cqid(bool wrong)
{
	io();
	CHECK(admin(nvme_create_sq_sqe(&n, 2, 16, wrong ? 5 : 1)) ==
	      (wrong ? NVMQ_SC_CQ_INVALID : 0), "status");
	CHECK(admin(nvme_create_sq_sqe(&n, 3, 16, wrong ? 0 : 1)) ==
	      (wrong ? NVMQ_SC_QID_INVALID : 0), "status");
}

static void cq_delete_busy(bool wrong)
{
	io();
	if (!wrong)
		CHECK(!admin(nvme_delete_sqe(NVMQ_ADMIN_DELETE_SQ, 1)), "delete");
	CHECK(admin(nvme_delete_sqe(NVMQ_ADMIN_DELETE_CQ, 1)) ==
	      (wrong ? NVMQ_SC_QUEUE_DELETION : 0), "status");
}

static void queue_delete_unknown(bool wrong)
{
	io();
	CHECK(admin(nvme_delete_sqe(NVMQ_ADMIN_DELETE_SQ, wrong ? 0 : 1)) ==
	      (wrong ? NVMQ_SC_QID_INVALID : 0), "status");
	CHECK(admin(nvme_delete_sqe(NVMQ_ADMIN_DELETE_CQ, wrong ? 2 : 1)) ==
	      (wrong ? NVMQ_SC_QID_INVALID : 0), "status");
}

static void irq_unconsumed(bool wrong)
{
	io();
	push_read();
	nvme_ring(&n.queue[1]);
	if (!wrong)
		pop_all(1);
	nvme_run_for(&n, 600);
	/* Said once, however long it goes on. */
	CHECK(judge_count(n.device->judge, RULE_IRQ_UNCONSUMED) == wrong, "%lu times",
	      judge_count(n.device->judge, RULE_IRQ_UNCONSUMED));
}

/* ---- admin commands ------------------------------------------------------------------------ */

static void aer_limit(bool wrong)
{
	struct nvmq_sqe sqe = { .opcode = NVMQ_ADMIN_ASYNC_EVENT };
	unsigned int i;

	CHECK(nvme_enable(&n), "enable");
	for (i = 0; i < (wrong ? 3 : 2); i++) {
		sqe.cid = 0;
		nvme_push(&n.queue[0], &sqe);
	}
	nvme_ring(&n.queue[0]);
	CHECK(nvme_pop(&n.queue[0], NULL, 5) == wrong, "completion");
}

static void abort_limit(bool wrong)
{
	struct nvmq_sqe sqe = { .opcode = NVMQ_ADMIN_ABORT, .cdw10 = htole32(0x99 << 16) };
	unsigned int i;

	CHECK(nvme_enable(&n), "enable");
	for (i = 0; i < 3; i++) {
		sqe.cid = 0;
		nvme_push(&n.queue[0], &sqe);
		if (!wrong)
			nvme_ring(&n.queue[0]);
	}
	if (wrong)
		nvme_ring(&n.queue[0]);
	for (i = 0; i < 3; i++)
		CHECK(nvme_pop(&n.queue[0], NULL, 100), "completion");
	CHECK(!n.device->ctrl->aborts, "%u aborts are left", n.device->ctrl->aborts);
}

static void feat_queues_late(bool wrong)
{
	CHECK(nvme_enable(&n) && !nvme_set_queues(&n, 4), "enable");
	if (wrong)
		CHECK(!nvme_create(&n, 1, 16), "create");
	CHECK(nvme_set_queues(&n, 8) == (wrong ? NVMQ_SC_COMMAND_SEQUENCE : 0), "status");
}

static void feat_queues_ffff(bool wrong)
{
	CHECK(nvme_enable(&n), "enable");
	CHECK(set_feature(NVMQ_FEAT_QUEUE_COUNT, wrong ? 0x7ffff : 0x7fffe) ==
	      (wrong ? NVMQ_SC_INVALID_FIELD : 0), "status");
}

static void feat_vector_early(bool wrong)
{
	io();
	CHECK(!set_feature(NVMQ_FEAT_VECTOR, NVMQ_VECTOR_NO_COALESCING | (wrong ? 2 : 1)),
	      "status");
}

static void feat_unknown(bool wrong)
{
	CHECK(nvme_enable(&n), "enable");
	CHECK(!!set_feature(wrong ? 0x7f : NVMQ_FEAT_ARBITRATION, 0) == wrong, "status");
}

static void feat_save(bool wrong)
{
	CHECK(nvme_enable(&n), "enable");
	CHECK(set_feature(NVMQ_FEAT_QUEUE_COUNT | (wrong ? NVMQ_FEAT_SAVE : 0), 0x70007) ==
	      (wrong ? NVMQ_SC_FEATURE_NOT_SAVEABLE : 0), "status");
}

static void feat_value(bool wrong)
{
	CHECK(nvme_enable(&n), "enable");
	CHECK(!!set_feature(NVMQ_FEAT_WRITE_CACHE, wrong ? 2 : 1) == wrong, "status");
}

static void log_offset(bool wrong)
{
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_ADMIN_GET_LOG_PAGE, .nsid = htole32(0xffffffff),
		.prp1 = htole64(page()), .cdw10 = htole32(127 << 16 | 2),
		.cdw12 = htole32(wrong ? 6 : 4),
	};

	CHECK(nvme_enable(&n), "enable");
	/* The end of the page comes before that of the buffer, and that is no mistake. */
	CHECK(!!admin(sqe) == wrong, "status");
	sqe.cdw12 = htole32(wrong ? 516 : 512);
	CHECK(!!admin(sqe) == wrong, "status");
}

static void format(bool wrong)
{
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_ADMIN_FORMAT_NVM, .nsid = htole32(1),
		.cdw10 = htole32(wrong ? 15 : 0),
	};

	CHECK(nvme_enable(&n), "enable");
	CHECK(admin(sqe) == (wrong ? NVMQ_SC_INVALID_FORMAT : 0), "status");
}

/* ---- I/O commands -------------------------------------------------------------------------- */

static void lba_range(bool wrong)
{
	uint64_t last = (16 << 20) / 512 - 1;

	io();
	CHECK(run(nvme_rw_sqe(NVMQ_IO_READ, last, wrong ? 2 : 1, page(), 0)) ==
	      (wrong ? NVMQ_SC_LBA_RANGE : 0), "status");
}

static void rw_pract(bool wrong)
{
	struct nvmq_sqe sqe;

	io();
	/* In a namespace without protection information, Read ignores it, and PRCHK. */
	sqe = read_sqe();
	sqe.cdw12 |= htole32(0xfu << 26);
	CHECK(!run(sqe), "read");
	sqe.opcode = NVMQ_IO_COMPARE;
	sqe.cid = 0;
	if (!wrong)
		sqe.cdw12 &= ~htole32(1u << 29);
	CHECK(run(sqe) == (wrong ? NVMQ_SC_INVALID_FIELD : 0), "compare");
}

static void rw_mptr(bool wrong)
{
	struct nvmq_sqe sqe;

	io();
	sqe = read_sqe();
	sqe.mptr = htole64(page() + (wrong ? 2 : 4));
	CHECK(run(sqe) == (wrong ? NVMQ_SC_INVALID_FIELD : 0), "status");
}

/* Neither is it looked at where there is no metadata. */
static void rw_mptr_bytes(bool wrong)
{
	struct nvmq_sqe sqe;

	io();
	sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 1, page(), 512);
	sqe.flags = NVMQ_SQE_SGL;
	sqe.mptr = htole64(wrong ? 0 : page() + 2);
	run(sqe);
}

static void write_protected(bool wrong)
{
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_IO_DSM, .nsid = htole32(1), .prp1 = htole64(page()),
		.cdw11 = htole32(1),
	};

	io();
	/* To say how it is going to be read is not to write. */
	CHECK(!run(sqe), "hint");
	sqe = read_sqe();
	sqe.opcode = wrong ? NVMQ_IO_WRITE : NVMQ_IO_READ;
	CHECK(run(sqe) == (wrong ? NVMQ_SC_NS_WRITE_PROTECTED : 0), "status");
}

static void flush_broadcast(bool wrong)
{
	struct nvmq_sqe sqe = { .opcode = NVMQ_IO_FLUSH };

	io();
	sqe.nsid = htole32(wrong ? 0xffffffff : 1);
	CHECK(!!run(sqe) == wrong, "status");
}

static void dsm_limits(bool wrong)
{
	struct nvmq_dsm_range *range;
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_IO_DSM, .nsid = htole32(1), .prp1 = htole64(page()),
		.cdw10 = htole32(wrong ? 2 : 1), .cdw11 = htole32(NVMQ_DSM_ATTR_DEALLOCATE),
	};
	unsigned int i;

	io();
	range = nvme_at(&n, le64toh(sqe.prp1));
	for (i = 0; i < 3; i++) {
		range[i].slba = htole64(8 * i);
		range[i].nlb = htole32(8);
	}
	CHECK(!run(sqe), "status");
}

static void wz_limits(bool wrong)
{
	io();
	CHECK(!run(nvme_rw_sqe(NVMQ_IO_WRITE_ZEROES, 0, wrong ? 17 : 16, 0, 0)), "status");
}

static void copy_limits(bool wrong)
{
	struct nvmq_copy_range *range;
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_IO_COPY, .nsid = htole32(1), .prp1 = htole64(page()),
		.cdw10 = htole32(100),
	};

	io();
	range = nvme_at(&n, le64toh(sqe.prp1));
	range->nlb = htole16(wrong ? 4 : 3);
	CHECK(!!run(sqe) == wrong, "status");
}

static void device_bug(bool wrong)
{
	uint8_t *block;

	io();
	CHECK(!run(nvme_rw_sqe(NVMQ_IO_WRITE, 7, 1, page(), 0)), "write");
	block = store_data(n.device->ctrl->nss->ns[0].store, 7);
	block[100] ^= wrong;
	CHECK(!run(nvme_rw_sqe(NVMQ_IO_READ, 7, 1, page(), 0)), "read");
}

/* ---- the table ----------------------------------------------------------------------------- */

#define NONE	NR_RULES

/**
 * struct trip - how a rule is broken
 * @rule: which
 * @act: does it right or wrong
 * @options: of the device
 * @also: a rule that cannot but be broken with it
 */
static const struct trip {
	enum rule rule;
	void (*act)(bool wrong);
	const char *options;
	enum rule also;
} trips[] = {
	{ RULE_REG_WIDTH, reg_width, NULL, NONE },
	{ RULE_REG_ALIGN, reg_align, NULL, NONE },
	{ RULE_REG_SPAN, reg_span, NULL, NONE },
	{ RULE_REG_READ_ONLY, reg_read_only, NULL, NONE },
	{ RULE_REG_READ_ONLY, reg_read_only_csts, NULL, NONE },
	{ RULE_REG_RESERVED, reg_reserved, NULL, NONE },
	{ RULE_INTM_MSIX, intm_msix, NULL, NONE },
	{ RULE_NSSR_VALUE, nssr_value, "nssrs", NONE },
	{ RULE_NSSR_UNSUPPORTED, nssr_unsupported, NULL, NONE },
	{ RULE_CC_RESERVED, cc_reserved, NULL, NONE },
	{ RULE_CC_ENABLE_EARLY, cc_enable_early, NULL, NONE },
	{ RULE_CC_DISABLE_EARLY, cc_disable_early, "ready=300", NONE },
	{ RULE_CC_CHANGED, cc_changed, NULL, NONE },
	/* Pages of the next size are not aligned to the size that is not there. */
	{ RULE_CC_MPS, cc_mps, "mpsmax=0", RULE_AQ_ALIGN },
	{ RULE_CC_CSS, cc_css, NULL, NONE },
	{ RULE_CC_AMS, cc_ams, NULL, NONE },
	{ RULE_CC_SHN, cc_shn, NULL, NONE },
	{ RULE_CC_SHN_ENABLE, cc_shn_enable, NULL, NONE },
	{ RULE_CC_ENTRY_SIZE, cc_entry_size, NULL, NONE },
	{ RULE_CC_ENTRY_SIZE_CHANGED, cc_entry_size_changed, NULL, NONE },
	{ RULE_CC_BUS_MASTER, cc_bus_master, NULL, NONE },
	{ RULE_AQ_CHANGED, aq_changed, NULL, NONE },
	{ RULE_AQA_RESERVED, aqa_reserved, NULL, NONE },
	{ RULE_AQA_SIZE, aqa_size, NULL, NONE },
	{ RULE_AQ_ALIGN, aq_align, NULL, NONE },
	{ RULE_AQ_UNSET, aq_unset, NULL, RULE_DMA_UNMAPPED },
	{ RULE_DB_NOT_READY, db_not_ready, NULL, NONE },
	{ RULE_DB_READ, db_read, NULL, NONE },
	{ RULE_DB_WIDTH, db_width, NULL, NONE },
	{ RULE_DB_GAP, db_gap, "dstrd=2", NONE },
	{ RULE_DB_NO_QUEUE, db_no_queue, NULL, NONE },
	{ RULE_DB_RESERVED, db_reserved, NULL, NONE },
	{ RULE_DB_RANGE, db_range, NULL, NONE },
	{ RULE_DB_SAME, db_same, NULL, NONE },
	{ RULE_DB_SQ_OVERRUN, db_sq_overrun, NULL, NONE },
	{ RULE_DB_SQ_OVERRUN, db_sq_overrun_fetched, NULL, NONE },
	{ RULE_DB_CQ_OVERRUN, db_cq_overrun, NULL, NONE },
	{ RULE_DB_SHUTDOWN, db_shutdown, NULL, NONE },
	{ RULE_DB_SHUTDOWN, db_shutdown_going_on, "shutdown=1000", NONE },
	{ RULE_SQE_FUSED, sqe_fused, NULL, NONE },
	{ RULE_SQE_FLAGS, sqe_flags, NULL, NONE },
	{ RULE_SQE_PSDT_ADMIN, sqe_psdt_admin, NULL, NONE },
	{ RULE_SQE_PSDT, sqe_psdt, "sgls=0", NONE },
	{ RULE_SQE_CID_BUSY, sqe_cid_busy, NULL, NONE },
	{ RULE_SQE_CID_FFFF, sqe_cid_ffff, NULL, NONE },
	{ RULE_SQE_RESERVED, sqe_reserved, NULL, NONE },
	{ RULE_SQE_NSID_UNUSED, sqe_nsid_unused, NULL, NONE },
	{ RULE_SQE_CHANGED, sqe_changed, "inflight=1", NONE },
	{ RULE_OPCODE, opcode, NULL, NONE },
	{ RULE_NSID_INVALID, nsid_invalid, NULL, NONE },
	{ RULE_NSID_INACTIVE, nsid_inactive, NULL, NONE },
	{ RULE_PRP1_ALIGN, prp1_align, NULL, NONE },
	{ RULE_PRP1_ZERO, prp1_zero, NULL, NONE },
	{ RULE_PRP2_OFFSET, prp2_offset, NULL, NONE },
	{ RULE_PRP2_ZERO, prp2_zero, NULL, NONE },
	{ RULE_PRP2_RESERVED, prp2_reserved, NULL, NONE },
	{ RULE_PRP_LIST_ALIGN, prp_list_align, NULL, NONE },
	{ RULE_PRP_LIST_SHORT, prp_list_short, NULL, NONE },
	{ RULE_PRP_ENTRY_OFFSET, prp_entry_offset, NULL, NONE },
	{ RULE_PRP_CHAIN_OFFSET, prp_chain_offset, NULL, NONE },
	{ RULE_PRP_LIST_CHANGED, prp_list_changed, NULL, NONE },
	{ RULE_SGL_TYPE, sgl_type, NULL, NONE },
	{ RULE_SGL_RESERVED, sgl_reserved, NULL, NONE },
	{ RULE_SGL_LENGTH, sgl_length, NULL, NONE },
	{ RULE_SGL_LENGTH, sgl_length_longer, NULL, NONE },
	{ RULE_SGL_ALIGN, sgl_align, "sgls=2", NONE },
	{ RULE_SGL_ALIGN, sgl_align_segment, NULL, NONE },
	{ RULE_MDTS, mdts, "mdts=2", NONE },
	{ RULE_DMA_UNMAPPED, dma_unmapped, NULL, NONE },
	{ RULE_DMA_AFTER_UNMAP, dma_after_unmap, NULL, NONE },
	{ RULE_DMA_DIRECTION, dma_direction, NULL, NONE },
	/* And then the device still needs it. */
	{ RULE_MEM_TAKEN_BACK, mem_taken_back, NULL, RULE_DMA_AFTER_UNMAP },
	{ RULE_MEM_TAKEN_BACK, queue_taken_back, NULL, NONE },
	{ RULE_MAP_LEAKED, map_leaked, NULL, NONE },
	{ RULE_CQ_PHASE_INIT, cq_phase_init, NULL, NONE },
	{ RULE_CQ_WRITTEN, cq_written, NULL, NONE },
	{ RULE_QUEUE_ID_RANGE, queue_id_range, NULL, NONE },
	{ RULE_QUEUE_ID_USED, queue_id_used, NULL, NONE },
	{ RULE_QUEUE_SIZE, queue_size, "mqes=64", NONE },
	{ RULE_QUEUE_CONTIGUOUS, queue_contiguous, NULL, NONE },
	{ RULE_QUEUE_ALIGN, queue_align, NULL, NONE },
	{ RULE_QUEUE_ALIGN, queue_align_list, "cqr=off", NONE },
	{ RULE_QUEUE_OVERLAP, queue_overlap, NULL, NONE },
	{ RULE_QUEUE_LIST_CHANGED, queue_list_changed, "cqr=off,mqes=65536", NONE },
	{ RULE_QUEUE_COUNT_UNASKED, queue_count_unasked, NULL, NONE },
	{ RULE_QUEUE_COUNT_UNASKED, queue_count_read, NULL, NONE },
	{ RULE_CQ_VECTOR, cq_vector, NULL, NONE },
	{ RULE_SQ_CQID, sq_cqid, NULL, NONE },
	{ RULE_CQ_DELETE_BUSY, cq_delete_busy, NULL, NONE },
	{ RULE_QUEUE_DELETE_UNKNOWN, queue_delete_unknown, NULL, NONE },
	{ RULE_IRQ_UNCONSUMED, irq_unconsumed, "irq-ms=300", NONE },
	{ RULE_AER_LIMIT, aer_limit, "aerl=1", NONE },
	{ RULE_ABORT_LIMIT, abort_limit, "acl=1", NONE },
	{ RULE_FEAT_QUEUES_LATE, feat_queues_late, NULL, NONE },
	{ RULE_FEAT_QUEUES_FFFF, feat_queues_ffff, NULL, NONE },
	{ RULE_FEAT_VECTOR_EARLY, feat_vector_early, NULL, NONE },
	{ RULE_FEAT_UNKNOWN, feat_unknown, NULL, NONE },
	{ RULE_FEAT_SAVE, feat_save, NULL, NONE },
	{ RULE_FEAT_VALUE, feat_value, NULL, NONE },
	{ RULE_LOG_OFFSET, log_offset, NULL, NONE },
	{ RULE_FORMAT, format, NULL, NONE },
	{ RULE_LBA_RANGE, lba_range, NULL, NONE },
	{ RULE_RW_PRACT, rw_pract, NULL, NONE },
	{ RULE_RW_MPTR, rw_mptr, "meta=8", NONE },
	{ RULE_RW_MPTR, rw_mptr_bytes, "meta=8,sgls=0x20001", RULE_DMA_UNMAPPED },
	{ RULE_WRITE_PROTECTED, write_protected, "ro", NONE },
	{ RULE_FLUSH_BROADCAST, flush_broadcast, "vwc=1", NONE },
	{ RULE_DSM_LIMITS, dsm_limits, "dmrl=2", NONE },
	{ RULE_WZ_LIMITS, wz_limits, "wzsl=1", NONE },
	{ RULE_COPY_LIMITS, copy_limits, "mssrl=4", NONE },
	{ RULE_DEVICE_BUG, device_bug, NULL, NONE },
};

#define NR_TRIPS	(sizeof(trips) / sizeof(*trips))

static const struct trip *trip;

static void test_rule(void)
{
	unsigned long others;
	struct judge *judge;
	char id[64];

	nvme_start(&n, trip->options);
	trip->act(false);
	fflush(n.out);
	CHECK(!nvme_violations(&n), "done right: %s", n.log);
	nvme_stop(&n);

	nvme_start(&n, trip->options);
	trip->act(true);
	fflush(n.out);
	judge = n.device->judge;
	CHECK(judge_count(judge, trip->rule), "not noticed: %s", n.log);
	others = judge_total(judge) - judge_count(judge, trip->rule);
	if (trip->also != NONE)
		others -= judge_count(judge, trip->also);
	CHECK(!others, "%lu others: %s", others, n.log);
	snprintf(id, sizeof(id), "violation %s (%s): ", judge_rule(trip->rule)->id,
		 judge_rule(trip->rule)->section);
	CHECK(n.log && strstr(n.log, id), "no line of it: %s", n.log);
	CHECK(n.log && strstr(n.log, judge_rule(trip->rule)->sentence), "no sentence: %s", n.log);
	nvme_stop(&n);
}

static void test_every_rule_is_tripped(void)
{
	unsigned int i, rule;

	for (rule = 0; rule < NR_RULES; rule++) {
		for (i = 0; i < NR_TRIPS && trips[i].rule != rule; i++)
			;
		CHECK(i < NR_TRIPS, "%s has no test", judge_rule(rule)->id);
		CHECK(!strncmp(judge_rule(rule)->section, "base ", 5) ||
		      !strncmp(judge_rule(rule)->section, "nvm ", 4) ||
		      !strncmp(judge_rule(rule)->section, "pcie ", 5), "%s: section \"%s\"",
		      judge_rule(rule)->id, judge_rule(rule)->section);
	}
}

/* Firmware is not judged, and neither is anybody with judge=off. */
static void test_arming(void)
{
	nvme_start(&n, "arm=2");
	nvme_write32(&n, 0x18, 1);
	CHECK(nvme_enable(&n) && nvme_disable(&n), "firmware");
	CHECK(!nvme_violations(&n), "%s", n.log);
	CHECK(nvme_enable(&n), "driver");
	nvme_write32(&n, 0x18, 1);
	CHECK(nvme_violations(&n) == 1, "%lu", nvme_violations(&n));
	nvme_stop(&n);

	nvme_start(&n, "judge=off");
	nvme_write32(&n, 0x18, 1);
	CHECK(!nvme_violations(&n), "%s", n.log);
	nvme_stop(&n);
}

/* One line each, with what the queue did before; and of many only the first ones. */
static void test_lines(void)
{
	unsigned int i, lines = 0;
	const char *at;

	nvme_start(&n, NULL);
	io();
	for (i = 0; i < JUDGE_LINES + 30; i++)
		run(nvme_rw_sqe(NVMQ_IO_READ, 0x77000 + i, 1, page(), 0));
	fflush(n.out);
	for (at = n.log; (at = strstr(at, "violation LBA_RANGE (")); at++)
		lines++;
	CHECK(lines == JUDGE_LINES, "%u lines", lines);
	CHECK(judge_count(n.device->judge, RULE_LBA_RANGE) == JUDGE_LINES + 30, "not all counted");
	at = n.log ? strstr(n.log, "dw 77003 ") : NULL;
	CHECK(at && strstr(at, "dw 77002 "), "history: %s", n.log);
	nvme_stop(&n);
}

int main(void)
{
	unsigned int i;

	TAP_RUN(test_every_rule_is_tripped);
	for (i = 0; i < NR_TRIPS; i++) {
		trip = &trips[i];
		tap_run(judge_rule(trip->rule)->id, test_rule);
	}
	TAP_RUN(test_arming);
	TAP_RUN(test_lines);
	return tap_done();
}
