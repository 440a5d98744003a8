// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "mix.h"
#include "script.h"

#define MAX_TOKENS	48
#define MAX_LINE	1024
#define MAX_RULES	4096
#define MAX_FILE	(1 << 20)
/* "lies by seed N" without a count */
#define RANDOM_LINES	8

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
/* Not a point: nothing in the conditions says one yet. */
#define ANY_POINT	NR_LIE_POINTS
#define AT(point)	(1u << (point))
#define AT_ALL		(AT(NR_LIE_POINTS) - 1)

enum space { BOTH, ADMIN, IO };

/* Commands whose number the language has a name for: base figure 138, nvm figure 18. */
static const struct opcode {
	const char *name;
	uint8_t opcode;
	uint8_t space;
} opcodes[] = {
	{ "delete-sq", 0x00, ADMIN }, { "create-sq", 0x01, ADMIN },
	{ "get-log-page", 0x02, ADMIN }, { "delete-cq", 0x04, ADMIN },
	{ "create-cq", 0x05, ADMIN }, { "identify", 0x06, ADMIN },
	{ "abort", 0x08, ADMIN }, { "set-features", 0x09, ADMIN },
	{ "get-features", 0x0a, ADMIN }, { "async-event", 0x0c, ADMIN },
	{ "ns-management", 0x0d, ADMIN }, { "firmware-commit", 0x10, ADMIN },
	{ "firmware-download", 0x11, ADMIN }, { "self-test", 0x14, ADMIN },
	{ "ns-attachment", 0x15, ADMIN }, { "keep-alive", 0x18, ADMIN },
	{ "directive-send", 0x19, ADMIN }, { "directive-receive", 0x1a, ADMIN },
	{ "virtualization", 0x1c, ADMIN }, { "doorbell-buffer", 0x7c, ADMIN },
	{ "format", 0x80, ADMIN }, { "security-send", 0x81, ADMIN },
	{ "security-receive", 0x82, ADMIN }, { "sanitize", 0x84, ADMIN },
	{ "get-lba-status", 0x86, ADMIN },
	{ "flush", 0x00, IO }, { "write", 0x01, IO }, { "read", 0x02, IO },
	{ "write-uncorrectable", 0x04, IO }, { "compare", 0x05, IO },
	{ "write-zeroes", 0x08, IO }, { "dsm", 0x09, IO }, { "verify", 0x0c, IO },
	{ "reservation-register", 0x0d, IO }, { "reservation-report", 0x0e, IO },
	{ "reservation-acquire", 0x11, IO }, { "reservation-release", 0x15, IO },
	{ "copy", 0x19, IO },
};

#define OP_GET_LOG_PAGE		0x02
#define OP_GET_FEATURES		0x0a

/* Base figures 94 to 97, nvm figures 6 and 8; the driver has no use for most. */
static const struct status {
	const char *name;
	uint16_t status;
} statuses[] = {
	{ "success", 0x000 }, { "invalid-opcode", 0x001 }, { "invalid-field", 0x002 },
	{ "cid-conflict", 0x003 }, { "data-transfer", 0x004 }, { "power-loss", 0x005 },
	{ "internal", 0x006 }, { "abort-requested", 0x007 }, { "abort-sq-deleted", 0x008 },
	{ "abort-failed-fuse", 0x009 }, { "abort-missing-fuse", 0x00a },
	{ "invalid-namespace", 0x00b }, { "command-sequence", 0x00c },
	{ "invalid-sgl-segment", 0x00d }, { "invalid-sgl-count", 0x00e },
	{ "invalid-sgl-length", 0x00f }, { "invalid-sgl-metadata", 0x010 },
	{ "invalid-sgl-type", 0x011 }, { "invalid-cmb", 0x012 }, { "invalid-prp-offset", 0x013 },
	{ "atomic-write-unit", 0x014 }, { "operation-denied", 0x015 },
	{ "host-id-inconsistent", 0x018 }, { "keep-alive-expired", 0x019 },
	{ "keep-alive-invalid", 0x01a }, { "sanitize-failed", 0x01c },
	{ "sanitize-in-progress", 0x01d }, { "ns-write-protected", 0x020 },
	{ "command-interrupted", 0x021 }, { "transient-transport", 0x022 },
	{ "lba-range", 0x080 }, { "capacity-exceeded", 0x081 }, { "ns-not-ready", 0x082 },
	{ "reservation-conflict", 0x083 }, { "format-in-progress", 0x084 },
	{ "cq-invalid", 0x100 }, { "qid-invalid", 0x101 }, { "queue-size", 0x102 },
	{ "abort-limit", 0x103 }, { "event-limit", 0x105 }, { "invalid-firmware-slot", 0x106 },
	{ "invalid-firmware-image", 0x107 }, { "invalid-vector", 0x108 },
	{ "invalid-log-page", 0x109 }, { "invalid-format", 0x10a },
	{ "invalid-queue-deletion", 0x10c }, { "feature-not-saveable", 0x10d },
	{ "feature-not-changeable", 0x10e }, { "feature-not-per-ns", 0x10f },
	{ "overlapping-range", 0x114 }, { "ns-insufficient-capacity", 0x115 },
	{ "ns-id-unavailable", 0x116 }, { "ns-attached", 0x118 }, { "ns-private", 0x119 },
	{ "ns-not-attached", 0x11a }, { "thin-unsupported", 0x11b },
	{ "ctrl-list-invalid", 0x11c }, { "self-test-in-progress", 0x11d },
	{ "conflicting-attributes", 0x180 }, { "invalid-pi", 0x181 },
	{ "read-only-range", 0x182 }, { "size-limit", 0x183 },
	{ "write-fault", 0x280 }, { "unrecovered-read", 0x281 }, { "guard-check", 0x282 },
	{ "apptag-check", 0x283 }, { "reftag-check", 0x284 }, { "compare-failed", 0x285 },
	{ "access-denied", 0x286 }, { "unwritten-block", 0x287 },
	{ "path-internal", 0x300 }, { "ana-persistent-loss", 0x301 },
	{ "ana-inaccessible", 0x302 }, { "ana-transition", 0x303 },
	{ "path-error", 0x360 }, { "host-pathing", 0x370 }, { "host-aborted", 0x371 },
};

/* Registers, base figure 35 and pcie 3.1.2; all doorbells are one name. */
static const struct reg {
	const char *name;
	uint32_t offset;
	uint32_t len;
} regs[] = {
	{ "CAP", 0x00, 8 }, { "VS", 0x08, 4 }, { "INTMS", 0x0c, 4 }, { "INTMC", 0x10, 4 },
	{ "CC", 0x14, 4 }, { "CSTS", 0x1c, 4 }, { "NSSR", 0x20, 4 }, { "AQA", 0x24, 4 },
	{ "ASQ", 0x28, 8 }, { "ACQ", 0x30, 8 }, { "CMBLOC", 0x38, 4 }, { "CMBSZ", 0x3c, 4 },
	{ "BPINFO", 0x40, 4 }, { "BPRSEL", 0x44, 4 }, { "BPMBL", 0x48, 8 },
	{ "CMBMSC", 0x50, 8 }, { "CMBSTS", 0x58, 4 }, { "CMBEBS", 0x5c, 4 },
	{ "CMBSWTP", 0x60, 4 }, { "NSSD", 0x64, 4 }, { "CRTO", 0x68, 4 }, { "PMRCAP", 0xe00, 4 },
	{ "PMRCTL", 0xe04, 4 }, { "PMRSTS", 0xe08, 4 }, { "PMREBS", 0xe0c, 4 },
	{ "PMRSWTP", 0xe10, 4 }, { "PMRMSCL", 0xe14, 4 }, { "PMRMSCU", 0xe18, 4 },
	{ "doorbell", NVMQ_REG_DOORBELLS, UINT32_MAX - NVMQ_REG_DOORBELLS },
};

static const char * const event_names[NR_LIE_EVENTS] = {
	[LIE_ON_ENABLE] = "enable",
	[LIE_ON_DISABLE] = "disable",
	[LIE_ON_READY] = "ready",
	[LIE_ON_SHUTDOWN] = "shutdown",
	[LIE_ON_FLR] = "flr",
	[LIE_ON_SUBSYSTEM_RESET] = "subsystem-reset",
	[LIE_ON_RESET] = "reset",
	[LIE_ON_CONNECT] = "connect",
	[LIE_ON_DISCONNECT] = "disconnect",
	[LIE_ON_QUEUE_CREATED] = "queue-created",
	[LIE_ON_QUEUE_DELETED] = "queue-deleted",
};

