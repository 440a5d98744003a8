// SPDX-License-Identifier: GPL-2.0
/* Commands of the control socket that change the controller, as a host sees what they do. */
#include <endian.h>
#include <string.h>

#include "nvme_host.h"
#include "steer.h"
#include "tap.h"

#define GET_LOG		0x02
#define AER		0x0c
#define ASYNC_CONFIG	0x0b
#define LOG_SMART	0x02
#define LOG_ANA		0x0c

static struct nvme_host n;
static uint64_t page;
static uint8_t *bytes;

/* As the socket would; the answer, or "error: " and what is wrong. */
static const char *say(const char *line)
{
	static char answer[600];
	char args[100], error[256] = "", *text;
	const struct control_command *command;
	size_t name = strcspn(line, " "), size;
	FILE *out = open_memstream(&text, &size);
	int err = 1;

	snprintf(args, sizeof(args), "%s", line[name] ? line + name + 1 : "");
	for (command = steer_commands; command->name; command++)
		if (strlen(command->name) == name && !strncmp(command->name, line, name))
			err = command->fn(n.device, args, out, error, sizeof(error));
	fclose(out);
	snprintf(answer, sizeof(answer), "%s%s", err ? "error: " : text, error);
	free(text);
	nvme_run(&n);
	return answer;
}

#define SAYS(line, answer)							\
	do {									\
		const char *said = say(line);					\
										\
		CHECK(!strcmp(said, answer), "%s: %s", line, said);		\
	} while (0)

static void begin(const char *options)
{
	nvme_start(&n, options);
	CHECK(nvme_up(&n), "nvme_up");
	page = nvme_alloc(&n, NVME_PAGE);
	bytes = nvme_at(&n, page);
}

static void end(void)
{
	fflush(n.out);
	CHECK(!nvme_violations(&n), "%s", n.log);
	nvme_stop(&n);
}

static unsigned int run(uint8_t opcode, uint64_t lba)
{
	struct nvmq_sqe sqe = nvme_rw_sqe(opcode, lba, 8, page, 0);
	struct nvmq_sqe flush = { .opcode = NVMQ_IO_FLUSH, .nsid = htole32(1) };

	return nvme_do(&n.queue[1], opcode == NVMQ_IO_FLUSH ? &flush : &sqe, NULL);
}

static void get_log(uint8_t log)
{
	struct nvmq_sqe sqe = {
		.opcode = GET_LOG, .nsid = htole32(0xffffffff), .prp1 = htole64(page),
		.cdw10 = htole32((512 / 4 - 1) << 16 | log),
	};

	CHECK(!nvme_admin(&n, &sqe), "Get Log Page");
}

/* Events of these kinds are wanted (base figure 331), and one is asked for. */
static void want_event(uint32_t kinds)
{
	struct nvmq_sqe config = {
		.opcode = NVMQ_ADMIN_SET_FEATURES, .cdw10 = htole32(ASYNC_CONFIG),
		.cdw11 = htole32(kinds),
	};
	struct nvmq_sqe sqe = { .opcode = AER };

	CHECK(!nvme_admin(&n, &config), "events");
	nvme_push(&n.queue[0], &sqe);
	nvme_ring(&n.queue[0]);
	CHECK(!nvme_pop(&n.queue[0], NULL, 2), "an event without a reason");
}

/* The event that came, or all ones. */
static uint32_t event(void)
{
	struct nvmq_cqe cqe;

	return nvme_pop(&n.queue[0], &cqe, 2000) ? le32toh(cqe.dw0) : 0xffffffff;
}

static void test_power_cut(void)
{
	unsigned int unsafe;

	begin("vwc=7");
	memset(bytes, 1, NVME_PAGE);
	CHECK(!run(NVMQ_IO_WRITE, 0) && !run(NVMQ_IO_FLUSH, 0), "flushed");
	memset(bytes, 2, NVME_PAGE);
	CHECK(!run(NVMQ_IO_WRITE, 0) && !run(NVMQ_IO_WRITE, 8), "not flushed");
	get_log(LOG_SMART);
	/* Unsafe Shutdowns, base figure 207. */
	unsafe = bytes[144];
	SAYS("power-cut", "lost 16\n");
	CHECK(!nvme_read32(&n, NVMQ_REG_CC) && !nvme_read32(&n, NVMQ_REG_CSTS), "as after a reset");
	CHECK(nvme_up(&n), "up again");
	CHECK(!run(NVMQ_IO_READ, 0) && bytes[0] == 1 && bytes[4095] == 1, "%u", bytes[0]);
	CHECK(!run(NVMQ_IO_READ, 8) && bytes[0] == 0 && bytes[4095] == 0, "%u", bytes[0]);
	get_log(LOG_SMART);
	CHECK(bytes[144] == unsafe + 1, "%u unsafe shutdowns, was %u", bytes[144], unsafe);
	/* After an orderly shutdown nothing is lost, and it is no unsafe one. */
	memset(bytes, 3, NVME_PAGE);
	CHECK(!run(NVMQ_IO_WRITE, 0), "not flushed");
	nvme_write32(&n, NVMQ_REG_CC, n.cc | NVMQ_CC_EN | NVMQ_CC_SHN_NORMAL);
	CHECK(nvme_wait_csts(&n, NVMQ_CSTS_SHST_MASK, NVMQ_CSTS_SHST_DONE), "shutdown");
	SAYS("power-cut 5", "lost 0\n");
	CHECK(nvme_up(&n) && !run(NVMQ_IO_READ, 0) && bytes[0] == 3, "%u", bytes[0]);
	get_log(LOG_SMART);
	CHECK(bytes[144] == unsafe + 1, "%u unsafe shutdowns, was %u", bytes[144], unsafe);
	end();
}

