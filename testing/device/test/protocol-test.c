// SPDX-License-Identifier: GPL-2.0
/*
 * The protocol, with a device that only writes down what it is told. Server and client live in
 * one thread, so that every order of events can be made.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "tap.h"
#include "host.h"
#include "vfio_user.h"

#define RO	7	/* a region that can only be read */
#define WO	5	/* one that can only be written */
#define BAR	0
#define BAR_BYTES	0x30000

/* ---- the device ---- */

static struct {
	unsigned int reads, writes, resets, maps, unmaps, unmap_alls, irq_sets, connects, ends;
	unsigned int region;
	uint64_t off, len;
	uint8_t data[VFU_MAX_DATA];
	uint64_t iova, size, offset;
	unsigned int prot;
	ino_t file;		/* 0: none */
	struct vfu_irq_set set;
	uint8_t bools[64];
	int fds[64];
	bool keep;		/* the file descriptors */
	unsigned int unwired;
	int error;		/* to return */
	uint64_t order[4096];	/* offsets written */
	ino_t map_files[256];	/* of all maps */
} dev;

static int on_read(void *ctx, unsigned int region, uint64_t off, void *buf, size_t len)
{
	uint8_t *bytes = buf;
	size_t i;

	CHECK(ctx == &dev, "%p", ctx);
	dev.reads++;
	dev.region = region;
	dev.off = off;
	dev.len = len;
	for (i = 0; i < len; i++)
		bytes[i] = (off + i) * 7 + region;
	return dev.error;
}

static int on_write(void *ctx, unsigned int region, uint64_t off, const void *buf, size_t len)
{
	CHECK(ctx == &dev && len <= sizeof(dev.data), "%zu bytes", len);
	dev.order[dev.writes++ % 4096] = off;
	dev.region = region;
	dev.off = off;
	dev.len = len;
	memcpy(dev.data, buf, len);
	return dev.error;
}

static void on_reset(void *ctx)
{
	(void)ctx;
	dev.resets++;
}

static int on_map(void *ctx, uint64_t iova, uint64_t size, unsigned int prot, int fd,
		  uint64_t offset)
{
	struct stat st = { 0 };

	(void)ctx;
	CHECK(fd < 0 || !fstat(fd, &st), "fd %d: %d", fd, errno);
	dev.iova = iova;
	dev.size = size;
	dev.prot = prot;
	dev.offset = offset;
	dev.file = fd < 0 ? 0 : st.st_ino;
	dev.map_files[dev.maps++ % 256] = dev.file;
	return dev.error;
}

static int on_unmap(void *ctx, uint64_t iova, uint64_t size)
{
	(void)ctx;
	dev.unmaps++;
	dev.iova = iova;
	dev.size = size;
	return dev.error;
}

static void on_unmap_all(void *ctx)
{
	(void)ctx;
	dev.unmap_alls++;
}

static int on_set_irqs(void *ctx, const struct vfu_irq_set *set)
{
	unsigned int i;

	(void)ctx;
	dev.irq_sets++;
	dev.set = *set;
	if (set->bools)
		memcpy(dev.bools, set->bools, set->count);
	for (i = 0; set->fds && i < set->count; i++) {
		dev.unwired += set->fds[i] < 0;
		dev.fds[i] = set->fds[i];
		if (dev.keep)
			set->fds[i] = -1;
	}
	return dev.error;
}

static void on_connected(void *ctx)
{
	(void)ctx;
	dev.connects++;
}

static void on_disconnected(void *ctx)
{
	(void)ctx;
	dev.ends++;
}

static const struct vfu_ops ops = {
	.read = on_read,
	.write = on_write,
	.reset = on_reset,
	.dma_map = on_map,
	.dma_unmap = on_unmap,
	.dma_unmap_all = on_unmap_all,
	.set_irqs = on_set_irqs,
	.connected = on_connected,
	.disconnected = on_disconnected,
};

/* ---- both sides ---- */

static struct vfu *vfu;
static struct host host;
static unsigned int fds_before;