/* What a line says to do: the first word of the action, and the points it is possible at. */
static const struct kind {
	const char *name;
	uint32_t points;
} kinds[NR_LIE_KINDS] = {
	[LIE_STATUS] = { "status", AT(LIE_AT_COMMAND) },
	[LIE_DROP] = { "drop", AT(LIE_AT_COMMAND) | AT(LIE_AT_REG_WRITE) },
	[LIE_DELAY] = { "delay", AT(LIE_AT_COMMAND) },
	[LIE_TWICE] = { "twice", AT(LIE_AT_COMMAND) },
	[LIE_WRONG_CID] = { "wrong-cid", AT(LIE_AT_COMMAND) },
	[LIE_WRONG_SQ] = { "wrong-sq", AT(LIE_AT_COMMAND) },
	[LIE_WRONG_PHASE] = { "wrong-phase", AT(LIE_AT_COMMAND) },
	[LIE_REORDER] = { "reorder", AT(LIE_AT_COMMAND) },
	[LIE_NO_INTERRUPT] = { "no-interrupt", AT(LIE_AT_COMMAND) },
	[LIE_GRANT] = { "grant", AT(LIE_AT_COMMAND) },
	[LIE_GARBAGE] = { "garbage", AT(LIE_AT_COMMAND) },
	[LIE_WRONG_DATA] = { "wrong-data", AT(LIE_AT_COMMAND) },
	[LIE_LATE_DATA] = { "data-after-completion", AT(LIE_AT_COMMAND) },
	[LIE_VALUE] = { "value", AT(LIE_AT_REG_READ) },
	[LIE_ALL_ONES] = { "all-ones", AT(LIE_AT_REG_READ) },
	[LIE_SPURIOUS] = { "spurious-interrupt", AT_ALL },
	[LIE_DEAD_READS] = { "all-ones", AT_ALL },
	[LIE_RDY_STUCK] = { "rdy stuck", AT(LIE_AT_EVENT) },
	[LIE_RDY_LATE] = { "rdy late", AT(LIE_AT_EVENT) },
	[LIE_CFS] = { "cfs", AT_ALL },
	[LIE_GONE] = { "gone", AT_ALL },
	[LIE_BACK] = { "back", AT_ALL },
	[LIE_NS_GONE] = { "namespace gone", AT_ALL },
	[LIE_NS_NEW] = { "namespace new", AT_ALL },
	[LIE_NS_RESIZED] = { "namespace resized", AT_ALL },
	[LIE_EVENT_FLOOD] = { "event flood", AT_ALL },
};

/* Pages that fields are known of. */
enum page {
	PAGE_ID_NS,
	PAGE_ID_CTRL,
	PAGE_ID_CTRL_NVM,
	PAGE_LOG_ERROR,
	PAGE_LOG_SMART,
	PAGE_LOG_FIRMWARE,
	NO_PAGE,
};

static const struct page_info {
	const char *name;
	uint8_t opcode;
	uint8_t selector;	/* CNS or log page */
} pages[] = {
	[PAGE_ID_NS] = { "Identify Namespace, cns 0", NVMQ_ADMIN_IDENTIFY, NVMQ_CNS_NAMESPACE },
	[PAGE_ID_CTRL] = { "Identify Controller, cns 1", NVMQ_ADMIN_IDENTIFY,
			   NVMQ_CNS_CONTROLLER },
	[PAGE_ID_CTRL_NVM] = { "Identify Controller of the command set, cns 6",
			       NVMQ_ADMIN_IDENTIFY, NVMQ_CNS_CONTROLLER_CSS },
	[PAGE_LOG_ERROR] = { "the error log, log 1", OP_GET_LOG_PAGE, 1 },
	[PAGE_LOG_SMART] = { "the health log, log 2", OP_GET_LOG_PAGE, 2 },
	[PAGE_LOG_FIRMWARE] = { "the firmware log, log 3", OP_GET_LOG_PAGE, 3 },
};

#define FIELD(page, type, field)						\
	{ #field, page, offsetof(struct type, field), sizeof(((struct type *)0)->field) }
#define C(field) FIELD(PAGE_ID_CTRL, nvmq_id_ctrl, field)
#define N(field) FIELD(PAGE_ID_NS, nvmq_id_ns, field)
#define V(field) FIELD(PAGE_ID_CTRL_NVM, nvmq_id_ctrl_nvm, field)

/* The log pages by number: base figures 206 to 208. */
static const struct field {
	const char *name;
	enum page page;
	uint16_t offset;
	uint16_t len;
} fields[] = {
	C(vid), C(ssvid), C(sn), C(mn), C(fr), C(rab), C(ieee), C(cmic), C(mdts), C(cntlid), C(ver),
	C(rtd3r), C(rtd3e), C(oaes), C(ctratt), C(oacs), C(acl), C(aerl), C(frmw), C(lpa), C(elpe),
	C(npss), C(avscc), C(apsta), C(wctemp), C(cctemp), C(sqes), C(cqes), C(maxcmd), C(nn),
	C(oncs), C(fuses), C(fna), C(vwc), C(awun), C(awupf), C(icsvscc), C(nwpc), C(acwu),
	C(sgls), C(mnan), C(subnqn),
	{ "mtfa", PAGE_ID_CTRL, 270, 2 }, { "hmpre", PAGE_ID_CTRL, 272, 4 },
	{ "hmmin", PAGE_ID_CTRL, 276, 4 }, { "tnvmcap", PAGE_ID_CTRL, 280, 16 },
	{ "unvmcap", PAGE_ID_CTRL, 296, 16 }, { "rpmbs", PAGE_ID_CTRL, 312, 4 },
	{ "kas", PAGE_ID_CTRL, 320, 2 }, { "sanicap", PAGE_ID_CTRL, 328, 4 },
	{ "anatt", PAGE_ID_CTRL, 342, 1 }, { "anacap", PAGE_ID_CTRL, 343, 1 },
	{ "anagrpmax", PAGE_ID_CTRL, 344, 4 }, { "nanagrpid", PAGE_ID_CTRL, 348, 4 },
	N(nsze), N(ncap), N(nuse), N(nsfeat), N(nlbaf), N(flbas), N(mc), N(dpc), N(dps), N(nmic),
	N(rescap), N(fpi), N(dlfeat), N(nawun), N(nawupf), N(nacwu), N(nabsn), N(nabo), N(nabspf),
	N(noiob), N(nvmcap), N(npwg), N(npwa), N(npdg), N(npda), N(nows), N(mssrl), N(mcl),
	N(msrc), N(anagrpid), N(nsattr), N(nvmsetid), N(endgid), N(nguid), N(eui64), N(lbaf),
	V(vsl), V(wzsl), V(wusl), V(dmrl), V(dmrsl), V(dmsl),
	{ "error-count", PAGE_LOG_ERROR, 0, 8 }, { "error-sqid", PAGE_LOG_ERROR, 8, 2 },
	{ "error-cid", PAGE_LOG_ERROR, 10, 2 }, { "error-status", PAGE_LOG_ERROR, 12, 2 },
	{ "error-lba", PAGE_LOG_ERROR, 16, 8 }, { "error-nsid", PAGE_LOG_ERROR, 24, 4 },
	{ "critical-warning", PAGE_LOG_SMART, 0, 1 }, { "temperature", PAGE_LOG_SMART, 1, 2 },
	{ "available-spare", PAGE_LOG_SMART, 3, 1 }, { "spare-threshold", PAGE_LOG_SMART, 4, 1 },
	{ "percentage-used", PAGE_LOG_SMART, 5, 1 }, { "units-read", PAGE_LOG_SMART, 32, 16 },
	{ "units-written", PAGE_LOG_SMART, 48, 16 }, { "power-cycles", PAGE_LOG_SMART, 112, 16 },
	{ "power-on-hours", PAGE_LOG_SMART, 128, 16 }, { "media-errors", PAGE_LOG_SMART, 160, 16 },
	{ "afi", PAGE_LOG_FIRMWARE, 0, 1 }, { "frs1", PAGE_LOG_FIRMWARE, 8, 8 },
};

#undef C
#undef N
#undef V

/* What the conditions of a line have named. */
enum {
	HAS_OPCODE = 1 << 0,
	HAS_QUEUE = 1 << 1,
	HAS_NSID = 1 << 2,
	HAS_LBA = 1 << 3,
	HAS_CNS = 1 << 4,
	HAS_LOG = 1 << 5,
	HAS_FEATURE = 1 << 6,
	HAS_NTH = 1 << 7,
	HAS_EVERY = 1 << 8,
	HAS_TIMES = 1 << 9,
	HAS_CHANCE = 1 << 10,
	HAS_SEED = 1 << 11,
	HAS_AFTER = 1 << 12,
	HAS_PERIOD = 1 << 13,
	HAS_REGISTER = 1 << 14,
	HAS_EVENT = 1 << 15,
	HAS_SPACE = 1 << 16,
	HAS_ALWAYS = 1 << 17,
};

/* Commands that an action is about by itself. */
enum narrow { NO_NARROW, NARROW_CREATE, NARROW_GRANT, NARROW_PAGE, NARROW_PAGES, NARROW_DATA };

/**
 * struct rule - one line
 * @number: never used again for another line
 * @text: words with one blank between
 * @point: where it is looked at
 * @has: which of the following count
 * @seen: moments that met all conditions but the counts and luck
 * @fired: lies it told
 * @due: AT_TIME: when; CLOCK_NEVER: no more
 * @born: when it was added: "after" counts from then
 * @lie: what it tells
 */
struct rule {
	unsigned int number;
	char *text;
	enum lie_point point;
	uint32_t has;
	enum space space;
	uint8_t opcode;
	uint8_t selector;
	enum narrow narrow;
	enum page page;
	uint32_t nsid;
	uint64_t queue_lo, queue_hi;
	uint64_t lba_lo, lba_hi;
	uint64_t nth_lo, nth_hi;
	uint64_t every;
	uint64_t times;
	uint64_t chance;
	uint64_t seed;
	uint64_t after;
	uint64_t period;
	const struct reg *reg;
	enum lie_event event;
	uint64_t seen;
	uint64_t fired;
	uint64_t due;
	uint64_t born;
	struct lie lie;
};

struct script_rest {
	struct rule **rules;
	unsigned int nr;
	unsigned int room;
	unsigned int numbers;
	unsigned long told[NR_LIE_KINDS];
};

struct token {
	char *text;
	unsigned int column;
};

/* A line being read. */
struct parse {
	const char *name;
	unsigned int line;
	unsigned int end;		/* column behind the last word */
	struct token token[MAX_TOKENS];
	unsigned int nr;
	unsigned int at;
	char *error;
	size_t size;
	char buf[MAX_LINE];
};

/* ------------------------------------------------------------------ errors */

__attribute__((format(printf, 3, 4)))
static int fail_at(struct parse *p, unsigned int token, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (token < p->nr)
		snprintf(p->error, p->size, "%s:%u:%u: expected %s, found '%.40s'", p->name,
			 p->line, p->token[token].column, what, p->token[token].text);
	else
		snprintf(p->error, p->size, "%s:%u:%u: expected %s, found the end of the line",
			 p->name, p->line, p->end, what);
	return -EINVAL;
}

#define fail(p, ...)	fail_at(p, (p)->at, __VA_ARGS__)

/* ------------------------------------------------------------------- words */

static const char *peek(const struct parse *p)
{
	return p->at < p->nr ? p->token[p->at].text : "";
}

/* Take the next word if it is this one. */
static bool word(struct parse *p, const char *text)
{
	if (strcasecmp(peek(p), text))
		return false;
	p->at++;
	return true;
}

/* A number at the start of @text; @end becomes what is behind it. */
static bool number_in(const char *text, const char **end, uint64_t *value)
{
	char *stop;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &stop, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
	*end = stop;
	return !errno;
}

static bool is_number(const char *text, uint64_t *value)
{
	const char *end;

	return number_in(text, &end, value) && !*end;
}

static int number(struct parse *p, const char *what, uint64_t lo, uint64_t hi, uint64_t *value)
{
	if (!is_number(peek(p), value) || *value < lo || *value > hi)
		return fail(p, "%s, %llu to %llu", what, (unsigned long long)lo,
			    (unsigned long long)hi);
	p->at++;
	return 0;
}

/* A number if there is one. */
static int maybe_number(struct parse *p, const char *what, uint64_t lo, uint64_t hi,
			uint64_t *value, bool *there)
{
	uint64_t any;

	*there = is_number(peek(p), &any);
	return *there ? number(p, what, lo, hi, value) : 0;
}

/* A, or A..B with both included; with @plus also A+LENGTH. */
static bool range_in(const char *text, bool plus, uint64_t *lo, uint64_t *hi)
{
	uint64_t len;

	if (!number_in(text, &text, lo))
		return false;
	*hi = *lo;
	if (!*text)
		return true;
	if (plus && *text == '+') {
		if (!is_number(text + 1, &len) || !len || len - 1 > UINT64_MAX - *lo)
			return false;
		*hi = *lo + len - 1;
		return true;
	}
	return text[0] == '.' && text[1] == '.' && is_number(text + 2, hi) && *hi >= *lo;
}

static int range(struct parse *p, const char *what, uint64_t max, uint64_t *lo, uint64_t *hi)
{
	if (!range_in(peek(p), false, lo, hi) || *hi > max)
		return fail(p, "%s: N or FIRST..LAST, at most %llu", what,
			    (unsigned long long)max);
	p->at++;
	return 0;
}

static int time_of(struct parse *p, uint64_t *ns)
{
	if (!clock_parse_time(peek(p), ns))
		return fail(p, "a time like 20us, 5ms or 1.5s");
	p->at++;
	return 0;
}

const char *script_opcode_name(bool io, uint8_t opcode)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(opcodes); i++)
		if (opcodes[i].opcode == opcode && opcodes[i].space == (io ? IO : ADMIN))
			return opcodes[i].name;
	return NULL;
}

