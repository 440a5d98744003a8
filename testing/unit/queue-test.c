// SPDX-License-Identifier: GPL-2.0
/*
 * The rings of a queue pair, with a device on the other side that is written from the
 * specification (NVMe base 2.0, 3.3.1 queues, 3.3.3.2 completion entries) and trusts nothing.
 */
#include "tap.h"
#include "queue.c"

static unsigned long now;

unsigned long unit_jiffies(void)
{
	return now;
}

static struct device *const the_device = (struct device *)0x1000;
static struct nvmq_queue queue;

/* ---- what the driver allocates ---- */

static int allocations, fail_at = -1;
static int owned;

void *unit_alloc(size_t bytes)
{
	if (allocations++ == fail_at)
		return NULL;
	owned++;
	return calloc(1, bytes);
}

void unit_free(void *memory)
{
	owned -= !!memory;
	free(memory);
}

/* DMA memory is not zeroed here, so that relying on zeroes shows. */
void *unit_dma_alloc(struct device *dev, size_t bytes, dma_addr_t *dma)
{
	size_t *memory;

	CHECK(dev == the_device, "%p", (void *)dev);
	if (allocations++ == fail_at)
		return NULL;
	owned++;
	memory = malloc(sizeof(*memory) * 2 + bytes);
	memory[0] = bytes;
	memset(memory + 2, 0xff, bytes);
	*dma = (dma_addr_t)(uintptr_t)memory ^ 0x5a5a000000000000;
	return memory + 2;
}

void unit_dma_free(struct device *dev, size_t bytes, void *memory, dma_addr_t dma)
{
	size_t *start = (size_t *)memory - 2;

	CHECK(dev == the_device, "%p", (void *)dev);
	CHECK(start[0] == bytes, "freed %zu of %zu bytes", bytes, start[0]);
	CHECK(dma == ((dma_addr_t)(uintptr_t)start ^ 0x5a5a000000000000), "another's address");
	owned--;
	free(start);
}

/* ---- the device ---- */

struct command {
	u16 cid;
	u32 serial;
};

static struct {
	u32 entries;
	u32 sq_head;		/* next SQE to fetch */
	u32 cq_tail;		/* next CQE to write */
	u32 cq_head;		/* as the doorbell says */
	u16 phase;
	struct command fetched[NVMQ_MAX_ENTRIES];
	u32 nr_fetched;
	u32 sq_writes, cq_writes;
	u32 serial;		/* of the next SQE */
	struct nvmq_cqe late;	/* becomes visible at the next dma_rmb() */
	struct nvmq_cqe *late_at;
	u32 rmbs, wmbs;
} dev;

static u32 sq_doorbell, cq_doorbell;

static u32 cq_free(void)
{
	return (dev.cq_head + dev.entries - dev.cq_tail - 1) % dev.entries;
}

void unit_writel(u32 value, void *addr)
{
	struct nvmq_sqe *sqe;

	CHECK(value < dev.entries, "doorbell %u of %u", value, dev.entries);
	if (addr == &sq_doorbell) {
		dev.sq_writes++;
		while (dev.sq_head != value) {
			sqe = &queue.sqes[dev.sq_head];
			CHECK(le32_to_cpu(sqe->cdw10) == dev.serial,
			      "SQE %u holds command %u, not %u", dev.sq_head,
			      le32_to_cpu(sqe->cdw10), dev.serial);
			CHECK(dev.nr_fetched < dev.entries - 1, "%u commands at once",
			      dev.nr_fetched + 1);
			dev.fetched[dev.nr_fetched].cid = le16_to_cpu(sqe->cid);
			dev.fetched[dev.nr_fetched++].serial = dev.serial++;
			memset(sqe, 0xee, sizeof(*sqe));
			dev.sq_head = (dev.sq_head + 1) % dev.entries;
		}
		return;
	}
	CHECK(addr == &cq_doorbell, "write to %p", addr);
	dev.cq_writes++;
	/* The new head lies between the old one and the tail. */
	CHECK((value + dev.entries - dev.cq_head) % dev.entries <=
	      (dev.cq_tail + dev.entries - dev.cq_head) % dev.entries,
	      "CQ head %u, was %u, tail %u", value, dev.cq_head, dev.cq_tail);
	CHECK(value != dev.cq_head, "CQ head %u said twice", value);
	dev.cq_head = value;
}