static unsigned int open_fds(void)
{
	unsigned int fd, nr = 0;

	for (fd = 0; fd < 1024; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static void pump(void *ctx)
{
	(void)ctx;
	while (vfu_process(vfu) > 0)
		;
}

static struct vfu *new_server(bool write_multi)
{
	struct vfu_shape shape = { .flags = VFIO_DEVICE_FLAGS_PCI, .write_multi = write_multi };

	shape.regions[BAR].size = BAR_BYTES;
	shape.regions[BAR].flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	shape.regions[RO].size = 4096;
	shape.regions[RO].flags = VFIO_REGION_INFO_FLAG_READ;
	shape.regions[WO].size = ~0ULL;
	shape.regions[WO].flags = VFIO_REGION_INFO_FLAG_WRITE;
	shape.irqs[0].count = 1;
	shape.irqs[0].flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE;
	shape.irqs[2].count = 40;
	shape.irqs[2].flags = VFIO_IRQ_INFO_EVENTFD;
	memset(&dev, 0, sizeof(dev));
	return vfu_new(&shape, &ops, &dev);
}

/* A new connection to the server that is there. */
static void join(void)
{
	int pair[2];

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair: %d", errno);
	host_init(&host, pair[0]);
	host.pump = pump;
	host.timeout_ms = 2000;
	CHECK(!vfu_adopt(vfu, pair[1]), "adopt");
}

static void leave(void)
{
	unsigned int left = 1000;

	/* What it sent last comes before its end. */
	host_stop(&host);
	while (vfu_has_client(vfu) && left--)
		vfu_process(vfu);
	CHECK(!vfu_has_client(vfu), "the server did not notice");
}

static void start(void)
{
	fds_before = open_fds();
	vfu = new_server(false);
	join();
	CHECK(!host_version(&host, NULL, 0), "version");
}

static void stop(void)
{
	host_stop(&host);
	vfu_close(vfu);
	CHECK(dev.connects == dev.ends, "%u came, %u went", dev.connects, dev.ends);
	CHECK(open_fds() == fds_before, "%u descriptors, before %u", open_fds(), fds_before);
}

/* The server must have ended this connection, and take another. */
static void check_ended(const char *why)
{
	struct host_header header;
	ssize_t got;

	do
		got = host_receive(&host, &header, NULL, 0);
	while (got >= 0);
	CHECK(got == -EPIPE, "%s: %zd", why, got);
	CHECK(!vfu_has_client(vfu), "%s: still there", why);
	host_stop(&host);
	join();
	CHECK(!host_version(&host, NULL, 0), "%s: no new connection", why);
}

static ssize_t request(uint16_t cmd, const void *payload, size_t len)
{
	return host_request(&host, cmd, payload, len, NULL, 0, NULL, 0);
}

/* ---- version ---- */

static void test_version(void)
{
	struct {
		uint16_t major, minor;
		char text[300];
	} out, in;
	uint8_t byte[4];
	char caps[512];
	ssize_t got;

	fds_before = open_fds();
	vfu = new_server(false);
	join();
	CHECK(host_read(&host, BAR, 0, byte, 4) == -EINVAL, "a command before the version");
	CHECK(!dev.reads, "it was carried out");
	CHECK(request(HOST_VERSION, NULL, 0) == -EINVAL, "empty");

	memset(&out, 0, sizeof(out));
	out.major = 1;
	CHECK(request(HOST_VERSION, &out, 5) == -EPROTONOSUPPORT, "major version 1");
	out.major = 0;
	memset(out.text, 'x', sizeof(out.text));
	CHECK(request(HOST_VERSION, &out, 20) == -EINVAL, "capabilities without an end");
	CHECK(!dev.connects && vfu_has_client(vfu), "%u", dev.connects);

	/* Of the second number the lower one holds; a client need not say any capabilities. */
	out.minor = 77;
	got = host_request(&host, HOST_VERSION, &out, 4, NULL, 0, &in, sizeof(in));
	CHECK(got > 4 && !in.major && in.minor == 1, "%zd, %u.%u", got, in.major, in.minor);
	CHECK(dev.connects == 1, "%u", dev.connects);
	CHECK(request(HOST_VERSION, &out, 4) == -EINVAL, "twice");
	leave();
	CHECK(dev.ends == 1, "%u", dev.ends);

	/* As QEMU says it; the reply fits where QEMU puts it, which host_version() checks. */
	join();
	CHECK(!host_version(&host, caps, sizeof(caps)), "as QEMU says it");
	CHECK(!strncmp(caps, "{\"capabilities\":{\"max_msg_fds\":16,", 34), "%s", caps);
	CHECK(!strcmp(caps + 34, "\"max_data_xfer_size\":65536,\"pgsizes\":4096}}"), "%s", caps);
	stop();

	fds_before = open_fds();
	vfu = new_server(true);
	join();
	CHECK(!host_version(&host, caps, sizeof(caps)), "as QEMU says it");
	CHECK(strstr(caps, ",\"write_multiple\":true}}"), "%s", caps);
	stop();
}

/* ---- what the device is ---- */

static void test_info(void)
{
	struct {
		uint32_t argsz, flags, regions, irqs;
	} info = { .argsz = 16 };
	struct {
		uint32_t argsz, flags, index, cap_offset;
		uint64_t size, offset;
	} region = { .argsz = 32 };
	struct {
		uint32_t argsz, flags, index, count;
	} irq = { .argsz = 16 };
	unsigned int i;

	start();
	info.argsz = 64;
	region.argsz = 64;
	irq.argsz = 64;
	CHECK(host_request(&host, HOST_GET_INFO, &info, 16, NULL, 0, &info, 16) == 16, "info");
	CHECK(info.argsz == 16 && info.flags == VFIO_DEVICE_FLAGS_PCI && info.regions == 9 &&
	      info.irqs == 5, "%u regions, %u irqs", info.regions, info.irqs);
	for (i = 0; i < 9; i++) {
		uint64_t size = i == BAR ? BAR_BYTES : i == RO ? 4096 : i == WO ? ~0ULL : 0;
		uint32_t flags = i == BAR ? 3 : i == RO ? 1 : i == WO ? 2 : 0;

		region.index = i;
		CHECK(host_request(&host, HOST_GET_REGION_INFO, &region, 32, NULL, 0, &region,
				   32) == 32, "region %u", i);
		CHECK(region.argsz == 32 && region.size == size && region.flags == flags &&
		      region.index == i && !region.cap_offset, "region %u", i);
	}
	for (i = 0; i < 5; i++) {
		irq.index = i;
		CHECK(host_request(&host, HOST_GET_IRQ_INFO, &irq, 16, NULL, 0, &irq, 16) == 16,
		      "irq %u", i);
		CHECK(irq.argsz == 16 && irq.count == (i == 0 ? 1 : i == 2 ? 40 : 0) &&
		      irq.index == i && irq.flags == (i == 0 ? 3 : i == 2), "irq %u", i);
	}
	region.index = 9;
	CHECK(request(HOST_GET_REGION_INFO, &region, 32) == -EINVAL, "region 9");
	irq.index = 5;
	CHECK(request(HOST_GET_IRQ_INFO, &irq, 16) == -EINVAL, "irq 5");
	info.argsz = 15;
	region.index = 0;
	region.argsz = 31;
	irq.index = 0;
	irq.argsz = 15;
	CHECK(request(HOST_GET_INFO, &info, 16) == -EINVAL, "room for 15 bytes");
	CHECK(request(HOST_GET_REGION_INFO, &region, 32) == -EINVAL, "room for 31 bytes");
	CHECK(request(HOST_GET_IRQ_INFO, &irq, 16) == -EINVAL, "room for 15 bytes");
	info.argsz = 16;
	region.argsz = 32;
	irq.argsz = 16;
	for (i = 0; i < 32; i++) {
		CHECK((request(HOST_GET_REGION_INFO, &region, i) == -EINVAL), "%u bytes", i);
		if (i >= 16)
			continue;
		CHECK((request(HOST_GET_INFO, &info, i) == -EINVAL), "%u bytes", i);
		CHECK((request(HOST_GET_IRQ_INFO, &irq, i) == -EINVAL), "%u bytes", i);
	}
	stop();
}

/* ---- memory ---- */

struct dma_map {
	uint32_t argsz, flags;
	uint64_t offset, iova, size;
};

struct dma_unmap {
	uint32_t argsz, flags;
	uint64_t iova, size;
};

static ino_t file_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static void test_dma_map(void)
{
	struct dma_map map = { .argsz = 32, .size = 4096 };
	unsigned int i, before;
	int fds[2];

	start();
	CHECK(!host_memory(&host, 1 << 20), "memory");
	before = open_fds();
	for (i = 0; i < 4; i++) {
		CHECK(!host_dma_map(&host, 0xfedcba9876543000 + i, 0x5000, i, 0x1000), "%u", i);
		CHECK(dev.iova == 0xfedcba9876543000 + i && dev.size == 0x5000 && dev.prot == i &&
		      dev.offset == 0x1000 && dev.file == file_of(host.memfd), "%u", i);
	}
	CHECK(!request(HOST_DMA_MAP, &map, 32) && !dev.file, "without a file");
	dev.error = -ENOSPC;
	CHECK(host_dma_map(&host, 0, 4096, 3, 0) == -ENOSPC, "the device's error");
	dev.error = 0;
	CHECK(dev.maps == 6, "%u", dev.maps);

	/* libvfio-user's hints how to use the file; nonsense without one. */
	fds[0] = host.memfd;
	fds[1] = host.memfd;
	map.flags = 0x7;
	CHECK(!host_request(&host, HOST_DMA_MAP, &map, 32, fds, 1, NULL, 0) && dev.prot == 3,
	      "flags 7");
	CHECK(request(HOST_DMA_MAP, &map, 32) == -EINVAL, "flags 7 without a file");
	map.flags = 0x10;
	CHECK(host_request(&host, HOST_DMA_MAP, &map, 32, fds, 1, NULL, 0) == -EINVAL, "flags 16");
	map.flags = 3;
	CHECK(host_request(&host, HOST_DMA_MAP, &map, 32, fds, 2, NULL, 0) == -EINVAL, "two files");
	map.size = 0;
	CHECK(request(HOST_DMA_MAP, &map, 32) == -EINVAL, "empty");
	map.size = 4096;
	map.iova = -4095;
	CHECK(request(HOST_DMA_MAP, &map, 32) == -EINVAL, "wraps around");
	map.iova = -4096;
	CHECK(!request(HOST_DMA_MAP, &map, 32), "the last page");
	map.offset = -4095;
	CHECK(request(HOST_DMA_MAP, &map, 32) == -EINVAL, "offset wraps around");
	map.offset = 0;
	map.argsz = 31;
	CHECK(request(HOST_DMA_MAP, &map, 32) == -EINVAL, "argsz");
	for (i = 0; i < 32; i++)
		CHECK(request(HOST_DMA_MAP, &map, i) == -EINVAL, "%u bytes", i);
	CHECK(dev.maps == 8, "%u", dev.maps);
	CHECK(open_fds() == before, "%u descriptors, before %u", open_fds(), before);
	stop();
}

static void test_dma_unmap(void)
{
	struct dma_unmap unmap = { .argsz = 24, .iova = 0x1000, .size = 0x2000 }, reply;
	unsigned int i;

	start();
	CHECK(host_request(&host, HOST_DMA_UNMAP, &unmap, 24, NULL, 0, &reply, 24) == 24, "reply");
	CHECK(reply.iova == 0x1000 && reply.size == 0x2000, "reply");
	CHECK(dev.unmaps == 1 && dev.iova == 0x1000 && dev.size == 0x2000, "%u", dev.unmaps);
	dev.error = -EBUSY;
	CHECK(host_dma_unmap(&host, 0, 1) == -EBUSY, "the device's error");
	dev.error = 0;
	CHECK(host_dma_unmap(&host, 0, 0) == -EINVAL, "empty");
	CHECK(host_dma_unmap(&host, -1, 2) == -EINVAL, "wraps around");
	unmap.flags = VFIO_DMA_UNMAP_FLAG_ALL;
	CHECK(request(HOST_DMA_UNMAP, &unmap, 24) == -EINVAL, "all of a range");
	unmap.iova = 0;
	CHECK(request(HOST_DMA_UNMAP, &unmap, 24) == -EINVAL, "all of so many");
	unmap.iova = 0x1000;
	unmap.size = 0;
	CHECK(request(HOST_DMA_UNMAP, &unmap, 24) == -EINVAL, "all from there");
	unmap.iova = 0;
	CHECK(request(HOST_DMA_UNMAP, &unmap, 24) == 24 && dev.unmap_alls == 1, "all");
	unmap.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
	unmap.size = 4096;
	CHECK(request(HOST_DMA_UNMAP, &unmap, 24) == -EINVAL, "dirty pages");
	unmap.flags = 0;
	unmap.argsz = 23;
	CHECK(request(HOST_DMA_UNMAP, &unmap, 24) == -EINVAL, "argsz");
	for (i = 0; i < 24; i++)
		CHECK(request(HOST_DMA_UNMAP, &unmap, i) == -EINVAL, "%u bytes", i);
	CHECK(dev.unmaps == 2 && dev.unmap_alls == 1, "%u", dev.unmaps);
	stop();
}

/*
 * QEMU sends the maps of a transaction without waiting for replies, some with a file and some
 * without; the server gets many with one read. Each must find its own.
 */
static void test_files_find_their_message(void)
{
	struct host_header header = { .cmd = HOST_DMA_MAP, .size = 48 };
	struct dma_map map = { .argsz = 32, .size = 4096, .flags = 3 };
	unsigned int round, i, nr, with = 0;
	ino_t expect[64];
	int files[3];

	start();
	for (i = 0; i < 3; i++)
		files[i] = memfd_create("file", MFD_CLOEXEC);
	for (round = 0; round < 300; round++) {
		nr = rnd_in(1, 64);
		dev.maps = 0;
		for (i = 0; i < nr; i++) {
			unsigned int which = rnd() % 6;

			header.id = i;
			expect[i] = which < 3 ? file_of(files[which]) : 0;
			with += which < 3;
			CHECK(!host_send(&host, &header, &map, 32, &files[which % 3], which < 3),
			      "send");
			if (rnd() % 16 == 0)
				pump(NULL);
		}
		for (i = 0; i < nr; i++) {
			struct host_header reply;
			ssize_t got = host_receive(&host, &reply, NULL, 0);

			CHECK(got == 0 && reply.id == i && reply.flags == HOST_F_REPLY,
			      "reply %u: %zd id %u flags %#x", i, got, reply.id, reply.flags);
		}
		CHECK(dev.maps == nr, "%u of %u", dev.maps, nr);
		for (i = 0; i < nr; i++)
			CHECK(dev.map_files[i] == expect[i], "round %u, message %u", round, i);
	}
	CHECK(with > 1000, "%u", with);
	for (i = 0; i < 3; i++)
		close(files[i]);
	stop();
}

/* ---- interrupts ---- */

struct irq_set {
	uint32_t argsz, flags, index, start, count;
	uint8_t bools[64];
};

static void test_set_irqs(void)
{
	const uint32_t trigger = VFIO_IRQ_SET_ACTION_TRIGGER;
	struct irq_set set = { .argsz = 20, .index = 2, .flags = VFIO_IRQ_SET_DATA_NONE | trigger };
	unsigned int before, i;
	uint64_t count;
	int fds[17];

	start();
	for (i = 0; i < 17; i++)
		fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	before = open_fds();

	/* What QEMU does to turn an index off. */
	CHECK(!request(HOST_SET_IRQS, &set, 20) && dev.irq_sets == 1, "off");
	CHECK(dev.set.index == 2 && !dev.set.start && !dev.set.count && !dev.set.fds &&
	      !dev.set.bools && dev.set.flags == set.flags, "off");
	set.index = 4;
	CHECK(!request(HOST_SET_IRQS, &set, 20), "off, of an index that has none");

	/* What it does to wire vectors, and to take them back. */
	set.index = 2;
	set.start = 24;
	set.count = 16;
	set.flags = VFIO_IRQ_SET_DATA_EVENTFD | trigger;
	CHECK(!host_request(&host, HOST_SET_IRQS, &set, 20, fds, 16, NULL, 0), "wire");
	CHECK(dev.set.index == 2 && dev.set.start == 24 && dev.set.count == 16, "wire");
	CHECK(open_fds() == before, "closed when the device does not keep them");
	dev.keep = true;
	CHECK(!host_request(&host, HOST_SET_IRQS, &set, 20, fds, 16, NULL, 0), "wire");
	CHECK(open_fds() == before + 16, "%u descriptors", open_fds() - before);
	for (i = 0; i < 16; i++) {
		CHECK(write(dev.fds[i], &(uint64_t){ i + 1 }, 8) == 8, "write %u", i);
		CHECK(read(fds[i], &count, 8) == 8 && count == i + 1, "vector %u", i);
		CHECK(fcntl(dev.fds[i], F_GETFD) == FD_CLOEXEC, "vector %u", i);
		close(dev.fds[i]);
	}
	set.start = 0;
	set.count = 40;
	dev.irq_sets = 0;
	dev.unwired = 0;
	CHECK(!request(HOST_SET_IRQS, &set, 20), "unwire all");
	CHECK(dev.unwired == 40 && dev.irq_sets == 3 && dev.set.start == 32 && dev.set.count == 8,
	      "%u in %u", dev.unwired, dev.irq_sets);

	/* BOOL, as the protocol has it. */
	set.flags = VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_UNMASK;
	for (i = 0; i < 40; i++)
		set.bools[i] = i % 3;
	CHECK(!request(HOST_SET_IRQS, &set, 60) && !memcmp(dev.bools, set.bools, 40), "bools");
	CHECK(request(HOST_SET_IRQS, &set, 59) == -EINVAL, "39 bools for 40");

	/* What is none of it. */
	dev.irq_sets = 0;
	dev.keep = false;
	set.flags = VFIO_IRQ_SET_DATA_NONE | trigger;
	set.count = 41;
	CHECK(request(HOST_SET_IRQS, &set, 20) == -EINVAL, "41 of 40");
	set.start = 41;
	set.count = 0;
	CHECK(request(HOST_SET_IRQS, &set, 20) == -EINVAL, "from 41");
	set.start = 1;
	set.count = ~0U;
	CHECK(request(HOST_SET_IRQS, &set, 20) == -EINVAL, "wraps around");
	set.count = 1;
	set.index = 5;
	CHECK(request(HOST_SET_IRQS, &set, 20) == -EINVAL, "index 5");
	set.index = 1;
	CHECK(request(HOST_SET_IRQS, &set, 20) == -EINVAL, "an index without any");
	set.index = 2;
	set.argsz = 19;
	CHECK(request(HOST_SET_IRQS, &set, 20) == -EINVAL, "argsz");
	set.argsz = 20;
	for (i = 0; i < 20; i++)
		CHECK(request(HOST_SET_IRQS, &set, i) == -EINVAL, "%u bytes", i);
	for (i = 0; i < 256; i++) {
		bool one_data = (i & 7) == 1 || (i & 7) == 2 || (i & 7) == 4;
		bool one_action = (i & 56) == 8 || (i & 56) == 16 || (i & 56) == 32;
		bool ok = one_data && one_action && i < 64;

		set.flags = i;
		CHECK(request(HOST_SET_IRQS, &set, 21) == (ok ? 0 : -EINVAL), "flags %#x", i);
	}
	CHECK(dev.irq_sets == 9, "%u", dev.irq_sets);
	set.flags = VFIO_IRQ_SET_DATA_NONE | trigger;
	CHECK(host_request(&host, HOST_SET_IRQS, &set, 20, fds, 1, NULL, 0) == -EINVAL,
	      "a descriptor without EVENTFD");
	set.flags = VFIO_IRQ_SET_DATA_EVENTFD | trigger;
	set.count = 3;
	CHECK(host_request(&host, HOST_SET_IRQS, &set, 20, fds, 2, NULL, 0) == -EINVAL, "2 for 3");
	CHECK(host_request(&host, HOST_SET_IRQS, &set, 20, fds, 4, NULL, 0) == -EINVAL, "4 for 3");
	set.count = 17;
	CHECK(host_request(&host, HOST_SET_IRQS, &set, 20, fds, 17, NULL, 0) == -EINVAL,
	      "more than was agreed on");
	CHECK(dev.irq_sets == 9, "%u", dev.irq_sets);
	dev.error = -EIO;
	set.count = 3;
	CHECK(host_request(&host, HOST_SET_IRQS, &set, 20, fds, 3, NULL, 0) == -EIO,
	      "the device's error");
	CHECK(open_fds() == before, "%u descriptors, before %u", open_fds(), before);
	for (i = 0; i < 17; i++)
		close(fds[i]);
	stop();
}

/* ---- regions ---- */

static void test_regions(void)
{
	static const size_t sizes[] = { 1, 2, 3, 4, 8, 63, 64, 65, 4096, 65535, 65536 };
	static uint8_t buf[VFU_MAX_DATA + 1];
	unsigned int i, j;
	struct {
		uint64_t off;
		uint32_t region, count;
		uint8_t data[8];
	} raw = { .region = BAR, .count = 4 };

	start();
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t off = BAR_BYTES - sizes[i];

		CHECK(!host_read(&host, BAR, off, buf, sizes[i]), "read %zu", sizes[i]);
		CHECK(dev.off == off && dev.len == sizes[i] && dev.region == BAR, "%zu", sizes[i]);
		for (j = 0; j < sizes[i]; j++)
			CHECK(buf[j] == (uint8_t)((off + j) * 7), "%zu, byte %u", sizes[i], j);
		for (j = 0; j < sizes[i]; j++)
			buf[j] = rnd();
		CHECK(!host_write(&host, BAR, off, buf, sizes[i]), "write %zu", sizes[i]);
		CHECK(dev.off == off && dev.len == sizes[i] && !memcmp(buf, dev.data, sizes[i]),
		      "write %zu", sizes[i]);
		CHECK(host_read(&host, BAR, off + 1, buf, sizes[i]) == -EINVAL, "%zu", sizes[i]);
		CHECK(host_write(&host, BAR, off + 1, buf, sizes[i]) == -EINVAL, "%zu", sizes[i]);
	}
	i = dev.reads + dev.writes;
	CHECK(host_read(&host, BAR, 0, buf, VFU_MAX_DATA + 1) == -EINVAL, "too much");
	CHECK(host_read(&host, BAR, 0, buf, 0) == -EINVAL, "nothing");
	CHECK(host_write(&host, BAR, 0, buf, 0) == -EINVAL, "nothing");
	CHECK(host_read(&host, BAR, BAR_BYTES, buf, 1) == -EINVAL, "behind the end");
	CHECK(host_read(&host, BAR, ~0ULL, buf, 4) == -EINVAL, "wraps around");
	CHECK(host_write(&host, WO, ~0ULL - 1, buf, 4) == -EINVAL, "wraps around");
	CHECK(host_read(&host, 1, 0, buf, 1) == -EINVAL, "no such region");
	CHECK(host_read(&host, 9, 0, buf, 1) == -EINVAL, "no such region");
	CHECK(host_read(&host, ~0U, 0, buf, 1) == -EINVAL, "no such region");
	CHECK(host_write(&host, RO, 0, buf, 1) == -EINVAL, "read-only");
	CHECK(host_read(&host, WO, 0, buf, 1) == -EINVAL, "write-only");
	CHECK(dev.reads + dev.writes == i, "something was carried out");
	CHECK(!host_read(&host, RO, 4095, buf, 1) && *buf == (uint8_t)(4095 * 7 + RO), "%u", *buf);
	CHECK(!host_write(&host, WO, 1ULL << 63, buf, 1) && dev.off == 1ULL << 63, "far");

	/* Counts that are not the message's. */
	for (i = 0; i < 24; i++) {
		CHECK(request(HOST_REGION_WRITE, &raw, i) == (i == 20 ? 16 : -EINVAL), "%u", i);
		CHECK(request(HOST_REGION_READ, &raw, i) == (i == 16 ? 20 : -EINVAL), "%u", i);
	}
	raw.count = ~0U;
	CHECK(request(HOST_REGION_WRITE, &raw, 20) == -EINVAL, "count -1");
	CHECK(request(HOST_REGION_READ, &raw, 16) == -EINVAL, "count -1");

	dev.error = -EPERM;
	CHECK(host_read(&host, BAR, 0, buf, 4) == -EPERM, "the device's error");
	CHECK(host_write(&host, BAR, 0, buf, 4) == -EPERM, "the device's error");
	dev.error = 0;
	stop();
}

static void test_posted_writes(void)
{
	uint32_t value = 0;
	unsigned int i;

	start();
	/* Doorbells, then a read: all of them have been seen, in order. */
	for (i = 0; i < 4000; i++)
		CHECK(!host_post(&host, BAR, i * 4, &i, 4), "%u", i);
	CHECK(!host_read(&host, BAR, 0, &value, 4), "read");
	CHECK(dev.writes == 4000, "%u", dev.writes);
	for (i = 0; i < 4000; i++)
		CHECK(dev.order[i] == i * 4, "%u", i);
	CHECK(vfu_get_stats(vfu)->posted == 4000 && !vfu_get_stats(vfu)->lost, "%llu",
	      (unsigned long long)vfu_get_stats(vfu)->posted);

	/* Errors have nobody to go to: no reply may come for them. */
	dev.error = -EIO;
	CHECK(!host_post(&host, BAR, 0, &value, 4), "post");
	CHECK(!host_post(&host, 1, 0, &value, 4), "post");
	pump(NULL);
	dev.error = 0;
	CHECK(!host_read(&host, BAR, 0, &value, 4), "the next reply is that of the read");
	CHECK(vfu_get_stats(vfu)->lost == 2, "%llu", (unsigned long long)vfu_get_stats(vfu)->lost);
	stop();
}

static void test_write_multi(void)
{
	struct {
		uint64_t nr;
		struct {
			uint64_t off;
			uint32_t region, count;
			uint8_t data[8];
		} one[201];
	} multi = { .nr = 200 };
	uint64_t count = 0;
	unsigned int i;

	start();
	for (i = 0; i < 201; i++) {
		multi.one[i].off = i * 8;
		multi.one[i].region = BAR;
		multi.one[i].count = i % 8 + 1;
		memset(multi.one[i].data, i, 8);
	}
	CHECK(host_request(&host, HOST_REGION_WRITE_MULTI, &multi, 8 + 200 * 24, NULL, 0, &count,
			   8) == 8 && count == 200, "200");
	CHECK(dev.writes == 200 && dev.len == 8 && dev.data[0] == 199, "%u", dev.writes);
	for (i = 0; i < 200; i++)
		CHECK(dev.order[i] == i * 8, "%u", i);
	multi.nr = 0;
	CHECK(request(HOST_REGION_WRITE_MULTI, &multi, 8) == 8, "none");

	/* A number that is not the message's. */
	dev.writes = 0;
	CHECK(request(HOST_REGION_WRITE_MULTI, &multi, 32) == -EINVAL, "0 of 1");
	multi.nr = 2;
	CHECK(request(HOST_REGION_WRITE_MULTI, &multi, 32) == -EINVAL, "2 of 1");
	CHECK(request(HOST_REGION_WRITE_MULTI, &multi, 55) == -EINVAL, "almost 2");
	multi.nr = 0x0aaaaaaaaaaaaaab;	/* times 24 is 8, in 64 bits */
	CHECK(request(HOST_REGION_WRITE_MULTI, &multi, 16) == -EINVAL, "wraps around");
	CHECK(request(HOST_REGION_WRITE_MULTI, &multi, 7) == -EINVAL, "no number");
	CHECK(!dev.writes, "%u", dev.writes);

	/* One bad among good ones. */
	multi.nr = 3;
	multi.one[1].count = 9;
	CHECK(request(HOST_REGION_WRITE_MULTI, &multi, 8 + 72) == -EINVAL && dev.writes == 2, "%u",
	      dev.writes);
	multi.one[1].count = 0;
	CHECK(request(HOST_REGION_WRITE_MULTI, &multi, 8 + 72) == -EINVAL && dev.writes == 4, "%u",
	      dev.writes);
	multi.one[1].count = 8;
	multi.one[1].off = BAR_BYTES - 7;
	CHECK(request(HOST_REGION_WRITE_MULTI, &multi, 8 + 72) == -EINVAL && dev.writes == 6, "%u",
	      dev.writes);
	stop();
}

static void test_reset_and_unknown(void)
{
	unsigned int cmd, fds = 0, refused = 0;
	int fd;

	start();
	fd = eventfd(0, EFD_CLOEXEC);
	fds = open_fds();
	CHECK(!host_reset(&host) && dev.resets == 1, "%u", dev.resets);
	for (cmd = 0; cmd < 65536; cmd += cmd < 40 ? 1 : 997) {
		bool known = (cmd >= 1 && cmd <= 10 && cmd != 6) || cmd == 13 || cmd == 15;

		if (known)
			continue;
		CHECK(request(cmd, NULL, 0) == -EOPNOTSUPP, "command %u", cmd);
		refused++;
	}
	CHECK(vfu_get_stats(vfu)->refused == refused && refused > 90, "%u", refused);

	/* A descriptor where none belongs: refused, and closed. */
	CHECK(host_request(&host, HOST_RESET, NULL, 0, &fd, 1, NULL, 0) == -EINVAL, "reset");
	CHECK(host_request(&host, 99, NULL, 0, &fd, 1, NULL, 0) == -EINVAL, "unknown");
	CHECK(dev.resets == 1, "%u", dev.resets);
	CHECK(open_fds() == fds, "%u descriptors, before %u", open_fds(), fds);
	close(fd);
	stop();
}

/* ---- pieces ---- */

static void test_one_byte_at_a_time(void)
{
	struct {
		struct host_header header;
		struct dma_map map;
	} out = {
		.header = { .id = 0x1234, .cmd = HOST_DMA_MAP, .size = 48 },
		.map = { .argsz = 32, .flags = 3, .iova = 0x10000, .size = 0x1000 },
	};
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct host_header reply;
	unsigned int at, i;
	int fd;

	/* The file comes with any byte of the message, and never belongs to another one. */
	start();
	fd = memfd_create("file", MFD_CLOEXEC);
	for (at = 0; at < 48; at++) {
		for (i = 0; i < 48; i++) {
			struct iovec iov = { (uint8_t *)&out + i, 1 };
			struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

			if (i == at) {
				memset(&control, 0, sizeof(control));
				msg.msg_control = control.bytes;
				msg.msg_controllen = sizeof(control.bytes);
				CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
				CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
				CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(sizeof(int));
				memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &fd, sizeof(fd));
			}
			CHECK(sendmsg(host.sock, &msg, 0) == 1, "byte %u: %d", i, errno);
			if (i % 5 == at % 5)
				pump(NULL);
			CHECK(dev.maps == at || i == 47, "too early: byte %u", i);
		}
		CHECK(!host_receive(&host, &reply, NULL, 0) && reply.id == 0x1234 &&
		      reply.flags == HOST_F_REPLY, "flags %#x", reply.flags);
		CHECK(dev.maps == at + 1 && dev.file == file_of(fd), "the file of byte %u", at);
	}
	CHECK(!request(HOST_DMA_MAP, &out.map, 32) && !dev.file, "it came without");
	close(fd);
	stop();
}