static const struct opcode *opcode_named(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(opcodes); i++)
		if (!strcasecmp(opcodes[i].name, name))
			return &opcodes[i];
	return NULL;
}

static bool status_named(const char *name, uint64_t *status)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(statuses); i++)
		if (!strcasecmp(statuses[i].name, name)) {
			*status = statuses[i].status;
			return true;
		}
	return is_number(name, status) && *status <= NVMQ_SC_MASK;
}

/* -------------------------------------------------------------- conditions */

/* The line is of @point: is that possible with what came before? */
static int at_point(struct parse *p, struct rule *r, enum lie_point point, unsigned int token)
{
	static const char * const names[] = {
		[LIE_AT_COMMAND] = "a command", [LIE_AT_REG_READ] = "a register",
		[LIE_AT_REG_WRITE] = "a register", [LIE_AT_EVENT] = "an event",
		[LIE_AT_TIME] = "a time",
	};

	if (r->point != ANY_POINT && r->point != point)
		return fail_at(p, token, "another condition about %s, or 'then'", names[r->point]);
	r->point = point;
	return 0;
}

static int has_once(struct parse *p, struct rule *r, uint32_t has, unsigned int token)
{
	if (r->has & has)
		return fail_at(p, token, "each condition once");
	r->has |= has;
	return 0;
}

/* A condition about a command. */
static int of_command(struct parse *p, struct rule *r, uint32_t has, unsigned int token)
{
	int err = has_once(p, r, has, token);

	return err ? err : at_point(p, r, LIE_AT_COMMAND, token);
}

static int in_space(struct parse *p, struct rule *r, enum space space, unsigned int token)
{
	if (r->space != BOTH && r->space != space)
		return fail_at(p, token, "one of admin and io");
	r->space = space;
	return 0;
}

static int cond_opcode(struct parse *p, struct rule *r, bool numbers)
{
	const struct opcode *op = opcode_named(peek(p));
	unsigned int token = p->at;
	uint64_t value = 0;
	int err;

	if (!op && !(numbers && is_number(peek(p), &value) && value <= 0xff))
		return fail(p, "a command's name or a number up to 0xff");
	p->at++;
	err = of_command(p, r, HAS_OPCODE, token);
	if (err)
		return err;
	r->opcode = op ? op->opcode : value;
	return op ? in_space(p, r, op->space, token) : 0;
}

static int cond_selector(struct parse *p, struct rule *r, const char *what, uint32_t has,
			 uint8_t opcode, uint8_t opcode2)
{
	unsigned int token = p->at - 1;
	uint64_t value;
	int err;

	if (r->has & (HAS_CNS | HAS_LOG | HAS_FEATURE))
		return fail_at(p, token, "one of cns, log and feature");
	err = of_command(p, r, has, token);
	if (!err)
		err = in_space(p, r, ADMIN, token);
	if (!err && r->has & HAS_OPCODE && r->opcode != opcode && r->opcode != opcode2)
		return fail_at(p, token, "a condition that the command has");
	if (!err)
		err = number(p, what, 0, 0xff, &value);
	if (!err)
		r->selector = value;
	return err;
}

static int cond_register(struct parse *p, struct rule *r)
{
	unsigned int token = p->at - 1;
	enum lie_point point;
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(regs); i++)
		if (word(p, regs[i].name))
			break;
	if (i == ARRAY_SIZE(regs))
		return fail(p, "a register's name like CC, or doorbell");
	r->reg = &regs[i];
	if (word(p, "read"))
		point = LIE_AT_REG_READ;
	else if (word(p, "write"))
		point = LIE_AT_REG_WRITE;
	else
		return fail(p, "'read' or 'write'");
	err = has_once(p, r, HAS_REGISTER, token);
	/* "queue 3" may stand before "register doorbell write". */
	if (!err && r->point == LIE_AT_COMMAND && !(r->has & ~(HAS_QUEUE | HAS_NTH | HAS_EVERY |
							       HAS_TIMES | HAS_CHANCE | HAS_SEED |
							       HAS_AFTER | HAS_REGISTER)))
		r->point = ANY_POINT;
	return err ? err : at_point(p, r, point, token);
}

static int cond_event(struct parse *p, struct rule *r)
{
	unsigned int token = p->at - 1, i;
	int err;

	for (i = 0; i < NR_LIE_EVENTS; i++)
		if (word(p, event_names[i]))
			break;
	if (i == NR_LIE_EVENTS)
		return fail(p, "an event's name like enable, disable or reset");
	r->event = i;
	err = has_once(p, r, HAS_EVENT, token);
	return err ? err : at_point(p, r, LIE_AT_EVENT, token);
}

