// SPDX-License-Identifier: GPL-2.0
/*
 * The admin queue against a controller that fetches, checks and answers commands as the
 * specification has it (NVMe base 2.0, 3.3, 5), or not at all, late, twice, for nobody.
 *
 * Commands of several callers are threads of which one runs at a time: whoever sleeps or waits
 * passes on. The test's own thread moves the clock, when all others wait.
 */
#include <pthread.h>

#include "model.h"

/* The kernel builds without this warning. */
#pragma GCC diagnostic ignored "-Wsign-compare"
#include "queue.c"
#include "hw.c"
#include "admin.c"

#define PAGE		4096u
#define ENTRIES		32u		/* of the admin queue, by admin.h */
#define CALLERS		30u		/* at a time: one entry is empty, one the event's */
#define TIMEOUT_MS	2000u
#define IRQ		77

static struct nvmq_hw hw;
static struct nvmq_admin admin;

/* ---- memory ---- */

#define MAX_DMA	256

static struct {
	u8 *memory;
	size_t bytes;
	dma_addr_t dma;
} dma_map[MAX_DMA];

static u32 allocations, fail_at = UINT32_MAX;
static u32 owned, dma_owned;

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

/* What was freed is not at the same DMA address again, and never was zero. */
void *unit_dma_alloc(struct device *dev, size_t bytes, dma_addr_t *dma)
{
	static u64 next = 0x700000000;
	void *memory;
	u32 i;

	CHECK(dev == &pdev.dev, "another device");
	if (allocations++ == fail_at)
		return NULL;
	for (i = 0; i < MAX_DMA && dma_map[i].memory; i++)
		;
	memory = i < MAX_DMA ? aligned_alloc(PAGE, PAGE_ALIGN(bytes)) : NULL;
	CHECK(memory, "no room");
	if (!memory)
		return NULL;
	/* As the kernel does. */
	memset(memory, 0, bytes);
	dma_map[i].memory = memory;
	dma_map[i].bytes = bytes;
	dma_map[i].dma = *dma = next;
	next += 4 * PAGE;
	dma_owned++;
	return memory;
}

void unit_dma_free(struct device *dev, size_t bytes, void *memory, dma_addr_t dma)
{
	u32 i;

	CHECK(dev == &pdev.dev, "another device");
	for (i = 0; i < MAX_DMA && dma_map[i].memory != memory; i++)
		;
	CHECK(memory && i < MAX_DMA && dma_map[i].bytes == bytes && dma_map[i].dma == dma,
	      "freed %zu bytes at %#lx", bytes, dma);
	if (!memory || i == MAX_DMA)
		return;
	dma_map[i].memory = NULL;
	dma_owned--;
	free(memory);
}

/* NULL if the driver has freed it, or never had it. */
static u8 *dma_memory(u64 dma, size_t bytes)
{
	u32 i;

	for (i = 0; i < MAX_DMA; i++)
		if (dma_map[i].memory && dma >= dma_map[i].dma &&
		    dma + bytes <= dma_map[i].dma + dma_map[i].bytes)
			return dma_map[i].memory + (dma - dma_map[i].dma);
	return NULL;
}

void unit_dma_rmb(void)
{
}

void unit_dma_wmb(void)
{
}

bool unit_warn(const char *condition)
{
	CHECK(0, "WARN_ON_ONCE(%s)", condition);
	return true;
}

/* ---- one thread at a time ---- */

static pthread_mutex_t baton = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t rest = PTHREAD_COND_INITIALIZER;
/* Callers who neither wait nor have ended: one at the most, while the test's own thread rests. */
static u32 running;

#define MAX_CALLERS	64

/* Those who wait, each at a place. */
static struct {
	pthread_cond_t go;
	bool (*ready)(void *arg);	/* NULL: nobody, or on the way */
	void *arg;
	u64 until;
	bool taken;
} waits[MAX_CALLERS];

struct caller {
	pthread_t thread;
	struct nvmq_admin_cmd cmd;
	u8 data[PAGE];
	int ret;
	bool ended;
	u32 locks;		/* taken so far */
	u32 park_at;		/* before this one, from 1, it is preempted */
	bool parked, resume;
};

/* The thread's; NULL in the test's own. */
static __thread struct caller *self;

/* @until: when it is ready if nothing else makes it so. */
static void block(bool (*ready)(void *arg), void *arg, u64 until)
{
	u32 place = 0;

	while (waits[place].taken)
		place++;
	waits[place].taken = true;
	waits[place].ready = ready;
	waits[place].arg = arg;
	waits[place].until = until;
	running--;
	pthread_cond_signal(&rest);
	while (waits[place].ready)
		pthread_cond_wait(&waits[place].go, &baton);
	waits[place].taken = false;
}

static void let_run(void)
{
	while (running)
		pthread_cond_wait(&rest, &baton);
}

/* Until nobody can go on without time passing or the device doing something. */
static void settle(void)
{
	u32 place;

	CHECK(!self, "not the test's thread");
	for (place = 0; place < MAX_CALLERS; place++) {
		if (!waits[place].ready || !waits[place].ready(waits[place].arg))
			continue;
		waits[place].ready = NULL;
		running++;
		pthread_cond_signal(&waits[place].go);
		let_run();
		/* Others may be ready by what it did. */
		place = -1;
	}
}

static void *caller_main(void *arg)
{
	struct caller *caller = arg;

	pthread_mutex_lock(&baton);
	self = caller;
	caller->ret = nvmq_admin_exec(&admin, &caller->cmd);
	caller->ended = true;
	running--;
	pthread_cond_signal(&rest);
	pthread_mutex_unlock(&baton);
	return NULL;
}

/* It comes as far as it can without the others. */
static void call(struct caller *caller)
{
	running++;
	CHECK(!pthread_create(&caller->thread, NULL, caller_main, caller), "no thread");
	let_run();
}

static void join(struct caller *caller)
{
	CHECK(caller->ended, "still waits");
	if (!caller->ended) {
		printf("Bail out! a caller hangs\n");
		exit(EXIT_FAILURE);
	}
	pthread_mutex_unlock(&baton);
	pthread_join(caller->thread, NULL);
	pthread_mutex_lock(&baton);
}

/* The next thing to happen, at the device or to who sleeps. */
static u64 next_thing(void)
{
	u64 at = model_next();
	u32 i;

	for (i = 0; i < MAX_CALLERS; i++)
		if (waits[i].ready && waits[i].until < at)
			at = waits[i].until;
	return at;
}

/* Time passes, step by step. */
static void pass(u64 us)
{
	u64 until = m.us + us;

	settle();
	while (next_thing() <= until) {
		model_run(next_thing());
		settle();
	}
	model_run(until);
	settle();
}

/* ---- locks and interrupts ---- */

static bool irqs_off, in_irq, irq_pending;
static u32 locks_held;

static struct {
	irq_handler_t handler;
	void *data;
	u32 handled, none;
	bool masked;		/* the device's interrupts are lost */
} irq;

static void deliver(void)
{
	while (irq_pending && !irqs_off && irq.handler) {
		irq_pending = false;
		irqs_off = true;
		in_irq = true;
		if (irq.handler(IRQ, irq.data) == IRQ_HANDLED)
			irq.handled++;
		else
			irq.none++;
		in_irq = false;
		irqs_off = false;
	}
}

static void raise_irq(void)
{
	if (irq.handler && !irq.masked) {
		irq_pending = true;
		deliver();
	}
}

static bool resumed(void *arg)
{
	return ((struct caller *)arg)->resume;
}

/* Interrupts are still on: the place to be preempted at. */
static void maybe_park(void)
{
	struct caller *caller = self;

	if (caller && !irqs_off && ++caller->locks == caller->park_at) {
		caller->parked = true;
		block(resumed, caller, NEVER);
	}
}

void unit_lock(spinlock_t *lock, bool with_irqs)
{
	if (with_irqs)
		maybe_park();
	CHECK(lock->made && !lock->held, "made %d held %d", lock->made, lock->held);
	/* spin_unlock_irq() enables them whatever was before. */
	if (with_irqs)
		CHECK(!irqs_off, "spin_lock_irq() with interrupts off");
	else
		CHECK(irqs_off, "interrupts are on, and their handler takes the lock too");
	irqs_off = true;
	lock->held = 1;
	locks_held++;
}

void unit_unlock(spinlock_t *lock, bool with_irqs)
{
	CHECK(lock->held, "not held");
	lock->held = 0;
	locks_held--;
	if (with_irqs) {
		irqs_off = false;
		deliver();
	}
}

unsigned long unit_irq_save(void)
{
	unsigned long flags;

	maybe_park();
	flags = irqs_off;
	irqs_off = true;
	return flags;
}