void unit_dma_rmb(void)
{
	dev.rmbs++;
	if (dev.late_at) {
		*dev.late_at = dev.late;
		dev.late_at = NULL;
	}
}

void unit_dma_wmb(void)
{
	dev.wmbs++;
}

/* Post a completion. Its first bytes reach memory only when the driver has asked for order. */
static void post(u16 cid, u32 serial)
{
	struct nvmq_cqe *cqe = &queue.cqes[dev.cq_tail], whole = { 0 };

	CHECK(cq_free(), "the completion queue overflows");
	whole.dw0 = cpu_to_le32(serial);
	whole.sqhd = cpu_to_le16(dev.sq_head);
	whole.cid = cpu_to_le16(cid);
	whole.status = cpu_to_le16(dev.phase);
	if (dev.late_at) {
		*cqe = whole;
	} else {
		memset(cqe, 0xdd, offsetof(struct nvmq_cqe, status));
		cqe->status = whole.status;
		dev.late = whole;
		dev.late_at = cqe;
	}
	if (++dev.cq_tail == dev.entries) {
		dev.cq_tail = 0;
		dev.phase ^= 1;
	}
}

static void device_reset(u32 entries)
{
	memset(&dev, 0, sizeof(dev));
	dev.entries = entries;
	dev.phase = 1;
}

static void start(u32 entries)
{
	int ret;

	memset(&queue, 0, sizeof(queue));
	fail_at = -1;
	device_reset(entries);
	ret = nvmq_queue_alloc(&queue, the_device, 7, entries, entries);
	CHECK(!ret, "%d", ret);
	queue.sq_db = &sq_doorbell;
	queue.cq_db = &cq_doorbell;
}

static void stop(void)
{
	nvmq_queue_free(&queue);
	CHECK(!owned, "%d allocations are left", owned);
}

/* ---- tests ---- */

static void check_new(u32 entries)
{
	struct nvmq_cq_cursor cur = nvmq_cq_begin(&queue);
	u32 i;

	CHECK(queue.entries == entries && !queue.tail && !queue.rung && !queue.head, "indices");
	CHECK(queue.cq == &queue && queue.cq_entries == entries, "completion ring");
	CHECK(queue.phase == 1, "phase %u", queue.phase);
	CHECK(dev.wmbs, "the zeroes are not ordered before what follows");
	CHECK(!nvmq_cq_peek(&queue, &cur), "a completion in a new ring");
	for (i = 0; i < entries; i++) {
		CHECK(!queue.cqes[i].status, "CQE %u has status %#x", i, queue.cqes[i].status);
		CHECK((queue.slots[i].cid & NVMQ_CID_TAG_MASK) == i, "slot %u has CID %#x", i,
		      queue.slots[i].cid);
		CHECK(!queue.slots[i].owner, "slot %u has an owner", i);
	}
}

static void test_alloc(void)
{
	static const u32 sizes[] = { 2, 3, 1024, NVMQ_MAX_ENTRIES };
	int i, ret;

	for (i = 0; i < 4; i++) {
		start(sizes[i]);
		CHECK(queue.qid == 7 && queue.dev == the_device, "qid %u", queue.qid);
		CHECK(queue.sq_lock.made && queue.cq_lock.made, "a lock is not initialised");
		check_new(sizes[i]);
		CHECK(owned == 3, "%d allocations", owned);
		stop();
		stop();	/* Twice does no harm. */
	}
	for (i = 0; i < 3; i++) {
		memset(&queue, 0, sizeof(queue));
		allocations = 0;
		fail_at = i;
		ret = nvmq_queue_alloc(&queue, the_device, 1, 64, 64);
		CHECK(ret == -ENOMEM && !owned, "allocation %d failed: %d, %d left", i, ret, owned);
		stop();
		/* And the same queue can be had later. */
		fail_at = -1;
		ret = nvmq_queue_alloc(&queue, the_device, 1, 64, 64);
		CHECK(!ret, "%d", ret);
		stop();
	}
	memset(&queue, 0, sizeof(queue));
	stop();
}

static void submit(u32 tag, void *owner, u32 serial)
{
	struct nvmq_sqe *sqe = nvmq_sq_next(&queue);

	memset(sqe, 0, sizeof(*sqe));
	sqe->cid = cpu_to_le16(nvmq_slot_give(&queue, tag, owner));
	sqe->cdw10 = cpu_to_le32(serial);
	nvmq_sq_push(&queue);
}