static void test_random_pieces(void)
{
	static uint8_t stream[400000];
	size_t len = 0, sent = 0;
	unsigned int nr = 0, i;
	uint8_t reply[16];

	/* Writes of all sizes in one stream, cut at random. */
	start();
	while (len < sizeof(stream) - 70000) {
		struct {
			struct host_header header;
			uint64_t off;
			uint32_t region, count;
		} out = { .header = { .id = nr, .cmd = HOST_REGION_WRITE }, .region = BAR };

		out.count = rnd() % 40 ? rnd_in(1, 64) : rnd_in(1, 65536);
		out.off = nr;
		out.header.size = 32 + out.count;
		memcpy(stream + len, &out, 32);
		memset(stream + len + 32, nr, out.count);
		len += out.header.size;
		nr++;
	}
	for (i = 0; i < nr;) {
		struct host_header header;
		size_t part = rnd() % 3 ? rnd_in(1, 100) : rnd_in(1, 100000);
		ssize_t n;

		if (part > len - sent)
			part = len - sent;
		n = part ? send(host.sock, stream + sent, part, MSG_DONTWAIT) : 0;
		sent += n > 0 ? n : 0;
		vfu_process(vfu);
		while (i < nr && recv(host.sock, &header, 1, MSG_PEEK | MSG_DONTWAIT) == 1) {
			CHECK(host_receive(&host, &header, reply, 16) == 16 &&
			      header.id == (uint16_t)i && header.flags == HOST_F_REPLY,
			      "reply %u is %u", i, header.id);
			i++;
		}
	}
	CHECK(dev.writes == nr && nr > 100, "%u of %u", dev.writes, nr);
	for (i = nr > 4096 ? nr - 4096 : 0; i < nr; i++)
		CHECK(dev.order[i % 4096] == i, "%u", i);
	stop();
}