void unit_irq_restore(unsigned long flags)
{
	irqs_off = flags;
	deliver();
}

void unit_assert_held(const spinlock_t *lock)
{
	CHECK(lock->held, "not held");
}

int unit_request_irq(int number, irq_handler_t handler, unsigned long flags, void *data)
{
	CHECK(number == IRQ && handler && !irq.handler, "IRQ %d", number);
	/* INTx and a single vector are shared. */
	CHECK(flags & IRQF_SHARED, "flags %#lx", flags);
	if (allocations++ == fail_at)
		return -EBUSY;
	irq.handler = handler;
	irq.data = data;
	return 0;
}

void unit_free_irq(int number, void *data)
{
	CHECK(number == IRQ && irq.handler && data == irq.data, "IRQ %d", number);
	irq.handler = NULL;
	irq_pending = false;
}

/* ---- waiting ---- */

static void may_sleep(void)
{
	CHECK(!locks_held && !irqs_off && !in_irq, "sleeps in atomic context");
}

struct wait {
	struct completion *c;
	wait_queue_head_t *wq;
	u32 wakes;
	u64 until;
};

static bool over(void *arg)
{
	struct wait *wait = arg;

	return (wait->c && wait->c->done) || (wait->wq && wait->wq->wakes != wait->wakes) ||
	       m.us >= wait->until;
}

/* In the test's own thread time passes while it waits, but only if something will end it. */
static void wait_over(struct wait *wait)
{
	may_sleep();
	if (self) {
		block(over, wait, wait->until);
		return;
	}
	settle();
	while (!over(wait)) {
		u64 next = next_thing();

		if (next > wait->until)
			next = wait->until;
		if (next == NEVER) {
			printf("Bail out! waits for ever\n");
			exit(EXIT_FAILURE);
		}
		model_run(next);
		settle();
	}
}

static void sleep_until(u64 us)
{
	struct wait wait = { .until = m.us + us };

	wait_over(&wait);
}

void unit_complete(struct completion *c)
{
	c->done++;
}

bool unit_try_wait(struct completion *c)
{
	if (!c->done)
		return false;
	c->done--;
	return true;
}

static u64 time_of(unsigned long timeout)
{
	return m.us + (u64)timeout * (1000000 / HZ);
}

static unsigned long left_until(u64 until)
{
	return m.us < until ? (until - m.us) / (1000000 / HZ) + 1 : 0;
}

unsigned long unit_wait_timeout(struct completion *c, unsigned long timeout)
{
	struct wait wait = { .c = c, .until = time_of(timeout) };

	wait_over(&wait);
	if (!unit_try_wait(c))
		return 0;
	return left_until(wait.until) ?: 1;
}

unsigned long unit_wait(wait_queue_head_t *wq, unsigned long timeout)
{
	struct wait wait = { .wq = wq, .wakes = wq->wakes, .until = time_of(timeout) };

	wait_over(&wait);
	return left_until(wait.until);
}

void unit_wake(wait_queue_head_t *wq)
{
	wq->wakes++;
}

/* ---- trace events, and names of our own ---- */

static struct {
	u32 commands, completions, sq_rings, cq_rings, interrupts;
} traced;

void trace_nvmq_command(u16 ctrl, u16 qid, u32 slot, const struct nvmq_sqe *sqe)
{
	CHECK(ctrl == 3 && qid == 0 && slot < ENTRIES && sqe, "%u %u %u", ctrl, qid, slot);
	traced.commands++;
}

void trace_nvmq_doorbell(u16 ctrl, u16 qid, bool cq, u32 value)
{
	CHECK(ctrl == 3 && qid == 0 && value < ENTRIES, "%u %u %u", ctrl, qid, value);
	if (cq)
		traced.cq_rings++;
	else
		traced.sq_rings++;
}

void trace_nvmq_completion(u16 ctrl, u16 qid, u32 place, const struct nvmq_cqe *cqe)
{
	CHECK(ctrl == 3 && qid == 0 && place < ENTRIES && cqe, "%u %u", ctrl, qid);
	traced.completions++;
}

void trace_nvmq_interrupt(u16 ctrl, u16 qid, int number, u32 found)
{
	CHECK(ctrl == 3 && qid == 0 && number == IRQ && found <= ENTRIES, "%u", found);
	traced.interrupts++;
}

const char *nvmq_names_status(u16 status)
{
	return status == 0x4002 ? "invalid field in command" : "some status";
}

/* ---- the device ---- */

/* An SQE as dwords (base figure 87). */
struct fetched {
	u32 dw[16];
	u16 cid;
	bool open;		/* not answered yet */
};

struct answer {
	u64 at;
	u16 cid;
	u16 status;
	u32 dw0;
	int command;		/* whose data goes with it; -1: none */
};

#define MAX_FETCHED	4096
#define MAX_ANSWERS	256

static struct {
	/* Script. */
	bool mute;
	u64 latency;
	u16 status;		/* of the next answers */
	u32 dw0;
	u64 die_after;		/* gone so long after the next command */

	/* State. */
	bool enabled;
	u8 *sq, *cq;
	u32 sq_entries, cq_entries;
	u32 sq_head, cq_tail, cq_head, phase;
	u32 open, most_open;
	struct fetched fetched[MAX_FETCHED];
	u32 nr_fetched;
	struct answer answers[MAX_ANSWERS];
	u32 nr_answers;
	u32 posted;
} dev;

static void dev_enabled(void)
{
	u32 i;

	dev.enabled = true;
	dev.sq_entries = (m.aqa & 0xfff) + 1;
	dev.cq_entries = (m.aqa >> 16 & 0xfff) + 1;
	CHECK(dev.sq_entries == ENTRIES && dev.cq_entries == ENTRIES, "AQA %#x", m.aqa);
	dev.sq = dma_memory(m.asq, 64ul * dev.sq_entries);
	dev.cq = dma_memory(m.acq, 16ul * dev.cq_entries);
	CHECK(dev.sq && dev.cq, "queues that the host does not own");
	dev.sq_head = 0;
	dev.cq_head = 0;
	dev.cq_tail = 0;
	dev.phase = 1;
	dev.open = 0;
	for (i = 0; i < dev.nr_fetched; i++)
		dev.fetched[i].open = false;
	for (i = 0; dev.cq && i < dev.cq_entries; i++)
		CHECK(!(dev.cq[16 * i + 14] & 1), "entry %u looks like a completion", i);
}

/* Whatever was under way is dropped. */
static void dev_disabled(void)
{
	dev.enabled = false;
	dev.nr_answers = 0;
}

static void put(u8 *at, u64 value, u32 bytes)
{
	while (bytes--) {
		*at++ = value;
		value >>= 8;
	}
}

static u32 get(const u8 *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (u32)at[3] << 24;
}

static u8 pattern(u32 dw10, u32 i)
{
	return dw10 * 31 + i * 7 + i / 256;
}

static void post(u16 cid, u16 status, u32 dw0)
{
	u8 *cqe = dev.cq + 16 * dev.cq_tail;

	if (!dev.enabled || m.gone)
		return;
	CHECK((dev.cq_tail + 1) % dev.cq_entries != dev.cq_head, "completion queue is full");
	put(cqe, dw0, 4);
	put(cqe + 4, rnd(), 4);
	put(cqe + 8, dev.sq_head, 2);
	put(cqe + 10, 0, 2);
	put(cqe + 12, cid, 2);
	put(cqe + 14, status << 1 | dev.phase, 2);
	if (++dev.cq_tail == dev.cq_entries) {
		dev.cq_tail = 0;
		dev.phase ^= 1;
	}
	dev.posted++;
	raise_irq();
}

/* Data of a command that reads: the whole page, as devices are known to do. */
static void send_data(const struct fetched *f)
{
	u64 prp1 = f->dw[6] | (u64)f->dw[7] << 32;
	u8 *memory;
	u32 i;

	if (m.gone || !dev.enabled)
		return;
	memory = dma_memory(prp1, PAGE);
	CHECK(memory, "memory at %#lx was freed under the device", prp1);
	for (i = 0; memory && i < PAGE; i++)
		memory[i] = pattern(f->dw[10], i);
}

static void answer_at(u64 at, u16 cid, u16 status, u32 dw0, int command)
{
	CHECK(dev.nr_answers < MAX_ANSWERS, "too many answers");
	if (dev.nr_answers < MAX_ANSWERS)
		dev.answers[dev.nr_answers++] = (struct answer){ at, cid, status, dw0, command };
}