static void test_doorbell(void)
{
	u32 entries, tag;

	for (entries = 2; entries < 70; entries++) {
		start(entries);
		CHECK(!nvmq_sq_ring(&queue) && !dev.sq_writes, "a doorbell for nothing");
		for (tag = 0; tag < entries - 1; tag++)
			submit(tag, &dev, tag);
		CHECK(!dev.nr_fetched, "the device was told before the doorbell");
		CHECK(nvmq_sq_ring(&queue), "no doorbell for %u commands", entries - 1);
		CHECK(dev.sq_writes == 1 && dev.nr_fetched == entries - 1, "%u writes, %u commands",
		      dev.sq_writes, dev.nr_fetched);
		CHECK(!nvmq_sq_ring(&queue) && dev.sq_writes == 1, "the doorbell was rung twice");
		stop();
	}
}

/* A full ring of completions is told from an empty one, at each place and in both phases. */
static void test_full(void)
{
	static const u32 sizes[] = { 2, 3, 4, 64, 1023 };
	struct nvmq_cq_cursor cur;
	u32 i, lap, tag, n, serial;

	for (i = 0; i < 5; i++) {
		start(sizes[i]);
		serial = 0;
		for (lap = 0; lap < (sizes[i] < 64 ? 40 : 5); lap++) {
			for (tag = 0; tag < sizes[i] - 1; tag++)
				submit(tag, &dev, serial++);
			nvmq_sq_ring(&queue);
			for (n = 0; n < sizes[i] - 1; n++)
				post(dev.fetched[n].cid, dev.fetched[n].serial);
			dev.nr_fetched = 0;
			CHECK(!cq_free(), "the ring is not full");
			cur = nvmq_cq_begin(&queue);
			for (n = 0; nvmq_cq_peek(&queue, &cur) && n < 2 * sizes[i]; n++)
				nvmq_cq_advance(&queue, &cur);
			CHECK(n == sizes[i] - 1, "%u of %u completions", n, sizes[i] - 1);
			CHECK(dev.cq_writes == lap, "%u doorbells in %u laps", dev.cq_writes, lap);
			nvmq_cq_end(&queue, &cur);
			CHECK(dev.cq_head == dev.cq_tail, "head %u tail %u", dev.cq_head,
			      dev.cq_tail);
			cur = nvmq_cq_begin(&queue);
			CHECK(!nvmq_cq_peek(&queue, &cur), "a completion in an empty ring");
		}
		stop();
	}
}

/* Random batches, completions in random order, bogus ones among them, for many laps. */
static void test_traffic(void)
{
	static const u32 sizes[] = { 2, 3, 4, 5, 8, 17, 64, 255, 1024, NVMQ_MAX_ENTRIES };
	static u32 serial_of[NVMQ_MAX_ENTRIES], free_tags[NVMQ_MAX_ENTRIES];
	u32 i, n, pick, nr_free, serial, done, bogus, seen_bogus, goal, tag, before;
	const struct nvmq_cqe *cqe;
	struct nvmq_cq_cursor cur;
	u32 *owner;
	u16 cid;

	for (i = 0; i < 10; i++) {
		start(sizes[i]);
		/* Tags are fewer than entries, which is what keeps the ring from overflowing. */
		nr_free = sizes[i] - 1;
		for (n = 0; n < nr_free; n++)
			free_tags[n] = n;
		serial = 0;
		done = 0;
		bogus = 0;
		seen_bogus = 0;
		goal = sizes[i] * 20 + 1000;
		while (done < goal) {
			for (n = rnd_in(0, nr_free); n; n--) {
				pick = rnd_in(0, nr_free - 1);
				tag = free_tags[pick];
				free_tags[pick] = free_tags[--nr_free];
				serial_of[tag] = serial;
				submit(tag, &serial_of[tag], serial++);
			}
			before = dev.sq_writes;
			if (rnd_in(0, 3)) {
				nvmq_sq_ring(&queue);
				CHECK(dev.sq_writes <= before + 1, "%u doorbells",
				      dev.sq_writes - before);
			}

			for (n = rnd_in(0, dev.nr_fetched); n && cq_free(); n--) {
				pick = rnd_in(0, dev.nr_fetched - 1);
				post(dev.fetched[pick].cid, dev.fetched[pick].serial);
				dev.fetched[pick] = dev.fetched[--dev.nr_fetched];
			}
			/* A CID of no outstanding command: right tag, another generation. */
			if (!rnd_in(0, 3) && dev.nr_fetched && cq_free() > dev.nr_fetched + 1) {
				cid = dev.fetched[0].cid;
				cid += rnd_in(1, 15) << NVMQ_CID_TAG_BITS;
				post(cid, ~0u);
				bogus++;
			}

			cur = nvmq_cq_begin(&queue);
			n = 0;
			while ((cqe = nvmq_cq_peek(&queue, &cur))) {
				owner = nvmq_slot_take(&queue, le16_to_cpu(cqe->cid));
				if (le32_to_cpu(cqe->dw0) == ~0u) {
					CHECK(!owner, "CID %#x was taken", cqe->cid);
					seen_bogus++;
				} else {
					CHECK(owner && *owner == le32_to_cpu(cqe->dw0),
					      "command %u, completion of %u", owner ? *owner : ~0u,
					      le32_to_cpu(cqe->dw0));
					if (owner)
						free_tags[nr_free++] = owner - serial_of;
					done++;
				}
				nvmq_cq_advance(&queue, &cur);
				n++;
				/* Sometimes the walk ends early and goes on in the next round. */
				if (!rnd_in(0, 9))
					break;
			}
			before = dev.cq_writes;
			if (n)
				nvmq_cq_end(&queue, &cur);
			CHECK(dev.cq_writes == before + !!n, "%u doorbells",
			      dev.cq_writes - before);
			if (tap_bad)
				break;
		}
		CHECK(seen_bogus <= bogus && (sizes[i] < 8 || seen_bogus), "%u of %u bogus",
		      seen_bogus, bogus);
		stop();
	}
}

