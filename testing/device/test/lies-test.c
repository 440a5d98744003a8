// SPDX-License-Identifier: GPL-2.0
/*
 * Every lie that the script language has is told by the device, and seen by a host: each test does
 * the same without the lie first, or after it.
 */
#include <endian.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "nvme_host.h"
#include "tap.h"

#define MS		1000000ull
#define STATUS_CRD(n)	((n) << 11)
#define STATUS_MORE	0x2000
#define AER		0x0c
#define GET_LOG		0x02
#define GET_FEATURES	0x0a
#define NR(array)	(sizeof(array) / sizeof((array)[0]))

static struct nvme_host n;
static struct nvme_queue *const admin = &n.queue[0], *const io = &n.queue[1];
/* A page that commands move, and one with what is expected of it. */
static uint64_t page;
static uint8_t *bytes;

static void tell(const char *line)
{
	char error[256];

	CHECK(!script_add(n.device->script, "lie", line, error, sizeof(error)), "%s", error);
}

static void hush(void)
{
	script_remove(n.device->script, 0);
	script_rewind(n.device->script);
}

static void begin(const char *options)
{
	nvme_start(&n, options);
	CHECK(nvme_up(&n), "nvme_up");
	page = nvme_alloc(&n, NVME_PAGE);
	bytes = nvme_at(&n, page);
}

/* Time goes by for the device; what is due by then is done, however long a sleep took. */
static void pass(unsigned int ms)
{
	nvme_run_for(&n, ms);
	nvme_run(&n);
}

/* The host has kept to the rules, whatever the device did. */
static void end(void)
{
	fflush(n.out);
	CHECK(!nvme_violations(&n), "%s", n.log);
	nvme_stop(&n);
}

/* A command of one page, its completion as it is; false if none comes within @ms. */
static bool run(uint8_t opcode, uint64_t lba, struct nvmq_cqe *cqe, unsigned int ms)
{
	struct nvmq_sqe flush = { .opcode = NVMQ_IO_FLUSH, .nsid = htole32(1) };
	struct nvmq_sqe sqe = nvme_rw_sqe(opcode, lba, 8, page, 0);
	uint16_t cid = nvme_push(io, opcode == NVMQ_IO_FLUSH ? &flush : &sqe);

	nvme_ring(io);
	if (!nvme_pop(io, cqe, ms))
		return false;
	CHECK(le16toh(cqe->cid) == cid && le16toh(cqe->sqid) == 1, "cid %u of SQ %u",
	      le16toh(cqe->cid), le16toh(cqe->sqid));
	return true;
}

static unsigned int status_of(const struct nvmq_cqe *cqe)
{
	return le16toh(cqe->status) >> 1;
}

/* The whole status, without "more". */
static unsigned int do_io(uint8_t opcode, uint64_t lba)
{
	struct nvmq_cqe cqe;

	return run(opcode, lba, &cqe, 2000) ? status_of(&cqe) & ~STATUS_MORE : 0xffff;
}

static unsigned int do_write(uint64_t lba, uint8_t pattern)
{
	memset(bytes, pattern, NVME_PAGE);
	return do_io(NVMQ_IO_WRITE, lba);
}

/* Bytes that differ from @pattern after a read. */
static unsigned int do_read(uint64_t lba, uint8_t pattern)
{
	unsigned int i, differ = 0;

	memset(bytes, ~pattern, NVME_PAGE);
	CHECK(!do_io(NVMQ_IO_READ, lba), "read");
	for (i = 0; i < NVME_PAGE; i++)
		differ += bytes[i] != pattern;
	return differ;
}

static uint64_t taken(void)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < n.host.nr_irqs; i++)
		sum += host_irq_taken(&n.host, i);
	return sum;
}

/* ------------------------------------------------------------- completions */

static void test_status(void)
{
	begin(NULL);
	CHECK(!do_write(0, 1) && !do_write(8, 1), "without lies");
	tell("when read nth 2 then status unrecovered-read dnr crd=1");
	CHECK(!do_read(0, 1), "the first read");
	memset(bytes, 0x77, NVME_PAGE);
	CHECK(do_io(NVMQ_IO_READ, 0) ==
	      (NVMQ_SC_UNRECOVERED_READ | NVMQ_STATUS_DNR | STATUS_CRD(1)), "the second read");
	CHECK(bytes[0] == 0x77 && bytes[NVME_PAGE - 1] == 0x77, "data was moved");
	CHECK(!do_read(0, 1), "the third read");
	hush();
	tell("when write lba 0..7 then status write-fault\n"
	     "when write lba 8..15 then status write-fault executed\n"
	     "when write lba 16..23 then status success");
	CHECK(do_write(0, 2) == NVMQ_SC_WRITE_FAULT, "write");
	CHECK(do_write(8, 2) == NVMQ_SC_WRITE_FAULT, "write, executed");
	CHECK(!do_write(16, 2), "a claim");
	CHECK(!do_read(0, 1), "it took effect");
	CHECK(!do_read(8, 2), "it took no effect");
	CHECK(!do_read(16, 0), "it took effect");
	/* Of an admin command. */
	tell("when identify cns 1 then status 0x123");
	CHECK(nvme_identify(&n, 1, 0, &page) == 0x123, "Identify");
	CHECK(!nvme_identify(&n, 0, 1, &page), "another Identify");
	end();
}

static void test_drop(void)
{
	struct nvmq_cqe cqe;

	begin(NULL);
	tell("when write nth 1 then drop\nwhen write nth 2 then drop executed");
	memset(bytes, 3, NVME_PAGE);
	CHECK(!run(NVMQ_IO_WRITE, 0, &cqe, 20), "a completion");
	CHECK(!run(NVMQ_IO_WRITE, 8, &cqe, 20), "a completion");
	CHECK(!do_read(0, 0), "it took effect");
	CHECK(!do_read(8, 3), "it took no effect");
	CHECK(!do_write(0, 4) && !do_read(0, 4), "the third write");
	/* A reset gets the controller out of it. */
	CHECK(nvme_disable(&n) && nvme_up(&n), "reset");
	CHECK(!do_read(0, 4), "after the reset");
	end();
}

