// SPDX-License-Identifier: GPL-2.0
/* See watch.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watch.h"

/**
 * watch_number - a number of the command line
 * @text: the word
 * @most: the largest that will do
 * @number: set to it
 *
 * Return: false if it is none, 0 or too large.
 */
bool watch_number(const char *text, unsigned int most, unsigned int *number)
{
	unsigned long value;
	char *end;

	value = strtoul(text, &end, 10);
	if (end == text || *end || *text == '-' || !value || value > most)
		return false;
	*number = value;
	return true;
}

static int bad(const char *command, const char *word, const char *reason)
{
	fprintf(stderr, "nvmq %s: %s: %s\n", command, word, reason);
	return 2;
}

/**
 * watch_parse - read the words behind the command
 * @command: its name
 * @argc: as for main()
 * @argv: likewise
 * @o: filled
 *
 * Return: 0; 2, with a line on stderr, for wrong usage.
 */
int watch_parse(const char *command, int argc, char **argv, struct watch_options *o)
{
	const char *span = NULL;
	int i, op;

	*o = (struct watch_options){ .op = NR_OPS };
	for (i = 1; i < argc; i++) {
		const char *arg = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(arg, "--json")) {
			o->json = true;
		} else if (!strcmp(arg, "--seconds") || !strcmp(arg, "--every")) {
			if (span && strcmp(span, arg))
				return bad(command, "--every", "not with --seconds");
			span = arg;
			if (!watch_number(value, 86400, &o->watch.seconds))
				return bad(command, arg, "1 to 86400 expected");
			i++;
		} else if (!strcmp(arg, "--times")) {
			if (!watch_number(value, 1000000, &o->watch.times))
				return bad(command, arg, "1 to 1000000 expected");
			i++;
		} else if (!strcmp(arg, "--queue")) {
			if (!watch_number(value, 65535, &o->qid))
				return bad(command, arg, "1 to 65535 expected");
			i++;
		} else if (!strcmp(arg, "--op")) {
			for (op = 0; op < NR_OPS && strcmp(value, counters_ops[op]); op++)
				;
			if (op == NR_OPS)
				return bad(command, arg, "read, write or other expected");
			o->op = op;
			i++;
		} else if (*arg != '-' && !o->name) {
			o->name = arg;
		} else {
			return bad(command, arg, "not expected");
		}
	}
	if (o->watch.times && (!span || strcmp(span, "--every")))
		return bad(command, "--times", "wants --every");
	if (span && !strcmp(span, "--seconds"))
		o->watch.times = 1;
	return 0;
}

/**
 * watch_print_json - print a reading on stdout: a line for each of several
 * @o: how often they are made
 * @object: the reading; freed
 */
void watch_print_json(const struct watch_options *o, struct json_object *object)
{
	if (o->watch.times == 1 || !o->watch.seconds) {
		print_json(object);
	} else {
		puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(object);
	}
}
