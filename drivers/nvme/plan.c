// SPDX-License-Identifier: GPL-2.0
/*
 * Queue plans: from the user's words to counts, vectors and a CPU-to-queue table.
 *
 * Pure policy: see plan.h. The grammar is in Documentation/queues.rst.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

#include "plan.h"

/* The words of a plan. The first three are the queue types, in their order. */
enum nvmq_plan_key {
	KEY_DEFAULT,
	KEY_READ,
	KEY_POLL,
	KEY_DEPTH,
	KEY_VECTORS,
	KEY_IRQ,
	KEY_PLACEMENT,
	KEY_LEAVE,
	KEY_COALESCE,
	KEY_SHARE,
	KEY_WRR,
	KEY_CPUS,
	NR_KEYS
};

/*
 * struct nvmq_plan_rule - what may stand behind a key
 * @name: the key
 * @choices: names that it takes
 * @nr_choices: their number
 * @base: value of the first of them; the others follow
 * @lo: smallest number that it takes; above @hi if it takes none
 * @hi: largest
 * @expect: reason for a value that is neither a number nor one of @choices
 * @range: reason for a number outside @lo to @hi
 */
struct nvmq_plan_rule {
	const char *name;
	const char *choices[3];
	u32 nr_choices;
	u32 base;
	u32 lo;
	u32 hi;
	const char *expect;
	const char *range;
};

static const struct nvmq_plan_rule nvmq_plan_rules[NR_KEYS] = {
	[KEY_DEFAULT] = {
		"default", { "cpu", "core", "node" }, 3, NVMQ_PER_CPU, 1, NVMQ_PLAN_MAX_QUEUES,
		"number, cpu, core, node or CPUs expected", "out of range 1 to 65535",
	},
	[KEY_READ] = {
		"read", { "cpu", "core", "node" }, 3, NVMQ_PER_CPU, 0, NVMQ_PLAN_MAX_QUEUES,
		"number, cpu, core, node or CPUs expected", "out of range 0 to 65535",
	},
	[KEY_POLL] = {
		"poll", { "cpu", "core", "node" }, 3, NVMQ_PER_CPU, 0, NVMQ_PLAN_MAX_QUEUES,
		"number, cpu, core, node or CPUs expected", "out of range 0 to 65535",
	},
	[KEY_DEPTH] = {
		"depth", { NULL }, 0, 0, NVMQ_PLAN_MIN_DEPTH, NVMQ_PLAN_MAX_DEPTH,
		"number expected", "out of range 2 to 4095",
	},
	[KEY_VECTORS] = {
		"vectors", { NULL }, 0, 0, 1, NVMQ_PLAN_MAX_VECTORS,
		"number expected", "out of range 1 to 2048",
	},
	[KEY_IRQ] = {
		"irq", { "msix", "msi", "intx" }, 3, NVMQ_IRQ_MSIX, 1, 0,
		"msix, msi or intx expected", NULL,
	},
	[KEY_PLACEMENT] = {
		"placement", { "managed", "free" }, 2, NVMQ_PLACE_MANAGED, 1, 0,
		"managed or free expected", NULL,
	},
	[KEY_LEAVE] = {
		"leave", { NULL }, 0, 0, 0, NVMQ_PLAN_MAX_LEAVE,
		"number expected", "out of range 0 to 65535",
	},
	/* And with a slash behind it the time: see nvmq_plan_coalesce(). */
	[KEY_COALESCE] = {
		"coalesce", { "off" }, 1, 0, 1, NVMQ_PLAN_MAX_COALESCE,
		"off or completions/microseconds expected", "completions out of range 1 to 256",
	},
	[KEY_SHARE] = {
		"share", { "off" }, 1, 0, 2, NVMQ_PLAN_MAX_SHARE,
		"number or off expected", "out of range 2 to 256",
	},
	/* Or a list of types and classes, and behind a slash weights: see nvmq_plan_wrr(). */
	[KEY_WRR] = {
		"wrr", { "off" }, 1, 0, 1, 0,
		"off or types with classes expected", NULL,
	},
	[KEY_CPUS] = {
		"cpus", { "all", "housekeeping" }, 2, 0, 1, 0,
		"all or housekeeping expected", NULL,
	},
};

static const char * const nvmq_class_names[NVMQ_NR_CLASSES] = {
	"urgent", "high", "medium", "low",
};

/* What may stand behind the slash of a queue count, and of coalesce=. */
static const struct nvmq_plan_rule nvmq_depth_rule = {
	.lo = NVMQ_PLAN_MIN_DEPTH, .hi = NVMQ_PLAN_MAX_DEPTH,
	.expect = "depth expected behind the slash", .range = "depth out of range 2 to 4095",
};

static const struct nvmq_plan_rule nvmq_coalesce_us_rule = {
	.lo = 0, .hi = NVMQ_PLAN_COALESCE_US,
	.expect = "off or completions/microseconds expected",
	.range = "microseconds out of range 0 to 25500",
};

static const struct nvmq_plan_rule nvmq_weight_rule = {
	.lo = 1, .hi = NVMQ_PLAN_MAX_WEIGHT,
	.expect = "three weights expected", .range = "weight out of range 1 to 256",
};

/* A piece of the text, not terminated. */
struct nvmq_span {
	const char *at;
	size_t len;
};

/* One clause: the words of it, and the controller that it names, if it does. */
struct nvmq_plan_clause {
	struct nvmq_span words;
	bool has_address;
	u32 domain;
	u8 bus;
	u8 devfn;
};

static int nvmq_plan_fail(struct nvmq_plan_error *err, struct nvmq_span word, const char *reason,
			  int code)
{
	size_t i;

	if (!err)
		return code;
	for (i = 0; i < word.len && i < sizeof(err->word) - 1; i++)
		err->word[i] = word.at[i] >= ' ' && word.at[i] <= '~' ? word.at[i] : '?';
	err->word[i] = '\0';
	err->reason = reason;
	return code;
}

static void nvmq_plan_no_error(struct nvmq_plan_error *err)
{
	if (err) {
		err->word[0] = '\0';
		err->reason = NULL;
	}
}

static bool nvmq_span_is(struct nvmq_span span, const char *name)
{
	return span.len == strlen(name) && !memcmp(span.at, name, span.len);
}

/* Offset of @c in @span, or its length. */
static size_t nvmq_span_find(struct nvmq_span span, char c)
{
	size_t i;

	for (i = 0; i < span.len && span.at[i] != c; i++)
		;
	return i;
}

static bool nvmq_is_separator(char c)
{
	return c == ' ' || c == ',' || (c >= '\t' && c <= '\r');
}

/* Take the next word off the front of @text; false when only separators are left. */
static bool nvmq_span_word(struct nvmq_span *text, struct nvmq_span *word)
{
	while (text->len && nvmq_is_separator(*text->at)) {
		text->at++;
		text->len--;
	}
	word->at = text->at;
	while (text->len && !nvmq_is_separator(*text->at)) {
		text->at++;
		text->len--;
	}
	word->len = text->at - word->at;
	return word->len;
}

/* Decimal digits only. A number too large for any rule stays too large, however long it is. */
static bool nvmq_span_number(struct nvmq_span span, u32 *number)
{
	u32 n = 0;
	size_t i;

	for (i = 0; i < span.len; i++) {
		if (span.at[i] < '0' || span.at[i] > '9')
			return false;
		n = n * 10 + (span.at[i] - '0');
		if (n > 1000000)
			n = 1000000;
	}
	*number = n;
	return span.len;
}