static void test_delay(void)
{
	struct nvmq_cqe cqe;
	uint64_t start;

	begin(NULL);
	tell("when read then delay 200ms");
	start = clock_now();
	CHECK(run(NVMQ_IO_READ, 0, &cqe, 2000), "it never came");
	CHECK(clock_now() - start >= 200 * MS, "after %llu us",
	      (clock_now() - start) / 1000ull);
	hush();
	start = clock_now();
	CHECK(run(NVMQ_IO_READ, 0, &cqe, 2000), "it never came");
	CHECK(clock_now() - start < 200 * MS, "after %llu us",
	      (clock_now() - start) / 1000ull);
	end();
}

static void test_twice(void)
{
	struct nvmq_cqe a, b;

	begin(NULL);
	tell("when read nth 1 then twice\nwhen read nth 2 then twice after 200ms");
	CHECK(run(NVMQ_IO_READ, 0, &a, 2000), "the first");
	CHECK(nvme_pop(io, &b, 2000) && a.cid == b.cid && a.sqid == b.sqid, "its twin");
	CHECK(!nvme_pop(io, &b, 10), "a third");
	CHECK(run(NVMQ_IO_READ, 0, &a, 2000), "the second");
	CHECK(!nvme_pop(io, &b, 5), "its twin, too early");
	CHECK(nvme_pop(io, &b, 2000) && a.cid == b.cid, "its twin");
	CHECK(run(NVMQ_IO_READ, 0, &a, 2000) && !nvme_pop(io, &b, 10), "the third");
	end();
}

/* The completion as the device wrote it. */
static struct nvmq_cqe raw(uint8_t opcode)
{
	struct nvmq_sqe sqe = nvme_rw_sqe(opcode, 0, 8, page, 0);
	struct nvmq_cqe cqe = { 0 };

	nvme_push(io, &sqe);
	nvme_ring(io);
	CHECK(nvme_pop(io, &cqe, 2000), "no completion");
	CHECK(!status_of(&cqe), "status 0x%x", status_of(&cqe));
	return cqe;
}

static void test_wrong(void)
{
	uint16_t cid;

	begin(NULL);
	tell("when read nth 1 then wrong-cid 0xabcd\nwhen read nth 2 then wrong-cid\n"
	     "when read nth 3 then wrong-sq 7\nwhen read nth 4 then wrong-sq");
	CHECK(le16toh(raw(NVMQ_IO_READ).cid) == 0xabcd, "wrong-cid N");
	cid = io->cid;
	CHECK(le16toh(raw(NVMQ_IO_READ).cid) != cid, "wrong-cid");
	CHECK(le16toh(raw(NVMQ_IO_READ).sqid) == 7, "wrong-sq N");
	CHECK(le16toh(raw(NVMQ_IO_READ).sqid) > 8, "wrong-sq");
	cid = io->cid;
	CHECK(le16toh(raw(NVMQ_IO_READ).cid) == cid, "no lie");
	CHECK(le16toh(raw(NVMQ_IO_READ).sqid) == 1, "no lie");
	end();
}

static void test_wrong_phase(void)
{
	struct nvmq_cqe *ring, cqe;

	begin(NULL);
	ring = nvme_at(&n, io->cq);
	tell("when read nth 1 then wrong-phase");
	/* In a new queue the wrong phase is 0, which is what was there. */
	CHECK(!run(NVMQ_IO_READ, 0, &cqe, 10), "a completion of the right phase");
	CHECK(le16toh(ring[0].sqid) == 1 && !(le16toh(ring[0].status) & NVMQ_CQE_PHASE),
	      "SQ %u, status 0x%x", le16toh(ring[0].sqid), le16toh(ring[0].status));
	/* The device goes on with the next entry. */
	CHECK(!run(NVMQ_IO_READ, 0, &cqe, 10), "a completion where none can be");
	CHECK(le16toh(ring[1].status) & NVMQ_CQE_PHASE, "the next one");
	CHECK(nvme_disable(&n) && nvme_up(&n) && !do_read(0, 0), "reset");
	end();
}

static void test_reorder(void)
{
	struct nvmq_sqe sqe;
	uint16_t cid[4], order[4];
	struct nvmq_cqe cqe;
	uint64_t start;
	unsigned int i;

	begin(NULL);
	tell("when read nth 1 then reorder 2 within 9s\n"
	     "when read nth 5 then reorder 1 within 30ms");
	for (i = 0; i < 4; i++) {
		sqe = nvme_rw_sqe(NVMQ_IO_READ, 8 * i, 8, nvme_alloc(&n, NVME_PAGE), 0);
		cid[i] = nvme_push(io, &sqe);
	}
	nvme_ring(io);
	for (i = 0; i < 4; i++) {
		CHECK(nvme_pop(io, &cqe, 2000), "completion %u", i);
		order[i] = le16toh(cqe.cid);
	}
	CHECK(order[0] == cid[1] && order[1] == cid[2] && order[2] == cid[0] && order[3] == cid[3],
	      "%u %u %u %u", order[0], order[1], order[2], order[3]);
	/* Nobody comes to be let in front. */
	start = clock_now();
	CHECK(run(NVMQ_IO_READ, 0, &cqe, 2000) && clock_now() - start >= 30 * MS, "within 30 ms");
	end();
}

