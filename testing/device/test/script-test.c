// SPDX-License-Identifier: GPL-2.0
/* The liar's script: what is read, what is refused and where, which line meets which moment. */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "script.h"
#include "tap.h"

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

static char error[256];

static struct script *with(const char *text)
{
	struct script *script = script_new();

	if (!script)
		abort();
	CHECK(!script_add(script, "s", text, error, sizeof(error)), "%s: %s", text, error);
	return script;
}

static char *printed(const struct script *script, bool counts)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	script_print(script, out, counts);
	fclose(out);
	return text;
}

static struct nvmq_sqe command(uint8_t opcode, uint32_t cdw10)
{
	struct nvmq_sqe sqe = { .opcode = opcode, .nsid = htole32(1), .cdw10 = htole32(cdw10) };

	return sqe;
}

static struct nvmq_sqe io(uint8_t opcode, uint64_t lba, unsigned int blocks)
{
	struct nvmq_sqe sqe = command(opcode, lba);

	sqe.cdw11 = htole32(lba >> 32);
	sqe.cdw12 = htole32(blocks - 1);
	return sqe;
}

/* Which of the calls 1 to @nr are met, as a string of digits 0 and 1. */
static const char *met(struct script *script, unsigned int qid, struct nvmq_sqe sqe,
		       unsigned int nr)
{
	static char pattern[256];
	struct lie_hits hits;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		script_command(script, qid, &sqe, clock_now(), &hits);
		pattern[i] = hits.kinds ? '1' : '0';
	}
	pattern[nr] = 0;
	return pattern;
}

static bool meets(const char *line, unsigned int qid, struct nvmq_sqe sqe)
{
	struct script *script = with(line);
	bool yes = *met(script, qid, sqe, 1) == '1';

	script_free(script);
	return yes;
}

/* -------------------------------------------------------------- conditions */

static void test_opcodes(void)
{
	/* Figure 138 and nvm figure 14, once more and by hand. */
	static const struct {
		const char *name;
		uint8_t opcode;
		bool admin;
	} ops[] = {
		{ "delete-sq", 0, true }, { "create-sq", 1, true }, { "get-log-page", 2, true },
		{ "delete-cq", 4, true }, { "create-cq", 5, true }, { "identify", 6, true },
		{ "abort", 8, true }, { "set-features", 9, true }, { "get-features", 10, true },
		{ "async-event", 12, true }, { "ns-management", 13, true },
		{ "firmware-commit", 16, true }, { "firmware-download", 17, true },
		{ "self-test", 20, true }, { "ns-attachment", 21, true },
		{ "keep-alive", 24, true }, { "format", 128, true }, { "sanitize", 132, true },
		{ "flush", 0, false }, { "write", 1, false }, { "read", 2, false },
		{ "write-uncorrectable", 4, false }, { "compare", 5, false },
		{ "write-zeroes", 8, false }, { "dsm", 9, false }, { "verify", 12, false },
		{ "reservation-register", 13, false }, { "reservation-report", 14, false },
		{ "reservation-acquire", 17, false }, { "reservation-release", 21, false },
		{ "copy", 25, false },
	};
	char line[128];
	unsigned int i, op;

	for (i = 0; i < NR(ops); i++) {
		snprintf(line, sizeof(line), "when %s then drop", ops[i].name);
		for (op = 0; op < 256; op++) {
			CHECK(meets(line, 0, command(op, 0)) ==
			      (ops[i].admin && op == ops[i].opcode), "%s, admin %u", line, op);
			CHECK(meets(line, 3, command(op, 0)) ==
			      (!ops[i].admin && op == ops[i].opcode), "%s, I/O %u", line, op);
		}
	}
	CHECK(meets("when opcode 0x81 then drop", 0, command(0x81, 0)), "by number, admin");
	CHECK(meets("when opcode 0x81 then drop", 1, command(0x81, 0)), "by number, I/O");
	CHECK(!meets("when opcode 0x81 then drop", 1, command(0x80, 0)), "another number");
	CHECK(meets("when opcode 2 admin then drop", 0, command(2, 0)), "by number and space");
	CHECK(!meets("when opcode 2 admin then drop", 1, command(2, 0)), "by number and space");
	CHECK(meets("when opcode read then drop", 1, command(2, 0)), "opcode NAME");
	CHECK(meets("WHEN Read THEN Drop", 1, command(2, 0)), "case");
}

static void test_queues(void)
{
	unsigned int q;

	for (q = 0; q < 12; q++) {
		CHECK(meets("when admin then drop", q, command(9, 0)) == (q == 0), "%u", q);
		CHECK(meets("when io then drop", q, command(9, 0)) == (q != 0), "%u", q);
		CHECK(meets("when queue 3 then drop", q, command(9, 0)) == (q == 3), "%u", q);
		CHECK(meets("when queue 3..5 then drop", q, command(9, 0)) == (q >= 3 && q <= 5),
		      "%u", q);
		CHECK(meets("when queue 0 then drop", q, command(9, 0)) == (q == 0), "%u", q);
		CHECK(meets("when always then drop", q, command(9, 0)), "%u", q);
		CHECK(meets("when io queue 10..11 opcode 9 then drop", q, command(9, 0)) ==
		      (q == 10 || q == 11), "%u", q);
	}
}

static void test_blocks(void)
{
	static const struct {
		uint64_t lba;
		unsigned int blocks;
		bool in;
	} at[] = {
		{ 99, 1, false }, { 99, 2, true }, { 100, 1, true }, { 150, 65536, true },
		{ 200, 1, true }, { 201, 1, false }, { 0, 100, false }, { 0, 101, true },
		{ 0x100000064, 1, false }, { UINT64_MAX - 4, 100, false },
	};
	static const uint8_t with_lba[] = { 1, 2, 4, 5, 8, 12 }, without[] = { 0, 9, 13 };
	unsigned int i, j;

	for (i = 0; i < NR(at); i++)
		for (j = 0; j < NR(with_lba); j++)
			CHECK(meets("when lba 100..200 then drop", 1,
				    io(with_lba[j], at[i].lba, at[i].blocks)) == at[i].in,
			      "opcode %u, %" PRIu64 "+%u", with_lba[j], at[i].lba, at[i].blocks);
	for (j = 0; j < NR(without); j++)
		CHECK(!meets("when lba 100..200 then drop", 1, io(without[j], 150, 1)), "%u",
		      without[j]);
	CHECK(!meets("when lba 100..200 then drop", 0, io(2, 150, 1)), "an admin command");
	CHECK(meets("when lba 0xffffffffff then drop", 1, io(2, 0xffffffffff, 1)), "one block");
	CHECK(meets("when lba 18446744073709551615 then drop", 1, io(2, UINT64_MAX - 4, 100)),
	      "up to the end");
	CHECK(meets("when nsid 1 then drop", 1, command(2, 0)), "nsid");
	CHECK(!meets("when nsid 2 then drop", 1, command(2, 0)), "another nsid");
}