static int cond_every(struct parse *p, struct rule *r)
{
	unsigned int token = p->at - 1;
	int err;

	if (!is_number(peek(p), &r->every) && clock_parse_time(peek(p), &r->period)) {
		/* Faster than this the device would do nothing else. */
		if (r->period < 1000)
			return fail(p, "a time of 1us or more");
		p->at++;
		err = has_once(p, r, HAS_PERIOD, token);
		return err ? err : at_point(p, r, LIE_AT_TIME, token);
	}
	err = number(p, "a number, or a time like 5ms; the number", 1, UINT32_MAX, &r->every);
	return err ? err : has_once(p, r, HAS_EVERY, token);
}

static int cond_nth(struct parse *p, struct rule *r, bool open)
{
	unsigned int token = p->at - 1;
	int err;

	if (open) {
		err = number(p, "a number", 1, UINT32_MAX, &r->nth_lo);
		r->nth_hi = UINT64_MAX;
	} else {
		err = range(p, "which ones, counted from 1", UINT32_MAX, &r->nth_lo, &r->nth_hi);
		if (!err && !r->nth_lo)
			return fail_at(p, token + 1, "a number from 1 on");
	}
	return err ? err : has_once(p, r, HAS_NTH, token);
}

static int cond_chance(struct parse *p, struct rule *r)
{
	unsigned int token = p->at - 1;

	if (!clock_parse_percent(peek(p), &r->chance))
		return fail(p, "a percentage like 5%% or 0.1%%");
	p->at++;
	return has_once(p, r, HAS_CHANCE, token);
}

static int read_condition(struct parse *p, struct rule *r)
{
	unsigned int token = p->at;
	uint64_t value;
	int err;

	if (word(p, "always"))
		return has_once(p, r, HAS_ALWAYS, token);
	if (word(p, "opcode"))
		return cond_opcode(p, r, true);
	if (word(p, "admin") || word(p, "io")) {
		err = of_command(p, r, HAS_SPACE, token);
		return err ? err : in_space(p, r, p->token[token].text[0] == 'a' ||
					    p->token[token].text[0] == 'A' ? ADMIN : IO, token);
	}
	if (word(p, "queue")) {
		err = range(p, "a queue", UINT16_MAX, &r->queue_lo, &r->queue_hi);
		if (!err)
			err = has_once(p, r, HAS_QUEUE, token);
		/* A doorbell has a queue, too. */
		if (err || (r->reg && r->reg->offset == NVMQ_REG_DOORBELLS))
			return err;
		return at_point(p, r, LIE_AT_COMMAND, token);
	}
	if (word(p, "nsid")) {
		err = number(p, "a namespace", 0, UINT32_MAX, &value);
		r->nsid = value;
		return err ? err : of_command(p, r, HAS_NSID, token);
	}
	if (word(p, "lba")) {
		err = range(p, "blocks", UINT64_MAX, &r->lba_lo, &r->lba_hi);
		return err ? err : of_command(p, r, HAS_LBA, token);
	}
	if (word(p, "cns"))
		return cond_selector(p, r, "a CNS", HAS_CNS, NVMQ_ADMIN_IDENTIFY,
				     NVMQ_ADMIN_IDENTIFY);
	if (word(p, "log"))
		return cond_selector(p, r, "a log page", HAS_LOG, OP_GET_LOG_PAGE,
				     OP_GET_LOG_PAGE);
	if (word(p, "feature"))
		return cond_selector(p, r, "a feature", HAS_FEATURE, NVMQ_ADMIN_SET_FEATURES,
				     OP_GET_FEATURES);
	if (word(p, "nth"))
		return cond_nth(p, r, false);
	if (word(p, "from"))
		return cond_nth(p, r, true);
	if (word(p, "every"))
		return cond_every(p, r);
	if (word(p, "once")) {
		r->times = 1;
		return has_once(p, r, HAS_TIMES, token);
	}
	if (word(p, "times")) {
		err = number(p, "a number", 1, UINT32_MAX, &r->times);
		return err ? err : has_once(p, r, HAS_TIMES, token);
	}
	if (word(p, "probability"))
		return cond_chance(p, r);
	if (word(p, "seed")) {
		err = number(p, "a seed", 0, UINT64_MAX, &r->seed);
		return err ? err : has_once(p, r, HAS_SEED, token);
	}
	if (word(p, "after")) {
		err = time_of(p, &r->after);
		return err ? err : has_once(p, r, HAS_AFTER, token);
	}
	if (word(p, "now")) {
		r->after = 0;
		err = has_once(p, r, HAS_AFTER, token);
		return err ? err : at_point(p, r, LIE_AT_TIME, token);
	}
	if (word(p, "register"))
		return cond_register(p, r);
	if (word(p, "event"))
		return cond_event(p, r);
	if (opcode_named(peek(p)))
		return cond_opcode(p, r, false);
	return fail(p, "a condition or 'then'");
}

/* ----------------------------------------------------------------- actions */

/* The action is about certain commands: do the conditions leave some of them? */
static int narrow(struct parse *p, struct rule *r, enum narrow narrow, unsigned int token)
{
	static const struct {
		const char *what;
		uint8_t op[8];
		uint8_t nr;
		enum space space;
	} of[] = {
		[NARROW_CREATE] = { "create-sq or create-cq",
				    { NVMQ_ADMIN_CREATE_SQ, NVMQ_ADMIN_CREATE_CQ }, 2, ADMIN },
		[NARROW_GRANT] = { "set- or get-features, feature 7",
				   { NVMQ_ADMIN_SET_FEATURES, OP_GET_FEATURES }, 2, ADMIN },
		[NARROW_PAGES] = { "identify or get-log-page",
				   { NVMQ_ADMIN_IDENTIFY, OP_GET_LOG_PAGE }, 2, ADMIN },
		[NARROW_DATA] = { "read, write or compare",
				  { NVMQ_IO_READ, NVMQ_IO_WRITE, 0x05 }, 3, IO },
	};
	const struct page_info *page = r->page == NO_PAGE ? NULL : &pages[r->page];
	uint32_t selector = r->has & (HAS_CNS | HAS_LOG | HAS_FEATURE);
	unsigned int i;

	r->narrow = narrow;
	if (narrow == NARROW_PAGE) {
		uint32_t wanted = page->opcode == NVMQ_ADMIN_IDENTIFY ? HAS_CNS : HAS_LOG;

		if (r->space == IO || (r->has & HAS_OPCODE && r->opcode != page->opcode) ||
		    (selector && (selector != wanted || r->selector != page->selector)))
			return fail_at(p, token, "a field of the page in the conditions, not of %s",
				       page->name);
		return 0;
	}
	if (r->space != BOTH && r->space != of[narrow].space)
		goto bad;
	if (narrow == NARROW_GRANT && selector && (selector != HAS_FEATURE ||
						   r->selector != NVMQ_FEAT_QUEUE_COUNT))
		goto bad;
	if (narrow == NARROW_PAGES && selector == HAS_FEATURE)
		goto bad;
	if (!(r->has & HAS_OPCODE))
		return 0;
	for (i = 0; i < of[narrow].nr; i++)
		if (of[narrow].op[i] == r->opcode)
			return 0;
bad:
	return fail_at(p, token, "an action that the command has: this is for %s",
		       of[narrow].what);
}

/* [dnr] [crd=N] [executed], in any order */
static int status_flags(struct parse *p, struct rule *r)
{
	for (;;) {
		if (word(p, "dnr")) {
			r->lie.status |= NVMQ_STATUS_DNR;
		} else if (word(p, "executed")) {
			r->lie.executed = true;
		} else if (!strncasecmp(peek(p), "crd=", 4)) {
			uint64_t crd;

			if (!is_number(peek(p) + 4, &crd) || crd > 3)
				return fail(p, "crd=0 to crd=3");
			r->lie.status = (r->lie.status & ~(3u << 11)) | crd << 11;
			p->at++;
		} else {
			return 0;
		}
	}
}

static int act_status(struct parse *p, struct rule *r)
{
	uint64_t status;

	if (!status_named(peek(p), &status))
		return fail(p, "a status name or a number up to 0x7ff");
	p->at++;
	r->lie.status = status;
	return status_flags(p, r);
}

static int act_refuse(struct parse *p, struct rule *r)
{
	uint64_t status;

	r->lie.status = NVMQ_SC_QID_INVALID;
	if (status_named(peek(p), &status)) {
		if (!status)
			return fail(p, "a status that is no success");
		p->at++;
		r->lie.status = status;
	}
	return status_flags(p, r);
}

static int act_wrong(struct parse *p, struct rule *r)
{
	return maybe_number(p, "a number", 0, UINT16_MAX, &r->lie.value, &r->lie.has_value);
}

static int act_count(struct parse *p, struct rule *r, uint32_t without, uint32_t max)
{
	uint64_t count = without;
	bool there;
	int err;

	err = maybe_number(p, "how many", 1, max, &count, &there);
	r->lie.count = count;
	return err;
}

static int act_rdy(struct parse *p, struct rule *r)
{
	if (word(p, "stuck")) {
		r->lie.kind = LIE_RDY_STUCK;
		return 0;
	}
	if (!word(p, "late"))
		return fail(p, "'stuck' or 'late'");
	r->lie.kind = LIE_RDY_LATE;
	return time_of(p, &r->lie.ns);
}