static void test_interrupts(void)
{
	struct nvmq_cqe cqe;
	unsigned int i;

	begin(NULL);
	nvme_run(&n);
	taken();
	CHECK(!do_io(NVMQ_IO_READ, 0), "a read");
	CHECK(host_irq_taken(&n.host, 1) == 1, "an interrupt for a read");
	tell("when read nth 1 then no-interrupt\nwhen read nth 2 then spurious-interrupt 5");
	CHECK(run(NVMQ_IO_READ, 0, &cqe, 2000), "a completion");
	pass(5);
	CHECK(!taken(), "an interrupt");
	CHECK(run(NVMQ_IO_READ, 0, &cqe, 2000), "a completion");
	nvme_run(&n);
	CHECK(host_irq_taken(&n.host, 1) == 6 && !taken(), "5 more than one");
	hush();
	/* At no command: of all vectors. */
	tell("when now then spurious-interrupt");
	nvme_run(&n);
	for (i = 0; i < n.host.nr_irqs; i++)
		CHECK(host_irq_taken(&n.host, i) == 1, "vector %u", i);
	tell("when every 10ms times 3 then spurious-interrupt");
	for (i = 0; i < 500 && script_told(n.device->script, LIE_SPURIOUS) < 4; i++)
		pass(10);
	pass(20);
	CHECK(taken() == 3 * n.host.nr_irqs, "every 10 ms");
	hush();
	/* A doorbell knows its queue, too. */
	tell("when register doorbell write queue 1 nth 1 then spurious-interrupt 2");
	CHECK(!do_io(NVMQ_IO_READ, 0), "a read");
	nvme_run(&n);
	CHECK(host_irq_taken(&n.host, 1) == 3 && !taken(), "2 more than one");
	end();
}

static void test_intx(void)
{
	nvme_start(&n, "vectors=0,pin");
	CHECK(!host_irqs(&n.host, VFIO_PCI_INTX_IRQ_INDEX, 1), "INTx");
	CHECK(nvme_up(&n), "nvme_up");
	page = nvme_alloc(&n, NVME_PAGE);
	bytes = nvme_at(&n, page);
	CHECK(!do_io(NVMQ_IO_READ, 0), "a read");
	nvme_run(&n);
	CHECK(taken() == 1, "its INTx");
	/* A pin that was heard is masked until the host has looked; so it has. */
	CHECK(!host_irqs(&n.host, VFIO_PCI_INTX_IRQ_INDEX, 1), "INTx");
	nvme_run(&n);
	CHECK(!taken(), "an INTx without a reason");
	tell("when now then spurious-interrupt");
	nvme_run(&n);
	CHECK(taken() == 1, "a spurious INTx");
	end();
}

/* ------------------------------------------------------------------- admin */

static void test_grant(void)
{
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_ADMIN_SET_FEATURES, .cdw10 = htole32(NVMQ_FEAT_QUEUE_COUNT),
		.cdw11 = htole32(7 << 16 | 7),
	};
	struct nvmq_sqe cq, again = sqe;
	uint32_t dw0 = 0;

	nvme_start(&n, NULL);
	tell("when set-features then grant 2");
	CHECK(nvme_enable(&n), "enable");
	CHECK(!nvme_do(admin, &sqe, &dw0) && dw0 == (1 << 16 | 1), "granted 0x%x", dw0);
	CHECK(!nvme_create(&n, 1, 16) && !nvme_create(&n, 2, 16), "queues 1 and 2");
	CHECK(nvme_disable(&n), "disable");
	hush();
	CHECK(nvme_enable(&n), "enable");
	CHECK(!nvme_do(admin, &again, &dw0) && dw0 == (7 << 16 | 7), "granted 0x%x", dw0);
	CHECK(!nvme_create(&n, 3, 16), "queue 3");
	end();
	/* What is not granted is not there; to try is the host's fault. */
	nvme_start(&n, NULL);
	tell("when always then grant 2");
	CHECK(nvme_enable(&n) && !nvme_set_queues(&n, 8), "enable");
	cq = nvme_create_cq_sqe(&n, 3, 16, 3);
	CHECK(nvme_admin(&n, &cq) == NVMQ_SC_QID_INVALID, "queue 3");
	CHECK(nvme_violations(&n), "nobody complains");
	nvme_stop(&n);
}

/* Submission and completion queues are counted each for themselves (base 5.27.1.5). */
static void test_grant_each(void)
{
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_ADMIN_SET_FEATURES, .cdw10 = htole32(NVMQ_FEAT_QUEUE_COUNT),
		.cdw11 = htole32(7 << 16 | 7),
	};
	struct nvmq_sqe again = sqe, get = sqe;
	uint32_t dw0 = 0, i;

	get.opcode = NVMQ_ADMIN_GET_FEATURES;
	nvme_start(&n, "cqs=3");
	tell("when set-features nth 1 then grant 5\nwhen set-features nth 2 then grant 2");
	CHECK(nvme_enable(&n), "enable");
	CHECK(!nvme_do(admin, &sqe, &dw0) && dw0 == (2 << 16 | 4), "granted 0x%x", dw0);
	CHECK(!nvme_do(admin, &again, &dw0) && dw0 == (1 << 16 | 1), "granted 0x%x", dw0);
	CHECK(!nvme_set_queues(&n, 8), "again");
	CHECK(!nvme_do(admin, &get, &dw0) && dw0 == (2 << 16 | 7), "granted 0x%x", dw0);
	CHECK(!nvme_create(&n, 1, 16) && !nvme_create(&n, 3, 16), "queues 1 and 3");
	for (i = 4; i <= 8; i++) {
		sqe = nvme_create_sq_sqe(&n, i, 16, 3);
		CHECK(!nvme_admin(&n, &sqe), "submission queue %u", i);
	}
	end();
	nvme_start(&n, "cqs=3");
	CHECK(nvme_enable(&n) && !nvme_set_queues(&n, 8), "enable");
	sqe = nvme_create_cq_sqe(&n, 4, 16, 3);
	CHECK(nvme_admin(&n, &sqe) == NVMQ_SC_QID_INVALID, "completion queue 4");
	sqe = nvme_create_sq_sqe(&n, 2, 16, 4);
	CHECK(nvme_admin(&n, &sqe) == NVMQ_SC_QID_INVALID, "a submission queue to that");
	sqe = nvme_create_sq_sqe(&n, 2, 16, 3);
	CHECK(nvme_admin(&n, &sqe) == NVMQ_SC_CQ_INVALID, "to one that is not created");
	CHECK(nvme_violations(&n), "nobody complains");
	nvme_stop(&n);
}