static void test_selectors(void)
{
	CHECK(meets("when identify cns 1 then drop", 0, command(6, 1)), "cns");
	CHECK(!meets("when identify cns 1 then drop", 0, command(6, 2)), "another cns");
	CHECK(meets("when cns 1 then drop", 0, command(6, 0xffff0001)), "bits above");
	CHECK(!meets("when cns 1 then drop", 0, command(9, 1)), "another command");
	CHECK(!meets("when cns 1 then drop", 1, command(6, 1)), "an I/O command");
	CHECK(meets("when log 2 then drop", 0, command(2, 0x7f0002)), "log");
	CHECK(!meets("when log 2 then drop", 0, command(2, 0x7f0003)), "another log");
	CHECK(!meets("when log 2 then drop", 0, command(6, 2)), "another command");
	CHECK(!meets("when feature 7 then drop", 0, command(6, 7)), "another command");
	CHECK(meets("when feature 7 then drop", 0, command(9, 7)), "set features");
	CHECK(meets("when feature 7 then drop", 0, command(10, 7)), "get features");
	CHECK(!meets("when get-features feature 7 then drop", 0, command(9, 7)), "get only");
	CHECK(meets("when set-features feature 0x7 then drop", 0, command(9, 0x80000007)), "save");
}

static void test_counts(void)
{
	static const struct {
		const char *line, *pattern;
	} counts[] = {
		{ "when read then drop", "111111111111" },
		{ "when read nth 1 then drop", "100000000000" },
		{ "when read nth 3 then drop", "001000000000" },
		{ "when read nth 3..5 then drop", "001110000000" },
		{ "when read from 10 then drop", "000000000111" },
		{ "when read every 4 then drop", "000100010001" },
		{ "when read every 1 then drop", "111111111111" },
		{ "when read from 3 every 4 then drop", "001000100010" },
		{ "when read once then drop", "100000000000" },
		{ "when read times 3 then drop", "111000000000" },
		{ "when read from 2 times 2 then drop", "011000000000" },
		{ "when read every 3 once then drop", "001000000000" },
		{ "when read probability 100% then drop", "111111111111" },
		{ "when read probability 0% then drop", "000000000000" },
		{ "when once read then drop", "100000000000" },
	};
	struct script *script;
	unsigned int i;
	char *text;

	for (i = 0; i < NR(counts); i++) {
		script = with(counts[i].line);
		/* What meets other conditions only does not count. */
		CHECK(!strcmp(met(script, 1, command(1, 0), 5), "00000"), "%s", counts[i].line);
		CHECK(!strcmp(met(script, 1, command(2, 0), 12), counts[i].pattern), "%s: %s",
		      counts[i].line, met(script, 1, command(2, 0), 12));
		script_rewind(script);
		CHECK(!strcmp(met(script, 1, command(2, 0), 12), counts[i].pattern),
		      "%s after a rewind", counts[i].line);
		script_free(script);
	}
	/* A line that is refused because an earlier one told this lie counts on all the same. */
	script = with("when read nth 2 then status internal\nwhen read then status 0x281");
	met(script, 1, command(2, 0), 5);
	text = printed(script, true);
	CHECK(!strcmp(text, "when read nth 2 then status internal  # 1: met 5, told 1\n"
			    "when read then status 0x281  # 2: met 5, told 4\n"), "%s", text);
	CHECK(script_told(script, LIE_STATUS) == 5 && !script_told(script, LIE_DROP), "%lu",
	      script_told(script, LIE_STATUS));
	free(text);
	script_free(script);
}

static void test_luck(void)
{
	struct script *a = with("when read probability 10% seed 3 then drop");
	struct script *b = with("when io then twice\nwhen read probability 10% seed 3 then drop");
	struct script *c = with("when read probability 10% seed 4 then drop");
	struct nvmq_sqe sqe = command(2, 0);
	unsigned int i, nr = 0, differ = 0;
	struct lie_hits x, y, z;

	for (i = 0; i < 20000; i++) {
		script_command(a, 1, &sqe, 0, &x);
		script_command(b, 1, &sqe, 0, &y);
		script_command(c, 1, &sqe, 0, &z);
		nr += !!lie_find(&x, LIE_DROP);
		differ += !lie_find(&x, LIE_DROP) != !lie_find(&z, LIE_DROP);
		CHECK(!lie_find(&x, LIE_DROP) == !lie_find(&y, LIE_DROP), "read %u", i);
		if (lie_find(&x, LIE_DROP))
			CHECK(lie_find(&x, LIE_DROP)->seed == lie_find(&y, LIE_DROP)->seed,
			      "seed of read %u", i);
	}
	CHECK(nr > 1788 && nr < 2212, "10 %% of 20000: %u", nr);
	CHECK(differ > 3000, "another seed differs %u times", differ);
	script_free(a);
	script_free(b);
	script_free(c);
}

static void test_registers(void)
{
	struct script *script = with("when register CSTS read then value 0x3\n"
				     "when register CC write nth 2 then drop\n"
				     "when register ASQ read then all-ones\n"
				     "when queue 2 register doorbell write then drop\n"
				     "when register NSSR read then gone\n");
	struct lie_hits hits;
	unsigned int offset;

	for (offset = 0; offset < 0x2000; offset += 4) {
		script_register(script, false, offset, -1, 0, &hits);
		CHECK(!!lie_find(&hits, LIE_VALUE) == (offset == 0x1c), "CSTS, 0x%x", offset);
		CHECK(!!lie_find(&hits, LIE_ALL_ONES) == (offset == 0x28 || offset == 0x2c),
		      "ASQ, 0x%x", offset);
		CHECK(!!lie_find(&hits, LIE_GONE) == (offset == 0x20), "NSSR, 0x%x", offset);
		if (offset == 0x1c)
			CHECK(lie_find(&hits, LIE_VALUE)->value == 3, "its value");
	}
	CHECK(!script_add(script, "s", "when register CAP read then value 0x1122334455667788",
			  error, sizeof(error)), "%s", error);
	script_register(script, false, 0, -1, 0, &hits);
	CHECK(lie_find(&hits, LIE_VALUE)->value == 0x1122334455667788, "CAP");
	script_register(script, false, 4, -1, 0, &hits);
	CHECK(lie_find(&hits, LIE_VALUE)->value == 0x11223344, "its upper half");
	script_register(script, true, 0x14, -1, 0, &hits);
	CHECK(!hits.kinds, "the first write");
	script_register(script, true, 0x14, -1, 0, &hits);
	CHECK(hits.kinds == LIE_BIT(LIE_DROP), "the second write");
	script_register(script, true, 0x1c, -1, 0, &hits);
	CHECK(!hits.kinds, "CSTS is written");
	script_register(script, true, 0x1010, 2, 0, &hits);
	CHECK(hits.kinds == LIE_BIT(LIE_DROP), "doorbell of queue 2");
	script_register(script, true, 0x1018, 3, 0, &hits);
	CHECK(!hits.kinds, "doorbell of queue 3");
	script_register(script, true, 0x1018, -1, 0, &hits);
	CHECK(!hits.kinds, "doorbell of nothing");
	script_free(script);
}

