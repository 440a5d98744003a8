// SPDX-License-Identifier: GPL-2.0
/*
 * The shrinker, on hosts that are a line of shell each, and on one with a device.  This program
 * is also what reads the scripts for it: "shrink-test --print-lies FILE", and that last host:
 * "shrink-test --host FILE".
 */
#include <endian.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nvme_host.h"
#include "tap.h"

static char self[512], place[] = "/tmp/shrink-test.XXXXXX", file[80];
static char out[4096];

/* What shrink makes of a script: returns its exit status, and has in @out what it prints. */
static int run_shrink(const char *lines, const char *options, const char *host)
{
	FILE *script = fopen(file, "w"), *pipe;
	char command[2048];
	size_t len;
	int status;

	fputs(lines, script);
	fclose(script);
	snprintf(command, sizeof(command),
		 "./shrink -e '%s --print-lies' %s %s %s 2>%s.log", self, options, file, host,
		 file);
	pipe = popen(command, "r");
	if (!pipe) {
		CHECK(false, "popen");
		return -1;
	}
	len = fread(out, 1, sizeof(out) - 1, pipe);
	out[len] = 0;
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool log_has(const char *what)
{
	char name[100], text[4096];
	FILE *in;

	snprintf(name, sizeof(name), "%s.log", file);
	in = fopen(name, "r");
	text[in ? fread(text, 1, sizeof(text) - 1, in) : 0] = 0;
	if (in)
		fclose(in);
	return strstr(text, what);
}

static unsigned int count(const char *text, char what)
{
	unsigned int n = 0;

	while (*text)
		n += *text++ == what;
	return n;
}

#define LINES								\
	"# five lies\n"							\
	"when write nth 3 then delay 5ms\n"				\
	"when read queue 1 probability 5% seed 3 then drop\n"		\
	"when flush then status internal\n\n"				\
	"when after 5s seed 2 then gone\n"				\
	"when io every 7 then reorder\n"

static void test_lines(void)
{
	/* One lie is to blame; "read" is needed, the other conditions are not. */
	CHECK(!run_shrink(LINES, "", "sh -c '! grep -q \"read.*drop\" {}'") &&
	      !strcmp(out, "when read then drop\n"), "%s", out);
	/* Two together.  A gone without a time is no line: "after" stays, "seed" goes. */
	CHECK(!run_shrink(LINES, "", "sh -c '! (grep -q drop {} && grep -q gone {})'") &&
	      !strcmp(out, "when always then drop\nwhen after 5s then gone\n"), "%s", out);
	/* Any two. */
	CHECK(!run_shrink(LINES, "", "sh -c 'test $(wc -l <{}) -lt 2'"), "%s", out);
	CHECK(count(out, '\n') == 2, "%s", out);
	/* All of them; the name is the last argument, and in the environment. */
	CHECK(!run_shrink(LINES, "", "sh -c 'test $(wc -l <$0) -lt 5 || test $0 != $NVMQ_SCRIPT'"),
	      "%s", out);
	CHECK(count(out, '\n') == 5 && !strstr(out, "write") && strstr(out, "delay 5ms\n") &&
	      strstr(out, "reorder\n"), "%s", out);
}

static void test_seed(void)
{
	CHECK(!run_shrink("lies by seed 12 count 40\n", "", "sh -c '! grep -q drop {}'"),
	      "%s", out);
	CHECK(!strncmp(out, "when ", 5) && strstr(out, " then drop") &&
	      strchr(out, '\n') == out + strlen(out) - 1, "%s", out);
}

/* Hosts that hang, and hosts that break now and then. */
static void test_time(void)
{
	char host[400];

	CHECK(!run_shrink("when read then drop\nwhen io then twice\n", "-t 0.5",
			  "sh -c '! grep -q drop {} || sleep 100'") &&
	      !strcmp(out, "when always then drop\n"), "%s", out);
	/* Every third run breaks, if there is a drop. */
	snprintf(host, sizeof(host),
		 "sh -c 'grep -q drop {} || exit 0; echo >>%s.n; test $(($(wc -l <%s.n) %% 3)) != 0'",
		 file, file);
	CHECK(!run_shrink("when read then drop\nwhen io then twice\n", "-n 3", host) &&
	      !strcmp(out, "when always then drop\n"), "%s", out);
	snprintf(host, sizeof(host), "%s.n", file);
	unlink(host);
}

static void test_refused(void)
{
	CHECK(run_shrink(LINES, "", "true") == 2 && !*out &&
	      log_has("does not break it"), "a host that does not break");
	CHECK(run_shrink(LINES, "", "sh -c 'exit 125'") == 2 && !*out &&
	      log_has("does not break it"), "a host that cannot tell");
	CHECK(run_shrink(LINES, "", "false") == 2 && !*out &&
	      log_has("breaks without any lies"), "a host that always breaks");
	CHECK(run_shrink("when raed then drop\n", "", "false") == 2 && !*out &&
	      log_has(":1:6: expected a condition"), "a wrong line");
	CHECK(run_shrink(LINES, "", "/nonexistent") == 2 && !*out &&
	      log_has("No such file"), "no host");
	CHECK(run_shrink(LINES, "", "") == 2 && !*out, "no command");
	CHECK(run_shrink("lies by seed 3\n", "-e ''", "false") == 2 &&
	      log_has("needs --expand"), "lies by seed without a reader");
	CHECK(!run_shrink(LINES, "-e ''", "sh -c '! grep -q drop {}'") &&
	      !strcmp(out, "when read queue 1 probability 5% seed 3 then drop\n"),
	      "whole lines only: %s", out);
}

/* A device that tells random lies, and a host that bears no wrong data. */
static void test_device(void)
{
	char host[600];

	snprintf(host, sizeof(host), "%s --host {}", self);
	CHECK(!run_shrink("lies by seed 4 count 10\n"
			  "when read lba 100..200 nth 3 then wrong-data\n"
			  "lies by seed 5 mild\n", "", host), "shrink");
	CHECK(!strcmp(out, "when always then wrong-data\n"), "%s", out);
}

/* Writes and reads a few blocks again and again; returns 1 if what is read is not what it wrote. */
static int be_host(const char *name)
{
	static struct nvme_host n;
	char error[256];
	uint64_t page;
	uint32_t i, *data;
	int differ = 0;

	nvme_start(&n, "irq-ms=0");
	if (script_load(n.device->script, name, error, sizeof(error)) || !nvme_up(&n)) {
		nvme_stop(&n);
		return 0;
	}
	page = nvme_alloc(&n, NVME_PAGE);
	data = nvme_at(&n, page);
	for (i = 0; i < 40; i++) {
		struct nvmq_sqe write = nvme_rw_sqe(NVMQ_IO_WRITE, 100 + 8 * (i % 10), 8, page, 0);
		struct nvmq_sqe read = nvme_rw_sqe(NVMQ_IO_READ, 100 + 8 * (i % 10), 8, page, 0);
		struct nvmq_cqe cqe;
		unsigned int j;

		for (j = 0; j < NVME_PAGE / 4; j++)
			data[j] = i << 16 | j;
		nvme_push(&n.queue[1], &write);
		nvme_ring(&n.queue[1]);
		if (!nvme_pop(&n.queue[1], &cqe, 2000) || le16toh(cqe.status) >> 1)
			break;
		memset(data, 0, NVME_PAGE);
		nvme_push(&n.queue[1], &read);
		nvme_ring(&n.queue[1]);
		if (!nvme_pop(&n.queue[1], &cqe, 2000) || le16toh(cqe.status) >> 1)
			break;
		for (j = 0; j < NVME_PAGE / 4; j++)
			differ |= data[j] != (i << 16 | j);
	}
	nvme_stop(&n);
	return differ;
}

static int print_lies(const char *name)
{
	struct script *script = script_new();
	char error[256];
	int err = script_load(script, name, error, sizeof(error));

	if (err)
		fprintf(stderr, "%s\n", error);
	else
		script_print(script, stdout, false);
	script_free(script);
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	char command[100];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc == 3 && !strcmp(argv[1], "--print-lies"))
		return print_lies(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "--host"))
		return be_host(argv[2]);
	if (len < 0 || !mkdtemp(place))
		return 1;
	snprintf(file, sizeof(file), "%s/lies", place);
	TAP_RUN(test_lines);
	TAP_RUN(test_seed);
	TAP_RUN(test_time);
	TAP_RUN(test_refused);
	TAP_RUN(test_device);
	snprintf(command, sizeof(command), "rm -r %s", place);
	return system(command) | tap_done();
}