static void test_refuse_create(void)
{
	nvme_start(&n, NULL);
	tell("when create-cq nth 2 then refuse-create\n"
	     "when create-sq nth 2 then refuse-create queue-size dnr");
	CHECK(nvme_enable(&n) && !nvme_set_queues(&n, 8), "enable");
	CHECK(!nvme_create(&n, 1, 16), "queue 1");
	CHECK(nvme_create(&n, 2, 16) == NVMQ_SC_QID_INVALID, "queue 2");
	/* Its CQ comes to be, its SQ does not. */
	CHECK(nvme_create(&n, 3, 16) == NVMQ_SC_QUEUE_SIZE, "queue 3");
	CHECK(!nvme_create(&n, 4, 16), "queue 4");
	end();
}

/* Get Log Page into a page; the first @len bytes from @offset. */
static unsigned int get_log(uint8_t log, uint32_t offset, uint32_t len)
{
	struct nvmq_sqe sqe = {
		.opcode = GET_LOG, .nsid = htole32(0xffffffff), .prp1 = htole64(page),
		.cdw10 = htole32((len / 4 - 1) << 16 | log), .cdw12 = htole32(offset),
	};

	return nvme_admin(&n, &sqe);
}

static void test_garbage_identify(void)
{
	static const struct {
		const char *line;
		uint32_t cns;
		unsigned int first, len;
	} all[] = {
		{ "when always then garbage mdts", 1, 77, 1 },
		{ "when always then garbage oncs", 1, 520, 2 },
		{ "when always then garbage subnqn", 1, 768, 256 },
		{ "when always then garbage nsze", 0, 0, 8 },
		{ "when always then garbage lbaf0", 0, 128, 4 },
		{ "when always then garbage wzsl", 6, 1, 1 },
		{ "when cns 2 then garbage 4092+4", 2, 4092, 4 },
		{ "when cns 3 then garbage 0..3", 3, 0, 4 },
		{ "when identify cns 0x10 then garbage 0+4096", 0x10, 0, 4096 },
	};
	uint8_t *good, *bad;
	uint64_t a, b;
	unsigned int i, j;

	begin(NULL);
	for (i = 0; i < NR(all); i++) {
		uint32_t nsid = all[i].cns == 0 || all[i].cns == 3;

		CHECK(!nvme_identify(&n, all[i].cns, nsid, &a), "cns %u", all[i].cns);
		tell(all[i].line);
		CHECK(!nvme_identify(&n, all[i].cns, nsid, &b), "cns %u", all[i].cns);
		hush();
		good = nvme_at(&n, a);
		bad = nvme_at(&n, b);
		for (j = 0; j < 4096; j++)
			CHECK((good[j] != bad[j]) ==
			      (j >= all[i].first && j - all[i].first < all[i].len),
			      "%s: byte %u is %02x, was %02x", all[i].line, j, bad[j], good[j]);
	}
	tell("when always then garbage nsze value 0x1234");
	CHECK(!nvme_identify(&n, 0, 1, &a), "Identify");
	CHECK(le64toh(((struct nvmq_id_ns *)nvme_at(&n, a))->nsze) == 0x1234, "value");
	end();
}

static void test_garbage_log(void)
{
	uint8_t good[512];
	unsigned int i;

	begin(NULL);
	CHECK(!get_log(2, 0, 512), "the log");
	memcpy(good, bytes, 512);
	tell("when log 2 then garbage temperature value 0xfff0");
	CHECK(!get_log(2, 0, 512), "the log");
	CHECK(bytes[1] == 0xf0 && bytes[2] == 0xff, "%02x %02x", bytes[1], bytes[2]);
	CHECK(bytes[0] == good[0] && bytes[3] == good[3], "its neighbours");
	hush();
	/* From the middle of the page: offsets are those of the page. */
	tell("when log 2 then garbage 200+4");
	CHECK(!get_log(2, 196, 64), "the log from 196 on");
	for (i = 0; i < 64; i++)
		CHECK((bytes[i] != good[196 + i]) == (i >= 4 && i < 8), "byte %u", 196 + i);
	end();
}

/* -------------------------------------------------------------------- data */

static void test_wrong_data(void)
{
	unsigned int i, differ = 0;

	begin(NULL);
	CHECK(!do_write(0, 0x42), "write");
	tell("when read nth 1 then wrong-data\nwhen read nth 2 then wrong-data 512+8");
	CHECK(do_read(0, 0x42) == 1, "one byte");
	CHECK(do_read(0, 0x42) == 8 && bytes[511] == 0x42 && bytes[512] != 0x42 &&
	      bytes[519] != 0x42 && bytes[520] == 0x42, "eight bytes");
	CHECK(!do_read(0, 0x42), "no lie");
	hush();
	tell("when write then wrong-data 4000..4095");
	CHECK(!do_write(8, 0x43), "write");
	for (i = 0; i < NVME_PAGE; i++)
		differ += bytes[i] != 0x43;
	CHECK(!differ, "it wrote to the host's memory");
	CHECK(do_read(8, 0x43) == 96 && bytes[3999] == 0x43 && bytes[4000] != 0x43, "96 bytes");
	CHECK(do_read(8, 0x43) == 96, "they stay");
	end();
}

