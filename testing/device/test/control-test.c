// SPDX-License-Identifier: GPL-2.0
/* The control socket: every command, and clients that do not know how to behave. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "tap.h"

static char path[64], trace_file[80];
static struct script *script;
static struct clock *a_clock;
static struct judge *judge;
static FILE *judge_log;
static struct control *control;
static unsigned int cleared;
static bool running;

static void stats(void *ctx, FILE *out)
{
	CHECK(ctx == &cleared, "ctx");
	fputs("commands 7\n", out);
}

static void clear_stats(void *ctx)
{
	++*(unsigned int *)ctx;
}

static int do_echo(void *ctx, char *args, FILE *out, char *error, size_t size)
{
	CHECK(ctx == &cleared, "ctx");
	if (!*args) {
		snprintf(error, size, "nothing to say");
		return -EINVAL;
	}
	fprintf(out, "%s\n%s", args, args);
	return 0;
}

static const struct control_command commands[] = {
	{ "echo", " TEXT", "says it twice", do_echo },
	{ NULL, NULL, NULL, NULL },
};

static const struct control_ops ops = {
	.stats = stats, .clear_stats = clear_stats, .commands = commands,
};

static void start(void)
{
	int err;

	judge_log = fopen("/dev/null", "w");
	script = script_new();
	a_clock = clock_new();
	judge = judge_new(JUDGE_WARN, judge_log);
	err = control_listen(path, script, a_clock, judge, &ops, &cleared, &control);
	if (err || !script || !a_clock || !judge) {
		CHECK(false, "control_listen: %s", strerror(-err));
		exit(1);
	}
	running = true;
}

static void stop(void)
{
	control_close(control);
	judge_free(judge);
	clock_free(a_clock);
	script_free(script);
	fclose(judge_log);
	CHECK(access(path, F_OK), "the socket stays");
}

static int join(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		CHECK(false, "connect: %s", strerror(errno));
		exit(1);
	}
	return fd;
}

/* As the device's loop does it: only what poll() says. */
static bool turn(int timeout)
{
	struct pollfd fds[CONTROL_FDS];
	unsigned int nr = control_fds(control, fds);

	CHECK(nr >= 1 && nr <= CONTROL_FDS, "%u fds", nr);
	if (poll(fds, nr, timeout) <= 0)
		return false;
	running = control_process(control);
	return true;
}

/* Say @len bytes and collect what is answered until nothing more comes. */
static char *talk_bytes(int fd, const char *text, size_t len)
{
	static char answer[1 << 22];
	size_t said = 0, got = 0;
	unsigned int idle = 0;

	while (idle < 3) {
		ssize_t n = said < len ? send(fd, text + said, len - said, MSG_NOSIGNAL) : 0;
		bool some = n > 0;

		if (n > 0)
			said += n;
		if (running)
			some |= turn(0);
		n = recv(fd, answer + got, sizeof(answer) - 1 - got, 0);
		if (n > 0)
			got += n;
		idle = some || n > 0 ? 0 : idle + 1;
	}
	answer[got] = 0;
	return answer;
}