static void test_events(void)
{
	static const char * const names[] = {
		"enable", "disable", "ready", "shutdown", "flr", "subsystem-reset", "reset",
		"connect", "disconnect", "queue-created", "queue-deleted",
	};
	struct lie_hits hits;
	unsigned int i, j;
	char line[64];

	CHECK(NR(names) == NR_LIE_EVENTS, "each event once");
	for (i = 0; i < NR(names); i++) {
		struct script *script;

		snprintf(line, sizeof(line), "when event %s then cfs", names[i]);
		script = with(line);
		for (j = 0; j < NR_LIE_EVENTS; j++) {
			script_event(script, j, 0, &hits);
			CHECK(hits.kinds == (i == j ? LIE_BIT(LIE_CFS) : 0), "%s, %u", line, j);
		}
		script_free(script);
	}
}

static void test_time(void)
{
	struct script *script = with("when after 1s then gone\n"
				     "when every 100ms times 3 then spurious-interrupt\n"
				     "when after 2s read then drop\n"
				     "when now then event flood 5\n"
				     "when now then event flood 6\n");
	struct nvmq_sqe sqe = command(2, 0);
	uint64_t start = clock_now(), next;
	struct lie_hits hits;
	unsigned int i;

	CHECK(script_next(script) <= start, "now");
	script_time(script, start, &hits);
	CHECK(hits.kinds == LIE_BIT(LIE_EVENT_FLOOD) && hits.nr == 2 && hits.lie[0].count == 5 &&
	      hits.lie[1].count == 6, "two of a kind, in order");
	script_time(script, start, &hits);
	CHECK(!hits.kinds, "once");
	for (i = 0; i < 3; i++) {
		next = script_next(script);
		CHECK(next > start + 90000000 && next <= start + 100000000 * (i + 1), "%" PRIu64,
		      next - start);
		script_time(script, next - 1, &hits);
		CHECK(!hits.kinds, "before its time");
		script_time(script, next, &hits);
		CHECK(hits.kinds == LIE_BIT(LIE_SPURIOUS), "every 100 ms, %u", i);
	}
	next = script_next(script);
	CHECK(next > start + 900000000 && next <= start + 1000000000, "%" PRIu64, next - start);
	script_command(script, 1, &sqe, next, &hits);
	CHECK(!hits.kinds, "a read after 1 s");
	script_time(script, next + 5000000000, &hits);
	CHECK(hits.kinds == LIE_BIT(LIE_GONE), "after 1 s");
	CHECK(script_next(script) == CLOCK_NEVER, "nothing more");
	script_command(script, 1, &sqe, start + 2000000001, &hits);
	CHECK(hits.kinds == LIE_BIT(LIE_DROP), "a read after 2 s");
	script_rewind(script);
	CHECK(script_next(script) <= clock_now(), "again after a rewind");
	script_free(script);

	/* More at once than there is room for come by and by. */
	script = with("when now then cfs\nwhen now then cfs\nwhen now then cfs\nwhen now then cfs\n"
		      "when now then cfs\nwhen now then cfs\nwhen now then cfs\nwhen now then cfs");
	for (i = 0;; i += hits.nr) {
		script_time(script, clock_now(), &hits);
		if (!hits.kinds)
			break;
	}
	CHECK(i == 8, "%u of 8", i);
	script_free(script);
}

/* ----------------------------------------------------------------- actions */

static struct lie lie_of(const char *line, unsigned int qid, struct nvmq_sqe sqe)
{
	struct script *script = with(line);
	struct lie none = { .kind = NR_LIE_KINDS };
	struct lie_hits hits;

	script_command(script, qid, &sqe, clock_now(), &hits);
	CHECK(hits.kinds && hits.nr == 1, "%s: %u hits", line, hits.kinds ? hits.nr : 0);
	if (hits.kinds) {
		none = hits.lie[0];
		CHECK(lie_find(&hits, none.kind) == &hits.lie[0], "%s: not found", line);
		CHECK(none.line == 1, "line %u", none.line);
	}
	script_free(script);
	return none;
}

#define EXECUTED	0x10000u