static int act_namespace(struct parse *p, struct rule *r)
{
	uint64_t nsid;
	int err;

	err = number(p, "a namespace", 1, NVMQ_NSID_MAX, &nsid);
	if (err)
		return err;
	r->lie.nsid = nsid;
	if (word(p, "gone")) {
		r->lie.kind = LIE_NS_GONE;
		return 0;
	}
	if (word(p, "new"))
		r->lie.kind = LIE_NS_NEW;
	else if (word(p, "resized"))
		r->lie.kind = LIE_NS_RESIZED;
	else
		return fail(p, "'gone', 'new' or 'resized'");
	return number(p, "blocks", 1, 1ull << 48, &r->lie.size);
}

static int act_event(struct parse *p, struct rule *r)
{
	static const struct {
		const char *word;
		uint8_t max;
	} part[] = { { "type", 7 }, { "info", 0xff }, { "log", 0xff } };
	uint8_t *to[] = { &r->lie.type, &r->lie.info, &r->lie.log };
	uint64_t value;
	size_t i;
	int err;

	if (!word(p, "flood"))
		return fail(p, "'flood'");
	r->lie.kind = LIE_EVENT_FLOOD;
	/* Unless told otherwise: a temperature above the threshold, base figure 145. */
	r->lie.type = 1;
	r->lie.info = 1;
	r->lie.log = 2;
	err = number(p, "how many", 1, 1000000, &value);
	r->lie.count = value;
	while (!err && p->at < p->nr) {
		for (i = 0; i < ARRAY_SIZE(part); i++)
			if (word(p, part[i].word))
				break;
		if (i == ARRAY_SIZE(part))
			return fail(p, "'type', 'info', 'log' or the end of the line");
		err = number(p, "a number", 0, part[i].max, &value);
		*to[i] = value;
	}
	return err;
}

static int act_gone(struct parse *p, struct rule *r)
{
	if (!word(p, "back"))
		return 0;
	if (!word(p, "after"))
		return fail(p, "'after'");
	if (!clock_parse_time(peek(p), &r->lie.ns) || !r->lie.ns)
		return fail(p, "a time like 500ms, not 0");
	p->at++;
	return 0;
}

/* A field by name; lbafN is one of the formats. */
static bool field_named(const char *name, struct rule *r)
{
	uint64_t index;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcasecmp(fields[i].name, name)) {
			r->page = fields[i].page;
			r->lie.offset = fields[i].offset;
			r->lie.len = fields[i].len;
			return true;
		}
	if (strncasecmp(name, "lbaf", 4) || !is_number(name + 4, &index) || index > 63)
		return false;
	r->page = PAGE_ID_NS;
	r->lie.offset = offsetof(struct nvmq_id_ns, lbaf) + index * sizeof(struct nvmq_lbaf);
	r->lie.len = sizeof(struct nvmq_lbaf);
	return true;
}

static int act_garbage(struct parse *p, struct rule *r)
{
	uint64_t lo, hi;
	int err;

	if (!field_named(peek(p), r)) {
		if (!range_in(peek(p), true, &lo, &hi) || hi > UINT32_MAX)
			return fail(p, "a field's name, FIRST..LAST or OFFSET+LENGTH");
		r->lie.offset = lo;
		r->lie.len = hi - lo + 1;
	}
	p->at++;
	if (!word(p, "value"))
		return 0;
	r->lie.has_value = true;
	hi = r->lie.len >= 8 ? UINT64_MAX : (1ull << (8 * r->lie.len)) - 1;
	err = number(p, "a number", 0, hi, &r->lie.value);
	return err;
}

static int act_wrong_data(struct parse *p, struct rule *r)
{
	uint64_t lo, hi;

	if (p->at == p->nr)
		return 0;
	if (!range_in(peek(p), true, &lo, &hi) || hi > UINT32_MAX)
		return fail(p, "FIRST..LAST, OFFSET+LENGTH or the end of the line");
	p->at++;
	r->lie.offset = lo;
	r->lie.len = hi - lo + 1;
	return 0;
}

/* The words of one kind of action; the kind may still change with them. */
static int action_words(struct parse *p, struct rule *r)
{
	uint64_t value = 0;
	int err;

	switch (r->lie.kind) {
	case LIE_STATUS:
		return act_status(p, r);
	case LIE_DROP:
		r->lie.executed = word(p, "executed");
		return 0;
	case LIE_DELAY:
		return time_of(p, &r->lie.ns);
	case LIE_TWICE:
		return word(p, "after") ? time_of(p, &r->lie.ns) : 0;
	case LIE_WRONG_CID:
	case LIE_WRONG_SQ:
		return act_wrong(p, r);
	case LIE_REORDER:
		r->lie.ns = 10000000;
		err = act_count(p, r, 1, UINT16_MAX);
		return !err && word(p, "within") ? time_of(p, &r->lie.ns) : err;
	case LIE_GRANT:
		err = number(p, "a number of queues", 1, UINT16_MAX, &value);
		r->lie.count = value;
		return err;
	case LIE_GARBAGE:
		return act_garbage(p, r);
	case LIE_WRONG_DATA:
		return act_wrong_data(p, r);
	case LIE_LATE_DATA:
		r->lie.ns = 1000000;
		return p->at < p->nr ? time_of(p, &r->lie.ns) : 0;
	case LIE_VALUE:
		r->lie.has_value = true;
		return number(p, "a number", 0, UINT64_MAX, &r->lie.value);
	case LIE_SPURIOUS:
		return act_count(p, r, 1, 1000000);
	case LIE_GONE:
		return act_gone(p, r);
	default:
		return 0;
	}
}

/* What point the line has if the conditions named none. */
static int point_of_action(struct parse *p, struct rule *r, unsigned int token)
{
	const struct kind *kind = &kinds[r->lie.kind];

	if (r->point == ANY_POINT) {
		if (r->lie.kind == LIE_RDY_STUCK || r->lie.kind == LIE_RDY_LATE) {
			r->point = LIE_AT_EVENT;
			r->event = LIE_ON_ENABLE;
		} else if (kind->points == AT(LIE_AT_REG_READ)) {
			return fail_at(p, token, "'register NAME read' in front of '%s'",
				       kind->name);
		} else if (kind->points != AT_ALL) {
			r->point = LIE_AT_COMMAND;
		} else if (r->has & HAS_AFTER) {
			r->point = LIE_AT_TIME;
		} else {
			return fail_at(p, token, "a condition that says when to tell '%s'",
				       kind->name);
		}
	}
	if (!(kind->points & AT(r->point)))
		return fail_at(p, token, "an action that goes with these conditions");
	if (r->point == LIE_AT_TIME && r->has & (HAS_NTH | HAS_EVERY))
		return fail_at(p, token, "no count with a time");
	if (r->point == LIE_AT_TIME && !(r->has & HAS_PERIOD) && r->has & HAS_TIMES && r->times > 1)
		return fail_at(p, token, "'every TIME' with 'times'");
	return 0;
}

static int read_action(struct parse *p, struct rule *r)
{
	static const struct {
		const char *word;
		enum lie_kind kind;
	} words[] = {
		{ "status", LIE_STATUS }, { "drop", LIE_DROP }, { "delay", LIE_DELAY },
		{ "twice", LIE_TWICE }, { "wrong-cid", LIE_WRONG_CID },
		{ "wrong-sq", LIE_WRONG_SQ }, { "wrong-phase", LIE_WRONG_PHASE },
		{ "reorder", LIE_REORDER }, { "no-interrupt", LIE_NO_INTERRUPT },
		{ "grant", LIE_GRANT }, { "garbage", LIE_GARBAGE },
		{ "wrong-data", LIE_WRONG_DATA }, { "data-after-completion", LIE_LATE_DATA },
		{ "value", LIE_VALUE }, { "spurious-interrupt", LIE_SPURIOUS },
		{ "cfs", LIE_CFS }, { "gone", LIE_GONE }, { "back", LIE_BACK },
	};
	unsigned int token = p->at;
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (word(p, words[i].word))
			break;
	if (i < ARRAY_SIZE(words)) {
		r->lie.kind = words[i].kind;
		err = action_words(p, r);
	} else if (word(p, "all-ones")) {
		r->lie.kind = r->point == LIE_AT_REG_READ ? LIE_ALL_ONES : LIE_DEAD_READS;
		err = 0;
	} else if (word(p, "rdy")) {
		err = act_rdy(p, r);
	} else if (word(p, "namespace")) {
		err = act_namespace(p, r);
	} else if (word(p, "event")) {
		err = act_event(p, r);
	} else if (word(p, "refuse-create")) {
		r->lie.kind = LIE_STATUS;
		err = act_refuse(p, r);
	} else {
		return fail(p, "an action");
	}
	if (err)
		return err;
	if (p->at < p->nr)
		return fail(p, "the end of the line");
	err = point_of_action(p, r, token);
	if (err)
		return err;
	if (!strcasecmp(p->token[token].text, "refuse-create"))
		return narrow(p, r, NARROW_CREATE, token);
	if (r->lie.kind == LIE_GRANT)
		return narrow(p, r, NARROW_GRANT, token);
	if (r->lie.kind == LIE_GARBAGE)
		return narrow(p, r, r->page == NO_PAGE ? NARROW_PAGES : NARROW_PAGE, token + 1);
	if (r->lie.kind == LIE_WRONG_DATA)
		return narrow(p, r, NARROW_DATA, token);
	return 0;
}

