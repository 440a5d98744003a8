// SPDX-License-Identifier: GPL-2.0
/* The clock: reading times, the model, the schedule, the trace. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "mix.h"
#include "tap.h"

static char error[256];

static struct clock *with(const char *text)
{
	struct clock *clock = clock_new();

	if (!clock)
		abort();
	CHECK(!clock_set(clock, text, error, sizeof(error)), "%s: %s", text, error);
	return clock;
}

static void test_times(void)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{ "0s", 0 }, { "1ns", 1 }, { "20us", 20000 }, { "5ms", 5000000 },
		{ "1.5s", 1500000000 }, { "0.25us", 250 }, { "1.9ns", 1 }, { "3MS", 3000000 },
		{ "86400s", 86400ull * 1000000000 }, { "1.0000000019s", 1000000001 },
	};
	static const char * const bad[] = {
		"", "5", "ms", "-5ms", "5 ms", "5.ms", ".5ms", "5mss", "5m", "0x5ms", "86401s",
		"99999999999999999999999s", "5e3ms", "5,5ms", "+5ms", "184467440737095516160s",
	};
	uint64_t ns;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ns = ~0ull;
		CHECK(clock_parse_time(good[i].text, &ns) && ns == good[i].ns, "%s: %" PRIu64,
		      good[i].text, ns);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!clock_parse_time(bad[i], &ns), "'%s' is taken", bad[i]);
}

static void test_percents(void)
{
	static const char * const bad[] = { "", "5", "%", "101%", "100.000000001%", "-1%", "5%%",
					    "5 %" };
	uint64_t chance;
	size_t i;

	CHECK(clock_parse_percent("100%", &chance) && chance == 1ull << 32, "%" PRIu64, chance);
	CHECK(clock_parse_percent("50%", &chance) && chance == 1ull << 31, "%" PRIu64, chance);
	CHECK(clock_parse_percent("0%", &chance) && !chance, "%" PRIu64, chance);
	CHECK(clock_parse_percent("0.000000001%", &chance) && chance == 1, "%" PRIu64, chance);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!clock_parse_percent(bad[i], &chance), "'%s' is taken", bad[i]);
}

static void test_mix(void)
{
	unsigned int i, hit = 0, low = 0;

	for (i = 0; i < 100000; i++) {
		hit += mix_chance(5, i, (1ull << 32) / 100);
		low += mix_below(6, i, 3) == 0;
		CHECK(mix_below(7, i, 10) < 10, "%u", i);
		CHECK(mix_chance(8, i, 1ull << 32) && !mix_chance(8, i, 0), "%u", i);
	}
	/* Five standard deviations. */
	CHECK(hit > 840 && hit < 1160, "one in a hundred: %u", hit);
	CHECK(low > 32590 && low < 34080, "one in three: %u", low);
	CHECK(mix64(1, 2) == mix64(1, 2) && mix64(1, 2) != mix64(2, 1), "repeatable");
}

static void test_constant(void)
{
	struct clock *clock = clock_new();

	CHECK(!clock->modelled, "a new clock delays");
	clock_free(clock);
	clock = with("constant 80us");
	CHECK(clock->modelled, "modelled");
	CHECK(clock_due(clock, 1, 4096, 1000) == 81000, "80 us");
	CHECK(clock_due(clock, 1, 0, 1000) == 81000, "of no size, too");
	CHECK(!clock_set(clock, "off", error, sizeof(error)) && !clock->modelled, "off");
	CHECK(!clock_set(clock, "seed 4", error, sizeof(error)) && !clock->modelled, "a seed only");
	clock_free(clock);
}

static void test_rate(void)
{
	struct clock *clock = with("rate 1MB/s");

	/* 4096 bytes take 4.096 ms, and the second of them waits for the first. */
	CHECK(clock_due(clock, 1, 4096, 1000) == 1000 + 4096000, "the first");
	CHECK(clock_due(clock, 2, 4096, 1000) == 1000 + 2 * 4096000, "the second, another queue");
	CHECK(clock_due(clock, 2, 0, 1000) == 1000, "no data, no wait");
	CHECK(clock_due(clock, 1, 4096, 100000000) == 100000000 + 4096000, "after a pause");
	CHECK(!clock_set(clock, "constant 1ms", error, sizeof(error)), "%s", error);
	CHECK(clock_due(clock, 1, 4096, 1000) == 1000 + 1000000 + 4096000, "both");
	/* The largest command at the lowest rate stays in range. */
	CHECK(!clock_set(clock, "off, rate 1B/s", error, sizeof(error)), "%s", error);
	CHECK(clock_due(clock, 1, UINT32_MAX, 0) == UINT32_MAX * 1000000000ull, "slow");
	clock_free(clock);
}