static void test_late_data(void)
{
	begin(NULL);
	CHECK(!do_write(0, 0x11), "write");
	tell("when read then data-after-completion 200ms");
	memset(bytes, 0x22, NVME_PAGE);
	CHECK(!do_io(NVMQ_IO_READ, 0), "read");
	CHECK(bytes[0] == 0x22 && bytes[NVME_PAGE - 1] == 0x22, "the data is there too early");
	pass(220);
	CHECK(bytes[0] == 0x11 && bytes[NVME_PAGE - 1] == 0x11, "the data is not there");
	hush();
	/* A write takes what is there then. */
	tell("when write then data-after-completion 200ms");
	CHECK(!do_write(0, 0x33), "write");
	memset(bytes, 0x44, NVME_PAGE);
	pass(220);
	hush();
	CHECK(!do_read(0, 0x44), "what was there when it completed");
	end();
}

/* --------------------------------------------------------------- registers */

static void test_registers(void)
{
	uint64_t cap;

	begin(NULL);
	cap = n.cap;
	tell("when register CAP read nth 1..2 then value 0x1122334455667788\n"
	     "when register VS read nth 2 then all-ones");
	CHECK(nvme_read64(&n, NVMQ_REG_CAP) == 0x1122334455667788, "CAP");
	CHECK(nvme_read32(&n, NVMQ_REG_CAP + 4) == 0x11223344, "upper half of CAP");
	CHECK(nvme_read64(&n, NVMQ_REG_CAP) == cap, "CAP, the truth");
	CHECK(nvme_read32(&n, NVMQ_REG_VS) == NVMQ_VS(2, 0), "VS");
	CHECK(nvme_read32(&n, NVMQ_REG_VS) == 0xffffffff, "VS, all ones");
	CHECK(nvme_read32(&n, NVMQ_REG_VS) == NVMQ_VS(2, 0), "VS");
	hush();
	tell("when register CC write then drop");
	nvme_write32(&n, NVMQ_REG_CC, n.cc);
	CHECK(nvme_read32(&n, NVMQ_REG_CC) == (n.cc | NVMQ_CC_EN), "CC was written");
	hush();
	tell("when register doorbell write queue 1 nth 1 then drop");
	{
		struct nvmq_sqe sqe = nvme_rw_sqe(NVMQ_IO_READ, 0, 8, page, 0);

		nvme_push(io, &sqe);
		nvme_ring(io);
		CHECK(!nvme_pop(io, NULL, 10), "the doorbell was heard");
		nvme_ring(io);
		CHECK(nvme_pop(io, NULL, 2000), "the doorbell was not heard");
	}
	end();
}

static void test_dead_reads(void)
{
	begin(NULL);
	tell("when read nth 2 then all-ones");
	CHECK(!do_io(NVMQ_IO_READ, 0), "the first");
	CHECK(nvme_read32(&n, NVMQ_REG_CSTS) == NVMQ_CSTS_RDY, "CSTS");
	CHECK(!do_io(NVMQ_IO_READ, 0), "the second");
	CHECK(nvme_read32(&n, NVMQ_REG_CSTS) == 0xffffffff, "CSTS");
	CHECK(nvme_read64(&n, NVMQ_REG_CAP) == UINT64_MAX, "CAP");
	CHECK(!do_io(NVMQ_IO_READ, 0), "commands still work");
	tell("when now then back");
	nvme_run(&n);
	CHECK(nvme_read32(&n, NVMQ_REG_CSTS) == 0 && nvme_up(&n), "back");
	CHECK(!do_io(NVMQ_IO_READ, 0), "and works");
	end();
}

/* -------------------------------------------------------------- controller */

static bool stays(uint32_t mask, uint32_t value, unsigned int ms)
{
	uint64_t until = clock_now() + ms * MS;

	do {
		nvme_run(&n);
		if ((nvme_read32(&n, NVMQ_REG_CSTS) & mask) != value)
			return false;
		usleep(500);
	} while (clock_now() < until);
	return true;
}

static void test_rdy(void)
{
	uint64_t start;

	/* CAP.TO of 0: the host need not wait before it gives up. */
	nvme_start(&n, "to=0,crto=0");
	tell("when nth 1 then rdy stuck");
	nvme_set_admin(&n, 16);
	nvme_write32(&n, NVMQ_REG_CC, n.cc | NVMQ_CC_EN);
	CHECK(stays(NVMQ_CSTS_RDY, 0, 50), "RDY");
	hush();
	CHECK(!host_reset(&n.host), "reset");
	CHECK(!host_config_set(&n.host, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER),
	      "PCI Command");
	CHECK(nvme_enable(&n), "enable after the reset");
	tell("when event disable then rdy stuck");
	nvme_write32(&n, NVMQ_REG_CC, n.cc);
	CHECK(stays(NVMQ_CSTS_RDY, NVMQ_CSTS_RDY, 50), "RDY goes");
	nvme_stop(&n);

	nvme_start(&n, NULL);
	tell("when event enable then rdy late 250ms\nwhen event disable then rdy late 200ms");
	start = clock_now();
	CHECK(nvme_enable(&n) && clock_now() - start >= 250 * MS, "late to come");
	start = clock_now();
	CHECK(nvme_disable(&n) && clock_now() - start >= 200 * MS, "late to go");
	hush();
	start = clock_now();
	CHECK(nvme_enable(&n) && nvme_disable(&n) && clock_now() - start < 200 * MS, "no lie");
	end();
}