/* ------------------------------------------------------------------- lines */

static uint64_t hash_text(const char *text)
{
	uint64_t hash = 1;

	while (*text)
		hash = mix64(hash, (unsigned char)*text++);
	return hash;
}

static char *join_tokens(const struct parse *p)
{
	char *text = malloc(MAX_LINE + 1), *to = text;
	unsigned int i;

	if (!text)
		return NULL;
	for (i = 0; i < p->nr; i++)
		to += sprintf(to, "%s%s", i ? " " : "", p->token[i].text);
	*to = 0;
	return text;
}

static int out_of_memory(struct parse *p)
{
	snprintf(p->error, p->size, "%s:%u: out of memory", p->name, p->line);
	return -ENOMEM;
}

static void rule_arm(struct rule *r, uint64_t now)
{
	r->seen = 0;
	r->fired = 0;
	r->born = now;
	r->due = CLOCK_NEVER;
	if (r->point == LIE_AT_TIME)
		r->due = now + (r->has & HAS_AFTER ? r->after : r->period);
}

static void rule_free(struct rule *r)
{
	free(r->text);
	free(r);
}

static int parse_rule(struct parse *p, struct rule **to)
{
	struct rule *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return out_of_memory(p);
	r->point = ANY_POINT;
	r->page = NO_PAGE;
	if (p->at < p->nr && !strcasecmp(peek(p), "then")) {
		err = fail(p, "a condition, at least 'always'");
		goto free_rule;
	}
	while (!word(p, "then")) {
		err = read_condition(p, r);
		if (err)
			goto free_rule;
	}
	if (r->has & HAS_QUEUE && r->reg && r->reg->offset != NVMQ_REG_DOORBELLS) {
		err = fail_at(p, p->at - 1, "a doorbell: %s is of no queue", r->reg->name);
		goto free_rule;
	}
	err = read_action(p, r);
	if (err)
		goto free_rule;
	r->text = join_tokens(p);
	if (!r->text) {
		err = out_of_memory(p);
		goto free_rule;
	}
	if (!(r->has & HAS_SEED))
		r->seed = hash_text(r->text);
	rule_arm(r, clock_now());
	*to = r;
	return 0;

free_rule:
	rule_free(r);
	return err;
}

/* Cut a line into words; a comment ends it. */
static int tokenize(struct parse *p, const char *line, size_t len)
{
	size_t i;

	p->nr = 0;
	p->at = 0;
	p->end = len + 1;
	for (i = 0; i < len; i++) {
		/* Anything else in an error message would spoil a terminal. */
		if (line[i] != '\t' && (line[i] < ' ' || line[i] > '~')) {
			snprintf(p->error, p->size, "%s:%u:%zu: expected text, found byte 0x%02x",
				 p->name, p->line, i + 1, (unsigned char)line[i]);
			return -EINVAL;
		}
		if (line[i] == '#') {
			len = i;
			break;
		}
	}
	if (len >= MAX_LINE) {
		snprintf(p->error, p->size, "%s:%u:%u: expected a line of less than %u bytes",
			 p->name, p->line, MAX_LINE, MAX_LINE);
		return -EINVAL;
	}
	memcpy(p->buf, line, len);
	p->buf[len] = 0;
	for (i = 0; i < len;) {
		if (p->buf[i] == ' ' || p->buf[i] == '\t') {
			p->buf[i++] = 0;
			continue;
		}
		if (p->nr == MAX_TOKENS) {
			snprintf(p->error, p->size, "%s:%u:%zu: expected at most %u words",
				 p->name, p->line, i + 1, MAX_TOKENS);
			return -EINVAL;
		}
		p->token[p->nr].text = p->buf + i;
		p->token[p->nr++].column = i + 1;
		while (i < len && p->buf[i] != ' ' && p->buf[i] != '\t')
			i++;
		p->end = i + 1;
	}
	return 0;
}

static int rest_push(struct script_rest *s, struct rule *r)
{
	if (s->nr == s->room) {
		unsigned int room = s->room ? 2 * s->room : 16;
		struct rule **rules = reallocarray(s->rules, room, sizeof(*rules));

		if (!rules)
			return -ENOMEM;
		s->rules = rules;
		s->room = room;
	}
	s->rules[s->nr++] = r;
	return 0;
}

/* Keep the first @nr rules only. */
static void rest_cut(struct script_rest *s, unsigned int nr)
{
	while (s->nr > nr)
		rule_free(s->rules[--s->nr]);
}

static void script_want(struct script *script)
{
	unsigned int i;

	script->wanted = 0;
	for (i = 0; i < script->rest->nr; i++)
		script->wanted |= AT(script->rest->rules[i]->point);
}

static int add_rule(struct parse *p, struct script_rest *s)
{
	struct rule *r = NULL;
	int err;

	if (s->nr == MAX_RULES) {
		snprintf(p->error, p->size, "%s:%u:1: expected at most %u lines of lies", p->name,
			 p->line, MAX_RULES);
		return -EINVAL;
	}
	err = parse_rule(p, &r);
	if (err)
		return err;
	if (rest_push(s, r)) {
		rule_free(r);
		return out_of_memory(p);
	}
	return 0;
}

/* ------------------------------------------------------------- random lies */

struct luck {
	uint64_t seed;
	uint64_t n;
};

static uint64_t below(struct luck *l, uint64_t limit)
{
	return mix_below(l->seed, l->n++, limit);
}

#define PICK(l, array)	((array)[below(l, ARRAY_SIZE(array))])

/* How often: few enough that a host gets something done in between. */
static void random_count(struct luck *l, char *to, size_t size)
{
	switch (below(l, 5)) {
	case 0:
		snprintf(to, size, "nth %u", 1 + (unsigned int)below(l, 300));
		break;
	case 1:
		snprintf(to, size, "every %u", 5 + (unsigned int)below(l, 500));
		break;
	case 2:
		snprintf(to, size, "from %u times %u", 1 + (unsigned int)below(l, 500),
			 1 + (unsigned int)below(l, 20));
		break;
	default:
		snprintf(to, size, "probability %u.%u%% seed %u", (unsigned int)below(l, 4),
			 1 + (unsigned int)below(l, 9), (unsigned int)below(l, 1000000));
	}
}

static void random_io(struct luck *l, char *to, size_t size)
{
	static const char * const which[] = {
		"read", "read", "write", "write", "io", "io", "flush", "dsm", "write-zeroes",
	};
	const char *name = PICK(l, which);
	unsigned int lba = below(l, 1 << 20);
	int len = snprintf(to, size, "%s", name);

	if (!below(l, 4))
		len += snprintf(to + len, size - len, " queue %u", 1 + (unsigned int)below(l, 4));
	/* Flush and DSM have no range to compare with. */
	if (!below(l, 4) && strcmp(name, "flush") && strcmp(name, "dsm"))
		snprintf(to + len, size - len, " lba %u..%u", lba,
			 lba + (unsigned int)below(l, 1 << 16));
}

/* Lies that a correct host gets over without losing data or the controller. */
static void random_mild(struct luck *l, const char *when, const char *count, char *to, size_t size)
{
	static const char * const again[] = {
		"command-interrupted", "ns-not-ready", "transient-transport", "internal",
		"abort-requested",
	};

	switch (below(l, 6)) {
	case 0:
		snprintf(to, size, "when %s %s then delay %uus", when, count,
			 1 + (unsigned int)below(l, 20000));
		break;
	case 1:
		snprintf(to, size, "when %s %s then reorder %u", when, count,
			 1 + (unsigned int)below(l, 8));
		break;
	case 2:
		snprintf(to, size, "when %s %s then spurious-interrupt %u", when, count,
			 1 + (unsigned int)below(l, 5));
		break;
	case 3:
		/* Twice in a row the same command could fail for good. */
		snprintf(to, size, "when %s every %u then status %s", when,
			 50 + (unsigned int)below(l, 500), PICK(l, again));
		break;
	case 4:
		snprintf(to, size, "when after %ums then event flood %u",
			 1 + (unsigned int)below(l, 5000), 1 + (unsigned int)below(l, 20));
		break;
	default:
		snprintf(to, size, "when always then grant %u", 1 + (unsigned int)below(l, 4));
	}
}

static void random_status(struct luck *l, const char *when, const char *count, char *to,
			  size_t size)
{
	static const char * const more[] = { "", "", " dnr", " crd=1", " executed" };

	snprintf(to, size, "when %s %s then status %s%s", when, count, PICK(l, statuses).name,
		 PICK(l, more));
}