static void test_queues(void)
{
	struct clock *clock = with("queue 3 1ms, constant 1us");
	unsigned int q;

	for (q = 0; q < 70; q++)
		CHECK(clock_due(clock, q, 512, 0) == (q == 3 ? 1001000 : 1000), "queue %u", q);
	CHECK(!clock_set(clock, "queue 3 0s, queue 65535 2us", error, sizeof(error)), "%s", error);
	CHECK(clock_due(clock, 3, 512, 0) == 1000, "taken back");
	CHECK(clock_due(clock, 65535, 512, 0) == 3000, "the last queue");
	clock_free(clock);
}

static void test_tail(void)
{
	struct clock *a = with("tail 99% 5ms, tail 99.9% 50ms, seed 7"), *b = with("seed 7");
	unsigned int i, slow = 0, slower = 0, same = 0;
	uint64_t first[1000];

	CHECK(!clock_set(b, "tail 99.9% 50ms", error, sizeof(error)), "%s", error);
	CHECK(!clock_set(b, "tail 99% 5ms", error, sizeof(error)), "%s", error);
	for (i = 0; i < 100000; i++) {
		uint64_t due = clock_due(a, 1, 512, 0);

		if (i < 1000)
			first[i] = due;
		CHECK(!due || due == 5000000 || due == 50000000, "%" PRIu64, due);
		slow += due == 5000000;
		slower += due == 50000000;
		/* Other queues in between change nothing. */
		if (i % 3 == 0)
			clock_due(b, 2, 512, 0);
		CHECK(clock_due(b, 1, 512, 0) == due, "command %u", i);
	}
	CHECK(slow > 760 && slow < 1040, "0.9 %%: %u of 100000", slow);
	CHECK(slower > 50 && slower < 150, "0.1 %%: %u of 100000", slower);
	clock_rewind(a);
	for (i = 0; i < 1000; i++)
		CHECK(clock_due(a, 1, 512, 0) == first[i], "after the rewind, %u", i);
	clock_rewind(a);
	CHECK(!clock_set(a, "seed 8", error, sizeof(error)), "%s", error);
	for (i = 0; i < 1000; i++)
		same += clock_due(a, 1, 512, 0) == first[i];
	CHECK(same < 1000, "another seed, the same luck");
	clock_free(a);
	clock_free(b);
}

static void test_print(void)
{
	static const char * const texts[] = {
		"off", "off, constant 80us", "off, constant 1500ns, rate 500000000B/s",
		"off, queue 0 1ms, queue 65535 2s, seed 18446744073709551615",
		"off, tail 99.999999999% 3s, tail 99.9% 1ms, tail 50% 1ns, tail 0% 1us, seed 1",
	};
	char *printed;
	size_t i, size;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct clock *clock = with("constant 3s, queue 9 1s");
		FILE *out = open_memstream(&printed, &size);

		CHECK(!clock_set(clock, texts[i], error, sizeof(error)), "%s", error);
		clock_print(clock, out);
		fclose(out);
		CHECK(!strcmp(printed, texts[i]), "%s became %s", texts[i], printed);
		free(printed);
		clock_free(clock);
	}
}