static void test_status(void)
{
	static const struct {
		const char *text;
		uint32_t status;
	} all[] = {
		{ "success", 0 }, { "0x7ff", 0x7ff }, { "invalid-opcode", NVMQ_SC_INVALID_OPCODE },
		{ "invalid-field", NVMQ_SC_INVALID_FIELD },
		{ "cid-conflict", NVMQ_SC_CID_CONFLICT },
		{ "data-transfer", NVMQ_SC_DATA_TRANSFER }, { "power-loss", NVMQ_SC_POWER_LOSS },
		{ "internal", NVMQ_SC_INTERNAL }, { "abort-requested", NVMQ_SC_ABORT_REQUESTED },
		{ "abort-sq-deleted", NVMQ_SC_ABORT_SQ_DELETED },
		{ "invalid-namespace", NVMQ_SC_INVALID_NAMESPACE },
		{ "command-sequence", NVMQ_SC_COMMAND_SEQUENCE },
		{ "sanitize-failed", NVMQ_SC_SANITIZE_FAILED },
		{ "sanitize-in-progress", NVMQ_SC_SANITIZE_IN_PROGRESS },
		{ "ns-write-protected", NVMQ_SC_NS_WRITE_PROTECTED },
		{ "command-interrupted", NVMQ_SC_COMMAND_INTERRUPTED },
		{ "transient-transport", NVMQ_SC_TRANSIENT_TRANSPORT },
		{ "lba-range", NVMQ_SC_LBA_RANGE },
		{ "capacity-exceeded", NVMQ_SC_CAPACITY_EXCEEDED },
		{ "ns-not-ready", NVMQ_SC_NS_NOT_READY },
		{ "reservation-conflict", NVMQ_SC_RESERVATION_CONFLICT },
		{ "format-in-progress", NVMQ_SC_FORMAT_IN_PROGRESS },
		{ "cq-invalid", NVMQ_SC_CQ_INVALID }, { "qid-invalid", NVMQ_SC_QID_INVALID },
		{ "queue-size", NVMQ_SC_QUEUE_SIZE }, { "abort-limit", NVMQ_SC_ABORT_LIMIT },
		{ "event-limit", NVMQ_SC_EVENT_LIMIT },
		{ "invalid-vector", NVMQ_SC_INVALID_VECTOR },
		{ "feature-not-saveable", NVMQ_SC_FEATURE_NOT_SAVEABLE },
		{ "conflicting-attributes", NVMQ_SC_CONFLICTING_ATTRIBUTES },
		{ "invalid-pi", NVMQ_SC_INVALID_PI },
		{ "read-only-range", NVMQ_SC_READ_ONLY_RANGE },
		{ "write-fault", NVMQ_SC_WRITE_FAULT },
		{ "unrecovered-read", NVMQ_SC_UNRECOVERED_READ },
		{ "guard-check", NVMQ_SC_GUARD_CHECK }, { "apptag-check", NVMQ_SC_APPTAG_CHECK },
		{ "reftag-check", NVMQ_SC_REFTAG_CHECK },
		{ "compare-failed", NVMQ_SC_COMPARE_FAILED },
		{ "access-denied", NVMQ_SC_ACCESS_DENIED },
		{ "unwritten-block", NVMQ_SC_UNWRITTEN_BLOCK },
		{ "host-pathing", NVMQ_SC_HOST_PATHING }, { "host-aborted", NVMQ_SC_HOST_ABORTED },
		{ "internal dnr", 0x4006 }, { "internal crd=1", 0x0806 },
		{ "internal crd=3 dnr", 0x5806 },
		{ "internal executed", EXECUTED | 0x0006 },
		{ "0x281 executed dnr crd=2", EXECUTED | 0x5281 },
		{ "641", 0x281 },
	};
	char line[128];
	struct lie lie;
	size_t i;

	for (i = 0; i < NR(all); i++) {
		snprintf(line, sizeof(line), "when read then status %s", all[i].text);
		lie = lie_of(line, 1, command(2, 0));
		CHECK(lie.kind == LIE_STATUS &&
		      (lie.status | (lie.executed ? EXECUTED : 0)) == all[i].status, "%s: 0x%x",
		      line, lie.status);
	}
}

static void test_actions(void)
{
	struct nvmq_sqe sqe = command(2, 0);
	struct lie lie;

	lie = lie_of("when read then drop", 1, sqe);
	CHECK(lie.kind == LIE_DROP && !lie.executed, "drop");
	lie = lie_of("when read then drop executed", 1, sqe);
	CHECK(lie.kind == LIE_DROP && lie.executed, "drop executed");
	lie = lie_of("when read then delay 1.5ms", 1, sqe);
	CHECK(lie.kind == LIE_DELAY && lie.ns == 1500000, "delay");
	lie = lie_of("when read then twice", 1, sqe);
	CHECK(lie.kind == LIE_TWICE && !lie.ns, "twice");
	lie = lie_of("when read then twice after 3us", 1, sqe);
	CHECK(lie.kind == LIE_TWICE && lie.ns == 3000, "twice after");
	lie = lie_of("when read then wrong-cid", 1, sqe);
	CHECK(lie.kind == LIE_WRONG_CID && !lie.has_value, "wrong-cid");
	lie = lie_of("when read then wrong-cid 0xffff", 1, sqe);
	CHECK(lie.kind == LIE_WRONG_CID && lie.has_value && lie.value == 0xffff, "wrong-cid N");
	lie = lie_of("when read then wrong-sq 0", 1, sqe);
	CHECK(lie.kind == LIE_WRONG_SQ && lie.has_value && !lie.value, "wrong-sq");
	lie = lie_of("when read then wrong-phase", 1, sqe);
	CHECK(lie.kind == LIE_WRONG_PHASE, "wrong-phase");
	lie = lie_of("when read then reorder", 1, sqe);
	CHECK(lie.kind == LIE_REORDER && lie.count == 1 && lie.ns == 10000000, "reorder");
	lie = lie_of("when read then reorder 7 within 2s", 1, sqe);
	CHECK(lie.kind == LIE_REORDER && lie.count == 7 && lie.ns == 2000000000, "reorder N");
	lie = lie_of("when read then no-interrupt", 1, sqe);
	CHECK(lie.kind == LIE_NO_INTERRUPT, "no-interrupt");
	lie = lie_of("when read then spurious-interrupt", 1, sqe);
	CHECK(lie.kind == LIE_SPURIOUS && lie.count == 1, "spurious-interrupt");
	lie = lie_of("when read then spurious-interrupt 99", 1, sqe);
	CHECK(lie.kind == LIE_SPURIOUS && lie.count == 99, "spurious-interrupt N");
	lie = lie_of("when read then cfs", 1, sqe);
	CHECK(lie.kind == LIE_CFS, "cfs");
	lie = lie_of("when read then all-ones", 1, sqe);
	CHECK(lie.kind == LIE_DEAD_READS, "all-ones");
	lie = lie_of("when read then gone", 1, sqe);
	CHECK(lie.kind == LIE_GONE && !lie.ns, "gone");
	lie = lie_of("when read then gone back after 2s", 1, sqe);
	CHECK(lie.kind == LIE_GONE && lie.ns == 2000000000, "gone back");
	lie = lie_of("when read then back", 1, sqe);
	CHECK(lie.kind == LIE_BACK, "back");
	lie = lie_of("when read then namespace 3 gone", 1, sqe);
	CHECK(lie.kind == LIE_NS_GONE && lie.nsid == 3, "namespace gone");
	lie = lie_of("when read then namespace 3 new 4096", 1, sqe);
	CHECK(lie.kind == LIE_NS_NEW && lie.nsid == 3 && lie.size == 4096, "namespace new");
	lie = lie_of("when read then namespace 3 resized 0x10", 1, sqe);
	CHECK(lie.kind == LIE_NS_RESIZED && lie.nsid == 3 && lie.size == 16, "resized");
	lie = lie_of("when read then event flood 500", 1, sqe);
	CHECK(lie.kind == LIE_EVENT_FLOOD && lie.count == 500 && lie.type == 1 && lie.log == 2,
	      "event flood");
	lie = lie_of("when read then event flood 1 info 3 log 4 type 2", 1, sqe);
	CHECK(lie.kind == LIE_EVENT_FLOOD && lie.count == 1 && lie.type == 2 && lie.info == 3 &&
	      lie.log == 4, "event of a type");
	lie = lie_of("when read then wrong-data", 1, sqe);
	CHECK(lie.kind == LIE_WRONG_DATA && !lie.len, "wrong-data");
	lie = lie_of("when read then wrong-data 512+8", 1, sqe);
	CHECK(lie.kind == LIE_WRONG_DATA && lie.offset == 512 && lie.len == 8, "wrong-data at");
	lie = lie_of("when read then data-after-completion", 1, sqe);
	CHECK(lie.kind == LIE_LATE_DATA && lie.ns == 1000000, "data-after-completion");
	lie = lie_of("when read then data-after-completion 5ms", 1, sqe);
	CHECK(lie.kind == LIE_LATE_DATA && lie.ns == 5000000, "data-after-completion TIME");
}