static void test_cfs(void)
{
	struct nvmq_cqe cqe;

	begin(NULL);
	tell("when write nth 2 then cfs");
	CHECK(!do_write(0, 1), "the first write");
	CHECK(!run(NVMQ_IO_WRITE, 0, &cqe, 20), "the second write");
	CHECK(nvme_read32(&n, NVMQ_REG_CSTS) & NVMQ_CSTS_CFS, "CFS");
	CHECK(!run(NVMQ_IO_READ, 0, &cqe, 20), "a read after it");
	CHECK(nvme_disable(&n) && !(nvme_read32(&n, NVMQ_REG_CSTS) & NVMQ_CSTS_CFS), "reset");
	CHECK(nvme_up(&n) && !do_read(0, 1), "after the reset");
	end();
}

static void test_gone(void)
{
	struct nvmq_cqe cqe;

	begin(NULL);
	CHECK(!do_write(0, 5), "write");
	taken();
	tell("when read nth 1 then gone back after 500ms");
	memset(bytes, 6, NVME_PAGE);
	CHECK(!run(NVMQ_IO_READ, 0, &cqe, 10), "a completion");
	CHECK(nvme_read32(&n, NVMQ_REG_CSTS) == 0xffffffff, "CSTS");
	CHECK(host_config(&n.host, PCI_VENDOR_ID, 2) == 0xffff, "its vendor");
	CHECK(bytes[0] == 6 && !taken(), "it still works");
	nvme_write32(&n, NVMQ_REG_CC, n.cc);
	pass(520);
	CHECK(host_config(&n.host, PCI_VENDOR_ID, 2) == 0x1b36, "its vendor");
	CHECK(!nvme_read32(&n, NVMQ_REG_CC) && !nvme_read32(&n, NVMQ_REG_CSTS), "as after a reset");
	CHECK(nvme_up(&n) && !do_read(0, 5), "it works again");
	hush();
	tell("when after 300ms then gone");
	CHECK(!do_read(0, 5), "not yet");
	pass(320);
	CHECK(nvme_read32(&n, NVMQ_REG_CSTS) == 0xffffffff, "gone after 300 ms");
	pass(40);
	CHECK(nvme_read32(&n, NVMQ_REG_CSTS) == 0xffffffff, "and it stays gone");
	tell("when now then back");
	nvme_run(&n);
	CHECK(nvme_up(&n) && !do_read(0, 5), "back");
	end();
}

/* Number of active namespaces; the last one in @last. */
static unsigned int count_active(uint32_t *last)
{
	const uint32_t *list;
	unsigned int i;
	uint64_t at;

	CHECK(!nvme_identify(&n, NVMQ_CNS_ACTIVE_LIST, 0, &at), "active list");
	list = nvme_at(&n, at);
	for (i = 0; list[i]; i++)
		*last = le32toh(list[i]);
	return i;
}

static uint64_t blocks(uint32_t nsid)
{
	uint64_t at;

	CHECK(!nvme_identify(&n, NVMQ_CNS_NAMESPACE, nsid, &at), "Identify Namespace %u", nsid);
	return le64toh(((struct nvmq_id_ns *)nvme_at(&n, at))->nsze);
}

static void request_event(void)
{
	struct nvmq_sqe sqe = { .opcode = AER };

	nvme_push(admin, &sqe);
	nvme_ring(admin);
}

static void test_namespaces(void)
{
	struct nvmq_sqe notices = {
		.opcode = NVMQ_ADMIN_SET_FEATURES, .cdw10 = htole32(0x0b), .cdw11 = htole32(1 << 8),
	};
	static const struct {
		const char *line;
		unsigned int nr;
		uint32_t last, changed;
	} steps[] = {
		{ "when now then namespace 2 new 4096", 2, 2, 2 },
		{ "when now then namespace 2 resized 1024", 2, 2, 2 },
		{ "when now then namespace 1 gone", 1, 2, 1 },
		{ "when now then namespace 2 gone", 0, 0, 2 },
		{ "when now then namespace 1 new 64", 1, 1, 1 },
	};
	struct nvmq_cqe cqe;
	uint32_t last, dw0;
	unsigned int i;

	begin(NULL);
	CHECK(!nvme_admin(&n, &notices), "namespace notices");
	CHECK(count_active(&last) == 1 && last == 1, "one namespace");
	for (i = 0; i < NR(steps); i++) {
		request_event();
		CHECK(!nvme_pop(admin, &cqe, 2), "an event without a reason");
		tell(steps[i].line);
		CHECK(nvme_pop(admin, &cqe, 2000), "%s: no event", steps[i].line);
		dw0 = le32toh(cqe.dw0);
		/* Notice, Namespace Attribute Changed, of which log page 4 tells. */
		CHECK(dw0 == (2 | 0 << 8 | 4 << 16), "%s: event 0x%x", steps[i].line, dw0);
		CHECK(!get_log(4, 0, 4096) && le32toh(*(uint32_t *)bytes) == steps[i].changed,
		      "%s: changed is %u", steps[i].line, *(uint32_t *)bytes);
		last = 0;
		CHECK(count_active(&last) == steps[i].nr && last == steps[i].last, "%s: last is %u",
		      steps[i].line, last);
		if (i == 0)
			CHECK(blocks(2) == 4096, "%llu", (unsigned long long)blocks(2));
		if (i == 1)
			CHECK(blocks(2) == 1024, "%llu", (unsigned long long)blocks(2));
	}
	CHECK(blocks(1) == 64, "%llu", (unsigned long long)blocks(1));
	end();
}

static void test_flood(void)
{
	struct nvmq_cqe cqe;
	unsigned int i;

	begin(NULL);
	tell("when now then event flood 20 type 0 info 3 log 1");
	/* No log page is read in between: the specification would want silence. */
	for (i = 0; i < 20; i++) {
		request_event();
		CHECK(nvme_pop(admin, &cqe, 2000) && le32toh(cqe.dw0) == (0 | 3 << 8 | 1 << 16),
		      "event %u: 0x%x", i, le32toh(cqe.dw0));
	}
	request_event();
	CHECK(!nvme_pop(admin, &cqe, 10), "the 21st");
	end();
}

