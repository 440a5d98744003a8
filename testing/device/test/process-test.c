// SPDX-License-Identifier: GPL-2.0
/*
 * The program itself, as a process of its own, with a host that does what QEMU 11.1 does when a
 * machine starts: no other test runs main(), its signals and its poll loop.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include <nvmq/spec.h>

#include "tap.h"
#include "host.h"

#define PAGE	4096
#define SQ	0
#define CQ	PAGE
#define DATA	(2 * PAGE)
#define ENTRIES	16

static struct host host;
static uint32_t tail, head, phase;

static int start(char *option)
{
	char *argv[8] = {
		getenv("NVMQ_DEVICE"), "--socket", "@", "--log", "/dev/null", "-d",
		option ? option : "size=1M", NULL
	};

	host_init(&host, -1);
	CHECK(argv[0], "NVMQ_DEVICE does not name the program");
	return argv[0] ? host_start(&host, argv) : -ENOENT;
}

static uint32_t read32(uint64_t off)
{
	uint32_t value = 0;

	CHECK(!host_read(&host, VFIO_PCI_BAR0_REGION_INDEX, off, &value, sizeof(value)),
	      "register %#x", (unsigned int)off);
	return le32toh(value);
}

static void write32(uint64_t off, uint32_t value)
{
	value = htole32(value);
	CHECK(!host_post(&host, VFIO_PCI_BAR0_REGION_INDEX, off, &value, sizeof(value)),
	      "register %#x", (unsigned int)off);
}

/* What QEMU asks before the guest runs, and what it cannot do without. */
static void begin_as_qemu(void)
{
	struct {
		uint32_t argsz, flags, regions, irqs;
	} info = { .argsz = sizeof(info) };
	struct {
		uint32_t argsz, flags, index, cap_offset;
		uint64_t size, offset;
	} region = { .argsz = sizeof(region) };
	struct {
		uint32_t argsz, flags, index, count;
	} irq = { .argsz = sizeof(irq) };
	uint8_t config[PCI_CFG_SPACE_EXP_SIZE];
	unsigned int i, msix;

	CHECK(!host_version(&host, NULL, 0), "version");
	CHECK(!host_memory(&host, 1 << 20), "memory");
	CHECK(!host_dma_map(&host, 0, 1 << 20, 3, 0), "map");
	CHECK(host_request(&host, HOST_GET_INFO, &info, sizeof(info), NULL, 0, &info,
			   sizeof(info)) == sizeof(info), "info");
	CHECK((info.flags & VFIO_DEVICE_FLAGS_PCI) && (info.flags & VFIO_DEVICE_FLAGS_RESET) &&
	      info.regions > VFIO_PCI_CONFIG_REGION_INDEX && info.irqs > VFIO_PCI_MSIX_IRQ_INDEX,
	      "flags %#x, %u regions, %u irqs", info.flags, info.regions, info.irqs);
	CHECK(!host_read(&host, VFIO_PCI_CONFIG_REGION_INDEX, 0, config, sizeof(config)), "config");
	for (i = 0; i <= VFIO_PCI_CONFIG_REGION_INDEX; i++) {
		uint32_t bar = 0;

		region.index = i;
		CHECK(host_request(&host, HOST_GET_REGION_INFO, &region, sizeof(region), NULL, 0,
				   &region, sizeof(region)) == sizeof(region), "region %u", i);
		if (i == VFIO_PCI_CONFIG_REGION_INDEX)
			CHECK(region.size == sizeof(config), "config space");
		if (i > VFIO_PCI_BAR5_REGION_INDEX || !region.size)
			continue;
		memcpy(&bar, config + PCI_BASE_ADDRESS_0 + 4 * i, sizeof(bar));
		CHECK(!(region.size & (region.size - 1)), "BAR %u", i);
		CHECK((le32toh(bar) & 15) == PCI_BASE_ADDRESS_MEM_TYPE_64, "BAR %u: %#x", i, bar);
	}
	msix = host_find_cap(&host, PCI_CAP_ID_MSIX);
	irq.index = VFIO_PCI_MSIX_IRQ_INDEX;
	CHECK(host_request(&host, HOST_GET_IRQ_INFO, &irq, sizeof(irq), NULL, 0, &irq,
			   sizeof(irq)) == sizeof(irq), "irq");
	CHECK(msix && irq.count == (host_config(&host, msix + PCI_MSIX_FLAGS, 2) &
				    PCI_MSIX_FLAGS_QSIZE) + 1, "%u vectors", irq.count);
	CHECK(host_find_cap(&host, PCI_CAP_ID_EXP) && host_find_cap(&host, PCI_CAP_ID_PM),
	      "capabilities");

	/* The machine is reset before it starts. */
	CHECK(!host_irqs(&host, VFIO_PCI_INTX_IRQ_INDEX, 1), "INTx");
	CHECK(!host_irqs(&host, VFIO_PCI_INTX_IRQ_INDEX, 0), "INTx off");
	CHECK(!host_reset(&host), "reset");

	/* A guest. */
	CHECK(!host_config_set(&host, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
			       PCI_COMMAND_INTX_DISABLE), "Command");
	CHECK(!host_config_set(&host, msix + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE), "MSI-X");
	CHECK(!host_irqs(&host, VFIO_PCI_MSIX_IRQ_INDEX, 2), "vectors");
}