/* A client that asks and asks but never reads: the server neither blocks nor swells. */
static void test_replies_not_read(void)
{
	struct host_header header = { .cmd = HOST_REGION_READ, .size = 32 }, in;
	struct {
		uint64_t off;
		uint32_t region, count;
	} at = { .region = BAR, .count = 60000 };
	static uint8_t reply[60016];
	struct pollfd fds[VFU_NR_FDS];
	unsigned int sent = 0, i;

	start();
	host.timeout_ms = 50;
	while (!host_send(&host, &header, &at, 16, NULL, 0) && sent < 100000)
		header.id = ++sent;
	CHECK(sent > 5 && sent < 100000, "%u", sent);
	CHECK(dev.reads < sent, "%u of %u", dev.reads, sent);
	CHECK(vfu_fds(vfu, fds) == 1 && fds[0].events == POLLOUT, "waits for the client");
	host.timeout_ms = 2000;
	/* What host_send() gave up on may have gone out in part; none of it, as it happens. */
	for (i = 0; i < sent; i++) {
		CHECK(host_receive(&host, &in, reply, sizeof(reply)) == 60016 &&
		      in.id == (uint16_t)i, "reply %u of %u", i, sent);
		CHECK(reply[16 + 59999] == (uint8_t)(59999 * 7), "reply %u", i);
	}
	pump(NULL);
	CHECK(dev.reads == sent, "%u of %u", dev.reads, sent);
	CHECK(vfu_fds(vfu, fds) == 1 && fds[0].events == POLLIN, "waits for more");

	/* One that goes away instead. */
	host.timeout_ms = 50;
	while (!host_send(&host, &header, &at, 16, NULL, 0))
		;
	CHECK(vfu_fds(vfu, fds) == 1 && fds[0].events == POLLOUT, "waits for the client");
	leave();
	CHECK(dev.ends == 1 && !vfu_get_stats(vfu)->broken, "%u", dev.ends);
	vfu_close(vfu);
	CHECK(open_fds() == fds_before, "%u descriptors, before %u", open_fds(), fds_before);
}