/* ------------------------------------------------------------------ events */

static void reset_pci(void)
{
	CHECK(!host_config_set(&n.host, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER),
	      "PCI Command");
	CHECK(!host_config_set(&n.host, host_find_cap(&n.host, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS, 2,
			       PCI_MSIX_FLAGS_ENABLE), "MSI-X");
	nvme_run(&n);
}

static void do_enable(void)
{
	CHECK(nvme_enable(&n), "enable");
}

static void do_disable(void)
{
	CHECK(nvme_disable(&n), "disable");
}

static void do_shutdown(void)
{
	do_enable();
	nvme_write32(&n, NVMQ_REG_CC, n.cc | NVMQ_CC_EN | NVMQ_CC_SHN_NORMAL);
	CHECK(nvme_wait_csts(&n, NVMQ_CSTS_SHST_MASK, NVMQ_CSTS_SHST_DONE), "shutdown");
	do_disable();
}

static void do_flr(void)
{
	unsigned int cap = host_find_cap(&n.host, PCI_CAP_ID_EXP);
	uint32_t control = host_config(&n.host, cap + PCI_EXP_DEVCTL, 2);

	CHECK(cap && !host_config_set(&n.host, cap + PCI_EXP_DEVCTL, 2,
				      control | PCI_EXP_DEVCTL_BCR_FLR), "flr");
	reset_pci();
}

static void do_nssr(void)
{
	nvme_write32(&n, NVMQ_REG_NSSR, 0x4e564d65);
}

static void do_reset(void)
{
	CHECK(!host_reset(&n.host), "reset");
	reset_pci();
}

static void do_create(void)
{
	CHECK(nvme_up(&n), "up");
}

static void do_delete(void)
{
	struct nvmq_sqe sq = nvme_delete_sqe(NVMQ_ADMIN_DELETE_SQ, 1);
	struct nvmq_sqe cq = nvme_delete_sqe(NVMQ_ADMIN_DELETE_CQ, 1);

	CHECK(!nvme_admin(&n, &sq) && !nvme_admin(&n, &cq), "delete");
	do_disable();
}

static void test_events(void)
{
	static const struct {
		const char *event;
		void (*act)(void);
		unsigned long times;
	} all[] = {
		{ "enable", do_enable, 1 }, { "disable", do_disable, 1 },
		{ "ready", do_enable, 1 }, { "disable", do_disable, 1 },
		{ "shutdown", do_shutdown, 1 }, { "flr", do_flr, 1 },
		{ "subsystem-reset", do_nssr, 1 }, { "reset", do_reset, 1 },
		{ "queue-created", do_create, 2 }, { "queue-deleted", do_delete, 2 },
	};
	struct device *device;
	char line[100];
	unsigned int i;

	nvme_start(&n, "nssrs");
	device = n.device;
	for (i = 0; i < NR(all); i++) {
		hush();
		snprintf(line, sizeof(line), "when event %s then spurious-interrupt", all[i].event);
		tell(line);
		CHECK(!script_told(device->script, LIE_SPURIOUS), "%s too early", all[i].event);
		all[i].act();
		CHECK(script_told(device->script, LIE_SPURIOUS) == all[i].times, "%s: %lu times",
		      all[i].event, script_told(device->script, LIE_SPURIOUS));
	}
	hush();
	tell("when event disconnect then spurious-interrupt");
	host_stop(&n.host);
	nvme_run(&n);
	CHECK(script_told(device->script, LIE_SPURIOUS) == 1, "disconnect");
	fflush(n.out);
	CHECK(!nvme_violations(&n), "%s", n.log);
	device_free(device);
	fclose(n.out);
	free(n.log);
}

static void test_connect(void)
{
	nvme_start(&n, NULL);
	/* nvme_start() has connected; another client is told. */
	tell("when event connect then spurious-interrupt");
	host_stop(&n.host);
	nvme_run(&n);
	CHECK(!script_told(n.device->script, LIE_SPURIOUS), "too early");
	{
		int pair[2];

		CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair) &&
		      !vfu_adopt(n.device->vfu, pair[0]), "adopt");
		n.host.sock = pair[1];
		CHECK(!host_version(&n.host, NULL, 0), "version");
	}
	CHECK(script_told(n.device->script, LIE_SPURIOUS) == 1, "connect");
	end();
}

/* ------------------------------------------------------------------- clock */

static uint64_t time_of(uint8_t opcode)
{
	uint64_t start = clock_now();
	struct nvmq_cqe cqe;

	CHECK(run(opcode, 0, &cqe, 5000) && !status_of(&cqe), "opcode %u", opcode);
	return clock_now() - start;
}

static void test_clock(void)
{
	char error[256];
	uint64_t took;

	begin(NULL);
	CHECK(!clock_set(n.device->clock, "queue 1 200ms", error, sizeof(error)), "%s", error);
	took = time_of(NVMQ_IO_READ);
	CHECK(took >= 200 * MS && took < 2000 * MS, "%llu ns", (unsigned long long)took);
	/* 4096 bytes at 20 kB/s. */
	CHECK(!clock_set(n.device->clock, "off, rate 20kB/s", error, sizeof(error)), "%s", error);
	took = time_of(NVMQ_IO_WRITE);
	CHECK(took >= 204 * MS && took < 2000 * MS, "%llu ns", (unsigned long long)took);
	took = time_of(NVMQ_IO_FLUSH);
	CHECK(took < 200 * MS, "%llu ns for a flush", (unsigned long long)took);
	CHECK(!clock_set(n.device->clock, "off", error, sizeof(error)), "%s", error);
	took = time_of(NVMQ_IO_READ);
	CHECK(took < 200 * MS, "%llu ns", (unsigned long long)took);
	end();
}