static void test_admin_actions(void)
{
	struct lie lie;

	lie = lie_of("when always then grant 3", 0, command(9, 7));
	CHECK(lie.kind == LIE_GRANT && lie.count == 3, "grant");
	CHECK(meets("when always then grant 3", 0, command(10, 7)), "get features, too");
	CHECK(!meets("when always then grant 3", 0, command(9, 6)), "another feature");
	CHECK(!meets("when always then grant 3", 1, command(9, 7)), "an I/O queue");
	lie = lie_of("when create-cq then refuse-create", 0, command(5, 1));
	CHECK(lie.kind == LIE_STATUS && lie.status == NVMQ_SC_QID_INVALID, "refuse-create");
	lie = lie_of("when nth 1 then refuse-create invalid-vector dnr", 0, command(1, 1));
	CHECK(lie.status == (NVMQ_SC_INVALID_VECTOR | NVMQ_STATUS_DNR), "refuse-create STATUS");
	CHECK(!meets("when always then refuse-create", 0, command(6, 1)), "Identify");
	CHECK(!meets("when always then refuse-create", 1, command(1, 1)), "a write");

	lie = lie_of("when always then garbage mdts", 0, command(6, 1));
	CHECK(lie.kind == LIE_GARBAGE && lie.offset == 77 && lie.len == 1 && !lie.has_value,
	      "mdts");
	CHECK(!meets("when always then garbage mdts", 0, command(6, 0)), "another CNS");
	lie = lie_of("when always then garbage NSZE value 0", 0, command(6, 0));
	CHECK(lie.offset == 0 && lie.len == 8 && lie.has_value && !lie.value, "nsze");
	lie = lie_of("when always then garbage lbaf value 9", 0, command(6, 0));
	CHECK(lie.offset == 128 && lie.len == 256, "all formats");
	lie = lie_of("when always then garbage lbaf2", 0, command(6, 0));
	CHECK(lie.offset == 136 && lie.len == 4, "a format");
	lie = lie_of("when always then garbage temperature value 0xffff", 0, command(2, 0x10002));
	CHECK(lie.offset == 1 && lie.len == 2 && lie.value == 0xffff, "temperature");
	lie = lie_of("when always then garbage wzsl", 0, command(6, 6));
	CHECK(lie.offset == 1 && lie.len == 1, "wzsl");
	lie = lie_of("when identify cns 2 then garbage 0..7", 0, command(6, 2));
	CHECK(lie.offset == 0 && lie.len == 8, "FIRST..LAST");
	lie = lie_of("when log 0x70 then garbage 100+12", 0, command(2, 0x70));
	CHECK(lie.offset == 100 && lie.len == 12, "OFFSET+LENGTH");
	CHECK(meets("when always then garbage 4", 0, command(6, 2)), "any page");
	CHECK(!meets("when always then garbage 4", 0, command(9, 2)), "no page");
	CHECK(!meets("when read then wrong-data", 1, command(1, 0)), "not a write");
	CHECK(meets("when io then wrong-data", 1, command(1, 0)), "a write");
	CHECK(!meets("when io then wrong-data", 1, command(0, 0)), "a flush has no data");
}

static void test_rdy(void)
{
	struct script *script = with("when nth 2 then rdy stuck\n"
				     "when event disable then rdy late 3s");
	struct lie_hits hits;

	script_event(script, LIE_ON_ENABLE, 0, &hits);
	CHECK(!hits.kinds, "the first enable");
	script_event(script, LIE_ON_ENABLE, 0, &hits);
	CHECK(lie_find(&hits, LIE_RDY_STUCK), "the second enable");
	script_event(script, LIE_ON_DISABLE, 0, &hits);
	CHECK(lie_find(&hits, LIE_RDY_LATE) && lie_find(&hits, LIE_RDY_LATE)->ns == 3000000000,
	      "disable");
	script_free(script);
}

/* Several lies about one command; and the number that a rule has. */
static void test_together(void)
{
	struct script *script = with("when read then wrong-cid\nwhen io then no-interrupt\n"
				     "when read then wrong-cid 5\nwhen read then delay 1us\n"
				     "when read then gone\nwhen read then gone back after 1s");
	struct nvmq_sqe sqe = command(2, 0);
	struct lie_hits hits;
	char *text;

	script_command(script, 1, &sqe, 0, &hits);
	CHECK(hits.nr == 5, "%u", hits.nr);
	CHECK(hits.kinds == (LIE_BIT(LIE_WRONG_CID) | LIE_BIT(LIE_NO_INTERRUPT) |
			     LIE_BIT(LIE_DELAY) | LIE_BIT(LIE_GONE)), "0x%x", hits.kinds);
	CHECK(!lie_find(&hits, LIE_WRONG_CID)->has_value, "the first wins");
	CHECK(hits.lie[3].kind == LIE_GONE && !hits.lie[3].ns && hits.lie[4].kind == LIE_GONE &&
	      hits.lie[4].ns, "the controller's are all there, in order");
	CHECK(!lie_find(&hits, LIE_DROP), "not there");
	CHECK((hits.kinds & LIE_CTRL_KINDS) == LIE_BIT(LIE_GONE), "the controller's");

	CHECK(!script_remove(script, 1) && script_nr(script) == 5, "removed");
	CHECK(script_remove(script, 1) == -ENOENT && script_remove(script, 99) == -ENOENT, "gone");
	script_command(script, 1, &sqe, 0, &hits);
	CHECK(lie_find(&hits, LIE_WRONG_CID)->value == 5, "now the other");
	CHECK(!script_add(script, "s", "when flush then drop", error, sizeof(error)), "%s", error);
	text = printed(script, true);
	CHECK(strstr(text, "when flush then drop  # 7: met 0, told 0\n"), "%s", text);
	free(text);
	CHECK(!script_remove(script, 0) && !script_nr(script) && !script->wanted, "all");
	script_command(script, 1, &sqe, 0, &hits);
	CHECK(!hits.kinds, "nothing left");
	script_command(NULL, 1, &sqe, 0, &hits);
	CHECK(!hits.kinds, "no script");
	CHECK(script_next(NULL) == CLOCK_NEVER && script_next(script) == CLOCK_NEVER, "never");
	script_free(script);
	script_free(NULL);
}