/* Its last words were questions, and it is not there for the answers. */
static void test_gone_before_the_reply(void)
{
	struct host_header header = { .cmd = HOST_RESET, .size = 16 };
	unsigned int i;

	start();
	for (i = 0; i < 10; i++)
		CHECK(!host_send(&host, &header, NULL, 0, NULL, 0), "send");
	leave();
	CHECK(dev.resets == 1 && dev.ends == 1, "%u, %u", dev.resets, dev.ends);
	CHECK(!vfu_get_stats(vfu)->broken, "what had come was right");
	stop();
}

/* ---- hostile ---- */

static void test_broken_headers(void)
{
	static const uint32_t sizes[] = { 0, 1, 15, 16 + 16 + VFU_MAX_DATA + 1, 1 << 20, ~0U };
	struct host_header header = { .cmd = HOST_RESET };
	unsigned int i;

	start();
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		header.size = sizes[i];
		CHECK(!host_send(&host, &header, NULL, 0, NULL, 0), "send");
		check_ended("size");
		CHECK(vfu_get_stats(vfu)->broken == i + 1, "%u", i);
	}
	header.size = 16;
	for (i = 1; i < 16; i++) {
		header.flags = i;
		CHECK(!host_send(&host, &header, NULL, 0, NULL, 0), "send");
		check_ended("type");
	}
	CHECK(!dev.resets, "%u", dev.resets);
	/* Flags that are not known do no harm. */
	header.flags = 0xffffffc0;
	CHECK(!host_send(&host, &header, NULL, 0, NULL, 0), "send");
	CHECK(!host_receive(&host, &header, NULL, 0) && header.flags == HOST_F_REPLY, "%#x",
	      header.flags);
	CHECK(dev.connects == 22 && dev.ends == 21, "%u, %u", dev.connects, dev.ends);
	stop();
}