static void enable(void)
{
	unsigned int tries;

	memset(host.memory, 0, DATA);
	tail = 0;
	head = 0;
	phase = 1;
	write32(NVMQ_REG_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	write32(NVMQ_REG_ASQ, SQ);
	write32(NVMQ_REG_ASQ + 4, 0);
	write32(NVMQ_REG_ACQ, CQ);
	write32(NVMQ_REG_ACQ + 4, 0);
	write32(NVMQ_REG_CC, 0x00460001);
	for (tries = 0; !(read32(NVMQ_REG_CSTS) & 1) && tries < 1000; tries++)
		usleep(1000);
	CHECK(read32(NVMQ_REG_CSTS) == 1, "CSTS %#x", read32(NVMQ_REG_CSTS));
}

/* Identify Controller, waiting for the interrupt as a guest does. Returns the status. */
static unsigned int identify(void)
{
	struct nvmq_sqe sqe = {
		.opcode = 6, .cid = htole16(tail + 100), .prp1 = htole64(DATA), .cdw10 = htole32(1)
	};
	struct nvmq_cqe cqe;

	memcpy(host.memory + SQ + tail * sizeof(sqe), &sqe, sizeof(sqe));
	tail = (tail + 1) % ENTRIES;
	write32(NVMQ_REG_DOORBELLS, tail);
	CHECK(host_irq_wait(&host, 0, 10000) == 1, "no interrupt");
	memcpy(&cqe, host.memory + CQ + head * sizeof(cqe), sizeof(cqe));
	CHECK((le16toh(cqe.status) & 1) == phase && cqe.cid == sqe.cid, "no completion");
	head = (head + 1) % ENTRIES;
	phase ^= !head;
	write32(NVMQ_REG_DOORBELLS + 4, head);
	return le16toh(cqe.status) >> 1;
}

static void test_machine_starts(void)
{
	unsigned int i;
	int status;

	CHECK(!start(NULL), "the program does not start");
	begin_as_qemu();
	enable();
	for (i = 0; i < 100; i++) {
		memset(host.memory + DATA, 0, PAGE);
		CHECK(identify() == 0, "command %u", i);
		CHECK(host.memory[DATA + 516] > 0, "number of namespaces");
	}
	/* The machine is reset and starts again. */
	CHECK(!host_irqs(&host, VFIO_PCI_MSIX_IRQ_INDEX, 0), "MSI-X off");
	CHECK(!host_reset(&host), "reset");
	CHECK(!host_config(&host, PCI_COMMAND, 2), "Command");
	CHECK(!host_config_set(&host, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER),
	      "Command");
	CHECK(!(read32(NVMQ_REG_CSTS) & 1) && !(read32(NVMQ_REG_CC) & 1), "still enabled");
	CHECK(!host_config_set(&host, host_find_cap(&host, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS, 2,
			       PCI_MSIX_FLAGS_ENABLE), "MSI-X");
	CHECK(!host_irqs(&host, VFIO_PCI_MSIX_IRQ_INDEX, 2), "vectors");
	enable();
	CHECK(identify() == 0, "after the reset");
	status = host_stop(&host);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
}

/* QEMU ends in the middle of anything; the next one finds the device as new. */
static void test_machines_come_and_go(void)
{
	char dir[] = "/tmp/nvmq-process-XXXXXX", path[64];
	char *argv[8] = {
		getenv("NVMQ_DEVICE"), "--socket", path, "--log", "/dev/null", "-d", "size=1M", NULL
	};
	unsigned int i, tries;
	int status = 0;
	pid_t pid;

	CHECK(argv[0] && mkdtemp(dir), "mkdtemp");
	snprintf(path, sizeof(path), "%s/socket", dir);
	pid = fork();
	if (!pid) {
		execv(argv[0], argv);
		_exit(127);
	}
	for (i = 0; i < 20; i++) {
		host_init(&host, -1);
		for (tries = 0; host_connect(&host, path) && tries < 10000; tries++)
			usleep(1000);
		CHECK(host.sock >= 0, "machine %u cannot connect", i);
		if (host.sock < 0)
			break;
		begin_as_qemu();
		CHECK(!(read32(NVMQ_REG_CSTS) & 1), "machine %u finds it enabled", i);
		enable();
		CHECK(identify() == 0, "machine %u", i);
		/* A doorbell that nobody waits for, then nothing more. */
		write32(NVMQ_REG_DOORBELLS, (tail + 3) % ENTRIES);
		host_stop(&host);
	}
	CHECK(pid > 0 && !kill(pid, SIGTERM), "kill: %d", errno);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status),
	      "status %#x", status);
	CHECK(access(path, F_OK) && !rmdir(dir), "the socket is left: %d", errno);
}

static void test_exit_status(void)
{
	int status;

	CHECK(start("no-such-key=1") == -ECHILD, "a wrong option");

	/* With judge=fail a violation shows; here a doorbell of a queue that there is not. */
	CHECK(!start("size=1M,judge=fail"), "start");
	begin_as_qemu();
	enable();
	CHECK(identify() == 0, "identify");
	status = host_stop(&host);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "no violation: %#x", status);

	CHECK(!start("size=1M,judge=fail"), "start");
	begin_as_qemu();
	enable();
	write32(NVMQ_REG_DOORBELLS + 8 * 5, 1);
	CHECK(identify() == 0, "it lives on");
	status = host_stop(&host);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1, "a violation: %#x", status);

	CHECK(!start("size=1M,judge=warn"), "start");
	begin_as_qemu();
	enable();
	write32(NVMQ_REG_DOORBELLS + 8 * 5, 1);
	CHECK(identify() == 0, "it lives on");
	status = host_stop(&host);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "only warned of: %#x", status);
}

int main(void)
{
	TAP_RUN(test_machine_starts);
	TAP_RUN(test_machines_come_and_go);
	TAP_RUN(test_exit_status);
	return tap_done();
}