static void test_wrong(void)
{
	static const struct {
		const char *text, *error;
	} wrong[] = {
		{ "", "clock:1:1: expected constant, rate, queue, tail, seed or off" },
		{ "constant", "clock:1:9: expected a time like 80us" },
		{ "constant 80", "clock:1:10: expected a time like 80us" },
		{ "constant 80us 3", "clock:1:15: expected a comma or the end" },
		{ "rate 5", "clock:1:6: expected a rate like 500MB/s" },
		{ "rate 0MB/s", "clock:1:6: expected a rate like 500MB/s" },
		{ "queue 65536 1ms", "clock:1:7: expected a queue" },
		{ "queue 1", "clock:1:8: expected a time like 1ms" },
		{ "constant 1us, tail 101% 1ms", "clock:1:20: expected a percentage like 99.9%" },
		{ "tail 99% never", "clock:1:10: expected a time like 20ms" },
		{ "seed x", "clock:1:6: expected a seed" },
		{ "off,", "clock:1:5: expected constant, rate, queue, tail, seed or off" },
		{ "tail 1% 1s,tail 2% 1s,tail 3% 1s,tail 4% 1s,tail 5% 1s",
		  "clock:1:45: expected at most 4 tails" },
		{ "constant 1111111111111111111111111111111111111111111ms",
		  "clock:1:10: expected a time like 80us" },
	};
	struct clock *clock = with("constant 7us, queue 4 1us");
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CHECK(clock_set(clock, wrong[i].text, error, sizeof(error)) < 0, "'%s' is taken",
		      wrong[i].text);
		CHECK(!strcmp(error, wrong[i].error), "'%s': %s", wrong[i].text, error);
	}
	/* What stands before the error counts no more than the rest. */
	CHECK(clock_set(clock, "queue 4 9s, constant 9s, nonsense", error, sizeof(error)) < 0,
	      "nonsense");
	CHECK(clock_due(clock, 4, 0, 0) == 8000, "the model changed");
	clock_free(clock);
}

static bool is_odd(void *what, void *ctx)
{
	*(unsigned int *)ctx += 1;
	return (uintptr_t)what & 1;
}

static void test_schedule(void)
{
	enum { NR = 5000 };
	static uint64_t when[NR + 1];
	struct clock *clock = clock_new();
	unsigned int i, asked = 0, got = 0;
	uint64_t now = 0, last = 0, last_i = 0;

	CHECK(clock_next(clock) == CLOCK_NEVER && !clock_pop(clock, CLOCK_NEVER), "empty");
	for (i = 1; i <= NR; i++) {
		/* Few times, so that many are equal. */
		when[i] = rnd_in(1, 500);
		CHECK(!clock_add(clock, when[i], (void *)(uintptr_t)i), "add %u", i);
	}
	CHECK(clock_pending(clock) == NR, "%u", clock_pending(clock));
	CHECK(clock_cancel(clock, is_odd, &asked) == NR / 2 && asked == NR, "asked %u", asked);
	while (clock_pending(clock)) {
		uint64_t next = clock_next(clock);
		uintptr_t what;

		CHECK(next > now, "next %" PRIu64 " now %" PRIu64, next, now);
		CHECK(!clock_pop(clock, next - 1), "before its time");
		now = next;
		while ((what = (uintptr_t)clock_pop(clock, now))) {
			CHECK(!(what & 1) && when[what] == now, "%lu", (unsigned long)what);
			CHECK(when[what] > last || what > last_i, "order of equals");
			last = when[what];
			last_i = what;
			got++;
		}
		if (now > 600)
			break;
	}
	CHECK(got == NR / 2 && clock_next(clock) == CLOCK_NEVER, "%u came", got);
	for (i = 1; i < 10; i++)
		clock_add(clock, i, clock);
	CHECK(clock_cancel(clock, NULL, NULL) == 9 && !clock_pending(clock), "all");
	clock_free(clock);
}

/* In and out by turns: the heap keeps its order while it is used. */
static void test_schedule_mixed(void)
{
	struct clock *clock = clock_new();
	unsigned long in = 0, out = 0;
	uint64_t now = 0;
	uint64_t *what;

	while (out < 20000) {
		if (in < 20000 && rnd() % 3) {
			uint64_t *at = malloc(sizeof(*at));

			*at = now + rnd_in(1, 1000);
			clock_add(clock, *at, at);
			in++;
		}
		now += rnd() % 100;
		while ((what = clock_pop(clock, now))) {
			CHECK(*what <= now && clock_next(clock) >= *what, "%" PRIu64, *what);
			free(what);
			out++;
		}
	}
	CHECK(in == out && !clock_pending(clock), "%lu in, %lu out", in, out);
	clock_free(clock);
}

static char *read_file(const char *name)
{
	FILE *in = fopen(name, "r");
	char *text = calloc(1, 1 << 20);

	if (!in || !text || !fread(text, 1, (1 << 20) - 1, in))
		CHECK(false, "no %s", name);
	if (in)
		fclose(in);
	return text;
}