static void test_ends_in_the_middle(void)
{
	struct {
		struct host_header header;
		struct dma_map map;
	} out = { .header = { .cmd = HOST_DMA_MAP, .size = 48 }, .map = { .argsz = 32 } };
	unsigned int len;
	int fd;

	start();
	fd = eventfd(0, EFD_CLOEXEC);
	for (len = 1; len < 48; len++) {
		if (len < 16)
			CHECK(send(host.sock, &out, len, 0) == (ssize_t)len, "send");
		else
			CHECK(!host_send(&host, &out.header, &out.map, len - 16, &fd, 1), "send");
		if (len % 2)
			pump(NULL);
		leave();
		CHECK(dev.ends == len && vfu_get_stats(vfu)->broken == len, "%u ends", dev.ends);
		join();
		CHECK(!host_version(&host, NULL, 0), "version");
	}
	CHECK(!dev.maps, "%u", dev.maps);
	close(fd);
	stop();

	/* A client that says nothing at all is none. */
	fds_before = open_fds();
	vfu = new_server(false);
	join();
	leave();
	CHECK(!dev.connects && !dev.ends && !vfu_get_stats(vfu)->broken, "%u", dev.ends);
	vfu_close(vfu);
	CHECK(open_fds() == fds_before, "%u descriptors, before %u", open_fds(), fds_before);
}

