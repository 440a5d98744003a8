// SPDX-License-Identifier: GPL-2.0
/*
 * The flight recorder: which commands and completions it tells of a queue, in which order.
 */
#include "tap.h"
#include "queue.c"
#include "recorder.c"

static unsigned long now = 5000;
static u32 doorbells[2];

unsigned long unit_jiffies(void)
{
	return now;
}

void *unit_alloc(size_t bytes)
{
	return calloc(1, bytes);
}

void unit_free(void *memory)
{
	free(memory);
}

void *unit_dma_alloc(struct device *dev, size_t bytes, dma_addr_t *dma)
{
	(void)dev;
	*dma = 0x1000;
	return malloc(bytes);
}

void unit_dma_free(struct device *dev, size_t bytes, void *memory, dma_addr_t dma)
{
	(void)dev, (void)bytes, (void)dma;
	free(memory);
}

void unit_dma_rmb(void)
{
}

void unit_dma_wmb(void)
{
}

void unit_writel(u32 value, void *address)
{
	*(u32 *)address = value;
}

/* Names of our own: those of names.c are of no interest here. */
const char *nvmq_names_io(u8 opcode)
{
	return opcode == NVMQ_IO_READ ? "Read" : opcode == NVMQ_IO_WRITE ? "Write" : "Flush";
}

const char *nvmq_names_admin(u8 opcode)
{
	return opcode == NVMQ_ADMIN_IDENTIFY ? "Identify" : "another";
}

const char *nvmq_names_status(u16 status)
{
	return status ? "failure" : "success";
}

static char told[64][NVMQ_RECORDER_LINE];
static u32 lines;

static void emit(void *arg, const char *line)
{
	CHECK(arg == told, "another's argument");
	CHECK(strlen(line) < NVMQ_RECORDER_LINE, "%zu characters", strlen(line));
	CHECK(lines < 64, "too many lines");
	snprintf(told[lines++ % 64], sizeof(told[0]), "%s", line);
}

static struct nvmq_queue q;

static void start(u32 entries, u16 qid)
{
	memset(&q, 0, sizeof(q));
	CHECK(!nvmq_queue_alloc(&q, (struct device *)0x10, qid, entries), "alloc");
	q.sq_db = &doorbells[0];
	q.cq_db = &doorbells[1];
	q.live = true;
}

/* Command number @n, with tag @tag. */
static u16 submit(u32 n, u32 tag, u8 opcode)
{
	struct nvmq_sqe *sqe = nvmq_sq_next(&q);
	u16 cid = nvmq_slot_give(&q, tag, &q);

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = opcode;
	sqe->cid = cpu_to_le16(cid);
	sqe->nsid = cpu_to_le32(1);
	sqe->cdw10 = cpu_to_le32(n);
	nvmq_sq_push(&q);
	return cid;
}

static void complete(u16 cid, u16 status)
{
	struct nvmq_cq_cursor cur = nvmq_cq_begin(&q);
	struct nvmq_cqe *cqe = &q.cqes[cur.head];

	cqe->sqid = cpu_to_le16(q.qid);
	cqe->cid = cpu_to_le16(cid);
	cqe->status = cpu_to_le16(status << 1 | cur.phase);
	CHECK(nvmq_slot_take(&q, cid), "%#x", cid);
	nvmq_cq_advance(&q, &cur);
	nvmq_cq_end(&q, &cur);
}

static void dump(u32 count)
{
	lines = 0;
	memset(told, 0, sizeof(told));
	nvmq_recorder_dump(&q, count, emit, told);
}

static bool has(u32 line, const char *text)
{
	return strstr(told[line], text);
}

static void test_new(void)
{
	start(8, 0);
	submit(1, 0, NVMQ_ADMIN_IDENTIFY);
	dump(16);
	CHECK(lines == 2 && has(1, "Identify"), "%s", told[1]);
	nvmq_queue_free(&q);
	start(8, 3);
	dump(16);
	CHECK(lines == 1, "%u lines of a queue that did nothing", lines);
	CHECK(has(0, "queue 3: live, 0 outstanding"), "%s", told[0]);
	q.live = false;
	dump(16);
	CHECK(has(0, "not live"), "%s", told[0]);
	nvmq_queue_free(&q);
}