/* Reads of a completion stay behind the barrier that follows the look at its phase tag. */
static void test_order(void)
{
	const struct nvmq_cqe *cqe;
	struct nvmq_cq_cursor cur;

	start(8);
	submit(3, &dev, 0);
	nvmq_sq_ring(&queue);
	cur = nvmq_cq_begin(&queue);
	CHECK(!nvmq_cq_peek(&queue, &cur), "a completion of nothing");
	post(dev.fetched[0].cid, 4711);
	CHECK(dev.late_at, "the device model has nothing up its sleeve");
	cqe = nvmq_cq_peek(&queue, &cur);
	CHECK(dev.rmbs, "no dma_rmb()");
	CHECK(cqe && le32_to_cpu(cqe->dw0) == 4711 && le16_to_cpu(cqe->cid) == dev.fetched[0].cid,
	      "stale completion");
	stop();
}

/* All 65536 CIDs against every state of a slot. */
static void test_cid(void)
{
	static const u32 sizes[] = { 2, 8, NVMQ_MAX_ENTRIES };
	u32 i, tag, use, cid, given, last;
	void *owner;

	for (i = 0; i < 3; i++) {
		start(sizes[i]);
		for (cid = 0; cid < 65536; cid++)
			CHECK(!nvmq_slot_take(&queue, cid), "CID %#x of a new queue", cid);

		tag = sizes[i] / 2;
		last = queue.slots[tag].cid;
		for (use = 0; use < 40; use++) {
			given = nvmq_slot_give(&queue, tag, &dev);
			CHECK((given & NVMQ_CID_TAG_MASK) == tag, "CID %#x of tag %u", given, tag);
			CHECK(given != last, "CID %#x twice in a row", given);
			CHECK(given >> 12 == ((last >> 12) + 1) % 16, "generation %u after %u",
			      given >> 12, last >> 12);
			for (cid = 0; cid < 65536; cid++) {
				if (cid == given)
					continue;
				owner = nvmq_slot_take(&queue, cid);
				CHECK(!owner, "CID %#x for %#x", cid, given);
			}
			owner = nvmq_slot_take(&queue, given);
			CHECK(owner == &dev, "owner %p", owner);
			owner = nvmq_slot_take(&queue, given);
			CHECK(!owner, "CID %#x was taken twice", given);
			last = given;
		}
		stop();
	}
}

