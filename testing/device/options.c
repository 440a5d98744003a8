// SPDX-License-Identifier: GPL-2.0
/*
 * The command line. Every key is a row of a table: where it goes, and what it may be.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

enum kind { NUMBER, NUMBER64, SWITCH, TEXT, SIZE };

/**
 * struct key - one word of "KEY=VALUE"
 * @name: the word
 * @kind: of value
 * @offset: where it goes: into struct options or struct ns_options
 * @min: smallest number
 * @max: largest number; bytes of a text
 * @help: what it is
 */
struct key {
	const char *name;
	enum kind kind;
	size_t offset;
	uint64_t min;
	uint64_t max;
	const char *help;
};

#define O(field)	offsetof(struct options, field)
#define N(field)	offsetof(struct ns_options, field)
#define SERIAL		sizeof(((struct options *)0)->serial)
#define MODEL		sizeof(((struct options *)0)->model)
#define FIRMWARE	sizeof(((struct options *)0)->firmware)

static const struct key device_keys[] = {
	{ "mqes", NUMBER, O(mqes), 2, 65536, "entries of a queue at most" },
	{ "dstrd", NUMBER, O(dstrd), 0, 15, "doorbell stride, 4 << N bytes" },
	{ "mpsmin", NUMBER, O(mpsmin), 0, 4, "smallest memory page, 4 KiB << N" },
	{ "mpsmax", NUMBER, O(mpsmax), 0, 4, "largest memory page, 4 KiB << N" },
	{ "to", NUMBER, O(to), 0, 255, "CAP.TO, units of 500 ms" },
	{ "crto", NUMBER, O(crto), 0, 65535, "CRTO.CRWMT, units of 500 ms; 0: no CRTO" },
	{ "cqr", SWITCH, O(cqr), 0, 1, "queues must be contiguous" },
	{ "wrr", SWITCH, O(wrr), 0, 1, "weighted round robin is offered" },
	{ "css", NUMBER, O(css), 0, 255, "CAP.CSS" },
	{ "nssrs", SWITCH, O(nssrs), 0, 1, "subsystem reset is offered" },
	{ "ready", NUMBER, O(ready_ms), 0, 600000, "ms until CSTS.RDY is 1" },
	{ "shutdown", NUMBER, O(shutdown_ms), 0, 600000, "ms that a shutdown takes" },
	{ "mdts", NUMBER, O(mdts), 0, 16, "largest transfer, 4 KiB << N; 0: no limit" },
	{ "acl", NUMBER, O(acl), 0, 255, "aborts at a time, less one" },
	{ "aerl", NUMBER, O(aerl), 0, 255, "event requests at a time, less one" },
	{ "vectors", NUMBER, O(vectors), 0, 2048, "MSI-X vectors; 0: no MSI-X" },
	{ "msi", NUMBER, O(msi), 0, 32, "MSI vectors, a power of two; 0: no MSI" },
	{ "pin", SWITCH, O(pin), 0, 1, "there is an interrupt pin" },
	{ "queues", NUMBER, O(queues), 1, 1023, "I/O queues granted, of each kind" },
	{ "cqs", NUMBER, O(cqs), 0, 1023, "I/O completion queues granted, if fewer; 0: as many" },
	{ "inflight", NUMBER, O(inflight), 0, 65536, "commands worked on at a time; 0: any" },
	{ "irq-ms", NUMBER, O(irq_ms), 0, 3600000, "ms in which an interrupt must be answered" },
	{ "poison", SWITCH, O(poison), 0, 1, "buffers of reads hold rubbish until they are done" },
	{ "vwc", NUMBER, O(vwc), 0, 7, "VWC of Identify" },
	{ "sgls", NUMBER, O(sgls), 0, UINT32_MAX, "SGLS of Identify" },
	{ "oncs", NUMBER, O(oncs), 0, 65535, "ONCS of Identify" },
	{ "oacs", NUMBER, O(oacs), 0, 65535, "OACS of Identify" },
	{ "wzsl", NUMBER, O(wzsl), 0, 16, "WZSL of Identify" },
	{ "dmrl", NUMBER, O(dmrl), 0, 255, "DMRL of Identify" },
	{ "dmrsl", NUMBER, O(dmrsl), 0, UINT32_MAX, "DMRSL of Identify" },
	{ "dmsl", NUMBER64, O(dmsl), 0, UINT64_MAX, "DMSL of Identify" },
	{ "mssrl", NUMBER, O(mssrl), 0, 65535, "MSSRL of Identify" },
	{ "mcl", NUMBER, O(mcl), 0, UINT32_MAX, "MCL of Identify" },
	{ "msrc", NUMBER, O(msrc), 0, 255, "MSRC of Identify" },
	{ "noiob", NUMBER, O(noiob), 0, 65535, "NOIOB of Identify" },
	{ "npwg", NUMBER, O(npwg), 0, 65536, "NPWG in blocks; 0: not reported; so the next four" },
	{ "npwa", NUMBER, O(npwa), 0, 65536, "NPWA" },
	{ "npdg", NUMBER, O(npdg), 0, 65536, "NPDG" },
	{ "npda", NUMBER, O(npda), 0, 65536, "NPDA" },
	{ "nows", NUMBER, O(nows), 0, 65536, "NOWS" },
	{ "dlfeat", NUMBER, O(dlfeat), 0, 31, "DLFEAT of Identify" },
	{ "ana", SWITCH, O(ana), 0, 1, "asymmetric access is reported" },
	{ "opal", SWITCH, O(opal), 0, 1, "the disk locks itself: TCG Opal; with bit 0 of oacs" },
	{ "reservations", SWITCH, O(reservations), 0, 1, "reservations are supported" },
	{ "serial", TEXT, O(serial), 1, SERIAL, "serial number" },
	{ "model", TEXT, O(model), 1, MODEL, "model" },
	{ "firmware", TEXT, O(firmware), 1, FIRMWARE, "firmware revision" },
	{ "seed", NUMBER64, O(seed), 0, UINT64_MAX, "of everything random" },
	{ "arm", NUMBER, O(arm_at), 0, 1000, "judge from the Nth enabling on; 0: when told to" },
	{ NULL, NUMBER, 0, 0, 0, NULL },
};