/* ------------------------------------------------------------------ errors */

/*
 * The last line of a text is wrong at a column, where something else was expected; what is found
 * there is the word, or the end.
 */
static void test_wrong(void)
{
	static const struct {
		const char *text;
		unsigned int column;
		const char *wanted;
	} wrong[] = {
		{ "lie", 1, "'when' or 'lies by seed'" },
		{ "when", 5, "a condition or 'then'" },
		{ "when then drop", 6, "a condition, at least 'always'" },
		{ "when read", 10, "a condition or 'then'" },
		{ "when read then", 15, "an action" },
		{ "when read then dro", 16, "an action" },
		{ "# one\n\n  when raed then drop", 8, "a condition or 'then'" },
		{ "when read then drop\nwhen read then drop now", 21, "the end of the line" },
		{ "when\tread   then\tdelay 5", 24, "a time like 20us, 5ms or 1.5s" },
		{ "when read then delay # 5ms", 21, "a time like 20us, 5ms or 1.5s" },
		{ "when queue 65536 then drop", 12, "a queue: N or FIRST..LAST, at most 65535" },
		{ "when queue 5..4 then drop", 12, "a queue: N or FIRST..LAST, at most 65535" },
		{ "when lba 5...9 then drop", 10,
		  "blocks: N or FIRST..LAST, at most 18446744073709551615" },
		{ "when opcode 256 then drop", 13, "a command's name or a number up to 0xff" },
		{ "when nth 0 then drop", 10, "a number from 1 on" },
		{ "when every 0 then drop", 12,
		  "a number, or a time like 5ms; the number, 1 to 4294967295" },
		{ "when read write then drop", 11, "each condition once" },
		{ "when io read io then drop", 14, "each condition once" },
		{ "when read admin then drop", 11, "one of admin and io" },
		{ "when io identify then drop", 9, "one of admin and io" },
		{ "when identify log 2 then drop", 15, "a condition that the command has" },
		{ "when cns 1 log 2 then drop", 12, "one of cns, log and feature" },
		{ "when read register CC write then drop", 11,
		  "another condition about a command, or 'then'" },
		{ "when register CC write read then drop", 24,
		  "another condition about a register, or 'then'" },
		{ "when register CC then drop", 18, "'read' or 'write'" },
		{ "when register CX read then gone", 15, "a register's name like CC, or doorbell" },
		{ "when queue 3 register CC write then drop", 32, "a doorbell: CC is of no queue" },
		{ "when event boom then gone", 12,
		  "an event's name like enable, disable or reset" },
		{ "when probability 101% then drop", 18, "a percentage like 5% or 0.1%" },
		{ "when always then gone", 18, "a condition that says when to tell 'gone'" },
		{ "when always then value 3", 18, "'register NAME read' in front of 'value'" },
		{ "when register CC read then drop", 28,
		  "an action that goes with these conditions" },
		{ "when event enable then twice", 24,
		  "an action that goes with these conditions" },
		{ "when now nth 3 then gone", 21, "no count with a time" },
		{ "when now times 3 then gone", 23, "'every TIME' with 'times'" },
		{ "when every 10ns then gone", 12, "a time of 1us or more" },
		{ "when read then status", 22, "a status name or a number up to 0x7ff" },
		{ "when read then status 0x800", 23, "a status name or a number up to 0x7ff" },
		{ "when read then status internal crd=4", 32, "crd=0 to crd=3" },
		{ "when read then status internal dne", 32, "the end of the line" },
		{ "when admin then refuse-create success", 31, "a status that is no success" },
		{ "when read then refuse-create", 16,
		  "an action that the command has: this is for create-sq or create-cq" },
		{ "when identify then grant 3", 20,
		  "an action that the command has: this is for set- or get-features, feature 7" },
		{ "when feature 6 then grant 3", 21,
		  "an action that the command has: this is for set- or get-features, feature 7" },
		{ "when always then grant 0", 24, "a number of queues, 1 to 65535" },
		{ "when cns 0 then garbage mdts", 25,
		  "a field of the page in the conditions, not of Identify Controller, cns 1" },
		{ "when always then garbage nothing", 26,
		  "a field's name, FIRST..LAST or OFFSET+LENGTH" },
		{ "when always then garbage mdts value 256", 37, "a number, 0 to 255" },
		{ "when always then garbage 5+0", 26,
		  "a field's name, FIRST..LAST or OFFSET+LENGTH" },
		{ "when flush then wrong-data", 17,
		  "an action that the command has: this is for read, write or compare" },
		{ "when now then namespace 0 gone", 25, "a namespace, 1 to 4294967294" },
		{ "when now then namespace 1 moved", 27, "'gone', 'new' or 'resized'" },
		{ "when now then namespace 1 new", 30, "blocks, 1 to 281474976710656" },
		{ "when now then event flood", 26, "how many, 1 to 1000000" },
		{ "when now then event flood 3 type 8", 34, "a number, 0 to 7" },
		{ "when now then gone back", 24, "'after'" },
		{ "when now then gone back after 0s", 31, "a time like 500ms, not 0" },
		{ "when always then rdy", 21, "'stuck' or 'late'" },
		{ "lies", 5, "'by'" },
		{ "lies by chance", 9, "'seed'" },
		{ "lies by seed 3 count 1001", 22, "a number of lines, 1 to 1000" },
		{ "when feature 7 then garbage 0", 29,
		  "an action that the command has: this is for identify or get-log-page" },
		{ "when now then event flood 3 log", 32, "a number, 0 to 255" },
		{ "when now then event flood 3 4", 29,
		  "'type', 'info', 'log' or the end of the line" },
		{ "lies by seed x", 14, "a seed, 0 to 18446744073709551615" },
		{ "lies by seed 3 more", 16, "'count', 'mild' or the end of the line" },
	};
	static const struct {
		const char *text, *error;
	} other[] = {
		{ "when read\x01 then drop", "s:1:10: expected text, found byte 0x01" },
		{ "when read then delay 5m\xc2\xb5s", "s:1:24: expected text, found byte 0xc2" },
	};
	struct script *script = with("when flush then drop");
	char *text = malloc(5000), expected[256];
	size_t i;

	for (i = 0; i < NR(wrong); i++) {
		const char *last = strrchr(wrong[i].text, '\n'), *c;
		unsigned int line = 1;

		for (c = wrong[i].text; *c; c++)
			line += *c == '\n';
		last = last ? last + 1 : wrong[i].text;
		c = wrong[i].column > strlen(last) ? "" : last + wrong[i].column - 1;
		snprintf(expected, sizeof(expected), "s:%u:%u: expected %s, found %s%.*s%s", line,
			 wrong[i].column, wrong[i].wanted, *c && *c != ' ' ? "'" : "",
			 *c && *c != ' ' ? (int)strcspn(c, " ") : 99,
			 *c && *c != ' ' ? c : "the end of the line", *c && *c != ' ' ? "'" : "");
		CHECK(script_add(script, "s", wrong[i].text, error, sizeof(error)) == -EINVAL,
		      "'%s' is taken", wrong[i].text);
		CHECK(!strcmp(error, expected), "'%s': %s, not %s", wrong[i].text, error, expected);
		CHECK(script_nr(script) == 1, "'%s' left something", wrong[i].text);
	}
	for (i = 0; i < NR(other); i++) {
		CHECK(script_add(script, "s", other[i].text, error, sizeof(error)) == -EINVAL,
		      "'%s' is taken", other[i].text);
		CHECK(!strcmp(error, other[i].error), "'%s': %s", other[i].text, error);
	}
	memset(text, ' ', 5000);
	memcpy(text, "when read", 9);
	memcpy(text + 4000, "then drop", 10);
	CHECK(script_add(script, "s", text, error, sizeof(error)) == -EINVAL &&
	      !strcmp(error, "s:1:1024: expected a line of less than 1024 bytes"), "%s", error);
	for (i = 0; i < 100; i++)
		memcpy(text + 5 * i, "read ", 5);
	text[500] = 0;
	CHECK(script_add(script, "s", text, error, sizeof(error)) == -EINVAL &&
	      !strcmp(error, "s:1:241: expected at most 48 words"), "%s", error);
	/* An error that does not fit is cut. */
	CHECK(script_add(script, "s", "when raed then drop", error, 10) == -EINVAL &&
	      !strcmp(error, "s:1:6: ex"), "%s", error);
	free(text);
	script_free(script);
}