/* After a reset the rings are new, and a completion of before it names nobody. */
static void test_reset(void)
{
	static u16 before[64];
	struct nvmq_cq_cursor cur;
	u32 round, tag, n;
	u16 cid;

	start(64);
	for (round = 0; round < 40; round++) {
		for (tag = 0; tag < 63; tag++)
			submit(tag, &dev, tag);
		nvmq_sq_ring(&queue);
		for (n = 0; n < 63; n++)
			before[n] = dev.fetched[n].cid;
		/* Some complete, some are still out when the controller is reset. */
		for (n = 0; n < round; n++)
			post(before[n], n);
		cur = nvmq_cq_begin(&queue);
		for (n = 0; n < round / 2; n++) {
			CHECK(nvmq_cq_peek(&queue, &cur), "completion %u is missing", n);
			nvmq_slot_take(&queue, before[n]);
			nvmq_cq_advance(&queue, &cur);
		}
		if (n)
			nvmq_cq_end(&queue, &cur);

		device_reset(64);
		nvmq_queue_reset(&queue);
		check_new(64);
		for (tag = 0; tag < 63; tag++)
			CHECK(!nvmq_slot_take(&queue, before[tag]), "CID %#x outlived the reset",
			      before[tag]);
		for (tag = 0; tag < 63; tag++) {
			cid = nvmq_slot_give(&queue, tag, &dev);
			CHECK(cid != before[tag], "CID %#x again right after the reset", cid);
			CHECK(!nvmq_slot_take(&queue, before[tag]), "CID %#x of before the reset",
			      before[tag]);
			CHECK(nvmq_slot_take(&queue, cid) == &dev, "CID %#x", cid);
		}
	}
	stop();
}

/* A completion ring of another length than the submission ring, and a queue without one. */
static void test_lengths(void)
{
	static const u32 lengths[] = { 2, 3, 5, 64, 65536 };
	struct nvmq_cq_cursor cur;
	struct nvmq_cqe *cqe;
	u32 i, n, lap;
	int ret;

	for (i = 0; i < 5; i++) {
		memset(&queue, 0, sizeof(queue));
		ret = nvmq_queue_alloc(&queue, the_device, 3, 8, lengths[i]);
		CHECK(!ret && queue.entries == 8, "%d", ret);
		for (n = 0; n < lengths[i]; n++)
			CHECK(!queue.cqes[n].status, "CQE %u has status %#x", n,
			      queue.cqes[n].status);
		/* Three times round, at each place what comes next. */
		cur = nvmq_cq_begin(&queue);
		for (n = 0; n < 3 * lengths[i]; n++) {
			lap = n / lengths[i];
			cqe = &queue.cqes[n % lengths[i]];
			CHECK(!nvmq_cq_peek(&queue, &cur), "entry %u of lap %u is old", n, lap);
			cqe->status = cpu_to_le16(!(lap & 1));
			CHECK(nvmq_cq_peek(&queue, &cur) == cqe, "entry %u of lap %u", n, lap);
			nvmq_cq_advance(&queue, &cur);
		}
		stop();
	}

	memset(&queue, 0, sizeof(queue));
	ret = nvmq_queue_alloc(&queue, the_device, 3, 8, 0);
	CHECK(!ret && owned == 2 && !queue.cqes && queue.sqes, "%d, %d allocations", ret, owned);
	nvmq_queue_reset(&queue);
	stop();
}

/* Submitters, completions and the read-mostly part do not share a cache line. */
static void test_layout(void)
{
	size_t submit_at = offsetof(struct nvmq_queue, sq_lock) / 64;
	size_t complete_at = offsetof(struct nvmq_queue, cq_lock) / 64;

	CHECK(submit_at != complete_at, "submission and completion on one line");
	CHECK(offsetof(struct nvmq_queue, live) / 64 == 0, "read-mostly");
	CHECK(offsetof(struct nvmq_queue, tail) / 64 == submit_at, "tail");
	CHECK(offsetof(struct nvmq_queue, rung) / 64 == submit_at, "rung");
	CHECK(offsetof(struct nvmq_queue, head) / 64 == complete_at, "head");
	CHECK(offsetof(struct nvmq_queue, phase) / 64 == complete_at, "phase");
}

int main(void)
{
	TAP_RUN(test_alloc);
	TAP_RUN(test_doorbell);
	TAP_RUN(test_full);
	TAP_RUN(test_traffic);
	TAP_RUN(test_order);
	TAP_RUN(test_cid);
	TAP_RUN(test_reset);
	TAP_RUN(test_lengths);
	TAP_RUN(test_layout);
	return tap_done();
}