static void random_admin(struct luck *l, const char *count, char *to, size_t size)
{
	static const char * const which[] = {
		"admin", "identify", "set-features", "get-features", "create-sq", "create-cq",
		"delete-sq", "delete-cq", "get-log-page", "async-event", "abort",
	};
	const struct field *field = &PICK(l, fields);

	switch (below(l, 6)) {
	case 0:
		random_status(l, PICK(l, which), count, to, size);
		break;
	case 1:
		snprintf(to, size, "when %s %s then drop", PICK(l, which), count);
		break;
	case 2:
		snprintf(to, size, "when always then grant %u", 1 + (unsigned int)below(l, 4));
		break;
	case 3:
		snprintf(to, size, "when %s then refuse-create", count);
		break;
	case 4:
		snprintf(to, size, "when seed %u then garbage %s", (unsigned int)below(l, 1000000),
			 field->name);
		break;
	default:
		snprintf(to, size, "when identify then garbage %u+%u",
			 (unsigned int)below(l, 4000), 1 + (unsigned int)below(l, 64));
	}
}

static void random_ctrl(struct luck *l, char *to, size_t size)
{
	static const char * const moment[] = {
		"after %ums", "read nth %u", "write nth %u", "register doorbell write nth %u",
		"register CSTS read nth %u", "io nth %u",
	};
	char when[64];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(when, sizeof(when), PICK(l, moment), 1 + (unsigned int)below(l, 5000));
#pragma GCC diagnostic pop
	switch (below(l, 9)) {
	case 0:
		snprintf(to, size, "when %s once then cfs", when);
		break;
	case 1:
		snprintf(to, size, "when %s once then gone", when);
		break;
	case 2:
		snprintf(to, size, "when %s once then gone back after %ums", when,
			 1 + (unsigned int)below(l, 2000));
		break;
	case 3:
		snprintf(to, size, "when %s once then all-ones", when);
		break;
	case 4:
		snprintf(to, size, "when nth %u then rdy stuck", 1 + (unsigned int)below(l, 4));
		break;
	case 5:
		snprintf(to, size, "when event %s nth %u then rdy late %ums",
			 below(l, 2) ? "enable" : "disable", 1 + (unsigned int)below(l, 4),
			 1 + (unsigned int)below(l, 20000));
		break;
	case 6:
		snprintf(to, size, "when %s once then namespace 1 resized %u", when,
			 1 + (unsigned int)below(l, 1 << 20));
		break;
	case 7:
		snprintf(to, size, "when %s once then event flood %u", when,
			 1 + (unsigned int)below(l, 1000));
		break;
	default:
		snprintf(to, size, "when %s once then namespace %u gone", when,
			 1 + (unsigned int)below(l, 2));
	}
}

static void random_wild(struct luck *l, const char *when, const char *count, char *to, size_t size)
{
	static const char * const of_completion[] = {
		"drop", "drop executed", "twice", "twice after 1ms", "wrong-cid", "wrong-cid 0",
		"wrong-sq", "wrong-phase", "no-interrupt", "data-after-completion", "reorder 3",
	};

	switch (below(l, 7)) {
	case 0:
		random_status(l, when, count, to, size);
		break;
	case 1:
		random_mild(l, when, count, to, size);
		break;
	case 6:
		snprintf(to, size, "when %s %s then delay %ums", when, count,
			 1 + (unsigned int)below(l, 60000));
		break;
	case 2:
		random_admin(l, count, to, size);
		break;
	case 3:
		random_ctrl(l, to, size);
		break;
	case 4:
		snprintf(to, size, "when %s %s then wrong-data", below(l, 2) ? "read" : "write",
			 count);
		break;
	default:
		snprintf(to, size, "when %s %s then %s", when, count, PICK(l, of_completion));
	}
}

/* lies by seed N [count N] [mild] */
static int add_random(struct parse *p, struct script_rest *s)
{
	struct luck l = { 0 };
	uint64_t count = RANDOM_LINES;
	struct parse *made;
	bool mild = false;
	int err = 0;

	if (!word(p, "by"))
		return fail(p, "'by'");
	if (!word(p, "seed"))
		return fail(p, "'seed'");
	err = number(p, "a seed", 0, UINT64_MAX, &l.seed);
	if (err)
		return err;
	while (p->at < p->nr) {
		if (word(p, "mild"))
			mild = true;
		else if (!word(p, "count"))
			return fail(p, "'count', 'mild' or the end of the line");
		else if (number(p, "a number of lines", 1, 1000, &count))
			return -EINVAL;
	}
	made = calloc(1, sizeof(*made));
	if (!made)
		return out_of_memory(p);
	made->name = "lies by seed";
	made->error = p->error;
	made->size = p->size;
	while (count-- && !err) {
		char line[256], when[96], often[64];

		random_io(&l, when, sizeof(when));
		random_count(&l, often, sizeof(often));
		if (mild)
			random_mild(&l, when, often, line, sizeof(line));
		else
			random_wild(&l, when, often, line, sizeof(line));
		made->line++;
		err = tokenize(made, line, strlen(line));
		made->at = 1;
		if (!err)
			err = add_rule(made, s);
	}
	free(made);
	return err;
}

/* ------------------------------------------------------------ the outside */

struct script *script_new(void)
{
	struct script *script = calloc(1, sizeof(*script));

	if (!script)
		return NULL;
	script->rest = calloc(1, sizeof(*script->rest));
	if (!script->rest) {
		free(script);
		return NULL;
	}
	return script;
}

void script_free(struct script *script)
{
	if (!script)
		return;
	rest_cut(script->rest, 0);
	free(script->rest->rules);
	free(script->rest);
	free(script);
}

int script_add(struct script *script, const char *name, const char *text, char *error, size_t size)
{
	struct script_rest *s = script->rest;
	unsigned int before = s->nr, i;
	struct parse *p;
	int err = 0;

	if (size)
		error[0] = 0;
	p = calloc(1, sizeof(*p));
	if (!p) {
		snprintf(error, size, "%s: out of memory", name);
		return -ENOMEM;
	}
	p->name = name;
	p->error = error;
	p->size = size;
	while (*text && !err) {
		size_t len = strcspn(text, "\n");

		p->line++;
		/* Files from elsewhere. */
		err = tokenize(p, text, len && text[len - 1] == '\r' ? len - 1 : len);
		text += len;
		if (*text)
			text++;
		if (err || !p->nr)
			continue;
		if (word(p, "when"))
			err = add_rule(p, s);
		else if (word(p, "lies"))
			err = add_random(p, s);
		else
			err = fail(p, "'when' or 'lies by seed'");
	}
	free(p);
	if (err) {
		rest_cut(s, before);
		return err;
	}
	for (i = before; i < s->nr; i++) {
		s->rules[i]->number = ++s->numbers;
		s->rules[i]->lie.line = s->numbers;
	}
	script_want(script);
	return 0;
}

int script_load(struct script *script, const char *file, char *error, size_t size)
{
	FILE *in = fopen(file, "re");
	size_t len;
	char *text;
	int err;

	if (!in) {
		err = -errno;
		snprintf(error, size, "%s: %s", file, strerror(-err));
		return err;
	}
	text = malloc(MAX_FILE + 1);
	if (!text) {
		fclose(in);
		snprintf(error, size, "%s: out of memory", file);
		return -ENOMEM;
	}
	errno = 0;
	len = fread(text, 1, MAX_FILE + 1, in);
	if (ferror(in)) {
		err = errno ? -errno : -EIO;
		snprintf(error, size, "%s: %s", file, strerror(-err));
	} else if (len > MAX_FILE) {
		err = -EINVAL;
		snprintf(error, size, "%s: expected at most %u bytes", file, MAX_FILE);
	} else if (memchr(text, 0, len)) {
		err = -EINVAL;
		snprintf(error, size, "%s: expected text, found a byte of 0", file);
	} else {
		text[len] = 0;
		err = script_add(script, file, text, error, size);
	}
	free(text);
	fclose(in);
	return err;
}

int script_remove(struct script *script, unsigned int line)
{
	struct script_rest *s = script->rest;
	unsigned int i;

	if (!line) {
		rest_cut(s, 0);
		script_want(script);
		return 0;
	}
	for (i = 0; i < s->nr; i++)
		if (s->rules[i]->number == line)
			break;
	if (i == s->nr)
		return -ENOENT;
	rule_free(s->rules[i]);
	memmove(s->rules + i, s->rules + i + 1, (s->nr - i - 1) * sizeof(*s->rules));
	s->nr--;
	script_want(script);
	return 0;
}

void script_rewind(struct script *script)
{
	struct script_rest *s = script->rest;
	uint64_t now = clock_now();
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		rule_arm(s->rules[i], now);
	memset(s->told, 0, sizeof(s->told));
}

unsigned int script_nr(const struct script *script)
{
	return script->rest->nr;
}

void script_print(const struct script *script, FILE *out, bool counts)
{
	const struct script_rest *s = script->rest;
	unsigned int i;

	for (i = 0; i < s->nr; i++) {
		const struct rule *r = s->rules[i];

		fputs(r->text, out);
		if (counts)
			fprintf(out, "  # %u: met %llu, told %llu", r->number,
				(unsigned long long)r->seen, (unsigned long long)r->fired);
		fputc('\n', out);
	}
}