/* Command @n, counted from the first that was fetched. */
static void answer(u32 n, u64 at, u16 status, u32 dw0)
{
	answer_at(at, dev.fetched[n].cid, status, dw0, n);
}

static u32 first_answer(void)
{
	u32 i, first = 0;

	for (i = 1; i < dev.nr_answers; i++)
		if (dev.answers[i].at < dev.answers[first].at)
			first = i;
	return first;
}

static u64 dev_next(void)
{
	return dev.nr_answers ? dev.answers[first_answer()].at : NEVER;
}

static void dev_run(void)
{
	u32 first = first_answer();
	struct answer a = dev.answers[first];
	struct fetched *f;

	memmove(&dev.answers[first], &dev.answers[first + 1],
		(--dev.nr_answers - first) * sizeof(a));
	if (a.command >= 0) {
		f = &dev.fetched[a.command];
		if (f->open)
			dev.open--;
		f->open = false;
		if ((f->dw[0] & 0xff) == 0x06 && !a.status)
			send_data(f);
	}
	post(a.cid, a.status, a.dw0);
}

/* The dwords that a command may not use are zero (base 5, each command's figures). */
static void check_sqe(const struct fetched *f)
{
	u64 prp1 = f->dw[6] | (u64)f->dw[7] << 32;
	u32 opcode = f->dw[0] & 0xff, i;

	CHECK(!(f->dw[0] & 0xff00), "FUSE, PSDT: %#x", f->dw[0]);
	CHECK((f->cid & 0xfff) < CALLERS, "CID %#x: the tag is the event's or none", f->cid);
	CHECK(!f->dw[2] && !f->dw[3], "%#x %#x", f->dw[2], f->dw[3]);
	CHECK(!f->dw[4] && !f->dw[5], "MPTR");
	CHECK(!f->dw[8] && !f->dw[9], "PRP2");
	CHECK(!(prp1 & 0xfff), "PRP1 %#lx", prp1);
	for (i = 12; i < 16; i++)
		CHECK(!f->dw[i], "dword %u of opcode %#x: %#x", i, opcode, f->dw[i]);
	if (opcode != 0x06)
		CHECK(!f->dw[1], "NSID %#x for opcode %#x", f->dw[1], opcode);
	if (opcode == 0x00 || opcode == 0x04)
		CHECK(!f->dw[11] && !prp1 && !(f->dw[10] >> 16), "delete %#x", f->dw[10]);
	if (opcode == 0x06)
		CHECK(dma_memory(prp1, PAGE), "no page at %#lx", prp1);
	for (i = 0; i < dev.nr_fetched; i++)
		CHECK(!dev.fetched[i].open || dev.fetched[i].cid != f->cid,
		      "CID %#x is outstanding", f->cid);
}

static void fetch(void)
{
	u8 *sqe = dev.sq + 64 * dev.sq_head;
	struct fetched *f = &dev.fetched[dev.nr_fetched];
	u32 i;

	CHECK(dev.nr_fetched < MAX_FETCHED, "too many commands");
	for (i = 0; i < 16; i++)
		f->dw[i] = get(sqe + 4 * i);
	f->cid = f->dw[0] >> 16;
	check_sqe(f);
	f->open = true;
	/* The host may not count on what is in a slot that was fetched. */
	memset(sqe, 0xee, 64);
	dev.sq_head = (dev.sq_head + 1) % dev.sq_entries;
	dev.nr_fetched++;
	if (++dev.open > dev.most_open)
		dev.most_open = dev.open;
	if (dev.die_after)
		m.gone_at = m.us + dev.die_after;
	if (!dev.mute)
		answer(dev.nr_fetched - 1, m.us + dev.latency, dev.status, dev.dw0);
}

static void dev_doorbell(u32 offset, u32 value)
{
	u32 stride = 4u << (m.cap >> 32 & 0xf);

	CHECK(value < ENTRIES && dev.enabled, "doorbell %u", value);
	CHECK(offset == 0x1000 || offset == 0x1000 + stride, "doorbell at %#x", offset);
	if (offset == 0x1000) {
		CHECK(value != dev.sq_head, "nothing new");
		while (dev.sq_head != value)
			fetch();
		/* Those without latency. */
		model_run(m.us);
		return;
	}
	CHECK(value != dev.cq_head && (value + ENTRIES - dev.cq_head) % ENTRIES <=
	      (dev.cq_tail + ENTRIES - dev.cq_head) % ENTRIES,
	      "CQ head %u, was %u, tail %u", value, dev.cq_head, dev.cq_tail);
	dev.cq_head = value;
}

/* ---- a controller up and running ---- */

static u32 timeouts_told;

static void timed_out(struct nvmq_admin *a)
{
	may_sleep();
	CHECK(a == &admin, "another");
	timeouts_told++;
}

static void script(void)
{
	m.doorbell = dev_doorbell;
	m.enabled = dev_enabled;
	m.disabled = dev_disabled;
	m.next_event = dev_next;
	m.run_event = dev_run;
	m.sleep = sleep_until;
}

static void start(bool with_irq)
{
	model_new();
	memset(&dev, 0, sizeof(dev));
	memset(&irq, 0, sizeof(irq));
	memset(&traced, 0, sizeof(traced));
	memset(&hw, 0, sizeof(hw));
	memset(&admin, 0, sizeof(admin));
	timeouts_told = 0;
	script();
	CHECK(!nvmq_hw_map(&hw, &pdev), "map");
	CHECK(!nvmq_hw_probe_caps(&hw), "caps");
	admin.timed_out = timed_out;
	CHECK(!nvmq_admin_alloc(&admin, &hw, 3, TIMEOUT_MS * HZ / 1000), "alloc");
	CHECK(!nvmq_admin_start(&admin), "start");
	if (with_irq)
		CHECK(!nvmq_admin_request_irq(&admin, IRQ), "irq");
	check_silent("start");
}

/* In the order of the driver: stopped, cut off, forgotten. */
static void cut_off(void)
{
	nvmq_admin_stop(&admin);
	if (!m.gone)
		CHECK(!nvmq_hw_disable(&hw), "disable");
	else
		CHECK(nvmq_hw_disable(&hw) == -ENODEV, "disable");
	nvmq_admin_forget(&admin);
}

static void stop(void)
{
	nvmq_admin_free_irq(&admin);
	nvmq_admin_free_irq(&admin);
	cut_off();
	/* Stopped once more, as when a controller is given up: there is nobody left. */
	nvmq_admin_stop(&admin);
	nvmq_admin_free(&admin);
	nvmq_hw_unmap(&hw);
	CHECK(!owned && !dma_owned, "%u and %u allocations are left", owned, dma_owned);
	CHECK(!irq.handler && !locks_held && !irqs_off, "left behind");
	CHECK(!running && !waits[0].taken, "somebody runs or waits");
	CHECK(m.gone || (traced.commands == dev.nr_fetched && traced.sq_rings == dev.nr_fetched),
	      "%u of %u commands traced", traced.commands, dev.nr_fetched);
	CHECK(traced.interrupts == irq.handled + irq.none, "%u interrupts traced",
	      traced.interrupts);
}

static int identify(u8 *buf)
{
	memset(buf, 0x11, PAGE);
	return nvmq_admin_identify(&admin, NVMQ_CNS_CONTROLLER, 0, 0, buf);
}

static u32 wrong(const u8 *buf, u32 dw10)
{
	u32 i, bad = 0;

	for (i = 0; i < PAGE; i++)
		bad += buf[i] != pattern(dw10, i);
	return bad;
}

static u32 untouched(const u8 *buf)
{
	u32 i, bad = 0;

	for (i = 0; i < PAGE; i++)
		bad += buf[i] != 0x11;
	return !bad;
}

static u32 last(void)
{
	return dev.nr_fetched - 1;
}

/* Dwords of the last command that was fetched. */
static u32 dw(u32 n)
{
	return dev.nr_fetched ? dev.fetched[last()].dw[n] : 0xdeadbeef;
}

/* Memory of its own for each, so that writing beyond it is seen. */
static u8 *page_buf;

/* ---- tests ---- */