static const struct key ns_keys[] = {
	{ "size", SIZE, N(size), 0, UINT64_MAX, "bytes" },
	{ "lba", NUMBER, N(lba), 512, 4096, "bytes of a block: 512 or 4096" },
	{ "meta", NUMBER, N(meta), 0, 64, "bytes of metadata of a block: 0, 8, 16 or 64" },
	{ "extended", SWITCH, N(extended), 0, 1, "metadata follows the data of each block" },
	{ "ro", SWITCH, N(read_only), 0, 1, "write protected" },
	{ "detached", SWITCH, N(detached), 0, 1, "not attached to the controller" },
	{ "file", TEXT, N(file), 1, OPTIONS_TEXT, "image; otherwise in memory" },
	{ NULL, NUMBER, 0, 0, 0, NULL },
};

__attribute__((format(printf, 3, 4)))
static int wrong(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static void ns_default(struct ns_options *ns)
{
	*ns = (struct ns_options){ .size = 1ull << 30, .lba = 512 };
}

void options_default(struct options *opt)
{
	memset(opt, 0, sizeof(*opt));
	opt->judge = JUDGE_WARN;
	opt->seed = 1;
	opt->arm_at = 1;
	opt->mqes = 2048;
	opt->mpsmax = 4;
	opt->to = 15;
	opt->crto = 15;			/* 2.0 wants CAP.CRMS.CRWMS */
	opt->cqr = true;
	opt->css = 0x41;		/* NVM, and by CC.CSS 110b */
	opt->mdts = 7;
	opt->acl = 3;
	opt->aerl = 3;
	opt->vectors = 65;
	opt->pin = true;
	opt->queues = 64;
	opt->irq_ms = 10000;
	opt->vwc = 7;			/* present, and Flush takes FFFFFFFFh */
	opt->sgls = 1;
	opt->oncs = 0x1df;		/* everything but reservations */
	opt->oacs = 0x1a;		/* format, namespace management, self-test */
	opt->mssrl = 1024;
	opt->mcl = 4096;
	opt->msrc = 127;
	opt->dlfeat = 0x9;
	snprintf(opt->serial, SERIAL, "nvmq-device");
	snprintf(opt->model, MODEL, "nvmq strict device");
	snprintf(opt->firmware, FIRMWARE, "1");
	opt->nr_ns = 1;
	ns_default(&opt->ns[0]);
}

static int number(const char *text, bool suffix, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno)
		return -EINVAL;
	if (suffix && *end) {
		static const char units[] = "KMGT";
		const char *unit = strchr(units, *end);
		unsigned int shift;

		if (!unit)
			return -EINVAL;
		shift = 10 * (unit - units + 1);
		if (*value >> (64 - shift))
			return -EINVAL;
		*value <<= shift;
		end++;
	}
	return *end ? -EINVAL : 0;
}