/* Take one to @digits hexadecimal digits off the front of @span. */
static bool nvmq_span_hex(struct nvmq_span *span, unsigned int digits, u32 *number)
{
	unsigned int taken;
	u32 n = 0;
	char c;

	for (taken = 0; taken < digits && span->len; taken++) {
		c = *span->at;
		if (c >= '0' && c <= '9')
			n = n << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			n = n << 4 | (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			n = n << 4 | (c - 'A' + 10);
		else
			break;
		span->at++;
		span->len--;
	}
	*number = n;
	return taken;
}

static bool nvmq_span_skip(struct nvmq_span *span, char c)
{
	if (!span->len || *span->at != c)
		return false;
	span->at++;
	span->len--;
	return true;
}

static bool nvmq_plan_address(struct nvmq_span word, struct nvmq_plan_clause *clause)
{
	u32 domain, bus, dev, fn;

	if (!nvmq_span_hex(&word, 8, &domain) || !nvmq_span_skip(&word, ':') ||
	    !nvmq_span_hex(&word, 2, &bus))
		return false;
	if (nvmq_span_skip(&word, ':')) {
		if (!nvmq_span_hex(&word, 2, &dev))
			return false;
	} else {
		dev = bus;
		bus = domain;
		domain = 0;
	}
	if (!nvmq_span_skip(&word, '.') || !nvmq_span_hex(&word, 1, &fn) || word.len ||
	    bus > 0xff || dev > 0x1f || fn > 7)
		return false;
	clause->has_address = true;
	clause->domain = domain;
	clause->bus = bus;
	clause->devfn = dev << 3 | fn;
	return true;
}

/* An address has a colon, and no word has one before its '='. */
static bool nvmq_is_address(struct nvmq_span word)
{
	return nvmq_span_find(word, ':') < nvmq_span_find(word, '=');
}

/*
 * Take the next clause off the front of @list. Returns 1, 0 when there is none, or -EINVAL for a
 * word that was meant as an address and is none. A clause without any word is passed over, so
 * that a trailing ';' does not put the default plan in the place of the one before it.
 */
static int nvmq_plan_next_clause(struct nvmq_span *list, struct nvmq_plan_clause *clause,
				 struct nvmq_plan_error *err)
{
	struct nvmq_span rest, word;

	while (list->len) {
		clause->words.at = list->at;
		clause->words.len = nvmq_span_find(*list, ';');
		list->at += clause->words.len;
		list->len -= clause->words.len;
		nvmq_span_skip(list, ';');

		rest = clause->words;
		if (!nvmq_span_word(&rest, &word))
			continue;
		clause->has_address = false;
		if (nvmq_is_address(word)) {
			if (!nvmq_plan_address(word, clause))
				return nvmq_plan_fail(err, word, "bad PCI address", -EINVAL);
			clause->words = rest;
		}
		return 1;
	}
	return 0;
}

static struct nvmq_span nvmq_plan_list(const char *text)
{
	struct nvmq_span list = { text ? text : "", 0 };

	list.len = strlen(list.at);
	return list;
}

/* Take what stands in front of @c off @span, and @c; all, and return false, if there is no @c. */
static bool nvmq_span_split(struct nvmq_span *span, char c, struct nvmq_span *piece)
{
	*piece = *span;
	piece->len = nvmq_span_find(*span, c);
	span->at += piece->len;
	span->len -= piece->len;
	return nvmq_span_skip(span, c);
}

static u32 nvmq_plan_get(const struct nvmq_plan *plan, enum nvmq_plan_key key)
{
	switch (key) {
	case KEY_DEPTH:
		return plan->depth;
	case KEY_VECTORS:
		return plan->vectors;
	case KEY_IRQ:
		return plan->irq;
	case KEY_PLACEMENT:
		return plan->placement;
	case KEY_LEAVE:
		return plan->leave;
	case KEY_COALESCE:
		return plan->coalesce;
	case KEY_SHARE:
		return plan->share;
	case KEY_WRR:
		return plan->wrr.on;
	case KEY_CPUS:
		return plan->housekeeping;
	default:
		return plan->queues[key];
	}
}

static void nvmq_plan_set(struct nvmq_plan *plan, enum nvmq_plan_key key, u32 value)
{
	switch (key) {
	case KEY_DEPTH:
		plan->depth = value;
		break;
	case KEY_VECTORS:
		plan->vectors = value;
		break;
	case KEY_IRQ:
		plan->irq = value;
		break;
	case KEY_PLACEMENT:
		plan->placement = value;
		break;
	case KEY_LEAVE:
		plan->leave = value;
		break;
	case KEY_SHARE:
		plan->share = value;
		break;
	case KEY_CPUS:
		plan->housekeeping = value;
		break;
	default:
		break;
	}
}

static int nvmq_plan_value(const struct nvmq_plan_rule *rule, struct nvmq_span word,
			   struct nvmq_span text, u32 *value, struct nvmq_plan_error *err)
{
	u32 i;

	if (!text.len)
		return nvmq_plan_fail(err, word, "empty value", -EINVAL);
	for (i = 0; i < rule->nr_choices; i++) {
		if (nvmq_span_is(text, rule->choices[i])) {
			*value = rule->base + i;
			return 0;
		}
	}
	if (rule->lo > rule->hi || !nvmq_span_number(text, value))
		return nvmq_plan_fail(err, word, rule->expect, -EINVAL);
	if (*value < rule->lo || *value > rule->hi)
		return nvmq_plan_fail(err, word, rule->range, -ERANGE);
	return 0;
}

/* Does @type name the CPUs of its queues? */
static bool nvmq_plan_has_list(const struct nvmq_plan *plan, u32 type)
{
	u32 i;

	for (i = 0; i < plan->nr_ranges; i++)
		if (plan->ranges[i].type == type)
			return true;
	return false;
}

/*
 * The queue of @type that is to serve @cpu, from 0; the one that has the rest if none names it, and
 * -1 if there is no such either.
 */
static int nvmq_plan_queue_of(const struct nvmq_plan *plan, u32 type, u32 cpu)
{
	int rest = -1;
	u32 i;

	for (i = 0; i < plan->nr_ranges; i++) {
		const struct nvmq_plan_range *range = &plan->ranges[i];

		if (range->type != type)
			continue;
		if (range->first == NVMQ_REST)
			rest = range->queue;
		else if (cpu >= range->first && cpu <= range->last)
			return range->queue;
	}
	return rest;
}

/* One range of CPUs: add it to @plan, for the type and queue that @range has. */
static int nvmq_plan_range(struct nvmq_plan *plan, struct nvmq_plan_range range,
			   struct nvmq_span word, struct nvmq_span text,
			   struct nvmq_plan_error *err)
{
	u32 first = NVMQ_REST, last = NVMQ_REST, i;
	struct nvmq_span low;
	bool two;

	if (!text.len)
		return nvmq_plan_fail(err, word, "empty list of CPUs", -EINVAL);
	if (!nvmq_span_is(text, "rest")) {
		two = nvmq_span_split(&text, '-', &low);
		if (!nvmq_span_number(low, &first) || (two && !nvmq_span_number(text, &last)))
			return nvmq_plan_fail(err, word, "CPUs or rest expected", -EINVAL);
		if (!two)
			last = first;
		if (first > NVMQ_PLAN_MAX_CPU || last > NVMQ_PLAN_MAX_CPU)
			return nvmq_plan_fail(err, word, "CPU number too large", -ERANGE);
		if (last < first)
			return nvmq_plan_fail(err, word, "range backwards", -EINVAL);
	}
	for (i = 0; i < plan->nr_ranges; i++) {
		if (plan->ranges[i].type != range.type || first > plan->ranges[i].last ||
		    last < plan->ranges[i].first)
			continue;
		return nvmq_plan_fail(err, word, first == NVMQ_REST ? "rest named twice" :
				      "CPU named twice", -EINVAL);
	}
	if (plan->nr_ranges == NVMQ_PLAN_MAX_RANGES)
		return nvmq_plan_fail(err, word, "more than 48 ranges of CPUs", -ERANGE);
	range.first = first;
	range.last = last;
	plan->ranges[plan->nr_ranges++] = range;
	return 0;
}

/* A list of CPUs has a character that no number and no name has. */
static bool nvmq_is_cpus(struct nvmq_span text)
{
	return nvmq_span_find(text, '-') < text.len || nvmq_span_find(text, '+') < text.len ||
	       nvmq_span_find(text, ':') < text.len || nvmq_span_is(text, "rest");
}

/* Queues of @type by their CPUs: a colon between two queues, a plus between ranges of one. */
static int nvmq_plan_cpus(struct nvmq_plan *plan, u32 type, struct nvmq_span word,
			  struct nvmq_span text, struct nvmq_plan_error *err)
{
	struct nvmq_plan_range range = { .type = type };
	bool more_queues, more_ranges;
	struct nvmq_span queue, piece;
	int ret;

	do {
		more_queues = nvmq_span_split(&text, ':', &queue);
		do {
			more_ranges = nvmq_span_split(&queue, '+', &piece);
			ret = nvmq_plan_range(plan, range, word, piece, err);
			if (ret)
				return ret;
		} while (more_ranges);
		range.queue++;
	} while (more_queues);
	plan->queues[type] = range.queue;
	return 0;
}

/* What stands behind default=, read= or poll=: how many queues or which, and their depth. */
static int nvmq_plan_queues(struct nvmq_plan *plan, u32 type, struct nvmq_span word,
			    struct nvmq_span text, struct nvmq_plan_error *err)
{
	struct nvmq_span queues;
	u32 value;
	int ret;

	if (nvmq_span_split(&text, '/', &queues)) {
		ret = nvmq_plan_value(&nvmq_depth_rule, word, text, &value, err);
		if (ret)
			return ret;
		plan->depths[type] = value;
	}
	if (nvmq_is_cpus(queues))
		return nvmq_plan_cpus(plan, type, word, queues, err);
	ret = nvmq_plan_value(&nvmq_plan_rules[type], word, queues, &value, err);
	if (!ret)
		plan->queues[type] = value;
	return ret;
}

static int nvmq_plan_coalesce(struct nvmq_plan *plan, struct nvmq_span word,
			      struct nvmq_span text, struct nvmq_plan_error *err)
{
	const struct nvmq_plan_rule *rule = &nvmq_plan_rules[KEY_COALESCE];
	struct nvmq_span count;
	u32 value, us;
	bool two;
	int ret;

	two = nvmq_span_split(&text, '/', &count);
	ret = nvmq_plan_value(rule, word, count, &value, err);
	if (ret)
		return ret;
	/* The name has no time, and a number must have one. */
	if (two == !value)
		return nvmq_plan_fail(err, word, rule->expect, -EINVAL);
	if (!two)
		return 0;
	ret = nvmq_plan_value(&nvmq_coalesce_us_rule, word, text, &us, err);
	if (ret)
		return ret;
	if (us % NVMQ_PLAN_COALESCE_UNIT)
		return nvmq_plan_fail(err, word, "no multiple of 100 microseconds", -EINVAL);
	plan->coalesce = value;
	plan->coalesce_us = us;
	return 0;
}

/* One type and its class. */
static int nvmq_plan_class(struct nvmq_plan *plan, struct nvmq_span word, struct nvmq_span text,
			   u32 *named, struct nvmq_plan_error *err)
{
	struct nvmq_span name;
	u32 type, class;

	nvmq_span_split(&text, ':', &name);
	for (type = 0; type < (u32)NVMQ_NR_TYPES; type++)
		if (nvmq_span_is(name, nvmq_plan_rules[type].name))
			break;
	for (class = 0; class < (u32)NVMQ_NR_CLASSES; class++)
		if (nvmq_span_is(text, nvmq_class_names[class]))
			break;
	if (type == NVMQ_NR_TYPES || class == NVMQ_NR_CLASSES)
		return nvmq_plan_fail(err, word, nvmq_plan_rules[KEY_WRR].expect, -EINVAL);
	if (*named & 1u << type)
		return nvmq_plan_fail(err, word, "type named twice", -EINVAL);
	*named |= 1u << type;
	plan->wrr.classes[type] = class;
	return 0;
}

/* Classes of types, a plus between two; of those that are not named the class is medium. */
static int nvmq_plan_wrr(struct nvmq_plan *plan, struct nvmq_span word, struct nvmq_span text,
			 struct nvmq_plan_error *err)
{
	struct nvmq_span classes, piece;
	bool more, weights;
	u32 named = 0, value, i;
	int ret;

	if (!text.len)
		return nvmq_plan_fail(err, word, "empty value", -EINVAL);
	if (nvmq_span_is(text, nvmq_plan_rules[KEY_WRR].choices[0]))
		return 0;
	plan->wrr.on = true;
	memset(plan->wrr.classes, NVMQ_CLASS_MEDIUM, sizeof(plan->wrr.classes));
	weights = nvmq_span_split(&text, '/', &classes);
	do {
		more = nvmq_span_split(&classes, '+', &piece);
		ret = nvmq_plan_class(plan, word, piece, &named, err);
		if (ret)
			return ret;
	} while (more);
	for (i = 0; weights && i < NVMQ_NR_WEIGHTS; i++) {
		more = nvmq_span_split(&text, ':', &piece);
		if (more != (i < NVMQ_NR_WEIGHTS - 1))
			return nvmq_plan_fail(err, word, nvmq_weight_rule.expect, -EINVAL);
		ret = nvmq_plan_value(&nvmq_weight_rule, word, piece, &value, err);
		if (ret)
			return ret;
		plan->wrr.weights[i] = value;
	}
	return 0;
}

static int nvmq_plan_word(struct nvmq_plan *plan, struct nvmq_span word, u32 *seen,
			  struct nvmq_plan_error *err)
{
	struct nvmq_span name = word, text = word;
	u32 key, value;
	int ret;

	name.len = nvmq_span_find(word, '=');
	for (key = 0; key < NR_KEYS; key++)
		if (nvmq_span_is(name, nvmq_plan_rules[key].name))
			break;
	if (key == NR_KEYS) {
		if (nvmq_is_address(word))
			return nvmq_plan_fail(err, word, "no PCI address may stand here", -EINVAL);
		return nvmq_plan_fail(err, word, "unknown word", -EINVAL);
	}
	if (*seen & 1u << key)
		return nvmq_plan_fail(err, word, "given twice", -EINVAL);
	*seen |= 1u << key;

	text.at += name.len;
	text.len -= name.len;
	nvmq_span_skip(&text, '=');
	if (key < (u32)NVMQ_NR_TYPES)
		return nvmq_plan_queues(plan, key, word, text, err);
	if (key == KEY_COALESCE)
		return nvmq_plan_coalesce(plan, word, text, err);
	if (key == KEY_WRR)
		return nvmq_plan_wrr(plan, word, text, err);
	ret = nvmq_plan_value(&nvmq_plan_rules[key], word, text, &value, err);
	if (!ret)
		nvmq_plan_set(plan, key, value);
	return ret;
}

/**
 * nvmq_plan_init() - set a plan to the defaults
 * @plan: the plan
 *
 * One default queue per CPU, no read and no poll queues, automatic depth, as many vectors as
 * needed, MSI-X, managed placement, no queue left to others, coalescing left alone, a completion
 * queue for each submission queue, round robin, queues for all CPUs.
 */
void nvmq_plan_init(struct nvmq_plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	plan->queues[NVMQ_DEFAULT] = NVMQ_PER_CPU;
	plan->irq = NVMQ_IRQ_MSIX;
	plan->placement = NVMQ_PLACE_MANAGED;
}

/**
 * nvmq_plan_parse() - read one clause that has no address
 * @text: the clause; any bytes, a zero byte among them counts as part of a word
 * @len: bytes of it
 * @plan: set on success, untouched otherwise
 * @err: what is wrong, or NULL if the caller does not care
 *
 * Return: 0; -ERANGE for a number out of range; -EINVAL for anything else.
 */
int nvmq_plan_parse(const char *text, size_t len, struct nvmq_plan *plan,
		    struct nvmq_plan_error *err)
{
	struct nvmq_span rest = { text, len }, word;
	struct nvmq_plan parsed;
	u32 seen = 0;
	int ret;

	nvmq_plan_no_error(err);
	nvmq_plan_init(&parsed);
	while (nvmq_span_word(&rest, &word)) {
		ret = nvmq_plan_word(&parsed, word, &seen, err);
		if (ret)
			return ret;
	}
	*plan = parsed;
	return 0;
}

/* Text that is being written; @len counts what does not fit as well. */
struct nvmq_text {
	char *buf;
	size_t size;
	size_t len;
};

static void nvmq_text_put(struct nvmq_text *text, const char *string)
{
	for (; *string; string++, text->len++)
		if (text->len + 1 < text->size)
			text->buf[text->len] = *string;
}

static void nvmq_text_number(struct nvmq_text *text, u32 number)
{
	char digits[12];

	snprintf(digits, sizeof(digits), "%u", number);
	nvmq_text_put(text, digits);
}

/* Terminate it. Returns its length, or -ENOSPC if it was cut. */
static int nvmq_text_end(struct nvmq_text *text)
{
	if (text->len < text->size) {
		text->buf[text->len] = '\0';
		return text->len;
	}
	if (text->size)
		text->buf[text->size - 1] = '\0';
	return -ENOSPC;
}

/* A single CPU on its own would read as a number of queues. */
static void nvmq_plan_write_cpus(const struct nvmq_plan *plan, u32 type, struct nvmq_text *text)
{
	const struct nvmq_plan_range *range, *before = NULL;
	u32 i, count = 0;

	for (i = 0; i < plan->nr_ranges; i++)
		count += plan->ranges[i].type == type;
	for (i = 0; i < plan->nr_ranges; i++) {
		range = &plan->ranges[i];
		if (range->type != type)
			continue;
		if (before)
			nvmq_text_put(text, before->queue == range->queue ? "+" : ":");
		before = range;
		if (range->first == NVMQ_REST) {
			nvmq_text_put(text, "rest");
			continue;
		}
		nvmq_text_number(text, range->first);
		if (range->last == range->first && count > 1)
			continue;
		nvmq_text_put(text, "-");
		nvmq_text_number(text, range->last);
	}
}

/* Types whose class is medium need not be named; but one type must be. */
static void nvmq_text_wrr(struct nvmq_text *text, const struct nvmq_wrr *wrr)
{
	bool only_medium = true;
	const char *gap = "";
	u32 type, i;

	for (type = 0; type < (u32)NVMQ_NR_TYPES; type++)
		only_medium &= wrr->classes[type] == NVMQ_CLASS_MEDIUM;
	for (type = 0; type < (u32)NVMQ_NR_TYPES; type++) {
		if (wrr->classes[type] == NVMQ_CLASS_MEDIUM && (type || !only_medium))
			continue;
		nvmq_text_put(text, gap);
		nvmq_text_put(text, nvmq_plan_rules[type].name);
		nvmq_text_put(text, ":");
		nvmq_text_put(text, nvmq_class_names[wrr->classes[type]]);
		gap = "+";
	}
	gap = "/";
	for (i = 0; wrr->weights[0] && i < NVMQ_NR_WEIGHTS; i++) {
		nvmq_text_put(text, gap);
		nvmq_text_number(text, wrr->weights[i]);
		gap = ":";
	}
}

/* One word of a plan. */
static void nvmq_plan_write(const struct nvmq_plan *plan, enum nvmq_plan_key key,
			    struct nvmq_text *text)
{
	const struct nvmq_plan_rule *rule = &nvmq_plan_rules[key];
	u32 value = nvmq_plan_get(plan, key);

	nvmq_text_put(text, rule->name);
	nvmq_text_put(text, "=");
	if (nvmq_plan_has_list(plan, key))
		nvmq_plan_write_cpus(plan, key, text);
	else if (key == KEY_WRR && value)
		nvmq_text_wrr(text, &plan->wrr);
	else if (value >= rule->base && value - rule->base < rule->nr_choices)
		nvmq_text_put(text, rule->choices[value - rule->base]);
	else
		nvmq_text_number(text, value);
	if (key == KEY_COALESCE && value) {
		nvmq_text_put(text, "/");
		nvmq_text_number(text, plan->coalesce_us);
	}
	if (key < (u32)NVMQ_NR_TYPES && plan->depths[key]) {
		nvmq_text_put(text, "/");
		nvmq_text_number(text, plan->depths[key]);
	}
}

/* Does a plan say nothing with this word that it does not say without? */
static bool nvmq_plan_is_silent(const struct nvmq_plan *plan, enum nvmq_plan_key key)
{
	struct nvmq_plan defaults;

	if (key == KEY_DEFAULT)
		return false;
	if (key < (u32)NVMQ_NR_TYPES && (plan->depths[key] || nvmq_plan_has_list(plan, key)))
		return false;
	nvmq_plan_init(&defaults);
	return nvmq_plan_get(plan, key) == nvmq_plan_get(&defaults, key);
}

/* The word that @key has, and @reason, as an error. */
static int nvmq_plan_fail_key(const struct nvmq_plan *plan, enum nvmq_plan_key key,
			      const char *reason, int code, struct nvmq_plan_error *err)
{
	struct nvmq_text text = { 0 };

	if (!err)
		return code;
	text.buf = err->word;
	text.size = sizeof(err->word);
	nvmq_plan_write(plan, key, &text);
	nvmq_text_end(&text);
	err->reason = reason;
	return code;
}

/**
 * nvmq_plan_check() - can the lists of CPUs of a plan be followed on this machine?
 * @plan: the plan
 * @topo: the CPUs
 * @err: what is wrong, or NULL
 *
 * Every possible CPU must have a queue of each type that lists any, and each of these queues a
 * possible CPU. A CPU that does not exist may be named beside one that does. Lists leave nothing to
 * choose for cpus=housekeeping.
 *
 * Return: 0 or -EINVAL.
 */
int nvmq_plan_check(const struct nvmq_plan *plan, const struct nvmq_topology *topo,
		    struct nvmq_plan_error *err)
{
	u64 served;
	u32 type, cpu;
	int queue;

	nvmq_plan_no_error(err);
	for (type = 0; type < (u32)NVMQ_NR_TYPES; type++) {
		if (!nvmq_plan_has_list(plan, type))
			continue;
		if (plan->housekeeping)
			return nvmq_plan_fail_key(plan, type,
						  "cpus=housekeeping leaves no CPUs to list",
						  -EINVAL, err);
		served = 0;
		for (cpu = 0; cpu < topo->nr_cpus; cpu++) {
			if (topo->cpu[cpu].core == NVMQ_NO_CPU)
				continue;
			queue = nvmq_plan_queue_of(plan, type, cpu);
			if (queue < 0)
				return nvmq_plan_fail_key(plan, type,
							  "a CPU of this machine has no queue",
							  -EINVAL, err);
			served |= 1ull << queue;
		}
		if (served != (1ull << plan->queues[type]) - 1)
			return nvmq_plan_fail_key(plan, type, "a queue has no CPU of this machine",
						  -EINVAL, err);
	}
	return 0;
}

/**
 * nvmq_plan_check_device() - does a device have what a plan needs?
 * @plan: the plan
 * @wrr: the device offers weighted round robin
 * @err: what is wrong, or NULL
 *
 * Nothing that could be cut down: for that see nvmq_plan_grant().
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int nvmq_plan_check_device(const struct nvmq_plan *plan, bool wrr, struct nvmq_plan_error *err)
{
	nvmq_plan_no_error(err);
	if (plan->wrr.on && !wrr)
		return nvmq_plan_fail_key(plan, KEY_WRR,
					  "the device has no weighted round robin", -EOPNOTSUPP,
					  err);
	return 0;
}

/**
 * nvmq_plan_check_list() - check every clause of a module parameter
 * @text: clauses separated by ';'; NULL is the empty list
 * @topo: the CPUs, or NULL: those of any machine
 * @err: what is wrong, or NULL
 *
 * A list that passes cannot make nvmq_plan_select() fail.
 *
 * Return: 0, -EINVAL or -ERANGE, as nvmq_plan_parse() and nvmq_plan_check().
 */
int nvmq_plan_check_list(const char *text, const struct nvmq_topology *topo,
			 struct nvmq_plan_error *err)
{
	struct nvmq_span list = nvmq_plan_list(text);
	struct nvmq_plan_clause clause;
	struct nvmq_plan plan;
	int ret;

	nvmq_plan_no_error(err);
	while ((ret = nvmq_plan_next_clause(&list, &clause, err)) > 0) {
		ret = nvmq_plan_parse(clause.words.at, clause.words.len, &plan, err);
		if (!ret && topo)
			ret = nvmq_plan_check(&plan, topo, err);
		if (ret)
			break;
	}
	return ret;
}

/**
 * nvmq_plan_select() - the plan of one controller
 * @text: clauses separated by ';'; NULL is the empty list
 * @domain: PCI domain of the controller
 * @bus: its bus
 * @devfn: its device and function, as in struct pci_dev
 * @plan: set on success, untouched otherwise
 * @err: what is wrong, or NULL
 *
 * A clause that names the controller beats one that names none; of two equals the last wins.
 * Clauses do not merge. Without a clause that applies, the default plan.
 *
 * Return: 0, -EINVAL or -ERANGE, as nvmq_plan_parse().
 */
int nvmq_plan_select(const char *text, u32 domain, u8 bus, u8 devfn, struct nvmq_plan *plan,
		     struct nvmq_plan_error *err)
{
	struct nvmq_span list = nvmq_plan_list(text);
	struct nvmq_span best = { list.at, 0 };
	struct nvmq_plan_clause clause;
	bool named = false;
	int ret;

	nvmq_plan_no_error(err);
	while ((ret = nvmq_plan_next_clause(&list, &clause, err)) > 0) {
		if (clause.has_address) {
			if (clause.domain != domain || clause.bus != bus || clause.devfn != devfn)
				continue;
			named = true;
		} else if (named) {
			continue;
		}
		best = clause.words;
	}
	if (ret)
		return ret;
	return nvmq_plan_parse(best.at, best.len, plan, err);
}

/**
 * nvmq_plan_format() - a plan in canonical words
 * @plan: the plan
 * @buf: where to; terminated unless @size is 0
 * @size: bytes of @buf; NVMQ_PLAN_TEXT always suffices
 *
 * The default queues are always named, the other words only where they differ from the default.
 * nvmq_plan_parse() makes the same plan of the text.
 *
 * Return: length of the text, or -ENOSPC if it was cut.
 */
int nvmq_plan_format(const struct nvmq_plan *plan, char *buf, size_t size)
{
	struct nvmq_text text = { buf, size, 0 };
	u32 key;

	for (key = 0; key < NR_KEYS; key++) {
		if (nvmq_plan_is_silent(plan, key))
			continue;
		if (key)
			nvmq_text_put(&text, " ");
		nvmq_plan_write(plan, key, &text);
	}
	return nvmq_text_end(&text);
}

static u32 nvmq_min(u32 a, u32 b)
{
	return a < b ? a : b;
}

static u32 nvmq_max(u32 a, u32 b)
{
	return a > b ? a : b;
}

/* Queues of one type that are of use: one that no CPU maps to would never carry a request. */
static u32 nvmq_plan_wanted(const struct nvmq_plan *plan, const struct nvmq_plan_limits *limits,
			    enum nvmq_qtype type)
{
	u32 cpus = nvmq_max(limits->cpus, 1);
	u32 count = plan->queues[type];

	switch (count) {
	case NVMQ_PER_CPU:
		count = cpus;
		break;
	case NVMQ_PER_CORE:
		count = limits->cores;
		break;
	case NVMQ_PER_NODE:
		count = limits->nodes;
		break;
	}
	if (type == NVMQ_DEFAULT || plan->queues[type] > NVMQ_PLAN_MAX_QUEUES)
		count = nvmq_max(count, 1);
	return nvmq_min(nvmq_min(count, cpus), NVMQ_PLAN_MAX_QUEUES);
}

/**
 * nvmq_plan_pairs() - I/O queue pairs that a plan would use if the device had no limit
 * @plan: the plan
 * @limits: only the counts of CPUs, cores and nodes are read
 *
 * This many are worth asking the device for, and worth mapping doorbells for.
 *
 * Return: their number, 1 to NVMQ_PLAN_MAX_QUEUES.
 */
u32 nvmq_plan_pairs(const struct nvmq_plan *plan, const struct nvmq_plan_limits *limits)
{
	return nvmq_min(nvmq_plan_wanted(plan, limits, NVMQ_DEFAULT) +
			nvmq_plan_wanted(plan, limits, NVMQ_READ) +
			nvmq_plan_wanted(plan, limits, NVMQ_POLL), NVMQ_PLAN_MAX_QUEUES);
}

/* Completion queues of @type: only queues with interrupts share them. */
static u32 nvmq_grant_cqs(const struct nvmq_grant *grant, u32 type)
{
	u32 count = grant->queues[type];

	if (type == NVMQ_POLL || grant->share < 2)
		return count;
	return (count + grant->share - 1) / grant->share;
}

/* The most queues of @type that share a completion queue; 1 if none does. */
static u32 nvmq_grant_crowd(const struct nvmq_grant *grant, u32 type)
{
	u32 cqs = nvmq_grant_cqs(grant, type);

	return cqs ? (grant->queues[type] + cqs - 1) / cqs : 1;
}

/* As many to a completion queue as the plan says, as there are, and as it has room for. */
static void nvmq_grant_share(const struct nvmq_plan *plan, const struct nvmq_plan_limits *limits,
			     struct nvmq_grant *grant)
{
	u32 crowd;

	grant->cq_most = nvmq_min(nvmq_max(limits->cq_entries, limits->entries), 65536);
	grant->share = nvmq_min(plan->share, grant->cq_most - 1);
	crowd = nvmq_max(nvmq_grant_crowd(grant, NVMQ_DEFAULT), nvmq_grant_crowd(grant, NVMQ_READ));
	grant->share = crowd > 1 ? crowd : 0;
}

static void nvmq_grant_depths(const struct nvmq_plan *plan, const struct nvmq_plan_limits *limits,
			      struct nvmq_grant *grant)
{
	u32 total = nvmq_grant_total(grant);
	u32 most = nvmq_min(limits->entries - 1, NVMQ_PLAN_MAX_DEPTH);
	u32 automatic = total <= 16 ? 1023 : nvmq_max(16384 / total, 128);
	u32 depth;
	int type;

	if (limits->tags)
		most = nvmq_min(most, limits->tags);
	for (type = 0; type < NVMQ_NR_TYPES; type++) {
		if (!grant->queues[type])
			continue;
		depth = plan->depths[type];
		if (!depth)
			depth = plan->depth;
		if (!depth)
			depth = automatic;
		depth = nvmq_min(depth, most);
		/* A completion queue has room for whatever may be outstanding. */
		depth = nvmq_min(depth, (grant->cq_most - 1) / nvmq_grant_crowd(grant, type));
		grant->depths[type] = depth;
		grant->depth = nvmq_max(grant->depth, grant->depths[type]);
	}
	/* The rings must hold all tags, whatever of them is used. */
	grant->entries = (limits->tags ? most : grant->depth) + 1;
}

/**
 * nvmq_plan_grant() - cut a plan down to what there is
 * @plan: what was asked
 * @limits: what there is
 * @grant: the result; all zero on error
 *
 * No type gets more queues than there are CPUs. When the pairs do not suffice, each type that was
 * asked for keeps one queue while there are pairs for it (default first, then read, then poll);
 * what is missing beyond that is taken from the poll queues, then from the read queues, then from
 * the default queues. A type left without a queue falls back to the default queues. With no pairs
 * at all, or with queues of fewer than two entries, which can hold no command, the grant has no
 * I/O queue and the controller only its admin queue.
 *
 * Of the pairs that the device grants plan->leave are not used, but one always is.
 *
 * The submission rings of all queues are as long as the deepest type needs, or as what tags there
 * are need; no type is deeper than that. Where submission queues share a completion queue each may
 * have its part of the longest that the device allows.
 *
 * A grant that is made again with @limits lowered to what was had (usable, vectors, kind of
 * interrupt) is the grant for that: so the caller grants, allocates, and grants again.
 *
 * Return: 0, or -ENXIO if there is no interrupt of any kind.
 */
int nvmq_plan_grant(const struct nvmq_plan *plan, const struct nvmq_plan_limits *limits,
		    struct nvmq_grant *grant)
{
	u32 count[NVMQ_NR_TYPES], keep[NVMQ_NR_TYPES];
	u32 pairs, leave, left, over, cut, vectors;
	u32 total = 0;
	int type;

	memset(grant, 0, sizeof(*grant));
	if (!limits->vectors)
		return -ENXIO;

	leave = nvmq_min(plan->leave, nvmq_max(limits->pairs, 1) - 1);
	pairs = nvmq_min(nvmq_min(limits->pairs - leave, limits->usable), NVMQ_PLAN_MAX_QUEUES);
	if (limits->entries < 2)
		pairs = 0;

	left = pairs;
	for (type = 0; type < NVMQ_NR_TYPES; type++) {
		count[type] = nvmq_plan_wanted(plan, limits, type);
		keep[type] = nvmq_min(nvmq_min(count[type], 1), left);
		left -= keep[type];
		total += count[type];
	}
	over = total > pairs ? total - pairs : 0;
	total -= over;
	for (type = NVMQ_NR_TYPES - 1; type >= 0; type--) {
		cut = nvmq_min(over, count[type] - keep[type]);
		over -= cut;
		grant->queues[type] = count[type] - cut;
		if (grant->queues[type] && grant->queues[type] != plan->queues[type] &&
		    nvmq_plan_has_list(plan, type))
			grant->spread |= 1u << type;
	}

	if (total) {
		nvmq_grant_share(plan, limits, grant);
		nvmq_grant_depths(plan, limits, grant);
		grant->leave = leave;
		grant->coalesce = plan->coalesce;
		grant->coalesce_us = plan->coalesce_us;
		grant->wrr = plan->wrr;
		grant->cpus = plan->housekeeping ? nvmq_min(limits->cpus, NVMQ_PLAN_MAX_QUEUES) : 0;
	}

	grant->irq = nvmq_max(plan->irq, limits->irq);
	vectors = nvmq_min(1 + nvmq_grant_cqs(grant, NVMQ_DEFAULT) +
			   nvmq_grant_cqs(grant, NVMQ_READ), limits->vectors);
	if (plan->vectors)
		vectors = nvmq_min(vectors, plan->vectors);
	switch (grant->irq) {
	case NVMQ_IRQ_MSIX:
		vectors = nvmq_min(vectors, NVMQ_PLAN_MAX_VECTORS);
		break;
	case NVMQ_IRQ_MSI:
		vectors = nvmq_min(vectors, NVMQ_PLAN_MAX_MSI);
		break;
	default:
		vectors = 1;
	}
	grant->vectors = vectors;
	return 0;
}

/* Which completion queue of its type a queue has, from 0: shared evenly, and in order. */
static u32 nvmq_grant_cq_index(const struct nvmq_grant *grant, u16 qid)
{
	u32 type = nvmq_grant_type(grant, qid);
	u32 place = qid - nvmq_grant_first(grant, type);

	return place * nvmq_grant_cqs(grant, type) / grant->queues[type];
}

/**
 * nvmq_grant_cq() - the completion queue of a submission queue
 * @grant: from nvmq_plan_grant()
 * @qid: id of the submission queue, 1 to nvmq_grant_total()
 *
 * Those that share one are neighbours and of one type; it has the id of the first of them.
 *
 * Return: the id of the completion queue.
 */
u16 nvmq_grant_cq(const struct nvmq_grant *grant, u16 qid)
{
	u32 type = nvmq_grant_type(grant, qid);
	u32 cqs = nvmq_grant_cqs(grant, type);
	u32 before = nvmq_grant_cq_index(grant, qid) * grant->queues[type];

	return nvmq_grant_first(grant, type) + (before + cqs - 1) / cqs;
}

/**
 * nvmq_grant_sharers() - how many submission queues complete into a completion queue?
 * @grant: from nvmq_plan_grant()
 * @qid: 1 to nvmq_grant_total()
 *
 * Return: their number, @qid and those that follow it; 0 if there is no completion queue @qid.
 */
u32 nvmq_grant_sharers(const struct nvmq_grant *grant, u16 qid)
{
	u32 total = nvmq_grant_total(grant), end = qid;

	while (end <= total && nvmq_grant_cq(grant, end) == qid)
		end++;
	return end - qid;
}

/**
 * nvmq_grant_cq_entries() - the length of a completion ring
 * @grant: from nvmq_plan_grant()
 * @qid: 1 to nvmq_grant_total()
 *
 * Return: entries; 0 if the submission queue @qid has no completion queue of its own.
 */
u32 nvmq_grant_cq_entries(const struct nvmq_grant *grant, u16 qid)
{
	u32 sharers = nvmq_grant_sharers(grant, qid);

	return sharers ? nvmq_min(sharers * (grant->entries - 1) + 1, grant->cq_most) : 0;
}

/**
 * nvmq_grant_vector() - the interrupt vector of a queue
 * @grant: from nvmq_plan_grant()
 * @qid: queue id, 0 for the admin queue
 *
 * With two or more vectors the admin queue has vector 0 to itself, and the completion queues of the
 * default and read queues share the others evenly and in order: neighbouring queues, which serve
 * neighbouring CPUs, share first. With one vector, all share it.
 *
 * Return: the vector, or -1 for a poll queue and for a queue that is not in the grant.
 */
int nvmq_grant_vector(const struct nvmq_grant *grant, u16 qid)
{
	u32 default_cqs = nvmq_grant_cqs(grant, NVMQ_DEFAULT);
	u32 cqs = default_cqs + nvmq_grant_cqs(grant, NVMQ_READ);
	u32 index;

	if (qid > grant->queues[NVMQ_DEFAULT] + grant->queues[NVMQ_READ])
		return -1;
	if (!qid || grant->vectors < 2)
		return 0;
	index = nvmq_grant_cq_index(grant, qid);
	if (nvmq_grant_type(grant, qid) == NVMQ_READ)
		index += default_cqs;
	return 1 + index * nvmq_min(grant->vectors - 1, cqs) / cqs;
}

/**
 * nvmq_grant_format() - a grant in words
 * @grant: the grant
 * @buf: where to; terminated unless @size is 0
 * @size: bytes of @buf; NVMQ_GRANT_TEXT always suffices
 *
 * A type has its depth behind its number of queues if it is less than depth=, which is that of the
 * deepest. share=, leave=, coalesce=, wrr=, cpus= and spread= are there only if there is
 * something to tell.
 *
 * Return: length of the text, or -ENOSPC if it was cut.
 */
int nvmq_grant_format(const struct nvmq_grant *grant, char *buf, size_t size)
{
	struct nvmq_text text = { buf, size, 0 };
	const char *gap = " spread=";
	u32 type;

	for (type = 0; type < (u32)NVMQ_NR_TYPES; type++) {
		nvmq_text_put(&text, nvmq_qtype_name(type));
		nvmq_text_put(&text, "=");
		nvmq_text_number(&text, grant->queues[type]);
		if (grant->queues[type] && grant->depths[type] != grant->depth) {
			nvmq_text_put(&text, "/");
			nvmq_text_number(&text, grant->depths[type]);
		}
		nvmq_text_put(&text, " ");
	}
	nvmq_text_put(&text, "depth=");
	nvmq_text_number(&text, grant->depth);
	nvmq_text_put(&text, " vectors=");
	nvmq_text_number(&text, grant->vectors);
	nvmq_text_put(&text, " irq=");
	nvmq_text_put(&text, nvmq_irq_kind_name(grant->irq));
	if (grant->share) {
		nvmq_text_put(&text, " share=");
		nvmq_text_number(&text, grant->share);
	}
	if (grant->leave) {
		nvmq_text_put(&text, " leave=");
		nvmq_text_number(&text, grant->leave);
	}
	if (grant->coalesce) {
		nvmq_text_put(&text, " coalesce=");
		if (grant->refused) {
			nvmq_text_put(&text, "off");
		} else {
			nvmq_text_number(&text, grant->coalesce);
			nvmq_text_put(&text, "/");
			nvmq_text_number(&text, grant->coalesce_us);
		}
	}
	if (grant->wrr.on) {
		nvmq_text_put(&text, " wrr=");
		if (grant->no_wrr)
			nvmq_text_put(&text, "off");
		else
			nvmq_text_wrr(&text, &grant->wrr);
	}
	if (grant->cpus) {
		nvmq_text_put(&text, " cpus=");
		nvmq_text_number(&text, grant->cpus);
	}
	for (type = 0; type < (u32)NVMQ_NR_TYPES; type++) {
		if (!(grant->spread & 1u << type))
			continue;
		nvmq_text_put(&text, gap);
		nvmq_text_put(&text, nvmq_qtype_name(type));
		gap = ",";
	}
	return nvmq_text_end(&text);
}

/**
 * nvmq_qtype_name() - the name of a queue type
 * @type: the type
 *
 * Return: the name, as in a plan.
 */
const char *nvmq_qtype_name(enum nvmq_qtype type)
{
	return type < NVMQ_NR_TYPES ? nvmq_plan_rules[type].name : "?";
}

/**
 * nvmq_irq_kind_name() - the name of a kind of interrupt
 * @kind: the kind
 *
 * Return: the name, as in a plan.
 */
const char *nvmq_irq_kind_name(enum nvmq_irq_kind kind)
{
	return kind < NVMQ_NR_IRQ_KINDS ? nvmq_plan_rules[KEY_IRQ].choices[kind] : "?";
}

static bool nvmq_cpu_before(const struct nvmq_topology *topo, u16 a, u16 b)
{
	const struct nvmq_cpu *x = &topo->cpu[a], *y = &topo->cpu[b];

	if (x->node != y->node)
		return x->node < y->node;
	if (x->core != y->core)
		return x->core < y->core;
	return a < b;
}

/* Heap sort: let the CPU at @place sink in a heap of @size, the last CPU at its root. */
static void nvmq_topology_sink(struct nvmq_topology *topo, u32 place, u32 size)
{
	struct nvmq_cpu *cpu = topo->cpu;
	u16 sinking = cpu[place].order;
	u32 child;

	for (child = 2 * place + 1; child < size; child = 2 * place + 1) {
		if (child + 1 < size &&
		    nvmq_cpu_before(topo, cpu[child].order, cpu[child + 1].order))
			child++;
		if (!nvmq_cpu_before(topo, sinking, cpu[child].order))
			break;
		cpu[place].order = cpu[child].order;
		place = child;
	}
	cpu[place].order = sinking;
}

/* How well a boundary between two queues fits in front of a place. */
enum nvmq_cut {
	CUT_CORE_SPLIT,
	CUT_BETWEEN_CORES,
	CUT_BETWEEN_NODES
};

static enum nvmq_cut nvmq_topology_cut(const struct nvmq_topology *topo, u32 place)
{
	const struct nvmq_cpu *a, *b;

	if (place >= topo->cpus)
		return CUT_BETWEEN_NODES;
	a = &topo->cpu[topo->cpu[place - 1].order];
	b = &topo->cpu[topo->cpu[place].order];
	if (a->node != b->node)
		return CUT_BETWEEN_NODES;
	return a->core != b->core ? CUT_BETWEEN_CORES : CUT_CORE_SPLIT;
}

/* The place behind the core, or the node, that starts at @place. */
static u32 nvmq_topology_end(const struct nvmq_topology *topo, u32 place, enum nvmq_cut cut)
{
	do
		place++;
	while (nvmq_topology_cut(topo, place) < cut);
	return place;
}

/**
 * nvmq_topology_prepare() - sort and count the CPUs
 * @topo: cpu[].core, cpu[].node and nr_cpus are given, the rest is set
 *
 * Needed once before nvmq_plan_spread() and nvmq_plan_check_map(). The time is n log n.
 */
void nvmq_topology_prepare(struct nvmq_topology *topo)
{
	u32 cpu, place;
	u16 last;

	topo->cpus = 0;
	topo->cores = 0;
	topo->nodes = 0;
	for (cpu = 0; cpu < topo->nr_cpus; cpu++)
		if (topo->cpu[cpu].core != NVMQ_NO_CPU)
			topo->cpu[topo->cpus++].order = cpu;

	for (place = topo->cpus / 2; place-- > 0;)
		nvmq_topology_sink(topo, place, topo->cpus);
	for (place = topo->cpus; place-- > 1;) {
		last = topo->cpu[0].order;
		topo->cpu[0].order = topo->cpu[place].order;
		topo->cpu[place].order = last;
		nvmq_topology_sink(topo, 0, place);
	}

	for (place = 1; place <= topo->cpus; place++) {
		topo->cores += nvmq_topology_cut(topo, place) >= CUT_BETWEEN_CORES;
		topo->nodes += nvmq_topology_cut(topo, place) == CUT_BETWEEN_NODES;
	}
}

static void nvmq_spread_give(const struct nvmq_topology *topo, u32 place, u32 end, u16 qid,
			     u16 *map)
{
	for (; place < end; place++)
		map[topo->cpu[place].order] = qid;
}

/*
 * Divide the @cpus that start at @place among @count queues, at least one each and the loads
 * within one of each other. Where a longer and a shorter run are both still to be had, take the
 * one that ends with a node or else with a core.
 */
static void nvmq_spread_evenly(const struct nvmq_topology *topo, u32 place, u32 cpus, u16 qid,
			       u32 count, u16 *map)
{
	u32 shorter = cpus / count, longer_left = cpus % count;
	u32 run;

	for (; count; count--, qid++, place += run) {
		run = shorter;
		if (longer_left &&
		    (longer_left == count ||
		     nvmq_topology_cut(topo, place + shorter + 1) >=
		     nvmq_topology_cut(topo, place + shorter))) {
			longer_left--;
			run++;
		}
		nvmq_spread_give(topo, place, place + run, qid, map);
	}
}

/* As many queues as there are cores, or nodes: one each, however many CPUs those have. */
static void nvmq_spread_each(const struct nvmq_topology *topo, enum nvmq_cut cut, u16 qid,
			     u16 *map)
{
	u32 place = 0, end;

	for (; place < topo->cpus; place = end) {
		end = nvmq_topology_end(topo, place, cut);
		nvmq_spread_give(topo, place, end, qid++, map);
	}
}

/*
 * Spread so that no queue serves two nodes, if the loads can be kept within one of each other that
 * way: with loads of @load and @load + 1 a node takes between n / (@load + 1), rounded up, and
 * n / @load queues, and the sum over the nodes must meet @count. Returns whether they can.
 */
static bool nvmq_spread_by_node(const struct nvmq_topology *topo, u16 qid, u32 count, u16 *map)
{
	u32 load = topo->cpus / count;
	u32 least = 0, most = 0, spare;
	u32 place, end, n, queues;

	for (place = 0; place < topo->cpus; place = end) {
		end = nvmq_topology_end(topo, place, CUT_BETWEEN_NODES);
		n = end - place;
		if (n / load < (n + load) / (load + 1))
			return false;
		least += (n + load) / (load + 1);
		most += n / load;
	}
	if (count < least || count > most)
		return false;

	spare = count - least;
	for (place = 0; place < topo->cpus; place = end) {
		end = nvmq_topology_end(topo, place, CUT_BETWEEN_NODES);
		n = end - place;
		queues = (n + load) / (load + 1);
		most = nvmq_min(spare, n / load - queues);
		queues += most;
		spare -= most;
		nvmq_spread_evenly(topo, place, n, qid, queues, map);
		qid += queues;
	}
	return true;
}

/**
 * nvmq_plan_spread() - make the CPU-to-queue table of one type
 * @topo: the CPUs, after nvmq_topology_prepare()
 * @first_qid: lowest queue id of the type
 * @count: queues of the type; 0 leaves every CPU without
 * @map: the table, topo->nr_cpus entries; an impossible CPU gets NVMQ_NO_QUEUE
 *
 * Every possible CPU gets a queue. With no more queues than CPUs every queue gets a CPU. With as
 * many queues as cores, or as nodes, each core or node has its own. Otherwise the loads are within
 * one CPU of each other, and within that the CPUs of a node, then the threads of a core, stay
 * together where they can; where nodes or cores differ in size the search looks ahead by one
 * boundary only. Queues beyond the number of CPUs stay without. Queue ids go up with the node, the
 * core and the CPU, so that neighbouring queues serve neighbouring CPUs.
 *
 * The time is linear in the number of CPUs.
 */
void nvmq_plan_spread(const struct nvmq_topology *topo, u16 first_qid, u16 count, u16 *map)
{
	memset(map, 0, topo->nr_cpus * sizeof(*map));
	if (!count || !topo->cpus)
		return;
	if (count >= topo->cpus)
		nvmq_spread_evenly(topo, 0, topo->cpus, first_qid, topo->cpus, map);
	else if (count == topo->nodes)
		nvmq_spread_each(topo, CUT_BETWEEN_NODES, first_qid, map);
	else if (count == topo->cores)
		nvmq_spread_each(topo, CUT_BETWEEN_CORES, first_qid, map);
	else if (!nvmq_spread_by_node(topo, first_qid, count, map))
		nvmq_spread_evenly(topo, 0, topo->cpus, first_qid, count, map);
}

/*
 * CPUs that have no queue of their own, which is all but those in @serving: let each use the queue
 * of one that has, of its node if there is any, and let these take turns.
 */
static void nvmq_spread_others(const struct nvmq_topology *topo,
			       const struct nvmq_topology *serving, u16 *map)
{
	u32 place, end, begin = 0, behind, turn, far = 0;
	u16 cpu, node, other;

	for (place = 0; place < topo->cpus && serving->cpus; begin = behind) {
		end = nvmq_topology_end(topo, place, CUT_BETWEEN_NODES);
		node = topo->cpu[topo->cpu[place].order].node;
		behind = begin;
		while (behind < serving->cpus &&
		       serving->cpu[serving->cpu[behind].order].node == node)
			behind++;
		for (turn = 0; place < end; place++) {
			cpu = topo->cpu[place].order;
			if (serving->cpu[cpu].core != NVMQ_NO_CPU)
				continue;
			if (behind > begin)
				other = begin + turn++ % (behind - begin);
			else
				other = far++ % serving->cpus;
			map[cpu] = map[serving->cpu[other].order];
		}
	}
}

/**
 * nvmq_plan_is_listed() - does a type have the CPUs that its plan lists?
 * @plan: the plan
 * @grant: what it came to
 * @type: the type
 *
 * Return: true if it has a list, and all queues for it.
 */
bool nvmq_plan_is_listed(const struct nvmq_plan *plan, const struct nvmq_grant *grant,
			 enum nvmq_qtype type)
{
	return grant->queues[type] && grant->queues[type] == plan->queues[type] &&
	       nvmq_plan_has_list(plan, type);
}

/**
 * nvmq_plan_map() - make the CPU-to-queue table of one type of a plan
 * @plan: the plan, which nvmq_plan_check() finds right
 * @grant: what it came to
 * @topo: the CPUs, after nvmq_topology_prepare()
 * @serving: likewise, those of them that may have queues of their own: of the others the core is
 *           NVMQ_NO_CPU
 * @type: the type
 * @map: the table, topo->nr_cpus entries; an impossible CPU gets NVMQ_NO_QUEUE
 *
 * As the plan lists them, or else as nvmq_plan_spread(); the CPUs that may not have a queue then
 * use those of others.
 */
void nvmq_plan_map(const struct nvmq_plan *plan, const struct nvmq_grant *grant,
		   const struct nvmq_topology *topo, const struct nvmq_topology *serving,
		   enum nvmq_qtype type, u16 *map)
{
	u32 first = nvmq_grant_first(grant, type);
	u32 cpu;
	int queue;

	if (!nvmq_plan_is_listed(plan, grant, type)) {
		nvmq_plan_spread(serving, first, grant->queues[type], map);
		nvmq_spread_others(topo, serving, map);
		return;
	}
	for (cpu = 0; cpu < topo->nr_cpus; cpu++) {
		queue = nvmq_plan_queue_of(plan, type, cpu);
		map[cpu] = topo->cpu[cpu].core == NVMQ_NO_CPU || queue < 0 ? NVMQ_NO_QUEUE :
			   first + queue;
	}
}

/**
 * nvmq_plan_check_map() - check the CPU-to-queue table of one type
 * @topo: the CPUs
 * @first_qid: lowest queue id of the type
 * @count: queues of the type that exist
 * @map: the table, topo->nr_cpus entries, whoever made it
 * @bad_cpu: on error the first CPU that is mapped to no queue of the type; may be NULL
 *
 * Return: 0, or -EINVAL if a possible CPU is mapped to a queue that is not there.
 */
int nvmq_plan_check_map(const struct nvmq_topology *topo, u16 first_qid, u16 count,
			const u16 *map, u32 *bad_cpu)
{
	u32 cpu;

	for (cpu = 0; cpu < topo->nr_cpus; cpu++) {
		if (topo->cpu[cpu].core == NVMQ_NO_CPU ||
		    (map[cpu] >= first_qid && map[cpu] - first_qid < count))
			continue;
		if (bad_cpu)
			*bad_cpu = cpu;
		return -EINVAL;
	}
	return 0;
}