static void test_few(void)
{
	u16 cid[3];

	start(8, 1);
	cid[0] = submit(100, 5, NVMQ_IO_READ);
	cid[1] = submit(101, 6, NVMQ_IO_WRITE);
	nvmq_sq_ring(&q);
	now += 2 * HZ;
	cid[2] = submit(102, 2, NVMQ_IO_READ);
	complete(cid[1], 0);
	complete(cid[0], 0x281);
	now += HZ;
	q.lost = 7;
	q.bogus = 9;
	dump(16);
	CHECK(lines == 6, "%u", lines);
	CHECK(has(0, "1 outstanding; SQ tail 3, doorbell 2 3000 ms ago; CQ head 2, doorbell 1000"),
	      "%s", told[0]);
	CHECK(has(0, "7 lost interrupts, 9 bogus completions"), "%s", told[0]);
	CHECK(has(1, "SQ    0: CID 0x1005 Read") && has(1, "cdw10 0x64") && !has(1, "outstanding"),
	      "%s", told[1]);
	CHECK(has(2, "SQ    1: CID 0x1006 Write") && !has(2, "outstanding"), "%s", told[2]);
	CHECK(has(3, "SQ    2: CID 0x1002 Read") && has(3, "outstanding"), "%s", told[3]);
	CHECK(has(4, "CQ    0: CID 0x1006") && has(4, "success"), "%s", told[4]);
	CHECK(has(5, "CQ    1: CID 0x1005") && has(5, "status 0x281 (failure)"), "%s", told[5]);

	/* The same tag again: the old command is not taken for the new one. */
	submit(103, 5, NVMQ_IO_WRITE);
	dump(16);
	CHECK(!has(1, "outstanding") && has(4, "CID 0x2005") && has(4, "outstanding"), "%s / %s",
	      told[1], told[4]);
	nvmq_queue_reset(&q);
	dump(16);
	CHECK(lines == 1, "%u after a reset", lines);
	nvmq_queue_free(&q);
}

/* Once round and more: the newest are told, oldest of them first. */
static void test_wrap(void)
{
	u32 n, i, expect;
	char text[32];

	start(8, 2);
	for (n = 0; n < 1000; n++) {
		complete(submit(n + 1, n % 5, NVMQ_IO_READ), 0);
		nvmq_sq_ring(&q);
		dump(3);
		expect = n < 3 ? n + 1 : 3;
		CHECK(lines == 1 + 2 * expect, "%u: %u lines", n, lines);
		for (i = 0; i < expect; i++) {
			snprintf(text, sizeof(text), "cdw10 %#x ", n + 1 - (expect - 1 - i));
			CHECK(has(1 + i, text) && has(1 + i, "Read"), "%s: %s", text,
			      told[1 + i]);
			snprintf(text, sizeof(text), "CQ %4u", (n + 1 - expect + i) % 8);
			CHECK(has(1 + expect + i, text), "%s: %s", text, told[1 + expect + i]);
		}
	}
	/* More than there is memory for: each slot once. */
	dump(1000);
	CHECK(lines == 1 + 8 + 8, "%u", lines);
	nvmq_queue_free(&q);
}

/* Any bytes in the rings, as a device may leave them: lines of bounded length. */
static void test_garbage(void)
{
	u32 i, round;

	start(8, 1);
	for (round = 0; round < 200; round++) {
		for (i = 0; i < 8 * sizeof(*q.cqes); i++)
			((u8 *)q.cqes)[i] = rand();
		for (i = 0; i < 8 * sizeof(*q.sqes); i++)
			((u8 *)q.sqes)[i] = rand();
		dump(8);
		CHECK(lines == 17, "%u", lines);
	}
	nvmq_queue_free(&q);
}

int main(void)
{
	TAP_RUN(test_new);
	TAP_RUN(test_few);
	TAP_RUN(test_wrap);
	TAP_RUN(test_garbage);
	return tap_done();
}