static void test_health(void)
{
	uint32_t dw0;

	begin(NULL);
	/* Temperature, and the spare below its threshold (bit 0). */
	want_event(0x3);
	SAYS("temperature 400", "");
	dw0 = event();
	CHECK(dw0 == (1 | 1 << 8 | LOG_SMART << 16), "event 0x%x", dw0);
	get_log(LOG_SMART);
	CHECK((bytes[1] | bytes[2] << 8) == 400 && bytes[0] & 2, "%u kelvin, warning 0x%x",
	      bytes[1] | bytes[2] << 8, bytes[0]);
	SAYS("temperature 300", "");
	want_event(0x3);
	SAYS("warning 1", "");
	dw0 = event();
	CHECK((dw0 & 7) == 1 && dw0 >> 16 == LOG_SMART, "event 0x%x", dw0);
	get_log(LOG_SMART);
	CHECK(bytes[0] == 1 && (bytes[1] | bytes[2] << 8) == 300, "warning 0x%x", bytes[0]);
	SAYS("temperature 65536", "error: expected at most 65535 kelvin");
	SAYS("temperature", "error: expected a number, found the end of the line");
	SAYS("temperature hot", "error: expected a number, found 'hot'");
	SAYS("temperature 3 4", "error: expected nothing more, found '4'");
	SAYS("warning 256", "error: expected at most 0xff");
	end();
}

static void test_ana(void)
{
	uint32_t dw0;

	begin("ana");
	want_event(1 << 11);
	SAYS("ana 1 3", "");
	dw0 = event();
	CHECK(dw0 == (2 | 3 << 8 | LOG_ANA << 16), "event 0x%x", dw0);
	get_log(LOG_ANA);
	/* State of the first group's descriptor, base figure 219. */
	CHECK((bytes[16 + 16] & 0xf) == 3, "state %u", bytes[16 + 16] & 0xf);
	SAYS("ana 1 7", "error: there is no such group or state, or no ANA");
	SAYS("ana 4294967297 1", "error: there is no such group or state, or no ANA");
	SAYS("ana 1", "error: expected a number, found the end of the line");
	end();
	begin(NULL);
	SAYS("ana 1 3", "error: there is no such group or state, or no ANA");
	end();
}

static void test_reserve(void)
{
	begin("reservations");
	CHECK(!run(NVMQ_IO_WRITE, 0) && !run(NVMQ_IO_READ, 0), "before");
	/* Write Exclusive: whoever else may read. */
	SAYS("reserve 1 1 0x77", "");
	CHECK(run(NVMQ_IO_WRITE, 0) == NVMQ_SC_RESERVATION_CONFLICT, "write");
	CHECK(!run(NVMQ_IO_READ, 0), "read");
	SAYS("reserve 1 2", "");
	CHECK(run(NVMQ_IO_READ, 0) == NVMQ_SC_RESERVATION_CONFLICT, "read");
	SAYS("reserve 1 0", "");
	CHECK(!run(NVMQ_IO_WRITE, 0) && !run(NVMQ_IO_READ, 0), "after");
	SAYS("reserve 9 1", "error: there is no namespace 9");
	SAYS("reserve 1 9", "error: expected a type of 0 to 6 and a key that is not 0");
	SAYS("reserve 1 1 0", "error: expected a type of 0 to 6 and a key that is not 0");
	SAYS("reserve 1 256", "error: expected a smaller number");
	end();
	begin(NULL);
	SAYS("reserve 1 1", "error: there are no reservations: -d reservations");
	end();
}

static void test_leaks(void)
{
	begin(NULL);
	/* All that is mapped is the RAM of the guest: 64 MiB. */
	SAYS("leaks", "leaks 0\n");
	CHECK(!nvme_violations(&n), "violations");
	CHECK(!host_dma_map(&n.host, 0x10000000, 8192, 3, 0), "map");
	SAYS("leaks", "leaks 1\n");
	SAYS("leaks 4096", "leaks 0\n");
	CHECK(judge_count(n.device->judge, RULE_MAP_LEAKED) == 1, "violations");
	judge_clear(n.device->judge);
	CHECK(!host_dma_unmap(&n.host, 0x10000000, 8192), "unmap");
	SAYS("leaks", "leaks 0\n");
	end();
}

int main(void)
{
	TAP_RUN(test_power_cut);
	TAP_RUN(test_health);
	TAP_RUN(test_ana);
	TAP_RUN(test_reserve);
	TAP_RUN(test_leaks);
	return tap_done();
}