static void test_alloc(void)
{
	u32 n;
	int err;

	for (n = 0; n < 4; n++) {
		model_new();
		memset(&hw, 0, sizeof(hw));
		memset(&admin, 0, sizeof(admin));
		CHECK(!nvmq_hw_map(&hw, &pdev) && !nvmq_hw_probe_caps(&hw), "map");
		fail_at = allocations + n;
		err = nvmq_admin_alloc(&admin, &hw, 3, HZ);
		CHECK(err == (n < 3 ? -ENOMEM : 0), "allocation %u: %d", n, err);
		fail_at = UINT32_MAX;
		/* Whether it worked or not. */
		nvmq_admin_stop(&admin);
		nvmq_admin_forget(&admin);
		nvmq_admin_free(&admin);
		nvmq_hw_unmap(&hw);
		CHECK(!owned && !dma_owned, "allocation %u: %u %u left", n, owned, dma_owned);
	}

	for (n = 0; n < 2; n++) {
		start(true);
		fail_at = allocations + n;
		CHECK(identify(page_buf) == -ENOMEM, "allocation %u", n);
		fail_at = UINT32_MAX;
		CHECK(untouched(page_buf) && !dev.nr_fetched && dma_owned == 2, "sent");
		CHECK(!identify(page_buf) && !wrong(page_buf, 1), "and then");
		stop();
	}

	start(false);
	fail_at = allocations;
	CHECK(nvmq_admin_request_irq(&admin, IRQ) == -EBUSY && !admin.irq, "irq");
	fail_at = UINT32_MAX;
	CHECK(!identify(page_buf) && !wrong(page_buf, 1), "polled");
	stop();
}

/* Not started, or stopped, or the start failed: no command, no wait. */
static void test_not_live(void)
{
	model_new();
	memset(&dev, 0, sizeof(dev));
	memset(&traced, 0, sizeof(traced));
	memset(&hw, 0, sizeof(hw));
	memset(&admin, 0, sizeof(admin));
	script();
	CHECK(!nvmq_hw_map(&hw, &pdev) && !nvmq_hw_probe_caps(&hw), "map");
	CHECK(!nvmq_admin_alloc(&admin, &hw, 3, HZ), "alloc");
	CHECK(identify(page_buf) == -ENODEV && dma_owned == 2, "before the start");
	m.up_us = NEVER;
	m.may_misuse = true;
	CHECK(nvmq_admin_start(&admin) == -ETIMEDOUT, "start");
	check_line("start", "CSTS=0", "");
	CHECK(identify(page_buf) == -ENODEV && dma_owned == 2, "after a start that failed");
	cut_off();
	m.up_us = MS;
	CHECK(!nvmq_admin_start(&admin), "start");
	CHECK(!identify(page_buf) && !wrong(page_buf, 1), "live");
	nvmq_admin_stop(&admin);
	CHECK(identify(page_buf) == -ENODEV && untouched(page_buf), "stopped");
	CHECK(dev.nr_fetched == 1, "%u commands", dev.nr_fetched);
	stop();
}

static void test_success(void)
{
	static const u64 latency[] = { 0, 1, 3, 50, 900, 5 * MS, 300 * MS, 1990 * MS };
	u32 with_irq, i;
	u64 began;

	for (with_irq = 0; with_irq < 2; with_irq++) {
		for (i = 0; i < 8; i++) {
			start(with_irq);
			dev.latency = latency[i];
			began = m.us;
			CHECK(!identify(page_buf), "latency %lu", latency[i]);
			CHECK(!wrong(page_buf, 1), "%u bytes", wrong(page_buf, 1));
			CHECK(m.us >= began + latency[i] && m.us <= began + latency[i] + 5 * MS,
			      "%lu us for %lu", m.us - began, latency[i]);
			CHECK(dma_owned == 2 && !admin.tags, "%u pages, tags %#lx", dma_owned,
			      admin.tags);
			CHECK(irq.handled == with_irq && !irq.none, "%u interrupts", irq.handled);
			check_silent("identify");
			stop();
		}
	}
}

/* Any opcode, data that goes to the device, and none. */
static void test_data_out(void)
{
	static const u32 lens[] = { 1, 4, 512, 4095, 4096 };
	struct nvmq_admin_cmd cmd;
	u32 i, byte, bad;
	u8 *seen, *buf;
	u64 prp1;

	for (i = 0; i < 5; i++) {
		start(true);
		dev.mute = true;
		buf = malloc(lens[i]);
		for (byte = 0; byte < lens[i]; byte++)
			buf[byte] = pattern(5, byte);
		memset(&cmd, 0, sizeof(cmd));
		cmd.sqe.opcode = NVMQ_ADMIN_SET_FEATURES;
		cmd.sqe.cdw10 = cpu_to_le32(0x0e);
		cmd.buf = buf;
		cmd.len = lens[i];
		cmd.to_device = true;
		/* Never answered, so that what the device sees stays to be looked at. */
		CHECK(nvmq_admin_exec(&admin, &cmd) == -ETIMEDOUT, "answered");
		m.lines = 0;
		prp1 = dw(6) | (u64)dw(7) << 32;
		seen = dma_memory(prp1, PAGE);
		CHECK(seen, "no page");
		for (byte = 0, bad = 0; seen && byte < PAGE; byte++)
			bad += seen[byte] != (byte < lens[i] ? pattern(5, byte) : 0);
		CHECK(!bad, "length %u: %u bytes are wrong", lens[i], bad);
		free(buf);

		/* And back: no byte more than was asked for. */
		dev.mute = false;
		buf = malloc(lens[i]);
		memset(&cmd, 0, sizeof(cmd));
		cmd.sqe.opcode = NVMQ_ADMIN_IDENTIFY;
		cmd.sqe.cdw10 = cpu_to_le32(2);
		cmd.buf = buf;
		cmd.len = lens[i];
		CHECK(!nvmq_admin_exec(&admin, &cmd), "identify");
		for (byte = 0, bad = 0; byte < lens[i]; byte++)
			bad += buf[byte] != pattern(2, byte);
		CHECK(!bad, "length %u: %u bytes are wrong", lens[i], bad);
		free(buf);
		stop();
	}
	start(true);
	memset(&cmd, 0, sizeof(cmd));
	cmd.sqe.opcode = NVMQ_ADMIN_SET_FEATURES;
	dev.dw0 = 0x89abcdef;
	CHECK(!nvmq_admin_exec(&admin, &cmd) && cmd.result == 0x89abcdef, "%#x", cmd.result);
	CHECK(!cmd.status && !dw(6) && !dw(7), "PRP1 without data");
	stop();
}

/* Every status: never an errno of its own, never success, never data. */
static void test_status(void)
{
	struct nvmq_admin_cmd cmd;
	u32 with_irq, status;
	int err;

	for (with_irq = 0; with_irq < 2; with_irq++) {
		start(with_irq);
		for (status = 1; status < 0x8000; status += status < 0x300 ? 1 : 257) {
			memset(&cmd, 0, sizeof(cmd));
			memset(page_buf, 0x11, PAGE);
			cmd.sqe.opcode = NVMQ_ADMIN_IDENTIFY;
			cmd.buf = page_buf;
			cmd.len = PAGE;
			dev.status = status;
			dev.dw0 = ~status;
			dev.nr_fetched = 0;
			traced.commands = 0;
			traced.sq_rings = 0;
			err = nvmq_admin_exec(&admin, &cmd);
			CHECK(err == -EIO && cmd.status == status, "%#x: %d, %#x", status, err,
			      cmd.status);
			CHECK(cmd.result == ~status, "%#x", cmd.result);
			CHECK(untouched(page_buf), "data of a command that failed");
		}
		CHECK(dma_owned == 2 && !admin.tags, "%u pages", dma_owned);
		check_silent("status");
		stop();
	}
}