static void test_file(void)
{
	static const char lines[] =
		"# lies\r\n\r\n  when   read\tthen  drop # always\r\nwhen now then cfs";
	char name[] = "/tmp/script-test.XXXXXX";
	struct script *script = script_new();
	int fd = mkstemp(name);
	char *text;

	CHECK(fd >= 0, "mkstemp");
	CHECK(write(fd, lines, strlen(lines)) == (ssize_t)strlen(lines), "write");
	CHECK(!script_load(script, name, error, sizeof(error)), "%s", error);
	text = printed(script, false);
	CHECK(!strcmp(text, "when read then drop\nwhen now then cfs\n"), "%s", text);
	free(text);
	CHECK(write(fd, "\0", 1) == 1, "write");
	CHECK(script_load(script, name, error, sizeof(error)) == -EINVAL &&
	      strstr(error, "a byte of 0"), "%s", error);
	CHECK(!ftruncate(fd, (1 << 20) + 1), "ftruncate");
	CHECK(script_load(script, name, error, sizeof(error)) == -EINVAL &&
	      strstr(error, "at most 1048576 bytes"), "%s", error);
	CHECK(script_load(script, "/nonexistent", error, sizeof(error)) == -ENOENT, "%s", error);
	CHECK(script_load(script, "/tmp", error, sizeof(error)) < 0, "a directory");
	CHECK(script_nr(script) == 2, "what was there stays");
	close(fd);
	unlink(name);
	script_free(script);
}

/* Every line that the documentation shows is one. */
static void test_documentation(void)
{
	FILE *in = fopen("../../Documentation/strict-device.rst", "r");
	struct script *script = script_new();
	unsigned int nr = 0;
	char line[256];

	CHECK(in, "Documentation/strict-device.rst: %s", strerror(errno));
	while (in && fgets(line, sizeof(line), in)) {
		if ((strncmp(line, "    when ", 9) && strncmp(line, "    lies by ", 12)) ||
		    strstr(line, "CONDITIONS"))
			continue;
		CHECK(!script_add(script, "doc", line, error, sizeof(error)), "%s", error);
		nr++;
	}
	CHECK(nr > 15, "%u lines", nr);
	if (in)
		fclose(in);
	script_free(script);
}

/* ------------------------------------------------------------- random lies */

static void test_random(void)
{
	bool told[NR_LIE_KINDS] = { false }, mild[NR_LIE_KINDS] = { false };
	char line[64], *first = NULL;
	unsigned int seed, kind, nr = 0;

	for (seed = 0; seed < 600; seed++) {
		struct script *a, *b, *c;
		char *one, *two;
		char *all = NULL;

		snprintf(line, sizeof(line), "lies by seed %u count 10%s", seed,
			 seed & 1 ? " mild" : "");
		a = with(line);
		b = with(line);
		one = printed(a, false);
		two = printed(b, false);
		CHECK(script_nr(a) == 10, "%u lines", script_nr(a));
		CHECK(!strcmp(one, two), "seed %u is not repeatable", seed);
		c = with(one);
		all = printed(c, false);
		CHECK(!strcmp(one, all), "seed %u does not read back", seed);
		CHECK(!first || strcmp(first, one), "seed %u is as seed 0", seed);
		for (kind = 0; kind < NR_LIE_KINDS; kind++) {
			char word[64];

			/* "namespace gone" is written "namespace 1 gone". */
			snprintf(word, sizeof(word), "then %s", lie_kind_name(kind));
			if (!strncmp(lie_kind_name(kind), "namespace", 9))
				snprintf(word, sizeof(word), " %s", lie_kind_name(kind) + 10);
			if (strstr(one, word))
				(seed & 1 ? mild : told)[kind] = true;
		}
		if (!first)
			first = strdup(one);
		free(one);
		free(two);
		free(all);
		script_free(a);
		script_free(b);
		script_free(c);
	}
	for (kind = 0; kind < NR_LIE_KINDS; kind++) {
		/* These are for scripts that know what they want. */
		if (kind == LIE_VALUE || kind == LIE_BACK || kind == LIE_NS_NEW)
			continue;
		CHECK(told[kind], "'%s' is never told", lie_kind_name(kind));
		nr += mild[kind];
	}
	CHECK(nr == 6 && mild[LIE_STATUS] && mild[LIE_DELAY] && mild[LIE_REORDER] &&
	      mild[LIE_SPURIOUS] && mild[LIE_EVENT_FLOOD] && mild[LIE_GRANT], "%u mild kinds", nr);
	free(first);
}