static unsigned int count_lines(const char *text, const char *what)
{
	unsigned int n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void test_trace(void)
{
	char name[] = "/tmp/clock-test.XXXXXX";
	struct clock *clock = clock_new();
	struct clock_record r = {
		.sqid = 2, .cqid = 5, .cid = 0x1f, .status = 0x4281, .opcode = 2, .bytes = 4096,
	};
	char *text, *line;
	unsigned int i;
	int fd = mkstemp(name);

	CHECK(fd >= 0, "mkstemp");
	close(fd);
	/* Nothing happens without a trace. */
	clock_trace(clock, &r);
	clock_trace_irq(clock, 5, 1);
	clock_trace_flush(clock);
	CHECK(!clock_trace_off(clock) && !clock->tracing, "off when off");
	CHECK(clock_trace_on(clock, "/nonexistent/x") < 0 && !clock->tracing, "no such place");

	CHECK(!clock_trace_on(clock, name) && clock->tracing, "on");
	r.at.doorbell = clock_now();
	r.at.fetch = r.at.doorbell + 10;
	r.at.data = r.at.doorbell + 200;
	r.at.post = r.at.doorbell + 3000;
	clock_trace(clock, &r);
	r.cid++;
	clock_trace(clock, &r);
	clock_trace_irq(clock, 4, r.at.doorbell + 3500);
	clock_trace_irq(clock, 5, r.at.doorbell + 4000);
	/* Given with the record; without data; with none at all. */
	r.cid++;
	r.at.irq = r.at.doorbell + 5000;
	r.at.data = 0;
	clock_trace(clock, &r);
	r.cid++;
	r.at.irq = 0;
	r.at.data = r.at.doorbell - 7;
	clock_trace(clock, &r);
	clock_trace_flush(clock);
	text = read_file(name);
	CHECK(count_lines(text, "\n") == 5, "a head of two and three: %s", text);
	free(text);
	CHECK(!clock_trace_off(clock), "off");
	text = read_file(name);
	CHECK(!strncmp(text, "# time sq cq cid", 16), "%s", text);
	CHECK(strstr(text, " 2 5 001f 02 4281 4096 10 200 3000 4000\n"), "%s", text);
	CHECK(strstr(text, " 2 5 0020 02 4281 4096 10 200 3000 4000\n"), "%s", text);
	CHECK(strstr(text, " 2 5 0021 02 4281 4096 10 - 3000 5000\n"), "%s", text);
	CHECK(strstr(text, " 2 5 0022 02 4281 4096 10 -7 3000 -\n"), "%s", text);
	line = strchr(text, '\n');
	CHECK(line && strtoull(line + 1, NULL, 10) < 60000000000, "time since the start");
	free(text);

	/* Far more than is kept, on two CQs; one of them gets an interrupt late or never. */
	CHECK(!clock_trace_on(clock, name), "on again");
	r.at.data = r.at.doorbell + 1;
	for (i = 0; i < 10000; i++) {
		r.cqid = i % 7 == 0 ? 6 : 5;
		r.cid = i;
		clock_trace(clock, &r);
		if (r.cqid == 5)
			clock_trace_irq(clock, 5, r.at.doorbell + 5005);
		if (i == 9000)
			clock_trace_irq(clock, 6, r.at.doorbell + 6006);
	}
	CHECK(!clock_trace_off(clock), "off");
	text = read_file(name);
	CHECK(count_lines(text, "\n") == 10002, "%u lines", count_lines(text, "\n"));
	CHECK(count_lines(text, " 5005\n") == 10000 - 1429, "%u", count_lines(text, " 5005\n"));
	/* What was kept at 9000: between half of and all 4096 records, one in seven. */
	i = count_lines(text, " 6006\n");
	CHECK(i >= 2048 / 7 && i <= 4096 / 7 + 1, "%u late", i);
	CHECK(count_lines(text, " 3000 -\n") == 1429 - i, "%u never",
	      count_lines(text, " 3000 -\n"));
	free(text);

	/* A disk that is full. */
	if (!clock_trace_on(clock, "/dev/full")) {
		clock_trace(clock, &r);
		CHECK(clock_trace_off(clock) == -ENOSPC, "/dev/full");
	}
	unlink(name);
	clock_free(clock);
}

int main(void)
{
	TAP_RUN(test_times);
	TAP_RUN(test_percents);
	TAP_RUN(test_mix);
	TAP_RUN(test_constant);
	TAP_RUN(test_rate);
	TAP_RUN(test_queues);
	TAP_RUN(test_tail);
	TAP_RUN(test_print);
	TAP_RUN(test_wrong);
	TAP_RUN(test_schedule);
	TAP_RUN(test_schedule_mixed);
	TAP_RUN(test_trace);
	return tap_done();
}