/* No answer: an error in time, one line; the page is the device's until it was cut off. */
static void test_timeout(void)
{
	u32 with_irq, late;
	char text[32];
	u64 began, prp1;
	u16 cid;

	for (late = 0; late < 4; late++) {
		with_irq = late & 1;
		start(with_irq);
		dev.mute = true;
		began = m.us;
		CHECK(identify(page_buf) == -ETIMEDOUT, "no answer");
		CHECK(m.us >= began + TIMEOUT_MS * MS && m.us < began + (TIMEOUT_MS + 20) * MS,
		      "%lu us", m.us - began);
		cid = dev.fetched[0].cid;
		snprintf(text, sizeof(text), "CID %#06x", cid);
		check_line("timeout", "command 0x06", text);
		CHECK(timeouts_told == with_irq, "told %u times", timeouts_told);
		prp1 = dw(6) | (u64)dw(7) << 32;
		CHECK(dma_memory(prp1, PAGE) && dma_owned == 3, "the page was freed");
		CHECK(admin.tags == 1, "tags %#lx", admin.tags);

		/* It does come, once or twice: data into the page, and nobody minds. */
		dev.mute = false;
		if (late >= 2) {
			answer(0, m.us + 5 * MS, 0, 0);
			pass(10 * MS);
			check_silent("late");
		}
		/* Others go on; they find it in the ring if there is no interrupt. */
		CHECK(!identify(page_buf) && !wrong(page_buf, 1), "the next one");
		CHECK(dev.fetched[last()].cid != cid, "CID %#x again", cid);
		CHECK((dev.fetched[last()].cid & 0xfff) != (cid & 0xfff), "its tag again");
		check_silent("late");
		if (late >= 2) {
			answer(0, m.us + 5 * MS, 0, 0);
			pass(10 * MS);
			if (!with_irq)
				CHECK(!identify(page_buf), "polled");
			snprintf(text, sizeof(text), "%#06x", cid);
			check_line("twice", "completion", text);
			CHECK(admin.q.bogus == 1, "%lu", admin.q.bogus);
		}
		CHECK(dma_memory(prp1, PAGE) && dma_owned == 3, "the page was freed");
		nvmq_admin_stop(&admin);
		CHECK(dma_memory(prp1, PAGE), "stop freed the page");
		CHECK(!nvmq_hw_disable(&hw), "disable");
		nvmq_admin_forget(&admin);
		CHECK(!dma_memory(prp1, PAGE) && dma_owned == 2, "the page is still there");

		/* Up again: the tag is free, and its CID is another. */
		CHECK(!nvmq_admin_start(&admin), "start");
		answer_at(m.us, cid, 0, 0, -1);
		CHECK(!identify(page_buf) && !wrong(page_buf, 1), "after the reset");
		CHECK(dev.fetched[last()].cid != cid, "CID %#x again", cid);
		check_line("of before the reset", "completion", "dropped");
		stop();
	}
}

/* The answer comes about when the host gives up: one or the other, and nothing is lost. */
static void test_close_call(void)
{
	u32 with_irq, in_time = 0, too_late = 0;
	long delta;
	int err;

	for (with_irq = 0; with_irq < 2; with_irq++) {
		for (delta = -8000; delta <= 8000; delta += 125) {
			start(with_irq);
			dev.latency = TIMEOUT_MS * MS + delta;
			err = identify(page_buf);
			CHECK(!err || err == -ETIMEDOUT, "%ld: %d", delta, err);
			CHECK(err ? untouched(page_buf) : !wrong(page_buf, 1), "%ld: data", delta);
			CHECK(m.lines == !!err, "%ld: %u lines", delta, m.lines);
			CHECK(admin.tags == !!err && dma_owned == 2 + !!err, "%ld: tags %#lx",
			      delta, admin.tags);
			CHECK(delta >= -4100 || !err, "%ld: too early", delta);
			in_time += !err;
			too_late += !!err;
			m.lines = 0;
			pass(20 * MS);
			dev.latency = 0;
			CHECK(!identify(page_buf), "%ld: the next one", delta);
			check_silent("close call");
			stop();
		}
	}
	CHECK(in_time > 20 && too_late > 20, "%u in time, %u too late", in_time, too_late);
}

static void test_lost_interrupt(void)
{
	start(true);
	irq.masked = true;
	CHECK(!identify(page_buf) && !wrong(page_buf, 1), "it is in the ring");
	CHECK(m.us >= TIMEOUT_MS * MS, "%lu us", m.us);
	check_line("lost", "without an interrupt", "");
	CHECK(!timeouts_told && !admin.tags && dma_owned == 2, "not given back");
	/* Another's is found, and not its own. */
	dev.mute = true;
	answer_at(m.us + MS, 0x5000, 0, 0, -1);
	CHECK(identify(page_buf) == -ETIMEDOUT, "no answer");
	CHECK(m.lines == 2, "%u lines", m.lines);
	m.lines = 0;
	stop();

	/* A line that is shared: not ours, and said so. */
	start(true);
	irq_pending = true;
	deliver();
	CHECK(irq.none == 1 && !irq.handled, "claimed");
	dev.latency = MS;
	CHECK(!identify(page_buf), "identify");
	irq_pending = true;
	deliver();
	CHECK(irq.none == 2 && irq.handled == 1, "%u %u", irq.none, irq.handled);
	/* When the queue is stopped, the memory may be anything. */
	nvmq_admin_stop(&admin);
	memset(admin.q.cqes, 0xff, 16 * ENTRIES);
	irq_pending = true;
	deliver();
	CHECK(irq.none == 3 && !admin.q.bogus, "reaped a stopped queue");
	stop();
}

/* The interrupt is requested, or freed, while a command is under way. */
static void test_interrupt_changes(void)
{
	static struct caller caller;
	u32 to_irq, before_us;

	for (to_irq = 0; to_irq < 2; to_irq++) {
		for (before_us = 0; before_us < 200; before_us += 7) {
			start(!to_irq);
			memset(&caller, 0, sizeof(caller));
			caller.cmd.sqe.opcode = NVMQ_ADMIN_IDENTIFY;
			caller.cmd.buf = caller.data;
			caller.cmd.len = PAGE;
			dev.latency = 100;
			call(&caller);
			pass(before_us);
			if (to_irq)
				CHECK(!nvmq_admin_request_irq(&admin, IRQ), "request");
			else
				nvmq_admin_free_irq(&admin);
			pass(4000 * MS);
			join(&caller);
			CHECK(!caller.ret && !wrong(caller.data, 0), "%u: %d", before_us,
			      caller.ret);
			m.lines = 0;
			stop();
		}
	}
}

/* Completions that no command has. */
static void test_bogus(void)
{
	static const u16 never[] = {
		/* of the event, of the entry that stays empty, beyond the ring, anything */
		0x001e, 0x101e, 0x001f, 0x0020, 0x0021, 0x003f, 0x0fff, 0x1fff, 0xffff, 0xf000,
		0x8005, 0x0005,
	};
	char text[32];
	u32 with_irq, i;
	u16 cid;

	for (with_irq = 0; with_irq < 2; with_irq++) {
		start(with_irq);
		for (i = 0; i < sizeof(never) / 2; i++) {
			answer_at(m.us, never[i], 0, 0, -1);
			pass(1);
			dev.latency = MS;
			CHECK(!identify(page_buf) && !wrong(page_buf, 1), "CID %#x", never[i]);
			snprintf(text, sizeof(text), "CID %#06x,", never[i]);
			check_line("bogus", text, "dropped");
			CHECK(admin.q.bogus == i + 1, "%lu", admin.q.bogus);
		}
		/* Its tag with each other generation while it is under way. */
		dev.mute = true;
		for (i = 1; i < 16; i++) {
			cid = (admin.q.slots[0].cid + 0x1000) + (i << 12);
			answer_at(m.us + i, cid, 0, 0, -1);
		}
		CHECK(identify(page_buf) == -ETIMEDOUT && untouched(page_buf), "taken for it");
		CHECK(m.lines == 16, "%u lines", m.lines);
		m.lines = 0;
		dev.mute = false;
		/* Twice at once: the second finds nobody. */
		dev.latency = 0;
		CHECK(!identify(page_buf), "identify");
		cid = dev.fetched[last()].cid;
		answer_at(m.us, cid, 0x7fff, 0, -1);
		answer_at(m.us, cid, 0, 0, -1);
		pass(1);
		CHECK(!identify(page_buf) && !wrong(page_buf, 1), "twice");
		CHECK(m.lines == 2, "%u lines", m.lines);
		m.lines = 0;
		CHECK(dma_owned == 3, "%u pages", dma_owned);
		stop();
	}
}

/* Gone under a command. */
static void test_gone(void)
{
	static const u64 after[] = { 1, 30, 500, 20 * MS, 1500 * MS };
	u32 i;

	for (i = 0; i < 5; i++) {
		start(false);
		dev.mute = true;
		dev.die_after = after[i];
		CHECK(identify(page_buf) == -ENODEV, "gone after %lu us", after[i]);
		CHECK(m.us < after[i] + 10 * MS, "%lu us", m.us);
		check_line("gone", "gone", "0xffffffff");
		CHECK(dma_owned == 3 && untouched(page_buf), "%u pages", dma_owned);
		CHECK(identify(page_buf) < 0, "and again");
		m.lines = 0;
		stop();

		/* With an interrupt nobody looks until the time is over. */
		start(true);
		dev.mute = true;
		dev.die_after = after[i];
		CHECK(identify(page_buf) == -ENODEV, "gone after %lu us", after[i]);
		CHECK(m.us < (TIMEOUT_MS + 20) * MS, "%lu us", m.us);
		check_line("gone", "gone", "0xffffffff");
		CHECK(timeouts_told == 1, "told %u times", timeouts_told);
		stop();
	}
	/* The answer was in memory before it went. */
	start(false);
	dev.die_after = 10;
	dev.latency = 5;
	CHECK(!identify(page_buf) && !wrong(page_buf, 1), "answered and gone");
	m.lines = 0;
	stop();

	/* Fatal status: no waiting for the end of the time either. */
	start(false);
	dev.mute = true;
	m.cfs_at = m.us + 50 * MS;
	CHECK(identify(page_buf) < 0, "CFS");
	CHECK(m.us < 80 * MS, "%lu us", m.us);
	check_line("CFS", "CSTS=0x3", "");
	stop();
}

