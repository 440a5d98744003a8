// SPDX-License-Identifier: GPL-2.0
/* nvmq-vfio hello: the whole way from a device to a greeting on it and back, step by step. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/kernel.h>

#include "../sys.h"
#include "drive.h"
#include "options.h"
#include "tell.h"

#define ENTRIES		2
#define GREETING	"Hello from user space: no driver was harmed."

static unsigned int steps;

__attribute__((format(printf, 1, 2)))
static void step(const char *format, ...)
{
	va_list args;

	printf("%u. ", ++steps);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static int bring_up(struct drive *d, const struct options *o)
{
	step("Open it through vfio, map BAR 0, and see what the controller can do.");
	if (drive_open(d, o->bdf))
		return -1;
	printf("    BAR 0: %zu bytes; MSI-X: %u vectors; addresses: %s\n", d->dev.bar_bytes,
	       d->dev.vectors, d->dev.noiommu ? "physical, no IOMMU" : "translated by the IOMMU");
	step("Disable it: CC.EN = 0, and CSTS.RDY follows. Whatever had it before is forgotten.");
	if (drive_disable(d))
		return -1;
	step("Give it an admin queue of %u entries (AQA, ASQ, ACQ), and enable it.",
	     NVMQ_ADMIN_ENTRIES);
	if (drive_enable(d))
		return -1;
	step("Ask what it is: Identify, controller.");
	if (drive_identify_ctrl(d))
		return -1;
	printf("    model \"%.40s\", serial \"%.20s\", firmware \"%.8s\"\n", d->id.mn, d->id.sn,
	       d->id.fr);
	return 0;
}

/* The last vector that the device has, at most the one behind the admin queue's. */
static int set_up_interrupt(struct drive *d, struct drive_queue *dq)
{
	int fds[2];

	if (!d->dev.vectors) {
		step("It has no MSI-X: its queue is polled.");
		return 0;
	}
	dq->vector = d->dev.vectors > 1;
	step("MSI-X: vector %u writes to an eventfd, on which this program waits.", dq->vector);
	dq->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dq->event < 0) {
		drive_err(d, "no eventfd: %s", strerror(errno));
		return -1;
	}
	fds[0] = dq->vector ? -1 : dq->event;
	fds[1] = dq->event;
	return device_enable_interrupts(&d->dev, fds, dq->vector + 1);
}

static int set_up_queue(struct drive *d, struct drive_queue *dq)
{
	step("Ask for an I/O queue pair: Set Features, Number of Queues.");
	if (drive_grant_queues(d, 1))
		return -1;
	step("Create completion queue 1, then submission queue 1, of %u entries each.", ENTRIES);
	return drive_add_queue(d, dq, 1, ENTRIES);
}

/* What was there before is read first, and put back. */
static int greet(struct drive *d, struct drive_queue *dq, const struct options *o)
{
	struct drive_buffer before, buffer;
	struct drive_ns ns;
	u32 size;
	int ret;

	step("See where: Identify, namespace.");
	if (drive_find_ns(d, o->nsid, &ns))
		return -1;
	size = 1u << ns.cmd.lba_shift;
	printf("    namespace %u: %llu blocks of %u bytes\n", ns.cmd.nsid,
	       (unsigned long long)ns.blocks, size);
	if (o->block >= ns.blocks) {
		drive_err(d, "block %llu: namespace %u has %llu", (unsigned long long)o->block,
			  ns.cmd.nsid, (unsigned long long)ns.blocks);
		return -1;
	}
	if (size > d->max_bytes) {
		drive_err(d, "a block is longer than a transfer");
		return -1;
	}
	if (drive_alloc_buffer(d, &before, size) || drive_alloc_buffer(d, &buffer, size))
		return -1;
	step("Read block %llu, to put it back later.", (unsigned long long)o->block);
	if (drive_rw(d, dq, &ns, false, o->block, &before))
		return -1;
	/* An interruption must not leave the greeting where data was. */
	sys_hold_signals(SIG_BLOCK);
	step("Write a greeting: \"%s\"", GREETING);
	memcpy(buffer.memory, GREETING, sizeof(GREETING));
	ret = drive_rw(d, dq, &ns, true, o->block, &buffer);
	if (!ret) {
		step("Read it back.");
		memset(buffer.memory, 0, size);
		ret = drive_rw(d, dq, &ns, false, o->block, &buffer);
	}
	if (!ret) {
		printf("    the block says: \"%.*s\"\n", (int)size - 1, buffer.memory);
		if (memcmp(buffer.memory, GREETING, sizeof(GREETING))) {
			drive_err(d, "that is not what was written");
			ret = -1;
		}
	}
	step("Put the block back as it was.");
	if (drive_rw(d, dq, &ns, true, o->block, &before))
		ret = -1;
	sys_hold_signals(SIG_UNBLOCK);
	return ret;
}

int vfio_hello(const struct options *o)
{
	struct drive_queue dq = { .event = -1 };
	struct drive d;
	int ret;

	tell_on = true;
	ret = bring_up(&d, o) || set_up_interrupt(&d, &dq) || set_up_queue(&d, &dq) ||
	      greet(&d, &dq, o) ? -1 : 0;
	if (dq.q.live)
		step("Delete submission queue 1, then completion queue 1.");
	drive_remove_queue(&d, &dq);
	if (d.up)
		step("Shut down (CC.SHN), and disable.");
	drive_close(&d);
	if (dq.event >= 0)
		close(dq.event);
	return ret ? 1 : 0;
}