unsigned long script_told(const struct script *script, enum lie_kind kind)
{
	return script->rest->told[kind];
}

const char *lie_kind_name(enum lie_kind kind)
{
	return kind < NR_LIE_KINDS ? kinds[kind].name : "?";
}

/* ---------------------------------------------------------------- matching */

/* All conditions but counts and luck are met: do those agree, and is there room? */
static void rule_met(struct script *script, struct rule *r, struct lie_hits *hits)
{
	uint32_t bit = LIE_BIT(r->lie.kind);
	struct lie *lie;

	r->seen++;
	if (r->has & HAS_NTH && (r->seen < r->nth_lo || r->seen > r->nth_hi))
		return;
	if (r->has & HAS_EVERY &&
	    (r->seen - (r->has & HAS_NTH ? r->nth_lo : 0)) % r->every)
		return;
	if (r->has & HAS_TIMES && r->fired >= r->times)
		return;
	if (r->has & HAS_CHANCE && !mix_chance(r->seed, r->seen, r->chance))
		return;
	if (!hits->kinds)
		hits->nr = 0;
	if (hits->nr == LIE_HITS_MAX || hits->kinds & bit & ~LIE_CTRL_KINDS)
		return;
	r->fired++;
	script->rest->told[r->lie.kind]++;
	hits->kinds |= bit;
	lie = &hits->lie[hits->nr++];
	*lie = r->lie;
	lie->seed = mix64(~r->seed, r->fired);
}

/* Blocks that a command names: its first and its last; nvm 3.2. */
static bool command_range(const struct nvmq_sqe *sqe, uint64_t *lo, uint64_t *hi)
{
	switch (sqe->opcode) {
	case NVMQ_IO_WRITE:
	case NVMQ_IO_READ:
	case NVMQ_IO_WRITE_ZEROES:
	case 0x04:		/* write uncorrectable */
	case 0x05:		/* compare */
	case 0x0c:		/* verify */
		break;
	default:
		return false;
	}
	*lo = le32toh(sqe->cdw10) | (uint64_t)le32toh(sqe->cdw11) << 32;
	*hi = *lo + (le32toh(sqe->cdw12) & 0xffff);
	if (*hi < *lo)
		*hi = UINT64_MAX;
	return true;
}

/* The byte that says which page or feature: CNS, LID and FID are all bits 7:0 of CDW10. */
static uint8_t command_selector(const struct nvmq_sqe *sqe)
{
	return le32toh(sqe->cdw10) & 0xff;
}

static bool narrow_met(const struct rule *r, bool admin, const struct nvmq_sqe *sqe)
{
	switch (r->narrow) {
	case NO_NARROW:
		return true;
	case NARROW_CREATE:
		return admin && (sqe->opcode == NVMQ_ADMIN_CREATE_SQ ||
				 sqe->opcode == NVMQ_ADMIN_CREATE_CQ);
	case NARROW_GRANT:
		return admin && (sqe->opcode == NVMQ_ADMIN_SET_FEATURES ||
				 sqe->opcode == OP_GET_FEATURES) &&
		       command_selector(sqe) == NVMQ_FEAT_QUEUE_COUNT;
	case NARROW_PAGE:
		return admin && sqe->opcode == pages[r->page].opcode &&
		       command_selector(sqe) == pages[r->page].selector;
	case NARROW_PAGES:
		return admin && (sqe->opcode == NVMQ_ADMIN_IDENTIFY ||
				 sqe->opcode == OP_GET_LOG_PAGE);
	case NARROW_DATA:
		return !admin && (sqe->opcode == NVMQ_IO_READ || sqe->opcode == NVMQ_IO_WRITE ||
				  sqe->opcode == 0x05);
	}
	return false;
}

static bool command_met(const struct rule *r, unsigned int qid, const struct nvmq_sqe *sqe)
{
	bool admin = qid == 0;
	uint64_t lo, hi;

	if (r->space != BOTH && r->space != (admin ? ADMIN : IO))
		return false;
	if (r->has & HAS_OPCODE && sqe->opcode != r->opcode)
		return false;
	if (r->has & HAS_QUEUE && (qid < r->queue_lo || qid > r->queue_hi))
		return false;
	if (r->has & HAS_NSID && le32toh(sqe->nsid) != r->nsid)
		return false;
	if (r->has & HAS_LBA && (admin || !command_range(sqe, &lo, &hi) || lo > r->lba_hi ||
				 hi < r->lba_lo))
		return false;
	if (r->has & HAS_CNS && sqe->opcode != NVMQ_ADMIN_IDENTIFY)
		return false;
	if (r->has & HAS_LOG && sqe->opcode != OP_GET_LOG_PAGE)
		return false;
	if (r->has & HAS_FEATURE && sqe->opcode != NVMQ_ADMIN_SET_FEATURES &&
	    sqe->opcode != OP_GET_FEATURES)
		return false;
	if (r->has & (HAS_CNS | HAS_LOG | HAS_FEATURE) && command_selector(sqe) != r->selector)
		return false;
	return narrow_met(r, admin, sqe);
}

static bool too_early(const struct rule *r, uint64_t now)
{
	return r->has & HAS_AFTER && now < r->born + r->after;
}

void script_ask_command(struct script *script, unsigned int qid, const struct nvmq_sqe *sqe,
			uint64_t now, struct lie_hits *hits)
{
	struct script_rest *s = script->rest;
	unsigned int i;

	for (i = 0; i < s->nr; i++) {
		struct rule *r = s->rules[i];

		if (r->point == LIE_AT_COMMAND && !too_early(r, now) && command_met(r, qid, sqe))
			rule_met(script, r, hits);
	}
}

void script_ask_register(struct script *script, bool write, uint32_t offset, int qid, uint64_t now,
			 struct lie_hits *hits)
{
	enum lie_point point = write ? LIE_AT_REG_WRITE : LIE_AT_REG_READ;
	struct script_rest *s = script->rest;
	uint32_t before;
	unsigned int i;

	for (i = 0; i < s->nr; i++) {
		struct rule *r = s->rules[i];

		if (r->point != point || too_early(r, now))
			continue;
		if (offset < r->reg->offset || offset - r->reg->offset >= r->reg->len)
			continue;
		if (r->has & HAS_QUEUE && (qid < 0 || (unsigned int)qid < r->queue_lo ||
					   (unsigned int)qid > r->queue_hi))
			continue;
		before = hits->kinds;
		rule_met(script, r, hits);
		/* The upper half of a register has the upper half of the value. */
		if (r->lie.kind == LIE_VALUE && (hits->kinds & ~before) & LIE_BIT(LIE_VALUE))
			hits->lie[hits->nr - 1].value >>= 8 * ((offset - r->reg->offset) & 7);
	}
}

void script_ask_event(struct script *script, enum lie_event event, uint64_t now,
		      struct lie_hits *hits)
{
	struct script_rest *s = script->rest;
	unsigned int i;

	for (i = 0; i < s->nr; i++) {
		struct rule *r = s->rules[i];

		if (r->point == LIE_AT_EVENT && r->event == event && !too_early(r, now))
			rule_met(script, r, hits);
	}
}

void script_ask_time(struct script *script, uint64_t now, struct lie_hits *hits)
{
	struct script_rest *s = script->rest;
	unsigned int i;

	for (i = 0; i < s->nr; i++) {
		struct rule *r = s->rules[i];

		if (r->point != LIE_AT_TIME || r->due > now)
			continue;
		/* The rest is for the next call. */
		if (hits->kinds && hits->nr == LIE_HITS_MAX)
			return;
		/* Times that were missed are not made up for. */
		r->due = r->has & HAS_PERIOD ? now + r->period : CLOCK_NEVER;
		rule_met(script, r, hits);
		if (r->has & HAS_TIMES && r->fired >= r->times)
			r->due = CLOCK_NEVER;
	}
}

uint64_t script_next(const struct script *script)
{
	uint64_t next = CLOCK_NEVER;
	unsigned int i;

	if (!script || !(script->wanted & AT(LIE_AT_TIME)))
		return next;
	for (i = 0; i < script->rest->nr; i++)
		if (script->rest->rules[i]->due < next)
			next = script->rest->rules[i]->due;
	return next;
}

/* ------------------------------------------------------------------- bytes */

void lie_spoil(const struct lie *lie, uint64_t at, uint64_t total, void *data, size_t len)
{
	uint64_t first = lie->offset, last, i;
	uint8_t *byte = data;

	if (!len || !total)
		return;
	if (!lie->len)
		first = mix_below(lie->seed, UINT64_MAX, total);
	last = lie->len ? first + lie->len - 1 : first;
	if (first < at)
		i = at;
	else
		i = first;
	for (; i <= last && i - at < len; i++) {
		if (lie->has_value)
			byte[i - at] = i - first < 8 ? lie->value >> (8 * (i - first)) : 0;
		else
			byte[i - at] ^= 1 + mix_below(lie->seed, i, 255);
	}
}