static int set(const struct key *key, void *base, const char *value, char *why, size_t size)
{
	void *to = (char *)base + key->offset;
	uint64_t n;

	if (key->kind == SWITCH && (!value || !strcmp(value, "on") || !strcmp(value, "1"))) {
		*(bool *)to = true;
		return 0;
	}
	if (key->kind == SWITCH && (!strcmp(value, "off") || !strcmp(value, "0"))) {
		*(bool *)to = false;
		return 0;
	}
	if (key->kind == SWITCH)
		return wrong(why, size, "%s=%s: must be on or off", key->name, value);
	if (!value || !*value)
		return wrong(why, size, "%s: needs a value", key->name);
	if (key->kind == TEXT) {
		if (strlen(value) >= key->max)
			return wrong(why, size, "%s=%s: too long", key->name, value);
		memcpy(to, value, strlen(value) + 1);
		return 0;
	}
	if (number(value, key->kind == SIZE, &n) || n < key->min || n > key->max)
		return wrong(why, size, "%s=%s: must be a number, %llu to %llu", key->name, value,
			     (unsigned long long)key->min, (unsigned long long)key->max);
	if (key->kind == NUMBER)
		*(uint32_t *)to = n;
	else
		*(uint64_t *)to = n;
	return 0;
}

static const struct key *find(const struct key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (!strcmp(keys->name, name))
			return keys;
	return NULL;
}

/* Calls @word for each "KEY=VALUE" of @text; value is NULL where there is none. */
static int each_word(struct options *opt, const char *text, char *why, size_t size,
		     int (*word)(struct options *opt, const char *name, const char *value,
				 char *why, size_t size))
{
	char *copy = strdup(text), *rest = copy, *at;
	int err = 0;

	if (!copy)
		return wrong(why, size, "no memory");
	while (!err && (at = strsep(&rest, ","))) {
		char *value = strchr(at, '=');

		if (!*at)
			continue;
		if (value)
			*value++ = 0;
		err = word(opt, at, value, why, size);
	}
	free(copy);
	return err;
}

static int ns_word(struct options *opt, const char *name, const char *value, char *why, size_t size)
{
	const struct key *key = find(ns_keys, name);

	if (!key)
		return wrong(why, size, "%s: there is no such key of a namespace", name);
	return set(key, &opt->ns[opt->nr_ns - 1], value, why, size);
}

static int device_word(struct options *opt, const char *name, const char *value, char *why,
		       size_t size)
{
	const struct key *key = find(device_keys, name);
	uint64_t n;
	int err;
	uint32_t i;

	if (key)
		return set(key, opt, value, why, size);
	if (!strcmp(name, "ns")) {
		if (!value || number(value, false, &n) || n > OPTIONS_MAX_NS)
			return wrong(why, size, "ns: must be a number, 0 to %d", OPTIONS_MAX_NS);
		for (i = opt->nr_ns ? opt->nr_ns : 1; i < n; i++) {
			opt->ns[i] = opt->ns[0];
			opt->ns[i].file[0] = 0;
		}
		opt->nr_ns = n;
		return 0;
	}
	if (!strcmp(name, "judge")) {
		static const char * const mode[] = { "off", "warn", "fail" };

		for (i = 0; value && i < 3; i++) {
			if (!strcmp(value, mode[i])) {
				opt->judge = i;
				return 0;
			}
		}
		return wrong(why, size, "judge: must be off, warn or fail");
	}
	key = find(ns_keys, name);
	if (!key)
		return wrong(why, size, "%s: there is no such key", name);
	for (i = 0; i < (opt->nr_ns ? opt->nr_ns : 1); i++) {
		err = set(key, &opt->ns[i], value, why, size);
		if (err || key->kind == TEXT)
			return err;
	}
	return 0;
}