static void test_too_many_descriptors(void)
{
	struct host_header header = { .cmd = HOST_REGION_WRITE, .size = 32 + 65536 };
	struct {
		uint64_t off;
		uint32_t region, count;
	} at = { .region = BAR, .count = 65536 };
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(253 * sizeof(int))];
	} control;
	uint8_t zeroes[16] = { 0 };
	unsigned int before, i;
	int fds[253], fd;

	start();
	fd = eventfd(0, EFD_CLOEXEC);
	before = open_fds();
	for (i = 0; i < 253; i++)
		fds[i] = fd;
	/* As many as one sendmsg() takes: too many for a message, so refused. */
	CHECK(host_request(&host, HOST_RESET, NULL, 0, fds, 253, NULL, 0) == -EINVAL, "253");
	CHECK(open_fds() == before, "%u descriptors, before %u", open_fds(), before);

	/* A message that never ends, and more of them with every piece. */
	CHECK(!host_send(&host, &header, &at, 16, NULL, 0), "send");
	for (i = 0; i < 100 && vfu_has_client(vfu); i++) {
		struct iovec iov = { zeroes, sizeof(zeroes) };
		struct msghdr msg = {
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes),
		};

		memset(&control, 0, sizeof(control));
		CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(sizeof(fds));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, sizeof(fds));
		if (sendmsg(host.sock, &msg, MSG_NOSIGNAL) != sizeof(zeroes))
			break;
		pump(NULL);
	}
	CHECK(i < 5, "%u pieces of 253", i);
	check_ended("too many descriptors");
	CHECK(open_fds() == before, "%u descriptors, before %u", open_fds(), before);
	close(fd);
	stop();
}

static void test_garbage(void)
{
	static const uint8_t commands[] = { 2, 3, 4, 5, 7, 8, 9, 10, 13, 15 };
	unsigned int round, i, j, refused, answered = 0, broken = 0;
	int fds[4];

	start();
	for (i = 0; i < 4; i++)
		fds[i] = i % 2 ? eventfd(0, EFD_CLOEXEC) : memfd_create("file", MFD_CLOEXEC);
	host.timeout_ms = 50;
	for (round = 0; round < 20000; round++) {
		struct host_header header = { .id = round }, reply;
		unsigned int len = rnd() % 3 ? rnd_in(0, 64) : rnd_in(0, 600);
		uint8_t payload[600];
		ssize_t got;

		/* Small numbers, so that they get far, and some that are not. */
		for (i = 0; i < sizeof(payload); i++)
			payload[i] = rnd() % 4 ? 0 : rnd() % 8 ? rnd() % 40 : rnd();
		if (rnd() % 2 && len >= 4)
			memcpy(payload, &(uint32_t){ 32 }, 4);
		header.cmd = rnd() % 16 ? commands[rnd() % sizeof(commands)] : rnd();
		/* One of many flags, and two whose length has to be right. */
		if (header.cmd == HOST_SET_IRQS && rnd() % 2)
			payload[4] = 1 << rnd() % 3 | 8 << rnd() % 3;
		if (header.cmd == HOST_REGION_READ && rnd() % 2)
			len = 16;
		if (header.cmd == HOST_REGION_WRITE && rnd() % 2 && len >= 16)
			memcpy(payload + 12, &(uint32_t){ len - 16 }, 4);
		header.size = 16 + len;
		header.flags = rnd() % 4 ? 0 : HOST_F_NO_REPLY;
		if (rnd() % 64 == 0)
			header.size += rnd_in(0, 40) - 20;
		if (rnd() % 256 == 0)
			header.flags = rnd();
		host_send(&host, &header, payload, len, fds, rnd() % 4 ? 0 : rnd() % 5);
		pump(NULL);
		/* Whatever it answers must be well formed. */
		while (vfu_has_client(vfu) &&
		       recv(host.sock, &j, 1, MSG_PEEK | MSG_DONTWAIT) == 1) {
			got = host_receive(&host, &reply, NULL, 0);
			CHECK(got >= 0 && (reply.flags & 0xf) == HOST_F_REPLY &&
			      !(reply.flags & ~(HOST_F_REPLY | HOST_F_ERROR)) &&
			      !(reply.flags & HOST_F_ERROR) == !reply.error &&
			      (!reply.error || !got), "%zd flags %#x", got, reply.flags);
			answered++;
		}
		/* A size that was a lie leaves both sides apart: start anew. */
		if (header.size != 16 + len || !vfu_has_client(vfu)) {
			broken++;
			leave();
			join();
			host.timeout_ms = 50;
			CHECK(!host_version(&host, NULL, 0), "round %u", round);
		}
	}
	refused = vfu_get_stats(vfu)->refused;
	CHECK(answered > 5000 && broken > 100 && refused > 1000 && refused < answered - 1000,
	      "%u answered, %u broken, %u refused", answered, broken, refused);
	CHECK(dev.reads && dev.writes && dev.maps && dev.unmaps && dev.irq_sets && dev.resets,
	      "%u reads %u writes %u maps %u unmaps %u interrupts %u resets", dev.reads, dev.writes,
	      dev.maps, dev.unmaps, dev.irq_sets, dev.resets);
	for (i = 0; i < 4; i++)
		close(fds[i]);
	stop();
}

/* Bytes that were never a message. */
static void test_noise(void)
{
	unsigned int round;
	uint8_t noise[4096];
	size_t i;

	fds_before = open_fds();
	vfu = new_server(false);
	for (round = 0; round < 2000; round++) {
		join();
		for (i = 0; i < sizeof(noise); i++)
			noise[i] = rnd();
		/* Often a size that can be, so that what is in it is looked at. */
		if (round % 2)
			memcpy(noise + 4, &(uint32_t){ rnd_in(16, 100) }, 4);
		if (round % 4 == 3)
			memset(noise + 8, 0, 4);
		CHECK(send(host.sock, noise, rnd_in(1, sizeof(noise)), 0) > 0, "send");
		pump(NULL);
		leave();
	}
	CHECK(!dev.connects && !dev.reads && !dev.writes && !dev.maps, "something got through");
	CHECK(vfu_get_stats(vfu)->broken > 1900, "%llu",
	      (unsigned long long)vfu_get_stats(vfu)->broken);
	vfu_close(vfu);
	CHECK(open_fds() == fds_before, "%u descriptors, before %u", open_fds(), fds_before);
}