/* ---- many callers ---- */

static struct caller callers[MAX_CALLERS];

static void caller_new(struct caller *caller, u32 cns)
{
	memset(caller, 0, sizeof(*caller));
	memset(caller->data, 0x11, PAGE);
	caller->cmd.sqe.opcode = NVMQ_ADMIN_IDENTIFY;
	caller->cmd.sqe.cdw10 = cpu_to_le32(cns);
	caller->cmd.buf = caller->data;
	caller->cmd.len = PAGE;
}

static u32 ended(u32 n)
{
	u32 i, count = 0;

	for (i = 0; i < n; i++)
		count += callers[i].ended;
	return count;
}

/* 30 at the device and not one more; each that ends lets another in. */
static void test_tags(void)
{
	u32 with_irq, i, n, order[40];

	for (with_irq = 0; with_irq < 2; with_irq++) {
		start(with_irq);
		admin.timeout = 3600 * HZ;
		dev.mute = true;
		for (i = 0; i < 40; i++) {
			caller_new(&callers[i], i);
			call(&callers[i]);
			settle();
		}
		CHECK(dev.nr_fetched == CALLERS, "%u of %u at the device", dev.nr_fetched, CALLERS);
		CHECK(!ended(40), "%u ended", ended(40));
		pass(MS);
		CHECK(dev.nr_fetched == CALLERS, "%u at the device", dev.nr_fetched);
		/* In an order of no order, one by one. */
		for (i = 0; i < 40; i++)
			order[i] = i;
		for (i = 0; i < CALLERS; i++) {
			n = rnd_in(i, CALLERS - 1);
			u32 swap = order[i];

			order[i] = order[n];
			order[n] = swap;
		}
		for (i = 0; i < 40; i++) {
			answer(order[i], m.us, 0, 0);
			pass(5 * MS);
			CHECK(ended(40) == i + 1, "%u ended, not %u", ended(40), i + 1);
			CHECK(dev.nr_fetched == (i + 1 < 10 ? CALLERS + i + 1 : 40), "%u",
			      dev.nr_fetched);
		}
		for (i = 0; i < 40; i++) {
			join(&callers[i]);
			CHECK(!callers[i].ret && !wrong(callers[i].data, i), "caller %u: %d", i,
			      callers[i].ret);
		}
		CHECK(dev.most_open == CALLERS, "%u at a time", dev.most_open);
		CHECK(!admin.tags && dma_owned == 2, "tags %#lx", admin.tags);
		check_silent("tags");
		stop();
	}
}

/* All of them at once, some hundred commands with any latency, some of which fail. */
static void test_traffic(void)
{
	u32 round, i, with_irq;

	for (with_irq = 0; with_irq < 2; with_irq++) {
		start(with_irq);
		admin.timeout = 3600 * HZ;
		for (round = 0; round < 8; round++) {
			for (i = 0; i < 48; i++) {
				caller_new(&callers[i], i);
				dev.latency = rnd_in(0, 1) ? 0 : rnd_in(1, 3 * MS);
				dev.status = i % 5 ? 0 : 0x4002;
				call(&callers[i]);
				if (i % 3 == 0)
					settle();
			}
			pass(200 * MS);
			for (i = 0; i < 48; i++) {
				join(&callers[i]);
				if (callers[i].ret)
					CHECK(callers[i].ret == -EIO &&
					      callers[i].cmd.status == 0x4002 &&
					      untouched(callers[i].data), "%d", callers[i].ret);
				else
					CHECK(!callers[i].cmd.status && !wrong(callers[i].data, i),
					      "data of caller %u", i);
			}
		}
		CHECK(!admin.tags && dma_owned == 2, "tags %#lx", admin.tags);
		check_silent("traffic");
		stop();
	}
}

/*
 * Tags of commands that never came back are not used; who waits for one, stop wakes, and
 * if that does not come, the time of a command ends it.
 */
static void test_abandoned(void)
{
	u32 round, i;

	for (round = 0; round < 4; round++) {
		const bool late = round / 2;

		start(round % 2);
		dev.mute = true;
		for (i = 0; i < CALLERS; i++) {
			CHECK(identify(page_buf) == -ETIMEDOUT, "answered");
			check_line("abandoned", "timed out", "");
		}
		CHECK(dev.nr_fetched == CALLERS && dma_owned == 2 + CALLERS, "%u pages", dma_owned);
		for (i = 0; i < 3; i++) {
			caller_new(&callers[i], i);
			call(&callers[i]);
		}
		pass(jiffies_to_msecs(admin.timeout) * MS - 100 * MS);
		CHECK(!ended(3) && dev.nr_fetched == CALLERS, "%u at the device", dev.nr_fetched);
		if (late)
			pass(200 * MS);
		else
			nvmq_admin_stop(&admin);
		settle();
		CHECK(ended(3) == 3, "%u ended", ended(3));
		for (i = 0; i < 3; i++) {
			join(&callers[i]);
			CHECK(callers[i].ret == (late ? -ETIMEDOUT : -ENODEV), "%d",
			      callers[i].ret);
		}
		if (late)
			nvmq_admin_stop(&admin);
		CHECK(dma_owned == 2 + CALLERS, "%u pages", dma_owned);
		cut_off();
		CHECK(dma_owned == 2, "%u pages", dma_owned);
		dev.mute = false;
		CHECK(!nvmq_admin_start(&admin), "start");
		CHECK(!identify(page_buf) && !wrong(page_buf, 1) && !admin.tags, "after the reset");
		check_silent("abandoned");
		stop();
	}
}

/* Stopped under 30 commands and 10 that wait to be sent. */
static void test_stop(void)
{
	u32 with_irq, i;

	for (with_irq = 0; with_irq < 2; with_irq++) {
		start(with_irq);
		dev.mute = true;
		for (i = 0; i < 40; i++) {
			caller_new(&callers[i], i);
			call(&callers[i]);
		}
		settle();
		nvmq_admin_stop(&admin);
		/* A device that does not know yet answers: too late. */
		for (i = 0; i < CALLERS; i++)
			answer(i, m.us, 0, 0);
		pass(5 * MS);
		CHECK(ended(40) == 40, "%u ended", ended(40));
		for (i = 0; i < 40; i++) {
			join(&callers[i]);
			CHECK(callers[i].ret == -ENODEV && untouched(callers[i].data), "%d",
			      callers[i].ret);
		}
		CHECK(dma_owned == 2 + CALLERS, "%u pages", dma_owned);
		CHECK(!timeouts_told, "told");
		check_silent("stop");
		stop();
	}
}

/*
 * A caller that is preempted before it takes the lock for the nth time sleeps through stop, reset
 * and start; others use the tags meanwhile, before it goes on and after.
 */
static void test_preempted(void)
{
	struct caller *old = &callers[0], *b = &callers[1], *c = &callers[2];
	u32 with_irq, n, parked = 0, mute;

	for (n = 0; n < 64; n++) {
		with_irq = n & 1;
		mute = n >> 1 & 1;
		start(with_irq);
		caller_new(old, 7);
		old->park_at = 1 + (n >> 2);
		dev.mute = mute;
		dev.latency = 10;
		call(old);
		pass(mute ? (TIMEOUT_MS + 100) * MS : 500);
		parked += old->parked;
		cut_off();
		m.lines = 0;
		CHECK(!nvmq_admin_start(&admin), "start");

		dev.mute = true;
		caller_new(b, 8);
		call(b);
		pass(MS);
		old->resume = true;
		pass(MS);
		caller_new(c, 9);
		call(c);
		pass(MS);
		/* Whoever is at the device gets an answer, each with data of its own. */
		for (u32 i = 0; i < dev.nr_fetched; i++)
			if (dev.fetched[i].open)
				answer(i, m.us + 10, 0, 0);
		pass(10 * MS);
		join(old);
		join(b);
		join(c);
		CHECK(!old->ret || old->ret == -ENODEV || old->ret == -ETIMEDOUT, "%u: %d", n,
		      old->ret);
		CHECK(old->ret ? untouched(old->data) : !wrong(old->data, 7), "%u: data", n);
		CHECK(!b->ret && !wrong(b->data, 8), "%u: %d", n, b->ret);
		CHECK(!c->ret && !wrong(c->data, 9), "%u: %d", n, c->ret);
		CHECK(!admin.tags, "%u: tags %#lx", n, admin.tags);
		CHECK(!admin.q.bogus, "%u: %lu", n, admin.q.bogus);
		m.lines = 0;
		stop();
	}
	CHECK(parked > 12, "preempted %u times", parked);
}