static char *talk(int fd, const char *text)
{
	return talk_bytes(fd, text, strlen(text));
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

#define SAYS(fd, text, answer)							\
	do {									\
		char *said = talk(fd, text);					\
										\
		CHECK(!strcmp(said, answer), "%s: %s", text, said);		\
	} while (0)

static void test_commands(void)
{
	char line[200], *answer;
	struct lie_hits hits;
	struct stat st;
	int fd;

	start();
	fd = join();
	answer = talk(fd, "help\n");
	CHECK(count(answer, "\n") == 20 && !strncmp(answer, " help: ", 7) &&
	      !strcmp(answer + strlen(answer) - 4, "\nok\n"), "%s", answer);
	SAYS(fd, "help me\n", "error: expected nothing more, found 'me'\n");
	SAYS(fd, "lies\n", "ok\n");
	SAYS(fd, "lie when read nth 5 then drop\n", " added 1\nok\n");
	SAYS(fd, "  LIE\twhen io then delay 5ms  \r\n", " added 1\nok\n");
	SAYS(fd, "lie when raed then drop\n",
	     "error: lie:1:6: expected a condition or 'then', found 'raed'\n");
	SAYS(fd, "lie lies by seed 5 count 3\n", " added 3\nok\n");
	answer = talk(fd, "lies\n");
	CHECK(count(answer, "\n") == 6 &&
	      !strncmp(answer, " when read nth 5 then drop  # 1: met 0, told 0\n"
			       " when io then delay 5ms  # 2: met 0, told 0\n", 91), "%s", answer);
	SAYS(fd, "unlie 2\n", "ok\n");
	SAYS(fd, "unlie 2\n", "error: there is no line 2\n");
	SAYS(fd, "unlie 0\n", "error: expected all, or a line's number as in 'lies'\n");
	SAYS(fd, "unlie\n", "error: expected all, or a line's number as in 'lies'\n");
	CHECK(script_nr(script) == 4, "%u lines", script_nr(script));
	SAYS(fd, "unlie all\n", "ok\n");
	CHECK(!script_nr(script), "%u lines", script_nr(script));

	SAYS(fd, "now gone back after 1s\n", "ok\n");
	script_time(script, clock_now(), &hits);
	CHECK(hits.kinds == LIE_BIT(LIE_GONE) && hits.lie[0].ns == 1000000000, "now");
	SAYS(fd, "now drop\n",
	     "error: lie:1:15: expected an action that goes with these conditions, found 'drop'\n");
	SAYS(fd, "event\nevent 3 type 2\nevent type 2\n", "ok\nok\nok\n");
	script_time(script, clock_now(), &hits);
	CHECK(hits.kinds == LIE_BIT(LIE_EVENT_FLOOD) && hits.nr == 3 && hits.lie[0].count == 1 &&
	      hits.lie[1].count == 3 && hits.lie[1].type == 2 && hits.lie[2].count == 1 &&
	      hits.lie[2].type == 2, "event");
	SAYS(fd, "namespace 2 new 100\nnamespace 2 resized 50\nnamespace 2 gone\n", "ok\nok\nok\n");
	script_time(script, clock_now(), &hits);
	CHECK(hits.nr == 3 && hits.lie[0].kind == LIE_NS_NEW &&
	      hits.lie[1].kind == LIE_NS_RESIZED && hits.lie[2].kind == LIE_NS_GONE &&
	      hits.lie[2].nsid == 2, "namespace");
	SAYS(fd, "namespace 0\n",
	     "error: lie:1:25: expected a namespace, 1 to 4294967294, found '0'\n");

	SAYS(fd, "clock\n", " off\nok\n");
	SAYS(fd, "clock constant 80us, tail 99% 1ms\n", "ok\n");
	SAYS(fd, "clock\n", " off, constant 80us, tail 99% 1ms\nok\n");
	SAYS(fd, "clock faster\n",
	     "error: clock:1:1: expected constant, rate, queue, tail, seed or off\n");
	CHECK(a_clock->modelled, "no model");
	SAYS(fd, "clock off\n", "ok\n");
	CHECK(!a_clock->modelled, "still a model");

	snprintf(line, sizeof(line), "trace on %s\n", trace_file);
	SAYS(fd, line, "ok\n");
	CHECK(a_clock->tracing, "no trace");
	SAYS(fd, "trace flush\n", "ok\n");
	CHECK(!stat(trace_file, &st) && st.st_size > 20, "flush");
	SAYS(fd, "trace off\n", "ok\n");
	CHECK(!a_clock->tracing, "still a trace");
	SAYS(fd, "trace on\n", "error: expected on FILE, off or flush\n");
	SAYS(fd, "trace on /nonexistent/file\n", "error: No such file or directory\n");
	SAYS(fd, "script /nonexistent/file\n",
	     "error: /nonexistent/file: No such file or directory\n");
	SAYS(fd, "script\n", "error: expected a file\n");
	snprintf(line, sizeof(line), "script %s\n", trace_file);
	SAYS(fd, line, " added 0\nok\n");

	SAYS(fd, "stats\n", " commands 7\n violations 0\n lie-gone 1\n lie-namespace-gone 1\n"
	     " lie-namespace-new 1\n lie-namespace-resized 1\n lie-event-flood 3\nok\n");
	SAYS(fd, "rewind\n", "ok\n");
	SAYS(fd, "stats\n", " commands 7\n violations 0\nok\n");
	SAYS(fd, "violations\n", "ok\n");
	judge_violation(judge, 0, -1, "%s", "seen");
	judge_violation(judge, 0, -1, "%s", "seen again");
	answer = talk(fd, "violations\n");
	snprintf(line, sizeof(line), " %s 2 (", judge_rule(0)->id);
	CHECK(!strncmp(answer, line, strlen(line)) && strstr(answer, judge_rule(0)->sentence) &&
	      count(answer, "\n") == 2, "%s", answer);
	SAYS(fd, "clear\n", "ok\n");
	SAYS(fd, "violations\n", "ok\n");
	CHECK(cleared == 1, "clear_stats: %u", cleared);
	CHECK(strstr(talk(fd, "help\n"), "\n echo TEXT: says it twice\nok\n"), "help of echo");
	SAYS(fd, "echo ok\t\n", " ok\n ok\nok\n");
	SAYS(fd, "Echo\n", "error: nothing to say\n");
	SAYS(fd, "disarm\n", "ok\n");
	CHECK(!judge_armed(judge), "armed");
	SAYS(fd, "arm\n", "ok\n");
	CHECK(judge_armed(judge), "not armed");
	SAYS(fd, "arm now\n", "error: expected nothing more, found 'now'\n");
	answer = talk(fd, "rules\n");
	CHECK(count(answer, "\n") == NR_RULES + 1, "%u lines", count(answer, "\n"));
	SAYS(fd, "\n# nothing\n\t\n", "");
	SAYS(fd, "dance\n", "error: expected a command, 'help' lists them, found 'dance'\n");
	CHECK(running, "still there");
	SAYS(fd, "quit\nlies\n", "ok\n");
	CHECK(!running, "quit");
	close(fd);
	stop();
}

static void test_garbage(void)
{
	char *many = malloc(1 << 20), *answer;
	unsigned int i;
	size_t len;
	int fd;

	start();
	fd = join();
	/* What the device does not offer. */
	control_close(control);
	close(fd);
	CHECK(!control_listen(path, script, a_clock, NULL, NULL, NULL, &control), "listen");
	fd = join();
	SAYS(fd, "echo x\n", "error: expected a command, 'help' lists them, found 'echo'\n");
	SAYS(fd, "violations\n", "error: there is no judge\n");
	SAYS(fd, "arm\n", "error: there is no judge\n");
	SAYS(fd, "stats\nclear\n", "ok\nok\n");
	SAYS(fd, "lies\x01\n", "error: expected text, found another byte\n");
	answer = talk_bytes(fd, "li\0es\n", 6);
	CHECK(!strcmp(answer, "error: expected text, found a byte of 0\n"), "%s", answer);
	/* A line that does not end, and then does. */
	memset(many, 'x', 1 << 20);
	answer = talk_bytes(fd, many, 1 << 20);
	CHECK(!strcmp(answer, "error: expected a shorter line\n"), "%s", answer);
	SAYS(fd, "lies\nlies\n", "ok\n");
	/* Rubbish gets errors only. */
	for (i = 0; i < 200; i++) {
		len = rnd_in(1, 5000);
		while (len)
			many[--len] = rnd();
		answer = talk_bytes(fd, many, 5000);
		CHECK(!strstr(answer, "\nok\n"), "%s", answer);
	}
	talk(fd, "\n");
	SAYS(fd, "lies\n", "ok\n");
	/* Byte by byte. */
	for (answer = "clock\n"; answer[1]; answer++)
		CHECK(!*talk_bytes(fd, answer, 1), "too early");
	SAYS(fd, "\n", " off\nok\n");
	close(fd);
	for (i = 0; i < 3; i++)
		turn(0);
	free(many);
	stop();
}

/* Many lines at once: all are answered; a client that does not read them hinders nobody. */
static void test_flood(void)
{
	enum { NR = 3000 };
	char *text = malloc(5 * NR + 1), *answer;
	struct pollfd fds[CONTROL_FDS];
	unsigned int i, busy, other;
	int fd, deaf;

	for (i = 0; i < NR; i++)
		memcpy(text + 5 * i, "help\n", 6);
	start();
	fd = join();
	answer = talk(fd, text);
	CHECK(count(answer, "\nok\n") == NR, "%u answers", count(answer, "\nok\n"));
	/* Says a lot, hears nothing: it waits, and nobody else has to. */
	deaf = join();
	for (i = 0; i < 100000; i++)
		if (send(deaf, text, 5 * 100, MSG_NOSIGNAL) < 0 && !turn(0))
			break;
	CHECK(i < 100000, "it is never full");
	SAYS(fd, "lies\n", "ok\n");
	CHECK(control_fds(control, fds) == 3, "%u", control_fds(control, fds));
	for (i = busy = other = 0; i < 3; i++) {
		busy += fds[i].events == POLLOUT;
		other += fds[i].events == POLLIN;
	}
	CHECK(busy == 1 && other == 2, "%u wait for a reader, %u for lines", busy, other);
	answer = talk(deaf, "");
	CHECK(count(answer, "\nok\n") > 100, "%u answers", count(answer, "\nok\n"));
	close(deaf);
	close(fd);
	free(text);
	stop();
}

static void test_clients(void)
{
	int fd[CONTROL_CLIENTS], more, i;
	char *answer;

	start();
	for (i = 0; i < CONTROL_CLIENTS; i++) {
		fd[i] = join();
		SAYS(fd[i], "lies\n", "ok\n");
	}
	more = join();
	answer = talk(more, "");
	CHECK(!strcmp(answer, "error: too many clients\n"), "%s", answer);
	close(more);
	/* One that says its last words without an end of line, and listens. */
	CHECK(send(fd[0], "clock", 5, 0) == 5 && !shutdown(fd[0], SHUT_WR), "shutdown");
	answer = talk(fd[0], "");
	CHECK(!strcmp(answer, " off\nok\n"), "%s", answer);
	CHECK(!recv(fd[0], answer, 1, 0), "it is not hung up on");
	close(fd[0]);
	/* One that goes before the answer. */
	CHECK(send(fd[1], "help\nhelp\n", 10, 0) == 10, "send");
	close(fd[1]);
	for (i = 0; i < 4; i++)
		turn(0);
	fd[0] = join();
	fd[1] = join();
	for (i = 0; i < CONTROL_CLIENTS; i++) {
		SAYS(fd[i], "lies\n", "ok\n");
		close(fd[i]);
	}
	for (i = 0; i < 4; i++)
		turn(0);
	CHECK(!turn(10), "a loop without work");
	stop();
}

static void test_address(void)
{
	struct control *second = NULL;
	char *text = malloc(300);
	FILE *file;

	start();
	CHECK(control_listen(path, script, a_clock, NULL, NULL, NULL, &second) == -EADDRINUSE,
	      "two at one place");
	memset(text, 'x', 299);
	text[299] = 0;
	CHECK(control_listen(text, script, a_clock, NULL, NULL, NULL, &second) == -ENAMETOOLONG,
	      "a long name");
	CHECK(control_listen("/nonexistent/s", script, a_clock, NULL, NULL, NULL, &second) ==
	      -ENOENT, "no such directory");
	CHECK(control_listen(trace_file, script, a_clock, NULL, NULL, NULL, &second) < 0 || second,
	      "a file that is not there");
	control_close(second);
	second = NULL;
	/* A file is not removed; a socket that was left behind is. */
	file = fopen(trace_file, "w");
	fclose(file);
	CHECK(control_listen(trace_file, script, a_clock, NULL, NULL, NULL, &second) == -EADDRINUSE,
	      "a file");
	CHECK(!access(trace_file, F_OK), "the file is gone");
	unlink(trace_file);
	CHECK(control_fds(NULL, NULL) == 0 && control_process(NULL), "no control");
	control_close(NULL);
	stop();
	{
		struct sockaddr_un address = { .sun_family = AF_UNIX };
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
		CHECK(!bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
		close(fd);
		CHECK(!access(path, F_OK), "no socket left behind");
	}
	start();
	stop();
	free(text);
}

int main(void)
{
	snprintf(path, sizeof(path), "/tmp/control-test.%d", getpid());
	snprintf(trace_file, sizeof(trace_file), "%s.trace", path);
	TAP_RUN(test_commands);
	TAP_RUN(test_garbage);
	TAP_RUN(test_flood);
	TAP_RUN(test_clients);
	unlink(trace_file);
	TAP_RUN(test_address);
	return tap_done();
}