/* ---- sockets ---- */

static void test_listen(void)
{
	char dir[] = "/tmp/nvmq-protocol-XXXXXX", path[64], name[200];
	struct pollfd fds[VFU_NR_FDS];
	struct host second;
	struct vfu *other;
	struct stat st;
	uint32_t value;
	int fd;

	fds_before = open_fds();
	CHECK(mkdtemp(dir), "mkdtemp: %d", errno);
	snprintf(path, sizeof(path), "%s/socket", dir);
	vfu = new_server(false);
	CHECK(vfu_fds(vfu, fds) == 0 && !vfu_process(vfu), "nothing to wait for");
	CHECK(!vfu_listen(vfu, path), "listen");
	CHECK(vfu_listen(vfu, path) == -EBUSY, "twice");
	CHECK(vfu_fds(vfu, fds) == 1 && fds[0].events == POLLIN, "waits for a client");
	CHECK(vfu_process(vfu) == 0, "no client yet");

	host_init(&host, -1);
	host.pump = pump;
	CHECK(!host_connect(&host, path) && poll(fds, 1, 1000) == 1, "connect");
	CHECK(!host_version(&host, NULL, 0), "version");
	CHECK(vfu_fds(vfu, fds) == 1 && poll(fds, 1, 0) == 0, "nothing more from the client");
	CHECK(!host_post(&host, BAR, 0, path, 4) && poll(fds, 1, 1000) == 1, "a message");

	/* Nobody takes the place of a server that lives, whoever its client is. */
	other = vfu_new(&(struct vfu_shape){ 0 }, &ops, &dev);
	CHECK(vfu_listen(other, path) == -EADDRINUSE, "there is one already");
	CHECK(!host_read(&host, BAR, 0, &value, 4), "and it lives");

	/* A second client waits until the first has gone. */
	host_init(&second, -1);
	second.pump = pump;
	second.timeout_ms = 50;
	CHECK(!host_connect(&second, path), "connect");
	CHECK(host_version(&second, NULL, 0) == -ETIMEDOUT, "one at a time");
	CHECK(!host_read(&host, BAR, 0, &value, 4), "the first is served");
	host_stop(&host);
	second.timeout_ms = 2000;
	/* The reply is that of the version which it has sent already. */
	CHECK(host_receive(&second, &(struct host_header){ 0 }, NULL, 0) > 0, "its turn");
	CHECK(!host_read(&second, BAR, 0, &value, 4), "served");
	host_stop(&second);
	pump(NULL);
	CHECK(!vfu_has_client(vfu), "the second is gone");
	CHECK(dev.connects == 2 && dev.ends == 2, "%u, %u", dev.connects, dev.ends);
	vfu_close(vfu);
	CHECK(lstat(path, &st) && errno == ENOENT, "the name is gone");

	/* A name that a dead server left over. */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	CHECK(!bind(fd, (struct sockaddr *)&addr, sizeof(addr)), "bind: %d", errno);
	close(fd);
	CHECK(!vfu_listen(other, path), "a name left over");
	CHECK(!host_connect(&second, path), "connect");
	host_stop(&second);
	vfu_close(other);

	/* A file is nobody's socket. */
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	vfu = new_server(false);
	CHECK(vfu_listen(vfu, path) == -EADDRINUSE, "a file");
	CHECK(!lstat(path, &st) && S_ISREG(st.st_mode), "the file is gone");
	unlink(path);
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	CHECK(vfu_listen(vfu, name) == -ENAMETOOLONG, "a long name");
	CHECK(vfu_listen(vfu, "") == -ENAMETOOLONG, "no name");
	CHECK(vfu_listen(vfu, "/nowhere/socket") == -ENOENT, "no directory");
	vfu_close(vfu);
	rmdir(dir);
	CHECK(open_fds() == fds_before, "%u descriptors, before %u", open_fds(), fds_before);
}

static void test_adopt(void)
{
	int pair[2];

	start();
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
	CHECK(vfu_adopt(vfu, pair[1]) == -EBUSY, "two clients");
	close(pair[0]);
	stop();
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void test_orderly_end(void)
{
	uint32_t value = 1;
	struct host_header header;
	unsigned int tries;
	int64_t from, to;

	/* The client stays: what it still sends goes nowhere, but breaks nothing. */
	start();
	CHECK(!host_post(&host, BAR, 0, &value, 4), "post");
	from = now_ms();
	vfu_close(vfu);
	to = now_ms();
	CHECK(to - from >= 490 && to - from < 5000, "%lld ms", (long long)(to - from));
	CHECK(!dev.writes && dev.ends == 1, "%u writes, %u ends", dev.writes, dev.ends);
	host.pump = NULL;
	CHECK(host_receive(&host, &header, NULL, 0) == -EPIPE, "the client sees the end");
	host_stop(&host);

	/* The client goes, or was never there: no need to wait. A machine may be busy once. */
	for (tries = 0; tries < 10; tries++) {
		vfu = new_server(false);
		join();
		CHECK(!host_version(&host, NULL, 0), "version");
		host_stop(&host);
		from = now_ms();
		vfu_close(vfu);
		vfu = new_server(false);
		vfu_close(vfu);
		to = now_ms();
		if (to - from < 400)
			break;
	}
	CHECK(to - from < 400, "%lld ms", (long long)(to - from));
	vfu_close(NULL);
	CHECK(open_fds() == fds_before, "%u descriptors, before %u", open_fds(), fds_before);
}

int main(void)
{
	TAP_RUN(test_version);
	TAP_RUN(test_info);
	TAP_RUN(test_dma_map);
	TAP_RUN(test_dma_unmap);
	TAP_RUN(test_files_find_their_message);
	TAP_RUN(test_set_irqs);
	TAP_RUN(test_regions);
	TAP_RUN(test_posted_writes);
	TAP_RUN(test_write_multi);
	TAP_RUN(test_reset_and_unknown);
	TAP_RUN(test_one_byte_at_a_time);
	TAP_RUN(test_random_pieces);
	TAP_RUN(test_replies_not_read);
	TAP_RUN(test_gone_before_the_reply);
	TAP_RUN(test_broken_headers);
	TAP_RUN(test_ends_in_the_middle);
	TAP_RUN(test_too_many_descriptors);
	TAP_RUN(test_garbage);
	TAP_RUN(test_noise);
	TAP_RUN(test_listen);
	TAP_RUN(test_adopt);
	TAP_RUN(test_orderly_end);
	return tap_done();
}