static int check(const struct options *opt, char *why, size_t size)
{
	if (opt->mpsmax < opt->mpsmin)
		return wrong(why, size, "mpsmax=%u is less than mpsmin=%u", opt->mpsmax,
			     opt->mpsmin);
	if (opt->msi & (opt->msi - 1))
		return wrong(why, size, "msi=%u: must be a power of two", opt->msi);
	if (opt->cqs > opt->queues)
		return wrong(why, size, "cqs=%u is more than queues=%u", opt->cqs, opt->queues);
	return 0;
}

int options_device(struct options *opt, const char *text, char *why, size_t size)
{
	int err = each_word(opt, text, why, size, device_word);

	return err ? err : check(opt, why, size);
}

int options_ns(struct options *opt, const char *text, char *why, size_t size)
{
	if (opt->nr_ns == OPTIONS_MAX_NS)
		return wrong(why, size, "more than %d namespaces", OPTIONS_MAX_NS);
	ns_default(&opt->ns[opt->nr_ns++]);
	return each_word(opt, text, why, size, ns_word);
}

int options_parse(struct options *opt, int argc, char **argv, char *why, size_t size)
{
	static const struct {
		const char *name;
		size_t offset;
	} paths[] = {
		{ "--socket", O(socket) }, { "--control", O(control) }, { "--script", O(script) },
		{ "--log", O(log) }, { "--trace", O(trace) }, { "--clock", O(clock) },
		{ "--print-lies", O(print_lies) },
	};
	unsigned int j;
	int i, err;

	options_default(opt);
	for (i = 1; i < argc; i++) {
		const char *word = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (!strcmp(word, "-h") || !strcmp(word, "--help"))
			return 1;
		if (!value)
			return wrong(why, size, "%s: not an option, or needs a value", word);
		i++;
		if (!strcmp(word, "-d") || !strcmp(word, "-n")) {
			err = word[1] == 'd' ? options_device(opt, value, why, size) :
					       options_ns(opt, value, why, size);
			if (err)
				return err;
			continue;
		}
		for (j = 0; j < sizeof(paths) / sizeof(*paths); j++)
			if (!strcmp(word, paths[j].name))
				break;
		if (j == sizeof(paths) / sizeof(*paths))
			return wrong(why, size, "%s: there is no such option", word);
		if (strlen(value) >= OPTIONS_TEXT)
			return wrong(why, size, "%s: too long", word);
		memcpy((char *)opt + paths[j].offset, value, strlen(value) + 1);
	}
	if (!*opt->socket && !*opt->print_lies)
		return wrong(why, size, "--socket is needed");
	return check(opt, why, size);
}

static void usage_keys(FILE *to, const struct key *keys)
{
	for (; keys->name; keys++)
		fprintf(to, "    %-14s %s\n", keys->name, keys->help);
}

void options_usage(FILE *to)
{
	fputs("Usage: nvmq-device --socket PATH [option...]\n"
	      "\n"
	      "An NVMe controller for QEMU's vfio-user-pci, that judges its host.\n"
	      "\n"
	      "  --socket PATH    where QEMU connects\n"
	      "  --control PATH   socket that takes commands; say \"help\" there\n"
	      "  --script FILE    lies to tell\n"
	      "  --log FILE       violations go there, not to standard error\n"
	      "  --clock TEXT     how long commands take, such as \"constant 80us, tail 99.9% 20ms\"\n"
	      "  --trace FILE     when each command was fetched, completed and so on\n"
	      "  --print-lies FILE  print a script as it is understood, and end\n"
	      "  -d KEY=VALUE,... what the controller is; may be repeated\n"
	      "  -n KEY=VALUE,... one more namespace (\"-d ns=0\" before takes the first one away)\n"
	      "\n"
	      "Keys of the controller:\n", to);
	usage_keys(to, device_keys);
	fputs("    ns             number of namespaces, all alike\n"
	      "    judge          off, warn; or fail: the exit status is 1 after a violation\n"
	      "\n"
	      "Keys of a namespace; with -d those of all:\n", to);
	usage_keys(to, ns_keys);
	fputs("\n"
	      "Exit status: 0; 1 for a violation with judge=fail; 2 if it could not begin.\n", to);
}