/* A thousand commands, so that both rings wrap and every generation comes and goes. */
static void test_wrap(void)
{
	u32 with_irq, n;

	for (with_irq = 0; with_irq < 2; with_irq++) {
		start(with_irq);
		for (n = 0; n < 1000; n++) {
			dev.latency = n % 4 * 40;
			CHECK(!nvmq_admin_identify(&admin, n % 5, n, 0, page_buf), "command %u", n);
			CHECK(!wrong(page_buf, n % 5), "command %u", n);
		}
		CHECK(dev.nr_fetched == 1000 && dev.posted == 1000, "%u", dev.nr_fetched);
		CHECK(dev.cq_head == 1000 % ENTRIES, "CQ head %u", dev.cq_head);
		CHECK(!admin.q.bogus && !admin.tags, "%lu", admin.q.bogus);
		CHECK(!with_irq || irq.handled == 1000, "%u interrupts", irq.handled);
		check_silent("wrap");
		stop();
	}
}

/* ---- commands ---- */

/* Base figures 273 to 275. */
static void test_identify(void)
{
	static const u32 nsids[] = { 0, 1, 0x12345678, 0xfffffffe, 0xffffffff };
	static const u8 cns[] = { 0, 1, 2, 3, 6 };
	u32 n, i, dstrd;

	for (dstrd = 0; dstrd < 6; dstrd += 5) {
		start(true);
		for (n = 0; n < 5; n++) {
			for (i = 0; i < 5; i++) {
				CHECK(!nvmq_admin_identify(&admin, cns[n], nsids[i], n * 50,
							   page_buf), "identify");
				CHECK((dw(0) & 0xff) == 0x06, "%#x", dw(0));
				CHECK(dw(1) == nsids[i], "NSID %#x", dw(1));
				CHECK(dw(10) == cns[n], "CNS %#x", dw(10));
				CHECK(dw(11) == (n * 50) << 24, "CSI %#x", dw(11));
			}
		}
		stop();
	}
}

/* Base 5.27.1.5: NCQR in 31:16, NSQR in 15:0, the answer likewise, all 0's based. */
static void test_queue_count(void)
{
	static const u32 counts[] = { 1, 2, 3, 8, 64, 255, 1000, 65534, 65535, 65536 };
	u32 i, j, k, granted, want;
	char text[32];
	int err;

	start(true);
	for (i = 0; i < 9; i++) {
		for (j = 0; j < 10; j++) {
			for (k = 0; k < 10; k++) {
				dev.dw0 = (counts[j] - 1) << 16 | (counts[k] - 1);
				granted = 0xdead;
				err = nvmq_admin_set_queue_count(&admin, counts[i], &granted);
				want = counts[i] < counts[j] ? counts[i] : counts[j];
				want = want < counts[k] ? want : counts[k];
				CHECK(!err && granted == want, "%u asked, %u CQs, %u SQs: %d, %u",
				      counts[i], counts[j], counts[k], err, granted);
				CHECK((dw(0) & 0xff) == 0x09, "%#x", dw(0));
				CHECK(dw(10) == 7, "%#x", dw(10));
				CHECK(dw(11) == (counts[i] - 1) * 0x10001, "%u asked: %#x",
				      counts[i], dw(11));
				CHECK(!dw(6) && !dw(7), "PRP1");
			}
		}
	}
	check_silent("queue count");

	/* Refused: no queues, no error, and what is in dword 0 means nothing. */
	for (i = 0; i < 4; i++) {
		static const u16 status[] = { 0x0002, 0x4002, 0x0006, 0x7fff };

		dev.status = status[i];
		dev.dw0 = 0x00070007;
		granted = 0xdead;
		CHECK(!nvmq_admin_set_queue_count(&admin, 8, &granted) && !granted, "%u", granted);
		snprintf(text, sizeof(text), "(%#x)", status[i]);
		check_line("refused", "Number of Queues", text);
	}
	dev.mute = true;
	granted = 0xdead;
	CHECK(nvmq_admin_set_queue_count(&admin, 8, &granted) == -ETIMEDOUT && !granted, "%u",
	      granted);
	m.lines = 0;
	stop();
	start(false);
	dev.mute = true;
	dev.die_after = 100;
	granted = 0xdead;
	CHECK(nvmq_admin_set_queue_count(&admin, 8, &granted) == -ENODEV && !granted, "%u",
	      granted);
	m.lines = 0;
	stop();
}

/* Base 5.27.1.6: the time in 15:8, in 100 us, the threshold in 7:0, 0's based. */
static void test_coalescing(void)
{
	u32 completions, units;

	start(true);
	for (completions = 1; completions <= 256; completions++) {
		for (units = 0; units < 256; units += units < 3 ? 1 : 84) {
			CHECK(!nvmq_admin_set_coalescing(&admin, completions, units * 100),
			      "%u/%u00", completions, units);
			CHECK((dw(0) & 0xff) == 0x09 && dw(10) == 8, "%#x %#x", dw(0), dw(10));
			CHECK(dw(11) == (units << 8 | (completions - 1)), "%u/%u00: %#x",
			      completions, units, dw(11));
			CHECK(!dw(1) && !dw(6) && !dw(7), "namespace or PRP1");
		}
	}
	check_silent("coalescing");
	dev.status = 0x4002;
	CHECK(nvmq_admin_set_coalescing(&admin, 8, 100) == -EIO, "taken");
	check_line("refused", "Interrupt Coalescing", "(0x4002)");
	stop();
}

/* Base 5.27.1.1: the burst in 2:0, weights that count from 0 in 15:8, 23:16 and 31:24. */
static void test_arbitration(void)
{
	static const u32 weights[] = { 1, 2, 128, 255, 256 };
	u32 burst, i;

	start(true);
	for (burst = 0; burst < 8; burst++) {
		for (i = 0; i < 5 * 5 * 5; i++) {
			u32 high = weights[i % 5], medium = weights[i / 5 % 5];
			u32 low = weights[i / 25];

			CHECK(!nvmq_admin_set_arbitration(&admin, burst, high, medium, low),
			      "%u %u %u %u", burst, high, medium, low);
			CHECK((dw(0) & 0xff) == 0x09 && dw(10) == 1, "%#x %#x", dw(0), dw(10));
			CHECK(dw(11) == ((high - 1) << 24 | (medium - 1) << 16 | (low - 1) << 8 |
					 burst), "%u %u %u %u: %#x", burst, high, medium, low,
			      dw(11));
			CHECK(!dw(1) && !dw(6) && !dw(7), "namespace or PRP1");
		}
	}
	check_silent("arbitration");
	dev.status = 0x4002;
	CHECK(nvmq_admin_set_arbitration(&admin, 3, 4, 2, 1) == -EIO, "taken");
	check_line("refused", "Arbitration", "(0x4002)");
	stop();
}