/* Neither rubbish nor nearly right lines do harm; ASan looks. */
static void test_rubbish(void)
{
	static const char * const words[] = {
		"when", "then", "read", "io", "admin", "queue", "nth", "every", "0", "1", "3..5",
		"5ms", "lba", "register", "CC", "CSTS", "write", "event", "enable", "flood",
		"probability", "50%", "seed", "after", "now", "status", "internal", "dnr", "crd=1",
		"drop", "delay", "twice", "grant", "garbage", "mdts", "lbaf63", "value", "enable",
		"gone", "back", "new", "resized", "rdy", "stuck", "late", "lies", "by", "count",
		"mild", "#", "\n", "18446744073709551615", "0xffffffffffffffff", "1+1", "identify",
		"cns", "log", "feature", "always", "once", "times", "from", "all-ones", "cfs",
		"wrong-data", "reorder", "within", "doorbell", "refuse-create", "executed",
	};
	struct script *script = script_new();
	unsigned int i, j, taken = 0;
	struct nvmq_sqe sqe;
	struct lie_hits hits;

	for (i = 0; i < 60000; i++) {
		char text[600] = "";
		size_t len = 0;

		if (i & 1) {
			len = rnd_in(0, 60);
			for (j = 0; j < len; j++)
				text[j] = rnd_in(1, 255);
		} else {
			unsigned int nr = rnd_in(1, 10);

			len = sprintf(text, "when %s then", words[rnd() % NR(words)]);
			for (j = 0; j < nr; j++)
				len += sprintf(text + len, " %s", words[rnd() % NR(words)]);
			/* Without "when": other words in front. */
			if (!(rnd() % 4))
				memmove(text, text + 5, len - 4);
		}
		error[0] = 0;
		if (!script_add(script, "s", text, error, sizeof(error)))
			taken++;
		else
			CHECK(!strncmp(error, "s:", 2) || !strncmp(error, "lies by", 7), "%s",
			      error);
		CHECK(strlen(error) < sizeof(error), "long");
		if (i % 64)
			continue;
		for (j = 0; j < sizeof(sqe); j++)
			((uint8_t *)&sqe)[j] = rnd();
		script_command(script, rnd() % 4, &sqe, clock_now(), &hits);
		script_register(script, rnd() & 1, rnd() % 0x2000, rnd() % 3 - 1, clock_now(),
				&hits);
		script_event(script, rnd() % NR_LIE_EVENTS, clock_now(), &hits);
		script_time(script, clock_now() + 1000000000, &hits);
		if (script_nr(script) > 500)
			script_remove(script, 0);
	}
	CHECK(taken > 200, "only %u of the lines were right", taken);
	script_free(script);
}

/* ------------------------------------------------------------------- bytes */

static void test_spoil(void)
{
	uint8_t whole[4096], pieces[4096];
	struct lie lie = { .kind = LIE_GARBAGE, .offset = 1000, .len = 200, .seed = 77 };
	unsigned int i, at, len, changed = 0;

	memset(whole, 0x5a, sizeof(whole));
	memset(pieces, 0x5a, sizeof(pieces));
	lie_spoil(&lie, 0, 4096, whole, 4096);
	for (i = 0; i < 4096; i++)
		CHECK((whole[i] != 0x5a) == (i >= 1000 && i < 1200), "byte %u: %x", i, whole[i]);
	/* In pieces it is the same. */
	for (at = 0; at < 4096; at += len) {
		len = rnd_in(1, 300);
		if (len > 4096 - at)
			len = 4096 - at;
		lie_spoil(&lie, at, 4096, pieces + at, len);
	}
	CHECK(!memcmp(whole, pieces, 4096), "in pieces it differs");
	lie.has_value = true;
	lie.value = 0x0102030405060708;
	lie_spoil(&lie, 0, 4096, whole, 4096);
	for (i = 0; i < 200; i++)
		CHECK(whole[1000 + i] == (i < 8 ? 8 - i : 0), "byte %u: %x", i, whole[1000 + i]);
	/* One byte somewhere; nothing outside what there is. */
	for (i = 0; i < 200; i++) {
		struct lie one = { .kind = LIE_WRONG_DATA, .seed = i };
		unsigned int n = 0;

		memset(whole, 0, sizeof(whole));
		lie_spoil(&one, 0, 512, whole, 512);
		for (at = 0; at < 4096; at++)
			n += whole[at] != 0;
		for (at = 512; at < 4096; at++)
			CHECK(!whole[at], "outside");
		CHECK(n == 1, "%u bytes", n);
		changed += whole[0] != 0;
	}
	CHECK(changed < 20, "always the same byte");
	lie.offset = UINT32_MAX;
	lie.len = UINT32_MAX;
	memset(whole, 0, sizeof(whole));
	lie_spoil(&lie, 0, 4096, whole, 4096);
	lie_spoil(&lie, 0, 0, whole, 0);
	for (at = 0; at < 4096; at++)
		CHECK(!whole[at], "beyond the end");
}

int main(void)
{
	TAP_RUN(test_opcodes);
	TAP_RUN(test_queues);
	TAP_RUN(test_blocks);
	TAP_RUN(test_selectors);
	TAP_RUN(test_counts);
	TAP_RUN(test_luck);
	TAP_RUN(test_registers);
	TAP_RUN(test_events);
	TAP_RUN(test_time);
	TAP_RUN(test_status);
	TAP_RUN(test_actions);
	TAP_RUN(test_admin_actions);
	TAP_RUN(test_rdy);
	TAP_RUN(test_together);
	TAP_RUN(test_wrong);
	TAP_RUN(test_file);
	TAP_RUN(test_documentation);
	TAP_RUN(test_random);
	TAP_RUN(test_rubbish);
	TAP_RUN(test_spoil);
	return tap_done();
}