static void test_trace(void)
{
	char name[] = "/tmp/lies-test.XXXXXX", line[200], error[100];
	unsigned int sq, cq, cid, opcode, status, size, nr = 0;
	unsigned long long at, fetch, data, post, irq;
	int fd = mkstemp(name);
	FILE *in;

	begin(NULL);
	CHECK(!clock_set(n.device->clock, "queue 1 100ms", error, sizeof(error)), "%s", error);
	CHECK(!clock_trace_on(n.device->clock, name), "trace on");
	CHECK(!do_write(0, 1) && !do_read(0, 1), "I/O");
	nvme_run(&n);
	CHECK(!clock_trace_off(n.device->clock), "trace off");
	in = fdopen(fd, "r");
	while (fgets(line, sizeof(line), in)) {
		if (*line == '#')
			continue;
		CHECK(sscanf(line, "%llu %u %u %x %x %x %u %llu %llu %llu %llu", &at, &sq, &cq,
			     &cid, &opcode, &status, &size, &fetch, &data, &post, &irq) == 11, "%s",
		      line);
		CHECK(sq == 1 && cq == 1 && !status && size == NVME_PAGE, "%s", line);
		CHECK(opcode == (nr ? NVMQ_IO_READ : NVMQ_IO_WRITE), "%s", line);
		CHECK(fetch < data && data <= post && post <= irq, "%s", line);
		CHECK(fetch < 100 * MS && post >= 100 * MS, "%s", line);
		nr++;
	}
	CHECK(nr == 2, "%u lines", nr);
	fclose(in);
	unlink(name);
	end();
}

/* ------------------------------------------------------------ random lies */

/* Whatever the seed says, neither device nor host end up anywhere: the sanitizers look. */
static void test_random(void)
{
	unsigned int seed, i, done = 0, lies = 0, kind;
	char line[64];

	for (seed = 1; seed <= 25; seed++) {
		struct nvmq_cqe cqe;

		nvme_start(&n, "to=0,crto=0,irq-ms=0");
		snprintf(line, sizeof(line), "lies by seed %u count 15", seed);
		tell(line);
		for (i = 0; i < 3; i++) {
			unsigned int j;

			nvme_write32(&n, NVMQ_REG_CC, n.cc);
			nvme_set_admin(&n, 16);
			nvme_write32(&n, NVMQ_REG_CC, n.cc | NVMQ_CC_EN);
			pass(2);
			if (nvme_read32(&n, NVMQ_REG_CSTS) != NVMQ_CSTS_RDY)
				continue;
			/* Ten commands without waiting long; a lost one ends the round. */
			page = nvme_alloc(&n, NVME_PAGE);
			bytes = nvme_at(&n, page);
			for (j = 0; j < 10; j++) {
				struct nvmq_sqe sqe = {
					.opcode = NVMQ_ADMIN_IDENTIFY, .prp1 = htole64(page),
					.cdw10 = htole32(j & 1), .nsid = htole32(!(j & 1)),
				};

				nvme_push(admin, &sqe);
				nvme_ring(admin);
				if (!nvme_pop(admin, &cqe, 3))
					break;
				done++;
			}
			if (j < 10)
				continue;
			{
				struct nvmq_sqe cq = nvme_create_cq_sqe(&n, 1, 16, 1);
				struct nvmq_sqe sq = nvme_create_sq_sqe(&n, 1, 16, 1);

				nvme_set_queues(&n, 2);
				n.queue[1] = (struct nvme_queue){
					.n = &n, .qid = 1, .sq = le64toh(sq.prp1), .sq_size = 16,
					.cq = le64toh(cq.prp1), .cq_size = 16, .phase = 1, .cid = 1,
				};
				if (nvme_admin(&n, &cq) || nvme_admin(&n, &sq))
					continue;
			}
			for (j = 0; j < 300; j++) {
				struct nvmq_sqe sqe = nvme_rw_sqe(j % 3, j, 8, page, 0);

				nvme_push(io, &sqe);
				nvme_ring(io);
				if (!nvme_pop(io, &cqe, 3))
					break;
				done++;
			}
		}
		for (kind = 0; kind < NR_LIE_KINDS; kind++)
			lies += script_told(n.device->script, kind);
		nvme_stop(&n);
	}
	CHECK(done > 1000, "%u commands only", done);
	CHECK(lies > 200, "%u lies only", lies);
}

int main(void)
{
	TAP_RUN(test_status);
	TAP_RUN(test_drop);
	TAP_RUN(test_delay);
	TAP_RUN(test_twice);
	TAP_RUN(test_wrong);
	TAP_RUN(test_wrong_phase);
	TAP_RUN(test_reorder);
	TAP_RUN(test_interrupts);
	TAP_RUN(test_intx);
	TAP_RUN(test_grant);
	TAP_RUN(test_grant_each);
	TAP_RUN(test_refuse_create);
	TAP_RUN(test_garbage_identify);
	TAP_RUN(test_garbage_log);
	TAP_RUN(test_wrong_data);
	TAP_RUN(test_late_data);
	TAP_RUN(test_registers);
	TAP_RUN(test_dead_reads);
	TAP_RUN(test_rdy);
	TAP_RUN(test_cfs);
	TAP_RUN(test_gone);
	TAP_RUN(test_namespaces);
	TAP_RUN(test_flood);
	TAP_RUN(test_events);
	TAP_RUN(test_connect);
	TAP_RUN(test_clock);
	TAP_RUN(test_trace);
	TAP_RUN(test_random);
	return tap_done();
}