/* Base 5.1: the SQ in 15:0, the CID in 31:16; nobody waits, and there are never too many. */
static void test_abort(void)
{
	u64 begun;
	u32 i;

	start(true);
	begun = m.us;
	admin.max_aborts = 3;
	dev.latency = 10 * MS;
	for (i = 0; i < 3; i++) {
		CHECK(!nvmq_admin_abort(&admin, 0x102, 0xf003 + i), "%u", i);
		CHECK((dw(0) & 0xff) == 0x08 && dw(10) == ((0xf003 + i) << 16 | 0x102), "%#x %#x",
		      dw(0), dw(10));
	}
	CHECK(m.us == begun, "it waited %lu us", m.us - begun);
	CHECK(nvmq_admin_abort(&admin, 1, 1) == -EBUSY && dev.nr_fetched == 3, "one too many");
	/* Nor later, as long as they may still come back. */
	admin.timeout = HZ / 100;
	pass(8 * MS);
	CHECK(nvmq_admin_abort(&admin, 1, 1) == -EBUSY && dev.nr_fetched == 3, "one too many");
	admin.timeout = HZ;
	pass(20 * MS);
	CHECK(!admin.tags && !admin.aborts, "tags %#lx, %u aborts", admin.tags, admin.aborts);
	check_silent("abort");

	/* "Not aborted" is an answer like another; an error is worth a line. */
	dev.dw0 = 1;
	CHECK(!nvmq_admin_abort(&admin, 1, 1), "again");
	pass(20 * MS);
	check_silent("not aborted");
	dev.status = 0x4002;
	CHECK(!nvmq_admin_abort(&admin, 1, 1), "again");
	pass(20 * MS);
	check_line("refused", "Abort refused", "(0x4002)");
	CHECK(!admin.tags && !admin.aborts, "tags %#lx, %u aborts", admin.tags, admin.aborts);

	/* One that is never answered is no waiter when the queue stops, and nothing after it. */
	dev.mute = true;
	for (i = 0; i < 3; i++)
		CHECK(!nvmq_admin_abort(&admin, 1, i), "%u", i);
	pass(900 * MS);
	CHECK(nvmq_admin_abort(&admin, 1, 1) == -EBUSY, "too early to give up");
	pass(200 * MS);
	CHECK(nvmq_admin_abort(&admin, 1, 1) == -ETIMEDOUT, "nothing comes back");
	nvmq_admin_stop(&admin);
	CHECK(nvmq_admin_abort(&admin, 1, 1) == -ENODEV, "stopped");
	CHECK(!nvmq_hw_disable(&hw), "disable");
	nvmq_admin_forget(&admin);
	CHECK(!nvmq_admin_start(&admin) && !admin.tags && !admin.aborts, "start");
	dev.mute = false;
	dev.status = 0;
	for (i = 0; i < 3; i++)
		CHECK(!nvmq_admin_abort(&admin, 1, i), "%u", i);
	pass(20 * MS);
	CHECK(!identify(page_buf), "and the queue works");
	check_silent("after a start");

	/* Tags that others hold: refused, not waited for. */
	admin.max_aborts = NVMQ_ADMIN_ABORTS;
	admin.tags = (1ul << CALLERS) - 1;
	CHECK(nvmq_admin_abort(&admin, 1, 1) == -EBUSY, "no tag");
	admin.tags = 0;
	stop();
}

/* Base 5.27.1.18: 512 bytes, of which the first is 1. */
static void test_retry_delay(void)
{
	const u8 *data;

	start(true);
	CHECK(!nvmq_admin_allow_retry_delay(&admin), "set");
	CHECK((dw(0) & 0xff) == 0x09 && dw(10) == 0x16 && !dw(11), "%#x %#x", dw(0), dw(10));
	check_silent("retry delay");
	dev.status = 0x4002;
	CHECK(!nvmq_admin_allow_retry_delay(&admin), "a refusal is no error");
	check_line("refused", "Host Behavior", "(0x4002)");
	dev.mute = true;
	CHECK(nvmq_admin_allow_retry_delay(&admin) == -ETIMEDOUT, "no answer");
	m.lines = 0;
	data = dma_memory(dw(6) | (u64)dw(7) << 32, PAGE);
	CHECK(data && data[0] == 1 && !data[1] && !memcmp(data + 1, data + 2, 510), "the data");
	stop();
}

static const u32 some_entries[] = { 2, 3, 64, 1024, 4096 };
static const u32 some_qids[] = { 1, 2, 255, 256, 4095, 65535 };

/* Base figures 154 to 160. */
static void test_create(void)
{
	static const int vectors[] = { -1, 0, 1, 63, 2047, 65535 };
	struct nvmq_queue q = { 0 }, other = { 0 };
	u32 i, j, k;

	q.cq = &other;
	start(true);
	for (i = 0; i < 5; i++) {
		for (j = 0; j < 6; j++) {
			for (k = 0; k < 6; k++) {
				q.entries = some_entries[i];
				q.cq_entries = some_entries[k % 5] * 16;
				other.qid = some_qids[k];
				q.qid = some_qids[j];
				q.cq_dma = 0xfedcba9876543000 + j * PAGE;
				q.sq_dma = 0x1000 + k * PAGE;
				CHECK(!nvmq_admin_create_cq(&admin, &q, vectors[k]), "CQ");
				CHECK((dw(0) & 0xff) == 0x05, "%#x", dw(0));
				CHECK((dw(6) | (u64)dw(7) << 32) == q.cq_dma, "PRP1");
				CHECK(dw(10) >> 16 == q.cq_entries - 1, "QSIZE %#x", dw(10));
				CHECK((dw(10) & 0xffff) == q.qid, "QID %#x", dw(10));
				CHECK(dw(11) & 1, "PC");
				CHECK((dw(11) >> 1 & 1) == (vectors[k] >= 0), "IEN %#x", dw(11));
				CHECK(!(dw(11) & 0xfffc), "reserved %#x", dw(11));
				CHECK((int)(dw(11) >> 16) == (vectors[k] < 0 ? 0 : vectors[k]),
				      "IV %#x", dw(11));

				CHECK(!nvmq_admin_create_sq(&admin, &q, k % 4), "SQ");
				CHECK((dw(0) & 0xff) == 0x01, "%#x", dw(0));
				CHECK((dw(6) | (u64)dw(7) << 32) == q.sq_dma, "PRP1");
				CHECK(dw(10) >> 16 == q.entries - 1, "QSIZE %#x", dw(10));
				CHECK((dw(10) & 0xffff) == q.qid, "QID %#x", dw(10));
				CHECK(dw(11) == (some_qids[k] << 16 | k % 4 << 1 | 1),
				      "CQID, QPRIO, PC %#x", dw(11));
			}
		}
	}
	check_silent("create");
	stop();
}

/* Base figures 161 and 162. */
static void test_delete(void)
{
	u32 j;

	start(true);
	for (j = 0; j < 6; j++) {
		CHECK(!nvmq_admin_delete_sq(&admin, some_qids[j]), "SQ");
		CHECK((dw(0) & 0xff) == 0x00 && dw(10) == some_qids[j], "%#x %#x", dw(0), dw(10));
		CHECK(!nvmq_admin_delete_cq(&admin, some_qids[j]), "CQ");
		CHECK((dw(0) & 0xff) == 0x04 && dw(10) == some_qids[j], "%#x %#x", dw(0), dw(10));
	}
	check_silent("delete");
	stop();
}

static int queue_command(u32 which, struct nvmq_queue *q)
{
	switch (which) {
	case 0:
		return nvmq_admin_create_cq(&admin, q, 1);
	case 1:
		return nvmq_admin_create_sq(&admin, q, 0);
	case 2:
		return nvmq_admin_delete_sq(&admin, q->qid);
	default:
		return nvmq_admin_delete_cq(&admin, q->qid);
	}
}

/* A line that says which, of what queue and with what status. */
static void test_queue_refused(void)
{
	static const char *const names[] = {
		"Create I/O Completion Queue 9", "Create I/O Submission Queue 9",
		"Delete I/O Submission Queue 9", "Delete I/O Completion Queue 9",
	};
	struct nvmq_queue q = { .entries = 64, .cq_entries = 64, .qid = 9, .sq_dma = PAGE,
				.cq_dma = PAGE };
	u32 which;

	q.cq = &q;
	for (which = 0; which < 4; which++) {
		start(true);
		dev.status = 0x4108;
		CHECK(queue_command(which, &q) == -EIO, "refused");
		check_line("refused", names[which], "(0x4108)");
		dev.mute = true;
		CHECK(queue_command(which, &q) == -ETIMEDOUT, "no answer");
		check_line("no answer", "timed out", "");
		nvmq_admin_stop(&admin);
		CHECK(queue_command(which, &q) == -ENODEV, "stopped");
		check_silent("stopped");
		stop();
	}
}

int main(void)
{
	u32 place;

	for (place = 0; place < MAX_CALLERS; place++)
		pthread_cond_init(&waits[place].go, NULL);
	page_buf = malloc(PAGE);
	pthread_mutex_lock(&baton);
	TAP_RUN(test_alloc);
	TAP_RUN(test_not_live);
	TAP_RUN(test_success);
	TAP_RUN(test_data_out);
	TAP_RUN(test_status);
	TAP_RUN(test_timeout);
	TAP_RUN(test_close_call);
	TAP_RUN(test_lost_interrupt);
	TAP_RUN(test_interrupt_changes);
	TAP_RUN(test_bogus);
	TAP_RUN(test_gone);
	TAP_RUN(test_tags);
	TAP_RUN(test_traffic);
	TAP_RUN(test_abandoned);
	TAP_RUN(test_stop);
	TAP_RUN(test_preempted);
	TAP_RUN(test_wrap);
	TAP_RUN(test_identify);
	TAP_RUN(test_queue_count);
	TAP_RUN(test_coalescing);
	TAP_RUN(test_arbitration);
	TAP_RUN(test_abort);
	TAP_RUN(test_retry_delay);
	TAP_RUN(test_create);
	TAP_RUN(test_delete);
	TAP_RUN(test_queue_refused);
	free(page_buf);
	return tap_done();
}
